"""What is known of money and positions."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from evenkeel.model.ids import InstrumentId, StrategyId
from evenkeel.model.instrument import InstrumentKind


class Holding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A position, or an entry at work: an order is at work from its command on, before its bytes leave.

    Attributes:
        instrument: In what.
        strategy: Whose.
        notional: Signed, account currency.
        sector: Of the instrument; None is not known.
        correlation: Of its returns with those of the instrument that is asked for; None is not known.
    """

    instrument: InstrumentId
    strategy: StrategyId
    notional: Decimal
    sector: str | None = None
    correlation: Decimal | None = None


class MarginState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How far margin is used.

    Attributes:
        initial_rate: Initial margin over equity.
        maintenance_rate: Maintenance margin over equity.
        available: Free margin, account currency.
        liquidating: Whether a position is being liquidated.
        asset_share: Margin of this asset over equity.
    """

    initial_rate: Decimal
    maintenance_rate: Decimal
    available: Decimal
    liquidating: bool
    asset_share: Decimal


class AccountFacts(msgspec.Struct, frozen=True, kw_only=True):
    """About the money and positions of the account.

    Attributes:
        equity: Now.
        session_equity: Reference of the session: the broker's equity at the close before, transfers adjusted.
        session_peak: Highest equity of the session.
        peak: Highest equity of all.
        scale: Factor of the drawdown ladder and of the time after a resume.
        realised_day: Of the session, costs inside; None until it is seeded from the broker.
        realised_week: Of the calendar week.
        realised_month: Of the calendar month.
        open_profit: Of all open positions.
        open_risk: What all protective stops together could lose.
        trades: Completed and open entries of the session.
        streak: Losses in a row within the session.
        loss_ns: When the last of them was known.
        hour_entries: Entries of this clock hour.
        entry_ns: When the last entry was sent.
        holdings: Positions and entries at work.
        orders: Working in the account.
        kinds: Asset classes that this session has traded.
        buying_power: What the broker lets buy.
        settled_cash: Of it, settled.
        free: Equity that is neither margin nor kept for orders at work.
        margin: How far margin is used.
        permit: Largest order that the approval for live trading allows, account currency.
        day_trades: That stand within the sessions that count.
    """

    equity: Decimal | None = None
    session_equity: Decimal | None = None
    session_peak: Decimal | None = None
    peak: Decimal | None = None
    scale: Decimal | None = None
    realised_day: Decimal | None = None
    realised_week: Decimal | None = None
    realised_month: Decimal | None = None
    open_profit: Decimal | None = None
    open_risk: Decimal | None = None
    trades: int | None = None
    streak: int | None = None
    loss_ns: int | None = None
    hour_entries: int | None = None
    entry_ns: int | None = None
    holdings: tuple[Holding, ...] | None = None
    orders: int | None = None
    kinds: frozenset[InstrumentKind] | None = None
    buying_power: Decimal | None = None
    settled_cash: Decimal | None = None
    free: Decimal | None = None
    margin: MarginState | None = None
    permit: Decimal | None = None
    day_trades: int | None = None
