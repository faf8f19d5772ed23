"""Random conditions in the form of `reference.language`, over whatever a desk has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Rng = np.random.Generator


def pick(rng: Rng, *choices: Any) -> Any:
    return choices[int(rng.integers(len(choices)))]


@dataclass(frozen=True)
class Desk:
    """What conditions may read.

    Attributes:
        prices: Names of series near each other.
        rates: Names of series near 0.
        whole: Names of series of whole numbers.
        truths: Names of series of truths.
        percents: Names of series between 0 and 100.
        anchors: Minutes of the grids that a window may name.
        durations: Minutes that a duration may have.
        setups: Names of conditions declared elsewhere.
    """

    prices: tuple[str, ...]
    whole: tuple[str, ...]
    truths: tuple[str, ...]
    percents: tuple[str, ...] = ()
    rates: tuple[str, ...] = ()
    anchors: tuple[int, ...] = ()
    durations: tuple[int, ...] = ()
    setups: tuple[str, ...] = ()


def price(rng: Rng, desk: Desk, depth: int = 1) -> Any:
    if depth and rng.random() < 0.25:
        op = pick(rng, "+", "-", "*", "/", "%")
        change = ("arith", "-", price(rng, desk, 0), price(rng, desk, 0))
        right = pick(rng, ("num", pick(rng, 0.5, 1.01, 3)), price(rng, desk, 0), change)
        return ("arith", op, price(rng, desk, depth - 1), right)
    return ("ref", pick(rng, *desk.prices), int(pick(rng, 0, 0, 0, 1, 2, 5)))


def tree(rng: Rng, desk: Desk, depth: int) -> Any:
    """Return a random condition."""
    kind = pick(rng, "cmp", "all", "any", "not", "window", "window") if depth else "cmp"
    if desk.setups and rng.random() < 0.15:
        return ("setup", pick(rng, *desk.setups))
    if kind in ("all", "any"):
        return (kind, [tree(rng, desk, depth - 1) for _ in range(int(rng.integers(1, 4)))])
    if kind == "not":
        return ("not", tree(rng, desk, depth - 1))
    if kind == "window":
        name = pick(rng, "holds_for", "occurred_within", "count_true")
        if desk.durations and rng.random() < 0.3:
            return ("duration", name, int(pick(rng, *desk.durations)), 1, tree(rng, desk, depth - 1))
        samples = int(rng.integers(1, 6))
        needed, anchor = int(rng.integers(1, samples + 1)), pick(rng, None, None, *desk.anchors)
        return ("window", name, samples, needed, anchor, tree(rng, desk, depth - 1))
    return comparison(rng, desk)


def comparison(rng: Rng, desk: Desk) -> Any:
    form = pick(rng, "order", "order", "cross", "cross", "between", "near_abs", "near_pct", "whole", "in", "bool")
    if form == "between":
        return ("between", price(rng, desk), price(rng, desk), price(rng, desk))
    if form == "near_abs":
        return (form, price(rng, desk), price(rng, desk), pick(rng, 0.05, 0.2, 1.0))
    if form == "near_pct":
        return (form, price(rng, desk), price(rng, desk), pick(rng, 0.1, 0.5))
    if form == "whole":
        left, right = (("ref", pick(rng, *desk.whole), int(pick(rng, 0, 0, 1, 3))) for _ in range(2))
        return ("cmp", pick(rng, "==", "!="), left, pick(rng, right, ("num", pick(rng, -1, 0, 1, 7))))
    if form == "in":
        return ("in", ("ref", pick(rng, *desk.whole), 0), pick(rng, (1,), (-1, 3), (0, 1, 2, 5, 8)))
    if form == "bool":
        return ("cmp", pick(rng, "==", "!="), ("ref", pick(rng, *desk.truths), 0), ("num", pick(rng, True, False)))
    op = pick(rng, "cross_above", "cross_below") if form == "cross" else pick(rng, ">", "<", ">=", "<=")
    if desk.rates and rng.random() < 0.15:
        return ("cmp", op, ("ref", pick(rng, *desk.rates), int(pick(rng, 0, 1, 2))), ("num", 0))
    if desk.percents and rng.random() < 0.15:
        return ("cmp", op, ("ref", pick(rng, *desk.percents), 0), ("num", pick(rng, 30, 50, 70)))
    return ("cmp", op, price(rng, desk), pick(rng, price(rng, desk), ("num", pick(rng, 99.5, 100, 101))))
