"""Every test with all that names what it is about, as the source of the tests has it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent


def every_test() -> Iterator[tuple[str, str]]:
    """Yield each test with all that names what it is about: its name, its docstring, the ids of its cases."""
    for path in sorted(TESTS.rglob("test_*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                ids = [
                    constant.value
                    for decorator in node.decorator_list
                    for constant in ast.walk(decorator)
                    if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
                ]
                told = " ".join([node.name.replace("_", " "), ast.get_docstring(node) or "", *ids])
                yield f"{path.relative_to(TESTS).as_posix()}::{node.name}", told
