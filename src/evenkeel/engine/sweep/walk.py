"""One compiled call for all sets of a block: of each its own nodes, the venue's loop, and the sums of what it wrote.

The arrays of a set are named by their addresses in a table, as those of the instruments of a portfolio are, so that
Python is asked once a block and not several times a set, and threads do not wait for each other.
"""

from __future__ import annotations

from enum import IntEnum

from numba import types

from evenkeel.engine.sweep.tally import add
from evenkeel.features.graph import run_block
from evenkeel.kernel import FLOATS, INTS, INTS_IN, TABLE, WINDOW, floats_at, inlined, ints_at, kernel
from evenkeel.model.bar import Floats, Ints
from evenkeel.venues.simulated.book import BOOK_SIZE, LEDGER_SIZE, MARK_SIZE, Book, Ledger, Pause
from evenkeel.venues.simulated.desks import Desk
from evenkeel.venues.simulated.loop import run


class Seat(IntEnum):
    """Columns of a set behind those of `Desk`.

    LEDGER is an address, NUMBER the line of its sums. FIRST_LINE and LAST_LINE bound its own nodes in the plan,
    FIRST_KEPT and LAST_KEPT the rows that these look back at, REACH columns far; their past lies in the history from
    HISTORY on.
    """

    LEDGER = len(Desk)
    FIRST_LINE = len(Desk) + 1
    LAST_LINE = len(Desk) + 2
    FIRST_KEPT = len(Desk) + 3
    LAST_KEPT = len(Desk) + 4
    REACH = len(Desk) + 5
    HISTORY = len(Desk) + 6
    NUMBER = len(Desk) + 7


SEAT_COLUMNS = len(Desk) + len(Seat)

(
    _OPENS, _HIGHS, _LOWS, _CLOSES, _VOLUMES, _BASES, _LAST_ROWS, _EXECS, _CARRY_ROWS, _CARRY_KINDS, _CARRY_VALUES,
    _CARRY_PRICES, _CARRIES, _WAKE_FLAT, _WAKE_HOLD, _BOOK, _MARK, _TERMS, _SIZING, _SIZINGS, _DECIDE, _PARAMS_AT,
    _PARAMS, _SLOTS_AT, _SLOTS, _ROWS_AT, _ROWS, _ORDER, _REFUSALS, _REASONS, _TERM_COUNT, _MARK_OPENS, _MARK_HIGHS,
    _MARK_LOWS, _TRIGGER_OPENS, _TRIGGER_HIGHS, _TRIGGER_LOWS, _TOPS, _BOTTOMS,
) = (
    int(d) for d in (
        Desk.OPENS, Desk.HIGHS, Desk.LOWS, Desk.CLOSES, Desk.VOLUMES, Desk.BASES, Desk.LAST_ROWS, Desk.EXECS,
        Desk.CARRY_ROWS, Desk.CARRY_KINDS, Desk.CARRY_VALUES, Desk.CARRY_PRICES, Desk.CARRIES, Desk.WAKE_FLAT,
        Desk.WAKE_HOLD, Desk.BOOK, Desk.MARK, Desk.TERMS, Desk.SIZING, Desk.SIZINGS, Desk.DECIDE, Desk.PARAMS_AT,
        Desk.PARAMS, Desk.SLOTS_AT, Desk.SLOTS, Desk.ROWS_AT, Desk.ROWS, Desk.ORDER, Desk.REFUSALS, Desk.REASONS,
        Desk.TERM_COUNT, Desk.MARK_OPENS, Desk.MARK_HIGHS, Desk.MARK_LOWS, Desk.TRIGGER_OPENS, Desk.TRIGGER_HIGHS,
        Desk.TRIGGER_LOWS, Desk.TOPS, Desk.BOTTOMS,
    )
)  # fmt: skip
_LEDGER, _FIRST_LINE, _LAST_LINE, _FIRST_KEPT, _LAST_KEPT, _REACH, _HISTORY, _NUMBER = (int(s) for s in Seat)
_EXEC, _LOTS, _STOPPED, _REPORTS = int(Book.EXEC), int(Book.LOTS), int(Ledger.STOPPED), int(Ledger.REPORTS)
_FULL, _FAULTY = int(Pause.FULL), int(Pause.FAULT)
_ORDER_SIZE = 2

ALL_PASSED = -1

WALK_SIGNATURE = types.int64(
    TABLE, TABLE, FLOATS, FLOATS, INTS, WINDOW, INTS, FLOATS,  # seats; plan, p, s, r, window; kept rows, history
    TABLE, WINDOW, INTS, INTS_IN, TABLE, TABLE, FLOATS,  # reports, their prices, equity; ends, sessions, sums, deepest
    types.int64, types.int64, types.int64,  # column of exec bar 0, first exec bar of the block, the bar after its last
)  # fmt: skip


@kernel
def walk(
    seats: Ints, plan: Ints, p: Floats, s: Floats, r: Ints, x: Floats, kept: Ints, history: Floats,
    ints: Ints, floats: Floats, equity: Ints, ends: Ints, sessions: Ints, sums: Ints, deepest: Floats,
    column: int, start: int, stop: int,
) -> int:  # fmt: skip
    """Pass a block with each set in turn.

    Args:
        seats: The sets, a line each, by `Desk` and `Seat`.
        plan: Lines of the graph that decides, with `p`, `s`, `r` and its window `x`, see `GraphRun`.
        kept: Rows that own nodes look back at.
        history: Their last columns, set by set and row by row.
        ints: Space for integer reports, used by one set after the other; like `floats` and `equity`.
        ends: Execution bars that are the last of their session.
        sessions: Equity at each of them, a line a set.
        sums: See `evenkeel.engine.sweep.tally.Sum`, a line a set.
        deepest: Deepest fall of each set.
        column: Window column that execution bar 0 would have.
        start: First execution bar of the block.
        stop: The bar after its last.

    Returns:
        The number of the set whose books broke, or `ALL_PASSED`.
    """
    for k in range(len(seats)):
        seat = seats[k]
        book, ledger = ints_at(seat[_BOOK], BOOK_SIZE), ints_at(seat[_LEDGER], LEDGER_SIZE)
        if ledger[_STOPPED] != 0 and book[_LOTS] == 0:
            continue
        number = seat[_NUMBER]
        own, reach = kept[seat[_FIRST_KEPT] : seat[_LAST_KEPT]], seat[_REACH]
        bring(x, own, reach, history, seat[_HISTORY], column + start)
        run_block(plan[seat[_FIRST_LINE] : seat[_LAST_LINE]], p, s, r, x, column + start, column + stop)
        put_aside(x, own, reach, history, seat[_HISTORY], column + stop)
        bases, carries, last_row = seat[_BASES], seat[_CARRIES], ints_at(seat[_LAST_ROWS], seat[_EXECS])
        stop_row = bases if stop >= len(last_row) else last_row[stop - 1] + 1
        while book[_EXEC] < stop:
            first = book[_EXEC]
            pause = run(
                floats_at(seat[_OPENS], bases), floats_at(seat[_HIGHS], bases), floats_at(seat[_LOWS], bases),
                floats_at(seat[_CLOSES], bases), floats_at(seat[_VOLUMES], bases), last_row,
                floats_at(seat[_MARK_OPENS], bases), floats_at(seat[_MARK_HIGHS], bases),
                floats_at(seat[_MARK_LOWS], bases), floats_at(seat[_TRIGGER_OPENS], bases),
                floats_at(seat[_TRIGGER_HIGHS], bases), floats_at(seat[_TRIGGER_LOWS], bases),
                floats_at(seat[_TOPS], bases), floats_at(seat[_BOTTOMS], bases),
                ints_at(seat[_CARRY_ROWS], carries), ints_at(seat[_CARRY_KINDS], carries),
                floats_at(seat[_CARRY_VALUES], carries), floats_at(seat[_CARRY_PRICES], carries),
                x, column, seat[_WAKE_FLAT], seat[_WAKE_HOLD],
                book, floats_at(seat[_MARK], MARK_SIZE), ledger, floats_at(seat[_TERMS], seat[_TERM_COUNT]),
                floats_at(seat[_SIZING], seat[_SIZINGS]), ints, floats, equity,
                ints_at(seat[_REFUSALS], seat[_REASONS]),
                seat[_DECIDE], floats_at(seat[_PARAMS_AT], seat[_PARAMS]), floats_at(seat[_SLOTS_AT], seat[_SLOTS]),
                ints_at(seat[_ROWS_AT], seat[_ROWS]), ints_at(seat[_ORDER], _ORDER_SIZE), stop_row, stop, False,
            )  # fmt: skip
            if pause == _FAULTY:
                return k
            add(
                equity, first, book[_EXEC], last_row, ends, sessions[number], ints, ledger[_REPORTS],
                sums[number], deepest[number : number + 1],
            )  # fmt: skip
            ledger[_REPORTS] = 0
            if pause != _FULL:
                break
    return ALL_PASSED


@inlined
def bring(x: Floats, kept: Ints, reach: int, history: Floats, at: int, column: int) -> None:
    """Copy what was put aside before a column of the window; rows are shared, and another set wrote to them since."""
    for row in kept:
        line = x[row]
        for back in range(reach):
            line[column - reach + back] = history[at + back]
        at += reach


@inlined
def put_aside(x: Floats, kept: Ints, reach: int, history: Floats, at: int, column: int) -> None:
    """Copy the columns before a column of the window aside."""
    for row in kept:
        line = x[row]
        for back in range(reach):
            history[at + back] = line[column - reach + back]
        at += reach
