"""What the walk over several instruments reads and keeps: the table of instruments, and where the walk stands."""

from __future__ import annotations

from enum import IntEnum


class Desk(IntEnum):
    """Columns of the table of instruments: addresses of its arrays, their sizes, and what does not change in a stretch.

    BASES, EXECS, CARRIES, PARAMS, ROWS and TERM_COUNT count elements. STOP_EXEC is the first execution bar of which the
    window holds no features; FIRST_EXEC the first that is decided on. END_NS is when the stretch ends; OVER is 1 where
    there is none to come.
    """

    OPENS = 0
    HIGHS = 1
    LOWS = 2
    CLOSES = 3
    VOLUMES = 4
    BASE_NS = 5
    BASES = 6
    LAST_ROWS = 7
    EXEC_NS = 8
    EXECS = 9
    CARRY_ROWS = 10
    CARRY_KINDS = 11
    CARRY_VALUES = 12
    CARRY_PRICES = 13
    CARRIES = 14
    WINDOW = 15
    WINDOW_ROWS = 16
    WINDOW_COLUMNS = 17
    COLUMN = 18
    STOP_EXEC = 19
    END_NS = 20
    OVER = 21
    WAKE_FLAT = 22
    WAKE_HOLD = 23
    BOOK = 24
    MARK = 25
    TERMS = 26
    SIZING = 27
    SIZINGS = 28
    DECIDE = 29
    PARAMS_AT = 30
    PARAMS = 31
    SLOTS_AT = 32
    SLOTS = 33
    ROWS_AT = 34
    ROWS = 35
    ORDER = 36
    REFUSALS = 37
    REASONS = 38
    TERM_COUNT = 39
    MARK_OPENS = 40
    MARK_HIGHS = 41
    MARK_LOWS = 42
    TRIGGER_OPENS = 43
    TRIGGER_HIGHS = 44
    TRIGGER_LOWS = 45
    TOPS = 46
    BOTTOMS = 47


ORDER_SIZE = 2
"""Numbers at ORDER: time in force of entries, and how many bars they live."""


class Clock(IntEnum):
    """Where the walk stands.

    NOW is the instant in nanoseconds UTC, TURN the place of the instrument whose turn it is in the order of the phase,
    DESK the instrument that a pause is about. MARKED and CLOSED tell whether a base bar and an execution bar closed
    now, POINTS counts equity points not yet taken. TOLD is 1 once a stop of the run has been told, STOPPED_NS when the
    run stopped.
    """

    NOW = 0
    PHASE = 1
    TURN = 2
    DESK = 3
    MARKED = 4
    CLOSED = 5
    POINTS = 6
    TOLD = 7
    STOPPED_NS = 8


class Purse(IntEnum):
    """What an instrument alone made of the account: counts of 1e-8, as if nothing else had traded.

    DEEP_PEAK and DEEP_VALUE are the peak and the equity of its deepest fall.
    """

    CASH = 0
    PEAK = 1
    DEEP_PEAK = 2
    DEEP_VALUE = 3


class Point(IntEnum):
    """Lines of equity points: those of the account, then three for each instrument from FIRST on."""

    EQUITY = 0
    CASH = 1
    FIRST = 2


class PointLine(IntEnum):
    """The lines of an instrument: signed lots, open result and its own cash (counts of 1e-8)."""

    LOTS = 0
    OPEN = 1
    CASH = 2


class Phase(IntEnum):
    """What is done at an instant, in order."""

    CHOOSE = 0
    BARS = 1
    ACCOUNT = 2
    CLOSES = 3
    ENDS = 4
