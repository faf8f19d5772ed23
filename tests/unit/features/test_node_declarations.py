"""What the nodes declare: names, outputs, first values, bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evenkeel.features.node import MAX_LENGTH, OutputType
from evenkeel.features.registry import (
    INDICATOR_NAMES,
    STRUCTURE_NAMES,
    all_indicators,
    all_structures,
    find_indicator,
    find_structure,
)
from evenkeel.model.errors import UsageError
from reference.golden import golden_columns
from reference.wiring import STRUCTURE_PARAMS, compute

VALUE = "value"

SPECIFIED: dict[str, tuple[dict[str, Any], tuple[str, ...], str]] = {
    # name: default parameters, outputs, primary output
    "ema": ({"length": 20}, ("value",), VALUE),
    "sma": ({"length": 20}, ("value",), VALUE),
    "wma": ({"length": 20}, ("value",), VALUE),
    "dema": ({"length": 20}, ("value",), VALUE),
    "tema": ({"length": 20}, ("value",), VALUE),
    "trima": ({"length": 20}, ("value",), VALUE),
    "zlma": ({"length": 20}, ("value",), VALUE),
    "kama": ({"length": 10, "fast": 2, "slow": 30}, ("value",), VALUE),
    "alma": ({"length": 10, "sigma": 6.0, "offset": 0.85}, ("value",), VALUE),
    "linreg": ({"length": 14}, ("value",), VALUE),
    "midprice": ({"length": 14}, ("value",), VALUE),
    "ohlc4": ({}, ("value",), VALUE),
    "vwap": ({"anchor": "D"}, ("value",), VALUE),
    "rsi": ({"length": 14}, ("value",), VALUE),
    "cci": ({"length": 14}, ("value",), VALUE),
    "willr": ({"length": 14}, ("value",), VALUE),
    "roc": ({"length": 10}, ("value",), VALUE),
    "mom": ({"length": 10}, ("value",), VALUE),
    "cmo": ({"length": 14}, ("value",), VALUE),
    "mfi": ({"length": 14}, ("value",), VALUE),
    "uo": ({"fast": 7, "medium": 14, "slow": 28}, ("value",), VALUE),
    "obv": ({}, ("value",), VALUE),
    "cmf": ({"length": 20}, ("value",), VALUE),
    "atr": ({"length": 14}, ("value",), VALUE),
    "natr": ({"length": 14}, ("value",), VALUE),
    "macd": ({"fast": 12, "slow": 26, "signal": 9}, ("macd", "signal", "histogram"), "macd"),
    "ppo": ({"fast": 12, "slow": 26, "signal": 9}, ("ppo", "histogram", "signal"), "ppo"),
    "trix": ({"length": 18, "signal": 9}, ("trix", "signal"), "trix"),
    "tsi": ({"fast": 13, "slow": 25, "signal": 13}, ("tsi", "signal"), "tsi"),
    "kvo": ({"fast": 34, "slow": 55, "signal": 13}, ("kvo", "signal"), "kvo"),
    "bbands": ({"length": 20, "std": 2.0}, ("lower", "middle", "upper", "bandwidth", "percent_b"), "middle"),
    "kc": ({"length": 20, "scalar": 2.0}, ("lower", "basis", "upper"), "basis"),
    "donchian": ({"lower_length": 20, "upper_length": 20}, ("lower", "middle", "upper"), "middle"),
    "stoch": ({"k": 14, "smooth_k": 3, "d": 3}, ("k", "d"), "k"),
    "stochrsi": ({"length": 14, "rsi_length": 14, "k": 3, "d": 3}, ("k", "d"), "k"),
    "adx": ({"length": 14}, ("adx", "dmp", "dmn", "adxr"), "adx"),
    "dm": ({"length": 14}, ("dmp", "dmn"), "dmp"),
    "aroon": ({"length": 25}, ("up", "down", "osc"), "osc"),
    "vortex": ({"length": 14}, ("vip", "vim"), "vip"),
    "supertrend": ({"length": 10, "multiplier": 3.0}, ("trend", "direction", "long", "short"), "trend"),
    "psar": ({"af0": 0.02, "af": 0.02, "max_af": 0.2}, ("long", "short", "af", "reversal"), "long"),
    "squeeze": (
        {"bb_length": 20, "bb_std": 2.0, "kc_length": 20, "kc_scalar": 1.5, "mom_length": 12, "mom_smooth": 6},
        ("sqz", "on", "off", "no_sqz"),
        "sqz",
    ),
    "fisher": ({"length": 9, "signal": 1}, ("fisher", "signal"), "fisher"),
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
    ("wma", {"length": 5}, {"value": 5}),
    ("dema", {"length": 7}, {"value": 7}),
    ("tema", {"length": 7}, {"value": 7}),
    ("trima", {"length": 20}, {"value": 19}),
    ("trima", {"length": 21}, {"value": 21}),
    ("trima", {"length": 22}, {"value": 23}),
    ("zlma", {"length": 8}, {"value": 8}),
    ("kama", {"length": 6}, {"value": 6}),
    ("alma", {"length": 9}, {"value": 9}),
    ("linreg", {"length": 4}, {"value": 4}),
    ("midprice", {"length": 4}, {"value": 4}),
    ("ohlc4", {}, {"value": 1}),
    ("cci", {"length": 6}, {"value": 6}),
    ("willr", {"length": 6}, {"value": 6}),
    ("mom", {"length": 6}, {"value": 7}),
    ("cmo", {"length": 6}, {"value": 7}),
    ("mfi", {"length": 6}, {"value": 7}),
    ("uo", {"fast": 2, "medium": 4, "slow": 9}, {"value": 10}),
    ("cmf", {"length": 6}, {"value": 6}),
    ("natr", {"length": 6}, {"value": 6}),
    ("ppo", {"fast": 3, "slow": 6, "signal": 4}, {"ppo": 6, "histogram": 6, "signal": 6}),
    ("trix", {"length": 6, "signal": 4}, {"trix": 7, "signal": 10}),
    ("tsi", {"fast": 3, "slow": 6, "signal": 4}, {"tsi": 6, "signal": 6}),
    ("kvo", {"fast": 3, "slow": 6, "signal": 4}, {"kvo": 7, "signal": 10}),
    ("kc", {"length": 6}, {"lower": 6, "basis": 6, "upper": 6}),
    ("stochrsi", {"length": 5, "rsi_length": 7, "k": 3, "d": 4}, {"k": 14, "d": 17}),
    ("dm", {"length": 14}, {"dmp": 2, "dmn": 2}),
    ("aroon", {"length": 6}, {"up": 7, "down": 7, "osc": 7}),
    ("vortex", {"length": 6}, {"vip": 7, "vim": 7}),
    ("psar", {}, {"af": 2, "reversal": 2}),
    ("squeeze", {}, {"sqz": 18, "on": 20, "off": 20, "no_sqz": 20}),
    ("squeeze", {"kc_length": 31, "mom_length": 40}, {"sqz": 46, "on": 31, "off": 31, "no_sqz": 31}),
    ("fisher", {"length": 6, "signal": 3}, {"fisher": 6, "signal": 9}),
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
    ("wma", {"length": 7}, 7),
    ("dema", {"length": 7}, 21),
    ("tema", {"length": 7}, 21),
    ("trima", {"length": 22}, 23),
    ("zlma", {"length": 7}, 21),
    ("kama", {"length": 7}, 21),
    ("cmo", {"length": 7}, 8),
    ("uo", {}, 29),
    ("natr", {"length": 7}, 21),
    ("ppo", {}, 53),
    ("trix", {}, 63),
    ("tsi", {}, 101),
    ("kvo", {}, 178),
    ("kc", {}, 61),
    ("stochrsi", {}, 104),
    ("dm", {"length": 7}, 35),
    ("aroon", {}, 26),
    ("vortex", {}, 15),
    ("psar", {}, 20),
    ("squeeze", {}, 61),
    ("fisher", {}, 36),
    # Where the row asks for less than the first value needs, the first value decides.
    ("squeeze", {"mom_length": 90}, 96),
    ("fisher", {"length": 2, "signal": 30}, 32),
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
    ("kama", {"fast": 30, "slow": 30}, "kama: fast (30) must be below slow (30)"),
    ("ppo", {"fast": 30}, "ppo: fast (30) must be below slow (26)"),
    ("tsi", {"fast": 25}, "tsi: fast (25) must be below slow (25)"),
    ("tsi", {"slow": 1}, "tsi.slow is 1; it must be >= 2 and <= 5000"),
    ("kvo", {"slow": 34}, "kvo: fast (34) must be below slow (34)"),
    ("uo", {"medium": 7}, "uo: fast (7) must be below medium (7), medium below slow (28)"),
    ("uo", {"slow": 14}, "uo: fast (7) must be below medium (14), medium below slow (14)"),
    ("linreg", {"length": 1}, "linreg.length is 1; it must be >= 2 and <= 5000"),
    ("squeeze", {"bb_length": 1}, "squeeze.bb_length is 1; it must be >= 2 and <= 5000"),
    ("alma", {"offset": 1.1}, "alma.offset is 1.1; it must be >= 0 and <= 1"),
    ("alma", {"sigma": 0}, "alma.sigma is 0; it must be > 0"),
    ("kc", {"scalar": 0}, "kc.scalar is 0; it must be > 0"),
    ("psar", {"af0": 0.3}, "psar: af0 (0.3) and af (0.02) must not be above max_af (0.2)"),
    ("psar", {"af": 0.21}, "psar: af0 (0.02) and af (0.21) must not be above max_af (0.2)"),
    ("psar", {"af0": 0}, "psar.af0 is 0; it must be > 0"),
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


def test_every_indicator_of_the_specification_is_there() -> None:
    assert tuple(all_indicators()) == INDICATOR_NAMES == tuple(SPECIFIED)
    assert len(INDICATOR_NAMES) == 43


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
    assert set(all_structures()) == set(STRUCTURE_NAMES)


def test_types_of_outputs_are_those_of_the_specification() -> None:
    types = {
        (node.name, output.name): output.type
        for node in (*all_indicators().values(), *all_structures().values())
        for output in node.outputs
    }

    assert types["supertrend", "direction"] is OutputType.INT
    assert types["psar", "reversal"] is OutputType.BOOL
    assert {name for name, type_ in types.items() if name[0] == "squeeze" and type_ is OutputType.BOOL} == {
        ("squeeze", "on"),
        ("squeeze", "off"),
        ("squeeze", "no_sqz"),
    }
    assert types["squeeze", "sqz"] is OutputType.FLOAT
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
        (find_structure, "swings", "there is no structure 'swings'; did you mean 'swing'?"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_one(find: Any, name: str, message: str) -> None:
    with pytest.raises(UsageError) as refusal:
        find(name)
    assert refusal.value.message == message


def first_bar(values: Any) -> int:
    """Return the bar, counted from 1, of the first value."""
    return int(np.argmax(~np.isnan(values))) + 1
