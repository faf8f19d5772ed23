"""The workloads in backtesting.py, with TA-Lib's indicators."""

# mypy: ignore-errors
# Runs as a file in an environment of its own, where nothing of this project is installed.

from __future__ import annotations

import math
import platform
import warnings

import backtesting
import pandas as pd
import talib

SAMPLE_WIDTH = 2.0 * math.sqrt(20 / 19)
"""Two deviations of the sample; TA-Lib counts those of the population."""


def versions():
    """Return what ran."""
    return {"backtesting": backtesting.__version__, "TA-Lib": talib.__version__, "python": platform.python_version()}


class Cross(backtesting.Strategy):
    """One unit while EMA 20 is above EMA 50."""

    first = 0

    def init(self):
        """Compute both averages."""
        self.fast = self.I(talib.EMA, self.data.Close, 20)
        self.slow = self.I(talib.EMA, self.data.Close, 50)

    def next(self):
        """Decide at the close of a bar."""
        if len(self.data) <= self.first:
            return
        above = self.fast[-1] > self.slow[-1]
        if above and not self.position:
            self.buy(size=1)
        elif not above and self.position:
            self.position.close()


class Dip(backtesting.Strategy):
    """Buy below the lower Bollinger band with RSI below 30; stop 2 ATR and target 3 ATR from the fill.

    It trades whole units only, so prices are those of one lot and sizes count lots. Its stops must be given with the
    order, and ours hang on the fill: the order is given the levels that the next open leads to, as the venue sets them.
    """

    series = None

    def init(self):
        """Compute the indicators."""
        series = self.series
        high, low, close = series["high"], series["low"], series["close"]
        lower = talib.BBANDS(close, 20, SAMPLE_WIDTH, SAMPLE_WIDTH)[2]
        self.wanted = self.I(lambda: (close < lower) & (talib.RSI(close, 14) < 30.0))
        self.reach = self.I(lambda: talib.ATR(high, low, close, 14))

    def next(self):
        """Decide at the close of a bar."""
        series, i = self.series, len(self.data) - 1
        if i < series["first"] or self.position or not self.wanted[-1] or i + 1 == len(series["close"]):
            return
        tick, lot, opened = series["tick"], series["lot"], series["open"][i + 1]
        size = math.floor(self.equity * 0.1 / series["close"][i] / lot * (1.0 + 1e-12))
        stop = math.ceil((opened - 2.0 * self.reach[-1]) / tick - 1e-6) * tick
        target = math.floor((opened + 3.0 * self.reach[-1]) / tick + 1e-6) * tick
        self.buy(size=size, sl=stop * lot, tp=target * lot)


def prepare(series):
    """Make the tables that it reads: as they are, and of the prices of one lot."""
    index = pd.date_range("2020-01-01", periods=len(series["close"]), freq="min")
    columns = {name.capitalize(): series[name] for name in ("open", "high", "low", "close")}
    table = pd.DataFrame(columns, index=index)
    return table, table * series["lot"], series


def run_w1(prepared):
    """Run the whole of it, its own statistics included: they cannot be left out."""
    table, _, series = prepared
    return _run(table, Cross, series, first=series["first"]), 1.0


def run_w2(prepared):
    """Run it on the prices of one lot."""
    _, lots, series = prepared
    return _run(lots, Dip, series, series=series), series["lot"]


def _run(table, strategy, terms, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        test = backtesting.Backtest(table, strategy, cash=terms["cash"], commission=terms["fee"])
        return test.run(**parameters)


def outcome(result):
    """Return the fills and the equity at each close."""
    statistics, lot = result
    fills = []
    for trade in statistics["_trades"].itertuples():
        fills.append((trade.EntryBar, True, trade.EntryPrice / lot, trade.Size * lot))
        fills.append((trade.ExitBar, False, trade.ExitPrice / lot, trade.Size * lot))
    for trade in statistics["_strategy"].trades:
        fills.append((trade.entry_bar, True, trade.entry_price / lot, trade.size * lot))
    return fills, statistics["_equity_curve"]["Equity"].to_numpy()


WORKLOADS = {"W1": run_w1, "W2": run_w2}
