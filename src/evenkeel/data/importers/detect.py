"""Telling formats apart by what is in a file, not by its name."""

from __future__ import annotations

import gzip
import zlib
from enum import StrEnum
from pathlib import Path

from evenkeel.data.importers.delimited import GZIP_MAGIC
from evenkeel.model.errors import DataError, StorageError

HEAD_BYTES = 512


class Format(StrEnum):
    """What a file of bars can be."""

    AUTO = "auto"
    CSV = "csv"
    PARQUET = "parquet"
    LEAN = "lean"
    FREQTRADE = "freqtrade"


def detect(path: Path) -> Format:
    """Return the format of a file from its first bytes.

    Raises:
        StorageError: If the file cannot be read.
        DataError: If it is empty.
    """
    head = head_of(path)
    if not head.strip():
        raise DataError(f"{path.name} is empty")
    if head.startswith(b"PAR1"):
        return Format.PARQUET
    if head.startswith(b"ARROW1") or head.lstrip()[:1] in (b"[", b"{"):
        return Format.FREQTRADE
    if head.startswith(b"PK\x03\x04"):
        return Format.LEAN
    return Format.CSV


def head_of(path: Path) -> bytes:
    """Return the first bytes of a file, unpacked if it is gzipped.

    Raises:
        StorageError: If the file cannot be read.
        DataError: If it is gzipped and damaged.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if not head.startswith(GZIP_MAGIC):
            return head
        with gzip.open(path) as unpacked:
            return unpacked.read(HEAD_BYTES)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path.name} is a damaged gzip file ({error}); fetch it again") from error
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror or error}") from error
