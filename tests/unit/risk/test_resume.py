from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from evenkeel.model.halt import Halt, HaltCode, HaltLevel, HaltReason, HaltSource
from evenkeel.model.time import MINUTE
from evenkeel.risk.halt import entry_scale, raised
from evenkeel.risk.halt_facts import HaltFacts
from evenkeel.risk.limits.profiles import profile
from evenkeel.risk.resume import PHRASE, Incident, ResumeFacts, ResumeRefused, ResumeRequest, resume, resume_checks

BALANCED = profile("balanced")
D = Decimal


def because(code: HaltCode, level: HaltLevel, at_ns: int = 10) -> HaltReason:
    return HaltReason(code=code, level=level, source=HaltSource.ENGINE, at_ns=at_ns)


HALT = raised(Halt(), because(HaltCode.QUEUE_STALE, HaltLevel.HALTED))
KILL = raised(Halt(), because(HaltCode.MANUAL, HaltLevel.KILLED))
DESYNC = raised(Halt(), because(HaltCode.DESYNC, HaltLevel.HALTED))
SOUND = HaltFacts(now_ns=50, dvs=D("0.80"), eqs=D("0.75"))
FACTS = ResumeFacts(
    halt=SOUND,
    incident=Incident(owner="anna", cause="a slow disk", at_ns=20),
    broker_reachable=True,
    unknown_orders=0,
    clean_cycles=1,
    journal_verified=True,
    clock_ok=True,
    unprotected=0,
)


def request(halt: Halt, **changed: Any) -> ResumeRequest:
    asked = ResumeRequest(
        phrase=PHRASE, operator="anna", reason="the disk was replaced", epoch=halt.epoch, at_ns=60, live=False
    )
    return msgspec.structs.replace(asked, **changed)


def refusal(halt: Halt, asked: ResumeRequest, facts: ResumeFacts = FACTS) -> ResumeRefused:
    answer = resume(halt, asked, facts, BALANCED)
    assert isinstance(answer, ResumeRefused)
    assert answer.text
    return answer


def failing(halt: Halt, facts: ResumeFacts) -> list[str]:
    answer = refusal(halt, request(halt), facts)
    assert answer.code == "CHECKS_FAILED"
    checks = resume_checks(halt, facts, BALANCED)
    assert len(checks) == 10
    assert answer.failed == tuple(check for check in checks if not check.passed)
    assert all(check.name in answer.text for check in answer.failed)
    return [check.name for check in answer.failed]


def test_a_halt_is_lifted_by_the_procedure_and_entries_are_eased_in() -> None:
    after = resume(HALT, request(HALT), FACTS, BALANCED)
    assert isinstance(after, Halt)
    assert (after.level, after.epoch, after.set_by) == (HaltLevel.NORMAL, HALT.epoch + 1, "anna")
    assert entry_scale(after, 60 + 30 * MINUTE - 1) == D("0.5")


def test_a_pause_outlives_the_procedure() -> None:
    halt = raised(KILL, because(HaltCode.OPERATOR_PAUSE, HaltLevel.PAUSED))
    after = resume(halt, request(halt), FACTS, BALANCED)
    assert isinstance(after, Halt)
    assert after.level is HaltLevel.PAUSED


@pytest.mark.parametrize("phrase", ["", "resume trading", "RESUME TRADING ", "RESET", "HALT TRADING"])
def test_a_wrong_phrase_changes_nothing(phrase: str) -> None:
    """Catalogue row 55."""
    assert refusal(HALT, request(HALT, phrase=phrase)).code == "WRONG_PHRASE"


@pytest.mark.parametrize("changed", [{"operator": " "}, {"reason": ""}])
def test_somebody_must_answer_for_it(changed: dict[str, Any]) -> None:
    assert refusal(HALT, request(HALT, **changed)).code == "NOBODY_ANSWERS"


def test_what_was_raised_since_the_look_is_not_lifted_unseen() -> None:
    newer = raised(HALT, because(HaltCode.MANUAL, HaltLevel.KILLED))
    assert refusal(newer, request(HALT)).code == "HALT_CHANGED"


@pytest.mark.parametrize("halt", [Halt(), raised(Halt(), because(HaltCode.OPERATOR_PAUSE, HaltLevel.PAUSED))])
def test_levels_below_3_need_no_procedure(halt: Halt) -> None:
    assert refusal(halt, request(halt)).code == "NOT_HALTED"


@pytest.mark.parametrize(
    ("halt", "live", "approver", "passes"),
    [
        (KILL, True, "", False), (KILL, True, "Anna ", False), (KILL, True, "bea", True), (KILL, False, "", True),
        (HALT, True, "", True),
    ],
)  # fmt: skip
def test_level_4_with_real_money_needs_two_people(halt: Halt, live: bool, approver: str, passes: bool) -> None:
    asked = request(halt, live=live, approver=approver)
    if passes:
        assert isinstance(resume(halt, asked, FACTS, BALANCED), Halt)
    else:
        assert refusal(halt, asked).code == "SECOND_APPROVER"


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"incident": None}, "incident"),
        ({"incident": Incident(owner="", cause="x", at_ns=20)}, "incident"),
        ({"incident": Incident(owner="anna", cause=" ", at_ns=20)}, "incident"),
        ({"incident": Incident(owner="anna", cause="an older one", at_ns=9)}, "incident"),
        ({"broker_reachable": False}, "broker"),
        ({"broker_reachable": None}, "broker"),
        ({"unknown_orders": 1}, "unknown orders"),
        ({"unknown_orders": None}, "unknown orders"),
        ({"clean_cycles": 0}, "clean reconciliations"),
        ({"clean_cycles": None}, "clean reconciliations"),
        ({"journal_verified": False}, "journal"),
        ({"journal_verified": None}, "journal"),
        ({"clock_ok": False}, "clock"),
        ({"clock_ok": None}, "clock"),
        ({"halt": HaltFacts(now_ns=50, dvs=D("0.79"), eqs=D("0.75"))}, "data quality"),
        ({"halt": HaltFacts(now_ns=50, eqs=D("0.75"))}, "data quality"),
        ({"halt": HaltFacts(now_ns=50, dvs=D("0.80"), eqs=D("0.74"))}, "execution quality"),
        ({"halt": HaltFacts(now_ns=50, dvs=D("0.80"))}, "execution quality"),
        ({"halt": msgspec.structs.replace(SOUND, daily_loss=D("0.03"))}, "limits"),
        ({"halt": msgspec.structs.replace(SOUND, unknown_since_ns=50 - 60 * 10**9)}, "limits"),
        ({"unprotected": 1}, "protection"),
        ({"unprotected": None}, "protection"),
    ],
)
def test_each_check_alone_stands_in_the_way(changed: dict[str, Any], name: str) -> None:
    assert failing(HALT, msgspec.structs.replace(FACTS, **changed)) == [name]


def test_a_cause_of_reconciliation_needs_two_clean_cycles() -> None:
    assert failing(DESYNC, FACTS) == ["clean reconciliations"]
    facts = msgspec.structs.replace(FACTS, clean_cycles=2)
    assert isinstance(resume(DESYNC, request(DESYNC), facts, BALANCED), Halt)


def test_rejections_are_forgiven_and_a_drawdown_is_when_a_person_says_so() -> None:
    rejected = msgspec.structs.replace(FACTS, halt=msgspec.structs.replace(SOUND, rejections=9))
    assert isinstance(resume(HALT, request(HALT), rejected, BALANCED), Halt)
    fallen = msgspec.structs.replace(FACTS, halt=msgspec.structs.replace(SOUND, drawdown_ever=D("0.2")))
    assert failing(KILL, fallen) == ["limits"]
    assert isinstance(resume(KILL, request(KILL, rebase=True), fallen, BALANCED), Halt)


def test_a_pause_that_would_follow_stands_in_nobodys_way() -> None:
    facts = msgspec.structs.replace(FACTS, halt=msgspec.structs.replace(SOUND, override_until_ns=1))
    assert isinstance(resume(HALT, request(HALT), facts, BALANCED), Halt)


def test_a_profile_without_quality_asks_for_none() -> None:
    facts = msgspec.structs.replace(FACTS, halt=HaltFacts(now_ns=50))
    assert isinstance(resume(HALT, request(HALT), facts, profile("research")), Halt)


def test_an_incident_may_be_written_in_the_instant_of_the_halt() -> None:
    facts = msgspec.structs.replace(FACTS, incident=Incident(owner="anna", cause="x", at_ns=10))
    assert isinstance(resume(HALT, request(HALT), facts, BALANCED), Halt)


def test_every_check_says_what_was_found_and_what_is_needed() -> None:
    told = {check.name: (check.found, check.needed) for check in resume_checks(HALT, FACTS, BALANCED)}
    assert told == {
        "incident": ("anna: a slow disk", "acknowledged, with owner and cause"),
        "broker": ("yes", "reachable"),
        "unknown orders": ("0", "0"),
        "clean reconciliations": ("1", "1 in a row"),
        "journal": ("yes", "verified"),
        "clock": ("yes", "close to the broker's"),
        "data quality": ("0.80", "0.80"),
        "execution quality": ("0.75", "0.75"),
        "limits": ("none broken", "none broken"),
        "protection": ("0", "0 positions without a stop"),
    }
    broken = ResumeFacts(
        halt=HaltFacts(now_ns=50, daily_loss=D("0.03"), drawdown_ever=D("0.10")), broker_reachable=False,
        incident=Incident(owner="", cause="", at_ns=20),
    )  # fmt: skip
    told = {check.name: (check.found, check.needed) for check in resume_checks(DESYNC, broken, profile("research"))}
    assert told["incident"][0] == "nobody: no cause"
    assert told["broker"][0] == "no"
    assert told["journal"][0] == told["unknown orders"][0] == "not known"
    assert told["data quality"] == ("not known", "nothing")
    told = {check.name: (check.found, check.needed) for check in resume_checks(DESYNC, broken, BALANCED)}
    assert told["limits"][0] == "DAILY_LOSS, DRAWDOWN_HARD, MAX_DRAWDOWN"
    assert resume_checks(HALT, ResumeFacts(halt=SOUND), BALANCED)[0].found == "none"
