"""Traces: for every condition of a play where its truth and its values are computed, and how it is written.

Lowering makes them when it is asked to (`lower(play, trace=True)`); they name rows that are there anyway, so a program
is the same with and without them. Who wants to know why a condition was false reads those rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from evenkeel.features.node import Output
from evenkeel.features.readings import Back, Cell
from evenkeel.model.number import plain, to_decimal
from evenkeel.strategies.play.decide import Wish
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

_DIGITS_MAX = 1e8
_PARTS = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


@dataclass(frozen=True, slots=True)
class TracedValue:
    """An operand of a comparison.

    Attributes:
        words: As people write it.
        cell: Where it is computed.
        output: What its numbers stand for; None for a plain number.
        constant: Whether it is a literal.
        parts: Of arithmetic: the references in it.
    """

    words: str
    cell: Cell
    output: Output | None = None
    constant: bool = False
    parts: tuple[TracedValue, ...] = ()


@dataclass(frozen=True, slots=True)
class Traced:
    """A condition.

    Attributes:
        condition: What it is.
        words: In short, for people.
        text: As the play writes it; for a comparison only, else empty.
        truth: Where its truth is computed.
        children: The conditions inside; of a setup what it stands for.
        values: Of a comparison: the left operand, then those on the right; members of `in` are not among them.
        back: How far the sample before lies: of a cross among its values, of a window among its child's truths.
        cells: Every cell that an explanation reads, those inside too.
        levels: How often in a row an explanation goes from a sample to one before it, at most.
    """

    condition: Condition
    words: str
    text: str
    truth: Cell
    children: tuple[Traced, ...] = ()
    values: tuple[TracedValue, ...] = ()
    back: Back = 0
    cells: frozenset[Cell] = field(init=False)
    levels: int = field(init=False)

    def __post_init__(self) -> None:
        """Gather what is inside once: a setup may stand in many places."""
        own = {
            self.truth,
            *(value.cell for value in self.values),
            *([self.back] if isinstance(self.back, Cell) else []),
        }
        parts = {part.cell for value in self.values for part in value.parts}
        object.__setattr__(self, "cells", frozenset(own | parts).union(*(child.cells for child in self.children)))
        inside = max((child.levels for child in self.children), default=0)
        object.__setattr__(self, "levels", inside + (0 if self.back == 0 else 1))

    @property
    def kind(self) -> str:
        """`compare`, `all`, `any`, `not`, `setup` or `window`."""
        return str(self.condition.__struct_config__.tag)


@dataclass(frozen=True, slots=True)
class TracedRule:
    """A case of a block.

    Attributes:
        words: Its name in the journal.
        wishes: What it wants.
        speaks: 1 where it holds and no case of its block before it did.
        condition: None for `else`.
    """

    words: str
    wishes: tuple[Wish, ...]
    speaks: Cell
    condition: Traced | None


def written_at(document: Any, path: str) -> str:
    """Return the value at a dotted path such as `actions.entry_long.all[2]` as compact JSON; empty if there is none."""
    place = document
    for index, key in _PARTS.findall(path):
        try:
            place = place[int(index) if index else key]
        except (KeyError, IndexError, TypeError):
            return ""
    return msgspec.json.encode(place).decode()


def condition_words(condition: Condition, operand: Callable[[Operand], str]) -> str:
    """Return a condition in short.

    Args:
        condition: What to name.
        operand: Returns the words of an operand.
    """
    match condition:
        case Compare():
            return f"{operand(condition.left)} {condition.op} {_right_words(condition, operand)}"
        case All():
            return "all"
        case Any_():
            return "any"
        case Not():
            return "not"
        case SetupRef(name):
            return f"setup {name}"
        case Window():
            return _window_words(condition)


def _right_words(compare: Compare, operand: Callable[[Operand], str]) -> str:
    if compare.low is not None and compare.high is not None:
        return f"{operand(compare.low)} and {operand(compare.high)}"
    if compare.right is None:
        return ", ".join(operand(choice) for choice in compare.choices)
    words = operand(compare.right)
    if compare.tolerance is None:
        return words
    within = f"{compare.tolerance * 100:.6g} %" if compare.op == "near_pct" else f"{compare.tolerance:.6g}"
    return f"{words} within {within}"


def _window_words(window: Window) -> str:
    needed = f"{window.min_true} of " if window.min_true is not None else ""
    anchor = f" of {window.anchor_tf}" if window.anchor_tf is not None else ""
    length = f", {window.duration_minutes} minutes" if window.duration_minutes is not None else ""
    return f"{window.kind} {needed}{window.bars} {'bar' if window.bars == 1 else 'bars'}{anchor}{length}"


def operand_words(operand: Operand, is_only: Callable[[FeatureRef], bool]) -> str:
    """Return an operand as people write it; the output is named unless there is only one.

    Args:
        operand: What to name.
        is_only: Whether a reference is to the only output of its feature.
    """
    match operand:
        case FeatureRef(name, field, offset):
            return _back(name if is_only(operand) else f"{name}.{field}", offset)
        case Builtin(name, offset):
            return _back(name, offset)
        case Literal(value):
            return literal_words(value)
        case Arithmetic(op, left, right):
            return f"{_bracketed(left, is_only)} {op} {_bracketed(right, is_only)}"


def literal_words(value: float | str | bool | None) -> str:
    """Return a value for people: words, true or false, a number to eight digits or to a whole one, or missing."""
    match value:
        case None:
            return "missing"
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int():
            return str(value)
        case _:
            return plain(to_decimal(float(f"{value:.8g}" if abs(value) < _DIGITS_MAX else f"{value:.0f}")))


def _back(words: str, offset: int) -> str:
    return f"{words} {offset} {'bar' if offset == 1 else 'bars'} ago" if offset else words


def _bracketed(operand: Operand, is_only: Callable[[FeatureRef], bool]) -> str:
    words = operand_words(operand, is_only)
    return f"({words})" if isinstance(operand, Arithmetic) else words


def references(operand: Operand) -> tuple[FeatureRef | Builtin, ...]:
    """Return the references inside an operand, each once, from left to right."""
    match operand:
        case FeatureRef() | Builtin():
            return (operand,)
        case Arithmetic(_, left, right):
            return tuple(dict.fromkeys((*references(left), *references(right))))
        case _:
            return ()
