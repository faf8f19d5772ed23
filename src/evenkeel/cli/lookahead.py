"""`keel lookahead`: proof that no decision rests on what was not known yet."""

from __future__ import annotations

from typing import Any

import click

from evenkeel.cli.console import progress
from evenkeel.cli.output import emit, say
from evenkeel.cli.params import json_option
from evenkeel.cli.running import data_options, whole_request
from evenkeel.cli.searching import with_symbol
from evenkeel.model.errors import UsageError


@click.command(name="lookahead")
@click.argument("strategy", metavar="STRATEGY")
@data_options
@click.option("--samples", type=int, default=20, show_default=True, help="Instants at which to test.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the instants and of the garbage.")
@json_option
def command(strategy: str, as_json: bool, **options: Any) -> int:
    """Prove that a strategy does not see the future.

    At each of --samples instants the strategy is run on the history cut off there, and on the history with garbage
    behind it. Every earlier decision, refusal and fill must be the same as with the whole history. The first difference
    is printed, and the exit code is 1. Works for plays, playbooks and Python strategies, your own indicators included.

    \b
    Example:
      keel lookahead ema_cross
      keel lookahead my_strategy.py --start 2024-01-01 --samples 100
    """
    from evenkeel.api.search import lookahead
    from evenkeel.strategies.load import strategy_kind

    request = whole_request(strategy, {**options, "report": False})
    if strategy_kind(strategy) == "playbook":
        if options["symbols"]:
            raise UsageError("--symbol is for plays; a playbook names the instrument of each play by `symbol:`")
    else:
        if len(options["symbols"]) > 1:
            raise UsageError("one instrument is tested at a time; give --symbol once")
        request = with_symbol(request, options["symbols"][0] if options["symbols"] else None)
    with progress("looking for look-ahead", total=options["samples"]) as advance:
        found = lookahead(request, samples=options["samples"], seed=options["seed"], on_instant=lambda *_: advance())
    if as_json:
        emit(found)
    else:
        _show(found)
    return 0 if found["passed"] else 1


def _show(found: dict[str, Any]) -> None:
    tested = f"{found['instants']:,} instants, {found['decisions']:,} decisions and {found['steps']:,} events compared"
    first = found["difference"]
    if first is None:
        say(f"no look-ahead in {found['strategy']}: {tested}, cut off and poisoned")
        return
    what = "the history cut off at" if first["test"] == "truncation" else "garbage from"
    say(f"LOOK-AHEAD in {found['strategy']}: with {what} {first['instant']}, the past is another")
    say(f"  at {first['at']}{'' if first['play'] == found['strategy'] else ' in ' + first['play']}")
    say(f"  whole history: {first['whole']}")
    say(f"  without it:    {first['other']}")
