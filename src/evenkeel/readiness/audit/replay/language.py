"""How conditions of a play are written (plays.md 2), and by which bars their windows and crosses step back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from evenkeel.readiness.audit.replay.grid import Unsupported
from evenkeel.readiness.audit.replay.market import minutes_of
from evenkeel.readiness.audit.replay.play import Json, Play
from evenkeel.readiness.audit.replay.zones import level_name

ORDERS, EQUALITIES, CROSSES = (">", "<", ">=", "<="), ("==", "!="), ("cross_above", "cross_below")
NEAR = ("near_abs", "near_pct")
OPERATORS = (*ORDERS, *EQUALITIES, *CROSSES, *NEAR, "between", "in")
ARITHMETIC = ("+", "-", "*", "/", "%")
WINDOWS = ("holds_for", "occurred_within", "count_true")
BAR_PRICES = ("open", "high", "low", "close", "volume")
FORMING = ("bar_open", "bar_high", "bar_low")
MINUTE_PRICES = ("last_price", "mark_price")
SIDE_RATES = ("funding_rate", "open_interest")
MINUTE = "1m"
UNITS = {"m": 1, "h": 60, "d": 1440}

_BRACKETS = re.compile(r"(\w+)\[([^\]]+)\](?:\.(\w+))?\Z")
_DURATION = re.compile(r"(\d+)([mhd])\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reference:
    """A value by name, some bars back."""

    name: str
    field: str
    offset: int


def reference(text: str, field: str = "", offset: int = 0) -> Reference:
    """Return what a name in a condition means; brackets become the name of an output."""
    name, _, rest = text.partition(".")
    return Reference(name, field_name(rest or field), offset)


def field_name(field: str) -> str:
    """Return the name of an output as it is stored: `level[0.618]` is `level_0.618`, `zone[0].state` `zone0_state`."""
    match = _BRACKETS.match(field)
    if match is None:
        return field
    word, index, rest = match.groups()
    return level_name(float(index)) if rest is None else f"{word}{int(index)}_{rest}"


def operand_parts(operand: Json) -> tuple[str, Json, Json] | None:
    """Return operator and sides of an arithmetic operand, None of any other."""
    if isinstance(operand, list) and len(operand) == 3 and operand[1] in ARITHMETIC:
        return operand[1], operand[0], operand[2]
    if isinstance(operand, dict) and len(operand) == 1:
        ((op, sides),) = operand.items()
        if op in ARITHMETIC:
            return op, sides[0], sides[1]
    return None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison in either written form."""

    lhs: Json
    op: str
    rhs: Json
    tolerance: Json


def comparison(condition: Json) -> Comparison | None:
    """Return a condition that compares, None of any other."""
    if isinstance(condition, dict) and "op" in condition:
        return Comparison(condition["lhs"], condition["op"], condition["rhs"], condition.get("tolerance"))
    if isinstance(condition, list) and len(condition) in (3, 4) and condition[1] in OPERATORS:
        lhs, op, rhs, *tolerance = condition
        return Comparison(lhs, op, rhs, tolerance[0] if tolerance else None)
    return None


def window(condition: Json) -> tuple[str, Json] | None:
    """Return kind and facts of a window, None of any other condition."""
    if isinstance(condition, dict) and len(condition) == 1:
        ((name, facts),) = condition.items()
        if name.removesuffix("_duration") in WINDOWS:
            return name, facts
    return None


class Steps:
    """Which bars the windows and crosses of a play step by.

    Args:
        play: The play.
        timeframe: Returns that of a feature or structure.
    """

    def __init__(self, play: Play, timeframe: Callable[[str], str]) -> None:
        self._play = play
        self._timeframe = timeframe
        self._drive = MINUTE if play.intrabar else play.execution

    def all(self) -> set[str]:
        """Return every step of the play."""
        conditions = [when for block in self._play.blocks for when in block if when is not None]
        return {step for condition in (*conditions, *self._play.setups.values()) for step in self._of(condition)}

    def _of(self, condition: Json) -> Iterator[str]:
        compare, windowed = comparison(condition), window(condition)
        if compare is not None:
            if compare.op in CROSSES:
                yield self.cross(compare)
            if any(ref.name in SIDE_RATES and ref.offset for ref in references(compare)):
                yield self._play.execution
        elif windowed is not None:
            yield self.window(*windowed)
            yield from self._of(windowed[1]["expr"])
        else:
            for child in children(condition):
                yield from self._of(child)

    def cross(self, compare: Comparison) -> str:
        """Return the step of a cross: the finest timeframe on which either side moves, at most an execution bar."""
        moves = [self._play.execution, *(self._moves(ref.name) for ref in references(compare))]
        return min(moves, key=minutes_of)

    def window(self, name: str, facts: Json) -> str:
        """Return the step of a window."""
        if name.endswith("_duration"):
            return MINUTE if self._reads_minutes(facts["expr"]) else self._play.execution
        anchor = facts.get("anchor_tf")
        return self._play.execution if anchor is None else self._play.roles.get(anchor, anchor)

    def samples(self, name: str, facts: Json) -> int:
        """Return at how many instants a window looks."""
        if not name.endswith("_duration"):
            return int(facts["bars"])
        match = _DURATION.match(facts["duration"])
        if match is None:
            raise Unsupported(f"the duration {facts['duration']!r} cannot be read")
        return int(match[1]) * UNITS[match[2].lower()] // minutes_of(self.window(name, facts))

    def _moves(self, name: str) -> str:
        if name in MINUTE_PRICES:
            return MINUTE
        if name in FORMING:
            return self._drive
        return self._play.execution if name in (*BAR_PRICES, *SIDE_RATES) else self._timeframe(name)

    def _reads_minutes(self, condition: Json) -> bool:
        compare, windowed = comparison(condition), window(condition)
        if compare is not None:
            return any(ref.name in MINUTE_PRICES for ref in references(compare))
        if windowed is not None:
            return self._reads_minutes(windowed[1]["expr"])
        if isinstance(condition, dict) and "setup" in condition:
            return self._reads_minutes(self._play.setups[condition["setup"]])
        return any(self._reads_minutes(child) for child in children(condition))


def children(condition: Json) -> list[Json]:
    """Return the parts of `all`, `any`, `not` and of a bare list; a setup has none of its own."""
    if isinstance(condition, list):
        return condition
    ((name, inside),) = condition.items()
    if name == "setup":
        return []
    return inside if name in ("all", "any") else [inside]


def references(compare: Comparison) -> Iterator[Reference]:
    """Yield every value that a comparison reads."""
    yield from _references(compare.lhs)
    if compare.op == "in":
        return
    if compare.op == "between":
        for bound in bounds(compare.rhs):
            yield from _references(bound)
    else:
        yield from _references(compare.rhs)


def _references(operand: Json) -> Iterator[Reference]:
    parts = operand_parts(operand)
    if parts is not None:
        for side in parts[1:]:
            yield from _references(side)
    elif isinstance(operand, str):
        yield reference(operand)
    elif isinstance(operand, dict):
        yield reference(operand["feature_id"], operand.get("field") or "", int(operand.get("offset", 0)))


def bounds(rhs: Json) -> tuple[Json, Json]:
    """Return the two ends of `between`."""
    return (rhs["low"], rhs["high"]) if isinstance(rhs, dict) else (rhs[0], rhs[1])
