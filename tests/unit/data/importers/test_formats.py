"""Good files of every format become the bars that they hold."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from evenkeel.data.export import export_bars
from evenkeel.data.importers import Format, Request, Stamp, import_files
from evenkeel.data.importers.detect import detect
from evenkeel.data.importers.lean import contract_month
from evenkeel.data.sources import bundled_catalog
from evenkeel.model.bar import Bars
from evenkeel.model.errors import DataError, UsageError
from evenkeel.model.ids import InstrumentId
from evenkeel.model.time import Timeframe, format_time

Write = Callable[..., Path]
Requests = Callable[..., Request]

LEAN_ADA = "lean/cryptofuture/binance/minute/adausdt/20221213_trade.zip"
COLUMNS = ("open_ns", "close_ns", "open", "high", "low", "close", "volume")


def spans(bars: Bars) -> list[str]:
    pairs = zip(bars.open_ns, bars.close_ns, strict=True)
    return [f"{format_time(int(a))[:16]}..{format_time(int(b))[11:16]}" for a, b in pairs]


def assert_equal(ours: Bars, theirs: Bars) -> None:
    for name in COLUMNS:
        assert getattr(ours, name).tobytes() == getattr(theirs, name).tobytes(), name


TIMES = {
    "ISO with Z": ("time", "2024-01-01T00:00:00Z", "2024-01-01T00:01:00Z"),
    "ISO with an offset": ("Datetime", "2024-01-01 02:00:00+02:00", "2024-01-01 02:01:00+02:00"),
    "an offset without a colon": ("Datetime", "2023-12-31 19:00:00-0500", "2023-12-31 19:01:00-0500"),
    "GMT behind": ("Gmt time", "01.01.2024 00:00:00.000", "01.01.2024 00:01:00.000"),
    "GMT in the value": ("Local time", "01.01.2024 01:00:00.000 GMT+0100", "01.01.2024 01:01:00.000 GMT+0100"),
    "seconds": ("unix", "1704067200", "1704067260"),
    "seconds with a fraction": ("timestamp", "1704067200.0", "1704067260.0"),
    "milliseconds": ("open_time", "1704067200000", "1704067260000"),
    "microseconds": ("open_time", "1704067200000000", "1704067260000000"),
    "nanoseconds": ("open_ns", "1704067200000000000", "1704067260000000000"),
    "a name that says UTC": ("timestamp_utc", "2024-01-01 00:00:00", "2024-01-01 00:01:00"),
    "compact": ("time", "20240101 00:00Z", "20240101 00:01Z"),
}


@pytest.mark.parametrize("case", TIMES, ids=lambda case: case.replace(" ", "-"))
def test_times_are_read_as_they_are_written(case: str, text_file: Write, request_for: Requests) -> None:
    name, first, second = TIMES[case]
    path = text_file(f"{name},Open,High,Low,Close,Volume", f"{first},10,11,9,10,1", f"{second},10,11,9,10,1")

    bars = import_files([path], request_for("BTCUSDT", "1m")).bars

    assert spans(bars) == ["2024-01-01T00:00..00:01", "2024-01-01T00:01..00:02"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_any_usual_separator_is_understood(separator: str, text_file: Write, request_for: Requests) -> None:
    lines = ["<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<TICKVOL>", "2024.01.02,09:30,10,11,9,10.5,7"]
    path = text_file(*(line.replace(",", separator) for line in lines))

    bars = import_files([path], request_for("SPY", "1m", zone="America/New_York")).bars

    assert spans(bars) == ["2024-01-02T14:30..14:31"]
    assert (bars.close[0], bars.volume[0]) == (10.5, 7.0)


def test_a_gzipped_file_with_a_byte_order_mark_is_read(tmp_path: Path, request_for: Requests) -> None:
    path = tmp_path / "bars.csv.gz"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbftime,open,high,low,close,volume\r\n2024-01-01T00:00Z,1,2,1,2,3\r\n"))

    assert spans(import_files([path], request_for("BTCUSDT", "1m")).bars) == ["2024-01-01T00:00..00:01"]


def test_blank_lines_at_the_end_do_no_harm(text_file: Write, request_for: Requests) -> None:
    path = text_file("time,open,high,low,close,volume", "2024-01-01T00:00Z,1,2,1,2,3", "", "")

    assert len(import_files([path], request_for("BTCUSDT", "1m")).bars) == 1


def test_times_of_a_zone_follow_its_clocks(text_file: Write, request_for: Requests) -> None:
    lines = ["Date,Time,Open,High,Low,Close,Volume", "2024-03-08,09:30,1,1,1,1,1", "2024-03-11,09:30,1,1,1,1,1"]

    bars = import_files([text_file(*lines)], request_for("SPY", "1m", zone="America/New_York")).bars

    assert spans(bars) == ["2024-03-08T14:30..14:31", "2024-03-11T13:30..13:31"]


def test_dates_stand_for_the_sessions_of_those_days(text_file: Write, request_for: Requests) -> None:
    path = text_file(
        "Date,Open,High,Low,Close,Adj Close,Volume",
        "2024-07-02,1,2,1,2,9,1",
        "2024-07-03,1,2,1,2,9,1",
        "2024-07-05,1,2,1,2,9,1",
    )

    bars = import_files([path], request_for("SPY", "1d")).bars

    assert spans(bars) == ["2024-07-02T13:30..20:00", "2024-07-03T13:30..17:00", "2024-07-05T13:30..20:00"]
    assert bars.close[0] == 2.0


def test_the_day_of_a_future_begins_on_the_evening_before(text_file: Write, request_for: Requests) -> None:
    path = text_file("Date,Open,High,Low,Close,Volume", "2024-07-02,1,2,1,2,1")

    assert spans(import_files([path], request_for("ES", "D")).bars) == ["2024-07-01T22:00..21:00"]


def test_close_stamps_move_to_the_open(text_file: Write, request_for: Requests) -> None:
    head, values = "time,open,high,low,close,volume", "1,2,1,2,3"
    path = text_file(head, f"2024-07-02T14:30Z,{values}", f"2024-07-02T15:30Z,{values}", f"2024-07-02T20:00Z,{values}")

    bars = import_files([path], request_for("SPY", "1h", stamp=Stamp.CLOSE)).bars

    assert spans(bars) == ["2024-07-02T13:30..14:30", "2024-07-02T14:30..15:30", "2024-07-02T19:30..20:00"]


def test_a_column_named_close_time_says_what_it_is(text_file: Write, request_for: Requests) -> None:
    path = text_file("close_time,open,high,low,close,volume", "2024-01-01T00:01:00Z,1,2,1,2,3")

    assert spans(import_files([path], request_for("BTCUSDT", "1m")).bars) == ["2024-01-01T00:00..00:01"]


class TestTheEndOfASession:
    ROWS = ("2024-07-02T19:58Z", "2024-07-02T19:59Z", "2024-07-02T20:00Z")

    def test_a_last_bar_at_the_end_is_the_closing_auction(self, text_file: Write, request_for: Requests) -> None:
        path = text_file("time,open,high,low,close,volume", *(f"{row},1,2,1,2,3" for row in self.ROWS))

        bars = import_files([path], request_for("SPY", "1m", stamp=Stamp.OPEN)).bars

        assert spans(bars)[-1] == "2024-07-02T20:00..20:00"

    def test_with_trading_after_hours_it_is_an_ordinary_bar(self, text_file: Write, request_for: Requests) -> None:
        rows = (*self.ROWS, "2024-07-02T20:01Z")
        path = text_file("time,open,high,low,close,volume", *(f"{row},1,2,1,2,3" for row in rows))

        imported = import_files([path], request_for("SPY", "1m", stamp=Stamp.OPEN))

        assert spans(imported.bars)[2:] == ["2024-07-02T20:00..20:01", "2024-07-02T20:01..20:02"]
        assert "1 of 4 bars open outside the sessions of NYSE" in imported.notes[0]


def test_several_files_are_joined_in_order_of_time(text_file: Write, request_for: Requests) -> None:
    head = "time,open,high,low,close,volume"
    late = text_file(head, "2024-01-01T00:05:00Z,1,2,1,2,3", name="a.csv")
    early = text_file(head, "2024-01-01T00:00:00Z,1,2,1,2,3", name="b.csv")
    seen: list[int] = []

    imported = import_files([late, early], request_for("BTCUSDT", "1m"), on_file=lambda: seen.append(1))

    assert spans(imported.bars) == ["2024-01-01T00:00..00:01", "2024-01-01T00:05..00:06"]
    assert imported.source == "a.csv, b.csv"
    assert len(seen) == 2


def test_volume_may_be_missing_where_nothing_is_traded_in_one_place(text_file: Write, request_for: Requests) -> None:
    path = text_file("time,open,high,low,close", "2024-01-02T00:00:00Z,1.1,1.2,1.0,1.1")

    imported = import_files([path], request_for("EURUSD", "1h"))

    assert imported.bars.volume.tolist() == [0.0]
    assert imported.notes == ("bars.csv has no volume; 0 is stored",)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize(("name", "tf"), [("BTC-USDT.BINANCE", "1m"), ("SPY.US", "D"), ("EURUSD.FX", "1h")])
def test_what_is_exported_comes_back_equal(
    name: str, tf: str, suffix: str, tmp_path: Path, request_for: Requests
) -> None:
    bars = bundled_catalog().read(InstrumentId(name), Timeframe.parse(tf)).bars
    path = tmp_path / f"bars{suffix}"
    export_bars(path, bars)

    assert_equal(import_files([path], request_for(name, tf)).bars, bars)


def test_another_suffix_is_no_file_of_bars(tmp_path: Path) -> None:
    bars = bundled_catalog().read(InstrumentId("SPY.US"), Timeframe.parse("D")).bars

    with pytest.raises(UsageError, match=r"ends in \.csv or \.parquet"):
        export_bars(tmp_path / "bars.xlsx", bars)


@pytest.mark.parametrize(
    "times",
    [
        pl.Series([1704067200000, 1704067260000]).cast(pl.Datetime("ms", "UTC")),
        pl.Series([1704067200000, 1704067260000]).cast(pl.Datetime("ms", "Asia/Tokyo")),
        pl.Series([1704067200000000000, 1704067260000000000]),
    ],
)
def test_typed_times_of_parquet_are_instants(times: pl.Series, tmp_path: Path, request_for: Requests) -> None:
    path = tmp_path / "bars.parquet"
    values = {name: [1.0, 1.0] for name in ("open", "high", "low", "close", "volume")}
    pl.DataFrame({"ts": times, **values}).write_parquet(path)

    assert spans(import_files([path], request_for("BTCUSDT", "1m")).bars)[0] == "2024-01-01T00:00..00:01"


class TestFreqtrade:
    ROWS = ([1704067200000, 1, 2, 1, 2, 3], [1704067260000, 1.5, 2, 1, 2, 0.5])

    @pytest.mark.parametrize("packed", [False, True])
    def test_json_is_read(self, packed: bool, tmp_path: Path, request_for: Requests) -> None:
        text = json.dumps(self.ROWS).encode()
        path = tmp_path / ("BTC_USDT-1m.json.gz" if packed else "BTC_USDT-1m.json")
        path.write_bytes(gzip.compress(text) if packed else text)

        bars = import_files([path], request_for("BTCUSDT", "1m")).bars

        assert spans(bars) == ["2024-01-01T00:00..00:01", "2024-01-01T00:01..00:02"]
        assert bars.open.tolist() == [1.0, 1.5]

    def test_feather_is_read(self, tmp_path: Path, request_for: Requests) -> None:
        path = tmp_path / "BTC_USDT-1m.feather"
        times = pl.Series([row[0] for row in self.ROWS]).cast(pl.Datetime("ms", "UTC"))
        values = {name: [1.0, 1.0] for name in ("open", "high", "low", "close", "volume")}
        pl.DataFrame({"date": times, **values}).write_ipc(path)

        assert len(import_files([path], request_for("BTCUSDT", "1m")).bars) == 2

    @pytest.mark.parametrize(
        "name", ["BTC_USDT-8h-funding_rate.json", "BTC_USDT_USDT-8h-mark.json", "BTC_USDT-trades.json.gz"]
    )
    def test_what_is_no_bars_is_refused_by_name(self, name: str, tmp_path: Path, request_for: Requests) -> None:
        (tmp_path / name).write_text(json.dumps(self.ROWS))

        with pytest.raises(
            DataError, match=r"holds (funding|mark|trades), not bars; import it with --kind (funding|mark|trades)"
        ):
            import_files([tmp_path / name], request_for("BTCUSDT", "1m"))


class TestLean:
    @staticmethod
    def archive(path: Path, **members: str) -> Path:
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in members.items():
                archive.writestr(f"{name}.csv", text)
        return path

    def test_equity_prices_are_scaled_and_times_are_those_of_new_york(
        self, tmp_path: Path, request_for: Requests
    ) -> None:
        text = "34200000,1674100,1674500,1672500,1672700,3197\n34260000,1672500,1672500,1672500,1672500,1150\n"
        path = self.archive(tmp_path / "20131007_trade.zip", **{"20131007_spy_minute_trade": text})

        bars = import_files([path], request_for("SPY", "1m")).bars

        assert spans(bars) == ["2013-10-07T13:30..13:31", "2013-10-07T13:31..13:32"]
        assert bars.open.tolist() == [167.41, 167.25]

    def test_other_prices_are_as_they_are_and_times_are_utc(self, tmp_path: Path, request_for: Requests) -> None:
        path = self.archive(
            tmp_path / "20221213_trade.zip", **{"20221213_adausdt_minute_trade_perp": "60000,.3,.4,.2,.3,5\n"}
        )

        bars = import_files([path], request_for("ADAUSDT", "1m")).bars

        assert spans(bars) == ["2022-12-13T00:01..00:02"]
        assert bars.high.tolist() == [0.4]

    def test_the_contract_of_the_instrument_is_taken(self, tmp_path: Path, request_for: Requests) -> None:
        members = {f"20131007_es_minute_trade_{month}": f"0,{price},{price},{price},{price},1\n"
                   for month, price in (("201312", 1676.5), ("201403", 1669.75))}  # fmt: skip
        path = self.archive(tmp_path / "20131007_trade.zip", **members)

        assert import_files([path], request_for("ESZ2013", "1m")).bars.open.tolist() == [1676.5]
        assert import_files([path], request_for("ESH2014", "1m")).bars.open.tolist() == [1669.75]
        with pytest.raises(DataError, match=r"holds 2 files \(201312, 201403\) and ES\.CME names no contract month"):
            import_files([path], request_for("ES", "1m"))
        with pytest.raises(DataError, match="none is 201406 of ESM2014"):
            import_files([path], request_for("ESM2014", "1m"))

    def test_a_single_contract_of_another_month_is_refused(self, tmp_path: Path, request_for: Requests) -> None:
        path = self.archive(tmp_path / "20131007_trade.zip", **{"20131007_es_minute_trade_201312": "0,1,1,1,1,1\n"})

        with pytest.raises(DataError, match=r"holds the contract 201312, but ESH2014\.CME is 201403"):
            import_files([path], request_for("ESH2014", "1m"))

    def test_daily_files_hold_trade_dates(self, tmp_path: Path, request_for: Requests) -> None:
        path = self.archive(tmp_path / "spy.zip", spy="20240702 00:00,5000000,5000000,5000000,5000000,7\n")

        bars = import_files([path], request_for("SPY", "D")).bars

        assert spans(bars) == ["2024-07-02T13:30..20:00"]
        assert bars.close.tolist() == [500.0]

    @pytest.mark.parametrize("name", ["20131007_quote", "20131007_openinterest"])
    def test_quotes_are_refused_by_name(self, name: str, tmp_path: Path, request_for: Requests) -> None:
        path = self.archive(tmp_path / f"{name}.zip", **{f"{name}_x": "0,1,1,1,1,1\n"})

        with pytest.raises(DataError, match="holds LEAN's ticks or quotes, which are not read; write them as CSV"):
            import_files([path], request_for("SPY", "1m"))

    def test_a_zip_of_something_else_is_refused(self, tmp_path: Path, request_for: Requests) -> None:
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
            archive.writestr("readme.txt", "hello")
        with pytest.raises(DataError, match="holds no CSV file"):
            import_files([tmp_path / "x.zip"], request_for("SPY", "1m"))
        undated = self.archive(tmp_path / "spy.zip", spy="0,1,1,1,1,1\n")
        with pytest.raises(DataError, match="no day in its name"):
            import_files([undated], request_for("SPY", "1m"))
        narrow = self.archive(tmp_path / "20131007_trade.zip", spy="0,1,1\n")
        with pytest.raises(DataError, match="has 3 columns"):
            import_files([narrow], request_for("SPY", "1m"))

    def test_the_month_of_a_contract(self, request_for: Requests) -> None:
        assert contract_month(request_for("GCZ2013", "1m").instrument) == "201312"
        assert contract_month(request_for("SPY", "1m").instrument) is None


class TestRealFiles:
    """Files of others, byte for byte, against the same data in another format."""

    @pytest.mark.parametrize(
        ("raw", "shared", "name", "tf", "stamp"),
        [
            ("orb/MNQ_F_5m.csv", "cme/MNQ/5m", "MNQ", "5m", None),
            ("nautilus/6EH4.XCME_1min_bars_20240101_20240131.csv.gz", "cme/6EH2024/1m", "6EH2024", "1m", Stamp.CLOSE),
            ("lean/equity/usa/daily/spy.zip", "us_equity/SPY/1d", "SPY", "D", None),
            ("freqtrade/typhonun/BNB_USDT_USDT-1m-futures.feather", "binance_usdm/BNBUSDT/1m", "BNBUSDT", "1m", None),
            (LEAN_ADA, "binance_usdm/ADAUSDT/1m", "ADAUSDT", "1m", None),
        ],
    )  # fmt: skip
    def test_raw_and_shared_files_give_the_same_bars(
        self, raw: str, shared: str, name: str, tf: str, stamp: Stamp | None, shared_data: Path, request_for: Requests
    ) -> None:
        ours = import_files([shared_data / "raw" / raw], request_for(name, tf, stamp=stamp)).bars
        theirs = import_files([shared_data / f"{shared}.parquet"], request_for(name, tf)).bars

        assert_equal(ours, theirs)

    @pytest.mark.parametrize(
        ("raw", "shared", "name"),
        [
            ("lean/future/cme/minute/es/20131007_trade.zip", "cme/ESZ2013/1m", "ESZ2013"),
            ("lean/equity/usa/minute/spy/20131007_trade.zip", "us_equity/SPY/1m", "SPY"),
        ],
    )
    def test_one_day_of_lean_is_that_day_of_the_shared_file(
        self, raw: str, shared: str, name: str, shared_data: Path, request_for: Requests
    ) -> None:
        ours = import_files([shared_data / "raw" / raw], request_for(name, "1m")).bars
        theirs = import_files([shared_data / f"{shared}.parquet"], request_for(name, "1m")).bars
        first, last = np.searchsorted(theirs.open_ns, ours.open_ns[[0, -1]])

        assert_equal(ours, theirs.rows(int(first), int(last) + 1))

    def test_a_file_stamped_at_the_close_is_noticed(self, shared_data: Path, request_for: Requests) -> None:
        path = shared_data / "raw" / "nautilus" / "6EH4.XCME_1min_bars_20240101_20240131.csv.gz"

        with pytest.raises(DataError, match="22 sessions have one at their end and 0 at their start"):
            import_files([path], request_for("6EH2024", "1m"))

    def test_an_index_with_impossible_rows_is_refused(self, shared_data: Path, request_for: Requests) -> None:
        with pytest.raises(DataError, match=r"row 534: high 18\.57 is below open 19\.24 \(46 other rows are bad too\)"):
            import_files([shared_data / "cboe" / "VIX" / "1d.parquet"], request_for("VIX", "D"))

    @pytest.mark.parametrize(
        "name",
        [
            "raw/freqtrade/XRP_ETH-trades.json.gz", "raw/freqtrade/typhonun/BNB_USDT_USDT-8h-funding_rate.feather",
            "raw/lean/future/comex/tick/gc/20131007_trade.zip", "raw/lean/equity/usa/minute/spy/20131007_quote.zip",
            "raw/supervik/BTC-USDT_binance_funding_history.csv", "comex/GCZ2013/trades.parquet",
            "binance_usdm/BTCUSDT/quotes.parquet", "binance_usdm/BTCUSDT/funding.parquet",
        ],
    )  # fmt: skip
    def test_trades_quotes_and_funding_are_refused_by_name(
        self, name: str, shared_data: Path, request_for: Requests
    ) -> None:
        with pytest.raises(DataError, match=r"--kind (trades|quotes|funding)"):
            import_files([shared_data / name], request_for("GCZ2013", "1m"))


def test_the_format_is_found_by_what_is_inside(tmp_path: Path) -> None:
    for head, expected in {
        b"PAR1": Format.PARQUET, b"ARROW1": Format.FREQTRADE, b" [[1": Format.FREQTRADE, b"PK\x03\x04": Format.LEAN,
        b"time,open": Format.CSV, gzip.compress(b"[[1"): Format.FREQTRADE, gzip.compress(b"time"): Format.CSV,
    }.items():  # fmt: skip
        (tmp_path / "file.txt").write_bytes(head)
        assert detect(tmp_path / "file.txt") is expected
