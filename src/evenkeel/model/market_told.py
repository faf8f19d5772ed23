"""Facts about markets and about the right to trade in them: what feed, broker and lease tell.

A fact that was never told is not known, and a gate that needs it refuses. A process that takes an account up starts
without them: what an earlier one had heard is not believed again, save the definition and state of an instrument,
whose age counts on.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

import msgspec

from evenkeel.model.event import Event
from evenkeel.model.instrument import Instrument


class QuoteTold(Event, frozen=True, kw_only=True, gc=False, tag="quote_told"):
    """The best bid and ask of an instrument, conflated before the inbox.

    Attributes:
        bid: Best bid.
        ask: Best ask.
        minute_volume: Units traded within the last minute; None: the feed does not say.
    """

    bid: Decimal
    ask: Decimal
    minute_volume: Decimal | None = None


class InstrumentTold(Event, frozen=True, kw_only=True, gc=False, tag="instrument_told"):
    """The venue told what can be done in an instrument; each telling replaces the one before.

    Attributes:
        tradable: Neither halted nor delisted.
        shortable: Whether it can be borrowed now; None: not told, likewise the next two.
        fractionable: Whether parts of a unit can be traded.
        reduce_only: Whether positions may only be reduced.
        leverage: As it is set for the account; None where there is none, or it was not told.
        funding_rate: Of the next settlement; None where there is none, or it was not told.
        definition: As the venue has it; None: as the session began with it.
    """

    tradable: bool
    shortable: bool | None = None
    fractionable: bool | None = None
    reduce_only: bool | None = None
    leverage: Decimal | None = None
    funding_rate: Decimal | None = None
    definition: Instrument | None = None


class MarketSessionTold(Event, frozen=True, kw_only=True, gc=False, tag="market_session_told"):
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


class KeyTold(Event, frozen=True, kw_only=True, gc=False, tag="key_told"):
    """Who we are at the broker; modes are named as on the command line, None: not known.

    Attributes:
        key_mode: Mode that the key is for.
        host_mode: Mode that the address is for.
        account_mode: Mode that the account number is for.
        withdraws: Whether the key could move money out.
        armed: Whether a person armed live trading.
        permit: Largest order that the approval for live trading allows, account currency.
    """

    key_mode: str | None
    host_mode: str | None
    account_mode: str | None
    withdraws: bool | None
    armed: bool | None = None
    permit: Decimal | None = None


class LeaseTold(Event, frozen=True, kw_only=True, gc=False, tag="lease_told"):
    """The lease of the account was taken, renewed or lost.

    Attributes:
        epoch: Of the lease; rises with each holder.
        for_ns: So long from now this process holds it; 0: it does not.
    """

    epoch: int
    for_ns: int


class Upcoming(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An economic event near an instant.

    Attributes:
        kind: As the limits write it.
        in_s: Seconds until it; below 0 it has been.
    """

    kind: str
    in_s: int


class ConditionsTold(Event, frozen=True, kw_only=True, gc=False, tag="conditions_told"):
    """What was measured of a market; each telling replaces the one before, and None is not known.

    Attributes:
        lockout_for_ns: So long from now a lockout runs; 0: none does.
        events: Economic events around now; None where their calendar is missing or has expired.
        daily_volume: Units a session, average of 20.
        value_at_risk: One-day, 95 %, a fraction of the notional.
        expected_shortfall: One-day, beyond it.
        volatility: A year.
        drawdown: From its peak.
        sector: Of the instrument.
        wash_sale: Whether a loss was realised in it within 30 days.
    """

    lockout_for_ns: int | None = None
    events: tuple[Upcoming, ...] | None = None
    daily_volume: Decimal | None = None
    value_at_risk: Decimal | None = None
    expected_shortfall: Decimal | None = None
    volatility: Decimal | None = None
    drawdown: Decimal | None = None
    sector: str | None = None
    wash_sale: bool | None = None


MarketEvent: TypeAlias = QuoteTold | InstrumentTold | MarketSessionTold | KeyTold | LeaseTold | ConditionsTold
