"""Where the data beside bars is kept: the same folders, the same promises as for bars.

    <catalog>/<INSTRUMENT>/<kind>/<revision>.cols     the rows; the name is the hash of their content
    <catalog>/<INSTRUMENT>/<kind>/index.json          every revision in order of arrival; the last is in use

A revision is durable before the index names it, both appear in one step, and nothing is deleted.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

import msgspec
import numpy as np

from evenkeel.data.atomic import make_folder, remove_leftovers, write_atomically
from evenkeel.data.columns_file import encode_columns, map_columns
from evenkeel.data.lock import WriterLock
from evenkeel.data.side.kind import SideKind
from evenkeel.data.side.merge import SideMerge, merge_side
from evenkeel.data.side.series import (
    BLOCK_ROWS,
    SideBatch,
    SideRevision,
    SideSeries,
    content_id,
    digest_of,
    revision_of,
)
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.errors import DataError, StorageError, require
from evenkeel.model.ids import InstrumentId
from evenkeel.model.time import Timeframe

INDEX_NAME = "index.json"
INDEX_SCHEMA = "evenkeel.side/1"
SUFFIX = ".cols"


class _IndexLine(msgspec.Struct, frozen=True):
    id: str
    timeframe: str | None
    rows: int
    first_ns: int
    last_ns: int
    digests: tuple[str, ...]
    source: str
    imported_ns: int


class _Index(msgspec.Struct, frozen=True):
    schema: str
    instrument: str
    kind: str
    revisions: list[_IndexLine]


@dataclass(frozen=True, slots=True)
class SideEntry:
    """A stored series: its newest revision, and how many it has had."""

    revision: SideRevision
    revisions: int


@dataclass(frozen=True, slots=True)
class SideStored:
    """What `SideShelf.merge` did.

    Attributes:
        revision: The newest revision now; the one before where nothing new was in the file.
        is_new: Whether a revision was written.
        added: Rows that were not stored before.
        changed: Stored rows whose values were corrected.
        removed: Stored rows that a correction does not hold.
    """

    revision: SideRevision
    is_new: bool
    added: int
    changed: int
    removed: int


class SideShelf:
    """The data beside bars in the folder of a catalog.

    Args:
        folder: Of the catalog; need not exist, it is made by the first write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, instrument: InstrumentId, batch: SideBatch, *, source: str, imported_ns: int) -> SideRevision:
        """Make these rows the newest revision of their series; equal content is recognised and not stored twice.

        Raises:
            UsageError: If there are no rows.
            StorageError: If another process is writing, or the disk refuses; the catalog is as it was before.
        """
        require(len(batch) > 0, f"{instrument} {batch.kind}: there are no rows to store")
        make_folder(self.folder)
        with WriterLock(self.folder):
            return self._append(instrument, batch, source=source, imported_ns=imported_ns)[0]

    def merge(
        self, instrument: InstrumentId, batch: SideBatch, *, source: str, imported_ns: int, replace: bool = False
    ) -> SideStored:
        """Join rows to the newest revision of their series, as `evenkeel.data.side.merge` rules.

        Args:
            instrument: Whom they are about.
            batch: Rising, not empty.
            source: Where they came from, for people.
            imported_ns: Now, by the caller's clock.
            replace: Whether they are a correction of the time that they span.

        Raises:
            DataError: If rows differ from stored ones and `replace` is false.
            StorageError: If another process is writing, or the disk refuses; the catalog is as it was before.
        """
        require(len(batch) > 0, f"{instrument} {batch.kind}: there are no rows to store")
        make_folder(self.folder)
        with WriterLock(self.folder):
            history = self.history(instrument, batch.kind)
            merged = SideMerge(batch, added=len(batch), changed=0, removed=0)
            if history:
                stored = self._load(history[-1], None, None).batch()
                merged = merge_side(stored, batch, replace=replace, name=f"{instrument} {batch.kind}")
            revision, is_new = self._append(instrument, merged.batch, source=source, imported_ns=imported_ns)
        return SideStored(revision, is_new, merged.added, merged.changed, merged.removed)

    def read(
        self,
        instrument: InstrumentId,
        kind: SideKind,
        *,
        start_ns: int | None = None,
        stop_ns: int | None = None,
        revision: str | None = None,
    ) -> SideSeries | None:
        """Return the rows with `start_ns <= stamp < stop_ns`, proved to be the ones that were stored.

        The file is mapped into memory: of a long series only the window is read.

        Args:
            instrument: Whom they are about.
            kind: Which of its series.
            start_ns: First instant; None is the first row.
            stop_ns: First instant behind; None is behind the last row.
            revision: Id of the revision to read; None is the newest.

        Returns:
            The rows, perhaps none in the range; None if the catalog does not have the series or the revision.

        Raises:
            StorageError: If the file is missing or damaged.
        """
        history = self.history(instrument, kind)
        chosen = next((known for known in reversed(history) if revision in (None, known.id)), None)
        return None if chosen is None else self._load(chosen, start_ns, stop_ns)

    def history(self, instrument: InstrumentId, kind: SideKind) -> list[SideRevision]:
        """Return the revisions of a series in order of arrival, the newest last; none if it is not stored.

        Raises:
            StorageError: If the index cannot be read.
        """
        path = self._folder_of(instrument, kind) / INDEX_NAME
        try:
            index = msgspec.json.decode(path.read_bytes(), type=_Index)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except (OSError, msgspec.MsgspecError) as error:
            raise StorageError(f"{path} cannot be read ({error}); restore it from a backup") from error
        if index.schema != INDEX_SCHEMA:
            raise StorageError(f"{path} has the schema {index.schema}; this version reads {INDEX_SCHEMA}")
        return [_revision(instrument, kind, line) for line in index.revisions]

    def entries(self) -> list[SideEntry]:
        """Return the newest revision of every series, by instrument and kind."""
        if not self.folder.is_dir():
            return []
        names = sorted(InstrumentId(unquote(folder.name)) for folder in self.folder.iterdir() if folder.is_dir())
        histories = (self.history(name, kind) for name in names for kind in self.kinds(name))
        return [SideEntry(history[-1], len(history)) for history in histories if history]

    def kinds(self, instrument: InstrumentId) -> list[SideKind]:
        """Return the kinds that are stored of an instrument."""
        return [kind for kind in SideKind if (self._folder_of(instrument, kind) / INDEX_NAME).is_file()]

    def file_of(self, revision: SideRevision) -> Path:
        """Return where a revision is stored."""
        return self._folder_of(revision.instrument, revision.kind) / f"{revision.id}{SUFFIX}"

    def _append(
        self, instrument: InstrumentId, batch: SideBatch, *, source: str, imported_ns: int
    ) -> tuple[SideRevision, bool]:
        """Write a revision and name it in the index; the lock is held."""
        revision = revision_of(instrument, batch, source=source, imported_ns=imported_ns)
        history = self.history(instrument, batch.kind)
        if history and history[-1].id == revision.id:
            return history[-1], False
        folder = self._folder_of(instrument, batch.kind)
        make_folder(folder)
        remove_leftovers(folder)
        file = self.file_of(revision)
        is_new_file = not file.exists()
        try:
            if is_new_file:
                write_atomically(file, encode_columns(batch.arrays()))
            write_atomically(folder / INDEX_NAME, _encode_index([*history, revision]))
        except StorageError:
            if is_new_file:
                file.unlink(missing_ok=True)
            for each in (folder, folder.parent):
                with suppress(OSError):
                    each.rmdir()
            raise
        return revision, True

    def _load(self, revision: SideRevision, start_ns: int | None, stop_ns: int | None) -> SideSeries:
        """Map a revision and prove the rows of the range, whole blocks at a time."""
        path = self.file_of(revision)
        remedy = f"restore it from a backup, or remove the folder {path.parent} and import the source again"
        arrays = map_columns(path, remedy=remedy)
        named = revision.kind.columns(as_bars=revision.timeframe is not None)
        sound = tuple(arrays) == ("stamps_ns", *named) and revision.id == content_id(
            revision.instrument, revision.kind, revision.timeframe, len(arrays["stamps_ns"]), revision.digests
        )
        if sound:
            stamps = arrays["stamps_ns"]
            first = 0 if start_ns is None else int(np.searchsorted(stamps, start_ns))
            last = len(stamps) if stop_ns is None else max(first, int(np.searchsorted(stamps, stop_ns)))
            sound = _is_proved(list(arrays.values()), revision.digests, first, last)
        if not sound:
            raise StorageError(f"{path} is damaged: its content does not match its name; {remedy}")
        columns: dict[str, Floats] = {name: arrays[name][first:last] for name in named}
        stamps_ns: Ints = arrays["stamps_ns"][first:last]
        return SideSeries(revision.kind, stamps_ns, columns, revision)

    def _folder_of(self, instrument: InstrumentId, kind: SideKind) -> Path:
        return self.folder / quote(instrument, safe="") / kind.value


def missing_series(instrument: InstrumentId, kind: SideKind, known: list[SideKind]) -> DataError:
    """Return the refusal of a series that no catalog has."""
    have = f"there is {', '.join(known)}" if known else "there is nothing beside its bars"
    return DataError(
        f"no {kind} data of {instrument} is stored; {have}. `keel data list` shows what is there, "
        f"`keel data import FILE --instrument {instrument} --kind {kind}` adds to it",
        reason="NO_DATA",
    )


def _is_proved(arrays: list[Ints | Floats], digests: tuple[str, ...], first: int, last: int) -> bool:
    """Whether the blocks that hold the rows, and the rows on either side of them, are what their digests say."""
    blocks = range(max(first - 1, 0) // BLOCK_ROWS, -(-min(last + 1, len(arrays[0])) // BLOCK_ROWS))
    return all(
        digest_of([column[block * BLOCK_ROWS : (block + 1) * BLOCK_ROWS] for column in arrays]) == digests[block]
        for block in blocks
    )


def _revision(instrument: InstrumentId, kind: SideKind, line: _IndexLine) -> SideRevision:
    facts = msgspec.structs.asdict(line)
    timeframe = None if line.timeframe is None else Timeframe.parse(line.timeframe)
    return SideRevision(instrument=instrument, kind=kind, **{**facts, "timeframe": timeframe})


def _encode_index(history: list[SideRevision]) -> bytes:
    newest = history[-1]
    lines = [
        _IndexLine(
            known.id, None if known.timeframe is None else known.timeframe.name, known.rows, known.first_ns,
            known.last_ns, known.digests, known.source, known.imported_ns,
        )
        for known in history
    ]  # fmt: skip
    index = _Index(INDEX_SCHEMA, newest.instrument, newest.kind.value, lines)
    return msgspec.json.format(msgspec.json.encode(index), indent=1) + b"\n"
