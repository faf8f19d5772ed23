"""Gates on the instrument, its session, its data and its prices: rows 9 to 19 of operations.md 1.3."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from evenkeel.model.reason import Reason
from evenkeel.model.time import SECOND
from evenkeel.risk.gates import codes
from evenkeel.risk.gates.case import Case, sane
from evenkeel.risk.gates.check import Check, Figure, bars, not_applicable, passed, refused, unknown, warned, within
from evenkeel.risk.gates.facts.engine import NEVER
from evenkeel.risk.gates.rows_engine import MILLISECOND
from evenkeel.risk.gates.size import near
from evenkeel.risk.limits.market import Impact

if TYPE_CHECKING:
    from evenkeel.model.instrument import Instrument

BPS = 10_000


def instrument(case: Case) -> Check:
    """Row 9: the instrument is known and can be traded so."""
    if case.cancel:
        return not_applicable(9)
    market = case.facts.market
    if market.instrument is None or market.tradable is None:
        return _not_known(case, codes.UNKNOWN_INSTRUMENT)
    if not market.tradable:
        return refused(9, codes.NOT_TRADABLE)
    whole = case.quantity == case.quantity.to_integral_value()
    if not whole and not market.fractionable:
        return unknown(9, codes.NOT_TRADABLE) if market.fractionable is None else refused(9, codes.NOT_TRADABLE)
    if case.entry:
        found = _entry_allowed(case, market.instrument)
        if found is not None:
            return found
    return _confirmed(case)


def _entry_allowed(case: Case, definition: Instrument) -> Check | None:
    market, account = case.facts.market, case.facts.account
    if case.request.quantity < 0:
        if market.shortable is None:
            return unknown(9, codes.NOT_SHORTABLE)
        if not market.shortable or not definition.shortable:
            return refused(9, codes.NOT_SHORTABLE)
    if case.against is not None and case.against.names(codes.SHORT_NOT_ALLOWED):
        return refused(9, codes.SHORT_NOT_ALLOWED)
    if not case.limits.market.mixed_classes:
        if account.kinds is None:
            return unknown(9, codes.MIXED_ASSET_CLASS)
        if account.kinds - {definition.kind}:
            return refused(9, codes.MIXED_ASSET_CLASS, len(account.kinds), 1)
    return None


def _confirmed(case: Case) -> Check:
    """Return whether what is known of the instrument is young enough; what reduces does not wait for it."""
    oldest, confirmed = case.limits.market.instrument_age_s, case.facts.market.instrument_ns
    if oldest is None:
        return passed(9)
    if confirmed is None:
        return _not_known(case, codes.UNKNOWN_INSTRUMENT)
    age = case.facts.now_ns - confirmed
    if age <= oldest * SECOND:
        return passed(9, age, oldest * SECOND)
    if case.entry:
        return refused(9, codes.UNKNOWN_INSTRUMENT, age, oldest * SECOND)
    return warned(9, codes.UNKNOWN_INSTRUMENT, age, oldest * SECOND)


def _not_known(case: Case, reason: Reason) -> Check:
    return warned(9, reason) if case.kill else unknown(9, reason)


def grid(case: Case) -> Check:
    """Row 10: prices lie on the tick, the quantity on the lot, and neither is too small."""
    definition = case.facts.market.instrument
    if case.cancel:
        return not_applicable(10)
    if definition is None:
        return warned(10, codes.OFF_GRID) if case.kill else unknown(10, codes.OFF_GRID)
    units = abs(case.quantity)
    if units < definition.min_quantity:
        return refused(10, codes.BELOW_MIN_SIZE, units, definition.min_quantity)
    if definition.max_quantity is not None and units > definition.max_quantity:
        return refused(10, codes.QUANTITY_ABOVE_LIMIT, units, definition.max_quantity)
    for price in (case.request.price, case.request.trigger):
        if price is not None and price % definition.tick_size:
            return refused(10, codes.OFF_GRID, price, definition.tick_size)
    if units % definition.lot_size and not _closes_all(case):
        return refused(10, codes.OFF_GRID, units, definition.lot_size)
    return _worth_it(case, definition) if case.entry else passed(10, units, definition.min_quantity)


def _closes_all(case: Case) -> bool:
    """Whether the order takes all of a position, which may have a rest that is off the lot."""
    position = case.facts.market.position
    return not case.entry and position is not None and abs(case.quantity) == abs(position)


def _worth_it(case: Case, definition: Instrument) -> Check:
    least = max(definition.min_notional, case.limits.exposure.least_notional or definition.min_notional)
    if case.notional is None:
        return unknown(10, codes.BELOW_MIN_SIZE, least)
    if case.notional < least:
        return refused(10, codes.BELOW_MIN_SIZE, case.notional, least)
    return passed(10, case.notional, least)


def session(case: Case) -> Check:
    """Row 11: the session is open, and this is a time at which positions are opened."""
    limits, found = case.limits.market, case.facts.market.session
    if not limits.sessions:
        return not_applicable(11)
    if found is None:
        return unknown(11, codes.SESSION_CLOSED)
    if not found.open:
        return refused(11, codes.SESSION_CLOSED)
    if found.around_the_clock:
        return passed(11)
    flatten, after_open = limits.flatten_before_close_s, limits.after_open_s
    if flatten is not None and found.until_close_s <= flatten:
        return refused(11, codes.AFTER_FLATTEN, found.until_close_s, flatten)
    if after_open is not None and found.since_open_s < after_open:
        return refused(11, codes.NO_TRADE_WINDOW, found.since_open_s, after_open)
    for window in limits.closed_windows:
        if window.start <= found.minute < window.end:
            return refused(11, codes.NO_TRADE_WINDOW, found.minute, window.end)
    return passed(11)


def events(case: Case) -> Check:
    """Row 12: no economic event is near that moves markets."""
    windows, found = case.limits.market.events, case.facts.market.events
    if not windows:
        return not_applicable(12)
    if found is None:
        stale = codes.EVENT_CALENDAR_STALE
        return unknown(12, stale) if case.at_broker else warned(12, stale)
    if not found:
        return passed(12)
    impact = near(found, windows)
    if impact is Impact.HIGH:
        return refused(12, codes.EVENT_BLACKOUT)
    if impact is Impact.MEDIUM:
        return warned(12, codes.EVENT_BLACKOUT, case.limits.market.medium_event_scale)
    return passed(12)


def lockout(case: Case) -> Check:
    """Row 13: no shock was a short while ago."""
    until, now = case.facts.market.lockout_ns, case.facts.now_ns
    if not case.limits.market.lockouts:
        return not_applicable(13)
    if until is None:
        return unknown(13, codes.REGIME_LOCKOUT)
    if until == NEVER or now >= until:
        return passed(13)
    return refused(13, codes.REGIME_LOCKOUT, until - now, 0)


def data_quality(case: Case) -> Check:
    """Row 14: the data are good enough."""
    return _at_least(14, codes.DVS_TOO_LOW, case.facts.market.dvs, case.limits.market.dvs_entry)


def execution_quality(case: Case) -> Check:
    """Row 15: execution is good enough."""
    return _at_least(15, codes.EQS_TOO_LOW, case.facts.market.eqs, case.limits.market.eqs_entry)


def _at_least(gate: int, reason: Reason, value: Decimal | None, limit: Decimal | None) -> Check:
    """Return whether a score is high enough; it is rounded to 9 places first (belief.md 2.2)."""
    if limit is None:
        return not_applicable(gate)
    if value is None or not value.is_finite():
        return unknown(gate, reason, limit)
    score = round(value, 9)
    return passed(gate, score, limit) if score >= limit else refused(gate, reason, score, limit)


def freshness(case: Case) -> Check:
    """Row 16: bar, quote and the account's own stream were heard of late."""
    limits, market, now = case.limits.market, case.facts.market, case.facts.now_ns
    age = oldest = None
    if limits.bar_age is not None:
        if market.bar_ns is None or market.interval_ns is None:
            return unknown(16, codes.STALE_DATA)
        age, oldest = now - market.bar_ns, limits.bar_age * market.interval_ns
        if age > oldest:
            return refused(16, codes.STALE_DATA, age, oldest)
    if limits.quote_age_ms is not None:
        oldest_quote = limits.quote_age_ms * MILLISECOND
        if market.quote_ns is None:
            return unknown(16, codes.STALE_DATA, oldest_quote)
        if now - market.quote_ns > oldest_quote:
            return refused(16, codes.STALE_DATA, now - market.quote_ns, oldest_quote)
    if limits.private_silence_s is not None or limits.unhealthy_s is not None:
        found = _streams(case)
        if found is not None:
            return found
    elif oldest is None and limits.quote_age_ms is None:
        return not_applicable(16)
    return passed(16, age, oldest)


def _streams(case: Case) -> Check | None:
    """Return what is wrong with a stream; None where all is well."""
    limits, streams, now = case.limits.market, case.facts.engine.streams, case.facts.now_ns
    if streams is None:
        return unknown(16, codes.STREAM_UNHEALTHY)
    if limits.private_silence_s is not None:
        silence, longest = now - streams.private_ns, limits.private_silence_s * SECOND
        if silence > longest:
            return refused(16, codes.STREAM_UNHEALTHY, silence, longest)
    if limits.unhealthy_s is not None and streams.unhealthy_ns is not None:
        since, longest = now - streams.unhealthy_ns, limits.unhealthy_s * SECOND
        if since > longest:
            return refused(16, codes.STREAM_UNHEALTHY, since, longest)
    return None


def collar(case: Case) -> Check:
    """Row 17: prices are near a last price that is fresh; exits are told of it, and refused three times as far away."""
    limit = case.limits.prices.collar
    if limit is None or case.cancel:
        return not_applicable(17)
    last = _reference(case)
    if last is None or case.price is None:
        reason = codes.NO_REFERENCE_PRICE
        return unknown(17, reason, limit) if case.entry else warned(17, reason, None, limit)
    apart = abs(case.price - last) / last
    if case.entry:
        return _legs(case, last, within(17, codes.PRICE_COLLAR, apart, limit))
    if apart <= limit:
        return passed(17, apart, limit)
    widest = limit * case.limits.prices.exit_collar_factor
    if apart <= widest or case.protects or case.kill:
        return warned(17, codes.PRICE_COLLAR, apart, limit)
    return refused(17, codes.PRICE_COLLAR, apart, widest)


def _reference(case: Case) -> Decimal | None:
    """Return the last price if it can be believed and is fresh."""
    prices, market = case.limits.prices, case.facts.market
    last, known = sane(market.last), market.last_ns
    if last is None or known is None or last < prices.least_price:
        return None
    oldest = prices.reference_age_ms
    return last if oldest is None or case.facts.now_ns - known <= oldest * MILLISECOND else None


def _legs(case: Case, last: Decimal, found: Check) -> Check:
    """Return whether stop and target are near too."""
    limit, price, request = case.limits.prices.leg_collar, case.price, case.request
    if limit is None or price is None or bars(found):
        return found
    rise, most = price - last, limit * last
    above, below = request.target_distance, request.stop_distance
    if request.quantity < 0:
        above, below = below, above
    for apart in (rise if above is None else rise + above, rise if below is None else rise - below):
        if abs(apart) > most:
            return refused(17, codes.PRICE_COLLAR, abs(apart) / last, limit)
    return found


def spread(case: Case) -> Check:
    """Row 18: bid and ask are near each other, and neither crossed nor missing."""
    prices, market = case.limits.prices, case.facts.market
    if prices.spread_bps is None and prices.spread_ticks is None:
        return not_applicable(18)
    bid, ask = market.bid, market.ask
    if bid is None or ask is None or not bid.is_finite() or not ask.is_finite():
        return unknown(18, codes.SPREAD_TOO_WIDE)
    if bid <= 0 or bid >= ask:
        return refused(18, codes.SPREAD_TOO_WIDE, ask - bid, 0)
    value: Figure = None
    if prices.spread_bps is not None:
        found = within(18, codes.SPREAD_TOO_WIDE, (ask - bid) * 2 * BPS / (ask + bid), prices.spread_bps)
        if bars(found) or prices.spread_ticks is None:
            return found
        value = found.value
    if market.instrument is None:
        return unknown(18, codes.SPREAD_TOO_WIDE, value)
    return within(18, codes.SPREAD_TOO_WIDE, (ask - bid) / market.instrument.tick_size, prices.spread_ticks)


def participation(case: Case) -> Check:
    """Row 19: the order is a small part of what the market trades."""
    prices, market = case.limits.prices, case.facts.market
    found = not_applicable(19)
    for volume, limit in ((market.daily_volume, prices.adv_share), (market.minute_volume, prices.minute_share)):
        if limit is None:
            continue
        if volume is None or not volume.is_finite():
            return unknown(19, codes.PARTICIPATION, limit)
        share = abs(case.quantity) / volume if volume > 0 else None
        if share is None or share > limit:
            return refused(19, codes.PARTICIPATION, share, limit)
        found = passed(19, share, limit)
    return found
