"""What a run proves depends on every other try; a figure that cannot be had says why."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest

from evenkeel.engine.trials import DataSet, Trial, Trials, session_blocks
from evenkeel.model.bar import Floats
from evenkeel.model.time import DAY
from evenkeel.monitor.report.proof import deflated, doubt, overfitted, proof_tiles, tries
from evenkeel.readiness.evidence import Evidence, evidence
from evenkeel.readiness.overfitting import expected_best, moments, overfitting_of, probabilistic_sharpe

SESSIONS = 160
YEAR = DataSet("data", ("A.X",), 0, SESSIONS * DAY)
PER_YEAR = 252.0


def returns_of(number: int, *, edge: float = 0.0005, count: int = SESSIONS) -> Floats:
    return np.random.default_rng(number).normal(edge, 0.01, count)


def trial(number: int, *, data: DataSet = YEAR, first: int = 0) -> Trial:
    blocks = session_blocks(data, range(first, SESSIONS), returns_of(number)[first:])
    return Trial(family="f", play=f"play {number}", source="sweep", data=data, blocks=blocks)


def weighed(*others: Trial, number: int = 0) -> Evidence:
    own = trial(number)
    return evidence(own, returns_of(number), Trials((*others, own)), per_year=PER_YEAR)


def test_one_trial_has_nothing_to_deflate_and_nothing_to_compare_with() -> None:
    found = weighed()

    sample = moments(returns_of(0))
    assert sample is not None
    assert (found.trials, found.looks) == (1, 1)
    assert found.dsr == found.psr == probabilistic_sharpe(sample)
    assert found.best_without_skill == 0.0
    assert (found.pbo, found.reasons) == (None, {"pbo": "one trial"})
    assert overfitted(found) == "not available: one trial"
    assert tries(found) == "1 trial"


def test_many_trials_deflate_by_the_spread_of_their_sharpe_ratios() -> None:
    found = weighed(*(trial(number) for number in range(1, 12)))

    sharpes = [statistics.fmean(r) / statistics.stdev(r) for r in map(returns_of, range(12))]
    best = expected_best(statistics.variance(sharpes), trials=12)
    sample = moments(returns_of(0))
    assert sample is not None
    assert found.trials == 12
    assert found.best_without_skill == pytest.approx(best * math.sqrt(PER_YEAR), rel=1e-9)
    assert found.dsr == pytest.approx(probabilistic_sharpe(sample, benchmark=best), rel=1e-9)
    assert found.psr == pytest.approx(probabilistic_sharpe(sample), rel=1e-12)
    matrix = np.array([returns_of(number) for number in (*range(1, 12), 0)]).T
    compared = overfitting_of(matrix, blocks=16)
    assert compared is not None
    assert (found.pbo, found.pbo_trials) == (compared.probability, 12)
    assert found.reasons == {}


def test_repeated_runs_are_looks_and_no_further_trials() -> None:
    found = weighed(trial(0), trial(1), trial(1))

    assert (found.trials, found.looks) == (2, 4)
    assert tries(found) == "2 trials in 4 runs"


def test_trials_over_other_windows_deflate_and_are_not_compared() -> None:
    half = DataSet("data", ("A.X",), 0, SESSIONS // 2 * DAY)
    found = weighed(trial(1, data=half), trial(2, data=half))

    assert found.trials == 3
    assert found.dsr is not None
    assert found.psr is not None
    assert found.dsr < found.psr
    assert found.reasons == {"pbo": "no other trial ran over the same window"}


def test_trials_without_returns_count_and_leave_the_spread_unknown() -> None:
    bare = Trial(family="f", play="bare", source="backtest", data=YEAR)
    found = weighed(bare)

    assert (found.trials, found.dsr, found.pbo) == (2, None, None)
    assert set(found.reasons) == {"dsr", "pbo"}
    assert deflated(found) == "not available: the Sharpe ratios of the other trials are not known"


def test_a_trial_that_warmed_up_longer_was_flat_until_then() -> None:
    late = trial(1, first=40)
    found = weighed(late)

    flat = returns_of(1)
    flat[:40] = 0.0
    compared = overfitting_of(np.array([flat, returns_of(0)]).T, blocks=16)
    assert compared is not None
    assert found.pbo == compared.probability


@pytest.mark.parametrize(
    ("returns", "why"),
    [(returns_of(0, count=19), "fewer than 20 sessions"), (np.zeros(40), "the returns do not differ")],
)
def test_too_little_to_go_by_is_said(returns: Floats, why: str) -> None:
    own = Trial(family="f", play="p", source="backtest", data=YEAR)

    found = evidence(own, returns, Trials((own,)), per_year=PER_YEAR)

    assert (found.psr, found.dsr, found.track_record_min) == (None, None, None)
    assert found.reasons == {"psr": why, "dsr": why, "track_record_min": why, "pbo": "one trial"}
    assert why in proof_tiles(found)


def test_a_short_window_is_not_halved() -> None:
    week = DataSet("data", ("A.X",), 0, 24 * DAY)
    both = [
        Trial(
            family="f",
            play=p,
            source="sweep",
            data=week,
            blocks=session_blocks(week, range(24), returns_of(n, count=24)),
        )
        for n, p in enumerate("ab")
    ]

    found = evidence(both[0], returns_of(0, count=24), Trials(tuple(both)), per_year=PER_YEAR)

    assert found.dsr is not None
    assert found.reasons["pbo"] == "the window has no 4 sessions in each of 8 equal parts"


def test_unreadable_lines_of_the_ledger_are_told() -> None:
    own = trial(0)

    found = evidence(own, returns_of(0), Trials((own,), damaged=2), per_year=PER_YEAR)

    assert tries(found) == "1 trial, and 2 lines of the ledger unreadable"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, None),
        (Evidence(trials=1, looks=1, dsr=0.5), None),
        (Evidence(trials=9, looks=9, dsr=0.94), "The best of 9 tries could look this good by luck."),
        (
            Evidence(trials=9, looks=9, dsr=0.96, pbo=0.21, pbo_trials=8),
            "Good, but picking the best of 8 tries did not work out of sample.",
        ),
        (Evidence(trials=9, looks=9, dsr=0.96, pbo=0.2, pbo_trials=8), None),
    ],
)
def test_many_tries_take_a_good_verdict_back(found: Evidence | None, words: str | None) -> None:
    assert doubt(found) == words
