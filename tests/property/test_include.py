"""Whatever stands in a block, including it gives a play or its problems; with any prefix it means the same."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evenkeel import examples
from evenkeel.data.definitions import Definitions
from evenkeel.strategies.library import Library
from evenkeel.strategies.play.block_load import load_block
from evenkeel.strategies.play.json_schema import block_schema
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.problems import PlayErrors, render_with_excerpt
from evenkeel.strategies.play.program import PlayStrategy
from evenkeel.strategies.play.yaml_source import read
from reference.json_schema import complaints

FIND = Definitions.load().find
SCHEMA = block_schema()
BLOCKS = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in examples.files("block")}
PLAY: dict[str, Any] = {
    "version": "3.0.0", "name": "drawn", "symbol": "SPY.US",
    "timeframes": {"low_tf": "D", "med_tf": "D", "high_tf": "W", "exec": "low_tf"}, "account": {},
    "actions": {"entry_long": ["close", ">", "open"], "exit_long": ["close", "<", "open"]},
    "position_policy": {"mode": "long_only", "exit_mode": "signal"},
}  # fmt: skip

WORDS = st.sampled_from(
    [
        "close", "ema_slow", "rsi", "adx.adx", "==", ">", "all", "setup", "{{ length }}", "{{ nope }}", "{{",
        "indicator:rsi", "pullback", "trend_filter", "low_tf", "up", "block", "as", "with", "include", "exec", "key",
        "risk", "",
    ]
)  # fmt: skip
SCALARS = st.one_of(WORDS, st.none(), st.booleans(), st.integers(-5, 500), st.floats(), st.text(max_size=6))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(WORDS, st.text()), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every container with each of its keys or positions."""
    own: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        own = [(value, key) for key in value]
    elif isinstance(value, list):
        own = [(value, index) for index in range(len(value))]
    return own + [place for container, key in list(own) for place in places(container[key])]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("blocks")


def assert_told(load: Callable[[], object]) -> bool:
    """Return whether something loads; if not, every reason can be shown."""
    try:
        load()
    except PlayErrors as error:
        told = error.problems
    else:
        return True
    assert any(problem.kind != "warning" for problem in told)
    assert all(problem.message and render_with_excerpt(problem) for problem in told)
    return False


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_changed_block_is_included_or_refused(folder: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(BLOCKS)))
    block = copy.deepcopy(BLOCKS[name])
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(block)))
        container[key] = data.draw(VALUES)
    if data.draw(st.booleans()):
        block[data.draw(st.one_of(WORDS, st.text(max_size=4)))] = data.draw(VALUES)
    file = folder / "drawn_block.yaml"
    file.write_text(yaml.safe_dump(block, sort_keys=False), encoding="utf-8")
    given_values = data.draw(st.dictionaries(st.one_of(st.sampled_from(list(BLOCKS[name]["params"])), WORDS), SCALARS))
    include = [{"block": "drawn_block.yaml", "as": data.draw(st.sampled_from(["x", "X", "close", "a_b"]))}]
    include[0]["with"] = given_values  # type: ignore[assignment]
    text = yaml.safe_dump({**PLAY, "include": include}, sort_keys=False)
    play = folder / "drawn.yaml"
    play.write_text(text, encoding="utf-8")
    assert_told(lambda: load_play(play, instruments=FIND, library=Library()))
    if assert_told(lambda: load_block(file)):
        assert complaints(SCHEMA, read(file.read_text(encoding="utf-8"), "").value) == []


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.from_regex(r"[a-z][a-zA-Z0-9_]{0,8}", fullmatch=True), st.sampled_from(sorted(BLOCKS)))
def test_a_prefix_changes_names_and_nothing_else(prefix: str, name: str) -> None:
    """Every setup of a shipped block, with any prefix, becomes the same rows of the same graphs."""
    programs = []
    for one in (prefix, "plain"):
        setups = [{"setup": f"{one}_{setup}"} for setup in BLOCKS[name]["setups"]]
        actions = {"entry_long": setups, "exit_long": {"not": setups}}
        text = yaml.safe_dump({**PLAY, "actions": actions, "include": [{"block": name, "as": one}]}, sort_keys=False)
        programs.append(PlayStrategy(load_play(text, instruments=FIND)).program)
    assert programs[0].warmup == programs[1].warmup
    for timeframe, graph in programs[0].graphs.items():
        other = programs[1].graphs[timeframe]
        assert [(s.node.name, s.inputs, s.params) for s in graph.steps] == [
            (s.node.name, s.inputs, s.params) for s in other.steps
        ]


@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_what_ships_fits_its_schema(name: str) -> None:
    assert complaints(SCHEMA, BLOCKS[name]) == []
    assert complaints(SCHEMA, {**BLOCKS[name], "risk": {}})
