"""Wrong files: each is refused with one message that says what is wrong, where, and what to do."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from evenkeel.data.importers import Format, Request, import_files, require_zone
from evenkeel.model.errors import DataError, StorageError, UsageError

HEAD = "time,open,high,low,close,volume"
GOOD = "2024-01-01T00:00:00Z,10,11,9,10,1"

Write = Callable[..., Path]
Requests = Callable[..., Request]


def minute(number: int, values: str = "10,11,9,10,1") -> str:
    return f"2024-01-01T00:{number:02d}:00Z,{values}"


CASES = {
    "an empty file": ([""], "bars.csv is empty"),
    "only names": ([HEAD], "bars.csv holds no bars: there is no row of data in it"),
    "a missing column": (["time,open,hihg,low,close,volume", GOOD], "no column for high; found .*; is 'hihg' meant?"),
    "no time": (["open,high,low,close,volume", "10,11,9,10,1"], "has no column of times; found open, high"),
    "no line of names": ([GOOD, minute(1)], "has values in its first line .*; put a line of names before it"),
    "a word for a price": ([HEAD, GOOD, minute(1, "10,n/a,9,10,1")], "line 3: the column high holds 'n/a'"),
    "an empty price": ([HEAD, GOOD, minute(1, "10,,9,10,1")], "line 3: the column high is empty"),
    "not a number": ([HEAD, GOOD, minute(1, "10,11,9,nan,1")], r"line 3: close is not a number \(nan\)"),
    "infinity": ([HEAD, GOOD, minute(1, "10,inf,9,10,1")], r"line 3: high is not a number \(inf\)"),
    "a negative price": ([HEAD, minute(0, "10,11,-9,10,1")], r"line 2: low is not above zero \(-9.0\)"),
    "a price of zero": ([HEAD, minute(0, "0,11,0,10,1")], r"line 2: open is not above zero \(0.0\)"),
    "high below low": ([HEAD, GOOD, minute(1, "10,8,9,10,1")], "line 3: high 8.0 is below low 9.0"),
    "high below close": ([HEAD, GOOD, minute(1, "10,10,9,10.5,1")], "line 3: high 10.0 is below close 10.5"),
    "low above open": ([HEAD, GOOD, minute(1, "9,12,10,11,1")], "line 3: low 10.0 is above open 9.0"),
    "negative volume": ([HEAD, minute(0, "10,11,9,10,-1")], r"line 2: volume is negative \(-1.0\)"),
    "several bad rows": (
        [HEAD, GOOD, minute(1, "10,8,9,10,1"), minute(2, "10,8,9,10,1"), minute(3, "0,8,9,10,1")],
        r"line 3: high 8.0 is below low 9.0 \(2 other rows are bad too\)",
    ),
    "a repeated time": ([HEAD, GOOD, minute(1), minute(1)], "line 4: .*2024-01-01T00:01:00Z appears twice"),
    "a step back": ([HEAD, minute(0), minute(2), minute(1)], "line 4: .*00:01:00Z comes after 2024-01-01T00:02:00Z"),
    "newest first": ([HEAD, minute(2), minute(1), minute(0)], "runs backwards in time.*--newest-first"),
    "a bad time": ([HEAD, GOOD, "2024-13-01T00:01:00Z,10,11,9,10,1"], "line 3: '2024-13-01T00:01:00Z' .* is not"),
    "a day that is none": ([HEAD, GOOD, "2024-02-30T00:01:00Z,10,11,9,10,1"], "line 3: '2024-02-30T"),
    "a time in words": ([HEAD, "1 January,10,11,9,10,1"], "line 2: '1 January' in the column time is not a time"),
    "an unclear order": ([HEAD, "01/02/2024 00:00,10,11,9,10,1"], "can be read with the day or the month first"),
    "a year out of reach": ([HEAD, "9999-01-01T00:00:00Z,10,11,9,10,1"], "line 2: '9999-01-01T00:00:00Z' .* is not"),
    "another unit": (
        [HEAD, "1704067200,10,11,9,10,1", "1704067260000,10,11,9,10,1"],
        "line 3: '1704067260000' in the column time is not in the unit of the times before it",
    ),
    "a decimal comma": (["time;open;high;low;close;volume", "2024-01-01T00:00Z;10,5;11;9;10;1"], "holds '10,5', which"),
    "a missing time": ([HEAD, GOOD, ",10,11,9,10,1"], "line 3: '' in the column time is not a time"),
    "no zone": ([HEAD, "2024-01-01 00:00,10,11,9,10,1"], "its times have no zone; .*--tz"),
    "a zone in some rows": ([HEAD, GOOD, "2024-01-01T00:01:00,10,11,9,10,1"], "line 3: .* has no zone, as other rows"),
    "seconds": ([HEAD, GOOD, "2024-01-01T00:01:17Z,10,11,9,10,1"], "line 3: .* is not on a whole minute"),
    "hours for minutes": (
        [HEAD, *(f"2024-01-{d:02d}T{h:02d}:00:00Z,10,11,9,10,1" for d in (1, 2) for h in range(24))],
        "rows are 60 minutes apart, so they are not 1m bars",
    ),
    "only dates": ([HEAD, "2024-01-01,10,11,9,10,1"], "has dates without times.* --tf D"),
    "two symbols": (
        ["symbol,time,open,high,low,close,volume", f"A,{GOOD}", f"B,{minute(1)}"],
        r"holds 2 symbols in the column symbol \(A, B\); split it",
    ),
    "two columns of one name": (["time,open,Open,high,low,close,volume", "x,1,1,1,1,1,1"], "two columns named open"),
    "a name that repeats": (["time,open,open,high,low,close,volume", "x,1,1,1,1,1,1"], "two columns named open"),
    "a line too long": ([HEAD, GOOD, minute(1, "10,11,9,10,1,5")], "line 3: it has 7 columns, the first line has 6"),
    "closes": (
        [HEAD, *(minute(number) for number in range(1, 60)), "2024-01-02T00:00:00Z,10,11,9,10,1"],
        "look like the closes of the bars: they run from 2024-01-01T00:01:00Z.*--stamp close",
    ),
    "no volume": (["time,open,high,low,close", "2024-01-01T00:00:00Z,10,11,9,10"], "no column for volume"),
    "trades": (["time,price,size", "2024-01-01T00:00:00Z,10,1"], "holds trades, not bars; .* --kind trades"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.replace(" ", "-"))
def test_a_wrong_file_is_refused(case: str, text_file: Write, request_for: Requests) -> None:
    lines, message = CASES[case]

    with pytest.raises(DataError, match=message) as refused:
        import_files([text_file(*lines)], request_for("BTCUSDT", "1m"))

    assert "bars.csv" in refused.value.message
    assert "\n" not in refused.value.message


def test_rows_of_a_file_that_was_turned_round_keep_their_numbers(text_file: Write, request_for: Requests) -> None:
    path = text_file(HEAD, minute(3), minute(2), minute(2), minute(0))

    with pytest.raises(DataError, match=r"line 3: .*00:02:00Z appears twice"):
        import_files([path], request_for("BTCUSDT", "1m", newest_first=True))


def test_files_that_overlap_are_refused(text_file: Write, request_for: Requests) -> None:
    one = text_file(HEAD, minute(0), minute(1), name="one.csv")
    two = text_file(HEAD, minute(1), minute(2), name="two.csv")

    with pytest.raises(DataError, match=r"two\.csv begins at 2024-01-01T00:01:00Z, before one\.csv ends"):
        import_files([two, one], request_for("BTCUSDT", "1m"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PAR1 and nothing behind it", "is a damaged Parquet file"),
        (b"ARROW1 and nothing behind it", "is a damaged feather file"),
        (b"PK\x03\x04 and nothing behind it", "is a damaged zip file"),
        (b"\x1f\x8b\x08 and nothing behind it", "is a damaged gzip file"),
        (gzip.compress(b"a" * 100_000)[:-20], "is a damaged gzip file"),
        ("time,open".encode("utf-16-le"), "is not text in UTF-8"),
        (b"[[1, 2, 3]]", r"row 1: expected \[milliseconds, open, high, low, close, volume\], found \[1, 2, 3\]"),
        (b"[[1704067200000, 1, 2", "is not JSON"),
        (b"{}", "holds no bars"),
        (b"[]", "holds no bars"),
    ],
)
def test_a_damaged_file_is_refused(content: bytes, message: str, tmp_path: Path, request_for: Requests) -> None:
    path = tmp_path / "damaged.bin"
    path.write_bytes(content)

    with pytest.raises(DataError, match=message):
        import_files([path], request_for("BTCUSDT", "1m"))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, request_for: Requests) -> None:
    with pytest.raises(StorageError, match=re.escape(f"{tmp_path} cannot be read")):
        import_files([tmp_path], request_for("BTCUSDT", "1m"))


def test_another_format_than_the_file_has_is_refused(text_file: Write, request_for: Requests) -> None:
    with pytest.raises(DataError, match=r"bars\.csv is a file of the format csv, not lean"):
        import_files([text_file(HEAD, GOOD)], request_for("BTCUSDT", "1m"), form=Format.LEAN)


def test_a_column_of_a_wrong_kind_is_refused(tmp_path: Path, request_for: Requests) -> None:
    path = tmp_path / "bars.parquet"
    frame = pl.DataFrame(
        {"ts": [1704067200000], "open": [[1.0]], "high": [1.0], "low": [1.0], "close": [1.0], "volume": [1]}
    )
    frame.write_parquet(path)

    with pytest.raises(DataError, match="the column open holds List"):
        import_files([path], request_for("BTCUSDT", "1m"))


@pytest.mark.parametrize(("name", "near"), [("America/NewYork", "America/New_York"), ("new_york", "America/New_York")])
def test_an_unknown_zone_is_refused_with_the_nearest(name: str, near: str) -> None:
    with pytest.raises(UsageError, match=near):
        require_zone(name)


def test_daily_rows_on_days_without_a_session_are_refused(text_file: Write, request_for: Requests) -> None:
    path = text_file("Date,Open,High,Low,Close,Volume", "2024-07-03,1,1,1,1,1", "2024-07-04,1,1,1,1,1")

    with pytest.raises(DataError, match="line 3: 2024-07-04 is no trading day of NYSE"):
        import_files([path], request_for("SPY", "D"))


def test_a_daily_bar_at_an_odd_hour_is_refused(text_file: Write, request_for: Requests) -> None:
    path = text_file(HEAD, "2024-07-03T15:00:00Z,1,1,1,1,1")

    with pytest.raises(DataError, match="is neither a date nor the open of a session of NYSE"):
        import_files([path], request_for("SPY", "D"))


def test_weeks_are_no_days(text_file: Write, request_for: Requests) -> None:
    path = text_file("Date,Open,High,Low,Close,Volume", *(f"2024-07-{d:02d},1,1,1,1,1" for d in (1, 8, 15, 22, 29)))

    with pytest.raises(DataError, match="rows are 7 days apart, so they are not D bars"):
        import_files([path], request_for("SPY", "D"))


def test_a_time_that_the_clocks_skip_or_repeat_is_refused(text_file: Write, request_for: Requests) -> None:
    path = text_file(HEAD, "2024-11-03 00:30:00,1,1,1,1,1", "2024-11-03 01:30:00,1,1,1,1,1")

    with pytest.raises(
        DataError, match="line 3: 2024-11-03 01:30:00 does not exist or exists twice in America/New_York"
    ):
        import_files([path], request_for("BTCUSDT", "30m", zone="America/New_York"))
