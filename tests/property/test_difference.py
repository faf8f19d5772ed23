"""What `difference` says of two plays holds on bars: equal plays decide alike, and claims of more or fewer are true."""

from __future__ import annotations

import copy
import json
import random
import re
from typing import Any

import numpy as np
import pytest

import desk
from amount import cases
from evenkeel.data.calendar import load_calendar
from evenkeel.features.timeline import FeatureRun, Series
from evenkeel.model.bar import Floats
from evenkeel.model.errors import UsageError
from evenkeel.strategies.play.difference import Comparison, Effect, compare
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.lower import Lowered, lower
from evenkeel.strategies.play.play import Play
from evenkeel.strategies.play.yaml_source import read
from play_mutations import containers
from random_plays import random_play

WALK = desk.walk(11, 3000)
PLAYS = cases(12, 1000)
EDITS = 8
OPERATORS = (">", "<", ">=", "<=")


def loaded(document: dict[str, Any]) -> Play:
    return load_play(json.dumps(document), instruments=lambda _: desk.instrument())


def drawn(seed: int) -> dict[str, Any]:
    return dict(read(random_play(np.random.default_rng(seed)), "drawn").value)


def found(before: Play, after: Play) -> tuple[Comparison, Lowered, Lowered]:
    was, now = lower(before), lower(after)
    return compare(before, after, was.program.warmup, now.program.warmup), was, now


def fired(lowered: Lowered) -> dict[tuple[str, int], Floats]:
    """Return for each rule and wish where it speaks, on every bar of the walk."""
    run = FeatureRun(lowered.program, Series(WALK, load_calendar("24/7")), block=len(WALK))
    run.advance()
    window = run.x[:, run.column : run.column + run.stop]
    rules: dict[tuple[str, int], Floats] = {}
    for one in lowered.emitted:
        key = (one.words, int(one.wish))
        rules[key] = np.maximum(rules.get(key, 0.0), window[one.row] == 1.0)
    return rules


def wishes(lowered: Lowered) -> dict[int, Floats]:
    """Return for each wish where any rule utters it."""
    by_wish: dict[int, Floats] = {}
    for (_, wish), row in fired(lowered).items():
        by_wish[wish] = np.maximum(by_wish.get(wish, 0.0), row)
    return by_wish


def renamed(rng: random.Random, document: dict[str, Any]) -> dict[str, Any]:
    """Return a play that means the same: other names, another order, setups spelled out, a spare feature."""
    names = [*document["features"], *(one["key"] for many in document.get("structures", {}).values() for one in many)]
    others = {name: f"{name}_renamed" for name in names if rng.random() < 0.7}

    def word(text: str) -> str:
        return re.sub(r"[a-z]\w*", lambda match: others.get(match[0], match[0]), text, count=0)

    def walk(value: Any, *, is_condition: bool) -> Any:
        if isinstance(value, dict):
            made = {key: walk(part, is_condition=is_condition) for key, part in value.items()}
            for kind in ("all", "any"):
                if is_condition and isinstance(made.get(kind), list):
                    rng.shuffle(made[kind])
            if is_condition and set(made) == {"setup"} and rng.random() < 0.5:
                return walk(document["setups"][made["setup"]], is_condition=True)
            return made
        if isinstance(value, list):
            return [walk(part, is_condition=is_condition) for part in value]
        return word(value) if isinstance(value, str) and value not in document.get("setups", {}) else value

    features = [(others.get(name, name), walk(spec, is_condition=False)) for name, spec in document["features"].items()]
    rng.shuffle(features)
    made = {
        key: walk(part, is_condition=key in ("actions", "setups"))
        for key, part in document.items()
        if key in ("actions", "setups", "risk_model", "structures")
    }
    spare = {"spare_7": {"indicator": "sma", "params": {"length": 7}}}
    return {**document, **made, "features": {**dict(features), **spare}, "description": "the same in other words"}


def edited(rng: random.Random, document: dict[str, Any]) -> dict[str, Any]:
    """Return a play with one small thing changed in its conditions."""
    document = copy.deepcopy(document)
    inside = [part for key in ("actions", "setups") for _, part in containers(document.get(key, {}))]
    rng.shuffle(inside)
    for part in inside:
        if isinstance(part, list) and len(part) >= 3 and part[1] in OPERATORS and rng.random() < 0.5:
            part[1] = rng.choice(OPERATORS)
            return document
        if isinstance(part, list) and len(part) >= 3 and isinstance(part[1], str) and _number_at(part, 2):
            part[2] = part[2] + rng.choice((-5, -1, 1, 5, 0.5))
            return document
        if isinstance(part, list) and len(part) == 4 and part[1] == "near_pct":
            part[3] = part[3] * rng.choice((0.5, 2))
            return document
        if isinstance(part, dict) and "bars" in part:
            part["bars"] = max(part.get("min_true", 1), part["bars"] + rng.choice((-1, 1, 2)))
            return document
        if isinstance(part, dict) and "min_true" in part and "bars" in part and part["min_true"] > 1:
            part["min_true"] -= 1
            return document
        kind = next((key for key in ("all", "any") if isinstance(part, dict) and isinstance(part.get(key), list)), None)
        if kind and len(part[kind]) > 1 and rng.random() < 0.5:
            part[kind].pop(rng.randrange(len(part[kind])))
            return document
        if kind:
            part[kind].append(["close", rng.choice(OPERATORS), "open"])
            return document
    return document


def _number_at(part: list[Any], place: int) -> bool:
    return isinstance(part[place], int | float) and not isinstance(part[place], bool)


@pytest.mark.parametrize("seed", range(PLAYS))
def test_a_play_in_other_words_is_equal_and_decides_alike(seed: int) -> None:
    document = drawn(seed)
    other = renamed(random.Random(seed), document)
    comparison, was, now = found(loaded(document), loaded(other))
    assert comparison.is_equal, [change.line() for change in comparison.changes]
    assert was.program.warmup == now.program.warmup
    before, after = wishes(was), wishes(now)
    assert before.keys() == after.keys()
    for wish, row in before.items():
        np.testing.assert_array_equal(row, after[wish])


def test_what_is_claimed_of_edits_is_true_on_bars() -> None:
    """An edit that is said to change nothing changes no bar; one said to fire more often misses none of before."""
    claims = {Effect.MORE: 0, Effect.FEWER: 0, Effect.OTHER: 0}
    for seed in range(PLAYS):
        rng = random.Random(seed)
        document = drawn(seed)
        for _ in range(EDITS):
            try:
                play, other = loaded(document), loaded(edited(rng, document))
            except UsageError:
                continue
            comparison, was, now = found(play, other)
            before, after = fired(was), fired(now)
            for (words, wish), row in before.items():
                told = [
                    change for change in comparison.changes if change.part == "rules" and _is_of(change.where, words)
                ]
                effects = {change.effect for change in told}
                claims.update({effect: claims[effect] + 1 for effect in effects if effect is not None})
                _check(effects, row, after.get((words, wish)), (seed, [change.line() for change in told]))
    assert min(claims.values()) > 10, claims


def _check(effects: set[Effect | None], before: Floats, after: Floats | None, told: Any) -> None:
    if after is None or len(effects) > 1:
        return
    if not effects:
        np.testing.assert_array_equal(before, after, err_msg=str(told))
    elif effects == {Effect.MORE}:
        assert np.all(after >= before), told
    elif effects == {Effect.FEWER}:
        assert np.all(after <= before), told


def _is_of(where: str, words: str) -> bool:
    """Whether a change is of the rule with these words: its block, or its case of the block."""
    block, _, case = words.partition(", case ")
    place, _, changed_case = where.partition(", case ")
    return place.partition(" (")[0] == block and (not changed_case or changed_case == case)
