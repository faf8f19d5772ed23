"""The course of a position beside the base bars: its rows, its stop, its targets, its funding and its margin.

Worked out once for all checks that walk a position from its entry to its last exit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from evenkeel.readiness.audit.artifacts import Position, Run, Trade
from evenkeel.readiness.audit.bars import BaseBars
from evenkeel.readiness.audit.funding import Due, Payment, payment
from evenkeel.readiness.audit.knowledge import Knowledge
from evenkeel.readiness.audit.margin import Stake, bankruptcy_price, liquidation_price, position_margin
from evenkeel.readiness.audit.number import ZERO
from evenkeel.readiness.audit.stop_path import StopPath, stop_path
from evenkeel.readiness.audit.targets import Step, target_steps
from evenkeel.readiness.audit.terms import Terms


class Holding(NamedTuple):
    """What was at stake from a base bar on, after the funding at its open and the exits of the bars before."""

    row: int
    stake: Stake


class Closing(NamedTuple):
    """A leg of a course.

    Attributes:
        trade: The leg.
        row: The base bar of its exit.
        filled: How many steps of the target were filled before it.
        held: The quantity held before it.
        stake: What was at stake before it.
        left: What is at stake after it, None where it ends the position.
    """

    trade: Trade
    row: int
    filled: int
    held: Decimal
    stake: Stake
    left: Stake | None


@dataclass(frozen=True, slots=True)
class Course:
    """A position among the base bars.

    Attributes:
        entry_row: The base bar of the entry.
        closings: Its legs, in order.
        path: Of its stop, None without one.
        steps: Of its target, none without one.
        payments: Its funding, in order.
        holdings: What was at stake, by row.
    """

    position: Position
    entry_row: int
    closings: tuple[Closing, ...]
    path: StopPath | None
    steps: tuple[Step, ...]
    payments: tuple[Payment, ...]
    holdings: tuple[Holding, ...]

    @property
    def last_row(self) -> int:
        """The base bar of the last exit."""
        return self.closings[-1].row

    def stake_at(self, row: int) -> Stake:
        """Return what is at stake in a base bar."""
        place = bisect_right(self.holdings, row, key=lambda holding: holding.row)
        return self.holdings[max(place - 1, 0)].stake

    def filled_before(self, row: int) -> int:
        """Return how many steps of the target were filled before a base bar."""
        return sum(closing.row < row and closing.trade.exit_reason == "tp" for closing in self.closings)


def liquidation(terms: Terms, stake: Stake) -> Decimal | None:
    """Return where a stake is liquidated, or None where it cannot be."""
    return liquidation_price(terms.margin, stake) if terms.margin.liquidates else None


def bankruptcy(terms: Terms, stake: Stake) -> Decimal | None:
    """Return the worst price at which a stake may be closed, or None where there is no such price."""
    if not terms.margin.liquidates:
        return None
    price = bankruptcy_price(terms.margin, stake)
    return price if price > 0 else None


def stop_within(course: Course, closing: Closing) -> Decimal | None:
    """Return the level of the stop within the bar of an exit; one at the close may know a level that came after it."""
    if closing.trade.exit_point == "close" and course.path is not None and course.path.derived:
        return course.path.at(closing.row).loose.price
    return closing.trade.final_stop


def read_courses(run: Run, bars: BaseBars, known: Knowledge, due: Sequence[Due]) -> list[Course | None]:
    """Return the course of each position in doubt; None where no base bar opens at its entry or at an exit.

    Args:
        run: The run.
        bars: Its base bars.
        known: What was known at its decisions.
        due: When funding was due.
    """
    rows_due = [each.row for each in due]
    courses: list[Course | None] = []
    for place, position in zip(run.doubtful, run.doubtful_positions, strict=True):
        entry = bars.row_at(position.entry.entry_ns)
        exits = [bars.exit_row(leg.exit_ns, leg.exit_point) for leg in position.legs]
        rows = [row for row in exits if row is not None]
        if entry is None or len(rows) < len(exits) or rows != sorted(rows) or entry > rows[0]:
            courses.append(None)
        else:
            between = list(due[bisect_right(rows_due, entry) : bisect_right(rows_due, rows[-1])])
            cash = run.equity_before(place)
            courses.append(_course(run.terms, position, bars, known, (entry, rows, between), cash))
    return courses


def _course(
    terms: Terms,
    position: Position,
    bars: BaseBars,
    known: Knowledge,
    rows: tuple[int, list[int], list[Due]],
    cash: Decimal,
) -> Course:
    """Follow one position; `rows` are those of its entry, its exits and its funding, `cash` what the account had."""
    entry, exits, due = rows
    closes = bars.column("close")[entry : exits[-1] + 1].tolist()
    walk = _Walk(terms, position, entry, cash - position.entry_fee)
    for row, event in _in_order(due, zip(exits, position.legs, strict=True)):
        if isinstance(event, Due):
            walk.pay(event, bars)
        else:
            walk.close(row, event)
    return Course(
        position=position,
        entry_row=entry,
        closings=tuple(walk.closings),
        path=stop_path(terms, position, known, closes, entry),
        steps=target_steps(terms, position, known),
        payments=tuple(walk.payments),
        holdings=tuple(walk.holdings),
    )


def _in_order(due: list[Due], legs: Iterator[tuple[int, Trade]]) -> list[tuple[int, Trade | Due]]:
    """Return funding and exits by row; at the open of a bar the funding comes first."""
    events: list[tuple[int, Trade | Due]] = [(each.row, each) for each in due]
    return sorted([*events, *legs], key=lambda event: (event[0], not isinstance(event[1], Due)))


class _Walk:
    """A position between its entry and its last exit."""

    def __init__(self, terms: Terms, position: Position, row: int, cash: Decimal) -> None:
        self._terms = terms
        self._cash = cash
        self._held = position.quantity
        self._filled = 0
        self._stake = Stake(position.sign, position.quantity * terms.multiplier, position.entry.entry_price)
        self.holdings = [Holding(row, self._stake)]
        self.closings: list[Closing] = []
        self.payments: list[Payment] = []

    def pay(self, due: Due, bars: BaseBars) -> None:
        """Post the funding at the open of a bar: from free cash first, what is missing from the margin."""
        stake = self._stake
        if due.side not in (0, stake.side):
            return
        paid = payment(stake, due, bars.bar(due.row))
        self.payments.append(paid)
        free = max(ZERO, self._cash - position_margin(self._terms.margin, stake))
        missing = -paid.amount - free
        if missing > 0:
            self._hold(due.row, Stake(stake.side, stake.units, stake.entry, stake.extra - missing))
        self._cash += paid.amount

    def close(self, row: int, leg: Trade) -> None:
        """Close a part, or all that is left; its share of the margin is free at once."""
        stake, left = self._stake, self._held - leg.quantity
        units, extra = left * self._terms.multiplier, stake.extra * left / self._held
        rest = Stake(stake.side, units, stake.entry, extra) if left > 0 else None
        self.closings.append(Closing(leg, row, self._filled, self._held, stake, rest))
        self._filled += leg.exit_reason == "tp"
        self._cash += leg.gross - leg.exit_fee
        if rest is not None:
            self._hold(row + 1, rest)
            self._held = left

    def _hold(self, row: int, stake: Stake) -> None:
        self._stake = stake
        self.holdings.append(Holding(row, stake))
