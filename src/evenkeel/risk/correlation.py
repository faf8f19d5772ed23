"""How alike two markets have moved of late: the correlation of their hourly returns over thirty days.

Prices are sampled at full hours UTC at which both markets have closed a bar within the hour, and a return is the change
between one such hour and the next. So an exchange that is closed at night is compared from its last hour to its first,
and the other market over the same time. Where a market has bars coarser than an hour, its bar takes the place of the
hour. Nothing later than the instant is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evenkeel.model.bar import Bars, Floats, Ints
from evenkeel.model.time import DAY, HOUR, MINUTE

WINDOW_NS = 30 * DAY
RETURNS_MIN = 15
"""Under so many common returns nothing is known."""


@dataclass(frozen=True)
class Closes:
    """The closes of one market.

    Attributes:
        times_ns: When each bar closed, rising.
        prices: At which price.
        step_ns: Nominal length of a bar.
    """

    times_ns: Ints
    prices: Floats
    step_ns: int

    @classmethod
    def of(cls, *parts: Bars) -> Closes:
        """Return the closes of bars that follow each other."""
        return cls(
            np.concatenate([part.close_ns for part in parts]),
            np.concatenate([part.close for part in parts]),
            parts[0].timeframe.minutes * MINUTE,
        )

    def at(self, instant_ns: int) -> float | None:
        """Return the last close known at an instant."""
        row = int(np.searchsorted(self.times_ns, instant_ns, side="right")) - 1
        return float(self.prices[row]) if row >= 0 else None


def correlation(one: Closes, other: Closes, at_ns: int) -> float | None:
    """Return the correlation of the returns of two markets over the thirty days before an instant.

    Returns:
        From -1 to 1; None where there are too few common returns, or one of the markets has not moved.
    """
    step = max(HOUR, one.step_ns, other.step_ns)
    last = at_ns - at_ns % step
    instants = np.arange(last - WINDOW_NS // step * step, last + 1, step, dtype=np.int64)
    rows = [np.searchsorted(market.times_ns, instants, side="right") - 1 for market in (one, other)]
    fresh = np.logical_and(*(np.diff(found, prepend=found[0]) > 0 for found in rows))
    if np.count_nonzero(fresh) <= RETURNS_MIN:
        return None
    samples = [market.prices[found[fresh]] for market, found in zip((one, other), rows, strict=True)]
    x, y = (prices[1:] / prices[:-1] - 1.0 for prices in samples)
    x, y = x - x.mean(), y - y.mean()
    spread = float((x * x).sum()) * float((y * y).sum())
    return None if spread <= 0.0 else float((x * y).sum()) / float(np.sqrt(spread))
