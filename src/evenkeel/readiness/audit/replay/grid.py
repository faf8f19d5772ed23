"""The instants at which conditions are looked at, and the instant of the sample before each one.

How sections 2.2, 2.5 and 2.6 of plays.md are read (decision 0005): a window and a cross step back by one bar of some
timeframe. One bar earlier is the same place in the bar before: its close for an instant that is a close, else as long
after its open as the instant is after the open of the bar in progress, at most its end.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from functools import reduce

import numpy as np

from evenkeel.readiness.audit.moment import TIMEFRAME_MINUTES
from evenkeel.readiness.audit.replay.market import LONG, NEVER, Market, minutes_of
from evenkeel.readiness.audit.replay.stages import Ints

_BY_MINUTES = {minutes: name for name, minutes in TIMEFRAME_MINUTES.items()} | {1440: "D", 10_080: "W", 43_200: "M"}


class Unsupported(Exception):
    """The audit cannot evaluate the play; the message says why."""


class Grid:
    """The instants of a play on a market.

    Args:
        market: The bars.
        drive: The timeframe at whose closes decisions are made.
        steps: The timeframes by whose bars windows and crosses step back.
        roles: The timeframes of the play.

    Attributes:
        instants: Nanoseconds, rising.
        decisions: The place of each decision among them.
    """

    def __init__(self, market: Market, drive: str, steps: Collection[str], roles: Collection[str]) -> None:
        self._market = market
        self._drive = drive
        driven = market.sheets[drive].close_ns
        self._fine = not set(steps) <= {drive}
        self.instants = driven
        self.decisions = market.sheets[drive].last if drive == market.base else np.arange(len(driven))
        if self._fine:
            lengths = [minutes_of(name) for name in (drive, *steps)]
            finest = _BY_MINUTES.get(reduce(math.gcd, lengths), "1m")
            slower = {name for name in roles if minutes_of(name) > minutes_of(finest)}
            parts = [driven, *(self._closes(name) for name in {finest, *slower, *steps} - {drive})]
            self.instants = np.unique(np.concatenate(parts))
            self.decisions = np.searchsorted(self.instants, driven)
        self._before: dict[str, Ints] = {}
        self._closed: dict[str, Ints] = {}

    def __len__(self) -> int:
        return len(self.instants)

    def _closes(self, timeframe: str) -> Ints:
        base = self._market.sheets[self._market.base].close_ns
        closes = self._intervals(timeframe)[1]
        return closes[closes <= base[-1]] if len(base) else closes

    def _intervals(self, timeframe: str) -> tuple[Ints, Ints, Ints]:
        if timeframe not in LONG and minutes_of(timeframe) < minutes_of(self._market.base):
            timeframe = self._market.base
        found = self._market.intervals(timeframe)
        if found is None:
            raise Unsupported(f"the {timeframe} bars that a window steps by were not given")
        return found.open_ns, found.close_ns, found.first

    def closed(self, timeframe: str) -> Ints:
        """Return the newest bar of a timeframe that had closed at each instant; -1 for none."""
        if timeframe not in self._closed:
            if timeframe == self._drive and not self._fine:
                self._closed[timeframe] = self.decisions  # closes may coincide: a closing auction has no length
            else:
                closes = self._market.sheets[timeframe].close_ns
                self._closed[timeframe] = np.searchsorted(closes, self.instants, side="right") - 1
        return self._closed[timeframe]

    def before(self, step: str) -> Ints:
        """Return the place of the sample one bar of a timeframe before each instant; -1 for none."""
        if step not in self._before:
            plain = step == self._drive and not self._fine
            self._before[step] = np.arange(-1, len(self) - 1) if plain else self._stepped(step)
        return self._before[step]

    def _stepped(self, step: str) -> Ints:
        opens, closes, first = self._intervals(step)
        if not len(opens):
            return np.full(len(self), -1)
        base = self._market.sheets[self._market.base].close_ns
        closed = np.searchsorted(closes, self.instants, side="right") - 1
        seen = np.searchsorted(base, self.instants, side="right") - 1
        running = np.maximum(np.searchsorted(first, seen, side="right") - 1, closed)
        at_close = np.where(closed >= 1, closes[np.maximum(closed - 1, 0)], NEVER)
        elapsed = self.instants - opens[np.maximum(running, 0)]
        last = np.maximum(closed, 0)
        inside = np.where(closed >= 0, np.minimum(opens[last] + elapsed, closes[last]), NEVER)
        wanted = np.where(running > closed, inside, at_close)
        return np.searchsorted(self.instants, wanted, side="right") - 1
