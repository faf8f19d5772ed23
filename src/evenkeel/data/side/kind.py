"""The kinds of data beside bars, and the columns of each."""

from __future__ import annotations

from enum import StrEnum

PRICE_BAR = ("open", "high", "low", "close")
PRICE_POINT = ("price",)


class SideKind(StrEnum):
    """What is known of an instrument beside its bars.

    Funding is a rate at each settlement, a fraction of the notional that a long pays. Mark and index prices are bars of
    a timeframe, stamped with their open, or points. Open interest counts units. Actions stand at the open of the
    ex-date: `split` new shares for an old one, `dividend` cash for a share at raw prices; NaN where there is none. The
    `side` of a trade is 1 where the buyer took, -1 where the seller did, NaN where that is not known. Borrow is the
    annual rate of a short position as a fraction.
    """

    FUNDING = "funding"
    MARK = "mark"
    INDEX = "index"
    OPEN_INTEREST = "open_interest"
    ACTIONS = "actions"
    BORROW = "borrow"
    TRADES = "trades"
    QUOTES = "quotes"

    @property
    def is_event(self) -> bool:
        """Whether several rows may share an instant, their order being that of the file."""
        return self in (SideKind.TRADES, SideKind.QUOTES)

    @property
    def is_price(self) -> bool:
        """Whether it is a price, as bars of a timeframe or as points."""
        return self in (SideKind.MARK, SideKind.INDEX)

    def columns(self, *, as_bars: bool = False) -> tuple[str, ...]:
        """Return the names of the columns, in the order in which they are stored.

        Args:
            as_bars: For a price, whether it comes as bars.
        """
        if self.is_price:
            return PRICE_BAR if as_bars else PRICE_POINT
        return _COLUMNS[self]


_COLUMNS = {
    SideKind.FUNDING: ("rate",),
    SideKind.OPEN_INTEREST: ("value",),
    SideKind.ACTIONS: ("split", "dividend"),
    SideKind.BORROW: ("rate",),
    SideKind.TRADES: ("price", "size", "side"),
    SideKind.QUOTES: ("bid", "ask", "bid_size", "ask_size"),
}
