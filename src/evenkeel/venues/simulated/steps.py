"""The steps of matching and settling, each one rule of the exchange, used by the one loop of both lanes.

Fill model `touch`: a bar's open, high, low and close are all that is known of it. A market order fills at the next base
open; a stop at the worse of its level and the open; a resting limit at its price once the range touches it, or at the
open where that is better. Whatever takes liquidity pays slippage, always adverse. When one bar reaches stop and target,
the stop counts. Source: plays.md 6.1 to 6.6, with its golden vectors 23 to 46 as tests.
"""

from __future__ import annotations

import math

import numpy as np

from evenkeel.kernel import inlined, kernel
from evenkeel.model.bar import Floats, Ints
from evenkeel.venues.simulated.book import Book, FillKind, Leg, Mark, Point, Price, Report, Term

CASH, LOTS, TRADE, REPORTS = int(Book.CASH), int(Book.LOTS), int(Book.TRADE), int(Book.REPORTS)
EXEC, ENTRY_KIND, ENTRY_LOTS, ENTRY_TIF = (
    int(Book.EXEC),
    int(Book.ENTRY_KIND),
    int(Book.ENTRY_LOTS),
    int(Book.ENTRY_TIF),
)
ENTRY_EXPIRES, ENTRY_LIVE = int(Book.ENTRY_EXPIRES), int(Book.ENTRY_LIVE)
ENTRY_SIGNAL, ENTRY_EXEC = int(Book.ENTRY_SIGNAL), int(Book.ENTRY_EXEC)
EXIT, EXIT_SIGNAL, EXIT_EXEC = int(Book.EXIT), int(Book.EXIT_SIGNAL), int(Book.EXIT_EXEC)
ENTERED, OPENED_EXEC = int(Book.ENTERED), int(Book.OPENED_EXEC)
ENTRY, STOP, TARGET, ENTRY_PRICE = int(Mark.ENTRY), int(Mark.STOP), int(Mark.TARGET), int(Mark.ENTRY_PRICE)
STOP_DISTANCE, TARGET_DISTANCE = int(Mark.STOP_DISTANCE), int(Mark.TARGET_DISTANCE)
HIGH, LOW, ARRIVAL = int(Mark.HIGH), int(Mark.LOW), int(Mark.ARRIVAL)
MULTIPLIER, TAKER, MAKER = int(Term.MULTIPLIER), int(Term.TAKER), int(Term.MAKER)
PER_CONTRACT, SLIPPAGE = int(Term.PER_CONTRACT), int(Term.SLIPPAGE)
TICK_N, TICK_D = int(Term.TICK_NUMERATOR), int(Term.TICK_DENOMINATOR)
LOT_N, LOT_D = int(Term.LOT_NUMERATOR), int(Term.LOT_DENOMINATOR)
_R_ROW, _R_POINT, _R_LOTS, _R_LEG = int(Report.ROW), int(Report.POINT), int(Report.LOTS), int(Report.LEG)
_R_KIND, _R_REASON, _R_TAKER, _R_FEE = int(Report.KIND), int(Report.REASON), int(Report.TAKER), int(Report.FEE)
_R_GROSS, _R_SLIPPAGE, _R_TRADE = int(Report.GROSS), int(Report.SLIPPAGE), int(Report.TRADE)
_R_SIGNAL, _R_EXEC, _R_BARS_HELD = int(Report.SIGNAL), int(Report.EXEC), int(Report.BARS_HELD)
_R_OPENED = int(Report.OPENED_EXEC)
_P_FILL, _P_STOP, _P_TARGET = int(Price.FILL), int(Price.STOP), int(Price.TARGET)
_P_ADVERSE, _P_FAVOURABLE = int(Price.ADVERSE), int(Price.FAVOURABLE)
_LEG_ENTRY, _LEG_STOP, _LEG_TARGET, _AT_OPEN = int(Leg.ENTRY), int(Leg.STOP), int(Leg.TARGET), int(Point.OPEN)
_KIND_MARKET, _KIND_LIMIT, _KIND_STOP, _KIND_TARGET = (int(kind) for kind in FillKind)
ON_GRID = 1e-12
"""A price so close to the grid, in ticks relative to their count, lies on it."""


@inlined
def posting(amount: float) -> int:
    """Return an amount of money as a count of 1e-8, half to even: the one rounding of every posting."""
    return int(np.rint(amount * 1e8))


@inlined
def quantity_of(lots: int, terms: Floats) -> float:
    """Return units of so many lots."""
    return lots * terms[LOT_N] / terms[LOT_D]


@inlined
def tick_down(price: float, terms: Floats) -> float:
    """Return the highest grid price not above `price`."""
    count = price * terms[TICK_D] / terms[TICK_N]
    near = np.rint(count)
    if abs(count - near) > ON_GRID * max(1.0, abs(count)):
        near = math.floor(count)
    return near * terms[TICK_N] / terms[TICK_D]


@inlined
def tick_up(price: float, terms: Floats) -> float:
    """Return the lowest grid price not below `price`."""
    return -tick_down(-price, terms)


@inlined
def slipped(price: float, direction: int, terms: Floats) -> float:
    """Return the price after adverse slippage of a buy (+1) or a sell (-1)."""
    return price + direction * price * terms[SLIPPAGE]


@inlined
def point_value(lots: int, terms: Floats) -> float:
    """Return what one point of price is worth to a position."""
    return quantity_of(lots, terms) * terms[MULTIPLIER]


@inlined
def unrealised(value: float, entry: float, price: float) -> int:
    """Return the open result of a position with that point value marked at `price`, as a count of 1e-8."""
    return posting(value * (price - entry))


@inlined
def fee_posting(lots: int, price: float, is_taker: int, terms: Floats) -> int:
    """Return the fee of a fill as a count of 1e-8."""
    quantity = abs(quantity_of(lots, terms))
    rate = terms[TAKER] if is_taker == 1 else terms[MAKER]
    return posting(quantity * price * terms[MULTIPLIER] * rate + quantity * terms[PER_CONTRACT])


@inlined
def settle_entry(
    book: Ints, mark: Floats, terms: Floats, ints: Ints, floats: Floats,
    row: int, point: int, price: float, raw: float, is_taker: int,
) -> None:  # fmt: skip
    """Open the position of the pending entry at `price`, anchor stop and target to it, and write the report.

    A level that the fill moves to zero or below can never be reached, so the position has none on that side.

    Args:
        raw: The price before slippage; the difference is the slippage memo.
    """
    lots = book[ENTRY_LOTS]
    direction = 1 if lots > 0 else -1
    fee = fee_posting(lots, price, is_taker, terms)
    book[CASH] -= fee
    book[LOTS] = lots
    book[TRADE] += 1
    book[OPENED_EXEC] = book[EXEC]
    mark[ENTRY], mark[ARRIVAL] = price, raw
    mark[HIGH] = mark[LOW] = price
    book[ENTERED] = 1 if point == _AT_OPEN else 2
    mark[STOP], mark[TARGET] = -direction * math.inf, direction * math.inf
    if mark[STOP_DISTANCE] == mark[STOP_DISTANCE]:
        level = price - direction * mark[STOP_DISTANCE]
        if level > 0.0:
            mark[STOP] = tick_up(level, terms) if direction > 0 else tick_down(level, terms)
    if mark[TARGET_DISTANCE] == mark[TARGET_DISTANCE]:
        level = price + direction * mark[TARGET_DISTANCE]
        if level > 0.0:
            mark[TARGET] = tick_down(level, terms) if direction > 0 else tick_up(level, terms)
    write_report(
        book, mark, ints, floats, row, point, lots, _LEG_ENTRY, book[ENTRY_KIND], 0, is_taker, fee, 0,
        slippage_memo(lots, price, raw, terms), book[ENTRY_SIGNAL], book[ENTRY_EXEC], price,
    )  # fmt: skip
    book[ENTRY_KIND] = 0


@inlined
def settle_exit(
    book: Ints, mark: Floats, terms: Floats, ints: Ints, floats: Floats,
    row: int, point: int, price: float, raw: float, leg: int, reason: int, is_taker: int,
) -> None:  # fmt: skip
    """Close the whole position at `price` and write the report."""
    lots = book[LOTS]
    entry = mark[ENTRY]
    fee = fee_posting(lots, price, is_taker, terms)
    gross = unrealised(point_value(lots, terms), entry, price)
    mark[HIGH] = max(mark[HIGH], price)
    mark[LOW] = min(mark[LOW], price)
    book[CASH] += gross - fee
    kind = _KIND_TARGET if leg == _LEG_TARGET else (_KIND_STOP if leg == _LEG_STOP else _KIND_MARKET)
    write_report(
        book, mark, ints, floats, row, point, -lots, leg, kind, reason, is_taker, fee, gross,
        slippage_memo(-lots, price, raw, terms), book[EXIT_SIGNAL], book[EXIT_EXEC], price,
    )  # fmt: skip
    book[LOTS] = 0
    book[EXIT] = 0


@inlined
def slippage_memo(lots: int, price: float, raw: float, terms: Floats) -> int:
    """Return what slippage cost in a fill, as a count of 1e-8; it is inside the price already."""
    return posting(point_value(lots, terms) * (price - raw))


@inlined
def write_report(
    book: Ints, mark: Floats, ints: Ints, floats: Floats, row: int, point: int, lots: int, leg: int, kind: int,
    reason: int, is_taker: int, fee: int, gross: int, slippage: int, signal: int, decided: int, price: float,
) -> None:  # fmt: skip
    """Append one report of a fill."""
    n = book[REPORTS]
    ints[n, _R_ROW], ints[n, _R_POINT], ints[n, _R_LOTS] = row, point, lots
    ints[n, _R_LEG], ints[n, _R_KIND], ints[n, _R_REASON] = leg, kind, reason
    ints[n, _R_TAKER], ints[n, _R_FEE], ints[n, _R_GROSS] = is_taker, fee, gross
    ints[n, _R_SLIPPAGE], ints[n, _R_TRADE], ints[n, _R_SIGNAL] = slippage, book[TRADE], signal
    ints[n, _R_EXEC], ints[n, _R_BARS_HELD] = decided, book[EXEC] - book[OPENED_EXEC]
    ints[n, _R_OPENED] = book[OPENED_EXEC]
    floats[n, _P_FILL], floats[n, _P_STOP], floats[n, _P_TARGET] = price, mark[STOP], mark[TARGET]
    entry = mark[ENTRY]
    if lots != 0 and leg != _LEG_ENTRY:
        up, down = mark[HIGH] / entry - 1.0, 1.0 - mark[LOW] / entry
        floats[n, _P_ADVERSE] = down if lots < 0 else up
        floats[n, _P_FAVOURABLE] = up if lots < 0 else down
    else:
        floats[n, _P_ADVERSE] = floats[n, _P_FAVOURABLE] = 0.0
    book[REPORTS] = n + 1


@inlined
def drop_entry(book: Ints, mark: Floats, ints: Ints, floats: Floats, row: int, reason: int) -> None:
    """Let the pending entry die and report why: 0 lots."""
    write_report(
        book, mark, ints, floats, row, _AT_OPEN, 0, _LEG_ENTRY, book[ENTRY_KIND], reason, 0, 0, 0, 0,
        book[ENTRY_SIGNAL], book[ENTRY_EXEC], math.nan,
    )  # fmt: skip
    book[ENTRY_KIND] = 0


@kernel
def place_entry(
    book: Ints, mark: Floats, terms: Floats, lots: int, kind: int, price: float, tif: int, expire_bars: int,
    stop_distance: float, target_distance: float, signal: int,
) -> None:  # fmt: skip
    """Accept an entry order with its protective distances; it can fill from the next base bar on.

    A limit price is moved to the grid away from the market (buy down, sell up), a stop trigger to the nearest tick.
    """
    book[ENTRY_KIND], book[ENTRY_LOTS], book[ENTRY_TIF] = kind, lots, tif
    book[ENTRY_EXPIRES] = book[EXEC] + expire_bars if expire_bars > 0 else -1
    book[ENTRY_LIVE], book[ENTRY_SIGNAL], book[ENTRY_EXEC] = 0, signal, book[EXEC]
    if kind == _KIND_LIMIT:
        price = tick_down(price, terms) if lots > 0 else tick_up(price, terms)
    elif kind == _KIND_STOP:
        price = np.rint(price * terms[TICK_D] / terms[TICK_N]) * terms[TICK_N] / terms[TICK_D]
    mark[ENTRY_PRICE] = price
    mark[STOP_DISTANCE], mark[TARGET_DISTANCE] = stop_distance, target_distance


@kernel
def place_exit(book: Ints, reason: int, signal: int) -> None:
    """Accept a market order that closes the position at the next base open."""
    book[EXIT], book[EXIT_SIGNAL], book[EXIT_EXEC] = reason, signal, book[EXEC]
