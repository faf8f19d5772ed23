"""Verifying a journal as a whole: every segment, every checksum, every link of the chain.

verification = verify(RealDisk(), "runs/k7/journal")
verification.ok, verification.problem
"""

from __future__ import annotations

import msgspec

from evenkeel.engine.journal.disk import Disk
from evenkeel.engine.journal.reader import Reader
from evenkeel.engine.journal.segment import JournalDamaged, segment_names


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What a pass over the whole journal found.

    Attributes:
        ok: Whether everything that was read is what was written.
        frames: Entries in whole steps, up to the problem if there is one.
        steps: Whole steps.
        segments: Segment files, the unreadable ones included.
        head_hex: Hash of the last good entry. Whoever noted it elsewhere can tell that nothing was removed after it.
        torn_bytes: Bytes after the last whole step: the trace of a crash, cut by the next start. Not a problem, since
            no barrier had promised them.
        problem: The first bad place and what is bad about it, or None.
        segment: File name of the bad segment, or None.
        offset: Its first bad byte, or None.
        sequence: The first entry that cannot be trusted, or None.
    """

    ok: bool
    frames: int
    steps: int
    segments: int
    head_hex: str
    torn_bytes: int
    problem: str | None = None
    segment: str | None = None
    offset: int | None = None
    sequence: int | None = None


def verify(disk: Disk, folder: str) -> Verification:
    """Check a whole journal; nothing is changed.

    Raises:
        StorageError: If the disk cannot be read, or the journal has another format.
    """
    reader = Reader(disk, folder)
    segments = len(segment_names(disk, folder))
    if segments == 0:
        return _verdict(reader, segments, problem=f"{folder} holds no journal")
    try:
        for _ in reader.read_steps():
            pass
    except JournalDamaged as damage:
        return _verdict(reader, segments, problem=damage.message, damage=damage)
    return _verdict(reader, segments)


def _verdict(
    reader: Reader, segments: int, *, problem: str | None = None, damage: JournalDamaged | None = None
) -> Verification:
    return Verification(
        ok=problem is None,
        frames=reader.frames,
        steps=reader.steps,
        segments=segments,
        head_hex=reader.head.hex(),
        torn_bytes=reader.torn_bytes,
        problem=problem,
        segment=damage.segment if damage else None,
        offset=damage.offset if damage else None,
        sequence=damage.sequence if damage else None,
    )
