"""How far stop and target of an entry would lie, at every decision (plays.md 1.11); missing where an input is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from evenkeel.readiness.audit.document import Document
from evenkeel.readiness.audit.replay.play import plain
from evenkeel.readiness.audit.replay.said import Stretch
from evenkeel.readiness.audit.replay.stages import Bools, Floats

Rule = Mapping[str, Any]
LEVEL_OF = {("stop", 1): "low_level", ("stop", -1): "high_level", ("target", 1): "high_level",
            ("target", -1): "low_level"}  # fmt: skip
"""The field of a structure that a rule reads if it names none."""


class Risk(NamedTuple):
    """The rules of the play for what protects a position; None where it has none."""

    stop: Rule | None
    target: Rule | None
    trailing: Rule | None


def read_risk(manifest: Document) -> Risk:
    """Return the rules of the resolved play."""
    model = plain(manifest.value("strategy.resolved.risk_model"))
    return Risk(model.get("stop_loss"), model.get("take_profit"), model.get("trailing"))


class Distances:
    """Distances at the decisions of one stretch.

    Args:
        risk: The rules.
        part: The stretch.
        leverage: The smaller of account and sizing.
    """

    def __init__(self, risk: Risk, part: Stretch, leverage: float) -> None:
        self._risk = risk
        self._part = part
        self._leverage = leverage

    @property
    def _price(self) -> Floats:
        """The base close of each decision."""
        market = self._part.market
        base = market.sheets[market.base].columns["close"]
        return base if len(base) == len(self._part) else base[self._part.last - self._part.row]

    def stop(self, side: int) -> Floats | None:
        """Return the distance of the stop; None without a rule."""
        return None if self._risk.stop is None else self._of(self._risk.stop, "stop", side)

    def target(self, side: int) -> Floats | None:
        """Return the distance of the target, of a ladder that of its nearest step; None without a rule."""
        rule = self._risk.target
        if rule is None:
            return None
        if rule["type"] == "rr_ratio":
            stop = self.stop(side)
            return None if stop is None else stop * float(rule["value"])
        if rule["type"] == "ladder":
            nearest: Floats = np.minimum.reduce([self._step(step, side) for step in rule["steps"]])
            return nearest
        return self._of(rule, "target", side)

    def missing(self, side: int) -> Bools:
        """Return where a distance that an entry needs is missing."""
        needed = [self.stop(side), self.target(side)]
        trailing = self._risk.trailing
        if trailing is not None and trailing["type"] == "trailing_atr":
            needed.append(self._part.value(trailing["atr_feature_id"]))
        absent = [~(one > 0) for one in needed if one is not None]
        return np.any(absent, axis=0) if absent else np.zeros(len(self._part), dtype=np.bool_)

    def _step(self, step: Rule, side: int) -> Floats:
        if step.get("rr") is None:
            return self._price * (float(step["pct"]) / 100)
        stop = self.stop(side)
        return self._price * np.nan if stop is None else stop * float(step["rr"])

    def _of(self, rule: Rule, what: str, side: int) -> Floats:
        kind, value = rule["type"], float(rule.get("value") or 0)
        if kind == "percent":
            return self._price * (value / 100 / (self._leverage if rule.get("basis", "roi") == "roi" else 1.0))
        if kind == "fixed_points":
            return np.full(len(self._part), value)
        if kind == "trailing_pct":
            return self._price * (float(rule["trail_pct"]) / 100)
        if kind == "structure":
            return self._structure(rule, what, side)
        multiple = float(rule.get("atr_multiplier", 2.0)) if kind == "trailing_atr" else value
        average = self._part.value(rule["atr_feature_id"])
        return average * multiple + self._price * (float(rule.get("buffer_pct") or 0) / 100)

    def _structure(self, rule: Rule, what: str, side: int) -> Floats:
        """Return the distance to a level with its buffer, or the fallback where the level does not serve."""
        level = self._part.value(rule["structure_key"], rule.get("field") or LEVEL_OF[what, side])
        away = (self._price - level) * (side if what == "stop" else -side)
        found = away + self._price * (float(rule.get("buffer_pct") or 0) / 100)
        if rule.get("buffer_atr"):
            found = found + self._part.value(rule["atr_feature_id"]) * float(rule["buffer_atr"])
        most, fallback = rule.get("max_distance_pct"), rule.get("value")
        serves = (away > 0) & (found <= (np.inf if most is None else self._price * (float(most) / 100)))
        return np.where(serves, found, np.nan if fallback is None else self._price * (float(fallback) / 100))
