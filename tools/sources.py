"""What the checks share: the files of the package, parsed, and one way to report."""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

SOURCE = Path(__file__).resolve().parent.parent / "src" / "evenkeel"

Check = Callable[[ast.Module, PurePosixPath], Iterator[tuple[int, str]]]
"""Takes a parsed file and its path below `src/evenkeel`, yields line numbers and sentences."""


def problems(check: Check) -> list[str]:
    """Return what a check says about every file of the package, as `path:line: sentence`."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        where = PurePosixPath(path.relative_to(SOURCE).as_posix())
        try:
            tree = ast.parse(path.read_text("utf-8"))
        except SyntaxError as error:
            found.append(f"src/evenkeel/{where}:{error.lineno}: is not Python: {error.msg}")
            continue
        found += [f"src/evenkeel/{where}:{line}: {text}" for line, text in check(tree, where)]
    return found


def main(check: Check) -> None:
    """Run a check as a script: print the problems, exit 1 if there are any."""
    found = problems(check)
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)


def aliases(tree: ast.Module) -> dict[str, str]:
    """Return the full dotted name for each name that the imports of a file bind."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for item in node.names:
                names[item.asname or item.name.split(".")[0]] = item.name if item.asname else item.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module:
            for item in node.names:
                names[item.asname or item.name] = f"{node.module}.{item.name}"
    return names


def dotted(node: ast.expr, names: dict[str, str]) -> str:
    """Return `a.b.c` with imported names spelled out; empty if it does not start at an import or a builtin."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id if hasattr(builtins, node.id) else "")
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value, names)
        return f"{owner}.{node.attr}" if owner else ""
    return ""
