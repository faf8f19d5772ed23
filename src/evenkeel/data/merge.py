"""New bars beside stored ones: what is added, what must be equal, what a correction replaces.

Stored bars are evidence. A file that disagrees with them is refused with the first difference, unless the caller says
that it is a correction; then the file is the truth for the time it spans, and the old revision stays readable.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evenkeel.data.revision import COLUMNS
from evenkeel.model.bar import Bars, Ints
from evenkeel.model.errors import DataError, invariant
from evenkeel.model.time import format_time


@dataclass(frozen=True, slots=True)
class Merge:
    """Bars after a merge, and what it did.

    Attributes:
        bars: All of them, in order.
        added: Bars that were not stored before.
        changed: Stored bars whose values were corrected.
        removed: Stored bars that a correction does not hold.
    """

    bars: Bars
    added: int
    changed: int
    removed: int


def merge(stored: Bars, new: Bars, *, replace: bool, name: str) -> Merge:
    """Join new bars to stored ones of the same instrument and timeframe.

    Args:
        stored: The newest revision.
        new: Sorted, without duplicates, not empty.
        replace: Whether `new` is a correction: between its first and last bar it takes the place of what is stored.
        name: What is merged, for the message: instrument and timeframe.

    Raises:
        DataError: If a bar is in both with different values and `replace` is false.
    """
    invariant(stored.timeframe == new.timeframe, "only bars of one timeframe are merged")
    in_stored, in_new = _common_rows(stored, new)
    differing = _differing(stored, new, in_stored, in_new)
    if replace:
        return _replaced(stored, new, common=len(in_new), changed=len(differing))
    if len(differing):
        raise DataError(_difference(stored, new, in_stored, in_new, differing, name))
    is_new = np.ones(len(new), dtype=np.bool_)
    is_new[in_new] = False
    return Merge(_joined(stored, new, is_new), added=int(is_new.sum()), changed=0, removed=0)


def _common_rows(stored: Bars, new: Bars) -> tuple[Ints, Ints]:
    """Return the rows of the bars with equal opens, in both."""
    _, in_stored, in_new = np.intersect1d(stored.open_ns, new.open_ns, assume_unique=True, return_indices=True)
    return in_stored.astype(np.int64), in_new.astype(np.int64)


def _differing(stored: Bars, new: Bars, in_stored: Ints, in_new: Ints) -> Ints:
    """Return which of the common rows differ in any column."""
    differs = np.zeros(len(in_new), dtype=np.bool_)
    for column in COLUMNS:
        differs |= getattr(stored, column)[in_stored] != getattr(new, column)[in_new]
    return np.flatnonzero(differs)


def _replaced(stored: Bars, new: Bars, *, common: int, changed: int) -> Merge:
    start = int(np.searchsorted(stored.open_ns, new.open_ns[0]))
    stop = int(np.searchsorted(stored.open_ns, new.open_ns[-1], side="right"))
    parts = (stored.rows(0, start), new, stored.rows(stop, len(stored)))
    columns = [np.concatenate([getattr(part, column) for part in parts]) for column in COLUMNS]
    bars = Bars(stored.timeframe, *columns)
    return Merge(bars, added=len(new) - common, changed=changed, removed=stop - start - common)


def _joined(stored: Bars, new: Bars, is_new: npt.NDArray[np.bool_]) -> Bars:
    if not is_new.any():
        return stored
    opens = np.concatenate([stored.open_ns, new.open_ns[is_new]])
    order = np.argsort(opens, kind="stable")
    columns = [np.concatenate([getattr(stored, name), getattr(new, name)[is_new]])[order] for name in COLUMNS]
    return Bars(stored.timeframe, *columns)


def _difference(stored: Bars, new: Bars, in_stored: Ints, in_new: Ints, differing: Ints, name: str) -> str:
    old_row, new_row = int(in_stored[differing[0]]), int(in_new[differing[0]])
    column = next(c for c in COLUMNS if getattr(stored, c)[old_row] != getattr(new, c)[new_row])
    old, was = getattr(stored, column)[old_row], getattr(new, column)[new_row]
    return (
        f"{name}: {len(differing):,} of the {len(in_new):,} bars that are already stored differ; the first is "
        f"{format_time(int(new.open_ns[new_row]))}, where {column} is {old} in the catalog and {was} in the file. "
        f"Nothing was stored; if the file is a correction, import it with --replace"
    )
