"""Conditions in words: one line where one line reads well, a nested list where it does not."""

from __future__ import annotations

from collections.abc import Mapping

from evenkeel.strategies.play.english.phrases import count, in_words, listed, number, span
from evenkeel.strategies.play.english.values import Values
from evenkeel.strategies.play.expression import (
    All,
    Any_,
    Compare,
    Condition,
    Literal,
    Not,
    SetupRef,
    Window,
    children,
)

INDENT = "  "
INLINE_MAX = 3
"""So many comparisons at most stand in one sentence."""

LINE_MAX = 64
"""A list that would make a longer sentence than this is shown as a list."""

_NOW = {
    ">": "is above", "<": "is below", ">=": "is at or above", "<=": "is at or below", "==": "is", "!=": "is not",
    "between": "is between", "near_abs": "is within", "near_pct": "is within",
    "cross_above": "crosses above", "cross_below": "crosses below",
}  # fmt: skip
_CROSSED = {"cross_above": "crossed above", "cross_below": "crossed below"}
_NOT_CROSSING = {"cross_above": "cross above", "cross_below": "cross below"}


class ConditionWords:
    """Puts conditions of one play into words.

    Args:
        values: Puts their operands into words.
        setups: Conditions with a name, each after those that it refers to.
    """

    def __init__(self, values: Values, setups: Mapping[str, Condition]) -> None:
        self._values = values
        self._setups = setups
        self._told: set[str] = set()
        self._windowed: dict[str, bool] = {}
        for name, condition in setups.items():
            self._windowed[name] = _holds_window(condition, self._windowed)

    def lines(self, condition: Condition) -> list[str]:
        """Return a condition as lines: those of a list begin with `- `, deeper ones are indented.

        A setup is spelled out where it is met first, and named afterwards.
        """
        inline = self.inline(condition)
        if inline is not None and (len(inline) <= LINE_MAX or not isinstance(condition, All | Any_)):
            return [inline]
        match condition:
            case All(parts):
                return self._list("all of these hold:", parts)
            case Any_(parts):
                return self._list("any of these holds:", parts)
            case Not(All(parts)):
                return self._list("not all of these hold:", parts)
            case Not(Any_(parts)):
                return self._list("none of these holds:", parts)
            case Not(child):
                return self._below("this does not hold:", child)
            case SetupRef(name):
                return self._setup(name)
            case Window():
                back = ", looking back from there" if _holds_window(condition.expr, self._windowed) else ""
                return self._below(f"{self._window(condition)}{back}:", condition.expr)
            case Compare():
                return [self._compare(condition, past=False, negated=False)]

    def inline(self, condition: Condition, *, past: bool = False, negated: bool = False) -> str | None:
        """Return a condition as a part of one sentence, or None if it is too much for one.

        Args:
            condition: Any.
            past: Whether it is told of bars that are over.
            negated: Whether the opposite is told. Where data is missing neither holds, in words as in the engine.
        """
        match condition:
            case Compare():
                return self._compare(condition, past=past, negated=negated)
            case Not(child):
                return self.inline(child, past=past, negated=not negated)
            case All(parts) | Any_(parts) if len(parts) <= INLINE_MAX and all(_is_leaf(part) for part in parts):
                is_and = isinstance(condition, All) is not negated
                told = [self.inline(part, past=past, negated=negated) or "" for part in parts]
                return listed(told, "and" if is_and else "or")
            case Window(expr=expr) if not negated and not past and _is_short(expr):
                return f"{self._window(condition)}, {self.inline(expr, past=True)}"
            case SetupRef(name) if name in self._told:
                return (
                    f"{name} {'did' if past else 'does'} not hold" if negated else f"{name} {_held(past)} (see above)"
                )
            case _:
                return None

    def _list(self, head: str, parts: tuple[Condition, ...]) -> list[str]:
        lines = [head]
        for part in parts:
            first, *rest = self.lines(part)
            lines += [f"- {first}", *(f"{INDENT}{line}" for line in rest)]
        return lines

    def _below(self, head: str, child: Condition) -> list[str]:
        return [head, *(f"{INDENT}{line}" for line in self.lines(child))]

    def _setup(self, name: str) -> list[str]:
        self._told.add(name)
        first, *rest = self.lines(self._setups[name])
        if rest:
            return [f"{name} holds, which means that {first}", *rest]
        return [f"{name} holds: {first}"]

    def _window(self, window: Window) -> str:
        over = self._over(window)
        if window.bars == 1:
            return f"on {over}"
        if window.kind == "holds_for":
            return f"on each of {over}"
        needed = 1 if window.kind == "occurred_within" else window.min_true or 1
        return f"on at least {in_words(needed)} of {over}"

    def _over(self, window: Window) -> str:
        grid = window.anchor_tf
        unit = "bar" if grid is None else ("minute" if grid.name == "1m" else "sample")
        if window.bars == 1:
            return f"the last {unit}"
        apart = f" {grid} apart" if unit == "sample" else ""
        length = f" ({span(window.duration_minutes)})" if window.duration_minutes is not None else ""
        return f"the last {count(window.bars, unit)}{apart}{length}"

    def _compare(self, compare: Compare, *, past: bool, negated: bool) -> str:
        left = self._values.words(compare.left)
        be = "was" if past else "is"
        truth = _truth(compare)
        if truth is not None:
            return f"{left} {be} {'true' if truth is not negated else 'false'}"
        if compare.choices:
            words = [self._values.literal(choice.value) for choice in compare.choices]
            if negated and len(words) > 1:
                return f"{left} {be} none of {listed(words)}"
            return f"{left} {be}{' not' if negated else ''} {listed(words, 'or')}"
        return f"{left} {_verb(compare, past=past, negated=negated)} {self._right(compare)}"

    def _right(self, compare: Compare) -> str:
        values = self._values
        if compare.low is not None and compare.high is not None:
            return f"{values.words(compare.low)} and {values.words(compare.high)}"
        right = "" if compare.right is None else values.words(compare.right)
        if compare.op == "near_abs":
            return f"{number(compare.tolerance or 0)} of {right}"
        if compare.op == "near_pct":
            return f"{number(100 * (compare.tolerance or 0))} % of {right}"
        return right


def _verb(compare: Compare, *, past: bool, negated: bool) -> str:
    op = compare.op
    if op in _NOT_CROSSING and negated:
        return f"{'did' if past else 'does'} not {_NOT_CROSSING[op]}"
    if op in _CROSSED:
        return _CROSSED[op] if past else _NOW[op]
    if op == "!=" and negated:
        op, negated = "==", False
    verb = f"was{_NOW[op].removeprefix('is')}" if past else _NOW[op]
    if not negated:
        return verb
    be, _, rest = verb.partition(" ")
    return f"{be} not {rest}".rstrip()


def _truth(compare: Compare) -> bool | None:
    """Return the truth that a comparison with true or false asks for, None for any other comparison."""
    if not isinstance(compare.right, Literal) or not isinstance(compare.right.value, bool):
        return None
    return compare.right.value is (compare.op == "==")


def _holds_window(condition: Condition, setups: Mapping[str, bool]) -> bool:
    """Whether there is a window in the condition; of each setup it is known already."""
    if isinstance(condition, SetupRef):
        return setups.get(condition.id, False)
    return isinstance(condition, Window) or any(_holds_window(child, setups) for child in children(condition))


def _held(past: bool) -> str:
    return "held" if past else "holds"


def _is_leaf(condition: Condition) -> bool:
    return isinstance(condition, Compare) or (isinstance(condition, Not) and isinstance(condition.child, Compare))


def _is_short(condition: Condition) -> bool:
    if _is_leaf(condition):
        return True
    return (
        isinstance(condition, All | Any_)
        and len(children(condition)) <= INLINE_MAX
        and all(_is_leaf(child) for child in children(condition))
    )
