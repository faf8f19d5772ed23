"""How positions end, told bar by bar, in both lanes."""

from __future__ import annotations

from decimal import Decimal

import pytest

import desk
from desk import account, flat, long, piece, short, story
from evenkeel.strategies.terms import OrderTerms

SLIPPAGE = account(slippage="0.001")
RESTING = OrderTerms(target_is_limit=True)
ENTER = flat(100, 2)
"""A decision at the first close, a fill at 100 at the second open."""


def reasons(record: object) -> list[str]:
    return [str(trade.exit.event.exit_reason) for trade in record.trades()]  # type: ignore[attr-defined]


def test_a_stop_fills_at_its_level_with_slippage() -> None:
    record = desk.run(piece([*ENTER, (99, 99, 94, 96), *flat(96, 1)], {0: long(stop=5)}), costs=SLIPPAGE)

    stop = record.fills[0].event.stop_price
    assert stop == Decimal("95.1")
    assert story(record)[1] == ("stop", 2, "inside", pytest.approx(95.1 * 0.999))
    assert reasons(record) == ["sl"]
    assert (record.fills[1].event.kind.value, record.fills[1].event.taker) == ("stop", True)
    assert record.fills[1].reason == "sl"
    assert record.fills[1].decided_ns is None


def test_a_gap_over_the_stop_fills_at_the_open_never_at_the_level() -> None:
    """Trap T26."""
    record = desk.run(piece([*ENTER, (92, 97, 91, 96), *flat(96, 1)], {0: long(stop=5)}), costs=SLIPPAGE)

    assert story(record)[1] == ("stop", 2, "open", pytest.approx(92 * 0.999))


def test_an_open_exactly_at_the_stop_is_a_stop() -> None:
    record = desk.run(piece([*ENTER, (95, 99, 95, 99), *flat(99, 1)], {0: long(stop=5)}))

    assert story(record)[1] == ("stop", 2, "open", 95.0)


def test_a_touch_of_the_stop_is_a_stop_and_a_tick_above_is_not() -> None:
    touched = desk.run(piece([*ENTER, (99, 99, 95, 99), *flat(99, 1)], {0: long(stop=5)}))
    missed = desk.run(piece([*ENTER, (99, 99, 95.01, 99), *flat(99, 1)], {0: long(stop=5)}))

    assert reasons(touched) == ["sl"]
    assert reasons(missed) == ["end_of_data"]


def test_when_one_bar_reaches_stop_and_target_the_stop_counts() -> None:
    record = desk.run(piece([*ENTER, (100, 110, 90, 105), *flat(105, 1)], {0: long(stop=5, target=5)}))

    assert story(record)[1] == ("stop", 2, "inside", 95.0)


def test_an_earlier_target_beats_a_later_stop() -> None:
    rows = [*ENTER, (100, 106, 99, 104), (104, 104, 90, 91)]

    record = desk.run(piece(rows, {0: long(stop=5, target=5)}))

    assert story(record)[1] == ("target", 2, "inside", 105.0)


def test_the_bar_of_a_market_entry_can_hit_both_levels_and_the_stop_counts() -> None:
    rows = [*flat(100, 1), (100, 110, 90, 105), *flat(105, 1)]

    record = desk.run(piece(rows, {0: long(stop=5, target=5)}))

    assert story(record) == [("entry", 1, "open", 100.0), ("stop", 1, "inside", 95.0)]


def test_the_bar_of_a_market_entry_can_reach_the_target() -> None:
    """Entered at the open, the position is held over the whole range."""
    rows = [*flat(100, 1), (100, 110, 96, 97), *flat(97, 1)]

    record = desk.run(piece(rows, {0: long(stop=5, target=5)}))

    assert story(record)[1] == ("target", 1, "inside", 105.0)


@pytest.mark.parametrize(
    ("order", "price", "taker"), [(OrderTerms(), 110 * 0.999, True), (RESTING, 110.0, False)], ids=["market", "limit"]
)
def test_a_gap_over_the_target_fills_at_the_open(order: OrderTerms, price: float, taker: bool) -> None:
    record = desk.run(
        piece([*ENTER, (110, 111, 109, 110), *flat(110, 1)], {0: long(stop=5, target=5)}), costs=SLIPPAGE, order=order
    )

    assert story(record)[1] == ("target", 2, "open", pytest.approx(price))
    assert record.fills[1].event.taker is taker
    assert record.fills[1].event.kind.value == "take_profit"


@pytest.mark.parametrize(
    ("order", "price", "taker"), [(OrderTerms(), 105.1 * 0.999, True), (RESTING, 105.1, False)], ids=["market", "limit"]
)
def test_a_target_reached_inside_fills_at_its_level(order: OrderTerms, price: float, taker: bool) -> None:
    record = desk.run(
        piece([*ENTER, (101, 107, 101, 106), *flat(106, 1)], {0: long(stop=5, target=5)}), costs=SLIPPAGE, order=order
    )

    assert story(record)[1] == ("target", 2, "inside", pytest.approx(price))
    assert record.fills[1].event.taker is taker


INSIDE = {"limit": {"kind": "limit", "price": 98.0}, "stop": {"kind": "stop", "price": 102.0}}


@pytest.mark.parametrize("facts", INSIDE.values(), ids=INSIDE)
def test_an_entry_inside_a_bar_is_exposed_to_its_stop_on_the_whole_range(facts: dict[str, float]) -> None:
    rows = [*flat(100, 1), (100, 103, 90, 100), *flat(100, 2)]

    record = desk.run(piece(rows, {0: long(stop=4, target=50, **facts)}))

    assert story(record) == [("entry", 1, "inside", facts["price"]), ("stop", 1, "inside", facts["price"] - 4)]


@pytest.mark.parametrize("facts", INSIDE.values(), ids=INSIDE)
def test_an_entry_inside_a_bar_gets_its_target_only_where_the_bar_closes_beyond_it(facts: dict[str, float]) -> None:
    within = [*flat(100, 1), (100, 110, 97, 103.9), *flat(103.9, 2)]
    beyond = [*flat(100, 1), (100, 110, 97, 106.1), *flat(106, 2)]
    wishes = {0: long(stop=20, target=4, **facts)}

    held = desk.run(piece(within, wishes))
    taken = desk.run(piece(beyond, wishes))

    level = facts["price"] + 4
    assert taken.fills[1].event.row == 1
    assert story(taken)[1] == ("target", 1, "inside", level)
    if level > 103.9:
        assert held.trades()[0].exit.event.row > 1
    else:
        assert story(held)[1] == ("target", 1, "inside", level)


def test_a_signal_exit_fills_at_the_next_open() -> None:
    record = desk.run(
        piece([*ENTER, *flat(101, 1), (103, 104, 102, 103), *flat(103, 1)], {0: long()}, [2]), costs=SLIPPAGE
    )

    assert story(record)[1] == ("exit", 3, "open", pytest.approx(103 * 0.999))
    assert reasons(record) == ["signal"]
    leave = record.fills[1]
    assert (leave.reason, leave.decided_ns, leave.event.kind.value) == ("script leaves", desk.minute(3), "market")


def test_a_gap_over_the_stop_comes_before_a_signal_exit_at_the_same_open() -> None:
    record = desk.run(piece([*ENTER, *flat(100, 1), (93, 94, 92, 93), *flat(93, 1)], {0: long(stop=5)}, [2]))

    assert story(record)[1] == ("stop", 3, "open", 93.0)
    assert record.fills[1].decided_ns is None


def test_a_gap_over_the_target_comes_before_a_signal_exit_at_the_same_open() -> None:
    record = desk.run(piece([*ENTER, *flat(100, 1), (107, 108, 106, 107), *flat(107, 1)], {0: long(target=5)}, [2]))

    assert story(record)[1] == ("target", 3, "open", 107.0)


def test_a_signal_exit_comes_before_a_stop_inside_its_bar() -> None:
    record = desk.run(piece([*ENTER, *flat(100, 1), (99, 99, 80, 85), *flat(85, 1)], {0: long(stop=5)}, [2]))

    assert story(record)[1] == ("exit", 3, "open", 99.0)


def test_a_signal_exit_of_a_slower_bar_leaves_the_stop_in_force_until_it_fills() -> None:
    rows = [*flat(100, 4), (100, 100, 94, 95), *flat(95, 8)]

    record = desk.run(piece(rows, {0: long(stop=5)}, [1]), exec_tf="3m")

    assert story(record) == [("entry", 3, "open", 100.0), ("stop", 4, "inside", 95.0)]


def test_an_exit_signal_while_flat_does_nothing() -> None:
    record = desk.run(piece(flat(100, 6), {3: long()}, [0, 1, 2]))

    assert story(record)[0] == ("entry", 4, "open", 100.0)
    assert reasons(record) == ["end_of_data"]


def test_a_position_without_levels_survives_any_price() -> None:
    record = desk.run(piece([*ENTER, (100, 9000, 0.01, 100), *flat(100, 2)], {0: long()}, [3]))

    assert story(record)[1] == ("exit", 4, "open", 100.0)


def test_the_position_closes_at_the_last_close_with_slippage_and_the_taker_fee() -> None:
    costs = account(slippage="0.001", taker="0.0005")

    record = desk.run(piece([*ENTER, (100, 104, 99, 103)], {0: long()}), costs=costs)

    leave = record.fills[1].event
    assert story(record)[1] == ("guard", 2, "close", pytest.approx(103 * 0.999))
    assert (leave.event_ns, leave.exit_reason, leave.taker) == (desk.minute(2), "end_of_data", True)
    assert leave.fee == Decimal("0.05144850")


def test_a_signal_of_the_last_bar_is_carried_out_at_its_close() -> None:
    record = desk.run(piece(flat(100, 4), {0: long()}, [3]))

    assert story(record)[1] == ("exit", 3, "close", 100.0)
    assert reasons(record) == ["signal"]


def test_levels_move_with_the_fill_so_that_distances_survive_the_gap() -> None:
    record = desk.run(piece([*flat(100, 1), *flat(103, 2)], {0: long(stop=5, target=7)}))

    entry = record.fills[0].event
    assert (entry.stop_price, entry.target_price) == (98, 110)


def test_a_limit_entry_keeps_its_distances_from_the_limit() -> None:
    rows = [*flat(100, 1), (100, 100, 97.9, 99), *flat(99, 1)]

    record = desk.run(piece(rows, {0: short(kind="limit", price=101, stop=5, target=7)}))
    assert record.fills == []

    record = desk.run(piece(rows, {0: long(kind="limit", price=98, stop=5, target=7)}))
    assert (record.fills[0].event.stop_price, record.fills[0].event.target_price) == (93, 105)


def test_a_stop_inside_the_slippage_of_its_own_entry_fills_where_the_market_was() -> None:
    """Bought at 100.10 with the market at 100, a stop at 100.05 has passed already; it never fills above the market."""
    record = desk.run(piece(flat(100, 4), {0: long(stop=0.05)}), costs=SLIPPAGE)

    assert story(record) == [
        ("entry", 1, "open", pytest.approx(100.1)),
        ("stop", 1, "open", pytest.approx(99.9)),
    ]
    mirrored = desk.run(piece(flat(100, 4), {0: short(stop=0.05)}), costs=SLIPPAGE)
    assert story(mirrored)[1] == ("stop", 1, "open", pytest.approx(100.1))


def test_a_stop_inside_the_slippage_of_a_stop_entry_fills_at_the_trigger() -> None:
    rows = [*flat(100, 1), (100, 106, 100, 105), *flat(105, 2)]

    record = desk.run(piece(rows, {0: long(kind="stop", price=104, stop=0.05)}), costs=SLIPPAGE)

    assert story(record)[1] == ("stop", 1, "inside", pytest.approx(104 * 0.999))
