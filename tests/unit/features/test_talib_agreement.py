"""Where TA-Lib means the same, the numbers are the same on recorded markets; where only its seed differs, later on."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import talib

from evenkeel.features.registry import find_indicator
from evenkeel.model.bar import Floats
from reference.wiring import compute

MARKETS = ("cme/ESZ2013/1m.parquet", "binance_usdm/BTCUSDT/1m.parquet", "us_equity/SPY/1d.parquet")
BARS = 20_000

Library = Callable[[dict[str, Floats]], Floats]

SAME: list[tuple[str, dict[str, Any], str, int, Library]] = [
    # indicator, params, output, bars until seeds have decayed, the same from TA-Lib
    ("ema", {"length": 20}, "value", 0, lambda c: talib.EMA(c["close"], 20)),
    ("sma", {"length": 20}, "value", 0, lambda c: talib.SMA(c["close"], 20)),
    ("roc", {"length": 10}, "value", 0, lambda c: talib.ROC(c["close"], 10)),
    ("obv", {}, "value", 1, lambda c: talib.OBV(c["close"], c["volume"]) - c["volume"][0]),
    ("bbands", {}, "upper", 0, lambda c: talib.BBANDS(c["close"], 20, *[2 * math.sqrt(20 / 19)] * 2)[0]),
    ("bbands", {}, "middle", 0, lambda c: talib.BBANDS(c["close"], 20)[1]),
    ("bbands", {}, "lower", 0, lambda c: talib.BBANDS(c["close"], 20, *[2 * math.sqrt(20 / 19)] * 2)[2]),
    ("donchian", {}, "lower", 0, lambda c: talib.MIN(c["low"], 20)),
    ("donchian", {"upper_length": 55}, "upper", 0, lambda c: talib.MAX(c["high"], 55)),
    ("rsi", {"length": 14}, "value", 400, lambda c: talib.RSI(c["close"], 14)),
    ("atr", {"length": 14}, "value", 400, lambda c: talib.ATR(c["high"], c["low"], c["close"], 14)),
    ("macd", {}, "macd", 400, lambda c: talib.MACD(c["close"])[0]),
    ("macd", {}, "signal", 400, lambda c: talib.MACD(c["close"])[1]),
    ("macd", {}, "histogram", 400, lambda c: talib.MACD(c["close"])[2]),
    ("adx", {}, "adx", 600, lambda c: talib.ADX(c["high"], c["low"], c["close"], 14)),
    ("adx", {}, "dmp", 600, lambda c: talib.PLUS_DI(c["high"], c["low"], c["close"], 14)),
    ("adx", {}, "dmn", 600, lambda c: talib.MINUS_DI(c["high"], c["low"], c["close"], 14)),
    ("adx", {}, "adxr", 600, lambda c: talib.ADXR(c["high"], c["low"], c["close"], 14)),
    ("stoch", {}, "k", 0, lambda c: talib.STOCH(c["high"], c["low"], c["close"], 14, 3, 0, 3, 0)[0]),
    ("stoch", {}, "d", 0, lambda c: talib.STOCH(c["high"], c["low"], c["close"], 14, 3, 0, 3, 0)[1]),
]


@pytest.mark.parametrize("file", MARKETS)
@pytest.mark.parametrize(("name", "params", "output", "settled", "library"), SAME)
def test_values_equal_the_library_on_recorded_markets(
    name: str, params: dict[str, Any], output: str, settled: int, library: Library, file: str, shared_data: Path
) -> None:
    columns = read(shared_data / file)

    ours = compute(find_indicator(name), columns, params)[output]

    theirs = library(columns)
    shown = np.isfinite(theirs)
    shown[:settled] = False
    if name == "stoch":
        shown &= ~recently_flat(columns, bars=14 + 3 + 3)
    assert np.sum(shown) > 1000
    scale = np.max(np.abs(theirs[shown]))
    np.testing.assert_allclose(ours[shown], theirs[shown], rtol=1e-9, atol=1e-9 * scale)


@pytest.mark.parametrize("file", MARKETS)
def test_the_first_values_of_unseeded_indicators_stand_on_the_same_bar_as_the_library(
    file: str, shared_data: Path
) -> None:
    columns = read(shared_data / file)

    for name, params, output, settled, library in SAME:
        if settled == 0:
            ours = compute(find_indicator(name), columns, params)[output]
            assert np.array_equal(np.isnan(ours), np.isnan(library(columns))), name


def read(path: Path) -> dict[str, Floats]:
    names = ("open", "high", "low", "close", "volume")
    frame = pl.read_parquet(path, columns=list(names)).head(BARS)
    return {name: np.ascontiguousarray(frame[name].cast(pl.Float64).to_numpy()) for name in names}


def recently_flat(columns: dict[str, Floats], *, bars: int) -> Any:
    """Return where a window without range, for which the library says 0 and we 50, is still in the averages."""
    flat = talib.MAX(columns["high"], 14) == talib.MIN(columns["low"], 14)
    return np.convolve(flat, np.ones(bars))[: len(flat)] > 0
