"""Pairs of plays that see one market from both sides: the second trades 1/price as the first trades the price.

What mirrors exactly, and so may be drawn:

* Conditions that look at the order of prices only: comparisons of prices with prices, extremes of windows, swings,
  bars since an extreme. Highs and lows change places, above and below as well. Averages do not mirror: the mean of
  1/price is not 1 over the mean. Nor does a trend, which takes a bar that is both pivots as a high first (4.1).
* Levels that are a share of a price: under 1/price a level a share x below lies x / (1 - x) above.

Distances count from the fill and shares of the price at the decision, so the market opens where it closed before and
nothing slips: then both are the same price. Of a perpetual only the linear one is simulated, whose money does not
mirror: results, margin and liquidation are left out, quantities are fixed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import yaml

from evenkeel.model.bar import Bars
from random_plays import INTRABAR, MINUTES, ROLES, Rng, chance, number, pick

MIRROR = 10_000.0
Pair = tuple[Any, Any]
"""A condition, and the one that says the same of the mirrored market."""


def mirrored(bars: Bars) -> Bars:
    """Return the market at 1/price: what was highest is lowest."""
    return Bars(
        bars.timeframe, bars.open_ns, bars.close_ns, MIRROR / bars.open, MIRROR / bars.low, MIRROR / bars.high,
        MIRROR / bars.close, bars.volume,
    )  # fmt: skip


def without_gaps(bars: Bars) -> Bars:
    """Return the market with each bar opening where the one before closed."""
    opened = np.concatenate([bars.open[:1], bars.close[:-1]])
    high, low = np.maximum(bars.high, opened), np.minimum(bars.low, opened)
    return Bars(bars.timeframe, bars.open_ns, bars.close_ns, opened, high, low, bars.close, bars.volume)


def against(side: int, share: float) -> float:
    """Return how far the mirror image of a level lies, as a share, that is this far on the losing side."""
    return share / (1 - side * share)


def beyond(side: int, share: float) -> float:
    """Return the same for a level on the winning side."""
    return share / (1 + side * share)


def percent_pair(side: int, percent: float, image: Any) -> tuple[float, float]:
    return percent, 100 * image(side, percent / 100)


class MirrorWriter:
    """Draws a play and its mirror image.

    Args:
        rng: Where the draws come from.
        levels: Whether stops, targets and what moves them are drawn; without them signals end every position.
    """

    def __init__(self, rng: Rng, levels: bool) -> None:
        self.rng, self.levels = rng, levels
        self.intervals = dict(zip(ROLES, pick(rng, *MINUTES), strict=True))
        self.role = pick(rng, *ROLES)
        self.intrabar = chance(rng, 0.4) and INTRABAR and self.intervals[self.role] != "1m"
        self.side = pick(rng, 1, -1)
        self.lengths = [int(rng.integers(2, 15)) for _ in range(3)]

    def plays(self) -> tuple[str, str]:
        """Return the YAML of both."""
        entry, leave = self.condition(2), self.condition(2)
        percent = float(pick(self.rng, 100, 100, 50, 30))
        plans: tuple[Any, Any] = self.plans() if self.levels else ({}, {})
        texts = [
            self.play(side, entry[place], leave[place], percent, plans[place])
            for place, side in enumerate((self.side, -self.side))
        ]
        return texts[0], texts[1]

    def play(self, side: int, entry: Any, leave: Any, percent: float, plan: dict[str, Any]) -> str:
        word = "long" if side > 0 else "short"
        emit: Any = {"action": f"exit_{word}", "percent": percent}
        swing = {"type": "swing", "key": "sw", "params": {"left": self.lengths[0] % 4 + 1, "right": 2}}
        document = {
            "version": "3.0.0", "name": "mirrored", "symbol": "TEST",
            "timeframes": {
                **self.intervals, "exec": self.role, **({"evaluate": "intrabar"} if self.intrabar else {}),
            },
            "account": {
                "starting_equity": 1e9, "max_drawdown_pct": 100, "slippage_bps": 0.0,
                "fee_model": {"taker_bps": 0.0, "maker_bps": 0.0},
            },
            "features": {
                "don": {"indicator": "donchian", "tf": self.role,
                        "params": {"lower_length": self.lengths[1], "upper_length": self.lengths[1]}},
                "don_high": {"indicator": "donchian", "tf": "high_tf",
                             "params": {"lower_length": 3, "upper_length": 3}},
                "aroon": {"indicator": "aroon", "tf": self.role, "params": {"length": self.lengths[2]}},
            },
            "structures": {"exec": [swing]},
            "actions": [
                {"id": "enter", "cases": [{"when": entry, "emit": [f"entry_{word}"]}]},
                {"id": "leave", "cases": [{"when": leave, "emit": [emit]}]},
            ],
            "position_policy": {"mode": f"{word}_only", "exit_mode": "first_hit"},
            "risk_model": {"sizing": {"model": "fixed_quantity", "value": 1000.0}, **plan},
        }  # fmt: skip
        return yaml.safe_dump(document, sort_keys=False)

    def phrase(self) -> Pair:
        rng, ago = self.rng, int(self.rng.integers(1, 6))
        before = {"feature_id": "close", "offset": ago}
        pairs: list[Pair] = [
            (["close", ">", "open"], ["close", "<", "open"]),
            (["close", ">=", before], ["close", "<=", before]),
            (["high", ">", {"feature_id": "don", "field": "upper", "offset": 1}],
             ["low", "<", {"feature_id": "don", "field": "lower", "offset": 1}]),
            (["close", "<", "don_high.upper"], ["close", ">", "don_high.lower"]),
            (["close", "cross_above", "sw.high_level"], ["close", "cross_below", "sw.low_level"]),
            (["close", ">", "sw.low_level"], ["close", "<", "sw.high_level"]),
            (["aroon.up", ">", "aroon.down"], ["aroon.down", ">", "aroon.up"]),
            (["sw.high_accepted", "==", True], ["sw.low_accepted", "==", True]),
        ]  # fmt: skip
        if self.intrabar:
            pairs += [
                (["last_price", ">", "high"], ["last_price", "<", "low"]),
                (["last_price", ">=", "close"], ["last_price", "<=", "close"]),
            ] * 2
        one, other = pick(rng, *pairs)
        busy = ["volume", ">", number(rng, 200, 900)]
        pair = ([one, busy], [other, busy]) if chance(rng, 0.5) else ([one], [other])
        return ({"all": pair[0]}, {"all": pair[1]})

    def condition(self, depth: int) -> Pair:
        rng = self.rng
        kind = pick(rng, "phrase", "phrase", "all", "any", "not", "window") if depth else "phrase"
        if kind in ("all", "any"):
            parts = [self.condition(depth - 1) for _ in range(2)]
            return {kind: [part[0] for part in parts]}, {kind: [part[1] for part in parts]}
        if kind == "not":
            one, other = self.condition(depth - 1)
            return {"not": one}, {"not": other}
        if kind == "window" and not self.intrabar:
            one, other = self.condition(depth - 1)
            facts = {"bars": int(rng.integers(1, 5))}
            return {"occurred_within": {**facts, "expr": one}}, {"occurred_within": {**facts, "expr": other}}
        return self.phrase()

    def plans(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the protection of both: each level of the second is the image of the first's."""
        rng = self.rng
        one: dict[str, Any] = {}
        two: dict[str, Any] = {}
        trail = percent_pair(self.side, number(rng, 0.1, 1), against)
        armed = percent_pair(self.side, number(rng, 0, 0.5), beyond)
        stop = percent_pair(self.side, number(rng, 0.1, 1), against)
        for plan, place in ((one, 0), (two, 1)):
            plan["stop_loss"] = {"type": "percent", "value": stop[place], "basis": "price"}
        kind = pick(rng, "none", "stop", "beside")
        for plan, place in ((one, 0), (two, 1)) if kind != "none" else ():
            rule = {"type": "trailing_pct", "trail_pct": trail[place], "activation_pct": armed[place]}
            plan["stop_loss" if kind == "stop" else "trailing"] = rule
        if chance(rng, 0.4):
            activation = number(rng, 0.1, 0.8)
            reached = percent_pair(self.side, activation, beyond)
            offset = percent_pair(self.side, round(activation * rng.uniform(0, 0.8), 3), beyond)
            for plan, place in ((one, 0), (two, 1)):
                plan["break_even"] = {"activation_pct": reached[place], "offset_pct": offset[place]}
        self.targets(one, two)
        return one, two

    def targets(self, one: dict[str, Any], two: dict[str, Any]) -> None:
        rng = self.rng
        if chance(rng, 0.3):
            return
        if chance(rng, 0.5):
            target = percent_pair(self.side, number(rng, 0.2, 1.5), beyond)
            for plan, place in ((one, 0), (two, 1)):
                plan["take_profit"] = {"type": "percent", "value": target[place], "basis": "price"}
            return
        steps = [percent_pair(self.side, number(rng, 0.1, 1.5), beyond) for _ in range(4)]
        for plan, place in ((one, 0), (two, 1)):
            plan["take_profit"] = {
                "type": "ladder", "steps": [{"pct": step[place], "close_pct": 25.0} for step in steps],
            }  # fmt: skip
