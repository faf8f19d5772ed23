"""A plan in plain English: what differs, what is done about it, and what a person does next."""

from __future__ import annotations

from evenkeel.execution.reconcile.terms import (
    Adopt,
    Block,
    Book,
    Difference,
    DifferenceKind,
    Hear,
    LookUp,
    Plan,
    Repair,
    Stop,
    Withdraw,
)
from evenkeel.model.halt import HaltLevel
from evenkeel.model.report import Executed, ExecutionBusted, OrderReported

_SENTENCES = {
    DifferenceKind.EXECUTION_MISSED: "{instrument}: we had not heard an execution of our order {client_id}: {theirs}",
    DifferenceKind.EXECUTION_GONE: "{instrument}: the broker has an execution of our order {client_id} no more: {ours}",
    DifferenceKind.EXECUTION_OF_STRANGER: "{instrument}: somebody else traded: {theirs}",
    DifferenceKind.ORDER_BEHIND: "{instrument}: the broker is further with our order {client_id}: "
                                 "{theirs} filled, in our book {ours}",
    DifferenceKind.ORDER_ABSENT: "{instrument}: our order {client_id}, {ours} in our book, is not among the broker's",
    DifferenceKind.ORDER_GONE: "{instrument}: the broker has our order {client_id} no more, and the position agrees",
    DifferenceKind.ORDER_OPEN_AFTER_END: "{instrument}: our order {client_id} ({venue_id}) is {theirs} at the broker "
                                         "and {ours} in our book",
    DifferenceKind.ORDER_ATTRIBUTES: "{instrument}: our order {client_id} is for {theirs} at the broker and for {ours} "
                                     "in our book",
    DifferenceKind.OWN_ORPHAN: "{instrument}: an order with our name, {client_id} ({venue_id}), is not in our book",
    DifferenceKind.FOREIGN_ORDER: "{instrument}: an order that is not ours rests there: {venue_id}, {theirs}",
    DifferenceKind.PROTECTION: "{instrument}: the broker's stops cover {theirs} of the {ours} units that we hold",
    DifferenceKind.MISSING_INTERNAL: "{instrument}: the broker holds {theirs}, we hold nothing",
    DifferenceKind.MISSING_BROKER: "{instrument}: we hold {ours}, the broker nothing",
    DifferenceKind.QUANTITY: "{instrument}: the broker holds {theirs}, we hold {ours}",
    DifferenceKind.SIGN: "{instrument}: the broker holds {theirs}, we hold {ours}: the opposite side",
    DifferenceKind.AVERAGE_PRICE: "{instrument}: the broker's entry price is {theirs}, ours {ours}",
    DifferenceKind.CASH: "cash: {theirs} at the broker, {ours} in our books",
}  # fmt: skip


def render(made: Plan) -> str:
    """Return a plan as text for a person, its last line the next step."""
    if made.failed:
        return "The broker's answer lacks a page, so nothing was compared.\nNext: ask again."
    lines = [f"* {_sentence(found)} ({_standing(found)})" for found in made.differences]
    if lines:
        lines.insert(0, f"{len(lines)} difference{'s' if len(lines) > 1 else ''} between our books and the broker:")
    elif made.waits:
        lines = ["Something has just happened, so not everything could be compared."]
    else:
        lines = ["Our books and the broker agree." if made.whole else "Our orders and the broker's agree."]
    if made.repairs:
        lines += ["Repairs:", *(f"* {_told(repair)}" for repair in made.repairs)]
    return "\n".join([*lines, f"Next: {_next(made)}"])


def _sentence(found: Difference) -> str:
    return _SENTENCES[found.kind].format(
        instrument=found.instrument, client_id=found.client_id, venue_id=found.venue_id, ours=found.ours,
        theirs=found.theirs,
    )  # fmt: skip


def _standing(found: Difference) -> str:
    if found.explained:
        return "explained"
    return "UNEXPLAINED, seen twice" if found.confirmed else "unexplained, seen once"


def _told(repair: Repair) -> str:
    match repair:
        case Hear():
            return _heard(repair.fact)
        case Book():
            return f"book the execution {repair.fact.execution_id} of somebody else, no order of ours"
        case Adopt():
            return f"take over {repair.quantity} {repair.instrument} on the broker's word"
        case Withdraw():
            return f"cancel order {repair.client_id} ({repair.venue_id}): {repair.why}"
        case LookUp():
            return f"ask what became of order {repair.client_id}"
        case Block():
            return f"open nothing more in {repair.instrument}"
        case Stop():
            return f"halt at level {repair.level.value}, {repair.code.value}: {repair.text}"


def _heard(fact: Executed | OrderReported | ExecutionBusted) -> str:
    order = fact.client_id or fact.venue_id
    if isinstance(fact, ExecutionBusted):
        return f"take back the execution {fact.execution_id} of order {order}"
    if isinstance(fact, Executed):
        return f"book the execution {fact.execution_id} of order {order}"
    return f"take over that order {order} is {fact.state.value}"


def _next(made: Plan) -> str:
    """Return what a person does, the gravest thing first."""
    stops = [repair for repair in made.repairs if isinstance(repair, Stop)]
    if any(stop.level is HaltLevel.KILLED for stop in stops):
        return "look at the account at the broker; everything is being closed, and only `keel clear-halt` lifts that."
    if stops:
        return "look at the account at the broker; `keel clear-halt` lets it trade again after two clean comparisons."
    blocked = dict.fromkeys(repair.instrument for repair in made.repairs if isinstance(repair, Block))
    if blocked:
        return f"look at {', '.join(blocked)} at the broker, then accept what is there or trade it back."
    if any(not found.explained and not found.confirmed for found in made.differences) or made.waits:
        return "compare once more in a few seconds; what is still unexplained then counts."
    if any(found.counts for found in made.differences):
        return "look at what is unexplained at the broker; entries wait until a comparison is clean."
    return "nothing; the repairs are made by themselves." if made.repairs else "nothing."
