"""Facts that nobody measures yet: where a profile limits their gates, an entry is refused, and an exit is not."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from account_desk import COIN, AccountDesk
from evenkeel.model.ids import Leg
from evenkeel.model.reason import Reason
from evenkeel.model.told import QualityTold
from evenkeel.risk.gates.sources import BROUGHT_BY, LETS_PASS, WAITING
from evenkeel.risk.limits.profiles import PROFILES

UNTOLD: dict[str, tuple[dict[str, Any], int, Reason]] = {
    "market.events": ({"events": None}, 12, Reason.EVENT_CALENDAR_STALE),
    "market.lockout_ns": ({"lockout_for_ns": None}, 13, Reason.REGIME_LOCKOUT),
    "market.dvs": ({"dvs": None}, 14, Reason.DVS_TOO_LOW),
    "market.eqs": ({"eqs": None}, 15, Reason.EQS_TOO_LOW),
    "market.daily_volume": ({"daily_volume": None}, 19, Reason.PARTICIPATION),
    "market.statistics": ({"value_at_risk": None}, 42, Reason.INSUFFICIENT_HISTORY),
    "market.sector": ({"sector": None}, 25, Reason.OK),
    "market.wash_sale": ({"wash_sale": None}, 45, Reason.OK),
}
"""Fact to how it stays untold, the gate that reads it and what that says."""


def without(fact: str, profile: str = "perp_small") -> AccountDesk:
    desk = AccountDesk(profile)
    desk.ready()
    changes = UNTOLD[fact][0]
    if "dvs" in changes or "eqs" in changes:
        desk.tell(QualityTold, COIN, **{"dvs": D(1), "eqs": D(1), **changes})
    else:
        desk.conditions(**changes)
    return desk


def test_each_fact_that_waits_is_looked_at() -> None:
    assert set(UNTOLD) == set(WAITING) == set(BROUGHT_BY)
    assert set(LETS_PASS) <= set(WAITING)


@pytest.mark.parametrize("fact", sorted(WAITING))
def test_without_the_fact_the_gate_refuses_unless_it_lets_pass(fact: str) -> None:
    desk = without(fact)
    _, gate, reason = UNTOLD[fact]

    verdict = desk.enter()

    assert verdict.reason is reason
    refusing = [check.gate for check in verdict.checks() if check.outcome.bars]
    assert refusing == ([] if fact in LETS_PASS else [gate])


@pytest.mark.parametrize("profile", [name for name in PROFILES if name != "research"])
def test_with_what_is_measured_today_no_profile_that_a_broker_takes_opens_anything(profile: str) -> None:
    desk = AccountDesk(profile)
    desk.ready()
    for instrument in desk.instruments:
        desk.conditions(instrument, lockout_for_ns=None, events=None, daily_volume=None, value_at_risk=None)
        desk.tell(QualityTold, instrument)

    verdict = desk.enter()

    assert verdict.is_refused
    assert {12, 13, 14, 15, 19} <= {check.gate for check in verdict.checks() if check.outcome.value == "unknown"}


@pytest.mark.parametrize("fact", sorted(WAITING))
def test_a_position_is_protected_and_closed_without_the_fact(fact: str) -> None:
    desk = AccountDesk()
    desk.ready()
    entry = desk.enter()
    desk.accept(entry.client_id)
    desk.conditions(lockout_for_ns=None, events=None, daily_volume=None, value_at_risk=None)
    desk.tell(QualityTold, COIN)

    desk.fill(entry.client_id)
    desk.leave()

    assert {command.order.leg for command in desk.placed()} == {Leg.ENTRY, Leg.STOP, Leg.TARGET, Leg.EXIT}
