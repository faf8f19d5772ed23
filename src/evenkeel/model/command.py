"""Orders to the outside: what a driver must do, imperative, frozen and flat."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

import msgspec

from evenkeel.model.ids import ClientId, Leg
from evenkeel.model.intent import OrderKind, TimeInForce
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
