"""The golden vectors of plays.md 6.13 on the slow exchange: the hand figures are the anchor of the reference itself.

What an integration test then finds equal between engine and reference is as right as these figures.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from reference import margin
from reference.exchange import Exchange, Outcome, simulate
from reference.margin import bankruptcy_price, liquidation_price, maintenance, required, unrealised
from reference.plays import distance, limit_price
from reference.sizes import Admitted, admit, cap, size, wanted
from reference.terms import Bar, BreakEven, Decision, Plan, Rules, Step, Trail

D = Decimal
TEN = Rules(
    taker=D("0.00055"), maker=D("0.0002"), slippage=D("0.0002"), leverage=D(10), start=D(1_000_000),
    max_position=D(1), value=D("0.2"),
)  # fmt: skip
FIFTY = D(50_000)


def shown(value: Decimal | None) -> Decimal:
    """Return a figure to the ten decimals that the table shows."""
    assert value is not None
    return value.quantize(D("1e-10"))


def bar(o: Any, h: Any, l: Any, c: Any, volume: Any = 1, minute: int = 1) -> Bar:
    return Bar(D(str(o)), D(str(h)), D(str(l)), D(str(c)), D(str(volume)), minute)


def flat(price: Any, count: int = 1) -> list[Bar]:
    return [bar(price, price, price, price)] * count


def run(rules: Rules, bars: list[Bar], decisions: dict[int, Decision], every: int = 1) -> Outcome:
    """Decide at the close of each bar, or of each `every` bars."""
    return simulate(bars, range(every - 1, len(bars), every), decisions, rules)


def buy(**plan: Any) -> Decision:
    return Decision(side=1, plan=Plan(**plan))


def sell(**plan: Any) -> Decision:
    return Decision(side=-1, plan=Plan(**plan))


def limit(side: int, price: Any) -> Decision:
    return Decision(side=side, kind="limit", price=D(str(price)))


@pytest.mark.parametrize(
    ("rules", "side", "quantity", "extra", "liquidation", "bankruptcy"),
    [
        pytest.param(TEN, 1, "1", "0", "45251.1438483584", "45024.763619991", id="1"),
        pytest.param(TEN, -1, "1", "0", "54696.4347869325", "54969.7666283544", id="4"),
        pytest.param(TEN, 1, "0.5", "100", "45050.0276534768", "44824.6535594577", id="6"),
        pytest.param(TEN, -1, "0.5", "-60", "54577.0971110338", "54849.8325920744", id="7"),
        pytest.param(
            replace(TEN, liquidation=D("0.00075")), 1, "1", "0", "45251.1438483584", "45033.7753314986", id="10"
        ),
    ],
)
def test_1_to_10_liquidation_and_bankruptcy_prices(
    rules: Rules, side: int, quantity: str, extra: str, liquidation: str, bankruptcy: str
) -> None:
    held = (rules, side, D(quantity), FIFTY, D(extra))

    assert shown(liquidation_price(*held)) == D(liquidation)
    assert shown(bankruptcy_price(*held)) == D(bankruptcy)


@pytest.mark.parametrize(
    ("rules", "side", "quantity", "extra", "loss", "fee", "lost"),
    [
        pytest.param(TEN, 1, "1", "0", "4975.236380009", "24.763619991", "5000", id="2"),
        pytest.param(TEN, -1, "1", "0", "4969.7666283544", "30.2333716456", "5000", id="5"),
        pytest.param(TEN, 1, "0.5", "100", None, None, "2600", id="6"),
        pytest.param(TEN, -1, "0.5", "-60", None, None, "2440", id="7"),
        pytest.param(replace(TEN, liquidation=D("0.00075")), 1, "1", "0", None, "33.7753314986", "5000", id="10"),
    ],
)
def test_2_5_6_7_10_a_liquidation_loses_the_margin_and_nothing_else(
    rules: Rules, side: int, quantity: str, extra: str, loss: str | None, fee: str | None, lost: str
) -> None:
    """T19: isolated, and with its fee."""
    price = bankruptcy_price(rules, side, D(quantity), FIFTY, D(extra))
    fell = -unrealised(rules, side, D(quantity), FIFTY, price)
    paid = D(quantity) * price * rules.liquidation_rate

    assert loss is None or shown(fell) == D(loss)
    assert fee is None or shown(paid) == D(fee)
    assert shown(fell + paid) == D(lost) == margin.margin(rules, D(quantity), FIFTY, D(extra))


def test_3_at_the_liquidation_price_what_is_left_is_the_maintenance_margin() -> None:
    level = liquidation_price(TEN, 1, D(1), FIFTY)
    assert level is not None

    left = margin.margin(TEN, D(1), FIFTY) + unrealised(TEN, 1, D(1), FIFTY, level)

    assert shown(left) == shown(maintenance(TEN, D(1), FIFTY, level)) == D("251.1438483584")


def test_8_a_deduction_of_the_risk_tier_counts_once_for_the_position() -> None:
    tier = replace(TEN, leverage=D(20), maintenance=D("0.01"), deduction=D(10_000))

    assert shown(liquidation_price(tier, 1, D(60), FIFTY)) == D("47838.024491721")
    assert shown(liquidation_price(tier, -1, D(60), FIFTY)) == D("52116.8340672571")


def test_9_without_leverage_a_long_has_no_liquidation_price_and_a_short_has_one() -> None:
    plain = replace(TEN, leverage=D(1))

    assert liquidation_price(plain, 1, D(1), FIFTY) is None
    assert shown(liquidation_price(plain, -1, D(1), FIFTY)) == D("99448.0632489682")


def test_11_an_entry_needs_its_margin_and_its_fees() -> None:
    assert required(TEN, D("0.2") * FIFTY) == 1011
    assert required(replace(TEN, include_close_fee=False), D("0.2") * FIFTY) == D("1005.5")


def test_12_a_stop_beyond_liquidation_is_moved_before_it() -> None:
    asked = Decision(side=1, plan=Plan(stop=FIFTY * D("0.096"), targets=(Step(rr=D(2)),)))
    rules = replace(TEN, on_sl_beyond_liq="adjust")

    found = admit(rules, rules.start, FIFTY, asked)

    assert isinstance(found, Admitted)
    assert found.plan.stop is not None
    assert shown(FIFTY - found.plan.stop) == D("45255.89270451")
    assert admit(replace(TEN, on_sl_beyond_liq="reject"), D(10_000), FIFTY, asked) == "SL_BEYOND_LIQUIDATION"
    warned = admit(replace(TEN, on_sl_beyond_liq="warn"), rules.start, FIFTY, asked)
    assert isinstance(warned, Admitted)
    assert warned.plan.stop == FIFTY - 45_200


def test_an_adjusted_stop_takes_target_and_size_with_it() -> None:
    rules = replace(TEN, on_sl_beyond_liq="adjust", model="risk_based", value=D("0.01"), start=D(100_000))
    asked = Decision(side=1, plan=Plan(stop=FIFTY * D("0.096"), targets=(Step(rr=D(2)),)))

    found = admit(rules, rules.start, FIFTY, asked)

    assert isinstance(found, Admitted)
    assert found.quantity == D("0.21")  # 1000 / 4744.1073 of a unit
    outcome = run(replace(rules, slippage=D(0)), flat(50_000, 2), {0: asked})
    assert outcome.fills[0].targets == (D("59488.21"),)


def test_13_the_fee_safe_cap_needs_what_there_is() -> None:
    thousand = D(1000)

    assert shown(cap(TEN, thousand, thousand, D(1))) == D("9891.196834817")
    assert shown(required(TEN, cap(TEN, thousand, thousand, D(1)))) == 1000


def test_14_the_wrong_cap_would_fail_its_own_gate() -> None:
    """T21."""
    wrong = 1000 * TEN.leverage / (1 + 2 * TEN.taker)

    assert shown(wrong) == D("9989.0120867046")
    assert shown(required(TEN, wrong)) == D("1009.8891219658")
    assert shown(required(replace(TEN, include_close_fee=False), wrong)) == D("1004.3951653182")


@pytest.mark.parametrize(
    ("given", "money", "price", "stop", "notional"),
    [
        pytest.param(
            {"model": "percent_equity", "value": D("0.5"), "leverage": D(4)}, 1000, "1", None, "2000", id="15"
        ),
        pytest.param(
            {"model": "percent_equity", "value": D(1), "max_position": D("0.95")}, 1000, "1", None, "10000", id="16"
        ),
        pytest.param({"model": "risk_based", "value": D("0.0075")}, 25_000, "100", "2.2", "8522.7272727273", id="17"),
        pytest.param(
            {"model": "risk_based", "value": D("0.0075"), "include_costs": True, "slippage": D("0.0003")},
            25_000, "100", "2.2", "8012.8205128205", id="18",
        ),
        pytest.param({"model": "risk_based", "value": D("0.0075")}, 25_000, "100", "1.6", "11718.75", id="19"),
        pytest.param({"model": "fixed_usdt", "value": D(1500), "leverage": D(3)}, 9000, "1", None, "4500", id="20"),
        pytest.param(
            {"model": "fixed_usdt", "value": D(1500), "leverage": D(3), "basis": "notional"}, 9000, "1", None, "1500",
            id="20 notional",
        ),
    ],
)  # fmt: skip
def test_15_to_20_each_model_asks_for_its_own_notional(
    given: dict[str, Any], money: int, price: str, stop: str | None, notional: str
) -> None:
    """T20."""
    asked = wanted(replace(TEN, **given), D(money), D(money), D(price), None if stop is None else D(stop))

    assert shown(asked) == D(notional)


def test_16_the_share_of_equity_caps_what_was_asked() -> None:
    rules = replace(TEN, model="percent_equity", value=D(1), max_position=D("0.95"))

    assert size(rules, D(1000), D(1), None) == 9500


def test_21_the_margin_cap_counts_leverage_and_a_small_order_is_refused() -> None:
    capped = replace(TEN, leverage=D(4), max_margin=D(500))
    small = replace(TEN, model="fixed_usdt", value=D(5), basis="notional", min_notional=D(10))

    assert cap(capped, D(1_000_000), D(1_000_000), D(1)) == 2000
    assert size(small, D(1000), D(1), None) == "BELOW_MIN_NOTIONAL"


def test_22_the_quantity_is_rounded_down_to_the_lot() -> None:
    notional = D(25_000) * D("0.0075") / (D("2.2") / 100)
    rules = replace(TEN, model="fixed_usdt", basis="notional", value=notional, lot=D("0.1"))

    assert shown(notional / D("187.36")) == D("45.4885102088")
    assert size(rules, D(25_000), D("187.36"), None) == D("45.4")


@pytest.mark.parametrize(("basis", "level"), [("roi", 49_900), ("price", 49_000)])
def test_23_a_percent_stop(basis: str, level: int) -> None:
    assert FIFTY - distance({"type": "percent", "value": 2, "basis": basis}, FIFTY, D(0), D(10)) == level


@pytest.mark.parametrize(("basis", "level"), [("roi", 49_375), ("price", 47_500)])
def test_24_a_percent_target(basis: str, level: int) -> None:
    assert FIFTY - distance({"type": "percent", "value": 5, "basis": basis}, FIFTY, D(0), D(4)) == level


@pytest.mark.parametrize(
    ("side", "fill", "stop", "target"),
    [(1, "187.36", "160.11", "255.49"), (-1, "187.36", "214.61", "119.23"), (1, "187.41", "160.16", "255.54")],
    ids=["25", "26", "27"],
)
def test_25_to_27_levels_are_distances_from_the_fill(side: int, fill: str, stop: str, target: str) -> None:
    rule = {"type": "atr_multiple", "value": 2.2, "buffer_pct": 0.05}
    apart = distance(rule, D("187.36"), D("12.345678"), D(1))
    plan = Plan(stop=apart, targets=(Step(rr=D("2.5")),))

    outcome = run(
        replace(TEN, slippage=D(0), leverage=D(1)), [*flat("187.36"), *flat(fill, 2)], {0: Decision(side, plan=plan)}
    )

    assert apart == D("27.2541716")
    assert (outcome.fills[0].stop, outcome.fills[0].targets) == (D(stop), (D(target),))


@pytest.mark.parametrize(("side", "peak", "level"), [(1, 190, "187.7"), (-1, 184, "187.12")])
def test_28_break_even_moves_the_stop_beyond_the_entry(side: int, peak: int, level: str) -> None:
    plan = Plan(stop=D(5), break_even=BreakEven(D("0.012"), D("0.0015")))
    rows = [*flat("187.41", 2), *flat(peak), *flat("187.41", 2)]

    outcome = run(replace(TEN, slippage=D(0)), rows, {0: Decision(side, plan=plan)})

    assert (outcome.fills[1].final_stop, outcome.fills[1].reason, outcome.fills[1].row) == (D(level), "breakeven", 3)


def test_29_a_limit_price_lies_on_the_tick_that_pays_less() -> None:
    assert limit_price(D(2500), 1, 0.03) == D("2499.25")
    assert limit_price(D(2500), -1, 0.03) == D("2500.75")
    for side, touched, price in ((1, "2499.2", "2499.2"), (-1, "2500.8", "2500.8")):
        asked = limit(side, limit_price(D(2500), side, 0.03))
        rows = [*flat(2500, 2), *flat(touched, 2)]
        outcome = run(replace(TEN, tick=D("0.1")), rows, {0: asked})
        assert (outcome.fills[0].price, outcome.fills[0].taker, outcome.fills[0].row) == (D(price), False, 2)


@pytest.mark.parametrize(("side", "price"), [(1, 50_010), (-1, 49_990)])
def test_30_a_market_order_pays_the_slippage(side: int, price: int) -> None:
    assert run(TEN, flat(50_000, 3), {0: Decision(side)}).fills[0].price == price


@pytest.mark.parametrize(
    ("mode", "bps", "price"), [("linear", "2.5", "50022.5"), ("sqrt", "11.1803398875", "50065.9016994375")]
)
def test_31_a_large_order_moves_the_price(mode: str, bps: str, price: str) -> None:
    """0.2 units at 50,000 in a minute of 4 units: a twentieth."""
    rules = replace(TEN, impact=mode)
    rows = [*flat(50_000), bar(50_000, 50_000, 50_000, 50_000, volume=4), *flat(50_000)]

    fill = run(rules, rows, {0: Decision(1)}).fills[0]

    assert shown(fill.price) == D(price)
    assert shown((fill.price / FIFTY - 1 - rules.slippage) * 10_000) == D(bps)


def test_31_the_impact_ends_at_its_largest() -> None:
    """T22: that is a hundred times what the trap allows."""
    exchange = Exchange(replace(TEN, impact="sqrt"))
    exchange.now = bar(50_000, 50_000, 50_000, 50_000, volume="0.001")

    assert exchange.impact(D("0.2"), FIFTY) == D("0.01")


@pytest.mark.parametrize(
    ("minute", "price"), [((49_600, 49_600, 49_400, 49_500), "49490.1"), ((49_300, 49_300, 49_300, 49_300), "49290.14")]
)
def test_32_a_stop_order_fills_at_the_worse_of_trigger_and_open(minute: tuple[int, ...], price: str) -> None:
    asked = Decision(side=-1, kind="stop", price=D(49_500))

    assert run(TEN, [*flat(50_000), bar(*minute), *flat(49_300)], {0: asked}).fills[0].price == D(price)


def test_32_a_protective_stop_does_too() -> None:
    """T26."""
    for minute, price in (
        ((49_600, 49_600, 49_400, 49_500), "49490.1"),
        ((49_300, 49_300, 49_300, 49_300), "49290.14"),
    ):
        outcome = run(TEN, [*flat(50_000, 2), bar(*minute), *flat(49_300)], {0: buy(stop=D(510))})
        assert (outcome.fills[0].stop, outcome.fills[1].price) == (49_500, D(price))


@pytest.mark.parametrize(
    ("side", "minutes", "price", "taker"),
    [
        pytest.param(1, [("99.5",) * 4], "99.5199", True, id="33"),
        pytest.param(1, [("99.99",) * 4], "100", True, id="33 capped"),
        pytest.param(-1, [("100.6",) * 4], "100.57988", True, id="34"),
        pytest.param(1, [("100.5", "100.5", "99.9", "100.2")], "100", False, id="35 touched"),
        pytest.param(1, [("100.5",) * 4, ("99.2",) * 4], "99.2", False, id="35 opened through"),
        pytest.param(1, [("100.5", "100.5", "100", "100.5")], "100", False, id="36"),
    ],
)
def test_33_to_36_limits(side: int, minutes: list[tuple[str, ...]], price: str, taker: bool) -> None:
    """T30: marketable on arrival pays the taker's fee."""
    rows = [*flat(101), *(bar(*minute) for minute in minutes), *flat(101)]

    fill = run(TEN, rows, {0: limit(side, 100)}).fills[0]

    assert (fill.price, fill.taker) == (D(price), taker)


def test_36_a_touch_is_no_fill_where_the_price_must_go_through() -> None:
    rows = [*flat(101), bar("100.5", "100.5", 100, "100.5")]

    assert run(replace(TEN, trade_through=True), rows, {0: limit(1, 100)}).fills == []


@pytest.mark.parametrize("tif", ["IOC", "FOK"])
def test_37_an_order_that_may_not_rest_dies_where_the_open_is_beyond_it(tif: str) -> None:
    rows = [*flat(101), bar("100.5", "100.5", 99, "100.5"), *flat(99)]

    outcome = run(replace(TEN, time_in_force=tif), rows, {0: limit(1, 100)})

    assert (outcome.fills, outcome.dead) == ([], [(1, f"{tif}_UNFILLED")])


@pytest.mark.parametrize(
    ("tif", "filled", "dead"), [("IOC", [30], [(1, "LIQUIDITY")]), ("FOK", [], [(1, "FOK_UNFILLED")])]
)
def test_38_an_order_that_may_not_rest_finds_a_tenth_of_the_volume(
    tif: str, filled: list[int], dead: list[Any]
) -> None:
    rules = replace(TEN, time_in_force=tif, value=D(50), volume_fraction=D("0.10"))
    rows = [*flat(101), bar("99.5", "99.5", "99.5", "99.5", volume=300), *flat("99.5")]

    outcome = run(rules, rows, {0: limit(1, 100)})

    assert [fill.quantity for fill in outcome.fills[:1]] == filled
    assert all(fill.price == D("99.5199") for fill in outcome.fills[:1])
    assert outcome.dead == dead


def test_39_post_only() -> None:
    rules = replace(TEN, time_in_force="PostOnly")

    crossing = run(rules, [*flat(101), bar(100, 101, 99, 100)], {0: limit(1, 100)})
    resting = run(rules, [*flat(101), bar("100.1", "100.1", "99.9", 100)], {0: limit(1, 100)})

    assert (crossing.fills, crossing.dead) == ([], [(1, "POST_ONLY_WOULD_CROSS")])
    assert (resting.fills[0].price, resting.fills[0].taker) == (100, False)


@pytest.mark.parametrize(("touched", "filled"), [(14, True), (15, False)])
@pytest.mark.parametrize("intrabar", [False, True])
def test_40_an_entry_of_three_bars_lives_in_the_minutes_that_open_within_them(
    touched: int, filled: bool, intrabar: bool
) -> None:
    rows = flat(101, 25)
    rows[5 + touched] = bar(101, 101, "99.5", 101)
    decisions = {4 if intrabar else 0: limit(1, 100)}
    rules = replace(TEN, expire_bars=3)

    outcome = simulate(rows, range(4, 25, 5), decisions, rules, intrabar=intrabar, rows_per_exec=5)

    assert [fill.row for fill in outcome.fills[:1]] == ([5 + touched] if filled else [])
    assert outcome.dead == ([] if filled else [(19, "EXPIRED")])


def test_41_fees() -> None:
    taker = run(TEN, flat(50_000, 3), {0: Decision(1)}).fills[0]
    maker = run(TEN, [*flat(50_000), bar(50_000, 50_000, 49_985, 50_000)], {0: limit(1, 49_985)}).fills[0]

    assert (taker.price, taker.fee) == (50_010, D("5.5011"))
    assert (maker.price, maker.fee) == (49_985, D("1.9994"))


def at_eight(price: Any) -> Bar:
    return bar(price, price, price, price, minute=480)


@pytest.mark.parametrize(
    ("side", "rate", "paid"), [(1, "0.0001", "-1.002"), (-1, "0.0001", "1.002"), (1, "-0.00025", "2.505")]
)
def test_42_funding_is_the_rate_of_the_mark_value(side: int, rate: str, paid: str) -> None:
    rows = [*flat(50_100, 2), at_eight(50_100), *flat(50_100)]

    outcome = run(replace(TEN, funding=D(rate)), rows, {0: Decision(side)})

    assert outcome.fills[1].funding == D(paid)


@pytest.mark.parametrize(("decided", "left", "paid"), [(0, 1, True), (1, 3, False)], ids=["07:59 to 08:00", "08:00 on"])
def test_43_funding_is_paid_by_who_held_before_it(decided: int, left: int, paid: bool) -> None:
    rows = [*flat(50_000, 2), at_eight(50_000), *flat(50_000, 3)]
    decisions = {decided: Decision(1), left: Decision(leave_long=D(1))}

    outcome = run(replace(TEN, funding=D("0.0001")), rows, decisions)

    assert [fill.row for fill in outcome.fills] == [decided + 1, left + 1]
    assert outcome.fills[1].funding == (D("-1") if paid else 0)


def test_44_to_46_a_position_closed_in_two_legs() -> None:
    """T23: at the slipped price, with a record each."""
    rules = replace(TEN, funding=D("0.0001"), target_is_limit=True)
    rows = [
        *flat(50_000, 2), bar(50_100, 50_100, 50_100, 50_100, minute=480), *flat(50_500, 2),
        bar(50_600, 51_000, 50_600, 50_900), *flat(50_900),
    ]  # fmt: skip
    decisions = {0: buy(targets=(Step(D(990)),)), 3: Decision(leave_long=D("0.4"))}

    outcome = run(rules, rows, decisions)
    entry, part, rest = outcome.fills

    assert (entry.price, entry.fee) == (50_010, D("5.5011"))
    assert (part.price, -part.quantity, part.gross) == (D("50489.9"), D("0.08"), D("38.392"))
    assert (part.entry_fee, part.fee, part.funding) == (D("2.20044"), D("2.2215556"), D("-0.4008"))
    assert part.net == D("33.5692044")
    assert (-rest.quantity, rest.entry_fee, rest.funding) == (D("0.12"), D("3.30066"), D("-0.6012"))
    assert (rest.price, rest.gross, rest.fee) == (51_000, D("118.8"), D("1.224"))
    assert (rest.net, part.net + rest.net) == (D("113.67414"), D("147.2433444"))
    assert [(leg.reason, leg.number, leg.position) for leg in (part, rest)] == [("signal", 1, 1), ("tp", 2, 1)]
    assert outcome.cash - rules.start == part.net + rest.net


def test_45_the_margin_shrinks_with_the_position() -> None:
    exchange = Exchange(replace(TEN, slippage=D("0.0002")))
    exchange.decide(0, 0, flat(50_000)[0], Decision(1), 1)
    exchange.bar(1, flat(50_000)[0])
    assert exchange.held is not None
    assert margin.margin(exchange.rules, exchange.held.units, exchange.held.entry) == D("1000.2")

    exchange.leave(2, "open", D(50_500), D("0.08"), "exit", "signal")

    assert margin.margin(exchange.rules, exchange.held.units, exchange.held.entry) == D("600.12")


def test_47_a_gap_beyond_bankruptcy_is_a_liquidation_there() -> None:
    rules = replace(TEN, slippage=D(0), value=D("0.1"))
    rows = [*flat(50_000, 2), *flat(44_000, 2)]

    outcome = run(rules, rows, {0: buy(stop=D(1000))})
    end = outcome.fills[1]

    assert (end.point, end.leg, end.reason, shown(end.price)) == ("open", "guard", "liquidation", D("45024.763619991"))
    assert (end.gross, end.fee) == (D("-497.5236380"), D("2.47636200"))
    assert end.gross - end.fee == -500
    assert outcome.stopped == "liquidated"


def test_a_trailing_stop_follows_closes_and_holds_from_the_next_minute_on() -> None:
    """T15: the close of 110 puts the stop to 108 for the next minute; the low of its own minute was 103."""
    plan = {"stop": D(5), "trail": Trail(distance=D(2), activation=D("0.05"))}
    rows = [*flat(100, 2), bar(100, 104, 97, 104), bar(104, 110, 103, 110), bar(109, 109, "107.5", 108), *flat(108)]

    outcome = run(replace(TEN, slippage=D(0)), rows, {0: buy(**plan)})

    end = outcome.fills[1]
    assert (end.row, end.point, end.price, end.reason) == (4, "inside", 108, "trailing")
    assert (outcome.fills[0].stop, end.final_stop) == (95, 108)


def test_a_ladder_fills_nearest_first_and_its_last_step_takes_the_rest() -> None:
    """Of 7 lots 33 % are 2, 33 % are 2 again, and 3 are left."""
    steps = tuple(Step(D(away), share=D(share)) for away, share in (("6", "0.34"), ("2", "0.33"), ("4", "0.33")))
    rules = replace(TEN, slippage=D(0), lot=D(1), value=D(7), min_quantity=D(1))
    rows = [*flat(100, 2), bar(101, 104, 101, 103), bar(107, 107, 106, 107), *flat(107)]

    outcome = run(rules, rows, {0: buy(stop=D(5), targets=steps)})

    assert [(f.row, f.point, -f.quantity, f.price, f.number) for f in outcome.fills[1:]] == [
        (2, "inside", 2, 102, 1), (2, "inside", 2, 104, 2), (3, "open", 3, 107, 3),
    ]  # fmt: skip


def test_less_than_a_lot_closes_nothing() -> None:
    rules = replace(TEN, lot=D(1), value=D(3), min_quantity=D(1))

    outcome = run(rules, flat(100, 5), {0: Decision(1), 1: Decision(leave_long=D("0.3"))})

    assert [(fill.reason, -fill.quantity) for fill in outcome.fills[1:]] == [("end_of_data", 3)]


@pytest.mark.parametrize(
    ("minute", "point", "reason"),
    [
        pytest.param((100, 100, "90.5", 95), "inside", "liquidation", id="liquidation before a stop beyond it"),
        pytest.param((90, 90, 90, 90), "open", "liquidation", id="gap over it"),
        pytest.param((100, 111, "90.5", 95), "inside", "liquidation", id="liquidation before a target"),
    ],
)
def test_liquidation_comes_first_where_it_lies_before_the_stop(
    minute: tuple[Any, ...], point: str, reason: str
) -> None:
    rules = replace(TEN, on_sl_beyond_liq="warn")

    outcome = run(rules, [*flat(100, 2), bar(*minute), *flat(95)], {0: buy(stop=D("9.8"), targets=(Step(D(10)),))})

    assert (outcome.fills[1].point, outcome.fills[1].reason) == (point, reason)


def test_a_stop_before_liquidation_comes_first_in_the_minute_that_reaches_both() -> None:
    outcome = run(TEN, [*flat(100, 2), bar(100, 100, 80, 90), *flat(90)], {0: buy(stop=D(5))})

    assert (outcome.fills[1].reason, outcome.fills[1].final_stop) == ("sl", D("95.02"))


def test_a_run_may_go_on_after_a_liquidation() -> None:
    rules = replace(TEN, continue_after_liquidation=True, value=D(1))
    rows = [*flat(100, 2), *flat(80, 4)]

    outcome = run(rules, rows, {0: Decision(1), 3: Decision(1)})

    assert [fill.leg for fill in outcome.fills] == ["entry", "guard", "entry", "guard"]
    assert [fill.reason for fill in outcome.fills[1::2]] == ["liquidation", "end_of_data"]
    assert outcome.stopped is None


def test_funding_that_free_cash_cannot_pay_is_taken_from_the_margin() -> None:
    """9,900 of 10,000 are margin, 98 are left after the fee; 990 are due."""
    rules = replace(
        TEN, start=D(10_000), value=D(990), funding=D("0.01"), slippage=D(0), taker=D(0), include_close_fee=False,
        max_position=D(1),
    )  # fmt: skip
    exchange = Exchange(rules)
    exchange.decide(0, 0, flat(100)[0], Decision(1), 1)
    exchange.bar(1, flat(100)[0])
    assert exchange.held is not None
    exchange.bar(2, at_eight(100))

    assert (exchange.out.cash, exchange.held.funding) == (9010, -990)
    assert exchange.held.extra == -890
    assert margin.margin(rules, exchange.held.units, exchange.held.entry, exchange.held.extra) == 9010


def test_only_one_entry_is_made_in_an_exec_bar() -> None:
    """Asked at each minute: stopped out in the second bar of five minutes, the next entry is one of the third bar.

    An order of the last minute of a bar has its first minute in the next, and is that one's entry.
    """
    rows = [*flat(100, 3), bar(100, 100, 94, 95), *flat(95, 9)]
    decisions = dict.fromkeys(range(1, 12), buy(stop=D(5)))

    outcome = simulate(rows, [0, 5, 10], decisions, replace(TEN, slippage=D(0)), intrabar=True, rows_per_exec=5)

    assert [(fill.leg, fill.row) for fill in outcome.fills] == [
        ("entry", 2), ("stop", 3), ("entry", 6), ("guard", 12),
    ]  # fmt: skip


def test_an_entry_whose_plan_lacks_an_input_is_refused() -> None:
    """T4: no position without the stop that was asked for, and no target without the stop it counts."""
    without_stop = buy(targets=(Step(rr=D(2)),))

    assert admit(TEN, D(10_000), FIFTY, without_stop) == "RISK_INPUT_MISSING"
    assert admit(replace(TEN, model="risk_based"), D(10_000), FIFTY, Decision(1)) == "RISK_INPUT_MISSING"
