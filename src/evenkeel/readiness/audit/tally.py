"""The trades and fills of a run as columns of numbers, to look at all of them at once.

Money and levels are whole numbers of 1e-8, exactly; prices and quantities are the float64 nearest to their text. Where
a file is not plain there are no columns, and everything is looked at one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from evenkeel.readiness.audit.columns import Records

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NO_LEVEL = 0
"""Of a level that is not there; a price is never zero."""

MONEY = ("gross_pnl", "fees", "funding", "net_pnl", "entry_fee", "exit_fee", "slippage")
PRICES = ("qty", "entry_price", "exit_price", "mae", "mfe", "bars_held")
LEVELS = ("stop_price", "target_price", "final_stop")
TIMES = ("entry_time", "exit_time", "decided_time")


@dataclass(frozen=True, slots=True)
class Tally:
    """Columns of rows.

    Attributes:
        texts: As the file has them.
        counts: Money and levels by name, in 1e-8; a level that is not there is 0.
        exact: Of each column of levels, where all eight decimals of the text were enough.
        numbers: Prices and quantities by name.
        times: Instants by name, nanoseconds.
    """

    texts: pl.DataFrame
    counts: Mapping[str, Ints]
    exact: Mapping[str, Bools]
    numbers: Mapping[str, Floats]
    times: Mapping[str, Ints]

    def __len__(self) -> int:
        return self.texts.height

    def word(self, column: str, *words: str) -> Bools:
        """Return which rows have one of the words."""
        first, *more = words
        found: Bools = (self.texts[column] == first).to_numpy()
        for word in more:
            found = found | (self.texts[column] == word).to_numpy()
        return found

    def same(self, column: str, other: pl.Series) -> Bools:
        """Return which rows have the very text of another column."""
        return (self.texts[column] == other).to_numpy()


def counts_of(column: pl.Series) -> tuple[Ints, Bools]:
    """Return decimals as whole numbers of 1e-8, empty ones as 0, and which of them those eight decimals hold."""
    texts = pl.select(pl.when(column == "").then(pl.lit("0")).otherwise(column)).to_series()
    held = texts.str.contains(r"^-?\d{1,10}(\.\d{1,8})?$")
    plain = pl.select(pl.when(held).then(texts).otherwise(pl.lit("0"))).to_series()
    return _counts(plain), held.to_numpy()


def _counts(column: pl.Series) -> Ints:
    """Return plain decimals as whole numbers of 1e-8."""
    return column.cast(pl.Decimal(38, 8)).to_physical().cast(pl.Int64).to_numpy()


def tally(records: Records[Any]) -> Tally | None:
    """Return the columns of a file; None where it was not plain."""
    texts = records.texts
    if texts is None:
        return None
    names = texts.columns
    counted = {name: counts_of(texts[name].fill_null("")) for name in LEVELS if name in names}
    counts = {name: _counts(texts[name]) for name in (*MONEY, "fee") if name in names}
    times = {name: records.times(name, name) for name in (*TIMES, "time") if name in names}
    return Tally(
        texts,
        counts | {name: found for name, (found, _) in counted.items()},
        {name: held for name, (_, held) in counted.items()},
        {name: texts[name].cast(pl.Float64).to_numpy() for name in (*PRICES, "price") if name in names},
        {name: column.to_numpy() for name, column in times.items()},
    )
