"""What the zones, levels and breaks declare: outputs by parameters, types, warm-up, bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evenkeel.features.node import Output, OutputType, Param, structure
from evenkeel.features.registry import find_structure
from evenkeel.model.errors import InvariantBroken, UsageError
from reference.drawn import drawn
from reference.wiring import STRUCTURE_PARAMS, alone

FLOAT, INT, BOOL, ENUM = OutputType.FLOAT, OutputType.INT, OutputType.BOOL, OutputType.ENUM

SLOT = {
    "lower": FLOAT, "upper": FLOAT, "state": ENUM, "anchor_idx": INT, "age_bars": INT, "touched_this_bar": BOOL,
    "wick_touched": BOOL, "touch_count": INT, "last_touch_age": INT, "inside": BOOL, "instance_id": INT,
}  # fmt: skip

SPECIFIED: list[tuple[str, dict[str, Any], dict[str, OutputType]]] = [
    (
        "zone",
        {"zone_type": "supply", "width_atr": 1},
        {"state": ENUM, "upper": FLOAT, "lower": FLOAT, "anchor_idx": INT, "version": INT},
    ),
    (
        "fibonacci",
        {"levels": [1.0, 0.618, -0.27]},
        {
            "level_1": FLOAT, "level_0.618": FLOAT, "level_-0.27": FLOAT, "anchor_high": FLOAT, "anchor_low": FLOAT,
            "range": FLOAT, "anchor_direction": ENUM, "anchor_hash": INT, "anchor_trend_direction": INT,
        },
    ),
    (
        "derived_zone",
        {"levels": [0.5], "max_active": 2},
        {
            **{f"zone{slot}_{name}": type_ for slot in range(2) for name, type_ in SLOT.items()},
            "active_count": INT, "any_active": BOOL, "any_touched": BOOL, "any_inside": BOOL,
            "first_active_lower": FLOAT, "first_active_upper": FLOAT, "first_active_idx": INT,
            "newest_active_idx": INT, "closest_active_lower": FLOAT, "closest_active_upper": FLOAT,
            "source_version": INT,
        },
    ),
    ("rolling_window", {"mode": "max", "size": 2}, {"value": FLOAT}),
    (
        "market_structure",
        {},
        {
            "bias": INT, "bos_this_bar": BOOL, "choch_this_bar": BOOL, "bos_direction": ENUM, "choch_direction": ENUM,
            "last_bos_idx": INT, "last_choch_idx": INT, "version": INT, "last_bos_level": FLOAT,
            "last_choch_level": FLOAT, "break_level_high": FLOAT, "break_level_low": FLOAT,
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "params", "outputs"), SPECIFIED)
def test_outputs_and_their_types_are_those_of_the_specification(
    name: str, params: dict[str, Any], outputs: dict[str, OutputType]
) -> None:
    node = find_structure(name)

    assert {output.name: output.type for output in node.outputs_of(node.resolve(params))} == outputs


def test_words_of_outputs_are_those_of_the_specification() -> None:
    slots = find_structure("derived_zone").resolve({"levels": [0.5], "max_active": 2})
    assert find_structure("derived_zone").output("zone1_state", slots).values == ("none", "active", "broken")
    assert find_structure("zone").output("state").values == ("none", "active", "broken")
    assert find_structure("fibonacci").output("anchor_direction").values == ("none", "bullish", "bearish")
    assert find_structure("market_structure").output("choch_direction").values == ("none", "bullish", "bearish")


def test_an_output_is_found_only_with_the_parameters_that_make_it() -> None:
    node = find_structure("fibonacci")
    params = node.resolve({"levels": [0.5]})

    assert node.output("level_0.5", params).type is FLOAT
    with pytest.raises(UsageError, match=r"fibonacci has no output 'level_0.618'; it has .*level_0.5"):
        node.output("level_0.618", params)


@pytest.mark.parametrize(
    ("output", "written"),
    [
        (Output("level_{}", each="levels"), "level[x]"),
        (Output("zone{}_state", each="max_active"), "zone[i].state"),
        (Output("range"), "range"),
    ],
)
def test_a_repeated_output_is_shown_as_a_play_writes_it(output: Output, written: str) -> None:
    assert output.written == written


def test_numbers_in_names_are_short_and_plain() -> None:
    levels = [1.0, 1.50, 1e-7, 0.1 + 0.2, -0.0, 100]

    names = [one.name for one in Output("level_{}", each="levels").expanded({"levels": tuple(map(float, levels))})]

    assert names == [
        "level_1", "level_1.5", "level_0.0000001", "level_0.30000000000000004", "level_0", "level_100",
    ]  # fmt: skip


def test_a_list_reaches_the_kernel_last_behind_its_count() -> None:
    node = find_structure("derived_zone")

    assert node.encode(node.resolve({"levels": [0.5, 1], "max_active": 4})) == [0, 4, 0.2, 1, 0.1, 2, 0.5, 1]
    with pytest.raises(InvariantBroken, match="a list is the last parameter"):
        structure(
            "wrong", summary="", inputs=(), params=(Param("levels", list), Param("more", int)),
            outputs=(Output("value"),), state=lambda _: 0, lookback=lambda _: 0, first=lambda _: {},
            warmup=lambda _: 0, formula="", source="",
        )(lambda p, s, x, r, start, stop: None)  # fmt: skip


WARMUPS: list[tuple[str, dict[str, Any], dict[str, Any], int]] = [
    # parameters, those of the swing below, bars
    ("zone", {"zone_type": "demand", "width_atr": 1}, {"swing.left": 3, "swing.right": 2}, 6),
    ("fibonacci", {"levels": [0.5]}, {"swing.left": 3, "swing.right": 2}, 6),
    ("derived_zone", {"levels": [0.5], "max_active": 1}, {"swing.left": 3, "swing.right": 2}, 7),
    ("market_structure", {}, {"swing.left": 3, "swing.right": 2}, 15),
    ("market_structure", {}, {"swing.left": None, "swing.right": None}, 1),
    ("rolling_window", {"mode": "max", "size": 20}, {}, 20),
    ("rolling_window", {"mode": "max", "size": 20, "exclude_current": True}, {}, 21),
]


@pytest.mark.parametrize(("name", "params", "below", "bars"), WARMUPS)
def test_warm_up_is_that_of_the_specification(
    name: str, params: dict[str, Any], below: dict[str, Any], bars: int
) -> None:
    node = find_structure(name)

    assert node.warmup({**node.resolve(params), **below}) == bars


@pytest.mark.parametrize("name", ["zone", "fibonacci", "derived_zone", "market_structure"])
def test_what_is_declared_for_the_first_bar_is_there_on_the_first_bar(name: str) -> None:
    node, params = find_structure(name), STRUCTURE_PARAMS.get(name, {})
    values = node.resolve(params)

    outputs = alone(node, drawn([1.0], atr=[1.0]), params)

    assert set(node.first(values)) <= {declared.name for declared in node.outputs}
    for declared in node.outputs:
        for one in declared.expanded(values):
            assert np.isnan(outputs[one.name][0]) == (declared.name not in node.first(values)), one.name


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("zone", {"width_atr": 1}, "zone needs the parameter 'zone_type'"),
    ("zone", {"zone_type": "demand"}, "zone needs the parameter 'width_atr'"),
    ("zone", {"zone_type": "demand", "width_atr": 0}, "zone.width_atr is 0; it must be > 0"),
    ("zone", {"zone_type": "up", "width_atr": 1}, "zone.zone_type is 'up'; allowed are demand, supply"),
    ("fibonacci", {}, "fibonacci needs the parameter 'levels'"),
    ("fibonacci", {"levels": []}, "fibonacci.levels has 0 numbers; it must have 1 to 32"),
    ("fibonacci", {"levels": list(range(33))}, "fibonacci.levels has 33 numbers; it must have 1 to 32"),
    ("fibonacci", {"levels": 0.5}, "fibonacci.levels must be a list of numbers, not 0.5"),
    ("fibonacci", {"levels": [True]}, "fibonacci.levels must be a list of numbers, not [True]"),
    ("fibonacci", {"levels": ["0.5"]}, "fibonacci.levels must be a list of numbers, not ['0.5']"),
    ("fibonacci", {"levels": [0.5, 1, 0.5]}, "fibonacci.levels holds 0.5 twice"),
    ("fibonacci", {"levels": [0.0, -0.0]}, "fibonacci.levels holds 0 twice"),
    ("fibonacci", {"levels": [float("nan")]}, "fibonacci.levels holds nan; its numbers must be finite"),
    (
        "fibonacci",
        {"levels": [0.5], "use_trend_anchor": True, "use_paired_anchor": True},
        "fibonacci: use_paired_anchor and use_trend_anchor exclude each other",
    ),
    (
        "fibonacci",
        {"levels": [0.5], "mode": "extension", "use_paired_anchor": False},
        "fibonacci: mode extension needs a direction: use paired or trend anchors, or extension_up or extension_down",
    ),
    ("derived_zone", {"levels": [0.5]}, "derived_zone needs the parameter 'max_active'"),
    (
        "derived_zone",
        {"levels": [0.5], "max_active": 0},
        "derived_zone.max_active is 0; it must be >= 1 and <= 50",
    ),
    (
        "derived_zone",
        {"levels": [0.5], "max_active": 1, "mode": "extension", "use_paired_source": False},
        "derived_zone: mode extension needs a direction: use_paired_source must be true",
    ),
    ("rolling_window", {"size": 3}, "rolling_window needs the parameter 'mode'"),
    ("rolling_window", {"mode": "max"}, "rolling_window needs the parameter 'size'"),
    (
        "rolling_window",
        {"mode": "max", "size": 1, "source": "hl2"},
        "rolling_window.source is 'hl2'; allowed are open, high, low, close, volume",
    ),
]


@pytest.mark.parametrize(("name", "params", "message"), REFUSED)
def test_parameters_that_make_no_sense_are_refused(name: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as refusal:
        find_structure(name).resolve(params)
    assert refusal.value.message == message


def test_paired_anchors_give_way_to_trend_anchors_unless_they_are_asked_for() -> None:
    node = find_structure("fibonacci")

    assert node.resolve({"levels": [0.5], "use_trend_anchor": True})["use_paired_anchor"] is None
    assert node.resolve({"levels": [0.5], "use_trend_anchor": True, "use_paired_anchor": False})


def test_the_size_of_the_state_follows_from_the_parameters_alone() -> None:
    sizes = {
        name: find_structure(name).state(find_structure(name).resolve(params))
        for name, params in {**STRUCTURE_PARAMS, "market_structure": {}}.items()
    }

    assert sizes == {
        "swing": 28, "zone": 8, "fibonacci": 12, "derived_zone": 45, "rolling_window": 24, "market_structure": 14,
    }  # fmt: skip
