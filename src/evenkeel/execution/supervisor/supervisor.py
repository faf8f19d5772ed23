"""Brackets and orders of an account, folded together, and the commands that they need now."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple, TypeAlias

import msgspec

from evenkeel.execution.findings import Counted, Finding, FindingCode, Strayed, Told
from evenkeel.execution.orders import CLOSED_MAX, OrderBook
from evenkeel.execution.supervisor.bracket import Bracket, Closing, changed, filled, heard, placed, strayed
from evenkeel.execution.supervisor.levels import followed
from evenkeel.execution.supervisor.plan import (
    Circumstances,
    Wish,
    WishAmend,
    WishCancel,
    WishClose,
    WishPlace,
    deadlines,
    plan,
    unprotected,
)
from evenkeel.execution.supervisor.venue_terms import Capabilities, Timing
from evenkeel.model.command import AmendOrder, CancelOrder, LookUpOrder, PlaceOrder, VenueCommand
from evenkeel.model.errors import InvariantBroken
from evenkeel.model.ids import ClientId, InstrumentId, Leg, RunId, StrategyId, client_id
from evenkeel.model.order import OrderState, VenueOrder
from evenkeel.model.report import Act, Executed, SendResolved, VenueEvent

OWN_ATTEMPTS = 1_000
"""Orders of the supervisor's own count their attempts from here, those that a strategy's core names from 1."""


class TradeKey(NamedTuple):
    """Which trade."""

    strategy: StrategyId
    instrument: InstrumentId
    trade: int


@dataclass(frozen=True, slots=True)
class Identity:
    """From what ids of orders derive.

    Attributes:
        mode: Of the run.
        run: Its id.
    """

    mode: str
    run: RunId


class CloseTrade(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="close_trade", tag_field="type"):
    """The supervisor decided to close a trade.

    Attributes:
        key: Which.
        closing: How.
        why: In words.
        alarm: Whether a person must be told at once.
    """

    key: TradeKey
    closing: Closing
    why: str
    alarm: bool


Need: TypeAlias = VenueOrder | WishAmend | WishCancel | LookUpOrder | CloseTrade
"""What is needed; all but a question and a decision must be approved before it becomes a command."""


@dataclass(slots=True)
class Heard:
    """What an event meant for trades.

    Attributes:
        fills: What counts, with the bracket before it.
        strayed: Fills under an order that cannot be its own.
        findings: What should not be.
        moved: Orders whose state changed, with the state before.
    """

    fills: list[tuple[TradeKey, Counted]] = field(default_factory=list)
    strayed: list[tuple[TradeKey, Strayed]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    moved: list[tuple[VenueOrder, OrderState]] = field(default_factory=list)


class SavedTrades(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The trades of a supervisor as they are stored; its orders are stored by themselves."""

    brackets: tuple[Bracket, ...]
    over: tuple[Bracket, ...]
    unprotected_ns: int
    closes: dict[InstrumentId, int]


class Supervisor:
    """The trades of an account at one venue.

    Attributes:
        identity: From what ids of orders derive.
        book: Orders.
        brackets: Trades that hold something or have orders at work.
        over: The last trades that do not, oldest first; a late message brings one back.
        unprotected_ns: How long positions were without their protection, all together.
        stops_needed: Whether a position without a stop must have a person's leave; the account's limits say it.
        closes: When the last base bar closed that was told, by instrument.
    """

    def __init__(
        self, identity: Identity, ticks: dict[InstrumentId, Decimal], venue: Capabilities, timing: Timing
    ) -> None:
        prefix = client_id(
            identity.mode, run=identity.run, strategy=StrategyId("s"), instrument=InstrumentId("I.V"), trade=1,
            leg=Leg.ENTRY, attempt=1,
        )[:2]  # fmt: skip
        self.identity, self._ticks, self._venue, self._timing = identity, ticks, venue, timing
        self.book = OrderBook(prefix, venue.visible_ns, ticks)
        self.brackets: dict[TradeKey, Bracket] = {}
        self.over: OrderedDict[TradeKey, Bracket] = OrderedDict()
        self.unprotected_ns = 0
        self.stops_needed = False
        self.closes: dict[InstrumentId, int] = {}

    def saved(self) -> SavedTrades:
        """Return all trades, as they are stored."""
        return SavedTrades(
            brackets=tuple(self.brackets.values()), over=tuple(self.over.values()), unprotected_ns=self.unprotected_ns,
            closes=dict(self.closes),
        )  # fmt: skip

    def restore(self, saved: bytes) -> None:
        """Take over what was stored."""
        state = msgspec.msgpack.decode(saved, type=SavedTrades)
        self.brackets = {_trade(bracket): bracket for bracket in state.brackets}
        self.over = OrderedDict((_trade(bracket), bracket) for bracket in state.over)
        self.unprotected_ns, self.closes = state.unprotected_ns, state.closes

    def open_trade(self, bracket: Bracket, entry: VenueOrder) -> None:
        """Fold the entry order of a trade, whose command follows.

        A trade whose first entry came to nothing begins anew under its number, perhaps to the other side; only the
        count of its orders goes on, because ids derive from it. One that holds something already is joined.
        """
        key = _key(entry)
        before = self.brackets.get(key) or self.over.pop(key, None)
        if before is not None and before.held:
            bracket = msgspec.structs.replace(
                before, entry=entry.client_id, entry_until_bar=bracket.entry_until_bar, lapsed=False
            )
        elif before is not None:
            bracket = msgspec.structs.replace(bracket, stops=before.stops, targets=before.targets, exits=before.exits)
        self.brackets[key] = bracket

    def bracket_of(self, order: VenueOrder) -> Bracket | None:
        """Return the trade of an order; None where there is none at work."""
        return self.brackets.get(_key(order))

    def close_trade(self, key: TradeKey, closing: Closing) -> None:
        """Fold that a trade is to be closed; a wish to close all overtakes one to close a part."""
        bracket = self._bracket(key)
        if bracket.closing is None or (bracket.closing.quantity is not None and closing.quantity is None):
            self.brackets[key] = msgspec.structs.replace(bracket, closing=closing)

    def withdraw(self, identity: ClientId) -> None:
        """Fold that an entry is not wanted any more; it is withdrawn as soon as it rests."""
        order = self.book.open.get(identity)
        if order is not None:
            key = _key(order)
            self.brackets[key] = msgspec.structs.replace(self._bracket(key), withdrawn=identity)

    def fold(self, event: VenueEvent) -> Heard:
        """Fold what the venue told."""
        before = {identity: order.state for identity, order in self.book.open.items()}
        result = self._heard(self.book.fold(event), before, event.known_ns)
        if isinstance(event, SendResolved) and event.act is Act.AMEND:
            self._note_change(event)
        return result

    def _note_change(self, event: SendResolved) -> None:
        order = self.book.get(event.client_id)
        bracket = None if order is None else self.brackets.get(_key(order))
        if order is not None and bracket is not None and order.leg in (Leg.STOP, Leg.TARGET):
            self.brackets[_key(order)] = changed(bracket, event.outcome, event.known_ns)

    def base_closed(self, instrument: InstrumentId, close: Decimal, closed_ns: int) -> None:
        """Fold a base close: stops that move follow it; one that is told again or late moves nothing.

        Args:
            instrument: Whose bar it is.
            close: Its last price.
            closed_ns: When it closed.
        """
        if closed_ns <= self.closes.get(instrument, -1):
            return
        self.closes[instrument] = closed_ns
        for key, bracket in list(self.brackets.items()):
            since = bracket.first_fill_ns
            if key.instrument == instrument and since is not None and closed_ns > since:
                self.brackets[key] = followed(bracket, close, self._ticks[instrument])

    def bar_closed(self, instrument: InstrumentId, bar: int) -> None:
        """Fold the close of an execution bar: entries whose life it ends have expired."""
        for key, bracket in list(self.brackets.items()):
            until = bracket.entry_until_bar
            if key.instrument == instrument and until is not None and bar >= until and not bracket.lapsed:
                self.brackets[key] = msgspec.structs.replace(bracket, lapsed=True)

    def day(self, executions: Iterable[Executed], since_ns: int, asked_ns: int) -> Heard:
        """Fold the complete list of what the venue executed; see `OrderBook.day`."""
        before = {identity: order.state for identity, order in self.book.open.items()}
        return self._heard(self.book.day(executions, since_ns, asked_ns), before, asked_ns)

    def trade_elsewhere(self, key: TradeKey, quantity: Decimal) -> None:
        """Fold that units of a trade changed hands without an order of ours."""
        self.brackets[key] = strayed(self._bracket(key), quantity)

    def fold_command(self, command: VenueCommand, at_ns: int) -> Heard:
        """Fold a command; what the venue told of an order before we knew of it counts now."""
        before = {identity: order.state for identity, order in self.book.open.items()}
        told = Told()
        match command:
            case PlaceOrder():
                key = _key(command.order)
                self.brackets[key] = placed(self._bracket(key), command.order.leg)
                before[command.order.client_id] = OrderState.INTENDED
                told = self.book.place(command.order)
            case AmendOrder():
                self.book.amend(command.client_id, command.amendment, at_ns)
            case CancelOrder():
                self.book.cancel(command.client_id, at_ns)
            case LookUpOrder():
                self.book.lookup(command.client_id, at_ns)
        return self._heard(told, before, at_ns)

    def price(self, instrument: InstrumentId, last: Decimal, at_ns: int) -> None:
        """Fold a price: note since when it has been beyond the stop of a position."""
        for key, bracket in list(self.brackets.items()):
            if key.instrument != instrument or bracket.stop_price is None:
                continue
            beyond = bracket.held != 0 and bracket.direction * (last - bracket.stop_price) < 0
            if beyond != (bracket.beyond_ns is not None):
                self.brackets[key] = msgspec.structs.replace(bracket, beyond_ns=at_ns if beyond else None)

    def watch(self, now_ns: int) -> list[Finding]:
        """Fold that time has passed: note since when positions lack protection, and give up on strangers' messages."""
        findings: list[Finding] = []
        for key, bracket in list(self.brackets.items()):
            orders = self._orders(key)
            bare = unprotected(bracket, orders, now_ns, stops_needed=self.stops_needed)
            if bare and bracket.naked_ns is None:
                self.brackets[key] = msgspec.structs.replace(bracket, naked_ns=now_ns)
            elif not bare and bracket.naked_ns is not None:
                passed = now_ns - bracket.naked_ns
                self.unprotected_ns += passed
                self.brackets[key] = msgspec.structs.replace(bracket, naked_ns=None, bare_ns=bracket.bare_ns + passed)
            if not orders and (not bracket.held or bracket.is_dust):
                findings += self._end(key)
        return findings + self.book.expire(now_ns).findings

    @property
    def unprotected_since_ns(self) -> int | None:
        """Since when some position has lacked its protection; None where none does."""
        return min((b.naked_ns for b in self.brackets.values() if b.naked_ns is not None), default=None)

    def unprotected_for(self, now_ns: int) -> dict[TradeKey, int]:
        """Return for how long each trade in hand has been without its protection, all together; nanoseconds."""
        return {
            key: bracket.bare_ns + (0 if bracket.naked_ns is None else now_ns - bracket.naked_ns)
            for key, bracket in self.brackets.items()
        }

    def waive(self, strategy: StrategyId, instrument: InstrumentId, until_ns: int) -> None:
        """Fold that a person lets the positions of a strategy be without a stop for a time."""
        for key, bracket in list(self.brackets.items()):
            if (key.strategy, key.instrument) == (strategy, instrument):
                self.brackets[key] = msgspec.structs.replace(bracket, waived_until_ns=until_ns)

    def needs(self, now_ns: int, *, entries_allowed: bool = True, flattens: bool = False) -> Iterator[Need]:
        """Yield what is to be commanded or decided now.

        Args:
            now_ns: The time.
            entries_allowed: Whether entries may rest.
            flattens: Whether everything is to be closed.
        """
        for identity in self.book.doubtful(now_ns):
            yield LookUpOrder(client_id=identity, asked_ns=now_ns)
        at = Circumstances(
            now_ns, self._venue, self._timing, entries_allowed=entries_allowed, flattens=flattens,
            stops_needed=self.stops_needed,
        )  # fmt: skip
        for key, bracket in list(self.brackets.items()):
            for wish in plan(bracket, self._orders(key), at):
                yield self._need(key, bracket, wish, now_ns)

    def next_deadline(self, now_ns: int) -> int | None:
        """Return when something may be needed though nothing happens; what is due by now was looked at already."""
        stamps = self.book.deadlines()
        for key, bracket in self.brackets.items():
            stamps += deadlines(bracket, self._orders(key), self._timing)
        return min((stamp for stamp in stamps if stamp > now_ns), default=None)

    def held(self, instrument: InstrumentId) -> Decimal:
        """Return the signed units that all trades of an instrument hold."""
        return sum((b.held for key, b in self.brackets.items() if key.instrument == instrument), Decimal(0))

    def _need(self, key: TradeKey, bracket: Bracket, wish: Wish, now_ns: int) -> Need:
        match wish:
            case WishPlace():
                return self._order(key, bracket, wish, now_ns)
            case WishAmend() | WishCancel():
                return wish
            case WishClose():
                closing = Closing(reason=wish.reason, leg=Leg.GUARD, quantity=wish.quantity, since_ns=now_ns)
                return CloseTrade(key=key, closing=closing, why=wish.why, alarm=wish.alarm)

    def _order(self, key: TradeKey, bracket: Bracket, wish: WishPlace, now_ns: int) -> VenueOrder:
        count = {Leg.STOP: bracket.stops, Leg.TARGET: bracket.targets}.get(wish.leg, bracket.exits)
        leg = wish.leg if wish.client_id is not None or wish.leg in (Leg.STOP, Leg.TARGET) else Leg.GUARD
        identity = wish.client_id
        if identity is None:
            identity = client_id(
                self.identity.mode, run=self.identity.run, strategy=key.strategy, instrument=key.instrument,
                trade=key.trade, leg=leg, attempt=OWN_ATTEMPTS + count,
            )  # fmt: skip
        return VenueOrder(
            client_id=identity, strategy=key.strategy, instrument=key.instrument, trade=key.trade, leg=leg,
            kind=wish.kind, quantity=wish.quantity, price=wish.price, trigger=wish.trigger,
            reduces=self._venue.reduce_only, placed_ns=now_ns, moved_ns=now_ns,
        )  # fmt: skip

    def _heard(self, told: Told, before: dict[ClientId, OrderState], at_ns: int) -> Heard:
        """Carry what a fold of the orders meant over to the brackets."""
        result = Heard(findings=told.findings)
        for one in told.counted:
            key = _key(one.order)
            self.brackets[key] = filled(self._bracket(key), one, self._ticks[key.instrument], at_ns)
            result.fills.append((key, one))
        for stray in told.strayed:
            key = _key(stray.order)
            if stray.instrument == key.instrument:
                self.brackets[key] = strayed(self._bracket(key), stray.quantity)
            result.strayed.append((key, stray))
        for identity in dict.fromkeys(told.touched):
            order = self.book.get(identity)
            was = before.get(identity)
            if order is not None and was is None and not order.state.is_final:
                self._take_back(order)
            if order is None or was is None or was is order.state:
                continue
            key = _key(order)
            self.brackets[key] = heard(self._bracket(key), was, order, at_ns)
            result.moved.append((order, was))
        return result

    def _take_back(self, order: VenueOrder) -> None:
        """Manage an order again that was over for us and is at work; an entry is not wanted any more."""
        key = _key(order)
        bracket = self._bracket(key)
        if order.leg is Leg.ENTRY:
            self.brackets[key] = msgspec.structs.replace(bracket, withdrawn=order.client_id)

    def _end(self, key: TradeKey) -> list[Finding]:
        """Put a trade aside of which nothing that can be sold is held, and no order is at work."""
        bracket = self.brackets.pop(key)
        self.over[key] = bracket
        if len(self.over) > CLOSED_MAX:
            self.over.popitem(last=False)
        if not bracket.is_dust:
            return []
        words = f"{bracket.held} {key.instrument} of trade {key.trade} is less than a lot and stays"
        return [Finding(code=FindingCode.DUST, client_id=bracket.entry, detail=words)]

    def _orders(self, key: TradeKey) -> list[VenueOrder]:
        return [order for order in self.book.open.values() if _key(order) == key]

    def _bracket(self, key: TradeKey) -> Bracket:
        bracket = self.brackets.get(key)
        if bracket is None:
            bracket = self.over.pop(key, None)
            if bracket is None:
                raise InvariantBroken(f"an order belongs to a trade that does not exist ({key})")
            self.brackets[key] = bracket
        return bracket


def _trade(bracket: Bracket) -> TradeKey:
    return TradeKey(bracket.strategy, bracket.instrument, bracket.trade)


def _key(order: VenueOrder) -> TradeKey:
    return TradeKey(order.strategy, order.instrument, order.trade)
