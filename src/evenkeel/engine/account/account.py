"""The account: events in, decisions and commands out, state by folding only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

import msgspec

from evenkeel.engine.account import comparing, gateway, live, watching
from evenkeel.engine.account.desk import Desk, DeskEvent, DeskId
from evenkeel.engine.account.our_side import EXTERNAL
from evenkeel.engine.account.outside import Ear, waiver_key
from evenkeel.engine.account.pace import Pacer
from evenkeel.engine.account.part import Part
from evenkeel.engine.account.rails import Rails, Resumed, ResumeDenied
from evenkeel.engine.account.recon_record import Reconciled, cadence_of, policy_of
from evenkeel.engine.account.reconciling import Reconciling
from evenkeel.engine.account.startup import Startup, StepTaken
from evenkeel.execution.books import Books, Owner
from evenkeel.execution.findings import Finding, FindingCode, Strayed
from evenkeel.execution.reconcile.terms import Withdraw
from evenkeel.execution.supervisor.bracket import Closing
from evenkeel.execution.supervisor.supervisor import CloseTrade, Heard, Need, Supervisor, TradeKey
from evenkeel.execution.supervisor.venue_terms import Timing
from evenkeel.model.command import (
    AmendOrder,
    AskVenue,
    CancelEntry,
    CancelOrder,
    Command,
    LookUpOrder,
    PlaceOrder,
    SubmitEntry,
    SubmitExit,
    VenueCommand,
)
from evenkeel.model.decision import Decision, EntryApproved, EntryRefused, StrategyRemembered
from evenkeel.model.errors import InvariantBroken
from evenkeel.model.event import (
    BarsClosed,
    BarsSettled,
    BaseClosed,
    Event,
    Operated,
    PriceTold,
    SessionBegan,
    SideTold,
    TimePassed,
)
from evenkeel.model.halt import PERMITS, Halt
from evenkeel.model.ids import InstrumentId, Leg
from evenkeel.model.instrument import Instrument
from evenkeel.model.market_told import MarketEvent
from evenkeel.model.order import VenueOrder
from evenkeel.model.reason import ExitReason, Reason
from evenkeel.model.report import Executed, ExecutionBusted, LookedUp, OrderReported, SendResolved, VenueEvent
from evenkeel.model.told import LinkChanged, ResumeAsked, ToldEvent, Waived
from evenkeel.model.truth import DifferenceAccepted, TruthTold
from evenkeel.risk.gates.judged import Judged, judged
from evenkeel.risk.gates.verdict import Approved, Refused
from evenkeel.risk.halt import raised
from evenkeel.risk.halt_facts import Compared
from evenkeel.risk.limits.limits import Limits

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


AccountEvent: TypeAlias = (
    BarsClosed
    | BaseClosed
    | BarsSettled
    | SideTold
    | PriceTold
    | TimePassed
    | SessionBegan
    | Operated
    | VenueEvent
    | ToldEvent
    | MarketEvent
    | TruthTold
    | DifferenceAccepted
)
Entry: TypeAlias = (
    OfDesk | HaltChanged | Resumed | ResumeDenied | Judged | CloseTrade | Reconciled | StepTaken | VenueCommand
)


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


VENUE_COMMANDS = (PlaceOrder, AmendOrder, CancelOrder, LookUpOrder, AskVenue)


class Account:
    """One account at one venue, with all strategies that trade on it.

    Attributes:
        desks: By strategy and instrument.
        supervisor: Orders and trades.
        books: Positions and money.
        prices: Last price known of each instrument.
        findings: What should not be, since the last event.
        halt: What stops it.
        limits: Of its profile.
        reconciling: How books and venue compare.
        startup: What the start of the session has come to.
        now_ns: Stamp of the last event.
    """

    def __init__(
        self, desks: Iterable[Desk], supervisor: Supervisor, books: Books, timing: Timing, limits: Limits
    ) -> None:  # fmt: skip
        self.halt, self.limits = Halt(), limits
        self.desks: Mapping[DeskId, Desk] = {desk.id: desk for desk in desks}
        self.supervisor, self.books, self._timing = supervisor, books, timing
        self.prices: dict[InstrumentId, Decimal] = {}
        self.findings: list[Finding] = []
        self.supervisor.stops_needed = limits.trade.stop_required
        self.outside, self.pacer = Ear(), Pacer(limits.pace)
        self.rails = Rails(limits)
        self._definitions = {desk.id.instrument: desk.instrument for desk in self.desks.values()}
        self.reconciling = Reconciling(
            {name: definition.lot_size for name, definition in self._definitions.items()},
            policy_of(supervisor.identity.mode, limits, supervisor.book.visible_ns), cadence_of(limits),
        )  # fmt: skip
        self.startup = Startup(supervisor, self.reconciling)
        self.now_ns = 0
        self._told: list[tuple[Desk, DeskEvent]] = []
        self._hashes: Mapping[DeskId, str] = {}

    def apply(self, event: AccountEvent) -> AccountStep:
        """Fold a fact, decide, fold what was decided, and return all of it."""
        woken = [(desk, event) for desk in self._desks_of(event)] if isinstance(event, BarsClosed) else []
        self.fold(event)
        entries: list[Entry] = []
        self._decide_halt(event, entries)
        if isinstance(event, TruthTold) and self.reconciling.is_answer(event):
            self._reconcile(comparing.compare(self, event), entries)
        heard: list[tuple[Desk, BarsClosed | DeskEvent]] = [*woken, *self._told]
        for desk, what in heard:
            self._decide(desk, what, entries)
        while (need := self._need()) is not None:
            self._meet(need, entries)
        return AccountStep(event, tuple(entries))

    def _decide(self, desk: Desk, heard: BarsClosed | DeskEvent, entries: list[Entry]) -> None:
        """Conclude what a core decides, each entry as the gates let it."""
        decisions, commands = desk.core.decide(heard)
        wish = next((command for command in commands if isinstance(command, SubmitEntry)), None)
        approval = next((decision for decision in decisions if isinstance(decision, EntryApproved)), None)
        verdict: Approved | Refused | None = None
        refused = self._refused(desk)
        if wish is not None and approval is not None and refused is not None:
            decisions = tuple(refused if one is approval else one for one in decisions)
            commands = tuple(one for one in commands if one is not wish)
        elif wish is not None and approval is not None:
            verdict = gateway.ask_entry(self, desk, approval, wish, self._entry(desk, wish))
            self._conclude(judged(verdict), entries)
            decisions, commands = gateway.answered(verdict, decisions, commands)
        for what in (*decisions, *commands):
            self._conclude(OfDesk(desk=desk.id, what=what), entries)
            if isinstance(what, SubmitEntry) and isinstance(verdict, Approved):
                self._conclude(gateway.placed(verdict, self._entry(desk, what)), entries)

    def _refused(self, desk: Desk) -> EntryRefused | None:
        """Return why a desk may not enter under any profile, if so."""
        blocked = self.reconciling.blocked.get(desk.id.instrument)
        if blocked is not None:
            words = f"{desk.id.instrument} is blocked since a comparison with the venue found {blocked}"
            return EntryRefused(reason=Reason.RECON_UNHEALTHY, detail=words)
        if self._has_entry(desk):
            words = "an entry or a position of before is still at the venue"
            return EntryRefused(reason=Reason.POSITION_EXISTS, detail=words)
        return None

    def _has_entry(self, desk: Desk) -> bool:
        """Whether an entry or a position that its core takes for over is still at the venue: none is added to it."""
        trades = self.supervisor.brackets.items()
        if any(one.held and DeskId(key.strategy, key.instrument) == desk.id for key, one in trades):
            return True
        at_work = (order for order in self.supervisor.book.open.values() if order.leg is Leg.ENTRY)
        return any((order.strategy, order.instrument) == (desk.id.strategy, desk.id.instrument) for order in at_work)

    def _entry(self, desk: Desk, command: SubmitEntry) -> VenueOrder:
        prices = self.limits.prices
        collar_bps = prices.market_collar_bps if prices.market_entries else None
        return desk.entry(command, self.now_ns, self._timing.entry_life_ns, collar_bps)

    def _need(self) -> Need | StepTaken | AskVenue | HaltChanged | None:
        """Return what is needed next under the halt in force: orders first, then steps of the start and questions."""
        stopped = watching.stopped(self)
        if stopped != self.halt:
            return HaltChanged(halt=stopped)
        unowned = self._unowned()
        if unowned is not None:
            return unowned
        flattens, keeps = watching.flattens(self), PERMITS[self.halt.level].keeps_entries
        needs = self.supervisor.needs(self.now_ns, entries_allowed=keeps and not flattens, flattens=flattens)
        need = next((need for need in needs if not self._waits(need)), None)
        return need or self.startup.need() or self.reconciling.need(self.now_ns)

    def _waits(self, need: Need) -> bool:
        return not isinstance(need, CloseTrade | LookUpOrder) and self.pacer.waits(gateway.key_of(need), self.now_ns)

    def _reconcile(self, found: Reconciled, entries: list[Entry]) -> None:
        """Conclude what a comparison found, and its repairs."""
        self._conclude(found, entries)
        for need in comparing.needs(self, found.plan):
            self._meet(need, entries)
        after = raised(self.halt, *comparing.reasons(found.plan, self.now_ns))
        if after != self.halt:
            self._conclude(HaltChanged(halt=after), entries)

    def _meet(self, need: Need | Withdraw | StepTaken | AskVenue | HaltChanged, entries: list[Entry]) -> None:
        """Conclude what is needed; what would change an order passes the gates first."""
        if isinstance(need, CloseTrade | LookUpOrder | StepTaken | AskVenue | HaltChanged):
            self._conclude(need, entries)
            return
        verdict = gateway.ask(self, need)
        self._conclude(judged(verdict), entries)
        if isinstance(verdict, Approved):
            self._conclude(gateway.commanded(verdict, need, self.supervisor.book), entries)

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
        """Conclude what the event, an operator's wish, or the time makes of the halt."""
        after = watching.decided(self, event)
        if isinstance(after, ResumeDenied):
            self._conclude(after, entries)
        elif after != self.halt:
            if isinstance(event, ResumeAsked):
                self._conclude(Resumed(rebase=event.rebase), entries)
            self._conclude(HaltChanged(halt=after), entries)
        stopped = watching.stopped(self)
        if stopped != self.halt:
            self._conclude(HaltChanged(halt=stopped), entries)

    def fold(self, entry: AccountEvent | Entry) -> None:
        """Change the state by one entry of the journal; nothing else changes it."""
        if isinstance(entry, Event):
            self.now_ns, self.findings = entry.known_ns, []
            self._told = []
            self.outside.fold(entry)
            self.pacer.fold(entry)
            self.rails.fold(entry)
            self.startup.hear(entry)
        known = len(self.findings)
        match entry:
            case BarsClosed():
                self._fold_bars(entry)
            case BaseClosed() | BarsSettled() | SideTold():
                self._fold_market(entry)
            case PriceTold(instrument=instrument, last=last) if instrument is not None and _is_price(last):
                self.prices[instrument] = last
                self.supervisor.price(instrument, last, entry.known_ns)
            case Waived(instrument=instrument) if instrument is not None:
                self.supervisor.waive(entry.strategy, instrument, entry.until_ns)
            case SessionBegan():
                self.supervisor.book.doubt(entry.known_ns)
                self.reconciling.begin(entry.known_ns)
            case SendResolved() | OrderReported() | Executed() | ExecutionBusted() | LookedUp():
                self.fold_heard(self.supervisor.fold(entry))
            case OfDesk():
                self._fold_desk(entry)
            case LinkChanged():
                self.reconciling.link(entry)
            case Reconciled():
                comparing.fold_reconciled(self, entry)
            case StepTaken():
                self.startup.fold(entry)
            case DifferenceAccepted(instrument=instrument) if instrument is not None:
                comparing.fold_accepted(self, instrument)
            case HaltChanged():
                self.halt = entry.halt
            case Resumed():
                self.rails.resumed(rebase=entry.rebase)
            case CloseTrade():
                self.supervisor.close_trade(entry.key, entry.closing)
            case Judged():
                self._fold_verdict(entry)
            case AskVenue():
                self.reconciling.ask(entry)
            case CancelOrder(venue_id=str()):
                self.reconciling.withdraw(entry, self.now_ns)
            case PlaceOrder() | AmendOrder() | CancelOrder() | LookUpOrder():
                self._fold_command(entry)
        for finding in self.supervisor.watch(self.now_ns):
            self.findings.append(finding)
            if finding.code is FindingCode.DUST:
                self._release(finding)
        watching.note_end(self)
        self.reconciling.hear(self.findings[known:], self.now_ns)
        self.reconciling.pass_time(self.now_ns)

    def _release(self, finding: Finding) -> None:
        """Let a core go of a trade of which less than a lot is left; the books keep that."""
        order = None if finding.client_id is None else self.supervisor.book.get(finding.client_id)
        desk = None if order is None else self.desks.get(DeskId(order.strategy, order.instrument))
        held = None if desk is None else desk.core.state.position
        if order is not None and desk is not None and held is not None:
            none = Decimal(0)
            self._note(desk, desk.hear_change(order.trade, -held.quantity, held.price, none, none, self.now_ns))

    def take_up(self, hashes: Mapping[DeskId, str]) -> list[DeskId]:
        """Fold the beginning of a session; return the desks whose strategy is another than in the session before.

        Orders, trades and books go on. What a strategy of other code or parameters remembered is not given to this one.

        Args:
            hashes: What the strategy of each desk was made of in that session.
        """
        changed = []
        for identity, desk in self.desks.items():
            recorded, before = hashes.get(identity), self._hashes.get(identity)
            desk.estranged = recorded != desk.core.strategy.hash
            if before is not None and recorded != before:
                changed.append(identity)
                desk.core.forget()
        self._hashes = hashes
        return changed

    def parts(self) -> dict[str, Part]:
        """Return every piece of the state by name; a snapshot holds them, and nothing else."""
        desks = {f"desk {desk.id.strategy} {desk.id.instrument}": desk for desk in self.desks.values()}
        return {
            "account": self,
            "orders": self.supervisor.book,
            "trades": self.supervisor,
            "books": self.books,
            "outside": self.outside,
            "pace": self.pacer,
            "rails": self.rails,
            "reconciliation": self.reconciling,
            "start": self.startup,
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
        stamps = (
            self.supervisor.next_deadline(self.now_ns), self.pacer.next_deadline(self.now_ns),
            watching.next_stop_ns(self),
            self.reconciling.next_deadline(self.now_ns),
        )  # fmt: skip
        return min((stamp for stamp in stamps if stamp is not None), default=None)

    @property
    def compared(self) -> Compared:
        """What the comparisons with the venue found, as halts and the resume procedure read it."""
        held = self.books.holdings.items()
        return self.reconciling.compared(
            owner.instrument for owner, holding in held if owner.strategy == EXTERNAL and holding.quantity
        )

    def equity(self) -> Decimal | None:
        """Return what the account is worth at last prices; None where one of those is not known."""
        return self.books.equity(self.prices)

    def _conclude(self, entry: Entry, entries: list[Entry]) -> None:
        if len(entries) >= ENTRIES_MAX:
            raise InvariantBroken(f"one event led to more than {ENTRIES_MAX} entries; the last is {entry!r}")
        entries.append(entry)
        self.fold(entry)

    def _fold_verdict(self, entry: Judged) -> None:
        """Note what the gates answered; that something which reduces was held back must be looked at."""
        definition = self.definition(entry.instrument)
        self.pacer.judged(entry, None if definition is None else definition.kind, self.now_ns)
        if entry.is_refused and not entry.opens:
            detail = f"{entry.purpose} of {entry.quantity} {entry.instrument}: {entry.reason}"
            self.findings.append(Finding(code=FindingCode.HELD_BACK, client_id=entry.client_id, detail=detail))

    def _fold_command(self, command: PlaceOrder | AmendOrder | CancelOrder | LookUpOrder) -> None:
        order = command.order if isinstance(command, PlaceOrder) else self.supervisor.book.get(command.client_id)
        if order is not None:
            if isinstance(command, PlaceOrder):
                self.rails.sent(command, self.now_ns)
            self.pacer.commanded(command, order.instrument, order.strategy, self.now_ns)
        self.fold_heard(self.supervisor.fold_command(command, self.now_ns))

    def definition(self, instrument: InstrumentId) -> Instrument | None:
        """Return the definition of an instrument: the venue's, else that of a desk; None is not known."""
        told = self.outside.state.instruments.get(instrument)
        if told is not None and told.definition is not None:
            return told.definition
        return self._definitions.get(instrument)

    def _desks_of(self, event: BarsClosed) -> list[Desk]:
        """Return the desks to which a bar is news."""
        return [desk for desk in self.desks.values() if desk.id.instrument == event.instrument and desk.is_next(event)]

    def _fold_market(self, event: live.LiveEvent) -> None:
        """Fold what a feed told of the bars of an instrument: stops follow them, and features that are live."""
        if isinstance(event, BaseClosed) and event.instrument is not None:
            self.supervisor.base_closed(event.instrument, event.close, event.event_ns)
        self.findings += live.hear(self.desks.values(), event)

    def _fold_bars(self, event: BarsClosed) -> None:
        for desk in self._desks_of(event):
            desk.hear_bar(event)
        if event.instrument is not None:
            self.supervisor.bar_closed(event.instrument, event.bar)

    def _fold_desk(self, entry: OfDesk) -> None:
        desk = self.desks[entry.desk]
        match entry.what:
            case SubmitEntry() as command:
                desk.core.fold(command)
                order = desk.order(command, self.now_ns, self._timing.entry_life_ns)
                bracket = msgspec.structs.replace(desk.bracket(command), waived_until_ns=self._waived_until(desk))
                self.supervisor.open_trade(bracket, order)
            case SubmitExit() as command:
                held = desk.core.state.position
                desk.core.fold(command)
                if held is not None:
                    key = TradeKey(desk.id.strategy, desk.id.instrument, held.trade)
                    self.supervisor.close_trade(key, desk.closing(command, self.now_ns))
            case CancelEntry() as command:
                self.supervisor.withdraw(command.client_id)
            case StrategyRemembered() if desk.estranged:
                pass
            case _:
                desk.core.fold(entry.what)

    def _waived_until(self, desk: Desk) -> int | None:
        return self.outside.state.waivers.get(waiver_key(desk.id.strategy, desk.id.instrument))

    def fold_heard(self, heard: Heard) -> None:
        """Carry what the supervisor heard over to the books and the cores."""
        self.findings += heard.findings
        for key, counted in heard.fills:
            owner = Owner(key.strategy, key.instrument)
            gross = self.books.fill(owner, counted.quantity, counted.value, counted.fee, counted.order.sign)
            watching.note_fill(self, key, counted, gross)
            desk = self.desks.get(DeskId(key.strategy, key.instrument))
            if desk is None or not counted.quantity:
                continue
            self._note(desk, desk.hear_fill(self.supervisor.brackets[key], counted, gross, self.now_ns))
        for key, stray in heard.strayed:
            self._fold_stray(key, stray)
        for instrument in dict.fromkeys(key.instrument for key, _ in heard.fills):
            self.reconciling.move(instrument, self.now_ns)
        for order, _ in heard.moved:
            self.rails.moved(order)
            desk = self.desks.get(DeskId(order.strategy, order.instrument))
            if desk is not None:
                self._note(desk, desk.hear_move(order, self.now_ns))

    def _fold_stray(self, key: TradeKey, stray: Strayed) -> None:
        """Book what changed hands under an order that cannot have done it, to the strategy whose order it was."""
        if self.books.knows(stray.instrument):
            self.fold_change(key, stray.instrument, stray.quantity, stray.value / stray.quantity, stray.fee)

    def fold_change(
        self, key: TradeKey, instrument: InstrumentId, quantity: Decimal, price: Decimal, fee: Decimal
    ) -> None:  # fmt: skip
        """Book units of a trade that changed hands by no order of its own, and tell the core that holds it."""
        side = 1 if quantity > 0 else -1
        gross = self.books.fill(Owner(key.strategy, instrument), quantity, abs(quantity) * price, fee, side)
        desk = self.desks.get(DeskId(key.strategy, instrument))
        if desk is not None and instrument == key.instrument:
            self._note(desk, desk.hear_change(key.trade, quantity, price, fee, gross, self.now_ns))

    def _note(self, desk: Desk, event: DeskEvent | None) -> None:
        """Remember what a core heard, for it to decide on."""
        if event is not None:
            self._told.append((desk, event))


def _is_price(value: Decimal) -> bool:
    """Whether a feed told a price at all; what is none is as if it had not come, and the last one grows old."""
    return value.is_finite() and value > 0
