"""`keel audit DIR`: derive the results of a run again from its files and, where the catalog has them, its bars."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evenkeel.cli.home import current_home
from evenkeel.cli.output import emit, note, say
from evenkeel.cli.params import json_option

if TYPE_CHECKING:
    import polars as pl

    from evenkeel.data.calendar import Calendar
    from evenkeel.model.bar import Bars
    from evenkeel.readiness.audit import Check

_WORDS = {True: "ok", False: "FAILED"}


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--catalog",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Catalog that has the bars of the run. Default: the one of the home.",
)
@json_option
def command(folder: Path, catalog: Path | None, as_json: bool) -> int:
    """Check stored results again, with code that shares nothing with the engine.

    Every figure of the run in DIR is derived again in exact decimals from its fills and, if the catalog has them, from
    the bars that the run used. Exit code 1 when a check fails. A check that could not run is listed as skipped.

    \b
    Example:
      keel audit out
      keel audit out --catalog data/catalog --json
    """
    from evenkeel.readiness.audit import audit

    base, higher = _bars_of_run(folder, catalog or current_home().catalog)
    checks = audit(folder, base_bars=base, higher_bars=higher)
    failed = sum(check.failed for check in checks)
    if as_json:
        emit(_document(folder, checks))
    else:
        _print(checks)
    return 1 if failed else 0


def _document(folder: Path, checks: list[Check]) -> dict[str, object]:
    return {
        "schema": "evenkeel.audit/1",
        "ok": not any(check.failed for check in checks),
        "folder": str(folder),
        "checks": [
            {"name": check.name, "ok": check.ok, "skipped": check.skipped, "detail": check.detail} for check in checks
        ],
    }


def _print(checks: list[Check]) -> None:
    from evenkeel.cli.console import print_table

    rows = [(check.name, "skipped" if check.skipped else _WORDS[check.ok], check.detail) for check in checks]
    print_table(("check", "", "detail"), rows)
    failed, left_out = sum(check.failed for check in checks), sum(check.skipped for check in checks)
    say(f"{len(checks) - failed - left_out} passed, {failed} failed, {left_out} skipped")


def _bars_of_run(folder: Path, catalog: Path) -> tuple[pl.DataFrame | None, dict[str, pl.DataFrame]]:
    """Return the bars that the run's manifest names, or nothing and a note where they cannot be had."""
    import msgspec

    from evenkeel.model.errors import KeelError

    try:
        return _load_bars(msgspec.json.decode((folder / "manifest.json").read_bytes()), catalog)
    except KeelError as error:
        note(f"without the bars of the run: {error.message}")
    except (OSError, msgspec.MsgspecError, LookupError, TypeError) as error:
        note(f"without the bars of the run: manifest.json does not name them ({error})")
    return None, {}


def _load_bars(manifest: dict[str, Any], folder: Path) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
    import msgspec

    from evenkeel.data.calendar import load_calendar
    from evenkeel.data.catalog import Catalog
    from evenkeel.model.errors import DataError
    from evenkeel.model.instrument import Instrument
    from evenkeel.model.time import Timeframe, parse_time

    data = manifest["data"]
    instrument = msgspec.convert(manifest["instrument"], Instrument)
    series = Catalog(folder).read(
        instrument.id,
        Timeframe.parse(data["base_tf"]),
        start_ns=parse_time(data["start"]),
        stop_ns=parse_time(data["end"]),
        revision=data["revision"],
    )
    if data["segments"] != 1 or data["left_out"] != 0:
        raise DataError("the run went on over gaps, so its bars are not one series; run the backtest again to audit it")
    return _frame(series.bars), _aggregates(series.bars, data["timeframes"], load_calendar(instrument.calendar))


def _aggregates(bars: Bars, timeframes: list[str], calendar: Calendar) -> dict[str, pl.DataFrame]:
    from evenkeel.data.aggregate import aggregate
    from evenkeel.model.time import Timeframe

    frames = {}
    for timeframe in map(Timeframe.parse, timeframes):
        if timeframe != bars.timeframe:
            made = aggregate(bars, timeframe, calendar)
            frames[timeframe.name] = _frame(made.bars).with_columns(first=made.first, last=made.last)
    return frames


def _frame(bars: Bars) -> pl.DataFrame:
    import polars as pl

    columns = ("open_ns", "close_ns", "open", "high", "low", "close", "volume")
    return pl.DataFrame({name: getattr(bars, name) for name in columns})
