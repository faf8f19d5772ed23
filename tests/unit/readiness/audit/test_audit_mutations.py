"""One thing wrong in an otherwise correct run is caught by the check whose duty it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from evenkeel.readiness.audit import audit

from .audited_run import START_NS, Written, edit_csv, edit_json, edit_table, write
from .scenarios import ALL

Change = Callable[[Written], Written]


@dataclass(frozen=True)
class Mutation:
    """What is changed in which scenario, and who must notice."""

    name: str
    scenario: str
    caught_by: str
    change: Change


def trade(row: int = 0, **values: str) -> Change:
    return _edit(lambda run: edit_csv(run.folder / "trades.csv", row, **values))


def fill(row: int, **values: str) -> Change:
    return _edit(lambda run: edit_csv(run.folder / "fills.csv", row, **values))


def result(key: str, value: object) -> Change:
    return _edit(lambda run: edit_json(run.folder / "result.json", key, value))


def manifest(key: str, value: object) -> Change:
    return _edit(lambda run: edit_json(run.folder / "manifest.json", key, value))


def rules(key: str, value: object) -> Change:
    """Change the rules that the manifest holds; numbers in the key are places in a list."""

    def change(run: Written) -> Written:
        path = run.folder / "manifest.json"
        document = json.loads(path.read_text())
        *places, last = (int(part) if part.isdigit() else part for part in key.split("."))
        at = document["strategy"]["resolved"]
        for place in places:
            at = at[place]
        at[last] = value
        path.write_text(json.dumps(document))
        return run

    return change


def all_of(*changes: Change) -> Change:
    def change(run: Written) -> Written:
        for one in changes:
            run = one(run)
        return run

    return change


def point(row: int, **values: object) -> Change:
    """Change values of one equity point; numbers are added, so that a shift is small."""

    def shifted(table: pl.DataFrame) -> pl.DataFrame:
        here = pl.int_range(pl.len()) == row
        return table.with_columns(
            pl.when(here).then(pl.col(name) + value).otherwise(pl.col(name)).cast(table.schema[name]).alias(name)
            for name, value in values.items()
        )

    return _edit(lambda run: edit_table(run.folder / "equity.parquet", shifted))


def without_point(row: int) -> Change:
    return _edit(
        lambda run: edit_table(run.folder / "equity.parquet", lambda table: table.filter(pl.int_range(pl.len()) != row))
    )


def session(row: int, shift: str) -> Change:
    def shifted(table: pl.DataFrame) -> pl.DataFrame:
        values = table["equity"].to_list()
        values[row] += Decimal(shift)
        return table.with_columns(equity=pl.Series(values, dtype=pl.Decimal(38, 8)))

    return _edit(lambda run: edit_table(run.folder / "sessions.parquet", shifted))


def base(row: int, **values: float) -> Change:
    """Set values of one base bar."""
    return lambda run: replace(run, base=_set(run.base, row, values))


def higher(row: int, **values: float) -> Change:
    """Set values of one execution bar."""
    return lambda run: replace(run, higher={name: _set(table, row, values) for name, table in run.higher.items()})


def _set(table: pl.DataFrame, row: int, values: dict[str, float]) -> pl.DataFrame:
    here = pl.int_range(pl.len()) == row
    return table.with_columns(
        pl.when(here).then(pl.lit(value, table.schema[name])).otherwise(pl.col(name)).alias(name)
        for name, value in values.items()
    )


def _edit(edit: Callable[[Written], None]) -> Change:
    def change(run: Written) -> Written:
        edit(run)
        return run

    return change


def without_last_fill(run: Written) -> Written:
    path = run.folder / "fills.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    return run


def late_entry(run: Written) -> Written:
    """Move entry and its fill one base bar on."""
    late = "2024-01-01T00:06:00Z"
    return all_of(trade(entry_time=late), fill(0, time=late))(run)


MUTATIONS = [
    # money
    Mutation("entry fee off by 1e-8", "long_stop", "FEES", fill(0, fee="0.55011001")),
    Mutation("maker fee charged as taker", "limit_maker", "FEES", fill(0, fee="0.54725", liquidity="maker")),
    Mutation("exit fee a float of 1e-7 off", "short_target", "FEES", fill(1, fee="0.5281057")),
    Mutation("fees of a trade without its exit", "long_stop", "FEES", trade(fees="0.55011")),
    Mutation("fee per contract left out", "future", "FEES", fill(0, fee="0")),
    Mutation("gross off by 1e-8", "long_stop", "INDEP_PNL", trade(gross_pnl="-19.39620001")),
    Mutation("gross without multiplier", "future", "INDEP_PNL", trade(gross_pnl="10")),
    Mutation("gross with the sign of the other side", "short_target", "PNL_DIRECTION", trade(gross_pnl="-39.608")),
    Mutation("net with fees added", "long_stop", "NET_PNL", trade(net_pnl="-18.30664791")),
    Mutation("net off by 1e-8", "end_of_data", "NET_PNL", trade(net_pnl="8.49250111")),
    Mutation("funding from nowhere", "signal", "NET_PNL", trade(funding="1")),
    Mutation("net agrees with wrong gross, not with the fills", "signal", "EXCHANGE_FORMULA",
             trade(gross_pnl="15.597", net_pnl="14.48875165")),
    Mutation("slippage memo off", "long_stop", "SLIPPAGE", fill(0, slippage="0.21")),
    Mutation("slippage total off", "long_stop", "SLIPPAGE", result("metrics.slippage", "0.3963")),
    # trades and fills
    Mutation("side flipped", "long_stop", "FILLS_MATCH", trade(side="short")),
    Mutation("side forbidden", "short_target", "ENTRY_FILL", manifest("position_policy.mode", "long_only")),
    Mutation("fill of another size", "long_stop", "FILLS_MATCH", fill(1, qty="9.999")),
    Mutation("fill missing", "long_stop", "FILLS_MATCH", without_last_fill),
    Mutation("fill id twice", "forty_days", "FILLS_MATCH", fill(2, fill="1")),
    Mutation("fill of no trade", "long_stop", "FILLS_MATCH", fill(1, trade="7")),
    Mutation("stop filled by the target leg", "long_stop", "FILLS_MATCH", fill(1, leg="target")),
    Mutation("quantity off the lot grid", "long_stop", "ENTRY_FILL", trade(qty="10.0005")),
    Mutation("quantity below the smallest", "long_stop", "ENTRY_FILL", manifest("instrument.min_quantity", "11")),
    Mutation("other symbol", "long_stop", "ENTRY_FILL", trade(symbol="ETHUSDT")),
    Mutation("count of trades", "long_stop", "TRADE_COUNT", result("metrics.trades", 2)),
    Mutation("numbering", "forty_days", "TRADE_COUNT", trade(1, trade="3")),
    Mutation("overlapping trades", "forty_days", "NO_OVERLAP", trade(1, decided_time="2024-01-05T12:00:00Z")),
    Mutation("exit before entry", "long_stop", "NO_OVERLAP", trade(exit_time="2024-01-01T00:04:00Z")),
    Mutation("quantity above the size rule", "long_stop", "SIZE", trade(qty="10.001")),
    Mutation("quantity below the size rule", "long_stop", "SIZE", trade(qty="9.999")),
    Mutation("risk twice as high", "future", "SIZE", trade(qty="2")),
    Mutation("below the smallest notional", "long_stop", "SIZE", manifest("account.min_notional", "1001")),
    # levels
    Mutation("target before stop", "long_stop", "SL_TP_LEVELS", trade(stop_price="104.0", target_price="98.1")),
    Mutation("stop off the tick grid", "long_stop", "SL_TP_LEVELS", trade(stop_price="98.02")),
    Mutation("stop rounded away from the entry", "long_stop", "SL_TP_CALC", trade(stop_price="98.0")),
    Mutation("target rounded away from the entry", "short_target", "SL_TP_CALC", trade(target_price="95.9")),
    Mutation("stop of another ratio", "limit_maker", "SL_TP_CALC", trade(stop_price="97.4")),
    Mutation("target of another ratio", "long_stop", "SL_TP_CALC", trade(target_price="104.1")),
    Mutation("no stop", "end_of_data", "SL_TP_LEVELS", trade(stop_price="")),
    # fills against bars
    Mutation("entry price 1e-9 off", "long_stop", "ENTRY_PRICE", trade(entry_price="100.0200001")),
    Mutation("entry without slippage", "long_stop", "ENTRY_PRICE", trade(entry_price="100")),
    Mutation("maker called taker", "limit_maker", "ENTRY_PRICE", trade(entry_liquidity="taker")),
    Mutation("limit not reached", "limit_maker", "ENTRY_PRICE", base(6, low=99.6)),
    Mutation("limit reached before", "limit_maker", "ENTRY_TIME", base(5, low=99.5)),
    Mutation("touch is no fill where a trade through is needed", "limit_maker", "ENTRY_PRICE",
             all_of(manifest("require_trade_through", value=True), base(6, low=99.5))),
    Mutation("post-only that took", "limit_maker", "ENTRY_PRICE",
             all_of(manifest("entry.time_in_force", "PostOnly"), base(5, open=99.0, low=99.0), late_entry,
                    trade(entry_time="2024-01-01T00:05:00Z", entry_point="open", entry_liquidity="taker"))),
    Mutation("fill one bar late", "long_stop", "ENTRY_TIME", late_entry),
    Mutation("decision not at an execution close", "long_stop", "ENTRY_TIME",
             trade(decided_time="2024-01-01T00:04:00Z")),
    Mutation("decision before warm", "long_stop", "ENTRY_TIME",
             manifest("data.first_trade_time", "2024-01-01T00:10:00Z")),
    Mutation("expired limit", "limit_maker", "ENTRY_TIME",
             all_of(trade(entry_time="2024-01-01T00:10:00Z"), fill(0, time="2024-01-01T00:10:00Z"))),
    Mutation("stop exit at the level without slippage", "long_stop", "EXIT_FILL", trade(exit_price="98.1")),
    Mutation("stop exit better than its level", "long_stop", "EXIT_REASON", trade(exit_price="98.2")),
    Mutation("gap exit at the level", "long_stop_gap", "EXIT_FILL", trade(exit_price="98.08038", exit_point="inside")),
    Mutation("stop not reached", "long_stop", "EXIT_FILL", base(7, low=98.2)),
    Mutation("limit target with slippage", "limit_maker", "EXIT_FILL", trade(exit_price="102.9794")),
    Mutation("target worse than its level", "limit_maker", "EXIT_REASON", trade(exit_price="102.4")),
    Mutation("unknown reason", "long_stop", "EXIT_REASON", trade(exit_reason="bored")),
    Mutation("signal where only levels may end a trade", "signal", "EXIT_REASON",
             manifest("position_policy.exit_mode", "sl_tp_only")),
    Mutation("signal between decisions", "signal", "EXIT_TIME",
             all_of(trade(exit_time="2024-01-01T00:11:00Z"), fill(1, time="2024-01-01T00:11:00Z"))),
    Mutation("end of data that is none", "end_of_data", "EXIT_TIME", trade(exit_time="2024-01-01T00:13:00Z")),
    Mutation("data gap that is none", "long_stop", "EXIT_TIME", trade(exit_reason="data_gap", exit_point="close")),
    Mutation("stop touched before", "long_stop", "TP_SL_FIRST", base(6, low=98.1)),
    Mutation("target touched before", "end_of_data", "TP_SL_FIRST", base(6, high=104.0)),
    Mutation("target wins over the stop in one bar", "short_target", "TP_SL_FIRST", base(12, high=101.9)),
    Mutation("stop touched in the last bar", "end_of_data", "TP_SL_FIRST", base(14, low=98.0)),
    Mutation("signal after a gap over the target", "signal", "TP_SL_FIRST", base(10, open=104.5, high=104.5)),
    Mutation("excursion too small", "long_stop_gap", "EXCURSION", trade(mae="-0.1")),
    Mutation("excursion in percent", "short_target", "EXCURSION", trade(mfe="3.961592")),
    Mutation("favourable and adverse swapped", "end_of_data", "EXCURSION", trade(mae="0.00979804", mfe="0")),
    Mutation("bars held", "signal", "BARS_HELD", trade(bars_held="2")),
    # equity
    Mutation("equity of an open position off by 2e-8", "short_target", "EQUITY_MARK",
             point(1, equity=Decimal("0.00000002"))),
    Mutation("equity while flat off by 1e-8", "long_stop", "EQUITY_WALK", point(1, equity=Decimal("0.00000001"))),
    Mutation("cash off by 1e-8", "short_target", "EQUITY_WALK", point(1, cash=Decimal("0.00000001"))),
    Mutation("position of the other sign", "short_target", "EQUITY_WALK", point(1, position=20.0)),
    Mutation("last point before the closing trade", "end_of_data", "EQUITY_FINAL", point(2, equity=Decimal("1.2"))),
    Mutation("end equity in the result", "long_stop", "EQUITY_FINAL", result("account.end_equity", "9979.51")),
    Mutation("point missing", "long_stop", "EQUITY_POINTS", without_point(1)),
    Mutation("point at another time", "long_stop", "EQUITY_POINTS",
             _edit(lambda run: edit_table(run.folder / "equity.parquet", lambda table: table.with_columns(
                 time=pl.when(pl.int_range(pl.len()) == 1).then(pl.col("time").dt.offset_by("1m"))
                 .otherwise(pl.col("time")))))),
    Mutation("drawdown in percent", "long_stop", "DRAWDOWN_WALK", point(1, drawdown=0.2)),
    Mutation("session equity", "forty_days", "SESSIONS", session(3, "0.00000001")),
    Mutation("last session", "future", "SESSIONS", session(0, "1")),
    # metrics
    Mutation("win rate in percent", "forty_days", "METRIC_RATES", result("metrics.win_rate", 50)),
    Mutation("win rate impossible", "forty_days", "SUMMARY", result("metrics.win_rate", 0.4)),
    Mutation("profit factor infinite for none", "short_target", "METRIC_RATES", result("metrics.profit_factor", 100)),
    Mutation("profit factor zero for null", "quiet", "METRIC_RATES", result("metrics.profit_factor", 0)),
    Mutation("profit factor against the net", "forty_days", "SUMMARY", result("metrics.profit_factor", 0.5)),
    Mutation("net result", "forty_days", "METRIC_PNL", result("metrics.net_pnl", "21.98875274")),
    Mutation("expectancy", "forty_days", "METRIC_PNL", result("metrics.expectancy", 21.98875275)),
    Mutation("return as a fraction", "long_stop", "METRIC_GROWTH", result("metrics.return_pct", -0.002048575209)),
    Mutation("growth over a short range", "long_stop", "METRIC_GROWTH", result("metrics.cagr_pct", -5)),
    Mutation("drawdown as a fraction", "long_stop", "METRIC_DRAWDOWN", result("metrics.max_drawdown_pct", 0.002048)),
    Mutation("drawdown between closes", "drawdown", "METRIC_DRAWDOWN_INTRABAR",
             result("metrics.max_drawdown_intrabar_pct", 0.9)),
    Mutation("sharpe not annualised", "forty_days", "METRIC_RISK", result("metrics.sharpe", 0.1)),
    Mutation("sortino of few sessions", "long_stop", "METRIC_RISK", result("metrics.sortino", 0.0)),
    Mutation("exposure as a fraction", "short_target", "METRIC_EXPOSURE", result("metrics.exposure_pct", 1 / 3)),
    Mutation("mean duration", "signal", "METRIC_DURATION", result("metrics.avg_bars_held", 2)),
    Mutation("number of wins", "forty_days", "METRIC_COUNTS", result("metrics_extra.wins", 2)),
    Mutation("largest win", "forty_days", "METRIC_EXTREMES", result("metrics_extra.largest_win", "29")),
    Mutation("recovery factor", "forty_days", "METRIC_QUALITY", result("metrics_extra.recovery_factor", 1)),
    # bars
    Mutation("high below the open", "quiet", "OHLCV_VALID", base(3, high=99.0)),
    Mutation("negative volume", "quiet", "OHLCV_VALID", base(3, volume=-1.0)),
    Mutation("price that is no number", "quiet", "OHLCV_VALID", base(3, close=float("nan"))),
    Mutation("time goes back", "quiet", "OHLCV_VALID", base(3, open_ns=START_NS)),
    Mutation("aggregate with a higher low", "long_stop", "MTF_AGGREGATION", higher(1, low=98.1)),
    Mutation("aggregate of other rows", "future", "MTF_AGGREGATION", higher(1, first=4)),
    Mutation("aggregate with another volume", "long_stop", "MTF_AGGREGATION", higher(1, volume=1.0)),
    Mutation("aggregate missing", "long_stop", "MTF_AGGREGATION",
             lambda run: replace(run, higher={name: table[:-1] for name, table in run.higher.items()})),
    Mutation("bars missing", "quiet", "BARS_MATCH", lambda run: replace(run, base=run.base[:-1])),
    # legs
    Mutation("legs not numbered", "ladder", "TRADE_COUNT", trade(1, leg="3")),
    Mutation("legs of another decision", "ladder", "LEGS", trade(1, decided_time="2024-01-01T00:04:00Z")),
    Mutation("legs with another first stop", "ladder", "LEGS", trade(1, stop_price="98.2")),
    Mutation("leg after one that came later", "ladder", "NO_OVERLAP", trade(1, exit_time="2024-01-01T00:05:00Z")),
    Mutation("step of another share", "ladder", "LEGS", all_of(
        trade(0, qty="5", entry_fee="0.275055"), trade(1, qty="5", entry_fee="0.275055"))),
    Mutation("step beyond the last", "ladder_in_one_bar", "LEGS", manifest("risk.take_profit.steps", [
        {"rr": 0.5, "close_pct": 33}, {"rr": 1, "close_pct": 67}])),
    Mutation("signal of another part", "partial", "LEGS", manifest("strategy.resolved.actions", [
        {"id": "out", "cases": [{"when": [], "emit": [{"action": "exit_long", "percent": 50}]}]}])),
    Mutation("stop of a part", "partial", "LEGS", trade(0, exit_reason="end_of_data", exit_point="close")),
    Mutation("signal of a play without such an exit", "partial", "LEGS", manifest("strategy.resolved.actions", {
        "entry_long": [], "exit_short": []})),
    Mutation("share of the entry fee off by 1e-8", "partial", "FEES", all_of(
        trade(0, entry_fee="2.20044001", fees="4.42199561"), trade(1, entry_fee="3.30065999", fees="4.52465999"))),
    Mutation("entry fee in the first leg alone", "ladder", "FEES", all_of(
        trade(0, entry_fee="0.55011", fees="0.63171"), trade(1, entry_fee="0", fees="0.1242"))),
    Mutation("legs that are more than the entry", "ladder", "FILLS_MATCH", trade(1, qty="7")),
    Mutation("leg without a fill", "ladder", "FILLS_MATCH", without_last_fill),
    Mutation("memo of slippage beyond that of the fills", "ladder", "FILLS_MATCH", trade(0, slippage="0.2")),
    Mutation("memo of slippage in the first leg alone", "ladder", "SLIPPAGE", all_of(
        trade(0, slippage="0.2"), trade(1, slippage="0"))),
    Mutation("signal sized behind the step of its bar", "step_before_signal", "LEGS", all_of(
        trade(1, qty="3"), trade(2, qty="3"))),
    Mutation("signal before the step of its bar", "step_before_signal", "TP_SL_FIRST", all_of(
        trade(0, exit_reason="signal"), trade(1, exit_reason="tp"))),
    Mutation("steps of one tick in another order", "both_steps_on_a_tick", "LEGS",
             manifest("risk.take_profit.steps", [{"pct": 1.05, "close_pct": 60}, {"pct": 1, "close_pct": 40}])),
    Mutation("target that is worse than the nearest", "ladder", "EXIT_REASON", trade(0, exit_price="101.9")),
    Mutation("net of a leg", "ladder", "NET_PNL", trade(1, net_pnl="20.42573401")),
    Mutation("net of a leg made up by another", "ladder", "NET_PNL", all_of(
        trade(0, net_pnl="7.618357"), trade(1, net_pnl="20.425733"))),
    Mutation("gross of a leg", "ladder", "INDEP_PNL", trade(0, gross_pnl="7.92000001")),
    Mutation("position after a part", "partial", "EQUITY_WALK", point(9, position=0.08)),
    Mutation("value of the rest", "partial", "EQUITY_MARK", point(9, equity=Decimal("0.00000002"))),
    Mutation("bars held of a leg", "partial", "BARS_HELD", trade(0, bars_held="3")),
    Mutation("excursion of a later leg", "partial", "EXCURSION", trade(0, mfe="0.0219")),
    Mutation("steps in another order", "ladder_in_one_bar", "EXIT_FILL", all_of(
        trade(0, exit_price="98.0196"), trade(1, exit_price="99.0198"))),
    Mutation("step inside a bar that opened beyond it", "ladder", "EXIT_FILL", trade(1, exit_point="inside")),
    Mutation("step reached before", "ladder", "TP_SL_FIRST", base(7, high=103.0)),
    Mutation("step reached in the bar of the one before", "ladder", "TP_SL_FIRST", base(6, high=103.0)),
    Mutation("stop before the steps", "ladder", "TP_SL_FIRST", base(6, low=98.1)),
    Mutation("stop between the steps", "ladder", "TP_SL_FIRST", base(7, low=98.1)),
    # stops that move
    Mutation("stop that moved a tick too far", "trailing", "STOP_PATH", trade(final_stop="101.6")),
    Mutation("stop moved by the bar that it ends", "trailing", "STOP_PATH", base(8, close=102.6, high=102.6)),
    Mutation("stop that did not move", "trailing", "STOP_PATH", trade(final_stop="99.1")),
    Mutation("stop moved before it was armed", "trailing", "STOP_PATH",
             manifest("risk.stop_loss.activation_pct", "2.5")),
    Mutation("stop armed too late", "trailing_beside", "STOP_PATH", manifest("risk.trailing.activation_pct", "1")),
    Mutation("another ATR", "trailing_beside", "STOP_PATH", base(2, high=101.0)),
    Mutation("another length of the ATR", "trailing_beside", "STOP_PATH",
             manifest("strategy.resolved.features.atr_3.params.length", 4)),
    Mutation("another multiple of the ATR", "trailing_beside", "STOP_PATH",
             manifest("risk.trailing.atr_multiplier", "2.3")),
    Mutation("break-even of another offset", "break_even", "STOP_PATH", manifest("risk.break_even.offset_pct", "0.1")),
    Mutation("break-even rounded to the nearest tick", "break_even", "STOP_PATH", trade(final_stop="187.69")),
    Mutation("break-even without activation", "break_even_short", "STOP_PATH",
             manifest("risk.break_even.activation_pct", "1.3")),
    Mutation("moved by the other rule", "break_even", "STOP_PATH", all_of(
        trade(exit_reason="trailing"),
        manifest("risk.trailing", {"type": "trailing_pct", "trail_pct": "50"}))),
    Mutation("moved stop called the first", "break_even", "EXIT_REASON", trade(exit_reason="sl")),
    Mutation("trailing without a rule", "break_even", "EXIT_REASON", trade(exit_reason="trailing")),
    Mutation("stop that widened", "long_stop", "EXIT_REASON", trade(final_stop="98.0")),
    Mutation("moved stop off the grid", "break_even", "SL_TP_LEVELS", trade(final_stop="187.691")),
    Mutation("moved stop and its fill disagree", "trailing", "EXIT_FILL", trade(exit_price="101.37972")),
    Mutation("moved stop was touched before", "trailing", "TP_SL_FIRST", base(8, low=101.5)),
    Mutation("moved stop was jumped over", "trailing_beside", "EXIT_FILL", base(7, open=99.9, low=99.9)),
    Mutation("stop of another ATR", "break_even", "SL_TP_CALC", manifest("risk.stop_loss.value", "2.201")),
    # funding
    Mutation("funding of a leg", "partial", "FUNDING", all_of(
        trade(0, funding="-0.4", net_pnl="33.5700044"), trade(1, funding="-0.602", net_pnl="113.67334"))),
    Mutation("funding not charged", "partial", "FUNDING", all_of(
        trade(0, funding="0", net_pnl="33.9700044"), trade(1, funding="0", net_pnl="114.27534"))),
    Mutation("funding of the other sign", "partial", "FUNDING", all_of(
        trade(0, funding="0.4008", net_pnl="34.3708044"), trade(1, funding="0.6012", net_pnl="114.87654"))),
    Mutation("funding at another rate", "partial", "FUNDING", manifest("account.funding.fixed_rate", "0.0002")),
    Mutation("funding on another mark", "partial", "FUNDING", base(8, open=50101.0)),
    Mutation("funding without a rate", "partial", "FUNDING", manifest("account.funding.enabled", value=False)),
    Mutation("funding of a share", "partial", "FUNDING", manifest("instrument.kind", "equity")),
    Mutation("funding paid at another time", "partial", "EQUITY_WALK", point(8, cash=Decimal("1.002"))),
    # margin
    Mutation("liquidation not heeded", "liquidated", "LIQ_DISTANCE", base(2, low=45251.0)),
    Mutation("rest not liquidated in the bar of a part", "freed_by_a_part", "LIQ_DISTANCE", base(10, low=99.2)),
    Mutation("liquidated before a part was closed", "freed_by_a_part", "LIQ_DISTANCE", base(10, open=99.4)),
    Mutation("liquidation without cause", "liquidated", "LIQ_DISTANCE", base(3, low=45252.0)),
    Mutation("liquidation before a stop that was nearer", "liquidated", "LIQ_DISTANCE", all_of(
        trade(stop_price="46000", final_stop="46000"), manifest("risk.stop_loss", {"type": "structure"}))),
    Mutation("liquidation of another margin", "liquidated", "LIQ_DISTANCE", manifest("account.max_leverage", "9")),
    Mutation("liquidation at the liquidation price", "liquidated", "EXIT_FILL", all_of(
        trade(exit_price="45251.1438483584"), fill(1, price="45251.1438483584"))),
    Mutation("liquidation of something that is never", "liquidated", "EXIT_REASON",
             manifest("instrument.kind", "equity")),
    Mutation("fee of a liquidation", "liquidated", "FEES", manifest("account.liquidation_bps", "7.5")),
    Mutation("stop beyond bankruptcy filled as a stop", "liquidated_in_a_gap", "EXIT_FILL", all_of(
        trade(exit_reason="sl", exit_price="44000"), fill(1, price="44000", leg="stop", order_kind="stop"))),
    Mutation("target before the liquidation of its bar", "liquidated", "LIQ_DISTANCE", all_of(
        trade(target_price="50500", exit_reason="tp", exit_price="50500"), base(3, high=50500.0),
        manifest("risk.take_profit", {"type": "fixed_points", "value": "500"}))),
    Mutation("liquidation too near at the entry", "liquidated", "LIQ_DISTANCE",
             manifest("account.min_liq_distance_pct", "9.6")),
    Mutation("stop beyond the liquidation", "liquidated_in_a_gap", "LIQ_DISTANCE", all_of(
        trade(stop_price="45252", final_stop="45252"),
        manifest("risk.stop_loss", {"type": "fixed_points", "value": "4748"}))),
    Mutation("stop not adjusted", "liquidated_in_a_gap", "SL_TP_CALC", all_of(
        trade(stop_price="45252", final_stop="45252"), manifest("account.on_sl_beyond_liq", "adjust"),
        manifest("risk.stop_loss", {"type": "fixed_points", "value": "4800"}))),
    Mutation("run goes on after a liquidation", "liquidated", "STOP_REASON", result("stop_reason", "end_of_data")),
    Mutation("run ended by no liquidation", "partial", "STOP_REASON", result("stop_reason", "liquidated")),
    Mutation("run need not end at a liquidation", "liquidated", "STOP_REASON",
             manifest("account.continue_after_liquidation", value=True)),
    Mutation("order beyond the free margin", "liquidated", "SIZE", manifest("account.start_equity", "505")),
    # intrabar
    Mutation("decision inside a bar", "intrabar", "ENTRY_TIME",
             manifest("strategy.resolved.timeframes.evaluate", "bar_close")),
    Mutation("exit decided inside a bar", "intrabar", "EXIT_TIME",
             manifest("strategy.resolved.timeframes.evaluate", "bar_close")),
    Mutation("too many entries in one bar", "intrabar", "ENTRY_TIME",
             manifest("strategy.resolved.timeframes.max_entries_per_bar", 0)),
    # the rules
    Mutation("entry that no rule asks for", "crossed", "SIGNAL_REPLAY",
             rules("actions.0.cases.0.when.1", ["close", "cross_above", 101.5])),
    Mutation("entry asked for and not made", "crossed", "SIGNAL_REPLAY",
             rules("actions.0.cases.0.when", ["close", ">", 99])),
    Mutation("entry by another rule", "crossed", "SIGNAL_REPLAY", trade(entry_reason="leave")),
    Mutation("exit asked for and not made", "crossed", "SIGNAL_REPLAY", rules("setups.up", ["close", ">", 101.5])),
    Mutation("exit that no rule asks for", "crossed", "SIGNAL_REPLAY", rules("setups.up", ["close", ">", 90])),
    Mutation("exit of a part that the rule does not name", "crossed", "SIGNAL_REPLAY",
             rules("actions.1.cases.0.emit.0.percent", 50)),
    Mutation("side that the play may not take", "crossed", "SIGNAL_REPLAY",
             rules("position_policy.mode", "short_only")),
    Mutation("decided a bar before the rule", "crossed", "SIGNAL_REPLAY",
             trade(decided_time="2024-01-01T00:05:00Z")),
    Mutation("warm-up longer than the run says", "crossed", "SIGNAL_REPLAY", manifest("data.warmup", {"5m": 3})),
    Mutation("rules that cannot be read", "crossed", "SIGNAL_REPLAY", rules("setups.up", ["close", ">"])),
    Mutation("entry that only later data asks for", "crossed", "NO_LOOKAHEAD",
             rules("actions.0.cases.0.when.1", ["close", "cross_above", 101.5])),
    # the run
    Mutation("limit reached and not heeded", "long_stop", "STOP_REASON", manifest("account.max_drawdown_pct", "0.2")),
    Mutation("limit claimed and not reached", "drawdown", "STOP_REASON", manifest("account.max_drawdown_pct", "5")),
    Mutation("trade goes on after the limit", "drawdown", "STOP_REASON", trade(exit_time="2024-01-01T00:09:00Z")),
    Mutation("reason of the run", "drawdown", "STOP_REASON", result("stop_reason", "end_of_data")),
    Mutation("equity stop not heeded", "long_stop", "STOP_REASON", manifest("account.stop_equity", "9990")),
    Mutation("files of two runs", "quiet", "LOAD", result("run", "r2")),
    Mutation("other data", "quiet", "LOAD", result("data.hash", "d2")),
]  # fmt: skip


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_one_corruption_is_caught_by_its_check(mutation: Mutation, tmp_path: Path) -> None:
    run = mutation.change(write(tmp_path, ALL[mutation.scenario]))

    checks = audit(run.folder, base_bars=run.base, higher_bars=run.higher)

    assert mutation.caught_by in {check.name for check in checks if check.failed}


def test_every_check_that_can_run_catches_a_corruption(tmp_path: Path) -> None:
    run = write(tmp_path, ALL["forty_days"])
    checks = audit(run.folder, base_bars=run.base, higher_bars=run.higher)
    assert {check.name for check in checks} == {mutation.caught_by for mutation in MUTATIONS}


def test_the_detail_names_the_trade_and_both_figures(tmp_path: Path) -> None:
    run = trade(net_pnl="-18.30664791")(write(tmp_path, ALL["long_stop"]))

    detail = next(check.detail for check in audit(run.folder) if check.name == "NET_PNL")

    assert detail == "trade 1: net is -18.30664791, gross + funding - fees is -20.48575209"


def test_several_faults_of_one_check_are_counted(tmp_path: Path) -> None:
    run = all_of(trade(0, net_pnl="1"), trade(1, net_pnl="1"))(write(tmp_path, ALL["forty_days"]))

    detail = next(check.detail for check in audit(run.folder) if check.name == "NET_PNL")

    assert detail.startswith("trade 1: ")
    assert detail.endswith("(and 1 more)")


def test_manifest_numbers_may_be_numbers_or_strings(tmp_path: Path) -> None:
    run = manifest("account.slippage_bps", 2)(write(tmp_path, ALL["long_stop"]))

    assert json.loads((run.folder / "manifest.json").read_text())["account"]["slippage_bps"] == 2
    assert not any(check.failed for check in audit(run.folder, base_bars=run.base, higher_bars=run.higher))
