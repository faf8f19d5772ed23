"""An account whose features are live: it decides as one with recorded features, and a restart changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest

from calm_venue import CalmVenue
from evenkeel.data.calendar import load_calendar
from evenkeel.data.definitions import Definitions
from evenkeel.engine.account import live, snapshot
from evenkeel.engine.account.account import Account
from evenkeel.engine.account.desk import Desk, DeskId
from evenkeel.engine.account.entry import AccountEvent, Entry, OfDesk
from evenkeel.engine.core import Core, FeatureSource, RunFacts
from evenkeel.execution.books import Books
from evenkeel.execution.findings import FindingCode
from evenkeel.execution.supervisor.supervisor import Identity, Supervisor
from evenkeel.execution.supervisor.venue_terms import Capabilities, Timing
from evenkeel.features.live import LiveFeatures
from evenkeel.features.timeline import FeatureRun, Series
from evenkeel.model.bar import Bars, BarValues, Floats
from evenkeel.model.errors import StorageError
from evenkeel.model.event import BarsClosed, BarsSettled, BaseClosed, Event, SideTold
from evenkeel.model.ids import InstrumentId, RunId, StrategyId
from evenkeel.model.intent import Intent
from evenkeel.model.time import MINUTE, Timeframe, parse_time
from evenkeel.risk.gates.entry import EntryGates
from evenkeel.risk.limits.profiles import RESEARCH
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.program import PlayStrategy
from evenkeel.strategies.python_strategy import Features, PythonStrategy
from evenkeel.strategies.strategy import Strategy, View
from live_feed import values_of
from random_plays import Rng

D = Decimal
SYMBOL = InstrumentId("BTCUSDT.BYBIT")
M1, ALWAYS, START = Timeframe.parse("1m"), load_calendar("24/7"), parse_time("2024-01-01")
MINUTES = 900
PLAY = """
version: "3.0.0"
name: restless
symbol: BTCUSDT.BYBIT
timeframes: { low_tf: 1m, med_tf: 5m, high_tf: 15m, exec: med_tf }
account: { starting_equity: 10000, max_drawdown_pct: 90 }
features:
  fast: { indicator: ema, tf: 5m, params: { length: 2 } }
  slow: { indicator: ema, tf: 15m, params: { length: 3 } }
  quick: { indicator: sma, tf: 1m, params: { length: 4 } }
actions:
  entry_long:
    all: [["fast", ">", "slow"], { occurred_within: { bars: 4, anchor_tf: 1m, expr: ["quick", ">", "fast"] } }]
  entry_short: ["fast", cross_below, "slow"]
  exit_long: ["fast", cross_below, "slow"]
  exit_short: ["fast", cross_above, "slow"]
position_policy: { mode: long_short, exit_mode: first_hit }
risk_model:
  stop_loss: { type: percent, value: 0.4, basis: price }
  take_profit: { type: percent, value: 0.6, basis: price }
  sizing: { model: percent_equity, value: 20 }
"""


class Counting(PythonStrategy):
    """Enters at every third rise that it remembers and leaves after two bars."""

    symbol, timeframe = SYMBOL, "5m"

    def setup(self, features: Features) -> None:
        self.mean = features.indicator("sma", length=3)
        self.slow = features.indicator("ema", length=2, timeframe="15m")
        self.memory = {"rises": 0, "last": None}

    def decide(self, view: View) -> Intent:
        mean, last = view.value(self.mean), self.memory["last"]
        rises = self.memory["rises"] + (last is not None and mean > last)
        self.memory = {"rises": rises, "last": mean}
        if view.position and view.bars_held >= 2:
            return self.close("two bars")
        if not view.position and rises % 3 == 1 and view.value(self.slow) > 0:
            return self.long(stop=view.price / 200, reason=f"rise {rises}")
        return self.nothing()


class Whole:
    """Features of all bars at once."""

    def __init__(self, strategy: Strategy, bars: Bars) -> None:
        self._run = FeatureRun(strategy.program, Series(bars, ALWAYS), block=len(bars))
        self._run.advance()

    def at(self, segment: int, bar: int) -> tuple[Floats, int, int, float]:
        bars = self._run.bars.bars
        return self._run.x, self._run.column + bar, int(bars.close_ns[bar]), float(bars.close[bar])


def a_strategy(kind: str) -> Strategy:
    known = Definitions.load().find
    return PlayStrategy(load_play(PLAY, instruments=known)) if kind == "play" else Counting(known, "counting")


def a_market(rng: Rng) -> Bars:
    """Return minutes, of which some are missing."""
    close = np.round(40_000 * np.exp(np.cumsum(rng.normal(size=MINUTES) * 8e-4)), 1)
    opened = np.concatenate([[40_000.0], close[:-1]])
    columns = (opened, np.maximum(opened, close), np.minimum(opened, close), close, np.ones(MINUTES))
    kept = rng.random(MINUTES) > 0.08
    kept[-1] = True
    opens = START + np.arange(MINUTES, dtype=np.int64) * MINUTE
    return Bars(M1, opens[kept], opens[kept] + MINUTE, *(column[kept] for column in columns))


def an_account(kind: str, features: Callable[[Strategy], FeatureSource]) -> Account:
    strategy = a_strategy(kind)
    asset, name = strategy.instrument, StrategyId(strategy.name)
    facts = RunFacts("live", RunId("r"), name, SYMBOL, D(10_000))
    core = Core(facts, strategy, EntryGates(strategy.terms, asset), features(strategy))
    supervisor = Supervisor(Identity("live", RunId("r")), {SYMBOL: asset.tick_size}, Capabilities(), Timing())
    desk = Desk(DeskId(name, SYMBOL), core, asset.tick_size)
    return Account([desk], supervisor, Books(D(10_000), {SYMBOL: D(1)}), Timing(), RESEARCH)


def a_live_account(kind: str) -> Account:
    return an_account(kind, lambda strategy: LiveFeatures(strategy.program, M1, ALWAYS))


def base_closed(*bars: BarValues, segment: int = 0) -> BaseClosed:
    last = bars[-1]
    return BaseClosed(
        event_ns=last.close_ns, known_ns=last.close_ns, instrument=SYMBOL, close=D(repr(last.close)), bars=bars,
        segment=segment,
    )  # fmt: skip


class Run:
    """Minutes told to an account at a calm venue.

    Attributes:
        venue: The venue with the account.
        decided: Execution bars that were told.
    """

    def __init__(self, account: Account, bars: Bars) -> None:
        self.venue = CalmVenue(account, SYMBOL, D(40_000), START)
        self.bars = {bar.close_ns: bar for bar in values_of(Series(bars, ALWAYS))}
        self.decided: list[int] = []
        self.folded = 0

    def minute(self, number: int, *, tell: Callable[[int], list[BarsClosed]] | None = None) -> None:
        """Let a minute pass, with a bar or without one, and tell what is due."""
        at, venue = START + (number + 1) * MINUTE, self.venue
        bar = self.bars.get(at)
        if bar is not None:
            venue.trades_at(D(repr(bar.close)), at)
            venue.tell(base_closed(bar))
        else:
            venue.now_ns = at
            venue.tell(BarsSettled(event_ns=at, known_ns=at, instrument=SYMBOL))
        due = live.due(venue.account.desks.values(), now_ns=at, since_ns=at) if tell is None else tell(at)
        for event in due:
            self.decided.append(event.bar)
            venue.tell(event)

    def restart(self, make: Callable[[], Account], rng: Rng, saved: list[tuple[int, dict[str, bytes]]]) -> None:
        """Let another account take over: from a snapshot and the steps since, or from the steps alone."""
        account, place = make(), 0
        if saved and rng.random() < 0.7:
            place, parts = saved[int(rng.integers(len(saved)))]
            snapshot.restore(account, parts)
        for entry in self.venue.steps[place:]:
            kind: Any = AccountEvent if isinstance(entry, Event) else Entry
            account.fold(msgspec.msgpack.decode(msgspec.msgpack.encode(entry), type=kind))
        assert account.state() == self.venue.account.state()
        self.venue.account = account


def of_desk(run: Run) -> list[OfDesk]:
    return [entry for entry in run.venue.steps if isinstance(entry, OfDesk)]


def an_undisturbed_run(kind: str, bars: Bars) -> Run:
    run = Run(a_live_account(kind), bars)
    for number in range(MINUTES):
        run.minute(number)
    return run


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["play", "python"])
def test_it_decides_as_an_account_with_recorded_features(kind: str, seed: int) -> None:
    bars = a_market(np.random.default_rng(seed))
    alive = an_undisturbed_run(kind, bars)

    closes = Series(bars, ALWAYS).on(Timeframe.parse("5m")).bars.close_ns.tolist()
    recorded = Run(an_account(kind, lambda strategy: Whole(strategy, bars)), bars)
    warm = alive.decided[0]

    def tell(at: int) -> list[BarsClosed]:
        known = {close: bar for bar, close in enumerate(closes)}
        if at not in known or known[at] < warm:
            return []
        return [BarsClosed(event_ns=at, known_ns=at, instrument=SYMBOL, segment=0, bar=known[at])]

    for number in range(MINUTES):
        recorded.minute(number, tell=tell)

    assert alive.decided == recorded.decided == list(range(warm, len(closes)))
    assert of_desk(alive) == of_desk(recorded)
    assert len({entry.what for entry in of_desk(alive) if type(entry.what).__name__ == "SubmitEntry"}) > 3


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["play", "python"])
def test_the_next_decision_after_a_restart_is_the_one_without_it(kind: str, seed: int) -> None:
    rng: Rng = np.random.default_rng(seed)
    bars = a_market(rng)
    wanted = an_undisturbed_run(kind, bars)
    run = Run(a_live_account(kind), bars)
    saved: list[tuple[int, dict[str, bytes]]] = []
    for number in range(MINUTES):
        run.minute(number)
        if rng.random() < 0.02:
            saved.append((len(run.venue.steps), snapshot.take(run.venue.account)))
        if rng.random() < 0.02:
            run.restart(lambda: a_live_account(kind), rng, saved)

    assert run.venue.steps == wanted.venue.steps
    assert run.venue.account.state() == wanted.venue.account.state()


def test_a_restart_between_a_bar_and_its_decision_decides_as_if_there_was_none() -> None:
    bars = a_market(np.random.default_rng(9))
    wanted = an_undisturbed_run("play", bars)
    run = Run(a_live_account("play"), bars)

    def after_a_restart(at: int) -> list[BarsClosed]:
        account = a_live_account("play")
        snapshot.restore(account, snapshot.take(run.venue.account))
        run.venue.account = account
        return live.due(account.desks.values(), now_ns=at, since_ns=at)

    for number in range(300):
        run.minute(number, tell=after_a_restart)

    assert run.venue.steps == wanted.venue.steps[: len(run.venue.steps)]
    assert run.decided


def test_a_bar_that_comes_late_or_is_none_is_a_finding_and_moves_nothing() -> None:
    account = a_live_account("play")
    bars = values_of(Series(a_market(np.random.default_rng(2)), ALWAYS))
    for bar in bars[:40]:
        account.apply(base_closed(bar))
    (desk,) = account.desks.values()
    assert isinstance(desk.core.features, LiveFeatures)
    before = desk.core.features.saved()

    for bad in (bars[39], bars[3], msgspec.structs.replace(bars[40], high=float("nan"))):
        account.apply(base_closed(bad))
        (finding,) = account.findings
        assert finding.code is FindingCode.BAR_REFUSED
        assert SYMBOL in finding.detail
        assert desk.core.features.saved() == before
    account.apply(base_closed(bars[40]))
    assert account.findings == []
    assert desk.core.features.saved() != before


def test_no_bar_before_the_warm_up_is_due() -> None:
    account = a_live_account("play")
    (desk,) = account.desks.values()
    found = []
    for bar in values_of(Series(a_market(np.random.default_rng(2)), ALWAYS))[:200]:
        account.apply(base_closed(bar))
        found += [event.bar for event in live.due([desk], now_ns=bar.close_ns, since_ns=0)]
        assert desk.is_warm == bool(found)
    assert isinstance(desk.core.features, LiveFeatures)
    assert min(found) == desk.core.features.first


def test_bars_that_were_fetched_later_are_known_and_decide_nothing() -> None:
    account = a_live_account("play")
    bars = values_of(Series(a_market(np.random.default_rng(2)), ALWAYS))
    for bar in bars[:400]:
        account.apply(base_closed(bar))
    desks, now_ns = account.desks.values(), bars[399].close_ns

    assert live.due(desks, now_ns=now_ns, since_ns=now_ns + 1) == []
    (desk,) = desks
    assert isinstance(desk.core.features, LiveFeatures)
    last = desk.core.features.bars - 1
    late = live.due(desks, now_ns=now_ns, since_ns=now_ns - 11 * MINUTE)
    assert [event.bar for event in late] == [last - 1, last]
    account.apply(late[0])
    assert [event.bar for event in live.due(desks, now_ns=now_ns, since_ns=0)] == [last]
    account.apply(late[1])
    assert live.due(desks, now_ns=now_ns, since_ns=0) == []


def test_after_a_fault_in_the_data_features_begin_anew_and_know_what_lay_beside() -> None:
    account, fresh = a_live_account("play"), a_live_account("play")
    bars = values_of(Series(a_market(np.random.default_rng(2)), ALWAYS))
    for bar in bars[:200]:
        account.apply(base_closed(bar))
    (desk,), (other,) = account.desks.values(), fresh.desks.values()
    warm = [desk.is_warm]
    account.apply(base_closed(bars[150], segment=1))
    assert [finding.code for finding in account.findings] == [FindingCode.BAR_REFUSED], "a bar of before the fault"
    warm.append(desk.is_warm)
    for bar in bars[260:420]:
        account.apply(base_closed(bar, segment=1))
        fresh.apply(base_closed(bar))
        features, wanted = desk.core.features, other.core.features
        assert isinstance(features, LiveFeatures)
        assert isinstance(wanted, LiveFeatures)
        assert desk.is_warm == other.is_warm
        assert (features.segment, features.bars, features.first) == (1, wanted.bars, wanted.first)
        if wanted.bars:
            (x, column, *_), (y, place, *_) = features.at(1, wanted.bars - 1), wanted.at(0, wanted.bars - 1)
            np.testing.assert_array_equal(x[:, column], y[:, place])
    assert [*warm, desk.is_warm] == [True, False, True]


def test_a_value_beside_bars_reaches_the_features_and_can_grow_old() -> None:
    play = PLAY.replace('"fast", cross_below, "slow"]\n  exit_long', '"funding_rate", ">", 0]\n  exit_long')
    strategy = PlayStrategy(load_play(play, instruments=Definitions.load().find))
    features = LiveFeatures(strategy.program, M1, ALWAYS)
    row = strategy.program.decisions.columns["funding_rate"]
    account = an_account("play", lambda _: features)
    seen: list[float] = []
    beyond = 0.0
    for number, bar in enumerate(values_of(Series(a_market(np.random.default_rng(2)), ALWAYS))[:60]):
        if number in (0, 45):
            told = 0.5 if number == 0 else None
            account.apply(
                SideTold(event_ns=bar.close_ns, known_ns=0, instrument=SYMBOL, name="funding_rate", value=told)
            )
        account.apply(base_closed(bar, segment=number // 30))
        if features.bars:
            x, column, _, _ = features.at(features.segment, features.bars - 1)
            seen.append(float(x[row, column]))
            beyond = seen[-1] if number < 45 and features.segment else beyond
    assert seen[0] == 0.5
    assert beyond == 0.5, "what is known beside bars is known beyond a fault in them"
    assert np.isnan(seen[-1])


def test_a_snapshot_with_the_features_of_another_strategy_is_refused() -> None:
    account = a_live_account("play")
    other = an_account("play", lambda _: LiveFeatures(a_strategy("python").program, M1, ALWAYS))

    with pytest.raises(StorageError, match="another strategy"):
        snapshot.restore(other, snapshot.take(account))
