"""Stop, target, size and worst case in words, with figures worked at a price."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from evenkeel.strategies.play.english.phrases import count, listed, money, number, percent, sentence, share
from evenkeel.strategies.play.exposure import Exposure, Target

Rule: TypeAlias = Mapping[str, Any]

_SIDES = {1: "a long", -1: "a short"}
_BOUNDS = {
    "position": "Nothing bounds how far away the stop may be, so at worst a position loses all it is worth",
    "margin": "Nothing bounds how far away the stop may be, so at worst a position loses its margin",
}


class RiskWords:
    """Puts the risk section of one play into words.

    Args:
        risk: `risk_model` of the resolved play.
        exposure: Its figures.
        currency: Of the account.
        sides: +1, -1 or both: on which sides positions may be.
    """

    def __init__(self, risk: Rule, exposure: Exposure, currency: str, sides: tuple[int, ...]) -> None:
        self._risk = risk
        self._exposure = exposure
        self._currency = currency
        self._sides = sides

    def lines(self) -> list[str]:
        """Return stop, trailing, break-even, target, size, what an entry costs, and the worst case."""
        return [self._stop(), *self._moves(), *self._targets(), self._size(), *self._entry(), *self._worst()]

    def _money(self, amount: float) -> str:
        return money(amount, self._currency)

    def _of_equity(self, amount: float) -> str:
        return f"{self._money(amount)}, {share(amount / self._exposure.equity)} of equity"

    def _at(self, distance: float, way: int) -> str:
        """Return where a level is, on the sides that there are; `way` is -1 for stops and +1 for targets."""
        levels = [(side, self._exposure.price + way * side * distance) for side in self._sides]
        there = [f"{number(level)} for {_SIDES[side]}" for side, level in levels if level > 0]
        return f" at {listed(there)}" if there else " (out of reach at this price)"

    def _stop(self) -> str:
        rule, stop = self._risk.get("stop_loss"), self._exposure.stop
        if rule is None or stop is None:
            return "Stop: none. Nothing but the rules above ends a position that loses."
        assumed = f" {sentence(stop.assumption).removesuffix('.')}, it is" if stop.assumption else " It is"
        worked = f"{assumed} {number(stop.worked)} away,{self._at(stop.worked, -1)}."
        how = ", a limit order at its level" if self._risk.get("sl_order_type") == "Limit" else ""
        return f"Stop: {distance_words(rule, self._exposure.leverage)}{how}.{worked}"

    def _moves(self) -> list[str]:
        lines = []
        stop, trailing = self._risk.get("stop_loss") or {}, self._risk.get("trailing")
        if str(stop.get("type", "")).startswith("trailing_"):
            trailing = stop
        if trailing:
            lines.append(f"Trailing: {trailing_words(trailing)}. The stop only ever moves towards the price.")
        even = self._risk.get("break_even")
        if even:
            beyond = self._exposure.price * float(even.get("offset_pct", 0)) / 100
            lines.append(
                f"Break-even: at the first close that is {percent(float(even.get('activation_pct', 0)))} in profit "
                f"the stop moves to the entry price and {percent(float(even.get('offset_pct', 0)))} beyond,"
                f"{self._at(beyond, 1)}."
            )
        return lines

    def _targets(self) -> list[str]:
        rule, targets = self._risk.get("take_profit"), self._exposure.targets
        if rule is None or not targets:
            return ["Target: none."]
        how = "a resting limit order" if self._risk.get("tp_order_type") == "Limit" else "a market order"
        if rule["type"] == "ladder":
            return [f"Targets: {listed([self._step(target) for target in targets])}; each {how}."]
        (target,) = targets
        words = distance_words(rule, self._exposure.leverage)
        away = f"{number(target.distance.worked)} away,{self._at(target.distance.worked, 1)}"
        return [f"Target: {words}, {how}. Then it is {away}."]

    def _step(self, target: Target) -> str:
        step, far = target.rule, target.distance.worked
        by = (
            f"{percent(float(step['pct']))} of the price"
            if step.get("pct") is not None
            else f"{number(float(step['rr']))} times the stop's distance"
        )
        return f"{share(target.share)} of the position {by} away ({number(far)},{self._at(far, 1)})"

    def _size(self) -> str:
        sizing = self._risk.get("sizing") or {}
        return f"Size: {size_words(sizing, self._currency)}."

    def _entry(self) -> list[str]:
        figures = self._exposure
        at = f"at a price of {number(figures.price)} with {self._money(figures.equity)}"
        if figures.refusal:
            why = figures.refusal.removesuffix(".")
            return [f"An entry {at} would be refused: {why[:1].lower()}{why[1:]}."]
        held = f"holds {number(figures.quantity)} units, worth {self._of_equity(figures.notional)}"
        margin = f", on a margin of {self._money(figures.notional / figures.leverage)}" if figures.leverage > 1 else ""
        lines = [
            f"An entry {at} {held}{margin}. Getting in and out at one price costs {self._money(figures.round_trip)}."
        ]
        if figures.liquidations:
            levels = [f"{number(float(f'{at:.5g}'))} for {_SIDES[side]}" for side, at in figures.liquidations.items()]
            lines.append(f"It would be liquidated at {listed(levels)}.")
        if figures.loss is not None:
            parts = (
                f"{self._money(figures.loss.move)} by the move, {self._money(figures.loss.fees)} in fees, "
                f"{self._money(figures.loss.slippage)} in slippage"
            )
            lines.append(f"Stopped out, it loses {self._of_equity(figures.loss.total)}: {parts}.")
        if figures.gain is not None:
            where = "At its target" if len(figures.targets) == 1 else "When every target is reached"
            verb = "gains" if figures.gain >= 0 else "still loses"
            lines.append(f"{where}, it {verb} {self._of_equity(abs(figures.gain))}, costs taken off.")
        return lines

    def _worst(self) -> list[str]:
        figures = self._exposure
        lines = [f"Worst case with the start equity: no entry holds more than {self._money(figures.largest_notional)}."]
        if figures.largest_loss is None:
            far = "how far away the stop may be, or " if figures.stop else ""
            return [*lines, f"Nothing bounds {far}what a position can lose."]
        if figures.bounded_by == "stop":
            lines.append(f"Stopped out, no entry loses more than {self._of_equity(figures.largest_loss)}.")
        else:
            why = _BOUNDS[figures.bounded_by] if figures.stop else "Without a stop, a position can lose"
            lines.append(f"{why}{':' if figures.stop else ''} {self._of_equity(figures.largest_loss)}.")
        if figures.stop is not None:
            lines.append("A price that jumps over the stop costs more than the stop says.")
        return lines


def distance_words(rule: Rule, leverage: float) -> str:
    """Return how far away a stop or target is, as the play says it."""
    kind = rule["type"]
    if kind == "percent":
        value = float(rule["value"])
        if rule.get("basis", "roi") == "price" or leverage == 1:
            return f"{percent(value)} of the price away"
        return f"{percent(value)} of the margin away, {percent(value / leverage)} of the price at leverage {leverage:g}"
    if kind in ("atr_multiple", "trailing_atr"):
        times = number(float(rule["atr_multiplier" if kind == "trailing_atr" else "value"]))
        buffer = float(rule.get("buffer_pct") or 0)
        beyond = f", plus {percent(buffer)} of the price" if buffer else ""
        return f"{times} times {rule['atr_feature_id']} away{beyond}"
    if kind == "trailing_pct":
        return f"{percent(float(rule['trail_pct']))} of the price away"
    if kind == "fixed_points":
        return f"{number(float(rule['value']))} points away"
    if kind == "rr_ratio":
        return f"{number(float(rule['value']))} times as far away as the stop"
    if kind == "structure":
        return _level_words(rule)
    return f"{kind.replace('_', ' ')} ({listed([f'{key} {value}' for key, value in rule.items() if key != 'type'])})"


def _level_words(rule: Rule) -> str:
    level = (
        f"at {rule['structure_key']}.{rule['field']}" if rule.get("field") else f"at a level of {rule['structure_key']}"
    )
    beyond = ""
    if rule.get("buffer_pct"):
        beyond = f", {percent(float(rule['buffer_pct']))} of the price beyond it"
    elif rule.get("buffer_atr"):
        beyond = f", {number(float(rule['buffer_atr']))} times {rule['atr_feature_id']} beyond it"
    most = f", at most {percent(float(rule['max_distance_pct']))} away" if rule.get("max_distance_pct") else ""
    fallback = float(rule.get("value") or 0)
    otherwise = f"{percent(fallback)} of the price away" if fallback else "no entry"
    return f"{level}{beyond}{most}; without a usable level, {otherwise}"


def trailing_words(rule: Rule) -> str:
    """Return how a stop trails."""
    if rule["type"] == "trailing_pct":
        behind = f"{percent(float(rule['trail_pct']))} behind the close"
    else:
        behind = f"{number(float(rule.get('atr_multiplier', 2)))} times {rule['atr_feature_id']} behind the close"
    activation = float(rule.get("activation_pct") or 0)
    since = f"once a close is {percent(activation)} in profit" if activation else "from the entry on"
    return f"{since}, the stop follows {behind}"


def size_words(sizing: Rule, currency: str) -> str:
    """Return how large an entry is."""
    value = float(sizing.get("value", 0))
    match sizing.get("model"):
        case "percent_equity":
            return f"{percent(value)} of the free margin"
        case "risk_based":
            costs = "fees and slippage included" if sizing.get("include_costs") else "fees and slippage on top"
            return f"as large as makes the stop cost {percent(value)} of equity, {costs}"
        case "fixed_usdt":
            what = "position" if sizing.get("basis") == "notional" else "margin"
            return f"a {what} of {money(value, currency)}"
        case "fixed_quantity":
            return f"{count(int(value), 'unit') if value == int(value) else f'{number(value)} units'}, all or none"
    return str(sizing.get("model"))
