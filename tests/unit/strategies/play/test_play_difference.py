"""Two plays compared: what is told of each edit, and that what decides nothing is told as such."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from evenkeel.strategies.play.difference import Comparison, compare
from evenkeel.strategies.play.lower import lower

from .play_desk import DOCUMENT, document, entry, load


def difference(before: dict[str, Any], after: dict[str, Any]) -> Comparison:
    was, now = load(before), load(after)
    return compare(was, now, lower(was).program.warmup, lower(now).program.warmup)


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return what changes, apart from the history that follows from it."""
    return [change.line() for change in difference(before, after).changes if change.where != "history"]


def edited(condition_before: Any, condition_after: Any, **both: Any) -> list[str]:
    """Return what is told of an entry rule that was edited."""
    lines = changes(entry(condition_before, **both), entry(condition_after, **both))
    assert all(line.startswith("entry_long: ") for line in lines)
    return [line.removeprefix("entry_long: ") for line in lines]


MORE, FEWER, OTHER = "fires at least as often", "fires at most as often", "changed"
RSI = ["rsi_14", "<", 30]
UP = ["close", ">", "ema_20"]

WIDE = ["rsi_14", "between", [40, 60]]
ABOUT = "rsi_14 between 40 and 60"
NEAR = "close within 1 % of ema_20"
DIPS = {"occurred_within": {"bars": 3, "expr": RSI}}
LEAVES: list[tuple[Any, Any, str]] = [
    (RSI, ["rsi_14", "<", 35], f"rsi_14 < 30 became < 35: {MORE}"),
    (RSI, ["rsi_14", "<", 25], f"rsi_14 < 30 became < 25: {FEWER}"),
    (RSI, ["rsi_14", "<=", 30], f"rsi_14 < 30 became <= 30: {MORE}"),
    (RSI, ["rsi_14", ">", 30], f"rsi_14 < 30 became > 30: {OTHER}"),
    (["rsi_14", ">", 50], ["rsi_14", ">", 60], f"rsi_14 > 50 became > 60: {FEWER}"),
    (["rsi_14", ">", 50], ["rsi_14", "between", [60, 70]], f"rsi_14 > 50 became between 60 and 70: {FEWER}"),
    (WIDE, ["rsi_14", "between", [30, 60]], f"{ABOUT} became between 30 and 60: {MORE}"),
    (WIDE, ["rsi_14", "between", [30, 50]], f"{ABOUT} became between 30 and 50: {OTHER}"),
    (["rsi_14", "cross_above", 40], ["rsi_14", "cross_above", 50],
     f"rsi_14 cross above 40 became cross above 50: {OTHER}"),
    (["close", ">", "ema_20"], ["close", ">=", "ema_20"], f"close > ema_20 became >= ema_20: {MORE}"),
    (["close", ">", "ema_20"], ["close", ">", "ema_50_1h"], f"close > ema_20 became > ema_50_1h: {OTHER}"),
    (["close", ">=", "ema_20"], ["ema_20", "<", "close"], f"close >= ema_20 became ema_20 < close: {FEWER}"),
    (["close", "near_pct", "ema_20", 1], ["close", "near_pct", "ema_20", 2],
     f"{NEAR} became within 2 % of ema_20: {MORE}"),
    (["close", "near_abs", "ema_20", 3], ["close", "near_abs", "ema_20", 2],
     f"close within 3 of ema_20 became within 2 of ema_20: {FEWER}"),
    (["tr.direction", "in", [0, 1]], ["tr.direction", "in", [-1, 0, 1]],
     f"tr.direction in 0 or 1 became in -1, 0 or 1: {MORE}"),
    (["sw.pair_direction", "!=", "none"], ["sw.pair_direction", "==", "bullish"],
     f"sw.pair_direction != none became == bullish: {FEWER}"),
    (["tr.direction", "==", 1], ["tr.direction", ">=", 0], f"tr.direction == 1 became >= 0: {MORE}"),
    ({"not": RSI}, {"not": ["rsi_14", "<", 35]}, f"inside a `not`, rsi_14 < 30 became < 35: {FEWER}"),
    (RSI, {"not": RSI}, f"rsi_14 < 30 became rsi_14 is not below 30: {OTHER}"),
    (["close", ">", {"feature_id": "close", "offset": 1}], ["close", ">", {"feature_id": "close", "offset": 2}],
     f"close > close one bar ago became > close two bars ago: {OTHER}"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "line"), LEAVES)
def test_a_comparison_that_was_edited(before: Any, after: Any, line: str) -> None:
    assert edited(before, after) == [line]


TREES: list[tuple[Any, Any, list[str]]] = [
    ([UP, RSI], [UP, ["rsi_14", "<", 35]], [f"rsi_14 < 30 became < 35: {MORE}"]),
    (UP, [UP, RSI], [f"now also asks that rsi_14 < 30: {FEWER}"]),
    ([UP, RSI], RSI, [f"no longer asks that close > ema_20: {MORE}"]),
    ({"any": [UP, RSI]}, {"any": [UP]}, [f"no longer when rsi_14 < 30: {FEWER}"]),
    (UP, {"any": [UP, RSI]}, [f"now also when rsi_14 < 30: {MORE}"]),
    ({"not": {"any": [UP, RSI]}}, {"not": {"any": [UP]}}, [f"inside a `not`, no longer when rsi_14 < 30: {MORE}"]),
    (
        {"all": [UP, {"any": [RSI, ["close", ">", "open"]]}]}, {"all": [UP, {"any": [RSI]}]},
        [f"no longer when close > open: {FEWER}"],
    ),
    (
        {"holds_for": {"bars": 3, "expr": RSI}}, {"holds_for": {"bars": 5, "expr": RSI}},
        [f"on all of the last 3 bars of 15m became on all of the last 5 bars of 15m: {FEWER}"],
    ),
    (
        {"occurred_within": {"bars": 3, "expr": RSI}}, {"occurred_within": {"bars": 5, "expr": ["rsi_14", "<", 20]}},
        [f"inside the window, rsi_14 < 30 became < 20: {FEWER}",
         f"on one of the last 3 bars of 15m became on one of the last 5 bars of 15m: {MORE}"],
    ),
    (
        {"count_true": {"bars": 5, "min_true": 2, "expr": RSI}},
        {"count_true": {"bars": 5, "min_true": 3, "expr": RSI}},
        [f"on 2 of the last 5 bars of 15m became on 3 of the last 5 bars of 15m: {FEWER}"],
    ),
    (
        {"holds_for": {"bars": 4, "expr": RSI}}, {"holds_for": {"bars": 4, "anchor_tf": "1h", "expr": RSI}},
        [f"on all of the last 4 bars of 15m became on all of the last 4 bars of 1h: {OTHER}"],
    ),
    ({"holds_for": {"bars": 3, "expr": RSI}}, {"occurred_within": {"bars": 3, "expr": RSI}},
     ["on each of the last three bars, rsi_14 was below 30 became on at least one of the last three bars, rsi_14 was "
      f"below 30: {OTHER}"]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "lines"), TREES)
def test_a_tree_that_was_edited(before: Any, after: Any, lines: list[str]) -> None:
    assert edited(before, after) == lines


def test_a_setup_that_was_edited_is_named() -> None:
    before = entry([{"setup": "dip"}, UP], setups={"dip": RSI})
    after = entry([{"setup": "dip"}, UP], setups={"dip": ["rsi_14", "<", 40]})
    assert changes(before, after) == [f"entry_long: in dip, rsi_14 < 30 became < 40: {MORE}"]


SAME: list[tuple[Any, Any]] = [
    ([UP, RSI], [RSI, UP]),
    ([UP, RSI], {"all": [RSI, {"all": [UP, RSI]}]}),
    (["close", ">", "ema_20"], ["ema_20", "<", "close"]),
    ({"not": ["close", ">", "ema_20"]}, ["close", "<=", "ema_20"]),
    ({"not": {"not": UP}}, UP),
    ({"not": {"any": [UP, RSI]}}, [["close", "<=", "ema_20"], ["rsi_14", ">=", 30]]),
    (["close", "cross_above", "ema_20"], ["ema_20", "cross_below", "close"]),
    (["rsi_14", "<", 30], ["rsi_14", "<", 30.0]),
    (["tr.direction", "in", [1]], ["tr.direction", "==", 1]),
    (["tr.direction", "in", [1, 0]], ["tr.direction", "in", [0, 1, 1]]),
    ([["close", "+", "atr_14"], ">", "ema_20"], [["atr_14", "+", "close"], ">", "ema_20"]),
    ([["close", "*", 2], ">", "ema_20"], [{"*": [2, "close"]}, ">", "ema_20"]),
    ({"holds_for": {"bars": 4, "expr": RSI}}, {"holds_for_duration": {"duration": "1h", "expr": RSI}}),
    ({"count_true": {"bars": 4, "min_true": 4, "expr": RSI}}, {"holds_for": {"bars": 4, "expr": RSI}}),
    ({"occurred_within": {"bars": 4, "anchor_tf": "15m", "expr": RSI}}, {"occurred_within": {"bars": 4, "expr": RSI}}),
    ({"holds_for": {"bars": 1, "expr": RSI}}, RSI),
    ({"lhs": "bb_20", "op": ">", "rhs": 5}, ["bb_20.middle", ">", 5]),
]


@pytest.mark.parametrize(("before", "after"), SAME)
def test_what_is_only_written_otherwise_is_equal(before: Any, after: Any) -> None:
    assert difference(entry(before), entry(after)).is_equal
    assert difference(entry(after), entry(before)).is_equal


def test_a_setup_spelled_out_or_renamed_is_equal() -> None:
    named = entry([{"setup": "dip"}, UP], setups={"dip": [RSI, ["close", ">", "open"]]})
    spelled = entry([RSI, UP, ["close", ">", "open"]])
    other = entry([{"setup": "low"}, UP], setups={"low": [RSI, ["close", ">", "open"]]})
    assert difference(named, spelled).notes == ["the setup dip is gone"]
    found = difference(named, other)
    assert found.is_equal
    assert found.notes == ["the setup dip is now called low"]


def test_renamed_features_change_nothing_and_are_told() -> None:
    after = copy.deepcopy(DOCUMENT)
    after["features"]["average"] = after["features"].pop("ema_20")
    after["actions"] = {"entry_long": ["close", ">", "average"], "exit_long": ["close", "<", "average"]}
    after["description"] = "the same in other words"
    after["features"] = dict(reversed(after["features"].items()))
    found = difference(DOCUMENT, after)
    assert found.is_equal
    assert found.notes == ["ema_20 is now called average; it is computed as before", "the description is another one"]


def test_names_that_were_exchanged_are_no_renaming() -> None:
    """The text of the rule is the same, what it says is not."""
    after = copy.deepcopy(DOCUMENT)
    features = after["features"]
    features["ema_20"]["params"]["length"], features["spare"] = 50, {"indicator": "ema", "params": {"length": 20}}
    assert changes(DOCUMENT, after) == [
        f"entry_long: close > ema_20 (as it was) became > ema_20 (as it is now): {OTHER}",
        f"exit_long: close < ema_20 (as it was) became < ema_20 (as it is now): {OTHER}",
    ]


def test_a_feature_that_changed_is_told_once_with_its_readers() -> None:
    after = copy.deepcopy(DOCUMENT)
    after["features"]["ema_20"] = {"indicator": "ema", "params": {"length": 30}, "tf": "1h", "source": "open"}
    assert changes(DOCUMENT, after) == [
        "ema_20: length 20 became 30, 15m bars became 1h bars, reading the close became reading the open; read by "
        "entry_long and exit_long"
    ]


def test_a_feature_that_reads_a_changed_one_changed_too() -> None:
    features = {**DOCUMENT["features"], "smooth": {"indicator": "ema", "source": "indicator:rsi_14"}}
    before = entry(["smooth", ">", 50], features=features)
    after = copy.deepcopy(before)
    after["features"]["rsi_14"]["params"]["length"] = 21
    assert changes(before, after) == [
        "rsi_14: length 14 became 21; read by entry_long",
        "smooth: it reads rsi_14, which changed; read by entry_long",
    ]


def test_a_feature_that_nothing_reads_decides_nothing() -> None:
    after = copy.deepcopy(DOCUMENT)
    after["features"]["rsi_14"]["params"]["length"] = 21
    after["features"]["spare_9"] = {"indicator": "sma", "params": {"length": 9}}
    del after["features"]["dc_20"]
    found = difference(DOCUMENT, after)
    assert found.is_equal
    assert found.notes == [
        "rsi_14: length 14 became 21; nothing reads it",
        "dc_20 is gone, which nothing read",
        "spare_9 is new: Simple moving average of the close, length 9, on 15m bars, which nothing reads",
    ]


def test_rules_that_came_and_went() -> None:
    after = document(actions={"entry_long": ["close", ">", "ema_20"], "exit_all": ["rsi_14", ">", 70]})
    assert changes(DOCUMENT, after) == [
        f"exit_long: the rule is gone: {FEWER}",
        f"exit_all: a new rule: exit_all when rsi_14 > 70: {MORE}",
    ]


def blocks(*cases: Any, name: str = "b", otherwise: Any = None) -> list[dict[str, Any]]:
    block: dict[str, Any] = {"id": name, "cases": [{"when": when, "emit": emit} for when, emit in cases]}
    if otherwise:
        block["else"] = {"emit": otherwise}
    return [block]


def test_an_earlier_case_that_changed_changes_those_behind_it() -> None:
    before = document(actions=blocks((RSI, ["entry_long"]), (UP, ["exit_all"])))
    after = document(actions=blocks((["rsi_14", "<", 35], ["entry_long"]), (UP, ["exit_all"])))
    assert changes(before, after) == [
        f"b, case 1: rsi_14 < 30 became < 35: {MORE}",
        f"b: an earlier case changed, so the cases behind it speak on other bars: {OTHER}",
    ]


def test_the_order_of_cases_decides() -> None:
    before = document(actions=blocks((RSI, ["entry_long"]), (UP, ["exit_all"])))
    after = document(actions=blocks((UP, ["exit_all"]), (RSI, ["entry_long"])))
    assert not difference(before, after).is_equal


def test_the_order_of_plain_rules_and_their_names_decide_nothing() -> None:
    first = document(actions=[*blocks((RSI, ["entry_long"]), name="in"), *blocks((UP, ["exit_all"]), name="out")])
    second = document(actions=[*blocks((UP, ["exit_all"]), name="leave"), *blocks((RSI, ["entry_long"]), name="in")])
    found = difference(first, second)
    assert found.is_equal
    assert found.notes == ["the rule out is now called leave in reports"]


def test_what_a_trade_keeps_is_a_note() -> None:
    before = document(
        actions=[
            *blocks((RSI, [{"action": "entry_long", "metadata": {"why": "dip"}}])),
            *blocks((UP, ["exit_all"]), name="x"),
        ]
    )
    after = document(
        actions=[
            *blocks((RSI, [{"action": "entry_long", "metadata": {"why": "low"}}])),
            *blocks((UP, ["exit_all"]), name="x"),
        ]
    )
    found = difference(before, after)
    assert (found.is_equal, found.notes) == (True, ["the rule b keeps other values with its trades"])


SETTINGS: list[tuple[dict[str, Any], list[str]]] = [
    ({"risk": {"stop_loss_pct": 3.0, "take_profit_pct": 4.0}},
     ["stop: 2 % of the price away became 3 % of the price away, further away"]),
    ({"risk": {"stop_loss_pct": 2.0, "take_profit_pct": 3.0}},
     ["target: 4 % of the price away became 3 % of the price away, nearer"]),
    ({"risk": {"stop_loss": {"type": "atr_multiple", "value": 2, "atr_feature_id": "atr_14"}, "take_profit_pct": 4.0}},
     ["stop: 2 % of the price away became 2 times atr_14 away"]),
    ({"risk": {"stop_loss_pct": 2.0, "take_profit_pct": 4.0, "max_position_pct": 50}},
     ["size: 100 % of the free margin became 50 % of the free margin"]),
    ({"risk": {"stop_loss_pct": 2.0, "take_profit_pct": 4.0, "tp_order_type": "Limit"}},
     ["tp_order_type: Market became Limit"]),
    ({"account": {"starting_equity": 20000, "slippage_bps": 5}},
     ["account.starting_equity: 10,000 became 20,000", "account.slippage_bps: 2 became 5"]),
    ({"account": {"starting_equity": 10000, "fee_model": {"taker_bps": 7}}},
     ["account.fee_model.taker_bps: 5.5 became 7", "account.fee_model.liquidation_bps: 5.5 became 7"]),
    ({"position_policy": {"mode": "long_only", "exit_mode": "signal"}},
     ["position_policy.exit_mode: first_hit became signal"]),
    ({"entry": {"order_type": "LIMIT", "limit_offset_pct": 0.1}},
     ["entry.order_type: MARKET became LIMIT", "entry.limit_offset_pct: 0 became 0.1"]),
    ({"symbol": "ETHUSDT"}, ["symbol: BTCUSDT.BYBIT became ETHUSDT.BYBIT"]),
    ({"backtest": {"start": "2024-01-01"}}, ["backtest.start: nothing became 2024-01-01T00:00:00Z"]),
    ({"timeframes": {"low_tf": "15m", "med_tf": "1h", "high_tf": "W", "exec": "low_tf"}}, []),
    ({"timeframes": {"low_tf": "15m", "med_tf": "1h", "high_tf": "D", "exec": "low_tf", "allow_coarse": True}},
     ["timeframes.allow_coarse: false became true"]),
]  # fmt: skip


@pytest.mark.parametrize(("change", "lines"), SETTINGS)
def test_settings(change: dict[str, Any], lines: list[str]) -> None:
    assert changes(DOCUMENT, document(**change)) == lines


def test_another_execution_timeframe_is_another_play() -> None:
    after = document(timeframes={**DOCUMENT["timeframes"], "exec": "med_tf"})
    assert "timeframes.exec: decisions at each 15m close became each 1h close" in changes(DOCUMENT, after)


def test_an_atr_of_another_name_is_the_same_stop() -> None:
    stop = {"type": "atr_multiple", "value": 2, "atr_feature_id": "atr_14"}
    before = document(risk={"stop_loss": stop, "take_profit_pct": 4})
    after = copy.deepcopy(before)
    after["features"]["range_14"] = after["features"].pop("atr_14")
    after["risk"]["stop_loss"]["atr_feature_id"] = "range_14"
    assert difference(before, after).is_equal
    after["features"]["range_14"]["params"]["length"] = 20
    assert changes(before, after) == ["stop: 2 times atr_14 away became 2 times range_14 away"]


def test_more_history_is_told() -> None:
    found = difference(entry(RSI), entry({"occurred_within": {"bars": 20, "expr": RSI}}))
    assert found.changes[-1].line() == (
        "history: 70 bars of 15m before the first decision became 89 bars of 15m: the first decision comes later"
    )


def test_a_play_equals_itself() -> None:
    found = difference(DOCUMENT, DOCUMENT)
    assert (found.is_equal, found.notes) == (True, [])


def test_nothing_is_claimed_of_a_rule_that_reads_a_changed_feature_or_other_bars() -> None:
    before, after = entry(RSI), entry(["rsi_14", "<", 35])
    after["features"]["rsi_14"]["params"]["length"] = 21
    assert changes(before, after)[0] == f"entry_long: rsi_14 < 30 became < 35: {OTHER}"
    elsewhere = entry(["rsi_14", "<", 35], timeframes={**DOCUMENT["timeframes"], "exec": "med_tf"})
    assert changes(before, elsewhere)[0] == f"entry_long: rsi_14 < 30 became < 35: {OTHER}"
