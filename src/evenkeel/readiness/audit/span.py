"""Closed ranges of numbers: what a rounded figure still says about the one before rounding."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Span:
    """All numbers from `low` to `high`, both included."""

    low: Decimal
    high: Decimal

    @classmethod
    def point(cls, value: Decimal) -> Span:
        """Return the span of one number."""
        return cls(value, value)

    def __mul__(self, factor: Decimal) -> Span:
        return Span(self.low * factor, self.high * factor)

    def __add__(self, shift: Decimal) -> Span:
        return Span(self.low + shift, self.high + shift)

    def meets(self, other: Span) -> bool:
        """Whether the two have a number in common."""
        return self.low <= other.high and other.low <= self.high

    def within(self, other: Span) -> Span:
        """Return the common part; both must meet."""
        return Span(max(self.low, other.low), min(self.high, other.high))

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.low:.8f}"
        return f"{self.low:.8f} to {self.high:.8f}"


EVERYTHING = Span(Decimal(0), Decimal("Infinity"))
"""Of distances: any."""
