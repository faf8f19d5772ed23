"""One journal entry as bytes: the frame.

    length u32 | checksum u32 | sequence u64 | kind u8 | flags u8 | pending u16 | previous hash 16 bytes | payload

All integers are little-endian; `length` counts the payload only. The checksum is the CRC-32 of everything after it,
seeded with the length: it finds accidents. The hash is BLAKE2b-128 over the same bytes and stands in the *next* frame:
it finds changes made on purpose, since it covers the frame before, and so all of them.

`pending` counts the entries before this one that had not passed a barrier when it was appended. It lets recovery tell
the two ways in which the end of a file can be bad: bytes that nobody was promised (cut them), and bytes that a barrier
had already promised (refuse, the file is damaged).
"""

from __future__ import annotations

from hashlib import blake2b
from struct import Struct
from zlib import crc32

import msgspec

from evenkeel.model.errors import invariant

HASH_BYTES = 16
"""128 bits: forging an entry means a second preimage. BLAKE2b is fast without special CPU instructions."""

GENESIS = bytes(HASH_BYTES)
"""The previous hash of the first entry of a journal."""

LAST_OF_STEP = 1
"""Flag: the step ends here. Recovery keeps whole steps only."""

PAYLOAD_BYTES_MAX = 16 * 1024 * 1024
PENDING_UNKNOWN = 0xFFFF
"""At this figure `pending` is saturated and says nothing."""

_PREFIX = Struct("<II")
_BODY = Struct("<QBBH16s")
_HEADER = Struct("<IIQBBH16s")
FRAME_HEADER_BYTES = _HEADER.size
_UNUSED_HASH = blake2b(digest_size=HASH_BYTES)
"""Copied for each frame: that takes three quarters of the time of a new one."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One entry of the journal.

    Attributes:
        sequence: Position in the journal, from 0, without a gap.
        kind: What the payload is, 1 to 255; the engine gives the meaning.
        flags: Bit 0 (`LAST_OF_STEP`): the last entry of a step.
        payload: The engine's bytes.
    """

    sequence: int
    kind: int
    flags: int
    payload: bytes

    @property
    def last_of_step(self) -> bool:
        """Whether the step ends with this entry."""
        return bool(self.flags & LAST_OF_STEP)


class Placed(msgspec.Struct, frozen=True, gc=False):
    """A frame found intact in a segment.

    Attributes:
        frame: The entry.
        offset: First byte in the segment file.
        size: Bytes in the segment file, header included.
        pending: Entries before it that had not passed a barrier; `PENDING_UNKNOWN` or more: not known.
        previous: Hash that it claims for the entry before it.
        digest: Its own hash.
    """

    frame: Frame
    offset: int
    size: int
    pending: int
    previous: bytes
    digest: bytes

    @property
    def promised(self) -> int:
        """Entries with a lower sequence had passed a barrier when this one was appended."""
        return self.frame.sequence - self.pending if self.pending < PENDING_UNKNOWN else 0


def encode(
    sequence: int, kind: int, payload: bytes, *, flags: int, pending: int, previous: bytes
) -> tuple[bytes, bytes]:
    """Return the frame's bytes and its hash.

    Raises:
        InvariantBroken: If the kind is outside 1 to 255 or the payload is larger than `PAYLOAD_BYTES_MAX`.
    """
    length = len(payload)
    if length > PAYLOAD_BYTES_MAX or not 0 < kind < 256:
        invariant(length <= PAYLOAD_BYTES_MAX, "a journal entry is larger than allowed", bytes=length, kind=kind)
        invariant(False, "the kind of a journal entry is 1 to 255", kind=kind)
    pending = pending if pending < PENDING_UNKNOWN else PENDING_UNKNOWN
    body = _BODY.pack(sequence, kind, flags, pending, previous) + payload
    digest = _UNUSED_HASH.copy()
    digest.update(body)
    return _PREFIX.pack(length, crc32(body, length)) + body, digest.digest()


def decode(data: bytes, offset: int) -> Placed | None:
    """Return the frame that starts at `offset`, or None if no intact frame does."""
    to_payload = offset + FRAME_HEADER_BYTES
    if to_payload > len(data):
        return None
    length, checksum, sequence, kind, flags, pending, previous = _HEADER.unpack_from(data, offset)
    end = to_payload + length
    if length > PAYLOAD_BYTES_MAX or end > len(data):
        return None
    body = data[offset + _PREFIX.size : end]
    if crc32(body, length) != checksum:
        return None
    frame = Frame(sequence, kind, flags, data[to_payload:end])
    digest = blake2b(body, digest_size=HASH_BYTES).digest()
    return Placed(frame, offset, end - offset, pending, previous, digest)


def find_after(data: bytes, offset: int, *, above: int) -> Placed | None:
    """Return the first intact frame from `offset` on whose sequence is greater than `above`, or None.

    The place is not known, because the frame before it is unreadable; so every place is tried where the three high
    bytes of a sequence are zero and the sequence is one that the bytes in between allow.
    """
    zeros = b"\x00\x00\x00"
    to_sequence = _PREFIX.size
    to_zeros = to_sequence + 5
    highest = above + (len(data) - offset) // FRAME_HEADER_BYTES + 1
    found = data.find(zeros, offset + to_zeros)
    while found >= 0:
        start = found - to_zeros
        if above < int.from_bytes(data[start + to_sequence : found], "little") <= highest:
            placed = decode(data, start)
            if placed is not None:
                return placed
        found = data.find(zeros, found + 1)
    return None
