"""Whatever stands in a file, loading it gives a play or its problems, never anything else."""

from __future__ import annotations

import copy
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evenkeel import examples
from evenkeel.data.definitions import Definitions
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.play import Play
from evenkeel.strategies.play.problems import PlayErrors, render_with_excerpt

FIND = Definitions.load().find
TEXTS = [examples.find(name).read_text(encoding="utf-8") for name in examples.names()]
DOCUMENTS = [yaml.safe_load(text) for text in TEXTS]

WORDS = st.sampled_from(
    [
        "close", "ema_fast_20", "sw", "sw.low_level", "tr.direction", "atr_14", "bullish", "==", ">", "cross_above",
        "in", "between", "near_pct", "all", "not", "setup", "holds_for", "{{ fast }}", "{{ nope }}", "{{", "percent",
        "structure", "LIMIT", "exec", "1h", "2024-01-01", "indicator:obv", "vwap_d", "fib.level[0.618]", "", "é", "-",
    ]
)  # fmt: skip
SCALARS = st.one_of(WORDS, st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=8))
KEYS = st.one_of(WORDS, st.text(max_size=5))
OPTIONS = st.one_of(KEYS, st.sampled_from(["account.x.y", "features.0", "a..b", "."]))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)


def outcome(text: str, sets: dict[str, str] | None = None) -> Play | None:
    try:
        return load_play(text, instruments=FIND, sets=sets)
    except PlayErrors as error:
        told = error.problems
    assert any(problem.kind != "warning" for problem in told)
    assert all(problem.message and render_with_excerpt(problem) for problem in told)
    return None


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every container with each of its keys or positions."""
    if isinstance(value, dict):
        own: list[tuple[Any, Any]] = [(value, key) for key in value]
    elif isinstance(value, list):
        own = [(value, index) for index in range(len(value))]
    else:
        return []
    return own + [place for container, key in list(own) for place in places(container[key])]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_a_play_with_any_values_replaced_loads_or_tells(data: st.DataObject) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from(DOCUMENTS)))
    for _ in range(data.draw(st.integers(1, 4))):
        found = places(document)
        container, key = found[data.draw(st.integers(0, len(found) - 1))]
        match data.draw(st.sampled_from(["replace", "remove", "rename"])):
            case "replace":
                container[key] = data.draw(VALUES)
            case "rename" if isinstance(container, dict):
                container[data.draw(st.one_of(WORDS, st.text(max_size=6)))] = container.pop(key)
            case _:
                del container[key]
        if not places(document):
            break
    outcome(yaml.safe_dump(document, allow_unicode=True, sort_keys=False))


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_a_damaged_file_loads_or_tells(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(TEXTS))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 12)))
        text = text[:start] + data.draw(st.text(alphabet="[]{}:,-#&*!|>'\"%@`~\n\t aé0.\x00", max_size=4)) + text[end:]
    outcome(text)


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=60))
def test_any_text_loads_or_tells(text: str) -> None:
    outcome(text)


@settings(max_examples=50, deadline=None)
@given(name=OPTIONS, value=KEYS)
def test_any_override_loads_or_tells(name: str, value: str) -> None:
    outcome(TEXTS[0], {name: value})


@settings(max_examples=30, deadline=None)
@given(index=st.integers(0, len(TEXTS) - 1), percent=st.floats(0.1, 50), length=st.integers(2, 300))
def test_a_resolved_play_loads_to_itself(index: int, percent: float, length: int) -> None:
    sets = {"account.max_drawdown_pct": repr(percent), "features.extra_1.indicator": "ema"}
    first = outcome(TEXTS[index], {**sets, "features.extra_1.params.length": str(length)})
    assert first is not None
    again = outcome(yaml.safe_dump(first.resolved, sort_keys=False))
    assert again is not None
    assert (again.hash, again.features, again.account) == (first.hash, first.features, first.account)
