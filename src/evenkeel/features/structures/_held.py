"""Outputs that hold between events, and the hash that names an anchor: what the structure detectors share.

A detector keeps its outputs in the first places of its state, in row order. Between two events nothing of them changes,
so whole stretches of columns are written at once.
"""

from __future__ import annotations

import numpy as np

from evenkeel.kernel import inlined

FNV_OFFSET = np.uint64(14695981039346656037)
FNV_PRIME = np.uint64(1099511628211)
BYTE = np.uint64(0xFF)
BITS_OF_BYTE = np.uint64(8)
LOW_48_BITS = np.uint64((1 << 48) - 1)
LOW_32_BITS = np.uint64((1 << 32) - 1)


@inlined
def hold(s, x, rows, start, stop):
    """Write the held outputs `s[0]`, `s[1]`, ... into their rows over the columns `start <= i < stop`."""
    # Unsigned places need no test for counting from the end, and so the stretch is filled by vector instructions.
    first, last = np.uint64(start), np.uint64(stop)
    for k in range(len(rows)):
        value, row = s[k], np.uint64(rows[k])
        for i in range(first, last):
            x[row, i] = value


@inlined
def hashed(digest, word):
    """Return the FNV-1a digest after the eight bytes of a word, lowest first."""
    for _ in range(8):
        digest = (digest ^ (word & BYTE)) * FNV_PRIME
        word = word >> BITS_OF_BYTE
    return digest


@inlined
def bits_of(value):
    """Return the 64 bits of a float64."""
    return np.float64(value).view(np.uint64)


@inlined
def word_of(number):
    """Return a whole number as the 64 bits of an int64."""
    return np.int64(number).view(np.uint64)


@inlined
def anchor_digest(high, high_idx, low, low_idx, direction):
    """Return the FNV-1a digest of a pair of pivots and its direction, +1 or -1."""
    digest = hashed(FNV_OFFSET, bits_of(high))
    digest = hashed(digest, word_of(high_idx))
    digest = hashed(digest, bits_of(low))
    digest = hashed(digest, word_of(low_idx))
    return hashed(digest, word_of(direction))


@inlined
def anchor_hash(high, high_idx, low, low_idx, direction):
    """Return the 48-bit hash of a pair of pivots and its direction, +1 or -1."""
    return np.float64(anchor_digest(high, high_idx, low, low_idx, direction) & LOW_48_BITS)
