from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec
import pytest

from evenkeel.model.ids import StrategyId
from evenkeel.model.time import SECOND
from evenkeel.risk import guardrails as fold
from evenkeel.risk.breaker import (
    MONITOR_NS,
    ORDER_NS,
    Blocked,
    blocked,
    daily_amount,
    daily_loss,
    drawdown_ever,
    loss_room,
    session_drawdown,
    stale_from_ns,
)
from evenkeel.risk.guardrails import Guardrails
from evenkeel.risk.limits.money import Losses

D = Decimal


def exactly(*values: int | str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, values))


FRIDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 23)
ONE, TWO = StrategyId("one"), StrategyId("two")


def running(close: str = "10000", equity: str | None = None, at_ns: int = 0) -> Guardrails:
    """An account in its session whose losses are known."""
    rails = fold.session_opened(Guardrails(), FRIDAY, D(close))
    rails = fold.seed_told(rails, D(0), D(0), D(0))
    return fold.equity_read(rails, D(equity or close), D(0), known_ns=at_ns)


def test_losses_count_from_the_brokers_close_and_falls_from_the_peak() -> None:
    """By hand: 10,000 at the close, up to 10,200, down to 9,800: lost 2 %, fallen 400 of 10,200."""
    rails = running()
    for equity in ("10200", "9800", "9900"):
        rails = fold.equity_read(rails, D(equity), D(-50), known_ns=1)
    assert (daily_loss(rails), daily_amount(rails)) == (D("0.01"), D(100))
    assert session_drawdown(rails) == drawdown_ever(rails) == D(300) / D(10200)
    assert rails.open_pnl == -50


def test_what_is_still_to_lose_is_counted_to_the_nearer_limit() -> None:
    rails = running(equity="9900")
    assert loss_room(rails, Losses(daily_fraction=D("0.03"))) == 200
    assert loss_room(rails, Losses(daily_fraction=D("0.03"), daily=D(150))) == 50
    assert loss_room(rails, Losses(daily_fraction=D("0.005"))) == -50
    assert loss_room(rails, Losses()) is None
    assert loss_room(Guardrails(), Losses(daily_fraction=D("0.03"))) is None


def test_a_restart_on_the_same_day_refills_no_budget() -> None:
    """Catalogue row 67: neither the start nor the session heard again, nor a broker that forgot, gives back a loss."""
    rails = fold.equity_read(fold.realised(running(), D(-250)), D(9700), D(-50), known_ns=5)
    rails = fold.trade_closed(rails, ONE, D(-250), known_ns=5)
    again = fold.engine_started(rails)
    again = fold.session_opened(again, FRIDAY, D(9700))
    again = fold.seed_told(again, D(0), D(0), D(0))
    assert (again.day, again.week, again.month) == exactly(-250, -250, -250)
    assert (again.reference, again.peak, again.peak_ever) == exactly(10000, 10000, 10000)
    assert (again.trades, again.losses_in_row) == (1, 1)
    again = fold.equity_read(again, D(9700), D(-50), known_ns=9)
    assert daily_loss(again) == D("0.03")


def test_what_the_broker_knows_of_losses_counts_where_it_is_more() -> None:
    rails = fold.realised(fold.session_opened(Guardrails(), FRIDAY, D(10000)), D(-20))
    rails = fold.seed_told(rails, D(-30), D(-10), D(-90))
    assert (rails.day, rails.week, rails.month) == exactly(-30, -20, -90)


def test_losses_that_were_never_heard_block_entries() -> None:
    """Catalogue row 71: the seed of the daily loss fails three times."""
    rails = fold.session_opened(Guardrails(), FRIDAY, D(10000))
    rails = fold.equity_read(rails, D(10000), D(0), known_ns=0)
    for failures in range(1, 4):
        rails = fold.seed_failed(rails)
        assert rails.seed_failures == failures
        assert blocked(rails, 0, age_max_ns=ORDER_NS) is Blocked.NOT_SEEDED
    rails = fold.seed_told(rails, D(0), D(0), D(0))
    assert (blocked(rails, 0, age_max_ns=ORDER_NS), rails.seed_failures) == (None, 0)
    assert blocked(fold.engine_started(rails), 0, age_max_ns=ORDER_NS) is Blocked.NOT_SEEDED


def test_two_good_reads_clear_a_failed_one() -> None:
    """Catalogue row 70: a read of the equity that fails blocks entries until two good reads."""
    rails = fold.equity_unreadable(running())
    assert blocked(rails, 0, age_max_ns=ORDER_NS) is Blocked.READ_FAILED
    rails = fold.equity_read(rails, D(10000), D(0), known_ns=1)
    assert blocked(rails, 1, age_max_ns=ORDER_NS) is Blocked.READ_FAILED
    rails = fold.equity_read(rails, D(10000), D(0), known_ns=2)
    assert blocked(rails, 2, age_max_ns=ORDER_NS) is None


@pytest.mark.parametrize(("equity", "open_pnl"), [("NaN", "0"), ("Infinity", "0"), ("10000", "NaN")])
def test_nonsense_is_a_failed_read(equity: str, open_pnl: str) -> None:
    rails = running()
    assert fold.equity_read(rails, D(equity), D(open_pnl), known_ns=1) == fold.equity_unreadable(rails)


def test_equity_is_fresh_for_an_order_for_a_second_and_for_the_monitor_for_five() -> None:
    """Ages count from when we learned of it, whatever the broker says of time."""
    rails = running(at_ns=100)
    for age_max in (ORDER_NS, MONITOR_NS):
        assert blocked(rails, 100 + age_max, age_max_ns=age_max) is None
        assert blocked(rails, 101 + age_max, age_max_ns=age_max) is Blocked.STALE
        assert stale_from_ns(rails, age_max_ns=age_max) == 101 + age_max
    assert (ORDER_NS, MONITOR_NS) == (SECOND, 5 * SECOND)


def test_what_is_not_known_blocks() -> None:
    rails = fold.seed_told(Guardrails(), D(0), D(0), D(0))
    assert blocked(rails, 0, age_max_ns=ORDER_NS) is Blocked.NO_REFERENCE
    assert (daily_loss(rails), session_drawdown(rails), stale_from_ns(rails, age_max_ns=1)) == (None, None, None)
    rails = fold.session_opened(rails, FRIDAY, None)
    assert blocked(rails, 0, age_max_ns=ORDER_NS) is Blocked.NO_REFERENCE
    rails = fold.session_opened(rails, FRIDAY, D(10000))
    assert blocked(rails, 0, age_max_ns=ORDER_NS) is Blocked.NO_EQUITY
    known = fold.engine_started(fold.equity_read(rails, D(10000), D(0), known_ns=0))
    assert blocked(fold.seed_told(known, D(0), D(0), D(0)), 0, age_max_ns=ORDER_NS) is Blocked.NO_EQUITY


@pytest.mark.parametrize("close", ["0", "-5", "NaN"])
def test_a_close_that_is_no_equity_is_no_reference(close: str) -> None:
    assert fold.session_opened(Guardrails(), FRIDAY, D(close)).reference is None


def test_a_peak_never_falls_while_the_equity_recovers() -> None:
    """Catalogue row 69: peak recovery masks no drawdown."""
    rails = running(equity="9700")
    for equity in ("9850", "9999", "9801"):
        rails = fold.equity_read(rails, D(equity), D(0), known_ns=1)
        assert rails.peak == rails.peak_ever == 10000


@pytest.mark.parametrize(("amount", "factor"), [("4900", "1.5"), ("-4900", "0.5")])
def test_a_transfer_is_no_gain_and_no_loss(amount: str, factor: str) -> None:
    """Catalogue row 68: by hand, at 9,800 of 10,000 and a peak of 10,100, half as much again comes or half goes."""
    before = fold.equity_read(running(equity="10100"), D(9800), D(0), known_ns=1)
    rails = fold.transferred(before, D(amount))
    assert rails.equity == 9800 + D(amount)
    assert (rails.reference, rails.peak) == (10000 * D(factor), 10100 * D(factor))
    for share in (daily_loss, session_drawdown, drawdown_ever):
        assert share(rails) == share(before)
    assert daily_amount(rails) == daily_amount(before) == 200
    lost = fold.equity_read(rails, rails.equity - 10, D(0), known_ns=2)
    assert daily_amount(lost) == 210


def test_a_transfer_without_a_result_moves_the_reference_by_its_amount() -> None:
    rails = fold.transferred(running(), D(2500))
    assert (rails.reference, rails.peak, rails.peak_ever, rails.equity) == exactly(12500, 12500, 12500, 12500)


def test_a_transfer_before_the_brokers_close_is_known_is_kept_for_it() -> None:
    rails = fold.transferred(fold.session_opened(Guardrails(), FRIDAY, None), D(500))
    rails = fold.session_opened(rails, FRIDAY, D(10000))
    rails = fold.equity_read(rails, D(10500), D(0), known_ns=1)
    assert (rails.reference, daily_amount(rails)) == exactly(10500, 0)


def test_an_account_that_was_emptied_is_not_judged_until_it_is_known_again() -> None:
    rails = fold.transferred(running(), D(-10000))
    assert (rails.reference, rails.peak, rails.peak_ever, rails.equity) == (None, None, None, None)
    assert blocked(rails, 0, age_max_ns=ORDER_NS) is Blocked.NO_REFERENCE


def test_a_session_resets_the_day_alone_and_its_week_and_month_where_they_end() -> None:
    """Catalogue row 103: counters go by the session's date, over midnight and over the year; none by a clock."""
    rails = fold.realised(running(), D(-40))
    rails = fold.entry_opened(fold.trade_closed(rails, ONE, D(-40), known_ns=7))
    monday = fold.session_opened(rails, MONDAY, D(9950))
    assert (monday.day, monday.week, monday.month) == exactly(0, 0, -40)
    assert (monday.trades, monday.entries, monday.losses_in_row) == (0, 0, 0)
    assert (monday.reference, monday.peak, monday.peak_ever) == exactly(9950, 9950, 10000)
    assert monday.strategies[ONE].net == -40
    new_year = fold.session_opened(fold.realised(fold.session_opened(rails, date(2026, 12, 31), None), D(-7)),
                                   date(2027, 1, 1), None)  # fmt: skip
    assert (new_year.day, new_year.week, new_year.month) == exactly(0, -7, 0)


def test_a_session_that_runs_or_is_over_resets_nothing() -> None:
    rails = fold.realised(running(), D(-40))
    assert fold.session_opened(rails, FRIDAY, D(9000)) is rails
    assert fold.session_opened(rails, date(2026, 11, 19), D(9000)) is rails


def test_a_gap_over_night_is_lost_today() -> None:
    """Catalogue row 104: the first read of the session counts from the close before, before any entry."""
    rails = fold.session_opened(running(), MONDAY, D(10000))
    rails = fold.equity_read(rails, D(9600), D(0), known_ns=1)
    assert daily_loss(rails) == session_drawdown(rails) == D("0.04")


def test_losses_in_a_row_are_those_of_the_session_and_a_break_even_is_neither() -> None:
    rails = running()
    rows = []
    for at_ns, net in enumerate(("-1", "0", "-1", "5", "-1", "-1", "0")):
        rails = fold.trade_closed(rails, ONE, D(net), known_ns=at_ns)
        rows.append(rails.losses_in_row)
    assert rows == [1, 1, 2, 0, 1, 2, 2]
    assert (rails.trades, rails.last_loss_ns) == (7, 5)
    both = fold.trade_closed(rails, TWO, D("-1"), known_ns=100)
    assert (both.losses_in_row, both.last_loss_ns) == (3, 100)
    assert [both.strategies[name].session_losses for name in (ONE, TWO)] == [2, 1]
    assert fold.engine_started(both).losses_in_row == 3
    monday = fold.session_opened(both, MONDAY, None)
    assert (monday.losses_in_row, monday.last_loss_ns) == (0, None)
    assert [monday.strategies[name].session_losses for name in (ONE, TWO)] == [0, 0]
    assert [monday.strategies[name].losses_in_row for name in (ONE, TWO)] == [2, 1]


def test_an_accepted_drawdown_begins_anew_at_the_equity_of_now() -> None:
    rails = fold.rebased(running(equity="8800"))
    assert (drawdown_ever(rails), session_drawdown(rails)) == exactly(0, 0)
    assert daily_loss(rails) == D("0.12")


def test_a_shadow_trade_heals_and_moves_no_money() -> None:
    rails = running()
    assert fold.shadow_trade_closed(rails, ONE, D(5)) is rails
    for _ in range(2):
        rails = fold.trade_closed(rails, ONE, D(-1), known_ns=1)
    assert rails.strategies[ONE].quarantined
    ill = rails
    for _ in range(2):
        rails = fold.shadow_trade_closed(rails, ONE, D(5))
    assert not rails.strategies[ONE].quarantined
    assert msgspec.structs.replace(rails, strategies=ill.strategies) == ill


def test_the_state_survives_the_journal() -> None:
    rails = fold.trade_closed(fold.realised(running(), D("-1.10")), ONE, D("-1.10"), known_ns=1)
    assert msgspec.json.decode(msgspec.json.encode(rails), type=Guardrails) == rails


def test_an_account_begins_with_nothing_won_lost_or_done() -> None:
    fresh = Guardrails()
    assert (fresh.day, fresh.week, fresh.month, fresh.open_pnl, fresh.transfers) == exactly(0, 0, 0, 0, 0)
    assert (fresh.entries, fresh.trades, fresh.losses_in_row, fresh.seed_failures) == (0, 0, 0, 0)
    assert fold.entry_opened(fold.entry_opened(fresh)).entries == 2
    assert fold.engine_started(fold.seed_failed(fresh)).seed_failures == 0
    assert fold.SEED_TRIES == 3


def test_without_the_brokers_close_a_session_that_has_a_peak_still_blocks() -> None:
    rails = fold.seed_told(fold.session_opened(Guardrails(), FRIDAY, None), D(0), D(0), D(0))
    rails = fold.equity_read(rails, D(10000), D(0), known_ns=0)
    assert rails.peak == 10000
    assert blocked(rails, 0, age_max_ns=ORDER_NS) is Blocked.NO_REFERENCE


@pytest.mark.parametrize(("equity", "peak"), [("0", None), ("-1", None), ("0.5", D("0.5"))])
def test_what_is_not_positive_is_no_peak(equity: str, peak: Decimal | None) -> None:
    assert fold.equity_read(Guardrails(), D(equity), D(0), known_ns=0).peak_ever == peak


def test_small_accounts_are_accounts() -> None:
    rails = fold.session_opened(Guardrails(), FRIDAY, D("0.5"))
    assert rails.reference == D("0.5")
    assert fold.transferred(rails, D("-0.25")).reference == D("0.25")
    won = fold.trade_closed(fold.trade_closed(rails, ONE, D(-1), known_ns=1), ONE, D("0.5"), known_ns=2)
    assert won.losses_in_row == 0


@pytest.mark.parametrize(("equity", "amount"), [("0", "100"), ("-5", "100"), ("10000", "-10001")])
def test_a_transfer_of_or_into_nothing_makes_the_losses_unknown(equity: str, amount: str) -> None:
    rails = fold.transferred(fold.equity_read(running(), D(equity), D(0), known_ns=1), D(amount))
    assert (rails.reference, rails.equity, rails.peak_ever) == (None, None, None)
    assert rails.transfers == D(amount)
