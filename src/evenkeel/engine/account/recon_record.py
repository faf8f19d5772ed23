"""What an account remembers of its reconciliations, and what its profile says about them (operations.md 4.3, 4.4)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from evenkeel.execution.reconcile.terms import FUTURES, LIVE, PAPER, Difference, Plan, Policy, Stop
from evenkeel.model.command import AskVenue
from evenkeel.model.ids import ClientId, InstrumentId
from evenkeel.model.told import Channel
from evenkeel.risk.limits.limits import Limits

_SECOND = 1_000_000_000


class Reconciled(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="reconciled", tag_field="type"):
    """An answer was compared with what we have; folding it makes the repairs that are facts.

    Attributes:
        number: Of the question.
        asked_ns: When it was asked.
        venue_ns: When it was answered, by the venue's clock.
        plan: What differed and what is done.
    """

    number: int
    asked_ns: int
    venue_ns: int
    plan: Plan


class Cadence(msgspec.Struct, frozen=True, kw_only=True):
    """When the venue is asked (operations.md 4.3); nanoseconds.

    Attributes:
        orders_ns: Between two comparisons of orders.
        positions_ns: Between two of everything.
        answer_ns: A question that has no answer after it is asked again.
        retry_ns: After a failure; doubled with each further one.
        retry_max_ns: At most.
    """

    orders_ns: int = 120 * _SECOND
    positions_ns: int = 300 * _SECOND
    answer_ns: int = 15 * _SECOND
    retry_ns: int = 5 * _SECOND
    retry_max_ns: int = 60 * _SECOND


def policy_of(mode: str, limits: Limits, visible_ns: int) -> Policy:
    """Return what a profile does about differences.

    Args:
        mode: Of the run.
        limits: Of its profile.
        visible_ns: After how long what has happened at the venue is in its answers.
    """
    strict = FUTURES if limits.operation.kills else LIVE
    confirm_ns = max(limits.orders.desync_s * _SECOND, visible_ns)
    return msgspec.structs.replace(PAPER if mode == "paper" else strict, confirm_ns=confirm_ns)


def cadence_of(limits: Limits) -> Cadence:
    """Return when the venue is asked under a profile."""
    operation = limits.operation
    return Cadence(orders_ns=operation.orders_every_s * _SECOND, positions_ns=operation.positions_every_s * _SECOND)


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The state of reconciliation; its mappings are replaced, never changed.

    Attributes:
        session_ns: When the session began; None before the first.
        cut: Channels to the venue that are down.
        number: Of the last question.
        pending: The question that waits for its answer.
        orders_ns: When the last answer was asked for that orders could be compared with.
        whole_ns: The same of everything.
        urgent_ns: When everything is to be compared because something is in doubt.
        failures: Questions in a row without an answer that could be used.
        retry_ns: Until when nothing is asked after a failure.
        mismatches: Comparisons in a row with a confirmed difference.
        clean_cycles: Whole comparisons in a row without a difference.
        clean_ns: When the last of them was known.
        first_clean_ns: When the first of them was asked for, in this session and since the link holds.
        begun: Whether two of them were, far enough apart.
        cursor_ns: From when on executions are asked for, by the venue's time.
        doubts: Differences that nothing explains, by key, with when they were first asked for.
        standing: Those of them that are confirmed.
        protected: Whether the venue's list covered each position in the last comparison.
        stops: Halts that the last whole comparison asked for.
        blocked: Instruments in which nothing is opened, with why.
        foreign: Keys of foreign orders that were seen, by instrument.
        accepted: Keys of differences that a person lets be.
        strangers: Executions of strangers that are booked, with when the venue says they were.
        orphans: Orders that were left behind and are being withdrawn, with when they were first seen.
        moved_ns: When units of an instrument last changed hands, as far as we heard.
        duplicate: The order of another engine of ours; empty: none.
    """

    session_ns: int | None = None
    cut: tuple[Channel, ...] = ()
    number: int = 0
    pending: AskVenue | None = None
    orders_ns: int | None = None
    whole_ns: int | None = None
    urgent_ns: int | None = None
    failures: int = 0
    retry_ns: int = 0
    mismatches: int = 0
    clean_cycles: int = 0
    clean_ns: int | None = None
    first_clean_ns: int | None = None
    begun: bool = False
    cursor_ns: int | None = None
    doubts: Mapping[str, int] = {}
    standing: tuple[Difference, ...] = ()
    protected: bool = False
    stops: tuple[Stop, ...] = ()
    blocked: Mapping[InstrumentId, str] = {}
    foreign: Mapping[InstrumentId, tuple[str, ...]] = {}
    accepted: tuple[str, ...] = ()
    strangers: Mapping[str, int] = {}
    orphans: Mapping[ClientId, int] = {}
    moved_ns: Mapping[InstrumentId, int] = {}
    duplicate: str = ""
