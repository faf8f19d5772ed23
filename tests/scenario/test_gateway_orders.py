"""Orders that reduce pass the gates too: what is refused stays needed, is asked for again, and never spins."""

from __future__ import annotations

from decimal import Decimal as D

import msgspec
import pytest

import trade_desk
from account_desk import COIN, LONG, OTHER, PRICE, RIVAL, TREND, AccountDesk
from evenkeel.engine.account.entry import OfDesk
from evenkeel.engine.account.log import AccountOpened, decode_entries, encode_step
from evenkeel.engine.journal import Frame
from evenkeel.execution.findings import FindingCode
from evenkeel.model.command import AmendOrder, CancelOrder, PlaceOrder
from evenkeel.model.decision import EntryApproved, EntryRefused
from evenkeel.model.event import Operated, Operation, SessionBegan
from evenkeel.model.halt import HaltCode, HaltLevel
from evenkeel.model.ids import Leg
from evenkeel.model.intent import Direction, OrderKind, TimeInForce
from evenkeel.model.market_told import LeaseTold
from evenkeel.model.order import OrderState
from evenkeel.model.reason import Reason
from evenkeel.model.time import SECOND
from evenkeel.model.told import FaultEscaped
from evenkeel.risk.classify import Effect
from evenkeel.risk.gates.judged import Judged
from evenkeel.risk.gates.request import Purpose


def ready(**limits: object) -> AccountDesk:
    desk = AccountDesk(**limits)  # type: ignore[arg-type]
    desk.ready()
    return desk


def entered(desk: AccountDesk) -> Judged:
    verdict = desk.enter()
    assert verdict.reason is Reason.OK
    desk.accept(verdict.client_id)
    return verdict


def asked(desk: AccountDesk, purpose: Purpose, since: int = 0) -> list[Judged]:
    return [one for one in desk.verdicts[since:] if one.purpose is purpose]


def stops(desk: AccountDesk) -> list[PlaceOrder]:
    return [command for command in desk.placed() if command.order.leg is Leg.STOP]


def test_what_the_gates_leave_of_an_entry_is_what_goes_out() -> None:
    desk = ready(quantity="0.003", exposure__order_notional=None)

    verdict = desk.enter()

    assert (verdict.quantity, verdict.approved) == (D("0.003"), D("0.002"))
    assert [step.name for step in verdict.steps] == ["position"]
    (placed,) = desk.placed()
    assert placed.order.quantity == D("0.002")
    concluded = [entry.what for entry in desk.steps[-1].entries if isinstance(entry, OfDesk)]
    (approved,) = [what for what in concluded if isinstance(what, EntryApproved)]
    assert approved.order.quantity == D("0.002")
    core = next(iter(desk.account.desks.values())).core
    assert core.state.orders[placed.order.client_id].quantity == D("0.002")
    assert (placed.halt_epoch, placed.lease_epoch) == (desk.account.halt.epoch, 3)


@pytest.mark.parametrize(("direction", "price"), [(Direction.LONG, "20100.0"), (Direction.SHORT, "19900.0")])
def test_an_entry_at_the_market_goes_out_as_a_limit_at_the_collar(direction: Direction, price: str) -> None:
    desk = ready()

    verdict = desk.enter(kind=OrderKind.MARKET, price=None, direction=direction)

    assert verdict.reason is Reason.OK
    (placed,) = desk.placed()
    order = placed.order
    assert (order.kind, order.time_in_force, order.price) == (OrderKind.LIMIT, TimeInForce.IOC, D(price))
    assert order.expires_ns == order.placed_ns + 90 * SECOND


def test_a_collar_between_two_ticks_is_rounded_towards_the_price() -> None:
    desk = ready(prices__market_collar_bps=D("0.3"))

    desk.enter(kind=OrderKind.MARKET, price=None)

    assert desk.placed()[0].order.price == D("20000.5")


def test_a_refusal_is_a_decision_that_the_core_hears() -> None:
    desk = ready()
    desk.instrument(tradable=False)
    desk.enter()

    verdict, refusal = desk.steps[-1].entries
    assert isinstance(verdict, Judged)
    assert isinstance(refusal, OfDesk)
    assert refusal.what == EntryRefused(reason=Reason.NOT_TRADABLE, detail="as told")
    assert not desk.placed()


def test_a_stop_that_is_refused_stays_needed_and_is_asked_for_again_after_pauses_that_double() -> None:
    desk = ready()
    entry = entered(desk)
    desk.instrument(tradable=False)
    desk.report(entry.client_id, OrderState.FILLED, D("0.002"))
    assert [finding.code for finding in desk.account.findings] == [FindingCode.HELD_BACK]
    begun = desk.now
    assert desk.account.next_deadline() == begun + SECOND
    seen: dict[Purpose, list[int]] = {Purpose.PROTECT_STOP: [0], Purpose.CLOSE: []}
    for _ in range(400):
        before = len(desk.verdicts)
        desk.wait(0.1)
        for one in desk.verdicts[before:]:
            seen[one.purpose].append(round((desk.now - begun) / SECOND))

    assert seen == {Purpose.PROTECT_STOP: [0, 1, 3], Purpose.CLOSE: [5, 6, 8, 12, 20, 36]}
    assert len(desk.placed()) == 1


def test_a_close_is_cut_to_what_the_account_holds() -> None:
    desk = AccountDesk("research", pairs=((TREND, COIN), (RIVAL, COIN)))
    desk.ready()
    first = desk.enter(TREND)
    desk.fill(first.client_id)
    second = desk.enter(RIVAL, direction=Direction.SHORT)
    desk.accept(second.client_id)
    desk.report(second.client_id, OrderState.PARTIAL, D("0.001"))

    desk.leave(TREND)

    (verdict,) = asked(desk, Purpose.CLOSE)
    assert (verdict.quantity, verdict.approved) == (D("-0.002"), D("-0.001"))
    (closing,) = [command.order for command in desk.placed() if command.order.leg is Leg.EXIT]
    assert closing.quantity == D("-0.001")


def test_a_change_is_no_second_order_of_its_id() -> None:
    desk = ready()
    entry = entered(desk)
    desk.report(entry.client_id, OrderState.PARTIAL, D("0.001"))
    desk.settle()
    desk.report(entry.client_id, OrderState.FILLED, D("0.002"))

    (change,) = [command for command in desk.commands if isinstance(command, AmendOrder)]
    assert change.amendment.quantity == D("-0.002")
    (verdict,) = [one for one in asked(desk, Purpose.PROTECT_STOP) if one.amends]
    assert (verdict.reason, verdict.client_id, verdict.quantity) == (Reason.OK, change.client_id, D("-0.002"))
    assert change.lease_epoch == 3


def test_an_entry_that_a_strategy_does_not_want_any_more_is_cancelled_once_it_rests() -> None:
    trade = trade_desk.Desk()
    trade.supervisor.withdraw(trade.entry)
    assert trade.at(1) == []

    (command,) = trade.told(trade.entry, OrderState.WORKING)

    assert command == CancelOrder(client_id=trade.entry, why="the strategy withdrew it")


def test_a_signal_has_one_order_however_long_ago_that_was() -> None:
    desk = ready(pace__signal_cooldown_s=None)
    closed_ns = desk.now
    first = desk.wish(LONG, closed_ns=closed_ns)
    assert first is not None
    desk.report(first.client_id, OrderState.REJECTED)
    desk.wait(15)

    again = desk.wish(LONG, closed_ns=closed_ns)

    assert again is not None
    assert again.reason is Reason.DUPLICATE_SIGNAL


def test_trades_of_the_session_are_counted_when_they_are_open_and_when_they_are_over() -> None:
    desk = ready(pace__trades=1, pace__signal_cooldown_s=None)
    first = desk.enter(RIVAL, OTHER)
    desk.fill(first.client_id)
    assert desk.enter().reason is Reason.TRADES_PER_DAY
    desk.minute()
    desk.leave(RIVAL, OTHER)
    (closing,) = [command.order for command in desk.placed() if command.order.leg is Leg.EXIT]
    desk.fill(closing.client_id)
    desk.minute()
    assert desk.account.books.position(OTHER) == 0
    assert desk.enter().reason is Reason.TRADES_PER_DAY


def test_what_fills_lost_counts_for_the_day() -> None:
    desk = ready(losses__daily=D("0.6"))
    first = desk.enter(RIVAL, OTHER)
    desk.fill(first.client_id)
    (stop,) = [command.order for command in desk.placed() if command.order.leg is Leg.STOP]
    desk.fill(stop.client_id, PRICE - 200)

    verdict = desk.enter()

    assert {check.gate: check.value for check in verdict.checks()}[37] == D("-0.848")
    assert verdict.reason is Reason.DAILY_LOSS


def test_an_equity_of_two_seconds_ago_is_not_known() -> None:
    desk = ready()
    desk.now += 2 * SECOND

    verdict = desk.enter()

    unknown = {check.gate for check in verdict.checks() if check.outcome.value == "unknown"}
    assert {24, 35, 40} <= unknown


def test_a_stop_goes_out_as_soon_as_what_held_it_back_is_told() -> None:
    desk = ready()
    entry = entered(desk)
    desk.instrument(tradable=False)
    desk.report(entry.client_id, OrderState.FILLED, D("0.002"))
    assert not stops(desk)

    desk.instrument(tradable=True)

    (stop,) = stops(desk)
    assert (stop.order.quantity, stop.order.trigger) == (D("-0.002"), PRICE - 200)
    assert FindingCode.HELD_BACK not in [finding.code for finding in desk.account.findings]


def test_without_the_lease_nothing_leaves_and_with_it_all_does() -> None:
    desk = ready()
    entry = entered(desk)
    desk.tell(LeaseTold, epoch=3, for_ns=0)
    desk.report(entry.client_id, OrderState.FILLED, D("0.002"))
    count = len(desk.placed())
    desk.wait(4, alive=False)
    assert len(desk.placed()) == count
    assert {one.reason for one in desk.verdicts[1:]} == {Reason.LEASE_LOST}

    desk.tell(LeaseTold, epoch=4, for_ns=15 * SECOND)

    assert stops(desk)
    assert {command.lease_epoch for command in stops(desk)} == {4}


def test_an_empty_reserve_holds_an_exit_back_until_the_bucket_has_filled_again() -> None:
    desk = ready(pace__account_per_minute=3, pace__exit_reserve=1)
    entry = desk.enter()
    desk.fill(entry.client_id)
    assert len(desk.placed()) == 3
    desk.leave()
    held = [one for one in desk.verdicts if one.is_refused]
    assert {one.reason for one in held} == {Reason.ORDER_RATE}
    assert not [command for command in desk.placed() if command.order.leg is Leg.EXIT]

    desk.wait(90)

    assert [command for command in desk.placed() if command.order.leg in (Leg.EXIT, Leg.GUARD)]


def test_an_exit_and_a_cancel_go_out_while_no_entry_may() -> None:
    desk = ready()
    first = desk.enter()
    desk.fill(first.client_id)
    desk.worth(equity="1000", available=D(0))
    desk.conditions(lockout_for_ns=60 * SECOND)
    desk.now += 20 * SECOND
    desk.tell(LeaseTold, epoch=3, for_ns=15 * SECOND)

    desk.leave()

    closing = [command.order for command in desk.placed() if command.order.leg is Leg.EXIT]
    assert [(order.kind, order.quantity) for order in closing] == [(OrderKind.MARKET, D("-0.002"))]
    (verdict,) = asked(desk, Purpose.CLOSE)
    assert verdict.effect is Effect.REDUCING
    assert {check.gate: check.outcome.value for check in verdict.checks()}[17] == "warn"


def test_an_entry_that_is_withdrawn_before_its_fate_is_known_is_cancelled_when_it_rests() -> None:
    desk = ready()
    entry = desk.enter()
    desk.tell(Operated, operation=Operation.HALT, by="somebody")
    assert not [command for command in desk.commands if isinstance(command, CancelOrder)]

    desk.accept(entry.client_id)

    (cancel,) = [command for command in desk.commands if isinstance(command, CancelOrder)]
    assert cancel.client_id == entry.client_id
    (verdict,) = asked(desk, Purpose.CANCEL)
    assert (verdict.reason, verdict.effect) == (Reason.OK, Effect.NEUTRAL)


def test_at_level_four_everything_leaves_by_the_kill_path() -> None:
    desk = ready()
    entry = desk.enter()
    desk.fill(entry.client_id)
    before = len(desk.verdicts)

    desk.tell(Operated, operation=Operation.KILL, by="somebody")

    later = desk.verdicts[before:]
    assert later
    assert all(one.kill and not one.is_refused for one in later)
    assert [command.order.leg for command in desk.placed()][-1] is Leg.GUARD


def test_requests_that_run_away_kill_the_account_and_panic_the_process() -> None:
    desk = ready(pace__runaway_per_minute=20, pace__signal_cooldown_s=None)
    desk.instrument(tradable=False)
    for _ in range(20):
        desk.enter()
    assert desk.account.halt.reason(HaltCode.RUNAWAY) is None

    verdict = desk.enter()

    assert verdict.reason is Reason.NOT_TRADABLE
    why = desk.account.halt.reason(HaltCode.RUNAWAY)
    assert why is not None
    assert why.level is HaltLevel.KILLED
    assert Reason.PANIC in {check.reason for check in desk.enter().checks()}


def test_only_a_new_process_has_not_panicked() -> None:
    desk = ready()
    desk.tell(FaultEscaped, text="a bug")
    desk.ready()
    assert desk.account.pacer.state.panic is None
    assert desk.account.halt.reason(HaltCode.UNHANDLED) is not None


def test_a_new_process_believes_nothing_of_before_but_what_an_instrument_is() -> None:
    desk = ready()
    desk.tell(SessionBegan)

    verdict = desk.enter()

    unknown = {check.gate for check in verdict.checks() if check.outcome.value == "unknown"}
    assert {4, 5, 11, 12, 13, 14, 15, 16, 17, 18, 19, 48} <= unknown
    assert 9 not in unknown


def test_verdicts_are_entries_of_the_journal_and_fold_to_the_same_state() -> None:
    desk = ready()
    entry = desk.enter()
    desk.instrument(tradable=False)
    desk.fill(entry.client_id)
    again = AccountDesk().account
    again.now_ns = 0
    frames = [frame for step in desk.steps for frame in encode_step(step)]
    for number, (kind, payload) in enumerate(frames):
        (decoded,) = decode_entries([Frame(number, kind, 0, payload)])
        assert not isinstance(decoded, AccountOpened)
        again.fold(decoded)
    assert again.pacer.saved() == desk.account.pacer.saved()
    assert again.outside.saved() == desk.account.outside.saved()
    size = max(len(payload) for kind, payload in frames if b"judged" in payload[:20])
    assert size < 1_500


@pytest.mark.parametrize("part", ["outside", "pacer"])
def test_a_part_is_stored_whole(part: str) -> None:
    desk = ready()
    entry = desk.enter()
    desk.instrument(tradable=False)
    desk.fill(entry.client_id)
    kept, fresh = getattr(desk.account, part), getattr(AccountDesk().account, part)

    fresh.restore(msgspec.msgpack.encode(kept.saved()))

    assert fresh.saved() == kept.saved()
    assert desk.account.pacer.entered(TREND, COIN) is not None
