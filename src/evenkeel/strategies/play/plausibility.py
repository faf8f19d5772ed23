"""Comparisons that can never, or always, hold: worth a warning, because nobody writes them on purpose."""

from __future__ import annotations

from evenkeel.strategies.play.expression import Builtin, Compare, FeatureRef, Literal, Operand
from evenkeel.strategies.play.scope import Scope

_BOUNDS: dict[tuple[str, str], tuple[float, float]] = {
    ("rsi", "value"): (0, 100),
    ("stoch", "k"): (0, 100),
    ("stoch", "d"): (0, 100),
    ("stochrsi", "k"): (0, 100),
    ("stochrsi", "d"): (0, 100),
    ("adx", "adx"): (0, 100),
    ("adx", "adxr"): (0, 100),
    ("adx", "dmp"): (0, 100),
    ("adx", "dmn"): (0, 100),
    ("mfi", "value"): (0, 100),
    ("willr", "value"): (-100, 0),
    ("cmo", "value"): (-100, 100),
    ("supertrend", "direction"): (-1, 1),
    ("trend", "direction"): (-1, 1),
    ("trend", "strength"): (0, 2),
}
"""Indicator or structure and output to the ends between which it always lies."""

_UPWARDS = (">", "cross_above")
_DOWNWARDS = ("<", "cross_below")


def doubt(compared: Compare, scope: Scope) -> tuple[str, str] | None:
    """Return what is doubtful about a comparison and a remedy, or None."""
    return _beyond_bounds(compared, scope) or _beyond_own_channel(compared, scope)


def _beyond_bounds(compared: Compare, scope: Scope) -> tuple[str, str] | None:
    bounds = _bounds_of(compared.left, scope)
    if bounds is None or not isinstance(compared.right, Literal) or isinstance(compared.right.value, bool | str):
        return None
    low, high = bounds
    value = compared.right.value
    never = {
        ">": value >= high, ">=": value > high, "<": value <= low, "<=": value < low,
        "==": not low <= value <= high, "cross_above": value >= high, "cross_below": value <= low,
    }.get(compared.op, False)  # fmt: skip
    always = {">=": value <= low, "<=": value >= high, "!=": not low <= value <= high}.get(compared.op, False)
    if not never and not always:
        return None
    return f"this {'never' if never else 'always'} holds: the value lies between {low:g} and {high:g}", ""


def _bounds_of(operand: Operand, scope: Scope) -> tuple[float, float] | None:
    if not isinstance(operand, FeatureRef):
        return None
    declared = scope.declared.get(operand.id)
    return _BOUNDS.get((declared.node.name, operand.field)) if declared and declared.node else None


def _beyond_own_channel(compared: Compare, scope: Scope) -> tuple[str, str] | None:
    """A close above the upper end of a channel that contains this very bar."""
    left, right = compared.left, compared.right
    if not isinstance(left, Builtin) or not isinstance(right, FeatureRef) or left.offset or right.offset:
        return None
    declared = scope.declared.get(right.id)
    if declared is None or declared.node is None or declared.node.name != "donchian":
        return None
    up = compared.op in _UPWARDS and right.field == "upper"
    down = compared.op in _DOWNWARDS and right.field == "lower"
    if declared.timeframe != scope.intervals.exec or left.name == "volume" or not (up or down):
        return None
    remedy = f"look at the bar before: {{ feature_id: {right.id}, field: {right.field}, offset: 1 }}"
    return f"this never holds: {right.id}.{right.field} contains this very bar", remedy
