"""Features and structures in the graphs of their timeframes, and how many bars each of them needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evenkeel.data.calendar import load_calendar
from evenkeel.features import conditions as nodes
from evenkeel.features.graph import GraphBuilder
from evenkeel.features.node import Node, Output
from evenkeel.features.prices import series_row
from evenkeel.features.registry import find_indicator, find_structure
from evenkeel.features.timeline import ProgramBuilder
from evenkeel.model.errors import UsageError
from evenkeel.model.time import Timeframe
from evenkeel.strategies.play.declarations import FeatureSpec, StructureSpec
from evenkeel.strategies.play.expression import FeatureRef
from evenkeel.strategies.play.sampling import DAY_MINUTES, session_minutes
from evenkeel.strategies.play.subject import Subject
from evenkeel.strategies.play.vocabulary import WARMUP_MAX


@dataclass(frozen=True, slots=True)
class Place:
    """Where a feature or structure was put.

    Attributes:
        node: Its declaration.
        timeframe: On which bars.
        rows: Of its outputs.
        warmup: Bars it needs, those of what it reads included.
        anchored: Bars of one whole anchor period, for sums since an anchor; else 0.
        params: Its parameters.
        path: Where it is declared.
    """

    node: Node
    timeframe: Timeframe
    rows: tuple[int, ...]
    warmup: int
    anchored: int
    params: Mapping[str, Any]
    path: str

    def row(self, field: str) -> int:
        """Return the row of an output."""
        return self.rows[[output.name for output in self.node.outputs_of(self.params)].index(field)]

    def output(self, field: str) -> Output:
        """Return the declaration of an output."""
        return self.node.output(field, self.params)


class Places:
    """Every feature and structure of a play, placed.

    Attributes:
        builder: Of the program.
    """

    def __init__(self, play: Subject, builder: ProgramBuilder) -> None:
        self.builder = builder
        self._play = play
        self._places: dict[str, Place] = {}
        for feature in play.features:
            self._place_feature(feature)
        for structure in play.structures:
            self._place_structure(structure)

    def __getitem__(self, name: str) -> Place:
        return self._places[name]

    def lagged(self, ref: FeatureRef) -> tuple[Timeframe, int]:
        """Return timeframe and row of a reference, its offset in bars of that timeframe included."""
        place = self._places[ref.id]
        row = place.row(ref.field)
        if ref.offset:
            row = self.builder.on(place.timeframe).add(nodes.lag, (row,), {"bars": ref.offset})[0]
        return place.timeframe, row

    def require(self, ref: FeatureRef, further: int) -> None:
        """Ask for the bars that a reference needs when it is read up to `further` of its bars back.

        Raises:
            UsageError: If they are more than a play may need unless it says so.
        """
        place = self._places[ref.id]
        look = ref.offset + further
        where = f"{place.path} needs {place.warmup + look:,} closed {place.timeframe} bars before the first decision "
        where += f"({place.warmup:,} to warm up, {look:,} for offsets, windows and crosses)"
        self.require_bars(place.timeframe, place.warmup + look, where)
        if place.anchored > place.warmup:
            self.builder.require_bars(place.timeframe, place.anchored + look)

    def require_bars(self, timeframe: Timeframe, bars: int, where: str) -> None:
        """Ask for closed bars of a timeframe.

        Raises:
            UsageError: If they are more than a play may need unless it says so.
        """
        if bars > max(WARMUP_MAX, self._play.warmup.get(timeframe.name, 0)):
            raise UsageError(
                f"{where}, and the limit is {WARMUP_MAX:,}; look back less far, use a slower timeframe, or allow it "
                f'with `warmup: {{ min_bars: {{ "{timeframe}": {bars} }} }}`'
            )
        self.builder.require_bars(timeframe, bars)

    def _place_feature(self, spec: FeatureSpec) -> None:
        node = find_indicator(spec.indicator)
        graph = self.builder.on(spec.timeframe)
        before = anchored = 0
        if isinstance(spec.source, FeatureRef):
            source = self._places[spec.source.id]
            inputs: tuple[int, ...] = (source.row(spec.source.field),)
            before, anchored = source.warmup, source.anchored
        elif spec.source is not None:
            inputs = (series_row(graph, spec.source),)
        else:
            inputs = tuple(graph.column(name) for name in node.inputs)
        own = node.warmup(spec.params)
        if "session" in node.inputs:
            anchored = self._anchor_bars(spec.timeframe, spec.params)
        elif anchored:
            anchored += own
        rows = graph.add(node, inputs, spec.params)
        path = f"features.{spec.id}"
        self._places[spec.id] = Place(node, spec.timeframe, rows, before + own, anchored, spec.params, path)

    def _place_structure(self, spec: StructureSpec) -> None:
        node = find_structure(spec.type)
        graph = self.builder.on(spec.timeframe)
        used = {self._places[key].node.name: self._places[key] for key in spec.uses}
        atr = None if spec.atr_key is None else self._places[spec.atr_key]
        inputs = tuple(self._structure_input(name, graph, used, atr) for name in node.inputs)
        before = max([place.warmup for place in (*used.values(), *([atr] if atr else []))], default=0)
        of_used = {f"{kind}.{name}": value for kind, place in used.items() for name, value in place.params.items()}
        warmup = max(node.warmup({**of_used, **spec.params}), before)
        params = {param.name: spec.params.get(param.name) for param in node.params}
        rows = graph.add(node, inputs, {name: value for name, value in params.items() if value is not None})
        path = f"structures.{spec.role}.{spec.key}"
        self._places[spec.key] = Place(node, spec.timeframe, rows, warmup, 0, spec.params, path)

    def _anchor_bars(self, timeframe: Timeframe, params: Mapping[str, Any]) -> int:
        """Return the bars of one whole anchor period: before it has passed, a sum since the anchor is not whole."""
        minutes = session_minutes(load_calendar(self._play.instrument.calendar))
        periods = {"D": minutes, "W": 5 * minutes if minutes < DAY_MINUTES else 7 * minutes}
        return -(-periods.get(str(params.get("anchor")), 0) // timeframe.minutes)

    def _structure_input(self, name: str, graph: GraphBuilder, used: dict[str, Place], atr: Place | None) -> int:
        if name in ("atr", "atr?"):
            return graph.missing() if atr is None else atr.row(atr.node.primary)
        kind, dot, field = name.rstrip("?").partition(".")
        if not dot:
            return graph.column(kind)
        if kind in used:
            return used[kind].row(field)
        return graph.missing()
