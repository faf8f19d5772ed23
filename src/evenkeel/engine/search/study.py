"""A search for parameters with Optuna, written down trial by trial so that a killed one goes on where it was.

    study = Study(folder / "study.log", axes, goals, sampler="tpe", seed=7)
    for tried in study.run(200, workers=2, evaluate=evaluator.run_many):
        ...

Trials are asked for, run and told in batches of as many as there are workers, and each is drawn by a sampler with a
seed of its own. So the same command gives the same trials, however many of them an earlier session has left behind.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from evenkeel.data.atomic import make_folder
from evenkeel.engine.search.goal import Goal
from evenkeel.engine.sweep.evaluate import Outcome, Refusal
from evenkeel.engine.sweep.space import SAMPLE_DIGITS, Axis, Holds, Value, Values
from evenkeel.model.errors import UsageError
from evenkeel.model.number import to_decimal

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

Sampler = Literal["tpe", "cmaes", "nsga2"]
Evaluate: TypeAlias = "Callable[[Sequence[Values]], Iterable[Outcome | Refusal]]"
_Key: TypeAlias = "tuple[tuple[str, Value], ...]"

MISSED = "CONSTRAINT"
NO_FIGURE = "NO_FIGURE"
POPULATION = 20
"""Sets in a generation of NSGA-II."""

_LARGE = 1e12
"""Stands for a figure beyond all bounds, which a search cannot rank."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A trial that has been told.

    Attributes:
        number: From 0.
        values: Its parameters.
        goals: What it brought of each goal; None if it was refused.
        metrics: All figures of the run; none if it was refused.
        refused: Why it brought nothing, as a code and a sentence; None if it did.
    """

    number: int
    values: Values
    goals: tuple[float, ...] | None
    metrics: dict[str, float | int | None]
    refused: tuple[str, str] | None


class Study:
    """A search that is written to a file.

    Args:
        path: Of the file; the trials that it holds are taken up.
        axes: The parameters.
        goals: One, or two.
        sampler: Where the next set is looked for.
        seed: Of the sampler.
        holds: Tells which sets meet the constraints.

    Raises:
        UsageError: If Optuna is not installed, or the sampler cannot search such parameters.
    """

    def __init__(
        self, path: Path, axes: Sequence[Axis], goals: Sequence[Goal], *, sampler: Sampler, seed: int, holds: Holds
    ) -> None:
        self._axes, self._goals, self._holds, self._seed, self._kind = axes, goals, holds, seed, sampler
        self._space = {axis.name: _distribution(axis) for axis in axes}
        self._check()
        make_folder(path.parent)
        self._study = _open(path, goals)

    def done(self) -> list[Tried]:
        """Return the trials that have been told, in order."""
        optuna = require_optuna()
        finished = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
        return [self._tried(trial) for trial in self._study.get_trials(deepcopy=False, states=finished)]

    def run(self, trials: int, *, workers: int, evaluate: Evaluate) -> Iterator[Tried]:
        """Go on until so many trials have been told, and yield each as it is.

        Args:
            trials: How many in all, those of earlier sessions included.
            workers: How many are run at once.
            evaluate: Runs sets and returns what each brought, in their order.
        """
        known: dict[_Key, Outcome | Refusal | Tried] = {_key(one.values): one for one in self.done()}
        while (left := trials - len(self.done())) > 0:
            asked = self._abandoned() or [self._ask() for _ in range(min(workers, left))]
            sets = [self._values(trial.params) for trial in asked]
            fresh = {_key(one): one for one in sets if _key(one) not in known and self._holds(one)}
            if fresh:
                known |= zip(fresh, evaluate(list(fresh.values())), strict=True)
            for trial, values in zip(asked, sets, strict=True):
                yield self._tell(trial, values, known.get(_key(values)))

    def _check(self) -> None:
        from optuna.distributions import CategoricalDistribution

        words = [name for name, space in self._space.items() if isinstance(space, CategoricalDistribution)]
        if self._kind == "cmaes" and words:
            raise UsageError(
                f"--sampler cmaes searches evenly spaced numbers, and {', '.join(words)} is a list; write a range, or "
                "take --sampler tpe"
            )
        if self._kind == "cmaes" and len(self._goals) > 1:
            raise UsageError("--sampler cmaes has one goal; take --sampler nsga2 or tpe for two --metric")

    def _ask(self) -> optuna.Trial:
        self._study.sampler = _sampler(self._kind, _seed(self._seed, len(self._study.get_trials(deepcopy=False))))
        return self._study.ask(self._space)

    def _abandoned(self) -> list[optuna.Trial]:
        """Return trials that a killed session asked for and never told; one without all its values is given up."""
        optuna = require_optuna()
        found = []
        for trial in self._study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
            if trial.params.keys() == self._space.keys():
                found.append(optuna.Trial(self._study, trial._trial_id))
            else:
                self._study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        return found

    def _values(self, params: Mapping[str, Any]) -> Values:
        return {axis.name: _value(axis, params[axis.name]) for axis in self._axes}

    def _tell(self, trial: optuna.Trial, values: Values, found: Outcome | Refusal | Tried | None) -> Tried:
        optuna = require_optuna()
        told = self._told(trial.number, values, found)
        trial.set_user_attr("metrics", told.metrics)
        if told.goals is None:
            trial.set_user_attr("refused", told.refused)
            self._study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            self._study.tell(trial, [max(-_LARGE, min(_LARGE, figure)) for figure in told.goals])
        return told

    def _told(self, number: int, values: Values, found: Outcome | Refusal | Tried | None) -> Tried:
        if found is None:
            return Tried(number, values, None, {}, (MISSED, "the set does not meet --where"))
        if isinstance(found, Refusal):
            return Tried(number, values, None, {}, (found.reason, found.text))
        metrics = dict(found.metrics)
        figures = [goal.of(metrics) for goal in self._goals]
        known = tuple(figure for figure in figures if figure is not None)
        if len(known) < len(figures):
            missing = self._goals[figures.index(None)].metric
            why = (NO_FIGURE, f"the run has no {missing}: too few trades or sessions")
            return Tried(number, values, None, metrics, why)
        return Tried(number, values, known, metrics, None)

    def _tried(self, trial: optuna.trial.FrozenTrial) -> Tried:
        refused = trial.user_attrs.get("refused")
        return Tried(
            trial.number, self._values(trial.params), None if refused else tuple(trial.values),
            trial.user_attrs["metrics"], (refused[0], refused[1]) if refused else None,
        )  # fmt: skip


def require_optuna() -> Any:
    """Return the module.

    Raises:
        UsageError: If it is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise UsageError("searching needs Optuna: install it with `pip install 'evenkeel[optimize]'`") from None
    return optuna


def _open(path: Path, goals: Sequence[Goal]) -> optuna.Study:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = JournalStorage(JournalFileBackend(str(path), lock_obj=JournalFileOpenLock(str(path))))
    directions: list[Literal["maximize", "minimize"]] = ["maximize" if goal.most else "minimize" for goal in goals]
    return optuna.create_study(storage=storage, study_name="search", directions=directions, load_if_exists=True)


def _sampler(kind: Sampler, seed: int) -> BaseSampler:
    from optuna import samplers

    match kind:
        case "tpe":
            return samplers.TPESampler(seed=seed)
        case "cmaes":
            return samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False)
        case "nsga2":
            return samplers.NSGAIISampler(seed=seed, population_size=POPULATION)


def _seed(seed: int, number: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}/{number}".encode()).digest()[:4], "little")


def _distribution(axis: Axis) -> BaseDistribution:
    """Return an axis as Optuna knows it: evenly spaced numbers are a range, everything else is a choice."""
    require_optuna()
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if not axis.values:
        low, high = axis.low, axis.high
        return IntDistribution(int(low), int(high)) if axis.whole else FloatDistribution(float(low), float(high))
    step = _step(axis.values)
    if step is None:
        return CategoricalDistribution(axis.values)
    return IntDistribution(0, len(axis.values) - 1)


def _step(values: Sequence[Value]) -> Decimal | None:
    """Return the distance between numbers that are evenly spaced."""
    numbers = [to_decimal(value) for value in values if not isinstance(value, bool | str)]
    if len(numbers) < 2 or len(numbers) < len(values):
        return None
    steps = {b - a for a, b in itertools.pairwise(numbers)}
    return steps.pop() if len(steps) == 1 else None


def _value(axis: Axis, drawn: Any) -> Value:
    """Return what Optuna drew as a value of the axis; a number between bounds is rounded as a sample of a sweep is."""
    if axis.values:
        return axis.values[axis.values.index(drawn) if _step(axis.values) is None else drawn]
    if axis.whole:
        return int(drawn)
    unit = Decimal(1).scaleb((axis.high - axis.low).adjusted() - SAMPLE_DIGITS + 1)
    return float(to_decimal(drawn).quantize(unit))


def _key(values: Values) -> _Key:
    return tuple(values.items())
