from __future__ import annotations

from decimal import Decimal

import pytest

from evenkeel.risk.ladder import Rung, rung, scale
from evenkeel.risk.limits.money import Losses
from evenkeel.risk.limits.profiles import profile

BALANCED = profile("balanced").losses


@pytest.mark.parametrize(
    ("drawdown", "before", "after"),
    [
        ("0.0299", Rung.NONE, Rung.NONE), ("0.03", Rung.NONE, Rung.SOFT), ("0.04", Rung.NONE, Rung.MEDIUM),
        ("0.05", Rung.NONE, Rung.HARD), ("0.028", Rung.SOFT, Rung.SOFT), ("0.0279", Rung.SOFT, Rung.NONE),
        ("0.038", Rung.MEDIUM, Rung.MEDIUM), ("0.0379", Rung.MEDIUM, Rung.SOFT), ("0.028", Rung.MEDIUM, Rung.SOFT),
        ("0.0279", Rung.HARD, Rung.NONE), ("0.048", Rung.HARD, Rung.HARD), ("0.0479", Rung.HARD, Rung.MEDIUM),
        ("-0.01", Rung.HARD, Rung.NONE),
    ],
)  # fmt: skip
def test_a_rung_is_reached_at_its_drawdown_and_left_a_fifth_of_its_band_below(
    drawdown: str, before: Rung, after: Rung
) -> None:
    """By hand for 3, 4 and 5 %: a band is 1 %, so the rungs are left below 2.8, 3.8 and 4.8 %."""
    assert rung(Decimal(drawdown), before, BALANCED) is after


def test_every_rung_has_its_scale() -> None:
    assert [scale(step, BALANCED) for step in Rung] == [1, Decimal("0.75"), Decimal("0.55"), 0]


def test_a_ladder_may_lack_rungs() -> None:
    """By hand: with a single rung at 4 % the band is 4 %, so it is left below 3.2 %."""
    one = Losses(medium_drawdown=Decimal("0.04"))
    falls = [("0.039", Rung.NONE), ("0.04", Rung.NONE), ("0.032", Rung.MEDIUM), ("0.0319", Rung.MEDIUM)]
    reached = [rung(Decimal(fall), before, one) for fall, before in falls]
    assert reached == [Rung.NONE, Rung.MEDIUM, Rung.MEDIUM, Rung.NONE]
    assert rung(Decimal("0.9"), Rung.NONE, Losses()) is Rung.NONE
