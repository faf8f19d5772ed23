"""The plan of a reconciliation: each difference of operations.md 4.4 and 4.5, and that a message on its way is none."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from evenkeel.execution.reconcile.plan import (
    FUTURES,
    LIVE,
    PAPER,
    Block,
    DifferenceKind,
    Hear,
    LookUp,
    Ours,
    Policy,
    Position,
    Stop,
    Truth,
    Withdraw,
    describe,
    plan,
)
from evenkeel.model.halt import HaltCode, HaltLevel
from evenkeel.model.ids import ClientId, InstrumentId, Leg, StrategyId
from evenkeel.model.intent import OrderKind
from evenkeel.model.order import OrderState, VenueOrder
from evenkeel.model.report import Executed, OrderReported

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


def ours(*orders: VenueOrder, held: int = 0, executions: tuple[str, ...] = (), **facts: Any) -> Ours:
    return Ours(
        now_ns=NOW, prefix="kl", orders={one.client_id: one for one in orders}, executions=frozenset(executions),
        positions={SYMBOL: Position(quantity=D(held), average=D(100))}, owned=frozenset({SYMBOL}), lots={SYMBOL: D(1)},
        **facts,
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


def kinds(made: Any) -> list[tuple[DifferenceKind, bool]]:
    return [(difference.kind, difference.explained) for difference in made.differences]


def test_books_that_agree_give_a_clean_plan() -> None:
    made = plan(truth(report()), ours(order()), LIVE)
    assert made.is_clean
    assert made.repairs == ()
    assert describe(made) == ("Our books and the broker's agree.",)


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
    made = plan(truth(ahead), ours(order()), LIVE)
    assert kinds(made) == [(K.ORDER_BEHIND, True)]
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
    made = plan(truth(report()), ours(order(OrderState.CANCELLED)), LIVE)
    assert kinds(made) == [(K.ORDER_OPEN_AFTER_END, False)]
    assert made.repairs == (Withdraw(venue_id="v1", client_id=ENTRY),)


def test_an_order_of_ours_that_the_book_lacks_was_left_by_a_crash_and_is_withdrawn() -> None:
    made = plan(truth(report("kls-orphan")), ours(), LIVE)
    assert kinds(made) == [(K.OWN_ORPHAN, True)]
    assert made.repairs == (Withdraw(venue_id="v1", client_id=ClientId("kls-orphan")),)


def test_a_foreign_order_is_never_touched_and_nothing_is_opened_beside_it() -> None:
    made = plan(truth(report("web-17"), report("web-18", at=OTHER)), ours(), LIVE)
    assert kinds(made) == [(K.FOREIGN_ORDER, False)]
    assert made.repairs == (Block(instrument=SYMBOL, kind=K.FOREIGN_ORDER),)


@pytest.mark.parametrize(
    ("held", "theirs", "kind"),
    [(0, 5, K.MISSING_INTERNAL), (5, 0, K.MISSING_BROKER), (5, 3, K.QUANTITY), (5, -5, K.SIGN)],
)
@pytest.mark.parametrize(
    ("policy", "answers"),
    [
        (LIVE, {K.MISSING_INTERNAL: "block", K.MISSING_BROKER: "block", K.QUANTITY: 3, K.SIGN: 4}),
        (PAPER, {K.MISSING_INTERNAL: "block", K.MISSING_BROKER: "block", K.QUANTITY: "block", K.SIGN: 3}),
        (FUTURES, {K.MISSING_INTERNAL: 4, K.MISSING_BROKER: 4, K.QUANTITY: 4, K.SIGN: 4}),
    ],
)
def test_a_position_that_nothing_explains(
    held: int, theirs: int, kind: DifferenceKind, policy: Policy, answers: dict[DifferenceKind, Any]
) -> None:
    made = plan(truth(held=theirs), ours(held=held), policy)
    assert kinds(made) == [(kind, False)]
    (repair,) = made.repairs
    if answers[kind] == "block":
        assert repair == Block(instrument=SYMBOL, kind=kind)
    else:
        assert isinstance(repair, Stop)
        assert repair.level == answers[kind]
    assert not made.is_clean


def test_row_81_a_position_that_lags_a_fresh_fill_is_no_difference() -> None:
    late = ours(held=5, moved_ns={SYMBOL: NOW - 4 * SECOND})
    assert plan(truth(), late, LIVE).is_clean
    settled = ours(held=5, moved_ns={SYMBOL: NOW - 5 * SECOND})
    assert not plan(truth(), settled, LIVE).is_clean


def test_an_order_in_doubt_that_could_explain_a_gap_is_waited_for() -> None:
    doubtful = order(OrderState.UNKNOWN)
    assert plan(truth(held=10), ours(doubtful), LIVE).repairs == ()
    assert plan(truth(held=11), ours(doubtful), LIVE).repairs != ()
    assert plan(truth(held=-1), ours(doubtful), LIVE).repairs != ()


def test_row_84_a_missing_order_with_a_changed_position_is_explained_by_its_executions_only() -> None:
    made = plan(truth(held=10, executions=(execution("x1", 10),)), ours(order()), LIVE)
    assert kinds(made) == [(K.EXECUTION_MISSED, True), (K.ORDER_ABSENT, True), (K.MISSING_INTERNAL, True)]
    assert made.is_clean
    assert made.repairs == (Hear(fact=execution("x1", 10)), LookUp(client_id=ENTRY))


def test_executions_of_strangers_explain_nothing() -> None:
    made = plan(truth(held=5, executions=(execution("x9", 5, "web-1"),)), ours(), LIVE)
    assert kinds(made) == [(K.MISSING_INTERNAL, False)]


@pytest.mark.parametrize(("theirs", "found"), [("9999.00", []), ("9998.99", [K.CASH])])
def test_row_90_cash_is_compared_within_one_unit(theirs: str, found: list[DifferenceKind]) -> None:
    made = plan(truth(cash=D(theirs)), ours(cash=D(10_000), equity=D(100_000)), LIVE)
    assert [kind for kind, _ in kinds(made)] == found
    assert made.repairs == ()


def test_cash_that_differs_by_more_than_a_thousandth_of_the_equity_halts() -> None:
    made = plan(truth(cash=D("9989.99")), ours(cash=D(10_000), equity=D(10_000)), LIVE)
    (repair,) = made.repairs
    assert isinstance(repair, Stop)
    assert (repair.code, repair.level) == (HaltCode.DESYNC, HaltLevel.HALTED)


def test_an_average_price_that_differs_is_told_and_changes_nothing() -> None:
    theirs = truth(positions={SYMBOL: Position(quantity=D(5), average=D("100.51"))})
    assert kinds(plan(theirs, ours(held=5), LIVE)) == [(K.AVERAGE_PRICE, True)]
    near = truth(positions={SYMBOL: Position(quantity=D(5), average=D("100.5"))})
    assert kinds(plan(near, ours(held=5), LIVE)) == []


def test_a_plan_reads_as_lines_for_a_person() -> None:
    made = plan(truth(held=3), ours(held=5), LIVE)
    assert list(describe(made)) == [
        "UNEXPLAINED quantity: BTCUSDT.BYBIT  ours 5, theirs 3",
        "to do: stop DESYNC at level 3: BTCUSDT.BYBIT: 5 against 3",
    ]
    assert "Ask again" in describe(plan(truth(complete=False), ours(), LIVE))[0]
