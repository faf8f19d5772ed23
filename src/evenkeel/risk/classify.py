"""Whether an order reduces a position: computed from what is held and working, never believed (operations.md 1.2).

Reducing is `sign(q) = -sign(Q)` and `|q| <= |Q| - |R|`, with Q held at the broker and R the reducing orders at work.
Of the legs of one OCO group only the largest counts, because only one of them can fill.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum

import msgspec

from evenkeel.model.reason import Reason
from evenkeel.risk.gates.request import OPENS, Purpose

ROUNDING = Decimal("0.01")
"""An exit may be larger than what is held by so much, as fractions are rounded; it is cut to what is held."""


class Effect(StrEnum):
    """What an order does to the risk of the account."""

    INCREASING = "increasing"
    REDUCING = "reducing"
    NEUTRAL = "neutral"
    REFUSED = "refused"


class Working(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order at work that may reduce the position.

    Attributes:
        quantity: Signed units that are still to fill.
        group: Name of its OCO group; empty without one.
    """

    quantity: Decimal
    group: str = ""


class Classified(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an order is.

    Attributes:
        effect: What it does.
        quantity: Signed units that it may have at most; 0 where it is refused.
        reason: OK; why it is refused; or EXIT_EXCEEDS_POSITION where a close was cut and that is to be told.
        fake_exit: Whether it was called an exit and would open or enlarge a position.
    """

    effect: Effect
    quantity: Decimal
    reason: Reason = Reason.OK
    fake_exit: bool = False


def classify(
    purpose: Purpose,
    quantity: Decimal,
    position: Decimal | None,
    working: Sequence[Working] | None,
    *,
    group: str = "",
    closes_at_venue: bool = False,
) -> Classified:
    """Return what an order does.

    Args:
        purpose: What it is said to be for: an entry stays one, so that nothing is gained by the other name.
        quantity: Signed units that it asks for.
        position: Signed units held at the broker; None is not known.
        working: Other orders at work in the instrument, without one that this replaces; None is not known.
        group: OCO group of the order, whose other legs share its room.
        closes_at_venue: Whether the venue itself keeps it from opening anything (reduce-only, close-position).
    """
    if purpose is Purpose.CANCEL:
        return Classified(effect=Effect.NEUTRAL, quantity=Decimal(0))
    if purpose in OPENS:
        return Classified(effect=Effect.INCREASING, quantity=quantity)
    if position is None or working is None:
        if purpose is Purpose.CLOSE and closes_at_venue:
            return Classified(effect=Effect.REDUCING, quantity=quantity)
        return _refused(Reason.POSITION_UNKNOWN)
    if not position:
        return _refused(Reason.NO_POSITION_TO_EXIT)
    if (quantity > 0) == (position > 0):
        return Classified(effect=Effect.INCREASING, quantity=quantity, reason=Reason.FAKE_EXIT, fake_exit=True)
    return _fitted(purpose, quantity, max(Decimal(0), abs(position) - reducing(position, working, but=group)))


def reducing(position: Decimal, working: Sequence[Working], *, but: str = "") -> Decimal:
    """Return the units that orders at work could take off a position, unsigned.

    Args:
        position: Signed units held.
        working: Orders at work in the instrument.
        but: Name of an OCO group that is left out; empty leaves out none.
    """
    alone, groups = Decimal(0), dict[str, Decimal]()
    for order in working:
        if not order.quantity or (order.quantity > 0) == (position > 0):
            continue
        if not order.group:
            alone += abs(order.quantity)
        elif order.group != but:
            groups[order.group] = max(groups.get(order.group, Decimal(0)), abs(order.quantity))
    return alone + sum(groups.values(), Decimal(0))


def _fitted(purpose: Purpose, quantity: Decimal, room: Decimal) -> Classified:
    """Return a reducing order cut to the room; a close may be cut by any amount, others by rounding only."""
    wished = abs(quantity)
    if wished <= room:
        return Classified(effect=Effect.REDUCING, quantity=quantity)
    rounding = wished <= room * (1 + ROUNDING)
    if not room or not (rounding or purpose is Purpose.CLOSE):
        return _refused(Reason.EXIT_EXCEEDS_POSITION)
    reason = Reason.OK if rounding else Reason.EXIT_EXCEEDS_POSITION
    return Classified(effect=Effect.REDUCING, quantity=room.copy_sign(quantity), reason=reason)


def _refused(reason: Reason) -> Classified:
    return Classified(effect=Effect.REFUSED, quantity=Decimal(0), reason=reason)
