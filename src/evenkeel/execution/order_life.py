"""The life of an order: which state may follow which (ruling 49, operations.md 3.3)."""

from __future__ import annotations

import msgspec

from evenkeel.model.errors import InvariantBroken
from evenkeel.model.order import Order, OrderState

S = OrderState

NEXT_STATES: dict[OrderState, frozenset[OrderState]] = {
    S.INTENDED: frozenset({S.SENT, S.ABORTED, S.UNKNOWN}),
    S.SENT: frozenset({S.WORKING, S.PARTIAL, S.FILLED, S.REJECTED, S.CANCELLED, S.EXPIRED, S.UNKNOWN}),
    S.WORKING: frozenset(
        {S.PARTIAL, S.FILLED, S.CANCEL_PENDING, S.REPLACE_PENDING, S.CANCELLED, S.REJECTED, S.EXPIRED, S.UNKNOWN}
    ),
    S.PARTIAL: frozenset(
        {
            S.PARTIAL, S.FILLED, S.CANCEL_PENDING, S.REPLACE_PENDING, S.CANCELLED, S.EXPIRED, S.REJECTED, S.UNKNOWN,
        }
    ),
    S.CANCEL_PENDING: frozenset({S.CANCELLED, S.PARTIAL, S.FILLED, S.WORKING, S.UNKNOWN}),
    S.REPLACE_PENDING: frozenset({S.WORKING, S.PARTIAL, S.FILLED, S.CANCELLED, S.UNKNOWN}),
    S.UNKNOWN: frozenset(S) - {S.INTENDED, S.SENT},
    S.FILLED: frozenset(),
    S.CANCELLED: frozenset({S.PARTIAL, S.FILLED}),
    S.REJECTED: frozenset(),
    S.EXPIRED: frozenset({S.PARTIAL, S.FILLED}),
    S.ABORTED: frozenset(),
}  # fmt: skip
"""A cancelled or expired order may still report a late fill; nothing else leaves a final state."""


def moved(order: Order, state: OrderState) -> Order:
    """Return the order in its next state.

    Raises:
        InvariantBroken: If the state may not follow.
    """
    if state not in NEXT_STATES[order.state]:
        raise InvariantBroken(f"order {order.client_id} cannot move from {order.state.value} to {state.value}")
    return msgspec.structs.replace(order, state=state)
