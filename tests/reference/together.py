"""Several instruments on one account, slowly: one cash, one peak, one stop, and who is asked before whom.

Each instrument is a slow exchange of its own (`reference.exchange`) whose money is that of all. From the specification
(plays.md 5.4, 6.7, 6.8, 6.11) and what decision 0010 says where it is silent:

* at one instant: base bars that close, slow to fast, then by name; the account is marked once; execution bars that
  close, slow to fast, then by name, each with its decision; then ends of data
* a decision sees the equity at the last marks, and of it what neither positions nor entries at work keep
* a stop of the account withdraws every entry and closes every position at its own next open
* funding takes free cash first, which is what no position uses, then the margin of the position that pays

    outcome = simulate_together([line, ...])
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from reference.exchange import Exchange, finish
from reference.records import Close, Outcome
from reference.sizes import fee_rate
from reference.terms import ONE, ZERO, Bar, Decision, Rules


@dataclass(frozen=True)
class Part:
    """An unbroken stretch of an instrument's bars.

    Attributes:
        bars: Base bars.
        closes: The minute at whose begin each of them has closed.
        last_rows: Last base row of each execution bar.
        exec_closes: The minute at whose begin each of those has closed.
        decisions: By number of the execution bar; by base row where decisions are made within the bar.
        first_row: Base row at whose close the first decision is made.
        end: Why the stretch ends.
    """

    bars: Sequence[Bar]
    closes: Sequence[int]
    last_rows: Sequence[int]
    exec_closes: Sequence[int]
    decisions: Mapping[int, Decision]
    first_row: int
    end: str = "end_of_data"

    @cached_property
    def row_at(self) -> dict[int, int]:
        """Base row by the minute at which it has closed, of those that are passed: from the one after the first."""
        return {minute: row for row, minute in enumerate(self.closes) if row > self.first_row}

    @cached_property
    def exec_at(self) -> dict[int, int]:
        """Execution bar by the minute at which it has closed."""
        return {minute: number for number, minute in enumerate(self.exec_closes)}

    @property
    def ends_at(self) -> int:
        """The minute at which there is nothing more to come."""
        return max(self.closes[-1], self.exec_closes[-1])


@dataclass(frozen=True)
class Line:
    """An instrument: its name, what it trades by, minutes of a base bar and of an execution bar, and its stretches."""

    name: str
    rules: Rules
    base: int
    execution: int
    parts: Sequence[Part]
    intrabar: bool = False


@dataclass
class Joint:
    """What all instruments made of the account.

    Attributes:
        parts: By name; the cash of each is what the account would have had by it alone.
        order: The name of the instrument of each fill.
        equity: By the minute at which execution bars closed.
    """

    parts: dict[str, Outcome]
    order: list[str] = field(default_factory=list)
    equity: dict[int, Decimal] = field(default_factory=dict)
    cash: Decimal = ZERO
    drawdown: Decimal = ZERO
    stopped: str | None = None


class Seat(Exchange):
    """One instrument at a table: `mark` holds its open result, the money is that of the account."""

    def __init__(self, line: Line, table: Table) -> None:
        super().__init__(line.rules)
        self.row = -1
        self.line, self.table = line, table
        self.opened = ZERO
        self.at = 0
        self.decided_price = ZERO

    @property
    def part(self) -> Part | None:
        """The stretch it is in, None behind the last."""
        return self.line.parts[self.at] if self.at < len(self.line.parts) else None

    def reserved(self) -> Decimal:
        """6.7: what an entry at work keeps: margin and fees at its decision price, as the gate asks for them."""
        order, rules = self.entry, self.rules
        if order is None:
            return ZERO
        notional = order.quantity * self.decided_price * rules.multiplier
        fees = notional * fee_rate(rules, self.decided_price) * (2 if rules.include_close_fee else 1)
        return notional / rules.leverage + fees

    def unused_cash(self) -> Decimal:
        return self.table.cash - sum((seat.kept() for seat in self.table.seats), ZERO)

    def money(self) -> tuple[Decimal, Decimal]:
        equity = self.table.equity
        return equity, equity - sum((seat.kept() + seat.reserved() for seat in self.table.seats), ZERO)

    def mark(self, row: int, bar: Bar) -> None:
        """5.4, 5: excursions and the open result; limits are those of the account."""
        if self.held is not None:
            for price in (bar.close,) if self.opened_inside else (bar.high, bar.low):
                self.reach(price)
        self.opened = self.marked(bar.close) - self.out.cash

    def hold_to_limits(self, value: Decimal) -> None:
        """The account holds to them."""

    def stop(self, row: int, reason: str) -> None:
        """6.11: withdraw the entry and close the position at the next open; a part that was ordered is overtaken."""
        first = self.out.stopped is None
        self.out.stopped = self.out.stopped or reason
        if self.entry is not None:
            self.out.dead.append((row, "ENTRIES_DISABLED"))
            self.entry = None
        held = self.held
        whole = held is not None and sum(close.units for close in self.leaving) == held.units
        if held is not None and not whole and (first or not self.leaving):
            ordered = "force" if reason == "liquidated" else reason
            self.leaving = [Close(ordered, held.units, "guard", self.row + 1 + self.rules.latency_bars)]

    def row_closing(self, now: int) -> int | None:
        """The base row that closes now and is passed: those after the first decision."""
        return None if self.part is None else self.part.row_at.get(now)

    def pass_bar(self, row: int) -> None:
        part = self.part
        assert part is not None
        self.count_to(row)
        self.bar(row, part.bars[row])

    def count_to(self, row: int) -> None:
        """Say in which execution bar a base bar lies, and how many decisions have passed."""
        part = self.part
        assert part is not None
        self.row, self.exec_bar = row, bisect_left(part.last_rows, row)
        self.decisions = row if self.line.intrabar else self.exec_bar

    def instant(self, now: int) -> tuple[int, int] | None:
        """Number of the decision and last base row, where an execution bar closes now that is decided on."""
        part = self.part
        if part is None:
            return None
        if self.line.intrabar:
            row = part.first_row if now == part.closes[part.first_row] else part.row_at.get(now)
            return None if row is None else (row, row)
        number = part.exec_at.get(now)
        if number is None or part.last_rows[number] < part.first_row:
            return None
        return number, part.last_rows[number]

    def close_exec(self, number: int, row: int, now: int) -> None:
        """5.4, 7: the life of the entry, then the decision."""
        part, rules = self.part, self.rules
        assert part is not None
        self.count_to(row)
        entry, lives = self.entry, rules.expire_bars
        if entry is not None and lives:
            passed = row - entry.decided_row if self.line.intrabar else self.exec_bar - entry.decided_bar
            if passed >= lives * (self.line.execution if self.line.intrabar else ONE):
                self.die(row, "EXPIRED")
        wanted = part.decisions.get(number, Decision())
        before = self.entry
        self.decide(self.exec_bar, row, part.bars[row], wanted, bisect_right(part.exec_closes, now))
        if self.entry is not before:
            self.decided_price = part.bars[row].close

    def ends(self, now: int) -> bool:
        part = self.part
        return part is not None and now == part.ends_at

    def end(self) -> None:
        """6.3: close what is left at the last close; the next stretch begins with nothing but the count of trades."""
        part = self.part
        assert part is not None
        row = len(part.bars) - 1
        self.decisions = len(part.bars) if self.line.intrabar else len(part.last_rows)
        finish(self, part.bars[-1], row, part.end)
        self.opened = ZERO
        self.leaving, self.entered = [], {}
        self.at += 1


class Table:
    """The account that several instruments share."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.seats = [Seat(line, self) for line in sorted(lines, key=lambda line: line.name)]
        self.start = self.peak = lines[0].rules.start
        self.out = Joint({seat.line.name: seat.out for seat in self.seats})
        self.by_base = sorted(self.seats, key=lambda seat: (-seat.line.base, seat.line.name))
        self.by_exec = sorted(
            self.seats, key=lambda seat: (-(1 if seat.line.intrabar else seat.line.execution), seat.line.name)
        )

    @property
    def cash(self) -> Decimal:
        return self.start + sum((seat.out.cash - self.start for seat in self.seats), ZERO)

    @property
    def equity(self) -> Decimal:
        """Cash and open results at their last marks."""
        return self.cash + sum((seat.opened for seat in self.seats), ZERO)

    def hold_to_limits(self) -> None:
        """6.11: peak, drawdown, and the stops of the run."""
        value, rules, out = self.equity, self.seats[0].rules, self.out
        self.peak = max(self.peak, value)
        fall = (self.peak - value) / self.peak
        out.drawdown = max(out.drawdown, fall)
        if out.stopped is None:
            out.stopped = next((seat.out.stopped for seat in self.seats if seat.out.stopped), None)
        if out.stopped is None and value <= rules.stop_equity:
            out.stopped = "equity_stop"
        elif out.stopped is None and fall >= rules.max_drawdown:
            out.stopped = "max_drawdown"

    def stop_all(self) -> None:
        if self.out.stopped is not None:
            for seat in self.seats:
                seat.stop(-1, self.out.stopped)

    def note_fills(self, seat: Seat, before: int) -> None:
        self.out.order += [seat.line.name] * (len(seat.out.fills) - before)

    @property
    def is_over(self) -> bool:
        idle = all(seat.held is None and seat.entry is None for seat in self.seats)
        return all(seat.part is None for seat in self.seats) or (self.out.stopped is not None and idle)

    def pass_instant(self, now: int) -> None:
        """All that happens at one instant, in its order."""
        moved = False
        for seat in self.by_base:
            row = seat.row_closing(now)
            if row is not None:
                before, moved = len(seat.out.fills), True
                seat.pass_bar(row)
                self.note_fills(seat, before)
        if moved:
            self.hold_to_limits()
            self.stop_all()
        closed = False
        for seat in self.by_exec:
            instant = seat.instant(now)
            if instant is not None:
                closed = True
                seat.close_exec(*instant, now)
        if closed:
            self.out.equity[now] = self.equity
        ended = [seat for seat in self.by_exec if seat.ends(now)]
        for seat in ended:
            before = len(seat.out.fills)
            seat.end()
            self.note_fills(seat, before)
        if ended:
            self.hold_to_limits()
            self.stop_all()


def simulate_together(lines: Sequence[Line]) -> Joint:
    """Run several instruments on one account."""
    table = Table(lines)
    instants = {
        minute for line in lines for part in line.parts for minute in (*part.closes, *part.exec_closes)
    }  # fmt: skip
    for now in sorted(instants):
        table.pass_instant(now)
        if table.is_over:
            break
    table.out.cash = table.cash
    return table.out
