"""The simulated exchange, slowly: written from the specification alone, in exact decimals, minute by minute.

It imports nothing of the engine. Nothing is skipped: every base bar passes every step of plays.md 5.4, and every rule
stands where the specification puts it: `reference.minute` (5.4, 6.1, 6.2, 6.6), `reference.account` (6.3 to 6.5, 6.9,
6.10), `reference.margin` (6.7), `reference.sizes` (6.8); decisions and the ends of a run are here.

    outcome = simulate(bars, last_rows, decisions, Rules(taker=Decimal("0.00055")))
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from decimal import Decimal

from reference.minute import Minute
from reference.records import Close, Fill, Outcome, Working
from reference.sizes import Admitted, admit, part_of
from reference.terms import ONE, Bar, Decision, Rules, down, nearest, up

__all__ = ["Exchange", "Fill", "Outcome", "simulate"]


class Exchange(Minute):
    """An account that decides.

    `exec_bar` counts execution bars that have passed, `entered` the entries of each.
    """

    def __init__(self, rules: Rules) -> None:
        super().__init__(rules)
        self.exec_bar = 0
        self.entered: dict[int, int] = {}

    def decide(self, number: int, row: int, bar: Bar, wanted: Decision, lives_in: int) -> None:
        """6.1: what is decided at a close is worked from the next open on.

        Args:
            number: The execution bar whose close this is, or within which it lies.
            row: The base bar whose close this is.
            bar: That bar.
            wanted: What the strategy wants.
            lives_in: The execution bar with the next minute; an order of now is an entry of that bar, whatever its way.
        """
        held, rules = self.held, self.rules
        if self.out.stopped is not None or self.leaving or (self.entry is not None and held is None):
            return
        if held is not None:
            share = wanted.leave_long if held.side > 0 else wanted.leave_short
            units = part_of(rules, held.units, share)
            self.out.note("6.1 close of all", share == ONE)
            self.out.note("6.1 close of a part", 0 < units < held.units)
            self.out.note("6.1 close of less than a lot", units == 0 and share > 0)
            if units > 0:
                self.withdraw(row)
                self.leaving = [Close("signal", units, "exit", row + 1 + rules.latency_bars)]
            elif share > 0:
                self.out.refused.append((row, "BELOW_MIN_QUANTITY"))
            return
        if self.entered.get(lives_in, 0) >= rules.entries_per_bar:
            return
        if wanted.conflict:
            self.out.refused.append((row, "CONFLICT"))
        if wanted.side == 0:
            return
        equity, free = self.money()
        found = admit(rules, equity, bar.close, wanted, self.out, free=free)
        if not isinstance(found, Admitted):
            self.out.refused.append((row, found))
            return
        price, limit = wanted.price, wanted.limit
        if wanted.kind == "limit":
            price = self.on_grid(wanted.side, price)
        elif price is not None:
            price = nearest(price, rules.tick)
        self.entered[lives_in] = self.entered.get(lives_in, 0) + 1
        self.entry = Working(
            wanted.side, wanted.kind, found.quantity, price, found.plan, number, row,
            self.on_grid(wanted.side, limit), row + 1 + rules.latency_bars,
        )  # fmt: skip
        self.out.note("6.1 an order comes later by its latency", rules.latency_bars > 0)

    def money(self) -> tuple[Decimal, Decimal]:
        """Equity and free margin at a decision on an entry: the account is flat."""
        return self.out.cash, self.out.cash

    def on_grid(self, side: int, limit: Decimal | None) -> Decimal | None:
        """6.1: buy limits down, sell limits up."""
        if limit is None:
            return None
        return down(limit, self.rules.tick) if side > 0 else up(limit, self.rules.tick)


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


def finish(exchange: Exchange, last: Bar, row: int, why: str = "end_of_data") -> None:
    """Close everything where the data ends (6.3), for the reason of a close of all that was ordered before."""
    if exchange.entry is not None:
        exchange.die(row, why.upper())
    held = exchange.held
    if held is None:
        return
    ordered = exchange.leaving[0] if exchange.leaving else Close(why, held.units, "guard")
    if ordered.units != held.units:
        ordered = Close(why, held.units, "guard")
    exchange.room = None
    exchange.out.note("6.3 close at the end of the data")
    exchange.leave(row, "close", last.close, held.units, ordered.leg, ordered.reason)
    exchange.hold_to_limits(exchange.out.cash)
