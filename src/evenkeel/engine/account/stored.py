"""The journal of an account, read back from the folder of its run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from evenkeel.engine.account.audit import Ledger, audit
from evenkeel.engine.account.log import AccountOpened, Recorded, decode_entries
from evenkeel.engine.account.manifest import AccountManifest
from evenkeel.engine.journal import JOURNAL_FOLDER, RealDisk, read_journal
from evenkeel.engine.steps import EntryKind
from evenkeel.model.errors import UsageError
from evenkeel.model.event import BarsClosed, BaseClosed


def is_account(folder: Path) -> bool:
    """Whether a run is the account of a broker, or of a simulation of one; a backtest's journal begins otherwise.

    Args:
        folder: Of the run.

    Raises:
        JournalDamaged: If the beginning of the journal is not what was written.
    """
    if not (folder / JOURNAL_FOLDER).is_dir():
        return False
    first = next(read_journal(RealDisk(), str(folder / JOURNAL_FOLDER)), None)
    return first is not None and first.kind == EntryKind.SESSION and b"account_opened" in first.payload


def recorded(folder: Path) -> Iterator[Recorded]:
    """Yield what the journal of an account holds, in the order of folding.

    Raises:
        JournalDamaged: At the first entry that is not what was written.
        UsageError: If a newer version wrote it.
    """
    return decode_entries(read_journal(RealDisk(), str(folder / JOURNAL_FOLDER)))


def manifest_of(folder: Path) -> AccountManifest:
    """Return what the last session of an account was made of.

    Raises:
        UsageError: If there was none.
    """
    last = None
    for entry in recorded(folder):
        if isinstance(entry, AccountOpened):
            last = entry.manifest
    if last is None:
        raise UsageError(f"'{folder}' holds no session of an account", reason="NO_JOURNAL")
    return last


def holds_bars(folder: Path) -> bool:
    """Whether the bars that the account decided on stand in its journal by value."""
    for entry in recorded(folder):
        if isinstance(entry, BaseClosed) and entry.bars:
            return True
        if isinstance(entry, BarsClosed):
            return False
    return True


def audit_account(folder: Path) -> Ledger:
    """Return what must hold of the journal of an account, and where it does not."""
    return audit(recorded(folder), manifest_of(folder).venue)
