"""Quotes as base bars: a row for each, with the trades between them where they are stored too.

The low of a row is the bid, its high the ask, its open and close the middle; its volume is 1, and 0 where there was
a trade alone. A record of one side leaves the other as it was. Nobody can trade on a crossed book, so such a record
changes nothing and is counted; of several records of one instant only the last stood.

    rows = quote_rows(quotes, trades, calendar)
    rows.bars                   # base bars of a run
    rows.behind(rows.bars)      # what bars of slower timeframes are made of, and what traded in each row
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evenkeel.data.calendar import Calendar
from evenkeel.data.side import SideSeries
from evenkeel.data.ticks import tick_bars
from evenkeel.model.bar import Bars, Floats, Ints, Quoted
from evenkeel.model.time import TICK


@dataclass(frozen=True, slots=True)
class QuoteRows:
    """Quotes, and the trades between them, as base bars that last a nanosecond each.

    Attributes:
        bars: A row for each instant at which there was a quote or a trade, from the first with both sides on.
        trades: What traded, a bar an instant; None where no trades are stored.
        crossed: Records with the bid above the ask, which take no part.
    """

    bars: Bars
    trades: Bars | None
    crossed: int

    @property
    def facts(self) -> dict[str, int]:
        """What it holds, in numbers."""
        return {
            "rows": len(self.bars), "crossed": self.crossed, "trades": 0 if self.trades is None else len(self.trades)
        }  # fmt: skip

    def behind(self, part: Bars) -> Quoted:
        """Return what stands behind some of its rows that follow each other."""
        if self.trades is None:
            middle = part.close
            none = np.zeros(len(part))
            return Quoted(Bars(TICK, part.open_ns, part.close_ns, middle, middle, middle, middle, none), None)
        borders = part.open_ns[[0, -1]] if len(part) else np.zeros(2, dtype=np.int64)
        traded = self.trades
        first, stop = np.searchsorted(traded.open_ns, borders[0]), np.searchsorted(traded.open_ns, borders[1], "right")
        traded = traded.rows(int(first), int(stop))
        places = np.searchsorted(part.open_ns, traded.open_ns)
        last = []
        for prices in (traded.open, traded.high, traded.low):
            column = np.full(len(part), np.nan)
            column[places] = prices
            last.append(column)
        return Quoted(traded, (last[0], last[1], last[2]))


def quote_rows(quotes: SideSeries, trades: SideSeries | None, calendar: Calendar) -> QuoteRows:
    """Return quotes inside sessions as base bars, with the trades where there are any.

    Args:
        quotes: In the order in which they came.
        trades: In the order in which they happened; None where none are stored.
        calendar: The instrument's.
    """
    inside = calendar.session_of(quotes.stamps_ns) >= 0
    stamps = quotes.stamps_ns[inside]
    bid, ask = (_held(quotes.columns[name][inside]) for name in ("bid", "ask"))
    final = np.append(np.diff(stamps) != 0, True)[: len(stamps)]
    crossed = int(np.count_nonzero(final & (bid > ask)))
    stands = np.flatnonzero(final & (bid <= ask))
    stamps, bid, ask = stamps[stands], bid[stands], ask[stands]
    traded = None if trades is None or not len(stamps) else tick_bars(trades, calendar)
    if traded is not None:
        traded = traded.rows(int(np.searchsorted(traded.open_ns, stamps[0])), len(traded))
    if traded is None or not len(traded):
        return QuoteRows(_rows(stamps, bid, ask, np.ones(len(stamps))), None, crossed)
    instants = np.union1d(stamps, traded.open_ns)
    known = np.searchsorted(stamps, instants, side="right") - 1
    fresh = (stamps[known] == instants).astype(np.float64)
    return QuoteRows(_rows(instants, bid[known], ask[known], fresh), traded, crossed)


def _rows(stamps: Ints, bid: Floats, ask: Floats, fresh: Floats) -> Bars:
    middle = (bid + ask) / 2
    return Bars(TICK, stamps, stamps + 1, middle, ask, bid, middle, fresh)


def _held(values: Floats) -> Floats:
    """Return values with each missing one replaced by the last before it; NaN before the first."""
    known = np.where(np.isnan(values), -1, np.arange(len(values)))
    known = np.maximum.accumulate(known) if len(known) else known
    return np.where(known >= 0, values[np.maximum(known, 0)], np.nan) if len(known) else values
