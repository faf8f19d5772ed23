"""What `keel sweep` does, as a typed call.

    swept = sweep(SweepRequest(run=request, sets=[{"fast": 5}, {"fast": 9}], drawn="grid"))
    swept.result.best[0].row.values

A sweep loads the strategy once with each set, runs all sets over the same bars, ranks them, and leaves a table, a page
and a document in a folder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from evenkeel.api import Request
from evenkeel.engine.clock import Stopwatch
from evenkeel.engine.sweep.evaluate import Evaluator
from evenkeel.engine.sweep.joint import JointEvaluator
from evenkeel.engine.sweep.ranking import Row
from evenkeel.engine.sweep.source import CatalogMarkets, StrategySource
from evenkeel.engine.sweep.space import Values
from evenkeel.engine.sweep.store import PAGE_NAME, TABLE_NAME, SweepStore
from evenkeel.engine.sweep.sweep import Drawn, Ground, Hashes, Plan, SweepResult, find_ground, run_sweep
from evenkeel.engine.trials import TrialLedger
from evenkeel.model.ids import short_hash
from evenkeel.model.time import format_time
from evenkeel.readiness.evidence import Evidence, evidence
from evenkeel.strategies.load import strategy_file

SCHEMA = "evenkeel.sweep/1"
SWEEPS_FOLDER = "sweeps"
"""Folder of all sweeps, in the home."""


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """What to sweep.

    Attributes:
        run: Strategy, data and range of each run; its `sets` are shared by all, its `out` is the folder of the sweep.
        sets: The sets of parameters, all with the same names.
        drawn: How they were chosen: `grid`, `random` or `lhs`.
        metric: By which they are ranked: a figure of `result.json`.
        top: How many of the best are looked at more closely.
        workers: Most threads or processes at work.
        hashes: Which sets get a result hash: `top` or `all`.
        cluster: Address of a Ray cluster that does the work; None takes this machine.
        symbols: Several instruments that each set trades on one account; none for that of the run.
    """

    run: Request
    sets: Sequence[Values]
    drawn: Drawn = "grid"
    metric: str = "sharpe"
    top: int = 10
    workers: int = 1
    hashes: Hashes = "top"
    cluster: str | None = None
    symbols: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep left.

    Attributes:
        folder: Its files.
        result: The sets, ranked.
        document: As `--json` prints it.
        lines: What a person should know besides the table.
    """

    folder: Path
    result: SweepResult
    document: dict[str, Any]
    lines: Sequence[str]


def sweep(
    request: SweepRequest,
    *,
    told: Callable[[float], None] = lambda _: None,
    note: Callable[[str], None] = lambda _: None,
) -> Swept:
    """Run a sweep, or what is missing of it, and leave its files.

    Args:
        request: What to run.
        told: Of progress: parts of the whole that have just been done, from 0 to 1.
        note: Given each sentence worth a line beside the result.

    Raises:
        UsageError: If no set can run, or the folder holds something else.
    """
    watch = Stopwatch()
    run = request.run
    source = StrategySource(run.strategy, run.instruments.find, dict(run.sets or {}), run.library, run.symbol)
    markets, window = CatalogMarkets(run.catalogs, run.gaps), (run.start_ns, run.end_ns)
    evaluator = (
        JointEvaluator(source, markets, window, request.symbols)
        if request.symbols
        else Evaluator(source, markets, window)
    )
    plan = Plan(
        evaluator, request.sets, request.drawn, request.metric, request.top, request.workers, request.hashes,
        request.cluster,
    )  # fmt: skip
    ground = find_ground(plan, strategy_file(run.strategy).read_bytes())
    if ground.strategy.kernel is None:
        note(f"{ground.strategy.name} decides in Python: each set runs in the engine lane, in a process")
    store = SweepStore(run.out or _folder(run, ground), ground.head)
    load_s = watch.lap()
    ledger = TrialLedger(run.home or run.runs)
    whole = len(request.sets) * ground.market.base_bars
    result = run_sweep(
        plan, store, ledger=ledger, told=lambda bars: told(bars / whole),
        taken_up=lambda done: _tell_taken_up(done, request, told, note),
    )  # fmt: skip
    run_s = watch.lap()
    found = _evidence(result, ground, ledger)
    document = _document(request, ground, store.folder, result, found)
    document["timing"] = {"load_s": load_s, "run_s": run_s, "taken_up": result.taken_up}
    from evenkeel.monitor.sweep.page import render_page

    store.finish(result.rows, document, render_page(document, result, found))
    return Swept(store.folder, result, document, _lines(request, result, store.folder, found, run_s))


def _folder(run: Request, ground: Ground) -> Path:
    """Return the folder of a sweep that names none: the same sweep always has the same."""
    name = f"{ground.strategy.name}-{short_hash(msgspec.json.encode(ground.head), 10)}"
    return (run.home or run.runs) / SWEEPS_FOLDER / name


def _tell_taken_up(
    done: int, request: SweepRequest, told: Callable[[float], None], note: Callable[[str], None]
) -> None:
    """Say once that an earlier sweep is taken up."""
    if done:
        count = len(request.sets)
        told(done / count)
        note(f"{done:,} of {count:,} sets were done before" + ("; nothing is left to run" if done == count else ""))


def _evidence(result: SweepResult, ground: Ground, ledger: TrialLedger) -> Evidence | None:
    """Return what the best set proves, given every look at the family."""
    if result.winner is None:
        return None
    look = result.winner.look
    trials = ledger.trials(look.family, look.data)
    return evidence(look, result.winner.returns, trials, per_year=ground.sessions_per_year)


def _document(
    request: SweepRequest, ground: Ground, folder: Path, result: SweepResult, found: Evidence | None
) -> dict[str, Any]:
    strategy, market = ground.strategy, ground.market
    return {
        "schema": SCHEMA, "sweep": folder.name, "folder": str(folder),
        "strategy": {"name": strategy.name, "kind": strategy.kind},
        "lane": "research" if strategy.kernel is not None else "engine",
        "symbols": list(ground.head.get("instruments", [str(strategy.instrument.id)])),
        "data": {
            "hash": market.data_hash, "start": format_time(market.window[0]), "end": format_time(market.window[1]),
            "base_tf": str(market.base), "exec_tf": str(market.exec), "base_bars": market.base_bars,
            "exec_bars": market.exec_bars,
        },
        "parameters": [
            {"name": name, "values": list(dict.fromkeys(values[name] for values in request.sets))}
            for name in request.sets[0]
        ],
        "sets": {"drawn": request.drawn, "count": len(request.sets), "refused": len(result.refused)},
        "metric": request.metric,
        "best": [
            {
                "set": best.row.number, "values": best.row.values, "metrics": best.row.metrics,
                "stop_reason": best.row.stop_reason, "result_hash": best.row.result_hash,
                "neighbours": {
                    "count": best.peak.neighbours, "median": best.peak.median, "lonely": best.peak.lonely,
                },
            }
            for best in result.best
        ],
        "refusals": [
            {"reason": reason, "text": text, "sets": sets} for (reason, text), sets in _reasons(result.refused)
        ],
        "evidence": None if found is None else msgspec.to_builtins(found),
        "files": {"table": str(folder / TABLE_NAME), "page": str(folder / PAGE_NAME)},
    }  # fmt: skip


def _reasons(refused: Sequence[Row]) -> list[tuple[tuple[str, str], int]]:
    """Return the different refusals with how many sets each met, the most frequent first."""
    return Counter((row.reason, row.refusal) for row in refused).most_common()


def _lines(
    request: SweepRequest, result: SweepResult, folder: Path, found: Evidence | None, seconds: float
) -> list[str]:
    """Return what a person should know besides the table."""
    from evenkeel.monitor.report.proof import deflated, overfitted, tries

    lines = []
    if found is not None:
        lines.append(f"deflated Sharpe of the best: {deflated(found)} ({tries(found)})")
        lines.append(f"overfitting (PBO): {overfitted(found)}")
    elif result.best:
        lines.append(f"no set has the figure {request.metric}: they stand in the order of their parameters")
    if result.refused:
        (_, text), sets = _reasons(result.refused)[0]
        lines.append(f"{len(result.refused):,} sets were refused, {sets:,} of them because: {text}")
    if lonely := sum(best.peak.lonely for best in result.best):
        lines.append(
            f"{lonely} of the best {len(result.best)} stand alone: their neighbours keep less than half the lead"
        )
    run = len(request.sets) - result.taken_up
    lines.append(f"{run:,} sets in {seconds:.1f} s; the best {len(result.best)} were run again by themselves: equal")
    lines.append(f"table: {folder / TABLE_NAME}")
    lines.append(f"page: {folder / PAGE_NAME}")
    return lines
