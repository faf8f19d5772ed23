from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from evenkeel.engine.journal import Journal, JournalDamaged, RealDisk, verify
from evenkeel.engine.journal.frame import GENESIS
from evenkeel.engine.journal.memory import MemoryDisk
from evenkeel.model.errors import InvariantBroken, StorageError

Opened = Callable[..., Journal]


def test_what_was_appended_is_read_back_in_order(recorded: MemoryDisk, opened: Opened) -> None:
    with opened() as journal:
        frames = list(journal.read())
    assert [frame.sequence for frame in frames] == list(range(12))
    assert [frame.kind for frame in frames] == [1, 3] * 6
    assert [frame.payload for frame in frames[:2]] == [b"event 0", b"command 0"]
    assert [frame.last_of_step for frame in frames[:2]] == [False, True]


def test_reading_starts_where_it_is_asked_to(recorded: MemoryDisk, opened: Opened) -> None:
    with opened() as journal:
        for start in range(14):
            assert [frame.sequence for frame in journal.read(start)] == list(range(start, 12))


def test_append_returns_rising_sequences_over_sessions(opened: Opened) -> None:
    with opened() as journal:
        assert [journal.append(1, b"a", last_of_step=True) for _ in range(3)] == [0, 1, 2]
    with opened() as journal:
        assert journal.next_sequence == 3
        assert journal.append(1, b"b", last_of_step=True) == 3


def test_a_new_journal_has_no_head_and_a_continued_one_has_the_last(opened: Opened) -> None:
    with opened() as journal:
        assert journal.head == GENESIS
        journal.append(1, b"a", last_of_step=True)
        head = journal.head
    with opened() as journal:
        assert journal.head == head != GENESIS


def test_equal_entries_give_an_equal_head(opened: Opened) -> None:
    heads = []
    for payload in (b"same", b"same", b"other"):
        with opened(on=MemoryDisk()) as journal:
            journal.append(1, payload, last_of_step=True)
            heads.append(journal.head)
    assert heads[0] == heads[1] != heads[2]


def test_a_step_appended_at_once_is_the_same_bytes_as_one_by_one(opened: Opened) -> None:
    steps = [[(1, b"event %d" % step), (2, b"x" * 90), (3, b"command")][: 1 + step % 3] for step in range(9)]
    disks = MemoryDisk(), MemoryDisk()
    with opened(on=disks[0]) as one_by_one, opened(on=disks[1]) as at_once:
        for step in steps:
            for place, (kind, payload) in enumerate(step):
                one_by_one.append(kind, payload, last_of_step=place == len(step) - 1)
            at_once.append_step(step)
            at_once.barrier()
            one_by_one.barrier()
    assert disks[1].files == disks[0].files
    assert len(disks[0].list("j")) > 1


def test_a_step_never_crosses_segments(recorded: MemoryDisk) -> None:
    names = recorded.list("j")
    assert names == ["000001.seg", "000002.seg", "000003.seg"]
    for name in names:
        content = recorded.files[f"j/{name}"]
        assert content.count(b"event") == content.count(b"command") == 2


def test_a_long_step_stays_in_one_segment(disk: MemoryDisk, opened: Opened) -> None:
    with opened() as journal:
        for part in range(40):
            journal.append(1, b"x" * 50, last_of_step=part == 39)
        journal.append(1, b"next", last_of_step=True)
    assert disk.size("j/000001.seg") > 40 * 50
    assert disk.list("j") == ["000001.seg", "000002.seg"]
    assert verify(disk, "j").steps == 2


def test_nothing_leaves_the_process_before_a_barrier_and_everything_with_it(disk: MemoryDisk, opened: Opened) -> None:
    with opened() as journal:
        journal.append(1, b"waiting", last_of_step=True)
        assert b"waiting" not in disk.files["j/000001.seg"]
        journal.barrier()
        assert b"waiting" in disk.files["j/000001.seg"]


def test_a_barrier_inside_a_step_is_a_broken_promise(opened: Opened) -> None:
    with opened() as journal:
        journal.append(1, b"a", last_of_step=False)
        with pytest.raises(InvariantBroken, match="inside a step"):
            journal.barrier()


def test_an_unfinished_step_is_cut_and_reported(disk: MemoryDisk, opened: Opened) -> None:
    with opened() as journal:
        journal.append(1, b"whole", last_of_step=True)
        journal.append(1, b"half", last_of_step=False)
    whole_bytes = 40 + 36 + len("whole")
    with opened() as journal:
        (cut,) = journal.cut
        assert cut[:3] == ("000001.seg", whole_bytes, 36 + len("half"))
        assert disk.read(f"j/{cut.kept}", 0, 100).endswith(b"half")
        assert disk.size(f"j/{cut.kept}") == cut.torn_bytes
        assert journal.next_sequence == 1
        assert journal.append(1, b"again", last_of_step=True) == 1
    assert verify(disk, "j").ok
    with opened() as journal:
        assert journal.cut == ()


def test_a_segment_whose_creation_was_interrupted_is_removed_and_reported(recorded: MemoryDisk, opened: Opened) -> None:
    recorded.open("j/000004.seg").append(b"KEELJRN")
    with opened() as journal:
        assert [cut[:3] for cut in journal.cut] == [("000004.seg", 0, 7)]
        journal.append(1, b"on", last_of_step=True)
    assert verify(recorded, "j").frames == 13


def test_a_large_step_is_handed_on_before_it_ends(disk: MemoryDisk) -> None:
    with Journal.open(disk, "j", durable=False) as journal:
        journal.append(1, bytes(2_000_000), last_of_step=False)
        assert disk.size("j/000001.seg") > 2_000_000


def test_a_closed_journal_takes_no_entries(opened: Opened) -> None:
    journal = opened()
    journal.close()
    journal.close()
    with pytest.raises(StorageError, match="the journal j is closed"):
        journal.append(1, b"late", last_of_step=True)
    with pytest.raises(StorageError, match="the journal j is closed"):
        journal.barrier()


@pytest.mark.parametrize("durable", [False, True])
def test_a_journal_that_failed_once_takes_no_more(disk: MemoryDisk, opened: Opened, durable: bool) -> None:
    journal = opened(durable)
    disk.capacity = 60
    journal.append(1, b"x" * 100, last_of_step=True)
    with pytest.raises(StorageError, match=r"cannot write j/000001\.seg: the disk is full; free some space") as refused:
        journal.barrier()
    assert refused.value.reason == "DISK_FULL"
    disk.capacity = 10_000
    with pytest.raises(StorageError, match="takes no more entries since a write failed: cannot write"):
        journal.append(1, b"y", last_of_step=True)
    with pytest.raises(StorageError, match="takes no more entries"):
        journal.request_barrier()
    if durable:
        with pytest.raises(StorageError, match="disk is full"):
            journal.close()
    else:
        journal.close()


@pytest.mark.parametrize("durable", [False, True])
def test_a_disk_that_fills_at_any_byte_leaves_the_promised_steps_readable(opened: Opened, durable: bool) -> None:
    for capacity in range(SMALLEST_DISK, 900, 7):
        disk = MemoryDisk(capacity=capacity)
        promised: list[bytes] = []
        with pytest.raises(StorageError, match="disk is full"):
            fill(opened(durable, disk), promised)
        after = disk.copy()
        after.capacity = 10_000
        with opened(durable, after) as journal:
            payloads = [frame.payload for frame in journal.read() if frame.kind == 1]
        assert payloads[: len(promised)] == promised
        assert verify(after, "j").ok


def fill(journal: Journal, promised: list[bytes]) -> None:
    with journal:
        while True:
            event = b"event %d" % len(promised)
            journal.append(1, event, last_of_step=False)
            journal.append(2, b"decision", last_of_step=True)
            journal.barrier()
            promised.append(event)


SMALLEST_DISK = 200
"""One segment: a durable journal asks for that much."""


def test_a_durable_journal_refuses_a_disk_without_room_for_a_segment(opened: Opened) -> None:
    with pytest.raises(StorageError, match="j has 0 MB of free space left; a journal of real orders needs") as refused:
        opened(True, MemoryDisk(capacity=199))
    assert refused.value.reason == "DISK_FULL"


def test_a_durable_journal_first_secures_what_the_session_before_left_unsynced(opened: Opened) -> None:
    """The session before was killed; the operating system shows its entries, the disk does not hold them yet."""
    disk = MemoryDisk()
    with opened(on=disk) as journal:
        journal.append(1, b"found", last_of_step=True)
    assert disk.crash(surviving_bytes=0, names_survive=True).files == {"j/000001.seg": bytearray()}
    with opened(True, disk) as journal:
        assert journal.next_sequence == 1
        after = disk.crash(surviving_bytes=0, names_survive=False)
        assert verify(after, "j").frames == 1


def test_a_damaged_last_segment_is_refused_and_left_alone(recorded: MemoryDisk, opened: Opened) -> None:
    segment = recorded.files["j/000003.seg"]
    segment[60] ^= 1
    before = bytes(segment)
    with pytest.raises(JournalDamaged, match=r"000003\.seg at byte 40, entry 8: the entry is altered"):
        opened()
    assert recorded.files["j/000003.seg"] == before


def test_a_refused_journal_is_not_left_locked(recorded: MemoryDisk, opened: Opened) -> None:
    recorded.files["j/000003.seg"][60] ^= 1
    for _ in range(2):
        with pytest.raises(JournalDamaged):
            opened()


def test_a_second_writer_is_refused_by_the_id_of_the_first(tmp_path: Path) -> None:
    import os

    folder = str(tmp_path / "run" / "journal")
    with (
        Journal.open(RealDisk(), folder, durable=False),
        pytest.raises(StorageError, match=rf"being written by another process \(pid {os.getpid()} "),
    ):
        Journal.open(RealDisk(), folder, durable=False)
    Journal.open(RealDisk(), folder, durable=False).close()


@pytest.mark.parametrize("durable", [False, True])
def test_a_real_folder_serves_over_sessions_and_segments(tmp_path: Path, durable: bool) -> None:
    folder = str(tmp_path / "journal")
    for session in range(3):
        with Journal.open(RealDisk(), folder, segment_bytes_max=200, durable=durable) as journal:
            for _ in range(4):
                journal.append(1, b"session %d" % session, last_of_step=True)
                journal.barrier()
            assert len(list(journal.read())) == 4 * (session + 1)
    verification = verify(RealDisk(), folder)
    assert (verification.ok, verification.frames, verification.segments) == (True, 12, 3)
    assert sorted(path.name for path in tmp_path.joinpath("journal").glob("*.seg"))[-1] == "000003.seg"
