"""The legs of a position: `LEGS`, how much each closes, and `STOP_PATH`, where the stop stood when it closed.

A signal closes its part of what is held when it is decided, rounded down to the lot; a step of a ladder its share of
the whole position; everything else closes all that is left. Only the last leg leaves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evenkeel.readiness.audit.artifacts import Position, Run
from evenkeel.readiness.audit.bars import NO_BARS
from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.course import Closing, Course
from evenkeel.readiness.audit.number import floors
from evenkeel.readiness.audit.stop_path import REASONS
from evenkeel.readiness.audit.terms import Terms

SHARED = (
    "sign", "decided_ns", "entry_ns", "entry_price", "entry_reason", "entry_kind", "entry_point", "entry_liquidity",
    "stop",
)  # fmt: skip
"""What all legs of a position must say alike."""


def legs(run: Run, courses: list[Course | None] | None) -> Check:
    """Check that the legs of a position share its entry, and what each closes; steps of a ladder need bars."""
    problems: list[str] = []
    of_position = courses or [None] * len(run.doubtful)
    for position, course in zip(run.doubtful_positions, of_position, strict=True):
        problems += _unlike(position)
        problems += _quantity_problems(run.terms, position, course)
    count = int((np.diff(np.append(run.positions.begins, len(run.trades))) > 1).sum())
    return judged("LEGS", problems, f"{len(run.trades)} legs; {count} positions have more than one")


def _unlike(position: Position) -> Iterator[str]:
    for leg in position.legs[1:]:
        different = [name for name in SHARED if getattr(leg, name) != getattr(position.entry, name)]
        if different:
            yield f"{leg.label}: its {different[0].removesuffix('_ns')} is not that of leg 1"


def _quantity_problems(terms: Terms, position: Position, course: Course | None) -> Iterator[str]:
    held = ordered = position.quantity
    for number, leg in enumerate(position.legs):
        if leg.exit_point == "close" or number == 0 or leg.exit_ns != position.legs[number - 1].exit_ns:
            ordered = held  # a signal is sized before the bar in which it fills
        closing = None if course is None else course.closings[number]
        if leg.quantity < held and leg.exit_reason not in ("signal", "tp"):
            yield f"{leg.label}: {leg.exit_reason} closes {leg.quantity} of {held}; it must close all"
        if leg.exit_reason == "signal":
            shares = None if terms.exit_shares is None else terms.exit_shares[leg.sign]
            parts = (
                None if shares is None else {part for share in shares for part in floors(ordered * share, terms.lot)}
            )
            if parts is not None and leg.quantity not in {min(part, held) for part in parts}:
                yield f"{leg.label}: a signal closes {leg.quantity} of {ordered}, which none of the exits asks for"
        if leg.exit_reason == "tp" and closing is not None and course is not None:
            yield from _step_problems(course, closing)
        held -= leg.quantity


def _step_problems(course: Course, closing: Closing) -> Iterator[str]:
    leg, held = closing.trade, closing.held
    if closing.filled >= len(course.steps):
        yield f"{leg.label}: there is no target left for it"
        return
    step = course.steps[closing.filled]
    allowed = {min(quantity, held) for quantity in step.quantities} or {held}
    if leg.quantity not in allowed:
        expected = " or ".join(str(quantity) for quantity in sorted(allowed))
        yield f"{leg.label}: the target closes {leg.quantity} of {held}, its step closes {expected}"


def stop_paths(courses: list[Course | None] | None) -> Check:
    """Check of each leg the level of the stop when it was closed, and by whom it was moved there if it was hit."""
    name = "STOP_PATH"
    if courses is None:
        return skipped(name, NO_BARS)
    known = [course for course in courses if course is not None]
    problems = [problem for course in known for problem in _path_problems(course)]
    told = [course.path for course in known if course.path is not None and course.path.derived]
    moves = sum(len(path.stages) - 1 for path in told)
    unknown = sum(course.path is not None and not course.path.derived for course in known)
    rest = f"; {unknown} follow an ATR that is not known" if unknown else ""
    return judged(name, problems, f"{moves} moves of {len(told)} stops{rest}")


def _path_problems(course: Course) -> Iterator[str]:
    for closing in course.closings:
        leg = closing.trade
        if course.path is None:
            if leg.final_stop is not None:
                yield f"{leg.label}: its stop is {leg.final_stop}, but the position had none"
            continue
        stage = course.path.at(closing.row + (leg.exit_point == "close"))
        reason = leg.exit_reason if leg.exit_reason in REASONS else None
        if course.path.derived and not stage.has(leg.final_stop, reason):
            said = f"the stop stood at {leg.final_stop}" + ("" if reason is None else f", moved by {reason}")
            yield f"{leg.label}: {said}; the closes give {stage.tight.price} by {stage.tight.reason}"
