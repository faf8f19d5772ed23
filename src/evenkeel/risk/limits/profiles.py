"""The profiles that ship (ruling 55): figures of operations.md in general, of its column where a profile has one.

`perp_small` takes those of plays.md 7.5 where they differ, `micro_futures` those of belief.md 5.7 and 9.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal as D  # noqa: N817
from typing import Any

from evenkeel.model.errors import UsageError
from evenkeel.risk.limits.limits import RESEARCH_NAME, Limits
from evenkeel.risk.limits.market import EVENT_WINDOWS, Market, Prices, Window
from evenkeel.risk.limits.money import Losses, Margin
from evenkeel.risk.limits.operation import Operation
from evenkeel.risk.limits.size import Exposure, Pace, Tier, Trade

RESEARCH = Limits(name=RESEARCH_NAME)
"""No limits but the strategy's own; the default of a backtest, refused by demo and live."""

_GENERAL = Limits(
    name="general",
    market=Market(
        instrument_age_s=86_400, mixed_classes=False,
        sessions=True, after_open_s=300, closed_windows=(Window.parse("11:30-13:30"),), flatten_before_close_s=300,
        events=EVENT_WINDOWS,
        shock_norm=D("0.85"), shock_range=D(4), danger_ticks=D(3), lockouts=True,
        dvs_entry=D("0.80"), dvs_hold=D("0.60"), dvs_kill=D("0.30"),
        eqs_entry=D("0.75"), eqs_hold=D("0.60"), eqs_kill=D("0.30"),
        bar_age=D("2.5"), quote_age_ms=5_000, private_silence_s=30, unhealthy_s=30,
    ),
    prices=Prices(
        market_collar_bps=D(50), collar=D("0.05"), leg_collar=D("0.25"), reference_age_ms=5_000, spread_bps=D(12),
        adv_share=D("0.10"), minute_share=D("0.10"),
    ),
    exposure=Exposure(
        gross=D(1), net=D(1), sector=D("0.30"), correlation=D("0.70"), positions=5, owners=True, orders_symbol=4,
        orders_account=50,
    ),
    pace=Pace(
        duplicate_s=10, strategy_per_minute=10, account_per_minute=60, exit_reserve=10, runaway_per_minute=120,
        signal_cooldown_s=3_600, trades=20,
    ),
    trade=Trade(stop_required=True, stop_fraction=D("0.10"), loss_fraction=D("0.01"), friction=D("0.30")),
    losses=Losses(
        daily_fraction=D("0.03"), weekly_fraction=D("0.06"), monthly_fraction=D("0.10"),
        account_streak=3, account_rest_s=3_600, strategy_streak=2,
        intraday_drawdown=D("0.07"), soft_drawdown=D("0.03"), soft_scale=D("0.75"), medium_drawdown=D("0.05"),
        medium_scale=D("0.50"), cooldown_s=3_600, drawdown=D("0.10"), health=True,
        value_at_risk=D("0.03"), expected_shortfall=D("0.04"), volatility=D("0.40"), instrument_drawdown=D("0.30"),
        portfolio_risk=D("0.02"),
    ),
    margin=Margin(leverage=D(1), hard_leverage=D(10), buying_power=D("0.95"), settled_cash=True),
    operation=Operation(mismatches=3, clean_intervals=2, clock_warn_ms=250, clock_block_ms=1_000),
)  # fmt: skip
"""What operations.md says without a column; it is no profile of its own."""

CONSERVATIVE = _GENERAL.replaced(
    {
        "exposure.position_size": D("0.02"), "exposure.max_position_size": D("0.03"),
        "trade.stop_default": D("0.01"), "trade.target_default": D("0.02"),
        "losses.daily_fraction": D("0.025"), "losses.intraday_drawdown": D("0.03"),
        "losses.soft_drawdown": D("0.015"), "losses.soft_scale": D("0.80"),
        "losses.medium_drawdown": D("0.0225"), "losses.medium_scale": D("0.60"), "losses.cooldown_s": 3_600,
    },
    name="conservative",
)  # fmt: skip

BALANCED = _GENERAL.replaced(
    {
        "exposure.position_size": D("0.05"), "exposure.max_position_size": D("0.08"),
        "trade.stop_default": D("0.02"), "trade.target_default": D("0.05"),
        "losses.daily_fraction": D("0.03"), "losses.intraday_drawdown": D("0.05"),
        "losses.soft_drawdown": D("0.03"), "losses.soft_scale": D("0.75"),
        "losses.medium_drawdown": D("0.04"), "losses.medium_scale": D("0.55"), "losses.cooldown_s": 5_400,
    },
    name="balanced",
)  # fmt: skip

AGGRESSIVE = _GENERAL.replaced(
    {
        "exposure.position_size": D("0.10"), "exposure.max_position_size": D("0.15"),
        "trade.stop_default": D("0.03"), "trade.target_default": D("0.08"),
        "losses.daily_fraction": D("0.04"), "losses.intraday_drawdown": D("0.07"),
        "losses.soft_drawdown": D("0.04"), "losses.soft_scale": D("0.70"),
        "losses.medium_drawdown": D("0.055"), "losses.medium_scale": D("0.45"), "losses.cooldown_s": 7_200,
    },
    name="aggressive",
)  # fmt: skip

PERP_SMALL = _GENERAL.replaced(
    {
        "market.closed_windows": (), "market.after_open_s": None, "market.flatten_before_close_s": None,
        "exposure.least_notional": D(5), "exposure.order_notional": D(50), "exposure.max_position_notional": D(50),
        "exposure.gross": None, "exposure.gross_notional": D(200), "exposure.sector": None, "exposure.positions": 10,
        "trade.stop_fraction": None, "trade.loss_fraction": D("0.02"),
        "trade.clips": True,
        "losses.daily": D(20), "losses.daily_fraction": D("0.10"), "losses.volatility": None,
        "losses.instrument_drawdown": None,
        "margin.leverage": D(3), "margin.initial_rate": D("0.80"), "margin.maintenance_rate": D("0.90"),
        "margin.least_available": D(100), "margin.order_buffer": D(2), "margin.liquidation_distance": D("0.05"),
        "margin.single_asset": D("0.50"), "margin.buying_power": None, "margin.settled_cash": False,
        "margin.funding_per_day": D("0.01"),
    },
    name="perp_small",
)  # fmt: skip

MICRO_FUTURES = _GENERAL.replaced(
    {
        "prices.market_entries": False, "prices.market_collar_bps": None, "prices.spread_bps": None,
        "prices.spread_ticks": D(3),
        "exposure.order_quantity": D(1), "exposure.position_quantity": D(1), "exposure.gross": None,
        "exposure.net": None, "exposure.sector": None, "exposure.positions": 1, "exposure.adding": False,
        "pace.entries_per_hour": 1, "pace.entry_gap_s": 1_800, "pace.trades": 2,
        "trade.least_stop_ticks": 2, "trade.stop_ticks": 12, "trade.stop_fraction": None,
        "trade.tiers": (
            Tier(below=D(2_500), stop_ticks=10, trade_loss=D(12)),
            Tier(below=D(7_500), stop_ticks=14, trade_loss=D(15)),
            Tier(stop_ticks=18, trade_loss=D(15)),
        ),
        "trade.least_equity": D(1_500), "trade.loss": D(15), "trade.loss_fraction": D("0.02"),
        "trade.loss_with_costs": False, "trade.friction_cost": D(9), "trade.friction_extra": D(6),
        "losses.daily": D(30), "losses.weekly": D(75), "losses.monthly": D(150), "losses.daily_fraction": None,
        "losses.weekly_fraction": None, "losses.monthly_fraction": None,
        "losses.account_streak": 2, "losses.account_rest_s": None,
        "losses.intraday_drawdown": None, "losses.soft_drawdown": None, "losses.soft_scale": D(1),
        "losses.medium_drawdown": None, "losses.medium_scale": D(1), "losses.value_at_risk": None,
        "losses.expected_shortfall": None, "losses.volatility": None, "losses.instrument_drawdown": None,
        "margin.leverage": None, "margin.buying_power": None, "margin.settled_cash": False,
        "margin.order_buffer": D(2),
        "operation.positions_every_s": 120, "operation.kills": True,
        "orders.unknown_kill_s": 10, "orders.lost_exposed_s": 15, "orders.rejects_halt": D("0.19"),
    },
    name="micro_futures",
)  # fmt: skip

PROFILES: Mapping[str, Limits] = {
    limits.name: limits for limits in (RESEARCH, CONSERVATIVE, BALANCED, AGGRESSIVE, PERP_SMALL, MICRO_FUTURES)
}
"""By name."""


def profile(name: str) -> Limits:
    """Return the profile of that name.

    Raises:
        UsageError: If there is none.
    """
    found: Any = PROFILES.get(name)
    if found is None:
        raise UsageError(f"there is no profile '{name}'; known are {', '.join(PROFILES)}, or give a file of limits")
    return PROFILES[name]
