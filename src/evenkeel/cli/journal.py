"""`keel journal`: is the journal of a run what was written, and what stands in it?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from evenkeel.cli.home import current_home
from evenkeel.cli.output import emit, say
from evenkeel.cli.params import OneOf, json_option
from evenkeel.model.errors import UsageError

if TYPE_CHECKING:
    from evenkeel.engine.account.audit import Ledger
    from evenkeel.engine.journal import Verification


@click.group(name="journal")
def command() -> None:
    """Verify the journal of a run, or show it as a table.

    \b
    Example:
      keel journal verify latest
      keel journal export latest --format parquet
    """


@command.command(name="verify")
@click.argument("run")
@json_option
def verify_command(run: str, as_json: bool) -> int:
    """Check every entry of the journal of RUN: checksums, hash chain, and whether a finished run still has its end.

    Of an account it also checks what must hold of its orders and fills: that each order was approved, placed once and
    at no halt, and moved from state to state as it may, that each execution counted once, and that stamps rise.

    \b
    Example:
      keel journal verify latest

    RUN is an id, a unique prefix of one, a folder or `latest`. Exit code 1 when the journal is damaged. Bytes after the
    last complete step, as a crash leaves them, are counted and are no damage.
    """
    import msgspec

    from evenkeel.engine.account.stored import audit_account, is_account
    from evenkeel.engine.journal import RealDisk, verify
    from evenkeel.engine.recorded import missing_end

    folder = _journal_folder(run)
    verification = verify(RealDisk(), str(folder))
    short = missing_end(folder.parent, verification)
    if verification.ok and short is not None:
        verification = msgspec.structs.replace(verification, ok=False, problem=short)
    ledger = audit_account(folder.parent) if verification.ok and is_account(folder.parent) else None
    if ledger is not None and ledger.problems:
        verification = msgspec.structs.replace(verification, ok=False, problem=ledger.problems[0])
    if as_json:
        emit(_document(folder, verification, ledger))
    else:
        for line in (*_lines(folder, verification), *_ledger_lines(ledger)):
            say(line)
    return 0 if verification.ok else 1


@command.command(name="export")
@click.argument("run")
@click.option("--format", "kind", type=OneOf(["csv", "parquet"]), default="csv", show_default=True, help="Of the file.")
@click.option(
    "--table", "name", type=OneOf(["entries", "orders", "fills", "decisions", "commands", "checks"]),
    default="entries", show_default=True, help="Which rows.",
)  # fmt: skip
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write. Default: journal.csv in the folder of the run, or journal-orders.csv and so on.",
)
@json_option
def export_command(run: str, kind: str, name: str, out: Path | None, as_json: bool) -> int:
    """Write the journal of RUN as a table: sequence, kind, time, type and the message as JSON.

    Other tables have the orders, fills, decisions, commands or gate checks alone, with their values in columns.

    \b
    Example:
      keel journal export latest
      keel journal export latest --format parquet --out entries.parquet
      keel journal export latest --table fills

    RUN is an id, a unique prefix of one, a folder or `latest`. The journal is checked while it is read; a damaged one
    is refused and nothing is written.
    """
    from evenkeel.engine.journal import RealDisk, export, read_journal

    folder = _journal_folder(run)
    stem = "journal" if name == export.ENTRIES else f"journal-{name}"
    path = out if out is not None else folder.parent / f"{stem}.{kind}"
    count = export.write(read_journal(RealDisk(), str(folder)), path, kind=kind, name=name)
    if as_json:
        emit(
            {
                "schema": "evenkeel.journal-export/1", "ok": True, "path": str(path), "format": kind, "table": name,
                "entries": count,
            }
        )  # fmt: skip
    else:
        say(f"{count} {name}: {path}")
    return 0


def _journal_folder(run: str) -> Path:
    from evenkeel.engine.journal import JOURNAL_FOLDER
    from evenkeel.engine.runs import find_run

    folder = find_run(current_home().runs, run)
    journal = folder / JOURNAL_FOLDER
    if not journal.is_dir():
        raise UsageError(
            f"the run {folder} has no journal: the research lane keeps none; run it with --lane engine",
            reason="NO_JOURNAL",
        )
    return journal


def _document(folder: Path, verification: Verification, ledger: Ledger | None) -> dict[str, object]:
    import msgspec

    found: dict[str, object] = {
        "schema": "evenkeel.journal/1", "journal": str(folder), **msgspec.structs.asdict(verification)
    }  # fmt: skip
    if ledger is not None:
        from evenkeel.engine.account.audit import document

        found["account"] = document(ledger)
    return found


def _ledger_lines(ledger: Ledger | None) -> list[str]:
    if ledger is None:
        return []
    if ledger.problems:
        more = [f"and {ledger.counted - len(ledger.problems)} more"] if ledger.counted > len(ledger.problems) else []
        return [*ledger.problems[1:], *more]
    moves = sum(ledger.transitions.values())
    return [
        f"sessions {ledger.sessions}, orders {ledger.orders}, their moves {moves}, executions {ledger.executions}: "
        "each order was approved and placed once, each move is legal, each execution counts once."
    ]


def _lines(folder: Path, verification: Verification) -> list[str]:
    counted = f"entries {verification.frames}, steps {verification.steps}, segments {verification.segments}"
    if verification.problem is not None:
        return [f"BAD: {verification.problem}.", f"Good before that: {counted}."]
    lines = [f"{folder}: every entry is what was written.", f"{counted}; last hash {verification.head_hex}"]
    if verification.torn_bytes:
        lines.append(
            f"{verification.torn_bytes} bytes follow the last complete step: a write that was interrupted, or is under "
            "way. The next start cuts them."
        )
    return lines
