"""The condition language as nodes: comparisons, three-valued logic, windows of samples, arithmetic.

A row of truth holds 1.0 for TRUE, 0.0 for FALSE and NaN for UNKNOWN. Comparisons over a missing value are UNKNOWN, the
connectives follow Kleene, and `met` turns a finished condition into 1.0 or 0.0: at the root UNKNOWN is "not met", so
that a negation of missing data never fires.
"""

from __future__ import annotations

import math

import numpy as np

from evenkeel.features.node import condition

TRUE, FALSE = 1.0, 0.0


@condition("constant", inputs=(), params=("value",), formula="a literal")
def constant(p, s, x, r, start, stop):
    """The same value on every bar."""
    y = x[r[0], start:stop]
    for i in range(len(y)):
        y[i] = p[0]


@condition("lag", inputs=("a",), params=("bars",), lookback=lambda p: int(p["bars"]), formula="a, `bars` bars ago")
def lag(p, s, x, r, start, stop):
    """Missing until so many bars were seen."""
    a, y, k = x[r[0]], x[r[1]], int(p[0])
    for i in range(start, stop):
        y[i] = a[i - k]


@condition(
    "lag_by",
    inputs=("a", "back"),
    params=("bars", "reach"),
    lookback=lambda p: int(p["reach"]),
    formula="a, `bars` bars of another timeframe ago: each `back` columns before the one after it",
)
def lag_by(p, s, x, r, start, stop):
    """Missing where the way back leads before the first column."""
    a, back, y, bars, reach = x[r[0]], x[r[1]], x[r[2]], int(p[0]), int(p[1])
    for i in range(start, stop):
        j, k = i, 0
        while k < bars and j >= i - reach and back[j] == back[j]:
            j -= int(back[j])
            k += 1
        y[i] = a[j] if k == bars and j >= i - reach else math.nan


FIRST, HIGHEST, LOWEST = 0.0, 1.0, 2.0
"""What `forming_bar` takes of the prices of a bar."""


@condition(
    "forming_bar",
    inputs=("price", "bar"),
    params=("take", "offset"),
    state=lambda p: int(p["offset"]) + 2,
    formula="first, highest or lowest price so far of the bar numbered by `bar`, or of the one `offset` bars before it",
)
def forming_bar(p, s, x, r, start, stop):
    """State: number of the bar in progress + 1, then a ring of the last `offset` + 1 bars' values."""
    price, bar, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    take, offset = p[0], int(p[1])
    for i in range(len(y)):
        if bar[i] != bar[i]:
            y[i] = math.nan
            continue
        number = int(bar[i])
        slot = 1 + number % (offset + 1)
        if s[0] != number + 1.0:
            s[0], s[slot] = number + 1.0, price[i]
        elif take == HIGHEST:
            s[slot] = max(s[slot], price[i])
        elif take == LOWEST:
            s[slot] = min(s[slot], price[i])
        y[i] = s[1 + (number - offset) % (offset + 1)] if number >= offset else math.nan


@condition("greater", inputs=("a", "b"), formula="a > b")
def greater(p, s, x, r, start, stop):
    """Ordinary order."""
    a, b, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    for i in range(len(y)):
        y[i] = math.nan if a[i] != a[i] or b[i] != b[i] else (1.0 if a[i] > b[i] else 0.0)


@condition("greater_equal", inputs=("a", "b"), formula="a >= b")
def greater_equal(p, s, x, r, start, stop):
    """Ordinary order."""
    a, b, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    for i in range(len(y)):
        y[i] = math.nan if a[i] != a[i] or b[i] != b[i] else (1.0 if a[i] >= b[i] else 0.0)


@condition("equal", inputs=("a", "b"), formula="a == b, discrete values only")
def equal(p, s, x, r, start, stop):
    """Equality of whole numbers, truths and positions in a list of words."""
    a, b, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    for i in range(len(y)):
        y[i] = math.nan if a[i] != a[i] or b[i] != b[i] else (1.0 if a[i] == b[i] else 0.0)


@condition("between", inputs=("a", "low", "high"), formula="low <= a <= high")
def between(p, s, x, r, start, stop):
    """Both ends belong to the range; with one bound missing the other can still rule the value out."""
    a, low, high, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop], x[r[3], start:stop]
    for i in range(len(y)):
        v = a[i]
        if v < low[i] or v > high[i]:
            y[i] = 0.0
        elif v != v or low[i] != low[i] or high[i] != high[i]:
            y[i] = math.nan
        else:
            y[i] = 1.0


@condition("near_abs", inputs=("a", "b"), params=("tolerance",), formula="|a - b| <= tolerance")
def near_abs(p, s, x, r, start, stop):
    """Distance in units of the operands."""
    a, b, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    for i in range(len(y)):
        y[i] = math.nan if a[i] != a[i] or b[i] != b[i] else (1.0 if abs(a[i] - b[i]) <= p[0] else 0.0)


@condition("near_pct", inputs=("a", "b"), params=("fraction",), formula="|a - b| / |b| <= fraction; b = 0: FALSE")
def near_pct(p, s, x, r, start, stop):
    """Distance relative to the right side."""
    a, b, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    for i in range(len(y)):
        if a[i] != a[i] or b[i] != b[i]:
            y[i] = math.nan
        elif b[i] == 0.0:
            y[i] = 0.0
        else:
            y[i] = 1.0 if abs(a[i] - b[i]) / abs(b[i]) <= p[0] else 0.0


@condition("cross_above", inputs=("a", "b"), lookback=lambda _: 1, formula="a[1] <= b[1] and a > b")
def cross_above(p, s, x, r, start, stop):
    """Equality before counts as not yet above; equality now is no cross."""
    a, b, y = x[r[0]], x[r[1]], x[r[2]]
    for i in range(start, stop):
        if a[i] <= b[i] or a[i - 1] > b[i - 1]:
            y[i] = 0.0
        elif a[i] > b[i] and a[i - 1] <= b[i - 1]:
            y[i] = 1.0
        else:
            y[i] = math.nan


@condition(
    "crossed_above",
    inputs=("a", "b", "back"),
    params=("reach",),
    lookback=lambda p: int(p["reach"]),
    formula="as cross_above, with the sample before `back` columns ago",
)
def crossed_above(p, s, x, r, start, stop):
    """The sample before lies one bar of another timeframe back; without one it is UNKNOWN."""
    a, b, back, y, reach = x[r[0]], x[r[1]], x[r[2]], x[r[3]], p[0]
    for i in range(start, stop):
        known = 1.0 <= back[i] <= reach
        j = i - int(back[i]) if known else i
        if a[i] <= b[i] or (known and a[j] > b[j]):
            y[i] = 0.0
        elif a[i] > b[i] and known and a[j] <= b[j]:
            y[i] = 1.0
        else:
            y[i] = math.nan


@condition("both", inputs=("a", "b"), formula="Kleene AND")
def both(p, s, x, r, start, stop):
    """FALSE if any is FALSE, else UNKNOWN if any is UNKNOWN, else TRUE."""
    a, b, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    for i in range(len(y)):
        y[i] = 0.0 if a[i] == 0.0 or b[i] == 0.0 else a[i] + b[i] - 1.0


@condition("either", inputs=("a", "b"), formula="Kleene OR")
def either(p, s, x, r, start, stop):
    """TRUE if any is TRUE, else UNKNOWN if any is UNKNOWN, else FALSE."""
    a, b, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    for i in range(len(y)):
        y[i] = 1.0 if a[i] == 1.0 or b[i] == 1.0 else a[i] + b[i]


@condition("negation", inputs=("a",), formula="Kleene NOT")
def negation(p, s, x, r, start, stop):
    """Swaps TRUE and FALSE and keeps UNKNOWN."""
    a, y = x[r[0], start:stop], x[r[1], start:stop]
    for i in range(len(y)):
        y[i] = 1.0 - a[i]


@condition("met", inputs=("a",), formula="1 where a is TRUE, else 0")
def met(p, s, x, r, start, stop):
    """The root of a condition: UNKNOWN is not met."""
    a, y = x[r[0], start:stop], x[r[1], start:stop]
    for i in range(len(y)):
        y[i] = 1.0 if a[i] == 1.0 else 0.0


@condition("met_without", inputs=("a", "earlier"), formula="1 where a is TRUE and `earlier` is not, else 0")
def met_without(p, s, x, r, start, stop):
    """A case of a block: it speaks only where no case before it did."""
    a, b, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    for i in range(len(y)):
        y[i] = 1.0 if a[i] == 1.0 and b[i] != 1.0 else 0.0


@condition(
    "count_window",
    inputs=("a",),
    params=("samples", "needed"),
    lookback=lambda p: int(p["samples"] - 1),
    formula="TRUE if at least `needed` of the last `samples` are TRUE, FALSE if that cannot be any more",
)
def count_window(p, s, x, r, start, stop):
    """Samples on consecutive bars, counted back from now; those before the first bar are UNKNOWN.

    `holds_for` needs all samples, `occurred_within` one, `count_true` the number given. A definite answer is given
    wherever the known samples suffice for one, and the walk stops as soon as they do.
    """
    a, y = x[r[0]], x[r[1]]
    samples, needed = int(p[0]), int(p[1])
    for i in range(start, stop):
        true, possible, k = 0, samples, 0
        while k < samples and true < needed and possible >= needed:
            v = a[i - k]
            if v == 1.0:
                true += 1
            elif v == 0.0:
                possible -= 1
            k += 1
        y[i] = 1.0 if true >= needed else (0.0 if possible < needed else math.nan)


@condition(
    "count_samples",
    inputs=("a", "back"),
    params=("samples", "needed", "reach"),
    lookback=lambda p: int(p["reach"]),
    formula="as count_window, each sample `back` columns before the one after it, at most `reach` in all",
)
def count_samples(p, s, x, r, start, stop):
    """Samples one bar of another timeframe apart; those before the first bar are UNKNOWN."""
    a, back, y = x[r[0]], x[r[1]], x[r[2]]
    samples, needed, reach = int(p[0]), int(p[1]), int(p[2])
    for i in range(start, stop):
        true, possible, k, j = 0, samples, 0, i
        while k < samples and true < needed and possible >= needed:
            v = a[j] if j >= i - reach else math.nan
            if v == 1.0:
                true += 1
            elif v == 0.0:
                possible -= 1
            k += 1
            known = j >= i - reach and back[j] == back[j]
            j = j - int(back[j]) if known else i - reach - 1
        y[i] = 1.0 if true >= needed else (0.0 if possible < needed else math.nan)


@condition("add", inputs=("a", "b"), formula="a + b")
def add(p, s, x, r, start, stop):
    """Sum."""
    a, b, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    for i in range(len(y)):
        y[i] = a[i] + b[i]


@condition("subtract", inputs=("a", "b"), formula="a - b")
def subtract(p, s, x, r, start, stop):
    """Difference."""
    a, b, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    for i in range(len(y)):
        y[i] = a[i] - b[i]


@condition("multiply", inputs=("a", "b"), formula="a * b")
def multiply(p, s, x, r, start, stop):
    """Product."""
    a, b, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    for i in range(len(y)):
        y[i] = a[i] * b[i]


@condition("divide", inputs=("a", "b"), formula="a / b; b = 0: missing")
def divide(p, s, x, r, start, stop):
    """Quotient; a division by zero and an overflow are missing values, never infinite ones."""
    a, b, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    for i in range(len(y)):
        q = math.nan if b[i] == 0.0 else a[i] / b[i]
        y[i] = math.nan if math.isinf(q) else q


@condition("modulo", inputs=("a", "b"), formula="a mod b, floored division; b = 0: missing")
def modulo(p, s, x, r, start, stop):
    """Remainder with the sign of the divisor."""
    a, b, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    for i in range(len(y)):
        y[i] = math.nan if b[i] == 0.0 else np.mod(a[i], b[i])


@condition("mean_of_two", inputs=("a", "b"), formula="(a + b) / 2")
def mean_of_two(p, s, x, r, start, stop):
    """The source `hl2`."""
    a, b, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop]
    for i in range(len(y)):
        y[i] = (a[i] + b[i]) / 2.0


@condition("mean_of_three", inputs=("a", "b", "c"), formula="(a + b + c) / 3")
def mean_of_three(p, s, x, r, start, stop):
    """The source `hlc3`, summed left to right."""
    a, b, c, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop], x[r[3], start:stop]
    for i in range(len(y)):
        y[i] = (a[i] + b[i] + c[i]) / 3.0


@condition("mean_of_four", inputs=("a", "b", "c", "d"), formula="(a + b + c + d) / 4")
def mean_of_four(p, s, x, r, start, stop):
    """The source `ohlc4`, summed left to right."""
    a, b, c, d = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop], x[r[3], start:stop]
    y = x[r[4], start:stop]
    for i in range(len(y)):
        y[i] = (a[i] + b[i] + c[i] + d[i]) / 4.0


@condition(
    "level_distance",
    inputs=("price", "level", "buffer"),
    params=("side", "max_fraction", "fallback_fraction"),
    formula="side * (price - level) + buffer where that lies in (0, max * price], else fallback * price",
)
def level_distance(p, s, x, r, start, stop):
    """Distance from the price to a protective level on its far side; missing where neither level nor fallback serve.

    `side` is +1 for a level below the price and -1 for one above it; absent bounds and fallbacks are NaN.
    """
    price, level, buffer, y = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop], x[r[3], start:stop]
    for i in range(len(y)):
        raw = p[0] * (price[i] - level[i])
        distance = raw + buffer[i]
        if raw > 0.0 and distance > 0.0 and not distance > p[1] * price[i]:
            y[i] = distance
        else:
            y[i] = p[2] * price[i]
