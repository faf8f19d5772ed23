"""The condition language, slowly: one instant at a time, `None` for what is unknown, straight from plays.md 2.

It imports nothing of the engine. An instant is a number of nanoseconds; every value is what was known at it. A
condition is a nested tuple:

    ("all", [("cmp", ">", ("ref", "close", 0), ("num", 100.0)), ("not", ...)])

`yaml_of` writes the same condition as a play does.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

Number: TypeAlias = "float | None"
Truth: TypeAlias = "bool | None"
Condition: TypeAlias = "tuple[Any, ...]"
Earlier: TypeAlias = "Callable[[int, int], int | None]"

MINUTE = 60_000_000_000
MINUTE_PRICES = ("last_price", "mark_price")
AS_KNOWN = ("funding_rate", "open_interest")


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
    """Values with the instants at which they became known.

    Attributes:
        minutes: Length of the bars whose values they are.
    """

    def __init__(self, closes: Sequence[int], values: Sequence[float], minutes: int = 1) -> None:
        self.closes = list(closes)
        self.values = [None if math.isnan(value) else value for value in values]
        self.minutes = minutes

    def at(self, instant: int, ago: int) -> Number:
        """Return the value of the last bar closed by then, or `ago` bars before it."""
        index = bisect_right(self.closes, instant) - 1 - ago
        return self.values[index] if index >= 0 else None


class FormingBar(Series):
    """The first, highest or lowest price of the bar in progress, from the minutes closed so far.

    Args:
        closes: When each minute closed.
        values: Its price.
        bars: Number of the bar that each minute belongs to, rising; None in a bar whose beginning was not seen.
        take: `open`, `high` or `low`.
        minutes: As of `Series`.
    """

    def __init__(
        self, closes: Sequence[int], values: Sequence[float], bars: Sequence[int | None], take: str, minutes: int
    ) -> None:
        super().__init__(closes, values, minutes)
        self.bars = list(bars)
        self.take = take

    def at(self, instant: int, ago: int) -> Number:
        """Return it for the bar in progress, or for the one `ago` bars before, which is complete."""
        row = bisect_right(self.closes, instant) - 1
        if row < 0 or self.bars[row] is None:
            return None
        wanted = self.bars[row] - ago
        seen = [v for bar, v in zip(self.bars[: row + 1], self.values[: row + 1], strict=True) if bar == wanted]
        return (
            {"open": lambda: seen[0], "high": lambda: max(seen), "low": lambda: min(seen)}[self.take]()
            if seen
            else None
        )


def without_end(instant: int, minutes: int) -> int:
    """Return the instant one bar earlier on a market that never closes."""
    return instant - minutes * MINUTE


class Language:
    """Conditions over named series.

    Args:
        series: By name; a built-in of the execution bar has its minutes.
        minutes: Length of an execution bar.
        setups: Conditions by name.
        earlier: Returns the instant one bar of some minutes earlier.
    """

    def __init__(
        self,
        series: dict[str, Series],
        minutes: int,
        *,
        setups: dict[str, Condition] | None = None,
        earlier: Earlier = without_end,
    ) -> None:
        self.series = series
        self.minutes = minutes
        self.setups = setups or {}
        self.earlier = earlier
        self._seen: dict[tuple[int, int], tuple[Condition, Truth]] = {}

    def back(self, instant: int | None, minutes: int, bars: int) -> int | None:
        """Return the instant so many bars earlier."""
        for _ in range(bars):
            instant = None if instant is None else self.earlier(instant, minutes)
        return instant

    def operand(self, operand: Any, instant: int | None) -> Number:
        if instant is None:
            return None
        match operand:
            case ("num", value):
                return float(value)
            case ("ref", name, ago) if name in AS_KNOWN:
                then = self.back(instant, self.minutes, ago)
                return None if then is None else self.series[name].at(then, 0)
            case ("ref", name, ago):
                return self.series[name].at(instant, ago)
            case ("arith", op, left, right):
                return arithmetic(op, self.operand(left, instant), self.operand(right, instant))
        raise AssertionError(operand)

    def names(self, operand: Any) -> list[str]:
        match operand:
            case ("ref", name, _):
                return [name]
            case ("arith", _, left, right):
                return [*self.names(left), *self.names(right)]
        return []

    def mentions_minutes(self, condition: Condition) -> bool:
        """Whether a price of the minute is read, through setups too."""
        match condition:
            case ("setup", name):
                return self.mentions_minutes(self.setups[name])
            case ("all" | "any", children):
                return any(self.mentions_minutes(child) for child in children)
            case ("not", child):
                return self.mentions_minutes(child)
            case ("window" | "duration", *_, child):
                return self.mentions_minutes(child)
            case (_, *parts):
                return any(name in MINUTE_PRICES for part in parts for name in self.names(part))
        raise AssertionError(condition)

    def truth(self, condition: Condition, instant: int | None) -> Truth:
        """Return a condition at an instant; before the first everything is unknown."""
        if instant is None:
            return None
        key = id(condition), instant
        if key not in self._seen:
            self._seen[key] = condition, self._truth(condition, instant)
        return self._seen[key][1]

    def _truth(self, condition: Condition, instant: int) -> Truth:
        match condition:
            case ("setup", name):
                return self.truth(self.setups[name], instant)
            case ("cmp", ("cross_above" | "cross_below") as op, left, right):
                a, b = (left, right) if op == "cross_above" else (right, left)
                finest = min(self.minutes, *(self.series[n].minutes for n in [*self.names(a), *self.names(b)]))
                before = self.back(instant, finest, 1)
                now = self.operand(a, instant), self.operand(b, instant)
                return cross_above(now, (self.operand(a, before), self.operand(b, before)))
            case ("cmp", op, left, right):
                return compare(op, self.operand(left, instant), self.operand(right, instant))
            case ("near_abs", left, right, tolerance):
                return near_abs(self.operand(left, instant), self.operand(right, instant), tolerance)
            case ("near_pct", left, right, percent):
                return near_pct(self.operand(left, instant), self.operand(right, instant), percent / 100)
            case ("between", left, low, high):
                return between(*(self.operand(part, instant) for part in (left, low, high)))
            case ("in", left, choices):
                value = self.operand(left, instant)
                return None if value is None else value in choices
            case ("not", child):
                return negation(self.truth(child, instant))
            case ("all" | "any" as kind, children):
                result: Truth = kind == "all"
                for child in children:
                    result = (both if kind == "all" else either)(result, self.truth(child, instant))
                return result
            case ("window", kind, samples, needed, anchor, child):
                return self.window(kind, samples, needed, anchor or self.minutes, child, instant)
            case ("duration", kind, minutes, needed, child):
                grid = 1 if self.mentions_minutes(child) else self.minutes
                return self.window(kind, minutes // grid, needed, grid, child, instant)
        raise AssertionError(condition)

    def window(self, kind: str, samples: int, needed: int, minutes: int, child: Condition, instant: int) -> Truth:
        wanted = {"holds_for": samples, "occurred_within": 1, "count_true": needed}[kind]
        truths: list[Truth] = []
        then: int | None = instant
        for _ in range(samples):
            truths.append(self.truth(child, then))
            then = self.back(then, minutes, 1)
        return count_true(truths, wanted)


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


def yaml_of(condition: Condition, names: dict[int, str]) -> Any:
    """Return the condition as it is written in a play.

    Args:
        condition: The condition.
        names: Minutes of a timeframe to how it is written.
    """
    match condition:
        case ("setup", name):
            return {"setup": name}
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
            return {"not": yaml_of(child, names)}
        case ("all" | "any" as kind, children):
            return {kind: [yaml_of(child, names) for child in children]}
        case ("window", kind, samples, needed, anchor, child):
            facts: dict[str, Any] = {"bars": samples, "expr": yaml_of(child, names)}
            facts |= {"min_true": needed} if kind == "count_true" else {}
            return {kind: {**facts, **({"anchor_tf": names[anchor]} if anchor else {})}}
        case ("duration", kind, minutes, needed, child):
            facts = {"duration": f"{minutes}m", "expr": yaml_of(child, names)}
            facts |= {"min_true": needed} if kind == "count_true" else {}
            return {f"{kind}_duration": facts}
    raise AssertionError(condition)
