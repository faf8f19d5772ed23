"""Series that a node of one input can read: a bar column, or a price made of columns."""

from __future__ import annotations

from evenkeel.features import conditions
from evenkeel.features.graph import GraphBuilder
from evenkeel.features.node import Node

MADE_PRICES: dict[str, tuple[Node, tuple[str, ...]]] = {
    "hl2": (conditions.mean_of_two, ("high", "low")),
    "hlc3": (conditions.mean_of_three, ("high", "low", "close")),
    "ohlc4": (conditions.mean_of_four, ("open", "high", "low", "close")),
}
"""Name to the node that makes it and the columns it is made of."""

SOURCES = ("open", "high", "low", "close", "volume", *MADE_PRICES)
"""Everything that `source` may name beside another feature."""


def series_row(graph: GraphBuilder, source: str) -> int:
    """Return the row of a bar column, or of a price made of columns such as `hl2`."""
    if source not in MADE_PRICES:
        return graph.column(source)
    node, columns = MADE_PRICES[source]
    return graph.add(node, tuple(graph.column(column) for column in columns))[0]
