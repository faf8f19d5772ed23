"""The named models beside the plain ones: latency, queue, spread, risk tiers, starvation (decision 0008.17 to 24)."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

import desk
from desk import account, flat, long, piece, short, story
from evenkeel.engine.record import RunRecord
from evenkeel.model.errors import UsageError
from evenkeel.model.instrument import InstrumentKind, RiskTier
from evenkeel.strategies.fill_models import KINDS
from evenkeel.strategies.terms import AccountTerms, MarginTerms, OrderTerms, QueueTerms, SizingTerms

TOUCHED = (101, 101, 100, 101, 10)


def entries(record: RunRecord) -> list[int]:
    """Return the base rows of the entries."""
    return [row for leg, row, *_ in story(record) if leg == "entry"]


class TestLatency:
    @pytest.mark.parametrize(("latency_ms", "row"), [(0, 1), (1, 2), (60_000, 2), (60_001, 3), (180_000, 4)], ids=str)
    def test_an_order_meets_the_first_open_after_its_way(self, latency_ms: int, row: int) -> None:
        rows = [(100 + n, 100 + n, 100 + n, 100 + n) for n in range(9)]
        record = desk.run(piece(rows, {0: long()}, [6]), costs=account(latency_ms=latency_ms))

        leave = ("exit", 6 + row, "open", 106.0 + row) if row < 3 else ("exit", 8, "close", 108.0)
        assert story(record) == [("entry", row, "open", 100.0 + row), leave]

    def test_a_protective_stop_has_none(self) -> None:
        rows = [*flat(100, 3), (100, 100, 90, 95), *flat(95, 3)]
        record = desk.run(piece(rows, {0: long(stop=5)}), costs=account(latency_ms=60_000))

        assert story(record) == [("entry", 2, "open", 100.0), ("stop", 3, "inside", 95.0)]

    def test_a_limit_that_arrives_late_takes_at_the_open_it_meets(self) -> None:
        rows = [*flat(100, 1), (100, 100, 98, 100), *flat(99, 3)]
        record = desk.run(piece(rows, {0: long(kind="limit", price=99.5)}), costs=account(latency_ms=60_000))

        assert story(record)[0] == ("entry", 2, "open", 99.0)

    def test_the_life_of_an_order_counts_from_its_decision(self) -> None:
        record = desk.run(
            piece(flat(100, 6), {0: long(kind="limit", price=99)}), costs=account(latency_ms=120_000),
            order=OrderTerms(expire_bars=2),
        )  # fmt: skip

        assert [(dead.reason.value, dead.event_ns) for dead in record.dead_entries] == [("EXPIRED", desk.minute(3))]

    def test_a_close_of_all_on_its_way_stays_where_the_run_is_stopped(self) -> None:
        rows = [*flat(100, 4), *flat(50, 6)]
        costs = account(latency_ms=120_000, start_equity="1000", stop_equity="960")
        record = desk.run(piece(rows, {0: long()}, [3]), costs=costs)
        part = desk.run(piece(rows, {0: long()}, {3: 0.5}), costs=costs)

        assert story(record)[1:] == [("exit", 6, "open", 50.0)]
        assert story(part)[1:] == [("guard", 7, "open", 50.0)]
        assert [one.stop_reason.value for one in (record, part)] == ["equity_stop", "equity_stop"]


class TestQueue:
    @pytest.mark.parametrize(("low", "row"), [(99.99, 3), (99.98, 2)])
    def test_the_price_must_go_so_many_ticks_beyond(self, low: float, row: int) -> None:
        rows = [(101, 101, 101, 101), (101, 101, 100, 101), (101, 101, low, 101), (101, 101, 99, 101), *flat(101, 2)]
        costs = account(queue=QueueTerms(model="trade_through", ticks=2))
        record = desk.run(piece(rows, {0: long(kind="limit", price=100)}), costs=costs)

        assert entries(record) == [row]
        assert record.fills[0].event.price == 100

    def test_what_stands_before_an_order_is_worked_off_at_its_price(self) -> None:
        costs = account(queue=QueueTerms(model="volume_ahead", share=D("2.5")))
        rows = [(101, 101, 101, 101, 8), (101, 101, 101, 101, 8), TOUCHED, (101, 101, 100.5, 101, 99), TOUCHED, TOUCHED]
        record = desk.run(piece(rows, {0: long(kind="limit", price=100)}), costs=costs)
        beyond = desk.run(
            piece([*rows[:2], (101, 101, 99.99, 101, 1), *rows[3:]], {0: long(kind="limit", price=100)}), costs=costs
        )

        assert entries(record) == [4]
        assert entries(beyond) == [2]

    def test_it_rules_targets_that_rest_and_no_others(self) -> None:
        rows = [*flat(100, 2), (100, 105, 100, 100), (100, 105.01, 100, 100), *flat(100, 2)]
        costs = account(queue=QueueTerms(model="trade_through"))
        resting = desk.run(piece(rows, {0: long(target=5)}), costs=costs, order=OrderTerms(target_is_limit=True))
        market = desk.run(piece(rows, {0: long(target=5)}), costs=costs)

        assert [story(one)[1] for one in (resting, market)] == [
            ("target", 3, "inside", 105.0), ("target", 2, "inside", 105.0),
        ]  # fmt: skip

    def test_a_target_waits_behind_the_volume_of_the_bar_of_its_entry(self) -> None:
        costs = account(queue=QueueTerms(model="volume_ahead", share=D(1)))
        top = (100, 105, 100, 100, 10)
        rows = [*((100, 100, 100, 100, 15),) * 2, top, top, *flat(100, 2)]
        record = desk.run(piece(rows, {0: long(target=5)}), costs=costs, order=OrderTerms(target_is_limit=True))

        assert story(record)[1] == ("target", 3, "inside", 105.0)


class TestHalfSpread:
    COSTS = account(half_spread="0.01", slippage="0.001", taker="0.001")

    @pytest.mark.parametrize(("wish", "price"), [(long(), "101.1"), (short(), "98.9")])
    def test_what_takes_pays_half_the_spread_on_top_of_slippage(self, wish: desk.Wish, price: str) -> None:
        event = desk.run(piece(flat(100, 3), {0: wish}), costs=self.COSTS).fills[0].event

        assert (event.price, event.slippage) == (D(price), D("1.1"))

    @pytest.mark.parametrize(("limit", "row", "taker"), [(101.0, 1, True), (100.99, 2, False)])
    def test_a_limit_meets_the_other_side_of_the_spread(self, limit: float, row: int, taker: bool) -> None:
        rows = [*flat(100, 2), (100, 100, 99.9, 100), *flat(100, 2)]
        event = desk.run(piece(rows, {0: long(kind="limit", price=limit)}), costs=self.COSTS).fills[0].event

        assert (event.row, event.taker, event.price) == (row, taker, D(str(limit)))

    def test_a_resting_target_is_touched_by_the_bid(self) -> None:
        rows = [*flat(100, 2), (100, 106, 100, 100), (100, 107.2, 100, 100), *flat(100, 2)]
        record = desk.run(
            piece(rows, {0: long(target=5)}), costs=account(half_spread="0.01"), order=OrderTerms(target_is_limit=True)
        )

        assert story(record)[1] == ("target", 3, "inside", 106.0)

    def test_a_limit_stop_that_rests_is_touched_by_the_bid(self) -> None:
        # Bought at 100 + 1 %: the stop is 96. At 96.5 the bid is 95.535; at 98 it is 97.02.
        rows = [*flat(100, 2), *flat(90, 1), *flat(96.5, 1), *flat(98, 3)]
        record = desk.run(
            piece(rows, {0: long(stop=5)}), costs=account(half_spread="0.01"), order=OrderTerms(stop_is_limit=True)
        )

        assert story(record) == [("entry", 1, "open", 101.0), ("stop", 4, "open", 97.02)]
        assert (record.fills[1].event.taker, record.fills[1].event.slippage) == (False, D(0))

    def test_a_limit_opened_through_meets_the_ask_and_its_stop_the_last_price(self) -> None:
        # The ask is 99 + 1 % = 99.99, the stop 99.49; the last price is beyond it already: sold there, at 99 - 1 %.
        rows = [*flat(101, 2), *flat(99, 3)]
        record = desk.run(
            piece(rows, {0: long(kind="limit", price=100.5, stop=0.5)}), costs=account(half_spread="0.01")
        )

        assert story(record) == [("entry", 2, "open", 99.99), ("stop", 2, "open", 98.01)]
        assert [fill.event.slippage for fill in record.fills] == [0, D("0.99")]


TIERS = (
    RiskTier(max_notional=D(100_000), maintenance=D("0.005"), deduction=D(0), max_leverage=D(50)),
    RiskTier(max_notional=D(1_000_000), maintenance=D("0.01"), deduction=D(500), max_leverage=D(20)),
    RiskTier(maintenance=D("0.05"), deduction=D(40_500), max_leverage=D(5)),
)


class TestTiers:
    ASSET = desk.instrument(risk_tiers=TIERS, tick_size="0.01")

    def margined(self, **facts: object) -> AccountTerms:
        margin = MarginTerms(liquidates=True, min_distance=D(0), maintenance=D("0.4"), stop_beyond="warn")
        return account(start_equity="1000000", margin=margin, **facts)

    def liquidated_by(self, quantity: int, leverage: int, low: float) -> bool:
        rows = [*flat(100, 2), (100, 100, low, 100), *flat(100, 2)]
        sizing = SizingTerms(model="fixed_quantity", value=D(quantity), max_leverage=D(leverage))
        record = desk.run(piece(rows, {0: long()}), costs=self.margined(), sizing=sizing, asset=self.ASSET)
        assert record.fills[0].event.quantity == quantity
        return record.stop_reason.value == "liquidated"

    @pytest.mark.parametrize(
        ("quantity", "leverage", "price"),
        [
            # 100,000 x 0.95 / 0.995 = 95.4773...; 200,000: (190,000 - 500) / (2,000 x 0.99) = 95.7070...
            (1000, 20, 95.4774), (2000, 20, 95.7071),
            # 2,000,000 at 5: (1,600,000 - 40,500) / (20,000 x 0.95) = 82.0789...
            (20_000, 5, 82.0790),
        ],
    )  # fmt: skip
    def test_margin_follows_from_the_tier_of_the_position_and_not_from_the_account(
        self, quantity: int, leverage: int, price: float
    ) -> None:
        assert self.liquidated_by(quantity, leverage, price - 0.0001)
        assert not self.liquidated_by(quantity, leverage, price + 0.0001)

    @pytest.mark.parametrize(
        ("wish", "least", "opened"),
        [
            # 200,000 at 20 is of the second tier. Long: liquidation at (190,000 - 500) / (2,000 x 0.99) = 95.70707...,
            # 4.29293 % away; without the deduction of 500 it would be 4.04040 %. Short: (210,000 + 500) /
            # (2,000 x 1.01) = 104.20792..., 4.20792 % away; without it 3.96040 %.
            (long(), "0.0429", True), (long(), "0.043", False), (short(), "0.0420", True), (short(), "0.0421", False),
        ],
    )  # fmt: skip
    def test_an_entry_keeps_its_distance_from_a_liquidation_by_the_deduction_of_its_tier(
        self, wish: desk.Wish, least: str, opened: bool
    ) -> None:
        margin = MarginTerms(liquidates=True, min_distance=D(least), stop_beyond="warn")
        record = self.two_thousand(wish, margin)

        assert len(record.fills) == (2 if opened else 0)
        assert record.refusals == ({} if opened else {"LIQUIDATION_TOO_CLOSE": 1})

    @pytest.mark.parametrize(
        ("wish", "opened"),
        [
            # A thousandth is kept: 4.29293 x 0.999 = 4.28864 for the long, 4.20792 x 0.999 = 4.20371 for the short.
            (long(stop=4.288), True), (long(stop=4.289), False), (short(stop=4.203), True), (short(stop=4.204), False),
        ],
    )  # fmt: skip
    def test_a_stop_is_held_against_a_liquidation_by_the_deduction_of_its_tier(
        self, wish: desk.Wish, opened: bool
    ) -> None:
        margin = MarginTerms(liquidates=True, min_distance=D(0), stop_beyond="reject")
        record = self.two_thousand(wish, margin)

        assert len(record.fills) == (2 if opened else 0)
        assert record.refusals == ({} if opened else {"SL_BEYOND_LIQUIDATION": 1})

    @pytest.mark.parametrize(
        ("wish", "stop"),
        # 100 - 4.28864 = 95.71136, up to the tick; 100 + 4.20371 = 104.20371, down to it.
        [(long(stop=5), "95.72"), (short(stop=5), "104.20")],
    )
    def test_a_stop_moved_inside_lies_before_a_liquidation_by_the_deduction_of_its_tier(
        self, wish: desk.Wish, stop: str
    ) -> None:
        record = self.two_thousand(wish, MarginTerms(liquidates=True, min_distance=D(0), stop_beyond="adjust"))

        assert record.fills[0].event.stop_price == D(stop)

    def two_thousand(self, wish: desk.Wish, margin: MarginTerms) -> RunRecord:
        """Want 2,000 units at 100 with leverage 20: a notional of 200,000."""
        sizing = SizingTerms(model="fixed_quantity", value=D(2000), max_leverage=D(20))
        costs = account(start_equity="1000000", margin=margin)
        return desk.run(piece(flat(100, 4), {0: wish}), costs=costs, sizing=sizing, asset=self.ASSET)

    def test_leverage_is_that_of_the_first_tier_at_most_and_the_size_that_of_the_last_that_allows_it(self) -> None:
        sizing = SizingTerms(model="percent_equity", value=D(1), max_leverage=D(125))
        record = desk.run(
            piece(flat(100, 4), {0: long()}), costs=self.margined(max_position="1"), sizing=sizing, asset=self.ASSET
        )
        lower = desk.run(
            piece(flat(100, 4), {0: long()}), costs=self.margined(max_position="1"), asset=self.ASSET,
            sizing=SizingTerms(model="percent_equity", value=D(1), max_leverage=D(10)),
        )  # fmt: skip

        assert record.fills[0].event.quantity == 1000
        assert lower.fills[0].event.quantity == 10_000

    def test_what_is_left_after_a_partial_close_lies_in_a_lower_tier(self) -> None:
        rows = [*flat(100, 4), (100, 100, 95.5, 100), *flat(100, 2)]
        sizing = SizingTerms(model="fixed_quantity", value=D(2000), max_leverage=D(20))
        part = piece(rows, {0: long()}, {2: 0.5})
        record = desk.run(part, costs=self.margined(), sizing=sizing, asset=self.ASSET)
        whole = desk.run(piece(rows, {0: long()}), costs=self.margined(), sizing=sizing, asset=self.ASSET)

        assert [one.stop_reason.value for one in (record, whole)] == ["end_of_data", "liquidated"]

    @pytest.mark.parametrize(
        ("tiers", "words"),
        [
            (TIERS[1::-1], "from the smallest max_notional"), (TIERS[2:] + TIERS[:1], "from the smallest max_notional"),
            ((TIERS[0], RiskTier(max_notional=D(10**7), maintenance=D("0.004"), max_leverage=D(9))), "no less maint"),
        ],
    )  # fmt: skip
    def test_tiers_that_make_no_sense_are_refused(self, tiers: tuple[RiskTier, ...], words: str) -> None:
        with pytest.raises(UsageError, match=words):
            desk.instrument(risk_tiers=tiers)

    def test_only_perpetuals_have_tiers(self) -> None:
        with pytest.raises(UsageError, match="only perpetuals"):
            desk.instrument(kind=InstrumentKind.SPOT, risk_tiers=TIERS)


def test_an_account_that_cannot_carry_the_least_order_opens_nothing_more_and_runs_on() -> None:
    rows = [*flat(100, 2), *flat(10, 6)]
    costs = account(start_equity="100", min_notional="20", max_position="1")
    record = desk.run(
        piece(rows, {0: long(), 4: long(), 6: short()}, [2]), costs=costs,
        sizing=SizingTerms(model="percent_equity", value=D(1)),
    )  # fmt: skip

    assert record.refusals == {"ENTRIES_DISABLED": 2}
    assert record.stop_reason.value == "end_of_data"


def test_an_account_stops_at_its_least_equity() -> None:
    rows = [*flat(100, 2), (100, 100, 80, 80), (79, 79, 79, 79), *flat(79, 3)]
    record = desk.run(piece(rows, {0: long(), 4: long()}), costs=account(start_equity="1000", stop_equity="990"))

    assert story(record) == [("entry", 1, "open", 100.0), ("guard", 3, "open", 79.0)]
    assert record.stop_reason.value == "equity_stop"


def test_the_models_of_a_run_have_a_name_each_in_one_order() -> None:
    plain = desk.terms(account(funding=False)).models()
    assert tuple(model.kind for model in plain) == KINDS
    assert [model.name for model in plain] == [
        "none", "none", "none", "next_open", "touch", "unlimited", "last_price", "none", "none",
    ]  # fmt: skip
    costs = account(
        taker="0.00055", maker="0.0002", slippage="0.0002", half_spread="0.0001", latency_ms=250,
        queue=QueueTerms(model="trade_through", ticks=1), max_volume_fraction="0.1", trigger_source="MarkPrice",
        funding_rate="0.0001", margin=MarginTerms(liquidates=True, liquidation_fee=D("0.00055")),
    )  # fmt: skip
    told = {model.kind: (model.name, model.text) for model in desk.terms(costs).models()}
    assert told["fees"] == ("by_liquidity", "taker 5.5 bps, maker 2 bps of the notional")
    assert told["slippage"][0] == "half_spread"
    assert told["latency"] == ("fixed", "an order can fill from the first base open 250 ms after its decision on")
    assert told["queue"][0] == "trade_through"
    assert told["liquidity"] == ("volume_share", "a bar fills at most 10 % of its volume")
    assert told["trigger"][0] == "mark_price"
    assert told["funding"] == ("history_or_fixed", "recorded rates, and 0.01 % each 8 hours where the data has none")
    assert told["liquidation"][0] == "isolated"


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"max_volume_fraction": "0"}, "max_volume_fraction"), ({"max_volume_fraction": "1.5"}, "max_volume_fraction"),
        ({"latency_ms": -1}, "latency_ms"), ({"half_spread": "1"}, "half_spread"),
        ({"trigger_source": "BestPrice"}, "trigger_source"),
    ],
)  # fmt: skip
def test_terms_that_make_no_sense_are_refused(facts: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        account(**facts)
