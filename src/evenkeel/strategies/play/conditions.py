"""The tree of conditions: `all`, `any`, `not`, `setup`, the six windows, and lists that mean `all`."""

from __future__ import annotations

import re
from typing import Any

from evenkeel.model.time import TIMEFRAMES, Timeframe
from evenkeel.strategies.play.comparisons import ComparisonReader
from evenkeel.strategies.play.contradictions import ConditionList
from evenkeel.strategies.play.expression import All, Any_, Condition, Not, SetupRef, Window
from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.problems import Path, dotted, suggestion
from evenkeel.strategies.play.scope import Scope
from evenkeel.strategies.play.vocabulary import DURATION_WINDOWS, WINDOW_MAX, WINDOWS

_NODES = ("all", "any", "not", "setup", *WINDOWS, *DURATION_WINDOWS)
_DURATION = re.compile(r"(\d{1,5})([mhd])\Z", re.IGNORECASE | re.ASCII)
_UNIT_MINUTES = {"m": 1, "h": 60, "d": 1440}
_DAY_MINUTES = 1440
_ONE_MINUTE = TIMEFRAMES["1m"]
_WINDOW_EXAMPLES = {
    "bars": "bars: 6", "duration": "duration: 6h", "min_true": "min_true: 3", "expr": "expr: [close, '>', open]",
}  # fmt: skip


class ConditionReader:
    """Reads conditions in a scope; tells what is wrong to the log.

    A condition with anything wrong in it is None; every part of it has been looked at all the same.

    Attributes:
        lists: Every list of conditions that was read, for `lint`.
    """

    def __init__(self, scope: Scope, log: ProblemLog) -> None:
        self._scope = scope
        self._log = log
        self._comparisons = ComparisonReader(scope, log)
        self.lists: list[ConditionList] = []

    def read(self, value: Any, path: Path) -> Condition | None:
        """Return the condition written at `path`."""
        if isinstance(value, list):
            return self._list(value, path)
        if isinstance(value, dict):
            return self._map(value, path)
        remedy = "write [left, operator, right], a list of conditions, or a map such as `all:`"
        if isinstance(value, str) and value in self._scope.setups:
            remedy = f"write {{ setup: {value} }}"
        shown = "an empty value" if value is None else f"'{str(value)[:60]}'"
        self._log.error(path, f"{shown} is not a condition", remedy)
        return None

    def _list(self, value: list[Any], path: Path) -> Condition | None:
        flat = not any(isinstance(item, list | dict) for item in value)
        if len(value) > 1 and (flat or isinstance(value[1], str)):
            return self._comparisons.read_list(value, path)
        parts = self._children(value, path)
        if parts is None:
            return None
        self.lists.append(ConditionList(is_all=True, path=path, parts=parts))
        return parts[0] if len(parts) == 1 else All(parts, dotted(path))

    def _children(self, value: Any, path: Path) -> tuple[Condition, ...] | None:
        if not isinstance(value, list):
            self._log.error(path, "it must be a list of conditions", "put `- ` before each condition")
            return None
        if not value:
            self._log.error(path, "it is an empty list", "write at least one condition")
            return None
        parts = [self.read(child, (*path, index)) for index, child in enumerate(value)]
        found = tuple(part for part in parts if part is not None)
        return found if len(found) == len(parts) else None

    def _map(self, value: dict[str, Any], path: Path) -> Condition | None:
        if any(key in value for key in ("lhs", "op", "rhs")):
            return self._comparisons.read_map(value, path)
        if len(value) != 1:
            what = "an empty map is not a condition" if not value else f"'{next(iter(value))}' must stand alone"
            self._log.error(path, what, "put each part into its own item of an `all:` list")
            for key in value:
                if key not in _NODES:
                    self._unknown(key, path)
            return None
        key, inside = next(iter(value.items()))
        place = (*path, key)
        if key in WINDOWS or key in DURATION_WINDOWS:
            return self._window(key, inside, place)
        if key == "setup":
            return self._setup(inside, place)
        if key == "not":
            child = self.read(inside, place)
            return None if child is None else Not(child, dotted(place))
        if key in ("all", "any"):
            parts = self._children(inside, place)
            if parts is None:
                return None
            self.lists.append(ConditionList(is_all=key == "all", path=place, parts=parts))
            return All(parts, dotted(place)) if key == "all" else Any_(parts, dotted(place))
        self._unknown(key, path)
        return None

    def _unknown(self, key: str, path: Path) -> None:
        self._log.error((*path, key), f"unknown key '{key}'", suggestion(key, [*_NODES, "lhs", "op", "rhs"]), key=True)

    def _setup(self, name: Any, path: Path) -> Condition | None:
        if not isinstance(name, str) or name not in self._scope.setups:
            self._log.error(path, f"there is no setup '{str(name)[:60]}'", suggestion(name, self._scope.setups))
            return None
        self._scope.used_setups.add(name)
        return SetupRef(name, dotted(path))

    def _window(self, key: str, value: Any, path: Path) -> Condition | None:
        by_duration = key in DURATION_WINDOWS
        kind: Any = key.removesuffix("_duration")
        known = [*(["duration"] if by_duration else ["bars", "anchor_tf"]), "expr"]
        if kind == "count_true":
            known.insert(1, "min_true")
        if not isinstance(value, dict):
            self._log.error(path, f"`{key}` takes a map", f"write {{ {known[0]}: …, expr: … }}")
            return None
        right = self._window_keys(key, value, known, path)
        expr = self.read(value["expr"], (*path, "expr")) if "expr" in value else None
        anchor = self._anchor(value.get("anchor_tf"), (*path, "anchor_tf"))
        minutes = self._duration(value.get("duration"), (*path, "duration")) if by_duration else None
        if by_duration:
            anchor = self._duration_grid(value.get("expr"))
            bars = self._samples(minutes, anchor or self._scope.intervals.exec, path)
        else:
            bars = self._count(value.get("bars"), (*path, "bars"))
        enough = self._min_true(value.get("min_true"), bars, (*path, "min_true")) if kind == "count_true" else None
        if not right or expr is None or bars is None or (kind == "count_true" and enough is None):
            return None
        return Window(
            kind=kind, bars=bars, duration_minutes=minutes, min_true=enough, anchor_tf=anchor, expr=expr,
            path=dotted(path),
        )  # fmt: skip

    def _window_keys(self, key: str, value: dict[str, Any], known: list[str], path: Path) -> bool:
        right = True
        for name in value:
            if name not in known:
                self._log.error((*path, name), f"`{key}` has no key '{name}'", suggestion(name, known), key=True)
                right = False
        for name in known:
            if name not in value and name != "anchor_tf":
                self._log.error(path, f"`{name}` is missing", f"add for example `{_WINDOW_EXAMPLES[name]}`", key=True)
                self._log.close((*path, name))
                right = False
        return right

    def _count(self, value: Any, path: Path) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= WINDOW_MAX:
            return value
        self._log.error(path, "`bars` must be a whole number", f"write 1 to {WINDOW_MAX}")
        return None

    def _min_true(self, value: Any, bars: int | None, path: Path) -> int | None:
        top = bars or WINDOW_MAX
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= top:
            return value
        self._log.error(path, "`min_true` must be a whole number, at most the number of samples", f"write 1 to {top}")
        return None

    def _duration(self, value: Any, path: Path) -> int | None:
        match = _DURATION.match(value) if isinstance(value, str) else None
        minutes = int(match.group(1)) * _UNIT_MINUTES[match.group(2).lower()] if match else 0
        if 1 <= minutes <= _DAY_MINUTES:
            return minutes
        self._log.error(path, "`duration` must lie between 1 minute and 24 hours", "write for example 45m, 6h or 1d")
        return None

    def _duration_grid(self, expr: Any) -> Timeframe | None:
        """Return the grid of a duration: minutes where a price of the minute is read, else execution bars (None)."""
        return _ONE_MINUTE if self._scope.names_minute_price(expr) else None

    def _samples(self, minutes: int | None, grid: Timeframe, path: Path) -> int | None:
        if minutes is None:
            return None
        if minutes % grid.minutes or not 1 <= minutes // grid.minutes <= WINDOW_MAX:
            by = (
                "the minutes of `last_price` and `mark_price`"
                if grid < self._scope.intervals.exec
                else "execution bars"
            )
            message = f"{minutes} minutes are not 1 to {WINDOW_MAX} samples of {grid}, {by}"
            longest = WINDOW_MAX * grid.minutes
            remedy = f"use a multiple of {grid}, at most {longest} minutes, or the form with `bars` and `anchor_tf`"
            self._log.error((*path, "duration"), message, remedy)
            return None
        return minutes // grid.minutes

    def _anchor(self, value: Any, path: Path) -> Timeframe | None:
        if value is None:
            return None
        found = self._scope.intervals.of(value) if isinstance(value, str) else None
        if found is None:
            remedy = f"use {self._scope.intervals.words()}"
            self._log.error(path, f"'{str(value)[:60]}' is not a timeframe of this play", remedy)
        return found
