"""Comparisons that can never, or always, hold: worth a warning, because nobody writes them on purpose.

Only what follows from definitions is said: ends between which an output lies, columns that a window contains, outputs
of one channel in their order, a thing compared with itself. What merely never happened is no reason.
"""

from __future__ import annotations

from typing import NamedTuple

from evenkeel.strategies.play.expression import Arithmetic, Builtin, Compare, FeatureRef, Literal, Operand
from evenkeel.strategies.play.ranges import ANY, IMPLIED_SIGNS, SIGNS, Range, choice_of, implied_range, range_of
from evenkeel.strategies.play.registry import OutputInfo
from evenkeel.strategies.play.scope import Declared, Scope

_PRICES = ("open", "high", "low", "close")
_CHANNELS = {
    "donchian": ("lower", "middle", "upper"),
    "bbands": ("lower", "middle", "upper"),
    "kc": ("lower", "basis", "upper"),
}
"""Indicator to its outputs from the lowest to the highest, on every bar."""

_BELOW, _SAME, _ABOVE = -1, 0, 1
_HAIR = 1e-9


class Doubt(NamedTuple):
    """What is doubtful about a condition, and what to do."""

    message: str
    remedy: str


class _Window(NamedTuple):
    """A window whose extreme is an output: which columns it never lies inside of, and how many bars it holds."""

    columns: tuple[str, ...]
    bars: int


def doubt(compared: Compare, scope: Scope) -> Doubt | None:
    """Return what is doubtful about a comparison, or None."""
    found = _doubt(compared, Extents(scope))
    if found is None or not found.message.startswith(("this never", "this always")):
        return found
    certain = _doubt(compared, Extents(scope, hair=_HAIR))
    if certain is not None and certain.message.split(":")[0] == found.message.split(":")[0]:
        return found
    return Doubt(found.message.replace(" holds:", " holds, rounding aside:", 1), found.remedy)


def _doubt(compared: Compare, extents: Extents) -> Doubt | None:
    if compared.op in IMPLIED_SIGNS and compared.right is not None:
        found = _of_pair(compared, compared.right, extents)
        if found is not None:
            return found
    return _of_words(compared, extents) or _of_range(compared, extents)


class Extents:
    """What is known of the numbers that operands can be.

    Attributes:
        scope: Names of the play.
    """

    def __init__(self, scope: Scope, *, hair: float = 0.0) -> None:
        """Know the ends of outputs.

        Args:
            scope: Names of the play.
            hair: How far rounding may carry a number with a fraction beyond its end, relative to the end.
        """
        self.scope = scope
        self._hair = hair

    def of(self, operand: Operand) -> Range:
        """Return the numbers that an operand can be."""
        match operand:
            case Literal(value) if not isinstance(value, str | bool):
                return Range(float(value), float(value))
            case Builtin("volume"):
                return Range(low=0.0)
            case FeatureRef():
                return self._of_output(self.output(operand))
            case Arithmetic(op, left, right):
                return _calculated(op, self.of(left), self.of(right))
        return ANY

    def output(self, operand: Operand) -> OutputInfo | None:
        """Return the declaration of the output that an operand is."""
        declared = self.scope.declared.get(operand.id) if isinstance(operand, FeatureRef) else None
        return declared.output(operand.field) if declared is not None and isinstance(operand, FeatureRef) else None

    def is_whole(self, operand: Operand) -> bool:
        """Whether an operand is an output that holds whole numbers only."""
        output = self.output(operand)
        return output is not None and output.type == "INT"

    def _of_output(self, output: OutputInfo | None) -> Range:
        if output is None:
            return ANY
        hair = 0.0 if output.type == "INT" else self._hair
        low = ANY.low if output.low is None else output.low - hair * max(1.0, abs(output.low))
        high = ANY.high if output.high is None else output.high + hair * max(1.0, abs(output.high))
        return Range(low, high)


def _calculated(op: str, left: Range, right: Range) -> Range:
    """Return the numbers that a sum, difference or product can be; of divisions nothing is said."""
    if op == "+":
        return Range(left.low + right.low, left.high + right.high)
    if op == "-":
        return Range(left.low - right.high, left.high - right.low)
    bounded = all(abs(end) != float("inf") for end in (left.low, left.high, right.low, right.high))
    if op == "*" and bounded:
        ends = [one * other for one in (left.low, left.high) for other in (right.low, right.high)]
        return Range(min(ends), max(ends))
    return ANY


def shown(operand: Operand | None) -> str:
    """Return an operand for a message."""
    match operand:
        case Literal(value):
            return str(value).lower() if isinstance(value, bool) else str(value)
        case Builtin(name, offset) | FeatureRef(name, "value", offset):
            return f"{name}[{offset}]" if offset else name
        case FeatureRef(name, field, offset):
            return f"{name}.{field}[{offset}]" if offset else f"{name}.{field}"
        case Arithmetic(op, left, right):
            return f"({shown(left)} {op} {shown(right)})"
    return ""


def _of_pair(compared: Compare, right: Operand, extents: Extents) -> Doubt | None:
    """Judge an order of two operands by how they can lie to each other."""
    possible, why, remedy = _possible(compared.left, right, extents)
    op = compared.op
    cannot_come = op.startswith("cross") and not possible - IMPLIED_SIGNS[op]
    if not possible & IMPLIED_SIGNS[op] or cannot_come:
        return Doubt(f"this never holds: {why}", remedy)
    if op in SIGNS and possible <= SIGNS[op]:
        return Doubt(f"this always holds: {why}", remedy)
    return None


def _possible(left: Operand, right: Operand, extents: Extents) -> tuple[frozenset[int], str, str]:
    """Return how the left operand can lie to the right one, why no other way, and what to write instead."""
    every = frozenset({_BELOW, _SAME, _ABOVE})
    if left == right:
        remedy = "compare with something else, or with the bar before: { feature_id: …, offset: 1 }"
        return frozenset({_SAME}), "both sides are the same", remedy
    for lower, upper, lost in ((left, right, _ABOVE), (right, left, _BELOW)):
        why, remedy = _never_above(lower, upper, extents.scope)
        if why:
            return every - {lost}, why, remedy
    one, other = extents.of(left), extents.of(right)
    kept = {
        sign
        for sign, there in (
            (_BELOW, one.low < other.high), (_SAME, not one.common(other).is_empty), (_ABOVE, one.high > other.low),
        )
        if there
    }  # fmt: skip
    if kept == every:
        return every, "", ""
    return frozenset(kept), _ends_of((left, right), extents), "compare with a number that it can pass, or remove it"


def _ends_of(operands: tuple[Operand, ...], extents: Extents) -> str:
    known = [one for one in operands if not isinstance(one, Literal) and extents.of(one) != ANY]
    return " and ".join(f"{shown(one)} is {extents.of(one).words()}" for one in known)


def _never_above(lower: Operand, upper: Operand, scope: Scope) -> tuple[str, str]:
    """Return why the first operand is never above the second and what to write instead; empty if it may be."""
    if isinstance(lower, Builtin) and isinstance(upper, Builtin):
        return _of_one_bar(lower, upper)
    for column, extreme, end in ((lower, upper, "top"), (upper, lower, "bottom")):
        if isinstance(column, Builtin) and isinstance(extreme, FeatureRef):
            window = _window(extreme, end, scope)
            back = column.offset - extreme.offset
            if window is not None and column.name in window.columns and 0 <= back < window.bars:
                earlier = f"{{ feature_id: {extreme.id}, field: {extreme.field}, offset: {column.offset + 1} }}"
                return f"{extreme.id}.{extreme.field} contains this very bar", f"look at the bar before: {earlier}"
    if isinstance(lower, FeatureRef) and isinstance(upper, FeatureRef):
        return _of_one_channel(lower, upper, scope)
    return "", ""


def _of_one_bar(lower: Builtin, upper: Builtin) -> tuple[str, str]:
    if lower.offset != upper.offset or lower.name not in _PRICES or upper.name not in _PRICES:
        return "", ""
    if upper.name == "high" or lower.name == "low":
        extreme = "the high is the highest price" if upper.name == "high" else "the low is the lowest price"
        return f"{extreme} of its bar", "compare with another bar: { feature_id: …, offset: 1 }"
    return "", ""


def _of_one_channel(lower: FeatureRef, upper: FeatureRef, scope: Scope) -> tuple[str, str]:
    declared = scope.declared.get(lower.id)
    if lower.id != upper.id or lower.offset != upper.offset or declared is None or declared.node is None:
        return "", ""
    outputs = _CHANNELS.get(declared.node.name, ())
    if lower.field in outputs and upper.field in outputs and outputs.index(lower.field) < outputs.index(upper.field):
        why = f"{shown(lower)} is never above {shown(upper)}"
        return why, "compare with another feature, or remove it"
    return "", ""


def _window(ref: FeatureRef, end: str, scope: Scope) -> _Window | None:
    """Return the window of the execution timeframe whose highest (`top`) or lowest (`bottom`) value an output is."""
    declared = scope.declared.get(ref.id)
    if declared is None or declared.node is None or declared.params is None:
        return None
    if declared.timeframe != scope.intervals.exec:
        return None
    if declared.node.name == "donchian":
        side = "upper" if end == "top" else "lower"
        return _Window(_PRICES, int(declared.params[f"{side}_length"])) if ref.field == side else None
    return _rolling(declared, end) if declared.node.name == "rolling_window" else None


def _rolling(declared: Declared, end: str) -> _Window | None:
    params = declared.params or {}
    if params["exclude_current"] or params["mode"] != ("max" if end == "top" else "min"):
        return None
    widest = "high" if end == "top" else "low"
    columns = _PRICES if params["source"] == widest else (str(params["source"]),)
    return _Window(columns, int(params["size"]))


def _of_range(compared: Compare, extents: Extents) -> Doubt | None:
    """Judge a comparison with constants by the ends between which its left side lies."""
    asked, whole = implied_range(compared), extents.is_whole(compared.left)
    can_be = extents.of(compared.left)
    if asked is None or (can_be == ANY and not whole):
        return None
    within = asked.common(can_be)
    if (within.whole_numbers() if whole else within).is_empty:
        why = _ends_of((compared.left,), extents) or f"{shown(compared.left)} is a whole number"
        return Doubt(f"this never holds: {why}", "compare with a value that it can have")
    exact = range_of(compared)
    if exact is not None and can_be != ANY and can_be.lies_in(exact):
        why = _ends_of((compared.left,), extents)
        return Doubt(f"this always holds: {why}", "compare with a value that it can pass, or remove it")
    return None


def _of_words(compared: Compare, extents: Extents) -> Doubt | None:
    """Judge `in` with every word, and `!=` with a number that cannot be."""
    asked = choice_of(compared)
    if asked is None or not isinstance(compared.left, FeatureRef):
        return None
    output = extents.output(compared.left)
    if output is not None and output.values and not asked.excluded and set(output.values) <= asked.values:
        return Doubt("this always holds: every value is in the list", "leave out the values that do not count")
    can_be = extents.of(compared.left)
    numbers = [float(value) for value in asked.values if not isinstance(value, str | bool)]
    outside = [value for value in numbers if Range(value, value).common(can_be).is_empty]
    if asked.excluded and outside:
        why = _ends_of((compared.left,), extents)
        return Doubt(f"this always holds: {why}", "compare with a value that it can have, or remove it")
    if not asked.excluded and outside and len(outside) < len(numbers):
        why = f"{outside[0]:g} is never met: {_ends_of((compared.left,), extents)}"
        return Doubt(why, "leave it out of the list")
    return None
