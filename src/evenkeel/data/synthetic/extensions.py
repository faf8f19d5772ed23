"""Shapes beyond the table, for structures: impulses, gaps, equal highs and lows, an order block that is revisited."""

from __future__ import annotations

from evenkeel.data.synthetic.parameters import Parameters
from evenkeel.data.synthetic.ranges import Range
from evenkeel.data.synthetic.shape import Leg, Shape
from evenkeel.data.synthetic.stream import Draws

IMPULSES = 4
IMPULSE_LENGTH = 0.005
"""Impulses of a market, and how much of the path each takes."""

GAPS = 8
"""Gaps of a trend."""

EQUAL_TURNS = 6
"""Highs and lows of the range that has equal ones."""


def displacement_impulse(p: Parameters, draws: Draws) -> Shape:
    """Four quiet stretches, each left by a fast move of T/4 that keeps most of its way."""
    del draws
    legs, level, part = [], 1.0, 1.0 / IMPULSES
    for impulse in range(IMPULSES):
        start, move = impulse * part, p.trend_magnitude / IMPULSES
        legs += [
            Leg(start + 0.7 * part, level, volatility=(0.5, 0.5), volume=(0.7, 0.7)),
            Leg(start + 0.7 * part + IMPULSE_LENGTH, level + 1.25 * move, volatility=(1.5, 1.5), volume=(4.0, 4.0)),
            Leg(start + part, level + move),
        ]
        level += move
    return Shape(legs, p.noise)


def trending_with_gaps(p: Parameters, draws: Draws) -> Shape:
    """A trend of T of which half is made by eight gaps; each is partly filled before the trend goes on."""
    del draws
    legs, part, move = [], 1.0 / GAPS, p.trend_magnitude / GAPS
    for gap in range(GAPS):
        start, level = gap * part, 1.0 + gap * move
        opened = level + move
        legs += [
            Leg(start + 0.5 * part, level + 0.5 * move),
            Leg(start + 0.7 * part, opened - 0.25 * move, gap_to=opened),
            Leg(start + part, opened),
        ]
    return Shape(legs, p.noise)


def equal_highs_lows(p: Parameters, draws: Draws) -> Shape:
    """72 % between equal highs and equal lows, 8 % sweep beyond the highs, then down to the lows and through."""
    del draws
    span = Range(p)
    legs = [span.leg(0.12 * (turn + 1), span.bottom if turn % 2 else span.top) for turn in range(EQUAL_TURNS)]
    swept = span.top + p.hunt_depth
    sweep = Leg(0.8, swept, floor=(span.bottom, span.bottom), ceiling=(swept, swept))
    down = Leg(1.0, span.bottom - p.hunt_depth, ceiling=(swept, swept))
    return Shape([*legs, sweep, down], p.noise)


def ob_retest(p: Parameters, draws: Draws) -> Shape:
    """A last dip of T/10, an impulse of T/2 out of it, the return into the dip, and a trend up to T."""
    del draws
    dip = 1.0 - 0.1 * p.trend_magnitude
    return Shape([
        Leg(0.3, 1.0, volatility=(0.7, 0.7)),
        Leg(0.33, dip, volatility=(0.7, 0.7)),
        Leg(0.35, dip + 0.5 * p.trend_magnitude, volatility=(1.5, 1.5), volume=(3.0, 3.0)),
        Leg(0.5, dip + 0.6 * p.trend_magnitude),
        Leg(0.7, 0.5 * (dip + 1.0)),
        Leg(1.0, 1.0 + p.trend_magnitude),
    ], p.noise)  # fmt: skip
