"""Finding the columns of a table by their names, and reading their numbers.

Names are compared without case, blanks, quotes and angle brackets. A price is stored raw, so an adjusted close is never
taken for the close.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

import numpy as np

from evenkeel.data.importers.stamps import read_date_and_time, read_stamps
from evenkeel.data.importers.table import Place, Stamp, Stamps, Table
from evenkeel.data.side import SideKind
from evenkeel.model.bar import Floats
from evenkeel.model.errors import DataError

if TYPE_CHECKING:
    import polars as pl

OPEN_TIMES = (
    "open_ns", "ts", "open_time", "opentime", "timestamp_utc", "time_utc", "datetime_utc", "date_utc", "timestamp",
    "datetime", "date_time", "date/time", "gmt_time", "local_time", "unix", "unix_timestamp", "epoch", "time", "date",
    "__index_level_0__",
)  # fmt: skip
"""Names of the column of times, the surest first."""

CLOSE_TIMES = ("close_ns", "close_time", "closetime")
"""Names that say that a time is the close of its bar."""

VALUE_NAMES = {
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "vol", "v", "base_volume", "tickvol", "tick_volume"),
}
SYMBOL_NAMES = ("symbol", "ticker", "instrument", "sym", "pair")

SYMBOLS_NAMED_MAX = 5

OTHER_KINDS = (
    (frozenset({"price", "size"}), SideKind.TRADES),
    (frozenset({"bid", "ask"}), SideKind.QUOTES),
    (frozenset({"rate"}), SideKind.FUNDING),
    (frozenset({"funding_rate"}), SideKind.FUNDING),
)
"""What a file without a close holds that has these columns."""


def other_kind(where: str, kind: SideKind) -> DataError:
    """Return the refusal of a file that was taken for bars and holds something else."""
    return DataError(f"{where} holds {kind}, not bars; import it with --kind {kind}", reason="OTHER_KIND")


def table_of(frame: pl.DataFrame, place: Place, *, volume_optional: bool) -> Table:
    """Return the table that a frame holds.

    Args:
        frame: Columns of any types; text is read as numbers and times.
        place: Where row 0 stands.
        volume_optional: Whether the instrument may do without volume.

    Raises:
        DataError: If the frame is empty, holds something else than bars, lacks a column or a value cannot be read.
    """
    if not frame.height:
        raise DataError(f"{place.label} holds no bars: there is no row of data in it")
    names = normal_names(frame, place)
    if "close" not in names:
        for columns_there, kind in OTHER_KINDS:
            if names.keys() >= columns_there:
                raise other_kind(place.label, kind)
    stamps = stamps_of(frame, names, place)
    columns = {
        value: next((names[name] for name in spelled if name in names), None) for value, spelled in VALUE_NAMES.items()
    }
    _require_columns(columns, frame, place, volume_optional=volume_optional)
    values = {value: numbers(frame[name], place) for value, name in columns.items() if name is not None}
    has_volume = "volume" in values
    volume = values.pop("volume") if has_volume else np.zeros(frame.height)
    symbol = _symbol_of(frame, names, place)
    return Table(place, stamps, **values, volume=volume, has_volume=has_volume, symbol=symbol)


def numbers(column: pl.Series, place: Place) -> Floats:
    """Return a column as float64.

    Raises:
        DataError: If a value is missing or is not a number, with its row and text.
    """
    import polars as pl

    text = column.str.strip_chars() if column.dtype == pl.String else column
    if not (text.dtype == pl.String or text.dtype.is_numeric()):
        raise DataError(f"{place.label}: the column {column.name} holds {column.dtype}, not numbers")
    values = text.cast(pl.Float64, strict=False)
    bad = values.is_null().arg_true()
    if len(bad):
        row = int(bad[0])
        said = "is empty" if text[row] in (None, "") else f"holds '{text[row]}', which is not a number"
        more = f" ({len(bad):,} such values in all)" if len(bad) > 1 else ""
        raise DataError(
            f"{place.of(row)}: the column {column.name} {said}{more}. Nothing was stored; correct or remove the row"
        )
    return values.to_numpy().copy()


def normal_names(frame: pl.DataFrame, place: Place) -> dict[str, str]:
    """Return the columns by their normalised names.

    Raises:
        DataError: If two are equal: it cannot be told which is meant.
    """
    names: dict[str, str] = {}
    for column in frame.columns:
        normal = re.sub(r"\s+", "_", column.strip(" \t\"'<>\ufeff").lower())
        if normal in names:
            raise DataError(f"{place.label} has two columns named {normal}: '{names[normal]}' and '{column}'")
        names[normal] = column
    return names


def stamps_of(frame: pl.DataFrame, names: dict[str, str], place: Place) -> Stamps:
    """Return the times of a table, from the column whose name says it most surely.

    Raises:
        DataError: If there is none, or a value is no time.
    """
    if "date" in names and "time" in names:
        return read_date_and_time(frame[names["date"]], frame[names["time"]], place)
    for known in OPEN_TIMES:
        if known in names:
            return read_stamps(frame[names[known]], place, is_utc=known.endswith("_utc") or known == "gmt_time")
    for known in CLOSE_TIMES:
        if known in names:
            return read_stamps(frame[names[known]], place, end=Stamp.CLOSE)
    raise DataError(
        f"{place.label} has no column of times; found {_listed(frame)}. Name it time, date, timestamp or open_time"
    )


def _require_columns(
    columns: dict[str, str | None], frame: pl.DataFrame, place: Place, *, volume_optional: bool
) -> None:
    missing = [value for value, name in columns.items() if name is None and not (value == "volume" and volume_optional)]
    if not missing:
        return
    near = [match for value in missing for match in difflib.get_close_matches(value, frame.columns, n=1)]
    hint = f"; is '{near[0]}' meant?" if near else ""
    raise DataError(f"{place.label} has no column for {', '.join(missing)}; found {_listed(frame)}{hint}")


def _symbol_of(frame: pl.DataFrame, names: dict[str, str], place: Place) -> str | None:
    column = next((names[name] for name in SYMBOL_NAMES if name in names), None)
    if column is None:
        return None
    symbols = [str(symbol) for symbol in frame[column].unique(maintain_order=True)]
    if len(symbols) > 1:
        more = ", ..." if len(symbols) > SYMBOLS_NAMED_MAX else ""
        raise DataError(
            f"{place.label} holds {len(symbols)} symbols in the column {column} "
            f"({', '.join(symbols[:SYMBOLS_NAMED_MAX])}{more}); split it into one file a symbol"
        )
    return symbols[0]


def _listed(frame: pl.DataFrame) -> str:
    return ", ".join(frame.columns) or "no columns"
