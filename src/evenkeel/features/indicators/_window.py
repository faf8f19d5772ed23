"""Sums and extremes of the last n values in constant time, whatever the values do.

Values are counted off in chunks of n. A window is the end of one chunk and the beginning of the next: when a chunk is
complete the sums (or extremes) of all its ends are computed once, those of the beginning run along. Nothing is ever
subtracted, so a sum neither drifts nor keeps anything of a value that has left; a sum of zeros is exactly 0.

Each window keeps an array `ends` of n numbers in the state: before `place` the values of this chunk, from there on the
ends of the chunk before. `place` is the slot of the newest value; it and what runs along are in the state too. The
result is defined from the n-th value on; to begin again set `place` to 0.

    total, whole = window_sum(ends, place, total, value)
    place = next_place(place, n)
"""

from __future__ import annotations

import math

import numba

from evenkeel.kernel import inlined

FLAT = 1e-12
"""A window is flat when its range is at most this share of its largest magnitude."""

spliced = numba.njit(nogil=True, error_model="numpy", inline="always")
"""For steps that take an array: copied into the kernel's source, because a call with an array costs 2 ns more."""


@inlined
def is_flat(low, high):
    """Return whether a window of these extremes counts as flat."""
    return high - low <= FLAT * max(abs(high), abs(low))


@inlined
def direction(before, value):
    """Return 1.0 after a rise, -1.0 after a fall, 0.0 when both values count as one: for values that were computed."""
    if is_flat(min(before, value), max(before, value)):
        return 0.0
    return 1.0 if value > before else -1.0


@inlined
def next_place(place, n):
    """Return the slot of the next value in a chunk of n."""
    return place + 1 if place + 1 < n else 0


@spliced
def window_sum(ends, place, total, value):
    """Return the sum of this chunk and the sum of the window, both with `value`."""
    n = len(ends)
    if place == 0:
        total = 0.0
        for j in range(n - 1, -1, -1):
            total += ends[j]
            ends[j] = total
        total = 0.0
    ends[place] = value
    total += value
    whole = total + ends[place + 1] if place + 1 < n else total
    return total, whole


@spliced
def window_ramp(ends, place, total, weighted, value):
    """Return the sum of this chunk, the same weighted 1, 2, ..., and the sum of the window weighted 1 to n."""
    n = len(ends)
    if place == 0:
        total, weighted = 0.0, 0.0
        for j in range(n - 1, -1, -1):
            total += ends[j]
            weighted += total
            ends[j] = weighted
        total, weighted = 0.0, 0.0
    ends[place] = value
    total += value
    weighted += (place + 1.0) * value
    whole = weighted + (n - 1.0 - place) * total
    if place + 1 < n:
        whole += ends[place + 1]
    return total, weighted, whole


@spliced
def window_lowest(ends, place, least, value):
    """Return the smallest value of this chunk and of the window, both with `value`."""
    n = len(ends)
    if place == 0:
        least = math.inf
        for j in range(n - 1, -1, -1):
            least = min(least, ends[j])
            ends[j] = least
        least = math.inf
    ends[place] = value
    least = min(least, value)
    whole = min(least, ends[place + 1]) if place + 1 < n else least
    return least, whole


@spliced
def window_highest(ends, place, most, value):
    """Return the largest value of this chunk and of the window, both with `value`."""
    n = len(ends)
    if place == 0:
        most = -math.inf
        for j in range(n - 1, -1, -1):
            most = max(most, ends[j])
            ends[j] = most
        most = -math.inf
    ends[place] = value
    most = max(most, value)
    whole = max(most, ends[place + 1]) if place + 1 < n else most
    return most, whole


@spliced
def bars_since_highest(ends, slots, place, most, slot, value):
    """Return the largest value of this chunk, its slot, and how many values ago that of the window was.

    Of equal values the newest counts. `slots` holds, beside each end in `ends`, the slot of its largest value.
    """
    n = len(ends)
    if place == 0:
        most = -math.inf
        for j in range(n - 1, -1, -1):
            if ends[j] > most:
                most, slot = ends[j], float(j)
            ends[j], slots[j] = most, slot
        most = -math.inf
    ends[place] = value
    if value >= most:
        most, slot = value, float(place)
    since = place - slot
    if place + 1 < n and ends[place + 1] > most:
        since = place + n - slots[place + 1]
    return most, slot, since


@spliced
def flat_steps(still, quiet, before, value):
    """Return how many of the newest steps are 0, and how many are too small to end a flat window."""
    step = abs(value - before)
    still = still + 1 if step == 0.0 else 0
    quiet = quiet + 1 if step <= 2.0 * FLAT * abs(value) else 0
    return still, quiet


@spliced
def window_is_flat(still, quiet, a, first, last):
    """Return whether the values from `a[first]` to `a[last]` count as one, told the runs from `flat_steps`.

    Steps below its limit cannot make a window flat by themselves, larger ones cannot lie in a flat window: so the
    values are only looked at while the market is quiet but not still.
    """
    flat = still >= last - first
    if not flat and quiet >= last - first:
        low = high = a[last]
        for j in range(first, last):
            low, high = min(low, a[j]), max(high, a[j])
        flat = is_flat(low, high)
    return flat
