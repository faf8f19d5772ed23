"""The sets of parameters of a sweep: ranges and lists as a person writes them, taken whole or by samples.

    fast=5:43:2        5, 7, ... 43: both ends, where a step lands on the last
    mode=long,short    these values
    risk=0.5:3         anything between; needs a number of samples

Values are whole numbers, decimals, truths or words. Numbers are counted in decimals, so 0:1:0.1 has eleven values, and
two ways of writing one number are the same value.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

import numpy as np

from evenkeel.data.synthetic.stream import uniforms
from evenkeel.model.bar import Floats
from evenkeel.model.errors import UsageError
from evenkeel.model.number import plain, to_decimal

Value: TypeAlias = "int | float | bool | str"
Values: TypeAlias = "dict[str, Value]"

AXES_MAX = 20
"""Most parameters of a sweep."""

VALUES_MAX = 10_000
"""Most values of one parameter."""

SETS_MAX = 1_000_000
"""Most sets of one sweep."""

SAMPLE_DIGITS = 6
"""A sample between two bounds is rounded to so many digits of the distance between them."""

_TRIES = 1_000
"""So many rounds of draws are made before a space counts as exhausted."""

_GRAMMAR = "write NAME=A:B:STEP, NAME=A:B (with --random or --lhs) or NAME=a,b,c"


@dataclass(frozen=True, slots=True)
class Axis:
    """What one parameter may be.

    Attributes:
        name: A variable of the play, or a dotted path.
        values: Every value, in order; none where it is anything between two bounds.
        low: Lower bound of such a range.
        high: Upper bound, included.
        whole: Whether a range has whole numbers only.
    """

    name: str
    values: tuple[Value, ...] = ()
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)
    whole: bool = False

    def at(self, share: float) -> Value:
        """Return the value at a share of the axis, 0 to below 1."""
        if self.values:
            return self.values[int(share * len(self.values))]
        if self.whole:
            return int(self.low) + int(share * (int(self.high) - int(self.low) + 1))
        width = self.high - self.low
        unit = Decimal(1).scaleb(width.adjusted() - SAMPLE_DIGITS + 1)
        return float(self.low + (to_decimal(share) * width).quantize(unit))


def read_axis(name: str, text: str) -> Axis:
    """Return what `--set NAME=TEXT` says a parameter may be.

    Raises:
        UsageError: If it says nothing that can be taken.
    """
    option = f"--set {name}={text}"
    if ":" in text:
        return _range(name, text, option)
    words = [word.strip() for word in text.split(",")]
    if "" in words:
        raise UsageError(f"{option} has an empty value; {_GRAMMAR}")
    values = [read_value(word) for word in words]
    for place, value in enumerate(values):
        if value in values[:place]:
            raise UsageError(f"{option} has {words[place]} twice; remove one")
    if len(values) > VALUES_MAX:
        raise UsageError(f"{option[:60]}... has {len(values):,} values; the limit is {VALUES_MAX:,}")
    return Axis(name, tuple(values))


def read_value(text: str) -> Value:
    """Return a written value: a whole number, a decimal, a truth, or else the word itself."""
    if text in ("true", "false"):
        return text == "true"
    number = _number(text)
    if number is None:
        return text
    return int(number) if _is_whole(text) else float(number)


def _range(name: str, text: str, option: str) -> Axis:
    parts = [part.strip() for part in text.split(":")]
    numbers = [_number(part) for part in parts]
    if len(parts) not in (2, 3) or None in numbers:
        raise UsageError(f"{option} is neither a range of numbers nor a list of values; {_GRAMMAR}")
    low, high, *rest = (number for number in numbers if number is not None)
    if low > high:
        turned = ":".join((parts[1], parts[0], *parts[2:]))
        raise UsageError(f"{option} begins above its end; write it as {turned}")
    whole = all(map(_is_whole, parts))
    if not rest:
        if low == high:
            raise UsageError(f"{option} has one value only; write {name}={parts[0]}")
        return Axis(name, low=low, high=high, whole=whole)
    (step,) = rest
    if step <= 0:
        raise UsageError(f"{option} has the step {parts[2]}; a step is above 0")
    count = int((high - low) / step) + 1
    if count > VALUES_MAX:
        raise UsageError(f"{option} has {count:,} values; the limit is {VALUES_MAX:,}: take a longer step")
    steps = (low + step * place for place in range(count))
    return Axis(name, tuple(int(number) if whole else float(number) for number in steps))


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and "_" not in text else None


def _is_whole(text: str) -> bool:
    return text.lstrip("+-").isdigit()


def value_text(value: object) -> str:
    """Return a value as `--set` of a backtest takes it: YAML text, numbers without exponent."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return plain(to_decimal(value)) if isinstance(value, float) else str(value)


Holds: TypeAlias = Callable[[Mapping[str, Value]], bool]
"""Whether a set meets every constraint."""


def grid(axes: Sequence[Axis], holds: Holds) -> list[Values]:
    """Return every combination that meets the constraints; the last parameter changes fastest.

    Raises:
        UsageError: If a range has no step, if there are too many, or if none meets the constraints.
    """
    for axis in axes:
        if not axis.values:
            written = f"{plain(axis.low)}:{plain(axis.high)}"
            raise UsageError(
                f"--set {axis.name}={written} has no step: add one ({written}:STEP), or sample with --random or --lhs"
            )
    count = math.prod(len(axis.values) for axis in axes)
    if count > SETS_MAX:
        raise UsageError(
            f"the grid has {count:,} sets; the limit is {SETS_MAX:,}: take longer steps, or sample with --random or "
            "--lhs"
        )
    names = [axis.name for axis in axes]
    combinations = itertools.product(*(axis.values for axis in axes))
    return _some([found for one in combinations if holds(found := dict(zip(names, one, strict=True)))], count)


def random_sets(axes: Sequence[Axis], holds: Holds, *, count: int, seed: int) -> list[Values]:
    """Return different sets drawn at random, each as likely as any other; fewer where the space has no more.

    Args:
        axes: What each parameter may be.
        holds: Tells which sets are wanted.
        count: How many.
        seed: Chooses the draws; equal on every platform.

    Raises:
        UsageError: If no set meets the constraints.
    """
    found: dict[tuple[Value, ...], Values] = {}
    drawn = 0
    for one in _draws(axes, count, seed):
        drawn += 1
        if holds(one):
            found.setdefault(tuple(one.values()), one)
        if len(found) == count:
            break
    return _some(list(found.values()), drawn)


def _draws(axes: Sequence[Axis], count: int, seed: int) -> Iterator[Values]:
    """Yield sets until a thousand rounds of them have been drawn."""
    names = [axis.name for axis in axes]
    for start in range(_TRIES):
        shares = [uniforms(seed, place + start * len(axes), count) for place in range(len(axes))]
        for row in zip(*shares, strict=True):
            yield dict(zip(names, (axis.at(share) for axis, share in zip(axes, row, strict=True)), strict=True))


def latin_hypercube(axes: Sequence[Axis], holds: Holds, *, count: int, seed: int) -> list[Values]:
    """Return a Latin hypercube: each parameter is cut into `count` parts of equal size, and each part is taken once.

    Sets that miss a constraint fall away, as do repeated ones where values are few. Source: McKay, Beckman, Conover
    (1979). Arguments and errors as of `random_sets`.
    """
    columns = [
        [axis.at(share) for share in (_shuffled(count, seed, 2 * place) + uniforms(seed, 2 * place + 1, count)) / count]
        for place, axis in enumerate(axes)
    ]
    names = [axis.name for axis in axes]
    sets = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    found = {tuple(one.values()): one for one in sets if holds(one)}
    return _some(list(found.values()), count)


def _shuffled(count: int, seed: int, column: int) -> Floats:
    return np.argsort(uniforms(seed, column, count), kind="stable").astype(np.float64)


def _some(sets: list[Values], tried: int) -> list[Values]:
    if not sets:
        raise UsageError(f"none of {tried:,} sets meets --where; loosen it, or widen the ranges")
    return sets
