"""A venue without faults for an account: what is sent arrives at once, and every price is told."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

import msgspec

from evenkeel.engine.account.account import Account
from evenkeel.engine.account.entry import AccountEvent
from evenkeel.model.command import AmendOrder, CancelOrder, LookUpOrder, PlaceOrder, VenueCommand
from evenkeel.model.event import PriceTold, TimePassed
from evenkeel.model.ids import ClientId, InstrumentId
from evenkeel.model.intent import OrderKind
from evenkeel.model.order import OrderState, VenueOrder
from evenkeel.model.report import Act, Executed, LookedUp, OrderReported, Outcome, SendResolved, VenueEvent

STOPS = (OrderKind.STOP, OrderKind.STOP_LIMIT)


class CalmVenue:
    """Matches plain orders against a last price, whole and at that price.

    Attributes:
        position: Signed units held.
        steps: What the account concluded, event by event.
    """

    def __init__(self, account: Account, instrument: InstrumentId, price: Decimal, now_ns: int) -> None:
        self.account, self.instrument, self.price, self.now_ns = account, instrument, price, now_ns
        self.resting: dict[ClientId, VenueOrder] = {}
        self.ended: dict[ClientId, tuple[VenueOrder, OrderState, Executed | None]] = {}
        self.position = Decimal(0)
        self.steps: list[object] = []
        self.fired: set[ClientId] = set()
        self._answers: deque[VenueEvent] = deque()
        self._stamp = self._prints = 0

    def tell(self, event: AccountEvent) -> None:
        """Let the account hear of a fact, carry out what it commands, and tell what became of that."""
        self._apply(event)
        while self._answers:
            self._apply(self._answers.popleft())

    def trades_at(self, price: Decimal, now_ns: int) -> None:
        """Let the price move, match what it meets, and wake the account where it is due."""
        due = self.account.next_deadline()
        if due is not None and due <= now_ns:
            self.now_ns = due
            self.tell(TimePassed(event_ns=due, known_ns=due))
        self.price, self.now_ns = price, now_ns
        for order in list(self.resting.values()):
            self._match(order)
        self.tell(PriceTold(event_ns=now_ns, known_ns=now_ns, instrument=self.instrument, last=price))

    def _apply(self, event: AccountEvent) -> None:
        self._stamp = max(self._stamp + 1, self.now_ns)
        step = self.account.apply(msgspec.structs.replace(event, known_ns=self._stamp))
        self.steps += [step.event, *step.entries]
        for command in step.commands:
            self._do(command)

    def _do(self, command: VenueCommand) -> None:
        match command:
            case PlaceOrder(order=order):
                self.resting[order.client_id] = order
                self._resolve(order.client_id, Act.PLACE, Outcome.ACCEPTED)
                self._match(order)
            case AmendOrder(client_id=identity, amendment=wish):
                known = self.resting.get(identity)
                self._resolve(identity, Act.AMEND, Outcome.REFUSED if known is None else Outcome.ACCEPTED)
                if known is not None:
                    said = {name: getattr(wish, name) for name in ("quantity", "price", "trigger")}
                    told = {name: value for name, value in said.items() if value is not None}
                    self.resting[identity] = msgspec.structs.replace(known, **told)
            case CancelOrder(client_id=identity) if identity in self.resting:
                self._resolve(identity, Act.CANCEL, Outcome.ACCEPTED)
                self._end(self.resting[identity], OrderState.CANCELLED, None)
            case CancelOrder(client_id=identity):
                self._resolve(identity, Act.CANCEL, Outcome.REFUSED)
            case LookUpOrder(client_id=identity):
                self._look_up(identity)

    def _match(self, order: VenueOrder) -> None:
        buys = order.quantity > 0
        if order.kind in STOPS and order.trigger is not None and order.client_id not in self.fired:
            if not (self.price >= order.trigger if buys else self.price <= order.trigger):
                return
            self.fired.add(order.client_id)
        limit = None if order.kind is OrderKind.STOP else order.price
        if limit is not None and (self.price > limit if buys else self.price < limit):
            return
        if order.reduces and self.position * order.quantity >= 0:
            self._end(order, OrderState.CANCELLED, None)
            return
        self._prints += 1
        self.position += order.quantity
        fill = Executed(
            event_ns=self.now_ns, known_ns=self.now_ns, instrument=order.instrument, client_id=order.client_id,
            venue_id=order.client_id, execution_id=f"x{self._prints}", quantity=order.quantity, price=self.price,
        )  # fmt: skip
        self._answers.append(fill)
        self._end(order, OrderState.FILLED, fill)

    def _end(self, order: VenueOrder, state: OrderState, fill: Executed | None) -> None:
        self.resting.pop(order.client_id, None)
        self.ended[order.client_id] = (order, state, fill)
        self._answers.append(self._report(order, state, fill))

    def _report(self, order: VenueOrder, state: OrderState, fill: Executed | None) -> OrderReported:
        return OrderReported(
            event_ns=self.now_ns, known_ns=self.now_ns, instrument=order.instrument, client_id=order.client_id,
            venue_id=order.client_id, state=state, quantity=abs(order.quantity), price=order.price,
            trigger=order.trigger, filled=Decimal(0) if fill is None else abs(fill.quantity),
            average=None if fill is None else fill.price,
        )  # fmt: skip

    def _resolve(self, identity: ClientId, act: Act, outcome: Outcome) -> None:
        event = SendResolved(
            event_ns=self.now_ns, known_ns=self.now_ns, client_id=identity, act=act, outcome=outcome, venue_id=identity
        )
        self._answers.append(event)

    def _look_up(self, identity: ClientId) -> None:
        if identity in self.resting:
            found, fill = self._report(self.resting[identity], OrderState.WORKING, None), None
        else:
            order, state, fill = self.ended[identity]
            found = self._report(order, state, fill)
        answer = LookedUp(
            event_ns=self.now_ns, known_ns=self.now_ns, client_id=identity, asked_ns=self.now_ns, found=found,
            executions=() if fill is None else (fill,), complete=True,
        )  # fmt: skip
        self._answers.append(answer)
