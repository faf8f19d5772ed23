"""What prices do in a simulated session: trends, chop, gaps, crashes and stretches in which nothing moves."""

from __future__ import annotations

from collections.abc import Callable

from evenkeel.engine.simulation.draw import Draw

_STRETCH = (40, 240)
"""Fewest and most steps of one mood of the market."""


def path(draw: Draw, *, start: int, steps: int) -> tuple[int, ...]:
    """Return prices in ticks, one a step; none falls below a tenth of the first.

    Args:
        draw: Source of every choice.
        start: First price.
        steps: How many.
    """
    prices = [float(start)]
    while len(prices) < steps:
        mood = draw.choice(_MOODS)
        mood(draw, prices, draw.randint(*_STRETCH))
    return tuple(max(round(price), start // 10) for price in prices[:steps])


def _trend(draw: Draw, prices: list[float], steps: int) -> None:
    drift = draw.gauss(0.0, 1.5e-4)
    for _ in range(steps):
        prices.append(prices[-1] * (1.0 + drift + draw.gauss(0.0, 3e-4)))


def _chop(draw: Draw, prices: list[float], steps: int) -> None:
    middle = prices[-1]
    for _ in range(steps):
        prices.append(prices[-1] + 0.1 * (middle - prices[-1]) + middle * draw.gauss(0.0, 6e-4))


def _gap(draw: Draw, prices: list[float], steps: int) -> None:
    prices.append(prices[-1] * (1.0 + draw.gauss(0.0, 0.02)))
    _chop(draw, prices, steps)


def _crash(draw: Draw, prices: list[float], steps: int) -> None:
    fall = draw.choice((-1, 1)) * 0.08 / steps
    for _ in range(steps):
        prices.append(prices[-1] * (1.0 + fall + draw.gauss(0.0, 1e-3)))


def _still(draw: Draw, prices: list[float], steps: int) -> None:
    del draw
    prices += [prices[-1]] * (steps // 2)


_MOODS: tuple[Callable[[Draw, list[float], int], None], ...] = (_trend, _trend, _chop, _chop, _gap, _crash, _still)
