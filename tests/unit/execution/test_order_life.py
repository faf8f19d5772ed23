"""The moves of an order are those of operations.md 3.3 and no others."""

from __future__ import annotations

from decimal import Decimal

import pytest

from evenkeel.execution.order_life import NEXT_STATES, moved
from evenkeel.model.errors import InvariantBroken
from evenkeel.model.ids import ClientId, Leg
from evenkeel.model.intent import OrderKind
from evenkeel.model.order import Order, OrderState

TABLE = {
    "intended": "sent aborted unknown",
    "sent": "working partial filled rejected cancelled expired unknown",
    "working": "partial filled cancel_pending replace_pending cancelled rejected expired unknown",
    "partial": "partial filled cancel_pending replace_pending cancelled expired rejected unknown",
    "cancel_pending": "cancelled partial filled working unknown",
    "replace_pending": "working partial filled cancelled unknown",
    "unknown": "working partial cancel_pending replace_pending unknown filled cancelled rejected expired aborted",
    "filled": "",
    "rejected": "",
    "aborted": "",
    "cancelled": "partial filled",
    "expired": "partial filled",
}
"""As the specification has it; the last two rows are late fills."""

ADDED = {
    "sent": "aborted",
    "cancel_pending": "expired",
    "replace_pending": "expired cancel_pending",
}
"""Moves that the specification leaves out and decision 0017 adds."""


def order(state: OrderState) -> Order:
    return Order(
        client_id=ClientId("kbe-x"), trade=1, leg=Leg.ENTRY, kind=OrderKind.LIMIT, quantity=Decimal(1),
        price=Decimal(100), decided_ns=5, reason="because", state=state,
    )  # fmt: skip


@pytest.mark.parametrize("before", list(OrderState))
@pytest.mark.parametrize("after", list(OrderState))
def test_an_order_moves_as_the_table_says(before: OrderState, after: OrderState) -> None:
    if after.value in (TABLE[before.value] + " " + ADDED.get(before.value, "")).split():
        found = moved(order(before), after)
        assert found == order(after)
    else:
        with pytest.raises(InvariantBroken, match=f"kbe-x cannot move from {before.value} to {after.value}"):
            moved(order(before), after)


def test_every_state_has_its_row() -> None:
    assert set(NEXT_STATES) == set(OrderState)
    assert set(TABLE) == {state.value for state in OrderState}


def test_final_states_are_those_from_which_only_a_late_fill_leads_away() -> None:
    late = {OrderState.PARTIAL, OrderState.FILLED}

    assert {state for state in OrderState if NEXT_STATES[state] <= late} == {
        state for state in OrderState if state.is_final
    }
