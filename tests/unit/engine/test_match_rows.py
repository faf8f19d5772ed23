"""Trades as rows of a stretch, with the quotes in force at each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import desk
from evenkeel.data.catalog import Catalog
from evenkeel.data.side import SideBatch, SideKind
from evenkeel.engine.market import Market, load_market
from evenkeel.engine.match_rows import match_rows
from evenkeel.features.timeline import ProgramBuilder
from evenkeel.model.bar import Bars
from evenkeel.model.instrument import Instrument, InstrumentKind
from evenkeel.model.time import SECOND, Timeframe

START, NAN = desk.START, float("nan")
ASSET = desk.instrument()


def stamps(seconds: list[float]) -> np.ndarray:
    return START + (np.array(seconds) * SECOND).astype(np.int64)


def trades(seconds: list[float]) -> SideBatch:
    count = len(seconds)
    columns = {"price": 100.0 + np.arange(count), "size": np.ones(count), "side": np.full(count, NAN)}
    return SideBatch(SideKind.TRADES, stamps(seconds), columns)


def quotes(rows: list[tuple[float, float, float]]) -> SideBatch:
    seconds, bid, ask = (list(column) for column in zip(*rows, strict=True))
    sizes = {name: np.ones(len(rows)) for name in ("bid_size", "ask_size")}
    return SideBatch(SideKind.QUOTES, stamps(seconds), {"bid": np.array(bid), "ask": np.array(ask), **sizes})


def market(catalog: Catalog, bars: Bars, asset: Instrument = ASSET) -> Market:
    builder = ProgramBuilder(Timeframe.parse("1m"))
    builder.on(Timeframe.parse("1m")).column("close")
    catalog.write(asset.id, bars, source="x", imported_ns=1)
    return load_market([catalog], asset, builder.build(), start_ns=None, end_ns=None)


def test_rows_are_the_trades_of_the_stretch_and_a_close_belongs_to_the_next_bar(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    found = market(catalog, desk.bars(desk.flat(100.0, 3)))
    catalog.shelf.write(ASSET.id, trades([-1, 0, 59.9, 60, 60, 130, 180]), source="x", imported_ns=1)

    rows = match_rows([Catalog(tmp_path / "none"), catalog], found, found.stretches[0])

    assert rows is not None
    assert ((rows.open_ns - START) / SECOND).tolist() == [0.0, 59.9, 60.0, 60.0, 130.0]
    assert rows.price.tolist() == [101.0, 102.0, 103.0, 104.0, 105.0]
    assert rows.last_row(found.stretches[0].series.base.close_ns).tolist() == [1, 3, 4]
    assert np.isnan(rows.bid).all()
    assert set(rows.pins) == {"trades"}


def test_the_quote_in_force_is_the_last_one_before_the_trade_of_each_side(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    found = market(catalog, desk.bars(desk.flat(100.0, 3)))
    catalog.shelf.write(ASSET.id, trades([1, 10, 20, 30]), source="x", imported_ns=1)
    given = [(10, 99.0, 101.0), (15, 99.5, NAN), (30, 90.0, 91.0)]
    catalog.shelf.write(ASSET.id, quotes(given), source="x", imported_ns=1)

    rows = match_rows([catalog], found, found.stretches[0])

    assert rows is not None
    np.testing.assert_array_equal(rows.bid, [NAN, NAN, 99.5, 99.5])
    np.testing.assert_array_equal(rows.ask, [NAN, NAN, 101.0, 101.0])
    assert set(rows.pins) == {"trades", "quotes"}


def test_trades_outside_sessions_take_no_part(tmp_path: Path) -> None:
    share = desk.instrument(kind=InstrumentKind.EQUITY, calendar="NYSE", absence_is_fault=False)
    opened, length, night = 24 * 3600 + 14 * 3600 + 1800, 390 * 60, 24 * 3600
    day = desk.bars(desk.flat(100.0, 390), start=START + opened * SECOND)
    columns = [np.concatenate([column, column]) for column in (day.open, day.high, day.low, day.close, day.volume)]
    times = [np.concatenate([column, column + night * SECOND]) for column in (day.open_ns, day.close_ns)]
    catalog = Catalog(tmp_path)
    found = market(catalog, Bars(day.timeframe, *times, *columns), share)
    closed = opened + length
    at = [opened - 5, opened, closed - 1, closed + 60, opened + night, closed + night]
    catalog.shelf.write(share.id, trades(at), source="x", imported_ns=1)

    rows = match_rows([catalog], found, found.stretches[0])

    assert rows is not None
    assert ((rows.open_ns - START) / SECOND).tolist() == [opened, closed - 1, opened + night]


@pytest.mark.parametrize("seconds", [[], [500.0]])
def test_without_trades_in_it_a_stretch_has_no_rows(tmp_path: Path, seconds: list[float]) -> None:
    catalog = Catalog(tmp_path)
    found = market(catalog, desk.bars(desk.flat(100.0, 3)))
    if seconds:
        catalog.shelf.write(ASSET.id, trades(seconds), source="x", imported_ns=1)

    assert match_rows([catalog], found, found.stretches[0]) is None
