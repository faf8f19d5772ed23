"""What lies beside the bars of a run: settlements on their rows, mark prices, and values that grow old."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import desk
from evenkeel.data.catalog import Catalog
from evenkeel.data.revision import COLUMNS
from evenkeel.data.side import SideBatch, SideKind
from evenkeel.engine.beside import load_beside
from evenkeel.engine.market import Market, load_market
from evenkeel.features.timeline import Program, ProgramBuilder
from evenkeel.model.bar import Bars
from evenkeel.model.errors import UsageError
from evenkeel.model.instrument import Instrument, InstrumentKind
from evenkeel.model.time import HOUR, MINUTE, Timeframe

NAN = float("nan")
M1, H1 = Timeframe.parse("1m"), Timeframe.parse("1h")
ASSET = desk.instrument()
START = desk.START
SPAN = (START, START + HOUR)


def points(kind: SideKind, at: dict[int, float]) -> SideBatch:
    """Return values by minute from the start."""
    stamps = np.array([START + minute * MINUTE for minute in at], dtype=np.int64)
    return SideBatch(kind, stamps, {kind.columns()[0]: np.array(list(at.values()))})


def mark_bars(first: int, count: int, tf: Timeframe = M1) -> SideBatch:
    """Return mark bars whose open is 100 more than their number, and whose high and low lie 2 and 1 beside it."""
    stamps = START + (first + np.arange(count, dtype=np.int64)) * tf.minutes * MINUTE
    opens = 100.0 + first + np.arange(count)
    columns = {"open": opens, "high": opens + 2, "low": opens - 1, "close": opens + 0.5}
    return SideBatch(SideKind.MARK, stamps, columns, tf)


def program(exec_tf: Timeframe = M1, *reads: str) -> Program:
    builder = ProgramBuilder(exec_tf)
    for name in ("close", *reads):
        builder.on(exec_tf).column(name)
    return builder.build()


def market(folder: Path, bars: Bars, *beside: SideBatch, wanted: Program | None = None, **facts: Any) -> Market:
    catalog = Catalog(folder)
    asset: Instrument = facts.pop("asset", ASSET)
    catalog.write(asset.id, bars, source="test", imported_ns=1)
    for batch in beside:
        catalog.shelf.write(asset.id, batch, source="test", imported_ns=1)
    plain = {"start_ns": None, "end_ns": None, **facts}
    return load_market([catalog], asset, wanted or program(), **plain)


def minutes(count: int) -> Bars:
    return desk.bars(desk.flat(100.0, count))


class TestFunding:
    def test_a_settlement_belongs_to_the_first_bar_that_opens_at_it_or_later(self, tmp_path: Path) -> None:
        hours = desk.bars(desk.flat(100.0, 4), timeframe="1h")
        rates = points(SideKind.FUNDING, {0: 0.1, 60: 0.2, 61: 0.3, 119: 0.4, 180: 0.5, 181: 0.6})

        found = market(tmp_path, hours, rates, wanted=program(H1)).stretches[0].carry

        assert found is not None
        assert found.rows.tolist() == [1, 2, 2, 3]  # whoever entered at the first open was not in at 0; 181 is too late
        assert found.values.tolist() == [0.2, 0.3, 0.4, 0.5]
        assert np.isnan(found.prices).all()

    def test_missing_and_unmarked_settlements_are_counted_and_not_invented(self, tmp_path: Path) -> None:
        hours = desk.bars(desk.flat(100.0, 49), timeframe="1h")
        rates = points(SideKind.FUNDING, {8 * 60: 0.1, 16 * 60: 0.4, 24 * 60: 0.2, 32 * 60: 0.3})
        marks = points(SideKind.MARK, {8 * 60: 101.0, 32 * 60: 103.0, 40 * 60: 104.0})

        found = market(tmp_path, hours, rates, marks, wanted=program(H1))

        assert found.funding is not None
        assert found.funding.facts == {"recorded": 4, "missing": 2, "unmarked": 2}  # 40 and 48 o'clock
        np.testing.assert_array_equal(found.funding.marks, [101.0, NAN, NAN, 103.0])
        assert found.stretches[0].carry is not None
        assert found.stretches[0].carry.rows.tolist() == [8, 16, 24, 32]

    def test_the_interval_of_the_instrument_says_what_is_missing(self, tmp_path: Path) -> None:
        hours = desk.bars(desk.flat(100.0, 13), timeframe="1h")
        four = desk.instrument(funding_interval_minutes=240)

        found = market(tmp_path, hours, points(SideKind.FUNDING, {480: 0.1}), wanted=program(H1), asset=four)

        assert found.funding is not None
        assert found.funding.facts["missing"] == 2

    def test_without_a_rate_in_the_window_there_is_no_history(self, tmp_path: Path) -> None:
        found = market(tmp_path, minutes(30), points(SideKind.FUNDING, {-480: 0.1, 600: 0.2}))

        assert found.funding is None
        assert found.stretches[0].carry is None

    def test_nothing_is_settled_while_warming_up(self, tmp_path: Path) -> None:
        builder = ProgramBuilder(M1)
        builder.on(M1).column("close")
        builder.require_bars(M1, 8)
        rates = points(SideKind.FUNDING, {5: 0.1, 10: 0.2, 11: 0.3})

        found = market(tmp_path, minutes(20), rates, wanted=builder.build(), start_ns=START + 10 * MINUTE)

        assert found.warmup_bars == 8
        assert found.stretches[0].carry is not None
        assert found.stretches[0].carry.values.tolist() == [0.2, 0.3]

    def test_nothing_is_settled_before_the_window_or_over_a_gap(self, tmp_path: Path) -> None:
        rows = [*range(20), *range(30, 60)]
        whole = minutes(60)
        bars = Bars(M1, *(np.ascontiguousarray(getattr(whole, name)[rows]) for name in COLUMNS))
        rates = points(SideKind.FUNDING, {5: 0.1, 12: 0.2, 25: 0.3, 30: 0.4, 31: 0.5})

        found = market(tmp_path, bars, rates, gaps="report", start_ns=START + 10 * MINUTE)

        carries = [stretch.carry for stretch in found.stretches]
        assert [carry.values.tolist() for carry in carries if carry] == [[0.2], [0.5]]
        assert [carry.rows.tolist() for carry in carries if carry] == [[2], [1]]

    def test_another_instrument_than_a_perpetual_has_none(self, tmp_path: Path) -> None:
        spot = desk.instrument(kind=InstrumentKind.SPOT)

        assert market(tmp_path, minutes(30), points(SideKind.FUNDING, {8: 0.1}), asset=spot).funding is None


class TestMarkBars:
    def test_they_are_aligned_and_missing_where_the_series_does_not_cover_a_bar_whole(self, tmp_path: Path) -> None:
        five = desk.bars(desk.flat(100.0, 4), timeframe="5m")
        # The first five minutes whole, of the second five only three.
        marks = market(tmp_path, five, mark_bars(0, 8), wanted=program(five.timeframe)).stretches[0].mark

        assert marks is not None
        np.testing.assert_array_equal(marks.open, [100.0, NAN, NAN, NAN])
        np.testing.assert_array_equal(marks.high, [106.0, NAN, NAN, NAN])
        np.testing.assert_array_equal(marks.low, [99.0, NAN, NAN, NAN])

    def test_of_the_same_interval_each_bar_is_its_own(self, tmp_path: Path) -> None:
        marks = market(tmp_path, minutes(4), mark_bars(1, 3)).stretches[0].mark

        assert marks is not None
        np.testing.assert_array_equal(marks.open, [NAN, 101.0, 102.0, 103.0])
        np.testing.assert_array_equal(marks.high, [NAN, 103.0, 104.0, 105.0])

    def test_an_index_price_is_laid_beside_the_bars_too(self, tmp_path: Path) -> None:
        marks = mark_bars(0, 2)
        index = SideBatch(SideKind.INDEX, marks.stamps_ns, {n: c + 7 for n, c in marks.columns.items()}, M1)

        stretch = market(tmp_path, minutes(3), index).stretches[0]

        assert stretch.mark is None
        assert stretch.index is not None
        np.testing.assert_array_equal(stretch.index.low, [106.0, 107.0, NAN])

    def test_slower_ones_and_points_only_price_settlements(self, tmp_path: Path) -> None:
        rates = points(SideKind.FUNDING, {60: 0.1})

        found = market(tmp_path, minutes(90), rates, mark_bars(0, 2, H1), wanted=program(M1, "mark_price"))

        assert found.stretches[0].mark is None
        assert "mark_price" not in found.side_columns
        assert found.funding is not None
        assert found.funding.marks.tolist() == [101.0]


class TestWhatPlaysRead:
    def test_a_value_is_known_from_its_stamp_and_missing_once_it_is_old(self, tmp_path: Path) -> None:
        hours = desk.bars(desk.flat(100.0, 30), timeframe="1h")
        rates = points(SideKind.FUNDING, {0: 0.1, 480: 0.2})

        series = market(tmp_path, hours, rates, wanted=program(H1, "funding_rate")).stretches[0].series

        rates_seen = series.column(H1, "funding_rate")  # closes at 1, 2, ... o'clock
        np.testing.assert_array_equal(rates_seen[:7], [0.1] * 7)
        np.testing.assert_array_equal(rates_seen[7:15], [0.2] * 8)
        assert np.isnan(rates_seen[15:]).all()  # at 16 o'clock a new rate was due

    def test_the_mark_price_is_that_of_the_bar_that_closed_last(self, tmp_path: Path) -> None:
        series = market(tmp_path, minutes(6), mark_bars(0, 3), wanted=program(M1, "mark_price")).stretches[0].series

        np.testing.assert_array_equal(
            series.column(M1, "mark_price"), [100.5, 101.5, 102.5, NAN, NAN, NAN]
        )  # fmt: skip

    def test_open_interest_is_loaded_for_who_reads_it_and_lasts_a_day(self, tmp_path: Path) -> None:
        hours = desk.bars(desk.flat(100.0, 30), timeframe="1h")
        interest = points(SideKind.OPEN_INTEREST, {60: 7.0})

        series = market(tmp_path, hours, interest, wanted=program(H1, "open_interest")).stretches[0].series

        np.testing.assert_array_equal(series.column(H1, "open_interest")[:26], [*[7.0] * 24, NAN, NAN])
        assert not market(tmp_path, hours, interest, wanted=program(H1)).pins

    def test_what_is_stored_for_another_time_counts_as_missing(self, tmp_path: Path) -> None:
        wanted = program(M1, "funding_rate")

        found = market(tmp_path, minutes(30), points(SideKind.FUNDING, {-960: 0.1, 500: 0.2}), wanted=wanted)

        assert found.side_columns == frozenset()


class TestPins:
    def test_the_hash_of_the_data_covers_every_series(self, tmp_path: Path) -> None:
        alone = market(tmp_path / "a", minutes(30))
        beside = market(tmp_path / "a", minutes(30), points(SideKind.FUNDING, {8: 0.1}))
        other = market(tmp_path / "a", minutes(30), points(SideKind.FUNDING, {8: 0.2}))

        assert alone.data_hash == alone.revision.id
        assert len({alone.data_hash, beside.data_hash, other.data_hash}) == 3
        assert beside.revision == other.revision

    def test_pinned_revisions_are_read_and_no_others(self, tmp_path: Path) -> None:
        first = market(tmp_path, minutes(30), points(SideKind.FUNDING, {8: 0.1}))
        market(tmp_path, minutes(30), points(SideKind.FUNDING, {8: 0.2}), mark_bars(0, 30))

        again = market(tmp_path, minutes(30), pins=first.pins)

        assert (again.pins, again.data_hash) == (first.pins, first.data_hash)
        assert again.stretches[0].carry is not None
        assert again.stretches[0].carry.values.tolist() == [0.1]
        assert again.stretches[0].mark is None
        assert market(tmp_path, minutes(30), pins={}).funding is None

    def test_a_pinned_revision_that_is_gone_refuses(self, tmp_path: Path) -> None:
        with pytest.raises(
            UsageError, match=r"revision abcdefabcdef of the funding of TEST\.DESK is in no catalog"
        ) as no:
            load_beside([Catalog(tmp_path)], ASSET, frozenset(), SPAN, {"funding": "abcdef" * 10})
        assert no.value.reason == "REVISION_GONE"

    def test_the_first_catalog_that_has_a_series_is_taken(self, tmp_path: Path) -> None:
        for name, rate in (("own", 0.1), ("shipped", 0.2)):
            batch = points(SideKind.FUNDING, {8: rate})
            Catalog(tmp_path / name).shelf.write(ASSET.id, batch, source="x", imported_ns=1)

        catalogs = [Catalog(tmp_path / name) for name in ("nothing", "own", "shipped")]
        beside = load_beside(catalogs, ASSET, frozenset(), SPAN)

        assert beside.series[SideKind.FUNDING].columns["rate"].tolist() == [0.1]
