"""Limits on losses, drawdown, statistics, leverage and margin (operations.md 1.3, rows 37 to 46; 1.4; 2.4)."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Annotated

from evenkeel.model.errors import require
from evenkeel.risk.limits.rule import Group, Tighter, limit

_MONEY = "account currency"
_LEDGER = "fraction of the session's reference equity"


class Losses(Group, frozen=True, kw_only=True):
    """What may be lost before nothing more is opened; of a sum and a fraction the smaller counts."""

    daily: Annotated[Decimal | None, limit(37, _MONEY, "(0, inf)", "Of a session, open worst case included.")] = None
    daily_fraction: Annotated[Decimal | None, limit(37, _LEDGER, "(0, 0.2]", "The same.")] = None
    weekly: Annotated[Decimal | None, limit(38, _MONEY, "(0, inf)", "Of a calendar week.")] = None
    weekly_fraction: Annotated[Decimal | None, limit(38, _LEDGER, "(0, 0.5]", "The same.")] = None
    monthly: Annotated[Decimal | None, limit(38, _MONEY, "(0, inf)", "Of a calendar month.")] = None
    monthly_fraction: Annotated[Decimal | None, limit(38, _LEDGER, "(0, 1]", "The same.")] = None
    account_streak: Annotated[
        int | None, limit(39, "losses in a row", "[1, 100]", "Of the account, before it rests.")
    ] = None
    account_rest_s: Annotated[
        int | None, limit(39, "seconds", "[0, inf)", "So long it rests; none is to the next session.", Tighter.MORE)
    ] = None
    strategy_streak: Annotated[
        int | None, limit(39, "losses in a row", "[1, 100]", "Of a strategy, before it rests to the next session.")
    ] = None
    intraday_drawdown: Annotated[Decimal | None, limit(40, "fraction", "(0, 1)", "Fall from the session's peak.")] = (
        None
    )
    soft_drawdown: Annotated[Decimal | None, limit(40, "fraction", "(0, 1)", "Fall at which sizes shrink.")] = None
    soft_scale: Annotated[Decimal, limit(40, "factor", "(0, 1]", "To so much.")] = Decimal(1)
    medium_drawdown: Annotated[
        Decimal | None, limit(40, "fraction", "(0, 1)", "Fall at which sizes shrink further.")
    ] = None
    medium_scale: Annotated[Decimal, limit(40, "factor", "(0, 1]", "To so much.")] = Decimal(1)
    cooldown_s: Annotated[int, limit(40, "seconds", "[60, 86400]", "Pause after the hard drawdown.", Tighter.MORE)] = (
        3600
    )
    drawdown: Annotated[Decimal | None, limit(40, "fraction", "(0, 1)", "Fall from the highest peak of all.")] = None
    health: Annotated[bool, limit(41, "on or off", "", "Whether a strategy in quarantine is refused.", Tighter.ON)] = (
        False
    )
    value_at_risk: Annotated[
        Decimal | None, limit(42, "fraction of equity", "(0, 1]", "One-day value at risk, 95 %, of the position.")
    ] = None
    expected_shortfall: Annotated[
        Decimal | None, limit(42, "fraction of equity", "(0, 1]", "One-day expected shortfall of the position.")
    ] = None
    volatility: Annotated[
        Decimal | None, limit(42, "a year", "(0, 10]", "Annualised volatility of the instrument.")
    ] = None
    instrument_drawdown: Annotated[
        Decimal | None, limit(42, "fraction", "(0, 1]", "Fall of the instrument from its peak.")
    ] = None
    portfolio_risk: Annotated[
        Decimal | None, limit(42, "fraction of equity", "(0, 1]", "What all stops together could lose.")
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        steps = [self.soft_drawdown, self.medium_drawdown, self.intraday_drawdown]
        known = [step for step in steps if step is not None]
        require(
            all(lower < upper for lower, upper in itertools.pairwise(known)),
            "losses: soft_drawdown, medium_drawdown and intraday_drawdown must rise in that order; change one of them",
            was=[str(step) for step in known],
        )  # fmt: skip
        require(
            self.medium_scale <= self.soft_scale, "losses: medium_scale must not be above soft_scale; lower it",
            was=str(self.medium_scale), soft=str(self.soft_scale),
        )  # fmt: skip


class Margin(Group, frozen=True, kw_only=True):
    """What may be borrowed and what must stay free."""

    leverage: Annotated[
        Decimal | None, limit(43, "multiple of equity", "(0, 100]", "All positions over equity, and of each position.")
    ] = None
    hard_leverage: Annotated[Decimal | None, limit(43, "multiple", "[1, 100]", "No venue setting above it.")] = None
    initial_rate: Annotated[Decimal | None, limit(44, "fraction", "(0, 1]", "Initial margin over equity.")] = None
    maintenance_rate: Annotated[Decimal | None, limit(44, "fraction", "(0, 1]", "Maintenance margin over equity.")] = (
        None
    )
    least_available: Annotated[
        Decimal | None, limit(44, _MONEY, "[0, inf)", "Free margin that must be there.", Tighter.MORE)
    ] = None
    order_buffer: Annotated[
        Decimal | None,
        limit(44, "factor", "[1, 100]", "Margin of an order, so many times, must be free.", Tighter.MORE),
    ] = None
    liquidation_distance: Annotated[
        Decimal | None,
        limit(44, "fraction of the price", "(0, 1)", "Nearest liquidation of the position.", Tighter.MORE),
    ] = None
    single_asset: Annotated[
        Decimal | None, limit(44, "fraction of equity", "(0, 1]", "Margin that one asset may hold.")
    ] = None
    buying_power: Annotated[
        Decimal | None, limit(45, "fraction", "(0, 1]", "Part of the buying power that may be used.")
    ] = None
    settled_cash: Annotated[bool, limit(45, "on or off", "", "Whether only settled cash buys.", Tighter.ON)] = False
    funding_per_day: Annotated[
        Decimal | None, limit(46, "fraction of margin", "(0, 1]", "Funding of a day at the present rate.")
    ] = None
