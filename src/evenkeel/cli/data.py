"""`keel data`: import, list, check, show and resample market data."""

from __future__ import annotations

import difflib
import glob
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evenkeel.cli.console import print_table, progress
from evenkeel.cli.data_options import (
    catalog_option,
    end_option,
    kind_option,
    revision_option,
    start_option,
    timeframe_option,
)
from evenkeel.cli.data_resample import command as resample_command
from evenkeel.cli.data_show import command as show_command
from evenkeel.cli.data_side import (
    comparable_bars,
    entry_line,
    import_rows,
    refuse_with,
)
from evenkeel.cli.data_side import (
    entry_document as side_entry_document,
)
from evenkeel.cli.data_side import (
    report_document as side_report_document,
)
from evenkeel.cli.data_side import (
    say_report as say_side_report,
)
from evenkeel.cli.data_synth import command as synth_command
from evenkeel.cli.data_views import (
    entry_document,
    import_document,
    place_of,
    report_document,
    say_import,
    say_report,
)
from evenkeel.cli.home import current_home
from evenkeel.cli.output import emit, note
from evenkeel.cli.params import OneOf, json_option
from evenkeel.cli.stored import instrument_and_calendar, sources_under, timeframe_of
from evenkeel.model.errors import UsageError

if TYPE_CHECKING:
    from evenkeel.data.calendar import Calendar
    from evenkeel.data.catalog import Catalog
    from evenkeel.data.importers import Imported
    from evenkeel.data.sources import Sources
    from evenkeel.model.instrument import Instrument

FORMATS = ("auto", "csv", "parquet", "lean", "freqtrade")
"""As in `evenkeel.data.importers.Format`; a test compares."""


@click.group(name="data")
def command() -> None:
    """Import, check and show market data.

    \b
    Example:
      keel data import klines.csv --instrument BTCUSDT --tf 1m
      keel data list
      keel data check BTCUSDT
    """


command.add_command(synth_command)
command.add_command(resample_command)
command.add_command(show_command)


@command.command(name="import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--instrument", "name", required=True, metavar="ID", help="Whose bars these are.")
@kind_option
@timeframe_option
@click.option("--format", "form", type=OneOf(FORMATS), default="auto", help="Default: found by looking.")
@click.option("--stamp", type=OneOf(("open", "close")), help="Which end of a bar the times name. Default: open.")
@click.option("--tz", "zone", metavar="ZONE", help="Zone of times without one, for example America/New_York.")
@click.option("--newest-first", is_flag=True, help="The rows run backwards in time.")
@click.option("--replace", is_flag=True, help="The files are a correction: they replace what is stored of their time.")
@click.option("--from-factor", is_flag=True, help="Derive actions from the adj_factor of a file of raw daily bars.")
@catalog_option
@json_option
def import_command(
    files: tuple[str, ...], name: str, kind: str, tf: str | None, form: str, stamp: str | None, zone: str | None,
    newest_first: bool, replace: bool, from_factor: bool, catalog: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Take files of bars, or of what lies beside them, into the catalog.

    They are checked, and refused rather than patched. Understood are CSV (also gzipped) and Parquet with usual column
    names, LEAN zips, and freqtrade's feather and JSON. New bars are added to those stored; bars that are stored with
    other values are refused unless --replace is given.

    Beside bars, from Parquet, CSV and feather with a column of times and these columns: funding: rate, a fraction for
    each settlement. mark, index: price, or open, high, low, close with --tf. open_interest: value. actions: split, new
    shares for an old one, and dividend, cash for a share, with the ex-date. borrow: rate, an annual fraction. trades:
    price, size, side. quotes: bid, ask, bid_size, ask_size. The names that venues give them are known too.

    \b
    Example:
      keel data import klines.csv --instrument BTCUSDT --tf 1m
      keel data import rates.csv --instrument BTCUSDT --kind funding
      keel data import mark.parquet --instrument BTCUSDT --kind mark --tf 1m
      keel data import 'es/*_trade.zip' --instrument ESZ2013 --tf 1m
      keel data import minutes.txt --instrument SPY --tf 1m --tz America/New_York --stamp close
    """
    from evenkeel.data.importers import Format, Request, SideRequest, Stamp, import_files, require_zone
    from evenkeel.data.quality import check
    from evenkeel.data.side import SideKind
    from evenkeel.data.synthetic.storage import require_recordable
    from evenkeel.model.time import Timeframe

    instrument, calendar = instrument_and_calendar(name)
    require_recordable(instrument.id)
    paths = _paths(files)
    if from_factor and kind != "actions":
        raise UsageError("--from-factor derives splits and dividends; use it with --kind actions")
    if kind != "bars":
        refuse_with(kind, {"--stamp": stamp, "--format": None if form == "auto" else form})
        side = SideRequest(
            instrument, calendar, SideKind(kind), timeframe=None if tf is None else Timeframe.parse(tf),
            zone=require_zone(zone) if zone else None, newest_first=newest_first, from_factor=from_factor,
        )  # fmt: skip
        with progress("importing", total=len(paths)) as advance:
            import_rows(paths, side, _catalog(catalog), replace=replace, as_json=as_json, on_file=advance)
        return
    if tf is None:
        raise UsageError("say the interval of the bars with --tf, for example --tf 1m; other data is named by --kind")
    request = Request(
        instrument, calendar, Timeframe.parse(tf), stamp=Stamp(stamp) if stamp else None,
        zone=require_zone(zone) if zone else None, newest_first=newest_first,
    )  # fmt: skip
    with progress("importing", total=len(paths)) as advance:
        imported = import_files(paths, request, form=Format(form), on_file=advance)
    now_ns = time.time_ns()
    _require_past(imported, now_ns)
    target = _catalog(catalog)
    stored = target.merge(instrument.id, imported.bars, source=imported.source, imported_ns=now_ns, replace=replace)
    report = check(target.read(instrument.id, request.timeframe).bars, instrument, calendar)
    if as_json:
        emit(import_document(stored, report, imported.notes, target))
        return
    say_import(stored, report, imported.notes)


@command.command(name="list")
@catalog_option
@json_option
def list_command(catalog: Path | None, as_json: bool) -> None:
    """List what is stored, bars and what lies beside them, and the shipped sample.

    \b
    Example:
      keel data list
    """
    from evenkeel.model.time import format_time

    sources = sources_under(catalog)
    entries = sources.entries()
    if as_json:
        rows = [entry_document(holder, entry, sources) for holder, entry in entries]
        beside = [side_entry_document(entry, place_of(holder, sources)) for holder, entry in sources.side_entries()]
        folder = str(sources.catalogs[0].folder)
        emit({"schema": "evenkeel.data_list/1", "catalog": folder, "series": rows, "beside": beside})
        return
    columns = ("instrument", "data", "rows", "from", "to", "revision", "revisions", "in")
    lines: list[tuple[str, ...]] = [
        (
            entry.instrument, str(entry.timeframe), f"{entry.revision.rows:,}", format_time(entry.revision.first_ns),
            format_time(entry.revision.last_ns), entry.revision.id[:12], str(entry.revisions),
            place_of(holder, sources),
        )
        for holder, entry in entries
    ]  # fmt: skip
    lines += [entry_line(entry, place_of(holder, sources)) for holder, entry in sources.side_entries()]
    print_table(columns, sorted(lines, key=lambda line: line[0]), right=("rows", "revisions"))
    note(f"catalog: {sources.catalogs[0].folder}")


@command.command(name="check")
@click.argument("name", metavar="ID")
@kind_option
@timeframe_option
@start_option
@end_option
@revision_option
@catalog_option
@json_option
def check_command(
    name: str, kind: str, tf: str | None, start: int | None, end: int | None, revision: str | None,
    catalog: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Judge a series: what is missing, broken or odd.

    Exit code 1 if there are faults. Of bars a fault is what stops a backtest: a missing interval in a market that never
    closes, elsewhere a missing session. Beside bars it is what is missing or cannot be true: a settlement, a crossed
    quote, a split that the prices do not show.

    \b
    Example:
      keel data check BTCUSDT --tf 1m
      keel data check BTCUSDT --kind funding
    """
    from evenkeel.data.quality import check

    instrument, calendar = instrument_and_calendar(name)
    sources = sources_under(catalog)
    if kind != "bars":
        refuse_with(kind, {"--tf": tf, "--start": start, "--end": end})
        return _check_side(instrument, calendar, kind, revision, sources, as_json=as_json)
    timeframe = timeframe_of(sources, instrument, tf)
    series = sources.read(instrument.id, timeframe, start_ns=start, stop_ns=end, revision=revision)
    report = check(series.bars, instrument, calendar)
    if as_json:
        emit({"schema": "evenkeel.data_check/1", "revision": series.revision.id, **report_document(report)})
    else:
        say_report(report)
    return 1 if report.faults else 0


def _check_side(
    instrument: Instrument, calendar: Calendar, kind: str, revision: str | None, sources: Sources, *, as_json: bool
) -> int:
    from evenkeel.data.side import SideKind
    from evenkeel.data.side.quality import check_side

    series = sources.side(instrument.id, SideKind(kind), revision=revision)
    report = check_side(series, instrument, calendar, comparable_bars(sources, series.revision))
    if as_json:
        emit(side_report_document(report))
    else:
        say_side_report(report)
    return 1 if report.faults else 0


def _require_past(imported: Imported, now_ns: int) -> None:
    """Refuse bars that have not closed yet: their times are wrong, or the last one is unfinished."""
    from evenkeel.model.errors import DataError
    from evenkeel.model.time import format_time

    last = int(imported.bars.close_ns[-1])
    if last > now_ns:
        raise DataError(
            f"{imported.source}: the last bar ends at {format_time(last)}, which is still to come. Nothing was stored; "
            "correct the times, or remove the bar if it is not finished"
        )


def _catalog(folder: Path | None) -> Catalog:
    from evenkeel.data.catalog import Catalog

    return Catalog(folder or current_home().catalog)


def _paths(files: Sequence[str]) -> list[Path]:
    """Return the files that the arguments name, with patterns that the shell did not expand."""
    paths: list[Path] = []
    for name in files:
        path = Path(name)
        if path.is_file():
            paths.append(path)
            continue
        matches = sorted(Path(match) for match in glob.glob(name, recursive=True) if Path(match).is_file())
        if not matches:
            raise UsageError(_no_file(path))
        paths += matches
    return list(dict.fromkeys(paths))


def _no_file(path: Path) -> str:
    if path.is_dir():
        return f"{path} is a folder; name the files in it, for example '{path}/*.csv'"
    siblings = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, siblings, n=1)
    return f"there is no file {path}" + (f"; did you mean {near[0]}?" if near else "")
