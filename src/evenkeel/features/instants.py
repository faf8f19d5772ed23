"""Where instants lie among the bars of a timeframe: how far back the sample before is, and which bar is forming.

Conditions are sampled on a grid of instants. "One bar of `T` earlier" is the same place in the bar of `T` before: its
close where the instant is a close of `T`, else as long after the open of that bar as the instant is after the open of
the bar in progress, at most its end. On a market that never closes that is simply the instant less the timeframe; on
one with sessions and missing bars it counts bars that exist.

Bars are the calendar's intervals with at least one base bar in them, the first one too where only its end was seen.
Everything here follows from bars closed by the instant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evenkeel.data.aggregate import bucket_bounds
from evenkeel.data.calendar import Calendar
from evenkeel.model.bar import Bars, Floats, Ints
from evenkeel.model.time import Timeframe

NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Intervals:
    """The intervals of a timeframe that hold base bars.

    Attributes:
        open_ns: When each opens.
        close_ns: When each closes.
        of_base: Number of the interval of each base bar; -1 outside every session.
        first_is_whole: Whether the first was seen from its open.
    """

    open_ns: Ints
    close_ns: Ints
    of_base: Ints
    first_is_whole: bool


def intervals(base: Bars, timeframe: Timeframe, calendar: Calendar) -> Intervals:
    """Return the intervals of a timeframe over base bars."""
    opens, closes = bucket_bounds(base, timeframe, calendar)
    inside = np.flatnonzero(opens >= 0)
    starts = opens[inside]
    begins = np.diff(starts, prepend=-1) != 0
    of_base = np.full(len(base), -1, dtype=np.int64)
    of_base[inside] = np.cumsum(begins) - 1
    whole = bool(len(inside)) and bool(base.open_ns[inside[0]] == starts[0] or inside[0] > 0)
    return Intervals(starts[begins], closes[inside][begins], of_base, whole)


def union(parts: Sequence[Ints]) -> Ints:
    """Return rising instants that are in any of some rising parts, the densest part first."""
    found = parts[0]
    for part in parts[1:]:
        place = np.searchsorted(found, part)
        known = found[np.minimum(place, len(found) - 1)] == part if len(found) else np.zeros(len(part), dtype=np.bool_)
        if not known.all():
            found = np.insert(found, place[~known], part[~known])
    return found


def even_steps(length_ns: int, instants_ns: Ints) -> Floats | None:
    """Return what `steps_back` does on a market that never closes, if the instants are evenly spaced; else None."""
    gaps = np.diff(instants_ns)
    if not len(gaps) or gaps.min() != gaps.max() or length_ns % gaps[0]:
        return None
    step = length_ns // int(gaps[0])
    found = np.full(len(instants_ns), float(step))
    found[:step] = np.nan
    return found


def steps_back(found: Intervals, base_close_ns: Ints, instants_ns: Ints) -> Floats:
    """Return how many instants before each one the sample one bar earlier lies; NaN before the first."""
    if not len(found.open_ns):
        return np.full(len(instants_ns), np.nan)
    closed, running = _places(found, base_close_ns, instants_ns)
    before = np.maximum(closed - 1, 0)
    at_close = np.where(closed >= 1, found.close_ns[before], NEVER)
    last = np.maximum(closed, 0)
    elapsed = instants_ns - found.open_ns[np.maximum(running, 0)]
    inside = np.where(closed >= 0, np.minimum(found.open_ns[last] + elapsed, found.close_ns[last]), NEVER)
    target = np.where(running > closed, inside, at_close)
    row = np.searchsorted(instants_ns, target, side="right") - 1
    return np.where(row >= 0, np.arange(len(instants_ns)) - row, np.nan).astype(np.float64)


def bar_ordinals(found: Intervals, base_close_ns: Ints, instants_ns: Ints) -> Floats:
    """Return the number of the bar that is forming, or has just closed, at each instant.

    Bars count from 0 as `aggregate` counts them; NaN in one that was not seen from its open, and before the first.
    """
    _, running = _places(found, base_close_ns, instants_ns)
    number = running - (0 if found.first_is_whole else 1)
    return np.where((running >= 0) & (number >= 0), number, np.nan).astype(np.float64)


def ages(found: Intervals, base_close_ns: Ints, instants_ns: Ints) -> Floats:
    """Return how many of the instants lie behind the last close of a bar, the present one included; 0 at a close."""
    closed, _ = _places(found, base_close_ns, instants_ns)
    last_close = np.where(closed >= 0, found.close_ns[np.maximum(closed, 0)], NEVER)
    first_after = np.searchsorted(instants_ns, last_close, side="right")
    return (np.arange(len(instants_ns)) + 1 - first_after).astype(np.float64)


def known_values(known_ns: Ints, values: Floats, instants_ns: Ints) -> Floats:
    """Return the value last known at each instant; NaN before the first."""
    index = np.searchsorted(known_ns, instants_ns, side="right") - 1
    if not len(values):
        return np.full(len(instants_ns), np.nan)
    return np.where(index >= 0, values[np.maximum(index, 0)], np.nan)


def _places(found: Intervals, base_close_ns: Ints, instants_ns: Ints) -> tuple[Ints, Ints]:
    """Return at each instant the last interval that has closed, and that of the last base bar; -1 for none."""
    closed = np.searchsorted(found.close_ns, instants_ns, side="right") - 1
    base = np.searchsorted(base_close_ns, instants_ns, side="right") - 1
    running = np.where(base >= 0, found.of_base[np.maximum(base, 0)], -1)
    return closed, np.maximum(running, closed)


SideColumns = Mapping[str, tuple[Ints, Floats]]
"""Name to the instants at which values became known, rising, and the values: what a market has beside its bars."""
