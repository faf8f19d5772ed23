"""What a play puts at risk, worked at a price: the distances its protection asks for, and the figures of an entry.

A play does not know the price, the average true range or the levels of the day it will trade on. Figures are worked
at a price of 100 with the start equity; where the market decides a distance, a stated assumption stands in for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

PRICE = 100.0
"""The price at which figures are worked."""

ASSUMED_ATR = 0.01
"""Average true range, as a fraction of the price, where a rule counts in it."""

ASSUMED_LEVEL = 0.02
"""Distance to the level of a structure, as a fraction of the price."""

ROOM = 4.0
"""A price at which distances in points are worked is at least so many times the largest of them."""

_PERCENT = 100.0


class Distance(msgspec.Struct, frozen=True, kw_only=True):
    """How far away a level is.

    Attributes:
        worked: In price, at the worked price and under the assumption.
        longest: The longest that the play allows, in price; None where the market alone decides.
        assumption: What was assumed, in words; empty where the play says it all.
    """

    worked: float
    longest: float | None
    assumption: str = ""


class Target(msgspec.Struct, frozen=True):
    """A part of a position and how far away it is closed with a profit.

    Attributes:
        distance: From the price at the decision.
        share: Of the position.
        rule: What the play says of it: `take_profit`, or one step of its ladder.
    """

    distance: Distance
    share: float
    rule: dict[str, Any]


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """What a position costs that is stopped out at its stop: positive amounts of account currency.

    Attributes:
        move: Between the price at the decision and the stop.
        fees: Of both sides.
        slippage: Of both sides.
    """

    move: float
    fees: float
    slippage: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.move + self.fees + self.slippage


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry and the play as a whole put at risk, in account currency.

    Attributes:
        price: At which everything is worked.
        equity: At the start.
        leverage: Largest of a position.
        stop: Of an entry; None without one.
        targets: Of an entry, nearest first.
        refusal: Why the gates would refuse the worked entry; empty if they let it pass.
        notional: Of the worked entry; 0 if it is refused.
        quantity: The same in units, not rounded to the lot.
        loss: At the stop of the worked entry; None without a stop or an entry.
        gain: At its targets, costs taken off; None without a target or an entry.
        round_trip: What getting in and out at the same price costs.
        liquidations: Side, +1 or -1, to the price at which the worked entry would be liquidated.
        largest_notional: Of any entry with the start equity.
        largest_loss: At the stop of any entry with the start equity, costs included. Without a stop, or where nothing
            bounds its distance, what the position itself can lose; None where nothing bounds that.
        bounded_by: What bounds the largest loss: `stop`, `position`, `margin` or `nothing`.
        drawdown_stop: Fall of equity, from the start, at which the run stops; None is off.
        entries_per_bar: Entries in one execution bar.
        orders_per_entry: Orders that an entry brings: itself, its stop and its targets.
    """

    price: float
    equity: float
    leverage: float
    stop: Distance | None
    targets: tuple[Target, ...]
    refusal: str
    notional: float
    quantity: float
    loss: Loss | None
    gain: float | None
    round_trip: float
    liquidations: dict[int, float]
    largest_notional: float
    largest_loss: float | None
    bounded_by: str
    drawdown_stop: float | None
    entries_per_bar: int
    orders_per_entry: int


def leverage_of(resolved: Mapping[str, Any]) -> float:
    """Return the leverage of a position: the smaller of the account's and the sizing's."""
    given = (resolved["account"].get("max_leverage"), resolved["risk_model"].get("sizing", {}).get("max_leverage"))
    return min((float(one) for one in given if one is not None), default=1.0)


def worked_price(resolved: Mapping[str, Any]) -> float:
    """Return 100, or the power of ten that leaves room for the points a rule counts."""
    rules = (resolved["risk_model"].get(key) or {} for key in ("stop_loss", "take_profit"))
    points = max((float(rule["value"]) for rule in rules if rule.get("type") == "fixed_points"), default=0.0)
    price = PRICE
    while price < ROOM * points:
        price *= 10
    return price


def stop_distance(rule: Mapping[str, Any] | None, price: float, leverage: float) -> Distance | None:
    """Return how far a stop is from the price at the decision, or None without a stop.

    Args:
        rule: `stop_loss` of the resolved risk model.
        price: At the decision.
        leverage: Of a position; percentages of the margin are divided by it.
    """
    if rule is None:
        return None
    kind = rule["type"]
    if kind == "percent":
        by_margin = leverage if rule.get("basis", "roi") == "roi" else 1.0
        return _fixed(price * float(rule["value"]) / _PERCENT / by_margin)
    if kind == "trailing_pct":
        return _fixed(price * float(rule["trail_pct"]) / _PERCENT)
    if kind == "fixed_points":
        return _fixed(float(rule["value"]))
    if kind == "structure":
        return _to_level(rule, price)
    multiple = float(rule["atr_multiplier" if kind == "trailing_atr" else "value"])
    buffer = price * float(rule.get("buffer_pct") or 0) / _PERCENT
    return Distance(worked=multiple * _atr(price) + buffer, longest=None, assumption=_atr_words(rule, price))


def target_distances(
    rule: Mapping[str, Any] | None, price: float, leverage: float, stop: Distance | None
) -> tuple[Target, ...]:
    """Return the targets of a `take_profit` rule, nearest first; none without one."""
    if rule is None:
        return ()
    if rule["type"] == "ladder":
        steps = [
            Target(_step(step, price, stop), float(step["close_pct"]) / _PERCENT, dict(step))
            for step in rule.get("steps", ())
        ]
        return tuple(sorted(steps, key=lambda target: target.distance.worked))
    if rule["type"] == "rr_ratio":
        return (Target(_times(stop, float(rule["value"])), 1.0, dict(rule)),)
    distance = stop_distance(rule, price, leverage)
    return () if distance is None else (Target(distance, 1.0, dict(rule)),)


def _step(step: Mapping[str, Any], price: float, stop: Distance | None) -> Distance:
    if step.get("pct") is not None:
        return _fixed(price * float(step["pct"]) / _PERCENT)
    return _times(stop, float(step["rr"]))


def _times(stop: Distance | None, ratio: float) -> Distance:
    if stop is None:
        return _fixed(0.0)
    longest = None if stop.longest is None else stop.longest * ratio
    return Distance(worked=stop.worked * ratio, longest=longest, assumption=stop.assumption)


def _fixed(distance: float) -> Distance:
    return Distance(worked=distance, longest=distance)


def _to_level(rule: Mapping[str, Any], price: float) -> Distance:
    buffer = price * float(rule.get("buffer_pct") or 0) / _PERCENT + float(rule.get("buffer_atr") or 0) * _atr(price)
    ends = [price * float(rule[key]) / _PERCENT for key in ("max_distance_pct", "value") if rule.get(key) is not None]
    longest = max(ends) if rule.get("max_distance_pct") is not None else None
    worked = price * ASSUMED_LEVEL + buffer
    if longest is not None and worked > longest:
        return Distance(worked=longest, longest=longest, assumption="with a level as far away as is allowed")
    words = f"with the level {ASSUMED_LEVEL * _PERCENT:g} % of the price away"
    if rule.get("buffer_atr"):
        words += f" and {_atr_words(rule, price).removeprefix('with ')}"
    return Distance(worked=worked, longest=longest, assumption=words)


def _atr(price: float) -> float:
    return price * ASSUMED_ATR


def _atr_words(rule: Mapping[str, Any], price: float) -> str:
    return f"with {rule['atr_feature_id']} at {_atr(price):g}, {ASSUMED_ATR * _PERCENT:g} % of the price"
