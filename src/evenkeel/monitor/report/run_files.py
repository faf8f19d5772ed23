"""A finished run as its folder holds it: `result.json`, `manifest.json`, `trades.csv` and `equity.parquet`.

Everything is read once, checked, and given out as typed values, so that the rest of the report cannot meet a missing
column or a word where a number belongs.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import polars as pl

from evenkeel.model.bar import Floats, Ints
from evenkeel.model.errors import DataError, KeelError, StorageError
from evenkeel.model.time import parse_time
from evenkeel.readiness.evidence import Evidence

RESULT_SCHEMA = "evenkeel.backtest/1"

_Read = TypeVar("_Read")


class StrategyName(msgspec.Struct, frozen=True):
    """Which strategy ran."""

    name: str
    kind: str = ""
    hash: str = ""


class DataRange(msgspec.Struct, frozen=True):
    """Which bars it ran on; times in ISO 8601, the end excluded."""

    start: str
    end: str
    base_tf: str = ""
    exec_tf: str = ""
    hash: str = ""
    base_bars: int = 0
    exec_bars: int = 0


class AccountRange(msgspec.Struct, frozen=True):
    """Equity before and after, in `currency`."""

    currency: str
    start_equity: Decimal
    end_equity: Decimal


class Check(msgspec.Struct, frozen=True):
    """One check of the independent audit; `ok` means nothing where `skipped` is true."""

    name: str
    ok: bool
    skipped: bool = False
    detail: str = ""


class Result(msgspec.Struct, frozen=True):
    """The part of `result.json` that a report shows."""

    schema: str
    run: str
    strategy: StrategyName
    data: DataRange
    account: AccountRange
    metrics: dict[str, Any]
    profile: str = ""
    lane: str = ""
    symbols: list[str] = []
    result_hash: str = ""
    stop_reason: str = ""
    marks: list[str] = []
    metrics_extra: dict[str, Any] = {}
    checks: list[Check] = []
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One row of `trades.csv`: a closed leg.

    Money is exact and in the account currency; `mae` and `mfe` are fractions of the entry price, both at least 0;
    times are nanoseconds since the epoch, UTC; a level that did not exist is None.
    """

    number: str
    symbol: str
    side: str
    quantity: Decimal
    entry_ns: int
    entry_price: Decimal
    exit_ns: int
    exit_price: Decimal
    entry_reason: str
    exit_reason: str
    gross: Decimal
    fees: Decimal
    funding: Decimal
    net: Decimal
    mae: float | None
    mfe: float | None
    bars_held: int
    stop_price: Decimal | None
    target_price: Decimal | None
    slippage: Decimal


@dataclass(frozen=True, slots=True)
class EquityCurve:
    """`equity.parquet`: the account at the close of each execution bar; `drawdown` is a fraction, at least 0."""

    time_ns: Ints
    equity: Floats
    drawdown: Floats


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that a report needs to know about one run."""

    result: Result
    manifest: dict[str, Any]
    trades: tuple[Trade, ...]
    equity: EquityCurve

    @property
    def multiplier(self) -> Decimal:
        """Money per point of price and unit of quantity."""
        return Decimal(str(self.instrument.get("multiplier", "1")))

    @property
    def instrument(self) -> dict[str, Any]:
        """The instrument's definition as the manifest has it; empty where the manifest has none."""
        found = self.manifest.get("instrument")
        return found if isinstance(found, dict) else {}


def read_run(folder: Path) -> Run:
    """Read the files of a run.

    Raises:
        DataError: If a file is missing or does not say what it should.
        StorageError: If a file cannot be read.
    """
    result = read_result(folder)
    return Run(result, read_manifest(folder), read_trades(folder), read_equity(folder))


def read_result(folder: Path) -> Result:
    """Read `result.json`.

    Raises:
        DataError: If it is missing, or not the result of a backtest.
    """
    path = folder / "result.json"
    result = _decoded(path, Result)
    if result.schema != RESULT_SCHEMA:
        raise DataError(f"{path}: the schema is '{result.schema}'; this version reads {RESULT_SCHEMA}")
    return result


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read `manifest.json`.

    Raises:
        DataError: If it is missing or damaged.
    """
    return _decoded(folder / "manifest.json", dict[str, Any])


def read_trades(folder: Path) -> tuple[Trade, ...]:
    """Read `trades.csv`, oldest first as written.

    Raises:
        DataError: If it is missing, or a cell is not what its column says.
    """
    path = folder / "trades.csv"
    return tuple(_reading(path, lambda: list(_trades_of(path))))


def read_equity(folder: Path) -> EquityCurve:
    """Read `equity.parquet`.

    Raises:
        DataError: If it is missing, damaged or lacks a column.
    """
    path = folder / "equity.parquet"
    frame = _reading(path, lambda: pl.read_parquet(path, columns=["time", "equity", "drawdown"]))
    return EquityCurve(
        frame["time"].dt.cast_time_unit("ns").to_physical().cast(pl.Int64).to_numpy(),
        np.ascontiguousarray(frame["equity"].cast(pl.Float64).to_numpy()),
        np.ascontiguousarray(frame["drawdown"].cast(pl.Float64).to_numpy()),
    )


def read_positions(folder: Path, column: str) -> tuple[Ints, Floats]:
    """Read a column of positions of `equity.parquet`, in units of the instrument, with the instant of each.

    Raises:
        DataError: If it is missing, damaged or lacks the column.
    """
    path = folder / "equity.parquet"
    frame = _reading(path, lambda: pl.read_parquet(path, columns=["time", column]))
    return frame["time"].dt.epoch("ns").to_numpy(), frame[column].to_numpy()


def _decoded(path: Path, kind: type[_Read]) -> _Read:
    return _reading(path, lambda: msgspec.json.decode(path.read_bytes(), type=kind))


def _reading(path: Path, read: Callable[[], _Read]) -> _Read:
    """Turn every way in which a file can fail into one sentence that names it."""
    try:
        return read()
    except KeelError:
        raise
    except FileNotFoundError:
        raise DataError(
            f"{path.parent} is not the folder of a finished backtest: {path.name} is missing; run the backtest again"
        ) from None
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror or error}") from None
    except (msgspec.MsgspecError, pl.exceptions.PolarsError, csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path} is damaged: {error}; run the backtest again") from None


def _trades_of(path: Path) -> Iterator[Trade]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        for cells in reader:
            yield _trade_of(_Row(path, reader.line_num, cells))


@dataclass(frozen=True, slots=True)
class _Row:
    path: Path
    line: int
    cells: dict[str, str]

    def text(self, column: str) -> str:
        value = self.cells.get(column)
        if value is None:
            raise DataError(f"{self.path}, line {self.line}: the column {column} is missing; run the backtest again")
        return value

    def decimal(self, column: str) -> Decimal:
        value = self.decimal_or_none(column)
        if value is None:
            raise DataError(f"{self.path}, line {self.line}: {column} is empty; run the backtest again")
        return value

    def decimal_or_none(self, column: str) -> Decimal | None:
        text = self.cells.get(column) or ""
        if not text:
            return None
        try:
            value = Decimal(text)
        except InvalidOperation:
            raise self._not_a_number(column, text) from None
        if not value.is_finite():
            raise self._not_a_number(column, text)
        return value

    def fraction(self, column: str) -> float | None:
        value = self.decimal_or_none(column)
        return None if value is None else float(value)

    def _not_a_number(self, column: str, text: str) -> DataError:
        return DataError(f"{self.path}, line {self.line}: {column} is '{text}', not a number; run the backtest again")


def _trade_of(row: _Row) -> Trade:
    return Trade(
        number=row.text("trade"),
        symbol=row.text("symbol"),
        side=row.text("side"),
        quantity=row.decimal("qty"),
        entry_ns=parse_time(row.text("entry_time")),
        entry_price=row.decimal("entry_price"),
        exit_ns=parse_time(row.text("exit_time")),
        exit_price=row.decimal("exit_price"),
        entry_reason=row.text("entry_reason"),
        exit_reason=row.text("exit_reason"),
        gross=row.decimal("gross_pnl"),
        fees=row.decimal("fees"),
        funding=row.decimal("funding"),
        net=row.decimal("net_pnl"),
        mae=row.fraction("mae"),
        mfe=row.fraction("mfe"),
        bars_held=int(row.decimal("bars_held")),
        stop_price=row.decimal_or_none("stop_price"),
        target_price=row.decimal_or_none("target_price"),
        slippage=row.decimal_or_none("slippage") or Decimal(0),
    )
