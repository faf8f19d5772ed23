"""What an order meets in one base bar: whether it fills, at what price, how much of it, and in which order.

A bar's open, high, low and close are all that is known of it. The last price fills orders; the trigger price, which is
the last price unless the account says otherwise, sets off stops and market targets; the mark price liquidates. Nothing
here moves money: the steps settle what is found. Source: plays.md 6.1 to 6.9, decision 0008.
"""

from __future__ import annotations

from evenkeel.kernel import inlined
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.reason import Reason, reason_number
from evenkeel.venues.simulated.book import Book, Exit, FillKind, Fired, Leg, Mark, Point, Queue, Term
from evenkeel.venues.simulated.steps import available, exit_lots, nothing_trades, slipped, without_quote

LOTS, ENTRY_KIND, ENTRY_LOTS, ENTRY_LIVE = (
    int(Book.LOTS), int(Book.ENTRY_KIND), int(Book.ENTRY_LOTS), int(Book.ENTRY_LIVE),
)  # fmt: skip
ENTRY_TIF, ENTRY_FROM, EXIT, EXIT_FROM = (
    int(Book.ENTRY_TIF), int(Book.ENTRY_FROM), int(Book.EXIT), int(Book.EXIT_FROM),
)  # fmt: skip
EXTENDED = int(Book.EXTENDED)
ENTERED, FIRED, STOP_KIND = int(Book.ENTERED), int(Book.FIRED), int(Book.STOP_KIND)
FIRED_STEPS, STEP, LADDER = int(Book.FIRED_STEPS), int(Book.STEP), int(Mark.LADDER)
LADDER_STEPS = int(Term.LADDER_STEPS)
STOP, TARGET, ENTRY_PRICE, ENTRY_TRIGGER = (
    int(Mark.STOP), int(Mark.TARGET), int(Mark.ENTRY_PRICE), int(Mark.ENTRY_TRIGGER),
)  # fmt: skip
HIGH, LOW, ARRIVAL = int(Mark.HIGH), int(Mark.LOW), int(Mark.ARRIVAL)
LIQUIDATION, BANKRUPTCY = int(Mark.LIQUIDATION), int(Mark.BANKRUPTCY)
ENTRY_AHEAD, TARGET_AHEAD = int(Mark.ENTRY_AHEAD), int(Mark.TARGET_AHEAD)
TARGET_IS_LIMIT, STOP_IS_LIMIT = int(Term.TARGET_IS_LIMIT), int(Term.STOP_IS_LIMIT)
TRADE_THROUGH, HALF_SPREAD = int(Term.TRADE_THROUGH), int(Term.HALF_SPREAD)
BUDGET, VOLUME_FRACTION = int(Book.BUDGET), int(Term.VOLUME_FRACTION)
QUOTED = int(Term.QUOTED)
QUEUE, QUEUE_DEPTH, QUEUE_SHARE = int(Term.QUEUE), int(Term.QUEUE_DEPTH), int(Term.QUEUE_SHARE)

_AT_OPEN, _INSIDE = int(Point.OPEN), int(Point.INSIDE)
_LEG_STOP, _LEG_TARGET, _LEG_EXIT, _LEG_GUARD = int(Leg.STOP), int(Leg.TARGET), int(Leg.EXIT), int(Leg.GUARD)
_BY_TARGET, _BY_SIGNAL, _BY_LIQUIDATION = int(Exit.TAKE_PROFIT), int(Exit.SIGNAL), int(Exit.LIQUIDATION)
_STOP_FIRED, _TARGET_FIRED = int(Fired.STOP), int(Fired.TARGET)
_MARKET, _LIMIT, _STOP, _STOP_LIMIT = (
    int(FillKind.MARKET), int(FillKind.LIMIT), int(FillKind.STOP), int(FillKind.STOP_LIMIT),
)  # fmt: skip
_NEW, _LIVE, _AS_MARKET, _SET_OFF = 0, 1, 2, 3
IOC, FOK, POST_ONLY = 1, 2, 3
_THROUGH, _AHEAD = int(Queue.TRADE_THROUGH), int(Queue.VOLUME_AHEAD)
_POST_DEAD, _IOC_DEAD, _FOK_DEAD = (
    reason_number(r) for r in (Reason.POST_ONLY_WOULD_CROSS, Reason.IOC_UNFILLED, Reason.FOK_UNFILLED)
)

FILL, REST = -1, -2
"""Verdicts on an entry beside the numbers of the reasons for which it dies."""

DEPTH_SLACK = 1e-9
"""Relative; ticks beyond a price are differences of floats."""


@inlined
def match_exit(
    at_open: bool, row: int, o: float, h: float, low: float, c: float, volume: float,
    mark_open: float, mark_high: float, mark_low: float, trigger_open: float, trigger_high: float, trigger_low: float,
    book: Ints, mark: Floats, terms: Floats,
) -> tuple[int, int, int, float, float, int, int]:  # fmt: skip
    """Return how a held position leaves at this point of the bar: leg, reason, point, price, raw price, taker, lots.

    Leg -1 stays. At the open a gap through the stop comes first, then one through the liquidation price, then one
    through the target, then a pending close. Inside, of stop and liquidation the nearer one comes first, and both
    before the target, because the order of prices is not known; a position entered inside this bar is exposed to them
    on the whole range and gets its target only when the bar closes beyond it. A stop never fills better than the
    market was when the position arrived in this bar. A stop or a market target that the bar cannot fill has fired: it
    is a market order at the next opens.

    No exit loses more than the margin: one whose price would lie beyond the bankruptcy price is a liquidation there.
    """
    direction = 1 if book[LOTS] > 0 else -1
    stop, target, gone = mark[STOP], mark[TARGET], mark[LIQUIDATION]
    worst, best = (trigger_low, trigger_high) if direction > 0 else (trigger_high, trigger_low)
    lowest, top = (mark_low, h) if direction > 0 else (mark_high, low)
    point = _INSIDE
    if at_open:
        mark[HIGH], mark[LOW] = max(mark[HIGH], o), min(mark[LOW], o)
        worst = best = trigger_open
        lowest, top, point = mark_open, o, _AT_OPEN
    elif book[ENTERED] >= 2:
        best = top = c
    liquidated = direction * (lowest - gone) <= 0.0
    if nothing_trades(volume, terms):
        if liquidated:
            return _LEG_GUARD, _BY_LIQUIDATION, point, mark[BANKRUPTCY], mark[BANKRUPTCY], 1, abs(book[LOTS])
        return -1, 0, point, o, o, 0, 0
    fired = book[FIRED] & _STOP_FIRED != 0
    limit_stop = terms[STOP_IS_LIMIT] == 1.0
    reached = direction * (worst - stop) <= 0.0 or (fired and at_open)
    nearer = direction * (stop - gone) >= 0.0 or not liquidated
    resting = limit_stop and fired
    leg, reason, raw, taker = -1, 0, o, 1
    if resting and (at_open or not liquidated):
        quote = (o if at_open else (h if direction > 0 else low)) * (1.0 - direction * terms[HALF_SPREAD])
        if direction * (quote - stop) >= 0.0:
            leg, reason, raw, taker = _LEG_STOP, book[STOP_KIND], quote if opens_beyond(at_open, terms) else stop, 0
    elif reached and nearer and not resting:
        leg, reason = _LEG_STOP, book[STOP_KIND]
        raw, point = stop_price(at_open, direction, o, stop, point, book, mark, terms)
        if limit_stop:
            book[FIRED] |= _STOP_FIRED
            if direction * (raw - stop) < 0.0:
                leg = -1
    if leg < 0 and liquidated:
        return _LEG_GUARD, _BY_LIQUIDATION, point, mark[BANKRUPTCY], mark[BANKRUPTCY], 1, abs(book[LOTS])
    if leg < 0:
        quote = top * (1.0 - direction * terms[HALF_SPREAD])
        waits = limit_stop and book[FIRED] & _STOP_FIRED != 0
        if not waits and hits_target(at_open, direction, best, quote, target, volume, book, mark, terms):
            leg, reason = _LEG_TARGET, _BY_TARGET
            raw = target if known_by_level(at_open, terms) else o
            if terms[TARGET_IS_LIMIT] == 1.0:
                raw, taker = quote if opens_beyond(at_open, terms) else target, 0
        elif at_open and book[EXIT] != 0 and row >= book[EXIT_FROM]:
            leg, reason = _LEG_EXIT if book[EXIT] == _BY_SIGNAL else _LEG_GUARD, book[EXIT]
    if leg < 0:
        return -1, 0, point, o, o, 0, 0
    wanted = exit_lots(book, leg, reason, terms)
    lots = available(row, volume, wanted, book, terms)
    if taker == 1 and (lots < wanted or (terms[VOLUME_FRACTION] > 0.0 and lots == book[BUDGET])):
        if leg == _LEG_STOP:
            book[FIRED] |= _STOP_FIRED
        elif leg == _LEG_TARGET:
            fire_targets(direction, best, book, mark, terms)
    if lots == 0:
        return -1, 0, point, o, o, 0, 0
    price = raw
    if taker == 1:
        price = slipped(raw, -direction, lots, volume, c, terms)
        if leg == _LEG_STOP and limit_stop:
            price = max(stop, price) if direction > 0 else min(stop, price)
    if direction * (price - mark[BANKRUPTCY]) < 0.0:
        return _LEG_GUARD, _BY_LIQUIDATION, point, mark[BANKRUPTCY], mark[BANKRUPTCY], 1, abs(book[LOTS])
    return leg, reason, point, price, raw, taker, lots


@inlined
def match_extended_exit(
    at_open: bool, row: int, o: float, h: float, low: float, c: float, volume: float,
    book: Ints, mark: Floats, terms: Floats,
) -> tuple[int, int, int, float, float, int, int]:  # fmt: skip
    """Return how a held position leaves outside regular hours: by a Limit target, for nothing else is matched there."""
    direction = 1 if book[LOTS] > 0 else -1
    point = _AT_OPEN if at_open else _INSIDE
    if terms[TARGET_IS_LIMIT] == 0.0 or nothing_trades(volume, terms):
        return -1, 0, point, o, o, 0, 0
    top = o if at_open else (c if book[ENTERED] >= 2 else (h if direction > 0 else low))
    quote, target = top * (1.0 - direction * terms[HALF_SPREAD]), mark[TARGET]
    lots = available(row, volume, exit_lots(book, _LEG_TARGET, _BY_TARGET, terms), book, terms)
    if lots == 0 or not hits_target(at_open, direction, quote, quote, target, volume, book, mark, terms):
        return -1, 0, point, o, o, 0, 0
    raw = quote if opens_beyond(at_open, terms) else target
    return _LEG_TARGET, _BY_TARGET, point, raw, raw, 0, lots


@inlined
def opens_beyond(at_open: bool, terms: Floats) -> bool:
    """Whether a limit that rests meets the market at a better price than its own: where a bar opens beyond it.

    A quote that moves through it has met it on its way.
    """
    return at_open and terms[QUOTED] == 0.0


@inlined
def known_by_level(at_open: bool, terms: Floats) -> bool:
    """Whether the price at this point is known by the level alone: inside a bar; a quote tells it."""
    return not at_open and terms[QUOTED] == 0.0


@inlined
def waits_for_regular_hours(book: Ints) -> bool:
    """Whether an entry may not be matched now: outside regular hours only what rests as a limit is."""
    return bool(book[EXTENDED] != 0 and book[ENTRY_KIND] != _LIMIT)


@inlined
def stop_price(
    at_open: bool, direction: int, o: float, stop: float, point: int, book: Ints, mark: Floats, terms: Floats
) -> tuple[float, int]:
    """Return the price at which a stop that is reached meets the market, before slippage, and the point of the bar.

    It is the worse of level and open; once it has fired before, the open. A quote is the market itself.
    """
    if terms[QUOTED] != 0.0 or (at_open and book[FIRED] & _STOP_FIRED != 0):
        return o, point
    if not at_open and book[ENTERED] != 0 and direction * (mark[ARRIVAL] - stop) <= 0.0:
        return mark[ARRIVAL], _AT_OPEN if book[ENTERED] == 1 else _INSIDE
    if book[ENTERED] >= 2:
        return stop, point
    return min(stop, o) if direction > 0 else max(stop, o), point


@inlined
def hits_target(
    at_open: bool, direction: int, best: float, quote: float, target: float, volume: float, book: Ints, mark: Floats,
    terms: Floats,
) -> bool:  # fmt: skip
    """Whether the target in force is reached: a resting one by the last price and its queue, another by the trigger."""
    if terms[TARGET_IS_LIMIT] == 0.0:
        return bool(direction * (best - target) >= 0.0 or (at_open and book[FIRED] & _TARGET_FIRED != 0))
    depth = direction * (quote - target)
    if depth < 0.0 or terms[QUEUE] == 0.0:
        return bool(depth >= 0.0)
    return bool(our_turn(at_open, depth, volume, TARGET_AHEAD, mark, terms))


@inlined
def fire_targets(direction: int, best: float, book: Ints, mark: Floats, terms: Floats) -> None:
    """Note the market targets that are reached and that the bar cannot fill: the one in force and those behind it."""
    book[FIRED] |= _TARGET_FIRED
    fired = max(book[FIRED_STEPS], book[STEP] + 1)
    while fired < terms[LADDER_STEPS] and direction * (best - mark[LADDER + fired]) >= 0.0:
        fired += 1
    book[FIRED_STEPS] = fired


@inlined
def our_turn(at_open: bool, depth: float, volume: float, ahead: int, mark: Floats, terms: Floats) -> bool:
    """Whether a resting limit fills where the price went so far beyond it, at least to it.

    Args:
        at_open: Whether this is the open; volume is counted once a bar, inside.
        depth: How far beyond.
        volume: Of the bar.
        ahead: Place in `mark` of what stands before the order.
        mark: See `Mark`.
        terms: See `Term`.
    """
    if terms[QUEUE] == _THROUGH:
        return bool(depth >= terms[QUEUE_DEPTH] * (1.0 - DEPTH_SLACK))
    if terms[QUEUE] == _AHEAD and depth == 0.0:
        if not at_open:
            mark[ahead] -= volume
        return bool(mark[ahead] <= 0.0)
    return True


@inlined
def match_entry(
    point: int, row: int, o: float, h: float, low: float, c: float, volume: float,
    trigger_open: float, trigger_high: float, trigger_low: float, book: Ints, mark: Floats, terms: Floats,
) -> tuple[int, float, float, int, int]:  # fmt: skip
    """Return what becomes of the pending entry at this point: verdict, price, raw price, taker, lots.

    The verdict is to fill, to rest, or the number of the reason for which the order dies.
    """
    if row < book[ENTRY_FROM]:
        return REST, o, o, 0, 0
    wanted = abs(book[ENTRY_LOTS])
    direction = 1 if book[ENTRY_LOTS] > 0 else -1
    kind, price, tif = book[ENTRY_KIND], mark[ENTRY_PRICE], book[ENTRY_TIF]
    at_open = point == _AT_OPEN
    if nothing_trades(volume, terms):
        if kind == _LIMIT and book[ENTRY_LIVE] == _NEW and tif in (IOC, FOK):
            return _IOC_DEAD if tif == IOC else _FOK_DEAD, o, o, 0, 0
        return REST, o, o, 0, 0
    lots = available(row, volume, wanted, book, terms)
    if kind == _MARKET or book[ENTRY_LIVE] == _AS_MARKET:
        if not at_open or lots == 0:
            return REST, o, o, 0, 0
        return FILL, slipped(o, direction, lots, volume, c, terms), o, 1, lots
    level = price if kind == _STOP else mark[ENTRY_TRIGGER]
    if kind == _STOP or (kind == _STOP_LIMIT and book[ENTRY_LIVE] == _NEW):
        highest = trigger_high if direction > 0 else trigger_low
        if not direction * ((trigger_open if at_open else highest) - level) >= 0.0:
            return REST, o, o, 0, 0
        raw = o
        if known_by_level(at_open, terms):
            raw = max(level, o) if direction > 0 else min(level, o)
        if kind == _STOP:
            if lots < wanted:
                book[ENTRY_LIVE] = _AS_MARKET
            if lots == 0:
                return REST, o, o, 0, 0
            return FILL, slipped(raw, direction, lots, volume, c, terms), raw, 1, lots
        if without_quote(volume, terms):
            book[ENTRY_LIVE] = _SET_OFF
            return REST, o, o, 0, 0
        verdict, price, raw, taker, lots = match_new_limit(
            direction, price, raw, at_open, c, volume, tif, wanted, lots, book, mark, terms
        )
        return verdict, price, raw, taker, lots
    if without_quote(volume, terms):
        return REST, o, o, 0, 0
    if at_open and book[ENTRY_LIVE] != _LIVE:
        if lots == 0 and tif != IOC and tif != FOK:
            return REST, o, o, 0, 0
        verdict, price, raw, taker, lots = match_new_limit(
            direction, price, o, True, c, volume, tif, wanted, lots, book, mark, terms
        )
        return verdict, price, raw, taker, lots
    quote = (o if at_open else (low if direction > 0 else h)) * (1.0 + direction * terms[HALF_SPREAD])
    if lots == 0 or not touches(at_open, direction * (price - quote), volume, mark, terms):
        return REST, o, o, 0, 0
    if opens_beyond(at_open, terms):
        return FILL, quote, o, 0, lots
    return FILL, price, price, 0, lots


@inlined
def touches(at_open: bool, depth: float, volume: float, mark: Floats, terms: Floats) -> bool:
    """Whether a resting entry fills where the price went so far beyond it."""
    if depth < 0.0 or (depth == 0.0 and terms[TRADE_THROUGH] == 1.0):
        return False
    return bool(terms[QUEUE] == 0.0 or our_turn(at_open, depth, volume, ENTRY_AHEAD, mark, terms))


@inlined
def match_new_limit(
    direction: int, price: float, market: float, at_open: bool, c: float, volume: float, tif: int, wanted: int,
    lots: int, book: Ints, mark: Floats, terms: Floats,
) -> tuple[int, float, float, int, int]:  # fmt: skip
    """Decide a limit entry at its first moment: it takes with price improvement, dies by its time in force, or rests.

    A stop-limit set off inside the bar that cannot take fills in it only where the close proves that the price came to
    it afterwards.
    """
    book[ENTRY_LIVE] = _LIVE
    mark[ENTRY_AHEAD] = volume * terms[QUEUE_SHARE]
    spread = 1.0 + direction * terms[HALF_SPREAD]
    if direction * (price - market * spread) >= 0.0:
        if tif == POST_ONLY and lots > 0:
            return _POST_DEAD, market, market, 0, 0
        if tif == FOK and lots < wanted:
            return _FOK_DEAD, market, market, 0, 0
        if lots == 0:
            return _IOC_DEAD if tif == IOC else REST, market, market, 0, 0
        worse = slipped(market, direction, lots, volume, c, terms)
        return FILL, min(price, worse) if direction > 0 else max(price, worse), market, 1, lots
    if tif == IOC:
        return _IOC_DEAD, market, market, 0, 0
    if tif == FOK:
        return _FOK_DEAD, market, market, 0, 0
    if not at_open and lots > 0 and touches(False, direction * (price - c * spread), volume, mark, terms):
        return FILL, price, price, 0, lots
    return REST, market, market, 0, 0
