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
from evenkeel.venues.simulated.book import Curve, Leg, Report


class Sum(IntEnum):
    """Places in the sums of a set; those from LEFT on are of the position that is held, of the last point from LAST on.

    SEEN counts the ends of sessions that were passed.
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
    LAST = 16
    LAST_LOTS = 17
    LAST_EXEC = 18


NO_POINT = -1
"""LAST_EXEC before the first point."""

_TRADES, _WINS, _NET, _GAINS, _LOSSES = int(Sum.TRADES), int(Sum.WINS), int(Sum.NET), int(Sum.GAINS), int(Sum.LOSSES)
_FEES, _FUNDING, _SLIPPAGE, _BARS = int(Sum.FEES), int(Sum.FUNDING), int(Sum.SLIPPAGE), int(Sum.BARS_HELD)
_POINTS, _HELD, _PEAK, _SEEN = int(Sum.POINTS), int(Sum.HELD), int(Sum.PEAK), int(Sum.SEEN)
_LEFT, _ENTRY_FEE, _CARRIED = int(Sum.LEFT), int(Sum.ENTRY_FEE), int(Sum.CARRIED)
_LAST, _LAST_LOTS, _LAST_EXEC = int(Sum.LAST), int(Sum.LAST_LOTS), int(Sum.LAST_EXEC)
_EQUITY, _LOTS_LINE = int(Curve.EQUITY), int(Curve.LOTS)
_R_LOTS, _R_LEG, _R_FEE, _R_GROSS = int(Report.LOTS), int(Report.LEG), int(Report.FEE), int(Report.GROSS)
_R_SLIPPAGE, _R_BARS = int(Report.SLIPPAGE), int(Report.BARS_HELD)
_ENTRY, _PAYMENT = int(Leg.ENTRY), int(Leg.FUNDING)
STRIDE = 32
"""Points that are passed at once where none of them is a new peak or a deeper fall."""

NEARLY = 1.0 - 1e-14
"""A fall of so much of the deepest one is looked at exactly; smaller ones cannot be deeper, whatever was rounded."""

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


ADD_SIGNATURE = types.void(TABLE, types.int64, types.int64, INTS_IN, INTS, TABLE, types.int64, INTS, FLOATS)
SHARE_SIGNATURE = types.int64(types.int64, types.int64, types.int64)


@kernel
def exact_share(amount: int, part: int, whole: int) -> int:
    """See `share_of`."""
    shared: int = share_of(amount, part, whole)
    return shared


@kernel
def add(
    curve: Ints, start: int, stop: int, ends: Ints, sessions: Ints, reports: Ints, count: int, sums: Ints,
    deepest: Floats,
) -> None:  # fmt: skip
    """Add a part of a run to its sums.

    The last point of the part waits until it is known to stay: the last point of a run gives way to the one after the
    last exit. The line of lots is cleared for the next set, because the loop writes it only where something is held.

    Args:
        curve: Lines by `Curve`.
        start: First execution bar of the part.
        stop: The bar after its last.
        ends: Execution bars that are the last of their session, rising.
        sessions: Equity at each of them; written for those in the part.
        reports: Lines by `Report`.
        count: How many there are.
        sums: Changed.
        deepest: Deepest fall from the peak over the points, as a fraction; changed.
    """
    for line in range(count):
        add_report(reports[line], sums)
    if start >= stop:
        return
    settle_last(sums, deepest)
    equity, lots = curve[_EQUITY], curve[_LOTS_LINE]
    peak, fall, held = sums[_PEAK], deepest[0], sums[_HELD]
    for first in range(start, stop - 1, STRIDE):
        last = min(first + STRIDE, stop - 1)
        top = low = equity[first]
        for e in range(first, last):
            top, low = max(top, equity[e]), min(low, equity[e])
            held += lots[e] != 0
        if top <= peak and peak > 0 and peak - low <= fall * peak * NEARLY:
            continue
        for e in range(first, last):
            value = equity[e]
            peak = max(peak, value)
            if peak > 0 and peak - value > fall * peak * NEARLY:
                fall = max(fall, (np.float64(peak) - value) / np.float64(peak))
    sums[_PEAK], sums[_HELD], deepest[0] = peak, held, fall
    sums[_POINTS] += stop - 1 - start
    sums[_LAST], sums[_LAST_LOTS], sums[_LAST_EXEC] = equity[stop - 1], lots[stop - 1], stop - 1
    lots[start:stop] = 0
    seen = sums[_SEEN]
    while seen < len(ends) and ends[seen] < stop:
        if ends[seen] >= start:
            sessions[seen] = equity[ends[seen]]
        seen += 1
    sums[_SEEN] = seen


@inlined
def add_report(report: Ints, sums: Ints) -> None:
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
        sums[_LEFT] += lots
        sums[_ENTRY_FEE] += report[_R_FEE]
        return
    fee, carried, left = sums[_ENTRY_FEE], sums[_CARRIED], abs(sums[_LEFT])
    if abs(lots) != left:
        fee, carried = share_of(fee, abs(lots), left), share_of(carried, abs(lots), left)
    sums[_LEFT] += lots
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
def settle_last(sums: Ints, deepest: Floats) -> None:
    """Count the point that has been waiting."""
    if sums[_LAST_EXEC] == NO_POINT:
        return
    value = sums[_LAST]
    sums[_PEAK] = max(sums[_PEAK], value)
    if sums[_PEAK] > 0:
        deepest[0] = max(deepest[0], (np.float64(sums[_PEAK]) - value) / np.float64(sums[_PEAK]))
    sums[_POINTS] += 1
    sums[_HELD] += sums[_LAST_LOTS] != 0
    sums[_LAST_EXEC] = NO_POINT


FINISH_SIGNATURE = types.void(types.int64, types.boolean, INTS, FLOATS)


@kernel
def finish(cash: int, replaces: bool, sums: Ints, deepest: Floats) -> None:
    """Count the point after the last exit, in place of the waiting one where both are of one instant."""
    if not replaces:
        settle_last(sums, deepest)
    sums[_LAST], sums[_LAST_LOTS], sums[_LAST_EXEC] = cash, 0, 0
    settle_last(sums, deepest)


def new_sums() -> Ints:
    """Return the sums of a run that has not begun."""
    sums = np.zeros(len(Sum), dtype=np.int64)
    sums[Sum.LAST_EXEC] = NO_POINT
    sums[Sum.PEAK] = -(1 << 62)
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
