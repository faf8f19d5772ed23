"""Features bar by bar: the graphs of a program fed with closed base bars as they come, with the bits of a whole run.

Nothing is computed in another way than `FeatureRun` does it: the same graphs run over windows of one column, the bars
of slower timeframes come from the same aggregation, and what conditions ask of instants is asked of the same function.
What is kept does not grow with the number of bars.

    features = LiveFeatures(strategy.program, Timeframe.parse("1m"), calendar)
    for bar in features.extend([values]):          # numbers of the execution bars that closed
        x, column, close_ns, close = features.at(0, bar)
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np

from evenkeel.data.calendar import Calendar
from evenkeel.data.forming import Ended, Forming, require_base
from evenkeel.features.live_saved import Identity, LiveSaved, read_saved, write_saved
from evenkeel.features.live_sheet import PRICES, RECENT, BarRow, Passing, Track
from evenkeel.features.live_wiring import wired
from evenkeel.features.timeline import SIDE_COLUMNS, Program
from evenkeel.model.bar import BarValues, Floats
from evenkeel.model.errors import DataError, InvariantBroken
from evenkeel.model.time import Timeframe, format_time

_OWN = (*PRICES, "session")
_CLOSE = len(_OWN)
_Closings = dict[int, list[BarRow | None]]
"""By number of a timeframe: what closed at an instant; None for an interval that was not seen from its open."""


class LiveFeatures:
    """The features of one strategy on one instrument, over one unbroken stretch of bars.

    Attributes:
        program: What is computed.
        base: Timeframe of the bars that are fed.
        segment: Number of the stretch.
        first: The first execution bar by whose close every timeframe has warmed up; None before.
        settled_ns: Up to when no more base bars are taken.
    """

    def __init__(self, program: Program, base: Timeframe, calendar: Calendar, *, segment: int = 0) -> None:
        """Begin before the first bar.

        Args:
            program: What is computed.
            base: Timeframe of the bars that will be fed: as fine as the finest of the program, or finer.
            calendar: The market's.
            segment: Number of the stretch; see `begin_anew`.

        Raises:
            UsageError: If the program cannot be computed from such bars.
        """
        self.program, self.base, self.segment = program, base, segment
        self._calendar = calendar
        sheets = wired(program, _OWN)
        sampled = {timeframe for sheet in sheets.all for timeframe in sheet.sampled}
        grids = {timeframe for grid in program.grids.values() for timeframe in grid.timeframes}
        wanted = {*program.graphs, *program.warmup, *grids, program.exec} - {base}
        require_base(base, sorted(wanted))
        slower = sorted(wanted | {timeframe for timeframe in sampled if timeframe > base})
        beside = sorted(timeframe for timeframe in sampled if timeframe < base)
        self._numbers = {timeframe: number for number, timeframe in enumerate((base, *slower, *beside))}
        self._forming = Forming(base, slower, calendar, beside=beside)
        self._exec = self._numbers[program.exec]
        self._decisions = sheets.decisions
        self._on_bars = [(self._numbers[timeframe], sheet) for timeframe, sheet in sheets.on_bars.items()]
        self._on_grids = [
            (self._numbers[min(program.grids[timeframe].timeframes)], frozenset(map(self._number, among)), sheet)
            for timeframe, sheet in sheets.on_grids.items()
            for among in [program.grids[timeframe].timeframes]
        ]
        self._sheets = sheets.all
        self._tracks = {timeframe: Track() for timeframe in sorted(sampled)}
        self._passing = Passing(self._tracks)
        self._with_days = any("session" in sheet.run.graph.columns for sheet in self._sheets)
        self._pending: dict[str, deque[tuple[int, float]]] = {name: deque() for name in sorted(program.side_columns)}
        self._warmup = [(self._numbers[timeframe], bars) for timeframe, bars in program.warmup.items()]
        self._counts = [0] * (1 + len(slower))
        self._recent: deque[tuple[int, float]] = deque(maxlen=RECENT)
        self._exec_close = math.nan
        self._last_open_ns = self.settled_ns = -1
        self.first: int | None = None
        self._identity = Identity.of(program, base, calendar.name)

    def _number(self, timeframe: Timeframe) -> int:
        return self._numbers[timeframe]

    @property
    def bars(self) -> int:
        """Execution bars closed so far."""
        return self._decisions.count

    def at(self, segment: int, bar: int) -> tuple[Floats, int, int, float]:
        """Return window, column, close time and close of one of the newest execution bars.

        Raises:
            InvariantBroken: If it is not one of the last `RECENT`, or of another stretch.
        """
        ago = self.bars - 1 - bar
        if segment != self.segment or not 0 <= ago < len(self._recent):
            raise InvariantBroken(f"features of bar {bar} of stretch {segment} were asked for out of turn")
        close_ns, close = self._recent[-1 - ago]
        run = self._decisions.run
        return run.x, run.used - 1 - ago, close_ns, close

    def tell(self, name: str, known_ns: int, value: float) -> None:
        """Take a value that a market has beside its bars, such as `funding_rate`; one that nothing reads is dropped.

        Args:
            name: Of `SIDE_COLUMNS`.
            known_ns: When it became known; later than the one before.
            value: The value.
        """
        if name not in SIDE_COLUMNS:
            raise InvariantBroken(f"'{name}' does not lie beside bars; there are {', '.join(sorted(SIDE_COLUMNS))}")
        if name in self._pending:
            self._pending[name].append((known_ns, value))

    def require_next(self, bars: Sequence[BarValues]) -> None:
        """Refuse base bars that do not follow those that were taken.

        Raises:
            DataError: If one is no bar, comes too late, or reaches over the end of a higher bar.
        """
        last_open, last_close = self._last_open_ns, self.settled_ns + 1
        for bar in bars:
            complaint = _complaint_about(bar)
            if not complaint and bar.open_ns <= last_open:
                complaint = f"does not open after the one before it, of {format_time(last_open)}"
            if not complaint and bar.close_ns < last_close:
                complaint = (
                    f"comes too late: it closes at {format_time(bar.close_ns)}, and {format_time(last_close - 1)} has "
                    "passed; bars that close at one instant come together"
                )
            if complaint:
                raise DataError(f"the {self.base} bar of {format_time(bar.open_ns)} {complaint}")
            self._forming.borders.line(bar)
            last_open, last_close = bar.open_ns, bar.close_ns

    def extend(self, bars: Sequence[BarValues]) -> range:
        """Take closed base bars, oldest first; return the numbers of the execution bars that closed.

        Bars that close at one instant, such as the last of a session and its closing auction, come in one call.

        Raises:
            DataError: If one does not follow those before; none of them is taken then.
        """
        self.require_next(bars)
        before = self.bars
        if len(bars) == 1:
            self._take(bars, bars[0].close_ns)
        else:
            for close_ns, together in itertools.groupby(bars, key=_close_of):
                self._take(list(together), close_ns)
        return range(before, self.bars)

    def settle(self, instant_ns: int) -> range:
        """Take note that no more base bars close by an instant; return the execution bars that this closes.

        A bar whose last interval had no trade ends so; else it would end with the next base bar.
        """
        if instant_ns <= self.settled_ns:
            return range(self.bars, self.bars)
        before = self.bars
        self._close(self._forming.reach(instant_ns), {}, 0)
        self.settled_ns = instant_ns
        self._learn(instant_ns)
        return range(before, self.bars)

    def begin_anew(self, segment: int) -> None:
        """Forget all bars, but not what is known beside them: a fault in the data lies between them and the next ones.

        Args:
            segment: Number of the stretch that begins.
        """
        side, pending = self._passing.side, self._pending
        settled_ns, last_open_ns = self.settled_ns, self._last_open_ns
        self.restore(LiveFeatures(self.program, self.base, self._calendar, segment=segment).saved())
        self._passing.side, self._pending = side, pending
        self.settled_ns, self._last_open_ns = settled_ns, last_open_ns

    def saved(self) -> bytes:
        """Return all that the future depends on, for `restore`; how long it is does not grow with the bars."""
        return write_saved(
            LiveSaved(
                identity=self._identity, segment=self.segment, settled_ns=self.settled_ns,
                last_open_ns=self._last_open_ns, first=self.first, scale=self._passing.scale,
                exec_close=self._exec_close, counts=list(self._counts), recent=list(self._recent),
                forming=self._forming.saved(), sheets=[sheet.saved(self._tracks) for sheet in self._sheets],
                tracks=[track.saved() for track in self._tracks.values()], side=dict(self._passing.side),
                pending={name: list(values) for name, values in self._pending.items()},
            )
        )  # fmt: skip

    def restore(self, saved: bytes) -> None:
        """Continue from what was saved, of the same program and code.

        Raises:
            StorageError: If it cannot be read, or is of another program or of other code.
        """
        found = read_saved(saved, self._identity)
        self.segment, self.settled_ns, self._last_open_ns = found.segment, found.settled_ns, found.last_open_ns
        self.first, self._exec_close, self._counts = found.first, found.exec_close, list(found.counts)
        self._recent = deque(found.recent, maxlen=RECENT)
        self._forming.restore(found.forming)
        for sheet, sheet_saved in zip(self._sheets, found.sheets, strict=True):
            sheet.restore(sheet_saved)
        for track, track_saved in zip(self._tracks.values(), found.tracks, strict=True):
            track.restore(track_saved)
        self._passing.side, self._passing.scale = dict(found.side), found.scale
        self._pending = {name: deque(values) for name, values in found.pending.items()}

    def _take(self, bars: Sequence[BarValues], close_ns: int) -> None:
        """Take the base bars that close at an instant."""
        forming = self._forming
        closed: list[BarRow | None] = []
        reached: list[Ended] = []
        last = len(bars) - 1
        for place, bar in enumerate(bars):
            line = forming.borders.line(bar)
            ended = forming.fold(bar, line, reach_ns=close_ns if place == last else 0)
            if ended:
                self._close((one for one in ended if one.close_ns < close_ns), {}, 0)
                reached += [one for one in ended if one.close_ns == close_ns]
            self._note(bar, line)
            closed.append(self._base_row(bar, line))
        if reached:
            self._close(reached, {0: closed}, close_ns)
        else:
            self._compute(close_ns, {0: closed})
        self._last_open_ns, self.settled_ns = bars[-1].open_ns, close_ns

    def _base_row(self, bar: BarValues, line: int) -> BarRow:
        scale = bar.scale
        day = math.nan
        if self._with_days:
            number = int(self._forming.borders.days[line])
            day = math.nan if number < 0 else float(number)
        prices = bar.open * scale, bar.high * scale, bar.low * scale, bar.close * scale
        return (*prices, bar.volume / scale, day, bar.close)

    def _note(self, bar: BarValues, line: int) -> None:
        """Note a base bar where something is known of it beside its aggregation."""
        bounds = self._forming.borders.bounds
        self._passing.scale = bar.scale
        if self._exec == 0 or bounds[line, 2 * self._exec - 2] >= 0:
            self._exec_close = bar.close
        for timeframe, track in self._tracks.items():
            number = self._numbers[timeframe]
            if number == 0:
                track.take(bar.open_ns, bar.close_ns, bar.open_ns, bar.close_ns)
            else:
                opened, closed = bounds[line, 2 * number - 2 : 2 * number].tolist()
                track.take(opened, closed, bar.open_ns, bar.close_ns)

    def _close(self, ended: Iterable[Ended], closings: _Closings, close_ns: int) -> None:
        """Compute every instant at which bars ended, in order.

        Args:
            ended: Bars of slower timeframes, by time.
            closings: Base bars that close at the last of the instants.
            close_ns: When those close; 0 without any.
        """
        for instant_ns, together in itertools.groupby(ended, key=_close_of):
            found = {one.timeframe + 1: [self._row(one)] for one in together}
            self._compute(instant_ns, closings | found if instant_ns == close_ns else found)
            if instant_ns == close_ns:
                return
        if closings:
            self._compute(close_ns, closings)

    def _row(self, ended: Ended) -> BarRow | None:
        if ended.values is None:
            return None
        day = math.nan
        if self._with_days:
            number = int(self._calendar.session_of(np.array([ended.open_ns], dtype=np.int64))[0])
            day = math.nan if number < 0 else float(number)
        return (*ended.values, day, self._exec_close)

    def _compute(self, instant_ns: int, closings: _Closings) -> None:
        """Compute what stands at an instant: features of the bars that closed, conditions, then decisions."""
        passing = self._passing
        if self._pending:
            self._learn(instant_ns)
        for number, rows in closings.items():
            self._counts[number] += sum(row is not None for row in rows)
        for number, sheet in self._on_bars:
            bars = [row for row in closings.get(number, ()) if row is not None]
            if bars:
                sheet.push(instant_ns, bars, passing)
        for finest, among, sheet in self._on_grids:
            if not among.isdisjoint(closings):
                sheet.push(instant_ns, [None] * len(closings.get(finest, (None,))), passing)
        bars = [row for row in closings.get(self._exec, ()) if row is not None]
        if bars:
            self._decide(instant_ns, bars)

    def _decide(self, instant_ns: int, bars: Sequence[BarRow]) -> None:
        before = self.bars
        self._decisions.push(instant_ns, bars, self._passing)
        self._recent.extend((instant_ns, bar[_CLOSE]) for bar in bars)
        if self.first is None and all(self._counts[number] >= needed for number, needed in self._warmup):
            self.first = before

    def _learn(self, instant_ns: int) -> None:
        """Take over the values beside the bars that are known by an instant."""
        for name, pending in self._pending.items():
            while pending and pending[0][0] <= instant_ns:
                self._passing.side[name] = pending.popleft()[1]


def _close_of(bar: BarValues | Ended) -> int:
    return bar.close_ns


def _complaint_about(bar: BarValues) -> str:
    """Return why these numbers are no bar, or nothing; what is missing holds in no comparison."""
    if (
        0.0 <= bar.volume < math.inf and -math.inf < bar.low <= bar.open <= bar.high < math.inf
        and bar.low <= bar.close <= bar.high and 0.0 < bar.scale < math.inf and bar.open_ns <= bar.close_ns
    ):  # fmt: skip
        return ""
    prices = (bar.open, bar.high, bar.low, bar.close)
    if not all(map(math.isfinite, (*prices, bar.volume, bar.scale))):
        return "holds a number that is missing or endless"
    if bar.high < max(prices) or bar.low > min(prices):
        return f"has a high of {bar.high:g} and a low of {bar.low:g} that do not hold its other prices"
    return "has a volume below 0, a scale that is not above 0, or ends before it begins"
