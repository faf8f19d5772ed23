"""Facts about an account and what its engine stands on: what broker, process and persons tell.

None of them is about an order; those are in `evenkeel.model.report`. A thing that was never told is not known, and what
needs it refuses or waits.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from evenkeel.model.event import Event
from evenkeel.model.halt import Halt
from evenkeel.model.ids import ClientId, StrategyId


class EquityTold(Event, frozen=True, kw_only=True, gc=False, tag="equity_told"):
    """The broker told what the account is worth; account currency.

    Attributes:
        equity: Of the account, open results inside.
        open_pnl: Of all positions.
        available: Free margin; None where the account has none, or it was not told; likewise the next two.
        initial_used: Initial margin as a fraction of the equity.
        maintenance_used: Maintenance margin as a fraction of the equity.
        liquidating: Whether the broker is closing a position.
        buying_power: What the broker lets buy; None: not told.
        settled_cash: Of the cash, what is settled; None: not told.
        day_trades: That stand within the sessions that count; None: not told.
    """

    equity: Decimal
    open_pnl: Decimal
    available: Decimal | None = None
    initial_used: Decimal | None = None
    maintenance_used: Decimal | None = None
    liquidating: bool = False
    buying_power: Decimal | None = None
    settled_cash: Decimal | None = None
    day_trades: int | None = None


class EquityUnread(Event, frozen=True, kw_only=True, gc=False, tag="equity_unread"):
    """A read of the equity failed, or brought nonsense.

    Attributes:
        text: How it failed.
    """

    text: str = ""


class SessionOpened(Event, frozen=True, kw_only=True, gc=False, tag="exchange_session_opened"):
    """A session of the exchange opened, by the broker's clock; the same one again tells a close that came late.

    Attributes:
        session: Its date.
        close: Equity at the broker's close of the session before; None: the broker does not say.
        closes_ns: When it closes, `known_ns`; None: the exchange trades around the clock.
    """

    session: date
    close: Decimal | None = None
    closes_ns: int | None = None


class SeedTold(Event, frozen=True, kw_only=True, gc=False, tag="seed_told"):
    """The broker told what the account has realised already, after fees; account currency, a loss is negative.

    Attributes:
        day: In the session.
        week: In its week.
        month: In its month.
    """

    day: Decimal
    week: Decimal
    month: Decimal


class SeedFailed(Event, frozen=True, kw_only=True, gc=False, tag="seed_failed"):
    """The broker did not tell what was realised already.

    Attributes:
        text: How it failed.
    """

    text: str = ""


class Transferred(Event, frozen=True, kw_only=True, gc=False, tag="transferred"):
    """Money was paid in or out.

    Attributes:
        amount: Account currency, + in.
    """

    amount: Decimal


class MarginCalled(Event, frozen=True, kw_only=True, gc=False, tag="margin_called"):
    """The broker asks for margin.

    Attributes:
        text: The broker's words.
    """

    text: str = ""


class Channel(StrEnum):
    """Ways between the engine and a broker."""

    ORDERS = "orders"
    ACCOUNT = "account"
    """The stream of the account's own orders and fills."""
    MARKET = "market"


class Link(StrEnum):
    """How a channel is."""

    UP = "up"
    DOWN = "down"
    EXHAUSTED = "exhausted"
    """It is down and every attempt to connect again failed."""


class LinkChanged(Event, frozen=True, kw_only=True, gc=False, tag="link_changed"):
    """A channel came up or went down; one that is up and says so again gave a sign of life.

    Attributes:
        channel: Which.
        link: How it is now.
        text: What went wrong.
    """

    channel: Channel
    link: Link
    text: str = ""


class ClockMeasured(Event, frozen=True, kw_only=True, gc=False, tag="clock_measured"):
    """Our clock was compared with the broker's.

    Attributes:
        offset_ns: Ours less theirs.
    """

    offset_ns: int


class Store(StrEnum):
    """What the engine keeps on disk."""

    JOURNAL = "journal"
    STATE = "state"


class StorageTold(Event, frozen=True, kw_only=True, gc=False, tag="storage_told"):
    """Something was written, or could not be; told when that changes, and of each failure.

    Attributes:
        store: What was to be written.
        ok: Whether it was.
        text: What went wrong.
    """

    store: Store
    ok: bool
    text: str = ""


class QueueMeasured(Event, frozen=True, kw_only=True, gc=False, tag="queue_measured"):
    """The queue before the core was looked at.

    Attributes:
        since_ns: Since when the oldest bar waits in it, `known_ns`; None: none waits.
        bar_ns: Length of that bar.
    """

    since_ns: int | None = None
    bar_ns: int = 0


class WatchdogSeen(Event, frozen=True, kw_only=True, gc=False, tag="watchdog_seen"):
    """The process that watches the engine gave a sign of life."""


class AlertUndelivered(Event, frozen=True, kw_only=True, gc=False, tag="alert_undelivered"):
    """A critical alert reached nobody.

    Attributes:
        text: Which.
    """

    text: str = ""


class AlertDelivered(Event, frozen=True, kw_only=True, gc=False, tag="alert_delivered"):
    """Every critical alert has reached somebody."""


class QualityTold(Event, frozen=True, kw_only=True, gc=False, tag="quality_told"):
    """How good data and execution of an instrument are, from 0 to 1 (ruling 56).

    Attributes:
        dvs: Data validity score; None: not known.
        eqs: Execution quality score; None: not known.
    """

    dvs: Decimal | None = None
    eqs: Decimal | None = None


class FaultEscaped(Event, frozen=True, kw_only=True, gc=False, tag="fault_escaped"):
    """A fault escaped the loop around the core.

    Attributes:
        text: What it was.
    """

    text: str


class BypassStopped(Event, frozen=True, kw_only=True, gc=False, tag="bypass_stopped"):
    """An order came to the border without approval and was not sent.

    Attributes:
        client_id: Its id.
        text: What was missing.
    """

    client_id: ClientId
    text: str = ""


class FlagTold(Event, frozen=True, kw_only=True, gc=False, tag="flag_told"):
    """The halt flag on the disk says other than the account does: another process changed it, or it was repaired.

    Attributes:
        halt: What it says.
    """

    halt: Halt


class Waived(Event, frozen=True, kw_only=True, gc=False, tag="waived"):
    """A person lets a strategy hold its position in an instrument without a stop for a time.

    Attributes:
        strategy: Which.
        until_ns: When that ends, `known_ns`; not later than now takes it back.
        by: Who answers for it.
        why: In words.
    """

    strategy: StrategyId
    until_ns: int
    by: str
    why: str = ""


class Overridden(Event, frozen=True, kw_only=True, gc=False, tag="overridden"):
    """A person allowed something for a time that a rule forbids.

    Attributes:
        what: The rule, by its name.
        until_ns: When that ends, `known_ns`; not later than now takes it back.
        by: Who answers for it.
        why: In words.
    """

    what: str
    until_ns: int
    by: str
    why: str = ""


class IncidentTold(Event, frozen=True, kw_only=True, gc=False, tag="incident_told"):
    """A person wrote what a halt was about; the resume procedure asks for it.

    Attributes:
        owner: Who answers for it.
        cause: What it was.
    """

    owner: str
    cause: str


class ResumeAsked(Event, frozen=True, kw_only=True, gc=False, tag="resume_asked"):
    """A person asks to trade again after a halt of level 3 or 4.

    Attributes:
        phrase: As typed.
        operator: Who asks.
        reason: Why it is safe again.
        epoch: Of the halt that the operator has seen.
        live: Whether real money is at stake.
        approver: Second person; level 4 with real money needs one.
        rebase: Whether the drawdown is accepted and the peaks begin anew at the equity of now.
        broker_reachable: Whether the broker answered just now; None: not asked.
        journal_verified: Whether the chain of the journal is whole; None: not looked at.
    """

    phrase: str
    operator: str
    reason: str
    epoch: int
    live: bool
    approver: str = ""
    rebase: bool = False
    broker_reachable: bool | None = None
    journal_verified: bool | None = None


ToldEvent: TypeAlias = (
    EquityTold
    | EquityUnread
    | SessionOpened
    | SeedTold
    | SeedFailed
    | Transferred
    | MarginCalled
    | LinkChanged
    | ClockMeasured
    | StorageTold
    | QueueMeasured
    | WatchdogSeen
    | AlertUndelivered
    | AlertDelivered
    | QualityTold
    | FaultEscaped
    | BypassStopped
    | FlagTold
    | Waived
    | Overridden
    | IncidentTold
    | ResumeAsked
)
