"""Bars into a file of our own layout, CSV or Parquet, which `keel data import` reads back without options."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from evenkeel.data.atomic import write_atomically
from evenkeel.data.revision import COLUMNS, TIME_COLUMNS, encode_bars
from evenkeel.model.bar import Bars, Ints
from evenkeel.model.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

SUFFIXES = (".csv", ".parquet")


def export_bars(path: Path, bars: Bars) -> None:
    """Write bars as `.parquet` (the columns of the catalog) or `.csv` (`open_time`, `close_time` in ISO 8601, values).

    Raises:
        UsageError: If the name ends otherwise.
        StorageError: If the file cannot be written; one that was there stays as it was.
    """
    match path.suffix.lower():
        case ".parquet":
            write_atomically(path, encode_bars(bars))
        case ".csv":
            write_atomically(path, _csv(bars))
        case suffix:
            raise UsageError(f"'{path.name}' ends in '{suffix}'; a file of bars ends in {' or '.join(SUFFIXES)}")


def _csv(bars: Bars) -> bytes:
    import polars as pl

    times = [_times(getattr(bars, name), name.replace("_ns", "_time")) for name in TIME_COLUMNS]
    values = [pl.Series(name, getattr(bars, name)) for name in COLUMNS[len(TIME_COLUMNS) :]]
    file = io.BytesIO()
    pl.DataFrame([*times, *values]).write_csv(file)
    return file.getvalue()


def _times(column: Ints, name: str) -> pl.Series:
    import polars as pl

    return pl.Series(name, column).cast(pl.Datetime("ns")).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
