"""The persistent halt flag: what stops an account, on the disk, for every process that may send orders.

Two copies, each replaced by rename, and two slots of 4 KiB that are written in place when the disk is full. The newest
epoch of the four counts. Any that is missing or cannot be trusted means level 3 until a person has looked: silence
never reads as "go on". What was raised and could not be written still binds this process.
Source: operations.md 2.2, ruling 59.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, Never

from evenkeel.engine.halt_document import BLANK, SLOT_BYTES, FlagDocument, flag_document, seal, seal_slot, unseal
from evenkeel.engine.journal.disk import Disk, DiskLock, FileStat
from evenkeel.model.errors import StorageError, require
from evenkeel.model.halt import Halt, HaltCode, HaltLevel, HaltReason, HaltSource
from evenkeel.model.time import SECOND
from evenkeel.risk.halt import raised

STALE_NS = SECOND // 5
"""A reading is never older than this, however little the file system tells of changes."""

_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


class _Found(NamedTuple):
    """What was found in one place: a document, a fault, or neither, which is a blank slot."""

    document: FlagDocument | None
    fault: str
    absent: bool = False


class HaltFlag:
    """The flag of one account, as one process sees it.

    Args:
        disk: Where it lies.
        folder: In which folder.
        account: Whose it is.
        mode: Of its trading.
        host: This machine, for the reader of the file.
        pid: This process, likewise.
        clock: `known_ns` of now: it never stands back.
        known: What the journal has seen last; a flag that is older was restored or lost, and both count.
    """

    def __init__(
        self, disk: Disk, folder: str, *, account: str, mode: str, host: str, pid: int, clock: Callable[[], int],
        known: Halt | None = None,
    ) -> None:  # fmt: skip
        require(
            _ACCOUNT.match(account) is not None,
            "an account's name has up to 64 letters, digits, dots, lines and underscores",
            account=account,
        )
        self._disk = disk
        self._folder = folder
        self._account, self._mode, self._host, self._pid = account, mode, host, pid
        self._clock = clock
        base = f"{folder}/{account}-{mode}"
        self._copies = (f"{base}.json", f"{base}.second.json")
        self._slots = (f"{base}.slot-0", f"{base}.slot-1")
        self._found: tuple[_Found, ...] = ()
        self._stats: tuple[FileStat | None, ...] = ()
        self._journaled = known
        self._halt = known
        self._written_epoch = 0 if known is None else known.epoch
        self._parsed_ns = 0

    def init_account(self, *, by: str) -> Halt:
        """Create the flag of a new account at level 0.

        Args:
            by: Who does it.

        Raises:
            StorageError: If the account is known already, or the disk refuses.
        """
        first = Halt(set_by=by)
        self._inspect()
        if self._journaled is not None or any(map(_is_of_known_account, self._found)):
            raise StorageError(
                f"account {self._account} had a halt flag already; look at it with `keel status`, and lift what it "
                "says by `keel clear-halt`",
                reason="ACCOUNT_KNOWN",
            )
        self._disk.make_folder(self._folder, durable=True)
        for slot in self._slots:
            self._make_slot(slot)
        document = self._document(first)
        for copy in self._copies:
            self._replace(copy, seal(document))
        return self._parse()

    def read(self) -> Halt:
        """Return what stops the account: a look at the files' stats, and their content where they changed."""
        now = self._clock()
        if self._halt is not None and 0 <= now - self._parsed_ns < STALE_NS and self._look() == self._stats:
            return self._halt
        return self._parse()

    def stands(self, epoch: int) -> bool:
        """Whether the flag is still the one under which an order was approved; asked right before its bytes leave."""
        return self.read().epoch == epoch

    def change(self, make: Callable[[Halt], Halt]) -> Halt:
        """Change the flag and return it as it stands then.

        What this process knows and the disk does not say is written with it, so a change that returns what it got only
        brings the disk up to date.

        What only adds reasons is written even while another process, perhaps one that hangs, holds the folder; then
        into the slots too, so that the other one's copies cannot hide it.

        Args:
            make: Gets the flag of now and returns the next one.

        Raises:
            StorageError: If nothing could be written. What was raised binds this process nevertheless. With reason
                STORAGE_BUSY another process is writing, and what would lift something is to be tried again.
        """
        lock, busy = self._claim()
        try:
            before = self._parse()
            after = make(before)
            if after == before == self._newest() and not any(found.fault for found in self._found):
                return before
            if busy is not None and not _only_raises(before, after):
                raise busy
            if not self._write(after, slots_too=lock is None):
                self._refuse(before, after)
        finally:
            if lock is not None:
                lock.release()
        self._halt = after
        return self._parse()

    def _refuse(self, before: Halt, after: Halt) -> Never:
        """Say that a change could not be written; what was raised is held nevertheless."""
        held = _only_raises(before, after)
        if held:
            self._halt, self._stats = after, ()
        raise StorageError(
            f"the halt flag of account {self._account} could not be written to {self._folder}, "
            f"{'and binds this process only' if held else 'so nothing was lifted'}; free some space or check the disk",
            reason="FLAG_UNWRITABLE",
        )

    def _claim(self) -> tuple[DiskLock | None, StorageError | None]:
        """Return the claim to the folder, or the fault that says who holds it; neither where it cannot be locked."""
        try:
            return self._disk.lock(self._folder), None
        except StorageError as error:
            return None, error if error.reason == "STORAGE_BUSY" else None

    def _parse(self) -> Halt:
        """Read all four places anew."""
        self._parsed_ns = self._clock()
        self._stats = self._look()
        self._inspect()
        newest, known = self._newest(), self._halt
        faults = [found.fault for found in self._found if found.fault]
        if newest is not None and newest.epoch < self._written_epoch:
            faults.append(f"the flag is of epoch {newest.epoch}, that of {self._written_epoch} was seen before")
        if newest is not None:
            self._written_epoch = max(self._written_epoch, newest.epoch)
        halt = Halt() if newest is None else newest
        if known is not None and halt.epoch <= known.epoch:
            # The disk does not say what this process knows: nothing of either is dropped.
            halt = _joined(known, halt)
        if all(found.absent for found in self._found):
            halt = raised(halt, self._reason(HaltCode.FLAG_MISSING, ""), by="flag")
        elif faults:
            halt = raised(halt, self._reason(HaltCode.FLAG_DAMAGED, "; ".join(faults)), by="flag")
        self._halt = halt
        return halt

    def _newest(self) -> Halt | None:
        """Return the halt with the highest epoch; where several writers took the same one, their reasons together."""
        newest: Halt | None = None
        for found in self._found:
            if found.document is None:
                continue
            halt = found.document.halt
            if newest is None or halt.epoch > newest.epoch:
                newest = halt
            elif halt.epoch == newest.epoch:
                newest = _joined(newest, halt)
        return newest

    def _reason(self, code: HaltCode, text: str) -> HaltReason:
        return HaltReason(code=code, level=HaltLevel.HALTED, source=HaltSource.FLAG, at_ns=self._parsed_ns, text=text)

    def _look(self) -> tuple[FileStat | None, ...]:
        return tuple(self._stat(path) for path in (*self._copies, *self._slots))

    def _stat(self, path: str) -> FileStat | None:
        with suppress(StorageError):
            return self._disk.stat(path)
        return None

    def _inspect(self) -> None:
        self._found = (*map(self._copy_at, self._copies), *map(self._slot_at, self._slots))

    def _copy_at(self, path: str) -> _Found:
        content = self._content(path)
        if isinstance(content, _Found):
            return content
        document = unseal(content, account=self._account, mode=self._mode)
        return _Found(None, f"{path} {document}") if isinstance(document, str) else _Found(document, "")

    def _slot_at(self, path: str) -> _Found:
        content = self._content(path)
        if isinstance(content, _Found):
            return content
        if not content.strip(BLANK):
            cut = len(content) != SLOT_BYTES
            return _Found(None, f"{path} has {len(content)} bytes, not {SLOT_BYTES}" if cut else "")
        return self._copy_at(path)

    def _content(self, path: str) -> bytes | _Found:
        """Return the bytes of a file, or what keeps us from reading them."""
        try:
            stat = self._disk.stat(path)
            if stat is None:
                return _Found(None, f"{path} is missing", absent=True)
            return self._disk.read(path, 0, stat.size)
        except StorageError as error:
            return _Found(None, f"{path} cannot be read ({error})")

    def _write(self, halt: Halt, *, slots_too: bool) -> bool:
        """Write both copies, and where none can be, or copies are not enough, a slot; return whether it is anywhere."""
        document = self._document(halt)
        copied = [self._is_done(self._replace, copy, seal(document)) for copy in self._copies]
        if any(copied):
            for slot, found in zip(self._slots, self._found[2:], strict=True):
                if found.fault:
                    self._is_done(self._make_slot, slot)
        if any(copied) and not slots_too:
            return True
        return self._fill_slots(document) or any(copied)

    def _fill_slots(self, document: FlagDocument) -> bool:
        """Write the slots, the older one first; one that alone says the newest is left, as overwriting may tear it."""
        epochs = [0 if found.document is None else found.document.halt.epoch for found in self._found]
        first = len(self._copies)
        done = False
        for place in sorted(range(first, len(epochs)), key=epochs.__getitem__):
            others = epochs[:place] + epochs[place + 1 :]
            if epochs[place] > max(others):
                continue
            written = self._is_done(self._disk.overwrite, self._slots[place - first], seal_slot(document))
            epochs[place] = document.halt.epoch if written else 0
            done = done or written
        return done

    def _is_done(self, act: Callable[..., None], *args: object) -> bool:
        """Whether the disk let it happen."""
        try:
            act(*args)
        except StorageError:
            return False
        return True

    def _replace(self, path: str, content: bytes) -> None:
        """Put new content under a name: written beside it, synced, renamed, the folder synced."""
        beside = f"{path}.new"
        try:
            self._fresh(beside, content)
            self._disk.rename(beside, path)
        except StorageError:
            with suppress(StorageError):
                self._disk.remove(beside)
            raise
        self._disk.sync_folder(self._folder)

    def _make_slot(self, path: str) -> None:
        """Make a slot blank and whole, taking its space now."""
        self._replace(path, BLANK * SLOT_BYTES)

    def _fresh(self, path: str, content: bytes) -> None:
        if self._disk.stat(path) is not None:
            self._disk.remove(path)
        file = self._disk.open(path)
        try:
            file.append(content)
            file.sync()
        finally:
            file.close()

    def _document(self, halt: Halt) -> FlagDocument:
        return flag_document(halt, account=self._account, mode=self._mode, host=self._host, pid=self._pid)


def _is_of_known_account(found: _Found) -> bool:
    """Whether what was found is more than the beginning of an account, perhaps one that was interrupted."""
    if found.document is None:
        return bool(found.fault) and not found.absent
    return (found.document.halt.epoch, found.document.halt.reasons) != (1, ())


def _only_raises(before: Halt, after: Halt) -> bool:
    """Whether a change lifts nothing."""
    codes = {reason.code for reason in after.reasons}
    return after.level >= before.level and all(reason.code in codes for reason in before.reasons)


def _joined(one: Halt, other: Halt) -> Halt:
    """Return a halt with the reasons of both, the stricter of each; it is the first one where that has them all."""
    return raised(one, *other.reasons, by=other.set_by)
