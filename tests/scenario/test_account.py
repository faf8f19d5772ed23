"""What happens to the account: limits of the run, ends of data, money and the figures of a trade, in both lanes."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

import desk
from desk import account, flat, long, piece, short, story
from evenkeel.model.number import money_from_postings
from evenkeel.strategies.terms import OrderTerms, SizingTerms

HOUR_LATER = desk.minute(60)


def money(counts: np.ndarray) -> list[float]:  # type: ignore[type-arg]
    return [float(money_from_postings(int(count))) for count in counts]


FALL = [*flat(100, 2), (100, 100, 89, 90), (90, 90, 79, 80), (79, 81, 78, 80), *flat(80, 4)]
"""Bought at 100 with 100 units of an account of 10,000: 10 % are lost at the third close, 20 % at the fourth."""


def test_the_run_stops_at_the_largest_drawdown_and_closes_at_the_next_open() -> None:
    costs = account(max_drawdown="0.2", max_position="1")

    record = desk.run(piece(FALL, {0: long(), 6: long()}), costs=costs, sizing=desk.units(100))

    assert story(record) == [("entry", 1, "open", 100.0), ("guard", 4, "open", 79.0)]
    assert record.trades()[0].exit.event.exit_reason == "max_drawdown"
    assert (record.stop_reason, record.stop_ns) == ("max_drawdown", desk.minute(5))
    assert money(record.curve[0]) == [10_000, 10_000, 9_000, 8_000, 7_900]
    assert record.drawdown_intrabar == pytest.approx(0.21)


def test_a_fall_short_of_the_largest_drawdown_stops_nothing() -> None:
    record = desk.run(
        piece(FALL, {0: long()}), costs=account(max_drawdown="0.2001", max_position="1"), sizing=desk.units(100)
    )

    assert record.stop_reason == "end_of_data"


def test_drawdown_is_counted_from_the_peak_of_the_open_profit() -> None:
    rows = [*flat(100, 2), (100, 150, 100, 150), (150, 150, 100, 120), *flat(120, 3)]

    record = desk.run(
        piece(rows, {0: long()}), costs=account(max_drawdown="0.2", max_position="1"), sizing=desk.units(100)
    )

    assert record.stop_reason == "max_drawdown"
    assert story(record)[1] == ("guard", 4, "open", 120.0)


def test_the_run_stops_when_equity_falls_to_its_floor() -> None:
    record = desk.run(
        piece(FALL, {0: long(), 6: long()}), costs=account(stop_equity=8_000, max_position="1"), sizing=desk.units(100)
    )

    assert record.stop_reason == "equity_stop"
    assert story(record)[1] == ("guard", 4, "open", 79.0)


def test_the_floor_comes_before_the_drawdown_where_both_are_met() -> None:
    costs = account(stop_equity=8_000, max_drawdown="0.2", max_position="1")

    record = desk.run(piece(FALL, {0: long()}), costs=costs, sizing=desk.units(100))

    assert record.stop_reason == "equity_stop"


def test_a_limit_is_watched_at_each_base_close_within_a_slower_execution_bar() -> None:
    costs = account(max_drawdown="0.2", max_position="1")
    rows = [*flat(100, 15), *FALL[1:], *flat(80, 40)]

    record = desk.run(piece(rows, {0: long()}), exec_tf="15m", costs=costs, sizing=desk.units(100))

    assert story(record)[1] == ("guard", 18, "open", 79.0)
    assert record.stop_ns == desk.minute(19)


def test_a_stop_in_the_bar_of_the_breach_ends_the_run_without_another_order() -> None:
    costs = account(max_drawdown="0.05", max_position="1")
    rows = [*flat(100, 2), (100, 100, 80, 95), *flat(95, 4)]

    record = desk.run(piece(rows, {0: long(stop=15), 2: long(), 3: long()}), costs=costs, sizing=desk.units(50))

    assert story(record) == [("entry", 1, "open", 100.0), ("stop", 2, "inside", 85.0)]
    assert record.dead_entries == []
    assert (record.stop_reason, record.stop_ns) == ("max_drawdown", desk.minute(3))


def test_a_gap_over_the_stop_comes_before_the_close_that_a_breach_ordered() -> None:
    costs = account(max_drawdown="0.1", max_position="1")
    rows = [*flat(100, 2), (100, 100, 88, 89), (80, 85, 79, 84), *flat(84, 2)]

    record = desk.run(piece(rows, {0: long(stop=15)}), costs=costs, sizing=desk.units(100))

    assert story(record)[1] == ("stop", 3, "open", 80.0)
    assert record.stop_reason == "max_drawdown"


def test_a_breach_at_the_last_close_is_carried_out_there() -> None:
    record = desk.run(
        piece(FALL[:4], {0: long()}), costs=account(max_drawdown="0.2", max_position="1"), sizing=desk.units(100)
    )

    assert story(record)[1] == ("guard", 3, "close", 80.0)
    assert record.trades()[0].exit.event.exit_reason == "max_drawdown"
    assert record.stop_reason == "max_drawdown"


def test_an_account_that_lost_everything_stops() -> None:
    rows = [*flat(100, 2), (300, 300, 300, 300), *flat(300, 3)]

    record = desk.run(piece(rows, {0: short(), 3: short()}), costs=account(max_position="1"), sizing=desk.units(100))

    assert record.stop_reason == "equity_stop"
    assert len(record.trades()) == 1


def test_nothing_is_carried_over_a_gap() -> None:
    before = piece(flat(100, 4), {0: long(stop=5, target=5)})
    after = piece([(50, 60, 40, 50), (50, 60, 40, 50)], {}, start=HOUR_LATER)

    record = desk.run(before, after)

    leave = record.trades()[0].exit.event
    assert story(record)[1] == ("guard", 3, "close", 100.0)
    assert leave.exit_reason == "data_gap"
    assert len(record.fills) == 2


def test_an_entry_that_rests_before_a_gap_dies_there() -> None:
    before = piece(flat(100, 4), {0: long(kind="limit", price=50)})
    after = piece([(50, 60, 40, 50), (50, 60, 40, 50)], {}, start=HOUR_LATER)

    record = desk.run(before, after)

    assert record.fills == []
    assert [(dead.reason.value, dead.event_ns) for dead in record.dead_entries] == [("DATA_GAP", desk.minute(4))]


def test_the_account_and_the_count_of_trades_go_on_after_a_gap() -> None:
    before = piece([*flat(100, 2), (100, 101, 99, 101)], {0: long()})
    after = piece([*flat(90, 3), (90, 95, 90, 95)], {1: long()}, start=HOUR_LATER)

    record = desk.run(before, after, sizing=desk.units(10))

    assert [fill.trade for fill in record.fills] == [1, 1, 2, 2]
    assert [trade.net for trade in record.trades()] == [10, 50]
    assert money(record.curve[0])[-1] == 10_060
    assert record.times_ns.tolist() == [desk.minute(row) for row in (1, 2, 3, 61, 62, 63, 64)]


def test_a_piece_too_short_to_warm_up_is_passed_over() -> None:
    short_one = piece(flat(100, 2), {}, first_exec=2)
    after = piece(flat(100, 4), {0: long()}, start=HOUR_LATER)

    record = desk.run(short_one, after)

    assert [fill.event.event_ns for fill in record.fills] == [desk.minute(61), desk.minute(63)]


def test_a_run_that_stopped_before_a_gap_does_not_go_on_after_it() -> None:
    after = piece(flat(80, 5), {0: long()}, start=HOUR_LATER)

    record = desk.run(
        piece(FALL, {0: long()}), after, costs=account(max_drawdown="0.2", max_position="1"), sizing=desk.units(100)
    )

    assert len(record.trades()) == 1
    assert int(record.times_ns[-1]) < HOUR_LATER


def test_decisions_before_the_first_allowed_bar_are_not_made() -> None:
    record = desk.run(piece(flat(100, 8), {0: long(), 1: long(), 4: long()}, first_exec=3))

    assert story(record)[0] == ("entry", 5, "open", 100.0)
    assert record.times_ns.tolist() == [desk.minute(row + 1) for row in range(3, 8)]


def test_a_contract_of_five_dollars_a_point_with_a_commission() -> None:
    """Two micro contracts: 10 points are 100 dollars, and 0.62 is paid per contract and side."""
    asset = desk.instrument(multiplier="5", tick_size="0.25", lot_size="1", min_quantity="1")
    costs = account(per_contract="0.62", slippage="0", taker="0", start_equity=100_000)
    rows = [*flat(4000, 2), (4000, 4010, 4000, 4010), *flat(4010, 2)]

    record = desk.run(piece(rows, {0: long(target=10)}), asset=asset, costs=costs, sizing=desk.units(2))

    trade = record.trades()[0]
    assert (trade.gross, trade.fees, trade.net) == (100, Decimal("2.48"), Decimal("97.52"))
    assert money(record.curve[0])[-1] == 100_097.52


def test_slippage_is_inside_the_price_and_shown_beside_it() -> None:
    asset = desk.instrument(multiplier="5", lot_size="1", min_quantity="1")
    costs = account(slippage="0.0005", start_equity=100_000)

    record = desk.run(piece(flat(4000, 4), {0: short()}, [1]), asset=asset, costs=costs, sizing=desk.units(2))

    trade = record.trades()[0]
    assert (trade.entry.event.price, trade.exit.event.price) == (3998, 4002)
    assert trade.gross == -40
    assert [fill.event.slippage for fill in record.fills] == [20, 20]
    assert trade.net == -40


def test_fees_are_paid_when_they_arise() -> None:
    costs = account(taker="0.001", maker="0.0004")
    rows = [*flat(100, 3), (100, 111, 100, 110), *flat(110, 2)]

    record = desk.run(
        piece(rows, {0: long(target=10)}), costs=costs, sizing=desk.units(10), order=OrderTerms(target_is_limit=True)
    )

    assert [fill.event.fee for fill in record.fills] == [1, Decimal("0.44")]
    assert money(record.curve[0]) == [10_000, 9_999, 9_999, 10_098.56, 10_098.56, 10_098.56]
    assert money(record.curve[1]) == [10_000, 9_999, 9_999, 10_098.56, 10_098.56, 10_098.56]
    assert record.curve[2].tolist() == [0, 10_000, 10_000, 0, 0, 0]


@pytest.mark.parametrize(("exec_tf", "bars"), [("1m", 9), ("3m", 3), ("5m", 1)], ids=lambda value: str(value))
def test_bars_held_counts_the_execution_bars_that_closed(exec_tf: str, bars: int) -> None:
    """Entered with row 15, stopped in row 24."""
    rows = [*flat(100, 24), (100, 100, 94, 95), *flat(95, 20)]
    decided = {"1m": 14, "3m": 4, "5m": 2}[exec_tf]

    record = desk.run(piece(rows, {decided: long(stop=5)}), exec_tf=exec_tf)

    assert story(record)[0][1] == 15
    assert record.trades()[0].exit.event.bars_held == bars


def test_excursions_count_only_what_was_certainly_held() -> None:
    """Entry bar whole (filled at its open); of the exit bar its open and the exit alone."""
    rows = [*flat(100, 1), (100, 104, 98, 101), (101, 106, 99, 103), (104, 120, 90, 100), *flat(100, 1)]

    stopped = desk.run(piece(rows, {0: long(stop=5)})).trades()[0].exit.event

    assert (stopped.adverse, stopped.favourable) == (Decimal("0.050000000000000044"), pytest.approx(Decimal("0.06")))


def test_excursions_of_an_entry_inside_its_bar_leave_out_that_bars_range() -> None:
    rows = [*flat(100, 1), (100, 110, 95, 99), (99, 102, 98, 101), *flat(101, 1)]

    leave = desk.run(piece(rows, {0: long(kind="limit", price=96)}, [1])).trades()[0].exit.event

    assert float(leave.adverse) == 0.0
    assert float(leave.favourable) == pytest.approx(99 / 96 - 1)


def test_excursions_of_a_short_are_turned_around() -> None:
    rows = [*flat(100, 1), (100, 104, 98, 101), (101, 106, 93, 103), *flat(103, 2)]

    leave = desk.run(piece(rows, {0: short()}, [2])).trades()[0].exit.event

    assert float(leave.adverse) == pytest.approx(0.06)
    assert float(leave.favourable) == pytest.approx(0.07)


@pytest.mark.parametrize(("exact", "posted"), [("2.4", 2), ("2.5", 2), ("2.6", 3), ("3.5", 4)])
def test_a_posting_is_rounded_once_half_to_even(exact: str, posted: int) -> None:
    costs = account(per_contract=Decimal(exact).scaleb(-8))

    record = desk.run(piece(flat(100, 3), {0: long()}), costs=costs)

    assert record.fills[0].event.fee == Decimal(posted).scaleb(-8)


def test_the_sum_of_the_trades_is_the_change_of_the_account() -> None:
    rng = np.random.default_rng(11)
    close = 100 + np.cumsum(rng.normal(0, 0.4, 400)).round(2)
    rows = [(c, c + 0.5, c - 0.5, c) for c in close]
    wishes = {n: (long if n % 2 else short)(stop=0.8, target=1.1) for n in range(0, 400, 3)}

    record = desk.run(piece(rows, wishes), costs=account(taker="0.00055", slippage="0.0002"), sizing=desk.units("1.7"))

    assert len(record.trades()) > 60
    nets = sum((trade.net for trade in record.trades()), Decimal(0))
    assert money_from_postings(int(record.curve[1, -1])) - 10_000 == nets


def test_a_percent_of_equity_grows_with_the_account() -> None:
    rows = [*flat(100, 2), *flat(150, 3), *flat(150, 3)]
    sizing = SizingTerms(model="percent_equity", value=Decimal("0.5"))

    record = desk.run(piece(rows, {0: long(), 3: long()}, [1]), sizing=sizing)

    assert [abs(trade.quantity) for trade in record.trades()] == [50, Decimal("41.666")]


def test_a_close_before_a_gap_that_breaches_a_limit_stops_the_run() -> None:
    """Open profit keeps equity above the floor until the slippage of the forced close takes it below."""
    costs = account(slippage="0.05", stop_equity=9_200, max_position="1")
    before = piece(flat(100, 4), {0: long()})
    after = piece(flat(100, 6), {0: long()}, start=HOUR_LATER)

    record = desk.run(before, after, costs=costs, sizing=desk.units(90))

    assert money_from_postings(int(record.curve[0, 2])) == 9_550
    assert record.trades()[0].net == -900
    assert len(record.trades()) == 1
    assert record.stop_reason == "equity_stop"
