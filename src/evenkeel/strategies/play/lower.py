"""Lowering: a play's names become rows of graphs, its conditions become nodes, equal parts become one.

Features and structures stand in the graphs of their timeframes. A condition stands in the graph that decides, or, where
it must be looked at between two decisions, on a grid of finer instants, and the graph that decides holds what it says.
On the way each reference tells how far back it is read, and from that follows how many bars a timeframe needs before
the first decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evenkeel.features import conditions as nodes
from evenkeel.features.node import Node, Output
from evenkeel.features.readings import Cell
from evenkeel.features.timeline import AGE, SCALE, Program, ProgramBuilder
from evenkeel.model.bar import Floats
from evenkeel.model.errors import InvariantBroken
from evenkeel.model.instrument import InstrumentKind
from evenkeel.model.time import Timeframe
from evenkeel.strategies.play.actions import Block, Case, Emit
from evenkeel.strategies.play.decide import Wish
from evenkeel.strategies.play.expression import Builtin, Condition, FeatureRef, Literal
from evenkeel.strategies.play.meaning import Meaning
from evenkeel.strategies.play.placing import Places
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
from evenkeel.strategies.play.sampling import Sampling
from evenkeel.strategies.play.subject import Subject
from evenkeel.strategies.play.trace import TracedRule

_WISHES = {
    "entry_long": Wish.ENTRY_LONG, "entry_short": Wish.ENTRY_SHORT, "exit_long": Wish.EXIT_LONG,
    "exit_short": Wish.EXIT_SHORT, "exit_all": Wish.EXIT_ALL,
}  # fmt: skip
_ENTRIES = (Wish.ENTRY_LONG, Wish.ENTRY_SHORT)
_FORBIDDEN = {"long_only": Wish.ENTRY_SHORT, "short_only": Wish.ENTRY_LONG}


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
        close: Row of the price at the decision.
        distances: Rows of the distances: stop long, stop short, target long, target short, trailing stop.
        wake_flat: 1 where an entry is wished.
        wake_hold: 1 where an exit is wished.
        age: Row with the number of decisions since the last close of an execution bar, this one included; 0 at such a
            close. None where decisions are made at those closes only.
        rules: Every case with the rows of its conditions, where they were asked for.
    """

    program: Program
    emitted: tuple[Emitted, ...]
    close: int
    distances: tuple[int, int, int, int, int]
    wake_flat: int
    wake_hold: int
    age: int | None
    rules: tuple[TracedRule, ...] = ()


def lower(play: Play, *, trace: bool = False) -> Lowered:
    """Return the graphs and rows of a play.

    Args:
        play: What to lower.
        trace: Whether to say for each condition where its rows are; the graphs are the same.

    Raises:
        UsageError: If it needs more bars before its first decision than a play may need unless it says so.
    """
    return _Lowering(play, trace=trace).lower()


def lower_rules(subject: Subject, rules: Sequence[Condition]) -> tuple[Program, tuple[int, ...]]:
    """Return the graphs of conditions that stand for themselves, and the row of each: 1 where it is true.

    Args:
        subject: What the conditions are about.
        rules: The conditions.

    Raises:
        UsageError: If it needs more bars before its first decision than a play may need unless it says so.
    """
    return _Truths(subject, rules).lower_rules(rules)


class _Truths:
    """Conditions as rows of the graph that decides."""

    def __init__(self, subject: Subject, roots: Sequence[Condition]) -> None:
        self._subject = subject
        self._sampling = Sampling(subject)
        apart = any(self._sampling.grid(root) is not None for root in roots)
        self._builder = ProgramBuilder(self._sampling.drive, apart=apart)
        self._graph = self._builder.decisions.graph
        self._places = Places(subject, self._builder)
        self._decided = Meaning(subject, self._places, self._sampling, self._builder.decisions, None)
        self._grids: dict[Timeframe, Meaning] = {}

    def lower_rules(self, rules: Sequence[Condition]) -> tuple[Program, tuple[int, ...]]:
        """Return the program and the row of each rule."""
        rows = tuple(self._graph.add(nodes.met, (self._truth(rule),))[0] for rule in rules)
        return self._builder.build(), rows

    def _truth(self, condition: Condition) -> int:
        """Return the row of a condition in the graph that decides."""
        grid = self._sampling.grid(condition)
        self._decided.require(condition)
        row = self._meaning(condition).condition(condition)
        if grid is None:
            return row
        self._builder.grid(grid, self._sampling.instants(condition, grid))
        return self._builder.decisions.hold(grid, row, of_grid=True)

    def _meaning(self, condition: Condition) -> Meaning:
        """Return the grid on which a condition is looked at."""
        grid = self._sampling.grid(condition)
        if grid is None:
            return self._decided
        if grid not in self._grids:
            sheet = self._builder.grid(grid)
            self._grids[grid] = Meaning(self._subject, self._places, self._sampling, sheet, grid)
        return self._grids[grid]


class _Lowering(_Truths):
    """A play as rows."""

    def __init__(self, play: Play, *, trace: bool) -> None:
        roots = [case.when for block in play.actions for case in block.cases if case.when is not None]
        super().__init__(play, roots)
        self._play = play
        self._rules: list[TracedRule] | None = [] if trace else None
        self._scale = self._graph.column(SCALE) if play.instrument.kind is InstrumentKind.EQUITY else None

    def lower(self) -> Lowered:
        close = self._decided.read(Builtin("last_price"))
        emitted = tuple(e for block in self._play.actions for e in self._block(block) if self._allowed(e.wish))
        distances = self._distances(close)
        wake_flat = self._any_row([e.row for e in emitted if e.wish in _ENTRIES])
        wake_hold = self._any_row([e.row for e in emitted if e.wish not in _ENTRIES])
        age = self._graph.column(f"{AGE}:{self._sampling.exec}") if self._play.evaluate == "intrabar" else None
        for name, bars in self._play.warmup.items():
            self._builder.require_bars(Timeframe.parse(name), bars)
        rules = tuple(self._rules or ())
        price = self._as_traded(close)
        return Lowered(self._builder.build(), emitted, price, distances, wake_flat, wake_hold, age, rules)

    def _allowed(self, wish: Wish) -> bool:
        return _FORBIDDEN.get(self._play.policy.mode) is not wish

    def _distances(self, close: int) -> tuple[int, int, int, int, int]:
        risk = self._play.risk
        stops = [self._distance(risk.stop, close, side, None) for side in (1, -1)]
        targets = [self._distance(risk.target, close, -side, stop) for side, stop in zip((1, -1), stops, strict=True)]
        trail = self._distance(fixed_trail(self._play), close, 1, None)
        return stops[0], stops[1], targets[0], targets[1], trail

    def _as_traded(self, row: int) -> int:
        """Return the row of a price or a distance as orders have it: features of a share see splits taken out of it."""
        return row if self._scale is None else self._two(nodes.divide, row, self._scale)

    def _distance(self, rule: TargetRule | None, close: int, side: int, stop: int | None) -> int:
        """Return the row of a distance; `side` is +1 where the level lies below the price."""
        match rule:
            case None | Ladder():
                return self._graph.missing()
            case PercentDistance(fraction):
                return self._as_traded(self._scaled(close, fraction))
            case PointsDistance(points):
                return self._constant(points)
            case AtrDistance(multiple, atr, buffer):
                distance = self._scaled(self._primary(atr), multiple)
                if buffer != 0.0:
                    distance = self._two(nodes.add, distance, self._scaled(close, buffer))
                return self._as_traded(distance)
            case RewardRisk(ratio):
                if stop is None:
                    raise InvariantBroken("a reward-to-risk target without a stop was loaded")
                return self._scaled(stop, ratio)
            case StructureDistance():
                return self._as_traded(self._level_distance(rule, close, side))

    def _level_distance(self, rule: StructureDistance, close: int, side: int) -> int:
        field = rule.field or ("low_level" if side > 0 else "high_level")
        level = self._decided.read(FeatureRef(rule.key, field))
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
            truth = self._constant(1.0) if case.when is None else self._truth(case.when)
            if earlier is None:
                speaks = self._graph.add(nodes.met, (truth,))[0]
            else:
                speaks = self._two(nodes.met_without, truth, earlier)
            earlier = speaks if earlier is None else self._two(nodes.either, earlier, speaks)
            words = block.id if len(block.cases) == 1 else f"{block.id}, case {number + 1}"
            if self._rules is not None:
                self._rules.append(self._rule(words, case, speaks))
            emitted += [self._emitted(emit, speaks, words) for emit in case.emits if emit.action in _WISHES]
        return emitted

    def _emitted(self, emit: Emit, row: int, words: str) -> Emitted:
        notes = tuple(self._note(*item) for item in emit.metadata)
        return Emitted(_WISHES[emit.action], row, words, emit.fraction, notes)

    def _rule(self, words: str, case: Case, speaks: int) -> TracedRule:
        wishes = tuple(_WISHES[emit.action] for emit in case.emits if emit.action in _WISHES)
        traced = None if case.when is None else self._meaning(case.when).trace(case.when)
        return TracedRule(words, wishes, Cell(None, speaks), traced)

    def _note(self, name: str, value: Literal | FeatureRef | Builtin) -> Note:
        match value:
            case Literal(constant):
                return Note(name, constant=constant)
            case FeatureRef():
                output = self._places[value.id].output(value.field)
                return Note(name, row=self._decided.read(value), output=output)
            case Builtin():
                return Note(name, row=self._decided.read(value))

    def _primary(self, feature: str) -> int:
        return self._decided.read(FeatureRef(feature, self._places[feature].node.primary))

    def _scaled(self, row: int, factor: float) -> int:
        return self._two(nodes.multiply, row, self._constant(factor))

    def _constant(self, value: float) -> int:
        return self._graph.add(nodes.constant, (), {"value": float(value)})[0]

    def _two(self, node: Node, left: int, right: int) -> int:
        return self._graph.add(node, (left, right))[0]

    def _any_row(self, rows: Sequence[int]) -> int:
        if not rows:
            return self._constant(0.0)
        result = rows[0]
        for row in rows[1:]:
            result = self._two(nodes.either, result, row)
        return result


def fixed_trail(play: Play) -> AtrDistance | None:
    """Return the distance that a trailing stop keeps from entry to exit; None where it is a share of the price."""
    return None if play.risk.trail is None else play.risk.trail.distance
