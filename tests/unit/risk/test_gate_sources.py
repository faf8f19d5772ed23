"""Every fact that a gate reads is a fact, and has a source or is known to wait for one."""

from __future__ import annotations

import msgspec

from evenkeel.risk.gates.facts.account import AccountFacts
from evenkeel.risk.gates.facts.engine import EngineFacts
from evenkeel.risk.gates.facts.market import MarketFacts
from evenkeel.risk.gates.facts.strategy import StrategyFacts
from evenkeel.risk.gates.sources import SOURCES, WAITING
from evenkeel.risk.gates.table import GATES

FACTS = {
    f"{part}.{field.name}"
    for part, kind in (
        ("engine", EngineFacts), ("account", AccountFacts), ("market", MarketFacts), ("strategy", StrategyFacts),
    )
    for field in msgspec.structs.fields(kind)
}  # fmt: skip


def test_every_fact_has_a_source_or_waits_for_one() -> None:
    assert set(SOURCES) | set(WAITING) == FACTS
    assert not set(SOURCES) & set(WAITING)
    assert all(SOURCES.values())


def test_gates_read_facts_that_exist_and_every_fact_is_read() -> None:
    needed = {fact for gate in GATES for fact in gate.needs}

    assert needed <= FACTS
    assert needed >= FACTS - {"strategy.cost_factor", "market.working"}
