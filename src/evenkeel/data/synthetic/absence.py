"""Bars that are not there: halts of the exchange, and single minutes that got lost."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evenkeel.data.synthetic.stream import Column, Draws, shares
from evenkeel.model.bar import Bars

HALT_MIN, HALT_MAX = 30, 240
"""Minutes of a halt; never more than a fiftieth of the path."""


def without_absent(bars: Bars, key: int, *, halts: int, missing: float) -> Bars:
    """Return the bars without those that a halt or a loss takes away; the first and the last stay.

    The price moves on meanwhile, so the first bar after a halt opens away from the last one before it.

    Args:
        bars: One-minute bars without a gap.
        key: Chooses where the absences are.
        halts: How many halts, one in each of so many equal parts of the path.
        missing: Share of single bars that get lost.
    """
    present = np.ones(len(bars), dtype=np.bool_)
    if missing:
        present &= shares(key, Column.MISSING, len(bars)) >= missing
    _take_halts(present, Draws(key, Column.HALT), halts)
    present[[0, -1]] = True
    if present.all():
        return bars
    return Bars(
        bars.timeframe, bars.open_ns[present], bars.close_ns[present], bars.open[present], bars.high[present],
        bars.low[present], bars.close[present], bars.volume[present],
    )  # fmt: skip


def _take_halts(present: npt.NDArray[np.bool_], draws: Draws, halts: int) -> None:
    part = len(present) // max(halts, 1)
    for halt in range(halts):
        drawn = HALT_MIN + int(draws.uniform() * (HALT_MAX - HALT_MIN + 1))
        length = max(1, min(drawn, part // 50))
        first = halt * part + 1 + int(draws.uniform() * (part - length - 1))
        present[first : first + length] = False
