"""A sweep from its sets to its files: what is missing is run, counted and kept; then all is ranked.

    ground = find_ground(plan)
    result = run_sweep(plan, ground, SweepStore(folder, ground.head), ledger=TrialLedger(home))

The best sets are run again, each by itself as a backtest runs it, and must give the same figures to the last bit; that
is also how they get their hashes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import msgspec

import evenkeel
from evenkeel.engine.manifest import source_digest
from evenkeel.engine.market import Market
from evenkeel.engine.sweep.cluster import Cluster
from evenkeel.engine.sweep.crew import Crew
from evenkeel.engine.sweep.evaluate import Evaluator
from evenkeel.engine.sweep.outcome import Outcome, Refusal
from evenkeel.engine.sweep.ranking import Neighbourhood, Peak, Row, ranked
from evenkeel.engine.sweep.space import Values
from evenkeel.engine.sweep.store import SweepStore
from evenkeel.engine.sweep.together import Told
from evenkeel.engine.trials import TrialLedger
from evenkeel.features.plugin import plugin_facts, plugins_behind
from evenkeel.model.errors import InvariantBroken, UsageError
from evenkeel.model.time import format_time
from evenkeel.strategies.strategy import Strategy

HEAD_SCHEMA = "evenkeel.sweep.head/1"

PROBES_MAX = 1_000
"""So many sets are tried before a sweep counts as one that cannot run at all."""

Drawn: TypeAlias = Literal["grid", "random", "lhs"]
Hashes: TypeAlias = Literal["top", "all"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is swept.

    Attributes:
        evaluator: Runs sets.
        sets: All of them, in order.
        drawn: How they were chosen.
        metric: By which they are ranked.
        top: How many of the best are looked at more closely.
        workers: Most at work.
        hashes: Which sets get a hash: the best ones, or all.
        cluster: Address of a Ray cluster that does the work; None takes this machine.
    """

    evaluator: Evaluator
    sets: Sequence[Values]
    drawn: Drawn
    metric: str
    top: int = 10
    workers: int = 1
    hashes: Hashes = "top"
    cluster: str | None = None

    @property
    def crew(self) -> Crew | None:
        """Who does the work; None leaves the choice to the evaluator."""
        return None if self.cluster is None else Cluster(self.cluster)


@dataclass(frozen=True, slots=True)
class Ground:
    """What a sweep stands on.

    Attributes:
        strategy: With the first set that can run.
        market: Of that set.
        head: What makes the sweep what it is; the same head is the same sweep.
        sessions_per_year: By what figures a year are taken.
    """

    strategy: Strategy
    market: Market
    head: Mapping[str, Any]
    sessions_per_year: float


@dataclass(frozen=True, slots=True)
class Best:
    """One of the best sets.

    Attributes:
        row: The set, with its hash.
        peak: How it stands among its neighbours.
    """

    row: Row
    peak: Peak


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What a sweep brought.

    Attributes:
        rows: All sets, in their order.
        best: The best of them.
        winner: The best one, run by itself; None where none has the metric.
        taken_up: How many sets were done before.
    """

    rows: Sequence[Row]
    best: Sequence[Best]
    winner: Outcome | None
    taken_up: int

    @property
    def refused(self) -> list[Row]:
        """Sets that could not run."""
        return [row for row in self.rows if row.reason]


def find_ground(plan: Plan, text: bytes) -> Ground:
    """Return what a sweep stands on, found by trying sets until one can run.

    Args:
        plan: What is swept.
        text: The strategy file.

    Raises:
        UsageError: If none can; the message is that of the first.
    """
    first: UsageError | None = None
    for values in plan.sets[:: -(-len(plan.sets) // PROBES_MAX)]:
        try:
            strategy, market = plan.evaluator.load(values)
        except UsageError as error:
            first = first or error
            continue
        head = _head(plan, strategy, market, text) | plan.evaluator.more_facts(values)
        return Ground(strategy, market, head, plan.evaluator.sessions_per_year(values))
    raise first or InvariantBroken("a sweep has at least one set")


def _head(plan: Plan, strategy: Strategy, market: Market, text: bytes) -> dict[str, Any]:
    return {
        "schema": HEAD_SCHEMA,
        "strategy": {
            "name": strategy.name, "kind": strategy.kind, "text": hashlib.sha256(text).hexdigest(),
            "example": strategy.hash,
        },
        "instrument": str(strategy.instrument.id),
        "data": {"hash": market.data_hash, "window": [format_time(instant) for instant in market.window]},
        "sets": {
            "drawn": plan.drawn, "names": list(plan.sets[0]), "count": len(plan.sets),
            "digest": hashlib.sha256(msgspec.json.encode([list(one.values()) for one in plan.sets])).hexdigest(),
        },
        "plugins": plugin_facts(plugins_behind(strategy.program.nodes)),
        "code": {"version": evenkeel.__version__, "source": source_digest()},
    }  # fmt: skip


def run_sweep(
    plan: Plan, store: SweepStore, *, ledger: TrialLedger, told: Told, taken_up: Callable[[int], None]
) -> SweepResult:
    """Run what is missing, keep and count it as it comes, and rank it all.

    Args:
        plan: What is swept.
        store: Where it is kept; what is done there is not done again.
        ledger: Counts each set as a look.
        told: Of base bars passed, once for each set.
        taken_up: Told how many sets were done before.

    Raises:
        UsageError: If the folder holds something else.
        InvariantBroken: If a set gives other figures by itself than among others.
    """
    done = store.open()
    before = len(done)
    taken_up(before)
    missing = [(number, values) for number, values in enumerate(plan.sets, 1) if number not in done]
    hashed = plan.hashes == "all"
    for found in plan.evaluator.run_all(missing, plan.workers, hashed=hashed, told=told, crew=plan.crew):
        rows = [row_of(number, plan.sets[number - 1], outcome) for number, outcome in found]
        ledger.add_all(outcome.look for _, outcome in found if isinstance(outcome, Outcome))
        store.add(rows)
        done.update((row.number, row) for row in rows)
    rows = [done[number] for number in sorted(done)]
    order = ranked(rows, plan.metric)[: plan.top]
    alone = [_alone(plan.evaluator, row) for row in order]
    proven = {row.number: row for row, _ in alone}
    store.add(row for row in proven.values() if row != done[row.number])
    rows = [proven.get(row.number, row) for row in rows]
    neighbourhood = Neighbourhood(rows, plan.metric, is_grid=plan.drawn == "grid")
    best = [Best(row, neighbourhood.peak(row)) for row, _ in alone]
    winner = alone[0][1] if alone and alone[0][0].value(plan.metric) is not None else None
    return SweepResult(rows, best, winner, before)


def row_of(number: int, values: Values, outcome: Outcome | Refusal) -> Row:
    """Return what is kept of a set."""
    if isinstance(outcome, Refusal):
        return Row(number=number, values=values, reason=outcome.reason, refusal=outcome.text)
    return Row(
        number=number, values=values, metrics=dict(outcome.metrics), stop_reason=outcome.stop_reason,
        result_hash=outcome.result_hash,
    )  # fmt: skip


def _alone(evaluator: Evaluator, row: Row) -> tuple[Row, Outcome]:
    """Run a set by itself: its hash, and the proof that it gave among others what it gives alone."""
    outcome = evaluator.run(row.values)
    found = row_of(row.number, row.values, outcome)
    if found.metrics != row.metrics or row.result_hash not in (None, found.result_hash):
        raise InvariantBroken(
            f"set {row.number} gives other figures by itself than it gave among others; this is a mistake in Evenkeel: "
            "report it with the strategy and the command"
        )
    return found, outcome
