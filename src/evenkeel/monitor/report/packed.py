"""Data inside the page: whole numbers as differences, compressed, in a tag that never runs.

The same input always gives the same text: the compression carries no time stamp. The page's script undoes each step.
"""

from __future__ import annotations

import base64
import gzip
from typing import Any

import msgspec
import numpy as np

from evenkeel.model.bar import Floats, Ints
from evenkeel.model.errors import invariant
from evenkeel.monitor.report.markup import Html, tag

_INT32_MAX = 2**31 - 1
_LEVEL = 9
_ROUNDING = 1e-6
"""How far from a whole number a value may lie that is one but for the float64 arithmetic."""


def packed_json(name: str, document: Any) -> Html:
    """Return a tag with that id that holds a document."""
    return _block(name, msgspec.json.encode(document))


def packed_columns(name: str, columns: list[Ints]) -> Html:
    """Return a tag with that id that holds columns of equal length, each as differences from row to row.

    Every value, and every difference, must fit into 32 bits.
    """
    parts = []
    for column in columns:
        steps = np.diff(column, prepend=0)
        invariant(bool(np.all(np.abs(steps) <= _INT32_MAX)), "a column of the report does not fit into 32 bits")
        parts.append(steps.astype("<i4").tobytes())
    return _block(name, b"".join(parts))


def scale_of(values: Floats, *, digits_max: int) -> int:
    """Return the fewest decimals, at most `digits_max`, that hold all values exactly and fit into 32 bits."""
    largest = float(np.max(np.abs(values), initial=0.0))
    fitting = [digits for digits in range(digits_max + 1) if largest * 10.0**digits < _INT32_MAX / 2]
    for digits in fitting:
        scaled = values * 10.0**digits
        if np.all(np.abs(scaled - np.rint(scaled)) < _ROUNDING):
            return digits
    return fitting[-1] if fitting else 0


def counts_of(values: Floats, digits: int) -> Ints:
    """Return values as whole numbers of ten to the minus `digits`."""
    return np.asarray(np.rint(values * 10.0**digits), dtype=np.int64)


def _block(name: str, content: bytes) -> Html:
    text = base64.b64encode(gzip.compress(content, compresslevel=_LEVEL, mtime=0)).decode("ascii")
    return tag("script", Html(text), type="application/octet-stream", id=name)
