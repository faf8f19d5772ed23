"""Golden vectors 13 to 22 of plays.md 6.13 and the rules of sizes, through the compiled kernels."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest

import desk
from evenkeel.kernel import kernel
from evenkeel.model.bar import Floats
from evenkeel.model.intent import Direction, Enter
from evenkeel.model.reason import REASONS, Reason
from evenkeel.risk import sizing
from evenkeel.risk.gates.entry import EntryGates, Sized, gate_terms, judge_entry
from evenkeel.risk.sizing import SIZING_TERMS, BeyondLiquidation, Sizing, SizingModel
from evenkeel.strategies.terms import LadderStep, MarginTerms, OrderTerms, SizingTerms

TEN_DECIMALS = 1e-10


@kernel
def notional_cap(t, equity, free, price):  # type: ignore[no-untyped-def]
    return sizing.notional_cap(t, equity, free, price)


@kernel
def wanted_notional(t, equity, free, price, stop_distance):  # type: ignore[no-untyped-def]
    return sizing.wanted_notional(t, equity, free, price, stop_distance)


def table(**given: float) -> Floats:
    """Return sizing terms with the fees of the golden vectors, no cap, and a lot of 0.001."""
    plain = {
        "leverage": 1.0, "max_position": 1.0, "include_close_fee": 1.0, "max_notional": math.inf,
        "max_margin": math.inf, "max_quantity": math.inf, "taker": 0.00055, "slippage": 0.0002, "multiplier": 1.0,
        "lot_numerator": 1.0, "lot_denominator": 1000.0, "tick": 0.01,
    }  # fmt: skip
    values = np.zeros(SIZING_TERMS)
    values[[Sizing.TARGET_RATIO, Sizing.NEAREST_RATIO, Sizing.NEAREST_FRACTION]] = math.nan
    for name, value in (plain | given).items():
        values[Sizing[name.upper()]] = value
    return values


def ask(t: Floats, *, equity: float, price: float, stop: float = math.nan, target: float = math.nan, side: int = 1):
    """Return quantity and reason of an entry on a flat account."""
    lots, reason, _, _ = judge_entry(t, equity, equity, price, side, stop, target, 0)
    return lots * t[Sizing.LOT_NUMERATOR] / t[Sizing.LOT_DENOMINATOR], REASONS[reason]


def test_13_the_fee_safe_cap_leaves_room_for_margin_and_both_fees() -> None:
    cap = notional_cap(table(leverage=10), 1000.0, 1000.0, 1.0)

    assert cap == pytest.approx(9891.196834817, abs=TEN_DECIMALS)
    assert cap / 10 + 2 * cap * 0.00055 == pytest.approx(1000, abs=1e-9)


def test_13_without_the_close_fee_there_is_room_for_more() -> None:
    cap = notional_cap(table(leverage=10, include_close_fee=0), 1000.0, 1000.0, 1.0)

    assert cap / 10 + cap * 0.00055 == pytest.approx(1000, abs=1e-9)


def test_14_the_cap_without_leverage_in_its_divisor_would_fail_its_own_margin() -> None:
    """Trap T21."""
    wrong = 1000 * 10 / (1 + 2 * 0.00055)

    assert wrong == pytest.approx(9989.0120867046, abs=TEN_DECIMALS)
    assert wrong / 10 + 2 * wrong * 0.00055 == pytest.approx(1009.8891219658, abs=TEN_DECIMALS)
    assert notional_cap(table(leverage=10), 1000.0, 1000.0, 1.0) < wrong


@pytest.mark.parametrize(
    ("given", "equity", "price", "stop", "notional"),
    [
        pytest.param(
            {"model": SizingModel.PERCENT_EQUITY, "value": 0.5, "leverage": 4}, 1000, 1, math.nan, 2000, id="15"
        ),
        pytest.param({"model": SizingModel.RISK_BASED, "value": 0.0075}, 25_000, 100, 2.2, 8522.7272727273, id="17"),
        pytest.param(
            {"model": SizingModel.RISK_BASED, "value": 0.0075, "include_costs": 1, "slippage": 0.0003},
            25_000,
            100,
            2.2,
            8012.8205128205,
            id="18",
        ),
        pytest.param({"model": SizingModel.RISK_BASED, "value": 0.0075}, 25_000, 100, 1.6, 11718.75, id="19"),
        pytest.param({"model": SizingModel.FIXED_USDT, "value": 1500, "leverage": 3}, 9e9, 1, math.nan, 4500, id="20"),
        pytest.param(
            {"model": SizingModel.FIXED_USDT, "value": 1500, "leverage": 3, "basis_notional": 1},
            9e9,
            1,
            math.nan,
            1500,
            id="20 notional",
        ),
        pytest.param(
            {"model": SizingModel.FIXED_QUANTITY, "value": 3, "multiplier": 5}, 9e9, 7, math.nan, 105, id="units"
        ),
    ],
)
def test_15_to_20_each_model_asks_for_its_own_notional(
    given: dict[str, float], equity: float, price: float, stop: float, notional: float
) -> None:
    """Trap T20: a model whose name is dropped."""
    asked = wanted_notional(table(**given), float(equity), float(equity), float(price), stop)

    assert asked == pytest.approx(notional, abs=TEN_DECIMALS)


def test_16_the_share_of_equity_caps_the_position() -> None:
    t = table(model=SizingModel.PERCENT_EQUITY, value=1, leverage=10, max_position=0.95)

    assert wanted_notional(t, 1000.0, 1000.0, 1.0, math.nan) == 10_000
    assert notional_cap(t, 1000.0, 1000.0, 1.0) == pytest.approx(9500, abs=TEN_DECIMALS)
    assert ask(t, equity=1000, price=1) == (9500, Reason.OK)


def test_21_the_margin_cap_counts_leverage_and_a_small_order_is_not_sent() -> None:
    t = table(model=SizingModel.PERCENT_EQUITY, value=1, leverage=4, max_margin=500)
    small = table(model=SizingModel.FIXED_USDT, value=5, min_notional=10)

    assert notional_cap(t, 1e6, 1e6, 1.0) == 2000
    assert ask(small, equity=1000, price=1) == (0, Reason.BELOW_MIN_NOTIONAL)


def test_22_the_quantity_is_rounded_down_to_the_lot() -> None:
    t = table(model=SizingModel.RISK_BASED, value=0.0075, lot_numerator=1, lot_denominator=10)
    notional = wanted_notional(t, 25_000.0, 25_000.0, 100.0, 2.2)
    same = table(model=SizingModel.FIXED_USDT, value=notional, lot_numerator=1, lot_denominator=10)

    assert notional / 187.36 == pytest.approx(45.4885102088, abs=TEN_DECIMALS)
    assert ask(same, equity=25_000, price=187.36) == (pytest.approx(45.4, abs=1e-12), Reason.OK)


@pytest.mark.parametrize("price", [0.07, 0.3, 1.1, 33.3, 187.36, 64_123.4])
def test_a_whole_number_of_lots_is_not_lost_to_rounding(price: float) -> None:
    """The money for exactly n lots buys n lots, whatever the price looks like in binary."""
    for lots in range(1, 400):
        t = table(model=SizingModel.FIXED_USDT, value=float(Decimal(repr(price)) * lots / 1000))
        assert ask(t, equity=1e9, price=price)[0] == lots / 1000


def test_less_than_a_lot_is_refused_and_names_the_quantity() -> None:
    t = table(model=SizingModel.FIXED_USDT, value=0.99, lot_numerator=1, lot_denominator=1)

    assert ask(t, equity=1000, price=1) == (0, Reason.BELOW_MIN_QUANTITY)


def test_less_than_the_smallest_quantity_is_refused() -> None:
    t = table(model=SizingModel.FIXED_USDT, value=4, lot_numerator=1, lot_denominator=1, min_quantity=5)

    assert ask(t, equity=1000, price=1) == (0, Reason.BELOW_MIN_QUANTITY)


def test_more_than_the_instrument_allows_is_refused_not_shrunk() -> None:
    t = table(model=SizingModel.FIXED_USDT, value=600, max_quantity=500)

    assert ask(t, equity=1000, price=1) == (0, Reason.QUANTITY_ABOVE_LIMIT)


def test_a_fixed_quantity_that_the_account_cannot_carry_is_refused_not_shrunk() -> None:
    t = table(model=SizingModel.FIXED_QUANTITY, value=10)

    assert ask(t, equity=99, price=10) == (0, Reason.INSUFFICIENT_MARGIN)
    assert ask(t, equity=101, price=10) == (10, Reason.OK)


def test_a_risk_size_without_a_stop_is_refused() -> None:
    t = table(model=SizingModel.RISK_BASED, value=0.01)

    assert ask(t, equity=1000, price=100) == (0, Reason.RISK_INPUT_MISSING)


def test_an_account_without_money_buys_nothing() -> None:
    for model in (SizingModel.PERCENT_EQUITY, SizingModel.FIXED_USDT, SizingModel.FIXED_QUANTITY):
        quantity, reason = ask(table(model=model, value=1), equity=0, price=10)
        assert quantity == 0
        assert reason is not Reason.OK


@pytest.mark.parametrize(
    ("side", "stop", "target", "reason"),
    [
        (1, 0.009, 5, Reason.STOP_TOO_CLOSE),
        (1, 5, 0.009, Reason.STOP_TOO_CLOSE),
        (1, 0.01, 0.01, Reason.OK),
        (1, 100, 5, Reason.STOP_BEYOND_ZERO),
        (1, 5, 100, Reason.OK),
        (-1, 5, 100, Reason.STOP_BEYOND_ZERO),
        (-1, 100, 5, Reason.OK),
        (1, math.nan, math.nan, Reason.OK),
    ],
)
def test_levels_closer_than_a_tick_or_below_zero_are_refused(
    side: int, stop: float, target: float, reason: Reason
) -> None:
    t = table(model=SizingModel.FIXED_QUANTITY, value=1)

    assert ask(t, equity=1000, price=100, stop=stop, target=target, side=side)[1] is reason


def test_a_larger_account_never_gets_a_smaller_position() -> None:
    rng = np.random.default_rng(5)
    for _ in range(300):
        t = table(
            model=int(rng.integers(0, 3)), value=rng.uniform(0.001, 1), leverage=rng.integers(1, 10),
            max_position=rng.uniform(0.1, 1), per_contract=rng.choice([0.0, 0.6]),
        )  # fmt: skip
        price, stop, money = rng.uniform(1, 1000), rng.uniform(0.05, 0.9), rng.uniform(100, 1e5)
        sizes = [ask(t, equity=equity, price=price, stop=stop)[0] for equity in (money, money * 1.5)]
        assert sizes[0] <= sizes[1]


def test_what_is_approved_always_fits_the_account_with_its_fees() -> None:
    rng = np.random.default_rng(6)
    approved = 0
    for _ in range(500):
        leverage, price, money = float(rng.integers(1, 10)), rng.uniform(1, 1000), rng.uniform(10, 1e5)
        t = table(
            model=int(rng.integers(0, 4)), value=rng.choice([0.01, 1.0, 50.0]), leverage=leverage,
            per_contract=rng.choice([0.0, 0.6]), multiplier=rng.choice([1.0, 5.0]),
        )  # fmt: skip
        quantity, reason = ask(t, equity=money, price=price, stop=price / 100)
        notional = quantity * price * t[Sizing.MULTIPLIER]
        fees = 2 * (notional * t[Sizing.TAKER] + quantity * t[Sizing.PER_CONTRACT])
        assert notional / leverage + fees <= money * (1 + 1e-9)
        approved += reason is Reason.OK
    assert approved > 200


def test_the_numeric_gates_answer_with_a_size_or_with_a_reason() -> None:
    asset = desk.instrument()
    gates = EntryGates(desk.terms(sizing=desk.units("2.5")), asset)
    wish = Enter(direction=Direction.SHORT, stop_distance=Decimal(1), target_distance=Decimal(1))

    verdict = gates.judge(wish, equity=Decimal(10_000), price=100.0)
    refused = gates.judge(wish, equity=Decimal(100), price=100.0)

    assert isinstance(verdict, Sized)
    assert (verdict.lots, verdict.quantity, verdict.intent) == (2500, Decimal("2.5"), wish)
    assert refused is Reason.INSUFFICIENT_MARGIN


def test_the_terms_of_a_run_become_the_numbers_of_the_kernel() -> None:
    asset = desk.instrument(
        multiplier="5", lot_size="0.5", min_quantity="1.5", max_quantity="70", min_notional="20", tick_size="0.25"
    )
    costs = desk.account(
        taker="0.0005", slippage="0.0003", per_contract="0.62", min_notional="15", max_notional="900",
        max_margin="400", max_position="0.8", include_close_fee=False,
        margin=MarginTerms(
            liquidates=True, maintenance=Decimal("0.01"), deduction=Decimal(4), stop_beyond="adjust"
        ),
    )  # fmt: skip
    sizing = SizingTerms(model="risk_based", value=Decimal("0.02"), include_costs=True, max_leverage=Decimal(3))

    steps = [("2", None), ("0.5", None), (None, "0.03"), (None, "0.01")]
    ladder = tuple(
        LadderStep(ratio=ratio and Decimal(ratio), fraction=part and Decimal(part), share=Decimal("0.25"))
        for ratio, part in steps
    )
    order = OrderTerms(target_ratio=Decimal("2.5"), ladder=ladder)

    t = gate_terms(desk.terms(costs, sizing, order), asset)

    told = {place.name: t[place] for place in Sizing if place is not Sizing.TIER_TABLE}
    assert told == {
        "MODEL": SizingModel.RISK_BASED, "VALUE": 0.02, "BASIS_NOTIONAL": 0, "INCLUDE_COSTS": 1, "LEVERAGE": 3,
        "MAX_POSITION": 0.8, "INCLUDE_CLOSE_FEE": 0, "MIN_NOTIONAL": 20, "MAX_NOTIONAL": 900, "MAX_MARGIN": 400,
        "MIN_QUANTITY": 1.5, "MAX_QUANTITY": 70, "TAKER": 0.0005, "PER_CONTRACT": 0.62, "SLIPPAGE": 0.0003,
        "MULTIPLIER": 5, "LOT_NUMERATOR": 1, "LOT_DENOMINATOR": 2, "TICK": 0.25, "LIQUIDATES": 1, "MAINTENANCE": 0.01,
        "DEDUCTION": 4, "MIN_LIQUIDATION_DISTANCE": 0.05, "BEYOND_LIQUIDATION": BeyondLiquidation.ADJUST,
        "TARGET_RATIO": 2.5, "NEAREST_RATIO": 0.5, "NEAREST_FRACTION": 0.01, "TIERS": 0,
        "CONTRACT": 0, "CREDIT_FROM": 0, "DAY_TRADES": math.inf, "DAY_TRADE_EQUITY": 25_000, "LONG_ONLY": 0,
    }  # fmt: skip
    bare = gate_terms(desk.terms(desk.account(min_notional="30")), desk.instrument())
    assert (bare[Sizing.MAX_NOTIONAL], bare[Sizing.MAX_MARGIN], bare[Sizing.MAX_QUANTITY]) == (math.inf,) * 3
    assert bare[Sizing.MIN_NOTIONAL] == 30
