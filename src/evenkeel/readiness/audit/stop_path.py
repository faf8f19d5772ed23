"""The way of a stop from the entry on: where trailing and break-even move it at the close of each base bar.

At a close the trailing rule comes first, then the break-even rule; a level counts from the next base bar on, and for an
exit at the very close, which comes after it. The path is followed twice, once in favour of a tighter stop and once of a
looser one, wherever float64 may decide either way: at the border of an activation, or of a tick. Both are the same
almost always.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from evenkeel.readiness.audit.artifacts import Position
from evenkeel.readiness.audit.knowledge import Knowledge
from evenkeel.readiness.audit.levels import range_span, stop_distance
from evenkeel.readiness.audit.number import PRICE_TOLERANCE, ceilings, exact, floors
from evenkeel.readiness.audit.rule import BreakEven, Trailing
from evenkeel.readiness.audit.span import Span
from evenkeel.readiness.audit.terms import Terms

REASONS = ("sl", "trailing", "breakeven")
"""Why a stop ends a trade: at its first level, or moved there by the one or the other rule."""


class Level(NamedTuple):
    """A level of a stop and the reason of an exit there."""

    price: Decimal
    reason: str


class Stage(NamedTuple):
    """The stop from the base bar of `row` on; the looser and the tighter level are equal but at a border."""

    row: int
    loose: Level
    tight: Level

    def has(self, price: Decimal | None, reason: str | None = None) -> bool:
        """Whether this is the level, and if given the reason, in one of the two ways."""
        return any(price == level.price and reason in (None, level.reason) for level in (self.loose, self.tight))


class StopPath:
    """The stages of the stop of one position, oldest first.

    Attributes:
        derived: False where the distance of the trail is not known: then only the first stage is.
    """

    def __init__(self, stages: list[Stage], *, derived: bool) -> None:
        self.stages = stages
        self.derived = derived

    def at(self, row: int) -> Stage:
        """Return the stage that counts in a base bar."""
        place = bisect_right(self.stages, row, key=lambda stage: stage.row)
        return self.stages[max(place - 1, 0)]


def stop_path(
    terms: Terms, position: Position, known: Knowledge, closes: Iterable[float], first_row: int
) -> StopPath | None:
    """Return the path of a position's stop, or None where it has none.

    Args:
        terms: The terms of the run.
        position: Its entry counts, and its first level.
        known: Gives the ATR of the trail.
        closes: Of the base bars from that of the entry to that of the last exit.
        first_row: Row of the entry's bar.
    """
    stop = position.entry.stop
    if stop is None:
        return None
    first = Level(stop, REASONS[0])
    stages = [Stage(first_row, first, first)]
    trail = trail_distance(terms, position, known)
    unknown = terms.trailing is not None and terms.trailing.multiple is not None and trail is None
    if unknown or (terms.trailing is None and terms.break_even is None):
        return StopPath(stages, derived=not unknown)
    loose = _Track(terms, position, None if trail is None else trail.high, eager=False)
    tight = _Track(terms, position, None if trail is None else trail.low, eager=True)
    best: float | None = None
    for row, close in enumerate(closes, first_row):
        if best is not None and position.sign * (close - best) <= 0:
            continue  # a close that is no new best cannot activate or tighten anything
        best = close
        price = exact(close)
        loose.see(price)
        tight.see(price)
        if (loose.level, tight.level) != stages[-1][1:]:
            stages.append(Stage(row + 1, loose.level, tight.level))
    return StopPath(stages, derived=True)


def trail_distance(terms: Terms, position: Position, known: Knowledge) -> Span | None:
    """Return the distance at which an ATR lets the stop follow, or None where it is not known.

    The ATR is derived from the bars; if it cannot be, the first level of a trailing stop still tells its distance.
    """
    trailing, stop = terms.trailing, terms.stop_rule
    if trailing is None or trailing.multiple is None:
        return None
    average = known.average_range(position.entry, trailing.feature)
    if average is not None:
        return range_span(average, trailing.multiple)
    own = stop is not None and stop.kind == "trailing_atr" and terms.margin.beyond != "adjust"
    return stop_distance(terms, position, known) if own else None


class _Track:
    """One of the two ways to follow a stop."""

    def __init__(self, terms: Terms, position: Position, distance: Decimal | None, *, eager: bool) -> None:
        self._side, self._entry = position.sign, position.entry.entry_price
        self._tick = terms.tick
        self._trailing: Trailing | None = terms.trailing
        self._break_even: BreakEven | None = terms.break_even
        self._distance = distance
        self._eager = eager
        self._armed = False
        self.level = Level(position.entry.stop or Decimal(0), REASONS[0])

    def see(self, close: Decimal) -> None:
        """Move the stop by the close of a base bar, if that tightens it."""
        profit = self._side * (close - self._entry) / self._entry
        if self._trailing is not None:
            self._armed = self._armed or self._reaches(profit, self._trailing.activation)
            if self._armed:
                self._tighten(self._trailed(self._trailing, close), "trailing")
        if self._break_even is not None and self._reaches(profit, self._break_even.activation):
            self._tighten(self._entry * (1 + self._side * self._break_even.offset), "breakeven")
            self._break_even = None

    def _reaches(self, profit: Decimal, activation: Decimal) -> bool:
        return profit >= activation + (-PRICE_TOLERANCE if self._eager else PRICE_TOLERANCE)

    def _trailed(self, trailing: Trailing, close: Decimal) -> Decimal:
        if trailing.fraction is not None:
            return close * (1 - self._side * trailing.fraction)
        return close - self._side * (self._distance or Decimal(0))

    def _tighten(self, raw: Decimal, reason: str) -> None:
        if self._side * (raw - self.level.price) <= 0:
            return  # the level is on the grid already, so rounding towards the entry does not go beyond it
        candidates = ceilings(raw, self._tick) if self._side > 0 else floors(raw, self._tick)
        tightest_first = sorted(candidates, reverse=self._side > 0)
        price = tightest_first[0 if self._eager else -1]
        if self._side * (price - self.level.price) > 0:
            self.level = Level(price, reason)
