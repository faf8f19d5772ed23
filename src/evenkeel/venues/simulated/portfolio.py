"""The walk of several instruments on one ledger: base bars merged in time, bars that close at one instant as a set.

What happens inside a base bar is `loop.pass_stage`, as in a run of one instrument. At one instant the order is (ruling
23):

    BARS      base bars that close now, slow to fast, then by instrument; only where something is held or at work
    ACCOUNT   mark the account; a limit closes every position and withdraws every entry
    CLOSES    execution bars that close now, slow to fast, then by instrument: expiry of the entry, then the decision
    ENDS      stretches of data that end now: the caller closes what is left

A decision sees the equity and the free margin of that instant: what an instrument decided before it in the same set
has been taken off already. One equity point is written for each instant at which an execution bar closes.
"""

from __future__ import annotations

from numba import types

from evenkeel.kernel import INTS, TABLE, WINDOW, floats_at, inlined, ints_at, kernel, window_at
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.reason import Reason, reason_number
from evenkeel.venues.simulated.account import free_money, pass_sessions
from evenkeel.venues.simulated.book import BOOK_SIZE, MARK_SIZE, Book, Exit, Ledger, Pause, Stage, Term
from evenkeel.venues.simulated.book import Point as FillPoint
from evenkeel.venues.simulated.desks import Clock, Desk, Phase, Point, PointLine, Purse
from evenkeel.venues.simulated.invariants import find_fault
from evenkeel.venues.simulated.loop import (
    ANY_LOTS,
    GO_ON,
    call_margin,
    decide_here,
    mark_account,
    mark_position,
    may_decide,
    must_leave,
    next_carry,
    pass_stage,
)
from evenkeel.venues.simulated.skip import nearest_levels
from evenkeel.venues.simulated.steps import drop_entry, move_stop, place_exit

(
    _OPENS, _HIGHS, _LOWS, _CLOSES, _VOLUMES, _BASE_NS, _BASES, _LAST_ROWS, _EXEC_NS, _EXECS,
    _CARRY_ROWS, _CARRY_KINDS, _CARRY_VALUES, _CARRY_PRICES, _CARRIES, _WINDOW, _WINDOW_ROWS, _WINDOW_COLUMNS,
    _COLUMN, _STOP_EXEC, _END_NS, _OVER, _WAKE_FLAT, _WAKE_HOLD, _BOOK, _MARK, _TERMS, _SIZING, _SIZINGS,
    _DECIDE, _PARAMS_AT, _PARAMS, _SLOTS_AT, _SLOTS, _ROWS_AT, _ROWS, _ORDER, _REFUSALS, _REASONS, _TERM_COUNT,
    _MARK_OPENS, _MARK_HIGHS, _MARK_LOWS, _TRIGGER_OPENS, _TRIGGER_HIGHS, _TRIGGER_LOWS, _TOPS, _BOTTOMS,
) = (int(d) for d in Desk)  # fmt: skip
_NOW, _PHASE, _TURN, _DESK, _MARKED, _CLOSED, _POINTS, _TOLD, _STOPPED_NS = (int(c) for c in Clock)
_AT_CHOOSE, _AT_BARS, _AT_ACCOUNT, _AT_CLOSES, _AT_ENDS = (int(p) for p in Phase)
_STOPPED, _REPORTS = int(Ledger.STOPPED), int(Ledger.REPORTS)
_CASH, _OPEN, _OWN = int(Ledger.CASH), int(Ledger.OPEN), int(Book.OPEN)
_ROW, _STAGE, _EXEC, _LOTS = int(Book.ROW), int(Book.STAGE), int(Book.EXEC), int(Book.LOTS)
_ENTRY_KIND, _EXIT, _EXPIRES, _ENTERED, _FIRED = (
    int(Book.ENTRY_KIND), int(Book.EXIT), int(Book.ENTRY_EXPIRES), int(Book.ENTERED), int(Book.FIRED),
)  # fmt: skip
_MOVES, _NEED, _SESSIONS = int(Term.MOVES), int(Book.NEED), int(Term.SESSIONS)
_SCAN, _CARRY, _OPEN_EXIT, _STAGE_ACCOUNT, _STAGE_DECIDE, _STAGE_NEXT = (
    int(s) for s in (Stage.SCAN, Stage.CARRY, Stage.OPEN_EXIT, Stage.ACCOUNT, Stage.DECIDE, Stage.NEXT)
)
_END, _REPORT, _WAKE, _LIMIT, _FULL, _BLOCK, _OVER_PAUSE, _FAULTY = (
    int(p)
    for p in (
        Pause.END, Pause.REPORT, Pause.WAKE, Pause.LIMIT, Pause.FULL, Pause.BLOCK, Pause.OVER, Pause.FAULT,
    )
)  # fmt: skip
_FAULT = int(Ledger.FAULT)
_AT_OPEN, _AT_CLOSE = int(FillPoint.OPEN), int(FillPoint.CLOSE)
_EQUITY, _CASH_LINE, _FIRST_LINE = (int(line) for line in Point)
_LOTS_LINE, _OPEN_LINE, _OWN_LINE = (int(line) for line in PointLine)
_LINES = len(PointLine)
_OWN_CASH, _OWN_PEAK, _OWN_DEEP_PEAK, _OWN_DEEP_VALUE = (int(p) for p in Purse)
_BY_LIQUIDATION, _BY_FORCE = int(Exit.LIQUIDATION), int(Exit.FORCE)
_EXPIRED, _DISABLED, _OK = (reason_number(r) for r in (Reason.EXPIRED, Reason.ENTRIES_DISABLED, Reason.OK))

NEVER_NS = (1 << 63) - 1
"""An instant that does not come."""

WALK_SIGNATURE = types.int64(TABLE, TABLE, INTS, INTS, INTS, TABLE, WINDOW, INTS, TABLE, TABLE, types.boolean)


@kernel
def walk(
    desks: Ints, turns: Ints, due: Ints, clock: Ints, ledger: Ints, ints: Ints, floats: Floats,
    times: Ints, points: Ints, purses: Ints, pausing: bool,
) -> int:  # fmt: skip
    """Advance all instruments until something is to be told, or to the end of the data or of the run.

    Args:
        desks: The instruments, a line each, see `Desk`.
        turns: Their numbers in the order of base bars, and in the order of execution bars.
        due: Space for the next instant of each.
        clock: See `Clock`; like `ledger` and the books of the desks it is the state and is changed.
        ledger: See `Ledger`.
        ints: Space for integer reports.
        floats: Space for the prices of reports.
        times: Space for the instants of equity points.
        points: Space for what is known at them, see `Point` and `PointLine`.
        purses: What each instrument made of the account, see `Purse`.
        pausing: Whether to return at each report, wake and limit instead of deciding here.

    Returns:
        The number of a `Pause`: OVER is the end of the run, END the end of the stretch of an instrument.
    """
    count = len(desks)
    for k in range(count):
        due[k] = due_ns(desks, k)
    while True:
        phase = clock[_PHASE]
        if phase == _AT_CHOOSE:
            if ledger[_REPORTS] + 2 > len(ints) or clock[_POINTS] == len(times):
                return _FULL
            at = NEVER_NS
            for k in range(count):
                at = min(at, due[k])
            if at == NEVER_NS or (ledger[_STOPPED] != 0 and clock[_TOLD] != 0 and not any_exposed(desks)):
                return _OVER_PAUSE
            clock[_NOW], clock[_PHASE], clock[_TURN] = at, _AT_BARS, 0
        elif phase == _AT_BARS:
            pause = pass_bars(desks, turns[0], due, clock, ledger, ints, floats, purses, pausing)
            if pause != GO_ON:
                return pause
            clock[_PHASE] = _AT_ACCOUNT
        elif phase == _AT_ACCOUNT:
            if clock[_MARKED] != 0:
                clock[_MARKED] = 0
                mark_account(ledger, floats_at(desks[0, _TERMS], desks[0, _TERM_COUNT]))
            if ledger[_STOPPED] != 0:
                if ledger[_REPORTS] + count + 1 > len(ints):
                    return _FULL
                fresh = clock[_TOLD] == 0
                if fresh:
                    clock[_TOLD], clock[_STOPPED_NS] = 1, clock[_NOW]
                if not pausing:
                    stop_all(desks, due, ledger, ints, floats)
                elif fresh:
                    return _LIMIT
            call_margins(desks, due, ledger)
            clock[_PHASE], clock[_TURN] = _AT_CLOSES, 0
        elif phase == _AT_CLOSES:
            pause = pass_closes(desks, turns[1], due, clock, ledger, ints, floats, pausing)
            if pause != GO_ON:
                return pause
            if clock[_CLOSED] != 0:
                clock[_CLOSED] = 0
                write_point(desks, clock, ledger, times, points, purses)
            clock[_PHASE], clock[_TURN] = _AT_ENDS, 0
        else:
            if next_end(desks, turns[1], due, clock):
                return _END
            clock[_PHASE] = _AT_CHOOSE
            if ledger[_STOPPED] != 0 and clock[_TOLD] == 0:
                clock[_PHASE] = _AT_ACCOUNT


@inlined
def is_exposed(book: Ints) -> bool:
    """Whether the instrument has a position or an entry at work."""
    return book[_LOTS] != 0 or book[_ENTRY_KIND] != 0


@inlined
def any_exposed(desks: Ints) -> bool:
    """Whether any instrument has a position or an entry at work."""
    exposed = False
    for k in range(len(desks)):
        exposed |= is_exposed(ints_at(desks[k, _BOOK], BOOK_SIZE))
    return exposed


@inlined
def due_ns(desks: Ints, k: int) -> int:
    """Return the next instant at which an instrument needs a look.

    It is the close of its base bar where something is held or at work, else that of its execution bar; behind the last
    of them the end of the stretch.
    """
    if desks[k, _OVER] != 0:
        return NEVER_NS
    book = ints_at(desks[k, _BOOK], BOOK_SIZE)
    e, row, execs, bases = book[_EXEC], book[_ROW], desks[k, _EXECS], desks[k, _BASES]
    last = ints_at(desks[k, _LAST_ROWS], execs)[e] if e < execs else bases - 1
    if row <= last and is_exposed(book):
        return ints_at(desks[k, _BASE_NS], bases)[row]
    return ints_at(desks[k, _EXEC_NS], execs)[e] if e < execs else desks[k, _END_NS]


@inlined
def pass_bars(
    desks: Ints, order: Ints, due: Ints, clock: Ints, ledger: Ints, ints: Ints, floats: Floats, purses: Ints,
    pausing: bool,
) -> int:  # fmt: skip
    """Pass the base bars that close now, of the instruments that have something held or at work."""
    at = clock[_NOW]
    for place in range(clock[_TURN], len(order)):
        k = order[place]
        book = ints_at(desks[k, _BOOK], BOOK_SIZE)
        if book[_STAGE] == _SCAN and (due[k] != at or not is_exposed(book)):
            continue
        row, bases = book[_ROW], desks[k, _BASES]
        if row >= bases or ints_at(desks[k, _BASE_NS], bases)[row] != at:
            continue
        mark, terms = floats_at(desks[k, _MARK], MARK_SIZE), floats_at(desks[k, _TERMS], desks[k, _TERM_COUNT])
        h, low = floats_at(desks[k, _HIGHS], bases)[row], floats_at(desks[k, _LOWS], bases)[row]
        c = floats_at(desks[k, _CLOSES], bases)[row]
        carry_rows = ints_at(desks[k, _CARRY_ROWS], desks[k, _CARRIES])
        if book[_STAGE] == _SCAN:
            carried = next_carry(carry_rows, book) == row
            top, bottom = floats_at(desks[k, _TOPS], bases)[row], floats_at(desks[k, _BOTTOMS], bases)[row]
            if not carried and is_quiet(top, bottom, book, mark):
                book[_ENTERED] = 0
                mark_position(h, low, c, book, mark, ledger, terms)
                if terms[_MOVES] == 1.0:
                    move_stop(c, book, mark, terms)
                leave_bar(desks, k, due, clock, book, purses)
                continue
            book[_STAGE] = _CARRY if carried else _OPEN_EXIT
        while book[_STAGE] < _STAGE_ACCOUNT:
            before = ledger[_CASH]
            pause = pass_stage(
                row, floats_at(desks[k, _OPENS], bases)[row], h, low, c, floats_at(desks[k, _VOLUMES], bases)[row],
                floats_at(desks[k, _MARK_OPENS], bases)[row], floats_at(desks[k, _MARK_HIGHS], bases)[row],
                floats_at(desks[k, _MARK_LOWS], bases)[row], floats_at(desks[k, _TRIGGER_OPENS], bases)[row],
                floats_at(desks[k, _TRIGGER_HIGHS], bases)[row], floats_at(desks[k, _TRIGGER_LOWS], bases)[row],
                carry_rows, ints_at(desks[k, _CARRY_KINDS], desks[k, _CARRIES]),
                floats_at(desks[k, _CARRY_VALUES], desks[k, _CARRIES]),
                floats_at(desks[k, _CARRY_PRICES], desks[k, _CARRIES]),
                book, mark, ledger, terms, ints, floats, pausing,
            )  # fmt: skip
            purses[k, _OWN_CASH] += ledger[_CASH] - before
            if pause != GO_ON:
                clock[_TURN], clock[_DESK] = place, k
                return pause
        leave_bar(desks, k, due, clock, book, purses)
    return GO_ON


@inlined
def is_quiet(top: float, bottom: float, book: Ints, mark: Floats) -> bool:
    """Whether nothing but a mark can happen to a position in a base bar at which nothing is carried."""
    if book[_LOTS] == 0 or book[_EXIT] != 0 or book[_ENTRY_KIND] != 0 or book[_FIRED] != 0:
        return False
    lower, upper = nearest_levels(book[_LOTS], mark)
    return bottom > lower and top < upper


@inlined
def leave_bar(desks: Ints, k: int, due: Ints, clock: Ints, book: Ints, purses: Ints) -> None:
    """Mark what the instrument alone made, and stand before its next base bar."""
    mark_purse(purses, k, purses[k, _OWN_CASH] + book[_OWN])
    book[_STAGE] = _SCAN
    book[_ROW] += 1
    clock[_MARKED] = 1
    due[k] = due_ns(desks, k)


@inlined
def mark_purse(purses: Ints, k: int, value: int) -> None:
    """Hold what an instrument alone made against its peak."""
    peak = max(purses[k, _OWN_PEAK], value)
    purses[k, _OWN_PEAK] = peak
    deep_peak, deep_value = purses[k, _OWN_DEEP_PEAK], purses[k, _OWN_DEEP_VALUE]
    if (peak - value) / peak > (deep_peak - deep_value) / deep_peak:
        purses[k, _OWN_DEEP_PEAK], purses[k, _OWN_DEEP_VALUE] = peak, value


@inlined
def stop_all(desks: Ints, due: Ints, ledger: Ints, ints: Ints, floats: Floats) -> None:
    """Withdraw every entry at work and close every position, because the run has stopped."""
    reason = _BY_FORCE if ledger[_STOPPED] == _BY_LIQUIDATION else ledger[_STOPPED]
    for k in range(len(desks)):
        book = ints_at(desks[k, _BOOK], BOOK_SIZE)
        if book[_ENTRY_KIND] != 0:
            mark = floats_at(desks[k, _MARK], MARK_SIZE)
            drop_entry(book, mark, ledger, ints, floats, book[_ROW], _AT_OPEN, _DISABLED)
        if must_leave(book):
            terms = floats_at(desks[k, _TERMS], desks[k, _TERM_COUNT])
            place_exit(book, terms, abs(book[_LOTS]), reason, -1)
        due[k] = due_ns(desks, k)


@inlined
def call_margins(desks: Ints, due: Ints, ledger: Ints) -> None:
    """Let the broker close every position, where the account no longer covers all of them together."""
    need = 0
    for k in range(len(desks)):
        need += ints_at(desks[k, _BOOK], BOOK_SIZE)[_NEED]
    if need <= max(0, ledger[_CASH] + ledger[_OPEN]):
        return
    for k in range(len(desks)):
        call_margin(ints_at(desks[k, _BOOK], BOOK_SIZE), floats_at(desks[k, _TERMS], desks[k, _TERM_COUNT]))
        due[k] = due_ns(desks, k)


@inlined
def pass_closes(
    desks: Ints, order: Ints, due: Ints, clock: Ints, ledger: Ints, ints: Ints, floats: Floats, pausing: bool
) -> int:
    """Close the execution bars that close now: expiry of the entry, then the decision."""
    at = clock[_NOW]
    for place in range(clock[_TURN], len(order)):
        k = order[place]
        book, execs = ints_at(desks[k, _BOOK], BOOK_SIZE), desks[k, _EXECS]
        e = book[_EXEC]
        if desks[k, _OVER] != 0 or e >= execs or ints_at(desks[k, _EXEC_NS], execs)[e] != at:
            continue
        clock[_TURN], clock[_DESK], clock[_CLOSED] = place, k, 1
        if e >= desks[k, _STOP_EXEC]:
            return _BLOCK
        if ledger[_REPORTS] + 2 > len(ints):
            return _FULL
        last = ints_at(desks[k, _LAST_ROWS], execs)[e]
        mark, terms = floats_at(desks[k, _MARK], MARK_SIZE), floats_at(desks[k, _TERMS], desks[k, _TERM_COUNT])
        if book[_STAGE] == _SCAN:
            ledger[_FAULT] = find_fault(book, mark, ledger, terms)
            if ledger[_FAULT] != 0:
                return _FAULTY
            book[_STAGE], book[_ROW] = _STAGE_DECIDE, last
            if book[_ENTRY_KIND] != 0 and book[_EXPIRES] == e:
                drop_entry(book, mark, ledger, ints, floats, last, _AT_CLOSE, _EXPIRED)
                if pausing:
                    return _REPORT
        if book[_STAGE] == _STAGE_DECIDE:
            book[_STAGE] = _STAGE_NEXT
            x = window_at(desks[k, _WINDOW], desks[k, _WINDOW_ROWS], desks[k, _WINDOW_COLUMNS])
            column = desks[k, _COLUMN] + e
            wake = x[desks[k, _WAKE_FLAT] if book[_LOTS] == 0 else desks[k, _WAKE_HOLD], column]
            if wake == 1.0 and may_decide(book, ledger):
                if terms[_SESSIONS] == 1.0:
                    pass_sessions(
                        ints_at(desks[k, _CARRY_ROWS], desks[k, _CARRIES]),
                        ints_at(desks[k, _CARRY_KINDS], desks[k, _CARRIES]),
                        floats_at(desks[k, _CARRY_VALUES], desks[k, _CARRIES]),
                        floats_at(desks[k, _CARRY_PRICES], desks[k, _CARRIES]), last, book,
                    )  # fmt: skip
                if pausing:
                    return _WAKE
                money = ledger[_CASH] + ledger[_OPEN]
                decide_here(
                    last, floats_at(desks[k, _CLOSES], desks[k, _BASES])[last], x, column, book, mark, ledger, terms,
                    floats_at(desks[k, _SIZING], desks[k, _SIZINGS]), ints, floats,
                    ints_at(desks[k, _REFUSALS], desks[k, _REASONS]),
                    desks[k, _DECIDE], floats_at(desks[k, _PARAMS_AT], desks[k, _PARAMS]),
                    floats_at(desks[k, _SLOTS_AT], desks[k, _SLOTS]), ints_at(desks[k, _ROWS_AT], desks[k, _ROWS]),
                    ints_at(desks[k, _ORDER], 2), money / 1e8,
                    free_money(book, ledger, terms) / 1e8, _OK, _OK, ANY_LOTS,
                )  # fmt: skip
        book[_STAGE], book[_EXEC], book[_ROW] = _SCAN, e + 1, last + 1
        due[k] = due_ns(desks, k)
    return GO_ON


@inlined
def write_point(desks: Ints, clock: Ints, ledger: Ints, times: Ints, points: Ints, purses: Ints) -> None:
    """Write equity and cash now, and of each instrument what is held, its open result and its own cash."""
    n = clock[_POINTS]
    times[n] = clock[_NOW]
    points[_EQUITY, n], points[_CASH_LINE, n] = ledger[_CASH] + ledger[_OPEN], ledger[_CASH]
    for k in range(len(desks)):
        book, line = ints_at(desks[k, _BOOK], BOOK_SIZE), _FIRST_LINE + k * _LINES
        points[line + _LOTS_LINE, n], points[line + _OPEN_LINE, n] = book[_LOTS], book[_OWN]
        points[line + _OWN_LINE, n] = purses[k, _OWN_CASH]
    clock[_POINTS] = n + 1


@inlined
def next_end(desks: Ints, order: Ints, due: Ints, clock: Ints) -> bool:
    """Turn to the next instrument whose stretch ends now; False if there is none."""
    for place in range(clock[_TURN], len(order)):
        k = order[place]
        book = ints_at(desks[k, _BOOK], BOOK_SIZE)
        if due[k] == clock[_NOW] and book[_EXEC] >= desks[k, _EXECS]:
            clock[_TURN], clock[_DESK] = place + 1, k
            return True
    return False
