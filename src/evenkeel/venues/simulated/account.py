"""What the broker knows of an account beside its money: the session, sales that are not settled, day trades.

Source: decision 0016. Both lanes see the same figures: the research lane here, the core as facts that the venue tells.
"""

from __future__ import annotations

from evenkeel.kernel import inlined, kernel
from evenkeel.model.bar import Floats, Ints
from evenkeel.venues.simulated.book import DAY_TRADES_KEPT, SALES_KEPT, Book, Ledger, Term
from evenkeel.venues.simulated.carry import CarryKind

_CASH, _OPEN, _USED = int(Ledger.CASH), int(Ledger.OPEN), int(Ledger.USED)
_SALES, _DAY_TRADES = int(Ledger.SALES), int(Ledger.DAY_TRADES)
_DAY, _SETTLES, _WINDOW, _OPENED_DAY, _NEXT = (
    int(Book.DAY), int(Book.SETTLES), int(Book.WINDOW), int(Book.OPENED_DAY), int(Book.NEXT_CARRY),
)  # fmt: skip
_COUNTED, _TRADE, _SETTLING = int(Book.COUNTED), int(Book.TRADE), int(Term.SETTLES)
_EXTENDED = int(Book.EXTENDED)
_SESSION, _SETTLEMENT, _HOURS = int(CarryKind.SESSION), int(CarryKind.SETTLEMENT), int(CarryKind.HOURS)


@inlined
def pass_session(kind: int, value: float, known: float, book: Ints) -> bool:
    """Take over the day of a session, of its settlement, or its hours; False for what is due to a position."""
    if kind == _SESSION:
        book[_DAY], book[_WINDOW] = int(value), int(known)
    elif kind == _SETTLEMENT:
        book[_SETTLES] = int(value)
    elif kind == _HOURS:
        book[_EXTENDED] = int(value)
    return kind in (_SESSION, _SETTLEMENT, _HOURS)


@inlined
def pass_sessions(
    carry_rows: Ints, carry_kinds: Ints, carry_values: Floats, carry_prices: Floats, row: int, book: Ints
) -> None:
    """Take over the sessions that began while nothing was held or at work, up to a base row."""
    k = book[_NEXT]
    while k < len(carry_rows) and carry_rows[k] <= row:
        pass_session(carry_kinds[k], carry_values[k], carry_prices[k], book)
        k += 1
    book[_NEXT] = k


@inlined
def note_sale(book: Ints, ledger: Ints, proceeds: int) -> None:
    """Keep what a sale brought apart until it is settled; what has been settled by now makes room for it."""
    day = book[_SETTLES]
    for k in range(SALES_KEPT):
        at = _SALES + 2 * k
        if ledger[at] == day:
            ledger[at + 1] += proceeds
            return
    for k in range(SALES_KEPT):
        at = _SALES + 2 * k
        if ledger[at] <= book[_DAY]:
            ledger[at], ledger[at + 1] = day, proceeds
            return


@inlined
def note_day_trade(book: Ints, ledger: Ints) -> None:
    """Count a position that is closed in the session in which it was opened, once, whole or in part."""
    if book[_OPENED_DAY] != book[_DAY] or book[_COUNTED] == book[_TRADE]:
        return
    book[_COUNTED] = book[_TRADE]
    for k in range(DAY_TRADES_KEPT - 1):
        ledger[_DAY_TRADES + k] = ledger[_DAY_TRADES + k + 1]
    ledger[_DAY_TRADES + DAY_TRADES_KEPT - 1] = book[_DAY]


@kernel
def day_trades(book: Ints, ledger: Ints) -> int:
    """Return how many day trades stand within the sessions that count now."""
    count = 0
    for k in range(DAY_TRADES_KEPT):
        if ledger[_DAY_TRADES + k] >= book[_WINDOW] and ledger[_DAY_TRADES + k] > 0:
            count += 1
    return count


@kernel
def free_money(book: Ints, ledger: Ints, terms: Floats) -> int:
    """Return what an entry may use, as a count of 1e-8: equity that is not in use, or settled cash that is not."""
    free: int = ledger[_CASH] - ledger[_USED]
    if terms[_SETTLING] == 0.0:
        return free + int(ledger[_OPEN])
    for k in range(SALES_KEPT):
        at = _SALES + 2 * k
        if ledger[at] > book[_DAY]:
            free -= ledger[at + 1]
    return free
