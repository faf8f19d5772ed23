"""Files that are either the old ones or the new ones, whatever happens in between.

The bytes go into a temporary file in the same folder, reach the disk, and only then take the place of the old file in
one step. A crash leaves at most a temporary file, which the next writer removes; a full disk leaves nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evenkeel.model.errors import StorageError

TEMPORARY_SUFFIX = ".partial"


def write_atomically(path: Path, data: bytes | memoryview) -> None:
    """Write a file whole or not at all, durable when this returns.

    Raises:
        StorageError: If the folder cannot be written or the disk is full; the file is as it was before.
    """
    with replaced_atomically(path, needs=f"; {len(data):,} bytes are needed") as temporary:
        temporary.write_bytes(data)


@contextmanager
def replaced_atomically(path: Path, *, needs: str = "") -> Iterator[Path]:
    """Hand out the path of a new file that takes the place of another when it is whole, durable at the end.

    Args:
        path: The file to be replaced.
        needs: What to say of the space that it takes, if it cannot be written.

    Raises:
        StorageError: If the folder cannot be written or the disk is full; the file is as it was before.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
    try:
        with _removed_on_failure(temporary):
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise StorageError(
            f"cannot write {path.name} into {path.parent}: {error.strerror or error}{needs}. "
            f"Free space there or choose another folder; nothing was changed"
        ) from error


def make_folder(folder: Path) -> None:
    """Create a folder and its parents where they are missing.

    Raises:
        StorageError: If it cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"cannot create the folder {folder}: {error.strerror or error}; choose one that you may write to"
        ) from error


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of writers that died; the caller holds the writer's lock."""
    for leftover in folder.glob(f".*{TEMPORARY_SUFFIX}"):
        leftover.unlink(missing_ok=True)


@contextmanager
def _removed_on_failure(temporary: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    """Make a rename durable; Windows cannot open folders and does this by itself."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
