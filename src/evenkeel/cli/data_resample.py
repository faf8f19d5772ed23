"""`keel data resample`: slower bars of faster ones, or bars of trades."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evenkeel.cli.console import announce_compilation
from evenkeel.cli.data_options import catalog_option, end_option, start_option, timeframe_option
from evenkeel.cli.home import current_home
from evenkeel.cli.output import emit, say
from evenkeel.cli.params import OneOf, json_option
from evenkeel.cli.stored import instrument_and_calendar, sources_under, timeframe_of
from evenkeel.model.errors import DataError, UsageError

if TYPE_CHECKING:
    from evenkeel.data.calendar import Calendar
    from evenkeel.data.catalog import Catalog
    from evenkeel.data.sources import Sources
    from evenkeel.model.bar import Bars
    from evenkeel.model.instrument import Instrument
    from evenkeel.model.time import Timeframe

TRADES_WORD = "trades of revision"
"""First words of the source of bars that were made of trades."""


@click.command(name="resample")
@click.argument("name", metavar="ID")
@click.option("--to", "to", required=True, metavar="TF", help="Interval of the bars to make.")
@click.option("--from", "origin", type=OneOf(("bars", "trades")), default="bars", help="Of what. Default: bars.")
@timeframe_option
@start_option
@end_option
@click.option("--whole", is_flag=True, help="The trades begin and end with an interval: keep its first and last bar.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Write a .csv or .parquet file instead of storing the bars in the catalog.",
)  # fmt: skip
@catalog_option
@json_option
def command(
    name: str, to: str, origin: str, tf: str | None, start: int | None, end: int | None, whole: bool,
    out: Path | None, catalog: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Make slower bars of faster ones, or bars of trades.

    They are made as a backtest makes them, which needs no resampled bars itself; incomplete bars at either end are left
    out. Where trades begin and end cannot be seen in them, so the first and the last bar are left out unless --whole.

    \b
    Example:
      keel data resample BTC-USD --to 1h --out hours.csv
      keel data resample ESH2024 --from trades --to 1m --out minutes.csv
    """
    from evenkeel.data.export import export_bars
    from evenkeel.model.time import Timeframe

    instrument, calendar = instrument_and_calendar(name)
    sources, target = sources_under(catalog), Timeframe.parse(to)
    announce_compilation()
    if origin == "trades":
        if tf is not None:
            raise UsageError("--tf names the bars to start from; with --from trades leave it out, --to is what is made")
        bars, made_of, source = _of_trades(sources, instrument, calendar, target, whole=whole, window=(start, end))
    else:
        if whole:
            raise UsageError("--whole says something of trades; use it with --from trades")
        bars, made_of, source = _of_bars(sources, instrument, calendar, target, tf, (start, end))
    if not len(bars):
        raise UsageError(f"the {made_of} of that range hold no complete {target} bar")
    if out is not None:
        export_bars(out, bars)
        where = str(out)
    else:
        where = f"revision {_store(catalog, instrument, bars, source)[:12]}"
    if as_json:
        document = {"schema": "evenkeel.data_resample/1", "instrument": instrument.id, "timeframe": str(target)}
        emit({**document, "from": tf or origin, "bars": len(bars), "stored": where})
        return
    say(f"{len(bars):,} {target} bars of {instrument.id} from {made_of}: {where}")


def _of_bars(
    sources: Sources, instrument: Instrument, calendar: Calendar, target: Timeframe, tf: str | None,
    window: tuple[int | None, int | None],
) -> tuple[Bars, str, str]:  # fmt: skip
    """Return slower bars, what they are made of, and their source."""
    from evenkeel.data.aggregate import aggregate
    from evenkeel.data.synthetic.storage import derived_source

    finest = next((str(stored) for stored in sources.timeframes(instrument.id)), None)
    timeframe = timeframe_of(sources, instrument, tf or finest)
    series = sources.read(instrument.id, timeframe, start_ns=window[0], stop_ns=window[1])
    bars = aggregate(series.bars, target, calendar).bars
    return bars, f"{len(series.bars):,} {timeframe} bars", derived_source(series.revision)


def _of_trades(
    sources: Sources, instrument: Instrument, calendar: Calendar, target: Timeframe, *, whole: bool,
    window: tuple[int | None, int | None],
) -> tuple[Bars, str, str]:  # fmt: skip
    """Return bars of trades, what they are made of, and their source."""
    import numpy as np

    from evenkeel.data.side import SideKind
    from evenkeel.data.ticks import bars_of_trades

    trades = sources.side(instrument.id, SideKind.TRADES)
    bars = bars_of_trades(trades, target, calendar, whole=whole)
    start, end = window
    first = 0 if start is None else int(np.searchsorted(bars.open_ns, start))
    last = len(bars) if end is None else int(np.searchsorted(bars.open_ns, end))
    return bars.rows(first, max(first, last)), f"{len(trades):,} trades", f"{TRADES_WORD} {trades.revision.id[:12]}"


def _store(folder: Path | None, instrument: Instrument, bars: Bars, source: str) -> str:
    """Make the bars the newest revision of their series; bars of trades do not take the place of recorded ones."""
    from evenkeel.data.catalog import Catalog

    target: Catalog = Catalog(folder or current_home().catalog)
    history = target.history(instrument.id, bars.timeframe)
    if source.startswith(TRADES_WORD) and history and not history[-1].source.startswith(TRADES_WORD):
        raise DataError(
            f"{instrument.id} has {bars.timeframe} bars from {history[-1].source}; bars of trades do not take their "
            "place. Write them with --out FILE to compare"
        )
    return target.write(instrument.id, bars, source=source, imported_ns=time.time_ns()).id
