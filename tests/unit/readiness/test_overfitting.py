"""Sharpe ratios after many tries: the examples of the papers, and an independent implementation.

Golden values: The Sharpe Ratio Efficient Frontier (Bailey, Lopez de Prado 2012), The Deflated Sharpe Ratio (2014); for
the combinatorially symmetric cross-validation pypbo (github.com/esvhd/pypbo), run on the matrix below.
"""

from __future__ import annotations

import itertools
import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.model.bar import Floats
from evenkeel.model.errors import UsageError
from evenkeel.readiness.overfitting import (
    Moments,
    expected_best,
    moments,
    overfitting,
    overfitting_of,
    probabilistic_sharpe,
    track_record_min,
)


def matrix(*, edge: float, rows: int = 165, columns: int = 9) -> Floats:
    """Return returns of trials that differ by a rule; the fifth has an edge."""
    t, n = np.arange(rows)[:, None], np.arange(columns)[None, :]
    found: Floats = ((t * t * 7919 + t * n * 104729 + n * n * 1299709 + t * 31) % 10007) / 10007 * 0.02 - 0.0098
    found[:, 4] += edge
    return found


def test_the_probabilistic_sharpe_ratio_of_the_paper() -> None:
    """24 months, 1.585 a year, skewness -2.448, kurtosis 10.164: 0.913; of normal returns 0.982."""
    fund = Moments(24, 1.585 / math.sqrt(12), -2.448, 10.164)

    assert probabilistic_sharpe(fund) == pytest.approx(0.91323430688486018, abs=1e-12)
    assert probabilistic_sharpe(Moments(24, 1.585 / math.sqrt(12), 0.0, 3.0)) == pytest.approx(0.982, abs=5e-4)


@pytest.mark.parametrize(
    ("trials", "skewness", "kurtosis", "dsr"),
    [(100, -3.0, 10.0, 0.9004), (46, -3.0, 10.0, 0.9505), (88, 0.0, 3.0, 0.9505)],
)
def test_the_deflated_sharpe_ratio_of_the_paper(trials: int, skewness: float, kurtosis: float, dsr: float) -> None:
    """Five years of days, 2.5 a year, trials with a variance of one half a year."""
    best = expected_best(0.5 / 250, trials=trials)
    found = probabilistic_sharpe(Moments(1250, 2.5 / math.sqrt(250), skewness, kurtosis), benchmark=best)

    assert found == pytest.approx(dsr, abs=5e-5)
    if trials == 100:
        assert best == pytest.approx(0.1132, abs=5e-5)


@pytest.mark.parametrize(
    ("trials", "best"), [(1, 0.0), (5, 1.1925940010147893), (100, 2.5306028932016846), (1000, 3.255121513652723)]
)
def test_what_the_best_of_many_without_skill_shows(trials: int, best: float) -> None:
    assert expected_best(1.0, trials=trials) == pytest.approx(best, abs=1e-12)
    assert expected_best(4.0, trials=trials) == pytest.approx(2 * best, abs=1e-12)


@pytest.mark.parametrize(
    ("per_year", "own", "benchmark", "skewness", "kurtosis", "years"),
    [
        (250, 2.0, 1.0, 0.0, 3.0, 2.7311878017281761),
        (52, 2.0, 1.0, 0.0, 3.0, 2.8288335869452368),
        (12, 3.0, 2.5, -0.72, 5.78, 27.352920196040301),
    ],
)
def test_the_minimum_track_record_of_the_paper(
    per_year: int, own: float, benchmark: float, skewness: float, kurtosis: float, years: float
) -> None:
    root = math.sqrt(per_year)

    found = track_record_min(Moments(0, own / root, skewness, kurtosis), benchmark=benchmark / root)

    assert found == math.ceil(years * per_year)


def test_no_track_record_is_long_enough_at_or_below_the_benchmark() -> None:
    assert track_record_min(Moments(100, -0.1, 0.0, 3.0)) is None
    assert track_record_min(Moments(100, 0.0, 0.0, 3.0)) is None


def test_moments_are_those_of_the_sample() -> None:
    """Skewness and kurtosis as `scipy.stats.skew` and `kurtosis(fisher=False)` give them for this column."""
    found = moments(matrix(edge=0.002)[:, 4])

    assert found is not None
    assert found.periods == 165
    assert found.sharpe == pytest.approx(0.38821423744171213, abs=1e-13)
    assert found.skewness == pytest.approx(-0.0028223964387038363, abs=1e-13)
    assert found.kurtosis == pytest.approx(1.803807914100515, abs=1e-12)
    assert probabilistic_sharpe(found) == pytest.approx(0.9999995093460833, abs=1e-12)


@pytest.mark.parametrize("returns", [[], [0.01, -0.01] * 9, [0.01] * 40, [0.0] * 40])
def test_too_few_returns_and_equal_ones_have_no_moments(returns: list[float]) -> None:
    assert moments(np.array(returns)) is None


def test_returns_of_two_values_leave_no_error_to_judge_by() -> None:
    """Kurtosis 1, skewness 0, Sharpe ratio 0 gives the error 1; a lone winner of equal size gives none."""
    assert probabilistic_sharpe(Moments(100, 2.0, 1.0, 1.0)) is None
    assert probabilistic_sharpe(Moments(100, 1.0, 1.0, 1.0)) is None


@pytest.mark.parametrize(
    ("edge", "blocks", "probability", "loss", "logits"),
    [
        (0.0, 8, 0.6714285714285713, 0.32857142857142857, -19.786960380084953),
        (0.0, 10, 0.5833333333333333, 0.34523809523809523, -19.60621929883246),
        (0.001, 8, 0.38571428571428573, 0.15714285714285714, 20.391623915335003),
        (0.001, 10, 0.373015873015873, 0.18253968253968253, 91.13380109791599),
        (0.002, 8, 0.05714285714285714, 0.014285714285714285, 137.47581583310637),
        (0.004, 10, 0.0, 0.0, 553.7005934887272),
    ],
)
def test_the_probability_of_overfitting_is_that_of_an_independent_library(
    edge: float, blocks: int, probability: float, loss: float, logits: float
) -> None:
    found = overfitting_of(matrix(edge=edge), blocks=blocks)

    assert found is not None
    assert (found.splits, found.of_splits) == (math.comb(blocks, blocks // 2),) * 2
    assert found.probability == pytest.approx(probability, abs=1e-12)
    assert found.loss_chance == pytest.approx(loss, abs=1e-12)
    assert float(np.sum(found.logits)) == pytest.approx(logits, abs=1e-9)


def test_the_logits_are_those_of_a_plain_count() -> None:
    """Split by split, with the statistics module and sorted lists."""
    returns = matrix(edge=0.001, rows=32, columns=5)
    parts = [returns[k * 4 : k * 4 + 4] for k in range(8)]

    def ratio(rows: list[Floats], column: int) -> float:
        values = [float(value) for part in rows for value in part[:, column]]
        return statistics.fmean(values) / statistics.stdev(values)

    logits = []
    for taken in itertools.combinations(range(8), 4):
        inside = [ratio([parts[k] for k in taken], column) for column in range(5)]
        outside = [ratio([parts[k] for k in range(8) if k not in taken], column) for column in range(5)]
        rank = sorted(outside).index(outside[inside.index(max(inside))]) + 1
        logits.append(math.log(rank / 6 / (1 - rank / 6)))

    found = overfitting_of(returns, blocks=8)

    assert found is not None
    assert found.logits.tolist() == pytest.approx(logits, abs=1e-9)


def test_of_many_trials_some_splits_stand_for_all() -> None:
    rng = np.random.default_rng(5)
    few, many = (rng.normal(0, 0.01, (320, count)) for count in (20, 3000))

    exact, drawn = overfitting_of(few), overfitting_of(many)

    assert exact is not None
    assert drawn is not None
    assert exact.splits == exact.of_splits == drawn.of_splits == math.comb(16, 8)
    assert 70 <= drawn.splits <= 1000
    assert drawn.probability == pytest.approx(0.5, abs=0.25)


def test_blocks_are_joined_until_each_has_enough_periods() -> None:
    returns = matrix(edge=0.001, rows=64)

    sixteen, eight = overfitting_of(returns, blocks=16), overfitting_of(returns[:48], blocks=16)

    assert sixteen is not None
    assert eight is not None
    assert (sixteen.blocks, eight.blocks) == (16, 8)
    assert eight.logits.tolist() == overfitting_of(returns[:48], blocks=8).logits.tolist()  # type: ignore[union-attr]
    assert overfitting_of(returns[:31], blocks=16) is None


def test_one_trial_is_not_overfitted_and_not_cleared_either() -> None:
    assert overfitting_of(matrix(edge=0.0)[:, :1]) is None


def test_trials_that_never_traded_have_a_sharpe_ratio_of_zero() -> None:
    returns = np.zeros((80, 3))
    returns[:, 1] = matrix(edge=0.0, rows=80)[:, 4] + 0.01

    found = overfitting_of(returns, blocks=8)

    assert found is not None
    assert found.probability == 0.0


@pytest.mark.parametrize("blocks", [7, 9, 6, 0])
def test_blocks_come_in_pairs(blocks: int) -> None:
    with pytest.raises(UsageError, match="even and at least 8"):
        overfitting_of(matrix(edge=0.0), blocks=blocks)


def test_there_is_at_least_one_trial() -> None:
    with pytest.raises(UsageError, match="at least 1"):
        expected_best(1.0, trials=0)
    with pytest.raises(UsageError, match="not negative"):
        expected_best(-1.0, trials=3)


@given(st.integers(2, 5000), st.integers(2, 5000), st.floats(1e-6, 1.0))
def test_more_tries_and_more_spread_deflate_more(one: int, other: int, variance: float) -> None:
    few, many = sorted((one, other))

    assert expected_best(variance, trials=few) <= expected_best(variance, trials=many)
    assert expected_best(variance, trials=few) < expected_best(variance * 1.1, trials=few)


@given(st.floats(0.1, 10.0), st.permutations(range(9)))
def test_neither_the_scale_of_money_nor_the_order_of_trials_matters(scale: float, order: list[int]) -> None:
    returns = matrix(edge=0.001, rows=40)
    sums, squares = (np.array([part.sum(axis=0) for part in np.split(r, 8)]) for r in (returns, returns**2))
    counts = np.full(8, 5)

    plain = overfitting(counts, sums, squares)
    turned = overfitting(counts, sums[:, order] * scale, squares[:, order] * scale**2)

    assert plain is not None
    assert turned is not None
    assert turned.logits.tolist() == plain.logits.tolist()
