"""Rows of the failure catalogue (operations.md 12) about orders, fills and protection, each told message by message."""

from __future__ import annotations

from evenkeel.execution.findings import FindingCode
from evenkeel.execution.supervisor.bracket import Bracket
from evenkeel.execution.supervisor.venue_terms import Capabilities
from evenkeel.model.command import AmendOrder, CancelOrder, LookUpOrder, PlaceOrder
from evenkeel.model.ids import ClientId, Leg
from evenkeel.model.intent import OrderKind
from evenkeel.model.order import Amendment, VenueOrder
from evenkeel.model.report import Act, ExecutionBusted, OrderReported, Outcome
from trade_desk import SECOND, STRATEGY, SYMBOL, D, Desk, S, order_id, placed


def test_row_4_a_send_that_timed_out_and_arrived_is_found_working_and_never_sent_again() -> None:
    desk = Desk()
    desk.at(15)
    assert desk.resolve(desk.entry, Outcome.UNKNOWN) == []
    assert desk.order(desk.entry).state is S.UNKNOWN
    assert desk.at(15.5) == [LookUpOrder(client_id=desk.entry, asked_ns=desk.now)]
    assert desk.looked_up(desk.entry, desk.report(desk.entry, S.WORKING)) == []
    assert desk.order(desk.entry).state is S.WORKING


def test_row_5_a_send_that_never_arrived_is_aborted_once_its_absence_is_proven() -> None:
    desk = Desk()
    desk.at(15)
    desk.resolve(desk.entry, Outcome.UNKNOWN)
    asked = []
    for seconds in (15.5, 16, 17, 19):
        asked += desk.at(seconds)
        desk.looked_up(desk.entry, None)
    assert [type(command) for command in asked] == [LookUpOrder] * 4
    assert desk.order(desk.entry).state is S.ABORTED


def test_an_answer_that_is_not_complete_proves_no_absence() -> None:
    desk = Desk()
    desk.at(15)
    desk.resolve(desk.entry, Outcome.UNKNOWN)
    for seconds in (15.5, 16, 17, 19, 23):
        desk.at(seconds)
        desk.looked_up(desk.entry, None, complete=False)
    assert desk.order(desk.entry).state is S.UNKNOWN


def test_row_7_a_venue_that_has_the_id_already_is_asked_what_it_has() -> None:
    desk = Desk()
    assert desk.resolve(desk.entry, Outcome.EXISTS) == [LookUpOrder(client_id=desk.entry, asked_ns=0)]
    desk.looked_up(desk.entry, desk.report(desk.entry, S.PARTIAL, 4))
    assert desk.bracket.held == 4


def test_row_10_a_fill_before_its_acknowledgement_counts_and_is_protected() -> None:
    desk = Desk()
    assert placed(desk.executed(desk.entry, 10)) == [(Leg.STOP, OrderKind.STOP, D(-10))]
    assert desk.order(desk.entry).state is S.FILLED
    assert desk.resolve(desk.entry, Outcome.ACCEPTED) == []
    assert desk.order(desk.entry).state is S.FILLED


def test_row_10_a_fill_before_its_order_waits_for_it() -> None:
    desk = Desk()
    stop = order_id(Leg.STOP, 1000)
    desk.executed(stop, -3, 90)
    assert desk.bracket.held == 0
    desk.executed(desk.entry, 10)
    assert desk.bracket.held == 7


def test_a_message_about_an_order_that_nobody_knows_becomes_a_finding_after_five_seconds() -> None:
    desk = Desk()
    desk.executed(ClientId("other"), 1)
    desk.executed(ClientId("kle-stranger"), 1)
    desk.at(4.9)
    assert desk.codes() == []
    desk.at(5)
    assert desk.codes() == [FindingCode.STRANGER, FindingCode.OWN_STRANGER]


def test_a_flood_of_messages_about_strangers_loses_none_without_a_finding() -> None:
    desk = Desk()
    for number in range(1_001):
        desk.executed(ClientId(f"other-{number}"), 1)
    assert [finding.client_id for finding in desk.findings] == ["other-0"]


def test_row_11_and_12_the_same_execution_counts_once() -> None:
    desk = Desk()
    desk.executed(desk.entry, 4, execution="x")
    desk.executed(desk.entry, 4, execution="x")
    desk.told(desk.entry, S.PARTIAL, 4)
    assert desk.bracket.held == 4
    assert desk.order(desk.entry).fees == 1


def test_row_13_cumulative_quantities_out_of_order_end_at_the_largest() -> None:
    desk = Desk(100)
    desk.told(desk.entry, S.PARTIAL, 60)
    desk.told(desk.entry, S.PARTIAL, 40)
    assert desk.bracket.held == 60


def test_row_14_a_late_fill_after_a_cancel_counts_and_its_stop_is_resized() -> None:
    desk = Desk()
    desk.resolve(desk.entry, Outcome.ACCEPTED)
    (stop,) = desk.executed(desk.entry, 4)
    assert isinstance(stop, PlaceOrder)
    desk.resolve(stop.order.client_id, Outcome.ACCEPTED)
    (target,) = [o for o in desk.supervisor.book.open.values() if o.leg is Leg.TARGET]
    desk.resolve(target.client_id, Outcome.ACCEPTED)
    assert desk.at(30) == [CancelOrder(client_id=desk.entry, why="the rest of an entry lived long enough")]
    desk.told(desk.entry, S.CANCELLED, 4)
    commands = desk.executed(desk.entry, 2)
    assert desk.codes() == [FindingCode.LATE_FILL]
    assert desk.bracket.held == 6
    assert [type(command) for command in commands] == [AmendOrder]
    (resized,) = [c for c in commands if isinstance(c, AmendOrder)]
    assert (resized.client_id, resized.amendment.quantity) == (stop.order.client_id, D(-6))


def test_row_15_a_cancel_refused_because_the_order_filled_is_looked_up() -> None:
    desk = Desk()
    desk.resolve(desk.entry, Outcome.ACCEPTED)
    assert [type(c) for c in desk.at(90)] == [CancelOrder]
    commands = desk.resolve(desk.entry, Outcome.REFUSED, Act.CANCEL)
    assert LookUpOrder(client_id=desk.entry, asked_ns=desk.now) in commands
    desk.looked_up(desk.entry, desk.report(desk.entry, S.FILLED, 10))
    assert desk.order(desk.entry).state is S.FILLED
    assert desk.bracket.held == 10


def test_row_16_a_fill_on_the_old_name_of_a_replaced_order_counts_in_its_chain() -> None:
    desk = Desk()
    stop, target = desk.hold()
    desk.leave(D(4))
    (exit_order,) = [c for c in desk.act() if isinstance(c, PlaceOrder)]
    commands = desk.executed(exit_order.order.client_id, -4, 105)
    assert {c.client_id for c in commands if isinstance(c, AmendOrder)} == {stop, target}
    first = desk.report(target, S.PARTIAL, 1, at=120)
    renamed = OrderReported(
        event_ns=0, known_ns=desk.now, instrument=SYMBOL, client_id=target, venue_id="v-new", replaces=first.venue_id,
        state=S.PARTIAL, quantity=D(6), filled=D(2), average=D(120),
    )  # fmt: skip
    desk.note(desk.supervisor.fold(renamed))
    desk.note(desk.supervisor.fold(first))
    assert desk.order(target).filled == 3
    assert desk.bracket.held == 3


def test_row_17_what_a_venue_fills_beyond_an_order_is_counted_protected_told_and_sold() -> None:
    desk = Desk()
    commands = desk.executed(desk.entry, 12)
    assert desk.codes() == [FindingCode.OVERFILL]
    assert placed(commands) == [(Leg.GUARD, OrderKind.MARKET, D(-2)), (Leg.STOP, OrderKind.STOP, D(-12))]
    assert desk.alarms == ["more is held than was asked for"]
    sale, stop = (c.order.client_id for c in commands if isinstance(c, PlaceOrder))
    desk.resolve(stop, Outcome.ACCEPTED)
    desk.executed(sale, -2, 99)
    assert desk.bracket.held == 10
    assert desk.bracket.excess == 0
    assert desk.bracket.closing is None
    assert desk.order(stop).amendment == Amendment(quantity=D(-10))


def test_row_18_a_stop_rejected_twice_closes_the_position_and_calls_a_person() -> None:
    desk = Desk()
    desk.resolve(desk.entry, Outcome.ACCEPTED)
    (first,) = desk.executed(desk.entry, 10)
    assert isinstance(first, PlaceOrder)
    (second,) = desk.resolve(first.order.client_id, Outcome.REFUSED)
    assert isinstance(second, PlaceOrder)
    assert second.order.leg is Leg.STOP
    assert second.order.client_id != first.order.client_id
    assert placed(desk.resolve(second.order.client_id, Outcome.REFUSED)) == [(Leg.GUARD, OrderKind.MARKET, D(-10))]
    assert desk.alarms == ["its stop was rejected"]


def test_a_position_whose_stop_is_not_acknowledged_is_closed_after_five_seconds() -> None:
    desk = Desk()
    desk.resolve(desk.entry, Outcome.ACCEPTED)
    desk.executed(desk.entry, 10)
    desk.at(4.9)
    assert desk.alarms == []
    assert (Leg.GUARD, OrderKind.MARKET, D(-10)) in placed([c for c in desk.at(5) if isinstance(c, PlaceOrder)])
    assert desk.alarms == ["it was without its stop for too long"]


def test_row_19_stop_and_target_grow_with_each_fill_of_the_entry() -> None:
    desk = Desk()
    stop, target = desk.hold(4)
    commands = desk.executed(desk.entry, 6)
    assert {c.client_id: c.amendment.quantity for c in commands if isinstance(c, AmendOrder)} == {stop: D(-10)}
    commands = desk.resolve(stop, Outcome.ACCEPTED, Act.AMEND)
    assert {c.client_id: c.amendment.quantity for c in commands if isinstance(c, AmendOrder)} == {target: D(-10)}


def test_row_20_stop_and_target_that_both_fill_leave_a_rest_that_is_closed() -> None:
    desk = Desk()
    stop, target = desk.hold()
    assert desk.executed(target, -10, 120) == [CancelOrder(client_id=stop, why="nothing is held that it could close")]
    commands = desk.executed(stop, -10, 90)
    assert desk.bracket.held == -10
    assert placed(commands) == [(Leg.GUARD, OrderKind.MARKET, D(10))]


def test_row_21_what_rests_after_the_position_is_gone_is_withdrawn_at_once() -> None:
    desk = Desk()
    stop, target = desk.hold()
    commands = desk.executed(stop, -10, 90)
    assert commands == [CancelOrder(client_id=target, why="nothing is held that it could close")]


def test_row_22_a_stop_that_the_venue_cancelled_is_placed_again() -> None:
    desk = Desk()
    stop, _ = desk.hold()
    (again,) = desk.told(stop, S.CANCELLED)
    assert isinstance(again, PlaceOrder)
    assert (again.order.leg, again.order.quantity, again.order.trigger) == (Leg.STOP, D(-10), D(90))


def test_a_stop_that_filled_in_part_is_completed_at_the_market() -> None:
    desk = Desk()
    stop, target = desk.hold()
    commands = desk.executed(stop, -4, 90)
    assert CancelOrder(client_id=target, why="the position is being closed") in commands
    assert placed([c for c in commands if isinstance(c, PlaceOrder)]) == [(Leg.GUARD, OrderKind.MARKET, D(-6))]


def test_row_23_a_stop_that_the_price_passed_without_a_fill_is_completed_at_the_market() -> None:
    desk = Desk()
    desk.hold()
    desk.supervisor.price(SYMBOL, D(89), 1 * SECOND)
    assert desk.at(10.9) == []
    commands = desk.at(11)
    assert placed([c for c in commands if isinstance(c, PlaceOrder)]) == [(Leg.GUARD, OrderKind.MARKET, D(-10))]


def test_a_price_that_comes_back_before_the_stop_starts_its_fallback_anew() -> None:
    desk = Desk()
    desk.hold()
    desk.supervisor.price(SYMBOL, D(89), 1 * SECOND)
    desk.supervisor.price(SYMBOL, D(95), 5 * SECOND)
    desk.supervisor.price(SYMBOL, D(89), 8 * SECOND)
    assert desk.at(17.9) == []
    assert desk.at(18) != []


def test_row_24_an_exit_where_orders_hold_units_back_waits_for_the_stop_to_be_gone() -> None:
    desk = Desk(venue=Capabilities(reserves=True))
    desk.resolve(desk.entry, Outcome.ACCEPTED)
    (stop,) = desk.executed(desk.entry, 10)
    assert isinstance(stop, PlaceOrder)
    assert desk.resolve(stop.order.client_id, Outcome.ACCEPTED) == []
    desk.leave()
    assert desk.act() == [CancelOrder(client_id=stop.order.client_id, why="the position is being closed")]
    assert placed(desk.told(stop.order.client_id, S.CANCELLED)) == [(Leg.EXIT, OrderKind.MARKET, D(-10))]


def test_row_24_an_exit_where_orders_only_reduce_leaves_the_stop_until_nothing_is_held() -> None:
    desk = Desk()
    stop, target = desk.hold()
    desk.leave()
    commands = desk.act()
    assert CancelOrder(client_id=target, why="the position is being closed") in commands
    (leaving,) = [c for c in commands if isinstance(c, PlaceOrder)]
    assert desk.order(stop).state is S.WORKING
    assert CancelOrder(client_id=stop, why="nothing is held that it could close") in desk.executed(
        leaving.order.client_id, -10, 101
    )


def test_a_target_that_filled_in_part_rests_a_minute_then_the_rest_goes_at_the_market() -> None:
    desk = Desk()
    stop, target = desk.hold()
    commands = desk.executed(target, -4, 120)
    assert {c.client_id: c.amendment.quantity for c in commands if isinstance(c, AmendOrder)} == {stop: D(-6)}
    desk.resolve(stop, Outcome.ACCEPTED, Act.AMEND)
    assert desk.at(59) == []
    assert placed([c for c in desk.at(60) if isinstance(c, PlaceOrder)]) == [(Leg.GUARD, OrderKind.MARKET, D(-6))]


def test_an_entry_that_rests_too_long_is_withdrawn() -> None:
    desk = Desk()
    desk.resolve(desk.entry, Outcome.ACCEPTED)
    assert desk.at(89) == []
    assert desk.at(90) == [CancelOrder(client_id=desk.entry, why="the entry expired")]


def test_an_execution_taken_back_shrinks_the_position_and_its_stop() -> None:
    desk = Desk()
    stop, _ = desk.hold()
    desk.note(desk.supervisor.fold(ExecutionBusted(event_ns=0, known_ns=0, execution_id="x1")))
    assert desk.bracket.held == 0
    assert desk.codes() == [FindingCode.BUSTED]
    assert {c.client_id for c in desk.act() if isinstance(c, CancelOrder)} >= {stop}


def test_an_order_that_the_border_held_back_is_aborted_and_was_never_sent() -> None:
    desk = Desk()
    desk.resolve(desk.entry, Outcome.ABORTED)
    assert desk.order(desk.entry).state is S.ABORTED


def test_what_was_on_its_way_when_a_session_ended_is_in_doubt_in_the_next() -> None:
    desk = Desk()
    desk.supervisor.book.doubt(7 * SECOND)
    assert desk.order(desk.entry).state is S.UNKNOWN
    assert desk.at(7) == [LookUpOrder(client_id=desk.entry, asked_ns=7 * SECOND)]


def test_a_trade_whose_first_entry_came_to_nothing_begins_anew_on_the_other_side() -> None:
    desk = Desk()
    desk.resolve(desk.entry, Outcome.REFUSED)
    desk.act()
    again = VenueOrder(
        client_id=order_id(Leg.ENTRY, 2), strategy=STRATEGY, instrument=SYMBOL, trade=1, leg=Leg.ENTRY,
        kind=OrderKind.MARKET, quantity=D(-10), placed_ns=0, moved_ns=0,
    )  # fmt: skip
    bracket = Bracket(
        strategy=STRATEGY, instrument=SYMBOL, trade=1, direction=-1, stop_distance=D(10), target_distance=None,
        entry=again.client_id,
    )  # fmt: skip
    desk.supervisor.open_trade(bracket, again)
    desk.supervisor.fold_command(PlaceOrder(order=again), 0)
    (stop,) = desk.executed(again.client_id, -10)
    assert isinstance(stop, PlaceOrder)
    assert (stop.order.leg, stop.order.quantity, stop.order.trigger) == (Leg.STOP, D(10), D(110))


def test_a_stop_that_was_refused_and_rests_all_the_same_is_asked_for_and_withdrawn() -> None:
    """The request arrived twice: the first was refused, the second rests. Two stops would sell twice."""
    desk = Desk()
    desk.resolve(desk.entry, Outcome.ACCEPTED)
    first, *_ = [c.order.client_id for c in desk.executed(desk.entry, 10) if isinstance(c, PlaceOrder)]
    second, *_ = [c.order.client_id for c in desk.resolve(first, Outcome.REFUSED) if isinstance(c, PlaceOrder)]
    desk.resolve(second, Outcome.ACCEPTED)
    assert desk.told(first, S.WORKING) == []
    assert desk.order(first).state is S.UNKNOWN
    assert FindingCode.OPEN_AFTER_END in desk.codes()
    assert desk.at(0.5) == [LookUpOrder(client_id=first, asked_ns=desk.now)]
    commands = desk.looked_up(first, desk.report(first, S.WORKING))
    assert commands == [CancelOrder(client_id=first, why="another stop protects the position")]


def test_a_report_from_before_a_refusal_brings_nothing_back() -> None:
    desk = Desk()
    desk.resolve(desk.entry, Outcome.REFUSED)
    desk.told(desk.entry, S.WORKING)
    assert desk.at(0.5) == [LookUpOrder(client_id=desk.entry, asked_ns=desk.now)]
    desk.looked_up(desk.entry, desk.report(desk.entry, S.REJECTED))
    assert desk.at(600) == []
    assert desk.order(desk.entry).state is S.REJECTED


def test_an_entry_that_was_cancelled_for_us_and_still_rests_is_withdrawn_again() -> None:
    desk = Desk()
    desk.resolve(desk.entry, Outcome.ACCEPTED)
    desk.told(desk.entry, S.CANCELLED)
    desk.at(4)
    assert desk.supervisor.brackets == {}
    assert desk.looked_up(desk.entry, desk.report(desk.entry, S.WORKING)) == [
        CancelOrder(client_id=desk.entry, why="the strategy withdrew it")
    ]


def test_an_answer_that_lags_behind_a_cancel_brings_nothing_back() -> None:
    desk = Desk()
    desk.resolve(desk.entry, Outcome.ACCEPTED)
    desk.told(desk.entry, S.CANCELLED)
    desk.at(2.9)
    assert desk.looked_up(desk.entry, desk.report(desk.entry, S.WORKING)) == []
    assert desk.order(desk.entry).state is S.CANCELLED


def test_a_bare_position_does_not_wait_for_ever_for_a_stop_in_doubt() -> None:
    """Where orders can turn a position, an exit waits for the others; a bare position waits half a minute."""
    desk = Desk(venue=Capabilities(reduce_only=False), target=False)
    desk.resolve(desk.entry, Outcome.ACCEPTED)
    stop, *_ = [c.order.client_id for c in desk.executed(desk.entry, 10) if isinstance(c, PlaceOrder)]
    desk.resolve(stop, Outcome.UNKNOWN)
    assert not [c for s in range(5, 30) for c in desk.at(s) if isinstance(c, PlaceOrder)]
    assert placed([c for c in desk.at(30) if isinstance(c, PlaceOrder)]) == [(Leg.GUARD, OrderKind.MARKET, D(-10))]
