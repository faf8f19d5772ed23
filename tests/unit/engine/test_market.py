"""Which bars a run gets: the series, the window, the warm-up before it, and what is done about gaps."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import desk
from evenkeel.data.catalog import Catalog
from evenkeel.data.definitions import Definitions
from evenkeel.data.synthetic import Recipe, generate
from evenkeel.data.synthetic.storage import default_id, definition_of, store
from evenkeel.engine.market import Market, load_market
from evenkeel.features.registry import find_indicator
from evenkeel.features.timeline import Program, ProgramBuilder
from evenkeel.model.bar import Bars
from evenkeel.model.errors import DataError, UsageError
from evenkeel.model.instrument import Instrument, InstrumentKind
from evenkeel.model.reason import Mark, Reason
from evenkeel.model.time import HOUR, MINUTE, Timeframe

M1, M5, H1 = (Timeframe.parse(name) for name in ("1m", "5m", "1h"))
COLUMNS = ("open_ns", "close_ns", "open", "high", "low", "close", "volume")


def program(exec_tf: Timeframe = M5, **warmup: int) -> Program:
    """Return a program that reads the close and needs so many bars of `m1`, `m5`, `h1`."""
    builder = ProgramBuilder(exec_tf)
    builder.on(exec_tf).column("close")
    for name, bars in warmup.items():
        timeframe = {"m1": M1, "m5": M5, "h1": H1}[name]
        graph = builder.on(timeframe)
        graph.add(find_indicator("sma"), (graph.column("close"),), {"length": max(1, bars)})
        builder.require_bars(timeframe, bars)
    return builder.build()


def keep(bars: Bars, rows: Iterable[int]) -> Bars:
    kept = np.array(list(rows))
    return Bars(bars.timeframe, *(np.ascontiguousarray(getattr(bars, name)[kept]) for name in COLUMNS))


def load(
    bars: Bars | list[Bars], wanted: Program | None = None, asset: Instrument | None = None, **facts: Any
) -> Market:
    traded = asset or desk.instrument()
    catalog: Any = desk.MemoryCatalog(traded, *(bars if isinstance(bars, list) else [bars]))
    plain = {"start_ns": None, "end_ns": None, **facts}
    return load_market([catalog], traded, wanted or program(), **plain)


def first_decision(market: Market, stretch: int = 0) -> int:
    """Return minutes from the start of the data to the first close at which a decision is made."""
    part = market.stretches[stretch]
    return int(part.series.on(part.exec).bars.close_ns[part.first_exec] - desk.START) // MINUTE


MINUTES = desk.walk(5, 600)


def test_without_a_window_the_whole_series_is_the_run() -> None:
    market = load(MINUTES)

    assert (market.base_bars, market.exec_bars, market.warmup_bars, market.left_out) == (600, 120, 0, 0)
    assert market.window == (desk.START, desk.START + 600 * MINUTE)
    assert first_decision(market) == 5
    assert [stretch.end for stretch in market.stretches] == [Reason.END_OF_DATA]


@pytest.mark.parametrize(
    ("warmup", "minute"),
    [({"m5": 4}, 20), ({"m1": 7}, 10), ({"h1": 2}, 120), ({"m5": 4, "h1": 1, "m1": 61}, 65)],
    ids=str,
)
def test_decisions_start_when_every_timeframe_has_warmed_up(warmup: dict[str, int], minute: int) -> None:
    assert first_decision(load(MINUTES, program(**warmup))) == minute


def test_bars_before_the_window_warm_up_and_decide_nothing() -> None:
    start = desk.START + 4 * HOUR

    market = load(MINUTES, program(m5=6, h1=2), start_ns=start)

    assert market.warmup_bars == 120
    assert int(market.stretches[0].series.base.open_ns[0]) == start - 2 * HOUR
    assert first_decision(market) == 245


def test_where_history_is_short_the_first_decision_waits() -> None:
    market = load(MINUTES, program(h1=6), start_ns=desk.START + 4 * HOUR)

    assert first_decision(market) == 360


def test_the_end_of_the_window_is_the_first_bar_left_out() -> None:
    market = load(MINUTES, end_ns=desk.START + 100 * MINUTE)

    assert market.base_bars == 100
    assert int(market.stretches[0].series.base.open_ns[-1]) == desk.START + 99 * MINUTE


def test_a_window_without_bars_says_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"none between 2024-02-01T00:00:00Z and 2024-02-02T00:00:00Z"):
        load(MINUTES, start_ns=desk.parse_time("2024-02-01"), end_ns=desk.parse_time("2024-02-02"))


def test_too_little_data_says_what_is_needed_and_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"the strategy needs 2 of 5m \(there are 120\), 11 of 1h \(there are 10\)"):
        load(MINUTES, program(m5=2, h1=11))


def test_a_gap_stops_a_run_and_is_named() -> None:
    holed = keep(MINUTES, [*range(300), *range(310, 600)])

    with pytest.raises(DataError, match=r"2024-01-01T05:00:00Z to 2024-01-01T05:10:00Z \(10 missing\)") as caught:
        load(holed)
    assert caught.value.reason == "DATA_GAP"
    assert "--gaps report" in caught.value.message


def test_a_reported_gap_cuts_the_run_and_each_part_warms_up_anew() -> None:
    holed = keep(MINUTES, [*range(300), *range(310, 600)])

    market = load(holed, program(m5=4), gaps="report")

    assert [(gap.missing, len(market.stretches)) for gap in market.gaps] == [(10, 2)]
    assert [stretch.end for stretch in market.stretches] == [Reason.DATA_GAP, Reason.END_OF_DATA]
    assert [stretch.number for stretch in market.stretches] == [0, 1]
    assert [first_decision(market, n) for n in (0, 1)] == [20, 330]
    assert Mark.GAPS_REPORTED in market.marks


def test_a_part_too_short_to_warm_up_decides_nothing_and_is_no_fault() -> None:
    holed = keep(MINUTES, [*range(300), *range(310, 320), *range(330, 600)])

    market = load(holed, program(m5=4), gaps="report")

    short = market.stretches[1]
    assert short.first_exec == len(short.series.on(M5).bars) == 2


def test_a_gap_among_the_bars_that_warm_up_is_no_more_allowed_than_one_in_the_window() -> None:
    holed = keep(MINUTES, [*range(180), *range(200, 600)])

    with pytest.raises(DataError):
        load(holed, program(h1=3), start_ns=desk.START + 4 * HOUR)


def test_a_minute_without_a_trade_does_not_cost_a_bar_of_warm_up() -> None:
    """Where absence is normal an hour whose first minute is missing is still an hour: what came before was seen."""
    sparse = keep(MINUTES, [row for row in range(600) if row != 120])
    asset = desk.instrument(absence_is_fault=False)

    market = load(sparse, program(m5=6, h1=2), asset=asset, start_ns=desk.START + 4 * HOUR)

    assert first_decision(market) == 245


def test_a_gap_that_ended_before_all_warm_up_is_of_no_concern() -> None:
    holed = keep(MINUTES, [*range(60), *range(70, 600)])

    market = load(holed, program(m5=3), start_ns=desk.START + 4 * HOUR)

    assert market.gaps == ()


def test_the_finest_series_that_covers_the_window_is_taken() -> None:
    coarse = desk.bars([(1, 1, 1, 1)] * 2000, timeframe="5m")

    assert load([MINUTES, coarse]).base == M5
    assert load([MINUTES, coarse], end_ns=desk.START + 5 * HOUR).base == M1
    assert load([MINUTES, coarse], start_ns=0).base == load([MINUTES, coarse], start_ns=1).base


def test_a_series_coarser_than_the_strategy_needs_is_refused_with_the_command() -> None:
    coarse = desk.bars([(1, 1, 1, 1)] * 200, timeframe="1h")

    with pytest.raises(UsageError, match=r"only 1h bars of TEST.DESK, and 5m or finer .*`keel data import FILE "):
        load(coarse)


def test_a_symbol_without_data_is_refused_with_the_command() -> None:
    catalog: Any = desk.MemoryCatalog(desk.instrument(), MINUTES)
    with pytest.raises(UsageError, match=r"no bars of OTHER.DESK"):
        load_market([catalog], desk.instrument(id="OTHER.DESK"), program(), start_ns=None, end_ns=None)


def test_marks_tell_what_a_reader_must_know() -> None:
    perpetual = load(MINUTES)
    coarse = load(
        desk.bars([(1, 1, 1, 1)] * 40, timeframe="5m"), asset=desk.instrument(kind=InstrumentKind.CONTINUOUS_FUTURE)
    )

    assert perpetual.marks == ()
    assert coarse.marks == (Mark.COARSE_FILLS, Mark.CONTINUOUS_UNADJUSTED)


def test_a_generated_market_is_marked_as_such(tmp_path: Path) -> None:
    market, catalog = generate(Recipe(regime="ranging", minutes=600)), Catalog(tmp_path)
    asset = definition_of(default_id("ranging"), market.recipe)
    store(market, asset, catalog, stored_ns=0)

    loaded = load_market([catalog], asset, program(), start_ns=None, end_ns=None)
    assert Mark.SYNTHETIC_DATA in loaded.marks


def test_bars_outside_the_sessions_take_no_part_and_are_counted(bundled: Path) -> None:
    asset = Definitions.load().find("AAPL.US")
    market = load_market([Catalog(bundled)], asset, program(), start_ns=None, end_ns=None)
    inside = market.stretches[0].series.base

    assert (market.calendar.session_of(inside.open_ns) >= 0).all()
    moved = Bars(M1, inside.open_ns + 8 * HOUR, inside.close_ns + 8 * HOUR, *(getattr(inside, n) for n in COLUMNS[2:]))
    with pytest.raises(DataError, match="time zone"):
        load(keep(moved, range(200)), asset=asset)


def test_some_bars_after_hours_are_left_out(bundled: Path) -> None:
    asset = Definitions.load().find("AAPL.US")
    inside = load_market([Catalog(bundled)], asset, program(), start_ns=None, end_ns=None).stretches[0].series.base
    late = int(inside.close_ns[-1]) + 2 * HOUR + np.arange(5, dtype=np.int64) * MINUTE
    columns = [np.concatenate([getattr(inside, name), getattr(inside, name)[-5:]]) for name in COLUMNS]
    columns[0][-5:], columns[1][-5:] = late, late + MINUTE

    market = load(Bars(M1, *columns), asset=asset)

    assert (market.left_out, market.base_bars) == (5, len(inside))


def test_the_execution_bars_of_a_missing_minute_still_close(bundled: Path) -> None:
    """Where absence is normal a bar without a trade leaves no hole in the sessions."""
    asset = Definitions.load().find("AAPL.US")

    market = load_market([Catalog(bundled)], asset, program(), start_ns=None, end_ns=None)

    assert market.gaps == ()
    assert len(market.stretches) == 1
