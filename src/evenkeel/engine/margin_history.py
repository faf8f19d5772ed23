"""How near a run came to liquidation: margin ratio, margin calls, distance, from its fills and its bars.

Positions are followed from fill to fill; between two events quantity, entry price, margin and liquidation price do not
change, so that the worst price of the bars certainly held tells all. Source: plays.md 6.7 and 6.11.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numba import types

from evenkeel.engine.fill_table import POINTS, FillTable
from evenkeel.engine.market import Market
from evenkeel.engine.record import Funding
from evenkeel.kernel import FLOATS_IN, TABLE, WINDOW, compiled, kernel
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.event import FillPoint
from evenkeel.model.instrument import Instrument
from evenkeel.model.number import POSTINGS_PER_UNIT, to_float
from evenkeel.risk.liquidation import liquidation_price
from evenkeel.strategies.terms import Terms

_INSIDE = POINTS.index(FillPoint.INSIDE)
Column = TypeVar("Column", Ints, Floats)


@dataclass(slots=True)
class Held:
    """A position as it stands between two events; money in account currency.

    Attributes:
        quantity: Signed, the multiplier in it.
        entry: Average entry price.
        extra: Margin beyond the initial one; negative where funding was taken from it.
        cash: Of the account.
        trade: Number of the position.
    """

    quantity: float
    entry: float
    extra: float
    cash: float
    trade: int = 0

    def margin(self, leverage: float) -> float:
        """Return the margin in use."""
        return abs(self.quantity) * self.entry / leverage + self.extra


@dataclass(frozen=True, slots=True)
class Bars:
    """Base bars of a run, one after the other, and the mark price over them."""

    open_ns: Ints
    close: Floats
    high: Floats
    low: Floats


def margin_figures(
    fundings: Sequence[Funding], fills: FillTable, market: Market, terms: Terms, asset: Instrument
) -> dict[str, float | int | None]:
    """Return the least margin ratio, the margin calls, and how close liquidation came; None where there is none."""
    if not terms.account.margin.liquidates:
        return dict.fromkeys(("min_margin_ratio", "margin_calls", "closest_liquidation_pct"))
    bars = _bars(market)
    spans = [
        (first, stop, held.trade, held.quantity, held.entry, held.extra, held.cash, np.nan if last is None else last)
        for held, first, stop, last in _spans(list(fundings), fills, bars, terms, asset)
    ]
    places = np.array([span[:3] for span in spans], dtype=np.int64).reshape(-1, 3)
    values = np.array([span[3:] for span in spans], dtype=np.float64).reshape(-1, 5)
    margin = terms.account.margin
    rate = to_float(margin.maintenance) + to_float(terms.account.taker)
    ratio, distance, calls = compiled(watch_margins, _WATCH)(
        places, values, bars.close, bars.high, bars.low, to_float(terms.sizing.max_leverage), rate,
        to_float(margin.deduction),
    )  # fmt: skip
    return {
        "min_margin_ratio": None if ratio == np.inf else ratio,
        "margin_calls": calls,
        "closest_liquidation_pct": None if distance == np.inf else max(0.0, distance) * 100.0,
    }


def _bars(market: Market) -> Bars:
    bases = [stretch.series.base for stretch in market.stretches]
    open_ns = joined([base.open_ns for base in bases])
    close, high, low = (joined([getattr(base, name) for base in bases]) for name in ("close", "high", "low"))
    if any(stretch.mark is not None for stretch in market.stretches):
        nothing = [np.full(len(base), np.nan) for base in bases]
        marks = [
            (one.mark.high, one.mark.low) if one.mark is not None else (gap, gap)
            for one, gap in zip(market.stretches, nothing, strict=True)
        ]
        mark_high, mark_low = (np.concatenate([mark[place] for mark in marks]) for place in (0, 1))
        high, low = np.where(np.isnan(mark_high), high, mark_high), np.where(np.isnan(mark_low), low, mark_low)
    return Bars(open_ns, close, high, low)


def joined(parts: Sequence[Column]) -> Column:
    """Return columns one after the other; one alone is not copied."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _events(fundings: Sequence[Funding], fills: FillTable) -> Iterator[tuple[int, Funding | None]]:
    """Yield fills by their row and fundings, in the order in which they happened."""
    paid = 0
    for number in range(len(fills)):
        while paid < len(fundings) and fundings[paid].fills_before <= number:
            yield number, fundings[paid]
            paid += 1
        yield number, None
    for funding in fundings[paid:]:
        yield len(fills), funding


def _spans(
    fundings: Sequence[Funding], fills: FillTable, bars: Bars, terms: Terms, asset: Instrument
) -> Iterator[tuple[Held, int, int, float | None]]:
    """Yield what is held between two events, the base rows held whole, and the price at which the next one filled."""
    leverage = to_float(terms.sizing.max_leverage)
    unit = fills.unit.numerator / fills.unit.denominator * to_float(asset.multiplier)
    quantities, prices = (fills.lots * unit).tolist(), fills.price.tolist()
    cash = ((fills.gross - fills.fee) / POSTINGS_PER_UNIT).tolist()
    rows = (np.searchsorted(bars.open_ns, fills.event_ns, side="right") - 1).tolist()
    entries, inside, trades = fills.is_entry.tolist(), (fills.point == _INSIDE).tolist(), fills.trade.tolist()
    held, first = Held(0.0, 0.0, 0.0, to_float(terms.account.start_equity)), 0
    for number, funding in _events(fundings, fills):
        if funding is not None:
            row = int(np.searchsorted(bars.open_ns, funding.event_ns, side="right")) - 1
            if held.quantity:
                yield held, first, row, None
            held.cash += to_float(funding.amount)
            if funding.amount < 0:
                held.extra += min(0.0, held.cash - held.margin(leverage))
            first = max(first, row)
            continue
        row = rows[number]
        if held.quantity:
            yield held, first, row, prices[number]
        first = row + inside[number] if entries[number] else max(first, row)
        held.cash += cash[number]
        held.trade = trades[number]
        _change(held, quantities[number], prices[number], opens=entries[number])


def _change(held: Held, quantity: float, price: float, *, opens: bool) -> None:
    before = held.quantity
    left = before + quantity
    if opens:
        held.entry = (held.entry * before + price * quantity) / left
        held.extra = held.extra if before else 0.0
        held.quantity = left
        return
    held.quantity = left if abs(left) > abs(before) * _NOTHING else 0.0
    held.extra *= held.quantity / before


_NOTHING = 1e-9
"""What is left of a quantity by the rounding of floats is nothing."""


_WATCH = types.Tuple((types.float64, types.float64, types.int64))(
    TABLE, WINDOW, FLOATS_IN, FLOATS_IN, FLOATS_IN, types.float64, types.float64, types.float64
)


@kernel
def watch_margins(
    places: Ints, values: Floats, closes: Floats, highs: Floats, lows: Floats, leverage: float, rate: float,
    deduction: float,
) -> tuple[float, float, int]:  # fmt: skip
    """Return the least margin ratio, the least distance of liquidation and how often a close was a margin call anew.

    Args:
        places: First row held whole, the row behind the last, and the number of the position, of each span.
        values: Signed quantity, entry price, extra margin, cash, and the price at its end or NaN.
        closes: Base bars, like highs and lows; the latter two of the mark price.
        leverage: Of the account.
        rate: Maintenance margin rate and taker fee together.
        deduction: Maintenance margin deduction.
    """
    least, nearest, calls, below, trade = np.inf, np.inf, 0, False, -1
    for k in range(len(places)):
        first, stop = places[k, 0], places[k, 1]
        signed, entry, extra, cash, last = values[k, 0], values[k, 1], values[k, 2], values[k, 3], values[k, 4]
        side = 1 if signed > 0 else -1
        quantity = abs(signed)
        margin = quantity * entry / leverage + extra
        level = liquidation_price(side, quantity, entry, leverage, rate, deduction, extra)
        below, trade = below and trade == places[k, 2], places[k, 2]
        worst = np.inf if side > 0 else -np.inf
        for i in range(first, stop):
            worst = min(worst, lows[i]) if side > 0 else max(worst, highs[i])
            is_below = cash + signed * (closes[i] - entry) < margin
            calls += is_below and not below
            below = is_below
        for price in (worst, last):
            if not np.isfinite(price):
                continue
            needed = quantity * price * rate - deduction
            if needed > 0.0:
                least = min(least, (margin + side * quantity * (price - entry)) / needed)
            if np.isfinite(level):
                nearest = min(nearest, side * (price - level) / level)
    return least, nearest, calls
