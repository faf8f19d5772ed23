"""Isolated margin in exact decimals: what a position locks up, where it is liquidated, what it can lose.

The formulas are those of the specification of plays, section 6.7. `units` is the quantity times the multiplier.

    terms = MarginTerms(leverage=Decimal(10), maintenance=Decimal("0.005"), taker=Decimal("0.00055"), ...)
    liquidation_price(terms, Stake(1, Decimal(1), Decimal(50000)))  # 45251.14...
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from evenkeel.readiness.audit.models import Tier
from evenkeel.readiness.audit.number import ONE, ZERO

STOP_SHARE = ONE - Decimal("0.001")
"""A stop may lie at this part of the distance to the liquidation at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginTerms:
    """Rates and limits of a margined position; all fractions but leverage and deduction.

    Attributes:
        liquidates: Whether the instrument is one whose positions are liquidated.
        maintenance: Maintenance margin of the notional.
        deduction: Money taken off it.
        taker: Fee that the maintenance margin counts for the close.
        liquidation: Fee of a liquidation.
        include_close_fee: Whether an entry needs the fee of its close too.
        beyond: What becomes of an entry whose stop lies beyond the liquidation: `reject`, `adjust` or `warn`.
        distance_min: Of the price; an entry whose liquidation is nearer is refused. 0 is off.
        goes_on: Whether the run continues after a liquidation.
        tiers: Margin by the size of a position, smallest first, in place of the one rate; empty without.
    """

    liquidates: bool
    leverage: Decimal
    maintenance: Decimal
    deduction: Decimal
    taker: Decimal
    liquidation: Decimal
    include_close_fee: bool
    beyond: str
    distance_min: Decimal
    goes_on: bool
    tiers: tuple[Tier, ...] = ()

    def rates(self, notional: Decimal) -> tuple[Decimal, Decimal]:
        """Return maintenance margin rate and deduction of a position of some notional at its entry price."""
        for tier in self.tiers:
            if tier.largest is None or notional <= tier.largest:
                return tier.maintenance, tier.deduction
        last = self.tiers[-1:]
        return (last[0].maintenance, last[0].deduction) if last else (self.maintenance, self.deduction)

    @property
    def notional_max(self) -> Decimal:
        """The largest notional whose tier allows the leverage of the account."""
        allowed = [tier.largest for tier in self.tiers if tier.leverage >= self.leverage]
        if not self.tiers or None in allowed:
            return Decimal("Infinity")
        return max((largest for largest in allowed if largest is not None), default=ZERO)


@dataclass(frozen=True, slots=True)
class Stake:
    """A position as its margin sees it.

    Attributes:
        extra: Money in its margin beyond that of the entry; negative after funding took from it.
    """

    side: int
    units: Decimal
    entry: Decimal
    extra: Decimal = ZERO


def position_margin(terms: MarginTerms, stake: Stake) -> Decimal:
    """Return the money that the position locks up: all that a liquidation can take."""
    return stake.units * stake.entry / terms.leverage + stake.extra


def maintenance_margin(terms: MarginTerms, stake: Stake, mark: Decimal) -> Decimal:
    """Return the least that margin and open result together must exceed at a mark price."""
    maintenance, deduction = terms.rates(stake.units * stake.entry)
    return max(ZERO, stake.units * mark * (maintenance + terms.taker) - deduction)


def liquidation_price(terms: MarginTerms, stake: Stake) -> Decimal | None:
    """Return the mark price at which the position is liquidated, or None where there is none."""
    locked = stake.units * stake.entry
    maintenance, deduction = terms.rates(locked)
    divisor = stake.units * (ONE - stake.side * (maintenance + terms.taker))
    spare = locked / terms.leverage + deduction + stake.extra
    if divisor <= 0:
        return None
    price = (locked - stake.side * spare) / divisor
    return price if price > 0 else None


def bankruptcy_price(terms: MarginTerms, stake: Stake) -> Decimal:
    """Return the price at which the close with its fee costs exactly the position's margin."""
    per_unit = stake.entry / terms.leverage + stake.extra / stake.units
    return (stake.entry - stake.side * per_unit) / (ONE - stake.side * terms.liquidation)


def required_margin(terms: MarginTerms, notional: Decimal) -> Decimal:
    """Return the free margin that an entry needs: its margin and the fees of its sides."""
    sides = 2 if terms.include_close_fee else 1
    return notional / terms.leverage + sides * notional * terms.taker


def stop_distance_max(terms: MarginTerms, stake: Stake) -> Decimal | None:
    """Return how far from the price a stop may lie at most, or None where nothing is liquidated."""
    price = liquidation_price(terms, stake) if terms.liquidates else None
    return None if price is None else stake.side * (stake.entry - price) * STOP_SHARE
