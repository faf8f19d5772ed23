"""One writer at a time: a lock file that names its holder and falls with the process that holds it.

The operating system's lock does the work; it is gone when its holder dies, however it dies. The process id and start
time inside the file are for the message to a second writer, and for file systems that grant every lock: there a holder
that still lives is respected, and only a dead one is passed over.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import IO

from evenkeel.model.errors import StorageError

_LOCKED_BYTE = 1 << 30
"""Windows locks bytes, and a locked byte cannot be read: lock one far behind the text."""


class WriterLock:
    """Holds a folder for writing while the body of a `with` runs.

    Args:
        folder: Must exist; the file `.lock` is left there, empty, afterwards.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / ".lock"
        self._file: IO[str] | None = None

    def __enter__(self) -> WriterLock:
        """Take the lock.

        Raises:
            StorageError: If another writer holds it, naming its process, or if the lock file cannot be written.
        """
        try:
            file = self._path.open("a+", encoding="ascii", errors="replace")
            try:
                self._take(file)
            except BaseException:
                file.close()
                raise
        except OSError as error:
            folder = self._path.parent
            raise StorageError(
                f"cannot write into {folder}: {error.strerror or error}; free space or choose another folder"
            ) from error
        self._file = file
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the lock back."""
        del kind, error, trace
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None

    def _take(self, file: IO[str]) -> None:
        granted = _try_lock(file)
        file.seek(0)
        holder = file.read(200).strip()
        if not granted or _is_alive(holder):
            raise StorageError(
                f"{self._path.parent} is being written by another process ({holder or 'not named'}); wait until it has "
                f"finished and try again",
                reason="STORAGE_BUSY",
            )
        file.truncate(0)
        file.write(f"pid {os.getpid()} started {_start_of(os.getpid())}")
        file.flush()


def _try_lock(file: IO[str]) -> bool:
    if sys.platform == "win32":
        import msvcrt

        file.seek(_LOCKED_BYTE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # This file system knows no locks: the process named in the file decides.
        return True
    return True


def _is_alive(holder: str) -> bool:
    """Whether the process that the lock file names still runs; another one with the same id does not count."""
    words = holder.split()
    if len(words) != 4 or not words[1].isdigit() or sys.platform == "win32":
        return False
    process = int(words[1])
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return words[3] == _start_of(process)


def _start_of(process: int) -> str:
    """Return when a process began, in the units of its system; `unknown` where that cannot be told."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return "unknown"
    return text.rpartition(")")[2].split()[19]
