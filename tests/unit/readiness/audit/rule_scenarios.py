"""Runs whose manifest holds the rules that decided them, worked out by hand."""

from __future__ import annotations

from typing import Any

from .audited_run import Hand, Scenario, flat

RULES: dict[str, Any] = {
    "timeframes": {"low_tf": "5m", "med_tf": "15m", "high_tf": "1h", "exec": "low_tf", "evaluate": "bar_close"},
    "features": {}, "structures": {}, "setups": {"up": ["close", ">", 100.5]},
    "actions": [
        {"id": "entry", "cases": [{"when": [{"setup": "up"}, ["close", "cross_above", 100.5]],
                                   "emit": [{"action": "entry_long"}]}]},
        {"id": "leave", "cases": [{"when": {"not": [{"setup": "up"}]},
                                   "emit": [{"action": "exit_long", "percent": 100}]}],
         "else": {"emit": ["no_action"]}},
    ],
    "position_policy": {"mode": "long_only"},
    "risk_model": {"stop_loss": {"type": "percent", "value": 2, "basis": "price"},
                   "take_profit": {"type": "rr_ratio", "value": 2}},
}  # fmt: skip

CROSSED = Scenario(
    bars=[*flat(100.0, 5), *flat(101.0, 10), *flat(100.0, 10)],
    trades=[
        Hand(
            side="long", qty="9.9", decided=10, entry=10, entry_price="101.0202", entry_fee="0.55005499", stop="99.1",
            target="105.0", entry_slippage="0.19998", exit=20, exit_price="99.98", exit_fee="0.5443911",
            reason="signal", exit_point="open", gross="-10.29798", net="-11.39242609", exit_slippage="0.198",
            bars_held=2, mae=0.0102969505, mfe=0.0,
        )
    ],
    changes={"strategy.resolved": RULES},
)  # fmt: skip
"""The close at 10 minutes crosses 100.5, that at 20 is below: 1000 / 101 to the lot, from 101.0202 to 99.98."""

RULED = {"crossed": CROSSED}
