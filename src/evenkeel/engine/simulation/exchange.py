"""The venue of the simulation: it matches orders against a price and keeps the book of truth.

It knows nothing of the engine and shares no code with it: what it says happened is what happened.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from evenkeel.engine.simulation.draw import Draw


class Stand(StrEnum):
    """How an order stands at the venue."""

    WORKING = "working"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


class Answer(StrEnum):
    """What the venue says to a message."""

    OK = "ok"
    REFUSED = "refused"
    EXISTS = "exists"


@dataclass(slots=True)
class Ticket:
    """An order as the venue has it.

    Attributes:
        venue_id: The venue's name for it.
        client_id: The sender's name for it.
        symbol: What it trades.
        kind: Market, limit, stop or stop_limit.
        quantity: Signed units.
        price: Of a limit.
        trigger: Of a stop.
        reduces: Whether it may only make a position smaller.
        accepted_ns: When the venue took it.
        filled: Unsigned units.
        value: Price times quantity of those.
        stand: How it stands.
        triggered: Whether the price has set off a stop.
        own: Whether our engine sent it; others belong to a person.
    """

    venue_id: str
    client_id: str
    symbol: str
    kind: str
    quantity: Decimal
    price: Decimal | None
    trigger: Decimal | None
    reduces: bool
    accepted_ns: int
    filled: Decimal = Decimal(0)
    value: Decimal = Decimal(0)
    stand: Stand = Stand.WORKING
    triggered: bool = False
    own: bool = True

    @property
    def is_open(self) -> bool:
        """Whether it can still fill."""
        return self.stand in (Stand.WORKING, Stand.PARTIAL)

    @property
    def left(self) -> Decimal:
        """Unsigned units that can still fill."""
        return abs(self.quantity) - self.filled


@dataclass(frozen=True, slots=True)
class Print:
    """An execution.

    Attributes:
        execution_id: Its name.
        venue_id: Of the order; likewise `client_id` and `symbol`.
        quantity: Signed units.
        price: Per unit.
        fee: Paid.
        at_ns: When.
    """

    execution_id: str
    venue_id: str
    client_id: str
    symbol: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    at_ns: int


@dataclass(slots=True)
class Market:
    """The price of a symbol.

    Attributes:
        price: Last.
        lot: Smallest step of a quantity.
    """

    price: Decimal
    lot: Decimal


@dataclass(slots=True)
class Manner:
    """How the venue behaves; each is a probability.

    Attributes:
        partial: That a fill is a part only.
        reject: That an order is rejected for no reason.
        reject_stop: That a stop is.
    """

    partial: float = 0.3
    reject: float = 0.02
    reject_stop: float = 0.02


@dataclass(slots=True)
class Exchange:
    """Orders, positions, cash and executions, as they really are.

    Attributes:
        draw: Source of every choice.
        markets: By symbol.
        manner: How it behaves.
        tickets: Every order ever taken, by the venue's name for it.
        prints: Every execution that stands, in order.
        busted: Executions taken back.
        positions: Signed units by symbol.
        cash: What all executions brought, after fees.
        news: What has happened since it was last read: tickets that changed and prints.
    """

    draw: Draw
    markets: dict[str, Market]
    manner: Manner = field(default_factory=Manner)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    prints: list[Print] = field(default_factory=list)
    busted: list[str] = field(default_factory=list)
    positions: dict[str, Decimal] = field(default_factory=dict)
    cash: Decimal = Decimal(0)
    news: list[Ticket | Print] = field(default_factory=list)
    _by_client: dict[str, str] = field(default_factory=dict)
    _at_work: list[Ticket] = field(default_factory=list)

    def submit(
        self, client_id: str, symbol: str, kind: str, quantity: Decimal, *, price: Decimal | None,
        trigger: Decimal | None, reduces: bool, now_ns: int, own: bool = True,
    ) -> tuple[Answer, str | None]:  # fmt: skip
        """Take an order, or refuse it."""
        if client_id in self._by_client:
            return Answer.EXISTS, self._by_client[client_id]
        chance = self.manner.reject_stop if kind.startswith("stop") else self.manner.reject
        if own and self.draw.random() < chance:
            return Answer.REFUSED, None
        if reduces and not self._reduces(symbol, quantity):
            return Answer.REFUSED, None
        venue_id = f"v{len(self.tickets) + 1}"
        ticket = Ticket(venue_id, client_id, symbol, kind, quantity, price, trigger, reduces, now_ns, own=own)
        self.tickets[venue_id] = ticket
        self._by_client[client_id] = venue_id
        self._at_work.append(ticket)
        self.news.append(ticket)
        self._match(ticket, now_ns)
        return Answer.OK, venue_id

    def amend(
        self, client_id: str, *, quantity: Decimal | None, price: Decimal | None, trigger: Decimal | None, now_ns: int
    ) -> Answer:
        """Change an order that is open."""
        ticket = self.find(client_id)
        if ticket is None or not ticket.is_open or (quantity is not None and abs(quantity) <= ticket.filled):
            return Answer.REFUSED
        ticket.quantity = ticket.quantity if quantity is None else quantity
        ticket.price = ticket.price if price is None else price
        ticket.trigger = ticket.trigger if trigger is None else trigger
        self.news.append(ticket)
        self._match(ticket, now_ns)
        return Answer.OK

    def cancel(self, client_id: str) -> Answer:
        """Withdraw an order that is open."""
        ticket = self.find(client_id)
        if ticket is None or not ticket.is_open:
            return Answer.REFUSED
        ticket.stand = Stand.CANCELLED
        self.news.append(ticket)
        return Answer.OK

    def find(self, client_id: str) -> Ticket | None:
        """Return the order that a sender named so."""
        venue_id = self._by_client.get(client_id)
        return None if venue_id is None else self.tickets[venue_id]

    def trade_at(self, symbol: str, price: Decimal, now_ns: int) -> None:
        """Let the price move, and match what it meets."""
        self.markets[symbol].price = price
        for ticket in [t for t in self._at_work if t.symbol == symbol]:
            self._match(ticket, now_ns)
        self._at_work = [ticket for ticket in self._at_work if ticket.is_open]

    def bust(self) -> Print | None:
        """Take the last execution of ours back."""
        if not self.prints:
            return None
        gone = self.prints.pop()
        self.busted.append(gone.execution_id)
        self.positions[gone.symbol] = self.positions.get(gone.symbol, Decimal(0)) - gone.quantity
        self.cash += gone.quantity * gone.price + gone.fee
        return gone

    def _reduces(self, symbol: str, quantity: Decimal) -> bool:
        return self.positions.get(symbol, Decimal(0)) * quantity < 0

    def _match(self, ticket: Ticket, now_ns: int) -> None:
        if not ticket.is_open:
            return
        last = self.markets[ticket.symbol].price
        buys = ticket.quantity > 0
        if ticket.kind in ("stop", "stop_limit") and ticket.trigger is not None and not ticket.triggered:
            ticket.triggered = last >= ticket.trigger if buys else last <= ticket.trigger
            if not ticket.triggered:
                return
        limit = ticket.price if ticket.kind in ("limit", "stop_limit") else None
        if limit is not None and (last - limit) * (1 if buys else -1) > 0:
            return
        quantity = ticket.left
        if ticket.reduces:
            held = self.positions.get(ticket.symbol, Decimal(0))
            if held * ticket.quantity >= 0:
                ticket.stand = Stand.CANCELLED
                self.news.append(ticket)
                return
            quantity = min(quantity, abs(held))
        lots = int(quantity / self.markets[ticket.symbol].lot)
        if lots > 1 and self.draw.random() < self.manner.partial:
            quantity = self.draw.randint(1, lots) * self.markets[ticket.symbol].lot
        self._fill(ticket, quantity, last, now_ns)

    def _fill(self, ticket: Ticket, quantity: Decimal, price: Decimal, now_ns: int) -> None:
        signed = quantity.copy_sign(ticket.quantity)
        fee = quantity * price / 1000
        ticket.filled += quantity
        ticket.value += quantity * price
        ticket.stand = Stand.FILLED if ticket.left == 0 else Stand.PARTIAL
        self.positions[ticket.symbol] = self.positions.get(ticket.symbol, Decimal(0)) + signed
        self.cash -= signed * price + fee
        number = len(self.prints) + len(self.busted) + 1
        fill = Print(f"x{number}", ticket.venue_id, ticket.client_id, ticket.symbol, signed, price, fee, now_ns)
        self.prints.append(fill)
        self.news += [fill, ticket]
