"""What the backtest of several instruments leaves: the tables of the account, and what each instrument made of it.

manifest.json  result.json  trades.csv  fills.csv  equity.parquet
instruments/<id>/  the files of a run of one instrument, its equity as if nothing else had traded
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evenkeel.data.atomic import write_atomically
from evenkeel.engine import results
from evenkeel.engine.fill_table import Legs
from evenkeel.engine.market import Market
from evenkeel.engine.metrics import Sums, drawdowns, figures, max_drawdown
from evenkeel.engine.portfolio.instance import Instance
from evenkeel.engine.portfolio.record import PortfolioRecord, line_of
from evenkeel.engine.portfolio.run import Part
from evenkeel.engine.runs import INSTRUMENTS_FOLDER
from evenkeel.model.bar import Ints
from evenkeel.model.number import money_from_postings, plain
from evenkeel.model.time import DAY, format_time
from evenkeel.venues.simulated.desks import Point, PointLine

SCHEMA = "evenkeel.portfolio/1"


def write_tables(folder: Path, parts: Sequence[Part], record: PortfolioRecord) -> None:
    """Write trades and fills of all instruments in one order, and the equity of the account with what is held of each.

    The tables of the instruments must be there: rows are taken from them, with the numbers that they have in the run.
    """
    trades: list[tuple[int, str]] = []
    fills: list[tuple[int, str]] = []
    heads = ["", ""]
    for part, one, order, numbers in zip(parts, record.parts, record.order, record.trade_numbers(), strict=True):
        legs = one.legs()
        heads[0], rows = _rows(part.folder / "trades.csv")
        for exit_at, row in zip(order[legs.exit].tolist(), rows, strict=True):
            number, rest = row.split(",", 1)
            trades.append((exit_at, f"{numbers[int(number) - 1]},{rest}"))
        heads[1], rows = _rows(part.folder / "fills.csv")
        for at, row in zip(order.tolist(), rows, strict=True):
            _, number, rest = row.split(",", 2)
            fills.append((at, f"{at + 1},{numbers[int(number) - 1]},{rest}"))
    for name, head, found in (("trades.csv", heads[0], trades), ("fills.csv", heads[1], fills)):
        text = "\n".join([head, *(row for _, row in sorted(found)), ""])
        write_atomically(folder / name, text.encode())
    positions = {
        f"position_{part.instance.id}": _units(record.curve[line_of(number, PointLine.LOTS)], part)
        for number, part in enumerate(parts)
    }
    equity = record.curve[Point.EQUITY]
    results.write_points(
        folder / "equity.parquet", record.times_ns, equity, drawdowns(equity), cash=record.curve[Point.CASH],
        more=positions,
    )  # fmt: skip


def _rows(path: Path) -> tuple[str, list[str]]:
    head, *rows = path.read_text("utf-8").split("\n")
    return head, rows[:-1]


def _units(lots: Ints, part: Part) -> Any:
    grid = part.instance.strategy.instrument.lot_grid
    return lots * grid.numerator / grid.denominator


def build_result(
    manifest: dict[str, Any], parts: Sequence[Part], documents: Sequence[dict[str, Any]], record: PortfolioRecord
) -> dict[str, Any]:
    """Return the document of `result.json` of a run of several instruments, its checks and timing still empty.

    Args:
        manifest: Of the run.
        parts: Its instruments, in order.
        documents: The `result.json` of each.
        record: What happened.
    """
    account = parts[0].instance.strategy.terms.account
    return {
        "schema": SCHEMA, "run": manifest["run"], "result_hash": record.result_hash(), "profile": manifest["profile"],
        "strategy": manifest["strategy"], "lane": record.lane, "symbols": list(record.instruments),
        "data": dict(manifest["data"]),
        "account": {
            "currency": account.currency, "start_equity": plain(account.start_equity),
            "end_equity": plain(money_from_postings(int(record.curve[Point.EQUITY][-1]))),
        },
        "metrics": account_figures(record, [part.instance for part in parts]),
        "metrics_extra": {"refusals": record.refusals},
        "instruments": [_line(part, document) for part, document in zip(parts, documents, strict=True)],
        "stop_reason": record.stop_reason.value, "stop_time": format_time(record.stop_ns),
        "marks": manifest["marks"], "checks": [], "timing": {},
    }  # fmt: skip


def account_figures(record: PortfolioRecord, instances: Sequence[Instance]) -> dict[str, float | int | None]:
    """Return the figures of the account."""
    return figures(
        _sums(record), start_equity=instances[0].strategy.terms.account.start_equity, sessions=_sessions(record),
        per_year=max(one.market.calendar.sessions_per_year for one in instances),
    )  # fmt: skip


def _line(part: Part, document: dict[str, Any]) -> dict[str, Any]:
    figures_of = document["metrics"]
    return {
        "symbol": part.instance.id, "folder": f"{INSTRUMENTS_FOLDER}/{part.instance.id}", "run": document["run"],
        "hash": document["strategy"]["hash"], "result_hash": document["result_hash"],
        "trades": figures_of["trades"], "net_pnl": figures_of["net_pnl"],
        "max_drawdown_intrabar_pct": figures_of["max_drawdown_intrabar_pct"],
        "refusals": document["metrics_extra"].get("refusals", {}),
        "checks_failed": [check["name"] for check in document["checks"] if not check["ok"] and not check["skipped"]],
    }  # fmt: skip


def _sums(record: PortfolioRecord) -> Sums:
    """Return the sums of all instruments; falls and end are those of the account."""
    legs: list[Legs] = record.legs()
    net = np.concatenate([one.net for one in legs])
    equity = record.curve[Point.EQUITY]
    held = np.any([record.curve[line_of(k, PointLine.LOTS)] != 0 for k in range(len(legs))], axis=0)
    return Sums(
        trades=len(net), wins=int(np.count_nonzero(net > 0)), net=_total(net), gains=_total(net[net > 0]),
        losses=-_total(net[net < 0]), fees=sum(_total(one.fees) for one in legs),
        funding=sum(_total(one.funding) for one in legs), slippage=sum(_total(one.fills.slippage) for one in legs),
        bars_held=sum(_total(one.fills.bars_held[one.exit]) for one in legs), points=len(equity),
        held=int(np.count_nonzero(held)), end=int(equity[-1]), deepest=max_drawdown(equity),
        deepest_intrabar=record.drawdown_intrabar, duration_ns=int(record.times_ns[-1] - record.times_ns[0]),
    )  # fmt: skip


def _total(counts: Ints) -> int:
    return int(np.sum(counts, dtype=object)) if len(counts) else 0


def _sessions(record: PortfolioRecord) -> list[int]:
    """Return the equity at the end of each UTC day on which any of the markets traded."""
    days = (record.times_ns - 1) // DAY
    ends = np.flatnonzero(np.diff(days, append=days[-1] + 1))
    return [int(value) for value in record.curve[Point.EQUITY][ends]]


def base_bars(markets: Sequence[Market]) -> int:
    """Return how many base bars drive the run."""
    return sum(market.base_bars for market in markets)
