"""The triggers of a halt over an account: what they read, made from its state, and what they make of its halt.

Level-triggered: the facts are made anew at each look, so a restart, a lost message or a change of the flag by another
process cannot lose a reason that stands.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from evenkeel.engine.account.halting import begun, operated
from evenkeel.engine.account.rails import RailsState, ResumeDenied, Running, forgiven
from evenkeel.execution.findings import Counted, Finding, FindingCode
from evenkeel.model.event import Operated, SessionBegan
from evenkeel.model.halt import PERMITS, Halt, HaltCode
from evenkeel.model.ids import Leg
from evenkeel.model.order import OrderState
from evenkeel.model.time import MINUTE, SECOND
from evenkeel.model.told import Channel, FlagTold, ResumeAsked, SessionOpened
from evenkeel.risk.breaker import daily_amount
from evenkeel.risk.constitution import AfterFill, exceeded
from evenkeel.risk.halt import session_opened, united
from evenkeel.risk.halt_facts import Desync, Exceeded, HaltFacts
from evenkeel.risk.resume import ResumeFacts, ResumeRequest, resume
from evenkeel.risk.submissions import recent_rejections
from evenkeel.risk.triggers import climbed, judged, next_due_ns

if TYPE_CHECKING:
    from evenkeel.engine.account.account import Account
    from evenkeel.execution.supervisor.bracket import Bracket
    from evenkeel.execution.supervisor.supervisor import TradeKey
    from evenkeel.model.event import Event

FLATTEN_NS = 60 * SECOND
"""How long an account that is to be flat may still hold something (operations.md 2.5, time-out of 2.6)."""

_SUSPECT = frozenset(
    {
        FindingCode.WRONG_SIDE, FindingCode.WRONG_INSTRUMENT, FindingCode.FILL_DUPLICATE, FindingCode.FILL_QTY,
        FindingCode.FILL_AFTER_REJECT, FindingCode.LEDGER_BREAK,
    }
)  # fmt: skip
"""What a venue says that cannot be: its books and ours part (operations.md 3.4)."""


def halt_facts(account: Account, state: RailsState | None = None) -> HaltFacts:
    """Return what the triggers read.

    Args:
        account: Whose state it is.
        state: Of its rails; None: as it is.
    """
    rails = account.rails.state if state is None else state
    told, panic, compared = account.outside.state, account.pacer.state.panic, account.compared
    limits, now = account.limits, account.now_ns
    quality = told.quality.values()
    book = account.supervisor.book.open.values()
    held = any(holding.quantity for holding in account.books.holdings.values())
    facts = HaltFacts(
        now_ns=now, exposed=held or bool(account.supervisor.book.open),
        exceeded=rails.exceeded, impossible=_not_flat_in_time(rails, held=held, now_ns=now),
        unprotected_since_ns=account.supervisor.unprotected_since_ns,
        flat_by_ns=rails.closes_ns if _closes(account) else None,
        available=None if told.equity is None else told.equity.available,
        maintenance_used=None if told.equity is None else told.equity.maintenance_used,
        margin_called=rails.margin_called is not None,
        desync=Desync.EXPLAINED if rails.suspect and compared.desync is Desync.NONE else compared.desync,
        difference=compared.difference, foreign_position=compared.foreign_position, overfilled=rails.overfilled,
        unknown_since_ns=min((o.moved_ns for o in book if o.state is OrderState.UNKNOWN), default=None),
        recon_mismatches=compared.recon_mismatches, recon_failures=compared.recon_failures,
        dvs=min((one.dvs for one in quality if one.dvs is not None), default=None),
        eqs=min((one.eqs for one in quality if one.eqs is not None), default=None),
        bar_queued_since_ns=rails.queued_ns, bar_length_ns=rails.queued_bar_ns,
        rejections=recent_rejections(rails.submissions, limits.orders.rejects_over),
        submissions=sum(stamp > now - MINUTE for stamp in rails.submissions.sent_ns),
        ran_away=panic is HaltCode.RUNAWAY,
        link_lost_since_ns=told.down.get(Channel.ORDERS), reconnects_exhausted=rails.exhausted,
        unhandled="a fault escaped the loop" if panic is HaltCode.UNHANDLED else "",
        duplicate_engine=compared.duplicate_engine,
        bypassed="an order without approval" if panic is HaltCode.GATEWAY_BYPASS else "",
        watchdog_seen_ns=rails.watchdog_ns, alert_undelivered_since_ns=rails.undelivered_ns,
        override_until_ns=min(rails.allowed.values(), default=None), save_failures=rails.save_failures,
        journal_failed=told.journal_ok is False,
    )  # fmt: skip
    return facts.with_losses(rails.guardrails)


def decided(account: Account, event: Event) -> Halt | ResumeDenied:
    """Return the halt after an event, or why a request to resume changes nothing."""
    halt = account.halt
    match event:
        case Operated():
            return operated(halt, event)
        case SessionBegan():
            return begun(halt if event.halt is None else united(halt, event.halt), event)
        case FlagTold():
            return united(halt, event.halt)
        case SessionOpened() if account.rails.state.opened_ns == event.known_ns:
            return session_opened(halt)
        case ResumeAsked():
            return _resumed(account, event)
        case _:
            return halt


def stopped(account: Account) -> Halt:
    """Return the halt as ladder and triggers make it now."""
    facts = halt_facts(account)
    after, _ = climbed(account.halt, account.rails.state.rung, facts, account.limits)
    return judged(after, facts, account.limits)


def next_stop_ns(account: Account) -> int | None:
    """Return when waiting alone changes the halt, or makes the account close all for the end of the session."""
    stamps = [next_due_ns(account.halt, halt_facts(account), account.limits)]
    state = account.rails.state
    if state.flatten_ns is not None and not _gone(account, state.flatten_ns + FLATTEN_NS):
        stamps.append(state.flatten_ns + FLATTEN_NS)
    flat = _flat_from_ns(account)
    if flat is not None and not _gone(account, flat):
        stamps.append(flat)
    return min((stamp for stamp in stamps if stamp is not None), default=None)


def flattens(account: Account) -> bool:
    """Whether everything is to be closed: by the halt, by an operator, or because the session ends."""
    halt, flat = account.halt, _flat_from_ns(account)
    by_halt = PERMITS[halt.level].flattens or halt.reason(HaltCode.OPERATOR_FLATTEN) is not None
    return by_halt or (flat is not None and _gone(account, flat) and not _gone(account, account.rails.state.closes_ns))


def note_fill(account: Account, key: TradeKey, counted: Counted, gross: Decimal) -> None:
    """Fold a fill into the rails, and what it left exceeded."""
    account.rails.booked(account.books.net)
    running = Running(
        strategy=key.strategy, instrument=key.instrument, trade=key.trade, net=gross - counted.fee
    )  # fmt: skip
    opens = counted.order.leg is Leg.ENTRY and counted.quantity != 0
    account.rails.filled(running, opens=opens)
    if opens:
        found = _exceeded(account, account.supervisor.brackets[key])
        if found:
            account.rails.breached(found)


def note_end(account: Account) -> None:
    """Fold what follows from the state after each entry: trades that are over, findings, since when to flatten."""
    account.rails.booked(account.books.net)
    held = {(key.strategy, key.instrument, key.trade) for key, b in account.supervisor.brackets.items() if b.held}
    for trade in account.rails.state.running:
        if (trade.strategy, trade.instrument, trade.trade) not in held:
            account.rails.over(trade, account.now_ns)
    for finding in account.findings:
        _note_finding(account, finding)
    account.rails.flattening(account.now_ns if held and flattens(account) else None)


def _note_finding(account: Account, finding: Finding) -> None:
    words = f"{finding.code.value} of {finding.client_id}: {finding.detail}"
    if finding.code is FindingCode.OVERFILL:
        account.rails.doubted(overfilled=words)
    elif finding.code in _SUSPECT:
        account.rails.doubted(suspect=words)


def _resumed(account: Account, event: ResumeAsked) -> Halt | ResumeDenied:
    """Return the halt after a person asked to trade again, or why it stays."""
    limits, clock = account.limits, account.outside.state.clock_offset_ns
    block_ms = limits.operation.clock_block_ms
    request = ResumeRequest(
        phrase=event.phrase, operator=event.operator, reason=event.reason, epoch=event.epoch, at_ns=event.known_ns,
        live=event.live, approver=event.approver, rebase=event.rebase,
    )  # fmt: skip
    facts = ResumeFacts(
        halt=halt_facts(account, forgiven(account.rails.state)), incident=account.rails.state.incident,
        broker_reachable=event.broker_reachable,
        unknown_orders=sum(o.state is OrderState.UNKNOWN for o in account.supervisor.book.open.values()),
        clean_cycles=account.compared.clean_cycles, journal_verified=event.journal_verified,
        clock_ok=None if clock is None else block_ms is None or abs(clock) <= block_ms * 1_000_000,
        unprotected=sum(bracket.naked_ns is not None for bracket in account.supervisor.brackets.values()),
    )  # fmt: skip
    after = resume(account.halt, request, facts, limits)
    return after if isinstance(after, Halt) else ResumeDenied(refused=after)


def _exceeded(account: Account, bracket: Bracket) -> tuple[Exceeded, ...]:
    """Return the limits that a fill of an entry left exceeded."""
    definition = account.definition(bracket.instrument)
    if definition is None:
        return ()
    rails, held, entry = account.rails.guardrails, abs(bracket.held), bracket.average
    position = abs(account.books.position(bracket.instrument))
    told = daily_amount(rails)
    told = -(rails.day + rails.open_pnl) if told is None else told
    distance = None if bracket.stop_price is None else abs(entry - bracket.stop_price)
    after = AfterFill(
        equity=rails.equity, reference=rails.reference, quantity=position,
        notional=position * entry * definition.multiplier,
        trade_loss=None if distance is None else distance * held * definition.multiplier,
        stop_ticks=None if distance is None else distance / definition.tick_size,
        stop_fraction=None if distance is None or not entry else distance / entry,
        trades=rails.entries, day_loss=max(-(rails.day + rails.open_pnl), told),
        week_loss=-(rails.week + rails.open_pnl), month_loss=-(rails.month + rails.open_pnl),
    )  # fmt: skip
    return exceeded(after, account.limits)


def _closes(account: Account) -> bool:
    """Whether the profile wants nothing held at the close, and something is."""
    wanted = account.limits.market.flatten_before_close_s is not None
    return wanted and any(holding.quantity for holding in account.books.holdings.values())


def _flat_from_ns(account: Account) -> int | None:
    """Return from when on everything is closed because the session ends; None is never."""
    closes, before = account.rails.state.closes_ns, account.limits.market.flatten_before_close_s
    return None if closes is None or before is None else closes - before * SECOND


def _gone(account: Account, stamp: int | None) -> bool:
    return stamp is not None and stamp <= account.now_ns


def _not_flat_in_time(rails: RailsState, *, held: bool, now_ns: int) -> str:
    if rails.flatten_ns is None or not held or now_ns < rails.flatten_ns + FLATTEN_NS:
        return ""
    return "positions are open long after all was to be closed"
