"""A recorded stretch fed bar by bar, as a feed would: for tests that hold live features against whole runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from evenkeel.features.live import LiveFeatures
from evenkeel.features.live_sheet import RECENT
from evenkeel.features.timeline import FeatureRun, Program, Series
from evenkeel.model.bar import BarValues, Floats, Ints
from random_plays import Rng, chance

Whole = tuple[Floats, Ints, Floats]
"""Rows of the graph that decides over all execution bars, when those close, and at what price."""


def values_of(series: Series) -> list[BarValues]:
    """Return the base bars of a stretch as values."""
    bars = series.base
    scale = np.ones(len(bars)) if series.scale is None else series.scale
    names = ("open_ns", "close_ns", "open", "high", "low", "close", "volume")
    columns = [getattr(bars, name).tolist() for name in names]
    rows = zip(*columns, scale.tolist(), strict=True)
    return [BarValues(**dict(zip((*names, "scale"), row, strict=True))) for row in rows]


def together(bars: Sequence[BarValues]) -> list[list[BarValues]]:
    """Return bars in sets that close at one instant: no feed can cut finer."""
    sets: list[list[BarValues]] = []
    for bar in bars:
        if sets and sets[-1][-1].close_ns == bar.close_ns:
            sets[-1].append(bar)
        else:
            sets.append([bar])
    return sets


class Feed:
    """Live features fed with a stretch.

    Attributes:
        live: The features; may be exchanged for others that were restored.
        closed: Of each execution bar so far its column of the window, its close time and its price.
        met: How often each thing happened.
    """

    def __init__(self, program: Program, series: Series, segment: int = 0) -> None:
        self.program, self.series, self.segment = program, series, segment
        self.live = self.born()
        self.closed: list[tuple[Floats, int, float]] = []
        self.met: Counter[str] = Counter()
        self._told = dict.fromkeys(series.side, 0)

    def born(self) -> LiveFeatures:
        """Return such features before their first bar."""
        return LiveFeatures(self.program, self.series.base.timeframe, self.series.calendar, segment=self.segment)

    def take(self, bars: Sequence[BarValues]) -> None:
        """Feed bars, and what became known beside them by then."""
        self._tell(bars[-1].close_ns)
        self._note(self.live.extend(bars))

    def settle(self, instant_ns: int) -> None:
        """Let the time pass."""
        self._tell(instant_ns)
        found = self.live.settle(instant_ns)
        self.met["settled bars"] += len(found)
        self._note(found)

    def restart(self) -> None:
        """Go on with other features that know nothing but what was saved."""
        saved, self.live = self.live.saved(), self.born()
        self.live.restore(saved)
        assert self.live.saved() == saved
        self.met["restarts"] += 1

    def run(self, rng: Rng, *, restarts: float = 0.01) -> None:
        """Feed everything, in drawn pieces, with restarts and passing time between them."""
        sets, place = together(values_of(self.series)), 0
        while place < len(sets):
            piece = sets[place : place + int(rng.integers(1, 4))]
            self.take([bar for each in piece for bar in each])
            place += len(piece)
            if place < len(sets):
                bar, later = piece[-1][-1], sets[place][0].close_ns
                missing = later - bar.close_ns > 3 * (bar.close_ns - bar.open_ns) // 2
                if chance(rng, 0.7 if missing else 0.1):
                    self.settle(int(rng.integers(bar.close_ns, later)))
            if chance(rng, restarts):
                self.restart()

    def _note(self, found: range) -> None:
        assert found.start == len(self.closed)
        assert len(found) <= RECENT
        for bar in found:
            x, column, close_ns, close = self.live.at(self.segment, bar)
            self.closed.append((x[:, column].copy(), close_ns, close))

    def _tell(self, by_ns: int) -> None:
        for name, (known, values) in self.series.side.items():
            place = self._told[name]
            while place < len(known) and known[place] <= by_ns:
                self.live.tell(name, int(known[place]), float(values[place]))
                place += 1
            self._told[name] = place


def whole(program: Program, series: Series) -> Whole:
    """Return what a whole run makes of a stretch."""
    bars = series.on(program.exec).bars
    run = FeatureRun(program, series, block=max(len(bars), 1))
    run.advance()
    return run.x[:, run.column : run.column + len(bars)], bars.close_ns, bars.close


def assert_same(feed: Feed, wanted: Whole, *, unfinished: int = 0) -> None:
    """Hold what was fed against a whole run, bit for bit.

    Args:
        feed: What was fed.
        wanted: What the whole run made.
        unfinished: So many bars of the whole run may be missing at the end.
    """
    table, closes_ns, closes = wanted
    count = len(feed.closed)
    assert len(closes) - unfinished <= count <= len(closes)
    assert [close_ns for _, close_ns, _ in feed.closed] == closes_ns[:count].tolist()
    assert [close for _, _, close in feed.closed] == closes[:count].tolist()
    for bar, (column, _, _) in enumerate(feed.closed):
        if not np.array_equal(column, table[:, bar], equal_nan=True):
            rows = np.flatnonzero(~((column == table[:, bar]) | (np.isnan(column) & np.isnan(table[:, bar]))))
            raise AssertionError(
                f"bar {bar}: rows {rows[:9].tolist()} hold {column[rows[:9]]}, a whole run has {table[rows[:9], bar]}"
            )
