"""Fibonacci levels drawn by hand: anchors, directions and modes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest

from evenkeel.features.registry import find_structure
from reference.drawn import drawn, high, low
from reference.structures import NAN
from reference.wiring import alone

BULLISH, BEARISH = 1.0, 2.0
RISE = {1: [low(100.0, at=0)], 3: [high(110.0, at=2)]}
FALL = {1: [high(110.0, at=0)], 3: [low(100.0, at=2)]}
RAW = {"use_paired_anchor": False}
TREND = {"use_trend_anchor": True}


def fibonacci(pivots: Any, *, bars: int = 5, trend: Sequence[tuple[int, int]] = (), **params: Any) -> dict[str, Any]:
    """Return the outputs with the levels 0.25 and 1.5; the trend gives its version and direction at each bar."""
    columns = drawn([105.0] * bars, pivots)
    if trend:
        told = drawn([0.0] * bars, versions=[v for v, _ in trend], directions=[d for _, d in trend])
        columns |= {"trend.version": told["versions"], "trend.direction": told["directions"]}
    return alone(find_structure("fibonacci"), columns, {"levels": [0.25, 1.5], **params})


def test_there_is_nothing_before_a_pair_is_complete() -> None:
    outputs = fibonacci(RISE)

    for name in ("level_0.25", "level_1.5", "anchor_high", "anchor_low", "range"):
        assert all(math.isnan(value) for value in outputs[name][:3]), name
        assert not math.isnan(outputs[name][3]), name
    assert outputs["anchor_direction"] == [0.0, 0.0, 0.0, BULLISH, BULLISH]
    assert outputs["anchor_hash"][:3] == [0.0, 0.0, 0.0] != outputs["anchor_hash"][3:]
    assert outputs["anchor_trend_direction"] == [0.0] * 5


@pytest.mark.parametrize(
    ("pivots", "params", "quarter", "one_and_a_half"),
    [
        (RISE, {}, 107.5, 95.0),
        (FALL, {}, 107.5, 95.0),
        (RISE, {"directional": True}, 107.5, 95.0),
        (FALL, {"directional": True}, 102.5, 115.0),
        (RISE, {"mode": "extension"}, 112.5, 125.0),
        (FALL, {"mode": "extension"}, 97.5, 85.0),
        (RISE, {"mode": "extension_down"}, 97.5, 85.0),
        (FALL, {"mode": "extension_up"}, 112.5, 125.0),
        (FALL, {"mode": "extension", "directional": True}, 97.5, 85.0),
    ],
)
def test_each_mode_measures_from_its_side(pivots: Any, params: Any, quarter: float, one_and_a_half: float) -> None:
    outputs = fibonacci(pivots, **params)

    assert (outputs["level_0.25"][3], outputs["level_1.5"][3]) == (quarter, one_and_a_half)
    assert (outputs["anchor_high"][3], outputs["anchor_low"][3], outputs["range"][3]) == (110.0, 100.0, 10.0)
    assert outputs["anchor_direction"][3] == (BULLISH if pivots is RISE else BEARISH)


def test_a_pair_whose_high_is_not_above_its_low_is_ignored() -> None:
    outputs = fibonacci({**RISE, 4: [low(111.0, at=3)], 5: [high(111.0, at=4)], 6: [low(101.0, at=5)]}, bars=8)

    assert outputs["anchor_high"][3:] == [110.0, 110.0, 110.0, 111.0, 111.0]
    assert outputs["anchor_low"][3:] == [100.0, 100.0, 100.0, 101.0, 101.0]
    assert outputs["anchor_hash"][5] == outputs["anchor_hash"][3] != outputs["anchor_hash"][6]


def test_paired_anchors_do_not_follow_a_pivot_that_only_replaces_a_pending_one() -> None:
    pivots = {**RISE, 4: [high(120.0, at=3)]}

    assert fibonacci(pivots)["anchor_high"][3:] == [110.0, 110.0]
    assert fibonacci(pivots, **RAW)["anchor_high"][3:] == [110.0, 120.0]


def test_raw_anchors_begin_with_the_first_high_and_low_and_the_later_gives_the_direction() -> None:
    outputs = fibonacci({1: [high(110.0, at=0)], 2: [low(100.0, at=1)], 3: [high(112.0, at=2)]}, **RAW)

    assert outputs["anchor_direction"] == [0.0, 0.0, BEARISH, BULLISH, BULLISH]
    assert outputs["range"][2:] == [10.0, 12.0, 12.0]


def test_on_a_bar_that_is_both_the_low_is_the_later_pivot() -> None:
    both = {1: [high(110.0, at=0), low(100.0, at=0)]}

    assert fibonacci(both)["anchor_direction"][1] == fibonacci(both, **RAW)["anchor_direction"][1] == BEARISH


def test_trend_anchors_are_taken_only_while_the_trend_has_a_direction() -> None:
    pivots = {**RISE, 5: [low(104.0, at=4)], 7: [high(115.0, at=6)]}
    trend = [(0, 0)] * 3 + [(1, 1)] * 2 + [(2, 0)] * 2 + [(3, -1)] * 2

    outputs = fibonacci(pivots, bars=9, trend=trend, directional=True, **TREND)

    assert outputs["anchor_low"][3:] == [100.0, 100.0, 100.0, 100.0, 104.0, 104.0]
    assert outputs["anchor_direction"][3:] == [BULLISH] * 4 + [BEARISH] * 2
    assert outputs["anchor_trend_direction"] == [0.0] * 3 + [1.0] * 4 + [-1.0] * 2
    assert outputs["level_0.25"][3] == 107.5
    assert outputs["level_0.25"][8] == 104.0 + 0.25 * 11.0


def test_a_new_trend_version_takes_the_pair_over_again_with_the_new_direction() -> None:
    trend = [(0, 0)] * 3 + [(1, 1), (2, -1)]

    outputs = fibonacci(RISE, trend=trend, mode="extension", **TREND)

    assert outputs["anchor_high"][3:] == [110.0, 110.0]
    assert outputs["level_0.25"][3:] == [112.5, 97.5]
    assert outputs["anchor_hash"][3] != outputs["anchor_hash"][4]


def test_trend_anchors_are_the_pair_even_where_paired_anchors_are_switched_off() -> None:
    pivots = {**RISE, 4: [high(120.0, at=3)]}
    trend = [(0, 0)] * 3 + [(1, 1), (2, 1)]

    assert fibonacci(pivots, trend=trend, **TREND, **RAW)["anchor_high"][3:] == [110.0, 110.0]


def test_a_pair_that_came_while_the_trend_was_flat_waits_for_the_next_version() -> None:
    trend = [(0, 0)] * 3 + [(1, 0), (2, 1)]

    outputs = fibonacci(RISE, trend=trend, **TREND)

    assert outputs["anchor_high"] == pytest.approx([NAN, NAN, NAN, NAN, 110.0], nan_ok=True)
