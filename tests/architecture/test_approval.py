"""Only `risk` makes an approval: nobody else names what mints it, its key, or copies one with other values."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sources import SOURCE

MINT = {"mint", "_KEY"}
HOME = SOURCE / "risk" / "gates"


def foreign_uses() -> Iterator[str]:
    for path in sorted(SOURCE.rglob("*.py")):
        if path.is_relative_to(HOME):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "evenkeel.risk.gates.verdict":
                yield from (f"{path}:{node.lineno}" for item in node.names if item.name in MINT)
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Approved":
                yield f"{path}:{node.lineno}"


def test_nobody_else_mints_an_approval() -> None:
    assert list(foreign_uses()) == []


def test_within_the_gateway_only_the_decision_mints() -> None:
    users = {
        path.name
        for path in HOME.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("mint", "Approved")
    }

    assert users == {"judge.py", "verdict.py"}
