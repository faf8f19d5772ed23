"""Searches as typed calls: what `keel optimize` and its sisters do.

outcome = optimize(Request("ema_cross", ...), Plan(axes=(read_axis("fast", "5:40:1"),), ...))
outcome.result["best"][0]["values"]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from evenkeel.api import Request, weigh
from evenkeel.api.witness import playbook_runs, strategy_runs
from evenkeel.data.atomic import make_folder
from evenkeel.engine import results
from evenkeel.engine.runs import RESULT_NAME
from evenkeel.engine.search import lookahead as look
from evenkeel.engine.search import optimize as search
from evenkeel.engine.search import walkforward as walk
from evenkeel.engine.search.ground import Ground
from evenkeel.engine.search.optimize import Plan
from evenkeel.engine.search.study import Tried
from evenkeel.engine.search.walkforward import Walk, WalkPlan
from evenkeel.engine.sweep.evaluate import Outcome
from evenkeel.engine.sweep.source import CatalogMarkets, StrategySource
from evenkeel.engine.trials import DataSet, Trial, session_blocks
from evenkeel.model.number import POSTINGS_PER_UNIT
from evenkeel.monitor.search import Point, write_optimize_page, write_walkforward_page
from evenkeel.readiness.evidence import evidence
from evenkeel.strategies.load import strategy_kind


def ground_of(request: Request, symbols: Sequence[str] = ()) -> Ground:
    """Return what a search of a request runs on.

    Args:
        request: Strategy, data and range.
        symbols: Several instruments for one account; none for that of the request.

    Raises:
        UsageError: If the strategy or its bars are not as they must be.
    """
    source = StrategySource(
        request.strategy, request.instruments.find, fixed=request.sets or {}, library=request.library,
        symbol=request.symbol,
    )  # fmt: skip
    markets = CatalogMarkets(request.catalogs, gaps=request.gaps)
    return Ground.of(source, markets, (request.start_ns, request.end_ns), request.ledger, symbols)


def judge_run(ground: Ground, found: Outcome) -> dict[str, Any]:
    """Return what a run of a search proves, given every look at its family until now."""
    trials = ground.ledger.trials(found.look.family, found.look.data)
    document: dict[str, Any] = msgspec.to_builtins(
        evidence(found.look, found.returns, trials, per_year=ground.sessions_per_year)
    )
    return document


@dataclass(frozen=True, slots=True)
class SearchOutcome:
    """What a search left.

    Attributes:
        folder: Its files.
        result: The document of `result.json`.
    """

    folder: Path
    result: dict[str, Any]


def optimize(
    request: Request,
    plan: Plan,
    *,
    symbols: Sequence[str] = (),
    workers: int = 1,
    on_trial: Callable[[Tried, int], None] | None = None,
) -> SearchOutcome:
    """Search for parameters, or go on with the same search where it was stopped, and leave its files.

    Args:
        request: What to search, on what; `lane` and `report` are not used.
        plan: What to look for.
        symbols: Several instruments that each set trades on one account; none for that of the request.
        workers: How many sets are run at once.
        on_trial: Told of each trial, and how many there are until then.

    Raises:
        UsageError: If the strategy, its bars or a parameter are not as they must be.
    """
    ground = ground_of(request, symbols)
    name = ground.name("optimize", plan.facts())
    folder = request.out or (request.home or request.runs) / "optimize" / name
    found = search.optimize(ground, plan, folder, workers=workers, on_trial=on_trial)
    best = found.best[0] if found.best else None
    result = search.document(ground, plan, found, name=name) | {
        "evidence": None if best is None else judge_run(ground, best.searched),
        "evidence_held": None if best is None or best.held is None else judge_run(ground, best.held),
    }
    rows = search.trial_rows(found, plan.axes)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    results.write_csv(folder / "trials.csv", columns, ([row.get(key, "") for key in columns] for row in rows))
    points = [Point(one.number, one.values, one.goals, one.metrics) for one in found.tried]
    write_optimize_page(folder / "report.html", result, points, most=[goal.most for goal in plan.goals])
    results.write_json(folder / RESULT_NAME, result)
    return SearchOutcome(folder, result)


def walkforward(
    request: Request,
    plan: WalkPlan,
    *,
    symbols: Sequence[str] = (),
    workers: int = 1,
    on_fold: Callable[[int, int], None] | None = None,
) -> SearchOutcome:
    """Walk a strategy forward, and leave its files.

    The walk as a whole counts as a trial of a family of its own: who tries many ways to walk has chosen among them.

    Args:
        request: What to walk, on what; `lane` and `report` are not used.
        plan: How.
        symbols: Several instruments that each set trades on one account; none for that of the request.
        workers: How many sets are run at once.
        on_fold: Told how many folds are done, and how many there are.

    Raises:
        UsageError: If the strategy, its bars or a parameter are not as they must be, or there is no room for two folds.
    """
    ground = ground_of(request, symbols)
    name = ground.name("walkforward", plan.facts())
    folder = request.out or (request.home or request.runs) / "walkforward" / name
    make_folder(folder)
    found = walk.walk(ground, plan, folder, workers=workers, on_fold=on_fold)
    result = walk.document(ground, plan, found, name=name)
    result["evidence"] = _judge_walk(ground, found, result)
    results.write_points(
        folder / "equity.parquet", found.times_ns, np.round(found.levels * POSTINGS_PER_UNIT).astype(np.int64),
        1.0 - found.levels / np.maximum.accumulate(np.maximum(found.levels, 1.0)),
    )  # fmt: skip
    write_walkforward_page(folder / "report.html", result, times_ns=found.times_ns, levels=found.levels)
    results.write_json(folder / RESULT_NAME, result)
    return SearchOutcome(folder, result)


def _judge_walk(ground: Ground, found: Walk, result: dict[str, Any]) -> dict[str, Any]:
    """Count a walk as a look, and return what its tests prove."""
    steps = found.steps
    data = DataSet(ground.data.hash, ground.data.instruments, steps[0].fold.test[0], steps[-1].fold.test[1])
    own = Trial(
        family=f"{ground.strategy.name} (walk forward)", play=result["walk"], source="walkforward", data=data,
        metrics={key: result["out_of_sample"][key] for key in ("return_pct", "sharpe", "max_drawdown_pct", "trades")},
        blocks=session_blocks(data, found.days, found.returns),
    )  # fmt: skip
    return weigh(ground.ledger, own, found.returns, per_year=ground.sessions_per_year)


def lookahead(
    request: Request,
    *,
    samples: int = 20,
    seed: int = 1,
    on_instant: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Test that no decision of a strategy, or of a playbook, rests on what was not known yet.

    Args:
        request: What to test, on what; `lane`, `out` and `report` are not used. Nothing is stored, and no look counted:
            no figure of the strategy is shown.
        samples: At how many instants.
        seed: Of the instants that are drawn, and of the garbage.
        on_instant: Told how many are done, and how many there are.

    Returns:
        The document of the proof; `passed` says whether every decision was the same.
    """
    if strategy_kind(request.strategy) == "playbook":
        name, symbols, run = playbook_runs(request)
    else:
        name, symbols, run = strategy_runs(request)
    proof = look.lookahead(run, request.catalogs, samples=samples, seed=seed, on_instant=on_instant)
    return look.document(name, symbols, proof)
