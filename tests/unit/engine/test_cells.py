"""Columns of text say what one number at a time would: Python's own texts, MessagePack and CSV are the judges."""

from __future__ import annotations

import csv
import io
import random
from decimal import Decimal

import msgspec
import numpy as np
import pytest

from evenkeel.engine.cells import (
    Cells,
    Column,
    float_cells,
    instant_cells,
    integer_cells,
    join_rows,
    packed_cells,
    posting_cells,
    quantity_cells,
    text_cells,
    word_cells,
)
from evenkeel.engine.tables import _quoted
from evenkeel.model.number import Grid, plain, to_decimal
from evenkeel.model.time import format_time

DRAW = random.Random(5)
COUNTS = [
    0, 1, -1, 5, 9, 10, 15, 99, 100, -99, -100, 127, 128, 255, 256, -32, -33, -128, -129, 65_535, 65_536, 2**32,
    -(2**31) - 1, 2**31, 10**8, -(10**8), 10**10, 123_456_789, 2**62, -(2**62),
    *(DRAW.randrange(-(10**k), 10**k) for k in range(1, 19) for _ in range(60)),
]  # fmt: skip
PRICES = [DRAW.randrange(-(10**k), 10**k) / 10 ** DRAW.randrange(9) for k in range(1, 15) for _ in range(60)]
WILD = [DRAW.gauss(0, 1) * 10.0 ** DRAW.randrange(-12, 20) for _ in range(500)]
FLOATS = [
    0.0, -0.0, 1.0, 1e-4, 9.999e-5, 1e-5, 1.5e-7, 1e16, 1e22, 30_000.0, 0.1, 0.1 + 0.2, 100.02 + 1e-12, 9.99999e6,
    1e7, 123_456_789.12, *PRICES, *WILD,
]  # fmt: skip
INSTANTS = [0, -1_000_000_000, 951_782_400 * 10**9, 1_709_164_800 * 10**9] + [
    DRAW.randrange(-2 * 10**9, 4 * 10**9) * 10**9 for _ in range(500)
]


def read(cells: Cells) -> list[bytes]:
    pairs = zip(cells.starts.tolist(), cells.lengths.tolist(), strict=True)
    return [cells.pool[start : start + length].tobytes() for start, length in pairs]


def texts(cells: Cells) -> list[str]:
    return [cell.decode() for cell in read(cells)]


def test_postings_are_exact_decimals() -> None:
    counts = np.array(COUNTS, dtype=np.int64)
    exact = [Decimal(count).scaleb(-8) for count in COUNTS]

    assert texts(posting_cells(counts)) == [plain(value) for value in exact]
    assert texts(posting_cells(counts, short=False)) == [str(value) for value in exact]


def test_floats_are_their_shortest_text() -> None:
    values = np.array(FLOATS)

    assert texts(float_cells(values)) == [plain(to_decimal(value)) for value in FLOATS]
    assert texts(float_cells(values, short=False)) == [str(to_decimal(value)) for value in FLOATS]
    assert [float(text) for text in texts(float_cells(values))] == FLOATS


def test_instants_are_iso_8601() -> None:
    assert texts(instant_cells(np.array(INSTANTS))) == [format_time(stamp) for stamp in INSTANTS]
    odd = [1, 1_577_851_860_000_000_001, 1_577_851_860_500_000_000]
    assert texts(instant_cells(np.array(odd))) == [format_time(stamp) for stamp in odd]


def test_packed_integers_are_those_of_messagepack() -> None:
    assert read(packed_cells(np.array(COUNTS))) == [msgspec.msgpack.encode(count) for count in COUNTS]


@pytest.mark.parametrize("step", ["0.001", "1", "0.25", "50", "0.00000001"])
def test_quantities_are_whole_steps(step: str) -> None:
    lots, grid = [0, 1, -3, 1000, 12_345, 10**7], Grid.of(Decimal(step))

    assert texts(quantity_cells(np.array(lots), grid.value)) == [plain(lot * Decimal(step)) for lot in lots]
    assert texts(quantity_cells(np.array(lots), grid.value, short=False)) == [str(grid.value(lot)) for lot in lots]


def test_rows_have_their_columns_in_order_and_nothing_for_what_is_left_out() -> None:
    numbers, words = integer_cells(np.array([7, 12, 7])), word_cells(np.array([1, 0, 1]), [b"", b"yes"])
    columns = [Column(b"n=", numbers), Column(b",w=", words, whole=False), Column(b";", text_cells([b"a", b"", b"c"]))]

    assert join_rows(columns, end=b"|").tobytes() == b"n=7,w=yes;a|n=12;|n=7,w=yes;c|"
    assert join_rows([Column(b"n=", numbers.at(np.array([], dtype=np.int64)))]).tobytes() == b""


@pytest.mark.parametrize("word", ["plain", "with, comma", 'with "quotes"', "two\nlines", "", "ünïcode", " blank "])
def test_a_word_is_quoted_as_csv_has_it(word: str) -> None:
    (row,) = csv.reader(io.StringIO(f"first,{_quoted(word).decode()},last\n"))

    assert row == ["first", word, "last"]
