"""The reserve: room for the last entries of a disk that is full."""

from __future__ import annotations

import pytest

from evenkeel.engine.journal import Journal, verify
from evenkeel.engine.journal.memory import UNLIMITED, MemoryDisk
from evenkeel.engine.journal.reserve import RESERVE_NAME
from evenkeel.model.errors import StorageError

SIZE = 800


def opened(disk: MemoryDisk, *, threaded: bool = False) -> Journal:
    return Journal.open(disk, "j", segment_bytes_max=300, durable=True, threaded=threaded, reserve_bytes=SIZE)


def write(journal: Journal, count: int) -> None:
    for number in range(count):
        journal.append(1, b"entry %d" % number, last_of_step=True)
        journal.barrier()


@pytest.mark.parametrize("threaded", [False, True])
@pytest.mark.parametrize("room", range(0, 420, 7))
def test_a_disk_that_fills_at_any_byte_is_survived_once(room: int, threaded: bool) -> None:
    """Whether it fills inside an entry, inside the header of a segment, or between two: nothing torn stays."""
    disk = MemoryDisk()
    with opened(disk, threaded=threaded) as journal:
        disk.capacity = sum(map(len, disk.files.values())) + room
        write(journal, 15)
        assert journal.lives_on_reserve

    found = verify(disk, "j")
    assert (found.ok, found.frames, found.torn_bytes) == (True, 15, 0)
    assert f"j/{RESERVE_NAME}" not in disk.files


def test_behind_the_reserve_the_journal_ends() -> None:
    disk = MemoryDisk()
    with opened(disk) as journal:
        disk.capacity = sum(map(len, disk.files.values()))
        with pytest.raises(StorageError, match="the disk is full"):
            write(journal, 100)
        with pytest.raises(StorageError, match="takes no more entries"):
            journal.append(1, b"more", last_of_step=True)

    assert verify(disk, "j").frames >= 6


def test_the_reserve_is_put_back_when_there_is_twice_its_room() -> None:
    disk = MemoryDisk()
    with opened(disk) as journal:
        disk.capacity = sum(map(len, disk.files.values()))
        write(journal, 1)
        disk.capacity = sum(map(len, disk.files.values())) + 2 * SIZE - 1
        assert not journal.refill()
        disk.capacity += 1
        assert journal.refill()
        assert not journal.lives_on_reserve

    assert disk.size(f"j/{RESERVE_NAME}") == SIZE


def test_a_reserve_of_another_size_is_made_anew() -> None:
    disk = MemoryDisk()
    opened(disk).close()
    Journal.open(disk, "j", durable=True, threaded=False, reserve_bytes=70).close()

    assert disk.size(f"j/{RESERVE_NAME}") == 70


def test_a_journal_without_a_reserve_keeps_none() -> None:
    disk = MemoryDisk()
    with Journal.open(disk, "j", durable=True, threaded=False) as journal:
        disk.capacity = sum(map(len, disk.files.values()))
        journal.append(1, b"entry", last_of_step=True)
        with pytest.raises(StorageError, match="the disk is full"):
            journal.barrier()
        disk.capacity = UNLIMITED

    assert f"j/{RESERVE_NAME}" not in disk.files
