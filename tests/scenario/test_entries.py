"""How entries fill, rest and die, told bar by bar, in both lanes."""

from __future__ import annotations

from decimal import Decimal

import pytest

import desk
from desk import account, flat, long, piece, short, story
from evenkeel.model.intent import TimeInForce
from evenkeel.strategies.terms import OrderTerms

SLIPPAGE = account(slippage="0.001")


def mirrored(rows: list[tuple[float, ...]], around: float = 100.0) -> list[tuple[float, ...]]:
    """Return the bars turned upside down."""
    return [(2 * around - o, 2 * around - low, 2 * around - h, 2 * around - c) for o, h, low, c in rows]


def test_a_market_entry_fills_at_the_open_after_its_decision() -> None:
    rows = [(100, 101, 99, 100), (102, 103, 101, 102), (104, 105, 103, 104)]

    record = desk.run(piece(rows, {0: long()}), costs=SLIPPAGE)

    entry = record.fills[0]
    assert story(record)[0] == ("entry", 1, "open", pytest.approx(102.102))
    assert (entry.event.event_ns, entry.decided_ns) == (desk.minute(1), desk.minute(1))
    assert (entry.event.kind.value, entry.reason) == ("market", "script enters")
    assert entry.event.slippage == Decimal("0.102")


def test_the_open_of_the_deciding_bar_and_its_own_range_are_never_traded() -> None:
    rows = [(100, 150, 50, 100), *flat(100, 3)]

    record = desk.run(piece(rows, {0: long(kind="limit", price=90)}))

    assert record.fills == []


def test_a_decision_on_the_last_bar_dies_with_the_data() -> None:
    record = desk.run(piece(flat(100, 4), {3: long()}))

    assert record.fills == []
    assert [(dead.reason.value, dead.event_ns, dead.decided_ns) for dead in record.dead_entries] == [
        ("END_OF_DATA", desk.minute(4), desk.minute(4))
    ]


@pytest.mark.parametrize(("exec_tf", "decided_after", "filled"), [("3m", 3, 3), ("5m", 5, 5), ("15m", 15, 15)])
def test_a_slower_decision_fills_at_the_next_base_open(exec_tf: str, decided_after: int, filled: int) -> None:
    record = desk.run(piece(flat(100, 40), {0: long()}), exec_tf=exec_tf)

    assert story(record)[0] == ("entry", filled, "open", 100.0)
    assert record.fills[0].decided_ns == desk.minute(decided_after)


def test_a_short_entry_receives_less_by_the_slippage() -> None:
    record = desk.run(piece(flat(100, 3), {0: short()}), costs=SLIPPAGE)

    assert story(record)[0] == ("entry", 1, "open", pytest.approx(99.9))
    assert record.fills[0].event.quantity == -1
    assert record.fills[0].event.slippage == Decimal("0.1")


def test_a_resting_limit_waits_through_bars_and_executions_until_it_is_touched() -> None:
    rows = [*flat(100, 20), (100, 100, 98.9, 99.5), *flat(100, 4)]

    record = desk.run(piece(rows, {0: long(kind="limit", price=99)}), exec_tf="3m")

    assert story(record)[0] == ("entry", 20, "inside", 99.0)
    assert not record.fills[0].event.taker
    assert record.fills[0].event.slippage == 0


def test_a_working_entry_keeps_the_strategy_from_wishing_another() -> None:
    rows = [*flat(100, 6), (100, 100, 98, 99), *flat(100, 2)]
    wishes = {0: long(kind="limit", price=99), 2: short(), 3: long()}

    record = desk.run(piece(rows, wishes))

    assert story(record)[0] == ("entry", 6, "inside", 99.0)
    assert record.fills[0].decided_ns == desk.minute(1)


def test_an_entry_may_be_wished_again_at_the_close_at_which_the_last_one_expired() -> None:
    rows = [*flat(100, 4), (100, 100, 94, 95), *flat(95, 2)]
    wishes = {0: long(kind="limit", price=90), 2: long(kind="limit", price=95)}

    record = desk.run(piece(rows, wishes), order=OrderTerms(expire_bars=2))

    assert [(dead.reason.value, dead.event_ns) for dead in record.dead_entries] == [("EXPIRED", desk.minute(3))]
    assert story(record)[0] == ("entry", 4, "inside", 95.0)
    assert record.fills[0].decided_ns == desk.minute(3)


def test_an_entry_touched_in_its_last_bar_fills_and_does_not_expire() -> None:
    rows = [*flat(100, 3), (100, 100, 94, 95), *flat(95, 2)]

    record = desk.run(piece(rows, {0: long(kind="limit", price=95)}), order=OrderTerms(expire_bars=3))

    assert story(record)[0] == ("entry", 3, "inside", 95.0)
    assert record.dead_entries == []


@pytest.mark.parametrize("name", ["GTC", "IOC", "FOK"])
def test_a_limit_beyond_the_market_takes_at_once(name: str) -> None:
    record = desk.run(
        piece(flat(100, 3), {0: long(kind="limit", price=101)}), costs=SLIPPAGE, order=desk.LIMIT_ORDERS[name]
    )

    assert story(record)[0] == ("entry", 1, "open", pytest.approx(100.1))
    assert record.fills[0].event.taker


def test_a_limit_never_pays_more_than_its_price() -> None:
    record = desk.run(piece(flat(100, 3), {0: long(kind="limit", price=100.05)}), costs=SLIPPAGE)

    assert story(record)[0] == ("entry", 1, "open", 100.05)
    assert record.fills[0].event.slippage == Decimal("0.05")


def test_a_stop_entry_fills_at_its_trigger_when_the_range_reaches_it() -> None:
    rows = [*flat(100, 3), (100, 106, 100, 105), *flat(105, 2)]

    record = desk.run(piece(rows, {0: long(kind="stop", price=104)}), costs=SLIPPAGE)

    assert story(record)[0] == ("entry", 3, "inside", pytest.approx(104.104))
    assert (record.fills[0].event.kind.value, record.fills[0].event.taker) == ("stop", True)


def test_a_stop_entry_opened_over_fills_at_the_open_not_at_its_trigger() -> None:
    rows = [*flat(100, 2), (108, 109, 107, 108), *flat(108, 2)]

    record = desk.run(piece(rows, {0: long(kind="stop", price=104)}), costs=SLIPPAGE)

    assert story(record)[0] == ("entry", 2, "open", pytest.approx(108.108))


def test_the_trigger_of_a_stop_entry_goes_to_the_nearest_tick() -> None:
    rows = [*flat(100, 1), (100, 104.4, 100, 104), *flat(104, 2)]

    record = desk.run(piece(rows, {0: long(kind="stop", price=104.3)}), asset=desk.instrument(tick_size="0.5"))

    assert record.fills == []
    wider = [*flat(100, 1), (100, 104.5, 100, 104), *flat(104, 2)]
    record = desk.run(piece(wider, {0: long(kind="stop", price=104.3)}), asset=desk.instrument(tick_size="0.5"))
    assert story(record)[0] == ("entry", 1, "inside", 104.5)


def test_an_entry_after_a_stop_in_the_same_execution_bar_is_a_new_trade() -> None:
    rows = [*flat(100, 4), (100, 100, 94, 95), *flat(95, 8)]

    record = desk.run(piece(rows, {0: long(stop=5), 1: long()}), exec_tf="3m")

    assert story(record)[:3] == [("entry", 3, "open", 100.0), ("stop", 4, "inside", 95.0), ("entry", 6, "open", 95.0)]
    assert [fill.trade for fill in record.fills] == [1, 1, 2, 2]


STORIES = [
    [*flat(100, 1), (100, 103, 99, 102), (102, 106, 101, 105), (104, 104, 96, 97), *flat(97, 2)],
    [*flat(100, 1), (99, 100, 92, 93), (92, 97, 91, 96), *flat(96, 2)],
    [*flat(100, 1), (101, 112, 100, 111), (113, 114, 108, 109), *flat(108, 2)],
]


@pytest.mark.parametrize("rows", STORIES)
@pytest.mark.parametrize(
    "facts",
    [{}, {"kind": "limit", "price": 99.5}, {"kind": "limit", "price": 100.5}, {"kind": "stop", "price": 102}],
    ids=["market", "resting", "taking", "stop"],
)
@pytest.mark.parametrize("order", [OrderTerms(), OrderTerms(target_is_limit=True, trade_through=True)])
def test_shorts_are_longs_in_the_mirror(
    rows: list[tuple[float, ...]], facts: dict[str, float], order: OrderTerms
) -> None:
    """Turned around a price the same story happens on the other side; quantities are fixed, costs are left out."""
    other = {**facts, **({"price": 200 - facts["price"]} if "price" in facts else {})}

    up = desk.run(piece(rows, {0: long(stop=6, target=9, **facts)}), order=order)
    down = desk.run(piece(mirrored(rows), {0: short(stop=6, target=9, **other)}), order=order)

    assert [(leg, row, point, pytest.approx(200 - price)) for leg, row, point, price in story(up)] == story(down)
    assert [fill.event.gross for fill in up.fills] == [fill.event.gross for fill in down.fills]
    assert len(up.fills) % 2 == 0


@pytest.mark.parametrize("tif", list(TimeInForce))
def test_time_in_force_means_nothing_to_a_market_entry(tif: TimeInForce) -> None:
    record = desk.run(piece(flat(100, 3), {0: long()}), order=OrderTerms(time_in_force=tif))

    assert story(record)[0] == ("entry", 1, "open", 100.0)
