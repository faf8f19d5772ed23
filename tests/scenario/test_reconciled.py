"""Rows of the failure catalogue (operations.md 12) that the comparison with the venue decides, told from outside.

The venue is the test: an account asks it for everything, and it says what it likes.
"""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

from account_desk import COIN, LONG, PRICE, TREND, AccountDesk
from evenkeel.engine.account.desk import DeskId
from evenkeel.engine.account.entry import OfDesk
from evenkeel.engine.account.our_side import EXTERNAL
from evenkeel.engine.account.recon_record import Reconciled
from evenkeel.engine.account.startup import Step
from evenkeel.execution.books import Owner
from evenkeel.model.command import AskVenue, CancelOrder
from evenkeel.model.decision import EntryRefused
from evenkeel.model.event import SessionBegan
from evenkeel.model.halt import HaltCode, HaltLevel
from evenkeel.model.ids import ClientId, Leg
from evenkeel.model.order import OrderState
from evenkeel.model.reason import Reason
from evenkeel.model.report import Executed, OrderReported
from evenkeel.model.truth import DifferenceAccepted, Position
from evenkeel.risk.gates.facts.engine import Phase

QUARTER_HOUR = 900


def holding() -> AccountDesk:
    """Return an account that holds 0.002 with its stop and target."""
    desk = AccountDesk()
    desk.ready()
    desk.fill(desk.enter().client_id)
    assert desk.account.books.position(COIN) == D("0.002")
    return desk


def flat() -> AccountDesk:
    desk = AccountDesk()
    desk.ready()
    return desk


def execution(desk: AccountDesk, name: str, quantity: str, identity: str) -> Executed:
    return Executed(
        event_ns=desk.now, known_ns=desk.now, instrument=COIN, execution_id=name, client_id=ClientId(identity),
        venue_id="v9", quantity=D(quantity), price=PRICE,
    )  # fmt: skip


def comparisons(desk: AccountDesk) -> list[Reconciled]:
    return [entry for step in desk.steps for entry in step.entries if isinstance(entry, Reconciled)]


def owned(desk: AccountDesk) -> dict[str, D]:
    return {owner.strategy: one.quantity for owner, one in desk.account.books.holdings.items() if one.quantity}


def positions(units: str) -> dict[str, Any]:
    return {"positions": {COIN: Position(quantity=D(units))}}


def resting(desk: AccountDesk, identity: str) -> OrderReported:
    return OrderReported(
        event_ns=desk.now, known_ns=desk.now, instrument=COIN, client_id=ClientId(identity), venue_id="v77",
        state=OrderState.WORKING, quantity=D("0.001"), price=D(15_000),
    )  # fmt: skip


def refused_as(desk: AccountDesk) -> Reason | None:
    """Let the strategy wish an entry; return why it came to nothing."""
    verdict = desk.wish(LONG)
    if verdict is not None:
        return verdict.reason
    told = [entry.what for entry in desk.steps[-1].entries if isinstance(entry, OfDesk)]
    return next((what.reason for what in told if isinstance(what, EntryRefused)), None)


def test_row_25_a_fill_of_which_all_news_was_lost_is_found_and_protected() -> None:
    desk = flat()
    entry = desk.enter().client_id
    desk.accept(entry)
    desk.told_otherwise = {
        "orders": (), "executions": (execution(desk, "x1", "0.002", entry),), **positions("0.002")
    }  # fmt: skip
    while not desk.account.books.position(COIN):
        desk.wait(10)
    desk.told_otherwise = {}
    desk.settle()
    assert desk.account.books.position(COIN) == D("0.002")
    stops = [command.order for command in desk.placed() if command.order.leg is Leg.STOP]
    assert [stop.quantity for stop in stops] == [D("-0.002")]
    assert desk.account.halt.level is HaltLevel.NORMAL


def test_row_78_a_close_by_hand_frees_the_strategy_withdraws_what_rests_and_blocks_the_instrument() -> None:
    desk = holding()
    desk.told_otherwise = {"executions": (execution(desk, "x9", "-0.002", "by-hand"),), **positions("0")}
    desk.wait(310)
    assert owned(desk) == {}
    assert desk.account.desks[DeskId(TREND, COIN)].position == 0
    stop = next(command.order for command in desk.placed() if command.order.leg is Leg.STOP)
    assert stop.client_id in [command.client_id for command in desk.commands if isinstance(command, CancelOrder)]
    assert COIN in desk.account.reconciling.blocked


def test_row_80_a_position_opened_by_hand_is_counted_and_never_managed() -> None:
    desk = flat()
    desk.told_otherwise = {"executions": (execution(desk, "x9", "0.003", "by-hand"),), **positions("0.003")}
    desk.wait(310)
    assert owned(desk) == {EXTERNAL: D("0.003")}
    assert desk.account.books.position(COIN) == D("0.003")
    assert desk.account.supervisor.held(COIN) == 0
    assert desk.placed() == []
    assert COIN in desk.account.reconciling.blocked
    assert desk.account.halt.reason(HaltCode.UNEXPECTED_POSITION) is not None


def test_a_position_without_evidence_is_not_taken_over_live_and_a_person_can() -> None:
    desk = flat()
    desk.told_otherwise = positions("0.003")
    desk.wait(310)
    assert owned(desk) == {}
    assert COIN in desk.account.reconciling.blocked
    desk.tell(DifferenceAccepted, COIN, by="a person")
    assert owned(desk) == {EXTERNAL: D("0.003")}
    assert COIN not in desk.account.reconciling.blocked
    desk.wait(310)
    assert comparisons(desk)[-1].plan.is_clean


def test_an_instrument_that_is_blocked_opens_nothing() -> None:
    desk = flat()
    desk.told_otherwise = {"orders": (resting(desk, "web-1"),)}
    desk.wait(130)
    desk.wait(60)
    assert COIN in desk.account.reconciling.blocked
    before = len(desk.placed())
    assert refused_as(desk) is Reason.RECON_UNHEALTHY
    assert len(desk.placed()) == before
    assert not [command for command in desk.commands if isinstance(command, CancelOrder)]


def test_row_82_an_answer_that_lacks_a_page_changes_nothing_and_row_83_three_halt() -> None:
    desk = holding()
    desk.told_otherwise = {"complete": False, "orders": (), **positions("0")}
    desk.wait(125)
    assert comparisons(desk)[-1].plan.failed
    assert desk.account.books.position(COIN) == D("0.002")
    desk.wait(60)
    assert desk.account.halt.reason(HaltCode.RECON_BLIND) is not None


def test_row_83_a_venue_that_answers_nothing_halts() -> None:
    desk = flat()
    desk.answers = False
    desk.wait(240)
    assert desk.account.halt.reason(HaltCode.RECON_BLIND) is not None
    assert desk.account.reconciling.compared(()).recon_failures >= 3


def test_a_position_of_the_other_side_kills() -> None:
    desk = holding()
    desk.told_otherwise = positions("-0.002")
    desk.wait(330)
    found = desk.account.halt.reason(HaltCode.DESYNC_UNEXPLAINED)
    assert found is not None
    assert found.level is HaltLevel.KILLED


def test_an_order_left_behind_is_withdrawn_at_the_start_and_one_that_turns_up_later_is_another_engine_s() -> None:
    desk = AccountDesk()
    desk.told_otherwise = {"orders": (resting(desk, "kle-left"),)}
    desk.ready()
    withdrawn = [command for command in desk.commands if isinstance(command, CancelOrder)]
    assert {(command.client_id, command.venue_id) for command in withdrawn} == {("kle-left", "v77")}
    assert desk.account.halt.level is HaltLevel.NORMAL
    desk.told_otherwise = {"orders": (resting(desk, "kle-other"),)}
    desk.wait(130)
    found = desk.account.halt.reason(HaltCode.DUPLICATE_ENGINE)
    assert found is not None
    assert found.level is HaltLevel.KILLED


def test_no_entry_before_the_start_has_been_compared_twice() -> None:
    desk = flat()
    desk.answers = False
    desk.tell(SessionBegan)
    assert desk.account.startup.state.step is Step.COMPARED
    desk.alive()
    assert desk.account.startup.phase is Phase.STARTING
    verdict = desk.wish(LONG)
    assert verdict is not None
    assert (6, Reason.ENGINE_NOT_READY) in [(check.gate, check.reason) for check in verdict.figures]


def test_the_questions_follow_the_profile() -> None:
    desk = flat()
    start = desk.now
    desk.wait(QUARTER_HOUR)
    asked = [
        entry for step in desk.steps for entry in step.entries if isinstance(entry, AskVenue) and entry.asked_ns > start
    ]  # fmt: skip
    assert 7 <= len(asked) <= 11
    assert 2 <= sum(one.whole for one in asked) <= 4


def test_row_89_owners_sum_to_the_account_after_a_stranger_took_more_than_was_held() -> None:
    desk = holding()
    desk.told_otherwise = {"executions": (execution(desk, "x9", "-0.005", "by-hand"),), **positions("-0.003")}
    desk.wait(310)
    assert owned(desk) == {EXTERNAL: D("-0.003")}
    assert desk.account.books.holdings[Owner(TREND, COIN)].quantity == 0
