"""What must hold of each fill (operations.md 3.4), as far as the fill and its order show it.

A check never holds a fill back: what the venue did counts, and what is wrong with it is a finding. Checks 3 and 6 are
those of `evenkeel.execution.executions`; 7 and 8 need what the venue says of the whole account.
"""

from __future__ import annotations

from decimal import Decimal

from evenkeel.execution.findings import Finding, FindingCode
from evenkeel.model.order import OrderState, VenueOrder
from evenkeel.model.report import Executed, LookedUp, OrderReported

SKEW_NS = 2_000_000_000
"""How far the venue's clock and ours may be apart before an execution is from before its order."""
LATE_NS = 60_000_000_000
"""How long after an entry's life an execution of it may be."""
PRICE_SHARE = Decimal("0.00005")
"""By how much the executions' average may miss the venue's, as a share of it: half a basis point; or by a tick."""


def of_time(order: VenueOrder, event: Executed) -> list[Finding]:
    """Check 5: an execution is no earlier than its order was sent, and no later than its life and a minute."""
    if event.event_ns < order.placed_ns - SKEW_NS:
        return [_finding(FindingCode.FILL_TIME, order, f"{event.execution_id} is from before the order was sent")]
    if order.expires_ns is not None and event.event_ns > order.expires_ns + LATE_NS:
        return [_finding(FindingCode.FILL_TIME, order, f"{event.execution_id} is from long after the order's life")]
    return []


def of_limit(order: VenueOrder, event: Executed, loosest: Decimal | None) -> list[Finding]:
    """Check 9: no execution is worse than the limit of its order; `loosest` is the worst limit that it ever had."""
    limits = [limit for limit in (order.price, loosest, _asked(order)) if limit is not None]
    if order.price is None or not limits:
        return []
    limit = max(limits) if order.sign > 0 else min(limits)
    if (event.price - limit) * order.sign <= 0:
        return []
    return [_finding(FindingCode.FILL_PRICE, order, f"{event.execution_id} at {event.price}, the limit is {limit}")]


def looser(order: VenueOrder, loosest: Decimal | None) -> Decimal | None:
    """Return the worst limit that an order has had, itself included; None of one without a limit."""
    if order.price is None or loosest is None:
        return order.price if loosest is None else loosest
    return max(order.price, loosest) if order.sign > 0 else min(order.price, loosest)


def of_average(order: VenueOrder, tick: Decimal) -> list[Finding]:
    """Check 2: an order that is over has one average price, by its executions and by the venue.

    Before, both views may know as many units, and not the same ones.
    """
    if not order.state.is_final or order.seen != order.told or order.told_value is None or not order.seen:
        return []
    ours, theirs = order.seen_value / order.seen, order.told_value / order.told
    if abs(ours - theirs) <= max(tick, abs(theirs) * PRICE_SHARE):
        return []
    return [_finding(FindingCode.FILL_PRICE, order, f"average {ours} of its executions, {theirs} by the venue")]


def of_report(order: VenueOrder, event: OrderReported) -> list[Finding]:
    """Check 4: a report is Filled just where everything is filled, and Partial just where something is."""
    whole, part = event.filled == event.quantity, 0 < event.filled < event.quantity
    if (event.state is OrderState.FILLED and not whole) or (event.state is OrderState.PARTIAL and not part):
        words = f"{event.venue_id} is {event.state.value} with {event.filled} of {event.quantity}"
        return [_finding(FindingCode.FILL_QTY, order, words)]
    return []


def of_answer(order: VenueOrder, answer: LookedUp, latest_ns: int | None) -> list[Finding]:
    """Check 1: a complete answer has an execution for every unit that it says is filled, and for no other.

    Args:
        order: After the answer was folded.
        answer: What the venue has of it.
        latest_ns: When the last execution was that we know of; an answer to an older question may lack it.
    """
    if answer.found is None or not answer.complete:
        return []
    if order.seen < order.told:
        words = f"{order.told} units are filled, executions are known of {order.seen}"
        return [_finding(FindingCode.FILL_MISSING, order, words)]
    if order.seen > order.told and (latest_ns is None or latest_ns < answer.asked_ns):
        words = f"executions are known of {order.seen} units, {order.told} are filled"
        return [_finding(FindingCode.FILL_QTY, order, words)]
    return []


def _asked(order: VenueOrder) -> Decimal | None:
    return None if order.amendment is None else order.amendment.price


def _finding(code: FindingCode, order: VenueOrder, words: str) -> Finding:
    return Finding(code=code, client_id=order.client_id, detail=words)
