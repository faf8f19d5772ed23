"""The files of a run: trades, fills, equity, sessions, decisions, manifest, result.

Each file is written whole or not at all, and `result.json` last: a folder with one is a finished run.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from evenkeel.data.atomic import make_folder, replaced_atomically, write_atomically
from evenkeel.data.calendar import Calendar
from evenkeel.data.side import SideSeries
from evenkeel.engine.cells import Cells, Column, join_rows
from evenkeel.engine.market import Market
from evenkeel.engine.metrics import drawdowns, metrics
from evenkeel.engine.record import RunRecord
from evenkeel.engine.runs import MANIFEST_NAME, RESULT_NAME
from evenkeel.engine.statistics import extra_figures
from evenkeel.engine.tables import FILL_COLUMNS, TRADE_COLUMNS, fill_columns, trade_columns
from evenkeel.model.bar import Bars, Floats, Ints
from evenkeel.model.decision import Decision, EntryApproved, EntryRefused, ExitOrdered
from evenkeel.model.errors import StorageError, UsageError
from evenkeel.model.number import money_from_postings, plain
from evenkeel.model.reason import Reason
from evenkeel.model.time import format_time
from evenkeel.strategies.strategy import Strategy
from evenkeel.venues.simulated.book import Curve
from evenkeel.venues.simulated.carry import MarkBars

if TYPE_CHECKING:
    import polars as pl

SCHEMA = "evenkeel.backtest/1"


def write_manifest(folder: Path, manifest: dict[str, Any], *, created_ns: int) -> None:
    """Write `manifest.json` with its stamp."""
    make_folder(folder)
    write_json(folder / MANIFEST_NAME, {**manifest, "created": format_time(created_ns)})


def write_tables(folder: Path, strategy: Strategy, market: Market, record: RunRecord) -> None:
    """Write trades, fills, equity and sessions; the largest of them is written while the others are made."""
    symbol = strategy.instrument.id
    with ThreadPoolExecutor(max_workers=1) as beside:
        equity = beside.submit(_write_parquet, folder / "equity.parquet", equity_frame(record, strategy))
        _write_columns(folder / "trades.csv", TRADE_COLUMNS, trade_columns(record.legs(), symbol))
        _write_columns(folder / "fills.csv", FILL_COLUMNS, fill_columns(record.table(), symbol))
        days, values = session_equity(record, market)
        _write_parquet(folder / "sessions.parquet", _session_frame(days, values))
        equity.result()


def write_decisions(folder: Path, decisions: Sequence[tuple[int, Decision]]) -> None:
    """Write what the engine lane decided and refused, in order."""
    import polars as pl

    rows = [_decision_row(decision) for _, decision in decisions]
    frame = pl.LazyFrame(
        {
            "time": pl.Series([time for time, _ in decisions], dtype=pl.Int64),
            "kind": pl.Series([row[0] for row in rows], dtype=pl.String),
            "reason": pl.Series([row[1] for row in rows], dtype=pl.String),
            "detail": pl.Series([row[2] for row in rows], dtype=pl.String),
        }
    ).with_columns(_instant("time"))
    _write_parquet(folder / "decisions.parquet", frame)


_DATA_KEYS = ("hash", "start", "end", "base_tf", "exec_tf", "base_bars", "exec_bars", "funding")
"""What a result repeats of the data in its manifest."""


def build_result(
    manifest: dict[str, Any], strategy: Strategy, market: Market, record: RunRecord, timing: dict[str, float]
) -> dict[str, Any]:
    """Return the document of `result.json`, its checks still empty."""
    legs = record.legs()
    _, sessions = session_equity(record, market)
    account = strategy.terms.account
    data = manifest["data"]
    found = metrics(
        record, legs, start_equity=account.start_equity, sessions=sessions,
        per_year=market.calendar.sessions_per_year,
    )  # fmt: skip
    return {
        "schema": SCHEMA, "run": manifest["run"], "result_hash": record.result_hash(), "profile": manifest["profile"],
        "strategy": {"name": strategy.name, "hash": strategy.hash, "kind": strategy.kind},
        "lane": record.lane, "symbols": [strategy.instrument.id],
        "data": {key: data[key] for key in _DATA_KEYS},
        "account": {
            "currency": account.currency, "start_equity": plain(account.start_equity),
            "end_equity": plain(money_from_postings(int(record.curve[Curve.EQUITY][-1]))),
        },
        "metrics": found,
        "metrics_extra": extra_figures(record, legs, market, strategy, sessions, found),
        "stop_reason": record.stop_reason.value, "stop_time": format_time(record.stop_ns),
        "starved": Reason.ENTRIES_DISABLED.value in record.refusals,
        "models": manifest["models"], "marks": manifest["marks"], "checks": [], "timing": timing,
    }  # fmt: skip


def write_result(folder: Path, result: dict[str, Any]) -> None:
    """Write `result.json`, the last file of a run."""
    write_json(folder / RESULT_NAME, result)


def read_json(path: Path, *, needs: Sequence[str] = ()) -> dict[str, Any]:
    """Return a JSON document of a run.

    Args:
        path: The file.
        needs: Dotted paths of what the caller will look up.

    Raises:
        UsageError: If it is missing or damaged, or lacks one of them.
    """
    try:
        document: dict[str, Any] = msgspec.json.decode(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"'{path.parent}' has no {path.name}: it is not a finished run") from None
    except OSError as error:
        raise StorageError(f"'{path}' cannot be read: {error.strerror or error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"'{path}' is damaged: {error}; run the backtest again") from None
    for dotted in needs:
        _require_key(document, dotted, path)
    return document


def _require_key(document: Any, dotted: str, path: Path) -> None:
    place = document
    for key in dotted.split("."):
        if not isinstance(place, dict) or key not in place:
            raise UsageError(f"'{path}' is damaged: it does not say {dotted}; run the backtest again")
        place = place[key]


def equity_frame(record: RunRecord, strategy: Strategy) -> pl.LazyFrame:
    """Return the equity curve as a table, made as it is written; money exact, position in signed units."""
    import polars as pl

    lot = strategy.instrument.lot_grid
    return pl.LazyFrame(
        {
            "time": record.times_ns,
            "equity": record.curve[Curve.EQUITY],
            "cash": record.curve[Curve.CASH],
            # Polars divides by a number by multiplying with its reciprocal, which is not the nearest float.
            "position": record.curve[Curve.LOTS] * lot.numerator / lot.denominator,
            "drawdown": drawdowns(record.curve[Curve.EQUITY]),
        }
    ).with_columns(_instant("time"), _money("equity"), _money("cash"))


def write_points(
    path: Path,
    times_ns: Ints,
    equity: Ints,
    falls: Floats,
    *,
    cash: Ints | None = None,
    more: Mapping[str, Floats] | None = None,
) -> None:
    """Write points of equity and cash, in counts of 1e-8, with the fall from the peak at each, and further columns."""
    import polars as pl

    money = {"equity": equity} if cash is None else {"equity": equity, "cash": cash}
    frame = pl.LazyFrame({"time": times_ns, **money, "drawdown": falls, **(more or {})})
    _write_parquet(path, frame.with_columns(_instant("time"), *(_money(name) for name in money)))


def session_equity(record: RunRecord, market: Market) -> tuple[list[int], list[int]]:
    """Return trading days and the equity at the end of each, in counts of 1e-8.

    A point belongs to the session in which its bar ended; the point after the last exit to the last of them.
    """
    if record.sessions is None:
        days = market.calendar.session_of(record.times_ns - 1)
        days = np.maximum.accumulate(days)
        ends = np.flatnonzero(np.diff(days, append=days[-1] + 1))
        known = ends[days[ends] >= 0]
        record.sessions = days[known].tolist(), record.curve[Curve.EQUITY][known].tolist()
    return record.sessions


Table = dict[str, npt.NDArray[Any]]
"""Columns by name, all of one length."""


def base_columns(market: Market) -> Table:
    """Return all base bars that the run used, for the audit, with mark and index price where they are known."""
    parts = [bar_columns(stretch.series.calendar, stretch.series.base) for stretch in market.stretches]
    for kind in ("mark", "index"):
        prices = [getattr(stretch, kind) for stretch in market.stretches]
        if any(price is not None for price in prices):
            parts = [part | price_columns(kind, p, len(part["open"])) for part, p in zip(parts, prices, strict=True)]
    return joined(parts)


def price_columns(kind: str, prices: MarkBars | None, count: int) -> Table:
    """Return a price beside the last one over so many base bars as columns; NaN without one."""
    names = ("open", "high", "low")
    nothing = None if prices is not None else np.full(count, math.nan)
    return {f"{kind}_{name}": getattr(prices, name) if nothing is None else nothing for name in names}


def joined(parts: Sequence[Table]) -> Table:
    """Return tables of the same columns as one, without a copy where there is one only."""
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def beside_frames(market: Market) -> dict[str, pl.DataFrame]:
    """Return what plays read beside the bars by its name, and when each value became known, for the audit."""
    import polars as pl

    found = {}
    for name in sorted(market.side_columns):
        parts = [stretch.series.side[name] for stretch in market.stretches]
        frame = pl.concat([pl.DataFrame({"known_ns": known, "value": values}) for known, values in parts])
        found[name] = frame.unique("known_ns", keep="last").sort("known_ns")
    return found


def funding_frame(market: Market) -> pl.DataFrame | None:
    """Return the recorded funding settlements that the run used, for the audit; None where it used none."""
    import polars as pl

    found = market.funding
    if found is None:
        return None
    return pl.DataFrame({"stamp_ns": found.stamps_ns, "rate": found.rates, "mark": found.marks})


def actions_frame(market: Market) -> pl.DataFrame | None:
    """Return the recorded splits and dividends that the run used, for the audit; None where it used none."""
    found = market.actions
    return None if found is None else action_table(found)


def borrow_frame(market: Market) -> pl.DataFrame | None:
    """Return the recorded yearly rates of shorts that the run used, for the audit; None where it used none."""
    return None if market.borrow is None else rate_table(market.borrow)


def rate_table(found: SideSeries) -> pl.DataFrame:
    """Return rates as a table."""
    import polars as pl

    return pl.DataFrame({"stamp_ns": found.stamps_ns, "rate": found.columns["rate"]})


def action_table(found: SideSeries) -> pl.DataFrame:
    """Return splits and dividends as a table; NaN where a row has none of one."""
    import polars as pl

    return pl.DataFrame({"stamp_ns": found.stamps_ns, **{name: found.columns[name] for name in ("split", "dividend")}})


def higher_columns(market: Market, timeframes: Iterable[str]) -> dict[str, Table]:
    """Return every aggregated timeframe with the first and last base row of each bar, for the audit."""
    from evenkeel.model.time import Timeframe

    found = {}
    for name in timeframes:
        parts, offset = [], 0
        for stretch in market.stretches:
            made = stretch.series.on(Timeframe.parse(name))
            rows = {"first": made.first + offset, "last": made.last + offset}
            parts.append(bar_columns(stretch.series.calendar, made.bars) | rows)
            offset += len(stretch.series.base)
        found[name] = joined(parts)
    return found


def bar_columns(calendar: Calendar, bars: Bars) -> Table:
    """Return bars as columns, with the number of the trading day of each open where the market has sessions."""
    names = ("open_ns", "close_ns", "open", "high", "low", "close", "volume")
    table: Table = {name: getattr(bars, name) for name in names}
    return table if calendar.always_open else table | {"session": calendar.session_of(bars.open_ns)}


def _decision_row(decision: Decision) -> tuple[str, str, str]:
    kind = type(decision).__struct_config__.tag
    match decision:
        case EntryRefused():
            return str(kind), decision.reason.value, decision.detail
        case EntryApproved() | ExitOrdered():
            order = decision.order
            return str(kind), order.reason, f"{order.leg.value} {plain(order.quantity)} {order.client_id}"
        case _:
            return str(kind), str(getattr(decision, "reason", "")), ""


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Write a document whole or not at all."""
    write_atomically(path, msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")


def _write_columns(path: Path, names: Sequence[str], columns: Sequence[Cells]) -> None:
    """Write a table as text, its cells quoted where they must be."""
    placed = [Column(b"" if number == 0 else b",", cells) for number, cells in enumerate(columns)]
    head = ",".join(names).encode() + b"\n"
    write_atomically(path, head + join_rows(placed, end=b"\n").tobytes())


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table as text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_atomically(path, text.getvalue().encode())


def _write_parquet(path: Path, frame: pl.LazyFrame) -> None:
    """Write a table straight into its file: in memory it would be there twice."""
    import polars as pl

    with replaced_atomically(path) as temporary:
        try:
            frame.sink_parquet(temporary, compression="zstd", compression_level=1)
        except pl.exceptions.ComputeError as error:
            raise OSError(str(error)) from error


def _session_frame(days: list[int], values: list[int]) -> pl.LazyFrame:
    import polars as pl

    return pl.LazyFrame(
        {"session": pl.Series(days, dtype=pl.Int32), "equity": pl.Series(values, dtype=pl.Int64)}
    ).with_columns(pl.col("session").cast(pl.Date), _money("equity"))


def _instant(name: str) -> pl.Expr:
    import polars as pl

    return pl.col(name).cast(pl.Datetime("ns", "UTC"))


def _money(name: str) -> pl.Expr:
    """Return counts of 1e-8 as exact decimals."""
    import polars as pl

    scale = Decimal("0.00000001")
    return (pl.col(name).cast(pl.Decimal(38, 0)) * pl.lit(scale, dtype=pl.Decimal(38, 8))).cast(pl.Decimal(38, 8))
