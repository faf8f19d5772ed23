"""Runs an engine-lane backtest with its journal and tells each command on a pipe as it leaves.

    python killed_run.py FOLDER PIPE_FD

The test beside this file starts it, kills it, and starts it again.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

from evenkeel.data.calendar import load_calendar
from evenkeel.data.definitions import Definitions
from evenkeel.data.revision import Revision, content_id
from evenkeel.engine.core import RunFacts
from evenkeel.engine.journaled import run_journaled
from evenkeel.engine.market import Market, Stretch
from evenkeel.engine.record import RunRecord
from evenkeel.features.timeline import Series
from evenkeel.model.bar import Bars
from evenkeel.model.command import CancelEntry, Command
from evenkeel.model.ids import RunId, StrategyId
from evenkeel.model.reason import Reason
from evenkeel.model.time import MINUTE, TIMEFRAMES
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.program import PlayStrategy

BARS = 40_000
PLAY = """
version: "3.0.0"
name: "restless"
symbol: "BTCUSDT"
timeframes: { low_tf: "1m", med_tf: "5m", high_tf: "5m", exec: "low_tf" }
account: { starting_equity: 1000000, max_drawdown_pct: 100, slippage_bps: 1 }
features:
  ema_5: { indicator: ema, params: { length: 5 } }
  ema_12: { indicator: ema, params: { length: 12 } }
  atr_14: { indicator: atr, tf: "5m", params: { length: 14 } }
actions:
  entry_long: [["ema_5", "cross_above", "ema_12"]]
  entry_short: [["ema_5", "cross_below", "ema_12"]]
  exit_all: { any: [["ema_5", "cross_above", "ema_12"], ["ema_5", "cross_below", "ema_12"]] }
position_policy: { mode: long_short, exit_mode: first_hit }
entry: { order_type: LIMIT, limit_offset_pct: 0.01, time_in_force: GTC, expire_after_bars: 3 }
risk_model:
  stop_loss: { type: atr_multiple, value: 1.5, atr_feature_id: atr_14 }
  take_profit: { type: rr_ratio, value: 1.5 }
  sizing: { model: fixed_quantity, value: 1 }
"""
MANIFEST = {"run": "restless-test"}


def market_and_strategy() -> tuple[PlayStrategy, Market]:
    """A seeded walk in one stretch, the same in every process."""
    strategy = PlayStrategy(load_play(PLAY, instruments=Definitions.load().find))
    draws = np.random.Generator(np.random.PCG64(11))
    close = np.round(30_000 * np.exp(np.cumsum(draws.normal(size=BARS) * 5e-4)), 1)
    opens = np.concatenate([[30_000.0], close[:-1]])
    wick = np.round(np.abs(draws.normal(size=(2, BARS))) * 6, 1)
    times = np.arange(BARS, dtype=np.int64) * MINUTE + 1_704_067_200_000_000_000
    bars = Bars(
        TIMEFRAMES["1m"], times, times + MINUTE, opens, np.maximum(opens, close) + wick[0],
        np.minimum(opens, close) - wick[1], close, np.ones(BARS),
    )  # fmt: skip
    calendar = load_calendar("24/7")
    series = Series(bars, calendar)
    revision = Revision(
        id=content_id(strategy.instrument.id, bars), instrument=strategy.instrument.id, timeframe=bars.timeframe,
        rows=BARS, first_ns=int(times[0]), last_ns=int(times[-1]) + MINUTE, source="walk", imported_ns=0,
    )  # fmt: skip
    stretch = Stretch(0, series, strategy.program.exec, 300, Reason.END_OF_DATA)
    market = Market(
        instrument=strategy.instrument, calendar=calendar, revision=revision, base=bars.timeframe,
        exec=strategy.program.exec, window=(int(times[0]), int(times[-1]) + MINUTE), stretches=(stretch,), gaps=(),
        left_out=0, warmup_bars=0,
    )  # fmt: skip
    return strategy, market


def facts_of(strategy: PlayStrategy) -> RunFacts:
    return RunFacts(
        mode="backtest", run=RunId(MANIFEST["run"]), strategy=StrategyId(strategy.name),
        instrument=strategy.instrument.id, start_equity=strategy.terms.account.start_equity,
    )  # fmt: skip


def main(folder: Path, pipe: int) -> RunRecord:
    strategy, market = market_and_strategy()

    def tell(command: Command) -> None:
        if not isinstance(command, CancelEntry):
            os.write(pipe, f"{command.client_id}\n".encode())

    record, resumed = run_journaled(folder, MANIFEST, facts_of(strategy), strategy, market, on_command=tell)
    os.write(pipe, f"done {resumed} {record.result_hash()}\n".encode())
    return record


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
