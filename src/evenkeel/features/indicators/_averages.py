"""Exponential averages of one source side by side.

An average is a chain in which each step waits for the one before it, so one alone leaves most of a core idle: four of
them take as long as one, eight hardly longer. Each lane does what `ema` does, in the same order, so the bits are equal.

`p` holds the lengths, `s` mean and bars seen of each lane, `r` the row of the source, then a row a lane.
"""

from __future__ import annotations

import math

import numpy as np

from evenkeel.features.indicators._recurrence import seeded_average
from evenkeel.kernel import inlined


@inlined
def next_averages(p, s, x, r, i):
    """Pass one bar in any state: before the averages have warmed up, or where the source is missing."""
    v = x[r[0], i]
    for lane in range(len(p)):
        if math.isnan(v):
            s[2 * lane], s[2 * lane + 1], x[r[1 + lane], i] = 0.0, 0.0, math.nan
            continue
        seen = s[2 * lane + 1] + 1.0
        mean = seeded_average(s[2 * lane], seen, p[lane], factor(p, lane), v)
        s[2 * lane], s[2 * lane + 1] = mean, seen
        x[r[1 + lane], i] = mean if seen >= p[lane] else math.nan


@inlined
def factor(p, lane):
    """Return the weight of a new value."""
    return 2.0 / (p[lane] + 1.0)


@inlined
def four_averages(p, s, x, r, start, stop):
    """Pass bars with up to four averages that have warmed up; return the first bar not passed.

    A lane that there is not does what the first one does once more.
    """
    b = 1 if len(p) > 1 else 0
    c, d = 2 if len(p) > 2 else 0, 3 if len(p) > 3 else 0
    source = x[r[0], start:stop]
    y0, y1 = x[r[1], start:stop], x[r[1 + b], start:stop]
    y2, y3 = x[r[1 + c], start:stop], x[r[1 + d], start:stop]
    f0, f1, f2, f3 = factor(p, 0), factor(p, b), factor(p, c), factor(p, d)
    m0, m1, m2, m3 = s[0], s[2 * b], s[2 * c], s[2 * d]
    i, count = np.uint64(0), np.uint64(len(source))
    while i < count:
        v = source[i]
        if v != v:
            break
        m0 += f0 * (v - m0)
        m1 += f1 * (v - m1)
        m2 += f2 * (v - m2)
        m3 += f3 * (v - m3)
        y0[i], y1[i], y2[i], y3[i] = m0, m1, m2, m3
        i += np.uint64(1)
    s[0], s[2 * b], s[2 * c], s[2 * d] = m0, m1, m2, m3
    return start + count_passed(p, s, i)


@inlined
def wide_averages(p, s, x, r, start, stop):
    """Pass bars with five to eight averages that have warmed up; return the first bar not passed."""
    b, c, d = 5 if len(p) > 5 else 0, 6 if len(p) > 6 else 0, 7 if len(p) > 7 else 0
    source = x[r[0], start:stop]
    y0, y1, y2, y3 = x[r[1], start:stop], x[r[2], start:stop], x[r[3], start:stop], x[r[4], start:stop]
    y4, y5 = x[r[5], start:stop], x[r[1 + b], start:stop]
    y6, y7 = x[r[1 + c], start:stop], x[r[1 + d], start:stop]
    f0, f1, f2, f3 = factor(p, 0), factor(p, 1), factor(p, 2), factor(p, 3)
    f4, f5, f6, f7 = factor(p, 4), factor(p, b), factor(p, c), factor(p, d)
    m0, m1, m2, m3 = s[0], s[2], s[4], s[6]
    m4, m5, m6, m7 = s[8], s[2 * b], s[2 * c], s[2 * d]
    i, count = np.uint64(0), np.uint64(len(source))
    while i < count:
        v = source[i]
        if v != v:
            break
        m0 += f0 * (v - m0)
        m1 += f1 * (v - m1)
        m2 += f2 * (v - m2)
        m3 += f3 * (v - m3)
        m4 += f4 * (v - m4)
        m5 += f5 * (v - m5)
        m6 += f6 * (v - m6)
        m7 += f7 * (v - m7)
        y0[i], y1[i], y2[i], y3[i] = m0, m1, m2, m3
        y4[i], y5[i], y6[i], y7[i] = m4, m5, m6, m7
        i += np.uint64(1)
    s[0], s[2], s[4], s[6] = m0, m1, m2, m3
    s[8], s[2 * b], s[2 * c], s[2 * d] = m4, m5, m6, m7
    return start + count_passed(p, s, i)


@inlined
def count_passed(p, s, passed):
    """Count bars as seen in every lane; return how many."""
    for lane in range(len(p)):
        s[2 * lane + 1] += float(passed)
    return np.int64(passed)
