"""The gateway of an account: requests made from what is wanted, and commands made from what was approved.

No other module makes a command that changes an order, and each one here takes an `Approved`, which only the gates can
make. A question to the venue changes nothing and needs none.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from evenkeel.engine.account.facts import entry_facts, group_of, order_facts
from evenkeel.engine.account.our_side import EXTERNAL
from evenkeel.execution.orders import OrderBook
from evenkeel.execution.reconcile.terms import Withdraw
from evenkeel.execution.supervisor.plan import WishAmend, WishCancel
from evenkeel.model.command import AmendOrder, CancelOrder, Command, PlaceOrder, SubmitEntry, VenueCommand
from evenkeel.model.decision import Decision, EntryApproved, EntryRefused
from evenkeel.model.halt import HaltLevel
from evenkeel.model.ids import InstrumentId, Leg
from evenkeel.model.intent import OrderKind
from evenkeel.model.order import VenueOrder
from evenkeel.risk.gates.facts.snapshot import Facts
from evenkeel.risk.gates.judge import judge, judge_kill, judge_simulated
from evenkeel.risk.gates.request import Purpose, Request
from evenkeel.risk.gates.verdict import Approved, Refused
from evenkeel.risk.limits.limits import RESEARCH_NAME

if TYPE_CHECKING:
    from evenkeel.engine.account.account import Account
    from evenkeel.engine.account.desk import Desk

Change: TypeAlias = VenueOrder | WishAmend | WishCancel | Withdraw
"""What is needed that would change an order, and must pass the gates."""
_PURPOSES = {
    Leg.STOP: Purpose.PROTECT_STOP, Leg.TARGET: Purpose.PROTECT_TARGET, Leg.EXIT: Purpose.CLOSE,
    Leg.GUARD: Purpose.CLOSE,
}  # fmt: skip


def ask_entry(
    account: Account, desk: Desk, decision: EntryApproved, command: SubmitEntry, order: VenueOrder
) -> Approved | Refused:
    """Return what the gates say to an entry.

    Args:
        account: Whose gates.
        desk: Who asks.
        decision: What its core concluded.
        command: What its core commands.
        order: As a venue would get it.
    """
    stops = order.kind is OrderKind.STOP
    request = Request(
        purpose=Purpose.ENTRY, client_id=order.client_id, strategy=order.strategy, instrument=order.instrument,
        quantity=order.quantity, kind=order.kind, price=order.trigger if stops else order.price,
        trigger=None if stops else order.trigger, time_in_force=order.time_in_force, reference=decision.reference,
        signal_ns=decision.order.decided_ns, stop_distance=command.stop_distance,
        target_distance=command.target_distance,
    )  # fmt: skip
    if account.limits.name == RESEARCH_NAME:
        return judge_simulated(request, order_facts(account, order.instrument, order.client_id))
    return judge(request, entry_facts(account, desk, order.client_id, request.signal_ns), account.limits)


def ask(account: Account, need: Change) -> Approved | Refused:
    """Return what the gates say to something that the supervisor needs."""
    request = request_of(account, need)
    facts = order_facts(account, request.instrument, request.client_id)
    return _judged(account, request, facts)


def request_of(account: Account, need: Change) -> Request:
    """Return a need as the gates are asked about it."""
    if isinstance(need, VenueOrder):
        return _order_request(need)
    if isinstance(need, Withdraw):
        return Request(
            purpose=Purpose.CANCEL, client_id=need.client_id, strategy=EXTERNAL,
            instrument=InstrumentId("") if need.instrument is None else need.instrument,
        )  # fmt: skip
    order = account.supervisor.book.open[need.client_id]
    if isinstance(need, WishCancel):
        return Request(
            purpose=Purpose.CANCEL, client_id=order.client_id, strategy=order.strategy, instrument=order.instrument
        )
    after, left = need.amendment, order.left
    if after.quantity is not None:
        left = abs(after.quantity) - order.filled
    changed = msgspec.structs.replace(
        order, quantity=left.copy_sign(order.quantity), price=order.price if after.price is None else after.price,
        trigger=order.trigger if after.trigger is None else after.trigger,
    )  # fmt: skip
    return msgspec.structs.replace(_order_request(changed), amends=True)


def key_of(need: Change) -> str:
    """Return the name under which a verdict about a need is kept, see `Judged.key`."""
    if isinstance(need, WishCancel | Withdraw):
        return f"cancel {need.client_id}"
    return f"amend {need.client_id}" if isinstance(need, WishAmend) else need.client_id


def answered(
    verdict: Approved | Refused, decisions: Sequence[Decision], commands: Sequence[Command]
) -> tuple[tuple[Decision, ...], tuple[Command, ...]]:
    """Return what a core concluded, as the gates let it: an entry of the size that they leave, or a refusal."""
    if isinstance(verdict, Refused):
        others = tuple(command for command in commands if not isinstance(command, SubmitEntry))
        return tuple(_refused(decision, verdict) for decision in decisions), others
    return (
        tuple(_sized(decision, verdict.quantity) for decision in decisions),
        tuple(
            msgspec.structs.replace(command, quantity=verdict.quantity) if isinstance(command, SubmitEntry) else command
            for command in commands
        ),
    )


def placed(approved: Approved, order: VenueOrder) -> PlaceOrder:
    """Return the command that sends an approved order, with the size that was approved."""
    return PlaceOrder(
        order=msgspec.structs.replace(order, quantity=approved.quantity), halt_epoch=approved.halt_epoch or 0,
        lease_epoch=approved.lease_epoch or 0,
    )  # fmt: skip


def commanded(approved: Approved, need: Change, book: OrderBook) -> VenueCommand:
    """Return the command of an approved need; where the gates cut the size of a change, what has filled is added."""
    if isinstance(need, VenueOrder):
        return placed(approved, need)
    if isinstance(need, WishCancel | Withdraw):
        venue_id = need.venue_id if isinstance(need, Withdraw) else None
        return CancelOrder(client_id=approved.request.client_id, why=need.why, venue_id=venue_id)
    change, order = need.amendment, book.open[need.client_id]
    if change.quantity is not None and approved.quantity != approved.request.quantity:
        change = msgspec.structs.replace(change, quantity=approved.quantity + order.filled.copy_sign(order.quantity))
    return AmendOrder(
        client_id=need.client_id, amendment=change, halt_epoch=approved.halt_epoch or 0,
        lease_epoch=approved.lease_epoch or 0,
    )  # fmt: skip


def _judged(account: Account, request: Request, facts: Facts) -> Approved | Refused:
    """Return the verdict on what does not enter; at level 4 it belongs to the flattening of the account."""
    kill = account.halt.level is HaltLevel.KILLED
    if account.limits.name == RESEARCH_NAME:
        return judge_simulated(request, facts, kill=kill)
    return judge_kill(request, facts, account.limits) if kill else judge(request, facts, account.limits)


def _order_request(order: VenueOrder) -> Request:
    stops = order.kind is OrderKind.STOP
    return Request(
        purpose=_PURPOSES[order.leg], client_id=order.client_id, strategy=order.strategy, instrument=order.instrument,
        quantity=order.quantity, kind=order.kind, price=order.trigger if stops else order.price,
        trigger=None if stops else order.trigger, time_in_force=order.time_in_force, reduce_only=order.reduces,
        group=group_of(order),
    )  # fmt: skip


def _refused(decision: Decision, verdict: Refused) -> Decision:
    if not isinstance(decision, EntryApproved):
        return decision
    return EntryRefused(reason=verdict.reason, detail=decision.order.reason)


def _sized(decision: Decision, quantity: Decimal) -> Decision:
    if not isinstance(decision, EntryApproved):
        return decision
    return msgspec.structs.replace(decision, order=msgspec.structs.replace(decision.order, quantity=quantity))
