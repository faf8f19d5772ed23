"""The port between journal and file system, and the real file system behind it.

Everything the journal does to a disk goes through `Disk`, so the simulation can lose, tear or fill one
(`evenkeel.engine.journal.memory`). Paths are plain text. Every refusal of the file system is a `StorageError` that
names the file and what to do.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from pathlib import Path
from typing import NamedTuple, Protocol

from evenkeel.data.lock import WriterLock
from evenkeel.model.errors import StorageError

_APPENDING = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)


class FileStat(NamedTuple):
    """What is looked at to see, without reading it, whether a file has changed.

    Attributes:
        number: Of the file, whatever its name: its inode.
        size: In bytes.
        changed: Of its content: a time, or a count.
    """

    number: int
    size: int
    changed: int


class DiskFile(Protocol):
    """A file open for appending."""

    def append(self, data: bytes | bytearray) -> None:
        """Hand all bytes to the operating system.

        Raises:
            StorageError: If they did not all go; part of them may stand at the end of the file.
        """

    def sync(self) -> None:
        """Return when all appended bytes are on the disk.

        Raises:
            StorageError: If that is not certain.
        """

    def close(self) -> None:
        """Release the file; unsynced bytes stay with the operating system."""


class DiskLock(Protocol):
    """A claim that this process alone writes here."""

    def release(self) -> None:
        """Let another process have it."""


class Disk(Protocol):
    """What the journal needs of a file system; every method raises `StorageError` when refused."""

    def make_folder(self, folder: str, *, durable: bool) -> None:
        """Create the folder and its parents where they are missing, on the disk when this returns if `durable`."""

    def list(self, folder: str) -> list[str]:
        """Return the names in the folder, sorted; a missing folder is empty."""

    def open(self, path: str) -> DiskFile:
        """Open for appending; an absent file is created."""

    def read(self, path: str, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`; fewer at the end of the file."""

    def size(self, path: str) -> int:
        """Return the bytes in the file."""

    def truncate(self, path: str, size: int) -> None:
        """Cut the file to `size` bytes, on the disk when this returns."""

    def overwrite(self, path: str, data: bytes) -> None:
        """Write over the beginning of a file in place, taking no new space, on the disk when this returns.

        A crash in between leaves any mixture of old and new. A file shorter than `data` is refused.
        """

    def rename(self, old: str, new: str) -> None:
        """Give a file a new name, replacing what had it."""

    def remove(self, path: str) -> None:
        """Delete the file."""

    def sync_folder(self, folder: str) -> None:
        """Return when creations, renames and deletions in the folder are on the disk."""

    def stat(self, path: str) -> FileStat | None:
        """Return what changes whenever the file does; None: there is no such file."""

    def free(self, folder: str) -> int:
        """Return the bytes that can still be written."""

    def lock(self, folder: str) -> DiskLock:
        """Claim the folder for writing at once, or say which process holds it."""


class RealDisk:
    """The file system of this machine."""

    def make_folder(self, folder: str, *, durable: bool) -> None:
        """Create the folder and its parents where they are missing, on the disk when this returns if `durable`."""
        missing = [path for path in (Path(folder), *Path(folder).parents) if not path.exists()]
        with _naming("create", folder):
            os.makedirs(folder, exist_ok=True)
        if durable:
            for path in reversed(missing):
                self.sync_folder(str(path.parent))

    def list(self, folder: str) -> list[str]:
        """Return the names in the folder, sorted; a missing folder is empty."""
        with _naming("list", folder):
            return sorted(os.listdir(folder)) if os.path.isdir(folder) else []

    def open(self, path: str) -> DiskFile:
        """Open for appending; an absent file is created."""
        return _RealFile(path)

    def read(self, path: str, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`; fewer at the end of the file."""
        with _naming("read", path), open(path, "rb") as file:
            file.seek(offset)
            return file.read(length)

    def size(self, path: str) -> int:
        """Return the bytes in the file."""
        with _naming("read", path):
            return os.path.getsize(path)

    def truncate(self, path: str, size: int) -> None:
        """Cut the file to `size` bytes, on the disk when this returns."""
        with _naming("truncate", path), open(path, "r+b") as file:
            file.truncate(size)
            _to_disk(file.fileno())

    def overwrite(self, path: str, data: bytes) -> None:
        """Write over the beginning of a file in place, taking no new space, on the disk when this returns."""
        with _naming("overwrite", path), open(path, "r+b", buffering=0) as file:
            if os.fstat(file.fileno()).st_size < len(data):
                raise StorageError(f"cannot overwrite {path}: it is shorter than what is to be written")
            written = file.write(data)
            while written < len(data):
                written += file.write(data[written:])
            _to_disk(file.fileno())

    def rename(self, old: str, new: str) -> None:
        """Give a file a new name, replacing what had it."""
        with _naming("rename", old):
            os.replace(old, new)

    def remove(self, path: str) -> None:
        """Delete the file."""
        with _naming("remove", path):
            os.remove(path)

    def sync_folder(self, folder: str) -> None:
        """Return when creations, renames and deletions in the folder are on the disk."""
        if os.name == "nt":
            # Windows opens no folders, and syncs their entries with the file.
            return
        with _naming("sync", folder):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def stat(self, path: str) -> FileStat | None:
        """Return what changes whenever the file does; None: there is no such file."""
        with _naming("read", path):
            try:
                found = os.stat(path)
            except FileNotFoundError:
                return None
            return FileStat(found.st_ino, found.st_size, found.st_mtime_ns)

    def free(self, folder: str) -> int:
        """Return the bytes that can still be written."""
        with _naming("measure", folder):
            return shutil.disk_usage(folder).free

    def lock(self, folder: str) -> DiskLock:
        """Claim the folder for writing at once, or say which process holds it."""
        return _RealLock(folder)


class _RealFile:
    def __init__(self, path: str) -> None:
        self._path = path
        with _naming("open", path):
            self._descriptor = os.open(path, _APPENDING, 0o600)

    def append(self, data: bytes | bytearray) -> None:
        try:
            written = os.write(self._descriptor, data)
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        except OSError as error:
            raise _refused("write", self._path, error) from error

    def sync(self) -> None:
        with _naming("sync", self._path):
            _to_disk(self._descriptor)

    def close(self) -> None:
        with _naming("close", self._path):
            os.close(self._descriptor)


class _RealLock:
    def __init__(self, folder: str) -> None:
        self._lock = WriterLock(Path(folder))
        self._lock.__enter__()

    def release(self) -> None:
        self._lock.__exit__(None, None, None)


def _to_disk(descriptor: int) -> None:
    if sys.platform == "darwin":
        import fcntl

        # An fsync stops at the drive's own cache there.
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    elif hasattr(os, "fdatasync"):
        os.fdatasync(descriptor)
    else:
        os.fsync(descriptor)


class _naming:  # noqa: N801 - reads as a verb after `with`
    """Turns a fault of the disk into one that says what was being done to what."""

    __slots__ = ("_act", "_path")

    def __init__(self, act: str, path: str) -> None:
        self._act, self._path = act, path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise _refused(self._act, self._path, error) from error


def _refused(act: str, path: str, error: OSError) -> StorageError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            f"cannot {act} {path}: the disk is full; free some space and start again", reason="DISK_FULL"
        )
    return StorageError(f"cannot {act} {path}: {error.strerror or error}; check the disk and its permissions")
