"""The conditions of the automatic triggers of a halt, each a pure function of facts and limits.

A condition says from which instant on it holds: one that has to last is a deadline, and the facts of now say when it
will come. What is not known holds where the facts say so (`exposed`), and is left to the gates elsewhere.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from evenkeel.model.number import plain
from evenkeel.model.time import SECOND
from evenkeel.risk.breaker import RAPID_SHARE
from evenkeel.risk.halt_facts import Desync, Exceeded, HaltFacts
from evenkeel.risk.limits.limits import Limits

QUEUE_BARS = 2
"""Lengths of a bar that one may wait in the queue (operations.md 2.5)."""

SAVE_FAILURES = 3
"""So many failures in a row to save the state halt (operations.md 4.1)."""

WATCHDOG_NS = 30 * SECOND
"""How long the heartbeat of engine or watchdog may be silent (operations.md 2.7, catalogue row 105)."""

ALERTS_PAUSE_NS = 60 * SECOND
ALERTS_HALT_NS = 300 * SECOND
"""How long a critical alert may reach nobody (catalogue row 92)."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A condition that holds, or will unless something happens before.

    Attributes:
        due_ns: From when on, `known_ns`.
        value: The figure that crosses, where there is one.
        limit: What it crosses.
        text: What exactly; empty where the code says it all.
        until_ns: When the reason ends by itself; None is never.
    """

    due_ns: int
    value: Decimal | None = None
    limit: Decimal | None = None
    text: str = ""
    until_ns: int | None = None


def daily_loss(facts: HaltFacts, limits: Limits) -> Finding | None:
    """The session's loss, as a fraction or in currency, reached its limit."""
    by_amount = _reached(facts, facts.daily_amount, limits.losses.daily)
    return by_amount or _reached(facts, facts.daily_loss, limits.losses.daily_fraction)


def rapid_drawdown(facts: HaltFacts, limits: Limits) -> Finding | None:
    """The fall from the session's peak reached two thirds of the daily limit."""
    daily = limits.losses.daily_fraction
    return None if daily is None else _reached(facts, facts.session_drawdown, RAPID_SHARE * daily)


def hard_drawdown(facts: HaltFacts, limits: Limits) -> Finding | None:
    """The fall from the highest equity ever or of the session reached the last rung; ends after a cooldown."""
    known = [fall for fall in (facts.drawdown_ever, facts.session_drawdown) if fall is not None]
    found = _reached(facts, max(known, default=None), limits.losses.intraday_drawdown)
    if found is None:
        return None
    return msgspec.structs.replace(found, until_ns=facts.now_ns + limits.losses.cooldown_s * SECOND)


def max_drawdown(facts: HaltFacts, limits: Limits) -> Finding | None:
    """The fall from the highest equity reached its limit, or that equity is lost while the equity is known."""
    largest = limits.losses.drawdown
    if largest is not None and not facts.peak_known:
        return Finding(due_ns=facts.now_ns, limit=largest, text="the highest equity is not known")
    return _reached(facts, facts.drawdown_ever, largest)


def constitution(facts: HaltFacts, limits: Limits) -> Finding | None:
    """A fill left a limit exceeded."""
    if not facts.exceeded:
        return None
    first = facts.exceeded[0]
    text = ", ".join(map(_exceeded, facts.exceeded))
    return Finding(due_ns=facts.now_ns, value=first.value, limit=first.limit, text=text)


def invariant(facts: HaltFacts, limits: Limits) -> Finding | None:
    """A state that cannot be was found."""
    return _named(facts, facts.impossible)


def unprotected(facts: HaltFacts, limits: Limits) -> Finding | None:
    """A position had no working stop of its size beyond the grace."""
    return _lasting(facts.unprotected_since_ns, limits.orders.stop_working_s * SECOND)


def not_flat(facts: HaltFacts, limits: Limits) -> Finding | None:
    """A position is open at the instant at which none may be."""
    return _lasting(facts.flat_by_ns, 0)


def margin_call(facts: HaltFacts, limits: Limits) -> Finding | None:
    """Free margin is negative, equity does not cover the maintenance margin, or the broker says so."""
    if facts.available is not None and facts.available < 0:
        return Finding(due_ns=facts.now_ns, value=facts.available, limit=Decimal(0))
    if facts.margin_called:
        return Finding(due_ns=facts.now_ns, text="the broker sent a margin event")
    return _reached(facts, facts.maintenance_used, Decimal(1))


def desync(facts: HaltFacts, limits: Limits) -> Finding | None:
    """Orders or positions differ from the broker's, confirmed, and fills explain it."""
    return _now_if(facts, facts.desync is Desync.EXPLAINED, facts.difference)


def desync_unexplained(facts: HaltFacts, limits: Limits) -> Finding | None:
    """Orders or positions differ from the broker's, confirmed, and nothing explains it."""
    return _now_if(facts, facts.desync is Desync.UNEXPLAINED, facts.difference)


def unexpected_position(facts: HaltFacts, limits: Limits) -> Finding | None:
    """The broker holds a position that the engine never opened."""
    return _named(facts, facts.foreign_position)


def overfill(facts: HaltFacts, limits: Limits) -> Finding | None:
    """An order filled beyond its quantity."""
    return _named(facts, facts.overfilled)


def order_unknown(facts: HaltFacts, limits: Limits) -> Finding | None:
    """An order stayed unresolved for too long."""
    return _lasting(facts.unknown_since_ns, limits.orders.unknown_kill_s * SECOND)


def recon_mismatch(facts: HaltFacts, limits: Limits) -> Finding | None:
    """Too many reconciliations in a row found differences."""
    return _counted(facts, facts.recon_mismatches, limits.operation.mismatches)


def recon_blind(facts: HaltFacts, limits: Limits) -> Finding | None:
    """Too many reconciliations in a row could not read the broker."""
    return _counted(facts, facts.recon_failures, limits.operation.mismatches)


def dvs_kill(facts: HaltFacts, limits: Limits) -> Finding | None:
    """Data validity fell below the least with which positions are held."""
    return _below(facts, facts.dvs, limits.market.dvs_kill)


def eqs_kill(facts: HaltFacts, limits: Limits) -> Finding | None:
    """Execution quality fell below the least with which positions are held."""
    return _below(facts, facts.eqs, limits.market.eqs_kill)


def queue_stale(facts: HaltFacts, limits: Limits) -> Finding | None:
    """A bar waited in the queue for longer than some bars last."""
    return _lasting(facts.bar_queued_since_ns, QUEUE_BARS * facts.bar_length_ns)


def high_rejections(facts: HaltFacts, limits: Limits) -> Finding | None:
    """Too many of the last orders were rejected."""
    share = Decimal(facts.rejections) / limits.orders.rejects_over
    most = limits.orders.rejects_halt
    return Finding(due_ns=facts.now_ns, value=share, limit=most) if share > most else None


def runaway(facts: HaltFacts, limits: Limits) -> Finding | None:
    """Too many orders went out within a minute, or were asked for."""
    if facts.ran_away:
        return Finding(due_ns=facts.now_ns, text="the gateway was asked too often")
    return _counted(facts, facts.submissions, limits.pace.runaway_per_minute)


def connection_lost(facts: HaltFacts, limits: Limits) -> Finding | None:
    """The order channel was gone for too long with a position or an order at work, or maybe with one."""
    return None if facts.exposed is False else _lasting(facts.link_lost_since_ns, limits.orders.lost_exposed_s * SECOND)


def connection_lost_flat(facts: HaltFacts, limits: Limits) -> Finding | None:
    """The order channel was gone for too long without anything at work."""
    return _lasting(facts.link_lost_since_ns, limits.orders.lost_flat_s * SECOND) if facts.exposed is False else None


def reconnects_exhausted(facts: HaltFacts, limits: Limits) -> Finding | None:
    """Every attempt to connect again failed."""
    return _now_if(facts, facts.reconnects_exhausted)


def unhandled(facts: HaltFacts, limits: Limits) -> Finding | None:
    """A fault escaped the loop."""
    return _named(facts, facts.unhandled)


def duplicate_engine(facts: HaltFacts, limits: Limits) -> Finding | None:
    """An order with our prefix was seen that the journal does not know."""
    return _named(facts, facts.duplicate_engine)


def gateway_bypass(facts: HaltFacts, limits: Limits) -> Finding | None:
    """An order came to the border without approval."""
    return _named(facts, facts.bypassed)


def watchdog(facts: HaltFacts, limits: Limits) -> Finding | None:
    """The heartbeat was silent for too long while something was at work and not protected."""
    if facts.exposed is False or facts.unprotected_since_ns is None:
        return None
    return _lasting(facts.heartbeat_ns, WATCHDOG_NS)


def watchdog_protected(facts: HaltFacts, limits: Limits) -> Finding | None:
    """The heartbeat was silent for too long while stops rest at the broker, or nothing is at work."""
    if facts.exposed is not False and facts.unprotected_since_ns is not None:
        return None
    return _lasting(facts.heartbeat_ns, WATCHDOG_NS)


def watchdog_missing(facts: HaltFacts, limits: Limits) -> Finding | None:
    """The watchdog gave no sign of life for too long."""
    return _lasting(facts.watchdog_seen_ns, WATCHDOG_NS)


def alerts_down(facts: HaltFacts, limits: Limits) -> Finding | None:
    """A critical alert reached nobody for too long."""
    return _lasting(facts.alert_undelivered_since_ns, ALERTS_PAUSE_NS)


def alerts_down_long(facts: HaltFacts, limits: Limits) -> Finding | None:
    """A critical alert reached nobody for minutes."""
    return _lasting(facts.alert_undelivered_since_ns, ALERTS_HALT_NS)


def override_expired(facts: HaltFacts, limits: Limits) -> Finding | None:
    """What a person had allowed for a time has expired."""
    return _lasting(facts.override_until_ns, 0)


def state_unsaveable(facts: HaltFacts, limits: Limits) -> Finding | None:
    """The state could not be saved too many times in a row."""
    return _counted(facts, facts.save_failures, SAVE_FAILURES)


def journal_failed(facts: HaltFacts, limits: Limits) -> Finding | None:
    """The journal refuses entries: the disk is full, read-only or broken."""
    return _now_if(facts, facts.journal_failed)


def _reached(facts: HaltFacts, value: Decimal | None, limit: Decimal | None) -> Finding | None:
    if value is None or limit is None or value < limit:
        return None
    return Finding(due_ns=facts.now_ns, value=value, limit=limit)


def _below(facts: HaltFacts, value: Decimal | None, least: Decimal | None) -> Finding | None:
    if value is None or least is None or value >= least:
        return None
    return Finding(due_ns=facts.now_ns, value=value, limit=least)


def _counted(facts: HaltFacts, count: int, limit: int | None) -> Finding | None:
    return _reached(facts, Decimal(count), None if limit is None else Decimal(limit))


def _lasting(since_ns: int | None, allowed_ns: int) -> Finding | None:
    if since_ns is None:
        return None
    return Finding(due_ns=since_ns + allowed_ns, limit=Decimal(allowed_ns) / SECOND if allowed_ns else None)


def _named(facts: HaltFacts, what: str) -> Finding | None:
    return Finding(due_ns=facts.now_ns, text=what) if what else None


def _now_if(facts: HaltFacts, holds: bool, words: str = "") -> Finding | None:
    return Finding(due_ns=facts.now_ns, text=words) if holds else None


def _exceeded(found: Exceeded) -> str:
    return f"{found.name} {plain(found.value)} over {plain(found.limit)}"
