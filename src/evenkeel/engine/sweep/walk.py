"""One compiled call for all sets of a block: of each its own nodes, the venue's loop, and the sums of what it wrote.

The arrays of a set are named by their addresses in a table, as those of the instruments of a portfolio are, so that
Python is asked once a block and not several times a set, and threads do not wait for each other.
"""

from __future__ import annotations

from enum import IntEnum

from numba import types

from evenkeel.engine.sweep.tally import add
from evenkeel.features.graph import run_block
from evenkeel.kernel import FLOATS, INTS, INTS_IN, TABLE, WINDOW, inlined, ints_at, kernel
from evenkeel.model.bar import Floats, Ints
from evenkeel.venues.simulated.book import BOOK_SIZE, LEDGER_SIZE, Book, Ledger, Pause
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

_BOOK, _LAST_ROWS, _BASES, _EXECS = (int(d) for d in (Desk.BOOK, Desk.LAST_ROWS, Desk.BASES, Desk.EXECS))
_LEDGER, _FIRST_LINE, _LAST_LINE, _FIRST_KEPT, _LAST_KEPT, _REACH, _HISTORY, _NUMBER = (int(s) for s in Seat)
_EXEC, _LOTS, _STOPPED, _REPORTS = int(Book.EXEC), int(Book.LOTS), int(Ledger.STOPPED), int(Ledger.REPORTS)
_FULL, _FAULTY = int(Pause.FULL), int(Pause.FAULT)

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
        last_row = ints_at(seat[_LAST_ROWS], seat[_EXECS])
        stop_row = seat[_BASES] if stop >= len(last_row) else last_row[stop - 1] + 1
        while book[_EXEC] < stop:
            first = book[_EXEC]
            pause = run(seat, x, column, ledger, ints, floats, equity, stop_row, stop, False)
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
