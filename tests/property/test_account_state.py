"""What an account stores of itself is all of it: restored, it is the same object graph and goes on in the same way."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from evenkeel.engine.account.account import Account
from evenkeel.engine.account.log import AccountOpened, Recorded, decode_entries
from evenkeel.engine.journal import read_journal
from evenkeel.engine.simulation.process import JOURNAL
from evenkeel.execution.orders import OrderBook
from evenkeel.model.event import Event
from evenkeel.model.order import OrderState
from evenkeel.model.report import OrderReported
from object_graph import differences
from property.test_world import VENUES, a_world

TRANSIENT = frozenset({"heard"})
"""What an event leaves for its own deciding only."""


def restored(account: Account, fresh: Account) -> Account:
    for name, part in account.parts().items():
        fresh.parts()[name].restore(msgspec.msgpack.encode(part.saved()))
    fresh.take_up({identity: desk.core.strategy.hash for identity, desk in account.desks.items()})
    return fresh


def take(account: Account, entry: Recorded) -> None:
    if isinstance(entry, AccountOpened):
        account.take_up(entry.manifest.hashes)
    else:
        account.fold(entry)


@pytest.mark.parametrize("seed", range(6))
def test_a_restored_account_is_the_same_and_goes_on_in_the_same_way(seed: int) -> None:
    world = a_world(seed, VENUES[seed % len(VENUES)])
    world.run()
    world.awake()
    entries = list(decode_entries(read_journal(world.process.flushed(), JOURNAL)))
    account: Account = world.make()
    again: Account = world.make()
    due = len(entries) // 12
    rare = 8
    for place, entry in enumerate(entries):
        waits = rare > 0 and bool(account.supervisor.book.unseen)
        if (place >= due or waits) and isinstance(entry, Event):
            rare -= waits
            due = max(due, place) + len(entries) // 12
            again = restored(account, world.make())
            assert differences(account, again, leave_out=TRANSIENT) == []
        take(account, entry)
        take(again, entry)
    assert differences(account, again, leave_out=TRANSIENT) == []
    assert again.state() == account.state() == world.account.state()


def test_a_message_that_waits_for_its_order_is_stored() -> None:
    book, again = OrderBook("kl", 0), OrderBook("kl", 0)
    told = OrderReported(event_ns=1, known_ns=1, venue_id="v1", state=OrderState.WORKING, quantity=Decimal(1))
    book.fold(told)

    again.restore(msgspec.msgpack.encode(book.saved()))

    assert differences(book, again) == []
    assert again.deadlines() == book.deadlines() != []
