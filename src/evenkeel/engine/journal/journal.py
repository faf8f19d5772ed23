"""The journal: one append-only, hash-chained log, written by one process.

    with Journal.open(RealDisk(), "runs/k7/journal", durable=True) as journal:
        journal.append(EVENT, event, last_of_step=False)
        journal.append(COMMAND, command, last_of_step=True)
        journal.barrier()          # now, and not before, the command may leave

A *step* is what one event caused: the event, its decisions and commands. Recovery keeps whole steps only. A *barrier*
promises that everything appended so far outlives this process and, with `durable=True`, this machine's power.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from evenkeel.engine.journal.disk import Disk, DiskLock
from evenkeel.engine.journal.frame import LAST_OF_STEP, Frame, encode
from evenkeel.engine.journal.opening import cut_torn_tail, find_end
from evenkeel.engine.journal.reader import read_journal
from evenkeel.engine.journal.reserve import Reserve
from evenkeel.engine.journal.segment import (
    BEGINNING,
    SEGMENT_HEADER_BYTES,
    SEGMENT_NUMBER_MAX,
    SegmentHeader,
    create_segment,
)
from evenkeel.engine.journal.writer import Chunk, InlineWriter, NewSegment, SyncThread, Tail, Writer
from evenkeel.model.errors import StorageError, invariant

SEGMENT_BYTES_MAX = 64 * 1024 * 1024
"""A segment takes no new step once it is this long."""

BUFFER_BYTES_MAX = 1024 * 1024
"""Bytes kept in this process before they are handed on without a barrier."""


class Journal:
    """A journal open for appending. Not for use by several threads.

    Attributes:
        head: Hash of the last entry; zeros if there is none.
        next_sequence: Sequence of the next entry.
        cut: What opening removed, in the order of removal.
        number: Number of the segment that is written.
    """

    def __init__(
        self, disk: Disk, folder: str, *, segment_bytes_max: int, durable: bool, threaded: bool, reserve_bytes: int,
        lock: DiskLock,
    ) -> None:  # fmt: skip
        """Continue what is in the folder; use `Journal.open`."""
        self._disk = disk
        self._folder = folder
        self._segment_bytes_max = segment_bytes_max
        self._lock = lock
        self._buffer = bytearray()
        self._inside_step = False
        self._closed = False
        end = find_end(disk, folder)
        self.cut = cut_torn_tail(disk, folder, end)
        self.head = end.head
        self.next_sequence = end.sequence
        self.number = max(end.number, 1)
        self._segment_bytes = max(end.end, SEGMENT_HEADER_BYTES)
        if end.number == 0:
            create_segment(disk, folder, 1, BEGINNING.encode(), durable=durable).close()
        self._reserve = Reserve(disk, folder, reserve_bytes)
        self._reserve.fill()
        self._writer = self._start_writer(durable=durable, threaded=threaded)

    @classmethod
    def open(
        cls,
        disk: Disk,
        folder: str,
        *,
        segment_bytes_max: int = SEGMENT_BYTES_MAX,
        durable: bool,
        threaded: bool = True,
        reserve_bytes: int = 0,
    ) -> Journal:
        """Create a journal, or continue one after checking its last segment and cutting a torn tail.

        Args:
            disk: Where it lives.
            folder: Its folder; created where missing.
            segment_bytes_max: Length at which a segment takes no new step.
            durable: What a barrier promises: True, that the entries are on the disk; False, that they have left this
                process (enough for a backtest, whose simulated venue dies with the machine).
            threaded: Whether a durable journal is synced by a thread of its own; the simulation has one thread only.
            reserve_bytes: Space kept for when the disk is full; see `evenkeel.engine.journal.reserve`.

        Raises:
            JournalDamaged: If entries that a barrier had promised are altered or missing.
            StorageError: If another process writes it, or the disk refuses, or a durable journal has less than one
                segment of free space.
        """
        disk.make_folder(folder, durable=durable)
        if durable and (free := disk.free(folder)) < segment_bytes_max:
            raise StorageError(
                f"{folder} has {free / 1e6:.0f} MB of free space left; a journal of real orders needs at least "
                f"{segment_bytes_max / 1e6:.0f} MB. Free some space and start again",
                reason="DISK_FULL",
            )
        lock = disk.lock(folder)
        opened = False
        try:
            journal = cls(
                disk, folder, segment_bytes_max=segment_bytes_max, durable=durable, threaded=threaded,
                reserve_bytes=reserve_bytes, lock=lock,
            )  # fmt: skip
            opened = True
            return journal
        finally:
            if not opened:
                lock.release()

    def append(self, kind: int, payload: bytes, *, last_of_step: bool) -> int:
        """Add an entry and return its sequence; it is safe only after the next barrier.

        Args:
            kind: What the payload is, 1 to 255.
            payload: The entry's bytes, at most `PAYLOAD_BYTES_MAX`.
            last_of_step: Whether the step ends with this entry.

        Raises:
            StorageError: If the journal is closed or a write failed before; it takes no more entries then.
        """
        self._begin()
        sequence = self.next_sequence
        self._add(kind, payload, LAST_OF_STEP if last_of_step else 0)
        self._inside_step = not last_of_step
        return sequence

    def append_step(self, entries: Sequence[tuple[int, bytes]]) -> None:
        """Add the entries of a whole step, or the rest of one: kind and payload of each, as `append` takes them.

        Raises:
            StorageError: If the journal is closed or a write failed before; it takes no more entries then.
        """
        self._begin()
        self._inside_step = True
        last = len(entries) - 1
        for place, (kind, payload) in enumerate(entries):
            self._add(kind, payload, LAST_OF_STEP if place == last else 0)
        self._inside_step = False

    def barrier(self) -> None:
        """Return when everything appended so far is safe, as `durable` defines it.

        Raises:
            StorageError: If that is not certain. No command of these steps may leave, and the journal takes no more
                entries: start again, which recovers to the last whole step on the disk.
        """
        self._prepare_barrier()
        self._writer.barrier(self.next_sequence)

    def request_barrier(self) -> Future[None]:
        """Like `barrier` without waiting: the future is done when everything appended so far is safe.

        An event loop awaits `asyncio.wrap_future(journal.request_barrier())`.

        Raises:
            StorageError: If the journal is closed or a write failed before.
        """
        self._prepare_barrier()
        return self._writer.request_barrier(self.next_sequence)

    @property
    def lives_on_reserve(self) -> bool:
        """Whether the disk has been full, so that what is written now uses up the space kept for that."""
        return self._reserve.used

    def refill(self) -> bool:
        """Put the reserve back where the disk has room for it again; return whether it is there."""
        return self._reserve.refill()

    def read(self, start: int = 0) -> Iterator[Frame]:
        """Yield the recorded entries from `start` on, checked, whole steps only.

        What was appended since the last barrier may be missing.

        Raises:
            JournalDamaged: At the first entry that is not what was written.
        """
        return read_journal(self._disk, self._folder, start)

    def close(self) -> None:
        """Write what is left, release the files and the lock. A second call does nothing.

        Raises:
            StorageError: If the last entries could not be written.
        """
        if self._closed:
            return
        self._closed = True
        try:
            if self._writer.failure is None:
                self._hand_over()
        finally:
            try:
                self._writer.close()
            finally:
                self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start_writer(self, *, durable: bool, threaded: bool) -> Writer:
        tail = Tail(self._disk, self._folder, self.number, durable=durable, reserve=self._reserve)
        if not durable:
            return InlineWriter(tail, self.next_sequence)
        # A crash may have left entries and names that the operating system holds but the disk does not; they are relied
        # on from now on.
        tail.sync()
        self._disk.sync_folder(self._folder)
        return SyncThread(tail, self.next_sequence) if threaded else InlineWriter(tail, self.next_sequence, syncs=True)

    def _begin(self) -> None:
        if self._closed or self._writer.failure is not None:
            raise self._refusal()
        if self._segment_bytes >= self._segment_bytes_max and not self._inside_step:
            self._start_segment()

    def _add(self, kind: int, payload: bytes, flags: int) -> None:
        sequence = self.next_sequence
        frame, self.head = encode(
            sequence, kind, payload, flags=flags, pending=sequence - self._writer.promised, previous=self.head
        )
        self._buffer += frame
        self.next_sequence = sequence + 1
        self._segment_bytes += len(frame)
        if len(self._buffer) >= BUFFER_BYTES_MAX:
            self._hand_over()

    def _prepare_barrier(self) -> None:
        if self._closed or self._writer.failure is not None:
            raise self._refusal()
        invariant(not self._inside_step, "a barrier inside a step would promise what recovery cuts")
        self._hand_over()

    def _hand_over(self) -> None:
        if self._buffer:
            self._write(self._buffer)
            self._buffer = bytearray()

    def _start_segment(self) -> None:
        invariant(self.number < SEGMENT_NUMBER_MAX, "the journal has no more segment numbers", folder=self._folder)
        self._hand_over()
        self.number += 1
        self._write(NewSegment(self.number, SegmentHeader(self.next_sequence, self.head).encode()))
        self._segment_bytes = SEGMENT_HEADER_BYTES

    def _write(self, chunk: Chunk) -> None:
        self._writer.write((chunk,))

    def _refusal(self) -> StorageError:
        if self._writer.failure is None:
            return StorageError(f"the journal {self._folder} is closed", reason="JOURNAL_CLOSED")
        cause = self._writer.failure
        return StorageError(
            f"the journal {self._folder} takes no more entries since a write failed: {cause.message}",
            reason=cause.reason,
        )
