"""The procedure that lifts levels 3 and 4: every check passes, a person types the phrase and answers for it.

`resume_checks` says what stands in the way at any time; `resume` asks it again and lifts, or says why not. Nothing else
lifts level 4: no session, no timer, no restart. Source: operations.md 2.9, ruling 58.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from evenkeel.model.halt import Halt, HaltCause, HaltCode, HaltLevel
from evenkeel.risk.halt import released
from evenkeel.risk.halt_facts import HaltFacts
from evenkeel.risk.limits.limits import Limits
from evenkeel.risk.triggers import TRIGGERS, standing

PHRASE = "RESUME TRADING"

RECONCILIATION_CYCLES = 2
OTHER_CYCLES = 1
"""Clean reconciliations in a row that are asked for, by the causes that stand."""

REBASED = (HaltCode.MAX_DRAWDOWN, HaltCode.DRAWDOWN_HARD)
"""What a person may accept when resuming: the peaks begin anew."""


class Incident(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a person wrote about the halt.

    Attributes:
        owner: Who answers for it.
        cause: What it was.
        at_ns: When it was written, `known_ns`; what was raised later is another incident.
    """

    owner: str
    cause: str
    at_ns: int


class ResumeFacts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the checks read; None is not known and never passes.

    Attributes:
        halt: What the triggers read.
        incident: Of the halt; None: nobody has acknowledged it.
        broker_reachable: Whether the broker answered just now.
        unknown_orders: Orders whose state is unknown.
        clean_cycles: Complete reconciliations in a row without a difference.
        journal_verified: Whether the journal's chain is whole.
        clock_ok: Whether the clock is close enough to enter.
        unprotected: Positions without a working stop of their size and without a waiver.
    """

    halt: HaltFacts
    incident: Incident | None = None
    broker_reachable: bool | None = None
    unknown_orders: int | None = None
    clean_cycles: int | None = None
    journal_verified: bool | None = None
    clock_ok: bool | None = None
    unprotected: int | None = None


class ResumeCheck(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One check and how it went.

    Attributes:
        name: Of the check.
        passed: Whether it stands in nobody's way.
        found: What was found.
        needed: What is asked for.
    """

    name: str
    passed: bool
    found: str
    needed: str


class ResumeRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A person asks to trade again.

    Attributes:
        phrase: As typed.
        operator: Who asks.
        reason: Why it is safe again.
        epoch: Of the halt that the operator has seen.
        at_ns: Now, `known_ns`.
        live: Whether real money is at stake.
        approver: Second person; level 4 with real money needs one.
        rebase: Whether the drawdown is accepted and the peaks begin anew at the equity of now.
    """

    phrase: str
    operator: str
    reason: str
    epoch: int
    at_ns: int
    live: bool
    approver: str = ""
    rebase: bool = False


class ResumeRefused(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The request was refused and nothing changed.

    Attributes:
        code: NOT_HALTED, WRONG_PHRASE, NOBODY_ANSWERS, HALT_CHANGED, SECOND_APPROVER or CHECKS_FAILED.
        text: What is missing, for a person.
        failed: The checks that stand in the way.
    """

    code: str
    text: str
    failed: tuple[ResumeCheck, ...] = ()


def resume_checks(halt: Halt, facts: ResumeFacts, limits: Limits, *, rebase: bool = False) -> tuple[ResumeCheck, ...]:
    """Return every check, passed or not.

    Args:
        halt: In force.
        facts: Of the account now.
        limits: Of the profile.
        rebase: Whether the drawdown is accepted.
    """
    incident, needed = facts.incident, _cycles(halt)
    breached = _breached(facts.halt, limits, rebase=rebase)
    return (
        _check("incident", _answers(incident, halt), _incident(incident), "acknowledged, with owner and cause"),
        _check("broker", facts.broker_reachable is True, _told(facts.broker_reachable), "reachable"),
        _check("unknown orders", facts.unknown_orders == 0, _told(facts.unknown_orders), "0"),
        _check(
            "clean reconciliations",
            _at_least(facts.clean_cycles, needed),
            _told(facts.clean_cycles),
            f"{needed} in a row",
        ),
        _check("journal", facts.journal_verified is True, _told(facts.journal_verified), "verified"),
        _check("clock", facts.clock_ok is True, _told(facts.clock_ok), "close to the broker's"),
        _quality("data quality", facts.halt.dvs, limits.market.dvs_entry),
        _quality("execution quality", facts.halt.eqs, limits.market.eqs_entry),
        _check("limits", not breached, ", ".join(breached) or "none broken", "none broken"),
        _check("protection", facts.unprotected == 0, _told(facts.unprotected), "0 positions without a stop"),
    )


def resume(halt: Halt, request: ResumeRequest, facts: ResumeFacts, limits: Limits) -> Halt | ResumeRefused:
    """Return the halt without its levels 3 and 4, or why they stay.

    Pauses and the ladder's level 1 stay, the epoch rises by one, and entries are eased in for half an hour.

    Args:
        halt: In force.
        request: Of a person.
        facts: Of the account now.
        limits: Of the profile.
    """
    if halt.level < HaltLevel.HALTED:
        return ResumeRefused(
            code="NOT_HALTED", text=f"trading is at level {halt.level.value}, which needs no procedure"
        )
    if request.phrase != PHRASE:
        return ResumeRefused(code="WRONG_PHRASE", text=f"type {PHRASE} exactly; nothing was changed")
    if not (request.operator.strip() and request.reason.strip()):
        return ResumeRefused(code="NOBODY_ANSWERS", text="name the operator and the reason")
    if request.epoch != halt.epoch:
        return ResumeRefused(code="HALT_CHANGED", text="the halt has changed since it was looked at; look again")
    if _needs_second(halt, request) and not _is_second(request):
        return ResumeRefused(
            code="SECOND_APPROVER", text="level 4 with real money needs the approval of a second person"
        )
    failed = tuple(check for check in resume_checks(halt, facts, limits, rebase=request.rebase) if not check.passed)
    if failed:
        named = "; ".join(f"{check.name}: {check.found}, needed {check.needed}" for check in failed)
        return ResumeRefused(code="CHECKS_FAILED", text=named, failed=failed)
    return released(halt, by=request.operator.strip(), at_ns=request.at_ns)


def _needs_second(halt: Halt, request: ResumeRequest) -> bool:
    return request.live and halt.level is HaltLevel.KILLED


def _is_second(request: ResumeRequest) -> bool:
    approver = request.approver.strip().casefold()
    return bool(approver) and approver != request.operator.strip().casefold()


def _cycles(halt: Halt) -> int:
    causes = {reason.code.cause for reason in halt.reasons if reason.level >= HaltLevel.HALTED}
    return RECONCILIATION_CYCLES if HaltCause.RECONCILIATION in causes else OTHER_CYCLES


def _breached(facts: HaltFacts, limits: Limits, *, rebase: bool) -> list[str]:
    """Return the codes of triggers that would halt again at once."""
    accepted = {trigger.code for trigger in TRIGGERS if trigger.forgiven} | set(REBASED if rebase else ())
    return [
        reason.code.value
        for reason in standing(facts, limits)
        if reason.level >= HaltLevel.HALTED and reason.code not in accepted
    ]


def _answers(incident: Incident | None, halt: Halt) -> bool:
    """Whether somebody has written about this halt, not about one before."""
    if incident is None or not (incident.owner.strip() and incident.cause.strip()):
        return False
    return all(reason.at_ns <= incident.at_ns for reason in halt.reasons if reason.level >= HaltLevel.HALTED)


def _incident(incident: Incident | None) -> str:
    return "none" if incident is None else f"{incident.owner or 'nobody'}: {incident.cause or 'no cause'}"


def _quality(name: str, value: Decimal | None, least: Decimal | None) -> ResumeCheck:
    passed = least is None or _at_least(value, least)
    return _check(name, passed, _told(value), "nothing" if least is None else f"{least}")


def _at_least(value: Decimal | int | None, least: Decimal | int) -> bool:
    return value is not None and value >= least


def _told(value: object) -> str:
    return "not known" if value is None else "yes" if value is True else "no" if value is False else str(value)


def _check(name: str, passed: bool, found: str, needed: str) -> ResumeCheck:
    return ResumeCheck(name=name, passed=passed, found=found, needed=needed)
