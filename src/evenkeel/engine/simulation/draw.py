"""Where the simulation takes its choices from: generators that are passed in, so that a seed tells the same story."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

_Option = TypeVar("_Option")


class Draw(Protocol):
    """What the simulation needs of a generator; `random.Random` has it."""

    def random(self) -> float:
        """Return a number from 0 to below 1."""

    def randint(self, a: int, b: int) -> int:
        """Return a whole number from `a` to `b`, both included."""

    def gauss(self, mu: float, sigma: float) -> float:
        """Return a normal number."""

    def choice(self, seq: Sequence[_Option]) -> _Option:
        """Return one of some options."""


class Draws(Protocol):
    """Generators by name, one stream each: what one of them is asked moves no other."""

    def __call__(self, name: str) -> Draw:
        """Return the generator of that name, at its beginning."""
