"""The gateway's decision: order of refusals, sizes, exits, the kill path, approval, rates."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.model.errors import InvariantBroken
from evenkeel.model.ids import ClientId, InstrumentId, StrategyId
from evenkeel.model.intent import OrderKind
from evenkeel.model.market_told import Upcoming
from evenkeel.model.reason import Reason
from evenkeel.model.time import HOUR, MINUTE, SECOND
from evenkeel.risk.classify import Effect, Working
from evenkeel.risk.gates.check import Outcome
from evenkeel.risk.gates.facts.account import Holding
from evenkeel.risk.gates.facts.snapshot import Facts
from evenkeel.risk.gates.facts.strategy import Sent
from evenkeel.risk.gates.judge import judge, judge_simulated
from evenkeel.risk.gates.rates import RateBook, asked, is_runaway, sent, used
from evenkeel.risk.gates.request import Purpose, Request
from evenkeel.risk.gates.size import Step
from evenkeel.risk.gates.table import GATES
from evenkeel.risk.gates.verdict import Approved, Refused
from evenkeel.risk.limits.profiles import PROFILES
from evenkeel.risk.limits.size import Pace
from gate_desk import NOW, GateDesk, equity, micro, perpetual

ALL = {1, 2, 3, 4, 5, 7, 9, 10, 17, 31, 49}
"""Gates that judge what reduces too."""


def exit_of(desk: GateDesk, quantity: Any = "-50", **changes: Any) -> GateDesk:
    """Return a close of 50 held shares at the market."""
    return desk.with_(
        **{
            "request.purpose": Purpose.CLOSE, "request.quantity": D(quantity), "request.kind": OrderKind.MARKET,
            "request.price": None, "request.stop_distance": None, "request.target_distance": None,
            "market.position": D(50), **changes,
        }
    )  # fmt: skip


def cancel_of(desk: GateDesk) -> GateDesk:
    """Return the end of an order."""
    return exit_of(desk, **{"request.purpose": Purpose.CANCEL, "request.quantity": D(0)})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"request.client_id": ClientId("")}, "BAD_REQUEST"),
        ({"request.quantity": D(0)}, "BAD_REQUEST"),
        ({"request.quantity": D("NaN")}, "BAD_REQUEST"),
        ({"request.quantity": D("Infinity")}, "BAD_REQUEST"),
        ({"request.kind": OrderKind.SPLIT}, "BAD_REQUEST"),
        ({"request.price": D("NaN")}, "BAD_PRICE"),
        ({"request.price": D(0)}, "BAD_PRICE"),
        ({"request.price": D(-1)}, "BAD_PRICE"),
        ({"request.reference": D("Infinity")}, "BAD_PRICE"),
        ({"request.price": None}, "BAD_PRICE"),
        ({"request.kind": OrderKind.MARKET}, "BAD_PRICE"),
        ({"request.trigger": D(100)}, "BAD_PRICE"),
        ({"request.kind": OrderKind.STOP_LIMIT}, "BAD_PRICE"),
        ({"request.kind": OrderKind.STOP_LIMIT, "request.trigger": D("100.01")}, "BAD_PRICE"),
        (
            {"request.kind": OrderKind.STOP_LIMIT, "request.trigger": D("99.99"), "request.quantity": D(-50)},
            "BAD_PRICE",
        ),
        ({"request.stop_distance": D(0)}, "BAD_BRACKET"),
        ({"request.target_distance": D("NaN")}, "BAD_BRACKET"),
    ],
)
def test_row_35_what_is_no_request_is_refused_before_anything_is_reckoned(changes: dict[str, Any], reason: str) -> None:
    """Rows 35 and 36: NaN, infinite, zero and negative numbers; nothing divides by them."""
    verdict = equity().with_(**changes).judge()

    assert isinstance(verdict, Refused)
    assert verdict.reason is Reason[reason]
    assert [check.outcome for check in verdict.checks] == [Outcome.REFUSE] + [Outcome.UNKNOWN] * 48


def test_a_buy_stop_limit_may_have_its_limit_on_or_above_its_trigger() -> None:
    for trigger in ("100", "99.99"):
        desk = equity().with_(**{"request.kind": OrderKind.STOP_LIMIT, "request.trigger": D(trigger)})
        assert isinstance(desk.judge(), Approved)


@pytest.mark.parametrize("price", [D("NaN"), D("Infinity"), D(0), D(-5), None])
def test_row_35_a_last_price_that_is_no_price_refuses_entries_and_lets_exits_out(price: D | None) -> None:
    desk = equity().with_(**{"market.last": price, "request.kind": OrderKind.MARKET, "request.price": None})

    refused = desk.judge()
    left = exit_of(desk).judge()

    assert isinstance(refused, Refused)
    assert refused.reason is Reason.NO_REFERENCE_PRICE
    assert isinstance(left, Approved)
    assert [check.reason for check in left.warnings] == [Reason.NO_REFERENCE_PRICE]


@pytest.mark.parametrize(("bid", "ask"), [("100.01", "100.01"), ("100.02", "100.01"), ("0", "100"), ("NaN", "100")])
def test_row_38_a_crossed_book_and_a_zero_bid_are_refused(bid: str, ask: str) -> None:
    verdict = equity().with_(**{"market.bid": D(bid), "market.ask": D(ask)}).judge()

    assert isinstance(verdict, Refused)
    assert verdict.reason is Reason.SPREAD_TOO_WIDE


def test_row_37_a_spike_of_ten_times_is_stopped_by_the_collar() -> None:
    verdict = equity().with_(**{"market.last": D(1000), "market.bid": D("999.9"), "market.ask": D(1000)}).judge()

    assert isinstance(verdict, Refused)
    assert verdict.reason is Reason.PRICE_COLLAR


def test_row_41_a_clock_that_is_off_by_one_and_a_half_seconds_refuses_entries_only() -> None:
    desk = equity().with_(**{"engine.clock_offset_ns": 1_500 * SECOND // 1000})

    assert desk.judge().reason is Reason.CLOCK_SKEW  # type: ignore[union-attr]
    assert isinstance(exit_of(desk).judge(), Approved)


def test_row_66_an_open_loss_that_reaches_the_limit_refuses_entries_and_lets_stops_work() -> None:
    desk = equity().with_(**{"account.open_profit": D(-3000)})
    stop = exit_of(
        desk, **{"request.purpose": Purpose.PROTECT_STOP, "request.kind": OrderKind.STOP, "request.price": D(98)}
    )

    assert desk.judge().reason is Reason.DAILY_LOSS  # type: ignore[union-attr]
    assert isinstance(stop.judge(), Approved)


@pytest.mark.parametrize("race", ["slot", "exposure"])
def test_row_72_of_two_strategies_that_race_for_the_last_of_it_one_is_refused(race: str) -> None:
    held = Holding(instrument=InstrumentId("OTHER.NYSE"), strategy=StrategyId("x"), notional=D(1), correlation=D(0))
    changes = {"slot": ("limits.exposure.positions", 2), "exposure": ("limits.exposure.gross_notional", D(5001))}[race]
    desk = equity().with_(**{changes[0]: changes[1], "account.holdings": (held,)})
    first = desk.judge()
    assert isinstance(first, Approved)
    work = Holding(
        instrument=first.request.instrument, strategy=first.request.strategy, notional=D(5000), correlation=D(0)
    )

    other = desk.with_(
        **{
            "request.strategy": StrategyId("second"), "request.instrument": InstrumentId("LATE.NYSE"),
            "account.holdings": (held, work),
        }
    )  # fmt: skip
    reasons = {"slot": Reason.MAX_POSITIONS, "exposure": Reason.GROSS_EXPOSURE}
    assert other.judge().reason is reasons[race]  # type: ignore[union-attr]


def test_a_cap_may_leave_the_least_that_makes_sense() -> None:
    """Of 200 are 195 used: 5.00 is a lot of 0.001 at 5,000, and the least is 5."""
    held = Holding(instrument=InstrumentId("O.V"), strategy=StrategyId("x"), notional=D(195), correlation=D(0))
    desk = perpetual().with_(
        **{
            "request.quantity": D("0.008"), "request.price": D(5000), "market.last": D(5000),
            "market.bid": D("4999.5"), "market.ask": D(5000), "account.holdings": (held,),
        }
    )  # fmt: skip

    verdict = desk.judge()
    fuller = desk.with_(**{"account.holdings": (msgspec.structs.replace(held, notional=D("195.01")),)}).judge()

    assert isinstance(verdict, Approved)
    assert verdict.quantity == D("0.001")
    assert fuller.reason is Reason.GROSS_EXPOSURE  # type: ignore[union-attr]


def test_row_74_an_exit_of_more_than_is_held_is_cut_to_what_is_held() -> None:
    verdict = exit_of(equity(), "-80").judge()
    beside = exit_of(equity(), "-80", **{"market.working": (Working(quantity=D(-20)),)}).judge()

    assert isinstance(verdict, Approved)
    assert isinstance(beside, Approved)
    assert (verdict.quantity, beside.quantity, verdict.effect) == (D(-50), D(-30), Effect.REDUCING)


@pytest.mark.parametrize(
    "changes",
    [
        {"engine.halt_level": 3}, {"engine.halt_level": None}, {"engine.phase": None}, {"market.events": None},
        {"market.events": (Upcoming(kind="cpi", in_s=0),)}, {"market.session": None}, {"strategy.same_id": None},
        {"engine.journal_writable": False}, {"engine.rates": None}, {"market.last": None}, {"account.equity": None},
        {"market.instrument_ns": NOW - 48 * HOUR}, {"market.dvs": D(0)}, {"engine.recon": None},
        {"engine.clock_offset_ns": None}, {"account.holdings": None}, {"strategy.numeric": None},
    ],
)  # fmt: skip
def test_row_75_no_exit_is_stopped_by_a_halt_a_blackout_a_pause_or_what_only_entries_need(
    changes: dict[str, Any],
) -> None:
    """Rows 45 and 75, and invariant I9."""
    verdict = exit_of(equity(), **changes).judge()

    assert isinstance(verdict, Approved)
    assert verdict.effect is Effect.REDUCING
    assert {check.gate for check in verdict.checks if check.outcome is Outcome.NOT_APPLICABLE} >= set(
        range(1, 50)
    ) - ALL


@pytest.mark.parametrize("purpose", [Purpose.REDUCE, Purpose.CLOSE, Purpose.PROTECT_STOP, Purpose.PROTECT_TARGET])
def test_row_76_a_fake_exit_is_judged_as_an_entry_and_refused_even_where_an_entry_would_pass(purpose: Purpose) -> None:
    desk = equity().with_(**{"request.purpose": purpose, "market.position": D(10), "request.adds": True})
    honest = desk.with_(**{"request.purpose": Purpose.INCREASE})

    verdict = desk.judge()

    assert isinstance(honest.judge(), Approved)
    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.effect) == (Reason.FAKE_EXIT, Effect.INCREASING)
    assert sum(check.outcome is Outcome.NOT_APPLICABLE for check in verdict.checks) < 5


def test_row_96_signals_without_end_are_refused_and_are_a_reason_to_panic() -> None:
    """Operations.md 1.3, row 31: 120 a minute; the 120th request within an instant is a runaway."""
    pace = PROFILES["balanced"].pace
    book = RateBook()
    for _ in range(119):
        book = asked(book, NOW, pace)
    assert not is_runaway(book, NOW, pace)
    book = asked(book, NOW, pace)
    assert is_runaway(book, NOW, pace)
    assert equity().with_(**{"engine.rates": book}).judge().reason is Reason.ORDER_RATE  # type: ignore[union-attr]
    assert isinstance(exit_of(equity(), **{"engine.rates": book}).judge(), Refused)
    assert isinstance(exit_of(equity(), **{"engine.rates": book, "engine.halt_level": 4}).judge_kill(), Approved)
    assert not is_runaway(book, NOW + 1, pace)


def test_a_duplicate_is_refused_as_one_that_exists() -> None:
    verdict = equity().with_(**{"strategy.same_id": Sent.EXISTS}).judge()

    assert isinstance(verdict, Refused)
    assert verdict.is_duplicate


def test_the_first_refusal_in_order_is_the_reason_and_all_gates_answer() -> None:
    desk = equity().with_(
        **{"engine.journal_writable": False, "account.trades": 20, "market.dvs": D(0), "engine.panic": None}
    )

    verdict = desk.judge()

    assert isinstance(verdict, Refused)
    assert verdict.reason is Reason.PANIC
    assert [check.gate for check in verdict.checks if check.outcome.bars] == [3, 14, 33, 49]
    assert [check.gate for check in verdict.checks] == list(range(1, 50))


@pytest.mark.parametrize(
    ("held", "wished", "reason"),
    [("0", "-50", "NO_POSITION_TO_EXIT"), ("50", "-51", "EXIT_EXCEEDS_POSITION"), (None, "-50", "POSITION_UNKNOWN")],
)
def test_what_cannot_be_classified_is_refused(held: str | None, wished: str, reason: str) -> None:
    desk = exit_of(equity(), wished, **{"request.purpose": Purpose.REDUCE})

    verdict = desk.with_(**{"market.position": None if held is None else D(held)}).judge()
    within_rounding = exit_of(equity(), "-50.5", **{"request.purpose": Purpose.REDUCE}).judge()

    assert isinstance(verdict, Refused)
    assert verdict.reason is Reason[reason]
    assert isinstance(within_rounding, Approved)
    assert within_rounding.quantity == D(-50)


def test_an_exit_far_from_the_market_is_told_and_a_stop_is_never_refused_for_it() -> None:
    """Row 17: 5 % warns, three times as much refuses; the stop of a position that has run far stays where it is."""

    def limit(price: str, purpose: Purpose = Purpose.REDUCE, kind: OrderKind = OrderKind.LIMIT) -> Approved | Refused:
        return exit_of(
            equity(), **{"request.purpose": purpose, "request.kind": kind, "request.price": D(price)}
        ).judge()

    near, told, far = limit("105"), limit("115"), limit("115.01")

    assert isinstance(near, Approved)
    assert near.warnings == ()
    assert isinstance(told, Approved)
    assert [check.reason for check in told.warnings] == [Reason.PRICE_COLLAR]
    assert isinstance(far, Refused)
    assert far.reason is Reason.PRICE_COLLAR
    assert isinstance(limit("50", Purpose.PROTECT_STOP, OrderKind.STOP), Approved)
    assert isinstance(limit("150", Purpose.PROTECT_TARGET), Approved)


def test_a_cancel_needs_little_and_stops_at_a_kill_and_a_lost_lease() -> None:
    desk = cancel_of(equity()).with_(**{"market.instrument": None, "market.position": None, "strategy.same_id": None})

    verdict = desk.judge()

    assert isinstance(verdict, Approved)
    assert (verdict.effect, verdict.quantity) == (Effect.NEUTRAL, D(0))
    assert isinstance(desk.with_(**{"engine.halt_level": 3}).judge(), Approved)
    assert desk.with_(**{"engine.halt_level": 4}).judge().reason is Reason.HALT_FLAG  # type: ignore[union-attr]
    assert desk.with_(**{"engine.lease_until_ns": NOW}).judge().reason is Reason.LEASE_LOST  # type: ignore[union-attr]


def test_the_kill_path_closes_and_cancels_at_level_4_though_little_is_known() -> None:
    blind = exit_of(
        equity(),
        **{
            "engine.halt_level": 4, "engine.panic": True, "engine.journal_writable": False, "engine.rates": None,
            "market.instrument": None, "market.last": None, "market.tradable": None, "strategy.same_id": None,
        },
    )  # fmt: skip
    unknown = blind.with_(**{"market.position": None, "request.reduce_only": True})

    for desk in (blind, unknown, cancel_of(blind)):
        verdict = desk.judge_kill()
        assert isinstance(verdict, Approved)
        assert verdict.kill
        assert isinstance(desk.judge(), Refused)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"engine.halt_level": 3}, "KILL_PATH_ONLY"), ({"engine.lease_until_ns": NOW}, "LEASE_LOST"),
        ({"engine.access": None}, "MODE_MISMATCH"), ({"request.quantity": D(50)}, "FAKE_EXIT"),
        ({"market.position": None}, "POSITION_UNKNOWN"), ({"strategy.same_id": Sent.EXISTS}, "DUPLICATE_SUPPRESSED"),
    ],
)  # fmt: skip
def test_the_kill_path_is_for_nothing_else(changes: dict[str, Any], reason: str) -> None:
    verdict = exit_of(equity(), **{"engine.halt_level": 4, **changes}).judge_kill()

    assert isinstance(verdict, Refused)
    assert verdict.reason is Reason[reason]


def test_an_entry_does_not_pass_by_the_kill_path() -> None:
    verdict = equity().with_(**{"engine.halt_level": 4}).judge_kill()

    assert isinstance(verdict, Refused)
    assert verdict.reason is Reason.KILL_PATH_ONLY


def test_sizes_shrink_in_the_order_of_the_specification_and_every_step_is_told() -> None:
    """100 x 0.5 x 0.8 x 0.9 x 0.75 x 0.5 x (0.7 / 0.875) = 10.8 shares, 10 of which are whole."""
    held = Holding(
        instrument=InstrumentId("OTHER.NYSE"), strategy=StrategyId("x"), notional=D(100), correlation=D("0.875")
    )
    desk = equity().with_(
        **{
            "request.quantity": D(-100), "strategy.scale": D("0.5"), "strategy.volatility_scale": D("0.8"),
            "strategy.streak_scale": D("0.9"), "account.scale": D("0.75"), "account.holdings": (held,),
            "market.events": (Upcoming(kind="ppi", in_s=0),),
        }
    )  # fmt: skip

    verdict = desk.judge()

    assert isinstance(verdict, Approved)
    assert verdict.quantity == D(-10)
    assert verdict.steps == (
        Step("strategy", D("50")), Step("volatility", D("40")), Step("streak", D("36")), Step("drawdown", D("27")),
        Step("event", D("13.5")), Step("correlation", D("10.8")),
    )  # fmt: skip


def test_caps_cut_to_what_is_left_and_the_lot_rounds_down() -> None:
    """8 % of 100,000 at 99.00 is 80.8 shares; 1.0 x 100,000 less 94,000 is 60.6."""
    desk = equity().with_(**{"request.quantity": D(90), "request.price": D(99)})
    held = Holding(instrument=InstrumentId("O.NYSE"), strategy=StrategyId("x"), notional=D(94_000), correlation=D(0))

    alone = desk.with_(**{"account.holdings": ()}).judge()
    beside = desk.with_(**{"account.holdings": (held,)}).judge()

    assert isinstance(alone, Approved)
    assert isinstance(beside, Approved)
    assert (alone.quantity, beside.quantity) == (D(80), D(60))
    assert [check.gate for check in beside.warnings] == [22, 23]
    assert [step.name for step in beside.steps] == ["position", "gross"]


def test_the_ladder_scales_the_cap_of_a_position_too() -> None:
    verdict = equity().with_(**{"request.quantity": D(80), "account.scale": D("0.75")}).judge()

    assert isinstance(verdict, Approved)
    assert (verdict.quantity, verdict.checks[21].limit) == (D(60), D("6000.00"))


def test_a_scale_above_one_never_makes_an_entry_larger() -> None:
    verdict = equity().with_(**{"strategy.scale": D(3), "account.scale": D(2)}).judge()

    assert isinstance(verdict, Approved)
    assert verdict.quantity == D(50)


def test_a_larger_risk_shrinks_where_the_profile_clips_and_is_refused_where_it_does_not() -> None:
    """2 % of 100 is 2; a unit loses 400 at its stop, 22 of fees and 2 of slippage: 0.0047 of a coin, of lots 0.004."""
    desk = perpetual().with_(
        **{
            "account.equity": D(100), "account.session_equity": D(100), "account.session_peak": D(100),
            "account.peak": D(100), "request.quantity": D("0.006"), "request.stop_distance": D(400),
            "limits.exposure.max_position_notional": None, "limits.exposure.order_notional": None,
            "request.target_distance": D(800), "account.holdings": (), "limits.exposure.net": None,
        }
    )  # fmt: skip

    clipped = desk.judge()
    refused = desk.with_(**{"limits.trade.clips": False}).judge()

    assert isinstance(clipped, Approved)
    assert clipped.quantity == D("0.004")
    assert (clipped.checks[34].outcome, clipped.checks[34].reason) == (Outcome.WARN, Reason.SIZE_CLAMPED)
    assert refused.reason is Reason.TRADE_RISK  # type: ignore[union-attr]


def test_what_shrinks_below_the_least_is_refused_and_says_so() -> None:
    verdict = perpetual().with_(**{"strategy.scale": D("0.4")}).judge()

    assert isinstance(verdict, Refused)
    assert verdict.reason is Reason.BELOW_MIN_SIZE


def test_micro_futures_refuse_a_second_contract_whose_loss_would_reach_the_day() -> None:
    """12.50 at the stop, 1.24 of fees, 1.25 of slippage: 14.99; after a loss of 15.00 that is 29.99 of 30."""
    passing = micro().with_(**{"account.realised_day": D("-15.00"), "account.trades": 1})

    assert isinstance(passing.judge(), Approved)
    refused = passing.with_(**{"account.realised_day": D("-15.01")}).judge()
    assert (refused.checks[36].value, refused.checks[36].limit) == (D("-30.0000"), D(-30))
    assert refused.reason is Reason.DAILY_LOSS  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["engine", "account", "market", "strategy"])
def test_nothing_known_refuses_every_entry(name: str) -> None:
    desk = equity()
    kind = type(getattr(desk.facts, name))

    blind = judge(desk.request, msgspec.structs.replace(desk.facts, **{name: kind()}), desk.limits)

    assert isinstance(blind, Refused)


def test_no_facts_at_all_refuse_and_every_gate_that_reads_one_says_so() -> None:
    desk = equity()

    verdict = judge(desk.request, Facts(now_ns=NOW), desk.limits)

    assert isinstance(verdict, Refused)
    for check, gate in zip(verdict.checks, GATES, strict=True):
        assert check.outcome is not Outcome.PASS or not gate.needs, gate.name


def test_only_the_gates_can_approve() -> None:
    verdict = equity().judge()
    assert isinstance(verdict, Approved)

    with pytest.raises(InvariantBroken, match="only the gates approve an order"):
        Approved(request=verdict.request, effect=verdict.effect, quantity=D(1), checks=(), key=object())


def test_without_a_profile_only_halt_blocks_and_what_an_order_does_are_asked() -> None:
    desk = equity().with_(**{"market.dvs": None, "engine.lease_epoch": None, "account.equity": None})

    approved = judge_simulated(desk.request, desk.facts)
    assert isinstance(approved, Approved)
    assert approved.quantity == desk.request.quantity
    assert {check.gate for check in approved.checks if check.outcome is Outcome.PASS} == {2, 9, 34, 44, 45}
    halted = desk.with_(**{"engine.halt_level": 2})
    assert judge_simulated(halted.request, halted.facts).reason is Reason.HALT_FLAG  # type: ignore[union-attr]
    for blocked in (True, None):
        other = desk.with_(**{"market.blocked": blocked})
        assert judge_simulated(other.request, other.facts).reason is Reason.RECON_UNHEALTHY  # type: ignore[union-attr]
    fake = desk.with_(**{"request.purpose": Purpose.CLOSE, "market.position": D(10)})
    assert judge_simulated(fake.request, fake.facts).reason is Reason.FAKE_EXIT  # type: ignore[union-attr]


def test_a_bucket_refills_by_one_each_part_of_a_minute() -> None:
    pace = Pace(account_per_minute=6)
    book = RateBook()
    for _ in range(6):
        book = sent(book, NOW, pace, instrument=InstrumentId("A.B"), strategy=StrategyId("s"))

    assert used(book.account, NOW, 6) == 7
    assert used(book.account, NOW + 10 * SECOND - 1, 6) == 7
    assert used(book.account, NOW + 10 * SECOND, 6) == 6
    assert used(book.account, NOW + MINUTE, 6) == 1
    assert (book.symbols, book.strategies, book.broker) == ({}, {}, 0)


def test_a_book_forgets_buckets_that_are_full_again() -> None:
    pace = Pace(symbol_per_minute=60, strategy_per_minute=60)
    book = sent(RateBook(), NOW, pace, instrument=InstrumentId("A.B"), strategy=StrategyId("s"))

    later = sent(book, NOW + MINUTE, pace, instrument=InstrumentId("C.D"), strategy=StrategyId("s"))

    assert set(later.symbols) == {"C.D"}


@given(st.lists(st.integers(0, 70), max_size=80), st.integers(1, 20))
def test_no_window_of_a_minute_takes_more_than_a_bucket_and_its_refill(gaps: list[int], limit: int) -> None:
    """By counting: of orders that fit, within any minute there are at most twice the bucket less one."""
    pace, book, now, taken = Pace(account_per_minute=limit), RateBook(), NOW, list[int]()
    for gap in gaps:
        now += gap * SECOND
        if used(book.account, now, limit) <= limit:
            book = sent(book, now, pace, instrument=InstrumentId("A.B"), strategy=StrategyId("s"))
            taken.append(now)
    for start in taken:
        assert sum(start <= one < start + MINUTE for one in taken) <= 2 * limit
    for start in set(taken):
        assert taken.count(start) <= limit


def test_exits_have_a_reserve_of_the_account_s_orders() -> None:
    full = RateBook(account=NOW + 55 * SECOND)

    assert equity().with_(**{"engine.rates": full}).judge().reason is Reason.ORDER_RATE  # type: ignore[union-attr]
    assert isinstance(exit_of(equity(), **{"engine.rates": full}).judge(), Approved)


def test_a_request_and_its_checks_survive_the_journal() -> None:
    verdict = equity().with_(**{"market.dvs": D(0)}).judge()

    request = msgspec.json.decode(msgspec.json.encode(verdict.request), type=Request)

    assert request == verdict.request
    assert msgspec.json.decode(msgspec.json.encode(verdict.checks[13])) == [14, "refuse", "0E-9", "0.80", "DVS_TOO_LOW"]


@pytest.mark.parametrize(
    ("purpose", "kind", "price"),
    [(Purpose.PROTECT_STOP, OrderKind.STOP, "50"), (Purpose.PROTECT_TARGET, OrderKind.LIMIT, "105")],
)
def test_protection_is_kept_up_at_level_4_until_the_account_is_flat(
    purpose: Purpose, kind: OrderKind, price: str
) -> None:
    killed = exit_of(equity(), **{"engine.halt_level": 4})
    child = killed.with_(**{"request.purpose": purpose, "request.kind": kind, "request.price": D(price)})

    assert isinstance(child.judge(), Approved)
    assert killed.judge().reason is Reason.HALT_FLAG  # type: ignore[union-attr]
