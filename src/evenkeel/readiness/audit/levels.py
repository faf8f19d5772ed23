"""Stops and targets: on the right side, on the tick grid, and at the distance that the rules of the strategy give.

`SL_TP_LEVELS` (6) and `SL_TP_CALC` (10). A level is rounded to the tick towards the entry, so a level at distance D
from the fill says that the distance before rounding was D or up to one tick more. That range must meet what the rule
predicts: one number where the rule needs only the reference price; for a target in terms of its stop (or of the same
ATR) the range that the stop leaves open. What an indicator decides alone (the ATR, a swing level) is not derived.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from evenkeel.readiness.audit.artifacts import Run, Trade
from evenkeel.readiness.audit.bars import BaseBars
from evenkeel.readiness.audit.check import Check, judged
from evenkeel.readiness.audit.number import GRID_TOLERANCE, HUNDRED, ONE, on_grid
from evenkeel.readiness.audit.span import EVERYTHING, Span
from evenkeel.readiness.audit.terms import Rule, Terms


def level_sides(run: Run) -> Check:
    """Check that stop, entry and target are in this order for a long, in the reverse for a short, on the tick grid."""
    problems = [problem for trade in run.trades for problem in _side_problems(run.terms, trade)]
    return judged("SL_TP_LEVELS", problems, f"the levels of {len(run.trades)} trades")


def _side_problems(terms: Terms, trade: Trade) -> Iterator[str]:
    label = f"trade {trade.number}"
    for word, level, side in (("stop", trade.stop, -trade.sign), ("target", trade.target, trade.sign)):
        if level is None:
            continue
        if side * (level - trade.entry_price) <= 0:
            yield f"{label}: the {word} {level} is on the wrong side of the entry at {trade.entry_price}"
        if not on_grid(level, terms.tick):
            yield f"{label}: the {word} {level} is not on the tick grid of {terms.tick}"
    if not terms.is_play:
        return
    for word, level, rule in (("stop", trade.stop, terms.stop_rule), ("target", trade.target, terms.target_rule)):
        if (level is None) != (rule is None):
            yield f"{label}: it has {'no' if level is None else 'a'} {word}, against the rules of the strategy"


def level_distances(run: Run, bars: BaseBars | None) -> Check:
    """Check the distances of stop and target against the rules, as far as these need no indicator."""
    problems = [problem for trade in run.trades for problem in _distance_problems(run.terms, trade, bars)]
    basis = "from the close at each decision" if bars is not None else "from each other: the bars were not given"
    kinds = [rule.kind for rule in (run.terms.stop_rule, run.terms.target_rule) if rule is not None]
    rules = " and ".join(kinds) or "no rules"
    return judged("SL_TP_CALC", problems, f"{rules} of {len(run.trades)} trades, {basis}")


def _distance_problems(terms: Terms, trade: Trade, bars: BaseBars | None) -> Iterator[str]:
    reference = decision_price(trade, bars)
    measured_stop = stop_span(terms, trade)
    predicted_stop = _predicted(terms, terms.stop_rule, reference) or EVERYTHING
    if measured_stop is not None and not predicted_stop.meets(measured_stop):
        yield f"trade {trade.number}: the stop is {measured_stop} from the fill, the rule gives {predicted_stop}"
        return
    measured_target = _measured(terms, trade, trade.target, trade.sign)
    if measured_target is None or terms.target_rule is None:
        return
    stop = None if measured_stop is None else measured_stop.within(predicted_stop)
    predicted = _predicted(terms, terms.target_rule, reference)
    if predicted is None:
        predicted = _from_stop(terms, terms.target_rule, stop, reference) or EVERYTHING
    if not predicted.meets(measured_target):
        yield f"trade {trade.number}: the target is {measured_target} from the fill, the rule gives {predicted}"


def decision_price(trade: Trade, bars: BaseBars | None) -> Decimal | None:
    """Return the reference of a trade: the last close known at its decision."""
    row = None if bars is None else bars.decision_row(trade.decided_ns, trade.entry_ns)
    return None if bars is None or row is None else bars.bar(row).close


def stop_span(terms: Terms, trade: Trade) -> Span | None:
    """Return what the stop after rounding says about its distance before rounding."""
    return _measured(terms, trade, trade.stop, -trade.sign)


def stop_distance(terms: Terms, reference: Decimal | None) -> Decimal | None:
    """Return the distance that the stop's rule gives, or None where an indicator decides."""
    predicted = _predicted(terms, terms.stop_rule, reference)
    return None if predicted is None else predicted.low


def _measured(terms: Terms, trade: Trade, level: Decimal | None, side: int) -> Span | None:
    if level is None:
        return None
    distance = side * (level - trade.entry_price)
    slack = GRID_TOLERANCE * max(level, trade.entry_price)
    return Span(distance - slack, (distance + terms.tick).next_minus())


def _fraction(terms: Terms, rule: Rule, value: Decimal) -> Decimal:
    """Return a percentage rule as a fraction of price: a percentage of margin shrinks with leverage."""
    return value / HUNDRED / (terms.leverage if rule.of_margin else ONE)


def _predicted(terms: Terms, rule: Rule | None, reference: Decimal | None) -> Span | None:
    if rule is None or rule.value is None:
        return None
    if rule.kind == "fixed_points":
        return Span.point(rule.value)
    if rule.kind == "percent" and reference is not None:
        return Span.point(reference * _fraction(terms, rule, rule.value))
    return None


def _from_stop(terms: Terms, rule: Rule, stop: Span | None, reference: Decimal | None) -> Span | None:
    """Return what a target's rule gives when the stop's distance is known only as a range."""
    of_stop = terms.stop_rule
    if stop is None or of_stop is None or rule.value is None:
        return None
    if rule.kind == "rr_ratio":
        return stop * rule.value
    if of_stop.value is None or rule.kind != of_stop.kind:
        return None
    if rule.kind == "percent":
        return stop * (_fraction(terms, rule, rule.value) / _fraction(terms, of_stop, of_stop.value))
    buffered = of_stop.buffer != 0
    if rule.kind == "atr_multiple" and rule.feature == of_stop.feature and not (buffered and reference is None):
        buffer = of_stop.buffer * (reference or 0)
        return (stop + -buffer) * (rule.value / of_stop.value)
    return None
