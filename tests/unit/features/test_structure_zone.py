"""A zone drawn by hand: each way from one state to another."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from evenkeel.features.registry import find_structure
from reference.drawn import drawn, high, low
from reference.structures import Pivot
from reference.wiring import alone

NONE, ACTIVE, BROKEN = 0.0, 1.0, 2.0
NAN = math.nan


def zone(
    closes: Sequence[float], pivots: Mapping[int, Sequence[Pivot]], *, of: str = "demand", atr: Sequence[float] = ()
) -> dict[str, Any]:
    """Return the outputs of a zone two ATR deep, with an ATR of 1 unless given."""
    columns = drawn(closes, pivots, atr=atr or [1.0] * len(closes))
    return alone(find_structure("zone"), columns, {"zone_type": of, "width_atr": 2.0})


def test_there_is_no_zone_before_a_swing() -> None:
    outputs = zone([10.0, 10.0], {})

    assert outputs["state"] == [NONE, NONE]
    assert outputs["anchor_idx"] == [-1.0, -1.0]
    assert outputs["version"] == [0.0, 0.0]
    assert all(math.isnan(value) for value in outputs["upper"] + outputs["lower"])


def test_a_swing_low_makes_a_demand_zone_from_its_level_down() -> None:
    outputs = zone([11.0, 11.0, 11.0], {1: [low(10.0, at=0)]})

    assert outputs["state"] == [NONE, ACTIVE, ACTIVE]
    assert (outputs["upper"][1], outputs["lower"][1]) == (10.0, 8.0)
    assert outputs["anchor_idx"] == [-1.0, 0.0, 0.0]
    assert outputs["version"] == [0.0, 1.0, 1.0]


def test_a_swing_high_makes_a_supply_zone_from_its_level_up() -> None:
    outputs = zone([9.0, 9.0, 9.0], {1: [high(10.0, at=0)]}, of="supply")

    assert outputs["state"] == [NONE, ACTIVE, ACTIVE]
    assert (outputs["upper"][1], outputs["lower"][1]) == (12.0, 10.0)


def test_a_swing_of_the_other_side_makes_nothing() -> None:
    assert zone([9.0, 9.0], {1: [high(10.0, at=0)]})["state"] == [NONE, NONE]
    assert zone([9.0, 9.0], {1: [low(10.0, at=0)]}, of="supply")["state"] == [NONE, NONE]


@pytest.mark.parametrize(("of", "pivot", "at_bound", "beyond"), [
    ("demand", low(10.0, at=0), 8.0, 7.99),
    ("supply", high(10.0, at=0), 12.0, 12.01),
])  # fmt: skip
def test_a_close_beyond_the_far_bound_breaks_it(of: str, pivot: Pivot, at_bound: float, beyond: float) -> None:
    outputs = zone([10.0, 10.0, at_bound, beyond, 10.0], {1: [pivot]}, of=of)

    assert outputs["state"] == [NONE, ACTIVE, ACTIVE, BROKEN, BROKEN]
    assert outputs["version"] == [0.0, 1.0, 1.0, 2.0, 2.0]
    assert outputs["lower"][4] == outputs["lower"][1]
    assert outputs["anchor_idx"][4] == 0.0


def test_the_bar_that_creates_it_cannot_break_it() -> None:
    assert zone([10.0, 7.0, 9.0, 7.0], {1: [low(10.0, at=0)]})["state"] == [NONE, ACTIVE, ACTIVE, BROKEN]


def test_a_newer_swing_replaces_an_active_zone_unbroken() -> None:
    outputs = zone([10.0, 10.0, 7.0], {1: [low(10.0, at=0)], 2: [low(6.5, at=1)]})

    assert outputs["state"] == [NONE, ACTIVE, ACTIVE]
    assert outputs["upper"][2] == 6.5
    assert outputs["version"][2] == 2.0


def test_a_newer_swing_replaces_a_broken_zone() -> None:
    outputs = zone([10.0, 10.0, 7.0, 7.0, 4.0], {1: [low(10.0, at=0)], 3: [low(6.5, at=2)]})

    assert outputs["state"] == [NONE, ACTIVE, BROKEN, ACTIVE, BROKEN]
    assert outputs["anchor_idx"] == [-1.0, 0.0, 0.0, 2.0, 2.0]
    assert outputs["version"] == [0.0, 1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize("absent", [NAN, 0.0])
def test_a_zone_waits_for_an_atr_and_the_one_before_lives_on(absent: float) -> None:
    outputs = zone(
        [10.0, 10.0, 10.0, 7.0, 10.0, 10.0],
        {1: [low(10.0, at=0)], 2: [low(6.0, at=1)]},
        atr=[1.0, 1.0, absent, absent, 0.5, 1.0],
    )

    assert outputs["state"] == [NONE, ACTIVE, ACTIVE, BROKEN, ACTIVE, ACTIVE]
    assert outputs["upper"] == pytest.approx([NAN, 10.0, 10.0, 10.0, 6.0, 6.0], nan_ok=True)
    assert outputs["lower"][4:] == [5.0, 5.0]
    assert outputs["anchor_idx"] == [-1.0, 0.0, 0.0, 0.0, 1.0, 1.0]


def test_a_newer_swing_takes_over_the_wait() -> None:
    outputs = zone([10.0] * 5, {1: [low(9.0, at=0)], 2: [low(8.0, at=1)]}, atr=[NAN, NAN, NAN, 1.0, 1.0])

    assert outputs["state"] == [NONE, NONE, NONE, ACTIVE, ACTIVE]
    assert outputs["upper"][3:] == [8.0, 8.0]
    assert outputs["version"][4] == 1.0
