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


def put(disk: Disk, path: str, data: bytes) -> None:
    file = disk.open(path)
    file.append(data)
    file.sync()
    file.close()


def test_a_file_is_overwritten_in_place_and_never_grows(place: tuple[Disk, str]) -> None:
    disk, folder = place
    disk.make_folder(folder, durable=True)
    put(disk, f"{folder}/a", b"long content")
    disk.overwrite(f"{folder}/a", b"LONG")
    assert disk.read(f"{folder}/a", 0, 100) == b"LONG content"
    with pytest.raises(StorageError, match="f/a: it is shorter"):
        disk.overwrite(f"{folder}/a", b"longer than that")
    assert disk.read(f"{folder}/a", 0, 100) == b"LONG content"
    with pytest.raises(StorageError, match="f/none"):
        disk.overwrite(f"{folder}/none", b"")


def test_a_stat_changes_with_content_and_with_the_file_behind_a_name(place: tuple[Disk, str]) -> None:
    disk, folder = place
    disk.make_folder(folder, durable=True)
    assert disk.stat(f"{folder}/a") is None
    put(disk, f"{folder}/a", b"one")
    first = disk.stat(f"{folder}/a")
    assert first is not None
    assert first == disk.stat(f"{folder}/a")
    assert first.size == 3
    put(disk, f"{folder}/a", b"two")
    longer = disk.stat(f"{folder}/a")
    put(disk, f"{folder}/b", b"onetwo")
    disk.rename(f"{folder}/b", f"{folder}/a")
    assert len({first, longer, disk.stat(f"{folder}/a")}) == 3


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


def test_a_power_cut_undoes_names_whose_folder_was_not_synced() -> None:
    disk = MemoryDisk()
    put(disk, "f/a", b"old")
    put(disk, "f/c", b"kept")
    disk.sync_folder("f")
    put(disk, "f/b", b"new")
    disk.rename("f/b", "f/a")
    disk.remove("f/c")
    assert disk.crash(surviving_bytes=0, names_survive=True).files == {"f/a": bytearray(b"new")}
    undone = disk.crash(surviving_bytes=0, names_survive=False)
    assert undone.files == {"f/a": bytearray(b"old"), "f/c": bytearray(b"kept")}
    disk.sync_folder("f")
    assert disk.crash(surviving_bytes=0, names_survive=False).files == {"f/a": bytearray(b"new")}


def test_overwriting_can_be_torn_and_works_on_a_full_disk() -> None:
    disk = MemoryDisk(capacity=6)
    put(disk, "f/a", b"before")
    disk.overwrite("f/a", b"after")
    assert disk.files["f/a"] == b"aftere"
    disk.tears_at = 2
    with pytest.raises(StorageError, match="the power is gone"):
        disk.overwrite("f/a", b"THIRD!")
    assert disk.crash(surviving_bytes=0, names_survive=True).files == {"f/a": bytearray(b"THtere")}
    disk.overwrite("f/a", b"fourth")
    assert disk.files["f/a"] == b"fourth"


def test_a_read_only_disk_refuses_every_change_and_can_be_read() -> None:
    disk = MemoryDisk()
    put(disk, "f/a", b"before")
    file = disk.open("f/a")
    disk.read_only = True
    for act in (
        lambda: disk.open("f/b"),
        lambda: file.append(b"more"),
        lambda: disk.overwrite("f/a", b"x"),
        lambda: disk.truncate("f/a", 0),
        lambda: disk.rename("f/a", "f/b"),
        lambda: disk.remove("f/a"),
        lambda: disk.lock("f"),
    ):
        with pytest.raises(StorageError, match="read-only"):
            act()
    assert disk.read("f/a", 0, 100) == b"before"
