"""Gates on what a trade and the account may lose: rows 34 to 42 of operations.md 1.3."""

from __future__ import annotations

from decimal import Decimal

from evenkeel.model.reason import Reason
from evenkeel.model.time import SECOND
from evenkeel.risk.gates import codes
from evenkeel.risk.gates.case import Case
from evenkeel.risk.gates.check import Check, bars, not_applicable, passed, refused, unknown, warned, within
from evenkeel.risk.gates.facts.strategy import Health
from evenkeel.risk.gates.size import least


def stop(case: Case) -> Check:
    """Row 34: the entry carries a protective stop, neither too near nor too far."""
    distance = case.request.stop_distance
    if distance is None:
        return _waived(case)
    if case.against is None:
        return unknown(34, codes.STOP_DISTANCE)
    for reason in (codes.STOP_TOO_CLOSE, codes.STOP_BEYOND_ZERO):
        if case.against.names(reason):
            return refused(34, reason, distance)
    trade = case.limits.trade
    if trade.stop_fraction is not None:
        found = within(
            34, codes.STOP_DISTANCE, None if case.price is None else distance / case.price, trade.stop_fraction
        )
        if bars(found):
            return found
    return _stop_ticks(case, distance)


def _waived(case: Case) -> Check:
    """Return whether an entry without a stop may go: a broker sees none unless a person waived it (ruling 52)."""
    until, now = case.facts.strategy.waiver_ns, case.facts.now_ns
    if not case.limits.trade.stop_required or not case.at_broker:
        return not_applicable(34)
    if until is None:
        return unknown(34, codes.STOP_REQUIRED)
    return warned(34, codes.STOP_REQUIRED, until - now) if now < until else refused(34, codes.STOP_REQUIRED)


def _stop_ticks(case: Case, distance: Decimal) -> Check:
    trade, definition, equity = case.limits.trade, case.facts.market.instrument, case.facts.account.equity
    if definition is None or (trade.tiers and equity is None):
        return unknown(34, codes.STOP_DISTANCE)
    ticks, most = distance / definition.tick_size, trade.stop_ticks
    for tier in trade.tiers:
        if tier.below is None or (equity is not None and equity < tier.below):
            most = tier.stop_ticks if most is None else min(most, tier.stop_ticks)
    if trade.least_stop_ticks is not None and ticks < trade.least_stop_ticks:
        return refused(34, codes.STOP_DISTANCE, ticks, trade.least_stop_ticks)
    return passed(34, ticks) if most is None else within(34, codes.STOP_DISTANCE, ticks, most)


def trade_loss(case: Case) -> Check:
    """Row 35: the worst case of the trade is small enough."""
    trade, equity = case.limits.trade, case.facts.account.equity
    fraction = trade.loss_fraction is not None or trade.least_equity is not None or bool(trade.tiers)
    if trade.loss is None and not fraction:
        return not_applicable(35)
    if fraction and equity is None:
        return unknown(35, codes.TRADE_RISK)
    if trade.least_equity is not None and equity is not None and equity < trade.least_equity:
        return refused(35, codes.TRADE_RISK, equity, trade.least_equity)
    loss = case.worst
    if not trade.loss_with_costs:
        loss = None if case.stop_loss is None else case.stop_loss * abs(case.quantity)
    found = within(35, codes.TRADE_RISK, loss, case.caps.loss)
    if case.size is not None and case.size.cut_by("loss") and not bars(found):
        return warned(35, codes.SIZE_CLAMPED, found.value, found.limit)
    return found


def friction(case: Case) -> Check:
    """Row 36: costs are a small enough part of the move that the trade expects."""
    trade, request, definition = case.limits.trade, case.request, case.facts.market.instrument
    costs = case.facts.market.costs
    if trade.friction is None:
        return not_applicable(36)
    move = request.expected_move if request.target_distance is None else request.target_distance
    if move is None or definition is None or costs is None or case.fees is None:
        return unknown(36, codes.FRICTION, trade.friction)
    if trade.friction_cost is None:
        cost = case.fees + 2 * costs.slippage * definition.multiplier
    else:
        cost = (trade.friction_cost + min(costs.extra, trade.friction_extra)) * case.facts.strategy.cost_factor
    return within(36, codes.FRICTION, cost / (move * definition.multiplier), trade.friction)


def daily_loss(case: Case) -> Check:
    """Row 37: the session's loss with this order's worst case stays above its limit."""
    losses, account = case.limits.losses, case.facts.account
    return _loss(case, 37, codes.DAILY_LOSS, account.realised_day, losses.daily, losses.daily_fraction)


def longer_loss(case: Case) -> Check:
    """Row 38: so do those of the week and the month."""
    losses, account = case.limits.losses, case.facts.account
    week = _loss(case, 38, codes.WEEKLY_LOSS, account.realised_week, losses.weekly, losses.weekly_fraction)
    if bars(week):
        return week
    month = _loss(case, 38, codes.MONTHLY_LOSS, account.realised_month, losses.monthly, losses.monthly_fraction)
    no_month = losses.monthly is None and losses.monthly_fraction is None
    return week if no_month else month


def _loss(
    case: Case, gate: int, reason: Reason, realised: Decimal | None, money: Decimal | None, fraction: Decimal | None
) -> Check:
    account = case.facts.account
    if money is None and fraction is None:
        return not_applicable(gate)
    if fraction is not None and account.session_equity is None:
        return unknown(gate, reason)
    by_equity = None if fraction is None or account.session_equity is None else fraction * account.session_equity
    limit = least(money, by_equity) or Decimal(0)
    if realised is None or account.open_profit is None or case.worst is None:
        return unknown(gate, reason, -limit)
    after = realised + account.open_profit - case.worst
    return passed(gate, after, -limit) if after > -limit else refused(gate, reason, after, -limit)


def streak(case: Case) -> Check:
    """Row 39: not too many trades in a row have lost, for the account and for the strategy."""
    losses, account, strategy = case.limits.losses, case.facts.account, case.facts.strategy
    if losses.account_streak is None and losses.strategy_streak is None:
        return not_applicable(39)
    reason = codes.CONSECUTIVE_LOSSES
    if strategy.streak_scale is None:
        return unknown(39, reason)
    if losses.account_streak is not None:
        if account.streak is None:
            return unknown(39, reason, losses.account_streak)
        if account.streak >= losses.account_streak and not _rested(case):
            return refused(39, reason, account.streak, losses.account_streak)
    if losses.strategy_streak is None:
        return passed(39, account.streak, losses.account_streak)
    if strategy.streak is None:
        return unknown(39, reason, losses.strategy_streak)
    if strategy.streak >= losses.strategy_streak:
        return refused(39, reason, strategy.streak, losses.strategy_streak)
    return passed(39, strategy.streak, losses.strategy_streak)


def _rested(case: Case) -> bool:
    """Whether the pause after the last loss is over; without one it lasts to the next session."""
    rest, loss_ns = case.limits.losses.account_rest_s, case.facts.account.loss_ns
    return rest is not None and loss_ns is not None and case.facts.now_ns - loss_ns >= rest * SECOND


def drawdown(case: Case) -> Check:
    """Row 40: the account has not fallen too far from its peaks."""
    losses, account = case.limits.losses, case.facts.account
    intraday, whole = losses.intraday_drawdown, losses.drawdown
    if intraday is None and whole is None and losses.soft_drawdown is None and losses.medium_drawdown is None:
        return not_applicable(40)
    equity, fall = account.equity, None
    if account.scale is None or equity is None:
        return unknown(40, codes.DRAWDOWN)
    if account.scale <= 0:
        return refused(40, codes.DRAWDOWN, account.scale, 0)
    if intraday is not None:
        fall = _fall(account.session_peak, equity)
        if fall is None or fall >= intraday:
            return (
                unknown(40, codes.DRAWDOWN, intraday) if fall is None else refused(40, codes.DRAWDOWN, fall, intraday)
            )
    if whole is not None:
        fall = _fall(account.peak, equity)
        if fall is None or fall >= whole:
            return _fallen(fall, whole)
    return passed(40, fall, intraday if whole is None else whole)


def _fallen(fall: Decimal | None, limit: Decimal) -> Check:
    return unknown(40, codes.DRAWDOWN, limit) if fall is None else refused(40, codes.DRAWDOWN, fall, limit)


def _fall(peak: Decimal | None, equity: Decimal) -> Decimal | None:
    return None if peak is None or peak <= 0 else (peak - equity) / peak


def health(case: Case) -> Check:
    """Row 41: the strategy may trade, and is not in quarantine."""
    strategy = case.facts.strategy
    if not case.limits.losses.health:
        return not_applicable(41)
    if strategy.allowed is False:
        return refused(41, codes.STRATEGY_NOT_ALLOWED)
    if strategy.health is Health.QUARANTINED:
        return refused(41, codes.STRATEGY_QUARANTINED)
    if strategy.allowed is None:
        return unknown(41, codes.STRATEGY_NOT_ALLOWED)
    if strategy.health is None or strategy.scale is None:
        return unknown(41, codes.STRATEGY_QUARANTINED)
    return passed(41)


def statistics(case: Case) -> Check:
    """Row 42: what history says of a bad day is small enough: one-day figures against one-day limits, in money."""
    losses, account = case.limits.losses, case.facts.account
    measured = (losses.value_at_risk, losses.expected_shortfall, losses.volatility, losses.instrument_drawdown)
    if measured == _NONE and losses.portfolio_risk is None:
        return not_applicable(42)
    equity = account.equity
    if equity is None or equity <= 0 or case.facts.strategy.volatility_scale is None:
        return unknown(42, codes.INSUFFICIENT_HISTORY)
    if measured != _NONE:
        found = _measured(case, equity)
        if found is not None:
            return found
    if losses.portfolio_risk is None:
        return passed(42)
    if account.open_risk is None or case.worst is None:
        return unknown(42, codes.PORTFOLIO_RISK, losses.portfolio_risk)
    return within(42, codes.PORTFOLIO_RISK, (account.open_risk + case.worst) / equity, losses.portfolio_risk)


_NONE = (None, None, None, None)


def _measured(case: Case, equity: Decimal) -> Check | None:
    """Return which figure of the instrument is too large, or not known; None where all are small enough."""
    losses, found, after = case.limits.losses, case.facts.market.statistics, case.symbol_after
    if found is None or after is None:
        return unknown(42, codes.INSUFFICIENT_HISTORY)
    part = after / equity
    if losses.value_at_risk is not None and part * found.value_at_risk > losses.value_at_risk:
        return refused(42, codes.VAR, part * found.value_at_risk, losses.value_at_risk)
    if losses.expected_shortfall is not None and part * found.expected_shortfall > losses.expected_shortfall:
        return refused(42, codes.ES, part * found.expected_shortfall, losses.expected_shortfall)
    if losses.volatility is not None and found.volatility > losses.volatility:
        return refused(42, codes.VOLATILITY, found.volatility, losses.volatility)
    if losses.instrument_drawdown is not None and found.drawdown > losses.instrument_drawdown:
        return refused(42, codes.VOLATILITY, found.drawdown, losses.instrument_drawdown)
    return None
