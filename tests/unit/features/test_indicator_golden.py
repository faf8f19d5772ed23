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
    ("wma", {}, "value", 50185.3328571, 49896.3761905),
    ("dema", {}, "value", 50194.4171966, 49904.3893741),
    ("tema", {}, "value", 50196.6377058, 49904.6949378),
    ("trima", {}, "value", 50177.257, 49895.799),
    ("trima", {"length": 21}, "value", 50175.6636364, 49892.7867769),
    ("trima", {"length": 22}, "value", 50174.7868056, 49889.6888889),
    ("zlma", {}, "value", 50198.1268894, 49902.7521444),
    ("zlma", {"length": 9}, "value", 50203.9356819, 49899.9448222),
    ("kama", {}, "value", 50185.328845, 49892.8450145),
    ("kama", {"length": 10, "fast": 3, "slow": 20}, "value", 50181.2848047, 49884.7003391),
    ("alma", {}, "value", 50198.1770579, 49899.7053023),
    ("alma", {"length": 9, "sigma": 4, "offset": 0.5}, "value", 50192.0984756, 49898.1818967),
    ("linreg", {}, "value", 50202.7342857, 49899.8628571),
    ("midprice", {}, "value", 50182.25, 49894.55),
    ("ohlc4", {}, "value", 50197.9, 49899.8),
    ("vwap", {}, "value", 50085.2649666, 49825.7838686),
    ("vwap", {"anchor": "W"}, "value", 50085.2649666, 49732.9073095),
    ("vwap", {"anchor": "none"}, "value", 50085.2649666, 49877.5578831),
    ("rsi", {}, "value", 62.1192973219, 55.4337757634),
    ("cci", {}, "value", 97.8390804597, -10.8906693798),
    ("willr", {}, "value", -11.8811881188, -52.2427440633),
    ("roc", {}, "value", 0.0797424319448, -0.0308560963832),
    ("mom", {}, "value", 40, -15.4),
    ("cmo", {}, "value", 38.7029288703, 19.1846522782),
    ("mfi", {}, "value", 72.6491196956, 61.8537482646),
    ("uo", {}, "value", 61.8336468905, 48.7330525492),
    ("obv", {}, "value", -20324.6, -52819.6),
    ("cmf", {}, "value", 0.00169540365468, 0.148371001125),
    ("atr", {}, "value", 12.6807681378, 12.3993507054),
    ("natr", {}, "value", 0.0254404216099, 0.0258159599775),
    ("macd", {}, "macd", 8.04939134846, 10.2201222112),
    ("macd", {}, "signal", 5.6596547796, 11.3476094698),
    ("macd", {}, "histogram", 2.38973656886, -1.12748725857),
    ("macd", {"fast": 5, "slow": 35, "signal": 5}, "signal", 17.745788838, 21.8978412274),
    ("ppo", {}, "ppo", 0.0113807942473, 0.0357269324323),
    ("ppo", {}, "histogram", 0.0113388655314, 0.00406107383497),
    ("ppo", {}, "signal", 4.19287159571e-05, 0.0316658585973),
    ("trix", {}, "trix", 0.00150764719583, 0.00309107883519),
    ("trix", {}, "signal", 0.00135935648441, 0.0029429472511),
    ("tsi", {}, "tsi", 18.2355882614, 24.367972383),
    ("tsi", {}, "signal", 12.537859713, 25.8642137234),
    ("kvo", {}, "kvo", -1.56173918189, 27.4567917445),
    ("kvo", {}, "signal", 1.73810783407, 35.659816504),
    ("bbands", {}, "lower", 50150.6461413, 49855.4718219),
    ("bbands", {}, "middle", 50178.76, 49889.535),
    ("bbands", {}, "upper", 50206.8738587, 49923.5981781),
    ("bbands", {}, "bandwidth", 0.112054816536, 0.136554402216),
    ("bbands", {}, "percent_b", 0.904426873935, 0.561136397526),
    ("kc", {}, "lower", 50158.9521559, 49864.9662348),
    ("kc", {}, "basis", 50184.4730353, 49890.1514825),
    ("kc", {}, "upper", 50209.9939148, 49915.3367302),
    ("donchian", {"lower_length": 10, "upper_length": 30}, "middle", 50182.25, 49900.4),
    ("donchian", {}, "lower", 50154.3, 49856.8),
    ("donchian", {}, "middle", 50180.9, 49885.15),
    ("donchian", {}, "upper", 50207.5, 49913.5),
    ("stoch", {}, "k", 88.2015682771, 67.2407982852),
    ("stoch", {}, "d", 89.970083177, 73.5731757044),
    ("stoch", {"k": 5, "smooth_k": 1, "d": 5}, "d", 79.3210243736, 56.8382532215),
    ("stochrsi", {}, "k", 80.0631931383, 24.0939656136),
    ("stochrsi", {}, "d", 89.4488317613, 36.442348161),
    ("adx", {}, "adx", 23.074331529, 39.5468954118),
    ("adx", {}, "dmp", 21.2206887283, 22.5393537436),
    ("adx", {}, "dmn", 10.7545609562, 10.3569692382),
    ("adx", {}, "adxr", 23.2100294574, 34.2717275606),
    ("adx", {"length": 5}, "adxr", 46.0247463212, 36.5590239279),
    ("dm", {}, "dmp", 2.69094633488, 2.79473351741),
    ("dm", {}, "dmn", 1.3637609391, 1.2841969383),
    ("aroon", {}, "up", 92, 64),
    ("aroon", {}, "down", 40, 4),
    ("aroon", {}, "osc", 52, 60),
    ("vortex", {}, "vip", 1.16174183515, 1.15439429929),
    ("vortex", {}, "vim", 0.870399170555, 0.830760095012),
    ("supertrend", {}, "trend", 50162.0700181, 49872.1040779),
    ("supertrend", {}, "direction", 1, 1),
    ("supertrend", {}, "long", 50162.0700181, 49872.1040779),
    ("supertrend", {}, "short", NAN, NAN),
    ("psar", {}, "long", 50174.8002581, NAN),
    ("psar", {}, "short", NAN, 49910.9827249),
    ("psar", {}, "af", 0.1, 0.02),
    ("psar", {}, "reversal", 0, 0),
    ("psar", {"af0": 0.01, "af": 0.03, "max_af": 0.25}, "long", 50172.4622645, 49887.3),
    ("psar", {"af0": 0.01, "af": 0.03, "max_af": 0.25}, "short", NAN, NAN),
    ("psar", {"af0": 0.01, "af": 0.03, "max_af": 0.25}, "af", 0.1, 0.01),
    ("squeeze", {}, "sqz", 28.3666666667, 22.8333333333),
    ("squeeze", {}, "on", 0, 0),
    ("squeeze", {}, "off", 1, 1),
    ("squeeze", {}, "no_sqz", 0, 0),
    ("fisher", {}, "fisher", 2.95471547353, 0.092078456081),
    ("fisher", {}, "signal", 3.377709974, 0.159542518527),
    ("fisher", {"length": 9, "signal": 3}, "signal", 2.52763193187, 0.648131955782),
]

FLAT_SERIES: dict[str, dict[str, float]] = {
    "ema": {"value": 100.1},
    "sma": {"value": 100.1},
    "wma": {"value": 100.1},
    "dema": {"value": 100.1},
    "tema": {"value": 100.1},
    "trima": {"value": 100.1},
    "zlma": {"value": 100.1},
    "kama": {"value": 100.1},
    "alma": {"value": 100.1},
    "linreg": {"value": 100.1},
    "midprice": {"value": 100.1},
    "ohlc4": {"value": 100.1},
    "vwap": {"value": NAN},
    "rsi": {"value": 50},
    "cci": {"value": 0},
    "willr": {"value": -50},
    "roc": {"value": 0},
    "mom": {"value": 0},
    "cmo": {"value": 0},
    "mfi": {"value": 50},
    "uo": {"value": 50},
    "obv": {"value": 0},
    "cmf": {"value": 0},
    "atr": {"value": 0},
    "natr": {"value": 0},
    "macd": {"macd": 0, "signal": 0, "histogram": 0},
    "ppo": {"ppo": 0, "histogram": 0, "signal": 0},
    "trix": {"trix": 0, "signal": 0},
    "tsi": {"tsi": 0, "signal": 0},
    "kvo": {"kvo": 0, "signal": 0},
    "bbands": {"lower": 100.1, "middle": 100.1, "upper": 100.1, "bandwidth": 0, "percent_b": 0.5},
    "kc": {"lower": 100.1, "basis": 100.1, "upper": 100.1},
    "donchian": {"lower": 100.1, "middle": 100.1, "upper": 100.1},
    "stoch": {"k": 50, "d": 50},
    "stochrsi": {"k": 50, "d": 50},
    "adx": {"adx": 0, "dmp": 0, "dmn": 0, "adxr": 0},
    "dm": {"dmp": 0, "dmn": 0},
    "aroon": {"up": 100, "down": 100, "osc": 0},
    "vortex": {"vip": NAN, "vim": NAN},
    "supertrend": {"trend": 100.1, "direction": 1, "long": 100.1, "short": NAN},
    "psar": {"long": 100.1, "short": NAN, "af": 0.02, "reversal": 0},
    "squeeze": {"sqz": 0, "on": 0, "off": 0, "no_sqz": 1},
    "fisher": {"fisher": 0, "signal": 0},
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
