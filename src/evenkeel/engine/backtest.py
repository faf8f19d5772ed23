"""The engine lane's backtest driver: the core, its journal, and the simulated venue paused at each report.

    pause of the venue -> event -> core.apply -> journal -> commands carried out -> venue goes on

No command is carried out before it and everything before it have left the process (`Journal.barrier`). A run that was
killed is taken up again: the venue, which lives in this process only, is rebuilt by passing the same bars with the
recorded commands; the core folds what was recorded and decides nothing again; then the run goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol

import msgspec

from evenkeel.engine.core import Core, RunFacts, Step
from evenkeel.engine.market import Market, Stretch
from evenkeel.engine.record import (
    EXIT_NUMBERS,
    LEGS,
    STOPS,
    DeadEntry,
    Fill,
    Funding,
    RunRecord,
    carried,
    death_reason,
    fill_event,
    funding_amount,
    is_death,
    is_funding,
)
from evenkeel.engine.research import END_REASONS, EquityCurve, Progress, death_stamp
from evenkeel.features.timeline import FeatureRun
from evenkeel.model.bar import Floats
from evenkeel.model.command import CancelEntry, Command, SubmitEntry, SubmitExit
from evenkeel.model.decision import CancelOrdered, Decision, EntryRefused
from evenkeel.model.errors import InvariantBroken, invariant
from evenkeel.model.event import (
    AnyEvent,
    BarsClosed,
    FundingPosted,
    LimitBreached,
    OrderAccepted,
    OrderDied,
    PortfolioOrdered,
    PortfolioStated,
    StretchEnded,
)
from evenkeel.model.ids import ClientId, InstrumentId, Leg
from evenkeel.model.intent import OrderKind
from evenkeel.model.number import money_from_postings, to_decimal, to_float
from evenkeel.model.order import Order, OrderState
from evenkeel.model.reason import ExitReason, Reason, StopReason
from evenkeel.risk.gates.entry import EntryGates
from evenkeel.strategies.decision import EntryKind
from evenkeel.strategies.strategy import Strategy
from evenkeel.venues.simulated import loop
from evenkeel.venues.simulated.book import Book, Ledger, Pause, Price, Report
from evenkeel.venues.simulated.venue import SimulatedVenue, Told

_KIND_NUMBERS = {
    OrderKind.MARKET: int(EntryKind.MARKET),
    OrderKind.LIMIT: int(EntryKind.LIMIT),
    OrderKind.STOP: int(EntryKind.STOP),
    OrderKind.STOP_LIMIT: int(EntryKind.STOP_LIMIT),
}
_MISSING = float("nan")
_EXEC, _ROW, _LOTS, _EXIT = (int(place) for place in (Book.EXEC, Book.ROW, Book.LOTS, Book.EXIT))
_REPORT_ROW, _REPORT_LEG, _PRICE_FILL = int(Report.ROW), int(Report.LEG), int(Price.FILL)
"""Plain integers: an array takes three times as long to be asked by a member of an enumeration."""


class StepLog(Protocol):
    """Where steps are written before their commands leave."""

    def write(self, step: Step) -> None:
        """Append a step; return only when it has left this process if it holds commands."""


class StretchFeatures:
    """The features of the stretch that is being run, as the core reads them."""

    def __init__(self) -> None:
        self._stretch: Stretch | None = None
        self._run: FeatureRun | None = None

    def open(self, stretch: Stretch, run: FeatureRun) -> None:
        """Turn to a stretch."""
        self._stretch, self._run = stretch, run

    def at(self, segment: int, bar: int) -> tuple[Floats, int, int, float]:
        """Return window, column, close time and close of an execution bar of the current block."""
        run, stretch = self._run, self._stretch
        if run is None or stretch is None or stretch.number != segment or not run.start <= bar < run.stop:
            raise InvariantBroken(f"features of bar {bar} of stretch {segment} were asked for out of turn")
        bars = run.bars.bars
        return run.x, run.column + bar, bars.close_ns.item(bar), bars.close.item(bar)


class Joint:
    """What the instruments of one account share beside its ledger: one inbox, one journal, one order of fills.

    Attributes:
        recorded: Steps of an earlier session, not yet folded.
        known_ns: Stamp of the last event in the inbox.
        fills: How many fills there were.
    """

    def __init__(self, recorded: Sequence[Step]) -> None:
        self.recorded: Iterator[Step] = iter(recorded)
        self.known_ns = 0
        self.fills = 0


@dataclass(frozen=True, slots=True)
class Place:
    """The place of an instrument on an account that it shares.

    Attributes:
        venue: Its venue.
        instrument: Its id; its facts carry it.
        joint: What it shares.
    """

    venue: SimulatedVenue
    instrument: InstrumentId
    joint: Joint


class Due(NamedTuple):
    """A pause of the venue that has not been handled.

    Attributes:
        time_ns: When what it tells is known.
        pause: Why the venue paused; END is the end of a stretch.
    """

    time_ns: int
    pause: Pause


class BacktestDriver:
    """One engine-lane backtest.

    Attributes:
        core: The state machine.
        record: What has happened so far.
        decisions: Every decision with the time of its event, for `decisions.parquet`.
        order: Number of each fill among those of the run, from 0.
    """

    def __init__(
        self,
        facts: RunFacts,
        strategy: Strategy,
        market: Market,
        *,
        log: StepLog | None = None,
        recorded: Sequence[Step] = (),
        on_command: Callable[[Command], None] | None = None,
        timer: Callable[[], float] | None = None,
        place: Place | None = None,
    ) -> None:
        """Prepare a run.

        Args:
            facts: Ids and start equity.
            strategy: What decides.
            market: What it runs on.
            log: Where new steps are written; None keeps no journal.
            recorded: Steps of an earlier session, to be folded before anything is decided.
            on_command: Told of each new command as it leaves for the venue.
            timer: Seconds on a monotonic clock.
            place: On an account that several instruments share; who walks them calls `open_stretch`, `handle`, `limit`
                and `end_stretch`.
        """
        self._strategy, self._market, self._log = strategy, market, log
        self._features = StretchFeatures()
        self.core = Core(facts, strategy, EntryGates(strategy.terms, strategy.instrument), self._features)
        self._venue = (
            SimulatedVenue(
                strategy.terms, strategy.instrument, wake_flat=strategy.wake_flat, wake_hold=strategy.wake_hold,
                timer=timer,
            )
            if place is None
            else place.venue
        )  # fmt: skip
        self._joint = Joint(recorded) if place is None else place.joint
        self._tag = None if place is None else place.instrument
        self._on_command = on_command
        self._lot = strategy.instrument.lot_grid
        self._orders: dict[Leg, Order] = {}
        self._fills: list[Fill] = []
        self._dead_entries: list[DeadEntry] = []
        self._fundings: list[Funding] = []
        self.record = RunRecord("engine", fills=self._fills, dead_entries=self._dead_entries, fundings=self._fundings)
        self.decisions: list[tuple[int, Decision]] = []
        self.order: list[int] = []

    def run(self, progress: Progress | None = None) -> RunRecord:
        """Run to the end of the data or to the stop of the run."""
        for _ in self.pauses(progress):
            pass
        return self.record

    def pauses(self, progress: Progress | None = None, *, step: bool = False) -> Iterator[Due]:
        """Run, and hand over each pause of the venue before it is handled: who runs several can take the earliest.

        Args:
            progress: Told of base bars passed.
            step: Pause also after each base bar in which something is held or an entry is at work.
        """
        curve = EquityCurve()
        for stretch in self._market.stretches:
            features = FeatureRun(self._strategy.program, stretch.series)
            self.open_stretch(stretch, features)
            self._venue.open_stretch(
                features, stretch.series, first_exec=stretch.first_exec, carry=stretch.carry, mark=stretch.mark,
                index=stretch.index,
            )  # fmt: skip
            yield from self._stretch_pauses(stretch, step=step)
            yield Due(int(stretch.series.base.close_ns[-1]), Pause.END)
            curve.take(self._venue, stretch, features)
            self.end_stretch(stretch)
            if progress is not None:
                progress(len(stretch.series.base))
            if self.core.state.stopped is not None:
                break
        curve.finish(self._venue, self.record)
        self._check_books()

    def _stretch_pauses(self, stretch: Stretch, *, step: bool) -> Iterator[Due]:
        closes, executions = stretch.series.base.close_ns, stretch.series.on(stretch.exec).bars.close_ns
        book = self._venue.book.data
        while (pause := self._venue.advance(step=step)) is not Pause.END:
            invariant(pause is not Pause.FULL, "reports are taken at each pause, so there is always space for more")
            if pause is Pause.WAKE:
                closed = executions.item(book[_EXEC])
            else:
                closed = closes.item(book[_ROW] - (pause is Pause.TIMER))
            yield Due(closed, pause)
            self.handle(pause, closed, stretch)

    def handle(self, pause: Pause, closed: int, stretch: Stretch) -> None:
        """Tell the core what the venue paused for, and carry out what it commands.

        Args:
            pause: Why.
            closed: Close of the bar at which it paused.
            stretch: In which that lies.
        """
        if pause is Pause.REPORT:
            self._tell_reports(stretch)
        elif pause is Pause.LIMIT:
            self.limit(closed)
        elif pause is Pause.WAKE and self._may_decide():
            bar = self._venue.book.item(_EXEC)
            equity, free = self._money()
            self._step(
                BarsClosed(
                    event_ns=closed, known_ns=self._now(closed), segment=stretch.number, bar=bar, equity=equity,
                    free=free, day_trades=self._venue.day_trades,
                )
            )  # fmt: skip

    def _may_decide(self) -> bool:
        """Whether a strategy that woke is still to be asked: a playbook may have ordered it out, or stopped, since."""
        return self.core.state.stopped is None and self._venue.book.item(_EXIT) == 0

    def _money(self) -> tuple[Decimal | None, Decimal | None]:
        """Return equity and free margin of an account that is shared; the core knows that of one instrument."""
        if self._tag is None:
            return None, self._venue.free
        ledger = self._venue.ledger
        equity = int(ledger[Ledger.CASH] + ledger[Ledger.OPEN])
        free = self._venue.free
        if free is None:
            free = money_from_postings(equity - int(ledger[Ledger.USED]))
        return money_from_postings(equity), free

    def open_stretch(self, stretch: Stretch, features: FeatureRun) -> None:
        """Let the core read the features of a stretch that begins."""
        self._features.open(stretch, features)

    def tell(self, event: PortfolioStated | PortfolioOrdered) -> None:
        """Pass what the playbook says to the core, between two pauses; it enters the inbox now."""
        self._step(msgspec.structs.replace(event, known_ns=self._now(event.event_ns)))
        if self.core.state.stopped is StopReason.PLAYBOOK:
            self._venue.stop(EXIT_NUMBERS[ExitReason.PLAYBOOK])

    @property
    def quantity(self) -> Decimal:
        """What is held, signed; else what an entry at work would hold."""
        entry, held = self.core.state.pending(Leg.ENTRY), self.core.state.position
        if held is not None:
            return held.quantity
        return Decimal(0) if entry is None else entry.quantity

    @property
    def is_held(self) -> bool:
        """Whether there is a position."""
        return self.core.state.position is not None

    @property
    def is_closing(self) -> bool:
        """Whether an order that closes the position is at work."""
        state = self.core.state
        return state.pending(Leg.EXIT) is not None or state.pending(Leg.GUARD) is not None

    @property
    def gained(self) -> Decimal:
        """What has been realised, after costs."""
        return self.core.state.cash - self.core.facts.start_equity

    @property
    def entry_price(self) -> Decimal:
        """Of the position."""
        held = self.core.state.position
        return Decimal(0) if held is None else held.price

    def end_stretch(self, stretch: Stretch) -> None:
        """Let the core end the stretch; what it leaves open is closed at the last close."""
        closed = int(stretch.series.base.close_ns[-1])
        self._step(
            StretchEnded(event_ns=closed, known_ns=self._now(closed), segment=stretch.number, reason=stretch.end)
        )
        if self._venue.book[_LOTS] != 0:
            self._venue.close_out(EXIT_NUMBERS[END_REASONS[stretch.end]])
            self._tell_reports(stretch)
        if self._tag is None and self._venue.ledger[Ledger.STOPPED] != 0 and self.core.state.stopped is None:
            self.limit(closed)

    def limit(self, closed: int) -> None:
        """Tell the core that the account met a limit when it was marked at the close of a bar."""
        limit = STOPS[int(self._venue.ledger[Ledger.STOPPED])]
        self._step(LimitBreached(event_ns=closed, known_ns=self._now(closed), limit=limit))

    def _tell_reports(self, stretch: Stretch) -> None:
        for told in self._venue.reports():
            if is_funding(told):
                self._tell_funding(told, stretch)
            elif is_death(told):
                self._tell_death(told, stretch)
            else:
                self._tell_fill(told, stretch)

    def _tell_funding(self, told: Told, stretch: Stretch) -> None:
        row = told.ints[_REPORT_ROW]
        at = int(stretch.series.base.open_ns[row])
        amount = funding_amount(told)
        price = to_decimal(told.floats[_PRICE_FILL])
        known = self._now(int(stretch.series.base.close_ns[row]))
        kind, trade = carried(told), self.core.state.trades
        self._step(FundingPosted(event_ns=at, known_ns=known, amount=amount, rate_price=price, row=row, kind=kind))
        self._fundings.append(
            Funding(event_ns=at, amount=amount, trade=trade, fills_before=len(self._fills), kind=kind)
        )

    def _tell_death(self, told: Told, stretch: Stretch) -> None:
        order = self.core.state.orders[self._orders[Leg.ENTRY].client_id]
        stamp, reason = death_stamp(told, stretch), death_reason(told)
        self._step(OrderDied(event_ns=stamp, known_ns=self._now(stamp), client_id=order.client_id, reason=reason))
        self._bury(order, stamp, reason)

    def _bury(self, order: Order, stamp: int, reason: Reason) -> None:
        rest = order.state is OrderState.PARTIAL
        self._dead_entries.append(DeadEntry(event_ns=stamp, reason=reason, decided_ns=order.decided_ns, rest=rest))

    def _tell_fill(self, told: Told, stretch: Stretch) -> None:
        base = stretch.series.base
        known = self._now(base.close_ns.item(told.ints[_REPORT_ROW]))
        order = self._orders.get(LEGS[told.ints[_REPORT_LEG]])
        if order is not None and order.client_id not in self.core.state.orders:
            order = None
        identity = None if order is None else order.client_id
        event = fill_event(told, bars=base, lot=self._lot, known_ns=known, client_id=identity)
        opens = event.leg is Leg.ENTRY and self.core.state.position is None
        trade = self.core.state.trades + (1 if opens else 0)
        self._step(event)
        self.order.append(self._joint.fills)
        self._joint.fills += 1
        if event.kind is OrderKind.SPLIT:
            entry = next(fill for fill in reversed(self._fills) if fill.event.leg is Leg.ENTRY)
            self._fills.append(msgspec.structs.replace(entry, event=event))
            return
        ruled = order if event.leg is Leg.ENTRY or event.exit_reason is ExitReason.SIGNAL else None
        self._fills.append(
            Fill(
                event=event,
                trade=trade,
                decided_ns=None if ruled is None else ruled.decided_ns,
                reason=str(event.exit_reason) if ruled is None else ruled.reason,
                notes={} if ruled is None else ruled.notes,
            )
        )

    def _step(self, event: AnyEvent) -> None:
        """Pass an event through the core and carry out what it commands; recorded steps are folded, not decided."""
        if self._tag is not None:
            event = msgspec.structs.replace(event, instrument=self._tag)
        recorded = next(self._joint.recorded, None)
        entry = self.core.state.pending(Leg.ENTRY)
        if recorded is None:
            step = self.core.apply(event)
            if self._log is not None:
                self._log.write(step)
        else:
            step = self._fold_recorded(recorded, event)
        for decision in step.decisions:
            self.decisions.append((event.event_ns, decision))
            if isinstance(decision, EntryRefused):
                self._count(decision)
            elif isinstance(decision, CancelOrdered) and entry is not None:
                self._bury(entry, event.event_ns, decision.reason)
        for command in step.commands:
            if recorded is None and self._on_command is not None:
                self._on_command(command)
            self._carry_out(command)

    def _fold_recorded(self, recorded: Step, event: AnyEvent) -> Step:
        if recorded.event != event:
            raise InvariantBroken(
                "the journal of this run does not belong to this data or code: it recorded "
                f"{recorded.event!r} where the venue now reports {event!r}; start a new run"
            )
        for entry in (recorded.event, *recorded.decisions, *recorded.commands):
            self.core.fold(entry)
        return recorded

    def _count(self, refused: EntryRefused) -> None:
        refusals = self.record.refusals
        refusals[refused.reason.value] = refusals.get(refused.reason.value, 0) + 1

    def _carry_out(self, command: Command) -> None:
        match command:
            case SubmitEntry():
                self._remember(command.client_id)
                self._submit_entry(command)
            case SubmitExit():
                self._remember(command.client_id)
                if not command.at_last_close:
                    self._submit_exit(command)
            case CancelEntry():
                invariant(self._venue.drop_entry(), "an entry was cancelled that the venue does not have")

    def _submit_exit(self, command: SubmitExit) -> None:
        held = self._venue.book.item(_LOTS)
        lots = held if command.quantity is None else self._lot.nearest(command.quantity)
        self._venue.place_exit(lots=abs(lots), reason=EXIT_NUMBERS[command.reason], signal=command.signal)

    def _submit_entry(self, command: SubmitEntry) -> None:
        self._venue.place_entry(
            lots=self._lot.nearest(command.quantity), kind=_KIND_NUMBERS[command.kind],
            price=_MISSING if command.price is None else to_float(command.price),
            trigger=_MISSING if command.trigger is None else to_float(command.trigger),
            time_in_force=loop.TIME_IN_FORCE.index(command.time_in_force), expire_bars=command.expire_bars,
            stop_distance=_MISSING if command.stop_distance is None else to_float(command.stop_distance),
            target_distance=_MISSING if command.target_distance is None else to_float(command.target_distance),
            trail_distance=_MISSING if command.trail_distance is None else to_float(command.trail_distance),
            reference=_MISSING if command.reference is None else to_float(command.reference), signal=command.signal,
        )  # fmt: skip
        if command.kind is not OrderKind.MARKET:
            now = self.decisions[-1][0]
            self._step(OrderAccepted(event_ns=now, known_ns=self._now(now), client_id=command.client_id))

    def _remember(self, identity: ClientId) -> None:
        """Keep the order behind an id, for the report that will name it: the book drops it when it is final."""
        order = self.core.state.orders[identity]
        self._orders[order.leg] = order

    def _now(self, at_ns: int) -> int:
        """Return the stamp of the next event in the inbox: it strictly rises."""
        following = self._joint.known_ns + 1
        self._joint.known_ns = known = at_ns if at_ns > following else following
        return known

    def _check_books(self) -> None:
        """The core's cash and the venue's are the same postings; anything else is a fault of ours."""
        venue = money_from_postings(int(self._venue.ledger[Ledger.CASH]))
        invariant(self.core.state.cash == venue, "core and venue disagree about cash", core=self.core.state.cash)
