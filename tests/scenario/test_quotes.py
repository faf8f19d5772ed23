"""Orders that meet quotes, through both lanes; every figure is worked by hand (decision 0016.12 to 16).

A scenario is a list of `(second, bid, ask)`, with trades `(second, price)` where there are any. The minute that begins
at second 0 is bar 0; what is decided at its close can fill from second 60 on. A spread is real here, so a fill needs no
slippage to cost something.
"""

from __future__ import annotations

from decimal import Decimal as D
from math import nan
from typing import Any

import pytest

import desk
from desk import NAN, account, long, quoted_piece, short
from evenkeel.data.calendar import load_calendar
from evenkeel.data.quotes import quote_rows
from evenkeel.data.side import SideKind
from evenkeel.engine.record import RunRecord
from evenkeel.features.timeline import Series
from evenkeel.model.time import SECOND
from evenkeel.strategies.terms import LadderStep, MarginTerms, OrderTerms, QueueTerms, SizingTerms
from evenkeel.venues.simulated.carry import MarkBars

CALM = [(0, 99.9, 100.1), (30, 99.9, 100.1)]
"""The first minute: the middle is 100."""


def told(record: RunRecord) -> list[tuple[str, int, float, str]]:
    """Return leg, second, price and liquidity of each fill."""
    found = []
    for fill in record.fills:
        event = fill.event
        second = (event.event_ns - desk.START) // SECOND
        found.append((event.leg.value, second, float(event.price), "taker" if event.taker else "maker"))
    return found


def run(*pieces: desk.Piece, **facts: Any) -> RunRecord:
    return desk.run(*pieces, **facts)


# Market orders.


def test_a_market_buy_lifts_the_ask_of_the_next_quote_and_a_sell_hits_the_bid() -> None:
    """Decided at second 60; the quote of second 61 is 101.0 to 101.4, the one of second 125 is 102.0 to 102.6."""
    quotes = [*CALM, (61, 101.0, 101.4), (125, 102.0, 102.6), (181, 102.0, 102.6)]

    bought = run(quoted_piece(quotes, {0: long()}, [1]))
    sold = run(quoted_piece(quotes, {0: short()}, [1]))

    assert told(bought) == [("entry", 61, 101.4, "taker"), ("exit", 125, 102.0, "taker")]
    assert bought.trades()[0].net == D("0.6")  # 102.0 - 101.4
    assert told(sold) == [("entry", 61, 101.0, "taker"), ("exit", 125, 102.6, "taker")]
    assert sold.trades()[0].net == D("-1.6")  # 101.0 - 102.6


def test_slippage_comes_on_top_of_the_side_and_only_it_is_in_the_memo() -> None:
    """An ask of 101.4 and 10 bps: 101.4 x 1.001 = 101.5014, a memo of 0.1014."""
    record = run(quoted_piece([*CALM, (61, 101.0, 101.4), (125, 101, 101.4)], {0: long()}),
                 costs=account(slippage="0.001"))  # fmt: skip

    assert record.fills[0].event.price == D("101.5014")
    assert record.fills[0].event.slippage == D("0.1014")


def test_a_position_is_valued_at_the_middle_until_it_is_closed() -> None:
    """Bought at 101.4; at second 120 the middle is (102 + 102.6) / 2 = 102.3; closed at the end at the bid of 102."""
    record = run(quoted_piece([*CALM, (61, 101.0, 101.4), (110, 102.0, 102.6), (119, 102, 102.6), (120, 102, 102.6)],
                              {0: long()}), costs=account(start_equity=1000))  # fmt: skip

    assert record.curve[0].tolist() == [1000_00000000, 1000_90000000, 1000_60000000]
    assert told(record)[-1] == ("guard", 120, 102.0, "taker")


def test_a_position_is_valued_at_the_middle_of_the_very_quote_that_opened_it() -> None:
    """The only quote of the second minute is 101.0 to 101.4: bought at 101.4, worth 101.2."""
    record = run(quoted_piece([*CALM, (61, 101.0, 101.4), (125, 102, 102.6)], {0: long()}),
                 costs=account(start_equity=1000))  # fmt: skip

    assert record.curve[0][:2].tolist() == [1000_00000000, 999_80000000]


# Limits.


def test_a_limit_takes_where_the_opposite_side_is_there_and_rests_where_it_is_not() -> None:
    """A buy at 101: an ask of 100.8 is taken at 100.8; one of 101.2 is not, and 101.0 at second 70 fills it at 101."""
    taken = run(quoted_piece([*CALM, (61, 100.6, 100.8), (125, 100, 101)], {0: long(kind="limit", price=101)}))
    rested = run(quoted_piece([*CALM, (61, 101.1, 101.2), (65, 101.0, 101.1), (70, 100.9, 101.0), (125, 100, 101)],
                              {0: long(kind="limit", price=101)}))  # fmt: skip

    assert told(taken)[0] == ("entry", 61, 100.8, "taker")
    assert told(rested)[0] == ("entry", 70, 101.0, "maker")


def test_a_resting_limit_through_which_the_quote_jumps_fills_at_its_own_price() -> None:
    """A buy rests at 101 and the ask goes from 101.2 to 99.5: whoever sold met it on the way, at 101."""
    record = run(quoted_piece([*CALM, (61, 101.1, 101.2), (70, 99.3, 99.5), (125, 99, 99.4)],
                              {0: long(kind="limit", price=101)}))  # fmt: skip

    assert told(record)[0] == ("entry", 70, 101.0, "maker")


def test_a_sell_limit_needs_the_bid() -> None:
    """A sell rests at 101: asks of 101 and of 102 do not fill it, a bid of 101 does."""
    record = run(quoted_piece([*CALM, (61, 100.5, 101.0), (65, 100.9, 102.0), (70, 101.0, 102.0), (125, 100, 101)],
                              {0: short(kind="limit", price=101)}))  # fmt: skip

    assert told(record)[0] == ("entry", 70, 101.0, "maker")


def test_what_a_limit_may_do_at_its_first_quote() -> None:
    """IOC and FOK die where the ask lies above, PostOnly where it does not."""
    above, below = [*CALM, (61, 101.1, 101.2), (125, 100, 101)], [*CALM, (61, 100.6, 100.8), (125, 100, 101)]

    for tif, quotes, reason in (
        ("IOC", above, "IOC_UNFILLED"), ("FOK", above, "FOK_UNFILLED"), ("PostOnly", below, "POST_ONLY_WOULD_CROSS"),
    ):  # fmt: skip
        record = run(quoted_piece(quotes, {0: long(kind="limit", price=101)}), order=desk.LIMIT_ORDERS[tif])
        assert [dead.reason.value for dead in record.dead_entries] == [reason]
        assert not record.fills


def test_a_trade_through_queue_waits_until_the_opposite_side_is_beyond() -> None:
    """A buy at 101, one tick of 0.01 beyond: an ask of 101 leaves it, one of 100.99 fills it."""
    quotes = [*CALM, (61, 101.1, 101.2), (65, 100.9, 101.0), (70, 100.9, 100.99), (125, 100, 101)]

    record = run(quoted_piece(quotes, {0: long(kind="limit", price=101)}),
                 costs=account(queue=QueueTerms(model="trade_through")))  # fmt: skip

    assert told(record)[0] == ("entry", 70, 101.0, "maker")


# Stops and targets without trades: the side that the order would meet sets them off.


def test_a_stop_is_set_off_by_the_side_that_it_meets_and_fills_there() -> None:
    """Bought at 100.2 with a stop 1 below, at 99.2: a bid of 99.3 leaves it, the jump to 98.7 sells at 98.7."""
    quotes = [*CALM, (61, 100.0, 100.2), (70, 99.3, 99.5), (80, 98.7, 99.6), (125, 98.7, 98.9)]

    record = run(quoted_piece(quotes, {0: long(stop=1)}))

    assert told(record) == [("entry", 61, 100.2, "taker"), ("stop", 80, 98.7, "taker")]
    assert record.trades()[0].net == D("-1.5")


def test_a_stop_of_a_short_looks_at_the_ask() -> None:
    """Sold at 100.0 with a stop at 101.0: a bid of 100.9 with an ask of 100.95 leaves it, an ask of 101.3 does not."""
    quotes = [*CALM, (61, 100.0, 100.2), (70, 100.9, 100.95), (80, 100.2, 101.3), (125, 100, 100.2)]

    assert told(run(quoted_piece(quotes, {0: short(stop=1)}))) == [
        ("entry", 61, 100.0, "taker"), ("stop", 80, 101.3, "taker"),
    ]  # fmt: skip


def test_a_spread_wider_than_the_stop_stops_at_once() -> None:
    """Bought at 100.6 with a stop at 100.1; the bid of that very quote is 100.0."""
    assert told(run(quoted_piece([*CALM, (61, 100.0, 100.6), (125, 100, 100.2)], {0: long(stop=0.5)}))) == [
        ("entry", 61, 100.6, "taker"), ("stop", 61, 100.0, "taker"),
    ]  # fmt: skip


def test_a_stop_entry_is_set_off_by_the_ask() -> None:
    """A buy stop at 101: an ask of 100.9 leaves it, the ask of 101.5 sets it off and is paid."""
    quotes = [*CALM, (61, 100.0, 100.9), (70, 101.2, 101.5), (125, 101, 101.2)]

    assert told(run(quoted_piece(quotes, {0: long(kind="stop", price=101)})))[0] == ("entry", 70, 101.5, "taker")


def test_a_stop_limit_that_the_quote_jumps_over_rests_at_its_limit() -> None:
    """A buy set off at 101 with a limit of 101.2: the ask of 101.5 is too dear, the one of 101.2 is not."""
    quotes = [*CALM, (61, 100.0, 100.9), (70, 101.2, 101.5), (75, 101.0, 101.2), (125, 101, 101.2)]

    record = run(quoted_piece(quotes, {0: long(kind="stop_limit", price=101.2, trigger=101)}))

    assert told(record)[0] == ("entry", 75, 101.2, "maker")


def test_a_limit_target_fills_at_its_level_and_a_market_target_at_the_bid() -> None:
    """Bought at 100.2, target 1 above at 101.2: the bid jumps from 101.1 to 101.6."""
    quotes = [*CALM, (61, 100.0, 100.2), (70, 101.1, 101.3), (80, 101.6, 101.9), (125, 101, 101.2)]

    limit = run(quoted_piece(quotes, {0: long(target=1)}), order=OrderTerms(target_is_limit=True))
    market = run(quoted_piece(quotes, {0: long(target=1)}))

    assert told(limit)[1] == ("target", 80, 101.2, "maker")
    assert told(market)[1] == ("target", 80, 101.6, "taker")


def test_a_ladder_takes_the_steps_that_a_jump_of_the_bid_passes() -> None:
    """Bought at 100.2, halves at 1 % and 2 % of the reference of 100: 101.2 and 102.2; the bid jumps to 102.3."""
    ladder = tuple(LadderStep(fraction=D(step), share=D("0.5")) for step in ("0.01", "0.02"))
    quotes = [*CALM, (61, 100.0, 100.2), (70, 101.1, 101.3), (80, 102.3, 102.5), (125, 101, 101.2)]

    record = run(quoted_piece(quotes, {0: long(stop=5)}), order=OrderTerms(target_is_limit=True, ladder=ladder))

    assert told(record)[1:] == [("target", 80, 101.2, "maker"), ("target", 80, 102.2, "maker")]


def test_a_stop_of_type_limit_rests_where_the_bid_jumped_over_it() -> None:
    """Bought at 100.2, stop at 99.2: the bid of 98.7 does not pay it, the one of 99.4 fills it at 99.2."""
    quotes = [*CALM, (61, 100.0, 100.2), (70, 98.7, 99.0), (80, 99.4, 99.6), (125, 99, 99.2)]

    record = run(quoted_piece(quotes, {0: long(stop=1)}), order=OrderTerms(stop_is_limit=True))

    assert told(record)[1] == ("stop", 80, 99.2, "maker")


# Trades between quotes.


def test_a_trade_sets_a_stop_off_and_the_next_quote_fills_it() -> None:
    """Stop at 99.2. The bid of 99.1 has no last price; the trade at 99.0 meets a book that is told at second 81."""
    quotes = [*CALM, (61, 100.0, 100.2), (70, 99.1, 99.3), (75, 99.8, 100.0), (81, 98.6, 98.9), (125, 98, 98.2)]
    trades = [(0, 100), (59, 100), (62, 100.1), (80, 99.0), (124, 98)]

    record = run(quoted_piece(quotes, {0: long(stop=1)}, trades=trades))

    assert told(record) == [("entry", 61, 100.2, "taker"), ("stop", 81, 98.6, "taker")]


def test_a_trade_and_a_quote_of_one_instant_count_as_trade_then_quote() -> None:
    """The trade of second 80 reaches the stop at 99.2, and the quote of second 80 is what was left of the book."""
    quotes = [*CALM, (61, 100.0, 100.2), (80, 98.6, 98.9), (125, 98, 98.2)]

    record = run(quoted_piece(quotes, {0: long(stop=1)}, trades=[(0, 100), (59, 100), (80, 99.0), (124, 98)]))

    assert told(record)[1] == ("stop", 80, 98.6, "taker")


def test_what_several_trades_of_one_instant_reach_meets_the_quote_that_they_left() -> None:
    """Trades at 99.5 and 99.0 reach a stop at 99.2 and leave a bid of 99.4; 100.5 and 101.3 leave an ask of 100.8."""
    left = [*CALM, (61, 100.0, 100.2), (80, 99.4, 99.6), (125, 98, 98.2)]
    lifted = [*CALM, (61, 100.0, 100.2), (80, 100.6, 100.8), (125, 98, 98.2)]
    before, after = [(0, 100), (59, 100)], [(124, 98)]

    stop = run(quoted_piece(left, {0: long(stop=1)}, trades=[*before, (80, 99.5), (80, 99.0), *after]))
    entry = run(quoted_piece(lifted, {0: long(kind="stop", price=101)},
                             trades=[*before, (80, 100.5), (80, 101.3), *after]))  # fmt: skip

    assert told(stop)[1] == ("stop", 80, 99.4, "taker")
    assert told(entry)[0] == ("entry", 80, 100.8, "taker")


def test_a_limit_target_between_two_trades_is_not_passed_over() -> None:
    """Bought at 100.2; the bid of second 80 reaches 101.2, and no trade is near."""
    quotes = [*CALM, (61, 100.0, 100.2), (70, 101.1, 101.3), (80, 101.2, 101.4), (90, 100, 100.2), (125, 101, 101.2)]
    trades = [(0, 100), (59, 100), (65, 100), (91, 100), (124, 100)]

    record = run(quoted_piece(quotes, {0: long(target=1)}, trades=trades), order=OrderTerms(target_is_limit=True))

    assert told(record)[1] == ("target", 80, 101.2, "maker")


def test_excursions_are_those_of_the_quotes() -> None:
    """Bought at 100.2; while it was held the bid fell to 99.0 and the ask rose to 101.6."""
    quotes = [*CALM, (61, 100.0, 100.2), (70, 99.0, 99.3), (80, 101.2, 101.6), (119, 100, 100.2), (125, 100, 100.2)]

    trade = run(quoted_piece(quotes, {0: long()}, [1])).trades()[0]

    assert float(trade.exit.event.adverse) == pytest.approx(1.2 / 100.2)
    assert float(trade.exit.event.favourable) == pytest.approx(1.4 / 100.2)


def test_a_trade_fills_no_limit_and_no_market_order() -> None:
    """A market buy of second 60 passes the trade of second 61; a limit at 99 the trade of second 62 at 98."""
    quotes = [*CALM, (63, 100.0, 100.2), (125, 100, 100.2)]
    trades = [(0, 100), (59, 100), (61, 100), (62, 98), (124, 100)]

    market = run(quoted_piece(quotes, {0: long()}, trades=trades))
    limit = run(quoted_piece(quotes, {0: long(kind="limit", price=99)}, trades=trades))

    assert told(market)[0] == ("entry", 63, 100.2, "taker")
    assert not limit.fills


def test_a_limit_that_may_not_rest_is_judged_by_the_first_quote_after_trades() -> None:
    """IOC at 101 passes the trade of second 61 and takes the ask of second 63."""
    quotes = [*CALM, (63, 100.0, 100.2), (125, 100, 100.2)]

    record = run(quoted_piece(quotes, {0: long(kind="limit", price=101)}, trades=[(0, 100), (59, 100), (61, 100)]),
                 order=desk.LIMIT_ORDERS["IOC"])  # fmt: skip

    assert told(record)[0] == ("entry", 63, 100.2, "taker")


def test_stop_entries_set_off_by_trades_take_the_next_quote() -> None:
    """Trigger 101. The ask of 101.5 at second 63 sets nothing off; the trade of 101 at second 70 does."""
    quotes = [*CALM, (63, 101.3, 101.5), (71, 101.6, 101.8), (74, 100.9, 101.1), (125, 100, 100.2)]
    trades = [(0, 100), (59, 100), (70, 101), (124, 100)]

    stop = run(quoted_piece(quotes, {0: long(kind="stop", price=101)}, trades=trades))
    limit = run(quoted_piece(quotes, {0: long(kind="stop_limit", price=101.2, trigger=101)}, trades=trades))

    assert told(stop)[0] == ("entry", 71, 101.8, "taker")
    assert told(limit)[0] == ("entry", 74, 101.2, "maker")


def test_bars_are_those_of_trades_where_there_are_any_and_of_middles_where_not() -> None:
    """Trades of the first minute: 100, 103, 99, 101. Middles: 100, then 100.5 in the second half."""
    quotes = [(0, 99.9, 100.1), (30, 100.4, 100.6), (61, 100, 100.2)]
    traded = quoted_piece(quotes, trades=[(0, 100), (10, 103), (20, 99), (50, 101), (62, 100)])
    middles = quoted_piece(quotes)

    def first_minute(part: desk.Piece) -> tuple[float, ...]:
        series = Series(part.bars, load_calendar("24/7"), quoted=part.quoted)
        minute = series.on(desk.ONE_MINUTE).bars
        return tuple(float(column[0]) for column in (minute.open, minute.high, minute.low, minute.close, minute.volume))

    assert first_minute(traded) == (100, 103, 99, 101, 4)
    assert first_minute(middles) == (100, 100.5, 100, 100.5, 0)


def test_the_mark_price_liquidates_and_without_one_the_middle_does() -> None:
    """Leverage 10, MMR 0.5 %, no fees. Bought at 100: liquidation at 90 / 0.995 = 90.4523, bankruptcy at 90.

    A bid of 90.2 with an ask of 91.2 has a middle of 90.7: not reached. One of 90 and 90.8 has 90.4: reached.
    """
    quotes = [*CALM, (61, 99.8, 100.0), (70, 90.2, 91.2), (80, 90.0, 90.8), (125, 98, 98.2)]
    costs = account(start_equity=100_000, margin=MarginTerms(
        liquidates=True, maintenance=D("0.005"), liquidation_fee=D(0), goes_on=True))  # fmt: skip
    sizing = SizingTerms(model="fixed_quantity", value=D(1), max_leverage=D(10))
    part = quoted_piece(quotes, {0: long()})
    calm = MarkBars(*(part.bars.close * 0 + 100 for _ in range(3)))

    without = run(part, costs=costs, sizing=sizing)
    marked = run(quoted_piece(quotes, {0: long()}, mark=calm), costs=costs, sizing=sizing)

    assert told(without)[1] == ("guard", 80, 90.0, "taker")
    assert without.trades()[0].net == D(-10)
    assert told(marked)[1][1:3] == (125, 98.0)


# The rows.


@pytest.mark.parametrize(
    ("quotes", "rows"),
    [
        ([(0, 10, 11), (1, nan, 12), (2, 9, nan)], [(10, 11), (10, 12), (9, 12)]),
        ([(0, nan, 11), (1, 10, nan), (2, 10, 12)], [(10, 11), (10, 12)]),
        ([(0, 10, 11), (1, 13, 12), (2, 10, 12)], [(10, 11), (10, 12)]),
        ([(0, 10, 11), (1, 9, 12), (1, 10, 12), (1, 10, 10)], [(10, 11), (10, 10)]),
    ],
    ids=["one side leaves the other", "nothing before both sides", "crossed", "last of an instant; locked"],
)
def test_records_of_quotes_become_rows(quotes: list[tuple[float, ...]], rows: list[tuple[float, float]]) -> None:
    bars = quote_rows(desk.side_series(SideKind.QUOTES, quotes), None, load_calendar("24/7")).bars

    assert list(zip(bars.low.tolist(), bars.high.tolist(), strict=True)) == rows
    assert bars.close.tolist() == [(bid + ask) / 2 for bid, ask in rows]


def test_crossed_records_are_counted_and_trades_stand_between_the_quotes() -> None:
    """A trade before the first quote takes no part; one between two finds the quote before it."""
    found = quote_rows(
        desk.side_series(SideKind.QUOTES, [(1, 10, 11), (2, 13, 12), (4, 10, 12)]),
        desk.side_series(SideKind.TRADES, [(0, 10), (3, 11), (4, 11)]), load_calendar("24/7"),
    )  # fmt: skip

    assert found.facts == {"rows": 3, "crossed": 1, "trades": 2}
    assert found.bars.high.tolist() == [11, 11, 12]
    assert found.bars.volume.tolist() == [1, 0, 1]
    behind = found.behind(found.bars)
    assert behind.last is not None
    assert behind.last[0].tolist() == pytest.approx([NAN, 11, 11], nan_ok=True)
