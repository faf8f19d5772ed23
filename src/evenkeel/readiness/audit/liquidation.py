"""The check of liquidations (`LIQ_DISTANCE`, 29): none missed, none invented, each costing the margin and no more.

The nearer one of stop and liquidation price counts, at the open of a bar as inside it: a stop before the liquidation
price ends the position first, one behind it never does. An exit beyond the bankruptcy price is a liquidation too.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from evenkeel.readiness.audit.artifacts import Position, Run
from evenkeel.readiness.audit.bars import NO_BARS, Bar, BaseBars
from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.course import Closing, Course, bankruptcy, liquidation, stop_within
from evenkeel.readiness.audit.held import Held
from evenkeel.readiness.audit.knowledge import Knowledge
from evenkeel.readiness.audit.levels import stop_distance
from evenkeel.readiness.audit.margin import STOP_SHARE, Stake, liquidation_price, position_margin
from evenkeel.readiness.audit.moment import instant_text
from evenkeel.readiness.audit.number import CENT, FLOAT_TOLERANCE, HUNDRED, PRICE_TOLERANCE
from evenkeel.readiness.audit.rules import entered_inside, passed
from evenkeel.readiness.audit.terms import Terms

LIQUIDATION = "liquidation"


def liquidations(
    run: Run, bars: BaseBars | None, courses: list[Course | None] | None, held: Held | None, known: Knowledge
) -> Check:
    """Check each bar held against the liquidation price, each liquidation, and the distances at the entries."""
    name = "LIQ_DISTANCE"
    if not run.terms.margin.liquidates:
        return skipped(name, "only perpetuals are liquidated")
    if bars is None or courses is None or held is None:
        return skipped(name, NO_BARS)
    places = run.doubtful
    problems = [
        f"trade {run.positions[places[touch.position]].number}: the base bar of {instant_text(touch.open_ns)} "
        f"went beyond its liquidation price"
        for touch in held.unheeded_liquidations()
    ]
    for course in courses:
        if course is not None:
            problems += _entry_problems(run.terms, course.position, known)
            for closing in course.closings:
                problems += _exit_problems(run.terms, course, closing, bars.bar(closing.row))
    count = sum(trade.exit_reason == LIQUIDATION for trade in run.doubtful_trades)
    return judged(
        name, problems, f"{len(held)} base bars held at leverage {run.terms.leverage:f}, {count} liquidations"
    )


def _entry_problems(terms: Terms, position: Position, known: Knowledge) -> Iterator[str]:
    """Report an entry that had to be refused, or its stop moved: everything is measured from the price at decision."""
    label, price = f"trade {position.number}", known.price(position.entry)
    if price is None:
        return
    level = liquidation_price(terms.margin, Stake(position.sign, position.quantity * terms.multiplier, price))
    if level is None:
        return
    distance = position.sign * (price - level)
    if distance < terms.margin.distance_min * price * (1 - PRICE_TOLERANCE):
        percent = distance / price * HUNDRED
        yield f"{label}: its liquidation was {percent:.4f} percent away, less than the least distance"
    stop = stop_distance(terms, position, known)
    if stop is None or terms.margin.beyond == "warn":
        return
    if stop.low > distance * STOP_SHARE * (1 + PRICE_TOLERANCE):
        yield f"{label}: its stop is {stop} away, beyond its liquidation at {distance:.8f}"


def _exit_problems(terms: Terms, course: Course, closing: Closing, bar: Bar) -> Iterator[str]:
    trade, due = closing.trade, liquidation_point(terms, course, closing, closing.stake, bar)
    label = f"{trade.label}: {trade.exit_reason} at {instant_text(trade.exit_ns)}"
    if trade.exit_reason == LIQUIDATION:
        entered = bar.open_ns == trade.entry_ns  # then the open may count as one or as the first price inside
        right = due is not None if entered else due == trade.exit_point
        if not right and not _beyond_bankruptcy(terms, closing, bar):
            yield f"{label}, but the bar does not go beyond the liquidation price"
        loss, margin = trade.exit_fee - trade.gross, position_margin(terms.margin, closing.stake)
        notional = closing.stake.units * (trade.entry_price + trade.exit_price)
        if abs(loss - margin) > CENT + FLOAT_TOLERANCE * notional:
            yield f"{label} cost {loss}, the margin was {margin:.8f}"
    elif due == "open" or (due == "inside" and trade.exit_point != "open") or _missed(terms, course, closing, bar):
        yield f"{label}, but the bar went beyond the liquidation price first"


def _missed(terms: Terms, course: Course, closing: Closing, bar: Bar) -> bool:
    """Whether what was held beyond the last exit in a bar went beyond its liquidation price inside it."""
    later = (other for other in course.closings if other.trade.leg > closing.trade.leg)
    if closing.left is None or not all(other.row > closing.row for other in later):
        return False
    return liquidation_point(terms, course, closing, closing.left, bar) is not None


def liquidation_point(terms: Terms, course: Course, closing: Closing, stake: Stake, bar: Bar) -> str | None:
    """Return where in the bar of an exit a stake had to be liquidated, were it held so long; None for nowhere."""
    trade, level = closing.trade, liquidation(terms, stake)
    if level is None:
        return None
    slack = PRICE_TOLERANCE * level * trade.sign
    level = level + slack if trade.exit_reason == LIQUIDATION else level - slack
    stop, inside = stop_within(course, closing), entered_inside(trade, bar)
    nearer = stop if stop is not None and trade.sign * (stop - level) >= 0 else None
    fires = bar.fires(terms)
    if not inside and passed(level, bar.marked.open, -trade.sign) and not passed(nearer, fires.open, -trade.sign):
        return "open"
    first = passed(nearer, fires.worst(trade.sign), -trade.sign)
    return "inside" if passed(level, bar.marked.worst(trade.sign), -trade.sign) and not first else None


def _beyond_bankruptcy(terms: Terms, closing: Closing, bar: Bar) -> bool:
    """Whether some other exit at the recorded point would have filled beyond the bankruptcy price."""
    trade, limit = closing.trade, bankruptcy(terms, closing.stake)
    bases: dict[str, Decimal | None] = {"open": bar.open, "inside": trade.final_stop, "close": bar.close}
    base = bases[trade.exit_point]
    if limit is None or base is None:
        return False
    if trade.exit_point == "inside" and not passed(base, bar.fires(terms).worst(trade.sign), -trade.sign):
        return False
    filled = terms.taking(trade.quantity, bar.traded).price(base, -trade.sign)
    return trade.sign * (filled - limit) < PRICE_TOLERANCE * limit
