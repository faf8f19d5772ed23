"""The fills of a run as columns, and the legs that they make: what tables, figures and digests are computed from.

A fill exists in two forms that say the same: an `OrderFilled` event inside a `Fill`, for whoever looks at one, and a
row of a `FillTable`, for whoever goes through all of them. There, money is a count of 1e-8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from evenkeel.model.bar import Floats, Ints
from evenkeel.model.errors import invariant
from evenkeel.model.event import FillPoint
from evenkeel.model.ids import Leg
from evenkeel.model.intent import Notes, OrderKind
from evenkeel.model.number import Grid, postings_from_money, to_float
from evenkeel.model.reason import ExitReason

LEGS, KINDS, POINTS = tuple(Leg), tuple(OrderKind), tuple(FillPoint)
EXITS = tuple(ExitReason)
"""What the numbers of the columns `leg`, `kind`, `point` and `exit` stand for."""

NONE = -(1 << 62)
"""A number that stands for None: of the exit of an entry, and of when a fill was decided that no rule decided."""

_ENTRY = LEGS.index(Leg.ENTRY)
_NO_NOTES: Notes = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class FillTable:
    """Fills in order. Numbers mean what the attributes of `OrderFilled` and `Fill` of that name mean.

    Attributes:
        event_ns: When.
        leg: Number in `LEGS`.
        kind: Number in `KINDS`.
        lots: Signed quantity in steps of `unit`.
        left: What of the order is still to fill, unsigned, in the same steps.
        price: Per unit.
        average: Entry price of the position after a further piece of its entry, else NaN.
        fee: Count of 1e-8, like gross and slippage.
        gross: Realised.
        slippage: Memo.
        taker: 1 or 0.
        row: Base bar.
        bar: Execution bar.
        point: Number in `POINTS`.
        exit: Number in `EXITS`, NONE for an entry.
        stop: Protective stop, infinite or NaN where there is none.
        target: The same, of an entry.
        adverse: Fraction of the entry price.
        favourable: The same.
        bars_held: Execution bars.
        trade: From 1.
        decided_ns: NONE where no rule decided.
        reason: Number in `words`.
        words: Texts of reasons.
        unit: What a lot is.
        notes: What was kept with each fill; empty where nothing was kept with any.
    """

    event_ns: Ints
    leg: Ints
    kind: Ints
    lots: Ints
    left: Ints
    price: Floats
    average: Floats
    fee: Ints
    gross: Ints
    slippage: Ints
    taker: Ints
    row: Ints
    bar: Ints
    point: Ints
    exit: Ints
    stop: Floats
    target: Floats
    adverse: Floats
    favourable: Floats
    bars_held: Ints
    trade: Ints
    decided_ns: Ints
    reason: Ints
    words: tuple[str, ...]
    unit: Grid
    notes: Sequence[Notes] = ()

    def __len__(self) -> int:
        return len(self.event_ns)

    @property
    def is_entry(self) -> npt.NDArray[np.bool_]:
        """Which fills open a position."""
        return np.equal(self.leg, _ENTRY)

    def whole(self) -> FillTable:
        """Return the fills with each entry as one, however many pieces it came in: `whole_entries` as columns."""
        further = self.is_piece
        if not further.any():
            return self
        keep = ~further
        entries = np.flatnonzero(self.is_entry & keep)
        opened = np.where(self.is_entry, entries[np.cumsum(self.is_entry & keep) - 1], np.arange(len(self)))
        groups = (np.cumsum(keep) - 1)[opened]
        last = np.flatnonzero(keep)
        last[groups[further]] = np.flatnonzero(further)
        part: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        whole = {name: value[keep] for name, value in part.items() if isinstance(value, np.ndarray)}
        for name in ("lots", "fee", "slippage"):
            whole[name] = np.zeros(len(last), dtype=np.int64)
            np.add.at(whole[name], groups, part[name])
        for name in ("left", "stop", "target"):
            whole[name] = part[name][last]
        whole["price"] = np.where(np.isnan(self.average[last]), self.price[last], self.average[last])
        whole["average"] = np.full(len(last), np.nan)
        notes = [self.notes[row] for row in np.flatnonzero(keep).tolist()] if self.notes else ()
        return FillTable(**whole, words=self.words, unit=self.unit, notes=notes)

    @property
    def is_piece(self) -> npt.NDArray[np.bool_]:
        """Which fills are further pieces of the entry before them: of one order, or new units that a split brought."""
        entries = np.flatnonzero(self.is_entry)
        same = np.zeros(len(self), dtype=np.bool_)
        same[entries[1:]] = self.trade[entries[1:]] == self.trade[entries[:-1]]
        return same

    def notes_of(self, place: int) -> Notes:
        """Return what was kept with a fill."""
        return self.notes[place] if self.notes else _NO_NOTES

    def rows(self, start: int, stop: int) -> FillTable:
        """Return the fills `start <= i < stop`."""
        part: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        kept = {name: value if name in ("words", "unit") else value[start:stop] for name, value in part.items()}
        return FillTable(**kept)


def table_of(fills: Sequence[Any]) -> FillTable:
    """Return fills, each a `Fill`, as columns."""
    events = [fill.event for fill in fills]
    counted = [one for event in events for one in (event.quantity, event.left) if one is not None]
    digits = max((-int(quantity.as_tuple().exponent) for quantity in counted), default=0)
    unit = Grid.of(Decimal(1).scaleb(-max(digits, 0)))
    words = tuple(dict.fromkeys(fill.reason for fill in fills))
    numbers = {word: number for number, word in enumerate(words)}
    return FillTable(
        event_ns=_ints([e.event_ns for e in events]), leg=_numbers([e.leg for e in events], LEGS),
        kind=_numbers([e.kind for e in events], KINDS), lots=_ints([unit.nearest(e.quantity) for e in events]),
        left=_ints([unit.nearest(e.left or Decimal(0)) for e in events]),
        price=_floats([e.price for e in events]), average=_floats([e.average for e in events]),
        fee=_counts([e.fee for e in events]),
        gross=_counts([e.gross for e in events]), slippage=_counts([e.slippage for e in events]),
        taker=_ints([e.taker for e in events]), row=_ints([e.row for e in events]), bar=_ints([e.bar for e in events]),
        point=_numbers([e.point for e in events], POINTS), exit=_numbers([e.exit_reason for e in events], EXITS),
        stop=_floats([e.stop_price for e in events]), target=_floats([e.target_price for e in events]),
        adverse=_floats([e.adverse for e in events]), favourable=_floats([e.favourable for e in events]),
        bars_held=_ints([e.bars_held for e in events]), trade=_ints([fill.trade for fill in fills]),
        decided_ns=_ints([NONE if fill.decided_ns is None else fill.decided_ns for fill in fills]),
        reason=_ints([numbers[fill.reason] for fill in fills]), words=words, unit=unit,
        notes=[fill.notes for fill in fills] if any(fill.notes for fill in fills) else (),
    )  # fmt: skip


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)


def _floats(values: Sequence[Decimal | None]) -> Floats:
    return np.array([np.nan if value is None else to_float(value) for value in values], dtype=np.float64)


def _counts(values: Sequence[Decimal]) -> Ints:
    return _ints([postings_from_money(value) for value in values])


def _numbers(values: Sequence[StrEnum | None], known: Sequence[StrEnum]) -> Ints:
    places = {value: place for place, value in enumerate(known)}
    return _ints([NONE if value is None else places[value] for value in values])


@dataclass(frozen=True, slots=True, kw_only=True)
class Legs:
    """Closed legs in order: an entry, and an exit of all of the position or of a part. Money is a count of 1e-8.

    Attributes:
        fills: The fills, each entry in one piece.
        entry: Row of the position's entry in it.
        exit: Row of what closed this leg.
        number: Of the leg within its position, from 1.
        entry_fee: Share of the entry's fee.
        entry_slippage: Share of the entry's slippage memo.
        funding: Share of what funding paid (+) or took until then.
    """

    fills: FillTable
    entry: Ints
    exit: Ints
    number: Ints
    entry_fee: Ints
    entry_slippage: Ints
    funding: Ints

    def __len__(self) -> int:
        return len(self.exit)

    @property
    def gross(self) -> Ints:
        """Result before costs."""
        return self.fills.gross[self.exit]

    @property
    def fees(self) -> Ints:
        """Of both sides."""
        return self.entry_fee + self.fills.fee[self.exit]

    @property
    def slippage(self) -> Ints:
        """Of both sides; inside the prices already."""
        return self.entry_slippage + self.fills.slippage[self.exit]

    @property
    def net(self) -> Ints:
        """Result after fees and funding."""
        return self.gross - self.fees + self.funding

    @property
    def is_long(self) -> npt.NDArray[np.bool_]:
        """Which legs are of long positions."""
        return np.greater(self.fills.lots[self.entry], 0)


def legs_of(fills: FillTable, paid_after: Ints, paid: Ints) -> Legs:
    """Return the closed legs of fills.

    Fee and slippage of an entry and the funding of a position are shared among its legs by quantity: each takes its
    part of what remains, rounded half to even to 1e-8, and the last one the rest.

    Args:
        fills: In order.
        paid_after: How many fills came before each funding payment, rising.
        paid: What each brought.
    """
    whole = fills.whole()
    if whole is not fills:
        rows = np.concatenate([[0], np.cumsum(~fills.is_piece)])
        fills, paid_after = whole, rows[paid_after]
    entries, exits = np.flatnonzero(fills.is_entry), np.flatnonzero(~fills.is_entry)
    position = np.cumsum(fills.is_entry)[exits] - 1
    invariant(not len(exits) or position[0] >= 0, "an exit follows an entry")
    _check_whole(fills, entries)
    before = np.concatenate([[0], np.cumsum(paid)])
    by_fill = before[np.searchsorted(paid_after, np.arange(len(fills)), side="right")]
    first = np.searchsorted(exits, entries)[position]
    entry = entries[position]
    legs = Legs(
        fills=fills, entry=entry, exit=exits, number=np.arange(len(exits)) - first + 1, entry_fee=fills.fee[entry],
        entry_slippage=fills.slippage[entry], funding=by_fill[exits] - by_fill[entry],
    )  # fmt: skip
    _share(legs, by_fill)
    return legs


def _check_whole(fills: FillTable, entries: Ints) -> None:
    """Refuse fills that do not leave each position flat before the next."""
    held = np.cumsum(fills.lots)
    if not len(entries):
        return
    direction = np.sign(fills.lots[entries])[np.cumsum(fills.is_entry) - 1]
    invariant(not held[entries[1:] - 1].any(), "an entry follows the last leg of the position before")
    invariant(not (held * direction < 0).any(), "an exit follows an entry")
    invariant(bool(held[-1] == 0), "a run ends flat")


def _share(legs: Legs, by_fill: Ints) -> None:
    """Give each leg of a position that closes in several its part of fee, slippage and funding."""
    fills = legs.fills
    partial = np.flatnonzero(fills.lots[legs.exit] != -fills.lots[legs.entry])
    left, fee, slippage, shared = 0, 0, 0, 0
    for place in partial.tolist():
        entry, leave = int(legs.entry[place]), int(legs.exit[place])
        if legs.number[place] == 1:
            left, fee, slippage, shared = int(fills.lots[entry]), int(fills.fee[entry]), int(fills.slippage[entry]), 0
        closed = -int(fills.lots[leave])
        funding = int(by_fill[leave] - by_fill[entry]) - shared
        parts = [amount if closed == left else _part(amount, closed, left) for amount in (fee, slippage, funding)]
        legs.entry_fee[place], legs.entry_slippage[place], legs.funding[place] = parts
        fee, slippage, shared, left = fee - parts[0], slippage - parts[1], shared + parts[2], left - closed


def _part(amount: int, closed: int, left: int) -> int:
    """Return `amount * closed / left`, half to even."""
    whole, rest = divmod(amount * closed, left)
    twice = 2 * rest - left if left > 0 else left - 2 * rest
    return whole + (twice > 0 or (twice == 0 and whole % 2 == 1))
