"""From the path to one-minute bars on the grid of prices and volumes.

A bar opens beside the close before it, reaches beyond its body on both sides, and trades the more the further it moves.
Gap and wicks are in proportion to the volatility of the minute: 0.1 % and 0.5 % of a day at the ordinary 2 %.
"""

from __future__ import annotations

import math

import numpy as np

from evenkeel.data.synthetic.path import MINUTES_PER_DAY, Path, growth
from evenkeel.data.synthetic.recipe import TURNOVER, Recipe
from evenkeel.data.synthetic.stream import Bell, bells
from evenkeel.model.bar import Bars, Floats
from evenkeel.model.number import Grid
from evenkeel.model.time import MINUTE, TIMEFRAMES

OPEN_SHARE = 0.05
"""Deviation of an open from the close before it, as a fraction of the volatility: 0.1 % at 2 %."""

WICK_SHARE = 0.25
"""The same of a wick: 0.5 % at 2 %."""

VOLUME_SPREAD, QUARTER_SPREAD = 0.5, 0.35
"""Spread of the volume of a minute and of a quarter of an hour; the deviation of its logarithm, nearly."""

QUARTER = 15


def candles(path: Path, recipe: Recipe, key: int) -> Bars:
    """Return the bars of a path, without a gap in time."""
    minutes, grid = recipe.minutes, Grid.of(recipe.tick)
    ticks = np.maximum(np.rint(path.level * recipe.base * grid.denominator / grid.numerator), 1.0)
    before, close = ticks[:-1], ticks[1:]
    opened = before * path.gap * (1.0 + OPEN_SHARE * path.sigma * bells(key, Bell.OPEN, minutes))
    opened = np.maximum(np.rint(opened), 1.0)
    opened[0] = ticks[0]
    up, down = (np.abs(bells(key, bell, minutes)) * path.sigma * WICK_SHARE for bell in (Bell.UP, Bell.DOWN))
    high = np.rint(np.maximum(opened, close) * (1.0 + up))
    low = np.maximum(np.rint(np.minimum(opened, close) / (1.0 + down)), 1.0)
    open_ns = np.arange(minutes, dtype=np.int64) * MINUTE + recipe.first_open_ns
    return Bars(
        TIMEFRAMES["1m"], open_ns, open_ns + MINUTE, _on(grid, opened), _on(grid, high), _on(grid, low),
        _on(grid, close), _volume(np.abs(close - opened) / opened, ticks, path, recipe, key),
    )  # fmt: skip


def _volume(move: Floats, ticks: Floats, path: Path, recipe: Recipe, key: int) -> Floats:
    """Return volumes, at least one lot: more in a large minute and in a large quarter of an hour.

    Growth of a bell takes the place of a lognormal number, once for every minute and once for every quarter.

    Args:
        move: Of each minute, as a fraction of the price.
        ticks: Price at the start and after each minute.
    """
    grid, minutes = Grid.of(recipe.lot), recipe.minutes
    ordinary = recipe.parameters.volatility_base / math.sqrt(MINUTES_PER_DAY)
    first = np.arange(0, minutes, QUARTER)
    opened, closed = ticks[first], ticks[np.minimum(first + QUARTER, minutes)]
    quarter_move = np.abs(closed - opened) / opened / (ordinary * math.sqrt(QUARTER))
    quarter = growth(QUARTER_SPREAD * bells(key, Bell.QUARTER, len(first))) * (0.5 + 0.5 * quarter_move)
    minute = growth(VOLUME_SPREAD * bells(key, Bell.VOLUME, minutes)) * (1.0 + move / ordinary)
    units = TURNOVER / recipe.base * path.volume * minute * np.repeat(quarter, QUARTER)[:minutes]
    return _on(grid, np.maximum(np.rint(units * grid.denominator / grid.numerator), 1.0))


def _on(grid: Grid, counts: Floats) -> Floats:
    """Return what whole counts stand for: with one division, so that it equals the parsed decimal bit for bit."""
    return counts * grid.numerator / grid.denominator
