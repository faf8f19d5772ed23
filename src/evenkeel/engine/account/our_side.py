"""Our side of a reconciliation, made from the state of an account; and whose position it is that changed elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from evenkeel.engine.account.reconciling import Reconciling
from evenkeel.execution.books import Books, Owner
from evenkeel.execution.reconcile.terms import Guarded, Ours
from evenkeel.execution.supervisor.supervisor import Supervisor, TradeKey
from evenkeel.model.ids import ClientId, InstrumentId, Leg, StrategyId
from evenkeel.model.truth import Position

EXTERNAL: Final = StrategyId("external")
"""Owner of what somebody else holds in an instrument of the engine: it is counted, and nobody manages it."""
RECOVERED: Final = StrategyId("recovered")
"""Owner of what was taken over on the broker's word, without evidence; no real money is ever counted so."""
UNMANAGED = (EXTERNAL, RECOVERED)


def our_side(
    reconciling: Reconciling, supervisor: Supervisor, books: Books, equity: Decimal | None, now_ns: int
) -> Ours:
    """Return what we have, to be compared with the venue's truth.

    Args:
        reconciling: What is remembered of earlier comparisons.
        supervisor: Orders and trades.
        books: Positions and money.
        equity: Of the account; None is not known.
        now_ns: The time.
    """
    record, book = reconciling.record, supervisor.book
    return Ours(
        now_ns=now_ns, prefix=book.prefix, orders={**book.closed, **book.open}, executions=book.executions.pieces,
        positions={instrument: Position(quantity=books.position(instrument)) for instrument in reconciling.lots},
        owned=frozenset(reconciling.lots), lots=reconciling.lots, venue_ids=book.by_venue,
        guarded=tuple(_guarded(supervisor)), strangers=record.strangers, orphans=record.orphans, begun=record.begun,
        doubts=record.doubts, accepted=record.accepted, moved_ns=record.moved_ns, cash=_cash(supervisor, books),
        equity=equity,
    )  # fmt: skip


def shares(
    supervisor: Supervisor, books: Books, instrument: InstrumentId, quantity: Decimal, owner: StrategyId
) -> Iterator[tuple[TradeKey | Owner, Decimal]]:
    """Yield whose position changes, and by how much, when somebody else trades an instrument of ours.

    What nobody manages is closed first, then trades in the order in which they began; what is left is the owner's.

    Args:
        supervisor: Trades.
        books: Positions.
        instrument: What was traded.
        quantity: Signed units.
        owner: Who gets what closes nothing.
    """
    left = quantity
    held: list[tuple[TradeKey | Owner, Decimal]] = [
        (one, holding.quantity)
        for one, holding in books.holdings.items()
        if one.instrument == instrument and one.strategy in UNMANAGED
    ]
    held += [(key, bracket.held) for key, bracket in supervisor.brackets.items() if key.instrument == instrument]
    for who, units in held:
        if units * left < 0:
            part = min(abs(units), abs(left)).copy_sign(left)
            left -= part
            yield who, part
    if left:
        yield Owner(owner, instrument), left


def _guarded(supervisor: Supervisor) -> Iterator[Guarded]:
    """Yield the positions that must have a stop at the venue now."""
    stops: dict[TradeKey, list[ClientId]] = {}
    for order in supervisor.book.open.values():
        if order.leg is Leg.STOP:
            stops.setdefault(TradeKey(order.strategy, order.instrument, order.trade), []).append(order.client_id)
    for key, bracket in supervisor.brackets.items():
        if bracket.held * bracket.direction > 0 and bracket.stop_price is not None and bracket.closing is None:
            yield Guarded(instrument=key.instrument, quantity=bracket.held, stops=tuple(stops.get(key, ())))


def _cash(supervisor: Supervisor, books: Books) -> Decimal | None:
    """Return our cash; None while executions are on their way, since fees and exact prices are theirs."""
    book = supervisor.book
    if book.unseen or any(order.told > order.seen for order in book.open.values()):
        return None
    return books.cash
