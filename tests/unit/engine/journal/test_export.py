from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import msgspec
import polars as pl
import pytest

from evenkeel.engine.journal.export import rows, write
from evenkeel.engine.journal.frame import Frame
from evenkeel.model.errors import StorageError

NOON_NS = 1_706_702_400_000_000_000
MESSAGES = [
    {"type": "bar_closed", "known_ns": NOON_NS + 5, "event_ns": NOON_NS, "close": 1.5},
    {"type": "order_filled", "event_ns": NOON_NS, "price": Decimal("0.10"), "note": 'a "quoted", line\nbroken'},
    {"type": "session_started", "raw": b"\x00\x01", "wire": msgspec.msgpack.Ext(7, b"x")},
]
FRAMES = [
    Frame(sequence, kind, 1, msgspec.msgpack.encode(message))
    for sequence, (kind, message) in enumerate(zip((1, 3, 200), MESSAGES, strict=True))
]


def test_a_row_says_when_what_and_everything() -> None:
    bar, fill, session = rows(FRAMES)
    assert bar[:4] == (0, "event", "2024-01-31T12:00:00.000000005Z", "bar_closed")
    assert json.loads(bar.json) == MESSAGES[0]
    assert fill[:4] == (1, "command", "2024-01-31T12:00:00Z", "order_filled")
    assert json.loads(fill.json)["price"] == "0.10"
    assert session[:4] == (2, "200", None, "session_started")
    assert json.loads(session.json)["wire"] == {"ext": 7, "data": "eA=="}


def test_csv_holds_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "journal.csv"
    assert write(FRAMES, path, kind="csv") == 3
    with path.open(newline="", encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    assert header == ["sequence", "kind", "time", "type", "json"]
    assert lines == [[str(value) if value is not None else "" for value in row] for row in rows(FRAMES)]


def test_parquet_holds_the_rows_with_times_as_times(tmp_path: Path) -> None:
    path = tmp_path / "journal.parquet"
    assert write(FRAMES, path, kind="parquet") == 3
    table = pl.read_parquet(path)
    assert table.schema["time"] == pl.Datetime("ns", "UTC")
    assert table["time"].dt.timestamp("ns").to_list() == [NOON_NS + 5, NOON_NS, None]
    assert table.drop("time").rows() == [(row.sequence, row.kind, row.type, row.json) for row in rows(FRAMES)]


def test_an_empty_journal_is_an_empty_table(tmp_path: Path) -> None:
    assert write([], tmp_path / "a.csv", kind="csv") == 0
    assert write([], tmp_path / "a.parquet", kind="parquet") == 0
    assert pl.read_parquet(tmp_path / "a.parquet").height == 0


@pytest.mark.parametrize("payload", [b"", b"\xc1", msgspec.msgpack.encode([1, 2])])
def test_a_payload_that_is_no_map_is_refused_by_its_sequence(tmp_path: Path, payload: bytes) -> None:
    with pytest.raises(StorageError, match="journal entry 9 is not a msgpack map"):
        write([Frame(9, 1, 1, payload)], tmp_path / "a.csv", kind="csv")
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot write a\.csv into"):
        write(FRAMES, tmp_path / "none" / "a.csv", kind="csv")
