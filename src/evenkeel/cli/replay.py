"""`keel replay`: run a journal again, decide everything anew, compare."""

from __future__ import annotations

from pathlib import Path

import click

from evenkeel.cli.output import emit, note, say
from evenkeel.cli.params import json_option


@click.command(name="replay")
@click.argument("run", metavar="RUN")
@click.option(
    "--catalog", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Catalog that has the run's data. Default: that of the home, then the shipped sample.",
)  # fmt: skip
@json_option
def command(run: str, catalog: Path | None, as_json: bool) -> int:
    """Run a journal again and compare every decision and command with the recorded one.

    RUN is an id, a unique prefix of one, a folder, or `latest`. A run of the research lane has no journal: it is run
    again in the engine lane, and the results are compared. Exit code 1 and the first difference otherwise.

    \b
    Example:
      keel replay latest
    """
    from evenkeel.api import replay_run
    from evenkeel.cli.running import sources_of
    from evenkeel.engine.runs import find_run

    home, catalogs, instruments = sources_of(catalog)
    found = replay_run(find_run(home.runs, run), catalogs, instruments, told=note)
    if as_json:
        emit(
            {
                "schema": "evenkeel.replay/1", "run": found.run, "equal": found.outcome.equal,
                "steps": found.outcome.steps, "decisions": found.outcome.decisions,
                "commands": found.outcome.commands, "rerun_in_engine_lane": found.rerun,
                "difference": found.outcome.difference,
            }
        )  # fmt: skip
    elif found.outcome.equal:
        outcome = found.outcome
        say(f"equal: {outcome.steps:,} steps, {outcome.decisions:,} decisions, {outcome.commands:,} commands")
    else:
        say(f"different: {found.outcome.difference}")
    return 0 if found.outcome.equal else 1
