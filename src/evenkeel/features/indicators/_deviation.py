"""The squared deviations of the last n values, as the bands around a mean need them.

A kernel keeps a recent value, the shift, and the sums of the values and of their squares less the shift, so that
squares of large prices do not swallow small deviations. The mean is `shift + total / n`. `peak` is the largest sum of
squares since the sums were computed afresh; a new window begins with all of them 0.
"""

from __future__ import annotations

from evenkeel.features.node import DRIFT_BARS
from evenkeel.kernel import inlined

CANCELLATION = 1024.0
"""The sums are computed afresh when so little of them is left in the variance: it keeps ten digits."""


@inlined
def shifted_sums(a, first, last, shift):
    """Return the sums of the values and of their squares, each less `shift`, from `a[first]` to `a[last]`."""
    total, squares = 0.0, 0.0
    for i in range(first, last + 1):
        d = a[i] - shift
        total += d
        squares += d * d
    return total, squares


@inlined
def moved_sums(total, squares, peak, new, gone):
    """Return sums and peak after a value has entered the window and another one left it, each less the shift."""
    total = total + new - gone
    squares = squares + new * new - gone * gone
    return total, squares, max(peak, squares)


@inlined
def squared_deviations(total, squares, n):
    """Return the sum of the squared deviations from the mean of n values."""
    return squares - total * total * (1.0 / n)


@inlined
def are_stale(deviations, peak, seen):
    """Return whether the sums must be computed afresh, less the newest value."""
    return CANCELLATION * deviations < peak or seen % DRIFT_BARS == 0
