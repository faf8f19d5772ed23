"""The workloads in vectorbt: indicators by TA-Lib, simulation by its compiled order functions."""

# mypy: ignore-errors
# Runs as a file in an environment of its own, where nothing of this project is installed.

from __future__ import annotations

import math
import platform

import numba
import numpy as np
import talib
import vectorbt as vbt
from vectorbt.portfolio import nb
from vectorbt.portfolio.enums import SizeType

SAMPLE_WIDTH = 2.0 * math.sqrt(20 / 19)
"""Two deviations of the sample; TA-Lib counts those of the population."""


def versions():
    """Return what ran."""
    return {
        "vectorbt": vbt.__version__, "numba": numba.__version__, "numpy": np.__version__, "TA-Lib": talib.__version__,
        "python": platform.python_version(),
    }  # fmt: skip


def run_w1(series):
    """Hold one unit while EMA 20 is above EMA 50: signals one bar later, filled at the open."""
    close = series["close"]
    above = talib.EMA(close, 20) > talib.EMA(close, 50)
    entries, exits = np.zeros(len(close), dtype=np.bool_), np.zeros(len(close), dtype=np.bool_)
    first = series["first"]
    entries[first + 1 :], exits[first + 1 :] = above[first:-1], ~above[first:-1]
    return vbt.Portfolio.from_signals(
        close, entries, exits, price=series["open"], size=1.0, fees=series["fee"], init_cash=series["cash"],
        direction="longonly", freq="1min",
    )  # fmt: skip


def run_w3(series):
    """Hold as in W1 for every pair of lengths at once: one column a pair, each from its own first bar on."""
    close, pairs, firsts = series["close"], series["pairs"], series["firsts"]
    means = {length: talib.EMA(close, length) for length in np.unique(pairs).tolist()}
    entries = np.zeros((len(close), len(pairs)), dtype=np.bool_)
    exits = np.zeros((len(close), len(pairs)), dtype=np.bool_)
    for column, (fast, slow) in enumerate(pairs.tolist()):
        above, first = means[fast] > means[slow], firsts[column]
        entries[first + 1 :, column], exits[first + 1 :, column] = above[first:-1], ~above[first:-1]
    portfolio = vbt.Portfolio.from_signals(
        close[:, None], entries, exits, price=series["open"][:, None], size=1.0, fees=series["fee"],
        init_cash=series["cash"], direction="longonly", freq="1min",
    )  # fmt: skip
    portfolio.total_return()
    return portfolio


def run_w2(series):
    """Bollinger, RSI and ATR by an order function, because stops bind from the fill on, in the bar of the entry too."""
    high, low, close = series["high"], series["low"], series["close"]
    _, _, lower = talib.BBANDS(close, 20, SAMPLE_WIDTH, SAMPLE_WIDTH)
    entry = (close < lower) & (talib.RSI(close, 14) < 30.0)
    entry[: series["first"]] = False
    return vbt.Portfolio.from_order_func(
        close, _orders_of_w2, series["open"], high, low, close, entry, talib.ATR(high, low, close, 14),
        np.zeros(2), series["tick"], series["lot"], series["fee"], flexible=True, init_cash=series["cash"],
        freq="1min",
    )  # fmt: skip


def curve(portfolio):
    """Compute the equity at each close, which a run of ours always has: the other half of a like comparison."""
    if portfolio.wrapper.ndim == 1:
        portfolio.value()


def outcome(portfolio):
    """Return the fills and the equity at each close."""
    if portfolio.wrapper.ndim == 2:
        return [], portfolio.final_value().to_numpy()
    records = portfolio.orders.values
    fills = [(r["idx"], r["side"] == 0, r["price"], r["size"]) for r in records]
    return fills, portfolio.value().to_numpy()


WORKLOADS = {"W1": run_w1, "W2": run_w2, "W3": run_w3}


@numba.njit
def _orders_of_w2(c, opens, highs, lows, closes, entry, reach, levels, tick, lot, fee):
    """Give the next order of bar `c.i`; column -1 ends the bar."""
    i, held = c.i, c.last_position[0]
    if held > 0.0:
        price = math.nan
        if opens[i] <= levels[0] or opens[i] >= levels[1]:
            price = opens[i]
        elif lows[i] <= levels[0]:
            price = levels[0]
        elif highs[i] >= levels[1]:
            price = levels[1]
        if not math.isnan(price):
            return 0, nb.order_nb(size=-held, price=price, size_type=SizeType.Amount, fees=fee)
    elif c.call_idx == 0 and i > 0 and entry[i - 1]:
        size = math.floor(c.last_cash[0] * 0.1 / closes[i - 1] / lot * (1.0 + 1e-12)) * lot
        levels[0] = math.ceil((opens[i] - 2.0 * reach[i - 1]) / tick - 1e-6) * tick
        levels[1] = math.floor((opens[i] + 3.0 * reach[i - 1]) / tick + 1e-6) * tick
        return 0, nb.order_nb(size=size, price=opens[i], size_type=SizeType.Amount, fees=fee)
    return -1, nb.order_nothing_nb()
