"""Every indicator as `plays.md` 3 words it: lists, whole windows, no state, no shortcut."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from reference import averages, composites, oscillators
from reference.stages import NAN, Outputs, Series

REFERENCES: dict[str, Callable[..., Outputs]] = {
    name: function
    for module in (averages, oscillators, composites)
    for name, function in vars(module).items()
    if getattr(function, "__module__", None) == module.__name__
}

SKIPPING = frozenset({"vwap", "obv"})
"""A bar with a missing number changes nothing; every other indicator starts again behind it."""


def reference(name: str, params: Mapping[str, Any], inputs: Mapping[str, Series]) -> Outputs:
    """Return the outputs over inputs with missing numbers, in declared order."""
    if name == "vwap":
        inputs = {**inputs, "session": [period_of(params["anchor"], day) for day in inputs["session"]]}
    columns = list(inputs.values())
    complete = [not any(math.isnan(v) for v in bar) for bar in zip(*columns, strict=True)]
    if name == "vwap":
        complete = [c and v > 0 for c, v in zip(complete, inputs["volume"], strict=True)]
    return (_skipped if name in SKIPPING else _restarted)(name, params, columns, complete)


def period_of(anchor: str, day: float) -> float:
    """Return the number of the session day or of the week from Monday; day 0 is a Thursday."""
    if anchor == "D":
        return day
    if anchor == "W":
        return (day - 4) // 7 if not math.isnan(day) else NAN
    return 0.0


def _skipped(name: str, params: Mapping[str, Any], columns: list[Series], complete: list[bool]) -> Outputs:
    kept = [[v for v, c in zip(column, complete, strict=True) if c] for column in columns]
    short = REFERENCES[name](params, *kept)
    rows: Outputs = {key: [] for key in short}
    for key, values in short.items():
        source, last = iter(values), NAN
        for c in complete:
            last = next(source) if c else last
            rows[key].append(last)
    return rows


def _restarted(name: str, params: Mapping[str, Any], columns: list[Series], complete: list[bool]) -> Outputs:
    rows: Outputs = {}
    count = len(complete)
    start = 0
    while start < count:
        stop = start
        while stop < count and complete[stop]:
            stop += 1
        part = REFERENCES[name](params, *[list(column[start:stop]) for column in columns])
        gap = 0
        while stop + gap < count and not complete[stop + gap]:
            gap += 1
        for key, values in part.items():
            rows.setdefault(key, []).extend([*values, *[NAN] * gap])
        start = stop + gap
    return rows
