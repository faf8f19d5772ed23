"""Any indicator or structure over bars, with whatever it reads: what tables, pictures and checks show.

A play wires its nodes itself, because it names each of them. Here the rest is filled in: a structure that reads a swing
or an average true range gets one with the parameters of `USES`.

    values = compute(find_indicator("macd"), {"fast": 8}, bars, calendar, source="hlc3")
    values["histogram"][-1]
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evenkeel.data.calendar import Calendar
from evenkeel.features.graph import GraphBuilder
from evenkeel.features.node import Node, OutputType, Params, Value
from evenkeel.features.prices import SOURCES, series_row
from evenkeel.features.registry import find_indicator, find_structure
from evenkeel.features.timeline import Series, whole_rows
from evenkeel.model.bar import Bars, Floats
from evenkeel.model.errors import UsageError

USES: Mapping[str, Params] = {"atr": {"length": 14}, "swing": {"left": 5, "right": 5}}
"""Parameters of what a structure reads, unless others are given; kinds that are absent here have their defaults."""

_LIFT = 4.0
"""Prices are raised by this many times the highest one to see which outputs rise with them."""


def compute(
    node: Node,
    params: Params,
    bars: Bars,
    calendar: Calendar,
    *,
    source: str = "close",
    uses: Mapping[str, Params] | None = None,
) -> dict[str, Floats]:
    """Return every output of a node over all bars, one number a bar; NaN is missing.

    Args:
        node: An indicator or a structure.
        params: Those that differ from the defaults.
        bars: Without gaps that matter.
        calendar: Of the market, for nodes that read its sessions.
        source: The series that a node of one input reads: a name of `SOURCES`.
        uses: Kind to parameters of the nodes that it reads, instead of those in `USES`.

    Raises:
        UsageError: If a parameter or the source is not valid.
    """
    values = node.resolve(params)
    if source not in SOURCES:
        raise UsageError(f"'{source}' is not a source; there are {', '.join(SOURCES)}")
    builder = GraphBuilder()
    rows = place(builder, node, values, source, {**USES, **(uses or {})})
    series = Series(bars, calendar)
    found = whole_rows(builder.build(), series, bars.timeframe, list(rows))
    return {output.name: found[row][:-1] for output, row in zip(node.outputs_of(values), rows, strict=True)}


def read_by(node: Node, uses: Mapping[str, Params] | None = None) -> dict[str, Mapping[str, Value | None]]:
    """Return the kinds of nodes that `compute` puts below a node, directly or not, with their parameters."""
    chosen = {**USES, **(uses or {})}
    found: dict[str, Mapping[str, Value | None]] = {}
    for name in node.inputs:
        kind, _ = _kind(name)
        if kind is None or kind in found:
            continue
        below = find_indicator(kind) if kind == "atr" else find_structure(kind)
        found |= {**read_by(below, uses), kind: below.resolve(chosen.get(kind, {}))}
    return found


def price_levels(
    node: Node,
    params: Params,
    bars: Bars,
    calendar: Calendar,
    *,
    source: str = "close",
    uses: Mapping[str, Params] | None = None,
) -> frozenset[str]:
    """Return the outputs that are prices: where every price is higher by some amount, so are they.

    A moving average is one; a difference of averages, a ratio or a count is not. The bars decide nothing but whether
    there is a value at all.
    """
    lift = _LIFT * float(bars.high.max()) if len(bars) else 1.0
    raised = Bars(
        bars.timeframe, bars.open_ns, bars.close_ns, bars.open + lift, bars.high + lift, bars.low + lift,
        bars.close + lift, bars.volume,
    )  # fmt: skip
    low = compute(node, params, bars, calendar, source=source, uses=uses)
    high = compute(node, params, raised, calendar, source=source, uses=uses)
    numbers = {o.name for o in node.outputs_of(node.resolve(params)) if o.type is OutputType.FLOAT}
    return frozenset(name for name in numbers if abs(_middle(high[name]) - _middle(low[name]) - lift) < lift / 4)


def _middle(values: Floats) -> float:
    present = values[~np.isnan(values)]
    return float(np.median(present)) if len(present) else float("nan")


def place(
    builder: GraphBuilder, node: Node, params: Params, source: str, uses: Mapping[str, Params]
) -> tuple[int, ...]:
    """Add a node and everything that it reads; return the rows of its outputs.

    Args:
        builder: Of the graph.
        node: What to add.
        params: All of its parameters.
        source: The series that a node of one input reads, also those below.
        uses: Kind to parameters of what it reads.
    """
    rows = []
    for name in node.inputs:
        kind, output = _kind(name)
        if kind is None:
            rows.append(series_row(builder, source) if name == "source" else builder.column(name))
            continue
        below = find_indicator(kind) if kind == "atr" else find_structure(kind)
        own = below.resolve(uses.get(kind, {}))
        outputs = place(builder, below, own, source, uses)
        names = [one.name for one in below.outputs_of(own)]
        rows.append(outputs[names.index(output or below.primary)])
    return builder.add(node, rows, params)


def _kind(name: str) -> tuple[str | None, str]:
    """Return the kind of node that an input comes from, None for a series, and the output of it."""
    kind, dot, output = name.rstrip("?").partition(".")
    return (kind, output) if dot or kind == "atr" else (None, "")
