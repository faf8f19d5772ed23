"""At which instants a condition is looked at, and how far back that reaches.

A window looks at its inside on a grid of its own, a cross at the sample before: each is a *step*, one bar of some
timeframe back. A condition whose steps all fall on the instants of the decisions is computed there; any other one on a
grid of finer instants, whole. Steps inside each other add up, each counted from the instant that the outer one chose.

Reach is counted in minutes of trading: from it follows how many closed bars of each timeframe a condition reads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from evenkeel.data.calendar import Calendar, day_number, load_calendar
from evenkeel.model.time import MINUTE, TIMEFRAMES, Timeframe
from evenkeel.strategies.play.expression import (
    Arithmetic,
    Builtin,
    Compare,
    Condition,
    FeatureRef,
    Literal,
    Operand,
    SetupRef,
    Window,
    children,
    operands,
)
from evenkeel.strategies.play.subject import Subject
from evenkeel.strategies.play.vocabulary import CROSS_OPERATORS, FORMING_COLUMNS, MINUTE_PRICES, SIDE_RATES

ONE_MINUTE = TIMEFRAMES["1m"]
DAY_MINUTES = 1440
ORDINARY_DAYS = 14
"""Among so many days there is one with full hours."""

Leaf = FeatureRef | Builtin


class Sampling:
    """What a play's conditions look at.

    Attributes:
        exec: The execution timeframe.
        drive: The timeframe at whose closes decisions are made: minutes for `intrabar`, else the execution timeframe.
    """

    def __init__(self, play: Subject) -> None:
        self.exec = play.intervals.exec
        self.drive = ONE_MINUTE if play.evaluate == "intrabar" else self.exec
        calendar = load_calendar(play.instrument.calendar)
        self._clock = Clock(calendar)
        self._roles = (play.intervals.low, play.intervals.med, play.intervals.high)
        self._unbroken = calendar.always_open and play.instrument.absence_is_fault
        self._timeframes = {spec.id: spec.timeframe for spec in play.features}
        self._timeframes |= {spec.key: spec.timeframe for spec in play.structures}
        self._setups = play.setups
        self._steps: dict[str, frozenset[Timeframe]] = {}
        self._reads: dict[str, Mapping[Leaf, int]] = {}

    def grid(self, condition: Condition) -> Timeframe | None:
        """Return the timeframe on whose closes a condition is computed; None is where decisions are made.

        Where bars may be missing, a step other than to the decision before has instants of its own: the close of an
        execution bar need not be that of a minute that traded.
        """
        steps = self.steps(condition)
        finest = TIMEFRAMES_BY_MINUTES[math.gcd(self.drive.minutes, *(step.minutes for step in steps))]
        if steps <= {self.drive} or (finest == self.drive and self._unbroken):
            return None
        return finest

    def steps(self, condition: Condition) -> frozenset[Timeframe]:
        """Return every step within a condition, setups included."""
        if isinstance(condition, SetupRef):
            if condition.id not in self._steps:
                self._steps[condition.id] = self.steps(self._setups[condition.id])
            return self._steps[condition.id]
        own: set[Timeframe] = set()
        if isinstance(condition, Window):
            own.add(self.window_step(condition))
        elif isinstance(condition, Compare):
            own.update(self._compare_steps(condition))
        return frozenset(own.union(*(self.steps(child) for child in children(condition))))

    def instants(self, condition: Condition, grid: Timeframe) -> frozenset[Timeframe]:
        """Return the timeframes whose closes are instants of a condition's grid beside those of the grid itself."""
        if self._unbroken:
            return frozenset()
        return self.steps(condition) | {timeframe for timeframe in self._roles if timeframe > grid}

    def window_step(self, window: Window) -> Timeframe:
        """Return the grid of a window."""
        return window.anchor_tf or self.exec

    def cross_step(self, compare: Compare) -> Timeframe:
        """Return the grid of a cross: the finest of its operands' timeframes and the execution timeframe."""
        return min([self.exec, *(self._moves(leaf) for leaf in leaves(compare))])

    def _compare_steps(self, compare: Compare) -> set[Timeframe]:
        steps = {self.cross_step(compare)} if compare.op in CROSS_OPERATORS else set()
        if any(isinstance(leaf, Builtin) and leaf.name in SIDE_RATES and leaf.offset for leaf in leaves(compare)):
            steps.add(self.exec)
        return steps

    def _moves(self, leaf: Leaf) -> Timeframe:
        """Return the timeframe on which a value moves."""
        if isinstance(leaf, FeatureRef):
            return self._timeframes[leaf.id]
        if leaf.name in MINUTE_PRICES:
            return ONE_MINUTE
        return self.drive if leaf.name in FORMING_COLUMNS else self.exec

    def is_next(self, step: Timeframe, grid: Timeframe | None) -> bool:
        """Return whether one bar of a timeframe earlier is the instant before; `grid` as `grid` returns it."""
        return step == self.drive if grid is None else step == grid and self._unbroken

    def columns(self, step: Timeframe, grid: Timeframe) -> int:
        """Return over how many instants of a grid one bar of a timeframe reaches at most."""
        spare = 0 if self._unbroken else len(TIMEFRAMES)
        return -(-self._clock.longest(step) // self._clock.longest(grid)) + spare

    def reads(self, condition: Condition) -> Mapping[Leaf, int]:
        """Return what a condition reads and over how many minutes of trading back, at most."""
        if isinstance(condition, SetupRef):
            if condition.id not in self._reads:
                self._reads[condition.id] = self.reads(self._setups[condition.id])
            return self._reads[condition.id]
        found: dict[Leaf, int] = dict.fromkeys(leaves(condition), 0)
        for child in children(condition):
            for leaf, reach in self.reads(child).items():
                found[leaf] = max(reach, found.get(leaf, 0))
        further = 0
        if isinstance(condition, Window):
            further = (condition.bars - 1) * self._clock.longest(self.window_step(condition))
        elif isinstance(condition, Compare) and condition.op in CROSS_OPERATORS:
            further = self._clock.longest(self.cross_step(condition))
        return {leaf: reach + further for leaf, reach in found.items()}

    def bars_within(self, minutes: int, timeframe: Timeframe) -> int:
        """Return how many bars of a timeframe close within so many minutes of trading, at most."""
        if timeframe <= self.exec:
            return -(-minutes // self._clock.longest(timeframe))
        return self._clock.closes_within(minutes, timeframe)


class Clock:
    """How many minutes of trading a bar holds."""

    def __init__(self, calendar: Calendar) -> None:
        self._always_open = calendar.always_open
        self._session = session_minutes(calendar)

    def longest(self, timeframe: Timeframe) -> int:
        """Return the minutes of the longest bar of a timeframe."""
        days = {"D": 1, "W": 7 if self._always_open else 5, "M": 31 if self._always_open else 23}
        if timeframe.name in days:
            return days[timeframe.name] * self._session
        return min(timeframe.minutes, self._session)

    def closes_within(self, minutes: int, timeframe: Timeframe) -> int:
        """Return how many bars of a timeframe close within so many minutes of trading, at most."""
        days = {"D": 1, "W": 7 if self._always_open else 3, "M": 28 if self._always_open else 18}
        if timeframe.name in days:
            return -(-minutes // (days[timeframe.name] * self._session))
        sessions, rest = divmod(minutes, self._session)
        each = -(-self._session // timeframe.minutes)
        return sessions * each + min(each, -(-rest // timeframe.minutes))


def session_minutes(calendar: Calendar) -> int:
    """Return the length of an ordinary trading day in minutes."""
    if calendar.always_open:
        return DAY_MINUTES
    last = day_number(calendar.last_day)
    opens, closes = calendar.session_bounds(calendar.trading_days(last - ORDINARY_DAYS, last))
    return int((closes - opens).max() // MINUTE)


def leaves(condition: Condition) -> tuple[Leaf, ...]:
    """Return the references directly inside a comparison, those in arithmetic too."""
    return tuple(leaf for operand in operands(condition) for leaf in _leaves(operand))


def _leaves(operand: Operand) -> tuple[Leaf, ...]:
    match operand:
        case Arithmetic(_, left, right, _):
            return (*_leaves(left), *_leaves(right))
        case Literal():
            return ()
        case _:
            return (operand,)


TIMEFRAMES_BY_MINUTES = {timeframe.minutes: timeframe for timeframe in TIMEFRAMES.values()}
