"""Whatever is asked: no more is approved than was asked, less knowledge and tighter limits approve nothing more."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenkeel.model.errors import UsageError
from evenkeel.model.ids import InstrumentId, StrategyId
from evenkeel.model.intent import OrderKind
from evenkeel.model.time import SECOND
from evenkeel.risk.classify import Effect, Working
from evenkeel.risk.gates.check import Outcome, Scope
from evenkeel.risk.gates.facts.account import Holding
from evenkeel.risk.gates.facts.strategy import Health, Sent
from evenkeel.risk.gates.request import Purpose
from evenkeel.risk.gates.table import GATES
from evenkeel.risk.gates.verdict import Approved, Refused
from evenkeel.risk.limits.limits import all_rules
from evenkeel.risk.limits.rule import Tighter
from gate_desk import NOW, equity, micro, perpetual

DESKS = {"equity": equity, "perpetual": perpetual, "micro": micro}


def money(low: int, high: int) -> st.SearchStrategy[D]:
    return st.decimals(low, high, places=2)


def fractions(low: str = "0", high: str = "1.2") -> st.SearchStrategy[D]:
    return st.decimals(D(low), D(high), places=4)


holdings = st.lists(
    st.builds(
        Holding, instrument=st.sampled_from([InstrumentId(name) for name in ("ACME.NYSE", "B.X", "C.X", "D.X")]),
        strategy=st.sampled_from([StrategyId("trend"), StrategyId("other")]), notional=money(-60_000, 60_000),
        sector=st.sampled_from([None, "retail", "energy"]), correlation=st.none() | fractions("-1", "1"),
    ),
    max_size=5,
).map(tuple)  # fmt: skip

CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "request.quantity": st.decimals(-200, 200, places=0).filter(bool),
    "request.stop_distance": st.decimals(D("0.01"), D(30), places=2),
    "request.adds": st.booleans(),
    "engine.halt_level": st.integers(0, 4),
    "engine.panic": st.sampled_from([False, False, False, True]),
    "engine.lease_until_ns": st.integers(NOW - 5, NOW + 20),
    "engine.journal_writable": st.sampled_from([True, True, False]),
    "engine.clock_offset_ns": st.integers(-2 * SECOND, 2 * SECOND),
    "account.equity": money(0, 200_000),
    "account.peak": money(1, 200_000),
    "account.scale": fractions(),
    "account.realised_day": money(-5_000, 5_000),
    "account.open_profit": money(-5_000, 5_000),
    "account.open_risk": money(0, 3_000),
    "account.streak": st.integers(0, 4),
    "account.holdings": holdings,
    "account.buying_power": money(0, 100_000),
    "market.last": st.decimals(D(90), D(110), places=2),
    "market.dvs": fractions("0", "1"),
    "market.position": st.sampled_from([D(0), D(0), D(30), D(-30)]),
    "market.minute_volume": money(0, 2_000),
    "market.unknown": st.sampled_from([False, False, True]),
    "strategy.scale": fractions(),
    "strategy.streak_scale": fractions(),
    "strategy.health": st.sampled_from(list(Health)),
    "strategy.same_id": st.sampled_from([Sent.ABSENT, Sent.ABSENT, Sent.EXISTS]),
}

drawn = st.dictionaries(st.sampled_from(sorted(CHANGES)), st.none(), max_size=6).flatmap(
    lambda names: st.fixed_dictionaries({name: CHANGES[name] for name in names})
)
EMPTY = sorted({fact for gate in GATES for fact in gate.needs} - {"market.sector", "market.wash_sale"})
"""Without the two whose absence is no lack: a sector that is not known has a cap of its own, a wash sale is a memo."""


@settings(max_examples=150)
@given(drawn)
def test_no_more_is_approved_than_was_asked_and_the_first_refusal_is_the_reason(changes: dict[str, Any]) -> None:
    desk = equity().with_(**changes)
    verdict = desk.judge()
    barring = [check for check in verdict.checks if check.outcome.bars]

    assert [check.gate for check in verdict.checks] == list(range(1, 50))
    if isinstance(verdict, Refused):
        assert verdict.reason is barring[0].reason
        return
    assert barring == []
    assert 0 < abs(verdict.quantity) <= abs(desk.request.quantity)
    assert (verdict.quantity > 0) == (desk.request.quantity > 0)
    left = [step.quantity for step in verdict.steps]
    assert left == sorted(left, reverse=True)


@settings(max_examples=150)
@given(drawn, st.sampled_from(EMPTY))
def test_knowing_less_approves_nothing_more(changes: dict[str, Any], fact: str) -> None:
    desk = equity().with_(**changes)
    blind = desk.with_(**{fact: None})

    if isinstance(blind.judge(), Approved):
        assert isinstance(desk.judge(), Approved)


BOUNDED = [
    name
    for name, rule in all_rules().items()
    if rule.gate and rule.tighter in (Tighter.LESS, Tighter.MORE) and name.partition(".")[0] != "orders"
    and not name.startswith(("losses.soft", "losses.medium", "market.medium", "prices.market", "operation.lease"))
]  # fmt: skip


@settings(max_examples=200)
@given(drawn, st.sampled_from(BOUNDED), st.decimals(D("0.05"), D(1), places=2))
def test_of_an_order_of_one_size_tighter_limits_let_nothing_more_through(
    changes: dict[str, Any], name: str, part: D
) -> None:
    desk, rule = equity().with_(**changes), all_rules()[name]
    value = desk.limits.value(name)
    if value is None:
        return
    tighter = value * part if rule.tighter is Tighter.LESS else value / part
    tighter = int(tighter) if isinstance(value, int) else tighter
    if not rule.holds(tighter):
        return
    try:
        strict = desk.with_(**{f"limits.{name}": tighter})
    except UsageError:  # it would lie on the wrong side of another limit
        return

    for loose, tight in zip(desk.check_all(), strict.check_all(), strict=True):
        assert tight.outcome.bars or not loose.outcome.bars, (name, loose, tight)


exits = st.fixed_dictionaries(
    {
        "request.purpose": st.sampled_from([Purpose.REDUCE, Purpose.CLOSE, Purpose.PROTECT_STOP]),
        "request.quantity": st.decimals(-90, 90, places=0).filter(bool),
        "market.position": st.decimals(-60, 60, places=0),
        "market.working": st.lists(
            st.builds(Working, quantity=st.decimals(-40, 40, places=0), group=st.sampled_from(["", "g"])), max_size=3
        ).map(tuple),
    }
)


@settings(max_examples=200)
@given(drawn, exits)
def test_an_exit_that_is_approved_reduces_and_entry_gates_never_stop_it(
    changes: dict[str, Any], given_exit: dict[str, Any]
) -> None:
    desk = equity().with_(**{**changes, **given_exit, "request.kind": OrderKind.MARKET, "request.price": None})
    verdict = desk.judge()
    entry_gates = {gate.number for gate in GATES if gate.scope is Scope.ENTRY}

    if verdict.effect is Effect.REDUCING:
        assert all(verdict.checks[gate - 1].outcome is Outcome.NOT_APPLICABLE for gate in entry_gates)
    if isinstance(verdict, Approved):
        held = desk.facts.market.position
        assert held is not None
        assert verdict.effect is Effect.REDUCING
        assert abs(held + verdict.quantity) <= abs(held)
        assert (held + verdict.quantity) * held >= 0


@pytest.mark.parametrize("where", DESKS)
def test_each_fact_alone_makes_an_entry_refused_or_told_where_the_profile_limits_it(where: str) -> None:
    """One fact after the other is not known: what a gate of the profile reads never passes in silence."""
    desk = DESKS[where]()
    plain = desk.judge()
    for gate in GATES:
        if plain.checks[gate.number - 1].outcome is Outcome.NOT_APPLICABLE:
            continue
        blind = desk
        for fact in gate.needs:
            blind = blind.with_(**{fact: None})
        found = blind.judge().checks[gate.number - 1]
        assert gate.needs == () or found.outcome in (Outcome.UNKNOWN, Outcome.WARN), (gate.name, found)
