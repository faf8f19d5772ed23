"""How much of a Sharpe ratio is left once the number of tries is known.

    sharpe  = moments(returns)
    psr     = probabilistic_sharpe(sharpe)
    dsr     = probabilistic_sharpe(sharpe, benchmark=expected_best(variance, trials=120))
    overfit = overfitting(counts, sums, squares).probability

Sources: Bailey and Lopez de Prado, The Sharpe Ratio Efficient Frontier (2012), for the probabilistic Sharpe ratio and
the minimum track record; the same, The Deflated Sharpe Ratio (2014), for the expected best of N trials; Bailey,
Borwein, Lopez de Prado and Zhu, The Probability of Backtest Overfitting (2017), for the combinatorially symmetric
cross-validation. All Sharpe ratios here are of single periods, not annualised.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from evenkeel.model.bar import Floats, Ints
from evenkeel.model.errors import require

PERIODS_MIN = 20
"""Under so many returns their moments are noise, and nothing is concluded from them."""

TRACK_CONFIDENCE = 0.95
BLOCK_PERIODS_MIN = 4
"""Under so many returns in a block its Sharpe ratio is noise; blocks are joined two by two until there are."""

BLOCKS_MIN = 8
_WORK_MAX = 500_000
"""So many Sharpe ratios are computed: with many trials not every split is taken, but every n-th."""

_CHUNK = 2_000_000
_NORMAL = NormalDist()
_EULER = 0.5772156649015329
_SPREAD_MIN = 1e-12
"""Under this part of the mean square a variance is rounding: the returns do not differ."""


@dataclass(frozen=True, slots=True)
class Moments:
    """What a Sharpe ratio and its error are made of.

    Attributes:
        periods: How many returns.
        sharpe: Mean over standard deviation (n - 1), of one period.
        skewness: Third standardised moment of the sample.
        kurtosis: Fourth, 3 for a normal distribution.
    """

    periods: int
    sharpe: float
    skewness: float
    kurtosis: float

    @property
    def error(self) -> float:
        """Variance of the estimated Sharpe ratio, times one less than the periods."""
        return 1.0 - self.skewness * self.sharpe + (self.kurtosis - 1.0) / 4.0 * self.sharpe**2


def moments(returns: Floats) -> Moments | None:
    """Return the moments of simple returns; None for fewer than `PERIODS_MIN`, and if they do not differ."""
    count = len(returns)
    if count < PERIODS_MIN:
        return None
    mean = float(np.mean(returns))
    off = returns - mean
    variance = float(np.mean(off**2))
    if variance <= _SPREAD_MIN * float(np.mean(returns**2)):
        return None
    return Moments(
        count,
        mean / math.sqrt(variance * count / (count - 1)),
        float(np.mean(off**3)) / variance**1.5,
        float(np.mean(off**4)) / variance**2,
    )


def probabilistic_sharpe(found: Moments, *, benchmark: float = 0.0) -> float | None:
    """Return the probability that the true Sharpe ratio lies above a benchmark; with `expected_best` it is deflated.

    Args:
        found: Of the returns.
        benchmark: Sharpe ratio of one period.

    Returns:
        None where the sample leaves no error to speak of: returns of two values only.
    """
    if found.error <= _SPREAD_MIN:
        return None
    return _NORMAL.cdf((found.sharpe - benchmark) * math.sqrt(found.periods - 1) / math.sqrt(found.error))


def expected_best(variance: float, *, trials: int) -> float:
    """Return the Sharpe ratio to expect of the best of so many trials without any skill.

    Args:
        variance: Of the Sharpe ratios of the trials.
        trials: How many, independent of each other; 1 needs no deflation and gives 0.
    """
    require(trials >= 1, "the number of trials is at least 1", was=trials)
    require(variance >= 0.0, "a variance is not negative", was=variance)
    if trials == 1:
        return 0.0
    first, second = (_NORMAL.inv_cdf(1.0 - part / trials) for part in (1.0, math.exp(-1.0)))
    return math.sqrt(variance) * ((1.0 - _EULER) * first + _EULER * second)


def track_record_min(found: Moments, *, benchmark: float = 0.0, confidence: float = TRACK_CONFIDENCE) -> int | None:
    """Return how many periods it takes until the Sharpe ratio stands clear of a benchmark.

    Args:
        found: Of the returns.
        benchmark: Sharpe ratio of one period.
        confidence: Probability that is wanted.

    Returns:
        None if the Sharpe ratio does not lie above the benchmark: no length will do.
    """
    if found.sharpe <= benchmark:
        return None
    return math.ceil(1.0 + found.error * (_NORMAL.inv_cdf(confidence) / (found.sharpe - benchmark)) ** 2)


@dataclass(frozen=True, slots=True)
class Overfitting:
    """What happens to the best trial of one half of the history in the other half.

    Attributes:
        trials: How many were compared.
        blocks: Parts that the history was divided in.
        splits: Ways to take half of them that were looked at.
        of_splits: Ways there are.
        probability: Share of the splits in which the best of one half was no better than the median of the other.
        loss_chance: Share of the splits in which it lost money in the other half.
        logits: For each split, the logit of its relative rank in the other half.
    """

    trials: int
    blocks: int
    splits: int
    of_splits: int
    probability: float
    loss_chance: float
    logits: Floats


def overfitting(counts: Ints, sums: Floats, squares: Floats) -> Overfitting | None:
    """Return the probability of backtest overfitting from the returns of all trials, summed over blocks of time.

    A Sharpe ratio of any blocks together follows from their sums. A trial without spread counts with 0.

    Args:
        counts: Periods in each block.
        sums: Of returns, a row a block and a column a trial.
        squares: Sums of squared returns, likewise.

    Returns:
        None for fewer than two trials, or where eight blocks would not have four periods each.
    """
    while len(counts) > BLOCKS_MIN and counts.min(initial=BLOCK_PERIODS_MIN) < BLOCK_PERIODS_MIN:
        counts, sums, squares = counts[0::2] + counts[1::2], sums[0::2] + sums[1::2], squares[0::2] + squares[1::2]
    trials, blocks = sums.shape[1], len(counts)
    if trials < 2 or blocks < BLOCKS_MIN or counts.min() < BLOCK_PERIODS_MIN:
        return None
    halves, ways = _halves(blocks, trials)
    logits, losses = np.empty(len(halves)), 0
    step = max(1, _CHUNK // trials)
    for start in range(0, len(halves), step):
        taken = halves[start : start + step]
        inside = _sharpes(taken, counts, sums, squares)
        outside = _sharpes(1.0 - taken, counts, sums, squares)
        chosen = np.take_along_axis(outside, inside.argmax(axis=1)[:, None], axis=1)
        rank = (outside < chosen).sum(axis=1) + ((outside == chosen).sum(axis=1) + 1) / 2.0
        share = rank / (trials + 1)
        logits[start : start + step] = np.log(share / (1.0 - share))
        losses += int(np.count_nonzero(chosen < 0.0))
    return Overfitting(trials, blocks, len(halves), ways, float(np.mean(logits <= 0.0)), losses / len(halves), logits)


def overfitting_of(returns: Floats, *, blocks: int = 16) -> Overfitting | None:
    """Return the same from a matrix of returns, a row a period and a column a trial.

    Args:
        returns: Simple returns of the same periods.
        blocks: Even; so many equal parts, periods left over at the start are left out.
    """
    require(blocks >= BLOCKS_MIN and blocks % 2 == 0, "the number of blocks is even and at least 8", was=blocks)
    size = len(returns) // blocks
    parts = returns[len(returns) - size * blocks :].reshape(blocks, size, returns.shape[1])
    return overfitting(np.full(blocks, size), parts.sum(axis=1), (parts**2).sum(axis=1))


def _halves(blocks: int, trials: int) -> tuple[Floats, int]:
    """Return which blocks each split takes, 1 or 0, and how many splits there are."""
    ways = math.comb(blocks, blocks // 2)
    every = max(1, -(-ways * trials // _WORK_MAX))
    every = min(every, ways // math.comb(BLOCKS_MIN, BLOCKS_MIN // 2))
    chosen = list(itertools.islice(itertools.combinations(range(blocks), blocks // 2), 0, None, every))
    taken = np.zeros((len(chosen), blocks))
    taken[np.arange(len(chosen))[:, None], np.array(chosen)] = 1.0
    return taken, ways


def _sharpes(taken: Floats, counts: Ints, sums: Floats, squares: Floats) -> Floats:
    count = (taken @ counts)[:, None]
    total, square = taken @ sums, taken @ squares
    variance = (square - total * total / count) / (count - 1.0)
    spread = variance > _SPREAD_MIN * square / count
    found: Floats = np.where(spread, total / count / np.sqrt(np.where(spread, variance, 1.0)), 0.0)
    return found
