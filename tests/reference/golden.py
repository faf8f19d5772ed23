"""The series of `plays.md` 3.4 from its integer generator."""

from __future__ import annotations

from functools import cache

import numpy as np

from evenkeel.model.bar import Floats

BARS = 3000
FIRST_MINUTE = 28_409_760
"""2024-01-07T00:00Z in minutes since 1970."""


@cache
def golden_columns() -> dict[str, Floats]:
    """Return open, high, low, close, volume and session (UTC day) of the 3,000 bars."""
    x, before = 42, 500_000
    rows = []
    for i in range(BARS):
        draws = []
        for _ in range(5):
            x = (6364136223846793005 * x + 1442695040888963407) % 2**64
            draws.append(x // 2**33)
        r1, r2, r3, r4, r5 = draws
        first = before + r1 % 7 - 3
        last = first + r2 % 241 - 120 + (9 if (i // 200) % 2 == 0 else -9)
        rows.append((first, max(first, last) + r3 % 61, min(first, last) - r4 % 61, last, r5 % 20000))
        before = last
    values = np.array(rows, dtype=np.float64) / 10.0
    columns = {
        name: np.ascontiguousarray(values[:, place])
        for place, name in enumerate(("open", "high", "low", "close", "volume"))
    }
    columns["session"] = np.floor((FIRST_MINUTE + np.arange(BARS)) / 1440.0)
    return columns
