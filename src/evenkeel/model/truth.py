"""What a venue says to have when it is asked for all of it: the other side of a reconciliation."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from evenkeel.model.event import Event
from evenkeel.model.ids import InstrumentId
from evenkeel.model.report import Executed, OrderReported


class Position(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a side says to hold.

    Attributes:
        quantity: Signed units.
        average: Entry price; None is not told.
    """

    quantity: Decimal
    average: Decimal | None = None


class Truth(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What the venue said, all of it asked for at once.

    Attributes:
        asked_ns: When, by our clock.
        at_ns: When it answered, by the venue's clock.
        since_ns: From when on its executions are, by the venue's time; None is all that the answer holds.
        complete: Whether every page was read; what is incomplete proves nothing.
        orders: Open ones.
        executions: Since the stamp that was asked for, those of strangers included.
        positions: By instrument, one that is not in it is flat; None was not asked for.
        cash: Money with all purchases paid for: what the account would be worth if every position were worth nothing.
            An adapter of a venue that tells a balance takes the cost of positions off it. None is not told.
    """

    asked_ns: int
    at_ns: int | None = None
    since_ns: int | None = None
    complete: bool
    orders: tuple[OrderReported, ...] = ()
    executions: tuple[Executed, ...] = ()
    positions: Mapping[InstrumentId, Position] | None = None
    cash: Decimal | None = None


class TruthTold(Event, frozen=True, kw_only=True, gc=False, tag="truth_told"):
    """The venue answered what it has, or an attempt to ask it failed.

    Attributes:
        number: Of the question.
        truth: What it said; None where the attempt failed.
        text: Why it failed.
    """

    number: int
    truth: Truth | None = None
    text: str = ""


class DifferenceAccepted(Event, frozen=True, kw_only=True, gc=False, tag="difference_accepted"):
    """A person has looked at what differs in an instrument, takes the venue's word for it, and lets it trade again.

    Attributes:
        by: Who.
        why: In words.
    """

    by: str
    why: str = ""
