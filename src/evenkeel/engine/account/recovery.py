"""Recovery: the newest snapshot that can be used, and the rest of the journal folded into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from evenkeel.engine.account.account import Account
from evenkeel.engine.account.log import SCHEMA, rebuild
from evenkeel.engine.account.manifest import AccountManifest
from evenkeel.engine.account.snapshot import Snapshot, SnapshotStore, restore
from evenkeel.engine.journal import Disk, Frame, Journal, JournalDamaged
from evenkeel.engine.journal.reader import Reader
from evenkeel.engine.journal.segment import segment_name
from evenkeel.model.errors import StorageError


@dataclass(frozen=True, slots=True)
class Recovered:
    """What recovery brought.

    Attributes:
        account: As its journal says.
        before: Manifest of the last session; None: there was none.
        begun: Entry at which folding began.
        notes: What was found that should not have been, in words.
        rebuilt: Whether snapshots were there and none of them was whole.
    """

    account: Account
    before: AccountManifest | None
    begun: int
    notes: tuple[str, ...]
    rebuilt: bool


def recover(
    disk: Disk, journal: Journal, folder: str, snapshots: SnapshotStore, make: Callable[[], Account],
    manifest: AccountManifest,
) -> Recovered:  # fmt: skip
    """Return the account as its journal says.

    Args:
        disk: Where it lives.
        journal: Open.
        folder: Of the journal.
        snapshots: Of the account.
        make: Builds the account as a process finds it before it reads its journal.
        manifest: Of the session that is to begin.

    Raises:
        JournalDamaged: If the journal is not what was written, or ends before a snapshot of it.
        UsageError: If a newer version wrote it.
    """
    found = snapshots.find(lambda snapshot: _misfit(snapshot, manifest))
    if found.newest_next > journal.next_sequence:
        what = (
            f"a snapshot has folded the entries up to {found.newest_next - 1}, and the journal ends before entry "
            f"{journal.next_sequence}: its end is missing"
        )
        raise JournalDamaged(folder, segment_name(journal.number), 0, journal.next_sequence, what)
    faults = list(found.faults)
    account, snapshot = make(), found.snapshot
    if snapshot is not None:
        try:
            restore(account, snapshot.parts)
        except StorageError as error:
            faults.append(error.message)
            account, snapshot = make(), None
    rebuilt = bool(faults) and snapshot is None and not found.passed
    notes = (*(f"snapshot {fault}" for fault in faults), *(f"snapshot {one}" for one in found.passed))
    if snapshot is None:
        opened = rebuild(account, journal.read())
        return Recovered(account, None if opened is None else opened.manifest, 0, notes, rebuilt)
    account.take_up(snapshot.manifest.hashes)
    opened = rebuild(account, _rest(disk, journal, folder, snapshot), schema=snapshot.schema)
    before = snapshot.manifest if opened is None else opened.manifest
    return Recovered(account, before, snapshot.next, notes, rebuilt)


def _misfit(snapshot: Snapshot, manifest: AccountManifest) -> str | None:
    """Return why a snapshot is not what this code would have folded, or None."""
    if snapshot.schema != SCHEMA or snapshot.manifest.code.source != manifest.code.source:
        return f"was written by another program (version {snapshot.manifest.code.version}): the journal is folded anew"
    if snapshot.manifest.hashes != manifest.hashes:
        return "was written with other strategies: the journal is folded anew"
    return None


def _rest(disk: Disk, journal: Journal, folder: str, snapshot: Snapshot) -> Iterator[Frame]:
    """Yield what follows a snapshot, after a look whether it is of this journal."""
    head = journal.head if snapshot.next == journal.next_sequence else None
    for step in Reader(disk, folder, start=snapshot.next).read_steps():
        for placed in step:
            if placed.frame.sequence == snapshot.next:
                head = placed.previous
                _check_head(head, snapshot, folder)
            if placed.frame.sequence >= snapshot.next:
                yield placed.frame
    _check_head(head, snapshot, folder)


def _check_head(head: bytes | None, snapshot: Snapshot, folder: str) -> None:
    if head != snapshot.head:
        raise JournalDamaged(
            folder, segment_name(snapshot.segment), 0, snapshot.next,
            "the snapshot of that place was taken of another journal: one of both was replaced",
        )  # fmt: skip
