"""Funding of perpetuals: what each instant of it costs or brings, and the check of it (`FUNDING`, 28).

A position pays side x quantity x price x rate, longs at a positive rate, at each recorded settlement at its mark price,
or the open of the bar where none is recorded. Where the run has no history it pays a fixed rate at 00:00, 08:00 and
16:00 UTC where a base bar opens then. It pays if it was entered before the instant and left at it or later, by the
stamps of the fills: a settlement inside a bar falls to the next one. Legs share what was paid before them as they share
the quantity then held; the last takes what remains.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from evenkeel.readiness.audit.bars import Bar, BaseBars
from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.margin import Stake
from evenkeel.readiness.audit.moment import MINUTE_NS, TIMEFRAME_MINUTES
from evenkeel.readiness.audit.number import CENT, FLOAT_TOLERANCE, POSTING_TOLERANCE, ZERO, exact, shown
from evenkeel.readiness.audit.tally import Ints
from evenkeel.readiness.audit.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenkeel.readiness.audit.artifacts import Run
    from evenkeel.readiness.audit.course import Course

NO_SETTLEMENTS = "the base bars of the run, at whose opens funding is paid, were not given"
PERIOD_NS = 8 * 60 * MINUTE_NS
"""Between two instants of funding; one of them is midnight UTC."""


class Due(NamedTuple):
    """An instant of funding.

    Attributes:
        row: The base bar at whose open a position pays.
        rate: What a long pays, a fraction of its notional.
        mark: Price that it is paid at; None takes the open of the bar.
        side: Whom it concerns: +1 longs, -1 shorts, 0 both.
    """

    row: int
    rate: Decimal
    mark: Decimal | None
    side: int = 0


class Payment(NamedTuple):
    """Funding at one instant.

    Attributes:
        row: The base bar at whose open it is paid.
        amount: As posted, positive if received.
        unsure: Whether float64 may round it to the neighbouring 1e-8.
    """

    row: int
    stamp_ns: int
    amount: Decimal
    unsure: bool


def funding_due(terms: Terms, bars: BaseBars, recorded: pl.DataFrame | None) -> list[Due]:
    """Return when a position of the run pays funding, by row.

    Args:
        terms: Of the run.
        bars: Its base bars.
        recorded: The settlements of the run's data, `stamp_ns, rate, mark`, oldest first; None where it has none. With
            the fixed rate, bars longer than its period hide most of its instants: such a run pays none.
    """
    if not terms.funded or not terms.margin.liquidates:
        return []
    if terms.funding_recorded and recorded is not None:
        rows = np.searchsorted(bars.opens, recorded["stamp_ns"].to_numpy()).tolist()
        marks = recorded["mark"].fill_nan(None).to_list()
        return [
            Due(row, exact(rate), None if mark is None else exact(mark))
            for row, rate, mark in zip(rows, recorded["rate"].to_list(), marks, strict=True)
            if 0 < row < len(bars)
        ]
    minutes, rate = TIMEFRAME_MINUTES.get(terms.base_timeframe), terms.funding_rate
    if rate is None or terms.funding_recorded or minutes is None or minutes * MINUTE_NS > PERIOD_NS:
        return []
    return [Due(row, rate, None) for row in _settled(bars).tolist()]


def _settled(bars: BaseBars) -> Ints:
    """Return the base rows that open at an instant of the fixed rate."""
    if not len(bars):
        return np.zeros(0, dtype=np.int64)
    first, last = -(-int(bars.opens[0]) // PERIOD_NS), int(bars.opens[-1]) // PERIOD_NS
    rows = bars.rows_at(np.arange(first, last + 1, dtype=np.int64) * PERIOD_NS)
    return rows[rows >= 0]


def payment(stake: Stake, due: Due, bar: Bar) -> Payment:
    """Return what a stake pays or receives at the open of a bar."""
    notional = stake.units * (bar.open if due.mark is None else due.mark)
    posted = -stake.side * notional * due.rate
    amount = posted.quantize(CENT, ROUND_HALF_EVEN)
    border = CENT / 2 - abs(posted - amount)
    return Payment(due.row, bar.open_ns, amount, unsure=border <= FLOAT_TOLERANCE * abs(posted))


def funding(run: Run, courses: list[Course | None] | None) -> Check:
    """Check what each leg paid: its share of the funding while its position was held, nothing where none was due."""
    name = "FUNDING"
    terms = run.terms
    is_due = terms.funded and terms.margin.liquidates
    if not (terms.acted or terms.borrow_rate) and (
        not is_due or (terms.funding_rate is None and not terms.funding_recorded)
    ):
        paid = [trade for trade in run.doubtful_trades if trade.funding != 0]
        problems = [f"{trade.label}: funding is {trade.funding}, the run has no rate of it" for trade in paid]
        return judged(name, problems, f"no funding is due to {len(run.trades)} trades")
    if courses is None:
        return skipped(name, NO_SETTLEMENTS)
    problems = [problem for course in courses if course is not None for problem in _share_problems(course)]
    count = sum(len(course.payments) for course in courses if course is not None)
    total = shown(run.trades.total("funding"))
    at = "recorded rates" if terms.funding_rate is None or terms.acted else f"{terms.funding_rate:f} each 8 hours"
    return judged(name, problems, f"{count} payments at {at}, {total} in all")


def _share_problems(course: Course) -> Iterator[str]:
    payments = list(course.payments)
    pool, unsure = ZERO, 0
    for closing in course.closings:
        while payments and payments[0].row <= closing.row:
            due = payments.pop(0)
            pool, unsure = pool + due.amount, unsure + due.unsure
        leg = closing.trade
        last = leg.quantity >= closing.held
        derived = pool if last else pool * leg.quantity / closing.held
        rounding = ZERO if last else POSTING_TOLERANCE + FLOAT_TOLERANCE * abs(derived)
        if abs(leg.funding - derived) > unsure * CENT + rounding:
            yield f"{leg.label}: funding is {leg.funding}, rate and bars give {derived:.8f}"
        pool -= leg.funding
