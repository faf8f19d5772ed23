"""What the backtest of a playbook leaves: the runs of its plays, one equity over all of them, and who earned what when.

manifest.json  result.json  equity.parquet  regimes.csv  attribution.csv
plays/<play>/  an ordinary run of the engine lane, with its journal, audit and report
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from evenkeel.engine import results
from evenkeel.engine.market import Market
from evenkeel.engine.metrics import cagr, drawdowns, max_drawdown, profit_factor, session_returns, sharpe, sortino
from evenkeel.engine.playbook.driver import PlaybookDriver
from evenkeel.engine.playbook.shares import Change
from evenkeel.engine.record import RunRecord, Trade
from evenkeel.engine.runs import PLAYS_FOLDER
from evenkeel.model.bar import Ints
from evenkeel.model.number import money_from_postings, plain, postings_from_money
from evenkeel.model.reason import StopReason
from evenkeel.model.time import DAY, format_time
from evenkeel.strategies.playbook.playbook import ALL, Playbook
from evenkeel.venues.simulated.book import Curve

SCHEMA = "evenkeel.playbook/1"

EQUITY_NAME, REGIMES_NAME, ATTRIBUTION_NAME = "equity.parquet", "regimes.csv", "attribution.csv"
SHARES_NAME = "shares.csv"
ATTRIBUTION_COLUMNS = ("play", "regime", "trades", "wins", "gross_pnl", "fees", "funding", "net_pnl")


@dataclass(frozen=True)
class PlayRun:
    """The finished run of a play.

    Attributes:
        name: Of the play in the playbook.
        record: What happened.
        market: On what.
        result: Its `result.json`.
    """

    name: str
    record: RunRecord
    market: Market
    result: dict[str, Any]


def total_equity(capital: Decimal, runs: Sequence[PlayRun]) -> tuple[Ints, Ints]:
    """Return the points of all curves, and the equity of the playbook at each in counts of 1e-8.

    A play counts with its equity at its last execution bar, and with nothing gained before its first.
    """
    times = np.unique(np.concatenate([run.record.times_ns for run in runs]))
    total = np.full(len(times), postings_from_money(capital), dtype=np.int64)
    for run in runs:
        curve = run.record.curve[Curve.EQUITY]
        start = int(postings_from_money(Decimal(run.result["account"]["start_equity"])))
        rows = np.searchsorted(run.record.times_ns, times, side="right") - 1
        total += np.where(rows < 0, 0, curve[rows] - start)
    return times, total


def session_ends(times: Ints, equity: Ints) -> tuple[Ints, Ints]:
    """Return the UTC days on which any of the markets traded, and the equity at the end of each."""
    days = (times - 1) // DAY
    ends = np.flatnonzero(np.diff(days, append=days[-1] + 1))
    return days[ends], equity[ends]


def attribution(playbook: Playbook, changes: Sequence[Change], runs: Sequence[PlayRun]) -> list[dict[str, Any]]:
    """Return a row for each play and regime in which it decided on a trade, in order."""
    times = [change.time_ns for change in changes]
    rows: list[dict[str, Any]] = []
    for run in runs:
        by_regime: dict[str, list[Trade]] = {}
        for trade in run.record.trades():
            decided = trade.entry.decided_ns or trade.entry.event.event_ns
            change = changes[max(bisect_right(times, decided) - 1, 0)]
            regime = ALL if playbook.detector is None else playbook.regimes[change.regime]
            by_regime.setdefault(regime, []).append(trade)
        rows += [_attributed(run.name, regime, by_regime[regime]) for regime in playbook.regimes if regime in by_regime]
    return rows


def _attributed(play: str, regime: str, legs: Sequence[Trade]) -> dict[str, Any]:
    nets: dict[int, Decimal] = {}
    for leg in legs:
        nets[leg.number] = nets.get(leg.number, Decimal(0)) + leg.net
    return {
        "play": play, "regime": regime, "trades": len(nets), "wins": sum(net > 0 for net in nets.values()),
        "gross_pnl": plain(sum((leg.gross for leg in legs), Decimal(0))),
        "fees": plain(sum((leg.fees for leg in legs), Decimal(0))),
        "funding": plain(sum((leg.funding for leg in legs), Decimal(0))),
        "net_pnl": plain(sum(nets.values(), Decimal(0))),
    }  # fmt: skip


def result_hash(changes: Sequence[Change], runs: Sequence[PlayRun], stopped_ns: int | None) -> str:
    """Return the digest of all that must repeat: the runs of the plays, regimes and shares, the end."""
    digest = hashlib.sha256()
    encode = msgspec.msgpack.Encoder().encode
    for run in runs:
        digest.update(encode((run.name, run.record.result_hash())))
    for change in changes:
        digest.update(encode(change))
    digest.update(encode(stopped_ns))
    return digest.hexdigest()


def build_result(
    playbook: Playbook, manifest: dict[str, Any], driver: PlaybookDriver, runs: Sequence[PlayRun]
) -> dict[str, Any]:
    """Return the document of `result.json` of a playbook, its checks and timing still empty."""
    changes, stopped_ns = driver.allotment.changes, driver.stopped_ns
    times, equity = total_equity(playbook.capital, runs)
    stop = StopReason.PLAYBOOK if stopped_ns is not None else StopReason.END_OF_DATA
    return {
        "schema": SCHEMA, "run": manifest["run"], "result_hash": result_hash(changes, runs, stopped_ns),
        "playbook": {"name": playbook.name, "hash": playbook.hash, "mode": playbook.mode}, "lane": manifest["lane"],
        "symbols": sorted({symbol for run in runs for symbol in run.result["symbols"]}),
        "data": {key: manifest["data"][key] for key in ("start", "end")},
        "account": {
            "currency": playbook.currency, "start_equity": plain(playbook.capital),
            "end_equity": plain(money_from_postings(int(equity[-1]))),
        },
        "metrics": _metrics(playbook, driver, runs, times, equity),
        "plays": [_play(run) for run in runs],
        "attribution": attribution(playbook, changes, runs),
        "regimes": _regimes(playbook, changes, int(times[-1])),
        "stop_reason": stop.value, "stop_time": format_time(int(times[-1]) if stopped_ns is None else stopped_ns),
        "marks": sorted({mark for run in runs for mark in run.result["marks"]}), "checks": [], "timing": {},
    }  # fmt: skip


def _metrics(
    playbook: Playbook, driver: PlaybookDriver, runs: Sequence[PlayRun], times: Ints, equity: Ints
) -> dict[str, Any]:
    """Return the figures of all plays together; a session is a UTC day on which any of the markets traded."""
    start, end = int(postings_from_money(playbook.capital)), int(equity[-1])
    _, ends = session_ends(times, equity)
    returns = session_returns(start, ends.tolist())
    per_year = max(run.market.calendar.sessions_per_year for run in runs)
    nets = [net for run in runs for net in _position_nets(run)]
    on_curve = max_drawdown(np.concatenate([[start], equity]))
    return {
        "net_pnl": float(sum(nets, Decimal(0))), "return_pct": (end / start - 1.0) * 100.0, "trades": len(nets),
        "win_rate": sum(net > 0 for net in nets) / len(nets) if nets else None, "profit_factor": profit_factor(nets),
        "sharpe": sharpe(returns, per_year), "sortino": sortino(returns, per_year),
        "max_drawdown_pct": on_curve * 100.0, "max_drawdown_intrabar_pct": max(on_curve, driver.deepest) * 100.0,
        "cagr_pct": cagr(start, end, int(times[-1] - times[0])),
        "fees": sum(float(run.result["metrics"]["fees"]) for run in runs),
        "funding": sum(float(run.result["metrics"]["funding"]) for run in runs),
        "slippage": sum(float(run.result["metrics"]["slippage"]) for run in runs),
    }  # fmt: skip


def _position_nets(run: PlayRun) -> list[Decimal]:
    nets: dict[int, Decimal] = {}
    for leg in run.record.trades():
        nets[leg.number] = nets.get(leg.number, Decimal(0)) + leg.net
    return list(nets.values())


def _play(run: PlayRun) -> dict[str, Any]:
    result = run.result
    return {
        "name": run.name, "run": result["run"], "folder": f"{PLAYS_FOLDER}/{run.name}",
        "hash": result["strategy"]["hash"], "symbols": result["symbols"], "result_hash": result["result_hash"],
        "start_equity": result["account"]["start_equity"], "end_equity": result["account"]["end_equity"],
        "trades": result["metrics"]["trades"], "net_pnl": result["metrics"]["net_pnl"],
        "refusals": result["metrics_extra"]["refusals"], "stop_reason": result["stop_reason"],
        "checks_failed": [check["name"] for check in result["checks"] if not check["ok"] and not check["skipped"]],
    }  # fmt: skip


def _regimes(playbook: Playbook, changes: Sequence[Change], end_ns: int) -> list[dict[str, Any]]:
    """Return how often each regime was confirmed and how much of the time it held; nothing without regimes."""
    if playbook.detector is None:
        return []
    ends = [*(change.time_ns for change in changes[1:]), max(end_ns, changes[-1].time_ns)]
    spans = [(change.regime, end - change.time_ns) for change, end in zip(changes, ends, strict=True)]
    whole = max(1, sum(span for _, span in spans))
    entered = [a.regime for a, b in zip(changes[1:], changes, strict=False) if a.regime != b.regime]
    return [
        {
            "regime": regime, "confirmed": entered.count(number),
            "time_pct": sum(span for held, span in spans if held == number) / whole * 100.0,
        }
        for number, regime in enumerate(playbook.regimes)
    ]  # fmt: skip


def write_tables(folder: Path, playbook: Playbook, driver: PlaybookDriver, runs: Sequence[PlayRun]) -> None:
    """Write equity, regimes with shares, and attribution."""
    changes = driver.allotment.changes
    times, equity = total_equity(playbook.capital, runs)
    results.write_points(folder / EQUITY_NAME, times, equity, drawdowns(equity))
    names = [member.name for member in playbook.members]
    columns = ("time", "regime", *(f"p_{regime}" for regime in playbook.regimes), *(f"share_{name}" for name in names))
    results.write_csv(folder / REGIMES_NAME, columns, (_change_row(playbook, change) for change in changes))
    rows = attribution(playbook, changes, runs)
    results.write_csv(folder / ATTRIBUTION_NAME, ATTRIBUTION_COLUMNS, (tuple(row.values()) for row in rows))


def write_shares(folder: Path, number: int, changes: Sequence[Change]) -> None:
    """Write what a play might use from when on, beside the files of its run: its entries were sized by that."""
    rows: list[tuple[str, str]] = []
    for change in changes:
        share = plain(change.shares[number])
        if not rows or rows[-1][1] != share:
            rows.append((format_time(change.time_ns), share))
    results.write_csv(folder / SHARES_NAME, ("time", "share"), rows)


def _change_row(playbook: Playbook, change: Change) -> tuple[object, ...]:
    sequential = playbook.mode == "sequential"
    name = playbook.members[change.regime].name if sequential else playbook.regimes[change.regime]
    return (
        format_time(change.time_ns), name, *(f"{p:.12g}" for p in change.probabilities),
        *(plain(share) for share in change.shares),
    )  # fmt: skip
