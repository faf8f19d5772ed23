"""Where stop and targets of a position lie, and how its stop follows the price: the one rule, in every mode.

The simulated venue applies it to a base bar, the supervisor of an account to a base close that it is told. A stop only
ever tightens; levels are rounded so that risk never grows; profit is a fraction of the entry price. Source: plays.md
1.11 and 6.1 (rounding), with golden vectors 26 to 29 of 6.13 as tests.
"""

from __future__ import annotations

import math

import numpy as np

from evenkeel.kernel import inlined
from evenkeel.model.bar import Floats, Ints
from evenkeel.risk.sizing import SNAP

ON_GRID = 1e-12
"""A price so close to the grid, in ticks relative to their count, lies on it."""
PROFIT_SLACK = 1e-12
"""A profit that is the activation of a rule in decimals may fall short of it by this in floats; a tick is far more."""
UNMOVED, TRAILED, EVENED = 0, 1, 2
"""What a base close did to a stop."""


@inlined
def grid_down(price: float, numerator: float, denominator: float) -> float:
    """Return the highest grid price not above `price`; a tick is `numerator / denominator`."""
    count = price * denominator / numerator
    near = np.rint(count)
    if abs(count - near) > ON_GRID * max(1.0, abs(count)):
        near = math.floor(count)
    return near * numerator / denominator


@inlined
def grid_towards_entry(level: float, direction: int, numerator: float, denominator: float) -> float:
    """Return a stop level on the grid, rounded so that risk never grows: up for a long, down for a short."""
    if direction > 0:
        return -grid_down(-level, numerator, denominator)
    return grid_down(level, numerator, denominator)


@inlined
def stop_at(price: float, direction: int, distance: float, numerator: float, denominator: float) -> float:
    """Return the level of a stop so far from a fill; an infinity where there is none, or it cannot be reached."""
    if distance == distance and price - direction * distance > 0.0:
        return grid_towards_entry(price - direction * distance, direction, numerator, denominator)
    return -direction * math.inf


@inlined
def target_at(price: float, direction: int, distance: float, numerator: float, denominator: float) -> float:
    """Return the level of a target so far from a fill, rounded towards it; an infinity where it cannot be reached."""
    level = price + direction * distance
    if not level > 0.0:
        return direction * math.inf
    return grid_towards_entry(level, -direction, numerator, denominator)


@inlined
def profit_of(close: float, direction: int, entry: float) -> float:
    """Return how far a close lies on the good side of the entry price, as a fraction of it."""
    return direction * (close - entry) / entry


@inlined
def moved_stop(
    close: float, direction: int, entry: float, stop: float, armed: int, evened: int,
    trail_distance: float, trail_fraction: float, trail_activation: float, even_activation: float, even_offset: float,
    numerator: float, denominator: float,
) -> tuple[float, int, int, int]:  # fmt: skip
    """Trail a stop by a base close, then bring it to break-even.

    Args:
        close: Of the base bar.
        direction: +1 long, -1 short.
        entry: Average entry price.
        stop: Its level now.
        armed: 1 once the profit reached the activation of trailing; it then stays so.
        evened: 1 once the stop went to break-even, which it does once.
        trail_distance: From the close; used where `trail_fraction` is NaN.
        trail_fraction: The same as a fraction of the close.
        trail_activation: Profit, its slack taken off; infinite does not trail. Likewise `even_activation`.
        even_offset: How far beyond the entry price the stop lies at break-even, as a fraction of it.
        numerator: Of the tick, likewise `denominator`.

    Returns:
        The level, what moved it last, and `armed` and `evened` after it.
    """
    profit = profit_of(close, direction, entry)
    by = UNMOVED
    if profit >= trail_activation:
        armed = 1
    if armed == 1:
        level = close - direction * trail_distance
        if trail_fraction == trail_fraction:
            level = close * (1.0 - direction * trail_fraction)
        if is_nearer(level, direction, stop, numerator, denominator):
            stop, by = grid_towards_entry(level, direction, numerator, denominator), TRAILED
    if evened == 0 and profit >= even_activation:
        evened = 1
        level = entry * (1.0 + direction * even_offset)
        if is_nearer(level, direction, stop, numerator, denominator):
            stop, by = grid_towards_entry(level, direction, numerator, denominator), EVENED
    return stop, by, armed, evened


@inlined
def is_nearer(level: float, direction: int, stop: float, numerator: float, denominator: float) -> bool:
    """Whether a level, on the grid, lies nearer to the price than the stop does; one at or below zero never does."""
    return level > 0.0 and direction * (grid_towards_entry(level, direction, numerator, denominator) - stop) > 0.0


@inlined
def share_of(lots: int, share: float) -> int:
    """Return a share of so many lots, rounded down to whole ones."""
    return math.floor(lots * share * SNAP)


@inlined
def lay_ladder(
    levels: Floats, level_at: int, lots: Ints, lots_at: int, terms: Floats, terms_at: int, steps: int, total: int,
    price: float, direction: int, stop_distance: float, reference: float, numerator: float, denominator: float,
) -> None:  # fmt: skip
    """Set levels and lots of the steps of a ladder, nearest first; the last one takes what rounding left.

    Args:
        levels: Takes the levels, from place `level_at` on.
        lots: Takes the lots that each step closes, unsigned, from place `lots_at` on.
        terms: Holds from place `terms_at` on for each step its multiple of the stop's distance or NaN, its fraction of
            the decision price or NaN, and its share.
        steps: How many there are.
        total: Lots of the position, unsigned.
        price: Average entry price.
        direction: +1 long, -1 short.
        stop_distance: From the entry price to the stop.
        reference: Decision price.
        numerator: Of the tick, likewise `denominator`.
    """
    for k in range(steps):
        ratio, fraction, share = terms[terms_at + 3 * k], terms[terms_at + 3 * k + 1], terms[terms_at + 3 * k + 2]
        distance = ratio * stop_distance if ratio == ratio else fraction * reference
        part, at = share_of(total, share), k
        while at > 0 and levels[level_at + at - 1] > distance:
            levels[level_at + at], lots[lots_at + at] = levels[level_at + at - 1], lots[lots_at + at - 1]
            at -= 1
        levels[level_at + at], lots[lots_at + at] = distance, part
    given = 0
    for k in range(steps):
        levels[level_at + k] = target_at(price, direction, levels[level_at + k], numerator, denominator)
        given += lots[lots_at + k]
    lots[lots_at + steps - 1] += total - given
