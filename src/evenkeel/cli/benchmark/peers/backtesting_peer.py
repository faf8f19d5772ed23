"""Workload W1 in backtesting.py, with TA-Lib's averages."""

# mypy: ignore-errors
# Runs as a file in an environment of its own, where nothing of this project is installed.

from __future__ import annotations

import platform
import warnings

import backtesting
import pandas as pd
import talib

# It cannot anchor stops to a fill that has not happened yet, so W2 would be another strategy.


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


def prepare(series):
    """Make the table that it reads."""
    index = pd.date_range("2020-01-01", periods=len(series["close"]), freq="min")
    columns = {name.capitalize(): series[name] for name in ("open", "high", "low", "close")}
    return pd.DataFrame(columns, index=index), series


def run_w1(prepared):
    """Run the whole of it, its own statistics included: they cannot be left out."""
    table, series = prepared
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        test = backtesting.Backtest(table, Cross, cash=series["cash"], commission=series["fee"])
        return test.run(first=series["first"])


def outcome(statistics):
    """Return the fills and the equity at the last close."""
    trades = statistics["_trades"]
    fills = []
    for trade in trades.itertuples():
        fills.append((trade.EntryBar, True, trade.EntryPrice, trade.Size))
        fills.append((trade.ExitBar, False, trade.ExitPrice, trade.Size))
    for trade in statistics["_strategy"].trades:
        fills.append((trade.entry_bar, True, trade.entry_price, trade.size))
    return fills, float(statistics["_equity_curve"]["Equity"].iloc[-1])


WORKLOADS = {"W1": run_w1}
