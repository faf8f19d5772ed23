"""The network between engine and venue: it loses, repeats, delays and reorders, in both directions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol, TypeAlias

from evenkeel.engine.simulation.draw import Draw
from evenkeel.engine.simulation.exchange import Answer, Exchange, Print, Stand, Ticket
from evenkeel.engine.simulation.faults import Fault, Faults
from evenkeel.model.command import AmendOrder, AskVenue, CancelOrder, LookUpOrder, PlaceOrder, VenueCommand
from evenkeel.model.ids import ClientId, InstrumentId
from evenkeel.model.intent import TimeInForce
from evenkeel.model.order import OrderState
from evenkeel.model.report import (
    Act,
    Executed,
    ExecutionBusted,
    LookedUp,
    OrderReported,
    Outcome,
    SendResolved,
    VenueEvent,
)
from evenkeel.model.truth import Position, Truth, TruthTold

MS = 1_000_000
SECOND = 1_000 * MS
SLOW_NS = 8 * SECOND
"""How late a late message of the venue is, at most; one to it is there before the venue would show it."""
TIMEOUT_NS = 15 * SECOND
"""After how long a sender gives up (operations.md 1.9)."""

_STATES = {
    Stand.WORKING: OrderState.WORKING, Stand.PARTIAL: OrderState.PARTIAL, Stand.FILLED: OrderState.FILLED,
    Stand.CANCELLED: OrderState.CANCELLED, Stand.EXPIRED: OrderState.EXPIRED,
}  # fmt: skip
_OUTCOMES = {Answer.OK: Outcome.ACCEPTED, Answer.REFUSED: Outcome.REFUSED, Answer.EXISTS: Outcome.EXISTS}


Message: TypeAlias = PlaceOrder | AmendOrder | CancelOrder | LookUpOrder
"""What names one order."""


class Schedule(Protocol):
    """Where the wire puts what arrives later."""

    def __call__(self, at_ns: int, act: Callable[[int], None]) -> None:
        """Do something at an instant; it is told the time."""


@dataclass(slots=True)
class Wire:
    """Carries commands to the venue and what it tells back.

    Attributes:
        draw: Source of how long a message takes.
        exchange: The venue.
        faults: What goes wrong.
        schedule: Where later things go.
        hear: Takes what arrives at the engine.
        visible_ns: After how long every order is in every answer.
        session: Number of the engine's session; what was on its way to an earlier one never arrives.
        silent_until_ns: Until then the stream tells nothing.
        down_until_ns: Until then nothing passes either way.
        partial_until_ns: Until then answers are not complete, and lack what was asked for.
    """

    draw: Draw
    exchange: Exchange
    faults: Faults
    schedule: Schedule
    hear: Callable[[VenueEvent | TruthTold], None]
    visible_ns: int
    session: int = 0
    silent_until_ns: int = 0
    down_until_ns: int = 0
    partial_until_ns: int = 0
    _shown: dict[str, list[OrderReported]] = field(default_factory=dict)

    def carry(self, command: VenueCommand, now_ns: int) -> None:
        """Send a message to the venue."""
        if isinstance(command, LookUpOrder):
            self._ask(command, now_ns)
            return
        if isinstance(command, AskVenue):
            self._ask_all(command, now_ns)
            return
        identity = command.order.client_id if isinstance(command, PlaceOrder) else command.client_id
        if self._never_arrives(Fault.LOST_REQUEST, identity, now_ns):
            self._resolve(now_ns + TIMEOUT_NS, command, Outcome.UNKNOWN, None)
            return
        self.schedule(
            now_ns + self._delay(Fault.LATE_REQUEST, identity), lambda at_ns: self._arrive(command, now_ns, at_ns)
        )
        if self.faults.strikes(Fault.REPEATED_REQUEST, identity) is not None:
            self.schedule(now_ns + self._delay(Fault.LATE_REQUEST, identity), lambda at_ns: self._again(command, at_ns))

    def hold_back(self, command: PlaceOrder, now_ns: int) -> None:
        """Tell that an order did not leave."""
        self._resolve(now_ns + MS, command, Outcome.ABORTED, None)

    def tell_news(self, now_ns: int) -> None:
        """Send what has happened at the venue down the stream."""
        news, self.exchange.news = self.exchange.news, []
        for one in news:
            identity = ClientId(one.client_id)
            if isinstance(one, Ticket):
                event: VenueEvent = _report(one, now_ns)
                self._shown.setdefault(one.client_id, []).append(_report(one, now_ns))
            else:
                event = _execution(one, now_ns)
            if now_ns < max(self.silent_until_ns, self.down_until_ns):
                continue
            if self.faults.strikes(Fault.LOST_NEWS, identity) is not None:
                continue
            self._deliver(event, now_ns + self._delay(Fault.LATE_NEWS, identity))
            if self.faults.strikes(Fault.REPEATED_NEWS, identity) is not None:
                self._deliver(event, now_ns + self._delay(Fault.LATE_NEWS, identity))

    def tell_bust(self, gone: Print, now_ns: int) -> None:
        """Send that an execution was taken back; venues tell that until it is heard."""
        event = ExecutionBusted(
            event_ns=now_ns, known_ns=now_ns, instrument=InstrumentId(gone.symbol), execution_id=gone.execution_id,
            client_id=ClientId(gone.client_id), venue_id=gone.venue_id, quantity=gone.quantity, price=gone.price,
        )  # fmt: skip
        self._deliver(event, now_ns + self._delay(Fault.LATE_NEWS, ClientId(gone.client_id)))

    def _never_arrives(self, lost: Fault, identity: ClientId, now_ns: int) -> bool:
        return now_ns < self.down_until_ns or self.faults.strikes(lost, identity) is not None

    def _arrive(self, command: Message, sent_ns: int, now_ns: int) -> None:
        identity = _identity(command)
        there = _is_new(command) and self.exchange.find(identity) is not None
        if not there and self.faults.strikes(Fault.RATE_LIMIT, identity) is not None:
            answer, venue_id = self.exchange.refuse(identity) if _is_new(command) else Answer.REFUSED, None
        else:
            answer, venue_id = self._do(command, now_ns)
        self.tell_news(now_ns)
        if self._never_arrives(Fault.LOST_ANSWER, identity, now_ns):
            self._resolve(max(sent_ns + TIMEOUT_NS, now_ns + MS), command, Outcome.UNKNOWN, None)
            return
        outcome = _OUTCOMES[answer]
        self._resolve(now_ns + self._delay(Fault.LATE_ANSWER, identity), command, outcome, venue_id)
        if self.faults.strikes(Fault.REPEATED_ANSWER, identity) is not None:
            self._resolve(now_ns + self._delay(Fault.LATE_ANSWER, identity), command, outcome, venue_id)

    def _again(self, command: Message, now_ns: int) -> None:
        """Let a message that arrived before arrive again; its answer is lost on the way."""
        self._do(command, now_ns)
        self.tell_news(now_ns)

    def _do(self, command: Message, now_ns: int) -> tuple[Answer, str | None]:
        match command:
            case PlaceOrder(order=order):
                return self.exchange.submit(
                    order.client_id, order.instrument, order.kind.value, order.quantity, price=order.price,
                    trigger=order.trigger, reduces=order.reduces, now_ns=now_ns,
                    at_once=order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK),
                )  # fmt: skip
            case AmendOrder(amendment=wish):
                answer = self.exchange.amend(
                    command.client_id, quantity=wish.quantity, price=wish.price, trigger=wish.trigger, now_ns=now_ns
                )
                return answer, None
            case CancelOrder(venue_id=str() as venue_id):
                return self.exchange.cancel_named(venue_id), None
            case CancelOrder():
                return self.exchange.cancel(command.client_id), None
            case LookUpOrder():
                raise TypeError("questions are answered, not done")

    def _ask(self, command: LookUpOrder, now_ns: int) -> None:
        if self._never_arrives(Fault.LOST_LOOKUP, command.client_id, now_ns):
            return
        arrives = now_ns + self._delay(Fault.LATE_REQUEST, command.client_id)
        self.schedule(arrives, lambda at_ns: self._answer(command, at_ns))

    def _answer(self, command: LookUpOrder, now_ns: int) -> None:
        identity = command.client_id
        if now_ns < self.down_until_ns:
            return
        ticket = self.exchange.find(identity)
        if (badly := self.faults.strikes(Fault.PARTIAL_PAGE, identity)) is not None:
            self.partial_until_ns = now_ns + int(badly * 30 * SECOND)
        complete = now_ns >= self.partial_until_ns
        young = ticket is not None and now_ns - ticket.accepted_ns < self.visible_ns
        if not complete:
            ticket = None
        if young and self.faults.strikes(Fault.BLIND, identity) is not None:
            ticket = None
        found = None if ticket is None else _report(ticket, now_ns)
        seen_ns = now_ns
        if found is not None and (lag := self.faults.strikes(Fault.STALE_ANSWER, identity)) is not None:
            seen_ns = now_ns - int(lag * self.visible_ns)
            found = self._as_of(found, seen_ns)
        prints = [] if found is None else [p for p in self.exchange.prints if p.client_id == identity]
        answer = LookedUp(
            event_ns=now_ns, known_ns=now_ns, client_id=identity, asked_ns=command.asked_ns, found=found,
            executions=tuple(_execution(one, now_ns) for one in prints if one.at_ns <= seen_ns), complete=complete,
        )  # fmt: skip
        self._deliver(answer, now_ns + self._delay(Fault.LATE_LOOKUP, identity))

    def _ask_all(self, command: AskVenue, now_ns: int) -> None:
        if now_ns >= self.down_until_ns and self.faults.strikes(Fault.LOST_TRUTH) is None:
            arrives = now_ns + self.draw.randint(1 * MS, 30 * MS)
            self.schedule(arrives, lambda at_ns: self._answer_all(command, at_ns))

    def _answer_all(self, command: AskVenue, now_ns: int) -> None:
        """Tell everything; an order that is young, or that the venue hides, is not in the list."""
        if now_ns < self.down_until_ns:
            return
        tickets = [ticket for ticket in self.exchange.at_work() if not self._is_hidden(ticket, now_ns)]
        prints = [one for one in (*self.exchange.prints, *self.exchange.strange) if one.at_ns >= command.since_ns]
        complete = self.faults.strikes(Fault.PARTIAL_TRUTH) is None
        if not complete:
            tickets, prints = tickets[: len(tickets) // 2], prints[: len(prints) // 2]
        lag = self.faults.strikes(Fault.STALE_POSITION) if command.whole else None
        held = self.exchange.held_at(now_ns if lag is None else now_ns - int(lag * self.visible_ns))
        positions = {InstrumentId(symbol): Position(quantity=units) for symbol, units in held.items()}
        truth = Truth(
            asked_ns=command.asked_ns, at_ns=now_ns, since_ns=command.since_ns, complete=complete,
            orders=tuple(_report(ticket, now_ns) for ticket in tickets),
            executions=tuple(_execution(one, now_ns) for one in prints),
            positions=positions if command.whole else None, cash=self.exchange.money() if command.whole else None,
        )  # fmt: skip
        told = TruthTold(event_ns=now_ns, known_ns=now_ns, number=command.number, truth=truth)
        self._deliver(told, now_ns + self.draw.randint(1 * MS, 30 * MS))

    def _is_hidden(self, ticket: Ticket, now_ns: int) -> bool:
        identity = ClientId(ticket.client_id)
        if self.faults.strikes(Fault.HIDDEN, identity) is not None:
            return True
        young = now_ns - ticket.accepted_ns < self.visible_ns
        return young and self.faults.strikes(Fault.BLIND, identity) is not None

    def _as_of(self, found: OrderReported, seen_ns: int) -> OrderReported:
        """Return how an order stood at an instant before, as far back as it was there."""
        shown_before = self._shown.get(found.client_id or "", [found])
        return next((shown for shown in reversed(shown_before) if shown.event_ns <= seen_ns), shown_before[0])

    def _resolve(self, at_ns: int, command: Message, outcome: Outcome, venue_id: str | None) -> None:
        event = SendResolved(
            event_ns=at_ns, known_ns=at_ns, client_id=_identity(command), act=_act(command), outcome=outcome,
            venue_id=venue_id,
        )  # fmt: skip
        self._deliver(event, at_ns)

    def _deliver(self, event: VenueEvent | TruthTold, at_ns: int) -> None:
        session = self.session

        def arrive(now_ns: int) -> None:
            del now_ns
            if session == self.session:
                self.hear(event)

        self.schedule(at_ns, arrive)

    def _delay(self, late: Fault, identity: ClientId) -> int:
        badly = self.faults.strikes(late, identity)
        slowest = self.visible_ns - SECOND if late is Fault.LATE_REQUEST else SLOW_NS
        return self.draw.randint(1 * MS, 30 * MS) + (0 if badly is None else int(badly * badly * slowest))


def _is_new(command: VenueCommand) -> bool:
    return isinstance(command, PlaceOrder)


def _identity(command: Message) -> ClientId:
    return command.order.client_id if isinstance(command, PlaceOrder) else command.client_id


def _act(command: Message) -> Act:
    if isinstance(command, PlaceOrder):
        return Act.PLACE
    return Act.AMEND if isinstance(command, AmendOrder) else Act.CANCEL


def _report(ticket: Ticket, now_ns: int) -> OrderReported:
    average = ticket.value / ticket.filled if ticket.filled else None
    return OrderReported(
        event_ns=now_ns, known_ns=now_ns, instrument=InstrumentId(ticket.symbol), client_id=ClientId(ticket.client_id),
        venue_id=ticket.venue_id, state=_STATES[ticket.stand], quantity=abs(ticket.quantity), filled=ticket.filled,
        average=average, price=ticket.price, trigger=ticket.trigger,
    )  # fmt: skip


def _execution(one: Print, now_ns: int) -> Executed:
    return Executed(
        event_ns=one.at_ns, known_ns=now_ns, instrument=InstrumentId(one.symbol), execution_id=one.execution_id,
        client_id=ClientId(one.client_id), venue_id=one.venue_id, quantity=one.quantity, price=one.price,
        fee=Decimal(one.fee),
    )  # fmt: skip
