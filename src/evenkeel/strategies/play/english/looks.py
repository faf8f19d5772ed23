"""What a play looks at, in words: features with their parameters and sources, structures with what they read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evenkeel.features.node import Node
from evenkeel.features.registry import find_indicator, find_structure
from evenkeel.strategies.play.declarations import FeatureSpec, StructureSpec
from evenkeel.strategies.play.english.phrases import bars_of, listed, number
from evenkeel.strategies.play.english.values import written
from evenkeel.strategies.play.expression import FeatureRef
from evenkeel.strategies.play.play import Play


def feature_lines(play: Play) -> list[str]:
    """Return a line for each feature and structure: its id, what it is, on which bars."""
    width = max((len(one) for one in _names(play)), default=0)
    lines = [f"{spec.id:<{width}}  {feature_words(spec)}" for spec in play.features]
    return lines + [f"{spec.key:<{width}}  {structure_words(spec)}" for spec in play.structures]


def _names(play: Play) -> list[str]:
    return [*(spec.id for spec in play.features), *(spec.key for spec in play.structures)]


def feature_words(spec: FeatureSpec) -> str:
    """Return what a feature is: `Exponential moving average of the close, length 20, on 15m bars`."""
    node = find_indicator(spec.indicator)
    return f"{_summary(node)}{_source(spec, node)}{_params(node, spec.params)}, on {bars_of(spec.timeframe)}"


def structure_words(spec: StructureSpec) -> str:
    """Return what a structure is, what it reads and on which bars."""
    node = find_structure(spec.type)
    reads = [*spec.uses, *([spec.atr_key] if spec.atr_key else [])]
    reading = f", reading {listed(reads)}" if reads else ""
    return f"{_summary(node)}{_params(node, spec.params)}{reading}, on {bars_of(spec.timeframe)}"


def _summary(node: Node) -> str:
    return node.summary.partition(":")[0].split(",")[0].strip()


def _source(spec: FeatureSpec, node: Node) -> str:
    if not node.single_series:
        return ""
    if isinstance(spec.source, FeatureRef):
        field = "" if spec.source.field == "value" else f".{written(spec.source.field)}"
        return f" of {spec.source.id}{field}"
    return f" of the {spec.source}"


def _params(node: Node, params: Mapping[str, Any]) -> str:
    """Return the parameters; of a structure, which has many, those that differ from the defaults."""
    given = [
        (param.name, params.get(param.name))
        for param in node.params
        if node.kind == "indicator" or params.get(param.name) != param.default
    ]
    shown = [f"{name.replace('_', ' ')} {_value(value)}" for name, value in given if value is not None]
    return f", {', '.join(shown)}" if shown else ""


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return " ".join(number(one) for one in value)
    return number(value) if isinstance(value, int | float) else str(value)
