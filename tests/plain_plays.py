"""Plays whose conditions anybody can evaluate by hand, so that a slow exchange can be run beside the engine's.

    text, phrases = plain_play(np.random.default_rng(7), bars)
    decisions = decisions_of(yaml.safe_load(text), phrases, bars, first_row=600)

The sections that say how to trade are those of `random_plays`; the conditions compare prices of the last closed
execution bar, its volume and the last price, and are evaluated here in plain Python.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import yaml

from random_plays import INTRABAR, Rng, Sections, chance, number, pick
from reference.oscillators import atr
from reference.plays import decision_of
from reference.terms import Decision

Row = tuple[float, float, float, float, float]
"""Open, high, low, close and volume of a bar."""

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le,
}  # fmt: skip
NAMES = ("open", "high", "low", "close", "volume")
MINUTES = {"1m": 1, "3m": 3, "5m": 5, "15m": 15}


@dataclass(frozen=True)
class Phrase:
    """A condition as a play writes it: two names, or a name and a number."""

    left: str
    op: str
    right: str | float

    def holds(self, known: Mapping[str, float]) -> bool:
        right = known[self.right] if isinstance(self.right, str) else self.right
        return OPERATORS[self.op](known[self.left], right)

    def written(self) -> list[Any]:
        return [self.left, self.op, self.right]


@dataclass(frozen=True)
class Rule:
    """An intent and the phrases that must all hold for it."""

    action: str
    percent: float
    phrases: tuple[Phrase, ...]

    def written(self, number: int) -> dict[str, Any]:
        emit = {"action": self.action, **({"percent": self.percent} if self.percent != 100 else {})}
        case = {"when": [phrase.written() for phrase in self.phrases], "emit": [emit]}
        return {"id": f"rule_{number}", "cases": [case]}


def executed(rows: Sequence[Row], minutes: int) -> list[Row]:
    """Return the closed execution bars of base bars of one minute that begin at a full bar."""
    return grouped(rows, range(minutes - 1, len(rows), minutes), 0)


def grouped(rows: Sequence[Row], last_rows: Sequence[int], start_row: int) -> list[Row]:
    """Return execution bars from base bars, the last row of each, and the first row of the first."""
    bars = []
    for start, last in zip([start_row, *(row + 1 for row in last_rows)], last_rows, strict=False):
        part = rows[start : last + 1]
        bars.append(
            (part[0][0], max(row[1] for row in part), min(row[2] for row in part), part[-1][3],
             sum(row[4] for row in part))
        )  # fmt: skip
    return bars


def phrases(rng: Rng, bars: Sequence[Row], intrabar: bool) -> tuple[Phrase, ...]:
    """Return one to three phrases that together hold now and then."""
    price = float(np.median([bar[3] for bar in bars]))
    busy = float(f"{np.quantile([bar[4] for bar in bars], rng.uniform(0.5, 0.9)):.4g}")
    found = [Phrase("volume", ">", busy)] if chance(rng, 0.8) else []
    comparisons = [
        Phrase("close", pick(rng, ">", "<", ">="), "open"),
        Phrase("close", pick(rng, ">", "<="), float(f"{price * rng.uniform(0.99, 1.01):.4g}")),
    ]
    if intrabar:
        comparisons += [
            Phrase("last_price", pick(rng, ">", "<"), pick(rng, "open", "high", "low", "close")),
            Phrase("last_price", pick(rng, ">", "<="), float(f"{price * rng.uniform(0.99, 1.01):.4g}")),
        ] * 2
    found += [pick(rng, *comparisons) for _ in range(int(rng.integers(1, 3)))]
    return tuple(found)


def plain_play(rng: Rng, rows: Sequence[Row], *, marks: bool = False) -> tuple[str, list[Rule]]:
    """Return the YAML of a play on a perpetual over base bars of one minute, and its rules in their order.

    Args:
        marks: Whether the data have a mark price.
    """
    interval = pick(rng, *MINUTES)
    intrabar = chance(rng, 0.5) and INTRABAR and interval != "1m"
    bars = executed(rows, MINUTES[interval])
    sections = Sections(rng, True, price=rows[0][0], leverages=(1, 5, 10, 25, 25), marks=marks)
    mode = pick(rng, "long_only", "short_only", "long_short", "long_short")
    exit_mode = pick(rng, "sl_tp_only", "signal", "first_hit", "first_hit")
    sides = {"long_only": ["long"], "short_only": ["short"], "long_short": ["long", "short"]}[mode]
    actions = [f"entry_{side}" for side in sides]
    if exit_mode != "sl_tp_only":
        actions += pick(rng, [f"exit_{side}" for side in sides], ["exit_all"], ["exit_all", f"exit_{sides[0]}"])
    rules = [
        Rule(
            action, float(pick(rng, 100, 50, 33.3, 10)) if action.startswith("exit") else 100.0,
            phrases(rng, bars, intrabar),
        )
        for action in rng.permutation(actions).tolist()
    ]  # fmt: skip
    document: dict[str, Any] = {
        "version": "3.0.0",
        "name": "plain",
        "symbol": "TEST",
        "timeframes": {
            "low_tf": interval, "med_tf": interval, "high_tf": interval, "exec": "low_tf",
            **({"evaluate": "intrabar"} if intrabar else {}),
        },
        "account": sections.account(),
        "features": {"atr_exec": {"indicator": "atr", "params": {"length": int(rng.integers(3, 9))}}},
        "actions": [rule.written(place) for place, rule in enumerate(rules)],
        "position_policy": {"mode": mode, "exit_mode": exit_mode},
        "entry": sections.entry(),
        "risk_model": sections.risk(exit_mode),
    }  # fmt: skip
    if chance(rng, 0.2):
        all_in(rng, document)
    way = sections.way()
    document["account"] |= way
    if "queue" in way:
        waiting(rng, document)
    return yaml.safe_dump({key: value for key, value in document.items() if value != {}}, sort_keys=False), rules


def all_in(rng: Rng, document: dict[str, Any]) -> None:
    """Leave an account nothing free beside a position that is near its end: margins bear funding, gaps reach far."""
    leverage = float(pick(rng, 10, 25))
    document["account"] |= {
        "max_leverage": leverage, "max_position_equity_pct": 100.0, "include_close_fee": False,
        "max_drawdown_pct": 100.0, "min_liq_distance_pct": 0.0, "on_sl_beyond_liq": "warn",
        "funding": {"fixed_rate": float(pick(rng, 0.01, -0.01))},
    }  # fmt: skip
    document["account"].pop("stop_equity", None)
    document["account"].pop("max_notional", None)
    document["risk_model"]["sizing"] = {"model": "percent_equity", "value": 100.0}


def waiting(rng: Rng, document: dict[str, Any]) -> None:
    """Let entries and targets rest close to the market, where others stand before them."""
    if chance(rng, 0.7):
        document["entry"] = {
            "order_type": "LIMIT", "limit_offset_pct": float(pick(rng, 0.0, 0.02, 0.1)),
            "time_in_force": pick(rng, "GTC", "PostOnly"), "expire_after_bars": int(pick(rng, 0, 3)),
        }  # fmt: skip
    document["risk_model"]["tp_order_type"] = "Limit"


def decisions_of(
    play: Mapping[str, Any], rules: Sequence[Rule], rows: Sequence[Row], *, first_row: int
) -> dict[int, Decision]:
    """Return what a play wants: by execution bar, or by base row where it decides within the bar (5.3)."""
    minutes = MINUTES[play["timeframes"]["low_tf"]]
    last_rows = range(minutes - 1, len(rows), minutes)
    return decided(play, rules, rows, (0, last_rows), first_row=first_row, seen=lambda row: (row + 1) // minutes - 1)


def decided(
    play: Mapping[str, Any], rules: Sequence[Rule], rows: Sequence[Row], execution: tuple[int, Sequence[int]], *,
    first_row: int, seen: Callable[[int], int],
) -> dict[int, Decision]:  # fmt: skip
    """Return what a play wants on any bars.

    Args:
        execution: First base row of the first execution bar, and the last row of each.
        first_row: Base row at whose close the first decision is made.
        seen: Returns the last execution bar that has closed when a base row has.
    """
    intrabar = play["timeframes"].get("evaluate") == "intrabar"
    start_row, last_rows = execution
    bars = grouped(rows, last_rows, start_row)
    length = play["features"]["atr_exec"]["params"]["length"]
    ranges = atr({"length": length}, *([bar[place] for bar in bars] for place in (1, 2, 3)))["value"]
    found = {}
    numbers = {row: number for number, row in enumerate(last_rows)}
    for row in range(first_row, len(rows)) if intrabar else [row for row in last_rows if row >= first_row]:
        closed = seen(row) if intrabar else numbers[row]
        known = {**dict(zip(NAMES, bars[closed], strict=True)), "last_price": rows[row][3]}
        intents = [
            (rule.action, Decimal(str(rule.percent)))
            for rule in rules
            if all(phrase.holds(known) for phrase in rule.phrases)
        ]
        if intents:
            ref, spread = Decimal(repr(rows[row][3])), Decimal(repr(ranges[closed]))
            found[row if intrabar else closed] = decision_of(play, intents, ref, spread)
    return found


def volatile(rng: Rng, count: int) -> list[Row]:
    """Return minutes of a walk wide enough to liquidate: gaps at some opens, bars without a range or a volume."""
    level = float(pick(rng, 20.0, 100.0, 900.0))
    step = level * float(pick(rng, 1e-3, 3e-3, 8e-3))
    close = level + np.cumsum(rng.normal(0, step, count) - (np.arange(count) % 400 < 200) * step * rng.normal() * 0.05)
    close = np.maximum(close, level / 4)
    opened = np.concatenate([[level], close[:-1]]) + np.where(rng.random(count) < 0.3, rng.normal(0, step, count), 0)
    opened = np.maximum(opened, level / 4)
    reach = np.where(rng.random((2, count)) < 0.2, 0.0, np.abs(rng.normal(0, step, (2, count))))
    high, low = np.maximum(opened, close) + reach[0], np.maximum(np.minimum(opened, close) - reach[1], level / 5)
    volume = 1 + rng.random(count) * number(rng, 50, 2000)
    volume *= rng.random(count) >= float(pick(rng, 0, 0.02))
    return [tuple(row) for row in np.round(np.column_stack([opened, high, low, close, volume]), 2).tolist()]
