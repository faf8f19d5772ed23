"""Worst cases, each worked by hand from the rules of plays.md 6.3, 6.4 and 6.8."""

from __future__ import annotations

from typing import Any

import pytest

from evenkeel.risk.worst_case import worst_case
from evenkeel.strategies.play.exposure import Exposure, stop_distance, target_distances, worked_price

from .play_desk import document, load

COSTS = {"fee_model": {"taker_bps": 10, "maker_bps": 4}, "slippage_bps": 20, "starting_equity": 10000}
ATR = {"type": "atr_multiple", "value": 2, "atr_feature_id": "atr_14"}


def exposed(risk: dict[str, Any], account: dict[str, Any] | None = None, **changes: Any) -> Exposure:
    account = {**COSTS, **(account or {})}
    return worst_case(load(document(risk=None, risk_model=risk, account=account, **changes)))


def test_a_percent_stop_is_worked_to_the_cent() -> None:
    stop = {"type": "percent", "value": 2, "basis": "price"}
    found = exposed({"stop_loss": stop, "sizing": {"model": "percent_equity", "value": 50}})
    # 50 units at 100: in at 100.2, stop at 98.2, out at 98.2 * 0.998 = 98.0036
    assert found.notional == pytest.approx(5000)
    assert found.loss is not None
    assert found.loss.move == pytest.approx(50 * 2)
    assert found.loss.slippage == pytest.approx(50 * (0.2 + 0.1964))
    assert found.loss.fees == pytest.approx(50 * (100.2 + 98.0036) * 0.001)
    assert found.largest_loss == pytest.approx(100 + 19.82 + 9.91018)
    assert (found.bounded_by, found.largest_notional) == ("stop", pytest.approx(5000))


def test_a_size_by_risk_is_largest_where_the_caps_begin_to_bind() -> None:
    found = exposed({"stop_loss": ATR, "sizing": {"model": "risk_based", "value": 1}})
    assert found.stop is not None
    assert (found.stop.worked, found.stop.longest) == (pytest.approx(2.0), None)
    assert found.notional == pytest.approx(10000 * 0.01 / 0.02)
    # the cap is 95 % of equity; there 1 % of equity is lost at a distance of 100 * 100 / 9500
    distance = 100 * 100 / 9500
    leave = (100.2 - distance) * 0.998
    fees = 95 * (100.2 + leave) * 0.001
    slippage = 95 * (0.2 + (100.2 - distance) * 0.002)
    assert found.largest_notional == pytest.approx(9500)
    assert found.largest_loss == pytest.approx(100 + fees + slippage, rel=1e-6)
    assert found.bounded_by == "stop"


def test_costs_inside_the_risk_make_the_loss_at_the_stop_the_risk() -> None:
    sizing = {"model": "risk_based", "value": 1, "include_costs": True}
    found = exposed({"stop_loss": ATR, "sizing": sizing}, {"slippage_bps": 0})
    assert found.loss is not None
    assert found.loss.total == pytest.approx(100, rel=0.02)
    assert found.largest_loss == pytest.approx(100, rel=0.02)


def test_a_stop_that_the_market_places_bounds_nothing_by_itself() -> None:
    found = exposed({"stop_loss": ATR, "sizing": {"model": "percent_equity", "value": 50}})
    assert found.bounded_by == "position"
    # all of 5,000 and its slippage and fee; nothing is left that a fee of the close could be taken from
    assert found.largest_loss == pytest.approx(50 * 100.2 + 50 * 0.2 + 50 * 100.2 * 0.001)


def test_a_short_of_a_perpetual_loses_its_margin_at_most() -> None:
    policy = {"mode": "short_only", "exit_mode": "first_hit"}
    actions = {"entry_short": ["close", "<", "ema_20"], "exit_short": ["close", ">", "ema_20"]}
    found = exposed(
        {"stop_loss": ATR, "sizing": {"model": "percent_equity", "value": 50}}, position_policy=policy, actions=actions
    )
    assert (found.bounded_by, found.largest_loss) == ("margin", pytest.approx(5000 + 5))
    assert found.loss is not None
    # in at 99.8, stop at 101.8, out at 101.8 * 1.002
    assert found.loss.slippage == pytest.approx(50 * (0.2 + 0.2036))


def test_a_short_of_a_share_has_no_bound() -> None:
    found = exposed(
        {"stop_loss": ATR, "sizing": {"model": "percent_equity", "value": 50}}, symbol="SPY.US",
        position_policy={"mode": "long_short", "exit_mode": "first_hit"},
        actions={"entry_short": ["close", "<", "ema_20"], "exit_all": ["close", ">", "ema_20"]},
    )  # fmt: skip
    assert (found.bounded_by, found.largest_loss) == ("nothing", None)


def test_a_target_pays_what_its_order_type_costs() -> None:
    risk: dict[str, Any] = {
        "stop_loss": {"type": "percent", "value": 2}, "take_profit": {"type": "rr_ratio", "value": 2},
        "sizing": {"model": "fixed_quantity", "value": 10},
    }  # fmt: skip
    market, limit = exposed(risk), exposed({**risk, "tp_order_type": "Limit"})
    entry = 10 * (0.2 + 100.2 * 0.001)
    assert market.gain == pytest.approx(10 * 4 - 10 * 104 * (0.002 + 0.998 * 0.001) - entry, abs=0.01)
    assert limit.gain == pytest.approx(10 * 4 - 10 * 104 * 0.0004 - entry, abs=0.01)
    assert market.orders_per_entry == 3


def test_an_entry_that_the_gates_refuse_says_why() -> None:
    found = exposed({"stop_loss": ATR, "sizing": {"model": "fixed_quantity", "value": 1000}})
    assert (found.notional, found.loss) == (0.0, None)
    assert found.refusal == "The account cannot carry the order and its fees."


def test_limits_of_the_account_and_of_the_largest_position() -> None:
    account = {"max_drawdown_pct": 25, "max_notional": 1500}
    found = exposed({"stop_loss": ATR, "sizing": {"model": "percent_equity", "value": 100}}, account)
    assert (found.drawdown_stop, found.largest_notional) == (2500, pytest.approx(1500))
    off = exposed({"stop_loss": ATR, "sizing": {"model": "percent_equity", "value": 100}}, {"max_drawdown_pct": 100})
    assert off.drawdown_stop is None


DISTANCES: list[tuple[dict[str, Any], float, float, float | None]] = [
    ({"type": "percent", "value": 2}, 10, 0.2, 0.2),
    ({"type": "percent", "value": 2, "basis": "price"}, 10, 2, 2),
    ({"type": "fixed_points", "value": 5}, 1, 5, 5),
    ({"type": "trailing_pct", "trail_pct": 3}, 1, 3, 3),
    ({"type": "trailing_atr", "atr_multiplier": 1.8, "atr_feature_id": "a"}, 1, 1.8, None),
    ({"type": "atr_multiple", "value": 2, "atr_feature_id": "a", "buffer_pct": 0.5}, 1, 2.5, None),
    ({"type": "structure", "structure_key": "s"}, 1, 2, None),
    ({"type": "structure", "structure_key": "s", "buffer_pct": 1, "max_distance_pct": 5}, 1, 3, 5),
    ({"type": "structure", "structure_key": "s", "max_distance_pct": 1.5, "value": 1}, 1, 1.5, 1.5),
    ({"type": "structure", "structure_key": "s", "buffer_atr": 2, "atr_feature_id": "a"}, 1, 4, None),
]


@pytest.mark.parametrize(("rule", "leverage", "worked", "longest"), DISTANCES)
def test_distances_of_stops(rule: dict[str, Any], leverage: float, worked: float, longest: float | None) -> None:
    found = stop_distance(rule, 100, leverage)
    assert found is not None
    assert found.worked == pytest.approx(worked)
    assert found.longest == (None if longest is None else pytest.approx(longest))


def test_a_ladder_has_a_target_a_step_nearest_first() -> None:
    stop = stop_distance({"type": "percent", "value": 2}, 100, 1)
    ladder = {"type": "ladder", "steps": [{"rr": 2, "close_pct": 60}, {"pct": 3, "close_pct": 40}]}
    found = target_distances(ladder, 100, 1, stop)
    assert [(target.distance.worked, target.share) for target in found] == [(3.0, 0.4), (4.0, 0.6)]


def test_points_are_worked_at_a_price_that_has_room_for_them() -> None:
    risk = {"stop_loss": {"type": "fixed_points", "value": 300}, "take_profit": {"type": "rr_ratio", "value": 9}}
    assert worked_price({"risk_model": risk}) == 10_000
    assert worked_price({"risk_model": {}}) == 100


LEVERAGED = {"max_leverage": 4, "min_liq_distance_pct": 0}
HALF = {"model": "percent_equity", "value": 50}
FAR = {"type": "structure", "structure_key": "sw", "max_distance_pct": 60}
ROOM = 100 - 75 / (1 - 0.005 - 0.001)
"""Distance to the liquidation of a long at leverage 4, maintenance 0.5 % and a taker fee of 10 basis points."""


def test_with_leverage_the_worked_entry_tells_its_liquidation() -> None:
    found = exposed({"stop_loss": ATR, "sizing": HALF}, LEVERAGED)
    assert found.notional == pytest.approx(20_000)
    assert found.liquidations == {1: pytest.approx(100 - ROOM)}
    assert exposed({"stop_loss": ATR, "sizing": HALF}).liquidations == {}


def test_a_stop_that_the_market_places_loses_the_margin_at_most() -> None:
    found = exposed({"stop_loss": ATR, "sizing": HALF}, LEVERAGED)
    assert (found.bounded_by, found.largest_loss) == ("margin", pytest.approx(20_000 / 4 + 20))


def test_the_longest_stop_that_the_gates_let_pass_is_the_one_that_counts() -> None:
    """A stop behind the liquidation price is refused, so a longer one loses nothing."""
    found = exposed({"stop_loss": FAR, "sizing": {**HALF, "value": 25}}, LEVERAGED)
    distance = ROOM * (1 - 0.001)
    leave = (100.2 - distance) * 0.998
    fees = 100 * (100.2 + leave) * 0.001
    slippage = 100 * (0.2 + (100.2 - distance) * 0.002)
    expected = 100 * distance + fees + slippage
    assert (found.bounded_by, found.largest_loss) == ("stop", pytest.approx(expected, rel=1e-6))


def test_a_stop_that_the_gates_move_loses_what_it_loses_where_it_was_moved() -> None:
    stop = {"type": "percent", "value": 40, "basis": "price"}
    moved = exposed({"stop_loss": stop, "sizing": HALF}, {**LEVERAGED, "on_sl_beyond_liq": "adjust"})
    assert moved.loss is not None
    assert moved.loss.move == pytest.approx(200 * ROOM * (1 - 0.001))
    refused = exposed({"stop_loss": stop, "sizing": HALF}, LEVERAGED)
    assert refused.notional == 0
    assert refused.refusal


def test_the_most_that_an_order_moves_its_own_price_is_in_the_worst_case_only() -> None:
    stop = {"type": "percent", "value": 2, "basis": "price"}
    risk = {"stop_loss": stop, "sizing": HALF}
    plain = exposed(risk)
    moved = exposed(risk, {"impact": {"mode": "linear", "max_bps": 80}})
    assert moved.loss == plain.loss
    # 50 units: in at 101, stop at 99, out at 99 * 0.99
    assert moved.largest_loss == pytest.approx(50 * 2 + 50 * (101 + 98.01) * 0.001 + 50 * (1 + 0.99))
