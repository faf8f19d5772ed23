"""Bars in which nothing happens, passed without the stages: the same sums, peaks and points, many bars at a time.

A flat strategy is passed to the next execution bar that wakes it. A held position is passed a stride of base bars at
once where no price of the stride meets a level and its equities can neither end the run nor depend on their order;
every other stride is passed bar by bar, up to the first bar in which anything could happen. That bar is left whole to
the stages. Where an execution bar wakes, its close is where passing ends: what is left of that bar is the decision.
Why a stride ends where its bars would, to the last bit: decision 0013.
"""

from __future__ import annotations

import numpy as np

from evenkeel.kernel import LANES, first_one, inlined
from evenkeel.model.bar import Floats, Ints
from evenkeel.venues.simulated.book import Book, Ledger, Mark, Stage, Term
from evenkeel.venues.simulated.steps import maintenance, move_stop, moves_at, point_value, unrealised

_CASH, _OPEN, _PEAK, _DEEP_PEAK, _DEEP_VALUE = (
    int(p) for p in (Ledger.CASH, Ledger.OPEN, Ledger.PEAK, Ledger.DEEP_PEAK, Ledger.DEEP_VALUE)
)
_ROW, _EXEC, _OWN, _LOTS = (int(p) for p in (Book.ROW, Book.EXEC, Book.OPEN, Book.LOTS))
_ENTRY, _STOP, _TARGET, _LIQUIDATION = (int(p) for p in (Mark.ENTRY, Mark.STOP, Mark.TARGET, Mark.LIQUIDATION))
_HIGH, _LOW = int(Mark.HIGH), int(Mark.LOW)
_MAX_DRAWDOWN, _STOP_EQUITY, _MOVES, _CALLS = (
    int(p) for p in (Term.MAX_DRAWDOWN, Term.STOP_EQUITY, Term.MOVES, Term.CALLS)
)

_STAGE, _SCAN, _DECIDE, _FIRED = int(Book.STAGE), int(Stage.SCAN), int(Stage.DECIDE), int(Book.FIRED)

STRIDE = LANES
"""Bars of a stride."""

FINE = 1 << 51
"""Falls below it, as counts of 1e-8, are told apart by their fractions of the peak, whatever was rounded."""

_MAGNITUDE = (1 << 63) - 1
_LEAST, _MOST = -(1 << 63), (1 << 63) - 1


@inlined
def skip_flat(
    wakes: Floats, column: int, last_row: Ints, book: Ints, ledger: Ints, equity: Ints, stop_exec: int
) -> bool:  # fmt: skip
    """Go to the close of the next execution bar that wakes a flat strategy; False if the window holds none."""
    cash, e, ahead = ledger[_CASH], book[_EXEC], STRIDE
    while ahead == STRIDE and e + STRIDE <= stop_exec:
        ahead = first_one(wakes, column + e)
        start = np.uint64(e)
        for k in range(np.uint64(STRIDE)):
            equity[start + k] = cash
        e += ahead
    if ahead == STRIDE:
        while e < stop_exec and wakes[column + e] != 1.0:
            equity[e] = cash
            e += 1
        book[_EXEC] = max(book[_EXEC], e)
        if e >= stop_exec:
            return False
        equity[e] = cash
    book[_EXEC], book[_ROW], book[_STAGE] = e, last_row[e], _DECIDE
    return True


@inlined
def skip_holding(
    highs: Floats, lows: Floats, closes: Floats, tops: Floats, bottoms: Floats, last_row: Ints, wakes: Floats,
    column: int, book: Ints, mark: Floats, ledger: Ints, terms: Floats, equity: Ints, stop_row: int,
) -> None:  # fmt: skip
    """Pass the base bars in which a held position meets no level and no limit, up to one that wakes.

    It does for each bar passed what the stages CLOSE, ACCOUNT and EXEC do. The stage is DECIDE where a bar woke.
    """
    strides = terms[_CALLS] == 0.0
    while book[_ROW] < stop_row and book[_STAGE] == _SCAN:
        if strides and skip_stride(
            highs, lows, closes, tops, bottoms, last_row, wakes, column, book, mark, ledger, terms, equity, stop_row,
        ):  # fmt: skip
            continue
        stop = min(book[_ROW] + STRIDE, stop_row)
        skip_bars(
            highs, lows, closes, tops, bottoms, last_row, wakes, column, book, mark, ledger, terms, equity, stop,
        )  # fmt: skip
        if book[_ROW] < stop:
            return


@inlined
def skip_stride(
    highs: Floats, lows: Floats, closes: Floats, tops: Floats, bottoms: Floats, last_row: Ints, wakes: Floats,
    column: int, book: Ints, mark: Floats, ledger: Ints, terms: Floats, equity: Ints, stop_row: int,
) -> bool:  # fmt: skip
    """Pass a stride of base bars as a whole; False, and nothing is changed, where its bars must be looked at.

    A stride ends before `stop_row`, and with the first bar that wakes.
    """
    row, e = book[_ROW], book[_EXEC]
    count, stop = min(STRIDE, stop_row - row), e + STRIDE
    each = stop <= len(last_row) and last_row[e] == row and last_row[stop - 1] == row + STRIDE - 1
    each &= column + stop <= len(wakes)
    if each:
        woken = first_one(wakes, column + e) < count
        count = min(count, first_one(wakes, column + e) + 1)
        stop = e + count
    else:
        stop, woken = e, False
        while stop < len(last_row) and last_row[stop] < row + count and not woken:
            woken = wakes[column + stop] == 1.0
            stop += 1
        if woken:
            count = last_row[stop - 1] + 1 - row
    lots, entry, cash = book[_LOTS], mark[_ENTRY], ledger[_CASH]
    lower, upper = nearest_levels(lots, mark)
    worth = point_value(lots, terms)
    high_bits, low_bits = highs.view(np.int64), lows.view(np.int64)
    start, end, met = np.uint64(row), np.uint64(row + count), 0
    best, worst, highest, lowest = _LEAST, _MOST, _LEAST, _MOST
    for i in range(start, end):
        met += bottoms[i] <= lower
        met += tops[i] >= upper
        value = unrealised(worth, entry, closes[i])
        best, worst = max(best, value), min(worst, value)
        highest, lowest = max(highest, in_order(high_bits[i])), min(lowest, in_order(low_bits[i]))
    if met > 0 or not bears(cash + best, cash + worst, ledger, terms):
        return False
    if terms[_MOVES] == 1.0:
        for i in range(start, end):
            met += moves_at(closes[i], book, mark, terms)
        if met > 0:
            return False
    note_range(cash + best, cash + worst, ledger)
    mark[_HIGH], mark[_LOW] = max(mark[_HIGH], price_of(highest)), min(mark[_LOW], price_of(lowest))
    if each:
        shift = np.uint64(e) - start
        for i in range(start, end):
            equity[i + shift] = cash + unrealised(worth, entry, closes[i])
    else:
        for place in range(e, stop):
            equity[place] = cash + unrealised(worth, entry, closes[last_row[place]])
    book[_OWN] = ledger[_OPEN] = unrealised(worth, entry, closes[row + count - 1])
    stand(row + count, stop, woken, book)
    return True


@inlined
def stand(end: int, stop: int, woken: bool, book: Ints) -> None:
    """Stand behind base and execution bars that were passed, or at the close of the last of them, which woke."""
    book[_ROW], book[_EXEC] = end, stop
    if woken:
        book[_ROW], book[_EXEC], book[_STAGE] = end - 1, stop - 1, _DECIDE


@inlined
def bears(best: int, worst: int, ledger: Ints, terms: Floats) -> bool:
    """Whether equities between these two end no run and leave the same peak and deepest fall in whatever order."""
    peak, deepest = ledger[_PEAK], deepest_fall(ledger)
    if worst <= terms[_STOP_EQUITY]:
        return False
    if max(peak, best) - worst <= deepest * peak:
        return True
    return bool(best <= peak and peak - worst < FINE and (peak - worst) / peak < terms[_MAX_DRAWDOWN])


@inlined
def note_range(best: int, worst: int, ledger: Ints) -> None:
    """Take over the peak and the deepest fall of equities between these two."""
    peak = ledger[_PEAK]
    if max(peak, best) - worst > deepest_fall(ledger) * peak:
        ledger[_DEEP_PEAK], ledger[_DEEP_VALUE] = peak, worst
    ledger[_PEAK] = max(peak, best)


@inlined
def in_order(bits: int) -> int:
    """Return an integer that lies among others as the float with these bits does, and back: its own inverse."""
    return bits ^ ((bits >> 63) & _MAGNITUDE)


@inlined
def price_of(place: int) -> float:
    """Return the float of which `in_order` made this integer."""
    return np.int64(in_order(place)).view(np.float64)


@inlined
def skip_bars(
    highs: Floats, lows: Floats, closes: Floats, tops: Floats, bottoms: Floats, last_row: Ints, wakes: Floats,
    column: int, book: Ints, mark: Floats, ledger: Ints, terms: Floats, equity: Ints, stop_row: int,
) -> None:  # fmt: skip
    """Pass base bars one by one, up to the first in which anything could happen or to `stop_row`.

    Arrays come from the caller: a view made here would cost more than the bars it passes.
    """
    lots, entry = book[_LOTS], mark[_ENTRY]
    lower, upper = nearest_levels(lots, mark)
    cash, peak, stop_equity = ledger[_CASH], ledger[_PEAK], terms[_STOP_EQUITY]
    allowed, deepest = terms[_MAX_DRAWDOWN], deepest_fall(ledger)
    deep_peak, deep_value = ledger[_DEEP_PEAK], ledger[_DEEP_VALUE]
    high, low = mark[_HIGH], mark[_LOW]
    worth = point_value(lots, terms)
    moves, calls = terms[_MOVES] == 1.0, terms[_CALLS] == 1.0
    e, woken = book[_EXEC], False
    next_close = last_row[e] if e < len(last_row) else -1
    at = stop_row
    for i in range(book[_ROW], stop_row):
        if bottoms[i] <= lower or tops[i] >= upper:
            at = i
            break
        value = cash + unrealised(worth, entry, closes[i])
        top = max(peak, value)
        if top - value > deepest * top:
            fall = (top - value) / top
            if fall >= allowed:
                at = i
                break
            deepest, deep_peak, deep_value = fall, top, value
        if value <= stop_equity or (calls and value < maintenance(lots, closes[i], terms)):
            at = i
            break
        peak = top
        high, low = max(high, highs[i]), min(low, lows[i])
        if moves:
            move_stop(closes[i], book, mark, terms)
            lower, upper = nearest_levels(lots, mark)
        if i == next_close:
            equity[e] = value
            woken = wakes[column + e] == 1.0
            e += 1
            next_close = last_row[e] if e < len(last_row) else -1
            if woken:
                at = i + 1
                break
    if at > book[_ROW]:
        book[_OWN] = ledger[_OPEN] = unrealised(worth, entry, closes[at - 1])
    stand(at, e, woken, book)
    ledger[_PEAK] = peak
    ledger[_DEEP_PEAK], ledger[_DEEP_VALUE] = deep_peak, deep_value
    mark[_HIGH], mark[_LOW] = high, low


@inlined
def nearest_levels(lots: int, mark: Floats) -> tuple[float, float]:
    """Return the prices below and above which something happens to a held position."""
    if lots > 0:
        return max(mark[_STOP], mark[_LIQUIDATION]), mark[_TARGET]
    return mark[_TARGET], min(mark[_STOP], mark[_LIQUIDATION])


@inlined
def out_of_reach(top: float, bottom: float, book: Ints, mark: Floats) -> bool:
    """Whether prices between these two meet no level of the held position, and none that was met waits to fill."""
    lower, upper = nearest_levels(book[_LOTS], mark)
    return bool(bottom > lower and top < upper and book[_FIRED] == 0)


@inlined
def deepest_fall(ledger: Ints) -> float:
    """Return the deepest fall of the equity from its peak so far, as a fraction of the peak."""
    fall: float = (ledger[_DEEP_PEAK] - ledger[_DEEP_VALUE]) / ledger[_DEEP_PEAK]
    return fall
