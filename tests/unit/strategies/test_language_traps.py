"""The traps of the condition language by hand: minutes whose price says when they were, and what rules see of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import yaml

import desk
from evenkeel.data.calendar import load_calendar
from evenkeel.features.registry import find_structure
from evenkeel.features.timeline import FeatureRun, Series
from evenkeel.model.bar import Bars
from evenkeel.model.time import Timeframe
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.lower import lower
from reference.wiring import compute

CLOCK = desk.bars([(m, m, m, m) for m in range(1, 181)])
"""Three hours; the minute that closes `m` minutes after the start has the price `m`."""

QUARTERS = {"low_tf": "5m", "med_tf": "15m", "high_tf": "1h", "exec": "med_tf"}


def wished(condition: Any, bars: Bars = CLOCK, *, calendar: str = "24/7", **sections: Any) -> list[int]:
    """Return the decisions, by number, at which the entry of a play is wished."""
    document = {
        "version": "3.0.0", "name": "trap", "symbol": "X", "timeframes": QUARTERS, "account": {"max_drawdown_pct": 100},
        "features": {"minute": {"indicator": "sma", "tf": "5m", "params": {"length": 1}}},
        "actions": {"entry_long": [condition]}, "risk": {"stop_loss_pct": 1, "take_profit_pct": 1}, **sections,
    }  # fmt: skip
    asset = desk.instrument(calendar=calendar, absence_is_fault=calendar == "24/7")
    lowered = lower(load_play(yaml.safe_dump(document), instruments=lambda _: asset))
    run = FeatureRun(lowered.program, Series(bars, load_calendar(calendar)))
    run.advance()
    part = run.x[lowered.emitted[0].row, run.column : run.column + run.stop]
    return np.flatnonzero(part).tolist()


def at(minute: int) -> list[Any]:
    """Return the condition that the 5m bar known at an instant is the one that closed then."""
    return ["minute", "near_abs", minute, 0.1]


def price_at(minute: int) -> list[Any]:
    return ["last_price", "near_abs", minute, 0.1]


@pytest.mark.parametrize(
    ("window", "decisions"),
    [
        ({"bars": 3, "expr": at(30)}, [1, 2, 3]),
        ({"bars": 3, "anchor_tf": "15m", "expr": at(30)}, [1, 2, 3]),
        ({"bars": 2, "anchor_tf": "1h", "expr": at(30)}, [1, 5]),
        ({"bars": 2, "anchor_tf": "5m", "expr": at(25)}, [1]),
        ({"bars": 6, "anchor_tf": "5m", "expr": at(25)}, [1, 2]),
        ({"bars": 2, "expr": price_at(30)}, [1, 2]),
        ({"bars": 2, "anchor_tf": "5m", "expr": price_at(55)}, [3]),
    ],
)
def test_t6_samples_lie_on_the_grid_of_the_window_whatever_timeframe_is_sampled(
    window: dict[str, Any], decisions: list[int]
) -> None:
    """Decision 1 is at minute 30. Steps on the feature's own bars would look three times too far or too near."""
    assert wished({"occurred_within": window}) == decisions


@pytest.mark.parametrize(
    ("duration", "expr", "decisions"),
    [
        ("45m", at(30), [1, 2, 3]),
        ("30m", price_at(50), [3, 4]),
        ("30m", {"any": [price_at(50), at(1)]}, [3, 4]),
        ("30m", {"setup": "then"}, [3, 4]),
    ],
)
def test_t6_a_duration_steps_by_minutes_for_prices_of_the_minute(
    duration: str, expr: Any, decisions: list[int]
) -> None:
    """No execution bar closes at minute 50; from 60 and 75 it lies within the last 30 minutes."""
    setups = {"then": [price_at(50)]}
    assert wished({"occurred_within_duration": {"duration": duration, "expr": expr}}, setups=setups) == decisions


def test_t6_a_window_of_bars_inside_a_window_of_minutes_steps_from_the_minute_it_is_looked_at() -> None:
    """Minute 38 is among the ten minutes up to 45, and 15 minutes before 53, which is among those up to 60."""
    inside = {"occurred_within": {"bars": 2, "expr": price_at(38)}}
    assert wished({"occurred_within_duration": {"duration": "10m", "expr": {"all": [inside]}}}) == [2, 3]


def test_t6_crosses_of_minutes_compare_minutes_wherever_they_stand() -> None:
    """Up in minute 30 only, flat before and after; and an execution bar later down in the course of a bar."""
    prices = [100.0] * 29 + [101.0] * 10 + [99.0] * 51
    bars = desk.bars([(p, p, p, p) for p in prices])

    assert wished(["last_price", "cross_above", 100], bars) == [1]
    assert wished(["close", "cross_below", 100], bars) == [2]
    assert wished(["last_price", "cross_below", 100], bars) == []
    crossed = {"occurred_within": {"bars": 3, "expr": ["last_price", "cross_above", 100]}}
    assert wished(crossed, bars) == [1, 2, 3]
    inside = {"occurred_within": {"bars": 15, "anchor_tf": "low_tf", "expr": ["last_price", "cross_below", 100]}}
    timeframes = {"low_tf": "1m", "med_tf": "15m", "high_tf": "1h", "exec": "med_tf"}
    features = {"minute": {"indicator": "sma", "tf": "1m", "params": {"length": 1}}}
    assert wished(inside, bars, timeframes=timeframes, features=features) == [2]


def test_t7_a_setup_inside_a_window_is_looked_at_as_of_each_sample() -> None:
    setups = {"then": [at(30)], "again": [{"setup": "then"}]}
    assert wished({"occurred_within": {"bars": 3, "expr": {"setup": "again"}}}, setups=setups) == [1, 2, 3]


def test_t8_a_cross_of_a_level_is_remembered_although_the_level_has_moved_since() -> None:
    """The close crosses 110 in bar 4; bar 5 makes a new high of 130 which bar 6 confirms, far above every close."""
    rows = [(100, 104, 99, 100), (100, 110, 99, 102), (102, 106, 100, 103), (103, 108, 101, 106), (106, 112, 105, 111),
            (111, 130, 110, 112), (112, 118, 111, 113), (113, 117, 112, 114), (114, 116, 112, 113)]  # fmt: skip
    bars = desk.bars([(o, h, low, c) for o, h, low, c in rows], timeframe="15m")
    structures = {"exec": [{"type": "swing", "key": "sw", "params": {"left": 1, "right": 1}}]}
    timeframes = {**QUARTERS, "low_tf": "15m"}
    crossed = ["close", "cross_above", "sw.high_level"]
    facts: dict[str, Any] = {"structures": structures, "timeframes": timeframes, "features": {}}

    assert wished(crossed, bars, **facts) == [4]
    assert wished({"occurred_within": {"bars": 4, "expr": crossed}}, bars, **facts) == [4, 5, 6, 7]
    assert wished({"holds_for": {"bars": 2, "expr": ["close", ">", "sw.high_level"]}}, bars, **facts) == [5]
    offset = ["close", ">", {"feature_id": "sw", "field": "high_level", "offset": 3}]
    assert wished(offset, bars, **facts) == [5, 6, 7, 8]


def test_t11_a_structure_faster_than_the_execution_bar_sees_each_of_its_bars() -> None:
    bars = desk.walk(4, 600)
    five = Series(bars, load_calendar("24/7")).on(Timeframe.parse("5m")).bars
    columns = {name: getattr(five, name) for name in ("open", "high", "low", "close", "volume")}
    versions = compute(find_structure("swing"), columns, {"left": 1, "right": 1}, absent=frozenset({"atr"}))["version"]
    structures = {"low_tf": [{"type": "swing", "key": "sw", "params": {"left": 1, "right": 1}}]}
    last, whole = int(versions[-1]), len(five)

    assert last > 20
    found = wished(["sw.version", ">=", last], bars, structures=structures)
    assert found == [bar for bar in range(whole // 3) if versions[3 * bar + 2] >= last]


def test_t14_inside_the_bar_closed_bars_hold_and_only_the_minute_moves() -> None:
    """Decision m is at minute m + 1. Bars of 15 minutes: `close` is 15 from minute 15 to 29, then 30."""
    timeframes = {**QUARTERS, "evaluate": "intrabar"}

    assert wished(["close", "near_abs", 15, 0.1], timeframes=timeframes) == list(range(14, 29))
    assert wished([{"feature_id": "close", "offset": 1}, "near_abs", 15, 0.1], timeframes=timeframes) == list(
        range(29, 44)
    )
    assert wished(price_at(20), timeframes=timeframes) == [19]
    assert wished(at(20), timeframes=timeframes) == [19, 20, 21, 22, 23]
    assert wished(["bar_open", "near_abs", 31, 0.1], timeframes=timeframes) == list(range(30, 45))
    assert wished(["bar_high", "near_abs", 33, 0.1], timeframes=timeframes) == [32]
    assert wished([{"feature_id": "bar_high", "offset": 1}, "near_abs", 30, 0.1], timeframes=timeframes) == list(
        range(30, 45)
    )
    assert wished({"occurred_within": {"bars": 2, "expr": price_at(20)}}, timeframes=timeframes) == [19, 34]


def test_at_the_close_of_a_bar_the_forming_bar_is_the_one_just_closed() -> None:
    rows = [(100, 100 + m % 7, 99 - m % 5, 100) for m in range(90)]
    for forming, column in (("bar_open", "open"), ("bar_high", "high"), ("bar_low", "low")):
        assert wished([forming, "near_abs", column, 0], desk.bars(rows)) == [0, 1, 2, 3, 4, 5]


def test_on_a_market_with_sessions_a_window_counts_bars_that_exist() -> None:
    """Decision 0001.5: the hour bars of a session of 6.5 hours close at 16:00 too, and the night counts for nothing."""
    calendar = load_calendar("NYSE")
    opens = [desk.parse_time(f"2024-07-{day:02}T13:30") for day in (1, 2)]
    starts = np.concatenate([np.arange(begin, begin + 390 * desk.MINUTE, desk.MINUTE) for begin in opens])
    price = np.arange(len(starts), dtype=np.float64) + 1
    kept = np.ones(len(starts), dtype=bool)
    kept[380:390] = False
    columns = [np.ascontiguousarray(price[kept]) for _ in range(4)]
    bars = Bars(Timeframe.parse("1m"), starts[kept], starts[kept] + desk.MINUTE, *columns, np.ones(int(kept.sum())))
    timeframes = {"low_tf": "5m", "med_tf": "1h", "high_tf": "D", "exec": "med_tf"}
    facts: dict[str, Any] = {"calendar": "NYSE", "timeframes": timeframes}

    closes = Series(bars, calendar).on(Timeframe.parse("1h")).bars.close.tolist()
    assert closes[:8] == [60, 120, 180, 240, 300, 360, 380, 450]
    last = {"any": [["last_price", "near_abs", 380, 0.1], ["last_price", "cross_above", 10_000]]}
    assert wished({"occurred_within": {"bars": 3, "expr": last}}, bars, **facts) == [6, 7, 8]
    daily = {"occurred_within": {"bars": 2, "anchor_tf": "D", "expr": ["close", "near_abs", 120, 0.1]}}
    assert wished(daily, bars, **facts) == [1, 8]
