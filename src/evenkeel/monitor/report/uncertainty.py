"""How much of a result could be luck.

The trades of a run are drawn again with replacement, thousands of times, and each draw is a history that could as well
have happened. Sums of money are whole counts of 1e-8 and the draws come from a counter-based generator seeded by the
run's id, so the figures are the same on every machine.

A bootstrap knows only the trades it is given: it assumes that they are independent and that the future resembles
them, and it cannot know how many variants were tried before this one was kept. The report says so beside the figures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from evenkeel.model.bar import Floats, Ints
from evenkeel.model.number import POSTING_COUNT_MAX, POSTINGS_PER_UNIT, postings_from_money
from evenkeel.monitor.report.run_files import Trade
from evenkeel.readiness.draws import Draws
from evenkeel.readiness.monte_carlo import Course, growth_factors, redrawn

TRADES_MIN = 2
"""Fewer trades have no spread to draw from."""

RESAMPLES_MAX = 9_999
RESAMPLES_MIN = 999
_DRAWS_MAX = 20_000_000
_TAIL = 20
"""The interval leaves out one part in twenty at each end: 5 % and 95 %."""

_Z_95 = 1.645
_BEST_COUNTS = (1, 3, 5)
_TRIES = (1, 10, 100)
_DENSITY_BINS = 41


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure as observed, between the 5 % and the 95 % point of its resampled values."""

    low: float
    observed: float
    high: float


@dataclass(frozen=True, slots=True)
class Density:
    """Counts of resampled values in bins of equal width, the first beginning at `start`."""

    start: float
    width: float
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """What redrawing the trades gives.

    Attributes:
        resamples: How many histories were drawn.
        expectancy: Mean net profit of a trade, account currency.
        density: The resampled means.
        loss_chance: Share of the histories whose mean is zero or below.
        total_return: Compounded over the trades, a fraction; None if the account fell to zero on the way.
        drawdown: Largest fall of the closed-trade equity from its peak, a fraction; None likewise.
        trades_needed: Trades after which the interval would leave out zero, at this mean and spread; None for a mean
            of zero or below.
        best_of: For a number of variants tried, the chance that the best of them looks this good without any skill;
            empty for a mean of zero or below.
    """

    resamples: int
    expectancy: Interval
    density: Density
    loss_chance: float
    total_return: Interval | None
    drawdown: Interval | None
    trades_needed: int | None
    best_of: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Costs:
    """What trading cost and what it would cost if the assumptions were wrong; account currency, exact.

    Attributes:
        fees: Paid, positive.
        slippage: Inside the fill prices.
        funding: Received, positive.
        net: After all of it.
        gross: Before all of it: what the same trades make in a market without friction.
    """

    fees: Decimal
    slippage: Decimal
    funding: Decimal
    net: Decimal
    gross: Decimal

    @property
    def friction(self) -> Decimal:
        """Fees and slippage together."""
        return self.fees + self.slippage

    def net_at(self, multiple: Decimal) -> Decimal:
        """Return the net profit if fees and slippage were `multiple` times what was assumed."""
        return self.net - (multiple - 1) * self.friction

    @property
    def break_even(self) -> Decimal | None:
        """The multiple of fees and slippage at which nothing is left; None if trading cost nothing."""
        return 1 + self.net / self.friction if self.friction > 0 else None


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """How far a result can be trusted.

    Attributes:
        trades: How many there are.
        net: Their net profit, account currency, exact.
        bootstrap: None for fewer trades than `TRADES_MIN`.
        without_best: Net profit without the best so many trades; only counts below the number of trades.
        largest_share: The largest winner as a fraction of the net profit; None unless there is a profit.
        costs: What trading cost.
    """

    trades: int
    net: Decimal
    bootstrap: Bootstrap | None
    without_best: tuple[tuple[int, Decimal], ...]
    largest_share: float | None
    costs: Costs


def judge(trades: Sequence[Trade], *, start_equity: Decimal, seed: int) -> Uncertainty:
    """Return how far the result of these trades can be trusted.

    Args:
        trades: In the order in which they closed; the legs of one position count as one trade, for they are not
            independent of each other.
        start_equity: Of the account, in its currency.
        seed: Of the draws; the same seed gives the same figures.
    """
    positions: dict[str, Decimal] = {}
    for trade in trades:
        positions[trade.number] = positions.get(trade.number, Decimal(0)) + trade.net
    nets = list(positions.values())
    net = sum(nets, Decimal(0))
    ranked = sorted(nets, reverse=True)
    return Uncertainty(
        trades=len(nets),
        net=net,
        bootstrap=_bootstrap(nets, start_equity, Draws(seed)) if len(nets) >= TRADES_MIN else None,
        without_best=tuple((count, net - sum(ranked[:count])) for count in _BEST_COUNTS if count < len(nets)),
        largest_share=float(ranked[0] / net) if net > 0 else None,
        costs=_costs(trades, net),
    )


def _costs(trades: Sequence[Trade], net: Decimal) -> Costs:
    fees = sum((trade.fees for trade in trades), Decimal(0))
    slippage = sum((trade.slippage for trade in trades), Decimal(0))
    funding = sum((trade.funding for trade in trades), Decimal(0))
    return Costs(fees, slippage, funding, net, net + fees + slippage - funding)


def _bootstrap(nets: list[Decimal], start_equity: Decimal, draws: Draws) -> Bootstrap:
    count = len(nets)
    resamples = _resamples(count)
    histories = _Histories(nets, start_equity, draws, resamples)
    mean = float(sum(nets) / count)
    means = np.sort(histories.sums) / (count * histories.per_unit)
    low, high = _tails(means)
    returns, drawdowns = _growth(histories)
    return Bootstrap(
        resamples=resamples,
        expectancy=Interval(low, mean, high),
        density=_density(means),
        loss_chance=float(np.count_nonzero(histories.sums <= 0)) / resamples,
        total_return=returns,
        drawdown=drawdowns,
        trades_needed=_trades_needed(nets, mean),
        best_of=_best_of(means, mean),
    )


def _resamples(trades: int) -> int:
    """Return how many histories to draw: as many as a fixed amount of work allows, one less than a multiple of 20."""
    affordable = _DRAWS_MAX // trades // _TAIL * _TAIL - 1
    return max(RESAMPLES_MIN, min(RESAMPLES_MAX, affordable))


class _Histories:
    """All resampled histories: their sums exact, and their courses where trades can be compounded."""

    def __init__(self, nets: list[Decimal], start_equity: Decimal, draws: Draws, resamples: int) -> None:
        postings, self.per_unit = _counts(nets)
        self.growth = growth_factors(nets, start_equity)
        self.sums: Ints = np.zeros(resamples, dtype=np.int64)
        self.course = Course(resamples)
        for step in range(len(nets)):
            chosen = redrawn(draws, len(nets), step=step, paths=resamples)
            self.sums += postings[chosen]
            if self.growth is not None:
                self.course.advance(self.growth[chosen])


def _counts(nets: list[Decimal]) -> tuple[Ints, float]:
    """Return the amounts as whole numbers whose sums cannot overflow, and how many make one unit of the currency."""
    postings = [postings_from_money(net) for net in nets]
    unit = 1
    while len(nets) * max(map(abs, postings)) // unit > POSTING_COUNT_MAX:
        unit *= 10
    return np.array([posting // unit for posting in postings], dtype=np.int64), POSTINGS_PER_UNIT / unit


def _growth(histories: _Histories) -> tuple[Interval | None, Interval | None]:
    if histories.growth is None:
        return None, None
    path = np.cumprod(histories.growth)
    peak = np.maximum(np.maximum.accumulate(path), 1.0)
    return_low, return_high = _tails(np.sort(histories.course.level))
    fall_low, fall_high = _tails(np.sort(histories.course.drawdown))
    return (
        Interval(return_low - 1.0, float(path[-1]) - 1.0, return_high - 1.0),
        Interval(fall_low, float(np.max(1.0 - path / peak)), fall_high),
    )


def _tails(ordered: Floats) -> tuple[float, float]:
    """Return the 5 % and the 95 % point: exact ranks, no interpolation."""
    rank = (len(ordered) + 1) // _TAIL
    return float(ordered[rank - 1]), float(ordered[-rank])


def _density(ordered: Floats) -> Density:
    """Count the values in bins that have zero as an edge, so that gains and losses never share one."""
    width = (float(ordered[-1]) - float(ordered[0])) / _DENSITY_BINS
    if width <= 0:
        return Density(float(ordered[0]), 0.0, (len(ordered),))
    # A mean of exactly zero counts as no gain: bins are open below and closed above.
    place = np.ceil(ordered / width).astype(np.int64) - 1
    first = int(place[0])
    return Density(first * width, width, tuple(int(count) for count in np.bincount(place - first)))


def _trades_needed(nets: list[Decimal], mean: float) -> int | None:
    if mean <= 0:
        return None
    spread = math.fsum((float(net) - mean) ** 2 for net in nets) / (len(nets) - 1)
    return max(1, math.ceil(_Z_95 * _Z_95 * spread / (mean * mean)))


def _best_of(means: Floats, mean: float) -> tuple[tuple[int, float], ...]:
    """Return the chances of luck alone: the histories moved so that their mean is zero, compared with what was seen."""
    if mean <= 0:
        return ()
    single = float(np.count_nonzero(means - mean >= mean)) / len(means)
    return tuple((tries, 1.0 - (1.0 - single) ** tries) for tries in _TRIES)
