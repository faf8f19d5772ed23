"""What a comparison allows: ranges of numbers, sets of words, and how two operands may lie to each other.

From these follow what `lint` says of conditions that can never or always hold, and what `difference` says of an edit:
a condition whose range lies within another's holds at most as often.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import msgspec

from evenkeel.strategies.play.expression import Compare, Literal, Operand

Value: TypeAlias = "float | str | bool"


class Range(msgspec.Struct, frozen=True):
    """The numbers between two ends.

    Attributes:
        low: Lower end.
        high: Upper end.
        low_open: Whether the lower end itself is left out.
        high_open: Whether the upper end itself is left out.
    """

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is no number in it."""
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    def common(self, other: Range) -> Range:
        """Return the numbers in both."""
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, high_closed = min((self.high, not self.high_open), (other.high, not other.high_open))
        return Range(low, high, low_open, not high_closed)

    def lies_in(self, other: Range) -> bool:
        """Whether every number of it is in the other."""
        return self.is_empty or self.common(other) == self

    def whole_numbers(self) -> Range:
        """Return the range between the first and the last whole number in it."""
        low = math.floor(self.low) + 1 if self.low_open and math.isfinite(self.low) else self.low
        high = math.ceil(self.high) - 1 if self.high_open and math.isfinite(self.high) else self.high
        low = math.ceil(low) if math.isfinite(low) else low
        high = math.floor(high) if math.isfinite(high) else high
        return Range(low, high)

    def words(self) -> str:
        """Return the range in words: `between 0 and 100`, `at least 0`."""
        if math.isinf(self.high):
            return f"at least {self.low:g}"
        return f"at most {self.high:g}" if math.isinf(self.low) else f"between {self.low:g} and {self.high:g}"


ANY = Range()

_BELOW, _SAME, _ABOVE = -1, 0, 1
SIGNS: dict[str, frozenset[int]] = {
    ">": frozenset({_ABOVE}), ">=": frozenset({_ABOVE, _SAME}), "<": frozenset({_BELOW}),
    "<=": frozenset({_BELOW, _SAME}), "==": frozenset({_SAME}), "!=": frozenset({_BELOW, _ABOVE}),
}  # fmt: skip
"""Operator to how the left operand may lie to the right one."""

IMPLIED_SIGNS = {**SIGNS, "cross_above": SIGNS[">"], "cross_below": SIGNS["<"]}
"""The same for operators that ask for more besides."""

OPPOSITE = {">": "<=", "<=": ">", "<": ">=", ">=": "<", "==": "!=", "!=": "=="}
"""Operator to the one that holds where it does not; where a side is missing neither holds."""

SWAPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "cross_above": "cross_below", "cross_below": "cross_above"}
"""Operator to the one that means the same with its sides exchanged."""


def half_line(op: str, value: float) -> Range | None:
    """Return the numbers for which a comparison with a constant holds, None where they are no range."""
    match op:
        case ">":
            return Range(low=value, low_open=True)
        case ">=":
            return Range(low=value)
        case "<":
            return Range(high=value, high_open=True)
        case "<=":
            return Range(high=value)
        case "==":
            return Range(value, value)
    return None


def number_of(operand: Operand | None) -> float | None:
    """Return the number that an operand is, None for anything but a numeric constant."""
    if not isinstance(operand, Literal) or isinstance(operand.value, str | bool):
        return None
    return float(operand.value)


def range_of(compare: Compare) -> Range | None:
    """Return exactly the numbers for which a comparison with constants holds, None where they are no range."""
    value = number_of(compare.right)
    if compare.op == "between":
        low, high = number_of(compare.low), number_of(compare.high)
        return None if low is None or high is None else Range(low, high)
    return None if value is None else half_line(compare.op, value)


def implied_range(compare: Compare) -> Range | None:
    """Return a range outside of which a comparison with constants never holds, None where nothing is known."""
    value = number_of(compare.right)
    if value is not None and compare.op in ("cross_above", "cross_below"):
        return half_line(">" if compare.op == "cross_above" else "<", value)
    if value is not None and compare.op in ("near_abs", "near_pct"):
        far = (compare.tolerance or 0.0) * (abs(value) if compare.op == "near_pct" else 1.0)
        return Range(value - far, value + far)
    if compare.op == "in" and all(number_of(choice) is not None for choice in compare.choices):
        numbers = [number_of(choice) or 0.0 for choice in compare.choices]
        return Range(min(numbers), max(numbers))
    return range_of(compare)


class Choice(msgspec.Struct, frozen=True):
    """The values of a list, or all values but those."""

    values: frozenset[Value]
    excluded: bool = False

    def common(self, other: Choice) -> Choice:
        """Return the values in both."""
        if self.excluded and other.excluded:
            return Choice(self.values | other.values, excluded=True)
        if self.excluded:
            return Choice(other.values - self.values)
        return Choice(self.values - other.values if other.excluded else self.values & other.values)

    @property
    def is_empty(self) -> bool:
        """Whether there is no value in it."""
        return not self.excluded and not self.values

    def lies_in(self, other: Choice) -> bool:
        """Whether every value of it is in the other."""
        return self.common(other) == self


def choice_of(compare: Compare) -> Choice | None:
    """Return the values for which `==`, `!=` or `in` with constants holds; None for any other comparison."""
    if compare.op == "in":
        return Choice(frozenset(choice.value for choice in compare.choices))
    if compare.op in ("==", "!=") and isinstance(compare.right, Literal):
        return Choice(frozenset({compare.right.value}), excluded=compare.op == "!=")
    return None
