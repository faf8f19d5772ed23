from __future__ import annotations

import errno
from pathlib import Path

import pytest

from evenkeel.engine.journal.disk import Disk, RealDisk
from evenkeel.engine.journal.memory import MemoryDisk
from evenkeel.model.errors import StorageError


@pytest.fixture(params=["real", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Disk, str]:
    """The disk in memory does what the real one does, or tests on it prove nothing."""
    return (RealDisk(), str(tmp_path / "f")) if request.param == "real" else (MemoryDisk(), "f")


def test_appended_bytes_are_read_measured_and_listed(place: tuple[Disk, str]) -> None:
    disk, folder = place
    disk.make_folder(folder, durable=True)
    disk.make_folder(folder, durable=True)
    for data in (b"one", bytearray(b"two")):
        file = disk.open(f"{folder}/b")
        file.append(data)
        file.sync()
        file.close()
    disk.open(f"{folder}/a").close()
    disk.sync_folder(folder)
    assert disk.list(folder) == ["a", "b"]
    assert disk.size(f"{folder}/b") == 6
    assert disk.read(f"{folder}/b", 2, 3) == b"etw"
    assert disk.read(f"{folder}/b", 4, 100) == b"wo"


def test_files_are_cut_renamed_and_removed(place: tuple[Disk, str]) -> None:
    disk, folder = place
    disk.make_folder(folder, durable=True)
    for name, data in (("a", b"long content"), ("b", b"other")):
        file = disk.open(f"{folder}/{name}")
        file.append(data)
        file.close()
    disk.truncate(f"{folder}/a", 4)
    disk.rename(f"{folder}/a", f"{folder}/b")
    assert disk.list(folder) == ["b"]
    assert disk.read(f"{folder}/b", 0, 100) == b"long"
    disk.remove(f"{folder}/b")
    assert disk.list(folder) == []


def test_a_missing_folder_is_empty_and_a_missing_file_is_refused(place: tuple[Disk, str]) -> None:
    disk, folder = place
    assert disk.list(folder) == []
    for act in (disk.size, disk.remove, lambda path: disk.read(path, 0, 1), lambda path: disk.truncate(path, 0)):
        with pytest.raises(StorageError, match="f/none"):
            act(f"{folder}/none")


def test_a_folder_has_one_writer_until_it_is_released(place: tuple[Disk, str]) -> None:
    disk, folder = place
    disk.make_folder(folder, durable=True)
    lock = disk.lock(folder)
    with pytest.raises(StorageError, match="being written") as refused:
        disk.lock(folder)
    assert refused.value.reason == "STORAGE_BUSY"
    lock.release()
    disk.lock(folder).release()


def test_free_space_is_positive(place: tuple[Disk, str]) -> None:
    disk, folder = place
    disk.make_folder(folder, durable=True)
    assert disk.free(folder) > 0


def test_a_refusal_names_file_cause_and_remedy(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot open .*/none/a: No such file or directory; check the disk"):
        RealDisk().open(str(tmp_path / "none" / "a"))


def test_a_full_disk_says_so() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs a device that is always full")
    file = RealDisk().open(str(full))
    with pytest.raises(StorageError, match="cannot write /dev/full: the disk is full; free some space") as refused:
        file.append(b"x")
    file.close()
    assert refused.value.reason == "DISK_FULL"
    cause = refused.value.__cause__
    assert isinstance(cause, OSError)
    assert cause.errno == errno.ENOSPC


def test_a_full_memory_disk_tears_the_write() -> None:
    disk = MemoryDisk(capacity=5)
    file = disk.open("f/a")
    file.append(b"abc")
    with pytest.raises(StorageError, match="the disk is full"):
        file.append(b"defg")
    assert disk.files["f/a"] == b"abcde"


def test_a_power_cut_keeps_what_was_synced_and_as_much_more_as_it_likes() -> None:
    disk = MemoryDisk()
    file = disk.open("f/a")
    file.append(b"safe")
    file.sync()
    file.append(b"perhaps")
    assert disk.crash(surviving_bytes=0, names_survive=False).files == {}
    assert disk.crash(surviving_bytes=3, names_survive=True).files == {"f/a": bytearray(b"safeper")}
    disk.sync_folder("f")
    assert disk.crash(surviving_bytes=0, names_survive=False).files == {"f/a": bytearray(b"safe")}
    torn = disk.crash(surviving_bytes=7, names_survive=True, hole=slice(1, 3))
    assert torn.files["f/a"] == b"safep\0\0haps"
