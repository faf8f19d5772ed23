"""The steps of one base bar of the slow exchange, in the order of plays.md 5.4.

6.1 orders, 6.2 limits, 6.6 priority of exits, 6.9 volume.
"""

from __future__ import annotations

from decimal import Decimal

from reference.account import Account
from reference.records import Aim, Close, Held, Working
from reference.terms import Bar, Rules, down

RESTS_NOT = ("IOC", "FOK")


class Minute(Account):
    """An account whose orders meet one bar after another."""

    def __init__(self, rules: Rules) -> None:
        super().__init__(rules)
        self.peak = rules.start

    def bar(self, row: int, bar: Bar) -> None:
        """One base bar, up to its close."""
        fraction = self.rules.volume_fraction
        self.now, self.arrived, self.opened_inside = bar, "", False
        self.room = None if fraction is None else down(bar.volume * fraction, self.rules.lot)
        self.pay_funding(bar)
        if bar.volume == 0 and (self.rules.impact != "disabled" or fraction is not None):
            self.out.note("6.9 no volume, no fill", self.held is not None or self.entry is not None)
            self.nothing_trades(row, bar)
        else:
            self.match(row, bar)
        self.mark(row, bar)
        self.move_stop(bar)

    def match(self, row: int, bar: Bar) -> None:
        """5.4, 2 to 4. What is left of an entry goes on beside its position, as long as no exit is under way."""
        if self.held is not None:
            self.exit_at_open(row, bar)
        if self.entry is not None and row >= self.entry.live_row:
            self.enter_at_open(row, bar, self.entry)
        if self.entry is not None and row >= self.entry.live_row:
            self.enter_inside(row, bar, self.entry)
        if self.held is not None:
            self.exit_inside(row, bar)

    def nothing_trades(self, row: int, bar: Bar) -> None:
        """6.9: a minute without volume fills nothing and sets nothing off; what may not rest (M2) dies of it.

        A liquidation needs nobody on the other side: the exchange takes the position over.
        """
        held, order = self.held, self.entry
        if held is not None:
            self.reach(bar.open)
            mark_open, mark_high, mark_low = bar.marks()
            for point, mark in (("open", mark_open), ("inside", mark_low if held.side > 0 else mark_high)):
                level = self.liquidation(held)
                if self.held is held and level is not None and held.side * (mark - level) <= 0:
                    self.liquidate(row, point)
        if order is not None and order.kind == "limit" and not order.seen_a_bar and row >= order.live_row:
            self.unfilled(row)

    def fires(self, bar: Bar) -> tuple[Decimal, Decimal, Decimal]:
        """Open, high and low of the price that fires stops and market targets (6.1)."""
        return bar.marks() if self.rules.trigger == "MarkPrice" else (bar.open, bar.high, bar.low)

    # Exits (6.6).

    def breach(self, trigger: Decimal | None, mark: Decimal | None, *, at_open: bool = False) -> str | None:
        """6.6, 1 and 3: whichever of stop and liquidation lies nearer to the price is met first.

        Args:
            trigger: The price that fires stops; None where it is not known.
            mark: The price that liquidates; None where it is not known.
            at_open: Whether what has fired before goes on here.
        """
        held = self.held
        assert held is not None
        side, level, stop = held.side, self.liquidation(held), held.stop
        broke = level is not None and mark is not None and side * (mark - level) <= 0
        if stop is None or (held.stop_fired and self.rules.stop_is_limit):
            stopped = nearer = False
        else:
            stopped = (held.stop_fired and at_open) or (trigger is not None and side * (trigger - stop) <= 0)
            nearer = level is None or side * (stop - level) >= 0
        self.out.note("6.6 stop before liquidation", stopped and broke and nearer)
        self.out.note("6.6 liquidation before the stop", stopped and broke and not nearer)
        self.out.note("6.6 liquidation by the mark price", broke and mark != trigger)
        if stopped and (nearer or not broke):
            return "stop"
        return "liquidation" if broke else None

    def on_arrival(self, held: Held) -> bool:
        """6.1: a stop fills never back at a price from before its trigger.

        Where the market at the entry, before slippage, was beyond the stop already, it fills there.
        """
        beyond = held.stop is not None and held.side * (held.arrival - held.stop) <= 0
        return bool(self.arrived) and beyond

    def stop_out(self, row: int, point: str, start: Decimal) -> None:
        """6.1: at the worse of the level and the price before; what finds no room goes on at the next open."""
        held = self.held
        assert held is not None
        assert held.stop is not None
        worse = min(held.stop, start) if held.side > 0 else max(held.stop, start)
        self.out.note("6.1 trigger by the mark price", self.rules.trigger == "MarkPrice")
        self.out.note("6.6 stop inside", point == "inside")
        self.out.note("6.6 gap over the stop", point == "open" and not self.arrived)
        self.out.note("6.2 stop in the minute of an entry inside", self.arrived == "inside")
        if self.rules.stop_is_limit:
            self.stop_becomes_limit(row, point, held, start)
        elif self.leave(row, point, start if held.stop_fired else worse, held.units, "stop", held.mover) > 0:
            held.stop_fired = True

    def stop_becomes_limit(self, row: int, point: str, held: Held, start: Decimal) -> None:
        """A stop of type Limit: reached inside it takes at its level, opened beyond it rests there."""
        assert held.stop is not None
        held.stop_fired = True
        reached_on_the_way = held.side * (start - held.stop) >= 0
        self.out.note("6.1 stop of type Limit takes" if reached_on_the_way else "6.1 stop of type Limit rests")
        self.withdraw(row)
        if reached_on_the_way:
            self.leave(row, point, held.stop, held.units, "stop", held.mover, rests=True, taker=True)

    def rested_stop(self, row: int, point: str, best: Decimal) -> None:
        """A stop of type Limit that fired and waits: it fills where the price comes back to it."""
        held = self.held
        assert held is not None
        assert held.stop is not None
        met = self.other_side(best, -held.side)
        if held.side * (met - held.stop) >= 0:
            price = met if point == "open" else held.stop
            self.leave(row, point, price, held.units, "stop", held.mover, rests=True)

    def take_targets(self, row: int, point: str, best: Decimal, last: Decimal) -> None:
        """Fill the targets that are reached, nearest first; at an open beyond them, there.

        Args:
            best: How far the price that fires targets has come.
            last: How far the last price has come, at the open the open: a limit rests against it.
        """
        held, rests = self.held, self.rules.target_is_limit
        assert held is not None
        if point == "open":
            fired, held.fired = held.fired, []
            for aim in fired:
                if self.held is held:
                    self.take_target(row, point, aim, last, rests=False)
        met = self.other_side(last, -held.side)
        while self.held is held and held.aims:
            aim = held.aims[0]
            depth = held.side * ((met if rests else best) - aim.level)
            if depth < 0 or (rests and not self.our_turn(aim, depth, at_open=point == "open")):
                return
            if rests and self.room == 0:
                return
            held.aims.pop(0)
            self.out.note(f"6.6 gap over a {'limit' if rests else 'market'} target", point == "open")
            self.out.note("6.6 target inside", point == "inside")
            self.out.note("6.2 target beyond the close of that minute", self.arrived == "inside")
            opened = met if rests else last
            self.take_target(row, point, aim, opened if point == "open" else aim.level, rests=rests)

    def take_target(self, row: int, point: str, aim: Aim, raw: Decimal, *, rests: bool) -> None:
        held = self.held
        assert held is not None
        rest = self.leave(row, point, raw, aim.quantity, "target", "tp", rests=rests)
        if rest > 0:
            aim.quantity = rest
            held.aims.insert(0, aim) if rests else held.fired.append(aim)

    def exit_at_open(self, row: int, bar: Bar) -> None:
        """6.6, 1 and 4: a gap over stop or liquidation, a gap over targets, then closes that were ordered before."""
        held = self.held
        assert held is not None
        self.reach(bar.open)
        trigger = self.fires(bar)[0]
        met = self.breach(trigger, bar.marks()[0], at_open=True)
        self.out.note("6.6 gap over liquidation", met == "liquidation")
        self.out.note("6.6 gap before a signal close", met is not None and bool(self.leaving))
        if met == "liquidation":
            self.liquidate(row, "open")
        elif met == "stop":
            self.stop_out(row, "open", bar.open)
            self.liquidated_beyond(row, "open", held, bar.marks()[0], bar.open)
        elif held.stop_fired:
            self.rested_stop(row, "open", bar.open)
        if self.held is held and not held.stop_fired:
            self.take_targets(row, "open", trigger, bar.open)
        ordered, self.leaving = self.leaving, []
        for close in ordered:
            if self.held is not held:
                return
            if row < close.live_row:
                self.out.note("6.1 a close is on its way")
                self.leaving.append(close)
                continue
            self.out.note("6.6 signal close at the open", close.reason == "signal")
            rest = self.leave(row, "open", bar.open, close.units, close.leg, close.reason)
            if rest > 0 and self.held is held:
                self.leaving.append(Close(close.reason, rest, close.leg, row))

    def liquidated_beyond(self, row: int, point: str, held: Held, mark: Decimal, start: Decimal) -> None:
        """A stop of type Limit that was opened beyond, and rests, keeps nobody from liquidation."""
        rests = self.rules.stop_is_limit and held.stop is not None and held.side * (start - held.stop) < 0
        level = self.liquidation(held) if self.held is held and rests else None
        if level is not None and held.side * (mark - level) <= 0:
            self.liquidate(row, point)

    def exit_inside(self, row: int, bar: Bar) -> None:
        """6.6, 2 and 3: the stop wins; an entry made inside the bar is granted targets only beyond the close (6.2)."""
        held = self.held
        assert held is not None
        up_to = (1, 2) if held.side > 0 else (2, 1)
        trigger, mark = self.fires(bar), bar.marks()
        rests = held.stop_fired and self.rules.stop_is_limit
        met = self.breach(trigger[up_to[1]], mark[up_to[1]])
        early = met == "stop" and self.on_arrival(held)
        point = self.arrived if early else "inside"
        best = bar.high if held.side > 0 else bar.low
        in_reach = bool(held.aims) and held.side * (best - held.aims[0].level) >= 0
        self.out.note("6.1 stop fires where its entry arrived", early)
        self.out.note("6.6 stop and target in one minute", met == "stop" and in_reach)
        withheld = in_reach and met is None and held.side * (bar.close - held.aims[0].level) < 0
        self.out.note("6.2 target of that minute not granted", withheld and self.arrived == "inside")
        if met == "stop":
            start = held.arrival if self.arrived else bar.open
            self.stop_out(row, point, start)
            self.liquidated_beyond(row, point, held, mark[up_to[1]], start)
        elif met == "liquidation":
            self.liquidate(row, point)
        known = bar.close if self.arrived == "inside" else best
        if self.held is held and rests:
            self.rested_stop(row, "inside", known)
        elif self.held is held and met is None:
            fires = bar.close if self.arrived == "inside" else trigger[up_to[0]]
            self.take_targets(row, "inside", fires, known)

    # Entries (6.1, 6.2).

    def enter_at_open(self, row: int, bar: Bar, order: Working) -> None:
        first, o = not order.seen_a_bar, bar.open
        if order.kind == "limit" and first and self.room == 0 and self.rules.time_in_force not in RESTS_NOT:
            return
        order.seen_a_bar = True
        if order.kind in ("stop", "stop_limit") and not order.fired:
            assert order.price is not None
            if order.side * (self.fires(bar)[0] - order.price) < 0:
                return
            order.fired = True
            if order.kind == "stop_limit":
                order.kind, order.price, first = "limit", order.limit, True
            else:
                self.out.note("6.1 stop entry opened over")
                self.take(row, "open", order, max(order.price, o) if order.side > 0 else min(order.price, o))
                return
        if order.kind != "limit":
            self.out.note("6.1 market entry", order.kind == "market" and first)
            self.take(row, "open", order, o)
        elif first:
            self.first_minute(row, "open", order, o)
        else:
            assert order.price is not None
            met = self.other_side(o, order.side)
            if self.our_turn(order, order.side * (order.price - met), at_open=True, strictly=self.rules.trade_through):
                self.rest_filled(row, "open", order, met, o)

    def enter_inside(self, row: int, bar: Bar, order: Working) -> None:
        side, price = order.side, order.price
        if price is None or (order.fired and order.kind == "stop"):
            return
        if order.kind == "limit":
            if not order.seen_a_bar:
                return
            depth = side * (price - self.other_side(bar.low if side > 0 else bar.high, side))
            self.out.note("6.2 touched and not traded through", depth == 0 and self.rules.trade_through)
            if self.our_turn(order, depth, at_open=False, strictly=self.rules.trade_through):
                self.rest_filled(row, "inside", order, price, price)
            return
        _, high, low = self.fires(bar)
        if side * ((high if side > 0 else low) - price) < 0:
            return
        moment = max(price, bar.open) if side > 0 else min(price, bar.open)
        order.fired = True
        if order.kind == "stop":
            self.out.note("6.1 stop entry inside the bar")
            self.take(row, "inside", order, moment)
        else:
            order.kind, order.price = "limit", order.limit
            self.first_minute(row, "inside", order, moment, close=bar.close)

    def first_minute(self, row: int, point: str, order: Working, now: Decimal, *, close: Decimal | None = None) -> None:
        """6.2: a limit in the moment in which it becomes live, with the price where it then is.

        Args:
            close: Of the bar, where the order became live inside it: all that is known of what came after.
        """
        limit, tif = order.price, self.rules.time_in_force
        assert limit is not None
        marketable = order.side * (limit - self.other_side(now, order.side)) >= 0
        order.ahead = self.queued()
        if order.limit is not None:
            self.out.note(f"6.1 stop-limit {'taken at' if marketable else 'rests after'} its trigger")
        if marketable:
            if tif == "PostOnly":
                self.die(row, "POST_ONLY_WOULD_CROSS")
            else:
                self.take(row, point, order, now, limit)
        elif tif in RESTS_NOT:
            self.unfilled(row)
        elif close is not None:
            depth = order.side * (limit - self.other_side(close, order.side))
            if self.our_turn(order, depth, at_open=False, strictly=self.rules.trade_through):
                self.rest_filled(row, point, order, limit, limit)

    def take(self, row: int, point: str, order: Working, raw: Decimal, limit: Decimal | None = None) -> None:
        """Fill at once, slipped and never beyond the limit, as much as the bar has room for (6.9)."""
        tif = self.rules.time_in_force if limit is not None else "GTC"
        there = self.found(order.quantity)
        missing = there < order.quantity
        if there > 0 and missing and tif == "IOC":
            self.out.note("6.2 IOC takes a part")
        if there > 0 and not (missing and tif == "FOK"):
            price = self.worse(raw, order.side, there)
            if limit is not None:
                self.out.note("6.2 taken at its first open")
                self.out.note("6.2 held to its limit", order.side * (price - limit) > 0)
                self.out.note("6.2 improved by the open", order.side * (price - limit) < 0)
                price = min(limit, price) if order.side > 0 else max(limit, price)
            self.enter(row, point, price, raw, True, there)
        self.out.note("6.2 FOK dies for want of volume", missing and tif == "FOK")
        if missing and self.entry is not None:
            if there > 0 and tif == "IOC":
                self.die(row, "LIQUIDITY")
            else:
                self.unfilled(row, tif)

    def rest_filled(self, row: int, point: str, order: Working, price: Decimal, raw: Decimal) -> None:
        there = self.found(order.quantity)
        if there > 0:
            self.out.note("6.2 resting, touched" if point == "inside" else "6.2 resting, opened through")
            self.out.note("6.2 PostOnly makes", self.rules.time_in_force == "PostOnly")
            self.out.note("6.2 resting, opened through across a spread", price != raw)
            self.enter(row, point, price, raw, False, there)

    def unfilled(self, row: int, tif: str = "") -> None:
        """What may not rest ends here."""
        tif = tif or self.rules.time_in_force
        if tif in RESTS_NOT:
            self.die(row, f"{tif}_UNFILLED")

    def die(self, row: int, reason: str) -> None:
        name = {"EXPIRED": "6.2 GTC expires", "POST_ONLY_WOULD_CROSS": "6.2 PostOnly would cross"}.get(reason)
        if reason.endswith("_UNFILLED"):
            name = f"6.2 {reason[:3]} dies"
        if name is not None:
            self.out.note(name)
        self.out.dead.append((row, reason))
        self.entry = None

    # The close of the bar.

    def hold_to_limits(self, value: Decimal) -> None:
        """Note an equity and how far below its peak it is; the run stops at its limits."""
        self.peak = max(self.peak, value)
        fall = (self.peak - value) / self.peak
        self.out.drawdown = max(self.out.drawdown, fall)
        if self.out.stopped is None and value <= self.rules.stop_equity:
            self.out.stopped = "equity_stop"
            self.out.note("6.11 stopped by equity")
        elif self.out.stopped is None and fall >= self.rules.max_drawdown:
            self.out.stopped = "max_drawdown"
            self.out.note("6.11 stopped by drawdown")

    def mark(self, row: int, bar: Bar) -> None:
        """5.4, 5 and 6.11: excursions, drawdown, and the limits of the run."""
        if self.held is not None:
            for price in (bar.close,) if self.opened_inside else (bar.high, bar.low):
                self.reach(price)
        running = self.out.stopped is None
        self.hold_to_limits(self.marked(bar.close))
        if running and self.out.stopped is not None and self.held is not None:
            self.withdraw(row, "ENTRIES_DISABLED")
            if not any(close.units == self.held.units for close in self.leaving):
                self.leaving = [Close(self.out.stopped, self.held.units, "guard", row + 1 + self.rules.latency_bars)]

    def move_stop(self, bar: Bar) -> None:
        """5.4, 6: trailing, then break-even, from the close; what they set holds from the next minute on (T15)."""
        held = self.held
        if held is None or held.stop_fired:
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
            self.out.note("5.4 trailing moves the stop" if mover == "trailing" else "5.4 break-even moves the stop")
