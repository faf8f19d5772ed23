"""What several indicators are built from, over whole columns without missing values (section 3 of plays.md).

Sums, extremes and moments of windows are merged from windows of half the length: as exact as adding pairwise, and the
work grows with the logarithm of the length.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Part = tuple[Floats, ...]
"""Columns about windows of one length."""

FLAT = 1e-12
"""A window is flat when its extremes differ by no more than this part of the larger one."""

CHUNK = 1 << 16
"""Values, or windows that are spelled out, which are worked on at once."""


def missing(count: int) -> Floats:
    """Return a column without values."""
    return np.full(count, np.nan)


def behind(values: Floats, bars: int, count: int) -> Floats:
    """Return what begins some bars later, in its place."""
    return np.concatenate([missing(min(bars, count)), values])[:count]


def then(values: Floats, stage: Callable[[Floats], Floats]) -> Floats:
    """Apply a stage to what follows the leading missing values: it counts from the first value."""
    known = ~np.isnan(values)
    start = int(np.argmax(known)) if known.any() else len(values)
    return np.concatenate([values[:start], stage(values[start:])])


def smoothed(values: Floats, alpha: float) -> Floats:
    """Return EMA1 or RMA1: e += alpha * (x - e), started by the first value."""
    if not len(values):
        return values
    found = np.empty(len(values))
    found[0] = values[0]
    _follow(values[1:], alpha, found)
    return found


def _follow(values: Floats, alpha: float, found: Floats) -> None:
    """Go on behind the first of what was found, block by block."""
    for start in range(0, len(values), CHUNK):
        moves = np.concatenate([found[start : start + 1], values[start : start + CHUNK]])
        found[start + 1 : start + len(moves)] = pl.Series(moves).ewm_mean(alpha=alpha, adjust=False).to_numpy()[1:]


def seeded(values: Floats, n: int, alpha: float) -> Floats:
    """Return EMA or RMA: the same, started at the nth value by the mean of the first n."""
    if len(values) < n:
        return missing(len(values))
    found = missing(len(values))
    found[n - 1] = values[:n].mean()
    _follow(values[n:], alpha, found[n - 1 :])
    return found


def ema(values: Floats, n: int) -> Floats:
    """Return EMA(n)."""
    return seeded(values, n, 2 / (n + 1))


def ema1(values: Floats, n: int) -> Floats:
    """Return EMA1(n)."""
    return smoothed(values, 2 / (n + 1))


def rma(values: Floats, n: int) -> Floats:
    """Return RMA(n)."""
    return seeded(values, n, 1 / n)


def rma1(values: Floats, n: int) -> Floats:
    """Return RMA1(n)."""
    return smoothed(values, 1 / n)


def folded(single: Part, n: int, merge: Callable[[Part, Part, int, int], Part]) -> Part:
    """Return what windows of n values are, from what single values are, by merging neighbours.

    Args:
        single: Of each value; line i of the result is the window that begins there.
        n: Length of a window.
        merge: Takes windows and those that begin where they end, and the lengths of both.
    """
    found, found_length, part, length = None, 0, single, 1
    while True:
        if n & 1:
            found = part if found is None else _beside(found, part, found_length, length, merge)
            found_length += length
        n >>= 1
        if not n:
            return single if found is None else found
        part = _beside(part, part, length, length, merge)
        length *= 2


def _beside(older: Part, newer: Part, a: int, b: int, merge: Callable[[Part, Part, int, int], Part]) -> Part:
    count = len(newer[0]) - a
    return merge(tuple(one[:count] for one in older), tuple(one[a:] for one in newer), a, b)


def _added(older: Part, newer: Part, _: int, __: int) -> Part:
    return (older[0] + newer[0],)


def window_sum(values: Floats, n: int) -> Floats:
    """Return the sum of the last n values; missing before there are n."""
    if len(values) < n:
        return missing(len(values))
    return behind(folded((values,), n, _added)[0], n - 1, len(values))


def window_mean(values: Floats, n: int) -> Floats:
    """Return SMA(n)."""
    return window_sum(values, n) / n


def window_max(values: Floats, n: int) -> Floats:
    """Return the largest of the last n values."""
    return _extreme(values, n, np.maximum)


def window_min(values: Floats, n: int) -> Floats:
    """Return the smallest of the last n values."""
    return _extreme(values, n, np.minimum)


def _extreme(values: Floats, n: int, best: Callable[[Floats, Floats], Floats]) -> Floats:
    if len(values) < n:
        return missing(len(values))
    part, length = values, 1
    while 2 * length <= n:
        part = best(part[length:], part[:-length])
        length *= 2
    rest = n - length
    return behind(best(part[rest:], part[: len(part) - rest]) if rest else part, n - 1, len(values))


def window_spread(values: Floats, n: int) -> tuple[Floats, Floats]:
    """Return mean and sum of squared distances from it, of the last n values."""
    if len(values) < n:
        return missing(len(values)), missing(len(values))
    mean, squares = folded((values, np.zeros(len(values))), n, _spread)
    return behind(mean, n - 1, len(values)), behind(squares, n - 1, len(values))


def _spread(older: Part, newer: Part, a: int, b: int) -> Part:
    """Merge mean and squares of neighbours, which cancels nothing (Chan, Golub and LeVeque 1979)."""
    apart = newer[0] - older[0]
    share = b / (a + b)
    return older[0] + apart * share, older[1] + newer[1] + apart * apart * (a * share)


def over_windows(values: Floats, n: int, what: Callable[[Floats], Floats]) -> Floats:
    """Apply a function to tables of full windows, one a row, oldest value first."""
    if len(values) < n:
        return missing(len(values))
    windows = np.lib.stride_tricks.sliding_window_view(values, n)
    parts = [what(windows[start : start + CHUNK]) for start in range(0, len(windows), CHUNK)]
    return behind(np.concatenate(parts), n - 1, len(values))


def weighted(values: Floats, weights: Floats) -> Floats:
    """Return the sum of the last values, each times its weight, oldest first."""
    if len(values) < len(weights):
        return missing(len(values))
    return behind(np.convolve(values, weights[::-1], mode="valid"), len(weights) - 1, len(values))


def is_flat(low: Floats, high: Floats) -> Bools:
    """Return where extremes are as good as equal."""
    return high - low <= FLAT * np.maximum(np.abs(low), np.abs(high))


def quotient(numerator: Floats, denominator: Floats, otherwise: float = np.nan) -> Floats:
    """Return the quotient, and something else where the denominator is zero."""
    zero = denominator == 0
    return np.where(zero, otherwise, numerator / np.where(zero, 1.0, denominator))


def lagged(values: Floats, bars: int) -> Floats:
    """Return the values of some bars ago."""
    return behind(values, bars, len(values))


def direction(before: Floats, values: Floats) -> Floats:
    """Return the sign of each change; means of prices that differ by their rounding only have not changed."""
    same = is_flat(np.minimum(before, values), np.maximum(before, values))
    return np.where(same, 0.0, np.sign(values - before))


def typical(high: Floats, low: Floats, close: Floats) -> Floats:
    """Return hlc3."""
    return (high + low + close) / 3


def true_range(high: Floats, low: Floats, close: Floats) -> Floats:
    """Return TR; that of the first bar is its range."""
    before = np.concatenate([close[:1], close[:-1]])
    found: Floats = np.maximum(high - low, np.maximum(np.abs(high - before), np.abs(low - before)))
    found[:1] = high[:1] - low[:1]
    return found
