"""No wall clock, randomness or drawn ids outside the drivers: time and ids come in as arguments and events."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from sources import aliases, dotted, main

BANNED = {
    "time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter", "time.perf_counter_ns",
    "time.process_time", "time.process_time_ns", "time.localtime", "time.gmtime", "time.sleep", "asyncio.sleep",
    "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today", "os.urandom",
}  # fmt: skip
BANNED_MODULES = ("random", "secrets", "uuid", "numpy.random")


def check(tree: ast.Module, where: PurePosixPath) -> Iterator[tuple[int, str]]:
    """Yield each use of a clock or of randomness, called or passed on."""
    if _is_driver(where):
        return
    names = aliases(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom | ast.Attribute):
            continue
        for name in _mentions(node, names):
            if name in BANNED or any(name == module or name.startswith(f"{module}.") for module in BANNED_MODULES):
                yield node.lineno, f"`{name}` outside a driver; pass the time, the id or the generator in"


def _mentions(node: ast.Import | ast.ImportFrom | ast.Attribute, names: dict[str, str]) -> list[str]:
    if isinstance(node, ast.Import):
        return [item.name for item in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{item.name}" for item in node.names]
    return [dotted(node, names)]


def _is_driver(where: PurePosixPath) -> bool:
    if where.parts[0] == "cli" or where == PurePosixPath("engine/clock.py"):
        return True
    return where.parts[0] == "venues" and len(where.parts) > 2 and where.parts[2].startswith("driver")


if __name__ == "__main__":
    main(check)
