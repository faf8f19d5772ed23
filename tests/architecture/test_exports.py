"""What a module exports exists and is explained."""

from __future__ import annotations

import ast
import importlib

from sources import SOURCE


def exporting_modules() -> list[str]:
    names = []
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                parts = path.relative_to(SOURCE.parent).with_suffix("").parts
                names.append(".".join(part for part in parts if part != "__init__"))
    return names


def test_every_exported_name_exists_once_and_callables_are_explained() -> None:
    modules = exporting_modules()
    assert "evenkeel.cli" in modules
    for name in modules:
        module = importlib.import_module(name)
        assert len(set(module.__all__)) == len(module.__all__), f"{name} exports a name twice"
        for exported in module.__all__:
            value = getattr(module, exported)
            assert not callable(value) or value.__doc__, f"{name}.{exported} has no docstring"
