"""Steps that several indicators share: small functions of numbers, compiled into the kernels that call them."""

from __future__ import annotations

import math

from evenkeel.kernel import inlined

FLAT = 1e-12
"""A window is flat when its range is at most this share of its largest magnitude."""


@inlined
def true_range(high, low, close_before, seen):
    """Return the true range of a bar; on the first bar, `seen` 1, it is high less low."""
    inside = high - low
    if seen == 1:
        return inside
    return max(inside, max(abs(high - close_before), abs(low - close_before)))


@inlined
def seeded_average(mean, seen, n, alpha, value):
    """Return the next value of an average that starts at its n-th input with the mean of the first n.

    Before that the running sum takes the place of the mean.
    """
    if seen > n:
        return mean + alpha * (value - mean)
    if seen == n:
        return (mean + value) / n
    return mean + value


@inlined
def rising_part(change):
    """Return the change if it is positive, else 0."""
    return change if change > 0.0 else 0.0


@inlined
def summed(total, error, value):
    """Return a running sum with its rounding error kept apart (Knuth's two-sum): the sum is `total + error`.

    Large values that enter and leave a window take nothing from the small ones that stay.
    """
    grown = total + value
    part = grown - total
    return grown, error + ((total - (grown - part)) + (value - part))


@inlined
def sum_of(a, first, last):
    """Return the sum, and its rounding error, of `a[first]` to `a[last]` inclusive."""
    total, error = 0.0, 0.0
    for i in range(first, last + 1):
        total, error = summed(total, error, a[i])
    return total, error


@inlined
def is_flat(low, high):
    """Return whether a window of these extremes counts as flat."""
    return high - low <= FLAT * max(abs(high), abs(low))


# Extremes of a sliding window in constant time, whatever the prices do. Bars are counted off in chunks of the
# window's length. A window is the end of one chunk and the beginning of the next: the extremes of all ends of a chunk
# are computed once when it is complete (`tail_maxima`), that of the beginning runs along. The count is in the state.


@inlined
def tail_maxima(a, end, tail):
    """Fill `tail[j]` with the largest of the values from place j on in the chunk that ends before column `end`."""
    best = -math.inf
    first = end - len(tail)
    for j in range(len(tail) - 1, -1, -1):
        best = max(best, a[first + j])
        tail[j] = best


@inlined
def tail_minima(a, end, tail):
    """Fill `tail[j]` with the smallest of the values from place j on in the chunk that ends before column `end`."""
    best = math.inf
    first = end - len(tail)
    for j in range(len(tail) - 1, -1, -1):
        best = min(best, a[first + j])
        tail[j] = best
