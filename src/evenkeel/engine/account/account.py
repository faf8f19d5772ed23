"""The account: events in, decisions and commands out, state by folding only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

import msgspec

from evenkeel.engine.account.desk import Desk, DeskEvent, DeskId
from evenkeel.engine.account.halting import operated
from evenkeel.engine.account.part import Part
from evenkeel.execution.books import Books, Owner
from evenkeel.execution.findings import Finding, Strayed
from evenkeel.execution.supervisor.bracket import Closing
from evenkeel.execution.supervisor.supervisor import CloseTrade, Heard, Supervisor, TradeKey
from evenkeel.execution.supervisor.venue_terms import Timing
from evenkeel.model.command import (
    AmendOrder,
    CancelEntry,
    CancelOrder,
    Command,
    LookUpOrder,
    PlaceOrder,
    SubmitEntry,
    SubmitExit,
    VenueCommand,
)
from evenkeel.model.decision import Decision
from evenkeel.model.errors import InvariantBroken
from evenkeel.model.event import BarsClosed, Event, Operated, PriceTold, SessionBegan, TimePassed
from evenkeel.model.halt import PERMITS, Halt, HaltCode
from evenkeel.model.ids import InstrumentId, Leg
from evenkeel.model.order import OrderState
from evenkeel.model.reason import ExitReason
from evenkeel.model.report import Executed, ExecutionBusted, LookedUp, OrderReported, SendResolved, VenueEvent
from evenkeel.risk.halt import expired, next_end_ns

ENTRIES_MAX = 1_000
"""So many entries one event may lead to; more is a fault of ours, and stops rather than spins."""


class HaltChanged(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="halt_changed", tag_field="type"):
    """What stops the account is another now.

    Attributes:
        halt: All of it.
    """

    halt: Halt


class OfDesk(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="of_desk", tag_field="type"):
    """What the core of a desk concluded or wished.

    Attributes:
        desk: Which.
        what: The decision, or the command as the core gives it to its venue.
    """

    desk: DeskId
    what: Decision | Command


AccountEvent: TypeAlias = BarsClosed | PriceTold | TimePassed | SessionBegan | Operated | VenueEvent
Entry: TypeAlias = OfDesk | HaltChanged | CloseTrade | VenueCommand


class SavedAccount(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an account keeps beside its parts, as it is stored; the names are those of `Account`."""

    now_ns: int
    halt: Halt
    prices: dict[InstrumentId, Decimal]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class AccountStep:
    """What one event led to.

    Attributes:
        event: The fact.
        entries: Decisions and commands, in the order in which they were concluded and folded.
    """

    event: AccountEvent
    entries: tuple[Entry, ...]

    @property
    def commands(self) -> tuple[VenueCommand, ...]:
        """What is to be carried out, in order."""
        return tuple(entry for entry in self.entries if isinstance(entry, VENUE_COMMANDS))


VENUE_COMMANDS = (PlaceOrder, AmendOrder, CancelOrder, LookUpOrder)


class Account:
    """One account at one venue, with all strategies that trade on it.

    Attributes:
        desks: By strategy and instrument.
        supervisor: Orders and trades.
        books: Positions and money.
        prices: Last price known of each instrument.
        findings: What should not be, since the last event.
        halt: What stops it.
        now_ns: Stamp of the last event.
    """

    def __init__(self, desks: Iterable[Desk], supervisor: Supervisor, books: Books, timing: Timing) -> None:
        self.halt = Halt()
        self.desks: Mapping[DeskId, Desk] = {desk.id: desk for desk in desks}
        self.supervisor, self.books, self._timing = supervisor, books, timing
        self.prices: dict[InstrumentId, Decimal] = {}
        self.findings: list[Finding] = []
        self.now_ns = 0
        self._told: list[tuple[Desk, DeskEvent]] = []

    def apply(self, event: AccountEvent) -> AccountStep:
        """Fold a fact, decide, fold what was decided, and return all of it."""
        self.fold(event)
        entries: list[Entry] = []
        self._decide_halt(event, entries)
        for desk, heard in self._heard(event):
            decisions, commands = desk.core.decide(heard)
            for what in (*decisions, *commands):
                self._conclude(OfDesk(desk=desk.id, what=what), entries)
        while (need := self._need()) is not None:
            self._conclude(need, entries)
        return AccountStep(event, tuple(entries))

    def _need(self) -> CloseTrade | VenueCommand | None:
        """Return what the supervisor needs next under the halt in force."""
        unowned = self._unowned()
        if unowned is not None:
            return unowned
        row = PERMITS[self.halt.level]
        flattens = row.flattens or self.halt.reason(HaltCode.OPERATOR_FLATTEN) is not None
        return next(
            self.supervisor.needs(self.now_ns, entries_allowed=row.keeps_entries and not flattens, flattens=flattens),
            None,
        )

    def _unowned(self) -> CloseTrade | None:
        """Return that a trade is to be closed which its core does not hold, such as a late fill of an older one."""
        for key, bracket in self.supervisor.brackets.items():
            desk = self.desks.get(DeskId(key.strategy, key.instrument))
            left = bracket.held != 0 and (bracket.closing is None or bracket.closing.quantity is not None)
            if left and desk is not None and not desk.holds(bracket):
                closing = Closing(reason=ExitReason.FORCE, leg=Leg.GUARD, since_ns=self.now_ns)
                return CloseTrade(key=key, closing=closing, why="its strategy does not hold this trade", alarm=False)
        return None

    def _decide_halt(self, event: AccountEvent, entries: list[Entry]) -> None:
        """Conclude what an operator's wish, or the time, makes of the halt."""
        after = expired(self.halt, self.now_ns)
        if isinstance(event, Operated):
            after = operated(after, event)
        if after != self.halt:
            self._conclude(HaltChanged(halt=after), entries)

    def fold(self, entry: AccountEvent | Entry) -> None:
        """Change the state by one entry of the journal; nothing else changes it."""
        if isinstance(entry, Event):
            self.now_ns, self.findings = entry.known_ns, []
            self._told = []
        match entry:
            case BarsClosed():
                self._fold_bars(entry)
            case PriceTold(instrument=instrument, last=last) if instrument is not None:
                self.prices[instrument] = last
                self.supervisor.price(instrument, last, entry.known_ns)
            case SessionBegan():
                self.supervisor.book.doubt(entry.known_ns)
                if entry.halt is not None and entry.halt.epoch > self.halt.epoch:
                    self.halt = entry.halt
            case SendResolved() | OrderReported() | Executed() | ExecutionBusted() | LookedUp():
                self._fold_heard(self.supervisor.fold(entry))
            case OfDesk():
                self._fold_desk(entry)
            case HaltChanged():
                self.halt = entry.halt
            case CloseTrade():
                self.supervisor.close_trade(entry.key, entry.closing)
            case PlaceOrder() | AmendOrder() | CancelOrder() | LookUpOrder():
                self._fold_heard(self.supervisor.fold_command(entry, self.now_ns))
        self.findings += self.supervisor.watch(self.now_ns)

    def parts(self) -> dict[str, Part]:
        """Return every piece of the state by name; a snapshot holds them, and nothing else."""
        desks = {f"desk {desk.id.strategy} {desk.id.instrument}": desk for desk in self.desks.values()}
        return {
            "account": self,
            "orders": self.supervisor.book,
            "trades": self.supervisor,
            "books": self.books,
            **desks,
        }

    def state(self) -> dict[str, msgspec.Struct]:
        """Return everything that the next decision depends on."""
        return {name: part.saved() for name, part in self.parts().items()}

    def saved(self) -> SavedAccount:
        """Return what is kept beside the parts, as it is stored."""
        return SavedAccount(now_ns=self.now_ns, halt=self.halt, prices=dict(self.prices), findings=tuple(self.findings))

    def restore(self, saved: bytes) -> None:
        """Take over what was stored."""
        state = msgspec.msgpack.decode(saved, type=SavedAccount)
        self.now_ns, self.halt, self.prices = state.now_ns, state.halt, state.prices
        self.findings = list(state.findings)

    def next_deadline(self) -> int | None:
        """Return when the account wants to be woken though nothing happens; None is never."""
        stamps = (self.supervisor.next_deadline(self.now_ns), next_end_ns(self.halt))
        return min((stamp for stamp in stamps if stamp is not None), default=None)

    def equity(self) -> Decimal | None:
        """Return what the account is worth at last prices; None where one of those is not known."""
        return self.books.equity(self.prices)

    def _conclude(self, entry: Entry, entries: list[Entry]) -> None:
        if len(entries) >= ENTRIES_MAX:
            raise InvariantBroken(f"one event led to more than {ENTRIES_MAX} entries; the last is {entry!r}")
        entries.append(entry)
        self.fold(entry)
        if isinstance(entry, OfDesk) and isinstance(entry.what, SubmitEntry):
            desk = self.desks[entry.desk]
            order = desk.order(entry.what, self.now_ns, self._timing.entry_life_ns)
            self._conclude(PlaceOrder(order=order, halt_epoch=self.halt.epoch), entries)
        elif isinstance(entry, OfDesk) and isinstance(entry.what, CancelEntry):
            order_of = self.supervisor.book.open.get(entry.what.client_id)
            if order_of is not None and order_of.state in (OrderState.WORKING, OrderState.PARTIAL):
                why = "the strategy withdrew it"
                self._conclude(CancelOrder(client_id=entry.what.client_id, why=why), entries)

    def _heard(self, event: AccountEvent) -> list[tuple[Desk, BarsClosed | DeskEvent]]:
        """Return what the cores are to decide on after an event."""
        if isinstance(event, BarsClosed):
            return [(desk, event) for desk in self._desks_of(event)]
        return list(self._told)

    def _desks_of(self, event: BarsClosed) -> list[Desk]:
        return [desk for desk in self.desks.values() if desk.id.instrument == event.instrument]

    def _fold_bars(self, event: BarsClosed) -> None:
        for desk in self._desks_of(event):
            desk.hear_bar(event)

    def _fold_desk(self, entry: OfDesk) -> None:
        desk = self.desks[entry.desk]
        match entry.what:
            case SubmitEntry() as command:
                desk.core.fold(command)
                order = desk.order(command, self.now_ns, self._timing.entry_life_ns)
                self.supervisor.open_trade(desk.bracket(command), order)
            case SubmitExit() as command:
                held = desk.core.state.position
                desk.core.fold(command)
                if held is not None:
                    key = TradeKey(desk.id.strategy, desk.id.instrument, held.trade)
                    self.supervisor.close_trade(key, desk.closing(command, self.now_ns))
            case CancelEntry():
                pass
            case _:
                desk.core.fold(entry.what)

    def _fold_heard(self, heard: Heard) -> None:
        """Carry what the supervisor heard over to the books and the cores."""
        self.findings += heard.findings
        for key, counted in heard.fills:
            owner = Owner(key.strategy, key.instrument)
            gross = self.books.fill(owner, counted.quantity, counted.value, counted.fee, counted.order.sign)
            desk = self.desks.get(DeskId(key.strategy, key.instrument))
            if desk is None or not counted.quantity:
                continue
            self._note(desk, desk.hear_fill(self.supervisor.brackets[key], counted, gross, self.now_ns))
        for key, stray in heard.strayed:
            self._fold_stray(key, stray)
        for order, _ in heard.moved:
            desk = self.desks.get(DeskId(order.strategy, order.instrument))
            if desk is not None:
                self._note(desk, desk.hear_move(order, self.now_ns))

    def _fold_stray(self, key: TradeKey, stray: Strayed) -> None:
        """Book what changed hands under an order that cannot have done it, to the strategy whose order it was."""
        owner = Owner(key.strategy, stray.instrument)
        side = 1 if stray.quantity > 0 else -1
        if not self.books.knows(stray.instrument):
            return
        gross = self.books.fill(owner, stray.quantity, stray.value * side, stray.fee, side)
        desk = self.desks.get(DeskId(key.strategy, stray.instrument))
        if desk is not None and stray.instrument == key.instrument:
            price = stray.value / stray.quantity
            self._note(desk, desk.hear_change(key.trade, stray.quantity, price, stray.fee, gross, self.now_ns))

    def _note(self, desk: Desk, event: DeskEvent | None) -> None:
        """Remember what a core heard, for it to decide on."""
        if event is not None:
            self._told.append((desk, event))
