r"""Text by columns: many small pieces of bytes, each column made at once, then put together row by row.

A table of twenty thousand rows and thirty columns is six hundred thousand short strings. Nobody looks at one of them
alone, so none becomes a Python object: a column is a pool of bytes with a start and a length for each row, and one
kernel writes the rows.

    prices, fees = float_cells(table.price), posting_cells(table.fee)
    text = join_rows([Column(b"", prices), Column(b",", fees)], end=b"\n")
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types

from evenkeel.kernel import INTS, TABLE, compiled, kernel
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.number import POSTINGS_PER_UNIT, plain, to_decimal
from evenkeel.model.time import SECOND, format_time

Bytes = npt.NDArray[np.uint8]

_BYTES = types.Array(types.uint8, 1, "C")
_POSTING_WIDTH, _INTEGER_WIDTH, _INSTANT_WIDTH = 24, 9, 20
_SHORT, _ALL_PLACES, _WITH_POINT = 0, 1, 2
_SAFE = 1e15
_FIXED_FROM = 1e-4
"""From here on Python writes a float without an exponent."""

_SECONDS_MAX = 4_000_000_000
"""Instants within so many seconds of 1970 have years of four digits."""

_ZERO, _POINT, _MINUS, _LETTER_E, _LETTER_T, _LETTER_Z, _COLON = (ord(c) for c in "0.-ETZ:")


@dataclass(frozen=True, slots=True)
class Cells:
    """A column of pieces of bytes.

    Attributes:
        pool: Where they lie.
        starts: First byte of each.
        lengths: Bytes of each.
    """

    pool: Bytes
    starts: Ints
    lengths: Ints

    def at(self, rows: Ints) -> Cells:
        """Return the cells of some rows."""
        return Cells(self.pool, self.starts[rows], self.lengths[rows])

    def where(self, shown: npt.NDArray[np.bool_]) -> Cells:
        """Return the cells, empty where they are not shown."""
        return Cells(self.pool, self.starts, np.where(shown, self.lengths, 0))


@dataclass(frozen=True, slots=True)
class Column:
    """A column in its place in a row.

    Attributes:
        prefix: Written before each cell.
        cells: What is written.
        whole: Whether an empty cell still has its prefix.
    """

    prefix: bytes
    cells: Cells
    whole: bool = True


def text_cells(texts: Sequence[bytes]) -> Cells:
    """Return one cell a text."""
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    return Cells(_pool(b"".join(texts)), np.cumsum(lengths) - lengths, lengths)


def word_cells(numbers: Ints, words: Sequence[bytes]) -> Cells:
    """Return a cell with the word of that number for each row."""
    return text_cells(words).at(numbers)


def float_cells(values: Floats, *, short: bool = True) -> Cells:
    """Return the shortest decimal text of each number: `plain`, or that of its `Decimal` if not short.

    A number that is a count of 1e-8 below 10**15 has that count as its shortest text: no other decimal of at most
    fifteen digits reads back as it. The others are written by Python.
    """
    scaled = np.rint(values * POSTINGS_PER_UNIT)
    even = (np.abs(scaled) < _SAFE) & (scaled / POSTINGS_PER_UNIT == values) & ~(np.signbit(values) & (values == 0.0))
    if not short:
        even &= (values == 0.0) | (np.abs(values) >= _FIXED_FROM)
    cells = _written(np.where(even, scaled, 0.0).astype(np.int64), _SHORT if short else _WITH_POINT)
    if even.all():
        return cells
    texts = text_cells([_float_text(value, short) for value in values[~even].tolist()])
    starts, lengths = cells.starts.copy(), cells.lengths.copy()
    starts[~even], lengths[~even] = texts.starts + len(cells.pool), texts.lengths
    return Cells(np.concatenate([cells.pool, texts.pool]), starts, lengths)


def _float_text(value: float, short: bool) -> bytes:
    text = repr(value)
    if "e" in text or (short and text.endswith(".0")):
        text = plain(to_decimal(value)) if short else str(to_decimal(value))
    return text.encode()


def instant_cells(stamps_ns: Ints) -> Cells:
    """Return each instant as `format_time` writes it."""
    seconds, fractions = np.divmod(stamps_ns, SECOND)
    if fractions.any() or np.abs(seconds).max(initial=0) > _SECONDS_MAX:
        return text_cells([format_time(stamp).encode() for stamp in stamps_ns.tolist()])
    pool = np.empty((len(seconds), _INSTANT_WIDTH), dtype=np.uint8)
    compiled(write_instants, _INSTANTS_SIGNATURE)(np.ascontiguousarray(seconds), pool.reshape(-1))
    return _cells_in_steps(pool, np.full(len(seconds), _INSTANT_WIDTH))


def posting_cells(counts: Ints, *, short: bool = True) -> Cells:
    """Return counts of 1e-8 as decimal text: `plain`, or as `str` writes the `Decimal` if not short."""
    return _written(np.ascontiguousarray(counts, dtype=np.int64), _SHORT if short else _ALL_PLACES)


def _written(counts: Ints, style: int) -> Cells:
    pool, lengths = np.empty((len(counts), _POSTING_WIDTH), dtype=np.uint8), np.empty(len(counts), dtype=np.int64)
    compiled(write_postings, _POSTINGS_SIGNATURE)(counts, style, pool.reshape(-1), lengths)
    return _cells_in_steps(pool, lengths)


def integer_cells(values: Ints) -> Cells:
    """Return integers as decimal text."""
    found, numbers = np.unique(values, return_inverse=True)
    return word_cells(numbers, [b"%d" % value for value in found.tolist()])


def packed_cells(values: Ints) -> Cells:
    """Return integers as MessagePack has them, each in the fewest bytes."""
    values = np.ascontiguousarray(values, dtype=np.int64)
    pool, lengths = np.empty((len(values), _INTEGER_WIDTH), dtype=np.uint8), np.empty(len(values), dtype=np.int64)
    compiled(write_packed, _PACKED_SIGNATURE)(values, pool.reshape(-1), lengths)
    return _cells_in_steps(pool, lengths)


def quantity_cells(lots: Ints, value: Any, *, short: bool = True) -> Cells:
    """Return the quantities of so many lots as decimal text; `value` gives the `Decimal` of a count of lots."""
    found, numbers = np.unique(lots, return_inverse=True)
    text = plain if short else str
    return word_cells(numbers, [text(Decimal(value(count))).encode() for count in found.tolist()])


def join_rows(columns: Sequence[Column], *, end: bytes = b"") -> Bytes:
    """Return all rows, one after the other, each with its columns in order and `end`."""
    count = len(columns[0].cells.starts)
    sizes = np.array([len(column.cells.pool) for column in columns])
    offsets = np.cumsum(sizes) - sizes
    starts = np.array([column.cells.starts + o for column, o in zip(columns, offsets, strict=True)], dtype=np.int64)
    lengths = np.array([column.cells.lengths for column in columns], dtype=np.int64)
    prefixes = text_cells([*(column.prefix for column in columns), end])
    whole = np.array([column.whole for column in columns], dtype=np.int64)
    room = int(lengths.sum()) + count * int(prefixes.lengths.sum())
    out = np.empty(room, dtype=np.uint8)
    pool = np.concatenate([column.cells.pool for column in columns])
    write = compiled(write_rows, _ROWS_SIGNATURE)
    written = write(pool, starts, lengths, prefixes.pool, prefixes.starts, prefixes.lengths, whole, out)
    return out[:written]


def _pool(data: bytes) -> Bytes:
    return np.frombuffer(bytearray(data), dtype=np.uint8)


def _cells_in_steps(pool: Bytes, lengths: Ints) -> Cells:
    return Cells(pool.reshape(-1), np.arange(len(lengths), dtype=np.int64) * pool.shape[1], lengths)


_POSTINGS_SIGNATURE = types.void(INTS, types.int64, _BYTES, INTS)
_INSTANTS_SIGNATURE = types.void(INTS, _BYTES)
_PACKED_SIGNATURE = types.void(INTS, _BYTES, INTS)
_ROWS_SIGNATURE = types.int64(_BYTES, TABLE, TABLE, _BYTES, INTS, INTS, INTS, _BYTES)


@kernel
def write_postings(counts: Ints, style: int, pool: Bytes, lengths: Ints) -> None:
    """Write counts of 1e-8 as decimals, one in each `_POSTING_WIDTH` bytes.

    `_SHORT` has no zeros at the end, `_WITH_POINT` one place at least, `_ALL_PLACES` eight, or an exponent under 1e-6.
    """
    for i in range(len(counts)):
        start = at = i * _POSTING_WIDTH
        count = counts[i]
        if count < 0:
            pool[at] = _MINUS
            at += 1
            count = -count
        whole, part = count // POSTINGS_PER_UNIT, count % POSTINGS_PER_UNIT
        if style == _ALL_PLACES and whole == 0 and part < 100:
            if part >= 10:
                pool[at], pool[at + 1] = _ZERO + part // 10, _POINT
                at += 2
            pool[at], pool[at + 1], pool[at + 2] = _ZERO + part % 10, _LETTER_E, _MINUS
            pool[at + 3] = _ZERO + (7 if part >= 10 else 8)
            lengths[i] = at + 4 - start
            continue
        digits, rest = 1, whole // 10
        while rest > 0:
            digits += 1
            rest //= 10
        for k in range(digits):
            pool[at + digits - 1 - k] = _ZERO + whole % 10
            whole //= 10
        at += digits
        if style != _SHORT or part > 0:
            pool[at] = _POINT
            for k in range(8):
                pool[at + 8 - k] = _ZERO + part % 10
                part //= 10
            at += 9
            while style != _ALL_PLACES and pool[at - 1] == _ZERO and (style == _SHORT or pool[at - 2] != _POINT):
                at -= 1
        lengths[i] = at - start


@kernel
def write_instants(seconds: Ints, pool: Bytes) -> None:
    """Write seconds since 1970 as `2024-01-31T23:59:59Z`, one in each `_INSTANT_WIDTH` bytes.

    The date follows from the days by the civil calendar of 400 years that begin with March (Hinnant 2013).
    """
    for i in range(len(seconds)):
        day, second = seconds[i] // 86_400, seconds[i] % 86_400
        era = (day + 719_468) // 146_097
        of_era = day + 719_468 - era * 146_097
        year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
        of_year = of_era - (365 * year + year // 4 - year // 100)
        month = (5 * of_year + 2) // 153
        date = of_year - (153 * month + 2) // 5 + 1
        month = month + 3 if month < 10 else month - 9
        year += era * 400 + (1 if month <= 2 else 0)
        at = i * _INSTANT_WIDTH
        pool[at], pool[at + 1] = _ZERO + year // 1000, _ZERO + year // 100 % 10
        pool[at + 2], pool[at + 3] = _ZERO + year // 10 % 10, _ZERO + year % 10
        parts = (month, date, second // 3600, second // 60 % 60, second % 60)
        marks = (_MINUS, _MINUS, _LETTER_T, _COLON, _COLON)
        for k in range(5):
            first = at + 4 + 3 * k
            pool[first], pool[first + 1], pool[first + 2] = marks[k], _ZERO + parts[k] // 10, _ZERO + parts[k] % 10
        pool[at + 19] = _LETTER_Z


@kernel
def write_packed(values: Ints, pool: Bytes, lengths: Ints) -> None:
    """Write integers as MessagePack has them, one in each `_INTEGER_WIDTH` bytes."""
    for i in range(len(values)):
        start, value = i * _INTEGER_WIDTH, values[i]
        if -32 <= value < 128:
            pool[start], lengths[i] = value & 0xFF, 1
            continue
        if value >= 0:
            width = 1 if value < 1 << 8 else (2 if value < 1 << 16 else (4 if value < 1 << 32 else 8))
            sign = 0xCC
        else:
            width = 1 if value >= -(1 << 7) else (2 if value >= -(1 << 15) else (4 if value >= -(1 << 31) else 8))
            sign = 0xD0
        pool[start] = sign + (0 if width == 1 else (1 if width == 2 else (2 if width == 4 else 3)))
        for k in range(width):
            pool[start + width - k] = (value >> (8 * k)) & 0xFF
        lengths[i] = width + 1


@kernel
def write_rows(
    pool: Bytes, starts: Ints, lengths: Ints,
    prefixes: Bytes, prefix_starts: Ints, prefix_lengths: Ints, whole: Ints, out: Bytes,
) -> int:  # fmt: skip
    """Write rows of cells with the prefix of each column; the last prefix ends a row. Return the bytes written."""
    at, columns = 0, len(starts)
    for row in range(starts.shape[1]):
        for column in range(columns + 1):
            size = lengths[column, row] if column < columns else 0
            if size > 0 or column == columns or whole[column] == 1:
                first = prefix_starts[column]
                for k in range(prefix_lengths[column]):
                    out[at + k] = prefixes[first + k]
                at += prefix_lengths[column]
            for k in range(size):
                out[at + k] = pool[starts[column, row] + k]
            at += size
    return at
