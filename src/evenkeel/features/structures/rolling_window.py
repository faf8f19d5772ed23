"""Highest or lowest value of the last bars."""

from __future__ import annotations

import math

from evenkeel.features.node import MAX_LENGTH, Output, Param, structure
from evenkeel.kernel import inlined

MODE, SIZE, SOURCE, EXCLUDE_CURRENT = range(4)
MAX = 1.0
SOURCES = ("open", "high", "low", "close", "volume")
INPUTS = len(SOURCES)

# Places in the state: bars since the last missing input, place and running extreme in the chunk, extreme of the window
# that ended one bar before; then the tails of the chunk before.
SEEN, PLACE, BEST, BEFORE, TAIL = range(5)


@inlined
def fill_tail(values, sign, end, tail):
    """Fill `tail[j]` with the best of the values from place j on in the chunk that ends before column `end`."""
    best = -math.inf
    first = end - len(tail)
    for j in range(len(tail) - 1, -1, -1):
        best = max(best, sign * values[first + j])
        tail[j] = best


def _reach(p):
    return p["size"] + (1 if p["exclude_current"] else 0)


@structure(
    "rolling_window",
    summary="Highest or lowest value of the last bars, with or without this one",
    inputs=SOURCES,
    params=(
        Param("mode", str, choices=("min", "max"), meaning="lowest or highest"),
        Param("size", int, low=1, high=MAX_LENGTH, meaning="window in bars"),
        Param("source", str, "close", choices=SOURCES, meaning="column it looks at"),
        Param("exclude_current", bool, False, meaning="take the bars before this one"),
    ),
    outputs=(Output("value", meaning="the extreme; missing until the window is full"),),
    state=lambda p: TAIL + p["size"],
    lookback=lambda p: p["size"],
    first=lambda p: {"value": _reach(p)},
    warmup=_reach,
    formula="min or max of the last `size` values of `source`; with exclude_current of the `size` before this bar",
    source="plays.md 4.6",
)
def rolling_window(p, s, x, r, start, stop):
    """State: a count of bars, and extremes of parts of the window.

    Bars are counted off in chunks of the window's length, so that a window is the end of one chunk and the beginning
    of the next: the extremes of all ends are computed once a chunk, that of the beginning runs along.
    """
    values, y = x[r[int(p[SOURCE])]], x[r[INPUTS]]
    size = int(p[SIZE])
    excludes = p[EXCLUDE_CURRENT] != 0.0
    sign = 1.0 if p[MODE] == MAX else -1.0
    tail = s[TAIL : TAIL + size]
    seen, place, best, before = int(s[SEEN]), int(s[PLACE]), s[BEST], s[BEFORE]
    for i in range(start, stop):
        value = sign * values[i]
        if math.isnan(value):
            seen, place = 0, 0
            y[i] = math.nan
            continue
        if place == size:
            fill_tail(values, sign, i, tail)
            place = 0
        best = value if place == 0 else max(best, value)
        place += 1
        was_full = seen >= size
        seen += 1
        now = best if place == size else max(best, tail[place])
        if excludes:
            y[i] = sign * before if was_full else math.nan
        else:
            y[i] = sign * now if seen >= size else math.nan
        before = now
    s[SEEN], s[PLACE], s[BEST], s[BEFORE] = seen, place, best, before
