from __future__ import annotations

from decimal import Decimal

import pytest

from evenkeel.model.errors import UsageError
from evenkeel.risk.halt_limits import HALT_LIMITS
from evenkeel.risk.ladder import LadderLimits, Rung, rung, scale

BALANCED = HALT_LIMITS["balanced"].ladder


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
    assert BALANCED is not None
    assert rung(Decimal(drawdown), before, BALANCED) is after


def test_every_rung_has_its_scale() -> None:
    assert BALANCED is not None
    assert [scale(step, BALANCED) for step in Rung] == [1, Decimal("0.75"), Decimal("0.55"), 0]


@pytest.mark.parametrize(
    ("soft", "medium", "hard", "soft_scale", "medium_scale"),
    [
        ("0", "0.04", "0.05", "0.7", "0.5"), ("0.04", "0.04", "0.05", "0.7", "0.5"),
        ("0.03", "0.04", "1", "0.7", "0.5"), ("0.03", "0.04", "0.05", "0.5", "0.7"),
        ("0.03", "0.04", "0.05", "1.1", "0.7"), ("0.03", "0.04", "0.05", "0.7", "0"),
    ],
)  # fmt: skip
def test_a_ladder_of_nonsense_is_refused(soft: str, medium: str, hard: str, soft_scale: str, medium_scale: str) -> None:
    """Catalogue row 97."""
    with pytest.raises(UsageError, match="drawdown ladder"):
        LadderLimits(
            soft=Decimal(soft), medium=Decimal(medium), hard=Decimal(hard),
            soft_scale=Decimal(soft_scale), medium_scale=Decimal(medium_scale),
        )  # fmt: skip
