"""The steps of matching and settling, each one rule of the exchange, used by the one loop of both lanes.

Fill model `touch`: a bar's open, high, low and close are all that is known of it. A market order fills at the next base
open; a stop at the worse of its level and the open; a resting limit at its price once the range touches it, or at the
open where that is better. Whatever takes liquidity pays slippage, always adverse. When one bar reaches stop and target,
the stop counts. A position is closed in one leg or several; what is left keeps its stop. Source: plays.md 6.1 to 6.10,
with its golden vectors 23 to 47 as tests.
"""

from __future__ import annotations

import math

import numpy as np

from evenkeel.kernel import inlined, kernel
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.reason import Reason, reason_number
from evenkeel.risk.liquidation import bankruptcy_price, liquidation_price
from evenkeel.risk.protection import (
    TRAILED,
    UNMOVED,
    grid_down,
    grid_towards_entry,
    lay_ladder,
    moved_stop,
    profit_of,
    stop_at,
    target_at,
)
from evenkeel.risk.sizing import SNAP, required_margin
from evenkeel.risk.tiers import margin_rates
from evenkeel.venues.simulated.account import note_day_trade, note_sale
from evenkeel.venues.simulated.book import (
    TERMS,
    Book,
    Exit,
    FillKind,
    Fired,
    ImpactMode,
    Ledger,
    Leg,
    Mark,
    Point,
    Price,
    Queue,
    Report,
    Stage,
    Term,
)

CASH, REPORTS, STOPPED, USED = int(Ledger.CASH), int(Ledger.REPORTS), int(Ledger.STOPPED), int(Ledger.USED)
GROSS, FEES, FUNDED = int(Ledger.GROSS), int(Ledger.FEES), int(Ledger.FUNDED)
ROW, STAGE, ENTRY_FROM, EXIT_FROM = int(Book.ROW), int(Book.STAGE), int(Book.ENTRY_FROM), int(Book.EXIT_FROM)
FIRED, FILLED, BUDGET, BUDGET_ROW = int(Book.FIRED), int(Book.FILLED), int(Book.BUDGET), int(Book.BUDGET_ROW)
ENTRY_TRIGGER, TARGET_AHEAD, TARGET_QUEUE = int(Mark.ENTRY_TRIGGER), int(Mark.TARGET_AHEAD), int(Mark.TARGET_QUEUE)
LATENCY, QUEUE_SHARE, TIERS = int(Term.LATENCY), int(Term.QUEUE_SHARE), int(Term.TIERS)
QUEUE, _VOLUME_AHEAD = int(Term.QUEUE), int(Queue.VOLUME_AHEAD)
VOLUME_FRACTION = int(Term.VOLUME_FRACTION)
LOTS, TRADE, MARGIN, NUMBER = int(Book.LOTS), int(Book.TRADE), int(Book.MARGIN), int(Book.NUMBER)
DAY, OPENED_DAY = int(Book.DAY), int(Book.OPENED_DAY)
RESERVE, PER_LOT, FIRED_STEPS = int(Book.RESERVE), int(Mark.PER_LOT), int(Book.FIRED_STEPS)
EXEC, ENTRY_KIND, ENTRY_LOTS, ENTRY_TIF = (
    int(Book.EXEC),
    int(Book.ENTRY_KIND),
    int(Book.ENTRY_LOTS),
    int(Book.ENTRY_TIF),
)
ENTRY_EXPIRES, ENTRY_LIVE = int(Book.ENTRY_EXPIRES), int(Book.ENTRY_LIVE)
ENTRY_SIGNAL, ENTRY_EXEC = int(Book.ENTRY_SIGNAL), int(Book.ENTRY_EXEC)
EXIT, EXIT_SIGNAL, EXIT_EXEC = int(Book.EXIT), int(Book.EXIT_SIGNAL), int(Book.EXIT_EXEC)
GOES_ON = int(Term.GOES_ON)
ENTERED, OPENED_EXEC = int(Book.ENTERED), int(Book.OPENED_EXEC)
EXIT_LOTS, STOP_KIND = int(Book.EXIT_LOTS), int(Book.STOP_KIND)
TRAIL_ARMED, BROKE_EVEN = int(Book.TRAIL_ARMED), int(Book.BROKE_EVEN)
STEP, STEP_LOTS, EXTRA = int(Book.STEP), int(Book.STEP_LOTS), int(Book.EXTRA)
ENTRY, STOP, TARGET, ENTRY_PRICE = int(Mark.ENTRY), int(Mark.STOP), int(Mark.TARGET), int(Mark.ENTRY_PRICE)
STOP_DISTANCE, TARGET_DISTANCE = int(Mark.STOP_DISTANCE), int(Mark.TARGET_DISTANCE)
HIGH, LOW, ARRIVAL = int(Mark.HIGH), int(Mark.LOW), int(Mark.ARRIVAL)
REFERENCE, TRAIL_DISTANCE = int(Mark.REFERENCE), int(Mark.TRAIL_DISTANCE)
LIQUIDATION, BANKRUPTCY, LADDER = int(Mark.LIQUIDATION), int(Mark.BANKRUPTCY), int(Mark.LADDER)
MULTIPLIER, TAKER, MAKER = int(Term.MULTIPLIER), int(Term.TAKER), int(Term.MAKER)
PER_CONTRACT, SLIPPAGE = int(Term.PER_CONTRACT), int(Term.SLIPPAGE)
TICK_N, TICK_D = int(Term.TICK_NUMERATOR), int(Term.TICK_DENOMINATOR)
LOT_N, LOT_D = int(Term.LOT_NUMERATOR), int(Term.LOT_DENOMINATOR)
LIQUIDATES, LEVERAGE = int(Term.LIQUIDATES), int(Term.LEVERAGE)
MAINTENANCE, DEDUCTION, LIQUIDATION_FEE = int(Term.MAINTENANCE), int(Term.DEDUCTION), int(Term.LIQUIDATION_FEE)
TRAIL_FRACTION, TRAIL_ACTIVATION = int(Term.TRAIL_FRACTION), int(Term.TRAIL_ACTIVATION)
EVEN_ACTIVATION, EVEN_OFFSET = int(Term.EVEN_ACTIVATION), int(Term.EVEN_OFFSET)
IMPACT_MODE, IMPACT_COEFFICIENT = int(Term.IMPACT_MODE), int(Term.IMPACT_COEFFICIENT)
IMPACT_MAX = int(Term.IMPACT_MAX)
CONTRACT, CALLS, CALL_CONTRACT = int(Term.CONTRACT), int(Term.CALLS), int(Term.CALL_CONTRACT)
SETTLES, DAY_TRADES, QUOTED = int(Term.SETTLES), int(Term.DAY_TRADES), int(Term.QUOTED)
CALL_LONG, CALL_SHORT = int(Term.CALL_LONG), int(Term.CALL_SHORT)
LADDER_STEPS, LADDER_TERMS = int(Term.LADDER_STEPS), int(Term.LADDER)
_BY_STOP, _BY_TRAILING, _BY_EVEN = int(Exit.STOP_LOSS), int(Exit.TRAILING), int(Exit.BREAKEVEN)
_BY_LIQUIDATION = int(Exit.LIQUIDATION)
_NO_IMPACT, _LINEAR = int(ImpactMode.DISABLED), int(ImpactMode.LINEAR)
_R_ROW, _R_POINT, _R_LOTS, _R_LEG = int(Report.ROW), int(Report.POINT), int(Report.LOTS), int(Report.LEG)
_R_KIND, _R_REASON, _R_TAKER, _R_FEE = int(Report.KIND), int(Report.REASON), int(Report.TAKER), int(Report.FEE)
_R_GROSS, _R_SLIPPAGE, _R_TRADE = int(Report.GROSS), int(Report.SLIPPAGE), int(Report.TRADE)
_R_SIGNAL, _R_EXEC, _R_BARS_HELD = int(Report.SIGNAL), int(Report.EXEC), int(Report.BARS_HELD)
_R_OPENED, _R_INSTRUMENT, _R_LEFT = int(Report.OPENED_EXEC), int(Report.INSTRUMENT), int(Report.LEFT)
_P_FILL, _P_STOP, _P_TARGET = int(Price.FILL), int(Price.STOP), int(Price.TARGET)
_P_ADVERSE, _P_FAVOURABLE, _P_ENTRY = int(Price.ADVERSE), int(Price.FAVOURABLE), int(Price.ENTRY)
_LEG_ENTRY, _LEG_STOP, _LEG_TARGET, _AT_OPEN = int(Leg.ENTRY), int(Leg.STOP), int(Leg.TARGET), int(Point.OPEN)
_LEG_FUNDING = int(Leg.FUNDING)
_KIND_MARKET, _KIND_LIMIT, _KIND_STOP, _KIND_TARGET, _KIND_STOP_LIMIT, _ = (int(kind) for kind in FillKind)
_STOP_FIRED, _TARGET_FIRED = int(Fired.STOP), int(Fired.TARGET)
_SCAN = int(Stage.SCAN)
_CANCELLED = reason_number(Reason.CANCELLED)


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
    return grid_down(price, terms[TICK_N], terms[TICK_D])


@inlined
def tick_up(price: float, terms: Floats) -> float:
    """Return the lowest grid price not below `price`."""
    return -tick_down(-price, terms)


@inlined
def nothing_trades(volume: float, terms: Floats) -> bool:
    """Whether a bar is one of no trade: where size matters, it fills nothing and sets nothing off."""
    return volume <= 0.0 and (terms[IMPACT_MODE] != _NO_IMPACT or terms[VOLUME_FRACTION] != 0.0)


@inlined
def without_quote(volume: float, terms: Floats) -> bool:
    """Whether base bars are quotes and none came in this one, only a trade: it sets off, and fills nothing."""
    return volume <= 0.0 and terms[QUOTED] != 0.0


@inlined
def weighs_volume(terms: Floats) -> bool:
    """Whether anything depends on what a bar traded; elsewhere nobody needs to know it."""
    sizes = terms[IMPACT_MODE] != _NO_IMPACT or terms[VOLUME_FRACTION] != 0.0
    return bool(sizes or terms[QUOTED] != 0.0 or terms[QUEUE] == _VOLUME_AHEAD)


@inlined
def available(row: int, volume: float, wanted: int, book: Ints, terms: Floats) -> int:
    """Return how many of the wanted lots the bar can still fill, both unsigned.

    Where only a part of the volume fills, all orders of the bar share it (decision 0008.2). What a trade sets off
    meets the next quote: the one before it may be gone (decision 0016.12).
    """
    if without_quote(volume, terms):
        return 0
    fraction = terms[VOLUME_FRACTION]
    if fraction == 0.0:
        return wanted
    if book[BUDGET_ROW] != row:
        book[BUDGET_ROW] = row
        book[BUDGET] = math.floor(volume * fraction * terms[LOT_D] / terms[LOT_N] * SNAP)
    return max(0, min(wanted, book[BUDGET]))


@inlined
def slipped(price: float, direction: int, lots: int, volume: float, close: float, terms: Floats) -> float:
    """Return the price of a buy (+1) or a sell (-1) after slippage and impact, both against us.

    Impact follows from the participation, the fill's notional over what the bar traded: in proportion, or by its square
    root, at most the largest impact (plays.md 6.9). A close in a bar where nothing was traded is all that was.
    """
    slip = terms[SLIPPAGE]
    mode = terms[IMPACT_MODE]
    if mode != _NO_IMPACT:
        share = abs(quantity_of(lots, terms)) * price / (volume * close) if volume > 0.0 else 1.0
        slip += min(terms[IMPACT_MAX], terms[IMPACT_COEFFICIENT] * (share if mode == _LINEAR else math.sqrt(share)))
    return price + direction * price * slip


@inlined
def point_value(lots: int, terms: Floats) -> float:
    """Return what one point of price is worth to a position."""
    return quantity_of(lots, terms) * terms[MULTIPLIER]


@inlined
def unrealised(value: float, entry: float, price: float) -> int:
    """Return the open result of a position with that point value marked at `price`, as a count of 1e-8."""
    return posting(value * (price - entry))


@inlined
def fee_posting(lots: int, price: float, rate: float, terms: Floats) -> int:
    """Return the fee of a fill at a rate of its notional as a count of 1e-8."""
    quantity = abs(quantity_of(lots, terms))
    return posting(quantity * price * terms[MULTIPLIER] * rate + quantity * terms[PER_CONTRACT])


@inlined
def settle_entry(
    book: Ints, mark: Floats, ledger: Ints, terms: Floats, ints: Ints, floats: Floats,
    row: int, point: int, price: float, raw: float, is_taker: int, filled: int, volume: float,
) -> None:  # fmt: skip
    """Open the position of the pending entry at `price`, or add a piece of it, and write the report.

    Args:
        raw: The market's price before spread and slippage; the difference is the slippage memo of what takes.
        filled: Lots of this piece, unsigned.
        volume: Of the bar.
    """
    direction = 1 if book[ENTRY_LOTS] > 0 else -1
    lots = direction * filled
    fee = fee_posting(lots, price, terms[TAKER] if is_taker == 1 else terms[MAKER], terms)
    ledger[CASH] -= fee
    kind = book[ENTRY_KIND]
    if book[LOTS] == 0:
        open_position(book, mark, point, price, raw, direction)
    else:
        add_to_position(book, mark, point, price, raw, lots)
    book[LOTS] += lots
    book[ENTRY_LOTS] -= lots
    book[BUDGET] -= filled
    if book[ENTRY_LOTS] == 0:
        book[ENTRY_KIND] = 0
    mark[TARGET_AHEAD] = mark[TARGET_QUEUE] = volume * terms[QUEUE_SHARE]
    anchor(book, mark, terms, direction)
    margin_levels(book, mark, ledger, terms)
    memo = slippage_memo(lots, price, raw, terms) if is_taker == 1 else 0
    write_report(
        book, mark, ledger, ints, floats, row, point, lots, _LEG_ENTRY, kind, 0, is_taker, fee, 0,
        memo, book[ENTRY_SIGNAL], book[ENTRY_EXEC], price, abs(book[ENTRY_LOTS]),
    )  # fmt: skip


@inlined
def open_position(book: Ints, mark: Floats, point: int, price: float, raw: float, direction: int) -> None:
    """Begin a position with the first piece of its entry."""
    book[TRADE] += 1
    book[OPENED_EXEC], book[OPENED_DAY] = book[EXEC], book[DAY]
    mark[ENTRY], mark[ARRIVAL] = price, raw
    mark[HIGH] = mark[LOW] = price
    book[ENTERED] = 1 if point == _AT_OPEN else 2
    book[STOP_KIND], book[TRAIL_ARMED], book[BROKE_EVEN], book[EXTRA] = _BY_STOP, 0, 0, 0
    book[FIRED] = book[FIRED_STEPS] = book[STEP] = 0
    mark[STOP] = -direction * math.inf


@inlined
def add_to_position(book: Ints, mark: Floats, point: int, price: float, raw: float, lots: int) -> None:
    """Take another piece of the entry into the average price; inside a bar the whole position is as if it came then."""
    held = book[LOTS]
    mark[ENTRY] = (held * mark[ENTRY] + lots * price) / (held + lots)
    mark[ARRIVAL] = raw
    mark[HIGH], mark[LOW] = max(mark[HIGH], price), min(mark[LOW], price)
    if point != _AT_OPEN and book[ENTERED] == 0:
        book[ENTERED] = 3


@inlined
def anchor(book: Ints, mark: Floats, terms: Floats, direction: int) -> None:
    """Set stop and targets at their distances from the entry price; a stop that has moved only tightens.

    A level that the fill moves to zero or below can never be reached, so the position has none on that side.
    """
    price = mark[ENTRY]
    level = stop_at(price, direction, mark[STOP_DISTANCE], terms[TICK_N], terms[TICK_D])
    if book[STOP_KIND] == _BY_STOP or direction * (level - mark[STOP]) > 0.0:
        mark[STOP], book[STOP_KIND] = level, _BY_STOP
    mark[TARGET] = direction * math.inf
    if terms[LADDER_STEPS] > 0.0:
        raise_ladder(book, mark, terms, price, direction)
    elif mark[TARGET_DISTANCE] == mark[TARGET_DISTANCE]:
        mark[TARGET] = target_level(price, direction, mark[TARGET_DISTANCE], terms)


@inlined
def towards_entry(level: float, direction: int, terms: Floats) -> float:
    """Return a stop level on the grid, rounded so that risk never grows: up for a long, down for a short."""
    return grid_towards_entry(level, direction, terms[TICK_N], terms[TICK_D])


@inlined
def target_level(price: float, direction: int, distance: float, terms: Floats) -> float:
    """Return the level of a target so far from a fill, rounded towards it; an infinity where it cannot be reached."""
    return target_at(price, direction, distance, terms[TICK_N], terms[TICK_D])


@inlined
def raise_ladder(book: Ints, mark: Floats, terms: Floats, price: float, direction: int) -> None:
    """Set levels and lots of the ladder's steps, nearest first; the last step takes what rounding left."""
    lay_ladder(
        mark, LADDER, book, STEP_LOTS, terms, LADDER_TERMS, int(terms[LADDER_STEPS]), abs(book[LOTS]),
        price, direction, mark[STOP_DISTANCE], mark[REFERENCE], terms[TICK_N], terms[TICK_D],
    )  # fmt: skip
    book[STEP] = -1
    next_step(book, mark, terms)


@inlined
def next_step(book: Ints, mark: Floats, terms: Floats) -> None:
    """Make the next step of the ladder that closes anything the target in force."""
    step = book[STEP] + 1
    while step < terms[LADDER_STEPS] and book[STEP_LOTS + step] == 0:
        step += 1
    book[STEP] = step
    mark[TARGET_AHEAD] = mark[TARGET_QUEUE]
    none = math.inf if book[LOTS] > 0 else -math.inf
    mark[TARGET] = mark[LADDER + step] if step < terms[LADDER_STEPS] else none


@inlined
def hold_margin(book: Ints, ledger: Ints, amount: int) -> None:
    """Let the position, or the entry at work, take so much of the account's money; what is left is free for others."""
    ledger[USED] += amount - book[MARGIN]
    book[MARGIN] = amount


@inlined
def margin_levels(book: Ints, mark: Floats, ledger: Ints, terms: Floats) -> None:
    """Hold the margin of the position, and set where it is liquidated and where that margin is gone."""
    direction = 1 if book[LOTS] > 0 else -1
    initial = abs(point_value(book[LOTS], terms)) * mark[ENTRY] / terms[LEVERAGE]
    initial = max(initial, abs(quantity_of(book[LOTS], terms)) * terms[CONTRACT])
    book[RESERVE] = posting(abs(book[ENTRY_LOTS]) * mark[PER_LOT]) if book[ENTRY_KIND] != 0 else 0
    hold_margin(book, ledger, posting(initial) + book[EXTRA] + book[RESERVE])
    if terms[LIQUIDATES] == 0.0:
        mark[LIQUIDATION] = mark[BANKRUPTCY] = -direction * math.inf
        return
    quantity = abs(point_value(book[LOTS], terms))
    extra = book[EXTRA] / 1e8
    maintenance, deduction = margin_rates(
        terms, TERMS, int(terms[TIERS]), quantity * mark[ENTRY], terms[MAINTENANCE], terms[DEDUCTION]
    )
    mark[LIQUIDATION] = liquidation_price(
        direction, quantity, mark[ENTRY], terms[LEVERAGE], maintenance + terms[TAKER], deduction, extra
    )
    mark[BANKRUPTCY] = bankruptcy_price(
        direction, quantity, mark[ENTRY], terms[LEVERAGE], terms[LIQUIDATION_FEE], extra
    )


@inlined
def maintenance(lots: int, close: float, terms: Floats) -> float:
    """Return the equity below which the broker closes a position of so many lots at that price, as a count of 1e-8."""
    rate = terms[CALL_LONG] if lots > 0 else terms[CALL_SHORT]
    money = abs(quantity_of(lots, terms)) * terms[CALL_CONTRACT] + abs(point_value(lots, terms)) * close * rate
    return money * 1e8


@inlined
def exit_lots(book: Ints, leg: int, reason: int, terms: Floats) -> int:
    """Return how many lots an exit closes, unsigned: never more than are held."""
    held = abs(book[LOTS])
    if leg == _LEG_TARGET and terms[LADDER_STEPS] > 0.0:
        return min(held, book[STEP_LOTS + book[STEP]])
    if leg != _LEG_STOP and leg != _LEG_TARGET and reason == book[EXIT]:
        return min(held, book[EXIT_LOTS])
    return held


@inlined
def settle_exit(
    book: Ints, mark: Floats, ledger: Ints, terms: Floats, ints: Ints, floats: Floats, row: int, point: int,
    price: float, raw: float, leg: int, reason: int, is_taker: int, closed: int,
) -> None:  # fmt: skip
    """Close so many lots of the position, unsigned, at `price`, and write the report.

    A liquidation costs its rate and nothing per contract: loss and fee are the margin. Whatever closes a part of the
    position withdraws what is left of its entry.
    """
    held = book[LOTS]
    lots = closed if held > 0 else -closed
    fee = fee_posting(lots, price, terms[TAKER] if is_taker == 1 else terms[MAKER], terms)
    if reason == _BY_LIQUIDATION:
        fee = posting(abs(point_value(lots, terms)) * price * terms[LIQUIDATION_FEE])
    gross = unrealised(point_value(lots, terms), mark[ENTRY], price)
    mark[HIGH] = max(mark[HIGH], price)
    mark[LOW] = min(mark[LOW], price)
    ledger[CASH] += gross - fee
    if terms[SETTLES] == 1.0:
        note_sale(book, ledger, posting(abs(point_value(lots, terms)) * price) - fee)
    if terms[DAY_TRADES] == 1.0:
        note_day_trade(book, ledger)
    left = 0
    if leg != _LEG_STOP and leg != _LEG_TARGET:
        left = 0 if reason == _BY_LIQUIDATION else max(0, min(book[EXIT_LOTS], abs(held)) - closed)
        book[EXIT_LOTS] = left
    kind = _KIND_TARGET if leg == _LEG_TARGET else (_KIND_STOP if leg == _LEG_STOP else _KIND_MARKET)
    write_report(
        book, mark, ledger, ints, floats, row, point, -lots, leg, kind, reason, is_taker, fee, gross,
        slippage_memo(-lots, price, raw, terms), book[EXIT_SIGNAL], book[EXIT_EXEC], price, left,
    )  # fmt: skip
    book[LOTS] = held - lots
    book[BUDGET] -= closed
    if book[ENTRY_KIND] != 0:
        drop_entry(book, mark, ledger, ints, floats, row, point, _CANCELLED)
    if reason == _BY_LIQUIDATION and terms[GOES_ON] == 0.0 and ledger[STOPPED] == 0:
        ledger[STOPPED] = _BY_LIQUIDATION
    if book[LOTS] == 0:
        book[EXIT] = book[EXIT_LOTS] = book[FIRED] = book[EXTRA] = 0
        hold_margin(book, ledger, 0)
        return
    book[EXIT_LOTS] = min(book[EXIT_LOTS], abs(book[LOTS]))
    if book[EXIT_LOTS] == 0:
        book[EXIT] = 0
    book[EXTRA] = int(np.rint(book[EXTRA] * (book[LOTS] / held)))
    if leg == _LEG_TARGET and terms[LADDER_STEPS] > 0.0:
        book[STEP_LOTS + book[STEP]] -= closed
        if book[STEP_LOTS + book[STEP]] <= 0:
            next_step(book, mark, terms)
            if book[STEP] >= book[FIRED_STEPS]:
                book[FIRED] &= ~_TARGET_FIRED
    margin_levels(book, mark, ledger, terms)


@inlined
def move_stop(close: float, book: Ints, mark: Floats, terms: Floats) -> None:
    """Trail the stop by a base close, then bring it to break-even, from the next bar on; one that fired stays."""
    direction = 1 if book[LOTS] > 0 else -1
    level, by, book[TRAIL_ARMED], book[BROKE_EVEN] = moved_stop(
        close, direction, mark[ENTRY], mark[STOP], book[TRAIL_ARMED], book[BROKE_EVEN], mark[TRAIL_DISTANCE],
        terms[TRAIL_FRACTION], terms[TRAIL_ACTIVATION], terms[EVEN_ACTIVATION], terms[EVEN_OFFSET],
        terms[TICK_N], terms[TICK_D],
    )  # fmt: skip
    if by != UNMOVED and book[FIRED] & _STOP_FIRED == 0:
        mark[STOP], book[STOP_KIND] = level, _BY_TRAILING if by == TRAILED else _BY_EVEN


@inlined
def moves_at(close: float, book: Ints, mark: Floats, terms: Floats) -> bool:
    """Whether this base close is one by which the stop trails, or goes to break-even."""
    profit = profit_of(close, 1 if book[LOTS] > 0 else -1, mark[ENTRY])
    even = book[BROKE_EVEN] == 0 and profit >= terms[EVEN_ACTIVATION]
    return bool(book[TRAIL_ARMED] == 1 or even or profit >= terms[TRAIL_ACTIVATION])


@inlined
def settle_funding(
    book: Ints, mark: Floats, ledger: Ints, terms: Floats, ints: Ints, floats: Floats, row: int, price: float,
    rate: float,
) -> None:  # fmt: skip
    """Pay or receive funding on the position at a base open, and write the report.

    It comes from free cash first; what that lacks, never more than is paid, is taken from the margin, which brings
    liquidation nearer.
    """
    amount = -posting(point_value(book[LOTS], terms) * price * rate)
    ledger[CASH] += amount
    ledger[FUNDED] += amount
    write_report(
        book, mark, ledger, ints, floats, row, _AT_OPEN, 0, _LEG_FUNDING, _KIND_MARKET, 0, 0, 0, amount, 0, -1,
        book[EXEC], price, 0,
    )  # fmt: skip
    short = max(amount, ledger[CASH] - ledger[USED] + book[RESERVE])
    if terms[LIQUIDATES] == 1.0 and amount < 0 and short < 0:
        book[EXTRA] += short
        margin_levels(book, mark, ledger, terms)


@inlined
def slippage_memo(lots: int, price: float, raw: float, terms: Floats) -> int:
    """Return what slippage cost in a fill, as a count of 1e-8; it is inside the price already."""
    return posting(point_value(lots, terms) * (price - raw))


@inlined
def write_report(
    book: Ints, mark: Floats, ledger: Ints, ints: Ints, floats: Floats,
    row: int, point: int, lots: int, leg: int, kind: int, reason: int, is_taker: int,
    fee: int, gross: int, slippage: int, signal: int, decided: int, price: float, left: int,
) -> None:  # fmt: skip
    """Append one report, and count a fill a second time beside the books, for who checks them."""
    n = ledger[REPORTS]
    ints[n, _R_ROW], ints[n, _R_POINT], ints[n, _R_LOTS] = row, point, lots
    ints[n, _R_LEG], ints[n, _R_KIND], ints[n, _R_REASON] = leg, kind, reason
    ints[n, _R_TAKER], ints[n, _R_FEE], ints[n, _R_GROSS] = is_taker, fee, gross
    ints[n, _R_SLIPPAGE], ints[n, _R_TRADE], ints[n, _R_SIGNAL] = slippage, book[TRADE], signal
    ints[n, _R_EXEC] = decided
    ints[n, _R_BARS_HELD] = 0 if leg == _LEG_ENTRY else book[EXEC] - book[OPENED_EXEC]
    ints[n, _R_OPENED], ints[n, _R_INSTRUMENT] = book[OPENED_EXEC], book[NUMBER]
    ints[n, _R_LEFT] = left
    if leg != _LEG_FUNDING:
        ledger[GROSS] += gross
        ledger[FEES] += fee
        book[FILLED] += lots
    floats[n, _P_FILL], floats[n, _P_STOP], floats[n, _P_TARGET] = price, mark[STOP], mark[TARGET]
    entry = mark[ENTRY]
    floats[n, _P_ENTRY] = entry
    if lots != 0 and leg != _LEG_ENTRY:
        up, down = mark[HIGH] / entry - 1.0, 1.0 - mark[LOW] / entry
        floats[n, _P_ADVERSE] = down if lots < 0 else up
        floats[n, _P_FAVOURABLE] = up if lots < 0 else down
    else:
        floats[n, _P_ADVERSE] = floats[n, _P_FAVOURABLE] = 0.0
    ledger[REPORTS] = n + 1


@inlined
def drop_entry(
    book: Ints, mark: Floats, ledger: Ints, ints: Ints, floats: Floats, row: int, point: int, reason: int
) -> None:
    """Let the pending entry, or what is left of it, die and report why: 0 lots."""
    write_report(
        book, mark, ledger, ints, floats, row, point, 0, _LEG_ENTRY, book[ENTRY_KIND], reason, 0, 0, 0, 0,
        book[ENTRY_SIGNAL], book[ENTRY_EXEC], math.nan, 0,
    )  # fmt: skip
    book[ENTRY_KIND] = 0
    hold_margin(book, ledger, book[MARGIN] - book[RESERVE] if book[LOTS] != 0 else 0)
    book[RESERVE] = 0


@inlined
def first_row(book: Ints, terms: Floats) -> int:
    """Return the first base row at whose open an order placed now can fill: the next one, or later by the latency."""
    next_open = book[ROW] if book[STAGE] == _SCAN else book[ROW] + 1
    return next_open + int(terms[LATENCY])


@kernel
def place_entry(
    book: Ints, mark: Floats, ledger: Ints, terms: Floats, sizing: Floats,
    lots: int, kind: int, price: float, trigger: float, tif: int, expire_bars: int, stop_distance: float,
    target_distance: float, trail_distance: float, reference: float, signal: int,
) -> None:  # fmt: skip
    """Accept an entry order with its protective distances; it can fill from the next base bar on.

    A limit price is moved to the grid away from the market (buy down, sell up), a stop trigger to the nearest tick.
    """
    book[ENTRY_KIND], book[ENTRY_LOTS], book[ENTRY_TIF] = kind, lots, tif
    book[ENTRY_EXPIRES] = book[EXEC] + expire_bars if expire_bars > 0 else -1
    book[ENTRY_LIVE], book[ENTRY_SIGNAL], book[ENTRY_EXEC] = 0, signal, book[EXEC]
    book[ENTRY_FROM] = first_row(book, terms)
    if kind in (_KIND_LIMIT, _KIND_STOP_LIMIT):
        price = tick_down(price, terms) if lots > 0 else tick_up(price, terms)
    elif kind == _KIND_STOP:
        price = nearest_tick(price, terms)
    mark[ENTRY_PRICE], mark[ENTRY_TRIGGER], mark[REFERENCE] = price, nearest_tick(trigger, terms), reference
    mark[STOP_DISTANCE], mark[TARGET_DISTANCE], mark[TRAIL_DISTANCE] = stop_distance, target_distance, trail_distance
    mark[PER_LOT] = required_margin(sizing, 1, reference)
    hold_margin(book, ledger, posting(required_margin(sizing, abs(lots), reference)))


@inlined
def nearest_tick(price: float, terms: Floats) -> float:
    """Return the nearest grid price, half to even."""
    return np.rint(price * terms[TICK_D] / terms[TICK_N]) * terms[TICK_N] / terms[TICK_D]


@kernel
def place_exit(book: Ints, terms: Floats, lots: int, reason: int, signal: int) -> None:
    """Accept a market order that closes so many lots, unsigned, from the next base open on; no more than is held."""
    book[EXIT], book[EXIT_LOTS], book[EXIT_SIGNAL], book[EXIT_EXEC] = reason, lots, signal, book[EXEC]
    book[EXIT_FROM] = first_row(book, terms)
