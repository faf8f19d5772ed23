"""Stop, target and size of a play: percentages become fractions here, once."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from evenkeel.model.number import to_decimal
from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.problems import Path, suggestion
from evenkeel.strategies.play.schema import (
    AtrStop,
    AtrTarget,
    AtrTrail,
    BreakEvenSection,
    LadderTarget,
    PercentStop,
    PercentTarget,
    PercentTrail,
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


class LadderRule(msgspec.Struct, frozen=True, kw_only=True):
    """One target of a ladder: a multiple of the stop's distance, or a fraction of the price; and what it closes."""

    ratio: float | None
    fraction: float | None
    share: float


class Ladder(msgspec.Struct, frozen=True, tag="ladder"):
    """Several targets, each for a part of the position."""

    steps: tuple[LadderRule, ...]


class Trail(msgspec.Struct, frozen=True, kw_only=True):
    """How the stop follows the price.

    Attributes:
        activation_fraction: Profit from which on it follows.
        fraction: Distance from a close in proportion to it; None where `distance` says it.
        distance: Fixed distance, found at the decision; None where `fraction` says it.
    """

    activation_fraction: float
    fraction: float | None
    distance: AtrDistance | None


class BreakEven(msgspec.Struct, frozen=True):
    """When the stop goes to break-even, and how far beyond the entry price: fractions of it."""

    activation_fraction: float
    offset_fraction: float


StopRule: TypeAlias = PercentDistance | AtrDistance | StructureDistance | PointsDistance
TargetRule: TypeAlias = StopRule | RewardRisk | Ladder


class Risk(msgspec.Struct, frozen=True, kw_only=True):
    """How a position is protected.

    Attributes:
        stop: None runs without a stop.
        target: None runs without a target.
        trail: None does not trail.
        break_even: None does not go to break-even.
        tp_order_type: `Market` or `Limit`.
        sl_order_type: `Market` or `Limit`.
    """

    stop: StopRule | None
    target: TargetRule | None
    trail: Trail | None = None
    break_even: BreakEven | None = None
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
        if stop is None:
            self._refuse_without_stop(section, target)
        elif section.sl_order_type == "Limit":
            place = (*self._path, "sl_order_type")
            self._log.warn(place, "a stop that is a Limit order does not protect where the price jumps over it")
        return Risk(
            stop=self._stop(stop, (*self._path, "stop_loss")),
            target=self._target(target, (*self._path, "take_profit")),
            trail=self._trail(section, stop),
            break_even=self._break_even(section.break_even),
            tp_order_type=section.tp_order_type,
            sl_order_type=section.sl_order_type,
        )

    def _refuse_without_stop(self, section: RiskSection | RiskModelSection, target: Any) -> None:
        """Tell what only makes sense beside a stop."""
        place = (*self._path, "take_profit")
        if isinstance(target, RatioTarget):
            self._log.error(place, "an rr_ratio target needs a stop to multiply", "add `stop_loss`")
        if isinstance(target, LadderTarget) and any(step.rr is not None for step in target.steps):
            self._log.error(place, "a step in `rr` needs a stop to multiply", "add `stop_loss`, or write `pct`")
        for key, given in (("trailing", section.trailing), ("break_even", section.break_even)):
            if given is not None:
                self._log.error((*self._path, key), "there is no stop to move", "add `stop_loss`", key=True)

    def _trail(self, section: RiskSection | RiskModelSection, stop: Any) -> Trail | None:
        """Return how the stop follows the price: by its own type, or by `trailing` beside it."""
        own = isinstance(stop, AtrTrail | PercentTrail)
        if own and section.trailing is not None:
            path = (*self._path, "trailing")
            self._log.error(path, f"the stop is {stop.type} already", "keep one of the two", key=True)
        rule, key = (stop, "stop_loss") if own else (section.trailing, "trailing")
        match rule:
            case AtrTrail():
                atr = self._atr(rule.atr_feature_id, (*self._path, key, "atr_feature_id"))
                distance = AtrDistance(rule.atr_multiplier, atr)
                return Trail(activation_fraction=rule.activation_pct / 100, fraction=None, distance=distance)
            case PercentTrail():
                fraction = rule.trail_pct / 100
                return Trail(activation_fraction=rule.activation_pct / 100, fraction=fraction, distance=None)
            case _:
                return None

    def _break_even(self, section: BreakEvenSection | None) -> BreakEven | None:
        if section is None:
            return None
        if section.offset_pct >= section.activation_pct:
            message = f"`offset_pct` {section.offset_pct:g} is not below `activation_pct` {section.activation_pct:g}"
            remedy = "the stop would lie beyond the price that moved it; write a smaller offset"
            self._log.error((*self._path, "break_even", "offset_pct"), message, remedy)
        return BreakEven(section.activation_pct / 100, section.offset_pct / 100)

    def _ladder(self, target: LadderTarget, path: Path) -> Ladder:
        for number, step in enumerate(target.steps):
            if (step.rr is None) == (step.pct is None):
                place = (*path, "steps", number)
                self._log.error(place, "a step has exactly one of `rr` and `pct`", "keep one", key=True)
        total = sum(to_decimal(step.close_pct) for step in target.steps)
        if total != 100:
            remedy = "make the shares sum to 100"
            self._log.error((*path, "steps"), f"the steps close {total} percent of the position", remedy, key=True)
        return Ladder(
            tuple(
                LadderRule(
                    ratio=step.rr, fraction=None if step.pct is None else step.pct / 100, share=step.close_pct / 100
                )
                for step in target.steps
            )
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
            case AtrTrail():
                return AtrDistance(rule.atr_multiplier, rule.atr_feature_id)
            case PercentTrail():
                return PercentDistance(rule.trail_pct / 100)
            case _:
                return None

    def _target(self, rule: Any, path: Path) -> TargetRule | None:
        match rule:
            case RatioTarget():
                return RewardRisk(rule.value)
            case LadderTarget():
                return self._ladder(rule, path)
            case _:
                return self._stop(rule, path)

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
