"""The catalog: market data in a folder, as immutable revisions, for many readers and one writer.

    <catalog>/<INSTRUMENT>/<TIMEFRAME>/<revision>.parquet    the bars; the name is their hash
    <catalog>/<INSTRUMENT>/<TIMEFRAME>/<revision>.cols       a copy of long ones that is mapped into memory
    <catalog>/<INSTRUMENT>/<TIMEFRAME>/index.json            every revision in order of arrival; the last is in use
    <catalog>/<INSTRUMENT>/<kind>/...                        what lies beside the bars: see `evenkeel.data.side`

A revision is written and durable before the index names it, and both appear in one step, so a reader sees the state
before or after a write and never one in between. Nothing is deleted: a run that names a revision can be repeated.

    catalog = Catalog(home / "catalog")
    catalog.write(InstrumentId("BTCUSDT.BYBIT"), bars, source="klines.csv", imported_ns=now)
    series = catalog.read(InstrumentId("BTCUSDT.BYBIT"), Timeframe.parse("1m"))
"""

from __future__ import annotations

import difflib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

import msgspec
import numpy as np

from evenkeel.data.atomic import make_folder, remove_leftovers, write_atomically
from evenkeel.data.lock import WriterLock
from evenkeel.data.merge import Merge, merge
from evenkeel.data.revision import (
    MAPPED_ROWS_MIN,
    MAPPED_SUFFIX,
    Revision,
    encode_bars,
    encode_mapped,
    load_bars,
    revision_of,
)
from evenkeel.data.side import SideKind, SideSeries, SideShelf
from evenkeel.model.bar import Bars
from evenkeel.model.errors import DataError, StorageError, require
from evenkeel.model.ids import InstrumentId
from evenkeel.model.time import TIMEFRAMES, Timeframe, format_time

INDEX_NAME = "index.json"
INDEX_SCHEMA = "evenkeel.series/1"

REVISION_PREFIX_MIN = 6
"""Characters of a revision's id that may stand for it where they are unique."""


class _IndexLine(msgspec.Struct, frozen=True):
    id: str
    rows: int
    first_ns: int
    last_ns: int
    source: str
    imported_ns: int


class _Index(msgspec.Struct, frozen=True):
    schema: str
    instrument: str
    timeframe: str
    revisions: list[_IndexLine]


@dataclass(frozen=True, slots=True)
class Series:
    """Bars and the revision they belong to; a range is a part of the revision."""

    bars: Bars
    revision: Revision


@dataclass(frozen=True, slots=True)
class Entry:
    """A series of the catalog: its newest revision, and how many it has had."""

    revision: Revision
    revisions: int

    @property
    def instrument(self) -> InstrumentId:
        """Whose bars these are."""
        return self.revision.instrument

    @property
    def timeframe(self) -> Timeframe:
        """Their interval."""
        return self.revision.timeframe


@dataclass(frozen=True, slots=True)
class Stored:
    """What `Catalog.merge` did.

    Attributes:
        revision: The newest revision now; the one before where nothing new was in the file.
        is_new: Whether a revision was written.
        added: Bars that were not stored before.
        changed: Stored bars whose values were corrected.
        removed: Stored bars that a correction does not hold.
    """

    revision: Revision
    is_new: bool
    added: int
    changed: int
    removed: int


class Catalog:
    """A folder of market data.

    Args:
        folder: Need not exist; it is made by the first write.

    Attributes:
        folder: Where it is.
        shelf: What lies beside the bars.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shelf = SideShelf(folder)

    def write(self, instrument: InstrumentId, bars: Bars, *, source: str, imported_ns: int) -> Revision:
        """Make these bars the newest revision of their series; equal content is recognised and not stored twice.

        Args:
            bars: The whole series, oldest first, not empty.
            source: Where the bars came from, for people.
            imported_ns: Now, by the caller's clock.

        Raises:
            UsageError: If there are no bars.
            StorageError: If another process is writing, or the disk refuses; the catalog is as it was before.
        """
        require(len(bars) > 0, f"{instrument} {bars.timeframe}: there are no bars to store")
        make_folder(self.folder)
        with WriterLock(self.folder):
            return self._append(instrument, bars, source=source, imported_ns=imported_ns)[0]

    def merge(
        self, instrument: InstrumentId, bars: Bars, *, source: str, imported_ns: int, replace: bool = False
    ) -> Stored:
        """Join bars to the newest revision of their series, as `evenkeel.data.merge` rules.

        Args:
            bars: Oldest first, not empty; they need not touch what is stored.
            source: Where the bars came from, for people.
            imported_ns: Now, by the caller's clock.
            replace: Whether the bars are a correction of the time they span.

        Raises:
            DataError: If bars differ from stored ones and `replace` is false.
            StorageError: If another process is writing, or the disk refuses; the catalog is as it was before.
        """
        require(len(bars) > 0, f"{instrument} {bars.timeframe}: there are no bars to store")
        make_folder(self.folder)
        with WriterLock(self.folder):
            history = self.history(instrument, bars.timeframe)
            merged = Merge(bars, added=len(bars), changed=0, removed=0)
            if history:
                stored = self._load(history[-1])
                merged = merge(stored, bars, replace=replace, name=f"{instrument} {bars.timeframe}")
            revision, is_new = self._append(instrument, merged.bars, source=source, imported_ns=imported_ns)
        return Stored(revision, is_new, merged.added, merged.changed, merged.removed)

    def read(
        self,
        instrument: InstrumentId,
        timeframe: Timeframe,
        *,
        start_ns: int | None = None,
        stop_ns: int | None = None,
        revision: str | None = None,
    ) -> Series:
        """Return the bars that open in `start_ns <= open_ns < stop_ns`, proved to be the ones that were stored.

        Args:
            revision: Id, or its unique beginning, of the revision to read; None is the newest.

        Raises:
            DataError: If the catalog does not have the series, the revision or a bar in the range.
            StorageError: If the file is missing or damaged.
        """
        chosen = self._choose(instrument, timeframe, revision)
        bars = self._load(chosen)
        first = 0 if start_ns is None else int(np.searchsorted(bars.open_ns, start_ns))
        last = len(bars) if stop_ns is None else int(np.searchsorted(bars.open_ns, stop_ns))
        if first >= last:
            raise DataError(
                f"{instrument} {timeframe} has no bar in that range; it spans {format_time(chosen.first_ns)} to "
                f"{format_time(chosen.last_ns)}",
                reason="NO_DATA",
            )
        return Series(bars.rows(first, last), chosen)

    def side(
        self,
        instrument: InstrumentId,
        kind: SideKind,
        *,
        start_ns: int | None = None,
        stop_ns: int | None = None,
        revision: str | None = None,
    ) -> SideSeries | None:
        """Return what lies beside the bars of an instrument, as `SideShelf.read` does; None if it is not stored."""
        return self.shelf.read(instrument, kind, start_ns=start_ns, stop_ns=stop_ns, revision=revision)

    def entries(self) -> list[Entry]:
        """Return the newest revision of every series of bars, by instrument and timeframe."""
        found = []
        for instrument in self.instruments():
            for timeframe in self.timeframes(instrument):
                history = self.history(instrument, timeframe)
                found.append(Entry(history[-1], len(history)))
        return found

    def instruments(self) -> list[InstrumentId]:
        """Return the instruments of which anything is stored, in order of their ids."""
        if not self.folder.is_dir():
            return []
        names = [InstrumentId(unquote(folder.name)) for folder in self.folder.iterdir() if folder.is_dir()]
        return sorted(name for name in names if self.timeframes(name))

    def timeframes(self, instrument: InstrumentId) -> list[Timeframe]:
        """Return the timeframes that are stored for an instrument, fast to slow."""
        folder = self.folder / quote(instrument, safe="")
        return [
            timeframe for timeframe in TIMEFRAMES.values() if (folder / timeframe.name / INDEX_NAME).is_file()
        ]  # fmt: skip

    def history(self, instrument: InstrumentId, timeframe: Timeframe) -> list[Revision]:
        """Return the revisions of a series in order of arrival, the newest last; none if it is not stored.

        Raises:
            StorageError: If the index cannot be read.
        """
        path = self._series_folder(instrument, timeframe) / INDEX_NAME
        try:
            index = msgspec.json.decode(path.read_bytes(), type=_Index)
        except FileNotFoundError:
            return []
        except (OSError, msgspec.MsgspecError) as error:
            raise StorageError(f"{path} cannot be read ({error}); restore it from a backup") from error
        if index.schema != INDEX_SCHEMA:
            raise StorageError(f"{path} has the schema {index.schema}; this version reads {INDEX_SCHEMA}")
        return [
            Revision(instrument=instrument, timeframe=timeframe, **msgspec.structs.asdict(line))
            for line in index.revisions
        ]

    def file_of(self, revision: Revision) -> Path:
        """Return where a revision is stored."""
        return self._series_folder(revision.instrument, revision.timeframe) / f"{revision.id}.parquet"

    def _append(self, instrument: InstrumentId, bars: Bars, *, source: str, imported_ns: int) -> tuple[Revision, bool]:
        """Write a revision and name it in the index; the lock is held."""
        revision = revision_of(instrument, bars, source=source, imported_ns=imported_ns)
        history = self.history(instrument, bars.timeframe)
        if history and history[-1].id == revision.id:
            return history[-1], False
        folder = self._series_folder(instrument, bars.timeframe)
        make_folder(folder)
        remove_leftovers(folder)
        file = self.file_of(revision)
        is_new_file = not file.exists()
        mapped = file.with_suffix(MAPPED_SUFFIX)
        try:
            if is_new_file:
                write_atomically(file, encode_bars(bars))
            if len(bars) >= MAPPED_ROWS_MIN and not mapped.exists():
                write_atomically(mapped, encode_mapped(bars))
            write_atomically(folder / INDEX_NAME, _encode_index([*history, revision]))
        except StorageError:
            if is_new_file:
                file.unlink(missing_ok=True)
                mapped.unlink(missing_ok=True)
            _remove_if_empty(folder, folder.parent)
            raise
        return revision, True

    def _choose(self, instrument: InstrumentId, timeframe: Timeframe, revision: str | None) -> Revision:
        history = self.history(instrument, timeframe)
        if not history:
            raise DataError(self._absence(instrument, timeframe), reason="NO_DATA")
        if revision is None:
            return history[-1]
        long_enough = len(revision) >= REVISION_PREFIX_MIN
        matches = {known.id: known for known in history if long_enough and known.id.startswith(revision)}
        if len(matches) != 1:
            raise DataError(
                f"{instrument} {timeframe} has {'several revisions that begin' if matches else 'no revision'} "
                f"{'with ' if matches else ''}{revision} in {self.folder}; it has "
                f"{', '.join(dict.fromkeys(known.id[:12] for known in history))}",
                reason="NO_REVISION",
            )
        return next(iter(matches.values()))

    def _absence(self, instrument: InstrumentId, timeframe: Timeframe) -> str:
        """Say what the catalog lacks, and what it has that is nearest."""
        said = f"the catalog {self.folder} has no {timeframe} bars of {instrument}"
        others = self.timeframes(instrument)
        if others:
            said += f"; it has {', '.join(str(other) for other in others)}"
        else:
            near = difflib.get_close_matches(instrument, self.instruments(), n=3)
            said += f"; it has {' and '.join(near)}" if near else ""
        return f"{said}. `keel data list` shows what is there, `keel data import` adds to it"

    def _load(self, revision: Revision) -> Bars:
        return load_bars(self.file_of(revision), revision)

    def _series_folder(self, instrument: InstrumentId, timeframe: Timeframe) -> Path:
        return self.folder / quote(instrument, safe="") / timeframe.name


def _remove_if_empty(*folders: Path) -> None:
    """Leave no trace of a series whose first write failed."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _encode_index(history: list[Revision]) -> bytes:
    newest = history[-1]
    lines = [
        _IndexLine(known.id, known.rows, known.first_ns, known.last_ns, known.source, known.imported_ns)
        for known in history
    ]
    index = _Index(INDEX_SCHEMA, newest.instrument, newest.timeframe.name, lines)
    return msgspec.json.format(msgspec.json.encode(index), indent=1) + b"\n"
