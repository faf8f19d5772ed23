"""Orders and their life.

Intended -> Sent -> Working -> Partial -> Filled
              |        |          |-----> Cancelled, Expired
              |        |-> CancelPending, ReplacePending
              |-> Rejected, Unknown          Intended -> Aborted
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from evenkeel.model.ids import ClientId, Leg
from evenkeel.model.intent import Notes, OrderKind, TimeInForce


class OrderState(StrEnum):
    """Where an order stands (ruling 49)."""

    INTENDED = "intended"
    SENT = "sent"
    WORKING = "working"
    PARTIAL = "partial"
    CANCEL_PENDING = "cancel_pending"
    REPLACE_PENDING = "replace_pending"
    UNKNOWN = "unknown"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    ABORTED = "aborted"

    @property
    def is_final(self) -> bool:
        """Whether nothing more can happen to the order, late fills aside."""
        return self in FINAL_STATES


FINAL_STATES = frozenset(
    {OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED, OrderState.EXPIRED, OrderState.ABORTED}
)


class Order(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order as we know it.

    Attributes:
        client_id: Our derived id.
        trade: Number of the trade it belongs to, from 1.
        leg: What it is for within the trade.
        kind: How it wants to be filled.
        quantity: Signed units that are still to fill: positive buys, negative sells.
        price: Limit or trigger price, None for market orders.
        time_in_force: How long it lives.
        state: Where it stands.
        decided_ns: The instant of the decision behind it.
        reason: Why it exists, in words.
        notes: What the strategy wants kept with the trade.
    """

    client_id: ClientId
    trade: int
    leg: Leg
    kind: OrderKind
    quantity: Decimal
    price: Decimal | None
    time_in_force: TimeInForce = TimeInForce.GTC
    state: OrderState = OrderState.INTENDED
    decided_ns: int
    reason: str
    notes: Notes = {}
