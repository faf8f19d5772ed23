"""`keel walkforward`: choose parameters on what lies behind, test them on what comes next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evenkeel.cli.console import print_table, progress
from evenkeel.cli.output import emit, note, say
from evenkeel.cli.params import OneOf, json_option
from evenkeel.cli.running import proof_lines
from evenkeel.cli.searching import default_workers, number, read_search, search_options, words_of
from evenkeel.model.errors import UsageError

if TYPE_CHECKING:
    from evenkeel.api.search import SearchOutcome


@click.command(name="walkforward")
@click.argument("strategy", metavar="STRATEGY")
@search_options
@click.option("--train", required=True, metavar="LENGTH", help="Length of a fit: 90d, 12w, 2y, 36h, 500bars.")
@click.option("--test", required=True, metavar="LENGTH", help="Length of a test, likewise.")
@click.option("--purge", default="0", show_default=True, metavar="LENGTH", help="Left out behind a fit.")
@click.option("--embargo", default="0", show_default=True, metavar="LENGTH", help="Left out behind the purge.")
@click.option("--anchored", is_flag=True, help="Fit from the start of the history each time; default: rolling.")
@click.option(
    "--trials", type=click.IntRange(1, 100_000), help="Search each fit with so many; default: the whole grid."
)
@click.option("--sampler", type=OneOf(["tpe", "cmaes"]), default="tpe", show_default=True, help="With --trials.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder for the files of the walk.")
@json_option
def command(strategy: str, as_json: bool, **options: Any) -> int:
    """Choose parameters on what lies behind, test them on what comes next, and go on.

    Each fold is fitted on --train and tested on the --test that follows, with --purge and --embargo between them. The
    tests, one after the other, are a history in which every decision was made with parameters chosen before it.
    Indicators warm up on what lies before a test; no trade reaches into or out of one. Every fit is written down as it
    ends: the same command goes on where a killed walk stopped.

    \b
    Example:
      keel walkforward ema_cross --set fast=5:25:5 --train 3y --test 1y --embargo 5d
      keel walkforward ema_cross --set fast=5:40 --train 500bars --test 125bars --trials 50 --anchored
    """
    from evenkeel.api.search import walkforward
    from evenkeel.engine.search.folds import Scheme, read_length
    from evenkeel.engine.search.walkforward import WalkPlan

    asked = read_search(strategy, options)
    if len(asked.goals) > 1:
        raise UsageError("a walk forward chooses one set for each test and has one --metric")
    lengths = {
        name: read_length(options[name], f"--{name}", least=name in ("train", "test"))
        for name in ("train", "test", "purge", "embargo")
    }
    plan = WalkPlan(
        axes=asked.axes, goal=asked.goals[0], scheme=Scheme(**lengths, anchored=options["anchored"]),
        trials=options["trials"], sampler=options["sampler"], seed=options["seed"], where=tuple(options["where"]),
        holds=asked.holds,
    )  # fmt: skip
    with progress("walking forward") as advance:
        outcome = walkforward(
            asked.request, plan, symbols=asked.symbols, workers=default_workers(options["workers"]),
            on_fold=lambda *_: advance(),
        )  # fmt: skip
    if as_json:
        emit(outcome.result)
    else:
        _show(outcome)
    return 0 if any(one["chosen"] is not None for one in outcome.result["folds"]) else 1


def _show(outcome: SearchOutcome) -> None:
    result = outcome.result
    outside, metric = result["out_of_sample"], result["metric"]
    say(f"{result['strategy']['name']} on {', '.join(result['symbols'])}: {len(result['folds'])} folds")
    say(f"tested {outside['start']} to {outside['end']}")
    say()
    figures = (
        ("out of sample", f"{outside['return_pct']:+.2f} %, {outside['trades']:,} trades"),
        ("Sharpe", number(outside["sharpe"])),
        ("largest drawdown", f"{outside['max_drawdown_pct']:.2f} %"),
        ("efficiency", number(result["efficiency"])),
        ("tests with a gain", f"{result['folds_positive']:.0%}"),
        ("stability", ", ".join(f"{name} {number(value)}" for name, value in result["stability"].items())),
    )
    for label, value in (*proof_lines(result["evidence"]), *figures):
        say(f"  {label:<22}{value}")
    say()
    columns = ("Fold", "Test", "Set", f"{metric}, fit", f"{metric}, test", "Return %", "Trades")
    print_table(columns, [_row(one, metric) for one in result["folds"]], right=columns[3:])
    say()
    if result["unused"] is not None:
        note(f"{result['unused']['start']} to {result['unused']['end']} is shorter than a test and in none")
    say(f"report: {outcome.folder / 'report.html'}")


def _row(one: dict[str, Any], metric: str) -> tuple[str, ...]:
    fitted, tested = one["fitted"] or {}, one["tested"] or {}
    chosen = "no set could run" if one["chosen"] is None else words_of(one["chosen"]).replace("--set ", "")
    return (
        str(one["fold"]), one["test"]["start"][:10], chosen, number(fitted.get(metric)), number(tested.get(metric)),
        number(tested.get("return_pct")), number(tested.get("trades")),
    )  # fmt: skip
