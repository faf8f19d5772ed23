"""Stop, target and size: each type, its bounds, and percentages as fractions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from evenkeel.strategies.play.risk import (
    AtrDistance,
    PercentDistance,
    PointsDistance,
    RewardRisk,
    StructureDistance,
)
from evenkeel.strategies.play.sizing import FixedMoney, FixedQuantity, PercentEquity, RiskBased

from .play_desk import document, load, told

SIZE = {"model": "percent_equity", "value": 10}
STOP = {"type": "percent", "value": 2.0}


def model(**parts: Any) -> dict[str, Any]:
    return document(risk=None, risk_model={"stop_loss": STOP, "sizing": SIZE, **parts})


STOPS = [
    ({"type": "percent", "value": 2}, PercentDistance(0.02)),
    ({"type": "percent", "value": 2, "basis": "price"}, PercentDistance(0.02)),
    ({"type": "atr_multiple", "value": 2.2, "atr_feature_id": "atr_14"}, AtrDistance(2.2, "atr_14")),
    (
        {"type": "atr_multiple", "value": 2.2, "atr_feature_id": "atr_14", "buffer_pct": 0.05},
        AtrDistance(2.2, "atr_14", 0.0005),
    ),
    ({"type": "fixed_points", "value": 150}, PointsDistance(150.0)),
    ({"type": "structure", "structure_key": "sw"}, StructureDistance(key="sw", field=None)),
    (
        {
            "type": "structure", "structure_key": "sw", "field": "low_level", "buffer_pct": 0.1,
            "max_distance_pct": 3.0, "value": 1.0,
        },
        StructureDistance(
            key="sw", field="low_level", buffer_fraction=0.001, max_distance_fraction=0.03, fallback_fraction=0.01
        ),
    ),
    (
        {"type": "structure", "structure_key": "sw", "buffer_atr": 0.5, "atr_feature_id": "atr_14"},
        StructureDistance(key="sw", field=None, buffer_atr=0.5, atr="atr_14"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("stop", "rule"), STOPS)
def test_each_stop_becomes_a_rule_with_fractions(stop: dict[str, Any], rule: Any) -> None:
    assert load(model(stop_loss=stop)).risk.stop == rule


@pytest.mark.parametrize(
    ("target", "rule"), [*STOPS[:2], *STOPS[4:6], ({"type": "rr_ratio", "value": 2.5}, RewardRisk(2.5))]
)
def test_each_target_becomes_a_rule_with_fractions(target: dict[str, Any], rule: Any) -> None:
    assert load(model(take_profit=target)).risk.target == rule


def test_return_on_margin_is_divided_by_leverage_and_price_is_not() -> None:
    half = {"account": {"max_leverage": 0.5}}
    roi = load({**model(), **half}).risk.stop
    price = load({**model(stop_loss={**STOP, "basis": "price"}), **half}).risk.stop
    assert (roi, price) == (PercentDistance(0.04), PercentDistance(0.02))
    smaller = load({**model(sizing={**SIZE, "max_leverage": 0.25}), **half}).risk.stop
    assert smaller == PercentDistance(0.08)


SIZES = [
    ({"model": "percent_equity", "value": 95}, PercentEquity(Decimal("0.95"))),
    ({"model": "risk_based", "value": 0.75}, RiskBased(Decimal("0.0075"))),
    ({"model": "risk_based", "value": 1, "include_costs": True}, RiskBased(Decimal("0.01"), True)),
    ({"model": "fixed_usdt", "value": 1500}, FixedMoney(Decimal(1500))),
    ({"model": "fixed_usdt", "value": 1500, "basis": "notional"}, FixedMoney(Decimal(1500), "notional")),
    ({"model": "fixed_quantity", "value": 0.5}, FixedQuantity(Decimal("0.5"))),
]


@pytest.mark.parametrize(("sizing", "rule"), SIZES)
def test_the_sizing_that_is_named_is_the_one_that_is_used(sizing: dict[str, Any], rule: Any) -> None:
    assert load(model(sizing=sizing)).sizing == rule


def test_the_shorthand_sizes_by_percent_of_equity() -> None:
    assert load(document()).sizing == PercentEquity(Decimal(1))
    assert load(document(risk={"stop_loss_pct": 1, "max_position_pct": 25})).sizing == PercentEquity(Decimal("0.25"))


def test_risk_per_trade_is_the_fallback() -> None:
    account = {"risk_per_trade_pct": 1.5}
    assert load(document(account=account)).sizing == RiskBased(Decimal("0.015"))
    explicit = document(account=account, risk={"stop_loss_pct": 1, "max_position_pct": 25})
    assert load(explicit).sizing == PercentEquity(Decimal("0.25"))


def test_a_limit_target_is_an_order_type() -> None:
    assert load(model(tp_order_type="Limit", take_profit=STOP)).risk.tp_order_type == "Limit"


def test_a_play_without_risk_has_no_stop() -> None:
    play = load(document(risk=None))
    assert (play.risk.stop, play.risk.target) == (None, None)


WRONG = [
    ({"stop_loss": {"value": 2}}, "risk_model.stop_loss: `type` is missing; add `type:`"),
    (
        {"stop_loss": {"type": "percnt", "value": 2}},
        "risk_model.stop_loss.type: 'percnt' is not a type; did you mean 'percent'?",
    ),
    (
        {"stop_loss": {"type": "percent", "value": 0}},
        "risk_model.stop_loss.value: '0' is out of bounds; it must be above 0",
    ),
    ({"stop_loss": {"type": "percent", "value": 101}}, "it must be at most 100"),
    ({"stop_loss": {"type": "percent"}}, "risk_model.stop_loss: `value` is missing"),
    ({"stop_loss": {**STOP, "basis": "margin"}}, "risk_model.stop_loss.basis: 'margin' is not allowed here"),
    ({"stop_loss": {"type": "rr_ratio", "value": 2}}, "'rr_ratio' is not a type"),
    ({"take_profit": {"type": "percent", "value": 10001}}, "it must be at most 10000"),
    ({"take_profit": {"type": "rr_ratio", "value": 101}}, "it must be at most 100"),
    ({"stop_loss": {"type": "atr_multiple", "value": 2, "atr_feature_id": "atr_15"}}, "there is no feature 'atr_15'"),
    ({"stop_loss": {"type": "atr_multiple", "value": 2, "atr_feature_id": "ema_20"}}, "'ema_20' is a ema, not an atr"),
    ({"stop_loss": {"type": "structure", "structure_key": "sww"}}, "there is no structure 'sww'; did you mean 'sw'?"),
    ({"stop_loss": {"type": "structure", "structure_key": "ema_20"}}, "there is no structure 'ema_20'"),
    ({"stop_loss": {"type": "structure", "structure_key": "tr"}}, "a trend has no low_level and high_level"),
    (
        {"stop_loss": {"type": "structure", "structure_key": "sw", "field": "low_lvel"}},
        "'sw' has no level 'low_lvel'; did you mean 'low_level'?",
    ),
    (
        {"stop_loss": {"type": "structure", "structure_key": "sw", "field": "high_idx"}},
        "'sw' has no level 'high_idx'",
    ),
    (
        {"stop_loss": {"type": "structure", "structure_key": "sw", "buffer_atr": 1}},
        "`buffer_atr` needs `atr_feature_id`",
    ),
    ({"tp_order_type": "limit"}, "risk_model.tp_order_type: 'limit' is not allowed here; did you mean 'Limit'?"),
    ({"sizing": None}, "risk_model.sizing"),
    ({"sizing": {"model": "percent_equty", "value": 1}}, "did you mean 'percent_equity'?"),
    ({"sizing": {"model": "percent_equity", "value": 101}}, "risk_model.sizing.value: 101.0 percent is out of bounds"),
    ({"sizing": {"model": "fixed_usdt", "value": 1, "include_costs": True}}, "only risk_based counts costs"),
    ({"sizing": {"model": "risk_based", "value": 1, "basis": "notional"}}, "only fixed_usdt has a basis"),
    (
        {"sizing": {"model": "risk_based", "value": 1}, "stop_loss": None, "take_profit": STOP},
        "risk_based sizing needs a stop",
    ),
    ({"stop_loss": None, "take_profit": {"type": "rr_ratio", "value": 2}}, "an rr_ratio target needs a stop"),
]


@pytest.mark.parametrize(("parts", "line"), WRONG)
def test_a_wrong_rule_is_refused_once(parts: dict[str, Any], line: str) -> None:
    values = model(**parts)
    values["risk_model"] = {key: value for key, value in values["risk_model"].items() if value is not None}
    found = told(values)
    assert len(found) == 1, found
    assert line in found[0] or "`sizing` is missing" in found[0]


def test_exactly_one_risk_section() -> None:
    found = told(document(risk_model={"stop_loss": STOP, "sizing": SIZE}))
    assert found == ["risk: `risk` and `risk_model` exclude each other; keep one"]


def test_the_shorthand_says_each_thing_once() -> None:
    (found,) = told(document(risk={"stop_loss_pct": 1, "stop_loss": STOP}))
    assert "`stop_loss_pct` and `stop_loss` say the same thing twice" in found
