"""Market structure drawn by hand: every event from every bias, and what is armed, disarmed and anchored then."""

from __future__ import annotations

import math
from typing import Any

import pytest

from evenkeel.features.registry import find_structure
from reference.drawn import drawn, high, low
from reference.wiring import alone

BULLISH, BEARISH = 1.0, 2.0
NAN = math.nan
BOX = {0: [high(110.0, at=0), low(90.0, at=0)]}
"""A high and a low before anything happens."""


def structure(closes: list[float], pivots: Any = BOX, *, highs: Any = None, lows: Any = None, **params: Any) -> Any:
    columns = drawn(closes, pivots, highs=highs, lows=lows)
    return alone(find_structure("market_structure"), columns, params)


def events(outputs: Any) -> dict[int, str]:
    """Return the bars with an event, such as `+bos`."""
    told: dict[int, str] = {}
    for kind in ("bos", "choch"):
        for bar, happened in enumerate(outputs[f"{kind}_this_bar"]):
            if happened:
                assert bar not in told, "at most one event a bar"
                told[bar] = ("+" if outputs[f"{kind}_direction"][bar] == BULLISH else "-") + kind
    return told


def test_before_any_event_there_is_nothing() -> None:
    outputs = structure([100.0, 110.0, 90.0])

    assert events(outputs) == {}
    assert outputs["bias"] == [0.0, 0.0, 0.0]
    assert outputs["bos_direction"] == outputs["choch_direction"] == [0.0, 0.0, 0.0]
    assert outputs["last_bos_idx"] == outputs["last_choch_idx"] == [-1.0, -1.0, -1.0]
    assert (outputs["break_level_high"][2], outputs["break_level_low"][2]) == (110.0, 90.0)
    assert outputs["version"] == [1.0, 1.0, 1.0]


def test_without_bias_a_close_beyond_either_level_is_a_break() -> None:
    up, down = structure([100.0, 110.5, 111.0]), structure([100.0, 89.5, 89.0])

    assert (events(up), events(down)) == ({1: "+bos"}, {1: "-bos"})
    assert (up["bias"], down["bias"]) == ([0.0, 1.0, 1.0], [0.0, -1.0, -1.0])
    assert (up["last_bos_level"][1], down["last_bos_level"][1]) == (110.0, 90.0)
    assert (up["last_bos_idx"], up["bos_direction"]) == ([-1.0, 1.0, 1.0], [0.0, BULLISH, BULLISH])


def test_a_broken_level_is_disarmed_and_cannot_fire_again() -> None:
    outputs = structure([100.0, 111.0, 109.0, 112.0])

    assert events(outputs) == {1: "+bos"}
    assert outputs["break_level_high"] == pytest.approx([110.0, NAN, NAN, NAN], nan_ok=True)
    assert outputs["break_level_low"] == [90.0] * 4
    assert outputs["version"] == [1.0, 2.0, 2.0, 2.0]


def test_with_the_bias_a_new_armed_level_breaks_again_and_moves_the_anchor() -> None:
    pivots = {**BOX, 2: [high(112.0, at=1)], 3: [low(105.0, at=2)]}

    outputs = structure([100.0, 111.0, 108.0, 108.0, 113.0, 104.0], pivots)

    assert events(outputs) == {1: "+bos", 4: "+bos", 5: "-choch"}
    assert outputs["last_choch_level"][5] == 105.0
    assert outputs["version"] == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def test_a_low_armed_after_the_break_is_not_yet_the_anchor() -> None:
    outputs = structure([100.0, 111.0, 108.0, 104.0, 89.0], {**BOX, 2: [low(105.0, at=1)]})

    assert events(outputs) == {1: "+bos", 4: "-choch"}
    assert outputs["last_choch_level"][4] == 90.0


def test_a_change_against_a_bullish_bias_disarms_the_low_only_if_it_is_broken_too() -> None:
    beyond = structure([100.0, 111.0, 89.0])
    short_of = structure([100.0, 111.0, 100.0, 89.0], {**BOX, 2: [low(80.0, at=1)]})

    assert events(beyond) == {1: "+bos", 2: "-choch"}
    assert beyond["bias"] == [0.0, 1.0, -1.0]
    assert math.isnan(beyond["break_level_low"][2])
    assert events(short_of) == {1: "+bos", 3: "-choch"}
    assert short_of["break_level_low"][3] == 80.0


def test_a_change_against_a_bearish_bias_is_the_mirror_image() -> None:
    outputs = structure([100.0, 89.0, 111.0, 112.0])

    assert events(outputs) == {1: "-bos", 2: "+choch"}
    assert outputs["last_choch_level"][2] == 110.0
    assert outputs["bias"] == [0.0, -1.0, 1.0, 1.0]
    assert math.isnan(outputs["break_level_high"][2])


def test_a_change_against_a_bearish_bias_leaves_a_high_armed_that_is_not_broken() -> None:
    outputs = structure([100.0, 89.0, 100.0, 111.0], {**BOX, 2: [high(120.0, at=1)]})

    assert events(outputs) == {1: "-bos", 3: "+choch"}
    assert outputs["break_level_high"][3] == 120.0


def test_with_a_bearish_bias_a_new_low_breaks_again() -> None:
    outputs = structure([100.0, 89.0, 92.0, 87.0], {**BOX, 2: [low(88.0, at=1)]})

    assert events(outputs) == {1: "-bos", 3: "-bos"}
    assert outputs["last_bos_level"][3] == 88.0


def test_a_change_comes_before_a_break_on_the_same_bar() -> None:
    pivots = {**BOX, 2: [high(112.0, at=1)]}

    outputs = structure(
        [100.0, 111.0, 100.0, 100.0], pivots, highs={3: 113.0}, lows={3: 89.0}, confirmation_close=False
    )

    assert events(outputs) == {1: "+bos", 3: "-choch"}
    assert outputs["break_level_high"][3] == 112.0


def test_armed_levels_of_the_other_side_are_kept_but_not_tested() -> None:
    pivots = {**BOX, 2: [low(105.0, at=1)]}

    outputs = structure([100.0, 111.0, 108.0, 101.0, 101.0], pivots)

    assert events(outputs) == {1: "+bos"}
    assert outputs["break_level_low"][2:] == [105.0] * 3


def test_after_a_change_the_next_reversal_needs_no_break() -> None:
    closes = [100.0, 111.0, 89.0, 100.0, 113.0, 111.0]
    pivots = {**BOX, 3: [high(112.0, at=1)]}

    assert events(structure(closes, pivots)) == {1: "+bos", 2: "-choch", 4: "+choch"}
    assert structure(closes, pivots)["last_choch_level"][4] == 110.0


def test_without_rearming_the_next_reversal_waits_for_a_break() -> None:
    closes = [100.0, 111.0, 89.0, 100.0, 113.0, 100.0, 86.0, 113.0]
    pivots = {**BOX, 3: [high(112.0, at=1)], 5: [low(87.0, at=4)]}

    outputs = structure(closes, pivots, rearm_after_choch=False)

    assert events(outputs) == {1: "+bos", 2: "-choch", 6: "-bos", 7: "+choch"}
    assert outputs["last_choch_level"][7] == 112.0


def test_without_a_swing_of_the_other_side_there_is_no_anchor() -> None:
    outputs = structure([100.0, 111.0, 1.0, 1.0], {0: [high(110.0, at=0)], 3: [low(0.5, at=2)]})

    assert events(outputs) == {1: "+bos"}


def test_a_wick_breaks_only_where_it_is_asked_for() -> None:
    closes = [100.0, 105.0, 105.0]

    assert events(structure(closes, highs={1: 110.5})) == {}
    assert events(structure(closes, highs={1: 110.5}, confirmation_close=False)) == {1: "+bos"}
    assert events(structure(closes, lows={1: 89.5}, confirmation_close=False)) == {1: "-bos"}
    assert events(structure(closes, highs={1: 110.0}, lows={1: 90.0}, confirmation_close=False)) == {}


def test_a_bar_beyond_both_levels_without_bias_breaks_upwards() -> None:
    assert events(structure([100.0, 100.0], highs={1: 111.0}, lows={1: 89.0}, confirmation_close=False)) == {1: "+bos"}


def test_a_level_confirmed_on_this_bar_can_break_on_it() -> None:
    outputs = structure([100.0, 106.0], {1: [high(105.0, at=0)]})

    assert events(outputs) == {1: "+bos"}
    assert outputs["version"] == [0.0, 1.0]
    assert math.isnan(outputs["break_level_high"][1])


def test_arming_the_same_level_again_changes_nothing() -> None:
    outputs = structure([100.0, 100.0], {**BOX, 1: [high(110.0, at=1)]})

    assert outputs["version"] == [1.0, 1.0]
