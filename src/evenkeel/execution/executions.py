"""Executions that venues told: each counts once, and one that was taken back counts never.

One is named by its order and the venue's id: a venue may count its ids from the start again.
What is told of an execution may come in any order, the news that it was taken back before the execution itself; the
state after both is the same.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

import msgspec

from evenkeel.model.ids import ClientId, InstrumentId
from evenkeel.model.order import VenueOrder
from evenkeel.model.report import Executed, ExecutionBusted

BUSTS_MAX = 10_000
"""How many executions that were taken back and never heard of are kept in mind (plays.md 10, C7)."""


class PieceKey(NamedTuple):
    """Which execution: of which order, and the venue's id."""

    client_id: ClientId
    execution_id: str


class Piece(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An execution, as far as we know.

    Attributes:
        execution_id: The venue's id.
        client_id: Of the order.
        instrument: What changed hands.
        quantity: Signed units.
        price: Per unit.
        fee: Positive is paid.
        at_ns: When the venue says that it was.
        busted: Whether the venue took it back.
        astray: Whether it cannot be of its order, because its side or its instrument is another one.
    """

    execution_id: str
    client_id: ClientId
    instrument: InstrumentId
    quantity: Decimal
    price: Decimal
    fee: Decimal
    at_ns: int
    busted: bool = False
    astray: bool = False

    @property
    def key(self) -> PieceKey:
        """Its name."""
        return PieceKey(self.client_id, self.execution_id)

    @property
    def units(self) -> Decimal:
        """Unsigned units."""
        return abs(self.quantity)

    @property
    def value(self) -> Decimal:
        """Price times unsigned quantity."""
        return self.units * self.price

    def is_told_by(self, event: Executed) -> bool:
        """Whether an execution of the same name says the same."""
        return (
            self.quantity == event.quantity
            and self.price == event.price
            and (event.instrument is None or event.instrument == self.instrument)
        )


def unheard_id(identity: ClientId) -> str:
    """Return the id of what stands for units of an order that the venue took back before we heard their own name."""
    return f"unheard of {identity}"


class Executions:
    """The executions of all orders that are kept.

    Attributes:
        pieces: By name, oldest first.
        of: Names of those of an order.
        taken_back: Ids of those that were taken back before we heard of them, oldest first.
    """

    def __init__(self) -> None:
        self.pieces: dict[PieceKey, Piece] = {}
        self.of: dict[ClientId, list[PieceKey]] = {}
        self.taken_back: OrderedDict[str, None] = OrderedDict()

    def restore(self, pieces: Iterable[Piece], taken_back: Iterable[str]) -> None:
        """Take over what was stored."""
        self.pieces, self.taken_back = {piece.key: piece for piece in pieces}, OrderedDict.fromkeys(taken_back)
        for piece in self.pieces.values():
            self.of.setdefault(piece.client_id, []).append(piece.key)

    def named(self, execution_id: str, identity: ClientId | None) -> Piece | None:
        """Return an execution by the venue's id; where its order is not told, the newest one with that id."""
        if identity is not None:
            return self.pieces.get(PieceKey(identity, execution_id))
        return next((piece for piece in reversed(self.pieces.values()) if piece.execution_id == execution_id), None)

    def keep(self, event: Executed, order: VenueOrder) -> Piece:
        """Keep an execution that was not known, and return it; it may have been taken back already."""
        instrument = order.instrument if event.instrument is None else event.instrument
        busted = event.execution_id in self.taken_back
        self.taken_back.pop(event.execution_id, None)
        astray = (event.quantity > 0) != (order.quantity > 0) or instrument != order.instrument
        piece = Piece(
            execution_id=event.execution_id, client_id=order.client_id, instrument=instrument,
            quantity=event.quantity, price=event.price, fee=event.fee, at_ns=event.event_ns, busted=busted,
            astray=astray,
        )  # fmt: skip
        self.pieces[piece.key] = piece
        self.of.setdefault(order.client_id, []).append(piece.key)
        return piece

    def bust(self, piece: Piece) -> None:
        """Take back an execution that is known."""
        self.pieces[piece.key] = msgspec.structs.replace(piece, busted=True)

    def name(self, stand_in: Piece, units: Decimal) -> None:
        """Let some units of what stood for executions go: they have come under their own name."""
        left = stand_in.units - units
        if left:
            self.pieces[stand_in.key] = msgspec.structs.replace(stand_in, quantity=left.copy_sign(stand_in.quantity))
        else:
            del self.pieces[stand_in.key]
            self.of[stand_in.client_id].remove(stand_in.key)

    def expect(self, event: ExecutionBusted) -> bool:
        """Keep in mind that an execution which may still come was taken back; return whether that is news."""
        news = event.execution_id not in self.taken_back
        self.taken_back[event.execution_id] = None
        while len(self.taken_back) > BUSTS_MAX:
            self.taken_back.popitem(last=False)
        return news

    def forget(self, identity: ClientId) -> None:
        """Forget the executions of an order."""
        for key in self.of.pop(identity, []):
            del self.pieces[key]
