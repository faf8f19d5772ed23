"""The state of the simulated venue: where the loop stands, the account, the one position and the orders around it.

Two flat arrays hold it all, so that the loop can stop at any report, at any block edge, and go on: `book` (int64:
place, money as counts of 1e-8, lots, pending orders) and `mark` (float64: prices). `Report` names the columns of what
the loop tells. `terms` holds what does not change during a run.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from evenkeel.model.bar import Floats, Ints


class Book(IntEnum):
    """Places in `book`. ENTERED: 0 held since an earlier bar, 1 entered at this bar's open, 2 inside this bar."""

    ROW = 0
    STAGE = 1
    EXEC = 2
    CASH = 3
    LOTS = 4
    TRADE = 5
    ENTRY_KIND = 6
    ENTRY_LOTS = 7
    ENTRY_TIF = 8
    ENTRY_EXPIRES = 9
    ENTRY_LIVE = 10
    ENTRY_SIGNAL = 11
    ENTRY_EXEC = 12
    EXIT = 13
    EXIT_SIGNAL = 14
    ENTERED = 15
    STOPPED = 16
    PEAK = 17
    REPORTS = 18
    OPENED_EXEC = 19
    EXIT_EXEC = 20


class Mark(IntEnum):
    """Places in `mark`; a stop or target that does not exist is an infinity that no price reaches.

    ARRIVAL is the market price at the entry, before slippage: no exit of the same bar can be from before it.
    """

    ENTRY = 0
    STOP = 1
    TARGET = 2
    ENTRY_PRICE = 3
    STOP_DISTANCE = 4
    TARGET_DISTANCE = 5
    HIGH = 6
    LOW = 7
    DRAWDOWN = 8
    ARRIVAL = 9


class Term(IntEnum):
    """Places in `terms`; rates as fractions, money in account currency, grids as ratios of integers."""

    MULTIPLIER = 0
    TAKER = 1
    MAKER = 2
    PER_CONTRACT = 3
    SLIPPAGE = 4
    TICK_NUMERATOR = 5
    TICK_DENOMINATOR = 6
    LOT_NUMERATOR = 7
    LOT_DENOMINATOR = 8
    MAX_DRAWDOWN = 9
    STOP_EQUITY = 10
    TARGET_IS_LIMIT = 11
    TRADE_THROUGH = 12


class Stage(IntEnum):
    """Where inside a base bar the loop stands."""

    SCAN = 0
    OPEN_EXIT = 1
    OPEN_ENTRY = 2
    INSIDE_ENTRY = 3
    INSIDE_EXIT = 4
    CLOSE = 5
    EXEC = 6
    DECIDE = 7
    NEXT = 8


class Pause(IntEnum):
    """Why the loop returned."""

    END = 0
    REPORT = 1
    WAKE = 2
    LIMIT = 3
    FULL = 4


class Exit(IntEnum):
    """Why a position is to be closed; the number is carried in the book."""

    NONE = 0
    STOP_LOSS = 1
    TAKE_PROFIT = 2
    SIGNAL = 3
    MAX_DRAWDOWN = 4
    EQUITY_STOP = 5
    DATA_GAP = 6
    END_OF_DATA = 7


class Point(IntEnum):
    """Where inside its base bar a fill lies."""

    OPEN = 0
    INSIDE = 1
    CLOSE = 2


class Leg(IntEnum):
    """Which order of a trade filled."""

    ENTRY = 0
    STOP = 1
    TARGET = 2
    EXIT = 3
    GUARD = 4


class FillKind(IntEnum):
    """What kind of order filled; the first three equal `EntryKind`."""

    MARKET = 1
    LIMIT = 2
    STOP = 3
    TAKE_PROFIT = 4


class Report(IntEnum):
    """Columns of an integer report; a report with 0 LOTS is the death of the entry order for REASON.

    FEE, GROSS and SLIPPAGE are counts of 1e-8 of the account currency. SIGNAL and EXEC say which rule decided it
    when, OPENED_EXEC in which execution bar the position was opened.
    """

    ROW = 0
    POINT = 1
    LOTS = 2
    LEG = 3
    KIND = 4
    REASON = 5
    TAKER = 6
    FEE = 7
    GROSS = 8
    SLIPPAGE = 9
    TRADE = 10
    SIGNAL = 11
    EXEC = 12
    BARS_HELD = 13
    OPENED_EXEC = 14


class Price(IntEnum):
    """Columns of the float64 part of a report: fill price, levels after it, fractions of the entry price."""

    FILL = 0
    STOP = 1
    TARGET = 2
    ADVERSE = 3
    FAVOURABLE = 4


class Curve(IntEnum):
    """Lines of the curve: one value for each execution bar, at its close."""

    EQUITY = 0
    CASH = 1
    LOTS = 2


def new_book(cash: int, *, first_row: int, first_exec: int) -> Ints:
    """Return a flat book with `cash` counts of 1e-8, standing before base row `first_row`."""
    book = np.zeros(len(Book), dtype=np.int64)
    book[Book.CASH] = book[Book.PEAK] = cash
    book[Book.ROW] = first_row
    book[Book.EXEC] = first_exec
    return book


def new_mark() -> Floats:
    """Return the prices of a flat book."""
    mark = np.full(len(Mark), np.nan)
    mark[Mark.DRAWDOWN] = 0.0
    return mark
