"""The condition language against `reference.language`: each node by its table, and random trees through whole plays."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenkeel.features import conditions as nodes
from evenkeel.features.graph import GraphBuilder
from evenkeel.features.node import Node
from evenkeel.model.bar import Floats
from reference import language
from reference.wiring import feed

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)

Rng = np.random.Generator
NAN = math.nan


def missing(value: float) -> float | None:
    """Return a number of a row as the reference has it."""
    return None if math.isnan(value) else float(value)


def truth(value: float) -> bool | None:
    """Return a truth of a row as the reference has it."""
    assert math.isnan(value) or value in (0.0, 1.0)
    return None if math.isnan(value) else bool(value == 1.0)


def row(value: float | bool | None) -> float:
    return NAN if value is None else float(value)


def run_node(node: Node, columns: list[Floats], params: dict[str, Any], edges: list[int]) -> Floats:
    """Return the output of one node over columns fed in pieces."""
    builder = GraphBuilder()
    rows = [builder.column(f"c{place}") for place in range(len(columns))]
    outputs = builder.add(node, rows, params)
    named = {f"c{place}": column for place, column in enumerate(columns)}
    result: Floats = feed(builder.build().start(max(1, len(columns[0]))), outputs, named, edges)[0]
    return result


Rule = Callable[..., "float | bool | None"]
NUMBERS = [NAN, -2.0, -1.0, 0.0, 0.5, 1.0, 3.0]
TRUTHS = [NAN, 0.0, 1.0]

OF_NUMBERS: dict[str, tuple[Node, dict[str, Any], Rule]] = {
    "greater": (nodes.greater, {}, lambda a, b: language.compare(">", a, b)),
    "greater_equal": (nodes.greater_equal, {}, lambda a, b: language.compare(">=", a, b)),
    "equal": (nodes.equal, {}, lambda a, b: language.compare("==", a, b)),
    "between": (nodes.between, {}, language.between),
    "near_abs": (nodes.near_abs, {"tolerance": 0.5}, lambda a, b: language.near_abs(a, b, 0.5)),
    "near_pct": (nodes.near_pct, {"fraction": 0.5}, lambda a, b: language.near_pct(a, b, 0.5)),
    "add": (nodes.add, {}, lambda a, b: language.arithmetic("+", a, b)),
    "subtract": (nodes.subtract, {}, lambda a, b: language.arithmetic("-", a, b)),
    "multiply": (nodes.multiply, {}, lambda a, b: language.arithmetic("*", a, b)),
    "divide": (nodes.divide, {}, lambda a, b: language.arithmetic("/", a, b)),
    "modulo": (nodes.modulo, {}, lambda a, b: language.arithmetic("%", a, b)),
    "mean_of_two": (nodes.mean_of_two, {}, lambda a, b: None if None in (a, b) else (a + b) / 2),
    "mean_of_three": (nodes.mean_of_three, {}, lambda a, b, c: None if None in (a, b, c) else (a + b + c) / 3),
}  # fmt: skip
OF_TRUTHS: dict[str, tuple[Node, Rule]] = {
    "both": (nodes.both, language.both),
    "either": (nodes.either, language.either),
    "negation": (nodes.negation, language.negation),
    "met": (nodes.met, lambda a: a is True),
    "met_without": (nodes.met_without, lambda a, b: a is True and b is not True),
}


def all_combinations(values: list[float], count: int) -> list[Floats]:
    table = np.array(list(itertools.product(values, repeat=count)))
    return [np.ascontiguousarray(table[:, place]) for place in range(count)]


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_a_node_of_numbers_gives_for_every_pair_what_the_language_says(name: str) -> None:
    node, params, rule = OF_NUMBERS[name]
    columns = all_combinations(NUMBERS, len(node.inputs))

    found = run_node(node, columns, params, [0, len(columns[0])])

    expected = [row(rule(*map(missing, values))) for values in zip(*columns, strict=True)]
    np.testing.assert_array_equal(found, expected)


KLEENE = {
    (True, True): (True, True), (True, None): (None, True), (True, False): (False, True),
    (None, True): (None, True), (None, None): (None, None), (None, False): (False, None),
    (False, True): (False, True), (False, None): (False, None), (False, False): (False, False),
}  # fmt: skip
"""Two truths to what `all` and `any` make of them, as plays.md 2.4 says it; None is UNKNOWN."""


def test_the_reference_itself_is_kleenes_logic() -> None:
    assert {pair: (language.both(*pair), language.either(*pair)) for pair in KLEENE} == KLEENE
    assert [language.negation(truth) for truth in (True, None, False)] == [False, None, True]


@pytest.mark.parametrize("name", OF_TRUTHS)
def test_a_connective_gives_for_every_pair_what_kleene_says(name: str) -> None:
    node, rule = OF_TRUTHS[name]
    columns = all_combinations(TRUTHS, len(node.inputs))

    found = run_node(node, columns, {}, [0, len(columns[0])])

    expected = [row(rule(*map(truth, values))) for values in zip(*columns, strict=True)]
    np.testing.assert_array_equal(found, expected)


def test_the_mean_of_four_is_that_of_an_open_high_low_close() -> None:
    columns = all_combinations([NAN, 1.0, 4.0], 4)

    found = run_node(nodes.mean_of_four, columns, {}, [0, 81])

    np.testing.assert_array_equal(found, (columns[0] + columns[1] + columns[2] + columns[3]) / 4)


def test_an_overflowing_division_is_missing_and_no_infinity() -> None:
    found = run_node(nodes.divide, [np.array([1e300, -1e300, 1.0]), np.array([1e-300, 1e-300, 0.5])], {}, [0, 3])

    np.testing.assert_array_equal(found, [NAN, NAN, 2.0])


@pytest.mark.parametrize(
    ("price", "level", "buffer", "side", "most", "fallback", "distance"),
    [
        (100.0, 98.0, 0.5, 1, None, None, 2.5),
        (100.0, 102.0, 0.5, -1, None, None, 2.5),
        (100.0, 102.0, 0.5, 1, None, None, NAN),
        (100.0, 102.0, 0.5, 1, None, 0.03, 3.0),
        (100.0, 98.0, 0.5, 1, 0.025, None, 2.5),
        (100.0, 98.0, 0.6, 1, 0.025, None, NAN),
        (100.0, 98.0, 0.6, 1, 0.025, 0.01, 1.0),
        (100.0, 100.0, 5.0, 1, None, None, NAN),
        (100.0, NAN, 0.5, 1, None, 0.01, 1.0),
        (100.0, NAN, 0.5, 1, None, None, NAN),
        (100.0, 98.0, NAN, 1, None, 0.01, 1.0),
        (NAN, 98.0, 0.5, 1, None, 0.01, NAN),
    ],
)
def test_the_distance_to_a_level_is_used_only_where_it_protects(
    price: float, level: float, buffer: float, side: float, most: float | None, fallback: float | None, distance: float
) -> None:
    """plays.md 1.11: on the wrong side, missing, or farther than the most: the fallback, and if none no entry."""
    params = {"side": side, "max_fraction": most, "fallback_fraction": fallback}

    found = run_node(nodes.level_distance, [np.array([v]) for v in (price, level, buffer)], params, [0, 1])

    np.testing.assert_array_equal(found, [distance])


@st.composite
def pieces(draw: st.DrawFn, count: int) -> list[int]:
    return [0, *sorted(draw(st.lists(st.integers(0, count), max_size=8))), count]


@EXAMPLES
@given(data=st.data())
def test_a_window_gives_for_every_sample_what_the_language_says(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 40), label="bars")
    values = data.draw(st.lists(st.sampled_from(TRUTHS), min_size=count, max_size=count), label="truths")
    samples = data.draw(st.integers(1, 7), label="samples")
    needed = data.draw(st.integers(1, samples), label="needed")
    back, reach, ways = draw_ways_back(data, count, samples - 1)
    edges = data.draw(pieces(count))

    found = run_node(nodes.count_window, [np.array(values)], {"samples": samples, "needed": needed}, edges)
    stepped = run_node(
        nodes.count_samples, [np.array(values), back], {"samples": samples, "needed": needed, "reach": reach}, edges
    )

    for bar in range(count):
        sampled = [truth(values[bar - k]) if bar >= k else None for k in range(samples)]
        assert truth(found[bar]) == language.count_true(sampled, needed), bar
        sampled = [None if at is None else truth(values[at]) for at in ways[bar]]
        assert truth(stepped[bar]) == language.count_true(sampled, needed), bar


def draw_ways_back(data: st.DataObject, count: int, steps: int) -> tuple[Floats, int, list[list[int | None]]]:
    """Return a column of steps back, how far so many of them may reach, and where each bar's samples lie by hand."""
    drawn = [data.draw(st.sampled_from([0, *range(1, min(4, bar) + 1)]), label="back") for bar in range(count)]
    reach = data.draw(st.integers(0, 4 * steps), label="reach") if steps else 0
    ways: list[list[int | None]] = []
    for bar in range(count):
        at: int | None = bar
        way: list[int | None] = [bar]
        for _ in range(steps):
            at = None if at is None or drawn[at] == 0 else at - drawn[at]
            at = None if at is None or at < bar - reach else at
            way.append(at)
        ways.append(way)
    return np.array([NAN if step == 0 else float(step) for step in drawn]), reach, ways


@EXAMPLES
@given(data=st.data())
def test_a_cross_and_a_lag_look_one_bar_and_some_bars_back(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 30), label="bars")
    numbers = st.lists(st.sampled_from(NUMBERS), min_size=count, max_size=count)
    a, b = data.draw(numbers, label="a"), data.draw(numbers, label="b")
    edges, ago = data.draw(pieces(count)), data.draw(st.integers(1, 5), label="bars ago")
    back, reach, ways = draw_ways_back(data, count, ago)

    crossed = run_node(nodes.cross_above, [np.array(a), np.array(b)], {}, edges)
    stepped = run_node(nodes.crossed_above, [np.array(a), np.array(b), back], {"reach": reach}, edges)
    before = run_node(nodes.lag, [np.array(a)], {"bars": ago}, edges)
    behind = run_node(nodes.lag_by, [np.array(a), back], {"bars": ago, "reach": reach}, edges)

    for bar in range(count):
        now, then = (missing(a[bar]), missing(b[bar])), (None, None)
        if bar:
            then = (missing(a[bar - 1]), missing(b[bar - 1]))
        assert truth(crossed[bar]) == language.cross_above(now, then), bar
        np.testing.assert_array_equal(before[bar], a[bar - ago] if bar >= ago else NAN)
        one, last = ways[bar][1], ways[bar][ago]
        then = (None, None) if one is None else (missing(a[one]), missing(b[one]))
        assert truth(stepped[bar]) == language.cross_above(now, then), bar
        np.testing.assert_array_equal(behind[bar], NAN if last is None else a[last])


@EXAMPLES
@given(data=st.data())
def test_the_forming_bar_is_what_its_minutes_were_so_far(data: st.DataObject) -> None:
    lengths = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=8), label="bar lengths")
    unseen = data.draw(st.integers(0, 3), label="minutes of a bar not seen from its open")
    numbers: list[int | None] = [None] * unseen + [bar for bar, length in enumerate(lengths) for _ in range(length)]
    prices = data.draw(st.lists(st.sampled_from([1.0, 2.0, 3.0]), min_size=len(numbers), max_size=len(numbers)))
    offset, edges = data.draw(st.integers(0, 3), label="offset"), data.draw(pieces(len(numbers)))
    columns = [np.array(prices), np.array([NAN if number is None else float(number) for number in numbers])]

    for take, code in (("open", nodes.FIRST), ("high", nodes.HIGHEST), ("low", nodes.LOWEST)):
        found = run_node(nodes.forming_bar, columns, {"take": code, "offset": offset}, edges)
        said = language.FormingBar(range(len(numbers)), prices, numbers, take, 1)
        assert [missing(value) for value in found] == [said.at(at, offset) for at in range(len(numbers))]
