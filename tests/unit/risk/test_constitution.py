from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from evenkeel.risk.constitution import AfterFill, exceeded
from evenkeel.risk.limits.profiles import profile

D = Decimal
MICRO, BALANCED = profile("micro_futures"), profile("balanced")
AT_THE_LIMITS = AfterFill(
    equity=D(10_000), reference=D(10_000), quantity=D(1), notional=D(800), trade_loss=D(15), stop_ticks=D(12),
    stop_fraction=D("0.10"), trades=2, day_loss=D(30), week_loss=D(75), month_loss=D(150),
)  # fmt: skip


def test_a_limit_that_is_reached_is_kept() -> None:
    """The figures of belief.md 9.1, and of the balanced profile: 8 % and 1 % of 10,000, a stop of 10 %."""
    assert exceeded(AT_THE_LIMITS, MICRO) == ()
    assert exceeded(msgspec.structs.replace(AT_THE_LIMITS, trade_loss=D(100)), BALANCED) == ()
    assert exceeded(AT_THE_LIMITS, profile("research")) == ()


@pytest.mark.parametrize(
    ("limits", "changed", "name", "limit"),
    [
        (MICRO, {"quantity": D("1.01")}, "position quantity", "1"),
        (MICRO, {"trade_loss": D("15.01")}, "trade loss", "15"),
        (MICRO, {"trade_loss": D("14.01"), "equity": D(700)}, "trade loss", "14"),
        (MICRO, {"stop_ticks": D(13)}, "stop ticks", "12"),
        (MICRO, {"trades": 3}, "trades", "2"),
        (MICRO, {"day_loss": D("30.01")}, "session loss", "30"),
        (MICRO, {"week_loss": D("75.01")}, "week loss", "75"),
        (MICRO, {"month_loss": D("150.01")}, "month loss", "150"),
        (BALANCED, {"notional": D("800.01")}, "position notional", "800"),
        (BALANCED, {"trade_loss": D("100.01")}, "trade loss", "100"),
        (BALANCED, {"stop_fraction": D("0.11")}, "stop distance", "0.1"),
        (BALANCED, {"trades": 21}, "trades", "20"),
        (profile("perp_small"), {"notional": D(51), "trades": 1}, "position notional", "50"),
        (BALANCED.replaced({"operation.kills": True}), {"day_loss": D("300.01")}, "session loss", "300"),
        (BALANCED.replaced({"operation.kills": True}), {"week_loss": D("600.01")}, "week loss", "600"),
        (BALANCED.replaced({"operation.kills": True}), {"month_loss": D("1000.01")}, "month loss", "1000"),
    ],
)
def test_each_limit_alone_is_found_exceeded(limits: Any, changed: dict[str, Any], name: str, limit: str) -> None:
    (found,) = exceeded(msgspec.structs.replace(AT_THE_LIMITS, **changed), limits)
    assert (found.name, found.limit) == (name, D(limit))
    assert found.value > found.limit


def test_losses_are_the_breakers_where_the_profile_does_not_kill() -> None:
    lost = msgspec.structs.replace(AT_THE_LIMITS, day_loss=D(5_000), week_loss=D(5_000), month_loss=D(5_000))
    assert exceeded(lost, BALANCED) == ()
    assert len(exceeded(lost, MICRO)) == 3


def test_what_is_not_known_is_not_judged_here() -> None:
    unknown = msgspec.structs.replace(
        AT_THE_LIMITS, equity=None, reference=None, notional=D(10**6), trade_loss=None, stop_ticks=None,
        stop_fraction=None,
    )  # fmt: skip
    assert exceeded(unknown, BALANCED) == ()
