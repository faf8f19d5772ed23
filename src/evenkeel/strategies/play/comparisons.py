"""Comparisons: the twelve operators with their type rules, checked before a single bar is read."""

from __future__ import annotations

from typing import Any

from evenkeel.strategies.play.expression import Compare, Literal
from evenkeel.strategies.play.operands import REFUSED, OperandReader, Typed
from evenkeel.strategies.play.plausibility import doubt
from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.problems import Path, dotted, nearest, suggestion
from evenkeel.strategies.play.scope import Scope
from evenkeel.strategies.play.vocabulary import (
    ARITHMETIC,
    CROSS_OPERATORS,
    EQUALITY_OPERATORS,
    NEAR_OPERATORS,
    OPERATORS,
)

_VERBOSE_KEYS = ("lhs", "op", "rhs", "tolerance")
_TIGHT_PCT = 0.05
_SPELLINGS = {
    "=": "==", "=>": ">=", "=<": "<=", "<>": "!=", "crosses_above": "cross_above", "crosses_below": "cross_below",
    "crossover": "cross_above", "crossunder": "cross_below", "is": "==", "not_in": "in",
}  # fmt: skip


class ComparisonReader:
    """Reads comparisons in a scope; tells what is wrong to the log."""

    def __init__(self, scope: Scope, log: ProblemLog) -> None:
        self._scope = scope
        self._log = log
        self._operands = OperandReader(scope, log)

    def read_list(self, value: list[Any], path: Path) -> Compare | None:
        """Return `[left, operator, right]` or `[left, near_…, right, tolerance]`."""
        op = value[1]
        if op not in OPERATORS:
            self._unknown_operator(op, (*path, 1))
            return None
        wanted = 4 if op in NEAR_OPERATORS else 3
        if len(value) != wanted:
            form = "[left, operator, right, tolerance]" if wanted == 4 else "[left, operator, right]"
            self._log.error(path, f"a condition with `{op}` has {wanted} parts, not {len(value)}", f"write {form}")
            return None
        tolerance = value[3] if wanted == 4 else None
        return self._compare(op, value[0], value[2], tolerance, ((*path, 0), (*path, 2), (*path, 3)), path)

    def read_map(self, value: dict[str, Any], path: Path) -> Compare | None:
        """Return `{ lhs, op, rhs, tolerance }`."""
        for key in value:
            if key not in _VERBOSE_KEYS:
                self._log.error((*path, key), f"unknown key '{key}'", suggestion(key, _VERBOSE_KEYS), key=True)
                return None
        for key in _VERBOSE_KEYS[:3]:
            if key not in value:
                self._log.error(path, f"`{key}` is missing", "a condition has lhs, op and rhs", key=True)
                return None
        op = value["op"]
        if op not in OPERATORS:
            self._unknown_operator(op, (*path, "op"))
            return None
        places = ((*path, "lhs"), (*path, "rhs"), (*path, "tolerance"))
        return self._compare(op, value["lhs"], value["rhs"], value.get("tolerance"), places, path)

    def _unknown_operator(self, op: Any, path: Path) -> None:
        if not isinstance(op, str):
            self._log.error(path, "the second part of a condition is its operator", "write [left, operator, right]")
            return
        if op in ARITHMETIC:
            self._log.error(path, f"`{op}` makes a number, not a condition", f"compare it: [[a, '{op}', b], '>', 0]")
            return
        if op in self._scope.setups:
            self._log.error(path, f"'{op}' is a setup, not an operator", f"write {{ setup: {op} }}")
            return
        near = _SPELLINGS.get(op) or nearest(op, OPERATORS)
        remedy = f"did you mean '{near}'?" if near else f"operators are {' '.join(OPERATORS)}"
        self._log.error(path, f"'{op[:60]}' is not an operator", remedy)

    def _compare(
        self, op: str, lhs: Any, rhs: Any, tolerance: Any, places: tuple[Path, Path, Path], path: Path
    ) -> Compare | None:
        left = self._left(op, lhs, places[0])
        near = self._tolerance(op, tolerance, places[2], path)
        if op in EQUALITY_OPERATORS:
            compared = self._equality(op, left, rhs, places, path)
        elif op == "in":
            compared = self._membership(left, rhs, places, path)
        elif op == "between":
            compared = self._between(left, rhs, places, path)
        else:
            compared = self._numeric(op, left, rhs, near, places, path)
        if compared is not None and (doubtful := doubt(compared, self._scope)):
            self._log.warn(path, doubtful.message, doubtful.remedy)
        return compared

    def _left(self, op: str, value: Any, path: Path) -> Typed:
        read = self._operands.read(value, path)
        if read.is_literal and op not in CROSS_OPERATORS:
            self._log.error(path, "a constant may stand on the right only", "swap the sides")
            return REFUSED
        return read

    def _tolerance(self, op: str, value: Any, path: Path, whole: Path) -> float | None:
        if op not in NEAR_OPERATORS:
            if value is not None:
                self._log.error(path, f"`{op}` takes no tolerance", "use near_abs or near_pct, or remove it")
            return None
        if value is None:
            self._log.error(whole, f"`{op}` needs a tolerance", "write [left, operator, right, tolerance]")
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
            self._log.error(path, "the tolerance must be a number, 0 or more")
            return None
        if op == "near_pct" and value < _TIGHT_PCT:
            self._log.warn(
                path, f"{value:g} is {value:g} percent, which is very tight", "1 means 1 %; write it if that is meant"
            )
        return value / 100 if op == "near_pct" else float(value)

    def _numeric(
        self, op: str, left: Typed, rhs: Any, near: float | None, places: tuple[Path, Path, Path], path: Path
    ) -> Compare | None:
        right = self._operands.read(rhs, places[1])
        numbers = [self._number(op, side, place) for side, place in ((left, places[0]), (right, places[1]))]
        if not all(numbers) or left.operand is None or right.operand is None:
            return None
        if left.is_literal and right.is_literal:
            self._log.error(path, "both sides are constants")
            return None
        if op in NEAR_OPERATORS and near is None:
            return None
        return Compare(op=op, left=left.operand, right=right.operand, tolerance=near, path=dotted(path))

    def _number(self, op: str, side: Typed, path: Path) -> bool:
        if side.type is None or side.is_number:
            return True
        remedy = "compare it with == or !=" if side.type in ("ENUM", "BOOL") else ""
        self._log.error(path, f"'{side.text}' is {side.type}; `{op}` takes numbers", remedy)
        return False

    def _between(self, left: Typed, rhs: Any, places: tuple[Path, Path, Path], path: Path) -> Compare | None:
        ends = self._ends(rhs, places[1])
        if ends is None:
            return None
        low, high = (self._operands.read(value, place) for value, place in ends)
        sides = ((left, places[0]), (low, ends[0][1]), (high, ends[1][1]))
        numbers = [self._number("between", side, place) for side, place in sides]
        if not all(numbers):
            return None
        if left.operand is None or low.operand is None or high.operand is None:
            return None
        if isinstance(low.operand, Literal) and isinstance(high.operand, Literal):
            ends_cross = float(low.operand.value) > float(high.operand.value)
        else:
            ends_cross = False
        if ends_cross:
            self._log.error(places[1], f"low is {low.text}, above high {high.text}", "swap them")
            return None
        return Compare(op="between", left=left.operand, low=low.operand, high=high.operand, path=dotted(path))

    def _ends(self, rhs: Any, path: Path) -> tuple[tuple[Any, Path], tuple[Any, Path]] | None:
        if isinstance(rhs, list) and len(rhs) == 2:
            return (rhs[0], (*path, 0)), (rhs[1], (*path, 1))
        if isinstance(rhs, dict) and set(rhs) == {"low", "high"}:
            return (rhs["low"], (*path, "low")), (rhs["high"], (*path, "high"))
        self._log.error(path, "`between` takes two ends", "write [low, high] or { low: …, high: … }")
        return None

    def _equality(self, op: str, left: Typed, rhs: Any, places: tuple[Path, Path, Path], path: Path) -> Compare | None:
        if not left.is_known:
            self._read_quietly(rhs, places[1])
            return None
        right = self._discrete(op, left, rhs, (places[0], places[1]))
        if left.operand is None or right.operand is None:
            return None
        return Compare(op=op, left=left.operand, right=right.operand, path=dotted(path))

    def _read_quietly(self, value: Any, path: Path) -> None:
        """Note the use of a reference whose partner was refused; a word may be of an enum nobody knows now."""
        if isinstance(value, list | dict):
            self._operands.read(value, path)
        elif isinstance(value, str):
            self._scope.find(value.partition(".")[0])

    def _discrete(self, op: str, left: Typed, value: Any, places: tuple[Path, Path]) -> Typed:
        """Return the right side of an equality, typed against the left one."""
        if left.type == "FLOAT":
            remedy = "use near_abs or near_pct with a tolerance, or between"
            self._log.error(places[0], f"'{left.text}' is FLOAT; `{op}` compares whole numbers and words", remedy)
            return REFUSED
        if isinstance(value, str) and "." not in value and (word := self._word(left, value, places[1])) is not None:
            return word
        right = self._operands.read(value, places[1])
        if not right.is_known:
            return right
        if isinstance(right.operand, Literal):
            return self._constant(left, right.operand.value, places[1])
        if right.type == "FLOAT":
            self._log.error(places[1], f"'{right.text}' is FLOAT; `{op}` compares whole numbers and words")
            return REFUSED
        if right.type != left.type or left.words != right.words:
            message = f"'{left.text}' is {_typed(left)}, '{right.text}' is {_typed(right)}: they cannot be compared"
            self._log.error(places[1], message)
            return REFUSED
        return right

    def _word(self, left: Typed, word: str, path: Path) -> Typed | None:
        """Return a word of the left side's enum; None if the word must be a reference."""
        if left.type == "ENUM" and left.words:
            declared = {known.lower(): known for known in left.words}
            if word.lower() in declared:
                return Typed(Literal(declared[word.lower()]), "ENUM", left.words, word)
            self._log.error(
                path, f"'{word[:60]}' is not a value of '{left.text}'", f"values are {', '.join(left.words)}"
            )
            return REFUSED
        if word in self._scope.declared:
            return None
        remedy = {"BOOL": "write true or false", "INT": "write a whole number"}.get(str(left.type), "")
        self._log.error(path, f"'{word[:60]}' is not declared, and '{left.text}' is {left.type}", remedy)
        return REFUSED

    def _constant(self, left: Typed, value: int | float | str | bool, path: Path) -> Typed:
        """Return a constant in the type of the left side."""
        if left.type == "BOOL" and not isinstance(value, float | str) and value in (0, 1):
            return Typed(Literal(bool(value)), "BOOL", text=str(value))
        if left.type == "INT" and not isinstance(value, bool | str) and float(value).is_integer():
            return Typed(Literal(int(value)), "INT", text=str(value))
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        remedy = {
            "BOOL": "write true or false",
            "INT": "write a whole number",
            "ENUM": f"values are {', '.join(left.words)}",
        }.get(str(left.type), "")
        self._log.error(path, f"'{left.text}' is {left.type}; it never equals {shown}", remedy)
        return REFUSED

    def _membership(self, left: Typed, rhs: Any, places: tuple[Path, Path, Path], path: Path) -> Compare | None:
        if not isinstance(rhs, list) or not rhs:
            what = "an empty list is never met" if isinstance(rhs, list) else "`in` takes a list"
            self._log.error(places[1], what, "write [value, value]")
            return None
        if not left.is_known:
            return None
        members: list[Literal] = []
        for index, value in enumerate(rhs):
            place = (*places[1], index)
            if left.type != "FLOAT" and not isinstance(value, bool | int | float | str):
                self._log.error(place, "`in` takes constants only", "use `any` with several comparisons")
                continue
            member = self._discrete("in", left, value, (places[0], place))
            if isinstance(member.operand, Literal):
                members.append(member.operand)
            elif member.operand is not None:
                self._log.error(place, "`in` takes constants only", "use `any` with several comparisons")
            if left.type == "FLOAT":
                return None
        if left.operand is None or len(members) < len(rhs):
            return None
        return Compare(op="in", left=left.operand, choices=tuple(members), path=dotted(path))


def _typed(side: Typed) -> str:
    return f"{side.type} ({', '.join(side.words)})" if side.words else str(side.type)
