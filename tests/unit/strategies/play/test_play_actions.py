"""Actions in both forms, and what policy and exit mode have to say to them."""

from __future__ import annotations

from typing import Any

import pytest

from evenkeel.strategies.play.expression import Compare, FeatureRef, Literal

from .play_desk import document, load, told, warned

UP, DOWN = ["close", ">", "ema_20"], ["close", "<", "ema_20"]


def case(*emit: Any, when: Any = UP) -> dict[str, Any]:
    return {"when": when, "emit": list(emit)}


def blocks(*items: Any, **changes: Any) -> dict[str, Any]:
    return document(actions=list(items), **changes)


def test_the_short_form_is_one_block_for_each_action_in_file_order() -> None:
    found = load(document(actions={"exit_long": DOWN, "entry_long": UP})).actions
    assert [(block.id, [emit.action for emit in block.cases[0].emits]) for block in found] == [
        ("exit_long", ["exit_long"]),
        ("entry_long", ["entry_long"]),
    ]


def test_blocks_keep_cases_in_order_and_else_comes_last() -> None:
    block = {"id": "b", "cases": [case("entry_long"), case("exit_long", when=DOWN)], "else": {"emit": ["no_action"]}}
    (found,) = load(blocks(block)).actions
    assert [case.emits[0].action for case in found.cases] == ["entry_long", "exit_long", "no_action"]
    assert isinstance(found.cases[0].when, Compare)
    assert found.cases[2].when is None


def test_metadata_are_constants_or_references() -> None:
    intent = {"action": "entry_long", "metadata": {"note": "ema_20", "atr": {"feature_id": "atr_14", "offset": 1}}}
    (emit,) = load(blocks({"id": "b", "cases": [case(intent)]})).actions[0].cases[0].emits
    assert emit.metadata == (("note", Literal("ema_20")), ("atr", FeatureRef("atr_14", "value", 1)))
    assert emit.path == "actions.0.cases.0.emit.0"


WRONG = [
    ([], "actions: actions must be a map of action to condition, or a list of blocks"),
    ("x", "actions must be a map"),
    ({"enter_long": UP}, "actions.enter_long: 'enter_long' is not an action; did you mean 'entry_long'?"),
    ([3], "actions[0]: a block must be a map"),
    ([{"cases": [case("entry_long")]}], "actions[0]: `id` is missing"),
    ([{"id": "b"}], "actions[0]: `cases` is missing"),
    ([{"id": "b", "cases": []}], "actions[0].cases: `cases` must be a list with at least one case"),
    ([{"id": "b", "case": [], "cases": [case("entry_long")]}], "unknown key 'case'; did you mean 'cases'?"),
    ([{"id": "b", "cases": [{"emit": ["entry_long"]}]}], "actions[0].cases[0]: `when` is missing"),
    ([{"id": "b", "cases": [{"when": UP}]}], "actions[0].cases[0]: `emit` is missing"),
    ([{"id": "b", "cases": [case()]}], "`emit` must be a list with at least one intent"),
    ([{"id": "b", "cases": [case("entry_lng")]}], "'entry_lng' is not an action; did you mean 'entry_long'?"),
    (
        [{"id": "top.exit", "cases": [case("entry_long")]}],
        "'top.exit' is not the id of a block; begin with a lower-case",
    ),
    ([{"id": "2024-01-01", "cases": [case("entry_long")]}], "'2024-01-01' is not the id of a block"),
    ([{"id": "b", "cases": [case({"acton": "entry_long"})]}], "unknown key 'acton'"),
    ([{"id": "b", "cases": [case({"action": "entry_long", "percent": 100})]}], "`percent` belongs to exits only"),
    ([{"id": "b", "cases": [case({"action": "exit_long", "percent": 0})]}], "'0' is out of bounds"),
    (
        [{"id": "b", "cases": [case({"action": "entry_long", "metadata": {"x": {"feature_id": "nope"}}})]}],
        "actions[0].cases[0].emit[0].metadata.x: 'nope' is not declared",
    ),
    ([{"id": "b", "cases": [case("entry_long")], "else": {"emi": ["no_action"]}}], "unknown key 'emi'"),
    ([{"id": "b", "cases": [case("entry_long")]}] * 2, "actions[1].id: the block id 'b' stands twice"),
]


@pytest.mark.parametrize(("actions", "line"), WRONG)
def test_a_wrong_action_is_refused(actions: Any, line: str) -> None:
    found = told(document(actions=actions))
    assert any(line in one for one in found), found


def policy(exit_mode: str, mode: str = "long_only") -> dict[str, str]:
    return {"mode": mode, "exit_mode": exit_mode}


def test_stop_and_target_only_refuses_exit_actions_and_needs_both() -> None:
    (found,) = told(document(position_policy=policy("sl_tp_only")))
    assert "exit_long is refused: exit_mode sl_tp_only" in found
    entry_only = document(position_policy=policy("sl_tp_only"), actions={"entry_long": UP}, risk={"stop_loss_pct": 2.0})
    (found,) = told(entry_only)
    assert "exit_mode sl_tp_only needs a stop and a target; there is no target" in found


def test_signal_needs_an_exit_action() -> None:
    (found,) = told(document(position_policy=policy("signal"), actions={"entry_long": UP}))
    assert "exit_mode signal needs an exit action" in found


def test_first_hit_needs_some_exit() -> None:
    values = document(actions={"entry_long": UP}, risk=None)
    (found,) = told(values)
    assert "nothing ever ends a position" in found
    assert told(document(actions={"entry_long": UP})) == []


def test_an_entry_against_the_policy_is_refused() -> None:
    (found,) = told(document(actions={"entry_long": UP, "entry_short": DOWN}))
    assert found.startswith("actions.entry_short: entry_short can never happen: the mode is long_only")


def test_an_exit_against_the_policy_is_a_warning() -> None:
    lines = warned(document(actions={"entry_long": UP, "exit_short": DOWN}))
    assert "actions.exit_short: exit_short never happens: the mode is long_only" in lines


def test_a_side_that_nothing_opens_or_ends_is_a_warning() -> None:
    both = document(position_policy=policy("signal", "long_short"), risk=None)
    lines = warned(both)
    assert any("no action opens a short" in line for line in lines)
    assert any("nothing ever ends a short position" in line for line in lines)


def test_actions_that_open_nothing_are_a_warning() -> None:
    assert "actions: no action ever opens a position" in warned(document(actions={"exit_long": UP}))
