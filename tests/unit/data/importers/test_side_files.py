"""Files of what lies beside bars: each shape that is known, with figures by hand, and one message for each mistake."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from evenkeel.data.calendar import load_calendar
from evenkeel.data.definitions import Definitions
from evenkeel.data.importers import SideImported, SideRequest, import_side
from evenkeel.data.side import SideKind
from evenkeel.model.errors import DataError
from evenkeel.model.time import Timeframe, format_time, parse_time

Write = Callable[..., Path]
NAN = float("nan")


def asked(kind: SideKind | str, name: str = "BTCUSDT", *, tf: str | None = None, **facts: Any) -> SideRequest:
    instrument = Definitions.load().find(name)
    timeframe = None if tf is None else Timeframe.parse(tf)
    return SideRequest(instrument, load_calendar(instrument.calendar), SideKind(kind), timeframe=timeframe, **facts)


def rows(imported: SideImported) -> list[tuple[str, ...]]:
    """Return stamps and values as a person would write them."""
    batch = imported.batch
    columns = [column.tolist() for column in batch.columns.values()]
    return [(format_time(int(stamp)), *values) for stamp, *values in zip(batch.stamps_ns, *columns, strict=True)]  # type: ignore[misc]


class TestFunding:
    WANTED = (("2024-01-01T00:00:00Z", 0.0001), ("2024-01-01T08:00:00Z", -0.00025))

    @pytest.mark.parametrize(
        "lines",
        [
            ("time,rate", "2024-01-01T00:00:00Z,0.0001", "2024-01-01T08:00:00Z,-0.00025"),
            ("timestamp;funding_rate", "1704067200;0.0001", "1704096000;-0.00025"),
            (
                "calc_time,funding_interval_hours,last_funding_rate",
                "1704067200000,8,0.0001",
                "1704096000000,8,-0.00025",
            ),
            ("symbol,fundingTime,fundingRate,markPrice", "B,1704067200000,0.0001,1", "B,1704096000000,-0.00025,1"),
            ("symbol,fundingRate,fundingRateTimestamp", "B,0.0001,1704067200000", "B,-0.00025,1704096000000"),
            ("Time,Funding Rate", "2024-01-01 00:00:00Z,0.0100%", "2024-01-01 08:00:00Z,-0.0250%"),
        ],
        ids=["plain", "seconds", "binance-archive", "binance-interface", "bybit", "percent"],
    )
    def test_the_shapes_of_text_files(self, lines: tuple[str, ...], text_file: Write) -> None:
        found = rows(import_side([text_file(*lines)], asked("funding")))

        assert [stamp for stamp, _ in found] == [stamp for stamp, _ in self.WANTED]
        assert [rate for _, rate in found] == pytest.approx([rate for _, rate in self.WANTED], rel=1e-15)

    def test_parquet(self, tmp_path: Path) -> None:
        stamps = pl.Series([parse_time(stamp) for stamp, _ in self.WANTED]).cast(pl.Datetime("ns", "UTC"))
        frame = pl.DataFrame({"ts": stamps, "funding_rate": [0.0001, -0.00025], "source": ["x", "y"]})
        frame.write_parquet(tmp_path / "funding.parquet")

        assert rows(import_side([tmp_path / "funding.parquet"], asked("funding"))) == [*self.WANTED]

    def test_freqtrade_writes_the_rate_as_the_open(self, tmp_path: Path) -> None:
        stamps = pl.Series([parse_time(stamp) // 10**6 for stamp, _ in self.WANTED]).cast(pl.Datetime("ms", "UTC"))
        path = tmp_path / "BTC_USDT_USDT-8h-funding_rate.feather"
        pl.DataFrame({"date": stamps, "open": [0.0001, -0.00025], "close": [0.0, 0.0]}).write_ipc(path)

        assert rows(import_side([path], asked("funding"))) == [*self.WANTED]

    def test_stamps_up_to_a_second_late_are_stored_on_their_minute_and_told(self, text_file: Write) -> None:
        path = text_file("time,rate", "1704067200013,0.0001", "1704096000000,0.0002", "1704124801000,0.0003")

        imported = import_side([path], asked("funding"))

        assert [stamp for stamp, _ in rows(imported)] == [
            "2024-01-01T00:00:00Z", "2024-01-01T08:00:00Z", "2024-01-01T16:00:00Z"
        ]  # fmt: skip
        assert imported.notes == ("2 stamps lie up to 1000 ms behind their minute; they are stored on it",)

    def test_files_are_joined_in_order_of_time(self, text_file: Write) -> None:
        late = text_file("time,rate", "2024-01-01T08:00:00Z,-0.00025", name="b.csv")
        early = text_file("time,rate", "2024-01-01T00:00:00Z,0.0001", name="a.csv")

        imported = import_side([late, early], asked("funding"))

        assert (rows(imported), imported.source) == ([*self.WANTED], "a.csv, b.csv")

    def test_times_without_a_zone_are_read_in_the_one_that_is_given(self, text_file: Write) -> None:
        path = text_file("Symbol,Date,Funding Rate", "BTC-USDT,2024-01-01 03:00:00,0.0001")

        assert rows(import_side([path], asked("funding", zone="Etc/GMT-3"))) == [self.WANTED[0]]

    def test_newest_first(self, text_file: Write) -> None:
        path = text_file("time,rate", "2024-01-01T08:00:00Z,-0.00025", "2024-01-01T00:00:00Z,0.0001")

        assert rows(import_side([path], asked("funding", newest_first=True))) == [*self.WANTED]


class TestPrices:
    def test_bars_of_a_timeframe(self, text_file: Write) -> None:
        path = text_file("open_time,open,high,low,close", "1704067200000,10,12,9,11", "1704067260000,11,11,10,10")

        imported = import_side([path], asked("mark", tf="1m"))

        assert imported.batch.timeframe == Timeframe.parse("1m")
        assert rows(imported) == [
            ("2024-01-01T00:00:00Z", 10.0, 12.0, 9.0, 11.0), ("2024-01-01T00:01:00Z", 11.0, 11.0, 10.0, 10.0)
        ]  # fmt: skip

    def test_points(self, text_file: Write) -> None:
        path = text_file("time,markPrice", "2024-01-01T00:00:00Z,10.5")

        assert rows(import_side([path], asked("mark"))) == [("2024-01-01T00:00:00Z", 10.5)]

    def test_without_a_timeframe_the_open_of_a_bar_is_a_point(self, text_file: Write) -> None:
        path = text_file("time,open,high,low,close", "2024-01-01T00:00:00Z,10,12,9,11")

        imported = import_side([path], asked("index"))

        assert rows(imported) == [("2024-01-01T00:00:00Z", 10.0)]
        assert "the open of each bar is stored" in imported.notes[0]


class TestEvents:
    def test_trades_with_the_side_that_took(self, text_file: Write) -> None:
        path = text_file(
            "time,price,size,side", "2024-01-01T00:00:00.5Z,10,1,B", "2024-01-01T00:00:00.5Z,11,0,sell",
            "2024-01-01T00:00:00.5Z,12,3,N",
        )  # fmt: skip

        found = rows(import_side([path], asked("trades")))

        assert [row[:3] for row in found] == [
            ("2024-01-01T00:00:00.5Z", 10.0, 1.0), ("2024-01-01T00:00:00.5Z", 11.0, 0.0),
            ("2024-01-01T00:00:00.5Z", 12.0, 3.0),
        ]  # fmt: skip
        assert [row[3] for row in found[:2]] == [1.0, -1.0]
        assert math.isnan(found[2][3])  # type: ignore[arg-type]

    def test_binance_names_the_maker(self, text_file: Write) -> None:
        path = text_file(
            "id,price,qty,quote_qty,time,is_buyer_maker",
            "1,10,2,20,1704067200000,true",
            "2,10,1,10,1704067200000,false",
        )

        assert import_side([path], asked("trades")).batch.columns["side"].tolist() == [-1.0, 1.0]

    def test_freqtrade_lists(self, tmp_path: Path) -> None:
        path = tmp_path / "XRP_ETH-trades.json"
        path.write_text('[[1704067200000,"1",null,"sell",0.5,2.0,1.0],[1704067200001,"2",null,"buy",0.25,4.0,1.0]]')

        assert rows(import_side([path], asked("trades"))) == [
            ("2024-01-01T00:00:00Z", 0.5, 2.0, -1.0), ("2024-01-01T00:00:00.001Z", 0.25, 4.0, 1.0)
        ]  # fmt: skip

    def test_quotes_of_one_side_and_of_both(self, text_file: Write) -> None:
        path = text_file(
            "transaction_time,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty", "1704067200000,10,1,11,2",
            "1704067200000,,,10.5,1",
        )  # fmt: skip

        columns = import_side([path], asked("quotes")).batch.columns

        np.testing.assert_array_equal(columns["bid"], [10.0, NAN])
        np.testing.assert_array_equal(columns["ask"], [11.0, 10.5])
        np.testing.assert_array_equal(columns["bid_size"], [1.0, NAN])


class TestActions:
    def test_dates_are_the_opens_of_their_sessions(self, text_file: Write) -> None:
        path = text_file("date,split,dividend", "2020-08-07,,0.82", "2020-08-31,4,", name="actions.csv")

        imported = import_side([path], asked("actions", "AAPL"))

        assert [format_time(int(stamp)) for stamp in imported.batch.stamps_ns] == [
            "2020-08-07T13:30:00Z", "2020-08-31T13:30:00Z"
        ]  # fmt: skip
        np.testing.assert_array_equal(imported.batch.columns["split"], [NAN, 4.0])
        np.testing.assert_array_equal(imported.batch.columns["dividend"], [0.82, NAN])

    def test_rows_on_which_nothing_happened_are_left_out(self, text_file: Write) -> None:
        path = text_file("date,close,Dividends,Stock Splits", "2020-08-07,1,0.82,0", "2020-08-10,1,0,0")

        imported = import_side([path], asked("actions", "AAPL"))

        assert len(imported.batch) == 1
        assert imported.notes == ("1 rows without a split or a dividend are left out",)


WRONG = {
    "a word": ("funding", ["time,rate", "2024-01-01T00:00:00Z,x"], r"line 2: the column rate holds 'x', which is not"),
    "no rate": ("funding", ["time,rates", "2024-01-01T00:00:00Z,1"], "no column for rate of funding; found time, r"),
    "percent": ("funding", ["time,rate", "2024-01-01T00:00:00Z,0.2"], r"line 2: rate is beyond 0.1, .* write 0.0001 f"),
    "missing": ("funding", ["time,rate", "2024-01-01T00:00:00Z,"], "line 2: the column rate is empty"),
    "nan": ("funding", ["time,rate", "2024-01-01T00:00:00Z,nan"], r"line 2: rate is not a number \(nan\)"),
    "no time": ("funding", ["rate", "0.1"], "has no column of times; found rate"),
    "no zone": ("funding", ["time,rate", "2024-01-01 00:00:00,0.1"], "its times have no zone; .* --tz UTC"),
    "twice": ("funding", ["time,rate", *["2024-01-01T00:00:00Z,0.1"] * 2], "line 3: .* 2024-01-01T00:00:00Z appears"),
    "backwards": (
        "funding", ["time,rate", *(f"170406720{n},0.1" for n in (3, 2, 1))], "newest first; import it with --newest-f"
    ),
    "a step back": (
        "trades", ["time,price,size", *(f"170406720{n},1,1" for n in (1, 0, 2))], "line 3: .* comes after .* the file$"
    ),
    "no price": ("trades", ["time,price,size", "1704067200,0,1"], r"line 2: price is not above zero \(0.0\)"),
    "a negative size": ("trades", ["time,price,size", "1704067200,1,-1"], "line 2: size is negative"),
    "a strange side": ("trades", ["time,price,size,side", "1704067200,1,1,up"], "line 2: the column side holds 'up'"),
    "an empty quote": ("quotes", ["time,bid,ask", "1704067200,,"], "line 2: bid and ask are both empty"),
    "a bid of zero": ("quotes", ["time,bid,ask", "1704067200,0,1"], "line 2: bid is not above zero"),
    "negative interest": ("open_interest", ["time,value", "1704067200,-1"], "line 2: value is negative"),
    "a borrow rate in percent": ("borrow", ["time,rate", "1704067200,25"], "line 2: rate is not an annual fraction"),
    "nothing happened": ("actions", ["date,split,dividend", "2020-08-07,1,0"], "holds no action: no row has a split"),
    "a split of none": ("actions", ["date,split", "2020-08-07,-4"], "line 2: split is no ratio"),
    "a negative dividend": ("actions", ["date,dividend", "2020-08-07,-1"], "line 2: dividend is no cash above zero"),
    "a holiday": ("actions", ["date,dividend", "2020-08-09,1"], "line 2: 2020-08-09 is no trading day of NYSE"),
    "a price of zero": ("mark", ["time,price", "1704067200,0"], "line 2: price is not above zero"),
    "an empty file": ("funding", [""], "is empty"),
    "names only": ("funding", ["time,rate"], "holds no rows of data"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.replace(" ", "-"))
def test_a_wrong_file_is_refused(case: str, text_file: Write) -> None:
    kind, lines, message = WRONG[case]

    with pytest.raises(DataError, match=message) as refused:
        import_side([text_file(*lines, name="rates.csv")], asked(kind, "AAPL" if kind == "actions" else "BTCUSDT"))

    assert "rates.csv" in str(refused.value)


BARS = ["time,open,high,low,close", "1704067200,10,12,9,11"]
WRONG_BARS = {
    "high": ("mark", "1m", ["1704067260,10,9,9,9"], "line 3: high is below open or close"),
    "low": ("mark", "1m", ["1704067260,10,12,11,11"], "line 3: low is above open or close"),
    "step": ("mark", "5m", ["1704067260,10,12,9,11"], "its rows are 1 minutes apart, so they are not 5m bars"),
    "day": ("mark", "D", ["1704067260,10,12,9,11"], "bars of the mark price are shorter than a day, not D"),
    "kind": ("funding", "1m", ["1704067260,10,12,9,11"], "funding has no interval; leave --tf 1m out"),
}


@pytest.mark.parametrize("case", WRONG_BARS)
def test_wrong_bars_of_a_price_are_refused(case: str, text_file: Write) -> None:
    kind, tf, more, message = WRONG_BARS[case]

    with pytest.raises(DataError, match=message):
        import_side([text_file(*BARS, *more)], asked(kind, tf=tf))


def test_files_that_overlap_are_refused(text_file: Write) -> None:
    paths = [
        text_file("time,price,size", "1704067200,1,1", "1704067201,1,1", name="a.csv"),
        text_file("time,price,size", "1704067201,1,1", name="b.csv"),
    ]

    with pytest.raises(DataError, match=r"b\.csv begins at 2024-01-01T00:00:01Z, before a\.csv ends at .* divide an"):
        import_side(paths, asked("trades"))


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1 and nothing more")

    with pytest.raises(DataError, match=r"x\.parquet is a damaged parquet file"):
        import_side([tmp_path / "x.parquet"], asked("funding"))


class TestFromFactor:
    HEAD = "date,open,close,adj_factor"

    def test_splits_and_dividends_follow_from_factor_and_prices(self, text_file: Write) -> None:
        # Half a dollar at a close of 100, then seven for one, then one for eight at once with nothing else.
        path = text_file(
            self.HEAD, "2020-01-02,99,100,0.1421428571", "2020-01-03,100,105,0.1428571428", "2020-01-06,15,15,1.0",
            "2020-01-07,15,15,1.0", "2020-01-08,121,120,0.125",
        )  # fmt: skip

        with pytest.raises(DataError, match="names no splits or dividends, but has a factor; --from-factor derives"):
            import_side([path], asked("actions", "AAPL"))
        imported = import_side([path], asked("actions", "AAPL", from_factor=True))

        assert [format_time(int(stamp))[:10] for stamp in imported.batch.stamps_ns] == [
            "2020-01-03", "2020-01-06", "2020-01-08"
        ]  # fmt: skip
        np.testing.assert_array_equal(imported.batch.columns["split"], [NAN, 7.0, 0.125])
        np.testing.assert_allclose(imported.batch.columns["dividend"], [0.5, NAN, NAN], rtol=1e-6)
        assert imported.notes[0] == "2 splits and 1 dividends follow from adj_factor"

    def test_a_large_dividend_is_no_split_if_the_price_did_not_split(self, text_file: Write) -> None:
        path = text_file(self.HEAD, "2020-01-02,100,100,0.5", "2020-01-03,99,99,1.0")

        imported = import_side([path], asked("actions", "AAPL", from_factor=True))

        assert imported.batch.columns["dividend"].tolist() == [50.0]

    @pytest.mark.parametrize(
        ("lines", "said"),
        [
            (
                ("date,open,close", "2020-01-02,1,1"),
                "has no column for adj_factor; splits and dividends follow from raw",
            ),
            (("date,close,adj_factor", "2020-01-02,1,1"), "has no column for open"),
            (
                (HEAD, "2020-01-02,1,1,1", "2020-01-03,1,1,0.9"),
                r"line 3: adj_factor .* 1\.0 to 0\.9 and the price shows no",
            ),
            ((HEAD, "2020-01-02,1,1,1", "2020-01-03,1,1,1"), "holds no action"),
        ],
    )
    def test_what_cannot_be_explained_is_refused(self, lines: tuple[str, ...], said: str, text_file: Write) -> None:
        with pytest.raises(DataError, match=said):
            import_side([text_file(*lines)], asked("actions", "AAPL", from_factor=True))

    @pytest.mark.parametrize(
        ("symbol", "known"),
        [
            # Announced by the companies: shares for each old one, and dollars for each share then held.
            ("AAPL", {"2005-02-28": (2, None), "2014-06-09": (7, None), "2020-08-31": (4, None),
                      "2020-08-07": (None, 0.82), "2021-02-05": (None, 0.205), "2014-08-07": (None, 0.47)}),
            ("USO", {"2020-04-29": (0.125, None)}),
        ],
    )  # fmt: skip
    def test_recorded_factors_tell_what_companies_announced(
        self, symbol: str, known: dict[str, tuple[float | None, float | None]], shared_data: Path
    ) -> None:
        file = shared_data / "us_equity" / symbol / "1d.parquet"
        batch = import_side([file], asked("actions", symbol, from_factor=True)).batch

        days = [format_time(int(stamp))[:10] for stamp in batch.stamps_ns]
        for day, (split, dividend) in known.items():
            row = days.index(day)
            found = batch.columns["split"][row], batch.columns["dividend"][row]
            assert found == pytest.approx((split or NAN, dividend or NAN), rel=2e-4, nan_ok=True)
