"""What of a node is drawn where: prices over the candles, other numbers in panels, words and truths in lanes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from evenkeel.data.calendar import Calendar
from evenkeel.features.compute import compute, price_levels
from evenkeel.features.node import Node, Output, OutputType, Params
from evenkeel.model.bar import Bars, Floats

BARS_DRAWN = 180
"""Bars of a picture: enough for a move or two, few enough for a candle to be seen."""

LINES_MAX = 8
LANES_MAX = 6
PANELS_MAX = 3

PLACE_SUFFIX = "idx"
"""How outputs end that count bars or slots; -1 means none there, not a direction."""

SAMPLES: Mapping[str, Params] = {
    "zone": {"zone_type": "demand", "width_atr": 1.0},
    "fibonacci": {"levels": (0.0, 0.382, 0.618, 1.0)},
    "derived_zone": {"levels": (0.5, 0.618), "max_active": 3, "width_pct": 1.5},
    "rolling_window": {"mode": "max", "size": 20},
}
"""Parameters of pictures of structures that have no defaults for all of them."""

SAME_SCALE = 8.0
"""Series share a panel unless the reach of one is this many times that of another."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A node on bars.

    Attributes:
        node: What to draw.
        params: Those that differ from the defaults.
        bars: All of them; the last `drawn` are drawn, those before warm the values up.
        calendar: Of the market.
        source: The series that a node of one input reads.
        uses: Parameters of what it reads, by kind.
        drawn: How many bars the picture shows.
    """

    node: Node
    params: Params
    bars: Bars
    calendar: Calendar
    source: str = "close"
    uses: Mapping[str, Params] = field(default_factory=dict)
    drawn: int = BARS_DRAWN


@dataclass(frozen=True, slots=True)
class Line:
    """One output over the drawn bars."""

    output: Output
    values: Floats

    @property
    def name(self) -> str:
        """Of the output."""
        return self.output.name


@dataclass(frozen=True, slots=True)
class Plan:
    """What is drawn.

    Attributes:
        bars: The drawn ones.
        overlays: In units of price, over the candles.
        zones: Pairs of a lower and an upper bound, drawn as areas.
        panels: Other numbers, those of one reach together.
        lanes: Words, truths and signs.
        stepped: Whether values hold until they change, as levels do.
        left_out: Names of outputs that a picture says nothing about.
    """

    bars: Bars
    overlays: Sequence[Line]
    zones: Sequence[tuple[Line, Line]]
    panels: Sequence[Sequence[Line]]
    lanes: Sequence[Line]
    stepped: bool
    left_out: Sequence[str]


def plan(subject: Subject) -> Plan:
    """Compute a node and return what is drawn of it where."""
    node, count = subject.node, min(subject.drawn, len(subject.bars))
    common = {"source": subject.source, "uses": subject.uses}
    values = compute(node, subject.params, subject.bars, subject.calendar, **common)  # type: ignore[arg-type]
    levels = price_levels(node, subject.params, subject.bars, subject.calendar, **common)  # type: ignore[arg-type]
    lines = [
        Line(one, values[one.name][len(subject.bars) - count :])
        for one in node.outputs_of(node.resolve(subject.params))
    ]
    prices = _without_repeats(node, [line for line in lines if line.name in levels])
    zones = _pairs(prices) if node.kind == "structure" else []
    paired = {line.name for pair in zones for line in pair}
    overlays = [line for line in prices if line.name not in paired][:LINES_MAX]
    lanes = [line for line in lines if _is_lane(line)][:LANES_MAX]
    numbers = [line for line in lines if line.output.type is OutputType.FLOAT and line.name not in levels]
    if not (prices or lanes or numbers):
        numbers = [line for line in lines if line.output.type is OutputType.INT]
    panels = _by_reach([line for line in numbers if not np.isnan(line.values).all()])[:PANELS_MAX]
    shown = {line.name for line in (*overlays, *lanes, *(line for panel in panels for line in panel))} | paired
    left_out = [line.name for line in lines if line.name not in shown]
    drawn = subject.bars.rows(len(subject.bars) - count, len(subject.bars))
    return Plan(drawn, overlays, zones, panels, lanes, node.kind == "structure", left_out)


def _without_repeats(node: Node, prices: Sequence[Line]) -> list[Line]:
    """Leave out what repeats one of several like outputs, such as the nearest of all zones."""
    prefixes = tuple(output.name.partition("{}")[0] for output in node.outputs if output.each)
    several = [line for line in prices if prefixes and line.name.startswith(prefixes)]
    return several or list(prices)


def _pairs(lines: Sequence[Line]) -> list[tuple[Line, Line]]:
    by_name = {line.name: line for line in lines}
    uppers = [(line, name.removesuffix("lower") + "upper") for name, line in by_name.items() if name.endswith("lower")]
    return [(line, by_name[upper]) for line, upper in uppers if upper in by_name]


def _is_lane(line: Line) -> bool:
    """Whether an output is words, a truth, or a sign, and says anything in these bars."""
    present = line.values[~np.isnan(line.values)]
    if not present.any():
        return False
    if line.output.type in (OutputType.ENUM, OutputType.BOOL):
        return True
    is_place = line.name.endswith(PLACE_SUFFIX)
    return line.output.type is OutputType.INT and not is_place and bool(np.isin(present, (-1.0, 0.0, 1.0)).all())


def _by_reach(lines: Sequence[Line]) -> list[list[Line]]:
    panels: list[tuple[float, list[Line]]] = []
    for line in lines:
        reach = float(np.nanmax(np.abs(line.values))) or 1.0
        for largest, members in panels:
            if max(largest / reach, reach / largest) < SAME_SCALE:
                members.append(line)
                break
        else:
            panels.append((reach, [line]))
    return [members for _, members in panels]
