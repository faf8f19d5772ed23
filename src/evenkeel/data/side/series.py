"""A series beside bars and its revision: rows that never change again, named by what is in them.

The id of a revision is the SHA-256 of a header and of the digests of its blocks of rows. The digests stand in the index
of the series, so a window of a long series is proved by reading the blocks that it touches, and no others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import msgspec
import numpy as np

from evenkeel.data.side.kind import SideKind
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.errors import invariant
from evenkeel.model.ids import InstrumentId
from evenkeel.model.time import Timeframe

BLOCK_ROWS = 1 << 18
"""Rows of a block, the part of a series that is proved on its own."""


class SideRevision(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a revision without opening it.

    Attributes:
        id: SHA-256 of the content, 64 hexadecimal digits.
        instrument: Whom it is about.
        kind: What it holds.
        timeframe: Interval of a price that comes as bars; else None.
        rows: How many.
        first_ns: Stamp of the first row.
        last_ns: Stamp of the last row.
        digests: SHA-256 of each block of rows.
        source: Where it came from, for people.
        imported_ns: When it was stored.
    """

    id: str
    instrument: InstrumentId
    kind: SideKind
    timeframe: Timeframe | None
    rows: int
    first_ns: int
    last_ns: int
    digests: tuple[str, ...]
    source: str
    imported_ns: int


@dataclass(frozen=True)
class SideBatch:
    """Rows of one kind that are not stored yet.

    Attributes:
        kind: What they are.
        stamps_ns: Nanoseconds UTC; rising, strictly so for all kinds but events. A price as bars has opens.
        columns: The columns of the kind, by name.
        timeframe: Interval of a price that comes as bars; else None.
    """

    kind: SideKind
    stamps_ns: Ints
    columns: Mapping[str, Floats]
    timeframe: Timeframe | None = None

    def __post_init__(self) -> None:
        wanted = self.kind.columns(as_bars=self.timeframe is not None)
        invariant(tuple(self.columns) == wanted, f"{self.kind} has the columns {wanted}", was=tuple(self.columns))
        for name, column in self.columns.items():
            invariant(len(column) == len(self.stamps_ns), f"the column {name} has another length than the stamps")

    def __len__(self) -> int:
        return len(self.stamps_ns)

    def rows(self, start: int, stop: int) -> SideBatch:
        """Return the rows `start <= i < stop` without copying."""
        part = slice(start, stop)
        columns = {name: column[part] for name, column in self.columns.items()}
        return SideBatch(self.kind, self.stamps_ns[part], columns, self.timeframe)

    def arrays(self) -> list[tuple[str, Ints | Floats]]:
        """Return stamps and columns by name, in the order in which they are stored and hashed."""
        return [("stamps_ns", self.stamps_ns), *self.columns.items()]

    @cached_property
    def digests(self) -> tuple[str, ...]:
        """SHA-256 of each block of rows: the little-endian bytes of its part of every column."""
        return tuple(
            digest_of([column[start : start + BLOCK_ROWS] for _, column in self.arrays()])
            for start in range(0, len(self), BLOCK_ROWS)
        )


@dataclass(frozen=True, slots=True)
class SideSeries:
    """Stored rows of one kind; a range is a part of its revision. The arrays are read-only.

    Attributes:
        kind: What they are.
        stamps_ns: Nanoseconds UTC, rising.
        columns: The columns of the kind, by name.
        revision: The revision that they belong to.
    """

    kind: SideKind
    stamps_ns: Ints
    columns: Mapping[str, Floats]
    revision: SideRevision

    @property
    def timeframe(self) -> Timeframe | None:
        """Interval of a price that comes as bars; else None."""
        return self.revision.timeframe

    def __len__(self) -> int:
        return len(self.stamps_ns)

    def batch(self) -> SideBatch:
        """Return the rows without their revision."""
        return SideBatch(self.kind, self.stamps_ns, self.columns, self.timeframe)


def digest_of(columns: list[Ints | Floats]) -> str:
    """Return the SHA-256 over the little-endian bytes of some columns, one after the other."""
    digest = hashlib.sha256()
    for column in columns:
        digest.update(np.ascontiguousarray(column, dtype=column.dtype.newbyteorder("<")).data)
    return digest.hexdigest()


def content_id(
    instrument: InstrumentId, kind: SideKind, timeframe: Timeframe | None, rows: int, digests: tuple[str, ...]
) -> str:
    """Return the id of a revision: SHA-256 over a header line each of what it is, and the digests of its blocks."""
    header = ["evenkeel.side/1", str(instrument), kind.value, str(timeframe or "-"), str(rows), *digests]
    return hashlib.sha256("".join(f"{line}\n" for line in header).encode()).hexdigest()


def revision_of(instrument: InstrumentId, batch: SideBatch, *, source: str, imported_ns: int) -> SideRevision:
    """Return the description of rows that are about to be stored; there is at least one."""
    return SideRevision(
        id=content_id(instrument, batch.kind, batch.timeframe, len(batch), batch.digests), instrument=instrument,
        kind=batch.kind, timeframe=batch.timeframe, rows=len(batch), first_ns=int(batch.stamps_ns[0]),
        last_ns=int(batch.stamps_ns[-1]), digests=batch.digests, source=source, imported_ns=imported_ns,
    )  # fmt: skip
