"""W3: a sweep of four hundred pairs of averages over one series, beside a peer that runs them as columns.

What is compared is the running of all sets, loaded before, on all processors; loading is a figure of its own. Some sets
are run again alone, and the peer's equity at the last close is compared for every pair.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from evenkeel.cli.benchmark.figure import Figure, Timing, timed
from evenkeel.cli.benchmark.peer import SCRIPTS, Measured, Peer
from evenkeel.cli.benchmark.process import run_process
from evenkeel.cli.benchmark.workload import SYMBOL, sweep_play
from evenkeel.data.catalog import Catalog
from evenkeel.data.definitions import Definitions
from evenkeel.data.synthetic import random_walk
from evenkeel.engine.sweep.crew import deal
from evenkeel.engine.sweep.evaluate import Evaluator, run_jobs
from evenkeel.engine.sweep.outcome import Outcome
from evenkeel.engine.sweep.source import CatalogMarkets, StrategySource
from evenkeel.engine.sweep.together import Job

NAME = "W3"
TITLE = "400 pairs of averages in one sweep"
RUN = "sweep, compute and simulate"
LOAD = "sweep, loading the sets"
_GRID = (("fast", range(5, 44, 2), 2), ("slow", range(50, 241, 10), 10))
PAIRS = [(fast, slow) for fast in _GRID[0][1] for slow in _GRID[1][1]]
CHECKED = slice(0, None, 57)
"""Sets that are run again alone."""

SHARE = 0.5
"""Part of the bars of W1 that it runs on."""

RATIO_AIM = 150.0
MEMORY_AIM_MB = 500.0
MARGIN = 1e-6
"""A difference of equity, in account currency, that is rounding."""


@dataclass(frozen=True, slots=True)
class Swept:
    """The sweep as it was measured.

    Attributes:
        figures: Of running and of loading.
        jobs: The sets.
        outcomes: What each brought, in the order of `PAIRS`.
        complaints: Sets that gave other figures alone.
    """

    figures: list[Figure]
    jobs: Sequence[Job]
    outcomes: Sequence[Outcome]
    complaints: list[str]


def measure_sweep(bars: int, runs: int, folder: Path) -> Swept:
    """Measure the sweep on all processors."""
    folder.mkdir(parents=True, exist_ok=True)
    definitions, catalog = Definitions.load(), Catalog(folder / "catalog")
    play = folder / "w3.yaml"
    play.write_text(sweep_play(), "utf-8")
    catalog.write(definitions.find(SYMBOL).id, random_walk(bars), source="random walk", imported_ns=0)
    evaluator = Evaluator(StrategySource(str(play), definitions.find), CatalogMarkets([catalog]), (None, None))
    sets = list(enumerate({"fast": fast, "slow": slow} for fast, slow in PAIRS))

    loading, jobs = timed(lambda: [job for job in evaluator.jobs(sets) if isinstance(job, Job)], 1)
    run_all(jobs)
    running, outcomes = timed(lambda: run_all(jobs), runs)
    alone = {number: evaluator.run(values) for number, values in sets[CHECKED]}
    complaints = [
        f"set {PAIRS[number]} gives other figures among others than alone"
        for number, outcome in alone.items()
        if outcome.metrics != outcomes[number].metrics
    ]
    passed = bars * len(jobs)
    figures = [
        running.figure(NAME, RUN, unit="bars/s", count=passed),
        loading.figure(NAME, LOAD, unit="ms a set", count=len(jobs), scale=1e3),
    ]
    return Swept(figures, jobs, outcomes, complaints)


def run_all(jobs: Sequence[Job]) -> list[Outcome]:
    """Run loaded sets on all processors; return what each brought, in their order."""
    workers = os.cpu_count() or 1
    found: dict[int, Outcome] = {}
    with ThreadPoolExecutor(workers) as pool:
        chunks = deal([(place, {}) for place in range(len(jobs))], workers)
        parts = [[jobs[place] for place, _ in chunk] for chunk in chunks]
        for part in pool.map(_run_part, parts):
            found.update((number, outcome) for number, outcome in part if isinstance(outcome, Outcome))
    return [found[job.number] for job in jobs]


def _run_part(jobs: Sequence[Job]) -> list[tuple[int, object]]:
    return list(run_jobs(jobs, hashed=False, told=lambda _: None, stopped=lambda: False))


def differences(swept: Swept, finals: Sequence[float], fee: float) -> list[str]:
    """Return the pairs whose equity at the last close a peer has otherwise.

    What is held at the end is closed here, with a fee, and only marked by the peer.
    """
    market = swept.jobs[0].market
    closing = float(market.stretches[-1].series.base.close[-1]) * fee
    start = float(swept.jobs[0].strategy.terms.account.start_equity)
    wrong = []
    for pair, outcome, final in zip(PAIRS, swept.outcomes, finals, strict=True):
        own = start + float(outcome.metrics["net_pnl"] or 0.0)
        if min(abs(own - final), abs(own + closing - final)) > MARGIN:
            wrong.append(f"{pair}: {final:.8f}, not {own:.8f}")
    return wrong


def measure_process(folder: Path) -> list[Figure]:
    """Return the figures of the command as it is typed, files, ranking and trial ledger included.

    Raises:
        DataError: If it fails.
    """
    grid = (f"{name}={min(values)}:{max(values)}:{step}" for name, values, step in _GRID)
    with TemporaryDirectory(dir=folder) as home:
        done = run_process(
            [sys.executable, "-m", "evenkeel", "--home", home, "sweep", str(folder / "w3.yaml"), "--catalog",
             str(folder / "catalog"), "--json", *(word for one in grid for word in ("--set", one))]
        )  # fmt: skip
    return [
        Figure(NAME, "sweep, whole process", done.seconds, "s", done.seconds, 1),
        Figure(NAME, "sweep, memory", done.memory_mb, "MB", done.memory_mb, 1, MEMORY_AIM_MB),
    ]


def measure_sweep_peer(peer: Peer, python: Path, swept: Swept, folder: Path) -> Measured:
    """Run a peer on the same pairs, once, and compare the equity of each.

    Raises:
        DataError: If it fails.
    """
    job = swept.jobs[0]
    bars = job.market.stretches[0].series.base
    account = job.strategy.terms.account
    series, result = folder / "series.npz", folder / "result.json"
    fee = float(account.taker)
    np.savez(
        series, open=bars.open, close=bars.close, pairs=np.array(PAIRS),
        firsts=np.array([one.market.stretches[0].first_exec for one in swept.jobs]), fee=fee,
        cash=float(account.start_equity),
    )  # fmt: skip
    command = [str(python), "-I", str(SCRIPTS / "runner.py"), peer.script, NAME, str(series), str(result), "1"]
    done = run_process(command)
    document = json.loads(result.read_text("utf-8"))
    passed = len(bars) * len(PAIRS)
    rate = Timing(tuple(document["seconds"])).figure(NAME, f"{peer.name}, {RUN}", unit="bars/s", count=passed)
    return Measured(
        peer, NAME, len(bars), rate, done.seconds, done.memory_mb, document["versions"],
        2 * sum(outcome.trades for outcome in swept.outcomes), differences(swept, document["finals"], fee)[:3],
    )  # fmt: skip
