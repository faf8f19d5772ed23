"""Quantities derived again from equity, rule and caps (`SIZE`, section 6.8 of the specification of plays).

A quantity above the derived one is always wrong. One below it is wrong in the profile `research`, where nothing but the
strategy and its account limits the size; other profiles may shrink an order.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from evenkeel.readiness.audit.artifacts import Run, Trade
from evenkeel.readiness.audit.bars import NO_BARS, BaseBars
from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.levels import decision_price, stop_distance, stop_span
from evenkeel.readiness.audit.number import HUNDRED, ONE, ZERO, floors
from evenkeel.readiness.audit.rules import limit_prices
from evenkeel.readiness.audit.span import Span
from evenkeel.readiness.audit.terms import Terms


def sizes(run: Run, bars: BaseBars | None) -> Check:
    """Check each quantity against the sizing model and its caps, and each notional against the minimum."""
    name = "SIZE"
    if bars is None:
        return skipped(name, NO_BARS)
    if not run.terms.is_play:
        return skipped(name, "the strategy sizes its orders itself")
    problems: list[str] = []
    equity = run.terms.start_equity
    for trade in run.trades:
        problems += _size_problems(run.terms, trade, bars, equity)
        equity += trade.net
    return judged(name, problems, f"{len(run.trades)} quantities by {run.terms.size_model}")


def _size_problems(terms: Terms, trade: Trade, bars: BaseBars, equity: Decimal) -> Iterator[str]:
    reference = decision_price(trade, bars)
    if reference is None:
        yield f"trade {trade.number}: no bar was closed at its decision"
        return
    prices = {reference, *limit_prices(terms, trade, bars)} if trade.entry_kind == "limit" else {reference}
    if trade.quantity * max(prices) * terms.multiplier < terms.notional_min:
        yield f"trade {trade.number}: the order is worth less than the minimum of {terms.notional_min}"
    quantities = [_quantity(terms, trade, equity, price, reference) for price in prices]
    allowed = [span for span in quantities if span is not None]
    if not allowed:
        yield f"trade {trade.number}: a size by risk needs a stop"
        return
    span = Span(min(span.low for span in allowed), max(span.high for span in allowed))
    if trade.quantity > span.high:
        yield f"trade {trade.number}: the quantity is {trade.quantity}, the size rule allows at most {span.high:f}"
    if trade.quantity < span.low and terms.profile == "research":
        yield f"trade {trade.number}: the quantity is {trade.quantity}, the size rule gives {span}"


def _quantity(terms: Terms, trade: Trade, equity: Decimal, price: Decimal, reference: Decimal) -> Span | None:
    """Return the quantities, lowest and highest, that the model gives at an order price."""
    unit = price * terms.multiplier
    notional = _notional(terms, trade, equity, price, reference)
    if notional is None:
        return None
    cap = _cap(terms, equity, price)
    low = min(floors(min(notional.low, cap) / unit, terms.lot))
    high = max(floors(min(notional.high, cap) / unit, terms.lot))
    return Span(low, high).within(Span(ZERO, _largest(terms)))


def _notional(terms: Terms, trade: Trade, equity: Decimal, price: Decimal, reference: Decimal) -> Span | None:
    if terms.size_model == "fixed_quantity":
        return Span.point(terms.size_value * price * terms.multiplier)
    if terms.size_model == "risk_based":
        return _by_risk(terms, trade, equity, price, reference)
    if terms.size_model == "percent_equity":
        return Span.point(equity * terms.size_value / HUNDRED * terms.leverage)
    return Span.point(terms.size_value * (ONE if terms.size_notional else terms.leverage))


def _by_risk(terms: Terms, trade: Trade, equity: Decimal, price: Decimal, reference: Decimal) -> Span | None:
    measured = stop_span(terms, trade)
    if measured is None:
        return None
    predicted = stop_distance(terms, reference)
    # The stop of the sizing may or may not be on the tick grid already: one tick less is possible.
    raw = measured if predicted is None else Span.point(predicted)
    tightest = max(raw.low - terms.tick, terms.tick / 2)
    budget = equity * terms.size_value / HUNDRED
    costs = 2 * _fee_fraction(terms, price) + terms.slippage if terms.size_costs else ZERO
    return Span(budget / (raw.high / price + costs), budget / (tightest / price + costs))


def _fee_fraction(terms: Terms, price: Decimal) -> Decimal:
    """Return the taker fee of one side as a fraction of the notional."""
    return terms.taker + terms.per_contract / (price * terms.multiplier)


def _cap(terms: Terms, equity: Decimal, price: Decimal) -> Decimal:
    sides = 2 if terms.include_close_fee else 1
    caps = [
        equity * terms.position_equity_max * terms.leverage,
        equity * terms.leverage / (1 + sides * _fee_fraction(terms, price) * terms.leverage),
    ]
    if terms.notional_max is not None:
        caps.append(terms.notional_max)
    if terms.margin_max is not None:
        caps.append(terms.margin_max * terms.leverage)
    return min(caps)


def _largest(terms: Terms) -> Decimal:
    return Decimal("Infinity") if terms.quantity_max is None else terms.quantity_max
