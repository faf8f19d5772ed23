"""A run read back: its manifest, its market by pinned revision, its steps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evenkeel.data.catalog import Catalog
from evenkeel.engine.core import Step
from evenkeel.engine.journal import JOURNAL_FOLDER, RealDisk, read_journal
from evenkeel.engine.market import Market, load_market
from evenkeel.engine.results import read_json
from evenkeel.engine.runs import MANIFEST_NAME
from evenkeel.engine.steps import decode_steps
from evenkeel.model.errors import UsageError
from evenkeel.model.time import parse_time
from evenkeel.strategies.strategy import Strategy


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a run."""
    return read_json(folder / MANIFEST_NAME)


def has_journal(folder: Path) -> bool:
    """Whether a run kept a journal: engine-lane runs do."""
    return (folder / JOURNAL_FOLDER).is_dir()


def read_steps(folder: Path) -> Sequence[Step]:
    """Return the recorded steps of a run.

    Raises:
        UsageError: If it has no journal.
    """
    if not has_journal(folder):
        raise UsageError(f"'{folder}' has no journal: it ran in the research lane")
    return decode_steps(read_journal(RealDisk(), str(folder / JOURNAL_FOLDER)))[1]


def recorded_market(manifest: dict[str, Any], strategy: Strategy, catalogs: Sequence[Catalog]) -> Market:
    """Return the market of a run: the revision and window that its manifest pins.

    Raises:
        UsageError: If the revision is gone from every catalog.
    """
    data = manifest["data"]
    return load_market(
        catalogs, strategy.instrument, strategy.program, start_ns=parse_time(data["start"]),
        end_ns=parse_time(data["end"]), gaps="report", revision=data["revision"],
    )  # fmt: skip
