"""Breaks of structure and rolling extremes (plays.md 4.6 and 4.7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from evenkeel.readiness.audit.replay.stages import Floats, lagged, window_max, window_min
from evenkeel.readiness.audit.replay.swings import BEARISH, BULLISH, HIGH, LOW, NAN, Lazy, Params, Swing, flags, steps


def rolling_window(p: Params, bars: Mapping[str, Floats]) -> Lazy:
    """Return the column of 4.6: missing until so many bars were seen."""

    def value() -> Floats:
        best = window_max if p["mode"] == "max" else window_min
        found = best(bars[p.get("source", "close")], p["size"])
        return lagged(found, 1) if p.get("exclude_current", False) else found

    return {"value": value}


class Event(NamedTuple):
    """A break: its row, `bos` or `choch`, its way and the level that broke."""

    row: int
    kind: str
    way: int
    level: float


class MarketStructure:
    """Breaks of the newest swings, bar by bar.

    Args:
        p: Parameters.
        bars: Columns of the timeframe.
        swings: The source.
    """

    def __init__(self, p: Params, bars: Mapping[str, Floats], swings: Swing) -> None:
        self.count = swings.count
        self.events: list[Event] = []
        self.armed: dict[int, list[tuple[int, float]]] = {HIGH: [], LOW: []}
        self.versions: list[tuple[int, int]] = []
        by_close = p.get("confirmation_close", True)
        self._rearm = p.get("rearm_after_choch", True)
        self._ups = bars["close" if by_close else "high"].tolist()
        self._downs = bars["close" if by_close else "low"].tolist()
        self._walk(swings)

    def _walk(self, swings: Swing) -> None:
        level, newest = {HIGH: NAN, LOW: NAN}, {HIGH: NAN, LOW: NAN}
        bias, anchor, version = 0, NAN, 0
        by_row: dict[int, list[tuple[int, float]]] = {}
        for pivot in swings.accepted:
            by_row.setdefault(pivot.row, []).append((pivot.side, pivot.level))
        for row, (u, d) in enumerate(zip(self._ups, self._downs, strict=True)):
            changed = False
            for side, armed in by_row.get(row, ()):
                changed |= level[side] != armed
                newest[side] = self._arm(row, level, side, armed)
            event = _break(bias, u, d, level, anchor)
            if event is not None:
                kind, way = event
                broken = anchor if kind == "choch" else level[HIGH if way > 0 else LOW]
                self.events.append(Event(row, kind, way, broken))
                bias, anchor = way, newest[LOW if way > 0 else HIGH]
                if kind == "choch" and not self._rearm:
                    anchor = NAN
                if way > 0 and u > level[HIGH]:
                    self._arm(row, level, HIGH, NAN)
                if way < 0 and d < level[LOW]:
                    self._arm(row, level, LOW, NAN)
            if changed or event is not None:
                version += 1
                self.versions.append((row, version))

    def _arm(self, row: int, level: dict[int, float], side: int, value: float) -> float:
        level[side] = value
        self.armed[side].append((row, value))
        return value

    def outputs(self) -> Lazy:
        """Return the columns of 4.7."""
        found: dict[str, Callable[[], Floats]] = {
            "bias": lambda: steps(self.count, ((event.row, event.way) for event in self.events), 0),
            "version": lambda: steps(self.count, self.versions, 0),
            "break_level_high": lambda: steps(self.count, self.armed[HIGH], NAN),
            "break_level_low": lambda: steps(self.count, self.armed[LOW], NAN),
        }
        return {**found, **self._of_kind("bos"), **self._of_kind("choch")}

    def _of_kind(self, kind: str) -> Lazy:
        events = [event for event in self.events if event.kind == kind]
        ways = {1: BULLISH, -1: BEARISH}
        return {
            f"{kind}_this_bar": lambda: flags(self.count, (event.row for event in events)),
            f"{kind}_direction": lambda: steps(self.count, ((event.row, ways[event.way]) for event in events), 0),
            f"last_{kind}_idx": lambda: steps(self.count, ((event.row, event.row) for event in events), -1),
            f"last_{kind}_level": lambda: steps(self.count, ((event.row, event.level) for event in events), NAN),
        }


def _break(bias: int, u: float, d: float, level: Mapping[int, float], anchor: float) -> tuple[str, int] | None:
    """Return the kind and the way of the break of a bar, or None; a comparison with what is not there is false."""
    if bias > 0 and d < anchor:
        return "choch", -1
    if bias < 0 and u > anchor:
        return "choch", 1
    if bias >= 0 and u > level[HIGH]:
        return "bos", 1
    if bias <= 0 and d < level[LOW]:
        return "bos", -1
    return None
