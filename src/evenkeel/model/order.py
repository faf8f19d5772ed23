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

from evenkeel.model.ids import ClientId, InstrumentId, Leg, StrategyId
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


class Amendment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an order at a venue was asked to become; None leaves a value as it is.

    Attributes:
        quantity: Signed units in all, filled ones included.
        price: Limit price.
        trigger: Trigger price.
    """

    quantity: Decimal | None = None
    price: Decimal | None = None
    trigger: Decimal | None = None


class VenueOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order at a venue, as far as we know.

    What was filled is counted by two views that can only grow: `told`, the cumulative quantity of order reports, and
    `seen`, the sum over executions with distinct ids. The larger one holds, so that a message which is lost, repeated
    or overtaken moves it neither twice nor back.

    Attributes:
        client_id: Our id.
        strategy: Whose it is.
        instrument: What it trades.
        trade: Number of the trade it belongs to.
        leg: What it is for within the trade.
        kind: Market, limit, stop or stop_limit.
        quantity: Signed units in all: positive buys, negative sells.
        price: Limit price.
        trigger: What sets off a stop.
        time_in_force: How long it lives.
        reduces: Whether the venue may use it to make a position smaller only.
        state: Where it stands.
        told: Unsigned units filled by order reports.
        told_value: Price times quantity of those; None where a report gave no average price.
        seen: Unsigned units filled by executions.
        seen_value: Price times quantity of those.
        busted: Unsigned units whose executions the venue took back, or that were of another side or instrument.
        busted_value: Price times quantity of those.
        fees: Of the executions seen and not taken back, positive is paid.
        venue_id: The venue's id of it; None until it told one.
        placed_ns: When it was commanded.
        moved_ns: When its state last changed.
        expires_ns: When it is to be withdrawn; None is never.
        amendment: What it was last asked to become, until the venue has answered.
        lookup_ns: When the venue is to be asked about it; None if nothing is in doubt.
        lookups: How often it was asked since the doubt began.
        absent_ns: When the venue was first asked in vain about it since it was in doubt; None if it was not.
    """

    client_id: ClientId
    strategy: StrategyId
    instrument: InstrumentId
    trade: int
    leg: Leg
    kind: OrderKind
    quantity: Decimal
    price: Decimal | None = None
    trigger: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduces: bool = False
    state: OrderState = OrderState.INTENDED
    told: Decimal = Decimal(0)
    told_value: Decimal | None = Decimal(0)
    seen: Decimal = Decimal(0)
    seen_value: Decimal = Decimal(0)
    busted: Decimal = Decimal(0)
    busted_value: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    venue_id: str | None = None
    placed_ns: int
    moved_ns: int
    expires_ns: int | None = None
    amendment: Amendment | None = None
    lookup_ns: int | None = None
    lookups: int = 0
    absent_ns: int | None = None

    @property
    def sign(self) -> int:
        """+1 of a purchase, -1 of a sale."""
        return 1 if self.quantity > 0 else -1

    @property
    def filled(self) -> Decimal:
        """Unsigned units that count as filled."""
        return max(self.told, self.seen) - self.busted

    @property
    def left(self) -> Decimal:
        """Unsigned units that can still fill; nothing of an order that is over."""
        return Decimal(0) if self.state.is_final else max(abs(self.quantity) - max(self.told, self.seen), Decimal(0))

    @property
    def value(self) -> Decimal:
        """Price times quantity of what counts as filled; a part without a known price is valued at the order's own."""
        if self.seen >= self.told:
            return self.seen_value - self.busted_value
        if self.told_value is not None:
            return self.told_value - self.busted_value
        guess = self.price if self.price is not None else self.trigger
        if guess is None:
            guess = self.seen_value / self.seen if self.seen else Decimal(0)
        return self.seen_value + (self.told - self.seen) * guess - self.busted_value

    @property
    def is_priced(self) -> bool:
        """Whether the price of every filled unit is known."""
        return self.seen >= self.told or self.told_value is not None
