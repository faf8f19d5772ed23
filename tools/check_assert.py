"""No `assert` in the package: `python -O` removes it. `require` guards inputs, `invariant` guards ourselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from sources import main


def check(tree: ast.Module, where: PurePosixPath) -> Iterator[tuple[int, str]]:
    """Yield each `assert` statement."""
    del where
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            yield node.lineno, "`assert` vanishes under `python -O`; use `require` or `invariant`"


if __name__ == "__main__":
    main(check)
