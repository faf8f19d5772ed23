"""How figures and parameters of a search read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evenkeel.monitor.report.words import NONE, figure

_NAMES = {
    "sharpe": "Sharpe", "sortino": "Sortino", "return_pct": "Return %", "cagr_pct": "Return a year %",
    "growth_pct_a_year": "Growth a year %", "net_pnl": "Net", "profit_factor": "Profit factor",
    "expectancy": "Average trade", "win_rate": "Winners", "trades": "Trades", "max_drawdown_pct": "Drawdown %",
    "max_drawdown_intrabar_pct": "Drawdown in bars %", "fees": "Fees", "slippage": "Slippage",
    "exposure_pct": "Time in market %", "avg_bars_held": "Bars held",
}  # fmt: skip


def name_of(metric: str) -> str:
    """Return a figure's name for people."""
    return _NAMES.get(metric, metric)


def text_of(value: Any) -> str:
    """Return a figure or the value of a parameter."""
    if value is None:
        return NONE
    if isinstance(value, bool | str):
        return str(value).lower() if isinstance(value, bool) else value
    return f"{value:,}" if isinstance(value, int) else figure(value, digits=4 if abs(value) < 1 else 2)


def set_words(values: Mapping[str, Any]) -> str:
    """Return a set of parameters in words."""
    return ", ".join(f"{name} {text_of(value)}" for name, value in values.items())
