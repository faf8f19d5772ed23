"""What a soak must have met: every move of an order, every fault in every state, every place where a journal can end.

What cannot be met is listed with the reason; whatever else has a zero was not tried, and the soak has failed.
"""

from __future__ import annotations

from collections.abc import Iterator

from evenkeel.engine.simulation.counters import Tally, possible_moves
from evenkeel.engine.simulation.faults import Fault
from evenkeel.model.order import OrderState

S, F = OrderState, Fault

JUDGED = 2_000
"""From so many seeds on a zero is a failure; in fewer, rare things may be missing."""
COMMON = 200
"""A pair of neighbours in the journals that was met so often is one between which a journal must have ended."""

_OVER = frozenset({S.FILLED, S.CANCELLED, S.REJECTED, S.EXPIRED, S.ABORTED})
_REQUESTS = (F.LOST_REQUEST, F.REPEATED_REQUEST, F.RATE_LIMIT, F.LOST_ANSWER)
_ONCE = "the step in which an order becomes known folds its command too, so it is Sent at the end of it"
_SAME = "a further part changes what has filled, and not the state"
_LATE = "an order that is over stays so until it is whole; a late part is booked and leaves the state"

IMPOSSIBLE_MOVES: dict[tuple[OrderState, OrderState], str] = {
    (S.INTENDED, S.ABORTED): _ONCE, (S.INTENDED, S.UNKNOWN): _ONCE, (S.PARTIAL, S.PARTIAL): _SAME,
    (S.CANCELLED, S.PARTIAL): _LATE, (S.EXPIRED, S.PARTIAL): _LATE,
    (S.WORKING, S.REJECTED): "venues of these worlds reject an order when it comes, and never later",
    (S.PARTIAL, S.REJECTED): "likewise", (S.UNKNOWN, S.REJECTED): "a rejection is an answer that ends the doubt before",
}  # fmt: skip

_AT_WORK = "what befalls the whole world is counted for the orders at work"
_NEVER_INTENDED = "an order is Sent before anything can befall it"


def why_impossible(fault: Fault, state: OrderState) -> str | None:
    """Return why a fault cannot find an order in a state; None where it can."""
    if state is S.INTENDED:
        return _NEVER_INTENDED
    if fault in _OF_ORDERS:
        return _OF_ORDERS[fault].get(state)
    return _AT_WORK if state in _OVER else None


def _except(why: str, *states: OrderState) -> dict[OrderState, str]:
    """Return the reason for all states but these."""
    return {state: why for state in OrderState if state not in states}


_ASKED = "only orders at work, or such whose executions are missing, are asked about"
_SENDING = "a message is on its way only in the states in which the engine waits for one"
_PENDING = (S.SENT, S.CANCEL_PENDING, S.REPLACE_PENDING)
_LIVING = (*_PENDING, S.WORKING, S.PARTIAL, S.UNKNOWN)

_OF_ORDERS: dict[Fault, dict[OrderState, str]] = {
    **{fault: _except(_SENDING, *_PENDING) for fault in (F.LOST_REQUEST, F.REPEATED_REQUEST)},
    F.REJECT: _except("an order is rejected when it comes to the venue", S.SENT),
    F.REJECT_STOP: _except("an order is rejected when it comes to the venue", S.SENT),
    F.PARTIAL_FILL: _except("an order fills while it is at work at the venue", *_LIVING),
    F.VENUE_CANCEL: _except("only orders that are open at the venue are cancelled", *_LIVING),
    F.VENUE_EXPIRE: _except("only orders that are open at the venue expire", *_LIVING),
    F.MANUAL_CANCEL: _except("only orders that are open at the venue are cancelled", *_LIVING),
}


def missing(tally: Tally) -> Iterator[str]:
    """Yield what was not met though it is possible."""
    for before, after in possible_moves():
        if not tally.moves[before, after] and (before, after) not in IMPOSSIBLE_MOVES:
            yield f"no order moved from {before.value} to {after.value}"
    for fault in Fault:
        if not tally.faults[fault]:
            yield f"it never happened that {fault.value}"
            continue
        for state in OrderState:
            if not tally.pairs[fault, state] and why_impossible(fault, state) is None:
                yield f"it never happened that {fault.value}, with an order that is {state.value}"
    for point, times in tally.neighbours.items():
        if times >= COMMON and not tally.ends[point]:
            yield f"no journal ended between {point.last} and {point.next}"
