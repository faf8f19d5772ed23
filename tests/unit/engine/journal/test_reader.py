from __future__ import annotations

from collections.abc import Callable

import pytest

from evenkeel.engine.journal import Journal, JournalDamaged, read_journal, verify
from evenkeel.engine.journal.frame import encode
from evenkeel.engine.journal.memory import MemoryDisk
from evenkeel.engine.journal.segment import SegmentHeader
from evenkeel.model.errors import StorageError

Opened = Callable[..., Journal]
STEP_BYTES = (36 + len("event 0")) + (36 + len("command 0"))


def test_every_flipped_byte_is_noticed(recorded: MemoryDisk) -> None:
    whole = verify(recorded, "j")
    for path, content in recorded.files.items():
        for offset in range(len(content)):
            content[offset] ^= 0x20
            found = verify(recorded, "j")
            content[offset] ^= 0x20
            assert not found.ok or found.torn_bytes, (path, offset)
            assert found.head_hex != whole.head_hex, (path, offset)


def test_a_flipped_byte_in_a_promised_step_is_damage_unless_it_is_the_last_step(recorded: MemoryDisk) -> None:
    """Behind the last step stands nothing that could say that it had been whole."""
    for path, content in recorded.files.items():
        for offset in range(len(content)):
            in_last_step = path == "j/000003.seg" and offset >= len(content) - STEP_BYTES
            content[offset] ^= 0x01
            found = verify(recorded, "j")
            content[offset] ^= 0x01
            assert found.ok is in_last_step, (path, offset)


def test_every_truncation_of_the_end_opens_at_the_last_whole_step(recorded: MemoryDisk, opened: Opened) -> None:
    length = recorded.size("j/000003.seg")
    for size in range(length + 1):
        disk = recorded.copy()
        disk.truncate("j/000003.seg", size)
        steps_in_segment = max(0, size - 40) // STEP_BYTES
        with opened(on=disk) as journal:
            assert journal.next_sequence == 8 + 2 * steps_in_segment
            assert len(list(journal.read())) == journal.next_sequence
            journal.append(1, b"on", last_of_step=True)
        assert verify(disk, "j").ok


def test_every_truncation_of_an_earlier_segment_is_damage(recorded: MemoryDisk) -> None:
    for size in range(recorded.size("j/000002.seg")):
        disk = recorded.copy()
        disk.truncate("j/000002.seg", size)
        found = verify(disk, "j")
        assert not found.ok, size
        assert found.segment in ("000002.seg", "000003.seg")


@pytest.mark.parametrize("number", [1, 2])
def test_a_missing_segment_is_named(recorded: MemoryDisk, number: int) -> None:
    recorded.remove(f"j/00000{number}.seg")
    with pytest.raises(JournalDamaged, match=rf"00000{number}\.seg at byte 0: the file is missing"):
        list(read_journal(recorded, "j"))


def test_a_missing_last_segment_is_not_noticed_but_changes_the_head(recorded: MemoryDisk) -> None:
    """The limit that the format page states: who removes the end leaves a journal that verifies."""
    whole = verify(recorded, "j")
    recorded.remove("j/000003.seg")
    found = verify(recorded, "j")
    assert found.ok
    assert found.head_hex != whole.head_hex


def test_swapped_segments_are_damage(recorded: MemoryDisk) -> None:
    files = recorded.files
    files["j/000001.seg"], files["j/000002.seg"] = files["j/000002.seg"], files["j/000001.seg"]
    assert "does not begin a journal" in (verify(recorded, "j").problem or "")


def test_a_segment_of_another_journal_is_damage(recorded: MemoryDisk, opened: Opened) -> None:
    other = MemoryDisk()
    with opened(on=other) as journal:
        for _ in range(20):
            journal.append(1, b"something else", last_of_step=True)
            journal.barrier()
    recorded.files["j/000002.seg"] = other.files["j/000002.seg"]
    assert "does not continue the segment before it" in (verify(recorded, "j").problem or "")


def test_an_entry_rewritten_with_a_right_checksum_breaks_the_chain(recorded: MemoryDisk) -> None:
    content = recorded.files["j/000003.seg"]
    previous = bytes(content[60:76])
    forged, _ = encode(8, 1, b"event X", flags=0, pending=0, previous=previous)
    content[40 : 40 + len(forged)] = forged
    with pytest.raises(JournalDamaged, match="entry 9: the entry does not continue the one before it"):
        list(read_journal(recorded, "j"))


def test_an_entry_with_another_sequence_is_damage(recorded: MemoryDisk) -> None:
    content = recorded.files["j/000003.seg"]
    forged, _ = encode(9, 1, b"event 4", flags=0, pending=0, previous=bytes(content[60:76]))
    content[40 : 40 + len(forged)] = forged
    with pytest.raises(JournalDamaged, match="entry 8: the entry does not continue the one before it"):
        list(read_journal(recorded, "j"))


def test_a_hole_among_bytes_that_nobody_was_promised_is_cut(disk: MemoryDisk, opened: Opened) -> None:
    """A power cut may have written the later page and not the earlier one."""
    with opened() as journal:
        journal.append(1, b"promised", last_of_step=True)
        journal.barrier()
        journal.append(1, b"lost", last_of_step=True)
        journal.append(1, b"there", last_of_step=True)
        journal.barrier()
    start = disk.files["j/000001.seg"].index(b"lost")
    disk.files["j/000001.seg"][start : start + 4] = bytes(4)
    with opened() as journal:
        assert [frame.payload for frame in journal.read()] == [b"promised"]
        assert [cut.torn_bytes for cut in journal.cut] == [36 + len("lost") + 36 + len("there")]


def test_the_same_hole_with_a_barrier_behind_it_is_damage(disk: MemoryDisk, opened: Opened) -> None:
    with opened() as journal:
        for payload in (b"promised", b"lost", b"there"):
            journal.append(1, payload, last_of_step=True)
            journal.barrier()
    start = disk.files["j/000001.seg"].index(b"lost")
    disk.files["j/000001.seg"][start : start + 4] = bytes(4)
    with pytest.raises(JournalDamaged, match="entry 1: the entry is altered, though entry 2 behind it is whole"):
        opened()


def test_a_barrier_far_behind_the_altered_entry_still_speaks_for_it(disk: MemoryDisk, opened: Opened) -> None:
    """The entries next to it were appended before that barrier and cannot know."""
    with opened() as journal:
        for part in range(3):
            journal.append(1, b"", last_of_step=part == 2)
        journal.barrier()
        journal.append(1, b"", last_of_step=True)
    disk.files["j/000001.seg"][60] ^= 1
    with pytest.raises(JournalDamaged, match="entry 0: the entry is altered, though entry 3 behind it is whole"):
        opened()


def test_an_unfinished_step_at_the_end_of_an_earlier_segment_is_damage(disk: MemoryDisk, opened: Opened) -> None:
    with opened() as journal:
        journal.append(1, b"whole", last_of_step=True)
        journal.append(1, b"half", last_of_step=False)
        head, following = journal.head, journal.next_sequence
    disk.open("j/000002.seg").append(SegmentHeader(following, head).encode())
    assert "000001.seg" in (verify(disk, "j").problem or "")
    assert "ends inside a step" in (verify(disk, "j").problem or "")


def test_another_format_is_refused_by_its_number(recorded: MemoryDisk) -> None:
    import struct
    import zlib

    content = recorded.files["j/000001.seg"]
    checked = zlib.crc32(bytes(content[16:40]), zlib.crc32(b"KEELJRNL", 2 << 16))
    content[8:16] = struct.pack("<HHI", 2, 0, checked)
    with pytest.raises(StorageError, match="the journal has format 2, this version of Evenkeel reads format 1") as old:
        list(read_journal(recorded, "j"))
    assert old.value.reason == "JOURNAL_FORMAT"


def test_a_reader_sees_whole_steps_while_a_writer_is_at_work(disk: MemoryDisk, opened: Opened) -> None:
    with opened() as journal:
        journal.append(1, b"whole", last_of_step=True)
        journal.barrier()
        disk.files["j/000001.seg"] += b"the first bytes of the next"
        assert [frame.payload for frame in read_journal(disk, "j")] == [b"whole"]


def test_an_empty_folder_has_no_entries() -> None:
    assert list(read_journal(MemoryDisk(), "nowhere")) == []
