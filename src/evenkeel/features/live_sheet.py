"""A graph of a program that is fed column by column: where each of its inputs comes from.

What a column shows of other graphs is the newest column of theirs, so that those are fed first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec
import numpy as np

from evenkeel.features import instants
from evenkeel.features.graph import LIVE_SLACK, Graph
from evenkeel.features.timeline import AGE, BACK, BAR_OF, SCALE, SIDE_COLUMNS
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.errors import UsageError
from evenkeel.model.time import Timeframe

RECENT = 8
"""So many columns are readable with all of their history, not the newest alone."""

PRICES = ("open", "high", "low", "close", "volume")
"""Columns of a bar, in the order of `BarRow`."""

_KINDS = {BACK: instants.BACK, BAR_OF: instants.BAR_OF, AGE: instants.AGE}

BarRow: TypeAlias = tuple[float, ...]
"""Open, high, low, close and volume as features see them, the trading day, and the close as it was quoted."""


class SheetSaved(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A sheet between two columns: all that its future depends on.

    Attributes:
        state: Of all steps, float64.
        history: The newest columns of the window, row by row, float64.
        count: Columns so far.
        instants: Of the newest columns, int64.
    """

    state: bytes
    history: bytes
    count: int
    instants: bytes = b""


class TrackSaved(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A track between two base bars; see `Track`."""

    opens: list[int]
    closes: list[int]
    before: int
    of_base: int
    base_close: int
    first_is_whole: bool


@dataclass(slots=True)
class Track:
    """The newest intervals of a timeframe that hold base bars, as `instants.Intervals` has all of them.

    Attributes:
        opens: Of at most three, oldest first.
        closes: Of the same.
        before: How many came before those.
        of_base: Which of those the newest base bar lies in; -1 outside every session.
        base_close: When that base bar closed.
        first_is_whole: Whether the first of all was seen from its open.
    """

    opens: list[int] = field(default_factory=list)
    closes: list[int] = field(default_factory=list)
    before: int = 0
    of_base: int = -1
    base_close: int = instants.NO_TIME
    first_is_whole: bool = False

    def take(self, opened: int, closed: int, base_open: int, base_close: int) -> None:
        """Take a base bar and the interval in which it lies; an open of -1 is outside every session."""
        first_bar, self.base_close = self.base_close == instants.NO_TIME, base_close
        if opened < 0:
            self.of_base = -1
            return
        if not self.opens:
            self.first_is_whole = base_open == opened or not first_bar
        if not self.opens or self.opens[-1] != opened:
            self.opens.append(opened)
            self.closes.append(closed)
        if len(self.opens) > 3:
            del self.opens[0], self.closes[0]
            self.before += 1
        self.of_base = len(self.opens) - 1

    def intervals(self) -> instants.Intervals:
        """Return them in the form in which `instants` reads them."""
        numbers = np.array([*self.opens, *self.closes, self.of_base], dtype=np.int64)
        count = len(self.opens)
        return instants.Intervals(numbers[:count], numbers[count:-1], numbers[-1:], self.first_is_whole)

    def oldest_sample(self, instant_ns: int) -> int:
        """Return the earliest instant that a sample one bar before this one, or any later one, can lie at."""
        closed = sum(close <= instant_ns for close in self.closes) - 1
        return self.closes[closed - 1] if closed >= 1 else instants.NO_TIME

    def saved(self) -> TrackSaved:
        """Return all of it."""
        return TrackSaved(
            opens=list(self.opens), closes=list(self.closes), before=self.before, of_base=self.of_base,
            base_close=self.base_close, first_is_whole=self.first_is_whole,
        )  # fmt: skip

    def restore(self, saved: TrackSaved) -> None:
        """Continue from what was saved."""
        self.opens, self.closes = list(saved.opens), list(saved.closes)
        self.before, self.of_base = saved.before, saved.of_base
        self.base_close, self.first_is_whole = saved.base_close, saved.first_is_whole


class Passing:
    """What is known beside the bars at the instant that is being computed.

    Attributes:
        side: By name of a side column; a name that is absent is missing.
        scale: Of the last base bar.
        tracks: By timeframe.
    """

    def __init__(self, tracks: Mapping[Timeframe, Track]) -> None:
        self.side: dict[str, float] = {}
        self.scale = 1.0
        self.tracks = tracks


class _Shown:
    """What a graph is shown of other sheets.

    Attributes:
        rows: Of the graph, one for each value.
        values: What they show, as a column: rows of those sheets in their newest columns; NaN before the first.
    """

    def __init__(self, graph: Graph, held: Mapping[str, tuple[Sheet, int]]) -> None:
        sheets = list({id(sheet): sheet for sheet, _ in held.values()}.values())
        found = [[(graph.columns[name], row) for name, (one, row) in held.items() if one is sheet] for sheet in sheets]
        self.rows: Ints = np.array([row for part in found for row, _ in part], dtype=np.int64)
        self.values: Floats = np.full((len(self.rows), 1), np.nan)
        ends = np.cumsum([len(part) for part in found]).tolist()
        self._sources = [
            (sheet, np.array([row for _, row in part], dtype=np.int64), slice(end - len(part), end))
            for sheet, part, end in zip(sheets, found, ends, strict=True)
        ]
        self._counts = [-1] * len(sheets)

    def look(self) -> None:
        """Take over the newest columns of sheets that have others now."""
        for number, (sheet, rows, part) in enumerate(self._sources):
            if sheet.count != self._counts[number]:
                self._counts[number] = sheet.count
                self.values[part, 0] = sheet.run.x[rows, sheet.run.used - 1]

    def forget(self) -> None:
        """Look again next time: the sheets were restored."""
        self._counts = [-1] * len(self._sources)


class Sheet:
    """A graph, its state, and the sources of its inputs.

    Attributes:
        run: The graph.
        count: Columns so far.
    """

    def __init__(self, graph: Graph, own: Sequence[str], held: Mapping[str, tuple[Sheet, int]]) -> None:
        """Begin before the first column.

        Args:
            graph: What is computed.
            own: Names of the columns that come with each bar, in the order of `BarRow`; none for a grid.
            held: Input column to the sheet and the row of it that it shows.
        """
        self.run = graph.start(RECENT + LIVE_SLACK)
        self._keep = self.run.reach + RECENT
        self.run.used = self._keep
        self.count = 0
        self._own: list[tuple[int, int]] = []
        self._shown = _Shown(graph, held) if held else None
        self._beside: list[tuple[int, str]] = []
        self._scale: list[int] = []
        self._sampled: list[tuple[int, int, Timeframe]] = []
        self._times: Ints = np.zeros(64, dtype=np.int64)
        self._timed = 0
        for name, row in graph.columns.items():
            self._wire(name, row, own, held)

    def _wire(self, name: str, row: int, own: Sequence[str], held: Mapping[str, tuple[Sheet, int]]) -> None:
        kind, _, written = name.partition(":")
        if name in held:
            return
        if name in own:
            self._own.append((row, own.index(name)))
        elif name == SCALE:
            self._scale.append(row)
        elif name in SIDE_COLUMNS:
            self._beside.append((row, name))
        elif kind in _KINDS:
            self._sampled.append((row, _KINDS[kind], Timeframe.parse(written)))
        else:
            raise UsageError(f"no bar has a column '{name}'")

    @property
    def sampled(self) -> set[Timeframe]:
        """The timeframes whose intervals it is told about."""
        return {timeframe for _, _, timeframe in self._sampled}

    def push(self, instant_ns: int, bars: Sequence[BarRow | None], passing: Passing) -> None:
        """Compute a column for each of some bars that close at one instant, or for a grid for each of its instants.

        Args:
            instant_ns: The instant.
            bars: The bars; of a grid as many times None.
            passing: What is known at it.
        """
        count, run = len(bars), self.run
        first, x = run.free(count, self._keep), run.x
        for place, bar in enumerate(bars, first):
            if bar is not None:
                for row, column in self._own:
                    x[row, place] = bar[column]
        shown = self._shown
        if shown is not None:
            shown.look()
            x[shown.rows, first : first + count] = shown.values
        for row, name in self._beside:
            x[row, first : first + count] = passing.side.get(name, math.nan)
        for row in self._scale:
            x[row, first : first + count] = passing.scale
        if self._sampled:
            self._sample(instant_ns, first, count, passing.tracks)
        run.compute(count)
        self.count += count

    def _sample(self, instant_ns: int, first: int, count: int, tracks: Mapping[Timeframe, Track]) -> None:
        """Write what is told about timeframes into new columns."""
        if self._timed + count > len(self._times):
            self._forget(instant_ns, tracks, count)
        self._times[self._timed : self._timed + count] = instant_ns
        start, self._timed = self._timed, self._timed + count
        times = self._times[: self._timed]
        for row, kind, timeframe in self._sampled:
            track = tracks[timeframe]
            closes = np.array([track.base_close], dtype=np.int64)
            self.run.x[row, first : first + count] = instants.samples(
                kind, track.intervals(), closes, times, start=start, before=track.before
            )

    def _forget(self, instant_ns: int, tracks: Mapping[Timeframe, Track], count: int) -> None:
        """Make room for so many instants; twice the room where more than half must stay."""
        kept = self._needed_times(instant_ns, tracks)
        room = len(self._times) * (2 if 2 * (len(kept) + count) > len(self._times) else 1)
        times = np.zeros(room, dtype=np.int64)
        times[: len(kept)] = kept
        self._times, self._timed = times, len(kept)

    def _needed_times(self, instant_ns: int, tracks: Mapping[Timeframe, Track]) -> Ints:
        """Return the instants at which a sample can lie that is looked for at an instant or later."""
        oldest = min(tracks[timeframe].oldest_sample(instant_ns) for _, _, timeframe in self._sampled)
        # The last instant at or before the oldest sample is that sample.
        drop = max(int(np.searchsorted(self._times[: self._timed], oldest, side="right")) - 1, 0)
        return self._times[drop : self._timed]

    def saved(self, tracks: Mapping[Timeframe, Track]) -> SheetSaved:
        """Return all that its future depends on: the same bytes, however it came to be."""
        run, times = self.run, self._times[: self._timed]
        history = np.ascontiguousarray(run.x[:, run.used - self._keep : run.used])
        if len(times):
            times = self._needed_times(int(times[-1]), tracks)
        return SheetSaved(state=run.s.tobytes(), history=history.tobytes(), count=self.count, instants=times.tobytes())

    def restore(self, saved: SheetSaved) -> None:
        """Continue from what was saved of the same graph."""
        run = self.run
        run.s[:] = np.frombuffer(saved.state, dtype=np.float64)
        run.x[:, : self._keep] = np.frombuffer(saved.history, dtype=np.float64).reshape(len(run.x), self._keep)
        run.used, self.count = self._keep, saved.count
        if self._shown is not None:
            self._shown.forget()
        times = np.frombuffer(saved.instants, dtype=np.int64)
        self._times = np.concatenate([times, np.zeros(max(64, len(times)), dtype=np.int64)])
        self._timed = len(times)
