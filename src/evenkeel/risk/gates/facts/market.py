"""What is known of the instrument that is asked for."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from evenkeel.model.instrument import Instrument
from evenkeel.model.market_told import Upcoming
from evenkeel.risk.classify import Working


class SessionFacts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where in its session a market is, by the broker's clock and a calendar that knows the day.

    Attributes:
        open: Whether it trades.
        around_the_clock: Whether it has no session at all.
        since_open_s: Since the open of the session.
        until_close_s: To its close, early closes included.
        minute: Of the day at the exchange.
    """

    open: bool
    around_the_clock: bool = False
    since_open_s: int = 0
    until_close_s: int = 0
    minute: int = 0


class Statistics(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What history says of an instrument, as fractions of a position's notional.

    Attributes:
        value_at_risk: One-day, 95 %.
        expected_shortfall: One-day, beyond it.
        volatility: A year.
        drawdown: From its peak.
    """

    value_at_risk: Decimal
    expected_shortfall: Decimal
    volatility: Decimal
    drawdown: Decimal


class Costs(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a trade costs.

    Attributes:
        rate: Fee of one side, a fraction of the notional.
        per_unit: Fee of one side, account currency a unit.
        slippage: Expected at a stop, in price.
        extra: Expected beyond the pessimistic round trip, account currency a unit.
    """

    rate: Decimal
    per_unit: Decimal = Decimal(0)
    slippage: Decimal = Decimal(0)
    extra: Decimal = Decimal(0)


class MarketFacts(msgspec.Struct, frozen=True, kw_only=True):
    """About the instrument that is asked for.

    Attributes:
        instrument: Its definition.
        instrument_ns: When definition and state were last confirmed.
        tradable: Neither halted nor delisted.
        shortable: Whether it can be borrowed now.
        fractionable: Whether parts of a unit can be traded.
        reduce_only: Whether the broker only lets positions be reduced.
        warm: Whether strategy and features have all the history that they need.
        session: Where in its session the market is.
        events: Economic events around now; None where the calendar of events is missing or has expired.
        lockout_ns: Until when a lockout runs; NEVER where none does.
        dvs: Quality of the data.
        eqs: Quality of execution.
        bar_ns: When the newest bar was known.
        interval_ns: Length of a bar.
        last: Last price.
        last_ns: When it was known.
        bid: Best.
        ask: Best.
        quote_ns: When they were known.
        minute_volume: Units of the last minute.
        daily_volume: Units a session, average of 20.
        costs: Of a trade.
        statistics: What history says.
        sector: None is not known.
        funding_rate: Of the next settlement.
        leverage: As it is set at the venue.
        position: Signed units held at the broker.
        working: Other orders at work in it.
        orders: How many are at work in it.
        unknown: Whether the state of an order in it is unknown.
        wash_sale: Whether a loss was realised in it within 30 days.
        blocked: Whether books and venue differ in it so that a person must look before anything is opened.
    """

    instrument: Instrument | None = None
    instrument_ns: int | None = None
    tradable: bool | None = None
    shortable: bool | None = None
    fractionable: bool | None = None
    reduce_only: bool | None = None
    warm: bool | None = None
    session: SessionFacts | None = None
    events: tuple[Upcoming, ...] | None = None
    lockout_ns: int | None = None
    dvs: Decimal | None = None
    eqs: Decimal | None = None
    bar_ns: int | None = None
    interval_ns: int | None = None
    last: Decimal | None = None
    last_ns: int | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    quote_ns: int | None = None
    minute_volume: Decimal | None = None
    daily_volume: Decimal | None = None
    costs: Costs | None = None
    statistics: Statistics | None = None
    sector: str | None = None
    funding_rate: Decimal | None = None
    leverage: Decimal | None = None
    position: Decimal | None = None
    working: tuple[Working, ...] | None = None
    orders: int | None = None
    unknown: bool | None = None
    wash_sale: bool | None = None
    blocked: bool | None = None
