"""An account in a session on a disk, at a venue that answers at once and keeps its word: for faults of the storage.

place = Place(MemoryDisk())
place.open()
place.run(60)          # bars
place.session.close()
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from decimal import Decimal
from random import Random
from typing import Any

import msgspec

from evenkeel.data.definitions import Definitions
from evenkeel.engine.account.account import Account
from evenkeel.engine.account.entry import AccountEvent
from evenkeel.engine.account.keeping import Storage
from evenkeel.engine.account.live import due
from evenkeel.engine.account.making import make_account
from evenkeel.engine.account.manifest import AccountManifest, Code, DeskFacts, account_manifest
from evenkeel.engine.account.session import Session
from evenkeel.engine.journal import Disk
from evenkeel.engine.simulation.exchange import Exchange, Market
from evenkeel.engine.simulation.faults import Faults
from evenkeel.engine.simulation.scenario import START_MONEY, START_NS, STEP_NS
from evenkeel.engine.simulation.wire import Wire
from evenkeel.model.bar import BarValues
from evenkeel.model.command import VenueCommand
from evenkeel.model.event import BarsClosed, BaseClosed, PriceTold, TimePassed
from evenkeel.model.halt import Halt
from evenkeel.model.ids import RunId
from evenkeel.model.time import MINUTE
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.program import PlayStrategy
from property.test_world import PLAY, SYMBOL, VENUES, a_world

FOLDER = "runs/r"
SMALL = Storage(segment_bytes_max=64 * 1024, reserve_bytes=64 * 1024, threaded=False)


def manifest_of(account: Account, **changes: Any) -> AccountManifest:
    """Return the manifest of an account of these tests."""
    desks = tuple(
        DeskFacts(strategy=desk.strategy, instrument=desk.instrument, kind="play", hash=one.core.strategy.hash)
        for desk, one in account.desks.items()
    )
    manifest = AccountManifest(
        run=RunId("r"), mode="live", start=Decimal(10_000), currency="USDT", desks=desks, instruments={},
        code=Code(version="0", source="0"),
    )  # fmt: skip
    return msgspec.structs.replace(manifest, **changes)


class Place:
    """A session, its disk and its venue, in virtual time.

    Attributes:
        disk: Where the session lives; replace it to lose or repair things.
        session: The one that is open.
        exchange: The venue.
        sent: Every command that left, in order.
        bar: Bars that have closed.
    """

    def __init__(self, disk: Disk, seed: int = 1, storage: Storage = SMALL, folder: str = FOLDER) -> None:
        self.folder = folder
        self.disk, self.storage = disk, storage
        self.world = a_world(seed, VENUES[0])
        (ground,) = self.world.scenario.grounds
        self.prices = ground.prices
        draw, calm = Random(seed), Faults(lambda name: Random(f"{seed}/{name}"), {})
        markets: dict[str, Market] = {SYMBOL: Market(self.prices[0], ground.instrument.lot_size)}
        self.exchange = Exchange(draw, markets, calm)
        self.exchange.deposit = START_MONEY
        self.wire = Wire(draw, self.exchange, calm, self._schedule, self._hear, self.world.scenario.venue.visible_ns)
        self.sent: list[VenueCommand] = []
        self.bar, self.step = 0, 0
        self.now_ns = START_NS
        self._queue: list[tuple[int, int, Callable[[int], None]]] = []
        self._count = 0
        self.session: Session
        self.make: Callable[[], Account] = self.world.make

    def open(self, halt: Halt | None = None, *, behind_ns: int = 0, **changes: Any) -> Session:
        """Open a session; what was on its way to an earlier one is lost.

        Args:
            halt: What the flag says.
            behind_ns: How much earlier than it is the clock stands.
            **changes: Of the manifest.
        """
        self.wire.session += 1
        manifest = self._manifest(**changes)
        now_ns = self.now_ns - behind_ns
        self.session, commands = Session.open(
            self.disk, self.folder, self.make, manifest, now_ns=now_ns, halt=halt, storage=self.storage
        )
        self._carry(commands)
        return self.session

    def _manifest(self, **changes: Any) -> AccountManifest:
        return manifest_of(self.make(), **changes)

    @property
    def account(self) -> Account:
        return self.session.account

    def run(self, bars: int) -> None:
        """Let so many bars pass."""
        per_bar = MINUTE // STEP_NS
        for _ in range(bars * per_bar):
            at = START_NS + (self.step + 1) * STEP_NS
            price = self.prices[self.step]
            self.step += 1
            self._until(at)
            self.exchange.trade_at(SYMBOL, price, at)
            self.wire.tell_news(at)
            self.tell(PriceTold(event_ns=at, known_ns=at, instrument=SYMBOL, last=price))
            if self.step % per_bar == 0:
                self._close_bar(at, self.prices[self.step - per_bar : self.step])
                self.bar += 1

    def _close_bar(self, at: int, prices: Sequence[Decimal]) -> None:
        """Tell that an execution bar closed, by its number."""
        del prices
        self.tell(BarsClosed(event_ns=at, known_ns=at, instrument=SYMBOL, segment=0, bar=self.bar))

    def until(self, holds: Callable[[], bool], bars: int = 200) -> None:
        """Let bars pass until something holds."""
        for _ in range(bars):
            if holds():
                return
            self.run(1)
        raise AssertionError("it never came to that")

    def tell(self, event: AccountEvent) -> None:
        """Tell the session something now, and carry its commands."""
        self._carry(self.session.tell(event, self.now_ns))

    def _carry(self, commands: tuple[VenueCommand, ...]) -> None:
        self.sent += commands
        for command in commands:
            self.wire.carry(command, self.now_ns)

    def _hear(self, event: AccountEvent) -> None:
        self.tell(event)

    def _schedule(self, at_ns: int, act: Callable[[int], None]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (at_ns, self._count, act))

    def _until(self, at_ns: int) -> None:
        while True:
            due = self.session.account.next_deadline()
            arrives = self._queue[0][0] if self._queue else at_ns + 1
            if due is not None and due <= at_ns and due < arrives:
                self.now_ns = max(self.now_ns, due)
                self.tell(TimePassed(event_ns=self.now_ns, known_ns=self.now_ns))
            elif arrives <= at_ns:
                self.now_ns, _, act = heapq.heappop(self._queue)
                act(self.now_ns)
            else:
                break
        self.now_ns = at_ns


class LivePlace(Place):
    """The same with an account that is made from its manifest, and is told its bars by value."""

    def __init__(self, disk: Disk, folder: str) -> None:
        super().__init__(disk, folder=folder)
        strategy = PlayStrategy(load_play(PLAY, instruments=Definitions.load().find))
        self.manifest = account_manifest(
            [strategy], run=RunId("r"), mode="live", start=Decimal(10_000), currency="USDT", venue=VENUES[0]
        )
        self.make = lambda: make_account(self.manifest)

    def _manifest(self, **changes: Any) -> AccountManifest:
        return msgspec.structs.replace(self.manifest, **changes)

    def _close_bar(self, at: int, prices: Sequence[Decimal]) -> None:
        floats = [float(price) for price in prices]
        bar = BarValues(
            open_ns=at - MINUTE, close_ns=at, open=floats[0], high=max(floats), low=min(floats), close=floats[-1],
            volume=1.0,
        )  # fmt: skip
        self.tell(BaseClosed(event_ns=at, known_ns=at, instrument=SYMBOL, close=prices[-1], bars=(bar,)))
        for event in due(self.account.desks.values(), now_ns=at, since_ns=at):
            self.tell(event)
