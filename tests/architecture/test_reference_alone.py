"""The slow exchange imports nothing but the standard library and itself: it shares no mistake with what it judges."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
SLOW_EXCHANGE = ("rules", "terms", "records", "margin", "sizes", "account", "minute", "exchange", "plays")


def imported(text: str) -> set[str]:
    """Return the modules that a text imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("name", SLOW_EXCHANGE)
def test_the_slow_exchange_stands_alone(name: str) -> None:
    for module in imported((REFERENCE / f"{name}.py").read_text("utf-8")):
        first, _, rest = module.partition(".")
        assert first in sys.stdlib_module_names or (first == "reference" and rest in SLOW_EXCHANGE), module


def test_an_import_of_the_engine_would_be_seen() -> None:
    assert imported("def late():\n    from evenkeel.risk import sizing\n") == {"evenkeel.risk"}
