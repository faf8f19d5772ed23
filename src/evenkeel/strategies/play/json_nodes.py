"""Indicators and structures as JSON Schema: for each its parameters, with type, range, default and meaning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from evenkeel.features.node import Node, Param
from evenkeel.features.number_list import MAX_NUMBERS
from evenkeel.strategies.play.json_conditions import Schema, choice, or_token, ref
from evenkeel.strategies.play.vocabulary import SOURCES

_PRICES = {"hl2": "(high + low) / 2", "hlc3": "(high + low + close) / 3", "ohlc4": "mean of all four"}
_SOURCES = (
    choice({name: _PRICES.get(name, "column of the bar") for name in SOURCES}),
    {"type": "string", "pattern": "^indicator:", "examples": ["indicator:rsi_14", "indicator:macd_1.signal"]},
    ref("variable"),
)
_TYPES = {int: "integer", float: "number", bool: "boolean", str: "string"}


def node_definitions(nodes: Mapping[str, Node]) -> dict[str, Schema]:
    """Return the definition of each node's parameters by its name, such as `indicator.ema`."""
    return {_name(node): _params(node) for node in nodes.values()}


def output_meanings(nodes: Iterable[Node]) -> dict[str, str]:
    """Return the names of all outputs, each with the nodes that have it."""
    owners: dict[str, list[str]] = {}
    for node in nodes:
        for output in node.outputs:
            if not output.each:
                owners.setdefault(output.name, []).append(node.name)
    return {name: f"of {', '.join(several)}" for name, several in sorted(owners.items())}


def feature_section(section: Schema, indicators: Mapping[str, Node]) -> Schema:
    """Return the section of a feature in which the indicator decides what else may be written."""
    names = choice({node.name: node.summary for node in indicators.values()}, "What is computed.")
    given = section["properties"]
    properties = {
        **given,
        "indicator": or_token(names),
        "tf": {"description": given["tf"]["description"], "anyOf": [ref("timeframe"), {"type": "null"}]},
        "source": {"description": given["source"]["description"], "anyOf": [*_SOURCES, {"type": "null"}]},
    }
    return {**section, "properties": properties, "allOf": [_feature(node) for node in indicators.values()]}


def structure_section(section: Schema, structures: Mapping[str, Node]) -> Schema:
    """Return the section of a structure in which the type decides what else may be written."""
    names = choice({node.name: node.summary for node in structures.values()}, "What is detected.")
    properties = {**section["properties"], "type": or_token(names)}
    return {**section, "properties": properties, "allOf": [_structure(node) for node in structures.values()]}


def _name(node: Node) -> str:
    return f"{node.kind}.{node.name}"


def _feature(node: Node) -> Schema:
    fixed = {"type": "null", "description": f"{node.name} reads fixed columns: {', '.join(node.inputs)}."}
    properties = {"params": ref(_name(node)), **({} if node.single_series else {"source": fixed})}
    return _when("indicator", node, properties, ["params"] if _required(node) else [])


def _structure(node: Node) -> Schema:
    readable = [kind.rstrip("?") for kind in node.uses]
    properties: Schema = {"params": ref(_name(node))}
    if not readable:
        properties["uses"] = {"type": "array", "maxItems": 0, "description": f"{node.name} reads no other structure."}
    needed = ["uses"] if any(not kind.endswith("?") for kind in node.uses) else []
    return _when("type", node, properties, [*needed, *(["params"] if _required(node) else [])])


def _when(key: str, node: Node, properties: Schema, needed: list[str]) -> Schema:
    then: Schema = {"properties": properties, **({"required": needed} if needed else {})}
    return {"if": {"properties": {key: {"const": node.name}}, "required": [key]}, "then": then}


def _required(node: Node) -> list[str]:
    return [param.name for param in node.params if param.default is None and not param.optional]


def _params(node: Node) -> Schema:
    properties = {param.name: _param(param) for param in node.params}
    if any(name.rstrip("?") == "atr" for name in node.inputs):
        properties["atr_key"] = {"type": "string", "description": "The atr or natr feature that it measures in."}
    needed = _required(node)
    return {
        "description": f"{node.name}: {node.formula}.",
        "type": "object",
        "properties": properties,
        **({"required": needed} if needed else {}),
        "additionalProperties": False,
    }


def _param(param: Param) -> Schema:
    bounds = _bounds(param)
    value: Schema
    if param.type is list:
        items = or_token({"type": "number", **bounds})
        value = {"type": "array", "items": items, "minItems": 1, "maxItems": MAX_NUMBERS}
    elif param.choices:
        value = {"enum": list(param.choices)}
    else:
        value = {"type": _TYPES[param.type], **bounds}
    alternatives = [value]
    if param.default is not None or param.optional:
        alternatives.append({"type": "null"})
    said: Schema = {"description": param.meaning} if param.meaning else {}
    if param.default is not None:
        said["default"] = _plain(param.default)
    return or_token({**said, "anyOf": alternatives})


def _plain(default: Any) -> Any:
    return list(default) if isinstance(default, tuple) else default


def _bounds(param: Param) -> Schema:
    bounds: Schema = {}
    if param.low is not None:
        bounds["exclusiveMinimum" if param.above else "minimum"] = param.low
    if param.high is not None:
        bounds["maximum"] = param.high
    return bounds
