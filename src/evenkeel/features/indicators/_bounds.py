"""Rules over parameters that several indicators share."""

from __future__ import annotations

from evenkeel.features.node import Params


def fast_below_slow(p: Params) -> str | None:
    """Return a complaint unless the fast length is below the slow one."""
    return None if p["fast"] < p["slow"] else f"fast ({p['fast']}) must be below slow ({p['slow']})"
