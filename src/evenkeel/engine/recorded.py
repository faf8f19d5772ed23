"""A run read back: its manifest, its market by pinned revision, its steps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evenkeel.data.catalog import Catalog
from evenkeel.engine.core import Step
from evenkeel.engine.journal import JOURNAL_FOLDER, RealDisk, Verification, read_journal, verify
from evenkeel.engine.market import Market, load_market
from evenkeel.engine.results import read_json
from evenkeel.engine.runs import INSTRUMENTS_FOLDER, MANIFEST_NAME, RESULT_NAME
from evenkeel.engine.steps import decode_steps
from evenkeel.model.errors import StorageError, UsageError
from evenkeel.model.time import parse_time
from evenkeel.strategies.strategy import Strategy

NEEDED = (
    "run", "account.currency", "instrument.id", "strategy.kind", "strategy.hash", "strategy.resolved",
    "data.revision", "data.start", "data.end",
)  # fmt: skip
"""What a manifest must say for its run to be taken up, told or repeated."""


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a run.

    Raises:
        UsageError: If it is missing or damaged.
    """
    return read_json(folder / MANIFEST_NAME, needs=NEEDED)


def has_journal(folder: Path) -> bool:
    """Whether a run kept a journal: engine-lane runs do; that of an instrument among several is their account's."""
    return (folder_of_account(folder) / JOURNAL_FOLDER).is_dir()


def folder_of_account(folder: Path) -> Path:
    """Return the folder of the run that a folder is a part of: of one instrument among several; else the same."""
    return folder.resolve().parent.parent if folder.resolve().parent.name == INSTRUMENTS_FOLDER else folder


def read_steps(folder: Path) -> Sequence[Step]:
    """Return the recorded steps of a run, or of one instrument of it.

    Raises:
        UsageError: If it has no journal.
        StorageError: If the journal is damaged, or lacks its end.
    """
    if not has_journal(folder):
        raise UsageError(f"'{folder}' has no journal: it ran in the research lane")
    whole = folder_of_account(folder)
    _, steps = decode_steps(read_journal(RealDisk(), str(whole / JOURNAL_FOLDER)))
    short = missing_end(whole, verify(RealDisk(), str(whole / JOURNAL_FOLDER)))
    if short is not None:
        raise StorageError(short)
    return steps if whole == folder else steps_of(steps, read_manifest(folder))


def steps_of(steps: Sequence[Step], manifest: dict[str, Any]) -> Sequence[Step]:
    """Return the steps of the instrument of a manifest among those of its account."""
    return [step for step in steps if step.event.instrument == manifest["instrument"]["id"]]


def journal_mark(folder: Path) -> dict[str, Any]:
    """Walk the whole journal of a session that has closed (ruling 45), and return what its finished run notes of it.

    How much there is, and its hash: so a missing end is seen later.

    Raises:
        StorageError: If the journal is damaged; it was written a moment ago, so the disk is to blame.
    """
    found = verify(RealDisk(), str(folder / JOURNAL_FOLDER))
    if found.problem is not None:
        raise StorageError(f"the journal in '{folder}' is damaged: {found.problem}; check the disk and run again")
    return {"entries": found.frames, "head": found.head_hex}


def missing_end(folder: Path, found: Verification) -> str | None:
    """Return in words how a journal falls short of what its finished run noted; None if it does not.

    Args:
        folder: Of the run; one without a result has not finished and noted nothing.
        found: A pass over its journal.
    """
    if not (folder / RESULT_NAME).is_file():
        return None
    noted = read_json(folder / RESULT_NAME, needs=["schema"]).get("journal")
    if noted is None or noted == {"entries": found.frames, "head": found.head_hex}:
        return None
    entries = noted.get("entries") if isinstance(noted, dict) else noted
    return (
        f"the run finished with {entries} entries in its journal, and {found.frames} are left: what followed is gone, "
        f"or is not what was written. Restore {folder / JOURNAL_FOLDER} from a copy"
    )


def recorded_market(manifest: dict[str, Any], strategy: Strategy, catalogs: Sequence[Catalog]) -> Market:
    """Return the market of a run: the revisions and the window that its manifest pins.

    Raises:
        UsageError: If a revision is gone from every catalog.
    """
    data = manifest["data"]
    return load_market(
        catalogs, strategy.instrument, strategy.program, start_ns=parse_time(data["start"]),
        end_ns=parse_time(data["end"]), gaps="report", revision=data["revision"],
        pins=data.get("beside", {}),
    )  # fmt: skip
