"""Highest or lowest value of the last bars."""

from __future__ import annotations

import math

from evenkeel.features.node import MAX_LENGTH, Output, Param, structure

MODE, SIZE, SOURCE, EXCLUDE_CURRENT = range(4)
MAX = 1.0
SOURCES = ("open", "high", "low", "close", "volume")
INPUTS = len(SOURCES)

# Places in the state; behind them the queue: values, then the bars they stand on.
SEEN, HEAD, COUNT, QUEUE = 0, 1, 2, 3


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
    state=lambda p: QUEUE + 2 * p["size"],
    lookback=lambda _: 0,
    first=lambda p: {"value": _reach(p)},
    warmup=_reach,
    formula="min or max of the last `size` values of `source`; with exclude_current of the `size` before this bar",
    source="plays.md 4.6",
)
def rolling_window(p, s, x, r, start, stop):
    """State: bars since the last missing input, and a queue.

    The queue holds the values that are or may become the extreme, best and oldest first: a value leaves when it is
    too old or when a later one is at least as good. It is a ring, so the state has a fixed size.
    """
    values, y = x[r[int(p[SOURCE])]], x[r[INPUTS]]
    size = int(p[SIZE])
    excludes = p[EXCLUDE_CURRENT] != 0.0
    sign = 1.0 if p[MODE] == MAX else -1.0
    queue, bars = s[QUEUE : QUEUE + size], s[QUEUE + size : QUEUE + 2 * size]
    seen, head, count = int(s[SEEN]), int(s[HEAD]), int(s[COUNT])
    for i in range(start, stop):
        value = values[i]
        if math.isnan(value):
            seen, count = 0, 0
            y[i] = math.nan
            continue
        extreme_before = queue[head] if seen >= size else math.nan
        if count > 0 and bars[head] <= seen - size:
            head = head + 1 if head + 1 < size else 0
            count -= 1
        while count > 0:
            last = head + count - 1
            if last >= size:
                last -= size
            if sign * queue[last] > sign * value:
                break
            count -= 1
        end = head + count
        if end >= size:
            end -= size
        queue[end], bars[end] = value, seen
        count += 1
        seen += 1
        if excludes:
            y[i] = extreme_before
        else:
            y[i] = queue[head] if seen >= size else math.nan
    s[SEEN], s[HEAD], s[COUNT] = seen, head, count
