"""How near a run came to liquidation: margin ratio, margin calls, distance, from its fills and its bars.

Positions are followed from fill to fill; between two events quantity, entry price, margin and liquidation price do not
change, so that the worst price of the bars certainly held tells all. Source: plays.md 6.7 and 6.11.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from evenkeel.engine.fill_table import POINTS, FillTable
from evenkeel.engine.market import Market
from evenkeel.engine.record import Funding
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.event import FillPoint
from evenkeel.model.instrument import Instrument
from evenkeel.model.number import POSTINGS_PER_UNIT, to_float
from evenkeel.risk.liquidation import liquidation_price
from evenkeel.strategies.terms import Terms

_INSIDE = POINTS.index(FillPoint.INSIDE)


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


@dataclass(slots=True)
class Margins:
    """What is kept while a run is walked through; `below` says that the last close seen was a margin call already."""

    ratio: float = np.inf
    distance: float = np.inf
    calls: int = 0
    below: bool = False


def margin_figures(
    fundings: Sequence[Funding], fills: FillTable, market: Market, terms: Terms, asset: Instrument
) -> dict[str, float | int | None]:
    """Return the least margin ratio, the margin calls, and how close liquidation came; None where there is none."""
    if not terms.account.margin.liquidates:
        return dict.fromkeys(("min_margin_ratio", "margin_calls", "closest_liquidation_pct"))
    found, bars = Margins(), _bars(market)
    trade = 0
    for held, first, stop, last_price in _spans(list(fundings), fills, bars, terms, asset):
        found.below, trade = found.below and trade == held.trade, held.trade
        _watch(found, held, bars, first, stop, last_price, terms)
    return {
        "min_margin_ratio": None if found.ratio == np.inf else found.ratio,
        "margin_calls": found.calls,
        "closest_liquidation_pct": None if found.distance == np.inf else max(0.0, found.distance) * 100.0,
    }


def _bars(market: Market) -> Bars:
    bases = [stretch.series.base for stretch in market.stretches]
    high, low = (np.concatenate([getattr(base, name) for base in bases]) for name in ("high", "low"))
    if any(stretch.mark is not None for stretch in market.stretches):
        nothing = [np.full(len(base), np.nan) for base in bases]
        marks = [
            (one.mark.high, one.mark.low) if one.mark is not None else (gap, gap)
            for one, gap in zip(market.stretches, nothing, strict=True)
        ]
        mark_high, mark_low = (np.concatenate([mark[place] for mark in marks]) for place in (0, 1))
        high, low = np.where(np.isnan(mark_high), high, mark_high), np.where(np.isnan(mark_low), low, mark_low)
    return Bars(
        np.concatenate([base.open_ns for base in bases]), np.concatenate([base.close for base in bases]), high, low
    )


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
    entries, inside = fills.is_entry.tolist(), (fills.point == _INSIDE).tolist()
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
        held.trade = int(fills.trade[number])
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


def _watch(
    found: Margins, held: Held, bars: Bars, first: int, stop: int, last_price: float | None, terms: Terms
) -> None:
    side = 1 if held.quantity > 0 else -1
    quantity, margin = abs(held.quantity), held.margin(to_float(terms.sizing.max_leverage))
    adverse = bars.low if side > 0 else bars.high
    prices = [float(adverse[first:stop].min() if side > 0 else adverse[first:stop].max())] if stop > first else []
    prices += [] if last_price is None else [last_price]
    rate, deduction = to_float(terms.account.margin.maintenance), to_float(terms.account.margin.deduction)
    level = liquidation_price(
        side, quantity, held.entry, to_float(terms.sizing.max_leverage), rate + to_float(terms.account.taker),
        deduction, held.extra,
    )  # fmt: skip
    for price in prices:
        needed = quantity * price * (rate + to_float(terms.account.taker)) - deduction
        if needed > 0.0:
            found.ratio = min(found.ratio, (margin + side * quantity * (price - held.entry)) / needed)
        if np.isfinite(level):
            found.distance = min(found.distance, side * (price - level) / level)
    if stop > first:
        value = held.cash + held.quantity * (bars.close[first:stop] - held.entry)
        flags = np.concatenate([[found.below], value < margin])
        found.calls += int(np.count_nonzero(flags[1:] & ~flags[:-1]))
        found.below = bool(flags[-1])
