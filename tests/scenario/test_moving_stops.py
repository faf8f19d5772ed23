"""Trailing, break-even, ladders, partial exits, liquidation, funding and impact: by hand, in both lanes."""

from __future__ import annotations

from decimal import Decimal

import pytest

import desk
from desk import account, flat, long, piece, short
from evenkeel.engine.explain import explain_trade
from evenkeel.engine.record import RunRecord, Trade
from evenkeel.model.errors import UsageError
from evenkeel.model.reason import Reason
from evenkeel.model.time import Timeframe
from evenkeel.strategies.terms import (
    EvenTerms,
    ImpactTerms,
    LadderStep,
    MarginTerms,
    OrderTerms,
    SizingTerms,
    TrailTerms,
)

D = Decimal


def closes(*values: float) -> list[tuple[float, float, float, float]]:
    """Return bars that open where the one before closed and touch nothing beyond."""
    opens = [values[0], *values[:-1]]
    return [(a, max(a, b), min(a, b), b) for a, b in zip(opens, values, strict=True)]


def legs(record: RunRecord) -> list[tuple[int, int, Decimal, Decimal, str]]:
    """Return trade, leg, quantity, exit price and reason of each closed leg."""
    return [(t.number, t.leg, t.quantity, t.exit.event.price, str(t.exit.event.exit_reason)) for t in record.trades()]


def only(record: RunRecord) -> Trade:
    (trade,) = record.trades()
    return trade


class TestTrailing:
    def test_the_stop_follows_the_closes_and_is_valid_from_the_next_bar(self) -> None:
        """T15: the bar that lifts the stop is not tested against it."""
        rows = [*flat(100, 2), (100, 104, 99.5, 104), (104, 104, 102.5, 103), (103, 103, 101, 101.5), *flat(101, 2)]
        order = OrderTerms(trail=TrailTerms())

        record = desk.run(piece(rows, {0: long(stop=2, trail=2)}), order=order)

        trade = only(record)
        assert (trade.exit.event.price, trade.exit.event.exit_reason) == (D(102), "trailing")
        assert (trade.entry.event.stop_price, trade.exit.event.stop_price) == (D(98), D(102))
        assert trade.exit.event.row == 4

    def test_a_short_trails_from_above(self) -> None:
        rows = [*flat(100, 2), *closes(100, 97, 95, 95.5, 97.2), *flat(97, 1)]

        record = desk.run(piece(rows, {0: short(stop=3, trail=2)}), order=OrderTerms(trail=TrailTerms()))

        assert legs(record) == [(1, 1, D(1), D(97), "trailing")]

    def test_it_waits_for_its_activation_and_stays_armed(self) -> None:
        rows = [*flat(100, 2), *closes(100, 101.9, 102, 101.5, 100.5, 99.9), *flat(99, 1)]
        order = OrderTerms(trail=TrailTerms(activation=D("0.02")))

        record = desk.run(piece(rows, {0: long(stop=5, trail=2)}), order=order)

        assert legs(record) == [(1, 1, D(1), D(100), "trailing")]

    def test_a_percentage_counts_from_the_close(self) -> None:
        rows = [*flat(100, 2), *closes(100, 110, 120, 119, 110), *flat(110, 1)]
        order = OrderTerms(trail=TrailTerms(fraction=D("0.05")))

        record = desk.run(piece(rows, {0: long(stop=5)}), order=order)

        assert legs(record) == [(1, 1, D(1), D(114), "trailing")]

    def test_a_stop_that_never_moved_is_an_ordinary_stop(self) -> None:
        record = desk.run(
            piece([*flat(100, 2), *closes(100, 99, 97)], {0: long(stop=2, trail=2)}),
            order=OrderTerms(trail=TrailTerms()),
        )

        assert legs(record) == [(1, 1, D(1), D(98), "sl")]

    def test_a_moved_stop_is_rounded_towards_the_entry(self) -> None:
        rows = [*flat(100, 2), *closes(100, 103.33, 99)]
        order = OrderTerms(trail=TrailTerms(fraction=D("0.01")))

        record = desk.run(piece(rows, {0: long(stop=2)}), order=order)

        assert only(record).exit.event.stop_price == D("102.30")


class TestBreakEven:
    def test_28_it_moves_once_beyond_the_entry(self) -> None:
        rows = [*flat(187.41, 2), *closes(187.41, 190, 188, 187), *flat(187, 1)]
        order = OrderTerms(break_even=EvenTerms(activation=D("0.01"), offset=D("0.0015")))

        record = desk.run(piece(rows, {0: long(stop=10)}), order=order)

        assert legs(record) == [(1, 1, D(1), D("187.70"), "breakeven")]

    def test_28_of_a_short_lies_below_it(self) -> None:
        rows = [*flat(187.41, 2), *closes(187.41, 185, 188), *flat(187, 1)]
        order = OrderTerms(break_even=EvenTerms(activation=D("0.01"), offset=D("0.0015")))

        record = desk.run(piece(rows, {0: short(stop=10)}), order=order)

        assert legs(record) == [(1, 1, D(1), D("187.12"), "breakeven")]

    def test_a_profit_of_just_its_activation_is_enough(self) -> None:
        # (5 - 4.99) / 5 = 0.002; in floats a little less.
        rows = [*flat(5, 2), *closes(5, 4.99), *flat(4.99, 1), *closes(4.99, 5), *flat(5, 1)]
        order = OrderTerms(break_even=EvenTerms(activation=D("0.002"), offset=D(0)))

        record = desk.run(piece(rows, {0: short(stop=0.5)}), order=order)

        assert legs(record) == [(1, 1, D(1), D(5), "breakeven")]

    def test_it_never_loosens_a_trailed_stop(self) -> None:
        rows = [*flat(100, 2), *closes(100, 104, 102.5), *flat(102, 1)]
        order = OrderTerms(trail=TrailTerms(), break_even=EvenTerms(activation=D("0.01"), offset=D("0.001")))

        record = desk.run(piece(rows, {0: long(stop=5, trail=1)}), order=order)

        assert legs(record) == [(1, 1, D(1), D(103), "trailing")]


class TestParts:
    def test_l1_three_legs_share_fee_and_position(self) -> None:
        """L1, and golden vectors 44 and 45: each leg at its slipped fill (T23), with its share of the entry's fee."""
        rows = [*flat(100, 2), *flat(110, 2), *flat(120, 2), *flat(130, 3)]
        costs = account(taker="0.001")

        record = desk.run(piece(rows, {0: long()}, {2: 0.5, 4: 0.5, 6: 1.0}), costs=costs, sizing=desk.units("0.3"))

        assert legs(record) == [
            (1, 1, D("0.150"), D(110), "signal"), (1, 2, D("0.075"), D(120), "signal"),
            (1, 3, D("0.075"), D(130), "signal"),
        ]  # fmt: skip
        assert [trade.entry_fee for trade in record.trades()] == [D("0.015"), D("0.0075"), D("0.0075")]
        assert sum(trade.net for trade in record.trades()) + 10_000 == D(int(record.curve[1][-1])) / 10**8

    def test_44_45_a_part_is_closed_at_the_slipped_fill(self) -> None:
        rows = [*flat(50000, 2), *flat(50500, 3)]
        costs = account(taker="0.00055", slippage="0.0002", start_equity="100000")

        record = desk.run(piece(rows, {0: long()}, {1: 0.4}), costs=costs, sizing=desk.units("0.2"), order=OrderTerms())

        first = record.trades()[0]
        assert (first.quantity, first.exit.event.price, first.gross) == (D("0.08"), D("50489.9"), D("38.392"))
        assert (first.entry_fee, first.exit.event.fee) == (D("2.20044"), D("2.2215556"))
        assert record.trades()[1].entry_fee == D("3.30066")

    def test_less_than_a_lot_closes_nothing_and_is_counted(self) -> None:
        record = desk.run(piece(flat(100, 6), {0: long()}, {2: 0.4}), sizing=desk.units("0.002"))

        assert [trade.exit.event.exit_reason for trade in record.trades()] == ["end_of_data"]
        assert record.refusals == {"BELOW_MIN_QUANTITY": 1}

    def test_what_a_partial_exit_left_keeps_its_stop(self) -> None:
        rows = [*flat(100, 4), *closes(100, 97), *flat(97, 1)]

        record = desk.run(piece(rows, {0: long(stop=2)}, {1: 0.25}))

        assert legs(record) == [(1, 1, D("0.250"), D(100), "signal"), (1, 2, D("0.750"), D(98), "sl")]

    def test_the_end_of_the_data_overtakes_a_pending_part(self) -> None:
        record = desk.run(piece(flat(100, 4), {0: long()}, {3: 0.5}))

        assert legs(record) == [(1, 1, D(1), D(100), "end_of_data")]


def ladder(*steps: tuple[str, str]) -> OrderTerms:
    """Return a ladder of multiples of the stop's distance with their shares."""
    return OrderTerms(ladder=tuple(LadderStep(ratio=D(ratio), share=D(share)) for ratio, share in steps))


class TestLadder:
    def test_each_step_closes_its_part_and_the_last_one_the_rest(self) -> None:
        rows = [*flat(100, 2), *closes(100, 102, 104, 107), *flat(107, 1)]

        record = desk.run(
            piece(rows, {0: long(stop=2)}), order=ladder(("3", "0.34"), ("1", "0.33"), ("2", "0.33")),
            sizing=desk.units("0.1"),
        )  # fmt: skip

        assert legs(record) == [
            (1, 1, D("0.033"), D(102), "tp"), (1, 2, D("0.033"), D(104), "tp"), (1, 3, D("0.034"), D(106), "tp"),
        ]  # fmt: skip
        assert only_target(record) == D(102)

    def test_one_bar_can_take_several_steps(self) -> None:
        rows = [*flat(100, 2), (100, 105, 99, 103), *closes(103, 97)]

        record = desk.run(piece(rows, {0: long(stop=2)}), order=ladder(("1", "0.25"), ("2", "0.25"), ("3", "0.5")))

        assert legs(record) == [
            (1, 1, D("0.250"), D(102), "tp"), (1, 2, D("0.250"), D(104), "tp"), (1, 3, D("0.500"), D(98), "sl"),
        ]  # fmt: skip

    def test_the_stop_comes_before_the_first_step_of_the_same_bar(self) -> None:
        rows = [*flat(100, 2), (100, 110, 97, 109), *flat(109, 1)]

        record = desk.run(piece(rows, {0: long(stop=2)}), order=ladder(("1", "0.5"), ("2", "0.5")))

        assert legs(record) == [(1, 1, D(1), D(98), "sl")]

    def test_a_step_without_a_lot_is_passed_over(self) -> None:
        rows = [*flat(100, 2), *closes(100, 102.5, 104.5), *flat(104, 1)]

        record = desk.run(
            piece(rows, {0: long(stop=2)}), order=ladder(("1", "0.2"), ("2", "0.8")), sizing=desk.units("0.004")
        )

        assert legs(record) == [(1, 1, D("0.004"), D(104), "tp")]

    def test_a_percentage_counts_from_the_decision_price(self) -> None:
        rows = [*flat(100, 1), *flat(101, 1), *closes(101, 106), *flat(106, 1)]
        order = OrderTerms(ladder=(LadderStep(fraction=D("0.03"), share=D(1)),), target_is_limit=True)

        record = desk.run(piece(rows, {0: long()}), order=order)

        assert legs(record) == [(1, 1, D(1), D(104), "tp")]

    def test_a_signal_takes_its_part_of_what_the_ladder_left(self) -> None:
        rows = [*flat(100, 2), *closes(100, 102.5, 102, 102), *closes(102, 105), *flat(105, 1)]

        record = desk.run(piece(rows, {0: long(stop=2)}, {4: 0.5}), order=ladder(("1", "0.5"), ("2", "0.5")))

        assert legs(record) == [
            (1, 1, D("0.500"), D(102), "tp"), (1, 2, D("0.250"), D(102), "signal"), (1, 3, D("0.250"), D(104), "tp"),
        ]  # fmt: skip


def only_target(record: RunRecord) -> Decimal | None:
    return record.fills[0].event.target_price


def margin(**facts: object) -> MarginTerms:
    """Return the margin terms of the golden vectors."""
    return MarginTerms(
        **{"liquidates": True, "liquidation_fee": D("0.00055"), "min_distance": D(0), **facts}  # type: ignore[arg-type]
    )


def geared(quantity: str, leverage: int = 10) -> SizingTerms:
    return SizingTerms(model="fixed_quantity", value=D(quantity), max_leverage=D(leverage))


class TestLiquidation:
    def test_2_a_liquidation_takes_exactly_the_margin_and_ends_the_run(self) -> None:
        rows = [*flat(50000, 2), *closes(50000, 46000, 45000), *flat(45000, 3)]
        costs = account(taker="0.00055", start_equity="20000", margin=margin())

        record = desk.run(piece(rows, {0: long(), 6: long()}), costs=costs, sizing=geared("1"))

        trade = only(record)
        assert (trade.exit.event.exit_reason, record.stop_reason) == ("liquidation", "liquidated")
        assert float(trade.exit.event.price) == pytest.approx(45024.763619991, abs=1e-8)
        assert trade.gross - trade.exit.event.fee == D(-5000)

    def test_47_a_gap_beyond_bankruptcy_loses_no_more_than_the_margin(self) -> None:
        rows = [*flat(50000, 3), *flat(44000, 2)]
        costs = account(taker="0.00055", slippage="0.0002", start_equity="20000", margin=margin())
        wish = desk.Wish(1, kind="limit", price=50000, stop=1000)

        record = desk.run(piece(rows, {0: wish}), costs=costs, sizing=geared("0.1"))

        trade = only(record)
        assert (trade.exit.event.exit_reason, trade.exit.event.leg) == ("liquidation", "guard")
        assert trade.gross == D("-497.5236380009").quantize(D("1e-8"))
        assert trade.gross - trade.exit.event.fee == D(-500)

    def test_h1_the_low_of_the_bar_counts_not_its_close(self) -> None:
        """H1: the adverse extreme inside the bar, even where the close is far above."""
        rows = [*flat(50000, 2), (50000, 50000, 45200, 50000), *flat(50000, 2)]
        costs = account(taker="0.00055", start_equity="20000", margin=margin())

        assert only(desk.run(piece(rows, {0: long()}), costs=costs, sizing=geared("1"))).exit.event.exit_reason == (
            "liquidation"
        )

    def test_the_nearer_of_stop_and_liquidation_comes_first(self) -> None:
        rows = [*flat(50000, 2), (50000, 50000, 45000, 45100), *flat(45100, 2)]
        costs = account(taker="0.00055", start_equity="20000", margin=margin(stop_beyond="warn"))

        near = desk.run(piece(rows, {0: long(stop=4000)}), costs=costs, sizing=geared("1"))
        far = desk.run(piece(rows, {0: long(stop=4900)}), costs=costs, sizing=geared("1"))

        assert legs(near) == [(1, 1, D(1), D(46000), "sl")]
        assert only(far).exit.event.exit_reason == "liquidation"

    def test_the_run_can_go_on_with_what_is_left(self) -> None:
        rows = [*flat(50000, 2), *closes(50000, 45000), *flat(45000, 4)]
        costs = account(taker="0.00055", start_equity="20000", margin=margin(goes_on=True))

        record = desk.run(piece(rows, {0: long(), 4: long()}), costs=costs, sizing=geared("1"))

        assert [trade.exit.event.exit_reason for trade in record.trades()] == ["liquidation", "end_of_data"]
        assert record.stop_reason == "end_of_data"

    def test_t19_free_cash_does_not_save_an_isolated_position(self) -> None:
        rows = [*flat(50000, 2), *closes(50000, 45000), *flat(45000, 2)]
        costs = account(taker="0.00055", start_equity="1000000", margin=margin())

        record = desk.run(piece(rows, {0: long()}), costs=costs, sizing=geared("1"))

        assert only(record).exit.event.exit_reason == "liquidation"


class TestFunding:
    HOUR_8 = 480

    def test_42_a_long_pays_and_a_short_receives_at_the_instant(self) -> None:
        """T18: the run is given its funding events; P3: the postings are the account, to the last digit."""
        rows = flat(50100, self.HOUR_8 + 3)
        costs = account(funding_rate="0.0001", start_equity="20000")

        paid = desk.run(piece(rows, {0: long()}), costs=costs, sizing=desk.units("0.2"))
        got = desk.run(piece(rows, {0: short()}), costs=costs, sizing=desk.units("0.2"))

        assert [only(paid).funding, only(got).funding] == [D("-1.002"), D("1.002")]
        assert only(paid).net == D("-1.002") == D(int(paid.curve[0][-1])) / 10**8 - 20_000

    @pytest.mark.parametrize(("entered", "left", "pays"), [(477, 478, True), (477, 479, True), (479, 480, False)])
    def test_43_who_is_in_before_the_instant_pays_also_when_closing_at_it(
        self, entered: int, left: int, pays: bool
    ) -> None:
        costs = account(funding_rate="0.0001", start_equity="20000")

        record = desk.run(piece(flat(50000, 490), {entered: long()}, [left]), costs=costs, sizing=desk.units("0.2"))

        assert bool(only(record).funding) is (pays and left == 479)

    def test_44_legs_share_it(self) -> None:
        rows = [*flat(50100, self.HOUR_8 + 10)]
        costs = account(funding_rate="0.0001", start_equity="20000")

        record = desk.run(piece(rows, {0: long()}, {self.HOUR_8 + 2: 0.4}), costs=costs, sizing=desk.units("0.2"))

        assert [trade.funding for trade in record.trades()] == [D("-0.4008"), D("-0.6012")]

    def test_7_a_shortfall_is_taken_from_the_margin(self) -> None:
        """The liquidation price of a short comes nearer when free cash cannot pay (golden vector 7: extra -60)."""
        rows = [*flat(50000, self.HOUR_8 + 2), *closes(50000, 54600), *flat(54600, 3)]

        def ends(rate: str) -> str:
            costs = account(
                taker="0.00055",
                start_equity="2513.75",
                funding_rate=rate,
                include_close_fee=False,
                margin=margin(),
                max_position=1,
            )
            return str(only(desk.run(piece(rows, {0: short()}), costs=costs, sizing=geared("0.5"))).exit.reason)

        assert (ends("-0.0024"), ends("-0.0001")) == ("liquidation", "end_of_data")


class TestImpact:
    @pytest.mark.parametrize(("mode", "price"), [("linear", "50022.5"), ("sqrt", "50065.901699437")])
    def test_31_participation_moves_the_price(self, mode: str, price: str) -> None:
        rows = [(50000.0, 50000.0, 50000.0, 50000.0, 20.0)] * 4
        costs = account(start_equity="1000000", slippage="0.0002", impact=ImpactTerms(mode=mode))

        record = desk.run(piece(rows, {0: long()}), costs=costs)

        assert float(record.fills[0].event.price) == pytest.approx(float(price), abs=1e-6)

    def test_l2_t22_it_grows_with_size_up_to_its_cap_and_nothing_fills_without_volume(self) -> None:
        rows = [(100.0, 100.0, 100.0, 100.0, volume) for volume in (20.0, 0.0, 20.0, 20.0, 20.0)]
        prices = []
        for size in (1, 5, 10, 100):
            costs = account(start_equity="1000000", impact=ImpactTerms(mode="linear"))
            record = desk.run(piece(rows, {0: long()}), costs=costs, sizing=desk.units(size))
            prices.append(float(record.fills[0].event.price))
            assert record.fills[0].event.row == 2

        assert prices == pytest.approx([100.025, 100.125, 100.25, 101.0])


def test_the_story_of_a_trade_tells_every_leg_and_its_funding() -> None:
    rows = [*flat(100, TestFunding.HOUR_8 + 2), *closes(100, 102, 102, 97), *flat(97, 1)]
    costs = account(funding_rate="0.0001", taker="0.001")
    stretch = desk.stretch_of(piece(rows, {0: long(stop=2)}), 0, Reason.END_OF_DATA, Timeframe.parse("1m"))
    asset = desk.instrument()
    strategy = desk.ScriptedStrategy(
        asset, desk.terms(costs, desk.units(2), ladder(("1", "0.25"), ("5", "0.75"))), Timeframe.parse("1m")
    )
    _, _, steps = desk.engine_run(strategy, desk.market_of([stretch], asset))

    told = explain_trade(steps, 1, symbol="TEST", currency="USDT")

    assert [line.split(" at ")[0] for line in told if ": out with" in line] == [
        "The target was reached: out with 0.5", "The protective stop was hit: out with 1.5",
    ]  # fmt: skip
    assert told[-1] == "Result -2 before costs, fees 0.398, funding -0.02, net -2.418 USDT."
    with pytest.raises(UsageError, match="the run has 1, counted from 1"):
        explain_trade(steps, 2, symbol="TEST", currency="USDT")
