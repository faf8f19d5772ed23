"""The checks of a fill (operations.md 3.4): each finds what is wrong, and none holds back what the venue did."""

from __future__ import annotations

from decimal import Decimal

import pytest

from evenkeel.execution.executions import unheard_id
from evenkeel.execution.findings import FindingCode
from evenkeel.model.command import CancelOrder, PlaceOrder
from evenkeel.model.ids import InstrumentId, Leg
from evenkeel.model.intent import OrderKind
from evenkeel.model.order import Amendment
from evenkeel.model.report import Executed, ExecutionBusted, LookedUp, OrderReported, Outcome
from trade_desk import SECOND, SYMBOL, D, Desk, S, placed


def an_execution(desk: Desk, name: str, quantity: int, price: int = 100, at_s: int = 0) -> Executed:
    return Executed(
        event_ns=at_s * SECOND, known_ns=desk.now, instrument=SYMBOL, client_id=desk.entry, venue_id="v",
        execution_id=name, quantity=D(quantity), price=D(price), fee=D(1),
    )  # fmt: skip


def bust(name: str, *, of: Desk | None = None, quantity: int = 4, price: int = 100) -> ExecutionBusted:
    """Return that an execution was taken back; `of` tells what it was."""
    if of is None:
        return ExecutionBusted(event_ns=0, known_ns=0, execution_id=name)
    return ExecutionBusted(
        event_ns=0, known_ns=0, execution_id=name, client_id=of.entry, venue_id="v", quantity=D(quantity),
        price=D(price),
    )  # fmt: skip


def report(desk: Desk, state: S, filled: int, *, average: str = "100", quantity: int = 10) -> OrderReported:
    return OrderReported(
        event_ns=0, known_ns=desk.now, client_id=desk.entry, venue_id="v", state=state, quantity=D(quantity),
        filled=D(filled), average=D(average),
    )  # fmt: skip


def answered(desk: Desk, found: OrderReported, executions: tuple[Executed, ...], *, complete: bool = True) -> None:
    answer = LookedUp(
        event_ns=desk.now, known_ns=desk.now, client_id=desk.entry, asked_ns=desk.now, found=found,
        executions=executions, complete=complete,
    )  # fmt: skip
    desk.note(desk.supervisor.fold(answer))


class TestTakenBack:
    def test_a_bust_before_its_execution_keeps_it_from_counting(self) -> None:
        desk = Desk()
        desk.note(desk.supervisor.fold(bust("x")))
        desk.executed(desk.entry, 4, execution="x")
        assert desk.bracket.held == 0
        assert desk.order(desk.entry).fees == 0
        assert desk.codes() == [FindingCode.BUSTED, FindingCode.BUSTED]

    def test_a_bust_that_tells_what_it_was_of_needs_no_execution(self) -> None:
        """The execution was lost, and its order's report counted it already."""
        desk = Desk()
        desk.note(desk.supervisor.fold(report(desk, S.PARTIAL, 4)))
        assert desk.bracket.held == 4
        desk.note(desk.supervisor.fold(bust("x", of=desk)))
        assert desk.bracket.held == 0
        desk.executed(desk.entry, 4, execution="x")
        assert desk.bracket.held == 0

    def test_units_missed_by_a_comparison_go_once_when_the_venue_names_them_later(self) -> None:
        desk = Desk()
        desk.executed(desk.entry, 3, execution="w")
        desk.note(desk.supervisor.fold(report(desk, S.PARTIAL, 7)))
        desk.note(desk.supervisor.fold(bust(unheard_id(desk.entry), of=desk, quantity=4, price=101)))
        for name, quantity in (("x", 1), ("y", 3)):
            assert desk.bracket.held == 3
            desk.note(desk.supervisor.fold(bust(name, of=desk, quantity=quantity)))
        order = desk.order(desk.entry)
        assert (order.seen, order.busted, order.filled, order.value) == (7, 4, 3, 300)

    def test_units_missed_by_a_comparison_count_again_when_their_execution_comes_after_all(self) -> None:
        desk = Desk()
        desk.note(desk.supervisor.fold(report(desk, S.PARTIAL, 4)))
        desk.note(desk.supervisor.fold(bust(unheard_id(desk.entry), of=desk, quantity=4)))
        assert desk.bracket.held == 0
        desk.executed(desk.entry, 4, 102, execution="x")
        order = desk.order(desk.entry)
        assert (order.seen, order.busted, order.filled, order.value) == (4, 0, 4, 408)
        assert desk.bracket.held == 4

    def test_a_bust_told_again_takes_nothing_twice(self) -> None:
        desk = Desk()
        desk.executed(desk.entry, 4, execution="x")
        desk.executed(desk.entry, 3, execution="y")
        for _ in range(2):
            desk.note(desk.supervisor.fold(bust("x")))
        assert desk.bracket.held == 3

    def test_c7_busts_of_executions_that_never_come_are_forgotten_in_the_end(self) -> None:
        desk = Desk()
        for number in range(10_001):
            desk.supervisor.fold(bust(f"b{number}"))
        assert len(desk.supervisor.book.executions.taken_back) == 10_000
        desk.executed(desk.entry, 4, execution="b10000")
        assert desk.bracket.held == 0


class TestAstray:
    def test_check_3_a_fill_of_the_wrong_side_counts_as_the_venue_did_it(self) -> None:
        desk = Desk()
        commands = desk.executed(desk.entry, -3)
        assert desk.codes() == [FindingCode.WRONG_SIDE]
        assert desk.bracket.held == -3
        assert desk.order(desk.entry).filled == 0
        assert placed([c for c in commands if isinstance(c, PlaceOrder)]) == [(Leg.GUARD, OrderKind.MARKET, D(3))]

    def test_check_3_a_stop_that_bought_instead_leaves_an_excess_that_is_sold(self) -> None:
        desk = Desk()
        stop, _ = desk.hold()
        commands = desk.executed(stop, 2, 100)
        assert desk.bracket.held == 12
        assert placed([c for c in commands if isinstance(c, PlaceOrder)]) == [(Leg.GUARD, OrderKind.MARKET, D(-2))]

    def test_check_3_a_fill_of_another_instrument_is_told_and_changes_no_trade(self) -> None:
        desk = Desk()
        desk.executed(desk.entry, 3, instrument=InstrumentId("ETHUSDT.BYBIT"))
        assert desk.codes() == [FindingCode.WRONG_INSTRUMENT]
        assert desk.bracket.held == 0

    def test_a_fill_of_the_wrong_side_that_is_taken_back_is_gone(self) -> None:
        desk = Desk()
        desk.executed(desk.entry, -3, execution="x")
        desk.note(desk.supervisor.fold(bust("x")))
        assert desk.bracket.held == 0


class TestChecks:
    def test_check_1_a_complete_answer_lacks_executions(self) -> None:
        desk = Desk()
        answered(desk, report(desk, S.PARTIAL, 7), (an_execution(desk, "x", 4),))
        assert desk.codes() == [FindingCode.FILL_MISSING]
        assert desk.bracket.held == 7

    def test_check_1_an_answer_that_is_not_complete_lacks_nothing(self) -> None:
        desk = Desk()
        answered(desk, report(desk, S.PARTIAL, 7), (an_execution(desk, "x", 4),), complete=False)
        assert desk.codes() == []

    def test_check_1_executions_of_more_than_the_venue_says_is_filled(self) -> None:
        desk = Desk()
        desk.executed(desk.entry, 7)
        desk.at(1)
        answered(desk, report(desk, S.PARTIAL, 4), ())
        assert desk.codes() == [FindingCode.FILL_QTY]
        assert desk.bracket.held == 7

    def test_check_1_an_answer_from_before_the_execution_says_nothing_of_it(self) -> None:
        desk = Desk()
        desk.at(1)
        desk.executed(desk.entry, 7)
        answered(desk, report(desk, S.PARTIAL, 4), ())
        assert desk.codes() == []

    @pytest.mark.parametrize(("average", "found"), [("100.5", []), ("102", [FindingCode.FILL_PRICE])])
    def test_check_2_the_average_of_the_executions_is_the_venues_within_a_tick(
        self, average: str, found: list[FindingCode]
    ) -> None:
        desk = Desk()
        desk.executed(desk.entry, 4, 100)
        desk.note(desk.supervisor.fold(report(desk, S.CANCELLED, 4, average=average)))
        assert desk.codes() == found

    def test_check_2_as_many_units_before_the_end_need_not_be_the_same_ones(self) -> None:
        desk = Desk()
        desk.note(desk.supervisor.fold(report(desk, S.PARTIAL, 4, average="90")))
        desk.executed(desk.entry, 4, 100)
        assert desk.codes() == []

    @pytest.mark.parametrize(("state", "filled"), [(S.FILLED, 4), (S.PARTIAL, 0), (S.PARTIAL, 10)])
    def test_check_4_a_report_whose_state_is_not_what_it_says_was_filled(self, state: S, filled: int) -> None:
        desk = Desk()
        desk.note(desk.supervisor.fold(report(desk, state, filled)))
        assert desk.codes() == [FindingCode.FILL_QTY]
        assert desk.bracket.held == filled

    @pytest.mark.parametrize(
        ("at_s", "found"), [(17, [FindingCode.FILL_TIME]), (18, []), (170, []), (171, [FindingCode.FILL_TIME])]
    )
    def test_check_5_an_execution_is_within_the_life_of_its_order(self, at_s: int, found: list[FindingCode]) -> None:
        desk = Desk(placed_s=20)
        desk.executed(desk.entry, 4, event_ns=at_s * SECOND)
        assert desk.codes() == found
        assert desk.bracket.held == 4

    def test_check_6_an_execution_that_comes_again_with_other_contents_counts_once_and_is_told(self) -> None:
        desk = Desk()
        desk.executed(desk.entry, 4, execution="x")
        desk.executed(desk.entry, 5, execution="x")
        assert desk.codes() == [FindingCode.FILL_DUPLICATE]
        assert desk.bracket.held == 4

    def test_check_8_what_we_lack_of_the_day_counts_and_what_the_venue_lacks_is_told(self) -> None:
        desk = Desk()
        desk.executed(desk.entry, 2, execution="ours", event_ns=5 * SECOND)
        listed = [an_execution(desk, "theirs", 3, at_s=6)]
        told = desk.supervisor.day(listed, since_ns=0, asked_ns=10 * SECOND)
        assert desk.bracket.held == 5
        assert [finding.code for finding in told.findings] == [FindingCode.FILL_ORPHAN]

    def test_check_9_an_execution_worse_than_its_limit(self) -> None:
        desk = Desk()
        desk.executed(desk.entry, 4, 101)
        assert desk.codes() == [FindingCode.FILL_PRICE]
        assert desk.bracket.bought_value == 404

    def test_check_9_an_execution_at_the_limit_from_before_a_change_is_not_worse(self) -> None:
        desk = Desk()
        desk.resolve(desk.entry, Outcome.ACCEPTED)
        desk.supervisor.book.amend(desk.entry, Amendment(price=D(95)), 1 * SECOND)
        desk.told(desk.entry, S.WORKING, price=D(95))
        desk.executed(desk.entry, 4, 100)
        assert desk.codes() == []


def test_an_entry_filled_twice_over_by_the_wrong_side_withdraws_its_rest() -> None:
    desk = Desk()
    desk.resolve(desk.entry, Outcome.ACCEPTED)
    assert CancelOrder(client_id=desk.entry, why="the position is being closed") in desk.executed(desk.entry, -3)
    assert desk.bracket.sold == Decimal(-3)


def test_an_id_that_the_venue_uses_again_for_another_order_is_another_execution() -> None:
    desk = Desk()
    desk.resolve(desk.entry, Outcome.ACCEPTED)
    (stop,) = desk.executed(desk.entry, 10, execution="1")
    assert isinstance(stop, PlaceOrder)
    desk.executed(stop.order.client_id, -4, 90, execution="1")
    assert desk.bracket.held == 6
    desk.note(desk.supervisor.fold(bust("1")))
    assert desk.bracket.held == 10
    told = bust("1", of=desk, quantity=10)
    desk.note(desk.supervisor.fold(told))
    assert desk.bracket.held == 0
