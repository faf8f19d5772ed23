"""Promises that every node keeps, whichever it is: a new one is held to them by being in the registry.

Where a promise does not apply to a node, the reason stands in a table here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evenkeel.features.node import DRIFT_BARS, Node, OutputType, Param
from evenkeel.features.registry import all_indicators, all_structures
from evenkeel.model.bar import Floats
from evenkeel.model.errors import UsageError
from reference.markets import MARKETS, market
from reference.wiring import STRUCTURE_PARAMS, Columns, compute, feed, graph_of

NODES = [*all_indicators().values(), *all_structures().values()]
each_node = pytest.mark.parametrize("node", NODES, ids=lambda node: node.name)

EXAMPLES = settings(max_examples=12, deadline=None, derandomize=True)

LONGEST = 40
"""Longest window tried; markets are longer than several of them."""

DOES_NOT_RESTART = {
    "vwap": "skips the bar and goes on",
    "obv": "skips the bar and goes on",
    "swing": "counts bars of the series; a comparison with a missing price is false",
    "trend": "reads events, which are never missing",
    "zone": "a comparison with a missing close or ATR is false",
    "fibonacci": "reads events, which are never missing",
    "derived_zone": "a comparison with a missing price is false",
    "market_structure": "counts bars of the series; a comparison with a missing price is false",
}

NAMES_OF_LEVELS = ("_hash", "_instance_id")
"""Outputs that are made of the bits of levels, so that nothing is said about them in another unit."""


def values_of(param: Param) -> st.SearchStrategy[Any]:
    """Return valid values of a parameter."""
    if param.choices:
        valid: st.SearchStrategy[Any] = st.sampled_from(param.choices)
    elif param.type is bool:
        valid = st.booleans()
    elif param.type is int:
        low = int(param.low or 0)
        valid = st.integers(low, int(min(param.high or LONGEST, low + LONGEST)))
    elif param.type is list:
        valid = st.lists(st.floats(-1.0, 3.0).map(lambda value: round(value, 3)), min_size=1, max_size=5, unique=True)
    else:
        low = (param.low or 0.0) + (0.1 if param.above else 0.0)
        valid = st.floats(low, min(param.high or 4.0, low + 4.0))
    return st.one_of(valid, st.none()) if param.optional else valid


def is_valid(node: Node, params: dict[str, Any]) -> bool:
    """Return whether a node takes these parameters together."""
    try:
        node.resolve(params)
    except UsageError:
        return False
    return True


@st.composite
def params_of(draw: st.DrawFn, node: Node) -> dict[str, Any]:
    """Return valid parameters of a node; lengths that must grow are put in order, since most draws are not."""
    params = {param.name: draw(values_of(param), label=param.name) for param in node.params}
    if not is_valid(node, params):
        numbers = [param.name for param in node.params if param.type in (int, float) and not param.optional]
        params |= zip(numbers, sorted(params[name] for name in numbers), strict=True)
    assume(is_valid(node, params))
    return params


@st.composite
def bars(draw: st.DrawFn, count: int = 260) -> Columns:
    """Return bars of some market, with an ATR."""
    kind = draw(st.sampled_from(sorted(MARKETS)), label="market")
    return with_atr(market(kind, seed=draw(st.integers(0, 999), label="seed"), bars=count))


def with_atr(columns: Columns) -> Columns:
    return {**columns, "atr": compute(all_indicators()["atr"], columns, {"length": 5})["value"]}


@st.composite
def cuts(draw: st.DrawFn, count: int = 260) -> list[int]:
    """Return where to cut the bars into blocks; empty blocks occur."""
    inner = draw(st.lists(st.integers(0, count), max_size=25), label="cuts")
    return [0, *sorted(inner), count]


def outputs(node: Node, columns: Columns, params: dict[str, Any], edges: list[int], *, width: int = 260) -> Floats:
    graph, rows = graph_of(node, params)
    return feed(graph.start(width), rows, columns, edges)


def assert_same_bits(actual: Floats, expected: Floats) -> None:
    """Compare bit for bit, every missing number alike and zeros with their sign."""
    missing = np.isnan(expected)
    assert np.array_equal(np.isnan(actual), missing)
    assert np.where(missing, 0.0, actual).tobytes() == np.where(missing, 0.0, expected).tobytes()


@each_node
@EXAMPLES
@given(data=st.data())
def test_where_the_blocks_are_cut_never_changes_a_bit(node: Node, data: st.DataObject) -> None:
    columns, params = data.draw(bars()), data.draw(params_of(node))

    whole = outputs(node, columns, params, [0, 260])

    assert_same_bits(outputs(node, columns, params, data.draw(cuts())), whole)
    assert_same_bits(outputs(node, columns, params, list(range(261)), width=3), whole)


@each_node
def test_blocks_of_any_size_agree_across_the_recomputation_of_sums(node: Node) -> None:
    count = 2 * DRIFT_BARS + 500
    columns = with_atr(market("gaps", seed=1, bars=count))
    # Behind such prints even a compensated sum is rough, so that the bar on which it is computed afresh shows.
    columns["source"] = np.where(np.arange(count) % 701 == 0, 1e27, columns["source"])
    columns["high"][5000] = columns["source"][5000] = np.nan
    params = STRUCTURE_PARAMS.get(node.name, {})

    whole = outputs(node, columns, params, [0, count], width=count)

    assert_same_bits(outputs(node, columns, params, list(range(count + 1)), width=64), whole)
    assert_same_bits(outputs(node, columns, params, [*range(0, count, 1000), count], width=2048), whole)


@each_node
@EXAMPLES
@given(data=st.data())
def test_a_checkpoint_at_any_bar_goes_on_with_the_same_bits(node: Node, data: st.DataObject) -> None:
    columns, params = data.draw(bars()), data.draw(params_of(node))
    at = data.draw(st.integers(0, 260), label="checkpoint")
    graph, rows = graph_of(node, params)
    before, after = graph.start(97), graph.start(260)

    first = feed(before, rows, columns, [*range(0, at, 97), at])
    after.restore(before.checkpoint())
    second = feed(after, rows, columns, [at, 260])

    assert_same_bits(np.concatenate([first, second], axis=1), outputs(node, columns, params, [0, 260]))


@each_node
@EXAMPLES
@given(data=st.data())
def test_what_comes_later_never_changes_what_was(node: Node, data: st.DataObject) -> None:
    columns, params = data.draw(bars()), data.draw(params_of(node))
    until = data.draw(st.integers(1, 259), label="until")
    future = {name: np.concatenate([v[:until], v[until:] * 3.0 + 1.0]) for name, v in columns.items()}

    whole = outputs(node, columns, params, [0, 260])

    assert_same_bits(outputs(node, future, params, [0, 260])[:, :until], whole[:, :until])
    assert_same_bits(outputs(node, columns, params, [0, until]), whole[:, :until])


@each_node
@EXAMPLES
@given(data=st.data())
def test_behind_a_missing_bar_a_node_is_as_new(node: Node, data: st.DataObject) -> None:
    if node.name in DOES_NOT_RESTART:
        pytest.skip(DOES_NOT_RESTART[node.name])
    columns, params = data.draw(bars()), data.draw(params_of(node))
    gap = data.draw(st.integers(0, 200), label="gap")
    holed = {name: values.copy() for name, values in columns.items()}
    read = (params["source"],) if "source" in params else node.inputs
    holed[data.draw(st.sampled_from(read), label="column").rstrip("?")][gap] = np.nan
    tail = {name: values[gap + 1 :] for name, values in columns.items()}

    values = outputs(node, holed, params, [0, 260])

    assert np.all(np.isnan(values[:, gap]))
    assert_same_bits(values[:, gap + 1 :], outputs(node, tail, params, [0, 259 - gap]))


@each_node
@EXAMPLES
@given(data=st.data())
def test_prices_in_another_unit_scale_an_output_or_leave_it(node: Node, data: st.DataObject) -> None:
    """Eight times: a power of two changes no rounding, so the bits must follow exactly."""
    columns, params = data.draw(bars()), data.draw(params_of(node))
    in_price = ("open", "high", "low", "close", "source", "atr")
    scaled = {name: values * 8.0 if name in in_price else values for name, values in columns.items()}

    here, there = (outputs(node, c, params, [0, 260]) for c in (columns, scaled))

    for place, output in enumerate(node.outputs_of(node.resolve(params))):
        if output.name.endswith(NAMES_OF_LEVELS):
            continue
        same = np.array_equal(there[place], here[place], equal_nan=True)
        assert same or np.array_equal(there[place], 8.0 * here[place], equal_nan=True), output.name


@each_node
@EXAMPLES
@given(data=st.data())
def test_outputs_are_numbers_of_their_type_or_missing(node: Node, data: st.DataObject) -> None:
    params = data.draw(params_of(node))
    values = outputs(node, data.draw(bars()), params, [0, 260])

    assert not np.any(np.isinf(values))
    for place, output in enumerate(node.outputs_of(node.resolve(params))):
        shown = values[place][~np.isnan(values[place])]
        if output.type is OutputType.BOOL:
            assert set(shown) <= {0.0, 1.0}
        elif output.type is OutputType.ENUM:
            assert set(shown) <= set(range(len(output.values)))
        elif output.type is OutputType.INT:
            assert np.array_equal(shown, np.rint(shown))
            assert np.all(np.abs(shown) < 2**48)
