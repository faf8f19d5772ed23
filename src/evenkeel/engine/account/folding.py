"""How an entry of the journal changes an account: every change of its state begins here."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from evenkeel.engine.account import comparing, live, watching
from evenkeel.engine.account.desk import Desk, DeskId
from evenkeel.engine.account.entry import AccountEvent, Entry, HaltChanged, OfDesk
from evenkeel.engine.account.hearing import fold_heard, note
from evenkeel.engine.account.outside import waiver_key
from evenkeel.engine.account.rails import Resumed
from evenkeel.engine.account.recon_record import Reconciled
from evenkeel.engine.account.startup import StepTaken
from evenkeel.execution.findings import Finding, FindingCode
from evenkeel.execution.supervisor.supervisor import CloseTrade, TradeKey
from evenkeel.model.command import (
    AmendOrder,
    AskVenue,
    CancelEntry,
    CancelOrder,
    LookUpOrder,
    PlaceOrder,
    SubmitEntry,
    SubmitExit,
)
from evenkeel.model.decision import StrategyRemembered
from evenkeel.model.event import BarsClosed, BarsSettled, BaseClosed, Event, PriceTold, SessionBegan, SideTold
from evenkeel.model.report import Executed, ExecutionBusted, LookedUp, OrderReported, SendResolved
from evenkeel.model.told import LinkChanged, Waived
from evenkeel.model.truth import DifferenceAccepted
from evenkeel.risk.gates.judged import Judged

if TYPE_CHECKING:
    from evenkeel.engine.account.account import Account


def fold(account: Account, entry: AccountEvent | Entry) -> None:
    """Change the state of an account by one entry of its journal."""
    if isinstance(entry, Event):
        account.now_ns, account.findings = entry.known_ns, []
        account.heard = []
        account.outside.fold(entry)
        account.pacer.fold(entry)
        account.rails.fold(entry)
        account.startup.hear(entry)
    known = len(account.findings)
    match entry:
        case BarsClosed():
            _fold_bars(account, entry)
        case BaseClosed() | BarsSettled() | SideTold():
            _fold_market(account, entry)
        case PriceTold(instrument=instrument, last=last) if instrument is not None and _is_price(last):
            account.prices[instrument] = last
            account.supervisor.price(instrument, last, entry.known_ns)
        case Waived(instrument=instrument) if instrument is not None:
            account.supervisor.waive(entry.strategy, instrument, entry.until_ns)
        case SessionBegan():
            account.supervisor.book.doubt(entry.known_ns)
            account.reconciling.begin(entry.known_ns)
        case SendResolved() | OrderReported() | Executed() | ExecutionBusted() | LookedUp():
            fold_heard(account, account.supervisor.fold(entry))
        case OfDesk():
            _fold_desk(account, entry)
        case LinkChanged():
            account.reconciling.link(entry)
        case Reconciled():
            comparing.fold_reconciled(account, entry)
        case StepTaken():
            account.startup.fold(entry)
        case DifferenceAccepted(instrument=instrument) if instrument is not None:
            comparing.fold_accepted(account, instrument)
        case HaltChanged():
            account.halt = entry.halt
        case Resumed():
            account.rails.resumed(rebase=entry.rebase)
        case CloseTrade():
            account.supervisor.close_trade(entry.key, entry.closing)
        case Judged():
            _fold_verdict(account, entry)
        case AskVenue():
            account.reconciling.ask(entry)
        case CancelOrder(venue_id=str()):
            account.reconciling.withdraw(entry, account.now_ns)
        case PlaceOrder() | AmendOrder() | CancelOrder() | LookUpOrder():
            _fold_command(account, entry)
    for finding in account.supervisor.watch(account.now_ns):
        account.findings.append(finding)
        if finding.code is FindingCode.DUST:
            _release(account, finding)
    watching.note_end(account)
    account.reconciling.hear(account.findings[known:], account.now_ns)
    account.reconciling.pass_time(account.now_ns)


def _fold_verdict(account: Account, entry: Judged) -> None:
    """Note what the gates answered; that something which reduces was held back must be looked at."""
    definition = account.definition(entry.instrument)
    account.pacer.judged(entry, None if definition is None else definition.kind, account.now_ns)
    if entry.is_refused and not entry.opens:
        detail = f"{entry.purpose} of {entry.quantity} {entry.instrument}: {entry.reason}"
        account.findings.append(Finding(code=FindingCode.HELD_BACK, client_id=entry.client_id, detail=detail))


def _release(account: Account, finding: Finding) -> None:
    """Let a core go of a trade of which less than a lot is left; the books keep that."""
    order = None if finding.client_id is None else account.supervisor.book.get(finding.client_id)
    desk = None if order is None else account.desks.get(DeskId(order.strategy, order.instrument))
    held = None if desk is None else desk.core.state.position
    if order is not None and desk is not None and held is not None:
        none = Decimal(0)
        note(account, desk, desk.hear_change(order.trade, -held.quantity, held.price, none, none, account.now_ns))


def _fold_market(account: Account, event: live.LiveEvent) -> None:
    """Fold what a feed told of the bars of an instrument: stops follow them, and features that are live."""
    if isinstance(event, BaseClosed) and event.instrument is not None:
        account.supervisor.base_closed(event.instrument, event.close, event.event_ns)
    account.findings += live.hear(account.desks.values(), event)


def _fold_bars(account: Account, event: BarsClosed) -> None:
    for desk in account.desks_of(event):
        desk.hear_bar(event)
    if event.instrument is not None:
        account.supervisor.bar_closed(event.instrument, event.bar)


def _fold_desk(account: Account, entry: OfDesk) -> None:
    desk = account.desks[entry.desk]
    match entry.what:
        case SubmitEntry() as command:
            desk.core.fold(command)
            order = desk.order(command, account.now_ns, account.timing.entry_life_ns)
            bracket = msgspec.structs.replace(desk.bracket(command), waived_until_ns=_waived_until(account, desk))
            account.supervisor.open_trade(bracket, order)
        case SubmitExit() as command:
            held = desk.core.state.position
            desk.core.fold(command)
            if held is not None:
                key = TradeKey(desk.id.strategy, desk.id.instrument, held.trade)
                account.supervisor.close_trade(key, desk.closing(command, account.now_ns))
        case CancelEntry() as command:
            account.supervisor.withdraw(command.client_id)
        case StrategyRemembered() if desk.estranged:
            pass
        case _:
            desk.core.fold(entry.what)


def _waived_until(account: Account, desk: Desk) -> int | None:
    return account.outside.state.waivers.get(waiver_key(desk.id.strategy, desk.id.instrument))


def _fold_command(account: Account, command: PlaceOrder | AmendOrder | CancelOrder | LookUpOrder) -> None:
    order = command.order if isinstance(command, PlaceOrder) else account.supervisor.book.get(command.client_id)
    if order is not None:
        if isinstance(command, PlaceOrder):
            account.rails.sent(command, account.now_ns)
        account.pacer.commanded(command, order.instrument, order.strategy, account.now_ns)
    fold_heard(account, account.supervisor.fold_command(command, account.now_ns))


def _is_price(value: Decimal) -> bool:
    """Whether a feed told a price at all; what is none is as if it had not come, and the last one grows old."""
    return value.is_finite() and value > 0
