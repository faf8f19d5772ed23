"""The orders of an account: what was commanded, what venues told of it, and what they told that nobody asked for.

`OrderBook` changes by folding commands and venue events only. Each fold returns what it means: fills that count, and
findings, which are things that should not be and that somebody must look at.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from evenkeel.execution import fill_checks
from evenkeel.execution.executions import Executions, Piece, unheard_id
from evenkeel.execution.findings import Counted, Finding, FindingCode, Strayed, Told
from evenkeel.execution.order_life import (
    RECHECK_NS,
    adopted,
    checked,
    counted,
    in_doubt,
    lookup_due,
    reopened,
    reported,
    resolved,
    stepped,
)
from evenkeel.model.errors import InvariantBroken, invariant
from evenkeel.model.ids import ClientId, InstrumentId
from evenkeel.model.order import Amendment, OrderState, VenueOrder
from evenkeel.model.report import Executed, ExecutionBusted, LookedUp, OrderReported, SendResolved, VenueEvent

CLOSED_MAX = 10_000
"""How many orders that are over are kept for late messages (operations.md 3.2)."""
UNMATCHED_NS = 5_000_000_000
"""How long a message about an order that we do not know waits for it (operations.md 3.3)."""
UNMATCHED_MAX = 1_000
UNSEEN_NS = 2_000_000_000
"""How long the executions of an order that is over may be behind its reports until they are asked for."""


@dataclass(frozen=True, slots=True)
class _Unmatched:
    event: OrderReported | Executed
    until_ns: int


class SavedOrders(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order book as it is stored; the names are those of `OrderBook`."""

    open: tuple[VenueOrder, ...]
    closed: tuple[VenueOrder, ...]
    unseen: dict[ClientId, int]
    by_venue: dict[str, ClientId]
    told: dict[ClientId, dict[str, tuple[Decimal, Decimal | None]]]
    pieces: tuple[Piece, ...]
    taken_back: tuple[str, ...]
    loosest: dict[ClientId, Decimal]
    unmatched: tuple[_Unmatched, ...]


class OrderBook:
    """Orders of an account by our id.

    Attributes:
        prefix: With which our ids begin.
        visible_ns: After how long an order is in the venue's answers.
        by_venue: Our ids by the venue's.
        open: Those that are not over.
        closed: The last that are, oldest first.
        unseen: Those of them whose executions did not all arrive, with the instant at which to ask for them: fees and
            exact prices are theirs.
        executions: Of the orders that are kept.
    """

    def __init__(self, prefix: str, visible_ns: int, ticks: Mapping[InstrumentId, Decimal] | None = None) -> None:
        """Begin without orders.

        Args:
            prefix: With which our ids begin; a stranger that has it was placed by another engine.
            visible_ns: After how long an order that the venue has taken is in its answers, and one that it has not
                taken by then never will be.
            ticks: Smallest step of each instrument's price.
        """
        self.prefix, self.visible_ns, self._ticks = prefix, visible_ns, ticks or {}
        self.open: dict[ClientId, VenueOrder] = {}
        self.closed: OrderedDict[ClientId, VenueOrder] = OrderedDict()
        self.unseen: dict[ClientId, int] = {}
        self.by_venue: dict[str, ClientId] = {}
        self._told: dict[ClientId, dict[str, tuple[Decimal, Decimal | None]]] = {}
        self.executions = Executions()
        self._loosest: dict[ClientId, Decimal] = {}
        self._unmatched: list[_Unmatched] = []

    def saved(self) -> SavedOrders:
        """Return all of it, as it is stored."""
        return SavedOrders(
            open=tuple(self.open.values()), closed=tuple(self.closed.values()), unseen=dict(self.unseen),
            by_venue=dict(self.by_venue), told={identity: dict(parts) for identity, parts in self._told.items()},
            pieces=tuple(self.executions.pieces.values()), taken_back=tuple(self.executions.taken_back),
            loosest=dict(self._loosest), unmatched=tuple(self._unmatched),
        )  # fmt: skip

    def restore(self, saved: bytes) -> None:
        """Take over what was stored."""
        state = msgspec.msgpack.decode(saved, type=SavedOrders)
        self.open = {order.client_id: order for order in state.open}
        self.closed = OrderedDict((order.client_id, order) for order in state.closed)
        self.unseen, self.by_venue = state.unseen, state.by_venue
        self._told, self._loosest, self._unmatched = state.told, state.loosest, list(state.unmatched)
        self.executions.restore(state.pieces, state.taken_back)

    def get(self, identity: ClientId) -> VenueOrder | None:
        """Return an order, open or over."""
        return self.open.get(identity) or self.closed.get(identity)

    def deadlines(self) -> list[int]:
        """Return when messages that nobody asked for have waited long enough, and when orders are to be asked about."""
        stamps = [waiting.until_ns for waiting in self._unmatched]
        stamps += [order.lookup_ns for order in self.open.values() if order.lookup_ns is not None]
        return stamps + list(self.unseen.values())

    def doubtful(self, now_ns: int) -> list[ClientId]:
        """Return the orders that are to be looked up by now."""
        due = [i for i, order in self.open.items() if order.lookup_ns is not None and order.lookup_ns <= now_ns]
        return due + [identity for identity, at_ns in self.unseen.items() if at_ns <= now_ns]

    def place(self, order: VenueOrder) -> Told:
        """Fold the command that places an order; messages that came before it are applied."""
        invariant(self.get(order.client_id) is None, "an order id is used once", client_id=order.client_id)
        self.open[order.client_id] = stepped(order, OrderState.SENT, order.placed_ns)
        return self._match(Told())

    def amend(self, identity: ClientId, wish: Amendment, at_ns: int) -> None:
        """Fold the command that changes an order."""
        order = self._of(identity)
        worst = fill_checks.looser(order, self._loosest.get(identity))
        if worst is not None:
            self._loosest[identity] = worst
        self.open[identity] = stepped(msgspec.structs.replace(order, amendment=wish), OrderState.REPLACE_PENDING, at_ns)

    def cancel(self, identity: ClientId, at_ns: int) -> None:
        """Fold the command that withdraws an order."""
        self.open[identity] = stepped(self._of(identity), OrderState.CANCEL_PENDING, at_ns)

    def lookup(self, identity: ClientId, at_ns: int) -> None:
        """Fold the command that asks about an order."""
        if identity in self.unseen:
            self.unseen[identity] = at_ns + RECHECK_NS
            return
        order = self._of(identity)
        asked = msgspec.structs.replace(order, lookup_ns=lookup_due(order, at_ns), lookups=order.lookups + 1)
        self.open[identity] = asked

    def doubt(self, at_ns: int) -> None:
        """Fold the start of a session: whatever was on its way when the last one ended may have arrived or not."""
        for identity, order in list(self.open.items()):
            if order.state in (OrderState.SENT, OrderState.CANCEL_PENDING, OrderState.REPLACE_PENDING):
                self.open[identity] = in_doubt(stepped(order, OrderState.UNKNOWN, at_ns), at_ns)
            else:
                self.open[identity] = in_doubt(order, at_ns)

    def fold(self, event: VenueEvent) -> Told:
        """Fold what a venue told."""
        told = Told()
        match event:
            case SendResolved():
                self._fold_resolved(event, told)
            case OrderReported() | Executed():
                self._hear(event, told)
            case ExecutionBusted():
                self._fold_bust(event, told)
            case LookedUp():
                self._fold_lookup(event, told)
        return self._match(told)

    def day(self, executions: Iterable[Executed], since_ns: int, asked_ns: int) -> Told:
        """Fold the complete list of what the venue executed from one instant to another (operations.md 3.4, check 8).

        What we lack counts; what the venue lacks is told, and counts until somebody has looked.

        Args:
            executions: All of them.
            since_ns: By the venue's clock.
            asked_ns: Likewise.
        """
        told, listed = Told(), set()
        for execution in executions:
            listed.add(execution.execution_id)
            self._hear(execution, told)
        for piece in self.executions.pieces.values():
            if since_ns <= piece.at_ns < asked_ns and not piece.busted and piece.execution_id not in listed:
                words = f"{piece.execution_id} {piece.quantity} at {piece.price} is not in the venue's list"
                told.findings.append(Finding(code=FindingCode.FILL_ORPHAN, client_id=piece.client_id, detail=words))
        return self._match(told)

    def expire(self, now_ns: int) -> Told:
        """Give up on messages about orders that nobody knows."""
        told = Told()
        for waiting in [w for w in self._unmatched if w.until_ns <= now_ns]:
            self._unmatched.remove(waiting)
            told.findings.append(self._stranger(waiting.event))
        return told

    def _of(self, identity: ClientId) -> VenueOrder:
        order = self.open.get(identity)
        if order is None:
            raise InvariantBroken(f"a command names an order that is not open ({identity})")
        return order

    def _fold_resolved(self, event: SendResolved, told: Told) -> None:
        order = self.open.get(event.client_id)
        if order is None:
            return
        if event.venue_id is not None:
            self.by_venue[event.venue_id] = event.client_id
        after = resolved(order, event)
        self._keep(after)
        told.touched.append(event.client_id)
        if after.state is OrderState.REJECTED and after.filled:
            told.findings.append(Finding(code=FindingCode.FILL_AFTER_REJECT, client_id=after.client_id))

    def _hear(self, event: OrderReported | Executed, told: Told) -> None:
        identity = self._identity(event)
        if identity is None:
            if len(self._unmatched) >= UNMATCHED_MAX:
                told.findings.append(self._stranger(self._unmatched.pop(0).event))
            self._unmatched.append(_Unmatched(event, event.known_ns + UNMATCHED_NS))
        elif isinstance(event, Executed):
            self._fold_execution(event, identity, told)
        else:
            self._fold_report(event, identity, told)

    def _identity(self, event: OrderReported | Executed) -> ClientId | None:
        if event.client_id is not None:
            return event.client_id if self.get(event.client_id) is not None else None
        found = self.by_venue.get(event.venue_id)
        if found is None and isinstance(event, OrderReported) and event.replaces is not None:
            found = self.by_venue.get(event.replaces)
        return found if found is not None and self.get(found) is not None else None

    def _match(self, told: Told) -> Told:
        """Apply messages that waited for their order."""
        waiting, self._unmatched = self._unmatched, []
        for one in waiting:
            if self._identity(one.event) is None:
                self._unmatched.append(one)
            else:
                self._hear(one.event, told)
        return told

    def _stranger(self, event: OrderReported | Executed) -> Finding:
        own = event.client_id is not None and event.client_id.startswith(self.prefix)
        code = FindingCode.OWN_STRANGER if own else FindingCode.STRANGER
        return Finding(code=code, client_id=event.client_id, detail=f"{event.instrument} {event.venue_id}")

    def _fold_report(
        self, event: OrderReported, identity: ClientId, told: Told, *, asked_ns: int | None = None
    ) -> None:  # fmt: skip
        """Fold how an order stands; `asked_ns` is when the venue was asked, None where it told so by itself."""
        before = self._known(identity)
        told.findings += fill_checks.of_report(before, event)
        self.by_venue[event.venue_id] = identity
        order, findings = adopted(self._tell(before, event), event, asked_ns=asked_ns)
        told.findings += findings
        after = reported(order, event.state, event.known_ns)
        if after.state.is_final and not event.state.is_final and self._belies(before, asked_ns):
            told.findings.append(Finding(code=FindingCode.OPEN_AFTER_END, client_id=identity, detail=event.venue_id))
            after = reopened(after, event.known_ns)
            after = reported(after, event.state, event.known_ns) if asked_ns is not None else after
        self._count(before, after, told)

    def _belies(self, order: VenueOrder, asked_ns: int | None) -> bool:
        """Whether a report that an order is at work belies that it is over: it may only be late.

        One that was refused or never left was never at work; of any other a late report is nothing strange, but an
        answer is that was asked for long after the end.
        """
        if order.state in (OrderState.REJECTED, OrderState.ABORTED):
            return True
        ended = order.state in (OrderState.CANCELLED, OrderState.EXPIRED)
        return ended and asked_ns is not None and asked_ns >= order.moved_ns + self.visible_ns

    def _tell(self, order: VenueOrder, event: OrderReported) -> VenueOrder:
        """Return the order with the cumulative quantity that a report tells; one that was overtaken tells nothing."""
        parts = self._told.setdefault(order.client_id, {})
        had = parts.get(event.venue_id, (Decimal(0), Decimal(0)))
        if event.filled > had[0] or (event.filled == had[0] and had[1] is None):
            parts[event.venue_id] = (event.filled, None if event.average is None else event.filled * event.average)
        values = [value for _, value in parts.values()]
        whole = (
            None if any(value is None for value in values) else sum((v for v in values if v is not None), Decimal(0))
        )
        return msgspec.structs.replace(
            order, told=sum((quantity for quantity, _ in parts.values()), Decimal(0)), told_value=whole,
            venue_id=event.venue_id if order.venue_id is None or event.replaces is not None else order.venue_id,
        )  # fmt: skip

    def _fold_execution(self, event: Executed, identity: ClientId, told: Told) -> None:
        """Fold an execution: it counts as the venue has it, and what is wrong with it is told beside."""
        before = self._known(identity)
        known = self.executions.named(event.execution_id, identity)
        if known is not None:
            if not known.is_told_by(event):
                words = f"{event.execution_id} was {known.quantity} at {known.price} before"
                told.findings.append(Finding(code=FindingCode.FILL_DUPLICATE, client_id=identity, detail=words))
            return
        stand_in = self.executions.named(unheard_id(identity), identity)
        piece = self.executions.keep(event, before)
        if piece.astray:
            self._stray(before, piece, told)
        else:
            told.findings += fill_checks.of_time(before, event)
            told.findings += fill_checks.of_limit(before, event, self._loosest.get(identity))
        after = counted(before, quantity=piece.units, value=piece.value, fee=piece.fee, at_ns=event.known_ns)
        if piece.busted or piece.astray:
            after = _without(after, piece)
        if stand_in is not None and not piece.astray:
            after = self._named(after, stand_in, min(piece.units, stand_in.units))
        elif piece.busted:
            told.findings.append(_busted(piece))
        if after.venue_id is None:
            after = msgspec.structs.replace(after, venue_id=event.venue_id)
        self.by_venue.setdefault(event.venue_id, identity)
        self._count(before, after, told)

    def _named(self, order: VenueOrder, stand_in: Piece, units: Decimal) -> VenueOrder:
        """Return the order without units that were counted as come and gone before their own name was heard."""
        self.executions.name(stand_in, units)
        value = units * stand_in.price
        return msgspec.structs.replace(
            order, seen=order.seen - units, seen_value=order.seen_value - value, busted=order.busted - units,
            busted_value=order.busted_value - value,
        )  # fmt: skip

    def _stray(self, order: VenueOrder, piece: Piece, told: Told) -> None:
        """Tell of an execution that cannot be of its order."""
        code = FindingCode.WRONG_SIDE if piece.instrument == order.instrument else FindingCode.WRONG_INSTRUMENT
        words = f"{piece.execution_id} {piece.quantity} {piece.instrument}"
        told.findings.append(Finding(code=code, client_id=order.client_id, detail=words))
        if not piece.busted:
            told.strayed.append(_strayed(order, piece, 1))

    def _fold_bust(self, event: ExecutionBusted, told: Told) -> None:
        """Fold that an execution was taken back; where it was not heard yet, it never counts."""
        piece = self.executions.named(event.execution_id, event.client_id)
        if piece is None:
            self._expect_bust(event, told)
            return
        if piece.busted:
            return
        self.executions.bust(piece)
        told.findings.append(_busted(piece))
        before = self._known(piece.client_id)
        if piece.astray:
            told.strayed.append(_strayed(before, piece, -1))
            return
        self._count(before, _without(before, piece), told)

    def _expect_bust(self, event: ExecutionBusted, told: Told) -> None:
        """Keep in mind that an execution was taken back before it came; what is known of it counts as come and gone."""
        if self.executions.expect(event):
            told.findings.append(Finding(code=FindingCode.BUSTED, client_id=event.client_id, detail=event.execution_id))
        if event.quantity is None or event.price is None or event.venue_id is None:
            return
        unheard = Executed(
            event_ns=event.event_ns, known_ns=event.known_ns, instrument=event.instrument,
            execution_id=event.execution_id, client_id=event.client_id, venue_id=event.venue_id,
            quantity=event.quantity, price=event.price,
        )  # fmt: skip
        identity = self._identity(unheard)
        if identity is not None:
            self._fold_execution(unheard, identity, told)

    def _fold_lookup(self, event: LookedUp, told: Told) -> None:
        order = self.get(event.client_id)
        if order is None:
            return
        told.touched.append(event.client_id)
        for execution in event.executions:
            self._fold_execution(execution, event.client_id, told)
        if event.found is not None:
            self._fold_report(event.found, event.client_id, told, asked_ns=event.asked_ns)
            self._settle(event)
            told.findings += fill_checks.of_answer(self._known(event.client_id), event, self._latest(event.client_id))
        elif event.complete:
            self._fold_absence(event, told)

    def _latest(self, identity: ClientId) -> int | None:
        pieces = self.executions.pieces
        return max((pieces[one].at_ns for one in self.executions.of.get(identity, [])), default=None)

    def _settle(self, event: LookedUp) -> None:
        """End the doubt about an order that was found in a state of which nothing is on its way."""
        order = self.open.get(event.client_id)
        if order is not None and order.state in (OrderState.WORKING, OrderState.PARTIAL) and order.is_priced:
            self.open[event.client_id] = checked(order, event.known_ns)

    def _fold_absence(self, event: LookedUp, told: Told) -> None:
        """Count an answer that does not have an order; two, asked late and far enough apart, prove its absence.

        An order that the venue never acknowledged was then never taken; one that it did have needs other evidence.
        """
        order = self.open.get(event.client_id)
        if order is None or order.lookup_ns is None or event.asked_ns < order.placed_ns + self.visible_ns:
            return
        if order.absent_ns is None:
            self.open[event.client_id] = msgspec.structs.replace(order, absent_ns=event.asked_ns)
        elif event.asked_ns >= order.absent_ns + self.visible_ns:
            if order.state is OrderState.UNKNOWN and order.venue_id is None and not order.filled:
                self._keep(stepped(order, OrderState.ABORTED, event.known_ns))
            else:
                told.findings.append(Finding(code=FindingCode.MISSING, client_id=event.client_id))

    def _known(self, identity: ClientId) -> VenueOrder:
        order = self.get(identity)
        if order is None:
            raise InvariantBroken(f"a message was matched to an order that does not exist ({identity})")
        return order

    def _count(self, before: VenueOrder, after: VenueOrder, told: Told) -> None:
        """Keep an order, and tell what of it counts that did not before."""
        self._keep(after)
        told.touched.append(after.client_id)
        change, value, fee = after.filled - before.filled, after.value - before.value, after.fees - before.fees
        if (before.seen, before.told) != (after.seen, after.told):
            told.findings += fill_checks.of_average(after, self._ticks.get(after.instrument, Decimal(0)))
        if not change and not value and not fee:
            return
        late = before.state.is_final and before.state is not OrderState.FILLED
        told.counted.append(Counted(order=after, quantity=change * after.sign, value=value, fee=fee, late=late))
        if change <= 0:
            return
        if late:
            rejected = before.state in (OrderState.REJECTED, OrderState.ABORTED)
            code = FindingCode.FILL_AFTER_REJECT if rejected else FindingCode.LATE_FILL
            told.findings.append(Finding(code=code, client_id=after.client_id, detail=f"{change}"))
        if after.filled > abs(after.quantity):
            told.findings.append(
                Finding(code=FindingCode.OVERFILL, client_id=after.client_id, detail=f"{after.filled}")
            )

    def _keep(self, order: VenueOrder) -> None:
        identity = order.client_id
        if not order.state.is_final:
            self.closed.pop(identity, None)
            self.open[identity] = order
            return
        self.open.pop(identity, None)
        if order.seen >= order.told:
            self.unseen.pop(identity, None)
        elif identity not in self.unseen:
            self.unseen[identity] = order.moved_ns + UNSEEN_NS
        self.closed[identity] = order
        self.closed.move_to_end(identity)
        while len(self.closed) > CLOSED_MAX:
            forgotten, old = self.closed.popitem(last=False)
            self._forget(forgotten, old)

    def _forget(self, identity: ClientId, order: VenueOrder) -> None:
        self.unseen.pop(identity, None)
        for venue_id in {*self._told.pop(identity, {}), order.venue_id}:
            if venue_id is not None:
                self.by_venue.pop(venue_id, None)
        self._loosest.pop(identity, None)
        self.executions.forget(identity)


def _without(order: VenueOrder, piece: Piece) -> VenueOrder:
    """Return the order without an execution that was counted in."""
    return msgspec.structs.replace(
        order, busted=order.busted + piece.units, busted_value=order.busted_value + piece.value,
        fees=order.fees - piece.fee,
    )  # fmt: skip


def _busted(piece: Piece) -> Finding:
    words = f"{piece.execution_id} {piece.units}"
    return Finding(code=FindingCode.BUSTED, client_id=piece.client_id, detail=words)


def _strayed(order: VenueOrder, piece: Piece, sign: int) -> Strayed:
    return Strayed(
        order=order, instrument=piece.instrument, quantity=sign * piece.quantity,
        value=sign * piece.quantity * piece.price, fee=sign * piece.fee,
    )  # fmt: skip
