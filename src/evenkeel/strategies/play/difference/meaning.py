"""What parts of a play mean, as texts that are equal exactly where two parts decide alike.

A feature means its indicator with parameters, bars and source; its name means nothing. A condition means the same in
whatever order its parts stand, whichever side an operand is on, and whether a setup is named or spelled out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from evenkeel.model.time import Timeframe
from evenkeel.strategies.play.declarations import FeatureSpec, StructureSpec
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
from evenkeel.strategies.play.play import Play
from evenkeel.strategies.play.ranges import OPPOSITE, SWAPPED

_EITHER_WAY = ("==", "!=")
_COMMUTATIVE = ("+", "*")


def digest(*parts: Any) -> str:
    """Return a short text that stands for these parts."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def definitions(play: Play) -> dict[str, str]:
    """Return feature id or structure key to what it means, its name left out."""
    found: dict[str, str] = {}
    for spec in play.features:
        found[spec.id] = digest(spec.indicator, spec.params, spec.timeframe.name, _source(spec, found))
    for one in play.structures:
        found[one.key] = digest(one.type, one.params, one.timeframe.name, *_reads(one, found))
    return found


def _source(spec: FeatureSpec, found: Mapping[str, str]) -> Any:
    source = spec.source
    return [found[source.id], source.field] if isinstance(source, FeatureRef) else source


def _reads(spec: StructureSpec, found: Mapping[str, str]) -> list[Any]:
    return [sorted(found[key] for key in spec.uses), found[spec.atr_key] if spec.atr_key else None]


class Pairing:
    """Which names of two plays stand for the same thing.

    Attributes:
        before: Name to key in the first play; equal keys stand for the same feature, changed or not.
        after: The same in the second.
        changed: Names that are in both plays and mean something else now.
    """

    def __init__(self, before: Play, after: Play) -> None:
        self._was, self._is = definitions(before), definitions(after)
        shared = set(self._was.values()) & set(self._is.values())
        self.changed = [
            name
            for name, meaning in self._was.items()
            if name in self._is and meaning not in shared and self._is[name] not in shared
        ]
        self.before = {name: self._key(name, meaning) for name, meaning in self._was.items()}
        self.after = {name: self._key(name, meaning) for name, meaning in self._is.items()}

    def _key(self, name: str, meaning: str) -> str:
        return f"changed {name}" if name in self.changed else meaning

    @property
    def renamed(self) -> list[tuple[str, str]]:
        """Names of the first play and those that stand for the same thing in the second, where they differ."""
        by_key = {key: name for name, key in reversed(self.after.items())}
        return [
            (name, by_key[key])
            for name, key in self.before.items()
            if key in by_key and by_key[key] != name and self.after.get(name) != key
        ]

    @property
    def gone(self) -> list[str]:
        """Names of the first play that stand for nothing in the second."""
        return [name for name, key in self.before.items() if key not in self.after.values()]

    @property
    def new(self) -> list[str]:
        """Names of the second play that stand for nothing in the first."""
        return [name for name, key in self.after.items() if key not in self.before.values()]

    @property
    def misleading(self) -> set[str]:
        """Names that are in both plays and stand for different things."""
        return {name for name, key in self.before.items() if name in self.after and self.after[name] != key}


class Meanings:
    """What the conditions of one play mean.

    Args:
        play: Whose setups they may name.
        keys: Feature id or structure key to what it stands for.
    """

    def __init__(self, play: Play, keys: Mapping[str, str]) -> None:
        self._setups = play.setups
        self._exec = play.intervals.exec
        self._keys = keys
        self._of_setup: dict[tuple[str, bool], str] = {}
        self._parts_of_setup: dict[tuple[str, str, bool], frozenset[str]] = {}

    def key(self, name: str) -> str:
        """Return what a feature or structure stands for."""
        return self._keys.get(name, name)

    def operand(self, operand: Operand) -> str:
        """Return what an operand means."""
        match operand:
            case Literal(value):
                return f"= {value!r}" if isinstance(value, str | bool) else f"= {float(value)!r}"
            case Builtin(name, offset):
                return f"{name} {offset}"
            case FeatureRef(name, field, offset):
                return f"{self.key(name)} {field} {offset}"
            case Arithmetic(op, left, right, of):
                sides = [self.operand(left), self.operand(right)]
                return digest(op, of, *(sorted(sides) if op in _COMMUTATIVE else sides))

    def condition(self, condition: Condition, *, negated: bool = False) -> str:
        """Return what a condition, or its opposite, means."""
        match condition:
            case Compare():
                return self._compare(condition, negated)
            case Not(child):
                return self.condition(child, negated=not negated)
            case SetupRef(name):
                if (name, negated) not in self._of_setup:
                    self._of_setup[name, negated] = self.condition(self._setups[name], negated=negated)
                return self._of_setup[name, negated]
            case Window():
                return self._window(condition, negated)
            case All() | Any_():
                kind = "all" if isinstance(condition, All) is not negated else "any"
                parts = self._parts(condition, kind, negated)
                return next(iter(parts)) if len(parts) == 1 else digest(kind, *sorted(parts))

    def _parts(self, condition: Condition, kind: str, negated: bool) -> frozenset[str]:
        """Return what the parts of a list mean, those of a list of the same kind inside it included."""
        match condition:
            case Not(child):
                return self._parts(child, kind, not negated)
            case SetupRef(name):
                key = (name, kind, negated)
                if key not in self._parts_of_setup:
                    self._parts_of_setup[key] = self._parts(self._setups[name], kind, negated)
                return self._parts_of_setup[key]
            case All(children) | Any_(children):
                own = "all" if isinstance(condition, All) is not negated else "any"
                if own == kind:
                    return frozenset().union(*(self._parts(child, kind, negated) for child in children))
        return frozenset({self.condition(condition, negated=negated)})

    def _compare(self, compare: Compare, negated: bool) -> str:
        op, left = compare.op, self.operand(compare.left)
        if negated and op in OPPOSITE:
            op, negated = OPPOSITE[op], False
        sides = [left, *([self.operand(compare.right)] if compare.right is not None else [])]
        if op == "in":
            members = sorted({self.operand(choice) for choice in compare.choices})
            op, sides = ("==", [left, *members]) if len(members) == 1 else ("in", [left, *members])
            if op == "==" and negated:
                op, negated = "!=", False
        if op in ("<", "<=", "cross_below"):
            op, sides = SWAPPED[op], sides[::-1]
        if op in _EITHER_WAY:
            sides = sorted(sides)
        ends = [self.operand(end) for end in (compare.low, compare.high) if end is not None]
        return digest("not" if negated else "", op, *sides, *ends, compare.tolerance)

    def _window(self, window: Window, negated: bool) -> str:
        if window.bars == 1:
            return self.condition(window.expr, negated=negated)
        inside = self.condition(window.expr)
        return digest("not" if negated else "", needed(window), window.bars, self.grid(window).name, inside)

    def grid(self, window: Window) -> Timeframe:
        """Return the timeframe on which a window is sampled."""
        return window.anchor_tf or self._exec


def needed(window: Window) -> int:
    """Return how many samples of a window must be true."""
    return {"holds_for": window.bars, "occurred_within": 1, "count_true": window.min_true or 1}[window.kind]
