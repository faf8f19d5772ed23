"""Lowering: a play's names become rows of graphs, its conditions become nodes, equal parts become one.

Every condition is sampled on the execution timeframe: an operand of another timeframe is held from its last closed bar,
an offset counts bars of its own timeframe, and the sample before is the execution bar before. On the way each reference
tells how far back it is read, and from that follows how many bars a timeframe needs before the first decision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evenkeel.data.calendar import Calendar, day_number, load_calendar
from evenkeel.features import conditions as nodes
from evenkeel.features.graph import GraphBuilder
from evenkeel.features.node import Node, Output
from evenkeel.features.prices import series_row
from evenkeel.features.registry import find_indicator, find_structure
from evenkeel.features.timeline import Program, ProgramBuilder
from evenkeel.model.bar import Floats
from evenkeel.model.errors import InvariantBroken
from evenkeel.model.gaps import not_available
from evenkeel.model.time import MINUTE, Timeframe
from evenkeel.strategies.play.actions import Block, Emit
from evenkeel.strategies.play.decide import Wish
from evenkeel.strategies.play.declarations import FeatureSpec, StructureSpec
from evenkeel.strategies.play.expression import (
    All,
    Any_,
    Arithmetic,
    Builtin,
    Compare,
    Condition,
    FeatureRef,
    Literal,
    Not,
    Operand,
    SetupRef,
    Window,
)
from evenkeel.strategies.play.play import Play
from evenkeel.strategies.play.risk import (
    AtrDistance,
    Ladder,
    PercentDistance,
    PointsDistance,
    RewardRisk,
    StructureDistance,
    TargetRule,
)

DAY_MINUTES = 1440
ORDINARY_DAYS = 14
"""Among so many days there is one with full hours."""

_WISHES = {
    "entry_long": Wish.ENTRY_LONG, "entry_short": Wish.ENTRY_SHORT, "exit_long": Wish.EXIT_LONG,
    "exit_short": Wish.EXIT_SHORT, "exit_all": Wish.EXIT_ALL,
}  # fmt: skip
_ENTRIES = (Wish.ENTRY_LONG, Wish.ENTRY_SHORT)
_FORBIDDEN = {"long_only": Wish.ENTRY_SHORT, "short_only": Wish.ENTRY_LONG}
_ARITHMETIC = {
    "+": nodes.add, "-": nodes.subtract, "*": nodes.multiply, "/": nodes.divide, "%": nodes.modulo,
}  # fmt: skip
_ORDERED: dict[str, tuple[Node, bool]] = {
    ">": (nodes.greater, False), "<": (nodes.greater, True),
    ">=": (nodes.greater_equal, False), "<=": (nodes.greater_equal, True),
    "cross_above": (nodes.cross_above, False), "cross_below": (nodes.cross_above, True),
    "==": (nodes.equal, False),
}  # fmt: skip
"""Operator to node, and whether its operands change places."""


@dataclass(frozen=True, slots=True)
class Emitted:
    """A wish of a case.

    Attributes:
        wish: What it wants.
        row: 1 where the case speaks.
        words: Which rule it is.
        fraction: Part of the position that an exit closes.
        notes: Values to keep with the trade.
    """

    wish: Wish
    row: int
    words: str
    fraction: float = 1.0
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """A value to keep with a trade: a constant, or a row read at the decision.

    Attributes:
        name: Under which it is kept.
        constant: The value, where it is one.
        row: Row of the execution graph, None for a constant.
        output: What the row's numbers stand for.
    """

    name: str
    constant: float | str | bool | None = None
    row: int | None = None
    output: Output | None = None

    def read(self, x: Floats, column: int) -> int | float | bool | str | None:
        """Return the value at a column; None is missing."""
        if self.row is None:
            return self.constant
        number = float(x[self.row, column])
        return (self.output or Output(self.name)).reading(number)


@dataclass(frozen=True, slots=True)
class Lowered:
    """A play as graphs and rows.

    Attributes:
        program: The graphs.
        emitted: Wishes that policy allows, in order.
        close: Row of the close.
        distances: Rows of the distances: stop long, stop short, target long, target short, trailing stop.
        age: Row that counts the decisions since an execution bar began, where a bar takes one entry only.
        wake_flat: 1 where an entry is wished.
        wake_hold: 1 where an exit is wished.
    """

    program: Program
    emitted: tuple[Emitted, ...]
    close: int
    distances: tuple[int, int, int, int, int]
    wake_flat: int
    wake_hold: int
    age: int | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a feature or structure was put.

    Attributes:
        node: Its declaration.
        timeframe: On which bars.
        rows: Of its outputs.
        warmup: Bars it needs, those of what it reads included.
        params: Its parameters.
    """

    node: Node
    timeframe: Timeframe
    rows: tuple[int, ...]
    warmup: int
    params: Mapping[str, Any]

    def row(self, field: str) -> int:
        """Return the row of an output."""
        return self.rows[[output.name for output in self.node.outputs_of(self.params)].index(field)]

    def output(self, field: str) -> Output:
        """Return the declaration of an output."""
        return self.node.output(field, self.params)


def lower(play: Play) -> Lowered:
    """Return the graphs and rows of a play.

    Raises:
        NotAvailable: If a window is anchored to a timeframe that is not a multiple of the execution timeframe.
    """
    return _Lowering(play).lower()


class _Lowering:
    def __init__(self, play: Play) -> None:
        self._play = play
        self._exec = play.intervals.exec
        self._builder = ProgramBuilder(self._exec)
        self._graph: GraphBuilder = self._builder.on(self._exec)
        self._places: dict[str, _Place] = {}

    def lower(self) -> Lowered:
        for feature in self._play.features:
            self._place_feature(feature)
        for structure in self._play.structures:
            self._place_structure(structure)
        close = self._builtin(Builtin("close"), 0)
        emitted = tuple(e for block in self._play.actions for e in self._block(block) if self._allowed(e.wish))
        distances = self._distances(close)
        wake_flat = self._any_row([e.row for e in emitted if e.wish in _ENTRIES])
        wake_hold = self._any_row([e.row for e in emitted if e.wish not in _ENTRIES])
        for name, bars in self._play.warmup.items():
            self._builder.require_bars(Timeframe.parse(name), bars)
        return Lowered(self._builder.build(), emitted, close, distances, wake_flat, wake_hold)

    def _allowed(self, wish: Wish) -> bool:
        return _FORBIDDEN.get(self._play.policy.mode) is not wish

    def _place_feature(self, spec: FeatureSpec) -> None:
        node = find_indicator(spec.indicator)
        graph = self._builder.on(spec.timeframe)
        before = 0
        if isinstance(spec.source, FeatureRef):
            source = self._places[spec.source.id]
            inputs: tuple[int, ...] = (source.row(spec.source.field),)
            before = source.warmup
        elif spec.source is not None:
            inputs = (series_row(graph, spec.source),)
        else:
            inputs = tuple(graph.column(name) for name in node.inputs)
        warmup = before + node.warmup(spec.params)
        if "session" in node.inputs:
            warmup = max(warmup, self._anchor_bars(spec.timeframe, spec.params))
        rows = graph.add(node, inputs, spec.params)
        self._places[spec.id] = _Place(node, spec.timeframe, rows, warmup, spec.params)

    def _place_structure(self, spec: StructureSpec) -> None:
        node = find_structure(spec.type)
        graph = self._builder.on(spec.timeframe)
        used = {self._places[key].node.name: self._places[key] for key in spec.uses}
        atr = None if spec.atr_key is None else self._places[spec.atr_key]
        inputs = tuple(self._structure_input(name, graph, used, atr) for name in node.inputs)
        before = max([place.warmup for place in (*used.values(), *([atr] if atr else []))], default=0)
        of_used = {f"{kind}.{name}": value for kind, place in used.items() for name, value in place.params.items()}
        warmup = max(node.warmup({**of_used, **spec.params}), before)
        params = {param.name: spec.params.get(param.name) for param in node.params}
        rows = graph.add(node, inputs, {name: value for name, value in params.items() if value is not None})
        self._places[spec.key] = _Place(node, spec.timeframe, rows, warmup, spec.params)

    def _anchor_bars(self, timeframe: Timeframe, params: Mapping[str, Any]) -> int:
        """Return the bars of one whole anchor period: before it has passed, a sum since the anchor is not whole."""
        minutes = session_minutes(load_calendar(self._play.instrument.calendar))
        periods = {"D": minutes, "W": 5 * minutes if minutes < DAY_MINUTES else 7 * minutes}
        return -(-periods.get(str(params.get("anchor")), 0) // timeframe.minutes)

    def _structure_input(self, name: str, graph: GraphBuilder, used: dict[str, _Place], atr: _Place | None) -> int:
        if name in ("atr", "atr?"):
            return graph.missing() if atr is None else atr.row(atr.node.primary)
        kind, dot, field = name.rstrip("?").partition(".")
        if not dot:
            return graph.column(kind)
        if kind in used:
            return used[kind].row(field)
        return graph.missing()

    def _distances(self, close: int) -> tuple[int, int, int, int, int]:
        risk = self._play.risk
        stops = [self._distance(risk.stop, close, side, None) for side in (1, -1)]
        targets = [self._distance(risk.target, close, -side, stop) for side, stop in zip((1, -1), stops, strict=True)]
        trail = self._distance(fixed_trail(self._play), close, 1, None)
        return stops[0], stops[1], targets[0], targets[1], trail

    def _distance(self, rule: TargetRule | None, close: int, side: int, stop: int | None) -> int:
        """Return the row of a distance; `side` is +1 where the level lies below the price."""
        match rule:
            case None | Ladder():
                return self._graph.missing()
            case PercentDistance(fraction):
                return self._scaled(close, fraction)
            case PointsDistance(points):
                return self._constant(points)
            case AtrDistance(multiple, atr, buffer):
                distance = self._scaled(self._primary(atr), multiple)
                return distance if buffer == 0.0 else self._two(nodes.add, distance, self._scaled(close, buffer))
            case RewardRisk(ratio):
                if stop is None:
                    raise InvariantBroken("a reward-to-risk target without a stop was loaded")
                return self._scaled(stop, ratio)
            case StructureDistance():
                return self._level_distance(rule, close, side)

    def _level_distance(self, rule: StructureDistance, close: int, side: int) -> int:
        field = rule.field or ("low_level" if side > 0 else "high_level")
        level = self._reference(FeatureRef(rule.key, field), 0)
        buffer = self._scaled(close, rule.buffer_fraction)
        if rule.atr is not None:
            buffer = self._two(nodes.add, buffer, self._scaled(self._primary(rule.atr), rule.buffer_atr))
        params = {
            "side": float(side), "max_fraction": rule.max_distance_fraction,
            "fallback_fraction": rule.fallback_fraction,
        }  # fmt: skip
        return self._graph.add(nodes.level_distance, (close, level, buffer), params)[0]

    def _block(self, block: Block) -> list[Emitted]:
        """Return the wishes of a block: the first case that holds speaks."""
        emitted: list[Emitted] = []
        earlier: int | None = None
        for number, case in enumerate(block.cases):
            truth = self._constant(1.0) if case.when is None else self._condition(case.when, 0)
            speaks = self._one(nodes.met, truth) if earlier is None else self._two(nodes.met_without, truth, earlier)
            earlier = speaks if earlier is None else self._two(nodes.either, earlier, speaks)
            words = block.id if len(block.cases) == 1 else f"{block.id}, case {number + 1}"
            emitted += [self._emitted(emit, speaks, words) for emit in case.emits if emit.action in _WISHES]
        return emitted

    def _emitted(self, emit: Emit, row: int, words: str) -> Emitted:
        notes = tuple(self._note(*item) for item in emit.metadata)
        return Emitted(_WISHES[emit.action], row, words, emit.fraction, notes)

    def _note(self, name: str, value: Literal | FeatureRef | Builtin) -> Note:
        match value:
            case Literal(constant):
                return Note(name, constant=constant)
            case FeatureRef():
                output = self._places[value.id].output(value.field)
                return Note(name, row=self._reference(value, 0), output=output)
            case Builtin():
                return Note(name, row=self._builtin(value, 0))

    def _condition(self, condition: Condition, reach: int) -> int:
        """Return the row of a condition that is read up to `reach` execution bars back."""
        match condition:
            case Compare():
                return self._compare(condition, reach)
            case All(children):
                return self._fold(nodes.both, [self._condition(child, reach) for child in children])
            case Any_(children):
                return self._fold(nodes.either, [self._condition(child, reach) for child in children])
            case Not(child):
                return self._one(nodes.negation, self._condition(child, reach))
            case SetupRef(name):
                return self._condition(self._play.setups[name], reach)
            case Window():
                return self._window(condition, reach)

    def _window(self, window: Window, reach: int) -> int:
        stride = self._stride(window)
        needed = {"holds_for": window.bars, "occurred_within": 1, "count_true": window.min_true or 1}[window.kind]
        inside = self._condition(window.expr, reach + (window.bars - 1) * stride)
        params = {"samples": window.bars, "stride": stride, "needed": needed}
        return self._graph.add(nodes.count_window, (inside,), params)[0]

    def _stride(self, window: Window) -> int:
        anchor = window.anchor_tf or self._exec
        if anchor == self._exec:
            return 1
        whole = anchor.minutes % self._exec.minutes == 0 and anchor.minutes > self._exec.minutes
        if not whole or anchor.is_calendar or self._play.instrument.calendar != "24/7":
            raise not_available("play.anchor", where=window.path)
        return anchor.minutes // self._exec.minutes

    def _compare(self, compare: Compare, reach: int) -> int:
        reach += compare.op in ("cross_above", "cross_below")
        left = self._operand(compare.left, reach)
        match compare.op:
            case "between":
                ends = [self._operand(end, reach) for end in (compare.low, compare.high) if end is not None]
                return self._graph.add(nodes.between, (left, *ends))[0]
            case "in":
                codes = [self._constant(self._code(compare.left, choice.value)) for choice in compare.choices]
                return self._fold(nodes.either, [self._two(nodes.equal, left, code) for code in codes])
            case "near_abs" | "near_pct":
                node = nodes.near_abs if compare.op == "near_abs" else nodes.near_pct
                right = self._operand(_given(compare.right), reach)
                return self._graph.add(node, (left, right), {node.params[0].name: compare.tolerance})[0]
            case "!=":
                return self._one(nodes.negation, self._two(nodes.equal, left, self._right(compare, reach)))
            case _:
                node, swapped = _ORDERED[compare.op]
                pair = (self._right(compare, reach), left) if swapped else (left, self._right(compare, reach))
                return self._graph.add(node, pair)[0]

    def _right(self, compare: Compare, reach: int) -> int:
        right = _given(compare.right)
        if isinstance(right, Literal):
            return self._constant(self._code(compare.left, right.value))
        return self._operand(right, reach)

    def _code(self, left: Operand, value: float | str | bool) -> float:
        """Return a literal as the number that rows hold: a word is its position in the list of its output."""
        if isinstance(value, str):
            if not isinstance(left, FeatureRef):
                raise InvariantBroken("a word was compared with something that is not an output")
            return float(self._places[left.id].output(left.field).values.index(value))
        return float(value)

    def _operand(self, operand: Operand, reach: int) -> int:
        match operand:
            case FeatureRef():
                return self._reference(operand, reach)
            case Builtin():
                return self._builtin(operand, reach)
            case Literal(value):
                return self._constant(float(value))
            case Arithmetic(op, left, right, _):
                return self._two(_ARITHMETIC[op], self._operand(left, reach), self._operand(right, reach))

    def _reference(self, ref: FeatureRef, reach: int) -> int:
        place = self._places[ref.id]
        row = place.row(ref.field)
        if ref.offset:
            row = self._builder.on(place.timeframe).add(nodes.lag, (row,), {"bars": ref.offset})[0]
        held = -(-reach * self._exec.minutes // place.timeframe.minutes)
        self._builder.require_bars(place.timeframe, place.warmup + ref.offset + held)
        return self._builder.hold(place.timeframe, row)

    def _builtin(self, builtin: Builtin, reach: int) -> int:
        name = "close" if builtin.name == "last_price" else builtin.name
        if builtin.name == "last_price" and builtin.offset:
            raise not_available("play.last_price_offset")
        row = self._graph.column(name)
        self._builder.require_bars(self._exec, 1 + builtin.offset + reach)
        return row if builtin.offset == 0 else self._graph.add(nodes.lag, (row,), {"bars": builtin.offset})[0]

    def _primary(self, feature: str) -> int:
        place = self._places[feature]
        return self._reference(FeatureRef(feature, place.node.primary), 0)

    def _scaled(self, row: int, factor: float) -> int:
        return self._two(nodes.multiply, row, self._constant(factor))

    def _constant(self, value: float) -> int:
        return self._graph.add(nodes.constant, (), {"value": float(value)})[0]

    def _one(self, node: Node, row: int) -> int:
        return self._graph.add(node, (row,))[0]

    def _two(self, node: Node, left: int, right: int) -> int:
        return self._graph.add(node, (left, right))[0]

    def _fold(self, node: Node, rows: Sequence[int]) -> int:
        result = rows[0]
        for row in rows[1:]:
            result = self._two(node, result, row)
        return result

    def _any_row(self, rows: Sequence[int]) -> int:
        return self._fold(nodes.either, rows) if rows else self._constant(0.0)


def fixed_trail(play: Play) -> AtrDistance | None:
    """Return the distance that a trailing stop keeps from entry to exit; None where it is a share of the price."""
    return None if play.risk.trail is None else play.risk.trail.distance


def session_minutes(calendar: Calendar) -> int:
    """Return the length of an ordinary trading day in minutes."""
    if calendar.always_open:
        return DAY_MINUTES
    last = day_number(calendar.last_day)
    opens, closes = calendar.session_bounds(calendar.trading_days(last - ORDINARY_DAYS, last))
    return int((closes - opens).max() // MINUTE)


def _given(operand: Operand | None) -> Operand:
    if operand is None:
        raise InvariantBroken("a comparison without a right side was loaded")
    return operand
