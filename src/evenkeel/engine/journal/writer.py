"""Who puts the bytes into the files: the caller, or a thread that also syncs.

A backtest writes inline: its barrier is a write to the operating system. So does the simulation, which has one thread
and syncs in it. A live run hands the bytes to `SyncThread`, so that the event loop never waits for a disk; one sync
serves every barrier that is waiting by then.

After a failed write or sync nobody knows what the disk holds (a second sync may claim success for bytes that the
operating system has dropped), so a writer that failed stays failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from threading import Condition, Thread
from typing import NamedTuple, Protocol

from evenkeel.engine.journal.disk import Disk
from evenkeel.engine.journal.reserve import Reserve
from evenkeel.engine.journal.segment import create_segment, segment_path
from evenkeel.model.errors import StorageError

QUEUE_BYTES_MAX = 64 * 1024 * 1024
"""Bytes that may wait for the thread; beyond it `write` waits for the disk."""


class NewSegment(NamedTuple):
    """An instruction among the bytes: go on in a new segment that starts with this header."""

    number: int
    header: bytes


Chunk = bytearray | NewSegment


class Writer(Protocol):
    """Takes chunks in order.

    Attributes:
        promised: Entries with a lower sequence have passed a barrier.
        failure: What stopped the writer for good, or None.
    """

    promised: int
    failure: StorageError | None

    def write(self, chunks: Sequence[Chunk]) -> None:
        """Take the chunks; they belong to the writer from now on.

        Raises:
            StorageError: If the disk refused, now or before.
        """

    def barrier(self, sequence: int) -> None:
        """Return when all chunks taken so far, with the entries below `sequence`, are safe.

        Raises:
            StorageError: If that is not certain.
        """

    def request_barrier(self, sequence: int) -> Future[None]:
        """Like `barrier`, without waiting."""

    def close(self) -> None:
        """Write what was taken, sync it where the writer syncs, and release the file."""


class Tail:
    """The last segment, open for appending.

    Args:
        disk: Where it lives.
        folder: The journal's folder.
        number: Number of the last segment; it exists.
        durable: Whether a finished segment and the name of a new one must be on the disk before the new one is used.
        reserve: What is given up when the disk is full; None: nothing.
    """

    def __init__(
        self, disk: Disk, folder: str, number: int, *, durable: bool, reserve: Reserve | None = None
    ) -> None:  # fmt: skip
        self._disk = disk
        self._folder = folder
        self._durable = durable
        self._reserve = reserve
        self._path = segment_path(folder, number)
        self._file = disk.open(self._path)
        self._size = disk.size(self._path)

    def write(self, chunks: Sequence[Chunk]) -> None:
        """Append the chunks, moving on to a new segment where they say so."""
        for chunk in chunks:
            if isinstance(chunk, NewSegment):
                self._start(chunk)
            else:
                self._append(chunk)

    def sync(self) -> None:
        """Return when everything written is on the disk."""
        self._file.sync()

    def close(self) -> None:
        """Release the file."""
        self._file.close()

    def _append(self, data: bytearray) -> None:
        """Append; where the disk is full, cut what of it went, give up the reserve, and append again."""
        try:
            self._file.append(data)
        except StorageError as error:
            if error.reason != "DISK_FULL" or self._reserve is None or not self._reserve.release():
                raise
            self._disk.truncate(self._path, self._size)
            self._file.append(data)
        self._size += len(data)

    def _start(self, new: NewSegment) -> None:
        if self._durable:
            self._file.sync()
        self._file.close()
        self._path, self._size = segment_path(self._folder, new.number), len(new.header)
        try:
            self._file = create_segment(self._disk, self._folder, new.number, new.header, durable=self._durable)
        except StorageError as error:
            if error.reason != "DISK_FULL" or self._reserve is None or not self._reserve.release():
                raise
            self._disk.remove(self._path)
            self._file = create_segment(self._disk, self._folder, new.number, new.header, durable=self._durable)


class InlineWriter:
    """Writes in the caller's thread; what passed a barrier survives the process, and the machine too if it `syncs`."""

    def __init__(self, tail: Tail, promised: int, *, syncs: bool = False) -> None:
        self.promised = promised
        self.failure: StorageError | None = None
        self._tail, self._syncs = tail, syncs

    def write(self, chunks: Sequence[Chunk]) -> None:
        """Write the chunks to the operating system."""
        try:
            self._tail.write(chunks)
        except StorageError as error:
            self.failure = error
            raise

    def barrier(self, sequence: int) -> None:
        """Note that the entries below `sequence` have left the process, or are on the disk."""
        if self.failure is not None:
            raise self.failure
        if self._syncs:
            try:
                self._tail.sync()
            except StorageError as error:
                self.failure = error
                raise
        self.promised = sequence

    def request_barrier(self, sequence: int) -> Future[None]:
        """Like `barrier`; the future is done."""
        self.barrier(sequence)
        future: Future[None] = Future()
        future.set_result(None)
        return future

    def close(self) -> None:
        """Release the file."""
        self._tail.close()


class SyncThread:
    """Writes and syncs in a thread of its own; the thread starts with the object and ends with `close` or a failure."""

    def __init__(self, tail: Tail, promised: int) -> None:
        self.promised = promised
        self.failure: StorageError | None = None
        self._tail = tail
        self._changed = Condition()
        self._chunks: list[Chunk] = []
        self._bytes = 0
        self._waiting: list[Future[None]] = []
        self._wanted = promised
        self._taken: list[Chunk] = []
        self._serving: list[Future[None]] = []
        self._target = promised
        self._closing = False
        self._thread = Thread(target=self._run, name="journal-writer", daemon=True)
        self._thread.start()

    def write(self, chunks: Sequence[Chunk]) -> None:
        """Queue the chunks; waits only while more than `QUEUE_BYTES_MAX` are queued."""
        with self._changed:
            while self._bytes > QUEUE_BYTES_MAX and self.failure is None:
                self._changed.wait()
            if self.failure is not None:
                raise self.failure
            self._chunks.extend(chunks)
            self._bytes += sum(len(chunk) for chunk in chunks if isinstance(chunk, bytearray))
            self._changed.notify_all()

    def barrier(self, sequence: int) -> None:
        """Return when the entries below `sequence` are on the disk."""
        self.request_barrier(sequence).result()

    def request_barrier(self, sequence: int) -> Future[None]:
        """Ask for a sync; the future is done, or failed with a `StorageError`, in the thread."""
        future: Future[None] = Future()
        # A waiter that gives up must not be able to cancel what others may rely on.
        future.set_running_or_notify_cancel()
        with self._changed:
            if self.failure is not None:
                future.set_exception(self.failure)
            else:
                self._waiting.append(future)
                self._wanted = sequence
                self._changed.notify_all()
        return future

    def close(self) -> None:
        """Write and sync what was taken, end the thread, release the file.

        Raises:
            StorageError: If the last bytes could not be written or synced.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        self._tail.close()
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        failure: StorageError | None = StorageError("the journal's writer thread ended unexpectedly")
        try:
            while self._take_work():
                self._do_work()
            self._tail.sync()
            failure = None
        except StorageError as error:
            failure = error
        finally:
            # Whatever ended the thread, nobody may be left waiting for it.
            self._end(failure)

    def _take_work(self) -> bool:
        with self._changed:
            while not (self._chunks or self._waiting or self._closing):
                self._changed.wait()
            self._taken, self._serving, self._target = self._chunks, self._waiting, self._wanted
            self._chunks, self._waiting, self._bytes = [], [], 0
            self._changed.notify_all()
            return bool(self._taken or self._serving)

    def _do_work(self) -> None:
        self._tail.write(self._taken)
        if self._serving:
            self._tail.sync()
            self.promised = self._target
        while self._serving:
            self._serving.pop().set_result(None)

    def _end(self, failure: StorageError | None) -> None:
        with self._changed:
            self.failure = failure
            abandoned = self._serving + self._waiting
            self._changed.notify_all()
        for future in abandoned:
            future.set_exception(failure or StorageError("the journal is closed"))
