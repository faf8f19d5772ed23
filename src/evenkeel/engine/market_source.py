"""Which stored series drives a run: the finest that covers its window, or the one that is pinned."""

from __future__ import annotations

from collections.abc import Sequence

from evenkeel.data.calendar import load_calendar
from evenkeel.data.catalog import Catalog
from evenkeel.data.catalog import Series as StoredSeries
from evenkeel.data.revision import Revision
from evenkeel.data.side import SideKind
from evenkeel.data.ticks import tick_bars
from evenkeel.features.timeline import Program
from evenkeel.model.errors import UsageError
from evenkeel.model.instrument import Instrument
from evenkeel.model.time import DAY, TICK, Timeframe, format_time

COVERAGE_SLACK_NS = 4 * DAY
"""A series covers a window when it starts and ends within so much of it: a long weekend."""


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


def stored_series(
    catalogs: Sequence[Catalog], instrument: Instrument, program: Program, window: tuple[int | None, int | None],
    revision: str | None,
) -> StoredSeries:  # fmt: skip
    """Return what drives a run: its trades where the program asks for them, else bars, pinned or chosen.

    Raises:
        UsageError: If there is none; the message says how to get it.
    """
    if program.ticks:
        return _trades(catalogs, instrument, window, revision)
    if revision is None:
        return choose_series(catalogs, instrument, program, *window)
    return pinned_series(catalogs, instrument, revision)


def _trades(
    catalogs: Sequence[Catalog], instrument: Instrument, window: tuple[int | None, int | None], revision: str | None
) -> StoredSeries:  # fmt: skip
    """Return the trades of the first catalog that has any, as base bars."""
    for catalog in catalogs:
        trades = catalog.side(instrument.id, SideKind.TRADES, stop_ns=window[1], revision=revision)
        if trades is not None and len(trades):
            known, bars = trades.revision, tick_bars(trades, load_calendar(instrument.calendar))
            stored = Revision(
                id=known.id, instrument=instrument.id, timeframe=TICK, rows=len(bars), first_ns=known.first_ns,
                last_ns=known.last_ns, source=known.source, imported_ns=known.imported_ns,
            )  # fmt: skip
            return StoredSeries(bars, stored)
    raise UsageError(
        f"{instrument.id}: no catalog has trades of it; import them with `keel data import FILE --instrument "
        f"{instrument.id} --kind trades`, or match against bars: `--set backtest.match=bars`",
        reason="NO_TRADES" if revision is None else "REVISION_GONE",
    )
