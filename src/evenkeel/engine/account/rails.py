"""What stands between an account and too large a loss: its losses, its submissions, and what it stands on.

Folded from what broker, process and persons tell, from the account's own fills and from its commands; the triggers of a
halt (`evenkeel.engine.account.watching`) and the gates read it. What is realised has one definition, the net of the
books: every change of it counts in session, week and month at once, fees and corrections too.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from evenkeel.model.command import PlaceOrder
from evenkeel.model.event import Event, Operated, Operation, SessionBegan
from evenkeel.model.ids import ClientId, InstrumentId, StrategyId
from evenkeel.model.order import OrderState, VenueOrder
from evenkeel.model.told import (
    AlertDelivered,
    AlertUndelivered,
    Channel,
    EquityTold,
    EquityUnread,
    IncidentTold,
    Link,
    LinkChanged,
    MarginCalled,
    Overridden,
    QueueMeasured,
    SeedFailed,
    SeedTold,
    SessionOpened,
    StorageTold,
    Store,
    Transferred,
    Waived,
    WatchdogSeen,
)
from evenkeel.risk import guardrails as losses
from evenkeel.risk import submissions
from evenkeel.risk.breaker import drawdown_ever
from evenkeel.risk.guardrails import Guardrails
from evenkeel.risk.halt_facts import Exceeded
from evenkeel.risk.ladder import Rung, rung
from evenkeel.risk.limits.limits import Limits
from evenkeel.risk.resume import Incident, ResumeRefused
from evenkeel.risk.submissions import Submissions

_UNANSWERED = (OrderState.INTENDED, OrderState.SENT, OrderState.UNKNOWN)


class Resumed(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="resumed", tag_field="type"):
    """The resume procedure passed: what happened before is known to a person, and is counted anew.

    Attributes:
        rebase: Whether the drawdown was accepted and the peaks begin anew.
    """

    rebase: bool = False


class ResumeDenied(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="resume_denied", tag_field="type"):
    """A request to trade again was refused, and nothing changed.

    Attributes:
        refused: Why.
    """

    refused: ResumeRefused


class Running(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A trade that holds something.

    Attributes:
        strategy: Whose it is.
        instrument: In what.
        trade: Its number.
        net: What it has brought so far, after fees.
    """

    strategy: StrategyId
    instrument: InstrumentId
    trade: int
    net: Decimal = Decimal(0)


class RailsState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Everything that is folded here.

    Attributes:
        guardrails: Losses, peaks, streaks and health.
        rung: Of the drawdown ladder.
        submissions: The last orders, and what became of them.
        booked: Net of the books up to now, of which every change is realised.
        running: Trades that hold something.
        unanswered: Orders sent that the venue has neither taken nor rejected.
        opened_ns: When the session of the exchange began, `known_ns`.
        closes_ns: When it closes; None: it does not, or is not known.
        margin_called: The broker's words of a margin event; None: there was none since the last resume.
        exhausted: Whether every attempt to connect the order channel again failed.
        queued_ns: Since when the oldest bar waits in the queue; None: none waits.
        queued_bar_ns: Length of that bar.
        save_failures: Failures in a row to save the state.
        watchdog_ns: The watchdog's last sign of life; None: there is none to be there.
        undelivered_ns: Since when a critical alert reaches nobody.
        allowed: Until when a person allowed something, by its name.
        exceeded: Limits that fills left exceeded, since the last resume.
        overfilled: The order that filled beyond its quantity; empty: none since the last resume.
        suspect: What a venue said that cannot be; empty: nothing since the last resume.
        flatten_ns: Since when the account is to be flat; None: it need not.
        incident: What a person wrote about a halt.
    """

    guardrails: Guardrails = Guardrails()
    rung: Rung = Rung.NONE
    submissions: Submissions = Submissions()
    booked: Decimal = Decimal(0)
    running: tuple[Running, ...] = ()
    unanswered: tuple[ClientId, ...] = ()
    opened_ns: int | None = None
    closes_ns: int | None = None
    margin_called: str | None = None
    exhausted: bool = False
    queued_ns: int | None = None
    queued_bar_ns: int = 0
    save_failures: int = 0
    watchdog_ns: int | None = None
    undelivered_ns: int | None = None
    allowed: dict[str, int] = {}
    exceeded: tuple[Exceeded, ...] = ()
    overfilled: str = ""
    suspect: str = ""
    flatten_ns: int | None = None
    incident: Incident | None = None


class Rails:
    """The rails of one account.

    Attributes:
        state: Changed by folding only.
    """

    def __init__(self, limits: Limits) -> None:
        self.state, self._limits = RailsState(), limits

    @property
    def guardrails(self) -> Guardrails:
        """Losses, peaks, streaks and health."""
        return self.state.guardrails

    def saved(self) -> RailsState:
        """Return everything that the next decision depends on."""
        return self.state

    def restore(self, saved: bytes) -> None:
        """Take over what was stored."""
        self.state = msgspec.msgpack.decode(saved, type=RailsState)

    def fold(self, event: Event) -> None:
        """Fold a fact; most change nothing here."""
        now = event.known_ns
        match event:
            case SessionBegan():
                alive = None if self.state.watchdog_ns is None else now
                self._change(
                    guardrails=losses.engine_started(self.guardrails), exhausted=False, queued_ns=None,
                    watchdog_ns=alive, save_failures=0, undelivered_ns=None,
                )  # fmt: skip
            case SessionOpened():
                self._open(event)
            case EquityTold() | EquityUnread() | SeedTold() | SeedFailed() | Transferred():
                self._change(guardrails=_money_told(self.guardrails, event))
                self._climb()
            case Waived() if event.instrument is not None:
                self._allow(f"{event.strategy} without a stop in {event.instrument}", event.until_ns, now)
            case Overridden():
                self._allow(event.what, event.until_ns, now)
            case Operated(operation=Operation.RESUME):
                left = {what: until for what, until in self.state.allowed.items() if until > now}
                self._change(allowed=left)
            case IncidentTold():
                self._change(incident=Incident(owner=event.owner, cause=event.cause, at_ns=now))
            case _:
                self._fold_process(event)

    def _fold_process(self, event: Event) -> None:
        """Fold what the process around the core tells of itself."""
        match event:
            case MarginCalled():
                self._change(margin_called=event.text)
            case LinkChanged(channel=Channel.ORDERS):
                self._change(exhausted=event.link is Link.EXHAUSTED)
            case QueueMeasured():
                self._change(queued_ns=event.since_ns, queued_bar_ns=event.bar_ns)
            case StorageTold(store=Store.STATE):
                self._change(save_failures=0 if event.ok else self.state.save_failures + 1)
            case WatchdogSeen():
                self._change(watchdog_ns=event.known_ns)
            case AlertUndelivered():
                since = self.state.undelivered_ns
                self._change(undelivered_ns=event.known_ns if since is None else since)
            case AlertDelivered():
                self._change(undelivered_ns=None)
            case _:
                pass

    def sent(self, command: PlaceOrder, now_ns: int) -> None:
        """Fold that an order was sent."""
        self._change(
            submissions=submissions.sent(self.state.submissions, now_ns),
            unanswered=(*self.state.unanswered, command.order.client_id),
        )

    def moved(self, order: VenueOrder) -> None:
        """Fold that an order moved to another state: the first one that the venue gave it is its answer."""
        if order.client_id not in self.state.unanswered or order.state in _UNANSWERED:
            return
        self._change(unanswered=tuple(name for name in self.state.unanswered if name != order.client_id))
        if order.state is not OrderState.ABORTED:
            rejected = order.state is OrderState.REJECTED
            self._change(submissions=submissions.answered(self.state.submissions, rejected=rejected))

    def booked(self, net: Decimal) -> None:
        """Fold what the books have realised by now, after fees and postings."""
        if net != self.state.booked:
            self._change(guardrails=losses.realised(self.guardrails, net - self.state.booked), booked=net)

    def filled(self, trade: Running, *, opens: bool) -> None:
        """Fold what a fill brought to its trade.

        Args:
            trade: With the net of this fill alone.
            opens: Whether it is of an entry order.
        """
        before = next((one for one in self.state.running if _same(one, trade)), None)
        if before is None and opens:
            self._change(guardrails=losses.entry_opened(self.guardrails), running=(*self.state.running, trade))
        elif before is not None:
            after = msgspec.structs.replace(before, net=before.net + trade.net)
            self._change(running=tuple(after if one is before else one for one in self.state.running))

    def over(self, trade: Running, now_ns: int) -> None:
        """Fold that a trade holds nothing any more."""
        self._change(
            guardrails=losses.trade_closed(self.guardrails, trade.strategy, trade.net, known_ns=now_ns),
            running=tuple(one for one in self.state.running if not _same(one, trade)),
        )

    def breached(self, found: tuple[Exceeded, ...]) -> None:
        """Fold that a fill left limits exceeded."""
        known = {one.name for one in self.state.exceeded}
        self._change(exceeded=(*self.state.exceeded, *(one for one in found if one.name not in known)))

    def doubted(self, *, overfilled: str = "", suspect: str = "") -> None:
        """Fold what the venue said or did that should not be; the first of each is kept."""
        self._change(
            overfilled=self.state.overfilled or overfilled,
            suspect=self.state.suspect or suspect,
        )

    def flattening(self, since_ns: int | None) -> None:
        """Fold since when the account is to be flat."""
        if since_ns is None or self.state.flatten_ns is None:
            self._change(flatten_ns=since_ns)

    def resumed(self, *, rebase: bool) -> None:
        """Fold that a person resumed trading."""
        self.state = forgiven(self.state)
        if rebase:
            self._change(guardrails=losses.rebased(self.guardrails), rung=Rung.NONE)
        self._climb()

    def _open(self, event: SessionOpened) -> None:
        before = self.guardrails.session
        after = losses.session_opened(self.guardrails, event.session, event.close)
        if before is None or event.session > before:
            self._change(opened_ns=event.known_ns)
        if before is None or event.session >= before:
            self._change(closes_ns=event.closes_ns)
        self._change(guardrails=after)
        self._climb()

    def _climb(self) -> None:
        fall = drawdown_ever(self.guardrails)
        if fall is not None:
            self._change(rung=rung(fall, self.state.rung, self._limits.losses))

    def _allow(self, what: str, until_ns: int, now_ns: int) -> None:
        others = {name: until for name, until in self.state.allowed.items() if name != what}
        self._change(allowed={**others, what: until_ns} if until_ns > now_ns else others)

    def _change(self, **values: Any) -> None:
        self.state = msgspec.structs.replace(self.state, **values)


def forgiven(state: RailsState) -> RailsState:
    """Return the state without what a resume forgives: what happened and does not last."""
    return msgspec.structs.replace(
        state, submissions=submissions.resumed(state.submissions), margin_called=None, exceeded=(), overfilled="",
        suspect="", flatten_ns=None,
    )  # fmt: skip


def _money_told(
    rails: Guardrails, event: EquityTold | EquityUnread | SeedTold | SeedFailed | Transferred
) -> Guardrails:
    match event:
        case EquityTold():
            return losses.equity_read(rails, event.equity, event.open_pnl, known_ns=event.known_ns)
        case EquityUnread():
            return losses.equity_unreadable(rails)
        case SeedTold():
            return losses.seed_told(rails, event.day, event.week, event.month)
        case SeedFailed():
            return losses.seed_failed(rails)
        case Transferred():
            return losses.transferred(rails, event.amount)


def _same(one: Running, other: Running) -> bool:
    return (one.strategy, one.instrument, one.trade) == (other.strategy, other.instrument, other.trade)
