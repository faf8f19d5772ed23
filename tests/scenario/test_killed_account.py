"""An account killed by -9 at random moments ends as its venue has it, with the trades of a run that nobody disturbed.

The market stands still while the process is down, so a kill may prevent an entry (it was written and never sent, and
its absence is proven) and changes nothing else.
"""

from __future__ import annotations

import heapq
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random

import msgspec
import pytest

from evenkeel.engine.account.entry import AccountEvent
from evenkeel.engine.account.log import decode_entries
from evenkeel.engine.journal import JOURNAL_FOLDER, RealDisk, read_journal
from evenkeel.engine.simulation.exchange import Exchange, Market
from evenkeel.engine.simulation.faults import Faults
from evenkeel.engine.simulation.scenario import START_NS, STEP_NS
from evenkeel.engine.simulation.wire import Wire
from evenkeel.model.command import PlaceOrder, VenueCommand
from evenkeel.model.event import BarsClosed, PriceTold, TimePassed
from evenkeel.model.ids import Leg
from evenkeel.model.order import VenueOrder
from evenkeel.model.report import Executed, LookedUp, OrderReported, SendResolved
from evenkeel.model.time import MINUTE
from property.test_world import SYMBOL
from scenario.killed_account import VENUE, Done, Ended, FromAccount, Hello, Out, Stop, Tell, market, messages, send

SCRIPT = Path(__file__).with_name("killed_account.py")
STAMP_NS = 1_000
"""Between two tellings at one instant: the session may tell its account something of its own in between."""


ANY = (PriceTold, BarsClosed, TimePassed, SendResolved, OrderReported, Executed, LookedUp)


class Kills:
    """When the process is to be killed: spread over the run, each at the next telling of some kind.

    Args:
        draw: Source of every choice.
        steps: Of the market.
        count: How often.
    """

    def __init__(self, draw: random.Random, steps: int, count: int) -> None:
        length = steps * STEP_NS
        instants = sorted(draw.randint(0, length * 9 // 10) for _ in range(count))
        kinds: list[tuple[type, ...]] = [(BarsClosed,), (SendResolved,), (Executed, OrderReported), (TimePassed,), ANY]
        self._draw = draw
        self._due = [(START_NS + at, draw.choice(kinds)) for at in instants]

    def delay_s(self, event: AccountEvent, now_ns: int) -> float | None:
        """Return how long after a telling the process dies, or None: it does not."""
        if not self._due or now_ns < self._due[0][0] or not isinstance(event, self._due[0][1]):
            return None
        self._due.pop(0)
        return self._draw.choice([0.0, 1e-4, 5e-4, 1e-3, 2e-3, 5e-3]) * self._draw.random()

    def over(self) -> None:
        """Kill no more."""
        self._due.clear()


class Venue:
    """Market, venue and clock of a process that may die at any moment.

    Attributes:
        exchange: With its book of truth.
        killed: How often the process was killed.
        resumed: How many sessions began from a snapshot.
        left: How often each order left the process.
    """

    def __init__(self, folder: Path, seed: int, kills: int, draws: int) -> None:
        self.folder, self.seed = folder, seed
        self.prices, _ = market(seed)
        self._kills = Kills(random.Random(draws), len(self.prices), kills)
        draw, calm = Random(seed), Faults(lambda name: Random(f"{seed}/{name}"), {})
        markets: dict[str, Market] = {SYMBOL: Market(self.prices[0], Decimal("0.001"))}
        self.exchange = Exchange(draw, markets, calm)
        self.wire = Wire(draw, self.exchange, calm, self._schedule, self._tell, VENUE.visible_ns)
        self.now_ns = START_NS
        self.killed = self.resumed = 0
        self.left: Counter[str] = Counter()
        self._stamp = 0
        self._fed: list[tuple[int, AccountEvent]] = []
        self._queue: list[tuple[int, int, Callable[[int], None]]] = []
        self._count = 0
        self._deadline: int | None = None
        self._start()

    def run(self) -> Ended:
        """Let the market go its way to the end, then let everything come to rest."""
        per_bar = MINUTE // STEP_NS
        for number, price in enumerate(self.prices):
            at = START_NS + (number + 1) * STEP_NS
            self._until(at)
            self.exchange.trade_at(SYMBOL, price, at)
            self.wire.tell_news(at)
            self._feed(PriceTold(event_ns=at, known_ns=at, instrument=SYMBOL, last=price))
            if (number + 1) % per_bar == 0:
                bar = number // per_bar
                self._feed(BarsClosed(event_ns=at, known_ns=at, instrument=SYMBOL, segment=0, bar=bar))
        self._kills.over()
        self._until(self.now_ns + 10 * MINUTE)
        send(self._writer, Stop())
        ended = [one for one in self._read() if isinstance(one, Ended)]
        self._process.wait(30)
        return ended[0]

    def _start(self) -> None:
        to_child, self._writer = os.pipe()
        reader, from_child = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(self.folder), str(to_child), str(from_child), str(self.seed)],
            pass_fds=(to_child, from_child), env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        os.close(to_child)
        os.close(from_child)
        self._heard = messages(reader)
        send(self._writer, Tell(self._next_stamp(), TimePassed(event_ns=0, known_ns=0)))
        hello = next(self._read())
        assert isinstance(hello, Hello)
        self.resumed += hello.begun > 0
        self._await_done()
        self._fed = [(stamp, event) for stamp, event in self._fed if stamp > hello.known_ns]
        lost, self._fed = self._fed, []
        for _, event in lost:
            self._feed(event)

    def _read(self) -> Iterator[FromAccount]:
        for one in self._heard:
            yield msgspec.msgpack.decode(one, type=FromAccount)

    def _next_stamp(self) -> int:
        self._stamp = max(self._stamp + STAMP_NS, self.now_ns)
        return self._stamp

    def _feed(self, event: AccountEvent) -> None:
        """Tell something of the market, which can be fetched again."""
        self._tell(event, fetched=True)

    def _tell(self, event: AccountEvent, *, fetched: bool = False) -> None:
        stamp = self._next_stamp()
        if fetched:
            self._fed.append((stamp, event))
        delay = self._kills.delay_s(event, self.now_ns)
        send(self._writer, Tell(stamp, event))
        if delay is None:
            self._await_done()
            return
        time.sleep(delay)
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        os.close(self._writer)
        self.killed += 1
        for one in self._read():
            if isinstance(one, Out):
                self._carry(one.command)
        self.wire.session += 1
        self._start()

    def _await_done(self) -> None:
        for one in self._read():
            if isinstance(one, Done):
                self._deadline = one.deadline_ns
                return
            assert isinstance(one, Out)
            self._carry(one.command)
        raise AssertionError(f"the account died by itself with {self._process.wait()}")

    def _carry(self, command: VenueCommand) -> None:
        if isinstance(command, PlaceOrder):
            self.left[command.order.client_id] += 1
        self.wire.carry(command, self.now_ns)

    def _schedule(self, at_ns: int, act: Callable[[int], None]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (at_ns, self._count, act))

    def _until(self, at_ns: int) -> None:
        while True:
            arrives = self._queue[0][0] if self._queue else at_ns + 1
            if self._deadline is not None and self._deadline <= min(at_ns, arrives):
                self.now_ns = max(self.now_ns, self._deadline)
                self._tell(TimePassed(event_ns=self.now_ns, known_ns=self.now_ns))
            elif arrives <= at_ns:
                self.now_ns, _, act = heapq.heappop(self._queue)
                act(self.now_ns)
            else:
                break
        self.now_ns = at_ns


@dataclass(frozen=True)
class Run:
    """What a run left.

    Attributes:
        venue: With its book of truth.
        ended: What the account said at its end.
        placed: Every order that the journal has, in order.
    """

    venue: Venue
    ended: Ended
    placed: list[VenueOrder]

    def round_trips(self) -> list[tuple[tuple[int, Decimal, Decimal], ...]]:
        """Return minute, signed quantity and price of what filled, from flat to flat."""
        found: list[list[tuple[int, Decimal, Decimal]]] = []
        held = Decimal(0)
        for fill in self.venue.exchange.prints:
            if not held:
                found.append([])
            held += fill.quantity
            minute = (fill.at_ns - START_NS) // MINUTE
            found[-1].append((minute, fill.quantity, fill.price))
        return [tuple(one) for one in found]

    def prevented(self) -> list[str]:
        """Return the ids of entries that were written, and that the venue never had."""
        entries = [order.client_id for order in self.placed if order.leg is Leg.ENTRY]
        return [identity for identity in entries if self.venue.exchange.find(identity) is None]


def run(folder: Path, seed: int, kills: int, draws: int = 0) -> Run:
    venue = Venue(folder, seed, kills, draws)
    ended = venue.run()
    frames = read_journal(RealDisk(), str(folder / JOURNAL_FOLDER))
    return Run(venue, ended, [entry.order for entry in decode_entries(frames) if isinstance(entry, PlaceOrder)])


def check(killed: Run, undisturbed: Run) -> None:
    """Everything that Done-when 5 of the design promises."""
    venue, ended = killed.venue, killed.ended
    held = venue.exchange.positions.get(SYMBOL, Decimal(0))
    assert (ended.position, ended.held) == (held, held), "reconciled"
    assert set(ended.at_work) <= {"working", "partial"}, "nothing is unknown"
    assert held or not [ticket for ticket in venue.exchange.tickets if ticket.is_open]
    assert ended.equity == 1_000_000 + venue.exchange.cash + held * venue.exchange.markets[SYMBOL].price
    assert ended.chain_ok

    ids = [order.client_id for order in killed.placed]
    assert len(ids) == len(set(ids)), "an id was written twice"
    assert max(venue.left.values()) == 1, "an order left twice"
    assert set(venue.left) <= set(ids), "an order left that the journal does not have"

    trips, expected = killed.round_trips(), undisturbed.round_trips()
    assert [trip for trip in trips if trip not in expected] == []
    assert len(expected) - len(trips) == len(killed.prevented())


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same market without a kill."""
    found = run(tmp_path_factory.mktemp("undisturbed"), seed=1, kills=0)
    assert len(found.round_trips()) > 10, "it must trade enough to be killed in interesting places"
    assert found.venue.killed == 0
    return found


def test_an_account_killed_ten_times_ends_reconciled_with_the_same_trades(tmp_path: Path, undisturbed: Run) -> None:
    killed = run(tmp_path, seed=1, kills=10)

    assert killed.venue.killed == 10
    assert killed.venue.resumed > 0, "no session began from a snapshot"
    check(killed, undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("draws", range(1, 11))
def test_two_hundred_kills_lose_nothing(tmp_path: Path, undisturbed: Run, draws: int) -> None:
    killed = run(tmp_path, seed=1, kills=20, draws=draws)

    assert killed.venue.killed == 20
    check(killed, undisturbed)
