"""New rows beside stored ones, as for bars: equal rows are recognised, others refused unless they are a correction.

Funding, prices, actions and the like have one row an instant and are joined by it. Of trades and quotes several may
share an instant, so nothing tells a repeated row from another one: where new rows and stored ones span the same time,
they must be equal there, and only what lies before or after is added. A border between two files therefore never
divides an instant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evenkeel.data.side.series import SideBatch
from evenkeel.model.bar import Ints
from evenkeel.model.errors import DataError
from evenkeel.model.time import format_time


@dataclass(frozen=True, slots=True)
class SideMerge:
    """Rows after a merge, and what it did.

    Attributes:
        batch: All of them, in order.
        added: Rows that were not stored before.
        changed: Stored rows whose values were corrected.
        removed: Stored rows that a correction does not hold.
    """

    batch: SideBatch
    added: int
    changed: int
    removed: int


def merge_side(stored: SideBatch, new: SideBatch, *, replace: bool, name: str) -> SideMerge:
    """Join new rows to stored ones of the same instrument and kind.

    Args:
        stored: The newest revision.
        new: Rising, not empty.
        replace: Whether `new` is a correction: it takes the place of what is stored from its first to its last stamp.
        name: What is merged, for the message.

    Raises:
        DataError: If both hold other values for the same time and `replace` is false, or if a price is stored with
            another interval.
    """
    if stored.timeframe != new.timeframe:
        raise DataError(
            f"{name} is stored as {_form(stored)}, the file holds {_form(new)}; a series has one form. Remove the "
            "stored one from the catalog first, or keep to it"
        )
    if replace:
        return _replaced(stored, new)
    return (_joined_events if new.kind.is_event else _joined)(stored, new, name)


def _form(batch: SideBatch) -> str:
    return "points" if batch.timeframe is None else f"{batch.timeframe} bars"


def _replaced(stored: SideBatch, new: SideBatch) -> SideMerge:
    start = int(np.searchsorted(stored.stamps_ns, new.stamps_ns[0]))
    stop = int(np.searchsorted(stored.stamps_ns, new.stamps_ns[-1], side="right"))
    batch = _concatenated([stored.rows(0, start), new, stored.rows(stop, len(stored))])
    old = stored.rows(start, stop)
    if new.kind.is_event:
        same = len(old) == len(new) and not _differing(old, new).any()
        return SideMerge(batch, added=0 if same else len(new), changed=0, removed=0 if same else len(old))
    _, in_old, in_new = _common(old, new)
    changed = int(np.count_nonzero(_differing(_taken(old, in_old), _taken(new, in_new))))
    return SideMerge(batch, added=len(new) - len(in_new), changed=changed, removed=len(old) - len(in_old))


def _joined(stored: SideBatch, new: SideBatch, name: str) -> SideMerge:
    _, in_stored, in_new = _common(stored, new)
    differing = np.flatnonzero(_differing(_taken(stored, in_stored), _taken(new, in_new)))
    if len(differing):
        raise _difference(stored, new, int(in_stored[differing[0]]), int(in_new[differing[0]]), len(differing), name)
    is_new = np.ones(len(new), dtype=np.bool_)
    is_new[in_new] = False
    if not is_new.any():
        return SideMerge(stored, added=0, changed=0, removed=0)
    both = _concatenated([stored, _taken(new, np.flatnonzero(is_new))])
    batch = _taken(both, np.argsort(both.stamps_ns, kind="stable"))
    return SideMerge(batch, added=int(is_new.sum()), changed=0, removed=0)


def _joined_events(stored: SideBatch, new: SideBatch, name: str) -> SideMerge:
    first = max(int(stored.stamps_ns[0]), int(new.stamps_ns[0]))
    last = min(int(stored.stamps_ns[-1]), int(new.stamps_ns[-1]))
    old_from, old_to = _span(stored, first, last)
    new_from, new_to = _span(new, first, last)
    old_part, new_part = stored.rows(old_from, old_to), new.rows(new_from, new_to)
    if len(old_part) and len(new_part):
        if len(old_part) != len(new_part) or _differing(old_part, new_part).any():
            raise DataError(
                f"{name}: from {format_time(first)} to {format_time(last)} {len(old_part):,} rows are stored and the "
                f"file has {len(new_part):,}, and they are not the same. Nothing was stored; files that follow each "
                "other must not divide an instant, and a correction is imported with --replace"
            )
        new_part = new_part.rows(0, 0)
    middle = [old_part, new_part]
    before = sorted([stored.rows(0, old_from), new.rows(0, new_from)], key=len)
    after = sorted([stored.rows(old_to, len(stored)), new.rows(new_to, len(new))], key=len)
    batch = _concatenated([*before, *middle, *after])
    return SideMerge(batch, added=len(batch) - len(stored), changed=0, removed=0)


def _span(batch: SideBatch, first: int, last: int) -> tuple[int, int]:
    """Return the rows from one instant to another, both included."""
    return int(np.searchsorted(batch.stamps_ns, first)), int(np.searchsorted(batch.stamps_ns, last, side="right"))


def _common(stored: SideBatch, new: SideBatch) -> tuple[Ints, Ints, Ints]:
    """Return the stamps that both have, and their rows in both."""
    stamps, in_stored, in_new = np.intersect1d(stored.stamps_ns, new.stamps_ns, assume_unique=True, return_indices=True)
    return stamps, in_stored.astype(np.int64), in_new.astype(np.int64)


def _differing(old: SideBatch, new: SideBatch) -> npt.NDArray[np.bool_]:
    """Return which rows differ in stamp or value; two missing values are equal."""
    differs: npt.NDArray[np.bool_] = old.stamps_ns != new.stamps_ns
    for name, was in old.columns.items():
        now = new.columns[name]
        differs |= (was != now) & ~(np.isnan(was) & np.isnan(now))
    return differs


def _taken(batch: SideBatch, rows: Ints) -> SideBatch:
    columns = {name: column[rows] for name, column in batch.columns.items()}
    return SideBatch(batch.kind, batch.stamps_ns[rows], columns, batch.timeframe)


def _concatenated(parts: list[SideBatch]) -> SideBatch:
    columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns}
    stamps = np.concatenate([part.stamps_ns for part in parts])
    return SideBatch(parts[0].kind, stamps, columns, parts[0].timeframe)


def _difference(stored: SideBatch, new: SideBatch, old_row: int, new_row: int, count: int, name: str) -> DataError:
    column = next(
        column
        for column, values in stored.columns.items()
        if values[old_row] != new.columns[column][new_row]
        and not (np.isnan(values[old_row]) and np.isnan(new.columns[column][new_row]))
    )
    return DataError(
        f"{name}: {count:,} of the rows that are already stored differ; the first is "
        f"{format_time(int(new.stamps_ns[new_row]))}, where {column} is {stored.columns[column][old_row]} in the "
        f"catalog and {new.columns[column][new_row]} in the file. Nothing was stored; if the file is a correction, "
        "import it with --replace"
    )
