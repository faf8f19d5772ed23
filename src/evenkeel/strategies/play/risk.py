"""Stop, target and size of a play: percentages become fractions here, once."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.problems import Path, suggestion
from evenkeel.strategies.play.schema import (
    AtrStop,
    AtrTarget,
    PercentStop,
    PercentTarget,
    PointsStop,
    RatioTarget,
    RiskModelSection,
    RiskSection,
    StructureStop,
)
from evenkeel.strategies.play.scope import Scope

_SIDE_LEVELS = ("low_level", "high_level")


class PercentDistance(msgspec.Struct, frozen=True, tag="percent"):
    """A distance in proportion to the price at the decision.

    Attributes:
        fraction: Of the price; leverage is already divided out where the play counts return on margin.
    """

    fraction: float


class AtrDistance(msgspec.Struct, frozen=True, tag="atr_multiple"):
    """A distance of some average true ranges.

    Attributes:
        multiple: How many.
        atr: Feature id of an `atr`.
        buffer_fraction: Of the price, added.
    """

    multiple: float
    atr: str
    buffer_fraction: float = 0.0


class StructureDistance(msgspec.Struct, frozen=True, kw_only=True, tag="structure"):
    """The distance to a level of a structure.

    Attributes:
        key: Structure key.
        field: Output with the level; None takes low_level below the price and high_level above it.
        buffer_fraction: Of the price, added.
        buffer_atr: Average true ranges, added.
        atr: Feature id of the `atr` that `buffer_atr` counts; None without one.
        max_distance_fraction: Of the price; a level further away is not used. None is no limit.
        fallback_fraction: Of the price, when there is no usable level. None: then there is no entry.
    """

    key: str
    field: str | None
    buffer_fraction: float = 0.0
    buffer_atr: float = 0.0
    atr: str | None = None
    max_distance_fraction: float | None = None
    fallback_fraction: float | None = None


class PointsDistance(msgspec.Struct, frozen=True, tag="fixed_points"):
    """A distance in points of price."""

    points: float


class RewardRisk(msgspec.Struct, frozen=True, tag="rr_ratio"):
    """A target at a multiple of the stop's distance."""

    ratio: float


StopRule: TypeAlias = PercentDistance | AtrDistance | StructureDistance | PointsDistance
TargetRule: TypeAlias = StopRule | RewardRisk


class Risk(msgspec.Struct, frozen=True, kw_only=True):
    """How a position is protected.

    Attributes:
        stop: None runs without a stop.
        target: None runs without a target.
        tp_order_type: `Market` or `Limit`.
        sl_order_type: `Market`.
    """

    stop: StopRule | None
    target: TargetRule | None
    tp_order_type: str = "Market"
    sl_order_type: str = "Market"


class RiskReader:
    """Turns a risk section into rules; tells what is wrong to the log."""

    def __init__(self, scope: Scope, path: Path, leverage: float, log: ProblemLog) -> None:
        self._scope = scope
        self._path = path
        self._leverage = leverage
        self._log = log

    def read(self, section: RiskSection | RiskModelSection) -> Risk:
        """Return the protection that the section asks for."""
        if isinstance(section, RiskSection):
            self._refuse_both(section)
        stop, target = section.stop_loss, section.take_profit
        if isinstance(section, RiskSection) and section.stop_loss_pct is not None:
            stop = PercentStop(type="percent", value=section.stop_loss_pct)
        if isinstance(section, RiskSection) and section.take_profit_pct is not None:
            target = PercentTarget(type="percent", value=section.take_profit_pct)
        if isinstance(target, RatioTarget) and stop is None:
            place = (*self._path, "take_profit")
            self._log.error(place, "an rr_ratio target needs a stop to multiply", "add `stop_loss`")
        return Risk(
            stop=self._stop(stop, (*self._path, "stop_loss")),
            target=self._target(target, (*self._path, "take_profit")),
            tp_order_type=section.tp_order_type,
            sl_order_type=section.sl_order_type,
        )

    def _refuse_both(self, section: RiskSection) -> None:
        for short, long in (("stop_loss_pct", "stop_loss"), ("take_profit_pct", "take_profit")):
            if getattr(section, short) is not None and getattr(section, long) is not None:
                path = (*self._path, short)
                self._log.error(path, f"`{short}` and `{long}` say the same thing twice", "keep one", key=True)

    def _stop(self, rule: Any, path: Path) -> StopRule | None:
        match rule:
            case PercentStop():
                by_margin = self._leverage if rule.basis == "roi" else 1.0
                return PercentDistance(rule.value / 100 / by_margin)
            case AtrStop():
                atr = self._atr(rule.atr_feature_id, (*path, "atr_feature_id"))
                return AtrDistance(rule.value, atr, rule.buffer_pct / 100)
            case AtrTarget():
                return AtrDistance(rule.value, self._atr(rule.atr_feature_id, (*path, "atr_feature_id")))
            case StructureStop():
                return self._structure(rule, path)
            case PointsStop():
                return PointsDistance(rule.value)
            case _:
                return None

    def _target(self, rule: Any, path: Path) -> TargetRule | None:
        return RewardRisk(rule.value) if isinstance(rule, RatioTarget) else self._stop(rule, path)

    def _atr(self, name: str, path: Path) -> str:
        found = self._scope.find(name)
        if found is None or found.is_structure:
            self._log.error(path, f"there is no feature '{name}'", suggestion(name, self._scope.features("atr")))
        elif found.node is not None and found.node.name != "atr":
            remedy = suggestion(name, self._scope.features("atr")) if self._scope.features("atr") else "declare one"
            self._log.error(path, f"'{name}' is a {found.node.name}, not an atr", remedy)
        return name

    def _structure(self, rule: StructureStop, path: Path) -> StructureDistance:
        self._level(rule, path)
        if rule.buffer_pct is not None and rule.buffer_atr is not None:
            self._log.error(
                (*path, "buffer_atr"), "`buffer_pct` and `buffer_atr` exclude each other", "keep one", key=True
            )
        if rule.buffer_atr is not None and rule.atr_feature_id is None:
            self._log.error(path, "`buffer_atr` needs `atr_feature_id`", "name an atr feature")
        if rule.buffer_atr is None and rule.atr_feature_id is not None:
            self._log.error((*path, "atr_feature_id"), "only `buffer_atr` reads it", "remove it", key=True)
        atr = None if rule.atr_feature_id is None else self._atr(rule.atr_feature_id, (*path, "atr_feature_id"))
        return StructureDistance(
            key=rule.structure_key,
            field=rule.field,
            buffer_fraction=(rule.buffer_pct or 0.0) / 100,
            buffer_atr=rule.buffer_atr or 0.0,
            atr=atr,
            max_distance_fraction=None if rule.max_distance_pct is None else rule.max_distance_pct / 100,
            fallback_fraction=None if rule.value is None else rule.value / 100,
        )

    def _level(self, rule: StructureStop, path: Path) -> None:
        found = self._scope.find(rule.structure_key)
        if found is None or not found.is_structure:
            remedy = suggestion(rule.structure_key, self._scope.structures())
            self._log.error((*path, "structure_key"), f"there is no structure '{rule.structure_key}'", remedy)
            return
        if found.node is None or not found.outputs:
            return
        names = [output.name for output in found.outputs if output.type == "FLOAT"]
        if rule.field is not None and rule.field not in names:
            message = f"'{found.id}' has no level '{rule.field}'"
            self._log.error((*path, "field"), message, suggestion(rule.field, names))
        elif rule.field is None and not set(_SIDE_LEVELS) <= set(names):
            message = f"a {found.node.name} has no low_level and high_level"
            self._log.error(path, message, f"add `field:` with one of {', '.join(names) or 'a swing'}")
