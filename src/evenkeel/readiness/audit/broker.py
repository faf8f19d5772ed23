"""The broker of futures and margin accounts: leverage of entries, margin calls (decision 0016, 3 and 5).

At a base close at which equity is below the maintenance margin the broker closes the position at the next open. That
margin is a sum for each contract of a future, and a part of the market value of what was bought on credit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

from evenkeel.readiness.audit.artifacts import Run
from evenkeel.readiness.audit.bars import BaseBars
from evenkeel.readiness.audit.course import Course
from evenkeel.readiness.audit.document import Document
from evenkeel.readiness.audit.moment import instant_text
from evenkeel.readiness.audit.number import FLOAT_TOLERANCE, ONE, ZERO, exact
from evenkeel.readiness.audit.terms import Terms

MAINTENANCE = {1: Decimal("0.25"), -1: Decimal("0.30")}
"""Part of the market value of a long and of a short that equity must keep (FINRA rule 4210)."""

CREDIT, CREDIT_FROM = Decimal(2), Decimal(2000)
"""Leverage of Regulation T, and the equity from which on it is granted."""

CALL = "margin_call"
_ACCOUNTS = ("account", "strategy.resolved.account")


def margin_calls(run: Run, bars: BaseBars, courses: list[Course | None]) -> Iterator[str]:
    """Yield calls that equity did not ask for, and closes at which it did and nothing happened.

    Positions closed in parts, shorts whose borrow fees are not known, orders that come later than at the next open, and
    accounts that other instruments or plays share are left alone.
    """
    kind, shared = run.terms.account_kind, run.manifest.has("portfolio") or run.shares is not None
    if kind not in ("futures", "margin") or run.borrowed or run.terms.delay or shared:
        return
    margin = contract_margin(run.manifest) if kind == "futures" else None
    if kind == "futures" and margin is None:
        return
    contract = None if margin is None else margin.least
    for place, course in zip(run.doubtful, courses, strict=True):
        if course is not None and len(course.closings) == 1:
            yield from _calls(run, bars, course, run.equity_before(place), contract)


class ContractMargin(NamedTuple):
    """What a contract of a future needs at its entry, and what equity must keep for it."""

    entry: Decimal
    least: Decimal


def contract_margin(manifest: Document) -> ContractMargin | None:
    """Return the margin of a contract, of the account or else of the instrument; None where neither states one."""
    stated = [f"{place}.contract_margin" for place in (*_ACCOUNTS, "instrument")]
    key = next((key for key in stated if manifest.has(f"{key}.maintenance")), None)
    if key is None:
        return None
    entry, least = manifest.number(f"{key}.initial"), manifest.number(f"{key}.maintenance")
    leaves = any(manifest.has(f"{place}.overnight") and manifest.value(f"{place}.overnight") is False
                 for place in _ACCOUNTS)  # fmt: skip
    if leaves and manifest.has(f"{key}.intraday") and manifest.value(f"{key}.intraday") is not None:
        entry = manifest.number(f"{key}.intraday")
    return ContractMargin(entry, min(least, entry))


def with_leverage(terms: Terms, manifest: Document, equity: Decimal, price: Decimal) -> Terms:
    """Return the terms with the leverage that the broker grants to an entry at a price."""
    most = terms.leverage
    if terms.account_kind == "margin":
        most = min(most, CREDIT if equity >= CREDIT_FROM else ONE)
    contract = contract_margin(manifest) if terms.account_kind == "futures" else None
    if contract is not None:
        most = min(most, price * terms.multiplier / contract.entry)
    return (
        terms if most == terms.leverage else replace(terms, leverage=most, margin=replace(terms.margin, leverage=most))
    )


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
        close = exact(float(bars.column("close")[row]))
        equity = cash - course.position.entry_fee + posted + trade.sign * units * (close - trade.entry_price)
        needed = closing.held * contract if contract is not None else units * close * MAINTENANCE[trade.sign]
        slack = FLOAT_TOLERANCE * units * (close + trade.entry_price)
        when = instant_text(int(bars.closes[row]))
        if called and row == last and equity >= needed + slack:
            yield f"{trade.label}: a margin call, but at {when} equity was {equity:f}, {needed:f} had to be kept"
        elif row < last and equity < needed - slack:
            yield f"{trade.label}: at {when} equity was {equity:f}, below {needed:f}, and the broker did not close it"
