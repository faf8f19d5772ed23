"""The size of an entry: which rule, and its value as a fraction or an exact amount."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

import msgspec

from evenkeel.model.number import to_decimal
from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.problems import Path
from evenkeel.strategies.play.schema import RiskModelSection, RiskSection, SizingSection


class PercentEquity(msgspec.Struct, frozen=True, tag="percent_equity"):
    """Margin as a fraction of the free margin."""

    fraction: Decimal


class RiskBased(msgspec.Struct, frozen=True, tag="risk_based"):
    """Loss at the stop as a fraction of equity; `include_costs` counts fees and slippage as part of it."""

    fraction: Decimal
    include_costs: bool = False


class FixedMoney(msgspec.Struct, frozen=True, tag="fixed_usdt"):
    """An amount of account currency; `basis` says whether it is `margin` or `notional`."""

    amount: Decimal
    basis: str = "margin"


class FixedQuantity(msgspec.Struct, frozen=True, tag="fixed_quantity"):
    """A number of units."""

    quantity: Decimal


Sizing: TypeAlias = PercentEquity | RiskBased | FixedMoney | FixedQuantity


def choose_sizing(
    section: RiskSection | RiskModelSection | None, path: Path, risk_per_trade_pct: float | None, log: ProblemLog
) -> SizingSection | None:
    """Return the sizing that the play asks for in any of its three ways, or None if there is none where one must be.

    Args:
        section: `risk` or `risk_model`; None without either.
        path: Where it stands.
        risk_per_trade_pct: Of the account: the fallback.
        log: Takes the problems.
    """
    if isinstance(section, RiskModelSection) and section.sizing is not None:
        return section.sizing
    if isinstance(section, RiskSection) and section.max_position_pct is not None:
        return SizingSection(model="percent_equity", value=section.max_position_pct)
    if risk_per_trade_pct is not None:
        return SizingSection(model="risk_based", value=risk_per_trade_pct)
    if isinstance(section, RiskModelSection):
        log.error(path, "`sizing` is missing", "add `sizing: { model: risk_based, value: 1 }`", key=True)
        return None
    return SizingSection(model="percent_equity", value=100.0)


def build_sizing(section: SizingSection, path: Path, log: ProblemLog) -> Sizing:
    """Return the rule of a sizing section, percentages as fractions."""
    if section.include_costs and section.model != "risk_based":
        log.error((*path, "include_costs"), "only risk_based counts costs", "remove `include_costs`", key=True)
    if section.basis != "margin" and section.model != "fixed_usdt":
        log.error((*path, "basis"), "only fixed_usdt has a basis", "remove `basis`", key=True)
    value = to_decimal(section.value)
    if section.model in ("percent_equity", "risk_based") and value > 100:
        log.error((*path, "value"), f"{value} percent is out of bounds", "it must be at most 100")
    match section.model:
        case "percent_equity":
            return PercentEquity(value / 100)
        case "risk_based":
            return RiskBased(value / 100, section.include_costs)
        case "fixed_usdt":
            return FixedMoney(value, section.basis)
        case "fixed_quantity":
            return FixedQuantity(value)
