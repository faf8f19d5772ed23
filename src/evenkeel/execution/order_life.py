"""The life of an order: which state may follow which (ruling 49, operations.md 3.3), and what a message makes of it.

Every function takes an order and a fact and returns the order after it; none of them can be told twice with effect.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar

import msgspec

from evenkeel.execution.findings import Finding, FindingCode
from evenkeel.model.errors import InvariantBroken
from evenkeel.model.order import Order, OrderState, VenueOrder
from evenkeel.model.report import Act, OrderReported, Outcome, SendResolved

S = OrderState

NEXT_STATES: dict[OrderState, frozenset[OrderState]] = {
    S.INTENDED: frozenset({S.SENT, S.ABORTED, S.UNKNOWN}),
    S.SENT: frozenset({S.WORKING, S.PARTIAL, S.FILLED, S.REJECTED, S.CANCELLED, S.EXPIRED, S.UNKNOWN, S.ABORTED}),
    S.WORKING: frozenset(
        {S.PARTIAL, S.FILLED, S.CANCEL_PENDING, S.REPLACE_PENDING, S.CANCELLED, S.REJECTED, S.EXPIRED, S.UNKNOWN}
    ),
    S.PARTIAL: frozenset(
        {
            S.PARTIAL, S.FILLED, S.CANCEL_PENDING, S.REPLACE_PENDING, S.CANCELLED, S.EXPIRED, S.REJECTED, S.UNKNOWN,
        }
    ),
    S.CANCEL_PENDING: frozenset({S.CANCELLED, S.PARTIAL, S.FILLED, S.WORKING, S.EXPIRED, S.UNKNOWN}),
    S.REPLACE_PENDING: frozenset(
        {S.WORKING, S.PARTIAL, S.FILLED, S.CANCELLED, S.EXPIRED, S.CANCEL_PENDING, S.UNKNOWN}
    ),
    S.UNKNOWN: frozenset(S) - {S.INTENDED, S.SENT},
    S.FILLED: frozenset(),
    S.CANCELLED: frozenset({S.PARTIAL, S.FILLED}),
    S.REJECTED: frozenset(),
    S.EXPIRED: frozenset({S.PARTIAL, S.FILLED}),
    S.ABORTED: frozenset(),
}  # fmt: skip
"""A cancelled or expired order may still report a late fill; nothing else leaves a final state.

Three moves are added to the table of operations.md: an order is Sent before its bytes leave (ruling 49), so the border
that holds it back makes Aborted of Sent; an order may expire while a cancel or a change of it is on the way; and a
cancel may follow a change that was not answered yet, because a cancel is never made to wait.
"""

_LOOKUP_DELAYS_NS = tuple(int(seconds * 1_000_000_000) for seconds in (0.5, 1, 2, 4, 8))
"""After how long an order in doubt is looked up (operations.md 1.9); then every 20 s (4.5)."""
_LOOKUP_LATER_NS = 20_000_000_000
_ANSWERED_WITHIN_NS = {S.SENT: 2_000_000_000, S.CANCEL_PENDING: 5_000_000_000, S.REPLACE_PENDING: 5_000_000_000}
"""How long a message may stay unanswered before its order is looked up (operations.md 1.9, belief.md 5.4)."""
RECHECK_NS = 120_000_000_000
"""How long an order at work may be quiet until it is looked up: every message of a fill may be lost."""

_AnyOrder = TypeVar("_AnyOrder", Order, VenueOrder)


def moved(order: _AnyOrder, state: OrderState) -> _AnyOrder:
    """Return the order in its next state.

    Raises:
        InvariantBroken: If the state may not follow.
    """
    if state not in NEXT_STATES[order.state]:
        raise InvariantBroken(f"order {order.client_id} cannot move from {order.state.value} to {state.value}")
    return msgspec.structs.replace(order, state=state)


def lookup_due(order: VenueOrder, asked_ns: int) -> int:
    """Return when an order in doubt that is looked up at `asked_ns` is to be looked up again."""
    place = order.lookups + 1
    if place < len(_LOOKUP_DELAYS_NS):
        return asked_ns + _LOOKUP_DELAYS_NS[place] - _LOOKUP_DELAYS_NS[place - 1]
    return asked_ns + _LOOKUP_LATER_NS


def stepped(order: VenueOrder, state: OrderState, at_ns: int) -> VenueOrder:
    """Return the order in a state at an instant; one that it is in already changes nothing."""
    if state is order.state:
        return order
    after = msgspec.structs.replace(moved(order, state), moved_ns=at_ns)
    if state is S.UNKNOWN:
        return msgspec.structs.replace(after, lookup_ns=at_ns + _LOOKUP_DELAYS_NS[0], lookups=0)
    if state in _ANSWERED_WITHIN_NS:
        due = at_ns + _ANSWERED_WITHIN_NS[state]
        return msgspec.structs.replace(after, lookup_ns=due, lookups=0, absent_ns=None)
    return checked(after, at_ns)


def reopened(order: VenueOrder, at_ns: int) -> VenueOrder:
    """Return an order that was over for us, and that the venue says is at work, as one in doubt (operations.md 4.5).

    This is the repair of what we took for true, and no move of the table.
    """
    doubtful = msgspec.structs.replace(order, state=S.UNKNOWN, moved_ns=at_ns)
    return msgspec.structs.replace(doubtful, lookup_ns=at_ns + _LOOKUP_DELAYS_NS[0], lookups=0, absent_ns=None)


def checked(order: VenueOrder, at_ns: int) -> VenueOrder:
    """Return an order about which there is no doubt: one at work is looked up again in time, one that is over never."""
    due = None if order.state.is_final else at_ns + RECHECK_NS
    return msgspec.structs.replace(order, lookup_ns=due, lookups=0, absent_ns=None)


def in_doubt(order: VenueOrder, at_ns: int) -> VenueOrder:
    """Return the order with a look-up due at once; its state stays."""
    return order if order.state.is_final else msgspec.structs.replace(order, lookup_ns=at_ns, lookups=0, absent_ns=None)


def standing(order: VenueOrder) -> OrderState:
    """Return the state of an order that is at work, by what of it was filled."""
    filled = max(order.told, order.seen)
    if filled >= abs(order.quantity):
        return S.FILLED
    return S.PARTIAL if filled else S.WORKING


def resolved(order: VenueOrder, event: SendResolved) -> VenueOrder:
    """Return the order after its message was answered, or is known not to be."""
    at_ns, outcome = event.known_ns, event.outcome
    if order.venue_id is None and event.venue_id is not None:
        order = msgspec.structs.replace(order, venue_id=event.venue_id)
    if event.act is Act.PLACE:
        return _placed(order, outcome, at_ns)
    pending = S.CANCEL_PENDING if event.act is Act.CANCEL else S.REPLACE_PENDING
    if order.state is not pending:
        return order
    if outcome is Outcome.UNKNOWN:
        return stepped(order, S.UNKNOWN, at_ns)
    if event.act is Act.AMEND:
        changed = amended(order) if outcome is Outcome.ACCEPTED else msgspec.structs.replace(order, amendment=None)
        after = stepped(changed, standing(changed), at_ns)
        return after if outcome is Outcome.ACCEPTED else in_doubt(after, at_ns)
    if outcome is Outcome.ACCEPTED:
        return order
    return in_doubt(stepped(order, standing(order), at_ns), at_ns)


def _placed(order: VenueOrder, outcome: Outcome, at_ns: int) -> VenueOrder:
    if order.state is not S.SENT and not (order.state is S.UNKNOWN and outcome is Outcome.ACCEPTED):
        return order
    match outcome:
        case Outcome.ACCEPTED:
            return stepped(order, standing(order), at_ns)
        case Outcome.REFUSED:
            return stepped(order, S.REJECTED, at_ns)
        case Outcome.ABORTED:
            return stepped(order, S.ABORTED, at_ns)
        case Outcome.UNKNOWN:
            return stepped(order, S.UNKNOWN, at_ns)
        case Outcome.EXISTS:
            return msgspec.structs.replace(stepped(order, S.UNKNOWN, at_ns), lookup_ns=at_ns)


def amended(order: VenueOrder) -> VenueOrder:
    """Return the order as it was asked to become."""
    wish = order.amendment
    if wish is None:
        return order
    return msgspec.structs.replace(
        order,
        quantity=order.quantity if wish.quantity is None else wish.quantity,
        price=order.price if wish.price is None else wish.price,
        trigger=order.trigger if wish.trigger is None else wish.trigger,
        amendment=None,
    )


def reported(order: VenueOrder, state: OrderState, at_ns: int) -> VenueOrder:
    """Return the order after the venue told its state; `told` is up to date already.

    What is over stays over, but for a fill that makes an order whole. A report that an order still works says nothing
    about a cancel or a change that is on its way.
    """
    if order.state.is_final:
        late = order.state in (S.CANCELLED, S.EXPIRED) and standing(order) is S.FILLED
        return stepped(order, S.FILLED, at_ns) if late else order
    if standing(order) is S.FILLED:
        return stepped(order, S.FILLED, at_ns)
    if state.is_final:
        final = S.CANCELLED if state is S.REJECTED and not _may_be_rejected(order) else state
        return stepped(order, S.CANCELLED if final is S.FILLED else final, at_ns)
    if order.state in (S.CANCEL_PENDING, S.REPLACE_PENDING):
        return order
    return stepped(order, standing(order), at_ns)


def _may_be_rejected(order: VenueOrder) -> bool:
    return S.REJECTED in NEXT_STATES[order.state]


def counted(order: VenueOrder, *, quantity: Decimal, value: Decimal, fee: Decimal, at_ns: int) -> VenueOrder:
    """Return the order after an execution that was not known yet."""
    after = msgspec.structs.replace(
        order, seen=order.seen + quantity, seen_value=order.seen_value + value, fees=order.fees + fee
    )
    if after.state in (S.CANCEL_PENDING, S.REPLACE_PENDING) and standing(after) is not S.FILLED:
        return after
    return reported(after, S.WORKING, at_ns)


def adopted(
    order: VenueOrder, event: OrderReported, *, asked_ns: int | None
) -> tuple[VenueOrder, list[Finding]]:  # fmt: skip
    """Return the order with the attributes that the venue has, and what should not be.

    A report that shows what an order was asked to become proves that the change arrived, however it came. One that
    shows anything else may have been overtaken: it is believed only if the venue was asked after the order last moved.
    """
    at_ns = event.known_ns
    if order.state.is_final:
        return order, []
    fresh = asked_ns is not None and asked_ns >= order.moved_ns
    if order.amendment is not None:
        if _fits(amended(order), event) or event.replaces is not None:
            order = amended(order)
            return (stepped(order, standing(order), at_ns) if order.state is S.REPLACE_PENDING else order), []
        if fresh and order.state is S.UNKNOWN:
            order = msgspec.structs.replace(order, amendment=None)
    if order.amendment is not None or _fits(order, event):
        return order, []
    if not fresh:
        return in_doubt(order, at_ns), []
    words = f"{event.quantity} at {event.price}"
    differs = Finding(code=FindingCode.ATTRIBUTES, client_id=order.client_id, detail=words)
    order = msgspec.structs.replace(
        order, quantity=event.quantity.copy_sign(order.quantity),
        price=order.price if event.price is None else event.price,
        trigger=order.trigger if event.trigger is None else event.trigger,
    )  # fmt: skip
    return order, [differs]


def _fits(order: VenueOrder, event: OrderReported) -> bool:
    """Whether a report shows an order as we have it; what it leaves out fits."""
    return (
        abs(order.quantity) == event.quantity
        and (event.price is None or event.price == order.price)
        and (event.trigger is None or event.trigger == order.trigger)
    )
