"""Limits on how large, how many and how often (operations.md 1.3, rows 8, 10 and 20 to 36)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec

from evenkeel.risk.limits.rule import Group, Tighter, limit

_MONEY = "account currency"


class Exposure(Group, frozen=True, kw_only=True):
    """How large orders, positions and all of them together may be."""

    least_notional: Annotated[
        Decimal | None, limit(10, _MONEY, "(0, inf)", "Smallest entry that makes sense.", Tighter.MORE)
    ] = None
    order_quantity: Annotated[Decimal | None, limit(20, "units", "(0, inf)", "Largest order.")] = None
    position_quantity: Annotated[Decimal | None, limit(20, "units", "(0, inf)", "Largest position.")] = None
    order_notional: Annotated[Decimal | None, limit(21, _MONEY, "(0, inf)", "Largest order.")] = None
    position_size: Annotated[
        Decimal | None, limit(0, "fraction of equity", "(0, 1]", "Size where a strategy has no view of its own.")
    ] = None
    max_position_size: Annotated[
        Decimal | None, limit(22, "fraction of equity", "(0, 1]", "Largest position in one instrument.")
    ] = None
    max_position_notional: Annotated[
        Decimal | None, limit(22, _MONEY, "(0, inf)", "Largest position in one instrument.")
    ] = None
    gross: Annotated[
        Decimal | None, limit(23, "multiple of equity", "(0, 100]", "All positions and entries at work.")
    ] = None
    gross_notional: Annotated[Decimal | None, limit(23, _MONEY, "(0, inf)", "The same in money.")] = None
    least_room: Annotated[
        Decimal, limit(23, "fraction of the wish", "[0, 1]", "With less room left an entry is refused.", Tighter.MORE)
    ] = Decimal("0.1")
    net: Annotated[Decimal | None, limit(24, "multiple of equity", "(0, 100]", "Longs less shorts.")] = None
    sector: Annotated[
        Decimal | None, limit(25, "fraction of equity", "(0, 100]", "One sector; half of it where it is not known.")
    ] = None
    correlation: Annotated[
        Decimal | None, limit(26, "0 to 1", "(0, 1]", "Largest correlation with what is held; above, the size shrinks.")
    ] = None
    strict_correlation: Annotated[
        bool, limit(26, "on or off", "", "Whether a larger correlation refuses instead.", Tighter.ON)
    ] = False
    positions: Annotated[int | None, limit(27, "instruments", "[1, 1000]", "Held or entered at once.")] = None
    owners: Annotated[
        bool, limit(28, "on or off", "", "Whether an instrument belongs to one strategy at a time.", Tighter.ON)
    ] = False
    adding: Annotated[
        bool, limit(29, "on or off", "", "Whether a strategy that declares it may add to a position.", Tighter.OFF)
    ] = True
    orders_symbol: Annotated[int | None, limit(30, "orders", "[1, 1000]", "Working in one instrument.")] = None
    orders_account: Annotated[int | None, limit(30, "orders", "[1, 10000]", "Working in the account.")] = None


class Pace(Group, frozen=True, kw_only=True):
    """How often orders may be sent."""

    duplicate_s: Annotated[
        int | None, limit(8, "seconds", "[0, 86400]", "So long an order like the last is a duplicate.", Tighter.MORE)
    ] = None
    duplicate_quantity: Annotated[
        Decimal, limit(8, "fraction", "[0, 1]", "Quantities so near are alike.", Tighter.MORE)
    ] = Decimal("0.01")
    duplicate_price_bps: Annotated[
        Decimal, limit(8, "basis points", "[0, 10000]", "Prices so near are alike.", Tighter.MORE)
    ] = Decimal(5)
    symbol_per_minute: Annotated[int | None, limit(31, "orders a minute", "[1, 10000]", "In one instrument.")] = None
    strategy_per_minute: Annotated[int | None, limit(31, "orders a minute", "[1, 10000]", "Of one strategy.")] = None
    account_per_minute: Annotated[int | None, limit(31, "orders a minute", "[1, 10000]", "Of the account.")] = None
    broker_per_minute: Annotated[
        int | None, limit(31, "requests a minute", "[1, 100000]", "What the broker takes.")
    ] = None
    exit_reserve: Annotated[
        int, limit(31, "orders", "[0, 10000]", "Of account and broker, kept for what reduces.", Tighter.MORE)
    ] = 0
    runaway_per_minute: Annotated[int | None, limit(31, "orders a minute", "[1, 100000]", "So many are a panic.")] = (
        None
    )
    entries_per_hour: Annotated[int | None, limit(31, "entries an hour", "[1, 3600]", "Of the account.")] = None
    entry_gap_s: Annotated[
        int | None, limit(31, "seconds", "[0, 86400]", "Between two entries of the account.", Tighter.MORE)
    ] = None
    signal_cooldown_s: Annotated[
        int | None, limit(32, "seconds", "[0, inf)", "Between entries of a strategy in an instrument.", Tighter.MORE)
    ] = None
    trades: Annotated[int | None, limit(33, "trades a session", "[1, 10000]", "Completed and open.")] = None


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """What a trade may risk while the account is small.

    Attributes:
        below: Equity below which it holds, account currency; None holds for all above.
        stop_ticks: Widest stop.
        trade_loss: Largest loss at the stop, account currency.
    """

    below: Decimal | None = None
    stop_ticks: int
    trade_loss: Decimal


class Trade(Group, frozen=True, kw_only=True):
    """What one trade may lose and cost."""

    stop_required: Annotated[
        bool, limit(34, "on or off", "", "Whether an entry needs a protective stop, waivers aside.", Tighter.ON)
    ] = False
    least_stop_ticks: Annotated[int | None, limit(34, "ticks", "[1, inf)", "Nearest stop.", Tighter.MORE)] = None
    stop_ticks: Annotated[int | None, limit(34, "ticks", "[1, inf)", "Widest stop.")] = None
    stop_fraction: Annotated[Decimal | None, limit(34, "fraction of the price", "(0, 0.5]", "Widest stop.")] = None
    stop_default: Annotated[
        Decimal | None, limit(0, "fraction of the price", "(0, 0.5]", "Stop where a strategy has no view of its own.")
    ] = None
    target_default: Annotated[
        Decimal | None, limit(0, "fraction of the price", "(0, 1]", "Target where a strategy has no view of its own.")
    ] = None
    tiers: Annotated[
        tuple[Tier, ...], limit(34, "tiers", "", "Stop and risk by the size of the account.", Tighter.ALL)
    ] = ()
    least_equity: Annotated[
        Decimal | None, limit(35, _MONEY, "[0, inf)", "Below it nothing is opened.", Tighter.MORE)
    ] = None
    loss: Annotated[Decimal | None, limit(35, _MONEY, "(0, inf)", "Largest worst case of a trade.")] = None
    loss_fraction: Annotated[
        Decimal | None, limit(35, "fraction of equity", "(0, 1]", "Largest worst case of a trade.")
    ] = None
    loss_with_costs: Annotated[
        bool, limit(35, "on or off", "", "Whether fees and slippage are part of that worst case.", Tighter.ON)
    ] = True
    clips: Annotated[
        bool, limit(35, "on or off", "", "Whether a larger worst case shrinks the size instead.", Tighter.OFF)
    ] = False
    friction: Annotated[
        Decimal | None, limit(36, "fraction", "(0, 1]", "Largest part of the move to the first target for costs.")
    ] = None
    friction_cost: Annotated[
        Decimal | None,
        limit(
            36, "account currency a unit", "[0, inf)", "Pessimistic cost of a round trip; else reckoned.", Tighter.MORE
        ),
    ] = None
    friction_extra: Annotated[
        Decimal, limit(36, "account currency a unit", "[0, inf)", "Most that is added for slippage.", Tighter.MORE)
    ] = Decimal(0)
