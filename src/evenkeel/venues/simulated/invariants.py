"""Whether the books are consistent: the invariants of plays.md 6.11 that one instrument and its account can be held to.

Money and lots are counted twice, where they are posted and where a fill is reported, and the two must agree. The loop
asks at the close of each execution bar that it does not skip, and at each base close where `Term.EACH_BAR` says so; a
skipped bar changes nothing.
"""

from __future__ import annotations

import math
from enum import IntEnum

from evenkeel.kernel import inlined
from evenkeel.model.bar import Floats, Ints
from evenkeel.venues.simulated.book import Book, Ledger, Mark, Term

CASH, START, GROSS, FEES, FUNDED = (
    int(place) for place in (Ledger.CASH, Ledger.START, Ledger.GROSS, Ledger.FEES, Ledger.FUNDED)
)
LOTS, FILLED, OPEN, EXTRA, EXIT, EXIT_LOTS, FIRED = (
    int(place) for place in (Book.LOTS, Book.FILLED, Book.OPEN, Book.EXTRA, Book.EXIT, Book.EXIT_LOTS, Book.FIRED)
)
ENTRY, STOP, TARGET = int(Mark.ENTRY), int(Mark.STOP), int(Mark.TARGET)
MULTIPLIER, LEVERAGE = int(Term.MULTIPLIER), int(Term.LEVERAGE)
LOT_N, LOT_D = int(Term.LOT_NUMERATOR), int(Term.LOT_DENOMINATOR)


class Fault(IntEnum):
    """What is wrong in the books."""

    NONE = 0
    CASH = 1
    QUANTITY = 2
    FLAT = 3
    MARGIN = 4
    PRICE = 5
    REDUCE_ONLY = 6


FAULTS = {
    Fault.CASH: "cash is not the start and the sum of results, fees and funding (6.11.5, 6.11.7)",
    Fault.QUANTITY: "the position is not the sum of its fills (6.11.9)",
    Fault.FLAT: "without a position something is still open, as margin or as an order to close (6.11.4)",
    Fault.MARGIN: "the margin of the position is negative (6.11.4)",
    Fault.PRICE: "the entry price, the stop or the target of the position is not a number (6.11.8)",
    Fault.REDUCE_ONLY: "an order to close is larger than the position (6.11.10)",
}
"""Words for a person, with the rule."""

_CASH, _QUANTITY, _FLAT, _MARGIN, _PRICE, _REDUCE_ONLY = (int(fault) for fault in FAULTS)


@inlined
def find_fault(book: Ints, mark: Floats, ledger: Ints, terms: Floats) -> int:
    """Return the number of the first `Fault` in the books at the close of a base bar, 0 where there is none."""
    if ledger[CASH] != ledger[START] + ledger[GROSS] - ledger[FEES] + ledger[FUNDED]:
        return _CASH
    lots = book[LOTS]
    if lots != book[FILLED]:
        return _QUANTITY
    if lots == 0:
        still = book[OPEN] != 0 or book[EXTRA] != 0 or book[EXIT] != 0 or book[EXIT_LOTS] != 0 or book[FIRED] != 0
        return _FLAT if still else 0
    entry = mark[ENTRY]
    if not 0.0 < entry < math.inf or mark[STOP] != mark[STOP] or mark[TARGET] != mark[TARGET]:
        return _PRICE
    notional = abs(lots) * terms[LOT_N] / terms[LOT_D] * terms[MULTIPLIER] * entry
    if notional / terms[LEVERAGE] + book[EXTRA] / 1e8 < 0.0:
        return _MARGIN
    return _REDUCE_ONLY if not 0 <= book[EXIT_LOTS] <= abs(lots) else 0
