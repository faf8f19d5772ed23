"""The files of a run, read strictly and turned into records; the only place of the audit that opens files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import polars as pl

from evenkeel.readiness.audit.document import Document, Unreadable, finite
from evenkeel.readiness.audit.moment import parse_instant
from evenkeel.readiness.audit.terms import Terms, read_terms

RESULT_SCHEMA = "evenkeel.backtest/1"
MANIFEST_SCHEMA = "evenkeel.manifest/1"

TRADE_COLUMNS = [
    "trade", "symbol", "side", "qty", "entry_time", "entry_price", "exit_time", "exit_price", "entry_reason",
    "exit_reason", "gross_pnl", "fees", "funding", "net_pnl", "mae", "mfe", "bars_held", "decided_time", "entry_kind",
    "entry_point", "exit_point", "entry_liquidity", "exit_liquidity", "entry_fee", "exit_fee", "stop_price",
    "target_price", "slippage",
]  # fmt: skip
FILL_COLUMNS = [
    "fill", "trade", "symbol", "side", "qty", "price", "fee", "liquidity", "time", "point", "order_kind", "leg",
    "reason", "slippage",
]  # fmt: skip
EQUITY_COLUMNS = {
    "time": pl.Datetime("ns", "UTC"),
    "equity": pl.Decimal(38, 8),
    "cash": pl.Decimal(38, 8),
    "position": pl.Float64(),
    "drawdown": pl.Float64(),
}
SESSION_COLUMNS = {"session": pl.Date(), "equity": pl.Decimal(38, 8)}

POINTS = ("open", "inside", "close")
LIQUIDITIES = ("maker", "taker")


@dataclass(frozen=True, slots=True)
class Trade:
    """One row of `trades.csv`; `sign` is +1 for long and -1 for short, times are nanoseconds."""

    number: str
    symbol: str
    sign: int
    quantity: Decimal
    entry_ns: int
    entry_price: Decimal
    exit_ns: int
    exit_price: Decimal
    exit_reason: str
    gross: Decimal
    fees: Decimal
    funding: Decimal
    net: Decimal
    mae: Decimal
    mfe: Decimal
    bars_held: Decimal
    decided_ns: int
    entry_kind: str
    entry_point: str
    exit_point: str
    entry_liquidity: str
    exit_liquidity: str
    entry_fee: Decimal
    exit_fee: Decimal
    stop: Decimal | None
    target: Decimal | None
    slippage: Decimal


@dataclass(frozen=True, slots=True)
class Fill:
    """One row of `fills.csv`; `sign` is +1 for a buy and -1 for a sale, times are nanoseconds."""

    number: str
    trade: str
    symbol: str
    sign: int
    quantity: Decimal
    price: Decimal
    fee: Decimal
    liquidity: str
    time_ns: int
    point: str
    kind: str
    leg: str
    reason: str
    slippage: Decimal


@dataclass(frozen=True, slots=True)
class Run:
    """A run's files.

    Attributes:
        equity: `equity.parquet`, with `time_ns` (Int64) beside `time`.
        sessions: `sessions.parquet`, or None where the run wrote none.
    """

    result: Document
    manifest: Document
    terms: Terms
    trades: list[Trade]
    fills: list[Fill]
    equity: pl.DataFrame
    sessions: pl.DataFrame | None

    @property
    def final_equity(self) -> Decimal:
        """What the account holds after all postings of the trades."""
        return self.terms.start_equity + sum((trade.net for trade in self.trades), Decimal(0))


def read_run(folder: Path) -> Run:
    """Return the files of the run in `folder`.

    Raises:
        Unreadable: If a file is missing, damaged, of another schema, or holds a value it may not.
    """
    result = _document(folder / "result.json", RESULT_SCHEMA)
    manifest = _document(folder / "manifest.json", MANIFEST_SCHEMA)
    equity = _table(folder / "equity.parquet", EQUITY_COLUMNS)
    sessions = folder / "sessions.parquet"
    return Run(
        result=result,
        manifest=manifest,
        terms=read_terms(manifest),
        trades=[_trade(row) for row in _rows(folder / "trades.csv", TRADE_COLUMNS)],
        fills=[_fill(row) for row in _rows(folder / "fills.csv", FILL_COLUMNS)],
        equity=equity.with_columns(time_ns=pl.col("time").dt.epoch("ns")),
        sessions=_table(sessions, SESSION_COLUMNS) if sessions.exists() else None,
    )


def _document(path: Path, schema: str) -> Document:
    document = Document(path)
    found = document.text("schema")
    if found != schema:
        raise Unreadable(f"{path.name}: the schema is {found!r}; this audit knows {schema!r}")
    return document


def _table(path: Path, columns: dict[str, pl.DataType]) -> pl.DataFrame:
    try:
        table = pl.read_parquet(path)
    except FileNotFoundError:
        raise Unreadable(f"{path.name} is missing") from None
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Unreadable(f"{path.name} cannot be read: {error}") from None
    for name, kind in columns.items():
        found = table.schema.get(name)
        if found != kind:
            raise Unreadable(f"{path.name}: the column {name} is {found}, {kind} was expected")
        if table[name].null_count() or (found == pl.Float64() and not table[name].is_finite().all()):
            raise Unreadable(f"{path.name}: the column {name} has missing or infinite values")
    return table


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of a CSV file, read field by field with its place in every refusal."""

    place: str
    fields: dict[str, str]

    def text(self, name: str) -> str:
        value = self.fields[name]
        if not value:
            raise Unreadable(f"{self.place}: {name} is empty")
        return value

    def one_of(self, name: str, values: tuple[str, ...]) -> str:
        value = self.fields[name]
        if value not in values:
            raise Unreadable(f"{self.place}: {name} is {value!r}, one of {', '.join(values)} was expected")
        return value

    def sign(self, name: str, *, positive: str, negative: str) -> int:
        return 1 if self.one_of(name, (positive, negative)) == positive else -1

    def number(self, name: str) -> Decimal:
        return finite(self.fields[name], f"{self.place}: {name}")

    def positive(self, name: str) -> Decimal:
        value = self.number(name)
        if value <= 0:
            raise Unreadable(f"{self.place}: {name} is {value}, it must be positive")
        return value

    def level(self, name: str) -> Decimal | None:
        return self.positive(name) if self.fields[name] else None

    def money(self, name: str) -> Decimal:
        value = self.number(name)
        if value != round(value, 8):
            raise Unreadable(f"{self.place}: {name} is {value}, money has at most eight decimals")
        return value

    def instant(self, name: str) -> int:
        return parse_instant(self.fields[name], f"{self.place}: {name}")


def _rows(path: Path, columns: list[str]) -> Iterator[_Row]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            if header[: len(columns)] != columns:
                raise Unreadable(f"{path.name}: the header must begin with {','.join(columns)}")
            for number, fields in enumerate(reader, start=2):
                if len(fields) != len(header):
                    raise Unreadable(f"{path.name} line {number}: {len(fields)} fields under {len(header)} columns")
                yield _Row(f"{path.name} line {number}", dict(zip(header, fields, strict=True)))
    except FileNotFoundError:
        raise Unreadable(f"{path.name} is missing") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Unreadable(f"{path.name} cannot be read: {error}") from None


def _trade(row: _Row) -> Trade:
    return Trade(
        number=row.text("trade"),
        symbol=row.text("symbol"),
        sign=row.sign("side", positive="long", negative="short"),
        quantity=row.positive("qty"),
        entry_ns=row.instant("entry_time"),
        entry_price=row.positive("entry_price"),
        exit_ns=row.instant("exit_time"),
        exit_price=row.positive("exit_price"),
        exit_reason=row.text("exit_reason"),
        gross=row.money("gross_pnl"),
        fees=row.money("fees"),
        funding=row.money("funding"),
        net=row.money("net_pnl"),
        mae=row.number("mae"),
        mfe=row.number("mfe"),
        bars_held=row.number("bars_held"),
        decided_ns=row.instant("decided_time"),
        entry_kind=row.one_of("entry_kind", ("market", "limit", "stop")),
        entry_point=row.one_of("entry_point", POINTS),
        exit_point=row.one_of("exit_point", POINTS),
        entry_liquidity=row.one_of("entry_liquidity", LIQUIDITIES),
        exit_liquidity=row.one_of("exit_liquidity", LIQUIDITIES),
        entry_fee=row.money("entry_fee"),
        exit_fee=row.money("exit_fee"),
        stop=row.level("stop_price"),
        target=row.level("target_price"),
        slippage=row.money("slippage"),
    )


def _fill(row: _Row) -> Fill:
    return Fill(
        number=row.text("fill"),
        trade=row.text("trade"),
        symbol=row.text("symbol"),
        sign=row.sign("side", positive="buy", negative="sell"),
        quantity=row.positive("qty"),
        price=row.positive("price"),
        fee=row.money("fee"),
        liquidity=row.one_of("liquidity", LIQUIDITIES),
        time_ns=row.instant("time"),
        point=row.one_of("point", POINTS),
        kind=row.one_of("order_kind", ("market", "limit", "stop", "take_profit")),
        leg=row.one_of("leg", ("entry", "stop", "target", "exit", "guard")),
        reason=row.fields["reason"],
        slippage=row.money("slippage"),
    )
