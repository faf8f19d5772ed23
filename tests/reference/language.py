"""The condition language, slowly: one sample at a time, `None` for what is unknown, straight from plays.md 2.

It imports nothing of the engine. A condition is a nested tuple:

    ("all", [("cmp", ">", ("ref", "close", 0), ("num", 100.0)), ("not", ...)])

`yaml_of` writes the same condition as a play does.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, TypeAlias

Number: TypeAlias = "float | None"
Truth: TypeAlias = "bool | None"
Condition: TypeAlias = "tuple[Any, ...]"


def both(a: Truth, b: Truth) -> Truth:
    """Kleene AND."""
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def either(a: Truth, b: Truth) -> Truth:
    """Kleene OR."""
    if a is True or b is True:
        return True
    return None if a is None or b is None else False


def negation(a: Truth) -> Truth:
    """Kleene NOT."""
    return None if a is None else not a


def known(*values: Number) -> bool:
    return all(value is not None for value in values)


def compare(op: str, a: Number, b: Number) -> Truth:
    """Ordinary order and equality; unknown with a side missing."""
    if a is None or b is None:
        return None
    return {">": a > b, "<": a < b, ">=": a >= b, "<=": a <= b, "==": a == b, "!=": a != b}[op]


def cross_above(now: tuple[Number, Number], before: tuple[Number, Number]) -> Truth:
    """`a[1] <= b[1] and a > b`."""
    return both(compare("<=", *before), compare(">", *now))


def between(a: Number, low: Number, high: Number) -> Truth:
    """Both ends inclusive."""
    return both(compare("<=", low, a), compare("<=", a, high))


def near_abs(a: Number, b: Number, tolerance: float) -> Truth:
    return None if a is None or b is None else abs(a - b) <= tolerance


def near_pct(a: Number, b: Number, fraction: float) -> Truth:
    if a is None or b is None:
        return None
    return False if b == 0 else abs(a - b) / abs(b) <= fraction


def arithmetic(op: str, a: Number, b: Number) -> Number:
    """Division by zero, an overflow or a missing operand gives missing; modulo follows floored division."""
    if a is None or b is None:
        return None
    if op in ("/", "%") and b == 0:
        return None
    result = (
        {"+": a + b, "-": a - b, "*": a * b}[op] if op in "+-*" else (a / b if op == "/" else a - b * math.floor(a / b))
    )
    return result if math.isfinite(result) else None


def count_true(samples: Sequence[Truth], needed: int) -> Truth:
    """TRUE with enough true samples, FALSE when even all unknown ones would not do."""
    true = sum(sample is True for sample in samples)
    possible = sum(sample is not False for sample in samples)
    return True if true >= needed else (False if possible < needed else None)


class Series:
    """Values on bars of some timeframe, with the instants at which those bars closed."""

    def __init__(self, closes: Sequence[int], values: Sequence[float]) -> None:
        self.closes = list(closes)
        self.values = [None if math.isnan(value) else value for value in values]

    def at(self, instant: int, ago: int) -> Number:
        """Return the value of the last bar closed by then, or `ago` bars before it."""
        index = bisect_right(self.closes, instant) - 1 - ago
        return self.values[index] if index >= 0 else None


class Language:
    """Conditions over named series, sampled at the closes of execution bars."""

    def __init__(self, instants: Sequence[int], series: dict[str, Series]) -> None:
        self.instants = list(instants)
        self.series = series

    def operand(self, operand: Any, bar: int) -> Number:
        if bar < 0:
            return None
        match operand:
            case ("num", value):
                return float(value)
            case ("ref", name, ago):
                return self.series[name].at(self.instants[bar], ago)
            case ("arith", op, left, right):
                return arithmetic(op, self.operand(left, bar), self.operand(right, bar))
        raise AssertionError(operand)

    def truth(self, condition: Condition, bar: int) -> Truth:
        """Return a condition at the close of an execution bar; before the first bar everything is unknown."""
        if bar < 0:
            return None
        match condition:
            case ("cmp", ("cross_above" | "cross_below") as op, left, right):
                a, b = (left, right) if op == "cross_above" else (right, left)
                now = self.operand(a, bar), self.operand(b, bar)
                return cross_above(now, (self.operand(a, bar - 1), self.operand(b, bar - 1)))
            case ("cmp", op, left, right):
                return compare(op, self.operand(left, bar), self.operand(right, bar))
            case ("near_abs", left, right, tolerance):
                return near_abs(self.operand(left, bar), self.operand(right, bar), tolerance)
            case ("near_pct", left, right, percent):
                return near_pct(self.operand(left, bar), self.operand(right, bar), percent / 100)
            case ("between", left, low, high):
                return between(*(self.operand(part, bar) for part in (left, low, high)))
            case ("in", left, choices):
                value = self.operand(left, bar)
                return None if value is None else value in choices
            case ("not", child):
                return negation(self.truth(child, bar))
            case ("all" | "any" as kind, children):
                result: Truth = kind == "all"
                for child in children:
                    result = (both if kind == "all" else either)(result, self.truth(child, bar))
                return result
            case ("window", kind, samples, needed, stride, child):
                wanted = {"holds_for": samples, "occurred_within": 1, "count_true": needed}[kind]
                return count_true([self.truth(child, bar - k * stride) for k in range(samples)], wanted)
        raise AssertionError(condition)


def operand_yaml(operand: Any) -> Any:
    match operand:
        case ("num", value):
            return value
        case ("ref", name, 0):
            return name
        case ("ref", name, ago):
            feature, _, field = name.partition(".")
            return {"feature_id": feature, **({"field": field} if field else {}), "offset": ago}
        case ("arith", op, left, right):
            return [operand_yaml(left), op, operand_yaml(right)]
    raise AssertionError(operand)


def yaml_of(condition: Condition, *, stride_names: dict[int, str] | None = None) -> Any:
    """Return the condition as it is written in a play."""
    match condition:
        case ("cmp", op, left, right):
            return [operand_yaml(left), op, operand_yaml(right)]
        case ("near_abs" | "near_pct" as op, left, right, tolerance):
            return [operand_yaml(left), op, operand_yaml(right), tolerance]
        case ("between", left, low, high):
            return {
                "lhs": operand_yaml(left),
                "op": "between",
                "rhs": {"low": operand_yaml(low), "high": operand_yaml(high)},
            }
        case ("in", left, choices):
            return [operand_yaml(left), "in", list(choices)]
        case ("not", child):
            return {"not": yaml_of(child, stride_names=stride_names)}
        case ("all" | "any" as kind, children):
            return {kind: [yaml_of(child, stride_names=stride_names) for child in children]}
        case ("window", kind, samples, needed, stride, child):
            facts: dict[str, Any] = {"bars": samples, "expr": yaml_of(child, stride_names=stride_names)}
            if kind == "count_true":
                facts["min_true"] = needed
            if stride != 1:
                facts["anchor_tf"] = (stride_names or {})[stride]
            return {kind: facts}
    raise AssertionError(condition)
