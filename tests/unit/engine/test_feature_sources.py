"""Every source of features has the signature of the protocol that the core reads (plays.md 10, C6)."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import evenkeel
from evenkeel.engine.core import FeatureSource

PACKAGE = Path(evenkeel.__file__).parent


def sources() -> dict[str, Any]:
    """Return every class of the package that has a method `at` of a segment and a bar, by name."""
    found: dict[str, Any] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text("utf-8")
        if "def at(self, segment" not in text:
            continue
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for node in ast.parse(text).body:
            methods = node.body if isinstance(node, ast.ClassDef) else []
            if isinstance(node, ast.ClassDef) and "at" in [m.name for m in methods if isinstance(m, ast.FunctionDef)]:
                found[f"{module}.{node.name}"] = getattr(import_module(module), node.name)
    return found


def test_c6_every_source_of_features_is_asked_and_answers_in_one_way() -> None:
    """C6: backtest, replay, live and simulation have one signature; what is of one of them only has its own name."""
    expected = inspect.signature(FeatureSource.at)
    signatures = {name: inspect.signature(source.at) for name, source in sources().items()}

    assert len(signatures) >= 4
    assert {name for name, signature in signatures.items() if signature != expected} == set()
