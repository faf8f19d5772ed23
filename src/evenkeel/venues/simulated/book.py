"""The state of the simulated venue: the account, and of each instrument where the loop stands, position and orders.

Flat arrays hold it all, so that the loop can stop at any report, at any block edge, and go on. An account has one
`ledger` (int64: money as counts of 1e-8); each of its instruments a `book` (int64: place, lots, pending orders) and a
`mark` (float64: prices). `Report` names the columns of what the loop tells. `terms` holds what does not change during a
run.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from evenkeel.model.bar import Floats, Ints


class Ledger(IntEnum):
    """Places in `ledger`; money as counts of 1e-8.

    OPEN is the open result of all positions at their last marks, so that equity is CASH + OPEN. STOPPED is the number
    of the exit reason that stops the run, REPORTS how many reports have been written and not been taken. DEEP_PEAK and
    DEEP_VALUE are the peak and the equity of the deepest fall so far. USED is the margin of all positions and what is
    kept for entries at work, so that equity less USED is free. START, GROSS, FEES and FUNDED count the same money a
    second time, by what it was; FAULT is the number of the fault that was found in the books. From DAY_TRADES on lie
    the days of the last day trades, oldest first; from SALES on pairs of the day on which a sale is settled and what it
    brought.
    """

    CASH = 0
    OPEN = 1
    PEAK = 2
    DEEP_PEAK = 3
    DEEP_VALUE = 4
    STOPPED = 5
    REPORTS = 6
    USED = 7
    START = 8
    GROSS = 9
    FEES = 10
    FUNDED = 11
    FAULT = 12
    DAY_TRADES = 13
    SALES = 16


DAY_TRADES_KEPT = 3
"""Day trades that a pattern day trader may not pass."""

SALES_KEPT = 6
"""Days on which sales can be waiting to settle at once: no settlement takes more than five sessions."""

LEDGER_SIZE = int(Ledger.SALES) + 2 * SALES_KEPT


class Book(IntEnum):
    """Places in `book`.

    ENTRY_LOTS is what of the entry is still to fill; ENTRY_LIVE 0 before the venue has seen the order or its trigger, 1
    while it rests, 2 where what is left of it is a market order, 3 where a trade between quotes set it off. ENTRY_FROM
    and EXIT_FROM are the first base rows at whose open an order can fill. ENTERED: 0 held since an earlier bar, 1
    entered at this bar's open, 2 inside this bar, 3 held since earlier and added to inside this bar. FIRED holds a bit
    of `Fired` for a stop or target that was reached and is still to fill, FIRED_STEPS how many targets were. BUDGET is
    what base row BUDGET_ROW can still fill, FILLED the signed sum of all lots filled. EXIT_LOTS is what a pending close
    wants to close, STOP_KIND the number of the exit reason that the stop has now, EXTRA margin beyond the initial one
    as a count of 1e-8 (negative where funding was taken from it). STEP is the ladder step in force; from STEP_LOTS on
    lies what each step closes. OPEN is the open result at the last mark, MARGIN what the position, or the entry at
    work, takes of the ledger's USED, RESERVE the part of it for what is left of an entry, all counts of 1e-8; NUMBER
    tells which instrument of the run this is. DAY is the day of the present session, SETTLES the one on which its sales
    are settled, WINDOW the first whose day trades count; OPENED_DAY the session of the position's entry, COUNTED the
    trade that was last counted as a day trade. NEED is the equity below which the broker closes the position, EXTENDED
    1 outside regular hours.
    """

    ROW = 0
    STAGE = 1
    EXEC = 2
    OPEN = 3
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
    OPENED_EXEC = 16
    EXIT_EXEC = 17
    EXIT_LOTS = 18
    STOP_KIND = 19
    TRAIL_ARMED = 20
    BROKE_EVEN = 21
    STEP = 22
    EXTRA = 23
    NEXT_CARRY = 24
    MARGIN = 25
    NUMBER = 26
    ENTRY_FROM = 27
    EXIT_FROM = 28
    FIRED = 29
    BUDGET_ROW = 30
    BUDGET = 31
    FILLED = 32
    RESERVE = 33
    FIRED_STEPS = 34
    DAY = 35
    SETTLES = 36
    WINDOW = 37
    OPENED_DAY = 38
    COUNTED = 39
    NEED = 40
    EXTENDED = 41
    STEP_LOTS = 42


NEVER = -(1 << 40)
"""Execution bar of an entry that there was not."""

LADDER_MAX = 8
"""Most targets of one position."""


class Mark(IntEnum):
    """Places in `mark`; a stop, target or liquidation price that does not exist is an infinity that no price reaches.

    ARRIVAL is the market price at the entry, before slippage: no exit of the same bar can be from before it. REFERENCE
    is the decision price of the pending entry. ENTRY_AHEAD and TARGET_AHEAD are units before a resting limit,
    TARGET_QUEUE those before each target when it was placed, PER_LOT the margin that a lot of the entry keeps. From
    LADDER on lie the levels of the ladder's steps, nearest first.
    """

    ENTRY = 0
    STOP = 1
    TARGET = 2
    ENTRY_PRICE = 3
    STOP_DISTANCE = 4
    TARGET_DISTANCE = 5
    HIGH = 6
    LOW = 7
    ARRIVAL = 8
    REFERENCE = 9
    TRAIL_DISTANCE = 10
    LIQUIDATION = 11
    BANKRUPTCY = 12
    ENTRY_TRIGGER = 13
    ENTRY_AHEAD = 14
    TARGET_AHEAD = 15
    TARGET_QUEUE = 16
    PER_LOT = 17
    LADDER = 18


class Term(IntEnum):
    """Places in `terms`; rates as fractions, money in account currency, grids as ratios of integers.

    MOVES is 1 where the stop can move. TRAIL_FRACTION is NaN where a trailing stop keeps a fixed distance; an
    activation that never comes is infinite. From LADDER on lie three numbers a step: its multiple of the stop's
    distance or NaN, its fraction of the decision price or NaN, and its share of the position. LATENCY counts base bars,
    QUEUE_DEPTH is in price, VOLUME_FRACTION 0 is no limit, EACH_BAR checks the books at each base close. CONTRACT is
    the margin of a contract, CALLS 1 where the broker closes a position whose equity is below CALL_CONTRACT a contract
    and the rates CALL_LONG and CALL_SHORT of its market value; SESSIONS, SETTLES and DAY_TRADES are 1 where the account
    has sessions, waits for sales to settle, and counts day trades. QUOTED is a number of `Quoting`. The table of the
    TIERS risk tiers follows after all these.
    """

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
    LIQUIDATES = 13
    LEVERAGE = 14
    MAINTENANCE = 15
    DEDUCTION = 16
    LIQUIDATION_FEE = 17
    GOES_ON = 18
    MOVES = 19
    TRAIL_FRACTION = 20
    TRAIL_ACTIVATION = 21
    EVEN_ACTIVATION = 22
    EVEN_OFFSET = 23
    IMPACT_MODE = 24
    IMPACT_COEFFICIENT = 25
    IMPACT_MAX = 26
    LADDER_STEPS = 27
    HALF_SPREAD = 28
    LATENCY = 29
    QUEUE = 30
    QUEUE_DEPTH = 31
    QUEUE_SHARE = 32
    VOLUME_FRACTION = 33
    STOP_IS_LIMIT = 34
    EACH_BAR = 35
    TIERS = 36
    CONTRACT = 37
    CALLS = 38
    CALL_CONTRACT = 39
    CALL_LONG = 40
    CALL_SHORT = 41
    SESSIONS = 42
    SETTLES = 43
    DAY_TRADES = 44
    QUOTED = 45
    LADDER = 46


BOOK_SIZE = int(Book.STEP_LOTS) + LADDER_MAX
MARK_SIZE = int(Mark.LADDER) + LADDER_MAX
TERMS = int(Term.LADDER) + 3 * LADDER_MAX


class ImpactMode(IntEnum):
    """How the price moves with the size of a fill."""

    DISABLED = 0
    LINEAR = 1
    SQRT = 2


class Queue(IntEnum):
    """When a resting limit is our turn."""

    TOUCH = 0
    TRADE_THROUGH = 1
    VOLUME_AHEAD = 2


class Quoting(IntEnum):
    """Whether base bars are quotes, and then what sets off stops.

    NONE: base bars are bars. BY_TRADES: they are quotes, and the trigger price sets off stops where there is one.
    BY_SIDE: the side that the order would meet does.
    """

    NONE = 0
    BY_TRADES = 1
    BY_SIDE = 2


class Fired(IntEnum):
    """Bits of protective orders that were reached and are still to fill."""

    STOP = 1
    TARGET = 2


class Stage(IntEnum):
    """Where inside a base bar the loop stands."""

    SCAN = 0
    CARRY = 1
    OPEN_EXIT = 2
    OPEN_ENTRY = 3
    INSIDE_ENTRY = 4
    INSIDE_EXIT = 5
    CLOSE = 6
    ACCOUNT = 7
    EXEC = 8
    DECIDE = 9
    NEXT = 10


class Pause(IntEnum):
    """Why the loop returned; BLOCK and OVER are of the walk over several instruments.

    BLOCK asks for the next features of an instrument; END is the end of a stretch, OVER that of the run.
    """

    END = 0
    REPORT = 1
    WAKE = 2
    LIMIT = 3
    FULL = 4
    TIMER = 5
    BLOCK = 6
    OVER = 7
    FAULT = 8


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
    TRAILING = 8
    BREAKEVEN = 9
    LIQUIDATION = 10
    REGIME = 11
    PLAYBOOK = 12
    FORCE = 13
    MARGIN_CALL = 14
    SESSION_END = 15


class Point(IntEnum):
    """Where inside its base bar a fill lies."""

    OPEN = 0
    INSIDE = 1
    CLOSE = 2


class Leg(IntEnum):
    """Which order of a trade filled; FUNDING is no order but something carried: a payment, or a split."""

    ENTRY = 0
    STOP = 1
    TARGET = 2
    EXIT = 3
    GUARD = 4
    FUNDING = 5


class FillKind(IntEnum):
    """What kind of order filled; those of entries equal `EntryKind`. SPLIT is what a split adds, at a price of 0."""

    MARKET = 1
    LIMIT = 2
    STOP = 3
    TAKE_PROFIT = 4
    STOP_LIMIT = 5
    SPLIT = 6


class Report(IntEnum):
    """Columns of an integer report.

    A report with 0 LOTS tells of something carried of the kind REASON that brought GROSS, if its LEG says so, or else
    of the death of the entry for REASON.
    FEE, GROSS and SLIPPAGE are counts of 1e-8 of the account currency. SIGNAL and EXEC say which rule decided it
    when, OPENED_EXEC in which execution bar the position was opened, INSTRUMENT whose of the run's it is, LEFT how many
    lots of the order are still to fill; of what is carried, how many are held after it.
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
    INSTRUMENT = 15
    LEFT = 16


class Price(IntEnum):
    """Columns of the float64 part of a report: fill price, levels after it, fractions of the entry price, and that."""

    FILL = 0
    STOP = 1
    TARGET = 2
    ADVERSE = 3
    FAVOURABLE = 4
    ENTRY = 5


class Curve(IntEnum):
    """Lines of the curve: one value for each execution bar, at its close."""

    EQUITY = 0
    CASH = 1
    LOTS = 2


def new_ledger(cash: int) -> Ints:
    """Return the ledger of an account with `cash` counts of 1e-8 and nothing open."""
    ledger = np.zeros(LEDGER_SIZE, dtype=np.int64)
    ledger[[Ledger.CASH, Ledger.PEAK, Ledger.DEEP_PEAK, Ledger.DEEP_VALUE, Ledger.START]] = cash
    return ledger


def new_book(number: int = 0) -> Ints:
    """Return the flat book of an instrument by its number in the run, standing before its first base row."""
    book = np.zeros(BOOK_SIZE, dtype=np.int64)
    book[Book.ENTRY_EXEC], book[Book.BUDGET_ROW] = NEVER, -1
    book[Book.NUMBER] = number
    return book


def new_mark() -> Floats:
    """Return the prices of a flat book."""
    return np.full(MARK_SIZE, np.nan)
