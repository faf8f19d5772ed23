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
from numba import types

from evenkeel.data.aggregate import bucket_bounds
from evenkeel.data.calendar import Calendar
from evenkeel.kernel import FLOATS, INTS_IN, compiled, inlined, kernel
from evenkeel.model.bar import Bars, Floats, Ints
from evenkeel.model.time import Timeframe

NO_TIME = -(1 << 63)
"""Before every instant."""

BACK, BAR_OF, AGE = 0, 1, 2
"""What `fill_samples` tells of an instant; see `steps_back`, `bar_ordinals` and `ages`."""


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
    return samples(BACK, found, base_close_ns, instants_ns)


def bar_ordinals(found: Intervals, base_close_ns: Ints, instants_ns: Ints) -> Floats:
    """Return the number of the bar that is forming, or has just closed, at each instant.

    Bars count from 0 as `aggregate` counts them; NaN in one that was not seen from its open, and before the first.
    """
    return samples(BAR_OF, found, base_close_ns, instants_ns)


def ages(found: Intervals, base_close_ns: Ints, instants_ns: Ints) -> Floats:
    """Return how many of the instants lie behind the last close of a bar, the present one included; 0 at a close."""
    return samples(AGE, found, base_close_ns, instants_ns)


def samples(
    kind: int, found: Intervals, base_close_ns: Ints, instants_ns: Ints, *, start: int = 0, before: int = 0
) -> Floats:
    """Return what is asked of each instant from number `start` on.

    A run that goes bar by bar gives the newest intervals, base bars and instants only.

    Args:
        kind: `BACK`, `BAR_OF` or `AGE`.
        found: Intervals, three at least where there were so many.
        base_close_ns: When each of the base bars closes that `found` speaks of.
        instants_ns: Rising; from the sample that is one bar before the first wanted on.
        start: The first that is wanted.
        before: How many intervals came before those given.
    """
    out = np.empty(len(instants_ns) - start)
    shift = before - (0 if found.first_is_whole else 1)
    fill = compiled(fill_samples, SAMPLES_SIGNATURE)
    fill(kind, found.open_ns, found.close_ns, found.of_base, base_close_ns, instants_ns, start, shift, out)
    return out


@inlined
def _behind(values: Ints, low: int, value: int) -> int:
    """Return the first place from `low` on whose value is above a value, among values that rise."""
    high = len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] <= value:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def fill_samples(
    kind: int, opens: Ints, closes: Ints, of_base: Ints, base_closes: Ints, instants: Ints, start: int, shift: int,
    out: Floats,
) -> None:  # fmt: skip
    """Write what is asked of each instant: `samples`.

    At an instant, `closed` is the last interval that has closed, and `running` that of the last base bar; -1 for none.
    """
    closed, base = -1, -1
    for i in range(start, len(instants)):
        t = instants[i]
        closed = _behind(closes, closed + 1, t) - 1
        base = _behind(base_closes, base + 1, t) - 1
        running = max(of_base[base] if base >= 0 else -1, closed)
        if kind == BAR_OF:
            number = running + shift
            out[i - start] = float(number) if running >= 0 and number >= 0 else np.nan
        elif kind == AGE:
            out[i - start] = float(i + 1 - (_behind(instants, 0, closes[closed]) if closed >= 0 else 0))
        else:
            target = NO_TIME
            if running > closed >= 0:
                target = min(opens[closed] + t - opens[running], closes[closed])
            elif running == closed >= 1:
                target = closes[closed - 1]
            row = _behind(instants, 0, target) - 1
            out[i - start] = float(i - row) if row >= 0 else np.nan


SAMPLES_SIGNATURE = types.void(
    types.int64, INTS_IN, INTS_IN, INTS_IN, INTS_IN, INTS_IN, types.int64, types.int64, FLOATS
)


def known_values(known_ns: Ints, values: Floats, instants_ns: Ints) -> Floats:
    """Return the value last known at each instant; NaN before the first."""
    index = np.searchsorted(known_ns, instants_ns, side="right") - 1
    if not len(values):
        return np.full(len(instants_ns), np.nan)
    return np.where(index >= 0, values[np.maximum(index, 0)], np.nan)


SideColumns = Mapping[str, tuple[Ints, Floats]]
"""Name to the instants at which values became known, rising, and the values: what a market has beside its bars."""
