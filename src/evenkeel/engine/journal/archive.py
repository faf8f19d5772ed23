"""Old segments, compressed: `000001.seg.gz` in the place of `000001.seg`.

A reader takes either, so an archived journal reads, verifies and replays as before. A segment is removed only after its
archive was read back from the disk and unpacked to the same bytes. `gzip` unpacks one without this program.
"""

from __future__ import annotations

import gzip

from evenkeel.engine.journal.disk import Disk
from evenkeel.engine.journal.segment import archive_path, segment_names, segment_path, segment_size, segment_slice
from evenkeel.model.errors import StorageError


def archive_segments(disk: Disk, folder: str, before: int) -> list[int]:
    """Compress every segment below number `before` that is not yet; return the numbers of those that were.

    The last segment is written and is never archived.

    Raises:
        StorageError: If the disk refuses; each segment is then there in one form or in both.
    """
    names = segment_names(disk, folder)
    done = []
    for number in sorted(names)[:-1]:
        if number >= before:
            break
        if names[number] == segment_path(folder, number):
            _archive(disk, folder, number)
            done.append(number)
    return done


def _archive(disk: Disk, folder: str, number: int) -> None:
    path, packed = segment_path(folder, number), archive_path(folder, number)
    data = disk.read(path, 0, disk.size(path))
    beside = f"{packed}.new"
    if disk.stat(beside) is not None:
        disk.remove(beside)
    file = disk.open(beside)
    try:
        file.append(gzip.compress(data, mtime=0))
        file.sync()
    finally:
        file.close()
    disk.rename(beside, packed)
    disk.sync_folder(folder)
    found = segment_slice(disk, folder, packed, 0, segment_size(disk, folder, packed))
    if found != data:
        raise StorageError(f"the archive {packed} does not hold what {path} does; the segment was kept. Check the disk")
    disk.remove(path)
    disk.sync_folder(folder)
