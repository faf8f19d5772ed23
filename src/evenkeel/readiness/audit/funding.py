"""Funding of perpetuals at a fixed rate: what each instant of it costs or brings, and the check of it (`FUNDING`, 28).

A position pays at 00:00, 08:00 and 16:00 UTC where a base bar opens then: side x quantity x price at that open x rate,
longs at a positive rate. It pays if it was entered before and left at that open or later, by the stamps of the fills.
Legs share what was paid before them as they share the quantity then held; the last takes what remains.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from evenkeel.readiness.audit.bars import Bar, BaseBars
from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.margin import Stake
from evenkeel.readiness.audit.moment import MINUTE_NS, TIMEFRAME_MINUTES
from evenkeel.readiness.audit.number import CENT, FLOAT_TOLERANCE, POSTING_TOLERANCE, ZERO, shown
from evenkeel.readiness.audit.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenkeel.readiness.audit.artifacts import Run
    from evenkeel.readiness.audit.course import Course

PERIOD_NS = 8 * 60 * MINUTE_NS
"""Between two instants of funding; one of them is midnight UTC."""


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


def funding_rows(terms: Terms, bars: BaseBars) -> list[int]:
    """Return the base bars at whose open a position of the run pays funding.

    Bars longer than its period hide most of its instants: such a run pays none.
    """
    minutes = TIMEFRAME_MINUTES.get(terms.base_timeframe)
    if terms.funding_rate is None or not terms.margin.liquidates or minutes is None or minutes * MINUTE_NS > PERIOD_NS:
        return []
    rows: list[int] = bars.table.select((pl.col("open_ns") % PERIOD_NS == 0).arg_true()).to_series().to_list()
    return rows


def payment(terms: Terms, stake: Stake, row: int, bar: Bar) -> Payment:
    """Return what a stake pays or receives at the open of a bar."""
    notional = stake.units * bar.open
    exact = -stake.side * notional * (terms.funding_rate or ZERO)
    amount = exact.quantize(CENT, ROUND_HALF_EVEN)
    border = CENT / 2 - abs(exact - amount)
    return Payment(row, bar.open_ns, amount, unsure=border <= FLOAT_TOLERANCE * abs(exact))


def funding(run: Run, courses: list[Course | None] | None) -> Check:
    """Check what each leg paid: its share of the funding while its position was held, nothing where none was due."""
    name = "FUNDING"
    rate = run.terms.funding_rate if run.terms.margin.liquidates else None
    if rate is None:
        paid = [trade for trade in run.trades if trade.funding != 0]
        problems = [f"{trade.label}: funding is {trade.funding}, the run has no rate of it" for trade in paid]
        return judged(name, problems, f"no funding is due to {len(run.trades)} trades")
    if courses is None:
        return skipped(name, "the base bars of the run, at whose opens funding is paid, were not given")
    problems = [problem for course in courses if course is not None for problem in _share_problems(course)]
    count = sum(len(course.payments) for course in courses if course is not None)
    total = shown(sum((trade.funding for trade in run.trades), ZERO))
    return judged(name, problems, f"{count} payments at {rate:f} each 8 hours, {total} in all")


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
