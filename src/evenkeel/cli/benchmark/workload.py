"""The named workloads: a strategy as a play, and the generated series that it runs on.

W1 trades much and computes little, W2 has indicators, stops and targets. Both decide at the close of a bar and fill at
the next open. They earn nothing and are no advice.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evenkeel.api import Request, prepare
from evenkeel.data.catalog import Catalog
from evenkeel.data.definitions import Definitions
from evenkeel.data.synthetic import random_walk
from evenkeel.engine.market import Market
from evenkeel.model.bar import Bars
from evenkeel.model.errors import invariant
from evenkeel.model.number import to_float
from evenkeel.strategies.strategy import Strategy

SYMBOL = "BTCUSDT"

_HEAD = f"""\
version: "3.0.0"
symbol: {SYMBOL}
timeframes: {{ low_tf: 1m, med_tf: 1m, high_tf: 1m, exec: low_tf }}
account:
  starting_equity: 1000000
  max_drawdown_pct: 100
  slippage_bps: 0
  fee_model: {{ taker_bps: 5.5, maker_bps: 5.5 }}
"""

_CROSS = """\
name: w1_cross
features:
  ema_20: { indicator: ema, params: { length: 20 } }
  ema_50: { indicator: ema, params: { length: 50 } }
actions:
  entry_long: [["ema_20", ">", "ema_50"]]
  exit_long: [["ema_20", "<=", "ema_50"]]
position_policy: { mode: long_only, exit_mode: signal }
risk_model:
  sizing: { model: fixed_quantity, value: 1 }
"""

_DIP = """\
name: w2_dip
features:
  rsi_14: { indicator: rsi, params: { length: 14 } }
  bb_20: { indicator: bbands, params: { length: 20, std: 2.0 } }
  atr_14: { indicator: atr, params: { length: 14 } }
actions:
  entry_long: [["close", "<", "bb_20.lower"], ["rsi_14", "<", 30]]
position_policy: { mode: long_only, exit_mode: sl_tp_only }
risk_model:
  stop_loss: { type: atr_multiple, value: 2.0, atr_feature_id: atr_14 }
  take_profit: { type: atr_multiple, value: 3.0, atr_feature_id: atr_14 }
  sizing: { model: percent_equity, value: 10 }
"""


@dataclass(frozen=True, slots=True)
class Workload:
    """A strategy to measure.

    Attributes:
        name: As in `--only`.
        title: What it does.
        play: Its text.
        share: Part of the bars that it runs on.
    """

    name: str
    title: str
    play: str
    share: float = 1.0


WORKLOADS = {
    "W1": Workload("W1", "long while EMA 20 is above EMA 50", _HEAD + _CROSS),
    "W2": Workload("W2", "Bollinger and RSI entries, ATR stop and target", _HEAD + _DIP, share=0.5),
}


def sweep_play() -> str:
    """Return W1 with open lengths of the averages, for sweeps."""
    opened = _CROSS.replace("length: 20", 'length: "{{ fast }}"').replace("length: 50", 'length: "{{ slow }}"')
    return _HEAD + opened.replace("name: w1_cross\n", "name: w3_cross\nvariables: { fast: 20, slow: 50 }\n")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A workload with everything loaded.

    Attributes:
        workload: Which.
        play: File with the play.
        catalog: Folder with the series.
        strategy: The play, loaded.
        market: The series, loaded.
    """

    workload: Workload
    play: Path
    catalog: Path
    strategy: Strategy
    market: Market

    @property
    def bars(self) -> Bars:
        """The series."""
        return self.market.stretches[0].series.base

    @property
    def first(self) -> int:
        """The first bar at whose close the strategy decides, because everything has warmed up by then."""
        return self.market.stretches[0].first_exec

    @property
    def terms(self) -> dict[str, float]:
        """What another backtester must know to trade the same: first bar, cash, fee as a fraction, tick and lot."""
        account, instrument = self.strategy.terms.account, self.strategy.instrument
        return {
            "first": self.first, "cash": to_float(account.start_equity), "fee": to_float(account.taker),
            "tick": to_float(instrument.tick_size), "lot": to_float(instrument.lot_size),
        }  # fmt: skip


def write_workload(workload: Workload, bars: int, folder: Path) -> tuple[Path, Catalog]:
    """Write the play and its series into a folder; return where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    play, catalog = folder / f"{workload.name.lower()}.yaml", Catalog(folder / "catalog")
    play.write_text(workload.play, "utf-8")
    catalog.write(Definitions.load().find(SYMBOL).id, random_walk(bars), source="random walk", imported_ns=0)
    return play, catalog


def prepare_workload(workload: Workload, bars: int, folder: Path) -> Prepared:
    """Write the play and its series into a folder and load both."""
    play, catalog = write_workload(workload, bars, folder)
    definitions = Definitions.load()
    strategy, market = prepare(Request(str(play), [catalog], definitions, runs=folder / "runs"))
    invariant(len(market.stretches) == 1 and market.base_bars == bars, "a generated series has no gap")
    return Prepared(workload, play, catalog.folder, strategy, market)
