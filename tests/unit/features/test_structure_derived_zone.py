"""Derived zones drawn by hand: creation, touches, breaks, slots and the view over all of them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from evenkeel.features.registry import find_structure
from reference.drawn import drawn, high, low
from reference.wiring import alone

NONE, ACTIVE, BROKEN = 0.0, 1.0, 2.0
RISE = {1: [low(90.0, at=0)], 2: [high(110.0, at=1)]}
"""A pair from 90 to 110, complete at bar 2: its half is 100, and with a width of 2 percent the zone is 99 to 101."""


def derived(closes: list[float], pivots: Any = RISE, *, highs: Any = None, lows: Any = None, **params: Any) -> Any:
    """Return the outputs of one slot with the level 0.5, 2 percent wide, hard to break, unless told otherwise."""
    asked = {"levels": [0.5], "max_active": 1, "width_pct": 2.0, "break_tolerance_pct": 10.0, **params}
    return alone(find_structure("derived_zone"), drawn(closes, pivots, highs=highs, lows=lows), asked)


def slots(outputs: Any, name: str, bar: int) -> list[float]:
    count = sum(key.endswith("_state") for key in outputs)
    return [outputs[f"zone{slot}_{name}"][bar] for slot in range(count)]


def test_an_empty_slot_has_no_bounds_no_age_and_no_flags() -> None:
    outputs = derived([100.0, 100.0])

    assert math.isnan(outputs["zone0_lower"][1])
    assert math.isnan(outputs["zone0_upper"][1])
    for name, value in {
        "state": NONE, "anchor_idx": -1.0, "age_bars": -1.0, "touched_this_bar": 0.0, "wick_touched": 0.0,
        "touch_count": 0.0, "last_touch_age": -1.0, "inside": 0.0, "instance_id": 0.0,
    }.items():  # fmt: skip
        assert outputs[f"zone0_{name}"] == [value, value], name
    assert outputs["active_count"] == outputs["any_active"] == outputs["source_version"] == [0.0, 0.0]
    assert outputs["first_active_idx"] == outputs["newest_active_idx"] == [-1.0, -1.0]
    assert math.isnan(outputs["closest_active_lower"][1])


def test_a_pair_makes_a_zone_around_its_level() -> None:
    outputs = derived([105.0] * 4)

    assert outputs["zone0_state"] == [NONE, NONE, ACTIVE, ACTIVE]
    assert (outputs["zone0_lower"][2], outputs["zone0_upper"][2]) == (99.0, 101.0)
    assert outputs["zone0_anchor_idx"][2] == 1.0
    assert outputs["zone0_age_bars"] == [-1.0, -1.0, 0.0, 1.0]
    assert outputs["source_version"] == [0.0, 0.0, 1.0, 1.0]


def test_an_extension_lies_beyond_the_later_pivot() -> None:
    falls = {1: [high(110.0, at=0)], 2: [low(90.0, at=1)]}

    assert derived([105.0] * 3, mode="extension")["zone0_upper"][2] == pytest.approx(120.0 * 1.01)
    assert derived([105.0] * 3, falls, mode="extension")["zone0_upper"][2] == pytest.approx(80.0 * 1.01)
    assert derived([105.0] * 3, falls)["zone0_upper"][2] == pytest.approx(101.0)


def test_a_close_inside_touches_and_a_wick_only_overlaps() -> None:
    outputs = derived([105.0, 105.0, 101.0, 105.0, 99.0, 105.0], lows={3: 101.0, 5: 101.01})

    assert outputs["zone0_inside"] == outputs["zone0_touched_this_bar"] == [0.0, 0.0, 1.0, 0.0, 1.0, 0.0]
    assert outputs["zone0_wick_touched"] == [0.0, 0.0, 1.0, 1.0, 1.0, 0.0]
    assert outputs["zone0_touch_count"] == [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]
    assert outputs["zone0_last_touch_age"] == [-1.0, -1.0, 0.0, 0.0, 2.0, 2.0]
    assert outputs["any_touched"] == outputs["any_inside"] == [0.0, 0.0, 1.0, 0.0, 1.0, 0.0]


@pytest.mark.parametrize(("at_the_edge", "beyond"), [(98.01, 98.0), (101.0, 98.0)])
def test_a_close_below_by_more_than_the_tolerance_breaks_it(at_the_edge: float, beyond: float) -> None:
    outputs = derived([105.0, 105.0, 101.0, at_the_edge, beyond, 100.0], break_tolerance_pct=1.0)

    assert outputs["zone0_state"] == [NONE, NONE, ACTIVE, ACTIVE, BROKEN, BROKEN]


def test_a_close_above_by_more_than_the_tolerance_breaks_it() -> None:
    outputs = derived([100.0, 100.0, 100.0, 102.0, 102.02], break_tolerance_pct=1.0)

    assert outputs["zone0_state"] == [NONE, NONE, ACTIVE, ACTIVE, BROKEN]


def test_the_bar_that_creates_it_cannot_break_it() -> None:
    assert derived([80.0, 80.0, 80.0, 100.0, 80.0])["zone0_state"] == [NONE, NONE, ACTIVE, ACTIVE, BROKEN]


def test_a_broken_zone_only_grows_older() -> None:
    outputs = derived([100.0, 100.0, 100.0, 80.0, 100.0, 100.0], highs={3: 100.0})

    assert outputs["zone0_state"][3:] == [BROKEN] * 3
    assert outputs["zone0_age_bars"][3:] == [1.0, 2.0, 3.0]
    for flag in ("inside", "touched_this_bar", "wick_touched"):
        assert outputs[f"zone0_{flag}"][3:] == [0.0] * 3, flag
    assert outputs["zone0_touch_count"][3:] == [1.0] * 3
    assert outputs["zone0_last_touch_age"][3:] == [0.0] * 3
    assert outputs["any_active"] == [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]


NEXT = {**RISE, 4: [low(94.0, at=3)]}
"""A second pair from 110 to 94, complete at bar 4."""


def test_new_zones_take_the_front_slots_in_the_order_of_the_levels() -> None:
    outputs = derived([100.0] * 5, NEXT, levels=[0.5, 0.25], max_active=5)

    assert slots(outputs, "age_bars", 4) == [0.0, 0.0, 2.0, 2.0, -1.0]
    assert slots(outputs, "anchor_idx", 4) == [3.0, 3.0, 1.0, 1.0, -1.0]
    centres = [0.5 * (a + b) for a, b in zip(slots(outputs, "lower", 4), slots(outputs, "upper", 4), strict=True)]
    assert centres == pytest.approx([102.0, 106.0, 100.0, 105.0, math.nan], nan_ok=True)
    assert len(set(slots(outputs, "instance_id", 4))) == 5
    assert slots(outputs, "instance_id", 4)[2:4] == slots(outputs, "instance_id", 3)[:2]


def test_slots_beyond_the_last_are_dropped_active_or_broken() -> None:
    outputs = derived([100.0, 100.0, 100.0, 100.0, 100.0], NEXT, levels=[0.5, 0.25], max_active=3)

    assert slots(outputs, "age_bars", 4) == [0.0, 0.0, 2.0]


def test_more_levels_than_slots_leave_the_first_of_them() -> None:
    outputs = derived([100.0] * 5, NEXT, levels=[0.5, 0.25, 0.75], max_active=2)

    assert slots(outputs, "upper", 4) == pytest.approx([102.0 * 1.01, 106.0 * 1.01])
    assert slots(outputs, "age_bars", 4) == [0.0, 0.0]


def test_a_pair_whose_high_is_not_above_its_low_makes_no_zone() -> None:
    outputs = derived([100.0] * 5, {**RISE, 4: [low(110.0, at=3)]}, max_active=2)

    assert slots(outputs, "age_bars", 4) == [2.0, -1.0]
    assert outputs["source_version"][4] == 2.0


def test_each_swing_makes_zones_when_the_source_is_not_paired() -> None:
    pivots = {1: [high(110.0, at=0)], 2: [low(90.0, at=1)], 3: [low(94.0, at=2)]}

    outputs = derived([100.0] * 4, pivots, use_paired_source=False, max_active=3)

    assert slots(outputs, "age_bars", 3) == [0.0, 1.0, -1.0]
    assert slots(outputs, "anchor_idx", 3) == [2.0, 1.0, -1.0]
    assert outputs["source_version"] == [0.0, 1.0, 2.0, 3.0]


def test_the_view_over_all_skips_broken_zones_and_finds_the_nearest() -> None:
    # Zones of bar 2: 99 to 101 and 103.95 to 106.05; of bar 4: 100.98 to 103.02.
    closes = [102.0, 102.0, 102.0, 106.0, 103.3, 90.0]

    outputs = derived(closes, NEXT, max_active=3, break_tolerance_pct=0.1)
    assert slots(outputs, "state", 3) == [BROKEN, NONE, NONE]
    assert slots(outputs, "state", 4) == [ACTIVE, BROKEN, NONE]
    assert outputs["active_count"] == [0.0, 0.0, 1.0, 0.0, 1.0, 0.0]

    wide = derived(closes, NEXT, levels=[0.25, 0.5], max_active=4, break_tolerance_pct=4.0)
    assert slots(wide, "state", 4) == [ACTIVE, ACTIVE, ACTIVE, BROKEN]
    assert wide["first_active_idx"][4] == wide["newest_active_idx"][4] == 0.0
    assert wide["first_active_upper"][4] == pytest.approx(106.0 * 1.01)
    assert wide["closest_active_upper"][4] == pytest.approx(103.02)
    assert wide["closest_active_lower"][4] == pytest.approx(100.98)
    assert wide["first_active_lower"][2] == pytest.approx(103.95)
    assert wide["closest_active_lower"][2] == pytest.approx(99.0)
    assert wide["active_count"] == [0.0, 0.0, 2.0, 1.0, 3.0, 0.0]


def test_behind_a_broken_zone_the_first_active_one_has_its_own_slot() -> None:
    closes = [100.0, 100.0, 100.0, 95.0]

    outputs = derived(closes, levels=[0.25, 0.75], max_active=2, break_tolerance_pct=0.1)

    assert slots(outputs, "state", 3) == [BROKEN, ACTIVE]
    assert outputs["first_active_idx"][3] == outputs["newest_active_idx"][3] == 1.0


def test_equal_distances_go_to_the_lowest_slot() -> None:
    outputs = derived([100.0, 100.0, 100.0], levels=[0.5, 0.51], max_active=2)

    assert outputs["closest_active_upper"][2] == outputs["zone0_upper"][2]
