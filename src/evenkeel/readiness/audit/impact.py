"""How much a fill that takes moves the price against itself: slippage, and the impact of its size (section 6.9).

The participation of a fill is its value over the value traded in its base bar, volume times close. The impact is the
coefficient times it, or times its square root, and never more than the largest.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from evenkeel.readiness.audit.number import ONE, ZERO

MODES = ("disabled", "linear", "sqrt")


@dataclass(frozen=True, slots=True)
class Impact:
    """The model; coefficient and largest are fractions of the price."""

    mode: str
    coefficient: Decimal
    largest: Decimal

    def at(self, participation: Decimal) -> Decimal:
        """Return the impact of a participation as a fraction of the price."""
        if self.mode == MODES[0]:
            return ZERO
        grown = participation if self.mode == "linear" else participation.sqrt()
        return min(self.largest, self.coefficient * grown)

    @property
    def most(self) -> Decimal:
        """What it can be at most."""
        return ZERO if self.mode == MODES[0] else self.largest


@dataclass(frozen=True, slots=True)
class Taking:
    """A fill of some quantity in a bar of some traded value; `slippage` is a fraction of the price."""

    slippage: Decimal
    impact: Impact
    quantity: Decimal
    traded: Decimal

    def price(self, base: Decimal, side: int) -> Decimal:
        """Return the price of a buy (`side` +1) or a sale (-1) that took at `base`."""
        value = self.quantity * base
        participation = value / self.traded if self.traded > 0 else ONE
        return base * (1 + side * (self.slippage + self.impact.at(participation)))

    def base(self, price: Decimal, side: int) -> Decimal:
        """Return what the fill took at, from its price."""
        found = price
        for _ in range(ROUNDS):
            found = price / (self.price(found, side) / found)
        return found


ROUNDS = 20
"""The impact hardly depends on the price: each round adds some four digits."""
