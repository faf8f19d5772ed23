"""The plan of a reconciliation: a pure function of the broker's truth, our state and the policy.

Nothing is repaired here. A repair is a fact of the broker that we had not heard (an execution, the state of an order),
an order to be cancelled or looked up, or a reason to stop; whoever applies the plan folds those like any other. Source:
operations.md 4.4 and 4.5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

import msgspec

from evenkeel.model.halt import HaltCode, HaltLevel
from evenkeel.model.ids import ClientId, InstrumentId
from evenkeel.model.order import OrderState, VenueOrder
from evenkeel.model.report import Executed, OrderReported

SETTLED_NS = 5_000_000_000
"""A difference within so much time of the last fill or answer may be a message on its way."""


class DifferenceKind(StrEnum):
    """What differs."""

    EXECUTION_MISSED = "execution_missed"
    ORDER_BEHIND = "order_behind"
    ORDER_ABSENT = "order_absent"
    ORDER_OPEN_AFTER_END = "order_open_after_end"
    ORDER_ATTRIBUTES = "order_attributes"
    OWN_ORPHAN = "own_orphan"
    FOREIGN_ORDER = "foreign_order"
    MISSING_INTERNAL = "missing_internal"
    MISSING_BROKER = "missing_broker"
    QUANTITY = "quantity"
    SIGN = "sign"
    AVERAGE_PRICE = "average_price"
    CASH = "cash"


POSITION_KINDS = (
    DifferenceKind.MISSING_INTERNAL, DifferenceKind.MISSING_BROKER, DifferenceKind.QUANTITY, DifferenceKind.SIGN,
)  # fmt: skip


class Difference(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One thing that differs.

    Attributes:
        kind: What.
        instrument: Of which; None of money.
        client_id: Of the order, where it is one of ours.
        ours: Our figure.
        theirs: The broker's.
        explained: Whether executions or order states that we had not heard explain it.
    """

    kind: DifferenceKind
    instrument: InstrumentId | None = None
    client_id: ClientId | None = None
    ours: str = ""
    theirs: str = ""
    explained: bool = False


class Hear(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Fold a fact of the broker that had not been heard."""

    fact: OrderReported | Executed


class Withdraw(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Cancel an order at the broker that is of ours and not in our book: it was left behind by a crash."""

    venue_id: str
    client_id: ClientId


class LookUp(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Ask what became of an order that the broker's list lacks; only evidence ends it."""

    client_id: ClientId


class Block(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Open nothing more in an instrument until a person has looked."""

    instrument: InstrumentId
    kind: DifferenceKind


class Stop(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Halt the account."""

    code: HaltCode
    level: HaltLevel
    text: str


Repair: TypeAlias = Hear | Withdraw | LookUp | Block | Stop


class Answer(StrEnum):
    """What a policy does about a difference of positions that nothing explains."""

    ADOPT = "adopt"
    BLOCK = "block"
    HALT = "halt"
    KILL = "kill"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What to do about what nothing explains, and from when it counts (operations.md 4.4).

    Attributes:
        missing_internal: The broker holds what we do not.
        missing_broker: We hold what the broker does not.
        quantity: Both hold, and not the same.
        sign: Both hold, on different sides.
        cash_tolerance: In account currency.
        cash_halt: Fraction of the equity beyond which a difference of cash halts.
        average_tolerance: Fraction of the entry price.
    """

    missing_internal: Answer = Answer.BLOCK
    missing_broker: Answer = Answer.BLOCK
    quantity: Answer = Answer.HALT
    sign: Answer = Answer.KILL
    cash_tolerance: Decimal = Decimal(1)
    cash_halt: Decimal = Decimal("0.001")
    average_tolerance: Decimal = Decimal("0.005")


LIVE = Policy()
PAPER = Policy(
    missing_internal=Answer.ADOPT, missing_broker=Answer.ADOPT, quantity=Answer.ADOPT, sign=Answer.HALT
)  # fmt: skip
FUTURES = Policy(
    missing_internal=Answer.KILL, missing_broker=Answer.KILL, quantity=Answer.KILL, sign=Answer.KILL
)  # fmt: skip


class Position(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a side says to hold.

    Attributes:
        quantity: Signed units.
        average: Entry price; None is not told.
    """

    quantity: Decimal
    average: Decimal | None = None


class Truth(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the broker said, all of it asked for at once.

    Attributes:
        asked_ns: When.
        complete: Whether every page was read; what is incomplete proves nothing.
        orders: Open ones.
        executions: Since the cursor.
        positions: By instrument; one that is not in it is flat.
        cash: Of the account; None is not told.
    """

    asked_ns: int
    complete: bool
    orders: tuple[OrderReported, ...] = ()
    executions: tuple[Executed, ...] = ()
    positions: Mapping[InstrumentId, Position] = {}
    cash: Decimal | None = None


class Ours(msgspec.Struct, frozen=True, kw_only=True):
    """What we have.

    Attributes:
        now_ns: The time.
        prefix: With which our ids begin.
        orders: Ours by id, those that are over lately included.
        executions: Ids of the executions that count.
        positions: By instrument.
        owned: Instruments that the engine trades; others are looked at only.
        lots: Smallest step of a quantity, by instrument.
        moved_ns: When something last happened in an instrument: a fill, an answer, a command.
        cash: As the broker counts it; None is not compared.
        equity: Of the account; None is not known.
    """

    now_ns: int
    prefix: str
    orders: Mapping[ClientId, VenueOrder]
    executions: frozenset[str]
    positions: Mapping[InstrumentId, Position]
    owned: frozenset[InstrumentId]
    lots: Mapping[InstrumentId, Decimal]
    moved_ns: Mapping[InstrumentId, int] = {}
    cash: Decimal | None = None
    equity: Decimal | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What differs and what is to be done.

    Attributes:
        failed: Whether the truth was not whole, so that nothing can be said.
        differences: In the order in which they were found.
        repairs: In the order in which they are to be applied.
    """

    failed: bool = False
    differences: tuple[Difference, ...] = ()
    repairs: tuple[Repair, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether nothing differs that was not explained."""
        return not self.failed and all(difference.explained for difference in self.differences)


def plan(truth: Truth, ours: Ours, policy: Policy) -> Plan:
    """Compare the broker's truth with ours, and say what is to be done.

    Args:
        truth: What the broker said.
        ours: What we have.
        policy: What to do about what nothing explains.
    """
    if not truth.complete:
        return Plan(failed=True)
    differences: list[Difference] = []
    repairs: list[Repair] = []
    _executions(truth, ours, differences, repairs)
    _orders(truth, ours, differences, repairs)
    _positions(truth, ours, policy, differences, repairs)
    _cash(truth, ours, policy, differences, repairs)
    return Plan(differences=tuple(differences), repairs=tuple(repairs))


def _executions(truth: Truth, ours: Ours, differences: list[Difference], repairs: list[Repair]) -> None:
    """Executions of our orders that had not been heard; those of strangers show in the position."""
    for execution in truth.executions:
        if execution.execution_id in ours.executions or execution.client_id not in ours.orders:
            continue
        differences.append(
            Difference(
                kind=DifferenceKind.EXECUTION_MISSED, instrument=execution.instrument, client_id=execution.client_id,
                theirs=f"{execution.quantity} at {execution.price} ({execution.execution_id})", explained=True,
            )
        )  # fmt: skip
        repairs.append(Hear(fact=execution))


def _orders(truth: Truth, ours: Ours, differences: list[Difference], repairs: list[Repair]) -> None:
    seen: set[ClientId] = set()
    for report in truth.orders:
        identity = report.client_id
        order = None if identity is None else ours.orders.get(identity)
        if identity is None or (order is None and not identity.startswith(ours.prefix)):
            _foreign(report, ours, differences, repairs)
        elif order is None:
            differences.append(
                Difference(
                    kind=DifferenceKind.OWN_ORPHAN, instrument=report.instrument, client_id=identity, explained=True
                )
            )
            repairs.append(Withdraw(venue_id=report.venue_id, client_id=identity))
        else:
            seen.add(identity)
            _known(report, order, ours, differences, repairs)
    for identity, order in ours.orders.items():
        if identity in seen or order.state.is_final or order.state in (OrderState.SENT, OrderState.UNKNOWN):
            continue
        if _moving(order.instrument, ours, truth) or order.moved_ns > truth.asked_ns - SETTLED_NS:
            continue
        differences.append(
            Difference(
                kind=DifferenceKind.ORDER_ABSENT, instrument=order.instrument, client_id=identity,
                ours=order.state.value, explained=True,
            )
        )  # fmt: skip
        repairs.append(LookUp(client_id=identity))


def _foreign(report: OrderReported, ours: Ours, differences: list[Difference], repairs: list[Repair]) -> None:
    """An order of a person or another program: never touched; nothing is opened beside it."""
    if report.instrument not in ours.owned or report.instrument is None:
        return
    differences.append(
        Difference(kind=DifferenceKind.FOREIGN_ORDER, instrument=report.instrument, theirs=report.venue_id)
    )
    repairs.append(Block(instrument=report.instrument, kind=DifferenceKind.FOREIGN_ORDER))


def _known(
    report: OrderReported, order: VenueOrder, ours: Ours, differences: list[Difference], repairs: list[Repair]
) -> None:  # fmt: skip
    if order.state.is_final:
        if order.moved_ns > ours.now_ns - SETTLED_NS:
            return
        differences.append(
            Difference(
                kind=DifferenceKind.ORDER_OPEN_AFTER_END, instrument=order.instrument, client_id=order.client_id,
                ours=order.state.value, theirs=report.state.value,
            )
        )  # fmt: skip
        repairs.append(Withdraw(venue_id=report.venue_id, client_id=order.client_id))
    elif report.filled > order.told or order.state in (OrderState.SENT, OrderState.UNKNOWN):
        differences.append(
            Difference(
                kind=DifferenceKind.ORDER_BEHIND, instrument=order.instrument, client_id=order.client_id,
                ours=f"{order.state.value} {order.told}", theirs=f"{report.state.value} {report.filled}",
                explained=True,
            )
        )  # fmt: skip
        repairs.append(Hear(fact=report))


def _positions(
    truth: Truth, ours: Ours, policy: Policy, differences: list[Difference], repairs: list[Repair]
) -> None:  # fmt: skip
    missed = _missed(truth, ours)
    for instrument in sorted(ours.owned):
        theirs = truth.positions.get(instrument, Position(quantity=Decimal(0)))
        mine = ours.positions.get(instrument, Position(quantity=Decimal(0)))
        gap = theirs.quantity - mine.quantity
        if abs(gap) < ours.lots[instrument]:
            _average(instrument, mine, theirs, policy, differences)
            continue
        explained = gap == missed.get(instrument, Decimal(0))
        if not explained and (_moving(instrument, ours, truth) or _in_band(instrument, gap, ours)):
            continue
        kind = _kind(mine.quantity, theirs.quantity)
        differences.append(
            Difference(
                kind=kind, instrument=instrument, ours=str(mine.quantity), theirs=str(theirs.quantity),
                explained=explained,
            )
        )  # fmt: skip
        if not explained:
            repairs.append(
                _answer(kind, instrument, policy, f"{instrument}: {mine.quantity} against {theirs.quantity}")
            )


def _missed(truth: Truth, ours: Ours) -> dict[InstrumentId, Decimal]:
    """Return by how much executions that had not been heard move each position."""
    moved: dict[InstrumentId, Decimal] = {}
    for execution in truth.executions:
        if execution.execution_id in ours.executions or execution.instrument is None:
            continue
        if execution.client_id in ours.orders:
            moved[execution.instrument] = moved.get(execution.instrument, Decimal(0)) + execution.quantity
    return moved


def _moving(instrument: InstrumentId, ours: Ours, truth: Truth) -> bool:
    """Whether something happened so lately that a difference may be a message on its way."""
    moved = ours.moved_ns.get(instrument)
    return moved is not None and moved > truth.asked_ns - SETTLED_NS


def _in_band(instrument: InstrumentId, gap: Decimal, ours: Ours) -> bool:
    """Whether orders in doubt could explain a gap: one that was sent may have filled without our hearing of it."""
    doubtful = [
        order.left.copy_sign(order.quantity)
        for order in ours.orders.values()
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


def _answer(kind: DifferenceKind, instrument: InstrumentId, policy: Policy, text: str) -> Repair:
    answer = {
        DifferenceKind.MISSING_INTERNAL: policy.missing_internal, DifferenceKind.MISSING_BROKER: policy.missing_broker,
        DifferenceKind.QUANTITY: policy.quantity, DifferenceKind.SIGN: policy.sign,
    }[kind]  # fmt: skip
    if answer is Answer.KILL:
        return Stop(code=HaltCode.DESYNC_UNEXPLAINED, level=HaltLevel.KILLED, text=text)
    if answer is Answer.HALT:
        return Stop(code=HaltCode.DESYNC, level=HaltLevel.HALTED, text=text)
    return Block(instrument=instrument, kind=kind)


def _average(
    instrument: InstrumentId, mine: Position, theirs: Position, policy: Policy, differences: list[Difference]
) -> None:  # fmt: skip
    if mine.average is None or theirs.average is None or not mine.quantity or not mine.average:
        return
    if abs(theirs.average - mine.average) > policy.average_tolerance * mine.average:
        differences.append(
            Difference(
                kind=DifferenceKind.AVERAGE_PRICE, instrument=instrument, ours=str(mine.average),
                theirs=str(theirs.average), explained=True,
            )
        )  # fmt: skip


def _cash(truth: Truth, ours: Ours, policy: Policy, differences: list[Difference], repairs: list[Repair]) -> None:
    if truth.cash is None or ours.cash is None:
        return
    gap = truth.cash - ours.cash
    if abs(gap) <= policy.cash_tolerance:
        return
    differences.append(Difference(kind=DifferenceKind.CASH, ours=str(ours.cash), theirs=str(truth.cash)))
    if ours.equity is None or abs(gap) > policy.cash_halt * ours.equity:
        repairs.append(
            Stop(code=HaltCode.DESYNC, level=HaltLevel.HALTED, text=f"cash differs by {gap} from the broker's")
        )


def describe(made: Plan) -> Sequence[str]:
    """Return a plan as lines for a person: what differs, then what is to be done."""
    if made.failed:
        return ("The broker's answer was not whole: nothing is compared. Ask again.",)
    if not made.differences:
        return ("Our books and the broker's agree.",)
    lines = [
        f"{'explained  ' if d.explained else 'UNEXPLAINED'} {d.kind.value}: {d.instrument or 'account'} "
        f"{d.client_id or ''} ours {d.ours or '-'}, theirs {d.theirs or '-'}"
        for d in made.differences
    ]
    return (*lines, *(f"to do: {type(repair).__name__.lower()} {_told(repair)}" for repair in made.repairs))


def _told(repair: Repair) -> str:
    match repair:
        case Hear(fact=fact):
            return f"{fact.client_id}"
        case Withdraw() | LookUp():
            return repair.client_id
        case Block():
            return f"{repair.instrument} ({repair.kind.value})"
        case Stop():
            return f"{repair.code.value} at level {repair.level.value}: {repair.text}"
