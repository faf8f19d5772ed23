"""The golden table of `plays.md` 4.8."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evenkeel.features.registry import find_indicator, find_structure
from evenkeel.model.bar import Floats
from reference.golden import golden_columns
from reference.wiring import compute

BULLISH, BEARISH = 1, 2
ACTIVE = 1
SW = {"left": 5, "right": 5, "min_atr_move": 0.5}

SWINGS: list[tuple[dict[str, Any], dict[str, float]]] = [
    (
        SW,
        {
            "high_level": 49913.5, "high_idx": 2990, "low_level": 49887.3, "low_idx": 2994,
            "high_version": 124, "low_version": 121, "version": 245, "pair_version": 201, "pair_direction": BEARISH,
            "pair_anchor_hash": 253450118216187, "high_significance": 3.21493967456,
            "low_significance": 2.66949462003, "high_is_major": 1, "low_is_major": 1,
        },
    ),
    (
        {"left": 3, "right": 3, "strict_alternation": True},
        {
            "high_level": 49913.5, "low_level": 49887.3, "high_version": 232, "low_version": 240, "pair_version": 425,
        },
    ),
    (
        {"mode": "atr_zigzag", "atr_multiplier": 3},
        {
            "high_level": 49718.0, "high_idx": 2845, "low_level": 49679.4, "low_idx": 2852, "high_version": 51,
            "low_version": 51, "pair_version": 101, "high_significance": 0.995564948046, "high_is_major": 0,
            "low_significance": 6.00862062454, "low_is_major": 1,
        },
    ),
]  # fmt: skip

TREND = {
    "direction": 1, "strength": 2, "bars_in_trend": 85, "wave_count": 201, "version": 226,
    "last_wave_direction": BEARISH, "last_hh": 1, "last_hl": 1, "last_lh": 0, "last_ll": 0,
}  # fmt: skip


def with_atr() -> dict[str, Floats]:
    columns = golden_columns()
    return {**columns, "atr": compute(find_indicator("atr"), columns, {"length": 14})["value"]}


@pytest.mark.parametrize(("params", "expected"), SWINGS, ids=["fractal", "strict", "zigzag"])
def test_swing_equals_the_golden_table(params: dict[str, Any], expected: dict[str, float]) -> None:
    outputs = compute(find_structure("swing"), with_atr(), params)

    assert {name: outputs[name][2999] for name in expected} == pytest.approx(expected, rel=1e-9)


def test_trend_equals_the_golden_table() -> None:
    outputs = compute(find_structure("trend"), with_atr(), {f"swing.{name}": value for name, value in SW.items()})

    assert {name: values[2999] for name, values in outputs.items()} == TREND
    assert [int(np.sum(outputs["direction"] == way)) for way in (1, 0, -1)] == [1046, 760, 1194]


BREAKS: list[tuple[dict[str, Any], dict[str, float], tuple[int, int]]] = [
    (
        {},
        {
            "bias": 1, "bos_direction": BULLISH, "last_bos_idx": 2985, "last_bos_level": 49875.2,
            "choch_direction": BULLISH, "last_choch_idx": 2820, "last_choch_level": 49653.5,
            "break_level_high": 49913.5, "break_level_low": 49887.3, "version": 346,
        },
        (78, 27),
    ),
    (
        {"confirmation_close": False, "rearm_after_choch": False},
        {
            "bias": 1, "bos_direction": BULLISH, "last_bos_idx": 2983, "last_bos_level": 49875.2,
            "choch_direction": BULLISH, "last_choch_idx": 2819, "last_choch_level": 49653.5, "version": 335,
        },
        (73, 21),
    ),
]  # fmt: skip

LEVELS: list[tuple[str, dict[str, Any], dict[str, float]]] = [
    (
        "zone",
        {"zone_type": "demand", "width_atr": 1},
        {"state": ACTIVE, "lower": 49874.9006493, "upper": 49887.3, "anchor_idx": 2994, "version": 167},
    ),
    (
        "zone",
        {"zone_type": "supply", "width_atr": 1},
        {"state": ACTIVE, "lower": 49913.5, "upper": 49925.4131318, "anchor_idx": 2990, "version": 164},
    ),
    (
        "fibonacci",
        {"levels": [0.618]},
        {"level_0.618": 49897.3084, "anchor_direction": BEARISH, "anchor_hash": 253450118216187},
    ),
    (
        "fibonacci",
        {"levels": [0.618], "mode": "extension", "use_trend_anchor": True},
        {"level_0.618": 49929.6916, "anchor_direction": BULLISH, "anchor_hash": 256082125522786},
    ),
    (
        "derived_zone",
        {"levels": [0.5, 0.618], "max_active": 4},
        {
            "zone0_lower": 49850.4996, "zone0_upper": 49950.3004, "zone0_anchor_idx": 2994, "zone0_age_bars": 0,
            "zone0_touch_count": 1, "zone0_instance_id": 2144503643,
            "zone3_lower": 49826.9757474, "zone3_upper": 49926.7294526, "zone3_anchor_idx": 2990, "zone3_age_bars": 4,
            "zone3_touch_count": 5, "zone3_instance_id": 1712159842,
        },
    ),
    ("rolling_window", {"mode": "max", "size": 20, "source": "high", "exclude_current": True}, {"value": 49913.5}),
    ("rolling_window", {"mode": "min", "size": 20, "source": "low"}, {"value": 49856.8}),
]  # fmt: skip

SW_BELOW = {f"swing.{name}": value for name, value in SW.items()}


@pytest.mark.parametrize(("params", "expected", "events"), BREAKS, ids=["close", "wick"])
def test_market_structure_equals_the_golden_table(
    params: dict[str, Any], expected: dict[str, float], events: tuple[int, int]
) -> None:
    outputs = compute(find_structure("market_structure"), with_atr(), {**SW_BELOW, **params})

    assert {name: outputs[name][2999] for name in expected} == expected
    assert (np.sum(outputs["bos_this_bar"]), np.sum(outputs["choch_this_bar"])) == events


@pytest.mark.parametrize(("name", "params", "expected"), LEVELS)
def test_levels_equal_the_golden_table(name: str, params: dict[str, Any], expected: dict[str, float]) -> None:
    outputs = compute(find_structure(name), with_atr(), {**SW_BELOW, **params})

    assert {output: outputs[output][2999] for output in expected} == pytest.approx(expected, rel=1e-11)


def test_the_golden_series_makes_400_derived_zones() -> None:
    outputs = compute(find_structure("derived_zone"), with_atr(), {**SW_BELOW, "levels": [0.5, 0.618], "max_active": 4})

    assert sum(np.sum(outputs[f"zone{slot}_age_bars"] == 0) for slot in range(4)) == 400


def test_a_level_is_invisible_until_the_bar_that_confirms_it() -> None:
    outputs = compute(find_structure("swing"), with_atr(), SW)

    confirmed = np.flatnonzero(outputs["high_accepted"] == 1)
    assert np.all(outputs["high_idx"][confirmed] == confirmed - 5)
    assert np.all(outputs["high_idx"][outputs["high_accepted"] == 0] < np.flatnonzero(outputs["high_accepted"] == 0))
