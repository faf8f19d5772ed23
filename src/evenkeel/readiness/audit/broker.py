"""Margin calls of futures and margin accounts: none without reason, and none left out (decision 0016, 3 and 5).

At a base close at which equity is below the maintenance margin the broker closes the position at the next open. That
margin is a sum for each contract of a future, and a part of the market value of what was bought on credit.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import accumulate

from evenkeel.readiness.audit.artifacts import Run
from evenkeel.readiness.audit.bars import BaseBars
from evenkeel.readiness.audit.course import Course
from evenkeel.readiness.audit.document import Document
from evenkeel.readiness.audit.moment import instant_text
from evenkeel.readiness.audit.number import FLOAT_TOLERANCE, ZERO, exact

MAINTENANCE = {1: Decimal("0.25"), -1: Decimal("0.30")}
"""Part of the market value of a long and of a short that equity must keep (FINRA rule 4210)."""

CALL = "margin_call"


def margin_calls(run: Run, bars: BaseBars, courses: list[Course | None]) -> Iterator[str]:
    """Yield calls that equity did not ask for, and closes at which it did and nothing happened.

    Positions closed in parts, shorts whose borrow fees are not known, and orders that come later than at the next open
    are left alone.
    """
    kind = run.terms.account_kind
    if kind not in ("futures", "margin") or run.borrowed or run.terms.delay:
        return
    contract = contract_maintenance(run.manifest) if kind == "futures" else None
    if kind == "futures" and contract is None:
        return
    for place, course in zip(run.doubtful, courses, strict=True):
        if course is not None and len(course.closings) == 1:
            yield from _calls(run, bars, course, run.equity_before(place), contract)


def contract_maintenance(manifest: Document) -> Decimal | None:
    """Return the equity that each contract must keep; None where the instrument states none."""
    key = "instrument.contract_margin"
    if not manifest.has(f"{key}.maintenance"):
        return None
    overnight = [f"{section}.overnight" for section in ("account", "strategy.resolved.account")]
    intraday = any(manifest.has(place) and manifest.value(place) is False for place in overnight)
    least = manifest.number(f"{key}.maintenance")
    if intraday and manifest.has(f"{key}.intraday") and manifest.value(f"{key}.intraday") is not None:
        return min(least, manifest.number(f"{key}.intraday"))
    return least


def _calls(run: Run, bars: BaseBars, course: Course, cash: Decimal, contract: Decimal | None) -> Iterator[str]:
    (closing,) = course.closings
    trade, units = closing.trade, closing.held * run.terms.multiplier
    called = trade.exit_reason == CALL
    last = closing.row - 1 if trade.exit_point == "open" else closing.row
    paid = dict(
        zip((one.row for one in course.payments), accumulate(one.amount for one in course.payments), strict=True)
    )
    posted = ZERO
    for row in range(course.entry_row, last + 1):
        posted = paid.get(row, posted)
        close = exact(bars.table["close"][row])
        equity = cash - course.position.entry_fee + posted + trade.sign * units * (close - trade.entry_price)
        needed = closing.held * contract if contract is not None else units * close * MAINTENANCE[trade.sign]
        slack = FLOAT_TOLERANCE * units * (close + trade.entry_price)
        when = instant_text(int(bars.closes[row]))
        if called and row == last and equity >= needed + slack:
            yield f"{trade.label}: a margin call, but at {when} equity was {equity:f}, {needed:f} had to be kept"
        elif row < last and equity < needed - slack:
            yield f"{trade.label}: at {when} equity was {equity:f}, below {needed:f}, and the broker did not close it"
