"""Rows of the failure catalogue (operations.md 12) about crashes around a send and about bars, with a whole account."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import numpy as np
import pytest

from calm_venue import CalmVenue
from evenkeel.data.calendar import load_calendar
from evenkeel.data.definitions import Definitions
from evenkeel.engine.account.account import Account
from evenkeel.engine.account.desk import Desk, DeskId
from evenkeel.engine.core import Core, RunFacts
from evenkeel.execution.books import Books
from evenkeel.execution.supervisor.supervisor import Identity, Supervisor
from evenkeel.execution.supervisor.venue_terms import Capabilities, Timing
from evenkeel.features.timeline import FeatureRun, Series
from evenkeel.model.bar import Bars, Floats
from evenkeel.model.command import AskVenue, LookUpOrder, PlaceOrder, SubmitEntry
from evenkeel.model.decision import EntryRefused
from evenkeel.model.event import BarsClosed, SessionBegan
from evenkeel.model.ids import ClientId, InstrumentId, Leg, RunId, StrategyId
from evenkeel.model.intent import OrderKind, TimeInForce
from evenkeel.model.order import OrderState
from evenkeel.model.reason import Reason
from evenkeel.model.report import Act, LookedUp, OrderReported, Outcome, SendResolved
from evenkeel.model.time import MINUTE, Timeframe, parse_time
from evenkeel.risk.gates.entry import EntryGates
from evenkeel.risk.limits.profiles import RESEARCH
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.program import PlayStrategy

D = Decimal
SYMBOL, START, BARS, RISE = InstrumentId("BTCUSDT.BYBIT"), parse_time("2024-01-01"), 40, 20
SECOND = 1_000_000_000
PLAY = """
version: "3.0.0"
name: riser
symbol: BTCUSDT.BYBIT
timeframes: { low_tf: 1m, med_tf: 1m, high_tf: 1m, exec: low_tf }
account: { starting_equity: 10000 }
features:
  fast: { indicator: ema, params: { length: 2 } }
  slow: { indicator: ema, params: { length: 5 } }
actions: { entry_long: ["fast", cross_above, "slow"] }
position_policy: { mode: long_only, exit_mode: sl_tp_only }
entry: { order_type: LIMIT, limit_offset_pct: 0.1, time_in_force: GTC, expire_after_bars: 3 }
risk_model:
  stop_loss: { type: percent, value: 1, basis: price }
  take_profit: { type: rr_ratio, value: 2 }
  sizing: { model: fixed_usdt, value: 1000 }
"""


def some_bars() -> Bars:
    """Return bars at 40,000 that rise by 100 at `RISE`, where the play wants to buy."""
    closes = np.full(BARS, 40_000.0)
    closes[RISE:] = 40_100.0
    before = np.concatenate([[40_000.0], closes[:-1]])
    opens = START + np.arange(BARS, dtype=np.int64) * MINUTE
    columns = (before, np.maximum(before, closes), np.minimum(before, closes), closes, np.ones(BARS))
    return Bars(Timeframe.parse("1m"), opens, opens + MINUTE, *(np.ascontiguousarray(c) for c in columns))


class Whole:
    """Features of all bars at once."""

    def __init__(self, strategy: PlayStrategy, bars: Bars) -> None:
        self._run = FeatureRun(strategy.program, Series(bars, load_calendar("24/7")), block=len(bars))
        self._run.advance()

    def at(self, segment: int, bar: int) -> tuple[Floats, int, int, float]:
        bars = self._run.bars.bars
        return self._run.x, self._run.column + bar, int(bars.close_ns[bar]), float(bars.close[bar])


def an_account() -> Account:
    instrument = Definitions.load().find(SYMBOL)
    strategy = PlayStrategy(load_play(PLAY, instruments=lambda _: instrument))
    name = StrategyId(strategy.name)
    facts = RunFacts("live", RunId("r"), name, SYMBOL, D(10_000))
    core = Core(facts, strategy, EntryGates(strategy.terms, instrument), Whole(strategy, some_bars()))
    supervisor = Supervisor(Identity("live", RunId("r")), {SYMBOL: instrument.tick_size}, Capabilities(), Timing())
    desk = Desk(DeskId(name, SYMBOL), core, instrument.tick_size)
    return Account([desk], supervisor, Books(D(10_000), {SYMBOL: D(1)}), Timing(), RESEARCH)


class Engine:
    """A process that journals and, where a test says so, dies."""

    def __init__(self, journal: list[object] | None = None) -> None:
        self.journal: list[object] = [] if journal is None else journal
        self.account = an_account()
        for entry in self.journal:
            self.account.fold(entry)  # type: ignore[arg-type]
        self.stamp = self.account.now_ns

    def tell(self, event: object, *, journaled: int | None = None) -> list[object]:
        """Apply an event; return its commands. Only the first `journaled` entries reach the journal."""
        self.stamp += 1
        stamped = msgspec.structs.replace(event, known_ns=max(self.stamp, event.event_ns))  # type: ignore[type-var, attr-defined]
        self.stamp = stamped.known_ns  # type: ignore[attr-defined]
        step = self.account.apply(stamped)  # type: ignore[arg-type]
        entries = [step.event, *step.entries]
        self.journal += entries if journaled is None else entries[:journaled]
        return list(step.commands)

    def bar(self, bar: int, **how: int) -> list[object]:
        at = START + (bar + 1) * MINUTE
        return self.tell(BarsClosed(event_ns=at, known_ns=at, instrument=SYMBOL, segment=0, bar=bar), **how)

    def begins(self) -> list[object]:
        """Begin a session; return what is commanded about orders, the comparison with the venue aside."""
        commands = self.tell(SessionBegan(event_ns=self.stamp, known_ns=self.stamp))
        return [command for command in commands if not isinstance(command, AskVenue)]

    def bars(self, until: int) -> None:
        for bar in range(until):
            assert self.bar(bar) == []


def entry_of(commands: list[object]) -> PlaceOrder:
    (command,) = [c for c in commands if isinstance(c, PlaceOrder)]
    assert command.order.leg is Leg.ENTRY
    return command


def test_row_1_killed_before_the_intent_was_written_nothing_was_sent_and_it_is_decided_again() -> None:
    engine = Engine()
    engine.bars(RISE)
    sent = entry_of(engine.bar(RISE, journaled=0))
    again = Engine(engine.journal)
    assert again.begins() == []
    assert again.account.supervisor.book.open == {}
    assert entry_of(again.bar(RISE)).order.client_id == sent.order.client_id


def test_row_2_killed_after_the_intent_was_written_and_before_the_send_it_is_proven_absent_and_not_sent_late() -> None:
    """Rows 2 and 73: what an entry holds back is held while it is in doubt, and free once it is proven absent."""
    engine = Engine()
    engine.bars(RISE)
    sent = entry_of(engine.bar(RISE)).order
    again = Engine(engine.journal)
    assert [type(command) for command in again.begins()] == [LookUpOrder]
    assert list(again.account.supervisor.book.open) == [sent.client_id]
    for seconds in (4, 8, 12):
        at = again.stamp + seconds * SECOND
        again.stamp = at
        again.tell(
            LookedUp(event_ns=at, known_ns=at, client_id=sent.client_id, asked_ns=at, complete=True, instrument=SYMBOL)
        )
    order = again.account.supervisor.book.get(sent.client_id)
    assert order is not None
    assert order.state is OrderState.ABORTED
    assert again.account.supervisor.book.open == {}
    assert not [c for c in again.bar(RISE) if isinstance(c, PlaceOrder)]


def test_row_3_killed_after_the_send_and_before_the_answer_the_order_is_found_and_protected() -> None:
    engine = Engine()
    engine.bars(RISE)
    sent = entry_of(engine.bar(RISE)).order
    again = Engine(engine.journal)
    assert [type(command) for command in again.begins()] == [LookUpOrder]
    at = again.stamp + SECOND
    found = OrderReported(
        event_ns=at, known_ns=at, instrument=SYMBOL, client_id=sent.client_id, venue_id="v", state=OrderState.FILLED,
        quantity=sent.quantity, filled=sent.quantity, average=D(40_000), price=sent.price,
    )  # fmt: skip
    commands = again.tell(
        LookedUp(event_ns=at, known_ns=at, client_id=sent.client_id, asked_ns=at, found=found, complete=True)
    )
    assert [(c.order.leg, c.order.quantity) for c in commands if isinstance(c, PlaceOrder)] == [
        (Leg.STOP, -sent.quantity)
    ]
    (desk,) = again.account.desks.values()
    assert desk.position == sent.quantity


def test_row_6_an_order_that_the_venue_failed_on_and_has_all_the_same_is_one_order() -> None:
    """Row 6: a 5xx is no refusal; the venue is asked, and nothing is sent under another id."""
    engine = Engine()
    engine.bars(RISE)
    sent = entry_of(engine.bar(RISE)).order
    at = engine.stamp + SECOND
    failed = SendResolved(
        event_ns=at, known_ns=at, client_id=sent.client_id, act=Act.PLACE, outcome=Outcome.UNKNOWN, text="503"
    )
    assert engine.tell(failed) == []
    for bar in range(RISE + 1, RISE + 3):
        assert not [c for c in engine.bar(bar) if isinstance(c, PlaceOrder)]
    found = OrderReported(
        event_ns=at, known_ns=at, instrument=SYMBOL, client_id=sent.client_id, venue_id="v", state=OrderState.WORKING,
        quantity=sent.quantity, price=sent.price,
    )  # fmt: skip
    engine.tell(LookedUp(event_ns=at, known_ns=at, client_id=sent.client_id, asked_ns=at, found=found, complete=True))
    assert list(engine.account.supervisor.book.open) == [sent.client_id]


@pytest.mark.parametrize("late", [RISE, RISE - 1])
def test_rows_32_and_33_a_bar_that_comes_again_or_late_decides_nothing(late: int) -> None:
    """Rows 32 and 33: no second order for one signal."""
    engine = Engine()
    engine.bars(RISE)
    entry_of(engine.bar(RISE))
    before = len(engine.journal)
    assert engine.bar(late) == []
    decided = [entry for entry in engine.journal[before:] if isinstance(getattr(entry, "what", None), SubmitEntry)]
    assert decided == []


def test_h9_a_restart_in_the_middle_of_a_trade_has_its_stop_its_targets_and_its_counts() -> None:
    """H9: what moves a stop is in the journal; the account of the next process is the same, and moves it the same."""
    account = an_account()
    venue = CalmVenue(account, SYMBOL, D(40_000), START)
    for bar in range(RISE + 6):
        at = START + (bar + 1) * MINUTE
        venue.trades_at(D(40_000) if bar < RISE else D(40_050), at)
        venue.tell(BarsClosed(event_ns=at, known_ns=at, instrument=SYMBOL, segment=0, bar=bar))
    assert venue.position > 0
    again = an_account()
    for entry in venue.steps:
        again.fold(entry)  # type: ignore[arg-type]
    assert again.state() == account.state()
    (bracket,) = again.supervisor.brackets.values()
    assert bracket.stop_price is not None
    assert bracket.target_price is not None
    assert {order.leg for order in again.supervisor.book.open.values()} == {Leg.STOP, Leg.TARGET}


def test_no_second_entry_leaves_while_one_that_its_core_takes_for_over_is_at_the_venue() -> None:
    """Row 6: the request arrived twice; the first was refused, the second rests."""
    engine = Engine()
    engine.bars(RISE)
    sent = entry_of(engine.bar(RISE)).order
    at = engine.stamp + SECOND
    engine.tell(
        SendResolved(event_ns=at, known_ns=at, client_id=sent.client_id, act=Act.PLACE, outcome=Outcome.REFUSED)
    )
    report = OrderReported(
        event_ns=at, known_ns=at, instrument=SYMBOL, client_id=sent.client_id, venue_id="v", state=OrderState.WORKING,
        quantity=sent.quantity, price=sent.price,
    )  # fmt: skip
    engine.tell(report)
    (desk,) = engine.account.desks.values()
    desk.bar = RISE - 1
    assert not [c for c in engine.bar(RISE) if isinstance(c, PlaceOrder)]
    said = [getattr(entry, "what", None) for entry in engine.journal]
    assert [one.reason for one in said if isinstance(one, EntryRefused)] == [Reason.POSITION_EXISTS]


CHANGES: dict[str, object] = {
    "client_id": "other", "trade": 7, "kind": OrderKind.STOP_LIMIT, "quantity": D(3), "price": D(2), "trigger": D(5),
    "time_in_force": TimeInForce.IOC, "expire_bars": 4, "stop_distance": D(6), "target_distance": D(7),
    "trail_distance": D(8), "reference": D(9),
}  # fmt: skip
NOT_SENT = {"signal": "it names the rule for the reports of a backtest"}


@pytest.mark.parametrize("field", SubmitEntry.__struct_fields__)
def test_c5_no_field_of_an_entry_is_lost_on_its_way_to_the_venue(field: str) -> None:
    (desk,) = an_account().desks.values()
    entry = SubmitEntry(client_id=ClientId("one"), trade=1, kind=OrderKind.LIMIT, quantity=D(1), price=D(1))
    if field in NOT_SENT:
        return
    other = msgspec.structs.replace(entry, **{field: CHANGES[field]})
    sent = [(desk.order(command, 0, None), desk.bracket(command)) for command in (entry, other)]
    assert sent[0] != sent[1]
