"""What a strategy in Python may wish."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

import pytest

import desk
from evenkeel.model.errors import UsageError
from evenkeel.model.instrument import InstrumentKind
from evenkeel.model.intent import Enter, Leave, OrderKind
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


@pytest.mark.parametrize(
    ("order", "kind", "price", "trigger"),
    [
        ({}, OrderKind.MARKET, None, None),
        ({"limit": 99.5, "time_in_force": "PostOnly", "expire_bars": 3}, OrderKind.LIMIT, Decimal("99.5"), None),
        ({"trigger": 101.0}, OrderKind.STOP, Decimal("101.0"), None),
        ({"limit": 102.0, "trigger": 101.0}, OrderKind.STOP_LIMIT, Decimal("102.0"), Decimal("101.0")),
    ],
)
def test_limit_and_trigger_say_how_an_entry_is_ordered(
    order: dict[str, Any], kind: OrderKind, price: Decimal | None, trigger: Decimal | None
) -> None:
    for wish in (Idle.long, Idle.short):
        intent = wish(Idle.__new__(Idle), reason="why", **order)
        assert isinstance(intent, Enter)
        assert (intent.kind, intent.price, intent.trigger) == (kind, price, trigger)
        assert intent.time_in_force.value == order.get("time_in_force", "GTC")
        assert intent.expire_bars == order.get("expire_bars", 0)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"limit": 0.0}, "limit of an entry"), ({"trigger": float("nan")}, "trigger of an entry"),
        ({"time_in_force": "DAY"}, "time_in_force is one of GTC"), ({"expire_bars": -1}, "expire_bars"),
    ],
)  # fmt: skip
def test_an_order_that_cannot_be_is_refused(order: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Idle.long(Idle.__new__(Idle), reason="why", **order)
