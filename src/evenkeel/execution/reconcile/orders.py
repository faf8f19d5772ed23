"""Executions, orders and protection of both sides compared (operations.md 4.5 and 4.6)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from evenkeel.execution.executions import Piece, PieceKey, unheard_id
from evenkeel.execution.reconcile.comparison import SETTLED_NS, Comparison
from evenkeel.execution.reconcile.terms import Block, Difference, DifferenceKind, Hear, LookUp, Stop, Withdraw
from evenkeel.model.halt import HaltCode, HaltLevel
from evenkeel.model.ids import ClientId
from evenkeel.model.order import OrderState, VenueOrder
from evenkeel.model.report import ExecutionBusted, OrderReported

_IN_DOUBT = (OrderState.SENT, OrderState.UNKNOWN)
_CHANGING = (OrderState.CANCEL_PENDING, OrderState.REPLACE_PENDING)


def compare_executions(made: Comparison) -> None:
    """Executions of our orders that had not been heard, and those of ours that the broker took back.

    Those of strangers show in the position.
    """
    listed = set[PieceKey]()
    for execution in made.truth.executions:
        order = made.ours.order_of(execution)
        if order is not None:
            listed.add(PieceKey(order.client_id, execution.execution_id))
        if order is None or made.ours.has_heard(order, execution):
            continue
        made.explained(
            Difference(
                kind=DifferenceKind.EXECUTION_MISSED, instrument=order.instrument, client_id=order.client_id,
                theirs=f"{execution.quantity} at {execution.price} ({execution.execution_id})",
            ),
            Hear(fact=execution),
        )  # fmt: skip
    _compare_gone(made, listed)


def _compare_gone(made: Comparison, listed: set[PieceKey]) -> None:
    """Executions that a complete answer should have and has not: the venue took them back, and the news was lost."""
    truth = made.truth
    if truth.since_ns is None or truth.at_ns is None:
        return
    for key, piece in made.ours.executions.items():
        if key not in listed and not piece.busted and truth.since_ns <= piece.at_ns <= truth.at_ns - SETTLED_NS:
            _gone(made, piece, truth.at_ns)
    for order in made.ours.orders.values():
        unheard = (order.told - order.seen) * order.sign
        if unheard * order.sign > 0 and made.gap(order.instrument) == -unheard and truth.since_ns <= order.placed_ns:
            _gone(made, _never_heard(order, unheard, truth.at_ns), truth.at_ns)


def _gone(made: Comparison, piece: Piece, at_ns: int) -> None:
    made.gone.append(piece)
    busted = ExecutionBusted(
        event_ns=at_ns, known_ns=made.ours.now_ns, instrument=piece.instrument, execution_id=piece.execution_id,
        client_id=piece.client_id, venue_id=piece.client_id, quantity=piece.quantity, price=piece.price,
    )  # fmt: skip
    made.unexplained(
        Difference(
            kind=DifferenceKind.EXECUTION_GONE, instrument=piece.instrument, client_id=piece.client_id,
            venue_id=piece.execution_id, ours=f"{piece.quantity} at {piece.price} ({piece.execution_id})",
        ),
        Hear(fact=busted),
    )  # fmt: skip


def _never_heard(order: VenueOrder, units: Decimal, at_ns: int) -> Piece:
    """Return what an order report counted, of which no execution came and which the position lacks."""
    if order.told_value is None:
        price = order.price or order.trigger or Decimal(0)
    else:
        price = (order.told_value - order.seen_value) / abs(units)
    return Piece(
        execution_id=unheard_id(order.client_id), client_id=order.client_id, instrument=order.instrument,
        quantity=units, price=price, fee=Decimal(0), at_ns=at_ns,
    )  # fmt: skip


def compare_orders(made: Comparison) -> None:
    """Open orders of both sides."""
    listed: set[ClientId] = set()
    for report in made.truth.orders:
        order = made.ours.order_of(report)
        if order is not None:
            listed.add(order.client_id)
            _known(made, report, order)
        elif report.client_id is not None and report.client_id.startswith(made.ours.prefix):
            _orphan(made, report, report.client_id)
        else:
            _foreign(made, report)
    for identity, order in made.ours.orders.items():
        if identity not in listed and not order.state.is_final:
            _absent(made, order)


def _known(made: Comparison, report: OrderReported, order: VenueOrder) -> None:
    """Compare an order that both have."""
    found = Difference(
        kind=DifferenceKind.ORDER_BEHIND, instrument=order.instrument, client_id=order.client_id,
        ours=f"{order.state.value} {order.told}", theirs=f"{report.state.value} {report.filled}",
    )  # fmt: skip
    if order.state.is_final:
        _after_end(made, report, order)
    elif report.filled > order.told or order.state in _IN_DOUBT:
        made.explained(found, Hear(fact=report))
    elif order.state not in _CHANGING and not _same(report, order) and not made.is_recent(order.moved_ns):
        made.explained(
            Difference(
                kind=DifferenceKind.ORDER_ATTRIBUTES, instrument=order.instrument, client_id=order.client_id,
                ours=_figures(abs(order.quantity), order.price, order.trigger),
                theirs=_figures(report.quantity, report.price, report.trigger),
            ),
            LookUp(client_id=order.client_id),
        )  # fmt: skip


def _after_end(made: Comparison, report: OrderReported, order: VenueOrder) -> None:
    """An order that we take for over is open at the broker: what its list says twice is so."""
    if made.is_recent(order.moved_ns):
        made.waits = True
        return
    made.unexplained(
        Difference(
            kind=DifferenceKind.ORDER_OPEN_AFTER_END, instrument=order.instrument, client_id=order.client_id,
            venue_id=report.venue_id, ours=order.state.value, theirs=report.state.value,
        ),
        Withdraw(
            venue_id=report.venue_id, client_id=order.client_id, instrument=order.instrument,
            why="it is over in our book",
        ),
    )  # fmt: skip


def _orphan(made: Comparison, report: OrderReported, identity: ClientId) -> None:
    """An order of ours that the book lacks: left behind before the session, or another engine has just placed it."""
    found = Difference(
        kind=DifferenceKind.OWN_ORPHAN, instrument=report.instrument, client_id=identity, venue_id=report.venue_id
    )
    withdraw = Withdraw(
        venue_id=report.venue_id, client_id=identity, instrument=report.instrument, why="our book does not have it"
    )
    if not made.ours.begun or identity in made.ours.orphans:
        made.explained(found, withdraw)
        return
    text = f"{identity} ({report.venue_id}) was placed while this engine ran, and not by it"
    made.explained(found, withdraw, Stop(code=HaltCode.DUPLICATE_ENGINE, level=HaltLevel.KILLED, text=text))


def _foreign(made: Comparison, report: OrderReported) -> None:
    """An order of a person or another program: never touched; nothing is opened beside it."""
    if report.instrument is None or report.instrument not in made.ours.owned:
        return
    found = Difference(
        kind=DifferenceKind.FOREIGN_ORDER, instrument=report.instrument, venue_id=report.venue_id,
        theirs=_figures(report.quantity, report.price, report.trigger),
    )  # fmt: skip
    if found.key in made.ours.accepted:
        made.explained(found)
    else:
        made.explained(found, Block(instrument=report.instrument, kind=DifferenceKind.FOREIGN_ORDER))


def _absent(made: Comparison, order: VenueOrder) -> None:
    """An order that is open in our book is not in the list: ask about it, and end it only on evidence."""
    if order.state in _IN_DOUBT and order.venue_id is None:
        return
    if made.is_moving(order.instrument) or made.is_recent(order.moved_ns):
        made.waits = True
        return
    found = Difference(
        kind=DifferenceKind.ORDER_ABSENT, instrument=order.instrument, client_id=order.client_id,
        ours=order.state.value,
    )  # fmt: skip
    if not _is_gone(made, order):
        made.explained(found, LookUp(client_id=order.client_id))
        return
    over = OrderReported(
        event_ns=made.truth.asked_ns, known_ns=made.ours.now_ns, instrument=order.instrument,
        client_id=order.client_id, venue_id=order.venue_id or order.client_id, state=OrderState.CANCELLED,
        quantity=abs(order.quantity), filled=order.told, text="the venue has it no more, and the position agrees",
    )  # fmt: skip
    made.explained(
        Difference(
            kind=DifferenceKind.ORDER_GONE, instrument=order.instrument, client_id=order.client_id,
            ours=order.state.value,
        ),
        Hear(fact=over),
    )  # fmt: skip


def _is_gone(made: Comparison, order: VenueOrder) -> bool:
    """Whether nothing of an order is left at the venue: look-ups and lists lack it, and the position agrees."""
    return (
        order.absent_ns is not None
        and made.truth.asked_ns >= order.absent_ns + made.policy.gone_ns
        and made.gap(order.instrument) == 0
    )


def compare_protection(made: Comparison) -> None:
    """The stop of each position, as the broker's own list has it."""
    left: dict[ClientId, Decimal] = {}
    for report in made.truth.orders:
        order = made.ours.order_of(report)
        if order is not None:
            left[order.client_id] = report.quantity - report.filled
    for guarded in made.ours.guarded:
        covered = sum((left.get(identity, Decimal(0)) for identity in guarded.stops), Decimal(0))
        if covered >= abs(guarded.quantity):
            continue
        if made.is_moving(guarded.instrument):
            made.waits = True
            continue
        doubtful = [identity for identity in guarded.stops if _may_be_asked(made.ours.orders, identity)]
        made.unexplained(
            Difference(
                kind=DifferenceKind.PROTECTION, instrument=guarded.instrument, ours=str(abs(guarded.quantity)),
                theirs=str(covered),
            ),
            *(LookUp(client_id=identity) for identity in doubtful),
        )  # fmt: skip


def _may_be_asked(orders: Mapping[ClientId, VenueOrder], identity: ClientId) -> bool:
    order = orders.get(identity)
    return order is not None and not order.state.is_final


def _same(report: OrderReported, order: VenueOrder) -> bool:
    """Whether a report shows an order as we have it; what it leaves out fits."""
    return (
        abs(order.quantity) == report.quantity
        and (report.price is None or report.price == order.price)
        and (report.trigger is None or report.trigger == order.trigger)
    )


def _figures(quantity: Decimal, *prices: Decimal | None) -> str:
    return " at ".join([str(quantity), *(str(price) for price in prices if price is not None)])
