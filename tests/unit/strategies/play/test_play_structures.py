"""Structures in plays, with the registry that ships: what they read, and outputs whose number parameters decide."""

from __future__ import annotations

from typing import Any

import pytest

from evenkeel.strategies.play.expression import Compare, FeatureRef
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.play import Play
from evenkeel.strategies.play.problems import PlayErrors, render
from evenkeel.strategies.play.program import PlayStrategy

from .play_desk import document, find_instrument, text_of

SWING = {"type": "swing", "key": "sw", "params": {"left": 3, "right": 2}}
TREND = {"type": "trend", "key": "tr", "uses": "sw"}
FIB = {"type": "fibonacci", "key": "fib", "uses": "sw", "params": {"levels": [0.5, 0.618, 1.0]}}
POCKET = {"type": "derived_zone", "key": "pocket", "uses": "sw", "params": {"levels": [0.618], "max_active": 2}}
ZONE = {
    "type": "zone", "key": "dz", "uses": "sw", "params": {"zone_type": "demand", "width_atr": 1, "atr_key": "atr_14"},
}  # fmt: skip
WINDOW = {"type": "rolling_window", "key": "top", "params": {"mode": "max", "size": 20}}
BREAKS = {"type": "market_structure", "key": "ms", "uses": "sw"}


def play_with(*structures: dict[str, Any], entry: Any = ("close", ">", "ema_20"), **changes: Any) -> dict[str, Any]:
    return document(structures={"exec": list(structures)}, actions={"entry_long": list(entry)}, **changes)


def load(values: dict[str, Any]) -> Play:
    return load_play(text_of(values), instruments=find_instrument)


def refused(values: dict[str, Any]) -> list[str]:
    """Return what is wrong, with line and column."""
    with pytest.raises(PlayErrors) as failed:
        load(values)
    return [render(problem) for problem in failed.value.problems if problem.kind != "warning"]


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        (["close", ">", "fib.level[0.618]"], "level_0.618"),
        (["close", ">", "fib.level[0.5000]"], "level_0.5"),
        (["close", ">", "fib.level[1]"], "level_1"),
        (["close", ">", {"feature_id": "fib", "field": "level_1", "offset": 2}], "level_1"),
        (["close", ">", "pocket.zone[1].upper"], "zone1_upper"),
        (["close", ">", "pocket.zone0_lower"], "zone0_lower"),
        (["close", ">", "top"], "value"),
        (["close", ">", "ms.break_level_high"], "break_level_high"),
    ],
)
def test_an_output_is_named_with_brackets_or_as_it_is_stored(entry: list[Any], field: str) -> None:
    play = load(play_with(SWING, FIB, POCKET, WINDOW, BREAKS, entry=entry))

    (case,) = play.actions[0].cases
    assert isinstance(case.when, Compare)
    assert isinstance(case.when.right, FeatureRef)
    assert case.when.right.field == field


@pytest.mark.parametrize(
    "entry",
    [
        ["pocket.zone[0].state", "==", "broken"],
        ["pocket.zone[0].inside", "==", True],
        ["pocket.zone[0].touch_count", "in", [1, 2]],
        ["fib.anchor_direction", "!=", "bearish"],
        ["dz.state", "in", ["active", "BROKEN"]],
        ["ms.bos_direction", "==", "bullish"],
        ["ms.bias", "==", -1],
    ],
)
def test_outputs_compare_by_their_declared_types(entry: list[Any]) -> None:
    PlayStrategy(load(play_with(SWING, FIB, POCKET, ZONE, BREAKS, entry=entry)))


WRONG: list[tuple[list[dict[str, Any]], Any, str]] = [
    # structures, entry, part of the only problem
    ([SWING, FIB], ["close", ">", "fib.level[0.786]"], "'fib' has no output 'level_0.786'; did you mean 'level_0."),
    ([SWING, POCKET], ["close", ">", "pocket.zone[2].upper"], "'pocket' has no output 'zone2_upper'; did you mean"),
    ([SWING, POCKET], ["pocket.zone[0].state", "==", "closed"], "'closed'"),
    ([{**ZONE, "uses": []}], None, "structures.exec[0]: zone 'dz' needs a swing; add `uses:` with the key of a swing"),
    (
        [SWING, {**ZONE, "params": {"zone_type": "demand", "width_atr": 1}}],
        None,
        "structures.exec[1]: zone 'dz' needs an ATR but names none; add `atr_key` with an atr feature",
    ),
    (
        [SWING, {**ZONE, "params": {"zone_type": "demand", "width_atr": 1, "atr_key": None}}],
        None,
        "structures.exec[1]: zone 'dz' needs an ATR but names none",
    ),
    (
        [SWING, {**ZONE, "params": {"zone_type": "demand", "width_atr": 1, "atr_key": "atr_15"}}],
        None,
        "structures.exec[1].params.atr_key: there is no feature 'atr_15'; did you mean 'atr_14'?",
    ),
    (
        [{"type": "swing", "key": "sw", "params": {"mode": "atr_zigzag"}}],
        None,
        "structures.exec[0]: 'sw' finds pivots by ATR but names none; add `atr_key` with an atr feature",
    ),
    (
        [SWING, {**FIB, "params": {"levels": [0.5], "use_trend_anchor": True}}],
        None,
        "structures.exec[1]: fibonacci 'fib' needs a trend; add `uses:` with the key of a trend above it",
    ),
    ([SWING, {**SWING, "key": "s2"}, {**FIB, "uses": ["sw", "s2"]}], None, "uses[1]: fibonacci 'fib' reads one swing"),
    ([SWING, TREND, {**BREAKS, "uses": ["sw", "tr"]}], None, "market_structure does not read a trend; it reads swing"),
    ([SWING, {**FIB, "params": {"levels": []}}], None, "levels: levels has 0 numbers; it must have 1 to 32"),
    ([SWING, {**FIB, "params": {"levels": 0.5}}], None, "levels: '0.5' is not a list of numbers"),
    ([SWING, {**FIB, "params": {"levels": [0.5, "x"]}}], None, "levels: '[0.5, 'x']' is not a list of numbers"),
    ([SWING, {**FIB, "params": {"levels": [0.5, 0.50]}}], None, "levels: levels holds 0.5 twice"),
    ([SWING, {**FIB, "params": {}}], None, "levels: the parameter 'levels' is missing; add `levels: …`"),
    ([{**WINDOW, "params": {"mode": "max"}}], None, "params.size: the parameter 'size' is missing"),
]


@pytest.mark.parametrize(("structures", "entry", "line"), WRONG)
def test_a_wrong_structure_is_refused_once_and_with_its_place(
    structures: list[dict[str, Any]], entry: Any, line: str
) -> None:
    (found,) = refused(play_with(*structures, entry=entry or ("close", ">", "ema_20")))

    assert line in found
    assert found.startswith("<text>:")


def test_levels_written_with_or_without_a_point_are_one_play() -> None:
    def hash_with(levels: list[float]) -> str:
        return load(play_with(SWING, {**FIB, "params": {"levels": levels}})).hash

    assert hash_with([1, 0.5]) == hash_with([1.0, 0.50])
    assert hash_with([1, 0.5]) != hash_with([0.5, 1])


def test_nothing_is_said_about_outputs_of_a_structure_whose_parameters_are_wrong() -> None:
    wrong = {**FIB, "params": {"levels": [0.5], "mod": 1}}

    (found,) = refused(play_with(SWING, wrong, entry=["close", ">", "fib.level[0.5]"]))

    assert "fibonacci has no parameter 'mod'; did you mean 'mode'?" in found


def test_a_stop_may_lie_at_a_level_that_parameters_make() -> None:
    stop = {"type": "structure", "structure_key": "fib", "field": "level_0.618", "value": 1.0}
    risk = {
        "stop_loss": stop, "take_profit": {"type": "rr_ratio", "value": 2.0},
        "sizing": {"model": "fixed_quantity", "value": 1.0},
    }  # fmt: skip
    values = play_with(SWING, FIB, risk=None, risk_model=risk, position_policy={"exit_mode": "sl_tp_only"})

    PlayStrategy(load(values))
    stop["field"] = "level_0.62"
    (found,) = refused(values)
    assert "'fib' has no level 'level_0.62'; did you mean 'level_0.618'?" in found


def test_each_timeframe_warms_up_by_the_swing_that_its_structures_read() -> None:
    slow = {"type": "swing", "key": "sl", "params": {"left": 9, "right": 1}}
    values = document(
        structures={"exec": [SWING, BREAKS], "med_tf": [slow, {**POCKET, "key": "dd", "uses": "sl"}]},
        actions={"entry_long": [["ms.bias", "==", 1], ["dd.any_active", "==", True]]},
    )

    warmup = {str(timeframe): bars for timeframe, bars in PlayStrategy(load(values)).program.warmup.items()}

    assert warmup == {"15m": 3 * (3 + 2), "1h": 9 + 1 + 2}
