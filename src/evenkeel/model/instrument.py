"""Instruments: what can be traded, on which grid, at what cost, by which calendar."""

from __future__ import annotations

import itertools
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


class RiskTier(msgspec.Struct, frozen=True, kw_only=True):
    """Margin of positions up to a size.

    Attributes:
        max_notional: Largest notional of the tier, in the quote currency; None, for the last one only, is no limit.
        maintenance: Maintenance margin rate, a fraction of the notional.
        deduction: Taken off the maintenance margin, in the quote currency.
        max_leverage: Largest leverage of a position in the tier.
    """

    max_notional: Decimal | None = None
    maintenance: Decimal
    deduction: Decimal = Decimal(0)
    max_leverage: Decimal

    def __post_init__(self) -> None:
        require(
            self.max_notional is None or self.max_notional > 0, "max_notional of a risk tier must be above 0",
            was=self.max_notional,
        )  # fmt: skip
        require(0 <= self.maintenance < 1, "maintenance of a risk tier is from 0 to below 1", was=self.maintenance)
        require(self.deduction >= 0, "deduction of a risk tier must not be negative", was=self.deduction)
        require(self.max_leverage >= 1, "max_leverage of a risk tier is at least 1", was=self.max_leverage)


class ContractMargin(msgspec.Struct, frozen=True, kw_only=True):
    """What a futures contract ties up, in its quote currency.

    Attributes:
        initial: Free money that an entry needs, per contract.
        maintenance: Equity per contract below which the broker closes the position.
        intraday: In place of `initial` for positions that are closed before the session ends; None if there is none.
    """

    initial: Decimal
    maintenance: Decimal
    intraday: Decimal | None = None

    def __post_init__(self) -> None:
        require(self.maintenance > 0, "contract_margin.maintenance must be above 0", was=self.maintenance)
        require(
            self.initial >= self.maintenance, "contract_margin.initial is at least the maintenance margin",
            was=self.initial,
        )  # fmt: skip
        require(
            self.intraday is None or 0 < self.intraday <= self.initial,
            "contract_margin.intraday is above 0 and at most the initial margin", was=self.intraday,
        )  # fmt: skip


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
        extended_calendar: Of the table that has its early and late session too; None where there are none.
        fees: Defaults; an account or a play may state its own.
        risk_tiers: Margin by the size of a position, smallest first; empty where the account's single rate holds.
        contract_margin: What a futures contract ties up; None where it is not known.
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
    extended_calendar: str | None = None
    fees: Fees = Fees()
    risk_tiers: tuple[RiskTier, ...] = ()
    contract_margin: ContractMargin | None = None
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
        self._check_tiers()
        futures = (InstrumentKind.FUTURE, InstrumentKind.CONTINUOUS_FUTURE)
        require(self.contract_margin is None or self.kind in futures, f"{self.id}: only futures have a contract_margin")

    def _check_tiers(self) -> None:
        tiers = self.risk_tiers
        require(not tiers or self.kind is InstrumentKind.PERPETUAL, f"{self.id}: only perpetuals have risk_tiers")
        for lower, upper in itertools.pairwise(tiers):
            grows = lower.max_notional is not None and (
                upper.max_notional is None or upper.max_notional > lower.max_notional
            )
            require(grows, f"{self.id}: risk_tiers go from the smallest max_notional to the largest")
            less = upper.max_leverage <= lower.max_leverage and upper.maintenance >= lower.maintenance
            require(less, f"{self.id}: a larger risk tier has no more leverage and no less maintenance margin")

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
