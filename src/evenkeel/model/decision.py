"""Decisions: what the core concluded, written before anything follows from it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from evenkeel.model.ids import ClientId
from evenkeel.model.order import Order
from evenkeel.model.reason import Reason, StopReason


class EntryApproved(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="entry_approved", tag_field="type"):
    """An entry passed every gate; the order exists from here on.

    Attributes:
        order: As it will be sent.
        reference: Decision price.
        stop_distance: Of the wish, or what a gate made of it.
        target_distance: The same of the target.
        bar: Execution bar of the decision; None in journals that did not write it yet.
    """

    order: Order
    reference: Decimal
    stop_distance: Decimal | None
    target_distance: Decimal | None
    bar: int | None = None


class ExitOrdered(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="exit_ordered", tag_field="type"):
    """The position, or a part of it, is to be closed.

    Attributes:
        order: As it will be sent.
    """

    order: Order


class EntryRefused(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="entry_refused", tag_field="type"):
    """A wish was refused; a signal that lasts is wished, and refused, at the close of every bar.

    Attributes:
        reason: The first gate that said no, or the strategy's own.
        detail: The rule that wished it.
    """

    reason: Reason
    detail: str


class CancelOrdered(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="cancel_ordered", tag_field="type"):
    """A pending entry is to be withdrawn.

    Attributes:
        client_id: Its id.
        reason: Why.
    """

    client_id: ClientId
    reason: Reason


class RunStopped(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="run_stopped", tag_field="type"):
    """The run opens nothing more.

    Attributes:
        reason: Why.
    """

    reason: StopReason


class StrategyRemembered(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="strategy_remembered", tag_field="type"
):
    """The strategy's own memory changed with this decision.

    Attributes:
        memory: All of it, as plain data.
    """

    memory: dict[str, Any]


Decision: TypeAlias = EntryApproved | ExitOrdered | EntryRefused | CancelOrdered | RunStopped | StrategyRemembered
