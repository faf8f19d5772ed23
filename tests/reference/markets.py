"""Bars that markets and bad feeds make, each from a seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from evenkeel.model.bar import Floats

Columns = dict[str, Floats]
BARS_A_SESSION = 37
FIRST_DAY = 19_000.0


def from_closes(closes: npt.NDArray[Any], rng: np.random.Generator, *, tick: float) -> Columns:
    """Return bars around these closes; sessions of a few bars, volumes with zeros between."""
    count = len(closes)
    opens = np.concatenate([closes[:1], closes[:-1]])
    reach = tick * rng.integers(0, 6, (2, count))
    return {
        "open": opens,
        "high": np.maximum(opens, closes) + reach[0],
        "low": np.minimum(opens, closes) - reach[1],
        "close": closes,
        "volume": np.where(rng.random(count) < 0.1, 0.0, rng.integers(1, 2000, count) / 10.0),
        "session": FIRST_DAY + np.floor(np.arange(count) / BARS_A_SESSION),
    }


def walk(rng: np.random.Generator, count: int) -> Columns:
    """A random walk on a grid, so that equal prices occur."""
    return from_closes(1000.0 + np.cumsum(rng.integers(-8, 9, count)) / 4.0, rng, tick=0.25)


def flat(rng: np.random.Generator, count: int) -> Columns:
    """One price for ever."""
    return from_closes(np.full(count, 100.1), rng, tick=0.0)


def flat_between_moves(rng: np.random.Generator, count: int) -> Columns:
    """Quiet spells longer than most windows between moves."""
    moving = (np.arange(count) // 60) % 2 == 0
    closes = 100.1 + np.cumsum(np.where(moving, rng.integers(-5, 6, count) / 10.0, 0.0))
    return {**from_closes(closes, rng, tick=0.0)}


def whisper(rng: np.random.Generator, count: int) -> Columns:
    """Rounding noise around one price, as a smoothed series leaves it, with a few true moves."""
    closes = 100.1 * (1.0 + rng.integers(-9, 10, count) * 3e-14)
    return from_closes(closes * np.where(rng.random(count) < 0.02, 1.001, 1.0), rng, tick=0.0)


def zero_volume(rng: np.random.Generator, count: int) -> Columns:
    """An index: no volume at all."""
    return {**walk(rng, count), "volume": np.zeros(count)}


def missing(rng: np.random.Generator, count: int) -> Columns:
    """Numbers missing at the start, one alone, and in stretches, each time in another column."""
    columns = walk(rng, count)
    columns["close"][:5] = np.nan
    for name in ("high", "low", "close", "volume", "session"):
        where = int(rng.integers(0, count))
        columns[name][where] = np.nan
        columns[name][where + 30 : where + 33] = np.nan
    return columns


def huge(rng: np.random.Generator, count: int) -> Columns:
    """Prices of 1e12 that move by whole units."""
    return from_closes(1e12 + np.cumsum(rng.integers(-900, 901, count)).astype(float), rng, tick=1.0)


def tiny(rng: np.random.Generator, count: int) -> Columns:
    """Prices of 1e-9."""
    return from_closes(1e-9 + np.cumsum(rng.integers(-9, 10, count)) * 1e-14, rng, tick=1e-14)


def spikes(rng: np.random.Generator, count: int) -> Columns:
    """Prints of a million times the price, which must leave nothing behind once the window has passed them."""
    closes = 100.0 + np.cumsum(rng.integers(-8, 9, count)) / 64.0
    closes[rng.random(count) < 0.01] *= 1e6
    return from_closes(closes, rng, tick=0.0)


def gaps(rng: np.random.Generator, count: int) -> Columns:
    """Jumps of a tenth overnight, and days without a session."""
    jumps = np.where(np.arange(count) % BARS_A_SESSION == 0, rng.normal(0.0, 0.1, count), 0.0)
    columns = from_closes(50.0 * np.exp(np.cumsum(jumps + rng.normal(0.0, 0.001, count))), rng, tick=0.01)
    columns["session"] = np.where(columns["session"] % 5 == 0, np.nan, columns["session"])
    return columns


def staircase(rng: np.random.Generator, count: int) -> Columns:
    """Straight lines up and down: the worst case for sliding extremes."""
    return from_closes(500.0 + np.abs(np.arange(count) % 240 - 120.0), rng, tick=0.0)


MARKETS: dict[str, Callable[[np.random.Generator, int], Columns]] = {
    f.__name__: f
    for f in (walk, flat, flat_between_moves, whisper, zero_volume, missing, huge, tiny, spikes, gaps, staircase)
}


def market(name: str, *, seed: int, bars: int) -> Columns:
    """Return bars of a kind; `source` is the close."""
    columns = MARKETS[name](np.random.default_rng(seed), bars)
    return {**{key: np.ascontiguousarray(values) for key, values in columns.items()}, "source": columns["close"]}
