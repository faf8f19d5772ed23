"""The columns of `trades.csv` and `fills.csv`, from fills and legs: what each row says, in the order of the heads."""

from __future__ import annotations

import csv
import io

import msgspec
import numpy as np
import numpy.typing as npt

from evenkeel.engine.cells import (
    Cells,
    float_cells,
    instant_cells,
    integer_cells,
    posting_cells,
    quantity_cells,
    text_cells,
    word_cells,
)
from evenkeel.engine.fill_table import EXITS, KINDS, LEGS, NONE, POINTS, FillTable, Legs
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.reason import ExitReason

TRADE_COLUMNS = (
    "trade", "symbol", "side", "qty", "entry_time", "entry_price", "exit_time", "exit_price", "entry_reason",
    "exit_reason", "gross_pnl", "fees", "funding", "net_pnl", "mae", "mfe", "bars_held",
    "decided_time", "entry_kind", "entry_point", "exit_point", "entry_liquidity", "exit_liquidity", "entry_fee",
    "exit_fee", "stop_price", "target_price", "slippage", "metadata", "leg", "final_stop",
)  # fmt: skip
FILL_COLUMNS = (
    "fill", "trade", "symbol", "side", "qty", "price", "fee", "liquidity", "time", "point", "order_kind",
    "leg", "reason", "slippage",
)  # fmt: skip

_LIQUIDITY = (b"maker", b"taker")


def trade_columns(legs: Legs, symbol: str) -> list[Cells]:
    """Return the columns of `TRADE_COLUMNS`, a row a leg."""
    fills, entry, leave = legs.fills, legs.entry, legs.exit
    times, prices = instant_cells(fills.event_ns), float_cells(fills.price)
    stops, targets = _levels(fills.stop), _levels(fills.target)
    kinds, points = _words(fills.kind, KINDS), _words(fills.point, POINTS)
    reasons, liquidity = _reasons(fills), word_cells(fills.taker, _LIQUIDITY)
    quantity = quantity_cells(np.abs(fills.lots[leave]), fills.unit.value)
    ruled = np.maximum(np.where(fills.exit[leave] == NONE, EXITS.index(ExitReason.SIGNAL), fills.exit[leave]), 0)
    return [
        integer_cells(fills.trade[entry]), _same(symbol, len(legs)), _either(legs.is_long, b"long", b"short"), quantity,
        times.at(entry), prices.at(entry), times.at(leave), prices.at(leave), reasons.at(entry), _words(ruled, EXITS),
        posting_cells(legs.gross), posting_cells(legs.fees), posting_cells(legs.funding), posting_cells(legs.net),
        float_cells(fills.adverse[leave]), float_cells(fills.favourable[leave]), integer_cells(fills.bars_held[leave]),
        _decided(fills.decided_ns[entry]), kinds.at(entry), points.at(entry), points.at(leave), liquidity.at(entry),
        liquidity.at(leave), posting_cells(legs.entry_fee), posting_cells(fills.fee[leave]), stops.at(entry),
        targets.at(entry), posting_cells(legs.slippage), _notes(fills, entry), integer_cells(legs.number),
        stops.at(leave),
    ]  # fmt: skip


def fill_columns(fills: FillTable, symbol: str) -> list[Cells]:
    """Return the columns of `FILL_COLUMNS`, a row a fill."""
    return [
        integer_cells(np.arange(len(fills)) + 1), integer_cells(fills.trade), _same(symbol, len(fills)),
        _either(fills.lots > 0, b"buy", b"sell"), quantity_cells(np.abs(fills.lots), fills.unit.value),
        float_cells(fills.price), posting_cells(fills.fee), word_cells(fills.taker, _LIQUIDITY),
        instant_cells(fills.event_ns), _words(fills.point, POINTS), _words(fills.kind, KINDS),
        _words(fills.leg, LEGS), _reasons(fills), posting_cells(fills.slippage),
    ]  # fmt: skip


def _same(text: str, count: int) -> Cells:
    return word_cells(np.zeros(count, dtype=np.int64), [_quoted(text)])


def _either(is_first: npt.NDArray[np.bool_], first: bytes, second: bytes) -> Cells:
    return word_cells(np.where(is_first, 0, 1), [first, second])


def _words(numbers: Ints, words: tuple[str, ...]) -> Cells:
    return word_cells(numbers, [word.encode() for word in words])


def _reasons(fills: FillTable) -> Cells:
    return word_cells(fills.reason, [_quoted(word) for word in fills.words])


def _levels(prices: Floats) -> Cells:
    shown = np.isfinite(prices)
    return float_cells(np.where(shown, prices, 0.0)).where(shown)


def _decided(stamps_ns: Ints) -> Cells:
    shown = stamps_ns != NONE
    return instant_cells(np.where(shown, stamps_ns, 0)).where(shown)


def _notes(fills: FillTable, rows: Ints) -> Cells:
    if not fills.notes:
        return _same("", len(rows))
    notes = [fills.notes_of(row) for row in rows.tolist()]
    return text_cells([_quoted(msgspec.json.encode(note).decode()) if note else b"" for note in notes])


def _quoted(text: str) -> bytes:
    """Return a text as a cell of a CSV file has it."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow((text, ""))
    return line.getvalue()[: -len(",\n")].encode()
