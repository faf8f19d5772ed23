"""What only a perpetual has: funding rates and open interest, both made from the path of the price.

Funding leans to the side to which the price went in the eight hours before: who goes with the move pays. Open interest
grows with ordinary moves and shrinks in violent ones, when positions are thrown out.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from evenkeel.data.synthetic.path import growth
from evenkeel.data.synthetic.recipe import TURNOVER, Recipe
from evenkeel.data.synthetic.stream import Bell, bells
from evenkeel.model.bar import Bars, Floats, Ints
from evenkeel.model.number import Grid
from evenkeel.model.time import HOUR, MINUTE

FUNDING_INTERVAL = 8 * HOUR
FUNDING_REST = 0.0001
"""Rate where the price does not move, per interval: what venues charge as interest."""

FUNDING_LEAN = 0.02
"""Part of the move of the interval before that is added to the rate."""

FUNDING_NOISE = 0.00003
FUNDING_MAX = 0.0075
RATES_PER_UNIT = 1_000_000
"""A rate is a whole number of millionths."""

INTEREST_TURNOVERS = 1_000.0
"""Open interest at the start, in volumes of an ordinary minute."""

INTEREST_KEPT = 0.99
INTEREST_GROWN = 0.004
INTEREST_SHED = 0.03
INTEREST_NOISE = 0.002
"""Each hour: what stays of the last change, what a move of one deviation adds, what each beyond the third takes."""


class Readings(NamedTuple):
    """Values that become known one after the other.

    Attributes:
        times_ns: When, nanoseconds UTC, rising.
        values: What.
    """

    times_ns: Ints
    values: Floats


def funding_of(bars: Bars, key: int) -> Readings:
    """Return the funding rates at 00, 08 and 16 o'clock UTC that lie inside the bars.

    Args:
        bars: Without a gap.
        key: Chooses the noise.
    """
    times = _instants(bars, FUNDING_INTERVAL)
    times = times[times < bars.close_ns[-1]]
    close = _closes(bars, times)
    before = np.concatenate([[bars.open[0]], close[:-1]])
    noise = FUNDING_NOISE * bells(key, Bell.FUNDING, len(times))
    rates = FUNDING_REST + FUNDING_LEAN * (close / before - 1.0) + noise
    capped = np.minimum(np.maximum(rates, -FUNDING_MAX), FUNDING_MAX)
    return Readings(times, np.rint(capped * RATES_PER_UNIT) / RATES_PER_UNIT)


def open_interest_of(bars: Bars, recipe: Recipe, key: int) -> Readings:
    """Return the open interest at every full hour, in units; arguments as in `funding_of`."""
    times = _instants(bars, HOUR)
    close = _closes(bars, times)
    before = np.concatenate([[bars.open[0]], close[:-1]])
    hourly = recipe.parameters.volatility_base / math.sqrt(24)
    moves = np.abs(close / before - 1.0) / hourly
    grown = INTEREST_GROWN * np.minimum(moves, 2.0) - INTEREST_SHED * np.maximum(moves - 3.0, 0.0)
    steps = grown + INTEREST_NOISE * bells(key, Bell.INTEREST, len(times))
    change, changes = 0.0, []
    for step in steps.tolist():
        change = INTEREST_KEPT * change + step
        changes.append(change)
    grid = Grid.of(recipe.lot)
    units = INTEREST_TURNOVERS * TURNOVER / recipe.base * growth(np.array(changes))
    counts = np.maximum(np.rint(units * grid.denominator / grid.numerator), 1.0)
    return Readings(times, counts * grid.numerator / grid.denominator)


def _instants(bars: Bars, interval_ns: int) -> Ints:
    """Return the multiples of the interval after the first open, up to the last close."""
    first = (int(bars.open_ns[0]) // interval_ns + 1) * interval_ns
    return np.arange(first, int(bars.close_ns[-1]) + 1, interval_ns, dtype=np.int64)


def _closes(bars: Bars, times: Ints) -> Floats:
    """Return the closes of the bars that end at the times."""
    closes: Floats = bars.close[(times - bars.open_ns[0]) // MINUTE - 1]
    return closes
