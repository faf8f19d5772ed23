"""`keel sweep`: run a strategy with many sets of parameters, and rank them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evenkeel.cli.console import print_table, progress
from evenkeel.cli.output import emit, note, say
from evenkeel.cli.params import OneOf, json_option
from evenkeel.cli.running import data_options, read_sets, whole_request
from evenkeel.model.errors import UsageError

if TYPE_CHECKING:
    from evenkeel.api.sweep import Swept
    from evenkeel.engine.sweep.space import Axis, Values
    from evenkeel.engine.sweep.sweep import Drawn

METRICS = (
    "net_pnl", "return_pct", "trades", "win_rate", "profit_factor", "expectancy", "sharpe", "sortino",
    "max_drawdown_pct", "max_drawdown_intrabar_pct", "cagr_pct", "exposure_pct", "fees", "funding", "slippage",
    "avg_bars_held",
)  # fmt: skip
"""As in `evenkeel.engine.sweep.ranking.METRICS`; a test compares."""

SAMPLES_MAX = 1_000_000


@click.command(name="sweep")
@click.argument("strategy", metavar="STRATEGY")
@data_options
@click.option("--where", multiple=True, metavar="CONDITION", help='Only sets for which it holds: "fast < slow".')
@click.option("--random", type=click.IntRange(1, SAMPLES_MAX), metavar="N", help="Draw N sets instead of the grid.")
@click.option("--lhs", type=click.IntRange(1, SAMPLES_MAX), metavar="N", help="Draw a Latin hypercube of N sets.")
@click.option("--seed", type=click.IntRange(min=0), default=1, help="Chooses the draws. Default: 1.")
@click.option(
    "--metric", type=OneOf(METRICS), default="sharpe", metavar="M", help="Rank by this figure. Default: sharpe."
)
@click.option("--top", type=click.IntRange(1, 1000), default=10, help="How many of the best are shown. Default: 10.")
@click.option("--workers", type=click.IntRange(1, 1024), help="Threads at work. Default: one for each processor.")
@click.option(
    "--ray", "cluster", metavar="ADDRESS", help="Spread over a Ray cluster: auto, HOST:PORT, ray://HOST:PORT."
)
@click.option("--hashes", type=OneOf(["top", "all"]), default="top", help="Which sets get a result hash. Default: top.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder for the files of the sweep.")
@json_option
def command(strategy: str, as_json: bool, **options: Any) -> int:
    """Run a strategy with many sets of parameters.

    --set NAME=A:B:STEP takes each step from A to B, NAME=a,b,c takes each of the values, and NAME=A:B is a range for
    --random and --lhs. NAME is a variable of the play or a dotted path. Sets with which the play cannot run are listed
    with the reason. Each set has the figures of a backtest of it. A sweep that was interrupted goes on when the same
    command is given again. Every set counts as a trial of the strategy. Several symbols are one run of
    each set, on one account.

    \b
    Example:
      keel sweep ema_cross --set fast=5:20:5 --set slow=30:90:10
      keel sweep my_play.yaml --set fast=5:50 --set slow=20:200 --where "fast < slow" --random 200
    """
    from evenkeel.api import separate
    from evenkeel.api.sweep import SweepRequest, sweep
    from evenkeel.cli.entry import Terminated

    sets, drawn = _sets(options)
    request = whole_request(strategy, {**options, "sets": ()})
    runs = separate(request, options["symbols"])
    symbols = [str(one.symbol) for one in runs]
    asked = SweepRequest(
        run=runs[0], symbols=symbols if len(symbols) > 1 else (), sets=sets, drawn=drawn, metric=options["metric"],
        top=options["top"], workers=options["workers"] or os.cpu_count() or 1, hashes=options["hashes"],
        cluster=options["cluster"],
    )  # fmt: skip
    with progress("sweeping", total=1.0) as advance:
        try:
            swept = sweep(asked, told=advance, note=note)
        except (KeyboardInterrupt, Terminated):
            note("what is done so far is kept; the same command goes on from there")
            raise
    if as_json:
        emit(swept.document)
    else:
        _show(swept)
    return 0


def _sets(options: dict[str, Any]) -> tuple[list[Values], Drawn]:
    """Return the sets that are asked for, and how they were chosen."""
    from evenkeel.engine.sweep.constraint import read_constraints
    from evenkeel.engine.sweep.space import AXES_MAX, grid, latin_hypercube, random_sets, read_axis

    if options["random"] is not None and options["lhs"] is not None:
        raise UsageError("--random and --lhs are two ways to draw; choose one")
    axes: list[Axis] = [read_axis(name, text) for name, text in read_sets(options["sets"]).items()]
    if not axes:
        raise UsageError("a sweep needs --set NAME=A:B:STEP or --set NAME=a,b,c, at least once")
    if len(axes) > AXES_MAX:
        raise UsageError(f"there are {len(axes)} parameters; the limit is {AXES_MAX}")
    holds = read_constraints(options["where"], [axis.name for axis in axes])
    if options["random"] is not None:
        return random_sets(axes, holds, count=options["random"], seed=options["seed"]), "random"
    if options["lhs"] is not None:
        return latin_hypercube(axes, holds, count=options["lhs"], seed=options["seed"]), "lhs"
    return grid(axes, holds), "grid"


def _show(swept: Swept) -> None:
    from evenkeel.engine.sweep.space import value_text
    from evenkeel.monitor.report.words import figure

    document, metric = swept.document, swept.document["metric"]
    data, sets = document["data"], document["sets"]
    say(f"{document['strategy']['name']} on {', '.join(document['symbols'])}, {data['start']} to {data['end']}")
    say(f"{sets['count']:,} sets ({sets['drawn']}), {data['base_bars']:,} bars of {data['base_tf']} each")
    say()
    names = [axis["name"] for axis in document["parameters"]]
    shown = [name for name in ("net_pnl", "return_pct", "trades", "sharpe", "max_drawdown_pct") if name != metric]
    columns = ("#", *names, metric, *shown, "neighbours", "")
    rows = [
        (
            str(place), *(value_text(value) for value in best.row.values.values()),
            figure(best.row.value(metric), digits=3),
            *(figure(best.row.value(name), digits=0 if name == "trades" else 2) for name in shown),
            figure(best.peak.median, digits=3), "lonely peak" if best.peak.lonely else "",
        )
        for place, best in enumerate(swept.result.best, 1)
    ]  # fmt: skip
    print_table(columns, rows, right=columns[:-1])
    say()
    for line in swept.lines:
        say(line)
