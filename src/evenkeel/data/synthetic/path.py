"""From a shape to the path of the price, minute by minute.

The noise is a walk with the volatility that the shape asks for, *tied* to the shape at the ends of the legs and, in
long legs, some times between: from tie to tie it is a random walk that ends where the shape says, whatever the seed and
the length. The walk adds up integers, so no order of additions matters.

Nothing here needs a library of mathematics: growth by a rational function stands for the exponential, and waves of
parabolas for sines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from evenkeel.data.synthetic.shape import Leg, Shape, Shocks, Span, Wave
from evenkeel.data.synthetic.stream import Bell, Column, bells, shares, words
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.time import DAY, MINUTE

MINUTES_PER_DAY = DAY // MINUTE

FREE_MINUTES = 16_000
TIES_MAX = 8
"""A walk may be free for eleven days; a longer leg is tied in several pieces, at most so many."""

UNIT = float(1 << 40)
"""Noise is counted in this part of one, so that sums of it are exact."""


@dataclass(frozen=True, slots=True)
class Path:
    """The price at the end of every minute, and what the bars are made of.

    Attributes:
        level: Price as a multiple of the base price at the start and after each minute, one more than there are
            minutes.
        sigma: Standard deviation of the return of each minute.
        volume: Multiple of the ordinary volume of each minute.
        gap: What the open of each minute is of the close before it; 1 where there is no gap.
    """

    level: Floats
    sigma: Floats
    volume: Floats
    gap: Floats


def trace(shape: Shape, key: int, minutes: int) -> Path:
    """Return the path of a shape with noise.

    Args:
        shape: What the regime says.
        key: Chooses the noise.
        minutes: Length of the path.
    """
    plan = _Plan(minutes, shape.daily)
    for leg in shape.legs:
        plan.add(leg)
    for wave in shape.waves:
        plan.add_wave(wave)
    steps = plan.sigma * bells(key, Bell.BODY, minutes)
    if shape.shocks is not None:
        _add_shocks(steps, shape.shocks, plan.sigma, key)
    level = plan.level * growth(_tied(steps, np.array(plan.ties)))
    return Path(_reflected(level, plan.floor, plan.ceiling), plan.sigma, plan.volume, plan.gap)


def growth(x: Floats) -> Floats:
    """Return `1 + x + x*x/2`, and one over that of `-x` below zero.

    It stands for the exponential: never zero, always rising, `growth(-x) = 1 / growth(x)`, and 0.02 % beside it at 0.1.
    """
    size = np.abs(x)
    up = 1.0 + size + size * size * 0.5
    return np.where(x < 0.0, 1.0 / up, up)


def swing(turns: Floats) -> Floats:
    """Return a wave of period 1 that is 0 at 0, 1 at 1/4 and -1 at 3/4: two parabolas in place of a sine."""
    turn = turns - np.floor(turns)
    return np.where(turn < 0.5, 16.0 * turn * (0.5 - turn), -16.0 * (turn - 0.5) * (1.0 - turn))


class _Plan:
    """The shape minute by minute, in the making.

    Args:
        minutes: Length of the path.
        daily: Volatility of a day.
    """

    def __init__(self, minutes: int, daily: float) -> None:
        self.minutes = minutes
        self.level = np.ones(minutes + 1)
        self.floor = np.zeros(minutes + 1)
        self.ceiling = np.full(minutes + 1, np.inf)
        self.sigma = np.zeros(minutes)
        self.volume = np.ones(minutes)
        self.gap = np.ones(minutes)
        self.ties = [0]
        self._sigma = daily / math.sqrt(MINUTES_PER_DAY)
        self._at = 1.0

    def add(self, leg: Leg) -> None:
        """Put a leg behind those that are there; one that is shorter than a minute only moves the level."""
        start, stop = self.ties[-1], self._point(leg.until)
        begins = self._at if leg.gap_to is None else leg.gap_to
        if stop > start:
            done = np.arange(1, stop - start + 1) / (stop - start)
            covered = done * (1.0 + leg.bend * (done - 1.0))
            ends = slice(start + 1, stop + 1)
            self.level[ends] = begins + (leg.to - begins) * covered
            self.sigma[start:stop] = self._sigma * _line(leg.volatility, done)
            self.volume[start:stop] = _line(leg.volume, done)
            self.gap[start] = begins / self._at
            if leg.floor is not None:
                self.floor[ends] = _line(leg.floor, done)
            if leg.ceiling is not None:
                self.ceiling[ends] = _line(leg.ceiling, done)
            own = min(TIES_MAX, -(-(stop - start) // FREE_MINUTES))
            pieces = min(stop - start, max(leg.ties, own))
            self.ties += [start + (stop - start) * piece // pieces for piece in range(1, pieces + 1)]
        self._at = leg.to

    def add_wave(self, wave: Wave) -> None:
        """Put a wave on the legs."""
        start, stop = self._point(wave.start), self._point(wave.stop)
        if stop > start:
            done = np.arange(stop - start + 1) / (stop - start)
            self.level[start : stop + 1] += wave.height * swing(wave.cycles * done)

    def _point(self, share: float) -> int:
        return int(share * self.minutes + 0.5)


def _line(span: Span, done: Floats) -> Floats:
    return span[0] + (span[1] - span[0]) * done


def _add_shocks(steps: Floats, shocks: Shocks, sigma: Floats, key: int) -> None:
    blocks = -(-len(steps) // shocks.block_minutes)
    block = np.flatnonzero(shares(key, Column.SHOCK, blocks) < shocks.probability)
    drawn = words(key, Column.SHOCK_PLACE, blocks)[block]
    minute = block * shocks.block_minutes + (drawn >> np.uint64(1)).astype(np.int64) % shocks.block_minutes
    inside = minute < len(steps)
    minute, up = minute[inside], (drawn[inside] & np.uint64(1)).astype(np.float64)
    size = shocks.deviations * math.sqrt(shocks.block_minutes)
    steps[minute] += (2.0 * up - 1.0) * size * sigma[minute]


def _tied(steps: Floats, ties: Ints) -> Floats:
    """Return the walk of the steps, less the straight line from each tie to the next of what the walk made there."""
    walk = np.concatenate([[0], np.cumsum(np.rint(steps * UNIT).astype(np.int64))])
    length = np.diff(ties)
    piece = np.repeat(np.arange(len(length)), length)
    start = ties[:-1][piece]
    made = np.diff(walk[ties]).astype(np.float64)
    inside = (np.arange(1, len(walk)) - start) / length[piece]
    left = (walk[1:] - walk[start]).astype(np.float64) - made[piece] * inside
    return np.concatenate([[0.0], left / UNIT])


def _reflected(level: Floats, floor: Floats, ceiling: Floats) -> Floats:
    """Throw back what goes through floor or ceiling, between two walls as often as it takes."""
    width = np.where(np.isfinite(ceiling), ceiling - floor, 1.0)
    turned = (level - floor) / (2.0 * width)
    place = (turned - np.floor(turned)) * (2.0 * width)
    between = floor + width - np.abs(width - place)
    under = np.minimum(level, 2.0 * ceiling - level)
    alone = np.maximum(under, 2.0 * floor - under)
    walled = np.isfinite(ceiling) & (floor > 0.0)
    return np.maximum(np.minimum(np.where(walled, between, alone), ceiling), floor)
