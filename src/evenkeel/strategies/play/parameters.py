"""Parameters of indicators and structures, checked against the registry."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from evenkeel.features.number_list import complaint_about, number_list
from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.problems import Path, suggestion
from evenkeel.strategies.play.registry import NodeInfo, ParamInfo

_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", list: "a list of numbers"}


def resolve(node: NodeInfo, given: Mapping[str, Any], path: Path, log: ProblemLog) -> dict[str, Any] | None:
    """Return all parameters of `node` with defaults filled in, or None after telling what is wrong.

    Args:
        node: The indicator or structure.
        given: Parameters as written.
        path: Where they stand.
        log: Takes the problems.
    """
    known = {param.name: param for param in node.params}
    right = True
    for name in given:
        if name not in known:
            remedy = suggestion(name, known) if known else f"{node.name} has no parameters"
            log.error((*path, name), f"{node.name} has no parameter '{name}'", remedy, key=True)
            right = False
    values: dict[str, Any] = {}
    for param in known.values():
        complaint = _fill(param, given.get(param.name), values)
        if complaint:
            log.error((*path, param.name), complaint, "" if param.name in given else _how_to_add(param))
            right = False
    contradiction = node.check(values) if right else None
    if contradiction:
        log.error(path, f"{node.name}: {contradiction}")
    return values if right and not contradiction else None


def _how_to_add(param: ParamInfo) -> str:
    if param.choices:
        return f"add `{param.name}:` with one of {', '.join(param.choices)}"
    return f"add `{param.name}: …`, {_WORDS[param.type]}"


def _fill(param: ParamInfo, given: Any, values: dict[str, Any]) -> str:
    """Put the checked value into `values`, or return what is wrong with it."""
    value = param.default if given is None else given
    if value is None:
        values[param.name] = None
        return "" if param.optional else f"the parameter '{param.name}' is missing"
    if param.type is list:
        return _fill_list(param, value, values)
    if not _fits(param.type, value):
        return f"{_shown(value)} is not {_WORDS[param.type]}"
    if param.choices and value not in param.choices:
        return f"'{value}' is not allowed for {param.name}; {suggestion(value, param.choices)}"
    complaint = _bounds(param, value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
    if not complaint:
        values[param.name] = param.type(value) if param.type in (int, float) else value
    return complaint


def _fill_list(param: ParamInfo, value: Any, values: dict[str, Any]) -> str:
    if not isinstance(value, list | tuple) or not all(_fits(float, one) for one in value):
        return f"{_shown(value)} is not {_WORDS[list]}"
    numbers = number_list(value)
    complaint = complaint_about(numbers)
    if complaint:
        return f"{param.name} {complaint}"
    values[param.name] = numbers
    return next(filter(None, (_bounds(param, number) for number in numbers)), "")


def _fits(wanted: type, value: Any) -> bool:
    if wanted is bool or isinstance(value, bool):
        return wanted is bool and isinstance(value, bool)
    if wanted is float:
        return isinstance(value, int | float) and math.isfinite(value)
    if wanted is int and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, wanted)


def _bounds(param: ParamInfo, value: float) -> str:
    too_low = param.low is not None and (value < param.low or (param.above and value == param.low))
    too_high = param.high is not None and value > param.high
    if not (too_low or too_high):
        return ""
    low = "" if param.low is None else f"{'above' if param.above else 'at least'} {param.low:g}"
    high = "" if param.high is None else f"at most {param.high:g}"
    return f"{param.name} is {value:g}; it must be {' and '.join(part for part in (low, high) if part)}"


def _shown(value: Any) -> str:
    return f"'{str(value)[:60]}'"
