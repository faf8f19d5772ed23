"""What an operator asks of an account, as reasons of its halt (rulings 58 and 59)."""

from __future__ import annotations

from evenkeel.model.event import Operated, Operation, SessionBegan
from evenkeel.model.halt import Halt, HaltCode, HaltLevel, HaltReason, HaltSource
from evenkeel.risk.halt import raised, unpaused

_RAISES = {
    Operation.PAUSE: (HaltCode.OPERATOR_PAUSE, HaltLevel.PAUSED),
    Operation.FLATTEN: (HaltCode.OPERATOR_FLATTEN, HaltLevel.PAUSED),
    Operation.HALT: (HaltCode.OPERATOR_HALT, HaltLevel.HALTED),
    Operation.KILL: (HaltCode.MANUAL, HaltLevel.KILLED),
}
"""By what is asked: the reason, and how far it stops trading."""


def begun(halt: Halt, event: SessionBegan) -> Halt:
    """Return the halt after a session began with something that a person has to look at first (ruling 44)."""
    found = [
        (event.changed, HaltCode.STRATEGY_CHANGED, HaltLevel.PAUSED, "changed: " + ", ".join(event.changed)),
        (event.rebuilt, HaltCode.STATE_REBUILT, HaltLevel.HALTED, ""),
    ]
    reasons = [
        HaltReason(code=code, level=level, source=HaltSource.ENGINE, at_ns=event.known_ns, text=text)
        for holds, code, level, text in found
        if holds
    ]
    return raised(halt, *reasons) if reasons else halt


def operated(halt: Halt, event: Operated) -> Halt:
    """Return the halt after an operator asked for something; `resume` lifts a pause and nothing above it."""
    if event.operation is Operation.RESUME:
        return unpaused(halt, by=event.by)
    code, level = _RAISES[event.operation]
    reason = HaltReason(code=code, level=level, source=HaltSource.OPERATOR, at_ns=event.known_ns, text=event.why)
    return raised(halt, reason, by=event.by)
