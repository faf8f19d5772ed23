"""Operands of conditions: references, arithmetic and literals, each with the type it has."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from evenkeel.model.number import plain
from evenkeel.strategies.play.expression import Arithmetic, Builtin, FeatureRef, Literal, Operand, ValueType
from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.problems import Path, nearest, suggestion
from evenkeel.strategies.play.scope import Declared, Scope
from evenkeel.strategies.play.vocabulary import ARITHMETIC, BUILTINS, OFFSET_MAX

_REFERENCE = re.compile(r"([A-Za-z_]\w*)(?:\.(.+))?\Z")
_INDEXED = re.compile(r"([A-Za-z_]+)\[(-?\d+(?:\.\d+)?)\](?:\.(\w+))?\Z", re.ASCII)
_REFERENCE_KEYS = ("feature_id", "field", "offset")
_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "%": operator.mod,
}  # fmt: skip


class Typed(msgspec.Struct, frozen=True):
    """An operand with its type.

    Attributes:
        operand: None if it was refused; what was wrong has been told.
        type: None if unknown, because its feature was refused.
        words: Declared words of an ENUM.
        text: As written, for messages.
    """

    operand: Operand | None
    type: ValueType | None
    words: tuple[str, ...] = ()
    text: str = ""

    @property
    def is_known(self) -> bool:
        """Whether there is something to check against."""
        return self.operand is not None and self.type is not None

    @property
    def is_number(self) -> bool:
        """Whether it is of a numeric type."""
        return self.type in ("FLOAT", "INT")

    @property
    def is_literal(self) -> bool:
        """Whether it is a constant."""
        return isinstance(self.operand, Literal)


REFUSED = Typed(None, None)


class OperandReader:
    """Reads operands in a scope; tells what is wrong to the log."""

    def __init__(self, scope: Scope, log: ProblemLog) -> None:
        self._scope = scope
        self._log = log

    def read(self, value: Any, path: Path) -> Typed:
        """Return an operand: a bare string is a reference."""
        if isinstance(value, str):
            return self.reference(value, None, 0, path)
        if isinstance(value, bool | int | float):
            return self.literal(value, path)
        if isinstance(value, list) and len(value) == 3 and value[1] in ARITHMETIC:
            return self._arithmetic(value[1], value[0], value[2], ((*path, 0), (*path, 2)), path)
        if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in ARITHMETIC:
            return self._arithmetic_map(value, path)
        if isinstance(value, dict):
            return self._verbose_reference(value, path)
        remedy = "use a feature, a number, [left, '-', right] or { feature_id: …, offset: … }"
        shown = "a list" if isinstance(value, list) else "an empty value"
        self._log.error(path, f"{shown} is not an operand", remedy)
        return REFUSED

    def literal(self, value: bool | int | float | str, path: Path) -> Typed:
        """Return a constant."""
        if not isinstance(value, str) and not _is_finite(value):
            self._log.error(path, "a number must be finite")
            return REFUSED
        of: ValueType = "INT"
        if isinstance(value, bool):
            of = "BOOL"
        elif isinstance(value, float):
            of = "FLOAT"
        elif isinstance(value, str):
            of = "ENUM"
        return Typed(Literal(value), of, text=str(value))

    def reference(self, name: str, field: str | None, offset: int, path: Path) -> Typed:
        """Return a reference to a feature, structure or built-in; `name` may carry `.field` or `.level[0.618]`."""
        match = _REFERENCE.match(name)
        base = match.group(1) if match else name
        if match and match.group(2):
            if field is not None:
                self._log.error(path, f"'{name}' names an output, and `field` names another", "remove one")
                return REFUSED
            field = output_name(match.group(2))
        if base in BUILTINS:
            return self._builtin(base, field, offset, path)
        found = self._scope.find(base)
        if found is None:
            self._log.error(path, f"'{base[:60]}' is not declared", self._near_reference(base))
            return REFUSED
        return self._output(found, field, offset, path)

    def _near_reference(self, base: str) -> str:
        if base in self._scope.setups:
            return f"it is a setup: write {{ setup: {base} }}"
        names = [*self._scope.declared, *BUILTINS]
        near = nearest(base, names)
        return f"did you mean '{near}'?" if near else "declare it under `features` or `structures`"

    def _builtin(self, name: str, field: str | None, offset: int, path: Path) -> Typed:
        if field is not None:
            self._log.error(path, f"'{name}' has no outputs", f"write '{name}'")
            return REFUSED
        return Typed(Builtin(name, offset), "FLOAT", text=name)

    def _output(self, found: Declared, field: str | None, offset: int, path: Path) -> Typed:
        if not found.outputs:
            return REFUSED
        output = found.output(field)
        if output is None:
            names = [output.name for output in found.outputs]
            self._log.error(path, f"'{found.id}' has no output '{field}'", suggestion(field, names))
            return REFUSED
        operand = FeatureRef(found.id, output.name, offset)
        kind: ValueType = str(output.type)  # type: ignore[assignment]
        return Typed(operand, kind, tuple(output.values), text=f"{found.id}.{output.name}")

    def _verbose_reference(self, value: dict[str, Any], path: Path) -> Typed:
        is_sum = any(key in ARITHMETIC for key in value)
        for key in value:
            if is_sum and key not in ARITHMETIC:
                self._log.error((*path, key), f"unknown key '{key}' beside an operator", "put it elsewhere", key=True)
                return REFUSED
            if not is_sum and key not in _REFERENCE_KEYS:
                remedy = suggestion(key, [*_REFERENCE_KEYS, *ARITHMETIC])
                self._log.error((*path, key), f"unknown key '{key}' in an operand", remedy, key=True)
                return REFUSED
        if is_sum:
            self._log.error(path, "one map holds one operator", 'nest them: { "+": [{ "*": [a, b] }, c] }')
            return REFUSED
        name, field, offset = value.get("feature_id"), value.get("field"), value.get("offset", 0)
        if not isinstance(name, str):
            self._log.error(path, "`feature_id` is missing or not text", "write { feature_id: …, offset: 1 }")
            return REFUSED
        if field is not None and not isinstance(field, str):
            self._log.error((*path, "field"), "`field` must be the name of an output")
            return REFUSED
        if isinstance(offset, bool) or not isinstance(offset, int) or not 0 <= offset <= OFFSET_MAX:
            message = "`offset` must be a whole number of bars back"
            self._log.error((*path, "offset"), message, f"write 0 to {OFFSET_MAX}")
            return REFUSED
        return self.reference(name, output_name(field) if field else None, offset, path)

    def _arithmetic_map(self, value: dict[str, Any], path: Path) -> Typed:
        op, pair = next(iter(value.items()))
        if not isinstance(pair, list) or len(pair) != 2:
            self._log.error((*path, op), f"`{op}` takes a list of two operands", f'write {{ "{op}": [left, right] }}')
            return REFUSED
        places = ((*path, op, 0), (*path, op, 1))
        return self._arithmetic(op, pair[0], pair[1], places, path)

    def _arithmetic(self, op: str, left: Any, right: Any, places: tuple[Path, Path], path: Path) -> Typed:
        sides = (self.read(left, places[0]), self.read(right, places[1]))
        for side, place in zip(sides, places, strict=True):
            if side.is_known and not side.is_number:
                self._log.error(place, f"'{side.text}' is {side.type}", f"`{op}` takes numbers")
                return REFUSED
        if sides[0].operand is None or sides[1].operand is None:
            return REFUSED
        if op in ("/", "%") and isinstance(sides[1].operand, Literal) and sides[1].operand.value == 0:
            self._log.error(places[1], "division by zero is always missing")
            return REFUSED
        if isinstance(sides[0].operand, Literal) and isinstance(sides[1].operand, Literal):
            return self._worked_out(op, sides[0].operand.value, sides[1].operand.value, path)
        whole = op != "/" and all(side.type == "INT" for side in sides)
        of: ValueType = "INT" if whole else "FLOAT"
        text = f"{sides[0].text} {op} {sides[1].text}"
        return Typed(Arithmetic(op, sides[0].operand, sides[1].operand, of), of, text=text)

    def _worked_out(self, op: str, left: Any, right: Any, path: Path) -> Typed:
        """Return two numbers as the one that they make, as variables that were written in may have it."""
        try:
            result = _OPERATIONS[op](left, right)
        except OverflowError:
            result = math.inf
        if not _is_finite(result):
            self._log.error(path, f"the result of `{op}` is too large to be a number")
            return REFUSED
        return self.literal(result, path)


def _is_finite(value: float) -> bool:
    """Return whether a number is finite as a float64 too."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def output_name(text: str) -> str:
    """Return the stored name of an output: `level[0.6180]` is `level_0.618`, `zone[0].state` is `zone0_state`."""
    match = _INDEXED.match(text)
    if match is None or len(match.group(2)) > 30:
        return text
    base, index, rest = match.groups()
    number = plain(Decimal(index))
    return f"{base}{number}_{rest}" if rest else f"{base}_{number}"
