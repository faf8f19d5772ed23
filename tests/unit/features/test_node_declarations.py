"""What the nodes declare: names, outputs, first values, bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evenkeel.features.node import MAX_LENGTH, OutputType
from evenkeel.features.registry import all_indicators, all_structures, find_indicator, find_structure
from evenkeel.model.errors import UsageError
from reference.golden import golden_columns
from reference.wiring import STRUCTURE_PARAMS, compute

VALUE = "value"

SPECIFIED: dict[str, tuple[dict[str, Any], tuple[str, ...], str]] = {
    # name: default parameters, outputs, primary output
    "ema": ({"length": 20}, ("value",), VALUE),
    "sma": ({"length": 20}, ("value",), VALUE),
    "vwap": ({"anchor": "D"}, ("value",), VALUE),
    "rsi": ({"length": 14}, ("value",), VALUE),
    "roc": ({"length": 10}, ("value",), VALUE),
    "obv": ({}, ("value",), VALUE),
    "atr": ({"length": 14}, ("value",), VALUE),
    "macd": ({"fast": 12, "slow": 26, "signal": 9}, ("macd", "signal", "histogram"), "macd"),
    "bbands": ({"length": 20, "std": 2.0}, ("lower", "middle", "upper", "bandwidth", "percent_b"), "middle"),
    "donchian": ({"lower_length": 20, "upper_length": 20}, ("lower", "middle", "upper"), "middle"),
    "stoch": ({"k": 14, "smooth_k": 3, "d": 3}, ("k", "d"), "k"),
    "adx": ({"length": 14}, ("adx", "dmp", "dmn", "adxr"), "adx"),
    "supertrend": ({"length": 10, "multiplier": 3.0}, ("trend", "direction", "long", "short"), "trend"),
}

SWING_OUTPUTS = {
    "high_level", "low_level", "high_idx", "low_idx", "version", "high_version", "low_version",
    "last_confirmed_pivot_idx", "last_confirmed_pivot_type", "high_significance", "low_significance",
    "high_is_major", "low_is_major", "high_accepted", "low_accepted", "high_replaced_pending",
    "low_replaced_pending", "pair_high_level", "pair_low_level", "pair_high_idx", "pair_low_idx", "pair_version",
    "pair_direction", "pair_anchor_hash",
}  # fmt: skip

TREND_OUTPUTS = {
    "direction", "strength", "bars_in_trend", "wave_count", "version", "last_wave_direction", "last_hh", "last_hl",
    "last_lh", "last_ll",
}  # fmt: skip

FIRSTS: list[tuple[str, dict[str, Any], dict[str, int]]] = [
    # T27: declared first value against the one that the definition gives, off by one in earlier systems.
    ("ema", {"length": 7}, {"value": 7}),
    ("sma", {"length": 1}, {"value": 1}),
    ("vwap", {}, {"value": 1}),
    ("rsi", {"length": 14}, {"value": 15}),
    ("roc", {"length": 10}, {"value": 11}),
    ("obv", {}, {"value": 2}),
    ("atr", {"length": 14}, {"value": 14}),
    ("macd", {"fast": 3, "slow": 6, "signal": 4}, {"macd": 6, "signal": 9, "histogram": 9}),
    ("bbands", {"length": 5}, dict.fromkeys(("lower", "middle", "upper", "bandwidth", "percent_b"), 5)),
    ("donchian", {"lower_length": 4, "upper_length": 9}, {"lower": 4, "upper": 9, "middle": 9}),
    ("stoch", {"k": 14, "smooth_k": 3, "d": 3}, {"k": 18, "d": 18}),
    ("adx", {"length": 14}, {"adx": 14, "dmp": 14, "dmn": 14, "adxr": 27}),
    ("supertrend", {"length": 10}, {"trend": 10, "direction": 10, "long": 10}),
]

WARMUPS: list[tuple[str, dict[str, Any], int]] = [
    ("ema", {"length": 7}, 21),
    ("rsi", {"length": 1}, 5),
    ("rsi", {"length": 14}, 70),
    ("atr", {"length": 14}, 70),
    ("macd", {}, 87),
    ("stoch", {}, 20),
    ("adx", {"length": 14}, 70),
    ("supertrend", {"length": 10}, 50),
    ("donchian", {"lower_length": 4, "upper_length": 9}, 9),
]

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("sma", {"length": 0}, "sma.length is 0; it must be >= 1 and <= 5000"),
    ("sma", {"length": MAX_LENGTH + 1}, "sma.length is 5001; it must be >= 1 and <= 5000"),
    ("sma", {"length": 2.5}, "sma.length must be a whole number, not 2.5"),
    ("sma", {"length": True}, "sma.length must be a whole number, not True"),
    ("sma", {"lenght": 5}, "sma has no parameter 'lenght'; it has length"),
    ("obv", {"length": 5}, "obv has no parameter 'length'; it has none"),
    ("bbands", {"length": 1}, "bbands.length is 1; it must be >= 2 and <= 5000"),
    ("bbands", {"std": 0}, "bbands.std is 0; it must be > 0"),
    ("adx", {"length": 1}, "adx.length is 1; it must be >= 2 and <= 5000"),
    ("supertrend", {"multiplier": -1.0}, "supertrend.multiplier is -1; it must be > 0"),
    ("macd", {"fast": 26, "slow": 26}, "macd: fast (26) must be below slow (26)"),
    ("vwap", {"anchor": "M"}, "vwap.anchor is 'M'; allowed are D, W, none"),
]

REFUSED_STRUCTURES: list[tuple[str, dict[str, Any], str]] = [
    ("swing", {}, "swing: mode fractal needs the parameters 'left' and 'right'"),
    ("swing", {"left": 3}, "swing: mode fractal needs the parameters 'left' and 'right'"),
    ("swing", {"left": 0, "right": 1}, "swing.left is 0; it must be >= 1 and <= 5000"),
    ("swing", {"mode": "zigzag"}, "swing.mode is 'zigzag'; allowed are fractal, atr_zigzag"),
    ("swing", {"mode": "atr_zigzag", "atr_multiplier": 0}, "swing.atr_multiplier is 0; it must be > 0"),
    (
        "swing",
        {"left": 1, "right": 1, "strict_alternation": 1},
        "swing.strict_alternation must be true or false, not 1",
    ),
    ("trend", {"wave_history_size": 2}, "trend.wave_history_size is 2; it must be >= 3 and <= 1000"),
]


@pytest.mark.parametrize("name", SPECIFIED)
def test_parameters_outputs_and_primary_are_those_of_the_specification(name: str) -> None:
    defaults, outputs, primary = SPECIFIED[name]
    node = find_indicator(name)

    assert node.resolve({}) == defaults
    assert tuple(output.name for output in node.outputs) == outputs
    assert node.primary == primary
    assert node.output(None).name == primary


def test_structures_have_the_outputs_of_the_specification() -> None:
    assert {output.name for output in find_structure("swing").outputs} == SWING_OUTPUTS
    assert {output.name for output in find_structure("trend").outputs} == TREND_OUTPUTS


def test_types_of_outputs_are_those_of_the_specification() -> None:
    types = {
        (node.name, output.name): output.type
        for node in (*all_indicators().values(), *all_structures().values())
        for output in node.outputs
    }

    assert types["supertrend", "direction"] is OutputType.INT
    assert types["adx", "adx"] is OutputType.FLOAT
    assert types["swing", "pair_anchor_hash"] is OutputType.INT
    assert types["swing", "high_is_major"] is OutputType.BOOL
    assert find_structure("swing").output("pair_direction").values == ("none", "bullish", "bearish")
    assert find_structure("swing").output("last_confirmed_pivot_type").values == ("none", "high", "low")
    assert find_structure("trend").output("last_wave_direction").values == ("none", "bullish", "bearish")


@pytest.mark.parametrize(("name", "params", "expected"), FIRSTS)
def test_first_values_stand_on_the_declared_bar(name: str, params: dict[str, Any], expected: dict[str, int]) -> None:
    node = find_indicator(name)

    assert node.first(node.resolve(params)) == expected
    outputs = compute(node, golden_columns(), params)
    assert {output: first_bar(outputs[output]) for output in expected} == expected


@pytest.mark.parametrize("node", [*all_indicators().values(), *all_structures().values()], ids=lambda node: node.name)
def test_warm_up_is_at_least_the_latest_first_value(node: Any) -> None:
    params = node.resolve(STRUCTURE_PARAMS.get(node.name, {}))

    assert node.warmup(params) >= max(node.first(params).values())


@pytest.mark.parametrize(("name", "params", "bars"), WARMUPS)
def test_warm_up_is_that_of_the_specification(name: str, params: dict[str, Any], bars: int) -> None:
    node = find_indicator(name)

    assert node.warmup(node.resolve(params)) == bars


def test_warm_up_of_structures_follows_the_swing_that_they_use() -> None:
    swing, trend = find_structure("swing"), find_structure("trend")

    assert swing.warmup(swing.resolve({"left": 3, "right": 2})) == 6
    assert trend.warmup({**trend.resolve({}), "swing.left": 3, "swing.right": 2}) == 25
    assert trend.warmup({**trend.resolve({}), "swing.left": None, "swing.right": None}) == 1


@pytest.mark.parametrize(("name", "params", "message"), REFUSED)
def test_parameters_outside_their_bounds_are_refused(name: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as refusal:
        find_indicator(name).resolve(params)
    assert refusal.value.message == message


@pytest.mark.parametrize(("name", "params", "message"), REFUSED_STRUCTURES)
def test_structure_parameters_outside_their_bounds_are_refused(name: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as refusal:
        find_structure(name).resolve(params)
    assert refusal.value.message == message


@pytest.mark.parametrize(
    ("find", "name", "message"),
    [
        (find_indicator, "smaa", "there is no indicator 'smaa'; did you mean 'sma'?"),
        (find_indicator, "psar", "indicator 'psar' is not available yet; `keel indicators` lists those that are"),
        (find_structure, "swings", "there is no structure 'swings'; did you mean 'swing'?"),
        (find_structure, "zone", "structure 'zone' is not available yet; `keel indicators` lists those that are"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_one(find: Any, name: str, message: str) -> None:
    with pytest.raises(UsageError) as refusal:
        find(name)
    assert refusal.value.message == message


def first_bar(values: Any) -> int:
    """Return the bar, counted from 1, of the first value."""
    return int(np.argmax(~np.isnan(values))) + 1
