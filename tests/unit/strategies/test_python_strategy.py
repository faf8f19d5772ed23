"""What a strategy in Python may wish."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

import pytest

import desk
from evenkeel.model.errors import UsageError
from evenkeel.model.instrument import InstrumentKind
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


class Geared(Idle):
    account: ClassVar[Mapping[str, Any]] = {"taker": "0.001", "margin": {"liquidates": True, "maintenance": "0.01"}}
    sizing: ClassVar[Mapping[str, Any]] = {"max_leverage": 5}


def test_a_perpetual_is_liquidated_whoever_decides() -> None:
    perpetual, spot = desk.instrument(), desk.instrument(kind=InstrumentKind.SPOT)

    assert Idle(lambda _: perpetual, "").terms.account.margin.liquidates
    assert not Idle(lambda _: spot, "").terms.account.margin.liquidates
    assert Geared(lambda _: perpetual, "").terms.account.margin.maintenance == Decimal("0.01")
