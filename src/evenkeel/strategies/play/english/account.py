"""Money, costs and limits in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from evenkeel.strategies.play.english.phrases import listed, money, number, percent, sentence

_TOLD = {
    "starting_equity", "currency", "max_leverage", "max_drawdown_pct", "margin_mode", "position_mode", "fee_model",
    "slippage_bps", "impact", "min_trade_notional", "max_notional", "max_margin", "max_position_equity_pct",
    "include_close_fee", "require_trade_through", "stop_equity", "trigger_source", "risk_per_trade_pct", "funding",
    "maintenance_margin_rate", "mm_deduction", "on_sl_beyond_liq", "min_liq_distance_pct",
    "continue_after_liquidation", "half_spread_bps", "latency_ms", "queue", "max_volume_fraction",
    "kind", "contract_margin", "overnight", "pattern_day_trader", "borrow_rate_pct", "settlement_days",
    "extended_hours",
}  # fmt: skip
"""Keys that a sentence below tells, or that have one value only."""

_STOP_BEYOND = {
    "reject": "An entry whose stop would lie beyond its liquidation price is refused.",
    "adjust": "A stop that would lie beyond the liquidation price is moved in front of it.",
    "warn": "A stop that lies beyond the liquidation price is only marked.",
}


def account_lines(resolved: Mapping[str, Any], drawdown_stop: float | None) -> list[str]:
    """Return what the account has, pays and may not exceed.

    Args:
        resolved: The resolved play.
        drawdown_stop: Fall from the start at which the run stops, in account currency; None is off.
    """
    account: Mapping[str, Any] = resolved["account"]
    currency = str(account["currency"])
    return [
        _start(account, currency),
        *_kind(account, currency),
        _costs(account, currency),
        *_impact(account),
        *_orders(account),
        *_funding(account),
        *_liquidation(account),
        *_limits(account, currency, drawdown_stop),
        *plain_lines(account, _TOLD),
    ]


def plain_lines(section: Mapping[str, Any], told: Collection[str]) -> list[str]:
    """Return a line for each key that no sentence tells, so that nothing in a play goes unsaid."""
    return [
        sentence(f"{key.replace('_', ' ')}: {_shown(value)}")
        for key, value in section.items()
        if key not in told and value not in ({}, None)
    ]


def _start(account: Mapping[str, Any], currency: str) -> str:
    leverage = float(account.get("max_leverage", 1))
    borrowed = "without leverage" if leverage <= 1 else f"with leverage up to {number(leverage)}"
    return f"It starts with {money(float(account['starting_equity']), currency)} and trades {borrowed}."


def _kind(account: Mapping[str, Any], currency: str) -> list[str]:
    """Return how positions are paid for; of the usual perpetual and of what is paid in full there is nothing to say."""
    kind = account.get("kind")
    lines = (
        ["Bars outside regular hours take part; there only limit orders fill."] if account.get("extended_hours") else []
    )
    if kind == "futures":
        return [
            *lines,
            *_futures(account.get("contract_margin", {}), currency, overnight=account.get("overnight", True)),
        ]
    if kind == "cash":
        days = account.get("settlement_days")
        if days == 0:
            return lines
        wait = "by the rule of its day" if days is None else f"after {number(float(days))} sessions"
        return [*lines, f"Positions are paid with settled cash; a sale settles {wait}."]
    if kind == "margin":
        lines.append("Half of a position is paid with credit; one that is no longer covered is closed by the broker.")
        if account.get("borrow_rate_pct") is not None:
            lines.append(f"A short position costs {percent(float(account['borrow_rate_pct']))} of its worth a year.")
        if account.get("pattern_day_trader", True):
            lines.append(
                "An entry that could be the fourth day trade within five sessions is refused below 25,000 USD."
            )
    return lines


def _futures(margin: Mapping[str, Any], currency: str, *, overnight: bool) -> list[str]:
    entry = margin.get("initial", 0) if overnight else margin.get("intraday", margin.get("initial", 0))
    least = money(float(margin.get("maintenance", 0)), currency)
    lines = [
        f"A contract ties up {money(float(entry), currency)}; below {least} of equity a contract the broker closes the "
        "position."
    ]
    return lines if overnight else [*lines, "Nothing is held over the end of a session."]


def _costs(account: Mapping[str, Any], currency: str) -> str:
    fees: Mapping[str, Any] = account.get("fee_model", {})
    taker, maker = (float(fees.get(key, 0)) for key in ("taker_bps", "maker_bps"))
    both = f"{_bps(taker)} of what an order is worth when it takes, {_bps(maker)} when it rests"
    parts = [f"{_bps(taker)} of what an order is worth" if taker == maker else both] if taker or maker else []
    if fees.get("per_contract"):
        parts.append(f"{number(float(fees['per_contract']))} {currency} a unit and side")
    if fees.get("liquidation_bps") not in (None, fees.get("taker_bps")):
        parts.append(f"{_bps(float(fees['liquidation_bps']))} at a liquidation")
    paid = f"Fees: {listed(parts)}" if parts else "Fees: none"
    return f"{paid}. Slippage: {_bps(float(account.get('slippage_bps', 0)))} against us on every fill that takes."


def _bps(value: float) -> str:
    return f"{percent(value / 100)}"


def _funding(account: Mapping[str, Any]) -> list[str]:
    funding = account.get("funding")
    if not isinstance(funding, Mapping):
        return []
    if not funding.get("enabled", True):
        return ["Funding is not charged."]
    if "fixed_rate" not in funding:
        return ["Funding is charged at the recorded rates, and not at all where the data has none."]
    rate = percent(100 * float(funding["fixed_rate"]))
    return [
        f"Funding is charged at the recorded rates; where the data has none, a long pays {rate} of its worth every 8 "
        "hours."
    ]


def _impact(account: Mapping[str, Any]) -> list[str]:
    impact = account.get("impact")
    if not isinstance(impact, Mapping) or impact.get("mode", "disabled") == "disabled":
        return []
    part = "share" if impact["mode"] == "linear" else "square root of the share"
    by, most = (_bps(float(impact.get(key, usual))) for key, usual in (("coef_bps", 50), ("max_bps", 100)))
    return [f"Large orders slip further: by {by} times the {part} they take of a bar's volume, at most {most}."]


def _orders(account: Mapping[str, Any]) -> list[str]:
    """Return what an order meets beside its costs, as far as a play says more than the ordinary."""
    lines = []
    spread = float(account.get("half_spread_bps") or 0)
    if spread:
        lines.append(f"The spread is {_bps(2 * spread)}: what takes pays half of it on top of slippage.")
    if account.get("max_volume_fraction") is not None:
        part = percent(100 * float(account["max_volume_fraction"]))
        lines.append(f"At most {part} of a bar's volume can fill; the rest waits for the next bar.")
    if account.get("latency_ms"):
        lines.append(f"An order is at the venue {number(float(account['latency_ms']))} ms after its decision.")
    queue = account.get("queue") or {}
    if queue.get("model") == "trade_through":
        lines.append(f"A resting order fills only when the price goes {number(float(queue['ticks']))} ticks beyond it.")
    elif queue.get("model") == "volume_ahead":
        share = percent(100 * float(queue["share"]))
        lines.append(f"A resting order waits until {share} of a bar's volume has traded at its price, or beyond it.")
    source = _TRIGGERS.get(str(account.get("trigger_source")))
    return [*lines, source] if source else lines


_TRIGGERS = {
    "MarkPrice": "Stops are set off by the mark price.",
    "IndexPrice": "Stops are set off by the index price.",
}


def _liquidation(account: Mapping[str, Any]) -> list[str]:
    """Return what leverage brings with it; without leverage nothing is liquidated that the play could speak of."""
    if float(account.get("max_leverage", 1)) <= 1:
        return []
    lines = ["A position whose margin is used up is liquidated: it loses its margin, never more."]
    least = float(account.get("min_liq_distance_pct") or 0)
    if least:
        lines.append(f"An entry is refused when its liquidation price is closer than {percent(least)} to the price.")
    if account.get("on_sl_beyond_liq") in _STOP_BEYOND:
        lines.append(_STOP_BEYOND[account["on_sl_beyond_liq"]])
    goes_on = "The run goes on after a liquidation." if account.get("continue_after_liquidation") else ""
    return [*lines, goes_on or "A liquidation ends the run."]


def _limits(account: Mapping[str, Any], currency: str, drawdown_stop: float | None) -> list[str]:
    caps = [f"{percent(float(account['max_position_equity_pct']))} of equity times leverage"]
    if account.get("max_notional") is not None:
        caps.append(money(float(account["max_notional"]), currency))
    if account.get("max_margin") is not None:
        caps.append(f"a margin of {money(float(account['max_margin']), currency)}")
    kept = ", the fee of the close kept free" if account.get("include_close_fee", True) else ""
    lines = [f"No position is larger than {listed(caps, 'or')}{kept}."]
    least = float(account.get("min_trade_notional", 0))
    if least:
        lines.append(f"Orders below {money(least, currency)} are not sent.")
    if account.get("require_trade_through"):
        lines.append("A resting order fills only when the price goes beyond it; a touch is not enough.")
    if drawdown_stop is not None:
        fall = percent(float(account["max_drawdown_pct"]))
        lines.append(
            f"The run stops when equity falls {fall} from its peak: {money(drawdown_stop, currency)} at the start."
        )
    else:
        lines.append("No fall of equity stops the run.")
    if float(account.get("stop_equity", 0)):
        lines.append(f"The run stops when equity falls to {money(float(account['stop_equity']), currency)}.")
    return lines


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return listed([f"{key} {_shown(one)}" for key, one in value.items()])
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, int | float) else str(value)
