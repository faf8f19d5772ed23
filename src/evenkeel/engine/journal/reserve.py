"""Space on the disk that is kept for the moment at which it is full.

A file of bytes that do not compress lies beside the segments. When an append meets a full disk, the file is removed and
the append is made again, so the entries of orders that reduce and withdraw still find room while entries are refused.
Source: operations.md 12, row 45.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import shake_128

from evenkeel.engine.journal.disk import Disk
from evenkeel.model.errors import StorageError

RESERVE_NAME = "reserve"
RESERVE_BYTES = 8 * 1024 * 1024
"""About ten thousand orders with what is told of them."""


class Reserve:
    """The reserve of a journal.

    Args:
        disk: Where it lies.
        folder: The journal's folder.
        size: In bytes; 0 keeps none.

    Attributes:
        used: Whether it was given up, and not put back since.
    """

    def __init__(self, disk: Disk, folder: str, size: int) -> None:
        self._disk, self._folder, self._size = disk, folder, size
        self._path = f"{folder}/{RESERVE_NAME}"
        self.used = False

    def fill(self) -> None:
        """Take the space, unless it is taken.

        Raises:
            StorageError: If the disk refuses.
        """
        stat = self._disk.stat(self._path)
        if stat is not None and stat.size == self._size:
            return
        if stat is not None:
            self._disk.remove(self._path)
        if self._size:
            file = self._disk.open(self._path)
            try:
                file.append(shake_128(RESERVE_NAME.encode()).digest(self._size))
                file.sync()
            finally:
                file.close()
            self._disk.sync_folder(self._folder)

    def release(self) -> bool:
        """Give the space up; return whether there was any."""
        if self.used or not self._size:
            return False
        self.used = True
        self._disk.remove(self._path)
        self._disk.sync_folder(self._folder)
        return True

    def refill(self) -> bool:
        """Put the reserve back where twice its space is free; return whether it is there."""
        if self.used and self._disk.free(self._folder) >= 2 * self._size:
            try:
                self.fill()
            except StorageError:
                with suppress(StorageError):
                    self._disk.remove(self._path)
            else:
                self.used = False
        return not self.used
