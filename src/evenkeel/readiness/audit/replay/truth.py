"""Three-valued truth over a column of instants, and what can still be said where a figure is not known to the last bit.

Each instant has a set of answers that are possible: true, false, unknown. Exactly one of them is, unless a comparison
lies so near its border that float64 may see it either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from evenkeel.readiness.audit.replay.stages import Bools, Floats, Ints


class Truth(NamedTuple):
    """What may be said at each instant."""

    true: Bools
    false: Bools
    unknown: Bools

    @property
    def not_true(self) -> Bools:
        """Where it need not be true."""
        return self.false | self.unknown

    def __invert__(self) -> Truth:
        return Truth(self.false, self.true, self.unknown)


def both(children: Sequence[Truth]) -> Truth:
    """Kleene AND."""
    true, false, unknown = children[0]
    for child in children[1:]:
        unknown = (unknown & (child.true | child.unknown)) | (child.unknown & true)
        true, false = true & child.true, false | child.false
    return Truth(true, false, unknown)


def either(children: Sequence[Truth]) -> Truth:
    """Kleene OR."""
    return ~both([~child for child in children])


def compared(op: str, left: Floats, right: Floats, slack: Floats | float) -> Truth:
    """Compare numbers that are known to within `slack` of each other."""
    if op in ("<", "<="):
        return compared(">" if op == "<" else ">=", right, left, slack)
    if isinstance(slack, float) and slack == 0:
        return _exactly(op, left, right)
    apart = left - right
    unknown = np.isnan(apart)
    if op == ">":
        return Truth(apart > -slack, apart <= slack, unknown)
    if op == ">=":
        return Truth(apart >= -slack, apart < slack, unknown)
    equal = apart == 0
    found = Truth(equal, ~equal & ~unknown, unknown)
    return found if op == "==" else ~found


def _exactly(op: str, left: Floats, right: Floats) -> Truth:
    if op in _OPPOSITES:
        compare, opposite = _OPPOSITES[op]
        true, false = compare(left, right), opposite(left, right)
        return Truth(true, false, ~(true | false))
    unknown = np.isnan(left) | np.isnan(right)
    equal = left == right
    found = Truth(equal, ~(equal | unknown), unknown)
    return found if op == "==" else ~found


_OPPOSITES = {">": (np.greater, np.less_equal), ">=": (np.greater_equal, np.less)}


def at_most(value: Floats, limit: float, slack: Floats | float) -> Truth:
    """Compare a distance with the largest allowed."""
    return Truth(value <= limit + slack, value > limit - slack, np.isnan(value))


def constant(count: int, *, value: bool) -> Truth:
    """Return the same answer at every instant."""
    yes, no = np.ones(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
    return Truth(yes, no, no) if value else Truth(no, yes, no)


def gathered(truth: Truth, rows: Ints) -> Truth:
    """Return the answers at other instants; before the first everything is unknown."""
    there = rows >= 0
    place = np.maximum(rows, 0)
    return Truth(truth.true[place] & there, truth.false[place] & there, truth.unknown[place] | ~there)


def counted(truth: Truth, before: Ints, samples: int, needed: int) -> Truth:
    """Return whether so many of the last samples are true.

    Args:
        truth: Of one sample.
        before: The instant of the sample before each one; -1 before the first.
        samples: How many are looked at, the present one included.
        needed: How many of them must be true.
    """
    true, false = _totals(truth.true, before, samples), _totals(truth.false, before, samples)
    sure = ~(truth.true & truth.not_true) & ~(truth.false & truth.unknown)
    if sure.all():
        surely_true, surely_false = true, false
    else:
        surely_true = _totals(truth.true & ~truth.not_true, before, samples)
        surely_false = _totals(truth.false & ~truth.true & ~truth.unknown, before, samples)
    return Truth(true >= needed, samples - false < needed, (surely_true < needed) & (samples - surely_false >= needed))


def _totals(flags: Bools, before: Ints, samples: int) -> Ints:
    """Return the sum of flags over samples, each found from the one after it.

    Sums of twice as many samples are made of two sums, so that the work grows with the logarithm of their number.
    """
    count = len(flags)
    part = np.append(flags.astype(np.int64), 0)
    back = np.append(np.where(before < 0, count, before), count)
    total, place = np.zeros(count, dtype=np.int64), np.arange(count)
    while True:
        if samples & 1:
            total, place = total + part[place], back[place]
        samples >>= 1
        if not samples:
            return total
        part, back = part + part[back], back[back]
