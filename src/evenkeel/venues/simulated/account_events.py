"""What the broker does at dated instants, as carry of a stretch: sessions, settlement, borrow fees, closing times.

The loop knows no calendar: a stretch tells it at the open of which base bar a session begins, when sales of that
session are settled, which earlier sessions the day-trade rule still counts, when a position must be gone.
"""

from __future__ import annotations

import numpy as np

from evenkeel.data.calendar import Calendar, day_number, load_calendar
from evenkeel.model.bar import Bars, Floats, Ints
from evenkeel.model.number import to_float
from evenkeel.strategies.account_rules import AccountKind, AccountRules
from evenkeel.venues.simulated.carry import Carry, CarryKind, no_carry

DAY_TRADE_SESSIONS = 5
"""Sessions over which day trades are counted, the present one included (FINRA rule 4210(f)(8)(B))."""

BORROW_YEAR = 360.0
"""Days of a year by which a borrow fee accrues."""

_SETTLEMENT = ((day_number("2024-05-28"), 1), (day_number("2017-09-05"), 2))
_LONGEST_SETTLEMENT = 3
_WITHOUT_SESSIONS = (AccountKind.ISOLATED, AccountKind.UNLEVERED)


def settlement_sessions(day: int) -> int:
    """Return how many sessions after a sale on that day its proceeds are settled (SEC rule 15c6-1)."""
    return next((sessions for first, sessions in _SETTLEMENT if day >= first), _LONGEST_SETTLEMENT)


def account_events(base: Bars, calendar: Calendar, rules: AccountRules, known: Carry) -> Carry:
    """Return what the broker does over the base bars of a stretch.

    Args:
        base: Base bars.
        calendar: Sessions of the instrument.
        rules: Of the account.
        known: What is recorded: a session whose borrow fee is in it needs none of the account's.

    Returns:
        Nothing for a perpetual, for what is paid in full and no more asked, and where a market never closes.
    """
    parts = []
    if rules.regular_hours is not None:
        parts.append(_hours(base, load_calendar(rules.regular_hours)))
    if rules.kind not in _WITHOUT_SESSIONS and not calendar.always_open and len(base):
        days = calendar.session_of(base.open_ns)
        first = np.flatnonzero(np.diff(days, prepend=days[0] - 1)).astype(np.int64)
        parts.append(_sessions(first, days, calendar, rules))
        if rules.borrow_rate is not None:
            recorded = known.rows[known.kinds == int(CarryKind.BORROW)]
            parts.append(_borrow(first, days, base.close, to_float(rules.borrow_rate)).outside(recorded))
        if not rules.overnight:
            parts.append(_closing_times(first, base, days, calendar))
    return merged(parts) if parts else no_carry()


def _hours(base: Bars, regular: Calendar) -> Carry:
    """Return where extended and where regular hours begin; a bar that opens at the regular close is extended."""
    extended = regular.session_of(base.open_ns + 1) < 0
    rows = np.flatnonzero(np.diff(extended, prepend=~extended[:1])).astype(np.int64)
    kinds = np.full(len(rows), int(CarryKind.HOURS), dtype=np.int64)
    return Carry(rows=rows, kinds=kinds, values=extended[rows].astype(np.float64), prices=np.full(len(rows), np.nan))


def merged(parts: list[Carry]) -> Carry:
    """Return carries as one, in the order of their rows; of one row in the order given."""
    rows = np.concatenate([part.rows for part in parts])
    order = np.argsort(rows, kind="stable")
    return Carry(
        rows=rows[order],
        kinds=np.concatenate([part.kinds for part in parts])[order],
        values=np.concatenate([part.values for part in parts])[order],
        prices=np.concatenate([part.prices for part in parts])[order],
    )


def _sessions(first: Ints, days: Ints, calendar: Calendar, rules: AccountRules) -> Carry:
    """Return two events for each session: its day with the first day that the day-trade rule counts, its settlement."""
    present = days[first]
    known = calendar.trading_days(int(present[0]) - 30, int(present[-1]) + 30)
    place = np.searchsorted(known, present)
    waits = np.array([settlement_sessions(int(d)) if rules.settlement is None else rules.settlement for d in present])
    settles = known[np.minimum(place + waits, len(known) - 1)].astype(np.float64)
    window = known[np.maximum(place - (DAY_TRADE_SESSIONS - 1), 0)].astype(np.float64)
    rows = np.repeat(first, 2)
    kinds = np.tile(np.array([int(CarryKind.SESSION), int(CarryKind.SETTLEMENT)], dtype=np.int64), len(first))
    values = np.column_stack((present.astype(np.float64), settles)).reshape(-1)
    prices = np.column_stack((window, np.full(len(first), np.nan))).reshape(-1)
    return Carry(rows=rows, kinds=kinds, values=values, prices=prices)


def recorded_borrow(stamps_ns: Ints, rates: Floats, base: Bars, calendar: Calendar) -> Carry:
    """Return the borrow fees of a history of yearly rates; the rate of a night is the last one known at its end.

    Args:
        stamps_ns: From when each rate holds.
        rates: Yearly, fractions.
        base: Base bars of a stretch.
        calendar: Sessions of the instrument.
    """
    days = calendar.session_of(base.open_ns)
    first = np.flatnonzero(np.diff(days, prepend=days[0] - 1)).astype(np.int64)
    place = np.searchsorted(stamps_ns, base.open_ns[first[1:]], side="right") - 1
    fees = _borrow(first, days, base.close, rates[np.maximum(place, 0)])
    return fees.outside(first[1:][place < 0])


def _borrow(first: Ints, days: Ints, closes: Floats, rate: Floats | float) -> Carry:
    """Return the borrow fee of the days between two sessions, on the close before."""
    rows = first[1:]
    passed = (days[rows] - days[rows - 1]).astype(np.float64)
    kinds = np.full(len(rows), int(CarryKind.BORROW), dtype=np.int64)
    return Carry(rows=rows, kinds=kinds, values=rate * passed / BORROW_YEAR, prices=closes[rows - 1])


def _closing_times(first: Ints, base: Bars, days: Ints, calendar: Calendar) -> Carry:
    """Return the last base bar of each session that the stretch holds to its end."""
    last = np.append(first[1:] - 1, len(base) - 1)
    _, ends = calendar.session_bounds(days[last])
    rows = last[base.close_ns[last] >= ends].astype(np.int64)
    kinds = np.full(len(rows), int(CarryKind.FLATTEN), dtype=np.int64)
    return Carry(rows=rows, kinds=kinds, values=np.zeros(len(rows)), prices=np.full(len(rows), np.nan))
