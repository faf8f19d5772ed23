"""A desk: the core of one strategy on one instrument, and what the venue's plain orders mean to it.

The core speaks of entries with distances and hears of fills and deaths; the supervisor speaks of orders. A desk
translates, and so makes a broker look to the core as the simulated venue does.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple, TypeAlias

import msgspec

from evenkeel.engine.account.part import KeepsFeatures
from evenkeel.engine.core import Core, State
from evenkeel.execution.findings import Counted
from evenkeel.execution.supervisor.bracket import Bracket, Closing
from evenkeel.execution.supervisor.levels import Rules, Rung
from evenkeel.features.live import LiveFeatures
from evenkeel.model.command import SubmitEntry, SubmitExit
from evenkeel.model.event import BarsClosed, FillPoint, OrderAccepted, OrderDied, OrderFilled
from evenkeel.model.ids import InstrumentId, Leg, StrategyId
from evenkeel.model.intent import OrderKind, TimeInForce
from evenkeel.model.order import OrderState, VenueOrder
from evenkeel.model.reason import ExitReason, Reason
from evenkeel.model.time import MINUTE
from evenkeel.risk.gates.numeric import NumericGates

BPS = 10_000

DeskEvent: TypeAlias = OrderFilled | OrderDied | OrderAccepted

_DEATHS = {
    OrderState.CANCELLED: Reason.CANCELLED, OrderState.EXPIRED: Reason.EXPIRED, OrderState.REJECTED: Reason.REJECTED,
    OrderState.ABORTED: Reason.ABORTED,
}  # fmt: skip
_KINDS = {Leg.STOP: OrderKind.STOP, Leg.TARGET: OrderKind.TAKE_PROFIT}


class DeskId(NamedTuple):
    """Which desk."""

    strategy: StrategyId
    instrument: InstrumentId


class SavedDesk(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A desk as it is stored.

    Attributes:
        segment: Unbroken stretch of the data.
        bar: Execution bar in progress.
        core: State of its core.
        features: What its features keep; None where they keep nothing.
    """

    segment: int
    bar: int
    core: State
    features: bytes | None


class Desk:
    """One strategy on one instrument.

    Attributes:
        id: Which.
        core: Its state machine.
        segment: Unbroken stretch of the data that the last bar was of; -1 before the first.
        bar: Execution bar in progress.
        tick: Smallest step of a price.
        instrument: Definition of what it trades.
        terms: Of its strategy.
        interval_ns: Length of an execution bar.
        numeric: The numeric gates of its account and instrument.
        estranged: Whether the entries that are folded were written with a strategy of other code or parameters.
    """

    def __init__(self, identity: DeskId, core: Core, tick: Decimal, stop_ticks: int = 2) -> None:
        """Begin before the first bar.

        Args:
            identity: Which desk.
            core: The strategy's state machine.
            tick: Smallest step of a price.
            stop_ticks: How many of them the limit of a stop lies beyond its trigger, where it has one.
        """
        self.id, self.core, self.tick, self._stop_ticks = identity, core, tick, stop_ticks
        self.segment, self.bar, self.estranged = -1, 0, False
        strategy = core.strategy
        self.instrument, self.terms = strategy.instrument, strategy.terms
        self.interval_ns = strategy.program.exec.minutes * MINUTE
        self.numeric = NumericGates(strategy.terms, strategy.instrument)
        self._least_bars = max(
            (
                -(-bars * timeframe.minutes // strategy.program.exec.minutes)
                for timeframe, bars in strategy.program.warmup.items()
            ),
            default=0,
        )

    @property
    def is_warm(self) -> bool:
        """Whether the bars that its strategy needs before it decides have closed."""
        features = self.core.features
        if isinstance(features, LiveFeatures):
            return features.first is not None
        return self.bar + 1 >= self._least_bars

    @property
    def position(self) -> Decimal:
        """Signed units that the core believes to hold."""
        held = self.core.state.position
        return Decimal(0) if held is None else held.quantity

    def saved(self) -> SavedDesk:
        """Return all of it, as it is stored."""
        features = self.core.features
        kept = features.saved() if isinstance(features, KeepsFeatures) else None
        return SavedDesk(segment=self.segment, bar=self.bar, core=self.core.saved(), features=kept)

    def restore(self, saved: bytes) -> None:
        """Take over what was stored."""
        state = msgspec.msgpack.decode(saved, type=SavedDesk)
        self.segment, self.bar = state.segment, state.bar
        self.core.restore(state.core)
        if state.features is not None and isinstance(self.core.features, KeepsFeatures):
            self.core.features.restore(state.features)

    def is_next(self, event: BarsClosed) -> bool:
        """Whether a bar is later than every one before: one that is told twice or too late decides nothing."""
        return (event.segment, event.bar) > (self.segment, self.bar)

    def hear_bar(self, event: BarsClosed) -> None:
        """Fold the close of an execution bar."""
        self.segment, self.bar = event.segment, event.bar
        self.core.fold(event)

    def bracket(self, command: SubmitEntry) -> Bracket:
        """Return the trade that an entry begins."""
        return Bracket(
            strategy=self.id.strategy, instrument=self.id.instrument, trade=command.trade,
            direction=1 if command.quantity > 0 else -1, stop_distance=command.stop_distance,
            target_distance=command.target_distance, entry=command.client_id, rules=self._rules(command),
            entry_until_bar=self.bar + command.expire_bars if command.expire_bars else None,
        )  # fmt: skip

    def _rules(self, command: SubmitEntry) -> Rules:
        """Return how stop and targets of a trade move, by the terms of its strategy."""
        order, instrument = self.core.strategy.terms.order, self.core.strategy.instrument
        trail, even = order.trail, order.break_even
        return Rules(
            trail_activation=None if trail is None else trail.activation, trail_distance=command.trail_distance,
            trail_fraction=None if trail is None else trail.fraction,
            even_activation=None if even is None else even.activation,
            even_offset=Decimal(0) if even is None else even.offset,
            ladder=tuple(Rung(ratio=s.ratio, fraction=s.fraction, share=s.share) for s in order.ladder),
            reference=command.reference, lot=instrument.lot_size,
            stop_offset=self._stop_ticks * self.tick if order.stop_is_limit else None,
        )  # fmt: skip

    def order(self, command: SubmitEntry, now_ns: int, life_ns: int | None) -> VenueOrder:
        """Return the order of an entry as a venue gets it."""
        return VenueOrder(
            client_id=command.client_id, strategy=self.id.strategy, instrument=self.id.instrument, trade=command.trade,
            leg=Leg.ENTRY, kind=command.kind, quantity=command.quantity, price=_price(command),
            trigger=_trigger(command), time_in_force=command.time_in_force, placed_ns=now_ns, moved_ns=now_ns,
            expires_ns=None if life_ns is None or command.kind is OrderKind.MARKET else now_ns + life_ns,
        )  # fmt: skip

    def entry(
        self, command: SubmitEntry, now_ns: int, life_ns: int | None, collar_bps: Decimal | None
    ) -> VenueOrder:  # fmt: skip
        """Return the order of an entry as it goes out: one at the market as a limit at the collar (ruling 38).

        Args:
            command: The entry.
            now_ns: The time.
            life_ns: So long it may rest.
            collar_bps: How far from the price that was decided on it may fill, basis points; None: anywhere.
        """
        order = self.order(command, now_ns, life_ns)
        if order.kind is not OrderKind.MARKET or command.reference is None or collar_bps is None:
            return order
        price = command.reference * (1 + order.sign * collar_bps / BPS)
        inside = ROUND_FLOOR if order.sign > 0 else ROUND_CEILING
        return msgspec.structs.replace(
            order, kind=OrderKind.LIMIT, price=(price / self.tick).to_integral_value(inside) * self.tick,
            time_in_force=TimeInForce.IOC, expires_ns=None if life_ns is None else now_ns + life_ns,
        )  # fmt: skip

    def closing(self, command: SubmitExit, now_ns: int) -> Closing:
        """Return the wish to close that an exit is."""
        whole = command.quantity is None or abs(command.quantity) >= abs(self.position)
        return Closing(
            reason=command.reason, leg=command.leg, client_id=command.client_id,
            quantity=None if whole or command.quantity is None else abs(command.quantity), since_ns=now_ns,
        )  # fmt: skip

    def hear_fill(self, bracket: Bracket, counted: Counted, gross: Decimal, now_ns: int) -> OrderFilled | None:
        """Fold a change of what an order of this desk has filled; return what the core heard, None if nothing.

        What does not fit what the core holds is not told to it: the supervisor closes it, and the books have it.
        """
        order, quantity = counted.order, counted.quantity
        held = self.position
        if order.leg is Leg.ENTRY and quantity * bracket.direction > 0:
            if not self._may_join(order):
                return None
        elif order.leg is Leg.ENTRY or held * quantity >= 0:
            price = abs(counted.value / quantity)
            return self.hear_change(order.trade, quantity, price, counted.fee, gross, now_ns)
        else:
            quantity = quantity if abs(quantity) <= abs(held) else -held
        event = self._filled(bracket, counted, quantity, gross, now_ns)
        self.core.fold(event)
        return event

    def hear_change(
        self, trade: int, quantity: Decimal, price: Decimal, fee: Decimal, gross: Decimal, now_ns: int
    ) -> OrderFilled | None:  # fmt: skip
        """Fold units of the trade in hand that came or went by no order of the core; return what the core heard.

        A venue took an execution back, or executed something else than was ordered. Of another trade the core hears
        nothing: what is left of that is closed.
        """
        held = self.core.state.position
        if held is None or held.trade != trade:
            return None
        goes = held.quantity * quantity < 0
        event = OrderFilled(
            event_ns=now_ns, known_ns=now_ns, instrument=self.id.instrument, client_id=None, trade=trade,
            leg=Leg.GUARD if goes else Leg.ENTRY, kind=OrderKind.MARKET,
            quantity=min(quantity, -held.quantity, key=abs) if goes else quantity,
            price=price, average=None if goes else held.price, fee=fee, gross=gross, slippage=Decimal(0), taker=True,
            row=-1, bar=self.bar, point=FillPoint.INSIDE, exit_reason=ExitReason.FORCE if goes else None,
        )  # fmt: skip
        self.core.fold(event)
        return event

    def holds(self, bracket: Bracket) -> bool:
        """Whether the core holds the trade of a bracket: what it does not hold nobody manages."""
        held = self.core.state.position
        return held is not None and held.trade == bracket.trade and held.quantity * bracket.held > 0

    def hear_move(self, order: VenueOrder, now_ns: int) -> DeskEvent | None:
        """Fold that an order of this desk moved to another state; return what the core heard, None if nothing.

        An order that filled and that the core still has filled for a trade that the core does not hold: it is over.
        """
        known = self.core.state.orders.get(order.client_id)
        if known is None:
            return None
        event: DeskEvent
        if order.state.is_final:
            reason = _DEATHS.get(order.state, Reason.CANCELLED)
            event = OrderDied(
                event_ns=now_ns, known_ns=now_ns, client_id=order.client_id, reason=reason,
                instrument=self.id.instrument,
            )  # fmt: skip
        elif order.state is OrderState.WORKING and known.state is OrderState.SENT and order.leg is Leg.ENTRY:
            event = OrderAccepted(
                event_ns=now_ns, known_ns=now_ns, client_id=order.client_id, instrument=self.id.instrument
            )
        else:
            return None
        self.core.fold(event)
        return event

    def _may_join(self, order: VenueOrder) -> bool:
        """Whether the core can take a fill of an entry: it holds that trade, or nothing and no later one has begun."""
        state = self.core.state
        if state.position is not None:
            return state.position.trade == order.trade
        if any(other.leg is Leg.ENTRY and other.trade != order.trade for other in state.orders.values()):
            return False
        return order.trade in (state.trades, state.trades + 1)

    def _filled(
        self, bracket: Bracket, counted: Counted, quantity: Decimal, gross: Decimal, now_ns: int
    ) -> OrderFilled:  # fmt: skip
        order, entry = counted.order, counted.order.leg is Leg.ENTRY
        known = self.core.state.orders.get(order.client_id)
        left = None if known is None or order.state is OrderState.FILLED else abs(order.quantity) - order.filled
        reason = {Leg.STOP: bracket.stop_by, Leg.TARGET: ExitReason.TAKE_PROFIT}.get(order.leg)
        if not entry and reason is None:
            reason = ExitReason.FORCE if bracket.closing is None else bracket.closing.reason
        piece = entry and self.core.state.position is not None
        return OrderFilled(
            event_ns=now_ns, known_ns=now_ns, instrument=self.id.instrument,
            client_id=order.client_id if known is not None else None, trade=order.trade, leg=order.leg,
            kind=_KINDS.get(order.leg, order.kind), quantity=quantity, left=left or None,
            price=abs(counted.value / counted.quantity), average=bracket.average if piece else None, fee=counted.fee,
            gross=gross, slippage=Decimal(0), taker=True, row=-1, bar=self.bar, point=FillPoint.INSIDE,
            exit_reason=reason, stop_price=bracket.stop_price, target_price=bracket.target_price,
        )  # fmt: skip


def _price(command: SubmitEntry) -> Decimal | None:
    return None if command.kind is OrderKind.STOP else command.price


def _trigger(command: SubmitEntry) -> Decimal | None:
    return command.price if command.kind is OrderKind.STOP else command.trigger
