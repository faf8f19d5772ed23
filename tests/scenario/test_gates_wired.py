"""Each gate is wired: told from outside only, an account comes to where it alone refuses, and without it nothing does.

No story here calls a gate or names a fact. The stories are run twice: as the list of gates is, and with the gate
taken out of it; the second time the gate must not refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal as D

import pytest

from account_desk import COIN, OTHER, PRICE, RIVAL, TREND, AccountDesk
from evenkeel.model.event import Operated, Operation
from evenkeel.model.ids import InstrumentId, Leg, StrategyId
from evenkeel.model.intent import OrderKind
from evenkeel.model.market_told import KeyTold, LeaseTold, MarketSessionTold, Upcoming
from evenkeel.model.order import OrderState
from evenkeel.model.reason import Reason
from evenkeel.model.report import Outcome
from evenkeel.model.time import HOUR, SECOND
from evenkeel.model.told import ClockMeasured, FaultEscaped, QualityTold, SeedTold, StorageTold, Store
from evenkeel.model.truth import Position
from evenkeel.risk import triggers
from evenkeel.risk.gates import judge as gateway
from evenkeel.risk.gates.check import not_applicable
from evenkeel.risk.gates.judged import Judged
from evenkeel.risk.gates.table import GATES

Story = Callable[[], Judged]
STORIES: dict[int, tuple[Story, Reason]] = {}
DOUBLED = {3, 40, 49}
"""Gates against what halts the account by itself too: their stories are told to one that nothing halts."""
SAME_INSTRUMENT = ((TREND, COIN), (RIVAL, COIN))


def story(gate: int, reason: Reason) -> Callable[[Story], Story]:
    """Add a story at whose end the gate refuses an entry."""

    def add(tell: Story) -> Story:
        STORIES[gate] = (tell, reason)
        return tell

    return add


def ready(**limits: object) -> AccountDesk:
    """Return an account that trades."""
    desk = AccountDesk(**limits)  # type: ignore[arg-type]
    desk.ready()
    return desk


def rests(desk: AccountDesk, instrument: InstrumentId = OTHER) -> None:
    """Let the other strategy have an entry at work that does not fill."""
    verdict = desk.enter(RIVAL, instrument)
    assert verdict.reason is Reason.OK
    desk.accept(verdict.client_id)


def holds(desk: AccountDesk, instrument: InstrumentId = OTHER) -> None:
    """Let the other strategy hold a position with its protection."""
    verdict = desk.enter(RIVAL, instrument)
    assert verdict.reason is Reason.OK
    desk.fill(verdict.client_id)


def stands_alone(desk: AccountDesk, instrument: InstrumentId) -> None:
    """Let the venue hold a position that the books do not know, until a comparison has found it."""
    desk.told_otherwise = {"positions": {instrument: Position(quantity=D("0.001"))}}
    for _ in range(200):
        desk.wait(2)
        if desk.account.findings or desk.account.reconciling.blocked:
            return
    raise AssertionError("no comparison found it")


def loses(desk: AccountDesk, strategy: StrategyId = RIVAL, instrument: InstrumentId = OTHER) -> None:
    """Let a strategy make a trade that is stopped out."""
    verdict = desk.enter(strategy, instrument)
    assert verdict.reason is Reason.OK
    desk.fill(verdict.client_id)
    (stop,) = [order for order in desk.account.supervisor.book.open.values() if order.leg is Leg.STOP]
    assert stop.trigger is not None
    desk.fill(stop.client_id, stop.trigger)
    for order in list(desk.account.supervisor.book.open.values()):
        desk.report(order.client_id, OrderState.CANCELLED)


@story(1, Reason.MARKET_ENTRY)
def an_entry_at_the_market_where_none_may_be() -> Judged:
    return ready(prices__market_entries=False).enter(kind=OrderKind.MARKET, price=None)


@story(2, Reason.HALT_FLAG)
def a_pause() -> Judged:
    desk = ready()
    desk.tell(Operated, operation=Operation.PAUSE, by="somebody")
    return desk.enter()


@story(3, Reason.PANIC)
def a_fault_that_escaped() -> Judged:
    desk = ready()
    desk.tell(FaultEscaped, text="a bug")
    return desk.enter()


@story(4, Reason.MODE_MISMATCH)
def a_key_for_another_mode() -> Judged:
    desk = ready()
    desk.tell(
        KeyTold, key_mode="demo", host_mode="live", account_mode="live", withdraws=False, armed=True, permit=D(100_000)
    )
    return desk.enter()


@story(5, Reason.LEASE_LOST)
def a_lease_that_was_not_renewed() -> Judged:
    desk = ready()
    desk.tell(LeaseTold, epoch=3, for_ns=2 * SECOND)
    desk.wait(3, alive=False)
    desk.worth()
    return desk.enter()


@story(6, Reason.ENGINE_NOT_READY)
def too_few_bars() -> Judged:
    return ready(warmup=5).enter()


@story(7, Reason.ORDER_STATE_UNKNOWN)
def an_order_elsewhere_that_is_unknown_for_half_a_minute() -> Judged:
    desk = ready()
    verdict = desk.enter(RIVAL, OTHER)
    desk.resolve(verdict.client_id, Outcome.UNKNOWN)
    desk.wait(31)
    return desk.enter()


@story(8, Reason.DUPLICATE_SIGNAL)
def the_same_order_again_at_once() -> Judged:
    desk = ready(pace__signal_cooldown_s=None)
    first = desk.enter()
    desk.report(first.client_id, OrderState.REJECTED)
    desk.wait(2)
    return desk.enter()


@story(9, Reason.NOT_TRADABLE)
def an_instrument_that_stopped_trading() -> Judged:
    desk = ready()
    desk.instrument(tradable=False)
    return desk.enter()


@story(10, Reason.OFF_GRID)
def a_price_between_two_ticks() -> Judged:
    return ready().enter(price=PRICE - D("0.3"))


@story(11, Reason.SESSION_CLOSED)
def a_market_that_closed() -> Judged:
    desk = ready()
    desk.tell(MarketSessionTold, COIN, open=True, since_open_s=3600, until_close_s=10)
    desk.wait(12)
    return desk.enter()


@story(12, Reason.EVENT_BLACKOUT)
def news_in_ten_minutes() -> Judged:
    desk = ready()
    desk.conditions(events=(Upcoming(kind="cpi", in_s=600),))
    return desk.enter()


@story(13, Reason.REGIME_LOCKOUT)
def a_lockout_that_runs() -> Judged:
    desk = ready()
    desk.conditions(lockout_for_ns=HOUR)
    desk.wait(60)
    return desk.enter()


@story(14, Reason.DVS_TOO_LOW)
def data_that_are_not_good_enough() -> Judged:
    desk = ready()
    desk.tell(QualityTold, COIN, dvs=D("0.79"), eqs=D(1))
    return desk.enter()


@story(15, Reason.EQS_TOO_LOW)
def execution_that_is_not_good_enough() -> Judged:
    desk = ready()
    desk.tell(QualityTold, COIN, dvs=D(1), eqs=D("0.74"))
    return desk.enter()


@story(16, Reason.STALE_DATA)
def a_quote_of_six_seconds_ago() -> Judged:
    desk = ready()
    desk.now += 6 * SECOND
    desk.alive(quotes=False)
    return desk.enter()


@story(17, Reason.PRICE_COLLAR)
def a_limit_far_from_the_market() -> Judged:
    return ready().enter(price=PRICE * D("0.94"))


@story(18, Reason.SPREAD_TOO_WIDE)
def a_wide_spread() -> Judged:
    desk = ready()
    desk.quote(bid=PRICE - 30)
    return desk.enter()


@story(19, Reason.PARTICIPATION)
def a_market_that_hardly_trades() -> Judged:
    desk = ready()
    desk.conditions(daily_volume=D("0.01"))
    return desk.enter()


@story(20, Reason.QTY_LIMIT)
def more_units_than_an_order_may_have() -> Judged:
    return ready(exposure__order_quantity=D("0.001")).enter()


@story(21, Reason.NOTIONAL_LIMIT)
def more_than_was_permitted() -> Judged:
    desk = ready()
    desk.tell(
        KeyTold, key_mode="live", host_mode="live", account_mode="live", withdraws=False, armed=True, permit=D(30)
    )
    return desk.enter()


@story(22, Reason.POSITION_SIZE_LIMIT)
def a_position_that_would_be_too_large() -> Judged:
    return ready(exposure__max_position_notional=D(4)).enter()


@story(23, Reason.GROSS_EXPOSURE)
def no_room_beside_what_is_at_work() -> Judged:
    desk = ready(exposure__gross_notional=D(42), exposure__correlation=None)
    rests(desk)
    return desk.enter()


@story(24, Reason.NET_EXPOSURE)
def too_much_on_one_side() -> Judged:
    desk = ready(exposure__net=D("0.06"), exposure__correlation=None)
    rests(desk)
    return desk.enter()


@story(25, Reason.SECTOR_EXPOSURE)
def too_much_of_a_sector_that_nobody_knows() -> Judged:
    desk = ready(exposure__sector=D("0.12"), exposure__correlation=None)
    rests(desk)
    return desk.enter()


@story(26, Reason.CORRELATION_LIMIT)
def something_else_is_held_that_may_move_alike() -> Judged:
    desk = ready(exposure__strict_correlation=True)
    holds(desk)
    return desk.enter()


@story(27, Reason.MAX_POSITIONS)
def one_position_too_many() -> Judged:
    desk = ready(exposure__positions=1, exposure__correlation=None)
    holds(desk)
    return desk.enter()


@story(28, Reason.POSITION_CONFLICT)
def another_strategy_has_an_entry_at_work_in_it() -> Judged:
    desk = ready(pairs=SAME_INSTRUMENT, exposure__max_position_notional=D(100))
    rests(desk, COIN)
    return desk.enter()


@story(29, Reason.NO_ADDING)
def the_account_holds_some_already() -> Judged:
    desk = ready(pairs=SAME_INSTRUMENT, exposure__owners=False, exposure__max_position_notional=D(100))
    holds(desk, COIN)
    return desk.enter()


@story(30, Reason.TOO_MANY_OPEN_ORDERS)
def an_order_is_at_work_already() -> Judged:
    desk = ready(
        pairs=SAME_INSTRUMENT, exposure__owners=False, exposure__orders_symbol=1, exposure__max_position_notional=D(100)
    )
    rests(desk, COIN)
    return desk.enter()


@story(31, Reason.ENTRY_COOLDOWN)
def another_entry_was_a_minute_ago() -> Judged:
    desk = ready(pace__entry_gap_s=1800)
    rests(desk)
    desk.minute()
    return desk.enter()


@story(32, Reason.SIGNAL_COOLDOWN)
def the_last_entry_was_a_minute_ago() -> Judged:
    desk = ready()
    first = desk.enter()
    desk.report(first.client_id, OrderState.REJECTED)
    desk.minute()
    return desk.enter()


@story(33, Reason.TRADES_PER_DAY)
def the_session_has_its_trades() -> Judged:
    desk = ready(pace__trades=1)
    rests(desk)
    return desk.enter()


@story(34, Reason.STOP_DISTANCE)
def a_stop_too_near() -> Judged:
    return ready(trade__least_stop_ticks=500).enter()


@story(35, Reason.TRADE_RISK)
def a_trade_that_could_lose_too_much() -> Judged:
    return ready(trade__loss=D("0.2"), trade__clips=False).enter()


@story(36, Reason.FRICTION)
def a_target_that_costs_eat() -> Judged:
    return ready().enter(target_distance=D(50))


@story(37, Reason.DAILY_LOSS)
def a_day_that_has_lost() -> Judged:
    desk = ready()
    desk.tell(SeedTold, day=D("-19.8"), week=D("-19.8"), month=D("-19.8"))
    return desk.enter()


@story(38, Reason.WEEKLY_LOSS)
def a_week_that_has_lost() -> Judged:
    desk = ready()
    desk.tell(SeedTold, day=D(0), week=D("-59.8"), month=D("-59.8"))
    return desk.enter()


@story(39, Reason.CONSECUTIVE_LOSSES)
def a_loss_just_now() -> Judged:
    desk = ready(losses__account_streak=1, losses__strategy_streak=None, exposure__correlation=None)
    loses(desk)
    return desk.enter()


@story(40, Reason.DRAWDOWN)
def an_account_that_has_fallen() -> Judged:
    desk = ready(losses__intraday_drawdown=None, losses__soft_drawdown=None, losses__medium_drawdown=None)
    desk.worth("1120")
    desk.worth("1000")
    return desk.enter()


@story(41, Reason.STRATEGY_QUARANTINED)
def a_strategy_that_lost_twice() -> Judged:
    desk = ready(
        pace__signal_cooldown_s=None,
        losses__account_streak=None,
        losses__strategy_streak=None,
        exposure__correlation=None,
    )
    loses(desk, TREND, COIN)
    desk.minute()
    loses(desk, TREND, COIN)
    desk.minute()
    return desk.enter()


@story(42, Reason.VAR)
def a_market_in_which_a_bad_day_costs_too_much() -> Judged:
    desk = ready()
    desk.conditions(value_at_risk=D("0.8"))
    return desk.enter()


@story(43, Reason.LEVERAGE)
def a_leverage_that_somebody_set() -> Judged:
    desk = ready()
    desk.instrument(leverage=D(11))
    return desk.enter()


@story(44, Reason.REDUCE_ONLY_SYMBOL)
def an_instrument_that_may_only_be_reduced() -> Judged:
    desk = ready()
    desk.instrument(reduce_only=True)
    return desk.enter()


@story(45, Reason.BUYING_POWER)
def no_buying_power() -> Judged:
    desk = ready(margin__buying_power=D("0.95"))
    desk.worth(buying_power=D(40))
    return desk.enter()


@story(46, Reason.FUNDING_COST)
def a_funding_that_costs_too_much() -> Judged:
    desk = ready()
    desk.instrument(funding_rate=D("-0.002"))
    return desk.enter()


@story(47, Reason.RECON_UNHEALTHY)
def a_position_elsewhere_that_nobody_opened() -> Judged:
    desk = ready()
    stands_alone(desk, OTHER)
    return desk.enter()


@story(48, Reason.CLOCK_SKEW)
def a_clock_that_is_off() -> Judged:
    desk = ready()
    desk.tell(ClockMeasured, offset_ns=-1_500_000_000)
    return desk.enter()


@story(49, Reason.AUDIT_UNAVAILABLE)
def a_journal_that_takes_nothing() -> Judged:
    desk = ready()
    desk.tell(StorageTold, store=Store.JOURNAL, ok=False, text="no space left")
    return desk.enter()


def test_every_gate_has_its_story() -> None:
    assert sorted(STORIES) == [gate.number for gate in GATES]


def refusing(verdict: Judged) -> list[int]:
    return [check.gate for check in verdict.checks() if check.outcome.bars]


def without(monkeypatch: pytest.MonkeyPatch, gate: int) -> None:
    """Take a gate out of the list."""
    judges = list(gateway._ENTRY)
    judges[gate - 1] = lambda _: not_applicable(gate)
    monkeypatch.setattr(gateway, "_ENTRY", tuple(judges))


def untriggered(monkeypatch: pytest.MonkeyPatch, gate: int) -> None:
    """Let nothing halt the account by itself where that would refuse beside the gate."""
    if gate in DOUBLED:
        monkeypatch.setattr(triggers, "TRIGGERS", ())


@pytest.mark.parametrize("gate", sorted(STORIES))
def test_a_gate_refuses_what_it_alone_has_something_against(gate: int, monkeypatch: pytest.MonkeyPatch) -> None:
    untriggered(monkeypatch, gate)
    tell, reason = STORIES[gate]
    verdict = tell()

    assert refusing(verdict) == [gate]
    assert (verdict.reason, verdict.approved) == (reason, D(0))


@pytest.mark.parametrize("gate", sorted(STORIES))
def test_without_the_gate_the_same_entry_goes_out(gate: int, monkeypatch: pytest.MonkeyPatch) -> None:
    untriggered(monkeypatch, gate)
    without(monkeypatch, gate)
    verdict = STORIES[gate][0]()

    assert verdict.reason is Reason.OK
    assert refusing(verdict) == []


def test_where_no_profile_limits_the_account_a_blocked_instrument_stays_blocked() -> None:
    desk = AccountDesk("research")
    desk.ready()
    assert desk.enter(RIVAL, OTHER).reason is Reason.OK
    stands_alone(desk, COIN)

    verdict = desk.enter()

    assert refusing(verdict) == [47]


@pytest.mark.parametrize("gate", sorted(DOUBLED))
def test_what_halts_the_account_too_is_refused_by_both(gate: int) -> None:
    assert refusing(STORIES[gate][0]()) == sorted({2, gate})
