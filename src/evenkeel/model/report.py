"""Facts about orders at a venue, and about how it can be reached: what a broker's adapter tells.

An adapter translates and decides nothing: it may tell a fact twice, late or in any order, and may leave one out.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from evenkeel.model.event import Event
from evenkeel.model.ids import ClientId
from evenkeel.model.order import OrderState


class Act(StrEnum):
    """What was asked of a venue."""

    PLACE = "place"
    AMEND = "amend"
    CANCEL = "cancel"


class Outcome(StrEnum):
    """What became of a message to a venue."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """No answer, or one that says nothing about the order: a time-out, a 5xx, a lost connection."""
    ABORTED = "aborted"
    """It never left: the border saw that the approval no longer held."""
    EXISTS = "exists"
    """The venue has an order of that id already."""


class SendResolved(Event, frozen=True, kw_only=True, gc=False, tag="send_resolved"):
    """A message to the venue was answered, or is known not to be.

    Attributes:
        client_id: Of the order.
        act: What was asked.
        outcome: What became of it.
        venue_id: The venue's id of the order, where it gave one.
        text: The venue's words.
    """

    client_id: ClientId
    act: Act
    outcome: Outcome
    venue_id: str | None = None
    text: str = ""


class OrderReported(Event, frozen=True, kw_only=True, gc=False, tag="order_reported"):
    """The venue told how an order stands.

    Attributes:
        client_id: Our id, where the venue told it.
        venue_id: The venue's id.
        replaces: The venue's id of the order that this one took the place of.
        state: As the venue has it: working, partial, or a final state.
        quantity: Unsigned units in all.
        filled: Unsigned units so far.
        average: Price of those; None where it was not told.
        price: Limit price.
        trigger: Trigger price.
        text: The venue's words.
    """

    client_id: ClientId | None = None
    venue_id: str
    replaces: str | None = None
    state: OrderState
    quantity: Decimal
    filled: Decimal = Decimal(0)
    average: Decimal | None = None
    price: Decimal | None = None
    trigger: Decimal | None = None
    text: str = ""


class Executed(Event, frozen=True, kw_only=True, gc=False, tag="executed"):
    """The venue executed a piece of an order.

    Attributes:
        execution_id: The venue's id of the execution; the same one names the same piece.
        client_id: Our id of the order, where the venue told it.
        venue_id: The venue's id of the order.
        quantity: Signed units.
        price: Per unit.
        fee: In the account currency, positive is paid.
        taker: Whether it took liquidity.
    """

    execution_id: str
    client_id: ClientId | None = None
    venue_id: str
    quantity: Decimal
    price: Decimal
    fee: Decimal = Decimal(0)
    taker: bool = True


class ExecutionBusted(Event, frozen=True, kw_only=True, gc=False, tag="execution_busted"):
    """The venue took an execution back; what it was of is told by some venues only.

    Attributes:
        execution_id: The venue's id of it.
        client_id: Our id of the order.
        venue_id: The venue's id of the order.
        quantity: Signed units.
        price: Per unit.
    """

    execution_id: str
    client_id: ClientId | None = None
    venue_id: str | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None


class LookedUp(Event, frozen=True, kw_only=True, gc=False, tag="looked_up"):
    """The venue answered what it has under an id of ours.

    Attributes:
        client_id: The id.
        asked_ns: When it was asked.
        found: The order; None where the answer did not have it.
        executions: Of the order.
        complete: Whether the answer covered everything that the venue has, past orders included.
    """

    client_id: ClientId
    asked_ns: int
    found: OrderReported | None = None
    executions: tuple[Executed, ...] = ()
    complete: bool


VenueEvent: TypeAlias = SendResolved | OrderReported | Executed | ExecutionBusted | LookedUp
