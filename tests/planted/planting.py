"""Plants a bug into the running package: functions of a module get the code of a changed text of it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import evenkeel
from planted.interpreted import changed

SOURCE = Path(evenkeel.__file__).resolve().parent.parent


@contextmanager
def planted(file: str, edits: Sequence[tuple[str, str]]) -> Iterator[None]:
    """Let the functions of a module run as if passages of it, each of which stands there once, were others.

    Args:
        file: Below `src`.
        edits: Text that is right, and text that is wrong.
    """
    path = SOURCE / file
    text = path.read_text("utf-8")
    right, wrong = (codes(compile(one, str(path), "exec")) for one in (text, changed(text, edits)))
    module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
    names = [name for name, code in wrong.items() if name in right and differs(code, right[name])]
    if not names:
        raise LookupError(f"no function of {file} differs: {edits!r}")
    functions = [function_of(module, name) for name in names]
    kept = [function.__code__ for function in functions]
    try:
        for function, name in zip(functions, names, strict=True):
            function.__code__ = wrong[name]
        yield
    finally:
        for function, code in zip(functions, kept, strict=True):
            function.__code__ = code


def codes(code: CodeType) -> dict[str, CodeType]:
    """Return the functions and methods of a module, by qualified name."""
    found: dict[str, CodeType] = {}
    for one in code.co_consts:
        if isinstance(one, CodeType):
            if not one.co_flags & CO_OPTIMIZED:
                found |= codes(one)
            elif "<" not in one.co_qualname:
                found[one.co_qualname] = one
    return found


def differs(one: CodeType, other: CodeType) -> bool:
    """Whether two functions do other things; where their lines stand does not matter."""
    if (one.co_code, one.co_names, one.co_varnames) != (other.co_code, other.co_names, other.co_varnames):
        return True
    return any(
        differs(a, b) if isinstance(a, CodeType) and isinstance(b, CodeType) else (type(a), a) != (type(b), b)
        for a, b in zip(one.co_consts, other.co_consts, strict=False)
    )


def function_of(module: Any, name: str) -> FunctionType:
    """Return a function of a module by its qualified name; of a property what reads it."""
    found: Any = module
    for part in name.split("."):
        found = vars(found)[part]
    found = getattr(found, "fget", found)
    found = getattr(found, "__func__", found)
    if not isinstance(found, FunctionType):
        raise LookupError(f"{name} is no function")
    return found
