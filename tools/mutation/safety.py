"""Which functions are safety rules: everything that a gate, the order machine, halts or reconciliation can reach.

The reach is reckoned from names: whatever a function mentions that a module of the package defines counts as called.
That finds too much rather than too little.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOTS = (
    "evenkeel.risk.gates", "evenkeel.risk.classify", "evenkeel.risk.halt", "evenkeel.risk.triggers",
    "evenkeel.risk.trigger_conditions", "evenkeel.risk.resume", "evenkeel.execution.order_life",
    "evenkeel.execution.orders", "evenkeel.execution.reconcile", "evenkeel.engine.halt_flag",
)  # fmt: skip
"""Modules, and packages, all functions of which are safety rules."""

SCOPE = ("evenkeel.risk", "evenkeel.execution", "evenkeel.engine.account", "evenkeel.model")
"""Packages in which a function that those reach is one too; the halt's flag is reached as a root."""


def module_paths(source: Path) -> dict[str, Path]:
    """Return the path of each module of the package.

    Args:
        source: The folder that holds the package.
    """
    paths = {}
    for path in sorted((source / "evenkeel").rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        paths[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return paths


def safety_functions(source: Path) -> dict[str, frozenset[str]]:
    """Return the qualified names of the safety rules, by module.

    Args:
        source: The folder that holds the package.
    """
    mentions, homes = _read({name: path for name, path in module_paths(source).items() if _within(name, SCOPE + ROOTS)})
    reached: set[tuple[str, str]] = set()
    waiting = [function for function in mentions if _within(function[0], ROOTS)]
    while waiting:
        function = waiting.pop()
        if function in reached:
            continue
        reached.add(function)
        waiting += [other for name in mentions[function] for other in homes.get(name, ())]
    rules: dict[str, set[str]] = {}
    for module, name in reached:
        rules.setdefault(module, set()).add(name)
    return {module: frozenset(names) for module, names in sorted(rules.items())}


def _within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def _read(
    paths: dict[str, Path],
) -> tuple[dict[tuple[str, str], set[str]], dict[str, list[tuple[str, str]]]]:
    """Return which names each function mentions, and which functions have each name."""
    mentions: dict[tuple[str, str], set[str]] = {}
    homes: dict[str, list[tuple[str, str]]] = {}
    for module, path in paths.items():
        for name, node in _functions(ast.parse(path.read_text(encoding="utf-8")), ""):
            mentions[module, name] = set(_names(node))
            homes.setdefault(name.rsplit(".", 1)[-1], []).append((module, name))
            if name.endswith(".__init__"):
                homes.setdefault(name.split(".")[-2], []).append((module, name))
    return mentions, homes


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef):
            yield prefix + child.name, child
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")


def _names(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            yield inner.id
        elif isinstance(inner, ast.Attribute):
            yield inner.attr
