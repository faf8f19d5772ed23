"""Run folders in the form of the engine, made from bars by a plain rule, so that the report can be tested alone.

Every so many bars a position is opened with the direction of the last bars, a stop and a target at a multiple of the
recent range, and closed by whichever comes first or after a fixed number of bars.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from evenkeel.data.sources import bundled_catalog
from evenkeel.model.bar import Bars
from evenkeel.model.ids import InstrumentId
from evenkeel.model.time import MINUTE, Timeframe, format_time

START_EQUITY = Decimal(10_000)
FEE = Decimal("0.00055")
CENT = Decimal("1e-8")


@dataclass(frozen=True)
class Rule:
    every: int = 0
    look: int = 24
    hold: int = 40
    stop: float = 1.5
    target: float = 2.5


def grouped(bars: Bars, size: int, timeframe: str) -> Bars:
    first = np.arange(0, len(bars), size)
    last = np.append(first[1:], len(bars)) - 1
    return Bars(
        Timeframe.parse(timeframe), bars.open_ns[first], bars.close_ns[last], bars.open[first],
        np.maximum.reduceat(bars.high, first), np.minimum.reduceat(bars.low, first), bars.close[last],
        np.add.reduceat(bars.volume, first),
    )  # fmt: skip


def walk(rows: int, *, start_ns: int = 1_704_067_200_000_000_000, price: float = 100.0) -> Bars:
    """Return a deterministic series of 15m bars for tests that need many candles and no market."""
    wave = np.arange(rows, dtype=float)
    close = np.round(price + 9 * np.sin(wave / 300) + 2 * np.sin(wave / 17) + 0.4 * np.sin(wave * 1.7), 2)
    open_ = np.append(price, close[:-1])
    open_ns = start_ns + np.arange(rows, dtype=np.int64) * 15 * MINUTE
    high, low = np.maximum(open_, close) + 0.25, np.minimum(open_, close) - 0.25
    return Bars(Timeframe.parse("15m"), open_ns, open_ns + 15 * MINUTE, open_, high, low, close, np.ones(rows))


def _money(value: float | Decimal) -> Decimal:
    return Decimal(repr(float(value))).quantize(CENT)


def trade_rows(bars: Bars, rule: Rule) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    equity = START_EQUITY
    at = rule.look
    while rule.every and at < len(bars) - 2:
        drift = bars.close[at - 1] - bars.close[at - rule.look]
        side = 1 if drift >= 0 else -1
        span = float(np.ptp(bars.close[at - rule.look : at])) / 2 or float(bars.close[at]) * 0.001
        entry = round(float(bars.open[at]), 5)
        stop, target = round(entry - side * span * rule.stop, 5), round(entry + side * span * rule.target, 5)
        end, price, reason = _exit(bars, at, side, stop, target, rule.hold)
        quantity = (equity * Decimal("0.9") / Decimal(repr(entry))).quantize(Decimal("0.00001"))
        gross = _money(float(quantity) * side * (price - entry))
        fees = [_money(float(quantity) * value * float(FEE)) for value in (entry, price)]
        slippage = _money(float(quantity) * entry * 0.0002)
        net = gross - sum(fees)
        equity += net
        held = slice(at, end + 1)
        worst = (entry - bars.low[held].min()) if side > 0 else (bars.high[held].max() - entry)
        best = (bars.high[held].max() - entry) if side > 0 else (entry - bars.low[held].min())
        rows.append(
            {
                "trade": len(rows) + 1, "symbol": "TEST.SIM", "side": "long" if side > 0 else "short", "qty": quantity,
                "entry_time": format_time(int(bars.open_ns[at])), "entry_price": entry,
                "exit_time": format_time(int(bars.open_ns[end])), "exit_price": price, "entry_reason": "ENTRY_SIGNAL",
                "exit_reason": reason, "gross_pnl": gross, "fees": sum(fees), "funding": Decimal(0), "net_pnl": net,
                "mae": max(0.0, worst / entry), "mfe": max(0.0, best / entry), "bars_held": end - at,
                "decided_time": format_time(int(bars.open_ns[at])), "entry_kind": "market", "entry_point": "open",
                "exit_point": "inside", "entry_liquidity": "taker", "exit_liquidity": "taker", "entry_fee": fees[0],
                "exit_fee": fees[1], "stop_price": stop, "target_price": target, "slippage": slippage,
            }
        )  # fmt: skip
        at = max(at + rule.every, end + 1)
    return rows


def _exit(bars: Bars, at: int, side: int, stop: float, target: float, hold: int) -> tuple[int, float, str]:
    for row in range(at, min(at + hold, len(bars) - 1)):
        low, high = float(bars.low[row]), float(bars.high[row])
        if (low <= stop) if side > 0 else (high >= stop):
            return row, stop, "sl"
        if (high >= target) if side > 0 else (low <= target):
            return row, target, "tp"
    last = min(at + hold, len(bars) - 1)
    return last, round(float(bars.close[last]), 5), "signal" if at + hold < len(bars) - 1 else "end_of_data"


def equity_frame(bars: Bars, rows: list[dict[str, Any]]) -> pl.DataFrame:
    cash = np.full(len(bars), float(START_EQUITY))
    floating = np.zeros(len(bars))
    position = np.zeros(len(bars))
    place = {format_time(int(ns)): index for index, ns in enumerate(bars.open_ns)}
    for row in rows:
        first, last = place[row["entry_time"]], place[row["exit_time"]]
        side = 1 if row["side"] == "long" else -1
        held = slice(first, last)
        floating[held] = side * float(row["qty"]) * (bars.close[held] - row["entry_price"])
        position[held] = side * float(row["qty"])
        cash[last:] += float(row["net_pnl"])
    equity = cash + floating
    peak = np.maximum.accumulate(np.append(float(START_EQUITY), equity))[1:]
    return pl.DataFrame(
        {
            "time": pl.Series(bars.close_ns).cast(pl.Datetime("ns", "UTC")),
            "equity": pl.Series(equity).cast(pl.Decimal(38, 8)),
            "cash": pl.Series(cash).cast(pl.Decimal(38, 8)),
            "position": position,
            "drawdown": 1.0 - equity / peak,
        }
    )


def write_sample(
    folder: Path, bars: Bars, rule: Rule, *, name: str = "Breakout", symbol: str = "TEST.SIM", run: str = "7f3a9c01",
    checks: list[dict[str, Any]] | None = None, marks: list[str] | None = None, detail: str = "Test market",
) -> Path:  # fmt: skip
    """Write a folder that `write_report` accepts and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = trade_rows(bars, rule)
    frame = equity_frame(bars, rows)
    frame.write_parquet(folder / "equity.parquet")
    columns = list(rows[0]) if rows else _COLUMNS
    with (folder / "trades.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows({**row, "symbol": symbol} for row in rows)
    start, end = format_time(int(bars.open_ns[0])), format_time(int(bars.close_ns[-1]))
    net = sum((row["net_pnl"] for row in rows), Decimal(0))
    result = {
        "schema": "evenkeel.backtest/1", "run": run, "result_hash": "5b1f" * 16, "profile": "research",
        "strategy": {"name": name, "hash": "9ac2" * 16, "kind": "play"}, "lane": "research", "symbols": [symbol],
        "data": {
            "hash": "c0de" * 16, "start": start, "end": end, "base_tf": "1m", "exec_tf": str(bars.timeframe),
            "base_bars": len(bars) * 15, "exec_bars": len(bars),
        },
        "account": {"currency": "USDT", "start_equity": str(START_EQUITY), "end_equity": str(START_EQUITY + net)},
        "metrics": _metrics(rows, frame, net),
        "metrics_extra": {"profit_factor_mode": "finite", "refusals": {"POSITION_EXISTS": 3124}},
        "stop_reason": "end_of_data",
        "marks": ["COARSE_FILLS"] if marks is None else marks, "checks": _CHECKS if checks is None else checks,
        "timing": {"load_s": 0.1},
    }  # fmt: skip
    manifest = {
        "schema": "evenkeel.manifest/1", "run": run, "code": {"version": "0.1.0", "source": "ab12" * 16},
        "lane": "research", "profile": "research",
        "strategy": {"name": name, "kind": "play", "hash": "9ac2" * 16, "resolved": {"entry": "close > sma"}},
        "instrument": {"id": symbol, "description": detail, "tick_size": "0.01", "multiplier": "1", "calendar": "24/7"},
        "fill_model": "touch", "seed": None, "packages": {"numpy": "2.4.1", "polars": "2.1.0"},
        "platform": {"system": "Linux", "machine": "x86_64"}, "created": datetime(2026, 1, 2, tzinfo=UTC).isoformat(),
    }  # fmt: skip
    (folder / "result.json").write_bytes(msgspec.json.encode(result))
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    return folder


def _metrics(rows: list[dict[str, Any]], frame: pl.DataFrame, net: Decimal) -> dict[str, Any]:
    wins = [row["net_pnl"] for row in rows if row["net_pnl"] > 0]
    losses = [row["net_pnl"] for row in rows if row["net_pnl"] < 0]
    count = len(rows)
    return {
        "net_pnl": str(net), "return_pct": float(net / START_EQUITY * 100), "trades": count,
        "win_rate": len(wins) / count if count else None,
        "profit_factor": float(sum(wins) / -sum(losses)) if losses else None,
        "expectancy": float(net / count) if count else None, "sharpe": 0.84 if count else None, "sortino": None,
        "max_drawdown_pct": float(frame["drawdown"].max()) * 100, "max_drawdown_intrabar_pct": 11.25,
        "cagr_pct": None, "exposure_pct": float((frame["position"] != 0).mean()) * 100,
        "fees": str(sum((row["fees"] for row in rows), Decimal(0))), "funding": "0",
        "slippage": str(sum((row["slippage"] for row in rows), Decimal(0))),
        "avg_bars_held": float(np.mean([row["bars_held"] for row in rows])) if rows else None,
    }  # fmt: skip


_COLUMNS = [
    "trade", "symbol", "side", "qty", "entry_time", "entry_price", "exit_time", "exit_price", "entry_reason",
    "exit_reason", "gross_pnl", "fees", "funding", "net_pnl", "mae", "mfe", "bars_held",
]  # fmt: skip

_CHECKS = [
    {"name": name, "ok": True, "skipped": skipped, "detail": detail}
    for name, skipped, detail in (
        ("LOAD", False, "all artefacts present, schema evenkeel.backtest/1"),
        ("TRADE_COUNT", False, "as many rows as the summary says"),
        ("PNL_DIRECTION", False, "sign of every profit follows side and prices"),
        ("NET_PNL", False, "net = gross + funding - fees on every row"),
        ("FEES", False, "sum of notional times rate, largest difference 0"),
        ("SL_TP_LEVELS", False, "stops and targets on their sides of the fill"),
        ("EXIT_REASON", False, "every stop and target exit at its level or at the gap"),
        ("ENTRY_FILL", False, ""),
        ("EQUITY_WALK", False, "equity while flat equals the cumulative net"),
        ("EQUITY_FINAL", False, "difference 0"),
        ("NO_OVERLAP", False, "positions never overlap"),
        ("EXIT_FILL", False, ""),
        ("TP_SL_FIRST", False, "no earlier bar touched stop or target"),
        ("FUNDING", True, "not applicable: no funding in this market"),
        ("LIQ_DISTANCE", True, "not applicable at leverage 1"),
        ("OHLCV_VALID", False, "every bar encloses its open and close"),
    )
]


class Samples:
    """What tests ask for: bars and finished runs."""

    walk = staticmethod(walk)

    @staticmethod
    def write(folder: Path, bars: Bars, *, every: int = 0, hold: int = 40, **rest: Any) -> Path:
        return write_sample(folder, bars, Rule(every=every, hold=hold), **rest)


@pytest.fixture(scope="session")
def samples() -> Samples:
    return Samples()


@pytest.fixture(scope="session")
def market() -> Bars:
    """Two weeks of a crypto market in 5m bars, from the sample that ships."""
    minutes = bundled_catalog().read(InstrumentId("BTC-USD.BITSTAMP"), Timeframe.parse("1m")).bars
    return grouped(minutes, 5, "5m")


@pytest.fixture(scope="session")
def busy(tmp_path_factory: pytest.TempPathFactory, market: Bars) -> Path:
    """A run of a few hundred trades on real prices."""
    return write_sample(tmp_path_factory.mktemp("busy"), market, Rule(every=3, hold=20))


@pytest.fixture
def idle(tmp_path: Path) -> Path:
    """A run that never traded."""
    return write_sample(tmp_path / "idle", walk(500), Rule())
