"""A journal as a table: one row an entry, for spreadsheets and data frames.

The payloads are msgpack maps that name their own type, so the export needs no message classes and also reads journals
of other versions.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from evenkeel.data.atomic import write_atomically
from evenkeel.engine.journal.frame import Frame
from evenkeel.model.errors import StorageError
from evenkeel.model.time import format_time

KIND_NAMES = {1: "event", 2: "decision", 3: "command", 4: "session", 5: "snapshot"}
"""The engine's kinds in words; another kind appears as its number."""

TIME_KEYS = ("known_ns", "event_ns", "time_ns")
"""Where an entry's time is looked for, in this order."""


class Row(NamedTuple):
    """One entry in the table.

    Attributes:
        sequence: Position in the journal.
        kind: `event`, `decision`, `command`, `session` or `snapshot`.
        time: When the engine knew it, ISO 8601 with `Z`; None where the entry has no time.
        type: The message's type.
        json: The whole payload.
    """

    sequence: int
    kind: str
    time: str | None
    type: str | None
    json: str


def rows(frames: Iterable[Frame]) -> Iterator[Row]:
    """Yield a row for each entry.

    Raises:
        StorageError: If a payload is not a msgpack map.
    """
    for frame in frames:
        message = _decode(frame)
        times = (value for key in TIME_KEYS if isinstance(value := message.get(key), int))
        time = next(map(format_time, times), None)
        kind = KIND_NAMES.get(frame.kind, str(frame.kind))
        name = message.get("type")
        text = msgspec.json.encode(message, enc_hook=_foreign).decode()
        yield Row(frame.sequence, kind, time, None if name is None else str(name), text)


def write_csv(frames: Iterable[Frame], path: Path) -> int:
    """Write the entries as CSV and return their number; the file appears only when it is complete.

    Raises:
        StorageError: If a payload cannot be read or the file cannot be written.
    """
    count = 0
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Row._fields)
    for count, row in enumerate(rows(frames), start=1):  # noqa: B007 - the count is the result
        writer.writerow(row)
    write_atomically(path, text.getvalue().encode())
    return count


def write_parquet(frames: Iterable[Frame], path: Path) -> int:
    """Write the entries as Parquet and return their number; the file appears only when it is complete.

    Raises:
        StorageError: If a payload cannot be read or the file cannot be written.
    """
    import polars as pl

    schema = {"sequence": pl.UInt64, "kind": pl.String, "time": pl.String, "type": pl.String, "json": pl.String}
    table = pl.DataFrame(list(rows(frames)), schema=schema, orient="row")
    table = table.with_columns(pl.col("time").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="ns", time_zone="UTC"))
    data = io.BytesIO()
    table.write_parquet(data)
    write_atomically(path, data.getvalue())
    return table.height


def _decode(frame: Frame) -> dict[object, object]:
    try:
        return msgspec.msgpack.decode(frame.payload, type=dict[object, object])
    except msgspec.MsgspecError as error:
        raise StorageError(f"journal entry {frame.sequence} is not a msgpack map: {error}") from None


def _foreign(value: object) -> object:
    if isinstance(value, msgspec.msgpack.Ext):
        return {"ext": value.code, "data": bytes(value.data)}
    raise TypeError(f"a {type(value).__name__} in a journal entry")
