from __future__ import annotations

from collections.abc import Callable

from evenkeel.engine.journal import Journal, verify
from evenkeel.engine.journal.memory import MemoryDisk


def test_a_good_journal_is_counted(recorded: MemoryDisk, opened: Callable[..., Journal]) -> None:
    with opened() as journal:
        head = journal.head.hex()
    found = verify(recorded, "j")
    assert (found.ok, found.frames, found.steps, found.segments) == (True, 12, 6, 3)
    assert (found.head_hex, found.torn_bytes, found.problem) == (head, 0, None)


def test_the_first_bad_place_is_named(recorded: MemoryDisk) -> None:
    recorded.files["j/000002.seg"][40 + 88 + 36] ^= 1
    recorded.files["j/000003.seg"][50] ^= 1
    found = verify(recorded, "j")
    assert not found.ok
    assert (found.segment, found.offset, found.sequence) == ("000002.seg", 40 + 88, 6)
    assert (found.frames, found.steps, found.segments) == (6, 3, 3)
    assert found.problem == (
        "the journal j is damaged: 000002.seg at byte 128, entry 6: the entry is altered or cut short. "
        "Nothing was changed; restore the file from a copy"
    )


def test_a_torn_tail_is_counted_and_no_problem(recorded: MemoryDisk) -> None:
    recorded.files["j/000003.seg"] += b"torn"
    found = verify(recorded, "j")
    assert (found.ok, found.torn_bytes, found.frames) == (True, 4, 12)


def test_verifying_changes_nothing(recorded: MemoryDisk) -> None:
    recorded.files["j/000003.seg"] += b"torn"
    before = {path: bytes(content) for path, content in recorded.files.items()}
    verify(recorded, "j")
    assert recorded.files == before


def test_a_folder_without_a_journal_does_not_pass() -> None:
    found = verify(MemoryDisk(), "j")
    assert not found.ok
    assert found.problem == "j holds no journal"
