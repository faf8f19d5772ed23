"""A session of an account: its journal opened, its state recovered, and every step written before a command may leave.

    session, commands = Session.open(disk, folder, make, manifest, now_ns=clock.now())
    commands = session.tell(event, clock.now())       # to be carried out, in this order
    session.close()

This is the shell between the pure account and a disk. It does no other I/O and reads no clock.

When the disk is full the journal lives on its reserve; when it takes no more entries at all, steps are kept in memory.
In both cases entries are held back, what reduces, withdraws or asks still leaves (operations.md 1.3 row 49), and the
account is told, and halts.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import msgspec

from evenkeel.engine.account.account import Account
from evenkeel.engine.account.entry import AccountEvent
from evenkeel.engine.account.keeping import KeptJournal, Storage
from evenkeel.engine.account.log import SCHEMA, AccountOpened, encode_opened, encode_step
from evenkeel.engine.account.manifest import AccountManifest
from evenkeel.engine.account.recovery import recover
from evenkeel.engine.account.snapshot import Snapshot, SnapshotStore, take
from evenkeel.engine.account.upgrade import check_upgrade
from evenkeel.engine.journal import JOURNAL_FOLDER, Cut, Disk, Verification, archive_segments, verify
from evenkeel.model.command import PlaceOrder, VenueCommand
from evenkeel.model.errors import StorageError
from evenkeel.model.event import SessionBegan
from evenkeel.model.halt import Halt
from evenkeel.model.ids import Leg
from evenkeel.model.report import Act, Outcome, SendResolved
from evenkeel.model.told import StorageTold, Store

SNAPSHOTS_FOLDER = "snapshots"
"""Folder of the snapshots inside the folder of a run."""

BEHIND_NS = 1_000_000
"""A clock that stands further behind the journal when a session begins is noted; stamps that rose by force do less."""


class Session:
    """An account with its journal.

    Attributes:
        account: The state machine.
        notes: What was found on the disk that should not have been, in words.
        begun: Entry at which recovery began to fold; 0 is the whole journal.
        recovered_ns: `known_ns` of the last event that the journal had; what came later is to be fetched again.
    """

    def __init__(
        self, disk: Disk, folder: str, make: Callable[[], Account], manifest: AccountManifest, storage: Storage
    ) -> None:
        """Recover what is in the folder; use `Session.open`."""
        self._disk, self._manifest, self._archives = disk, manifest, storage.archives
        self._folder = f"{folder}/{JOURNAL_FOLDER}"
        self._snapshots = SnapshotStore(disk, f"{folder}/{SNAPSHOTS_FOLDER}")
        self._kept = KeptJournal(disk, self._folder, storage)
        taken = False
        try:
            found = recover(disk, self._kept.journal, self._folder, self._snapshots, make, manifest)
            if found.before is not None:
                check_upgrade(found.before, manifest, found.account)
            taken = True
        finally:
            if not taken:
                self._kept.journal.close()
        self.account, self.begun, self._rebuilt = found.account, found.begun, found.rebuilt
        self.recovered_ns = found.account.now_ns
        self.notes = (*(_told_cut(cut) for cut in self._kept.journal.cut), *found.notes)
        self._segment = self._kept.journal.number
        self._trouble = self._unsaved = ""
        self._unheard: list[AccountEvent] = []

    @classmethod
    def open(
        cls, disk: Disk, folder: str, make: Callable[[], Account], manifest: AccountManifest, *, now_ns: int,
        halt: Halt | None = None, storage: Storage | None = None,
    ) -> tuple[Session, tuple[VenueCommand, ...]]:  # fmt: skip
        """Recover an account, or begin one, and tell it that a session began; return it with its first commands.

        Args:
            disk: Where it lives.
            folder: Of its run.
            make: Builds the account as a process finds it before it reads its journal.
            manifest: What the account is made of.
            now_ns: `known_ns` of now.
            halt: What the halt flag says; None: there is no flag.
            storage: How the disk is used.

        Raises:
            UsageError: If what the session before left cannot be taken over, or a newer version wrote it.
            JournalDamaged: If the journal is not what was written; nothing was changed.
            StorageError: If another process writes it, or the disk refuses.
        """
        session = cls(disk, folder, make, manifest, storage or Storage())
        return session, session.tell(session._begin(now_ns, halt), now_ns)

    def _begin(self, now_ns: int, halt: Halt | None) -> SessionBegan:
        """Write the beginning of the session, and return the event that tells it."""
        if now_ns < self.account.now_ns - BEHIND_NS:
            behind = (self.account.now_ns - now_ns) / 1e9
            self.notes = (*self.notes, f"the clock stands {behind:.3f} s before the last entry of the journal")
        stamp = max(self.account.now_ns + 1, now_ns)
        opened = AccountOpened(known_ns=stamp, schema=SCHEMA, manifest=self._manifest, notes=self.notes)
        if not self._kept.write(encode_opened(opened), safe=True):
            with suppress(StorageError):
                self._kept.journal.close()
            raise StorageError(self._kept.fault)
        changed = self.account.take_up(self._manifest.hashes)
        return SessionBegan(
            event_ns=now_ns, known_ns=stamp, halt=halt, rebuilt=self._rebuilt,
            changed=tuple(f"{desk.strategy} on {desk.instrument}" for desk in changed),
        )  # fmt: skip

    def tell(self, event: AccountEvent, now_ns: int) -> tuple[VenueCommand, ...]:
        """Fold an event, decide, write, and return the commands that may leave, in order.

        Args:
            event: What happened; its `known_ns` is set here.
            now_ns: `known_ns` of now; stamps rise strictly, whatever it says.
        """
        stamp = max(self.account.now_ns + 1, now_ns)
        step = self.account.apply(msgspec.structs.replace(event, known_ns=stamp))
        self._kept.write(encode_step(step), safe=bool(step.commands))
        sound = not self._kept.trouble()
        cleared = [command for command in step.commands if sound or not _opens(command)]
        held = [command for command in step.commands if not sound and _opens(command)]
        after: list[AccountEvent] = [_aborted(command, stamp) for command in held if isinstance(command, PlaceOrder)]
        if self._kept.journal.number > self._segment:
            self._segment = self._kept.journal.number
            self.save()
        return self._tell_all([*after, *self._news(stamp)], now_ns, cleared)

    def mend(self, now_ns: int) -> tuple[VenueCommand, ...]:
        """Try to make the storage whole again; a driver does it every few seconds while something is wrong with it."""
        self._kept.mend()
        if self._unsaved:
            self.save()
        return self._tell_all(self._news(now_ns), now_ns, [])

    def flush(self) -> None:
        """Return when every step so far is safe.

        Raises:
            StorageError: If that is not certain.
        """
        self._kept.barrier()

    def save(self) -> None:
        """Store a snapshot and archive what no snapshot needs; where that fails, the account is told next."""
        if self._kept.fault:
            return
        journal = self._kept.journal
        try:
            self._kept.barrier()
            snapshot = Snapshot(
                next=journal.next_sequence, head=journal.head, schema=SCHEMA, segment=journal.number,
                manifest=self._manifest, parts=take(self.account),
            )  # fmt: skip
            self._snapshots.save(snapshot)
            if self._archives:
                archive_segments(self._disk, self._folder, self._snapshots.oldest_segment())
        except StorageError as error:
            self._unsaved = error.message
            self._unheard.append(_told(Store.STATE, self._unsaved, self.account.now_ns))
        else:
            if self._unsaved:
                self._unsaved = ""
                self._unheard.append(_told(Store.STATE, "", self.account.now_ns))

    def close(self) -> Verification | None:
        """End the session: a snapshot, and a pass over the whole journal (ruling 45); None where it had failed."""
        self.save()
        whole = not self._kept.fault
        with suppress(StorageError):
            self._kept.journal.close()
        return verify(self._disk, self._folder) if whole else None

    def _tell_all(
        self, events: list[AccountEvent], now_ns: int, cleared: list[VenueCommand]
    ) -> tuple[VenueCommand, ...]:  # fmt: skip
        for event in events:
            cleared += self.tell(event, now_ns)
        return tuple(cleared)

    def _news(self, now_ns: int) -> list[AccountEvent]:
        """Return what the account is to be told of its storage: that it changed."""
        trouble = self._kept.trouble()
        news, self._unheard = self._unheard, []
        if trouble != self._trouble:
            news.append(_told(Store.JOURNAL, trouble, now_ns))
        self._trouble = trouble
        return news


def _told(store: Store, trouble: str, now_ns: int) -> StorageTold:
    return StorageTold(event_ns=now_ns, known_ns=now_ns, store=store, ok=not trouble, text=trouble)


def _opens(command: VenueCommand) -> bool:
    """Whether a command asks for more of a position; everything else goes out without a journal too."""
    return isinstance(command, PlaceOrder) and command.order.leg is Leg.ENTRY


def _aborted(command: PlaceOrder, now_ns: int) -> SendResolved:
    return SendResolved(
        event_ns=now_ns, known_ns=now_ns, client_id=command.order.client_id, act=Act.PLACE, outcome=Outcome.ABORTED,
        text="the journal takes no more entries",
    )  # fmt: skip


def _told_cut(cut: Cut) -> str:
    return (
        f"{cut.torn_bytes} bytes of an interrupted write were cut from {cut.segment} at byte {cut.offset} (hash "
        f"{cut.hash_hex}) and are kept in {cut.kept}"
    )
