"""A scenario for each row of the tables of plays.md 6.1 to 6.10, through both lanes; the figures are worked by hand.

Costs are those of the golden vectors unless said: taker 5.5 bps, maker 2 bps, slippage 2 bps. Each test begins with the
name of its row.
"""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import numpy as np
import pytest

import desk
from desk import account, flat, long, piece, short
from evenkeel.engine.record import RunRecord, Trade
from evenkeel.strategies.terms import AccountTerms, ImpactTerms, LadderStep, MarginTerms, OrderTerms, SizingTerms
from evenkeel.venues.simulated.carry import MarkBars, fundings

TWO_BPS, TAKER, MAKER = "0.0002", "0.00055", "0.0002"


def costs(**facts: Any) -> AccountTerms:
    return account(**{"taker": TAKER, "maker": MAKER, "slippage": TWO_BPS, "start_equity": 1_000_000, **facts})


def told(record: RunRecord) -> list[tuple[str, int, str, D, D, str]]:
    """Return leg, row, point, signed quantity, price to eight digits, and liquidity of each fill."""
    return [
        (e.leg.value, e.row, e.point.value, e.quantity, e.price.quantize(D("1e-8")), "taker" if e.taker else "maker")
        for e in (fill.event for fill in record.fills)
    ]


def first(record: RunRecord) -> tuple[str, int, str, D, D, str]:
    return told(record)[0]


def legs(record: RunRecord) -> list[Trade]:
    return record.trades()


def one(leg: str, row: int, point: str, quantity: str, price: str, liquidity: str = "taker") -> tuple[Any, ...]:
    return leg, row, point, D(quantity), D(price).quantize(D("1e-8")), liquidity


# 6.1 Orders


def test_row_6_1_market() -> None:
    """Row 6.1 MARKET: fills at the next minute's open with slippage, as a taker."""
    record = desk.run(piece([*flat(100, 1), (101, 105, 99, 100), *flat(100, 1)], {0: long()}), costs=costs())

    assert first(record) == one("entry", 1, "open", "1", "101.0202")


def test_row_6_1_limit() -> None:
    """Row 6.1 LIMIT: live from the next minute's open, filled by the rules of 6.2."""
    rows = [(100, 100, 90, 100), (100, 100, 98.5, 99.5), *flat(99.5, 1)]

    record = desk.run(piece(rows, {0: long(kind="limit", price=99)}), costs=costs())

    assert first(record) == one("entry", 1, "inside", "1", "99", "maker")


def test_row_6_1_stop_market() -> None:
    """Row 6.1 STOP_MARKET: the worse of trigger and open, with slippage; RISES by the high, FALLS by the low."""
    rises = desk.run(piece([*flat(100, 1), (101, 106, 101, 104), *flat(104, 1)], {0: long(kind="stop", price=105)}),
                     costs=costs())  # fmt: skip
    opened_over = desk.run(piece([*flat(100, 1), *flat(107, 2)], {0: long(kind="stop", price=105)}), costs=costs())
    falls = desk.run(piece([*flat(100, 1), (99, 99, 94, 96), *flat(96, 1)], {0: short(kind="stop", price=95)}),
                     costs=costs())  # fmt: skip

    assert first(rises) == one("entry", 1, "inside", "1", "105.021")
    assert first(opened_over) == one("entry", 1, "open", "1", "107.0214")
    assert first(falls) == one("entry", 1, "inside", "-1", "94.981")


def test_row_6_1_stop_market_by_the_mark_price() -> None:
    """Row 6.1 STOP_MARKET, trigger source: fired by the mark price, not by the last; the worse of level and open."""
    rows = [*flat(100, 2), (99, 99, 90, 98), (98, 98, 97, 98), *flat(98, 2)]
    quiet = np.array([np.nan, np.nan, 99.0, 98.0, np.nan, np.nan])
    low = np.array([np.nan, np.nan, 97.0, 94.5, np.nan, np.nan])
    part = piece(rows, {0: long(stop=5)}, mark=MarkBars(quiet, quiet, low))

    record = desk.run(part, costs=costs(trigger_source="MarkPrice", slippage=0))

    assert told(record)[1] == one("stop", 3, "inside", "-1", "95")


def test_row_6_1_stop_limit() -> None:
    """Row 6.1 STOP_LIMIT: a limit from the moment of its trigger, which may rest across minutes."""
    wish = long(kind="stop_limit", trigger=105, price=105.5)
    inside = desk.run(piece([*flat(100, 1), (101, 106, 101, 104), *flat(104, 1)], {0: wish}), costs=costs())
    rests = desk.run(
        piece([*flat(100, 1), (108, 108, 107, 107), (107, 107, 105.2, 106), *flat(106, 1)], {0: wish}), costs=costs()
    )

    assert first(inside) == one("entry", 1, "inside", "1", "105.021")
    assert first(rests) == one("entry", 2, "inside", "1", "105.5", "maker")


def test_row_6_1_close() -> None:
    """Row 6.1 CLOSE: a percentage of what is held, at the next open as MARKET, never more than is held."""
    rows = [*flat(100, 3), *flat(102, 2)]

    record = desk.run(piece(rows, {0: long()}, {2: 0.4}), costs=costs(), sizing=desk.units(2))

    assert told(record)[1] == one("exit", 3, "open", "-0.8", "101.9796")
    assert told(record)[2][3] == D("-1.2")


# 6.2 Limit fills, price improvement, time in force


@pytest.mark.parametrize(
    ("wish", "opens", "price"),
    [(long, 99.4, "99.41988"), (long, 99.99, "100"), (short, 100.5, "100.4799"), (short, 100.01, "100")],
)
def test_row_6_2_marketable_at_its_first_minute(wish: Any, opens: float, price: str) -> None:
    """Row 6.2 marketable at first live minute: min(p, o + slippage), max(p, o - slippage), as a taker (T30)."""
    record = desk.run(piece([*flat(opens, 3)], {0: wish(kind="limit", price=100)}), costs=costs())

    assert first(record)[2:] == one("entry", 1, "open", "1" if wish is long else "-1", price)[2:]
    assert legs(record)[0].entry.event.fee == (D(price) * D(TAKER)).quantize(D("1e-8"))


@pytest.mark.parametrize(("wish", "before", "opens"), [(long, 101, 99.2), (short, 99, 100.7)])
def test_row_6_2_a_later_minute_opens_through_the_limit(wish: Any, before: float, opens: float) -> None:
    """Row 6.2 resting, later minute opens through the limit: at the open, as a maker."""
    record = desk.run(piece([*flat(before, 2), *flat(opens, 2)], {0: wish(kind="limit", price=100)}), costs=costs())

    assert first(record)[1:] == one("", 2, "open", "1" if wish is long else "-1", str(opens), "maker")[1:]


@pytest.mark.parametrize(
    ("wish", "row", "through"), [(long, (101, 101, 100, 101), 99.99), (short, (99, 100, 99, 99), 100.01)]
)
def test_row_6_2_the_range_touches(wish: Any, row: tuple[float, ...], through: float) -> None:
    """Row 6.2 resting, range touches: at the limit, as a maker; `require_trade_through` needs more than a touch."""
    rows, order = [*flat(row[0], 1), row, *flat(row[0], 1)], OrderTerms(trade_through=True)
    deep = (row[0], max(*row, through), min(*row, through), row[3])
    wishes = {0: wish(kind="limit", price=100)}

    assert first(desk.run(piece(rows, wishes), costs=costs()))[4:] == (D("100.00000000"), "maker")
    assert desk.run(piece(rows, wishes), costs=costs(), order=order).fills == []
    beyond = desk.run(piece([rows[0], deep, rows[2]], wishes), costs=costs(), order=order)
    assert first(beyond)[4:] == (D("100.00000000"), "maker")


def test_row_6_2_not_touched() -> None:
    """Row 6.2 not touched: no fill."""
    record = desk.run(piece(flat(101, 5), {0: long(kind="limit", price=100)}), costs=costs())

    assert record.fills == []


@pytest.mark.parametrize(
    ("tif", "rows", "filled", "dead"),
    [
        pytest.param("GTC", [(101, 101, 100.5, 101), (101, 101, 99, 101)], (2, "maker"), [], id="GTC rests"),
        pytest.param("IOC", [(101, 101, 99, 101)], None, ["IOC_UNFILLED"], id="IOC dies at once"),
        pytest.param("IOC", [(99.5, 101, 99, 101)], (1, "taker"), [], id="IOC takes"),
        pytest.param("FOK", [(101, 101, 99, 101)], None, ["FOK_UNFILLED"], id="FOK dies at once"),
        pytest.param("FOK", [(99.5, 101, 99, 101)], (1, "taker"), [], id="FOK takes"),
        pytest.param("PostOnly", [(99.5, 101, 99, 101)], None, ["POST_ONLY_WOULD_CROSS"], id="PostOnly would cross"),
        pytest.param("PostOnly", [(101, 101, 99, 101)], (1, "maker"), [], id="PostOnly makes"),
    ],
)
def test_row_6_2_time_in_force(
    tif: str, rows: list[tuple[float, ...]], filled: tuple[int, str] | None, dead: list[str]
) -> None:
    """Row 6.2 GTC; Row 6.2 IOC; Row 6.2 FOK; Row 6.2 PostOnly: decided on the first live minute (M2)."""
    part = piece([*flat(101, 1), *rows, *flat(101, 1)], {0: long(kind="limit", price=100)})

    record = desk.run(part, costs=costs(), order=desk.LIMIT_ORDERS[tif])

    assert [d.reason.value for d in record.dead_entries] == dead
    assert (None if not record.fills else (first(record)[1], first(record)[5])) == filled


def test_row_6_2_gtc_lives_its_bars() -> None:
    """Row 6.2 GTC with `expire_after_bars`: two execution bars of five minutes, then EXPIRED."""
    rows = flat(101, 25)
    rows[15] = (101, 101, 99, 101)
    part = piece(rows, {0: long(kind="limit", price=100)})

    record = desk.run(part, exec_tf="5m", order=OrderTerms(expire_bars=2))

    assert [(d.reason.value, d.event_ns) for d in record.dead_entries] == [("EXPIRED", desk.minute(15))]


@pytest.mark.parametrize(
    ("low", "high", "close", "leg"),
    [(94, 101, 99, "stop"), (98, 104, 100, None), (98, 104, 103.5, "target")],
    ids=["stop in the same minute", "target not granted", "closes beyond the target"],
)
def test_row_6_2_an_entry_inside_a_minute(low: float, high: float, close: float, leg: str | None) -> None:
    """Row 6.2 entry inside a minute: exposed to its stop at once, granted its target only beyond the close."""
    rows = [*flat(101, 1), (101, high, low, close), *flat(close, 1)]
    wish = long(kind="limit", price=100, stop=5, target=3)

    record = desk.run(piece(rows, {0: wish}), costs=costs())

    assert [(fill[0], fill[1]) for fill in told(record)[1:] if fill[1] == 1] == ([] if leg is None else [(leg, 1)])


# 6.3 Slippage


@pytest.mark.parametrize(
    ("wish", "entered", "left"), [(long, "100.02", "109.978"), (short, "99.98", "110.022")], ids=["long", "short"]
)
def test_row_6_3_four_cases(wish: Any, entered: str, left: str) -> None:
    """Row 6.3 long entry +x; Row 6.3 short entry -x; Row 6.3 long exit -x; Row 6.3 short exit +x. M3: itemised."""
    record = desk.run(piece([*flat(100, 3), *flat(110, 2)], {0: wish()}, [2]), costs=costs())

    assert [fill[4] for fill in told(record)] == [D(entered).quantize(D("1e-8")), D(left).quantize(D("1e-8"))]
    assert legs(record)[0].slippage == D("0.02") + D("0.022")


def test_row_6_3_applies_to_market_stops_and_targets_and_not_to_limits() -> None:
    """Row 6.3 market-type SL and TP: slipped and itemised (M3); a limit-type TP and a resting limit are not."""
    rows = [*flat(100, 2), (100, 106, 100, 106), *flat(106, 1)]
    market = desk.run(piece(rows, {0: long(target=5)}), costs=costs())
    limit = desk.run(piece(rows, {0: long(target=5)}), costs=costs(), order=OrderTerms(target_is_limit=True))

    assert told(market)[1] == one("target", 2, "inside", "-1", str(D("105.02") * D("0.9998")))
    assert legs(market)[0].exit.event.slippage == D("0.021004")
    assert told(limit)[1] == one("target", 2, "inside", "-1", "105.02", "maker")
    assert legs(limit)[0].exit.event.slippage == 0


def test_row_6_3_end_of_data() -> None:
    """Row 6.3 end of data: the last close with slippage and the taker fee."""
    record = desk.run(piece([*flat(100, 2), (100, 104, 100, 103)], {0: long()}), costs=costs())

    assert told(record)[1] == one("guard", 2, "close", "-1", "102.9794")
    assert legs(record)[0].exit.event.fee == (D("102.9794") * D(TAKER)).quantize(D("1e-8"))


# 6.4 Fees


def test_row_6_4_fees_by_what_happened() -> None:
    """Row 6.4: quantity * price * rate; taker by a market order, maker by a resting limit (T17: its own rate)."""
    rows = [*flat(50_000, 2), (50_000, 50_000, 49_900, 50_000), *flat(50_000, 1)]
    taker = desk.run(piece(rows, {0: long()}), costs=costs(), sizing=desk.units("0.2"))
    maker = desk.run(piece(rows, {0: long(kind="limit", price=49_985)}), costs=costs(maker="0.00037"),
                     sizing=desk.units("0.2"))  # fmt: skip

    assert taker.fills[0].event.fee == D("0.2") * D(50_010) * D(TAKER)
    assert maker.fills[0].event.fee == D("0.2") * D(49_985) * D("0.00037")


TEN = SizingTerms(model="fixed_quantity", value=D(1), max_leverage=D(10))


def margin(**facts: Any) -> MarginTerms:
    return MarginTerms(**{"liquidates": True, "liquidation_fee": D(TAKER), "min_distance": D(0), **facts})


def test_row_6_4_liquidation_fee() -> None:
    """Row 6.4 liquidation: loss and `liquidation_bps` at the bankruptcy price are the margin: 4,975.24 + 24.76."""
    rows = [*flat(50_000, 2), (50_000, 50_000, 45_000, 45_000), *flat(45_000, 1)]

    trade = legs(desk.run(piece(rows, {0: long()}), costs=costs(slippage=0, margin=margin()), sizing=TEN))[0]

    assert trade.gross == D("-4975.23638001")
    assert trade.exit.event.fee == D("24.76361999")


# 6.5 Funding


@pytest.mark.parametrize(
    ("wish", "rate", "amount"), [(long, 0.0001, "-1.002"), (short, 0.0001, "1.002"), (long, -0.00025, "2.505")]
)
def test_row_6_5_sign(wish: Any, rate: float, amount: str) -> None:
    """Row 6.5: cash -= side * quantity * mark * rate (T18: the history is fed)."""
    due = fundings(np.array([3]), np.array([rate]), np.array([50_100.0]))

    record = desk.run(piece(flat(50_000, 6), {0: wish()}, carry=due), costs=costs(), sizing=desk.units("0.2"))

    assert [paid.amount for paid in record.fundings] == [D(amount)]


@pytest.mark.parametrize(("due_at", "pays"), [(1, False), (2, True), (3, True), (4, False)])
def test_row_6_5_entry_before_exit_at_or_after(due_at: int, pays: bool) -> None:
    """Row 6.5 interval: paid iff entry < T <= exit by the stamps of the fills: in at minute 1, out at minute 3."""
    due = fundings(np.array([due_at]), np.array([0.01]))

    record = desk.run(piece(flat(100, 6), {0: long()}, [2], carry=due), costs=costs())

    assert bool(record.fundings) is pays


# 6.6 Priority inside one minute

PROTECTED = {"stop": 5, "target": 5}


@pytest.mark.parametrize(
    ("minute", "leg", "point", "price"),
    [
        pytest.param((94, 96, 93, 95), "stop", "open", "94", id="1 gap over the stop"),
        pytest.param((107, 108, 106, 107), "target", "open", "107", id="1 gap over the target"),
        pytest.param((100, 101, 94, 100), "stop", "inside", "95", id="2 stop inside"),
        pytest.param((100, 106, 99, 100), "target", "inside", "105", id="2 target inside"),
        pytest.param((100, 106, 94, 100), "stop", "inside", "95", id="2 both: the stop wins"),
    ],
)
def test_row_6_6_gap_and_range(minute: tuple[float, ...], leg: str, point: str, price: str) -> None:
    """Row 6.6.1 gap at open (T26); Row 6.6.2 both in one minute; Row 6.6.5 exit price base. Mirrored for a short."""
    rows = [*flat(100, 2), minute, *flat(minute[3], 1)]
    mirrored = [*flat(100, 2), (200 - minute[0], 200 - minute[2], 200 - minute[1], 200 - minute[3]), *flat(100, 1)]

    record = desk.run(piece(rows, {0: long(**PROTECTED)}))
    image = desk.run(piece(mirrored, {0: short(**PROTECTED)}))

    assert told(record)[1] == one(leg, 2, point, "-1", price)
    assert told(image)[1] == one(leg, 2, point, "1", str(200 - D(price)))


def test_row_6_6_a_gap_over_a_limit_target_improves() -> None:
    """Row 6.6.1 TP at the open: a limit type fills at the open, a market type at the open minus slippage."""
    rows = [*flat(100, 2), *flat(107, 2)]
    limit = desk.run(piece(rows, {0: long(target=5)}), costs=costs(), order=OrderTerms(target_is_limit=True))
    market = desk.run(piece(rows, {0: long(target=5)}), costs=costs())

    assert told(limit)[1] == one("target", 2, "open", "-1", "107", "maker")
    assert told(market)[1] == one("target", 2, "open", "-1", "106.9786")


def test_row_6_6_minutes_in_the_order_of_time() -> None:
    """Row 6.6.2 time order: an earlier target beats a later stop."""
    rows = [*flat(100, 2), (100, 106, 99, 104), (104, 104, 90, 91), *flat(91, 1)]

    assert told(desk.run(piece(rows, {0: long(**PROTECTED)})))[1] == one("target", 2, "inside", "-1", "105")


@pytest.mark.parametrize(("stop", "reason"), [(4_000, "sl"), (4_900, "liquidation")])
def test_row_6_6_liquidation_is_path_aware(stop: float, reason: str) -> None:
    """Row 6.6.3: liquidation (45,251.14) counts before the stop only where it lies between the price and the stop."""
    rows = [*flat(50_000, 2), (50_000, 50_000, 45_000, 45_000), *flat(45_000, 1)]
    terms = costs(slippage=0, margin=margin(stop_beyond="warn"))

    assert (
        legs(desk.run(piece(rows, {0: long(stop=stop)}), costs=terms, sizing=TEN))[0].exit.event.exit_reason == reason
    )


@pytest.mark.parametrize(("mark_low", "gone"), [(45_252.0, False), (45_251.0, True)])
def test_row_6_6_liquidation_uses_the_mark_series(mark_low: float, gone: bool) -> None:
    """Row 6.6.3 mark series: the adverse extreme of the mark bar liquidates, whatever the last price did (H1, T19)."""
    rows = [*flat(50_000, 2), (50_000, 50_000, 46_000 if gone else 44_000, 50_000), *flat(50_000, 1)]
    others = np.array([np.nan, np.nan, 50_000.0, np.nan])
    mark = MarkBars(others, others, np.array([np.nan, np.nan, mark_low, np.nan]))
    terms = costs(slippage=0, margin=margin())

    trade = legs(desk.run(piece(rows, {0: long()}, mark=mark), costs=terms, sizing=TEN))[0]

    assert (trade.exit.event.exit_reason == "liquidation") is gone


@pytest.mark.parametrize(
    ("minute", "reason", "price"), [((99, 99, 90, 91), "signal", "99"), ((94, 96, 93, 95), "sl", "94")]
)
def test_row_6_6_signal_closes_at_the_open(minute: tuple[float, ...], reason: str, price: str) -> None:
    """Row 6.6.4: a scheduled close is worked at the open, before anything inside, but after a gap (M1)."""
    record = desk.run(piece([*flat(100, 3), minute, *flat(95, 1)], {0: long(stop=5)}, [2]))

    assert (legs(record)[0].exit.event.exit_reason, told(record)[1][4]) == (reason, D(price).quantize(D("1e-8")))


def test_row_6_6_no_exit_loses_more_than_the_margin() -> None:
    """Row 6.6.6: a stop slipped beyond the bankruptcy price is a liquidation there (golden vector 47)."""
    rows = [*flat(50_000, 2), *flat(44_000, 2)]
    terms = costs(margin=margin(stop_beyond="warn"))
    sizing = SizingTerms(model="fixed_quantity", value=D("0.1"), max_leverage=D(10))

    trade = legs(desk.run(piece(rows, {0: long(kind="limit", price=50_000, stop=1_000)}),
                          costs=account(taker=TAKER, start_equity=1_000_000, margin=terms.margin),
                          sizing=sizing))[0]  # fmt: skip

    assert trade.exit.event.exit_reason == "liquidation"
    assert (trade.gross, trade.exit.event.fee) == (D("-497.52363800"), D("2.47636200"))


# 6.7 Margin and liquidation


@pytest.mark.parametrize(("quantity", "admitted"), [("9.891", True), ("9.892", False)])
def test_row_6_7_required_for_entry(quantity: str, admitted: bool) -> None:
    """Row 6.7 required for entry: N / lev + 2 N f: 1,000 carries 9,891.19 at leverage 10 (vectors 11, 13; T21)."""
    terms = costs(slippage=0, start_equity=1_000, max_position="1", margin=margin())
    sizing = SizingTerms(model="fixed_quantity", value=D(quantity), max_leverage=D(10))

    record = desk.run(piece(flat(1_000, 4), {0: long()}), costs=terms, sizing=sizing)

    assert bool(record.fills) is admitted
    assert record.refusals == ({} if admitted else {"INSUFFICIENT_MARGIN": 1})


@pytest.mark.parametrize(
    ("equity", "close_fee", "admitted"),
    [("1011", True, True), ("1010.9", True, False), ("1005.5", False, True), ("1005.4", False, False)],
)
def test_11_row_6_7_required_for_entry(equity: str, close_fee: bool, admitted: bool) -> None:
    """Golden vector 11: 0.2 at 50,000 and leverage 10 needs 1,011, without the fee of the close 1,005.5."""
    terms = costs(slippage=0, start_equity=equity, max_position="1", include_close_fee=close_fee, margin=margin())
    sizing = SizingTerms(model="fixed_quantity", value=D("0.2"), max_leverage=D(10))

    assert bool(desk.run(piece(flat(50_000, 4), {0: long()}), costs=terms, sizing=sizing).fills) is admitted


@pytest.mark.parametrize(
    ("wish", "touch", "safe"), [(long, 45_251.14, 45_251.15), (short, 54_696.44, 54_696.43)], ids=["long", "short"]
)
def test_row_6_7_liquidation_price(wish: Any, touch: float, safe: float) -> None:
    """Row 6.7 LQ long; Row 6.7 LQ short; Row 6.7 liquidation condition; Row 6.7 maintenance margin; Row 6.7 unrealised.

    45,251.1438 and 54,696.4348 at leverage 10 (L3).
    """
    terms = costs(slippage=0, margin=margin())

    def ended(price: float) -> str:
        rows = [*flat(50_000, 2), (50_000, max(50_000, price), min(50_000, price), 50_000), *flat(50_000, 1)]
        return str(legs(desk.run(piece(rows, {0: wish()}), costs=terms, sizing=TEN))[0].exit.event.exit_reason)

    assert (ended(touch), ended(safe)) == ("liquidation", "end_of_data")


@pytest.mark.parametrize(
    ("wish", "gone", "loss", "fee"),
    [(long, 45_000, "-4975.23638001", "24.76361999"), (short, 55_000, "-4969.76662835", "30.23337165")],
    ids=["long", "short"],
)
def test_row_6_7_bankruptcy(wish: Any, gone: float, loss: str, fee: str) -> None:
    """Row 6.7 position margin; Row 6.7 fee to close; Row 6.7 bankruptcy long; Row 6.7 bankruptcy short: 5,000 lost."""
    rows = [*flat(50_000, 2), *flat(gone, 2)]

    trade = legs(desk.run(piece(rows, {0: wish()}), costs=costs(slippage=0, margin=margin()), sizing=TEN))[0]

    assert (trade.gross, trade.exit.event.fee) == (D(loss), D(fee))
    assert trade.gross - trade.exit.event.fee == D(-5_000)


def test_row_6_7_funding_shortfall_comes_from_the_margin() -> None:
    """Row 6.7 extra: of 5,100 the entry took 27.5 and 5,000 are bound; 500 of funding leave the margin 427.5 short.

    (50,000 * 0.9 + 427.5) / 0.99445 = 45,681.03.
    """
    due = fundings(np.array([2]), np.array([0.01]))
    terms = costs(slippage=0, start_equity=5_100, max_position="1", include_close_fee=False, margin=margin())
    rows = [*flat(50_000, 3), (50_000, 50_000, 45_681, 50_000), *flat(50_000, 1)]

    record = desk.run(piece(rows, {0: long()}, carry=due), costs=terms, sizing=TEN)

    assert legs(record)[0].exit.event.exit_reason == "liquidation"
    assert legs(record)[0].net == D("-27.5") - D(500) - (D(5_000) - D("427.5"))


@pytest.mark.parametrize(
    ("policy", "stop", "refused"), [("reject", None, "SL_BEYOND_LIQUIDATION"), ("warn", "45200", None),
                                    ("adjust", "45255.9", None)],
)  # fmt: skip
def test_row_6_7_stop_beside_liquidation(policy: str, stop: str | None, refused: str | None) -> None:
    """Row 6.7 SL vs liquidation: reject, warn, adjust to 45,255.89270451, on the tick 45,255.9 (golden vector 12)."""
    terms = costs(slippage=0, margin=margin(stop_beyond=policy))

    record = desk.run(piece(flat(50_000, 4), {0: long(stop=4_800)}), costs=terms, sizing=TEN)

    assert record.refusals == ({} if refused is None else {refused: 1})
    assert [fill.event.stop_price for fill in record.fills[:1]] == ([] if stop is None else [D(stop)])


# 6.8 Sizing


@pytest.mark.parametrize(
    ("row", "sizing", "facts", "wish", "quantity"),
    [
        ("percent_equity", {"model": "percent_equity", "value": D("0.5"), "max_leverage": D(4)}, {}, long(), "20"),
        ("risk_based", {"model": "risk_based", "value": D("0.0075")}, {"start_equity": 25_000}, long(stop=2.2),
         "85.227"),
        ("risk_based with costs", {"model": "risk_based", "value": D("0.0075"), "include_costs": True},
         {"start_equity": 25_000, "slippage": "0.0003"}, long(stop=2.2), "80.128"),
        ("fixed_usdt", {"model": "fixed_usdt", "value": D(150), "max_leverage": D(3)}, {}, long(), "4.5"),
        ("fixed_usdt as notional", {"model": "fixed_usdt", "value": D(150), "basis": "notional", "max_leverage": D(3)},
         {}, long(), "1.5"),
        ("capped by equity", {"model": "percent_equity", "value": D(1), "max_leverage": D(10)}, {}, long(), "95"),
        ("capped by fees", {"model": "percent_equity", "value": D(1), "max_leverage": D(10)}, {"max_position": "1"},
         long(), "98.911"),
        ("capped by max_notional", {"model": "percent_equity", "value": D(1)}, {"max_notional": 300}, long(), "3"),
        ("capped by max_margin", {"model": "percent_equity", "value": D(1), "max_leverage": D(4)}, {"max_margin": 50},
         long(), "2"),
    ],
)  # fmt: skip
def test_row_6_8_models_and_caps(
    row: str, sizing: dict[str, Any], facts: dict[str, Any], wish: desk.Wish, quantity: str
) -> None:
    """Row 6.8 percent_equity; Row 6.8 risk_based; Row 6.8 fixed_usdt; Row 6.8 caps (T20): 1,000 at a price of 100."""
    terms = costs(**{"slippage": 0, "start_equity": 1_000, "margin": margin(), **facts})

    record = desk.run(piece(flat(100, 3), {0: wish}), costs=terms, sizing=SizingTerms(**sizing))

    assert record.fills[0].event.quantity == D(quantity), row


def test_row_6_8_too_small_is_no_order() -> None:
    """Row 6.8 minimum: a notional of 5 below the least of 10 is no order; risk_based without a stop is none."""
    terms = costs(min_notional=10)
    small = desk.run(piece(flat(100, 3), {0: long()}), costs=terms, sizing=desk.units("0.05"))
    no_stop = desk.run(
        piece(flat(100, 3), {0: long()}), costs=terms, sizing=SizingTerms(model="risk_based", value=D("0.01"))
    )

    assert small.refusals == {"BELOW_MIN_NOTIONAL": 1}
    assert no_stop.refusals == {"RISK_INPUT_MISSING": 1}


# 6.9 Liquidity and impact


@pytest.mark.parametrize(("mode", "price"), [("disabled", "50010"), ("linear", "50022.5"), ("sqrt", "50065.90169944")])
def test_row_6_9_impact(mode: str, price: str) -> None:
    """Row 6.9 disabled; Row 6.9 linear; Row 6.9 sqrt: a participation of 0.05 (golden vector 31; T22, L2)."""
    rows = [(50_000.0,) * 4 + (20.0,)] * 4

    record = desk.run(piece(rows, {0: long()}), costs=costs(impact=ImpactTerms(mode=mode)))

    assert first(record)[4] == D(price).quantize(D("1e-8"))


def test_row_6_9_no_volume_no_fill() -> None:
    """Row 6.9 zero volume: no fill this minute."""
    rows = [(100.0,) * 4 + (volume,) for volume in (50.0, 0.0, 50.0, 50.0)]

    record = desk.run(piece(rows, {0: long()}), costs=costs(impact=ImpactTerms(mode="linear")))

    assert first(record)[1] == 2


def test_row_6_9_a_tenth_of_the_volume() -> None:
    """Row 6.9 max_volume_fraction: 5 units find 3 in a minute of 30 and 2 in the next; both make the entry price."""
    rows = [(100.0,) * 4 + (30.0,), (100.0,) * 4 + (30.0,), (101.0,) * 4 + (30.0,), (101.0,) * 4 + (900.0,)]

    record = desk.run(piece(rows, {0: long()}), costs=costs(max_volume_fraction="0.1"), sizing=desk.units(5))

    assert told(record)[:2] == [one("entry", 1, "open", "3", "100.02"), one("entry", 2, "open", "2", "101.0202")]
    assert legs(record)[0].gross == (5 * D("100.9798") - 3 * D("100.02") - 2 * D("101.0202")).quantize(D("1e-8"))


# 6.10 Partial closes and trade records


def test_44_to_46_row_6_10_three_legs() -> None:
    """Row 6.10: each reduction is a leg at its slipped fill (T23) with its share of fee and funding.

    Together they are the position (L1), and the account moved by their sum (P3).

    0.2 bought at 50,010 for 5.5011; at 08:00 1.002 of funding; 40 % closed at 50,500 (vector 44), the rest at 51,000.
    """
    due = fundings(np.array([3]), np.array([0.0001]), np.array([50_100.0]))
    rows = [*flat(50_000, 4), *flat(50_500, 2), (50_500, 51_000, 50_500, 51_000), *flat(51_000, 1)]
    order = OrderTerms(target_is_limit=True)

    record = desk.run(piece(rows, {0: long(target=990)}, {3: 0.4}, carry=due), costs=costs(), sizing=desk.units("0.2"),
                      order=order)  # fmt: skip

    one_leg, other = legs(record)
    assert (one_leg.quantity, one_leg.gross, one_leg.fees, one_leg.funding) == (
        D("0.08"), D("38.392"), D("2.20044") + D("2.2215556"), D("-0.4008"),
    )  # fmt: skip
    assert (other.quantity, other.gross, other.fees, other.funding) == (
        D("0.12"), D("118.8"), D("3.30066") + D("1.224"), D("-0.6012"),
    )  # fmt: skip
    assert one_leg.net + other.net == D("147.2433444")
    assert record.curve[0, -1] == (D(1_000_000) + D("147.2433444")) * 10**8


def test_row_6_10_a_ladder_leaves_by_legs() -> None:
    """Row 6.10 ladder: two steps and the rest share the number of the position and count their legs."""
    order = OrderTerms(
        target_is_limit=True,
        ladder=(LadderStep(ratio=D(1), share=D("0.5")), LadderStep(ratio=D(2), share=D("0.5"))),
    )
    rows = [*flat(100, 2), (100, 102, 100, 102), (102, 104, 102, 104), *flat(104, 1)]

    record = desk.run(piece(rows, {0: long(stop=2)}), costs=costs(slippage=0), sizing=desk.units(2), order=order)

    assert [(trade.number, trade.leg, trade.quantity, trade.exit.event.price) for trade in legs(record)] == [
        (1, 1, D(1), D(102)), (1, 2, D(1), D(104)),
    ]  # fmt: skip
