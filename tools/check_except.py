"""Everything is caught at the named borders only; elsewhere a handler names what it expects or passes it on."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from sources import aliases, dotted, main

BORDERS = {
    "cli/entry.py": "CLI top",
}
"""The borders that exist; `driver loop`, `venue inbox` and `guard loop` join when they are built, and no other."""

BROAD = ("Exception", "BaseException", "builtins.Exception", "builtins.BaseException")


def check(tree: ast.Module, where: PurePosixPath) -> Iterator[tuple[int, str]]:
    """Yield each bare or broad `except`, and each broad `suppress`."""
    if str(where) in BORDERS:
        return
    names = aliases(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and not _passes_on(node):
            caught = [""] if node.type is None else _names(node.type, names)
        elif isinstance(node, ast.Call) and dotted(node.func, names) == "contextlib.suppress":
            caught = [dotted(argument, names) for argument in node.args]
        else:
            continue
        if any(name == "" or name in BROAD for name in caught):
            yield node.lineno, "catches everything outside a named border; name the exceptions you expect"


def _passes_on(handler: ast.ExceptHandler) -> bool:
    """Whether the handler only cleans up: its last word is a bare `raise`, and nothing leaves before it."""
    leaves = (ast.Return, ast.Break, ast.Continue)
    last = handler.body[-1]
    return (
        isinstance(last, ast.Raise) and last.exc is None and not any(isinstance(n, leaves) for n in ast.walk(handler))
    )


def _names(caught: ast.expr, names: dict[str, str]) -> list[str]:
    parts = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return [dotted(part, names) or "an expression" for part in parts]


if __name__ == "__main__":
    main(check)
