"""A module is named after the noun that it defines, and says in its first lines what that is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from sources import main

EMPTY_NAMES = {"base", "common", "core_utils", "helper", "helpers", "manager", "misc", "util", "utils"}


def check(tree: ast.Module, where: PurePosixPath) -> Iterator[tuple[int, str]]:
    """Yield a name that says nothing, and a missing module docstring."""
    for part in where.parts:
        if part.removesuffix(".py") in EMPTY_NAMES:
            yield 1, f"`{part}` says nothing; name the module after the noun that it defines"
    if ast.get_docstring(tree) is None and not any(_is_private(part) for part in where.parts):
        yield 1, "no module docstring: what does it define, and why does it exist?"


def _is_private(part: str) -> bool:
    return part.startswith("_") and not part.startswith("__")


if __name__ == "__main__":
    main(check)
