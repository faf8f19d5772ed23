"""What an operator asks of an account, as reasons of its halt (rulings 58 and 59)."""

from __future__ import annotations

from evenkeel.model.event import Operated, Operation
from evenkeel.model.halt import Halt, HaltCode, HaltLevel, HaltReason, HaltSource
from evenkeel.risk.halt import raised, unpaused

_RAISES = {
    Operation.PAUSE: (HaltCode.OPERATOR_PAUSE, HaltLevel.PAUSED),
    Operation.FLATTEN: (HaltCode.OPERATOR_FLATTEN, HaltLevel.PAUSED),
    Operation.HALT: (HaltCode.OPERATOR_HALT, HaltLevel.HALTED),
    Operation.KILL: (HaltCode.MANUAL, HaltLevel.KILLED),
}
"""By what is asked: the reason, and how far it stops trading."""


def operated(halt: Halt, event: Operated) -> Halt:
    """Return the halt after an operator asked for something; `resume` lifts a pause and nothing above it."""
    if event.operation is Operation.RESUME:
        return unpaused(halt, by=event.by)
    code, level = _RAISES[event.operation]
    reason = HaltReason(code=code, level=level, source=HaltSource.OPERATOR, at_ns=event.known_ns, text=event.why)
    return raised(halt, reason, by=event.by)
