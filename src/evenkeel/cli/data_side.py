"""`keel data ... --kind`: what lies beside bars, imported, listed, checked and shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evenkeel.cli.console import print_table
from evenkeel.cli.output import emit, note, say
from evenkeel.model.errors import UsageError
from evenkeel.model.time import format_time

if TYPE_CHECKING:
    from evenkeel.data.catalog import Catalog
    from evenkeel.data.importers.side import SideImported, SideRequest
    from evenkeel.data.side import SideEntry, SideRevision, SideSeries, SideStored
    from evenkeel.data.side.quality import SideFinding, SideReport
    from evenkeel.data.sources import Sources
    from evenkeel.model.bar import Bars

KINDS = ("bars", "funding", "mark", "index", "open_interest", "actions", "borrow", "trades", "quotes")
"""Bars, and the kinds of `evenkeel.data.side`; a test compares."""

FINDINGS_SHOWN_MAX = 10


def refuse_with(kind: str, options: Mapping[str, object]) -> None:
    """Refuse options that say something of bars only."""
    given = [name for name, value in options.items() if value not in (None, ())]
    if given:
        raise UsageError(f"{' and '.join(given)} can be said of bars only; leave it out with --kind {kind}")


def import_rows(
    paths: Sequence[Path], request: SideRequest, target: Catalog, *, replace: bool, as_json: bool,
    on_file: Callable[[], None],
) -> None:  # fmt: skip
    """Take files into the catalog and say what came of it."""
    from evenkeel.data.importers.side import import_side
    from evenkeel.model.errors import DataError

    imported = import_side(paths, request, on_file=on_file)
    now_ns = time.time_ns()
    last = int(imported.batch.stamps_ns[-1])
    if last > now_ns:
        raise DataError(
            f"{imported.source}: the last row is of {format_time(last)}, which is still to come. Nothing was stored; "
            "correct the times"
        )
    instrument = request.instrument.id
    stored = target.shelf.merge(instrument, imported.batch, source=imported.source, imported_ns=now_ns, replace=replace)
    if as_json:
        emit(_import_document(stored, imported, target))
        return
    _say_import(stored, imported)


def _say_import(stored: SideStored, imported: SideImported) -> None:
    revision = stored.revision
    what = f"{stored.added:,} rows added, {stored.changed:,} changed, {stored.removed:,} removed"
    say(f"{revision.instrument} {revision.kind}: {what if stored.is_new else 'nothing new, all rows are stored'}")
    say(f"  {revision.rows:,} rows from {format_time(revision.first_ns)} to {format_time(revision.last_ns)}")
    say(f"  revision {revision.id[:12]}")
    for line in imported.notes:
        note(f"note: {line}")
    note(f"next: `keel data check {revision.instrument} --kind {revision.kind}`")


def _import_document(stored: SideStored, imported: SideImported, catalog: Catalog) -> dict[str, object]:
    revision = stored.revision
    return {
        "schema": "evenkeel.data_import_side/1", "instrument": revision.instrument, "kind": revision.kind.value,
        "catalog": str(catalog.folder), "revision": revision.id, "is_new": stored.is_new, "rows": revision.rows,
        "added": stored.added, "changed": stored.changed, "removed": stored.removed, "source": revision.source,
        "start": format_time(revision.first_ns), "end": format_time(revision.last_ns), "notes": list(imported.notes),
    }  # fmt: skip


def entry_line(entry: SideEntry, place: str) -> tuple[str, ...]:
    """Return a series as a line of `keel data list`."""
    revision = entry.revision
    kind = f"{revision.kind} {revision.timeframe}" if revision.timeframe else revision.kind.value
    return (
        revision.instrument, kind, f"{revision.rows:,}", format_time(revision.first_ns), format_time(revision.last_ns),
        revision.id[:12], str(entry.revisions), place,
    )  # fmt: skip


def entry_document(entry: SideEntry, place: str) -> dict[str, object]:
    """Return a series as part of a JSON document."""
    revision = entry.revision
    return {
        "instrument": revision.instrument, "kind": revision.kind.value,
        "timeframe": None if revision.timeframe is None else str(revision.timeframe), "rows": revision.rows,
        "start": format_time(revision.first_ns), "end": format_time(revision.last_ns), "revision": revision.id,
        "revisions": entry.revisions, "source": revision.source, "imported": format_time(revision.imported_ns),
        "in": place,
    }  # fmt: skip


def comparable_bars(sources: Sources, revision: SideRevision) -> Bars | None:
    """Return the bars of the same instrument that share most time with a series, the finest of equals; None without."""
    found = {
        entry.timeframe: entry.revision for _, entry in sources.entries() if entry.instrument == revision.instrument
    }
    shared = {
        timeframe: min(bars.last_ns, revision.last_ns) - max(bars.first_ns, revision.first_ns)
        for timeframe, bars in sorted(found.items())
    }
    if not shared:
        return None
    best = max(shared, key=lambda timeframe: shared[timeframe])
    return sources.read(revision.instrument, best).bars


def say_report(report: SideReport) -> None:
    """Print a report."""
    revision = report.series.revision
    say(f"{revision.instrument} {revision.kind}: {len(report.faults)} faults, {len(report.remarks)} remarks")
    say(f"  {revision.rows:,} rows from {format_time(revision.first_ns)} to {format_time(revision.last_ns)}")
    for title, findings in (("faults", report.faults), ("remarks", report.remarks)):
        say(f"  {title}: {len(findings):,}")
        for finding in findings[:FINDINGS_SHOWN_MAX]:
            say(f"    {finding.sentence}")
        if len(findings) > FINDINGS_SHOWN_MAX:
            say(f"    ... and {len(findings) - FINDINGS_SHOWN_MAX:,} more; --json lists all")


def report_document(report: SideReport) -> dict[str, object]:
    """Return a report as a JSON document."""
    revision = report.series.revision
    return {
        "schema": "evenkeel.data_check_side/1", "revision": revision.id, "instrument": revision.instrument,
        "kind": revision.kind.value, "rows": revision.rows, "start": format_time(revision.first_ns),
        "end": format_time(revision.last_ns), "faults": [_finding(each) for each in report.faults],
        "remarks": [_finding(each) for each in report.remarks],
    }  # fmt: skip


def _finding(finding: SideFinding) -> dict[str, object]:
    return {"rows": finding.rows, "sentence": finding.sentence}


def show_rows(series: SideSeries, rows: Sequence[int], *, as_json: bool) -> None:
    """Print rows of a series, values as they are stored."""
    names = tuple(series.columns)
    if as_json:
        emit({
            "schema": "evenkeel.data_side/1", "instrument": series.revision.instrument, "kind": series.kind.value,
            "revision": series.revision.id, "total": len(series),
            "rows": [
                {"time": format_time(int(series.stamps_ns[row])), **{n: _value(series, n, row) for n in names}}
                for row in rows
            ],
        })  # fmt: skip
        return
    lines = []
    for row in rows:
        values = (_value(series, name, row) for name in names)
        lines.append((format_time(int(series.stamps_ns[row])), *("" if v is None else repr(v) for v in values)))
    print_table(("time", *names), lines, right=names)
    note(f"{len(rows):,} of {len(series):,} rows, revision {series.revision.id[:12]}")


def _value(series: SideSeries, name: str, row: int) -> float | None:
    value = float(series.columns[name][row])
    return None if value != value else value
