"""Tiny runs with every price, fee and result worked out by hand, written as the files that a backtest leaves.

The trades of a scenario are literals. What follows from them (the equity curve, sums, ratios) is put together here by
the plainest code, which shares nothing with the audit or the engine.
"""

from __future__ import annotations

import copy
import csv
import json
import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate, groupby, pairwise
from pathlib import Path
from typing import Any

import polars as pl

MINUTE = 60 * 1_000_000_000
START = datetime(2024, 1, 1, tzinfo=UTC)
START_NS = int(START.timestamp()) * 1_000_000_000

TRADE_HEADER = [
    "trade", "symbol", "side", "qty", "entry_time", "entry_price", "exit_time", "exit_price", "entry_reason",
    "exit_reason", "gross_pnl", "fees", "funding", "net_pnl", "mae", "mfe", "bars_held", "decided_time", "entry_kind",
    "entry_point", "exit_point", "entry_liquidity", "exit_liquidity", "entry_fee", "exit_fee", "stop_price",
    "target_price", "slippage", "metadata", "leg", "final_stop",
]  # fmt: skip
FILL_HEADER = [
    "fill", "trade", "symbol", "side", "qty", "price", "fee", "liquidity", "time", "point", "order_kind", "leg",
    "reason", "slippage",
]  # fmt: skip

LEGS = {
    **dict.fromkeys(("sl", "trailing", "breakeven"), ("stop", "stop")), "tp": ("target", "take_profit"),
    "signal": ("exit", "market"),
}  # fmt: skip


@dataclass(frozen=True)
class Hand:
    """A leg of a trade worked out by hand; times are minutes from the start of the run.

    `entry_fee` and `entry_slippage` are the leg's shares. A leg 1 begins a new trade.
    """

    side: str
    qty: str
    decided: int
    entry: int
    entry_price: str
    entry_fee: str
    exit: int
    exit_price: str
    exit_fee: str
    reason: str
    exit_point: str
    gross: str
    net: str
    stop: str = ""
    target: str = ""
    entry_slippage: str = "0"
    exit_slippage: str = "0"
    entry_kind: str = "market"
    entry_point: str = "open"
    entry_liquidity: str = "taker"
    exit_liquidity: str = "taker"
    bars_held: int = 0
    mae: float = 0.0
    mfe: float = 0.0
    leg: int = 1
    final_stop: str | None = None
    funding: str = "0"

    @property
    def sign(self) -> int:
        return 1 if self.side == "long" else -1


@dataclass(frozen=True)
class Scenario:
    """Bars of one length, execution bars of `step` of them, and the legs of trades on them.

    `payments` are funding: the minute and the amount.
    """

    bars: list[tuple[float, float, float, float]]
    trades: list[Hand]
    changes: dict[str, Any] = field(default_factory=dict)
    minutes: int = 1
    step: int = 5
    base_tf: str = "1m"
    exec_tf: str = "5m"
    stop_reason: str = "end_of_data"
    last_point: int | None = None
    auction: int | None = None
    payments: tuple[tuple[int, str], ...] = ()

    def close_minute(self, row: int) -> int:
        """Return when a base bar closes; a closing auction has no length."""
        return (row if row == self.auction else row + 1) * self.minutes

    @property
    def numbered(self) -> list[tuple[int, Hand]]:
        """Each leg beside the number of its trade."""
        numbers = accumulate(int(hand.leg == 1) for hand in self.trades)
        return list(zip(numbers, self.trades, strict=True))

    @property
    def multiplier(self) -> Decimal:
        return Decimal(self.changes.get("instrument.multiplier", "1"))


@dataclass(frozen=True)
class Written:
    """A run's folder and the bars it used."""

    folder: Path
    base: pl.DataFrame
    higher: dict[str, pl.DataFrame]


def flat(price: float, count: int) -> list[tuple[float, float, float, float]]:
    """Return bars in which nothing happens."""
    return [(price, price, price, price)] * count


def write(folder: Path, scenario: Scenario) -> Written:
    """Write the files of the scenario."""
    folder.mkdir(parents=True, exist_ok=True)
    base, higher = base_bars(scenario), execution_bars(scenario)
    execution = base if higher is None else higher
    manifest = manifest_of(scenario)
    points = equity_points(scenario, execution)
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))
    (folder / "result.json").write_text(json.dumps(result_of(scenario, manifest, points, base), indent=1))
    write_csv(folder / "trades.csv", TRADE_HEADER, [trade_row(n, t) for n, t in scenario.numbered])
    write_csv(folder / "fills.csv", FILL_HEADER, fill_rows(scenario))
    equity_table(points).write_parquet(folder / "equity.parquet")
    sessions_of(points).write_parquet(folder / "sessions.parquet")
    return Written(folder, base, {} if higher is None else {scenario.exec_tf: higher})


def at(minute: int) -> str:
    return (START + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_csv(path: Path, header: list[str], rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, header)
        writer.writeheader()
        writer.writerows(rows)


def trade_row(number: int, hand: Hand) -> dict[str, str]:
    fees = Decimal(hand.entry_fee) + Decimal(hand.exit_fee)
    values = {
        "trade": number, "symbol": "BTCUSDT", "side": hand.side, "qty": hand.qty, "entry_time": at(hand.entry),
        "entry_price": hand.entry_price, "exit_time": at(hand.exit), "exit_price": hand.exit_price,
        "entry_reason": "entry", "exit_reason": hand.reason, "gross_pnl": hand.gross, "fees": fees,
        "funding": hand.funding,
        "net_pnl": hand.net, "mae": repr(hand.mae), "mfe": repr(hand.mfe), "bars_held": hand.bars_held,
        "decided_time": at(hand.decided), "entry_kind": hand.entry_kind, "entry_point": hand.entry_point,
        "exit_point": hand.exit_point, "entry_liquidity": hand.entry_liquidity,
        "exit_liquidity": hand.exit_liquidity, "entry_fee": hand.entry_fee, "exit_fee": hand.exit_fee,
        "stop_price": hand.stop, "target_price": hand.target,
        "slippage": Decimal(hand.entry_slippage) + Decimal(hand.exit_slippage), "metadata": "",
        "leg": hand.leg, "final_stop": hand.stop if hand.final_stop is None else hand.final_stop,
    }  # fmt: skip
    return {key: str(value) for key, value in values.items()}


def fill_rows(scenario: Scenario) -> list[dict[str, str]]:
    rows: list[list[object]] = []
    for number, group in groupby(scenario.numbered, key=lambda numbered: numbered[0]):
        hands = [hand for _, hand in group]
        first = hands[0]
        qty, fee, slippage = (
            sum(Decimal(getattr(hand, name)) for hand in hands) for name in ("qty", "entry_fee", "entry_slippage")
        )
        into, out = ("buy", "sell") if first.side == "long" else ("sell", "buy")
        rows.append([len(rows) + 1, number, "BTCUSDT", into, qty, first.entry_price, fee, first.entry_liquidity,
                     at(first.entry), first.entry_point, first.entry_kind, "entry", "entry", slippage])  # fmt: skip
        for hand in hands:
            leg, kind = LEGS.get(hand.reason, ("guard", "market"))
            rows.append([len(rows) + 1, number, "BTCUSDT", out, hand.qty, hand.exit_price, hand.exit_fee,
                         hand.exit_liquidity, at(hand.exit), hand.exit_point, kind, leg, hand.reason,
                         hand.exit_slippage])  # fmt: skip
    return [dict(zip(FILL_HEADER, map(str, row), strict=True)) for row in rows]


def base_bars(scenario: Scenario) -> pl.DataFrame:
    length = scenario.minutes * MINUTE
    rows = [
        (START_NS + i * length, START_NS + scenario.close_minute(i) * MINUTE, *bar, 1.0 + i)
        for i, bar in enumerate(scenario.bars)
    ]
    return pl.DataFrame(rows, schema=["open_ns", "close_ns", "open", "high", "low", "close", "volume"], orient="row")


def execution_bars(scenario: Scenario) -> pl.DataFrame | None:
    if scenario.exec_tf == scenario.base_tf:
        return None
    length = scenario.minutes * MINUTE
    rows = []
    for first in range(0, len(scenario.bars) - scenario.step + 1, scenario.step):
        part = scenario.bars[first : first + scenario.step]
        last = first + scenario.step - 1
        rows.append((
            START_NS + first * length, START_NS + scenario.close_minute(last) * MINUTE, part[0][0],
            max(bar[1] for bar in part), min(bar[2] for bar in part), part[-1][3],
            float(sum(1 + i for i in range(first, last + 1))), first, last,
        ))  # fmt: skip
    header = ["open_ns", "close_ns", "open", "high", "low", "close", "volume", "first", "last"]
    return pl.DataFrame(rows, schema=header, orient="row")


@dataclass(frozen=True)
class Point:
    time_ns: int
    equity: Decimal
    cash: Decimal
    position: float
    drawdown: float


def equity_points(scenario: Scenario, execution: pl.DataFrame) -> list[Point]:
    """Walk the closes of the execution bars and add up what was posted before each."""
    start = Decimal(setting(scenario, "account.start_equity"))
    points: list[Point] = []
    peak = start
    last_minute = scenario.last_point or len(scenario.bars) * scenario.minutes
    for close_ns, mark in execution.select("close_ns", "close").iter_rows():
        minute = (close_ns - START_NS) // MINUTE
        if scenario.last_point is not None and minute > scenario.last_point:
            break
        cash, value, position = start + paid_before(scenario, minute), Decimal(0), Decimal(0)
        for hand in scenario.trades:
            size = hand.sign * Decimal(hand.qty)
            in_auction = hand.exit == minute == scenario.auction
            gone = hand.exit < minute or in_auction or minute == last_minute
            if hand.entry < minute:
                cash -= Decimal(hand.entry_fee)
            if hand.entry < minute and not gone:
                position += size
                value += size * scenario.multiplier * (Decimal(repr(mark)) - Decimal(hand.entry_price))
            if gone:
                cash += Decimal(hand.gross) - Decimal(hand.exit_fee)
        equity = round(cash + value, 8)
        peak = max(peak, equity)
        points.append(Point(close_ns, equity, cash, float(position), float((peak - equity) / peak)))
    return points


def paid_before(scenario: Scenario, minute: int) -> Decimal:
    """Return the funding of all payments before a minute."""
    return sum((Decimal(amount) for at_minute, amount in scenario.payments if at_minute < minute), Decimal(0))


def equity_table(points: list[Point]) -> pl.DataFrame:
    money = pl.Decimal(38, 8)
    return pl.DataFrame({
        "time": pl.Series([p.time_ns for p in points], dtype=pl.Int64).cast(pl.Datetime("ns", "UTC")),
        "equity": pl.Series([p.equity for p in points], dtype=money),
        "cash": pl.Series([p.cash for p in points], dtype=money),
        "position": pl.Series([p.position for p in points], dtype=pl.Float64),
        "drawdown": pl.Series([p.drawdown for p in points], dtype=pl.Float64),
    })  # fmt: skip


def session_closes(points: list[Point]) -> dict[date, Decimal]:
    """Return the last equity of each UTC day; a point at midnight belongs to the day that ends."""
    closes = {}
    for point in points:
        day = (START + timedelta(microseconds=(point.time_ns - START_NS) // 1000 - 1)).date()
        closes[day] = point.equity
    return closes


def sessions_of(points: list[Point]) -> pl.DataFrame:
    closes = session_closes(points)
    return pl.DataFrame(
        {"session": list(closes), "equity": pl.Series(list(closes.values()), dtype=pl.Decimal(38, 8))},
        schema_overrides={"session": pl.Date},
    )


def result_of(
    scenario: Scenario, manifest: dict[str, Any], points: list[Point], base: pl.DataFrame
) -> dict[str, Any]:  # fmt: skip
    start = Decimal(manifest["account"]["start_equity"])
    nets = [Decimal(hand.net) for hand in scenario.trades]
    end = start + sum(nets)
    wins, losses = [n for n in nets if n > 0], [n for n in nets if n < 0]
    fees = sum(Decimal(hand.entry_fee) + Decimal(hand.exit_fee) for hand in scenario.trades)
    slip = sum(Decimal(hand.entry_slippage) + Decimal(hand.exit_slippage) for hand in scenario.trades)
    days = (points[-1].time_ns - points[0].time_ns) / (1440 * MINUTE)
    sharpe, sortino = ratios(float(start), points)
    return {
        "schema": "evenkeel.backtest/1", "run": "r1", "result_hash": "x", "profile": "research", "lane": "research",
        "strategy": {"name": "tiny", "hash": "abc", "kind": "play"}, "symbols": ["BTCUSDT"],
        "data": {"hash": "d1", "base_tf": scenario.base_tf, "exec_tf": scenario.exec_tf},
        "account": {"currency": "USDT", "start_equity": str(start), "end_equity": str(end)},
        "metrics": {
            "net_pnl": str(sum(nets)), "return_pct": float((end / start - 1) * 100), "trades": len(nets),
            "win_rate": len(wins) / len(nets) if nets else None,
            "profit_factor": float(sum(wins) / -sum(losses)) if losses else None,
            "expectancy": float(sum(nets) / len(nets)) if nets else None,
            "sharpe": sharpe, "sortino": sortino,
            "max_drawdown_pct": max(p.drawdown for p in points) * 100,
            "max_drawdown_intrabar_pct": intrabar(scenario, float(start), base) * 100,
            "cagr_pct": (float(end / start) ** (365.25 / days) - 1) * 100 if days >= 30 else None,
            "exposure_pct": 100 * sum(p.position != 0 for p in points) / len(points),
            "fees": str(fees), "funding": str(sum(Decimal(hand.funding) for hand in scenario.trades)),
            "slippage": str(slip),
            "avg_bars_held": statistics.mean(h.bars_held for h in scenario.trades) if nets else None,
        },
        "metrics_extra": {
            "wins": len(wins), "losses": len(losses), "largest_win": str(max(wins)) if wins else None,
            "recovery_factor": recovery(start, nets, points),
        },
        "stop_reason": scenario.stop_reason, "marks": [], "checks": [],
    }  # fmt: skip


def recovery(start: Decimal, nets: list[Decimal], points: list[Point]) -> float | None:
    peak, deepest = start, Decimal(0)
    for point in points:
        peak = max(peak, point.equity)
        deepest = max(deepest, peak - point.equity)
    return float(sum(nets) / deepest) if deepest else None


def ratios(start: float, points: list[Point]) -> tuple[float | None, float | None]:
    """Return Sharpe and Sortino over session returns, 365 sessions a year."""
    closes = [start, *map(float, session_closes(points).values())]
    returns = [after / before - 1 for before, after in pairwise(closes)]
    if len(returns) < 20:
        return None, None
    below = math.sqrt(statistics.mean(min(r, 0.0) ** 2 for r in returns))
    mean = statistics.mean(returns)
    return mean / statistics.stdev(returns) * math.sqrt(365), mean / below * math.sqrt(365)


def intrabar(scenario: Scenario, start: float, base: pl.DataFrame) -> float:
    """Return the deepest fall over the closes of all base bars, before an exit at that close, and the end."""
    marks = []
    for row, close in enumerate(base["close"]):
        minute = row * scenario.minutes
        value = start + float(paid_before(scenario, minute + 1))
        for hand in scenario.trades:
            gone = hand.exit < minute or (hand.exit == minute and hand.exit_point != "close")
            if hand.entry <= minute:
                value -= float(hand.entry_fee)
            if hand.entry <= minute and not gone:
                units = hand.sign * float(hand.qty) * float(scenario.multiplier)
                value += units * (close - float(hand.entry_price))
            if gone:
                value += float(hand.gross) - float(hand.exit_fee)
        marks.append(value)
    marks.append(start + sum(float(hand.net) for hand in scenario.trades))
    peak, deepest = start, 0.0
    for mark in marks:
        peak = max(peak, mark)
        deepest = max(deepest, (peak - mark) / peak)
    return deepest


MANIFEST: dict[str, Any] = {
    "schema": "evenkeel.manifest/1", "run": "r1", "lane": "research", "profile": "research",
    "strategy": {"name": "tiny", "kind": "play", "hash": "abc", "resolved": {}},
    "instrument": {
        "id": "BTCUSDT.BYBIT", "kind": "perpetual", "tick_size": "0.1", "lot_size": "0.001", "multiplier": "1",
        "min_quantity": "0.001", "max_quantity": None, "calendar": "24/7",
    },
    "data": {
        "revision": "r", "hash": "d1", "left_out": 0, "segments": 1, "sessions_per_year": "365",
        "start": at(0), "first_trade_time": at(5),
    },
    "account": {
        "currency": "USDT", "start_equity": "10000", "taker_bps": "5.5", "maker_bps": "2", "per_contract": "0",
        "slippage_bps": "2", "max_drawdown_pct": "20", "stop_equity": "0", "max_leverage": "1", "min_notional": "10",
        "max_position_equity_pct": "95", "include_close_fee": True,
    },
    "sizing": {"model": "percent_equity", "value": "10", "include_costs": False, "basis": "margin"},
    "risk": {
        "stop_loss": {"type": "percent", "value": "2", "basis": "price"},
        "take_profit": {"type": "rr_ratio", "value": "2"}, "tp_order_type": "Market", "sl_order_type": "Market",
    },
    "entry": {"order_type": "MARKET", "limit_offset_pct": "0", "time_in_force": "GTC", "expire_after_bars": 0},
    "position_policy": {"mode": "long_short", "exit_mode": "first_hit"},
    "fill_model": "touch", "require_trade_through": False, "marks": [],
}  # fmt: skip


def manifest_of(scenario: Scenario) -> dict[str, Any]:
    manifest = copy.deepcopy(MANIFEST)
    manifest["data"] |= {
        "base_tf": scenario.base_tf, "exec_tf": scenario.exec_tf, "base_bars": len(scenario.bars),
        "timeframes": [scenario.exec_tf], "end": at(len(scenario.bars) * scenario.minutes),
    }  # fmt: skip
    for key, value in scenario.changes.items():
        put(manifest, key, value)
    return manifest


def setting(scenario: Scenario, key: str) -> str:
    section, name = key.split(".")
    value: str = scenario.changes.get(key, MANIFEST[section][name])
    return value


def put(document: dict[str, Any], key: str, value: Any) -> None:
    *path, last = key.split(".")
    for part in path:
        document = document[part]
    document[last] = value


def edit_json(path: Path, key: str, value: Any) -> None:
    """Change one value of a JSON file."""
    document = json.loads(path.read_text())
    put(document, key, value)
    path.write_text(json.dumps(document))


def edit_csv(path: Path, row: int, **values: str) -> None:
    """Change fields of one row of a CSV file."""
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        header, rows = list(reader.fieldnames or []), list(reader)
    for name in values:
        assert name in header
    rows[row] |= values
    write_csv(path, header, rows)


def edit_table(path: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Change a Parquet file."""
    change(pl.read_parquet(path)).write_parquet(path)
