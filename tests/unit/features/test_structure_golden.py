"""The golden table of `plays.md` 4.8 for the detectors that exist."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evenkeel.features.registry import find_indicator, find_structure
from evenkeel.model.bar import Floats
from reference.golden import golden_columns
from reference.wiring import compute

BULLISH, BEARISH = 1, 2
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


def test_a_level_is_invisible_until_the_bar_that_confirms_it() -> None:
    outputs = compute(find_structure("swing"), with_atr(), SW)

    confirmed = np.flatnonzero(outputs["high_accepted"] == 1)
    assert np.all(outputs["high_idx"][confirmed] == confirmed - 5)
    assert np.all(outputs["high_idx"][outputs["high_accepted"] == 0] < np.flatnonzero(outputs["high_accepted"] == 0))
