"""The columns of files beside bars: which names mean what, and which text is a number there.

Names are normalised as for bars. The help of `keel data import` and the guide list them; a test compares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from evenkeel.data.importers.columns import numbers
from evenkeel.data.importers.table import Place
from evenkeel.data.side import SideKind
from evenkeel.model.bar import Floats
from evenkeel.model.errors import DataError

if TYPE_CHECKING:
    import polars as pl

TIMES: Mapping[SideKind, tuple[str, ...]] = {
    SideKind.FUNDING: ("fundingtime", "funding_time", "calc_time", "fundingratetimestamp", "funding_rate_timestamp"),
    SideKind.OPEN_INTEREST: ("create_time",),
    SideKind.ACTIONS: ("ex_date", "session"),
    SideKind.TRADES: ("transact_time", "trade_time"),
    SideKind.QUOTES: ("transaction_time",),
}
"""Names of the time that only files of that kind use; they come before the common ones."""

NAMES: Mapping[SideKind, Mapping[str, tuple[str, ...]]] = {
    SideKind.FUNDING: {"rate": ("rate", "funding_rate", "fundingrate", "last_funding_rate")},
    SideKind.BORROW: {"rate": ("rate", "borrow_rate", "fee_rate")},
    SideKind.OPEN_INTEREST: {"value": ("value", "open_interest", "openinterest", "sum_open_interest")},
    SideKind.ACTIONS: {
        "split": ("split", "stock_splits", "split_ratio"), "dividend": ("dividend", "dividends", "cash"),
    },
    SideKind.TRADES: {"price": ("price", "p"), "size": ("size", "qty", "quantity", "amount", "volume")},
    SideKind.QUOTES: {
        "bid": ("bid", "bid_price", "best_bid_price"), "ask": ("ask", "ask_price", "best_ask_price"),
        "bid_size": ("bid_size", "bid_qty", "best_bid_qty"), "ask_size": ("ask_size", "ask_qty", "best_ask_qty"),
    },
    SideKind.MARK: {"price": ("price", "mark_price", "markprice", "value")},
    SideKind.INDEX: {"price": ("price", "index_price", "indexprice", "value")},
}  # fmt: skip
"""Names of the columns; a column of the list may be absent where the kind knows missing values."""

SIDE_NAMES = ("side", "aggressor", "is_buyer_maker", "isbuyermaker")
"""Who took, in files of trades; the last two say it of the maker."""

_BUYS = frozenset({"b", "buy", "1", "1.0", "bid"})
_SELLS = frozenset({"s", "sell", "a", "ask", "-1", "-1.0"})
_NEITHER = frozenset({"n", "none", "", "0", "0.0", "nan"})

OPTIONAL = frozenset({"split", "dividend", "side", "bid_size", "ask_size"})
"""Columns that a file may lack, and that may be empty in a row."""

SPARSE = frozenset({"bid", "ask"})
"""Columns that may be empty in a row: a record of one side of the book."""


def columns_of(frame: pl.DataFrame, names: Mapping[str, str], kind: SideKind, place: Place) -> dict[str, Floats]:
    """Return the columns of a kind of points.

    Args:
        frame: The file.
        names: Its columns by normalised name.
        kind: What it is to hold.
        place: Where its rows stand.

    Raises:
        DataError: If a column is missing or holds a value that is no number.
    """
    found: dict[str, Floats] = {}
    for column in kind.columns():
        if column == "side":
            found[column] = _sides(frame, names, place)
            continue
        spelled = NAMES[kind][column]
        name = next((names[each] for each in spelled if each in names), None)
        if name is not None:
            found[column] = _values(frame[name], place, may_lack=column in OPTIONAL | SPARSE)
        elif column in OPTIONAL:
            found[column] = np.full(frame.height, np.nan)
        else:
            raise DataError(
                f"{place.label} has no column for {column} of {kind}; found {', '.join(frame.columns)}. Name it "
                f"{' or '.join(spelled[:3])}"
            )
    return found


def _values(column: pl.Series, place: Place, *, may_lack: bool) -> Floats:
    """Return a column as numbers: `0.01%` is 0.0001; where values may be missing, empty ones are."""
    import polars as pl

    if column.dtype == pl.String:
        text = column.str.strip_chars()
        if text.str.ends_with("%").any():
            return numbers(text.str.strip_suffix("%").alias(column.name), place) / 100
        column = text
    if not may_lack:
        return numbers(column, place)
    empty = column.is_null()
    if column.dtype == pl.String:
        empty = empty | (column == "")
    filled = column.set(empty, "nan" if column.dtype == pl.String else float("nan")) if empty.any() else column
    return numbers(filled, place)


def _sides(frame: pl.DataFrame, names: Mapping[str, str], place: Place) -> Floats:
    """Return who took: 1 the buyer, -1 the seller, NaN where the file does not say."""
    import polars as pl

    found = next((name for name in SIDE_NAMES if name in names), None)
    if found is None:
        return np.full(frame.height, np.nan)
    text = frame[names[found]].cast(pl.String).str.strip_chars().str.to_lowercase().fill_null("")
    if found.replace("_", "") == "isbuyermaker":
        return _by_word(text, place, {"true": -1.0, "false": 1.0, "1": -1.0, "0": 1.0}.get)
    words = dict.fromkeys(_BUYS, 1.0) | dict.fromkeys(_SELLS, -1.0) | dict.fromkeys(_NEITHER, float("nan"))
    return _by_word(text, place, words.get)


def _by_word(text: pl.Series, place: Place, meaning: Callable[[str], float | None]) -> Floats:
    values = np.full(len(text), np.nan)
    for word in text.unique().to_list():
        value = meaning(word)
        rows = (text == word).to_numpy()
        if value is None:
            row = int(np.argmax(rows))
            raise DataError(
                f"{place.of(row)}: the column {text.name} holds '{word}', which names no side; write buy or sell"
            )
        values[rows] = value
    return values
