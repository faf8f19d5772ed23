"""Workload W1 in NautilusTrader: its event engine, its averages, which start from the first price, replaced by ours."""

# mypy: ignore-errors
# Runs as a file in an environment of its own, where nothing of this project is installed.

from __future__ import annotations

import platform
from decimal import Decimal

import nautilus_trader
import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.trading.strategy import Strategy

MINUTE_NS = 60_000_000_000


def versions():
    """Return what ran."""
    return {"nautilus_trader": nautilus_trader.__version__, "python": platform.python_version()}


class CrossConfig(StrategyConfig, frozen=True):
    """What the strategy needs to know."""

    instrument_id: InstrumentId
    bar_type: BarType
    first: int


class Cross(Strategy):
    """One unit while EMA 20 is above EMA 50."""

    def on_start(self):
        """Ask for the bars."""
        self.seen, self.held, self.fills = 0, False, []
        self.fast, self.slow = SeededAverage(20), SeededAverage(50)
        self.unit = Quantity.from_str("1.000")
        self.subscribe_bars(self.config.bar_type)

    def on_bar(self, bar):
        """Decide at the close of a bar."""
        close = bar.close.as_double()
        self.fast.update(close)
        self.slow.update(close)
        self.seen += 1
        if self.seen <= self.config.first:
            return
        above = self.fast.value > self.slow.value
        if above != self.held:
            self.held = above
            side = OrderSide.BUY if above else OrderSide.SELL
            self.submit_order(self.order_factory.market(self.config.instrument_id, side, self.unit))

    def on_order_filled(self, event):
        """Keep the fill."""
        self.fills.append((self.seen, event.is_buy, float(event.last_px), float(event.last_qty)))


class SeededAverage:
    """An exponential average that starts from the mean of the first `length` values, as TA-Lib's does."""

    __slots__ = ("count", "length", "value", "weight")

    def __init__(self, length):
        self.length, self.weight, self.count, self.value = length, 2.0 / (length + 1.0), 0, 0.0

    def update(self, value):
        """Take the next value."""
        self.count += 1
        if self.count <= self.length:
            self.value += value / self.length
        else:
            self.value += self.weight * (value - self.value)


def run_w1(series):
    """Build the engine, wrangle the bars and run; see `seconds_of` for what is timed."""
    raise NotImplementedError


WORKLOADS = {"W1": run_w1}
