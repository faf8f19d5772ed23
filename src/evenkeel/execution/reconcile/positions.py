"""Positions of both sides compared (operations.md 4.4 and 4.7)."""

from __future__ import annotations

from decimal import Decimal

from evenkeel.execution.reconcile.comparison import Comparison
from evenkeel.execution.reconcile.terms import (
    Adopt,
    Answer,
    Block,
    Book,
    Difference,
    DifferenceKind,
    Policy,
    Repair,
    Stop,
    stranger_key,
)
from evenkeel.model.halt import HaltCode, HaltLevel
from evenkeel.model.ids import ClientId, InstrumentId
from evenkeel.model.order import OrderState
from evenkeel.model.report import Executed
from evenkeel.model.truth import Position

_FLAT = Position(quantity=Decimal(0))


def compare_positions(made: Comparison) -> None:
    """Positions of the instruments that the engine trades; others are not looked at.

    Where positions were not asked for, what a stranger traded is a reason to ask for them.
    """
    to_come, strangers, positions = _to_come(made), _strangers(made), made.truth.positions
    if positions is None:
        made.waits = made.waits or bool(strangers)
        return
    for instrument in sorted(made.ours.owned):
        theirs = positions.get(instrument, _FLAT)
        mine = made.ours.positions.get(instrument, _FLAT)
        gap, lot = theirs.quantity - mine.quantity, made.ours.lots[instrument]
        ours = to_come.get(instrument, Decimal(0))
        foreign = strangers.get(instrument, [])
        others = sum((one.quantity for one in foreign), Decimal(0))
        found = Difference(
            kind=_kind(mine.quantity, theirs.quantity), instrument=instrument, ours=str(mine.quantity),
            theirs=str(theirs.quantity), gap=gap, average=theirs.average,
        )  # fmt: skip
        if foreign and abs(gap - ours - others) < lot:
            _of_strangers(made, instrument, foreign)
        elif abs(gap - ours) < lot:
            if abs(gap) >= lot:
                made.explained(found)
            elif not foreign:
                _average(made, instrument, mine, theirs)
            made.waits = made.waits or bool(foreign)
        elif ours or made.is_moving(instrument) or _in_band(made, instrument, gap):
            made.waits = True
        else:
            text = f"{instrument}: {mine.quantity} against {theirs.quantity}"
            made.unexplained(found, *_answer(found, made.policy, text))


def _to_come(made: Comparison) -> dict[InstrumentId, Decimal]:
    """Return by how much facts of our orders that had not been heard move each position.

    An order counts the larger of what its reports and what its executions say, as the order book does.
    """
    told: dict[ClientId, Decimal] = {}
    seen: dict[ClientId, Decimal] = {}
    for report in made.truth.orders:
        order = made.ours.order_of(report)
        if order is not None:
            told[order.client_id] = max(order.told, report.filled)
    for execution in made.truth.executions:
        order = made.ours.order_of(execution)
        if order is not None and not made.ours.has_heard(order, execution):
            seen[order.client_id] = seen.get(order.client_id, order.seen) + abs(execution.quantity)
    moves: dict[InstrumentId, Decimal] = {}
    for identity in dict.fromkeys([*told, *seen]):
        order = made.ours.orders[identity]
        after = max(told.get(identity, order.told), seen.get(identity, order.seen)) - order.busted
        change = (after - order.filled) * order.sign
        moves[order.instrument] = moves.get(order.instrument, Decimal(0)) + change
    for piece in made.gone:
        moves[piece.instrument] = moves.get(piece.instrument, Decimal(0)) - piece.quantity
    return moves


def _strangers(made: Comparison) -> dict[InstrumentId, list[Executed]]:
    """Return the executions of strangers in instruments of the engine that are not booked yet."""
    found: dict[InstrumentId, list[Executed]] = {}
    for execution in made.truth.executions:
        if execution.instrument is None or execution.instrument not in made.ours.owned:
            continue
        if made.ours.order_of(execution) is None and stranger_key(execution) not in made.ours.strangers:
            found.setdefault(execution.instrument, []).append(execution)
    return found


def _of_strangers(made: Comparison, instrument: InstrumentId, executions: list[Executed]) -> None:
    """Somebody else traded, and the position says so too: the books follow, and the policy answers."""
    for one in executions:
        made.explained(
            Difference(
                kind=DifferenceKind.EXECUTION_OF_STRANGER, instrument=instrument, venue_id=one.venue_id,
                theirs=f"{one.quantity} at {one.price} ({one.execution_id})",
            ),
            Book(fact=one),
        )  # fmt: skip
    text = f"{instrument}: somebody else traded {sum((one.quantity for one in executions), Decimal(0))}"
    if made.policy.stranger is Answer.KILL:
        made.repairs.append(Stop(code=HaltCode.UNEXPECTED_POSITION, level=HaltLevel.KILLED, text=text))
    elif made.policy.stranger is Answer.HALT:
        made.repairs.append(Stop(code=HaltCode.UNEXPECTED_POSITION, level=HaltLevel.HALTED, text=text))
    elif made.policy.stranger is Answer.BLOCK:
        made.repairs.append(Block(instrument=instrument, kind=DifferenceKind.EXECUTION_OF_STRANGER))


def _in_band(made: Comparison, instrument: InstrumentId, gap: Decimal) -> bool:
    """Whether orders in doubt could explain a gap: one that was sent may have filled without our hearing of it."""
    doubtful = [
        order.left.copy_sign(order.quantity)
        for order in made.ours.orders.values()
        if order.instrument == instrument and order.state in (OrderState.SENT, OrderState.UNKNOWN)
    ]
    most = sum((units for units in doubtful if units > 0), Decimal(0))
    least = sum((units for units in doubtful if units < 0), Decimal(0))
    return least <= gap <= most


def _kind(mine: Decimal, theirs: Decimal) -> DifferenceKind:
    if not mine:
        return DifferenceKind.MISSING_INTERNAL
    if not theirs:
        return DifferenceKind.MISSING_BROKER
    return DifferenceKind.QUANTITY if mine * theirs > 0 else DifferenceKind.SIGN


def _answer(found: Difference, policy: Policy, text: str) -> tuple[Repair, ...]:
    answer = {
        DifferenceKind.MISSING_INTERNAL: policy.missing_internal, DifferenceKind.MISSING_BROKER: policy.missing_broker,
        DifferenceKind.QUANTITY: policy.quantity, DifferenceKind.SIGN: policy.sign,
    }[found.kind]  # fmt: skip
    if answer is Answer.KILL:
        return (Stop(code=HaltCode.DESYNC_UNEXPLAINED, level=HaltLevel.KILLED, text=text),)
    if answer is Answer.HALT:
        return (Stop(code=HaltCode.DESYNC, level=HaltLevel.HALTED, text=text),)
    if found.instrument is None or found.gap is None:
        return ()
    if answer is Answer.ADOPT:
        return (Adopt(instrument=found.instrument, quantity=found.gap, average=found.average),)
    return (Block(instrument=found.instrument, kind=found.kind),)


def _average(made: Comparison, instrument: InstrumentId, mine: Position, theirs: Position) -> None:
    """Entry prices that differ are told and change nothing."""
    if mine.average is None or theirs.average is None or not mine.quantity or not mine.average:
        return
    if abs(theirs.average - mine.average) > made.policy.average_tolerance * mine.average:
        made.explained(
            Difference(
                kind=DifferenceKind.AVERAGE_PRICE, instrument=instrument, ours=str(mine.average),
                theirs=str(theirs.average),
            )
        )  # fmt: skip
