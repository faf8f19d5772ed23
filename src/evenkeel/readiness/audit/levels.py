"""Stops and targets: on the right side, on the tick grid, and at the distance that the rules of the strategy give.

`SL_TP_LEVELS` (6) and `SL_TP_CALC` (10). A level is rounded to the tick towards the entry, so a level at distance D
from the fill says that the distance before rounding was D or up to one tick more. That range must meet what the rule
predicts: one number where the rule needs only the price at the decision or an ATR, which the audit derives itself; for
a target in terms of its stop (or of the same ATR) the range that the stop leaves open. What a structure decides alone
(a swing level) is not derived.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from evenkeel.readiness.audit.artifacts import Position, Run, Trade
from evenkeel.readiness.audit.bars import BaseBars
from evenkeel.readiness.audit.check import Check, judged
from evenkeel.readiness.audit.knowledge import Knowledge
from evenkeel.readiness.audit.margin import Stake, stop_distance_max
from evenkeel.readiness.audit.number import GRID_TOLERANCE, HUNDRED, ONE, STATISTIC_TOLERANCE, ZERO, on_grid
from evenkeel.readiness.audit.rule import Rule, Rung
from evenkeel.readiness.audit.span import EVERYTHING, Span
from evenkeel.readiness.audit.terms import Terms

LADDER = "ladder"


def level_sides(run: Run) -> Check:
    """Check that stop, entry and target are in this order for a long, in the reverse for a short, on the tick grid."""
    problems = [problem for trade in run.doubtful_trades for problem in _side_problems(run.terms, trade)]
    return judged("SL_TP_LEVELS", problems, f"the levels of {len(run.trades)} trades")


def _side_problems(terms: Terms, trade: Trade) -> Iterator[str]:
    label = trade.label
    for word, level, side in (("stop", trade.stop, -trade.sign), ("target", trade.target, trade.sign)):
        if level is None:
            continue
        if side * (level - trade.entry_price) <= 0:
            yield f"{label}: the {word} {level} is on the wrong side of the entry at {trade.entry_price}"
        if not on_grid(level, terms.tick):
            yield f"{label}: the {word} {level} is not on the tick grid of {terms.tick}"
    if trade.final_stop is not None and not on_grid(trade.final_stop, terms.tick):
        yield f"{label}: the final stop {trade.final_stop} is not on the tick grid of {terms.tick}"
    if not terms.is_play:
        return
    for word, level, rule in (("stop", trade.stop, terms.stop_rule), ("target", trade.target, terms.target_rule)):
        if (level is None) != (rule is None):
            yield f"{label}: it has {'no' if level is None else 'a'} {word}, against the rules of the strategy"


def level_distances(run: Run, bars: BaseBars | None, known: Knowledge) -> Check:
    """Check the distances of stop and target against the rules, as far as these need no structure."""
    problems = [
        problem for position in run.doubtful_positions for problem in _distance_problems(run.terms, position, known)
    ]
    basis = "from the close at each decision" if bars is not None else "from each other: the bars were not given"
    kinds = [rule.kind for rule in (run.terms.stop_rule, run.terms.target_rule) if rule is not None]
    rules = " and ".join(kinds) or "no rules"
    return judged("SL_TP_CALC", problems, f"{rules} of {len(run.positions)} trades, {basis}")


def _distance_problems(terms: Terms, position: Position, known: Knowledge) -> Iterator[str]:
    trade = position.entry
    measured_stop = stop_span(terms, trade)
    predicted_stop = predicted_stop_span(terms, position, known) or EVERYTHING
    if measured_stop is not None and not predicted_stop.meets(measured_stop):
        yield f"trade {trade.number}: the stop is {measured_stop} from the fill, the rule gives {predicted_stop}"
        return
    measured_target = _measured(terms, trade, trade.target, trade.sign)
    if measured_target is None or terms.target_rule is None:
        return
    stop = None if measured_stop is None else measured_stop.within(predicted_stop)
    predicted = target_spans(terms, trade, stop, known)
    if not any(span.meets(measured_target) for span in predicted):
        expected = " or ".join(map(str, predicted))
        yield f"trade {trade.number}: the target is {measured_target} from the fill, the rule gives {expected}"


def stop_span(terms: Terms, trade: Trade) -> Span | None:
    """Return what the stop after rounding says about its distance before rounding."""
    return _measured(terms, trade, trade.stop, -trade.sign)


def predicted_stop_span(terms: Terms, position: Position, known: Knowledge) -> Span | None:
    """Return the distance that the stop's rule gives, or None where a structure decides.

    Where the strategy asks for it, a stop beyond the liquidation is moved before it.
    """
    trade = position.entry
    span = _predicted(terms, trade, terms.stop_rule, known)
    price = known.price(trade)
    if span is None or price is None or terms.margin.beyond != "adjust":
        return span
    most = stop_distance_max(terms.margin, Stake(trade.sign, position.quantity * terms.multiplier, price))
    return span if most is None else Span(min(span.low, most), min(span.high, most))


def stop_distance(terms: Terms, position: Position, known: Knowledge) -> Span | None:
    """Return what rule and level together say about the distance of the stop before rounding."""
    measured, predicted = stop_span(terms, position.entry), predicted_stop_span(terms, position, known)
    if measured is None or predicted is None:
        return measured
    return measured.within(predicted) if measured.meets(predicted) else measured


def target_spans(terms: Terms, trade: Trade, stop: Span | None, known: Knowledge) -> list[Span]:
    """Return the distances that the target's rule gives: one, or that of each step of a ladder."""
    rule = terms.target_rule
    if rule is None:
        return []
    if rule.kind == LADDER:
        return [rung_span(rung, stop, known.price(trade)) for rung in rule.rungs]
    predicted = _predicted(terms, trade, rule, known) or _from_stop(terms, rule, stop, known.price(trade))
    return [predicted or EVERYTHING]


def rung_span(rung: Rung, stop: Span | None, price: Decimal | None) -> Span:
    """Return the distance of a step of a ladder: a multiple of the stop's, or a fraction of the price."""
    if rung.ratio is not None:
        return EVERYTHING if stop is None else stop * rung.ratio
    return EVERYTHING if price is None else Span.point(price * (rung.fraction or ZERO))


def _measured(terms: Terms, trade: Trade, level: Decimal | None, side: int) -> Span | None:
    if level is None:
        return None
    distance = side * (level - trade.entry_price)
    slack = GRID_TOLERANCE * max(level, trade.entry_price)
    return Span(distance - slack, (distance + terms.tick).next_minus())


def _fraction(terms: Terms, rule: Rule, value: Decimal) -> Decimal:
    """Return a percentage rule as a fraction of price: a percentage of margin shrinks with leverage."""
    return value / HUNDRED / (terms.leverage if rule.of_margin else ONE)


def range_span(average: Decimal, multiple: Decimal, added: Decimal = ZERO) -> Span:
    """Return a distance of average ranges, as exactly as float64 knows such an average."""
    distance, slack = average * multiple, STATISTIC_TOLERANCE * average * multiple
    return Span(distance - slack, distance + slack) + added


def _predicted(terms: Terms, trade: Trade, rule: Rule | None, known: Knowledge) -> Span | None:
    if rule is None or rule.value is None:
        return None
    if rule.kind == "fixed_points":
        return Span.point(rule.value)
    price, average = known.price(trade), known.average_range(trade, rule.feature)
    if price is None:
        return None
    if rule.kind == "percent":
        return Span.point(price * _fraction(terms, rule, rule.value))
    if rule.kind == "trailing_pct":
        return Span.point(price * rule.value / HUNDRED)
    if rule.kind in ("atr_multiple", "trailing_atr") and average is not None:
        return range_span(average, rule.value, rule.buffer * price)
    return None


def _from_stop(terms: Terms, rule: Rule, stop: Span | None, reference: Decimal | None) -> Span | None:
    """Return what a target's rule gives when the stop's distance is known only as a range."""
    of_stop = terms.stop_rule
    if stop is None or of_stop is None or rule.value is None:
        return None
    if rule.kind == "rr_ratio":
        return stop * rule.value
    if of_stop.value is None or rule.kind != of_stop.kind or terms.margin.beyond == "adjust":
        return None
    if rule.kind == "percent":
        return stop * (_fraction(terms, rule, rule.value) / _fraction(terms, of_stop, of_stop.value))
    buffered = of_stop.buffer != 0
    if rule.kind == "atr_multiple" and rule.feature == of_stop.feature and not (buffered and reference is None):
        buffer = of_stop.buffer * (reference or 0)
        return (stop + -buffer) * (rule.value / of_stop.value)
    return None
