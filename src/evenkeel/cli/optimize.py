"""`keel optimize`: search for parameters, and show the best on data that it has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evenkeel.cli.console import print_table
from evenkeel.cli.output import emit, note, say
from evenkeel.cli.params import OneOf, json_option
from evenkeel.cli.searching import (
    default_workers,
    number,
    read_search,
    read_share,
    search_options,
    trial_progress,
    words_of,
)

if TYPE_CHECKING:
    from evenkeel.api.search import SearchOutcome

_SHOWN = 10


@click.command(name="optimize")
@click.argument("strategy", metavar="STRATEGY")
@search_options
@click.option("--trials", type=int, default=100, show_default=True, help="How many sets to try, in all sessions.")
@click.option("--sampler", type=OneOf(["tpe", "cmaes", "nsga2"]), help="Default: tpe, with two --metric nsga2.")
@click.option("--holdout", default="30%", show_default=True, help="Last part of the history that is held back; 0 none.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder for the files of the search.")
@json_option
def command(strategy: str, as_json: bool, **options: Any) -> int:
    """Search for the parameters of a strategy with Optuna.

    Ranges and lists are given by --set: NAME=A:B is anything between, NAME=A:B:STEP evenly spaced values, NAME=a,b,c a
    choice; a single value is fixed. Every trial is written down as it ends: the same command goes on where a killed
    search stopped, and a larger --trials adds to it. The last part of the history is not searched; the best set is run
    on it once. Two --metric give a front instead of one best set. Needs `pip install 'evenkeel[optimize]'`.

    \b
    Example:
      keel optimize ema_cross --set fast=5:40:1 --set slow=30:120:5 --where "fast < slow" --trials 200
      keel optimize ema_cross --set fast=5:40:1 --metric return_pct --metric max_drawdown_pct
    """
    from evenkeel.api.search import optimize
    from evenkeel.engine.search.optimize import Plan

    asked = read_search(strategy, options)
    plan = Plan(
        axes=asked.axes, goals=asked.goals, trials=options["trials"], seed=options["seed"],
        sampler=options["sampler"] or ("tpe" if len(asked.goals) == 1 else "nsga2"),
        holdout=read_share(options["holdout"], "--holdout"), where=tuple(options["where"]), holds=asked.holds,
    )  # fmt: skip
    with trial_progress(plan.trials) as on_trial:
        outcome = optimize(
            asked.request, plan, symbols=asked.symbols, workers=default_workers(options["workers"]), on_trial=on_trial
        )
    if as_json:
        emit(outcome.result)
    else:
        _show(outcome, strategy)
    return 0 if outcome.result["best"] else 1


def _show(outcome: SearchOutcome, strategy: str) -> None:
    result = outcome.result
    searched, held = result["searched"], result["held"]
    say(f"{result['strategy']['name']} on {', '.join(result['symbols'])}: {result['trials']:,} trials")
    say(f"searched {searched['start']} to {searched['end']}; held back {_range(held)}")
    say()
    if result["best"]:
        _show_proof(result["evidence"])
        metrics = list(dict.fromkeys((*result["metrics"], "trades", "max_drawdown_pct")))
        columns = ("Set", *(f"{name}, {where}" for name in metrics for where in ("searched", "unseen")))
        print_table(columns, [_row(one, metrics) for one in result["best"][:_SHOWN]], right=columns[1:])
        say()
        note(f"next: `keel backtest {strategy} {words_of(result['best'][0]['values'])}`")
    for code, count in result["refused"].items():
        note(f"{count:,} trials brought nothing: {code}; trials.csv says why")
    if not result["best"]:
        say("no set could be run and judged")
    say(f"report: {outcome.folder / 'report.html'}")


def _range(window: dict[str, str] | None) -> str:
    return "nothing" if window is None else f"{window['start']} to {window['end']}"


def _row(one: dict[str, Any], metrics: list[str]) -> tuple[str, ...]:
    held = one["held"] or {}
    figures = [number(value) for name in metrics for value in (one["searched"].get(name), held.get(name))]
    return (words_of(one["values"]).replace("--set ", ""), *figures)


def _show_proof(evidence: dict[str, Any]) -> None:
    from evenkeel.cli.running import proof_lines

    for label, value in proof_lines(evidence):
        say(f"  {label:<22}{value}")
    say()
