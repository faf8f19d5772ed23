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

unsigned = numba.uint64
"""Makes an index that is never negative known as such: a signed one costs a test whether it counts from the end."""

spliced = numba.njit(nogil=True, error_model="numpy", inline="always")
"""For steps that take an array: copied into the kernel's source, because a call with an array costs 2 ns more.

Rare work stands in a call: a loop over the array within the copy makes Numba count references to it at every bar.
"""


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


@inlined
def close_sums(ends):
    """Turn the values of a complete chunk into the sums of its ends."""
    total = 0.0
    for j in range(len(ends) - 1, -1, -1):
        total += ends[j]
        ends[j] = total


@spliced
def window_sum(ends, place, total, value):
    """Return the sum of this chunk and the sum of the window, both with `value`."""
    if place == 0:
        close_sums(ends)
    total = value if place == 0 else total + value
    ends[unsigned(place)] = value
    rest = ends[unsigned(place + 1)] if place + 1 < len(ends) else 0.0
    return total, total + rest


@inlined
def close_pairs(ends, others):
    """Turn the values of two complete chunks of one length into the sums of their ends."""
    total, other = 0.0, 0.0
    for j in range(len(ends) - 1, -1, -1):
        total += ends[j]
        other += others[j]
        ends[j], others[j] = total, other


@spliced
def window_sums(ends, others, place, total, other, value, second):
    """Return the sums of two chunks in step and of their windows, with `value` and `second`: one test serves both."""
    if place == 0:
        close_pairs(ends, others)
        total, other = value, second
    else:
        total, other = total + value, other + second
    ends[unsigned(place)], others[unsigned(place)] = value, second
    rest = ends[unsigned(place + 1)] if place + 1 < len(ends) else 0.0
    remaining = others[unsigned(place + 1)] if place + 1 < len(ends) else 0.0
    return total, total + rest, other, other + remaining


@inlined
def close_ramps(ends):
    """Turn the values of a complete chunk into the sums of its ends, each weighted 1, 2, ... from its oldest on."""
    total, weighted = 0.0, 0.0
    for j in range(len(ends) - 1, -1, -1):
        total += ends[j]
        weighted += total
        ends[j] = weighted


@spliced
def window_ramp(ends, place, total, weighted, value):
    """Return the sum of this chunk, the same weighted 1, 2, ..., and the sum of the window weighted 1 to n."""
    if place == 0:
        close_ramps(ends)
    total = value if place == 0 else total + value
    weighted = value if place == 0 else weighted + (place + 1.0) * value
    ends[unsigned(place)] = value
    rest = ends[unsigned(place + 1)] if place + 1 < len(ends) else 0.0
    return total, weighted, weighted + (len(ends) - 1.0 - place) * total + rest


@inlined
def close_lines(ends, ramps):
    """Turn the values of a complete chunk into the sums of its ends, and `ramps` into those weighted 1, 2, ..."""
    total, weighted = 0.0, 0.0
    for j in range(len(ends) - 1, -1, -1):
        total += ends[j]
        weighted += total
        ends[j], ramps[j] = total, weighted


@spliced
def window_line(ends, ramps, place, total, weighted, value):
    """Return what `window_ramp` returns, and before the last of them the plain sum of the window."""
    if place == 0:
        close_lines(ends, ramps)
    total = value if place == 0 else total + value
    weighted = value if place == 0 else weighted + (place + 1.0) * value
    ends[unsigned(place)] = value
    rest = ends[unsigned(place + 1)] if place + 1 < len(ends) else 0.0
    ramp = ramps[unsigned(place + 1)] if place + 1 < len(ends) else 0.0
    return total, weighted, total + rest, weighted + (len(ends) - 1.0 - place) * total + ramp


@inlined
def close_lowest(ends):
    """Turn the values of a complete chunk into the smallest of its ends."""
    least = math.inf
    for j in range(len(ends) - 1, -1, -1):
        least = min(least, ends[j])
        ends[j] = least


@spliced
def window_lowest(ends, place, least, value):
    """Return the smallest value of this chunk and of the window, both with `value`."""
    if place == 0:
        close_lowest(ends)
    least = value if place == 0 else min(least, value)
    ends[unsigned(place)] = value
    rest = ends[unsigned(place + 1)] if place + 1 < len(ends) else math.inf
    return least, min(least, rest)


@inlined
def close_range(low_ends, high_ends):
    """Turn the values of two complete chunks of one length into the smallest and the largest of their ends."""
    least, most = math.inf, -math.inf
    for j in range(len(low_ends) - 1, -1, -1):
        least, most = min(least, low_ends[j]), max(most, high_ends[j])
        low_ends[j], high_ends[j] = least, most


@spliced
def window_range(low_ends, high_ends, place, least, most, low, high):
    """Return the smallest low and the largest high of this chunk and of the window: one test serves both."""
    if place == 0:
        close_range(low_ends, high_ends)
    least = low if place == 0 else min(least, low)
    most = high if place == 0 else max(most, high)
    low_ends[unsigned(place)], high_ends[unsigned(place)] = low, high
    below = low_ends[unsigned(place + 1)] if place + 1 < len(low_ends) else math.inf
    above = high_ends[unsigned(place + 1)] if place + 1 < len(high_ends) else -math.inf
    return least, min(least, below), most, max(most, above)


@inlined
def close_highest(ends):
    """Turn the values of a complete chunk into the largest of its ends."""
    most = -math.inf
    for j in range(len(ends) - 1, -1, -1):
        most = max(most, ends[j])
        ends[j] = most


@spliced
def window_highest(ends, place, most, value):
    """Return the largest value of this chunk and of the window, both with `value`."""
    if place == 0:
        close_highest(ends)
    most = value if place == 0 else max(most, value)
    ends[unsigned(place)] = value
    rest = ends[unsigned(place + 1)] if place + 1 < len(ends) else -math.inf
    return most, max(most, rest)


@inlined
def close_places(ends, slots):
    """Turn the values of a complete chunk into the largest of its ends, and `slots` into their newest places."""
    most, slot = -math.inf, 0.0
    for j in range(len(ends) - 1, -1, -1):
        if ends[j] > most:
            most, slot = ends[j], float(j)
        ends[j], slots[j] = most, slot


@spliced
def bars_since_highest(ends, slots, place, most, slot, value):
    """Return the largest value of this chunk, its slot, and how many values ago that of the window was.

    Of equal values the newest counts. `slots` holds, beside each end in `ends`, the slot of its largest value.
    """
    if place == 0:
        close_places(ends, slots)
    leads = place == 0 or value >= most
    most, slot = (value, float(place)) if leads else (most, slot)
    ends[unsigned(place)] = value
    older = place + 1 < len(ends) and ends[unsigned(place + 1)] > most
    since = place + len(ends) - slots[unsigned(place + 1)] if older else place - slot
    return most, slot, since


@inlined
def flat_steps(still, quiet, before, value):
    """Return how many of the newest steps are 0, and how many are too small to end a flat window."""
    step = abs(value - before)
    still = still + 1 if step == 0.0 else 0
    quiet = quiet + 1 if step <= 2.0 * FLAT * abs(value) else 0
    return still, quiet


@inlined
def values_are_flat(a, first, last):
    """Return whether the values from `a[first]` to `a[last]` count as one."""
    low = high = a[last]
    for j in range(first, last):
        low, high = min(low, a[j]), max(high, a[j])
    return is_flat(low, high)


@spliced
def window_is_flat(still, quiet, a, first, last):
    """Return whether the values from `a[first]` to `a[last]` count as one, told the runs from `flat_steps`.

    Steps below its limit cannot make a window flat by themselves, larger ones cannot lie in a flat window: so the
    values are only looked at while the market is quiet but not still.
    """
    look = last - first > still and quiet >= last - first
    return values_are_flat(a, first, last) if look else still >= last - first
