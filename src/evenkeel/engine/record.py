"""What a run leaves behind, the same from either lane: fills, trades, dead entries, the equity curve.

Both lanes describe a fill by the same `OrderFilled` event, made from the venue's report in one function; a trade is an
entry fill and the exit fill after it. Whoever goes through all fills reads them as columns (`fill_table`). Money is
exact: each posting was rounded once, by the venue.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import TypeVar, overload

import msgspec
import numpy as np
import numpy.typing as npt

from evenkeel.engine.digest import fill_bytes
from evenkeel.engine.fill_table import FillTable, Legs, legs_of, table_of
from evenkeel.model.bar import Bars, Ints
from evenkeel.model.event import Carried, FillPoint, OrderFilled
from evenkeel.model.ids import ClientId, Leg
from evenkeel.model.intent import Direction, Notes, OrderKind
from evenkeel.model.number import Grid, money_from_postings, postings_from_money, to_decimal
from evenkeel.model.reason import REASONS, ExitReason, Reason, StopReason
from evenkeel.venues.simulated import book as venue_book
from evenkeel.venues.simulated.book import Report
from evenkeel.venues.simulated.carry import CarryKind
from evenkeel.venues.simulated.venue import Told

LEGS = tuple(Leg(leg.name.lower()) for leg in venue_book.Leg if leg is not venue_book.Leg.FUNDING)
"""Legs by the number that the venue uses."""

_KINDS = {number.value: OrderKind(number.name.lower()) for number in venue_book.FillKind}
_CARRIED = {int(kind): Carried(kind.name.lower()) for kind in CarryKind if kind.name in Carried.__members__}
_POINTS = tuple(FillPoint(point.name.lower()) for point in venue_book.Point)
_LOTS, _LEG, _REASON, _GROSS = (int(c) for c in (Report.LOTS, Report.LEG, Report.REASON, Report.GROSS))
_ENTRY_LEG, _FUNDING_LEG = int(venue_book.Leg.ENTRY), int(venue_book.Leg.FUNDING)
_EXITS: dict[int, ExitReason] = {
    venue_book.Exit.STOP_LOSS: ExitReason.STOP_LOSS,
    venue_book.Exit.TAKE_PROFIT: ExitReason.TAKE_PROFIT,
    venue_book.Exit.SIGNAL: ExitReason.SIGNAL,
    venue_book.Exit.MAX_DRAWDOWN: ExitReason.MAX_DRAWDOWN,
    venue_book.Exit.EQUITY_STOP: ExitReason.EQUITY_STOP,
    venue_book.Exit.DATA_GAP: ExitReason.DATA_GAP,
    venue_book.Exit.END_OF_DATA: ExitReason.END_OF_DATA,
    venue_book.Exit.TRAILING: ExitReason.TRAILING,
    venue_book.Exit.BREAKEVEN: ExitReason.BREAKEVEN,
    venue_book.Exit.LIQUIDATION: ExitReason.LIQUIDATION,
    venue_book.Exit.REGIME: ExitReason.REGIME,
    venue_book.Exit.PLAYBOOK: ExitReason.PLAYBOOK,
    venue_book.Exit.FORCE: ExitReason.FORCE,
    venue_book.Exit.MARGIN_CALL: ExitReason.MARGIN_CALL,
    venue_book.Exit.SESSION_END: ExitReason.SESSION_END,
}
EXIT_NUMBERS = {reason: int(number) for number, reason in _EXITS.items()}
"""Numbers that the venue's book uses, by the reason of an exit."""

STOPS = {
    int(venue_book.Exit.MAX_DRAWDOWN): StopReason.MAX_DRAWDOWN,
    int(venue_book.Exit.EQUITY_STOP): StopReason.EQUITY_STOP,
    int(venue_book.Exit.LIQUIDATION): StopReason.LIQUIDATED,
    int(venue_book.Exit.PLAYBOOK): StopReason.PLAYBOOK,
}
"""Why a run stops before its data ends, by the number in the venue's book."""


class Fill(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A fill with what led to it.

    Attributes:
        event: The venue's report.
        trade: Number of its trade, from 1.
        decided_ns: Close of the execution bar that decided it; None for stops, targets and guards.
        reason: The rule behind an entry or a signal exit; else the exit reason.
        notes: What the strategy wanted kept with the trade, of an entry.
    """

    event: OrderFilled
    trade: int
    decided_ns: int | None
    reason: str
    notes: Notes = {}


class DeadEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """An entry order, or what was left of one, that ended without a fill.

    Attributes:
        event_ns: When.
        reason: Why.
        decided_ns: Close of the execution bar that decided it.
        rest: Whether a part of the order had been filled.
    """

    event_ns: int
    reason: Reason
    decided_ns: int
    rest: bool = False


class Funding(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A payment on a position: funding, a dividend, a borrow fee, cash for what a split left of a lot.

    Attributes:
        event_ns: When it was due.
        amount: Account currency, + received.
        trade: Number of the position's trade.
        fills_before: How many fills of the run came before it.
        kind: What it is.
    """

    event_ns: int
    amount: Decimal
    trade: int
    fills_before: int
    kind: Carried = Carried.FUNDING


class Trade(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A closed leg: an entry, and an exit of all of it or of a part.

    Attributes:
        number: Of the position, from 1; its legs share it.
        leg: Within the position, from 1.
        direction: Long or short.
        entry: The position's entry.
        exit: What closed this leg.
        entry_fee: This leg's share of the entry's fee.
        entry_slippage: Its share of the entry's slippage memo.
        funding: Its share of what funding paid (+) or took until then.
    """

    number: int
    leg: int
    direction: Direction
    entry: Fill
    exit: Fill
    entry_fee: Decimal
    entry_slippage: Decimal
    funding: Decimal

    @property
    def quantity(self) -> Decimal:
        """Units closed, positive."""
        return abs(self.exit.event.quantity)

    @property
    def gross(self) -> Decimal:
        """Result before costs; slippage is inside."""
        return self.exit.event.gross

    @property
    def fees(self) -> Decimal:
        """Fees of both sides."""
        return self.entry_fee + self.exit.event.fee

    @property
    def slippage(self) -> Decimal:
        """What slippage cost on both sides; inside the prices already."""
        return self.entry_slippage + self.exit.event.slippage

    @property
    def net(self) -> Decimal:
        """Result after fees and funding."""
        return self.gross - self.fees + self.funding


Item = TypeVar("Item")


class Described(Sequence[Item]):
    """Items that are described when somebody first looks at them: a sweep that reads money never does.

    Args:
        describe: Returns them, in order; called once.
    """

    def __init__(self, describe: Callable[[], Sequence[Item]]) -> None:
        self._describe = describe

    @cached_property
    def _items(self) -> Sequence[Item]:
        return self._describe()

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | Sequence[Item]:
        return self._items[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._items)


class Reported(Described[Fill]):
    """Fills that are described when somebody first looks at them, and are there as columns before.

    Args:
        describe: Returns them; called once.
        table: Returns them as columns; called once. None makes the columns from the records.
    """

    def __init__(self, describe: Callable[[], Sequence[Fill]], table: Callable[[], FillTable] | None) -> None:
        super().__init__(describe)
        self._make_table = table

    def __len__(self) -> int:
        return len(self.table)

    @cached_property
    def table(self) -> FillTable:
        """The fills as columns."""
        return table_of(self._items) if self._make_table is None else self._make_table()


@dataclass(slots=True)
class RunRecord:
    """The outcome of one lane.

    Attributes:
        lane: `research` or `engine`.
        fills: In order.
        dead_entries: In order.
        fundings: In order.
        times_ns: Closes of the execution bars from the first decision on, and the moment after the last exit.
        stop_reason: How the run ended.
        stop_ns: When.
        drawdown_intrabar: Deepest fall from the peak at any base close, as a fraction.
        refusals: Wishes refused, by reason; one that lasts counts at each close at which it is refused.
        features_s: Seconds spent in features, where that was measured.
        sessions: Trading days and the equity at the end of each, once `session_equity` has been asked for them.
    """

    lane: str
    fills: Sequence[Fill] = ()
    dead_entries: Sequence[DeadEntry] = ()
    fundings: Sequence[Funding] = ()
    times_ns: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    _curve: Ints | Callable[[], Ints] = field(
        default_factory=lambda: np.zeros((len(venue_book.Curve), 0), dtype=np.int64)
    )
    stop_reason: StopReason = StopReason.END_OF_DATA
    stop_ns: int = 0
    drawdown_intrabar: float = 0.0
    refusals: dict[str, int] = field(default_factory=dict)
    features_s: float = 0.0
    sessions: tuple[list[int], list[int]] | None = None

    _table: tuple[Sequence[Fill], FillTable] | None = None

    @property
    def curve(self) -> Ints:
        """Equity and cash (counts of 1e-8) and signed lots at each of the times: lines by `Curve`.

        Who gives a function instead has it called when somebody first looks.
        """
        if callable(self._curve):
            self._curve = self._curve()
        return self._curve

    @curve.setter
    def curve(self, curve: Ints | Callable[[], Ints]) -> None:
        self._curve = curve

    def table(self) -> FillTable:
        """Return the fills as columns."""
        if isinstance(self.fills, Reported):
            return self.fills.table
        known = self._table
        if known is None or known[0] is not self.fills or len(known[1]) != len(self.fills):
            self._table = known = (self.fills, table_of(self.fills))
        return known[1]

    def legs(self) -> Legs:
        """Return the closed legs, in order, as columns."""
        after = np.array([funding.fills_before for funding in self.fundings], dtype=np.int64)
        paid = np.array([postings_from_money(funding.amount) for funding in self.fundings], dtype=np.int64)
        return legs_of(self.table(), after, paid)

    def trades(self) -> list[Trade]:
        """Return the closed legs, in order, as records."""
        legs, fills = self.legs(), whole_entries(self.fills)
        columns = (legs.entry, legs.exit, legs.number, legs.is_long, legs.entry_fee, legs.entry_slippage, legs.funding)
        return [
            Trade(
                number=fills[entry].trade, leg=number, direction=Direction.LONG if is_long else Direction.SHORT,
                entry=fills[entry], exit=fills[leave], entry_fee=money_from_postings(fee),
                entry_slippage=money_from_postings(slippage), funding=money_from_postings(funding),
            )
            for entry, leave, number, is_long, fee, slippage, funding in zip(
                *(column.tolist() for column in columns), strict=True
            )
        ]  # fmt: skip

    def result_hash(self) -> str:
        """Return the digest of all that must repeat: fills, dead entries, equity, the end; no ids, no timings."""
        digest = hashlib.sha256()
        encode = msgspec.msgpack.Encoder().encode
        for batch in fill_bytes(self.table()):
            digest.update(batch.data)
        for dead in self.dead_entries:
            digest.update(encode(dead))
        for funding in self.fundings:
            digest.update(encode(funding))
        digest.update(np.ascontiguousarray(self.times_ns).data)
        for line in self.curve:
            digest.update(np.ascontiguousarray(line).data)
        digest.update(encode((self.stop_reason, self.stop_ns)))
        return digest.hexdigest()


def fill_event(told: Told, *, bars: Bars, lot: Grid, known_ns: int, client_id: ClientId | None) -> OrderFilled:
    """Return the venue's report of a fill as an event; the one translation of both lanes.

    Args:
        told: The report.
        bars: Base bars of the stretch.
        lot: The instrument's lot grid.
        known_ns: When it enters the inbox.
        client_id: Our id of the order, None for a protective leg.
    """
    (
        row, point, lots, leg, kind, reason, taker, fee, gross, slippage, _, _, _, bars_held, opened_exec, _, left,
    ) = told.ints  # fmt: skip
    price, stop, target, adverse, favourable, average = told.floats
    is_entry = leg == _ENTRY_LEG
    return OrderFilled(
        event_ns=bars.open_ns.item(row), known_ns=known_ns, client_id=client_id, leg=LEGS[leg], kind=_KINDS[kind],
        quantity=lot.value(lots), left=lot.value(left) if left else None, price=to_decimal(price),
        average=to_decimal(average) if is_entry and average != price else None, fee=money_from_postings(fee),
        gross=money_from_postings(gross), slippage=money_from_postings(slippage), taker=taker == 1, row=row,
        bar=opened_exec, point=_POINTS[point], exit_reason=None if is_entry else _EXITS[reason],
        stop_price=_level(stop), target_price=_level(target) if is_entry else None,
        adverse=to_decimal(adverse), favourable=to_decimal(favourable), bars_held=bars_held,
    )  # fmt: skip


def whole_entries(fills: Sequence[Fill]) -> list[Fill]:
    """Return fills in which each entry is one, however many pieces it came in."""
    whole: list[Fill] = []
    entry = -1
    for fill in fills:
        if fill.event.leg is not Leg.ENTRY:
            whole.append(fill)
        elif entry >= 0 and fill.trade == whole[entry].trade:
            first = whole[entry]
            whole[entry] = msgspec.structs.replace(first, event=whole_entry([first.event, fill.event]))
        else:
            entry = len(whole)
            whole.append(fill)
    return whole


def whole_entry(pieces: Sequence[OrderFilled]) -> OrderFilled:
    """Return the pieces of an entry as one fill: at the average price, at the time of the first."""
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return first
    return msgspec.structs.replace(
        first, quantity=sum((piece.quantity for piece in pieces), Decimal(0)), left=last.left,
        price=last.price if last.average is None else last.average, average=None,
        fee=sum((piece.fee for piece in pieces), Decimal(0)),
        slippage=sum((piece.slippage for piece in pieces), Decimal(0)),
        stop_price=last.stop_price, target_price=last.target_price,
    )  # fmt: skip


def death_reason(told: Told) -> Reason:
    """Return why an entry died, from a report with 0 lots."""
    return REASONS[told.ints[_REASON]]


def is_fill(told: Told) -> bool:
    """Whether a report tells of a fill."""
    return told.ints[_LOTS] != 0


def is_funding(told: Told) -> bool:
    """Whether a report tells of a funding payment."""
    return told.ints[_LEG] == _FUNDING_LEG


def funding_lines(ints: Ints) -> npt.NDArray[np.bool_]:
    """Return which lines of integer reports tell of funding payments."""
    return np.equal(ints[:, Report.LEG], _FUNDING_LEG)


def death_lines(ints: Ints) -> npt.NDArray[np.bool_]:
    """Return which lines of integer reports tell of dead entries."""
    return np.equal(ints[:, Report.LOTS], 0) & ~funding_lines(ints)


def is_death(told: Told) -> bool:
    """Whether a report tells of a dead entry."""
    return not is_fill(told) and not is_funding(told)


def carried(told: Told) -> Carried:
    """Return what a payment was for, from its report."""
    return _CARRIED[told.ints[Report.REASON]]


def funding_amount(told: Told) -> Decimal:
    """Return what a funding payment brought, from its report."""
    return money_from_postings(told.ints[_GROSS])


def _level(value: float) -> Decimal | None:
    return to_decimal(value) if math.isfinite(value) else None
