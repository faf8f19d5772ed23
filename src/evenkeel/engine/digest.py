"""The digest of fills: the bytes that MessagePack makes of each fill as an event, from columns.

    array(event as a map without id and inbox stamp, trade, when decided, reason, notes)

An event leaves out what has its default value, as `msgspec` does. A test compares with what it makes of the records.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from evenkeel.engine.cells import (
    Bytes,
    Cells,
    Column,
    float_cells,
    join_rows,
    packed_cells,
    posting_cells,
    quantity_cells,
    text_cells,
    word_cells,
)
from evenkeel.engine.fill_table import EXITS, KINDS, LEGS, NONE, POINTS, FillTable
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.event import OrderFilled

ROWS_AT_ONCE = 16_384
"""Fills of a batch: its columns take some ten megabytes."""

_encode = msgspec.msgpack.Encoder().encode
_TAG = _encode("type") + _encode(OrderFilled.__struct_config__.tag)
_NIL, _ARRAY_OF_FIVE, _MAP = b"\xc0", b"\x95", b"\xde\x00"
_ALWAYS = 13
"""Entries of an event that it always has, its tag and the stamp of the inbox among them."""


def fill_bytes(table: FillTable) -> Iterator[Bytes]:
    """Yield what the digest of a run takes of its fills, in batches."""
    for start in range(0, len(table), ROWS_AT_ONCE):
        yield _batch(table.rows(start, min(start + ROWS_AT_ONCE, len(table))))


def _batch(table: FillTable) -> Bytes:
    leaves, has_stop, has_target = table.exit != NONE, np.isfinite(table.stop), np.isfinite(table.target)
    has_left, has_average = table.left != 0, np.isfinite(table.average)
    shown = _ALWAYS + 3 + leaves + has_stop + has_target + (table.bars_held != 0) + has_left + has_average
    decided, none = packed_cells(table.decided_ns), text_cells([_NIL]).at(np.zeros(len(table), dtype=np.int64))
    return join_rows([
        Column(_ARRAY_OF_FIVE + _MAP, word_cells(shown, [bytes([n]) for n in range(32)])),
        Column(_TAG + _encode("event_ns"), packed_cells(table.event_ns)),
        Column(_encode("known_ns") + b"\x00" + _encode("leg"), word_cells(table.leg, [_encode(one) for one in LEGS])),
        Column(_encode("kind"), word_cells(table.kind, [_encode(one) for one in KINDS])),
        *_string("quantity", quantity_cells(table.lots, table.unit.value, short=False)),
        *_string("left", quantity_cells(table.left, table.unit.value, short=False).where(has_left)),
        *_string("price", float_cells(table.price, short=False)),
        *_string("average", _levels(table.average).where(has_average)),
        *_string("fee", posting_cells(table.fee, short=False)),
        *_string("gross", posting_cells(table.gross, short=False)),
        *_string("slippage", posting_cells(table.slippage, short=False)),
        Column(_encode("taker"), word_cells(table.taker, [_encode(False), _encode(True)])),
        Column(_encode("row"), packed_cells(table.row)),
        Column(_encode("bar"), packed_cells(table.bar)),
        Column(_encode("point"), word_cells(table.point, [_encode(one) for one in POINTS])),
        Column(_encode("exit_reason"), _exits(table.exit).where(leaves), whole=False),
        *_string("stop_price", _levels(table.stop).where(has_stop)),
        *_string("target_price", _levels(table.target).where(has_target)),
        *_string("adverse", float_cells(table.adverse, short=False)),
        *_string("favourable", float_cells(table.favourable, short=False)),
        Column(_encode("bars_held"), packed_cells(table.bars_held).where(table.bars_held != 0), whole=False),
        Column(b"", packed_cells(table.trade)),
        Column(b"", decided.where(table.decided_ns != NONE)),
        Column(b"", none.where(table.decided_ns == NONE)),
        Column(b"", word_cells(table.reason, [_encode(word) for word in table.words])),
        Column(b"", _notes(table)),
    ])  # fmt: skip


def _string(key: str, text: Cells) -> list[Column]:
    """Return an entry of a map whose value is a text under 32 bytes; an empty one leaves the entry out."""
    header = word_cells(text.lengths, [b"", *(bytes([0xA0 + size]) for size in range(1, 32))])
    return [Column(_encode(key), header, whole=False), Column(b"", text)]


def _exits(numbers: Ints) -> Cells:
    return word_cells(np.maximum(numbers, 0), [_encode(one) for one in EXITS])


def _levels(prices: Floats) -> Cells:
    return float_cells(np.where(np.isfinite(prices), prices, 0.0), short=False)


def _notes(table: FillTable) -> Cells:
    if table.notes:
        return text_cells([_encode(note) for note in table.notes])
    return text_cells([_encode({})]).at(np.zeros(len(table), dtype=np.int64))
