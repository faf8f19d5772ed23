"""What the outside does to a world at each step of the market: feed, venue, people, clock, disk and power."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from evenkeel.engine.account.entry import AccountEvent
from evenkeel.engine.journal.memory import MemoryDisk
from evenkeel.engine.simulation.agenda import Agenda
from evenkeel.engine.simulation.draw import Draw
from evenkeel.engine.simulation.exchange import Exchange, Stand, Ticket
from evenkeel.engine.simulation.faults import Fault, Faults
from evenkeel.engine.simulation.process import FOLDER, Process
from evenkeel.engine.simulation.scenario import START_NS, STEP_NS, Ground, Scenario
from evenkeel.engine.simulation.wire import MS, SECOND, Wire
from evenkeel.model.event import BarsClosed, BaseClosed, Operation, PriceTold
from evenkeel.model.ids import ClientId
from evenkeel.model.time import MINUTE

GARBAGE = (Decimal(0), Decimal(-1), Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity"))
HOURS_NS = 7_200 * SECOND
"""How far the wall clock jumps, at most."""


@dataclass(slots=True)
class Outside:
    """Everything around process, venue and network.

    Attributes:
        scenario: What the world is like.
        draw: Source of small delays.
        faults: What goes wrong.
        agenda: Virtual time.
        exchange: The venue.
        wire: The network.
        process: The process.
        stale_until_ns: Until then no price arrives.
    """

    scenario: Scenario
    draw: Draw
    faults: Faults
    agenda: Agenda
    exchange: Exchange
    wire: Wire
    process: Process
    stale_until_ns: int = 0
    _persons: int = 0

    def step(self, number: int) -> None:
        """Let a step of the market happen."""
        at_ns = START_NS + (number + 1) * STEP_NS
        self.agenda.until(at_ns)
        for ground in self.scenario.grounds:
            self.exchange.trade_at(ground.instrument.id, ground.prices[number], at_ns)
        self._venue(at_ns)
        self.tell_again(at_ns)
        self.wire.tell_news(at_ns)
        for ground in self.scenario.grounds:
            self._feed(ground, number, at_ns)
        self._network(at_ns)
        self._people(at_ns)
        self._machine(at_ns)

    def tell_again(self, at_ns: int) -> None:
        """Let the venue tell what it took back, each minute: a process that died may not have kept it."""
        if at_ns % MINUTE == 0 and at_ns >= self.wire.down_until_ns:
            for gone in self.exchange.busted:
                self.wire.tell_bust(gone, at_ns)

    def _feed(self, ground: Ground, number: int, at_ns: int) -> None:
        """Tell the process the price, and the bar where one closes."""
        instrument, price = ground.instrument.id, ground.prices[number]
        if (badly := self.faults.strikes(Fault.STALE_PRICES)) is not None:
            self.stale_until_ns = at_ns + int(badly * 120) * SECOND
        if at_ns >= self.stale_until_ns:
            if (garbage := self.faults.strikes(Fault.GARBAGE_PRICE)) is not None:
                price = GARBAGE[int(garbage * len(GARBAGE))]
            self._later(at_ns, PriceTold(event_ns=at_ns, known_ns=at_ns, instrument=instrument, last=price))
        per_bar = MINUTE // STEP_NS
        if (number + 1) % per_bar:
            return
        bar = (number + 1) // per_bar - 1
        base = BaseClosed(event_ns=at_ns, known_ns=at_ns, instrument=instrument, close=ground.prices[number])
        closed = BarsClosed(event_ns=at_ns, known_ns=at_ns, instrument=instrument, segment=0, bar=bar)
        if self.faults.strikes(Fault.MISSING_BAR) is not None:
            return
        late = self.faults.strikes(Fault.LATE_BAR)
        self._later(at_ns + (0 if late is None else int(late * 3 * MINUTE)), base, closed)
        if (again := self.faults.strikes(Fault.REPEATED_BAR)) is not None:
            self._later(at_ns + int(again * MINUTE), base, closed)

    def _later(self, at_ns: int, *events: AccountEvent) -> None:
        """Tell events a little later, one right after the other."""

        def tell(_: int) -> None:
            for event in events:
                self.process.tell(event)

        self.agenda.schedule(at_ns + self.draw.randint(1, 40) * MS, tell)

    def _venue(self, at_ns: int) -> None:
        for fault, stand in ((Fault.VENUE_CANCEL, Stand.CANCELLED), (Fault.VENUE_EXPIRE, Stand.EXPIRED)):
            ticket = self._one(fault)
            if ticket is not None:
                self.exchange.cancel(ticket.client_id, stand)
        if self.exchange.prints and self.faults.strikes(Fault.BUST) is not None:
            gone = self.exchange.prints[-1]
            self.exchange.bust(gone)
            self.wire.tell_bust(gone, at_ns)
        if self.faults.strikes(Fault.RESET_IDS) is not None:
            self.exchange.reset_ids()

    def _one(self, fault: Fault) -> Ticket | None:
        """Return the order of the engine that a fault of the venue meets, if it happens."""
        tickets = self.exchange.open_tickets()
        if not tickets:
            return None
        ticket = tickets[self.agenda.now_ns // STEP_NS % len(tickets)]
        return ticket if self.faults.strikes(fault, ClientId(ticket.client_id)) is not None else None

    def _network(self, at_ns: int) -> None:
        if (badly := self.faults.strikes(Fault.SILENT_STREAM)) is not None:
            self.wire.silent_until_ns = at_ns + int(badly * 90) * SECOND
        if (badly := self.faults.strikes(Fault.DISCONNECT)) is not None:
            self.wire.down_until_ns = at_ns + int(badly * 60) * SECOND

    def _people(self, at_ns: int) -> None:
        if (what := self.faults.strikes(Fault.OPERATOR)) is not None:
            last = Operation.KILL if self.scenario.killable else Operation.RESUME
            options = (Operation.PAUSE, Operation.RESUME, Operation.RESUME, Operation.FLATTEN, Operation.HALT, last)
            self.process.operate(options[int(what * len(options))], at_ns)
        ticket = self._one(Fault.MANUAL_CANCEL)
        if ticket is not None:
            self.exchange.cancel(ticket.client_id)
        if (what := self.faults.strikes(Fault.MANUAL_ORDER)) is not None:
            self._place_by_hand(self.scenario.grounds[int(what * len(self.scenario.grounds))], at_ns)

    def _place_by_hand(self, ground: Ground, at_ns: int) -> None:
        """Let a person place an order that rests far from the market, and withdraw it a minute later."""
        self._persons += 1
        name, price = f"person-{self._persons}", self.exchange.markets[ground.instrument.id].price
        self.exchange.submit(
            name, ground.instrument.id, "limit", ground.instrument.lot_size, price=price / 2, trigger=None,
            reduces=False, now_ns=at_ns, own=False,
        )  # fmt: skip
        self.agenda.schedule(at_ns + MINUTE, lambda _: self._withdraw(name))

    def _withdraw(self, name: str) -> None:
        self.exchange.cancel(name)

    def _machine(self, at_ns: int) -> None:
        for fault, sign in ((Fault.CLOCK_AHEAD, 1), (Fault.CLOCK_BACK, -1)):
            if (badly := self.faults.strikes(fault)) is not None:
                self.process.wall_ns += sign * int(badly * HOURS_NS)
        if (badly := self.faults.strikes(Fault.DISK_FULL)) is not None:
            self._trouble_disk(_full, at_ns + int(badly * 60) * SECOND)
        if (badly := self.faults.strikes(Fault.READ_ONLY)) is not None:
            self._trouble_disk(_read_only, at_ns + int(badly * 60) * SECOND)
        if self.faults.strikes(Fault.CRASH_AT_REST) is not None:
            self.process.crash()
        if self.faults.strikes(Fault.STOP) is not None:
            self.process.stop()

    def _trouble_disk(self, trouble: Callable[[MemoryDisk], None], until_ns: int) -> None:
        self.process.trouble_disk(trouble)
        self.agenda.schedule(until_ns, lambda _: self.process.trouble_disk(None))


def _full(disk: MemoryDisk) -> None:
    disk.capacity = disk.capacity - disk.free(FOLDER) + 512


def _read_only(disk: MemoryDisk) -> None:
    disk.read_only = True
