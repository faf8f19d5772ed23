"""The life of a bracket (belief.md 5.4, operations.md 1.9, 4.6) where stop and targets move, share or cannot change."""

from __future__ import annotations

from decimal import Decimal

from evenkeel.execution.findings import FindingCode
from evenkeel.execution.supervisor.levels import Rules, Rung
from evenkeel.execution.supervisor.venue_terms import Capabilities
from evenkeel.model.command import AmendOrder, CancelOrder, LookUpOrder, PlaceOrder, VenueCommand
from evenkeel.model.ids import ClientId, Leg
from evenkeel.model.intent import OrderKind
from evenkeel.model.order import Amendment
from evenkeel.model.reason import ExitReason
from evenkeel.model.report import Act, Outcome
from trade_desk import KEY, SECOND, STRATEGY, SYMBOL, D, Desk, S, placed

TRAIL = Rules(trail_activation=D("0.05"), trail_distance=D(10))
STEPS = (Rung(ratio=D(1), share=D("0.5")), Rung(ratio=D(2), share=D("0.25")), Rung(ratio=D(3), share=D("0.25")))


def amended(commands: list[VenueCommand]) -> dict[ClientId, Amendment]:
    """Return what orders are to become; nothing else may be among the commands."""
    assert all(isinstance(command, AmendOrder) for command in commands), commands
    return {c.client_id: c.amendment for c in commands if isinstance(c, AmendOrder)}


def only_order(commands: list[VenueCommand]) -> tuple[ClientId, Leg, OrderKind, Decimal, Decimal | None]:
    (order,) = [command.order for command in commands if isinstance(command, PlaceOrder)]
    return order.client_id, order.leg, order.kind, order.quantity, order.price


class TestMoving:
    def test_a_stop_trails_from_its_activation_on_and_never_loosens(self) -> None:
        desk = Desk(rules=TRAIL)
        stop, _ = desk.hold()
        assert desk.closes(20, 104) == []
        assert amended(desk.closes(40, 105)) == {stop: Amendment(trigger=D(95))}
        desk.resolve(stop, Outcome.ACCEPTED, Act.AMEND)
        assert desk.closes(60, 97) == []
        assert amended(desk.closes(80, 107)) == {stop: Amendment(trigger=D(97))}
        assert desk.bracket.stop_by is ExitReason.TRAILING

    def test_a_stop_goes_to_break_even_once(self) -> None:
        desk = Desk(rules=Rules(even_activation=D("0.08"), even_offset=D("0.01")))
        stop, _ = desk.hold()
        assert amended(desk.closes(60, 108)) == {stop: Amendment(trigger=D(101))}
        desk.resolve(stop, Outcome.ACCEPTED, Act.AMEND)
        assert desk.closes(90, 119) == []
        assert (desk.bracket.stop_by, desk.bracket.evened) == (ExitReason.BREAKEVEN, True)

    def test_a_close_told_again_late_or_from_before_the_fill_moves_nothing(self) -> None:
        desk = Desk(rules=TRAIL)
        desk.at(30)
        stop, _ = desk.hold()
        desk.supervisor.base_closed(SYMBOL, D(119), 20)
        assert desk.bracket.stop_price == 90
        assert amended(desk.closes(60, 110)) == {stop: Amendment(trigger=D(100))}
        desk.resolve(stop, Outcome.ACCEPTED, Act.AMEND)
        desk.supervisor.base_closed(SYMBOL, D(119), desk.now)
        desk.supervisor.base_closed(SYMBOL, D(119), desk.now - 1)
        assert desk.act() == []

    def test_a_further_fill_of_the_entry_does_not_loosen_a_stop_that_moved(self) -> None:
        desk = Desk(rules=TRAIL)
        stop, _ = desk.hold(4)
        desk.closes(20, 107)
        desk.resolve(stop, Outcome.ACCEPTED, Act.AMEND)
        assert amended(desk.executed(desk.entry, 6)) == {stop: Amendment(quantity=D(-10))}
        assert desk.bracket.stop_price == 97

    def test_row_24_a_trailing_stop_that_closes_leaves_nothing_at_work_and_no_short(self) -> None:
        """Row 24: the stop that moved fills, the target is withdrawn at once, and its late fill is closed."""
        desk = Desk(rules=TRAIL)
        stop, target = desk.hold()
        desk.closes(60, 110)
        desk.resolve(stop, Outcome.ACCEPTED, Act.AMEND)
        assert desk.executed(stop, -10, 100) == [
            CancelOrder(client_id=target, why="nothing is held that it could close")
        ]
        assert placed(desk.executed(target, -2, 120)) == [(Leg.GUARD, OrderKind.MARKET, D(2))]

    def test_a_position_that_is_being_closed_moves_no_stop(self) -> None:
        desk = Desk(rules=TRAIL)
        desk.hold()
        desk.leave()
        desk.act()
        assert desk.closes(1, 110) == []

    def test_where_nothing_can_be_changed_the_new_stop_rests_before_the_old_one_goes(self) -> None:
        desk = Desk(venue=Capabilities(amends_price=False, amends_quantity=False), rules=TRAIL)
        stop, _ = desk.hold()
        new, leg, kind, quantity, _ = only_order(desk.closes(60, 110))
        assert (leg, kind, quantity, desk.order(new).trigger) == (Leg.STOP, OrderKind.STOP, D(-10), D(100))
        assert desk.order(stop).state is S.WORKING
        assert desk.resolve(new, Outcome.ACCEPTED) == [
            CancelOrder(client_id=stop, why="another stop protects the position")
        ]

    def test_h10_a_refused_change_waits_is_tried_again_and_then_replaced(self) -> None:
        desk = Desk(rules=TRAIL)
        stop, _ = desk.hold()
        desk.closes(60, 110)
        first = desk.resolve(stop, Outcome.REFUSED, Act.AMEND)
        assert not [c for c in first if isinstance(c, AmendOrder)]
        again = [c for c in desk.at(60.5) if isinstance(c, AmendOrder)]
        assert [(c.client_id, c.amendment.trigger) for c in again] == [(stop, D(100))]
        new, leg, *_ = only_order(desk.resolve(stop, Outcome.REFUSED, Act.AMEND))
        assert leg is Leg.STOP
        assert desk.order(new).trigger == 100
        assert CancelOrder(client_id=stop, why="another stop protects the position") in desk.resolve(
            new, Outcome.ACCEPTED
        )
        assert desk.bracket.failed_changes == 0


class TestSteps:
    def test_each_step_rests_when_the_one_before_it_has_filled(self) -> None:
        """Three legs: half at 110, a quarter at 120, the rest at 130; the stop shrinks with each."""
        desk = Desk(target=False, rules=Rules(ladder=STEPS, lot=D(1)))
        stop, first = desk.hold()
        assert (desk.order(first).quantity, desk.order(first).price) == (D(-5), D(110))
        assert amended(desk.executed(first, -4, 110)) == {stop: Amendment(quantity=D(-6))}
        assert desk.resolve(stop, Outcome.ACCEPTED, Act.AMEND) == []
        commands = desk.executed(first, -1, 110)
        assert {c.client_id: c.amendment.quantity for c in commands if isinstance(c, AmendOrder)} == {stop: D(-5)}
        second, *_, quantity, price = only_order(desk.resolve(stop, Outcome.ACCEPTED, Act.AMEND))
        assert (quantity, price) == (D(-2), D(120))
        desk.resolve(second, Outcome.ACCEPTED)
        desk.executed(second, -2, 120)
        third, *_, quantity, price = only_order(desk.resolve(stop, Outcome.ACCEPTED, Act.AMEND))
        assert (quantity, price) == (D(-3), D(130))
        assert desk.executed(third, -3, 130) == [CancelOrder(client_id=stop, why="nothing is held that it could close")]

    def test_what_is_left_of_a_step_goes_at_the_market_and_the_next_step_stays(self) -> None:
        desk = Desk(target=False, rules=Rules(ladder=STEPS, lot=D(1)))
        stop, first = desk.hold()
        desk.executed(first, -2, 110)
        desk.resolve(stop, Outcome.ACCEPTED, Act.AMEND)
        commands = desk.at(60)
        assert CancelOrder(client_id=first, why="no target is wanted") in commands
        sale, leg, kind, quantity, _ = only_order(commands)
        assert (leg, kind, quantity) == (Leg.GUARD, OrderKind.MARKET, D(-3))
        desk.told(first, S.CANCELLED, 2, 110)
        commands = desk.executed(sale, -3, 109)
        desk.resolve(stop, Outcome.ACCEPTED, Act.AMEND)
        (second,) = [o for o in desk.supervisor.book.open.values() if o.leg is Leg.TARGET]
        assert (second.quantity, second.price) == (D(-2), D(120))
        assert desk.bracket.held == 5

    def test_a_part_that_the_strategy_sells_leaves_the_steps_where_they_are(self) -> None:
        desk = Desk(target=False, rules=Rules(ladder=STEPS, lot=D(1)))
        stop, first = desk.hold()
        desk.leave(D(3))
        sale, *_ = only_order(desk.act())
        desk.executed(sale, -3, 105)
        desk.resolve(stop, Outcome.ACCEPTED, Act.AMEND)
        assert desk.order(first).left == 5
        assert desk.bracket.held == 7


class TestStopLimit:
    RULES = Rules(stop_offset=D(2), trail_activation=D(0), trail_distance=D(10))

    def test_row_23_a_stop_limit_that_is_gapped_through_goes_at_the_market_after_ten_seconds(self) -> None:
        desk = Desk(rules=self.RULES)
        stop, target = desk.hold()
        assert (desk.order(stop).kind, desk.order(stop).trigger, desk.order(stop).price) == (
            OrderKind.STOP_LIMIT, D(90), D(88),
        )  # fmt: skip
        desk.supervisor.price(desk.bracket.instrument, D(80), desk.now)
        assert desk.at(9.9) == []
        commands = desk.at(10)
        assert only_order(commands)[1:4] == (Leg.GUARD, OrderKind.MARKET, D(-10))
        assert CancelOrder(client_id=target, why="the position is being closed") in commands
        assert desk.order(stop).state is S.WORKING

    def test_its_limit_moves_with_its_trigger(self) -> None:
        desk = Desk(rules=self.RULES)
        stop, _ = desk.hold()
        assert amended(desk.closes(60, 105)) == {stop: Amendment(trigger=D(95), price=D(93))}


class TestEntries:
    def test_an_entry_is_withdrawn_at_the_close_that_ends_its_life_in_bars(self) -> None:
        desk = Desk(until_bar=7)
        desk.resolve(desk.entry, Outcome.ACCEPTED)
        desk.supervisor.bar_closed(desk.bracket.instrument, 6)
        assert desk.act() == []
        desk.supervisor.bar_closed(desk.bracket.instrument, 7)
        assert desk.act() == [CancelOrder(client_id=desk.entry, why="the entry expired")]

    def test_a_ttl_that_ran_out_while_the_process_was_down_withdraws_at_once(self) -> None:
        """The deadline is in the state: nothing had to be remembered by a timer."""
        desk = Desk()
        desk.resolve(desk.entry, Outcome.ACCEPTED)
        desk.supervisor.book.doubt(300_000_000_000)
        assert CancelOrder(client_id=desk.entry, why="the entry expired") in desk.at(300)


class TestPairs:
    def test_the_stop_shrinks_when_the_target_fills_and_goes_when_it_is_whole(self) -> None:
        """It is never withdrawn before: until the venue says that the target filled, the stop protects."""
        desk = Desk()
        stop, target = desk.hold()
        assert desk.told(target, S.WORKING) == []
        assert desk.order(stop).state is S.WORKING
        assert amended(desk.executed(target, -4, 120)) == {stop: Amendment(quantity=D(-6))}
        desk.resolve(stop, Outcome.ACCEPTED, Act.AMEND)
        assert desk.executed(target, -6, 120) == [
            CancelOrder(client_id=stop, why="nothing is held that it could close")
        ]

    def test_the_stop_stays_while_the_target_is_on_its_way(self) -> None:
        desk = Desk()
        desk.resolve(desk.entry, Outcome.ACCEPTED)
        stop, *_ = only_order(desk.executed(desk.entry, 10))
        target, *_ = only_order(desk.resolve(stop, Outcome.ACCEPTED))
        assert desk.order(target).state is S.SENT
        assert desk.resolve(target, Outcome.UNKNOWN) == []
        assert desk.order(stop).state is S.WORKING

    def test_the_owner_is_released_only_when_it_is_flat(self) -> None:
        """A stop that filled in part keeps the trade at its desk until the rest is sold."""
        desk = Desk()
        stop, _ = desk.hold()
        sale, *_ = only_order(desk.executed(stop, -4, 90))
        assert desk.bracket.held == 6
        desk.resolve(sale, Outcome.REFUSED)
        again, *_ = only_order(desk.at(1))
        assert again != sale
        desk.executed(again, -6, 89)
        for order in list(desk.supervisor.book.open.values()):
            desk.told(order.client_id, S.CANCELLED)
        assert desk.supervisor.brackets == {}


class TestBare:
    """How long a position is without its protection is counted, and only a person can let it be."""

    def test_each_unprotected_second_is_counted_for_its_position(self) -> None:
        desk = Desk()
        desk.resolve(desk.entry, Outcome.ACCEPTED)
        stop, *_ = only_order(desk.executed(desk.entry, 10))
        desk.at(2)
        assert desk.supervisor.unprotected_since_ns == 0
        assert desk.supervisor.unprotected_for(desk.now) == {KEY: 2 * SECOND}
        desk.at(3)
        desk.resolve(stop, Outcome.ACCEPTED)
        desk.at(20)
        assert desk.supervisor.unprotected_for(desk.now) == {KEY: 3 * SECOND}
        assert desk.supervisor.unprotected_since_ns is None

    def test_a_position_without_a_stop_is_closed_where_nobody_gave_leave(self) -> None:
        desk = Desk(stop=False, target=False)
        desk.supervisor.stops_needed = True
        desk.resolve(desk.entry, Outcome.ACCEPTED)
        assert placed(desk.executed(desk.entry, 10)) == [(Leg.GUARD, OrderKind.MARKET, D(-10))]
        assert desk.alarms == ["it has no stop, and nobody gave leave for that"]

    def test_a_position_without_a_stop_stays_while_a_person_lets_it_and_no_longer(self) -> None:
        desk = Desk(stop=False, target=False)
        desk.supervisor.stops_needed = True
        desk.supervisor.waive(STRATEGY, SYMBOL, 60 * SECOND)
        desk.resolve(desk.entry, Outcome.ACCEPTED)
        assert desk.executed(desk.entry, 10) == []
        assert desk.supervisor.next_deadline(desk.now) == 60 * SECOND
        assert desk.at(59) == []
        assert desk.supervisor.unprotected_for(desk.now) == {KEY: 0}
        assert placed(desk.at(60)) == [(Leg.GUARD, OrderKind.MARKET, D(-10))]

    def test_a_position_whose_stop_cannot_rest_stays_while_a_person_lets_it(self) -> None:
        desk = Desk(target=False)
        desk.supervisor.waive(STRATEGY, SYMBOL, 60 * SECOND)
        desk.resolve(desk.entry, Outcome.ACCEPTED)
        first, *_ = only_order(desk.executed(desk.entry, 10))
        second, *_ = only_order(desk.resolve(first, Outcome.REFUSED))
        assert desk.resolve(second, Outcome.REFUSED) == []
        assert desk.at(59) == []
        assert placed(desk.at(60)) == [(Leg.GUARD, OrderKind.MARKET, D(-10))]
        assert desk.alarms == ["its stop was rejected"]

    def test_a_leave_that_is_taken_back_closes_at_once(self) -> None:
        desk = Desk(stop=False, target=False)
        desk.supervisor.waive(STRATEGY, SYMBOL, 60 * SECOND)
        desk.resolve(desk.entry, Outcome.ACCEPTED)
        desk.executed(desk.entry, 10)
        desk.supervisor.waive(STRATEGY, SYMBOL, 0)
        assert placed(desk.at(1)) == [(Leg.GUARD, OrderKind.MARKET, D(-10))]


class TestExits:
    def test_row_89_less_than_a_lot_is_left_alone_told_and_let_go(self) -> None:
        """Row 89: dust is no order's worth; no exit is sent for it again and again."""
        desk = Desk(rules=Rules(lot=D(1)))
        stop, target = desk.hold()
        assert not [c for c in desk.executed(stop, D("-9.5"), 90) if isinstance(c, PlaceOrder)]
        for order in list(desk.supervisor.book.open.values()):
            desk.told(order.client_id, S.CANCELLED, D("9.5") if order.leg is Leg.STOP else 0, 90)
        assert desk.at(600) == []
        assert desk.supervisor.brackets == {}
        assert FindingCode.DUST in desk.codes()
        assert desk.order(target).state is S.CANCELLED

    def test_an_exit_that_is_refused_is_tried_again_later_each_time(self) -> None:
        desk = Desk()
        desk.hold()
        desk.leave()
        sent = [c.order.client_id for c in desk.act() if isinstance(c, PlaceOrder)]
        tried = []
        for tenth in range(1, 80):
            commands = desk.resolve(sent[-1], Outcome.REFUSED) if desk.order(sent[-1]).state is S.SENT else []
            commands += desk.at(tenth / 10)
            found = [c.order.client_id for c in commands if isinstance(c, PlaceOrder)]
            tried += [tenth] * len(found)
            sent += found
        assert tried == [5, 15, 35, 75]
        assert len(set(sent)) == len(sent)


def test_h13_an_answer_that_never_comes_is_asked_for_until_the_state_is_definite() -> None:
    desk = Desk()
    assert desk.at(1.9) == []
    assert desk.at(2) == [LookUpOrder(client_id=desk.entry, asked_ns=desk.now)]
    desk.resolve(desk.entry, Outcome.UNKNOWN)
    assert desk.order(desk.entry).state is S.UNKNOWN
    asked = [half / 2 for half in range(5, 30) if desk.at(half / 2)]
    assert asked == [2.5, 3, 4, 6, 10]
    desk.looked_up(desk.entry, desk.report(desk.entry, S.CANCELLED, 3))
    assert desk.order(desk.entry).state is S.CANCELLED
    assert desk.bracket.held == 3
