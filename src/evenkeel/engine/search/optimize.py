"""`keel optimize`: look for the best parameters on a part of the history, and show them on the part held back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evenkeel.engine.search.goal import Goal, front
from evenkeel.engine.search.ground import Ground
from evenkeel.engine.search.study import Sampler, Study, Tried
from evenkeel.engine.sweep.evaluate import Outcome
from evenkeel.engine.sweep.space import Axis, Holds, value_text
from evenkeel.model.errors import UsageError
from evenkeel.model.number import plain
from evenkeel.model.time import format_time

SCHEMA = "evenkeel.optimize/1"
LOG_NAME = "study.log"
TRIALS_MAX = 100_000
FRONT_MAX = 20
"""So many sets of a front are run on the part held back."""


@dataclass(frozen=True)
class Plan:
    """What to look for.

    Attributes:
        axes: The parameters.
        goals: One, or two.
        trials: How many sets to try.
        sampler: Where the next set is looked for.
        seed: Of the sampler.
        holdout: Share of the history that is held back.
        where: Constraints as written.
        holds: Tells which sets meet them.
    """

    axes: tuple[Axis, ...]
    goals: tuple[Goal, ...]
    trials: int
    sampler: Sampler
    seed: int
    holdout: float
    where: tuple[str, ...]
    holds: Holds

    def __post_init__(self) -> None:
        """Check the bounds.

        Raises:
            UsageError: If there is no parameter, or a number is out of bounds.
        """
        if not self.axes:
            raise UsageError("a search needs a parameter: give --set NAME=A:B, NAME=A:B:STEP or NAME=a,b,c")
        if not 1 <= self.trials <= TRIALS_MAX:
            raise UsageError(f"--trials is {self.trials:,}; it is 1 to {TRIALS_MAX:,}")

    def facts(self) -> dict[str, Any]:
        """Return what makes it this search and no other; the number of trials is no part of it."""
        return {
            "space": {axis.name: axis_words(axis) for axis in self.axes},
            "metrics": [goal.metric for goal in self.goals], "sampler": self.sampler, "seed": self.seed,
            "holdout": self.holdout, "where": list(self.where),
        }  # fmt: skip


@dataclass(frozen=True)
class Candidate:
    """A set worth looking at.

    Attributes:
        tried: The trial.
        searched: The same run again: what it brought where it was looked for.
        held: What it brought on the part held back; None without one.
    """

    tried: Tried
    searched: Outcome
    held: Outcome | None


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        tried: All trials, in order.
        best: The best set, or those of the front, best first by the first goal; none if every set was refused.
        searched: Window that was searched.
        held: Window that was held back.
    """

    tried: list[Tried]
    best: list[Candidate]
    searched: tuple[int, int]
    held: tuple[int, int] | None


def optimize(
    ground: Ground,
    plan: Plan,
    folder: Path,
    *,
    workers: int,
    on_trial: Callable[[Tried, int], None] | None = None,
) -> Found:
    """Search, or go on with a search that was stopped.

    Args:
        ground: What to run on.
        plan: What to look for.
        folder: Of the search; the trials that it holds are taken up.
        workers: How many sets are run at once.
        on_trial: Told of each trial as it ends, and how many there are until then.
    """
    ground.check(plan.axes)
    searched, held = ground.split(plan.holdout)
    study = Study(folder / LOG_NAME, plan.axes, plan.goals, sampler=plan.sampler, seed=plan.seed, holds=plan.holds)
    count = len(study.done())
    for tried in study.run(
        plan.trials, workers=workers, evaluate=lambda sets: ground.run_all(sets, searched, workers, "optimize")
    ):
        count += 1
        if on_trial is not None:
            on_trial(tried, count)
    done = study.done()
    ran = [(one, one.goals) for one in done if one.goals is not None]
    places = front([goals for _, goals in ran], plan.goals)[:FRONT_MAX] if ran else []
    return Found(done, [_candidate(ground, ran[place][0], searched, held) for place in places], searched, held)


def _candidate(ground: Ground, tried: Tried, searched: tuple[int, int], held: tuple[int, int] | None) -> Candidate:
    again = ground.run(tried.values, searched, "optimize")
    if dict(again.metrics) != tried.metrics:
        raise UsageError(
            f"trial {tried.number} of this search gives another result than when it was tried: the code or the data "
            "have changed since; remove the folder of the search and start anew",
            reason="SEARCH_CHANGED",
        )
    return Candidate(tried, again, None if held is None else ground.run(tried.values, held, "optimize"))


def document(ground: Ground, plan: Plan, found: Found, *, name: str) -> dict[str, Any]:
    """Return the document of a search; evidence and files are added by who judges it."""
    refusals: dict[str, int] = {}
    for one in found.tried:
        if one.refused is not None:
            refusals[one.refused[0]] = refusals.get(one.refused[0], 0) + 1
    return {
        "schema": SCHEMA, "search": name,
        "strategy": {"name": ground.strategy.name, "hash": ground.hash, "kind": ground.strategy.kind},
        "symbols": list(ground.data.instruments), "data": {"hash": ground.data.hash},
        "searched": _window(found.searched), "held": None if found.held is None else _window(found.held),
        **plan.facts(), "trials": len(found.tried),
        "distinct": len({tuple(one.values.items()) for one in found.tried}), "refused": refusals,
        "best": [_best(candidate) for candidate in found.best],
    }  # fmt: skip


def _best(candidate: Candidate) -> dict[str, Any]:
    held = candidate.held
    return {
        "trial": candidate.tried.number, "values": candidate.tried.values,
        "searched": dict(candidate.searched.metrics), "held": None if held is None else dict(held.metrics),
    }  # fmt: skip


def _window(window: tuple[int, int]) -> dict[str, str]:
    return {"start": format_time(window[0]), "end": format_time(window[1])}


def axis_words(axis: Axis) -> str:
    """Return what a parameter may be, as `--set` takes it."""
    if axis.values:
        return ",".join(value_text(value) for value in axis.values)
    return f"{plain(axis.low)}:{plain(axis.high)}"


def trial_rows(found: Found, axes: Sequence[Axis]) -> list[dict[str, Any]]:
    """Return all trials as rows of a table."""
    return [
        {
            "trial": one.number, **{axis.name: one.values[axis.name] for axis in axes},
            **one.metrics, "refused": "" if one.refused is None else one.refused[1],
        }
        for one in found.tried
    ]  # fmt: skip
