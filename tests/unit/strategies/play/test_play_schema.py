"""The JSON Schema of plays, held against a second reading of the standard and against the loader."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from evenkeel import examples
from evenkeel.data.definitions import Definitions
from evenkeel.features.node import Node, Param
from evenkeel.features.registry import all_indicators, all_structures
from evenkeel.strategies.play import vocabulary
from evenkeel.strategies.play.json_schema import play_schema
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.problems import PlayErrors
from evenkeel.strategies.play.schema import AccountSection, EntrySection, PolicySection
from evenkeel.strategies.play.yaml_source import read
from play_mutations import containers, damaged_tree
from random_plays import random_play
from reference.json_schema import complaints

TESTS = Path(__file__).parents[3]
FIND = Definitions.load().find
SCHEMA = play_schema()
NODES = [*all_indicators().values(), *all_structures().values()]
FILES = [
    *(examples.find(name) for name in examples.names()),
    *sorted((TESTS / "acceptance" / "plays").glob("*.yaml")),
    *sorted((Path(__file__).parent / "spec_plays").glob("*.yaml")),
]
DOCUMENTS = [read(path.read_text("utf-8"), path.name).value for path in FILES]
NOT_PLUGGED_IN = "stretch"
FREE_NAMES = ("variables", "metadata")
"""Maps whose keys are the author's and whose values are any scalar: every key is a known one."""


def loads(text: str) -> bool:
    try:
        load_play(text, instruments=FIND)
    except PlayErrors:
        return False
    return True


def test_it_is_json_and_says_which_dialect() -> None:
    assert json.loads(json.dumps(SCHEMA, allow_nan=False)) == SCHEMA
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["required"] == ["version", "name", "timeframes", "account", "actions"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_shipped_and_accepted_play_fits(path: Path) -> None:
    text = path.read_text("utf-8")
    if path.parent == examples.FOLDER:
        assert loads(text)
    if loads(text):
        assert complaints(SCHEMA, read(text, path.name).value) == []


@pytest.mark.parametrize("seed", range(40))
def test_every_drawn_play_fits(seed: int) -> None:
    assert complaints(SCHEMA, yaml.safe_load(random_play(np.random.default_rng(seed)))) == []


@pytest.mark.parametrize("seed", range(60))
def test_whatever_loads_fits_however_odd(seed: int) -> None:
    rng = random.Random(seed)
    tree = damaged_tree(rng, rng.choice(DOCUMENTS[: len(examples.names())]), DOCUMENTS)
    text = yaml.safe_dump(tree, allow_unicode=True, sort_keys=False)
    value = read(text, "").value
    assert not (loads(text) and complaints(SCHEMA, value))


PLAY: dict[str, Any] = {
    "version": "3.0.0", "name": "sample", "symbol": "BTCUSDT",
    "timeframes": {"low_tf": "15m", "med_tf": "1h", "high_tf": "D", "exec": "low_tf"},
    "account": {"starting_equity": 10000, "fee_model": {"taker_bps": 5}},
    "features": {"ema_20": {"indicator": "ema", "params": {"length": 20}}, "atr_14": {"indicator": "atr"}},
    "structures": {"exec": [{"type": "swing", "key": "sw", "params": {"left": 3, "right": 3}}]},
    "variables": {"fast": 20},
    "setups": {"up": ["close", ">", "ema_20"]},
    "actions": {"entry_long": {"setup": "up"}},
    "position_policy": {"mode": "long_only"},
    "risk_model": {
        "stop_loss": {"type": "percent", "value": 2}, "take_profit": {"type": "rr_ratio", "value": 2},
        "sizing": {"model": "risk_based", "value": 1},
    },
}  # fmt: skip


def with_change(path: str, value: Any) -> dict[str, Any]:
    """Return the sample with the value at a dotted path replaced; `...` takes it out."""
    changed = copy.deepcopy(PLAY)
    place: Any = changed
    *parents, last = path.split(".")
    for part in parents:
        place = place[int(part)] if part.isdigit() else place.setdefault(part, {})
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return changed


def entry(condition: Any) -> dict[str, Any]:
    return with_change("actions.entry_long", condition)


RIGHT = [
    PLAY,
    with_change("features.ema_20.params.length", "{{ fast }}"),
    with_change("features.ema_20.params.length", None),
    with_change("features.ema_20.indicator", "{{ which }}"),
    with_change("features.ema_20.source", "indicator:atr_14"),
    with_change("features.ema_20.tf", "med_tf"),
    with_change("risk_model.stop_loss.type", "{{ kind }}"),
    with_change("account.max_leverage", "{{ lev }}"),
    with_change("features", None),
    with_change("timeframes.high_tf", "1d"),
    with_change("warmup.min_bars", {"1h": 50}),
    with_change("symbol", "{{ coin }}USDT"),
    entry(["close", "cross_above", ["ema_20", "-", {"*": ["atr_14", 2]}]]),
    entry([100, "cross_above", "close"]),
    entry(["close", "near_pct", "ema_20", 0.5]),
    entry(["close", "between", {"low": 1, "high": "ema_20"}]),
    entry(["sw.high_accepted", "==", True]),
    entry(["sw.pair_direction", "in", ["bullish", "none"]]),
    entry([["close", ">", "open"]]),
    entry([["close", ">", "open"], {"not": ["close", "<", "ema_20"]}]),
    entry({"lhs": "close", "op": "near_abs", "rhs": {"feature_id": "ema_20", "offset": 1}, "tolerance": 2}),
    entry({"lhs": "close", "op": "{{ op }}", "rhs": 5}),
    entry({"count_true": {"bars": 5, "min_true": 2, "expr": ["close", ">", "open"], "anchor_tf": "1h"}}),
    entry({"holds_for_duration": {"duration": "{{ time }}", "expr": {"setup": "up"}}}),
]

WRONG = [
    with_change("version", ...),
    with_change("actions", ...),
    with_change("symbol", ...),
    with_change("risk", {"stop_loss_pct": 1}),
    with_change("name", "With Spaces"),
    with_change("timeframes.low_tf", "7m"),
    with_change("timeframes.exec", "15m"),
    with_change("account.starting_equity", 0),
    with_change("account.starting_equity", "10000"),
    with_change("account.max_drawdown_pct", 101),
    with_change("account.fee_model.taker_bps", True),
    with_change("features.ema_20.indicator", "emma"),
    with_change("features.ema_20.indicator", ...),
    with_change("features.ema_20.params.length", 0),
    with_change("features.ema_20.params.length", 5001),
    with_change("features.ema_20.params.length", 2.5),
    with_change("features.ema_20.params.std", 2),
    with_change("features.atr_14.source", "close"),
    with_change("features.ema_20.source", "closing"),
    with_change("features.ema_20.tf", "7m"),
    with_change("features.1st", {"indicator": "ema"}),
    with_change("structures.fast", []),
    with_change("structures.exec.0.type", "swung"),
    with_change("structures.exec.0.params.mode", "both"),
    with_change("structures.exec", [{"type": "trend", "key": "tr"}]),
    with_change("structures.exec", [{"type": "rolling_window", "key": "w", "params": {"mode": "max"}}]),
    with_change("structures.exec", [{"type": "rolling_window", "key": "w"}]),
    with_change("actions.enter_long", ["close", ">", 1]),
    with_change("actions", [{"id": "a", "cases": [{"when": ["close", ">", 1], "emit": ["buy"]}]}]),
    with_change("actions", [{"id": "a", "cases": [{"emit": ["entry_long"]}]}]),
    with_change("actions", [{"id": "a", "cases": []}]),
    with_change("position_policy.mode", "both"),
    with_change("position_policy.allow_flip", True),
    with_change("risk_model.stop_loss.type", "percents"),
    with_change("risk_model.stop_loss.atr_feature_id", "atr_14"),
    with_change("risk_model.stop_loss", {"type": "atr_multiple", "value": 2}),
    with_change("risk_model.stop_loss", {"value": 2}),
    with_change("risk_model.stop_loss.value", -1),
    with_change("risk_model.stop_loss.type", "rr_ratio"),
    with_change("risk_model.sizing.model", "all_in"),
    entry([]),
    entry("close"),
    entry({}),
    entry(["close", "above", "open"]),
    entry(["close", ">"]),
    entry(["close", ">", "open", 3]),
    entry(["close", "near_pct", "open"]),
    entry(["close", "near_pct", "open", -1]),
    entry([1, ">", "close"]),
    entry(["close", "in", []]),
    entry(["close", "between", [1, 2, 3]]),
    entry(["close", "between", {"low": 1}]),
    entry(["close", ">", ["open", "^", 2]]),
    entry(["close", ">", {"+": [1]}]),
    entry(["close", ">", {"feature_id": "open", "ofset": 1}]),
    entry(["close", ">", {"feature_id": "open", "offset": -1}]),
    entry([["close", ">", "open"], "close"]),
    entry({"all": ["close", ">", "open"]}),
    entry({"all": [["close", ">", "open"]], "any": [["close", ">", "open"]]}),
    entry({"al": [["close", ">", "open"]]}),
    entry({"lhs": "close", "op": ">"}),
    entry({"lhs": "close", "op": ">", "rhs": 1, "tolerance": 1}),
    entry({"lhs": "close", "op": "near_pct", "rhs": 1}),
    entry({"lhs": "close", "op": ">", "rhs": 1, "setup": "up"}),
    entry({"holds_for": {"bars": 501, "expr": ["close", ">", "open"]}}),
    entry({"holds_for": {"bars": 5}}),
    entry({"holds_for": {"bars": 5, "min_true": 2, "expr": ["close", ">", "open"]}}),
    entry({"holds_for_duration": {"bars": 5, "expr": ["close", ">", "open"]}}),
    entry({"count_true": {"bars": 5, "expr": ["close", ">", "open"]}}),
    entry({"holds_for_duration": {"duration": "5w", "expr": ["close", ">", "open"]}}),
]


@pytest.mark.parametrize("play", RIGHT)
def test_what_is_right_fits(play: dict[str, Any]) -> None:
    assert complaints(SCHEMA, play) == []


@pytest.mark.parametrize("play", WRONG)
def test_what_is_wrong_does_not(play: dict[str, Any]) -> None:
    assert complaints(SCHEMA, play) != []


@pytest.mark.parametrize("document", [PLAY, *DOCUMENTS], ids=lambda document: document["name"])
def test_an_unknown_key_fails_in_every_map(document: dict[str, Any]) -> None:
    for path, container in containers(document):
        if isinstance(container, dict) and not (path and path[-1] in FREE_NAMES):
            container["zz_unknown"] = 1
            assert complaints(SCHEMA, document) != [], path
            del container["zz_unknown"]


def properties(part: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every property of every definition with its place; those of `then` and `if` only repeat them."""
    if isinstance(part, dict):
        for name, one in part.get("properties", {}).items():
            yield f"{where}.{name}", one
        for key, inside in part.items():
            if key not in ("if", "then", "else"):
                yield from properties(inside, f"{where}.{key}")
    elif isinstance(part, list):
        for index, inside in enumerate(part):
            yield from properties(inside, f"{where}[{index}]")


def test_every_key_is_explained() -> None:
    described = properties(SCHEMA, "$")
    silent = [where for where, part in described if not where.endswith((".type", ".low", ".high")) and not says(part)]
    assert silent == []


def says(part: dict[str, Any]) -> bool:
    return "description" in part or "description" in SCHEMA["$defs"].get(part.get("$ref", "").rpartition("/")[2], {})


@pytest.mark.parametrize("section", [AccountSection, PolicySection, EntrySection])
def test_defaults_are_those_of_the_models(section: Any) -> None:
    described = SCHEMA["$defs"][section.__name__]["properties"]
    defaults = {name: field.default for name, field in section.model_fields.items()}
    plain = {name: value for name, value in defaults.items() if isinstance(value, int | float | str)}
    assert plain == {name: described[name]["default"] for name in plain}
    assert plain


def test_the_words_of_the_language_are_offered() -> None:
    conditions = SCHEMA["$defs"]["condition_map"]["properties"]
    operators = [word for one in conditions["op"]["anyOf"] for word in one.get("enum", ())]
    assert sorted(operators) == sorted(vocabulary.OPERATORS)
    assert {*vocabulary.WINDOWS, *vocabulary.DURATION_WINDOWS, "all", "any", "not", "setup"} < set(conditions)
    words = [word for one in SCHEMA["$defs"]["operand"]["anyOf"] for word in one.get("enum", ())]
    assert set(vocabulary.BUILTINS) <= set(words)


def offered(part: dict[str, Any]) -> set[str]:
    return {word for one in part["anyOf"] for word in one.get("enum", ())}


def test_every_indicator_and_structure_is_offered_with_its_meaning() -> None:
    for section, key, nodes in (
        ("FeatureSection", "indicator", all_indicators()), ("StructureSection", "type", all_structures()),
    ):  # fmt: skip
        part = SCHEMA["$defs"][section]["properties"][key]
        assert offered(part) == set(nodes)
        (listed,) = [one for one in part["anyOf"] if "enum" in one]
        assert listed["enumDescriptions"] == [nodes[name].summary for name in listed["enum"]]


@pytest.mark.parametrize("node", NODES, ids=lambda node: node.name)
def test_every_parameter_has_type_range_default_and_meaning(node: Node) -> None:
    described = SCHEMA["$defs"][f"{node.kind}.{node.name}"]
    assert set(described["properties"]) - {"atr_key"} == {param.name for param in node.params}
    for param in node.params:
        part = described["properties"][param.name]
        assert part["description"] == param.meaning != ""
        assert part.get("default") == (list(param.default) if isinstance(param.default, tuple) else param.default)
        for value, fits in samples(param):
            assert (complaints(part, value, SCHEMA) == []) is fits, (param.name, value)


def samples(param: Param) -> Iterator[tuple[Any, bool]]:
    """Yield values at and beyond the ends of a parameter, and whether each is allowed."""
    yield [], False
    yield None, param.default is not None or param.optional
    if param.type in (int, float):
        step = 1 if param.type is int else 1e-6
        yield True, False
        if param.low is not None:
            yield param.type(param.low), not param.above
            yield param.type(param.low) - step, False
        if param.high is not None:
            yield param.type(param.high), True
            yield param.type(param.high) + step, False
        yield 0.5 + int(param.low or 0), param.type is float
    for word in param.choices:
        yield word, True
    if param.choices:
        yield "no_such_word", False
