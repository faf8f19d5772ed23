"""What a limit is: its gate, unit, range and meaning, and which of two values is the stricter.

A field of a group of limits carries its rule in its annotation, so that validation, tightening and the page of all
limits read the same words. A value of None is no limit, which is the loosest of all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any, TypeAlias, get_type_hints

import msgspec

from evenkeel.model.errors import UsageError

Value: TypeAlias = Decimal | int | bool | tuple[Any, ...] | None
"""Of a limit; None is no limit."""

_RANGE = re.compile(r"([\[(])(-?[\d.]+), (inf|-?[\d.]+)([\])])\Z")


class Tighter(StrEnum):
    """Which of two values of a limit allows less."""

    LESS = "the smaller"
    MORE = "the larger"
    ON = "on"
    OFF = "off"
    ALL = "both together"


class Rule(msgspec.Struct, frozen=True):
    """What a limit means.

    Attributes:
        gate: Number of the gate that reads it; 0 for what the life of an order reads.
        unit: Of its value.
        span: Its range as mathematicians write it; empty where the type says all.
        meaning: One sentence.
        tighter: Which of two values allows less.
    """

    gate: int
    unit: str
    span: str
    meaning: str
    tighter: Tighter = Tighter.LESS

    def holds(self, value: Value) -> bool:
        """Whether a value lies in the range; what is no number has none."""
        if value is None or not self.span or isinstance(value, bool | tuple):
            return True
        match = _RANGE.match(self.span)
        if match is None or not Decimal(value).is_finite():
            return False
        opened, low, high, closed = match.groups()
        above = value >= Decimal(low) if opened == "[" else value > Decimal(low)
        below = high == "inf" or (value <= Decimal(high) if closed == "]" else value < Decimal(high))
        return above and below

    def stricter(self, one: Any, other: Any) -> Any:
        """Return the value of two that allows less; both together where they are lists."""
        if one is None or other is None:
            return other if one is None else one
        match self.tighter:
            case Tighter.LESS:
                return min(one, other)
            case Tighter.MORE:
                return max(one, other)
            case Tighter.ON:
                return one or other
            case Tighter.OFF:
                return one and other
            case Tighter.ALL:
                return (*one, *(item for item in other if item not in one))


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Limits on one subject; made only from values that lie in their ranges."""

    def __post_init__(self) -> None:
        group = type(self).__name__.lower()
        for name, rule in rules(type(self)).items():
            value = getattr(self, name)
            if not rule.holds(value):
                raise UsageError(out_of_range(f"{group}.{name}", value, rule), reason="BAD_LIMIT")


def out_of_range(name: str, value: object, rule: Rule) -> str:
    """Return the sentence about a value outside its range."""
    return (
        f"the limit {name} is {value}, and its range is {rule.span} ({rule.unit}); write a value inside it, or leave "
        "the limit out"
    )


@cache
def rules(group: type[Group]) -> Mapping[str, Rule]:
    """Return the rule of each field of a group, in the order in which they are declared."""
    hints = get_type_hints(group, include_extras=True)
    return {name: hints[name].__metadata__[0] for name in group.__struct_fields__}


def limit(gate: int, unit: str, span: str, meaning: str, tighter: Tighter = Tighter.LESS) -> Rule:
    """Return the rule that the annotation of a limit carries."""
    return Rule(gate, unit, span, meaning, tighter)
