"""A disk in memory that can fail as real ones do: full, or without what was never synced.

The simulation and the tests run the journal on it. A *crash* of the machine keeps what was synced and, of each file's
unsynced bytes, as many as the caller says; a file whose name was never synced may be gone altogether.
"""

from __future__ import annotations

from evenkeel.model.errors import StorageError

UNLIMITED = 2**62
NO_HOLE = slice(0, 0)


class MemoryDisk:
    """A `Disk` without a machine.

    Attributes:
        files: Content by path, as the operating system would show it.
        syncs: How often a file was synced.
        capacity: Bytes that all files together may have; a write beyond it is torn and refused.
        sync_fails: Whether the next sync is refused.
    """

    def __init__(self, *, capacity: int = UNLIMITED) -> None:
        self.files: dict[str, bytearray] = {}
        self.syncs = 0
        self.capacity = capacity
        self.sync_fails = False
        self._synced_bytes: dict[str, int] = {}
        self._synced_names: set[str] = set()
        self._locked: set[str] = set()

    def crash(self, *, surviving_bytes: int, names_survive: bool, hole: slice = NO_HOLE) -> MemoryDisk:
        """Return the disk that a machine finds after losing power.

        Args:
            surviving_bytes: How many unsynced bytes of each file survive, in their order.
            names_survive: Whether files live on whose folder was not synced since they were created.
            hole: Which of the surviving unsynced bytes of each file were never written and read as zeros.
        """
        after = MemoryDisk(capacity=self.capacity)
        for path, content in self.files.items():
            if names_survive or path in self._synced_names:
                synced = self._synced_bytes[path]
                unsynced = content[synced : synced + surviving_bytes]
                unsynced[hole] = bytes(len(unsynced[hole]))
                after._put(path, content[:synced] + unsynced)
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
        if path not in self.files:
            self.files[path] = bytearray()
            self._synced_bytes[path] = 0
        return MemoryFile(self, path)

    def read(self, path: str, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`."""
        return bytes(self._content(path)[offset : offset + length])

    def size(self, path: str) -> int:
        """Return the bytes in the file."""
        return len(self._content(path))

    def truncate(self, path: str, size: int) -> None:
        """Cut the file, for good."""
        del self._content(path)[size:]
        self._synced_bytes[path] = size

    def rename(self, old: str, new: str) -> None:
        """Give a file a new name, replacing what had it."""
        self.files[new] = self._content(old)
        self._synced_bytes[new] = self._synced_bytes[old]
        self.remove(old)

    def remove(self, path: str) -> None:
        """Delete the file."""
        self._content(path)
        del self.files[path], self._synced_bytes[path]
        self._synced_names.discard(path)

    def sync_folder(self, folder: str) -> None:
        """Make the names in the folder survive a crash."""
        self._synced_names.update(path for path in self.files if path.startswith(f"{folder}/"))

    def free(self, folder: str) -> int:  # noqa: ARG002 - there is one capacity for all folders
        """Return the bytes that can still be written to any folder."""
        return self.capacity - sum(map(len, self.files.values()))

    def lock(self, folder: str) -> MemoryLock:
        """Claim the folder for writing."""
        if folder in self._locked:
            raise StorageError(f"{folder} is being written already; close that journal first", reason="STORAGE_BUSY")
        self._locked.add(folder)
        return MemoryLock(self._locked, folder)

    def _content(self, path: str) -> bytearray:
        if path not in self.files:
            raise StorageError(f"there is no file {path}")
        return self.files[path]

    def _put(self, path: str, content: bytearray) -> None:
        self.files[path] = bytearray(content)
        self._synced_bytes[path] = len(content)
        self._synced_names.add(path)

    def _append(self, path: str, data: bytes | bytearray) -> None:
        room = self.free(path)
        self.files[path] += data[:room]
        if room < len(data):
            raise StorageError(
                f"cannot write {path}: the disk is full; free some space and start again", reason="DISK_FULL"
            )

    def _sync(self, path: str) -> None:
        if self.sync_fails:
            raise StorageError(f"cannot sync {path}: the disk refused")
        self.syncs += 1
        self._synced_bytes[path] = len(self.files[path])


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
