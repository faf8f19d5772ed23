"""Only `risk` makes an approval, and only an approval makes a command that changes an order at a venue."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

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


COMMANDS = {"PlaceOrder", "AmendOrder", "CancelOrder"}
GATEWAY = SOURCE / "engine" / "account" / "gateway.py"


def makers(tree: ast.AST) -> Iterator[tuple[ast.FunctionDef | None, int]]:
    """Yield every place that makes a command, with the function around it; a copy of one with other values is one."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        made = ast.unparse(node.func).split(".")[-1]
        if made in COMMANDS or (made == "convert" and any(name in ast.unparse(node) for name in COMMANDS)):
            around = [f for f in functions if f.lineno <= node.lineno <= (f.end_lineno or 0)]
            yield max(around, key=lambda f: f.lineno, default=None), node.lineno


def test_commands_are_made_in_the_gateway_of_an_account_only() -> None:
    elsewhere = [
        f"{path}:{line}"
        for path in sorted(SOURCE.rglob("*.py"))
        if path != GATEWAY
        for _, line in makers(ast.parse(path.read_text("utf-8")))
    ]

    assert elsewhere == []


def test_each_maker_of_a_command_takes_an_approval() -> None:
    found = list(makers(ast.parse(GATEWAY.read_text("utf-8"))))

    assert len(found) == len(COMMANDS)
    for function, line in found:
        assert function is not None, line
        given = [ast.unparse(one.annotation) for one in function.args.args if one.annotation is not None]
        assert "Approved" in given, function.name


@pytest.mark.parametrize(
    "source",
    ["def f(order):\n    return PlaceOrder(order=order)", "x = command.CancelOrder(client_id='a', why='')",
     "def f():\n    return convert(value, AmendOrder)"],
)  # fmt: skip
def test_a_command_made_elsewhere_is_found(source: str) -> None:
    assert len(list(makers(ast.parse(source)))) == 1
