"""Indicators and structures of the user's own, from a Python file.

    # typical.py
    from evenkeel.features.node import Output, Param, indicator

    @indicator("typical", summary=..., inputs=("high", "low", "close"), ...)
    def typical(p, s, x, r, start, stop): ...

    with using([load_plugin(Path("typical.py"))]):
        find_indicator("typical")

A file is one plug-in: its text enters the manifest of every run that uses it, and a replay runs that text. It may
import `evenkeel` and installed packages, but no file beside it. What it declares is checked when it is loaded; its
kernels are compiled then and never kept on disk, so an edit is never answered with old code.
"""

from __future__ import annotations

import hashlib
import linecache
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from numba.core.errors import NumbaError

from evenkeel.features import registry
from evenkeel.features.declared import complaint_about
from evenkeel.features.node import Node
from evenkeel.kernel import NODE_SIGNATURE, PLUGIN_MODULE, compiled
from evenkeel.model.errors import KeelError, UsageError

ENTRY_POINTS = "evenkeel.indicators"
"""Group of entry points; each names a module that is a plug-in."""

_PLACE = re.compile(r'File "[^"]*", line (\d+)')


@dataclass(frozen=True, slots=True)
class Plugin:
    """A file with indicators and structures.

    Attributes:
        name: Of the file, without its folder.
        source: Its whole text.
        nodes: What it declares, in its order.
    """

    name: str
    source: str
    nodes: tuple[Node, ...]

    @property
    def sha256(self) -> str:
        """Digest of the text."""
        return hashlib.sha256(self.source.encode()).hexdigest()


def load_plugin(path: Path) -> Plugin:
    """Load a plug-in from a file.

    Raises:
        UsageError: If the file is missing, does not run, or declares something that cannot work; it names file and
            line.
    """
    try:
        source = path.read_text("utf-8")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise UsageError(f"there is no plug-in file '{path}'") from None
    except UnicodeDecodeError:
        raise UsageError(f"the plug-in '{path}' is not UTF-8 text") from None
    return load_plugin_source(path.name, source, where=str(path))


def load_plugin_source(name: str, source: str, *, where: str) -> Plugin:
    """Load a plug-in from its text.

    Args:
        name: Of the plug-in.
        source: Its text.
        where: What messages call it: the path, or the run that recorded it.

    Raises:
        UsageError: See `load_plugin`.
    """
    module = types.ModuleType(PLUGIN_MODULE)
    module.__file__ = where
    # Tracebacks and the compiler quote lines by this name; there may be no file.
    linecache.cache[where] = (len(source), None, source.splitlines(keepends=True), where)
    try:
        exec(compile(source, where, "exec"), vars(module))
    except SyntaxError as error:
        raise UsageError(f"{where}, line {error.lineno}: {error.msg}", reason=_REASON) from None
    except (ImportError, NameError, AttributeError, TypeError, ValueError, KeyError) as error:
        said = f"{type(error).__name__}: {error}"
        raise UsageError(f"{_place_of(error, where)}: {said}", reason=_REASON) from None
    except KeelError as error:
        raise UsageError(f"{_place_of(error, where)}: {error.message}", reason=_REASON) from None
    nodes = tuple(
        value for value in vars(module).values() if isinstance(value, Node) and _code(value).co_filename == where
    )
    if not nodes:
        raise UsageError(f"{where} declares no @indicator and no @structure", reason=_REASON)
    for node in nodes:
        _check(node, [other for other in nodes if other is not node], where)
    return Plugin(name, source, nodes)


def installed_plugins() -> list[Plugin]:
    """Return the plug-ins that installed packages offer through the entry point group `evenkeel.indicators`."""
    found = []
    for entry in metadata.entry_points(group=ENTRY_POINTS):
        spec = _origin(entry.value)
        if spec is None:
            raise UsageError(f"the entry point {entry.name} of {ENTRY_POINTS} names no Python file: {entry.value}")
        found.append(load_plugin(spec))
    return found


def _origin(value: str) -> Path | None:
    from importlib.util import find_spec

    try:
        spec = find_spec(value.partition(":")[0])
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec is not None and spec.origin is not None and spec.has_location else None


@contextmanager
def using(plugins: Sequence[Plugin]) -> Iterator[None]:
    """Let the registry know the nodes of these plug-ins, and of no others, while the body runs.

    Raises:
        UsageError: If two of them declare the same name.
    """
    owners: dict[str, str] = {}
    for plugin in plugins:
        for node in plugin.nodes:
            if node.name in owners:
                raise UsageError(
                    f"the plug-ins {owners[node.name]} and {plugin.name} both declare '{node.name}'; rename one",
                    reason=_REASON,
                )
            owners[node.name] = plugin.name
    before = _active[:]
    _set_active(plugins)
    try:
        yield
    finally:
        _set_active(before)


def active_plugins() -> tuple[Plugin, ...]:
    """Return the plug-ins that the registry knows at present."""
    return tuple(_active)


def plugins_behind(nodes: Sequence[Node]) -> list[Plugin]:
    """Return the active plug-ins that declare any of these nodes."""
    return [plugin for plugin in _active if any(node is own for node in nodes for own in plugin.nodes)]


def plugin_facts(plugins: Sequence[Plugin]) -> list[dict[str, str]]:
    """Return plug-ins as a manifest records them."""
    return [{"name": plugin.name, "sha256": plugin.sha256, "source": plugin.source} for plugin in plugins]


def recorded_plugins(manifest: Mapping[str, Any]) -> list[Plugin]:
    """Return the plug-ins of a run from the text in its manifest.

    Raises:
        UsageError: If a text is not the one whose digest stands beside it, or no longer loads.
    """
    found = []
    for facts in manifest.get("plugins", []):
        where = f"plug-in {facts['name']} of run {manifest['run']}"
        if hashlib.sha256(facts["source"].encode()).hexdigest() != facts["sha256"]:
            raise UsageError(f"{where}: the recorded text does not have the recorded digest", reason=_REASON)
        found.append(load_plugin_source(facts["name"], facts["source"], where=where))
    return found


def _check(node: Node, others: Sequence[Node], where: str) -> None:
    place = f"{where}, line {line_of(node)}"
    if any(other.name == node.name for other in others):
        raise UsageError(f"{place}: '{node.name}' is declared twice", reason=_REASON)
    complaint = complaint_about(node)
    if complaint:
        raise UsageError(f"{place}: {node.name}: {complaint}", reason=_REASON)
    try:
        compiled(node.kernel, NODE_SIGNATURE)
    except NumbaError as error:
        raise UsageError(_compile_message(node, error, where), reason=_REASON) from None


def line_of(node: Node) -> int:
    """Return the line of its file in which the declaration of a node starts."""
    return int(_code(node).co_firstlineno)


def _code(node: Node) -> types.CodeType:
    code: types.CodeType = node.kernel.py_func.__code__
    return code


def _compile_message(node: Node, error: NumbaError, where: str) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = next((line for line in lines if not line.startswith(("Failed in", "During:"))), type(error).__name__)
    numbers = _PLACE.findall(str(error))
    line = numbers[-1] if numbers else line_of(node)
    return f"{where}, line {line}: {node.name} does not compile: {said}"


def _place_of(error: BaseException, where: str) -> str:
    """Return the deepest line of the plug-in that was being run."""
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == where:
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"{where}, line {line}" if line else where


_REASON = "BAD_PLUGIN"
_active: list[Plugin] = []


def _set_active(plugins: Sequence[Plugin]) -> None:
    _active[:] = plugins
    registry.plug_in([node for plugin in plugins for node in plugin.nodes])
