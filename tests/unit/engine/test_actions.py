"""Splits and dividends: when they fall due, and what features see of prices."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import desk
from evenkeel.data.calendar import load_calendar
from evenkeel.data.catalog import Catalog
from evenkeel.data.side import SideBatch, SideKind, SideSeries
from evenkeel.data.side.series import revision_of
from evenkeel.engine.actions import actions_due, split_scale
from evenkeel.engine.market import load_market
from evenkeel.features.timeline import SCALE, FeatureRun, ProgramBuilder, Series
from evenkeel.model.instrument import InstrumentKind
from evenkeel.model.reason import Mark
from evenkeel.model.time import HOUR, MINUTE, Timeframe
from evenkeel.venues.simulated.carry import CarryKind

START, NAN = desk.START, float("nan")
H1, H2 = Timeframe.parse("1h"), Timeframe.parse("2h")
SHARE = desk.instrument(kind=InstrumentKind.EQUITY, absence_is_fault=False)
SPLIT, DIVIDEND = int(CarryKind.SPLIT), int(CarryKind.DIVIDEND)


def actions(at: dict[int, tuple[float, float]]) -> SideBatch:
    """Return split and dividend by minute from the start."""
    stamps = START + np.array(list(at), dtype=np.int64) * MINUTE
    split, dividend = (np.array(column, dtype=np.float64) for column in zip(*at.values(), strict=True))
    return SideBatch(SideKind.ACTIONS, stamps, {"split": split, "dividend": dividend})


def stored(batch: SideBatch) -> SideSeries:
    described = revision_of(SHARE.id, batch, source="x", imported_ns=1)
    return SideSeries(batch.kind, batch.stamps_ns, batch.columns, described)


def hours(closes: list[float]):
    return desk.bars([(price,) * 4 for price in closes], timeframe="1h")


class TestWhatFallsDue:
    def test_it_is_the_first_bar_of_the_ex_date_or_the_next_one_and_the_split_comes_first(self) -> None:
        found = actions_due(stored(actions({60: (NAN, 0.5), 90: (4.0, 0.25), 120: (NAN, 1.0)})), hours([1.0] * 4))

        assert list(zip(found.rows.tolist(), found.kinds.tolist(), found.values.tolist(), strict=True)) == [
            (1, DIVIDEND, 0.5), (2, SPLIT, 4.0), (2, DIVIDEND, 0.25), (2, DIVIDEND, 1.0)
        ]  # fmt: skip
        assert np.isnan(found.prices).all()

    def test_nobody_holds_before_the_first_open_or_behind_the_last(self) -> None:
        found = actions_due(stored(actions({0: (NAN, 0.5), 180: (2.0, NAN), 181: (NAN, 9.0)})), hours([1.0] * 4))

        assert (found.rows.tolist(), found.values.tolist()) == ([3], [2.0])


class TestWhatFeaturesSee:
    def test_prices_are_multiplied_by_the_splits_known_by_then(self) -> None:
        bars = hours([700.0, 707.0, 101.0, 102.0, 20.4])

        scale = split_scale(stored(actions({120: (7.0, NAN), 240: (5.0, 0.1)})), bars, START)

        assert scale is not None
        assert scale.tolist() == [1.0, 1.0, 7.0, 7.0, 35.0]
        assert (bars.close * scale).tolist() == [700.0, 707.0, 707.0, 714.0, 714.0]

    def test_it_counts_from_the_first_bar_of_the_run_not_of_the_warm_up(self) -> None:
        scale = split_scale(
            stored(actions({60: (4.0, NAN), 180: (0.5, NAN)})), hours([8.0, 2.0, 2.0, 4.0]), START + 2 * HOUR
        )

        assert scale is not None
        assert scale.tolist() == [0.25, 1.0, 1.0, 0.5]

    def test_without_a_split_inside_the_bars_they_are_seen_as_they_are(self) -> None:
        found = stored(actions({-60: (4.0, NAN), 60: (NAN, 0.5), 600: (2.0, NAN)}))

        assert split_scale(found, hours([1.0] * 3), START) is None

    def test_slower_bars_are_made_of_scaled_ones_and_orders_keep_raw_ones(self) -> None:
        bars = desk.bars([(8, 9, 7, 8), (8, 8, 8, 8), (2, 2, 1.5, 2), (2, 3, 2, 2.5)], timeframe="1h")
        series = Series(bars, load_calendar("24/7"), scale=np.array([1.0, 4.0, 4.0, 4.0]))

        assert series.column(H2, "high").tolist() == [32.0, 12.0]  # 8 of the second hour counts four times
        assert series.column(H2, "low").tolist() == [7.0, 6.0]
        assert series.column(H2, "close").tolist() == [32.0, 10.0]
        assert series.column(H2, "volume").tolist() == [bars.volume[0] + bars.volume[1] / 4, bars.volume[2:].sum() / 4]
        assert series.on(H2).bars.high.tolist() == [9.0, 3.0]
        assert series.base.close.tolist() == [8.0, 8.0, 2.0, 2.5]
        assert series.column(H2, SCALE).tolist() == [4.0, 4.0]
        assert Series(bars, load_calendar("24/7")).column(H2, SCALE).tolist() == [1.0, 1.0]


def test_a_share_gets_its_actions(tmp_path: Path) -> None:
    bars = hours([8.0, 8.0, 2.0, 2.0])
    catalog = Catalog(tmp_path)
    catalog.write(SHARE.id, bars, source="x", imported_ns=1)
    builder = ProgramBuilder(H1)
    builder.on(H1).column("close")
    program = builder.build()

    def load():
        return load_market([catalog], SHARE, program, start_ns=None, end_ns=None)

    before = load()
    assert (before.pins, before.stretches[0].carry) == ({}, None)
    assert Mark.PRICES_AS_IMPORTED in before.marks
    catalog.shelf.write(SHARE.id, actions({120: (4.0, 0.5)}), source="x", imported_ns=1)
    market = load()

    assert set(market.pins) == {"actions"}
    assert Mark.PRICES_AS_IMPORTED not in market.marks
    assert market.stretches[0].carry is not None
    assert market.stretches[0].carry.kinds.tolist() == [SPLIT, DIVIDEND]
    run = FeatureRun(program, market.stretches[0].series)
    assert run.advance()
    assert run.x[0, run.column : run.column + 4].tolist() == [8.0, 8.0, 8.0, 8.0]
