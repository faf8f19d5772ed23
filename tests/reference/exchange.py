"""The simulated exchange, slowly: written from the specification alone, in exact decimals, minute by minute.

It imports nothing of the engine. Nothing is skipped: every base bar passes every step of plays.md 5.4, and every rule
stands where the specification puts it (6.1 orders, 6.2 limits, 6.3 slippage, 6.4 fees, 6.5 funding, 6.6 priority,
6.7 margin in `reference.margin`, 6.8 sizes in `reference.sizes`, 6.9 impact, 6.10 legs).

    outcome = simulate(bars, last_rows, decisions, Rules(taker=Decimal("0.00055")))
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from reference.margin import bankruptcy_price, liquidation_price, margin
from reference.sizes import Admitted, admit, in_steps, part_of
from reference.terms import ONE, ZERO, Bar, Decision, Plan, Rules, down, nearest, posted, up

FUNDING_MINUTES = 480
"""Funding at 00:00, 08:00 and 16:00."""


@dataclass
class Fill:
    """One execution. An exit is a leg: it carries its part of the entry fee and of the funding."""

    row: int
    point: str
    leg: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    taker: bool
    slippage: Decimal
    position: int
    gross: Decimal = ZERO
    reason: str = ""
    stop: Decimal | None = None
    targets: tuple[Decimal, ...] = ()
    adverse: Decimal = ZERO
    favourable: Decimal = ZERO
    bars_held: int = 0
    number: int = 0
    entry_fee: Decimal = ZERO
    funding: Decimal = ZERO
    final_stop: Decimal | None = None

    @property
    def net(self) -> Decimal:
        """What an exit earned after everything (6.10)."""
        return self.gross - self.entry_fee - self.fee + self.funding


@dataclass
class Working:
    """An order that waits."""

    side: int
    kind: str
    quantity: Decimal
    price: Decimal | None
    plan: Plan
    decided_bar: int
    decided_row: int
    seen_a_bar: bool = False


@dataclass
class Aim:
    """A target that waits."""

    level: Decimal
    quantity: Decimal


@dataclass
class Held:
    """A position; `quantity` has a sign, `extra` belongs to its margin, fee and funding are what is left of them."""

    quantity: Decimal
    entry: Decimal
    plan: Plan
    stop: Decimal | None
    aims: list[Aim]
    opened_at: int
    best: Decimal
    worst: Decimal
    arrival: Decimal
    entry_fee: Decimal
    number: int
    funding: Decimal = ZERO
    extra: Decimal = ZERO
    mover: str = "sl"
    armed: bool = False
    broke_even: bool = False
    legs: int = 0

    @property
    def side(self) -> int:
        return 1 if self.quantity > 0 else -1

    @property
    def units(self) -> Decimal:
        return abs(self.quantity)


@dataclass
class Outcome:
    """What a simulation left behind."""

    fills: list[Fill] = field(default_factory=list)
    dead: list[tuple[int, str]] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)
    equity: dict[int, Decimal] = field(default_factory=dict)
    cash: Decimal = ZERO
    drawdown: Decimal = ZERO
    stopped: str | None = None


class Exchange:
    """One account, one position, one entry order, one close order.

    `exec_bar` and `decisions` count execution bars and instants of decision that have passed.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.out = Outcome(cash=rules.start)
        self.held: Held | None = None
        self.entry: Working | None = None
        self.leaving: tuple[str, Decimal] | None = None
        self.arrived = ""
        self.exec_bar = self.decisions = 0
        self.entered: dict[int, int] = {}
        self.positions = 0
        self.peak = rules.start
        self.now = Bar(ZERO, ZERO, ZERO, ZERO)

    # Prices and fees.

    def impact(self, quantity: Decimal, price: Decimal) -> Decimal:
        """6.9: the further move of a price that an order of this size makes in this minute."""
        rules = self.rules
        if rules.impact == "disabled":
            return ZERO
        traded = self.now.volume * self.now.close
        part = abs(quantity) * price / traded if traded > 0 else ONE
        return min(rules.impact_max, rules.impact_coef * (part if rules.impact == "linear" else part.sqrt()))

    def worse(self, price: Decimal, side: int, quantity: Decimal) -> Decimal:
        """Return the price after slippage of a buy (+1) or a sell (-1)."""
        return price * (1 + side * (self.rules.slippage + self.impact(quantity, price)))

    def fee(self, quantity: Decimal, price: Decimal, taker: bool) -> Decimal:
        rate = self.rules.taker if taker else self.rules.maker
        notional = abs(quantity) * price * self.rules.multiplier
        return posted(notional * rate + abs(quantity) * self.rules.per_contract)

    def towards_entry(self, level: Decimal, side: int) -> Decimal:
        """A protective stop on the tick that risks less."""
        return up(level, self.rules.tick) if side > 0 else down(level, self.rules.tick)

    def bankruptcy(self, held: Held) -> Decimal:
        return bankruptcy_price(self.rules, held.side, held.units, held.entry, held.extra)

    def liquidation(self, held: Held) -> Decimal | None:
        return liquidation_price(self.rules, held.side, held.units, held.entry, held.extra)

    # Bookings.

    def open_position(
        self, row: int, point: str, price: Decimal, raw: Decimal, taker: bool, quantity: Decimal | None = None
    ) -> None:
        """A level that the fill moves to zero or below is out of reach, so there is none."""
        order, rules = self.entry, self.rules
        assert order is not None
        side, units = order.side, order.quantity if quantity is None else quantity
        fee = self.fee(units, price, taker)
        stop = None if order.plan.stop is None else price - side * order.plan.stop
        stop = self.towards_entry(stop, side) if stop is not None and stop > 0 else None
        aims = []
        for distance, part in in_steps(rules, order.plan, units):
            level = price + side * distance
            if level > 0:
                aims.append(Aim(down(level, rules.tick) if side > 0 else up(level, rules.tick), part))
        self.out.cash -= fee
        self.positions += 1
        self.held = Held(
            side * units, price, order.plan, stop, aims, self.decisions, price, price, raw, fee, self.positions
        )
        memo = posted(side * units * rules.multiplier * (price - raw))
        self.out.fills.append(
            Fill(
                row, point, "entry", side * units, price, fee, taker, memo, self.positions, stop=stop,
                targets=tuple(aim.level for aim in aims),
            )
        )  # fmt: skip
        self.entry = None
        self.arrived = point

    def leave(
        self, row: int, point: str, raw: Decimal, units: Decimal, leg: str, reason: str, *, rests: bool = False
    ) -> None:
        """Close so many units at a price, slipped unless the order rested there; 6.6, 6: never beyond bankruptcy."""
        held = self.held
        assert held is not None
        units = min(units, held.units)
        price = raw if rests else self.worse(raw, -held.side, units)
        if self.rules.perpetual and held.side * (price - self.bankruptcy(held)) < 0:
            self.liquidate(row, point)
            return
        self.book(row, point, price, raw, units, self.fee(units, price, not rests), not rests, leg, reason)

    def liquidate(self, row: int, point: str) -> None:
        """6.4 and 6.7: the whole position at the bankruptcy price, without slippage."""
        held = self.held
        assert held is not None
        price = self.bankruptcy(held)
        fee = posted(held.units * self.rules.multiplier * price * self.rules.liquidation_rate)
        self.book(row, point, price, price, held.units, fee, True, "guard", "liquidation")
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
            self.held, self.leaving = None, None
            return
        held.extra = posted(held.extra * (held.units - units) / held.units)
        held.entry_fee -= entry_fee
        held.funding -= funding
        held.quantity -= closed

    def reach(self, price: Decimal) -> None:
        """Note a price that was certainly traded while the position was held."""
        held = self.held
        assert held is not None
        if held.side * (price - held.best) > 0:
            held.best = price
        if held.side * (price - held.worst) < 0:
            held.worst = price

    # The steps of a minute, in the order of 5.4.

    def pay_funding(self, bar: Bar) -> None:
        """6.5: from free cash first, what is missing from the margin (6.7)."""
        held, rules = self.held, self.rules
        if held is None or rules.funding == 0 or bar.minute % FUNDING_MINUTES != 0:
            return
        received = -posted(held.quantity * rules.multiplier * bar.marks()[0] * rules.funding)
        free = self.out.cash - margin(rules, held.units, held.entry, held.extra)
        held.extra -= max(ZERO, -received - max(ZERO, free))
        held.funding += received
        self.out.cash += received

    def breach(self, last: Decimal, mark: Decimal) -> str | None:
        """6.6, 1 and 3: whichever of stop and liquidation lies nearer to the price is met first."""
        held = self.held
        assert held is not None
        side, level = held.side, self.liquidation(held)
        stopped = held.stop is not None and side * (last - held.stop) <= 0
        broke = level is not None and side * (mark - level) <= 0
        nearer = held.stop is not None and (level is None or side * (held.stop - level) >= 0)
        if stopped and (nearer or not broke):
            return "stop"
        return "liquidation" if broke else None

    def take_targets(self, row: int, point: str, best: Decimal) -> None:
        """Fill the targets that the price has reached, nearest first; at an open beyond them, there."""
        held = self.held
        assert held is not None
        while self.held is held and held.aims and held.side * (best - held.aims[0].level) >= 0:
            aim = held.aims.pop(0)
            raw = best if point == "open" else aim.level
            self.leave(row, point, raw, aim.quantity, "target", "tp", rests=self.rules.target_is_limit)

    def exit_at_open(self, row: int, bar: Bar) -> None:
        """6.6, 1 and 4: a gap over stop or liquidation, a gap over targets, then a close that was ordered before."""
        held = self.held
        assert held is not None
        self.reach(bar.open)
        met = self.breach(bar.open, bar.marks()[0])
        if met == "stop":
            self.leave(row, "open", bar.open, held.units, "stop", held.mover)
        elif met == "liquidation":
            self.liquidate(row, "open")
        else:
            self.take_targets(row, "open", bar.open)
        if self.held is not None and self.leaving is not None:
            (reason, units), self.leaving = self.leaving, None
            self.leave(row, "open", bar.open, units, "exit" if reason == "signal" else "guard", reason)

    def exit_inside(self, row: int, bar: Bar) -> None:
        """6.6, 2 and 3: the stop wins; an entry made inside the bar is granted targets only beyond the close (6.2).

        6.1: a stop fills never back at a price from before its trigger, so where the market at the entry, before
        slippage, is beyond the stop already, it fills there.
        """
        held = self.held
        assert held is not None
        _, mark_high, mark_low = bar.marks()
        last, mark = (bar.low, mark_low) if held.side > 0 else (bar.high, mark_high)
        best = bar.high if held.side > 0 else bar.low
        on_arrival = self.breach(held.arrival, held.arrival) if self.arrived else None
        met = on_arrival or self.breach(last, mark)
        point = self.arrived if on_arrival else "inside"
        if met == "stop":
            assert held.stop is not None
            self.leave(row, point, held.arrival if on_arrival else held.stop, held.units, "stop", held.mover)
        elif met == "liquidation":
            self.liquidate(row, point)
        else:
            self.take_targets(row, "inside", bar.close if self.arrived == "inside" else best)

    def enter_at_open(self, row: int, bar: Bar) -> None:
        """6.1 and 6.2, at the open."""
        order, o = self.entry, bar.open
        assert order is not None
        side, first, price = order.side, not order.seen_a_bar, order.price
        order.seen_a_bar = True
        if order.kind == "market":
            self.open_position(row, "open", self.worse(o, side, order.quantity), o, True)
            return
        assert price is not None
        if order.kind == "stop":
            if side * (o - price) >= 0:
                self.open_position(row, "open", self.worse(o, side, order.quantity), o, True)
            return
        marketable = side * (price - o) >= 0
        if not first:
            beyond = side * (price - o) > 0 if self.rules.trade_through else marketable
            if beyond:
                self.open_position(row, "open", o, o, False)
        elif marketable and self.rules.time_in_force == "PostOnly":
            self.die(row, "POST_ONLY_WOULD_CROSS")
        elif marketable:
            self.take_at_once(row, price, o)
        else:
            self.unfilled(row)

    def take_at_once(self, row: int, limit: Decimal, raw: Decimal) -> None:
        """A limit that is marketable in its first minute; 6.9 limits what one that may not rest finds there."""
        order, fraction = self.entry, self.rules.volume_fraction
        assert order is not None
        tif, there = self.rules.time_in_force, order.quantity
        if fraction is not None and tif in ("IOC", "FOK"):
            there = min(there, down(self.now.volume * fraction, self.rules.lot))
        missing = there < order.quantity
        if there == 0 or (missing and tif == "FOK"):
            self.unfilled(row)
            return
        slipped = self.worse(raw, order.side, there)
        price = min(limit, slipped) if order.side > 0 else max(limit, slipped)
        self.open_position(row, "open", price, raw, True, there)
        if missing:
            self.out.dead.append((row, f"{tif}_UNFILLED"))

    def unfilled(self, row: int) -> None:
        """What may not rest ends here."""
        if self.rules.time_in_force in ("IOC", "FOK"):
            self.die(row, f"{self.rules.time_in_force}_UNFILLED")

    def nothing_trades(self, row: int, bar: Bar) -> None:
        """6.9: a minute without volume fills nothing, and what may not rest (M2) dies of it.

        A liquidation needs nobody on the other side: the exchange takes the position over.
        """
        held, order = self.held, self.entry
        if held is not None:
            mark_open, mark_high, mark_low = bar.marks()
            for point, mark in (("open", mark_open), ("inside", mark_low if held.side > 0 else mark_high)):
                level = self.liquidation(held)
                if self.held is held and level is not None and held.side * (mark - level) <= 0:
                    self.liquidate(row, point)
        if order is not None and order.kind == "limit" and not order.seen_a_bar:
            self.unfilled(row)

    def enter_inside(self, row: int, bar: Bar) -> None:
        """6.1 and 6.2, against the range."""
        order = self.entry
        assert order is not None
        price, side = order.price, order.side
        if order.kind == "stop":
            assert price is not None
            if side * ((bar.high if side > 0 else bar.low) - price) >= 0:
                self.open_position(row, "inside", self.worse(price, side, order.quantity), price, True)
        elif order.kind == "limit":
            assert price is not None
            depth = side * (price - (bar.low if side > 0 else bar.high))
            if depth > 0 or (depth == 0 and not self.rules.trade_through):
                self.open_position(row, "inside", price, price, False)

    def die(self, row: int, reason: str) -> None:
        self.out.dead.append((row, reason))
        self.entry = None

    def marked(self, price: Decimal) -> Decimal:
        held = self.held
        if held is None:
            return self.out.cash
        return self.out.cash + posted(held.quantity * self.rules.multiplier * (price - held.entry))

    def hold_to_limits(self, value: Decimal) -> None:
        """Note an equity and how far below its peak it is; the run stops at its limits."""
        self.peak = max(self.peak, value)
        fall = (self.peak - value) / self.peak
        self.out.drawdown = max(self.out.drawdown, fall)
        if self.out.stopped is None and value <= self.rules.stop_equity:
            self.out.stopped = "equity_stop"
        elif self.out.stopped is None and fall >= self.rules.max_drawdown:
            self.out.stopped = "max_drawdown"

    def mark(self, bar: Bar) -> None:
        """5.4, 5 and 6.11: excursions, drawdown, and the limits of the run."""
        if self.held is not None:
            for price in (bar.close,) if self.arrived == "inside" else (bar.high, bar.low):
                self.reach(price)
        running = self.out.stopped is None
        self.hold_to_limits(self.marked(bar.close))
        if running and self.out.stopped is not None and self.held is not None:
            self.leaving = (self.out.stopped, self.held.units)

    def move_stop(self, bar: Bar) -> None:
        """5.4, 6: trailing, then break-even, from the close; what they set holds from the next minute on (T15)."""
        held = self.held
        if held is None:
            return
        side, trail, even = held.side, held.plan.trail, held.plan.break_even
        profit = side * (bar.close - held.entry) / held.entry
        if trail is not None:
            held.armed = held.armed or profit >= trail.activation
            if held.armed:
                apart = trail.distance if trail.share is None else bar.close * trail.share
                assert apart is not None
                self.tighten(held, bar.close - side * apart, "trailing")
        if even is not None and not held.broke_even and profit >= even.activation:
            held.broke_even = True
            self.tighten(held, held.entry * (1 + side * even.offset), "breakeven")

    def tighten(self, held: Held, level: Decimal, mover: str) -> None:
        level = self.towards_entry(level, held.side)
        if held.stop is None or held.side * (level - held.stop) > 0:
            held.stop, held.mover = level, mover

    def bar(self, row: int, bar: Bar) -> None:
        """One base bar, up to its close."""
        self.now, self.arrived = bar, ""
        self.pay_funding(bar)
        if self.rules.impact != "disabled" and bar.volume == 0:
            self.nothing_trades(row, bar)
        else:
            self.match(row, bar)
        self.mark(bar)
        self.move_stop(bar)

    def match(self, row: int, bar: Bar) -> None:
        """5.4, 2 to 4."""
        if self.held is not None:
            self.exit_at_open(row, bar)
        if self.held is None and self.entry is not None:
            self.enter_at_open(row, bar)
        if self.held is None and self.entry is not None:
            self.enter_inside(row, bar)
        if self.held is not None:
            self.exit_inside(row, bar)

    def decide(self, number: int, row: int, bar: Bar, wanted: Decision, lives_in: int) -> None:
        """6.1: what is decided at a close is worked from the next open on.

        Args:
            number: The execution bar whose close this is, or within which it lies.
            row: The base bar whose close this is.
            bar: That bar.
            wanted: What the strategy wants.
            lives_in: The execution bar with the first minute of an order of now; it is an entry of that bar.
        """
        if self.out.stopped is not None or self.entry is not None or self.leaving is not None:
            return
        held, rules = self.held, self.rules
        if held is not None:
            share = wanted.leave_long if held.side > 0 else wanted.leave_short
            units = part_of(rules, held.units, share)
            if units > 0:
                self.leaving = ("signal", units)
            elif share > 0:
                self.out.refused.append((row, "BELOW_MIN_QUANTITY"))
            return
        if self.entered.get(lives_in, 0) >= rules.entries_per_bar:
            return
        if wanted.conflict:
            self.out.refused.append((row, "CONFLICT"))
        if wanted.side == 0:
            return
        found = admit(rules, self.out.cash, bar.close, wanted)
        if not isinstance(found, Admitted):
            self.out.refused.append((row, found))
            return
        price = wanted.price
        if wanted.kind == "limit":
            assert price is not None
            price = down(price, rules.tick) if wanted.side > 0 else up(price, rules.tick)
        elif wanted.kind == "stop":
            assert price is not None
            price = nearest(price, rules.tick)
        self.entered[lives_in] = self.entered.get(lives_in, 0) + 1
        self.entry = Working(wanted.side, wanted.kind, found.quantity, price, found.plan, number, row)


def simulate(
    bars: Sequence[Bar],
    last_rows: Sequence[int],
    decisions: Mapping[int, Decision],
    rules: Rules,
    *,
    first_row: int = 0,
    intrabar: bool = False,
    rows_per_exec: int = 1,
) -> Outcome:
    """Run one stretch of bars.

    Args:
        last_rows: Last base row of each execution bar.
        decisions: By number of the execution bar at whose close they are made; by base row where `intrabar`.
        first_row: Base row at whose close the first decision is made; nothing happens before.
        intrabar: Whether every base close is an instant of decision (5.3).
        rows_per_exec: Base bars in an execution bar; `intrabar` counts the life of an order in them.
    """
    exchange = Exchange(rules)
    ends = {row: number for number, row in enumerate(last_rows)}
    for row in range(first_row, len(bars)):
        bar = bars[row]
        exchange.exec_bar = bisect_left(last_rows, row)
        exchange.decisions = row if intrabar else exchange.exec_bar
        if row > first_row:
            exchange.bar(row, bar)
        if row in ends:
            exchange.out.equity[ends[row]] = exchange.marked(bar.close)
        if row in ends or intrabar:
            entry, lives = exchange.entry, rules.expire_bars
            if entry is not None and lives:
                passed = row - entry.decided_row if intrabar else exchange.exec_bar - entry.decided_bar
                if passed >= lives * (rows_per_exec if intrabar else ONE):
                    exchange.die(row, "EXPIRED")
            wanted = decisions.get(row if intrabar else ends[row], Decision())
            exchange.decide(exchange.exec_bar, row, bar, wanted, bisect_left(last_rows, row + 1))
        if exchange.out.stopped is not None and exchange.held is None:
            return exchange.out
    exchange.decisions = len(bars) if intrabar else len(last_rows)
    finish(exchange, bars[-1], len(bars) - 1)
    return exchange.out


def finish(exchange: Exchange, last: Bar, row: int) -> None:
    """Close everything where the data ends (6.3), for the reason of a close of all that was ordered before."""
    if exchange.entry is not None:
        exchange.die(row, "END_OF_DATA")
    held = exchange.held
    if held is None:
        return
    ordered = exchange.leaving
    reason = ordered[0] if ordered is not None and ordered[1] == held.units else "end_of_data"
    exchange.leave(row, "close", last.close, held.units, "exit" if reason == "signal" else "guard", reason)
    exchange.hold_to_limits(exchange.out.cash)
