"""Parquet files of bars: one column of times and the values, under any of the names that `columns` knows.

Both our own layout (`open_ns`, integers) and the common one (`ts`, a typed time) are such files; other columns are
left alone.
"""

from __future__ import annotations

from pathlib import Path

from evenkeel.data.importers.columns import table_of
from evenkeel.data.importers.table import Place, Table
from evenkeel.model.errors import DataError


def read_parquet(path: Path, *, volume_optional: bool) -> Table:
    """Return the table of a Parquet file.

    Raises:
        DataError: If it is damaged, empty, lacks a column or holds a value that cannot be read.
    """
    import polars as pl

    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{path.name} is a damaged Parquet file ({_first_line(error)}); fetch it again") from error
    return table_of(frame, Place(path.name, "row", 1), volume_optional=volume_optional)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
