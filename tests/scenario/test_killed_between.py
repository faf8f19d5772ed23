"""Rows of the failure catalogue (operations.md 12) about a process that dies around an order's journal entry."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum, auto

import pytest

from evenkeel.engine.account.entry import AccountEvent
from evenkeel.engine.journal.memory import MemoryDisk
from evenkeel.model.command import PlaceOrder, VenueCommand
from evenkeel.model.event import BarsClosed
from evenkeel.model.ids import ClientId, Leg
from evenkeel.model.order import OrderState
from property.test_world import SYMBOL
from session_desk import Place


class Death(Exception):
    """The process is gone."""


class Point(Enum):
    """Where it dies, at the first entry that it makes."""

    BEFORE_ITS_ENTRY = auto()
    BEFORE_THE_SEND = auto()
    AFTER_THE_SEND = auto()


class Mortal(Place):
    """A session that dies at its first entry.

    Attributes:
        point: Where; None: it has died already.
        entry: Id of that entry.
        last: What it was told last.
    """

    def __init__(self, point: Point) -> None:
        super().__init__(MemoryDisk())
        self.point: Point | None = point
        self.entry = ClientId("")
        self.last: AccountEvent | None = None
        self._before = MemoryDisk()

    def tell(self, event: AccountEvent) -> None:
        if isinstance(event, BarsClosed) and self.point is not None:
            self.session.flush()
            self._before = self._copy()
        self.last = event
        super().tell(event)

    def _carry(self, commands: tuple[VenueCommand, ...]) -> None:
        places = [one for one in commands if isinstance(one, PlaceOrder) and one.order.leg is Leg.ENTRY]
        if not places or self.point is None:
            super()._carry(commands)
            return
        point, self.point = self.point, None
        self.entry = places[0].order.client_id
        if point is Point.AFTER_THE_SEND:
            super()._carry(commands)
        self.disk = self._before if point is Point.BEFORE_ITS_ENTRY else self._copy()
        raise Death

    def _copy(self) -> MemoryDisk:
        assert isinstance(self.disk, MemoryDisk)
        return self.disk.copy()


def reborn(point: Point) -> Mortal:
    """Let an account die at a point and start again."""
    place = Mortal(point)
    place.open()
    with pytest.raises(Death):
        place.run(200)
    place.open()
    return place


def test_row_1_killed_before_the_entry_is_written_nothing_was_sent_and_it_is_decided_anew() -> None:
    place = reborn(Point.BEFORE_ITS_ENTRY)
    account = place.account
    assert place.exchange.tickets == []
    assert account.supervisor.book.open == {}
    assert account.supervisor.brackets == {}

    assert place.last is not None
    place.tell(place.last)

    assert [command.order.client_id for command in place.sent if isinstance(command, PlaceOrder)] == [place.entry]


def test_row_2_killed_before_the_send_the_order_is_looked_up_and_aborted() -> None:
    place = reborn(Point.BEFORE_THE_SEND)
    assert place.account.supervisor.book.open[place.entry].state is OrderState.UNKNOWN

    place.run(1)

    order = place.account.supervisor.book.get(place.entry)
    assert order is not None
    assert order.state is OrderState.ABORTED
    assert place.exchange.find(place.entry) is None
    (desk,) = place.account.desks.values()
    assert desk.core.state.orders == {}
    place.run(100)
    assert place.exchange.find(place.entry) is None
    assert place.exchange.prints != []


def test_row_3_killed_after_the_send_the_fill_is_found_and_protected() -> None:
    place = reborn(Point.AFTER_THE_SEND)

    place.run(1)

    order = place.account.supervisor.book.get(place.entry)
    assert order is not None
    assert order.state is OrderState.FILLED
    held = place.exchange.positions[SYMBOL]
    assert held == order.quantity == place.account.books.position(SYMBOL)
    stops = [one for one in place.account.supervisor.book.open.values() if one.leg is Leg.STOP]
    assert [(one.state, one.quantity) for one in stops] == [(OrderState.WORKING, -held)]
    assert sum(one.client_id == place.entry for one in place.exchange.tickets) == 1
    assert place.account.supervisor.unprotected_ns < Decimal(5_000_000_000)
