"""Gates on the request itself and on the engine: rows 1 to 8 and 47 to 49 of operations.md 1.3."""

from __future__ import annotations

from evenkeel.model.halt import Act, HaltLevel, permits
from evenkeel.model.intent import OrderKind
from evenkeel.model.reason import Reason
from evenkeel.model.time import SECOND
from evenkeel.risk.gates import codes
from evenkeel.risk.gates.case import Case
from evenkeel.risk.gates.check import Check, bars, not_applicable, passed, refused, unknown, warned, within
from evenkeel.risk.gates.facts.engine import NEVER, Phase
from evenkeel.risk.gates.facts.strategy import Sent
from evenkeel.risk.gates.request import PROTECTS, Purpose, Request

MILLISECOND = SECOND // 1000
KILLED = int(HaltLevel.KILLED)
_HIGHEST = {act: max(int(level) for level in HaltLevel if permits(level, act)) for act in Act}
"""The highest level of a halt that lets an act through; one table says so for everybody."""
_PRICED = (OrderKind.LIMIT, OrderKind.STOP, OrderKind.STOP_LIMIT)


def shape(case: Case) -> Check:
    """Row 1: the request is whole, which `malformed` has seen to, its bracket makes sense and its kind is allowed."""
    if not case.entry:
        return passed(1)
    reason = _bracket(case)
    if reason is codes.OK and case.request.price is None and not case.limits.prices.market_entries:
        reason = codes.MARKET_ENTRY
    return passed(1) if reason is codes.OK else refused(1, reason)


def malformed(request: Request) -> Reason:
    """Return why nothing can be reckoned with a request; OK where all can."""
    if not request.client_id:
        return codes.BAD_REQUEST
    if request.purpose is Purpose.CANCEL:
        return codes.OK
    if not request.quantity.is_finite() or not request.quantity or request.kind is OrderKind.SPLIT:
        return codes.BAD_REQUEST
    for price in (request.price, request.trigger, request.reference):
        if price is not None and not (price.is_finite() and price > 0):
            return codes.BAD_PRICE
    if (request.price is None) == (request.kind in _PRICED):
        return codes.BAD_PRICE
    if (request.trigger is None) == (request.kind is OrderKind.STOP_LIMIT):
        return codes.BAD_PRICE
    if _crossed(request):
        return codes.BAD_PRICE
    for distance in (request.stop_distance, request.target_distance, request.expected_move):
        if distance is not None and not (distance.is_finite() and distance > 0):
            return codes.BAD_BRACKET
    return codes.OK


def _crossed(request: Request) -> bool:
    """Whether the limit of a stop-limit lies on the wrong side of its trigger."""
    price, trigger = request.price, request.trigger
    if price is None or trigger is None or price == trigger:
        return False
    return (price < trigger) == (request.quantity > 0)


def _bracket(case: Case) -> Reason:
    """Return whether the leg below the price lies above zero."""
    request = case.request
    below = request.stop_distance if request.quantity > 0 else request.target_distance
    if below is not None and case.price is not None and below >= case.price:
        return codes.BAD_BRACKET
    return codes.OK


def halt(case: Case) -> Check:
    """Row 2: the level of the halt flag lets such an order through."""
    level = case.facts.engine.halt_level
    if case.kill:
        return _kill_path(case, level)
    if level is None:
        return unknown(2, codes.HALT_FLAG) if case.entry else warned(2, codes.HALT_FLAG)
    return within(2, codes.HALT_FLAG, level, _HIGHEST[_act(case)])


def _act(case: Case) -> Act:
    """Return what an order is to the account's risk, as far as a halt tells acts apart."""
    if case.entry:
        return Act.ENTRY
    if case.request.purpose is Purpose.CANCEL:
        return Act.CANCEL
    return Act.PROTECT if case.request.purpose in PROTECTS else Act.REDUCE


def _kill_path(case: Case, level: int | None) -> Check:
    """Return whether the kill path is open: for what closes or cancels, while the account is killed."""
    if case.entry or (level is not None and level != KILLED):
        return refused(2, codes.KILL_PATH_ONLY, level, KILLED)
    return warned(2, codes.HALT_FLAG) if level is None else passed(2, level, KILLED)


def panic(case: Case) -> Check:
    """Row 3: the engine has not panicked."""
    if case.kill:
        return not_applicable(3)
    latched = case.facts.engine.panic
    if latched is None:
        return unknown(3, codes.PANIC)
    return refused(3, codes.PANIC) if latched else passed(3)


def access(case: Case) -> Check:
    """Row 4: mode, key, host and account belong together, and live trading is armed."""
    engine = case.facts.engine
    if engine.mode is None:
        return unknown(4, codes.MODE_MISMATCH)
    if not case.at_broker:
        return not_applicable(4)
    found = engine.access
    if found is None or found.withdraws is None:
        return unknown(4, codes.MODE_MISMATCH)
    modes = (found.key_mode, found.host_mode, found.account_mode)
    if any(mode is not None and mode != engine.mode for mode in modes) or found.withdraws:
        return refused(4, codes.MODE_MISMATCH)
    if None in modes:
        return unknown(4, codes.MODE_MISMATCH)
    if engine.mode == "live" and not found.armed:
        return unknown(4, codes.LIVE_NOT_ARMED) if found.armed is None else refused(4, codes.LIVE_NOT_ARMED)
    return passed(4)


def lease(case: Case) -> Check:
    """Row 5: this process still holds the account."""
    engine, now = case.facts.engine, case.facts.now_ns
    if engine.lease_until_ns is None or engine.lease_epoch is None:
        return unknown(5, codes.LEASE_LOST)
    left = engine.lease_until_ns - now
    return passed(5, left, 0) if left > 0 else refused(5, codes.LEASE_LOST, left, 0)


def phase(case: Case) -> Check:
    """Row 6: the engine runs, has compared itself with the broker and is warm."""
    engine, warm = case.facts.engine, case.facts.market.warm
    if engine.phase is Phase.PAUSED:
        return refused(6, codes.PAUSED)
    if engine.phase is not None and engine.phase is not Phase.RUNNING:
        return refused(6, codes.ENGINE_NOT_READY)
    if engine.reconciled is False or warm is False:
        return refused(6, codes.ENGINE_NOT_READY)
    if engine.phase is None or engine.reconciled is None or warm is None:
        return unknown(6, codes.ENGINE_NOT_READY)
    return passed(6)


def same_id(case: Case) -> Check:
    """Row 7: the order was not sent before, and no earlier one is unknown."""
    if case.cancel or case.request.amends:
        return not_applicable(7)
    found, entry = case.facts.strategy.same_id, case.entry
    if found is Sent.EXISTS:
        return refused(7, codes.DUPLICATE_SUPPRESSED)
    if found is None:
        return unknown(7, codes.IDEMPOTENCY_UNKNOWN) if entry else warned(7, codes.IDEMPOTENCY_UNKNOWN)
    return _no_unknown_order(case) if entry else passed(7)


def _no_unknown_order(case: Case) -> Check:
    """Return whether an unknown order blocks: in its instrument at once, in the account after a time."""
    unknown_ns, here = case.facts.engine.unknown_ns, case.facts.market.unknown
    limit = case.limits.operation.unknown_account_s * SECOND
    if here:
        return refused(7, codes.ORDER_STATE_UNKNOWN)
    if here is None or unknown_ns is None:
        return unknown(7, codes.ORDER_STATE_UNKNOWN)
    if unknown_ns == NEVER:
        return passed(7)
    age = case.facts.now_ns - unknown_ns
    return refused(7, codes.ORDER_STATE_UNKNOWN, age, limit) if age >= limit else passed(7, age, limit)


def duplicate(case: Case) -> Check:
    """Row 8: the signal has had no order, and no order like it was just sent."""
    pace, strategy, request = case.limits.pace, case.facts.strategy, case.request
    if pace.duplicate_s is None:
        return not_applicable(8)
    if request.signal_ns is not None and strategy.signal_used:
        return refused(8, codes.DUPLICATE_SIGNAL)
    if strategy.recent is None or (request.signal_ns is not None and strategy.signal_used is None):
        return unknown(8, codes.DUPLICATE_SIGNAL)
    window, price = pace.duplicate_s * SECOND, case.price
    for order in strategy.recent:
        age = case.facts.now_ns - order.sent_ns
        if age > window:
            continue
        apart = abs(order.quantity - request.quantity)
        if apart > pace.duplicate_quantity * abs(order.quantity):
            continue
        if price is None or abs(order.price - price) <= pace.duplicate_price_bps * order.price / 10_000:
            return refused(8, codes.DUPLICATE_SIGNAL, age, window)
    return passed(8)


def reconciliation(case: Case) -> Check:
    """Row 47: books and broker agree, were compared of late, and no person must look at the instrument first."""
    operation, recon, blocked = case.limits.operation, case.facts.engine.recon, case.facts.market.blocked
    if blocked is not False:
        return refused(47, codes.RECON_UNHEALTHY) if blocked else unknown(47, codes.RECON_UNHEALTHY)
    if operation.mismatches is None and operation.clean_intervals is None:
        return not_applicable(47)
    if recon is None:
        return unknown(47, codes.RECON_UNHEALTHY)
    if recon.open_differences:
        return refused(47, codes.RECON_UNHEALTHY, recon.open_differences, 0)
    if operation.mismatches is not None and recon.mismatches >= operation.mismatches:
        return refused(47, codes.RECON_UNHEALTHY, recon.mismatches, operation.mismatches - 1)
    if operation.clean_intervals is None:
        return passed(47, recon.mismatches)
    oldest = operation.clean_intervals * operation.positions_every_s * SECOND
    return within(47, codes.RECON_UNHEALTHY, case.facts.now_ns - recon.clean_ns, oldest)


def clock(case: Case) -> Check:
    """Row 48: our clock is near the broker's."""
    operation, offset = case.limits.operation, case.facts.engine.clock_offset_ns
    if operation.clock_block_ms is None:
        return not_applicable(48)
    block = operation.clock_block_ms * MILLISECOND
    check = within(48, codes.CLOCK_SKEW, None if offset is None else abs(offset), block)
    warn = operation.clock_warn_ms
    if bars(check) or offset is None or warn is None or abs(offset) <= warn * MILLISECOND:
        return check
    return warned(48, codes.CLOCK_SKEW, abs(offset), block)


def journal(case: Case) -> Check:
    """Row 49: the journal can be written; what reduces goes out without it."""
    writable = case.facts.engine.journal_writable
    if writable:
        return passed(49)
    if not case.entry:
        return warned(49, codes.AUDIT_UNAVAILABLE)
    return unknown(49, codes.AUDIT_UNAVAILABLE) if writable is None else refused(49, codes.AUDIT_UNAVAILABLE)
