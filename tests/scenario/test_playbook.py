"""Plays on one account: whose turn, whose instrument, how much, and who must leave; told bar by bar."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

import desk
from book_desk import Seat, Shop, seen
from desk import account, flat, long, piece, short
from evenkeel.model.reason import Reason
from evenkeel.strategies.terms import OrderTerms, SizingTerms

ALL = SizingTerms(model="percent_equity", value=Decimal(1))


def seat(wishes: dict[int, desk.Wish], leaves: tuple[int, ...] = (), symbol: str = "A.DESK", **facts: object) -> Seat:
    rows = facts.pop("rows", flat(100, 12))
    return Seat(piece(rows, wishes, leaves), symbol, **facts)  # type: ignore[arg-type]


def test_alone_a_play_runs_as_it_runs_alone() -> None:
    """Fills, money and curve are those of the play without a playbook around it."""
    rows = [*flat(100, 2), (100, 104, 99, 103), (103, 103, 97, 98), *flat(98, 6)]
    part = piece(rows, {0: long(stop=2.5, target=9), 5: short()}, (7,))
    asset, kind = desk.instrument(), desk.ONE_MINUTE
    strategy = desk.ScriptedStrategy(asset, desk.terms(account(taker="0.001")), kind)
    market = desk.market_of([desk.stretch_of(part, 0, Reason.END_OF_DATA, kind, "24/7")], asset)
    alone, _, _ = desk.engine_run(strategy, market)

    shop = Shop((strategy, market)).run()

    assert desk.differences(alone, shop.records[0]) == []
    assert alone.result_hash() == shop.records[0].result_hash()
    assert len(alone.fills) == 4


def test_an_entry_is_sized_by_the_share() -> None:
    costs = account(max_position="1", include_close_fee=False)
    shop = Shop(*(seat({0: long()}, symbol=name, sizing=ALL, costs=costs) for name in ("A.DESK", "B.DESK")))

    shop.run(weights=[(0.25,), (0.75,)], capital=40_000)

    assert [record.fills[0].event.quantity for record in shop.records] == [100, 300]


def test_an_instrument_has_one_owner_and_the_first_come_keeps_it() -> None:
    """Both wish at the first close; the second gets its turn once the first has left."""
    first, second = seat({0: long()}, (4,)), seat({0: short(), 2: long(), 5: short()}, (8,))

    shop = Shop(first, second).run()

    assert shop.stories() == [
        [("entry", 1, "open", 100), ("exit", 5, "open", 100)],
        [("entry", 6, "open", 100), ("exit", 9, "open", 100)],
    ]
    assert shop.refusals(1) == ["POSITION_CONFLICT"] * 2


def test_an_entry_at_work_owns_the_instrument_too() -> None:
    """A limit order far away: nothing is held, and the instrument is taken all the same until it expires."""
    order = OrderTerms(expire_bars=4)
    first = seat({0: long(kind="limit", price=90)}, order=order)

    shop = Shop(first, seat({1: long(), 6: long()})).run()

    assert shop.stories()[1][0] == ("entry", 7, "open", 100)
    assert shop.refusals(1) == ["POSITION_CONFLICT"]


def test_what_happened_at_an_instant_is_known_to_every_decision_at_it() -> None:
    """The stop of the second play is hit in the minute at whose close the first one, ahead in the file, decides."""
    rows = [*flat(100, 3), (100, 100, 94, 96), *flat(96, 6)]
    first, second = seat({3: long()}, rows=rows), seat({0: long(stop=5)}, rows=rows)

    shop = Shop(first, second).run()

    assert shop.stories() == [
        [("entry", 4, "open", 96), ("guard", 9, "close", 96)],
        [("entry", 1, "open", 100), ("stop", 3, "inside", 95)],
    ]


def test_no_more_plays_at_work_than_allowed() -> None:
    seats = [
        seat({0: long()}, (4,), "A.DESK"),
        seat({0: long()}, (), "B.DESK"),
        seat({0: long(), 6: long()}, (), "C.DESK"),
    ]

    shop = Shop(*seats).run(max_active=2)

    assert [story[0][1] for story in shop.stories()] == [1, 1, 7]
    assert shop.refusals(2) == ["ACTIVE_PLAYS_LIMIT"]


def test_all_positions_together_stay_below_the_exposure_allowed() -> None:
    """Of 10,000 may 1.5 times be held: 90 units of 100 leave room for 60, so 61 are refused and 60 are not."""
    first = seat({0: long()}, symbol="A.DESK", sizing=desk.units(90), costs=account(max_position="1"))
    second = seat({2: long()}, symbol="B.DESK", sizing=desk.units(61), costs=account(max_position="1"))

    refused = Shop(first, second).run(weights=[(1.0,), (1.0,)], max_exposure=1.5)
    allowed = Shop(first, replace(second, sizing=desk.units(60))).run(weights=[(1.0,), (1.0,)], max_exposure=1.5)

    assert refused.refusals(1) == ["EXPOSURE_LIMIT"]
    assert allowed.stories()[1][0] == ("entry", 3, "open", 100)


def test_exposure_is_measured_at_the_prices_of_the_moment() -> None:
    """The first position has doubled, and with it what it takes of the room; equity has grown by its profit."""
    rows = [*flat(100, 2), (100, 200, 100, 200), *flat(200, 8)]
    costs = account(max_position="1")
    first = seat({0: long()}, rows=rows, sizing=desk.units(50), costs=costs)
    second = seat({4: long()}, symbol="B.DESK", sizing=desk.units(51), costs=costs)

    shop = Shop(first, second).run(weights=[(1.0,), (1.0,)], max_exposure=1.0)

    # equity 10,000 + 5,000; held 50 * 200 = 10,000: room for 5,000, which is 50 units
    assert shop.refusals(1) == ["EXPOSURE_LIMIT"]
    second = replace(second, sizing=desk.units(50))
    assert Shop(first, second).run(weights=[(1.0,), (1.0,)], max_exposure=1.0).stories()[1][0][1] == 5


def test_an_unknown_correlation_refuses_a_second_position() -> None:
    """Twelve minutes of bars are no thirty days: nothing is known, so the entry is refused."""
    shop = Shop(seat({0: long()}), seat({2: long()}, symbol="B.DESK")).run(max_correlation=0.9)

    assert shop.refusals(1) == ["CORRELATION_LIMIT"]


REGIMES = ("bull", "bear")
"""`bear` is the default and the second play's."""


def by_regime(first: Seat, second: Seat, sightings: list[tuple[int, int]], **terms: object) -> Shop:
    shop = Shop(first, second)
    return shop.run(
        weights=[(1.0, 0.0), (0.0, 1.0)], sightings=seen(*sightings), mode="regime_switch", regimes=REGIMES, **terms
    )  # fmt: skip


def test_only_the_plays_of_the_regime_may_enter() -> None:
    """The regime of the first play is confirmed by the close at minute 5; both wish at every close."""
    wishes = dict.fromkeys(range(10), long())
    shop = by_regime(seat(wishes, symbol="A.DESK"), seat({6: long()}, symbol="B.DESK"), [(5, 0)])

    assert shop.stories()[0][0] == ("entry", 5, "open", 100)
    assert shop.refusals(0) == ["REGIME_INACTIVE"] * 4
    assert shop.refusals(1) == ["REGIME_INACTIVE"]


def test_a_regime_needs_its_closes_in_a_row() -> None:
    wishes = dict.fromkeys(range(10), long())
    sightings = [(1, 0), (2, 1), (3, 0), (4, 0), (5, 1), (6, 0), (7, 0), (8, 0)]

    shop = by_regime(seat(wishes), seat({}), sightings, hysteresis=3)

    assert shop.stories()[0][0] == ("entry", 8, "open", 100)
    assert [change.time_ns for change in shop.driver.allotment.changes] == [desk.START, desk.minute(8)]


def test_a_position_is_held_beyond_its_regime() -> None:
    shop = by_regime(seat({0: long()}, (9,)), seat({}), [(0, 0), (4, 1)], exits="hold")

    assert shop.stories()[0] == [("entry", 1, "open", 100), ("exit", 10, "open", 100)]


def test_a_position_is_closed_with_its_regime() -> None:
    """The other regime is confirmed by the close at minute 4, so it is out at the open of that minute."""
    shop = by_regime(seat({0: long()}, (9,)), seat({}), [(0, 0), (4, 1)], exits="close")

    assert shop.stories()[0] == [("entry", 1, "open", 100), ("guard", 4, "open", 100)]
    assert shop.records[0].trades()[0].exit.event.exit_reason == "regime"
    assert shop.records[0].stop_reason == "end_of_data"


def test_an_entry_at_work_is_withdrawn_with_its_regime() -> None:
    """In either mode: price comes to the limit at minute 6, two minutes after the regime ended."""
    rows = [*flat(100, 6), (100, 100, 89, 90), *flat(90, 5)]
    for exits in ("hold", "close"):
        shop = by_regime(seat({0: long(kind="limit", price=95)}, rows=rows), seat({}), [(0, 0), (4, 1)], exits=exits)
        assert shop.stories()[0] == []
        assert [(dead.event_ns, str(dead.reason)) for dead in shop.records[0].dead_entries] == [
            (desk.minute(4), "REGIME_INACTIVE")
        ]


def test_a_share_that_comes_back_takes_the_order_back() -> None:
    """A play on bars of three minutes hears of the end of its regime only after it has come back."""
    coarse = desk.bars(flat(100, 4), timeframe="3m")
    held = Seat(desk.Piece(coarse, {0: long()}, ()), "A.DESK", exec_tf="3m")
    busy = seat({0: long()}, symbol="B.DESK")

    shop = Shop(held, busy).run(
        weights=[(1.0, 0.0), (0.0, 1.0)], sightings=seen((1, 0), (7, 1), (8, 0)), mode="regime_switch",
        regimes=REGIMES, exits="close",
    )  # fmt: skip

    assert shop.stories()[0] == [("entry", 1, "open", 100), ("guard", 3, "close", 100)]
    assert shop.records[0].trades()[0].exit.event.exit_reason == "end_of_data"


def test_a_play_that_hears_late_leaves_at_its_next_open() -> None:
    """On bars of three minutes the end of the regime at minute 7 is heard at the close at minute 9."""
    coarse = desk.bars(flat(100, 5), timeframe="3m")
    held = Seat(desk.Piece(coarse, {0: long()}, ()), "A.DESK", exec_tf="3m")

    shop = by_regime(held, seat({0: long()}, symbol="B.DESK"), [(1, 0), (7, 1)], exits="close")

    assert shop.stories()[0] == [("entry", 1, "open", 100), ("guard", 3, "open", 100)]


def test_blending_moves_the_share_by_steps_of_five_percent() -> None:
    """alpha is 2 / (3 + 1): the share halves what is missing at each close until the rest is negligible."""
    shop = by_regime(seat({}), seat({}), [(at, 0) for at in range(1, 10)], blend=3, capital=1_000)

    shares = [(change.time_ns, change.shares[0]) for change in shop.driver.allotment.changes]
    assert shares == [
        (desk.START, 0), (desk.minute(1), 500), (desk.minute(2), 750), (desk.minute(3), 875),
        (desk.minute(4), Decimal("937.5")), (desk.minute(7), 1_000),
    ]  # fmt: skip


def test_plays_take_turns() -> None:
    """Each wishes at every close; the turn passes when a trade has closed, and goes round."""
    every = dict.fromkeys(range(12), long())
    seats = [seat(every, (2, 8), "A.DESK"), seat(every, (4, 10), "B.DESK"), seat(every, (6,), "C.DESK")]

    shop = Shop(*seats).run(weights=[(1.0,)] * 3, mode="sequential")

    assert [[row for leg, row, _, _ in story if leg == "entry"] for story in shop.stories()] == [[1, 8], [4, 10], [6]]
    assert [change.regime for change in shop.driver.allotment.changes] == [0, 1, 2, 0, 1, 2]
    assert all(sum(change.shares) == 10_000 for change in shop.driver.allotment.changes)


FALL = [*flat(100, 3), (100, 100, 89, 90), (90, 90, 79, 80), *flat(80, 6)]
"""100 units bought at 100 lose 1,000 at the close of minute 3 and 2,000 at that of minute 4."""


def test_the_largest_drawdown_of_the_playbook_stops_every_play() -> None:
    """Of 20,000 together 2,000 are lost at the close of minute 4: a tenth. No account of a play met a limit."""
    costs = account(max_position="1")
    losing = seat({0: long()}, rows=FALL, sizing=desk.units(100), costs=costs)
    quiet = seat({2: long(), 8: long()}, symbol="B.DESK", costs=costs)
    waiting = seat({9: long()}, symbol="C.DESK", costs=costs)

    shop = Shop(losing, quiet, waiting).run(weights=[(0.6,), (0.2,), (0.2,)], capital=20_000, max_drawdown=0.1)

    assert shop.stories() == [
        [("entry", 1, "open", 100), ("guard", 5, "open", 80)],
        [("entry", 3, "open", 100), ("guard", 5, "open", 100)],
        [],
    ]
    assert shop.driver.stopped_ns == desk.minute(5)
    assert [record.stop_reason for record in shop.records] == ["playbook"] * 3
    assert {trade.exit.event.exit_reason for record in shop.records for trade in record.trades()} == {"playbook"}
    assert shop.driver.deepest == pytest.approx(0.1)


def test_a_fall_short_of_it_stops_nothing() -> None:
    costs = account(max_position="1")
    losing = seat({0: long()}, rows=FALL, sizing=desk.units(100), costs=costs)

    shop = Shop(losing, seat({})).run(capital=20_000, max_drawdown=0.1001)

    assert shop.driver.stopped_ns is None
    assert shop.records[0].stop_reason == "end_of_data"


def test_gains_of_one_play_carry_losses_of_another() -> None:
    """The second is short of what falls: together nothing is lost, so nothing stops."""
    costs = account(max_position="1")
    losing = seat({0: long()}, rows=FALL, sizing=desk.units(100), costs=costs)
    gaining = seat({0: short()}, rows=FALL, symbol="B.DESK", sizing=desk.units(100), costs=costs)

    shop = Shop(losing, gaining).run(capital=20_000, max_drawdown=0.01)

    assert shop.driver.stopped_ns is None
    assert shop.driver.deepest == 0.0


def test_a_limit_of_a_play_stops_that_play_only() -> None:
    costs = account(max_position="1", max_drawdown="0.15")
    losing = seat({0: long()}, rows=FALL, sizing=desk.units(100), costs=costs)

    shop = Shop(losing, seat({6: long()}, symbol="B.DESK")).run(capital=20_000)

    assert [record.stop_reason for record in shop.records] == ["max_drawdown", "end_of_data"]
    assert shop.stories()[1][0] == ("entry", 7, "open", 100)


def test_the_end_of_a_regime_comes_before_a_wish_of_the_play() -> None:
    """The script would close a half at the instant at which the regime ends: all of it goes, and for that reason."""
    part = piece(flat(100, 12), {0: long()}, {3: 0.5})
    held = Seat(part, "A.DESK", sizing=desk.units(2))

    shop = by_regime(held, seat({}), [(0, 0), (4, 1)], exits="close")

    assert shop.stories()[0] == [("entry", 1, "open", 100), ("guard", 4, "open", 100)]
    assert shop.records[0].trades()[0].quantity == 2


def test_every_run_of_a_play_replays_by_itself() -> None:
    rows = [*flat(100, 4), (100, 104, 96, 97), *flat(97, 8)]
    seats = [
        seat({0: long(stop=3), 7: long()}, (9,), rows=rows),
        seat({1: long(), 5: short()}, symbol="B.DESK", rows=rows),
    ]
    shop = Shop(*seats).run(
        weights=[(0.5, 1.0), (0.5, 0.0)], sightings=seen((2, 0), (6, 1)), mode="regime_switch", regimes=REGIMES,
        exits="close", max_active=1,
    )  # fmt: skip

    assert sum(len(record.fills) for record in shop.records) > 2
    assert shop.replay_differences() == []
    assert shop.hash() == Shop(*seats).run(
        weights=[(0.5, 1.0), (0.5, 0.0)], sightings=seen((2, 0), (6, 1)), mode="regime_switch", regimes=REGIMES,
        exits="close", max_active=1,
    ).hash()  # fmt: skip
