"""A world: one account behind a bad network, on a bad disk, with a process that dies, in virtual time.

The account, its journal and its supervisor are the real ones. What is simulated is everything around them: venue,
network, disk, power, and the clock, which moves from one thing that happens to the next.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from evenkeel.engine.account.account import Account, AccountEvent, HaltChanged
from evenkeel.engine.account.halting import operated
from evenkeel.engine.account.log import AccountLog, rebuild
from evenkeel.engine.journal import Journal, read_journal
from evenkeel.engine.journal.memory import UNLIMITED, MemoryDisk
from evenkeel.engine.simulation.draw import Draw
from evenkeel.engine.simulation.exchange import Exchange, Market
from evenkeel.engine.simulation.wire import MS, SECOND, Weather, Wire
from evenkeel.model.command import PlaceOrder, VenueCommand
from evenkeel.model.event import BarsClosed, BaseClosed, Operated, Operation, PriceTold, SessionBegan, TimePassed
from evenkeel.model.halt import Act, Halt, permits
from evenkeel.model.ids import InstrumentId, Leg
from evenkeel.model.report import VenueEvent

FOLDER = "journal"
SEGMENT_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Trouble:
    """How often a process dies; each is a probability.

    Attributes:
        between_journal_and_send: That it dies after a step was written and before a command of it left.
        after_send: That it dies right after a command left.
        before_journal: That it dies after it folded an event and before that was written.
        at_rest: That it dies at an instant at which it does nothing.
        power: That with it the power fails, and what was not synced is lost in part.
        down_s: Seconds until it is started again, at most.
        operator: That an operator asks for something, at each step of the market.
    """

    between_journal_and_send: float = 0.004
    after_send: float = 0.004
    before_journal: float = 0.0005
    at_rest: float = 0.0005
    power: float = 0.5
    down_s: int = 20
    operator: float = 0.002


@dataclass(frozen=True, slots=True)
class Path:
    """What the market does.

    Attributes:
        instrument: Whose price it is.
        prices: One each `step_ns`.
        step_ns: Between two of them.
        bar_ns: Length of an execution bar.
        start_ns: When the first bar opens.
    """

    instrument: InstrumentId
    prices: tuple[Decimal, ...]
    step_ns: int
    bar_ns: int
    start_ns: int


class Violation(Exception):
    """A promise that did not hold, with the instant."""


@dataclass(slots=True)
class World:
    """One story.

    Attributes:
        draw: Source of every choice.
        make: Builds the account as a process finds it before it reads its journal.
        path: What the market does.
        lot: Smallest step of a quantity.
        weather: How bad the network is.
        trouble: How often the process dies.
        now_ns: Virtual time.
        counters: What happened, by name.
        flag: What the halt flag on the disk says; operators write it whether the process lives or not.
        killable: Whether an operator may pull the kill switch, which ends all trading.
    """

    draw: Draw
    make: Callable[[], Account]
    path: Path
    lot: Decimal
    weather: Weather = field(default_factory=Weather)
    trouble: Trouble = field(default_factory=Trouble)
    now_ns: int = 0
    counters: Counter[str] = field(default_factory=Counter)
    flag: Halt = field(default_factory=Halt)
    killable: bool = False
    disk: MemoryDisk = field(default_factory=MemoryDisk)
    exchange: Exchange = field(init=False)
    wire: Wire = field(init=False)
    account: Account = field(init=False)
    _journal: Journal = field(init=False)
    _log: AccountLog = field(init=False)
    _queue: list[tuple[int, int, Callable[[int], None]]] = field(default_factory=list)
    _count: int = 0
    _up: bool = False
    _stamp: int = 0
    _woken_ns: int | None = None

    def __post_init__(self) -> None:
        """Open the venue and start the process."""
        self.now_ns = self.path.start_ns
        market = Market(self.path.prices[0], self.lot)
        self.exchange = Exchange(self.draw, {self.path.instrument: market})
        self.wire = Wire(self.draw, self.exchange, self.weather, self._schedule, self._hear)
        self._start(self.now_ns)

    def run(self) -> None:
        """Let the market go its way to the end."""
        for number, price in enumerate(self.path.prices):
            at = self.path.start_ns + (number + 1) * self.path.step_ns
            self._until(at)
            self.exchange.trade_at(self.path.instrument, price, at)
            self.wire.tell_news(at)
            self._feed(number, price, at)
            if self._happens("operator", self.trouble.operator):
                self._operate(at)

    def settle(self, seconds: int = 600) -> None:
        """Let everything come to rest at a market that stands still, without faults."""
        self.wire.weather = Weather(
            lost_request=0, lost_answer=0, lost_news=0, repeated=0, slow=0, partial_page=0, blind=0
        )
        self.trouble = Trouble(between_journal_and_send=0, after_send=0, before_journal=0, at_rest=0, operator=0)
        step = self.path.step_ns
        for _ in range(seconds * SECOND // step):
            at = self.now_ns + step
            self._until(at)
            self.exchange.trade_at(self.path.instrument, self.path.prices[-1], at)
            self.wire.tell_news(at)

    def restarted_state_is_the_same(self) -> bool:
        """Whether the state of the account is what folding its journal gives."""
        again = self.make()
        rebuild(again, read_journal(self.flushed(), FOLDER))
        return again.state() == self.account.state()

    def flushed(self) -> MemoryDisk:
        """Return the disk with the whole journal on it."""
        self._journal.barrier()
        return self.disk

    def _until(self, at_ns: int) -> None:
        while self._queue and self._queue[0][0] <= at_ns:
            self.now_ns, _, act = heapq.heappop(self._queue)
            act(self.now_ns)
        self.now_ns = at_ns
        if self._up and self._happens("crash at rest", self.trouble.at_rest):
            self._crash()

    def _feed(self, number: int, price: Decimal, at_ns: int) -> None:
        """Tell the process the price, and the bar where one closes."""
        per_bar = self.path.bar_ns // self.path.step_ns
        self._later(at_ns, PriceTold(event_ns=at_ns, known_ns=at_ns, instrument=self.path.instrument, last=price))
        if (number + 1) % per_bar == 0:
            bar = (number + 1) // per_bar - 1
            base = BaseClosed(event_ns=at_ns, known_ns=at_ns, instrument=self.path.instrument, close=price)
            bars = BarsClosed(event_ns=at_ns, known_ns=at_ns, instrument=self.path.instrument, segment=0, bar=bar)
            self._later(at_ns, base, bars)

    def _later(self, at_ns: int, *events: AccountEvent) -> None:
        """Tell events a little later, one right after the other."""

        def tell(_: int) -> None:
            for event in events:
                self._tell(event)

        self._schedule(at_ns + self.draw.randint(1, 40) * MS, tell)

    def _hear(self, event: VenueEvent) -> None:
        self._tell(event)

    def _tell(self, event: AccountEvent) -> None:
        """Hand an event to the process: fold and decide, write, and only then send."""
        if not self._up:
            return
        self._stamp = max(self._stamp + 1, self.now_ns)
        step = self.account.apply(msgspec.structs.replace(event, known_ns=self._stamp))
        self.counters[type(event).__name__] += 1
        if self._happens("crash before journal", self.trouble.before_journal):
            self._crash()
            return
        self._log.write(step)
        for entry in step.entries:
            if isinstance(entry, HaltChanged) and entry.halt.epoch > self.flag.epoch:
                self.flag = entry.halt
        for finding in self.account.findings:
            self.counters[f"finding {finding.code.value}"] += 1
        for command in step.commands:
            if self._happens("crash between journal and send", self.trouble.between_journal_and_send):
                self._crash()
                return
            self.counters[type(command).__name__] += 1
            self._send(command)
            if self._happens("crash after send", self.trouble.after_send):
                self._crash()
                return
        self._wake()

    def _send(self, command: VenueCommand) -> None:
        """Pass the border: an entry that was approved under another epoch of the flag does not leave."""
        if not isinstance(command, PlaceOrder) or command.order.leg is not Leg.ENTRY:
            self.wire.carry(command, self.now_ns)
        elif command.halt_epoch == self.flag.epoch:
            if not permits(self.flag.level, Act.ENTRY):
                raise Violation(f"an entry left at level {self.flag.level} at {self.now_ns}")
            self.wire.carry(command, self.now_ns)
        else:
            self.counters["held back at the border"] += 1
            self.wire.hold_back(command.order.client_id, self.now_ns)

    def _operate(self, at_ns: int) -> None:
        """Let an operator write the flag; the process hears of it a little later, if it lives."""
        options = [Operation.PAUSE, Operation.RESUME, Operation.RESUME, Operation.FLATTEN]
        operation = self.draw.choice([*options, Operation.KILL] if self.killable else options)
        event = Operated(event_ns=at_ns, known_ns=at_ns, operation=operation, by="operator")
        self.counters[f"operator {operation.value}"] += 1
        self.flag = operated(self.flag, event)
        self._schedule(at_ns + self.draw.randint(1, 900) * MS, lambda _: self._tell(event))

    def _wake(self) -> None:
        """Let the process be told when the next deadline of its state comes."""
        due = self.account.next_deadline()
        if due is None or due == self._woken_ns:
            return
        self._woken_ns = due

        def wake(at_ns: int) -> None:
            if self._up and self.account.next_deadline() == due:
                self._woken_ns = None
                self._tell(TimePassed(event_ns=at_ns, known_ns=at_ns))

        self._schedule(max(due, self.now_ns + 1), wake)

    def _crash(self) -> None:
        self.counters["crash"] += 1
        self.wire.session += 1
        self._up = False
        power = self._happens("power", self.trouble.power)
        surviving = self.draw.randint(0, 4096) if power else UNLIMITED
        self.disk = self.disk.crash(surviving_bytes=surviving, names_survive=not power or self.draw.random() < 0.5)
        self._schedule(self.now_ns + self.draw.randint(1, self.trouble.down_s) * SECOND, self._start)

    def _start(self, now_ns: int) -> None:
        self.account = self.make()
        self._journal = Journal.open(self.disk, FOLDER, segment_bytes_max=SEGMENT_BYTES, durable=True, threaded=False)
        rebuild(self.account, read_journal(self.disk, FOLDER))
        self._log = AccountLog(self._journal)
        self._stamp, self._up, self._woken_ns = max(self._stamp, self.account.now_ns), True, None
        self._tell(SessionBegan(event_ns=now_ns, known_ns=now_ns, halt=self.flag))

    def _schedule(self, at_ns: int, act: Callable[[int], None]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (at_ns, self._count, act))

    def _happens(self, kind: str, chance: float) -> bool:
        happens = self.draw.random() < chance
        if happens:
            self.counters[kind] += 1
        return happens
