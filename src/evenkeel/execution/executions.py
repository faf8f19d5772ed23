"""Executions that venues told, by their ids: each counts once, and one that was taken back counts never.

What is told of an execution may come in any order, the news that it was taken back before the execution itself; the
state after both is the same.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from evenkeel.model.ids import ClientId, InstrumentId
from evenkeel.model.order import VenueOrder
from evenkeel.model.report import Executed, ExecutionBusted

BUSTS_MAX = 10_000
"""How many executions that were taken back and never heard of are kept in mind (plays.md 10, C7)."""


class Piece(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An execution, as far as we know.

    Attributes:
        client_id: Of the order.
        instrument: What changed hands.
        quantity: Signed units.
        price: Per unit.
        fee: Positive is paid.
        at_ns: When the venue says that it was.
        busted: Whether the venue took it back.
        astray: Whether it cannot be of its order, because its side or its instrument is another one.
    """

    client_id: ClientId
    instrument: InstrumentId
    quantity: Decimal
    price: Decimal
    fee: Decimal
    at_ns: int
    busted: bool = False
    astray: bool = False

    @property
    def units(self) -> Decimal:
        """Unsigned units."""
        return abs(self.quantity)

    @property
    def value(self) -> Decimal:
        """Price times unsigned quantity."""
        return self.units * self.price

    def is_told_by(self, event: Executed, identity: ClientId) -> bool:
        """Whether an execution of the same id says the same."""
        return (
            self.client_id == identity
            and self.quantity == event.quantity
            and self.price == event.price
            and (event.instrument is None or event.instrument == self.instrument)
        )


class Executions:
    """The executions of all orders that are kept.

    Attributes:
        pieces: By the venue's id.
        of: Ids of those of an order.
        taken_back: Ids of those that were taken back before we heard of them, oldest first.
    """

    def __init__(self) -> None:
        self.pieces: dict[str, Piece] = {}
        self.of: dict[ClientId, list[str]] = {}
        self.taken_back: OrderedDict[str, None] = OrderedDict()

    def restore(self, pieces: dict[str, Piece], taken_back: Iterable[str]) -> None:
        """Take over what was stored."""
        self.pieces, self.taken_back = pieces, OrderedDict.fromkeys(taken_back)
        for execution_id, piece in pieces.items():
            self.of.setdefault(piece.client_id, []).append(execution_id)

    def keep(self, event: Executed, order: VenueOrder) -> Piece:
        """Keep an execution that was not known, and return it; it may have been taken back already."""
        instrument = order.instrument if event.instrument is None else event.instrument
        busted = event.execution_id in self.taken_back
        self.taken_back.pop(event.execution_id, None)
        astray = (event.quantity > 0) != (order.quantity > 0) or instrument != order.instrument
        piece = Piece(
            client_id=order.client_id, instrument=instrument, quantity=event.quantity, price=event.price,
            fee=event.fee, at_ns=event.event_ns, busted=busted, astray=astray,
        )  # fmt: skip
        self.pieces[event.execution_id] = piece
        self.of.setdefault(order.client_id, []).append(event.execution_id)
        return piece

    def bust(self, execution_id: str) -> Piece:
        """Take back an execution that is known, and return it as it was."""
        piece = self.pieces[execution_id]
        self.pieces[execution_id] = msgspec.structs.replace(piece, busted=True)
        return piece

    def expect(self, event: ExecutionBusted) -> bool:
        """Keep in mind that an execution which may still come was taken back; return whether that is news."""
        news = event.execution_id not in self.taken_back
        self.taken_back[event.execution_id] = None
        while len(self.taken_back) > BUSTS_MAX:
            self.taken_back.popitem(last=False)
        return news

    def forget(self, identity: ClientId) -> None:
        """Forget the executions of an order."""
        for execution_id in self.of.pop(identity, []):
            del self.pieces[execution_id]
