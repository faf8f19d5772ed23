"""A bracket: one trade as the supervisor knows it."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from evenkeel.execution.findings import Counted
from evenkeel.execution.supervisor.levels import Rest, Rules, anchored
from evenkeel.model.ids import ClientId, InstrumentId, Leg, StrategyId
from evenkeel.model.order import OrderState, VenueOrder
from evenkeel.model.reason import ExitReason
from evenkeel.model.report import Outcome


class Closing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """That a position, or a part of it, is to be closed.

    Attributes:
        reason: How the trade is to be recorded.
        leg: `exit` for a wish of the strategy, `guard` for a limit, a person or the supervisor itself.
        client_id: Under which the strategy's core knows it; None where that was not asked.
        quantity: Unsigned units of a part; None closes all.
        since_ns: When it was wanted.
        tried: Whether an order was placed for it; the first one carries the id that the strategy's core knows.
    """

    reason: ExitReason
    leg: Leg
    client_id: ClientId | None = None
    quantity: Decimal | None = None
    since_ns: int
    tried: bool = False


class Bracket(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A trade at a venue; its orders are in the order book, its fills are theirs.

    Attributes:
        strategy: Whose trade it is.
        instrument: What it trades.
        trade: Its number.
        direction: +1 long, -1 short.
        stop_distance: From the entry price to the stop; None trades without one.
        target_distance: From the entry price to the target; None has none.
        entry: Id of the last entry order.
        bought: Signed units of all entry orders filled.
        bought_value: Price times unsigned quantity of those.
        sold: Signed units of all other orders filled.
        stop_price: Where the stop must rest; None before the first fill, and of a trade without one.
        target_price: Where the target must rest.
        first_fill_ns: When the entry first filled.
        naked_ns: Since when the position has not had its protection; None while it has, or while it is being closed.
        beyond_ns: Since when the price has been beyond the stop.
        closing: That it is to be closed.
        stops: How many stop orders there were; likewise `targets` and `exits` of the supervisor's own.
        failed_stops: How many of them were rejected since one last rested.
        failed_exits: How many exits failed since one last filled.
        exit_ns: When the last exit failed.
        target_fill_ns: When the target that rests first filled.
        waived_until_ns: Until when a person lets it be without a stop.
        excess: Unsigned units held beyond what was asked for, which are to be sold.
        withdrawn: Id of the entry that the strategy does not want any more.
        rules: How stop and targets move.
        stop_by: How the trade is to be recorded if its stop closes it: by the stop that it came with, or what moved it.
        armed: Whether the stop follows the price already.
        evened: Whether it went to break-even already.
        rests: The targets of a ladder, nearest first.
        cashed: Unsigned units that targets closed.
        failed_changes: How often a change of its stop or target was refused since one was accepted.
        change_ns: When the last one was.
        entry_until_bar: Execution bar at whose close what is left of the entry is withdrawn; None is never.
        lapsed: Whether that bar has closed.
        bare_ns: How long it was without its protection, all together.
    """

    strategy: StrategyId
    instrument: InstrumentId
    trade: int
    direction: int
    stop_distance: Decimal | None
    target_distance: Decimal | None
    entry: ClientId
    bought: Decimal = Decimal(0)
    bought_value: Decimal = Decimal(0)
    sold: Decimal = Decimal(0)
    stop_price: Decimal | None = None
    target_price: Decimal | None = None
    first_fill_ns: int | None = None
    naked_ns: int | None = None
    beyond_ns: int | None = None
    closing: Closing | None = None
    stops: int = 0
    targets: int = 0
    exits: int = 0
    failed_stops: int = 0
    failed_exits: int = 0
    exit_ns: int | None = None
    target_fill_ns: int | None = None
    waived_until_ns: int | None = None
    excess: Decimal = Decimal(0)
    withdrawn: ClientId | None = None
    rules: Rules = Rules()
    stop_by: ExitReason = ExitReason.STOP_LOSS
    armed: bool = False
    evened: bool = False
    rests: tuple[Rest, ...] = ()
    cashed: Decimal = Decimal(0)
    failed_changes: int = 0
    change_ns: int | None = None
    entry_until_bar: int | None = None
    lapsed: bool = False
    bare_ns: int = 0

    @property
    def held(self) -> Decimal:
        """Signed units held by this trade."""
        return self.bought + self.sold

    @property
    def average(self) -> Decimal:
        """Average entry price; 0 before the first fill."""
        return self.bought_value / abs(self.bought) if self.bought else Decimal(0)

    @property
    def is_dust(self) -> bool:
        """Whether something is held that is less than a lot: no order can close it."""
        return 0 < abs(self.held) < self.rules.lot

    @property
    def target(self) -> Rest:
        """The target in force: its price, None without one, and unsigned units; of a ladder the next step's."""
        done = Decimal(0)
        for rest in self.rests[:-1]:
            done += rest.quantity
            if done > self.cashed and rest.price is not None:
                return Rest(price=rest.price, quantity=min(done - self.cashed, abs(self.held)))
        price = self.rests[-1].price if self.rests else self.target_price
        return Rest(price=price, quantity=abs(self.held))


def filled(bracket: Bracket, counted: Counted, tick: Decimal, at_ns: int) -> Bracket:
    """Return the bracket after a change of what one of its orders has filled."""
    order = counted.order
    if order.leg is Leg.ENTRY:
        bracket = msgspec.structs.replace(
            bracket, bought=bracket.bought + counted.quantity, bought_value=bracket.bought_value + counted.value,
            first_fill_ns=at_ns if bracket.first_fill_ns is None else bracket.first_fill_ns,
            excess=bracket.excess + _beyond(counted),
        )  # fmt: skip
        return anchored(bracket, tick) if bracket.bought else bracket
    first_of_target = order.leg is Leg.TARGET and order.left and bracket.target_fill_ns is None
    closing = bracket.closing
    rest_of_target = order.leg is Leg.GUARD and closing is not None and closing.reason is ExitReason.TAKE_PROFIT
    cashes = order.leg is Leg.TARGET or rest_of_target
    return msgspec.structs.replace(
        bracket, sold=bracket.sold + counted.quantity,
        cashed=bracket.cashed - counted.quantity * bracket.direction if cashes else bracket.cashed,
        target_fill_ns=at_ns if first_of_target else bracket.target_fill_ns,
        failed_exits=0 if order.leg in (Leg.EXIT, Leg.GUARD) else bracket.failed_exits,
        excess=max(bracket.excess - abs(counted.quantity), Decimal(0)) if order.leg is Leg.GUARD else bracket.excess,
    )  # fmt: skip


def _beyond(counted: Counted) -> Decimal:
    """Return by how much a change of an entry's fill went beyond what was ordered, or came back to it."""
    order, quantity = counted.order, counted.quantity * counted.order.sign
    whole = abs(order.quantity)
    return max(order.filled - whole, Decimal(0)) - max(order.filled - quantity - whole, Decimal(0))


def strayed(bracket: Bracket, quantity: Decimal) -> Bracket:
    """Return the bracket after units of its instrument changed hands under an order that cannot have done it."""
    more = quantity * bracket.direction > 0
    return msgspec.structs.replace(
        bracket, sold=bracket.sold + quantity, excess=bracket.excess + (abs(quantity) if more else 0)
    )


def placed(bracket: Bracket, leg: Leg) -> Bracket:
    """Return the bracket after the command that places one of its orders."""
    closing = bracket.closing
    if closing is not None and leg in (Leg.EXIT, Leg.GUARD):
        closing = msgspec.structs.replace(closing, tried=True)
    return msgspec.structs.replace(
        bracket,
        closing=closing,
        stops=bracket.stops + (leg is Leg.STOP),
        targets=bracket.targets + (leg is Leg.TARGET),
        exits=bracket.exits + (leg in (Leg.EXIT, Leg.GUARD)),
    )


def heard(bracket: Bracket, before: OrderState, order: VenueOrder, at_ns: int) -> Bracket:
    """Return the bracket after one of its orders moved to another state."""
    lost = order.state in (OrderState.REJECTED, OrderState.ABORTED)
    match order.leg:
        case Leg.STOP if order.state is OrderState.WORKING:
            return msgspec.structs.replace(_renewed(bracket, before), failed_stops=0)
        case Leg.TARGET if order.state is OrderState.WORKING:
            return _renewed(bracket, before)
        case Leg.STOP if lost and not before.is_final:
            return msgspec.structs.replace(bracket, failed_stops=bracket.failed_stops + 1)
        case Leg.TARGET if order.state.is_final:
            return msgspec.structs.replace(bracket, target_fill_ns=None)
        case Leg.EXIT | Leg.GUARD if order.state.is_final and not before.is_final:
            failed = order.state is not OrderState.FILLED
            closing = bracket.closing
            if closing is not None and closing.quantity is not None and closing.tried:
                closing = None
            return msgspec.structs.replace(
                bracket, closing=closing, exit_ns=at_ns if failed else None,
                failed_exits=bracket.failed_exits + 1 if failed else 0,
            )  # fmt: skip
    return bracket


def _renewed(bracket: Bracket, before: OrderState) -> Bracket:
    """Return the bracket after a stop or target began to rest: what was refused of the one before is past."""
    if before is OrderState.REPLACE_PENDING:
        return bracket
    return msgspec.structs.replace(bracket, failed_changes=0, change_ns=None)


def changed(bracket: Bracket, outcome: Outcome, at_ns: int) -> Bracket:
    """Return the bracket after the venue answered a change of its stop or target."""
    if outcome is Outcome.ACCEPTED:
        return msgspec.structs.replace(bracket, failed_changes=0, change_ns=None)
    if outcome is Outcome.REFUSED:
        return msgspec.structs.replace(bracket, failed_changes=bracket.failed_changes + 1, change_ns=at_ns)
    return bracket
