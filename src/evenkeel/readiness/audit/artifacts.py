"""The files of a run, read strictly and turned into records; the only place of the audit that opens files."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from evenkeel.readiness.audit.columns import (
    Parser,
    any_text,
    level,
    money,
    one_of,
    ordinal,
    positive,
    read_records,
    sign_of,
    some_text,
)
from evenkeel.readiness.audit.document import Document, Unreadable, finite
from evenkeel.readiness.audit.moment import parse_instant
from evenkeel.readiness.audit.terms import Terms, read_terms

RESULT_SCHEMA = "evenkeel.backtest/1"
MANIFEST_SCHEMA = "evenkeel.manifest/1"

POINTS = ("open", "inside", "close")
LIQUIDITIES = ("maker", "taker")

TRADE_COLUMNS: dict[str, Parser[Any]] = {
    "trade": some_text,
    "symbol": some_text,
    "side": sign_of(positive="long", negative="short"),
    "qty": positive,
    "entry_time": parse_instant,
    "entry_price": positive,
    "exit_time": parse_instant,
    "exit_price": positive,
    "entry_reason": any_text,
    "exit_reason": some_text,
    "gross_pnl": money,
    "fees": money,
    "funding": money,
    "net_pnl": money,
    "mae": finite,
    "mfe": finite,
    "bars_held": finite,
    "decided_time": parse_instant,
    "entry_kind": one_of("market", "limit", "stop"),
    "entry_point": one_of(*POINTS),
    "exit_point": one_of(*POINTS),
    "entry_liquidity": one_of(*LIQUIDITIES),
    "exit_liquidity": one_of(*LIQUIDITIES),
    "entry_fee": money,
    "exit_fee": money,
    "stop_price": level,
    "target_price": level,
    "slippage": money,
}
APPENDED_COLUMNS: dict[str, Parser[Any]] = {"leg": ordinal, "final_stop": level}
"""Runs that closed every position at once did not write them."""

FILL_COLUMNS: dict[str, Parser[Any]] = {
    "fill": some_text,
    "trade": some_text,
    "symbol": some_text,
    "side": sign_of(positive="buy", negative="sell"),
    "qty": positive,
    "price": positive,
    "fee": money,
    "liquidity": one_of(*LIQUIDITIES),
    "time": parse_instant,
    "point": one_of(*POINTS),
    "order_kind": one_of("market", "limit", "stop", "take_profit"),
    "leg": one_of("entry", "stop", "target", "exit", "guard"),
    "reason": any_text,
    "slippage": money,
}
SHARE_COLUMNS: dict[str, Parser[Any]] = {"time": parse_instant, "share": money}
EQUITY_COLUMNS = {
    "time": pl.Datetime("ns", "UTC"),
    "equity": pl.Decimal(38, 8),
    "cash": pl.Decimal(38, 8),
    "position": pl.Float64(),
    "drawdown": pl.Float64(),
}
SESSION_COLUMNS = {"session": pl.Date(), "equity": pl.Decimal(38, 8)}


class Trade(NamedTuple):
    """One row of `trades.csv`, a closed leg of a position; `sign` is +1 for long and -1 for short, times nanoseconds.

    Attributes:
        number: Of the position; its legs share it.
        stop: Its level when the position was opened; None without one.
        leg: Which of the position's legs, from 1.
        final_stop: Level of the stop when this leg was closed.
    """

    number: str
    symbol: str
    sign: int
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
    leg: int
    final_stop: Decimal | None

    @property
    def label(self) -> str:
        """How messages call it."""
        return f"trade {self.number}" if self.leg == 1 else f"trade {self.number} leg {self.leg}"


class Fill(NamedTuple):
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


class Share(NamedTuple):
    """One row of `shares.csv`: from when on a play of a playbook may use how much."""

    time_ns: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Position:
    """The legs of one position, in the order in which they were closed.

    Attributes:
        entry: The first of them, for what they share: side, decision, entry and first levels.
        last: The one that ended the position.
        quantity: All that was bought or sold at the entry.
        entry_fee: What that cost.
        funding: The sum of that of its legs, like the two before.
        net: The sum of their net results.
    """

    legs: tuple[Trade, ...]
    entry: Trade
    last: Trade
    quantity: Decimal
    entry_fee: Decimal
    funding: Decimal
    net: Decimal

    @property
    def number(self) -> str:
        """The number that its legs share."""
        return self.entry.number

    @property
    def sign(self) -> int:
        """+1 for long, -1 for short."""
        return self.entry.sign


def positions_of(trades: list[Trade]) -> list[Position]:
    """Return the positions that rows of a trade list make: those of one number that follow each other are one."""
    return [_position(tuple(group)) for _, group in groupby(trades, key=lambda trade: trade.number)]


def _position(legs: tuple[Trade, ...]) -> Position:
    def total(column: str) -> Decimal:
        return sum((getattr(leg, column) for leg in legs), Decimal(0))

    sums = (total(column) for column in ("quantity", "entry_fee", "funding", "net"))
    return Position(legs, legs[0], legs[-1], *sums)


@dataclass(frozen=True, slots=True)
class Run:
    """A run's files.

    Attributes:
        trades: The closed legs, in order.
        positions: The same, those of one position together.
        equity: `equity.parquet`, with `time_ns` (Int64) for `time`.
        sessions: `sessions.parquet`, or None where the run wrote none.
        shares: `shares.csv` of a play that ran in a playbook; None of one that ran alone.
    """

    result: Document
    manifest: Document
    terms: Terms
    trades: list[Trade]
    fills: list[Fill]
    equity: pl.DataFrame
    sessions: pl.DataFrame | None
    shares: list[Share] | None = None
    positions: list[Position] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "positions", positions_of(self.trades))

    @property
    def final_equity(self) -> Decimal:
        """What the account holds after all postings of the trades."""
        return self.terms.start_equity + sum((trade.net for trade in self.trades), Decimal(0))

    def share_at(self, time_ns: int) -> Decimal | None:
        """Return what a play of a playbook might use at an instant; None of one that ran alone."""
        if self.shares is None:
            return None
        return next((share.amount for share in reversed(self.shares) if share.time_ns <= time_ns), Decimal(0))

    def instants(self) -> set[int]:
        """Return all instants at which something happened to a trade."""
        of_trades = {moment for trade in self.trades for moment in (trade.decided_ns, trade.entry_ns, trade.exit_ns)}
        return of_trades | {fill.time_ns for fill in self.fills}


def read_run(folder: Path) -> Run:
    """Return the files of the run in `folder`.

    Raises:
        Unreadable: If a file is missing, damaged, of another schema, or holds a value it may not.
    """
    result = _document(folder / "result.json", RESULT_SCHEMA)
    manifest = _document(folder / "manifest.json", MANIFEST_SCHEMA)
    trades = read_records(folder / "trades.csv", TRADE_COLUMNS, _trade, appended=APPENDED_COLUMNS)
    fills = read_records(folder / "fills.csv", FILL_COLUMNS, Fill)
    equity = _table(folder / "equity.parquet", EQUITY_COLUMNS)
    sessions = folder / "sessions.parquet"
    return Run(
        result=result,
        manifest=manifest,
        terms=read_terms(manifest),
        trades=trades,
        fills=fills,
        equity=equity.select(pl.col("time").to_physical().alias("time_ns"), *list(EQUITY_COLUMNS)[1:]),
        sessions=_table(sessions, SESSION_COLUMNS) if sessions.exists() else None,
        shares=read_records(folder / "shares.csv", SHARE_COLUMNS, Share) if manifest.has("playbook") else None,
    )


def _trade(*values: Any) -> Trade:
    """Return a row; one without the appended columns is the only leg, and its stop did not move."""
    trade = Trade(*values)
    only_leg = values[Trade._fields.index("leg")] is None
    return trade._replace(leg=1, final_stop=trade.stop) if only_leg else trade


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
