"""Blocks are written into a play before it is validated: the same play, the same hash, every mistake with its place."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from evenkeel.strategies.library import Library
from evenkeel.strategies.play.block_load import load_block
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.play import Play
from evenkeel.strategies.play.problems import PlayErrors, Problem

from .play_desk import DOCUMENT, SmallRegistry, document, find_instrument

TREND: dict[str, Any] = {
    "kind": "block",
    "version": "3.0.0",
    "name": "trend",
    "description": "Two averages.",
    "params": {"length": 50, "tf": "low_tf", "source": "close"},
    "features": {
        "slow": {
            "indicator": "ema", "tf": "{{ tf }}", "source": "{{ source }}", "params": {"length": "{{ length }}"},
        },
        "fast": {"indicator": "ema", "tf": "{{ tf }}", "source": "indicator:slow.value", "params": {"length": 3}},
        "width": {"indicator": "atr", "params": {"length": 14}},
    },
    "structures": {
        "exec": [
            {
                "type": "swing", "key": "pivots",
                "params": {"left": 3, "right": 3, "atr_key": "width", "min_atr_move": 1},
            },
            {"type": "trend", "key": "wave", "uses": ["pivots"]},
        ]
    },
    "setups": {
        "up": [["close", ">", "slow"], {"lhs": "fast.value", "op": ">", "rhs": {"feature_id": "slow", "offset": 1}}],
        "calm": {"not": {"setup": "wild"}},
        "wild": {"holds_for": {"bars": 2, "expr": [["fast", "-", "slow"], ">", {"*": ["width", 2]}]}},
        "waves": ["wave.last_wave_direction", "in", ["bullish", "none"]],
        "level": ["close", "between", ["slow", "fast"]],
    },
}  # fmt: skip


class Desk:
    """A folder with a play and its blocks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, values: Any, name: str | None = None) -> Path:
        path = self.folder / f"{name or values['name']}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(values if isinstance(values, str) else yaml.safe_dump(values, sort_keys=False))
        return path

    def load(self, values: dict[str, Any], **sets: str) -> Play:
        return load_play(
            self.put(values), instruments=find_instrument, registry=SmallRegistry(), sets=sets,
            library=Library(self.folder / "home"),
        )  # fmt: skip

    def problems(self, values: dict[str, Any], **sets: str) -> list[Problem]:
        try:
            self.load(values, **sets)
        except PlayErrors as error:
            return [problem for problem in error.problems if problem.kind != "warning"]
        return []

    def told(self, values: dict[str, Any], **sets: str) -> list[str]:
        return [
            f"{Path(one.file).name}: {one.path}: {one.message}; {one.remedy}" for one in self.problems(values, **sets)
        ]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.put(TREND)
    return made


def block(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in {**copy.deepcopy(TREND), **changes}.items() if value is not None}


def small(**changes: Any) -> dict[str, Any]:
    """Return a block of one average."""
    return {
        "kind": "block", "version": "3.0.0", "name": "small", "params": {"n": 5},
        "features": {"avg": {"indicator": "ema", "params": {"length": "{{ n }}"}}},
        "setups": {"up": ["close", ">", "avg"]}, **changes,
    }  # fmt: skip


def play(include: Any, entry: Any = None, **changes: Any) -> dict[str, Any]:
    rule = ["close", ">", "ema_20"] if entry is None else entry
    return document(include=include, actions={"entry_long": rule, "exit_long": ["close", "<", "ema_20"]}, **changes)


INLINED = {
    "features": {
        **DOCUMENT["features"],
        "big_slow": {"indicator": "ema", "tf": "med_tf", "params": {"length": 200}},
        "big_fast": {"indicator": "ema", "tf": "med_tf", "source": "indicator:big_slow.value", "params": {"length": 3}},
        "big_width": {"indicator": "atr", "params": {"length": 14}},
    },
    "structures": {
        "exec": [
            {
                "type": "swing", "key": "big_pivots",
                "params": {"left": 3, "right": 3, "atr_key": "big_width", "min_atr_move": 1},
            },
            {"type": "trend", "key": "big_wave", "uses": ["big_pivots"]},
            *DOCUMENT["structures"]["exec"],
        ]
    },
    "setups": {
        "big_up": [
            ["close", ">", "big_slow"],
            {"lhs": "big_fast.value", "op": ">", "rhs": {"feature_id": "big_slow", "offset": 1}},
        ],
        "big_calm": {"not": {"setup": "big_wild"}},
        "big_wild": {"holds_for": {"bars": 2, "expr": [["big_fast", "-", "big_slow"], ">", {"*": ["big_width", 2]}]}},
        "big_waves": ["big_wave.last_wave_direction", "in", ["bullish", "none"]],
        "big_level": ["close", "between", ["big_slow", "big_fast"]],
    },
}  # fmt: skip


def test_an_included_play_is_the_inlined_one(desk: Desk) -> None:
    included = desk.load(
        play([{"block": "trend", "as": "big", "with": {"length": 200, "tf": "med_tf"}}], {"setup": "big_up"})
    )
    inlined = desk.load(
        document(actions={"entry_long": {"setup": "big_up"}, "exit_long": ["close", "<", "ema_20"]}, **INLINED)
    )
    assert included.resolved == inlined.resolved
    assert included.hash == inlined.hash
    assert (included.features, included.structures) == (inlined.features, inlined.structures)


def test_whatever_a_block_says_is_in_the_hash(desk: Desk) -> None:
    values = play(["trend"], {"setup": "trend_up"})
    before = desk.load(values).hash
    desk.put(block(setups={**TREND["setups"], "level": ["close", "between", ["fast", "slow"]]}))
    assert desk.load(values).hash != before
    assert desk.load(play([{"block": "trend", "with": {"length": 51}}], {"setup": "trend_up"})).hash != before


def test_a_name_alone_takes_the_name_of_the_block_as_prefix(desk: Desk) -> None:
    found = desk.load(play(["trend"]))
    assert {"trend_slow", "trend_fast", "trend_width"} <= {feature.id for feature in found.features}
    assert [structure.key for structure in found.structures] == ["trend_pivots", "trend_wave", "sw", "tr"]


def test_the_same_block_comes_in_as_often_as_it_has_prefixes(desk: Desk) -> None:
    found = desk.load(play([{"block": "trend", "as": "a"}, {"block": "trend", "as": "b", "with": {"length": 9}}]))
    lengths = {feature.id: feature.params.get("length") for feature in found.features}
    assert (lengths["a_slow"], lengths["b_slow"]) == (50, 9)


def test_parameters_keep_their_type_and_may_come_from_variables(desk: Desk) -> None:
    include = [{"block": "trend", "as": "x", "with": {"length": "{{ n }}"}}]
    assert desk.load(play(include, variables={"n": 34})).resolved["features"]["x_slow"]["params"] == {"length": 34}
    assert (
        desk.load(play(include, variables={"n": 34}), n="21").resolved["features"]["x_slow"]["params"]["length"] == 21
    )


def test_a_play_uses_the_structures_of_its_blocks(desk: Desk) -> None:
    own = {"exec": [{"type": "trend", "key": "mine", "uses": "trend_pivots"}]}
    assert [s.key for s in desk.load(play(["trend"], structures=own)).structures][-1] == "mine"


def test_a_name_that_the_play_gives_stays_a_name_of_the_play(desk: Desk) -> None:
    """The block has a feature `avg` of its own; the play's `avg` is another one and keeps its name."""
    desk.put(small(params={"n": 5, "line": None}, setups={"up": ["avg", ">", "{{ line }}"]}))
    features = {**DOCUMENT["features"], "avg": {"indicator": "sma", "params": {"length": 9}}}
    found = desk.load(play([{"block": "small", "with": {"line": "avg"}}], {"setup": "small_up"}, features=features))
    assert found.resolved["setups"] == {"small_up": ["small_avg", ">", "avg"]}


def test_a_default_names_something_of_the_block(desk: Desk) -> None:
    desk.put(small(params={"n": 5, "line": "avg"}, setups={"up": ["close", ">", "{{ line }}"]}))
    assert desk.load(play(["small"])).resolved["setups"] == {"small_up": ["close", ">", "small_avg"]}


def test_a_block_includes_blocks_and_hands_names_on(desk: Desk) -> None:
    desk.put(small(params={"n": 5, "line": None}, setups={"up": ["avg", ">", "{{ line }}"]}))
    outer = {
        "kind": "block", "version": "3.0.0", "name": "outer", "params": {"line": None},
        "include": [
            {"block": "small", "as": "of_play", "with": {"line": "{{ line }}"}},
            {"block": "small", "as": "of_outer", "with": {"line": "avg", "n": 8}},
        ],
        "features": {"avg": {"indicator": "sma", "params": {"length": 4}}},
        "setups": {"both": [{"setup": "of_play_up"}, {"setup": "of_outer_up"}]},
    }  # fmt: skip
    desk.put(outer)
    features = {**DOCUMENT["features"], "avg": {"indicator": "rsi", "params": {"length": 9}}}
    found = desk.load(play([{"block": "outer", "as": "o", "with": {"line": "avg"}}], features=features))
    assert found.resolved["setups"] == {
        "o_of_play_up": ["o_of_play_avg", ">", "avg"],
        "o_of_outer_up": ["o_of_outer_avg", ">", "o_avg"],
        "o_both": [{"setup": "o_of_play_up"}, {"setup": "o_of_outer_up"}],
    }
    assert found.resolved["features"]["o_avg"]["indicator"] == "sma"


def test_what_a_play_does_not_use_of_a_block_is_no_mistake(desk: Desk) -> None:
    assert not [one for one in desk.load(play(["trend"])).warnings if "trend" in one.message]


def test_a_mistake_in_a_block_is_told_with_the_line_of_the_block(desk: Desk) -> None:
    desk.put(
        'kind: block\nversion: "3.0.0"\nname: small\nfeatures:\n  avg: { indicator: ema, params: { lenght: 5 } }\n'
        'setups:\n  up: ["close", ">", "avgg"]\n',
        "small",
    )
    first, second = desk.problems(play(["small"]))
    assert (Path(first.file).name, first.path) == ("small.yaml", "features.avg.params.lenght")
    assert (first.line, first.column) == (5, 36)
    assert "ema has no parameter 'lenght'" in first.message
    sample = desk.folder / "sample.yaml"
    line = 1 + sample.read_text().splitlines().index("- small")
    assert first.message.endswith(f"(included as `small` in {sample}, line {line})")
    assert first.excerpt == "  avg: { indicator: ema, params: { lenght: 5 } }"
    assert (Path(second.file).name, second.line, second.path) == ("small.yaml", 7, "setups.up[2]")
    assert "'avgg' is not declared" in second.message


def test_a_mistake_two_blocks_down_names_the_innermost_file(desk: Desk) -> None:
    desk.put(small(setups={"up": ["close", ">", "nope"]}))
    desk.put({"kind": "block", "version": "3.0.0", "name": "outer", "include": ["small"]})
    (problem,) = desk.problems(play(["outer"]))
    assert Path(problem.file).name == "small.yaml"
    assert "included as `small` in" in problem.message
    assert "included as `outer` in" in problem.message


def test_a_mistake_in_the_play_beside_structures_of_a_block_keeps_its_line(desk: Desk) -> None:
    own = {"exec": [{"type": "swing", "key": "mine", "params": {"lefft": 3, "right": 3}}]}
    found = desk.problems(play(["trend"], structures=own))
    assert (Path(found[0].file).name, found[0].path) == ("sample.yaml", "structures.exec[0].params.lefft")


def test_a_value_that_does_not_fit_is_told_where_the_block_uses_it(desk: Desk) -> None:
    (problem,) = desk.problems(play([{"block": "trend", "with": {"length": "long"}}]))
    assert (Path(problem.file).name, problem.path) == ("trend.yaml", "features.slow.params.length")


NEEDS = small(params={"n": 5, "line": None}, setups={"up": ["avg", ">", "{{ line }}"]})

WRONG: list[tuple[Any, Any, str]] = [
    (["tredn"], TREND, "include[0]: there is no block 'tredn'; did you mean 'trend'?"),
    ([{"block": "tredn"}], TREND, "include[0].block: there is no block 'tredn'; did you mean 'trend'?"),
    ("trend", TREND, "include: include must be a list of blocks; write `- block_name`, one a line"),
    ([7], TREND, "include[0]: '7' is not a map; write `key: value` lines; keys are block, as, with"),
    ([{"blok": "trend"}], TREND, "include[0].blok: unknown key 'blok'; did you mean 'block'?"),
    ([{"block": "trend", "as": "B-1"}], TREND, "include[0].as: 'B-1' is not a name; begin with a lower-case letter"),
    ([{"block": "trend", "with": {"lenght": 3}}], TREND,
     "include[0].with.lenght: the block 'trend' has no parameter 'lenght'; did you mean 'length'?"),
    ([{"block": "trend", "with": {"length": [3]}}], TREND,
     "include[0].with.length: the parameter 'length' must be a number, a text, true or false"),
    ([{"block": "trend", "with": {"length": None}}], TREND,
     "include[0].with.length: the parameter 'length' must be a number, a text, true or false"),
    (["small"], NEEDS, "include[0]: the block 'small' needs `line`; add `with: { line: … }`"),
    (["../x.yaml"], TREND, "include[0]: '../x.yaml' leads out of the folder of the file that names it"),
    (["small"], small(risk={"stop_loss_pct": 1}), "risk: `risk` belongs to the play, not to a block; move it there"),
    (["small"], small(risk_model={}), "risk_model: `risk_model` belongs to the play, not to a block"),
    (["small"], small(account={}), "account: `account` belongs to the play, not to a block"),
    (["small"], small(actions={}), "actions: `actions` belongs to the play, not to a block"),
    (["small"], small(symbol="X"), "symbol: `symbol` belongs to the play, not to a block"),
    (["small"], small(variables={"n": 1}), "variables: a block has no variables; declare `params`"),
    (["small"], small(featuers={}), "featuers: unknown key 'featuers'; did you mean 'features'?"),
    (["small"], small(kind="play"), "kind: this file is a play, not a block"),
    (["small"], small(version="4.0.0"), "version: version '4.0.0' is not read"),
    (["small"], small(params={"n": [1]}), "params.n: the default of 'n' must be a number"),
    (["small"], small(params={"n": "{{ m }}"}), "params.n: the default of 'n' uses a parameter"),
    (["small"], small(params={"n 1": 1, "n": 5}), "params.n 1: 'n 1' is not a name for a parameter"),
    (["small"], small(params=[1]), "params: params must be a map of name to default"),
    (["small"], small(params={"m": 5}), "features.avg.params.length: the parameter 'n' is not declared; known are m"),
    (["small"], small(features=[1]), "features: features must be a map of id to indicator"),
    (["small"], small(structures={"exce": []}), "structures.exce: unknown key 'exce'"),
    (["small"], small(structures={"exec": 1}), "structures.exec: it must be a list of structures"),
    (["small"], small(setups=[["close", ">", 1]]), "setups: setups must be a map of name to condition"),
    (["small"], "- 1", "a block is a map of keys; begin with `kind: block`"),
    (["small"], "a: [", "this is not YAML"),
    (["small"], {"version": "3.0.0", "name": "small", "features": small()["features"]}, "`kind` is missing"),
    (["small"], {"kind": "block", "version": "3.0.0", "name": "small"}, "a block needs a feature, a structure or"),
]  # fmt: skip


@pytest.mark.parametrize(("include", "other", "message"), WRONG)
def test_what_cannot_be_included_is_told(desk: Desk, include: Any, other: Any, message: str) -> None:
    desk.put(other, None if isinstance(other, dict) and other["name"] == "trend" else "small")
    found = desk.told(play(include))
    assert any(message in line for line in found), found


def test_one_mistake_is_told_once(desk: Desk) -> None:
    """A missing parameter, an unknown name in a block and a block that does not exist do not echo through the play."""
    desk.put(NEEDS)
    assert len(desk.told(play(["small"], {"setup": "small_up"}))) == 1
    desk.put(small(params={"m": 5}))
    assert len(desk.told(play(["small"], {"setup": "small_up"}))) == 1
    assert len(desk.told(play(["nope"], {"setup": "nope_up"}))) == 1


def test_ids_that_meet_are_told_with_both_places(desk: Desk) -> None:
    features = {**DOCUMENT["features"], "trend_slow": {"indicator": "ema", "params": {"length": 3}}}
    (line,) = desk.told(play(["trend"], features=features))
    assert line.startswith("sample.yaml: include[0]: 'trend_slow' is declared twice, in line ")
    assert f" and in {desk.folder / 'trend.yaml'}, line " in line
    assert line.endswith("give the block another `as`")


@pytest.mark.parametrize(
    "changes",
    [
        {"setups": {"trend_up": ["close", ">", "open"]}},
        {"structures": {"exec": [{"type": "swing", "key": "trend_pivots", "params": {"left": 3, "right": 3}}]}},
        {"structures": {"exec": [{"type": "swing", "key": "trend_fast", "params": {"left": 3, "right": 3}}]}},
    ],
)
def test_names_meet_in_every_section(desk: Desk, changes: dict[str, Any]) -> None:
    (line,) = desk.told(play(["trend"], **changes))
    assert " is declared twice, in line " in line


def test_two_blocks_with_one_prefix_meet(desk: Desk) -> None:
    (problem,) = desk.problems(play([{"block": "trend", "as": "a"}, {"block": "trend", "as": "a"}]))
    assert (problem.path, "(and 9 more)" in problem.message) == ("include[1].as", True)
    assert "included as `a`" in problem.message


def test_a_circle_of_blocks_is_told(desk: Desk) -> None:
    for name, other in (("one", "two"), ("two", "three"), ("three", "one")):
        desk.put({"kind": "block", "version": "3.0.0", "name": name, "include": [other]})
    (line,) = desk.told(play(["one"]))
    assert "blocks include each other in a circle: one -> two -> three -> one" in line
    assert line.startswith("three.yaml: include[0]")


def test_blocks_are_not_nested_without_end(desk: Desk) -> None:
    for number in range(10):
        desk.put({"kind": "block", "version": "3.0.0", "name": f"b{number}", "include": [f"b{number + 1}"]})
    (line,) = desk.told(play(["b0"]))
    assert "blocks include blocks more than 8 deep" in line


def test_blocks_do_not_multiply_without_end(desk: Desk) -> None:
    desk.put(small())
    for number in range(3):
        inner = "small" if number == 0 else f"b{number - 1}"
        include = [{"block": inner, "as": f"x{place}"} for place in range(6)]
        desk.put({"kind": "block", "version": "3.0.0", "name": f"b{number}", "include": include})
    assert any("there are more than 100 blocks" in line for line in desk.told(play(["b2"])))


def test_a_block_is_found_in_the_home(desk: Desk) -> None:
    desk.put(small(name="kept"), "home/blocks/mine/kept")
    assert "kept_avg" in {feature.id for feature in desk.load(play(["kept"])).features}


def test_a_path_is_taken_from_the_folder_of_the_play(desk: Desk) -> None:
    desk.put(small(), "parts/small")
    assert "small_avg" in {feature.id for feature in desk.load(play(["parts/small.yaml"])).features}


def test_a_text_without_a_file_includes_what_ships() -> None:
    text = yaml.safe_dump(play([{"block": "trend_filter", "as": "t"}], {"setup": "t_up"}), sort_keys=False)
    found = load_play(text, instruments=find_instrument, registry=SmallRegistry())
    assert {"t_ema_fast", "t_ema_slow"} <= {feature.id for feature in found.features}


def test_the_resolved_play_needs_no_block(desk: Desk) -> None:
    found = desk.load(play(["trend"], {"setup": "trend_up"}))
    again = load_play(yaml.safe_dump(found.resolved), instruments=find_instrument, registry=SmallRegistry())
    assert again.hash == found.hash


def test_a_block_loads_by_itself(desk: Desk) -> None:
    assert load_block(desk.put(TREND), registry=SmallRegistry()).name == "trend"
    assert load_block(desk.put(NEEDS), registry=SmallRegistry()).warnings == ()


def test_a_block_by_itself_is_judged_as_far_as_it_can_be(desk: Desk) -> None:
    wrong = small(
        features={
            "avg": {"indicator": "ema", "tf": "1h", "params": {"length": "{{ n }}"}},
            "odd": {"indicator": "emma", "params": {"length": 3}},
        },
        setups={
            "up": ["close", ">", "avgg"],
            "some_hours": {"holds_for_duration": {"duration": "45m", "expr": ["close", ">", "open"]}},
        },
        params={"n": 0, "spare": 1},
    )
    with pytest.raises(PlayErrors) as refused:
        load_block(desk.put(wrong), registry=SmallRegistry())
    assert [problem.path for problem in refused.value.problems] == [
        "params.spare", "features.avg.params.length", "features.odd.indicator", "setups.up[2]",
    ]  # fmt: skip


def test_a_block_whose_file_has_another_name_is_a_warning(desk: Desk) -> None:
    (warning,) = load_block(desk.put(small(), "other"), registry=SmallRegistry()).warnings
    assert "the block is called 'small', its file 'other.yaml'" in warning.message
