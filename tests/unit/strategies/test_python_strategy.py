"""What a strategy in Python may wish."""

from __future__ import annotations

from decimal import Decimal

import pytest

import desk
from evenkeel.model.errors import UsageError
from evenkeel.model.intent import Leave
from evenkeel.strategies.python_strategy import PythonStrategy


class Idle(PythonStrategy):
    symbol, timeframe = "TEST.DESK", "1m"


def test_a_position_is_closed_whole_or_in_part() -> None:
    idle = Idle(lambda _: desk.instrument(), "")

    assert idle.close("enough") == Leave(reason="enough", fraction=Decimal(1))
    assert idle.close("half", part=0.5) == Leave(reason="half", fraction=Decimal("0.5"))


@pytest.mark.parametrize("part", [0.0, -0.5, 1.5, float("nan")])
def test_a_part_that_is_none_is_refused(part: float) -> None:
    with pytest.raises(UsageError, match="above 0 and at most at 1"):
        Idle(lambda _: desk.instrument(), "").close("odd", part=part)
