"""Facts: what happened outside the core, past tense, frozen and flat.

Each has `event_ns`, when it happened, and `known_ns`, when it entered the inbox; `known_ns` strictly rises and a
decision may depend on nothing later.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

import msgspec

from evenkeel.model.bar import BarValues
from evenkeel.model.halt import Halt
from evenkeel.model.ids import ClientId, InstrumentId, Leg
from evenkeel.model.intent import OrderKind
from evenkeel.model.reason import ExitReason, Reason, StopReason


class FillPoint(StrEnum):
    """Where inside its base bar a simulated fill lies."""

    OPEN = "open"
    INSIDE = "inside"
    CLOSE = "close"


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="type", omit_defaults=True):
    """A fact.

    Attributes:
        event_ns: When it happened.
        known_ns: When we learned of it.
        instrument: Whose it is, where a run has several; None where it has one, and of facts about the account.
    """

    event_ns: int
    known_ns: int
    instrument: InstrumentId | None = None


class BarsClosed(Event, frozen=True, kw_only=True, gc=False, tag="bars_closed"):
    """A set of execution bars closed and the strategy may act.

    Attributes:
        segment: Unbroken stretch of the data, from 0.
        bar: Execution bar within it, from 0; it names the data instead of copying it (ruling 42).
        equity: Of the account at that instant, where a run has several instruments; else it is the cash when flat.
        free: What of it is not used as margin and not kept for other entries at work, or is settled cash where the
            account asks for that; None is all of it.
        day_trades: That stand within the sessions that count, where the account counts them.
    """

    segment: int
    bar: int
    equity: Decimal | None = None
    free: Decimal | None = None
    day_trades: int = 0


class BaseClosed(Event, frozen=True, kw_only=True, gc=False, tag="base_closed"):
    """A base bar closed: stops that move follow its close (ruling 29); `event_ns` is when it closed.

    Attributes:
        close: Its last price.
        bars: It by value, for features that are computed bar by bar, and with it all that close at the same instant,
            such as a closing auction, oldest first (ruling 42); none where features come from recorded data.
        segment: Unbroken stretch of the data that it is of. With a later one than before features begin anew: bars are
            missing that the calendar expects, and nobody could fetch them (ruling 15).
    """

    close: Decimal
    bars: tuple[BarValues, ...] = ()
    segment: int = 0


class BarsSettled(Event, frozen=True, kw_only=True, gc=False, tag="bars_settled"):
    """No base bar of an instrument closes by `event_ns` any more; a bar whose last interval had no trade has ended."""


class SideTold(Event, frozen=True, kw_only=True, gc=False, tag="side_told"):
    """A value that features read beside bars became known at `event_ns`.

    Attributes:
        name: Which: `mark_price`, `funding_rate` or `open_interest`.
        value: The value; None where the last one has grown old and there is no other.
    """

    name: str
    value: float | None = None


class OrderAccepted(Event, frozen=True, kw_only=True, gc=False, tag="order_accepted"):
    """The venue has the order and lets it rest.

    Attributes:
        client_id: Our id of it.
    """

    client_id: ClientId


class OrderFilled(Event, frozen=True, kw_only=True, gc=False, tag="order_filled"):
    """The venue executed an order, whole or a piece of it; an exit may close a part of the position only.

    Attributes:
        client_id: Our id; None for a protective leg, which the venue holds as a child of the entry, and for a fill of
            an order that was over.
        trade: Number of the trade, which a venue of plain orders tells: a late fill may open one again. None is the
            next one, or the one that is held.
        leg: Which order of the trade.
        kind: Market, limit, stop or take_profit.
        quantity: Signed units of this piece: positive bought, negative sold.
        left: Unsigned units of the order that are still to fill; None when it is whole.
        price: Per unit, slippage inside.
        average: Entry price of the position after a further piece of its entry; None for the first piece.
        fee: Positive is paid.
        gross: Realised by this fill, without fees.
        slippage: Memo: what slippage cost; inside the price already.
        taker: Whether it took liquidity.
        row: Base bar within the segment.
        bar: Execution bar in progress.
        point: Where inside the base bar.
        exit_reason: Why the position was closed or reduced; None for an entry.
        stop_price: Protective stop after an entry, or in force at an exit.
        target_price: Target after the fill, of an entry; both from the average price where it came in pieces.
        adverse: Largest move against the position while held, as a fraction of the entry price; of an exit.
        favourable: Largest move in its favour; of an exit.
        bars_held: Execution bars closed while it was held; of an exit.
    """

    client_id: ClientId | None = None
    trade: int | None = None
    leg: Leg
    kind: OrderKind
    quantity: Decimal
    left: Decimal | None = None
    price: Decimal
    average: Decimal | None = None
    fee: Decimal
    gross: Decimal = Decimal(0)
    slippage: Decimal
    taker: bool
    row: int
    bar: int
    point: FillPoint
    exit_reason: ExitReason | None = None
    stop_price: Decimal | None = None
    target_price: Decimal | None = None
    adverse: Decimal = Decimal(0)
    favourable: Decimal = Decimal(0)
    bars_held: int = 0


class Carried(StrEnum):
    """What a position was paid or charged for."""

    FUNDING = "funding"
    DIVIDEND = "dividend"
    BORROW = "borrow"
    SPLIT = "split"


class FundingPosted(Event, frozen=True, kw_only=True, gc=False, tag="funding_posted"):
    """Funding, a dividend, a borrow fee or cash for the rest of a split was paid or received.

    Attributes:
        amount: Account currency, + received.
        rate_price: Price at which the position was valued; of a dividend what a unit brought, of a split its ratio.
        row: Base bar within the segment.
        kind: What it was for.
    """

    amount: Decimal
    rate_price: Decimal
    row: int
    kind: Carried = Carried.FUNDING


class OrderDied(Event, frozen=True, kw_only=True, gc=False, tag="order_died"):
    """An order, or what was left of it, ended without a fill: expired, or cancelled by its time in force or by an exit.

    Attributes:
        client_id: Our id of it.
        reason: Why.
    """

    client_id: ClientId
    reason: Reason


class LimitBreached(Event, frozen=True, kw_only=True, gc=False, tag="limit_breached"):
    """The account met a limit of the run when it was marked.

    Attributes:
        limit: Which.
    """

    limit: StopReason


class TimePassed(Event, frozen=True, kw_only=True, gc=False, tag="time_passed"):
    """A deadline that the state holds has come."""


class SessionBegan(Event, frozen=True, kw_only=True, gc=False, tag="session_began"):
    """A process took the account up: whatever was on its way when the last one ended may have arrived or not.

    Attributes:
        halt: What the halt flag says; the journal may not have heard of it. None where there is no flag.
        changed: Strategies of other code or parameters than in the session before, in words.
        rebuilt: Whether no stored copy of the state was whole, so that all of it was folded from the journal.
    """

    halt: Halt | None = None
    changed: tuple[str, ...] = ()
    rebuilt: bool = False


class PriceTold(Event, frozen=True, kw_only=True, gc=False, tag="price_told"):
    """A last price, as the core is to see it: conflated before the inbox (ruling 22).

    Attributes:
        last: The price.
    """

    last: Decimal


class Operation(StrEnum):
    """What an operator can ask of a running account (ruling 58)."""

    PAUSE = "pause"
    RESUME = "resume"
    HALT = "halt"
    FLATTEN = "flatten"
    KILL = "kill"


class Operated(Event, frozen=True, kw_only=True, gc=False, tag="operated"):
    """An operator asked for something; whether the phrase was right is checked before it gets here.

    Attributes:
        operation: What.
        by: Who.
        why: In words.
    """

    operation: Operation
    by: str
    why: str = ""


class StretchEnded(Event, frozen=True, kw_only=True, gc=False, tag="stretch_ended"):
    """An unbroken stretch of data ended, by a gap or for good; nothing may be carried over it.

    Attributes:
        segment: Its number.
        reason: DATA_GAP or END_OF_DATA.
    """

    segment: int
    reason: Reason


class PortfolioStated(Event, frozen=True, kw_only=True, gc=False, tag="portfolio_stated"):
    """The playbook said what a play may do at its next decision.

    Attributes:
        equity: Its share of the capital; entries are sized by it.
        long: OK, or why it may not buy.
        short: OK, or why it may not sell.
        room: Largest quantity that the exposure of all plays leaves, in units.
    """

    equity: Decimal
    long: Reason
    short: Reason
    room: Decimal


class PortfolioOrdered(Event, frozen=True, kw_only=True, gc=False, tag="portfolio_ordered"):
    """The playbook took a play out of the market: its entry at work is withdrawn, and its position closed.

    Attributes:
        reason: REGIME, its share is gone; PLAYBOOK, the playbook stops and the play with it.
        holds: Whether the position is kept.
    """

    reason: ExitReason
    holds: bool = False


AnyEvent: TypeAlias = (
    BarsClosed
    | OrderAccepted
    | OrderFilled
    | FundingPosted
    | OrderDied
    | LimitBreached
    | StretchEnded
    | PortfolioStated
    | PortfolioOrdered
)
