"""Damaged plays by the thousand: each loads or is refused with its problems, soon, and no unknown key ever gets in.

`make soak` loads a hundred thousand of them.
"""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import desk
from amount import cases
from evenkeel import examples
from evenkeel.data.definitions import Definitions
from evenkeel.model.errors import StorageError, UsageError
from evenkeel.model.instrument import Instrument
from evenkeel.strategies.play.json_schema import play_schema
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.play import Play
from evenkeel.strategies.play.problems import PlayErrors, dotted, render_with_excerpt
from evenkeel.strategies.play.yaml_source import read
from play_mutations import containers, damaged_bytes, damaged_text, damaged_tree, misspelt
from random_plays import random_play
from reference.json_schema import complaints
from watchdog import Hangs, within

TESTS = Path(__file__).parents[1]
PLAYS = cases(480, 100_000)
CHUNKS = 12
PATIENCE_S = 60
"""A file that takes longer hangs; an ordinary one takes milliseconds, one that unfolds to its limit about a second."""

DRAWN = 30
TEXTS = [
    *(examples.find(name).read_text("utf-8") for name in examples.names()),
    *(path.read_text("utf-8") for path in sorted(TESTS.rglob("plays/*.yaml"))),
    *(path.read_text("utf-8") for path in sorted(TESTS.rglob("spec_plays/*.yaml"))),
    *(random_play(np.random.default_rng(seed)) for seed in range(DRAWN)),
]
DOCUMENTS: list[Any] = [read(text, "").value for text in TEXTS]
SCHEMA = play_schema()
_shipped = Definitions.load().find
OWN_NAMES = ("features", "setups", "variables", "metadata")
"""Maps whose keys are names of the author's."""


def find(name: str) -> Instrument:
    return desk.instrument() if name == "TEST" else _shipped(name)


def outcome(source: Path | str) -> Play | PlayErrors | None:
    """Return what became of a file: a play, its problems, or None where it cannot even be read."""
    refused: UsageError | StorageError
    try:
        with within(PATIENCE_S):
            return load_play(source, instruments=find)
    except (UsageError, StorageError) as error:
        refused = error
    assert refused.message
    if not isinstance(refused, PlayErrors):
        assert isinstance(source, Path), refused
        return None
    assert any(problem.kind != "warning" for problem in refused.problems)
    for problem in refused.problems[:20]:
        assert problem.message
        assert render_with_excerpt(problem)
    return refused


def test_the_watchdog_barks() -> None:
    with pytest.raises(Hangs), within(1):
        time.sleep(PATIENCE_S)


def known_keys(part: Any) -> Iterator[str]:
    """Yield every key that the schema knows anywhere."""
    if isinstance(part, dict):
        yield from part.get("properties", {})
        for inside in part.values():
            yield from known_keys(inside)
    elif isinstance(part, list):
        for inside in part:
            yield from known_keys(inside)


KNOWN = set(known_keys(SCHEMA))


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_damaged_play_loads_or_is_refused_and_nothing_else(chunk: int, tmp_path: Path) -> None:
    file = tmp_path / "damaged.yaml"
    for seed in range(chunk, PLAYS, CHUNKS):
        rng = random.Random(seed)
        try:
            match seed // CHUNKS % 4:
                case 0 | 1:
                    outcome(damaged_text(rng, rng.choice(TEXTS)))
                case 2:
                    file.write_bytes(damaged_bytes(rng, rng.choice(TEXTS)))
                    outcome(file)
                case _:
                    check_tree(rng)
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise


def check_tree(rng: random.Random) -> None:
    """Load a tree with values exchanged and keys misspelt; what loads must also fit the schema."""
    tree = damaged_tree(rng, rng.choice(DOCUMENTS), DOCUMENTS)
    text = yaml.safe_dump(tree, allow_unicode=True, sort_keys=False)
    if isinstance(outcome(text), Play):
        assert complaints(SCHEMA, read(text, "").value) == []


LOADABLE = [document for text, document in zip(TEXTS, DOCUMENTS, strict=True) if isinstance(outcome(text), Play)]


def refusal(document: Any) -> list[str]:
    """Return the paths of all problems of a document; none if it loads."""
    found = outcome(yaml.safe_dump(document, allow_unicode=True, sort_keys=False))
    return (
        [problem.path for problem in found.problems if problem.kind != "warning"]
        if isinstance(found, PlayErrors)
        else []
    )


def own_name_map(path: tuple[Any, ...]) -> bool:
    return bool(path) and path[-1] in OWN_NAMES and (len(path) == 1 or path[-1] == "metadata")


def some_documents() -> list[Any]:
    """Return the plays whose every map is tried: those that people wrote, and some that were drawn."""
    return LOADABLE[: len(LOADABLE) - cases(DRAWN - 4, 0)]


@pytest.mark.parametrize("document", some_documents(), ids=lambda document: document["name"])
def test_an_unknown_key_is_refused_in_every_map_with_its_path(document: Any) -> None:
    """L8: whatever the map, in whatever section."""
    tried = 0
    for path, container in containers(copy.deepcopy(document)):
        if isinstance(container, dict) and not own_name_map(path):
            damaged = copy.deepcopy(document)
            place: Any = damaged
            for part in path:
                place = place[part]
            place["zz_unknown"] = 1
            assert dotted((*path, "zz_unknown")) in refusal(damaged), dotted(path)
            tried += 1
    assert tried > 8


@pytest.mark.parametrize("document", some_documents(), ids=lambda document: document["name"])
def test_a_misspelt_key_is_refused_in_every_map_with_its_path(document: Any) -> None:
    rng = random.Random(len(str(document)))
    tried = 0
    for path, container in containers(copy.deepcopy(document)):
        if not isinstance(container, dict) or not container or own_name_map(path):
            continue
        key = rng.choice(sorted(container))
        wrong = misspelt(rng, key)
        if wrong in KNOWN or wrong.strip() != wrong:
            continue
        damaged = copy.deepcopy(document)
        place: Any = damaged
        for part in path:
            place = place[part]
        place[wrong] = place.pop(key)
        told = refusal(damaged)
        assert any(one == dotted((*path, wrong)) for one in told), (dotted(path), key, wrong, told)
        tried += 1
    assert tried > 5


@pytest.mark.parametrize("name", OWN_NAMES)
def test_maps_of_own_names_hold_only_what_belongs_there(name: str) -> None:
    """A stray key among names is a declaration that is wrong by its value, or a variable that nobody uses."""
    document = copy.deepcopy(LOADABLE[0])
    if name == "metadata":
        document["actions"] = [
            {
                "id": "in",
                "cases": [{"when": ["close", ">", 1], "emit": [{"action": "entry_long", "metadata": {"x": [1]}}]}],
            }
        ]
        assert "actions[0].cases[0].emit[0].metadata.x" in refusal(document)
        return
    document.setdefault(name, {})["stray"] = [] if name == "variables" else 1
    assert f"{name}.stray" in refusal(document)


def scalars(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield every number, word and truth of a tree with its path."""
    if isinstance(tree, dict | list):
        for key, part in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from scalars(part, (*path, key))
    elif tree is not None:
        yield path, tree


@pytest.mark.parametrize("document", some_documents(), ids=lambda document: document["name"])
def test_every_value_may_be_a_variable_and_means_the_same(document: Any) -> None:
    """Trap T3: a section in which variables are read and not written in."""
    expected = load_play(yaml.safe_dump(document, sort_keys=False), instruments=find).resolved
    for path, value in scalars(document):
        if path[0] == "variables" or (isinstance(value, str) and "{{" in value):
            continue
        written = copy.deepcopy(document)
        place: Any = written
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = "{{ stand_in }}"
        written.setdefault("variables", {})["stand_in"] = value
        found = load_play(yaml.safe_dump(written, sort_keys=False), instruments=find).resolved
        assert {**found, "variables": {}} == {**expected, "variables": {}}, dotted(path)
        assert complaints(SCHEMA, written) == [], dotted(path)
