"""Parameters that are lists of numbers: which lists are allowed. Loads no kernel, so a play can be checked without."""

from __future__ import annotations

import math
from collections.abc import Sequence

MAX_NUMBERS = 32
"""Longest list: each of its numbers may be an output."""


def number_list(values: Sequence[float]) -> tuple[float, ...]:
    """Return the numbers as float64; zero has no sign, so that it is one number."""
    return tuple(float(value) + 0.0 for value in values)


def complaint_about(numbers: Sequence[float]) -> str:
    """Return what forbids this list, worded to follow its name, or nothing."""
    if not 1 <= len(numbers) <= MAX_NUMBERS:
        return f"has {len(numbers)} numbers; it must have 1 to {MAX_NUMBERS}"
    for place, number in enumerate(numbers):
        if not math.isfinite(number):
            return f"holds {number:g}; its numbers must be finite"
        if number in numbers[:place]:
            return f"holds {number:g} twice"
    return ""
