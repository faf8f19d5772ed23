"""No run knows the future: cut the data at any bar, or put garbage behind it, and the past stays as it was.

The first of the metamorphic properties of plays.md 8.3; the others are in `test_metamorphic` and `test_lanes`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import desk
from evenkeel.data.catalog import Catalog
from evenkeel.data.definitions import Definitions
from evenkeel.engine.core import Step
from evenkeel.engine.record import Fill, RunRecord
from evenkeel.engine.research import run_research
from evenkeel.model.bar import Bars
from evenkeel.model.event import FillPoint, OrderDied, OrderFilled, StretchEnded
from evenkeel.model.reason import Reason
from evenkeel.model.time import Timeframe
from evenkeel.strategies.play.program import PlayStrategy
from random_plays import random_play

FASTER = (("1m", "3m", "15m"), ("1m", "5m", "15m"), ("1m", "15m", "30m"), ("3m", "15m", "30m"))
"""Every play reads timeframes above its own or below it."""


def poisoned(bars: Bars, cut: int, rng: np.random.Generator) -> Bars:
    """Return the bars with other prices and volumes from row `cut` on, sane within each bar."""
    columns = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close", "volume")}
    left = len(bars) - cut
    prices = np.sort(np.round(rng.uniform(20, 300, (4, left)), 2), axis=0)
    columns["low"][cut:], columns["high"][cut:] = prices[0], prices[3]
    columns["open"][cut:], columns["close"][cut:] = prices[1], prices[2]
    columns["volume"][cut:] = rng.uniform(0, 1e6, left)
    return Bars(bars.timeframe, bars.open_ns, bars.close_ns, *columns.values())


def known(record: RunRecord, cut: int) -> list[Fill]:
    """Return the fills of the rows before `cut`, what the end of the data closed aside."""
    return [f for f in record.fills if f.event.row < cut and f.event.point is not FillPoint.CLOSE]


def deaths(record: RunRecord, until: int) -> list[object]:
    """Return the entries that died before `until`, those that the end of the data took aside."""
    return [
        dead for dead in record.dead_entries
        if dead.reason is not Reason.END_OF_DATA
        and (dead.event_ns <= until if dead.reason is Reason.EXPIRED else dead.event_ns < until)
    ]  # fmt: skip


def past(steps: list[Step], cut: int, until: int) -> list[Step]:
    """Return the steps of the core that belong to rows before `cut`."""

    def belongs(step: Step) -> bool:
        event = step.event
        if isinstance(event, StretchEnded):
            return False
        if isinstance(event, OrderFilled):
            return event.row < cut and event.point is not FillPoint.CLOSE
        if isinstance(event, OrderDied) and event.reason is not Reason.EXPIRED:
            return event.event_ns < until
        return event.event_ns <= until

    return [step for step in steps if belongs(step)]


def assert_same_past(
    whole: tuple[RunRecord, list[Step]], other: tuple[RunRecord, list[Step]], bars: Bars, cut: int
) -> int:
    """Compare two runs over bars that are equal before row `cut`; return how many fills were compared."""
    until = int(bars.close_ns[cut - 1])
    fills = known(whole[0], cut)
    assert known(other[0], cut) == fills
    assert deaths(other[0], until) == deaths(whole[0], until)
    assert past(other[1], cut, until) == past(whole[1], cut, until)
    points = int(np.searchsorted(whole[0].times_ns, until))
    assert np.array_equal(whole[0].curve[:, :points], other[0].curve[:, :points])
    return len(fills)


def engine(strategy: PlayStrategy, bars: Bars) -> tuple[RunRecord, list[Step]]:
    """Run both lanes over bars; return the record and the engine's steps."""
    market = desk.play_market(strategy, bars)
    record, _, steps = desk.engine_run(strategy, market)
    assert run_research(strategy, market).result_hash() == record.result_hash()
    return record, steps


@pytest.mark.parametrize("first", range(0, 36, 12))
def test_cutting_the_data_at_any_bar_leaves_all_that_was_known(first: int) -> None:
    compared = 0
    for seed in range(first, first + 12):
        rng = np.random.default_rng(20_000 + seed)
        bars = desk.walk(seed, 3000)
        strategy = desk.play_of(random_play(rng, intervals=FASTER, warmup_minutes=700))
        whole = engine(strategy, bars)
        for cut in rng.integers(2200, 2999, 3).tolist():
            compared += assert_same_past(whole, engine(strategy, bars.rows(0, cut)), bars, cut)
    assert compared > 100


@pytest.mark.parametrize("first", range(0, 36, 12))
def test_garbage_in_the_future_leaves_all_that_was_known(first: int) -> None:
    compared = 0
    for seed in range(first, first + 12):
        rng = np.random.default_rng(30_000 + seed)
        bars = desk.walk(seed, 3000)
        strategy = desk.play_of(random_play(rng, intervals=FASTER, warmup_minutes=700))
        whole = engine(strategy, bars)
        for cut in rng.integers(1000, 2999, 3).tolist():
            other = engine(strategy, poisoned(bars, cut, rng))
            compared += assert_same_past(whole, other, bars, cut)
    assert compared > 100


def test_cutting_between_the_closes_of_higher_bars_at_every_minute_changes_nothing() -> None:
    """Each minute of two hours is the last one once; a trend of hours decides, swings confirm late."""
    strategy = desk.play_of(
        """
        version: "3.0.0"
        name: late
        symbol: X
        timeframes: { low_tf: 1m, med_tf: 15m, high_tf: 1h, exec: low_tf }
        account: { max_drawdown_pct: 100, slippage_bps: 1 }
        features:
          ema_15m: { indicator: ema, tf: med_tf, params: { length: 3 } }
          ema_1h: { indicator: ema, tf: high_tf, params: { length: 2 } }
        structures:
          exec: [{ type: swing, key: sw, params: { left: 2, right: 3 } }]
          med_tf: [{ type: swing, key: sw15, params: { left: 1, right: 1 } }, { type: trend, key: tr15, uses: sw15 }]
        actions:
          entry_long:
            any:
              - ["close", ">", "sw.high_level"]
              - ["tr15.direction", "==", 1]
              - ["ema_15m", "cross_above", "ema_1h"]
          entry_short: { any: [["close", "<", "sw.low_level"], ["tr15.direction", "==", -1]] }
          exit_all: [["sw.high_accepted", "==", true]]
        position_policy: { mode: long_short, exit_mode: first_hit }
        risk: { stop_loss_pct: 0.4, take_profit_pct: 0.6, max_position_pct: 50 }
        """
    )
    bars = desk.walk(3, 1500)
    whole = engine(strategy, bars)

    compared = sum(
        assert_same_past(whole, engine(strategy, bars.rows(0, cut)), bars, cut) for cut in range(1320, 1441, 3)
    )

    assert compared > 1000


def test_cutting_a_recorded_session_with_missing_minutes_changes_nothing(bundled: Path) -> None:
    asset = Definitions.load().find("AAPL.US")
    bars = Catalog(bundled).read(asset.id, Timeframe.parse("1m")).bars
    compared = 0
    for seed in range(6):
        rng = np.random.default_rng(40_000 + seed)
        text = random_play(
            rng, intervals=(("1m", "5m", "15m"), ("5m", "15m", "1h")), shorts=asset.shortable, perpetual=False
        )
        strategy = desk.play_of(text, asset)
        whole = engine(strategy, bars)
        for cut in rng.integers(len(bars) // 2, len(bars) - 1, 3).tolist():
            compared += assert_same_past(whole, engine(strategy, bars.rows(0, cut)), bars, cut)
    assert compared > 60


def test_the_comparison_itself_sees_a_run_that_peeks() -> None:
    """A play on a column that knows the next close is caught."""
    bars = desk.walk(1, 800)

    def record(stop: int) -> tuple[RunRecord, list[Step]]:
        seen = bars.rows(0, stop)
        ahead = np.append(seen.close[1:], seen.close[-1])
        wishes = {n: desk.long(stop=0.3, target=0.3) for n in range(stop) if ahead[n] > seen.close[n] + 0.01}
        part = desk.Piece(seen, wishes)
        asset = desk.instrument()
        stretch = desk.stretch_of(part, 0, Reason.END_OF_DATA, desk.ONE_MINUTE)
        strategy = desk.ScriptedStrategy(asset, desk.terms(), desk.ONE_MINUTE)
        run, _, steps = desk.engine_run(strategy, desk.market_of([stretch], asset))
        return run, steps

    whole = record(800)
    caught = 0
    for cut in range(500, 560):
        try:
            assert_same_past(whole, record(cut), bars, cut)
        except AssertionError:
            caught += 1
    assert caught >= 3
