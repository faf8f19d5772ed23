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

    \b
    Example:
      keel journal verify latest

    RUN is an id, a unique prefix of one, a folder or `latest`. Exit code 1 when the journal is damaged. Bytes after the
    last complete step, as a crash leaves them, are counted and are no damage.
    """
    import msgspec

    from evenkeel.engine.journal import RealDisk, verify
    from evenkeel.engine.recorded import missing_end

    folder = _journal_folder(run)
    verification = verify(RealDisk(), str(folder))
    short = missing_end(folder.parent, verification)
    if verification.ok and short is not None:
        verification = msgspec.structs.replace(verification, ok=False, problem=short)
    if as_json:
        emit(_document(folder, verification))
    else:
        for line in _lines(folder, verification):
            say(line)
    return 0 if verification.ok else 1


@command.command(name="export")
@click.argument("run")
@click.option("--format", "kind", type=OneOf(["csv", "parquet"]), default="csv", show_default=True, help="Of the file.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write. Default: journal.csv or journal.parquet in the folder of the run.",
)
@json_option
def export_command(run: str, kind: str, out: Path | None, as_json: bool) -> int:
    """Write the journal of RUN as a table: sequence, kind, time, type and the message as JSON.

    \b
    Example:
      keel journal export latest
      keel journal export latest --format parquet --out entries.parquet

    RUN is an id, a unique prefix of one, a folder or `latest`. The journal is checked while it is read; a damaged one
    is refused and nothing is written.
    """
    from evenkeel.engine.journal import RealDisk, export, read_journal

    folder = _journal_folder(run)
    path = out if out is not None else folder.parent / f"journal.{kind}"
    write = export.write_csv if kind == "csv" else export.write_parquet
    count = write(read_journal(RealDisk(), str(folder)), path)
    if as_json:
        emit({"schema": "evenkeel.journal-export/1", "ok": True, "path": str(path), "format": kind, "entries": count})
    else:
        say(f"{count} entries: {path}")
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


def _document(folder: Path, verification: Verification) -> dict[str, object]:
    import msgspec

    return {"schema": "evenkeel.journal/1", "journal": str(folder), **msgspec.structs.asdict(verification)}


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
