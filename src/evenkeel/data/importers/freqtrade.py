"""Files that freqtrade keeps: candles as feather, or as JSON lists `[ms, open, high, low, close, volume]`.

Times are UTC opens. Its trades, funding rates and mark prices are not bars of a traded price: they lie beside them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from evenkeel.data.importers.columns import other_kind, table_of
from evenkeel.data.importers.delimited import read_bytes
from evenkeel.data.importers.table import Place, Table
from evenkeel.data.side import SideKind
from evenkeel.model.errors import DataError

if TYPE_CHECKING:
    import polars as pl

CANDLE_FIELDS = ("open_time", "open", "high", "low", "close", "volume")

TRADE_FIELDS = ("timestamp", "id", "type", "side", "price", "amount", "cost")

_NOT_BARS = re.compile(r"-(funding_rate|mark|index|trades)\.", re.IGNORECASE)
_KINDS = {
    "funding_rate": SideKind.FUNDING, "mark": SideKind.MARK, "index": SideKind.INDEX, "trades": SideKind.TRADES,
}  # fmt: skip


def read_feather(path: Path, *, volume_optional: bool) -> Table:
    """Return the table of a feather file.

    Raises:
        DataError: If it is damaged, empty, lacks a column or holds a value that cannot be read.
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
    """
    _require_bars(path)
    frame = json_frame(path)
    if "side" in frame.columns:
        raise other_kind(path.name, SideKind.TRADES)
    return table_of(frame, Place(path.name, "row", 1), volume_optional=volume_optional)


def json_frame(path: Path) -> pl.DataFrame:
    """Return the columns of a JSON file of candles or trades, perhaps gzipped.

    Raises:
        DataError: If it is neither.
    """
    import polars as pl

    try:
        rows = msgspec.json.decode(read_bytes(path))
    except msgspec.DecodeError as error:
        raise DataError(f"{path.name} is not JSON: {error}; fetch it again") from error
    if not isinstance(rows, list):
        raise DataError(
            f"{path.name} holds no bars: expected a list of {_shape(CANDLE_FIELDS)}, found {str(rows)[:80]}"
        )
    is_trades = bool(rows) and isinstance(rows[0], list) and any(side in rows[0] for side in ("buy", "sell"))
    fields = TRADE_FIELDS if is_trades else CANDLE_FIELDS
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or len(row) != len(fields):
            raise DataError(f"{path.name}, row {number}: expected {_shape(fields)}, found {str(row)[:80]}")
    columns = list(zip(*rows, strict=True)) or [()] * len(fields)
    return pl.DataFrame(
        {name: pl.Series(name, values, strict=False) for name, values in zip(fields, columns, strict=True)}
    )


def _shape(fields: tuple[str, ...]) -> str:
    return f"[{', '.join(('milliseconds', *fields[1:]))}]"


def _require_bars(path: Path) -> None:
    found = _NOT_BARS.search(path.name)
    if found is not None:
        raise other_kind(path.name, _KINDS[found.group(1).lower()])
