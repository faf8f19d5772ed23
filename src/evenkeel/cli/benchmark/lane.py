"""The lanes inside one process: bars a second, events a second, and whether both lanes did the same.

Both are measured with gates, costs and the equity curve on, and the engine lane with its journal, as they are used.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from evenkeel.api import run_facts
from evenkeel.cli.benchmark.figure import Figure, timed
from evenkeel.cli.benchmark.workload import Prepared
from evenkeel.engine.backtest import BacktestDriver, StretchFeatures
from evenkeel.engine.core import Core, Step
from evenkeel.engine.journal import JOURNAL_FOLDER, Journal, RealDisk
from evenkeel.engine.record import RunRecord
from evenkeel.engine.research import run_research
from evenkeel.engine.steps import JournalLog
from evenkeel.features.timeline import FeatureRun
from evenkeel.risk.gates.entry import EntryGates

RESEARCH_LOOP = "research lane, compute and simulate"
RESEARCH = "research lane, fills as exact records"
ENGINE = "engine lane, with journal"
CORE = "core: events decided"
FOLD = "core: entries folded again"

LOOPS = 5
"""The loop alone takes milliseconds, so it is run this much more often."""

CORE_EVENTS_MIN, FOLDED_MIN = 100_000.0, 200_000.0
"""Aims: events decided a second, and entries of a journal folded again."""


def measure_lanes(prepared: Prepared, runs: int) -> tuple[list[Figure], RunRecord, list[str]]:
    """Measure both lanes; return the figures, what the research lane traded, and how the lanes differ, if they do."""
    part, bars = prepared.workload.name, len(prepared.bars)
    run_loop(prepared)
    loop, _ = timed(lambda: run_loop(prepared), runs * LOOPS)
    whole, record = timed(lambda: run_described(prepared), runs)
    engine, engine_record = timed(lambda: run_engine(prepared), runs)
    figures = [
        loop.figure(part, RESEARCH_LOOP, unit="bars/s", count=bars),
        whole.figure(part, RESEARCH, unit="bars/s", count=bars),
        engine.figure(part, ENGINE, unit="bars/s", count=bars),
        *_measure_core(prepared, runs),
    ]
    return figures, record, lane_differences(record, engine_record)


def lane_differences(research: RunRecord, engine: RunRecord) -> list[str]:
    """Return what the lanes did not do alike; nothing when they agree in every fill, posting and equity point."""
    if research.result_hash() == engine.result_hash():
        return []
    counts = f"{len(research.fills):,} fills in the research lane, {len(engine.fills):,} in the engine lane"
    return [f"the lanes disagree: {counts}; `keel parity` shows the first difference"]


def run_loop(prepared: Prepared) -> RunRecord:
    """Run the research lane to its equity curve and reports; nobody looks at the fills, so none is described."""
    return run_research(prepared.strategy, prepared.market)


def run_described(prepared: Prepared) -> RunRecord:
    """Run the research lane and describe every fill as an exact record."""
    record = run_loop(prepared)
    len(record.fills)
    return record


def run_engine(prepared: Prepared) -> RunRecord:
    """Run the engine lane with a journal in a temporary folder, as a backtest writes it: handed on, not synced."""
    facts = run_facts(prepared.strategy, "bench")
    with TemporaryDirectory() as folder:
        path = str(Path(folder) / JOURNAL_FOLDER)
        with Journal.open(RealDisk(), path, durable=False) as journal:
            log = JournalLog(journal)
            log.open_session({"run": "bench"})
            return BacktestDriver(facts, prepared.strategy, prepared.market, log=log).run()


class KeptSteps:
    """A log that keeps the steps in memory."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def write(self, step: Step) -> None:
        """Keep a step."""
        self.steps.append(step)


def _measure_core(prepared: Prepared, runs: int) -> list[Figure]:
    """Measure the core alone: deciding recorded events anew, and folding what was recorded."""
    kept = KeptSteps()
    BacktestDriver(run_facts(prepared.strategy, "bench"), prepared.strategy, prepared.market, log=kept).run()
    entries = [entry for step in kept.steps for entry in (step.event, *step.decisions, *step.commands)]

    features = _features(prepared)

    def decide() -> None:
        core = _new_core(prepared, features)
        for step in kept.steps:
            core.apply(step.event)

    def fold() -> None:
        core = _new_core(prepared, features)
        for entry in entries:
            core.fold(entry)

    part = prepared.workload.name
    deciding, _ = timed(decide, runs)
    folding, _ = timed(fold, runs)
    return [
        deciding.figure(part, CORE, unit="events/s", count=len(kept.steps), aim=CORE_EVENTS_MIN),
        folding.figure(part, FOLD, unit="entries/s", count=len(entries), aim=FOLDED_MIN),
    ]


def _features(prepared: Prepared) -> StretchFeatures:
    """Return the features of all bars at once: computing them is no work of the core."""
    stretch = prepared.market.stretches[0]
    whole = FeatureRun(prepared.strategy.program, stretch.series, block=len(stretch.series.on(stretch.exec).bars))
    whole.advance()
    features = StretchFeatures()
    features.open(stretch, whole)
    return features


def _new_core(prepared: Prepared, features: StretchFeatures) -> Core:
    """Return a core at birth."""
    strategy = prepared.strategy
    return Core(run_facts(strategy, "bench"), strategy, EntryGates(strategy.terms, strategy.instrument), features)
