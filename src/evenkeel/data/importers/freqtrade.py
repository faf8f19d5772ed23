"""Files that freqtrade keeps: candles as feather, or as JSON lists `[ms, open, high, low, close, volume]`.

Times are UTC opens. Its trades, funding rates and mark prices are not bars of a traded price and are refused by name.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from evenkeel.data.importers.columns import table_of
from evenkeel.data.importers.delimited import read_bytes
from evenkeel.data.importers.table import Place, Table
from evenkeel.model.errors import DataError
from evenkeel.model.gaps import not_available

CANDLE_FIELDS = ("open_time", "open", "high", "low", "close", "volume")

_NOT_BARS = re.compile(r"-(funding_rate|mark|index|premiumIndex)\.|-trades\.", re.IGNORECASE)


def read_feather(path: Path, *, volume_optional: bool) -> Table:
    """Return the table of a feather file.

    Raises:
        DataError: If it is damaged, empty, lacks a column or holds a value that cannot be read.
        NotAvailable: If it holds trades, funding rates or mark prices.
    """
    import polars as pl

    _require_bars(path)
    try:
        frame = pl.read_ipc(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{path.name} is a damaged feather file; fetch it again") from error
    return table_of(frame, Place(path.name, "row", 1), volume_optional=volume_optional)


def read_json(path: Path, *, volume_optional: bool) -> Table:
    """Return the table of a JSON file of candles, perhaps gzipped.

    Raises:
        DataError: If it is not a list of candles, or is empty.
        NotAvailable: If it holds trades.
    """
    import polars as pl

    _require_bars(path)
    try:
        rows = msgspec.json.decode(read_bytes(path))
    except msgspec.DecodeError as error:
        raise DataError(f"{path.name} is not JSON: {error}; fetch it again") from error
    if not isinstance(rows, list):
        raise DataError(
            f"{path.name} holds no bars: expected a list of [milliseconds, open, high, low, close, volume], found "
            f"{str(rows)[:80]}"
        )
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or len(row) != len(CANDLE_FIELDS):
            if number == 1 and isinstance(row, list) and any(side in row for side in ("buy", "sell")):
                raise not_available("data.ticks", where=path.name)
            raise DataError(
                f"{path.name}, row {number}: expected [milliseconds, open, high, low, close, volume], found "
                f"{str(row)[:80]}"
            )
    columns = list(zip(*rows, strict=True)) or [()] * len(CANDLE_FIELDS)
    frame = pl.DataFrame(
        {name: pl.Series(name, values, strict=False) for name, values in zip(CANDLE_FIELDS, columns, strict=True)}
    )
    return table_of(frame, Place(path.name, "row", 1), volume_optional=volume_optional)


def _require_bars(path: Path) -> None:
    if _NOT_BARS.search(path.name):
        raise not_available("data.ticks", where=path.name)
