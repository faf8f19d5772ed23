"""The network between engine and venue: it loses, repeats, delays and reorders, in both directions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

import msgspec

from evenkeel.engine.simulation.draw import Draw
from evenkeel.engine.simulation.exchange import Answer, Exchange, Print, Stand, Ticket
from evenkeel.model.command import AmendOrder, CancelOrder, LookUpOrder, PlaceOrder, VenueCommand
from evenkeel.model.ids import ClientId, InstrumentId
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

MS = 1_000_000
SECOND = 1_000 * MS

_STATES = {
    Stand.WORKING: OrderState.WORKING, Stand.PARTIAL: OrderState.PARTIAL, Stand.FILLED: OrderState.FILLED,
    Stand.CANCELLED: OrderState.CANCELLED, Stand.REJECTED: OrderState.REJECTED,
}  # fmt: skip
_OUTCOMES = {Answer.OK: Outcome.ACCEPTED, Answer.REFUSED: Outcome.REFUSED, Answer.EXISTS: Outcome.EXISTS}


class Schedule(Protocol):
    """Where the wire puts what arrives later."""

    def __call__(self, at_ns: int, act: Callable[[int], None]) -> None:
        """Do something at an instant; it is told the time."""


@dataclass(slots=True)
class Weather:
    """How bad the network is; each is a probability, delays are the largest.

    Attributes:
        lost_request: That a message never reaches the venue, and the sender times out.
        lost_answer: That the answer is lost, and the sender times out though the venue acted.
        lost_news: That a message of the stream is lost.
        repeated: That one arrives twice.
        slow: That one is late, by up to `slow_ns`.
        slow_ns: How late.
        partial_page: That an answer to a look-up says that it is not complete.
        blind: That an order is not yet in an answer, while it is younger than `visible_ns`.
        visible_ns: After how long every order is in every answer.
        timeout_ns: After how long a sender gives up.
    """

    lost_request: float = 0.03
    lost_answer: float = 0.03
    lost_news: float = 0.03
    repeated: float = 0.05
    slow: float = 0.1
    slow_ns: int = 2 * SECOND
    partial_page: float = 0.1
    blind: float = 0.5
    visible_ns: int = 3 * SECOND
    timeout_ns: int = 15 * SECOND


@dataclass(slots=True)
class Wire:
    """Carries commands to the venue and what it tells back.

    Attributes:
        draw: Source of every choice.
        exchange: The venue.
        weather: How bad the network is.
        schedule: Where later things go.
        hear: Takes what arrives at the engine.
        faults: How often each fault happened, by kind.
        session: Number of the engine's session; what was on its way to an earlier one never arrives.
    """

    draw: Draw
    exchange: Exchange
    weather: Weather
    schedule: Schedule
    hear: Callable[[VenueEvent], None]
    faults: Counter[str] = field(default_factory=Counter)
    session: int = 0

    def carry(self, command: VenueCommand, now_ns: int) -> None:
        """Send a message to the venue."""
        if isinstance(command, LookUpOrder):
            self._ask(command, now_ns)
            return
        identity = command.order.client_id if isinstance(command, PlaceOrder) else command.client_id
        act = _act(command)
        if self._happens("lost_request", self.weather.lost_request):
            self._resolve(now_ns + self.weather.timeout_ns, identity, act, Outcome.UNKNOWN, None)
            return
        arrives = now_ns + self._delay()

        def arrive(at_ns: int) -> None:
            answer, venue_id = self._do(command, at_ns)
            self.tell_news(at_ns)
            if self._happens("lost_answer", self.weather.lost_answer):
                self._resolve(now_ns + self.weather.timeout_ns, identity, act, Outcome.UNKNOWN, None)
            else:
                self._resolve(at_ns + self._delay(), identity, act, _OUTCOMES[answer], venue_id)

        self.schedule(arrives, arrive)

    def hold_back(self, identity: ClientId, now_ns: int) -> None:
        """Tell that an order did not leave."""
        self._resolve(now_ns + MS, identity, Act.PLACE, Outcome.ABORTED, None)

    def tell_news(self, now_ns: int) -> None:
        """Send what has happened at the venue down the stream."""
        news, self.exchange.news = self.exchange.news, []
        for one in news:
            if self._happens("lost_news", self.weather.lost_news):
                continue
            event = _told(one, now_ns)
            self._deliver(event, now_ns)
            if self._happens("repeated", self.weather.repeated):
                self._deliver(event, now_ns)

    def tell_bust(self, gone: Print, now_ns: int) -> None:
        """Send that an execution was taken back; venues tell that until it is heard."""
        self.faults["bust"] += 1
        event = ExecutionBusted(
            event_ns=now_ns, known_ns=now_ns, instrument=InstrumentId(gone.symbol), execution_id=gone.execution_id,
            client_id=ClientId(gone.client_id), venue_id=gone.venue_id, quantity=gone.quantity, price=gone.price,
        )  # fmt: skip
        self._deliver(event, now_ns)

    def _do(self, command: VenueCommand, now_ns: int) -> tuple[Answer, str | None]:
        match command:
            case PlaceOrder(order=order):
                return self.exchange.submit(
                    order.client_id, order.instrument, order.kind.value, order.quantity, price=order.price,
                    trigger=order.trigger, reduces=order.reduces, now_ns=now_ns,
                )  # fmt: skip
            case AmendOrder(amendment=wish):
                answer = self.exchange.amend(
                    command.client_id, quantity=wish.quantity, price=wish.price, trigger=wish.trigger, now_ns=now_ns
                )
                return answer, None
            case CancelOrder():
                return self.exchange.cancel(command.client_id), None
            case LookUpOrder():
                raise TypeError("look-ups are answered, not done")

    def _ask(self, command: LookUpOrder, now_ns: int) -> None:
        if self._happens("lost_lookup", self.weather.lost_request):
            return
        arrives = now_ns + self._delay()

        def arrive(at_ns: int) -> None:
            ticket = self.exchange.find(command.client_id)
            complete = not self._happens("partial_page", self.weather.partial_page)
            young = ticket is not None and at_ns - ticket.accepted_ns < self.weather.visible_ns
            if ticket is not None and young and self._happens("blind", self.weather.blind):
                ticket = None
            prints = () if ticket is None else tuple(p for p in self.exchange.prints if p.venue_id == ticket.venue_id)
            answer = LookedUp(
                event_ns=at_ns, known_ns=at_ns, client_id=command.client_id, asked_ns=command.asked_ns,
                found=None if ticket is None else _report(ticket, at_ns),
                executions=tuple(_execution(one, at_ns) for one in prints), complete=complete,
            )  # fmt: skip
            self._deliver(answer, at_ns)

        self.schedule(arrives, arrive)

    def _resolve(self, at_ns: int, identity: ClientId, act: Act, outcome: Outcome, venue_id: str | None) -> None:
        self._deliver(
            SendResolved(
                event_ns=at_ns, known_ns=at_ns, client_id=identity, act=act, outcome=outcome, venue_id=venue_id
            ),
            at_ns, delayed=False,
        )  # fmt: skip

    def _deliver(self, event: VenueEvent, now_ns: int, *, delayed: bool = True) -> None:
        session = self.session

        def arrive(at_ns: int) -> None:
            if session == self.session:
                self.hear(msgspec.structs.replace(event, known_ns=at_ns))

        self.schedule(now_ns + self._delay() if delayed else now_ns, arrive)

    def _delay(self) -> int:
        if self._happens("slow", self.weather.slow):
            return self.draw.randint(1 * MS, self.weather.slow_ns)
        return self.draw.randint(1 * MS, 30 * MS)

    def _happens(self, kind: str, chance: float) -> bool:
        happens = self.draw.random() < chance
        if happens:
            self.faults[kind] += 1
        return happens


def _act(command: VenueCommand) -> Act:
    if isinstance(command, PlaceOrder):
        return Act.PLACE
    return Act.AMEND if isinstance(command, AmendOrder) else Act.CANCEL


def _told(one: Ticket | Print, now_ns: int) -> VenueEvent:
    return _report(one, now_ns) if isinstance(one, Ticket) else _execution(one, now_ns)


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
