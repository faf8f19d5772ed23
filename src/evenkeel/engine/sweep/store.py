"""The folder of a sweep: every set that is done stands in it at once, so that a killed sweep is taken up again.

sweep.head.json    what is swept; another sweep never writes over it
sets.jsonl         one line a set that is done, appended as it comes
sweep.parquet      the table: one row a set
sweep.json         the same as `--json` prints; written last
sweep.html         pictures
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from evenkeel.data.atomic import make_folder, write_atomically
from evenkeel.engine.sweep.ranking import METRICS, Row
from evenkeel.engine.sweep.space import Value
from evenkeel.model.errors import StorageError, UsageError

HEAD_NAME = "sweep.head.json"
LINES_NAME = "sets.jsonl"
TABLE_NAME = "sweep.parquet"
RESULT_NAME = "sweep.json"
PAGE_NAME = "sweep.html"

_OURS = frozenset({HEAD_NAME, LINES_NAME, TABLE_NAME, RESULT_NAME, PAGE_NAME})


class SweepStore:
    """The files of one sweep.

    Args:
        folder: Where they are; made when the first is written.
        head: What is swept, as plain data: the same head is the same sweep.
    """

    def __init__(self, folder: Path, head: Mapping[str, Any]) -> None:
        self.folder = folder
        self._head = _written(head)

    def open(self) -> dict[int, Row]:
        """Return the rows that are done, by number of the set, and make the folder ready for more.

        Raises:
            UsageError: If the folder holds something else.
            StorageError: If the disk refuses.
        """
        try:
            found = sorted(path.name for path in self.folder.iterdir()) if self.folder.exists() else []
            known = (self.folder / HEAD_NAME).read_bytes() if HEAD_NAME in found else None
        except NotADirectoryError:
            raise UsageError(f"'{self.folder}' is a file; --out takes a folder") from None
        except OSError as error:
            raise StorageError(f"'{self.folder}' cannot be read: {error.strerror or error}") from None
        strangers = [name for name in found if name not in _OURS and not name.startswith(".")]
        if known is None and strangers:
            raise UsageError(f"'{self.folder}' holds other files ({strangers[0]}); name a new or empty folder")
        if known is not None and known != self._head:
            raise UsageError(
                f"'{self.folder}' holds another sweep: other values, data, strategy or version; name another folder "
                "with --out, or remove that one"
            )
        if known is None:
            make_folder(self.folder)
            write_atomically(self.folder / HEAD_NAME, self._head)
        return self._done()

    def add(self, rows: Iterable[Row]) -> None:
        """Append rows that are done.

        Raises:
            StorageError: If the disk refuses.
        """
        lines = b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
        try:
            with (self.folder / LINES_NAME).open("ab") as file:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StorageError(
                f"the sweep cannot be written into {self.folder}: {error.strerror or error}; what is done so far stays "
                "there, and the same command goes on"
            ) from None

    def finish(self, rows: Sequence[Row], document: Mapping[str, Any], page: str) -> None:
        """Write the table, the page and the document.

        Raises:
            StorageError: If the disk refuses.
        """
        write_atomically(self.folder / TABLE_NAME, _parquet(rows))
        write_atomically(self.folder / PAGE_NAME, page.encode())
        write_atomically(self.folder / RESULT_NAME, _written(document))

    def _done(self) -> dict[int, Row]:
        """Return the rows on disk; a line that was torn when the process died is cut off."""
        path = self.folder / LINES_NAME
        if not path.exists():
            return {}
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.truncate(path, whole)
        try:
            rows = [msgspec.json.decode(line, type=Row) for line in data[:whole].splitlines()]
        except msgspec.DecodeError as error:
            raise UsageError(f"'{path}' is damaged: {error}; remove it and run the sweep again") from None
        return {row.number: row for row in rows}


def _written(document: Mapping[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _parquet(rows: Sequence[Row]) -> bytes:
    """Return the table: number, a column a parameter, the figures, how the run ended, its hash, and refusals."""
    import polars as pl

    names = list(rows[0].values)
    columns: dict[str, pl.Series] = {"set": pl.Series([row.number for row in rows], dtype=pl.Int64)}
    columns |= {name: _column([row.values[name] for row in rows]) for name in names}
    for metric in METRICS:
        kind = pl.Int64 if metric == "trades" else pl.Float64
        column = metric if metric not in columns else f"metric.{metric}"
        columns[column] = pl.Series([row.value(metric) for row in rows], dtype=kind)
    for name in ("stop_reason", "result_hash", "reason", "refusal"):
        columns[name] = pl.Series([getattr(row, name) or None for row in rows], dtype=pl.String)
    data = io.BytesIO()
    pl.DataFrame(columns).write_parquet(data, compression="zstd")
    return data.getvalue()


def _column(values: Sequence[Value]) -> Any:
    """Return a column of one type: whole numbers, numbers, truths, or else words."""
    import polars as pl

    kinds = {type(value) for value in values}
    if kinds <= {int, float}:
        return pl.Series(values, dtype=pl.Int64 if kinds == {int} else pl.Float64, strict=False)
    if kinds == {bool}:
        return pl.Series(values, dtype=pl.Boolean)
    return pl.Series([str(value) for value in values], dtype=pl.String)
