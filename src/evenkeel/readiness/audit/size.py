"""Quantities derived again from equity, rule and caps (`SIZE`, section 6.8 of the specification of plays).

A play that runs in a playbook is sized by its share of the capital at the decision instead of its own equity.

A quantity above the derived one is always wrong. One below it is wrong in the profile `research`, where nothing but the
strategy and its account limits the size; other profiles may shrink an order.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from evenkeel.readiness.audit.artifacts import Position, Run
from evenkeel.readiness.audit.bars import NO_BARS, BaseBars
from evenkeel.readiness.audit.broker import with_leverage
from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.funds import Funds
from evenkeel.readiness.audit.knowledge import Knowledge
from evenkeel.readiness.audit.levels import predicted_stop_span, stop_distance, stop_span
from evenkeel.readiness.audit.margin import required_margin
from evenkeel.readiness.audit.number import GRID_TOLERANCE, HUNDRED, ONE, ZERO, floors
from evenkeel.readiness.audit.rules import limit_prices
from evenkeel.readiness.audit.span import Span
from evenkeel.readiness.audit.terms import Terms


def sizes(run: Run, bars: BaseBars | None, known: Knowledge) -> Check:
    """Check each quantity against the sizing model and its caps, each notional against the minimum, each margin."""
    name = "SIZE"
    if bars is None:
        return skipped(name, NO_BARS)
    if not run.terms.is_play:
        return skipped(name, "the strategy sizes its orders itself")
    if run.manifest.has("portfolio"):
        return skipped(name, "it was sized from an account that others share; PORTFOLIO_SIZE looks at it")
    problems: list[str] = []
    funds = Funds(run, bars)
    for place, position in zip(run.doubtful, run.doubtful_positions, strict=True):
        share = run.share_at(position.entry.decided_ns)
        equity = run.equity_before(place) if share is None else share
        price = known.price(position.entry)
        terms = run.terms if price is None else with_leverage(run.terms, run.manifest, equity, price)
        row = bars.decision_row(position.entry.decided_ns, position.entry.entry_ns)
        free = Span.point(equity) if row is None else funds.free(row, equity)
        problems += size_problems(terms, position, bars, known, (equity, free))
        if row is not None and funds.barred(row, equity):
            problems.append(f"trade {position.number}: three day trades of five sessions stood, and it was entered")
    return judged(name, problems, f"{len(run.positions)} quantities by {run.terms.size_model}")


def size_problems(
    terms: Terms, position: Position, bars: BaseBars, known: Knowledge, money: tuple[Decimal, Span]
) -> Iterator[str]:
    """Yield what is wrong of a quantity; `money` is the equity at the decision, and what of it was free."""
    _, free = money
    trade, quantity, label = position.entry, position.quantity, f"trade {position.number}"
    reference = known.price(trade)
    if reference is None:
        yield f"{label}: no bar was closed at its decision"
        return
    prices = {reference, *limit_prices(terms, trade, bars)} if trade.entry_kind == "limit" else {reference}
    if quantity * max(prices) * terms.multiplier < terms.notional_min:
        yield f"{label}: the order is worth less than the minimum of {terms.notional_min}"
    needed = required_margin(terms.margin, quantity * min(prices) * terms.multiplier)
    if needed > free.high * (1 + GRID_TOLERANCE):
        yield f"{label}: the order needs {needed:.8f} of free margin, the account has {free.high}"
    stop = _sizing_stop(terms, position, known)
    quantities = [_quantity(terms, money, price, stop) for price in prices]
    allowed = [span for span in quantities if span is not None]
    if not allowed:
        yield f"{label}: a size by risk needs a stop"
        return
    span = Span(min(span.low for span in allowed), max(span.high for span in allowed))
    if quantity > span.high:
        yield f"{label}: the quantity is {quantity}, the size rule allows at most {span.high:f}"
    if quantity < span.low and terms.profile == "research":
        yield f"{label}: the quantity is {quantity}, the size rule gives {span}"


def _sizing_stop(terms: Terms, position: Position, known: Knowledge) -> Span | None:
    """Return the stop's distance as the sizing may have seen it: on the tick grid already or not."""
    if stop_span(terms, position.entry) is None:
        return None
    predicted, measured = predicted_stop_span(terms, position, known), stop_distance(terms, position, known)
    found = measured if predicted is None else predicted
    return None if found is None else Span(max(found.low - terms.tick, terms.tick / 2), found.high)


def _quantity(terms: Terms, money: tuple[Decimal, Span], price: Decimal, stop: Span | None) -> Span | None:
    """Return the quantities, lowest and highest, that the model gives at an order price."""
    (equity, free), unit = money, price * terms.multiplier
    notional = wanted_notional(terms, money, price, stop)
    if notional is None:
        return None
    least, most = (notional_cap(terms, equity, price, used) for used in (free.low, free.high))
    low = min(floors(min(notional.low, least) / unit, terms.lot))
    high = max(floors(min(notional.high, most) / unit, terms.lot))
    return Span(low, high).within(Span(ZERO, _largest(terms)))


def wanted_notional(terms: Terms, money: tuple[Decimal, Span], price: Decimal, stop: Span | None) -> Span | None:
    """Return the notional that the sizing model asks for before caps, or None where it needs a stop and has none.

    Args:
        terms: Model, costs and leverage.
        money: Equity, and what of it is free.
        price: Of the order.
        stop: The distance of the stop.
    """
    equity, free = money
    if terms.size_model == "fixed_quantity":
        return Span.point(terms.size_value * price * terms.multiplier)
    if terms.size_model == "risk_based":
        return None if stop is None else _by_risk(terms, equity, price, stop)
    if terms.size_model == "percent_equity":
        return free * (terms.size_value / HUNDRED * terms.leverage)
    return Span.point(terms.size_value * (ONE if terms.size_notional else terms.leverage))


def _by_risk(terms: Terms, equity: Decimal, price: Decimal, stop: Span) -> Span:
    budget = equity * terms.size_value / HUNDRED
    costs = 2 * _fee_fraction(terms, price) + terms.slippage if terms.size_costs else ZERO
    return Span(budget / (stop.high / price + costs), budget / (stop.low / price + costs))


def _fee_fraction(terms: Terms, price: Decimal) -> Decimal:
    """Return the taker fee of one side as a fraction of the notional."""
    return terms.taker + terms.per_contract / (price * terms.multiplier)


def notional_cap(terms: Terms, equity: Decimal, price: Decimal, free: Decimal) -> Decimal:
    """Return the largest notional that the account allows: by its share, its free money, fees and its own limits."""
    sides = 2 if terms.include_close_fee else 1
    caps = [
        equity * terms.position_equity_max * terms.leverage,
        max(ZERO, free) * terms.leverage / (1 + sides * _fee_fraction(terms, price) * terms.leverage),
    ]
    if terms.margin.liquidates:
        caps.append(terms.margin.notional_max)
    if terms.notional_max is not None:
        caps.append(terms.notional_max)
    if terms.margin_max is not None:
        caps.append(terms.margin_max * terms.leverage)
    return min(caps)


def _largest(terms: Terms) -> Decimal:
    return Decimal("Infinity") if terms.quantity_max is None else terms.quantity_max
