"""Bars of trades: figures by hand, the borders of a file, and a recorded day that was published both ways."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import desk
from evenkeel.data import ticks
from evenkeel.data.calendar import load_calendar
from evenkeel.data.definitions import Definitions
from evenkeel.data.importers import SideRequest, import_side
from evenkeel.data.side import SideBatch, SideKind, SideSeries
from evenkeel.data.side.series import revision_of
from evenkeel.data.ticks import bars_of_trades
from evenkeel.model.bar import Bars
from evenkeel.model.ids import InstrumentId
from evenkeel.model.time import SECOND, Timeframe

M1 = Timeframe.parse("1m")
ALWAYS = load_calendar("24/7")
START, NAN = desk.START, float("nan")


def series(batch: SideBatch) -> SideSeries:
    described = revision_of(InstrumentId("X.DESK"), batch, source="x", imported_ns=1)
    return SideSeries(batch.kind, batch.stamps_ns, batch.columns, described)


def trades(rows: list[tuple[float, float, float]]) -> SideSeries:
    """Return trades of second, price and size."""
    seconds, price, size = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    stamps = START + (seconds * SECOND).astype(np.int64)
    return series(SideBatch(SideKind.TRADES, stamps, {"price": price, "size": size, "side": np.full(len(rows), NAN)}))


def shown(bars: Bars) -> list[tuple[float, ...]]:
    opens = (bars.open_ns - START) / SECOND
    columns = (opens, bars.open, bars.high, bars.low, bars.close, bars.volume)
    return [tuple(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


ROWS = [(0.5, 10, 1), (30, 12, 2), (30, 9, 0), (59.9, 11, 4), (60, 20, 1), (200, 30, 5), (239, 31, 1), (240, 40, 1)]


def test_open_high_low_close_and_volume_by_hand() -> None:
    assert shown(bars_of_trades(trades(ROWS), M1, ALWAYS, whole=True)) == [
        (0.0, 10.0, 12.0, 9.0, 11.0, 7.0),
        (60.0, 20.0, 20.0, 20.0, 20.0, 1.0),
        (180.0, 30.0, 31.0, 30.0, 31.0, 6.0),
        (240.0, 40.0, 40.0, 40.0, 40.0, 1.0),
    ]


def test_the_first_and_the_last_interval_are_not_known_to_be_whole() -> None:
    assert [row[0] for row in shown(bars_of_trades(trades(ROWS), M1, ALWAYS))] == [60.0, 180.0]


def test_a_first_trade_on_the_border_begins_its_bar() -> None:
    assert [row[0] for row in shown(bars_of_trades(trades(ROWS[4:]), M1, ALWAYS))] == [60.0, 180.0]


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
@pytest.mark.parametrize("whole", [True, False])
def test_a_long_file_is_taken_in_parts_that_leave_no_trace(
    rows: int, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = shown(bars_of_trades(trades(ROWS), M1, ALWAYS, whole=whole))
    monkeypatch.setattr(ticks, "SLICE_ROWS", rows)

    assert shown(bars_of_trades(trades(ROWS), M1, ALWAYS, whole=whole)) == at_once


def test_trades_outside_sessions_belong_to_no_bar() -> None:
    nyse = load_calendar("NYSE")
    opened = 24 * 3600 + 14.5 * 3600  # 2024-01-02 opens 14:30 UTC

    bars = bars_of_trades(trades([(opened - 1, 1, 1), (opened, 2, 1), (opened + 70, 3, 1)]), M1, nyse, whole=True)

    assert shown(bars) == [(opened, 2.0, 2.0, 2.0, 2.0, 1.0), (opened + 60, 3.0, 3.0, 3.0, 3.0, 1.0)]


def test_a_recorded_day_gives_the_minutes_that_were_published(shared_data: Path) -> None:
    gold = Definitions.load().find("GCZ2013")
    calendar = load_calendar(gold.calendar)
    folder = shared_data / "comex" / "GCZ2013"
    found = import_side([folder / "trades.parquet"], SideRequest(gold, calendar, SideKind.TRADES))

    bars = bars_of_trades(series(found.batch), M1, calendar, whole=True)

    published = pl.read_parquet(folder / "1m.parquet").filter(pl.col("ts").dt.date() == pl.date(2013, 10, 7))
    assert len(bars) == 1_314
    assert bars.open_ns.tolist() == published["ts"].to_physical().to_list()
    for name in ("open", "high", "low", "close"):
        assert getattr(bars, name).tolist() == published[name].to_list()
    differing = np.flatnonzero(bars.volume != published["volume"].to_numpy())
    assert differing.tolist() == [1_313]  # the notes of the data set say so: 16 against 14 in the last minute
