"""What a message of a venue means: fills that count, and findings, which are things that should not be."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

import msgspec

from evenkeel.model.ids import ClientId, InstrumentId
from evenkeel.model.order import VenueOrder


class FindingCode(StrEnum):
    """What should not be (operations.md 3.4, 4.5, 12).

    The nine checks of a fill: 1 OVERFILL, FILL_MISSING, FILL_QTY; 2 FILL_PRICE; 3 WRONG_SIDE, WRONG_INSTRUMENT;
    4 FILL_QTY; 5 FILL_TIME; 6 FILL_DUPLICATE; 7 LEDGER_BREAK; 8 FILL_ORPHAN, and what we lack counts; 9 FILL_PRICE.
    """

    LATE_FILL = "late_fill"
    OVERFILL = "overfill"
    FILL_AFTER_REJECT = "fill_after_reject"
    BUSTED = "busted"
    ATTRIBUTES = "attributes"
    OPEN_AFTER_END = "open_after_end"
    MISSING = "missing"
    STRANGER = "stranger"
    OWN_STRANGER = "own_stranger"
    WRONG_SIDE = "wrong_side"
    WRONG_INSTRUMENT = "wrong_instrument"
    FILL_DUPLICATE = "fill_duplicate"
    """An execution came again under its id, and says something else."""
    FILL_QTY = "fill_qty"
    """What the venue says of an order contradicts itself, or its executions."""
    FILL_PRICE = "fill_price"
    """An execution is worse than its limit, or the executions do not make the venue's average price."""
    FILL_TIME = "fill_time"
    """An execution is from before its order was sent, or from long after the order's life."""
    FILL_MISSING = "fill_missing"
    """A complete answer lacks executions of what the venue says was filled."""
    FILL_ORPHAN = "fill_orphan"
    """An execution that we have is not in the complete list of the venue."""
    DUST = "dust"
    """Less than a lot is left of a position: it is no order's worth, and its trade is over."""
    LEDGER_BREAK = "ledger_break"
    """Position or cash of the venue are not what was there before and all that has happened since."""
    BAR_REFUSED = "bar_refused"
    """A bar came too late, twice, or is none: features did not take it."""
    HELD_BACK = "held_back"
    """The gates refused something that reduces; it stays needed and is asked for again."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something at a venue that should not be.

    Attributes:
        code: What.
        client_id: Of the order, where it is ours.
        detail: Figures, in words.
    """

    code: FindingCode
    client_id: ClientId | None = None
    detail: str = ""


class Counted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A change of what an order has filled.

    Attributes:
        order: After it.
        quantity: Signed units; 0 where only the price of what was counted became known, against the order's side where
            an execution was taken back.
        value: Price times quantity of the change, of a purchase and a sale alike; against the quantity where it was
            taken back.
        fee: Positive is paid.
        late: Whether the order was over before.
    """

    order: VenueOrder
    quantity: Decimal
    value: Decimal
    fee: Decimal
    late: bool = False


class Strayed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Units that changed hands under an order of ours that cannot have done it: position and money follow the venue.

    Attributes:
        order: Under whose name.
        instrument: What changed hands.
        quantity: Signed units.
        value: Price times signed quantity.
        fee: Positive is paid.
    """

    order: VenueOrder
    instrument: InstrumentId
    quantity: Decimal
    value: Decimal
    fee: Decimal


@dataclass(slots=True)
class Told:
    """What one fold meant.

    Attributes:
        counted: Fills that count.
        strayed: Fills under an order that cannot be its own.
        findings: Things to look at.
        touched: Orders that changed.
    """

    counted: list[Counted] = field(default_factory=list)
    strayed: list[Strayed] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    touched: list[ClientId] = field(default_factory=list)
