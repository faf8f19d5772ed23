"""Trades at a venue behind a bad network: nothing is doubled, nothing stays naked, the books are the venue's."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from decimal import Decimal
from random import Random

import pytest

from commands import commanded
from evenkeel.engine.simulation.exchange import Exchange, Market
from evenkeel.engine.simulation.faults import Fault, Faults
from evenkeel.engine.simulation.wire import SECOND, Wire
from evenkeel.execution.findings import FindingCode
from evenkeel.execution.supervisor.bracket import Bracket, Closing
from evenkeel.execution.supervisor.supervisor import CloseTrade, Identity, Supervisor, TradeKey
from evenkeel.execution.supervisor.venue_terms import Capabilities, Timing
from evenkeel.model.command import LookUpOrder, PlaceOrder, VenueCommand
from evenkeel.model.ids import InstrumentId, Leg, RunId, StrategyId, client_id
from evenkeel.model.intent import OrderKind
from evenkeel.model.order import VenueOrder
from evenkeel.model.reason import ExitReason
from evenkeel.model.report import VenueEvent
from evenkeel.model.truth import TruthTold

D = Decimal
SYMBOL = InstrumentId("BTCUSDT.SIM")
STRATEGY = StrategyId("s")
BAD = {
    Fault.LOST_REQUEST: 0.03, Fault.LOST_ANSWER: 0.03, Fault.LOST_LOOKUP: 0.03, Fault.LOST_NEWS: 0.03,
    Fault.REPEATED_NEWS: 0.05, Fault.LATE_REQUEST: 0.1, Fault.LATE_ANSWER: 0.1, Fault.LATE_NEWS: 0.1,
    Fault.LATE_LOOKUP: 0.1, Fault.PARTIAL_PAGE: 0.02, Fault.BLIND: 0.5, Fault.PARTIAL_FILL: 0.3, Fault.REJECT: 0.02,
    Fault.REJECT_STOP: 0.02,
}  # fmt: skip


class Story:
    """One seed: random trades of a supervisor at the simulated venue, with crashes."""

    def __init__(self, seed: int, venue: Capabilities, *, crashes: bool = True) -> None:
        self.draw = Random(seed)
        self.venue, self.crashes = venue, crashes
        self.now = 0
        self.queue: list[tuple[int, int, Callable[[int], None]]] = []
        self.count = 0
        self.faults = Faults(lambda name: Random(f"{seed}/{name}"), BAD)
        self.exchange = Exchange(self.draw, {SYMBOL: Market(D(10_000), D(1))}, self.faults)
        self.wire = Wire(self.draw, self.exchange, self.faults, self.schedule, self.hear, venue.visible_ns)
        self.log: list[tuple[str, object, int]] = []
        self.supervisor = self.fresh()
        self.trade = 0
        self.steps = self.crashed = 0
        self.findings: list[FindingCode] = []
        self.down_until = self.woken = 0
        self.alarms: list[str] = []
        self.trading = True

    def fresh(self) -> Supervisor:
        return Supervisor(Identity("live", RunId("r")), {SYMBOL: D(1)}, self.venue, Timing())

    def schedule(self, at_ns: int, act: Callable[[int], None]) -> None:
        self.count += 1
        heapq.heappush(self.queue, (at_ns, self.count, act))

    def hear(self, event: VenueEvent | TruthTold) -> None:
        if not isinstance(event, TruthTold) and self.now >= self.down_until:
            self.fold("event", event)
            self.act()

    def fold(self, kind: str, what: object) -> None:
        self.log.append((kind, what, self.now))
        self.apply(self.supervisor, kind, what, self.now, live=True)

    def apply(self, to: Supervisor, kind: str, what: object, now: int, *, live: bool) -> None:
        findings = []
        match kind, what:
            case "event", event:
                findings = to.fold(event).findings  # type: ignore[arg-type]
            case "command", command:
                findings = to.fold_command(command, now).findings  # type: ignore[arg-type]
            case "close", CloseTrade(key=key, closing=closing):
                to.close_trade(key, closing)
            case "open", (Bracket() as bracket, VenueOrder() as order):
                to.open_trade(bracket, order)
            case "start", _:
                to.book.doubt(now)
        findings = [*findings, *to.watch(now)]
        if live:
            self.findings += [finding.code for finding in findings]

    def act(self) -> None:
        """Carry out what is needed until nothing is; a crash may come between any two sends."""
        for _ in range(50):
            needs = list(self.supervisor.needs(self.now, entries_allowed=self.trading))
            if not needs:
                return
            for need in needs[:1]:
                if isinstance(need, CloseTrade):
                    self.alarms += [need.why] if need.alarm else []
                    self.fold("close", need)
                    continue
                command = commanded(need)
                self.fold("command", command)
                if self.crash("between journal and send"):
                    return
                self.wire.carry(command, self.now)
                if not isinstance(command, LookUpOrder) and self.crash("after send"):
                    return
        raise AssertionError(f"it never comes to rest: {needs}")

    def crash(self, _: str) -> bool:
        if not self.crashes or self.draw.random() > 0.01:
            return False
        self.crashed += 1
        self.wire.session += 1
        self.down_until = self.now + self.draw.randint(1, 20) * SECOND
        self.schedule(self.down_until, self.restart)
        return True

    def restart(self, now: int) -> None:
        again = self.fresh()
        for kind, what, at in self.log:
            self.apply(again, kind, what, at, live=False)
        assert again.brackets == self.supervisor.brackets
        assert again.book.open == self.supervisor.book.open
        self.supervisor = again
        self.fold("start", None)
        self.act()

    def enter(self) -> None:
        """Begin a trade where none is."""
        if self.supervisor.held(SYMBOL) or self.supervisor.book.open or not self.trading:
            return
        self.trade += 1
        sign = self.draw.choice([1, -1])
        limit = self.draw.random() < 0.5
        last = self.exchange.markets[SYMBOL].price
        order = VenueOrder(
            client_id=client_id(
                "live", run=RunId("r"), strategy=STRATEGY, instrument=SYMBOL, trade=self.trade, leg=Leg.ENTRY, attempt=1
            ),
            strategy=STRATEGY, instrument=SYMBOL, trade=self.trade, leg=Leg.ENTRY,
            kind=OrderKind.LIMIT if limit else OrderKind.MARKET, quantity=D(sign * self.draw.randint(1, 9)),
            price=last if limit else None, placed_ns=self.now, moved_ns=self.now, expires_ns=self.now + 90 * SECOND,
        )  # fmt: skip
        bracket = Bracket(
            strategy=STRATEGY, instrument=SYMBOL, trade=self.trade, direction=sign, stop_distance=D(20),
            target_distance=D(30) if self.draw.random() < 0.7 else None, entry=order.client_id,
        )  # fmt: skip
        self.fold("open", (bracket, order))
        self.send(PlaceOrder(order=order))

    def send(self, command: VenueCommand) -> None:
        self.fold("command", command)
        if not self.crash("entry"):
            self.wire.carry(command, self.now)

    def leave(self) -> None:
        """Close the trade, or a part of it, as a strategy would."""
        held = self.supervisor.held(SYMBOL)
        key = TradeKey(STRATEGY, SYMBOL, self.trade)
        if not held or self.supervisor.brackets[key].closing is not None:
            return
        part = D(1) if abs(held) > 1 and self.draw.random() < 0.5 else None
        closing = Closing(reason=ExitReason.SIGNAL, leg=Leg.EXIT, quantity=part, since_ns=self.now)
        self.fold("close", CloseTrade(key=key, closing=closing, why="signal", alarm=False))
        self.act()

    def run(self, seconds: int) -> None:
        end = self.now + seconds * SECOND
        while self.now < end:
            tick = self.now + SECOND
            while self.queue and self.queue[0][0] <= tick:
                self.now, _, act = heapq.heappop(self.queue)
                self.step(act)
            self.now = tick
            last = self.exchange.markets[SYMBOL].price + round(self.draw.gauss(0.0, 3.0))
            self.exchange.trade_at(SYMBOL, last, self.now)
            self.wire.tell_news(self.now)
            self.step(lambda now: None)

    def step(self, act: Callable[[int], None]) -> None:
        self.steps += 1
        act(self.now)
        if self.now < self.down_until:
            return
        deadline = self.supervisor.next_deadline(self.woken)
        if deadline is not None and deadline <= self.now:
            self.woken = self.now
            self.fold("time", None)
            self.act()
        if self.trading and self.draw.random() < 0.05:
            self.draw.choice([self.enter, self.leave])()
        self.check()

    def check(self) -> None:
        """What must hold after every step."""
        sent = [ticket for ticket in self.exchange.tickets if ticket.own]
        assert len({ticket.client_id for ticket in sent}) == len(sent)
        for bracket in self.supervisor.brackets.values():
            grace = 90 * SECOND
            assert bracket.naked_ns is None or self.now - bracket.naked_ns < grace, (self.now, bracket)

    def settle(self) -> None:
        """Let everything come to rest: no faults, no entries."""
        self.trading = self.crashes = False
        self.faults.rates = {}
        self.run(400)
        assert not [order for order in self.supervisor.book.open.values() if order.state.value in ("unknown", "sent")]
        assert self.supervisor.held(SYMBOL) == self.exchange.positions.get(SYMBOL, D(0))
        if self.supervisor.held(SYMBOL) == 0:
            assert not [t for t in self.exchange.tickets if t.is_open]


VENUES = [
    Capabilities(),
    Capabilities(reduce_only=False),
    Capabilities(reserves=True),
    Capabilities(amends_quantity=False, amends_price=False),
]


@pytest.mark.parametrize("venue", VENUES, ids=["full", "no reduce-only", "reserves", "no amend"])
@pytest.mark.parametrize("seed", range(20))
def test_trades_end_as_the_venue_has_them_whatever_the_network_does(seed: int, venue: Capabilities) -> None:
    story = Story(seed, venue)
    story.run(900)
    story.settle()
    assert story.trade > 0
