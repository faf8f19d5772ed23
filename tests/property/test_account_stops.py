"""Stops that move on an account are those of the backtest, bar by bar, and those of a few lines of decimals."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

import numpy as np
import pytest

import desk as backtest
from calm_venue import CalmVenue
from evenkeel.data.calendar import load_calendar
from evenkeel.data.definitions import Definitions
from evenkeel.engine.account.account import Account
from evenkeel.engine.account.desk import Desk, DeskId
from evenkeel.engine.core import Core, RunFacts
from evenkeel.engine.research import run_research
from evenkeel.execution.books import Books
from evenkeel.execution.supervisor.supervisor import Identity, Supervisor
from evenkeel.execution.supervisor.venue_terms import Capabilities, Timing
from evenkeel.features.timeline import FeatureRun, Series
from evenkeel.model.bar import Bars, Floats
from evenkeel.model.command import AmendOrder, PlaceOrder
from evenkeel.model.event import BarsClosed, BaseClosed
from evenkeel.model.ids import InstrumentId, Leg, RunId, StrategyId
from evenkeel.model.time import MINUTE, Timeframe, parse_time
from evenkeel.risk.gates.entry import EntryGates
from evenkeel.risk.limits.profiles import RESEARCH
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.program import PlayStrategy

D = Decimal
SYMBOL = InstrumentId("BTCUSDT.BYBIT")
STEP, BARS, STILL, START = 5_000_000_000, 300, 60, parse_time("2024-01-01")
TICK = D("0.1")
PLAY = """
version: "3.0.0"
name: follower
symbol: BTCUSDT.BYBIT
timeframes: { low_tf: 1m, med_tf: 1m, high_tf: 1m, exec: low_tf }
account: { starting_equity: 10000, slippage_bps: 0, fee_model: { taker_bps: 0, maker_bps: 0 } }
features:
  fast: { indicator: ema, params: { length: 2 } }
  slow: { indicator: ema, params: { length: 5 } }
actions:
  entry_long: ["fast", cross_above, "slow"]
  entry_short: ["fast", cross_below, "slow"]
position_policy: { mode: long_short, exit_mode: sl_tp_only }
risk_model:
  stop_loss: STOP
  take_profit: { type: percent, value: TARGET, basis: price }
  trailing: null
  break_even: EVEN
  sizing: { model: fixed_usdt, value: 1000 }
"""


class Whole:
    """Features of all bars at once."""

    def __init__(self, strategy: PlayStrategy, bars: Bars) -> None:
        self._run = FeatureRun(strategy.program, Series(bars, load_calendar("24/7")), block=len(bars))
        self._run.advance()

    def at(self, segment: int, bar: int) -> tuple[Floats, int, int, float]:
        bars = self._run.bars.bars
        return self._run.x, self._run.column + bar, int(bars.close_ns[bar]), float(bars.close[bar])


class Case(NamedTuple):
    """How the stop of a play moves, as fractions; None does not."""

    stop: Decimal
    trail: Decimal | None
    armed: Decimal
    even: Decimal | None
    offset: Decimal


class Told(NamedTuple):
    """A trade: side, entry price, where its stop was in the end, and what closed it."""

    side: int
    entry: Decimal
    stop: Decimal
    reason: str


CASES = {
    "trails": Case(D("0.001"), D("0.001"), D(0), None, D(0)),
    "trails once armed": Case(D("0.001"), D("0.001"), D("0.0004"), None, D(0)),
    "goes to break-even": Case(D("0.001"), None, D(0), D("0.0005"), D("0.0002")),
    "both": Case(D("0.0012"), D("0.0012"), D("0.0003"), D("0.0006"), D("0.0001")),
}


def a_play(case: Case) -> str:
    hundred = {name: None if value is None else value * 100 for name, value in case._asdict().items()}
    if case.trail is None:
        stop = f"{{ type: percent, value: {hundred['stop']}, basis: price }}"
    else:
        stop = f"{{ type: trailing_pct, trail_pct: {hundred['trail']}, activation_pct: {hundred['armed']} }}"
    even = f"{{ activation_pct: {hundred['even']}, offset_pct: {hundred['offset']} }}"
    text = PLAY.replace("STOP", stop).replace("TARGET", "5").replace("  trailing: null\n", "")
    return text.replace("  break_even: EVEN\n", "") if case.even is None else text.replace("EVEN", even)


def a_market(seed: int) -> tuple[Floats, Bars]:
    """Draw prices; each bar opens where the one before closed, so that both venues fill at one price.

    Nothing moves at first: a backtest does not trade in its warm-up. Nothing fills at the close itself: an account
    hears of it after it has decided.
    """
    rng = np.random.default_rng(seed)
    steps = int(MINUTE // STEP)
    moves = rng.normal(size=(BARS, steps)) * 2e-4
    moves[:STILL] = 0.0
    table = np.round(40_000 * np.exp(np.cumsum(moves.ravel())), 1).reshape(BARS, steps)
    table[:, -1] = table[:, -2]
    table[1:, 0] = table[:-1, -1]
    opens = START + np.arange(BARS, dtype=np.int64) * MINUTE
    columns = (table[:, 0], table.max(axis=1), table.min(axis=1), table[:, -1], np.ones(BARS))
    return table, Bars(Timeframe.parse("1m"), opens, opens + MINUTE, *(np.ascontiguousarray(c) for c in columns))


def an_account(text: str, bars: Bars) -> Account:
    instrument = Definitions.load().find(SYMBOL)
    strategy = PlayStrategy(load_play(text, instruments=lambda _: instrument))
    name = StrategyId(strategy.name)
    facts = RunFacts("live", RunId("r"), name, SYMBOL, D(10_000))
    core = Core(facts, strategy, EntryGates(strategy.terms, instrument), Whole(strategy, bars))
    supervisor = Supervisor(Identity("live", RunId("r")), {SYMBOL: instrument.tick_size}, Capabilities(), Timing())
    desk = Desk(DeskId(name, SYMBOL), core, instrument.tick_size)
    return Account([desk], supervisor, Books(D(10_000), {SYMBOL: D(1)}), Timing(), RESEARCH)


def an_account_run(text: str, table: Floats, bars: Bars) -> tuple[CalmVenue, list[Told], list[list[Decimal]]]:
    """Run an account at a venue without faults; return its trades, and where the stop of each has rested."""
    account = an_account(text, bars)
    venue = CalmVenue(account, SYMBOL, D(repr(float(table[0, 0]))), START)
    for bar, row in enumerate(table):
        for step, price in enumerate(row):
            venue.trades_at(D(repr(float(price))), START + bar * MINUTE + (step + 1) * STEP)
        at = venue.now_ns
        venue.tell(BaseClosed(event_ns=at, known_ns=at, instrument=SYMBOL, close=venue.price))
        venue.tell(BarsClosed(event_ns=at, known_ns=at, instrument=SYMBOL, segment=0, bar=bar))
    stops: dict[int, list[Decimal]] = {}
    of: dict[str, int] = {}
    for entry in venue.steps:
        if isinstance(entry, PlaceOrder) and entry.order.leg is Leg.STOP:
            assert entry.order.trade not in stops, "a stop is moved, not placed anew"
            of[entry.order.client_id] = entry.order.trade
            stops[entry.order.trade] = [_known(entry.order.trigger)]
        elif isinstance(entry, AmendOrder) and entry.client_id in of:
            stops[of[entry.client_id]].append(_known(entry.amendment.trigger))
    told = [
        Told(b.direction, b.average, _known(b.stop_price), b.stop_by.value)
        for b in account.supervisor.over.values()
        if b.bought and not b.held
    ]
    return venue, told, [stops[number + 1] for number in range(len(told))]


def replayed(venue: CalmVenue, text: str, bars: Bars) -> Account:
    """Return an account that folded what another one recorded."""
    again = an_account(text, bars)
    for entry in venue.steps:
        again.fold(entry)  # type: ignore[arg-type]
    return again


def _known(value: Decimal | None) -> Decimal:
    assert value is not None
    return value


def towards(level: Decimal, side: int) -> Decimal:
    return (level / TICK).to_integral_value(ROUND_CEILING if side > 0 else ROUND_FLOOR) * TICK


def by_hand(case: Case, side: int, entry: Decimal, first: Decimal, closes: list[Decimal]) -> list[Decimal]:
    """Return where a stop has rested, from its first level on, while base bars closed."""
    levels, armed, evened = [first], False, False
    for close in closes:
        profit = side * (close - entry) / entry
        armed = armed or (case.trail is not None and profit >= case.armed)
        wishes = [close * (1 - side * case.trail)] if armed and case.trail is not None else []
        if case.even is not None and not evened and profit >= case.even:
            evened = True
            wishes.append(entry * (1 + side * case.offset))
        best = max((towards(w, side) for w in wishes), key=lambda level: side * level, default=levels[-1])
        if side * (best - levels[-1]) > 0:
            levels.append(best)
    return levels


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", range(6))
def test_an_account_moves_its_stops_as_the_backtest_does(name: str, seed: int) -> None:
    """H9 too: what was folded from a journal has the same stops, armed and moved alike."""
    case, (table, bars) = CASES[name], a_market(seed)
    text = a_play(case)
    strategy = backtest.play_of(text, Definitions.load().find(SYMBOL))
    record = run_research(strategy, backtest.play_market(strategy, bars))
    expected = [trade for trade in record.trades() if trade.exit.event.exit_reason in ("sl", "trailing", "breakeven")]

    venue, told, stops = an_account_run(text, table, bars)

    assert len(told) >= 3
    assert [
        Told(t.direction.sign, t.entry.event.price, t.exit.event.stop_price or D(0), str(t.exit.event.exit_reason))
        for t in expected
    ] == told
    closes = [D(repr(float(close))) for close in bars.close]
    for trade, levels in zip(expected, stops, strict=True):
        entered, left = trade.entry.event.row, trade.exit.event.row
        side, entry = trade.direction.sign, trade.entry.event.price
        assert levels == by_hand(case, side, entry, trade.entry.event.stop_price or D(0), closes[entered:left])
        assert levels == sorted(levels, reverse=side < 0)
    assert any(len(levels) > 1 for levels in stops)
    assert venue.position == venue.account.supervisor.held(SYMBOL)
    assert replayed(venue, text, bars).state() == venue.account.state()
