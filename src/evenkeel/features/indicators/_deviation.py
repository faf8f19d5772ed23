"""The squared deviations of the last n values, as the bands around a mean need them."""

from __future__ import annotations

from evenkeel.features.indicators._window import spliced
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


@spliced
def window_deviations(a, i, n, seen, shift, total, squares, peak):
    """Return shift, sums and peak with the value `a[i]`, the `seen`-th, and the sum of the squared deviations.

    The sums are of the values less a recent one, the shift, so that squares of large prices do not swallow small
    deviations; `peak` is the largest sum of squares since they were computed afresh. The mean is `shift + total / n`.
    Defined from the n-th value on.
    """
    v, share = a[i], 1.0 / n
    if seen == 1:
        shift, total, squares, peak = v, 0.0, 0.0, 0.0
    d = v - shift
    total += d
    squares += d * d
    if seen > n:
        gone = a[i - n] - shift
        total -= gone
        squares -= gone * gone
    peak = max(peak, squares)
    deviations = squares - total * total * share
    if seen >= n and (CANCELLATION * deviations < peak or seen % DRIFT_BARS == 0):
        shift = v
        total, squares = shifted_sums(a, i - n + 1, i, shift)
        peak = squares
        deviations = squares - total * total * share
    return shift, total, squares, peak, deviations
