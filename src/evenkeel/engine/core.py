"""The core: a pure state machine from events to commands.

`apply` folds a fact, decides, and folds what was decided. State changes only by folding an entry of the journal, so
`fold` alone rebuilds it after a crash, and deciding again from the same facts must conclude the same. Nothing here
awaits, reads a clock, opens a file or draws a number: time comes with events and ids are derived.

    core = Core(facts, strategy, gates, features)
    step = core.apply(BarsClosed(...))
    # journal step.event, step.decisions and step.commands, then carry the commands out
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from evenkeel.execution.order_life import moved
from evenkeel.model.bar import Floats
from evenkeel.model.command import CancelEntry, Command, SubmitEntry, SubmitExit
from evenkeel.model.decision import (
    CancelOrdered,
    Decision,
    EntryApproved,
    EntryRefused,
    ExitOrdered,
    RunStopped,
    StrategyRemembered,
)
from evenkeel.model.errors import InvariantBroken, UsageError, invariant
from evenkeel.model.event import (
    AnyEvent,
    BarsClosed,
    FundingPosted,
    LimitBreached,
    OrderAccepted,
    OrderDied,
    OrderFilled,
    PortfolioOrdered,
    PortfolioStated,
    StretchEnded,
)
from evenkeel.model.ids import ClientId, InstrumentId, Leg, OrderIds, RunId, StrategyId
from evenkeel.model.intent import Abstain, Enter, Intent, Leave, OrderKind
from evenkeel.model.number import to_decimal, to_float
from evenkeel.model.order import Order, OrderState
from evenkeel.model.reason import ExitReason, Reason, StopReason
from evenkeel.risk.gates.entry import Sized
from evenkeel.strategies.strategy import Strategy, View

_WHOLE = Decimal(1)


class FeatureSource(Protocol):
    """Where the core reads features: closed bars only, the same arrays in every mode."""

    def at(self, segment: int, bar: int) -> tuple[Floats, int, int, float]:
        """Return window, column, close time and close of an execution bar."""


class Gates(Protocol):
    """Who says whether an entry may be made, and how large it is."""

    def judge(
        self, intent: Enter, *, equity: Decimal, price: float, free: Decimal | None = None, day_trades: int = 0
    ) -> Sized | Reason:
        """Return the size of an entry, or the first reason against it; see `evenkeel.risk.gates.entry.EntryGates`."""

    def part(self, quantity: Decimal, fraction: Decimal) -> Decimal:
        """Return a fraction of a held quantity, rounded down to the lot; 0 where that is less than one."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What identifies a run; ids derive from it.

    Attributes:
        mode: One of the modes of `evenkeel.model.ids.MODE_LETTERS`.
        run: The run's id.
        strategy: The strategy's id.
        instrument: What it trades.
        start_equity: Money at the start, account currency.
    """

    mode: str
    run: RunId
    strategy: StrategyId
    instrument: InstrumentId
    start_equity: Decimal


class Position(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is held.

    Attributes:
        quantity: Signed units.
        price: Of the entry.
        opened_bar: Execution bar in progress when it was opened.
        trade: Number of the trade.
    """

    quantity: Decimal
    price: Decimal
    opened_bar: int
    trade: int


@dataclass(slots=True)
class State:
    """Everything the next decision depends on, features and the strategy's own memory aside.

    Attributes:
        cash: Start equity plus every posting so far.
        position: What is held, or None.
        orders: Orders that are not final.
        trades: Number of the last trade.
        dead_entries: Entries of the next trade that ended without a fill.
        stopped: Why the run opens nothing more, or None.
        memory: What the strategy last wanted to remember.
        exits: Orders so far that were to close the position or a part of it.
        entered_bar: Execution bar at which the last entry order of this stretch was placed.
        portfolio: What the playbook that the strategy is a part of last said; None without one.
    """

    cash: Decimal
    position: Position | None = None
    orders: dict[ClientId, Order] = field(default_factory=dict)
    trades: int = 0
    dead_entries: int = 0
    stopped: StopReason | None = None
    memory: dict[str, Any] = field(default_factory=dict)
    exits: int = 0
    entered_bar: int | None = None
    portfolio: PortfolioStated | None = None

    def pending(self, leg: Leg) -> Order | None:
        """Return the open order of a leg."""
        for order in self.orders.values():
            if order.leg is leg:
                return order
        return None


class Step(msgspec.Struct, frozen=True, gc=False):
    """What one event led to, in journal order.

    Attributes:
        event: What happened.
        decisions: What was concluded.
        commands: What must be done.
    """

    event: AnyEvent
    decisions: tuple[Decision, ...]
    commands: tuple[Command, ...]


class Core:
    """One account, one strategy, one instrument.

    Attributes:
        strategy: What decides.
        state: Changed by `fold` only.
        strategy: What decides.
    """

    def __init__(self, facts: RunFacts, strategy: Strategy, gates: Gates, features: FeatureSource) -> None:
        self.facts = facts
        self.state = State(cash=facts.start_equity)
        self.strategy = strategy
        self._history = strategy.program.decisions.reach
        self._gates = gates
        self._features = features
        self._blank = strategy.checkpoint()
        self._ids = OrderIds(facts.mode, run=facts.run, strategy=facts.strategy, instrument=facts.instrument)
        self._foldings = self._how_to_fold()
        self._decidings: dict[type, Callable[[Any], tuple[tuple[Decision, ...], tuple[Command, ...]]]] = {
            BarsClosed: self._decide_bar, LimitBreached: self._decide_limit, StretchEnded: self._decide_end,
            PortfolioOrdered: self._decide_order, OrderFilled: self._decide_fill,
        }  # fmt: skip

    def saved(self) -> State:
        """Return a copy of the state, as it is stored."""
        return replace(self.state, orders=dict(self.state.orders))

    def restore(self, state: State) -> None:
        """Take over a state that was stored, and give the strategy back what it remembered."""
        self.state = state
        if state.memory:
            self.strategy.restore(state.memory)

    def forget(self) -> None:
        """Drop what the strategy remembered: it was another one, in code or parameters."""
        self.state.memory = {}
        self.strategy.restore(self._blank)

    @property
    def features(self) -> FeatureSource:
        """Where features come from."""
        return self._features

    def apply(self, event: AnyEvent) -> Step:
        """Fold a fact, decide, fold what was decided, and return all of it."""
        self.fold(event)
        decisions, commands = self.decide(event)
        for decision in decisions:
            self.fold(decision)
        for command in commands:
            self.fold(command)
        return Step(event, decisions, commands)

    def fold(self, entry: AnyEvent | Decision | Command) -> None:
        """Change the state by one entry of the journal; nothing else changes it."""
        folding = self._foldings.get(type(entry))
        if folding is not None:
            folding(entry)

    def _how_to_fold(self) -> dict[type, Callable[[Any], None]]:
        """Return what each type of entry changes; the others change nothing."""
        return {
            OrderFilled: self._fold_fill,
            OrderAccepted: lambda accepted: self._move(accepted.client_id, OrderState.WORKING),
            OrderDied: lambda died: self._move(died.client_id, _DEATHS.get(died.reason, OrderState.CANCELLED)),
            EntryApproved: self._fold_approval,
            ExitOrdered: lambda ordered: self._fold_exit_order(ordered.order),
            FundingPosted: self._fold_funding,
            RunStopped: self._fold_stop,
            StrategyRemembered: self._fold_memory,
            SubmitEntry: lambda command: self._move(command.client_id, OrderState.SENT),
            SubmitExit: lambda command: self._move(command.client_id, OrderState.SENT),
            CancelEntry: lambda command: self._move(command.client_id, OrderState.CANCELLED),
            StretchEnded: self._fold_stretch_end,
            PortfolioStated: self._fold_portfolio,
        }

    def _fold_approval(self, approved: EntryApproved) -> None:
        self.state.orders[approved.order.client_id] = approved.order
        self.state.entered_bar = approved.bar

    def _fold_funding(self, posted: FundingPosted) -> None:
        self.state.cash += posted.amount

    def _fold_stop(self, stopped: RunStopped) -> None:
        self.state.stopped = stopped.reason

    def _fold_memory(self, remembered: StrategyRemembered) -> None:
        self.state.memory = remembered.memory
        self.strategy.restore(remembered.memory)

    def _fold_stretch_end(self, _: StretchEnded) -> None:
        self.state.entered_bar = None

    def _fold_portfolio(self, stated: PortfolioStated) -> None:
        self.state.portfolio = stated

    def _fold_exit_order(self, order: Order) -> None:
        invariant(self.state.position is not None, "an exit was ordered without a position")
        self.state.exits += 1
        self.state.orders[order.client_id] = order

    def _fold_fill(self, fill: OrderFilled) -> None:
        """Post a fill; one that does not fit, such as a second report of the same one, is refused before it counts."""
        state, held = self.state, self.state.position
        if fill.leg is Leg.ENTRY:
            invariant(
                held is None or self._is_piece(fill, held), "an entry filled while a position was held", row=fill.row
            )
        else:
            invariant(
                _reduces(fill.quantity, held),
                "an exit fills against the position and for no more than is held",
                row=fill.row,
            )
        if fill.client_id is not None and fill.kind is not OrderKind.SPLIT:
            self._move(fill.client_id, OrderState.PARTIAL if fill.left else OrderState.FILLED, left=fill.left)
        state.cash += fill.gross - fill.fee
        if fill.leg is Leg.ENTRY and held is not None:
            price = fill.price if fill.average is None else fill.average
            state.position = msgspec.structs.replace(held, quantity=held.quantity + fill.quantity, price=price)
        elif fill.leg is Leg.ENTRY:
            trade = state.trades + 1 if fill.trade is None else fill.trade
            if trade > state.trades:
                state.trades, state.exits = trade, 0
            state.position = Position(quantity=fill.quantity, price=fill.price, opened_bar=fill.bar, trade=trade)
        elif held is not None:
            left = held.quantity + fill.quantity
            state.position = msgspec.structs.replace(held, quantity=left) if left else None
            if not left:
                self._drop_exits()

    def _is_piece(self, fill: OrderFilled, held: Position) -> bool:
        """Whether a fill is a further piece of the entry that opened the position, or what a split brought."""
        if fill.kind is OrderKind.SPLIT:
            return self._is_split(fill, held)
        if fill.client_id is None:
            return fill.trade == held.trade
        order = self.state.orders.get(fill.client_id)
        return order is not None and order.trade == held.trade

    def _is_split(self, fill: OrderFilled, held: Position) -> bool:
        """Whether new units leave what was paid for a position as it is, to less than a lot; told twice they do not."""
        if fill.average is None:
            return False
        moved_by = abs((held.quantity + fill.quantity) * fill.average - held.quantity * held.price)
        return moved_by <= self.strategy.instrument.lot_size * fill.average

    def _drop_exits(self) -> None:
        """A pending close dies with the position it was for: the venue clamps it to nothing."""
        for order in [o for o in self.state.orders.values() if o.leg in (Leg.EXIT, Leg.GUARD)]:
            self._move(order.client_id, OrderState.CANCELLED)

    def _move(self, identity: ClientId, state: OrderState, *, left: Decimal | None = None) -> None:
        order = self.state.orders.get(identity)
        if order is None:
            raise InvariantBroken(f"a report names an order that does not exist ({identity})")
        after = moved(order, state)
        if left:
            after = msgspec.structs.replace(after, quantity=left.copy_sign(order.quantity))
        if not after.state.is_final:
            self.state.orders[identity] = after
            return
        del self.state.orders[identity]
        if order.leg is Leg.ENTRY:
            filled = state is OrderState.FILLED or order.state is OrderState.PARTIAL
            self.state.dead_entries = 0 if filled else self.state.dead_entries + 1

    def decide(self, event: AnyEvent) -> tuple[tuple[Decision, ...], tuple[Command, ...]]:
        """Conclude what follows from a fact that has been folded; nothing changes."""
        deciding = self._decidings.get(type(event))
        return ((), ()) if deciding is None else deciding(event)

    def _decide_bar(self, event: BarsClosed) -> tuple[tuple[Decision, ...], tuple[Command, ...]]:
        """Ask the strategy at the close of an execution bar, and note what it wants to remember."""
        view = self._view(event)
        wish = self.strategy.decide(view)
        decisions, commands = self._answer(wish, view, event)
        memory = self.strategy.checkpoint()
        if memory != self.state.memory:
            decisions = (*decisions, StrategyRemembered(memory=memory))
        return decisions, commands

    def _answer(self, wish: Intent, view: View, event: BarsClosed) -> tuple[tuple[Decision, ...], tuple[Command, ...]]:
        match wish:
            case Enter():
                return self._enter(wish, view, event)
            case Leave():
                if self.state.position is None:
                    return self._refuse(Reason.REDUCE_ONLY_NO_POSITION, wish.reason)
                return self._leave(wish.reason, ExitReason.SIGNAL, view.time_ns, leg=Leg.EXIT, fraction=wish.fraction)
            case Abstain():
                return self._refuse(wish.reason, "")
            case _:
                raise UsageError(
                    f"{self.strategy.name}.decide answered {wish!r}; it must return an intent: long, short, close or "
                    "nothing"
                )

    def _view(self, event: BarsClosed) -> View:
        x, column, time_ns, close = self._features.at(event.segment, event.bar)
        held = self.state.position
        seen = x if self.strategy.kernel is not None else x[:, : column + 1]
        return View(
            time_ns=time_ns, bar=event.bar, price=close, x=seen, column=column, history=self._history,
            position=0 if held is None else (1 if held.quantity > 0 else -1),
            entry_price=float("nan") if held is None else to_float(held.price),
            bars_held=0 if held is None else event.bar - held.opened_bar + 1,
            since_entry=None if self.state.entered_bar is None else event.bar - self.state.entered_bar,
        )  # fmt: skip

    def _enter(self, wish: Enter, view: View, event: BarsClosed) -> tuple[tuple[Decision, ...], tuple[Command, ...]]:
        state = self.state
        if state.stopped is not None:
            return self._refuse(Reason.ENTRIES_DISABLED, wish.reason)
        if state.position is not None or state.orders:
            return self._refuse(Reason.POSITION_EXISTS, wish.reason)
        portfolio = state.portfolio
        if portfolio is not None and (refusal := _side(portfolio, wish)) is not Reason.OK:
            return self._refuse(refusal, wish.reason)
        equity = state.cash if portfolio is None else portfolio.equity
        if event.equity is not None:
            equity = event.equity
        verdict = self._gates.judge(wish, equity=equity, free=event.free, price=view.price, day_trades=event.day_trades)
        if isinstance(verdict, Reason):
            return self._refuse(verdict, wish.reason)
        if portfolio is not None and verdict.quantity > portfolio.room:
            return self._refuse(Reason.EXPOSURE_LIMIT, wish.reason)
        trade, reference = state.trades + 1, to_decimal(view.price)
        order = Order(
            client_id=self._ids.of(trade, Leg.ENTRY, attempt=state.dead_entries + 1), trade=trade, leg=Leg.ENTRY,
            kind=wish.kind, quantity=verdict.quantity * wish.direction.sign, price=wish.price,
            time_in_force=wish.time_in_force, decided_ns=view.time_ns, reason=wish.reason, notes=wish.notes,
        )  # fmt: skip
        command = SubmitEntry(
            client_id=order.client_id, trade=trade, kind=order.kind, quantity=order.quantity, price=order.price,
            trigger=wish.trigger, time_in_force=order.time_in_force, expire_bars=wish.expire_bars,
            stop_distance=verdict.stop_distance, target_distance=verdict.target_distance,
            trail_distance=wish.trail_distance, reference=reference,
        )  # fmt: skip
        approved = EntryApproved(
            order=order, reference=reference, stop_distance=verdict.stop_distance,
            target_distance=verdict.target_distance, bar=view.bar,
        )  # fmt: skip
        return (approved,), (command,)

    def _leave(
        self, words: str, reason: ExitReason, time_ns: int, *, leg: Leg, at_last_close: bool = False,
        fraction: Decimal = _WHOLE, entry: Reason | None = Reason.CANCELLED, overtakes: bool = False,
    ) -> tuple[tuple[Decision, ...], tuple[Command, ...]]:  # fmt: skip
        held = self.state.position
        if held is None or self._closes(held, whole=at_last_close or overtakes):
            return (), ()
        quantity = -self._gates.part(held.quantity, fraction)
        if not quantity:
            return self._refuse(Reason.BELOW_MIN_QUANTITY, words)
        order = Order(
            client_id=self._ids.of(held.trade, leg, attempt=self.state.exits + 1), trade=held.trade, leg=leg,
            kind=OrderKind.MARKET, quantity=quantity, price=None, decided_ns=time_ns, reason=words,
        )  # fmt: skip
        command = SubmitExit(
            client_id=order.client_id, trade=held.trade, leg=leg, quantity=quantity, reason=reason,
            at_last_close=at_last_close,
        )  # fmt: skip
        decisions, commands = ((), ()) if entry is None else self._withdraw(entry)
        return (*decisions, ExitOrdered(order=order)), (*commands, command)

    def _withdraw(self, reason: Reason) -> tuple[tuple[Decision, ...], tuple[Command, ...]]:
        """Withdraw what is left of an entry."""
        entry = self.state.pending(Leg.ENTRY)
        if entry is None:
            return (), ()
        return (CancelOrdered(client_id=entry.client_id, reason=reason),), (CancelEntry(client_id=entry.client_id),)

    def _closes(self, held: Position, *, whole: bool) -> bool:
        """Whether an order that closes the position is pending; `whole`: one that closes all of it."""
        pending = (self.state.pending(Leg.EXIT), self.state.pending(Leg.GUARD))
        return any(order is not None and (not whole or order.quantity == -held.quantity) for order in pending)

    def _decide_fill(self, fill: OrderFilled) -> tuple[tuple[Decision, ...], tuple[Command, ...]]:
        """Stop the run after a liquidation; close what a partial exit left of a position in a run that has stopped."""
        stopped = self.state.stopped
        if fill.exit_reason is ExitReason.LIQUIDATION and stopped is None:
            if self.strategy.terms.account.margin.goes_on:
                return (), ()
            return (RunStopped(reason=StopReason.LIQUIDATED),), ()
        if stopped is None:
            return (), ()
        return self._leave(stopped.value, _exit_of(stopped), fill.event_ns, leg=Leg.GUARD)

    def _refuse(self, reason: Reason, detail: str) -> tuple[tuple[Decision, ...], tuple[Command, ...]]:
        """Write the refusal of a wish, at every close at which it is wished: a refusal ends that wish alone."""
        if reason is Reason.OK:
            return (), ()
        return (EntryRefused(reason=reason, detail=detail),), ()

    def _decide_limit(self, event: LimitBreached) -> tuple[tuple[Decision, ...], tuple[Command, ...]]:
        """Stop the run: withdraw the entry, close the position; another instrument of the account may be to blame."""
        stop = RunStopped(reason=event.limit)
        withdrawn, cancels = self._withdraw(Reason.ENTRIES_DISABLED)
        decisions, commands = self._leave(
            event.limit.value, _exit_of(event.limit), event.event_ns, leg=Leg.GUARD, overtakes=True, entry=None
        )
        return (stop, *withdrawn, *decisions), (*cancels, *commands)

    def _decide_order(self, event: PortfolioOrdered) -> tuple[tuple[Decision, ...], tuple[Command, ...]]:
        """Obey the playbook: withdraw the entry, close the position, and open nothing more if the playbook stops."""
        stops = event.reason is ExitReason.PLAYBOOK and self.state.stopped is None
        stopped: tuple[Decision, ...] = (RunStopped(reason=StopReason.PLAYBOOK),) if stops else ()
        why = Reason.REGIME_INACTIVE if event.reason is ExitReason.REGIME else Reason.ENTRIES_DISABLED
        decisions, commands = self._withdraw(why)
        if event.holds:
            return (*stopped, *decisions), commands
        left, sent = self._leave(event.reason.value, event.reason, event.event_ns, leg=Leg.GUARD, entry=None)
        return (*stopped, *decisions, *left), (*commands, *sent)

    def _decide_end(self, event: StretchEnded) -> tuple[tuple[Decision, ...], tuple[Command, ...]]:
        """Carry nothing over the end of a stretch: withdraw the entry, close the position at the last close."""
        decisions, commands = self._withdraw(event.reason)
        reason = ExitReason.DATA_GAP if event.reason is Reason.DATA_GAP else ExitReason.END_OF_DATA
        left, sent = self._leave(reason.value, reason, event.event_ns, leg=Leg.GUARD, at_last_close=True, entry=None)
        return (*decisions, *left), (*commands, *sent)


def _exit_of(stop: StopReason) -> ExitReason:
    """Return why a position leaves that the stop of the run closes; a liquidation is that of another position."""
    return ExitReason.FORCE if stop is StopReason.LIQUIDATED else ExitReason(stop.value)


def _side(portfolio: PortfolioStated, wish: Enter) -> Reason:
    return portfolio.long if wish.direction.sign > 0 else portfolio.short


def _reduces(quantity: Decimal, held: Position | None) -> bool:
    """Whether a fill makes a position smaller, at most to nothing."""
    if held is None or not quantity or (quantity > 0) == (held.quantity > 0):
        return False
    return abs(quantity) <= abs(held.quantity)


_DEATHS = {Reason.EXPIRED: OrderState.EXPIRED}
