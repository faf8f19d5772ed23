"""What the nodes of conditions declare; what they compute is in `tests/property/test_conditions.py`."""

from __future__ import annotations

import pytest

from evenkeel.features import conditions
from evenkeel.features.node import Node
from evenkeel.features.registry import all_indicators, all_structures

NODES = [value for value in vars(conditions).values() if isinstance(value, Node)]


@pytest.mark.parametrize("node", NODES, ids=lambda node: node.name)
def test_a_node_of_conditions_has_the_name_it_is_found_under_and_one_output(node: Node) -> None:
    assert getattr(conditions, node.name) is node
    assert node.kind == "condition"
    assert [output.name for output in node.outputs] == ["value"]
    assert node.formula


def test_nodes_of_conditions_are_not_offered_as_indicators() -> None:
    assert not {node.name for node in NODES} & (set(all_indicators()) | set(all_structures()))


@pytest.mark.parametrize(
    ("node", "params", "reach"),
    [
        (conditions.lag, {"bars": 7}, 7),
        (conditions.cross_above, {}, 1),
        (conditions.count_window, {"samples": 5, "needed": 1}, 4),
        (conditions.count_samples, {"samples": 5, "needed": 1, "reach": 12}, 12),
        (conditions.crossed_above, {"reach": 15}, 15),
        (conditions.lag_by, {"bars": 2, "reach": 30}, 30),
        (conditions.greater, {}, 0),
    ],
    ids=["lag", "cross", "window", "samples", "crossed", "lag by", "comparison"],
)
def test_a_node_declares_how_far_back_it_reads(node: Node, params: dict[str, float], reach: int) -> None:
    assert node.lookback(params) == reach
