"""What a declaration of a node must be like before anything computes with it: for nodes that others write."""

from __future__ import annotations

import inspect
import keyword
import re
from collections.abc import Iterator
from dataclasses import replace

from evenkeel.features.node import MAX_LENGTH, Node, OutputType, Param, Params
from evenkeel.features.registry import INDICATOR_NAMES, STRUCTURE_NAMES, find_structure
from evenkeel.features.timeline import BAR_COLUMNS
from evenkeel.model.errors import UsageError

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z", re.ASCII)
_OUTPUT = re.compile(r"[a-z][a-z0-9_]*(\{\}[a-z0-9_]*)?\Z", re.ASCII)
_NUMBERS = (OutputType.FLOAT, OutputType.INT)
_TYPES = (int, float, bool, str, list)
KERNEL_ARGUMENTS = ("p", "s", "x", "r", "start", "stop")

STATE_MAX = 1_000_000
"""Largest state, in numbers: 8 megabytes."""

LOOKBACK_MAX = 4 * MAX_LENGTH


def complaint_about(node: Node) -> str:
    """Return what is wrong with a declaration in words, or nothing."""
    return next(_complaints(node), "")


def _complaints(node: Node) -> Iterator[str]:
    if not _NAME.match(node.name) or keyword.iskeyword(node.name):
        yield "a name has lower-case letters, digits and _, and begins with a letter"
    if node.name in (*INDICATOR_NAMES, *STRUCTURE_NAMES, *BAR_COLUMNS):
        yield "the name is taken by Evenkeel; choose another"
    arguments = tuple(inspect.signature(node.kernel.py_func).parameters)
    if len(arguments) != len(KERNEL_ARGUMENTS):
        yield f"the kernel takes ({', '.join(KERNEL_ARGUMENTS)}), not ({', '.join(arguments)})"
    for text in ("summary", "formula", "source"):
        if not isinstance(getattr(node, text), str) or not getattr(node, text).strip():
            yield f"`{text}` must be a sentence"
    yield from _wrong_params(node)
    yield from _wrong_inputs(node)
    yield from _wrong_outputs(node)
    yield from _wrong_figures(node)


def _wrong_params(node: Node) -> Iterator[str]:
    names = [param.name for param in node.params]
    for param in node.params:
        if not _NAME.match(param.name) or names.count(param.name) > 1 or param.name == "source":
            yield f"'{param.name}' cannot be a parameter's name, or is one twice"
        if param.type not in _TYPES:
            yield f"the parameter '{param.name}' has the type {param.type!r}; it must be int, float, bool, str or list"
        elif param.type is str and not param.choices:
            yield f"the parameter '{param.name}' is a str and needs `choices`"
        elif param.default is not None:
            yield from _wrong_default(node, param)


def _wrong_default(node: Node, param: Param) -> Iterator[str]:
    try:
        Node.resolve(_only(node, param), {})
    except UsageError as error:
        yield f"the default of '{param.name}' is not valid: {error.message}"


def _only(node: Node, param: Param) -> Node:
    return replace(node, params=(param,), check=lambda _: None)


def _wrong_inputs(node: Node) -> Iterator[str]:
    for name in node.inputs:
        kind, dot, output = name.rstrip("?").partition(".")
        if not dot:
            known = (*BAR_COLUMNS, *(("atr",) if node.kind == "structure" else ("source",)))
            if kind not in known or (name == "source" and node.inputs != ("source",)):
                yield f"the input '{name}' does not exist; there are {', '.join(known)}, and `source` stands alone"
        elif node.kind != "structure":
            yield f"an indicator reads bars, not '{name}'; declare a @structure"
        elif kind not in STRUCTURE_NAMES:
            yield f"the input '{name}' names no structure of Evenkeel"
        elif output not in [one.name for one in find_structure(kind).outputs]:
            yield f"the input '{name}' names no output of {kind}"
        elif kind not in [one.rstrip("?") for one in node.uses]:
            yield f"the input '{name}' needs '{kind}' in `uses`"


def _wrong_outputs(node: Node) -> Iterator[str]:
    names = [output.name for output in node.outputs]
    kinds = {param.name: param.type for param in node.params}
    for output in node.outputs:
        if not _OUTPUT.match(output.name) or names.count(output.name) > 1:
            yield f"'{output.name}' cannot be an output's name, or is one twice"
        if output.type not in tuple(OutputType):
            yield f"the output '{output.name}' has the type {output.type!r}; take one of OutputType"
        if (output.type is OutputType.ENUM) != bool(output.values):
            yield f"the output '{output.name}' must have `values` if it is an ENUM, and only then"
        if output.type not in _NUMBERS and (output.low, output.high) != (None, None):
            yield f"the output '{output.name}' is {output.type} and has no `low` and `high`"
        elif output.low is not None and output.high is not None and not output.low < output.high:
            yield f"the output '{output.name}' has `low` {output.low:g}, which is not below `high` {output.high:g}"
        if ("{}" in output.name) != bool(output.each) or (output.each and kinds.get(output.each) not in (int, list)):
            yield f"the output '{output.name}' must have {{}} in its name and in `each` an int or list parameter"


def _wrong_figures(node: Node) -> Iterator[str]:
    """Yield what is wrong with the figures at the default parameters; without defaults they cannot be judged."""
    try:
        params: Params = node.resolve({})
    except UsageError:
        return
    for name, figure, low, high in (
        ("state", node.state(params), 0, STATE_MAX), ("lookback", node.lookback(params), 0, LOOKBACK_MAX),
    ):  # fmt: skip
        if not _is_count(figure) or not low <= figure <= high:
            yield f"`{name}` gives {figure!r} at the defaults; it must be a whole number from {low} to {high:,}"
    firsts = node.first(params)
    outputs = [output.name for output in node.outputs_of(params)]
    for name, bar in firsts.items():
        if name not in outputs:
            yield f"`first` names '{name}', which is no output; there are {', '.join(outputs)}"
        if not _is_count(bar) or bar < 1:
            yield f"`first` gives {bar!r} for '{name}'; bars count from 1"
    # A structure's warm-up depends on what it reads; an indicator's stands for itself.
    warmup = 1 if node.uses else node.warmup(params)
    latest = max(firsts.values(), default=1)
    if not _is_count(warmup) or (not node.uses and warmup < latest):
        yield f"`warmup` gives {warmup!r} at the defaults, and the first value comes on bar {latest}: ask for so many"


def _is_count(figure: object) -> bool:
    return isinstance(figure, int) and not isinstance(figure, bool)
