"""The sums of a run, added up as it goes: a sweep keeps no curve, no fill and no trade.

One kernel reads what the venue wrote during a block, the points of the curve and the reports, and adds them to the
sums of the set. Money is whole counts of 1e-8, so the order and the size of the blocks change nothing.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numba import types

from evenkeel.engine.metrics import Sums
from evenkeel.kernel import FLOATS, INTS, INTS_IN, TABLE, inlined, kernel
from evenkeel.model.bar import Floats, Ints
from evenkeel.venues.simulated.book import Leg, Point, Report


class Sum(IntEnum):
    """Places in the sums of a set; those from LEFT on are of the position that is held, of the last point from LAST on.

    HELD counts the points at which something is held, SEEN the ends of sessions that were passed. OPENED is the first
    execution bar at whose close the position is there; AT_EXIT is 1 where the last point is of the instant of an exit
    that came after it, and shows the position still.
    """

    TRADES = 0
    WINS = 1
    NET = 2
    GAINS = 3
    LOSSES = 4
    FEES = 5
    FUNDING = 6
    SLIPPAGE = 7
    BARS_HELD = 8
    POINTS = 9
    HELD = 10
    PEAK = 11
    SEEN = 12
    LEFT = 13
    ENTRY_FEE = 14
    CARRIED = 15
    OPENED = 16
    AT_EXIT = 17
    LAST = 18
    LAST_EXEC = 19


NO_POINT = -1
"""LAST_EXEC before the first point."""

_TRADES, _WINS, _NET, _GAINS, _LOSSES = int(Sum.TRADES), int(Sum.WINS), int(Sum.NET), int(Sum.GAINS), int(Sum.LOSSES)
_FEES, _FUNDING, _SLIPPAGE, _BARS = int(Sum.FEES), int(Sum.FUNDING), int(Sum.SLIPPAGE), int(Sum.BARS_HELD)
_POINTS, _HELD, _PEAK, _SEEN = int(Sum.POINTS), int(Sum.HELD), int(Sum.PEAK), int(Sum.SEEN)
_LEFT, _ENTRY_FEE, _CARRIED = int(Sum.LEFT), int(Sum.ENTRY_FEE), int(Sum.CARRIED)
_OPENED, _AT_EXIT, _LAST, _LAST_EXEC = int(Sum.OPENED), int(Sum.AT_EXIT), int(Sum.LAST), int(Sum.LAST_EXEC)
_R_ROW, _R_POINT, _AT_CLOSE = int(Report.ROW), int(Report.POINT), int(Point.CLOSE)
_R_LOTS, _R_LEG, _R_FEE, _R_GROSS = int(Report.LOTS), int(Report.LEG), int(Report.FEE), int(Report.GROSS)
_R_SLIPPAGE, _R_BARS = int(Report.SLIPPAGE), int(Report.BARS_HELD)
_ENTRY, _PAYMENT = int(Leg.ENTRY), int(Leg.FUNDING)
STRIDE = 32
"""Points that are passed at once where none of them is a new peak."""

_SQUARE_SAFE = 3_000_000_000
"""The product of two numbers below it fits into 64 bits."""


@inlined
def share_of(amount: int, part: int, whole: int) -> int:
    """Return `amount * part / whole` rounded half to even, exactly; `0 < part <= whole`."""
    size = abs(amount)
    quotient, rest = size // whole, size % whole
    if whole < _SQUARE_SAFE:
        more, left = rest * part // whole, rest * part % whole
    else:
        more, left = long_product(rest, part, whole)
    result = quotient * part + more
    if left > whole - left or (left == whole - left and result % 2 == 1):
        result += 1
    return result if amount >= 0 else -result


@inlined
def long_product(factor: int, part: int, whole: int) -> tuple[int, int]:
    """Return quotient and rest of `factor * part / whole` bit by bit, where the product has more than 64 bits."""
    quotient, rest = 0, 0
    for bit in range(62, -1, -1):
        quotient, rest = 2 * quotient, 2 * rest
        if rest >= whole:
            quotient, rest = quotient + 1, rest - whole
        if (part >> bit) & 1 == 1:
            rest += factor
            if rest >= whole:
                quotient, rest = quotient + 1, rest - whole
    return quotient, rest


ADD_SIGNATURE = types.void(
    INTS, types.int64, types.int64, INTS_IN, INTS_IN, INTS, TABLE, types.int64, INTS, FLOATS
)  # fmt: skip
SHARE_SIGNATURE = types.int64(types.int64, types.int64, types.int64)


@kernel
def exact_share(amount: int, part: int, whole: int) -> int:
    """See `share_of`."""
    shared: int = share_of(amount, part, whole)
    return shared


@kernel
def add(
    equity: Ints, start: int, stop: int, last_row: Ints, ends: Ints, sessions: Ints, reports: Ints, count: int,
    sums: Ints, deepest: Floats,
) -> None:  # fmt: skip
    """Add a part of a run to its sums.

    The last point of the part waits until it is known to stay: the last point of a run gives way to the one after the
    last exit.

    Args:
        equity: At the close of each execution bar, count of 1e-8.
        start: First execution bar of the part.
        stop: The bar after its last.
        last_row: Last base row of each execution bar.
        ends: Execution bars that are the last of their session, rising.
        sessions: Equity at each of them; written for those in the part.
        reports: Lines by `Report`.
        count: How many there are.
        sums: Changed.
        deepest: Deepest fall from the peak over the points, as a fraction; changed.
    """
    if start < stop:
        sums[_AT_EXIT] = 0
    for line in range(count):
        add_report(reports[line], last_row, sums)
    if start >= stop:
        return
    settle_last(sums, deepest)
    add_points(equity[start : stop - 1], sums, deepest)
    sums[_POINTS] += stop - 1 - start
    sums[_LAST], sums[_LAST_EXEC] = equity[stop - 1], stop - 1
    seen = sums[_SEEN]
    while seen < len(ends) and ends[seen] < stop:
        if ends[seen] >= start:
            sessions[seen] = equity[ends[seen]]
        seen += 1
    sums[_SEEN] = seen


@inlined
def add_points(equity: Ints, sums: Ints, deepest: Floats) -> None:
    """Add points of the curve to the peak and to the deepest fall from it.

    Where no point is a new peak the deepest fall is that to the lowest point, whatever is rounded: a difference from
    the same number and a quotient by it fall and rise with the point.
    """
    count = len(equity)
    if count == 0:
        return
    peak, fall = sums[_PEAK], deepest[0]
    top, low = bounds(equity)
    if top <= peak and peak > 0:
        deepest[0] = max(fall, (np.float64(peak) - low) / np.float64(peak))
        return
    for first in range(0, count, STRIDE):
        part = equity[first : min(first + STRIDE, count)]
        top, low = bounds(part)
        if top <= peak and peak > 0:
            fall = max(fall, (np.float64(peak) - low) / np.float64(peak))
            continue
        for e in range(len(part)):
            value = part[e]
            peak = max(peak, value)
            if peak > value and peak > 0:
                fall = max(fall, (np.float64(peak) - value) / np.float64(peak))
    sums[_PEAK], deepest[0] = peak, fall


@inlined
def bounds(values: Ints) -> tuple[int, int]:
    """Return the highest and the lowest of at least one number."""
    top = low = values[0]
    for i in range(len(values)):
        top, low = max(top, values[i]), min(low, values[i])
    return top, low


@inlined
def close_of(row: int, last_row: Ints, near: int) -> int:
    """Return the first execution bar that does not close before a base row, searched for from one that it may be."""
    low, step = near, 1
    if low > 0 and last_row[low - 1] >= row:
        low = 0
    high = low
    while high < len(last_row) and last_row[high] < row:
        low, high, step = high + 1, high + step, 2 * step
    high = min(high, len(last_row))
    while low < high:
        middle = (low + high) // 2
        if last_row[middle] < row:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def add_report(report: Ints, last_row: Ints, sums: Ints) -> None:
    """Add a fill or a payment; shares of entry fee and payments are split among legs as a trade splits them."""
    lots = report[_R_LOTS]
    if report[_R_LEG] == _PAYMENT:
        sums[_FUNDING] += report[_R_GROSS]
        sums[_CARRIED] += report[_R_GROSS]
        return
    if lots == 0:
        return
    sums[_FEES] += report[_R_FEE]
    sums[_SLIPPAGE] += report[_R_SLIPPAGE]
    if report[_R_LEG] == _ENTRY:
        if sums[_LEFT] == 0:
            sums[_ENTRY_FEE] = sums[_CARRIED] = 0
            sums[_OPENED] = close_of(report[_R_ROW], last_row, sums[_OPENED])
        sums[_LEFT] += lots
        sums[_ENTRY_FEE] += report[_R_FEE]
        return
    fee, carried, left = sums[_ENTRY_FEE], sums[_CARRIED], abs(sums[_LEFT])
    if abs(lots) != left:
        fee, carried = share_of(fee, abs(lots), left), share_of(carried, abs(lots), left)
    sums[_LEFT] += lots
    if sums[_LEFT] == 0:
        end_position(report, last_row, sums)
    sums[_ENTRY_FEE] -= fee
    sums[_CARRIED] -= carried
    net = report[_R_GROSS] - fee - report[_R_FEE] + carried
    sums[_TRADES] += 1
    sums[_NET] += net
    sums[_BARS] += report[_R_BARS]
    if net > 0:
        sums[_WINS] += 1
        sums[_GAINS] += net
    else:
        sums[_LOSSES] -= net


@inlined
def end_position(report: Ints, last_row: Ints, sums: Ints) -> None:
    """Count the points at which the position was held that this exit ends.

    An exit at the close of a base row comes after the point of that instant.
    """
    row, opened = report[_R_ROW], sums[_OPENED]
    after = close_of(row, last_row, opened)
    if report[_R_POINT] == _AT_CLOSE and after < len(last_row) and last_row[after] == row:
        after += 1
        sums[_AT_EXIT] = 1
    sums[_HELD] += after - opened
    sums[_OPENED] = after


@inlined
def settle_last(sums: Ints, deepest: Floats) -> None:
    """Count the point that has been waiting."""
    if sums[_LAST_EXEC] == NO_POINT:
        return
    value = sums[_LAST]
    sums[_PEAK] = max(sums[_PEAK], value)
    if sums[_PEAK] > 0:
        deepest[0] = max(deepest[0], (np.float64(sums[_PEAK]) - value) / np.float64(sums[_PEAK]))
    sums[_POINTS] += 1
    sums[_LAST_EXEC] = NO_POINT


FINISH_SIGNATURE = types.void(types.int64, types.boolean, INTS, FLOATS)


@kernel
def finish(cash: int, replaces: bool, sums: Ints, deepest: Floats) -> None:
    """Count the point after the last exit, in place of the waiting one where both are of one instant."""
    if not replaces:
        settle_last(sums, deepest)
    else:
        sums[_HELD] -= sums[_AT_EXIT]
    sums[_LAST], sums[_LAST_EXEC] = cash, 0
    settle_last(sums, deepest)


def new_sums(sets: int) -> Ints:
    """Return the sums of runs that have not begun, a line each."""
    sums = np.zeros((sets, len(Sum)), dtype=np.int64)
    sums[:, Sum.LAST_EXEC] = NO_POINT
    sums[:, Sum.PEAK] = -(1 << 62)
    return sums


def as_sums(sums: Ints, *, deepest: float, deepest_intrabar: float, end: int, duration_ns: int) -> Sums:
    """Return the sums of a finished run as the figures take them."""
    return Sums(
        trades=int(sums[Sum.TRADES]), wins=int(sums[Sum.WINS]), net=int(sums[Sum.NET]), gains=int(sums[Sum.GAINS]),
        losses=int(sums[Sum.LOSSES]), fees=int(sums[Sum.FEES]), funding=int(sums[Sum.FUNDING]),
        slippage=int(sums[Sum.SLIPPAGE]), bars_held=int(sums[Sum.BARS_HELD]), points=int(sums[Sum.POINTS]),
        held=int(sums[Sum.HELD]), end=end, deepest=deepest, deepest_intrabar=deepest_intrabar,
        duration_ns=duration_ns,
    )  # fmt: skip
