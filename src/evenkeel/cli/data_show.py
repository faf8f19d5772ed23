"""`keel data show`: rows of a series as they are stored, bars with values of indicators and structures if asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from evenkeel.cli.data_options import (
    catalog_option,
    end_option,
    kind_option,
    revision_option,
    start_option,
    timeframe_option,
)
from evenkeel.cli.data_side import refuse_with, show_rows
from evenkeel.cli.data_views import bars_document, print_bars
from evenkeel.cli.output import emit, note
from evenkeel.cli.params import json_option
from evenkeel.cli.plugins import plugin_option
from evenkeel.cli.stored import instrument_and_calendar, sources_under, timeframe_of
from evenkeel.model.errors import UsageError

if TYPE_CHECKING:
    from evenkeel.data.catalog import Series

ROWS_SHOWN = 10


@click.command(name="show")
@click.argument("name", metavar="ID")
@kind_option
@timeframe_option
@start_option
@end_option
@click.option("--head", type=click.IntRange(min=1), metavar="N", help="The first N bars.")
@click.option("--tail", type=click.IntRange(min=1), metavar="N", help="The last N bars.")
@click.option("--with", "nodes", multiple=True, metavar="NODE", help="Beside the bars, an indicator or structure.")
@revision_option
@catalog_option
@plugin_option
@json_option
def command(
    name: str, kind: str, tf: str | None, start: int | None, end: int | None, head: int | None, tail: int | None,
    nodes: tuple[str, ...], revision: str | None, catalog: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Print bars, or what lies beside them, as a table, with values of indicators and structures if asked.

    Without --head or --tail these are the first and the last five. NODE is NAME[.OUTPUT][:VALUE | :PARAM=VALUE]...,
    with the parameters in the order of `keel indicators NAME`; behind them may stand the price it reads (ema:20:hlc3).
    A list has commas (fibonacci:levels=0.382,0.618). What a structure reads is added: a swing of 5 and 5 bars and an
    ATR of 14, or those asked for. Values are computed over all bars before --end, as a strategy would see them.

    \b
    Example:
      keel data show SPY --tf D --tail 5
      keel data show AAPL --tf 1m --start 2023-01-04 --end 2023-01-05 --head 100
      keel data show SPY --with rsi:14 --with bbands.upper:length=50 --with zone:demand:1
      keel data show BTCUSDT --kind funding --tail 3
    """
    instrument, calendar = instrument_and_calendar(name)
    sources = sources_under(catalog)
    if kind != "bars":
        refuse_with(kind, {"--tf": tf, "--with": nodes})
        from evenkeel.data.side import SideKind

        found = sources.side(instrument.id, SideKind(kind), start_ns=start, stop_ns=end, revision=revision)
        show_rows(found, _shown(len(found), head, tail), as_json=as_json)
        return
    timeframe = timeframe_of(sources, instrument, tf)
    if nodes:
        from evenkeel.cli.data_values import show_values

        # Bars before the range warm the values up.
        series = sources.read(instrument.id, timeframe, start_ns=None, stop_ns=end, revision=revision)
        skipped = _rows_before(series, start)
        rows = [skipped + row for row in _shown(len(series.bars) - skipped, head, tail)]
        show_values(series, calendar, nodes, rows, skipped, as_json=as_json)
        return
    series = sources.read(instrument.id, timeframe, start_ns=start, stop_ns=end, revision=revision)
    rows = _shown(len(series.bars), head, tail)
    if as_json:
        document = {"schema": "evenkeel.bars/1", "instrument": instrument.id, "timeframe": str(timeframe)}
        emit(
            {**document, "revision": series.revision.id, "total": len(series.bars), **bars_document(series.bars, rows)}
        )
        return
    print_bars(series.bars, rows)
    note(f"{len(rows):,} of {len(series.bars):,} bars, revision {series.revision.id[:12]}")


def _rows_before(series: Series, start_ns: int | None) -> int:
    """Return how many bars open before an instant.

    Raises:
        UsageError: If no bar opens from then on.
    """
    before = 0 if start_ns is None else int(series.bars.open_ns.searchsorted(start_ns))
    if before == len(series.bars):
        raise UsageError(f"no bar of {series.revision.instrument} lies in that range", reason="NO_DATA")
    return before


def _shown(count: int, head: int | None, tail: int | None) -> list[int]:
    """Return the rows to print."""
    if head is None and tail is None:
        head = tail = ROWS_SHOWN // 2
    first = range(min(head or 0, count))
    last = range(max(len(first), count - (tail or 0)), count)
    return [*first, *last]
