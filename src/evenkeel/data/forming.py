"""Higher bars in the making, one closed base bar at a time: what `aggregate` does to whole arrays, and by its kernel.

A bar ends when the newest base bar reaches its end, when a base bar behind its end comes (the last of its intervals had
no trade), or when the caller says that no more base bars close by then.

    forming = Forming(M1, [H1], load_calendar("24/7"))
    for ended in forming.fold(bar, reach_ns=bar.close_ns): ...
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numba import types

from evenkeel.data.aggregate import (
    NOTHING,
    SIGNATURE,
    STATE_FLOATS,
    STATE_INTS,
    WHOLE,
    aggregate_block,
    bucket_bounds,
    require_multiple,
    require_nested,
)
from evenkeel.data.calendar import Calendar
from evenkeel.kernel import FLOATS_IN, INTS, INTS_IN, TABLE, WINDOW, compiled, kernel
from evenkeel.model.bar import Bars, BarValues, Floats, Ints
from evenkeel.model.errors import UsageError
from evenkeel.model.time import Timeframe

AHEAD_BARS = 256
"""For so many base bars to come the calendar is asked at once."""

LEFT, LEFT_WHOLE, REACHED, REACHED_WHOLE = 1, 2, 4, 8
"""How a bar in progress ended: a base bar came behind its end, or its end was reached; and whether it was seen whole.
One that was not seen from its open ends without values."""


class Ended(NamedTuple):
    """A higher bar that ended.

    Attributes:
        timeframe: Which, by its number among those that are made.
        open_ns: When it opened.
        close_ns: When it closed.
        values: Open, high, low, close and volume; None of one that was not seen from its open, and of no use.
    """

    timeframe: int
    open_ns: int
    close_ns: int
    values: tuple[float, ...] | None


class FormingSaved(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Bars in progress between two base bars: the two state arrays, int64 and float64."""

    places: bytes
    partials: bytes


class Borders:
    """To which higher bars base bars belong, as the calendar says; it is asked for many base bars at once.

    Attributes:
        bounds: A line for each base bar looked up: open and close of its bar of each timeframe; an open of -1 is
            outside every session.
        days: Trading day of each of those base bars, -1 outside every session.
    """

    def __init__(
        self, base: Timeframe, timeframes: Sequence[Timeframe], calendar: Calendar, *, beside: Sequence[Timeframe] = ()
    ) -> None:
        """Begin with nothing looked up.

        Args:
            base: Timeframe of the base bars.
            timeframes: Of the bars that they are parts of.
            calendar: The market's.
            beside: Timeframes whose bounds are looked up too, though they need not hold whole base bars.
        """
        self._base, self._calendar = base, calendar
        self._timeframes, self._all = timeframes, (*timeframes, *beside)
        self._step = base.nanoseconds if not base.is_calendar and base.minutes else 0
        self._first = self._behind = self._line = 0
        self._asked: BarValues | None = None
        self.bounds: Ints = np.zeros((0, 2 * len(self._all)), dtype=np.int64)
        self.days: Ints = np.zeros(0, dtype=np.int64)
        self._nested: list[bool] = []

    def line(self, bar: BarValues) -> int:
        """Return the line of a base bar; lines returned before are gone.

        Raises:
            DataError: If it reaches over the end of a higher bar.
        """
        if bar is self._asked:
            return self._line
        offset, step = bar.open_ns - self._first, self._step
        if not 0 <= offset < self._behind or offset % step or bar.close_ns != bar.open_ns + step:
            even = step > 0 and bar.close_ns - bar.open_ns == step
            self._look_up(bar.open_ns, AHEAD_BARS if even else 1, bar.close_ns - bar.open_ns)
            offset = 0
        line = offset // step if offset else 0
        if not self._nested[line]:
            one = _bars(self._base, np.array([bar.open_ns]), np.array([bar.close_ns]))
            for timeframe in self._timeframes:
                require_nested(one, *bucket_bounds(one, timeframe, self._calendar), timeframe)
        self._asked, self._line = bar, line
        return line

    def _look_up(self, open_ns: int, count: int, lasts_ns: int) -> None:
        opens = open_ns + np.arange(count, dtype=np.int64) * self._step
        bars = _bars(self._base, opens, opens + lasts_ns)
        bounds = np.empty((count, 2 * len(self._all)), dtype=np.int64)
        nested = np.ones(count, dtype=np.bool_)
        for place, timeframe in enumerate(self._all):
            starts, stops = bucket_bounds(bars, timeframe, self._calendar)
            bounds[:, 2 * place], bounds[:, 2 * place + 1] = starts, stops
            if place < len(self._timeframes):
                nested &= (starts < 0) | (bars.close_ns <= stops)
        bounds.flags.writeable = False
        self.bounds, self.days, self._nested = bounds, self._calendar.session_of(opens), nested.tolist()
        # A line alone is good for the bar that was asked for and is looked up again for any other.
        self._first, self._behind = open_ns, count * self._step if count > 1 else 0


def _bars(base: Timeframe, opens: Ints, closes: Ints) -> Bars:
    zero = np.zeros(len(opens))
    return Bars(base, opens, closes, zero, zero, zero, zero, zero)


class Forming:
    """The bars in progress of some timeframes.

    Attributes:
        timeframes: Slower than the base bars, in the order in which they are numbered.
        places: State of each as `aggregate_block` keeps it, times.
        partials: The same, prices and volume.
    """

    def __init__(
        self, base: Timeframe, timeframes: Sequence[Timeframe], calendar: Calendar, *, beside: Sequence[Timeframe] = ()
    ) -> None:
        """Begin before the first base bar.

        Args:
            base: Timeframe of the base bars.
            timeframes: Of the bars that are made.
            calendar: The market's.
            beside: Timeframes whose borders are looked up too.

        Raises:
            UsageError: If a timeframe cannot be made of such base bars.
        """
        for timeframe in timeframes:
            require_multiple(base, timeframe)
        self.timeframes = tuple(timeframes)
        count = len(self.timeframes)
        self.borders = Borders(base, self.timeframes, calendar, beside=beside)
        self.places: Ints = np.zeros((count, STATE_INTS), dtype=np.int64)
        self.partials: Floats = np.zeros((count, STATE_FLOATS))
        self._ended: Ints = np.zeros(count, dtype=np.int64)
        self._times: Ints = np.zeros((count, 4), dtype=np.int64)
        self._values: Floats = np.zeros((count, 5))
        self._open: Ints = np.zeros(1, dtype=np.int64)
        self._bar: Floats = np.zeros(5)
        self._open_read, self._bar_read = self._open.view(), self._bar.view()
        self._open_read.flags.writeable = self._bar_read.flags.writeable = False
        compiled(aggregate_block, SIGNATURE)
        self._fold = compiled(fold_bar, _FOLD_SIGNATURE)

    def fold(self, bar: BarValues, line: int, *, reach_ns: int) -> list[Ended]:
        """Take a base bar; return what ended before it, then what ended with it, each by time.

        Args:
            bar: Later than all before it.
            line: Of it in `borders`.
            reach_ns: Bars that end by then end now; 0 where another base bar closes with this one.
        """
        if not self.timeframes:
            return []
        scale, values = bar.scale, self._bar
        self._open[0] = bar.open_ns
        values[0], values[1], values[2], values[3] = (
            bar.open * scale, bar.high * scale, bar.low * scale, bar.close * scale,
        )  # fmt: skip
        values[4] = bar.volume / scale
        return self._run(self.borders.bounds[line], 1, reach_ns)

    def reach(self, instant_ns: int) -> list[Ended]:
        """End every bar that closes by an instant, and return them by time: no more base bars close by then."""
        return self._run(self._nowhere, 0, instant_ns)

    def saved(self) -> FormingSaved:
        """Return all that the future depends on."""
        return FormingSaved(places=self.places.tobytes(), partials=self.partials.tobytes())

    def restore(self, saved: FormingSaved) -> None:
        """Continue from what was saved of the same timeframes."""
        self.places[:] = np.frombuffer(saved.places, dtype=np.int64).reshape(self.places.shape)
        self.partials[:] = np.frombuffer(saved.partials, dtype=np.float64).reshape(self.partials.shape)

    @property
    def _nowhere(self) -> Ints:
        nowhere = np.full(self.borders.bounds.shape[1], -1, dtype=np.int64)
        nowhere.flags.writeable = False
        return nowhere

    def _run(self, bounds: Ints, count: int, reach_ns: int) -> list[Ended]:
        found = self._fold(
            self.places, self.partials, bounds, self._open_read, self._bar_read, self._times, self._values,
            self._ended, count, reach_ns,
        )  # fmt: skip
        if not found:
            return []
        left, reached = [], []
        for place, how in enumerate(self._ended.tolist()):
            if how & LEFT:
                opened, closed = self._times[place, :2].tolist()
                whole = tuple(self._values[place].tolist()) if how & LEFT_WHOLE else None
                left.append(Ended(place, opened, closed, whole))
            if how & REACHED:
                opened, closed = self.places[place, 1:3].tolist()
                whole = tuple(self.partials[place].tolist()) if how & REACHED_WHOLE else None
                reached.append(Ended(place, opened, closed, whole))
        return sorted(left, key=_by_time) + sorted(reached, key=_by_time)


def _by_time(ended: Ended) -> int:
    return ended.close_ns


@kernel
def fold_bar(
    places: Ints, partials: Floats, bounds: Ints, base_open: Ints, bar: Floats, times: Ints, values: Floats,
    ended: Ints, count: int, reach_ns: int,
) -> int:  # fmt: skip
    """Take at most one base bar into the bars in progress, and end those whose end is reached.

    Args:
        places: A line for each timeframe: its state as in `aggregate_block`.
        partials: The same.
        bounds: Open and close of the higher bar of the base bar, for each timeframe.
        base_open: When the base bar opens.
        bar: Its open, high, low, close and volume.
        times: Receives open and close of a bar that was left behind.
        values: Receives its prices and volume.
        ended: Receives how a bar ended: `LEFT`, `REACHED`.
        count: 1, or 0 for no base bar.
        reach_ns: Up to when no more base bars close.

    Returns:
        Whether any bar ended, as 1 or 0.
    """
    found = 0
    for k in range(len(ended)):
        place, partial, opened, closed = places[k], partials[k], places[k, 1], places[k, 2]
        ended[k] = 0
        was = place[0]
        line, made = times[k], values[k]
        written = aggregate_block(
            place, partial, bounds[2 * k : 2 * k + 1], bounds[2 * k + 1 : 2 * k + 2], base_open,
            bar[0:1], bar[1:2], bar[2:3], bar[3:4], bar[4:5],
            line[0:1], line[1:2], line[2:3], line[3:4], made[0:1], made[1:2], made[2:3], made[3:4], made[4:5],
            0, count,
        )  # fmt: skip
        if was != NOTHING and (place[0] == NOTHING or place[1] != opened):
            ended[k] |= LEFT | (LEFT_WHOLE if written > 0 else 0)
            line[0], line[1] = opened, closed
        if place[0] != NOTHING and place[2] <= reach_ns:
            ended[k] |= REACHED | (REACHED_WHOLE if place[0] == WHOLE else 0)
            place[0] = NOTHING
        found |= ended[k]
    return 1 if found != 0 else 0


_FOLD_SIGNATURE = types.int64(TABLE, WINDOW, INTS_IN, INTS_IN, FLOATS_IN, TABLE, WINDOW, INTS, types.int64, types.int64)


def require_base(base: Timeframe, timeframes: Sequence[Timeframe]) -> None:
    """Refuse base bars that are slower than a timeframe that is asked for.

    Raises:
        UsageError: If one is.
    """
    if finer := [timeframe for timeframe in timeframes if timeframe < base]:
        raise UsageError(f"live bars of {base} cannot give {finer[0]} bars; feed {finer[0]} bars or finer ones")
