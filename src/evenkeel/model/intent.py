"""What a strategy wishes: an intent says what and why, never whether or how much."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

import msgspec

from evenkeel.model.reason import Reason

Notes: TypeAlias = dict[str, int | float | bool | str | None]
"""Values that a strategy wants kept with a trade."""


class Direction(StrEnum):
    """Which way a position profits."""

    LONG = "long"
    SHORT = "short"

    @property
    def sign(self) -> int:
        """+1 for long, -1 for short."""
        return 1 if self is Direction.LONG else -1


class OrderKind(StrEnum):
    """How an order wants to be filled; SPLIT is none: the new units that a split brings come at a price of nothing."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    TAKE_PROFIT = "take_profit"
    STOP_LIMIT = "stop_limit"
    SPLIT = "split"


class TimeInForce(StrEnum):
    """How long an order lives."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    POST_ONLY = "PostOnly"


class Enter(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="enter", tag_field="type"):
    """Open a position with its protection.

    Attributes:
        direction: Long or short.
        kind: Market, limit, stop or stop_limit.
        price: Limit price, of a stop its trigger; None for a market order.
        trigger: What sets off a stop_limit, which is then a limit at `price`; None for the others.
        time_in_force: Of a limit or a stop_limit.
        expire_bars: Execution bars until the order expires; 0 is never.
        stop_distance: From the fill to the protective stop, in price; None is no stop.
        target_distance: From the fill to the target, in price; None is no target, or a ladder of the order terms.
        trail_distance: From the price to a trailing stop of fixed distance, where the order terms trail.
        reason: The rule that asks for it, in the strategy's own words.
        notes: What the strategy wants kept with the trade: name to number, truth or text; None is missing.
    """

    direction: Direction
    kind: OrderKind = OrderKind.MARKET
    price: Decimal | None = None
    trigger: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    expire_bars: int = 0
    stop_distance: Decimal | None = None
    target_distance: Decimal | None = None
    trail_distance: Decimal | None = None
    reason: str = ""
    notes: Notes = {}


class Leave(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="leave", tag_field="type"):
    """Close the position, or a part of it, at the market.

    Attributes:
        fraction: How much of what is held, above 0 and at most 1; rounded down to the lot.
        reason: The rule that asks for it, in the strategy's own words.
    """

    fraction: Decimal = Decimal(1)
    reason: str = ""


class Abstain(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="abstain", tag_field="type"):
    """Do nothing, and say why: the strategy's own refusal.

    Attributes:
        reason: Why; OK means that no rule spoke.
    """

    reason: Reason


Intent: TypeAlias = Enter | Leave | Abstain
