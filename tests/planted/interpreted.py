"""Runs the package as plain Python, with the text of some of its modules changed: for planted bugs.

    install({"evenkeel/risk/sizing.py": [("old text", "new text")]})
    import evenkeel.engine.research   # sees the changed text; no kernel is compiled

Must be called before anything of the package is imported. Kernels are then ordinary functions, slow but small.
"""

from __future__ import annotations

import ctypes
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

PACKAGE = "evenkeel"
Edits = Mapping[str, Sequence[tuple[str, str]]]


class ChangedText(importlib.machinery.SourceFileLoader):
    """Loads a module from its source with some of the text replaced."""

    def __init__(self, name: str, path: str, edits: Sequence[tuple[str, str]]) -> None:
        super().__init__(name, path)
        self._edits = edits

    def get_code(self, fullname: str) -> Any:
        """Compile the changed text; the bytecode on disk is that of the unchanged one."""
        return compile(changed(Path(self.path).read_text(), self._edits), self.path, "exec", dont_inherit=True)


def changed(text: str, edits: Sequence[tuple[str, str]]) -> str:
    """Return a text with each old passage, which must stand there exactly once, replaced by the new one."""
    for old, new in edits:
        if text.count(old) != 1:
            raise LookupError(f"stands there {text.count(old)} times, not once: {old!r}")
        text = text.replace(old, new)
    return text


class Finder(importlib.abc.MetaPathFinder):
    """Finds the modules whose text is changed."""

    def __init__(self, root: Path, edits: Edits) -> None:
        self._root, self._edits = root, edits

    def find_spec(self, fullname: str, path: Any = None, target: ModuleType | None = None) -> Any:
        del path, target
        file = fullname.replace(".", "/") + ".py"
        if file not in self._edits:
            return None
        loader = ChangedText(fullname, str(self._root / file), self._edits[file])
        return importlib.util.spec_from_file_location(fullname, loader.path, loader=loader)


def install(edits: Edits) -> None:
    """Change the text of modules and leave kernels uncompiled, for this process."""
    if any(name.startswith(f"{PACKAGE}.") for name in sys.modules):
        raise RuntimeError("the package is imported already")
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(PACKAGE)
    sys.meta_path.insert(0, Finder(Path(spec.origin).parent.parent, edits))
    np.seterr(all="ignore")
    _leave_uncompiled()


def _leave_uncompiled() -> None:
    import evenkeel.kernel as kernels

    nodes: dict[int, Callable[..., None]] = {}

    def address_of(node: Callable[..., None]) -> int:
        nodes[id(node)] = node
        return id(node)

    def invoke(address: int, *arguments: Any) -> None:
        nodes[int(address)](*arguments)

    def first_one(values: Any, start: int) -> int:
        part = values[start : start + kernels.LANES]
        return next((place for place, value in enumerate(part) if value == 1), kernels.LANES)

    def values_at(kind: Any) -> Callable[[int, int], Any]:
        def at(address: int, length: int) -> Any:
            return np.ctypeslib.as_array((kind * int(length)).from_address(int(address)))

        return at

    def as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
        return function

    replaced: dict[str, Any] = {
        "kernel": as_it_is, "inlined": as_it_is, "compiled": lambda function, _signature: function,
        "address_of": address_of, "invoke": invoke, "fetch_ahead": lambda _values, _place: None, "first_one": first_one,
        "floats_at": values_at(ctypes.c_double), "ints_at": values_at(ctypes.c_int64),
    }  # fmt: skip
    for name, other in replaced.items():
        setattr(kernels, name, other)
