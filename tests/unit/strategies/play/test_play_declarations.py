"""Features and structures: names, parameters, timeframes, chains and dependencies."""

from __future__ import annotations

from typing import Any

import pytest

from evenkeel.strategies.play.expression import FeatureRef

from .play_desk import DOCUMENT, document, load, told, warned


def with_feature(**feature: Any) -> dict[str, Any]:
    return document(features={**DOCUMENT["features"], "new_1": feature})


def with_structures(*items: dict[str, Any], role: str = "exec") -> dict[str, Any]:
    return document(structures={role: list(items)})


SWING = {"type": "swing", "key": "sw", "params": {"left": 3, "right": 3}}


def test_defaults_of_the_registry_are_filled_in() -> None:
    bands = next(one for one in load(document()).features if one.id == "bb_20")
    assert bands.params == {"length": 20, "std": 2.0}
    assert (bands.timeframe.name, bands.source) == ("15m", "close")


def test_a_whole_number_may_be_written_with_a_point() -> None:
    features = {**DOCUMENT["features"], "new_1": {"indicator": "ema", "params": {"length": 30.0}}}
    params = load(document(features=features)).features[-1].params
    assert params == {"length": 30}
    assert isinstance(params["length"], int)


def test_an_indicator_of_fixed_columns_has_no_source() -> None:
    assert next(one for one in load(document()).features if one.id == "atr_14").source is None


WRONG = [
    ({"indicator": "emma"}, "features.new_1.indicator: there is no indicator 'emma'; did you mean 'ema'?"),
    ({"indicator": "psar"}, "features.new_1.indicator: indicator 'psar' is not available yet"),
    ({"indicatr": "ema"}, "features.new_1.indicatr: unknown key 'indicatr'; did you mean 'indicator'?"),
    ({"indicator": "ema", "params": {"len": 3}}, "ema has no parameter 'len'; did you mean 'length'?"),
    ({"indicator": "obv", "params": {"len": 3}}, "obv has no parameter 'len'; obv has no parameters"),
    ({"indicator": "ema", "params": {"length": 0}}, "length is 0; it must be at least 1 and at most 5000"),
    ({"indicator": "ema", "params": {"length": 2.5}}, "'2.5' is not a whole number"),
    ({"indicator": "ema", "params": {"length": True}}, "'True' is not a whole number"),
    ({"indicator": "bbands", "params": {"std": 0}}, "std is 0; it must be above 0"),
    ({"indicator": "bbands", "params": {"std": float("inf")}}, "'inf' is not a number"),
    ({"indicator": "vwap", "params": {"anchor": "d"}}, "'d' is not allowed for anchor; did you mean 'D'?"),
    ({"indicator": "macd", "params": {"fast": 30}}, "features.new_1.params: macd: fast must be below slow"),
    ({"indicator": "ema", "tf": "4h"}, "features.new_1.tf: '4h' is not a timeframe of this play"),
    ({"indicator": "atr", "source": "close"}, "atr reads fixed columns and takes no source"),
    ({"indicator": "ema", "source": "clos"}, "features.new_1.source: 'clos' is not a source; did you mean 'close'?"),
    ({"indicator": "ema", "source": "rsi_14"}, "'rsi_14' is not a source; write indicator:rsi_14"),
    ({"indicator": "ema", "source": "indicator:rsi_15"}, "there is no feature 'rsi_15'; did you mean 'rsi_14'?"),
    ({"indicator": "ema", "source": "indicator:bb_20.uper"}, "'bb_20' has no output 'uper'; did you mean 'upper'?"),
    ({"indicator": "ema", "source": "indicator:ema_50_1h"}, "'ema_50_1h' is on 1h, 'new_1' on 15m"),
]


@pytest.mark.parametrize(("feature", "line"), WRONG)
def test_a_wrong_feature_is_refused(feature: dict[str, Any], line: str) -> None:
    (found,) = told(with_feature(**feature))
    assert line in found


@pytest.mark.parametrize("name", ["bullish", "close", "Up", "1st", "hl2", "mark_price", "a-b"])
def test_an_id_may_not_be_a_word_of_the_language(name: str) -> None:
    (found,) = told(document(features={**DOCUMENT["features"], name: {"indicator": "ema"}}))
    assert found.startswith(f"features.{name}: '{name}' is")


def test_chained_features_come_after_what_they_read() -> None:
    features = {
        "b_2": {"indicator": "ema", "source": "indicator:a_1.upper"},
        "c_3": {"indicator": "sma", "source": "indicator:b_2"},
        "a_1": {"indicator": "bbands", "source": "hl2"},
    }
    play = load(document(features=features, structures=None, actions={"entry_long": ["c_3", ">", "close"]}))
    assert [one.id for one in play.features] == ["a_1", "b_2", "c_3"]
    assert play.features[1].source == FeatureRef("a_1", "upper")
    assert play.features[2].source == FeatureRef("b_2", "value")


def test_a_circle_of_features_is_refused() -> None:
    features = {
        "a_1": {"indicator": "ema", "source": "indicator:b_1"},
        "b_1": {"indicator": "ema", "source": "indicator:a_1"},
    }
    found = told(document(features=features, structures=None, actions={"entry_long": ["a_1", ">", "close"]}))
    assert found == ["features.a_1.source: features read each other in a circle: a_1 -> b_1 -> a_1"]


WRONG_STRUCTURES = [
    ([{**SWING, "type": "swng"}], "structures.exec[0].type: there is no structure 'swng'; did you mean 'swing'?"),
    ([{**SWING, "type": "zone"}], "structure 'zone' is not available yet"),
    ([{"type": "swing"}], "structures.exec[0]: `key` is missing"),
    ([{**SWING, "key": "ema_20"}], "structures.exec[0].key: 'ema_20' is declared twice, first in line"),
    ([SWING, SWING], "structures.exec[1].key: 'sw' is declared twice"),
    ([{**SWING, "params": {}}], "structures.exec[0].params: swing: a fractal swing needs left and right"),
    ([{**SWING, "params": {"left": 3, "rigth": 3}}], "swing has no parameter 'rigth'; did you mean 'right'?"),
    ([{"type": "trend", "key": "tr"}], "structures.exec[0]: trend 'tr' needs a swing"),
    ([{"type": "trend", "key": "tr", "uses": "sw"}, SWING], "no structure 'sw' is declared above"),
    ([SWING, {**SWING, "key": "s2", "uses": "sw"}], "swing does not read a swing; remove `uses`"),
    (
        [{**SWING, "params": {"left": 1, "right": 1, "atr_key": "atr_15"}}],
        "structures.exec[0].params.atr_key: there is no feature 'atr_15'; did you mean 'atr_14'?",
    ),
    ([{**SWING, "params": {"left": 1, "right": 1, "atr_key": "ema_20"}}], "'ema_20' is a ema; atr_key must name"),
    ([{**SWING, "params": {"mode": "atr_zigzag"}}], "'sw' finds pivots by ATR but names none"),
    ([{**SWING, "params": {"left": 1, "right": 1, "min_atr_move": 1}}], "'sw' measures in ATR but names none"),
]


@pytest.mark.parametrize(("items", "line"), WRONG_STRUCTURES)
def test_a_wrong_structure_is_refused(items: list[dict[str, Any]], line: str) -> None:
    (found,) = told(with_structures(*items))
    assert line in found


def test_a_structure_reads_only_its_own_timeframe() -> None:
    values = document(structures={"exec": [SWING], "high_tf": [{"type": "trend", "key": "tr", "uses": "sw"}]})
    (found,) = told(values)
    assert "'sw' is on 15m, 'tr' on D" in found
    atr = {**SWING, "params": {"left": 1, "right": 1, "atr_key": "atr_14"}}
    (found,) = told(with_structures(atr, role="med_tf"))
    assert "'atr_14' is on 15m, 'sw' on 1h" in found


def test_roles_with_the_same_timeframe_may_use_each_other() -> None:
    values = document(structures={"exec": [SWING], "low_tf": [{"type": "trend", "key": "tr", "uses": ["sw"]}]})
    trend = load(values).structures[1]
    assert (trend.uses, trend.timeframe.name, trend.role) == (("sw",), "15m", "low_tf")


def test_an_unknown_role_is_refused() -> None:
    assert told(with_structures(SWING, role="exce")) == ["structures.exce: unknown key 'exce'; did you mean 'exec'?"]


def test_the_average_true_range_of_a_swing_is_resolved() -> None:
    values = with_structures({**SWING, "params": {"left": 1, "right": 1, "atr_key": "atr_14", "min_atr_move": 0.5}})
    (swing,) = load(values).structures
    assert swing.atr_key == "atr_14"
    assert swing.params["min_atr_move"] == 0.5


def test_what_is_never_used_is_a_warning() -> None:
    lines = warned(document())
    assert "features.st_10: the feature 'st_10' is never used" in lines
    assert "structures.exec[1].key: the structure 'tr' is never used" in lines
    assert not any("ema_20" in line for line in lines)


def test_a_name_without_its_numbers_is_a_warning() -> None:
    features = {**DOCUMENT["features"], "average": {"indicator": "ema"}}
    assert "features.average: the name 'average' hides its parameters" in warned(document(features=features))


def test_a_vwap_that_never_resets_is_a_warning() -> None:
    lines = warned(with_feature(indicator="vwap", params={"anchor": "none"}))
    assert any("depends on the first bar fed" in line for line in lines)
