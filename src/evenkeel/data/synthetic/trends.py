"""Shapes that go somewhere: trends, reversals and breakouts."""

from __future__ import annotations

from evenkeel.data.synthetic.parameters import Parameters
from evenkeel.data.synthetic.ranges import Range
from evenkeel.data.synthetic.shape import Leg, Shape
from evenkeel.data.synthetic.stream import Draws

RESUME_RATE = 0.8
"""Speed of a trend after its retracement, as a fraction of the speed before."""

BREAK_HEIGHT = 0.10
"""How far the break before a retest goes beyond the edge."""


def trend_clean(p: Parameters, draws: Draws) -> Shape:
    """70 % move of T, 15 % retracement, 15 % resumption at 0.8 of the first rate."""
    del draws
    top = 1.0 + p.trend_magnitude
    low = top - p.pullback_depth * p.trend_magnitude
    resumed = low + RESUME_RATE * p.trend_magnitude * (0.15 / 0.7)
    return Shape([Leg(0.7, top), Leg(0.85, low), Leg(1.0, resumed)], p.noise)


def trend_grinding(p: Parameters, draws: Draws) -> Shape:
    """Half of T over the whole path at 0.3 of the volatility."""
    del draws
    return Shape([Leg(1.0, 1.0 + 0.5 * p.trend_magnitude, volatility=(0.3, 0.3))], p.noise)


def trend_parabolic(p: Parameters, draws: Draws) -> Shape:
    """T over the whole path, four times as fast at the end as at the start."""
    del draws
    return Shape([Leg(1.0, 1.0 + p.trend_magnitude, bend=0.6)], p.noise)


def trend_exhaustion(p: Parameters, draws: Draws) -> Shape:
    """60 % trend, 15 % stall with double noise, 25 % reversal of 0.6 T."""
    del draws
    top = 1.0 + p.trend_magnitude
    stall = Leg(0.75, top, volatility=(2.0, 2.0))
    return Shape([Leg(0.6, top), stall, Leg(1.0, top - 0.6 * p.trend_magnitude)], p.noise)


def trend_stairs(p: Parameters, draws: Draws) -> Shape:
    """Equal steps: 60 % of each advances, 40 % pauses."""
    del draws
    legs = []
    for step in range(p.stairs_steps):
        level = 1.0 + p.trend_magnitude * (step + 1) / p.stairs_steps
        legs += [
            Leg((step + 0.6) / p.stairs_steps, level),
            Leg((step + 1) / p.stairs_steps, level, volatility=(0.6, 0.6)),
        ]
    return Shape(legs, p.noise)


def reversal_v_bottom(p: Parameters, draws: Draws) -> Shape:
    """Down T, then up T at half of the path."""
    del draws
    return Shape([Leg(0.5, 1.0 - p.trend_magnitude), Leg(1.0, 1.0)], p.noise)


def reversal_double_bottom(p: Parameters, draws: Draws) -> Shape:
    """Bottoms of T at 25 % and 75 %, half of it retraced between them."""
    del draws
    low = 1.0 - p.trend_magnitude
    return Shape([Leg(0.25, low), Leg(0.5, low + 0.5 * p.trend_magnitude), Leg(0.75, low), Leg(1.0, 1.0)], p.noise)


def breakout_clean(p: Parameters, draws: Draws) -> Shape:
    """60 % range, 10 % break of 0.3 T, 30 % follow-through of 0.5 T."""
    span = Range(p)
    broken = span.top + 0.3 * p.trend_magnitude
    return Shape([
        *span.legs(draws, 0.0, 0.6, turns=6, end=span.top),
        Leg(0.7, broken, volatility=(1.5, 1.5), volume=(2.0, 2.0)),
        Leg(1.0, broken + 0.5 * p.trend_magnitude),
    ], p.noise)  # fmt: skip


def breakout_false(p: Parameters, draws: Draws) -> Shape:
    """50 % range, 10 % poke of twice the hunt depth, 20 % collapse by the width, then a drift under the range."""
    span = Range(p)
    under = span.bottom - p.hunt_depth
    return Shape([
        *span.legs(draws, 0.0, 0.5, turns=5, end=span.top),
        Leg(0.6, span.top + 2.0 * p.hunt_depth, volume=(1.5, 1.5)),
        Leg(0.8, span.bottom, volume=(2.0, 2.0)),
        Leg(1.0, under, ceiling=(span.bottom, span.bottom)),
    ], p.noise)  # fmt: skip


def breakout_retest(p: Parameters, draws: Draws) -> Shape:
    """40 % range, 10 % break of 10 %, 15 % pullback to the edge, the rest up by 0.5 T."""
    span = Range(p)
    return Shape([
        *span.legs(draws, 0.0, 0.4, turns=4, end=span.top),
        Leg(0.5, span.top + BREAK_HEIGHT, volume=(2.0, 2.0)),
        Leg(0.65, span.top),
        Leg(1.0, span.top + 0.5 * p.trend_magnitude),
    ], p.noise)  # fmt: skip
