"""A lean graph makes the rows that are read, in every bit, and nothing that is not."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import desk
from evenkeel.features import conditions as nodes
from evenkeel.features.graph import GraphBuilder
from evenkeel.features.lean import CLOSED, lean, lean_program
from evenkeel.features.node import Node
from evenkeel.features.timeline import FeatureRun, Series
from evenkeel.strategies.strategy import decision_rows
from random_plays import random_play
from reference.wiring import feed

NUMBERS, TRUTHS = (np.nan, -1.0, 0.0, 1.0, 2.0), (np.nan, 0.0, 1.0)
CONDITIONS = {
    nodes.greater: NUMBERS, nodes.greater_equal: NUMBERS, nodes.both: TRUTHS, nodes.either: TRUTHS,
}  # fmt: skip


@pytest.mark.parametrize("node", CONDITIONS, ids=lambda node: node.name)
def test_a_condition_that_is_closed_in_one_pass_says_what_it_said_in_two(node: Node) -> None:
    """Over every pair of numbers and of TRUE, FALSE and UNKNOWN."""
    builder = GraphBuilder()
    inner = builder.add(node, (builder.column("a"), builder.column("b")))
    (closed,) = builder.add(nodes.met, inner)
    graph = builder.build()
    slim = lean(graph, {closed})
    a, b = np.array(list(itertools.product(CONDITIONS[node], repeat=2))).T.copy()
    columns, cuts = {"a": a, "b": b}, [0, len(a)]

    whole = feed(graph.start(64), (closed,), columns, cuts)

    assert [step.node for step in slim.steps] == [CLOSED[node.name]]
    assert feed(slim.start(64), (closed,), columns, cuts).tobytes() == whole.tobytes()
    assert {0.0, 1.0} == set(whole[0].tolist())


def test_a_condition_that_somebody_else_reads_stays() -> None:
    builder = GraphBuilder()
    a, b = builder.column("a"), builder.column("b")
    (first,) = builder.add(nodes.greater, (a, b))
    (second,) = builder.add(nodes.greater, (b, a))
    (closed,) = builder.add(nodes.met, (first,))
    (other,) = builder.add(nodes.negation, (first,))
    (read,) = builder.add(nodes.met, (second,))
    graph = builder.build()

    assert [step.node.name for step in lean(graph, {closed, other}).steps] == ["greater", "met", "negation"]
    assert [step.node.name for step in lean(graph, {read, second}).steps] == ["greater", "met"]


def test_what_nobody_reads_is_left_out_with_its_columns() -> None:
    builder = GraphBuilder()
    (wanted,) = builder.add(nodes.lag, (builder.column("close"),), {"bars": 3})
    builder.add(nodes.lag, (builder.column("volume"),), {"bars": 90})
    slim = lean(builder.build(), {wanted})

    assert (set(slim.columns), slim.reach, len(slim.steps)) == ({"close"}, 3, 1)


@pytest.mark.parametrize("seed", range(12))
def test_the_rows_that_a_drawn_play_decides_by_are_those_of_its_whole_program(seed: int) -> None:
    strategy = desk.play_of(random_play(np.random.default_rng(seed), perpetual=True))
    market = desk.play_market(strategy, desk.walk(seed, 3000), gaps="report")
    rows = sorted(decision_rows(strategy))
    series: Series = market.stretches[0].series
    whole, slim = FeatureRun(strategy.program, series), FeatureRun(lean_program(strategy.program, rows), series)

    while whole.advance():
        assert slim.advance()
        found = [run.x[rows, run.column + run.start : run.column + run.stop] for run in (whole, slim)]
        assert found[0].tobytes() == found[1].tobytes()
