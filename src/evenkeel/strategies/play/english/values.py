"""Operands in words: `the close`, `rsi_14 two bars ago`, `volume / vol_sma_30`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from evenkeel.model.time import Timeframe
from evenkeel.strategies.play.english.phrases import count, number
from evenkeel.strategies.play.expression import Arithmetic, Builtin, FeatureRef, Literal, Operand
from evenkeel.strategies.play.play import Play
from evenkeel.strategies.play.vocabulary import MINUTE_PRICES

_BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "%": 2}
_SEVERAL = re.compile(r"([a-z]+)_(-?\d+(?:\.\d+)?)\Z|([a-z]+?)(\d+)_(\w+)\Z")
_BUILTINS = {
    "last_price": "price", "mark_price": "mark price", "funding_rate": "funding rate",
    "open_interest": "open interest", "bar_open": "open of the forming bar", "bar_high": "high of the forming bar",
    "bar_low": "low of the forming bar",
}  # fmt: skip
_INDEXED = ("level", "zone")


class Values:
    """Puts the operands of one play into words.

    Args:
        play: Knows on which timeframe each feature is, and how many outputs it has.
        renamed: Words for features whose id alone would mislead.
    """

    def __init__(self, play: Play, renamed: Mapping[str, str] | None = None) -> None:
        self._exec = play.intervals.exec
        self._timeframes: dict[str, Timeframe] = {spec.id: spec.timeframe for spec in play.features}
        self._timeframes |= {spec.key: spec.timeframe for spec in play.structures}
        self._renamed = dict(renamed or {})

    def words(self, operand: Operand) -> str:
        """Return an operand as it stands in a sentence."""
        if isinstance(operand, Builtin):
            return f"the {_BUILTINS.get(operand.name, operand.name)}{self._builtin_ago(operand)}"
        return self.term(operand)

    def literal(self, value: float | str | bool) -> str:
        """Return a constant."""
        if isinstance(value, bool):
            return "true" if value else "false"
        return value if isinstance(value, str) else number(value)

    def term(self, operand: Operand) -> str:
        """Return an operand as it stands in a formula: `close - ema_20`."""
        match operand:
            case Literal(value):
                return self.literal(value)
            case Builtin(name):
                return f"{name}{self._builtin_ago(operand)}"
            case FeatureRef(name, field, offset):
                shown = self._renamed.get(name, name)
                text = shown if field == "value" else f"{shown}.{written(field)}"
                return f"{text}{self._ago(offset, self._timeframes.get(name, self._exec))}"
            case Arithmetic(op, left, right, _):
                return f"{self._side(left, op, is_right=False)} {op} {self._side(right, op, is_right=True)}"

    def _side(self, operand: Operand, outer: str, *, is_right: bool) -> str:
        text = self.term(operand)
        if not isinstance(operand, Arithmetic):
            return f"({text})" if " ago" in text else text
        inner = _BINDING[operand.op]
        binds = inner > _BINDING[outer] or (inner == _BINDING[outer] and not is_right)
        return text if binds else f"({text})"

    def _builtin_ago(self, builtin: Builtin) -> str:
        if builtin.offset and builtin.name in MINUTE_PRICES:
            return f" {count(builtin.offset, 'minute')} ago"
        return self._ago(builtin.offset, self._exec)

    def _ago(self, offset: int, timeframe: Timeframe) -> str:
        if offset == 0:
            return ""
        unit = "bar" if timeframe == self._exec else f"{timeframe} bar"
        return f" {count(offset, unit)} ago"


def written(field: str) -> str:
    """Return an output as a play writes it: `level_0.618` is `level[0.618]`, `zone0_state` is `zone[0].state`."""
    match = _SEVERAL.match(field)
    if match is None:
        return field
    level, at, zone, slot, rest = match.groups()
    if level in _INDEXED:
        return f"{level}[{at}]"
    return f"{zone}[{slot}].{rest}" if zone in _INDEXED else field
