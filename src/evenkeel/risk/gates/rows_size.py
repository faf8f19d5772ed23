"""Gates on how large, how many and how often: rows 20 to 33 of operations.md 1.3."""

from __future__ import annotations

from decimal import Decimal

from evenkeel.model.reason import Reason
from evenkeel.model.time import SECOND
from evenkeel.risk.gates import codes
from evenkeel.risk.gates.case import Case
from evenkeel.risk.gates.check import Check, bars, not_applicable, passed, refused, unknown, warned, within
from evenkeel.risk.gates.facts.engine import NEVER
from evenkeel.risk.gates.rates import is_runaway, used
from evenkeel.risk.limits.size import Pace


def quantity(case: Case) -> Check:
    """Row 20: order and position have few enough units."""
    limits, units = case.limits.exposure, abs(case.quantity)
    found = within(20, codes.QTY_LIMIT, units, limits.order_quantity)
    if limits.position_quantity is None or bars(found):
        return found
    held = case.facts.market.position
    after = None if held is None else abs(held + case.quantity)
    return within(20, codes.QTY_LIMIT, after, limits.position_quantity)


def notional(case: Case) -> Check:
    """Row 21: the order is worth little enough, for the profile and for the approval of live trading."""
    found = within(21, codes.NOTIONAL_LIMIT, case.notional, case.limits.exposure.order_notional)
    if case.facts.engine.mode != "live" or bars(found):
        return found
    permit = case.facts.account.permit
    if permit is None:
        return unknown(21, codes.NOTIONAL_LIMIT)
    return within(21, codes.NOTIONAL_LIMIT, case.notional, permit)


def position(case: Case) -> Check:
    """Row 22: the position is a small enough part of the equity."""
    limits, account = case.limits.exposure, case.facts.account
    by_equity = limits.max_position_size is not None
    if not by_equity and limits.max_position_notional is None:
        return not_applicable(22)
    if by_equity and (account.equity is None or account.scale is None):
        return unknown(22, codes.POSITION_SIZE_LIMIT)
    return _clamped(case, 22, codes.POSITION_SIZE_LIMIT, "position", case.symbol_after, case.caps.position)


def gross(case: Case) -> Check:
    """Row 23: all positions, entries at work and reservations together are small enough."""
    limits, account = case.limits.exposure, case.facts.account
    if limits.gross is None and limits.gross_notional is None:
        return not_applicable(23)
    if limits.gross is not None and account.equity is None:
        return unknown(23, codes.GROSS_EXPOSURE)
    return _clamped(case, 23, codes.GROSS_EXPOSURE, "gross", case.gross_after, case.caps.gross)


def _clamped(case: Case, gate: int, reason: Reason, step: str, value: Decimal | None, limit: Decimal | None) -> Check:
    """Return whether a sum fits; where its cap made the order smaller, a person should know."""
    found = within(gate, reason, value, limit)
    if bars(found) or case.size is None or not case.size.cut_by(step):
        return found
    return warned(gate, codes.SIZE_CLAMPED, value, limit)


def net(case: Case) -> Check:
    """Row 24: longs less shorts are small enough."""
    limit, equity = case.limits.exposure.net, case.facts.account.equity
    if limit is None:
        return not_applicable(24)
    if equity is None or case.sums is None or case.unit is None:
        return unknown(24, codes.NET_EXPOSURE)
    return within(24, codes.NET_EXPOSURE, abs(case.sums.net + case.quantity * case.unit), limit * equity)


def sector(case: Case) -> Check:
    """Row 25: the sector is small enough; one that is not known may have half."""
    limit, equity = case.limits.exposure.sector, case.facts.account.equity
    if limit is None:
        return not_applicable(25)
    if equity is None or case.sums is None or case.notional is None:
        return unknown(25, codes.SECTOR_EXPOSURE)
    most = limit * equity if case.facts.market.sector is not None else limit * equity / 2
    return within(25, codes.SECTOR_EXPOSURE, case.sums.sector + case.notional, most)


def correlation(case: Case) -> Check:
    """Row 26: what moves alike is not held twice; unless strict, the size has been scaled by cap over correlation."""
    limits = case.limits.exposure
    if limits.correlation is None:
        return not_applicable(26)
    if case.sums is None:
        return unknown(26, codes.CORRELATION_LIMIT, limits.correlation)
    found = within(26, codes.CORRELATION_LIMIT, case.sums.correlation, limits.correlation)
    if bars(found) and not limits.strict_correlation:
        return warned(26, codes.CORRELATION_LIMIT, case.sums.correlation, limits.correlation)
    return found


def positions(case: Case) -> Check:
    """Row 27: few enough other instruments are held or reserved."""
    limit = case.limits.exposure.positions
    if limit is None:
        return not_applicable(27)
    return within(27, codes.MAX_POSITIONS, None if case.sums is None else case.sums.symbols + 1, limit)


def owner(case: Case) -> Check:
    """Row 28: the instrument is not another strategy's."""
    if not case.limits.exposure.owners:
        return not_applicable(28)
    if case.sums is None:
        return unknown(28, codes.RESERVATION_FAILED)
    return refused(28, codes.POSITION_CONFLICT) if case.sums.foreign else passed(28)


def adding(case: Case) -> Check:
    """Row 29: an open position is added to only where the strategy declares it."""
    held = case.facts.market.position
    if held is None:
        return unknown(29, codes.POSITION_UNKNOWN)
    if not held:
        return passed(29)
    same = (held > 0) == (case.request.quantity > 0)
    if same and case.request.adds and case.limits.exposure.adding:
        return passed(29, held)
    return refused(29, codes.NO_ADDING, held)


def open_orders(case: Case) -> Check:
    """Row 30: few enough orders are working."""
    limits = case.limits.exposure
    here, everywhere = case.facts.market.orders, case.facts.account.orders
    found = within(30, codes.TOO_MANY_OPEN_ORDERS, None if here is None else here + 1, limits.orders_symbol)
    if bars(found) or limits.orders_account is None:
        return found
    return within(30, codes.TOO_MANY_OPEN_ORDERS, None if everywhere is None else everywhere + 1, limits.orders_account)


def rate(case: Case) -> Check:
    """Row 31: orders are not sent too fast; a part of the buckets is kept for what reduces."""
    pace, book, now = case.limits.pace, case.facts.engine.rates, case.facts.now_ns
    if case.kill or _limits_no_rate(pace):
        return not_applicable(31) if case.kill or not case.entry else _cooldown(case)
    if book is None:
        return unknown(31, codes.ORDER_RATE) if case.entry else warned(31, codes.ORDER_RATE)
    if is_runaway(book, now, pace):
        return refused(31, codes.ORDER_RATE, pace.runaway_per_minute, pace.runaway_per_minute)
    request, kept = case.request, pace.exit_reserve if case.entry else 0
    found = (
        _fits(book.symbols.get(request.instrument, 0), pace.symbol_per_minute, 0, now)
        or _fits(book.strategies.get(request.strategy, 0), pace.strategy_per_minute, 0, now)
        or _fits(book.account, pace.account_per_minute, kept, now)
        or _fits(book.broker, pace.broker_per_minute, kept, now)
    )
    if found is not None:
        return found
    return _cooldown(case) if case.entry else passed(31)


def _limits_no_rate(pace: Pace) -> bool:
    return (
        pace.account_per_minute is None
        and pace.strategy_per_minute is None
        and pace.symbol_per_minute is None
        and pace.broker_per_minute is None
        and pace.runaway_per_minute is None
    )


def _fits(full_ns: int, limit: int | None, reserve: int, now_ns: int) -> Check | None:
    """Return the refusal of an order that a bucket has no room for; None where it fits."""
    if limit is None:
        return None
    count = 1 if full_ns <= now_ns else used(full_ns, now_ns, limit)
    return refused(31, codes.ORDER_RATE, count, limit - reserve) if count > limit - reserve else None


def _cooldown(case: Case) -> Check:
    """Return whether entries of the account are few and far apart."""
    pace, account = case.limits.pace, case.facts.account
    found = within(
        31, codes.ENTRY_COOLDOWN, None if account.hour_entries is None else account.hour_entries + 1,
        pace.entries_per_hour,
    )  # fmt: skip
    if bars(found) or pace.entry_gap_s is None:
        return passed(31) if pace.entries_per_hour is None and not _limits_no_rate(pace) else found
    return _gap(31, codes.ENTRY_COOLDOWN, account.entry_ns, case.facts.now_ns, pace.entry_gap_s)


def signal(case: Case) -> Check:
    """Row 32: the strategy's last entry here is long enough ago."""
    limit = case.limits.pace.signal_cooldown_s
    if limit is None:
        return not_applicable(32)
    return _gap(32, codes.SIGNAL_COOLDOWN, case.facts.strategy.signal_ns, case.facts.now_ns, limit)


def _gap(gate: int, reason: Reason, last_ns: int | None, now_ns: int, limit_s: int) -> Check:
    limit = limit_s * SECOND
    if last_ns is None:
        return unknown(gate, reason, limit)
    if last_ns == NEVER:
        return passed(gate, None, limit)
    apart = now_ns - last_ns
    return passed(gate, apart, limit) if apart >= limit else refused(gate, reason, apart, limit)


def trades(case: Case) -> Check:
    """Row 33: the session has had few enough trades."""
    made = case.facts.account.trades
    return within(33, codes.TRADES_PER_DAY, None if made is None else made + 1, case.limits.pace.trades)
