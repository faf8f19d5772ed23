"""The audit of a run of several instruments on one account: that what the instruments made adds up to the account.

The files of each instrument are audited like those of any other run. Here stand the checks that need all of them.
"""

from __future__ import annotations

import csv
import decimal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import polars as pl

from evenkeel.readiness.audit.artifacts import Run, read_run
from evenkeel.readiness.audit.audit import PRECISION
from evenkeel.readiness.audit.check import Check, judged
from evenkeel.readiness.audit.document import Document, Unreadable
from evenkeel.readiness.audit.shared import Tables, shared_limits, shared_sizes

Row = dict[str, str]


@dataclass(frozen=True)
class _Account:
    """The files of a run of several instruments, as far as they are compared.

    Attributes:
        result: Of the account.
        start: Its money at the start.
        trades: Its `trades.csv`.
        equity: Its `equity.parquet`.
        runs: The run of each instrument.
        rows: The `trades.csv` of each.
    """

    result: Document
    start: Decimal
    trades: list[Row]
    equity: pl.DataFrame
    runs: dict[str, Run]
    rows: dict[str, list[Row]]


def audit_portfolio(folder: Path, tables: Mapping[str, Tables] | None = None) -> list[Check]:
    """Check the files of a run of several instruments against those of the instruments.

    Args:
        folder: Where the files are.
        tables: The bars of each instrument, by its id; without them sizes are not checked.

    Returns:
        The checks in a fixed order. If the files cannot be read, `PORTFOLIO_LOAD` fails and is the only one.
    """
    with decimal.localcontext(decimal.Context(prec=PRECISION)):
        try:
            account = _read(folder)
        except (Unreadable, OSError, pl.exceptions.PolarsError) as refusal:
            return [judged("PORTFOLIO_LOAD", [str(refusal)], "")]
        return [
            judged("PORTFOLIO_LOAD", [], f"{len(account.runs)} instruments, {len(account.trades)} trades"),
            judged("PORTFOLIO_TRADES", _trade_problems(account), f"{len(account.trades)} rows, each of an instrument"),
            judged("PORTFOLIO_EQUITY", _equity_problems(account), f"{account.equity.height} points"),
            judged("PORTFOLIO_FINAL", _final_problems(account), "start and all results make the end"),
            shared_limits(account.result, account.runs, account.equity),
            shared_sizes(account.runs, account.equity, tables),
        ]


def _read(folder: Path) -> _Account:
    result = Document(folder / "result.json")
    parts = sorted(path for path in (folder / "instruments").iterdir() if path.is_dir())
    return _Account(
        result=result, start=result.number("account.start_equity"), trades=_rows(folder / "trades.csv"),
        equity=pl.read_parquet(folder / "equity.parquet").with_columns(time_ns=pl.col("time").to_physical()),
        runs={part.name: read_run(part) for part in parts},
        rows={part.name: _rows(part / "trades.csv") for part in parts},
    )  # fmt: skip


def _rows(path: Path) -> list[Row]:
    with path.open(newline="") as table:
        return list(csv.DictReader(table))


def _trade_problems(account: _Account) -> Iterator[str]:
    """Report rows of the account that are not those of its instruments, and numbers not in the order of the entries."""
    entered: dict[str, str] = {}
    for name, own in account.rows.items():
        found = [row for row in account.trades if row["symbol"] == name]
        if [_bare(row) for row in found] != [_bare(row) for row in own]:
            yield f"{name}: the rows of trades.csv are not those of its own"
    if len(account.trades) != sum(len(own) for own in account.rows.values()):
        yield "trades.csv has rows of no instrument of the run"
    for row in account.trades:
        if entered.setdefault(row["trade"], row["symbol"]) != row["symbol"]:
            yield f"trade {row['trade']} is one of {row['symbol']} and of {entered[row['trade']]}"


def _bare(row: Row) -> Row:
    return {key: value for key, value in row.items() if key != "trade"}


def _equity_problems(account: _Account) -> Iterator[str]:
    """Report points at which every instrument has one and the equity is not the start and what each made."""
    points = account.equity.select("time_ns", "equity")
    for name, run in account.runs.items():
        own = run.equity.frame().select("time_ns", (pl.col("equity") - account.start).alias(name))
        points = points.join(own, on="time_ns", how="inner")
    made = pl.sum_horizontal([pl.col(name) for name in account.runs])
    wrong = points.filter(pl.col("equity") != made + account.start)
    for row in wrong.head(3).iter_rows(named=True):
        yield f"at {row['time_ns']}: the equity is {row['equity']}, the instruments make something else"


def _final_problems(account: _Account) -> Iterator[str]:
    end = account.start + sum((run.final_equity - run.terms.start_equity for run in account.runs.values()), Decimal(0))
    if account.result.number("account.end_equity") != end:
        yield f"the end equity is {account.result.number('account.end_equity')}, the trades make {end}"
