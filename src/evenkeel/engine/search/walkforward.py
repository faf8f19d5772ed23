"""`keel walkforward`: choose parameters on what lies behind, test them on what comes next, again and again.

The tests, one after the other, are a history in which every decision was made with parameters chosen before it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from evenkeel.data.atomic import write_atomically
from evenkeel.engine.metrics import max_drawdown, sharpe, sortino
from evenkeel.engine.playbook.outcome import session_ends
from evenkeel.engine.results import session_equity
from evenkeel.engine.search.folds import Fold, Scheme, folds
from evenkeel.engine.search.goal import Goal
from evenkeel.engine.search.ground import Ground
from evenkeel.engine.search.optimize import axis_words
from evenkeel.engine.search.study import Sampler, Study
from evenkeel.engine.sweep.evaluate import Outcome, judge, run_alone
from evenkeel.engine.sweep.joint import JointEvaluator, judge_account, run_instances
from evenkeel.engine.sweep.space import Axis, Holds, Value, Values, grid
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.errors import StorageError, UsageError
from evenkeel.model.number import POSTINGS_PER_UNIT
from evenkeel.model.time import DAY, format_time
from evenkeel.venues.simulated.book import Curve
from evenkeel.venues.simulated.desks import Point

SCHEMA = "evenkeel.walkforward/1"
GRID_MAX = 100_000
_YEAR = 365.25 * DAY
_LEVEL = 10**12
"""Equity of 1 as a whole number, for drawdowns."""


@dataclass(frozen=True)
class WalkPlan:
    """How to walk.

    Attributes:
        axes: The parameters.
        goal: By which they are chosen.
        scheme: How the history is divided.
        trials: How many sets a fit tries with `sampler`; None takes the whole grid.
        sampler: Where the next set is looked for.
        seed: Of the sampler.
        where: Constraints as written.
        holds: Tells which sets meet them.
    """

    axes: tuple[Axis, ...]
    goal: Goal
    scheme: Scheme
    trials: int | None
    sampler: Sampler
    seed: int
    where: tuple[str, ...]
    holds: Holds

    def facts(self) -> dict[str, Any]:
        """Return what makes it this walk and no other."""
        scheme = self.scheme
        lengths = {name: getattr(scheme, name).text for name in ("train", "test", "purge", "embargo")}
        search = {} if self.trials is None else {"trials": self.trials, "sampler": self.sampler, "seed": self.seed}
        return {
            "space": {axis.name: axis_words(axis) for axis in self.axes}, "metric": self.goal.metric,
            "scheme": {"anchored": scheme.anchored, **lengths},
            "chosen_by": "grid" if self.trials is None else "search", **search, "where": list(self.where),
        }  # fmt: skip


class _Fitted(msgspec.Struct, frozen=True):
    """A fit as it is written down: which it is, and what each set of the grid brought of the goal."""

    fit: str
    values: list[float | None]


@dataclass(frozen=True)
class Step:
    """A fold that has been walked.

    Attributes:
        fold: Its windows.
        tried: Sets that were tried in the fit.
        refused: How many of them brought nothing.
        chosen: The best of them; None if there was none, and the test was not traded.
        fitted: What it brought where it was chosen.
        tested: What it brought in the test.
        times_ns: Points of equity in the test.
        levels: Equity at each, as a multiple of the equity before the test.
        days: Sessions of the test.
    """

    fold: Fold
    tried: int
    refused: int
    chosen: Values | None
    fitted: Outcome | None
    tested: Outcome | None
    times_ns: Ints
    levels: Floats
    days: tuple[int, ...]


@dataclass(frozen=True)
class Walk:
    """All steps, and the tests one after the other.

    Attributes:
        steps: In order.
        times_ns: Points of equity of all tests.
        levels: Equity at each, 1 at the start.
        days: Sessions of all tests.
        returns: Simple return of each.
        unfitted: What the strategy as it is brought over the same time; None if it cannot run.
    """

    steps: tuple[Step, ...]
    times_ns: Ints
    levels: Floats
    days: tuple[int, ...]
    returns: Floats
    unfitted: Outcome | None


def walk(
    ground: Ground, plan: WalkPlan, folder: Path, *, workers: int, on_fold: Callable[[int, int], None] | None = None
) -> Walk:
    """Walk all folds.

    Args:
        ground: What to run on.
        plan: How to walk.
        folder: Where searches are written down, and taken up from.
        workers: How many sets are run at once.
        on_fold: Told how many folds are done, and how many there are.

    Raises:
        UsageError: If the history has no room for two folds.
    """
    ground.check(plan.axes)
    planned = folds(ground.opens(), ground.window, plan.scheme)
    sets = _grid(plan) if plan.trials is None else []
    steps = []
    for fold in planned:
        steps.append(_step(ground, plan, fold, sets, folder, workers))
        if on_fold is not None:
            on_fold(len(steps), len(planned))
    return _joined(ground, steps)


def _grid(plan: WalkPlan) -> list[Values]:
    count = math.prod(len(axis.values) for axis in plan.axes)
    if count > GRID_MAX:
        raise UsageError(
            f"the grid has {count:,} sets for each fold; the limit is {GRID_MAX:,}: take longer steps, or search with "
            "--trials N"
        )
    return grid(plan.axes, plan.holds)


def _step(ground: Ground, plan: WalkPlan, fold: Fold, sets: Sequence[Values], folder: Path, workers: int) -> Step:
    tried = _fit(ground, plan, fold, sets, folder, workers)
    ran = [(values, value) for values, value in tried if value is not None]
    nothing = np.empty(0)
    if not ran:
        return Step(fold, len(tried), len(tried), None, None, None, nothing.astype(np.int64), nothing, ())
    chosen, best = ran[0]
    for values, value in ran:
        if plan.goal.better(value, best):
            chosen, best = values, value
    fitted = ground.run(chosen, fold.train, "walkforward")
    outcome, times, equity, days = _test(ground, chosen, fold)
    tested = ground.counted(outcome, "walkforward")
    levels = equity / (float(ground.strategy.terms.account.start_equity) * POSTINGS_PER_UNIT)
    days = days if len(tested.returns) else ()
    return Step(fold, len(tried), len(tried) - len(ran), chosen, fitted, tested, times, levels, days)


def _test(ground: Ground, chosen: Values, fold: Fold) -> tuple[Outcome, Ints, Ints, tuple[int, ...]]:
    """Run a set over a test window; return its figures, the points and the equity at each, and its sessions."""
    evaluator = ground.evaluator(fold.test)
    if isinstance(evaluator, JointEvaluator):
        instances = evaluator.instances(chosen)
        joint = run_instances(instances)
        total = joint.curve[Point.EQUITY]
        days, _ = session_ends(joint.times_ns, total)
        return judge_account(instances, joint, hashed=True), joint.times_ns, total, tuple(days.tolist())
    strategy, market = evaluator.load(chosen)
    record = run_alone(strategy, market)
    sessions = tuple(session_equity(record, market)[0])
    return judge(strategy, market, record), record.times_ns, record.curve[Curve.EQUITY], sessions


def _fit(
    ground: Ground, plan: WalkPlan, fold: Fold, sets: Sequence[Values], folder: Path, workers: int
) -> list[tuple[Values, float | None]]:
    """Return the sets that were tried on a train window, with what each brought of the goal."""
    if plan.trials is None:
        return list(zip(sets, _grid_values(ground, plan, fold, sets, folder, workers), strict=True))
    study = Study(
        folder / f"fold{fold.number}.log", plan.axes, (plan.goal,), sampler=plan.sampler, seed=plan.seed,
        holds=plan.holds,
    )  # fmt: skip
    for _ in study.run(
        plan.trials, workers=workers, evaluate=lambda some: ground.run_all(some, fold.train, workers, "walkforward")
    ):
        pass
    return [(one.values, None if one.goals is None else one.goals[0]) for one in study.done()]


def _grid_values(
    ground: Ground, plan: WalkPlan, fold: Fold, sets: Sequence[Values], folder: Path, workers: int
) -> list[float | None]:
    """Return what each set of the grid brought of the goal; a fit that is written down is not run again.

    A file of another walk, of other data or of another division is not taken, and is written over.
    """
    path, name = folder / f"fold{fold.number}.json", ground.name("fit", [plan.facts(), fold.train, len(sets)])
    if path.is_file():
        try:
            known = msgspec.json.decode(path.read_bytes(), type=_Fitted)
        except msgspec.DecodeError as error:
            raise StorageError(f"{path} is damaged ({error}); remove it, and the fold is fitted again") from error
        if known.fit == name:
            return known.values
    found = ground.run_all(sets, fold.train, workers, "walkforward")
    values = [plan.goal.of(one.metrics) if isinstance(one, Outcome) else None for one in found]
    write_atomically(path, msgspec.json.encode(_Fitted(name, values)))
    return values


def _joined(ground: Ground, steps: Sequence[Step]) -> Walk:
    """Return the tests one after the other, each beginning with what the one before it left."""
    times, levels, days, returns = [np.empty(0, dtype=np.int64)], [np.empty(0)], list[int](), list[float]()
    level = 1.0
    for step in steps:
        if step.tested is None:
            continue
        times.append(step.times_ns)
        levels.append(step.levels * level)
        level = float(levels[-1][-1])
        for day, gain in zip(step.days, step.tested.returns.tolist(), strict=True):
            if days and days[-1] == day:
                # A fold may end within a session: both parts of it are one return.
                returns[-1] = (1.0 + returns[-1]) * (1.0 + gain) - 1.0
            else:
                days.append(day)
                returns.append(gain)
    window = steps[0].fold.test[0], steps[-1].fold.test[1]
    try:
        unfitted = ground.run({}, window, "walkforward")
    except UsageError:
        unfitted = None
    return Walk(tuple(steps), np.concatenate(times), np.concatenate(levels), tuple(days), np.array(returns), unfitted)


def document(ground: Ground, plan: WalkPlan, found: Walk, *, name: str) -> dict[str, Any]:
    """Return the document of a walk; evidence is added by who judges it."""
    outside = _outside(ground, found)
    inside = [step.fitted.metrics for step in found.steps if step.fitted is not None]
    growth = [
        _growth(1.0 + float(step.fitted.metrics["return_pct"] or 0.0) / 100.0, step.fold.train)
        for step in found.steps if step.fitted is not None
    ]  # fmt: skip
    sharpes = [value for one in inside if (value := one["sharpe"]) is not None]
    return {
        "schema": SCHEMA, "walk": name,
        "strategy": {"name": ground.strategy.name, "hash": ground.hash, "kind": ground.strategy.kind},
        "symbols": list(ground.data.instruments), "data": {"hash": ground.data.hash},
        **plan.facts(), "folds": [_fold(step) for step in found.steps],
        "unused": _unused(ground, found), "out_of_sample": outside,
        "unfitted": None if found.unfitted is None else dict(found.unfitted.metrics),
        "efficiency": _ratio(outside["growth_pct_a_year"], [value * 100.0 for value in growth]),
        "sharpe_efficiency": _ratio(outside["sharpe"], sharpes),
        "folds_positive": sum(_return(step) > 0.0 for step in found.steps) / len(found.steps),
        "stability": {axis.name: stability(axis, [_value(step, axis) for step in found.steps]) for axis in plan.axes},
    }  # fmt: skip


def _fold(step: Step) -> dict[str, Any]:
    fold = step.fold
    windows = {
        name: {"start": format_time(window[0]), "end": format_time(window[1])}
        for name, window in (("train", fold.train), ("test", fold.test))
    }
    return {
        "fold": fold.number, **windows, "tried": step.tried, "refused": step.refused, "chosen": step.chosen,
        "fitted": None if step.fitted is None else dict(step.fitted.metrics),
        "tested": None if step.tested is None else dict(step.tested.metrics),
    }  # fmt: skip


def _outside(ground: Ground, found: Walk) -> dict[str, Any]:
    window = found.steps[0].fold.test[0], found.steps[-1].fold.test[1]
    end = float(found.levels[-1]) if len(found.levels) else 1.0
    per_year = ground.sessions_per_year
    fall = max_drawdown(np.concatenate([[_LEVEL], np.round(found.levels * _LEVEL)]).astype(np.int64))
    return {
        "start": format_time(window[0]), "end": format_time(window[1]), "return_pct": (end - 1.0) * 100.0,
        "growth_pct_a_year": _growth(end, window) * 100.0, "sharpe": sharpe(found.returns, per_year),
        "sortino": sortino(found.returns, per_year), "max_drawdown_pct": fall * 100.0,
        "trades": sum(step.tested.trades for step in found.steps if step.tested is not None),
        "sessions": len(found.returns),
    }  # fmt: skip


def _growth(level: float, window: tuple[int, int]) -> float:
    """Return the growth a year; a level at or below zero has lost all."""
    return float(level ** (_YEAR / (window[1] - window[0])) - 1.0) if level > 0.0 else -1.0


def _ratio(outside: float | None, inside: Sequence[float]) -> float | None:
    """Return out of sample over the mean in sample; None where nothing was gained in sample."""
    mean = statistics.fmean(inside) if inside else 0.0
    return None if outside is None or mean <= 0.0 else outside / mean


def _return(step: Step) -> float:
    return 0.0 if step.tested is None else float(step.tested.metrics["return_pct"] or 0.0)


def _value(step: Step, axis: Axis) -> Value | None:
    return None if step.chosen is None else step.chosen[axis.name]


def stability(axis: Axis, chosen: Sequence[Value | None]) -> float | None:
    """Return how little a parameter moves from fold to fold: 1 never, 0 from end to end of its range each time.

    Args:
        axis: The parameter; a number moves by its distance over the range, a word by all or nothing.
        chosen: In each fold; None where nothing was.

    Returns:
        None with fewer than two choices in a row.
    """
    moves = [_move(axis, a, b) for a, b in pairwise(chosen) if a is not None and b is not None]
    return 1.0 - statistics.fmean(moves) if moves else None


def _move(axis: Axis, one: Value, other: Value) -> float:
    if isinstance(one, bool | str) or isinstance(other, bool | str):
        return float(one != other)
    numbers = [float(value) for value in axis.values if not isinstance(value, bool | str)]
    low, high = (min(numbers), max(numbers)) if numbers else (float(axis.low), float(axis.high))
    return abs(one - other) / (high - low)


def _unused(ground: Ground, found: Walk) -> dict[str, str] | None:
    """Return what is left at the end and is in no test."""
    last, end = found.steps[-1].fold.test[1], ground.window[1]
    return {"start": format_time(last), "end": format_time(end)} if last < end else None
