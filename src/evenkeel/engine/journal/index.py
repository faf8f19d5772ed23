"""An index of a journal for queries: SQLite, made when asked for, never in the path of an order.

The segments are the truth. The index is brought up to date when it is opened; delete the file and it is built anew,
which also happens by itself when it does not belong to the journal beside it.

    with Index.open(path, disk, folder, describe) as index:
        for entry in index.entries(tag="order_filled"):
            frame = index.frame(entry)
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from evenkeel.engine.journal.disk import Disk
from evenkeel.engine.journal.frame import GENESIS, Frame, Placed, decode
from evenkeel.engine.journal.reader import Reader
from evenkeel.engine.journal.segment import JournalDamaged, segment_name, segment_names, segment_path, segment_slice
from evenkeel.model.errors import StorageError, invariant

VERSION = 1
"""Of the tables; an index with another is built anew."""

_ROWS_PER_BATCH = 10_000

_SCHEMA = """
CREATE TABLE progress (version INTEGER NOT NULL, describer TEXT NOT NULL, next INTEGER NOT NULL, head BLOB NOT NULL)
    STRICT;
CREATE TABLE entries (
    sequence INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    length INTEGER NOT NULL,
    time_ns INTEGER NOT NULL,
    tag TEXT NOT NULL,
    client_id TEXT
) STRICT;
CREATE INDEX entries_by_tag ON entries (tag, time_ns);
CREATE INDEX entries_by_time ON entries (time_ns);
CREATE INDEX entries_by_client_id ON entries (client_id, sequence) WHERE client_id IS NOT NULL;
CREATE TABLE submissions (client_id TEXT PRIMARY KEY, sequence INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE duplicates (sequence INTEGER PRIMARY KEY, client_id TEXT NOT NULL, first INTEGER NOT NULL) STRICT;
"""


class Description(NamedTuple):
    """What the index keeps of a payload.

    Attributes:
        time_ns: When the engine knew it; nanoseconds since the epoch, UTC.
        tag: The message's type, such as `order_filled`.
        client_id: The order it is about, or None.
    """

    time_ns: int
    tag: str
    client_id: str | None


Describe = Callable[[bytes], Description]


class Entry(NamedTuple):
    """A row of the index.

    Attributes:
        sequence: Position in the journal.
        kind: What the payload is.
        segment: Number of the segment.
        offset: First byte of the frame in it.
        length: Bytes of the frame.
        time_ns: When the engine knew it.
        tag: The message's type.
        client_id: The order it is about, or None.
    """

    sequence: int
    kind: int
    segment: int
    offset: int
    length: int
    time_ns: int
    tag: str
    client_id: str | None


class Duplicate(NamedTuple):
    """A second submission under one client id.

    Attributes:
        client_id: The id.
        first: Sequence of the first submission.
        sequence: Sequence of the later one.
    """

    client_id: str
    first: int
    sequence: int


class Index:
    """Queries over a journal, as it was when the index was opened."""

    def __init__(self, database: sqlite3.Connection, disk: Disk, folder: str) -> None:
        """Wrap an index that is up to date; use `Index.open`."""
        self._database = database
        self._disk = disk
        self._folder = folder

    @classmethod
    def open(
        cls, path: Path, disk: Disk, folder: str, describe: Describe, *, describer: str = "1", submission_tag: str
    ) -> Index:
        """Open the index at `path`, bring it up to date, and build it anew where it does not fit.

        Args:
            path: The SQLite file; created where missing.
            disk: Where the journal lives.
            folder: The journal's folder.
            describe: Gives time, tag and client id of a payload.
            describer: Version of `describe`; an index made by another is built anew.
            submission_tag: Tag of the entries whose client id must be unique.

        Raises:
            JournalDamaged: If the journal is not what was written.
            StorageError: If the index cannot be written.
        """
        builder = _Builder(disk, folder, describe, describer, submission_tag)
        try:
            try:
                database = builder.continue_at(path)
            except sqlite3.DatabaseError:
                database = None
            if database is None:
                path.unlink(missing_ok=True)
                database = builder.build_at(path)
        except (sqlite3.Error, OSError) as error:
            raise StorageError(f"cannot write the index {path}: {error}; check the disk and its permissions") from error
        return cls(database, disk, folder)

    def entries(
        self,
        *,
        kind: int | None = None,
        tag: str | None = None,
        client_id: str | None = None,
        start_ns: int | None = None,
        stop_ns: int | None = None,
    ) -> Iterator[Entry]:
        """Yield the entries that meet every condition given, in the order of the journal.

        Args:
            kind: Their kind.
            tag: Their tag.
            client_id: The order they are about.
            start_ns: Earliest time, included.
            stop_ns: Latest time, excluded.
        """
        conditions = {
            "kind = ?": kind,
            "tag = ?": tag,
            "client_id = ?": client_id,
            "time_ns >= ?": start_ns,
            "time_ns < ?": stop_ns,
        }
        given = {text: value for text, value in conditions.items() if value is not None}
        where = f" WHERE {' AND '.join(given)}" if given else ""
        columns = ", ".join(Entry._fields)
        rows = self._database.execute(f"SELECT {columns} FROM entries{where} ORDER BY sequence", tuple(given.values()))
        return map(Entry._make, rows)

    def duplicates(self) -> list[Duplicate]:
        """Return every submission whose client id had been submitted before; an orderly journal has none."""
        rows = self._database.execute("SELECT client_id, first, sequence FROM duplicates ORDER BY sequence")
        return [Duplicate._make(row) for row in rows]

    def frame(self, entry: Entry) -> Frame:
        """Return the entry itself, read from its segment.

        Raises:
            JournalDamaged: If it is no longer what was indexed.
        """
        path = segment_names(self._disk, self._folder).get(entry.segment, segment_path(self._folder, entry.segment))
        data = segment_slice(self._disk, self._folder, path, entry.offset, entry.length)
        placed = decode(data, 0)
        if placed is None or placed.frame.sequence != entry.sequence:
            what = "the entry is not the one that was indexed"
            raise JournalDamaged(self._folder, segment_name(entry.segment), entry.offset, entry.sequence, what)
        return placed.frame

    def close(self) -> None:
        """Release the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Builder:
    def __init__(self, disk: Disk, folder: str, describe: Describe, describer: str, submission_tag: str) -> None:
        self._disk = disk
        self._folder = folder
        self._describe = describe
        self._describer = describer
        self._submission_tag = submission_tag

    def build_at(self, path: Path) -> sqlite3.Connection:
        """Make an index from nothing."""
        with ExitStack() as on_failure:
            database = sqlite3.connect(path)
            on_failure.callback(database.close)
            database.executescript(_SCHEMA)
            database.execute("INSERT INTO progress VALUES (?, ?, 0, ?)", (VERSION, self._describer, GENESIS))
            fits = self._extend(database, 0, GENESIS)
            invariant(fits, "an empty index fits every journal", folder=self._folder)
            on_failure.pop_all()
            return database

    def continue_at(self, path: Path) -> sqlite3.Connection | None:
        """Extend the index at `path`; None if there is none or it does not fit."""
        if not path.exists():
            return None
        with ExitStack() as on_failure:
            database = sqlite3.connect(path)
            on_failure.callback(database.close)
            row = database.execute("SELECT version, describer, next, head FROM progress").fetchone()
            if row is None or row[:2] != (VERSION, self._describer) or not self._extend(database, row[2], row[3]):
                return None
            on_failure.pop_all()
            return database

    def _extend(self, database: sqlite3.Connection, following: int, head: bytes) -> bool:
        """Add the entries from `following` on; False if the entry before it is not the one with hash `head`."""
        reader = Reader(self._disk, self._folder, start=following)
        rows: list[Entry] = []
        for step in reader.read_steps():
            for placed in step:
                if placed.frame.sequence == following and placed.previous != head:
                    return False
                if placed.frame.sequence >= following:
                    rows.append(self._entry(placed, reader.number))
            if len(rows) >= _ROWS_PER_BATCH:
                self._insert(database, rows)
                rows.clear()
        if reader.sequence < following or (reader.sequence == following and reader.head != head):
            return False
        self._insert(database, rows)
        database.execute("UPDATE progress SET next = ?, head = ?", (reader.sequence, reader.head))
        database.commit()
        return True

    def _entry(self, placed: Placed, segment: int) -> Entry:
        frame = placed.frame
        return Entry(frame.sequence, frame.kind, segment, placed.offset, placed.size, *self._describe(frame.payload))

    def _insert(self, database: sqlite3.Connection, rows: list[Entry]) -> None:
        database.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        for row in rows:
            if row.tag == self._submission_tag and row.client_id is not None:
                _insert_submission(database, row)


def _insert_submission(database: sqlite3.Connection, row: Entry) -> None:
    claim = "INSERT INTO submissions VALUES (?, ?) ON CONFLICT DO NOTHING"
    if database.execute(claim, (row.client_id, row.sequence)).rowcount == 0:
        database.execute(
            "INSERT INTO duplicates SELECT ?, client_id, sequence FROM submissions WHERE client_id = ?",
            (row.sequence, row.client_id),
        )
