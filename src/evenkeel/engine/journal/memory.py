"""A disk in memory that can fail as real ones do: full, read-only, torn, or without what was never synced.

The simulation and the tests run journal and halt flag on it. A *crash* of the machine keeps what was synced and, of
each file's unsynced bytes, as many as the caller says; names that were never synced may be those of before: a new file
is gone, a removed one is back, and one that was replaced has its old content.
"""

from __future__ import annotations

from typing import TypeVar

from evenkeel.engine.journal.disk import FileStat
from evenkeel.model.errors import StorageError

UNLIMITED = 2**62
NO_HOLE = slice(0, 0)
_Disk = TypeVar("_Disk", bound="MemoryDisk")


class MemoryDisk:
    """A `Disk` without a machine.

    Attributes:
        files: Content by path, as the operating system would show it.
        syncs: How often a file was synced.
        capacity: Bytes that all files together may have; a write beyond it is torn and refused.
        sync_fails: Whether the next sync is refused.
        read_only: Whether every change is refused.
        tears_at: After so many bytes the next overwriting stops and is refused; None: it does not.
    """

    def __init__(self, *, capacity: int = UNLIMITED) -> None:
        self.files: dict[str, _Content] = {}
        self.syncs = 0
        self.capacity = capacity
        self.sync_fails = False
        self.read_only = False
        self.tears_at: int | None = None
        self._on_disk: dict[str, _Content] = {}
        self._created = 0
        self._locked: set[str] = set()

    def crash(self, *, surviving_bytes: int, names_survive: bool, hole: slice = NO_HOLE) -> MemoryDisk:
        """Return the disk that a machine finds after losing power.

        Args:
            surviving_bytes: How many unsynced bytes of each file survive, in their order.
            names_survive: Whether names are those of now where their folder was not synced since; else those of then.
            hole: Which of the surviving unsynced bytes of each file were never written and read as zeros.
        """
        return self._survive(MemoryDisk(capacity=self.capacity), surviving_bytes, hole, names_survive=names_survive)

    def _survive(self, after: _Disk, surviving_bytes: int, hole: slice, *, names_survive: bool) -> _Disk:
        """Put what survives on another disk, and return that."""
        for path, content in (self.files if names_survive else self._on_disk).items():
            unsynced = content[content.synced : content.synced + surviving_bytes]
            unsynced[hole] = bytes(len(unsynced[hole]))
            after._put(path, content[: content.synced] + unsynced)
        return after

    def copy(self) -> MemoryDisk:
        """Return the disk that the next process finds after this one was killed: nothing of it is lost."""
        return self.crash(surviving_bytes=UNLIMITED, names_survive=True)

    def make_folder(self, folder: str, *, durable: bool) -> None:
        """Do nothing: paths need no folders here."""

    def list(self, folder: str) -> list[str]:
        """Return the names in the folder, sorted."""
        prefix = f"{folder}/"
        return sorted(path.removeprefix(prefix) for path in self.files if path.startswith(prefix))

    def open(self, path: str) -> MemoryFile:
        """Open for appending; an absent file is created."""
        self._refuse_if_read_only("open", path)
        if path not in self.files:
            self._create(path)
        return MemoryFile(self, path)

    def read(self, path: str, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`."""
        return bytes(self._content(path)[offset : offset + length])

    def size(self, path: str) -> int:
        """Return the bytes in the file."""
        return len(self._content(path))

    def truncate(self, path: str, size: int) -> None:
        """Cut the file, for good."""
        self._refuse_if_read_only("truncate", path)
        content = self._content(path)
        del content[size:]
        content.synced = size
        content.changes += 1

    def overwrite(self, path: str, data: bytes) -> None:
        """Write over the beginning of the file in place, for good; torn where `tears_at` says so."""
        self._refuse_if_read_only("overwrite", path)
        content = self._content(path)
        if len(data) > len(content):
            raise StorageError(f"cannot overwrite {path}: it is shorter than what is to be written")
        tears_at, self.tears_at = self.tears_at, None
        content[: len(data[:tears_at])] = data[:tears_at]
        content.changes += 1
        if tears_at is not None:
            raise StorageError(f"cannot overwrite {path}: the power is gone")
        content.synced = max(content.synced, len(data))

    def rename(self, old: str, new: str) -> None:
        """Give a file a new name, replacing what had it."""
        self._refuse_if_read_only("rename", old)
        self.files[new] = self._content(old)
        del self.files[old]

    def remove(self, path: str) -> None:
        """Delete the file."""
        self._refuse_if_read_only("remove", path)
        self._content(path)
        del self.files[path]

    def sync_folder(self, folder: str) -> None:
        """Make the names in the folder survive a crash."""
        inside = f"{folder}/"
        kept = {path: content for path, content in self._on_disk.items() if not path.startswith(inside)}
        self._on_disk = kept | {path: content for path, content in self.files.items() if path.startswith(inside)}

    def stat(self, path: str) -> FileStat | None:
        """Return what changes whenever the file does; None: there is no such file."""
        content = self.files.get(path)
        return None if content is None else FileStat(content.number, len(content), content.changes)

    def free(self, folder: str) -> int:  # noqa: ARG002 - there is one capacity for all folders
        """Return the bytes that can still be written to any folder."""
        return self.capacity - sum(map(len, self.files.values()))

    def lock(self, folder: str) -> MemoryLock:
        """Claim the folder for writing."""
        self._refuse_if_read_only("lock", folder)
        if folder in self._locked:
            raise StorageError(f"{folder} is being written already; close that journal first", reason="STORAGE_BUSY")
        self._locked.add(folder)
        return MemoryLock(self._locked, folder)

    def _refuse_if_read_only(self, act: str, path: str) -> None:
        if self.read_only:
            raise StorageError(f"cannot {act} {path}: the disk is read-only; check the disk and its permissions")

    def _content(self, path: str) -> _Content:
        if path not in self.files:
            raise StorageError(f"there is no file {path}")
        return self.files[path]

    def _create(self, path: str) -> _Content:
        self._created += 1
        self.files[path] = _Content(self._created)
        return self.files[path]

    def _put(self, path: str, content: bytearray) -> None:
        durable = self._create(path)
        durable += content
        durable.synced = len(content)
        self._on_disk[path] = durable

    def _append(self, path: str, data: bytes | bytearray) -> None:
        self._refuse_if_read_only("write", path)
        room = self.free(path)
        content = self.files[path]
        content += data[:room]
        content.changes += 1
        if room < len(data):
            raise StorageError(
                f"cannot write {path}: the disk is full; free some space and start again", reason="DISK_FULL"
            )

    def _sync(self, path: str) -> None:
        if self.sync_fails:
            raise StorageError(f"cannot sync {path}: the disk refused")
        self.syncs += 1
        self.files[path].synced = len(self.files[path])


class _Content(bytearray):
    """What a file holds, whatever it is called; several names may lead to one over time.

    Attributes:
        number: Told from every other file by it, as by an inode.
        synced: So many bytes from the beginning survive a crash.
        changes: Counts them.
    """

    __slots__ = ("changes", "number", "synced")

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number, self.synced, self.changes = number, 0, 0


class MemoryFile:
    """A file of a `MemoryDisk`, open for appending."""

    def __init__(self, disk: MemoryDisk, path: str) -> None:
        self._disk = disk
        self._path = path

    def append(self, data: bytes | bytearray) -> None:
        """Add the bytes, or as many as fit, refusing then."""
        self._disk._append(self._path, data)

    def sync(self) -> None:
        """Make the content survive a crash."""
        self._disk._sync(self._path)

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


class MemoryLock:
    """A claim on a folder of a `MemoryDisk`."""

    def __init__(self, locked: set[str], folder: str) -> None:
        self._locked = locked
        self._folder = folder

    def release(self) -> None:
        """Give the claim up."""
        self._locked.discard(self._folder)
