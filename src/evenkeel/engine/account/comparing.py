"""What an account makes of an answer of its venue: entries when it decides, and their folding.

The comparison itself is `evenkeel.execution.reconcile`; when it is made is `Reconciling`.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from evenkeel.engine.account import hearing
from evenkeel.engine.account.our_side import EXTERNAL, RECOVERED, our_side, shares
from evenkeel.engine.account.recon_record import Reconciled
from evenkeel.execution.reconcile.plan import plan
from evenkeel.execution.reconcile.terms import Adopt, Book, Hear, LookUp, Plan, Withdraw
from evenkeel.execution.supervisor.supervisor import TradeKey
from evenkeel.model.command import LookUpOrder
from evenkeel.model.ids import InstrumentId, StrategyId
from evenkeel.model.truth import TruthTold

if TYPE_CHECKING:
    from evenkeel.engine.account.account import Account


def compare(account: Account, event: TruthTold) -> Reconciled:
    """Return what an answer of the venue shows beside the state of an account."""
    truth = event.truth
    if truth is None:
        failed = Plan(failed=True)
        return Reconciled(number=event.number, asked_ns=event.known_ns, venue_ns=event.event_ns, plan=failed)
    ours = our_side(account.reconciling, account.supervisor, account.books, account.equity(), account.now_ns)
    made = plan(truth, ours, account.reconciling.policy)
    venue_ns = event.event_ns if truth.at_ns is None else truth.at_ns
    return Reconciled(number=event.number, asked_ns=truth.asked_ns, venue_ns=venue_ns, plan=made)


def needs(account: Account, made: Plan) -> Iterator[Withdraw | LookUpOrder]:
    """Yield the repairs of a plan that reach the venue; there are no others."""
    for repair in made.repairs:
        if isinstance(repair, Withdraw):
            yield repair
        elif isinstance(repair, LookUp) and repair.client_id in account.supervisor.book.open:
            yield LookUpOrder(client_id=repair.client_id, asked_ns=account.now_ns)


def fold_reconciled(account: Account, entry: Reconciled) -> None:
    """Fold the facts that a comparison found, and what it showed."""
    for repair in entry.plan.repairs:
        match repair:
            case Hear(fact=fact):
                hearing.fold_heard(
                    account, account.supervisor.fold(msgspec.structs.replace(fact, known_ns=account.now_ns))
                )
            case Book(fact=fact) if fact.instrument is not None:
                fold_elsewhere(account, fact.instrument, fact.quantity, fact.price, EXTERNAL, fact.fee)
            case Adopt():
                _adopt(account, repair.instrument, repair.quantity, repair.average, RECOVERED)
    account.reconciling.fold(entry, account.now_ns)


def fold_accepted(account: Account, instrument: InstrumentId) -> None:
    """Fold that a person takes the venue's word for what is in an instrument."""
    found = account.reconciling.accept(instrument)
    if found is not None and found.gap is not None:
        _adopt(account, instrument, found.gap, found.average, EXTERNAL)


def fold_elsewhere(
    account: Account, instrument: InstrumentId, quantity: Decimal, price: Decimal, owner: StrategyId, fee: Decimal
) -> None:  # fmt: skip
    """Fold units that changed hands without an order of ours; their fee is paid by the first who is concerned.

    Args:
        account: Whose books follow.
        instrument: What was traded.
        quantity: Signed units.
        price: Per unit.
        owner: Who gets what closes nothing.
        fee: Positive is paid.
    """
    account.reconciling.move(instrument, account.now_ns)
    for who, units in list(shares(account.supervisor, account.books, instrument, quantity, owner)):
        if isinstance(who, TradeKey):
            account.supervisor.trade_elsewhere(who, units)
            hearing.fold_change(account, who, instrument, units, price, fee)
        else:
            account.books.fill(who, units, abs(units) * price, fee, 1 if units > 0 else -1)
        fee = Decimal(0)


def _adopt(
    account: Account, instrument: InstrumentId, quantity: Decimal, average: Decimal | None, owner: StrategyId
) -> None:  # fmt: skip
    """Fold units without evidence, at the last price or else the venue's entry price; without one nothing is booked."""
    price = account.prices.get(instrument, average)
    if price is not None:
        fold_elsewhere(account, instrument, quantity, price, owner, Decimal(0))
