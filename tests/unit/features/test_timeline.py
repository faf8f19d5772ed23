"""Several timeframes on one clock: what is visible at the close of an execution bar, and what is not yet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import desk
from evenkeel.data.calendar import load_calendar
from evenkeel.data.catalog import Catalog
from evenkeel.data.definitions import Definitions
from evenkeel.features.registry import find_indicator
from evenkeel.features.timeline import FeatureRun, ProgramBuilder, Series, held_columns
from evenkeel.model.bar import Bars, Floats
from evenkeel.model.errors import UsageError
from evenkeel.model.time import Timeframe

ALWAYS = load_calendar("24/7")
M1, M3, M5, H1, DAILY = (Timeframe.parse(name) for name in ("1m", "3m", "5m", "1h", "D"))


def values(program_row: int, run: FeatureRun) -> Floats:
    """Return a row of the execution graph over all bars."""
    parts = []
    while run.advance():
        parts.append(run.x[program_row, run.column + run.start : run.column + run.stop].copy())
    return np.concatenate(parts)


def held_close(exec_tf: Timeframe, other: Timeframe, series: Series, *, block: int = 2048) -> Floats:
    """Return what an execution graph reads of another timeframe's close."""
    builder = ProgramBuilder(exec_tf)
    row = builder.hold(
        other, builder.on(other).add(find_indicator("sma"), (builder.on(other).column("close"),), {"length": 1})[0]
    )
    return values(row, FeatureRun(builder.build(), series, block=block))


def test_a_slower_value_is_held_from_its_last_closed_bar() -> None:
    series = Series(desk.bars([(p, p, p, p) for p in range(100, 112)]), ALWAYS)

    held = held_close(M1, M5, series)

    np.testing.assert_array_equal(held, [np.nan] * 4 + [104.0] * 5 + [109.0] * 3)


def test_a_bar_that_closes_at_the_same_instant_is_visible_and_the_running_one_never() -> None:
    series = Series(desk.bars([(p, p, p, p) for p in range(100, 130)]), ALWAYS)

    held = held_close(M3, M5, series)

    np.testing.assert_array_equal(held, [np.nan, 104, 104, 109, 114, 114, 119, 119, 124, 129])


def test_a_faster_value_is_sampled_at_its_last_close() -> None:
    series = Series(desk.bars([(p, p, p, p) for p in range(100, 115)]), ALWAYS)

    held = held_close(M5, M1, series)

    np.testing.assert_array_equal(held, [104, 109, 114])


@pytest.mark.parametrize("block", [1, 2, 5, 2048])
def test_blocks_do_not_change_what_is_held(block: int) -> None:
    series = Series(desk.walk(2, 400), ALWAYS)

    np.testing.assert_array_equal(held_close(M3, H1, series, block=block), held_close(M3, H1, series))


def test_the_same_timeframe_needs_no_holding() -> None:
    builder = ProgramBuilder(M1)
    row = builder.on(M1).column("close")

    assert builder.hold(M1, row) == row
    assert builder.build().held == {}


def test_the_execution_timeframe_has_a_graph_even_when_nothing_reads_it() -> None:
    program = ProgramBuilder(M5).build()

    assert set(program.graphs) == {M5}


def test_warm_up_is_the_largest_that_anyone_asked_for() -> None:
    builder = ProgramBuilder(M1)
    for bars in (3, 9, 4):
        builder.require_bars(M5, bars)

    assert builder.build().warmup == {M5: 9}


def test_the_last_bar_closed_is_none_before_the_first_and_the_one_that_closes_now() -> None:
    series = Series(desk.bars([(1, 1, 1, 1)] * 12), ALWAYS)
    closes = series.on(M5).bars.close_ns
    asked = np.array([closes[0] - 1, closes[0], closes[0] + 1, closes[1], closes[1] + 10**15])

    assert series.last_closed(M5, asked).tolist() == [-1, 0, 0, 1, 1]


def test_a_finer_timeframe_than_the_data_is_refused_with_the_remedy() -> None:
    series = Series(desk.bars([(1, 1, 1, 1)] * 3, timeframe="5m"), ALWAYS)

    with pytest.raises(UsageError, match="5m bars; 1m needs finer ones"):
        series.on(M1)


def test_a_series_too_short_for_a_slower_bar_holds_nothing() -> None:
    series = Series(desk.bars([(1, 1, 1, 1)] * 7), ALWAYS)

    assert np.isnan(held_close(M1, H1, series)).all()


def test_daily_values_follow_the_sessions_of_the_calendar(bundled: Path) -> None:
    """The day's close is visible at the session's last minute, never during the session, holidays and all."""
    asset = Definitions.load().find("AAPL.US")
    bars: Bars = Catalog(bundled).read(asset.id, M1).bars
    calendar = load_calendar(asset.calendar)
    inside = np.flatnonzero(calendar.session_of(bars.open_ns) >= 0)
    columns = (getattr(bars, n)[inside] for n in ("open_ns", "close_ns", "open", "high", "low", "close", "volume"))
    series = Series(Bars(M1, *columns), calendar)
    daily, five = series.on(DAILY).bars, series.on(M5).bars

    held = held_close(M5, DAILY, series)

    for bar, (closed, value) in enumerate(zip(five.close_ns.tolist(), held.tolist(), strict=True)):
        known = [close for at, close in zip(daily.close_ns.tolist(), daily.close.tolist(), strict=True) if at <= closed]
        assert (known[-1] == value) if known else np.isnan(value), bar
    assert len(set(held[~np.isnan(held)])) > 10


def test_the_session_of_a_bar_is_a_column_of_its_own() -> None:
    series = Series(desk.bars([(1, 1, 1, 1)] * 3), ALWAYS)

    assert series.column(M1, "session").tolist() == [desk.START // (24 * 60 * desk.MINUTE)] * 3
    assert series.column(M1, "session") is series.column(M1, "session")


def test_held_columns_of_one_timeframe_are_computed_together() -> None:
    builder = ProgramBuilder(M1)
    graph = builder.on(M5)
    close = graph.column("close")
    rows = [builder.hold(M5, graph.add(find_indicator("sma"), (close,), {"length": n})[0]) for n in (1, 2)]
    program = builder.build()
    series = Series(desk.bars([(p, p, p, p) for p in range(100, 115)]), ALWAYS)

    columns = held_columns(program, series, series.on(M1).bars.close_ns)

    assert len(columns) == len(set(rows)) == 2
    assert sorted(column[14] for column in columns.values()) == [111.5, 114]
