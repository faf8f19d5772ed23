"""The bars of a run: which series, which rows, cut at the gaps that the calendar does not explain.

The base timeframe is the finest that covers the window; everything above is aggregated from it. Rows before the
window are loaded as far as the strategy needs them to warm up. Bars outside every session of the calendar take no
part, and are counted. What lies beside the bars comes with each stretch.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar, cast

import numpy as np

from evenkeel.data.calendar import Calendar, load_calendar
from evenkeel.data.catalog import Catalog
from evenkeel.data.quality import Gap, faults
from evenkeel.data.revision import Revision, is_synthetic
from evenkeel.data.side import SideKind, SideSeries
from evenkeel.engine.beside import Beside, Settlements, load_beside
from evenkeel.engine.market_source import Source, stored_source
from evenkeel.features.timeline import Program, Series
from evenkeel.model.bar import Bars
from evenkeel.model.errors import DataError, UsageError
from evenkeel.model.instrument import Instrument, InstrumentKind
from evenkeel.model.reason import Mark, Reason
from evenkeel.model.time import TICK, Timeframe, format_time
from evenkeel.venues.simulated.carry import Carry, MarkBars

GapPolicy = Literal["stop", "report"]

GAPS_NAMED_MAX = 5
"""So many gaps are named in one message."""

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bars without a fault between them.

    Attributes:
        number: From 0.
        series: Base bars and what is aggregated from them.
        exec: Execution timeframe.
        first_exec: First execution bar at whose close decisions are made; the number of bars if there is none.
        end: Why it ends: DATA_GAP or END_OF_DATA.
        carry: What a held position pays or receives, by base row; None where the catalog has no history of it.
        mark: The mark price over each base bar; None where the catalog has none.
        index: The index price over each base bar; None where the catalog has none.
    """

    number: int
    series: Series
    exec: Timeframe
    first_exec: int
    end: Reason
    carry: Carry | None = None
    mark: MarkBars | None = None
    index: MarkBars | None = None


@dataclass(frozen=True, slots=True)
class Market:
    """The data of a run.

    Attributes:
        instrument: Whose bars these are.
        calendar: Its sessions.
        revision: The stored revision that they are part of.
        base: Timeframe of the base bars.
        exec: Execution timeframe.
        window: First and last instant of the run, half-open, nanoseconds UTC; never wider than the bars.
        stretches: The bars, in order.
        gaps: Faults in the bars of the run, those that warm up included.
        left_out: Bars outside every session, not used.
        warmup_bars: Base bars before the window that only warm up.
        pins: The revision of each series beside the bars that takes part, by kind.
        funding: The recorded funding; None where none is recorded in the run.
        actions: The recorded splits and dividends; None without.
        warmup_bars=int(np.searchsorted(used.open_ns, window[0])),
        pins=dict(sorted({**beside.pins, **stored.pins}.items())),
        funding=funding, actions=beside.series.get(SideKind.ACTIONS), borrow=beside.series.get(SideKind.BORROW),
        quotes=None if stored.quotes is None else stored.quotes.facts,
    """

    instrument: Instrument
    calendar: Calendar
    revision: Revision
    base: Timeframe
    exec: Timeframe
    window: tuple[int, int]
    stretches: tuple[Stretch, ...]
    gaps: tuple[Gap, ...]
    left_out: int
    warmup_bars: int
    pins: Mapping[str, str] = field(default_factory=dict)
    funding: Settlements | None = None
    actions: SideSeries | None = None
    borrow: SideSeries | None = None
    quotes: Mapping[str, int] | None = None

    @property
    def base_bars(self) -> int:
        """How many base bars drive the run, warm-up included."""
        return sum(len(stretch.series.base) for stretch in self.stretches)

    @property
    def exec_bars(self) -> int:
        """How many execution bars there are, warm-up included."""
        return sum(len(stretch.series.on(self.exec).bars) for stretch in self.stretches)

    @property
    def data_hash(self) -> str:
        """One id for everything that the run reads: the revision of its bars, with that of each series beside them."""
        if not self.pins:
            return self.revision.id
        lines = [self.revision.id, *(f"{kind} {pin}" for kind, pin in self.pins.items())]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @property
    def side_columns(self) -> frozenset[str]:
        """What the data has beside bars: the names that every stretch knows."""
        return frozenset.intersection(*(frozenset(stretch.series.side) for stretch in self.stretches))

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What a reader must know of the data."""
        kind = self.instrument.kind
        found = [
            (Mark.COARSE_FILLS, self.base.minutes > 1),
            (Mark.CONTINUOUS_UNADJUSTED, kind is InstrumentKind.CONTINUOUS_FUTURE),
            (Mark.GAPS_REPORTED, bool(self.gaps)),
            (Mark.PRICES_AS_IMPORTED, kind is InstrumentKind.EQUITY and SideKind.ACTIONS.value not in self.pins),
            (Mark.STOPS_BY_QUOTES, self.quotes is not None and not self.quotes["trades"]),
            (Mark.SYNTHETIC_DATA, is_synthetic(self.revision)),
        ]
        return tuple(mark for mark, holds in found if holds)


class MarketMemory:
    """What markets over the same catalogs share: bars are read, checked and aggregated once for a whole sweep.

    Nothing in it is changed after it is made, so markets that share it are equal to those that do not.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, object] = {}

    def once(self, key: Hashable, compute: Callable[[], Found]) -> Found:
        """Return what is known under a key, computed when it is asked for first."""
        if key not in self._known:
            self._known[key] = compute()
        return cast("Found", self._known[key])


def load_market(
    catalogs: Sequence[Catalog],
    instrument: Instrument,
    program: Program,
    *,
    start_ns: int | None,
    end_ns: int | None,
    gaps: GapPolicy = "stop",
    revision: str | None = None,
    pins: Mapping[str, str] | None = None,
    memory: MarketMemory | None = None,
) -> Market:
    """Load what a program needs over a window.

    Args:
        catalogs: Looked through in order; the first that holds a usable series is taken.
        instrument: Whose bars.
        program: Its timeframes and warm-up.
        start_ns: First instant of the window; None is where the data starts.
        end_ns: First instant behind it; None is where the data ends.
        gaps: Whether a fault refuses the run or is reported and jumped over.
        revision: Pin this revision instead of the newest.
        pins: Pin these revisions of what lies beside the bars, by kind, and use nothing else; None takes the newest.
        memory: Of the markets loaded before from the same catalogs.

    Raises:
        UsageError: If there is no usable data; the message says what is missing and how to get it.
        DataError: If there are faults and `gaps` is `stop`.
    """
    memory = memory or MarketMemory()
    calendar = load_calendar(instrument.calendar)
    made_of = program.match, None if pins is None else pins.get(SideKind.TRADES.value)
    source = (instrument.id, min(program.graphs), start_ns, end_ns, revision, *made_of)
    stored = memory.once(
        ("stored", *source), lambda: stored_source(catalogs, instrument, program, (start_ns, end_ns), revision, pins)
    )
    bars, left_out = memory.once(("bars", *source), lambda: _inside_sessions(stored.bars, calendar))
    window = _window(bars, start_ns, end_ns)
    last = int(np.searchsorted(bars.open_ns, window[1]))
    history = memory.once(("history", *source), lambda: stored.series(bars.rows(0, last), calendar))
    first = _first_row(bars, history, window, program)
    used = bars.rows(first, last)
    found = memory.once(("faults", *source, first), lambda: _faults(stored.series(used, calendar), instrument))
    if found and gaps == "stop":
        raise DataError(_gap_sentence(instrument, found), reason=Reason.DATA_GAP.value)
    reads = program.side_columns
    aside = (*source, first, reads, None if pins is None else tuple(sorted(pins.items())))
    span = int(used.open_ns[0]), int(used.close_ns[-1])
    beside_pins = None if pins is None else {kind: pin for kind, pin in pins.items() if kind not in stored.pins}
    made_as = stored.revision.source if is_synthetic(stored.revision) else None
    beside = memory.once(
        ("beside", *aside), lambda: load_beside(catalogs, instrument, reads, span, beside_pins, source=made_as)
    )
    spans = memory.once(("spans", *aside), lambda: _spans(stored, used, found, calendar, beside, window[0]))
    funding = beside.settlements([span.base for span in spans], window[0])
    prices = memory.once(
        ("prices", *aside),
        lambda: [
            tuple(beside.price_bars(kind, span.base) for kind in (SideKind.MARK, SideKind.INDEX)) for span in spans
        ],
    )
    carries = [beside.carry(span.base, funding, calendar) for span in spans]
    stretches = _stretches(spans, program, window[0], carries, prices)
    if all(stretch.first_exec >= len(stretch.series.on(program.exec).bars) for stretch in stretches):
        raise UsageError(_too_short(instrument, used, program, calendar))
    return Market(
        instrument=instrument, calendar=calendar, revision=stored.revision, base=bars.timeframe, exec=program.exec,
        window=window, stretches=stretches, gaps=tuple(found), left_out=left_out,
        warmup_bars=int(np.searchsorted(used.open_ns, window[0])),
        pins=dict(sorted({**beside.pins, **stored.pins}.items())),
        funding=funding, actions=beside.series.get(SideKind.ACTIONS), borrow=beside.series.get(SideKind.BORROW),
        quotes=None if stored.quotes is None else stored.quotes.facts,
    )  # fmt: skip


def _faults(series: Series, instrument: Instrument) -> list[Gap]:
    """Return the gaps that the calendar does not explain; trades and quotes have those of the minutes they make."""
    bars = series.base if series.base.timeframe != TICK else series.on(Timeframe.parse("1m")).bars
    return faults(bars, series.calendar, instrument)


def _window(bars: Bars, start_ns: int | None, end_ns: int | None) -> tuple[int, int]:
    """Return the part of the range that is asked for in which there are bars: a run never claims a longer time."""
    first, behind = int(bars.open_ns[0]), _end_of(bars)
    start = first if start_ns is None else max(start_ns, first)
    end = behind if end_ns is None else min(end_ns, behind)
    if start >= end:
        asked = "on" if end_ns is None else f"to {format_time(end_ns)}"
        raise UsageError(
            f"there are no bars from {format_time(start)} {asked}: the first begins at {format_time(first)}, the last "
            f"before that ends at {format_time(behind)}; change --start or --end"
        )
    return start, end


def _end_of(bars: Bars) -> int:
    """Return the first instant behind the last bar; a closing auction opens at the instant at which it closes."""
    last_open, last_close = int(bars.open_ns[-1]), int(bars.close_ns[-1])
    return last_close if last_close > last_open else last_open + bars.timeframe.nanoseconds


def _inside_sessions(bars: Bars, calendar: Calendar) -> tuple[Bars, int]:
    if calendar.always_open:
        return bars, 0
    inside = calendar.session_of(bars.open_ns) >= 0
    outside = int(len(bars) - np.count_nonzero(inside))
    if outside == 0:
        return bars, 0
    if outside == len(bars):
        raise DataError(
            f"every bar lies outside the sessions of the calendar {calendar.name} "
            f"({calendar.first_day} to {calendar.last_day}); check the time zone of the import and the instrument's "
            "calendar"
        )
    kept = np.flatnonzero(inside)
    columns = (getattr(bars, name)[kept] for name in ("open_ns", "close_ns", "open", "high", "low", "close", "volume"))
    return Bars(bars.timeframe, *columns), outside


def _first_row(bars: Bars, history: Series, window: tuple[int, int], program: Program) -> int:
    """Return the first base row to load: the window and, before it, what the slowest warm-up reaches.

    Args:
        bars: All there are.
        history: Those before the end of the window.
        window: First and last instant.
        program: Its warm-up.
    """
    first = int(np.searchsorted(bars.open_ns, window[0]))
    if first >= len(history.base):
        raise UsageError(
            f"there are no bars between {format_time(window[0])} and {format_time(window[1])}; the data runs from "
            f"{format_time(int(bars.open_ns[0]))} to {format_time(int(bars.close_ns[-1]))}"
        )
    if first == 0:
        return 0
    return min(
        (_reach(history, timeframe, needed, window[0]) for timeframe, needed in program.warmup.items()), default=first
    )


def _reach(history: Series, timeframe: Timeframe, needed: int, start_ns: int) -> int:
    """Return the base row from which on so many bars of a timeframe close before the window.

    A bar whose first minute had no trade is not whole to one who begins there, so one bar more is taken before it.
    """
    higher = history.on(timeframe)
    closed = int(np.searchsorted(higher.bars.close_ns, start_ns, side="right"))
    if closed < needed or needed == 0:
        return 0
    oldest = closed - needed
    row = int(higher.first[oldest])
    if oldest > 0 and history.base.open_ns[row] > higher.bars.open_ns[oldest]:
        row = int(higher.first[oldest - 1])
    return row


def _spans(
    source: Source, bars: Bars, found: list[Gap], calendar: Calendar, beside: Beside, start_ns: int
) -> tuple[Series, ...]:
    """Return the unbroken parts between gaps."""
    origin = int(bars.open_ns[np.searchsorted(bars.open_ns, start_ns)])
    cuts = [0, *(int(np.searchsorted(bars.open_ns, gap.stop_ns)) for gap in found), len(bars)]
    parts = [bars.rows(start, stop) for start, stop in itertools.pairwise(cuts) if stop > start]
    return tuple(source.series(part, calendar, beside.columns(part), beside.scale(part, origin)) for part in parts)


def _stretches(
    spans: Sequence[Series],
    program: Program,
    start_ns: int,
    carries: Sequence[Carry | None],
    prices: Sequence[tuple[MarkBars | None, ...]],
) -> tuple[Stretch, ...]:
    stretches = []
    for number, (series, carry, (mark, index)) in enumerate(zip(spans, carries, prices, strict=True)):
        end = Reason.END_OF_DATA if number == len(spans) - 1 else Reason.DATA_GAP
        first = _first_decision(series, program, start_ns)
        stretches.append(Stretch(number, series, program.exec, first, end, carry, mark, index))
    return tuple(stretches)


def _first_decision(series: Series, program: Program, start_ns: int) -> int:
    """Return the first execution bar inside the window by whose close every timeframe has warmed up."""
    execution = series.on(program.exec).bars
    first = int(np.searchsorted(execution.open_ns, start_ns))
    for timeframe, needed in program.warmup.items():
        closes = series.on(timeframe).bars.close_ns
        if needed > len(closes):
            return len(execution)
        if needed > 0:
            first = max(first, int(np.searchsorted(execution.close_ns, closes[needed - 1])))
    return first


def _gap_sentence(instrument: Instrument, found: list[Gap]) -> str:
    named = "; ".join(
        f"{format_time(gap.start_ns)} to {format_time(gap.stop_ns)} ({gap.missing} missing)"
        for gap in found[:GAPS_NAMED_MAX]
    )
    more = f" and {len(found) - GAPS_NAMED_MAX} more" if len(found) > GAPS_NAMED_MAX else ""
    return (
        f"{instrument.id}: the calendar expects bars that are missing: {named}{more}. Import them, narrow the window "
        "with --start and --end, or run with --gaps report, which closes before each gap and warms up anew after it"
    )


def _too_short(instrument: Instrument, bars: Bars, program: Program, calendar: Calendar) -> str:
    series = Series(bars, calendar)
    needs = ", ".join(
        f"{needed} of {timeframe} (there are {len(series.on(timeframe).bars)})"
        for timeframe, needed in sorted(program.warmup.items())
    )
    return (
        f"{instrument.id}: too few bars to warm up: the strategy needs {needs}; take an earlier --start, import more "
        "history, or use shorter indicators"
    )
