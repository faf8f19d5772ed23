"""Constraints on sets of parameters, `--where "fast < slow"`: read by a grammar of their own, never run as code.

    holds = read_constraint("slow >= 2 * fast and mode == 'both'", names=("fast", "slow", "mode"))
    holds({"fast": 10, "slow": 50, "mode": "both"})

There are names of swept parameters (dotted paths too), numbers, words in quotes, true and false; + - * / and signs;
< <= > >= == != (also chained); and, or, not; and brackets.
"""

from __future__ import annotations

import ast
import difflib
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from evenkeel.engine.sweep.space import Holds, Value
from evenkeel.model.errors import UsageError

LENGTH_MAX = 500
"""Longest constraint, in characters."""

_Read: TypeAlias = "Callable[[Mapping[str, Value]], Any]"

_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip
_TRUTHS = {"true": True, "false": False}
_GRAMMAR = "there are names of --set, numbers, 'words', + - * /, < <= > >= == !=, and, or, not, and brackets"


def read_constraints(texts: Sequence[str], names: Sequence[str]) -> Holds:
    """Return whether a set meets all of some constraints.

    Raises:
        UsageError: If one of them cannot be read.
    """
    found = [read_constraint(text, names) for text in texts]
    return lambda values: all(holds(values) for holds in found)


def read_constraint(text: str, names: Sequence[str]) -> Holds:
    """Return whether a set meets a constraint.

    Args:
        text: As written.
        names: Those that it may use.

    Raises:
        UsageError: If it cannot be read; at the first set, if it compares what cannot be compared.
    """
    option = f'--where "{text}"'
    if len(text) > LENGTH_MAX:
        raise UsageError(f"--where has {len(text):,} characters; the limit is {LENGTH_MAX}")
    try:
        parsed = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UsageError(f"{option} cannot be read; {_GRAMMAR}") from None
    if not isinstance(parsed, ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Name | ast.Attribute):
        raise UsageError(f"{option} compares nothing; write it like fast < slow")
    read = _Reader(option, names).read(parsed)

    def holds(values: Mapping[str, Value]) -> bool:
        try:
            answer = read(values)
        except TypeError:
            raise UsageError(f"{option} compares or computes numbers with words ({_written(values)})") from None
        except (ZeroDivisionError, OverflowError):
            raise UsageError(f"{option} divides by zero or overflows ({_written(values)})") from None
        if not isinstance(answer, bool):
            raise UsageError(f"{option} is neither true nor false but {answer}; write it like fast < slow")
        return answer

    return holds


def _written(values: Mapping[str, Value]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())


class _Reader:
    """Turns a parsed constraint into nested functions, refusing everything that is not in the grammar."""

    def __init__(self, option: str, names: Sequence[str]) -> None:
        self._option, self._names = option, names

    def read(self, node: ast.expr) -> _Read:
        """Return the function of a node."""
        match node:
            case ast.BoolOp(op, parts):
                return self._logic(isinstance(op, ast.And), [self.read(part) for part in parts])
            case ast.UnaryOp(ast.Not(), inside):
                return self._negation(self.read(inside))
            case ast.UnaryOp(ast.USub(), inside):
                value = self.read(inside)
                return lambda values: -value(values)
            case ast.Compare(left, comparisons, rights) if all(type(one) in _COMPARISONS for one in comparisons):
                return self._comparison([self.read(one) for one in (left, *rights)], comparisons)
            case ast.BinOp(left, op, right) if type(op) in _ARITHMETIC:
                return self._arithmetic(_ARITHMETIC[type(op)], self.read(left), self.read(right))
            case ast.Constant(constant) if isinstance(constant, int | float | str):
                return lambda _: constant
            case ast.Name() | ast.Attribute():
                return self._name(node)
            case _:
                raise UsageError(f"{self._option} has something that it may not ('{ast.unparse(node)}'); {_GRAMMAR}")

    def _name(self, node: ast.Name | ast.Attribute) -> _Read:
        name = ast.unparse(node)
        if name in _TRUTHS:
            return lambda _: _TRUTHS[name]
        if name not in self._names:
            near = difflib.get_close_matches(name, self._names, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(self._names)}"
            raise UsageError(f"{self._option}: '{name}' is not given by --set; {hint}")
        return lambda values: values[name]

    @staticmethod
    def _logic(every: bool, parts: Sequence[_Read]) -> _Read:
        def decide(values: Mapping[str, Value]) -> bool:
            answers = (_truth(part(values)) for part in parts)
            return all(answers) if every else any(answers)

        return decide

    @staticmethod
    def _negation(inside: _Read) -> _Read:
        return lambda values: not _truth(inside(values))

    @staticmethod
    def _arithmetic(compute: Callable[[Any, Any], Any], left: _Read, right: _Read) -> _Read:
        return lambda values: compute(_quantity(left(values)), _quantity(right(values)))

    @staticmethod
    def _comparison(sides: Sequence[_Read], comparisons: Sequence[ast.cmpop]) -> _Read:
        def compare(values: Mapping[str, Value]) -> bool:
            found = [side(values) for side in sides]
            pairs = zip(comparisons, found, found[1:], strict=False)
            return all(_COMPARISONS[type(one)](left, right) for one, left, right in pairs)

        return compare


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("a part of a condition is no truth")
    return value


def _quantity(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("a part of a sum is no number")
    return value
