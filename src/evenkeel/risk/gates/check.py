"""What a gate answers: outcome, figure, limit and reason; one such line for every gate and request."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from evenkeel.model.reason import Reason

if TYPE_CHECKING:
    from evenkeel.risk.gates.case import Case

Figure: TypeAlias = Decimal | int | None
"""What a gate compared, in the unit of its limit; None where it compares no numbers."""


class Outcome(StrEnum):
    """How a gate answers."""

    PASS = "pass"
    WARN = "warn"
    REFUSE = "refuse"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"

    @property
    def bars(self) -> bool:
        """Whether the order may not be sent."""
        return self is Outcome.REFUSE or self is Outcome.UNKNOWN


class Check(msgspec.Struct, frozen=True, gc=False, array_like=True, omit_defaults=True):
    """The answer of one gate.

    Attributes:
        gate: Its number.
        outcome: WARN lets the order through and says why a person should know; UNKNOWN refuses.
        value: What was compared.
        limit: With what.
        reason: OK; of a refusal or a warning, why.
    """

    gate: int
    outcome: Outcome
    value: Figure = None
    limit: Figure = None
    reason: Reason = Reason.OK


class Scope(StrEnum):
    """Which orders a gate judges."""

    ALL = "all orders"
    ENTRY = "entries"


class Kind(StrEnum):
    """Where a gate is computed (ruling 54)."""

    NUMERIC = "numeric"
    OPERATIONAL = "operational"


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the list.

    Attributes:
        number: Its place in the list, from 1.
        name: For people.
        scope: Which orders it judges.
        kind: NUMERIC ones are judged by the kernel that research fuses too.
        codes: Reasons that it can give.
        needs: Facts that it reads, by dotted name.
        judge: Returns its answer.
    """

    number: int
    name: str
    scope: Scope
    kind: Kind
    codes: tuple[Reason, ...]
    needs: tuple[str, ...]
    judge: Callable[[Case], Check]


PASS, WARN, REFUSE, UNKNOWN = Outcome.PASS, Outcome.WARN, Outcome.REFUSE, Outcome.UNKNOWN
_NOT_APPLICABLE = tuple(Check(number, Outcome.NOT_APPLICABLE) for number in range(50))


_PASSED = tuple(Check(number, PASS) for number in range(50))


def passed(gate: int, value: Figure = None, limit: Figure = None) -> Check:
    """Return that nothing stands against the order."""
    if value is None:
        return _PASSED[gate]
    return Check(gate, PASS, value, limit)


def refused(gate: int, reason: Reason, value: Figure = None, limit: Figure = None) -> Check:
    """Return that the order may not be sent."""
    return Check(gate, REFUSE, value, limit, reason)


def unknown(gate: int, reason: Reason, limit: Figure = None) -> Check:
    """Return that a fact is missing, which refuses."""
    return Check(gate, UNKNOWN, None, limit, reason)


def warned(gate: int, reason: Reason, value: Figure = None, limit: Figure = None) -> Check:
    """Return that the order may be sent, and what a person should know."""
    return Check(gate, WARN, value, limit, reason)


def not_applicable(gate: int) -> Check:
    """Return that the gate has no limit in this profile, or nothing to say of such an order."""
    return _NOT_APPLICABLE[gate]


def bars(check: Check) -> bool:
    """Whether a gate's answer keeps the order from being sent."""
    outcome = check.outcome
    return outcome is REFUSE or outcome is UNKNOWN


def within(gate: int, reason: Reason, value: Figure, limit: Figure) -> Check:
    """Return whether a value is at most its limit; without a limit it is not applicable, without a value unknown."""
    if limit is None:
        return _NOT_APPLICABLE[gate]
    if value is None:
        return Check(gate, UNKNOWN, None, limit, reason)
    if value > limit:
        return Check(gate, REFUSE, value, limit, reason)
    return Check(gate, PASS, value, limit)
