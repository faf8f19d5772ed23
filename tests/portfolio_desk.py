"""Several instruments on one account for tests: hand-made bars and wishes, and one run through both lanes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

import desk
from evenkeel.engine.core import RunFacts
from evenkeel.engine.portfolio.driver import PortfolioDriver
from evenkeel.engine.portfolio.instance import Instance
from evenkeel.engine.portfolio.record import PortfolioRecord
from evenkeel.engine.portfolio.research import run_portfolio_research
from evenkeel.engine.record import RunRecord
from evenkeel.model.ids import InstrumentId, RunId, StrategyId
from evenkeel.model.instrument import Instrument
from evenkeel.model.reason import Reason
from evenkeel.model.time import Timeframe
from evenkeel.strategies.terms import Terms


def instance(name: str, piece: desk.Piece, terms: Terms, *, exec_tf: str = "1m", **facts: object) -> Instance:
    """Return an instrument with one stretch of bars and what is wished in it."""
    asset: Instrument = desk.instrument(id=InstrumentId(name), **facts)
    execution = Timeframe.parse(exec_tf)
    stretch = desk.stretch_of(piece, 0, Reason.END_OF_DATA, execution)
    strategy = desk.ScriptedStrategy(asset, terms, execution)
    return Instance(strategy, desk.market_of([stretch], asset))


def facts_of(one: Instance) -> RunFacts:
    """Return the facts of a test run."""
    return RunFacts(
        mode="backtest", run=RunId("test"), strategy=StrategyId(one.strategy.name), instrument=one.id,
        start_equity=one.strategy.terms.account.start_equity,
    )  # fmt: skip


def engine_run(instances: Sequence[Instance]) -> PortfolioRecord:
    """Run in the engine lane, in memory."""
    ordered = sorted(instances, key=lambda one: one.id)
    return PortfolioDriver([facts_of(one) for one in ordered], instances).run()


def differences(one: PortfolioRecord, other: PortfolioRecord) -> list[object]:
    """Return what differs between two records."""
    found: list[object] = []
    for name, a, b in zip(one.instruments, one.parts, other.parts, strict=True):
        found += [(name, difference) for difference in desk.differences(a, b)]
        found += [] if list(a.dead_entries) == list(b.dead_entries) else [(name, "dead entries")]
    for what in ("times_ns", "curve"):
        if not np.array_equal(getattr(one, what), getattr(other, what)):
            found.append(what)
    ends = [(record.stop_reason, record.stop_ns, record.drawdown_intrabar) for record in (one, other)]
    found += [] if ends[0] == ends[1] else [ends]
    return found or ([] if one.result_hash() == other.result_hash() else ["hash"])


def both_lanes(instances: Sequence[Instance]) -> tuple[PortfolioRecord, Mapping[str, RunRecord]]:
    """Run both lanes, which must agree; return the record, and that of each instrument by its name."""
    record = run_portfolio_research(instances)
    assert differences(record, engine_run(instances)) == []
    return record, dict(zip(record.instruments, record.parts, strict=True))
