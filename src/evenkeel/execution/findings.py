"""What a message of a venue means: fills that count, and findings, which are things that should not be."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

import msgspec

from evenkeel.model.ids import ClientId
from evenkeel.model.order import VenueOrder


class FindingCode(StrEnum):
    """What should not be (operations.md 3.4, 4.5, 12)."""

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


@dataclass(slots=True)
class Told:
    """What one fold meant.

    Attributes:
        counted: Fills that count.
        findings: Things to look at.
        touched: Orders that changed.
    """

    counted: list[Counted] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    touched: list[ClientId] = field(default_factory=list)
