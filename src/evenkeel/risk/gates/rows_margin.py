"""Gates on leverage, margin, buying power and funding: rows 43 to 46 of operations.md 1.3."""

from __future__ import annotations

from decimal import Decimal

from evenkeel.model.instrument import InstrumentKind
from evenkeel.risk.gates import codes
from evenkeel.risk.gates.case import Case
from evenkeel.risk.gates.check import Check, bars, not_applicable, passed, refused, unknown, warned, within
from evenkeel.risk.gates.size import least
from evenkeel.risk.limits.money import Margin

_DAY_MINUTES = 1440
BPS = 10_000


def leverage(case: Case) -> Check:
    """Row 43: all positions over equity are small enough, and the venue's setting fits position and profile."""
    limits, market, equity = case.limits.margin, case.facts.market, case.facts.account.equity
    if limits.leverage is None and limits.hard_leverage is None:
        return not_applicable(43)
    if limits.leverage is not None:
        known = equity is not None and equity > 0 and case.gross_after is not None
        total = case.gross_after / equity if known else None  # type: ignore[operator]
        found = within(43, codes.LEVERAGE, total, limits.leverage)
        if bars(found):
            return found
    else:
        found = passed(43)
    definition = market.instrument
    if definition is None:
        return unknown(43, codes.LEVERAGE)
    if definition.kind is not InstrumentKind.PERPETUAL:
        return found
    most = least(limits.hard_leverage, _tier_leverage(case))
    return within(43, codes.LEVERAGE, market.leverage, most) if most is not None else found


def _tier_leverage(case: Case) -> Decimal | None:
    """Return the largest leverage that the venue allows for a position of that size; None is no limit known."""
    definition, after = case.facts.market.instrument, case.symbol_after
    if definition is None or after is None:
        return None
    for tier in definition.risk_tiers:
        if tier.max_notional is None or after <= tier.max_notional:
            return tier.max_leverage
    return definition.risk_tiers[-1].max_leverage if definition.risk_tiers else None


def margin(case: Case) -> Check:
    """Row 44: margin is free, nothing is being liquidated, and the position's own liquidation is far away."""
    limits, market = case.limits.margin, case.facts.market
    if market.reduce_only:
        return refused(44, codes.REDUCE_ONLY_SYMBOL)
    if case.against is None:
        return unknown(44, codes.MARGIN)
    for reason in (codes.INSUFFICIENT_MARGIN, codes.LIQUIDATION_TOO_CLOSE, codes.SL_BEYOND_LIQUIDATION):
        if case.against.names(reason):
            return refused(44, reason)
    if limits.liquidation_distance is not None:
        far = None if case.price is None else case.against.liquidation / float(case.price)
        if far is None or far < float(limits.liquidation_distance):
            return refused(44, codes.LIQUIDATION_TOO_CLOSE, None, limits.liquidation_distance)
    return _account_margin(case)


def _account_margin(case: Case) -> Check:
    limits, state = case.limits.margin, case.facts.account.margin
    if not _reads_margin(limits):
        return passed(44)
    if state is None or case.facts.market.reduce_only is None:
        return unknown(44, codes.MARGIN)
    if state.liquidating:
        return refused(44, codes.LIQUIDATING)
    for value, limit in (
        (state.initial_rate, limits.initial_rate), (state.maintenance_rate, limits.maintenance_rate),
        (state.asset_share, limits.single_asset),
    ):  # fmt: skip
        if limit is not None and value > limit:
            return refused(44, codes.MARGIN, value, limit)
    if limits.least_available is not None and state.available < limits.least_available:
        return refused(44, codes.MARGIN, state.available, limits.least_available)
    if limits.order_buffer is None:
        return passed(44, state.available, limits.least_available)
    needed = _order_margin(case)
    return within(44, codes.MARGIN, None if needed is None else needed * limits.order_buffer, state.available)


def _reads_margin(limits: Margin) -> bool:
    names = ("initial_rate", "maintenance_rate", "least_available", "order_buffer", "single_asset")
    return any(getattr(limits, name) is not None for name in names)


def _order_margin(case: Case) -> Decimal | None:
    """Return the margin that the order ties up; None is not known."""
    definition, set_to = case.facts.market.instrument, case.facts.market.leverage
    if definition is None or case.notional is None:
        return None
    if definition.contract_margin is not None:
        return definition.contract_margin.initial * abs(case.quantity)
    if definition.kind is not InstrumentKind.PERPETUAL:
        return case.notional
    return None if set_to is None or set_to <= 0 else case.notional / set_to


def buying_power(case: Case) -> Check:
    """Row 45: the order can be paid for, from settled money where that is asked, and counts no day trade too many."""
    limits, account, request = case.limits.margin, case.facts.account, case.request
    if case.against is None or account.day_trades is None:
        return unknown(45, codes.PDT_LIMIT)
    if case.against.names(codes.PDT_LIMIT):
        return refused(45, codes.PDT_LIMIT, account.day_trades)
    found = not_applicable(45)
    cost = _cost(case)
    if limits.buying_power is not None:
        usable = None if account.buying_power is None else account.buying_power * limits.buying_power
        found = unknown(45, codes.BUYING_POWER) if usable is None else within(45, codes.BUYING_POWER, cost, usable)
    if limits.settled_cash and request.quantity > 0 and not bars(found):
        settled = account.settled_cash
        found = unknown(45, codes.BUYING_POWER) if settled is None else within(45, codes.BUYING_POWER, cost, settled)
    if case.facts.market.wash_sale and request.quantity > 0 and not bars(found):
        return warned(45, codes.WASH_SALE, found.value, found.limit)
    return found


def _cost(case: Case) -> Decimal | None:
    """Return what the order takes at most: its notional, the fees of one side, and the collar of a market order."""
    costs = case.facts.market.costs
    if case.notional is None or costs is None:
        return None
    collar = (case.limits.prices.market_collar_bps or Decimal(0)) / BPS if case.request.price is None else Decimal(0)
    return case.notional * (1 + costs.rate + collar) + costs.per_unit * abs(case.quantity)


def funding(case: Case) -> Check:
    """Row 46: the funding of a day is small enough; where it is not known, a person is told."""
    limit, market = case.limits.margin.funding_per_day, case.facts.market
    definition = market.instrument
    if limit is None or (definition is not None and definition.kind is not InstrumentKind.PERPETUAL):
        return not_applicable(46)
    if definition is None or market.funding_rate is None or market.leverage is None:
        return warned(46, codes.FUNDING_COST, None, limit)
    a_day = Decimal(_DAY_MINUTES) / definition.funding_interval_minutes
    return within(46, codes.FUNDING_COST, abs(market.funding_rate) * a_day * market.leverage, limit)
