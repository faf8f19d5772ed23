from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from evenkeel.engine.journal import Journal, JournalDamaged
from evenkeel.engine.journal.index import Description, Duplicate, Index
from evenkeel.engine.journal.memory import MemoryDisk
from evenkeel.model.errors import StorageError

Opened = Callable[..., Journal]


def describe(payload: bytes) -> Description:
    message = msgspec.msgpack.decode(payload)
    return Description(message["time_ns"], message["type"], message.get("client_id"))


def record(journal: Journal, kind: int, time_ns: int, tag: str, client_id: str | None = None) -> None:
    message = {"type": tag, "time_ns": time_ns} | ({"client_id": client_id} if client_id else {})
    journal.append(kind, msgspec.msgpack.encode(message), last_of_step=True)


@pytest.fixture
def traded(disk: MemoryDisk, opened: Opened) -> MemoryDisk:
    with opened() as journal:
        for trade in range(5):
            record(journal, 1, trade * 100, "bar_closed")
            record(journal, 3, trade * 100, "submit_order", f"k{trade}")
            record(journal, 1, trade * 100 + 7, "order_filled", f"k{trade}")
    return disk


def index_of(disk: MemoryDisk, path: Path, *, describer: str = "1") -> Index:
    return Index.open(path, disk, "j", describe, describer=describer, submission_tag="submit_order")


def content(path: Path) -> list[tuple[object, ...]]:
    database = sqlite3.connect(path)
    try:
        return [
            row
            for table in ("progress", "entries", "submissions", "duplicates")
            for row in database.execute(f"SELECT * FROM {table} ORDER BY 1")
        ]
    finally:
        database.close()


def test_entries_are_found_by_every_condition(traded: MemoryDisk, tmp_path: Path) -> None:
    with index_of(traded, tmp_path / "i") as index:

        def found(**conditions: object) -> list[int]:
            return [entry.sequence for entry in index.entries(**conditions)]  # type: ignore[arg-type]

        assert found() == list(range(15))
        assert found(kind=3) == [1, 4, 7, 10, 13]
        assert found(tag="order_filled") == [2, 5, 8, 11, 14]
        assert found(client_id="k2") == [7, 8]
        assert found(start_ns=107, stop_ns=300) == [5, 6, 7, 8]
        assert found(tag="bar_closed", start_ns=300, stop_ns=400) == [9]
        assert found(client_id="unknown") == []


def test_an_entry_leads_to_its_frame_in_every_segment(traded: MemoryDisk, tmp_path: Path) -> None:
    assert len(traded.list("j")) > 2
    with index_of(traded, tmp_path / "i") as index:
        for entry in index.entries(tag="order_filled"):
            frame = index.frame(entry)
            assert frame.sequence == entry.sequence
            assert describe(frame.payload) == (entry.time_ns, entry.tag, entry.client_id)


def test_an_entry_that_changed_since_is_refused(traded: MemoryDisk, tmp_path: Path) -> None:
    with index_of(traded, tmp_path / "i") as index:
        entry = next(index.entries(client_id="k1"))
        traded.files[f"j/{entry.segment:06d}.seg"][entry.offset + 40] ^= 1
        with pytest.raises(JournalDamaged, match="is not the one that was indexed"):
            index.frame(entry)


def test_an_extended_index_equals_a_fresh_one(traded: MemoryDisk, opened: Opened, tmp_path: Path) -> None:
    index_of(traded, tmp_path / "old").close()
    for more in range(9):
        with opened() as journal:
            record(journal, 3, 1000 + more, "submit_order", f"m{more % 6}")
        index_of(traded, tmp_path / "old").close()
        index_of(traded, tmp_path / f"fresh{more}").close()
        assert content(tmp_path / "old") == content(tmp_path / f"fresh{more}")


def test_extending_reads_only_what_is_new(traded: MemoryDisk, opened: Opened, tmp_path: Path) -> None:
    index_of(traded, tmp_path / "i").close()
    with opened() as journal:
        record(journal, 1, 5000, "bar_closed")
    described: list[bytes] = []

    def noting(payload: bytes) -> Description:
        described.append(payload)
        return describe(payload)

    Index.open(tmp_path / "i", traded, "j", noting, submission_tag="submit_order").close()
    assert len(described) == 1


def test_a_deleted_index_is_built_anew(traded: MemoryDisk, tmp_path: Path) -> None:
    path = tmp_path / "i"
    index_of(traded, path).close()
    before = content(path)
    path.unlink()
    index_of(traded, path).close()
    assert content(path) == before


@pytest.mark.parametrize("rubbish", [b"", b"not a database at all, but long enough to be looked at" * 20])
def test_a_file_that_is_no_index_is_built_anew(traded: MemoryDisk, tmp_path: Path, rubbish: bytes) -> None:
    path = tmp_path / "i"
    path.write_bytes(rubbish)
    with index_of(traded, path) as index:
        assert len(list(index.entries())) == 15


def test_an_index_of_another_journal_is_built_anew(traded: MemoryDisk, opened: Opened, tmp_path: Path) -> None:
    for entries in (3, 15, 40):
        other = MemoryDisk()
        with opened(on=other) as journal:
            for number in range(entries):
                record(journal, 1, number, "other")
        path = tmp_path / f"i{entries}"
        index_of(other, path).close()
        with index_of(traded, path) as index:
            assert [entry.tag for entry in index.entries()][:2] == ["bar_closed", "submit_order"]
            assert len(list(index.entries())) == 15


def test_an_index_made_by_another_describer_is_built_anew(traded: MemoryDisk, tmp_path: Path) -> None:
    path = tmp_path / "i"
    Index.open(path, traded, "j", lambda _: Description(0, "?", None), submission_tag="submit_order").close()
    with index_of(traded, path, describer="2") as index:
        assert {entry.tag for entry in index.entries()} == {"bar_closed", "submit_order", "order_filled"}


def test_an_id_that_was_submitted_twice_is_reported(traded: MemoryDisk, opened: Opened, tmp_path: Path) -> None:
    with index_of(traded, tmp_path / "i") as index:
        assert index.duplicates() == []
    with opened() as journal:
        record(journal, 3, 900, "submit_order", "k3")
        record(journal, 1, 901, "order_filled", "k3")
    with index_of(traded, tmp_path / "i") as index:
        assert index.duplicates() == [Duplicate("k3", 10, 15)]


def test_a_damaged_journal_is_not_indexed(traded: MemoryDisk, tmp_path: Path) -> None:
    traded.files["j/000001.seg"][50] ^= 1
    with pytest.raises(JournalDamaged):
        index_of(traded, tmp_path / "i")


def test_an_unwritable_index_is_refused_by_its_path(traded: MemoryDisk, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot write the index .*/none/i: unable to open database file"):
        index_of(traded, tmp_path / "none" / "i")
