"""Nodes as a person asks for them on the command line.

    NAME[.OUTPUT][:VALUE | :PARAM=VALUE]...

Values without a name are parameters in declared order; behind the last of them, or as `source=`, stands the series that
the node reads. Numbers of a list are parted by commas. A swing without parameters is that of `compute.USES`.

    rsi    rsi:21    ema:20:hlc3    bbands.upper:length=50:std=2.5    fibonacci:levels=0.382,0.618
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evenkeel.features.compute import USES
from evenkeel.features.node import Node, Output, Param, Params, Value
from evenkeel.features.prices import SOURCES
from evenkeel.features.registry import find_any
from evenkeel.model.errors import UsageError

_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class NodeRequest:
    """A node with its parameters.

    Attributes:
        text: As asked for.
        node: Which one.
        params: All of them, checked.
        source: The series that a node of one input reads.
        output: The one that is asked for; None for all.
    """

    text: str
    node: Node
    params: dict[str, Value | None]
    source: str
    output: str | None

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The outputs that are asked for."""
        every = self.node.outputs_of(self.params)
        return every if self.output is None else tuple(one for one in every if one.name == self.output)


def parse_request(text: str, samples: Mapping[str, Params] | None = None) -> NodeRequest:
    """Return the node that a text asks for.

    Args:
        text: As a person writes it.
        samples: By name of the node, the parameters of one that is asked for without any.

    Raises:
        UsageError: If there is no such node, output or parameter, or a value is not valid.
    """
    head, *words = text.split(":")
    name, _, output = head.partition(".")
    node = find_any(name)
    given: dict[str, str] = {}
    for word in words:
        key, value = _named(node, word, len(given), text)
        if key in given:
            raise UsageError(f"'{text}' gives {key} twice")
        given[key] = value
    source = given.pop("source", "close")
    if source not in SOURCES:
        raise UsageError(f"'{text}': '{source}' is not a source; there are {', '.join(SOURCES)}")
    kinds = {param.name: param for param in node.params}
    assumed = {} if "mode" in given else dict(USES.get(name, {}))
    if not given and samples:
        assumed |= samples.get(name, {})
    params = node.resolve(assumed | {key: _value(kinds[key], value, text) for key, value in given.items()})
    return NodeRequest(text, node, params, source, node.output(output, params).name if output else None)


def _named(node: Node, word: str, place: int, text: str) -> tuple[str, str]:
    """Return the parameter that a word stands for, and its value."""
    names = [param.name for param in node.params] + (["source"] if node.single_series else [])
    key, equals, value = word.partition("=")
    if not equals:
        if node.single_series and word in SOURCES:
            return "source", word
        if place >= len(names):
            raise UsageError(f"'{text}': {node.name} takes {', '.join(names) or 'no parameters'}, and '{word}' is more")
        return names[place], word
    if key not in names:
        raise UsageError(f"'{text}': {node.name} has no parameter '{key}'; it has {', '.join(names) or 'none'}")
    return key, value


def _value(param: Param, word: str, text: str) -> Any:
    if param.type is str:
        return word
    if param.type is bool:
        return _TRUTH.get(word.lower(), word)
    try:
        return [float(one) for one in word.split(",")] if param.type is list else float(word)
    except ValueError:
        raise UsageError(f"'{text}': {param.name} must be a number, not '{word}'") from None
