"""The one border between `Decimal` and float64, and grids of prices and quantities.

Outside kernels a price, quantity or amount of money is a `Decimal`; inside it is a float64. The two meet here only:
a float64 becomes the `Decimal` of its shortest round-trip text, so the way there and back changes no bit.

    >>> to_decimal(0.1)
    Decimal('0.1')
    >>> Grid.of(Decimal("0.25")).numerator, Grid.of(Decimal("0.25")).denominator
    (1, 4)
"""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import msgspec

from evenkeel.model.errors import UsageError, require

POSTINGS_PER_UNIT = 100_000_000
"""A posting is an integer count of 1e-8 of the account currency."""

POSTING_COUNT_MAX = 2**62
"""Largest magnitude of a posting count or of their sum; beyond it a run stops rather than wraps around."""


_NO_MONEY = Decimal("0E-8")


def to_float(value: Decimal) -> float:
    """Return the float64 nearest to `value`."""
    return float(value)


def to_decimal(value: float) -> Decimal:
    """Return the `Decimal` with the shortest text that reads back as the same float64.

    Raises:
        UsageError: If `value` is NaN or infinite: missing values never cross this border.
    """
    if not math.isfinite(value):
        raise UsageError(f"a missing or infinite number cannot become a Decimal ({value})")
    return Decimal(repr(float(value)))


def money_from_postings(count: int) -> Decimal:
    """Return the exact amount of money that `count` units of 1e-8 stand for."""
    return Decimal(count).scaleb(-8) if count else _NO_MONEY


def postings_from_money(amount: Decimal) -> int:
    """Return `amount` as a count of 1e-8, rounded half to even."""
    return int(amount.scaleb(8).to_integral_value(ROUND_HALF_EVEN))


def plain(value: Decimal) -> str:
    """Return the shortest plain text of `value`: no exponent, no trailing zeros."""
    if value == 0:
        return "0"
    return format(value.normalize(), "f")


class Grid(msgspec.Struct, frozen=True):
    """A step such as a tick or a lot, as the ratio of two integers.

    A value on the grid is an integer count; `count * numerator / denominator` with that one division is bit for bit
    the float64 of the parsed decimal, which a product with 0.1 is not for a third of all prices.
    """

    numerator: int
    denominator: int

    @classmethod
    def of(cls, step: Decimal) -> Grid:
        """Return the grid of a positive decimal step."""
        require(step > 0, "a grid step must be positive", was=step)
        ratio = Fraction(step)
        return cls(ratio.numerator, ratio.denominator)

    def value(self, count: int) -> Decimal:
        """Return the exact decimal of `count` steps."""
        return Decimal(count) * self.numerator / self.denominator

    def floor(self, value: Decimal) -> int:
        """Return the largest count not above `value`."""
        return self._count(value, ROUND_FLOOR)

    def ceiling(self, value: Decimal) -> int:
        """Return the smallest count not below `value`."""
        return self._count(value, ROUND_CEILING)

    def nearest(self, value: Decimal) -> int:
        """Return the nearest count, half to even."""
        return self._count(value, ROUND_HALF_EVEN)

    def holds(self, value: Decimal) -> bool:
        """Whether `value` lies on the grid."""
        return (value * self.denominator) % self.numerator == 0

    def _count(self, value: Decimal, rounding: str) -> int:
        return int((value * self.denominator / self.numerator).to_integral_value(rounding))
