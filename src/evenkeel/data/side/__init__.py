"""What lies beside the bars of an instrument: funding, mark and index prices, open interest, actions, trades, quotes.

shelf = SideShelf(home / "catalog")
shelf.merge(InstrumentId("BTCUSDT.BYBIT"), batch, source="funding.csv", imported_ns=now)
rates = shelf.read(InstrumentId("BTCUSDT.BYBIT"), SideKind.FUNDING).columns["rate"]
"""

from evenkeel.data.side.kind import SideKind
from evenkeel.data.side.series import SideBatch, SideRevision, SideSeries
from evenkeel.data.side.shelf import SideEntry, SideShelf, SideStored, missing_series

__all__ = [
    "SideBatch",
    "SideEntry",
    "SideKind",
    "SideRevision",
    "SideSeries",
    "SideShelf",
    "SideStored",
    "missing_series",
]
