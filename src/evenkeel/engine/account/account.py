"""The account: events in, decisions and commands out, state by folding only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from evenkeel.engine.account import comparing, folding, gateway, watching
from evenkeel.engine.account.desk import Desk, DeskEvent, DeskId
from evenkeel.engine.account.entry import AccountEvent, AccountStep, Entry, HaltChanged, OfDesk
from evenkeel.engine.account.our_side import EXTERNAL
from evenkeel.engine.account.outside import Ear
from evenkeel.engine.account.pace import Pacer
from evenkeel.engine.account.part import Part
from evenkeel.engine.account.rails import Rails, Resumed, ResumeDenied
from evenkeel.engine.account.recon_record import Reconciled, cadence_of, policy_of
from evenkeel.engine.account.reconciling import Reconciling
from evenkeel.engine.account.startup import Startup, StepTaken
from evenkeel.execution.books import Books
from evenkeel.execution.findings import Finding
from evenkeel.execution.reconcile.terms import Withdraw
from evenkeel.execution.supervisor.bracket import Closing
from evenkeel.execution.supervisor.supervisor import CloseTrade, Need, Supervisor
from evenkeel.execution.supervisor.venue_terms import Timing
from evenkeel.model.command import (
    AskVenue,
    LookUpOrder,
    SubmitEntry,
)
from evenkeel.model.decision import EntryApproved, EntryRefused
from evenkeel.model.errors import InvariantBroken
from evenkeel.model.event import (
    BarsClosed,
)
from evenkeel.model.halt import PERMITS, Halt
from evenkeel.model.ids import InstrumentId, Leg
from evenkeel.model.instrument import Instrument
from evenkeel.model.order import VenueOrder
from evenkeel.model.reason import ExitReason, Reason
from evenkeel.model.told import ResumeAsked
from evenkeel.model.truth import TruthTold
from evenkeel.risk.gates.judged import judged
from evenkeel.risk.gates.verdict import Approved, Refused
from evenkeel.risk.halt_facts import Compared
from evenkeel.risk.limits.limits import Limits

ENTRIES_MAX = 1_000
"""So many entries one event may lead to; more is a fault of ours, and stops rather than spins."""


class SavedAccount(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an account keeps beside its parts, as it is stored; the names are those of `Account`."""

    now_ns: int
    halt: Halt
    prices: dict[InstrumentId, Decimal]
    findings: tuple[Finding, ...]


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
        timing: How long its orders may take.
        heard: What the cores of desks heard of the last event, for them to decide on.
        now_ns: Stamp of the last event.
    """

    def __init__(
        self, desks: Iterable[Desk], supervisor: Supervisor, books: Books, timing: Timing, limits: Limits
    ) -> None:  # fmt: skip
        self.halt, self.limits = Halt(), limits
        self.desks: Mapping[DeskId, Desk] = {desk.id: desk for desk in desks}
        self.supervisor, self.books, self.timing = supervisor, books, timing
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
        self.heard: list[tuple[Desk, DeskEvent]] = []
        self._hashes: Mapping[DeskId, str] = {}

    def apply(self, event: AccountEvent) -> AccountStep:
        """Fold a fact, decide, fold what was decided, and return all of it."""
        woken = [(desk, event) for desk in self.desks_of(event)] if isinstance(event, BarsClosed) else []
        self.fold(event)
        entries: list[Entry] = []
        self._decide_halt(event, entries)
        if isinstance(event, TruthTold) and self.reconciling.is_answer(event):
            self._reconcile(comparing.compare(self, event), entries)
        heard: list[tuple[Desk, BarsClosed | DeskEvent]] = [*woken, *self.heard]
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
        """Return why a desk may not enter before its gates are asked, if so."""
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
        return desk.entry(command, self.now_ns, self.timing.entry_life_ns, collar_bps)

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
        """Conclude what a comparison found, and its repairs; what stops the account is raised by triggers."""
        self._conclude(found, entries)
        for need in comparing.needs(self, found.plan):
            self._meet(need, entries)

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
        folding.fold(self, entry)

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

    def definition(self, instrument: InstrumentId) -> Instrument | None:
        """Return the definition of an instrument: the venue's, else that of a desk; None is not known."""
        told = self.outside.state.instruments.get(instrument)
        if told is not None and told.definition is not None:
            return told.definition
        return self._definitions.get(instrument)

    def desks_of(self, event: BarsClosed) -> list[Desk]:
        """Return the desks to which a bar is news."""
        return [desk for desk in self.desks.values() if desk.id.instrument == event.instrument and desk.is_next(event)]
