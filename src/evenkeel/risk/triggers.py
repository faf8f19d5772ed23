"""The automatic triggers of a halt, one row each: code, condition over facts, level.

A condition says from which instant on it holds, so what waits is a deadline in the state and never a timer
(`next_due_ns`). `judged` lifts what has expired and raises what holds, in one step and one epoch.
Source: operations.md 2.3 to 2.5, 1.9, 1.10, 4.1, 4.4, 4.5 and 12; belief.md 5.7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from evenkeel.model.halt import Halt, HaltCode, HaltLevel, HaltReason, HaltSource
from evenkeel.risk import trigger_conditions as when
from evenkeel.risk.halt import expired, next_end_ns, raised, scaled
from evenkeel.risk.halt_facts import HaltFacts
from evenkeel.risk.ladder import Rung, rung, scale
from evenkeel.risk.limits.limits import Limits
from evenkeel.risk.trigger_conditions import Finding


class Trigger(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A row of the table.

    Attributes:
        code: Of the reason that it raises.
        condition: What must hold; None: it does not, and waiting alone will not change that.
        level: Of the reason.
        strict: Its level where the profile kills instead of halting, where it is another one.
        forgiven: Whether a resume forgives what it counts, so that it does not stand in the way of one.
    """

    code: HaltCode
    condition: Callable[[HaltFacts, Limits], Finding | None]
    level: HaltLevel
    strict: HaltLevel | None = None
    forgiven: bool = False

    def level_by(self, limits: Limits) -> HaltLevel:
        """Return the level of the reason under limits (belief.md 5.7 kills where operations.md halts)."""
        return self.strict if self.strict is not None and limits.operation.kills else self.level


_PAUSED, _HALTED, _KILLED = HaltLevel.PAUSED, HaltLevel.HALTED, HaltLevel.KILLED

TRIGGERS: tuple[Trigger, ...] = (
    Trigger(code=HaltCode.DAILY_LOSS, condition=when.daily_loss, level=_HALTED),
    Trigger(code=HaltCode.RAPID_DRAWDOWN, condition=when.rapid_drawdown, level=_HALTED),
    Trigger(code=HaltCode.DRAWDOWN_HARD, condition=when.hard_drawdown, level=_HALTED),
    Trigger(code=HaltCode.MAX_DRAWDOWN, condition=when.max_drawdown, level=_KILLED),
    Trigger(code=HaltCode.CONSTITUTION, condition=when.constitution, level=_KILLED),
    Trigger(code=HaltCode.INVARIANT, condition=when.invariant, level=_KILLED),
    Trigger(code=HaltCode.UNPROTECTED, condition=when.unprotected, level=_KILLED),
    Trigger(code=HaltCode.NOT_FLAT, condition=when.not_flat, level=_KILLED),
    Trigger(code=HaltCode.MARGIN_CALL, condition=when.margin_call, level=_KILLED),
    Trigger(code=HaltCode.DESYNC, condition=when.desync, level=_HALTED, strict=_KILLED),
    Trigger(code=HaltCode.DESYNC_UNEXPLAINED, condition=when.desync_unexplained, level=_KILLED),
    Trigger(code=HaltCode.UNEXPECTED_POSITION, condition=when.unexpected_position, level=_HALTED, strict=_KILLED),
    Trigger(code=HaltCode.OVERFILL, condition=when.overfill, level=_HALTED, strict=_KILLED),
    Trigger(code=HaltCode.ORDER_UNKNOWN, condition=when.order_unknown, level=_KILLED),
    Trigger(code=HaltCode.RECON_MISMATCH, condition=when.recon_mismatch, level=_HALTED),
    Trigger(code=HaltCode.RECON_BLIND, condition=when.recon_blind, level=_HALTED),
    Trigger(code=HaltCode.DVS_KILL, condition=when.dvs_kill, level=_KILLED),
    Trigger(code=HaltCode.EQS_KILL, condition=when.eqs_kill, level=_KILLED),
    Trigger(code=HaltCode.QUEUE_STALE, condition=when.queue_stale, level=_HALTED),
    Trigger(
        code=HaltCode.HIGH_REJECTIONS, condition=when.high_rejections, level=_HALTED, strict=_KILLED, forgiven=True
    ),
    Trigger(code=HaltCode.RUNAWAY, condition=when.runaway, level=_KILLED),
    Trigger(code=HaltCode.CONNECTION_LOST, condition=when.connection_lost, level=_HALTED, strict=_KILLED),
    Trigger(code=HaltCode.CONNECTION_LOST_FLAT, condition=when.connection_lost_flat, level=_HALTED),
    Trigger(code=HaltCode.RECONNECTS_EXHAUSTED, condition=when.reconnects_exhausted, level=_HALTED, strict=_KILLED),
    Trigger(code=HaltCode.UNHANDLED, condition=when.unhandled, level=_KILLED),
    Trigger(code=HaltCode.DUPLICATE_ENGINE, condition=when.duplicate_engine, level=_KILLED),
    Trigger(code=HaltCode.GATEWAY_BYPASS, condition=when.gateway_bypass, level=_KILLED),
    Trigger(code=HaltCode.WATCHDOG, condition=when.watchdog, level=_KILLED),
    Trigger(code=HaltCode.WATCHDOG_PROTECTED, condition=when.watchdog_protected, level=_HALTED),
    Trigger(code=HaltCode.WATCHDOG_MISSING, condition=when.watchdog_missing, level=_PAUSED),
    Trigger(code=HaltCode.ALERTS_DOWN, condition=when.alerts_down, level=_PAUSED),
    Trigger(code=HaltCode.ALERTS_DOWN_LONG, condition=when.alerts_down_long, level=_HALTED),
    Trigger(code=HaltCode.OVERRIDE_EXPIRED, condition=when.override_expired, level=_PAUSED),
    Trigger(code=HaltCode.STATE_UNSAVEABLE, condition=when.state_unsaveable, level=_HALTED),
    Trigger(code=HaltCode.JOURNAL_FAILED, condition=when.journal_failed, level=_HALTED),
)
"""Every automatic trigger; what operators, the resume procedure and the flag's reader raise is not among them."""


def standing(facts: HaltFacts, limits: Limits) -> tuple[HaltReason, ...]:
    """Return a reason for each trigger whose condition holds now."""
    return tuple(
        HaltReason(
            code=trigger.code, level=trigger.level_by(limits), source=HaltSource.ENGINE, at_ns=facts.now_ns,
            text=found.text, value=found.value, limit=found.limit, until_ns=found.until_ns,
        )
        for trigger, found in _findings(facts, limits)
        if found.due_ns <= facts.now_ns
    )  # fmt: skip


def judged(halt: Halt, facts: HaltFacts, limits: Limits, *, by: str = "engine") -> Halt:
    """Return the halt at an instant: what has expired is lifted, what holds is raised, in one epoch at most.

    A reason that is active already and whose condition still holds is left as it is; its cooldown is extended when it
    would end.

    Args:
        halt: Before.
        facts: Of the account now.
        limits: Of the profile.
        by: Who judges.
    """
    after = expired(halt, facts.now_ns)
    for reason in standing(facts, limits):
        active = after.reason(reason.code)
        if active is None or active.level < reason.level:
            after = raised(after, reason, by=by)
    if after.reasons == halt.reasons:
        return halt
    return msgspec.structs.replace(after, epoch=halt.epoch + 1)


def climbed(halt: Halt, step: Rung, facts: HaltFacts, limits: Limits) -> tuple[Halt, Rung]:
    """Return the halt and the rung after the drawdown ladder was looked at.

    Args:
        halt: Before.
        step: The rung up to now, part of the state.
        facts: Of the account now; without a known drawdown nothing changes.
        limits: Of the profile.
    """
    if facts.drawdown_ever is None:
        return halt, step
    after = rung(facts.drawdown_ever, step, limits.losses)
    return scaled(halt, scale(after, limits.losses), at_ns=facts.now_ns), after


def next_due_ns(halt: Halt, facts: HaltFacts, limits: Limits) -> int | None:
    """Return the next instant at which waiting alone changes the halt; None: never."""
    dues = [
        found.due_ns
        for trigger, found in _findings(facts, limits)
        if found.due_ns > facts.now_ns and halt.reason(trigger.code) is None
    ]
    end = next_end_ns(halt)
    return min([*dues, *([] if end is None else [end])], default=None)


def _findings(facts: HaltFacts, limits: Limits) -> Iterator[tuple[Trigger, Finding]]:
    for trigger in TRIGGERS:
        found = trigger.condition(facts, limits)
        if found is not None:
            yield trigger, found
