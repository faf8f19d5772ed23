"""How `keel data` shows what it did: sentences and tables for a person, documents for a program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evenkeel.cli.console import print_table
from evenkeel.cli.output import note, say
from evenkeel.model.time import format_time

if TYPE_CHECKING:
    from evenkeel.data.catalog import Catalog, Entry, Stored
    from evenkeel.data.quality import Finding, QualityReport
    from evenkeel.data.sources import Sources
    from evenkeel.model.bar import Bars

FINDINGS_SHOWN_MAX = 10
"""Faults and remarks that a person is shown of each; `--json` has all."""

FAULTS_SUMMARISED_MAX = 3


def say_import(stored: Stored, report: QualityReport, notes: Sequence[str]) -> None:
    """Print what an import did, the quality of the series, and what to do next."""
    revision = stored.revision
    what = f"{stored.added:,} bars added, {stored.changed:,} changed, {stored.removed:,} removed"
    say(f"{revision.instrument} {revision.timeframe}: {what if stored.is_new else 'nothing new, all bars are stored'}")
    say(f"  {revision.rows:,} bars from {format_time(revision.first_ns)} to {format_time(revision.last_ns)}")
    say(f"  revision {revision.id[:12]}")
    say(f"  quality {report.score:g} of 100, {_count(report.faults, 'fault')}, {_count(report.remarks, 'remark')}")
    for finding in report.faults[:FAULTS_SUMMARISED_MAX]:
        say(f"    {finding.sentence}")
    for line in notes:
        note(f"note: {line}")
    if report.faults:
        note(f"next: `keel data check {revision.instrument} --tf {revision.timeframe}` lists all faults")
    note(f"next: `keel backtest STRATEGY --symbol {revision.instrument}`")


def import_document(stored: Stored, report: QualityReport, notes: Sequence[str], catalog: Catalog) -> dict[str, object]:
    """Return what an import did as a JSON document."""
    revision = stored.revision
    return {
        "schema": "evenkeel.data_import/1", "instrument": revision.instrument, "timeframe": str(revision.timeframe),
        "catalog": str(catalog.folder), "revision": revision.id, "is_new": stored.is_new, "added": stored.added,
        "changed": stored.changed, "removed": stored.removed, "source": revision.source, "notes": list(notes),
        "quality": report_document(report),
    }  # fmt: skip


def say_report(report: QualityReport) -> None:
    """Print a quality report."""
    say(f"{report.instrument} {report.timeframe}: quality {report.score:g} of 100")
    say(f"  {report.rows:,} bars from {format_time(report.first_ns)} to {format_time(report.last_ns)}")
    say(f"  missing {report.missing:,} ({report.missing_share:.2%}), outside sessions {report.outside_share:.2%}")
    say(f"  no volume {report.zero_volume_share:.2%}, prices off the tick {report.off_tick_share:.2%}")
    for title, findings in (("faults", report.faults), ("remarks", report.remarks)):
        say(f"  {title}: {len(findings):,}")
        for finding in findings[:FINDINGS_SHOWN_MAX]:
            say(f"    {finding.sentence}")
        if len(findings) > FINDINGS_SHOWN_MAX:
            say(f"    ... and {len(findings) - FINDINGS_SHOWN_MAX:,} more; --json lists all")


def report_document(report: QualityReport) -> dict[str, object]:
    """Return a quality report as part of a JSON document."""
    return {
        "instrument": report.instrument, "timeframe": str(report.timeframe), "bars": report.rows,
        "start": format_time(report.first_ns), "end": format_time(report.last_ns), "score": report.score,
        "missing": report.missing, "missing_share": report.missing_share, "outside_share": report.outside_share,
        "odd_share": report.odd_share, "zero_volume_share": report.zero_volume_share,
        "off_tick_share": report.off_tick_share,
        "faults": [_finding_document(finding) for finding in report.faults],
        "remarks": [_finding_document(finding) for finding in report.remarks],
    }  # fmt: skip


def entry_document(holder: Catalog, entry: Entry, sources: Sources) -> dict[str, object]:
    """Return a series of a catalog as part of a JSON document."""
    revision = entry.revision
    return {
        "instrument": entry.instrument, "timeframe": str(entry.timeframe), "bars": revision.rows,
        "start": format_time(revision.first_ns), "end": format_time(revision.last_ns), "revision": revision.id,
        "revisions": entry.revisions, "source": revision.source, "imported": format_time(revision.imported_ns),
        "in": place_of(holder, sources),
    }  # fmt: skip


def place_of(holder: Catalog, sources: Sources) -> str:
    """Return whether a series is in the user's catalog or shipped with Evenkeel."""
    return "catalog" if holder is sources.catalogs[0] else "shipped"


def print_bars(bars: Bars, rows: Sequence[int]) -> None:
    """Print rows of bars as a table, prices as they are stored."""
    columns = ("open time", "close time", "open", "high", "low", "close", "volume")
    lines = []
    for row in rows:
        values = (bars.open[row], bars.high[row], bars.low[row], bars.close[row], bars.volume[row])
        times = (format_time(int(bars.open_ns[row])), format_time(int(bars.close_ns[row])))
        lines.append((*times, *(repr(float(value)) for value in values)))
    print_table(columns, lines, right=columns[2:])


def bars_document(bars: Bars, rows: Sequence[int]) -> dict[str, object]:
    """Return rows of bars as part of a JSON document."""
    return {
        "bars": [
            {
                "open_time": format_time(int(bars.open_ns[row])), "close_time": format_time(int(bars.close_ns[row])),
                "open": float(bars.open[row]), "high": float(bars.high[row]), "low": float(bars.low[row]),
                "close": float(bars.close[row]), "volume": float(bars.volume[row]),
            }
            for row in rows
        ]
    }  # fmt: skip


def _count(findings: Sequence[Finding], noun: str) -> str:
    return f"{len(findings):,} {noun}{'' if len(findings) == 1 else 's'}"


def _finding_document(finding: Finding) -> dict[str, object]:
    first, last = format_time(finding.first_ns), format_time(finding.last_ns)
    return {"kind": finding.kind, "first": first, "last": last, "bars": finding.bars, "sentence": finding.sentence}
