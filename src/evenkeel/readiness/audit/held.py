"""The base bars during which a position was held: row by row beside the levels that counted in each.

The levels of a course change only at few rows: where the stop moved, a step of the target or a part was closed, or the
margin changed. Between these the bars are compared as columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from evenkeel.readiness.audit.artifacts import Run
from evenkeel.readiness.audit.bars import BaseBars, over_ranges
from evenkeel.readiness.audit.course import Course, liquidation
from evenkeel.readiness.audit.tally import Bools, Floats, Ints
from evenkeel.readiness.audit.terms import Terms

NEARLY = 1e-12
"""A liquidation price is on no grid: within this part of it, float64 may see a touch or none."""


class Reach(NamedTuple):
    """The extremes of the bars that a trade possibly held, and of those that it certainly held; None without such."""

    low: float | None
    high: float | None
    certain_low: float | None
    certain_high: float | None


NO_REACH = Reach(None, None, None, None)


class Touch(NamedTuple):
    """A bar that reached what it should not have: the position in doubt, when it opened, and which level."""

    position: int
    open_ns: int
    level: str


class _Levels(NamedTuple):
    """Levels that counted over rows of base bars from `begin` to before `until`; NaN for one that is not there.

    Attributes:
        position: Place among the positions in doubt.
        inside: Whether it is the bar inside which the position was opened: only its close is known to come after.
    """

    position: int
    sign: int
    stop: float
    target: float
    liquidation: float
    inside: bool
    begin: int
    until: int


class Held:
    """Each base bar from the entry of a leg to its exit, both included, and the levels of its position.

    A bar belongs to the last position entered by its open.
    """

    def __init__(self, run: Run, courses: list[Course | None], bars: BaseBars) -> None:
        self._bars = bars
        self._marked = bars.names("MarkPrice")
        self._fires = bars.names(run.terms.models.trigger)
        self._resting = run.terms.target_is_limit
        self._run = run
        found = (row for number, course in enumerate(courses) if course for row in _levels(run.terms, number, course))
        self._levels = [row for row in found if row.until > row.begin]
        self._spared = _spared(run, bars)

    def __len__(self) -> int:
        return self._spared + sum(row.until - row.begin for row in self._levels)

    def earlier_touches(self) -> Iterator[Touch]:
        """Yield the bars without an exit that reached a stop or target."""
        high, low = self._fires
        best, least = ("high", "low") if self._resting else (high, low)
        for row, (up, down, top, bottom) in self._extremes(high, low, best, least):
            stopped = down <= row.stop if row.sign > 0 else up >= row.stop
            reached = top >= row.target if row.sign > 0 else bottom <= row.target
            if stopped or reached:
                yield from self._touches(row, self._fires, (best, least))

    def _touches(self, row: _Levels, fires: tuple[str, str], rests: tuple[str, str]) -> Iterator[Touch]:
        (up, down), (top, bottom) = ([self._bars.columns[n][row.begin : row.until] for n in pair]
                                     for pair in (fires, rests))  # fmt: skip
        close = self._bars.column("close")[row.begin : row.until]
        stopped = down <= row.stop if row.sign > 0 else up >= row.stop
        if row.inside:
            reached = close > row.target if row.sign > 0 else close < row.target
        else:
            reached = top >= row.target if row.sign > 0 else bottom <= row.target
        for place in np.flatnonzero(stopped | reached).tolist():
            yield self._touch(row, place, "stop" if stopped[place] else "target")

    def _touch(self, row: _Levels, place: int, level: str) -> Touch:
        return Touch(row.position, int(self._bars.opens[row.begin + place]), level)

    def unheeded_liquidations(self) -> Iterator[Touch]:
        """Yield the bars without an exit that went beyond the liquidation price."""
        high, low = self._marked
        for row, (up, down) in self._extremes(high, low):
            slack = NEARLY * row.liquidation
            if row.sign * ((down if row.sign > 0 else up) - row.liquidation) < -slack:
                worst = self._bars.columns[low if row.sign > 0 else high][row.begin : row.until]
                for place in np.flatnonzero(row.sign * (worst - row.liquidation) < -slack).tolist():
                    yield self._touch(row, place, "liquidation")

    def _extremes(self, *names: str) -> Iterator[tuple[_Levels, tuple[float, ...]]]:
        """Yield each range of levels with the highest or lowest price over it, by the names of the columns."""
        if not self._levels:
            return
        begin, until = (np.array(rows) for rows in zip(*((row.begin, row.until) for row in self._levels), strict=True))
        found = [self._over(name, begin, until).tolist() for name in names]
        yield from zip(self._levels, zip(*found, strict=True), strict=True)

    def _over(self, name: str, begin: Ints, until: Ints) -> Floats:
        reduce = np.maximum if name.endswith("high") else np.minimum
        return over_ranges(reduce, self._bars.columns[name], begin, until)

    def reach(self) -> dict[int, Reach]:
        """Return the extremes of each leg that held a bar, by its place in the list of trades."""
        legs = _ranges(self._run, self._bars.opens)
        held = legs.until > legs.begin
        begin, until = legs.begin[held], legs.until[held]
        sure_from, sure_until = np.maximum(begin, legs.certain_from[held]), np.minimum(until, legs.certain_until[held])
        sure = sure_until > sure_from
        extremes = [self._over(name, begin, until).tolist() for name in ("low", "high")]
        for name in ("low", "high"):
            found = self._over(name, np.where(sure, sure_from, begin), np.where(sure, sure_until, until))
            extremes.append([one if known else None for one, known in zip(found.tolist(), sure.tolist(), strict=True)])
        return {
            trade: Reach(*four)
            for trade, four in zip(legs.trade[held].tolist(), zip(*extremes, strict=True), strict=True)
        }


def _levels(terms: Terms, number: int, course: Course) -> Iterator[_Levels]:
    """Yield the levels of each stretch of bars before the last exit in which they were the same.

    Bars with an exit are left out: the order of events in them is looked at one by one.
    """
    exits = {closing.row for closing in course.closings}
    moved = [] if course.path is None else [stage.row for stage in course.path.stages]
    cuts = {course.entry_row, course.entry_row + 1, *moved, *(holding.row for holding in course.holdings)}
    cuts |= {row + after for row in exits for after in (0, 1)}
    rows = sorted(row for row in cuts if course.entry_row <= row <= course.last_row)
    entered_inside = course.position.entry.entry_point == "inside"
    for begin, until in pairwise(rows):
        if begin in exits:
            continue
        stop = None if course.path is None else course.path.at(begin).loose.price
        target = _met_at(terms, course, course.filled_before(begin))
        price = liquidation(terms, course.stake_at(begin))
        stop_at, target_at, price_at = (np.nan if one is None else float(one) for one in (stop, target, price))
        inside = entered_inside and begin == course.entry_row
        yield _Levels(number, course.position.sign, stop_at, target_at, price_at, inside, begin, until)


def _met_at(terms: Terms, course: Course, filled: int) -> float | None:
    """Return the price at which the next target fills: one that rests needs the spread and its queue beyond it."""
    if filled >= len(course.steps):
        return None
    level, side = course.steps[filled].far, course.position.sign
    if not terms.target_is_limit:
        return float(level)
    return float((level + side * terms.queue_depth) / (1 - side * terms.models.half_spread))


def _spared(run: Run, bars: BaseBars) -> int:
    """Return how many base bars the positions held that are proven right."""
    if run.proven is None or not run.proven.any():
        return 0
    rows = run.positions.begins[run.proven]
    entered, left = (
        bars.rows_at(run.trades.times(column, attribute).to_numpy()[rows])
        for column, attribute in (("entry_time", "entry_ns"), ("exit_time", "exit_ns"))
    )
    return int((left - entered).sum())


class _Legs(NamedTuple):
    """Legs in doubt that hold a row: their places and rows.

    Attributes:
        trade: Place among the legs in doubt.
        begin: First row; likewise the one behind the last.
        certain_from: First of the rows that were held as a whole; likewise the one behind the last of these.
    """

    trade: Ints
    begin: Ints
    until: Ints
    certain_from: Ints
    certain_until: Ints


def _ranges(run: Run, opens: Ints) -> _Legs:
    """Return the rows of each leg in doubt; a bar belongs to the last position entered by its open."""
    trades = run.doubtful_trades
    entries = np.array([trade.entry_ns for trade in trades], dtype=np.int64)
    exits = np.array([trade.exit_ns for trade in trades], dtype=np.int64)
    inside: Bools = np.array([trade.entry_point == "inside" for trade in trades], dtype=np.bool_)
    late: Bools = np.array([trade.exit_point == "close" for trade in trades], dtype=np.bool_)
    begin, after_entry = (np.searchsorted(opens, entries, side=side) for side in _SIDES)
    out, after_exit = (np.searchsorted(opens, exits, side=side) for side in _SIDES)
    later = np.unique(np.searchsorted(opens, run.trades.times("entry_time", "entry_ns").to_numpy()))
    next_begin = np.append(later, len(opens))[np.searchsorted(later, begin, side="right")]
    return _Legs(
        np.arange(len(trades)), begin, np.maximum(begin, np.minimum(after_exit, next_begin)),
        np.where(inside, after_entry, begin), np.where(late, after_exit, out),
    )  # fmt: skip


_SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")
