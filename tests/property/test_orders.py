"""Orders at a venue: whatever is lost, repeated or overtaken, what was filled counts once."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.execution.books import Books, Owner
from evenkeel.execution.order_life import NEXT_STATES
from evenkeel.execution.orders import OrderBook
from evenkeel.model.ids import ClientId, InstrumentId, Leg, StrategyId
from evenkeel.model.intent import OrderKind
from evenkeel.model.order import OrderState, VenueOrder
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

D = Decimal
IDENTITY = ClientId("kle-one")
SYMBOL = InstrumentId("BTCUSDT.BYBIT")
SECOND = 1_000_000_000


def an_order(quantity: Decimal) -> VenueOrder:
    return VenueOrder(
        client_id=IDENTITY, strategy=StrategyId("s"), instrument=SYMBOL, trade=1, leg=Leg.ENTRY, kind=OrderKind.LIMIT,
        quantity=quantity, price=D(110) if quantity > 0 else D(90), placed_ns=0, moved_ns=0,
    )  # fmt: skip


def a_book(sign: int = 1) -> OrderBook:
    book = OrderBook("kl", visible_ns=3 * SECOND)
    book.place(an_order(D(10 * sign)))
    return book


def history(pieces: list[int], prices: list[int], end: OrderState, sign: int) -> list[VenueEvent]:
    """Everything that a venue would tell of an order that is filled in pieces and then ends."""
    events: list[VenueEvent] = [
        SendResolved(event_ns=0, known_ns=0, client_id=IDENTITY, act=Act.PLACE, outcome=Outcome.ACCEPTED, venue_id="v"),
        OrderReported(
            event_ns=0, known_ns=0, venue_id="v", client_id=IDENTITY, state=OrderState.WORKING, quantity=D(10)
        ),
    ]  # fmt: skip
    done = value = D(0)
    for number, (piece, price) in enumerate(zip(pieces, prices, strict=True)):
        done, value = done + piece, value + piece * price
        state = OrderState.FILLED if done == 10 else OrderState.PARTIAL
        events.append(
            Executed(
                event_ns=0, known_ns=0, execution_id=f"x{number}", venue_id="v", quantity=D(piece * sign),
                price=D(price), fee=D(1),
            )
        )  # fmt: skip
        events.append(
            OrderReported(
                event_ns=0, known_ns=0, venue_id="v", client_id=IDENTITY, state=state, quantity=D(10), filled=done,
                average=value / done,
            )
        )  # fmt: skip
    if done < 10:
        events.append(
            OrderReported(
                event_ns=0, known_ns=0, venue_id="v", client_id=IDENTITY, state=end, quantity=D(10), filled=done,
                average=value / done if done else None,
            )
        )  # fmt: skip
    return events


@st.composite
def tellings(draw: st.DrawFn) -> tuple[list[VenueEvent], Decimal, Decimal, int]:
    """Draw a history, then what arrives of it: shuffled, repeated, and without one of the two kinds of fills."""
    pieces, left = [], 10
    while left and draw(st.booleans()):
        pieces.append(draw(st.integers(1, left)))
        left -= pieces[-1]
    prices = [draw(st.integers(90, 110)) for _ in pieces]
    end = draw(st.sampled_from([OrderState.CANCELLED, OrderState.EXPIRED]))
    sign = draw(st.sampled_from([1, -1]))
    events = history(pieces, prices, end, sign)
    lost: tuple[type, ...] = draw(st.sampled_from([(), (Executed,), (SendResolved,)]))
    heard = [event for event in events if not isinstance(event, lost)]
    if draw(st.booleans()):
        heard = [event for event in heard if not isinstance(event, OrderReported) or event in (events[1], events[-1])]
    repeated = heard + [heard[i] for i in draw(st.lists(st.integers(0, len(heard) - 1), max_size=8))]
    order = draw(st.permutations(repeated))
    stamped = [_at(event, place) for place, event in enumerate(order)]
    value = sum((D(p * q) for p, q in zip(pieces, prices, strict=True)), D(0))
    return stamped, D(sum(pieces)), value, sign


def _at(event: VenueEvent, place: int) -> VenueEvent:
    return msgspec.structs.replace(event, known_ns=place + 1)


@given(tellings())
def test_what_was_filled_counts_once_in_any_order_of_messages(
    drawn: tuple[list[VenueEvent], Decimal, Decimal, int],
) -> None:
    events, filled, value, sign = drawn
    book = a_book(sign)
    quantity = worth = fees = D(0)
    for event in events:
        before = book.get(IDENTITY)
        told = book.fold(event)
        after = book.get(IDENTITY)
        assert before is not None
        assert after is not None
        assert after.state is before.state or after.state in NEXT_STATES[before.state]
        assert after.filled >= before.filled
        assert [f.code for f in told.findings if f.code.value not in ("late_fill",)] == []
        for one in told.counted:
            quantity, worth, fees = quantity + one.quantity, worth + one.value, fees + one.fee
    order = book.get(IDENTITY)
    assert order is not None
    assert order.filled == filled
    assert quantity == filled * sign
    assert abs(worth - value) < D("1e-20")
    assert (order.state is OrderState.FILLED) == (filled == 10)
    assert order.state.is_final
    if any(isinstance(event, Executed) for event in events):
        assert fees == len({event.execution_id for event in events if isinstance(event, Executed)})


@st.composite
def taken_back(draw: st.DrawFn) -> tuple[list[VenueEvent], list[VenueEvent], set[int], list[int]]:
    """Draw executions of a purchase, some of them taken back, in two orders of arrival."""
    pieces = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    gone = draw(st.sets(st.integers(0, len(pieces) - 1)))
    events: list[VenueEvent] = [
        Executed(
            event_ns=0, known_ns=1, execution_id=f"x{number}", venue_id="v", client_id=IDENTITY, quantity=D(piece),
            price=D(100 + number), fee=D(1),
        )
        for number, piece in enumerate(pieces)
    ]  # fmt: skip
    for number in gone:
        bust = ExecutionBusted(event_ns=0, known_ns=1, execution_id=f"x{number}")
        if draw(st.booleans()):
            bust = msgspec.structs.replace(
                bust, client_id=IDENTITY, venue_id="v", quantity=D(pieces[number]), price=D(100 + number)
            )
        events += [bust] * draw(st.integers(1, 2))
    return draw(st.permutations(events)), draw(st.permutations(events)), gone, pieces


@given(taken_back())
def test_an_execution_taken_back_is_gone_whichever_news_comes_first(
    drawn: tuple[list[VenueEvent], list[VenueEvent], set[int], list[int]],
) -> None:
    one, other, gone, pieces = drawn
    left = [number for number in range(len(pieces)) if number not in gone]
    orders = []
    for events in (one, other):
        book, books = a_book(), Books(D(0), {SYMBOL: D(1)})
        for event in events:
            for counted in book.fold(event).counted:
                books.fill(Owner(StrategyId("s"), SYMBOL), counted.quantity, counted.value, counted.fee, 1)
        order = book.get(IDENTITY)
        assert order is not None
        assert order.filled == books.position(SYMBOL) == sum(pieces[number] for number in left)
        assert order.value == sum(pieces[number] * (100 + number) for number in left)
        assert order.fees == len(left)
        equity = books.equity({SYMBOL: D(100)})
        assert equity is not None
        assert abs(equity + sum(pieces[number] * number for number in left) + len(left)) < D("1e-20")
        assert not book.executions.taken_back
        orders.append(order)
    assert orders[0] == orders[1]


def test_an_order_that_two_answers_far_apart_do_not_have_was_never_taken() -> None:
    book = a_book()
    book.fold(
        SendResolved(event_ns=0, known_ns=15 * SECOND, client_id=IDENTITY, act=Act.PLACE, outcome=Outcome.UNKNOWN)
    )
    states = []
    for seconds in (15.5, 16, 17, 19, 23):
        at = int(seconds * SECOND)
        assert book.deadlines() == [at]
        book.lookup(IDENTITY, at)
        book.fold(LookedUp(event_ns=at, known_ns=at + 1, client_id=IDENTITY, asked_ns=at, complete=True))
        order = book.get(IDENTITY)
        assert order is not None
        states.append(order.state)
        if order.state.is_final:
            break
    assert states == [OrderState.UNKNOWN] * 3 + [OrderState.ABORTED]
