"""Graphs: equal nodes merged, any block size the same bits, a checkpoint that goes on in a window of another width."""

from __future__ import annotations

import numpy as np
import pytest

from evenkeel.features import conditions as nodes
from evenkeel.features.graph import LIVE_SLACK, Graph, GraphBuilder, GraphRun
from evenkeel.features.registry import find_indicator
from evenkeel.model.bar import Floats
from evenkeel.model.errors import InvariantBroken, UsageError
from reference.wiring import feed

COUNT = 700


@pytest.fixture(scope="module")
def columns() -> dict[str, Floats]:
    rng = np.random.default_rng(4)
    close = 100 + np.cumsum(rng.normal(size=COUNT))
    return {
        "close": close,
        "high": close + rng.random(COUNT),
        "low": close - rng.random(COUNT),
        "volume": rng.random(COUNT),
    }


def everything() -> tuple[Graph, tuple[int, ...]]:
    """Return a graph with averages, ranges, crosses, lags, windows and chained nodes."""
    builder = GraphBuilder()
    close, high, low = (builder.column(name) for name in ("close", "high", "low"))
    (ema,) = builder.add(find_indicator("ema"), (close,), {"length": 9})
    (sma,) = builder.add(find_indicator("sma"), (ema,), {"length": 5})
    (atr,) = builder.add(find_indicator("atr"), (high, low, close), {"length": 6})
    (cross,) = builder.add(nodes.cross_above, (close, sma))
    (lagged,) = builder.add(nodes.lag, (atr,), {"bars": 11})
    (window,) = builder.add(nodes.count_window, (cross,), {"samples": 16, "needed": 2})
    return builder.build(), (ema, sma, atr, cross, lagged, window, close)


def test_asking_twice_for_an_equal_node_gives_the_same_rows() -> None:
    builder = GraphBuilder()
    close = builder.column("close")
    ema = find_indicator("ema")

    first = builder.add(ema, (close,), {"length": 20})
    again = builder.add(ema, (close,))
    other = builder.add(ema, (close,), {"length": 21})
    chained = builder.add(ema, first, {"length": 20})

    assert first == again
    assert len({first, other, chained}) == 3
    assert builder.column("close") == close
    assert len(builder.build().steps) == 3


def test_a_missing_row_holds_nothing_for_ever(columns: dict[str, Floats]) -> None:
    builder = GraphBuilder()
    close, missing = builder.column("close"), builder.missing()
    (total,) = builder.add(nodes.add, (close, missing))
    assert builder.missing() == missing

    found = feed(builder.build().start(64), (missing, total), columns, range(0, COUNT, 50))

    assert np.isnan(found).all()


def test_an_unknown_parameter_is_refused_where_the_node_is_added() -> None:
    builder = GraphBuilder()

    with pytest.raises(UsageError, match="no parameter 'span'"):
        builder.add(find_indicator("ema"), (builder.column("close"),), {"span": 3})


def test_the_reach_is_the_longest_look_back() -> None:
    graph, _ = everything()

    assert graph.reach == max(step.node.lookback(dict(step.params)) for step in graph.steps)
    assert graph.reach >= 15
    assert GraphBuilder().build().reach == 0


@pytest.mark.parametrize("width", [1, 2, 7, 64, LIVE_SLACK, COUNT])
def test_blocks_of_any_size_give_the_same_bits(width: int, columns: dict[str, Floats]) -> None:
    graph, rows = everything()
    whole = feed(graph.start(COUNT), rows, columns, [0, COUNT])

    cut = feed(graph.start(width), rows, columns, [*range(0, COUNT, width), COUNT])

    np.testing.assert_array_equal(cut, whole)
    assert np.nansum(whole[5]) > 10


def test_a_live_window_takes_one_bar_at_a_time_and_moves_now_and_then(columns: dict[str, Floats]) -> None:
    graph, rows = everything()
    run = graph.start(LIVE_SLACK)

    cut = feed(run, rows, columns, range(COUNT + 1))

    np.testing.assert_array_equal(cut, feed(graph.start(COUNT), rows, columns, [0, COUNT]))
    assert run.x.shape[1] == graph.reach + LIVE_SLACK


@pytest.mark.parametrize("at", [0, 1, 14, 333])
def test_a_checkpoint_goes_on_in_a_window_of_another_width(at: int, columns: dict[str, Floats]) -> None:
    graph, rows = everything()
    before, after = graph.start(50), graph.start(COUNT)
    feed(before, rows, columns, [*range(0, at, 50), at])

    after.restore(before.checkpoint())
    rest = feed(after, rows, columns, [at, COUNT])

    np.testing.assert_array_equal(rest, feed(graph.start(COUNT), rows, columns, [0, COUNT])[:, at:])


def test_a_checkpoint_is_a_copy(columns: dict[str, Floats]) -> None:
    graph, rows = everything()
    run = graph.start(50)
    feed(run, rows, columns, [0, 50])
    saved = run.checkpoint()
    kept = [part.copy() for part in saved]

    feed(run, rows, columns, [50, 100])

    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(saved, kept, strict=True))


def test_a_checkpoint_of_another_graph_is_refused() -> None:
    graph, _ = everything()
    other = GraphBuilder()
    other.add(find_indicator("sma"), (other.column("close"),), {"length": 3})

    with pytest.raises(InvariantBroken, match="another graph"):
        graph.start(8).restore(other.build().start(8).checkpoint())


def test_a_block_wider_than_the_window_is_refused(columns: dict[str, Floats]) -> None:
    graph, _ = everything()
    run: GraphRun = graph.start(10)

    with pytest.raises(InvariantBroken, match="larger than the window"):
        run.push(columns, 11)


def test_two_runs_of_a_graph_share_nothing(columns: dict[str, Floats]) -> None:
    graph, rows = everything()
    one, other = graph.start(COUNT), graph.start(COUNT)
    feed(one, rows, columns, [0, 400])

    found = feed(other, rows, columns, [0, COUNT])

    np.testing.assert_array_equal(found, feed(graph.start(COUNT), rows, columns, [0, COUNT]))
