"""The plays of the suites on the command line, from the root of the repository.

python -m tests.suites list              every play, its suite and tier
python -m tests.suites show rsi_long     one of them as a person would write it
python -m tests.suites run rsi_long      try it as the tests do, and tell what came of it
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from suites.document import text
from suites.rows import Row, all_rows, find
from suites.windows import windows


def show(names: Sequence[str]) -> int:
    """Print plays, each under a comment that says how to run it."""
    for name in names:
        click.echo(printed(find(name)), nl=False)
    return 0


def printed(row: Row) -> str:
    """Return the play of a row as a person would write it, under the commands that run it."""
    return f"{_how_to_run(row)}{text(row)}"


def listed(names: Sequence[str]) -> int:
    """Print the plays of some suites, or of all."""
    for row in all_rows():
        if not names or row.suite in names:
            click.echo(f"{row.id:36} {row.suite:12} {row.tier:9} {row.about}".rstrip())
    return 0


def run(names: Sequence[str]) -> int:
    """Try plays and print what came of them; 1 if something is wrong with any."""
    from suites.trial import attempt

    failed = 0
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            trial = attempt(find(name), Path(folder), thorough=True)
        ends = ", ".join(f"{count} {reason}" for reason, count in sorted(trial.exits.items()))
        click.echo(f"{name}: {len(trial.trades)} trades ({ends}), {trial.checks} checks, {trial.stop_reason}")
        for problem in trial.problems:
            click.echo(f"    {problem}")
        failed += bool(trial.problems)
    return 1 if failed else 0


def _how_to_run(row: Row) -> str:
    if row.is_recorded:
        window = windows()[row.window]
        return f"# Runs on {window.bars} bars of {window.symbol} from {window.start} to {window.end}.\n"
    regime, minutes, seed = row.market
    return f"# keel data synth {regime} --bars {minutes} --tf 1m --seed {seed}\n# keel backtest {row.id}.yaml\n"


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"show": show, "list": listed, "run": run}


def main(arguments: Sequence[str]) -> int:
    """Carry out one command."""
    if not arguments or arguments[0] not in COMMANDS:
        click.echo(__doc__)
        return 2
    try:
        return COMMANDS[arguments[0]](arguments[1:])
    except KeyError as unknown:
        click.echo(unknown.args[0])
        return 2
