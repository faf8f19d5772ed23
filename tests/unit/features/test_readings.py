"""Values read back at a moment: the same as a run reads, on any grid, and as far back as was asked for."""

from __future__ import annotations

import math

import numpy as np
import pytest

import desk
from evenkeel.data.calendar import load_calendar
from evenkeel.features import conditions as nodes
from evenkeel.features.readings import Cell, Readings
from evenkeel.features.registry import find_indicator
from evenkeel.features.timeline import Program, ProgramBuilder, Series
from evenkeel.model.errors import InvariantBroken
from evenkeel.model.time import MINUTE, Timeframe

M1, M5 = (Timeframe.parse(name) for name in ("1m", "5m"))
CLOSES = [100.0 + (7 * bar) % 23 for bar in range(60)]
SERIES = Series(desk.bars([(c, c, c, c) for c in CLOSES]), load_calendar("24/7"))


def program_of(reach: int = 0) -> tuple[Program, Cell]:
    """Return a program with a mean of three minutes."""
    builder = ProgramBuilder(M1)
    mean = builder.on(M1).add(find_indicator("sma"), (builder.on(M1).column("close"),), {"length": 3})[0]
    if reach:
        builder.on(M1).add(nodes.lag, (mean,), {"bars": reach})
    return builder.build(), Cell(None, mean)


def closed(bar: int) -> int:
    return desk.START + (bar + 1) * MINUTE


@pytest.mark.parametrize("bar", [0, 1, 2, 30, 59])
def test_the_column_of_an_instant_is_that_of_the_last_bar_closed_by_then(bar: int) -> None:
    program, cell = program_of()

    readings = Readings(program, SERIES, [cell], bar=bar, levels=0)

    mean = sum(CLOSES[bar - 2 : bar + 1]) / 3 if bar >= 2 else math.nan
    np.testing.assert_allclose(readings.read(cell, readings.column(None, closed(bar))), mean, rtol=1e-12)
    assert readings.column(None, closed(bar)) == readings.column(None, closed(bar) + 59_999_999_999) == bar


def test_a_grid_finer_than_the_decisions_is_read_on_its_own_instants() -> None:
    """Decisions every five minutes; on the grid of minutes stands a mean of three of them."""
    builder = ProgramBuilder(M5, apart=True)
    mean = builder.on(M1).add(find_indicator("sma"), (builder.on(M1).column("close"),), {"length": 3})[0]
    sheet = builder.grid(M1)
    fine = Cell(M1, sheet.hold(M1, mean))
    held = Cell(None, builder.decisions.hold(M1, fine.row, of_grid=True))

    readings = Readings(builder.build(), SERIES, [fine, held], bar=3, levels=0)

    assert readings.column(None, closed(19)) == 3
    for minute in (17, 18, 19):
        column = readings.column(M1, closed(minute))
        assert (column, readings.instant(M1, column)) == (minute, closed(minute))
        assert readings.read(fine, column) == pytest.approx(sum(CLOSES[minute - 2 : minute + 1]) / 3)
    assert readings.read(held, 3) == readings.read(fine, 19)


def test_nothing_is_read_before_the_first_bar() -> None:
    program, cell = program_of()

    readings = Readings(program, SERIES, [cell], bar=3, levels=1)

    assert readings.column(None, desk.START) == -1
    assert math.isnan(readings.read(cell, -1))
    assert readings.before(0, 1) == -1
    assert readings.before(-1, 1) == -1
    assert readings.instant(None, 2) == closed(2)


@pytest.mark.parametrize(("levels", "kept"), [(0, 40), (1, 30), (2, 20), (5, 0)])
def test_a_value_is_kept_for_as_many_levels_as_are_asked_for(levels: int, kept: int) -> None:
    program, cell = program_of(reach=10)
    assert program.decisions.reach == 10

    readings = Readings(program, SERIES, [cell], bar=40, levels=levels)

    assert readings.read(cell, max(kept, 2)) == pytest.approx(sum(CLOSES[max(kept, 2) - 2 : max(kept, 2) + 1]) / 3)
    if kept:
        with pytest.raises(InvariantBroken, match="further back than it was kept"):
            readings.read(cell, kept - 1)


def test_a_long_run_is_read_across_its_blocks() -> None:
    closes = [float(bar) for bar in range(5000)]
    series = Series(desk.bars([(c, c, c, c) for c in closes]), load_calendar("24/7"))
    program, cell = program_of(reach=1000)

    readings = Readings(program, series, [cell], bar=4100, levels=3)

    found = [readings.read(cell, column) for column in range(1100, 4101)]
    assert found == [column - 1.0 for column in range(1100, 4101)]


def test_the_sample_before_lies_where_a_cell_says() -> None:
    builder = ProgramBuilder(M1)
    graph = builder.on(M1)
    back = Cell(None, graph.add(nodes.subtract, (graph.column("close"), graph.column("open")))[0])
    never = Cell(None, graph.missing())
    graph.add(nodes.lag, (back.row,), {"bars": 3})
    rows = [(0, 9, 0, 0), (0, 9, 0, 1), (0, 9, 0, 2), (0, 9, 0, 9)]

    readings = Readings(builder.build(), Series(desk.bars(rows), load_calendar("24/7")), [back, never], bar=3, levels=1)

    assert [readings.before(column, 1) for column in (1, 2, 3)] == [0, 1, 2]
    assert [readings.before(column, back) for column in (1, 2, 3)] == [0, 0, -1]
    assert readings.before(3, never) == -1


def test_of_two_bars_that_close_together_the_one_asked_about_is_read() -> None:
    bars = desk.bars([(c, c, c, c) for c in (1.0, 2.0, 3.0)])
    together = bars.close_ns.copy()
    together[2] = together[1]
    auction = type(bars)(
        bars.timeframe, bars.open_ns, together, bars.open, bars.high, bars.low, bars.close, bars.volume
    )
    builder = ProgramBuilder(M1)
    cell = Cell(None, builder.on(M1).column("close"))

    for bar, close in ((1, 2.0), (2, 3.0)):
        readings = Readings(builder.build(), Series(auction, load_calendar("24/7")), [cell], bar=bar, levels=0)
        assert readings.read(cell, readings.column(None, int(together[1]))) == close
