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


TABLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "orders": (
        ("place_order", "submit_entry", "submit_exit"),
        (
            "client_id", "strategy", "instrument", "trade", "leg", "kind", "quantity", "price", "trigger",
            "time_in_force", "reduces",
        ),
    ),
    "fills": (
        ("executed", "order_filled"),
        (
            "execution_id", "client_id", "venue_id", "instrument", "leg", "quantity", "price", "fee", "taker",
            "exit_reason",
        ),
    ),
    "decisions": (
        (
            "of_desk", "entry_approved", "entry_refused", "exit_ordered", "cancel_ordered", "run_stopped",
            "close_trade", "halt_changed",
        ),
        ("strategy", "instrument", "client_id", "reason", "detail", "why"),
    ),
    "commands": (
        ("place_order", "amend_order", "cancel_order", "look_up_order", "submit_entry", "submit_exit", "cancel_entry"),
        ("client_id", "strategy", "instrument", "leg", "quantity", "price", "trigger", "why"),
    ),
    "checks": (
        ("judged",),
        ("client_id", "strategy", "instrument", "purpose", "quantity", "approved", "reason", "vector"),
    ),
}  # fmt: skip
"""By table: the types of entries that are its rows, and its columns after those of every table."""

ENTRIES = "entries"
OWNER = ("strategy", "instrument", "trade")
"""What the places of a desk or of the key of a trade mean."""

INSIDE = ("order", "what", "desk", "key", "closing", "amendment", "found")
"""Parts of a message in which a column is looked for where the message itself does not have it."""


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


def table(frames: Iterable[Frame], name: str) -> tuple[tuple[str, ...], Iterator[tuple[str | int | None, ...]]]:
    """Return the columns of a table and its rows: the entries of some types, with the values that matter in columns.

    Args:
        frames: Of the journal.
        name: One of `TABLES`.

    Raises:
        StorageError: If a payload is not a msgpack map.
    """
    types, columns = TABLES[name]
    heads = ("sequence", "time", "type", *columns)
    return heads, _table_rows(frames, types, columns)


def _table_rows(
    frames: Iterable[Frame], types: tuple[str, ...], columns: tuple[str, ...]
) -> Iterator[tuple[str | int | None, ...]]:  # fmt: skip
    """Yield a row for each entry of the types; one without a time has that of the event before it."""
    time: str | None = None
    for frame in frames:
        message = _decode(frame)
        own = next((value for key in TIME_KEYS if isinstance(value := message.get(key), int)), None)
        time = time if own is None else format_time(own)
        kind = message.get("type")
        if kind in types:
            inner = message.get("what")
            told = inner.get("type") if isinstance(inner, dict) else kind
            yield (frame.sequence, time, str(told), *(_cell(message, column) for column in columns))


def _cell(message: object, column: str) -> str | None:
    """Return a value of a message or of a part of it, as text."""
    if isinstance(message, list):
        message = dict(zip(OWNER, message, strict=False))
    if not isinstance(message, dict):
        return None
    value = message.get(column)
    if isinstance(value, list | dict):
        return None
    if value is not None:
        return str(value)
    inner = (_cell(message[part], column) for part in INSIDE if part in message)
    return next((text for text in inner if text is not None), None)


def write(frames: Iterable[Frame], path: Path, *, kind: str, name: str = ENTRIES) -> int:
    """Write a table and return the number of its rows; the file appears only when it is complete.

    Args:
        frames: Of the journal.
        path: Where to.
        kind: `csv` or `parquet`.
        name: `entries`, one row an entry with all of its message, or one of `TABLES`.

    Raises:
        StorageError: If a payload cannot be read or the file cannot be written.
    """
    columns: tuple[str, ...] = Row._fields
    found: Iterator[tuple[str | int | None, ...]] = rows(frames)
    if name != ENTRIES:
        columns, found = table(frames, name)
    return _write_csv(columns, found, path) if kind == "csv" else _write_parquet(columns, found, path)


def _write_csv(columns: tuple[str, ...], found: Iterable[tuple[str | int | None, ...]], path: Path) -> int:
    count = 0
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for count, row in enumerate(found, start=1):  # noqa: B007 - the count is the result
        writer.writerow(row)
    write_atomically(path, text.getvalue().encode())
    return count


def _write_parquet(columns: tuple[str, ...], found: Iterable[tuple[str | int | None, ...]], path: Path) -> int:
    import polars as pl

    schema = {column: pl.UInt64 if column == "sequence" else pl.String for column in columns}
    frame = pl.DataFrame(list(found), schema=schema, orient="row")
    frame = frame.with_columns(pl.col("time").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="ns", time_zone="UTC"))
    data = io.BytesIO()
    frame.write_parquet(data)
    write_atomically(path, data.getvalue())
    return frame.height


def _decode(frame: Frame) -> dict[object, object]:
    try:
        return msgspec.msgpack.decode(frame.payload, type=dict[object, object])
    except msgspec.MsgspecError as error:
        raise StorageError(f"journal entry {frame.sequence} is not a msgpack map: {error}") from None


def _foreign(value: object) -> object:
    if isinstance(value, msgspec.msgpack.Ext):
        return {"ext": value.code, "data": bytes(value.data)}
    raise TypeError(f"a {type(value).__name__} in a journal entry")
