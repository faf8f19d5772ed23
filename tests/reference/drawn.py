"""Markets drawn by hand: a close a bar, and swing pivots on the bars that confirm them.

market = drawn([10, 11, 12, 11], {2: [low(9, at=0)], 3: [high(12.5, at=1)]})
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from evenkeel.model.bar import Floats
from reference.structures import Pivot, SwingReference

ALL_PASS = {"min_atr_move": None, "min_pct_move": None, "strict_alternation": False, "major_threshold": 0.0}


def high(level: float, *, at: int) -> Pivot:
    """A swing high at a bar."""
    return Pivot("high", level, at)


def low(level: float, *, at: int) -> Pivot:
    """A swing low at a bar."""
    return Pivot("low", level, at)


def drawn(
    closes: Sequence[float],
    pivots: Mapping[int, Sequence[Pivot]] | None = None,
    *,
    highs: Mapping[int, float] | None = None,
    lows: Mapping[int, float] | None = None,
    **columns: Sequence[float],
) -> dict[str, Floats]:
    """Return bars and the outputs of a swing on them.

    Args:
        closes: One a bar; highs and lows equal it.
        pivots: Bar to the pivots that it confirms.
        highs: Bar to its high where it is another.
        lows: Bar to its low where it is another.
        columns: Others, such as `atr`.
    """
    values = {name: np.array(closes, dtype=float) for name in ("close", "high", "low")}
    for name, others in (("high", highs or {}), ("low", lows or {})):
        for bar, price in others.items():
            values[name][bar] = price
    swing = SwingReference(ALL_PASS)
    rows = []
    for t in range(len(closes)):
        flags: set[str] = set()
        for pivot in (pivots or {}).get(t, ()):
            flags |= swing.take(pivot, float("nan"))
        rows.append(swing.row(flags))
    values |= {f"swing.{name}": np.array([float(row[name]) for row in rows]) for name in rows[0]}
    return values | {name: np.array(given, dtype=float) for name, given in columns.items()}
