"""The core, event by event: what it decides, what it commands, what it refuses to believe."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest

import desk
from evenkeel.engine.backtest import BacktestDriver
from evenkeel.engine.core import Core, RunFacts, State, Step
from evenkeel.engine.market import Market
from evenkeel.features.timeline import FeatureRun, ProgramBuilder
from evenkeel.model.bar import Floats
from evenkeel.model.command import CancelEntry, SubmitEntry, SubmitExit
from evenkeel.model.decision import (
    CancelOrdered,
    EntryApproved,
    EntryRefused,
    ExitOrdered,
    RunStopped,
    StrategyRemembered,
)
from evenkeel.model.errors import InvariantBroken
from evenkeel.model.event import (
    BarsClosed,
    FillPoint,
    LimitBreached,
    OrderAccepted,
    OrderDied,
    OrderFilled,
    StretchEnded,
)
from evenkeel.model.ids import ClientId, InstrumentId, Leg, RunId, StrategyId, client_id
from evenkeel.model.intent import Abstain, Direction, Enter, Intent, Leave, OrderKind, TimeInForce
from evenkeel.model.order import Order, OrderState
from evenkeel.model.reason import ExitReason, Reason, StopReason
from evenkeel.model.time import TIMEFRAMES
from evenkeel.risk.gates.entry import EntryGates
from evenkeel.strategies.play.program import PlayStrategy
from evenkeel.strategies.strategy import Strategy, View
from random_plays import random_play

FACTS = RunFacts(
    mode="backtest", run=RunId("r1"), strategy=StrategyId("s"), instrument=InstrumentId("TEST.DESK"),
    start_equity=Decimal(10_000),
)  # fmt: skip
MINUTE = 60_000_000_000


class Says:
    """A strategy that says what it is told to say."""

    name, kind, hash, resolved = "s", "python", "0", {}  # type: ignore[var-annotated]
    program, kernel = ProgramBuilder(TIMEFRAMES["1m"]).build(), None

    def __init__(self) -> None:
        self.wish: Intent = Abstain(reason=Reason.OK)
        self.views: list[View] = []
        self.memory: dict[str, Any] = {}

    def decide(self, view: View) -> Intent:
        self.views.append(view)
        return self.wish

    def checkpoint(self) -> dict[str, Any]:
        return dict(self.memory)

    def restore(self, saved: Mapping[str, Any]) -> None:
        self.memory = dict(saved)


class Closes:
    """Features: none but the close, 100 plus the number of the bar."""

    def at(self, segment: int, bar: int) -> tuple[Floats, int, int, float]:
        return np.full((1, 1), float(bar)), 0, (bar + 1) * MINUTE, 100.0 + bar


class Bench:
    """A core with its strategy, and events that count their own time."""

    def __init__(self, quantity: str = "2") -> None:
        self.says = Says()
        self.gates = EntryGates(desk.terms(sizing=desk.units(quantity)), desk.instrument())
        self.core = self.another()
        self.now = 0
        self.steps: list[Step] = []

    def another(self) -> Core:
        strategy: Any = self.says
        return Core(FACTS, strategy, self.gates, Closes())

    @property
    def state(self) -> State:
        return self.core.state

    def tell(self, event: Any) -> Step:
        step = self.core.apply(event)
        self.steps.append(step)
        return step

    def stamp(self) -> dict[str, int]:
        self.now += 1
        return {"event_ns": self.now, "known_ns": self.now}

    def bar(self, number: int, wish: Intent | None = None) -> Step:
        self.says.wish = wish or Abstain(reason=Reason.OK)
        return self.tell(BarsClosed(**self.stamp(), segment=0, bar=number))

    def fill(self, leg: Leg, quantity: str, price: str, *, identity: ClientId | None = None, **facts: Any) -> Step:
        plain: dict[str, Any] = {
            "client_id": identity, "leg": leg, "kind": OrderKind.MARKET, "quantity": Decimal(quantity),
            "price": Decimal(price), "fee": Decimal("0.5"), "slippage": Decimal(0), "taker": True, "row": 3, "bar": 2,
            "point": FillPoint.OPEN,
        }  # fmt: skip
        return self.tell(OrderFilled(**self.stamp(), **{**plain, **facts}))

    def entered(self, side: Direction = Direction.LONG) -> ClientId:
        step = self.bar(1, enter(side))
        identity = step.commands[0].client_id
        self.fill(Leg.ENTRY, "2" if side is Direction.LONG else "-2", "101", identity=identity)
        return identity


def enter(side: Direction = Direction.LONG, **facts: Any) -> Enter:
    return Enter(direction=side, stop_distance=Decimal(5), target_distance=Decimal(9), reason="rule 1", **facts)


def named(trade: int, leg: Leg, attempt: int = 1) -> ClientId:
    return client_id(
        "backtest", run=FACTS.run, strategy=FACTS.strategy, instrument=FACTS.instrument, trade=trade, leg=leg,
        attempt=attempt,
    )  # fmt: skip


def test_an_entry_is_approved_ordered_and_sent_in_one_step() -> None:
    bench = Bench()

    step = bench.bar(4, enter(Direction.SHORT))

    order = Order(
        client_id=named(1, Leg.ENTRY), trade=1, leg=Leg.ENTRY, kind=OrderKind.MARKET, quantity=Decimal(-2), price=None,
        decided_ns=5 * MINUTE, reason="rule 1",
    )  # fmt: skip
    assert step.decisions == (
        EntryApproved(order=order, reference=Decimal(104), stop_distance=Decimal(5), target_distance=Decimal(9), bar=4),
    )
    assert step.commands == (
        SubmitEntry(
            client_id=named(1, Leg.ENTRY), trade=1, kind=OrderKind.MARKET, quantity=Decimal(-2),
            stop_distance=Decimal(5), target_distance=Decimal(9), reference=Decimal(104),
        ),
    )  # fmt: skip
    assert bench.state.orders == {order.client_id: msgspec.structs.replace(order, state=OrderState.SENT)}


def test_a_limit_entry_carries_its_price_and_life() -> None:
    bench = Bench()

    wish = enter(kind=OrderKind.LIMIT, price=Decimal("99.5"), time_in_force=TimeInForce.POST_ONLY, expire_bars=3)
    (command,) = bench.bar(0, wish).commands

    assert isinstance(command, SubmitEntry)
    assert (command.kind, command.price, command.time_in_force, command.expire_bars) == (
        OrderKind.LIMIT, Decimal("99.5"), TimeInForce.POST_ONLY, 3,
    )  # fmt: skip


def test_a_fill_makes_a_position_and_pays_its_fee() -> None:
    bench = Bench()

    bench.entered()

    held = bench.state.position
    assert held is not None
    assert (held.quantity, held.price, held.opened_bar, held.trade) == (2, 101, 2, 1)
    assert bench.state.cash == Decimal("9999.5")
    assert bench.state.orders == {}


def test_a_strategy_sees_its_position_and_nothing_else_of_the_account() -> None:
    bench = Bench()
    bench.bar(0)
    bench.entered(Direction.SHORT)
    bench.bar(7)

    flat, _, held = bench.says.views
    assert (flat.position, flat.bars_held, flat.price, flat.time_ns, flat.bar) == (0, 0, 100.0, MINUTE, 0)
    assert np.isnan(flat.entry_price)
    assert (held.position, held.bars_held, held.entry_price) == (-1, 6, 101.0)


def test_an_exit_closes_the_position_and_counts_the_result() -> None:
    bench = Bench()
    bench.entered()

    step = bench.bar(6, Leave(reason="rule 2"))
    order = Order(
        client_id=named(1, Leg.EXIT), trade=1, leg=Leg.EXIT, kind=OrderKind.MARKET, quantity=Decimal(-2), price=None,
        decided_ns=7 * MINUTE, reason="rule 2",
    )  # fmt: skip
    assert step.decisions == (ExitOrdered(order=order),)
    assert step.commands == (
        SubmitExit(client_id=order.client_id, trade=1, leg=Leg.EXIT, quantity=Decimal(-2), reason=ExitReason.SIGNAL),
    )

    bench.fill(Leg.EXIT, "-2", "110", identity=order.client_id, gross=Decimal(18), exit_reason=ExitReason.SIGNAL)
    assert bench.state.position is None
    assert bench.state.orders == {}
    assert bench.state.cash == Decimal(10_017)


def test_an_exit_wished_twice_is_ordered_once() -> None:
    bench = Bench()
    bench.entered()
    bench.bar(6, Leave())

    assert bench.bar(7, Leave()) == Step(bench.steps[-1].event, (), ())


def test_an_exit_without_a_position_is_refused() -> None:
    step = Bench().bar(0, Leave(reason="out"))

    assert step.commands == ()
    assert step.decisions == (EntryRefused(reason=Reason.REDUCE_ONLY_NO_POSITION, detail="out"),)


def test_a_pending_exit_dies_with_the_position_that_a_stop_closed() -> None:
    bench = Bench()
    bench.entered()
    bench.bar(6, Leave())

    bench.fill(Leg.STOP, "-2", "96", gross=Decimal(-10), exit_reason=ExitReason.STOP_LOSS)

    assert bench.state.position is None
    assert bench.state.orders == {}


def test_an_entry_while_a_position_or_an_order_exists_is_refused() -> None:
    bench = Bench()
    bench.bar(0, enter())
    assert bench.bar(1, enter()).decisions == (EntryRefused(reason=Reason.POSITION_EXISTS, detail="rule 1"),)

    bench.fill(Leg.ENTRY, "2", "101", identity=named(1, Leg.ENTRY))
    bench.bar(2, Abstain(reason=Reason.CONFLICT))
    assert bench.bar(3, enter()).decisions == (EntryRefused(reason=Reason.POSITION_EXISTS, detail="rule 1"),)


def test_a_refusal_is_written_at_every_close_at_which_it_is_made() -> None:
    bench = Bench(quantity="5000")
    refused = EntryRefused(reason=Reason.INSUFFICIENT_MARGIN, detail="rule 1")
    other = EntryRefused(reason=Reason.CONFLICT, detail="")

    told = [
        bench.bar(0, enter()).decisions,
        bench.bar(1, enter()).decisions,
        bench.bar(2).decisions,
        bench.bar(3, enter()).decisions,
        bench.bar(4, Abstain(reason=Reason.CONFLICT)).decisions,
        bench.bar(5, Abstain(reason=Reason.CONFLICT)).decisions,
        bench.bar(6, enter()).decisions,
    ]

    assert told == [(refused,), (refused,), (), (refused,), (other,), (other,), (refused,)]


def test_a_dead_entry_frees_the_way_and_the_next_attempt_has_its_own_name() -> None:
    bench = Bench()
    wish = enter(kind=OrderKind.LIMIT, price=Decimal(90))
    bench.bar(0, wish)
    bench.tell(OrderAccepted(**bench.stamp(), client_id=named(1, Leg.ENTRY)))
    assert bench.state.orders[named(1, Leg.ENTRY)].state is OrderState.WORKING
    bench.tell(OrderDied(**bench.stamp(), client_id=named(1, Leg.ENTRY), reason=Reason.EXPIRED))
    assert bench.state.orders == {}

    second = bench.bar(1, wish).commands[0]
    bench.tell(OrderDied(**bench.stamp(), client_id=second.client_id, reason=Reason.IOC_UNFILLED))
    third = bench.bar(2, wish).commands[0]
    assert [second.client_id, third.client_id] == [named(1, Leg.ENTRY, 2), named(1, Leg.ENTRY, 3)]

    bench.fill(Leg.ENTRY, "2", "90", identity=third.client_id)
    bench.fill(Leg.STOP, "-2", "85", exit_reason=ExitReason.STOP_LOSS)
    assert bench.bar(3, wish).commands[0].client_id == named(2, Leg.ENTRY, 1)


def test_a_breached_limit_stops_the_run_and_closes_the_position() -> None:
    bench = Bench()
    bench.entered()

    step = bench.tell(LimitBreached(**bench.stamp(), limit=StopReason.MAX_DRAWDOWN))

    assert step.decisions[0] == RunStopped(reason=StopReason.MAX_DRAWDOWN)
    assert step.commands == (
        SubmitExit(
            client_id=named(1, Leg.GUARD), trade=1, leg=Leg.GUARD, quantity=Decimal(-2), reason=ExitReason.MAX_DRAWDOWN
        ),
    )
    bench.fill(Leg.GUARD, "-2", "90", identity=named(1, Leg.GUARD), exit_reason=ExitReason.MAX_DRAWDOWN)
    assert bench.bar(9, enter()).decisions == (EntryRefused(reason=Reason.ENTRIES_DISABLED, detail="rule 1"),)


def test_a_breach_while_flat_only_stops_the_run() -> None:
    bench = Bench()

    step = bench.tell(LimitBreached(**bench.stamp(), limit=StopReason.EQUITY_STOP))

    assert (step.decisions, step.commands) == ((RunStopped(reason=StopReason.EQUITY_STOP),), ())


@pytest.mark.parametrize("reason", [Reason.DATA_GAP, Reason.END_OF_DATA])
def test_the_end_of_a_stretch_withdraws_the_entry_or_closes_the_position(reason: Reason) -> None:
    waiting, holding = Bench(), Bench()
    waiting.bar(0, enter())
    holding.entered()

    withdrawn = waiting.tell(StretchEnded(**waiting.stamp(), segment=0, reason=reason))
    closed = holding.tell(StretchEnded(**holding.stamp(), segment=0, reason=reason))

    assert withdrawn.decisions == (CancelOrdered(client_id=named(1, Leg.ENTRY), reason=reason),)
    assert withdrawn.commands == (CancelEntry(client_id=named(1, Leg.ENTRY)),)
    assert waiting.state.orders == {}
    (command,) = closed.commands
    assert isinstance(command, SubmitExit)
    assert (command.leg, command.reason.value, command.at_last_close) == (Leg.GUARD, reason.value.lower(), True)


def test_the_end_of_a_stretch_leaves_an_ordered_exit_alone() -> None:
    bench = Bench()
    bench.entered()
    bench.bar(6, Leave())

    step = bench.tell(StretchEnded(**bench.stamp(), segment=0, reason=Reason.END_OF_DATA))

    assert (step.decisions, step.commands) == ((), ())


def test_what_a_strategy_remembers_is_a_decision_and_is_written_when_it_changes() -> None:
    bench = Bench()
    assert bench.bar(0).decisions == ()
    bench.says.memory = {"count": 1}
    assert bench.bar(1).decisions == (StrategyRemembered(memory={"count": 1}),)
    assert bench.bar(2).decisions == ()

    other = bench.another()
    for step in bench.steps:
        for entry in (step.event, *step.decisions, *step.commands):
            other.fold(entry)
    assert other.state.memory == {"count": 1}


def test_a_report_of_an_order_nobody_knows_is_not_believed() -> None:
    bench = Bench()
    stranger = named(7, Leg.ENTRY)

    with pytest.raises(InvariantBroken, match=stranger):
        bench.tell(OrderDied(**bench.stamp(), client_id=stranger, reason=Reason.EXPIRED))
    with pytest.raises(InvariantBroken, match=stranger):
        bench.tell(OrderAccepted(**bench.stamp(), client_id=stranger))
    with pytest.raises(InvariantBroken, match=stranger):
        bench.fill(Leg.ENTRY, "2", "100", identity=stranger)


def test_a_second_entry_fill_is_not_believed() -> None:
    bench = Bench()
    bench.entered()
    before = snapshot(bench.core.state)

    with pytest.raises(InvariantBroken, match="an entry filled while a position was held"):
        bench.fill(Leg.ENTRY, "2", "100")
    assert snapshot(bench.core.state) == before


def test_a_fill_reported_again_after_its_position_is_closed_is_not_believed() -> None:
    bench = Bench()
    bench.entered()
    bench.fill(Leg.STOP, "-2", "99")
    before = snapshot(bench.core.state)

    with pytest.raises(InvariantBroken, match="an order that does not exist"):
        bench.fill(Leg.ENTRY, "2", "100", identity=named(1, Leg.ENTRY))
    with pytest.raises(InvariantBroken, match="for no more than is held"):
        bench.fill(Leg.STOP, "-2", "99")
    assert snapshot(bench.core.state) == before


@pytest.mark.parametrize("quantity", ["2", "-3", "0"])
def test_an_exit_that_enlarges_or_turns_the_position_is_not_believed(quantity: str) -> None:
    bench = Bench()
    bench.entered()

    with pytest.raises(InvariantBroken, match="for no more than is held"):
        bench.fill(Leg.STOP, quantity, "100")


def test_an_exit_without_a_position_is_not_believed() -> None:
    with pytest.raises(InvariantBroken, match="for no more than is held"):
        Bench().fill(Leg.TARGET, "-2", "100")


def snapshot(state: State) -> Any:
    return copy.deepcopy(
        (state.cash, state.position, dict(state.orders), state.trades, state.dead_entries, state.stopped,
         state.memory)
    )  # fmt: skip


class WholeFeatures:
    """The features of a market in one block a stretch, so that every bar can be asked for again."""

    def __init__(self, strategy: Strategy, market: Market) -> None:
        self._runs = []
        for stretch in market.stretches:
            run = FeatureRun(strategy.program, stretch.series, block=len(stretch.series.on(stretch.exec).bars))
            run.advance()
            self._runs.append(run)

    def at(self, segment: int, bar: int) -> tuple[Floats, int, int, float]:
        run = self._runs[segment]
        return run.x, run.column + bar, int(run.bars.bars.close_ns[bar]), float(run.bars.bars.close[bar])


def drawn(count: int) -> Iterator[tuple[PlayStrategy, Market, BacktestDriver, list[Step]]]:
    """Run the engine lane over some random plays."""
    for seed in range(count):
        strategy = desk.play_of(random_play(np.random.default_rng(60_000 + seed)))
        market = desk.play_market(strategy, desk.walk(seed, 4000))
        _, driver, steps = desk.engine_run(strategy, market)
        yield strategy, market, driver, steps


def test_folding_what_was_recorded_gives_the_running_state_after_every_step() -> None:
    """State changes by folding only: a replica that never decides stays equal, event by event."""
    compared = 0
    nothing: Any = None
    for strategy, market, driver, steps in drawn(12):
        gates, facts = EntryGates(strategy.terms, strategy.instrument), desk.facts_of(strategy)
        replica = Core(facts, strategy, gates, nothing)
        deciding = Core(facts, strategy, gates, WholeFeatures(strategy, market))
        for step in steps:
            again = deciding.apply(step.event)
            for entry in (step.event, *step.decisions, *step.commands):
                replica.fold(entry)
            assert again == step
            assert snapshot(replica.state) == snapshot(deciding.state)
            compared += 1
        assert snapshot(replica.state) == snapshot(driver.core.state)
    assert compared > 3000


def test_ids_are_unique_derived_and_fit_every_venue() -> None:
    ordered = 0
    for strategy, market, _, steps in drawn(8):
        ids = [c.client_id for step in steps for c in step.commands if not isinstance(c, CancelEntry)]
        again = [c.client_id for step in desk.engine_run(strategy, market)[2] for c in step.commands]
        assert len(set(ids)) == len(ids)
        assert all(re.fullmatch("kb[exg]-[a-z2-7]{20}", identity) for identity in ids)
        assert set(again) == set(ids)
        ordered += len(ids)
    assert ordered > 80


def test_the_time_at_which_events_are_known_strictly_rises() -> None:
    for _, _, _, steps in drawn(6):
        known = [step.event.known_ns for step in steps]
        assert all(a < b for a, b in itertools.pairwise(known))
        assert all(step.event.known_ns >= step.event.event_ns for step in steps)


def test_a_backtest_keeps_no_order_that_is_final() -> None:
    for _, _, driver, _ in drawn(4):
        assert all(not order.state.is_final for order in driver.core.state.orders.values())
        assert len(driver.core.state.orders) <= 1
