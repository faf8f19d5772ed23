"""Text files of bars: comma, semicolon, tab or bar between the columns, one line of names, perhaps gzipped.

Everything is read as text first, so a value that is no number is shown as it stands in the file.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from evenkeel.data.importers.columns import table_of
from evenkeel.data.importers.table import Place, Table
from evenkeel.model.errors import DataError, StorageError

if TYPE_CHECKING:
    import polars as pl

SEPARATORS = ",;\t|"

_VALUE = r"[\d.:/ TZ+-]+"

GZIP_MAGIC = b"\x1f\x8b"


def read_delimited(path: Path, *, volume_optional: bool) -> Table:
    """Return the table of a text file.

    Raises:
        DataError: If it is not such a file, is empty, lacks a column or holds a value that cannot be read.
    """
    text = read_bytes(path).rstrip(b"\r\n")
    frame = text_frame(text, path.name, has_header=True)
    return table_of(frame, Place(path.name, "line", 2), volume_optional=volume_optional)


def read_bytes(path: Path) -> bytes:
    """Return the content of a file, unpacked if it is gzipped.

    Raises:
        StorageError: If the file cannot be read.
        DataError: If it is gzipped and damaged.
    """
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data[:2] == GZIP_MAGIC else data
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path.name} is a damaged gzip file ({error}); fetch it again") from error
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror or error}") from error


def text_frame(text: bytes, label: str, *, has_header: bool) -> pl.DataFrame:
    """Return the columns of delimited text, all as text.

    Args:
        label: The file, for messages.
        has_header: Whether the first line names the columns; without it they are named `column_1` and so on.

    Raises:
        DataError: If the text is empty, is not text, or its lines have different numbers of columns.
    """
    import polars as pl

    _require_text(text, label)
    first_line = text.lstrip(b"\xef\xbb\xbf").split(b"\n", 1)[0].decode("utf-8", errors="replace")
    separator = max(SEPARATORS, key=first_line.count)
    if has_header:
        _require_names(first_line.strip().split(separator), label)
    try:
        return pl.read_csv(
            io.BytesIO(text), has_header=has_header, separator=separator, infer_schema=False,
            empty_string_is_null=False, truncate_ragged_lines=False,
        )  # fmt: skip
    except pl.exceptions.PolarsError as error:
        raise DataError(_ragged(text, label, separator, str(error))) from error


def _require_text(text: bytes, label: str) -> None:
    if not text.strip():
        raise DataError(f"{label} is empty")
    if b"\x00" in text[:4096]:
        raise DataError(f"{label} is not text in UTF-8; export it as CSV in UTF-8")
    try:
        text.decode()
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{label}, line {line}: byte {text[error.start]:#04x} is not text in UTF-8; export it as CSV in UTF-8"
        ) from error


def _require_names(names: list[str], label: str) -> None:
    if all(re.fullmatch(_VALUE, name) for name in names):
        raise DataError(
            f"{label} has values in its first line ({names[0]}, ...); put a line of names before it, such as "
            f"time,open,high,low,close,volume"
        )
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise DataError(f"{label} has two columns named {repeated[0]}; remove or rename one")


def _ragged(text: bytes, label: str, separator: str, said: str) -> str:
    """Say which line does not have as many columns as the first."""
    lines = text.decode("utf-8", errors="replace").splitlines()
    expected = lines[0].count(separator)
    for number, line in enumerate(lines, start=1):
        if line.strip() and line.count(separator) != expected:
            return (
                f"{label}, line {number}: it has {line.count(separator) + 1} columns, the first line has "
                f"{expected + 1}; correct or remove the line"
            )
    return f"{label} cannot be read as delimited text: {said.splitlines()[0]}"
