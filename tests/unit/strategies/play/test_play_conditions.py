"""The condition language: what each form means and what each rule of types refuses."""

from __future__ import annotations

from typing import Any

import pytest

from evenkeel.model.time import Timeframe
from evenkeel.strategies.play.expression import (
    All,
    Any_,
    Arithmetic,
    Builtin,
    Compare,
    Condition,
    FeatureRef,
    Literal,
    Not,
    SetupRef,
    Window,
)

from .play_desk import entry, load, told

CLOSE = Builtin("close")
EMA = FeatureRef("ema_20", "value")


def condition(value: Any, **changes: Any) -> Condition:
    when = load(entry(value, **changes)).actions[0].cases[0].when
    assert when is not None
    return when


def window_of(document: dict[str, Any]) -> Window:
    found = load(document).actions[0].cases[0].when
    assert isinstance(found, Window)
    return found


def compared(value: Any) -> Compare:
    found = condition(value)
    assert isinstance(found, Compare)
    return found


@pytest.mark.parametrize("op", [">", "<", ">=", "<=", "cross_above", "cross_below"])
def test_a_list_of_three_compares_two_numbers(op: str) -> None:
    found = compared(["close", op, "ema_20"])
    assert (found.op, found.left, found.right) == (op, CLOSE, EMA)
    assert found.path == "actions.entry_long"


def test_the_verbose_form_is_the_same() -> None:
    short = compared(["close", ">", "ema_20"])
    assert compared({"lhs": "close", "op": ">", "rhs": "ema_20"}) == short
    assert compared({"lhs": "close", "op": ">", "rhs": {"feature_id": "ema_20"}}) == short


def test_an_output_without_a_name_is_the_primary_one() -> None:
    assert compared(["bb_20", ">", "dc_20"]).left == FeatureRef("bb_20", "middle")
    assert compared([{"feature_id": "bb_20", "offset": 2}, ">", 1]).left == FeatureRef("bb_20", "middle", 2)


def test_outputs_are_named_by_dot_or_field() -> None:
    upper = FeatureRef("bb_20", "upper", 1)
    assert compared(["close", ">", {"feature_id": "bb_20", "field": "upper", "offset": 1}]).right == upper
    assert compared(["close", ">", {"feature_id": "bb_20.upper", "offset": 1}]).right == upper
    assert compared(["close", ">", {"feature_id": "close", "offset": 3}]).right == Builtin("close", 3)


def test_arithmetic_nests_in_both_forms_and_knows_whole_numbers() -> None:
    found = compared([["close", "-", {"*": ["atr_14", 2]}], ">", "ema_20"])
    atr = FeatureRef("atr_14", "value")
    assert found.left == Arithmetic("-", CLOSE, Arithmetic("*", atr, Literal(2), "FLOAT"), "FLOAT")
    whole = compared([["tr.direction", "+", "st_10.direction"], "==", 2])
    assert isinstance(whole.left, Arithmetic)
    assert whole.left.value_type == "INT"


@pytest.mark.parametrize(
    ("written", "number"),
    [([1, "+", 2], 3), ([7, "/", 2], 3.5), ({"%": [-7, 3]}, 2), ([[2, "*", 3], "-", 0.5], 5.5), ([4, "/", 2], 2.0)],
)
def test_arithmetic_of_numbers_is_worked_out_and_whole_ones_stay_whole(written: Any, number: float) -> None:
    found = compared(["close", ">", written]).right
    assert found == Literal(number)
    assert isinstance(found, Literal)
    assert type(found.value) is type(number)


def test_near_takes_its_tolerance_as_units_or_as_a_fraction() -> None:
    assert compared(["close", "near_abs", "ema_20", 0.5]).tolerance == 0.5
    assert compared(["close", "near_pct", "ema_20", 3]).tolerance == 0.03
    assert compared({"lhs": "close", "op": "near_pct", "rhs": "ema_20", "tolerance": 3}).tolerance == 0.03


@pytest.mark.parametrize("ends", [[20, "bb_20.upper"], {"low": 20, "high": "bb_20.upper"}])
def test_between_takes_two_ends(ends: Any) -> None:
    found = compared(["rsi_14", "between", ends])
    assert (found.low, found.high) == (Literal(20), FeatureRef("bb_20", "upper"))


def test_discrete_values_take_the_type_of_the_left_side() -> None:
    assert compared(["tr.direction", "==", 1.0]).right == Literal(1)
    assert compared(["sw.high_accepted", "==", 1]).right == Literal(True)
    assert compared(["sw.high_accepted", "!=", False]).right == Literal(False)
    assert compared(["tr.last_wave_direction", "==", "BULLISH"]).right == Literal("bullish")
    assert compared(["tr.direction", "in", [-1, 0]]).choices == (Literal(-1), Literal(0))
    assert compared(["sw.high_accepted", "in", [0, True]]).choices == (Literal(False), Literal(True))
    assert compared(["tr.direction", "==", "st_10.direction"]).right == FeatureRef("st_10", "direction")


def test_t28_words_have_no_case_in_lists_either() -> None:
    found = compared(["tr.last_wave_direction", "in", ["Bullish", "NONE"]])
    assert found.choices == (Literal("bullish"), Literal("none"))


def test_enums_with_words_in_common_compare() -> None:
    found = compared(["sw.pair_direction", "==", "tr.last_wave_direction"])
    assert found.right == FeatureRef("tr", "last_wave_direction")


def test_the_tree_of_conditions() -> None:
    above, below = ["close", ">", "ema_20"], ["close", "<", "ema_50_1h"]
    found = condition({"any": [above, {"not": [below]}, [above, below]]})
    assert isinstance(found, Any_)
    first, second, third = found.children
    assert isinstance(first, Compare)
    assert isinstance(second, Not)
    assert isinstance(second.child, Compare)
    assert isinstance(third, All)
    assert len(third.children) == 2


def test_setups_are_named_conditions_in_reading_order() -> None:
    setups = {"b": {"all": [{"setup": "a"}, ["rsi_14", "<", 40]]}, "a": ["close", ">", "ema_20"]}
    play = load(entry({"setup": "b"}, setups=setups))
    assert list(play.setups) == ["a", "b"]
    assert play.actions[0].cases[0].when == SetupRef("b", "actions.entry_long.setup")


def test_windows_in_all_six_forms() -> None:
    above = ["close", ">", "ema_20"]
    bars = condition({"count_true": {"bars": 10, "min_true": 4, "expr": above, "anchor_tf": "1h"}})
    assert isinstance(bars, Window)
    assert (bars.kind, bars.bars, bars.min_true, bars.anchor_tf) == ("count_true", 10, 4, Timeframe.parse("1h"))
    for kind in ("holds_for", "occurred_within"):
        found = condition({f"{kind}_duration": {"duration": "2H", "expr": [above]}})
        assert isinstance(found, Window)
        assert (found.kind, found.bars, found.duration_minutes, found.anchor_tf) == (kind, 8, 120, None)
    counted = condition({"count_true_duration": {"duration": "1d", "min_true": 96, "expr": above}})
    assert isinstance(counted, Window)
    assert counted.bars == 96


def test_windows_nest() -> None:
    inner = {"occurred_within": {"bars": 5, "expr": ["rsi_14", "<", 30]}}
    found = condition({"holds_for": {"bars": 3, "expr": inner}})
    assert isinstance(found, Window)
    assert isinstance(found.expr, Window)


def test_last_price_is_the_price_at_the_decision() -> None:
    assert compared(["last_price", ">", "ema_20"]).left == Builtin("last_price")


ABOVE = ["close", ">", "ema_20"]
WRONG = [
    (["clse", ">", "ema_20"], "entry_long[0]: 'clse' is not declared; did you mean 'close'?"),
    (["close", ">", "ema_21"], "entry_long[2]: 'ema_21' is not declared; did you mean 'ema_20'?"),
    (["close", ">", "bb_20.uper"], "'bb_20' has no output 'uper'; did you mean 'upper'?"),
    (["close", ">", "close.x"], "'close' has no outputs"),
    (["close", "=>", "ema_20"], "entry_long[1]: '=>' is not an operator; did you mean '>='?"),
    (["close", "crosses_above", "ema_20"], "did you mean 'cross_above'?"),
    (["close", "-", "ema_20"], "`-` makes a number, not a condition"),
    (["close", ">"], "a condition with `>` has 3 parts, not 2"),
    (["close", "near_pct", "ema_20"], "a condition with `near_pct` has 4 parts, not 3"),
    (["close", 5, "ema_20"], "the second part of a condition is its operator"),
    ([50, ">", "rsi_14"], "a constant may stand on the right only"),
    (["close", ">", True], "'True' is BOOL; `>` takes numbers"),
    (["sw.high_accepted", ">", 0], "'sw.high_accepted' is BOOL; `>` takes numbers"),
    (["tr.last_wave_direction", "cross_above", 0], "is ENUM; `cross_above` takes numbers"),
    (["rsi_14", "==", 50], "'rsi_14.value' is FLOAT; `==` compares whole numbers and words; use near_abs"),
    (["close", "!=", "open"], "'close' is FLOAT; `!=` compares whole numbers"),
    (["tr.direction", "==", "close"], "'close' is not declared, and 'tr.direction' is INT"),
    (["tr.direction", "==", "ema_20"], "'ema_20.value' is FLOAT; `==` compares"),
    (["tr.direction", "==", 1.5], "'tr.direction' is INT; it never equals 1.5"),
    (["tr.direction", "==", True], "'tr.direction' is INT; it never equals true"),
    (["sw.high_accepted", "==", 2], "'sw.high_accepted' is BOOL; it never equals 2"),
    (["sw.high_accepted", "==", "yes"], "'yes' is not declared, and 'sw.high_accepted' is BOOL; write true or false"),
    (
        ["tr.last_wave_direction", "==", "up"],
        "'up' is not a value of 'tr.last_wave_direction'; values are none, bullish",
    ),
    (["tr.last_wave_direction", "==", 1], "'tr.last_wave_direction' is ENUM; it never equals 1"),
    (["sw.last_confirmed_pivot_type", "==", "tr.strength"], "they cannot be compared"),
    (["rsi_14", "in", [1, 2]], "'rsi_14.value' is FLOAT; `in` compares whole numbers and words"),
    (["tr.direction", "in", []], "an empty list is never met"),
    (["tr.direction", "in", 1], "`in` takes a list"),
    (["tr.direction", "in", [1, "st_10.direction"]], "`in` takes constants only"),
    (["rsi_14", "between", [70, 30]], "entry_long[2]: low is 70, above high 30; swap them"),
    (["rsi_14", "between", [70]], "`between` takes two ends"),
    (["sw.high_accepted", "between", [0, 1]], "is BOOL; `between` takes numbers"),
    (["close", "near_abs", "ema_20", -1], "entry_long[3]: the tolerance must be a number, 0 or more"),
    (["close", "near_abs", "ema_20", "x"], "the tolerance must be a number, 0 or more"),
    ({"lhs": "close", "op": ">", "rhs": "open", "tolerance": 1}, "`>` takes no tolerance"),
    ({"lhs": "close", "op": "near_abs", "rhs": "open"}, "`near_abs` needs a tolerance"),
    ({"lhs": "close", "op": ">"}, "`rhs` is missing"),
    ({"lhs": "close", "op": ">", "rsh": 1}, "unknown key 'rsh'; did you mean 'rhs'?"),
    ([["tr.direction", "+", "sw.high_accepted"], ">", 1], "'sw.high_accepted' is BOOL; `+` takes numbers"),
    ([["close", "/", 0], ">", 1], "division by zero is always missing"),
    ([[1, "+", 2], "<", "close"], "a constant may stand on the right only"),
    (["close", ">", [[1e300, "*", 2], "*", 1e300]], "the result of `*` is too large to be a number"),
    (["close", ">", [3, "%", 0]], "division by zero is always missing"),
    (["sw.high_accepted", "==", 1.0], "'sw.high_accepted' is BOOL; it never equals 1.0"),
    (["close", ">", {"+": [1]}], "`+` takes a list of two operands"),
    (["close", ">", {"feature_id": "ema_20", "ofset": 1}], "unknown key 'ofset' in an operand; did you mean 'offset'?"),
    (["close", ">", {"feature_id": "ema_20", "offset": -1}], "`offset` must be a whole number of bars back"),
    (["close", ">", {"feature_id": "ema_20", "offset": 1001}], "`offset` must be a whole number of bars back"),
    (["close", ">", {"feature_id": "bb_20.upper", "field": "lower"}], "names an output, and `field` names another"),
    (["close", ">", None], "an empty value is not an operand"),
    (["close", ">", float("nan")], "a number must be finite"),
    (["close", "<", 10**400], "a number must be finite"),
    ([1, "cross_above", 2], "both sides are constants"),
    ([], "it is an empty list"),
    ({"all": []}, "entry_long.all: it is an empty list"),
    ({"all": {"setup": "x"}}, "entry_long.all: it must be a list of conditions"),
    ({}, "an empty map is not a condition"),
    ({"al": [ABOVE]}, "unknown key 'al'; did you mean 'all'?"),
    ({"all": [ABOVE], "any": [ABOVE]}, "'all' must stand alone"),
    ({"setup": "nope"}, "entry_long.setup: there is no setup 'nope'"),
    ("close", "'close' is not a condition"),
    (None, "an empty value is not a condition"),
    ({"holds_for": {"bars": 0, "expr": ABOVE}}, "`bars` must be a whole number; write 1 to 500"),
    ({"holds_for": {"bars": 501, "expr": ABOVE}}, "`bars` must be a whole number; write 1 to 500"),
    ({"holds_for": {"expr": ABOVE}}, "`bars` is missing"),
    ({"holds_for": {"bars": 3}}, "`expr` is missing"),
    ({"holds_for": {"bars": 3, "expr": ABOVE, "min_true": 2}}, "`holds_for` has no key 'min_true'"),
    ({"holds_for": [3, ABOVE]}, "`holds_for` takes a map"),
    (
        {"count_true": {"bars": 3, "min_true": 4, "expr": ABOVE}},
        "`min_true` must be a whole number, at most the number",
    ),
    ({"count_true": {"bars": 3, "expr": ABOVE}}, "`min_true` is missing"),
    ({"holds_for_duration": {"duration": "25h", "expr": ABOVE}}, "`duration` must lie between 1 minute and 24 hours"),
    ({"holds_for_duration": {"duration": "6 h", "expr": ABOVE}}, "`duration` must lie between 1 minute and 24 hours"),
    (
        {"holds_for_duration": {"duration": "20m", "expr": ABOVE}},
        "20 minutes are not 1 to 500 samples of 15m, execution bars",
    ),
    (
        {"holds_for_duration": {"duration": "9h", "expr": ["last_price", ">", "ema_20"]}},
        "540 minutes are not 1 to 500 samples of 1m, the minutes of `last_price` and `mark_price`",
    ),
    ({"holds_for": {"bars": 3, "anchor_tf": "4h", "expr": ABOVE}}, "'4h' is not a timeframe of this play"),
]


@pytest.mark.parametrize(("value", "line"), WRONG)
def test_a_wrong_condition_is_refused_once(value: Any, line: str) -> None:
    found = told(entry(value))
    assert len(found) == 1, found
    assert line in found[0]


@pytest.mark.parametrize("value", [
    ["mark_price", ">", "close"],
    [{"feature_id": "mark_price", "offset": 3}, ">", {"feature_id": "last_price", "offset": 2}],
    ["bar_high", ">", "close"],
    ["funding_rate", ">", 0],
    [{"feature_id": "open_interest", "offset": 1}, "<", "open_interest"],
    {"holds_for": {"bars": 3, "expr": ["last_price", ">", "ema_20"]}},
    ["last_price", "cross_above", "ema_20"],
    {"holds_for": {"bars": 3, "anchor_tf": "D", "expr": ["close", ">", "open"]}},
])  # fmt: skip
def test_every_built_in_and_every_grid_can_be_asked_for(value: Any) -> None:
    assert told(entry(value)) == []


@pytest.mark.parametrize(("anchor", "exec_tf"), [("3m", "high_tf"), ("5m", "low_tf"), ("1h", "med_tf")])
def test_an_anchor_may_be_finer_slower_or_no_multiple(anchor: str, exec_tf: str) -> None:
    timeframes = {"low_tf": "3m", "med_tf": "5m", "high_tf": "1h", "exec": exec_tf}
    window = {"holds_for": {"bars": 3, "anchor_tf": anchor, "expr": ["close", ">", "open"]}}
    assert told(entry(window, timeframes=timeframes)) == []


def test_a_setup_has_a_name() -> None:
    (found,) = told(entry(["close", ">", "open"], setups={"a b": ["close", ">", "open"]}))
    assert "'a b' is not a name" in found


@pytest.mark.parametrize("price", ["last_price", "mark_price", {"feature_id": "last_price", "offset": 1}])
def test_t6_a_duration_counts_minutes_where_a_price_of_the_minute_is_read_through_setups_too(price: Any) -> None:
    setups = {"deep": [[price, "-", 1], ">", "ema_20"], "deeper": {"not": {"setup": "deep"}}}
    inside = {"any": [["close", ">", "open"], {"setup": "deeper"}]}

    minutes = window_of(entry({"holds_for_duration": {"duration": "2h", "expr": inside}}, setups=setups))
    bars = window_of(entry({"holds_for_duration": {"duration": "2h", "expr": ["close", ">", "open"]}}))

    assert (minutes.bars, str(minutes.anchor_tf)) == (120, "1m")
    assert (bars.bars, bars.anchor_tf) == (8, None)


def test_a_circle_of_setups_in_a_duration_is_told_and_no_endless_walk() -> None:
    setups = {"a": {"setup": "b"}, "b": {"setup": "a"}}
    found = told(entry({"holds_for_duration": {"duration": "2h", "expr": {"setup": "a"}}}, setups=setups))
    assert found == ["setups.a: setups refer to each other in a circle: a -> b -> a"]


def test_a_circle_of_setups_is_refused() -> None:
    setups = {"a": {"setup": "b"}, "b": {"all": [["close", ">", "open"], {"setup": "c"}]}, "c": {"setup": "a"}}
    assert told(entry({"setup": "a"}, setups=setups)) == [
        "setups.a: setups refer to each other in a circle: a -> b -> c -> a"
    ]


def test_a_long_chain_of_setups_is_refused() -> None:
    setups: dict[str, Any] = {"s0": ["close", ">", "open"]}
    setups |= {f"s{i}": {"setup": f"s{i - 1}"} for i in range(1, 40)}
    (found,) = told(entry({"setup": "s39"}, setups=setups))
    assert "setups refer to setups more than 32 deep" in found


def test_setups_that_refer_to_setups_many_times_are_read_quickly() -> None:
    setups: dict[str, Any] = {"s0": ["close", ">", "open"]}
    setups |= {f"s{i}": {"all": [{"setup": f"s{i - 1}"}] * 3} for i in range(1, 30)}
    assert told(entry({"setup": "s29"}, setups=setups)) == []


def test_references_inside_setups_are_checked_too() -> None:
    (found,) = told(entry({"setup": "a"}, setups={"a": [["close", ">", "emma_20"]]}))
    assert found.startswith("setups.a[0][2]: 'emma_20' is not declared")


def test_a_setup_without_its_key_gets_told_how() -> None:
    (found,) = told(entry([["close", ">", "open"], "dip"], setups={"dip": ["rsi_14", "<", 30]}))
    assert "'dip' is a setup" in found


def test_a_key_beside_an_operator_is_the_one_that_is_unknown() -> None:
    beside = ["close", ">", {"*": ["ema_20", 2], "offset": 1}]
    assert told(entry(beside)) == [
        "actions.entry_long[2].offset: unknown key 'offset' beside an operator; put it elsewhere"
    ]
    two = ["close", ">", {"*": ["ema_20", 2], "+": ["ema_20", 2]}]
    (found,) = told(entry(two))
    assert found.startswith("actions.entry_long[2]: one map holds one operator; nest them")
