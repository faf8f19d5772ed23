"""Nodes that one kernel makes side by side: every bit and all state as if each were alone, however bars are cut."""

from __future__ import annotations

import numpy as np
import pytest

from evenkeel.features.graph import GraphBuilder, GraphRun, side_by_side
from evenkeel.features.node import LANES_MOST, Node
from evenkeel.features.registry import all_indicators
from evenkeel.model.bar import Floats
from reference.wiring import feed

LANED = [node for node in all_indicators().values() if node.lanes is not None]
COUNT = 900
LENGTHS = (3, 20, 1, 50, 7, 200, 2, 13, 21, 34, 5, 89, 8, 144, 55, 4, 600)


def source(seed: int) -> Floats:
    """Return a walk that begins with nothing, and has a hole before all averages are warm and one after."""
    walk = 100 + np.cumsum(np.random.default_rng(seed).normal(size=COUNT))
    walk[:4] = walk[150] = walk[700:703] = np.nan
    return walk


def graph_run(
    node: Node, lengths: tuple[int, ...], block: int, parts: tuple[int, ...] = ()
) -> tuple[GraphRun, list[int]]:
    builder = GraphBuilder()
    rows = [builder.add(node, (builder.column("source"),), {"length": length})[0] for length in lengths]
    return builder.build().start(block, parts), rows


@pytest.mark.parametrize("node", LANED, ids=lambda node: node.name)
@pytest.mark.parametrize("count", [2, 3, 4, 5, 6, 7, 8, 9, 17])
def test_side_by_side_every_bit_is_that_of_one_alone(node: Node, count: int) -> None:
    columns, rng = {"source": source(count)}, np.random.default_rng(count)
    cuts = [0, *sorted(rng.integers(0, COUNT, 12).tolist()), COUNT]

    run, rows = graph_run(node, LENGTHS[:count], COUNT)
    together = feed(run, tuple(rows), columns, cuts)

    assert len(run.plan) == -(-count // LANES_MOST)
    for place, length in enumerate(LENGTHS[:count]):
        alone, (row,) = graph_run(node, (length,), COUNT)
        assert feed(alone, (row,), columns, [0, COUNT])[0].tobytes() == together[place].tobytes(), length
        size = len(alone.s)
        assert alone.s.tobytes() == run.s[place * size : (place + 1) * size].tobytes(), length


def test_a_checkpoint_taken_side_by_side_goes_on_in_another_window() -> None:
    node, columns = all_indicators()["ema"], {"source": source(1)}
    first, rows = graph_run(node, LENGTHS[:6], 512)
    feed(first, tuple(rows), columns, [0, 300, 410])
    second, _ = graph_run(node, LENGTHS[:6], 64)
    second.restore(first.checkpoint())

    later = [410, *range(450, COUNT, 50), COUNT]

    assert feed(second, tuple(rows), columns, later).tobytes() == feed(first, tuple(rows), columns, later).tobytes()


def test_only_nodes_that_read_the_same_rows_in_the_same_part_are_put_together() -> None:
    builder, ema, sma = GraphBuilder(), all_indicators()["ema"], all_indicators()["sma"]
    close, high = builder.column("close"), builder.column("high")
    (fast,) = builder.add(ema, (close,), {"length": 5})
    builder.add(sma, (fast,), {"length": 3})
    builder.add(ema, (high,), {"length": 5})
    builder.add(ema, (close,), {"length": 9})
    builder.add(ema, (fast,), {"length": 9})
    builder.add(ema, (close,), {"length": 11})
    graph = builder.build()

    found = [[graph.steps.index(step) for step in steps] for steps in side_by_side(graph.steps)]

    assert found == [[0, 3, 5], [1], [2], [4]]
    assert graph.start(64, parts=[4]).edges == {0: 0, 4: 3, 6: 5}


def test_the_lines_of_a_window_do_not_fall_into_the_same_place_of_the_cache() -> None:
    run, _ = graph_run(all_indicators()["ema"], LENGTHS[:8], 2048)

    assert run.x.strides[0] % 4096 != 0
    assert run.x.shape[1] >= 2048
