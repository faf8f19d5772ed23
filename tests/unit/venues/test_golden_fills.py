"""Golden vectors 23 to 41 of plays.md 6.13, through whole runs of hand-made bars in both lanes.

Those of leverage, impact, liquidity, break-even, funding and partial closes have no code yet.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

import desk
from desk import NAN, account, flat, long, piece, short
from evenkeel.engine.record import RunRecord
from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.risk import PercentDistance, RiskReader
from evenkeel.strategies.play.schema import RiskSection
from evenkeel.strategies.terms import OrderTerms

TWO_BPS = "0.0002"
COSTS = account(taker="0.00055", maker="0.0002", slippage=TWO_BPS, start_equity=1_000_000)


def shown(price: Decimal) -> Decimal:
    """Return a price to the ten decimals that the table shows."""
    return price.quantize(Decimal("1e-10"))


def first(record: RunRecord) -> tuple[Decimal, str]:
    """Return price and liquidity of the first fill."""
    event = record.fills[0].event
    return shown(event.price), "taker" if event.taker else "maker"


def exact(text: str) -> Decimal:
    return Decimal(text)


@pytest.mark.parametrize(("basis", "level"), [("roi", 49_900), ("price", 49_000)])
def test_23_a_percent_stop_counts_margin_or_price(basis: str, level: int) -> None:
    stop = _distance({"stop_loss": {"type": "percent", "value": 2.0, "basis": basis}}, leverage=10, which="stop")

    assert 50_000 - 50_000 * stop == pytest.approx(level, abs=1e-9)


@pytest.mark.parametrize(("basis", "level"), [("roi", 49_375), ("price", 47_500)])
def test_24_a_percent_target_counts_margin_or_price(basis: str, level: int) -> None:
    target = _distance({"take_profit": {"type": "percent", "value": 5.0, "basis": basis}}, leverage=4, which="target")

    assert 50_000 - 50_000 * target == pytest.approx(level, abs=1e-9)


def _distance(section: dict[str, object], *, leverage: float, which: str) -> float:
    nothing: ProblemLog = None  # type: ignore[assignment]
    scope = None
    risk = RiskReader(scope, ("risk",), leverage, nothing).read(RiskSection.model_validate(section))  # type: ignore[arg-type]
    rule = getattr(risk, which)
    assert isinstance(rule, PercentDistance)
    return rule.fraction


@pytest.mark.parametrize(
    ("wish", "fill", "stop", "target"),
    [
        (long, 187.36, "160.11", "255.49"),
        (short, 187.36, "214.61", "119.23"),
        (long, 187.41, "160.16", "255.54"),
    ],
    ids=["25 long", "26 short", "27 shifted to the fill"],
)
def test_25_to_27_levels_are_distances_from_the_fill_rounded_towards_the_entry(
    wish: object, fill: float, stop: str, target: str
) -> None:
    distance = 12.345678 * 2.2 + 187.36 * 0.05 / 100
    assert distance == pytest.approx(27.2541716, abs=1e-12)

    entry = desk.run(
        piece([*flat(187.36, 1), *flat(fill, 2)], {0: wish(stop=distance, target=distance * 2.5)})  # type: ignore[operator]
    ).fills[0].event  # fmt: skip

    assert (entry.stop_price, entry.target_price) == (exact(stop), exact(target))


@pytest.mark.parametrize(("action", "limit"), [("entry_long", "2499.2"), ("entry_short", "2500.8")])
def test_29_a_limit_price_lies_the_offset_away_and_on_the_tick(action: str, limit: str) -> None:
    strategy = desk.play_of(
        f"""
        version: "3.0.0"
        name: limit_price
        symbol: X
        timeframes: {{ low_tf: 1m, med_tf: 1m, high_tf: 1m, exec: low_tf }}
        account: {{ max_drawdown_pct: 100 }}
        features: {{ sma_1: {{ indicator: sma, params: {{ length: 1 }} }} }}
        actions: {{ {action}: ["close", ">", 0] }}
        position_policy: {{ mode: {"long_only" if action == "entry_long" else "short_only"} }}
        entry: {{ order_type: LIMIT, limit_offset_pct: 0.03 }}
        risk: {{ stop_loss_pct: 50, take_profit_pct: 50 }}
        """,
        desk.instrument(tick_size="0.1"),
    )
    market = desk.play_market(strategy, desk.bars([*flat(2500, 2), (2500, 2600, 2400, 2500)]))

    assert first(desk.both_lanes(strategy, market)) == (exact(limit), "maker")


@pytest.mark.parametrize(("wish", "price"), [(long(), "50010"), (short(), "49990")])
def test_30_a_market_order_pays_slippage(wish: desk.Wish, price: str) -> None:
    record = desk.run(piece(flat(50_000, 3), {0: wish}), costs=COSTS)

    assert first(record) == (exact(price), "taker")


@pytest.mark.parametrize(
    ("minute", "price"), [((49_600, 49_600, 49_400, 49_500), "49490.1"), ((49_300, 49_300, 49_200, 49_250), "49290.14")]
)
def test_32_a_sell_stop_fills_at_the_worse_of_its_trigger_and_the_open(minute: tuple[float, ...], price: str) -> None:
    as_entry = desk.run(piece([*flat(49_700, 1), minute, minute], {0: short(kind="stop", price=49_500)}), costs=COSTS)
    held = [*flat(50_000, 2), minute, minute]
    as_stop = desk.run(piece(held, {0: long(stop=510)}), costs=COSTS)

    assert first(as_entry) == (exact(price), "taker")
    assert as_stop.fills[0].event.stop_price == 49_500
    assert (shown(as_stop.fills[1].event.price), as_stop.fills[1].event.taker) == (exact(price), True)


@pytest.mark.parametrize(
    ("wish", "minutes", "price", "liquidity"),
    [
        pytest.param(long, [(99.5, 99.5, 99.5, 99.5)], "99.5199", "taker", id="33 improved"),
        pytest.param(long, [(99.99, 99.99, 99.99, 99.99)], "100", "taker", id="33 capped"),
        pytest.param(short, [(100.6, 100.6, 100.6, 100.6)], "100.57988", "taker", id="34"),
        pytest.param(long, [(100.5, 100.5, 99.9, 100.2)], "100", "maker", id="35 touched"),
        pytest.param(
            long, [(100.5, 100.5, 100.4, 100.5), (99.2, 99.3, 99.1, 99.2)], "99.2", "maker", id="35 opened through"
        ),
        pytest.param(long, [(100.5, 100.5, 100, 100.5)], "100", "maker", id="36"),
    ],
)
def test_33_to_36_a_limit_fills_at_the_open_at_its_price_or_better(
    wish: object, minutes: list[tuple[float, ...]], price: str, liquidity: str
) -> None:
    rows = [*flat(101, 1), *minutes, *flat(101, 1)]

    record = desk.run(piece(rows, {0: wish(kind="limit", price=100)}), costs=COSTS)  # type: ignore[operator]

    assert first(record) == (exact(price), liquidity)


def test_36_a_touch_is_no_fill_where_the_price_must_go_through() -> None:
    through = OrderTerms(trade_through=True)
    wishes = {0: long(kind="limit", price=100)}

    touched = desk.run(piece([*flat(101, 1), (100.5, 100.5, 100, 100.5)], wishes), costs=COSTS, order=through)
    passed = desk.run(piece([*flat(101, 1), (100.5, 100.5, 99.99, 100.5)], wishes), costs=COSTS, order=through)

    assert touched.fills == []
    assert first(passed) == (exact("100"), "maker")


@pytest.mark.parametrize("name", ["IOC", "FOK"])
def test_37_an_order_that_may_not_rest_dies_when_its_first_open_is_beyond_it(name: str) -> None:
    rows = [*flat(101, 1), (100.5, 100.5, 99, 100.5), *flat(99, 1)]

    record = desk.run(piece(rows, {0: long(kind="limit", price=100)}), order=desk.LIMIT_ORDERS[name])

    assert record.fills == []
    assert [(dead.reason.value, dead.event_ns) for dead in record.dead_entries] == [
        (f"{name}_UNFILLED", desk.minute(1))
    ]


def test_39_a_post_only_order_is_cancelled_where_it_would_take_and_makes_where_it_rests() -> None:
    wishes = {0: long(kind="limit", price=100)}
    order = desk.LIMIT_ORDERS["PostOnly"]

    crossing = desk.run(piece([*flat(101, 1), (100, 101, 99, 100)], wishes), order=order, costs=COSTS)
    resting = desk.run(piece([*flat(101, 1), (100.1, 100.1, 99.9, 100)], wishes), order=order, costs=COSTS)

    assert crossing.fills == []
    assert [dead.reason.value for dead in crossing.dead_entries] == ["POST_ONLY_WOULD_CROSS"]
    assert first(resting) == (exact("100"), "maker")


@pytest.mark.parametrize(("touched", "ends"), [(14, "filled"), (15, "EXPIRED")])
def test_40_an_entry_of_three_five_minute_bars_lives_in_the_minutes_that_open_within_them(
    touched: int, ends: str
) -> None:
    """Submitted at 10:00, that is at the close of the first execution bar."""
    rows = flat(101, 25)
    rows[5 + touched] = (101, 101, 99.5, 101)
    order = OrderTerms(expire_bars=3)

    record = desk.run(piece(rows, {0: long(kind="limit", price=100)}), exec_tf="5m", order=order)

    if ends == "filled":
        assert record.fills[0].event.row == 5 + touched
        assert record.dead_entries == []
    else:
        assert record.fills == []
        assert [(d.reason.value, d.event_ns) for d in record.dead_entries] == [("EXPIRED", desk.minute(20))]


def test_41_fees_are_quantity_times_price_times_rate() -> None:
    taker = desk.run(piece(flat(50_000, 3), {0: long()}), costs=COSTS, sizing=desk.units("0.2"))
    maker = desk.run(
        piece([*flat(50_000, 1), (50_000, 50_000, 49_985, 50_000)], {0: long(kind="limit", price=49_985)}),
        costs=COSTS, sizing=desk.units("0.2"),
    )  # fmt: skip

    assert taker.fills[0].event.fee == exact("5.5011")
    assert maker.fills[0].event.fee == exact("1.9994")


def test_levels_that_lie_on_the_tick_stay_there_and_others_never_add_risk() -> None:
    """The smallest step beyond the tick counts, at the prices of the most expensive instruments too."""
    on_tick = desk.run(piece(flat(60_000, 3), {0: long(stop=1000, target=500)}), sizing=desk.units("0.1"))
    beyond = desk.run(piece(flat(60_000, 3), {0: long(stop=999.99996, target=500.00004)}), sizing=desk.units("0.1"))
    below = desk.run(
        piece([*flat(60_000, 1), (60_000, 60_000, 58_000, 60_000)], {0: long(kind="limit", price=58_999.99996)}),
        sizing=desk.units("0.1"),
    )

    assert (on_tick.fills[0].event.stop_price, on_tick.fills[0].event.target_price) == (59_000, 60_500)
    assert beyond.fills[0].event.stop_price == exact("59000.01")
    assert beyond.fills[0].event.target_price == exact("60500")
    assert below.fills[0].event.price == exact("58999.99")


def test_a_tick_that_is_no_binary_fraction_gives_the_bits_of_the_parsed_price() -> None:
    """A product with 0.1 would be wrong for a third of all prices (ruling 6)."""
    for count in range(1000, 1400):
        price = count / 10
        record = desk.run(
            piece([*flat(price, 2), (price, price + 1, price - 1, price)], {0: long(stop=0.3, target=NAN)}),
            asset=desk.instrument(tick_size="0.1"),
        )
        assert record.fills[0].event.stop_price == Decimal(repr(price)) - exact("0.3")
