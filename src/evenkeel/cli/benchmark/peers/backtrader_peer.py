"""Workload W1 in backtrader, with its own averages, which start from the mean of the first n like ours."""

# mypy: ignore-errors
# Runs as a file in an environment of its own, where nothing of this project is installed.

from __future__ import annotations

import platform

import backtrader as bt
import pandas as pd

# An order that is sent when the entry fills is matched from the next bar on, so W2 would be another strategy.


def versions():
    """Return what ran."""
    return {"backtrader": bt.__version__, "python": platform.python_version()}


class Cross(bt.Strategy):
    """One unit while EMA 20 is above EMA 50."""

    params = (("first", 0),)

    def __init__(self):
        """Declare both averages."""
        self.fast = bt.ind.EMA(self.data.close, period=20)
        self.slow = bt.ind.EMA(self.data.close, period=50)
        self.fills = []

    def notify_order(self, order):
        """Keep each fill."""
        if order.status == order.Completed:
            self.fills.append((len(self.data) - 1, order.isbuy(), order.executed.price, abs(order.executed.size)))

    def next(self):
        """Decide at the close of a bar."""
        if len(self.data) <= self.p.first:
            return
        above = self.fast[0] > self.slow[0]
        if above and not self.position:
            self.buy(size=1)
        elif not above and self.position:
            self.close()


def prepare(series):
    """Make an engine with the bars in it, without observers and analyzers."""
    index = pd.date_range("2020-01-01", periods=len(series["close"]), freq="min")
    columns = {name: series[name] for name in ("open", "high", "low", "close", "volume")}
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(bt.feeds.PandasData(dataname=pd.DataFrame(columns, index=index)))
    cerebro.addstrategy(Cross, first=series["first"])
    cerebro.broker.setcash(series["cash"])
    cerebro.broker.setcommission(commission=series["fee"])
    return cerebro


def run_w1(cerebro):
    """Run it."""
    (strategy,) = cerebro.run()
    return strategy.fills, cerebro.broker.getvalue()


def outcome(result):
    """Return the fills and the equity at the last close."""
    return result


WORKLOADS = {"W1": run_w1}
