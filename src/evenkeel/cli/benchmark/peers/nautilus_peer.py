"""Workload W1 in NautilusTrader, with its own averages, given the mean of the first n as their first value.

A market order that is sent at the close of a bar fills at that close there, not at the next open. The fills are
compared by that rule. Volumes are raised, because they would cut the orders into pieces.
"""

# mypy: ignore-errors
# Runs as a file in an environment of its own, where nothing of this project is installed.

from __future__ import annotations

import platform
from decimal import Decimal

import nautilus_trader
import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.indicators import ExponentialMovingAverage
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.trading.strategy import Strategy

FAST, SLOW = 20, 50
VENUE = Venue("SIM")
INSTRUMENT = InstrumentId(Symbol("BTCUSDT"), VENUE)
BARS = BarType.from_str("BTCUSDT.SIM-1-MINUTE-LAST-EXTERNAL")
CLOSE_OFFSET_NS = 60_000_000_000 - 1
ENDLESS_VOLUME = 1_000_000.0


def versions():
    """Return what ran."""
    return {"nautilus_trader": nautilus_trader.__version__, "python": platform.python_version()}


class CrossConfig(StrategyConfig, frozen=True):
    """The first bar at whose close it decides, and the averages as they start."""

    first: int
    starts: tuple[float, float]


class Cross(Strategy):
    """One unit while EMA 20 is above EMA 50."""

    def on_start(self):
        """Ask for the bars."""
        self.seen, self.held, self.fills = 0, False, []
        self.fast, self.slow = ExponentialMovingAverage(FAST), ExponentialMovingAverage(SLOW)
        self.unit = Quantity.from_str("1.000")
        self.subscribe_bars(BARS)

    def on_bar(self, bar):
        """Decide at the close of a bar."""
        close = bar.close.as_double()
        self.seen += 1
        if self.seen >= FAST:
            self.fast.update_raw(self.config.starts[0] if self.seen == FAST else close)
        if self.seen >= SLOW:
            self.slow.update_raw(self.config.starts[1] if self.seen == SLOW else close)
        if self.seen > self.config.first and (self.fast.value > self.slow.value) != self.held:
            self.held = not self.held
            side = OrderSide.BUY if self.held else OrderSide.SELL
            self.submit_order(self.order_factory.market(INSTRUMENT, side, self.unit))

    def on_order_filled(self, event):
        """Keep the fill under the number of the bar that had just closed."""
        self.fills.append((self.seen - 1, event.is_buy, float(event.last_px), float(event.last_qty)))


def prepare(series):
    """Make an engine with the bars in it."""
    instrument = CurrencyPair(
        instrument_id=INSTRUMENT, raw_symbol=Symbol("BTCUSDT"), base_currency=BTC, quote_currency=USDT,
        price_precision=2, size_precision=3, price_increment=Price.from_str("0.01"),
        size_increment=Quantity.from_str("0.001"), lot_size=None, max_quantity=None, min_quantity=None,
        max_notional=None, min_notional=None, max_price=None, min_price=None, margin_init=Decimal(0),
        margin_maint=Decimal(0), maker_fee=Decimal(str(series["fee"])), taker_fee=Decimal(str(series["fee"])),
        ts_event=0, ts_init=0,
    )  # fmt: skip
    index = pd.date_range("2020-01-01", periods=len(series["close"]), freq="min", tz="UTC")
    frame = pd.DataFrame({name: series[name] for name in ("open", "high", "low", "close")}, index=index)
    frame["volume"] = ENDLESS_VOLUME
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
    engine.add_venue(VENUE, OmsType.NETTING, AccountType.MARGIN, [Money(series["cash"], USDT)], base_currency=USDT)
    engine.add_instrument(instrument)
    engine.add_data(BarDataWrangler(BARS, instrument).process(frame, ts_init_delta=CLOSE_OFFSET_NS))
    starts = tuple(float(series["close"][:length].mean()) for length in (FAST, SLOW))
    strategy = Cross(CrossConfig(first=series["first"], starts=starts))
    engine.add_strategy(strategy)
    return engine, strategy, series["close"][-1]


def run_w1(prepared):
    """Run it."""
    prepared[0].run()
    return prepared


def outcome(prepared):
    """Return the fills and the equity at the last close."""
    engine, strategy, close = prepared
    cash = engine.portfolio.account(VENUE).balance_total(USDT).as_double()
    opened = strategy.fills[-1][2] if strategy.fills and strategy.fills[-1][1] else close
    return strategy.fills, cash + close - opened


WORKLOADS = {"W1": run_w1}
