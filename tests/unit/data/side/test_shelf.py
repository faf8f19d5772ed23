"""What lies beside bars is kept like bars: by content, whole or not at all, and proved when it is read."""

from __future__ import annotations

import errno
import hashlib
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from evenkeel.data.atomic import write_atomically
from evenkeel.data.catalog import Catalog
from evenkeel.data.side import SideBatch, SideKind, SideSeries
from evenkeel.data.side.series import BLOCK_ROWS
from evenkeel.model.errors import DataError, StorageError, UsageError
from evenkeel.model.ids import InstrumentId
from evenkeel.model.time import HOUR, Timeframe

BTC = InstrumentId("BTCUSDT.BYBIT")


def rates(hours: Sequence[int], values: Sequence[float]) -> SideBatch:
    stamps = np.array(hours, dtype=np.int64) * HOUR
    return SideBatch(SideKind.FUNDING, stamps, {"rate": np.array(values, dtype=np.float64)})


def ticks(stamps: Sequence[int], prices: Sequence[float]) -> SideBatch:
    columns = {"price": np.array(prices), "size": np.ones(len(prices)), "side": np.full(len(prices), np.nan)}
    return SideBatch(SideKind.TRADES, np.array(stamps, dtype=np.int64), columns)


def write(catalog: Catalog, batch: SideBatch) -> str:
    return catalog.shelf.write(BTC, batch, source="rates.csv", imported_ns=7).id


def merge(catalog: Catalog, batch: SideBatch, *, replace: bool = False) -> tuple[int, int, int]:
    stored = catalog.shelf.merge(BTC, batch, source="rates.csv", imported_ns=7, replace=replace)
    return stored.added, stored.changed, stored.removed


def read(catalog: Catalog, kind: SideKind = SideKind.FUNDING, **range_: int) -> SideSeries:
    series = catalog.side(BTC, kind, **range_)
    assert series is not None
    return series


def hours(series: SideSeries) -> list[int]:
    return [int(stamp // HOUR) for stamp in series.stamps_ns]


def test_rows_come_back_bit_for_bit(tmp_path: Path) -> None:
    batch = rates([8, 16, 24], [0.1 + 0.2, -0.0, 1e-300])
    write(Catalog(tmp_path), batch)

    series = read(Catalog(tmp_path))

    assert series.stamps_ns.tobytes() == batch.stamps_ns.tobytes()
    assert series.columns["rate"].tobytes() == batch.columns["rate"].tobytes()
    assert (series.revision.rows, series.revision.first_ns, series.revision.last_ns) == (3, 8 * HOUR, 24 * HOUR)
    assert (series.revision.source, series.timeframe) == ("rates.csv", None)


def test_the_id_is_the_hash_of_header_and_digests(tmp_path: Path) -> None:
    block = hashlib.sha256(struct.pack("<2q", 8 * HOUR, 16 * HOUR) + struct.pack("<2d", 0.25, -0.5)).hexdigest()
    header = f"evenkeel.side/1\nBTCUSDT.BYBIT\nfunding\n-\n2\n{block}\n"

    assert write(Catalog(tmp_path), rates([8, 16], [0.25, -0.5])) == hashlib.sha256(header.encode()).hexdigest()


def test_the_columns_cannot_be_written_to(tmp_path: Path) -> None:
    write(Catalog(tmp_path), rates([8], [0.1]))

    with pytest.raises(ValueError, match="read-only"):
        read(Catalog(tmp_path)).columns["rate"][0] = 1.0


def test_what_is_not_stored_is_none(tmp_path: Path) -> None:
    write(Catalog(tmp_path), rates([8], [0.1]))

    assert Catalog(tmp_path).side(BTC, SideKind.MARK) is None
    assert Catalog(tmp_path).side(InstrumentId("ETHUSDT.BYBIT"), SideKind.FUNDING) is None
    assert Catalog(tmp_path).side(BTC, SideKind.FUNDING, revision="0" * 64) is None
    assert Catalog(tmp_path / "nothing").shelf.entries() == []


@pytest.mark.parametrize(
    ("start", "stop", "found"), [(16, None, [16, 24]), (9, 24, [16]), (None, 9, [8]), (25, None, []), (16, 16, [])]
)
def test_a_range_includes_its_start_and_excludes_its_end(
    tmp_path: Path, start: int | None, stop: int | None, found: list[int]
) -> None:
    write(Catalog(tmp_path), rates([8, 16, 24], [0.1, 0.2, 0.3]))
    given = {"start_ns": start, "stop_ns": stop}

    series = read(Catalog(tmp_path), **{name: hour * HOUR for name, hour in given.items() if hour is not None})

    assert hours(series) == found


def test_bars_of_the_instrument_do_not_see_what_lies_beside_them(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    write(catalog, rates([8], [0.1]))

    assert catalog.entries() == []
    assert catalog.instruments() == []
    assert [entry.revision.kind for entry in catalog.shelf.entries()] == [SideKind.FUNDING]


def test_equal_content_is_stored_once_and_a_correction_leaves_the_old_revision_readable(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    old = write(catalog, rates([8, 16], [0.1, 0.2]))

    assert write(catalog, rates([8, 16], [0.1, 0.2])) == old
    assert merge(catalog, rates([16], [0.3]), replace=True) == (0, 1, 0)
    assert read(catalog).columns["rate"].tolist() == [0.1, 0.3]
    before = catalog.side(BTC, SideKind.FUNDING, revision=old)
    assert before is not None
    assert before.columns["rate"].tolist() == [0.1, 0.2]
    assert len(catalog.shelf.history(BTC, SideKind.FUNDING)) == 2


class TestMerging:
    def test_new_rows_are_added_and_equal_ones_recognised(self, tmp_path: Path) -> None:
        catalog = Catalog(tmp_path)
        write(catalog, rates([8, 24], [0.1, 0.3]))

        assert merge(catalog, rates([0, 8, 16], [0.0, 0.1, 0.2])) == (2, 0, 0)
        assert hours(read(catalog)) == [0, 8, 16, 24]
        assert merge(catalog, rates([8, 16], [0.1, 0.2])) == (0, 0, 0)

    def test_a_difference_is_named_and_nothing_is_stored(self, tmp_path: Path) -> None:
        catalog = Catalog(tmp_path)
        write(catalog, rates([8, 16], [0.1, 0.2]))

        with pytest.raises(DataError, match=r"1 of the rows .* 1970-01-01T16:00:00Z, where rate is 0.2 .* 0.25 in the"):
            merge(catalog, rates([16, 24], [0.25, 0.3]))
        assert hours(read(catalog)) == [8, 16]

    def test_a_correction_takes_the_place_of_its_time(self, tmp_path: Path) -> None:
        catalog = Catalog(tmp_path)
        write(catalog, rates([0, 8, 16, 24], [0.0, 0.1, 0.2, 0.3]))

        assert merge(catalog, rates([8, 24], [0.1, 0.5]), replace=True) == (0, 1, 1)
        assert read(catalog).columns["rate"].tolist() == [0.0, 0.1, 0.5]

    def test_two_missing_values_are_equal(self, tmp_path: Path) -> None:
        catalog = Catalog(tmp_path)
        columns = {"split": np.array([4.0, np.nan]), "dividend": np.array([np.nan, 0.25])}
        actions = SideBatch(SideKind.ACTIONS, np.array([1, 2], dtype=np.int64), columns)
        write(catalog, actions)

        assert merge(catalog, actions) == (0, 0, 0)

    def test_a_price_keeps_its_form(self, tmp_path: Path) -> None:
        catalog = Catalog(tmp_path)
        stamps = np.array([0], dtype=np.int64)
        write(catalog, SideBatch(SideKind.MARK, stamps, {"price": np.ones(1)}))
        bars = {name: np.ones(1) for name in ("open", "high", "low", "close")}

        with pytest.raises(DataError, match="mark is stored as points, the file holds 1m bars"):
            merge(catalog, SideBatch(SideKind.MARK, stamps, bars, Timeframe.parse("1m")))

    def test_events_that_share_an_instant_keep_their_order(self, tmp_path: Path) -> None:
        catalog = Catalog(tmp_path)
        write(catalog, ticks([5, 5, 6], [3.0, 1.0, 2.0]))

        assert merge(catalog, ticks([7, 7], [9.0, 8.0])) == (2, 0, 0)
        assert merge(catalog, ticks([1, 1], [7.0, 6.0])) == (2, 0, 0)
        assert read(catalog, SideKind.TRADES).columns["price"].tolist() == [7.0, 6.0, 3.0, 1.0, 2.0, 9.0, 8.0]

    def test_events_of_a_time_that_is_stored_must_be_the_same(self, tmp_path: Path) -> None:
        catalog = Catalog(tmp_path)
        write(catalog, ticks([5, 5, 6], [3.0, 1.0, 2.0]))

        assert merge(catalog, ticks([6, 7], [2.0, 4.0])) == (1, 0, 0)
        with pytest.raises(DataError, match="2 rows are stored and the file has 1, and they are not the same"):
            merge(catalog, ticks([1, 5], [9.0, 3.0]))
        assert merge(catalog, ticks([5, 5, 6], [3.0, 1.5, 2.0]), replace=True) == (3, 0, 3)

    def test_events_fill_a_hole_between_stored_ones(self, tmp_path: Path) -> None:
        catalog = Catalog(tmp_path)
        write(catalog, ticks([1, 9], [1.0, 9.0]))

        assert merge(catalog, ticks([4, 5], [4.0, 5.0])) == (2, 0, 0)
        assert read(catalog, SideKind.TRADES).stamps_ns.tolist() == [1, 4, 5, 9]


class TestDamage:
    def test_no_rows_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="funding: there are no rows to store"):
            write(Catalog(tmp_path), rates([], []))

    @pytest.mark.parametrize(
        ("cut", "said"),
        [
            (lambda data: data[:-1], r"has \d+ bytes, its first line says \d+"),
            (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "its content does not match its name"),
            (lambda data: b"PAR1" + data[4:], "does not begin as a file of columns"),
            (lambda data: data[:9] + b"!" + data[10:], "its first line cannot be read"),
            (lambda data: b"", "cannot be read"),
        ],
    )
    def test_a_damaged_file_is_found(self, tmp_path: Path, cut: object, said: str) -> None:
        catalog = Catalog(tmp_path)
        write(catalog, rates([8, 16], [0.1, 0.2]))
        path = catalog.shelf.file_of(catalog.shelf.history(BTC, SideKind.FUNDING)[0])
        path.write_bytes(cut(path.read_bytes()))  # type: ignore[operator]

        with pytest.raises(StorageError, match=said) as refused:
            read(catalog)
        assert "import the source again" in str(refused.value)

    def test_a_missing_file_is_told(self, tmp_path: Path) -> None:
        catalog = Catalog(tmp_path)
        write(catalog, rates([8], [0.1]))
        catalog.shelf.file_of(catalog.shelf.history(BTC, SideKind.FUNDING)[0]).unlink()

        with pytest.raises(StorageError, match="is missing; restore it from a backup"):
            read(catalog)

    def test_of_a_long_series_a_window_is_proved_by_its_own_blocks(self, tmp_path: Path) -> None:
        catalog, rows = Catalog(tmp_path), 3 * BLOCK_ROWS
        write(catalog, ticks(range(rows), np.arange(rows, dtype=np.float64)))
        path = catalog.shelf.file_of(catalog.shelf.history(BTC, SideKind.TRADES)[0])
        sound = path.read_bytes()
        path.write_bytes(sound[:-1] + b"!")  # the last side of all
        assert read(catalog, SideKind.TRADES, start_ns=5, stop_ns=8).columns["price"].tolist() == [5.0, 6.0, 7.0]
        with pytest.raises(StorageError, match="is damaged"):
            read(catalog, SideKind.TRADES, start_ns=rows - 10)

        begin = sound.index(b"\n") + 1
        path.write_bytes(sound[:begin] + b"!" + sound[begin + 1 :])  # the first stamp of all
        assert len(read(catalog, SideKind.TRADES, start_ns=rows - 10)) == 10
        with pytest.raises(StorageError, match="is damaged"):
            read(catalog, SideKind.TRADES, stop_ns=8)

    def test_a_full_disk_leaves_the_catalog_as_it_was(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        catalog = Catalog(tmp_path)
        write(catalog, rates([8], [0.1]))

        def refuse(path: Path, data: bytes) -> None:
            if path.name == "index.json":
                raise StorageError(f"cannot write {path.name}: {errno.ENOSPC}")
            write_atomically(path, data)

        monkeypatch.setattr("evenkeel.data.side.shelf.write_atomically", refuse)
        with pytest.raises(StorageError):
            merge(catalog, rates([16], [0.2]))

        assert hours(read(catalog)) == [8]
        assert len(list((tmp_path / BTC / "funding").glob("*.cols"))) == 1
