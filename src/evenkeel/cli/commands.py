"""The one table of commands, and the group that lists from it and imports a module only to run or describe it.

Adding a command is one line in `COMMANDS` and one module that exposes `command`, a click command of the same name.
Its summary in the table is what `keel --help` shows.
"""

from __future__ import annotations

import importlib
from typing import NamedTuple

import click
from click.shell_completion import CompletionItem

from evenkeel.model.errors import invariant


class CommandEntry(NamedTuple):
    """Where a command lives and what it does.

    Attributes:
        module: Module that exposes `command`.
        summary: What it does, in one line.
        section: Heading under which `keel --help` lists it.
    """

    module: str
    summary: str
    section: str


START = "First steps"
STRATEGY = "Strategies"
DATA = "Data"
RUNS = "Runs and results"
PROJECT = "Evenkeel itself"

COMMANDS: dict[str, CommandEntry] = {
    "demo": CommandEntry("evenkeel.cli.demo", "Backtest the shipped examples on shipped real data, offline.", START),
    "new": CommandEntry("evenkeel.cli.new", "Write a commented strategy to start from.", START),
    "doctor": CommandEntry("evenkeel.cli.doctor", "Check this machine, and say how to mend what is wrong.", START),
    "validate": CommandEntry("evenkeel.cli.validate", "Check strategy files: all problems at once, by line.", STRATEGY),
    "diff": CommandEntry("evenkeel.cli.diff", "Say what an edit of a strategy changes, worst case included.", STRATEGY),
    "schema": CommandEntry("evenkeel.cli.schema", "Print the JSON Schema of strategy files, for editors.", STRATEGY),
    "indicators": CommandEntry("evenkeel.cli.indicators", "List the indicators, or explain one.", STRATEGY),
    "data": CommandEntry("evenkeel.cli.data", "Import, check and show market data.", DATA),
    "instruments": CommandEntry("evenkeel.cli.instruments", "List, show and add instrument definitions.", DATA),
    "backtest": CommandEntry("evenkeel.cli.backtest", "Run a strategy on recorded data.", RUNS),
    "sweep": CommandEntry("evenkeel.cli.sweep", "Run a strategy with many sets of parameters, and rank them.", RUNS),
    "optimize": CommandEntry("evenkeel.cli.optimize", "Search for parameters, tested on held-back data.", RUNS),
    "walkforward": CommandEntry("evenkeel.cli.walkforward", "Fit on the past, test on what follows, go on.", RUNS),
    "lookahead": CommandEntry("evenkeel.cli.lookahead", "Prove that a strategy does not see the future.", RUNS),
    "report": CommandEntry("evenkeel.cli.report", "Write the report of a run as one HTML page.", RUNS),
    "explain": CommandEntry("evenkeel.cli.explain", "Say in plain English why a run did what it did.", RUNS),
    "audit": CommandEntry("evenkeel.cli.audit", "Recompute the results of a run independently.", RUNS),
    "parity": CommandEntry("evenkeel.cli.parity", "Compare the two lanes trade by trade.", RUNS),
    "replay": CommandEntry("evenkeel.cli.replay", "Run a journal again and compare every decision.", RUNS),
    "journal": CommandEntry("evenkeel.cli.journal", "Verify or export the journal of a run.", RUNS),
    "bench": CommandEntry("evenkeel.cli.bench", "Measure the speed of both lanes.", PROJECT),
    "simtest": CommandEntry("evenkeel.cli.simtest", "Simulate the whole stack under faults.", PROJECT),
}
"""Every command that exists, in the order in which `keel --help` shows them."""

COMMAND_GAPS: dict[str, str] = {
    "data record": "record a live feed",
    "data sync": "fetch history from a venue",
    "run": "start an engine on a live feed",
    "status": "show the running engines",
    "watch": "watch a running engine",
    "logs": "read the log of an engine",
    "pause": "stop opening positions",
    "resume": "lift a pause",
    "stop": "stop an engine",
    "flatten": "close all positions",
    "halt": "halt trading",
    "clear-halt": "lift a halt",
    "orders": "orders of a running account",
    "positions": "positions of a running account",
    "cancel": "cancel an order",
    "close": "close a position",
    "adopt": "take over a position that was opened elsewhere",
    "approve": "approve a pending action",
    "reconcile": "compare our books with the broker's",
    "drill": "rehearse a fault",
    "guard": "the watchdog process",
    "readiness": "what stands between a strategy and real money",
    "incident": "pack a run for a fault report",
    "train": "train a model bundle",
    "dashboard": "the web dashboard",
}
"""Commands that are specified but not built yet; typing one names it instead of guessing another."""


class CommandTable(click.Group):
    """A group whose commands come from `COMMANDS`, each imported at its first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; None if there is no such name."""
        del ctx
        return load(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names; an unknown one is refused with the nearest name."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(error.command_name, possibilities=COMMANDS, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table, section by section, without importing a command."""
        del ctx
        width = max(len(name) for name in COMMANDS)
        for section in dict.fromkeys(entry.section for entry in COMMANDS.values()):
            rows = [(name.ljust(width), entry.summary) for name, entry in COMMANDS.items() if entry.section == section]
            with formatter.section(section):
                formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete names of commands from the table, and options as click does."""
        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [
            CompletionItem(name, help=entry.summary) for name, entry in COMMANDS.items() if name.startswith(incomplete)
        ]


def load(name: str) -> click.Command:
    """Import the module of a command in `COMMANDS` and return the command."""
    entry = COMMANDS[name]
    command = importlib.import_module(entry.module).command
    invariant(isinstance(command, click.Command), "a command module exposes a click command", module=entry.module)
    found: click.Command = command
    found.short_help = entry.summary
    return found
