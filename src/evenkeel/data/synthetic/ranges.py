"""Shapes that stay: ranges, triangles, hunts for stops, whipsaws, accumulation and distribution."""

from __future__ import annotations

from evenkeel.data.synthetic.parameters import Parameters
from evenkeel.data.synthetic.shape import Leg, Shape
from evenkeel.data.synthetic.stream import Draws

STEPS = 200
"""Random steps of a range that wanders by itself."""

OSCILLATIONS = 4
"""Of a triangle."""

SLOPE_UNITS = 50
"""Parts of the path to which `triangle_slope` applies."""

APEX = 0.25
"""How much of its width a triangle has left at least."""

PUSHES = 40
WHIPSAW_LIMIT = 0.05
"""Pushes of a whipsaw, and how far it goes either way."""

QUIET = 0.5
"""Noise of accumulation and distribution, as a fraction of the usual noise."""


class Range:
    """A range around the base price.

    Args:
        p: Its width is `range_width`.
    """

    def __init__(self, p: Parameters) -> None:
        self.half = p.range_width / 2
        self.top = 1.0 + self.half
        self.bottom = 1.0 - self.half

    def legs(self, draws: Draws, start: float, until: float, *, turns: int, end: float) -> list[Leg]:
        """Return swings between the edges; the closes stay inside.

        Args:
            draws: For how far each turn is from its edge, at most a fifth of the half width.
            start: Where the range begins.
            until: Where it ends.
            turns: How many, alternately below and above, so that the last is on the side of `end`.
            end: Level at its end.
        """
        first_up = (turns % 2 == 1) == (end >= 1.0)
        legs = []
        for turn in range(turns):
            up = (turn % 2 == 0) == first_up
            reach = self.half * (1.0 - 0.2 * draws.uniform())
            level = 1.0 + reach if up else 1.0 - reach
            last = turn == turns - 1
            legs.append(
                self.leg(until if last else start + (until - start) * (turn + 1) / turns, end if last else level)
            )
        return legs

    def leg(self, until: float, to: float) -> Leg:
        """Return a leg between the edges."""
        return Leg(until, to, floor=(self.bottom, self.bottom), ceiling=(self.top, self.top))


def range_tight(p: Parameters, draws: Draws) -> Shape:
    """A walk that is pulled back by a fifth of its distance at each step, in a squeeze."""
    level, legs = 0.0, []
    for step in range(STEPS):
        level = 0.8 * level + 0.6 * p.squeeze * draws.normal()
        legs.append(Leg((step + 1) / STEPS, 1.0 + level))
    return Shape(legs, p.squeeze)


def range_wide(p: Parameters, draws: Draws) -> Shape:
    """A walk between two walls with one and a half times the noise."""
    span = Range(p)
    level, legs = 0.0, []
    for step in range(STEPS):
        level = _reflected(level + span.half / 6 * draws.normal(), span.half)
        legs.append(span.leg((step + 1) / STEPS, 1.0 + level))
    return Shape(legs, 1.5 * p.volatility_base)


def range_ascending(p: Parameters, draws: Draws) -> Shape:
    """Four oscillations between a flat top and a rising support."""
    del draws
    span = Range(p)
    rise = min(p.triangle_slope * SLOPE_UNITS, p.range_width * (1.0 - APEX))
    legs = []
    for half in range(1, 2 * OSCILLATIONS + 1):
        place, before = half / (2 * OSCILLATIONS), (half - 1) / (2 * OSCILLATIONS)
        support = (span.bottom + rise * before, span.bottom + rise * place)
        to = span.top if half % 2 else support[1]
        legs.append(Leg(place, to, floor=support, ceiling=(span.top, span.top)))
    return Shape(legs, p.noise)


def liquidity_hunt_lows(p: Parameters, draws: Draws) -> Shape:
    """50 % range, 10 % sweep under the lower edge, recovery by 75 %, then up by 0.3 T."""
    span = Range(p)
    swept = span.bottom - p.hunt_depth
    recovered = swept + p.hunt_recovery * (1.0 - swept)
    return Shape([
        *span.legs(draws, 0.0, 0.5, turns=5, end=1.0),
        Leg(0.6, swept, volume=(1.0, 3.0), floor=(swept, swept)),
        Leg(0.75, recovered, volume=(2.0, 1.0), floor=(swept, swept)),
        Leg(1.0, recovered + 0.3 * p.trend_magnitude),
    ], p.noise)  # fmt: skip


def choppy_whipsaw(p: Parameters, draws: Draws) -> Shape:
    """Pushes up and down in turn, held within 5 % of the base price."""
    low, high = 1.0 - WHIPSAW_LIMIT, 1.0 + WHIPSAW_LIMIT
    direction = 1.0 if draws.uniform() < 0.5 else -1.0
    level, legs = 1.0, []
    for push in range(PUSHES):
        level = min(max(level + direction * WHIPSAW_LIMIT * (0.4 + draws.uniform()), low), high)
        direction = -direction
        legs.append(Leg((push + 1) / PUSHES, level, floor=(low, low), ceiling=(high, high)))
    return Shape(legs, p.noise)


def accumulation(p: Parameters, draws: Draws) -> Shape:
    """A quiet drift up by 0.3 T on rising volume."""
    del draws
    return Shape([Leg(1.0, 1.0 + 0.3 * p.trend_magnitude, volume=(0.5, 2.0))], QUIET * p.noise)


def distribution(p: Parameters, draws: Draws) -> Shape:
    """A quiet drift down by 0.3 T on falling volume."""
    del draws
    return Shape([Leg(1.0, 1.0 - 0.3 * p.trend_magnitude, volume=(2.0, 0.5))], QUIET * p.noise)


def ranging(p: Parameters, draws: Draws) -> Shape:
    """A walk that is pulled back to the base price, between two walls."""
    span = Range(p)
    level, legs = 0.0, []
    for step in range(STEPS):
        level = _reflected(0.9 * level + span.half / 6 * draws.normal(), span.half)
        legs.append(span.leg((step + 1) / STEPS, 1.0 + level))
    return Shape(legs, p.volatility_base)


def _reflected(level: float, limit: float) -> float:
    """Return the level thrown back by walls at plus and minus the limit; a throw beyond both ends at the wall."""
    inside = min(level, 2.0 * limit - level)
    return max(min(max(inside, -2.0 * limit - inside), limit), -limit)
