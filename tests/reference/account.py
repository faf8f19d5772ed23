"""Money and the position of the slow exchange: prices with slippage, fees, bookings of entries, legs and funding.

plays.md 6.3 slippage, 6.4 fees, 6.5 funding, 6.7 liquidation, 6.9 impact and volume, 6.10 legs.
"""

from __future__ import annotations

from decimal import Decimal

from reference.margin import bankruptcy_price, liquidation_price, margin
from reference.records import Aim, Close, Fill, Held, Outcome, Working
from reference.sizes import in_steps
from reference.terms import ONE, ZERO, Bar, Plan, Rules, down, posted, up

FUNDING_MINUTES = 480
"""Funding at 00:00, 08:00 and 16:00, where no history says otherwise."""


class Account:
    """One account, one position, one entry order, and the closes that were ordered.

    `decisions` counts instants of decision that have passed, `room` what may still be filled in this bar.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.out = Outcome(cash=rules.start)
        self.held: Held | None = None
        self.entry: Working | None = None
        self.leaving: list[Close] = []
        self.arrived = ""
        self.opened_inside = False
        self.decisions = self.positions = 0
        self.room: Decimal | None = None
        self.now = Bar(ZERO, ZERO, ZERO, ZERO)

    # Prices, volume and fees.

    def found(self, units: Decimal) -> Decimal:
        """6.9: as much of this as the bar has left to fill."""
        return units if self.room is None else min(units, self.room)

    def used(self, units: Decimal) -> None:
        if self.room is not None:
            self.room -= units

    def impact(self, quantity: Decimal, price: Decimal) -> Decimal:
        """6.9: the further move of a price that an order of this size makes in this minute."""
        rules = self.rules
        if rules.impact == "disabled":
            return ZERO
        traded = self.now.volume * self.now.close
        part = abs(quantity) * price / traded if traded > 0 else ONE
        moved = rules.impact_coef * (part if rules.impact == "linear" else part.sqrt())
        self.out.note("6.9 linear impact" if rules.impact == "linear" else "6.9 square-root impact")
        self.out.note("6.9 impact at its largest", moved > rules.impact_max)
        return min(rules.impact_max, moved)

    def worse(self, price: Decimal, side: int, quantity: Decimal) -> Decimal:
        """Return the price after half the spread and slippage of a buy (+1) or a sell (-1)."""
        self.out.note("6.3 half a spread is paid", self.rules.half_spread > 0)
        return price * (1 + side * (self.rules.half_spread + self.rules.slippage + self.impact(quantity, price)))

    def other_side(self, price: Decimal, side: int) -> Decimal:
        """0008.24: the price that a buy (+1) or a sell (-1) meets where this is the last one."""
        return price * (1 + side * self.rules.half_spread)

    def queued(self) -> Decimal:
        """0008.23: what stands before an order that comes to rest in this bar."""
        return self.now.volume * self.rules.queue_share

    def our_turn(self, order: Working | Aim, depth: Decimal, *, at_open: bool, strictly: bool = False) -> bool:
        """0008.23: whether a limit that rests is filled.

        Args:
            order: What rests.
            depth: How far the price that it meets has gone beyond its own.
            at_open: Whether that is known of the open alone; only a whole bar works off what stands before.
            strictly: Whether its very price is never enough.
        """
        rules = self.rules
        if depth < 0 or (depth == 0 and strictly):
            return False
        if rules.queue == "trade_through":
            beyond = depth >= rules.queue_ticks * rules.tick
            self.out.note("6.2 queue: not far enough beyond", not beyond)
            return beyond
        if rules.queue == "volume_ahead" and depth == 0:
            self.out.note("6.2 queue: waits behind others", not at_open and order.ahead > self.now.volume)
            self.out.note("6.2 queue: worked off", not at_open and ZERO < order.ahead <= self.now.volume)
            order.ahead -= ZERO if at_open else self.now.volume
            return order.ahead <= 0
        return True

    def fee(self, quantity: Decimal, price: Decimal, taker: bool) -> Decimal:
        rate = self.rules.taker if taker else self.rules.maker
        self.out.note("6.4 taker fee" if taker else "6.4 maker fee", rate > 0)
        notional = abs(quantity) * price * self.rules.multiplier
        return posted(notional * rate + abs(quantity) * self.rules.per_contract)

    def towards_entry(self, level: Decimal, side: int) -> Decimal:
        """A protective stop on the tick that risks less."""
        return up(level, self.rules.tick) if side > 0 else down(level, self.rules.tick)

    def bankruptcy(self, held: Held) -> Decimal:
        return bankruptcy_price(self.rules, held.side, held.units, held.entry, held.extra)

    def liquidation(self, held: Held) -> Decimal | None:
        return liquidation_price(self.rules, held.side, held.units, held.entry, held.extra)

    # Entries.

    def levels(self, plan: Plan, side: int, price: Decimal, units: Decimal) -> tuple[Decimal | None, list[Aim]]:
        """1.11: stop and targets of a position at their distances from its price.

        A level that the fill moves to zero or below is out of reach, so there is none.
        """
        stop = None if plan.stop is None else price - side * plan.stop
        stop = self.towards_entry(stop, side) if stop is not None and stop > 0 else None
        aims = []
        for distance, part in in_steps(self.rules, plan, units):
            level = price + side * distance
            if level > 0:
                level = down(level, self.rules.tick) if side > 0 else up(level, self.rules.tick)
                aims.append(Aim(level, part, self.queued()))
        return stop, aims

    def enter(self, row: int, point: str, price: Decimal, raw: Decimal, taker: bool, units: Decimal) -> None:
        """Fill so much of the entry order; what is left of it stays."""
        order = self.entry
        assert order is not None
        side, fee = order.side, self.fee(units, price, taker)
        self.out.cash -= fee
        self.used(units)
        if self.held is None:
            self.start(order, price, raw, fee, units)
            self.opened_inside = point == "inside"
        else:
            self.grow(self.held, order, price, raw, fee, units)
        held = self.held
        assert held is not None
        memo = posted(side * units * self.rules.multiplier * (price - raw)) if taker else ZERO
        self.out.note("6.3 long entry pays more" if side > 0 else "6.3 short entry receives less", memo != 0)
        self.out.note("6.9 entry in pieces", units < order.quantity)
        self.out.fills.append(
            Fill(
                row, point, "entry", side * units, price, fee, taker, memo, held.number, stop=held.stop,
                targets=tuple(aim.level for aim in held.aims),
            )
        )  # fmt: skip
        order.quantity -= units
        if order.quantity == 0:
            self.entry = None
        self.arrived = point

    def start(self, order: Working, price: Decimal, raw: Decimal, fee: Decimal, units: Decimal) -> None:
        self.positions += 1
        stop, aims = self.levels(order.plan, order.side, price, units)
        self.held = Held(
            order.side * units, price, order.plan, stop, aims, self.decisions, price, price, raw, fee, self.positions
        )

    def grow(self, held: Held, order: Working, price: Decimal, raw: Decimal, fee: Decimal, units: Decimal) -> None:
        """Add a piece: the entry price is the mean by quantity, and the levels are set anew from it.

        A stop that has moved since stays where it is the nearer one.
        """
        total = held.units + units
        held.entry = (held.entry * held.units + price * units) / total
        held.quantity = order.side * total
        held.entry_fee += fee
        held.arrival = raw
        stop, held.aims = self.levels(held.plan, held.side, held.entry, total)
        if held.mover == "sl" or (stop is not None and held.stop is not None and held.side * (stop - held.stop) > 0):
            held.stop, held.mover = stop, "sl"
        self.reach(price)

    # Exits.

    def withdraw(self, row: int, reason: str = "CANCELLED") -> None:
        """Nothing is bought into a position that is being left."""
        if self.entry is not None:
            self.out.note("6.9 rest of an entry withdrawn")
            self.out.dead.append((row, reason))
            self.entry = None

    def leave(
        self, row: int, point: str, raw: Decimal, units: Decimal, leg: str, reason: str, *, rests: bool = False,
        taker: bool | None = None,
    ) -> Decimal:  # fmt: skip
        """Close so many units at a price, slipped unless a limit stands there; return what the bar had no room for.

        6.6, 6: never beyond bankruptcy. An exit ends what is left of the entry.

        Args:
            taker: Whether it takes; a limit does not, unless it is said.
        """
        takes = not rests if taker is None else taker
        held = self.held
        assert held is not None
        wanted = min(units, held.units)
        part = self.found(wanted)
        self.withdraw(row)
        self.out.note("6.9 exit in pieces", part < wanted)
        if part == 0:
            return wanted
        price = raw if rests else self.worse(raw, -held.side, part)
        if self.rules.perpetual and held.side * (price - self.bankruptcy(held)) < 0:
            self.out.note("6.6 no exit beyond bankruptcy")
            self.liquidate(row, point)
            return ZERO
        self.out.note("6.3 long exit receives less" if held.side > 0 else "6.3 short exit pays more", price != raw)
        self.out.note("6.4 maker fee of a target", leg == "target" and not takes and self.rules.maker > 0)
        self.used(part)
        self.book(row, point, price, raw, part, self.fee(part, price, takes), takes, leg, reason)
        return wanted - part

    def liquidate(self, row: int, point: str) -> None:
        """6.4 and 6.7: the whole position at the bankruptcy price, without slippage."""
        held = self.held
        assert held is not None
        price = self.bankruptcy(held)
        fee = posted(held.units * self.rules.multiplier * price * self.rules.liquidation_rate)
        self.out.note("6.7 liquidation of a long" if held.side > 0 else "6.7 liquidation of a short")
        self.out.note("6.4 liquidation fee", fee > 0)
        self.withdraw(row)
        self.book(row, point, price, price, held.units, fee, True, "guard", "liquidation")
        self.out.note("6.11 goes on after liquidation", self.rules.continue_after_liquidation)
        self.out.note("6.11 stopped by liquidation", not self.rules.continue_after_liquidation)
        if self.out.stopped is None and not self.rules.continue_after_liquidation:
            self.out.stopped = "liquidated"

    def book(
        self, row: int, point: str, price: Decimal, raw: Decimal, units: Decimal, fee: Decimal, taker: bool, leg: str,
        reason: str,
    ) -> None:  # fmt: skip
        """6.10: write a leg with its shares, and leave the rest of the position in the same proportion."""
        held = self.held
        assert held is not None
        all_of_it = units == held.units
        closed = held.side * units
        gross = posted(closed * self.rules.multiplier * (price - held.entry))
        entry_fee = held.entry_fee if all_of_it else posted(held.entry_fee * units / held.units)
        funding = held.funding if all_of_it else posted(held.funding * units / held.units)
        self.reach(price)
        self.out.cash += gross - fee
        held.legs += 1
        self.out.note("6.10 second leg", held.legs == 2)
        self.out.note("6.10 third leg or later", held.legs > 2)
        self.out.note("6.10 leg with a share of funding", funding not in (ZERO, held.funding))
        self.out.fills.append(
            Fill(
                row, point, leg, -closed, price, fee, taker,
                posted(-closed * self.rules.multiplier * (price - raw)), held.number, gross, reason,
                adverse=held.side * (held.entry - held.worst) / held.entry,
                favourable=held.side * (held.best - held.entry) / held.entry,
                bars_held=self.decisions - held.opened_at, number=held.legs, entry_fee=entry_fee, funding=funding,
                final_stop=held.stop,
            )
        )  # fmt: skip
        if all_of_it:
            self.held, self.leaving = None, []
            return
        held.extra = posted(held.extra * (held.units - units) / held.units)
        held.entry_fee -= entry_fee
        held.funding -= funding
        held.quantity -= closed

    # Funding and marks.

    def pay_funding(self, bar: Bar) -> None:
        """6.5: from free cash first, what is missing from the margin (6.7)."""
        if self.held is None or self.rules.funding is None:
            return
        due = ((self.rules.funding, None),) if bar.minute % FUNDING_MINUTES == 0 else ()
        for rate, mark in due if bar.funding is None else bar.funding:
            if rate != 0:
                self.pay(self.held, bar, rate, mark)

    def pay(self, held: Held, bar: Bar, rate: Decimal, mark: Decimal | None) -> None:
        rules = self.rules
        price = bar.marks()[0] if mark is None else mark
        received = -posted(held.quantity * rules.multiplier * price * rate)
        missing = max(ZERO, -received - max(ZERO, self.unused_cash()))
        self.out.note("6.5 shortfall taken from the margin", missing > 0)
        self.out.note("6.5 rate of the history", bar.funding is not None)
        self.out.note(f"6.5 {'long' if held.side > 0 else 'short'} {'pays' if received < 0 else 'receives'}")
        self.out.note("6.5 closed at the instant, pays", bool(self.leaving))
        held.extra -= missing
        held.funding += received
        self.out.cash += received

    def kept(self) -> Decimal:
        """The margin of the position."""
        held = self.held
        return ZERO if held is None else margin(self.rules, held.units, held.entry, held.extra)

    def unused_cash(self) -> Decimal:
        """Cash that no position has as its margin."""
        return self.out.cash - self.kept()

    def reach(self, price: Decimal) -> None:
        """Note a price that was certainly traded while the position was held."""
        held = self.held
        assert held is not None
        if held.side * (price - held.best) > 0:
            held.best = price
        if held.side * (price - held.worst) < 0:
            held.worst = price

    def marked(self, price: Decimal) -> Decimal:
        held = self.held
        if held is None:
            return self.out.cash
        return self.out.cash + posted(held.quantity * self.rules.multiplier * (price - held.entry))
