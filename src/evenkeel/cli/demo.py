"""`keel demo`: the main job on bundled real data, offline: every shipped example, a summary, the reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from evenkeel.cli.console import print_table, progress
from evenkeel.cli.output import emit, note, say
from evenkeel.cli.params import json_option

if TYPE_CHECKING:
    from evenkeel.api import Outcome

SHOWN = (
    "aapl_vwap_reversion", "btc_swing_break", "btc_trend_pullback", "ema_cross", "eurusd_range_fade",
    "spy_donchian_breakout",
)  # fmt: skip
"""The examples of the demo, one or two for each of the bundled markets; the library holds more."""

_NO_OPTIONS = {
    "catalog": None, "symbols": (), "start": None, "end": None, "sets": (), "profile": "research", "gaps": "stop",
    "report": True,
}  # fmt: skip


@click.command(name="demo")
@json_option
def command(as_json: bool) -> int:
    """Backtest the shipped examples on shipped real data.

    Nothing is downloaded. Each run is audited independently of the engine and gets a report. The library of
    examples holds more than these; `keel new NAME --from EXAMPLE` copies one.

    \b
    Example:
      keel demo
    """
    from evenkeel.cli.running import NUMBERS
    from evenkeel.monitor.report import SUMMARY_COLUMNS, read_uncertainty, summary_table

    outcomes = _run_all(SHOWN)
    results = [outcome.result for outcome in outcomes]
    if as_json:
        runs = [{"folder": str(outcome.folder), **outcome.result} for outcome in outcomes]
        emit({"schema": "evenkeel.demo/1", "runs": runs})
    else:
        luck = [read_uncertainty(outcome.folder) for outcome in outcomes]
        say(f"{len(SHOWN)} example strategies on real recorded data. They teach; none is advice.")
        say()
        print_table(SUMMARY_COLUMNS, summary_table(results, luck), right=NUMBERS)
        say()
        for outcome in outcomes:
            say(f"report: {outcome.folder / 'report.html'}")
        say()
        note("next: `keel new my_first --from ema_cross`, edit it, then `keel backtest my_first.yaml`")
    return 0 if all(outcome.ok for outcome in outcomes) else 1


def _run_all(names: Sequence[str]) -> list[Outcome]:
    from evenkeel.api import backtest
    from evenkeel.cli.running import request_of

    outcomes = []
    with progress("backtesting the examples", total=len(names)) as advance:
        for name in names:
            outcomes.append(backtest(request_of(name, dict(_NO_OPTIONS)), told=note))
            advance()
    return outcomes
