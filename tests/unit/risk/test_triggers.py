"""Each trigger fires at its limit, alone, and not one step before."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from evenkeel.model.halt import Halt, HaltCode, HaltLevel
from evenkeel.model.time import MINUTE, SECOND
from evenkeel.risk import guardrails as fold
from evenkeel.risk.guardrails import Guardrails
from evenkeel.risk.halt import raised
from evenkeel.risk.halt_facts import Desync, Exceeded, HaltFacts
from evenkeel.risk.ladder import Rung
from evenkeel.risk.limits.profiles import profile
from evenkeel.risk.triggers import TRIGGERS, climbed, judged, next_due_ns, standing

D = Decimal
BALANCED, MICRO, SMALL = (profile(name) for name in ("balanced", "micro_futures", "perp_small"))
STRICT = BALANCED.replaced({"operation.kills": True})
NOW = 1_000 * MINUTE
PAUSED, HALTED, KILLED = HaltLevel.PAUSED, HaltLevel.HALTED, HaltLevel.KILLED


class Case(NamedTuple):
    """Facts that fire one trigger alone, and the nearest that do not."""

    code: HaltCode
    level: HaltLevel
    strict: HaltLevel
    fires: dict[str, Any]
    rests: dict[str, Any]


def since(**lasting: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what has lasted exactly so long, and what has lasted a nanosecond less."""
    ((name, for_ns),) = lasting.items()
    return {name: NOW - for_ns}, {name: NOW - for_ns + 1}


C = HaltCode
CASES = [
    Case(C.DAILY_LOSS, HALTED, HALTED, {"daily_loss": D("0.03")}, {"daily_loss": D("0.0299")}),
    Case(C.RAPID_DRAWDOWN, HALTED, HALTED, {"session_drawdown": D("0.0201")}, {"session_drawdown": D("0.02009")}),
    Case(C.DRAWDOWN_HARD, HALTED, HALTED, {"drawdown_ever": D("0.05")}, {"drawdown_ever": D("0.0499")}),
    Case(C.MAX_DRAWDOWN, KILLED, KILLED, {"peak_known": False}, {"peak_known": True, "drawdown_ever": None}),
    Case(
        C.CONSTITUTION, KILLED, KILLED,
        {"exceeded": (Exceeded(name="position", value=D(2), limit=D(1)),)}, {"exceeded": ()},
    ),
    Case(C.INVARIANT, KILLED, KILLED, {"impossible": "quantity -1"}, {"impossible": ""}),
    Case(C.UNPROTECTED, KILLED, KILLED, *since(unprotected_since_ns=5 * SECOND)),
    Case(C.NOT_FLAT, KILLED, KILLED, {"flat_by_ns": NOW}, {"flat_by_ns": NOW + 1}),
    Case(C.MARGIN_CALL, KILLED, KILLED, {"available": D("-0.01")}, {"available": D(0)}),
    Case(C.MARGIN_CALL, KILLED, KILLED, {"maintenance_used": D(1)}, {"maintenance_used": D("0.99")}),
    Case(C.MARGIN_CALL, KILLED, KILLED, {"margin_called": True}, {"margin_called": False}),
    Case(C.DESYNC, HALTED, KILLED, {"desync": Desync.EXPLAINED}, {"desync": Desync.NONE}),
    Case(C.DESYNC_UNEXPLAINED, KILLED, KILLED, {"desync": Desync.UNEXPLAINED}, {"desync": Desync.NONE}),
    Case(C.UNEXPECTED_POSITION, HALTED, KILLED, {"foreign_position": "ES.CME 1"}, {"foreign_position": ""}),
    Case(C.OVERFILL, HALTED, KILLED, {"overfilled": "kpe-x 2 of 1"}, {"overfilled": ""}),
    Case(C.RECON_MISMATCH, HALTED, HALTED, {"recon_mismatches": 3}, {"recon_mismatches": 2}),
    Case(C.RECON_BLIND, HALTED, HALTED, {"recon_failures": 3}, {"recon_failures": 2}),
    Case(C.DVS_KILL, KILLED, KILLED, {"dvs": D("0.29")}, {"dvs": D("0.30")}),
    Case(C.EQS_KILL, KILLED, KILLED, {"eqs": D("0.29")}, {"eqs": D("0.30")}),
    Case(
        C.QUEUE_STALE, HALTED, HALTED,
        {"bar_queued_since_ns": NOW - 2 * MINUTE, "bar_length_ns": MINUTE},
        {"bar_queued_since_ns": NOW - 2 * MINUTE + 1, "bar_length_ns": MINUTE},
    ),
    Case(C.HIGH_REJECTIONS, HALTED, KILLED, {"rejections": 5}, {"rejections": 4}),
    Case(C.RUNAWAY, KILLED, KILLED, {"submissions": 120}, {"submissions": 119}),
    Case(C.RECONNECTS_EXHAUSTED, HALTED, KILLED, {"reconnects_exhausted": True}, {"reconnects_exhausted": False}),
    Case(C.UNHANDLED, KILLED, KILLED, {"unhandled": "KeyError"}, {"unhandled": ""}),
    Case(C.DUPLICATE_ENGINE, KILLED, KILLED, {"duplicate_engine": "kle-x"}, {"duplicate_engine": ""}),
    Case(C.GATEWAY_BYPASS, KILLED, KILLED, {"bypassed": "kle-x"}, {"bypassed": ""}),
    Case(C.WATCHDOG_PROTECTED, HALTED, HALTED, *since(heartbeat_ns=30 * SECOND)),
    Case(C.WATCHDOG_MISSING, PAUSED, PAUSED, *since(watchdog_seen_ns=30 * SECOND)),
    Case(C.ALERTS_DOWN, PAUSED, PAUSED, *since(alert_undelivered_since_ns=60 * SECOND)),
    Case(C.OVERRIDE_EXPIRED, PAUSED, PAUSED, {"override_until_ns": NOW}, {"override_until_ns": NOW + 1}),
    Case(C.STATE_UNSAVEABLE, HALTED, HALTED, {"save_failures": 3}, {"save_failures": 2}),
    Case(C.JOURNAL_FAILED, HALTED, HALTED, {"journal_failed": True}, {"journal_failed": False}),
]  # fmt: skip
"""Those whose limits differ by profile, and those that need two facts, have tests of their own below."""

APART = {C.ORDER_UNKNOWN, C.CONNECTION_LOST, C.CONNECTION_LOST_FLAT, C.WATCHDOG, C.ALERTS_DOWN_LONG}


def codes(facts: HaltFacts, limits: Any = BALANCED) -> set[HaltCode]:
    return {reason.code for reason in judged(Halt(), facts, limits).reasons}


@pytest.mark.parametrize("case", CASES, ids=[case.code for case in CASES])
def test_a_trigger_fires_at_its_limit_and_alone(case: Case) -> None:
    for limits, level in ((BALANCED, case.level), (STRICT, case.strict)):
        halt = judged(Halt(), HaltFacts(now_ns=NOW, **case.fires), limits)
        assert {reason.code: reason.level for reason in halt.reasons} == {case.code: level}
        assert (halt.epoch, halt.set_by) == (2, "engine")
        assert judged(Halt(), HaltFacts(now_ns=NOW, **case.rests), limits) == Halt()


def test_every_trigger_has_a_case() -> None:
    assert {trigger.code for trigger in TRIGGERS} == {case.code for case in CASES} | APART
    assert len({trigger.code for trigger in TRIGGERS}) == len(TRIGGERS)


def test_a_trigger_that_is_taken_out_of_the_table_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    for case in CASES:
        with monkeypatch.context() as patch:
            rest = tuple(trigger for trigger in TRIGGERS if trigger.code is not case.code)
            patch.setattr("evenkeel.risk.triggers.TRIGGERS", rest)
            assert judged(Halt(), HaltFacts(now_ns=NOW, **case.fires), BALANCED) == Halt()


@pytest.mark.parametrize(("limits", "seconds"), [(BALANCED, 60), (MICRO, 10)])
def test_an_order_that_stays_unknown_kills(limits: Any, seconds: int) -> None:
    fires, rests = since(unknown_since_ns=seconds * SECOND)
    assert {(r.code, r.level) for r in standing(HaltFacts(now_ns=NOW, **fires), limits)} == {(C.ORDER_UNKNOWN, KILLED)}
    assert codes(HaltFacts(now_ns=NOW, **rests), limits) == set()


@pytest.mark.parametrize(
    ("limits", "exposed", "seconds", "code", "level"),
    [
        (BALANCED, True, 10, C.CONNECTION_LOST, HALTED),
        (BALANCED, None, 10, C.CONNECTION_LOST, HALTED),
        (BALANCED, False, 60, C.CONNECTION_LOST_FLAT, HALTED),
        (MICRO, True, 15, C.CONNECTION_LOST, KILLED),
        (MICRO, False, 60, C.CONNECTION_LOST_FLAT, HALTED),
    ],
)
def test_a_lost_connection_halts_sooner_with_a_position(
    limits: Any, exposed: bool | None, seconds: int, code: HaltCode, level: HaltLevel
) -> None:
    fires, rests = since(link_lost_since_ns=seconds * SECOND)
    found = standing(HaltFacts(now_ns=NOW, exposed=exposed, **fires), limits)
    assert {(reason.code, reason.level) for reason in found} == {(code, level)}
    assert standing(HaltFacts(now_ns=NOW, exposed=exposed, **rests), limits) == ()


@pytest.mark.parametrize(
    ("exposed", "naked", "code", "level"),
    [
        (True, True, C.WATCHDOG, KILLED),
        (None, True, C.WATCHDOG, KILLED),
        (True, False, C.WATCHDOG_PROTECTED, HALTED),
        (False, True, C.WATCHDOG_PROTECTED, HALTED),
    ],
)
def test_a_silent_heartbeat_kills_where_a_position_is_not_protected(
    exposed: bool | None, naked: bool, code: HaltCode, level: HaltLevel
) -> None:
    fires, rests = since(heartbeat_ns=30 * SECOND)
    unprotected = NOW - 1 if naked else None
    found = standing(HaltFacts(now_ns=NOW, exposed=exposed, unprotected_since_ns=unprotected, **fires), BALANCED)
    assert {(reason.code, reason.level) for reason in found} == {(code, level)}
    assert codes(HaltFacts(now_ns=NOW, exposed=exposed, unprotected_since_ns=unprotected, **rests)) == set()


def test_alerts_that_reach_nobody_pause_after_a_minute_and_halt_after_five() -> None:
    """Catalogue row 92."""
    fires, rests = since(alert_undelivered_since_ns=300 * SECOND)
    assert codes(HaltFacts(now_ns=NOW, **rests)) == {C.ALERTS_DOWN}
    halt = judged(Halt(), HaltFacts(now_ns=NOW, **fires), BALANCED)
    assert {reason.code for reason in halt.reasons} == {C.ALERTS_DOWN, C.ALERTS_DOWN_LONG}
    assert halt.level is HALTED


@pytest.mark.parametrize(("rejections", "halts"), [(3, set()), (4, {C.HIGH_REJECTIONS})])
def test_micro_futures_halt_at_a_fifth_of_rejections_and_others_above_it(rejections: int, halts: set[HaltCode]) -> None:
    facts = HaltFacts(now_ns=NOW, rejections=rejections)
    assert codes(facts, MICRO) == halts
    assert codes(facts) == set()
    assert {trigger.level_by(MICRO) for trigger in TRIGGERS if trigger.code in halts} <= {KILLED}


@pytest.mark.parametrize(
    ("name", "daily", "rapid", "hard"),
    [
        ("conservative", "0.025", "0.01675", "0.03"), ("balanced", "0.03", "0.0201", "0.05"),
        ("aggressive", "0.04", "0.0268", "0.07"), ("perp_small", "0.10", "0.067", "0.07"),
    ],
)  # fmt: skip
def test_every_profile_halts_at_its_figures(name: str, daily: str, rapid: str, hard: str) -> None:
    """operations.md 1.4, and 0.67 of the daily loss by hand."""
    for fact, limit, code in (
        ("daily_loss", daily, C.DAILY_LOSS), ("session_drawdown", rapid, C.RAPID_DRAWDOWN),
        ("drawdown_ever", hard, C.DRAWDOWN_HARD), ("drawdown_ever", "0.10", C.MAX_DRAWDOWN),
    ):  # fmt: skip
        at_limit: dict[str, Any] = {fact: D(limit)}
        below: dict[str, Any] = {fact: D(limit) - D("0.00001")}
        assert code in codes(HaltFacts(now_ns=NOW, **at_limit), profile(name))
        assert code not in codes(HaltFacts(now_ns=NOW, **below), profile(name))


def test_micro_futures_knows_losses_in_currency_and_the_largest_drawdown_only() -> None:
    facts = HaltFacts(now_ns=NOW, daily_loss=D("0.9"), session_drawdown=D("0.9"), drawdown_ever=D("0.09"))
    assert codes(facts, MICRO) == set()
    assert codes(HaltFacts(now_ns=NOW, drawdown_ever=D("0.10")), MICRO) == {C.MAX_DRAWDOWN}


@pytest.mark.parametrize(("limits", "amount"), [(SMALL, 20), (MICRO, 30)])
def test_a_loss_in_currency_halts_too(limits: Any, amount: int) -> None:
    assert codes(HaltFacts(now_ns=NOW, daily_amount=D(amount)), limits) == {C.DAILY_LOSS}
    assert codes(HaltFacts(now_ns=NOW, daily_amount=D(amount) - D("0.01")), limits) == set()


def test_research_has_no_limits_but_the_strategys_own() -> None:
    facts = HaltFacts(
        now_ns=NOW, daily_loss=D("0.9"), session_drawdown=D("0.9"), drawdown_ever=D("0.9"), daily_amount=D(10**6),
        peak_known=False,
    )  # fmt: skip
    assert codes(facts, profile("research")) == set()


def test_the_largest_drawdown_ever_kills_whatever_else_holds() -> None:
    halt = judged(Halt(), HaltFacts(now_ns=NOW, drawdown_ever=D("0.10")), BALANCED)
    assert {reason.code: reason.level for reason in halt.reasons} == {C.DRAWDOWN_HARD: HALTED, C.MAX_DRAWDOWN: KILLED}


def test_a_reason_says_what_crossed_what() -> None:
    exceeded = (Exceeded(name="position", value=D("2.50"), limit=D(1)), Exceeded(name="trades", value=D(3), limit=D(2)))
    (reason,) = standing(HaltFacts(now_ns=NOW, exceeded=exceeded), BALANCED)
    assert (reason.value, reason.limit, reason.at_ns) == (D("2.5"), D(1), NOW)
    assert reason.text == "position 2.5 over 1, trades 3 over 2"


@pytest.mark.parametrize(
    ("facts", "value", "limit"),
    [
        ({"unprotected_since_ns": NOW - MINUTE}, None, D(5)),
        ({"flat_by_ns": NOW}, None, None),
        ({"available": D(-3)}, D(-3), D(0)),
        ({"rejections": 5}, D("0.25"), D("0.2")),
        ({"submissions": 130}, D(130), D(120)),
    ],
)
def test_a_reason_names_seconds_shares_and_counts(
    facts: dict[str, Any], value: Decimal | None, limit: Decimal | None
) -> None:
    (reason,) = standing(HaltFacts(now_ns=NOW, **facts), BALANCED)
    assert (reason.value, reason.limit) == (value, limit)


def test_what_will_hold_is_a_deadline_and_no_timer_can_be_lost() -> None:
    facts = HaltFacts(now_ns=NOW, unknown_since_ns=NOW - SECOND, unprotected_since_ns=NOW)
    assert next_due_ns(Halt(), facts, BALANCED) == NOW + 5 * SECOND
    assert next_due_ns(Halt(), HaltFacts(now_ns=NOW), BALANCED) is None
    cooling = judged(Halt(), HaltFacts(now_ns=NOW, session_drawdown=D("0.05")), BALANCED)
    assert next_due_ns(cooling, HaltFacts(now_ns=NOW), BALANCED) == NOW + 90 * MINUTE


def test_what_holds_already_or_stands_already_is_waited_for_no_more() -> None:
    due = HaltFacts(now_ns=NOW, unprotected_since_ns=NOW - 5 * SECOND)
    assert next_due_ns(Halt(), due, BALANCED) is None
    coming = HaltFacts(now_ns=NOW, unprotected_since_ns=NOW)
    assert next_due_ns(judged(Halt(), due, BALANCED), coming, BALANCED) is None


def test_a_cooldown_ends_when_its_cause_has_and_starts_again_when_it_has_not() -> None:
    deep = HaltFacts(now_ns=NOW, drawdown_ever=D("0.05"))
    halt = judged(Halt(), deep, BALANCED)
    later = HaltFacts(now_ns=NOW + MINUTE, drawdown_ever=D("0.06"))
    assert judged(halt, later, BALANCED) is halt
    ends = NOW + 90 * MINUTE
    again = judged(halt, HaltFacts(now_ns=ends, drawdown_ever=D("0.05")), BALANCED)
    reason = again.reason(C.DRAWDOWN_HARD)
    assert reason is not None
    assert (reason.until_ns, again.epoch) == (ends + 90 * MINUTE, 3)
    over = judged(halt, HaltFacts(now_ns=ends, drawdown_ever=D("0.0499")), BALANCED)
    assert (over.level, over.epoch) == (HaltLevel.NORMAL, 3)


def test_a_trigger_that_holds_on_is_raised_once() -> None:
    """A reason of a higher level that stands already is not touched."""
    facts = HaltFacts(now_ns=NOW, desync=Desync.EXPLAINED)
    halt = judged(Halt(), facts, BALANCED)
    assert judged(halt, HaltFacts(now_ns=NOW + 1, desync=Desync.EXPLAINED), BALANCED) is halt
    (killing,) = standing(facts, STRICT)
    assert judged(raised(halt, killing), facts, BALANCED).level is KILLED


def test_the_ladder_is_climbed_by_the_drawdown_ever() -> None:
    facts = HaltFacts(now_ns=NOW, drawdown_ever=D("0.035"))
    halt, step = climbed(Halt(), Rung.NONE, facts, BALANCED)
    assert (halt.level, step) == (HaltLevel.DERISK, Rung.SOFT)
    assert climbed(halt, step, HaltFacts(now_ns=NOW), BALANCED) == (halt, step)
    assert climbed(Halt(), Rung.NONE, facts, profile("research")) == (Halt(), Rung.NONE)
    halt, step = climbed(halt, step, HaltFacts(now_ns=NOW, drawdown_ever=D("0.02")), BALANCED)
    assert (halt.level, step, halt.epoch) == (HaltLevel.NORMAL, Rung.NONE, 3)


def test_the_facts_of_losses_come_from_the_one_tracker() -> None:
    """plays.md P1: one daily-loss tracker serves all."""
    rails = fold.session_opened(Guardrails(), date(2026, 11, 20), D(10000))
    rails = fold.equity_read(rails, D(9700), D(0), known_ns=1)
    facts = HaltFacts(now_ns=NOW).with_losses(rails)
    assert (facts.daily_loss, facts.session_drawdown, facts.drawdown_ever) == (D("0.03"), D("0.03"), D("0.03"))
    assert (facts.daily_amount, facts.peak_known) == (D(300), True)
    assert codes(facts) == {C.DAILY_LOSS, C.RAPID_DRAWDOWN}
    lost = HaltFacts(now_ns=NOW).with_losses(Guardrails(equity=D(5)))
    assert codes(lost) == {C.MAX_DRAWDOWN}
    assert HaltFacts(now_ns=NOW).with_losses(Guardrails()).peak_known
