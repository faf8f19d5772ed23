"""What became of a limit entry that the rules asked for: it filled, or died at some base bar (plays.md 6.2)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from evenkeel.readiness.audit.bars import BaseBars
from evenkeel.readiness.audit.moment import MINUTE_NS, TIMEFRAME_MINUTES
from evenkeel.readiness.audit.number import ceilings, exact, floors
from evenkeel.readiness.audit.rules import reaches
from evenkeel.readiness.audit.terms import Terms

DAY_MINUTES = 1440
TAKING_ONLY = ("IOC", "FOK")


@dataclass(frozen=True, slots=True)
class Fate:
    """How an order ended.

    Attributes:
        filled: Whether it certainly filled.
        row: The base bar that ended it; one of the next stretch where it rested to the end of its own.
    """

    filled: bool
    row: int


class Limits:
    """Limit entries against the bars.

    Args:
        terms: Time in force, offset and expiry.
        bars: The base bars, with the execution bars for orders that expire.
    """

    def __init__(self, terms: Terms, bars: BaseBars) -> None:
        self._terms = terms
        self._bars = bars
        self._low, self._high = (bars.column(name) for name in ("low", "high"))
        self._volume = bars.column("volume")

    def fate(self, row: int, side: int, end: int) -> Fate:
        """Return what became of an order decided at the close of a base bar.

        Args:
            row: That bar.
            side: +1 for a buy.
            end: The row behind the last of the stretch.
        """
        fates = [self._fate(row, side, end, limit) for limit in self._prices(row, side)]
        return min(fates, key=lambda one: (one.filled, one.row))

    def _prices(self, row: int, side: int) -> set[Decimal]:
        raw = self._bars.bar(row).close * (1 - side * self._terms.limit_offset)
        return floors(raw, self._terms.tick) if side > 0 else ceilings(raw, self._terms.tick)

    def _fate(self, row: int, side: int, end: int, limit: Decimal) -> Fate:
        first, kind = row + 1 + self._terms.delay, self._terms.time_in_force
        if first >= end:
            return Fate(filled=False, row=end)
        if self._terms.impact.mode != "disabled":  # a bar without volume fills nothing
            if kind in TAKING_ONLY and not self._volume[first] > 0:
                return Fate(filled=False, row=first)
            traded = np.flatnonzero(self._volume[first:end] > 0)
            first = first + int(traded[0]) if len(traded) else end
        last = min(end, self._expiry(row, end))
        if first >= last:
            return Fate(filled=False, row=last if last == end else last - 1)
        taking = side * (limit - self._terms.quoted(self._bars.bar(first).open, side)) >= 0
        if taking:
            return Fate(filled=kind != "PostOnly", row=first)
        if kind in TAKING_ONLY:
            return Fate(filled=False, row=first)
        touched = self._touched(first, last, side, limit)
        if touched is None:
            return Fate(filled=False, row=last if last == end else last - 1)
        return Fate(filled=True, row=touched)

    def _touched(self, first: int, last: int, side: int, limit: Decimal) -> int | None:
        """Return the first row in which a resting order fills."""
        level = float(limit)
        near = self._low[first:last] <= level if side > 0 else self._high[first:last] >= level
        if self._terms.impact.mode != "disabled":
            near &= self._volume[first:last] > 0
        extremes = self._low if side > 0 else self._high
        for place in np.flatnonzero(near).tolist():
            if reaches(self._terms, side, limit, exact(float(extremes[first + place]))):
                return first + int(place)
        return None

    def _expiry(self, row: int, end: int) -> int:
        """Return the row behind the last in which the order lives."""
        terms, bars = self._terms, self._bars
        if not terms.expire_after_bars:
            return end
        if bars.execution is not None:
            place = int(np.searchsorted(bars.lasts, row)) + terms.expire_after_bars
            return int(bars.lasts[place]) + 1 if place < len(bars.lasts) else end
        minutes = TIMEFRAME_MINUTES.get(terms.execution_timeframe, DAY_MINUTES)
        dies = bars.bar(row).close_ns + terms.expire_after_bars * minutes * MINUTE_NS
        return int(np.searchsorted(bars.opens, dies))
