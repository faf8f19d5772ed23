"""Splits and dividends from the adjustment factor of a file of daily bars: only where a person asks for it.

Such a file has raw prices and a factor that makes them comparable with the last row. Where the factor changes,
something happened before that session: with C the close before and f the factor before it over the factor on it,

    a split of n new shares for an old one    f = 1 / n
    a dividend of D for a share               f = 1 - D / C

A change is a split where the price moved by it too, overnight and by at least a tenth; else it is a dividend. A factor
that falls without a split cannot be explained, and is refused with its row.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from evenkeel.data.importers.columns import numbers
from evenkeel.data.importers.table import Place
from evenkeel.model.bar import Floats
from evenkeel.model.errors import DataError

if TYPE_CHECKING:
    import polars as pl

FACTOR_NAMES = ("adj_factor", "adjustment_factor", "factor")

CHANGE_MIN = 1e-6
"""Relative; a smaller change of the factor is its rounding."""

SPLIT_MIN = 1.1
"""Nobody splits by less; a change of the factor that is smaller is a dividend."""

PARTS_MAX = 100
SPLIT_TOLERANCE = 1e-3
"""The ratio of a split is one of whole numbers up to `PARTS_MAX`, within the rounding of the factor."""


def from_factor(frame: pl.DataFrame, names: Mapping[str, str], place: Place) -> tuple[dict[str, Floats], list[str]]:
    """Return a split or a dividend for each row, NaN where there is none, and what was found.

    Raises:
        DataError: If a column is missing, or the factor changes in a way that neither explains.
    """
    known = next((names[name] for name in FACTOR_NAMES if name in names), None)
    lacking = [*([] if known else ["adj_factor"]), *(name for name in ("open", "close") if name not in names)]
    if known is None or lacking:
        raise DataError(
            f"{place.label} has no column for {', '.join(lacking)}; splits and dividends follow from raw opens and "
            f"closes and their factor only. Found {', '.join(frame.columns)}"
        )
    factor = numbers(frame[known], place)
    opens, closes = numbers(frame[names["open"]], place), numbers(frame[names["close"]], place)
    split, dividend = np.full(len(factor), np.nan), np.full(len(factor), np.nan)
    changes = factor[:-1] / factor[1:]
    for before in np.flatnonzero(np.abs(changes - 1.0) > CHANGE_MIN):
        row, change = before + 1, float(changes[before])
        ratio = _split_of(change, opens[row] / closes[before])
        if ratio is not None:
            split[row] = ratio
        elif change < 1.0:
            dividend[row] = closes[before] * (1.0 - change)
        else:
            raise DataError(
                f"{place.of(int(row))}: {known} falls from {factor[before]} to {factor[row]} and the price shows no "
                "reverse split; correct the file, or import the actions from one that names them"
            )
    splits = np.flatnonzero(~np.isnan(split))
    told = [f"{len(splits):,} splits and {int(np.count_nonzero(~np.isnan(dividend))):,} dividends follow from {known}"]
    if len(splits):
        told.append("splits: " + ", ".join(f"{split[row]:g} at {place.of(int(row))}" for row in splits))
    return {"split": split, "dividend": dividend}, told


def _split_of(change: float, move: float) -> float | None:
    """Return the ratio of a split that explains a change of the factor and the move overnight; None if none does."""
    if not (change >= SPLIT_MIN or change <= 1 / SPLIT_MIN) or move <= 0:
        return None
    if abs(np.log(move) - np.log(change)) > abs(np.log(change)) / 2:
        return None
    ratio = Fraction(1.0 / change).limit_denominator(PARTS_MAX)
    found = float(ratio) if change <= 1.0 else 1.0 / float(Fraction(change).limit_denominator(PARTS_MAX))
    return found if abs(found * change - 1.0) <= SPLIT_TOLERANCE else None
