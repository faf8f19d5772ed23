"""Reading a journal, checking everything on the way.

`Reader` is the only code that walks frames: opening, reading, verifying and indexing all use it. It hands out whole
steps. What follows the last whole step of the last segment is either a *torn tail* (bytes that no barrier had promised:
counted, and cut by the next writer) or damage, which it refuses.
"""

from __future__ import annotations

from collections.abc import Iterator

from evenkeel.engine.journal.disk import Disk
from evenkeel.engine.journal.frame import GENESIS, Frame, Placed, decode, find_after
from evenkeel.engine.journal.segment import (
    BEGINNING,
    SEGMENT_HEADER_BYTES,
    JournalDamaged,
    SegmentHeader,
    segment_name,
    segment_size,
    segment_slice,
    whole_segments,
)

LAST_SEGMENT = 2**63
"""As `start`: read the last segment only."""


class Reader:
    """One pass over a journal; its attributes tell how far it has come.

    Attributes:
        number: Number of the segment being read; 0 before the first.
        end: Offset behind the last whole step in that segment.
        sequence: Sequence of the next entry.
        head: Hash of the last entry read.
        frames: Entries read.
        steps: Whole steps read.
        torn_bytes: Bytes behind the last whole step, known when the pass is done.
        torn_segment: Number of a last segment whose creation was cut short, or None.
    """

    def __init__(self, disk: Disk, folder: str, *, start: int = 0) -> None:
        """Prepare a pass that begins with the segment that holds entry `start`."""
        self.number = 0
        self.end = 0
        self.sequence = 0
        self.head = GENESIS
        self.frames = 0
        self.steps = 0
        self.torn_bytes = 0
        self.torn_segment: int | None = None
        self._disk = disk
        self._folder = folder
        self._start = start
        self._names: dict[int, str] = {}

    def read(self) -> Iterator[Frame]:
        """Yield the entries from `start` on, whole steps only.

        Raises:
            JournalDamaged: At the first entry that is not what was written.
        """
        for step in self.read_steps():
            for placed in step:
                if placed.frame.sequence >= self._start:
                    yield placed.frame

    def read_steps(self) -> Iterator[list[Placed]]:
        """Yield whole steps with their places, from the start of the segment that holds `start`.

        Raises:
            JournalDamaged: At the first entry that is not what was written.
        """
        self._names = whole_segments(self._disk, self._folder)
        count = self._count_whole_segments()
        for number in range(self._first_segment(count), count + 1):
            data = self._load(number)
            self._enter(number, data)
            yield from self._walk(data, is_last=number == count)

    def _count_whole_segments(self) -> int:
        count = len(self._names)
        if count == 0:
            return 0
        size = self._disk.size(self._names[count])
        if size <= SEGMENT_HEADER_BYTES and self._header(count) is None:
            self.torn_segment = count
            self.torn_bytes = size
            return count - 1
        return count

    def _first_segment(self, count: int) -> int:
        if self._start == 0:
            return 1
        for number in range(count, 1, -1):
            header = self._header(number)
            if header is not None and header.first <= self._start:
                return number
        return 1

    def _header(self, number: int) -> SegmentHeader | None:
        return SegmentHeader.decode(self._slice(number, SEGMENT_HEADER_BYTES))

    def _load(self, number: int) -> bytes:
        return self._slice(number, segment_size(self._disk, self._folder, self._names[number]))

    def _slice(self, number: int, length: int) -> bytes:
        return segment_slice(self._disk, self._folder, self._names[number], 0, length)

    def _enter(self, number: int, data: bytes) -> None:
        header = SegmentHeader.decode(data)
        if header is None:
            raise self._damage(number, 0, None, "the header of the segment is altered or cut short")
        if number == 1 and header != BEGINNING:
            raise self._damage(number, 0, header.first, "it does not begin a journal")
        if self.number and header != (self.sequence, self.head):
            raise self._damage(number, 0, header.first, "it does not continue the segment before it")
        self.number, self.end = number, SEGMENT_HEADER_BYTES
        self.sequence, self.head = header

    def _walk(self, data: bytes, *, is_last: bool) -> Iterator[list[Placed]]:
        offset, sequence, head = self.end, self.sequence, self.head
        step: list[Placed] = []
        while (placed := decode(data, offset)) is not None:
            if placed.frame.sequence != sequence or placed.previous != head:
                raise self._damage(self.number, offset, sequence, "the entry does not continue the one before it")
            step.append(placed)
            offset, sequence, head = offset + placed.size, sequence + 1, placed.digest
            if placed.frame.last_of_step:
                self.end, self.sequence, self.head = offset, sequence, head
                self.frames += len(step)
                self.steps += 1
                yield step
                step = []
        self._judge_end(data, offset, sequence, is_last=is_last)

    def _judge_end(self, data: bytes, offset: int, sequence: int, *, is_last: bool) -> None:
        if offset < len(data):
            if not is_last:
                raise self._damage(self.number, offset, sequence, "the entry is altered or cut short")
            later = find_after(data, offset, above=sequence)
            while later is not None:
                if later.promised > sequence:
                    what = f"the entry is altered, though entry {later.frame.sequence} behind it is whole"
                    raise self._damage(self.number, offset, sequence, what)
                later = find_after(data, later.offset + later.size, above=later.frame.sequence)
        elif self.end < len(data) and not is_last:
            raise self._damage(self.number, offset, sequence, "the segment ends inside a step")
        self.torn_bytes += len(data) - self.end

    def _damage(self, number: int, offset: int, sequence: int | None, what: str) -> JournalDamaged:
        return JournalDamaged(self._folder, segment_name(number), offset, sequence, what)


def read_journal(disk: Disk, folder: str, start: int = 0) -> Iterator[Frame]:
    """Yield the entries of a journal from `start` on, also while another process writes it; whole steps only.

    Raises:
        JournalDamaged: At the first entry that is not what was written.
    """
    return Reader(disk, folder, start=start).read()
