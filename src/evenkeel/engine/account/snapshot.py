"""Snapshots of an account: a cache of what folding its journal gives, so that a restart need not fold all of it.

A snapshot holds every part of the account and the place in the journal up to which it was folded. It is written beside,
synced, renamed and read back before an older one goes; the last two are kept. One that is damaged, or that another
version of the code or of a strategy wrote, is passed over (ruling 44): the one before it or the whole journal serves.

    magic "KEELSNAP" | format u16 | 6 bytes 0 | SHA-256 of the payload | payload
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct

import msgspec

from evenkeel.engine.account.account import Account
from evenkeel.engine.account.manifest import AccountManifest
from evenkeel.engine.journal import Disk
from evenkeel.model.errors import StorageError

KEPT = 2
"""So many snapshots are kept: the newest, and the one before in case it is damaged."""

FORMAT = 1
_MAGIC = b"KEELSNAP"
_HEADER = Struct("<8sH6x32s")
_SUFFIX = ".snap"


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An account after folding its journal up to a place.

    Attributes:
        next: Sequence of the first entry that is not in it.
        head: Hash of the entry before that.
        schema: Of the entries at that place.
        segment: Number of the segment that was written.
        manifest: Of the session that took it.
        parts: State of each part by name, as the part stores it.
    """

    next: int
    head: bytes
    schema: int
    segment: int
    manifest: AccountManifest
    parts: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Found:
    """What was found among the stored snapshots.

    Attributes:
        snapshot: The newest that can be used; None: fold the whole journal.
        faults: Those that are damaged, in words.
        passed: Those that another code wrote, in words.
        newest_next: First entry that is in none of those that are whole; the journal cannot end before it.
    """

    snapshot: Snapshot | None
    faults: tuple[str, ...]
    passed: tuple[str, ...]
    newest_next: int


def take(account: Account) -> dict[str, bytes]:
    """Return every part of an account, encoded."""
    return {name: msgspec.msgpack.encode(part.saved()) for name, part in account.parts().items()}


def restore(account: Account, parts: dict[str, bytes]) -> None:
    """Give a new account the parts that were stored.

    Raises:
        StorageError: If they are not those of this account.
    """
    into = account.parts()
    if set(into) != set(parts):
        names = ", ".join(sorted(set(into) ^ set(parts)))
        raise StorageError(f"the snapshot and the account do not have the same parts: {names}")
    for name, part in into.items():
        try:
            part.restore(parts[name])
        except (msgspec.MsgspecError, ValueError) as error:
            raise StorageError(f"the part '{name}' of the snapshot cannot be understood: {error}") from None


class SnapshotStore:
    """The snapshots of an account.

    Args:
        disk: Where they lie.
        folder: In which folder.
    """

    def __init__(self, disk: Disk, folder: str) -> None:
        self._disk, self._folder = disk, folder

    def save(self, snapshot: Snapshot) -> None:
        """Write a snapshot, and remove all but the last ones once it can be read back.

        Raises:
            StorageError: If the disk refuses, or does not hold what was written; the older ones are left then.
        """
        self._disk.make_folder(self._folder, durable=True)
        path = self._path(snapshot.next)
        beside = f"{path}.new"
        payload = msgspec.msgpack.encode(snapshot)
        try:
            self._write(beside, _HEADER.pack(_MAGIC, FORMAT, sha256(payload).digest()) + payload)
            self._disk.rename(beside, path)
        except StorageError:
            with suppress(StorageError):
                self._disk.remove(beside)
            raise
        self._disk.sync_folder(self._folder)
        if isinstance(self._read(path), str):
            raise StorageError(f"the snapshot {path} does not read back as it was written; check the disk")
        for name in self._names()[:-KEPT]:
            self._disk.remove(f"{self._folder}/{name}")
        self._disk.sync_folder(self._folder)

    def oldest_segment(self) -> int:
        """Return the segment at which folding would have to begin with the oldest snapshot; 1 without one."""
        found = [self._read(f"{self._folder}/{name}") for name in self._names()]
        return min((one.segment for one in found if isinstance(one, Snapshot)), default=1)

    def find(self, misfit: Callable[[Snapshot], str | None]) -> Found:
        """Return the newest snapshot that is whole and fits, and what was found on the way.

        Args:
            misfit: Says why one cannot be used; None: it can.
        """
        faults: list[str] = []
        passed: list[str] = []
        newest = 0
        for name in reversed(self._names()):
            found = self._read(f"{self._folder}/{name}")
            if isinstance(found, str):
                faults.append(f"{name} {found}")
                continue
            newest = max(newest, found.next)
            why = misfit(found)
            if why is None:
                return Found(found, tuple(faults), tuple(passed), newest)
            passed.append(f"{name} {why}")
        return Found(None, tuple(faults), tuple(passed), newest)

    def _names(self) -> list[str]:
        return [name for name in self._disk.list(self._folder) if name.endswith(_SUFFIX)]

    def _path(self, sequence: int) -> str:
        return f"{self._folder}/{sequence:015d}{_SUFFIX}"

    def _write(self, path: str, data: bytes) -> None:
        if self._disk.stat(path) is not None:
            self._disk.remove(path)
        file = self._disk.open(path)
        try:
            file.append(data)
            file.sync()
        finally:
            file.close()

    def _read(self, path: str) -> Snapshot | str:
        """Return a snapshot, or what is wrong with it."""
        try:
            data = self._disk.read(path, 0, self._disk.size(path))
        except StorageError as error:
            return f"cannot be read ({error.message})"
        if len(data) < _HEADER.size:
            return f"is cut short at byte {len(data)}"
        magic, version, digest = _HEADER.unpack_from(data)
        payload = data[_HEADER.size :]
        if magic != _MAGIC or version != FORMAT:
            return f"is no snapshot of format {FORMAT}"
        if sha256(payload).digest() != digest:
            return "is not what was written: its digest differs"
        try:
            return msgspec.msgpack.decode(payload, type=Snapshot)
        except msgspec.MsgspecError as error:
            return f"cannot be understood ({error})"
