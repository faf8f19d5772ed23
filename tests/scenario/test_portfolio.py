"""Several instruments on one account, with figures calculated by hand.

A decision sees the equity and the free margin of its instant; a limit of the account closes everything.
"""

from __future__ import annotations

from decimal import Decimal

import desk
from evenkeel.engine.portfolio.record import line_of
from evenkeel.model.bar import Bars
from evenkeel.model.number import money_from_postings
from evenkeel.model.reason import ExitReason, Reason, StopReason
from evenkeel.strategies.terms import MarginTerms, OrderTerms, SizingTerms, Terms
from evenkeel.venues.simulated.desks import Point, PointLine
from portfolio_desk import both_lanes, instance

HALF_LEVER = SizingTerms(model="percent_equity", value=Decimal("0.4"), max_leverage=Decimal(2))
"""40 % of the free margin, at leverage 2."""

COLUMNS = ("open_ns", "close_ns", "open", "high", "low", "close", "volume")


def costly(sizing: SizingTerms = HALF_LEVER) -> Terms:
    """Return terms with a fee of 0.1 % a side."""
    return desk.terms(desk.account(taker="0.001", maker="0.001"), sizing)


class TestSharedMargin:
    """The second instrument's size depends on what the first has taken."""

    def test_of_two_decisions_of_one_instant_the_second_has_what_the_first_leaves(self) -> None:
        """A: 10,000 * 0.4 * 2 = 8,000 at 100 = 80 units, which keep 8,000 / 2 + 2 * 8 = 4,016.

        B: (10,000 - 4,016) * 0.4 * 2 = 4,787.20 at 50 = 95.744 units.
        """
        a = instance("A.DESK", desk.piece(desk.flat(100, 6), {1: desk.long()}), costly())
        b = instance("B.DESK", desk.piece(desk.flat(50, 6), {1: desk.long()}), costly())
        _, parts = both_lanes([b, a])
        assert parts["A.DESK"].fills[0].event.quantity == Decimal(80)
        assert parts["B.DESK"].fills[0].event.quantity == Decimal("95.744")

    def test_a_later_decision_counts_the_open_result_and_the_margin_of_the_position(self) -> None:
        """A: 80 units filled at 101: fee 8.08, margin 4,040. At 103 the equity is 10,000 - 8.08 + 160 = 10,151.92.

        B then: (10,151.92 - 4,040) * 0.4 * 2 = 4,889.536 at 50 = 97.79072, in lots of 0.001: 97.790.
        """
        rows = [*desk.flat(100, 2), *desk.flat(101, 2), *desk.flat(103, 6)]
        a = instance("A.DESK", desk.piece(rows, {1: desk.long()}), costly())
        b = instance("B.DESK", desk.piece(desk.flat(50, 10), {5: desk.long()}), costly())
        record, parts = both_lanes([a, b])
        assert parts["B.DESK"].fills[0].event.quantity == Decimal("97.790")
        points = dict(zip(record.times_ns.tolist(), record.curve[Point.EQUITY].tolist(), strict=True))
        assert money_from_postings(points[desk.minute(6)]) == Decimal("10151.92")

    def test_an_entry_at_work_keeps_its_money_until_it_dies(self) -> None:
        """A's limit at 90 is never reached and dies after 3 bars; B decides while it waits, and when it is gone."""
        order = OrderTerms(expire_bars=3)
        waiting = Terms(account=costly().account, sizing=HALF_LEVER, order=order)
        a = instance("A.DESK", desk.piece(desk.flat(100, 12), {1: desk.long(kind="limit", price=90)}), waiting)
        wishes = {2: desk.long(), 6: desk.long()}
        b = instance("B.DESK", desk.piece(desk.flat(50, 12), wishes, leaves=[4]), costly())
        _, parts = both_lanes([a, b])
        # A keeps 8,000 / 2 + 16 of its decision price; B buys 5,984 * 0.8 / 50, pays 4.7872 twice, then has it all.
        first, _, second = [fill.event.quantity for fill in parts["B.DESK"].fills][:3]
        assert first == Decimal("95.744")
        left = Decimal(10_000) - 2 * first * 50 * Decimal("0.001")
        assert second == (left * Decimal("0.8") / 50).quantize(Decimal("0.001"), rounding="ROUND_DOWN")
        assert [dead.reason for dead in parts["A.DESK"].dead_entries] == [Reason.EXPIRED]

    def test_money_that_is_not_there_refuses(self) -> None:
        """120 units at 100 need 12,000 and fees of 24 of margin; A has 10,000. Its own 90 leave B too little for 20."""
        by_units = [desk.terms(desk.account(max_position=1), desk.units(units)) for units in (90, 20)]
        a = instance("A.DESK", desk.piece(desk.flat(100, 6), {1: desk.long()}), by_units[0])
        b = instance("B.DESK", desk.piece(desk.flat(100, 6), {1: desk.long()}), by_units[1])
        record, parts = both_lanes([a, b])
        assert len(parts["A.DESK"].fills) == 2
        assert len(parts["B.DESK"].fills) == 0
        assert record.refusals == {"INSUFFICIENT_MARGIN": 1}


class TestLimitsOfTheAccount:
    """What no instrument would reach alone."""

    def test_the_drawdown_of_both_closes_both_and_withdraws_what_waits(self) -> None:
        """50 A from 100 to 90 and 100 B from 50 to 45 lose 500 each: 10 % of 10,000, in the minute of row 4.

        Both leave at the next open, A at 89 and B at 46: 10,000 - 550 - 400 = 9,050.
        """
        limit = desk.account(max_drawdown="0.1")
        of = {
            units: desk.terms(
                limit, SizingTerms(model="fixed_quantity", value=Decimal(units), max_leverage=Decimal(2))
            )
            for units in (50, 100, 1)
        }  # fmt: skip
        a_rows = [*desk.flat(100, 4), (100, 100, 90, 90), (89, 89, 89, 89), *desk.flat(89, 4)]
        b_rows = [*desk.flat(50, 4), (50, 50, 45, 45), (46, 46, 46, 46), *desk.flat(46, 4)]
        a = instance("A.DESK", desk.piece(a_rows, {1: desk.long()}), of[50])
        b = instance("B.DESK", desk.piece(b_rows, {1: desk.long()}), of[100])
        resting = {1: desk.long(kind="limit", price=5)}
        c = instance("C.DESK", desk.piece(desk.flat(10, 10), resting), of[1])
        record, parts = both_lanes([a, b, c])

        assert record.stop_reason is StopReason.MAX_DRAWDOWN
        assert record.stop_ns == desk.minute(6)
        assert [fill.event.exit_reason for fill in (parts["A.DESK"].fills[1], parts["B.DESK"].fills[1])] == [
            ExitReason.MAX_DRAWDOWN
        ] * 2
        assert money_from_postings(int(record.curve[Point.EQUITY][-1])) == Decimal(9_050)
        (dead,) = parts["C.DESK"].dead_entries
        assert (dead.reason, dead.event_ns) == (Reason.ENTRIES_DISABLED, desk.minute(5))
        assert record.drawdown_intrabar == 0.1
        own = [int(record.curve[line_of(k, PointLine.CASH)][-1]) for k in range(3)]
        assert [money_from_postings(value) for value in own] == [Decimal(9_450), Decimal(9_600), Decimal(10_000)]

    def test_falls_at_different_times_do_not_add_up(self) -> None:
        """A loses 500 and is 300 up again before B loses 500: never 10 % below the peak, and the run goes on."""
        limit = desk.account(max_drawdown="0.1")
        a_rows = [*desk.flat(100, 4), *desk.flat(90, 2), *desk.flat(96, 6)]
        b_rows = [*desk.flat(50, 7), *desk.flat(45, 5)]
        a = instance("A.DESK", desk.piece(a_rows, {1: desk.long()}), desk.terms(limit, desk.units(50)))
        b = instance("B.DESK", desk.piece(b_rows, {1: desk.long()}), desk.terms(limit, desk.units(100)))
        record, _ = both_lanes([a, b])
        assert record.stop_reason is StopReason.END_OF_DATA
        assert record.drawdown_intrabar == 0.07

    def test_a_liquidation_costs_its_margin_and_ends_the_run_for_all(self) -> None:
        """A: 100 units at 100 with a margin of 1,000; a low of 80 takes exactly that. B is forced out at the open."""
        margin = MarginTerms(liquidates=True, min_distance=Decimal(0))
        terms = Terms(
            account=desk.account(margin=margin),
            sizing=SizingTerms(model="fixed_usdt", value=Decimal(1_000), max_leverage=Decimal(10)),
        )
        a_rows = [*desk.flat(100, 4), (100, 100, 80, 85), *desk.flat(85, 5)]
        a = instance("A.DESK", desk.piece(a_rows, {1: desk.long()}), terms)
        b_rows = [*desk.flat(50, 5), *desk.flat(51, 5)]
        b = instance("B.DESK", desk.piece(b_rows, {1: desk.long()}), terms)
        record, parts = both_lanes([a, b])
        assert record.stop_reason is StopReason.LIQUIDATED
        gone, forced = parts["A.DESK"].fills[1].event, parts["B.DESK"].fills[1].event
        assert (gone.exit_reason, gone.gross - gone.fee) == (ExitReason.LIQUIDATION, Decimal(-1_000))
        assert (forced.exit_reason, forced.price, forced.gross) == (ExitReason.FORCE, Decimal(51), Decimal(200))

    def test_who_is_asleep_leaves_when_its_market_opens(self) -> None:
        """B has no bar in the minutes after the breach; it is closed at the first open that comes, at 47."""
        limit = desk.account(max_drawdown="0.1")
        a_rows = [*desk.flat(100, 4), *desk.flat(80, 6)]
        a = instance("A.DESK", desk.piece(a_rows, {1: desk.long()}), desk.terms(limit, desk.units(50)))
        whole = desk.bars([*desk.flat(50, 4), *desk.flat(47, 6)])
        kept = [0, 1, 2, 3, 8, 9]
        gap = Bars(whole.timeframe, *(getattr(whole, name)[kept] for name in COLUMNS))
        b = instance("B.DESK", desk.Piece(gap, {1: desk.long()}), desk.terms(limit, desk.units(10)))
        record, parts = both_lanes([a, b])
        assert record.stop_reason is StopReason.MAX_DRAWDOWN
        assert parts["A.DESK"].fills[1].event.event_ns == desk.minute(5)
        assert parts["B.DESK"].fills[1].event.event_ns == desk.minute(8)
        assert parts["B.DESK"].fills[1].event.price == Decimal(47)


def test_coarse_and_fine_bars_meet_at_the_same_instant() -> None:
    """Z decides on bars of 5 minutes, B on minutes: at minute 10 Z is first, for its bars are slower."""
    a_bars = desk.bars([(100, 100, 100, 100)] * 6, timeframe="5m")
    a = instance("Z.DESK", desk.Piece(a_bars, {1: desk.long()}), costly(), exec_tf="5m")
    b = instance("B.DESK", desk.piece(desk.flat(50, 30), {9: desk.long()}), costly())
    _, parts = both_lanes([a, b])
    assert parts["Z.DESK"].fills[0].event.quantity == Decimal(80)
    assert parts["B.DESK"].fills[0].event.quantity == Decimal("95.744")


def test_an_entry_expires_at_the_close_of_its_execution_bar_where_the_last_minute_has_no_bar() -> None:
    """Bars of 3 minutes, minute 5 is missing: the second one closes at minute 6, not when minute 4 has closed."""
    order = OrderTerms(expire_bars=1)
    whole = desk.bars(desk.flat(100, 12))
    kept = [row for row in range(12) if row != 5]
    bars = Bars(whole.timeframe, *(getattr(whole, name)[kept] for name in COLUMNS))
    waiting = Terms(account=costly().account, sizing=HALF_LEVER, order=order)
    a = instance("A.DESK", desk.Piece(bars, {0: desk.long(kind="limit", price=90)}), waiting, exec_tf="3m")
    _, parts = both_lanes([a])
    (dead,) = parts["A.DESK"].dead_entries
    assert (dead.reason, dead.event_ns) == (Reason.EXPIRED, desk.minute(6))
