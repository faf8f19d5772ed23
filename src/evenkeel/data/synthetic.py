"""Generated markets: a random walk of one-minute bars that is the same on every platform.

Only integer operations, addition, multiplication and division make it, so two machines draw equal bits: a counter goes
through SplitMix64, the sum of twelve uniform numbers less six stands for a normal one, and the walk multiplies its
returns up. The bars have no gap, no session and no story; they serve measurements and tests, never research.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from evenkeel.model.bar import Bars, Floats
from evenkeel.model.errors import require
from evenkeel.model.time import MINUTE, Timeframe

Words: TypeAlias = npt.NDArray[np.uint64]

FIRST_OPEN_NS = 1_577_836_800_000_000_000
"""2020-01-01T00:00:00Z."""

SUMMANDS = 12
"""Uniform numbers in one normal number; the variance of one is 1/12, so that of the sum is 1."""

_WORD = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_COLUMN_BITS = 40
_BPS = 1e-4


@dataclass(frozen=True, slots=True)
class Walk:
    """How a random walk moves.

    Attributes:
        seed: Chooses the walk.
        start: First price.
        sigma_bps: Standard deviation of the return of a bar, in 1/10,000.
        gap_bps: The same of the step from a close to the next open.
        wick_bps: The same of how far a bar reaches beyond its body, up and down.
        decimals: Places to which prices are rounded.
    """

    seed: int = 7
    start: float = 30_000.0
    sigma_bps: float = 5.0
    gap_bps: float = 0.5
    wick_bps: float = 2.0
    decimals: int = 2


def random_walk(bars: int, walk: Walk | None = None, *, first_open_ns: int = FIRST_OPEN_NS) -> Bars:
    """Return one-minute bars of a random walk, around the clock.

    Args:
        bars: How many, at least 1.
        walk: How it moves; None is the series of the benchmarks.
        first_open_ns: When the first bar opens, nanoseconds UTC.

    Raises:
        UsageError: If there is not at least one bar.
    """
    require(bars >= 1, f"a random walk has at least one bar, not {bars}")
    how = walk or Walk()
    body, gap, up, down = (normals(how.seed, column, bars) for column in range(4))
    close = how.start * np.cumprod(1.0 + body * (how.sigma_bps * _BPS))
    opened = np.concatenate([[how.start], close[:-1]]) * (1.0 + gap * (how.gap_bps * _BPS))
    high = np.maximum(opened, close) * (1.0 + np.abs(up) * (how.wick_bps * _BPS))
    low = np.minimum(opened, close) * (1.0 - np.abs(down) * (how.wick_bps * _BPS))
    volume = np.round(uniforms(how.seed, 4 * SUMMANDS, bars) * 10.0 + 0.001, 3)
    open_ns = np.arange(bars, dtype=np.int64) * MINUTE + first_open_ns
    places = how.decimals
    return Bars(
        Timeframe.parse("1m"), open_ns, open_ns + MINUTE, np.round(opened, places), np.round(high, places),
        np.round(low, places), np.round(close, places), volume,
    )  # fmt: skip


def normals(seed: int, column: int, count: int) -> Floats:
    """Return numbers with mean 0 and variance 1 in the shape of a bell, none beyond six.

    Args:
        seed: Chooses the stream.
        column: Which of its columns; each is drawn independently of the others.
        count: How many.
    """
    total = np.zeros(count)
    for summand in range(SUMMANDS):
        total += uniforms(seed, column * SUMMANDS + summand, count)
    return total - SUMMANDS / 2


def uniforms(seed: int, column: int, count: int) -> Floats:
    """Return numbers in 0 <= u < 1, multiples of 2**-53; arguments as in `normals`."""
    first = (seed * _GOLDEN + (column << _COLUMN_BITS)) & _WORD
    words = split_mix(np.arange(1, count + 1, dtype=np.uint64) + np.uint64(first))
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def split_mix(counters: Words) -> Words:
    """Return the SplitMix64 output for each counter: `counter * golden ratio`, mixed."""
    z = counters * np.uint64(_GOLDEN)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
