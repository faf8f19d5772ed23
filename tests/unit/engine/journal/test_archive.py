"""Archives: old segments in a smaller form, and never less than they were."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from evenkeel.engine.journal import RealDisk, archive_segments, read_journal, verify
from evenkeel.engine.journal.index import Description, Index
from evenkeel.engine.journal.memory import MemoryDisk
from evenkeel.model.errors import StorageError


class LyingDisk(MemoryDisk):
    """Keeps another byte than it is given, where the name says archive."""

    def rename(self, old: str, new: str) -> None:
        super().rename(old, new)
        content = gzip.decompress(bytes(self.files[new]))
        del self.files[new][:]
        self.files[new] += gzip.compress(b"?" + content[1:])


def test_archived_segments_read_as_before(recorded: MemoryDisk) -> None:
    before = list(read_journal(recorded, "j"))

    assert archive_segments(recorded, "j", 3) == [1, 2]

    assert sorted(recorded.files) == ["j/000001.seg.gz", "j/000002.seg.gz", "j/000003.seg"]
    assert list(read_journal(recorded, "j")) == before
    assert list(read_journal(recorded, "j", start=5)) == before[5:]
    assert verify(recorded, "j").segments == 3
    assert archive_segments(recorded, "j", 3) == []


def test_the_last_segment_is_never_archived(recorded: MemoryDisk) -> None:
    assert archive_segments(recorded, "j", 99) == [1, 2]


def test_an_archive_that_reads_back_otherwise_costs_no_segment(recorded: MemoryDisk) -> None:
    disk = LyingDisk()
    for path, content in recorded.files.items():
        disk.open(path).append(bytes(content))

    with pytest.raises(StorageError, match=r"000001.seg.gz does not hold what .*; the segment was kept"):
        archive_segments(disk, "j", 2)

    assert verify(disk, "j").ok


def test_a_segment_in_both_forms_is_read_as_it_is(recorded: MemoryDisk) -> None:
    """A crash between archive and removal leaves both; the archive is made again."""
    recorded.open("j/000001.seg.gz").append(b"half of an archive")

    assert verify(recorded, "j").ok
    archive_segments(recorded, "j", 2)
    assert verify(recorded, "j").ok


def test_gzip_unpacks_an_archive_without_this_program(recorded: MemoryDisk) -> None:
    segment = bytes(recorded.files["j/000001.seg"])

    archive_segments(recorded, "j", 2)

    assert gzip.decompress(bytes(recorded.files["j/000001.seg.gz"])) == segment


def test_an_index_leads_into_archives(recorded: MemoryDisk, tmp_path: Path) -> None:
    archive_segments(recorded, "j", 3)

    def describe(_: bytes) -> Description:
        return Description(0, "any", None)

    with Index.open(tmp_path / "index", recorded, "j", describe, submission_tag="order") as index:
        payloads = [index.frame(entry).payload for entry in index.entries()]

    assert payloads == [frame.payload for frame in read_journal(recorded, "j")]


def test_a_real_folder_is_archived(recorded: MemoryDisk, tmp_path: Path) -> None:
    for path, content in recorded.files.items():
        (tmp_path / Path(path).name).write_bytes(content)

    archive_segments(RealDisk(), str(tmp_path), 3)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["000001.seg.gz", "000002.seg.gz", "000003.seg"]
    assert list(read_journal(RealDisk(), str(tmp_path))) == list(read_journal(recorded, "j"))
