"""What is asked of the gateway: one order, or the end of one, with everything that its gates need to know of it."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from evenkeel.model.ids import ClientId, InstrumentId, StrategyId
from evenkeel.model.intent import OrderKind, TimeInForce


class Purpose(StrEnum):
    """What a caller says an order is for; whether it reduces is computed, never taken from here."""

    ENTRY = "entry"
    INCREASE = "increase"
    REDUCE = "reduce"
    CLOSE = "close"
    PROTECT_STOP = "protect_stop"
    PROTECT_TARGET = "protect_target"
    CANCEL = "cancel"
    REPLACE = "replace"


OPENS = (Purpose.ENTRY, Purpose.INCREASE)
PROTECTS = (Purpose.PROTECT_STOP, Purpose.PROTECT_TARGET)


class Request(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """An order that somebody wants to send.

    Attributes:
        purpose: What it is said to be for.
        client_id: Our id of it; of a cancel or a change, that of the order to end or to change.
        amends: Whether it changes that order instead of placing one.
        strategy: Who asks.
        instrument: What is to be traded.
        quantity: Signed units: positive buys, negative sells; 0 for a cancel.
        kind: Market, limit, stop or stop_limit.
        price: Limit price, of a stop its trigger; None at the market.
        trigger: What sets off a stop_limit.
        time_in_force: How long it lives.
        reduce_only: Whether the venue itself keeps it from opening anything.
        group: Name of the OCO group that it is a leg of; empty without one.
        reference: Price that was decided on; None where there was none.
        reference_known_ns: When that price became known.
        signal_ns: Close of the bar of the signal; None of an order without one.
        stop_distance: From the fill to the protective stop; None without one.
        target_distance: From the fill to the first target; None without one.
        expected_move: What the trade hopes for in price, where it has no target.
        adds: Whether the strategy declares that it adds to positions.
        extended: Whether it may trade outside regular hours.
        decision: Id of the decision behind it.
        correlation: Id that connects it with what caused it.
    """

    purpose: Purpose
    client_id: ClientId
    amends: bool = False
    strategy: StrategyId
    instrument: InstrumentId
    quantity: Decimal = Decimal(0)
    kind: OrderKind = OrderKind.MARKET
    price: Decimal | None = None
    trigger: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    group: str = ""
    reference: Decimal | None = None
    reference_known_ns: int | None = None
    signal_ns: int | None = None
    stop_distance: Decimal | None = None
    target_distance: Decimal | None = None
    expected_move: Decimal | None = None
    adds: bool = False
    extended: bool = False
    decision: str = ""
    correlation: str = ""
