"""What a run proves, given every other look at the same family on the same history: the head of each report.

A figure that cannot be had is None, with a sentence in `reasons` that says why.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from evenkeel.engine.trials import Trial, Trials
from evenkeel.model.bar import Floats
from evenkeel.readiness.overfitting import (
    BLOCK_PERIODS_MIN,
    BLOCKS_MIN,
    PERIODS_MIN,
    Moments,
    Overfitting,
    expected_best,
    moments,
    overfitting,
    probabilistic_sharpe,
    track_record_min,
)

ONE_TRIAL = "one trial"
_FEW = f"fewer than {PERIODS_MIN} sessions"
_NO_SPREAD = "the returns do not differ"
_UNKNOWN_SPREAD = "the Sharpe ratios of the other trials are not known"
_SHORT = f"the window has no {BLOCK_PERIODS_MIN} sessions in each of {BLOCKS_MIN} equal parts"
_OTHER_WINDOWS = "no other trial ran over the same window"
_BEHIND = "the Sharpe ratio is not above zero"


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a run proves.

    Attributes:
        trials: Sets of parameters of this family that were tried on this history, this one included.
        looks: Runs of them, repeated ones included.
        damaged: Lines of the trial ledger that cannot be read: each may have been a trial.
        sessions: Session returns of this run.
        sharpe_session: Their Sharpe ratio, not annualised.
        skewness: Of them.
        kurtosis: Of them, 3 for a normal distribution.
        psr: Probability that the true Sharpe ratio lies above 0.
        dsr: Probability that it lies above what the best of so many trials shows without any skill.
        best_without_skill: That Sharpe ratio, annualised.
        track_record_min: Sessions after which the Sharpe ratio would stand clear of 0 with 95 %.
        pbo: Probability of backtest overfitting.
        pbo_trials: Trials that it compares: those over the same window.
        pbo_splits: Ways in which the history was halved.
        loss_chance: Share of the splits in which the best of one half lost money in the other.
        reasons: Why a figure is missing, by its name.
    """

    trials: int
    looks: int
    damaged: int = 0
    sessions: int = 0
    sharpe_session: float | None = None
    skewness: float | None = None
    kurtosis: float | None = None
    psr: float | None = None
    dsr: float | None = None
    best_without_skill: float | None = None
    track_record_min: int | None = None
    pbo: float | None = None
    pbo_trials: int = 0
    pbo_splits: int = 0
    loss_chance: float | None = None
    reasons: dict[str, str] = {}


def evidence(own: Trial, returns: Floats, found: Trials, *, per_year: float) -> Evidence:
    """Return what a run proves.

    Args:
        own: The run as a look; it may or may not be in the ledger already.
        returns: Its session returns.
        found: The looks at its family on its data set.
        per_year: Sessions a year.
    """
    others = [trial for trial in found.distinct if trial.play != own.play]
    known = Evidence(
        trials=len(others) + 1, looks=max(len(found.looks), 1), damaged=found.damaged, sessions=len(returns),
    )  # fmt: skip
    sample = moments(returns)
    if sample is None:
        why = _FEW if len(returns) < PERIODS_MIN else _NO_SPREAD
        figures: dict[str, Any] = {}
        reasons = dict.fromkeys(("psr", "dsr", "track_record_min"), why)
    else:
        figures, reasons = _sharpe_figures(sample, others, per_year)
    overfit, why_not = _overfitting(own, found.looks)
    if overfit is None:
        reasons["pbo"] = why_not
    else:
        figures |= {
            "pbo": overfit.probability, "pbo_trials": overfit.trials, "pbo_splits": overfit.splits,
            "loss_chance": overfit.loss_chance,
        }  # fmt: skip
    return msgspec.structs.replace(known, **figures, reasons=reasons)


def _sharpe_figures(sample: Moments, others: Sequence[Trial], per_year: float) -> tuple[dict[str, Any], dict[str, str]]:
    figures: dict[str, Any] = {
        "sharpe_session": sample.sharpe, "skewness": sample.skewness, "kurtosis": sample.kurtosis,
        "psr": probabilistic_sharpe(sample), "track_record_min": track_record_min(sample),
    }  # fmt: skip
    reasons = {}
    if figures["track_record_min"] is None:
        reasons["track_record_min"] = _BEHIND
    best = _best_without_skill(sample, others)
    if best is None:
        reasons["dsr"] = _UNKNOWN_SPREAD
    else:
        figures["dsr"] = probabilistic_sharpe(sample, benchmark=best)
        figures["best_without_skill"] = best * math.sqrt(per_year)
    for name in ("psr", "dsr"):
        if figures.get(name) is None and name not in reasons:
            reasons[name] = _NO_SPREAD
    return figures, reasons


def _best_without_skill(sample: Moments, others: Sequence[Trial]) -> float | None:
    """Return the session Sharpe ratio to expect of the best trial; None if that of the others is not known."""
    if not others:
        return 0.0
    sharpes = [sample.sharpe] + [s for t in others if t.blocks is not None and (s := t.blocks.sharpe) is not None]
    if len(sharpes) < 2:
        return None
    return expected_best(statistics.variance(sharpes), trials=len(others) + 1)


def _overfitting(own: Trial, looks: Sequence[Trial]) -> tuple[Overfitting | None, str]:
    """Return the probability of overfitting over the trials of the same window, or why there is none."""
    if all(look.play == own.play for look in looks):
        return None, ONE_TRIAL
    same = {look.play: look for look in (*looks, own) if _same_window(look, own)}
    kept = [trial.blocks for trial in same.values() if trial.blocks is not None]
    if len(kept) < 2:
        return None, _OTHER_WINDOWS if len(same) < 2 else _UNKNOWN_SPREAD
    # A trial that began late, still warming up, or stopped early was flat in the sessions that it lacks.
    counts = np.array([blocks.counts for blocks in kept]).max(axis=0)
    sums, squares = (np.array([getattr(blocks, name) for blocks in kept]).T for name in ("sums", "squares"))
    found = overfitting(counts, sums, squares)
    return found, "" if found is not None else _SHORT


def _same_window(look: Trial, own: Trial) -> bool:
    return (look.data.start_ns, look.data.end_ns) == (own.data.start_ns, own.data.end_ns)
