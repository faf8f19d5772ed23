"""Which level was touched first: `TP_SL_FIRST` (26).

No base bar without an exit may have reached the stop or the next target. In a bar with exits the order of events is
gap at the open (stop or liquidation, then targets), what was ordered before, stop or liquidation inside, targets inside
from the nearest on, the close.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby

from evenkeel.readiness.audit.artifacts import Run, Trade
from evenkeel.readiness.audit.bars import NO_BARS, Bar, BaseBars
from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.course import Closing, Course, stop_within
from evenkeel.readiness.audit.held import Held
from evenkeel.readiness.audit.liquidation import LIQUIDATION, liquidation_point
from evenkeel.readiness.audit.moment import instant_text
from evenkeel.readiness.audit.rules import entered_inside, passed, target_met
from evenkeel.readiness.audit.stop_path import REASONS
from evenkeel.readiness.audit.targets import Step
from evenkeel.readiness.audit.terms import Terms

STOPS = (*REASONS, LIQUIDATION)
"""What a touched stop may become: one filled beyond the bankruptcy price is a liquidation."""


def first_touch(run: Run, bars: BaseBars | None, courses: list[Course | None] | None, held: Held | None) -> Check:
    """Check that no base bar before an exit had reached stop or target, and the order within the bars of exits."""
    name = "TP_SL_FIRST"
    if bars is None or courses is None or held is None:
        return skipped(name, NO_BARS)
    places = run.doubtful
    problems = [
        f"trade {run.positions[places[touch.position]].number}: the base bar of {instant_text(touch.open_ns)} "
        f"reached its {touch.level} first"
        for touch in held.earlier_touches()
    ]
    for course in courses:
        for row, group in groupby(() if course is None else course.closings, key=lambda closing: closing.row):
            if course is not None:
                problems += _bar_problems(run.terms, course, list(group), bars.bar(row))
    return judged(name, problems, f"{len(held)} base bars held in {len(run.positions)} positions")


def _bar_problems(terms: Terms, course: Course, closings: list[Closing], bar: Bar) -> Iterator[str]:
    """Report events of a bar that came in another order than the exits recorded in it say."""
    first, legs = closings[0], [closing.trade for closing in closings]
    side, stop = first.trade.sign, stop_within(course, first)
    steps = course.steps[first.filled :]
    inside, fires = entered_inside(first.trade, bar), bar.fires(terms)
    opened = bar.open if terms.target_is_limit else fires.open
    closed = closings[-1].trade.quantity >= closings[-1].held
    if not inside:
        if stop is not None and passed(stop, fires.open, -side):
            if legs[0].exit_reason not in STOPS or legs[0].exit_point != "open":
                yield f"{_label(legs[0])}, but the bar opened beyond the stop"
            return
        taken = _targets(legs, "open")
        if taken < _reached(terms, steps, opened, side) and not (closed and taken == len(legs)):
            yield f"{_label(legs[0])}, but the bar opened beyond the target"
            return
        legs, steps = legs[taken:], steps[taken:]
        if legs and legs[0].exit_point == "open" and legs[0].exit_reason not in (*REASONS, "tp"):
            legs = legs[1:]
    due = liquidation_point(terms, course, first, first.stake, bar)
    liquidated = due is not None or any(leg.exit_reason == LIQUIDATION for leg in legs)
    if not liquidated and not (closed and not legs):  # the check of liquidations looks at these
        yield from _inside_problems(terms, closings, legs, steps, stop, bar)


def _inside_problems(
    terms: Terms, closings: list[Closing], legs: list[Trade], steps: Sequence[Step], stop: Decimal | None, bar: Bar
) -> Iterator[str]:
    """Report the events after the open of a bar; `legs` are those that are left for them."""
    last = closings[-1].trade
    side, inside = last.sign, entered_inside(last, bar)
    fires = bar.fires(terms)
    if stop is not None and passed(stop, fires.worst(side), -side):
        if not legs or legs[0].exit_reason not in STOPS or legs[0].exit_point != "inside":
            yield f"{_label(legs[0] if legs else last)}, but the bar reached the stop too, which counts first"
        return
    taken = _targets(legs, "inside")
    ended = taken == len(legs) and last.quantity >= closings[-1].held
    best = bar.best(side) if terms.target_is_limit else fires.best(side)
    if taken < _reached(terms, steps, bar.close if inside else best, side) and not ended:
        yield f"{_label(legs[taken] if taken < len(legs) else last)}, but the bar reached the target before"
    rest = legs[taken:]
    if rest and rest[0].exit_point == "close":
        rest = rest[1:]
    for leg in rest:
        yield f"{_label(leg)}, which is not its turn in the bar"


def _targets(legs: list[Trade], point: str) -> int:
    """Return how many of the first legs are targets filled at that point."""
    count = 0
    while count < len(legs) and legs[count].exit_reason == "tp" and legs[count].exit_point == point:
        count += 1
    return count


def _reached(terms: Terms, steps: Sequence[Step], price: Decimal, side: int) -> int:
    """Return how many targets, nearest first, certainly filled at a price."""
    return sum(target_met(terms, step.far, price, side) for step in steps)


def _label(trade: Trade) -> str:
    return f"{trade.label}: {trade.exit_reason} at {instant_text(trade.exit_ns)}"
