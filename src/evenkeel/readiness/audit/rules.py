"""What the rules of the simulated venue say a fill must be: price, point and liquidity from one base bar.

Each function returns the *quotes* that the rules allow. There is one almost always; two where a limit price lies so
near a border of the tick grid that float64 may round it either way. No quote means that no fill was possible.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from evenkeel.readiness.audit.artifacts import Position, Trade
from evenkeel.readiness.audit.bars import Bar, BaseBars
from evenkeel.readiness.audit.course import Closing, Course, bankruptcy
from evenkeel.readiness.audit.impact import Taking
from evenkeel.readiness.audit.number import ONE, ceilings, floors, same_price
from evenkeel.readiness.audit.stop_path import REASONS
from evenkeel.readiness.audit.targets import Step
from evenkeel.readiness.audit.terms import Terms

EXIT_POINTS = {
    "sl": ("open", "inside"),
    "trailing": ("open", "inside"),
    "breakeven": ("open", "inside"),
    "tp": ("open", "inside"),
    "liquidation": ("open", "inside", "close"),
    "signal": ("open", "close"),
    "max_drawdown": ("open", "close"),
    "equity_stop": ("open", "close"),
    "regime": ("open", "close"),
    "playbook": ("open", "close"),
    "margin_call": ("open", "close"),
    "session_end": ("open", "close"),
    "force": ("open", "close"),
    "data_gap": ("close",),
    "end_of_data": ("close",),
}
"""Where in a base bar an exit may happen, by its reason.

A close that was asked for by a signal or a limit of the run fills at the next open. If there is none because the data
ends or breaks, it fills at the last close and keeps its reason.
"""


NEARLY = ONE - Decimal("1e-9")
"""Ticks beyond a price are differences of float64."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A fill that the rules allow.

    Attributes:
        base: Price before slippage.
    """

    base: Decimal
    price: Decimal
    point: str
    liquidity: str

    def agrees(self, *, price: Decimal, point: str, liquidity: str) -> bool:
        """Whether a recorded fill is this one."""
        return self.point == point and self.liquidity == liquidity and same_price(price, self.price)

    def __str__(self) -> str:
        return f"{self.price:f} ({self.point}, {self.liquidity})"


def took(taking: Taking, base: Decimal, side: int, point: str) -> Quote:
    """Return the fill of an order that took at `base`: moved against the buyer (+1) or seller (-1)."""
    return Quote(base, taking.price(base, side), point, "taker")


def entry_quotes(terms: Terms, position: Position, bars: BaseBars, row: int) -> list[Quote]:
    """Return the fills that the position's entry may have had in the base bar of `row`."""
    bar, trade = bars.bar(row), position.entry
    taking = terms.taking(position.quantity, bar.traded)
    if trade.entry_kind == "market":
        return [took(taking, bar.open, trade.sign, "open")]
    if trade.entry_kind == "stop":
        return _stop_entry(taking, trade, bar)
    decided = bars.decision_row(trade.decided_ns, trade.entry_ns)
    first_minute = decided is not None and row == decided + 1 + terms.delay
    return [
        quote
        for limit in limit_prices(terms, trade, bars)
        for quote in _limit_entry(terms, taking, trade.sign, limit, bar, first_minute=first_minute)
    ]


def limit_prices(terms: Terms, trade: Trade, bars: BaseBars) -> list[Decimal]:
    """Return the limit of an entry: the close at its decision less the offset, on the tick away from the market.

    A strategy that sets its own limits leaves no trace of them but the fill: then the fill's price is the limit.
    """
    row = bars.decision_row(trade.decided_ns, trade.entry_ns)
    if not (terms.is_play and terms.entry_is_limit) or row is None:
        return [trade.entry_price]
    raw = bars.bar(row).close * (1 - trade.sign * terms.limit_offset)
    return sorted(floors(raw, terms.tick) if trade.sign > 0 else ceilings(raw, terms.tick))


def _limit_entry(
    terms: Terms, taking: Taking, side: int, limit: Decimal, bar: Bar, *, first_minute: bool
) -> list[Quote]:
    marketable = side * (limit - terms.quoted(bar.open, side)) >= 0
    if first_minute and marketable:
        if terms.time_in_force == "PostOnly":
            return []
        slipped = taking.price(bar.open, side)
        return [Quote(bar.open, min(limit, slipped) if side > 0 else max(limit, slipped), "open", "taker")]
    if terms.time_in_force in ("IOC", "FOK"):
        return []
    if not first_minute and reaches(terms, side, limit, bar.open):
        met = terms.quoted(bar.open, side)
        return [Quote(met, met, "open", "maker")]
    return [Quote(limit, limit, "inside", "maker")] if reaches(terms, side, limit, bar.worst(side)) else []


def reaches(terms: Terms, side: int, limit: Decimal, price: Decimal) -> bool:
    """Whether a resting limit of a buyer (+1) or seller (-1) fills when the market trades at `price`."""
    past = side * (limit - terms.quoted(price, side))
    if past >= 0 and terms.queue_depth:
        return past >= terms.queue_depth * NEARLY
    return past > 0 or (past == 0 and not terms.through)


def _stop_entry(taking: Taking, trade: Trade, bar: Bar) -> list[Quote]:
    """Return the fill of a stop entry, whose trigger is known from the fill alone unless the bar opened beyond it."""
    if trade.entry_point == "open":
        return [took(taking, bar.open, trade.sign, "open")]
    trigger = taking.base(trade.entry_price, trade.sign)
    reached = bar.low <= trigger <= bar.high or same_price(trigger, bar.high) or same_price(trigger, bar.low)
    return [took(taking, trigger, trade.sign, "inside")] if reached else []


def exit_quote(terms: Terms, course: Course, closing: Closing, bar: Bar) -> Quote | None:
    """Return the fill that a leg's exit must have had in its base bar, or None where the bar allows none.

    An exit beyond the bankruptcy price of the position is a liquidation there, whatever its reason.
    """
    trade, limit = closing.trade, bankruptcy(terms, closing.stake)
    if trade.exit_reason == "liquidation":
        return None if limit is None else Quote(limit, limit, trade.exit_point, "taker")
    quote = _exit_quote(terms, course, closing, bar)
    if quote is not None and limit is not None and trade.sign * (quote.price - limit) < 0:
        return Quote(limit, limit, quote.point, "taker")
    return quote


def _exit_quote(terms: Terms, course: Course, closing: Closing, bar: Bar) -> Quote | None:
    trade = closing.trade
    taking = terms.taking(trade.quantity, bar.traded)
    if trade.exit_reason in REASONS:
        return _stop_exit(terms, taking, trade, bar)
    if trade.exit_reason == "tp":
        step = course.steps[closing.filled] if closing.filled < len(course.steps) else None
        return None if step is None else _target_exit(terms, taking, trade, step, bar)
    base = bar.close if trade.exit_point == "close" else bar.open
    return took(taking, base, -trade.sign, "close" if trade.exit_point == "close" else "open")


def _stop_exit(terms: Terms, taking: Taking, trade: Trade, bar: Bar) -> Quote | None:
    """Return the fill of a stop: at the open if that sets it off, else at the worse of level and open in the range."""
    level, fires, inside = trade.final_stop, bar.fires(terms), entered_inside(trade, bar)
    if level is None or not passed(level, fires.worst(trade.sign), -trade.sign):
        return None
    if not inside and passed(level, fires.open, -trade.sign):
        return took(taking, bar.open, -trade.sign, "open")
    worse = min(level, bar.open) if trade.sign > 0 else max(level, bar.open)
    return took(taking, bar.within(level if inside else worse), -trade.sign, "inside")


def _target_exit(terms: Terms, taking: Taking, trade: Trade, step: Step, bar: Bar) -> Quote | None:
    level = _step_level(terms, taking, trade, step)
    seen, inside = bar.last if terms.target_is_limit else bar.fires(terms), entered_inside(trade, bar)
    if not target_met(terms, level, bar.close if inside else seen.best(trade.sign), trade.sign):
        return None
    gap = not inside and target_met(terms, level, seen.open, trade.sign)
    opened = terms.quoted(bar.open, -trade.sign) if terms.target_is_limit else bar.open
    base, point = (opened, "open") if gap else (level if terms.target_is_limit else bar.within(level), "inside")
    return Quote(base, base, point, "maker") if terms.target_is_limit else took(taking, base, -trade.sign, point)


def _step_level(terms: Terms, taking: Taking, trade: Trade, step: Step) -> Decimal:
    """Return the level of a step: the one that the fill shows among those it may have, else the nearest."""
    base = trade.exit_price if terms.target_is_limit else taking.base(trade.exit_price, -trade.sign)
    shown = (base / terms.tick).to_integral_value() * terms.tick
    return shown if trade.exit_point == "inside" and step.may_be(shown, terms.tick) else step.near


def target_met(terms: Terms, level: Decimal, price: Decimal, side: int) -> bool:
    """Whether a target of a long (`side` +1) or short fills where the market trades at a price.

    One that rests is met by the other side of the spread, and waits for its turn in the queue.
    """
    if not terms.target_is_limit:
        return passed(level, price, side)
    beyond = side * (terms.quoted(price, -side) - level)
    return beyond >= terms.queue_depth * NEARLY


def entered_inside(trade: Trade, bar: Bar) -> bool:
    """Whether the position was opened within this bar, after its open."""
    return trade.entry_point == "inside" and bar.open_ns == trade.entry_ns


def passed(level: Decimal | None, price: Decimal, side: int) -> bool:
    """Whether a price reached a level that lies above (`side` +1) or below (-1) the market."""
    return level is not None and side * (price - level) >= 0
