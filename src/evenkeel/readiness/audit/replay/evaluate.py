"""Conditions answered at every instant of a grid at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from evenkeel.readiness.audit.replay.grid import Grid, Unsupported
from evenkeel.readiness.audit.replay.indicators import BOOL, ENUM, FLOAT, INT
from evenkeel.readiness.audit.replay.language import (
    CROSSES,
    EQUALITIES,
    NEAR,
    Comparison,
    Reference,
    Steps,
    bounds,
    children,
    comparison,
    operand_parts,
    reference,
    window,
)
from evenkeel.readiness.audit.replay.play import Json
from evenkeel.readiness.audit.replay.stages import Floats
from evenkeel.readiness.audit.replay.truth import Truth, at_most, both, compared, counted, either, gathered

ROUNDING = 4e-16
"""What one operation of float64 may lose of its result, with some room."""


@dataclass(frozen=True, slots=True)
class Values:
    """An operand at every instant.

    Attributes:
        at: The values; NaN where they are missing.
        kind: `float`, `int`, `bool` or `enum`.
        slack: How far float64 may see each of them from here; 0 for what is exact.
        words: Of an enum, by number.
    """

    at: Floats
    kind: str = FLOAT
    slack: Floats | float = 0.0
    words: tuple[str, ...] = ()


class Evaluator:
    """Answers conditions on a grid.

    Args:
        grid: The instants.
        steps: How windows and crosses step.
        setups: Conditions by id.
        values: Returns a reference at every instant.
        leeway: 1 to allow at the border of a comparison what float64 may see, 0 to decide it.
    """

    def __init__(
        self,
        grid: Grid,
        steps: Steps,
        setups: Mapping[str, Json],
        values: Callable[[Reference], Values],
        leeway: int = 0,
    ) -> None:
        self._grid = grid
        self._steps = steps
        self._setups = setups
        self._values = values
        self._leeway = leeway
        self._known: dict[str, Truth] = {}

    def truth(self, condition: Json) -> Truth:
        """Return a condition at every instant."""
        compare, windowed = comparison(condition), window(condition)
        if compare is not None:
            return self._compared(compare)
        if windowed is not None:
            return self._window(*windowed)
        if isinstance(condition, dict) and "setup" in condition:
            return self._setup(condition["setup"])
        found = [self.truth(child) for child in children(condition)]
        if isinstance(condition, list) or "all" in condition:
            return both(found)
        return either(found) if "any" in condition else ~found[0]

    def _setup(self, name: str) -> Truth:
        if name not in self._known:
            self._known[name] = self.truth(self._setups[name])
        return self._known[name]

    def _window(self, name: str, facts: Json) -> Truth:
        step, samples = self._steps.window(name, facts), self._steps.samples(name, facts)
        kind = name.removesuffix("_duration")
        needed = {"holds_for": samples, "occurred_within": 1}.get(kind) or int(facts["min_true"])
        return counted(self.truth(facts["expr"]), self._grid.before(step), samples, needed)

    def _compared(self, compare: Comparison) -> Truth:
        left = self._operand(compare.lhs)
        if compare.op in CROSSES:
            return self._cross(compare, left, self._operand(compare.rhs))
        if compare.op in EQUALITIES:
            return self._equal(compare.op, left, self._word(compare.rhs, left))
        if compare.op == "in":
            return either([self._equal("==", left, self._word(one, left)) for one in compare.rhs])
        if compare.op == "between":
            low, high = (self._operand(bound) for bound in bounds(compare.rhs))
            return both([self._order(">=", left, low), self._order("<=", left, high)])
        if compare.op in NEAR:
            return self._near(compare, left, self._operand(compare.rhs))
        return self._order(compare.op, left, self._operand(compare.rhs))

    def _order(self, op: str, left: Values, right: Values) -> Truth:
        return compared(op, left.at, right.at, self._leeway * (left.slack + right.slack) if self._leeway else 0.0)

    def _cross(self, compare: Comparison, left: Values, right: Values) -> Truth:
        now, then = (">", "<=") if compare.op == "cross_above" else ("<", ">=")
        before = gathered(self._order(then, left, right), self._grid.before(self._steps.cross(compare)))
        return both([self._order(now, left, right), before])

    def _equal(self, op: str, left: Values, right: Values) -> Truth:
        if FLOAT in (left.kind, right.kind):
            raise Unsupported("numbers with a fraction are compared for equality")
        return compared(op, left.at, right.at, 0.0)

    def _near(self, compare: Comparison, left: Values, right: Values) -> Truth:
        apart, slack = np.abs(left.at - right.at), left.slack + right.slack
        if compare.op == "near_abs":
            return at_most(apart, float(compare.tolerance), self._leeway * slack)
        size = np.abs(right.at)
        zero = size == 0
        share, divisor = float(compare.tolerance) / 100, np.where(zero, 1.0, size)
        part = np.where(zero, np.inf, apart / divisor)
        return at_most(np.where(np.isnan(apart), np.nan, part), share, self._leeway * (slack / divisor + 1e-12 * share))

    def _word(self, operand: Json, left: Values) -> Values:
        """Return the right side of an equality: a word of the left side's enum, or any operand."""
        if left.kind == ENUM and isinstance(operand, str):
            words = [word.lower() for word in left.words]
            if operand.lower() in words:
                return self._literal(words.index(operand.lower()), ENUM)
        return self._operand(operand)

    def _literal(self, value: float, kind: str) -> Values:
        return Values(np.full(len(self._grid), float(value)), kind)

    def _operand(self, operand: Json) -> Values:
        parts = operand_parts(operand)
        if parts is not None:
            return self._arithmetic(parts[0], self._operand(parts[1]), self._operand(parts[2]))
        if isinstance(operand, bool):
            return self._literal(operand, BOOL)
        if isinstance(operand, int | float):
            return self._literal(operand, INT if isinstance(operand, int) else FLOAT)
        if isinstance(operand, str):
            return self._values(reference(operand))
        return self._values(reference(operand["feature_id"], operand.get("field") or "", int(operand.get("offset", 0))))

    def _arithmetic(self, op: str, left: Values, right: Values) -> Values:
        a, b = left.at, right.at
        whole = op != "/" and left.kind == right.kind == INT
        with np.errstate(all="ignore"):
            found = _OPERATIONS[op](a, b)
            slack: Any = 0.0
            if not whole:
                slack = _SLACKS[op](a, b, left.slack, right.slack) + ROUNDING * np.abs(found)
        found = np.where(np.isfinite(found), found, np.nan)
        return Values(found, INT if whole else FLOAT, slack)


_OPERATIONS: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply,
    "/": lambda a, b: a / np.where(b == 0, np.nan, b),
    "%": lambda a, b: a - b * np.floor(a / np.where(b == 0, np.nan, b)),
}  # fmt: skip

_SLACKS: Mapping[str, Callable[[Any, Any, Any, Any], Any]] = {
    "+": lambda _a, _b, s, t: s + t,
    "-": lambda _a, _b, s, t: s + t,
    "*": lambda a, b, s, t: np.abs(a) * t + np.abs(b) * s,
    "/": lambda a, b, s, t: (s + np.abs(a / b) * t) / np.abs(b),
    "%": lambda a, b, s, t: s + t * np.abs(a / b),
}  # fmt: skip
