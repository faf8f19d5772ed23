"""`keel explain`: why a run did what it did, in plain English."""

from __future__ import annotations

from pathlib import Path

import click

from evenkeel.cli.output import emit, note, say
from evenkeel.cli.params import json_option
from evenkeel.model.gaps import not_available


@click.command(name="explain")
@click.argument("run", metavar="RUN")
@click.option("--trade", type=click.IntRange(min=1), metavar="N", help="Tell one trade as a story.")
@click.option("--at", metavar="TIME", help="Not available yet.")
@click.option(
    "--catalog", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Catalog that has the run's data. Default: that of the home, then the shipped sample.",
)  # fmt: skip
@json_option
def command(run: str, trade: int | None, at: str | None, catalog: Path | None, as_json: bool) -> None:
    """Say in plain English why a run did what it did.

    RUN is an id, a unique prefix of one, a folder, or `latest`. Without --trade it lists what was refused and why. A
    run of the research lane is run again in the engine lane first.

    \b
    Example:
      keel explain latest --trade 1
    """
    from evenkeel.api import recorded_steps
    from evenkeel.cli.running import sources_of
    from evenkeel.engine.explain import explain_refusals, explain_trade
    from evenkeel.engine.runs import find_run

    if at is not None:
        raise not_available("explain.at", where="--at")
    home, catalogs, instruments = sources_of(catalog)
    folder = find_run(home.runs, run)
    manifest, steps = recorded_steps(folder, catalogs, instruments, told=note)
    if trade is None:
        lines = explain_refusals(steps) or ["Nothing was refused. Tell one trade with --trade N."]
    else:
        currency = manifest["account"]["currency"]
        lines = explain_trade(steps, trade, symbol=manifest["instrument"]["id"], currency=currency)
    if as_json:
        emit({"schema": "evenkeel.explain/1", "run": manifest["run"], "trade": trade, "lines": lines})
        return
    for line in lines:
        say(line)
