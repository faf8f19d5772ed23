"""The match-and-settle loop: the one place where a simulated order becomes a fill.

What happens to one instrument inside one base bar is `pass_stage`, a stage at a time; whatever walks bars calls it.
`run` walks those of one instrument.

The research lane runs it through with the strategy's decide kernel inside; the engine lane runs the same loop with
`pausing`, which returns at each report, wake and limit, so that the core decides in between. There is no second
matching code, and skipping ahead is nothing else than the first step of the loop: with nothing pending and nothing
held it goes straight to the next execution bar whose wake column speaks.

One base bar, in order (plays.md 5.4 and 6.6):

    CARRY         what the position pays or receives at this open: funding, dividends, borrow fees; splits, sessions
    OPEN_EXIT     a gap through stop, liquidation price or target, else a pending close, at the open
    OPEN_ENTRY    a pending entry at the open
    INSIDE_ENTRY  a resting limit or stop entry against the range
    INSIDE_EXIT   stop or liquidation, whichever is nearer, then targets, against the range
    CLOSE         mark the position, then move the stop
    ACCOUNT       mark the account, watch drawdown and equity limits
    EXEC          at the close of an execution bar: equity point, expiry of the entry
    DECIDE        wake and decide
"""

from __future__ import annotations

import math

from numba import types

from evenkeel.kernel import FLOATS, INTS, TABLE, WINDOW, fetch_ahead, floats_at, inlined, ints_at, invoke, kernel
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.reason import Reason, reason_number
from evenkeel.risk.gates.entry import judge_entry
from evenkeel.risk.protection import share_of
from evenkeel.strategies.decision import Action, EntryKind, Slot
from evenkeel.venues.simulated.account import day_trades, free_money, pass_sessions
from evenkeel.venues.simulated.book import (
    BOOK_SIZE,
    MARK_SIZE,
    Book,
    Exit,
    Ledger,
    Leg,
    Mark,
    Pause,
    Point,
    Quoting,
    Stage,
    Term,
)
from evenkeel.venues.simulated.carried import settle_carry
from evenkeel.venues.simulated.desks import ORDER_SIZE, Desk
from evenkeel.venues.simulated.invariants import find_fault
from evenkeel.venues.simulated.match import (
    FILL,
    IOC,
    REST,
    match_entry,
    match_exit,
    match_extended_exit,
    waits_for_regular_hours,
)
from evenkeel.venues.simulated.skip import deepest_fall, out_of_reach, skip_flat, skip_holding
from evenkeel.venues.simulated.steps import (
    drop_entry,
    maintenance,
    move_stop,
    place_entry,
    place_exit,
    point_value,
    settle_entry,
    settle_exit,
    slipped,
    unrealised,
    weighs_volume,
)

_CASH, _OPEN, _PEAK, _STOPPED, _REPORTS, _DEEP_PEAK, _DEEP_VALUE = (
    int(p)
    for p in (
        Ledger.CASH, Ledger.OPEN, Ledger.PEAK, Ledger.STOPPED, Ledger.REPORTS, Ledger.DEEP_PEAK, Ledger.DEEP_VALUE,
    )
)  # fmt: skip
_ROW, _STAGE, _EXEC, _OWN, _LOTS = (int(p) for p in (Book.ROW, Book.STAGE, Book.EXEC, Book.OPEN, Book.LOTS))
_ENTRY_KIND, _ENTRY_LOTS, _TIF, _LIVE = (
    int(p) for p in (Book.ENTRY_KIND, Book.ENTRY_LOTS, Book.ENTRY_TIF, Book.ENTRY_LIVE)
)
_EXPIRES, _EXIT, _EXIT_SIGNAL = int(Book.ENTRY_EXPIRES), int(Book.EXIT), int(Book.EXIT_SIGNAL)
_ENTERED, _OPENED = int(Book.ENTERED), int(Book.OPENED_EXEC)
_ENTRY_EXEC, _EXIT_LOTS, _STOP_KIND = int(Book.ENTRY_EXEC), int(Book.EXIT_LOTS), int(Book.STOP_KIND)
_NEXT_CARRY = int(Book.NEXT_CARRY)
_ENTRY, _STOP, _TARGET, _PRICE = int(Mark.ENTRY), int(Mark.STOP), int(Mark.TARGET), int(Mark.ENTRY_PRICE)
_HIGH, _LOW = int(Mark.HIGH), int(Mark.LOW)
_ARRIVAL, _LIQUIDATION, _BANKRUPTCY = int(Mark.ARRIVAL), int(Mark.LIQUIDATION), int(Mark.BANKRUPTCY)
_MAX_DRAWDOWN, _STOP_EQUITY = int(Term.MAX_DRAWDOWN), int(Term.STOP_EQUITY)
_TARGET_IS_LIMIT, _TRADE_THROUGH = int(Term.TARGET_IS_LIMIT), int(Term.TRADE_THROUGH)
_MOVES, _EACH_BAR = int(Term.MOVES), int(Term.EACH_BAR)
_FAULT, _FIRED, _BUDGET = int(Ledger.FAULT), int(Book.FIRED), int(Book.BUDGET)
_VOLUME_FRACTION = int(Term.VOLUME_FRACTION)
_SCAN, _CARRY, _OPEN_EXIT, _OPEN_ENTRY, _INSIDE_ENTRY, _INSIDE_EXIT, _CLOSE, _ACCOUNT, _AT_EXEC, _DECIDE, _NEXT = (
    int(s) for s in Stage
)
_END, _REPORT, _WAKE, _LIMIT, _FULL, _FAULTY = (
    int(p) for p in (Pause.END, Pause.REPORT, Pause.WAKE, Pause.LIMIT, Pause.FULL, Pause.FAULT)
)
_AT_OPEN, _INSIDE, _AT_CLOSE = (int(p) for p in Point)
_LEG_STOP, _LEG_TARGET, _LEG_EXIT, _LEG_GUARD = int(Leg.STOP), int(Leg.TARGET), int(Leg.EXIT), int(Leg.GUARD)
_BY_STOP, _BY_TARGET, _BY_SIGNAL = int(Exit.STOP_LOSS), int(Exit.TAKE_PROFIT), int(Exit.SIGNAL)
_BY_DRAWDOWN, _BY_EQUITY, _BY_LIQUIDATION = int(Exit.MAX_DRAWDOWN), int(Exit.EQUITY_STOP), int(Exit.LIQUIDATION)
_LIMIT_ENTRY, _STOP_LIMIT_ENTRY = int(EntryKind.LIMIT), int(EntryKind.STOP_LIMIT)
_POSITION, _ENTRY_SLOT, _BARS_HELD, _ACTION = (
    int(s) for s in (Slot.POSITION, Slot.ENTRY_PRICE, Slot.BARS_HELD, Slot.ACTION)
)
_DIRECTION, _KIND, _PRICE_SLOT = int(Slot.DIRECTION), int(Slot.KIND), int(Slot.PRICE)
_STOP_SLOT, _TARGET_SLOT, _SIGNAL = int(Slot.STOP_DISTANCE), int(Slot.TARGET_DISTANCE), int(Slot.SIGNAL)
_REASON, _FRACTION = int(Slot.REASON), int(Slot.FRACTION)
_TRAIL_SLOT, _SINCE, _TRIGGER = int(Slot.TRAIL_DISTANCE), int(Slot.SINCE_ENTRY), int(Slot.TRIGGER)
_ENTER, _LEAVE = int(Action.ENTER), int(Action.EXIT)
_OK = reason_number(Reason.OK)
_SMALL, _NOTHING = reason_number(Reason.BELOW_MIN_QUANTITY), reason_number(Reason.REDUCE_ONLY_NO_POSITION)
_EXPIRED, _CANCELLED, _DISABLED, _LIQUIDITY = (
    reason_number(r) for r in (Reason.EXPIRED, Reason.CANCELLED, Reason.ENTRIES_DISABLED, Reason.LIQUIDITY)
)

(
    _OPENS, _HIGHS, _LOWS, _CLOSES, _VOLUMES, _BASES, _LAST_ROWS, _EXECS, _CARRY_ROWS, _CARRY_KINDS, _CARRY_VALUES,
    _CARRY_PRICES, _CARRIES, _WAKE_FLAT, _WAKE_HOLD, _BOOK, _MARK, _TERMS, _SIZING, _SIZINGS, _DECIDE_AT, _PARAMS_AT,
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
_EXTENDED = int(Book.EXTENDED)
_QUOTED, _BY_SIDE = int(Term.QUOTED), int(Quoting.BY_SIDE)
_NEED, _CALLS, _SESSIONS = int(Book.NEED), int(Term.CALLS), int(Term.SESSIONS)
_MARGIN_CALL = int(Exit.MARGIN_CALL)
GO_ON = -1
ANY_LOTS = 1 << 62
_EXPOSURE = reason_number(Reason.EXPOSURE_LIMIT)
_NO_ROW = 1 << 62

TIME_IN_FORCE = ("GTC", "IOC", "FOK", "PostOnly")
"""Words by the number that the loop uses."""

RUN_SIGNATURE = types.int64(
    INTS, WINDOW, types.int64, INTS,  # line of the instrument; window, its column of exec bar 0; ledger
    TABLE, WINDOW, INTS,  # integer reports, their prices, equity
    types.int64, types.int64, types.boolean,  # stop before base row, stop before exec bar, pausing
)  # fmt: skip


@kernel
def run(
    line: Ints, x: Floats, column: int, ledger: Ints, ints: Ints, floats: Floats, equity: Ints,
    stop_row: int, stop_exec: int, pausing: bool,
) -> int:  # fmt: skip
    """Advance the venue until something is to be told, or to the end of the given rows.

    All that stays where it is during a stretch is named by its address in the line, because Python takes longer to
    hand over an array than the loop takes for many bars, and because whoever walks several sets calls this very code.

    Args:
        line: Where the bars, the books and the terms of the instrument are, see `Desk`. Where there are no mark and
            trigger prices they are the base bars. Book and mark are the state and are changed.
        x: Window of the execution graph.
        column: Window column that execution bar 0 would have; bar e lies at `column + e`.
        ledger: See `Ledger`; it is changed.
        ints: Space for integer reports; `ledger[REPORTS]` counts those written.
        floats: Space for the prices of reports.
        equity: A count of 1e-8 for each execution bar, written at its close.
        stop_row: First base row not to process: the one after the last execution bar in the window, or the end.
        stop_exec: First execution bar not in the window.
        pausing: Whether to return at each report, wake and limit instead of deciding here.

    Returns:
        The number of a `Pause`.
    """
    bases, carries = line[_BASES], line[_CARRIES]
    opens, highs, lows = bars_at(line[_OPENS], line[_HIGHS], line[_LOWS], bases)
    closes, volumes = floats_at(line[_CLOSES], bases), floats_at(line[_VOLUMES], bases)
    mark_opens, mark_highs, mark_lows = bars_at(line[_MARK_OPENS], line[_MARK_HIGHS], line[_MARK_LOWS], bases)
    trigger_opens, trigger_highs, trigger_lows = bars_at(
        line[_TRIGGER_OPENS], line[_TRIGGER_HIGHS], line[_TRIGGER_LOWS], bases
    )
    tops, bottoms = floats_at(line[_TOPS], bases), floats_at(line[_BOTTOMS], bases)
    last_row = ints_at(line[_LAST_ROWS], line[_EXECS])
    carry_rows, carry_kinds = ints_at(line[_CARRY_ROWS], carries), ints_at(line[_CARRY_KINDS], carries)
    carry_values, carry_prices = floats_at(line[_CARRY_VALUES], carries), floats_at(line[_CARRY_PRICES], carries)
    book, mark = ints_at(line[_BOOK], BOOK_SIZE), floats_at(line[_MARK], MARK_SIZE)
    terms, sizing = floats_at(line[_TERMS], line[_TERM_COUNT]), floats_at(line[_SIZING], line[_SIZINGS])
    refusals, order = ints_at(line[_REFUSALS], line[_REASONS]), ints_at(line[_ORDER], ORDER_SIZE)
    dp, ds = floats_at(line[_PARAMS_AT], line[_PARAMS]), floats_at(line[_SLOTS_AT], line[_SLOTS])
    decide, dr = line[_DECIDE_AT], ints_at(line[_ROWS_AT], line[_ROWS])
    wakes_flat, wakes_hold = x[line[_WAKE_FLAT]], x[line[_WAKE_HOLD]]
    weighed = weighs_volume(terms)
    while True:
        if book[_STAGE] == _SCAN:
            if ledger[_STOPPED] != 0 and book[_LOTS] == 0:
                return _END
            if book[_LOTS] == 0 and book[_ENTRY_KIND] == 0:
                if not skip_flat(wakes_flat, column, last_row, book, ledger, equity, stop_exec):
                    book[_ROW] = max(book[_ROW], stop_row)
                    return _END
            else:
                due = next_carry(carry_rows, book)
                if due > book[_ROW] and may_skip(book, terms):
                    skip_holding(
                        highs, lows, closes, tops, bottoms, last_row, wakes_hold, column, book, mark, ledger, terms,
                        equity, min(due, stop_row),
                    )  # fmt: skip
                if book[_STAGE] == _SCAN:
                    if book[_ROW] >= stop_row:
                        return _END
                    book[_STAGE] = _CARRY if due == book[_ROW] else _OPEN_EXIT
        row = book[_ROW]
        while book[_STAGE] < _ACCOUNT:
            pause = pass_stage(
                row, opens[row], highs[row], lows[row], closes[row], volumes[row] if weighed else 0.0,
                mark_opens[row], mark_highs[row], mark_lows[row],
                trigger_opens[row], trigger_highs[row], trigger_lows[row],
                carry_rows, carry_kinds, carry_values, carry_prices,
                book, mark, ledger, terms, ints, floats, pausing,
            )  # fmt: skip
            if pause != GO_ON:
                return pause
        if book[_STAGE] == _ACCOUNT:
            book[_STAGE] = _AT_EXEC
            if mark_account(ledger, terms) and pausing:
                return _LIMIT
            if not pausing and ledger[_STOPPED] != 0 and book[_LOTS] != 0:
                if book[_ENTRY_KIND] != 0:
                    drop_entry(book, mark, ledger, ints, floats, row, _AT_CLOSE, _DISABLED)
                if must_leave(book):
                    place_exit(book, terms, abs(book[_LOTS]), ledger[_STOPPED], -1)
            if book[_NEED] > max(0, ledger[_CASH] + ledger[_OPEN]):
                call_margin(book, terms)
            if terms[_EACH_BAR] == 1.0:
                ledger[_FAULT] = find_fault(book, mark, ledger, terms)
                if ledger[_FAULT] != 0:
                    return _FAULTY
        e = book[_EXEC]
        closing = e < len(last_row) and row == last_row[e]
        if book[_STAGE] == _AT_EXEC:
            book[_STAGE] = _NEXT
            if closing:
                if ledger[_REPORTS] + 2 > len(ints):
                    book[_STAGE] = _AT_EXEC
                    return _FULL
                ledger[_FAULT] = find_fault(book, mark, ledger, terms)
                if ledger[_FAULT] != 0:
                    return _FAULTY
                equity[e] = ledger[_CASH] + ledger[_OPEN]
                book[_STAGE] = _DECIDE
                if book[_ENTRY_KIND] != 0 and book[_EXPIRES] == e:
                    drop_entry(book, mark, ledger, ints, floats, row, _AT_CLOSE, _EXPIRED)
                    if pausing:
                        return _REPORT
        if book[_STAGE] == _DECIDE:
            book[_STAGE] = _NEXT
            wake = wakes_flat[column + e] if book[_LOTS] == 0 else wakes_hold[column + e]
            if wake == 1.0 and may_decide(book, ledger):
                if terms[_SESSIONS] == 1.0:
                    pass_sessions(carry_rows, carry_kinds, carry_values, carry_prices, row, book)
                if pausing:
                    return _WAKE
                fetch_ahead(opens, row + 1)
                fetch_ahead(highs, row + 1)
                fetch_ahead(lows, row + 1)
                money = ledger[_CASH] + ledger[_OPEN]
                decide_here(
                    row, closes[row], x, column + e, book, mark, ledger, terms, sizing, ints, floats, refusals,
                    decide, dp, ds, dr, order, money / 1e8, free_money(book, ledger, terms) / 1e8, _OK, _OK,
                    ANY_LOTS,
                )  # fmt: skip
        if closing:
            book[_EXEC] = e + 1
        book[_ROW] = row + 1
        book[_STAGE] = _SCAN


@inlined
def bars_at(opens: int, highs: int, lows: int, bases: int) -> tuple[Floats, Floats, Floats]:
    """Return open, high and low of so many bars at three addresses."""
    return floats_at(opens, bases), floats_at(highs, bases), floats_at(lows, bases)


@inlined
def pass_stage(
    row: int, o: float, h: float, low: float, c: float, volume: float,
    mark_open: float, mark_high: float, mark_low: float, trigger_open: float, trigger_high: float, trigger_low: float,
    carry_rows: Ints, carry_kinds: Ints, carry_values: Floats, carry_prices: Floats,
    book: Ints, mark: Floats, ledger: Ints, terms: Floats, ints: Ints, floats: Floats, pausing: bool,
) -> int:  # fmt: skip
    """Pass the stage in the book of one instrument in one base bar: what is carried, an exit, an entry, or the close.

    The first stage of a bar is CARRY where something is due at this row and OPEN_EXIT elsewhere; after CLOSE comes
    ACCOUNT, which belongs to whoever walks the bars.

    Returns:
        `GO_ON`, or the number of a `Pause`.
    """
    if ledger[_REPORTS] + 3 > len(ints):
        return _FULL
    stage = next_stage(max(h, mark_high, trigger_high), min(low, mark_low, trigger_low), book, mark)
    if terms[_QUOTED] != 0.0 and stage != _CLOSE:
        enters = stage in (_OPEN_ENTRY, _INSIDE_ENTRY)
        o = h = low = c = met_side(book[_ENTRY_LOTS] if enters else -book[_LOTS], low, h)
        if terms[_QUOTED] == _BY_SIDE:
            trigger_open = trigger_high = trigger_low = o
    if stage == _CARRY:
        k = book[_NEXT_CARRY]
        book[_NEXT_CARRY] = k + 1
        if k + 1 >= len(carry_rows) or carry_rows[k + 1] != row:
            book[_STAGE] = _OPEN_EXIT
        told = settle_carry(
            carry_kinds[k], carry_values[k], carry_prices[k], o, row, book, mark, ledger, terms, ints, floats
        )
        if told and pausing:
            return _REPORT
    elif stage in (_OPEN_EXIT, _INSIDE_EXIT):
        book[_STAGE] = stage + 1
        if stage == _OPEN_EXIT:
            book[_ENTERED] = 0
        if book[_LOTS] != 0:
            if book[_EXTENDED] != 0:
                leg, reason, point, price, raw, taker, lots = match_extended_exit(
                    stage == _OPEN_EXIT, row, o, h, low, c, volume, book, mark, terms
                )
            else:
                leg, reason, point, price, raw, taker, lots = match_exit(
                    stage == _OPEN_EXIT, row, o, h, low, c, volume,
                    mark_open, mark_high, mark_low, trigger_open, trigger_high, trigger_low, book, mark, terms,
                )  # fmt: skip
            if leg >= 0:
                settle_exit(book, mark, ledger, terms, ints, floats, row, point, price, raw, leg, reason, taker, lots)
                if book[_LOTS] != 0 and (terms[_VOLUME_FRACTION] == 0.0 or book[_BUDGET] > 0):
                    book[_STAGE] = stage
                if pausing:
                    return _REPORT
            elif book[_FIRED] != 0 and book[_ENTRY_KIND] != 0:
                drop_entry(book, mark, ledger, ints, floats, row, point, _CANCELLED)
                if pausing:
                    return _REPORT
    elif stage in (_OPEN_ENTRY, _INSIDE_ENTRY):
        book[_STAGE] = stage + 1
        if book[_ENTRY_KIND] != 0 and not waits_for_regular_hours(book):
            point = _AT_OPEN if stage == _OPEN_ENTRY else _INSIDE
            verdict, price, raw, taker, lots = match_entry(
                point, row, o, h, low, c, volume, trigger_open, trigger_high, trigger_low, book, mark, terms
            )
            if verdict == FILL:
                settle_entry(
                    book, mark, ledger, terms, ints, floats, row, point, price, raw, taker, lots, volume
                )  # fmt: skip
                if dies_of_rest(book):
                    drop_entry(book, mark, ledger, ints, floats, row, point, _LIQUIDITY)
            elif verdict != REST:
                drop_entry(book, mark, ledger, ints, floats, row, point, verdict)
            if pausing and verdict != REST:
                return _REPORT
    else:
        book[_STAGE] = _ACCOUNT
        mark_position(h, low, c, book, mark, ledger, terms)
        if book[_LOTS] != 0 and terms[_MOVES] == 1.0:
            move_stop(c, book, mark, terms)
    return GO_ON


@inlined
def met_side(lots: int, bid: float, ask: float) -> float:
    """Return what an order of so many lots, signed, meets of a quote: buys the ask, sells the bid."""
    return ask if lots > 0 else bid


@inlined
def next_stage(top: float, bottom: float, book: Ints, mark: Floats) -> int:
    """Return the stage in the book, or a later one where nothing can happen before: no position, no entry, no level."""
    stage = book[_STAGE]
    if stage == _OPEN_EXIT and book[_LOTS] == 0:
        stage = _OPEN_ENTRY
    if stage in (_OPEN_ENTRY, _INSIDE_ENTRY) and book[_ENTRY_KIND] == 0:
        stage = _INSIDE_EXIT
    if stage == _INSIDE_EXIT and (book[_LOTS] == 0 or out_of_reach(top, bottom, book, mark)):
        stage = _CLOSE
    return int(stage)


@inlined
def call_margin(book: Ints, terms: Floats) -> None:
    """Let the broker close the position from the next open on, because the account no longer covers it."""
    if book[_LOTS] != 0 and book[_EXIT] == 0:
        place_exit(book, terms, abs(book[_LOTS]), _MARGIN_CALL, -1)


@inlined
def may_decide(book: Ints, ledger: Ints) -> bool:
    """Whether a strategy is asked when it wants to be: nothing of its instrument is at work and the run goes on.

    What is left of an entry keeps nobody from leaving what is held of it.
    """
    return (book[_ENTRY_KIND] == 0 or book[_LOTS] != 0) and book[_EXIT] == 0 and ledger[_STOPPED] == 0


@inlined
def may_skip(book: Ints, terms: Floats) -> bool:
    """Whether a position is held and nothing but its levels can do anything to it."""
    return (
        book[_LOTS] != 0
        and book[_EXIT] == 0
        and book[_ENTRY_KIND] == 0
        and book[_FIRED] == 0
        and terms[_EACH_BAR] == 0.0
    )


@inlined
def dies_of_rest(book: Ints) -> bool:
    """Whether an entry has just filled in part that may not rest."""
    return book[_ENTRY_KIND] in (_LIMIT_ENTRY, _STOP_LIMIT_ENTRY) and book[_TIF] == IOC


@inlined
def must_leave(book: Ints) -> bool:
    """Whether a position is held that no order at work closes whole."""
    held = abs(book[_LOTS])
    return held != 0 and (book[_EXIT] == 0 or book[_EXIT_LOTS] < held)


@inlined
def next_carry(carry_rows: Ints, book: Ints) -> int:
    """Return the base row of what is due next, the one the loop stands on included; a row that never comes if none."""
    k = book[_NEXT_CARRY]
    while k < len(carry_rows) and carry_rows[k] < book[_ROW]:
        k += 1
    book[_NEXT_CARRY] = k
    return carry_rows[k] if k < len(carry_rows) else _NO_ROW


@inlined
def mark_position(h: float, low: float, c: float, book: Ints, mark: Floats, ledger: Ints, terms: Floats) -> None:
    """Mark the position at the close of a base bar, and note how far the price went while it was held."""
    value = 0
    if book[_LOTS] != 0:
        value = unrealised(point_value(book[_LOTS], terms), mark[_ENTRY], c)
        whole = book[_ENTERED] != 2
        mark[_HIGH] = max(mark[_HIGH], h if whole else c)
        mark[_LOW] = min(mark[_LOW], low if whole else c)
    ledger[_OPEN] += value - book[_OWN]
    book[_OWN] = value
    book[_NEED] = math.ceil(maintenance(book[_LOTS], c, terms)) if terms[_CALLS] == 1.0 else 0


@inlined
def mark_account(ledger: Ints, terms: Floats) -> bool:
    """Hold the equity against its peak and the limits of the run; whether it must stop now and had not to before."""
    value = ledger[_CASH] + ledger[_OPEN]
    peak = max(ledger[_PEAK], value)
    ledger[_PEAK] = peak
    fall = (peak - value) / peak
    if fall > deepest_fall(ledger):
        ledger[_DEEP_PEAK], ledger[_DEEP_VALUE] = peak, value
    breach = 0
    if value <= terms[_STOP_EQUITY]:
        breach = _BY_EQUITY
    elif fall >= terms[_MAX_DRAWDOWN]:
        breach = _BY_DRAWDOWN
    fresh = breach != 0 and ledger[_STOPPED] == 0
    if fresh:
        ledger[_STOPPED] = breach
    return fresh


@inlined
def decide_here(
    row: int, close: float, x: Floats, at: int, book: Ints, mark: Floats, ledger: Ints, terms: Floats, sizing: Floats,
    ints: Ints, floats: Floats, refusals: Ints, decide: int, dp: Floats, ds: Floats, dr: Ints, order: Ints,
    equity: float, free: float, may_buy: int, may_sell: int, room: int,
) -> None:  # fmt: skip
    """Ask the strategy, size its wish, and place what is left: the research lane's short way through the gates.

    Args:
        row: Base bar at whose close it is asked.
        close: That close.
        x: Window of the execution graph.
        at: Its column of now.
        book: See `Book`.
        mark: See `Mark`.
        ledger: See `Ledger`.
        terms: See `Term`.
        sizing: Terms of the gates.
        ints: Space for reports.
        floats: Space for their prices.
        refusals: Counts refusals by reason.
        decide: Address of the decide kernel, with parameters `dp`, slots `ds` and rows `dr`.
        order: Time in force and bars to live of entry orders.
        equity: By which an entry is sized.
        free: What of it is not used.
        may_buy: Number of the reason why nothing may be bought, or of OK; `may_sell` likewise.
        room: Most lots that an entry may have.
    """
    tell_position(ds, book[_LOTS], mark[_ENTRY], book[_EXEC] - book[_OPENED] + 1, book[_EXEC] - book[_ENTRY_EXEC])
    invoke(decide, dp, ds, x, dr, at, at + 1)
    if ds[_ACTION] == _LEAVE:
        lots = share_of(abs(book[_LOTS]), ds[_FRACTION])
        if lots == 0:
            refusals[_SMALL if book[_LOTS] != 0 else _NOTHING] += 1
            return
        if book[_ENTRY_KIND] != 0:
            drop_entry(book, mark, ledger, ints, floats, row, _AT_CLOSE, _CANCELLED)
        place_exit(book, terms, lots, _BY_SIGNAL, int(ds[_SIGNAL]))
    elif ds[_ACTION] == _ENTER:
        direction = int(ds[_DIRECTION])
        barred = may_buy if direction > 0 else may_sell
        if barred != _OK:
            refusals[barred] += 1
            return
        lots, reason, stop_distance, target_distance = judge_entry(
            sizing, equity, free, close, direction, ds[_STOP_SLOT], ds[_TARGET_SLOT], day_trades(book, ledger)
        )
        if reason == _OK and lots > room:
            reason = _EXPOSURE
        if reason != _OK:
            refusals[reason] += 1
            return
        place_entry(
            book, mark, ledger, terms, sizing, lots * direction, int(ds[_KIND]), ds[_PRICE_SLOT], ds[_TRIGGER],
            order[0], order[1],
            stop_distance, target_distance, ds[_TRAIL_SLOT], close, int(ds[_SIGNAL]),
        )  # fmt: skip
    elif ds[_REASON] != _OK:
        refusals[int(ds[_REASON])] += 1


DECIDE_SIGNATURE = types.void(
    types.int64, types.float64, WINDOW, types.int64, INTS, FLOATS, INTS, FLOATS, FLOATS,
    TABLE, WINDOW, INTS, types.int64, FLOATS, FLOATS, INTS, INTS,
    types.float64, types.float64, types.int64, types.int64, types.int64,
)  # fmt: skip


@kernel
def decide_once(
    row: int, close: float, x: Floats, at: int, book: Ints, mark: Floats, ledger: Ints, terms: Floats, sizing: Floats,
    ints: Ints, floats: Floats, refusals: Ints, decide: int, dp: Floats, ds: Floats, dr: Ints, order: Ints,
    equity: float, free: float, may_buy: int, may_sell: int, room: int,
) -> None:  # fmt: skip
    """Decide as `decide_here` does, for a caller outside of the loop."""
    decide_here(
        row, close, x, at, book, mark, ledger, terms, sizing, ints, floats, refusals, decide, dp, ds, dr, order,
        equity, free, may_buy, may_sell, room,
    )  # fmt: skip


@kernel
def tell_position(ds: Floats, lots: int, entry: float, bars_held: int, since_entry: int) -> None:
    """Write into the slots of a decide kernel what the strategy may know of its own position."""
    ds[_POSITION] = 1.0 if lots > 0 else (-1.0 if lots < 0 else 0.0)
    ds[_ENTRY_SLOT] = entry if lots != 0 else math.nan
    ds[_BARS_HELD] = float(bars_held) if lots != 0 else 0.0
    ds[_SINCE] = float(since_entry)


CLOSE_SIGNATURE = types.void(
    types.float64, types.float64, types.int64, INTS, FLOATS, INTS, FLOATS,
    TABLE, WINDOW, types.int64,
)  # fmt: skip


@kernel
def close_out(
    close: float, volume: float, row: int,
    book: Ints, mark: Floats, ledger: Ints, terms: Floats, ints: Ints, floats: Floats, reason: int,
) -> None:  # fmt: skip
    """Close a held position at the last close before the data ends, with slippage and the taker fee.

    A pending close of all of it gives its reason to the fill; one of a part is overtaken.
    """
    direction = 1 if book[_LOTS] > 0 else -1
    lots = abs(book[_LOTS])
    if book[_EXIT] == 0 or book[_EXIT_LOTS] < lots:
        place_exit(book, terms, lots, reason, -1)
    mark[_HIGH], mark[_LOW] = max(mark[_HIGH], close), min(mark[_LOW], close)
    leg = _LEG_EXIT if book[_EXIT] == _BY_SIGNAL else _LEG_GUARD
    price = slipped(close, -direction, lots, volume, close, terms)
    if direction * (price - mark[_BANKRUPTCY]) < 0.0:
        gone = mark[_BANKRUPTCY]
        settle_exit(
            book, mark, ledger, terms, ints, floats, row, _AT_CLOSE, gone, gone, _LEG_GUARD, _BY_LIQUIDATION, 1, lots
        )
    else:
        settle_exit(book, mark, ledger, terms, ints, floats, row, _AT_CLOSE, price, close, leg, book[_EXIT], 1, lots)
    mark_position(close, close, close, book, mark, ledger, terms)
    mark_account(ledger, terms)
