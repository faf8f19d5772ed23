"""The prices over a base bar that matter beside the last one: which liquidates, which sets off stops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evenkeel.model.bar import Bars, Floats, Quoted
from evenkeel.model.errors import UsageError
from evenkeel.venues.simulated.carry import MarkBars


@dataclass(frozen=True, slots=True)
class BarPrices:
    """What the loop reads beside base bars; where nothing else is known, the arrays are those of the bars.

    Attributes:
        mark: What liquidates.
        trigger: What sets off stops.
        tops: The highest of the last, the mark and the trigger price over each base bar.
        bottoms: The lowest of them.
    """

    mark: MarkBars
    trigger: MarkBars
    tops: Floats
    bottoms: Floats

    @classmethod
    def of(
        cls, bars: Bars, mark: MarkBars | None, index: MarkBars | None, source: str, quoted: Quoted | None = None
    ) -> BarPrices:
        """Return the prices of a stretch; a base bar that a series does not know takes its own.

        Of quotes the middle liquidates; the trigger is what traded in them, and nothing where nothing did.

        Args:
            bars: Base bars.
            mark: Mark price over each, None where it is not known.
            index: Index price over each, None where it is not known.
            source: What sets off stops: `LastPrice`, `MarkPrice` or `IndexPrice`.
            quoted: What stands behind the bars where they are quotes.

        Raises:
            UsageError: If the source is not known.
        """
        last = MarkBars(bars.open, bars.high, bars.low) if quoted is None else MarkBars(*[bars.close] * 3)
        marked = last if mark is None else _filled(mark, last)
        trigger = last if quoted is None or quoted.last is None else MarkBars(*quoted.last)
        if source != "LastPrice":
            wanted = mark if source == "MarkPrice" else index
            if wanted is None:
                raise UsageError(_missing(source))
            trigger = _filled(wanted, last)
        others = [one for one in (marked, trigger) if one is not last]
        if not others:
            return cls(last, last, bars.high, bars.low)
        tops = np.fmax.reduce([bars.high, *(one.high for one in others)])
        bottoms = np.fmin.reduce([bars.low, *(one.low for one in others)])
        return cls(marked, trigger, tops, bottoms)


def _filled(series: MarkBars, last: MarkBars) -> MarkBars:
    known = ~(np.isnan(series.open) | np.isnan(series.high) | np.isnan(series.low))
    return MarkBars(
        np.where(known, series.open, last.open), np.where(known, series.high, last.high),
        np.where(known, series.low, last.low),
    )  # fmt: skip


def _missing(source: str) -> str:
    kind = "mark" if source == "MarkPrice" else "index"
    return (
        f"account.trigger_source is {source}, but the data has no {kind} prices over these bars; import them with "
        f"`keel data import --kind {kind}`, or write LastPrice"
    )
