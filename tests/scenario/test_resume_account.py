"""A person resumes a halted account: asked from outside, answered by the account, lifted by nothing else."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from typing import Any

import msgspec
import pytest

from account_desk import AccountDesk
from evenkeel.engine.account.entry import HaltChanged
from evenkeel.engine.account.rails import Resumed, ResumeDenied
from evenkeel.model.event import Operated, Operation, SessionBegan
from evenkeel.model.halt import HaltCode, HaltLevel
from evenkeel.model.order import OrderState
from evenkeel.model.reason import Reason
from evenkeel.model.report import Outcome
from evenkeel.model.time import MINUTE, SECOND
from evenkeel.model.told import ClockMeasured, IncidentTold, MarginCalled, ResumeAsked, SessionOpened
from evenkeel.risk.resume import PHRASE


def compared(desk: AccountDesk, cycles: int) -> None:
    """Let so many comparisons in a row have been clean."""
    reconciling = desk.account.reconciling
    reconciling.record = msgspec.structs.replace(reconciling.record, clean_cycles=cycles)


def halted(operation: Operation = Operation.KILL, **limits: object) -> AccountDesk:
    """Return an account that an operator halted, and whose incident a person has written down."""
    desk = AccountDesk(**limits)  # type: ignore[arg-type]
    desk.ready()
    compared(desk, 2)
    desk.tell(Operated, operation=operation, by="a person")
    desk.tell(IncidentTold, owner="a person", cause="a drill")
    return desk


def ask(desk: AccountDesk, **changes: Any) -> ResumeDenied | None:
    """Ask to trade again; return why not, None where it was granted."""
    told: dict[str, Any] = {
        "phrase": PHRASE, "operator": "a person", "reason": "the drill is over", "epoch": desk.account.halt.epoch,
        "live": True, "approver": "another person", "broker_reachable": True, "journal_verified": True, **changes,
    }  # fmt: skip
    step = desk.tell(ResumeAsked, **told)
    return next((entry for entry in step.entries if isinstance(entry, ResumeDenied)), None)


def failed(denied: ResumeDenied | None) -> list[str]:
    """Return the names of the checks that stand in the way."""
    return [] if denied is None else [check.name for check in denied.refused.failed]


@pytest.mark.parametrize("operation", [Operation.HALT, Operation.KILL])
def test_a_resume_lifts_what_an_operator_set_and_eases_entries_in(operation: Operation) -> None:
    desk = halted(operation)
    epoch = desk.account.halt.epoch
    assert ask(desk) is None

    halt = desk.account.halt
    assert (halt.level, halt.epoch, halt.reasons) == (HaltLevel.NORMAL, epoch + 1, ())
    assert halt.eased_until_ns == desk.now + 30 * MINUTE
    verdict = desk.enter()
    assert (verdict.reason, verdict.approved) == (Reason.OK, D("0.001"))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"phrase": "resume trading"}, "WRONG_PHRASE"),
        ({"operator": " "}, "NOBODY_ANSWERS"),
        ({"epoch": 1}, "HALT_CHANGED"),
        ({"approver": ""}, "SECOND_APPROVER"),
        ({"approver": "A person"}, "SECOND_APPROVER"),
        ({"broker_reachable": None}, "CHECKS_FAILED"),
        ({"journal_verified": False}, "CHECKS_FAILED"),
    ],
)
def test_a_request_that_lacks_something_changes_nothing(changes: dict[str, Any], code: str) -> None:
    desk = halted()
    before = desk.account.halt
    denied = ask(desk, **changes)

    assert denied is not None
    assert denied.refused.code == code
    assert desk.account.halt == before


def test_what_stands_in_the_way_is_named() -> None:
    desk = halted()
    compared(desk, 0)
    desk.tell(ClockMeasured, offset_ns=-5 * SECOND)

    assert failed(ask(desk)) == ["clean reconciliations", "clock"]


def test_an_order_that_is_unknown_stands_in_the_way() -> None:
    desk = AccountDesk()
    desk.ready()
    compared(desk, 2)
    desk.resolve(desk.enter().client_id, Outcome.UNKNOWN)
    desk.tell(Operated, operation=Operation.HALT, by="a person")
    desk.tell(IncidentTold, owner="a person", cause="a drill")

    assert failed(ask(desk)) == ["unknown orders"]


def test_a_reason_raised_after_the_incident_was_written_is_another_incident() -> None:
    desk = halted(Operation.HALT)
    desk.tell(MarginCalled, text="top up")
    assert failed(ask(desk)) == ["incident"]

    desk.tell(IncidentTold, owner="a person", cause="margin was paid in")
    assert ask(desk) is None
    assert desk.account.halt.level is HaltLevel.NORMAL


def test_a_drawdown_that_stands_is_lifted_only_where_it_is_accepted() -> None:
    desk = halted(losses__soft_drawdown=None, losses__medium_drawdown=None, losses__intraday_drawdown=None)
    desk.worth("890")
    desk.tell(SessionOpened, session=date(2023, 11, 15), close=D(890))
    desk.tell(IncidentTold, owner="a person", cause="a bad week")
    assert failed(ask(desk)) == ["limits"]

    assert ask(desk, rebase=True) is None
    assert desk.account.rails.guardrails.peak_ever == 890
    assert desk.account.halt.level is HaltLevel.NORMAL


def test_rejections_are_forgiven_and_counted_anew() -> None:
    desk = AccountDesk(pace__signal_cooldown_s=None)
    desk.ready()
    compared(desk, 2)
    for _ in range(5):
        desk.resolve(desk.enter().client_id, Outcome.REFUSED)
        desk.minute()
    assert desk.account.halt.reason(HaltCode.HIGH_REJECTIONS) is not None
    desk.tell(IncidentTold, owner="a person", cause="the broker's fault")

    assert ask(desk) is None
    desk.minute()
    assert desk.account.halt.reasons == ()


@pytest.mark.parametrize("operation", [Operation.PAUSE, Operation.RESUME])
def test_no_other_wish_lifts_a_kill(operation: Operation) -> None:
    desk = halted()
    desk.tell(Operated, operation=operation, by="a person")
    desk.tell(SessionBegan, halt=desk.account.halt)
    desk.wait(3 * 3600)

    assert desk.account.halt.level is HaltLevel.KILLED


def test_a_resume_is_written_as_what_was_concluded() -> None:
    desk = halted()
    ask(desk)
    kinds = [type(entry) for entry in desk.steps[-1].entries]

    assert kinds[:2] == [Resumed, HaltChanged]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(desk.steps[-1].entries[0]), type=Resumed) == Resumed()


def test_a_kill_closes_what_is_held_and_a_resume_waits_until_it_is_flat() -> None:
    desk = AccountDesk()
    desk.ready()
    compared(desk, 2)
    desk.fill(desk.enter().client_id)
    step = desk.tell(Operated, operation=Operation.KILL, by="a person")
    exits = [command for command in step.commands if getattr(command, "order", None) is not None]

    assert [order.order.quantity for order in exits] == [D("-0.002")]  # type: ignore[union-attr]
    assert all(o.state is not OrderState.CANCELLED for o in desk.account.supervisor.book.open.values())
