from __future__ import annotations

import hashlib
import struct
import zlib

import pytest

from evenkeel.engine.journal.frame import (
    FRAME_HEADER_BYTES,
    GENESIS,
    PAYLOAD_BYTES_MAX,
    PENDING_UNKNOWN,
    Frame,
    decode,
    encode,
    find_after,
)
from evenkeel.model.errors import InvariantBroken


def test_a_frame_is_laid_out_as_the_format_page_says() -> None:
    previous = bytes(range(16))
    frame, digest = encode(7, 3, b"payload", flags=1, pending=2, previous=previous)

    body = struct.pack("<Q", 7) + bytes([3, 1]) + struct.pack("<H", 2) + previous + b"payload"
    assert frame == struct.pack("<II", 7, zlib.crc32(body, 7)) + body
    assert digest == hashlib.blake2b(body, digest_size=16).digest()


def test_what_was_encoded_is_decoded() -> None:
    frame, digest = encode(2**40 - 1, 255, b"", flags=0, pending=9, previous=GENESIS)
    placed = decode(b"xy" + frame, 2)
    assert placed is not None
    assert placed.frame == Frame(2**40 - 1, 255, 0, b"")
    assert (placed.offset, placed.size, placed.pending) == (2, FRAME_HEADER_BYTES, 9)
    assert (placed.previous, placed.digest) == (GENESIS, digest)
    assert placed.promised == 2**40 - 10


def test_every_flipped_bit_of_a_frame_is_noticed() -> None:
    frame, _ = encode(1, 1, b"abc", flags=1, pending=0, previous=GENESIS)
    for bit in range(len(frame) * 8):
        flipped = bytearray(frame)
        flipped[bit // 8] ^= 1 << bit % 8
        assert decode(bytes(flipped), 0) is None, bit


def test_a_frame_that_is_cut_short_is_none() -> None:
    frame, _ = encode(1, 1, b"abc", flags=1, pending=0, previous=GENESIS)
    assert all(decode(frame[:length], 0) is None for length in range(len(frame)))


def test_zeros_are_no_frame() -> None:
    assert decode(bytes(200), 0) is None


def test_a_saturated_pending_figure_promises_nothing() -> None:
    frame, _ = encode(100_000, 1, b"", flags=1, pending=70_000, previous=GENESIS)
    placed = decode(frame, 0)
    assert placed is not None
    assert placed.pending == PENDING_UNKNOWN
    assert placed.promised == 0


@pytest.mark.parametrize("kind", [0, 256, -1])
def test_a_kind_outside_a_byte_is_a_broken_promise(kind: int) -> None:
    with pytest.raises(InvariantBroken, match="kind of a journal entry is 1 to 255"):
        encode(0, kind, b"", flags=0, pending=0, previous=GENESIS)


def test_a_payload_beyond_the_limit_is_a_broken_promise() -> None:
    with pytest.raises(InvariantBroken, match="larger than allowed"):
        encode(0, 1, bytes(PAYLOAD_BYTES_MAX + 1), flags=0, pending=0, previous=GENESIS)


def test_a_frame_behind_rubbish_is_found_by_its_sequence() -> None:
    frame, _ = encode(8, 1, b"here", flags=1, pending=0, previous=GENESIS)
    data = b"\x00\x01rubbish" * 20 + frame
    found = find_after(data, 0, above=5)
    assert found is not None
    assert found.offset == 180
    assert find_after(data, 0, above=8) is None
    assert find_after(data, 181, above=5) is None


def test_a_frame_whose_sequence_cannot_stand_there_is_not_found() -> None:
    frame, _ = encode(5_000, 1, b"from another journal", flags=1, pending=0, previous=GENESIS)
    assert find_after(bytes(50) + frame, 0, above=5) is None
