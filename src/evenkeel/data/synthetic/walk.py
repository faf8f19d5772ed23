"""A random walk of one-minute bars, the same on every platform: the series of measurements and tests.

The bars have no gap, no session and no story. Markets with a story are recipes; see `evenkeel.data.synthetic`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evenkeel.data.synthetic.stream import SUMMANDS, normals, uniforms
from evenkeel.model.bar import Bars
from evenkeel.model.errors import require
from evenkeel.model.time import MINUTE, Timeframe

FIRST_OPEN_NS = 1_577_836_800_000_000_000
"""2020-01-01T00:00:00Z."""

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
