"""Why an account did what it did, in plain English, from its journal alone.

Orders are folded as the engine folded them; no strategy is loaded and nothing is decided again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby

from evenkeel.engine.account.entry import HaltChanged, OfDesk
from evenkeel.engine.account.log import AccountOpened, Recorded
from evenkeel.execution.findings import Counted, Told
from evenkeel.execution.orders import OrderBook
from evenkeel.execution.supervisor.supervisor import CloseTrade, TradeKey
from evenkeel.execution.supervisor.venue_terms import Capabilities
from evenkeel.model.command import AmendOrder, CancelOrder, LookUpOrder, PlaceOrder
from evenkeel.model.decision import EntryApproved, EntryRefused, ExitOrdered
from evenkeel.model.errors import UsageError
from evenkeel.model.event import Event, Operated, PriceTold, SessionBegan
from evenkeel.model.halt import Halt
from evenkeel.model.ids import ClientId, InstrumentId, Leg
from evenkeel.model.number import plain
from evenkeel.model.order import OrderState, VenueOrder
from evenkeel.model.reason import Reason
from evenkeel.model.report import Executed, ExecutionBusted, LookedUp, OrderReported, SendResolved
from evenkeel.model.time import format_time
from evenkeel.risk.gates.check import Outcome
from evenkeel.risk.gates.judged import Judged
from evenkeel.risk.gates.request import Purpose

_WORDS = {
    OrderState.UNKNOWN: "What became of it is not known; the venue is asked.",
    OrderState.REJECTED: "The venue rejected it.",
    OrderState.CANCELLED: "It was withdrawn.",
    OrderState.EXPIRED: "It expired.",
    OrderState.ABORTED: "It never reached the venue.",
}
_LEGS = {Leg.ENTRY: "entry", Leg.STOP: "protective stop", Leg.TARGET: "target", Leg.EXIT: "exit", Leg.GUARD: "close"}


@dataclass(slots=True)
class Trade:
    """A trade that is being told.

    Attributes:
        key: Which.
        lines: What happened, a sentence a line.
        held: Signed units.
        value: What its fills brought, without fees.
        fees: Paid.
        filled: Whether anything filled.
    """

    key: TradeKey
    lines: list[str] = field(default_factory=list)
    held: Decimal = Decimal(0)
    value: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    filled: bool = False

    def story(self, multiplier: Decimal, currency: str) -> tuple[str, ...]:
        """Return all of it, with what it made where it is over."""
        if self.held:
            return (*self.lines, f"It still holds {plain(self.held)}.")
        gross = self.value * multiplier
        return (
            *self.lines,
            f"Result {plain(gross)} before costs, fees {plain(self.fees)}, net {plain(gross - self.fees)} {currency}.",
        )


class Telling:
    """One pass over the journal of an account.

    Attributes:
        trades: Of all strategies, in the order in which they first filled.
        refused: What was refused or stopped, with its instant.
        halt: What stops the account at the end of the pass.
    """

    def __init__(self, venue: Capabilities) -> None:
        self.halt = Halt()
        self.refused: list[tuple[int, str]] = []
        self._all: dict[TradeKey, Trade] = {}
        self._filled: list[TradeKey] = []
        self._book = OrderBook("", venue.visible_ns)
        self._states: dict[ClientId, OrderState] = {}
        self._prices: dict[InstrumentId, Decimal] = {}
        self._decided: dict[str, str] = {}
        self._agreed: dict[ClientId, str] = {}
        self._refusal: tuple[int, Reason] | None = None
        self._now_ns = 0

    @property
    def trades(self) -> list[Trade]:
        """Those that filled, in the order in which they first did."""
        return [self._all[key] for key in self._filled]

    def read(self, entries: Iterable[Recorded], until_ns: int | None = None) -> Telling:
        """Read the entries known by an instant; None reads all of them."""
        for entry in entries:
            if isinstance(entry, Event):
                if until_ns is not None and entry.known_ns > until_ns:
                    break
                self._now_ns = entry.known_ns
            self._entry(entry)
        return self

    def standing(self) -> list[str]:
        """Return how the account stands, a sentence a line."""
        lines = [f"At {format_time(self._now_ns)} the account is at halt level {self.halt.level.value}."]
        lines += [
            f"It is stopped by {reason.code.value}: {reason.text or reason.code.text}" for reason in self.halt.reasons
        ]
        for trade in self._all.values():
            if trade.held:
                price = self._prices.get(trade.key.instrument)
                at = "" if price is None else f"; the last price is {plain(price)}"
                lines.append(f"{trade.key.strategy} holds {plain(trade.held)} {trade.key.instrument}{at}.")
        lines += [f"At work: {_order(order)}, {order.state.value}." for order in self._book.open.values()]
        return lines + [f"{desk}: {words}" for desk, words in sorted(self._decided.items())]

    def _entry(self, entry: Recorded) -> None:
        match entry:
            case AccountOpened():
                for note in entry.notes:
                    self._refuse(f"a session began, and found: {note}")
            case SessionBegan():
                self._book.doubt(entry.known_ns)
                self._follow(list(self._book.open))
            case PriceTold(instrument=instrument, last=last) if instrument is not None:
                self._prices[instrument] = last
            case Operated():
                self._refuse(
                    f"{entry.by} asked for '{entry.operation.value}'" + (f": {entry.why}" if entry.why else "")
                )
            case HaltChanged():
                self._halted(entry.halt)
            case OfDesk():
                self._decide(entry)
            case Judged():
                self._judge(entry)
            case CloseTrade():
                self._trade(entry.key).lines.append(f"{self._at()} it is to be closed: {entry.why}.")
            case PlaceOrder() | AmendOrder() | CancelOrder() | LookUpOrder():
                self._command(entry)
            case SendResolved() | OrderReported() | Executed() | ExecutionBusted() | LookedUp():
                self._take(self._book.fold(entry))
        self._book.expire(self._now_ns)

    def _at(self) -> str:
        return f"At {format_time(self._now_ns)}"

    def _refuse(self, words: str) -> None:
        self.refused.append((self._now_ns, words))

    def _trade(self, key: TradeKey) -> Trade:
        return self._all.setdefault(key, Trade(key))

    def _trade_of(self, order: VenueOrder) -> Trade:
        return self._trade(TradeKey(order.strategy, order.instrument, order.trade))

    def _halted(self, halt: Halt) -> None:
        before = {reason.code for reason in self.halt.reasons}
        for reason in halt.reasons:
            if reason.code not in before:
                words = f": {reason.text}" if reason.text else ""
                self._refuse(f"halt level {reason.level.value}, {reason.code.value}. {reason.code.text}{words}")
        for code in before - {reason.code for reason in halt.reasons}:
            self._refuse(f"{code.value} is lifted by {halt.set_by}")
        self.halt = halt

    def _decide(self, entry: OfDesk) -> None:
        desk, what = f"{entry.desk.strategy} on {entry.desk.instrument}", entry.what
        match what:
            case EntryApproved(order=order):
                way = "long" if order.quantity > 0 else "short"
                words = (
                    f"the rule '{order.reason}' asked for a {way} entry; the bar had closed at {plain(what.reference)}"
                )
                trade = self._trade(TradeKey(entry.desk.strategy, entry.desk.instrument, order.trade))
                trade.lines.append(f"{self._at()} {words}.")
                self._decided[desk] = words
            case ExitOrdered(order=order):
                words = f"the rule '{order.reason}' asked to leave"
                trade = self._trade(TradeKey(entry.desk.strategy, entry.desk.instrument, order.trade))
                trade.lines.append(f"{self._at()} {words}.")
                self._decided[desk] = words
            case EntryRefused():
                rule = f" (rule {what.detail})" if what.detail else ""
                if self._refusal != (self._now_ns, what.reason):
                    self._refuse(f"{desk}: no entry{rule}: {what.reason.text}")
                self._decided[desk] = f"no entry{rule}: {what.reason.text}"

    def _judge(self, entry: Judged) -> None:
        if entry.is_refused:
            self._refusal = self._now_ns, entry.reason
            self._refuse(
                f"{entry.strategy} on {entry.instrument}: the gates refused {entry.purpose.value} "
                f"of {plain(entry.quantity)}: {entry.reason.text}{_figures(entry)}"
            )
        elif entry.purpose is Purpose.ENTRY:
            asked = sum(letter != "-" for letter in entry.vector)
            cut = f"; the size was cut to {plain(entry.approved)}" if abs(entry.approved) < abs(entry.quantity) else ""
            self._agreed[entry.client_id] = f"All {asked} gates that had a say agreed{cut}."

    def _command(self, command: PlaceOrder | AmendOrder | CancelOrder | LookUpOrder) -> None:
        match command:
            case PlaceOrder(order=order):
                self._states[order.client_id] = OrderState.SENT
                agreed = self._agreed.pop(order.client_id, None)
                self._trade_of(order).lines += [] if agreed is None else [agreed]
                self._trade_of(order).lines.append(f"{self._at()} {_order(order)} was sent.")
                self._take(self._book.place(order))
            case AmendOrder():
                self._book.amend(command.client_id, command.amendment, self._now_ns)
                order = self._book.open[command.client_id]
                self._trade_of(order).lines.append(f"{self._at()} {_order(order)} was asked to change.")
            case CancelOrder():
                self._book.cancel(command.client_id, self._now_ns)
                order = self._book.open[command.client_id]
                why = f": {command.why}" if command.why else ""
                self._trade_of(order).lines.append(f"{self._at()} {_order(order)} was asked to end{why}.")
            case LookUpOrder():
                self._book.lookup(command.client_id, self._now_ns)

    def _take(self, told: Told) -> None:
        for one in told.counted:
            self._fill(one)
        self._follow(told.touched)

    def _fill(self, one: Counted) -> None:
        trade = self._trade_of(one.order)
        trade.held += one.quantity
        trade.value -= one.value * one.order.sign
        trade.fees += one.fee
        if not one.quantity:
            return
        if not trade.filled:
            trade.filled = True
            self._filled.append(trade.key)
        verb = "bought" if one.quantity > 0 else "sold"
        late = ", after the order was over" if one.late else ""
        trade.lines.append(
            f"{self._at()} the {_LEGS[one.order.leg]} {verb} {plain(abs(one.quantity))} at "
            f"{plain(abs(one.value / one.quantity))}{late}; fee {plain(one.fee)}."
        )

    def _follow(self, touched: Iterable[ClientId]) -> None:
        for identity in dict.fromkeys(touched):
            order = self._book.get(identity)
            if order is None or self._states.get(identity) is order.state:
                continue
            self._states[identity] = order.state
            if order.state in _WORDS:
                self._trade_of(order).lines.append(f"{self._at()} {_order(order)}: {_WORDS[order.state]}")


def _order(order: VenueOrder) -> str:
    """Return an order in words."""
    verb = "buy" if order.quantity > 0 else "sell"
    at = "".join(
        f" {word} {plain(price)}"
        for word, price in (("stop", order.trigger), ("limit", order.price))
        if price is not None
    )
    return f"the {_LEGS[order.leg]} to {verb} {plain(abs(order.quantity))}{at or ' at the market'}"


def _figures(entry: Judged) -> str:
    """Return the figures of the gate that refused, where it compared some."""
    for check in entry.figures:
        if check.outcome in (Outcome.REFUSE, Outcome.UNKNOWN) and check.value is not None:
            limit = "" if check.limit is None else f" against {check.limit}"
            return f" ({check.value}{limit})"
    return ""


def refusals(entries: Iterable[Recorded], venue: Capabilities) -> list[str]:
    """Return what was refused, stopped or found, a sentence a line; the same thing again and again is one line."""
    told = Telling(venue).read(entries).refused
    lines = []
    for words, alike in groupby(told, key=lambda one: one[1]):
        times = [at for at, _ in alike]
        again = f" ({len(times)} times, until {format_time(times[-1])})" if len(times) > 1 else ""
        lines.append(f"{format_time(times[0])}  {words}{again}")
    return lines


def story(
    entries: Iterable[Recorded], venue: Capabilities, number: int, *, multipliers: dict[InstrumentId, Decimal],
    currency: str,
) -> tuple[str, ...]:  # fmt: skip
    """Return the story of a trade, counted from 1 in the order in which they first filled.

    Raises:
        UsageError: If there is no such trade.
    """
    trades = Telling(venue).read(entries).trades
    if not 1 <= number <= len(trades):
        raise UsageError(f"there is no trade {number}; the account has {len(trades)}, counted from 1")
    trade = trades[number - 1]
    return trade.story(multipliers.get(trade.key.instrument, Decimal(1)), currency)
