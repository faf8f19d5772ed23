"""Searches as typed calls: what `keel optimize` and its sisters do.

outcome = optimize(Request("ema_cross", ...), Plan(axes=(read_axis("fast", "5:40:1"),), ...))
outcome.result["best"][0]["values"]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from evenkeel.api import Request
from evenkeel.engine import results
from evenkeel.engine.runs import RESULT_NAME
from evenkeel.engine.search import optimize as search
from evenkeel.engine.search.ground import Ground
from evenkeel.engine.search.optimize import Plan
from evenkeel.engine.search.study import Tried
from evenkeel.engine.sweep.evaluate import Outcome
from evenkeel.engine.sweep.source import CatalogMarkets, StrategySource
from evenkeel.monitor.search import Point, write_optimize_page
from evenkeel.readiness.evidence import evidence


def ground_of(request: Request) -> Ground:
    """Return what a search of a request runs on.

    Raises:
        UsageError: If the strategy or its bars are not as they must be.
    """
    source = StrategySource(
        request.strategy, request.instruments.find, fixed=request.sets or {}, library=request.library,
        symbol=request.symbol,
    )  # fmt: skip
    markets = CatalogMarkets(request.catalogs, gaps=request.gaps)
    return Ground.of(source, markets, (request.start_ns, request.end_ns), request.ledger)


def judge_run(ground: Ground, found: Outcome) -> dict[str, Any]:
    """Return what a run of a search proves, given every look at its family until now."""
    trials = ground.ledger.trials(found.look.family, found.look.data)
    document: dict[str, Any] = msgspec.to_builtins(
        evidence(found.look, found.returns, trials, per_year=ground.market.calendar.sessions_per_year)
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
    request: Request, plan: Plan, *, workers: int = 1, on_trial: Callable[[Tried, int], None] | None = None
) -> SearchOutcome:
    """Search for parameters, or go on with the same search where it was stopped, and leave its files.

    Args:
        request: What to search, on what; `lane` and `report` are not used.
        plan: What to look for.
        workers: How many sets are run at once.
        on_trial: Told of each trial, and how many there are until then.

    Raises:
        UsageError: If the strategy, its bars or a parameter are not as they must be.
    """
    ground = ground_of(request)
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
