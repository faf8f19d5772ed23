"""Numbers that look drawn and are the same on every platform: counters through SplitMix64.

Every word is a function of (key, column, row) alone, so a longer series begins like a shorter one, and a column does
not change when another one is drawn. From words to numbers there are integer operations and exact divisions only.
"""

from __future__ import annotations

import hashlib
from enum import IntEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from evenkeel.model.bar import Floats

Words: TypeAlias = npt.NDArray[np.uint64]

SUMMANDS = 12
"""Uniform numbers in one normal number; the variance of one is 1/12, so that of the sum is 1."""

BELL_WORDS = 3
"""Words in one number of `bells`: four sixteen-bit summands each."""

DRAWS_MAX = 8_192
"""Numbers that one `Draws` can give."""

_WORD = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_COLUMN_BITS = 40
_LANES = np.uint64(0x0000FFFF0000FFFF)
_LANE = np.uint64(0xFFFFFFFF)
_BELL_MEAN = SUMMANDS * 65_535 // 2
_BELL_UNIT = 65_536.0
_BLOCK = 1 << 15
"""Rows that are drawn at a time: they stay in the cache of the processor."""


class Bell(IntEnum):
    """Bell columns of a market: what each is drawn for."""

    BODY = 0
    OPEN = 1
    UP = 2
    DOWN = 3
    VOLUME = 4
    FUNDING = 5
    INTEREST = 6
    QUARTER = 7


class Column(IntEnum):
    """Columns of words of a market, behind those of the bells."""

    SHAPE = 64
    SHOCK = 65
    SHOCK_PLACE = 66
    HALT = 67
    MISSING = 68


def key_of(name: str, seed: int) -> int:
    """Return the key of the stream that a name and a seed choose; two names never share numbers."""
    return int.from_bytes(hashlib.sha256(f"{name}:{seed}".encode()).digest()[:8], "little")


def words(key: int, column: int, count: int, *, first: int = 0) -> Words:
    """Return 64-bit words.

    Args:
        key: Chooses the stream.
        column: Which of its columns.
        count: How many.
        first: Row of the first.
    """
    start = (key + (column << _COLUMN_BITS) + first) & _WORD
    return split_mix(np.arange(1, count + 1, dtype=np.uint64) + np.uint64(start))


def bells(key: int, column: int, count: int) -> Floats:
    """Return numbers with mean 0 and variance 1 in the shape of a bell, none beyond six, multiples of 2**-16.

    They are sums of twelve sixteen-bit integers, which take the place of normal numbers: these would need a logarithm
    and a cosine, and no two libraries agree on the last bit of one.

    Args:
        key: Chooses the stream.
        column: Which of its bell columns; it takes `BELL_WORDS` columns of words.
        count: How many.
    """
    out = np.empty(count)
    for first in range(0, count, _BLOCK):
        rows = min(_BLOCK, count - first)
        pairs = np.zeros(rows, dtype=np.uint64)
        for word in range(BELL_WORDS):
            drawn = words(key, column * BELL_WORDS + word, rows, first=first)
            pairs += (drawn & _LANES) + ((drawn >> np.uint64(16)) & _LANES)
        total = ((pairs & _LANE) + (pairs >> np.uint64(32))).astype(np.int64)
        out[first : first + rows] = (total - _BELL_MEAN) / _BELL_UNIT
    return out


def shares(key: int, column: int, count: int) -> Floats:
    """Return numbers in 0 <= u < 1, multiples of 2**-53, evenly spread; arguments as in `words`."""
    return (words(key, column, count) >> np.uint64(11)).astype(np.float64) * 2.0**-53


class Draws:
    """Numbers one after the other, for the few decisions of a shape.

    Args:
        key: Chooses the stream.
        column: Which of its columns.
    """

    def __init__(self, key: int, column: int) -> None:
        self._words = iter(words(key, column, DRAWS_MAX).tolist())

    def uniform(self) -> float:
        """Return the next number in 0 <= u < 1, a multiple of 2**-53."""
        return float(next(self._words) >> 11) * 2.0**-53

    def normal(self) -> float:
        """Return the next number with mean 0 and variance 1 in the shape of a bell."""
        total = 0
        for _ in range(SUMMANDS // 4):
            word = next(self._words)
            total += (word & 0xFFFF) + (word >> 16 & 0xFFFF) + (word >> 32 & 0xFFFF) + (word >> 48)
        return (total - _BELL_MEAN) / _BELL_UNIT


def normals(seed: int, column: int, count: int) -> Floats:
    """Return numbers with mean 0 and variance 1 in the shape of a bell, none beyond six.

    Args:
        seed: Chooses the stream.
        column: Which of its columns; each is drawn independently of the others.
        count: How many.
    """
    total = np.zeros(count)
    for summand in range(SUMMANDS):
        total += uniforms(seed, column * SUMMANDS + summand, count)
    return total - SUMMANDS / 2


def uniforms(seed: int, column: int, count: int) -> Floats:
    """Return numbers in 0 <= u < 1, multiples of 2**-53; arguments as in `normals`."""
    return shares(seed * _GOLDEN, column, count)


def split_mix(counters: Words) -> Words:
    """Return the SplitMix64 output for each counter: `counter * golden ratio`, mixed."""
    z = counters * np.uint64(_GOLDEN)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
