"""What conditions mean on one grid of instants: each becomes a row of truths, equal ones the same row."""

from __future__ import annotations

from collections.abc import Sequence

from evenkeel.features import conditions as nodes
from evenkeel.features.node import Node
from evenkeel.features.readings import Back, Cell
from evenkeel.features.timeline import BACK, BAR_OF, Sheet
from evenkeel.model.errors import InvariantBroken
from evenkeel.model.time import Timeframe
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
    children,
)
from evenkeel.strategies.play.placing import Places
from evenkeel.strategies.play.sampling import ONE_MINUTE, Leaf, Sampling
from evenkeel.strategies.play.subject import Subject
from evenkeel.strategies.play.trace import (
    Traced,
    TracedValue,
    condition_words,
    operand_words,
    references,
    written_at,
)
from evenkeel.strategies.play.vocabulary import FORMING_COLUMNS, MINUTE_PRICES, SIDE_RATES

_ARITHMETIC = {
    "+": nodes.add, "-": nodes.subtract, "*": nodes.multiply, "/": nodes.divide, "%": nodes.modulo,
}  # fmt: skip
_ORDERED: dict[str, tuple[Node, bool]] = {
    ">": (nodes.greater, False), "<": (nodes.greater, True),
    ">=": (nodes.greater_equal, False), "<=": (nodes.greater_equal, True), "==": (nodes.equal, False),
}  # fmt: skip
"""Operator to node, and whether its operands change places."""

_FORMING = {
    "bar_open": ("open", nodes.FIRST), "bar_high": ("high", nodes.HIGHEST), "bar_low": ("low", nodes.LOWEST),
}  # fmt: skip
"""Built-in of the forming bar to the minutes' column and what is taken of it."""


class Meaning:
    """Conditions on one grid."""

    def __init__(self, play: Subject, places: Places, sampling: Sampling, sheet: Sheet, grid: Timeframe | None) -> None:
        """Stand on a grid.

        Args:
            play: Whose conditions.
            places: Its features and structures.
            sampling: Its grids.
            sheet: Takes the nodes.
            grid: The timeframe whose closes are the instants; None for those of the decisions.
        """
        self._play = play
        self._places = places
        self._sampling = sampling
        self._sheet = sheet
        self._graph = sheet.graph
        self._grid = grid
        self._setups: dict[str, int] = {}
        self._traced_setups: dict[str, Traced] = {}

    def require(self, condition: Condition) -> None:
        """Ask for the bars that a condition reads.

        Raises:
            UsageError: If they are more than a play may need unless it says so.
        """
        on_decisions = self._sampling.grid(condition) is None
        for leaf, reach in self._sampling.reads(condition).items():
            self._require(leaf, reach, on_decisions=on_decisions)

    def read(self, leaf: Leaf) -> int:
        """Return the row of a value that is read at the instants of this grid only, and ask for the bars it needs."""
        self._require(leaf, 0, on_decisions=self._grid is None)
        return self._operand(leaf)

    def condition(self, condition: Condition) -> int:
        """Return the row of a condition."""
        match condition:
            case Compare():
                return self._compare(condition)
            case All(inside):
                return self._fold(nodes.both, [self.condition(child) for child in inside])
            case Any_(inside):
                return self._fold(nodes.either, [self.condition(child) for child in inside])
            case Not(child):
                return self._graph.add(nodes.negation, (self.condition(child),))[0]
            case SetupRef(name):
                if name not in self._setups:
                    self._setups[name] = self.condition(self._play.setups[name])
                return self._setups[name]
            case Window():
                return self._window(condition)

    def trace(self, condition: Condition) -> Traced:
        """Return where the rows of a condition are: asking for a row again gives the one that is there."""
        inside = tuple(self.trace(child) for child in children(condition))
        if isinstance(condition, SetupRef):
            if condition.id not in self._traced_setups:
                self._traced_setups[condition.id] = self.trace(self._play.setups[condition.id])
            inside = (self._traced_setups[condition.id],)
        return Traced(
            condition=condition,
            words=condition_words(condition, self._words),
            text=written_at(self._play.resolved, condition.path) if isinstance(condition, Compare) else "",
            truth=self._cell(self.condition(condition)),
            children=inside,
            values=self._trace_values(condition) if isinstance(condition, Compare) else (),
            back=self._trace_back(condition),
        )

    def _trace_back(self, condition: Condition) -> Back:
        """Return how far before a sample of a window or a cross the one before it lies; 0 where there is none."""
        match condition:
            case Window():
                step = self._sampling.window_step(condition)
            case Compare(op="cross_above" | "cross_below"):
                step = self._sampling.cross_step(condition)
            case _:
                return 0
        return 1 if self._is_next_column(step) else self._cell(self._back(step))

    def _trace_values(self, compare: Compare) -> tuple[TracedValue, ...]:
        ends = [(end, self._operand(end)) for end in (compare.low, compare.high) if end is not None]
        right = [] if compare.right is None else [(compare.right, self._right(compare))]
        sides = [(compare.left, self._operand(compare.left)), *ends, *right]
        return tuple(self._trace_value(operand, row, compare.left) for operand, row in sides)

    def _trace_value(self, operand: Operand, row: int, left: Operand) -> TracedValue:
        """Return where an operand is; a literal stands for what the left side, to which it is compared, stands for."""
        inside = references(operand) if isinstance(operand, Arithmetic) else ()
        meant = left if isinstance(operand, Literal) else operand
        return TracedValue(
            words=self._words(operand),
            cell=self._cell(row),
            output=self._places[meant.id].output(meant.field) if isinstance(meant, FeatureRef) else None,
            constant=isinstance(operand, Literal),
            parts=tuple(self._trace_value(part, self._operand(part), part) for part in inside),
        )

    def _words(self, operand: Operand) -> str:
        return operand_words(operand, lambda ref: len(self._places[ref.id].rows) == 1)

    def _cell(self, row: int) -> Cell:
        return Cell(self._grid, row)

    def _window(self, window: Window) -> int:
        needed = {"holds_for": window.bars, "occurred_within": 1, "count_true": window.min_true or 1}[window.kind]
        inside = self.condition(window.expr)
        step = self._sampling.window_step(window)
        if self._is_next_column(step):
            return self._graph.add(nodes.count_window, (inside,), {"samples": window.bars, "needed": needed})[0]
        params = {"samples": window.bars, "needed": needed, "reach": (window.bars - 1) * self._columns(step)}
        return self._graph.add(nodes.count_samples, (inside, self._back(step)), params)[0]

    def _compare(self, compare: Compare) -> int:
        left = self._operand(compare.left)
        match compare.op:
            case "between":
                ends = [self._operand(end) for end in (compare.low, compare.high) if end is not None]
                return self._graph.add(nodes.between, (left, *ends))[0]
            case "in":
                codes = [self._constant(self._code(compare.left, choice.value)) for choice in compare.choices]
                return self._fold(nodes.either, [self._two(nodes.equal, left, code) for code in codes])
            case "near_abs" | "near_pct":
                node = nodes.near_abs if compare.op == "near_abs" else nodes.near_pct
                params = {node.params[0].name: compare.tolerance}
                return self._graph.add(node, (left, self._right(compare)), params)[0]
            case "!=":
                return self._graph.add(nodes.negation, (self._two(nodes.equal, left, self._right(compare)),))[0]
            case "cross_above":
                return self._crossed(compare, left, self._right(compare))
            case "cross_below":
                return self._crossed(compare, self._right(compare), left)
            case _:
                node, swapped = _ORDERED[compare.op]
                right = self._right(compare)
                return self._two(node, right, left) if swapped else self._two(node, left, right)

    def _crossed(self, compare: Compare, above: int, below: int) -> int:
        """Return where the first row crosses above the second."""
        step = self._sampling.cross_step(compare)
        if self._is_next_column(step):
            return self._two(nodes.cross_above, above, below)
        params = {"reach": self._columns(step)}
        return self._graph.add(nodes.crossed_above, (above, below, self._back(step)), params)[0]

    def _right(self, compare: Compare) -> int:
        if compare.right is None:
            raise InvariantBroken("a comparison without a right side was loaded")
        if isinstance(compare.right, Literal):
            return self._constant(self._code(compare.left, compare.right.value))
        return self._operand(compare.right)

    def _code(self, left: Operand, value: float | str | bool) -> float:
        """Return a literal as the number that rows hold: a word is its position in the list of its output."""
        if isinstance(value, str):
            if not isinstance(left, FeatureRef):
                raise InvariantBroken("a word was compared with something that is not an output")
            return float(self._places[left.id].output(left.field).values.index(value))
        return float(value)

    def _operand(self, operand: Operand) -> int:
        match operand:
            case FeatureRef():
                return self._sheet.hold(*self._places.lagged(operand))
            case Builtin():
                return self._builtin(operand)
            case Literal(value):
                return self._constant(float(value))
            case Arithmetic(op, left, right, _):
                return self._two(_ARITHMETIC[op], self._operand(left), self._operand(right))

    def _builtin(self, builtin: Builtin) -> int:
        name, offset = builtin.name, builtin.offset
        if name in SIDE_RATES:
            return self._rate(builtin)
        if name in MINUTE_PRICES and not self._is_execution_price(builtin, on_decisions=self._grid is None):
            if name == "mark_price" and offset == 0:
                return self._graph.column(name)
            return self._lagged(ONE_MINUTE, "close" if name == "last_price" else name, offset)
        if name in FORMING_COLUMNS and not self._decides_on_bars:
            column, take = _FORMING[name]
            minutes = self._places.builder.on(ONE_MINUTE)
            inputs = (minutes.column(column), minutes.column(f"{BAR_OF}:{self._sampling.exec}"))
            row = minutes.add(nodes.forming_bar, inputs, {"take": take, "offset": offset})[0]
            return self._sheet.hold(ONE_MINUTE, row)
        column = {"last_price": "close"}.get(name, name.removeprefix("bar_"))
        return self._lagged(self._sampling.exec, column, offset)

    def _lagged(self, timeframe: Timeframe, column: str, bars: int) -> int:
        graph = self._places.builder.on(timeframe)
        row = graph.column(column)
        return self._sheet.hold(timeframe, graph.add(nodes.lag, (row,), {"bars": bars})[0] if bars else row)

    def _rate(self, builtin: Builtin) -> int:
        """Return a value as it was known so many execution bars before the instant."""
        row, step = self._graph.column(builtin.name), self._sampling.exec
        if builtin.offset == 0:
            return row
        if self._is_next_column(step):
            return self._graph.add(nodes.lag, (row,), {"bars": builtin.offset})[0]
        params = {"bars": builtin.offset, "reach": builtin.offset * self._columns(step)}
        return self._graph.add(nodes.lag_by, (row, self._back(step)), params)[0]

    @property
    def _decides_on_bars(self) -> bool:
        """Whether the instants are the closes of execution bars, and no others."""
        return self._grid is None and self._sampling.drive == self._sampling.exec

    def _is_execution_price(self, builtin: Builtin, *, on_decisions: bool) -> bool:
        """Whether a price of the minute is the close of the execution bar, which needs no minutes."""
        on_bars = on_decisions and self._sampling.drive == self._sampling.exec
        return builtin.name == "last_price" and builtin.offset == 0 and on_bars

    def _require(self, leaf: Leaf, reach: int, *, on_decisions: bool) -> None:
        sampling = self._sampling
        if isinstance(leaf, FeatureRef):
            self._places.require(leaf, sampling.bars_within(reach, self._places[leaf.id].timeframe))
            return
        by_minutes = leaf.name in MINUTE_PRICES and not self._is_execution_price(leaf, on_decisions=on_decisions)
        timeframe = ONE_MINUTE if by_minutes else sampling.exec
        look = leaf.offset + sampling.bars_within(reach, timeframe)
        where = f"{leaf.name} needs {1 + look:,} closed {timeframe} bars before the first decision"
        self._places.require_bars(timeframe, 1 + look, where)

    def _is_next_column(self, step: Timeframe) -> bool:
        """Whether one bar of a timeframe earlier is the column before."""
        return self._sampling.is_next(step, self._grid)

    def _back(self, step: Timeframe) -> int:
        return self._graph.column(f"{BACK}:{step}")

    def _columns(self, step: Timeframe) -> int:
        return self._sampling.columns(step, self._grid or self._sampling.drive)

    def _constant(self, value: float) -> int:
        return self._graph.add(nodes.constant, (), {"value": float(value)})[0]

    def _two(self, node: Node, left: int, right: int) -> int:
        return self._graph.add(node, (left, right))[0]

    def _fold(self, node: Node, rows: Sequence[int]) -> int:
        result = rows[0]
        for row in rows[1:]:
            result = self._two(node, result, row)
        return result
