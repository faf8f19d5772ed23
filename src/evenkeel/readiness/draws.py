"""Pseudo-random whole numbers that are the same on every platform and in every version of every library.

The generator is SplitMix64 addressed by a counter: draw number k of a seed is a pure function of the two, so nothing is
carried along and any part of the sequence can be had alone.

    rows = Draws(seed=7).below(24, start=0, count=1000)
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evenkeel.model.errors import require

_GOLDEN = 0x9E3779B97F4A7C15
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_MASK = 2**64 - 1
_BOUND_MAX = 2**31


def seed_of(text: str) -> int:
    """Return the seed that belongs to a text, for example a run id."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


@dataclass(frozen=True, slots=True)
class Draws:
    """The sequence of one seed, a whole number of 64 bits."""

    seed: int

    def words(self, *, start: int, count: int) -> npt.NDArray[np.uint64]:
        """Return draws `start <= k < start + count` as 64-bit words."""
        first = np.uint64((self.seed + (start + 1) * _GOLDEN) & _MASK)
        word = first + np.arange(count, dtype=np.uint64) * np.uint64(_GOLDEN)
        word = (word ^ (word >> np.uint64(30))) * _MIX_1
        word = (word ^ (word >> np.uint64(27))) * _MIX_2
        return np.asarray(word ^ (word >> np.uint64(31)), dtype=np.uint64)

    def below(self, bound: int, *, start: int, count: int) -> npt.NDArray[np.int64]:
        """Return draws as whole numbers `0 <= x < bound`, each equally likely to within 2**-32 of `bound`.

        Raises:
            UsageError: If `bound` is not between 1 and 2**31.
        """
        require(0 < bound <= _BOUND_MAX, "a bound must lie between 1 and 2**31", was=bound)
        high = self.words(start=start, count=count) >> np.uint64(32)
        return np.asarray((high * np.uint64(bound)) >> np.uint64(32), dtype=np.int64)
