"""Sessions, settlement, borrow fees and closing times as a stretch tells them; dates worked out by hand."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from evenkeel.data.calendar import day_number, load_calendar
from evenkeel.model.bar import Bars
from evenkeel.model.instrument import ContractMargin
from evenkeel.model.time import Timeframe, parse_time
from evenkeel.strategies.account_rules import AccountKind, AccountRules
from evenkeel.venues.simulated.account_events import account_events, recorded_borrow, settlement_sessions
from evenkeel.venues.simulated.carry import Carry, CarryKind, no_carry

NYSE = load_calendar("NYSE")
MARGIN = ContractMargin(initial=Decimal(1350), maintenance=Decimal(1200))


def hours(*opens: str, close: float = 50.0) -> Bars:
    """Return hourly bars at these opens."""
    stamps = np.array([parse_time(text) for text in opens], dtype=np.int64)
    timeframe = Timeframe.parse("1h")
    flat = np.full(len(stamps), close)
    return Bars(timeframe, stamps, NYSE.bar_close(stamps, timeframe), flat, flat, flat, flat, np.ones(len(stamps)))


def of_kind(carry: Carry, kind: CarryKind) -> list[tuple[int, float, float]]:
    """Return row, value and price of the events of one kind."""
    rows = np.flatnonzero(carry.kinds == int(kind))
    return [(int(carry.rows[k]), float(carry.values[k]), float(carry.prices[k])) for k in rows]


WEEK = hours(
    "2024-05-23T13:30Z", "2024-05-23T19:30Z", "2024-05-24T13:30Z", "2024-05-24T19:30Z", "2024-05-28T13:30Z",
    "2024-05-28T14:30Z",
)  # fmt: skip
"""Thursday, Friday, and the Tuesday after Memorial Day, the first day on which sales settle after one session."""


@pytest.mark.parametrize(
    ("day", "sessions"),
    [("2017-09-04", 3), ("2017-09-05", 2), ("2024-05-27", 2), ("2024-05-28", 1)],
)
def test_sales_settle_by_the_rule_of_their_day(day: str, sessions: int) -> None:
    assert settlement_sessions(day_number(day)) == sessions


def test_a_session_is_told_once_with_the_day_on_which_its_sales_are_cash() -> None:
    carry = account_events(WEEK, NYSE, AccountRules(kind=AccountKind.CASH), no_carry())

    settled = [(row, value) for row, value, _ in of_kind(carry, CarryKind.SETTLEMENT)]

    # Thursday 23 May + 2 sessions is Tuesday 28 (Monday is Memorial Day), Friday + 2 is Wednesday 29, Tuesday + 1 too.
    assert settled == [(0, day_number("2024-05-28")), (2, day_number("2024-05-29")), (4, day_number("2024-05-29"))]


def test_the_day_trade_rule_looks_back_over_five_sessions() -> None:
    carry = account_events(WEEK, NYSE, AccountRules(kind=AccountKind.MARGIN), no_carry())

    windows = [(row, first) for row, _, first in of_kind(carry, CarryKind.SESSION)]

    assert windows == [(0, day_number("2024-05-17")), (2, day_number("2024-05-20")), (4, day_number("2024-05-21"))]


def test_a_settlement_of_ones_own_is_kept() -> None:
    rules = AccountRules(kind=AccountKind.CASH, settlement=0)

    carry = account_events(WEEK, NYSE, rules, no_carry())

    assert [value for _, value, _ in of_kind(carry, CarryKind.SETTLEMENT)] == [
        day_number("2024-05-23"), day_number("2024-05-24"), day_number("2024-05-28"),
    ]  # fmt: skip


def test_a_borrow_fee_counts_calendar_days_on_the_close_before() -> None:
    rules = AccountRules(kind=AccountKind.MARGIN, borrow_rate=Decimal("0.036"))

    carry = account_events(WEEK, NYSE, rules, no_carry())

    assert of_kind(carry, CarryKind.BORROW) == [
        (2, pytest.approx(0.036 * 1 / 360), 50.0), (4, pytest.approx(0.036 * 4 / 360), 50.0),
    ]  # fmt: skip


def test_a_recorded_rate_takes_the_place_of_the_accounts() -> None:
    # Known from Friday on: the night to Friday is still the account's.
    stamps = np.array([parse_time("2024-05-24T20:00Z")], dtype=np.int64)
    known = recorded_borrow(stamps, np.array([0.5]), WEEK, NYSE)
    rules = AccountRules(kind=AccountKind.MARGIN, borrow_rate=Decimal("0.036"))

    carry = account_events(WEEK, NYSE, rules, known)

    assert of_kind(known, CarryKind.BORROW) == [(4, pytest.approx(0.5 * 4 / 360), 50.0)]
    assert of_kind(carry, CarryKind.BORROW) == [(2, pytest.approx(0.036 * 1 / 360), 50.0)]


def test_what_may_not_stay_overnight_goes_in_the_last_bar_of_a_whole_session() -> None:
    rules = AccountRules(kind=AccountKind.FUTURES, contract=MARGIN, overnight=False)

    carry = account_events(WEEK, NYSE, rules, no_carry())

    # The last session of the data is not over: its end is not known to have come.
    assert [row for row, _, _ in of_kind(carry, CarryKind.FLATTEN)] == [1, 3]


@pytest.mark.parametrize("kind", [AccountKind.ISOLATED, AccountKind.UNLEVERED])
def test_some_accounts_know_no_sessions(kind: AccountKind) -> None:
    assert len(account_events(WEEK, NYSE, AccountRules(kind=kind), no_carry())) == 0


def test_a_market_that_never_closes_has_no_sessions() -> None:
    assert len(account_events(WEEK, load_calendar("24/7"), AccountRules(kind=AccountKind.CASH), no_carry())) == 0
