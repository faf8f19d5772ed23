"""Feeds one node, with whatever it depends on, from columns cut into blocks."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from evenkeel.features.graph import Graph, GraphBuilder, GraphRun
from evenkeel.features.node import Node
from evenkeel.features.registry import all_structures, find_structure
from evenkeel.model.bar import Floats

Columns = Mapping[str, Floats]

STRUCTURE_PARAMS: dict[str, dict[str, Any]] = {
    "swing": {"left": 3, "right": 2},
    "zone": {"zone_type": "demand", "width_atr": 0.7},
    "fibonacci": {"levels": [0.0, 0.382, 1.0]},
    "derived_zone": {"levels": [0.5, 0.618], "max_active": 3, "width_pct": 0.5},
    "rolling_window": {"mode": "max", "size": 20},
}
"""Of structures whose defaults are not enough."""


def wire(builder: GraphBuilder, node: Node, params: Mapping[str, Any], absent: frozenset[str]) -> tuple[int, ...]:
    """Add a node and what it depends on; inputs in `absent` become rows of NaN. Parameters may be `kind.name`."""
    own = {name: value for name, value in params.items() if "." not in name}
    rows = []
    for wanted in node.inputs:
        name = wanted.rstrip("?")
        if name in absent:
            rows.append(builder.missing())
        elif "." in name:
            kind, _, output = name.partition(".")
            below = find_structure(kind)
            given = {key.split(".")[1]: value for key, value in params.items() if key.startswith(f"{kind}.")}
            further = {key: value for key, value in params.items() if "." in key}
            outputs = wire(builder, below, {**(given or STRUCTURE_PARAMS.get(kind, {})), **further}, absent)
            rows.append(outputs[[o.name for o in below.outputs].index(output)])
        else:
            rows.append(builder.column(name))
    return builder.add(node, rows, own)


def graph_of(
    node: Node, params: Mapping[str, Any], absent: frozenset[str] = frozenset()
) -> tuple[Graph, tuple[int, ...]]:
    """Return the graph of one node and the rows of its outputs."""
    builder = GraphBuilder()
    rows = wire(builder, node, params, absent)
    return builder.build(), rows


def feed(run: GraphRun, rows: tuple[int, ...], columns: Columns, cuts: Iterable[int]) -> Floats:
    """Push `columns[cuts[0]:cuts[1]]`, `columns[cuts[1]:cuts[2]]`, ...; return the outputs, a row each."""
    edges = list(cuts)
    parts = []
    for start, stop in itertools.pairwise(edges):
        block = {name: columns[name][start:stop] for name in run.graph.columns}
        at = run.push(block, stop - start)
        parts.append(run.x[list(rows), at : at + stop - start].copy())
    return np.concatenate(parts, axis=1) if parts else np.empty((len(rows), 0))


def compute(
    node: Node,
    columns: Columns,
    params: Mapping[str, Any] | None = None,
    *,
    block: int = 512,
    absent: frozenset[str] = frozenset(),
) -> dict[str, Floats]:
    """Return the outputs of a node over whole columns; `source` is the close unless given."""
    columns = {"source": columns["close"], **columns} if "close" in columns else dict(columns)
    graph, rows = graph_of(node, params or {}, absent)
    count = len(next(iter(columns.values())))
    values = feed(graph.start(block), rows, columns, [*range(0, count, block), count])
    own = node.resolve({name: value for name, value in (params or {}).items() if "." not in name})
    return {output.name: values[place] for place, output in enumerate(node.outputs_of(own))}


def is_structure(node: Node) -> bool:
    """Return whether a node is a structure detector."""
    return node.name in all_structures()


def alone(node: Node, columns: Columns, params: Mapping[str, Any]) -> dict[str, list[float]]:
    """Return the outputs of a node whose inputs are given, those of other nodes too; any other one is missing."""
    builder = GraphBuilder()
    names = [name.rstrip("?") for name in node.inputs]
    rows = builder.add(node, [builder.column(n) if n in columns else builder.missing() for n in names], params)
    count = len(next(iter(columns.values())))
    values = feed(builder.build().start(count), rows, columns, [0, count])
    outputs = node.outputs_of(node.resolve(params))
    return {output.name: values[place].tolist() for place, output in enumerate(outputs)}
