"""Whatever stands in a playbook or a system, loading it gives one or its problems, never anything else."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evenkeel import examples
from evenkeel.data.definitions import Definitions
from evenkeel.strategies.play.problems import PlayErrors, Problem, render_with_excerpt
from evenkeel.strategies.play.yaml_source import read
from evenkeel.strategies.playbook.json_schema import playbook_schema, system_schema
from evenkeel.strategies.playbook.load import load_playbook
from evenkeel.strategies.playbook.system_load import load_system
from reference.json_schema import complaints

FIND = Definitions.load().find
LOADERS: dict[str, Any] = {"playbook": load_playbook, "system": load_system}
SCHEMAS = {"playbook": playbook_schema(), "system": system_schema()}
DOCUMENTS = [
    (kind, yaml.safe_load(path.read_text(encoding="utf-8"))) for kind in LOADERS for path in examples.files(kind)
]

WORDS = st.sampled_from(
    [
        "close", "ema_30_w", ">", "all", "setup", "mood_wild", "calm", "falling", "ema_cross", "market_mood", "hold",
        "parallel", "sequential", "regime_switch", "weight", "play", "symbol", "SPY.US", "{{ nope }}", "{{", "D", "",
        "../x.yaml", "playbook", "system", "kind", "spy_regimes",
    ]
)  # fmt: skip
SCALARS = st.one_of(WORDS, st.none(), st.booleans(), st.integers(-5, 10**12), st.floats(), st.text(max_size=6))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS | st.text(), inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every container with each of its keys or positions."""
    own: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        own = [(value, key) for key in value]
    elif isinstance(value, list):
        own = [(value, index) for index in range(len(value))]
    return own + [place for container, key in list(own) for place in places(container[key])]


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_changed_document_loads_or_is_refused(data: st.DataObject) -> None:
    kind, original = data.draw(st.sampled_from(DOCUMENTS))
    document = copy.deepcopy(original)
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(document)))
        if data.draw(st.booleans()):
            container[key] = data.draw(VALUES)
        else:
            del container[key]
    if data.draw(st.booleans()):
        document[data.draw(st.one_of(WORDS, st.text(max_size=4)))] = data.draw(VALUES)
    text = yaml.safe_dump(document, sort_keys=False)
    found = problems_of(kind, text)
    if found is None:
        assert complaints(SCHEMAS[kind], read(text, "").value) == []
    assert found is None or any(problem.kind != "warning" for problem in found)
    assert all(problem.message and render_with_excerpt(problem) for problem in found or ())


def problems_of(kind: str, text: str) -> Sequence[Problem] | None:
    """Return what is told of a document; None if it loads."""
    try:
        LOADERS[kind](text, instruments=FIND)
    except PlayErrors as error:
        return error.problems
    return None


@pytest.mark.parametrize("kind", LOADERS)
def test_what_ships_fits_its_schema(kind: str) -> None:
    for path in examples.files(kind):
        assert complaints(SCHEMAS[kind], read(path.read_text(encoding="utf-8"), "").value) == []
    assert complaints(SCHEMAS[kind], {"kind": kind, "unknown": 1})
