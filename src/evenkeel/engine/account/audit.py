"""What must hold of the journal of an account, read entry by entry: the engine's promises, held against its record.

Orders are folded, nothing is decided, and no strategy is loaded, so a journal is judged wherever it lies. What counts
is compared with the evidence itself: the executions that the journal has, each counted once.
Source: operations.md 3.3, 3.4 and the invariants of 12.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from evenkeel.engine.account.entry import HaltChanged
from evenkeel.engine.account.log import AccountOpened, Recorded
from evenkeel.execution.findings import Told
from evenkeel.execution.orders import OrderBook
from evenkeel.execution.supervisor.venue_terms import Capabilities
from evenkeel.model.command import AmendOrder, CancelOrder, LookUpOrder, PlaceOrder
from evenkeel.model.errors import InvariantBroken
from evenkeel.model.event import Event, SessionBegan
from evenkeel.model.halt import Act, Halt, permits
from evenkeel.model.ids import ClientId, Leg
from evenkeel.model.order import OrderState, VenueOrder
from evenkeel.model.report import Executed, ExecutionBusted, LookedUp, OrderReported, SendResolved
from evenkeel.model.told import FlagTold
from evenkeel.risk.gates.judged import Judged

S = OrderState
PROBLEMS_MAX = 20
"""More are counted, and not told."""

_ALIVE = {S.WORKING, S.PARTIAL, S.FILLED, S.CANCELLED, S.EXPIRED, S.UNKNOWN}
LEGAL: dict[OrderState, set[OrderState]] = {
    S.SENT: {*_ALIVE, S.REJECTED, S.ABORTED},
    S.WORKING: {*_ALIVE, S.REJECTED, S.CANCEL_PENDING, S.REPLACE_PENDING},
    S.PARTIAL: {*_ALIVE, S.REJECTED, S.CANCEL_PENDING, S.REPLACE_PENDING},
    S.CANCEL_PENDING: _ALIVE,
    S.REPLACE_PENDING: {*_ALIVE, S.CANCEL_PENDING},
    S.UNKNOWN: set(S) - {S.INTENDED, S.SENT},
    S.CANCELLED: {S.PARTIAL, S.FILLED},
    S.EXPIRED: {S.PARTIAL, S.FILLED},
}
"""Which state may be seen after which: from operations.md 3.3 and decision 0017, not from the order machine."""


@dataclass(slots=True)
class Ledger:
    """What a pass over a journal found.

    Attributes:
        problems: The first promises that did not hold, each with its entry.
        counted: How many there were in all.
        sessions: Begun.
        orders: Placed.
        transitions: How often an order moved from one state to another.
        executions: Distinct ones heard of our orders, less those taken back.
    """

    problems: list[str] = field(default_factory=list)
    counted: int = 0
    sessions: int = 0
    orders: int = 0
    transitions: Counter[str] = field(default_factory=Counter)
    executions: int = 0

    def fault(self, number: int, what: str) -> None:
        """Note a promise that did not hold at an entry."""
        self.counted += 1
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(f"entry {number}: {what}")


Heard: TypeAlias = SendResolved | OrderReported | Executed | ExecutionBusted | LookedUp


class Auditor:
    """One pass.

    Args:
        venue: What the venue could do.
    """

    def __init__(self, venue: Capabilities) -> None:
        self.ledger = Ledger()
        self._book = OrderBook("", venue.visible_ns)
        self._number = -1
        self._now_ns = 0
        self._halt = Halt()
        self._approved: set[ClientId] = set()
        self._states: dict[ClientId, OrderState] = {}
        self._counts: dict[ClientId, Decimal] = {}
        self._seen: dict[tuple[ClientId, str], Decimal] = {}
        self._odd: set[ClientId] = set()

    def read(self, entries: Iterable[Recorded]) -> Ledger:
        """Read a whole journal and return what was found."""
        for self._number, entry in enumerate(entries):
            try:
                self._entry(entry)
            except InvariantBroken as broken:
                self._fault(broken.message)
        self._sums()
        return self.ledger

    def _entry(self, entry: Recorded) -> None:
        if isinstance(entry, Event):
            self._stamp(entry)
        match entry:
            case AccountOpened():
                self.ledger.sessions += 1
            case SessionBegan():
                self._book.doubt(entry.known_ns)
                self._follow()
                self._halted(entry.halt)
            case HaltChanged() | FlagTold():
                self._halted(entry.halt)
            case Judged():
                if not entry.is_refused:
                    self._approved.add(entry.client_id)
            case PlaceOrder():
                self._place(entry.order)
            case AmendOrder() | CancelOrder() | LookUpOrder():
                self._command(entry)
            case SendResolved() | OrderReported() | Executed() | ExecutionBusted() | LookedUp():
                self._hear(entry)
        self._book.expire(self._now_ns)

    def _fault(self, what: str) -> None:
        self.ledger.fault(self._number, what)

    def _stamp(self, event: Event) -> None:
        if event.known_ns <= self._now_ns:
            self._fault(f"its stamp {event.known_ns} does not lie after {self._now_ns}")
        self._now_ns = event.known_ns
        self._approved.clear()

    def _halted(self, halt: Halt | None) -> None:
        if halt is not None and halt.epoch >= self._halt.epoch:
            self._halt = halt

    def _place(self, order: VenueOrder) -> None:
        self.ledger.orders += 1
        if order.client_id in self._states:
            self._fault(f"the order id {order.client_id} is used a second time")
        if order.client_id not in self._approved:
            self._fault(f"the order {order.client_id} was not approved by the gates")
        if order.leg is Leg.ENTRY and not permits(self._halt.level, Act.ENTRY):
            self._fault(f"the entry {order.client_id} was placed at halt level {self._halt.level.value}")
        self._states[order.client_id] = S.SENT
        self._note(self._book.place(order))

    def _command(self, command: AmendOrder | CancelOrder | LookUpOrder) -> None:
        identity = command.client_id
        if not isinstance(command, LookUpOrder) and identity not in self._approved:
            self._fault(f"a change of {identity} was not approved by the gates")
        match command:
            case AmendOrder():
                self._book.amend(identity, command.amendment, self._now_ns)
            case CancelOrder():
                self._book.cancel(identity, self._now_ns)
            case LookUpOrder():
                self._book.lookup(identity, self._now_ns)
        self._follow()

    def _hear(self, event: Heard) -> None:
        for one in [event] if isinstance(event, Executed) else list(getattr(event, "executions", ())):
            identity = event.client_id if isinstance(event, LookedUp) else one.client_id
            if identity is not None and self._is_side(identity, one):
                self._seen.setdefault((identity, one.execution_id), abs(one.quantity))
        if isinstance(event, ExecutionBusted):
            self._odd |= {identity for identity, name in self._seen if name == event.execution_id}
            self._odd |= set() if event.client_id is None else {event.client_id}
        self._note(self._book.fold(event))

    def _is_side(self, identity: ClientId, execution: Executed) -> bool:
        """Whether an execution can be of its order; one that is told before it waits for it."""
        order = self._book.get(identity)
        if order is None or execution.client_id is None:
            self._odd.add(identity)
        return order is not None and order.sign * execution.quantity > 0

    def _note(self, told: Told) -> None:
        """Take over what the fold counted, and look at every order that moved."""
        for one in told.counted:
            identity = one.order.client_id
            self._counts[identity] = self._counts.get(identity, Decimal(0)) + one.quantity
        self._follow(told.touched)

    def _follow(self, touched: Iterable[ClientId] | None = None) -> None:
        for identity in list(self._book.open) if touched is None else dict.fromkeys(touched):
            order = self._book.get(identity)
            before = self._states.get(identity)
            if order is None or before is None or order.state is before:
                continue
            self.ledger.transitions[f"{before.value} {order.state.value}"] += 1
            if order.state not in LEGAL.get(before, set()):
                self._fault(f"the order {identity} moved from {before.value} to {order.state.value}")
            self._states[identity] = order.state

    def _sums(self) -> None:
        """Hold what was counted against the executions themselves, order by order."""
        evidence: dict[ClientId, Decimal] = {}
        for (identity, _), quantity in self._seen.items():
            evidence[identity] = evidence.get(identity, Decimal(0)) + quantity
        self.ledger.executions = len(self._seen)
        for identity, counted in self._counts.items():
            order = self._book.get(identity)
            if order is None or identity in self._odd:
                continue
            if counted != order.filled * order.sign:
                self._fault(f"{counted} of {identity} were counted, and {order.filled} filled")
            if order.seen != evidence.get(identity, Decimal(0)):
                self._fault(f"the executions of {identity} add up to {evidence.get(identity, 0)}, not to {order.seen}")


def audit(entries: Iterable[Recorded], venue: Capabilities) -> Ledger:
    """Return what a pass over the journal of an account found."""
    return Auditor(venue).read(entries)


def document(ledger: Ledger) -> dict[str, object]:
    """Return a ledger as plain data."""
    return {
        "problems": ledger.counted, "sessions": ledger.sessions, "orders": ledger.orders,
        "transitions": dict(sorted(ledger.transitions.items())), "executions": ledger.executions,
    }  # fmt: skip
