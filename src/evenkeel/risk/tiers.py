"""Risk tiers: the larger a position, the more margin it must keep and the less leverage it may have.

A tier holds up to a notional; with `N` the notional of a position, its maintenance margin is `N * maintenance -
deduction` by the tier that `N` lies in. Where an instrument has no tiers the account's single rate holds.
Source: plays.md 1.3, 6.7 and 6.8.
"""

from __future__ import annotations

import math
from decimal import Decimal

from evenkeel.kernel import inlined
from evenkeel.model.bar import Floats
from evenkeel.model.instrument import Instrument
from evenkeel.model.number import to_float

WIDTH = 3
"""Numbers of a tier in an array: largest notional, maintenance rate, deduction."""


@inlined
def margin_rates(
    t: Floats, first: int, tiers: int, notional: float, maintenance: float, deduction: float
) -> tuple[float, float]:
    """Return maintenance rate and deduction of a position.

    Args:
        t: Terms with the table of tiers.
        first: Its place there.
        tiers: How many there are.
        notional: Of the position.
        maintenance: The rate where there are no tiers.
        deduction: The deduction where there are no tiers, account currency.
    """
    if tiers == 0:
        return maintenance, deduction
    at = first
    for _ in range(tiers - 1):
        if notional <= t[at]:
            break
        at += WIDTH
    return t[at + 1], t[at + 2]


def tier_table(instrument: Instrument) -> list[float]:
    """Return the tiers of an instrument as `margin_rates` reads them."""
    return [
        number
        for tier in instrument.risk_tiers
        for number in (
            math.inf if tier.max_notional is None else to_float(tier.max_notional),
            to_float(tier.maintenance), to_float(tier.deduction),
        )
    ]  # fmt: skip


def allowed_leverage(leverage: Decimal, instrument: Instrument) -> Decimal:
    """Return the leverage that a position can have: no tier allows more than the first."""
    return min([leverage, *(tier.max_leverage for tier in instrument.risk_tiers[:1])])


def tier_cap(leverage: Decimal, instrument: Instrument) -> Decimal | None:
    """Return the largest notional whose tier allows that leverage; None is no limit."""
    allowing = [tier.max_notional for tier in instrument.risk_tiers if tier.max_leverage >= leverage]
    return allowing[-1] if allowing else None
