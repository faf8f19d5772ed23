"""Warnings: what loads but is probably not meant, each with its place and a remedy, and what is meant without one."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from evenkeel import examples
from evenkeel.data.definitions import Definitions
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.problems import Problem
from evenkeel.strategies.play.ranges import Choice, Range
from watchdog import within

from .play_desk import DOCUMENT, document, entry, load

FIND = Definitions.load().find
EXTRA: dict[str, Any] = {
    "version": "3.0.0", "name": "sample", "symbol": "BTCUSDT",
    "timeframes": {"low_tf": "15m", "med_tf": "1h", "high_tf": "D", "exec": "low_tf"}, "account": {},
    "features": {
        "donchian_5": {"indicator": "donchian", "params": {"lower_length": 5, "upper_length": 5}},
        "donchian_5_1h": {"indicator": "donchian", "tf": "1h", "params": {"lower_length": 5, "upper_length": 5}},
        "kc_20": {"indicator": "kc"}, "willr_14": {"indicator": "willr"}, "atr_14": {"indicator": "atr"},
        "adx_14": {"indicator": "adx"},
    },
    "structures": {
        "exec": [
            {"type": "rolling_window", "key": "top_9", "params": {"mode": "max", "size": 9, "source": "high"}},
            {"type": "rolling_window", "key": "low_close_9", "params": {"mode": "min", "size": 9}},
            {"type": "rolling_window", "key": "before_9",
             "params": {"mode": "max", "size": 9, "source": "high", "exclude_current": True}},
            {"type": "swing", "key": "sw", "params": {"left": 3, "right": 3}},
            {"type": "zone", "key": "zo", "uses": "sw",
             "params": {"zone_type": "demand", "width_atr": 1, "atr_key": "atr_14"}},
        ]
    },
    "position_policy": {"exit_mode": "signal"},
}  # fmt: skip
"""A play on shipped indicators, for those that the small registry of the desk does not have."""


def doubts(condition: Any, **changes: Any) -> list[Problem]:
    """Return the warnings of an entry rule itself."""
    if changes.pop("shipped", False):
        actions = {"entry_long": condition, "exit_all": ["close", ">", 1]}
        text = str({**EXTRA, "actions": actions}).replace("True", "true").replace("None", "null")
        play = load_play(text, instruments=FIND)
    else:
        play = load(entry(condition, **changes))
    return [
        one for one in play.warnings if one.path.startswith(("actions.entry_long", "setups")) and one.kind == "warning"
    ]


def lines(condition: Any, **changes: Any) -> list[str]:
    found = doubts(condition, **changes)
    assert all(one.remedy and one.line and one.column and one.width and one.excerpt for one in found)
    return [one.message for one in found if "never used" not in one.message]


RSI = "rsi_14 is between 0 and 100"
HAIR = "holds, rounding aside"
OWN_BAR = "contains this very bar"
LEAVES: list[tuple[Any, str]] = [
    (["rsi_14", ">", 100], f"this never {HAIR}: {RSI}"),
    (["rsi_14", ">=", 100.5], f"this never holds: {RSI}"),
    (["rsi_14", "<", 0], f"this never {HAIR}: {RSI}"),
    (["rsi_14", ">=", 0], f"this always {HAIR}: {RSI}"),
    (["rsi_14", "<=", 100], f"this always {HAIR}: {RSI}"),
    (["rsi_14", "cross_above", 100], f"this never {HAIR}: {RSI}"),
    (["rsi_14", "cross_above", -5], f"this never holds: {RSI}"),
    ([120, "cross_below", "rsi_14"], f"this never holds: {RSI}"),
    (["rsi_14", "between", [101, 120]], f"this never holds: {RSI}"),
    (["rsi_14", "between", [0, 100]], f"this always {HAIR}: {RSI}"),
    (["rsi_14", "near_abs", 110, 5], f"this never holds: {RSI}"),
    (["rsi_14", "near_pct", 200, 10], f"this never holds: {RSI}"),
    ([["rsi_14", "-", 50], ">", 60], "this never holds: (rsi_14 - 50) is between -50 and 50"),
    ([["rsi_14", "*", 2], "<", -1], "this never holds: (rsi_14 * 2) is between 0 and 200"),
    (["volume", "<", 0], "this never holds: volume is at least 0"),
    (["st_10.direction", ">", 1], "this never holds: st_10.direction is between -1 and 1"),
    (["tr.direction", "==", 2], "this never holds: tr.direction is between -1 and 1"),
    (["tr.direction", "!=", 2], "this always holds: tr.direction is between -1 and 1"),
    (["tr.direction", "in", [1, 2]], "2 is never met: tr.direction is between -1 and 1"),
    (["tr.direction", "in", [3, 2]], "this never holds: tr.direction is between -1 and 1"),
    (["tr.direction", "between", [0.2, 0.8]], "this never holds: tr.direction is between -1 and 1"),
    (["sw.pair_direction", "in", ["none", "bullish", "bearish"]], "this always holds: every value is in the list"),
    (["close", ">", "close"], "this never holds: both sides are the same"),
    (["close", ">=", "close"], "this always holds: both sides are the same"),
    (["ema_20", "cross_above", "ema_20"], "this never holds: both sides are the same"),
    (["close", ">", "high"], "this never holds: the high is the highest price of its bar"),
    (["open", "<", "low"], "this never holds: the low is the lowest price of its bar"),
    (["high", ">=", "low"], "this always holds: the high is the highest price of its bar"),
    (["close", ">", "dc_20.upper"], f"this never holds: dc_20.upper {OWN_BAR}"),
    (["dc_20.upper", "<", "high"], f"this never holds: dc_20.upper {OWN_BAR}"),
    (["close", "cross_below", "dc_20.lower"], f"this never holds: dc_20.lower {OWN_BAR}"),
    (["close", ">=", "dc_20.lower"], f"this always holds: dc_20.lower {OWN_BAR}"),
    ([{"feature_id": "close", "offset": 3}, ">", "dc_20.upper"], f"this never holds: dc_20.upper {OWN_BAR}"),
    (["dc_20.lower", ">", "dc_20.middle"], "this never holds: dc_20.lower is never above dc_20.middle"),
    (["bb_20.upper", ">=", "bb_20.lower"], "this always holds: bb_20.lower is never above bb_20.upper"),
    (["close", "near_pct", "ema_20", 0.01], "0.01 is 0.01 percent, which is very tight"),
]


@pytest.mark.parametrize(("condition", "line"), LEAVES)
def test_a_comparison_that_nobody_writes_on_purpose(condition: Any, line: str) -> None:
    assert lines(condition) == [line]


SHIPPED: list[tuple[Any, str]] = [
    (["high", ">", "top_9.value"], f"this never holds: top_9.value {OWN_BAR}"),
    (["close", "<", "low_close_9.value"], f"this never holds: low_close_9.value {OWN_BAR}"),
    (["willr_14", ">", 0], f"this never {HAIR}: willr_14 is between -100 and 0"),
    (["adx_14.adx", ">=", 101], "this never holds: adx_14.adx is between 0 and 100"),
    (["sw.high_idx", "<", -1], "this never holds: sw.high_idx is at least -1"),
    (["kc_20.upper", "<", "kc_20.basis"], "this never holds: kc_20.basis is never above kc_20.upper"),
    (["willr_14", ">", "adx_14.adxr"],
     f"this never {HAIR}: willr_14 is between -100 and 0 and adx_14.adxr is between 0 and 100"),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "line"), SHIPPED)
def test_a_comparison_of_shipped_indicators_that_nobody_writes_on_purpose(condition: Any, line: str) -> None:
    assert lines(condition, shipped=True) == [line]


MEANT: list[Any] = [
    ["close", ">", {"feature_id": "donchian_5", "field": "upper", "offset": 1}],
    ["high", ">=", "donchian_5.upper"],
    ["close", ">", "donchian_5_1h.upper"],
    [{"feature_id": "close", "offset": 5}, ">", "donchian_5.upper"],
    ["close", ">", {"feature_id": "donchian_5", "field": "lower", "offset": 0}],
    ["low", "<", "low_close_9.value"],
    ["high", ">", "before_9.value"],
    ["close", ">", {"feature_id": "close", "offset": 1}],
    ["high", ">", {"feature_id": "high", "offset": 1}],
    ["adx_14.dmp", ">", 100],
    ["adx_14.adx", ">", 99],
    ["sw.high_idx", ">", -1],
    ["sw.pair_direction", "in", ["bullish", "bearish"]],
    ["zo.state", "!=", "none"],
    ["volume", ">", 0],
    ["willr_14", "cross_above", -100],
    ["atr_14", ">", 0],
    [["adx_14.adx", ">", 25], ["adx_14.adx", "<", 40]],
    {"any": [["adx_14.adx", ">", 40], ["adx_14.adx", "<", 25]]},
    [["close", ">=", "open"], ["close", "<=", "open"]],
    {"any": [["close", ">", "open"], ["close", "<", "open"]]},
    [["adx_14.adx", ">", 25], {"occurred_within": {"bars": 5, "expr": ["adx_14.adx", "<", 20]}}],
]


@pytest.mark.parametrize("condition", MEANT)
def test_what_is_meant_is_no_warning(condition: Any) -> None:
    assert lines(condition, shipped=True) == []


UP, DOWN = ["close", ">", "ema_20"], ["close", "<", "ema_20"]
LISTS: list[tuple[Any, str, str]] = [
    ([["rsi_14", "<", 30], ["rsi_14", ">", 70]], "[1]", "`rsi_14 > 70` and `rsi_14 < 30` never hold together"),
    ({"all": [["rsi_14", "<", 30], ["rsi_14", ">=", 30]]}, ".all[1]",
     "`rsi_14 >= 30` and `rsi_14 < 30` never hold together"),
    ([UP, DOWN], "[1]", "`close < ema_20` and `close > ema_20` never hold together"),
    ([UP, ["ema_20", ">=", "close"]], "[1]", "`ema_20 >= close` and `close > ema_20` never hold together"),
    ([UP, {"not": UP}], "[1]", "`not close > ema_20` and `close > ema_20` never hold together"),
    ([["close", "cross_above", "ema_20"], DOWN], "[1]",
     "`close < ema_20` and `close cross_above ema_20` never hold together"),
    ([["rsi_14", "between", [20, 30]], ["rsi_14", "between", [40, 50]]], "[1]",
     "`rsi_14 between 40 and 50` and `rsi_14 between 20 and 30` never hold together"),
    ([["sw.pair_direction", "==", "bullish"], ["sw.pair_direction", "==", "bearish"]], "[1]",
     "`sw.pair_direction == bearish` and `sw.pair_direction == bullish` never hold together"),
    ([["sw.pair_direction", "in", ["bullish", "none"]], ["sw.pair_direction", "==", "bearish"]], "[1]",
     "`sw.pair_direction == bearish` and `sw.pair_direction in bullish, none` never hold together"),
    ([["sw.high_accepted", "==", True], ["sw.high_accepted", "==", False]], "[1]",
     "`sw.high_accepted == false` and `sw.high_accepted == true` never hold together"),
    ([["tr.direction", ">", 0], ["tr.direction", "<", 1]], "[1]",
     "`tr.direction < 1` and `tr.direction > 0` never hold together"),
    ([["rsi_14", "<", 30], {"holds_for": {"bars": 3, "expr": ["rsi_14", ">", 50]}}], "[1]",
     "`rsi_14 > 50` and `rsi_14 < 30` never hold together"),
    ([["rsi_14", "<", 30], {"not": {"occurred_within": {"bars": 3, "expr": ["rsi_14", "<", 40]}}}], "[1]",
     "`not rsi_14 < 40` and `rsi_14 < 30` never hold together"),
    ([["rsi_14", "<", 30], {"all": [UP, ["rsi_14", ">", 70]]}], "[1]",
     "`rsi_14 > 70` and `rsi_14 < 30` never hold together"),
    ({"any": [["rsi_14", "<", 50], ["rsi_14", ">", 40]]}, ".any[1]",
     "one of `rsi_14 > 40` and `rsi_14 < 50` always holds"),
    ({"any": [UP, ["close", "<=", "ema_20"]]}, ".any[1]", "one of `close <= ema_20` and `close > ema_20` always holds"),
    ({"any": [["tr.direction", "==", 1], ["tr.direction", "!=", 1]]}, ".any[1]",
     "one of `tr.direction != 1` and `tr.direction == 1` always holds"),
    ({"not": [["rsi_14", "<", 30], ["rsi_14", ">", 70]]}, ".not[1]",
     "`rsi_14 > 70` and `rsi_14 < 30` never hold together"),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "place", "line"), LISTS)
def test_a_list_that_contradicts_itself_or_leaves_nothing_out(condition: Any, place: str, line: str) -> None:
    (found,) = doubts(condition)
    assert (found.path, found.message) == (f"actions.entry_long{place}", line)
    assert found.remedy
    assert found.line


def test_setups_count_as_if_they_were_spelled_out() -> None:
    setups = {"low": ["rsi_14", "<", 30], "high": {"all": [UP, ["rsi_14", ">", 70]]}}
    (found,) = doubts([{"setup": "low"}, {"setup": "high"}], setups=setups)
    assert (found.path, found.message) == (
        "actions.entry_long[1]", "`rsi_14 > 70` and `rsi_14 < 30` never hold together",
    )  # fmt: skip


def test_setups_of_setups_are_looked_at_once() -> None:
    setups: dict[str, Any] = {"s0": [["rsi_14", ">", 50], ["close", ">", "open"]]}
    setups |= {f"s{i}": {"all": [{"setup": f"s{i - 1}"}] * 3} for i in range(1, 30)}
    with within(30):
        (found,) = doubts([{"setup": "s29"}, ["rsi_14", "<", 40]], setups=setups)
    assert "`rsi_14 < 40` and `rsi_14 > 50` never hold together" in found.message


def test_every_warning_has_a_place_its_text_and_a_remedy(tmp_path: Path) -> None:
    """One play with one of each kind of warning."""
    play: dict[str, Any] = copy.deepcopy(DOCUMENT)
    play["variables"] = {"spare": 1}
    play["setups"] = {"idle": ["close", ">", "open"]}
    play["features"]["average"] = {"indicator": "ema"}
    play["features"]["vwap_0"] = {"indicator": "vwap", "params": {"anchor": "none"}}
    play["actions"] = {
        "entry_long": [["rsi_14", ">", 100], ["close", "near_pct", "average", 0.01], UP, DOWN],
        "exit_short": UP,
    }
    play["position_policy"] = {"mode": "long_only", "exit_mode": "first_hit"}
    found = load(play).warnings
    kinds = {
        "variables.spare": "is never used", "setups.idle": "is never used", "features.dc_20": "is never used",
        "features.average": "hides its parameters", "features.vwap_0": "depends on the first bar fed",
        "actions.entry_long[0]": "this never holds", "actions.entry_long[1][3]": "very tight",
        "actions.entry_long[3]": "never hold together", "actions.exit_short": "never happens",
        "structures.exec[1].key": "is never used",
    }  # fmt: skip
    for path, words in kinds.items():
        (one,) = [problem for problem in found if problem.path == path and words in problem.message]
        assert one.kind == "warning"
    for one in found:
        assert one.line, one
        assert one.column, one
        assert one.remedy, one
        assert one.excerpt[one.column - 1 : one.column - 1 + one.width].strip(), one


@pytest.mark.parametrize("name", examples.names())
def test_shipped_examples_have_no_warning(name: str) -> None:
    assert load_play(examples.find(name), instruments=FIND).warnings == ()


RANGES: list[tuple[Range, Range, bool]] = [
    (Range(0, 5), Range(0, 10), True),
    (Range(0, 10), Range(0, 5), False),
    (Range(0, 5, high_open=True), Range(0, 5), True),
    (Range(0, 5), Range(0, 5, high_open=True), False),
    (Range(low=3, low_open=True), Range(low=3), True),
    (Range(low=3), Range(low=3, low_open=True), False),
    (Range(5, 4), Range(0, 1), True),
]


@pytest.mark.parametrize(("inner", "outer", "lies_in"), RANGES)
def test_ranges_lie_in_each_other(inner: Range, outer: Range, lies_in: bool) -> None:
    assert inner.lies_in(outer) is lies_in


def test_whole_numbers_of_a_range() -> None:
    assert Range(0, 1, low_open=True, high_open=True).whole_numbers().is_empty
    assert Range(0.2, 3.9).whole_numbers() == Range(1, 3)
    assert Range(0, 1).whole_numbers() == Range(0, 1)
    assert Range(low=0, low_open=True).whole_numbers() == Range(low=1)


def test_choices() -> None:
    one, both = Choice(frozenset({"a"})), Choice(frozenset({"a", "b"}))
    without = Choice(frozenset({"a"}), excluded=True)
    assert one.lies_in(both)
    assert not both.lies_in(one)
    assert one.common(without).is_empty
    assert both.common(without) == Choice(frozenset({"b"}))
    assert Choice(frozenset({"b"})).lies_in(without)
    assert without.common(Choice(frozenset({"b"}), excluded=True)) == Choice(frozenset({"a", "b"}), excluded=True)


def test_a_play_without_any_doubt_has_no_warning() -> None:
    play = document(features={name: DOCUMENT["features"][name] for name in ("ema_20",)}, structures=None)
    assert load(play).warnings == ()
