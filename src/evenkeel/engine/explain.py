"""Why a trade happened, in plain English, from the journal of its run."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby

from evenkeel.engine.core import Step
from evenkeel.engine.record import whole_entry
from evenkeel.model.decision import EntryApproved, EntryRefused, ExitOrdered, RunStopped
from evenkeel.model.errors import UsageError
from evenkeel.model.event import FillPoint, FundingPosted, OrderDied, OrderFilled
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
    ExitReason.REGIME: "It was closed because its play has no share in the regime any more",
    ExitReason.PLAYBOOK: "It was closed because the playbook met its largest drawdown",
    ExitReason.DATA_GAP: "It was closed at the last price before a gap in the data",
    ExitReason.END_OF_DATA: "It was closed at the last price of the data",
    ExitReason.TRAILING: "The stop that had followed the price was hit",
    ExitReason.BREAKEVEN: "The stop that had been moved to break-even was hit",
    ExitReason.LIQUIDATION: "It was liquidated: its margin was gone",
    ExitReason.MARGIN_CALL: "The broker closed it because the account no longer covered its margin",
    ExitReason.SESSION_END: "It was closed because nothing may stay over the end of a session",
    ExitReason.FORCE: "It was closed because the run stopped at the liquidation of another position",
}


def explain_trade(steps: Sequence[Step], number: int, *, symbol: str, currency: str) -> list[str]:
    """Return the story of a trade, a sentence a line, from the decision to enter to the money it made.

    Raises:
        UsageError: If there is no such trade.
    """
    told = positions(steps)
    if not 1 <= number <= len(told):
        raise UsageError(f"there is no trade {number}; the run has {len(told)}, counted from 1")
    entry, exits, fundings = told[number - 1]
    lines = [*_decision_lines(steps, entry, symbol), *_entry_lines(entry, symbol, currency)]
    for place, leave in enumerate(exits):
        lines += _exit_lines(steps, leave, held=place == 0, part=len(exits) > 1)
    return [*lines, _result_line(entry, exits, fundings, currency)]


def positions(steps: Sequence[Step]) -> list[tuple[OrderFilled, list[OrderFilled], list[FundingPosted]]]:
    """Return the closed positions of a run: the entry, the exits in order, and the funding in between."""
    found: list[tuple[OrderFilled, list[OrderFilled], list[FundingPosted]]] = []
    left = Decimal(0)
    for step in steps:
        match step.event:
            case OrderFilled(leg=Leg.ENTRY) if left != 0:
                entry, exits, fundings = found[-1]
                found[-1] = (whole_entry([entry, step.event]), exits, fundings)
                left += step.event.quantity
            case OrderFilled(leg=Leg.ENTRY):
                found.append((step.event, [], []))
                left = step.event.quantity
            case OrderFilled():
                found[-1][1].append(step.event)
                left += step.event.quantity
            case FundingPosted():
                found[-1][2].append(step.event)
            case _:
                pass
    return found if left == 0 else found[:-1]


def explain_refusals(steps: Sequence[Step]) -> list[str]:
    """Return one line for each refusal and for the stop of the run, in order.

    Refusals of the same wish for the same reason, with nothing else decided in between, are one line with their number.
    """
    told = [(step.event.event_ns, one) for step in steps for one in step.decisions]
    lines = []
    for decision, alike in groupby(told, key=lambda one: one[1]):
        times = [at for at, _ in alike]
        first = format_time(times[0])
        if isinstance(decision, EntryRefused):
            rule = f" (rule {decision.detail})" if decision.detail else ""
            again = f" ({len(times)} times, until {format_time(times[-1])})" if len(times) > 1 else ""
            lines.append(f"{first}  no entry{rule}: {decision.reason.text}{again}")
        elif isinstance(decision, RunStopped):
            lines.append(f"{first}  the run stopped: {decision.reason.value}")
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


def _exit_lines(steps: Sequence[Step], leave: OrderFilled, *, held: bool, part: bool) -> list[str]:
    """Say how a leg ended; `held` tells first how the position went until then, `part` how much the leg was."""
    how = _ENDS[leave.exit_reason or ExitReason.SIGNAL]
    rule = ""
    for step in steps:
        for decision in step.decisions:
            if isinstance(decision, ExitOrdered) and decision.order.client_id == leave.client_id:
                rule = f" (rule '{decision.order.reason}')" if leave.exit_reason is ExitReason.SIGNAL else ""
    quantity = f" with {plain(abs(leave.quantity))}" if part else ""
    lines = [
        f"{how}{rule}: out{quantity} at {plain(leave.price)} in the bar of {format_time(leave.event_ns)}, "
        f"{_POINTS[leave.point]}."
    ]
    if held:
        until = "until its first exit " if part else ""
        lines.insert(
            0,
            f"While it was held {until}it went {float(leave.favourable) * 100:.2f} % in its favour and "
            f"{float(leave.adverse) * 100:.2f} % against it, over {leave.bars_held} decision bars.",
        )
    return lines


def _result_line(
    entry: OrderFilled, exits: Sequence[OrderFilled], fundings: Sequence[FundingPosted], currency: str
) -> str:
    zero = Decimal(0)
    gross = sum((leave.gross for leave in exits), zero)
    fees = sum((leave.fee for leave in exits), entry.fee)
    funding = sum((one.amount for one in fundings), zero)
    paid = f", funding {plain(funding)}" if fundings else ""
    return (
        f"Result {plain(gross)} before costs, fees {plain(fees)}{paid}, net {plain(gross - fees + funding)} {currency}."
    )
