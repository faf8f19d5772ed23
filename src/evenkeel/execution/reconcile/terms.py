"""Words of a reconciliation: what differs, what is to be done about it, and what a policy lets be done."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

import msgspec

from evenkeel.execution.executions import Piece, PieceKey
from evenkeel.model.halt import HaltCode, HaltLevel
from evenkeel.model.ids import ClientId, InstrumentId
from evenkeel.model.order import VenueOrder
from evenkeel.model.report import Executed, ExecutionBusted, OrderReported
from evenkeel.model.truth import Position

_SECOND = 1_000_000_000


class DifferenceKind(StrEnum):
    """What differs."""

    EXECUTION_MISSED = "execution_missed"
    EXECUTION_GONE = "execution_gone"
    EXECUTION_OF_STRANGER = "execution_of_stranger"
    ORDER_BEHIND = "order_behind"
    ORDER_ABSENT = "order_absent"
    ORDER_GONE = "order_gone"
    ORDER_OPEN_AFTER_END = "order_open_after_end"
    ORDER_ATTRIBUTES = "order_attributes"
    OWN_ORPHAN = "own_orphan"
    FOREIGN_ORDER = "foreign_order"
    PROTECTION = "protection"
    MISSING_INTERNAL = "missing_internal"
    MISSING_BROKER = "missing_broker"
    QUANTITY = "quantity"
    SIGN = "sign"
    AVERAGE_PRICE = "average_price"
    CASH = "cash"


POSITION_KINDS = (
    DifferenceKind.MISSING_INTERNAL, DifferenceKind.MISSING_BROKER, DifferenceKind.QUANTITY, DifferenceKind.SIGN,
)  # fmt: skip


class Difference(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One thing that differs.

    Attributes:
        kind: What.
        instrument: Of which; None of money.
        client_id: Of the order, where it is one of ours.
        venue_id: The venue's id of the order, where that is what there is.
        ours: Our figure.
        theirs: The broker's.
        gap: Theirs less ours, of positions and money.
        average: The broker's entry price, of positions.
        explained: Whether facts that we had not heard explain it, or the policy only tells of it.
        confirmed: Whether an earlier answer had shown it too; what nothing explains counts from then on only.
    """

    kind: DifferenceKind
    instrument: InstrumentId | None = None
    client_id: ClientId | None = None
    venue_id: str | None = None
    ours: str = ""
    theirs: str = ""
    gap: Decimal | None = None
    average: Decimal | None = None
    explained: bool = False
    confirmed: bool = False

    @property
    def key(self) -> str:
        """What makes it the same one in the next answer, whatever has moved on both sides since."""
        kind = "position" if self.kind in POSITION_KINDS else self.kind.value
        gap = "" if self.gap is None else str(self.gap.normalize())
        return f"{kind} {self.instrument or ''} {self.client_id or self.venue_id or ''} {gap}"

    @property
    def counts(self) -> bool:
        """Whether it is a divergence: nothing explains it, and it was seen twice."""
        return self.confirmed and not self.explained


class Hear(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="hear", tag_field="do"):
    """Fold a fact of the broker that had not been heard.

    Attributes:
        fact: The evidence.
    """

    fact: OrderReported | Executed | ExecutionBusted


class Book(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="book", tag_field="do"):
    """Book an execution of a stranger in an instrument of the engine: what it closes is no longer held by a trade.

    Attributes:
        fact: The evidence.
    """

    fact: Executed


class Adopt(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="adopt", tag_field="do"):
    """Take the broker's word for a position without evidence of how it came to be.

    Attributes:
        instrument: Of which.
        quantity: Signed units by which ours changes.
        average: The broker's entry price; None is not told.
    """

    instrument: InstrumentId
    quantity: Decimal
    average: Decimal | None = None


class Withdraw(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="withdraw", tag_field="do"):
    """Cancel an order of ours at the broker that our book lacks or takes for over.

    Attributes:
        venue_id: The venue's id of it.
        client_id: Ours.
        instrument: What it trades; None where the broker did not tell.
        why: In words.
    """

    venue_id: str
    client_id: ClientId
    instrument: InstrumentId | None
    why: str


class LookUp(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="look_up", tag_field="do"):
    """Ask what became of an order about which the broker's list says something else; only evidence ends it.

    Attributes:
        client_id: Our id.
    """

    client_id: ClientId


class Block(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="block", tag_field="do"):
    """Open nothing more in an instrument until a person has looked.

    Attributes:
        instrument: Which.
        kind: Why.
    """

    instrument: InstrumentId
    kind: DifferenceKind


class Stop(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="stop", tag_field="do"):
    """Halt the account.

    Attributes:
        code: Why.
        level: How far.
        text: What exactly.
    """

    code: HaltCode
    level: HaltLevel
    text: str


Repair: TypeAlias = Hear | Book | Adopt | Withdraw | LookUp | Block | Stop


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
        stranger: Somebody else traded an instrument of the engine; the books follow the execution in any case.
        cash_tolerance: In account currency.
        cash_halt: Fraction of the equity beyond which a difference of cash halts; None never halts.
        average_tolerance: Fraction of the entry price.
        confirm_ns: A difference counts when two answers have shown it that were asked for so far apart.
        gone_ns: An order that complete answers have lacked for so long is over, if the position says so too.
    """

    missing_internal: Answer = Answer.BLOCK
    missing_broker: Answer = Answer.BLOCK
    quantity: Answer = Answer.HALT
    sign: Answer = Answer.KILL
    stranger: Answer = Answer.BLOCK
    cash_tolerance: Decimal = Decimal(1)
    cash_halt: Decimal | None = Decimal("0.001")
    average_tolerance: Decimal = Decimal("0.005")
    confirm_ns: int = 5 * _SECOND
    gone_ns: int = 60 * _SECOND


LIVE = Policy()
PAPER = Policy(
    missing_internal=Answer.ADOPT, missing_broker=Answer.ADOPT, quantity=Answer.ADOPT, sign=Answer.HALT,
    stranger=Answer.ADOPT, cash_halt=None,
)  # fmt: skip
FUTURES = Policy(
    missing_internal=Answer.KILL, missing_broker=Answer.KILL, quantity=Answer.KILL, sign=Answer.KILL,
    stranger=Answer.KILL, cash_halt=Decimal(0),
)  # fmt: skip


class Guarded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A position that must have its stop at the venue, and our stop orders for it.

    Attributes:
        instrument: Of which.
        quantity: Signed units.
        stops: Our ids of the orders that protect it.
    """

    instrument: InstrumentId
    quantity: Decimal
    stops: tuple[ClientId, ...]


class Ours(msgspec.Struct, frozen=True, kw_only=True):
    """What we have.

    Attributes:
        now_ns: The time.
        prefix: With which our ids begin.
        orders: Ours by id, those that are over lately included.
        executions: Those that we have heard of.
        positions: By instrument.
        owned: Instruments that the engine trades; others are looked at only.
        lots: Smallest step of a quantity, by instrument.
        venue_ids: Our ids of orders by the venue's.
        guarded: Positions that must be protected.
        strangers: Executions of strangers that are booked, see `stranger_key`.
        orphans: Ids of orders that were left behind and are being withdrawn.
        begun: Whether the session's first comparisons are done: an order of ours that turns up after them was not left
            behind, somebody has just placed it.
        doubts: Differences that an earlier answer showed, by key, with when that was asked for.
        accepted: Differences that a person lets be, by key.
        moved_ns: When we last heard that units of an instrument changed hands.
        cash: As `Truth.cash`; None is not compared.
        equity: Of the account; None is not known.
    """

    now_ns: int
    prefix: str
    orders: Mapping[ClientId, VenueOrder]
    executions: Mapping[PieceKey, Piece]
    positions: Mapping[InstrumentId, Position]
    owned: Collection[InstrumentId]
    lots: Mapping[InstrumentId, Decimal]
    venue_ids: Mapping[str, ClientId] = {}
    guarded: tuple[Guarded, ...] = ()
    strangers: Collection[str] = ()
    orphans: Collection[ClientId] = ()
    begun: bool = False
    doubts: Mapping[str, int] = {}
    accepted: Collection[str] = ()
    moved_ns: Mapping[InstrumentId, int] = {}
    cash: Decimal | None = None
    equity: Decimal | None = None

    def order_of(self, fact: OrderReported | Executed) -> VenueOrder | None:
        """Return our order that a fact is about; None is a stranger's."""
        identity = fact.client_id if fact.client_id is not None else self.venue_ids.get(fact.venue_id)
        return None if identity is None else self.orders.get(identity)

    def has_heard(self, order: VenueOrder, execution: Executed) -> bool:
        """Whether an execution of an order of ours is in our book."""
        return PieceKey(order.client_id, execution.execution_id) in self.executions


def stranger_key(execution: Executed) -> str:
    """Return the name of an execution of a stranger: a venue may use its ids again, for another order."""
    return f"{execution.venue_id} {execution.execution_id} {execution.event_ns}"


class Plan(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What differs and what is to be done.

    Attributes:
        failed: Whether the truth was not whole, so that nothing can be said.
        whole: Whether positions were compared too.
        waits: Whether something could not be judged yet, since a message about it may be on its way.
        differences: In the order in which they were found.
        repairs: In the order in which they are to be applied.
    """

    failed: bool = False
    whole: bool = False
    waits: bool = False
    differences: tuple[Difference, ...] = ()
    repairs: tuple[Repair, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether nothing differs that was not explained, and nothing is left to be judged."""
        return not self.failed and not self.waits and all(difference.explained for difference in self.differences)
