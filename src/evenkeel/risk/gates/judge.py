"""The gateway's decision: every gate that can be computed answers, and the first refusal in order is the reason."""

from __future__ import annotations

from decimal import Decimal

from evenkeel.model.reason import Reason
from evenkeel.risk.classify import Classified, Effect, classify
from evenkeel.risk.gates import codes
from evenkeel.risk.gates.case import Case
from evenkeel.risk.gates.check import REFUSE, UNKNOWN, Check, Kind, Outcome, Scope, not_applicable, refused, unknown
from evenkeel.risk.gates.facts.snapshot import Facts
from evenkeel.risk.gates.request import Request
from evenkeel.risk.gates.rows_engine import malformed
from evenkeel.risk.gates.size import Size
from evenkeel.risk.gates.table import GATES
from evenkeel.risk.gates.verdict import Approved, Refused, mint
from evenkeel.risk.limits.limits import Limits
from evenkeel.risk.limits.profiles import RESEARCH

_ENTRY = tuple(gate.judge for gate in GATES)
_REDUCING = tuple(gate.judge if gate.scope is Scope.ALL else None for gate in GATES)

SIMULATED = tuple(
    Check(gate.number, Outcome.PASS if gate.kind is Kind.NUMERIC else Outcome.NOT_APPLICABLE) for gate in GATES
)
"""The answers in a backtest: the numeric gates have judged, and the engine that the others ask about is not there."""

ALWAYS = (GATES[1], GATES[46])
"""Gates that hold in every profile: halt; of entries also what a comparison with the venue blocked."""


def judge(request: Request, facts: Facts, limits: Limits) -> Approved | Refused:
    """Decide whether an order may be sent, and with which quantity.

    Args:
        request: What is asked.
        facts: What is known.
        limits: Of the account, tightened by the strategy's own.
    """
    return _decide(request, facts, limits, kill=False)


def judge_kill(request: Request, facts: Facts, limits: Limits) -> Approved | Refused:
    """Decide whether an order of the kill path may be sent: one that only reduces or cancels, at halt level 4.

    Args:
        request: What is asked.
        facts: What is known; little has to be.
        limits: Of the account.
    """
    return _decide(request, facts, limits, kill=True)


def judge_simulated(request: Request, facts: Facts, *, kill: bool = False) -> Approved | Refused:
    """Decide where no profile limits the account: halt, blocks and what the order does; the rest is constant.

    The numeric gates have judged an entry when it was sized (ruling 54).

    Args:
        request: What is asked.
        facts: Of the halt and the comparisons, and of what is held and at work in the instrument.
        kill: Whether it comes by the kill path.
    """
    wrong = malformed(request)
    if wrong is not codes.OK:
        return _malformed(request, wrong)
    classified = _classified(request, facts)
    case = Case(request, facts, RESEARCH, classified, kill=kill, shrink=False)
    checks = list(SIMULATED)
    for gate in ALWAYS if case.entry else ALWAYS[:1]:
        checks[gate.number - 1] = gate.judge(case)
    return _verdict(request, facts, classified, tuple(checks), quantity=classified.quantity, kill=kill)


def check_all(request: Request, facts: Facts, limits: Limits) -> tuple[Check, ...]:
    """Return the answer of every gate to an order exactly as it is: nothing is made smaller.

    Args:
        request: What is asked; it is well-formed.
        facts: What is known.
        limits: Of the account.
    """
    return _vector(Case(request, facts, limits, _classified(request, facts), shrink=False))


def _decide(request: Request, facts: Facts, limits: Limits, *, kill: bool) -> Approved | Refused:
    wrong = malformed(request)
    if wrong is not codes.OK:
        return _malformed(request, wrong)
    classified = _classified(request, facts)
    case = Case(request, facts, limits, classified, kill=kill)
    return _verdict(
        request, facts, classified, _vector(case), quantity=case.quantity, size=case.size, kill=kill
    )  # fmt: skip


def _verdict(
    request: Request, facts: Facts, classified: Classified, checks: tuple[Check, ...], *, quantity: Decimal,
    size: Size | None = None, kill: bool,
) -> Approved | Refused:  # fmt: skip
    reason = _reason(classified, checks)
    if reason is not codes.OK:
        return Refused(request=request, reason=reason, effect=classified.effect, checks=checks)
    engine = facts.engine
    return mint(
        request, classified, checks, quantity=quantity, size=size, kill=kill, halt_epoch=engine.halt_epoch,
        lease_epoch=engine.lease_epoch,
    )  # fmt: skip


def _malformed(request: Request, wrong: Reason) -> Refused:
    checks = (refused(1, wrong), *(unknown(gate.number, wrong) for gate in GATES[1:]))
    return Refused(request=request, reason=wrong, effect=Effect.REFUSED, checks=checks)


def _classified(request: Request, facts: Facts) -> Classified:
    return classify(
        request.purpose, request.quantity, facts.market.position, facts.market.working, group=request.group,
        closes_at_venue=request.reduce_only,
    )  # fmt: skip


def _vector(case: Case) -> tuple[Check, ...]:
    if case.entry:
        return tuple([judge(case) for judge in _ENTRY])
    return tuple(
        [not_applicable(row) if judge is None else judge(case) for row, judge in enumerate(_REDUCING, start=1)]
    )


def _reason(classified: Classified, checks: tuple[Check, ...]) -> Reason:
    """Return why the order may not be sent: it is no exit as it claims, or the first gate; OK where it may."""
    if classified.effect is Effect.REFUSED or classified.fake_exit:
        return classified.reason
    for check in checks:
        outcome = check.outcome
        if outcome is REFUSE or outcome is UNKNOWN:
            return check.reason
    return codes.OK
