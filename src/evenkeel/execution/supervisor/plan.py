"""What a trade needs at its venue now: the difference between what must rest and what does.

`plan` is a pure function of bracket, orders and time. What it wants it wants again until the orders show it, so it is
asked after every event and at every deadline, and never remembers having asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

import msgspec

from evenkeel.execution.supervisor.bracket import Bracket, Closing
from evenkeel.execution.supervisor.venue_terms import Capabilities, Timing
from evenkeel.model.ids import ClientId, Leg
from evenkeel.model.intent import OrderKind
from evenkeel.model.order import Amendment, OrderState, VenueOrder
from evenkeel.model.reason import ExitReason

_S = OrderState
_RESTING = (_S.WORKING, _S.PARTIAL, _S.REPLACE_PENDING)
_QUIET = (_S.WORKING, _S.PARTIAL)


class WishPlace(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Place an order that makes the position smaller.

    Attributes:
        leg: Stop, target, exit or guard.
        kind: Market, limit or stop.
        quantity: Signed units.
        price: Limit price.
        trigger: Trigger price.
        client_id: Under which the strategy's core knows it; None is an order of the supervisor's own.
    """

    leg: Leg
    kind: OrderKind
    quantity: Decimal
    price: Decimal | None = None
    trigger: Decimal | None = None
    client_id: ClientId | None = None


class WishAmend(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Change an order at work.

    Attributes:
        client_id: Its id.
        amendment: What it is to become.
    """

    client_id: ClientId
    amendment: Amendment


class WishCancel(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Withdraw an order.

    Attributes:
        client_id: Its id.
        why: In words, for the journal.
    """

    client_id: ClientId
    why: str


class WishClose(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Close the position: it cannot be left as it is.

    Attributes:
        reason: How the trade is to be recorded.
        why: In words.
        alarm: Whether a person must be told at once.
        quantity: Unsigned units of a part; None closes all.
    """

    reason: ExitReason
    why: str
    alarm: bool = False
    quantity: Decimal | None = None


Wish: TypeAlias = WishPlace | WishAmend | WishCancel | WishClose


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a plan depends on beside the trade itself.

    Attributes:
        now_ns: The time.
        venue: What the venue can do.
        timing: How long things may take.
        entries_allowed: Whether entries may rest; not from halt level 3 on.
        flattens: Whether everything is to be closed, as at level 4.
        stops_needed: Whether a position without a stop must have a person's leave (ruling 52).
    """

    now_ns: int
    venue: Capabilities
    timing: Timing
    entries_allowed: bool = True
    flattens: bool = False
    stops_needed: bool = False


def plan(bracket: Bracket, orders: Sequence[VenueOrder], at: Circumstances) -> list[Wish]:
    """Return what is to be done for a trade now.

    Args:
        bracket: The trade.
        orders: Its orders that are not over.
        at: What else it depends on.
    """
    wishes: list[Wish] = [*_entries(bracket, orders, at)]
    held = bracket.held
    if held == 0:
        return wishes + _withdrawn([o for o in orders if o.leg is not Leg.ENTRY], "nothing is held that it could close")
    if bracket.is_dust:
        return wishes + _withdrawn([o for o in orders if o.leg is not Leg.ENTRY], "what is held is less than a lot")
    if held * bracket.direction < 0:
        return wishes + _turned(bracket, orders, at)
    if bracket.closing is None or (at.flattens and bracket.closing.quantity is not None):
        close = _must_close(bracket, orders, at)
        return [*wishes, close] if close is not None else wishes + _protect(bracket, orders, at)
    wishes += _flatten(bracket, orders, at, bracket.closing)
    return wishes if bracket.closing.quantity is None else wishes + _protect(bracket, orders, at)


def _turned(bracket: Bracket, orders: Sequence[VenueOrder], at: Circumstances) -> list[Wish]:
    """Close a position of the wrong side, which two legs that both filled have left."""
    worse = [order for order in orders if order.leg is not Leg.ENTRY and order.sign == (1 if bracket.held > 0 else -1)]
    wishes = _withdrawn(worse, "it would make a position of the wrong side larger")
    rest = [order for order in orders if order not in worse]
    return wishes + _flatten(bracket, rest, at, Closing(reason=ExitReason.FORCE, leg=Leg.GUARD, since_ns=at.now_ns))


def unprotected(bracket: Bracket, orders: Sequence[VenueOrder], now_ns: int, *, stops_needed: bool) -> bool:
    """Whether a position is held that its stop does not cover, that is not being closed, and without anyone's leave."""
    if bracket.held == 0 or bracket.is_dust:
        return False
    may_lack_it = is_waived(bracket, now_ns) or (bracket.stop_price is None and not stops_needed)
    if bracket.held * bracket.direction > 0 and may_lack_it:
        return False
    leaving = sum((o.left for o in orders if o.leg in (Leg.EXIT, Leg.GUARD) and o.state in _RESTING), Decimal(0))
    return covered(orders) + leaving < abs(bracket.held)


def covered(orders: Sequence[VenueOrder]) -> Decimal:
    """Return the unsigned units for which a stop rests at the venue for certain."""
    return sum((order.left for order in orders if order.leg is Leg.STOP and order.state in _RESTING), Decimal(0))


def deadlines(bracket: Bracket, orders: Sequence[VenueOrder], timing: Timing) -> list[int]:
    """Return when the plan of a trade may change though nothing happens."""
    stamps = [o.expires_ns for o in orders if o.leg is Leg.ENTRY and o.expires_ns is not None and o.state in _QUIET]
    if bracket.first_fill_ns is not None and any(o.leg is Leg.ENTRY and o.state in _QUIET for o in orders):
        stamps.append(bracket.first_fill_ns + timing.rest_life_ns)
    if bracket.held != 0:
        if bracket.closing is None:
            if bracket.naked_ns is not None:
                stamps.append(bracket.naked_ns + timing.naked_ns)
            if bracket.beyond_ns is not None:
                stamps.append(bracket.beyond_ns + timing.stop_fallback_ns)
            if bracket.target_fill_ns is not None:
                stamps.append(bracket.target_fill_ns + timing.target_rest_ns)
            if bracket.change_ns is not None:
                stamps.append(bracket.change_ns + timing.retry_ns)
            if bracket.waived_until_ns is not None:
                stamps.append(bracket.waived_until_ns)
        elif bracket.naked_ns is not None:
            stamps.append(bracket.naked_ns + timing.doubt_ns)
        if bracket.closing is not None and bracket.exit_ns is not None:
            stamps.append(_retry_ns(bracket.exit_ns, bracket, timing))
    return stamps


def _entries(bracket: Bracket, orders: Sequence[VenueOrder], at: Circumstances) -> list[Wish]:
    """Withdraw entries that may not rest any longer."""
    entries = [order for order in orders if order.leg is Leg.ENTRY]
    if not at.entries_allowed:
        return _withdrawn(entries, "entries are not allowed")
    if bracket.closing is not None or bracket.sold != 0:
        return _withdrawn(entries, "the position is being closed")
    if bracket.lapsed:
        return _withdrawn(entries, "the entry expired")
    if bracket.first_fill_ns is not None and at.now_ns >= bracket.first_fill_ns + at.timing.rest_life_ns:
        return _withdrawn(entries, "the rest of an entry lived long enough")
    unwanted = [order for order in entries if order.client_id == bracket.withdrawn]
    old = [order for order in entries if order.expires_ns is not None and at.now_ns >= order.expires_ns]
    return _withdrawn(unwanted, "the strategy withdrew it") or _withdrawn(old, "the entry expired")


def _withdrawn(orders: Sequence[VenueOrder], why: str) -> list[Wish]:
    """Cancel orders that rest; one whose state is in doubt is looked up first."""
    return [WishCancel(client_id=order.client_id, why=why) for order in orders if order.state in _RESTING]


def _must_close(bracket: Bracket, orders: Sequence[VenueOrder], at: Circumstances) -> WishClose | None:
    """Return why a position cannot be left to its stop and target, if so."""
    now, timing = at.now_ns, at.timing
    if at.flattens:
        return WishClose(reason=ExitReason.FORCE, why="the account is to be flat")
    if bracket.excess:
        part = min(bracket.excess, abs(bracket.held))
        why = "more is held than was asked for"
        return WishClose(reason=ExitReason.FORCE, why=why, alarm=True, quantity=part)
    if not is_waived(bracket, now) and (close := _bare(bracket, at)) is not None:
        return close
    if bracket.stop_price is None:
        return None
    if any(order.leg is Leg.STOP and order.filled for order in orders):
        return WishClose(reason=bracket.stop_by, why="its stop filled in part")
    if bracket.beyond_ns is not None and now >= bracket.beyond_ns + timing.stop_fallback_ns:
        return WishClose(reason=bracket.stop_by, why="the price passed its stop and nothing filled")
    if bracket.target_fill_ns is not None and now >= bracket.target_fill_ns + timing.target_rest_ns:
        part = bracket.target.quantity
        why = "what is left of its target did not fill"
        return WishClose(reason=ExitReason.TAKE_PROFIT, why=why, quantity=part if part < abs(bracket.held) else None)
    return None


def is_waived(bracket: Bracket, now_ns: int) -> bool:
    """Whether a person lets it be without a stop now."""
    return bracket.waived_until_ns is not None and now_ns < bracket.waived_until_ns


def _bare(bracket: Bracket, at: Circumstances) -> WishClose | None:
    """Return why a position must be closed that nobody lets be without a stop, if so."""
    timing = at.timing
    if bracket.stop_price is None:
        if bracket.waived_until_ns is not None:
            return WishClose(reason=ExitReason.FORCE, why="the leave to hold it without a stop has expired", alarm=True)
        if at.stops_needed:
            return WishClose(reason=ExitReason.FORCE, why="it has no stop, and nobody gave leave for that", alarm=True)
        return None
    if bracket.failed_stops >= timing.stop_attempts:
        return WishClose(reason=ExitReason.FORCE, why="its stop was rejected", alarm=True)
    if bracket.naked_ns is not None and at.now_ns >= bracket.naked_ns + timing.naked_ns:
        return WishClose(reason=ExitReason.FORCE, why="it was without its stop for too long", alarm=True)
    return None


def _protect(bracket: Bracket, orders: Sequence[VenueOrder], at: Circumstances) -> list[Wish]:
    """Let a stop of the right size rest, then a target; a target that is too large shrinks at once."""
    if bracket.stop_price is None:
        return _target(bracket, orders, at, may_grow=True)
    wishes, is_right = _protecting_stop(bracket, [order for order in orders if order.leg is Leg.STOP], at)
    return wishes + _target(bracket, orders, at, may_grow=is_right)


def _protecting_stop(
    bracket: Bracket, stops: Sequence[VenueOrder], at: Circumstances
) -> tuple[list[Wish], bool]:  # fmt: skip
    """Return what the stop of a position needs, and whether it is as it must be."""
    wanted = abs(bracket.held) - _held_back(bracket, at)
    resting = [order for order in stops if order.state in _RESTING]
    if any(order.state in (_S.SENT, _S.UNKNOWN) for order in stops):
        return [], False
    if not wanted:
        return _withdrawn(resting, "its part of the position is being sold"), True
    if not resting:
        waits = (bool(stops) and not at.venue.reduce_only) or bracket.failed_stops >= at.timing.stop_attempts
        return [] if waits else [_stop(bracket, wanted)], False
    kept = max(resting, key=lambda order: (order.left >= wanted, _tightness(order, bracket.direction), order.placed_ns))
    wishes = _withdrawn([order for order in resting if order is not kept], "another stop protects the position")
    if kept.state not in _QUIET:
        return wishes, False
    if kept.left != wanted or (kept.trigger, kept.price) != (bracket.stop_price, _limit(bracket)):
        return wishes + _changed(kept, wanted, bracket, at), False
    return wishes, True


def _held_back(bracket: Bracket, at: Circumstances) -> Decimal:
    """Return the unsigned units that no stop may hold back, because a part of the position is being sold."""
    part = None if bracket.closing is None else bracket.closing.quantity
    return min(part, abs(bracket.held)) if part is not None and at.venue.reserves else Decimal(0)


def _reserved(orders: Sequence[VenueOrder]) -> Decimal:
    """Return the unsigned units that resting stops and targets hold back; a pair of both holds them back once."""
    return max(sum((o.left for o in orders if o.leg is leg), Decimal(0)) for leg in (Leg.STOP, Leg.TARGET))


def _stop(bracket: Bracket, wanted: Decimal) -> WishPlace:
    limit = _limit(bracket)
    return WishPlace(
        leg=Leg.STOP, kind=OrderKind.STOP if limit is None else OrderKind.STOP_LIMIT,
        quantity=-wanted.copy_sign(bracket.held), price=limit, trigger=bracket.stop_price,
    )  # fmt: skip


def _limit(bracket: Bracket) -> Decimal | None:
    """Return the limit of a stop, beyond its trigger; None of one that trades at any price."""
    offset = bracket.rules.stop_offset
    if offset is None or bracket.stop_price is None:
        return None
    return bracket.stop_price - bracket.direction * offset


def _tightness(order: VenueOrder, direction: int) -> Decimal:
    return Decimal(0) if order.trigger is None else direction * order.trigger


def _changed(stop: VenueOrder, wanted: Decimal, bracket: Bracket, at: Circumstances) -> list[Wish]:
    """Give a stop its size and price: by a change, else by a new one before the old, else by a new one after it."""
    limit = _limit(bracket)
    resized, moved = stop.left != wanted, (stop.trigger, stop.price) != (bracket.stop_price, limit)
    if _may_change(bracket, at, resized=resized, moved=moved):
        if _waits(bracket, at):
            return []
        whole = (stop.filled + wanted).copy_sign(stop.quantity)
        return [
            WishAmend(
                client_id=stop.client_id,
                amendment=Amendment(
                    quantity=whole if resized else None,
                    trigger=bracket.stop_price if moved else None,
                    price=limit if moved else None,
                ),
            )
        ]
    if at.venue.reduce_only and not at.venue.reserves:
        return [_stop(bracket, wanted)]
    return _withdrawn([stop], "a stop of another size or price takes its place")


def _may_change(bracket: Bracket, at: Circumstances, *, resized: bool, moved: bool) -> bool:
    """Whether an order can be changed: the venue does such things, and has not refused it again and again."""
    can = (not resized or at.venue.amends_quantity) and (not moved or at.venue.amends_price)
    return can and bracket.failed_changes < at.timing.change_attempts


def _waits(bracket: Bracket, at: Circumstances) -> bool:
    """Whether a change was refused just now."""
    return bracket.change_ns is not None and at.now_ns < bracket.change_ns + at.timing.retry_ns


def _target(bracket: Bracket, orders: Sequence[VenueOrder], at: Circumstances, *, may_grow: bool) -> list[Wish]:
    """Let a target of the right size rest, where one can beside the stop."""
    targets = [order for order in orders if order.leg is Leg.TARGET]
    resting = [order for order in targets if order.state in _RESTING]
    cashing = bracket.closing is not None and bracket.closing.reason is ExitReason.TAKE_PROFIT
    wanted, price = bracket.target.quantity, bracket.target.price
    if price is None or cashing or (at.venue.reserves and not at.venue.pairs):
        return _withdrawn(resting, "no target is wanted")
    wanted = min(wanted, abs(bracket.held) - _held_back(bracket, at))
    if not wanted:
        return _withdrawn(resting, "its part of the position is being sold")
    if not targets:
        quantity = -wanted.copy_sign(bracket.held)
        place = WishPlace(leg=Leg.TARGET, kind=OrderKind.LIMIT, quantity=quantity, price=price)
        return [place] if may_grow else []
    wishes = _withdrawn(resting[1:], "another target is at work")
    if resting and resting[0].state in _QUIET and (may_grow or resting[0].left > wanted):
        wishes += _target_changed(resting[0], wanted, bracket, at)
    return wishes


def _target_changed(target: VenueOrder, wanted: Decimal, bracket: Bracket, at: Circumstances) -> list[Wish]:
    price = bracket.target.price
    resized, moved = target.left != wanted, target.price != price
    if (not resized and not moved) or _waits(bracket, at):
        return []
    if not _may_change(bracket, at, resized=resized, moved=moved):
        return _withdrawn([target], "a target of another size or price takes its place")
    whole = (target.filled + wanted).copy_sign(target.quantity)
    wish = Amendment(quantity=whole if resized else None, price=price if moved else None)
    return [WishAmend(client_id=target.client_id, amendment=wish)]


def _retry_ns(failed_ns: int, bracket: Bracket, timing: Timing) -> int:
    """Return when an exit that failed may be tried again: later each time, so that no venue is flooded with it."""
    doublings = min(max(bracket.failed_exits - 1, 0), timing.retry_doublings)
    return failed_ns + (timing.retry_ns << doublings)


def _outweighs(bracket: Bracket, doubtful: Sequence[VenueOrder], at: Circumstances) -> bool:
    """Whether a position has been bare for longer than anyone may wait for orders in doubt.

    Should one of them rest after all and turn the position, that is closed like any position of the wrong side.
    """
    since = bracket.naked_ns
    unknown = all(order.state is _S.UNKNOWN for order in doubtful)
    return unknown and since is not None and at.now_ns >= since + at.timing.doubt_ns


def _flatten(bracket: Bracket, orders: Sequence[VenueOrder], at: Circumstances, closing: Closing) -> list[Wish]:
    """Close a position, or a part of it, at the market.

    Where the venue keeps an order from turning a position the stop rests until nothing is held; elsewhere, and where it
    holds back what a resting order may sell, every other order must be over first.
    """
    exits = [order for order in orders if order.leg in (Leg.EXIT, Leg.GUARD)]
    others = [order for order in orders if order.leg in (Leg.STOP, Leg.TARGET)]
    part = closing.quantity
    wishes: list[Wish] = []
    if part is None:
        away = others if at.venue.reserves or not at.venue.reduce_only else [o for o in others if o.leg is Leg.TARGET]
        wishes += _withdrawn(away, "the position is being closed")
        if away and (at.venue.reserves or not at.venue.reduce_only) and not _outweighs(bracket, away, at):
            return wishes
    elif at.venue.reserves and _reserved(others) > abs(bracket.held) - part:
        return wishes
    wanted = abs(bracket.held) if part is None else min(part, abs(bracket.held))
    if exits or wanted == 0:
        return wishes
    if bracket.exit_ns is not None and at.now_ns < _retry_ns(bracket.exit_ns, bracket, at.timing):
        return wishes
    return [
        *wishes,
        WishPlace(
            leg=closing.leg, kind=OrderKind.MARKET, quantity=-wanted.copy_sign(bracket.held),
            client_id=None if closing.tried else closing.client_id,
        ),
    ]  # fmt: skip
