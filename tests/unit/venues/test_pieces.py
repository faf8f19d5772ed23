"""Fills in pieces: at most a part of a bar's volume fills (plays.md 6.9, vector 38, decision 0008.1 to 0008.10)."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

import desk
from desk import LIMIT_ORDERS, account, flat, long, piece, short, story, units
from evenkeel.engine.record import RunRecord
from evenkeel.model.reason import Reason
from evenkeel.strategies.terms import ImpactTerms, LadderStep, MarginTerms, OrderTerms, SizingTerms

TENTH = {"max_volume_fraction": "0.1", "start_equity": "1000000"}
GOLDEN = account(taker="0.00055", maker="0.0002", slippage="0.0002", **TENTH)
FREE = account(**TENTH)
Row = tuple[float, float, float, float, float]


def at(price: float, volume: float) -> Row:
    """Return a minute in which nothing moves."""
    return price, price, price, price, volume


def quantities(record: RunRecord) -> list[tuple[str, int, str, D, D]]:
    """Return leg, base row, point, signed quantity and price of every fill."""
    return [desk.told(fill) for fill in record.fills]


def deaths(record: RunRecord) -> list[tuple[Reason, bool]]:
    return [(dead.reason, dead.rest) for dead in record.dead_entries]


def test_38_an_ioc_fills_a_tenth_of_the_volume_and_cancels_the_rest() -> None:
    rows = [at(100.5, 300), at(99.5, 300), at(99.5, 300), at(99.5, 300)]
    record = desk.run(
        piece(rows, {0: long(kind="limit", price=100)}), costs=GOLDEN, sizing=units(50), order=LIMIT_ORDERS["IOC"]
    )

    event = record.fills[0].event
    assert (event.row, event.quantity, event.price, event.taker) == (1, D(30), D("99.5199"), True)
    assert event.left == 20
    assert deaths(record) == [(Reason.LIQUIDITY, True)]
    assert record.fills[1].event.quantity == -30


def test_38_a_fok_that_the_volume_does_not_fill_is_not_filled() -> None:
    rows = [at(100.5, 300), at(99.5, 300), at(99.5, 600), at(99.5, 600)]
    costs, order = GOLDEN, LIMIT_ORDERS["FOK"]
    record = desk.run(piece(rows, {0: long(kind="limit", price=100)}), costs=costs, sizing=units(50), order=order)
    whole = desk.run(piece(rows, {1: long(kind="limit", price=100)}), costs=costs, sizing=units(50), order=order)

    assert (record.fills, deaths(record)) == ([], [(Reason.FOK_UNFILLED, False)])
    assert whole.fills[0].event.quantity == 50


def test_an_ioc_that_finds_nothing_is_unfilled() -> None:
    rows = [at(100.5, 300), at(99.5, 0), at(99.5, 300)]
    record = desk.run(
        piece(rows, {0: long(kind="limit", price=100)}), costs=FREE, sizing=units(50), order=LIMIT_ORDERS["IOC"]
    )

    assert (record.fills, deaths(record)) == ([], [(Reason.IOC_UNFILLED, False)])


def test_the_rest_of_a_market_order_goes_on_at_the_next_opens() -> None:
    rows = [at(100, 50), at(100, 20), at(102, 0), at(104, 10), at(101, 500), at(101, 500)]
    record = desk.run(piece(rows, {0: long(stop=10, target=20)}), costs=FREE, sizing=units(5))

    assert quantities(record)[:3] == [
        ("entry", 1, "open", D(2), D(100)), ("entry", 3, "open", D(1), D(104)), ("entry", 4, "open", D(2), D(101)),
    ]  # fmt: skip
    assert [fill.event.left for fill in record.fills] == [3, 2, None, None]
    assert [fill.trade for fill in record.fills] == [1, 1, 1, 1]
    assert [fill.event.average for fill in record.fills] == [None, D("101.33333333333333"), D("101.2"), None]
    stops = [(fill.event.stop_price, fill.event.target_price) for fill in record.fills[:3]]
    assert stops == [(D(90), D(120)), (D("91.34"), D("121.33")), (D("91.2"), D("121.2"))]


def test_pieces_of_an_entry_are_one_row_of_the_trades() -> None:
    rows = [at(100, 50), at(100, 20), at(104, 20), at(104, 20), at(110, 500)]
    costs = account(taker="0.001", slippage="0.001", **TENTH)
    record = desk.run(piece(rows, {0: long()}, [2]), costs=costs, sizing=units(4))

    fees = [fill.event.fee for fill in record.fills]
    (first, second) = record.trades()
    assert [fill.event.quantity for fill in record.fills] == [2, 2, -2, -2]
    assert fees[:2] == [D("0.2002"), D("0.208208")]
    assert first.entry.event.quantity == 4
    assert (first.number, first.leg, second.leg) == (1, 1, 2)
    assert first.entry_fee + second.entry_fee == fees[0] + fees[1]
    assert first.entry.event.price == D("102.102")
    assert first.entry.event.row == 1
    final = D(1_000_000) + sum(trade.net for trade in record.trades())
    assert int(record.curve[1, -1]) == final * 10**8


def test_legs_as_columns_and_as_records_agree_where_entries_come_in_pieces() -> None:
    rows = [at(100, 50), at(100, 20), at(104, 20), at(104, 20), at(110, 30), at(110, 500), at(90, 500), at(90, 500)]
    costs = account(taker="0.001", funding_rate="0.01", **TENTH)
    record = desk.run(piece(rows, {0: long(), 5: short()}, {2: 0.5, 3: 1.0}), costs=costs, sizing=units(4))
    legs = record.legs()

    assert legs.fills.lots[legs.entry].tolist() == [4000, 4000, -4000]
    assert [trade.net for trade in record.trades()] == [D(net).scaleb(-8) for net in legs.net.tolist()]


def test_exits_take_the_budget_of_a_bar_first_and_a_close_goes_on() -> None:
    rows = [at(100, 500), at(100, 500), at(100, 500), at(103, 30), at(102, 10), at(101, 50)]
    record = desk.run(piece(rows, {0: long()}, [2]), costs=FREE, sizing=units(5))

    assert quantities(record)[1:] == [
        ("exit", 3, "open", D(-3), D(103)), ("exit", 4, "open", D(-1), D(102)), ("exit", 5, "open", D(-1), D(101)),
    ]  # fmt: skip
    assert [fill.event.left for fill in record.fills] == [None, 2, 1, None]
    assert {str(fill.event.exit_reason) for fill in record.fills[1:]} == {"signal"}


def test_a_stop_that_fired_goes_on_at_the_open_wherever_the_price_is() -> None:
    rows = [at(100, 500), at(100, 500), (100, 100, 94, 99, 20), at(101, 0), at(102, 100)]
    record = desk.run(piece(rows, {0: long(stop=5)}), costs=FREE, sizing=units(5))

    assert quantities(record)[1:] == [("stop", 2, "inside", D(-2), D(95)), ("stop", 4, "open", D(-3), D(102))]
    assert {str(fill.event.exit_reason) for fill in record.fills[1:]} == {"sl"}


@pytest.mark.parametrize(("volume", "fired"), [(0.001, True), (0, False)])
def test_a_stop_that_finds_nothing_has_fired_but_not_where_nothing_traded(volume: float, fired: bool) -> None:
    rows = [at(100, 500), at(100, 500), (100, 100, 94, 99, volume), at(101, 100), at(101, 100)]
    record = desk.run(piece(rows, {0: long(stop=5)}), costs=FREE, sizing=units(5))

    assert quantities(record)[1][:2] == (("stop", 3) if fired else ("guard", 4))


def test_steps_of_a_ladder_that_were_reached_together_go_on_together() -> None:
    steps = (LadderStep(fraction=D("0.02"), share=D("0.4")), LadderStep(fraction=D("0.04"), share=D("0.6")))
    rows = [at(100, 500), at(100, 500), (100, 105, 100, 103, 10), at(101, 500), at(101, 500)]
    record = desk.run(piece(rows, {0: long()}), costs=FREE, sizing=units(5), order=OrderTerms(ladder=steps))

    assert quantities(record)[1:] == [
        ("target", 2, "inside", D(-1), D(102)), ("target", 3, "open", D(-1), D(101)),
        ("target", 3, "open", D(-3), D(101)),
    ]  # fmt: skip


def test_a_market_target_that_fired_goes_on_and_a_resting_one_waits_for_its_price() -> None:
    rows = [at(100, 500), at(100, 500), (100, 106, 100, 101, 20), at(101, 500), (101, 107, 101, 102, 500)]
    market = desk.run(piece(rows, {0: long(target=5)}), costs=FREE, sizing=units(5))
    resting = desk.run(
        piece(rows, {0: long(target=5)}), costs=FREE, sizing=units(5), order=OrderTerms(target_is_limit=True)
    )

    assert quantities(market)[1:] == [("target", 2, "inside", D(-2), D(105)), ("target", 3, "open", D(-3), D(101))]
    assert quantities(resting)[1:] == [("target", 2, "inside", D(-2), D(105)), ("target", 4, "inside", D(-3), D(105))]


def test_steps_of_a_ladder_fill_one_after_the_other() -> None:
    steps = (LadderStep(fraction=D("0.02"), share=D("0.4")), LadderStep(fraction=D("0.04"), share=D("0.6")))
    rows = [at(100, 500), at(100, 500), (100, 105, 100, 103, 10), at(101, 30), (101, 105, 101, 102, 500)]
    record = desk.run(
        piece(rows, {0: long()}), costs=FREE, sizing=units(5), order=OrderTerms(ladder=steps, target_is_limit=True)
    )

    assert quantities(record)[1:] == [
        ("target", 2, "inside", D(-1), D(102)), ("target", 4, "inside", D(-1), D(102)),
        ("target", 4, "inside", D(-3), D(104)),
    ]  # fmt: skip


def test_the_first_exit_withdraws_what_is_left_of_the_entry() -> None:
    rows = [at(100, 500), at(100, 20), (100, 100, 94, 96, 20), at(96, 500), at(96, 500)]
    record = desk.run(piece(rows, {0: long(stop=5)}), costs=FREE, sizing=units(9))

    assert [(leg, row, quantity) for leg, row, _, quantity, _ in quantities(record)] == [
        ("entry", 1, 2), ("entry", 2, 2), ("stop", 3, -4),
    ]  # fmt: skip
    assert deaths(record) == [(Reason.CANCELLED, True)]


def test_an_order_to_close_withdraws_what_is_left_of_the_entry_at_once() -> None:
    rows = [at(100, 500), at(100, 20), at(100, 20), at(100, 500), at(100, 500)]
    record = desk.run(piece(rows, {0: long()}, [2]), costs=FREE, sizing=units(9))

    assert [(leg, row, quantity) for leg, row, _, quantity, _ in quantities(record)] == [
        ("entry", 1, 2), ("entry", 2, 2), ("exit", 3, -4),
    ]  # fmt: skip
    assert deaths(record) == [(Reason.CANCELLED, True)]
    assert record.dead_entries[0].event_ns == desk.minute(3)


def test_a_resting_limit_fills_in_pieces_until_its_life_ends() -> None:
    rows = [at(101, 50), (101, 101, 99, 101, 20), (101, 101, 99, 101, 10), at(101, 500), at(101, 500)]
    order = OrderTerms(expire_bars=2)
    record = desk.run(piece(rows, {0: long(kind="limit", price=100)}), costs=FREE, sizing=units(9), order=order)

    assert quantities(record)[:2] == [("entry", 1, "inside", D(2), D(100)), ("entry", 2, "inside", D(1), D(100))]
    assert [fill.event.taker for fill in record.fills[:2]] == [False, False]
    assert deaths(record) == [(Reason.EXPIRED, True)]


def test_a_stop_entry_that_fired_goes_on_as_a_market_order() -> None:
    rows = [at(100, 50), (100, 103, 100, 101, 20), at(99, 10), at(98, 500), at(98, 500)]
    record = desk.run(piece(rows, {0: long(kind="stop", price=102)}), costs=FREE, sizing=units(5))

    assert quantities(record)[:3] == [
        ("entry", 1, "inside", D(2), D(102)), ("entry", 2, "open", D(1), D(99)), ("entry", 3, "open", D(2), D(98)),
    ]  # fmt: skip


def test_a_limit_of_the_run_withdraws_what_is_left_of_the_entry() -> None:
    rows = [at(100, 500), at(100, 500), (100, 100, 60, 60, 500), at(60, 900), at(60, 900), at(60, 900)]
    costs = account(max_volume_fraction="0.1", start_equity="100000", max_drawdown="0.01")
    record = desk.run(piece(rows, {0: long()}), costs=costs, sizing=units(400))

    assert [(leg, row, quantity) for leg, row, _, quantity, _ in quantities(record)] == [
        ("entry", 1, 50), ("entry", 2, 50), ("guard", 3, -90), ("guard", 4, -10),
    ]  # fmt: skip
    assert deaths(record) == [(Reason.ENTRIES_DISABLED, True)]
    assert record.stop_reason.value == "max_drawdown"


def test_the_end_of_the_data_withdraws_the_rest_and_closes_what_is_held_whatever_the_volume() -> None:
    rows = [at(100, 500), at(100, 20), at(100, 20)]
    record = desk.run(piece(rows, {0: long()}), costs=FREE, sizing=units(9))

    assert [(leg, row, quantity) for leg, row, _, quantity, _ in quantities(record)] == [
        ("entry", 1, 2), ("entry", 2, 2), ("guard", 2, -4),
    ]  # fmt: skip
    assert deaths(record) == [(Reason.END_OF_DATA, True)]


def test_impact_follows_from_each_piece() -> None:
    rows = [at(100, 500), at(100, 20), at(100, 40), at(100, 500), at(100, 500)]
    costs = account(impact=ImpactTerms(mode="linear", coefficient=D("0.01"), largest=D("0.5")), **TENTH)
    record = desk.run(piece(rows, {0: long()}), costs=costs, sizing=units(5))

    assert [fill.event.price for fill in record.fills[:2]] == [D("100.1"), D("100.075")]


def test_an_entry_added_inside_a_minute_gets_its_target_only_where_the_minute_closes_beyond_it() -> None:
    rows = [at(101, 50), (101, 101, 100, 101, 20), (101, 106, 100, 102, 30), at(102, 500), (102, 106, 102, 106, 500)]
    record = desk.run(
        piece(rows, {0: long(kind="limit", price=100, target=5)}), costs=FREE, sizing=units(5),
        order=OrderTerms(target_is_limit=True),
    )  # fmt: skip

    assert [(leg, row) for leg, row, *_ in quantities(record)] == [("entry", 1), ("entry", 2), ("target", 4)]


def test_a_liquidation_is_never_limited() -> None:
    rows = [at(100, 5000), at(100, 5000), (100, 100, 80, 80, 1), at(80, 1)]
    costs = account(
        margin=MarginTerms(liquidates=True, min_distance=D(0)), max_volume_fraction="0.1", start_equity="10000"
    )
    sizing = SizingTerms(model="fixed_quantity", value=D(50), max_leverage=D(10))
    record = desk.run(piece(rows, {0: long()}), costs=costs, sizing=sizing)

    assert quantities(record)[1] == ("guard", 2, "inside", D(-50), D(90))
    assert record.stop_reason.value == "liquidated"


@pytest.mark.parametrize("name", ["GTC", "PostOnly"])
def test_a_limit_that_the_first_minute_fills_in_part_rests_with_the_rest(name: str) -> None:
    rows = [at(100.5, 300), at(99.5, 300), at(101, 300), (101, 101, 100, 101, 300), at(101, 300)]
    record = desk.run(
        piece(rows, {0: long(kind="limit", price=100)}), costs=FREE, sizing=units(50), order=LIMIT_ORDERS[name]
    )

    if name == "GTC":
        assert story(record)[:2] == [("entry", 1, "open", 99.5), ("entry", 3, "inside", 100.0)]
        assert [fill.event.taker for fill in record.fills[:2]] == [True, False]
    else:
        assert deaths(record) == [(Reason.POST_ONLY_WOULD_CROSS, False)]


def test_without_the_limit_a_fill_is_as_large_as_its_order() -> None:
    record = desk.run(piece([*flat(100, 3)], {0: long()}), sizing=units(50))

    assert [fill.event.quantity for fill in record.fills] == [50, -50]
