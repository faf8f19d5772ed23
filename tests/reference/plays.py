"""The numbers of a play, read plainly: its YAML mapping becomes the rules and the plans of the slow exchange.

plays.md 1.3 account, 1.8 intents, 1.9 policy, 1.10 entry and 1.11 risk, word for word. Conditions are not read here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from reference.terms import ONE, ZERO, BreakEven, Decision, Plan, Rules, Step, Trail

Section = Mapping[str, Any]
HUNDRED, BPS = Decimal(100), Decimal(10_000)
FULL_RUN_OF_FUNDING = {"enabled": True, "fixed_rate": 0}


def exact(value: Any) -> Decimal:
    return Decimal(str(value))


def percent(value: Any) -> Decimal:
    return exact(value) / HUNDRED


def bps(value: Any) -> Decimal:
    return exact(value) / BPS


def risk_of(play: Section) -> dict[str, Any]:
    """Return the full form of the risk section; the shorthand is spelled out."""
    if "risk_model" in play:
        return dict(play["risk_model"])
    risk = dict(play["risk"])
    for name in ("stop_loss", "take_profit"):
        value = risk.pop(f"{name}_pct", None)
        if value is not None:
            risk[name] = {"type": "percent", "value": value, "basis": "roi"}
    risk["sizing"] = {"model": "percent_equity", "value": risk.pop("max_position_pct", 100)}
    return risk


def leverage_of(play: Section) -> Decimal:
    """6: the smaller of what the account and the sizing allow."""
    account = exact(play["account"].get("max_leverage", 1))
    sizing = risk_of(play).get("sizing", {}).get("max_leverage")
    return account if sizing is None else min(account, exact(sizing))


def optional(value: Any) -> Decimal | None:
    return None if value is None else exact(value)


def rules_of(play: Section, instrument: Section) -> Rules:
    """Return the rules of a play on an instrument given by tick, lot, smallest quantity, multiplier and kind."""
    account, entry, risk = play["account"], play.get("entry", {}), risk_of(play)
    fees, sizing = account["fee_model"], risk["sizing"]
    funding, impact = {**FULL_RUN_OF_FUNDING, **account.get("funding", {})}, account.get("impact", {})
    share = sizing["model"] in ("percent_equity", "risk_based")
    volume_fraction = optional(account.get("max_volume_fraction"))
    tiers = instrument.get("tiers", ())
    queue = account.get("queue", {})
    return Rules(
        start=exact(account["starting_equity"]),
        taker=bps(fees["taker_bps"]), maker=bps(fees["maker_bps"]), per_contract=exact(fees.get("per_contract", 0)),
        liquidation=bps(fees["liquidation_bps"]) if "liquidation_bps" in fees else None,
        slippage=bps(account["slippage_bps"]),
        max_drawdown=percent(account["max_drawdown_pct"]), stop_equity=exact(account.get("stop_equity", 0)),
        time_in_force=entry.get("time_in_force", "GTC"), expire_bars=entry.get("expire_after_bars", 0),
        target_is_limit=risk.get("tp_order_type", "Market") == "Limit",
        trade_through=account.get("require_trade_through", False),
        model=sizing["model"], value=percent(sizing["value"]) if share else exact(sizing["value"]),
        include_costs=sizing.get("include_costs", False), basis=sizing.get("basis", "margin"),
        leverage=min([leverage_of(play), *(tier.leverage for tier in tiers[:1])]),
        max_position=percent(account.get("max_position_equity_pct", 95)),
        max_notional=optional(account.get("max_notional")), max_margin=optional(account.get("max_margin")),
        min_notional=exact(account["min_trade_notional"]), include_close_fee=account.get("include_close_fee", True),
        maintenance=exact(account.get("maintenance_margin_rate", "0.005")),
        deduction=exact(account.get("mm_deduction", 0)),
        on_sl_beyond_liq=account.get("on_sl_beyond_liq", "reject"),
        min_liq_distance=percent(account.get("min_liq_distance_pct", 5)),
        continue_after_liquidation=account.get("continue_after_liquidation", False),
        funding=exact(funding["fixed_rate"]) if funding["enabled"] else None,
        trigger=account.get("trigger_source", "LastPrice"), volume_fraction=volume_fraction,
        half_spread=bps(account.get("half_spread_bps", 0)), latency_ms=account.get("latency_ms", 0),
        queue=queue.get("model", "touch"), queue_ticks=queue.get("ticks", 1),
        queue_share=exact(queue.get("share", "0.1")),
        stop_is_limit=risk.get("sl_order_type", "Market") == "Limit",
        impact=impact.get("mode", "disabled"), impact_coef=bps(impact.get("coef_bps", 50)),
        impact_max=bps(impact.get("max_bps", 100)),
        entries_per_bar=play["timeframes"].get("max_entries_per_bar", 1),
        **instrument,
    )  # fmt: skip


def distance(rule: Section, ref: Decimal, atr: Decimal, leverage: Decimal) -> Decimal:
    """Return how far from the price a stop or a target lies."""
    kind = rule["type"]
    if kind == "percent":
        return ref * percent(rule["value"]) / (ONE if rule.get("basis", "roi") == "price" else leverage)
    if kind == "atr_multiple":
        return atr * exact(rule["value"]) + ref * percent(rule.get("buffer_pct", 0))
    if kind == "trailing_atr":
        return atr * exact(rule.get("atr_multiplier", 2))
    if kind == "trailing_pct":
        return ref * percent(rule["trail_pct"])
    return exact(rule["value"])


def targets(rule: Section | None, ref: Decimal, atr: Decimal, leverage: Decimal) -> tuple[Step, ...]:
    if rule is None:
        return ()
    if rule["type"] == "rr_ratio":
        return (Step(rr=exact(rule["value"])),)
    if rule["type"] == "ladder":
        return tuple(
            Step(rr=exact(step["rr"]), share=percent(step["close_pct"]))
            if "rr" in step
            else Step(ref * percent(step["pct"]), share=percent(step["close_pct"]))
            for step in rule["steps"]
        )
    return (Step(distance(rule, ref, atr, leverage)),)


def trail(rule: Section | None, atr: Decimal) -> Trail | None:
    """Return how a stop follows the price, if it does."""
    activation = percent((rule or {}).get("activation_pct", 0))
    if rule is not None and rule["type"] == "trailing_atr":
        return Trail(distance=atr * exact(rule.get("atr_multiplier", 2)), activation=activation)
    if rule is not None and rule["type"] == "trailing_pct":
        return Trail(share=percent(rule["trail_pct"]), activation=activation)
    return None


def plan_of(play: Section, ref: Decimal, atr: Decimal) -> Plan:
    """Return how a position decided at a price will be left."""
    risk, leverage = risk_of(play), leverage_of(play)
    stop, even = risk.get("stop_loss"), risk.get("break_even")
    return Plan(
        stop=None if stop is None else distance(stop, ref, atr, leverage),
        targets=targets(risk.get("take_profit"), ref, atr, leverage),
        ladder=risk.get("take_profit", {}).get("type") == "ladder",
        trail=trail(risk.get("trailing", stop), atr),
        break_even=None
        if even is None
        else BreakEven(percent(even.get("activation_pct", 1)), percent(even.get("offset_pct", "0.1"))),
    )


def limit_price(ref: Decimal, side: int, offset_pct: Any) -> Decimal:
    return ref * (1 - side * percent(offset_pct))


def decision_of(play: Section, intents: Sequence[tuple[str, Decimal]], ref: Decimal, atr: Decimal) -> Decision:
    """Return what the intents of one evaluation, in their order, come to at a price.

    A long and a short entry at once are none; of several exits of a side the first counts.
    """
    actions = [action for action, _ in intents]
    side = ("entry_long" in actions) - ("entry_short" in actions)
    leaves = {
        name: next((percent(part) for action, part in intents if action in (name, "exit_all")), ZERO)
        for name in ("exit_long", "exit_short")
    }
    entry = play.get("entry", {})
    resting = side != 0 and entry.get("order_type", "MARKET") == "LIMIT"
    return Decision(
        side=side,
        kind="limit" if resting else "market",
        price=limit_price(ref, side, entry.get("limit_offset_pct", 0)) if resting else None,
        plan=plan_of(play, ref, atr) if side else Plan(),
        leave_long=leaves["exit_long"],
        leave_short=leaves["exit_short"],
        conflict="entry_long" in actions and "entry_short" in actions,
    )
