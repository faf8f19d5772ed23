"""The catalog keeps what it was given, for many readers and one writer."""

from __future__ import annotations

import errno
import hashlib
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evenkeel.data.atomic import write_atomically
from evenkeel.data.catalog import Catalog
from evenkeel.data.lock import WriterLock
from evenkeel.model.bar import Bars
from evenkeel.model.errors import DataError, StorageError, UsageError
from evenkeel.model.ids import InstrumentId
from evenkeel.model.time import MINUTE, Timeframe

BTC = InstrumentId("BTCUSDT.BYBIT")
M1 = Timeframe.parse("1m")


def minutes(*numbers: int, price: float = 100.0) -> Bars:
    opens = np.array(numbers, dtype=np.int64) * MINUTE
    prices = np.full(len(numbers), price)
    return Bars(M1, opens, opens + MINUTE, prices, prices + 1, prices - 1, prices + 0.5, np.ones(len(numbers)))


def numbers_of(bars: Bars) -> list[int]:
    return [int(open_ns // MINUTE) for open_ns in bars.open_ns]


def write(catalog: Catalog, bars: Bars) -> str:
    return catalog.write(BTC, bars, source="test.csv", imported_ns=7).id


def merge(catalog: Catalog, bars: Bars, *, replace: bool = False) -> tuple[int, int, int]:
    stored = catalog.merge(BTC, bars, source="test.csv", imported_ns=7, replace=replace)
    return stored.added, stored.changed, stored.removed


def test_bars_come_back_bit_for_bit(tmp_path: Path) -> None:
    bars = minutes(1, 2, 5, price=0.1 + 0.2)
    write(Catalog(tmp_path), bars)

    series = Catalog(tmp_path).read(BTC, M1)

    for name in ("open_ns", "close_ns", "open", "high", "low", "close", "volume"):
        assert getattr(series.bars, name).tobytes() == getattr(bars, name).tobytes()
    assert (series.revision.rows, series.revision.first_ns, series.revision.last_ns) == (3, MINUTE, 6 * MINUTE)
    assert (series.revision.source, series.revision.imported_ns) == ("test.csv", 7)


def test_the_id_is_the_hash_of_header_and_columns(tmp_path: Path) -> None:
    bars = minutes(1, 2)
    digest = hashlib.sha256(b"evenkeel.bars/1\nBTCUSDT.BYBIT\n1m\n2\n")
    digest.update(struct.pack("<4q", MINUTE, 2 * MINUTE, 2 * MINUTE, 3 * MINUTE))
    digest.update(struct.pack("<10d", 100, 100, 101, 101, 99, 99, 100.5, 100.5, 1, 1))

    assert write(Catalog(tmp_path), bars) == digest.hexdigest()


def test_equal_content_is_stored_once(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)

    assert write(catalog, minutes(1, 2)) == write(catalog, minutes(1, 2))
    assert len(catalog.history(BTC, M1)) == 1


def test_a_correction_leaves_the_old_revision_readable(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    old = write(catalog, minutes(1, 2))
    write(catalog, minutes(1, 2, price=200.0))

    assert catalog.read(BTC, M1).bars.open[0] == 200.0
    assert catalog.read(BTC, M1, revision=old[:8]).bars.open[0] == 100.0
    assert [entry.revisions for entry in catalog.entries()] == [2]


def test_going_back_to_an_old_content_makes_it_the_newest_again(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    first = write(catalog, minutes(1, 2))
    write(catalog, minutes(1, 2, price=200.0))
    write(catalog, minutes(1, 2))

    assert catalog.read(BTC, M1).revision.id == first
    assert len(catalog.history(BTC, M1)) == 3


@pytest.mark.parametrize(
    ("start", "stop", "expected"), [(2, 5, [2, 3]), (None, 3, [1, 2]), (3, None, [3, 5]), (4, None, [5])]
)
def test_a_range_includes_its_start_and_excludes_its_end(
    tmp_path: Path, start: int | None, stop: int | None, expected: list[int]
) -> None:
    catalog = Catalog(tmp_path)
    write(catalog, minutes(1, 2, 3, 5))

    series = catalog.read(
        BTC, M1, start_ns=None if start is None else start * MINUTE, stop_ns=None if stop is None else stop * MINUTE
    )

    assert numbers_of(series.bars) == expected


def test_an_empty_range_is_refused_with_what_there_is(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    write(catalog, minutes(1, 2))

    with pytest.raises(DataError, match="spans 1970-01-01T00:01:00Z to 1970-01-01T00:03:00Z"):
        catalog.read(BTC, M1, start_ns=9 * MINUTE)


def test_what_is_not_stored_is_refused_with_what_is(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    write(catalog, minutes(1))

    with pytest.raises(DataError, match=r"no 1h bars of BTCUSDT\.BYBIT; it has 1m"):
        catalog.read(BTC, Timeframe.parse("1h"))
    with pytest.raises(DataError, match=r"it has BTCUSDT\.BYBIT"):
        catalog.read(InstrumentId("BTCUSD.BYBIT"), M1)
    with pytest.raises(DataError, match="no revision abcdef"):
        catalog.read(BTC, M1, revision="abcdef")


def test_no_bars_are_not_a_revision(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no bars to store"):
        write(Catalog(tmp_path), minutes())


def test_an_id_with_a_slash_stays_inside_the_catalog(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "catalog")
    odd = InstrumentId("../EUR/USD.FX")
    catalog.write(odd, minutes(1), source="", imported_ns=0)

    assert [path.name for path in tmp_path.iterdir()] == ["catalog"]
    assert catalog.instruments() == [odd]


class TestMerging:
    def test_bars_behind_between_and_before_are_added(self, tmp_path: Path) -> None:
        catalog = Catalog(tmp_path)
        write(catalog, minutes(3, 5))

        assert merge(catalog, minutes(1, 4, 5, 6)) == (3, 0, 0)
        assert numbers_of(catalog.read(BTC, M1).bars) == [1, 3, 4, 5, 6]

    def test_nothing_new_writes_nothing(self, tmp_path: Path) -> None:
        catalog = Catalog(tmp_path)
        write(catalog, minutes(1, 2, 3))

        stored = catalog.merge(BTC, minutes(2), source="again.csv", imported_ns=9)

        assert not stored.is_new
        assert stored.revision.source == "test.csv"

    def test_a_bar_with_another_value_is_refused_and_nothing_changes(self, tmp_path: Path) -> None:
        catalog = Catalog(tmp_path)
        before = write(catalog, minutes(1, 2, 3))

        with pytest.raises(DataError, match=r"2 of the 2 .* 1970-01-01T00:02:00Z, where open is 100.0 .* and 90.0"):
            merge(catalog, minutes(2, 3, 4, price=90.0))
        assert catalog.read(BTC, M1).revision.id == before

    def test_a_correction_is_the_truth_for_the_time_it_spans(self, tmp_path: Path) -> None:
        catalog = Catalog(tmp_path)
        write(catalog, minutes(1, 2, 3, 4, 5))

        assert merge(catalog, minutes(2, 4, price=90.0), replace=True) == (0, 2, 1)
        bars = catalog.read(BTC, M1).bars
        assert numbers_of(bars) == [1, 2, 4, 5]
        assert bars.open.tolist() == [100.0, 90.0, 90.0, 100.0]


class TestDamage:
    def test_a_changed_byte_is_found(self, tmp_path: Path) -> None:
        catalog = Catalog(tmp_path)
        write(catalog, minutes(1, 2))
        newest = catalog.history(BTC, M1)[0]
        other = Catalog(tmp_path / "other")
        other.write(BTC, minutes(1, 3), source="", imported_ns=0)
        stranger = other.file_of(other.history(BTC, M1)[0])
        catalog.file_of(newest).write_bytes(stranger.read_bytes())

        with pytest.raises(StorageError, match="is damaged: its content does not match its name; restore it"):
            catalog.read(BTC, M1)

    @pytest.mark.parametrize("content", [b"", b"PAR1 but no more", None])
    def test_an_unreadable_file_is_named_with_the_remedy(self, tmp_path: Path, content: bytes | None) -> None:
        catalog = Catalog(tmp_path)
        write(catalog, minutes(1, 2))
        path = catalog.file_of(catalog.history(BTC, M1)[0])
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)

        with pytest.raises(StorageError, match=f"{path.name}.*restore it from a backup"):
            catalog.read(BTC, M1)

    def test_a_broken_index_is_named(self, tmp_path: Path) -> None:
        catalog = Catalog(tmp_path)
        write(catalog, minutes(1))
        (tmp_path / BTC / "1m" / "index.json").write_text('{"schema": "evenkeel.ser')

        with pytest.raises(StorageError, match=r"index\.json cannot be read"):
            catalog.read(BTC, M1)

    def test_a_revision_that_the_index_does_not_name_yet_is_not_seen(self, tmp_path: Path) -> None:
        """A crash between the two steps of a write leaves the old state, and the next write goes through."""
        catalog = Catalog(tmp_path)
        old = write(catalog, minutes(1))
        index = (tmp_path / BTC / "1m" / "index.json").read_bytes()
        new = write(catalog, minutes(1, 2))
        (tmp_path / BTC / "1m" / "index.json").write_bytes(index)

        assert catalog.read(BTC, M1).revision.id == old
        assert write(catalog, minutes(1, 2)) == new
        assert catalog.read(BTC, M1).revision.id == new

    def test_leftovers_of_a_dead_writer_are_removed(self, tmp_path: Path) -> None:
        catalog = Catalog(tmp_path)
        write(catalog, minutes(1))
        leftover = tmp_path / BTC / "1m" / ".index.json.123.partial"
        leftover.write_text("half")

        write(catalog, minutes(1, 2))

        assert not leftover.exists()


class TestFullDisk:
    def test_a_write_that_fails_leaves_no_trace_and_says_what_is_needed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        catalog = Catalog(tmp_path)

        def full(descriptor: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(StorageError, match=r"cannot write .* No space left on device; [\d,]+ bytes are needed"):
            write(catalog, minutes(1))

        assert [path.name for path in tmp_path.rglob("*")] == [".lock"]

    def test_a_revision_that_cannot_be_named_is_removed_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        catalog = Catalog(tmp_path)
        old = write(catalog, minutes(1))
        before = sorted(tmp_path.rglob("*"))
        synced: list[int] = []

        def full_at_the_index(descriptor: int) -> None:
            synced.append(descriptor)
            if len(synced) > 2:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr("os.fsync", full_at_the_index)
        with pytest.raises(StorageError, match=r"cannot write index\.json"):
            write(catalog, minutes(1, 2))

        assert sorted(tmp_path.rglob("*")) == before
        assert catalog.read(BTC, M1).revision.id == old

    def test_an_old_file_stays_when_the_new_one_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "taken").mkdir()
        (tmp_path / "taken" / "inside").write_text("old")

        with pytest.raises(StorageError, match="cannot write taken"):
            write_atomically(tmp_path / "taken", b"new")

        assert sorted(path.name for path in tmp_path.iterdir()) == ["taken"]

    def test_a_folder_that_cannot_be_made_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")

        with pytest.raises(StorageError, match="cannot create the folder"):
            write(Catalog(tmp_path / "file" / "catalog"), minutes(1))


HOLD = """
import sys
from collections.abc import Callable
from pathlib import Path
from evenkeel.data.lock import WriterLock
with WriterLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


class TestLock:
    def test_a_second_writer_is_told_who_writes(self, tmp_path: Path) -> None:
        with WriterLock(tmp_path), pytest.raises(StorageError, match=rf"pid {os.getpid()} ") as refused:
            write(Catalog(tmp_path), minutes(1))
        assert refused.value.reason == "STORAGE_BUSY"
        write(Catalog(tmp_path), minutes(1))

    def test_a_reader_does_not_wait_for_a_writer(self, tmp_path: Path) -> None:
        write(Catalog(tmp_path), minutes(1))
        with WriterLock(tmp_path):
            assert len(Catalog(tmp_path).read(BTC, M1).bars) == 1

    def test_the_lock_of_a_killed_process_falls(self, tmp_path: Path) -> None:
        with subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(StorageError, match=f"pid {holder.pid} "):
                write(Catalog(tmp_path), minutes(1))
            holder.kill()
            holder.wait()
            assert (tmp_path / ".lock").read_text().startswith(f"pid {holder.pid} ")
            write(Catalog(tmp_path), minutes(1))

    def test_a_living_process_is_respected_where_the_system_grants_every_lock(self, tmp_path: Path) -> None:
        with WriterLock(tmp_path):
            text = (tmp_path / ".lock").read_text()
        (tmp_path / ".lock").write_text(text)

        with pytest.raises(StorageError, match=f"pid {os.getpid()} "):
            write(Catalog(tmp_path), minutes(1))

    def test_another_process_with_the_id_of_a_dead_one_does_not_count(self, tmp_path: Path) -> None:
        (tmp_path / ".lock").write_text(f"pid {os.getpid()} started 1")

        write(Catalog(tmp_path), minutes(1))


class TestMappedCopy:
    """Long series are mapped into memory from a copy that proves itself by the same id."""

    @pytest.fixture(autouse=True)
    def short_is_long(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("evenkeel.data.catalog.MAPPED_ROWS_MIN", 3)

    @staticmethod
    def copy_of(catalog: Catalog) -> Path:
        return catalog.file_of(catalog.history(BTC, M1)[-1]).with_suffix(".cols")

    def test_only_long_series_have_one(self, tmp_path: Path) -> None:
        catalog = Catalog(tmp_path)
        write(catalog, minutes(1, 2))
        assert not self.copy_of(catalog).exists()
        merge(catalog, minutes(3))
        assert self.copy_of(catalog).exists()

    def test_it_is_what_is_read(self, tmp_path: Path) -> None:
        catalog = Catalog(tmp_path)
        bars = minutes(1, 2, 5, price=0.1 + 0.2)
        write(catalog, bars)
        catalog.file_of(catalog.history(BTC, M1)[-1]).unlink()

        found = catalog.read(BTC, M1).bars

        for name in ("open_ns", "close_ns", "open", "high", "low", "close", "volume"):
            assert getattr(found, name).tobytes() == getattr(bars, name).tobytes()
            assert not getattr(found, name).flags.owndata

    @pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data[:-8] + b"\x00" * 8, lambda _: b""])
    def test_a_damaged_or_missing_one_is_not_used(self, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
        catalog = Catalog(tmp_path)
        write(catalog, minutes(1, 2, 3))
        path = self.copy_of(catalog)
        path.write_bytes(damage(path.read_bytes()))
        assert numbers_of(catalog.read(BTC, M1).bars) == [1, 2, 3]
        path.unlink()
        assert numbers_of(catalog.read(BTC, M1).bars) == [1, 2, 3]

    def test_a_copy_of_other_bars_is_not_used(self, tmp_path: Path) -> None:
        catalog = Catalog(tmp_path)
        write(catalog, minutes(1, 2, 3, price=50.0))
        other = self.copy_of(catalog).read_bytes()
        write(catalog, minutes(1, 2, 3))
        self.copy_of(catalog).write_bytes(other)

        assert catalog.read(BTC, M1).bars.open.tolist() == [100.0] * 3

    def test_without_space_for_it_nothing_is_stored(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(path: Path, data: bytes) -> None:
            if path.suffix == ".cols":
                raise StorageError("no space")
            write_atomically(path, data)

        monkeypatch.setattr("evenkeel.data.catalog.write_atomically", refuse)
        with pytest.raises(StorageError):
            write(Catalog(tmp_path), minutes(1, 2, 3))

        assert Catalog(tmp_path).instruments() == []
        assert not list(tmp_path.rglob("*.parquet"))
