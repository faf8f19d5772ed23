"""The features and structures of two plays compared: what changed, what only has another name, what nothing reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from evenkeel.strategies.play.declarations import FeatureSpec, StructureSpec
from evenkeel.strategies.play.difference.change import Change
from evenkeel.strategies.play.difference.meaning import Pairing
from evenkeel.strategies.play.english.looks import feature_words, structure_words
from evenkeel.strategies.play.english.phrases import listed, number
from evenkeel.strategies.play.expression import (
    Arithmetic,
    Condition,
    FeatureRef,
    Operand,
    SetupRef,
    children,
    operands,
)
from evenkeel.strategies.play.play import Play

PART = "features"
_RISK_KEYS = ("atr_feature_id", "structure_key")


class FeatureDifference(NamedTuple):
    """What differs between the features of two plays.

    Attributes:
        changes: Of features that decide something.
        notes: Other names, and features that nothing reads.
        shaken: Blocks that read a feature that changed.
    """

    changes: list[Change]
    notes: list[str]
    shaken: set[str]


def compare_features(before: Play, after: Play, pairing: Pairing) -> FeatureDifference:
    """Return what differs between the features and structures of two plays."""
    readers_before, readers_after = Readers(before), Readers(after)
    was, now = _specs(before), _specs(after)
    changes: list[Change] = []
    notes: list[str] = []
    shaken: set[str] = set()
    for name in pairing.changed:
        shaken.update(readers_before.of(name), readers_after.of(name))
        text = _difference(was[name], now[name], pairing)
        where = readers_after.of(name)
        if where or readers_before.of(name):
            changes.append(Change(PART, name, f"{text}; read by {listed(where) or 'nothing any more'}"))
        else:
            notes.append(f"{name}: {text}; nothing reads it")
    for old, new in pairing.renamed:
        notes.append(f"{old} is now called {new}; it is computed as before")
    for name in pairing.gone:
        kept = "" if readers_before.of(name) else ", which nothing read"
        notes.append(f"{name} is gone{kept}")
    for name in pairing.new:
        where = readers_after.of(name)
        by = f"read by {listed(where)}" if where else "which nothing reads"
        notes.append(f"{name} is new: {_words(now[name])}, {by}")
    return FeatureDifference(changes, notes, shaken)


def _specs(play: Play) -> dict[str, FeatureSpec | StructureSpec]:
    return {**{spec.id: spec for spec in play.features}, **{spec.key: spec for spec in play.structures}}


def _words(spec: FeatureSpec | StructureSpec) -> str:
    return feature_words(spec) if isinstance(spec, FeatureSpec) else structure_words(spec)


def _difference(was: FeatureSpec | StructureSpec, now: FeatureSpec | StructureSpec, pairing: Pairing) -> str:
    if _kind(was) != _kind(now):
        return f"{_words(was)} became {_words(now)}"
    parts = [
        f"{name} {_shown(was.params.get(name))} became {_shown(now.params.get(name))}"
        for name in dict.fromkeys([*was.params, *now.params])
        if was.params.get(name) != now.params.get(name)
    ]
    if was.timeframe != now.timeframe:
        parts.append(f"{was.timeframe} bars became {now.timeframe} bars")
    if _inputs(was, pairing.before) != _inputs(now, pairing.after):
        parts.append(f"reading {_read(was)} became reading {_read(now)}")
    return ", ".join(parts) or f"it reads {_read(now)}, which changed"


def _kind(spec: FeatureSpec | StructureSpec) -> str:
    return spec.indicator if isinstance(spec, FeatureSpec) else spec.type


def _names_read(spec: FeatureSpec | StructureSpec) -> list[str]:
    if isinstance(spec, StructureSpec):
        return [*spec.uses, *([spec.atr_key] if spec.atr_key else [])]
    return [spec.source.id] if isinstance(spec.source, FeatureRef) else []


def _inputs(spec: FeatureSpec | StructureSpec, keys: Mapping[str, str]) -> Any:
    named = sorted(keys[name] for name in _names_read(spec))
    source = spec.source if isinstance(spec, FeatureSpec) else None
    return [named, source.field if isinstance(source, FeatureRef) else source]


def _read(spec: FeatureSpec | StructureSpec) -> str:
    if isinstance(spec, FeatureSpec) and not isinstance(spec.source, FeatureRef):
        return f"the {spec.source}"
    return listed(_names_read(spec)) or "bars"


def _shown(value: Any) -> str:
    if value is None:
        return "absent"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list):
        return f"[{', '.join(number(float(one)) for one in value)}]"
    return number(value) if isinstance(value, int | float) else str(value)


class Readers:
    """Who reads each feature and structure of a play: rules, stop, target, or other features that are read."""

    def __init__(self, play: Play) -> None:
        self._of: dict[str, dict[str, None]] = {}
        self._inputs = {name: _names_read(spec) for name, spec in _specs(play).items()}
        setups: dict[str, set[str]] = {}
        for name, condition in play.setups.items():
            setups[name] = set(_names_in(condition, setups))
        for block in play.actions:
            for case in block.cases:
                when = () if case.when is None else _names_in(case.when, setups)
                for name in when:
                    self._note(name, block.id)
        for key, word in (("stop_loss", "the stop"), ("take_profit", "the target"), ("trailing", "the trailing stop")):
            rule = play.resolved["risk_model"].get(key) or {}
            for feature_key in _RISK_KEYS:
                if rule.get(feature_key):
                    self._note(str(rule[feature_key]), word)

    def of(self, name: str) -> list[str]:
        """Return what reads a feature, directly or through others."""
        return list(self._of.get(name, ()))

    def _note(self, name: str, reader: str) -> None:
        pending = [name]
        while pending:
            one = pending.pop()
            readers = self._of.setdefault(one, {})
            if reader not in readers:
                readers[reader] = None
                pending += self._inputs.get(one, ())


def _names_in(condition: Condition, setups: Mapping[str, set[str]]) -> Iterator[str]:
    if isinstance(condition, SetupRef):
        yield from sorted(setups[condition.id])
    for operand in operands(condition):
        yield from _names_of(operand)
    for child in children(condition):
        yield from _names_in(child, setups)


def _names_of(operand: Operand) -> Iterator[str]:
    if isinstance(operand, FeatureRef):
        yield operand.id
    elif isinstance(operand, Arithmetic):
        yield from _names_of(operand.left)
        yield from _names_of(operand.right)
