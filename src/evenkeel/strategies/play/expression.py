"""Conditions as a small closed tree: what the condition language means once every name is resolved and typed.

Every reference names its output (the primary one where the play named none), every enum word is spelled as its output
declares it, and every type rule has been checked. `path` is the place in the play, for explanations; it takes no part
in comparison of meaning beyond that.
"""

from __future__ import annotations

from typing import Literal as Word
from typing import TypeAlias

import msgspec

from evenkeel.model.time import Timeframe

ValueType: TypeAlias = Word["FLOAT", "INT", "BOOL", "ENUM", "STRING"]
Scalar: TypeAlias = "int | float | str | bool"


class FeatureRef(msgspec.Struct, frozen=True, tag="feature"):
    """An output of a feature or structure.

    Attributes:
        id: Feature id or structure key.
        field: Output.
        offset: Bars of the feature's own timeframe back from its last closed one.
    """

    id: str
    field: str
    offset: int = 0


class Builtin(msgspec.Struct, frozen=True, tag="builtin"):
    """A value that needs no declaration.

    Attributes:
        name: One of `vocabulary.BUILTINS`.
        offset: Execution bars back; minutes for `last_price` and `mark_price`.
    """

    name: str
    offset: int = 0


class Literal(msgspec.Struct, frozen=True, tag="literal"):
    """A constant: a number, true or false, or a word of an enum."""

    value: int | float | str | bool


class Arithmetic(msgspec.Struct, frozen=True, tag="arithmetic"):
    """Two numbers made one. A whole number stays whole except under `/`; `%` follows floored division.

    Attributes:
        op: `+`, `-`, `*`, `/` or `%`.
        left: First operand.
        right: Second operand.
        value_type: INT or FLOAT.
    """

    op: str
    left: Operand
    right: Operand
    value_type: ValueType


Operand: TypeAlias = FeatureRef | Builtin | Literal | Arithmetic


class Compare(msgspec.Struct, frozen=True, kw_only=True, tag="compare"):
    """A comparison of two values.

    Attributes:
        op: One of `vocabulary.OPERATORS`.
        left: Left operand.
        right: Right operand; None for `between` and `in`.
        tolerance: `near_abs`: in units of the operands; `near_pct`: a fraction of the right operand.
        low: Lower end of `between`, inclusive.
        high: Upper end of `between`, inclusive.
        choices: Members of `in`.
        path: Place in the play.
    """

    op: str
    left: Operand
    right: Operand | None = None
    tolerance: float | None = None
    low: Operand | None = None
    high: Operand | None = None
    choices: tuple[Literal, ...] = ()
    path: str = ""


class All(msgspec.Struct, frozen=True, tag="all"):
    """True when every child is."""

    children: tuple[Condition, ...]
    path: str = ""


class Any_(msgspec.Struct, frozen=True, tag="any"):  # noqa: N801 - `Any` is taken
    """True when a child is."""

    children: tuple[Condition, ...]
    path: str = ""


class Not(msgspec.Struct, frozen=True, tag="not"):
    """True when the child is false; unknown stays unknown."""

    child: Condition
    path: str = ""


class SetupRef(msgspec.Struct, frozen=True, tag="setup"):
    """A named condition of `setups`, as of the same instant."""

    id: str
    path: str = ""


class Window(msgspec.Struct, frozen=True, kw_only=True, tag="window"):
    """A condition looked at over several past instants.

    Attributes:
        kind: `holds_for`, `occurred_within` or `count_true`.
        bars: Number of samples, counted back from now on the grid.
        duration_minutes: As written in the duration forms; `bars` is already worked out from it.
        min_true: For `count_true`: how many samples must be true.
        anchor_tf: Timeframe of the grid, as written or found for a duration; None is the execution timeframe.
        expr: What is sampled.
        path: Place in the play.
    """

    kind: Word["holds_for", "occurred_within", "count_true"]
    bars: int
    duration_minutes: int | None = None
    min_true: int | None = None
    anchor_tf: Timeframe | None = None
    expr: Condition
    path: str = ""


Condition: TypeAlias = Compare | All | Any_ | Not | SetupRef | Window


def children(condition: Condition) -> tuple[Condition, ...]:
    """Return the conditions directly inside."""
    match condition:
        case All(inside) | Any_(inside):
            return inside
        case Not(child):
            return (child,)
        case Window():
            return (condition.expr,)
        case _:
            return ()


def operands(condition: Condition) -> tuple[Operand, ...]:
    """Return the operands directly inside; none for anything but a comparison."""
    if not isinstance(condition, Compare):
        return ()
    given = (condition.left, condition.right, condition.low, condition.high)
    return tuple(operand for operand in given if operand is not None)
