"""Each kernel beside the slow restatement of its definition, on markets that are hard on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from evenkeel.features.registry import all_indicators, find_indicator, find_structure
from evenkeel.model.bar import Floats
from reference.indicators import REFERENCES, reference
from reference.markets import MARKETS, market
from reference.structures import swing, trend
from reference.wiring import compute

CASES: list[tuple[str, dict[str, Any]]] = [
    ("ema", {}), ("ema", {"length": 1}), ("sma", {}), ("sma", {"length": 1}), ("sma", {"length": 75}), ("rsi", {}),
    ("rsi", {"length": 1}), ("rsi", {"length": 2}), ("roc", {}), ("roc", {"length": 1}), ("obv", {}), ("atr", {}),
    ("atr", {"length": 1}), ("vwap", {}), ("vwap", {"anchor": "W"}), ("vwap", {"anchor": "none"}), ("macd", {}),
    ("macd", {"fast": 1, "slow": 2, "signal": 1}), ("bbands", {}), ("bbands", {"length": 2, "std": 0.5}),
    ("bbands", {"length": 40}), ("donchian", {}), ("donchian", {"lower_length": 1, "upper_length": 70}),
    ("donchian", {"lower_length": 7, "upper_length": 2}), ("stoch", {}), ("stoch", {"k": 1, "smooth_k": 1, "d": 1}),
    ("stoch", {"k": 40, "smooth_k": 9, "d": 20}), ("adx", {}), ("adx", {"length": 2}), ("adx", {"length": 33}),
    ("supertrend", {}), ("supertrend", {"length": 1, "multiplier": 0.7}), ("wma", {}), ("wma", {"length": 1}),
    ("wma", {"length": 75}), ("dema", {}), ("dema", {"length": 1}), ("tema", {}), ("tema", {"length": 2}),
    ("trima", {}), ("trima", {"length": 1}), ("trima", {"length": 2}), ("trima", {"length": 18}),
    ("trima", {"length": 21}), ("trima", {"length": 22}), ("zlma", {}), ("zlma", {"length": 1}),
    ("zlma", {"length": 2}), ("zlma", {"length": 9}), ("kama", {}), ("kama", {"length": 1, "fast": 1, "slow": 2}),
    ("kama", {"length": 50}), ("alma", {}), ("alma", {"length": 1}),
    ("alma", {"length": 31, "sigma": 0.7, "offset": 0.0}), ("alma", {"length": 9, "sigma": 40.0, "offset": 1.0}),
    ("linreg", {}), ("linreg", {"length": 2}), ("linreg", {"length": 60}), ("midprice", {}),
    ("midprice", {"length": 1}), ("ohlc4", {}), ("cci", {}), ("cci", {"length": 1}), ("cci", {"length": 2}),
    ("cci", {"length": 45}), ("willr", {}), ("willr", {"length": 1}), ("mom", {}), ("mom", {"length": 1}), ("cmo", {}),
    ("cmo", {"length": 1}), ("cmo", {"length": 50}), ("mfi", {}), ("mfi", {"length": 1}), ("mfi", {"length": 40}),
    ("uo", {}), ("uo", {"fast": 1, "medium": 2, "slow": 50}), ("cmf", {}), ("cmf", {"length": 1}), ("natr", {}),
    ("natr", {"length": 1}), ("ppo", {}), ("ppo", {"fast": 1, "slow": 2, "signal": 1}), ("trix", {}),
    ("trix", {"length": 1, "signal": 1}), ("trix", {"length": 5, "signal": 30}), ("tsi", {}),
    ("tsi", {"fast": 1, "slow": 2, "signal": 1}), ("kvo", {}), ("kvo", {"fast": 1, "slow": 2, "signal": 40}),
    ("kc", {}), ("kc", {"length": 1, "scalar": 0.5}), ("stochrsi", {}),
    ("stochrsi", {"length": 1, "rsi_length": 1, "k": 1, "d": 1}),
    ("stochrsi", {"length": 30, "rsi_length": 5, "k": 2, "d": 9}), ("dm", {}), ("dm", {"length": 1}), ("aroon", {}),
    ("aroon", {"length": 1}), ("aroon", {"length": 7}), ("vortex", {}), ("vortex", {"length": 1}), ("psar", {}),
    ("psar", {"af0": 0.01, "af": 0.03, "max_af": 0.25}), ("psar", {"af0": 0.5, "af": 0.1, "max_af": 0.5}),
    ("squeeze", {}),
    ("squeeze", {"bb_length": 2, "bb_std": 1.0, "kc_length": 30, "kc_scalar": 0.5, "mom_length": 1, "mom_smooth": 1}),
    ("squeeze", {"bb_length": 30, "kc_length": 5, "mom_length": 40, "mom_smooth": 25}), ("fisher", {}),
    ("fisher", {"length": 1, "signal": 5}), ("fisher", {"length": 25, "signal": 1}),
]  # fmt: skip

OPERANDS: dict[str, Callable[[dict[str, Floats]], float]] = {
    # A difference of averages is as exact as the averages are.
    "macd": lambda c: float(np.nanmax(np.abs(c["close"]))),
    "kvo": lambda c: float(np.nanmax(np.abs(c["volume"]))),
    "ppo": lambda _: 100.0,
    "trix": lambda _: 100.0,
}
"""How large the numbers are of which a result near zero is the difference."""

SWINGS: list[dict[str, Any]] = [
    {"left": 1, "right": 1},
    {"left": 4, "right": 2, "min_atr_move": 1.5},
    {"left": 2, "right": 6, "min_pct_move": 0.4, "strict_alternation": True},
    {"mode": "atr_zigzag", "atr_multiplier": 1.5, "min_atr_move": 0.5},
    {"mode": "atr_zigzag", "strict_alternation": True, "major_threshold": 0.5},
]

BARS = 500


def tolerance(name: str, columns: dict[str, Floats], expected: list[float]) -> float:
    """Return how far values near zero may be off: by what their definition, or the reference, cannot resolve."""
    largest = np.nanmax(np.abs(expected)) if np.any(np.isfinite(expected)) else 0.0
    return float(1e-13 * largest + 1e-14 * OPERANDS.get(name, lambda _: 0.0)(columns))


def with_gappy_atr(columns: dict[str, Floats]) -> dict[str, Floats]:
    atr = compute(find_indicator("atr"), columns, {"length": 5})["value"]
    atr[200:220] = np.nan
    atr[300:310] = 0.0
    return {**columns, "atr": atr}


def test_every_indicator_has_a_reference_and_a_case() -> None:
    assert set(all_indicators()) == set(REFERENCES) == {name for name, _ in CASES}


@pytest.mark.parametrize("kind", MARKETS)
@pytest.mark.parametrize(("name", "params"), CASES)
def test_indicators_equal_their_reference(name: str, params: dict[str, Any], kind: str) -> None:
    node = find_indicator(name)
    columns = market(kind, seed=7, bars=BARS)

    outputs = compute(node, columns, params)

    expected = reference(name, node.resolve(params), {key: columns[key].tolist() for key in node.inputs})
    for output, values in expected.items():
        np.testing.assert_allclose(
            outputs[output], values, rtol=1e-9, atol=tolerance(name, columns, values), err_msg=output
        )


RECORDED = ("cme/ESZ2013/1m.parquet", "binance_usdm/BTCUSDT/1m.parquet", "us_equity/SPY/1d.parquet")
RECORDED_BARS = 1_500


@pytest.mark.parametrize("file", RECORDED)
@pytest.mark.parametrize("name", all_indicators())
def test_indicators_equal_their_reference_on_recorded_markets(name: str, file: str, shared_data: Path) -> None:
    node = find_indicator(name)
    columns = recorded(shared_data / file)

    outputs = compute(node, columns, {})

    expected = reference(name, node.resolve({}), {key: columns[key].tolist() for key in node.inputs})
    for output, values in expected.items():
        assert np.sum(np.isfinite(outputs[output])) > 100, f"{output} shows too little to be compared"
        np.testing.assert_allclose(
            outputs[output], values, rtol=1e-9, atol=tolerance(name, columns, values), err_msg=output
        )


@pytest.mark.parametrize("name", all_indicators())
def test_ten_times_the_price_is_ten_times_the_output_or_the_same(name: str, shared_data: Path) -> None:
    node = find_indicator(name)
    columns = recorded(shared_data / RECORDED[0])
    prices = ("open", "high", "low", "close", "source")
    tenfold = {key: values * 10.0 if key in prices else values for key, values in columns.items()}

    here, there = compute(node, columns, {}), compute(node, tenfold, {})

    for output, values in here.items():
        slack = 1e-9 * np.nanmax(np.abs(values)) + 1e-12 * np.nanmax(columns["close"])
        same = np.allclose(there[output], values, rtol=1e-9, atol=slack, equal_nan=True)
        assert same or np.allclose(there[output], 10.0 * values, rtol=1e-9, atol=10.0 * slack, equal_nan=True), output


def recorded(path: Path) -> dict[str, Floats]:
    """Return the bar columns of a file, with the close as source and the UTC day as session."""
    frame = pl.read_parquet(path).head(RECORDED_BARS)
    columns = {name: frame[name].to_numpy() for name in ("open", "high", "low", "close", "volume")}
    days = frame["ts"].cast(pl.Date).cast(pl.Int32).cast(pl.Float64).to_numpy()
    return {**columns, "source": columns["close"], "session": days}


NAN = float("nan")

DIVISIONS_BY_ZERO: list[tuple[str, dict[str, Any], list[float], dict[str, list[float]]]] = [
    # indicator, params, series, outputs: the stage behind goes on as if the bar had not been
    ("roc", {"length": 1}, [2.0, 0.0, 3.0, 6.0], {"value": [NAN, -100.0, NAN, 100.0]}),
    ("natr", {"length": 1}, [2.0, 1.0, 0.0, 2.0], {"value": [0.0, 100.0, NAN, 100.0]}),
    (
        "ppo", {"fast": 1, "slow": 2, "signal": 3}, [3.0, 5.0, -5.0, 5.0, 7.0],
        {"ppo": [NAN, 25.0, NAN, NAN, 100.0 / 6.0], "signal": [NAN, 25.0, NAN, NAN, 12.5 + 50.0 / 6.0]},
    ),
    (
        "trix", {"length": 1, "signal": 2}, [2.0, 4.0, 0.0, 3.0, 6.0, 9.0],
        {"trix": [NAN, 100.0, -100.0, NAN, 100.0, 50.0], "signal": [NAN, NAN, 0.0, NAN, 0.0, 75.0]},
    ),
    ("mfi", {"length": 2}, [-2.0, -4.0, 4.0, 5.0], {"value": [NAN, NAN, NAN, 100.0]}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "params", "series", "expected"), DIVISIONS_BY_ZERO)
def test_a_division_by_zero_is_missing_for_its_bar_only(
    name: str, params: dict[str, Any], series: list[float], expected: dict[str, list[float]]
) -> None:
    values = np.array(series)
    columns = {"high": values, "low": values, "close": values, "volume": np.ones(len(values))}

    outputs = compute(find_indicator(name), columns, params)

    for output, numbers in expected.items():
        np.testing.assert_allclose(outputs[output], numbers, rtol=1e-12, err_msg=output)


@pytest.mark.parametrize("kind", MARKETS)
@pytest.mark.parametrize("params", SWINGS)
def test_swing_and_trend_equal_their_reference(params: dict[str, Any], kind: str) -> None:
    columns = with_gappy_atr(market(kind, seed=11, bars=BARS))

    swings = compute(find_structure("swing"), columns, params)
    trends = compute(find_structure("trend"), columns, {f"swing.{name}": value for name, value in params.items()})

    values = find_structure("swing").resolve(params)
    expected = swing(values, *(columns[name].tolist() for name in ("high", "low", "atr")))
    for output in swings:
        np.testing.assert_allclose(swings[output], [row[output] for row in expected], rtol=1e-12, err_msg=output)
    judged = trend(expected)
    for output in trends:
        np.testing.assert_array_equal(trends[output], [row[output] for row in judged], err_msg=output)


def test_swing_without_an_atr_has_levels_but_no_significance() -> None:
    columns = market("walk", seed=3, bars=BARS)

    outputs = compute(
        find_structure("swing"), columns, {"left": 2, "right": 2, "min_atr_move": 9.0}, absent=frozenset({"atr"})
    )

    assert outputs["version"][-1] > 50
    assert np.all(np.isnan(outputs["high_significance"]))
    assert not np.any(outputs["high_is_major"])
