"""The venue of the simulation: it matches orders against a price and keeps the book of truth.

It knows nothing of the engine and shares no code with it: what it says happened is what happened.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from evenkeel.engine.simulation.draw import Draw
from evenkeel.engine.simulation.faults import Fault, Faults
from evenkeel.model.ids import ClientId


class Stand(StrEnum):
    """How an order stands at the venue."""

    WORKING = "working"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


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
    def sign(self) -> int:
        """+1 of a purchase, -1 of a sale."""
        return 1 if self.quantity > 0 else -1

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
        multiplier: Money per point of price and unit.
    """

    price: Decimal
    lot: Decimal
    multiplier: Decimal = Decimal(1)


@dataclass(slots=True)
class Exchange:
    """Orders, positions, cash and executions, as they really are.

    Attributes:
        draw: Source of the sizes of partial fills.
        markets: By symbol.
        faults: What goes wrong.
        tickets: Every order ever taken, in order.
        prints: Every execution that stands, in order.
        busted: Executions taken back.
        positions: Signed units by symbol, of the whole account.
        own: Signed units by symbol, of the engine's orders alone.
        strange: Every execution of other people, in order.
        deposit: Money that was paid in before the first execution.
        cash: What the engine's executions brought, after fees.
        news: What has happened since it was last read: tickets that changed and prints.
    """

    draw: Draw
    markets: dict[str, Market]
    faults: Faults
    tickets: list[Ticket] = field(default_factory=list)
    prints: list[Print] = field(default_factory=list)
    strange: list[Print] = field(default_factory=list)
    busted: list[Print] = field(default_factory=list)
    positions: dict[str, Decimal] = field(default_factory=dict)
    own: dict[str, Decimal] = field(default_factory=dict)
    deposit: Decimal = Decimal(0)
    cash: Decimal = Decimal(0)
    news: list[Ticket | Print] = field(default_factory=list)
    _by_client: dict[str, Ticket] = field(default_factory=dict)
    _at_work: list[Ticket] = field(default_factory=list)
    _refused: set[str] = field(default_factory=set)
    _orders: int = 0
    _executions: int = 0

    def submit(
        self, client_id: str, symbol: str, kind: str, quantity: Decimal, *, price: Decimal | None,
        trigger: Decimal | None, reduces: bool, now_ns: int, own: bool = True, at_once: bool = False,
    ) -> tuple[Answer, str | None]:  # fmt: skip
        """Take an order, or refuse it; what of one that is to fill at once does not is cancelled."""
        known = self._by_client.get(client_id)
        if known is not None:
            return Answer.EXISTS, known.venue_id
        if client_id in self._refused:
            return Answer.REFUSED, None
        rejects = Fault.REJECT_STOP if kind.startswith("stop") else Fault.REJECT
        if own and self.faults.strikes(rejects, ClientId(client_id)) is not None:
            return self.refuse(client_id), None
        if reduces and not self._reduces(symbol, quantity):
            return self.refuse(client_id), None
        self._orders += 1
        ticket = Ticket(
            f"v{self._orders}", client_id, symbol, kind, quantity, price, trigger, reduces, now_ns, own=own
        )  # fmt: skip
        self.tickets.append(ticket)
        self._by_client[client_id] = ticket
        self._at_work.append(ticket)
        self.news.append(ticket)
        self._match(ticket, now_ns)
        if at_once and ticket.is_open:
            self.cancel(client_id)
        return Answer.OK, ticket.venue_id

    def refuse(self, client_id: str) -> Answer:
        """Refuse an order for good: a copy of the same message that comes later is refused too."""
        self._refused.add(client_id)
        return Answer.REFUSED

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

    def cancel(self, client_id: str, stand: Stand = Stand.CANCELLED) -> Answer:
        """End an order that is open."""
        ticket = self.find(client_id)
        if ticket is None or not ticket.is_open:
            return Answer.REFUSED
        ticket.stand = stand
        self.news.append(ticket)
        return Answer.OK

    def cancel_named(self, venue_id: str) -> Answer:
        """End the last open order that has a name of the venue."""
        named = [ticket for ticket in self._at_work if ticket.venue_id == venue_id and ticket.is_open]
        return self.cancel(named[-1].client_id) if named else Answer.REFUSED

    def at_work(self) -> list[Ticket]:
        """Return every order that can still fill, those of other people too."""
        return [ticket for ticket in self._at_work if ticket.is_open]

    def money(self) -> Decimal:
        """Return what is in the account with all purchases paid for, those of other people too."""
        paid = sum((p.quantity * p.price * self.markets[p.symbol].multiplier + p.fee for p in self.strange), Decimal(0))
        return self.deposit + self.cash - paid

    def held_at(self, at_ns: int) -> dict[str, Decimal]:
        """Return the positions of the whole account as they were at an instant."""
        held = dict(self.positions)
        for one in (*self.prints, *self.strange):
            if one.at_ns > at_ns:
                held[one.symbol] -= one.quantity
        return held

    def find(self, client_id: str) -> Ticket | None:
        """Return the order that a sender named so."""
        return self._by_client.get(client_id)

    def open_tickets(self) -> list[Ticket]:
        """Return the orders of the engine that can still fill."""
        return [ticket for ticket in self._at_work if ticket.is_open and ticket.own]

    def trade_at(self, symbol: str, price: Decimal, now_ns: int) -> None:
        """Let the price move, and match what it meets."""
        self.markets[symbol].price = price
        for ticket in [t for t in self._at_work if t.symbol == symbol]:
            self._match(ticket, now_ns)
        self._at_work = [ticket for ticket in self._at_work if ticket.is_open]

    def bust(self, gone: Print) -> None:
        """Take an execution of the engine back."""
        self.prints.remove(gone)
        self.busted.append(gone)
        for held in (self.positions, self.own):
            held[gone.symbol] = held.get(gone.symbol, Decimal(0)) - gone.quantity
        self.cash += gone.quantity * gone.price * self.markets[gone.symbol].multiplier + gone.fee

    def reset_ids(self) -> None:
        """Count orders and executions from the start again."""
        self._orders = self._executions = 0

    def _reduces(self, symbol: str, quantity: Decimal) -> bool:
        return self.positions.get(symbol, Decimal(0)) * quantity < 0

    def _match(self, ticket: Ticket, now_ns: int) -> None:
        if not ticket.is_open:
            return
        last = self.markets[ticket.symbol].price
        buys = ticket.quantity > 0
        if ticket.trigger is not None and not ticket.triggered:
            ticket.triggered = last >= ticket.trigger if buys else last <= ticket.trigger
            if not ticket.triggered:
                return
        if ticket.price is not None and (last - ticket.price) * (1 if buys else -1) > 0:
            return
        quantity = ticket.left
        if ticket.reduces:
            if not self._reduces(ticket.symbol, ticket.quantity):
                ticket.stand = Stand.CANCELLED
                self.news.append(ticket)
                return
            quantity = min(quantity, abs(self.positions[ticket.symbol]))
        lots = int(quantity / self.markets[ticket.symbol].lot)
        if lots > 1 and ticket.own and self.faults.strikes(Fault.PARTIAL_FILL, ClientId(ticket.client_id)) is not None:
            quantity = self.draw.randint(1, lots) * self.markets[ticket.symbol].lot
        self._fill(ticket, quantity, last, now_ns)

    def _fill(self, ticket: Ticket, quantity: Decimal, price: Decimal, now_ns: int) -> None:
        signed = quantity.copy_sign(ticket.quantity)
        worth = price * self.markets[ticket.symbol].multiplier
        fee = quantity * worth / 1000
        ticket.filled += quantity
        ticket.value += quantity * price
        ticket.stand = Stand.FILLED if ticket.left == 0 else Stand.PARTIAL
        self.positions[ticket.symbol] = self.positions.get(ticket.symbol, Decimal(0)) + signed
        if ticket.own:
            self.own[ticket.symbol] = self.own.get(ticket.symbol, Decimal(0)) + signed
            self.cash -= signed * worth + fee
        self._executions += 1
        fill = Print(
            f"x{self._executions}", ticket.venue_id, ticket.client_id, ticket.symbol, signed, price, fee, now_ns
        )  # fmt: skip
        (self.prints if ticket.own else self.strange).append(fill)
        self.news += [fill, ticket]
