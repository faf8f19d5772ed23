"""Where a journal ends, and what of its end is cut when it is opened."""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

from evenkeel.engine.journal.disk import Disk
from evenkeel.engine.journal.frame import HASH_BYTES
from evenkeel.engine.journal.reader import LAST_SEGMENT, Reader
from evenkeel.engine.journal.segment import segment_name, segment_path


class Cut(NamedTuple):
    """What opening removed: the rest of a write that a crash interrupted; no barrier had promised any of it.

    Attributes:
        segment: File name of the segment.
        offset: Where it ends now; 0 if the whole file was removed.
        torn_bytes: Bytes removed.
        kept: Name of the file, beside the segment, that has them now.
        hash_hex: BLAKE2b-128 of them.
    """

    segment: str
    offset: int
    torn_bytes: int
    kept: str
    hash_hex: str


def find_end(disk: Disk, folder: str) -> Reader:
    """Return a pass over the last segment that has come to its end.

    Raises:
        JournalDamaged: If it is not what was written.
    """
    reader = Reader(disk, folder, start=LAST_SEGMENT)
    for _ in reader.read_steps():
        pass
    return reader


def cut_torn_tail(disk: Disk, folder: str, end: Reader) -> tuple[Cut, ...]:
    """Remove what follows the last whole step, after keeping it in a file of its own; return what was removed."""
    cuts = []
    if end.torn_segment is not None:
        path = segment_path(folder, end.torn_segment)
        cuts.append(_keep(disk, folder, end.torn_segment, 0))
        disk.remove(path)
        disk.sync_folder(folder)
    if end.number:
        path = segment_path(folder, end.number)
        if disk.size(path) > end.end:
            cuts.append(_keep(disk, folder, end.number, end.end))
            disk.truncate(path, end.end)
    return tuple(cuts)


def _keep(disk: Disk, folder: str, number: int, offset: int) -> Cut:
    """Copy the end of a segment into a file that nothing reads but a person."""
    path = segment_path(folder, number)
    torn = disk.read(path, offset, disk.size(path) - offset)
    hash_hex = blake2b(torn, digest_size=HASH_BYTES).hexdigest()
    kept = f"{segment_name(number)}.{offset}.{hash_hex[:8]}.torn"
    beside = f"{folder}/{kept}"
    stat = disk.stat(beside)
    if stat is not None and stat.size != len(torn):
        disk.remove(beside)
    if stat is None or stat.size != len(torn):
        file = disk.open(beside)
        try:
            file.append(torn)
            file.sync()
        finally:
            file.close()
        disk.sync_folder(folder)
    return Cut(segment_name(number), offset, len(torn), kept, hash_hex)
