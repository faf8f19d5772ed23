"""Orders to the outside: what a driver must do, imperative, frozen and flat."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

import msgspec

from evenkeel.model.ids import ClientId, Leg
from evenkeel.model.intent import OrderKind, TimeInForce
from evenkeel.model.order import Amendment, VenueOrder
from evenkeel.model.reason import ExitReason


class SubmitEntry(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="submit_entry", tag_field="type", omit_defaults=True
):
    """Send an entry with its protection as distances, which the venue anchors to the fill (ruling 36).

    Attributes:
        client_id: Our id.
        trade: Number of the trade, from 1.
        kind: Market, limit, stop or stop_limit.
        quantity: Signed units: positive buys, negative sells.
        price: Limit price, of a stop its trigger; None for a market order.
        trigger: What sets off a stop_limit.
        time_in_force: Of a limit or a stop_limit.
        expire_bars: Execution bars to live, 0 for ever.
        stop_distance: From the fill to the stop; None is no stop.
        target_distance: From the fill to the target; None is no target.
        trail_distance: From the price to a trailing stop of fixed distance.
        reference: Decision price; None in journals that did not write it yet.
        signal: Number of the rule behind it, for the venue's reports.
    """

    client_id: ClientId
    trade: int
    kind: OrderKind
    quantity: Decimal
    price: Decimal | None = None
    trigger: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    expire_bars: int = 0
    stop_distance: Decimal | None = None
    target_distance: Decimal | None = None
    trail_distance: Decimal | None = None
    reference: Decimal | None = None
    signal: int = -1


class SubmitExit(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="submit_exit", tag_field="type", omit_defaults=True
):
    """Close the position or a part of it: at the market, or at the last close where the data ends.

    Attributes:
        client_id: Our id.
        trade: Number of the trade.
        leg: `exit` for a signal, `guard` for a limit or the end of the data.
        quantity: Signed units: positive buys, negative sells; None closes all of it.
        reason: How the trade is to be recorded.
        at_last_close: Whether there is no next bar to trade in.
        signal: Number of the rule behind it.
    """

    client_id: ClientId
    trade: int
    leg: Leg
    quantity: Decimal | None = None
    reason: ExitReason
    at_last_close: bool = False
    signal: int = -1


class CancelEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="cancel_entry", tag_field="type"):
    """Withdraw a pending entry.

    Attributes:
        client_id: Our id of it.
    """

    client_id: ClientId


Command: TypeAlias = SubmitEntry | SubmitExit | CancelEntry


class PlaceOrder(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="place_order", tag_field="type", omit_defaults=True
):
    """Send an order to a venue.

    Attributes:
        order: As it is to be.
        halt_epoch: Of the halt flag under which it was approved; the border compares it before the bytes leave.
        lease_epoch: The same of the lease of the account.
    """

    order: VenueOrder
    halt_epoch: int = 0
    lease_epoch: int = 0


class AmendOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="amend_order", tag_field="type"):
    """Change an order at a venue.

    Attributes:
        client_id: Its id.
        amendment: What it is to become.
        halt_epoch: As in `PlaceOrder`; likewise `lease_epoch`.
    """

    client_id: ClientId
    amendment: Amendment
    halt_epoch: int = 0
    lease_epoch: int = 0


class CancelOrder(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="cancel_order", tag_field="type", omit_defaults=True
):
    """Withdraw an order from a venue; nothing holds a cancel back.

    Attributes:
        client_id: Its id.
        why: In words.
        venue_id: The venue's id of an order that our book does not have, or takes for over; None of one that is open.
    """

    client_id: ClientId
    why: str
    venue_id: str | None = None


class LookUpOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="look_up_order", tag_field="type"):
    """Ask a venue what it has under an id.

    Attributes:
        client_id: The id.
        asked_ns: When; the answer names it.
    """

    client_id: ClientId
    asked_ns: int


class AskVenue(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="ask_venue", tag_field="type"):
    """Ask a venue what it has: every open order and every execution since a stamp, to the last page.

    Attributes:
        number: Of the question, from 1; the answer names it.
        asked_ns: When.
        since_ns: From when on executions are told, by the venue's time.
        whole: Whether positions and cash are asked for too.
    """

    number: int
    asked_ns: int
    since_ns: int
    whole: bool


VenueCommand: TypeAlias = PlaceOrder | AmendOrder | CancelOrder | LookUpOrder | AskVenue
