"""What is due at the open of a base bar, settled: sessions, funding, dividends, borrow fees, splits, closing times.

What comes while nothing is held is passed over, but for the sessions: money settles and day trades grow old all the
same. Source: plays.md 6.5 for funding, decision 0016 for the rest.
"""

from __future__ import annotations

import math

from evenkeel.kernel import inlined
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.reason import Reason, reason_number
from evenkeel.risk.sizing import SNAP
from evenkeel.venues.simulated.account import pass_session
from evenkeel.venues.simulated.book import Book, Exit, FillKind, Ledger, Leg, Mark, Point, Term
from evenkeel.venues.simulated.carry import CarryKind
from evenkeel.venues.simulated.steps import (
    drop_entry,
    margin_levels,
    nearest_tick,
    place_exit,
    point_value,
    posting,
    settle_exit,
    settle_funding,
    target_level,
    towards_entry,
    write_report,
)

_CASH, _FUNDED = int(Ledger.CASH), int(Ledger.FUNDED)
_LOTS, _EXEC, _EXIT, _EXIT_LOTS, _EXIT_FROM = (
    int(Book.LOTS), int(Book.EXEC), int(Book.EXIT), int(Book.EXIT_LOTS), int(Book.EXIT_FROM),
)  # fmt: skip
_ENTRY_KIND, _ENTRY_LOTS, _ENTRY_SIGNAL, _ENTRY_EXEC, _STEP_LOTS = (
    int(Book.ENTRY_KIND), int(Book.ENTRY_LOTS), int(Book.ENTRY_SIGNAL), int(Book.ENTRY_EXEC), int(Book.STEP_LOTS),
)  # fmt: skip
_STEP = int(Book.STEP)
_ENTRY, _STOP, _TARGET, _PRICE, _TRIGGER = (
    int(Mark.ENTRY), int(Mark.STOP), int(Mark.TARGET), int(Mark.ENTRY_PRICE), int(Mark.ENTRY_TRIGGER),
)  # fmt: skip
_SCALED = tuple(
    int(place)
    for place in (
        Mark.ENTRY, Mark.STOP_DISTANCE, Mark.TARGET_DISTANCE, Mark.HIGH, Mark.LOW, Mark.ARRIVAL, Mark.REFERENCE,
        Mark.TRAIL_DISTANCE, Mark.PER_LOT, Mark.ENTRY_PRICE, Mark.ENTRY_TRIGGER,
    )
)  # fmt: skip
_LADDER, _STEPS = int(Mark.LADDER), int(Term.LADDER_STEPS)
_KIND_MARKET, _KIND_SPLIT = int(FillKind.MARKET), int(FillKind.SPLIT)
_LEG_ENTRY, _LEG_FUNDING, _LEG_GUARD, _AT_OPEN = int(Leg.ENTRY), int(Leg.FUNDING), int(Leg.GUARD), int(Point.OPEN)
_FUNDING, _DIVIDEND, _SPLIT, _FLATTEN = (
    int(CarryKind.FUNDING), int(CarryKind.DIVIDEND), int(CarryKind.SPLIT), int(CarryKind.FLATTEN),
)  # fmt: skip
_SESSION_END, _BY_FORCE = int(Exit.SESSION_END), int(Exit.FORCE)
_ENDED, _SMALL = reason_number(Reason.SESSION_ENDED), reason_number(Reason.BELOW_MIN_QUANTITY)


@inlined
def settle_carry(
    kind: int, value: float, known: float, o: float, row: int,
    book: Ints, mark: Floats, ledger: Ints, terms: Floats, ints: Ints, floats: Floats,
) -> bool:  # fmt: skip
    """Settle what is due at the open of a base bar; whether a report was written.

    Args:
        kind: Number of a `CarryKind`.
        value: See `evenkeel.venues.simulated.carry.Carry`.
        known: Its price there; NaN takes the open.
        o: Open of the base bar.
        row: The base bar.
    """
    if pass_session(kind, value, known, book):
        return False
    lots = book[_LOTS]
    told = False
    if kind == _FLATTEN:
        told = leave_session(book, mark, ledger, terms, ints, floats, row)
    elif kind == _SPLIT:
        told = settle_split(value, o, row, book, mark, ledger, terms, ints, floats)
    if kind in (_FLATTEN, _SPLIT) or lots == 0:
        return told
    price = known if known == known else o
    if kind == _FUNDING:
        settle_funding(book, mark, ledger, terms, ints, floats, row, price, value)
    elif kind == _DIVIDEND:
        post_carry(posting(point_value(lots, terms) * value), kind, value, row, book, mark, ledger, ints, floats)
    elif lots < 0:
        fee = -posting(abs(point_value(lots, terms)) * price * value)
        post_carry(fee, kind, price, row, book, mark, ledger, ints, floats)
    else:
        return False
    return True


@inlined
def post_carry(
    amount: int, kind: int, price: float, row: int, book: Ints, mark: Floats, ledger: Ints, ints: Ints, floats: Floats
) -> None:  # fmt: skip
    """Pay or receive an amount on the position at a base open, and write the report; its REASON is the kind."""
    ledger[_CASH] += amount
    ledger[_FUNDED] += amount
    write_report(
        book, mark, ledger, ints, floats, row, _AT_OPEN, 0, _LEG_FUNDING, _KIND_MARKET, kind, 0, 0, amount, 0, -1,
        book[_EXEC], price, abs(book[_LOTS]),
    )  # fmt: skip


@inlined
def leave_session(
    book: Ints, mark: Floats, ledger: Ints, terms: Floats, ints: Ints, floats: Floats, row: int
) -> bool:  # fmt: skip
    """Withdraw an entry at work and close what is held at this open: nothing stays over the end of the session."""
    told: bool = book[_ENTRY_KIND] != 0
    if told:
        drop_entry(book, mark, ledger, ints, floats, row, _AT_OPEN, _ENDED)
    if book[_LOTS] != 0:
        if book[_EXIT] == 0 or book[_EXIT_LOTS] < abs(book[_LOTS]):
            place_exit(book, terms, abs(book[_LOTS]), _SESSION_END, -1)
        book[_EXIT_FROM] = row
    return told


@inlined
def settle_split(
    ratio: float, o: float, row: int,
    book: Ints, mark: Floats, ledger: Ints, terms: Floats, ints: Ints, floats: Floats,
) -> bool:  # fmt: skip
    """Turn a position and an entry at work into so many new units per old one; whether a report was written.

    The new units are a further piece of the entry at a price of nothing, which makes its average price that of the new
    units. What is less than a lot is paid in cash at the open, so equity does not change. A position of which not one
    lot is left is closed at the open, in old units.
    """
    held = book[_LOTS]
    direction = 1 if held > 0 else -1
    lots = direction * math.floor(abs(held) * ratio * SNAP)
    if held != 0 and lots == 0:
        old = o * ratio
        settle_exit(
            book, mark, ledger, terms, ints, floats, row, _AT_OPEN, old, old, _LEG_GUARD, _BY_FORCE, 1, abs(held)
        )
        return True
    for place in _SCALED:
        mark[place] /= ratio
    told: bool = split_entry(ratio, row, book, mark, ledger, terms, ints, floats)
    if held == 0:
        return told
    rest = held * ratio - lots
    amount = posting(point_value(1, terms) * rest * (o - mark[_ENTRY])) if abs(rest) > 1e-9 * abs(lots) else 0
    book[_LOTS], book[_EXIT_LOTS] = lots, math.floor(book[_EXIT_LOTS] * ratio * SNAP)
    split_levels(ratio, direction, abs(lots), book, mark, terms)
    margin_levels(book, mark, ledger, terms)
    write_report(
        book, mark, ledger, ints, floats, row, _AT_OPEN, lots - held, _LEG_ENTRY, _KIND_SPLIT, 0, 0, 0, 0, 0,
        book[_ENTRY_SIGNAL], book[_ENTRY_EXEC], 0.0, abs(book[_ENTRY_LOTS]) if book[_ENTRY_KIND] != 0 else 0,
    )  # fmt: skip
    if amount != 0:
        post_carry(amount, _SPLIT, ratio, row, book, mark, ledger, ints, floats)
    return True


@inlined
def split_entry(
    ratio: float, row: int, book: Ints, mark: Floats, ledger: Ints, terms: Floats, ints: Ints, floats: Floats
) -> bool:
    """Turn an entry at work into new units; whether it died of being less than a lot."""
    if book[_ENTRY_KIND] == 0:
        return False
    asked = book[_ENTRY_LOTS]
    book[_ENTRY_LOTS] = (1 if asked > 0 else -1) * math.floor(abs(asked) * ratio * SNAP)
    mark[_PRICE], mark[_TRIGGER] = nearest_tick(mark[_PRICE], terms), nearest_tick(mark[_TRIGGER], terms)
    if book[_ENTRY_LOTS] != 0:
        return False
    drop_entry(book, mark, ledger, ints, floats, row, _AT_OPEN, _SMALL)
    return True


@inlined
def split_levels(ratio: float, direction: int, lots: int, book: Ints, mark: Floats, terms: Floats) -> None:
    """Move stop, target and ladder to the new units, on the grid as when they were set."""
    if math.isfinite(mark[_STOP]):
        mark[_STOP] = towards_entry(mark[_STOP] / ratio, direction, terms)
    if math.isfinite(mark[_TARGET]):
        mark[_TARGET] = target_level(mark[_TARGET] / ratio, direction, 0.0, terms)
    steps, given = int(terms[_STEPS]), 0
    for k in range(steps):
        if math.isfinite(mark[_LADDER + k]):
            mark[_LADDER + k] = target_level(mark[_LADDER + k] / ratio, direction, 0.0, terms)
        book[_STEP_LOTS + k] = math.floor(book[_STEP_LOTS + k] * ratio * SNAP)
        if k >= book[_STEP]:
            given += book[_STEP_LOTS + k]
    if steps > 0:
        book[_STEP_LOTS + steps - 1] += lots - given
