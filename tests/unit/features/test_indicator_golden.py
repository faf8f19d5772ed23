"""The golden table of `plays.md` 3.4, its flat series, and one bar alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from evenkeel.features.node import OutputType
from evenkeel.features.registry import all_indicators, find_indicator
from evenkeel.model.bar import Floats
from reference.golden import golden_columns
from reference.wiring import compute

NAN = math.nan

GENERATED = {
    0: (49999.8, 50006.2, 49995.7, 50003.2, 629.4),
    1: (50003.4, 50005.8, 49998.7, 50002.8, 1612.5),
    2: (50003.1, 50016.6, 50000.3, 50015.8, 538.8),
    3: (50015.5, 50015.5, 50010.5, 50013.1, 1034.4),
    4: (50013.1, 50022.0, 50008.8, 50018.7, 1656.0),
    2999: (49904.7, 49910.7, 49890.1, 49893.7, 1122.8),
}

GOLDEN: list[tuple[str, dict[str, Any], str, float, float]] = [
    ("ema", {}, "value", 50184.4730353, 49890.1514825),
    ("sma", {}, "value", 50178.76, 49889.535),
    ("vwap", {}, "value", 50085.2649666, 49825.7838686),
    ("vwap", {"anchor": "W"}, "value", 50085.2649666, 49732.9073095),
    ("vwap", {"anchor": "none"}, "value", 50085.2649666, 49877.5578831),
    ("rsi", {}, "value", 62.1192973219, 55.4337757634),
    ("roc", {}, "value", 0.0797424319448, -0.0308560963832),
    ("obv", {}, "value", -20324.6, -52819.6),
    ("atr", {}, "value", 12.6807681378, 12.3993507054),
    ("macd", {}, "macd", 8.04939134846, 10.2201222112),
    ("macd", {}, "signal", 5.6596547796, 11.3476094698),
    ("macd", {}, "histogram", 2.38973656886, -1.12748725857),
    ("macd", {"fast": 5, "slow": 35, "signal": 5}, "signal", 17.745788838, 21.8978412274),
    ("bbands", {}, "lower", 50150.6461413, 49855.4718219),
    ("bbands", {}, "middle", 50178.76, 49889.535),
    ("bbands", {}, "upper", 50206.8738587, 49923.5981781),
    ("bbands", {}, "bandwidth", 0.112054816536, 0.136554402216),
    ("bbands", {}, "percent_b", 0.904426873935, 0.561136397526),
    ("donchian", {}, "lower", 50154.3, 49856.8),
    ("donchian", {}, "middle", 50180.9, 49885.15),
    ("donchian", {}, "upper", 50207.5, 49913.5),
    ("donchian", {"lower_length": 10, "upper_length": 30}, "middle", 50182.25, 49900.4),
    ("stoch", {}, "k", 88.2015682771, 67.2407982852),
    ("stoch", {}, "d", 89.970083177, 73.5731757044),
    ("stoch", {"k": 5, "smooth_k": 1, "d": 5}, "d", 79.3210243736, 56.8382532215),
    ("adx", {}, "adx", 23.074331529, 39.5468954118),
    ("adx", {}, "dmp", 21.2206887283, 22.5393537436),
    ("adx", {}, "dmn", 10.7545609562, 10.3569692382),
    ("adx", {}, "adxr", 23.2100294574, 34.2717275606),
    ("adx", {"length": 5}, "adxr", 46.0247463212, 36.5590239279),
    ("supertrend", {}, "trend", 50162.0700181, 49872.1040779),
    ("supertrend", {}, "direction", 1, 1),
    ("supertrend", {}, "long", 50162.0700181, 49872.1040779),
    ("supertrend", {}, "short", NAN, NAN),
]

FLAT_SERIES: dict[str, dict[str, float]] = {
    "ema": {"value": 100.1},
    "sma": {"value": 100.1},
    "vwap": {"value": NAN},
    "rsi": {"value": 50},
    "roc": {"value": 0},
    "obv": {"value": 0},
    "atr": {"value": 0},
    "macd": {"macd": 0, "signal": 0, "histogram": 0},
    "bbands": {"lower": 100.1, "middle": 100.1, "upper": 100.1, "bandwidth": 0, "percent_b": 0.5},
    "donchian": {"lower": 100.1, "middle": 100.1, "upper": 100.1},
    "stoch": {"k": 50, "d": 50},
    "adx": {"adx": 0, "dmp": 0, "dmn": 0, "adxr": 0},
    "supertrend": {"trend": 100.1, "direction": 1, "long": 100.1, "short": NAN},
}


def near(expected: float) -> Any:
    """Compare as the table asks: 1e-9 relative, 1e-9 absolute below 1; missing equals missing."""
    return pytest.approx(expected, rel=1e-9, abs=1e-9 if abs(expected) < 1 else 0, nan_ok=True)


def flat_columns(price: float, volume: float, bars: int = 200) -> dict[str, Floats]:
    names = ("open", "high", "low", "close")
    return {**{n: np.full(bars, price) for n in names}, "volume": np.full(bars, volume), "session": np.full(bars, 5.0)}


@pytest.mark.parametrize(("index", "row"), GENERATED.items())
def test_the_generator_draws_the_bars_of_the_specification(index: int, row: tuple[float, ...]) -> None:
    columns = golden_columns()

    assert tuple(columns[name][index] for name in ("open", "high", "low", "close", "volume")) == row


@pytest.mark.parametrize(("name", "params", "output", "at_500", "at_2999"), GOLDEN)
def test_outputs_equal_the_golden_table(
    name: str, params: dict[str, Any], output: str, at_500: float, at_2999: float
) -> None:
    values = compute(find_indicator(name), golden_columns(), params)[output]

    assert values[500] == near(at_500)
    assert values[2999] == near(at_2999)


def test_an_indicator_of_another_series_equals_the_golden_table() -> None:
    columns = golden_columns()
    hlc3 = (columns["high"] + columns["low"] + columns["close"]) / 3
    rsi = compute(find_indicator("rsi"), columns)["value"]
    chained = [
        (compute(find_indicator("ema"), {"source": hlc3}, {"length": 10}), 50190.2747926, 49897.4950103),
        (compute(find_indicator("sma"), {"source": columns["volume"]}, {"length": 20}), 788.84, 887.31),
        (compute(find_indicator("ema"), {"source": rsi}, {"length": 10}), 59.6275668302, 61.7771660781),
    ]

    for outputs, at_500, at_2999 in chained:
        assert outputs["value"][500] == near(at_500)
        assert outputs["value"][2999] == near(at_2999)


@pytest.mark.parametrize("name", FLAT_SERIES)
def test_a_flat_series_gives_the_neutral_values(name: str) -> None:
    outputs = compute(find_indicator(name), flat_columns(100.1, 0.0))

    assert {output: values[199] for output, values in outputs.items()} == {
        output: near(value) for output, value in FLAT_SERIES[name].items()
    }


def test_a_flat_series_with_volume_has_a_vwap() -> None:
    assert compute(find_indicator("vwap"), flat_columns(100.1, 1.0))["value"][199] == near(100.1)


@pytest.mark.parametrize("name", all_indicators())
def test_one_bar_alone_gives_nothing_but_what_needs_one_bar(name: str) -> None:
    outputs = compute(find_indicator(name), flat_columns(100.1, 1.0, bars=1))

    shown = not all(math.isnan(values[0]) for values in outputs.values())
    assert shown == (name in {"ohlc4", "vwap"})


@pytest.mark.parametrize("name", all_indicators())
def test_whole_numbers_flags_and_words_are_whole_numbers(name: str) -> None:
    node = find_indicator(name)
    outputs = compute(node, golden_columns())

    for output in node.outputs:
        if output.type is not OutputType.FLOAT:
            values = outputs[output.name]
            assert np.all(np.isnan(values) | (values == np.rint(values)))
