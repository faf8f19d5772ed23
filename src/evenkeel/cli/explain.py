"""`keel explain`: why a run did what it did, in plain English."""

from __future__ import annotations

from pathlib import Path

import click

from evenkeel.cli.output import emit, note, say
from evenkeel.cli.params import INSTANT, json_option
from evenkeel.model.errors import UsageError


@click.command(name="explain")
@click.argument("run", metavar="RUN")
@click.option("--trade", type=click.IntRange(min=1), metavar="N", help="Tell one trade as a story.")
@click.option("--at", "at_ns", type=INSTANT, metavar="TIME", help="Tell the last decision bar closed by then, UTC.")
@click.option(
    "--catalog", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Catalog that has the run's data. Default: that of the home, then the shipped sample.",
)  # fmt: skip
@json_option
def command(run: str, trade: int | None, at_ns: int | None, catalog: Path | None, as_json: bool) -> None:
    """Say in plain English why a run did what it did, and why not.

    RUN is an id, a unique prefix of one, a folder, or `latest`. Without --trade and --at it lists what was refused and
    why. Of a play both show which conditions held at the decision, with their values; --at names for each rule the
    first condition that failed. A run of the research lane is run again in the engine lane first.

    Of an account --trade counts the trades of all its strategies in the order in which they first filled, and --at
    tells how the account stood.

    \b
    Example:
      keel explain latest --trade 1
      keel explain latest --at 2024-03-01T12:00
    """
    from evenkeel.api import explain_run
    from evenkeel.cli.condition_tree import tree_lines
    from evenkeel.cli.running import sources_of
    from evenkeel.engine.runs import find_run
    from evenkeel.model.time import format_time

    if trade is not None and at_ns is not None:
        raise UsageError("--trade and --at exclude each other; give one")
    home, catalogs, instruments = sources_of(catalog)
    story = explain_run(find_run(home.runs, run), catalogs, instruments, trade=trade, at_ns=at_ns, told=note)
    if as_json:
        asked = {"trade": trade, "at": None if at_ns is None else format_time(at_ns)}
        decisions = [explanation.document() for explanation in story.explanations]
        emit({"schema": "evenkeel.explain/1", "run": story.run, **asked, "lines": story.lines, "decisions": decisions})
        return
    for line in story.lines:
        say(line)
    for explanation in story.explanations:
        for line in tree_lines(explanation):
            say(line)
