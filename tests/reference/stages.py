"""What several definitions of `plays.md` 3 are built from, over whole lists."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction

NAN = math.nan
Series = Sequence[float]
Outputs = dict[str, list[float]]
FLAT = 1e-12


def mean(values: Series) -> float:
    return math.fsum(values) / len(values)


def flat(low: float, high: float) -> bool:
    return high - low <= FLAT * max(abs(low), abs(high))


def average(values: Series, n: int, alpha: float) -> list[float]:
    """EMA and RMA: seeded at the n-th input with the mean of the first n."""
    result = [NAN] * len(values)
    for i in range(n - 1, len(values)):
        result[i] = mean(values[:n]) if i == n - 1 else result[i - 1] + alpha * (values[i] - result[i - 1])
    return result


def average_from_first(values: Series, alpha: float) -> list[float]:
    """EMA1 and RMA1: seeded with the first input."""
    result: list[float] = []
    for value in values:
        result.append(result[-1] + alpha * (value - result[-1]) if result else value)
    return result


def then(values: Series, stage: Callable[[Series], list[float]]) -> list[float]:
    """Apply a stage to what follows the leading missing values: it counts from the first value."""
    start = next((i for i, v in enumerate(values) if not math.isnan(v)), len(values))
    return [NAN] * start + stage(values[start:])


def simple(values: Series, n: int) -> list[float]:
    return [mean(values[i - n + 1 : i + 1]) if i >= n - 1 else NAN for i in range(len(values))]


def true_ranges(high: Series, low: Series, close: Series) -> list[float]:
    result = []
    for i in range(len(close)):
        if i == 0:
            result.append(high[0] - low[0])
        else:
            result.append(max(high[i] - low[i], abs(high[i] - close[i - 1]), abs(low[i] - close[i - 1])))
    return result


def exact_mean(values: Series) -> Fraction:
    """The mean without rounding: at prices of 1e12 a rounded one would be the largest error of all."""
    return sum(map(Fraction, values), Fraction()) / len(values)


def windows(values: Series, n: int) -> list[list[float] | None]:
    """The last n values at each place, or None before the n-th."""
    return [list(values[i - n + 1 : i + 1]) if i >= n - 1 else None for i in range(len(values))]


def over(values: Series, n: int, what: Callable[[list[float]], float]) -> list[float]:
    """Apply a function to each full window."""
    return [NAN if window is None else what(window) for window in windows(values, n)]


def changes(values: Series) -> list[float]:
    """From bar to bar; one fewer than values."""
    return [b - a for a, b in itertools.pairwise(values)]


def behind(stage: list[float], bars: int, count: int) -> list[float]:
    """Put what begins some bars later in its place."""
    return ([NAN] * bars + stage)[:count]


def typical(high: Series, low: Series, close: Series) -> list[float]:
    return [(h + l + c) / 3 for h, l, c in zip(high, low, close, strict=True)]


def window_flat(window: Series) -> bool:
    return flat(min(window), max(window))


def direction(before: float, value: float) -> int:
    """The sign of a change; a mean of prices that differs by its rounding only has not changed."""
    if flat(min(before, value), max(before, value)):
        return 0
    return 1 if value > before else -1


def ema_of(values: Series, n: int) -> list[float]:
    return average(values, n, 2 / (n + 1))


def ema_from_first(values: Series, n: int) -> list[float]:
    return average_from_first(values, 2 / (n + 1))
