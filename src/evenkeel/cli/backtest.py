"""`keel backtest`: run a strategy on recorded data, audit the result, write the report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from evenkeel.cli.output import emit, note
from evenkeel.cli.params import OneOf, json_option
from evenkeel.cli.playbook_run import run_playbook
from evenkeel.cli.portfolio_run import run_portfolio
from evenkeel.cli.running import data_options, separate_requests, show_outcome, watched


@click.command(name="backtest")
@click.argument("strategy", metavar="STRATEGY")
@data_options
@click.option("--lane", type=OneOf(["auto", "engine", "research"]), default="auto", help="Default: the fastest.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder for the files of the run.")
@click.option("--no-report", "report", is_flag=True, flag_value=False, default=True, help="Write no report.html.")
@json_option
def command(strategy: str, as_json: bool, **options: Any) -> int:
    """Run a strategy on recorded data.

    STRATEGY is a .yaml, a .py[:Class] or the name of a shipped example. The range defaults to the data there is. The
    result is checked independently of the engine; a failed check makes the exit code 1. A play with several symbols,
    or several --symbol, trades all of them in one run, on one account. A playbook runs all its plays on one account,
    each in a folder of its own below that of the playbook.

    \b
    Example:
      keel backtest ema_cross
      keel backtest my_play.yaml --start 2024-01-01 --end 2024-07-01 --set fast=10 --out runs/first
    """
    from evenkeel.api import backtest
    from evenkeel.model.gaps import not_available
    from evenkeel.strategies.load import strategy_kind

    kind = strategy_kind(strategy)
    if kind == "system":
        raise not_available("system.run", where=strategy)
    if kind == "playbook":
        return run_playbook(strategy, options, as_json=as_json)
    requests = separate_requests(strategy, options)
    if len(requests) > 1:
        symbols = [str(request.symbol) for request in requests]
        return run_portfolio(replace(requests[0], out=options["out"]), symbols, as_json=as_json)
    with watched("backtesting") as progress:
        outcome = backtest(requests[0], progress=progress, told=note)
    if as_json:
        emit(outcome.result)
    else:
        show_outcome(outcome)
    return 0 if outcome.ok else 1
