from __future__ import annotations

from decimal import Decimal

import pytest

from evenkeel.risk.strategy_health import Health, judged


def after(*nets: str, health: Health | None = None) -> Health:
    health = health or Health()
    for net in nets:
        health = judged(health, Decimal(net))
    return health


@pytest.mark.parametrize(
    ("nets", "ill"),
    [
        (["-1"], False),
        (["-1", "-1"], True),
        (["-1", "0", "-1"], True),
        (["-1", "1", "-1"], False),
        (["1", "-9", "1", "-1"], False),
        (["1", "-9", "1", "-1", "1"], True),
        (["1", "-9", "1", "-1", "9"], False),
        (["1", "-3", "1", "-1", "2"], False),
        (["1", "-3", "1", "-1", "1.5"], True),
    ],
)
def test_two_losses_in_a_row_or_a_loss_over_five_trades_is_quarantine(nets: list[str], ill: bool) -> None:
    assert after(*nets).quarantined is ill


@pytest.mark.parametrize(
    ("nets", "factor"),
    [
        (["9", "-1"], "1"),
        (["9", "-1", "0"], "1.2"),
        (["9", "-1", "0", "0"], "1.5"),
        (["9", "-1", "9", "0", "0"], "1"),
        (["9", "9", "-1", "9"], "1"),
        (["9", "-1", "0", "9", "-1", "0", "9", "-1", "0", "0"], "1.2"),
    ],
)
def test_few_wins_make_costs_count_more(nets: list[str], factor: str) -> None:
    """By hand: 1 of 3 is 33 %, 1 of 4 is 25 %, 2 of 5 is 40 %, 3 of 10 are 30 %."""
    assert after(*nets).cost_factor == Decimal(factor)


def test_only_two_wins_in_a_row_end_a_quarantine_and_the_record_begins_anew() -> None:
    ill = after("-1", "-1")
    assert after("1", "-1", "1", "0", health=ill).quarantined
    assert after("1", "-1", "1", "0", "1", health=ill) == Health()
    assert after("0.5", "0.5", health=ill) == Health()
    assert after("0.5", health=Health(losses_in_row=1, session_losses=1)).session_losses == 0
    assert (Health().wins_in_row, Health().trades, after("0.5").wins) == (0, 0, 1)
