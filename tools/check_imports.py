"""Imports point down the list of rooms only; `kernel` and `model` lie at the bottom, the audit stands alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from sources import main

ROOMS = (
    "cli", "api", "monitor", "readiness", "engine", "venues", "learning", "execution", "risk", "strategies", "features",
    "data", "examples", "model",
)  # fmt: skip
"""From the top of the house to the bottom."""

ALONE = ("readiness", "audit")
"""It imports nothing of ours but itself: a fault that it shared with the engine would hide."""


def check(tree: ast.Module, where: PurePosixPath) -> Iterator[tuple[int, str]]:
    """Yield each import that points up, sideways at the bottom, or is relative."""
    here = where.parts[0].removesuffix(".py")
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.ImportFrom) and node.level:
            yield node.lineno, "a relative import; write the full name"
        for target in _targets(node):
            if where.parts[: len(ALONE)] == ALONE and tuple(target.split(".")[: len(ALONE)]) != ALONE:
                yield node.lineno, f"the audit may not import `evenkeel.{target}`: it shares no code with the engine"
            if not _allowed(here, target):
                yield node.lineno, f"`{here}` may not import `evenkeel.{target}`: imports point down the rooms only"


def _targets(node: ast.Import | ast.ImportFrom) -> list[str]:
    """Return the imported modules of ours, without `evenkeel.`."""
    if isinstance(node, ast.Import):
        names = [item.name for item in node.names]
    elif node.module == "evenkeel":
        names = [f"evenkeel.{item.name}" for item in node.names]
    else:
        names = [node.module or ""]
    ours = [name.removeprefix("evenkeel.") for name in names if name.startswith("evenkeel.")]
    return [name for name in ours if name.split(".")[0] in (*ROOMS, "kernel")]


def _allowed(here: str, target: str) -> bool:
    room = target.split(".")[0]
    if here in ("__init__", "__main__"):
        return room in ("api", "cli")
    if here == "kernel":
        return target == "model.errors"
    if room == "kernel":
        return here != "model"
    return here in ROOMS and ROOMS.index(here) <= ROOMS.index(room)


if __name__ == "__main__":
    main(check)
