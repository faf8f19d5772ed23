"""Files of columns that are mapped into memory and not read: a line that says what is in them, then raw numbers.

    EVKCOLS1 {"rows": 3, "columns": [["stamps_ns", "<i8"], ["rate", "<f8"]]}        padded to 64 bytes with blanks
    stamps_ns[0] stamps_ns[1] stamps_ns[2] rate[0] rate[1] rate[2]                  little-endian, 8 bytes each

A window of a file costs what the window holds, and a mapped page belongs to the file: the system drops it when memory
is short. Nothing here proves the numbers; who reads compares digests.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from evenkeel.model.bar import Floats, Ints
from evenkeel.model.errors import StorageError

MAGIC = b"EVKCOLS1 "
ALIGNMENT = 64
ITEM_BYTES = 8
_KINDS = {"<i8": np.dtype("<i8"), "<f8": np.dtype("<f8")}


class _Header(msgspec.Struct, frozen=True):
    rows: int
    columns: list[tuple[str, str]]


def encode_columns(arrays: Sequence[tuple[str, Ints | Floats]]) -> bytes:
    """Return the file of some columns of equal length."""
    described = [(name, "<i8" if array.dtype.kind == "i" else "<f8") for name, array in arrays]
    head = MAGIC + msgspec.json.encode(_Header(len(arrays[0][1]), described))
    head += b" " * (-(len(head) + 1) % ALIGNMENT) + b"\n"
    kinds = (_KINDS[kind] for _, kind in described)
    return head + b"".join(
        np.ascontiguousarray(array, dtype=kind).tobytes() for (_, array), kind in zip(arrays, kinds, strict=True)
    )


def let_go(column: npt.NDArray[Any]) -> None:
    """Give the pages of a mapped file back to the system, all columns of it; who reads on maps them again.

    An array that is no part of a mapped file is left as it is, and so is everything where the system cannot do this.
    """
    owner: Any = column
    while isinstance(owner, np.ndarray | memoryview):
        owner = owner.base if isinstance(owner, np.ndarray) else owner.obj
    if isinstance(owner, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        owner.madvise(mmap.MADV_DONTNEED)


def map_columns(path: Path, *, remedy: str) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of a file, read-only, without reading them.

    Args:
        path: The file.
        remedy: What to do if it is missing or damaged.

    Raises:
        StorageError: If it is missing, is no such file, or has another length than its first line says.
    """
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError as error:
        raise StorageError(f"{path} is missing; {remedy}") from error
    except (OSError, ValueError) as error:
        raise StorageError(f"{path} cannot be read ({error}); {remedy}") from error
    end = data.find(b"\n") + 1
    try:
        if not data[: len(MAGIC)] == MAGIC:
            raise StorageError(f"{path} is damaged: it does not begin as a file of columns; {remedy}")
        header = msgspec.json.decode(data[len(MAGIC) : end], type=_Header)
        kinds = [_KINDS[kind] for _, kind in header.columns]
    except (msgspec.MsgspecError, KeyError) as error:
        raise StorageError(f"{path} is damaged: its first line cannot be read ({error}); {remedy}") from error
    size = end + header.rows * ITEM_BYTES * len(kinds)
    if len(data) != size:
        raise StorageError(f"{path} is damaged: it has {len(data):,} bytes, its first line says {size:,}; {remedy}")
    starts = (end + number * header.rows * ITEM_BYTES for number in range(len(kinds)))
    return {
        name: np.frombuffer(data, dtype=kind, count=header.rows, offset=start)
        for (name, _), kind, start in zip(header.columns, kinds, starts, strict=True)
    }
