"""The journal of a session, and what is done when its disk is not there: reserve, ring, and a new beginning.

Each step since the last barrier is also kept in memory. When the journal takes no more entries, steps go on there; once
the disk serves again, the journal is opened anew and what it lacks is written after what it has.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from evenkeel.engine.journal import Disk, Journal
from evenkeel.engine.journal.journal import SEGMENT_BYTES_MAX
from evenkeel.engine.journal.reserve import RESERVE_BYTES
from evenkeel.model.errors import StorageError

RING_STEPS = 10_000
"""Steps that are kept until a barrier has passed; when half of them wait, one is asked for without need."""

Frames: TypeAlias = list[tuple[int, bytes]]
"""Kind and payload of each entry of a step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """How a session uses its disk.

    Attributes:
        segment_bytes_max: Length at which a segment of the journal takes no new step.
        reserve_bytes: Space kept for when the disk is full.
        durable: Whether a barrier waits for the disk; False is a measurement, never a mode.
        threaded: Whether a thread of the journal does the syncing; the simulation has one thread only.
        archives: Whether segments behind the older snapshot are compressed.
    """

    segment_bytes_max: int = SEGMENT_BYTES_MAX
    reserve_bytes: int = RESERVE_BYTES
    durable: bool = True
    threaded: bool = True
    archives: bool = True


class KeptJournal:
    """A journal that says what is wrong with it, and can be made whole again.

    Attributes:
        journal: The journal that is open, or the last one that was.
        fault: Why it takes no more entries, in words; empty while it does.
    """

    def __init__(self, disk: Disk, folder: str, storage: Storage) -> None:
        """Open the journal.

        Raises:
            JournalDamaged: If it is not what was written.
            StorageError: If another process writes it, or the disk refuses.
        """
        self._disk, self._folder, self._storage = disk, folder, storage
        self.journal = self._open()
        self.fault = ""
        self._ring: deque[tuple[int, Frames]] = deque(maxlen=RING_STEPS)
        self._next = self.journal.next_sequence

    def write(self, frames: Frames, *, safe: bool) -> bool:
        """Write a step; return whether the journal took it.

        Args:
            frames: Of the step.
            safe: Whether it and everything before must be safe first.
        """
        self._ring.append((self._next, frames))
        self._next += len(frames)
        if not self.fault:
            try:
                self.journal.append_step(frames)
                if safe or len(self._ring) >= RING_STEPS // 2:
                    self.barrier()
            except StorageError as error:
                self.fault = error.message
        return not self.fault

    def barrier(self) -> None:
        """Return when everything written so far is safe.

        Raises:
            StorageError: If that is not certain.
        """
        self.journal.barrier()
        self._ring.clear()

    def trouble(self) -> str:
        """Return what is wrong with the storage, in words; empty if nothing is."""
        if self.fault:
            return self.fault
        if self.journal.lives_on_reserve:
            return (
                f"the disk of {self._folder} is full; what reduces is journaled in the space kept for that. Free some "
                "space"
            )
        return ""

    def mend(self) -> None:
        """Open a failed journal anew and write what it lacks; put the reserve back. What cannot be done is left."""
        if self.fault:
            with suppress(StorageError):
                self.journal.close()
            try:
                self._catch_up(self._open())
            except StorageError as error:
                self.fault = error.message
        if not self.fault:
            self.journal.refill()

    def _open(self) -> Journal:
        return Journal.open(
            self._disk, self._folder, segment_bytes_max=self._storage.segment_bytes_max,
            durable=self._storage.durable, threaded=self._storage.threaded, reserve_bytes=self._storage.reserve_bytes,
        )  # fmt: skip

    def _catch_up(self, journal: Journal) -> None:
        """Go on with a journal that was opened anew; what the ring has lost by now only a new start can bridge."""
        self.journal = journal
        lacking = [(first, frames) for first, frames in self._ring if first >= journal.next_sequence]
        if (lacking[0][0] if lacking else self._next) != journal.next_sequence:
            journal.close()
            raise StorageError(
                f"the journal ends before entry {journal.next_sequence}, and the steps that followed are no longer in "
                "memory; stop the engine and start it again"
            )
        for _, frames in lacking:
            journal.append_step(frames)
        self.barrier()
        self.fault = ""
