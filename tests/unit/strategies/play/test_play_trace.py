"""Traces: where the rows of a play's conditions are, how conditions are named, and on which line they stand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import yaml

import desk
from evenkeel.features.readings import Cell
from evenkeel.model.time import Timeframe
from evenkeel.strategies.play.decide import Wish
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.lower import lower
from evenkeel.strategies.play.trace import Traced, TracedRule, literal_words, written_at
from random_plays import random_play

PLAIN: dict[str, Any] = {
    "version": "3.0.0",
    "name": "traced",
    "symbol": "X",
    "timeframes": {"low_tf": "1m", "med_tf": "5m", "high_tf": "1h", "exec": "low_tf"},
    "account": {"max_drawdown_pct": 100},
    "features": {
        "sma_3": {"indicator": "sma", "params": {"length": 3}},
        "macd_1": {"indicator": "macd", "params": {"fast": 3, "slow": 6, "signal": 2}},
        "sma_5m": {"indicator": "sma", "tf": "5m", "params": {"length": 2}},
    },
    "structures": {"exec": [{"type": "swing", "key": "sw", "params": {"left": 1, "right": 1}}]},
    "actions": {"entry_long": [["close", ">", 0]]},
    "position_policy": {"mode": "long_only", "exit_mode": "first_hit"},
    "risk": {"stop_loss_pct": 1, "take_profit_pct": 1},
}


def rules(**sections: Any) -> tuple[TracedRule, ...]:
    """Return the traced rules of a play with some sections replaced."""
    text = yaml.safe_dump({**PLAIN, **sections})
    return lower(load_play(text, instruments=lambda _: desk.instrument()), trace=True).rules


def entry(condition: Any, **sections: Any) -> Traced:
    """Return the traced condition of an entry."""
    (rule,) = rules(actions={"entry_long": condition}, **sections)
    assert rule.condition is not None
    return rule.condition


@pytest.mark.parametrize("seed", range(40))
def test_tracing_adds_nothing_to_what_is_computed(seed: int) -> None:
    """One evaluator: an explanation has no rows of its own, so it can read only what decided."""
    text = random_play(np.random.default_rng(seed))
    play = load_play(text, instruments=lambda _: desk.instrument())

    plain, traced = lower(play), lower(play, trace=True)

    assert traced.program == plain.program
    assert traced.emitted == plain.emitted
    assert plain.rules == ()
    assert [rule.words for rule in traced.rules] == [
        block.id if len(block.cases) == 1 else f"{block.id}, case {number}"
        for block in play.actions
        for number in range(1, len(block.cases) + 1)
    ]
    cells = [cell for rule in traced.rules if rule.condition for cell in rule.condition.cells]
    program = plain.program
    graphs = {None: program.decisions, **{timeframe: grid.graph for timeframe, grid in program.grids.items()}}
    assert all(0 <= cell.row < graphs[cell.grid].rows for cell in cells)


def test_a_rule_that_is_emitted_speaks_in_the_row_that_decides() -> None:
    text = yaml.safe_dump(PLAIN)
    lowered = lower(load_play(text, instruments=lambda _: desk.instrument()), trace=True)

    (rule,) = lowered.rules
    assert (rule.words, rule.wishes, rule.speaks.row) == ("entry_long", (Wish.ENTRY_LONG,), lowered.emitted[0].row)


def test_each_case_is_a_rule_with_what_it_wishes() -> None:
    found = rules(
        actions=[
            {
                "id": "b",
                "cases": [
                    {"when": ["close", ">", 2], "emit": ["entry_long", "no_action"]},
                    {"when": ["close", ">", 1], "emit": ["no_action"]},
                ],
                "else": {"emit": ["exit_all", "exit_long"]},
            }
        ]
    )

    assert [(rule.words, rule.wishes) for rule in found] == [
        ("b, case 1", (Wish.ENTRY_LONG,)), ("b, case 2", ()), ("b, case 3", (Wish.EXIT_ALL, Wish.EXIT_LONG)),
    ]  # fmt: skip
    assert [rule.condition is None for rule in found] == [False, False, True]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (["close", ">", 100.5], "close > 100.5"),
        (["sma_3", "cross_below", "macd_1.signal"], "sma_3 cross_below macd_1.signal"),
        (["macd_1", ">", 0], "macd_1.macd > 0"),
        ({"lhs": {"feature_id": "sma_3", "offset": 1}, "op": "<", "rhs": {"feature_id": "close", "offset": 2}},
         "sma_3 1 bar ago < close 2 bars ago"),
        (["close", "between", [1, "sma_3"]], "close between 1 and sma_3"),
        (["close", "near_pct", "sma_3", 0.5], "close near_pct sma_3 within 0.5 %"),
        (["close", "near_abs", "sma_3", 0.25], "close near_abs sma_3 within 0.25"),
        (["sw.version", "in", [1, 2]], "sw.version in 1, 2"),
        (["sw.high_accepted", "==", True], "sw.high_accepted == true"),
        (["sw.last_confirmed_pivot_type", "!=", "HIGH"], "sw.last_confirmed_pivot_type != high"),
        ([["close", "-", ["sma_3", "*", 2]], ">", {"/": ["volume", 3]}], "close - (sma_3 * 2) > volume / 3"),
        ({"all": [["close", ">", 1]]}, "all"),
        ({"any": [["close", ">", 1]]}, "any"),
        ({"not": [["close", ">", 1]]}, "not"),
        ({"setup": "up"}, "setup up"),
        ({"holds_for": {"bars": 1, "expr": ["close", ">", 1]}}, "holds_for 1 bar"),
        ({"occurred_within": {"bars": 6, "anchor_tf": "5m", "expr": ["close", ">", 1]}},
         "occurred_within 6 bars of 5m"),
        ({"count_true": {"bars": 6, "min_true": 4, "expr": ["close", ">", 1]}}, "count_true 4 of 6 bars"),
        ({"holds_for_duration": {"duration": "1h", "expr": ["close", ">", 1]}}, "holds_for 60 bars, 60 minutes"),
    ],
)  # fmt: skip
def test_a_condition_is_named_in_short(written: Any, words: str) -> None:
    assert entry(written, setups={"up": ["close", ">", "open"]}).words == words


def test_a_comparison_carries_its_text_and_everything_its_place() -> None:
    whole = entry(
        {"all": [{"setup": "up"}, {"not": [["close", "<", "{{ floor }}"]]}]},
        setups={"up": {"any": [{"lhs": "close", "op": ">", "rhs": "open"}]}},
        variables={"floor": 7},
    )

    def places(traced: Traced) -> list[tuple[str, str, str]]:
        own = (traced.kind, traced.condition.path, traced.text)
        return [own, *(place for child in traced.children for place in places(child))]

    assert places(whole) == [
        ("all", "actions.entry_long.all", ""),
        ("setup", "actions.entry_long.all[0].setup", ""),
        ("any", "setups.up.any", ""),
        ("compare", "setups.up.any[0]", '{"lhs":"close","op":">","rhs":"open"}'),
        ("not", "actions.entry_long.all[1].not", ""),
        ("compare", "actions.entry_long.all[1].not[0]", '["close","<",7]'),
    ]


def test_a_word_stands_for_what_the_output_beside_it_declares() -> None:
    left, right = entry(["sw.last_confirmed_pivot_type", "!=", "HIGH"]).values

    assert left.output is not None
    assert left.output == right.output
    assert (left.constant, right.constant, right.words) == (False, True, "high")
    assert [value.output for value in entry([["close", "-", "open"], ">", 0.5]).values] == [None, None]


def test_a_place_that_is_not_in_the_document_has_no_text() -> None:
    document = {"actions": {"entry_long": {"all": [["close", ">", 1]]}}}

    assert written_at(document, "actions.entry_long.all[0]") == '["close",">",1]'
    for place in (
        "actions.entry_long.all[1]",
        "actions.x",
        "actions.entry_long.all.any",
        "actions.entry_long.all[0][0].x",
    ):
        assert written_at(document, place) == ""


def test_crosses_and_windows_say_how_far_back_they_look() -> None:
    window = entry(
        {"occurred_within": {"bars": 3, "anchor_tf": "5m", "expr": {"all": [["close", "cross_above", "sma_5m"]]}}}
    )

    assert isinstance(window.back, Cell)
    assert (window.children[0].back, window.children[0].children[0].back) == (0, 1)
    assert window.levels == 2
    assert entry(["close", ">", 1]).levels == 0
    assert {cell.grid for cell in window.cells} == {None}


def test_a_condition_on_a_finer_grid_is_traced_there() -> None:
    """A cross of the price of the minute is looked at every minute, while decisions are made every five."""
    crossed = entry(
        ["last_price", "cross_above", 100],
        timeframes={"low_tf": "1m", "med_tf": "5m", "high_tf": "1h", "exec": "med_tf"},
    )

    assert crossed.back == 1
    assert {cell.grid for cell in crossed.cells} == {Timeframe.parse("1m")}


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "missing"), (True, "true"), (False, "false"), ("bullish", "bullish"), (3, "3"), (0.1 + 0.2, "0.3"),
     (61234.57, "61234.57"), (0.0000123456789, "0.000012345679"), (123456789.6, "123456790"), (-0.0, "0")],
)  # fmt: skip
def test_values_are_written_without_noise(value: Any, words: str) -> None:
    assert literal_words(value) == words


def test_every_condition_knows_its_line() -> None:
    text = (
        yaml.safe_dump({key: value for key, value in PLAIN.items() if key != "actions"}) + "setups:\n"
        "  up:\n"
        "    any:\n"
        "      - [close, '>', open]\n"
        "actions:\n"
        "  entry_long:\n"
        "    all:\n"
        "      - setup: up\n"
        "      - not:\n"
        "          - [close, '<',\n"
        "             sma_3]\n"
        "      - occurred_within:\n"
        "          bars: 3\n"
        "          expr: [close, '>', sma_5m]\n"
    )
    first = text.count("\n") - 13
    play = load_play(text, instruments=lambda _: desk.instrument())

    assert {place: line - first for place, line in play.lines.items()} == {
        "setups.up.any": 2,
        "setups.up.any[0]": 3,
        "actions.entry_long.all": 6,
        "actions.entry_long.all[0].setup": 7,
        "actions.entry_long.all[1].not": 8,
        "actions.entry_long.all[1].not[0]": 9,
        "actions.entry_long.all[2].occurred_within": 11,
        "actions.entry_long.all[2].occurred_within.expr": 13,
    }


def test_what_the_command_line_gave_has_no_line() -> None:
    play = load_play(
        yaml.safe_dump(PLAIN), instruments=lambda _: desk.instrument(),
        sets={"actions.entry_long": "[[close, '<', 9]]"},
    )  # fmt: skip

    assert play.lines == {}
