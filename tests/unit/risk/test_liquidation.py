"""Liquidation and bankruptcy: golden vectors 1 to 10 and 12 of plays.md 6.13, and the gates that use them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evenkeel.kernel import kernel
from evenkeel.model.bar import Floats
from evenkeel.model.reason import REASONS, Reason
from evenkeel.risk.gates.entry import judge_entry
from evenkeel.risk.liquidation import bankruptcy_price, liquidation_price
from evenkeel.risk.sizing import SIZING_TERMS, BeyondLiquidation, Sizing, SizingModel

TEN = 1e-9
FEE = 0.00055
RATE = 0.005 + FEE


@kernel
def levels(direction, quantity, entry, leverage, rate, deduction, fee, extra):
    """Call the inlined functions from outside."""
    return (
        liquidation_price(direction, quantity, entry, leverage, rate, deduction, extra),
        bankruptcy_price(direction, quantity, entry, leverage, fee, extra),
    )


@pytest.mark.parametrize(
    ("case", "given", "liquidation", "bankruptcy"),
    [
        ("1 long", (1, 1.0, 50000.0, 10.0, RATE, 0.0, FEE, 0.0), 45251.1438483584, 45024.763619991),
        ("4 short", (-1, 1.0, 50000.0, 10.0, RATE, 0.0, FEE, 0.0), 54696.4347869325, 54969.7666283544),
        ("6 added margin", (1, 0.5, 50000.0, 10.0, RATE, 0.0, FEE, 100.0), 45050.0276534768, 44824.6535594577),
        ("7 shortfall", (-1, 0.5, 50000.0, 10.0, RATE, 0.0, FEE, -60.0), 54577.0971110338, 54849.8325920744),
        ("8 tier, long", (1, 60.0, 50000.0, 20.0, 0.01 + FEE, 10000.0, FEE, 0.0), 47838.024491721, None),
        ("8 tier, short", (-1, 60.0, 50000.0, 20.0, 0.01 + FEE, 10000.0, FEE, 0.0), 52116.8340672571, None),
        ("9 leverage 1, short", (-1, 1.0, 50000.0, 1.0, RATE, 0.0, FEE, 0.0), 99448.0632489682, None),
        ("10 own rate", (1, 1.0, 50000.0, 10.0, RATE, 0.0, 0.00075, 0.0), 45251.1438483584, 45033.7753314986),
    ],
)
def test_1_4_6_7_8_9_10_prices_of_liquidation_and_bankruptcy(
    case: str, given: tuple[float, ...], liquidation: float, bankruptcy: float | None
) -> None:
    at, gone = levels(*given)

    assert at == pytest.approx(liquidation, rel=1e-13), case
    if bankruptcy is not None:
        assert gone == pytest.approx(bankruptcy, rel=1e-13), case


def test_3_at_the_liquidation_price_what_is_left_is_the_maintenance_margin() -> None:
    at, _ = levels(1, 1.0, 50000.0, 10.0, RATE, 0.0, FEE, 0.0)

    assert 5000.0 + (at - 50000.0) == pytest.approx(251.1438483584, abs=1e-9)
    assert at * RATE == pytest.approx(251.1438483584, abs=1e-9)


def test_9_a_long_without_leverage_is_never_liquidated() -> None:
    assert levels(1, 1.0, 50000.0, 1.0, RATE, 0.0, FEE, 0.0) == (-math.inf, -math.inf)


@pytest.mark.parametrize("direction", [1, -1])
def test_2_5_a_liquidation_takes_exactly_the_margin(direction: int) -> None:
    """T19: loss and fee together are the position margin, and no more."""
    _, gone = levels(direction, 1.0, 50000.0, 10.0, RATE, 0.0, FEE, 0.0)

    assert direction * (50000.0 - gone) + gone * FEE == pytest.approx(5000.0, abs=TEN)


def table(**given: float) -> Floats:
    """Return the terms of a perpetual at leverage 10 that buys one unit, with the figures of the golden vectors."""
    plain = {
        "model": SizingModel.FIXED_QUANTITY, "value": 1.0, "leverage": 10.0, "max_position": 1.0,
        "max_notional": math.inf, "max_margin": math.inf, "max_quantity": math.inf, "taker": FEE, "slippage": 0.0002,
        "multiplier": 1.0, "lot_numerator": 1.0, "lot_denominator": 1000.0, "tick": 0.01, "liquidates": 1.0,
        "maintenance": 0.005, "target_ratio": math.nan, "nearest_ratio": math.nan, "nearest_fraction": math.nan,
    }  # fmt: skip
    values = np.zeros(SIZING_TERMS)
    for name, value in (plain | given).items():
        values[Sizing[name.upper()]] = value
    return values


def judge(t: Floats, stop: float, target: float = math.nan, side: int = 1) -> tuple[float, Reason, float, float]:
    """Return units, reason and distances of an entry at 50,000 with plenty of money."""
    lots, reason, stop, target = judge_entry(t, 1e6, 1e6, 50000.0, side, stop, target, 0)
    return lots / 1000, REASONS[reason], stop, target


def test_12_a_stop_behind_the_liquidation_price_is_adjusted() -> None:
    t = table(beyond_liquidation=BeyondLiquidation.ADJUST)

    _, reason, stop, _ = judge(t, 4800.0)

    assert reason is Reason.OK
    assert 50000.0 - stop == pytest.approx(45255.89270451, abs=1e-8)


def test_an_adjusted_stop_takes_its_target_and_the_size_with_it() -> None:
    t = table(beyond_liquidation=BeyondLiquidation.ADJUST, target_ratio=2.0, model=SizingModel.RISK_BASED, value=0.001)

    lots, _, stop, target = judge(t, 4800.0, 9600.0)

    assert target == 2.0 * stop
    assert lots == math.floor(1e6 * 0.001 / stop * 1000) / 1000 > math.floor(1e6 * 0.001 / 4800 * 1000) / 1000


def test_a_stop_behind_the_liquidation_price_is_refused_or_let_through_as_the_account_says() -> None:
    assert judge(table(), 4800.0)[:2] == (0, Reason.SL_BEYOND_LIQUIDATION)
    assert judge(table(beyond_liquidation=BeyondLiquidation.WARN), 4800.0) == (
        1, Reason.OK, 4800.0, pytest.approx(math.nan, nan_ok=True),
    )  # fmt: skip
    assert judge(table(), 4743.0)[1] is Reason.OK
    assert judge(table(), 4744.2)[1] is Reason.SL_BEYOND_LIQUIDATION


@pytest.mark.parametrize(("distance", "side", "reason"), [
    (0.10, 1, Reason.LIQUIDATION_TOO_CLOSE), (0.09, 1, Reason.OK), (0.095, -1, Reason.LIQUIDATION_TOO_CLOSE),
    (0.0939, -1, Reason.OK), (0.0, 1, Reason.OK),
])  # fmt: skip
def test_an_entry_too_close_to_its_liquidation_is_refused(distance: float, side: int, reason: Reason) -> None:
    """plays.md 6.13: at leverage 10 the liquidation of a long is 9.50 % away; of a short 9.39 %."""
    assert judge(table(min_liquidation_distance=distance), 100.0, side=side)[1] is reason


def test_what_is_not_margined_has_no_liquidation() -> None:
    assert judge(table(liquidates=0.0, min_liquidation_distance=0.5), 4800.0)[1] is Reason.OK


def test_an_adjusted_stop_less_than_a_tick_away_is_refused() -> None:
    """A maintenance rate almost as large as the initial margin leaves hardly any room."""
    t = table(beyond_liquidation=BeyondLiquidation.ADJUST, maintenance=0.0994499, tick=1.0)

    assert judge(t, 100.0)[:2] == (0, Reason.STOP_TOO_CLOSE)


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ({"nearest_ratio": 0.009}, Reason.STOP_TOO_CLOSE), ({"nearest_ratio": 0.01}, Reason.OK),
        ({"nearest_fraction": 1e-7}, Reason.STOP_TOO_CLOSE), ({"nearest_fraction": 2e-7}, Reason.OK),
    ],
)  # fmt: skip
def test_a_step_of_a_ladder_less_than_a_tick_away_is_refused(steps: dict[str, float], reason: Reason) -> None:
    assert judge(table(**steps), 1.0)[1] is reason
