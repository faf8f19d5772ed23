"""Rules of section 6 that have no golden vector of their own, on bars drawn by hand: the slow exchange by itself.

Pieces of a fill (6.9), prices that fire stops (6.1, 6.6), stop-limits (6.1), risk tiers (6.7, 6.8) and the history of
funding (6.5).
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from reference.exchange import Outcome, simulate
from reference.margin import bankruptcy_price, liquidation_price, tier_of
from reference.sizes import tier_cap
from reference.terms import Bar, Decision, Plan, Rules, Step, Tier

D = Decimal
PLAIN = Rules(start=D(1_000_000), taker=D("0.00055"), maker=D("0.0002"), slippage=D("0.0002"), value=D(50))
TENTH = replace(PLAIN, volume_fraction=D("0.1"))


def bar(o: Any, h: Any = None, l: Any = None, c: Any = None, volume: Any = 1000, **facts: Any) -> Bar:
    prices = (o, o if h is None else h, o if l is None else l, o if c is None else c, volume)
    return Bar(*(D(str(price)) for price in prices), **facts)


def run(rules: Rules, bars: list[Bar], decisions: dict[int, Decision]) -> Outcome:
    return simulate(bars, range(len(bars)), decisions, rules)


def fills(outcome: Outcome) -> list[tuple[int, str, str, Decimal, Decimal, bool]]:
    """Row, point, leg, signed quantity, price and whether it took, of every fill."""
    return [(f.row, f.point, f.leg, f.quantity, f.price, f.taker) for f in outcome.fills]


def buy(**facts: Any) -> Decision:
    plan = Plan(**{name: facts.pop(name) for name in ("stop", "targets", "ladder") if name in facts})
    return Decision(side=1, plan=plan, **facts)


def test_a_market_order_goes_on_at_the_next_open_and_the_entry_price_is_the_mean() -> None:
    """50 units, 30 and then 20: 30 at 100.02 and 20 at 101.0202; (3000.6 + 2020.404) / 50 = 100.42008."""
    bars = [bar(100), bar(100, volume=300), bar(101), bar(110)]

    outcome = run(TENTH, bars, {0: buy()})

    assert fills(outcome)[:2] == [
        (1, "open", "entry", D(30), D("100.02"), True), (2, "open", "entry", D(20), D("101.0202"), True),
    ]  # fmt: skip
    last = outcome.fills[-1]
    assert (last.reason, last.entry_fee) == ("end_of_data", D("1.65033") + D("1.11122220"))
    assert last.gross == 50 * (D("109.978") - D("100.42008"))


def test_levels_are_set_anew_from_the_mean_with_each_piece() -> None:
    bars = [bar(100), bar(100, volume=300), bar(101), bar(101)]

    outcome = run(TENTH, bars, {0: buy(stop=D(5), targets=(Step(D(10)),))})

    assert [(f.stop, f.targets) for f in outcome.fills[:2]] == [
        (D("95.02"), (D("110.02"),)), (D("95.43"), (D("110.42"),)),
    ]  # fmt: skip


def test_a_stop_fired_in_pieces_goes_on_at_the_next_open_and_ends_the_entry() -> None:
    """30 of 50 are in when the stop at 95.02 fires in a minute with room for 4: 94.98 and more follows."""
    bars = [bar(100), bar(100, volume=300), bar(100, 100, 94, 94, volume=40), bar(97, volume=90), bar(98, volume=9999)]

    outcome = run(TENTH, bars, {0: buy(stop=D(5))})

    assert fills(outcome)[1:] == [
        (2, "open", "entry", D(4), D("100.02"), True),
        (3, "open", "stop", D(-9), D("96.9806"), True), (4, "open", "stop", D(-25), D("97.9804"), True),
    ]  # fmt: skip
    assert {f.reason for f in outcome.fills[1:]} == {"", "sl"}


def test_a_resting_limit_fills_in_pieces_as_a_maker() -> None:
    bars = [bar(101), bar(101, 101, 99, 100, volume=200), bar(99, volume=100), bar(102), bar(99.5, volume=9999)]

    outcome = run(TENTH, bars, {0: buy(kind="limit", price=D(100))})

    assert fills(outcome)[:3] == [
        (1, "inside", "entry", D(20), D(100), False), (2, "open", "entry", D(10), D(99), False),
        (4, "open", "entry", D(20), D("99.5"), False),
    ]  # fmt: skip


def test_a_limit_target_rests_on_and_a_market_target_goes_on_at_the_next_open() -> None:
    bars = [bar(100), bar(100), bar(101, 106, 101, 104, volume=200), bar(104), bar(105.5, volume=9999)]
    wish = {0: buy(targets=(Step(D(5)),))}

    market = run(TENTH, bars, wish)
    limit = run(replace(TENTH, target_is_limit=True, slippage=D(0)), bars, wish)

    assert fills(market)[1:] == [
        (2, "inside", "target", D(-20), D("104.998996"), True), (3, "open", "target", D(-30), D("103.9792"), True),
    ]  # fmt: skip
    assert fills(limit)[1:] == [
        (2, "inside", "target", D(-20), D(105), False), (4, "open", "target", D(-30), D("105.5"), False),
    ]  # fmt: skip


@pytest.mark.parametrize(("tif", "filled", "dead"), [("IOC", [D(30)], ["LIQUIDITY"]), ("FOK", [], ["FOK_UNFILLED"])])
def test_what_may_not_rest_takes_what_there_is_or_nothing(tif: str, filled: list[Decimal], dead: list[str]) -> None:
    rules = replace(TENTH, time_in_force=tif)

    outcome = run(rules, [bar(100), bar(99.5, volume=300), bar(99)], {0: buy(kind="limit", price=D(100))})

    assert [f.quantity for f in outcome.fills if f.leg == "entry"] == filled
    assert [reason for _, reason in outcome.dead] == dead


MARK = replace(PLAIN, trigger="MarkPrice", slippage=D(0), value=D(1))


@pytest.mark.parametrize(
    ("minute", "told"),
    [
        pytest.param(bar(99, 99, 90, 96, mark=(D(99), D(99), D(96))), None, id="the last price fires nothing"),
        pytest.param(bar(99, 99, 97, 98, mark=(D(99), D(99), D(94))), ("inside", D(95)), id="at the level"),
        pytest.param(bar(93, 94, 92, 93, mark=(D(99), D(99), D(94))), ("inside", D(93)), id="worse at the open"),
        pytest.param(bar(97, 97, 96, 97, mark=(D(94), D(95), D(94))), ("open", D(95)), id="a gap of the mark alone"),
    ],
)
def test_the_mark_price_fires_a_stop_that_fills_at_the_worse_of_level_and_open(
    minute: Bar, told: tuple[str, Decimal] | None
) -> None:
    outcome = run(MARK, [bar(100), bar(100), minute, bar(100)], {0: buy(stop=D(5))})

    exits = [(f.point, f.price) for f in outcome.fills if f.leg == "stop"]
    assert exits == ([] if told is None else [told])


def test_a_market_target_fired_by_the_mark_fills_at_its_level() -> None:
    minute = bar(101, 103, 100, 102, mark=(D(101), D(106), D(101)))

    outcome = run(MARK, [bar(100), bar(100), minute], {0: buy(targets=(Step(D(5)),))})

    assert fills(outcome)[1] == (2, "inside", "target", D(-1), D(105), True)


STOP_LIMIT = replace(PLAIN, value=D(1))


@pytest.mark.parametrize(
    ("limit", "minutes", "told"),
    [
        pytest.param("106", [bar(101, 107, 101, 104)], (1, "inside", D("105.021"), True), id="taken at the trigger"),
        pytest.param("105.01", [bar(101, 107, 101, 104)], (1, "inside", D("105.01"), True), id="never above its limit"),
        pytest.param("106", [bar(108, 108, 107, 107), bar(106.5, 106.5, 105.5)], (2, "inside", D(106), False),
                     id="opened over, rests, comes back"),
        pytest.param("104", [bar(101, 107, 101, 103.9)], (1, "inside", D(104), False), id="closes through its limit"),
        pytest.param("104", [bar(101, 107, 101, 104.5), bar(103)], (2, "open", D(103), False), id="rests"),
    ],
)  # fmt: skip
def test_a_stop_limit_is_a_limit_from_the_moment_of_its_trigger(
    limit: str, minutes: list[Bar], told: tuple[int, str, Decimal, bool]
) -> None:
    wish = buy(kind="stop_limit", price=D(105), limit=D(limit))

    outcome = run(STOP_LIMIT, [bar(100), *minutes, bar(110)], {0: wish})

    entry = outcome.fills[0]
    assert (entry.row, entry.point, entry.price, entry.taker) == told


@pytest.mark.parametrize(("tif", "dead"), [("IOC", "IOC_UNFILLED"), ("PostOnly", "POST_ONLY_WOULD_CROSS")])
def test_time_in_force_of_a_stop_limit_counts_from_its_trigger(tif: str, dead: str) -> None:
    rules, beyond = replace(STOP_LIMIT, time_in_force=tif), "104" if tif == "IOC" else "106"
    wish = buy(kind="stop_limit", price=D(105), limit=D(beyond))

    outcome = run(rules, [bar(100), bar(101), bar(101, 107, 101, 103), bar(103)], {0: wish})

    assert outcome.fills == []
    assert outcome.dead == [(2, dead)]


TIERS = (
    Tier(D(100_000), D("0.005"), D(0), D(100)), Tier(D(1_000_000), D("0.01"), D(500), D(50)),
    Tier(D(5_000_000), D("0.025"), D(15_500), D(20)),
)  # fmt: skip


def test_8_the_tier_of_the_notional_gives_rate_and_deduction() -> None:
    rules = Rules(taker=D("0.00055"), leverage=D(20), tiers=(TIERS[0], Tier(D(9_000_000), D("0.01"), D(10_000), D(50))))

    assert tier_of(rules, D(100_000)).maintenance == D("0.005")
    level = liquidation_price(rules, 1, D(60), D(50_000))
    assert level is not None
    assert level.quantize(D("1e-9")) == D("47838.024491721")


@pytest.mark.parametrize(("leverage", "cap"), [(10, 5_000_000), (20, 5_000_000), (25, 1_000_000), (100, 100_000)])
def test_no_more_is_held_than_the_tiers_allow_at_this_leverage(leverage: int, cap: int) -> None:
    assert tier_cap(Rules(leverage=D(leverage), tiers=TIERS)) == cap


def test_a_partial_close_may_fall_into_a_lower_tier() -> None:
    rules = Rules(taker=D(0), leverage=D(10), tiers=TIERS)

    whole, half = liquidation_price(rules, 1, D(1500), D(100)), liquidation_price(rules, 1, D(750), D(100))

    assert whole == (D(150_000) * D("0.9") - 500) / (1500 * D("0.99"))
    assert half == (D(75_000) * D("0.9")) / (750 * D("0.995"))
    assert bankruptcy_price(rules, 1, D(1500), D(100)) == 90


def test_18_history_pays_at_the_price_that_comes_with_it() -> None:
    """T18, vector 42: 1 unit at a mark of 50,100 and 0.0001 pays 5.01; without a mark the open of the bar counts."""
    history = replace(PLAIN, value=D(1), slippage=D(0), taker=D(0))
    due = [bar(50_000, funding=((D("0.0001"), D(50_100)),)), bar(50_200, funding=((D("-0.00025"), None),))]

    outcome = run(history, [bar(50_000), bar(50_000), *due], {0: buy()})

    assert outcome.fills[-1].funding == D("-5.01") + D("12.55")


LIMIT_STOP = replace(PLAIN, value=D(1), slippage=D("0.001"), stop_is_limit=True)


@pytest.mark.parametrize(
    ("minutes", "told"),
    [
        pytest.param([bar(99, 99, 90, 96)], (2, "inside", D("95.10"), True), id="reached inside, takes at its level"),
        pytest.param([bar(94, 94, 93, 94), bar(94, 96, 94, 95)], (3, "inside", D("95.10"), False), id="rests in a gap"),
        pytest.param([bar(94, 96, 93, 94)], (2, "inside", D("95.10"), False), id="comes back within the minute"),
        pytest.param([bar(94, 94, 93, 94), bar(97, 97, 96, 96)], (3, "open", D(97), False), id="opens above it"),
    ],
)
def test_a_stop_of_type_limit_pays_no_slippage_and_may_wait(minutes: list[Bar], told: tuple[Any, ...]) -> None:
    """Bought at 100.10, so the stop lies at 95.10."""
    outcome = run(LIMIT_STOP, [bar(100), bar(100), *minutes, bar(80)], {0: buy(stop=D(5))})

    assert [(f.row, f.point, f.price, f.taker) for f in outcome.fills if f.leg == "stop"] == [told]
