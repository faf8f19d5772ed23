"""Instruments: what can be traded, on which grid, at what cost, by which calendar."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from evenkeel.model.errors import require
from evenkeel.model.ids import InstrumentId
from evenkeel.model.number import Grid
from evenkeel.model.time import DAY, MINUTE

_DAY_MINUTES = DAY // MINUTE


class InstrumentKind(StrEnum):
    """What an instrument is; it decides defaults of margin, fees and shorting."""

    PERPETUAL = "perpetual"
    FUTURE = "future"
    CONTINUOUS_FUTURE = "continuous_future"
    SPOT = "spot"
    EQUITY = "equity"
    FX = "fx"
    INDEX = "index"


class Fees(msgspec.Struct, frozen=True, kw_only=True):
    """What a fill costs.

    Attributes:
        maker_bps: Of the notional, when the order rested; basis points.
        taker_bps: Of the notional, when it took; basis points.
        per_contract: Per unit of quantity and side, in the quote currency, on top.
    """

    maker_bps: Decimal = Decimal(0)
    taker_bps: Decimal = Decimal(0)
    per_contract: Decimal = Decimal(0)


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """A dated definition of an instrument.

    Attributes:
        id: `SYMBOL.VENUE`.
        kind: Decides the defaults of margin, fees and shorting.
        base: What one unit is made of, for example `BTC`, `ES`, `SPY`.
        quote: Currency of the price.
        tick_size: Smallest step of an order price, in the quote currency.
        lot_size: Smallest step of a quantity, in units.
        multiplier: Money in the quote currency per point of price and unit.
        min_quantity: Smallest order, in units.
        max_quantity: Largest order, in units; None is no limit known.
        min_notional: Smallest order, in the quote currency.
        calendar: Name of the session table.
        fees: Defaults; an account or a play may state its own.
        shortable: Whether a short position can be opened.
        absence_is_fault: Whether an interval without a bar inside a session is a fault (24/7 markets) or normal.
        valid_from: First day of this definition, ISO date; None is unbounded.
        valid_to: Day after its last, ISO date; None is unbounded.
        expiry: Last trading day of a dated contract, ISO date.
        funding_interval_minutes: Between two settlements of a perpetual's funding, one of which is midnight UTC.
        description: For people.
    """

    id: InstrumentId
    kind: InstrumentKind
    base: str
    quote: str
    tick_size: Decimal
    lot_size: Decimal
    multiplier: Decimal = Decimal(1)
    min_quantity: Decimal
    max_quantity: Decimal | None = None
    min_notional: Decimal = Decimal(0)
    calendar: str
    fees: Fees = Fees()
    shortable: bool = True
    absence_is_fault: bool = False
    valid_from: str | None = None
    valid_to: str | None = None
    expiry: str | None = None
    funding_interval_minutes: int = 480
    description: str = ""

    def __post_init__(self) -> None:
        symbol, _, venue = self.id.rpartition(".")
        require(bool(symbol and venue), "an instrument id is SYMBOL.VENUE", was=self.id)
        for name in ("tick_size", "lot_size", "multiplier", "min_quantity"):
            require(getattr(self, name) > 0, f"{self.id}: {name} must be positive", was=getattr(self, name))
        require(self.lot_grid.holds(self.min_quantity), f"{self.id}: min_quantity must be a multiple of lot_size")
        minutes = self.funding_interval_minutes
        require(minutes > 0 and _DAY_MINUTES % minutes == 0, f"{self.id}: funding_interval_minutes must divide a day")

    @property
    def symbol(self) -> str:
        """The part of the id before the venue."""
        return self.id.rpartition(".")[0]

    @property
    def venue(self) -> str:
        """The part of the id after the last dot."""
        return self.id.rpartition(".")[2]

    @property
    def funding_interval_ns(self) -> int:
        """Between two settlements of funding, nanoseconds."""
        return self.funding_interval_minutes * MINUTE

    @property
    def tick_grid(self) -> Grid:
        """The grid of order prices."""
        return Grid.of(self.tick_size)

    @property
    def lot_grid(self) -> Grid:
        """The grid of quantities."""
        return Grid.of(self.lot_size)
