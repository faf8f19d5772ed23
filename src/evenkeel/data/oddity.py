"""Odd bars: moves far beyond those before them, prints that came straight back, prices off the tick.

Robust yardsticks only: a move is measured against the median size of the moves before it, so one bad print does not
hide the next. All of this is remarked upon and nothing is removed; real crashes are outliers too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from evenkeel.data.calendar import Calendar
from evenkeel.model.bar import Bars, Floats, Ints
from evenkeel.model.instrument import Instrument

Flags: TypeAlias = npt.NDArray[np.bool_]

OUTLIER_WINDOW = 100
"""Moves before a bar whose median size is the yardstick for its own."""

OUTLIER_WINDOW_MIN = 20
"""Fewer moves than this are no yardstick."""

OUTLIER_MULTIPLE = 25.0
"""A move of so many medians is remarked upon; for normal moves that is about 17 standard deviations."""

GHOST_RETURN = 0.8
"""Share of an outlying move that the next bar must take back for the print to look like a ghost."""

TICK_TOLERANCE = 1e-9
"""Relative distance from the tick grid that is rounding, not another price."""


@dataclass(frozen=True, slots=True)
class Oddities:
    """Rows of odd bars, in order.

    Attributes:
        outliers: The close moved far.
        ghosts: The close, high or low moved far and came straight back.
        off_tick: A price is not on the instrument's tick.
        off_tick_share: Share of the prices that are not.
    """

    outliers: Ints
    ghosts: Ints
    off_tick: Ints
    off_tick_share: float


_NO_ROWS = np.empty(0, dtype=np.int64)

NO_ODDITIES = Oddities(outliers=_NO_ROWS, ghosts=_NO_ROWS, off_tick=_NO_ROWS, off_tick_share=0.0)
"""Where nothing was looked for."""


def find_oddities(bars: Bars, instrument: Instrument, calendar: Calendar) -> Oddities:
    """Return the odd bars of a series; moves between sessions and outside them are not measured."""
    tick = instrument.tick_grid
    off_tick = [
        _off_tick(price, tick.numerator, tick.denominator) for price in (bars.open, bars.high, bars.low, bars.close)
    ]
    inside = _is_measured(bars, calendar)
    moves = np.full(len(bars), np.nan)
    moves[1:] = np.diff(np.log(bars.close))
    moves[~inside] = np.nan
    usual = _usual_size(moves, float(instrument.tick_size) / bars.close)
    far = np.abs(moves) > OUTLIER_MULTIPLE * usual
    came_back = np.zeros(len(bars), dtype=np.bool_)
    came_back[:-1] = far[:-1] & (np.abs(moves[:-1] + moves[1:]) <= (1 - GHOST_RETURN) * np.abs(moves[:-1]))
    wick = np.maximum(
        np.log(bars.high / np.maximum(bars.open, bars.close)), np.log(np.minimum(bars.open, bars.close) / bars.low)
    )
    spike = inside & (wick > OUTLIER_MULTIPLE * usual)
    after_ghost = np.concatenate(([False], came_back[:-1]))
    return Oddities(
        outliers=_rows(far & ~came_back & ~after_ghost),
        ghosts=_rows(came_back | spike),
        off_tick=_rows(np.any(off_tick, axis=0)),
        off_tick_share=float(np.mean(off_tick)) if len(bars) else 0.0,
    )


def _is_measured(bars: Bars, calendar: Calendar) -> Flags:
    """Whether the close before a bar is a yardstick for it: within a day, both must lie in one session."""
    if bars.timeframe.is_calendar or calendar.always_open:
        return np.ones(len(bars), dtype=np.bool_)
    session = calendar.session_of(bars.open_ns)
    measured = session >= 0
    measured[1:] &= session[1:] == session[:-1]
    return measured


def _usual_size(moves: Floats, smallest: Floats) -> Floats:
    """Return the median size of the moves before each bar, at least `smallest`; infinite while too few are known."""
    import polars as pl

    sizes = pl.Series(np.abs(moves)).fill_nan(None)
    median = sizes.rolling_median(OUTLIER_WINDOW, min_samples=OUTLIER_WINDOW_MIN).shift(1)
    usual: Floats = np.maximum(median.fill_null(np.inf).to_numpy(), smallest)
    return usual


def _off_tick(prices: Floats, numerator: int, denominator: int) -> Flags:
    on_grid = np.rint(prices * denominator / numerator) * numerator / denominator
    return np.abs(on_grid - prices) > TICK_TOLERANCE * prices


def _rows(flags: Flags) -> Ints:
    return np.flatnonzero(flags).astype(np.int64)
