"""What happened in a seed, in words: a witness that writes it down, with times from the start of the session."""

from __future__ import annotations

from collections.abc import Sequence

from evenkeel.engine.account.entry import AccountEvent, AccountStep, Entry, HaltChanged, OfDesk
from evenkeel.engine.simulation.faults import Mishap
from evenkeel.engine.simulation.process import CrashPoint, Process
from evenkeel.engine.simulation.scenario import START_NS, Scenario
from evenkeel.execution.supervisor.supervisor import CloseTrade
from evenkeel.model.command import (
    AmendOrder,
    CancelOrder,
    LookUpOrder,
    PlaceOrder,
    SubmitEntry,
    SubmitExit,
    VenueCommand,
)
from evenkeel.model.event import Operated, SessionBegan
from evenkeel.model.order import VenueOrder
from evenkeel.model.report import Executed, ExecutionBusted, LookedUp, OrderReported, SendResolved


class Telling:
    """A witness that writes down what happens.

    Attributes:
        lines: When, virtual time, and what.
    """

    def __init__(self) -> None:
        self.lines: list[tuple[int, str]] = []

    def stepped(self, process: Process, step: AccountStep) -> None:
        """Write a step down, prices and bars aside."""
        for entry in (step.event, *step.entries):
            words = _words(entry)
            if words:
                self.lines.append((process.now_ns, words))
        for finding in process.account.findings:
            detail = f" {finding.detail}" if finding.detail else ""
            self.lines.append((process.now_ns, f"found: {finding.code.value} {finding.client_id or ''}{detail}"))

    def sent(self, process: Process, command: VenueCommand) -> None:
        """Write nothing: the command is in its step."""

    def ended(self, process: Process, point: CrashPoint) -> None:
        """Write down where the journal ended."""
        lost = "" if point.next == "nothing" else f"; {point.next} and what followed is lost"
        self.lines.append((process.now_ns, f"the process is gone: its journal ends after {point.last}{lost}"))

    def started(self, process: Process) -> None:
        """Write down what was recovered."""
        book = process.account.supervisor.book
        held = {str(owner.instrument): str(h.quantity) for owner, h in process.account.books.holdings.items()}
        orders = ", ".join(f"{order.client_id} {order.state.value}" for order in book.open.values()) or "none"
        self.lines.append((process.now_ns, f"the process starts: holds {held or 'nothing'}, orders: {orders}"))


def told(scenario: Scenario, lines: Sequence[tuple[int, str]], mishaps: Sequence[Mishap], violation: str) -> list[str]:
    """Return a story: what the world is like, what happened, and what did not hold.

    Args:
        scenario: What the world is like.
        lines: What the process did.
        mishaps: What went wrong.
        violation: What did not hold.
    """
    faults = [(one.at_ns, f"!! {one.fault.value}" + (f" ({one.identity})" if one.identity else "")) for one in mishaps]
    both = sorted([*lines, *faults], key=lambda line: line[0])
    return [*_described(scenario), *(f"{_clock(at_ns)}  {words}" for at_ns, words in both), f"VIOLATED {violation}"]


def _described(scenario: Scenario) -> list[str]:
    venue = scenario.venue
    terms = {
        "orders that only reduce": venue.reduce_only, "orders reserve what they sell": venue.reserves,
        "pairs of stop and target": venue.pairs, "quantities change": venue.amends_quantity,
        "prices change": venue.amends_price,
    }  # fmt: skip
    traded = ", ".join(
        f"{one.instrument.id} (tick {one.instrument.tick_size}, lot {one.instrument.lot_size}) by {one.strategy}"
        for one in scenario.grounds
    )
    return [
        f"seed {scenario.seed}, profile {scenario.profile}: {traded}",
        "venue: " + ", ".join(f"{name}: {'yes' if has else 'no'}" for name, has in terms.items()),
    ]


def _clock(at_ns: int) -> str:
    seconds, rest = divmod(at_ns - START_NS, 1_000_000_000)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest // 1_000_000:03}"


def _words(entry: AccountEvent | Entry) -> str:
    match entry:
        case OfDesk(what=SubmitEntry() as wish):
            return f"{entry.desk.strategy} wants {wish.quantity} {entry.desk.instrument} ({wish.kind.value})"
        case OfDesk(what=SubmitExit() as wish):
            return f"{entry.desk.strategy} closes {wish.quantity or 'all'} {entry.desk.instrument}"
        case PlaceOrder(order=order):
            return f"-> place {_order(order)}"
        case AmendOrder(amendment=wish):
            return f"-> change {entry.client_id} to {wish.quantity or ''} {wish.trigger or wish.price or ''}"
        case CancelOrder():
            return f"-> cancel {entry.client_id}: {entry.why}"
        case LookUpOrder():
            return f"-> look up {entry.client_id}"
        case CloseTrade():
            return f"closes trade {entry.key.trade} of {entry.key.instrument}: {entry.why}"
        case HaltChanged(halt=halt):
            return f"halt level {int(halt.level)}: {', '.join(reason.code.value for reason in halt.reasons) or 'none'}"
    return _heard(entry)


def _heard(entry: AccountEvent | Entry) -> str:
    match entry:
        case SendResolved():
            return f"<- {entry.act.value} {entry.client_id}: {entry.outcome.value}"
        case OrderReported():
            return f"<- {_report(entry)}"
        case Executed():
            return f"<- {entry.execution_id}: {entry.client_id} {entry.quantity} at {entry.price}"
        case ExecutionBusted():
            return f"<- {entry.execution_id} is taken back"
        case LookedUp():
            found = "nothing" if entry.found is None else _report(entry.found)
            whole = "" if entry.complete else " (not complete)"
            return f"<- asked for {entry.client_id}: {found}, {len(entry.executions)} executions{whole}"
        case Operated():
            return f"{entry.by} asks: {entry.operation.value}"
        case SessionBegan():
            return "a session begins"
    return ""


def _order(order: VenueOrder) -> str:
    price = order.trigger or order.price
    return f"{order.client_id} {order.leg.value} {order.kind.value} {order.quantity} {order.instrument} {price or ''}"


def _report(event: OrderReported) -> str:
    price = event.trigger or event.price
    return f"{event.client_id} {event.state.value} {event.filled} of {event.quantity} {price or ''}"
