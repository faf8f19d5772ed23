"""The plan of a reconciliation: each difference of operations.md 4.4 and 4.5, and that a message on its way is none."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from evenkeel.execution.executions import Piece, PieceKey
from evenkeel.execution.reconcile.plan import plan
from evenkeel.execution.reconcile.render import render
from evenkeel.execution.reconcile.terms import (
    FUTURES,
    LIVE,
    PAPER,
    Adopt,
    Block,
    Book,
    Difference,
    DifferenceKind,
    Guarded,
    Hear,
    LookUp,
    Ours,
    Plan,
    Policy,
    Stop,
    Withdraw,
)
from evenkeel.model.halt import HaltCode, HaltLevel
from evenkeel.model.ids import ClientId, InstrumentId, Leg, StrategyId
from evenkeel.model.intent import OrderKind
from evenkeel.model.order import OrderState, VenueOrder
from evenkeel.model.report import Executed, ExecutionBusted, OrderReported
from evenkeel.model.truth import Position, Truth

D = Decimal
K = DifferenceKind
SECOND = 1_000_000_000
NOW = 1_000 * SECOND
SYMBOL = InstrumentId("BTCUSDT.BYBIT")
OTHER = InstrumentId("ETHUSDT.BYBIT")
ENTRY = ClientId("kle-entry")


def order(state: OrderState = OrderState.WORKING, *, quantity: int = 10, told: int = 0, moved: int = 0) -> VenueOrder:
    return VenueOrder(
        client_id=ENTRY, strategy=StrategyId("s"), instrument=SYMBOL, trade=1, leg=Leg.ENTRY, kind=OrderKind.LIMIT,
        quantity=D(quantity), price=D(100), state=state, told=D(told), seen=D(told), placed_ns=0, moved_ns=moved,
    )  # fmt: skip


def piece(name: str, at: int = NOW - 60 * SECOND) -> Piece:
    return Piece(
        execution_id=name, client_id=ENTRY, instrument=SYMBOL, quantity=D(4), price=D(100), fee=D(0), at_ns=at
    )  # fmt: skip


def ours(*orders: VenueOrder, held: int = 0, executions: tuple[str, ...] = (), **facts: Any) -> Ours:
    return Ours(
        now_ns=NOW, prefix="kl", orders={one.client_id: one for one in orders},
        executions={PieceKey(ENTRY, name): piece(name) for name in executions}, owned=frozenset({SYMBOL}),
        lots={SYMBOL: D(1)}, positions={SYMBOL: Position(quantity=D(held), average=D(100))}, **facts,
    )  # fmt: skip


def report(
    identity: str = ENTRY, state: OrderState = OrderState.WORKING, filled: int = 0, at: InstrumentId = SYMBOL
) -> OrderReported:  # fmt: skip
    return OrderReported(
        event_ns=NOW, known_ns=NOW, instrument=at, client_id=ClientId(identity), venue_id="v1", state=state,
        quantity=D(10), filled=D(filled),
    )  # fmt: skip


def execution(name: str, quantity: int, identity: str = ENTRY) -> Executed:
    return Executed(
        event_ns=NOW, known_ns=NOW, instrument=SYMBOL, client_id=ClientId(identity), venue_id="v1", execution_id=name,
        quantity=D(quantity), price=D(100),
    )  # fmt: skip


def truth(*orders: OrderReported, held: int = 0, executions: tuple[Executed, ...] = (), **facts: Any) -> Truth:
    positions = {SYMBOL: Position(quantity=D(held))} if held else {}
    return Truth(
        **{
            "asked_ns": NOW,
            "complete": True,
            "orders": orders,
            "executions": executions,
            "positions": positions,
            **facts,
        }
    )


def twice(truth: Truth, ours: Ours, policy: Policy) -> Plan:
    """Return the plan of an answer that is the second to show what it shows."""
    doubts = {found.key: NOW - policy.confirm_ns for found in plan(truth, ours, policy).differences}
    return plan(truth, msgspec.structs.replace(ours, doubts=doubts), policy)


def kinds(made: Any) -> list[tuple[DifferenceKind, bool]]:
    return [(difference.kind, difference.explained) for difference in made.differences]


def test_books_that_agree_give_a_clean_plan() -> None:
    made = plan(truth(report()), ours(order()), LIVE)
    assert made.is_clean
    assert made.repairs == ()
    assert render(made) == "Our books and the broker agree.\nNext: nothing."


def test_row_82_an_answer_that_lacks_a_page_is_a_failed_run_and_no_difference() -> None:
    made = plan(truth(complete=False), ours(order(), held=5), LIVE)
    assert made.failed
    assert not made.is_clean
    assert made.differences == ()
    assert made.repairs == ()


def test_an_execution_that_was_missed_explains_the_position_and_is_heard() -> None:
    missed = execution("x2", 4)
    made = plan(
        truth(report(filled=10), held=10, executions=(execution("x1", 6), missed)),
        ours(order(OrderState.PARTIAL, told=10), held=6, executions=("x1",)),
        LIVE,
    )
    assert kinds(made) == [(K.EXECUTION_MISSED, True), (K.QUANTITY, True)]
    assert made.repairs == (Hear(fact=missed),)
    assert made.is_clean


def test_a_broker_that_is_further_along_is_followed() -> None:
    ahead = report(state=OrderState.PARTIAL, filled=4)
    made = plan(truth(ahead, held=4), ours(order()), LIVE)
    assert kinds(made) == [(K.ORDER_BEHIND, True), (K.MISSING_INTERNAL, True)]
    assert made.repairs == (Hear(fact=ahead),)


def test_an_order_that_the_list_lacks_is_looked_up_and_never_taken_for_cancelled() -> None:
    made = plan(truth(), ours(order()), LIVE)
    assert kinds(made) == [(K.ORDER_ABSENT, True)]
    assert made.repairs == (LookUp(client_id=ENTRY),)


@pytest.mark.parametrize("state", [OrderState.SENT, OrderState.UNKNOWN])
def test_an_order_in_doubt_is_the_resolver_s_matter_until_the_list_has_it(state: OrderState) -> None:
    assert plan(truth(), ours(order(state)), LIVE).repairs == ()
    assert plan(truth(report()), ours(order(state)), LIVE).repairs == (Hear(fact=report()),)


def test_an_order_that_we_took_for_over_and_is_open_is_withdrawn() -> None:
    over = ours(order(OrderState.CANCELLED))
    once = plan(truth(report()), over, LIVE)
    assert kinds(once) == [(K.ORDER_OPEN_AFTER_END, False)]
    assert once.repairs == ()
    made = twice(truth(report()), over, LIVE)
    assert made.repairs == (Withdraw(venue_id="v1", client_id=ENTRY, instrument=SYMBOL, why="it is over in our book"),)


def test_an_order_of_ours_that_the_book_lacks_was_left_by_a_crash_and_is_withdrawn() -> None:
    made = plan(truth(report("kls-orphan")), ours(), LIVE)
    assert kinds(made) == [(K.OWN_ORPHAN, True)]
    withdraw = Withdraw(
        venue_id="v1", client_id=ClientId("kls-orphan"), instrument=SYMBOL, why="our book does not have it"
    )
    assert made.repairs == (withdraw,)


def test_an_execution_that_two_answers_lack_was_taken_back() -> None:
    window: dict[str, Any] = {"since_ns": NOW - 60 * SECOND, "at_ns": NOW}
    filled = order(OrderState.FILLED, quantity=4, told=4)
    mine = ours(filled, held=4, executions=("x1",))
    once = plan(truth(**window), mine, LIVE)
    assert kinds(once) == [(K.EXECUTION_GONE, False), (K.MISSING_BROKER, True)]
    assert once.repairs == ()
    (hear,) = twice(truth(**window), mine, LIVE).repairs
    assert isinstance(hear, Hear)
    assert isinstance(hear.fact, ExecutionBusted)
    assert (hear.fact.execution_id, hear.fact.client_id) == ("x1", ENTRY)
    outsides: tuple[dict[str, Any], ...] = ({"since_ns": NOW - 60 * SECOND + 1, "at_ns": NOW}, {"at_ns": NOW})
    for outside in outsides:
        assert K.EXECUTION_GONE not in [kind for kind, _ in kinds(plan(truth(**outside), mine, LIVE))]
    fresh = msgspec.structs.replace(mine, executions={PieceKey(ENTRY, "x1"): piece("x1", NOW - 4 * SECOND)})
    assert K.EXECUTION_GONE not in [kind for kind, _ in kinds(plan(truth(**window), fresh, LIVE))]


def test_an_order_with_our_name_that_turns_up_while_we_run_was_placed_by_another_engine() -> None:
    made = plan(truth(report("kls-orphan")), ours(begun=True), LIVE)
    _, stop = made.repairs
    assert isinstance(stop, Stop)
    assert (stop.code, stop.level) == (HaltCode.DUPLICATE_ENGINE, HaltLevel.KILLED)
    known = ours(begun=True, orphans=(ClientId("kls-orphan"),))
    assert not [one for one in plan(truth(report("kls-orphan")), known, LIVE).repairs if isinstance(one, Stop)]


def test_a_foreign_order_is_never_touched_and_nothing_is_opened_beside_it() -> None:
    made = plan(truth(report("web-17"), report("web-18", at=OTHER)), ours(), LIVE)
    assert kinds(made) == [(K.FOREIGN_ORDER, True)]
    assert made.repairs == (Block(instrument=SYMBOL, kind=K.FOREIGN_ORDER),)


@pytest.mark.parametrize(
    ("held", "theirs", "kind"),
    [(0, 5, K.MISSING_INTERNAL), (5, 0, K.MISSING_BROKER), (5, 3, K.QUANTITY), (5, -5, K.SIGN)],
)
@pytest.mark.parametrize(
    ("policy", "answers"),
    [
        (LIVE, {K.MISSING_INTERNAL: "block", K.MISSING_BROKER: "block", K.QUANTITY: 3, K.SIGN: 4}),
        (PAPER, {K.MISSING_INTERNAL: "adopt", K.MISSING_BROKER: "adopt", K.QUANTITY: "adopt", K.SIGN: 3}),
        (FUTURES, {K.MISSING_INTERNAL: 4, K.MISSING_BROKER: 4, K.QUANTITY: 4, K.SIGN: 4}),
    ],
)
def test_a_position_that_nothing_explains(
    held: int, theirs: int, kind: DifferenceKind, policy: Policy, answers: dict[DifferenceKind, Any]
) -> None:
    once = plan(truth(held=theirs), ours(held=held), policy)
    assert kinds(once) == [(kind, False)]
    assert once.repairs == ()
    made = twice(truth(held=theirs), ours(held=held), policy)
    (repair,) = made.repairs
    if answers[kind] == "block":
        assert repair == Block(instrument=SYMBOL, kind=kind)
    elif answers[kind] == "adopt":
        assert repair == Adopt(instrument=SYMBOL, quantity=D(theirs - held))
    else:
        assert isinstance(repair, Stop)
        assert repair.level == answers[kind]
    assert not made.is_clean


def test_a_difference_counts_from_the_second_answer_that_was_asked_late_enough() -> None:
    (found,) = plan(truth(held=3), ours(held=5), LIVE).differences
    early = ours(held=5, doubts={found.key: NOW - LIVE.confirm_ns + 1})
    late = ours(held=5, doubts={found.key: NOW - LIVE.confirm_ns})
    assert plan(truth(held=3), early, LIVE).repairs == ()
    assert plan(truth(held=3), late, LIVE).repairs != ()


def test_a_difference_is_the_same_one_while_both_sides_move_and_another_one_when_its_figure_changes() -> None:
    (found,) = plan(truth(held=3), ours(held=5), LIVE).differences
    doubts = {found.key: NOW - LIVE.confirm_ns}
    assert plan(truth(held=4), ours(held=6, doubts=doubts), LIVE).repairs != ()
    assert plan(truth(held=2), ours(held=5, doubts=doubts), LIVE).repairs == ()


def test_row_81_a_position_that_lags_a_fresh_fill_is_no_difference() -> None:
    late = ours(held=5, moved_ns={SYMBOL: NOW - 4 * SECOND})
    made = twice(truth(), late, LIVE)
    assert made.differences == ()
    assert made.waits
    assert not made.is_clean
    settled = ours(held=5, moved_ns={SYMBOL: NOW - 5 * SECOND})
    assert kinds(plan(truth(), settled, LIVE)) == [(K.MISSING_BROKER, False)]


def test_an_order_in_doubt_that_could_explain_a_gap_is_waited_for() -> None:
    doubtful = order(OrderState.UNKNOWN)
    assert twice(truth(held=10), ours(doubtful), LIVE).repairs == ()
    assert twice(truth(held=11), ours(doubtful), LIVE).repairs != ()
    assert twice(truth(held=-1), ours(doubtful), LIVE).repairs != ()


def test_row_84_a_missing_order_with_a_changed_position_is_explained_by_its_executions_only() -> None:
    made = plan(truth(held=10, executions=(execution("x1", 10),)), ours(order()), LIVE)
    assert kinds(made) == [(K.EXECUTION_MISSED, True), (K.ORDER_ABSENT, True), (K.MISSING_INTERNAL, True)]
    assert made.is_clean
    assert made.repairs == (Hear(fact=execution("x1", 10)), LookUp(client_id=ENTRY))


def test_row_80_what_a_stranger_traded_is_booked_and_nothing_is_opened_beside_it() -> None:
    manual = execution("x9", 5, "web-1")
    made = plan(truth(held=5, executions=(manual,)), ours(), LIVE)
    assert kinds(made) == [(K.EXECUTION_OF_STRANGER, True)]
    assert made.repairs == (Book(fact=manual), Block(instrument=SYMBOL, kind=K.EXECUTION_OF_STRANGER))
    assert plan(truth(held=5, executions=(manual,)), ours(), PAPER).repairs == (Book(fact=manual),)
    _, kill = plan(truth(held=5, executions=(manual,)), ours(), FUTURES).repairs
    assert isinstance(kill, Stop)
    assert (kill.code, kill.level) == (HaltCode.UNEXPECTED_POSITION, HaltLevel.KILLED)


def test_what_a_stranger_traded_waits_until_the_position_says_so_too() -> None:
    made = plan(truth(held=0, executions=(execution("x9", 5, "web-1"),)), ours(), LIVE)
    assert made.waits
    assert made.repairs == ()
    assert plan(truth(executions=(execution("x9", 5, "web-1"),), positions=None), ours(), LIVE).waits


def test_a_position_that_lags_what_is_about_to_be_heard_is_looked_at_again_afterwards() -> None:
    made = plan(truth(report(state=OrderState.PARTIAL, filled=4)), ours(order()), LIVE)
    assert kinds(made) == [(K.ORDER_BEHIND, True)]
    assert made.waits


def test_what_a_stranger_traded_is_booked_once() -> None:
    manual = execution("x9", 5, "web-1")
    assert plan(truth(held=5, executions=(manual,)), ours(held=5, strangers=(f"v1 x9 {NOW}",)), LIVE).is_clean


def test_a_stranger_and_a_missed_execution_of_ours_explain_a_position_together() -> None:
    manual, missed = execution("x9", -3, "web-1"), execution("x1", 10)
    made = plan(truth(held=7, executions=(manual, missed)), ours(order()), LIVE)
    assert Hear(fact=missed) in made.repairs
    assert Book(fact=manual) in made.repairs
    assert made.is_clean


def test_a_report_that_is_ahead_of_its_executions_explains_the_position_too() -> None:
    ahead = report(state=OrderState.PARTIAL, filled=7)
    made = plan(truth(ahead, held=7, executions=(execution("x1", 4),)), ours(order()), LIVE)
    assert made.is_clean
    assert (K.MISSING_INTERNAL, True) in kinds(made)


def test_an_order_that_look_ups_and_lists_lack_for_a_minute_is_over_if_the_position_agrees() -> None:
    missing = msgspec.structs.replace(order(), venue_id="v1", absent_ns=NOW - LIVE.gone_ns)
    (hear,) = plan(truth(), ours(missing), LIVE).repairs
    assert isinstance(hear, Hear)
    assert isinstance(hear.fact, OrderReported)
    assert hear.fact.state is OrderState.CANCELLED
    for other in (
        plan(truth(positions=None), ours(missing), LIVE),
        plan(truth(held=3), ours(missing), LIVE),
        plan(truth(), ours(msgspec.structs.replace(missing, absent_ns=NOW - LIVE.gone_ns + 1)), LIVE),
    ):
        assert other.repairs == (LookUp(client_id=ENTRY),)


def test_row_79_an_order_that_rests_with_other_figures_is_looked_up() -> None:
    changed = msgspec.structs.replace(report(), price=D(99))
    made = plan(truth(changed), ours(order()), LIVE)
    assert kinds(made) == [(K.ORDER_ATTRIBUTES, True)]
    assert made.repairs == (LookUp(client_id=ENTRY),)
    fresh = order(moved=NOW - 4 * SECOND)
    assert plan(truth(changed), ours(fresh), LIVE).repairs == ()


def test_a_position_is_protected_when_the_venue_s_own_list_says_so() -> None:
    guarded = (Guarded(instrument=SYMBOL, quantity=D(-10), stops=(ENTRY,)),)
    stop = ours(order(), held=-10, guarded=guarded)
    assert plan(truth(report(), held=-10), stop, LIVE).is_clean
    part = msgspec.structs.replace(report(filled=4))
    assert (K.PROTECTION, False) in kinds(plan(truth(part, held=-10), stop, LIVE))
    made = twice(truth(held=-10), stop, LIVE)
    assert kinds(made) == [(K.ORDER_ABSENT, True), (K.PROTECTION, False)]
    assert made.repairs == (LookUp(client_id=ENTRY), LookUp(client_id=ENTRY))


def test_what_a_person_lets_be_is_told_and_no_more() -> None:
    (found,) = plan(truth(report("web-17")), ours(), LIVE).differences
    made = plan(truth(report("web-17")), ours(accepted=(found.key,)), LIVE)
    assert kinds(made) == [(K.FOREIGN_ORDER, True)]
    assert made.repairs == ()


@pytest.mark.parametrize(("theirs", "found"), [("9999.00", []), ("9998.99", [K.CASH])])
def test_row_90_cash_is_compared_within_one_unit(theirs: str, found: list[DifferenceKind]) -> None:
    made = plan(truth(cash=D(theirs)), ours(cash=D(10_000), equity=D(100_000)), LIVE)
    assert [kind for kind, _ in kinds(made)] == found
    assert made.repairs == ()


def test_cash_that_differs_by_more_than_a_thousandth_of_the_equity_halts() -> None:
    made = twice(truth(cash=D("9989.99")), ours(cash=D(10_000), equity=D(10_000)), LIVE)
    (repair,) = made.repairs
    assert isinstance(repair, Stop)
    assert (repair.code, repair.level) == (HaltCode.DESYNC, HaltLevel.HALTED)


def test_an_average_price_that_differs_is_told_and_changes_nothing() -> None:
    theirs = truth(positions={SYMBOL: Position(quantity=D(5), average=D("100.51"))})
    assert kinds(plan(theirs, ours(held=5), LIVE)) == [(K.AVERAGE_PRICE, True)]
    near = truth(positions={SYMBOL: Position(quantity=D(5), average=D("100.5"))})
    assert kinds(plan(near, ours(held=5), LIVE)) == []


def test_money_of_executions_that_were_missed_is_no_difference() -> None:
    late = truth(held=10, executions=(execution("x1", 10),), cash=D(9_000))
    assert K.CASH not in [kind for kind, _ in kinds(plan(late, ours(order(), cash=D(10_000), equity=D(10_000)), LIVE))]


def test_a_plan_of_a_halt_reads_as_text_for_a_person() -> None:
    assert (
        render(plan(truth(held=3), ours(held=5), LIVE))
        == """\
1 difference between our books and the broker:
* BTCUSDT.BYBIT: the broker holds 3, we hold 5 (unexplained, seen once)
Next: compare once more in a few seconds; what is still unexplained then counts."""
    )
    assert (
        render(twice(truth(held=3), ours(held=5), LIVE))
        == """\
1 difference between our books and the broker:
* BTCUSDT.BYBIT: the broker holds 3, we hold 5 (UNEXPLAINED, seen twice)
Repairs:
* halt at level 3, DESYNC: BTCUSDT.BYBIT: 5 against 3
Next: look at the account at the broker; `keel clear-halt` lets it trade again after two clean comparisons."""
    )


def test_a_plan_of_repairs_reads_as_text_for_a_person() -> None:
    missed, manual = execution("x1", 10), execution("x9", -3, "web-1")
    made = plan(
        truth(report("web-17"), report("kls-orphan"), held=7, executions=(missed, manual)), ours(order()), LIVE
    )  # fmt: skip
    assert (
        render(made)
        == """\
5 differences between our books and the broker:
* BTCUSDT.BYBIT: we had not heard an execution of our order kle-entry: 10 at 100 (x1) (explained)
* BTCUSDT.BYBIT: an order that is not ours rests there: v1, 10 (explained)
* BTCUSDT.BYBIT: an order with our name, kls-orphan (v1), is not in our book (explained)
* BTCUSDT.BYBIT: our order kle-entry, working in our book, is not among the broker's (explained)
* BTCUSDT.BYBIT: somebody else traded: -3 at 100 (x9) (explained)
Repairs:
* book the execution x1 of order kle-entry
* open nothing more in BTCUSDT.BYBIT
* cancel order kls-orphan (v1): our book does not have it
* ask what became of order kle-entry
* book the execution x9 of somebody else, no order of ours
* open nothing more in BTCUSDT.BYBIT
Next: look at BTCUSDT.BYBIT at the broker, then accept what is there or trade it back."""
    )


def test_an_answer_that_lacks_a_page_and_one_that_comes_too_early_read_so() -> None:
    assert render(plan(truth(complete=False), ours(), LIVE)) == (
        "The broker's answer lacks a page, so nothing was compared.\nNext: ask again."
    )
    moving = ours(held=5, moved_ns={SYMBOL: NOW})
    assert render(plan(truth(), moving, LIVE)) == (
        "Something has just happened, so not everything could be compared.\n"
        "Next: compare once more in a few seconds; what is still unexplained then counts."
    )


def test_every_kind_of_difference_reads_as_a_sentence() -> None:
    for kind in DifferenceKind:
        made = Plan(differences=(Difference(kind=kind, instrument=SYMBOL, client_id=ENTRY, ours="1", theirs="2"),))
        assert "{" not in render(made)
        assert SYMBOL in render(made) or kind is K.CASH
