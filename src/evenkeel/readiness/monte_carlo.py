"""What else the same trades could have made: in another order, drawn again, with some missed, with worse fills.

    reshuffle   every trade once, in another order: the end is the same, the way there is not
    bootstrap   trades drawn with replacement in blocks that follow each other, so that streaks stay together
    skip        each trade missed with a chance: an order that was not filled, a day without a connection
    slippage    the slippage of each trade times a drawn factor

Trades are compounded as shares of the equity before them. Histories advance together one trade at a time, so memory
grows with their number only, and all draws come from a generator that is the same on every machine.

Source of the block bootstrap: Künsch, The Jackknife and the Bootstrap for General Stationary Observations (1989), made
circular as in Politis and Romano (1992).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import msgspec
import numpy as np

from evenkeel.model.bar import Floats, Ints
from evenkeel.model.errors import UsageError
from evenkeel.readiness.draws import Draws

METHODS = ("reshuffle", "bootstrap", "skip", "slippage")
TRADES_MIN = 2
"""Fewer trades have nothing to be drawn from."""

PATHS_MIN, PATHS_MAX = 100, 1_000_000
PATHS = 1_000
"""Histories of each kind unless somebody asks for more."""

SKIP_CHANCE = 0.10
SLIPPAGE_FACTOR = 2.0
"""Mean of the drawn factors, which lie between 0 and twice it."""

RUIN = 0.30
"""A history is ruined when it has lost so much of what it began with."""

POINTS = 60
"""Places at which the fan of all histories is kept."""

_WORK_MAX = 200_000_000
_PARTS = (5, 25, 50, 75, 95)
_FINE = 1 << 30


class Band(msgspec.Struct, frozen=True):
    """Percentiles of a figure over all histories."""

    p5: float
    p25: float
    p50: float
    p75: float
    p95: float


class Kind(msgspec.Struct, frozen=True):
    """What one kind of history brought; fractions.

    Attributes:
        method: Of `METHODS`.
        end: Return at the end.
        drawdown: Deepest fall from a peak, at the close of trades.
        ruin: Share of the histories that were ruined on the way.
        loss: Share that ended below their start.
    """

    method: str
    end: Band
    drawdown: Band
    ruin: float
    loss: float


class MonteCarlo(msgspec.Struct, frozen=True):
    """All kinds of histories.

    Attributes:
        paths: Histories of each kind.
        trades: Trades in each; the legs of a position are one.
        block: Trades that follow each other in the bootstrap.
        skip_chance: Of a trade to be missed.
        slippage_factor: By which slippage is worse on average.
        ruin_at: Loss of the start that counts as ruin.
        seed: Of the draws.
        kinds: In the order of `METHODS`.
    """

    paths: int
    trades: int
    block: int
    skip_chance: float
    slippage_factor: float
    ruin_at: float
    seed: int
    kinds: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class Fan:
    """How the histories spread on their way, as multiples of the start.

    Attributes:
        trades: Trades passed, rising from 0.
        levels: A row for each percentile of `Band`, a column for each entry of `trades`.
    """

    trades: Ints
    levels: Floats


class Course:
    """Histories that advance together, as multiples of their start.

    Args:
        paths: How many.

    Attributes:
        level: Where each is.
        drawdown: Deepest fall of each from its peak.
        lowest: Lowest level of each.
    """

    def __init__(self, paths: int) -> None:
        self.level: Floats = np.ones(paths)
        self.drawdown: Floats = np.zeros(paths)
        self.lowest: Floats = np.ones(paths)
        self._peak: Floats = np.ones(paths)

    def advance(self, factors: Floats) -> None:
        """Let each history go on by a factor."""
        self.level *= factors
        np.maximum(self._peak, self.level, out=self._peak)
        np.maximum(self.drawdown, 1.0 - self.level / self._peak, out=self.drawdown)
        np.minimum(self.lowest, self.level, out=self.lowest)


def monte_carlo(
    nets: Sequence[Decimal],
    slippages: Sequence[Decimal],
    *,
    start_equity: Decimal,
    seed: int,
    paths: int = PATHS,
    block: int | None = None,
) -> tuple[MonteCarlo, dict[str, Fan]] | None:
    """Return what else the same trades could have made.

    Args:
        nets: Net profit of each trade in order, account currency; the legs of a position are one trade.
        slippages: What slippage cost in each, inside the net.
        start_equity: Of the account.
        seed: The same one gives the same figures.
        paths: Histories of each kind.
        block: Trades that follow each other in the bootstrap; None takes the root of their number.

    Returns:
        The figures, and the spread of each kind on its way; None for fewer than two trades, or if the account fell to
        zero on the way, for then no share of it can be compounded.

    Raises:
        UsageError: If a number is out of bounds.
    """
    if not PATHS_MIN <= paths <= PATHS_MAX:
        raise UsageError(f"--monte-carlo is {paths:,}; it is {PATHS_MIN:,} to {PATHS_MAX:,} histories")
    count = len(nets)
    if paths * count > _WORK_MAX:
        raise UsageError(f"{paths:,} histories of {count:,} trades are too many; {_WORK_MAX // count:,} can be drawn")
    factors = growth_factors(nets, start_equity)
    if count < TRADES_MIN or factors is None:
        return None
    length = block or max(1, round(math.sqrt(count)))
    if not 1 <= length <= count:
        raise UsageError(f"a block has 1 to {count:,} trades, not {length:,}")
    costs = _cost_shares(nets, slippages, start_equity)
    chosen = {
        "reshuffle": _reshuffled(Draws(seed), factors, paths),
        "bootstrap": _bootstrapped(Draws(seed + 1), factors, paths, length),
        "skip": _skipped(Draws(seed + 2), factors, paths),
        "slippage": _slipped(Draws(seed + 3), factors, costs, paths),
    }
    kinds, fans = [], {}
    for method in METHODS:
        kind, fans[method] = _run(method, chosen[method], count, paths)
        kinds.append(kind)
    figures = MonteCarlo(paths, count, length, SKIP_CHANCE, SLIPPAGE_FACTOR, RUIN, seed, tuple(kinds))
    return figures, fans


def growth_factors(nets: Sequence[Decimal], start_equity: Decimal) -> Floats | None:
    """Return by which factor each trade changed the closed-trade equity; None if that ever reached zero."""
    factors = np.empty(len(nets))
    equity = start_equity
    for index, net in enumerate(nets):
        if equity <= 0 or equity + net <= 0:
            return None
        factors[index] = float((equity + net) / equity)
        equity += net
    return factors


def redrawn(draws: Draws, count: int, *, step: int, paths: int) -> Ints:
    """Return a trade for each history, drawn with replacement, for one step of them."""
    return draws.below(count, start=step * paths, count=paths)


def _cost_shares(nets: Sequence[Decimal], slippages: Sequence[Decimal], start_equity: Decimal) -> Floats:
    """Return what slippage took of the equity before each trade."""
    shares = np.empty(len(nets))
    equity = start_equity
    for index, (net, slippage) in enumerate(zip(nets, slippages, strict=True)):
        shares[index] = float(slippage / equity)
        equity += net
    return shares


_Factors = Callable[[int], Floats]
"""Returns the factor of each history at a step."""


def _reshuffled(draws: Draws, factors: Floats, paths: int) -> _Factors:
    """Shuffle as Fisher and Yates do, a place a step."""
    count = len(factors)
    orders = np.tile(np.arange(count, dtype=np.int32), (paths, 1))
    rows = np.arange(paths)

    def at(step: int) -> Floats:
        place = step + draws.below(count - step, start=step * paths, count=paths)
        taken = orders[rows, place]
        orders[rows, place] = orders[:, step]
        return factors[taken]

    return at


def _bootstrapped(draws: Draws, factors: Floats, paths: int, block: int) -> _Factors:
    first: list[Ints] = []

    def at(step: int) -> Floats:
        if step % block == 0:
            first[:] = [redrawn(draws, len(factors), step=step // block, paths=paths)]
        return factors[(first[0] + step % block) % len(factors)]

    return at


def _skipped(draws: Draws, factors: Floats, paths: int) -> _Factors:
    def at(step: int) -> Floats:
        missed = draws.below(_FINE, start=step * paths, count=paths) < SKIP_CHANCE * _FINE
        found: Floats = np.where(missed, 1.0, factors[step])
        return found

    return at


def _slipped(draws: Draws, factors: Floats, costs: Floats, paths: int) -> _Factors:
    def at(step: int) -> Floats:
        times = 2.0 * SLIPPAGE_FACTOR * (draws.below(_FINE, start=step * paths, count=paths) / _FINE)
        found: Floats = np.maximum(factors[step] - (times - 1.0) * costs[step], 0.0)
        return found

    return at


def _run(method: str, factors_at: _Factors, count: int, paths: int) -> tuple[Kind, Fan]:
    course = Course(paths)
    marks = np.unique(np.linspace(0, count, min(POINTS, count) + 1).astype(np.int64))
    levels = np.empty((len(_PARTS), len(marks)))
    levels[:, 0] = 1.0
    place = 1
    for step in range(count):
        course.advance(factors_at(step))
        if marks[place] == step + 1:
            levels[:, place] = _percentiles(course.level)
            place += 1
    ends = course.level - 1.0
    kind = Kind(
        method, Band(*_percentiles(ends)), Band(*_percentiles(course.drawdown)),
        ruin=float(np.count_nonzero(course.lowest <= 1.0 - RUIN)) / paths,
        loss=float(np.count_nonzero(ends < 0.0)) / paths,
    )  # fmt: skip
    return kind, Fan(marks, levels)


def _percentiles(values: Floats) -> list[float]:
    """Return the percentiles of `Band`: exact ranks, no interpolation."""
    ordered = np.sort(values)
    return [float(ordered[max(math.ceil(part / 100 * len(ordered)) - 1, 0)]) for part in _PARTS]
