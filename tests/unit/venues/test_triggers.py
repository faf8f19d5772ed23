"""Stops set off by other prices, stop-limits, limit stops, and liquidation by the mark price (plays.md 6.1, 6.6)."""

from __future__ import annotations

from decimal import Decimal as D

import numpy as np
import pytest

import desk
from desk import LIMIT_ORDERS, account, flat, long, piece, short
from evenkeel.engine.record import RunRecord
from evenkeel.model.errors import UsageError
from evenkeel.model.reason import Reason
from evenkeel.strategies.terms import AccountTerms, EvenTerms, MarginTerms, OrderTerms, SizingTerms
from evenkeel.venues.simulated.carry import MarkBars

NAN = float("nan")
BY_MARK = account(trigger_source="MarkPrice", slippage="0.001")
TEN = SizingTerms(model="fixed_quantity", value=D(1), max_leverage=D(10))
LIMIT_STOP = OrderTerms(stop_is_limit=True)


def marks(*bars: tuple[float, float, float]) -> MarkBars:
    """Return mark bars of `(open, high, low)`."""
    table = np.array(bars, dtype=np.float64)
    return MarkBars(*(np.ascontiguousarray(table[:, place]) for place in range(3)))


def margined(**facts: object) -> AccountTerms:
    return account(margin=MarginTerms(liquidates=True, min_distance=D(0), stop_beyond="warn"), **facts)


def fills(record: RunRecord) -> list[tuple[str, int, str, float]]:
    return desk.story(record)


class TestTriggerSource:
    """Decision 0008.11 and 0008.12."""

    def test_the_mark_price_sets_off_a_stop_that_the_last_price_does_not_reach(self) -> None:
        rows = [*flat(100, 2), (100, 101, 99, 100), *flat(100, 2)]
        part = piece(
            rows, {0: long(stop=5)}, mark=marks(*[(100, 100, 100)] * 2, (100, 100, 94), *[(100, 100, 100)] * 2)
        )

        (_, stop) = desk.run(part, costs=BY_MARK).fills
        assert (stop.event.leg.value, stop.event.row, stop.event.point.value) == ("stop", 2, "inside")
        assert float(stop.event.price) == pytest.approx(95.0049, rel=1e-12)
        assert stop.event.slippage == D("0.0951")

    def test_the_last_price_does_not_set_it_off_then(self) -> None:
        rows = [*flat(100, 2), (100, 101, 90, 100), *flat(100, 2)]
        record = desk.run(piece(rows, {0: long(stop=5)}, mark=marks(*[(100, 100, 100)] * 5)), costs=BY_MARK)

        assert [leg for leg, *_ in fills(record)] == ["entry", "guard"]

    @pytest.mark.parametrize(("o", "price"), [(99.0, 95.0), (94.5, 94.5)])
    def test_a_gap_of_the_mark_price_fills_at_the_worse_of_level_and_open(self, o: float, price: float) -> None:
        rows = [*flat(100, 2), (o, 101, 94, 100), *flat(100, 2)]
        record = desk.run(
            piece(rows, {0: long(stop=5)}, mark=marks(*[(100, 100, 100)] * 2, (94, 100, 94), *[(100, 100, 100)] * 2)),
            costs=account(trigger_source="MarkPrice"),
        )

        assert fills(record)[1] == ("stop", 2, "open", price)

    def test_a_market_target_follows_the_mark_price_and_a_resting_one_the_last(self) -> None:
        rows = [*flat(100, 2), (100, 102, 99, 100), *flat(100, 2)]
        mark = marks(*[(100, 100, 100)] * 2, (100, 106, 100), *[(100, 100, 100)] * 2)
        part = piece(rows, {0: long(target=5)}, mark=mark)
        market = desk.run(part, costs=account(trigger_source="MarkPrice"))
        resting = desk.run(part, costs=account(trigger_source="MarkPrice"), order=OrderTerms(target_is_limit=True))

        assert fills(market)[1] == ("target", 2, "inside", 105.0)
        assert [leg for leg, *_ in fills(resting)] == ["entry", "guard"]

    def test_a_stop_entry_follows_it_too(self) -> None:
        rows = [*flat(100, 2), (100, 101, 99, 100), *flat(100, 2)]
        mark = marks(*[(100, 100, 100)] * 2, (100, 103, 100), *[(100, 100, 100)] * 2)
        record = desk.run(
            piece(rows, {0: long(kind="stop", price=102)}, mark=mark), costs=account(trigger_source="MarkPrice")
        )

        assert fills(record)[0] == ("entry", 2, "inside", 102.0)

    def test_where_the_mark_price_is_missing_the_last_one_counts(self) -> None:
        rows = [*flat(100, 2), (100, 101, 94, 100), *flat(100, 2)]
        mark = marks(*[(100, 100, 100)] * 2, (NAN, NAN, NAN), *[(100, 100, 100)] * 2)
        record = desk.run(piece(rows, {0: long(stop=5)}, mark=mark), costs=account(trigger_source="MarkPrice"))

        assert fills(record)[1] == ("stop", 2, "inside", 95.0)

    @pytest.mark.parametrize(("source", "kind"), [("MarkPrice", "mark"), ("IndexPrice", "index")])
    def test_a_price_that_the_data_lacks_is_refused_with_the_remedy(self, source: str, kind: str) -> None:
        with pytest.raises(UsageError, match=f"trigger_source is {source}.*--kind {kind}"):
            desk.run(piece(flat(100, 4), {0: long(stop=5)}), costs=account(trigger_source=source))


class TestLiquidationByMark:
    """Plays.md 6.6.3 and 6.7, decision 0008.13: leverage 10, maintenance 0.5 %, no fees: liquidation at 90.45."""

    def test_the_mark_price_liquidates_though_the_last_price_did_not_move(self) -> None:
        rows = flat(100, 6)
        mark = marks(*[(100, 100, 100)] * 3, (100, 100, 90), *[(100, 100, 100)] * 2)
        record = desk.run(piece(rows, {0: long()}, mark=mark), costs=margined(), sizing=TEN)

        assert fills(record) == [("entry", 1, "open", 100.0), ("guard", 3, "inside", 90.0)]
        assert record.stop_reason.value == "liquidated"

    def test_the_last_price_does_not_liquidate_where_the_mark_price_stayed(self) -> None:
        rows = [*flat(100, 3), (100, 100, 80, 100), *flat(100, 2)]
        record = desk.run(piece(rows, {0: long()}, mark=marks(*[(100, 100, 100)] * 6)), costs=margined(), sizing=TEN)

        assert [leg for leg, *_ in fills(record)] == ["entry", "guard"]
        assert record.stop_reason.value == "end_of_data"

    @pytest.mark.parametrize(("side", "worst"), [(1, (100.0, 100.0, 89.0)), (-1, (100.0, 111.0, 100.0))])
    def test_the_adverse_extreme_counts_on_either_side(self, side: int, worst: tuple[float, float, float]) -> None:
        wish = long() if side > 0 else short()
        mark = marks(*[(100, 100, 100)] * 3, worst, *[(100, 100, 100)] * 2)
        record = desk.run(piece(flat(100, 6), {0: wish}, mark=mark), costs=margined(), sizing=TEN)

        assert fills(record)[1][:3] == ("guard", 3, "inside")
        assert fills(record)[1][3] == pytest.approx(90.0 if side > 0 else 110.0, rel=1e-12)

    def test_a_stop_that_lies_nearer_comes_first_where_both_are_reached(self) -> None:
        rows = [*flat(100, 3), (100, 100, 94, 100), *flat(100, 2)]
        mark = marks(*[(100, 100, 100)] * 3, (100, 100, 85), *[(100, 100, 100)] * 2)
        record = desk.run(piece(rows, {0: long(stop=5)}, mark=mark), costs=margined(), sizing=TEN)

        assert fills(record)[1] == ("stop", 3, "inside", 95.0)

    def test_a_stop_that_the_last_price_does_not_reach_does_not_help(self) -> None:
        rows = [*flat(100, 3), (100, 100, 96, 100), *flat(100, 2)]
        mark = marks(*[(100, 100, 100)] * 3, (100, 100, 85), *[(100, 100, 100)] * 2)
        record = desk.run(piece(rows, {0: long(stop=5)}, mark=mark), costs=margined(), sizing=TEN)

        assert fills(record)[1] == ("guard", 3, "inside", 90.0)

    def test_a_gap_of_the_mark_price_liquidates_at_the_open(self) -> None:
        mark = marks(*[(100, 100, 100)] * 3, (90, 100, 90), *[(100, 100, 100)] * 2)
        record = desk.run(piece(flat(100, 6), {0: long()}, mark=mark), costs=margined(), sizing=TEN)

        assert fills(record)[1] == ("guard", 3, "open", 90.0)

    def test_a_stop_behind_liquidation_fills_where_the_mark_price_stayed(self) -> None:
        rows = [*flat(100, 3), (100, 100, 85, 100), *flat(100, 2)]
        record = desk.run(
            piece(rows, {0: long(stop=9.8)}, mark=marks(*[(100, 100, 100)] * 6)), costs=margined(), sizing=TEN
        )

        assert fills(record)[1] == ("stop", 3, "inside", 90.2)


class TestStopLimit:
    """Plays.md 6.1 and 6.2, decision 0008.15."""

    COSTS = account(slippage="0.001")

    def test_it_rests_until_its_trigger_and_takes_with_price_improvement(self) -> None:
        rows = [*flat(100, 2), (100, 103, 100, 101), *flat(101, 2)]
        record = desk.run(piece(rows, {0: long(kind="stop_limit", trigger=102, price=104)}), costs=self.COSTS)

        event = record.fills[0].event
        assert (event.row, event.point.value, event.price, event.taker) == (2, "inside", D("102.102"), True)
        assert event.kind.value == "stop_limit"

    def test_it_never_pays_more_than_its_limit(self) -> None:
        rows = [*flat(100, 2), (100, 103, 100, 101), *flat(101, 2)]
        record = desk.run(piece(rows, {0: long(kind="stop_limit", trigger=102, price=102.05)}), costs=self.COSTS)

        assert record.fills[0].event.price == D("102.05")

    def test_set_off_by_a_gap_above_its_limit_it_rests_and_is_filled_on_the_way_back(self) -> None:
        gap = (105, 106, 104.5, 105)
        rows = [*flat(100, 2), gap, (105, 105, 103, 104), *flat(104, 2)]
        record = desk.run(piece(rows, {0: long(kind="stop_limit", trigger=102, price=104)}), costs=self.COSTS)
        same = desk.run(
            piece([*flat(100, 2), (105, 106, 103, 105), *flat(104, 2)],
                  {0: long(kind="stop_limit", trigger=102, price=104)}), costs=self.COSTS,
        )  # fmt: skip

        assert fills(record)[0] == ("entry", 3, "inside", 104.0)
        assert (fills(same)[0], same.fills[0].event.taker) == (("entry", 2, "inside", 104.0), False)

    @pytest.mark.parametrize(("close", "row"), [(101.0, 2), (101.5, 3)])
    def test_set_off_inside_and_not_marketable_only_the_close_proves_that_the_price_came_back(
        self, close: float, row: int
    ) -> None:
        rows = [*flat(100, 2), (100, 103, 100, close), (101, 102, 100.5, 101), *flat(101, 2)]
        record = desk.run(piece(rows, {0: long(kind="stop_limit", trigger=102, price=101)}))

        assert fills(record)[0][1] == row
        assert record.fills[0].event.price == 101
        assert record.fills[0].event.taker is False

    def test_a_sell_is_the_mirror(self) -> None:
        rows = [*flat(100, 2), (100, 100, 97, 99), *flat(99, 2)]
        record = desk.run(piece(rows, {0: short(kind="stop_limit", trigger=98, price=97.5)}), costs=self.COSTS)

        assert record.fills[0].event.price == D("97.902")

    @pytest.mark.parametrize(
        ("name", "price", "reason"),
        [
            ("IOC", 101, Reason.IOC_UNFILLED), ("FOK", 101, Reason.FOK_UNFILLED),
            ("PostOnly", 104, Reason.POST_ONLY_WOULD_CROSS),
        ],
    )  # fmt: skip
    def test_its_time_in_force_is_judged_at_the_trigger(self, name: str, price: float, reason: Reason) -> None:
        rows = [*flat(100, 3), (100, 103, 100, 103), *flat(103, 2)]
        record = desk.run(piece(rows, {0: long(kind="stop_limit", trigger=102, price=price)}), order=LIMIT_ORDERS[name])

        assert record.fills == []
        assert [(dead.reason, dead.event_ns) for dead in record.dead_entries] == [(reason, desk.minute(3))]

    def test_it_expires_like_other_entries(self) -> None:
        record = desk.run(
            piece(flat(100, 6), {0: long(kind="stop_limit", trigger=102, price=104)}), order=OrderTerms(expire_bars=3)
        )

        assert [dead.reason for dead in record.dead_entries] == [Reason.EXPIRED]


class TestLimitStop:
    """`sl_order_type: Limit`, decision 0008.16."""

    COSTS = account(slippage="0.001", maker="0.0001", taker="0.001")

    def test_reached_inside_a_minute_it_takes_at_its_level(self) -> None:
        rows = [*flat(100, 2), (100, 100, 94, 96), *flat(96, 2)]
        record = desk.run(piece(rows, {0: long(stop=5)}), costs=self.COSTS, order=LIMIT_STOP)

        event = record.fills[1].event
        assert (event.leg.value, event.price, event.taker, event.slippage) == ("stop", D("95.1"), True, 0)

    def test_a_gap_beyond_it_leaves_it_resting_until_the_price_comes_back(self) -> None:
        rows = [*flat(100, 2), (90, 92, 89, 91), (91, 96, 90, 94), *flat(94, 2)]
        record = desk.run(piece(rows, {0: long(stop=5)}), costs=account(), order=LIMIT_STOP)

        assert fills(record)[1] == ("stop", 3, "inside", 95.0)
        assert record.fills[1].event.taker is False

    def test_an_open_beyond_its_level_on_the_way_back_is_better(self) -> None:
        rows = [*flat(100, 2), (90, 92, 89, 91), (97, 98, 96, 97), *flat(94, 2)]
        record = desk.run(piece(rows, {0: long(stop=5)}), costs=account(), order=LIMIT_STOP)

        assert fills(record)[1] == ("stop", 3, "open", 97.0)

    def test_while_it_rests_nothing_but_liquidation_protects(self) -> None:
        rows = [*flat(100, 2), (93, 94, 92, 93), (93, 93, 80, 80), *flat(80, 2)]
        record = desk.run(piece(rows, {0: long(stop=5)}), costs=margined(), sizing=TEN, order=LIMIT_STOP)

        assert fills(record)[1] == ("guard", 3, "inside", 90.0)

    def test_a_gap_beyond_liquidation_liquidates_at_that_open(self) -> None:
        rows = [*flat(100, 2), (85, 86, 84, 85), *flat(85, 2)]
        record = desk.run(piece(rows, {0: long(stop=5)}), costs=margined(), sizing=TEN, order=LIMIT_STOP)

        assert fills(record)[1] == ("guard", 2, "open", 90.0)

    def test_once_it_fired_it_no_longer_moves(self) -> None:
        rows = [*flat(100, 2), (90, 91, 89, 91), (120, 120, 120, 120, 0), *flat(97, 3)]
        order = OrderTerms(stop_is_limit=True, break_even=EvenTerms(activation=D("0.05"), offset=D(0)))
        whole = account(max_volume_fraction="1")
        record = desk.run(piece(rows, {0: long(stop=5)}), costs=whole, order=order)

        assert fills(record)[1] == ("stop", 4, "open", 97.0)

    def test_a_close_goes_before_it(self) -> None:
        rows = [*flat(100, 2), (90, 92, 89, 91), (91, 92, 90, 91), *flat(94, 2)]
        record = desk.run(piece(rows, {0: long(stop=5)}, [2]), costs=account(), order=LIMIT_STOP)

        assert fills(record)[1] == ("exit", 3, "open", 91.0)


def test_marks_change_nothing_where_they_are_the_bars() -> None:
    bars = desk.walk(5, 400)
    wishes = {n: (long if n % 2 else short)(stop=0.3, target=0.4) for n in range(0, 390, 7)}
    costs = margined(start_equity="100000")
    sizing = SizingTerms(model="fixed_quantity", value=D(10), max_leverage=D(50))
    plain = desk.run(desk.Piece(bars, wishes), costs=costs, sizing=sizing)
    marked = desk.run(
        desk.Piece(bars, wishes, mark=MarkBars(bars.open, bars.high, bars.low)), costs=costs, sizing=sizing
    )

    assert len(plain.fills) > 40
    assert plain.result_hash() == marked.result_hash()
