"""Trades as the rows that matching runs over where a catalog has them, with the quote in force at each.

rows = match_rows(catalogs, market, market.stretches[0])
rows.last_row(closes)       # of each execution bar, as the loop takes it
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evenkeel.data.catalog import Catalog
from evenkeel.data.side import SideKind, SideSeries
from evenkeel.engine.market import Market, Stretch
from evenkeel.model.bar import Floats, Ints


@dataclass(frozen=True, slots=True)
class MatchRows:
    """Trades of a stretch, in the order in which they happened.

    Attributes:
        open_ns: When each happened; several may share an instant.
        price: At what price.
        size: How much; 0 where a print moved nothing.
        bid: Best bid in force before it; NaN where none is known.
        ask: Best ask in force before it; NaN where none is known.
        pins: The revision of each series that the rows come from, by kind.
    """

    open_ns: Ints
    price: Floats
    size: Floats
    bid: Floats
    ask: Floats
    pins: dict[str, str]

    def __len__(self) -> int:
        return len(self.open_ns)

    def last_row(self, closes_ns: Ints) -> Ints:
        """Return the last row before each close of a bar; -1 where there is none yet.

        A trade at the instant of a close belongs to the bar that opens then.
        """
        return np.searchsorted(self.open_ns, closes_ns) - 1


def match_rows(catalogs: Sequence[Catalog], market: Market, stretch: Stretch) -> MatchRows | None:
    """Return the trades of a stretch with the quotes in force; None where no catalog has trades in it.

    Trades outside the sessions of the calendar take no part, as bars there do not. A quote counts for trades behind its
    stamp, not for those at it: which of them came first is not known.

    Args:
        catalogs: Looked through in order; of each kind the first that has it is taken.
        market: Of the run.
        stretch: One of its stretches.

    Raises:
        StorageError: If a file is missing or damaged.
    """
    base = stretch.series.base
    span = int(base.open_ns[0]), int(base.close_ns[-1])
    trades = _stored(catalogs, market, SideKind.TRADES, span)
    if trades is None or not len(trades):
        return None
    inside = market.calendar.session_of(trades.stamps_ns) >= 0
    stamps, price, size = trades.stamps_ns, trades.columns["price"], trades.columns["size"]
    if not inside.all():
        stamps, price, size = stamps[inside], price[inside], size[inside]
    quotes = _stored(catalogs, market, SideKind.QUOTES, span)
    pins = {series.kind.value: series.revision.id for series in (trades, quotes) if series is not None}
    bid, ask = (_in_force(quotes, name, stamps) for name in ("bid", "ask"))
    return MatchRows(stamps, price, size, bid, ask, pins)


def _stored(catalogs: Sequence[Catalog], market: Market, kind: SideKind, span: tuple[int, int]) -> SideSeries | None:
    found = (catalog.side(market.instrument.id, kind, start_ns=span[0], stop_ns=span[1]) for catalog in catalogs)
    return next((series for series in found if series is not None), None)


def _in_force(quotes: SideSeries | None, name: str, stamps: Ints) -> Floats:
    """Return one side of the last quote before each instant that has this side."""
    if quotes is None:
        return np.full(len(stamps), np.nan)
    known = ~np.isnan(quotes.columns[name])
    values, since = quotes.columns[name][known], quotes.stamps_ns[known]
    place = np.searchsorted(since, stamps) - 1
    return np.where(place >= 0, values[np.maximum(place, 0)], np.nan) if len(values) else np.full(len(stamps), np.nan)
