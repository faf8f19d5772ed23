"""What is known of the strategy that asks."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from evenkeel.risk.gates.numeric import NumericGates

ONE = Decimal(1)


class Health(StrEnum):
    """What a strategy's last trades say of it."""

    WELL = "well"
    THROTTLED = "throttled"
    QUARANTINED = "quarantined"


class Sent(StrEnum):
    """What is known of an order with the same id."""

    ABSENT = "absent"
    EXISTS = "exists"


class Recent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order that was sent a while ago.

    Attributes:
        sent_ns: When.
        quantity: Signed units.
        price: Limit or reference price.
    """

    sent_ns: int
    quantity: Decimal
    price: Decimal


class StrategyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """About the strategy that asks, in that instrument.

    Attributes:
        allowed: Whether it may trade this account.
        health: What its last trades say.
        streak: Its losses in a row within the session.
        same_id: What is known of an order with the id of the request; None where the look-up failed.
        signal_used: Whether its signal bar has had an order already.
        recent: Its orders of late in the instrument.
        signal_ns: When its last entry here was sent.
        waiver_ns: Until when a person lets it trade without a stop; NEVER where nobody does.
        cost_factor: Of costs while it is throttled.
        scale: Its fraction, or a fractional Kelly.
        volatility_scale: Factor for the volatility of the instrument.
        streak_scale: Factor after losses.
        numeric: The numeric gates of its account and instrument.
    """

    allowed: bool | None = None
    health: Health | None = None
    streak: int | None = None
    same_id: Sent | None = None
    signal_used: bool | None = None
    recent: tuple[Recent, ...] | None = None
    signal_ns: int | None = None
    waiver_ns: int | None = None
    cost_factor: Decimal = ONE
    scale: Decimal | None = None
    volatility_scale: Decimal | None = None
    streak_scale: Decimal | None = None
    numeric: NumericGates | None = None
