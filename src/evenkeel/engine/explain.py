"""Why a trade happened, in plain English, from the journal of its run."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from evenkeel.engine.core import Step
from evenkeel.model.decision import EntryApproved, EntryRefused, ExitOrdered, RunStopped
from evenkeel.model.errors import UsageError
from evenkeel.model.event import FillPoint, OrderDied, OrderFilled
from evenkeel.model.ids import Leg
from evenkeel.model.intent import OrderKind
from evenkeel.model.number import plain
from evenkeel.model.reason import ExitReason
from evenkeel.model.time import format_time

_POINTS = {FillPoint.OPEN: "at its open", FillPoint.INSIDE: "inside it", FillPoint.CLOSE: "at its close"}

_ENDS = {
    ExitReason.STOP_LOSS: "The protective stop was hit",
    ExitReason.TAKE_PROFIT: "The target was reached",
    ExitReason.SIGNAL: "It was closed on a signal",
    ExitReason.MAX_DRAWDOWN: "It was closed because the account met its largest drawdown",
    ExitReason.EQUITY_STOP: "It was closed because the account fell to the equity at which the run stops",
    ExitReason.DATA_GAP: "It was closed at the last price before a gap in the data",
    ExitReason.END_OF_DATA: "It was closed at the last price of the data",
}


def explain_trade(steps: Sequence[Step], number: int, *, symbol: str, currency: str) -> list[str]:
    """Return the story of a trade, a sentence a line, from the decision to enter to the money it made.

    Raises:
        UsageError: If there is no such trade.
    """
    fills = [step.event for step in steps if isinstance(step.event, OrderFilled)]
    entries = [fill for fill in fills if fill.leg is Leg.ENTRY]
    exits = [fill for fill in fills if fill.leg is not Leg.ENTRY]
    if not 1 <= number <= len(exits):
        raise UsageError(f"there is no trade {number}; the run has {len(exits)}, counted from 1")
    entry, leave = entries[number - 1], exits[number - 1]
    return [
        *_decision_lines(steps, entry, symbol),
        *_entry_lines(entry, symbol, currency),
        *_exit_lines(steps, entry, leave, currency),
    ]


def explain_refusals(steps: Sequence[Step]) -> list[str]:
    """Return one line for each refusal and for the stop of the run, in order."""
    lines = []
    for step in steps:
        for decision in step.decisions:
            if isinstance(decision, EntryRefused):
                rule = f" (rule {decision.detail})" if decision.detail else ""
                lines.append(f"{format_time(step.event.event_ns)}  no entry{rule}: {decision.reason.text}")
            elif isinstance(decision, RunStopped):
                lines.append(f"{format_time(step.event.event_ns)}  the run stopped: {decision.reason.value}")
    return lines


def _decision_lines(steps: Sequence[Step], entry: OrderFilled, symbol: str) -> list[str]:
    for step in steps:
        for decision in step.decisions:
            if isinstance(decision, EntryApproved) and decision.order.client_id == entry.client_id:
                order = decision.order
                way = "long" if order.quantity > 0 else "short"
                lines = [
                    f"At {format_time(order.decided_ns)} the rule '{order.reason}' asked for a {way} entry in "
                    f"{symbol}; the bar had closed at {plain(decision.reference)}.",
                    f"Every gate agreed, and the size came out at {plain(abs(order.quantity))}.",
                ]
                return lines + _dead_before(steps, order.trade, order.decided_ns)
    return ["The journal does not say who asked for this trade."]


def _dead_before(steps: Sequence[Step], trade: int, decided_ns: int) -> list[str]:
    """Say how many earlier entries of this trade ended without a fill."""
    asked = {
        decision.order.client_id
        for step in steps
        for decision in step.decisions
        if isinstance(decision, EntryApproved) and decision.order.trade == trade
    }
    dead = [
        s for s in steps
        if isinstance(s.event, OrderDied) and s.event.client_id in asked and s.event.event_ns <= decided_ns
    ]  # fmt: skip
    return [f"Before it, {len(dead)} entries for this trade had ended unfilled."] if dead else []


def _entry_lines(entry: OrderFilled, symbol: str, currency: str) -> list[str]:
    verb = "bought" if entry.quantity > 0 else "sold"
    kind = "" if entry.kind is OrderKind.MARKET else f" by a {entry.kind.value} order"
    lines = [
        f"{verb.capitalize()} {plain(abs(entry.quantity))} {symbol} at {plain(entry.price)}{kind} in the bar of "
        f"{format_time(entry.event_ns)}, {_POINTS[entry.point]}, "
        f"{'taking' if entry.taker else 'resting'}; fee {plain(entry.fee)} {currency}."
    ]
    if entry.stop_price is not None:
        lines.append(f"A stop was placed at {plain(entry.stop_price)}, {_away(entry, entry.stop_price)} away.")
    if entry.target_price is not None:
        lines.append(f"A target was placed at {plain(entry.target_price)}, {_away(entry, entry.target_price)} away.")
    if entry.stop_price is None:
        lines.append("There was no protective stop.")
    return lines


def _away(entry: OrderFilled, level: Decimal) -> str:
    return f"{abs(level / entry.price - 1) * 100:.2f} %"


def _exit_lines(steps: Sequence[Step], entry: OrderFilled, leave: OrderFilled, currency: str) -> list[str]:
    how = _ENDS[leave.exit_reason or ExitReason.SIGNAL]
    rule = ""
    for step in steps:
        for decision in step.decisions:
            if isinstance(decision, ExitOrdered) and decision.order.client_id == leave.client_id:
                rule = f" (rule '{decision.order.reason}')" if leave.exit_reason is ExitReason.SIGNAL else ""
    fees = entry.fee + leave.fee
    return [
        f"While it was held it went {float(leave.favourable) * 100:.2f} % in its favour and "
        f"{float(leave.adverse) * 100:.2f} % against it, over {leave.bars_held} decision bars.",
        f"{how}{rule}: out at {plain(leave.price)} in the bar of {format_time(leave.event_ns)}, "
        f"{_POINTS[leave.point]}.",
        f"Result {plain(leave.gross)} before costs, fees {plain(fees)}, net {plain(leave.gross - fees)} {currency}.",
    ]
