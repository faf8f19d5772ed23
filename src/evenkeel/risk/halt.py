"""How halts are raised and lifted: pure functions from one `Halt` to the next.

Reasons are raised by anyone at any time and are lifted by their own rule only: an operator ends a pause, a timer a
cooldown, the ladder its level 1, a new exchange session the breaker's, and the procedure of `evenkeel.risk.resume`
everything above. Level 4 knows the procedure only. Source: operations.md 2.1 and 2.4.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from evenkeel.model.errors import invariant
from evenkeel.model.halt import Halt, HaltCause, HaltCode, HaltLevel, HaltReason, HaltSource
from evenkeel.model.time import MINUTE

EASED_NS = 30 * MINUTE
EASED_SCALE = Decimal("0.5")
"""How long and how much entries are scaled down after a resume (operations.md 2.9)."""

EXPIRING = (HaltLevel.PAUSED, HaltLevel.HALTED)
"""Levels whose reasons may end by themselves."""


def raised(halt: Halt, *reasons: HaltReason, by: str = "engine") -> Halt:
    """Return the halt with these reasons active too.

    A reason that is active already is raised to a higher level or extended to a later end, never the other way; where
    nothing changes, the halt itself is returned and its epoch stays.

    Args:
        halt: Before.
        reasons: What to raise; what stands between them and the halt is the stricter of both.
        by: Who raises.
    """
    active = {reason.code: reason for reason in halt.reasons}
    for reason in reasons:
        invariant(
            reason.level > HaltLevel.NORMAL and (reason.until_ns is None or reason.level in EXPIRING),
            "only levels 2 and 3 end by themselves, and level 0 has no reasons",
            code=reason.code,
            level=reason.level,
        )
        before = active.get(reason.code)
        active[reason.code] = reason if before is None else _stricter(before, reason)
    return _changed(halt, active.values(), by)


def _stricter(before: HaltReason, after: HaltReason) -> HaltReason:
    level = max(before.level, after.level)
    told = after if after.level > before.level else before
    until = None if level not in EXPIRING else _later(before.until_ns, after.until_ns)
    return msgspec.structs.replace(told, level=level, until_ns=until)


def _later(one: int | None, other: int | None) -> int | None:
    """Return the later of two ends; None never comes."""
    return None if one is None or other is None else max(one, other)


def united(halt: Halt, flag: Halt) -> Halt:
    """Return the halt after the flag on the disk was read: a newer one counts, of another nothing is dropped.

    Args:
        halt: What the account knows.
        flag: What the disk says; as old as the halt or older, it was written beside it or restored.
    """
    return flag if flag.epoch > halt.epoch else raised(halt, *flag.reasons, by=flag.set_by)


def carried(flag: Halt, before: Halt, after: Halt) -> Halt:
    """Return what to write into the flag when an account's halt changes: the change, not the whole.

    What another process raised meanwhile stays, and what it lifted stays lifted. Where that makes it another halt than
    the account's, its epoch is the higher one, and the account is told.

    Args:
        flag: What the disk says now.
        before: What stopped the account.
        after: What stops it now.
    """
    if flag.reasons == before.reasons and flag.epoch <= after.epoch:
        return after
    lifted = {reason.code for reason in before.reasons} - {reason.code for reason in after.reasons}
    kept = msgspec.structs.replace(flag, reasons=tuple(one for one in flag.reasons if one.code not in lifted))
    reasons = raised(kept, *(one for one in after.reasons if before.reason(one.code) != one)).reasons
    if reasons == flag.reasons and flag.epoch > after.epoch:
        return flag
    return msgspec.structs.replace(
        after, reasons=reasons, epoch=max(flag.epoch, after.epoch) + (reasons != after.reasons)
    )


def expired(halt: Halt, now_ns: int) -> Halt:
    """Return the halt without the reasons of levels 2 and 3 whose end has come."""
    return _changed(
        halt,
        (reason for reason in halt.reasons if not (reason.level in EXPIRING and _is_over(reason, now_ns))),
        "timer",
    )


def _is_over(reason: HaltReason, now_ns: int) -> bool:
    return reason.until_ns is not None and reason.until_ns <= now_ns


def session_opened(halt: Halt) -> Halt:
    """Return the halt at the first instant of a new exchange session: the breaker's reasons are gone, no other."""
    return _changed(
        halt,
        (
            reason
            for reason in halt.reasons
            if reason.code.cause is not HaltCause.BREAKER or reason.level is HaltLevel.KILLED
        ),
        "session",
    )


def scaled(halt: Halt, scale: Decimal, *, at_ns: int) -> Halt:
    """Return the halt with level 1 as the drawdown ladder asks for it, raised or lifted.

    Args:
        halt: Before.
        scale: Of the ladder; 1 is none.
        at_ns: Now, `known_ns`.
    """
    others = [reason for reason in halt.reasons if reason.code is not HaltCode.DERISK]
    if scale == 1:
        return _changed(halt, others, "ladder")
    active = halt.reason(HaltCode.DERISK)
    if active is not None and active.value == scale:
        return halt
    derisk = HaltReason(
        code=HaltCode.DERISK, level=HaltLevel.DERISK, source=HaltSource.ENGINE, at_ns=at_ns, value=scale
    )
    return _changed(halt, [*others, derisk], "ladder")


def unpaused(halt: Halt, *, by: str) -> Halt:
    """Return the halt after an operator resumed a pause: every reason of level 2 is gone, no other."""
    return _changed(halt, (reason for reason in halt.reasons if reason.level is not HaltLevel.PAUSED), by)


def released(halt: Halt, *, by: str, at_ns: int) -> Halt:
    """Return the halt after the resume procedure passed: levels 3 and 4 are gone, and entries are eased in.

    Only `evenkeel.risk.resume` calls this, after its checks.
    """
    remaining = (reason for reason in halt.reasons if reason.level < HaltLevel.HALTED)
    after = _changed(halt, remaining, by)
    return msgspec.structs.replace(after, eased_until_ns=at_ns + EASED_NS)


def entry_scale(halt: Halt, now_ns: int) -> Decimal:
    """Return what to multiply the size of entries with: the ladder's scale, and half within the time after a resume."""
    derisk = halt.reason(HaltCode.DERISK)
    scale = Decimal(1) if derisk is None or derisk.value is None else derisk.value
    eased = halt.eased_until_ns is not None and now_ns < halt.eased_until_ns
    return scale * EASED_SCALE if eased else scale


def next_end_ns(halt: Halt) -> int | None:
    """Return when the first reason ends by itself; None is never."""
    return min((reason.until_ns for reason in halt.reasons if reason.until_ns is not None), default=None)


def _changed(halt: Halt, reasons: Iterable[HaltReason], by: str) -> Halt:
    """Return a halt with other reasons and the next epoch, or the same one where they are the same."""
    ordered = tuple(sorted(reasons, key=lambda reason: reason.code))
    if ordered == halt.reasons:
        return halt
    return msgspec.structs.replace(halt, reasons=ordered, epoch=halt.epoch + 1, set_by=by)
