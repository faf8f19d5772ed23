"""Where instants lie among bars: steps back, bars in progress, ages, and values known beside the bars."""

from __future__ import annotations

import numpy as np
import pytest

import desk
from evenkeel.data.calendar import load_calendar
from evenkeel.features import instants
from evenkeel.features.timeline import FeatureRun, ProgramBuilder, Series
from evenkeel.model.bar import Bars, Floats, Ints
from evenkeel.model.time import MINUTE, Timeframe, parse_time

ALWAYS, NYSE = load_calendar("24/7"), load_calendar("NYSE")
M1, M5, M30, H1, DAILY, MONTHLY = (Timeframe.parse(name) for name in ("1m", "5m", "30m", "1h", "D", "M"))
NAN = np.nan


def minutes(starts: Ints) -> Bars:
    """Return minutes that open at these instants."""
    columns = [np.ones(len(starts)) for _ in range(5)]
    return Bars(M1, starts, starts + MINUTE, *columns)


def from_open(first: str, *places: int) -> Ints:
    """Return instants so many minutes after a time."""
    return parse_time(first) + np.array(places, dtype=np.int64) * MINUTE


def back(bars: Bars, timeframe: Timeframe, asked: Ints, calendar: object = ALWAYS) -> Floats:
    found = instants.intervals(bars, timeframe, calendar)  # type: ignore[arg-type]
    return instants.steps_back(found, bars.close_ns, asked)


def test_without_an_end_of_trading_the_step_is_the_timeframe() -> None:
    bars = minutes(from_open("2024-01-01T00:07", *range(40)))

    assert back(bars, M5, bars.close_ns)[5:].tolist() == [5.0] * 35
    assert np.isnan(back(bars, M5, bars.close_ns)[:5]).all()


@pytest.mark.parametrize("timeframe", [M1, M5, H1, DAILY])
def test_even_steps_are_what_is_found_by_looking(timeframe: Timeframe) -> None:
    bars = minutes(from_open("2024-01-01T10:07", *range(3100)))

    even = instants.even_steps(timeframe.minutes * MINUTE, bars.close_ns)

    np.testing.assert_array_equal(even, back(bars, timeframe, bars.close_ns))


@pytest.mark.parametrize("places", [[], [3], [0, 1, 3], [0, 2, 4]])
def test_steps_over_uneven_instants_must_be_looked_for(places: list[int]) -> None:
    assert instants.even_steps(5 * MINUTE, from_open("2024-01-01", *places)) is None


def test_a_month_earlier_is_as_far_into_it_at_most_its_end() -> None:
    days = np.arange(parse_time("2024-01-01"), parse_time("2024-04-01"), 24 * 60 * MINUTE)
    bars = Bars(DAILY, days, days + 24 * 60 * MINUTE, *[np.ones(len(days)) for _ in range(5)])

    step = back(bars, MONTHLY, bars.close_ns)

    assert np.isnan(step[:31]).all()
    assert step[31:60].tolist() == [31.0] * 28 + [29.0]
    assert step[60:].tolist() == [29.0] * 29 + [30.0, 31.0]


def test_at_a_close_the_step_goes_to_the_close_before_over_the_night_and_over_missing_minutes() -> None:
    """Sessions of 13:30 to 20:00; the last hour bar has 30 minutes, and its last ten minutes are missing."""
    bars = minutes(
        np.concatenate([from_open("2024-07-01T13:30", *range(380)), from_open("2024-07-02T13:30", *range(70))])
    )
    series = Series(bars, NYSE)
    asked = series.closes([M1, H1])

    step = back(bars, H1, asked, NYSE)
    earlier = {int(now): int(asked[place - int(by)]) for place, (now, by) in enumerate(zip(asked, step, strict=True))
               if by == by}  # fmt: skip

    at = parse_time
    assert earlier[at("2024-07-01T20:00")] == at("2024-07-01T19:30")
    assert earlier[at("2024-07-02T14:30")] == at("2024-07-01T20:00")
    assert earlier[at("2024-07-01T16:10")] == at("2024-07-01T15:10")
    assert earlier[at("2024-07-02T13:45")] == at("2024-07-01T19:45")
    assert earlier[at("2024-07-02T14:10")] == at("2024-07-01T20:00")
    assert at("2024-07-01T14:30") not in earlier


def test_nothing_is_known_of_a_bar_in_progress_but_that_it_is() -> None:
    bars = minutes(from_open("2024-01-01T00:03", *range(12)))
    found = instants.intervals(bars, M5, ALWAYS)

    ordinals = instants.bar_ordinals(found, bars.close_ns, bars.close_ns)
    ages = instants.ages(found, bars.close_ns, bars.close_ns)

    np.testing.assert_array_equal(ordinals, [NAN, NAN, *[0.0] * 5, *[1.0] * 5])
    assert ages.tolist() == [1, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0]
    for cut in range(1, 12):
        part = bars.rows(0, cut)
        until = instants.intervals(part, M5, ALWAYS)
        np.testing.assert_array_equal(instants.bar_ordinals(until, part.close_ns, part.close_ns), ordinals[:cut])
        np.testing.assert_array_equal(instants.ages(until, part.close_ns, part.close_ns), ages[:cut])


def test_ordinals_count_as_aggregated_bars_do() -> None:
    for first in range(6):
        bars = minutes(from_open("2024-01-01", *range(first, 47)))
        higher = Series(bars, ALWAYS).on(M5)
        ordinals = Series(bars, ALWAYS).column(M1, "bar_of:5m")
        for number, (start, stop) in enumerate(zip(higher.first, higher.last, strict=True)):
            assert set(ordinals[start : stop + 1].tolist()) == {float(number)}


def test_the_union_of_instants_has_each_once_in_order() -> None:
    parts = [np.array(part, dtype=np.int64) for part in ([1, 4, 6, 9], [0, 4, 7, 12], [4, 12, 15], [])]

    assert instants.union(parts).tolist() == [0, 1, 4, 6, 7, 9, 12, 15]
    assert instants.union(parts[::-1]).tolist() == [0, 1, 4, 6, 7, 9, 12, 15]


def test_side_columns_show_what_was_known_and_nothing_where_there_are_none() -> None:
    bars = desk.bars([(1, 1, 1, 1)] * 4)
    known = bars.open_ns[[1, 3]] + 1
    series = Series(bars, ALWAYS, {"funding_rate": (known, np.array([0.1, 0.2]))})

    np.testing.assert_array_equal(series.column(M1, "funding_rate"), [NAN, 0.1, 0.1, 0.2])
    np.testing.assert_array_equal(series.column_at(known - 1, "funding_rate"), [NAN, 0.1])
    assert np.isnan(series.column(M1, "open_interest")).all()
    empty = Series(bars, ALWAYS, {"mark_price": (known[:0], np.zeros(0))})
    assert np.isnan(empty.column(M1, "mark_price")).all()


def test_a_grid_is_looked_at_between_decisions_and_shown_at_them() -> None:
    """Rows of a grid reach the graph that decides as of its instants, in blocks of any size."""
    bars = desk.bars([(p, p, p, p) for p in range(1, 31)])
    builder = ProgramBuilder(M5, apart=True)
    sheet = builder.grid(M1)
    minute = sheet.hold(M1, builder.on(M1).column("close"))
    fifth = sheet.hold(M5, builder.on(M5).column("close"))
    rows = [builder.decisions.hold(M1, row, of_grid=True) for row in (minute, fifth)]
    rows.append(builder.hold(M5, builder.on(M5).column("open")))
    program = builder.build()

    for block in (1, 4, 2048):
        run, seen = FeatureRun(program, Series(bars, ALWAYS), block=block), []
        while run.advance():
            seen.append(run.x[rows, run.column + run.start : run.column + run.stop].copy())
        assert np.concatenate(seen, axis=1).tolist() == [[5, 10, 15, 20, 25, 30]] * 2 + [[1, 6, 11, 16, 21, 26]]
    assert program.decisions is not program.graphs[M5]
    assert program.grids[M1].timeframes == {M1, M5}
    assert len(program.nodes) == 0
