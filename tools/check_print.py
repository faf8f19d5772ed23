"""Only the command line prints: the other rooms return what they have to say."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from sources import aliases, dotted, main


def check(tree: ast.Module, where: PurePosixPath) -> Iterator[tuple[int, str]]:
    """Yield each use of `print` or of the standard streams outside `cli`."""
    if where.parts[0] == "cli":
        return
    names = aliases(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Name | ast.Attribute):
            continue
        name = dotted(node, names)
        if name in ("print", "sys.stdout", "sys.stderr"):
            yield node.lineno, f"`{name}` outside `cli`; return the text, or take a callable that shows it"


if __name__ == "__main__":
    main(check)
