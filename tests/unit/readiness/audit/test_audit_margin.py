"""Margin, liquidation and size against the golden vectors of the specification of plays, section 6.13."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from evenkeel.readiness.audit.document import Document
from evenkeel.readiness.audit.margin import (
    MarginTerms,
    Stake,
    bankruptcy_price,
    liquidation_price,
    maintenance_margin,
    position_margin,
    required_margin,
    stop_distance_max,
)
from evenkeel.readiness.audit.size import notional_cap, wanted_notional
from evenkeel.readiness.audit.span import Span
from evenkeel.readiness.audit.terms import Terms, read_terms

from .audited_run import Scenario, flat, write

TERMS = MarginTerms(
    liquidates=True, leverage=Decimal(10), maintenance=Decimal("0.005"), deduction=Decimal(0),
    taker=Decimal("0.00055"), liquidation=Decimal("0.00055"), include_close_fee=True, beyond="reject",
    distance_min=Decimal(0), goes_on=False,
)  # fmt: skip
TIER = replace(TERMS, leverage=Decimal(20), maintenance=Decimal("0.01"), deduction=Decimal(10000))
LONG, SHORT = Stake(1, Decimal(1), Decimal(50000)), Stake(-1, Decimal(1), Decimal(50000))


def shown(value: Decimal | None) -> str:
    """Return a figure to ten decimals as the table of the specification shows it."""
    assert value is not None
    return f"{round(value, 10).normalize():f}"


@pytest.mark.parametrize(
    ("terms", "stake", "liquidation", "bankruptcy"),
    [
        (TERMS, LONG, "45251.1438483584", "45024.763619991"),
        (TERMS, SHORT, "54696.4347869325", "54969.7666283544"),
        (TERMS, Stake(1, Decimal("0.5"), Decimal(50000), Decimal(100)), "45050.0276534768", "44824.6535594577"),
        (TERMS, Stake(-1, Decimal("0.5"), Decimal(50000), Decimal(-60)), "54577.0971110338", "54849.8325920744"),
        (replace(TERMS, liquidation=Decimal("0.00075")), LONG, "45251.1438483584", "45033.7753314986"),
    ],
)
def test_liquidation_and_bankruptcy_price(terms: MarginTerms, stake: Stake, liquidation: str, bankruptcy: str) -> None:
    assert shown(liquidation_price(terms, stake)) == liquidation
    assert shown(bankruptcy_price(terms, stake)) == bankruptcy


@pytest.mark.parametrize(
    ("terms", "stake", "liquidation"),
    [
        (TIER, Stake(1, Decimal(60), Decimal(50000)), "47838.024491721"),
        (TIER, Stake(-1, Decimal(60), Decimal(50000)), "52116.8340672571"),
        (replace(TERMS, leverage=Decimal(1)), SHORT, "99448.0632489682"),
    ],
)
def test_liquidation_price_of_a_tier_and_without_leverage(terms: MarginTerms, stake: Stake, liquidation: str) -> None:
    assert shown(liquidation_price(terms, stake)) == liquidation


def test_a_long_without_leverage_has_no_liquidation_price() -> None:
    assert liquidation_price(replace(TERMS, leverage=Decimal(1)), LONG) is None


@pytest.mark.parametrize(
    ("stake", "cost"),
    [
        (LONG, "5000"),
        (SHORT, "5000"),
        (Stake(1, Decimal("0.5"), Decimal(50000), Decimal(100)), "2600"),
        (Stake(-1, Decimal("0.5"), Decimal(50000), Decimal(-60)), "2440"),
    ],
)
def test_a_liquidation_costs_exactly_the_margin(stake: Stake, cost: str) -> None:
    price = bankruptcy_price(TERMS, stake)
    lost = stake.side * stake.units * (stake.entry - price)

    assert shown(lost + stake.units * price * TERMS.liquidation) == cost
    assert shown(position_margin(TERMS, stake)) == cost


def test_margin_and_result_equal_the_maintenance_margin_at_the_liquidation_price() -> None:
    mark = liquidation_price(TERMS, LONG)
    assert mark is not None

    assert shown(position_margin(TERMS, LONG) + mark - LONG.entry) == "251.1438483584"
    assert shown(maintenance_margin(TERMS, LONG, mark)) == "251.1438483584"


def test_a_stop_is_moved_before_the_liquidation() -> None:
    distance = stop_distance_max(TERMS, LONG)
    assert distance is not None

    assert shown(50000 - distance) == "45255.89270451"


@pytest.mark.parametrize(("close_fee", "needed"), [(True, "1011"), (False, "1005.5")])
def test_required_margin_of_an_entry(close_fee: bool, needed: str) -> None:
    assert shown(required_margin(replace(TERMS, include_close_fee=close_fee), Decimal(10000))) == needed


def terms_of(folder: Path, **changes: Any) -> Terms:
    """Return the terms of a manifest with changes; `__` in a name stands for a dot."""
    dotted = {key.replace("__", "."): value for key, value in changes.items()}
    write(folder, Scenario(bars=flat(100.0, 5), trades=[], changes=dotted))
    return read_terms(Document(folder / "manifest.json"))


def wanted(terms: Terms, equity: str, price: str, stop: str | None = None) -> str:
    money = Decimal(equity), Span.point(Decimal(equity))
    span = wanted_notional(terms, money, Decimal(price), None if stop is None else Span.point(Decimal(stop)))
    assert span is not None
    assert span.low == span.high
    return shown(span.low)


def test_the_fee_safe_cap_leaves_room_for_the_fees(tmp_path: Path) -> None:
    terms = terms_of(tmp_path, account__max_leverage="10", account__max_position_equity_pct="100")

    cap = notional_cap(terms, Decimal(1000), Decimal(50000), Decimal(1000))

    assert shown(cap) == "9891.196834817"
    assert shown(required_margin(terms.margin, cap)) == "1000"
    assert shown(required_margin(terms.margin, Decimal("9989.0120867046"))) == "1009.8891219658"


def test_sizing_models(tmp_path: Path) -> None:
    half = terms_of(tmp_path, sizing__value="50", account__max_leverage="4")
    risk = terms_of(tmp_path, sizing__model="risk_based", sizing__value="0.75")
    costs = terms_of(
        tmp_path, sizing__model="risk_based", sizing__value="0.75", sizing__include_costs=True,
        account__slippage_bps="3",
    )  # fmt: skip
    fixed = terms_of(tmp_path, sizing__model="fixed_usdt", sizing__value="1500", account__max_leverage="3")
    notional = terms_of(tmp_path, sizing__model="fixed_usdt", sizing__value="1500", sizing__basis="notional")

    assert wanted(half, "1000", "100") == "2000"
    assert wanted(risk, "25000", "100", stop="2.2") == "8522.7272727273"
    assert wanted(costs, "25000", "100", stop="2.2") == "8012.8205128205"
    assert wanted(risk, "25000", "100", stop="1.6") == "11718.75"
    assert wanted(fixed, "10000", "100") == "4500"
    assert wanted(notional, "10000", "100") == "1500"


def test_caps_of_share_and_margin(tmp_path: Path) -> None:
    share = terms_of(tmp_path, account__max_leverage="10")
    margin = terms_of(tmp_path, account__max_leverage="4", account__max_margin="500")

    assert shown(notional_cap(share, Decimal(1000), Decimal(100), Decimal(1000))) == "9500"
    assert shown(notional_cap(margin, Decimal(10000), Decimal(100), Decimal(10000))) == "2000"


def test_leverage_is_the_smaller_of_account_and_sizing(tmp_path: Path) -> None:
    terms = terms_of(
        tmp_path, account__max_leverage="10",
        strategy__resolved={"account": {"max_leverage": 8}, "risk_model": {"sizing": {"max_leverage": 5}}},
    )  # fmt: skip

    assert terms.leverage == terms.margin.leverage == 5
