"""The targets of a position: one level that closes all, or the steps of a ladder, nearest first.

A step closes its share of the whole position, rounded down to the lot; the last closes what is left, and one of no lot
at all is passed over.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from evenkeel.readiness.audit.artifacts import Position, Trade
from evenkeel.readiness.audit.knowledge import Knowledge
from evenkeel.readiness.audit.levels import LADDER, rung_span, stop_distance
from evenkeel.readiness.audit.number import ceilings, floors, on_grid
from evenkeel.readiness.audit.span import Span
from evenkeel.readiness.audit.terms import Terms


class Step(NamedTuple):
    """A target.

    Attributes:
        near: The level nearest to the entry that it may have.
        far: The one farthest from it; the same where the distance is known exactly.
        quantities: What it may close; empty where it closes all that is left.
    """

    near: Decimal
    far: Decimal
    quantities: frozenset[Decimal]

    def may_be(self, level: Decimal, tick: Decimal) -> bool:
        """Whether the step may have this level."""
        return min(self.near, self.far) <= level <= max(self.near, self.far) and on_grid(level, tick)


def target_steps(terms: Terms, position: Position, known: Knowledge) -> tuple[Step, ...]:
    """Return the steps of a position's target, nearest first; none without a target."""
    entry = position.entry
    rule = terms.target_rule
    if rule is None or rule.kind != LADDER:
        return () if entry.target is None else (Step(entry.target, entry.target, frozenset()),)
    stop = stop_distance(terms, position, known)
    spans = [(rung, rung_span(rung, stop, known.price(entry))) for rung in rule.rungs]
    if not spans or not all(span.high.is_finite() for _, span in spans):
        return ()
    spans.sort(key=lambda placed: placed[1].low)
    *earlier, last = (
        Step(*_levels(terms, entry, span), frozenset(floors(position.quantity * rung.share, terms.lot)))
        for rung, span in spans
    )
    return (*(step for step in earlier if max(step.quantities) > 0), last._replace(quantities=frozenset()))


def _levels(terms: Terms, entry: Trade, distance: Span) -> tuple[Decimal, Decimal]:
    """Return the levels at the ends of a distance, each on the tick towards the entry."""
    low, high = entry.entry_price + entry.sign * distance.low, entry.entry_price + entry.sign * distance.high
    if entry.sign > 0:
        return min(floors(low, terms.tick)), max(floors(high, terms.tick))
    return max(ceilings(low, terms.tick)), min(ceilings(high, terms.tick))
