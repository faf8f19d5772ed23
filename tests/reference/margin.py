"""Isolated margin, liquidation and bankruptcy: plays.md 6.7, one function per row of its table.

`quantity` has no sign here, `side` is +1 or -1, `extra` is margin added less funding taken from the margin.
"""

from __future__ import annotations

from decimal import Decimal

from reference.terms import ZERO, Rules, Tier

INFINITE = Decimal("Infinity")

BEFORE_LIQUIDATION = Decimal("0.999")
"""A stop must lie within this share of the way to the liquidation price."""


def tier_of(rules: Rules, size: Decimal) -> Tier:
    """Return the row that a notional at the entry price falls into; without a table the account's own numbers."""
    for tier in rules.tiers:
        if size <= tier.notional:
            return tier
    return Tier(INFINITE, rules.maintenance, rules.deduction, INFINITE) if not rules.tiers else rules.tiers[-1]


def notional(rules: Rules, quantity: Decimal, price: Decimal) -> Decimal:
    return quantity * rules.multiplier * price


def margin(rules: Rules, quantity: Decimal, entry: Decimal, extra: Decimal = ZERO) -> Decimal:
    return notional(rules, quantity, entry) / rules.leverage + extra


def required(rules: Rules, size: Decimal) -> Decimal:
    """What must be free for an entry of this notional."""
    fees = size * rules.taker * (2 if rules.include_close_fee else 1)
    return size / rules.leverage + fees


def unrealised(rules: Rules, side: int, quantity: Decimal, entry: Decimal, mark: Decimal) -> Decimal:
    return side * quantity * rules.multiplier * (mark - entry)


def maintenance(rules: Rules, quantity: Decimal, entry: Decimal, mark: Decimal) -> Decimal:
    tier = tier_of(rules, notional(rules, quantity, entry))
    return max(ZERO, notional(rules, quantity, mark) * (tier.maintenance + rules.taker) - tier.deduction)


def liquidation_price(
    rules: Rules, side: int, quantity: Decimal, entry: Decimal, extra: Decimal = ZERO
) -> Decimal | None:
    """Return the price at which margin and loss leave no more than the maintenance margin; None where there is none."""
    if not rules.perpetual:
        return None
    units, tier = quantity * rules.multiplier, tier_of(rules, notional(rules, quantity, entry))
    worth, share, kept = units * entry, 1 / rules.leverage, tier.maintenance + rules.taker
    if side > 0:
        level = (worth * (1 - share) - tier.deduction - extra) / (units * (1 - kept))
        return level if level > 0 else None
    return (worth * (1 + share) + tier.deduction + extra) / (units * (1 + kept))


def bankruptcy_price(rules: Rules, side: int, quantity: Decimal, entry: Decimal, extra: Decimal = ZERO) -> Decimal:
    """Return the price at which loss and fee of the liquidation take the margin whole."""
    units, share, fee = quantity * rules.multiplier, 1 / rules.leverage, rules.liquidation_rate
    if side > 0:
        return (entry * (1 - share) - extra / units) / (1 - fee)
    return (entry * (1 + share) + extra / units) / (1 + fee)
