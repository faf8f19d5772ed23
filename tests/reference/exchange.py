"""The simulated exchange, slowly: written from the specification alone, in exact decimals, minute by minute.

It imports nothing of the engine. Nothing is skipped: every base bar passes every step of plays.md 5.4, and every rule
stands where the specification puts it (6.1 orders, 6.2 limits, 6.3 slippage, 6.4 fees, 6.6 priority, 6.8 sizes).

    outcome = simulate(bars, closes, decisions, Rules(taker=Decimal("0.00055")))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

ZERO, ONE = Decimal(0), Decimal(1)
CENT_OF_A_MICRO = Decimal("1e-8")


@dataclass(frozen=True)
class Bar:
    """One base bar."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


@dataclass(frozen=True)
class Decision:
    """What the strategy wants at the close of an execution bar; distances and prices may be absent."""

    side: int = 0
    kind: str = "market"
    price: Decimal | None = None
    stop: Decimal | None = None
    target: Decimal | None = None
    leave: bool = False


@dataclass(frozen=True)
class Rules:
    """Costs, limits, grids and order habits; rates are fractions."""

    start: Decimal = Decimal(10000)
    taker: Decimal = ZERO
    maker: Decimal = ZERO
    per_contract: Decimal = ZERO
    slippage: Decimal = ZERO
    tick: Decimal = Decimal("0.01")
    lot: Decimal = Decimal("0.001")
    multiplier: Decimal = ONE
    max_drawdown: Decimal = ONE
    stop_equity: Decimal = ZERO
    time_in_force: str = "GTC"
    expire_bars: int = 0
    target_is_limit: bool = False
    trade_through: bool = False
    model: str = "fixed_quantity"
    value: Decimal = ONE
    include_costs: bool = False
    basis: str = "margin"
    leverage: Decimal = ONE
    max_position: Decimal = Decimal("0.95")
    max_notional: Decimal | None = None
    min_notional: Decimal = ZERO
    min_quantity: Decimal = Decimal("0.001")
    include_close_fee: bool = True


@dataclass
class Fill:
    """One execution; `gross` and `reason` of exits only, `stop` and `target` of entries only."""

    row: int
    point: str
    leg: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    taker: bool
    slippage: Decimal
    gross: Decimal = ZERO
    reason: str = ""
    stop: Decimal | None = None
    target: Decimal | None = None
    adverse: Decimal = ZERO
    favourable: Decimal = ZERO
    bars_held: int = 0


@dataclass
class Working:
    """An order that waits."""

    side: int
    kind: str
    quantity: Decimal
    price: Decimal | None
    stop: Decimal | None
    target: Decimal | None
    decided: int
    seen_a_bar: bool = False


@dataclass
class Held:
    """A position."""

    quantity: Decimal
    entry: Decimal
    stop: Decimal | None
    target: Decimal | None
    opened_bar: int
    best: Decimal
    worst: Decimal
    arrival: Decimal

    @property
    def side(self) -> int:
        return 1 if self.quantity > 0 else -1


@dataclass
class Outcome:
    """What a simulation left behind."""

    fills: list[Fill] = field(default_factory=list)
    dead: list[tuple[int, str]] = field(default_factory=list)
    equity: dict[int, Decimal] = field(default_factory=dict)
    cash: Decimal = ZERO
    drawdown: Decimal = ZERO
    stopped: str | None = None


def down(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(ROUND_FLOOR) * step


def up(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(ROUND_CEILING) * step


def nearest(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(ROUND_HALF_EVEN) * step


def posted(amount: Decimal) -> Decimal:
    return amount.quantize(CENT_OF_A_MICRO, ROUND_HALF_EVEN)


def size(rules: Rules, equity: Decimal, price: Decimal, stop: Decimal | None) -> Decimal | None:
    """Return the quantity of an entry, or None where it is refused."""
    unit = price * rules.multiplier
    fee = rules.taker + rules.per_contract / unit
    sides = 2 if rules.include_close_fee else 1
    cap = min(
        equity * rules.max_position * rules.leverage,
        equity * rules.leverage / (1 + sides * fee * rules.leverage),
        Decimal("Infinity") if rules.max_notional is None else rules.max_notional,
    )
    if rules.model == "percent_equity":
        wanted = equity * rules.value * rules.leverage
    elif rules.model == "risk_based":
        if stop is None:
            return None
        loss = stop / price + (2 * fee + rules.slippage if rules.include_costs else ZERO)
        wanted = equity * rules.value / loss
    elif rules.model == "fixed_usdt":
        wanted = rules.value if rules.basis == "notional" else rules.value * rules.leverage
    else:
        wanted = rules.value * unit
        if wanted > cap:
            return None
        cap = wanted
    quantity = down(min(wanted, cap) / unit * (1 + Decimal("1e-12")), rules.lot)
    if quantity < rules.min_quantity or quantity <= 0 or quantity * unit < rules.min_notional:
        return None
    return quantity


class Exchange:
    """One account, one position, one entry order, one close order."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.out = Outcome(cash=rules.start)
        self.held: Held | None = None
        self.entry: Working | None = None
        self.leaving: str | None = None
        self.arrived = ""
        self.exec_bar = 0
        self.peak = rules.start

    def worse(self, price: Decimal, side: int) -> Decimal:
        """Return the price after slippage of a buy (+1) or a sell (-1)."""
        return price * (1 + side * self.rules.slippage)

    def fee(self, quantity: Decimal, price: Decimal, taker: bool) -> Decimal:
        rate = self.rules.taker if taker else self.rules.maker
        notional = abs(quantity) * price * self.rules.multiplier
        return posted(notional * rate + abs(quantity) * self.rules.per_contract)

    def open_position(self, row: int, point: str, price: Decimal, raw: Decimal, taker: bool) -> None:
        order, rules = self.entry, self.rules
        assert order is not None
        quantity = order.quantity * order.side
        fee = self.fee(quantity, price, taker)
        stop = target = None
        if order.stop is not None:
            level = price - order.side * order.stop
            stop = up(level, rules.tick) if order.side > 0 else down(level, rules.tick)
        if order.target is not None:
            level = price + order.side * order.target
            target = down(level, rules.tick) if order.side > 0 else up(level, rules.tick)
        self.out.cash -= fee
        self.held = Held(quantity, price, stop, target, self.exec_bar, price, price, raw)
        memo = posted(quantity * rules.multiplier * (price - raw))
        self.out.fills.append(Fill(row, point, "entry", quantity, price, fee, taker, memo, stop=stop, target=target))
        self.entry = None
        self.arrived = point

    def close_position(
        self, row: int, point: str, price: Decimal, raw: Decimal, taker: bool, leg: str, reason: str
    ) -> None:
        held = self.held
        assert held is not None
        fee = self.fee(held.quantity, price, taker)
        gross = posted(held.quantity * self.rules.multiplier * (price - held.entry))
        self.reach(price)
        self.out.cash += gross - fee
        self.out.fills.append(
            Fill(
                row, point, leg, -held.quantity, price, fee, taker,
                posted(-held.quantity * self.rules.multiplier * (price - raw)), gross, reason,
                adverse=held.side * (held.entry - held.worst) / held.entry,
                favourable=held.side * (held.best - held.entry) / held.entry,
                bars_held=self.exec_bar - held.opened_bar,
            )
        )  # fmt: skip
        self.held, self.leaving = None, None

    def reach(self, price: Decimal) -> None:
        """Note a price that was certainly traded while the position was held."""
        held = self.held
        assert held is not None
        if held.side * (price - held.best) > 0:
            held.best = price
        if held.side * (price - held.worst) < 0:
            held.worst = price

    def exit_at_open(self, row: int, bar: Bar) -> None:
        """6.6, 1 and 4: a gap over the stop, a gap over the target, then a close that was ordered before."""
        held = self.held
        assert held is not None
        side, slipped = held.side, self.worse(bar.open, -held.side)
        self.reach(bar.open)
        if held.stop is not None and side * (bar.open - held.stop) <= 0:
            self.close_position(row, "open", slipped, bar.open, True, "stop", "sl")
        elif held.target is not None and side * (bar.open - held.target) >= 0:
            resting = self.rules.target_is_limit
            self.close_position(row, "open", bar.open if resting else slipped, bar.open, not resting, "target", "tp")
        elif self.leaving is not None:
            leg = "exit" if self.leaving == "signal" else "guard"
            self.close_position(row, "open", slipped, bar.open, True, leg, self.leaving)

    def exit_inside(self, row: int, bar: Bar) -> None:
        """6.6, 2: the stop wins; an entry made inside the bar is granted its target only beyond the close (6.2).

        6.1: a stop fills never back at a price from before its trigger, so where the market at the entry, before
        slippage, is beyond the stop already, it fills there.
        """
        held = self.held
        assert held is not None
        side = held.side
        worst = bar.low if side > 0 else bar.high
        best = bar.close if self.arrived == "inside" else (bar.high if side > 0 else bar.low)
        if held.stop is not None and self.arrived and side * (held.arrival - held.stop) <= 0:
            self.close_position(row, self.arrived, self.worse(held.arrival, -side), held.arrival, True, "stop", "sl")
        elif held.stop is not None and side * (worst - held.stop) <= 0:
            self.close_position(row, "inside", self.worse(held.stop, -side), held.stop, True, "stop", "sl")
        elif held.target is not None and side * (best - held.target) >= 0:
            resting = self.rules.target_is_limit
            price = held.target if resting else self.worse(held.target, -side)
            self.close_position(row, "inside", price, held.target, not resting, "target", "tp")

    def enter_at_open(self, row: int, bar: Bar) -> None:
        """6.1 and 6.2, at the open."""
        order, o = self.entry, bar.open
        assert order is not None
        side, first, price = order.side, not order.seen_a_bar, order.price
        order.seen_a_bar = True
        if order.kind == "market":
            self.open_position(row, "open", self.worse(o, side), o, True)
            return
        assert price is not None
        if order.kind == "stop":
            if side * (o - price) >= 0:
                self.open_position(row, "open", self.worse(o, side), o, True)
            return
        marketable = side * (price - o) >= 0
        tif = self.rules.time_in_force
        if not first:
            beyond = side * (price - o) > 0 if self.rules.trade_through else marketable
            if beyond:
                self.open_position(row, "open", o, o, False)
        elif marketable and tif == "PostOnly":
            self.die(row, "POST_ONLY_WOULD_CROSS")
        elif marketable:
            slipped = self.worse(o, side)
            self.open_position(row, "open", min(price, slipped) if side > 0 else max(price, slipped), o, True)
        elif tif in ("IOC", "FOK"):
            self.die(row, f"{tif}_UNFILLED")

    def enter_inside(self, row: int, bar: Bar) -> None:
        """6.1 and 6.2, against the range."""
        order = self.entry
        assert order is not None
        price, side = order.price, order.side
        if order.kind == "stop":
            assert price is not None
            if side * ((bar.high if side > 0 else bar.low) - price) >= 0:
                self.open_position(row, "inside", self.worse(price, side), price, True)
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

    def fall(self, value: Decimal) -> Decimal:
        """Note an equity; return how far below its peak it is."""
        self.peak = max(self.peak, value)
        fall = (self.peak - value) / self.peak
        self.out.drawdown = max(self.out.drawdown, fall)
        return fall

    def mark(self, bar: Bar) -> None:
        """5.4, 5 and 6.11: excursions, drawdown, and the limits of the run."""
        if self.held is not None:
            for price in (bar.close,) if self.arrived == "inside" else (bar.high, bar.low):
                self.reach(price)
        value = self.marked(bar.close)
        fall = self.fall(value)
        if self.out.stopped is None:
            if value <= self.rules.stop_equity:
                self.out.stopped = "equity_stop"
            elif fall >= self.rules.max_drawdown:
                self.out.stopped = "max_drawdown"
            if self.out.stopped is not None and self.held is not None:
                self.leaving = self.out.stopped

    def bar(self, row: int, bar: Bar) -> None:
        """One base bar, up to its close."""
        self.arrived = ""
        if self.held is not None:
            self.exit_at_open(row, bar)
        if self.held is None and self.entry is not None:
            self.enter_at_open(row, bar)
        if self.held is None and self.entry is not None:
            self.enter_inside(row, bar)
        if self.held is not None:
            self.exit_inside(row, bar)
        self.mark(bar)

    def decide(self, number: int, bar: Bar, wanted: Decision) -> None:
        """6.1: what is decided at a close is worked from the next open on."""
        if self.out.stopped is not None or self.entry is not None or self.leaving is not None:
            return
        if self.held is not None:
            if wanted.leave:
                self.leaving = "signal"
            return
        if wanted.side == 0:
            return
        rules, tick = self.rules, self.rules.tick
        distances = [d for d in (wanted.stop, wanted.target) if d is not None]
        below = wanted.stop if wanted.side > 0 else wanted.target
        if any(d < tick for d in distances) or (below is not None and below >= bar.close):
            return
        quantity = size(rules, self.out.cash, bar.close, wanted.stop)
        if quantity is None:
            return
        price = wanted.price
        if wanted.kind == "limit":
            assert price is not None
            price = down(price, tick) if wanted.side > 0 else up(price, tick)
        elif wanted.kind == "stop":
            assert price is not None
            price = nearest(price, tick)
        self.entry = Working(wanted.side, wanted.kind, quantity, price, wanted.stop, wanted.target, number)


def simulate(
    bars: Sequence[Bar],
    last_rows: Sequence[int],
    decisions: Mapping[int, Decision],
    rules: Rules,
    *,
    first_exec: int = 0,
) -> Outcome:
    """Run one stretch of bars.

    Args:
        last_rows: Last base row of each execution bar.
        decisions: By number of the execution bar at whose close they are made.
        first_exec: First execution bar with a decision; nothing happens before.
    """
    exchange = Exchange(rules)
    ends = {row: number for number, row in enumerate(last_rows)}
    begin = last_rows[first_exec]
    for row in range(begin, len(bars)):
        bar = bars[row]
        exchange.exec_bar = next((n for n, last in enumerate(last_rows) if last >= row), len(last_rows))
        if row > begin:
            exchange.bar(row, bar)
        if row in ends:
            number = ends[row]
            exchange.out.equity[number] = exchange.marked(bar.close)
            entry = exchange.entry
            if entry is not None and rules.expire_bars and number - entry.decided >= rules.expire_bars:
                exchange.die(row, "EXPIRED")
            exchange.decide(number, bar, decisions.get(number, Decision()))
        if exchange.out.stopped is not None and exchange.held is None:
            return exchange.out
    finish(exchange, bars[-1], len(bars) - 1, len(last_rows))
    return exchange.out


def finish(exchange: Exchange, last: Bar, row: int, exec_bars: int) -> None:
    """Close everything where the data ends (6.3)."""
    if exchange.entry is not None:
        exchange.die(row, "END_OF_DATA")
    held = exchange.held
    if held is not None:
        exchange.exec_bar = exec_bars
        reason = exchange.leaving or "end_of_data"
        leg = "exit" if reason == "signal" else "guard"
        price = exchange.worse(last.close, -held.side)
        exchange.close_position(row, "close", price, last.close, True, leg, reason)
        exchange.fall(exchange.out.cash)
