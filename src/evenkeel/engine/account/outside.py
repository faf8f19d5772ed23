"""What feed, broker and lease have told, as far as the gates read it: folded, so a restart knows what to hear anew.

A new process believes none of it but the definition and state of an instrument, whose age counts on: a quote, a price
or a session that another process heard is not fresh, and a key or a lease is held by a process.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from evenkeel.model.event import BarsClosed, Event, PriceTold, SessionBegan
from evenkeel.model.ids import InstrumentId, StrategyId
from evenkeel.model.market_told import (
    ConditionsTold,
    InstrumentTold,
    KeyTold,
    LeaseTold,
    MarketSessionTold,
    QuoteTold,
)
from evenkeel.model.report import Executed, OrderReported
from evenkeel.model.told import (
    Channel,
    ClockMeasured,
    EquityTold,
    Link,
    LinkChanged,
    QualityTold,
    StorageTold,
    Store,
    Waived,
)


class Price(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A last price.

    Attributes:
        last: The price.
        known_ns: When it was known.
    """

    last: Decimal
    known_ns: int


class Outside(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was told since the process began.

    Attributes:
        key: Who we are at the broker; None: not told.
        lease_epoch: Of the lease that this process holds; None: not told.
        lease_until_ns: Until when.
        private_ns: When the stream of the account's own orders was last heard; None: not yet.
        down: Channels that are down, with the stamp since when.
        instruments: What the venue told of each.
        quotes: The newest of each.
        prices: The newest of each.
        sessions: Where in its session each market is.
        conditions: What was measured of each market.
        bars: When the newest bar of each was known.
        quality: How good data and execution of each are.
        equity: What the broker last told of the account's worth.
        clock_offset_ns: Of our clock to the broker's.
        journal_ok: Whether the journal takes entries; it did when the process began.
        waivers: Until when a person lets a strategy trade an instrument without a stop, by both.
    """

    key: KeyTold | None = None
    lease_epoch: int | None = None
    lease_until_ns: int | None = None
    private_ns: int | None = None
    down: dict[Channel, int] = {}
    instruments: dict[InstrumentId, InstrumentTold] = {}
    quotes: dict[InstrumentId, QuoteTold] = {}
    prices: dict[InstrumentId, Price] = {}
    sessions: dict[InstrumentId, MarketSessionTold] = {}
    conditions: dict[InstrumentId, ConditionsTold] = {}
    bars: dict[InstrumentId, int] = {}
    quality: dict[InstrumentId, QualityTold] = {}
    equity: EquityTold | None = None
    clock_offset_ns: int | None = None
    journal_ok: bool | None = None
    waivers: dict[str, int] = {}

    @property
    def unhealthy_ns(self) -> int | None:
        """Since when a channel is down; None where none is."""
        return min(self.down.values(), default=None)


class Ear:
    """Hears what is told.

    Attributes:
        state: Changed by folding only.
    """

    def __init__(self) -> None:
        self.state = Outside()

    def saved(self) -> Outside:
        """Return everything that was heard."""
        return self.state

    def restore(self, saved: bytes) -> None:
        """Take over what was stored."""
        self.state = msgspec.msgpack.decode(saved, type=Outside)

    def fold(self, event: Event) -> None:
        """Fold a fact; most change nothing here."""
        state, at = self.state, event.instrument
        match event:
            case SessionBegan():
                self.state = Outside(journal_ok=True, instruments=state.instruments, waivers=state.waivers)
            case KeyTold():
                self._change(key=event)
            case LeaseTold():
                self._change(lease_epoch=event.epoch, lease_until_ns=event.known_ns + event.for_ns)
            case LinkChanged():
                self._link(event)
            case EquityTold():
                self._change(equity=event)
            case ClockMeasured():
                self._change(clock_offset_ns=event.offset_ns)
            case StorageTold() if event.store is Store.JOURNAL:
                self._change(journal_ok=event.ok)
            case Waived() if at is not None:
                self._change(waivers={**state.waivers, waiver_key(event.strategy, at): event.until_ns})
            case OrderReported() | Executed():
                self._change(private_ns=event.known_ns)
            case PriceTold() if at is not None:
                self._change(prices={**state.prices, at: Price(last=event.last, known_ns=event.known_ns)})
            case QuoteTold() if at is not None:
                self._change(quotes={**state.quotes, at: event})
            case BarsClosed() if at is not None:
                self._change(bars={**state.bars, at: event.known_ns})
            case InstrumentTold() if at is not None:
                self._change(instruments={**state.instruments, at: event})
            case MarketSessionTold() if at is not None:
                self._change(sessions={**state.sessions, at: event})
            case QualityTold() if at is not None:
                self._change(quality={**state.quality, at: event})
            case ConditionsTold() if at is not None:
                self._change(conditions={**state.conditions, at: event})
            case _:
                pass

    def _link(self, event: LinkChanged) -> None:
        """Note a channel that went down or came up; one that is up and says so again is alive."""
        down = dict(self.state.down)
        if event.link is not Link.UP:
            down.setdefault(event.channel, event.known_ns)
            self._change(down=down)
            return
        down.pop(event.channel, None)
        alive = event.channel is Channel.ACCOUNT
        self._change(down=down, private_ns=event.known_ns if alive else self.state.private_ns)

    def _change(self, **values: Any) -> None:
        self.state = msgspec.structs.replace(self.state, **values)


def waiver_key(strategy: StrategyId, instrument: InstrumentId) -> str:
    """Return the name under which a waiver is kept."""
    return f"{instrument} {strategy}"
