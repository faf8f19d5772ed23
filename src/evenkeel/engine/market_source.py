"""Which stored series drives a run: the finest that covers its window, or the one that is pinned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evenkeel.data.calendar import Calendar, load_calendar
from evenkeel.data.catalog import Catalog
from evenkeel.data.catalog import Series as StoredSeries
from evenkeel.data.quotes import QuoteRows, quote_rows
from evenkeel.data.revision import Revision
from evenkeel.data.side import SideKind
from evenkeel.data.side.series import SideRevision
from evenkeel.data.ticks import tick_bars
from evenkeel.features.instants import SideColumns
from evenkeel.features.timeline import Program, Series
from evenkeel.model.bar import Bars, Floats
from evenkeel.model.errors import UsageError
from evenkeel.model.instrument import Instrument
from evenkeel.model.time import DAY, TICK, Timeframe, format_time

COVERAGE_SLACK_NS = 4 * DAY
"""A series covers a window when it starts and ends within so much of it: a long weekend."""


@dataclass(frozen=True, slots=True)
class Source:
    """The base bars that a catalog has for a run.

    Attributes:
        bars: Bars, trades or quotes.
        revision: The stored revision that they are.
        quotes: What more is known of them where they are quotes.
        pins: The revision of what else they were made of, by kind.
    """

    bars: Bars
    revision: Revision
    quotes: QuoteRows | None = None
    pins: Mapping[str, str] = field(default_factory=dict)

    def series(
        self, part: Bars, calendar: Calendar, side: SideColumns | None = None, scale: Floats | None = None
    ) -> Series:
        """Return some of the base bars that follow each other as a series."""
        return Series(part, calendar, side, scale, None if self.quotes is None else self.quotes.behind(part))


def choose_series(
    catalogs: Sequence[Catalog],
    instrument: Instrument,
    program: Program,
    start_ns: int | None,
    end_ns: int | None,
) -> StoredSeries:
    """Return the finest series that covers the window.

    Without a window it is the longest range in the first catalog that has any; a finer series of another catalog that
    covers it is preferred, so that a resampled copy never hides the bars that it was made of.

    Raises:
        UsageError: If there is none; the message says what there is.
    """
    needed = min(program.graphs)
    usable = [
        (catalog, entry)
        for catalog in catalogs
        for entry in catalog.entries()
        if entry.instrument == instrument.id and entry.timeframe <= needed
    ]
    if not usable:
        raise UsageError(_no_data(catalogs, instrument, needed))
    own = [entry.revision for catalog, entry in usable if catalog is usable[0][0]]
    longest = max(own, key=lambda revision: revision.last_ns - revision.first_ns)
    start = longest.first_ns if start_ns is None else start_ns
    end = longest.last_ns if end_ns is None else end_ns
    covering = [pair for pair in usable if _covers(pair[1].revision, start, end)] or [
        pair for pair in usable if pair[1].revision.first_ns < end and pair[1].revision.last_ns > start
    ]
    if not covering:
        raise UsageError(
            f"{instrument.id}: the catalog has {longest.timeframe} bars from {format_time(longest.first_ns)} to "
            f"{format_time(longest.last_ns)}, none between {format_time(start)} and {format_time(end)}"
        )
    catalog, chosen = min(covering, key=lambda pair: pair[1].timeframe)
    return catalog.read(instrument.id, chosen.timeframe, stop_ns=end_ns)


def pinned_series(catalogs: Sequence[Catalog], instrument: Instrument, revision: str) -> StoredSeries:
    """Return the series of one revision, wherever it is.

    Raises:
        UsageError: If it is in no catalog.
    """
    for catalog in catalogs:
        for timeframe in catalog.timeframes(instrument.id):
            if any(known.id == revision for known in catalog.history(instrument.id, timeframe)):
                return catalog.read(instrument.id, timeframe, revision=revision)
    raise UsageError(
        f"revision {revision[:12]} of {instrument.id} is in no catalog; name the one that has it with --catalog",
        reason="REVISION_GONE",
    )


def _covers(revision: Revision, start: int, end: int) -> bool:
    return revision.first_ns <= start + COVERAGE_SLACK_NS and revision.last_ns >= end - COVERAGE_SLACK_NS


def _no_data(catalogs: Sequence[Catalog], instrument: Instrument, needed: Timeframe) -> str:
    coarser = sorted({e.timeframe for c in catalogs for e in c.entries() if e.instrument == instrument.id})
    have = f"only {', '.join(map(str, coarser))} bars" if coarser else "no bars"
    return (
        f"the catalog has {have} of {instrument.id}, and {needed} or finer are needed; import some with "
        f"`keel data import FILE --instrument {instrument.id} --tf {needed}`, see `keel data list`, or try it on a "
        "generated market: `keel data synth --list`"
    )


def stored_source(
    catalogs: Sequence[Catalog], instrument: Instrument, program: Program, window: tuple[int | None, int | None],
    revision: str | None, pins: Mapping[str, str] | None = None,
) -> Source:  # fmt: skip
    """Return what drives a run: its trades or quotes where the program asks for them, else bars, pinned or chosen.

    Args:
        catalogs: Looked through in order.
        instrument: Whose.
        program: What it asks for.
        window: First and last instant of the run, as far as they are given.
        revision: Pin this revision instead of the newest.
        pins: Pin what lies beside, by kind, and use nothing else; None takes the newest.

    Raises:
        UsageError: If there is none; the message says how to get it.
    """
    if program.match == "trades":
        return _trades(catalogs, instrument, window[1], revision)
    if program.match == "quotes":
        return _quotes(catalogs, instrument, window[1], revision, pins)
    if revision is None:
        stored = choose_series(catalogs, instrument, program, *window)
    else:
        stored = pinned_series(catalogs, instrument, revision)
    return Source(stored.bars, stored.revision)


def _trades(catalogs: Sequence[Catalog], instrument: Instrument, end_ns: int | None, revision: str | None) -> Source:
    """Return the trades of the first catalog that has any, as base bars."""
    for catalog in catalogs:
        trades = catalog.side(instrument.id, SideKind.TRADES, stop_ns=end_ns, revision=revision)
        if trades is not None and len(trades):
            bars = tick_bars(trades, load_calendar(instrument.calendar))
            return Source(bars, _as_bars(trades.revision, len(bars)))
    raise _nothing(instrument, SideKind.TRADES, revision)


def _quotes(
    catalogs: Sequence[Catalog], instrument: Instrument, end_ns: int | None, revision: str | None,
    pins: Mapping[str, str] | None,
) -> Source:  # fmt: skip
    """Return the quotes of the first catalog that has any as base bars, with the trades that it has."""
    for catalog in catalogs:
        quotes = catalog.side(instrument.id, SideKind.QUOTES, stop_ns=end_ns, revision=revision)
        if quotes is None or not len(quotes):
            continue
        pin = None if pins is None else pins.get(SideKind.TRADES.value)
        without = pins is not None and pin is None
        trades = None if without else catalog.side(instrument.id, SideKind.TRADES, stop_ns=end_ns, revision=pin)
        rows = quote_rows(quotes, trades, load_calendar(instrument.calendar))
        if len(rows.bars):
            known = {} if rows.trades is None or trades is None else {SideKind.TRADES.value: trades.revision.id}
            return Source(rows.bars, _as_bars(quotes.revision, len(rows.bars)), rows, known)
    raise _nothing(instrument, SideKind.QUOTES, revision)


def _as_bars(known: SideRevision, rows: int) -> Revision:
    """Return the revision of events as that of the base bars which they are."""
    return Revision(
        id=known.id, instrument=known.instrument, timeframe=TICK, rows=rows, first_ns=known.first_ns,
        last_ns=known.last_ns, source=known.source, imported_ns=known.imported_ns,
    )  # fmt: skip


def _nothing(instrument: Instrument, kind: SideKind, revision: str | None) -> UsageError:
    return UsageError(
        f"{instrument.id}: no catalog has {kind} of it; import them with `keel data import FILE --instrument "
        f"{instrument.id} --kind {kind}`, or match against bars: `--set backtest.match=bars`",
        reason=f"NO_{kind.name}" if revision is None else "REVISION_GONE",
    )
