"""A revision: bars that never change again, named by what is in them.

The id is the SHA-256 of instrument, timeframe and columns, so equal bars have equal ids on every machine and a damaged
file is found when it is read. On disk a revision is one Parquet file of the seven columns. A long one has a copy beside
it that is mapped into memory instead of decoded; it is proved by the same id, and can be deleted at any time.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from evenkeel.data.columns_file import encode_columns, map_columns
from evenkeel.data.definitions import GENERATED_VENUE
from evenkeel.model.bar import Bars
from evenkeel.model.errors import StorageError
from evenkeel.model.ids import InstrumentId
from evenkeel.model.time import Timeframe

if TYPE_CHECKING:
    pass

TIME_COLUMNS = ("open_ns", "close_ns")
PRICE_COLUMNS = ("open", "high", "low", "close")
COLUMNS = (*TIME_COLUMNS, *PRICE_COLUMNS, "volume")
"""Every column, in the order in which it is stored and hashed."""

COMPRESSION_LEVEL = 9
"""A tenth smaller than the default of zstd, equally fast to read, and 0.3 s slower to write a million bars."""

ROWS_PER_GROUP = 131_072
"""Parquet row groups of this size are decoded side by side."""


MAPPED_SUFFIX = ".cols"
MAPPED_ROWS_MIN = 100_000
"""Fewer bars are decoded in a few milliseconds."""


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a revision without opening it.

    Attributes:
        id: SHA-256 of the content, 64 hexadecimal digits.
        instrument: Whose bars these are.
        timeframe: Their interval.
        rows: How many.
        first_ns: When the first bar opened.
        last_ns: When the last bar closed.
        source: Where the bars came from, for people.
        imported_ns: When they were stored.
    """

    id: str
    instrument: InstrumentId
    timeframe: Timeframe
    rows: int
    first_ns: int
    last_ns: int
    source: str
    imported_ns: int


SOURCE_WORD = "synthetic"
"""First word of the source of every revision that holds generated bars."""


def is_synthetic(revision: Revision) -> bool:
    """Whether a revision holds generated bars, or bars that were made of them."""
    is_ours = revision.instrument.rpartition(".")[2] == GENERATED_VENUE
    return is_ours and revision.source.startswith(f"{SOURCE_WORD}: ")


def content_id(instrument: InstrumentId, bars: Bars) -> str:
    """Return the id of a revision: SHA-256 over a header line and the little-endian bytes of every column."""
    header = f"evenkeel.bars/1\n{instrument}\n{bars.timeframe}\n{len(bars)}\n"
    digest = hashlib.sha256(header.encode())
    for name in COLUMNS:
        column = getattr(bars, name)
        digest.update(np.ascontiguousarray(column, dtype=column.dtype.newbyteorder("<")).data)
    return digest.hexdigest()


def revision_of(instrument: InstrumentId, bars: Bars, *, source: str, imported_ns: int) -> Revision:
    """Return the description of non-empty bars that are about to be stored."""
    return Revision(
        id=content_id(instrument, bars), instrument=instrument, timeframe=bars.timeframe, rows=len(bars),
        first_ns=int(bars.open_ns[0]), last_ns=int(bars.close_ns[-1]), source=source, imported_ns=imported_ns,
    )  # fmt: skip


def encode_bars(bars: Bars) -> bytes:
    """Return the Parquet file of the bars."""
    import polars as pl

    frame = pl.DataFrame({name: getattr(bars, name) for name in COLUMNS})
    file = io.BytesIO()
    frame.write_parquet(file, compression="zstd", compression_level=COMPRESSION_LEVEL, row_group_size=ROWS_PER_GROUP)
    return file.getvalue()


def encode_mapped(bars: Bars) -> bytes:
    """Return the file of the bars that is mapped into memory."""
    return encode_columns([(name, getattr(bars, name)) for name in COLUMNS])


def load_bars(path: Path, revision: Revision) -> Bars:
    """Return the bars of a stored revision, proved to be the ones that were stored.

    Raises:
        StorageError: If the file is missing, unreadable or does not hold what its name says.
    """
    mapped = _mapped_bars(path.with_suffix(MAPPED_SUFFIX), revision)
    return _decoded_bars(path, revision) if mapped is None else mapped


def _mapped_bars(path: Path, revision: Revision) -> Bars | None:
    """Return the bars of the copy that is mapped; None where there is none that is proved."""
    if not path.is_file():
        return None
    try:
        arrays = map_columns(path, remedy="delete it: it is a copy")
    except StorageError:
        return None
    if tuple(arrays) != COLUMNS:
        return None
    bars = Bars(revision.timeframe, *(arrays[name] for name in COLUMNS))
    return bars if _is_proved(bars, revision) else None


def _is_proved(bars: Bars, revision: Revision) -> bool:
    return len(bars) == revision.rows and content_id(revision.instrument, bars) == revision.id


def _decoded_bars(path: Path, revision: Revision) -> Bars:
    import polars as pl

    remedy = f"restore it from a backup, or remove the folder {path.parent} and import the source again"
    try:
        columns = [_read_column(path, name) for name in COLUMNS]
    except FileNotFoundError as error:
        raise StorageError(f"{path} is missing; {remedy}") from error
    except (OSError, pl.exceptions.PolarsError) as error:
        raise StorageError(f"{path} cannot be read ({_first_line(error)}); {remedy}") from error
    bars = Bars(revision.timeframe, *columns)
    if not _is_proved(bars, revision):
        raise StorageError(f"{path} is damaged: its content does not match its name; {remedy}")
    return bars


def _read_column(path: Path, name: str) -> Any:
    """Return one column, so that no more than one of them is there twice at any moment."""
    import polars as pl

    frame = pl.read_parquet(path, columns=[name], memory_map=False)
    return np.ascontiguousarray(frame[name].cast(pl.Int64 if name in TIME_COLUMNS else pl.Float64).to_numpy())


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
