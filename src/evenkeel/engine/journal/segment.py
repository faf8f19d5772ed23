"""Segments: the files of a journal, `000001.seg` upwards.

A segment starts with a header that ties it to the one before; frames follow without a gap. A step never crosses from
one segment into the next, so the end of a journal is always found in its last segment.

    magic "KEELJRNL" | format u16 | reserved u16 | checksum u32 | first sequence u64 | previous hash 16 bytes
"""

from __future__ import annotations

import gzip
import re
import zlib
from struct import Struct
from typing import NamedTuple
from zlib import crc32

from evenkeel.engine.journal.disk import Disk, DiskFile
from evenkeel.engine.journal.frame import GENESIS
from evenkeel.model.errors import StorageError

FORMAT = 1
"""Version of the layout of segments and frames. A reader refuses any other."""

SEGMENT_NUMBER_MAX = 999_999
_MAGIC = b"KEELJRNL"
_START = Struct("<8sHHI")
_LINK = Struct("<Q16s")
SEGMENT_HEADER_BYTES = _START.size + _LINK.size
ARCHIVED = ".gz"
_NAME = re.compile(r"(\d{6})\.seg(\.gz)?\Z", re.ASCII)


class JournalDamaged(StorageError):
    """Recorded bytes are not what was written; nothing was changed.

    Attributes:
        segment: File name of the bad segment, or of the missing one.
        offset: Its first bad byte.
        sequence: The first entry that cannot be trusted, or None where that is not known.
    """

    default_reason = "JOURNAL_DAMAGED"

    def __init__(self, folder: str, segment: str, offset: int, sequence: int | None, what: str) -> None:
        entry = "" if sequence is None else f", entry {sequence}"
        super().__init__(
            f"the journal {folder} is damaged: {segment} at byte {offset}{entry}: {what}. "
            "Nothing was changed; restore the file from a copy"
        )
        self.segment = segment
        self.offset = offset
        self.sequence = sequence


class SegmentHeader(NamedTuple):
    """What a segment says about itself.

    Attributes:
        first: Sequence of its first entry.
        previous: Hash of the entry before that.
    """

    first: int
    previous: bytes

    def encode(self) -> bytes:
        """Return the header's bytes."""
        link = _LINK.pack(self.first, self.previous)
        return _START.pack(_MAGIC, FORMAT, 0, _checksum(FORMAT, 0, link)) + link

    @staticmethod
    def decode(data: bytes) -> SegmentHeader | None:
        """Return the header at the start of the data, or None if it is incomplete or altered.

        Raises:
            StorageError: If it is intact, but of another format.
        """
        if len(data) < SEGMENT_HEADER_BYTES:
            return None
        magic, version, reserved, checksum = _START.unpack_from(data)
        link = data[_START.size : SEGMENT_HEADER_BYTES]
        if magic != _MAGIC or checksum != _checksum(version, reserved, link):
            return None
        if version != FORMAT:
            raise StorageError(
                f"the journal has format {version}, this version of Evenkeel reads format {FORMAT}; "
                "use the version that wrote it",
                reason="JOURNAL_FORMAT",
            )
        return SegmentHeader(*_LINK.unpack(link))


BEGINNING = SegmentHeader(0, GENESIS)
"""The header of the first segment."""


def segment_name(number: int) -> str:
    """Return the file name of a segment; they count from 1."""
    return f"{number:06d}.seg"


def segment_path(folder: str, number: int) -> str:
    """Return the path of a segment."""
    return f"{folder}/{segment_name(number)}"


def archive_path(folder: str, number: int) -> str:
    """Return the path of a segment that was compressed."""
    return segment_path(folder, number) + ARCHIVED


def segment_names(disk: Disk, folder: str) -> dict[int, str]:
    """Return the path of each segment that is there by its number, rising; one that is there in both forms as it is."""
    found: dict[int, str] = {}
    for name in sorted(disk.list(folder), key=lambda name: (name[:6], len(name))):
        match = _NAME.match(name)
        if match:
            found.setdefault(int(match[1]), f"{folder}/{name}")
    return found


def segment_slice(disk: Disk, folder: str, path: str, offset: int, length: int) -> bytes:
    """Return bytes of a segment, whichever form it has.

    Raises:
        JournalDamaged: If it is an archive that does not unpack.
    """
    if not path.endswith(ARCHIVED):
        return disk.read(path, offset, length)
    return _unpacked(disk, folder, path)[offset : offset + length]


def segment_size(disk: Disk, folder: str, path: str) -> int:
    """Return the bytes of a segment, whichever form it has.

    Raises:
        JournalDamaged: If it is an archive that does not unpack.
    """
    return disk.size(path) if not path.endswith(ARCHIVED) else len(_unpacked(disk, folder, path))


def _unpacked(disk: Disk, folder: str, path: str) -> bytes:
    try:
        return gzip.decompress(disk.read(path, 0, disk.size(path)))
    except (OSError, EOFError, zlib.error) as error:
        what = f"the archive does not unpack ({error})"
        raise JournalDamaged(folder, path.rpartition("/")[2], 0, None, what) from None


def whole_segments(disk: Disk, folder: str) -> dict[int, str]:
    """Return the path of each segment by its number, from 1 without a gap.

    Raises:
        JournalDamaged: If one is missing in between.
    """
    names = segment_names(disk, folder)
    for expected, number in enumerate(names, start=1):
        if number != expected:
            raise JournalDamaged(folder, segment_name(expected), 0, None, "the file is missing")
    return names


def create_segment(disk: Disk, folder: str, number: int, header: bytes, *, durable: bool) -> DiskFile:
    """Create a segment with its header and return it, open for appending.

    Args:
        disk: Where it lives.
        folder: The journal's folder.
        number: The next free number.
        header: The encoded `SegmentHeader`.
        durable: Whether header and file name are on the disk when this returns.
    """
    file = disk.open(segment_path(folder, number))
    file.append(header)
    if durable:
        file.sync()
        disk.sync_folder(folder)
    return file


def _checksum(version: int, reserved: int, link: bytes) -> int:
    return crc32(link, crc32(_MAGIC, version << 16 | reserved))
