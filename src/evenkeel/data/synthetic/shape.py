"""Shapes: what a regime says about the path of the price, before any noise.

A shape is a chain of legs over the whole length of the path. Places are shares of that length and levels are multiples
of the base price, so a shape knows nothing of minutes, prices or ticks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

Span: TypeAlias = tuple[float, float]
"""A value at the start and at the end of a leg; in between it moves in a straight line."""


@dataclass(frozen=True, slots=True)
class Leg:
    """A stretch of the path from where the last one ended.

    Attributes:
        until: Where it ends.
        to: Level at its end.
        volatility: Multiple of the volatility of the shape.
        volume: Multiple of the ordinary volume.
        bend: How the speed changes: from `1 - bend` to `1 + bend` times the mean speed.
        floor: Level under which no close goes: the path is reflected there.
        ceiling: Level over which no close goes.
        ties: Equal pieces of the leg at whose ends the noise is back on the shape; a long leg has some of its own.
        gap_to: Level to which the first bar jumps before the leg begins; None where there is no gap.
    """

    until: float
    to: float
    volatility: Span = (1.0, 1.0)
    volume: Span = (1.0, 1.0)
    bend: float = 0.0
    floor: Span | None = None
    ceiling: Span | None = None
    ties: int = 1
    gap_to: float | None = None


@dataclass(frozen=True, slots=True)
class Wave:
    """Swings on top of the legs.

    Attributes:
        start: Where they begin.
        stop: Where they end.
        cycles: How many; a half is one hump.
        height: Of the first crest, as a fraction of the base price; below zero is a trough.
    """

    start: float
    stop: float
    cycles: float
    height: float


@dataclass(frozen=True, slots=True)
class Shocks:
    """Single minutes that jump.

    Attributes:
        probability: That a block of `block_minutes` holds one.
        deviations: Its size in standard deviations of the return of a block; the direction is drawn.
        block_minutes: Length of a block.
    """

    probability: float
    deviations: float
    block_minutes: int


@dataclass(frozen=True, slots=True)
class Shape:
    """What a regime says of the path.

    Attributes:
        legs: One behind the other; the last one ends at 1.
        daily: Standard deviation of the return of a day, where a leg says nothing else.
        waves: On top of them.
        shocks: Jumps, or None.
    """

    legs: Sequence[Leg]
    daily: float
    waves: Sequence[Wave] = ()
    shocks: Shocks | None = None


def mirrored(shape: Shape) -> Shape:
    """Return the shape upside down: what rose by a share of the base price falls by it."""
    legs = [
        replace(
            leg, to=2.0 - leg.to, floor=_flipped(leg.ceiling), ceiling=_flipped(leg.floor),
            gap_to=None if leg.gap_to is None else 2.0 - leg.gap_to,
        )
        for leg in shape.legs
    ]  # fmt: skip
    return replace(shape, legs=legs, waves=[replace(wave, height=-wave.height) for wave in shape.waves])


def _flipped(levels: Span | None) -> Span | None:
    return None if levels is None else (2.0 - levels[0], 2.0 - levels[1])
