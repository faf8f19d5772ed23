"""The small faults: each changes one place of one function."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

_COMPARES: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}  # fmt: skip
_SUMS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
}  # fmt: skip
_EXTREMES = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One small fault.

    Attributes:
        module: Where, as imported.
        function: Qualified name of the function.
        line: Line of the place.
        change: What was written, and what is written instead.
        turn: Number among equal changes of the function.
        code: The function with it.
    """

    module: str
    function: str
    line: int
    change: str
    turn: int
    code: CodeType

    @property
    def name(self) -> str:
        """What names it even when lines move."""
        return f"{self.module}:{self.function}: {self.change}" + (f" ({self.turn})" if self.turn > 1 else "")


def mutants_of(module: str, path: Path) -> Iterator[Mutant]:
    """Yield every mutant of the functions and methods of a module.

    Args:
        module: As imported.
        path: Of its source.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for name, function in _functions(tree, ""):
        turns: Counter[str] = Counter()
        for place in _places(function):
            for replacement in _replacements(place.node):
                before = ast.unparse(place.node)
                place.put(replacement)
                code = _find(compile(ast.fix_missing_locations(tree), str(path), "exec"), name)
                place.put(place.node)
                change = f"{_short(before)} -> {_short(ast.unparse(replacement))}"
                turns[change] += 1
                if code is not None:
                    yield Mutant(module, name, place.line, change, turns[change], code)


def _short(source: str) -> str:
    """Return the first line of a statement."""
    first, _, rest = source.partition("\n")
    return f"{first} ..." if rest else first


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a node hangs: in a field of its parent, or in a list of one."""

    parent: ast.AST
    field: str
    index: int | None
    node: ast.AST

    @property
    def line(self) -> int:
        return getattr(self.node, "lineno", getattr(self.parent, "lineno", 0))

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef):
            yield prefix + child.name, child
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")


def _places(function: ast.FunctionDef) -> list[_Place]:
    """Return each node of a body with where it hangs; words of documentation and of errors are left alone."""
    places: list[_Place] = []

    def walk(parent: ast.AST) -> None:
        for name, value in ast.iter_fields(parent):
            if name in ("annotation", "returns", "type_comment", "decorator_list"):
                continue
            for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr):
                    places.append(_Place(parent, name, index, child))
                    walk(child)

    for number, statement in enumerate(function.body):
        places.append(_Place(function, "body", number, statement))
        walk(statement)
    return places


def _replacements(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare():
            yield from _compares(node)
        case ast.BoolOp():
            yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.UnaryOp(op=ast.USub()):
            yield node.operand
        case ast.BinOp() if type(node.op) in _SUMS:
            yield _with(node, op=_SUMS[type(node.op)]())
        case ast.Constant(value=bool()):
            yield ast.copy_location(ast.Constant(not node.value), node)
        case ast.Constant(value=int() as number):
            yield ast.copy_location(ast.Constant(number + 1), node)
        case ast.Name(id=name) if name in _EXTREMES:
            yield _with(node, id=_EXTREMES[name])
        case ast.IfExp():
            yield _with(node, body=node.orelse, orelse=node.body)
        case ast.If() | ast.While():
            yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
        case ast.Call(func=ast.Attribute(attr="replace"), keywords=keywords) if keywords:
            for dropped in keywords:
                yield _with(node, keywords=[kept for kept in keywords if kept is not dropped])
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Continue() | ast.Break():
            yield ast.copy_location(ast.Pass(), node)


def _compares(node: ast.Compare) -> Iterator[ast.AST]:
    for place, operator in enumerate(node.ops):
        for other in _COMPARES.get(type(operator), ()):
            yield _with(node, ops=[*node.ops[:place], other(), *node.ops[place + 1 :]])


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _find(code: CodeType, name: str) -> CodeType | None:
    """Return the code of a function inside that of its module."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_qualname == name:
                return constant
            if name.startswith(constant.co_qualname + "."):
                return _find(constant, name)
    return None
