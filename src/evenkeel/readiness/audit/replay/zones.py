"""Zones and levels (plays.md 4.2, 4.4 and 4.5), as columns made of swings."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from evenkeel.readiness.audit.replay.stages import Bools, Floats, Ints
from evenkeel.readiness.audit.replay.swings import (
    BEARISH,
    BULLISH,
    HIGH,
    LOW,
    NAN,
    Lazy,
    Pair,
    Params,
    Pivot,
    Swing,
    Trend,
    fnv48,
    packed_anchors,
    steps,
)

ACTIVE, BROKEN = 1, 2


def zone(p: Params, close: Floats, atr: Floats, swings: Swing) -> Lazy:
    """Return the columns of 4.2."""
    demand = p["zone_type"] == "demand"
    pivots = list({pivot.row: pivot for pivot in swings.of(LOW if demand else HIGH)}.values())
    known = np.flatnonzero(atr > 0)
    count, version = len(close), 0
    told: list[tuple[int, float, float, float, float, float]] = []
    born = [_born(pivot, known) for pivot in pivots]
    later = [*(pivot.row for pivot in pivots[1:]), count][: len(pivots)]
    made = [(row, pivot) for row, pivot, end in zip(born, pivots, later, strict=True) if row is not None and row < end]
    for (row, pivot), following in zip(made, [*(row for row, _ in made[1:]), count], strict=False):
        depth = p["width_atr"] * float(atr[row])
        lower, upper = (pivot.level - depth, pivot.level) if demand else (pivot.level, pivot.level + depth)
        version += 1
        told.append((row, ACTIVE, lower, upper, pivot.idx, version))
        after = close[row + 1 : following]
        beyond = np.flatnonzero(after < lower if demand else after > upper)
        if len(beyond):
            version += 1
            told.append((row + 1 + int(beyond[0]), BROKEN, lower, upper, pivot.idx, version))
    starts = {"state": 0.0, "lower": NAN, "upper": NAN, "anchor_idx": -1.0, "version": 0.0}

    def column(place: int, before: float) -> Floats:
        return steps(count, ((one[0], one[place]) for one in told), before)

    return {name: partial(column, place, before) for place, (name, before) in enumerate(starts.items(), 1)}


def _born(pivot: Pivot, known: Ints) -> int | None:
    """Return the first row from the pivot's confirmation on that has an ATR."""
    place = int(np.searchsorted(known, pivot.row))
    return int(known[place]) if place < len(known) else None


class Anchors(NamedTuple):
    """High and low between which levels are measured, from a row on; `trend` is the direction that chose them."""

    row: int
    high: float
    high_idx: int
    low: float
    low_idx: int
    way: int
    trend: int = 0

    @property
    def packed(self) -> bytes:
        """The words whose hash names them."""
        return packed_anchors(self.high, self.high_idx, self.low, self.low_idx, self.way)

    def level(self, share: float, mode: str, *, directional: bool = False) -> float:
        """Return the price at a share of the range."""
        extent = self.high - self.low
        if mode == "retracement":
            falls = directional and self.way == BEARISH
            return self.low + share * extent if falls else self.high - share * extent
        rises = mode == "extension_up" or (mode == "extension" and self.way == BULLISH)
        return self.high + share * extent if rises else self.low - share * extent


def _of_pair(pair: Pair, row: int) -> Anchors:
    return Anchors(row, pair.high.level, pair.high.idx, pair.low.level, pair.low.idx, pair.way)


def pair_anchors(swings: Swing) -> Iterator[Anchors]:
    """Yield the newest pair of each bar that completed one."""
    for row, pair in {pair.row: pair for pair in swings.pairs}.items():
        yield _of_pair(pair, row)


def raw_anchors(swings: Swing) -> Iterator[Anchors]:
    """Yield the newest high and low after each bar that accepted a pivot, once there are both."""
    newest: dict[int, Pivot] = {}
    rows = [*(pivot.row for pivot in swings.accepted[1:]), -1]
    for pivot, following in zip(swings.accepted, rows, strict=False):
        newest[pivot.side] = pivot
        if following != pivot.row and len(newest) == 2:
            high, low = newest[HIGH], newest[LOW]
            way = BULLISH if high.idx > low.idx else BEARISH
            yield Anchors(pivot.row, high.level, high.idx, low.level, low.idx, way)


def trend_anchors(swings: Swing, trend: Trend) -> Iterator[Anchors]:
    """Yield the newest pair whenever it or the trend changes while that has a direction."""
    pairs = {pair.row: pair for pair in swings.pairs}
    verdicts = {verdict.row: verdict for verdict in trend.verdicts}
    newest, direction = None, 0
    for row in sorted({*pairs, *verdicts}):
        newest = pairs.get(row, newest)
        direction = verdicts[row].direction if row in verdicts else direction
        if newest is not None and direction:
            way = BULLISH if direction > 0 else BEARISH
            yield _of_pair(newest, row)._replace(way=way, trend=direction)


def level_name(share: float) -> str:
    """Return the output of a level: its number without trailing zeros."""
    return f"level_{int(share) if share == int(share) else repr(float(share))}"


def fibonacci(p: Params, count: int, swings: Swing, trend: Trend | None) -> Lazy:
    """Return the columns of 4.4."""
    by_trend = p.get("use_trend_anchor", False)
    paired = p.get("use_paired_anchor")
    if by_trend and trend is not None:
        anchors = trend_anchors(swings, trend)
    else:
        anchors = raw_anchors(swings) if paired is False else pair_anchors(swings)
    taken = [one for one in anchors if one.high - one.low > 0]
    mode, directional = p.get("mode", "retracement"), p.get("directional", False)

    def column(value: Callable[[Anchors], float], before: float) -> Callable[[], Floats]:
        return lambda: steps(count, ((one.row, value(one)) for one in taken), before)

    found: dict[str, Callable[[], Floats]] = {
        "anchor_high": column(lambda one: one.high, NAN), "anchor_low": column(lambda one: one.low, NAN),
        "range": column(lambda one: one.high - one.low, NAN), "anchor_direction": column(lambda one: one.way, 0),
        "anchor_hash": column(lambda one: fnv48(one.packed), 0),
        "anchor_trend_direction": column(lambda one: one.trend, 0),
    }  # fmt: skip
    levels = {level_name(share): partial(_level, share, mode, directional) for share in p["levels"]}
    return found | {name: column(level, NAN) for name, level in levels.items()}


def _level(share: float, mode: str, directional: bool, anchors: Anchors) -> float:
    return anchors.level(share, mode, directional=directional)


class DerivedZones:
    """The zones that pairs leave behind (4.5): all that ever were, the newest last, and the slots that show them.

    Args:
        p: Parameters.
        bars: Columns of the timeframe.
        swings: The source.
    """

    def __init__(self, p: Params, bars: Mapping[str, Floats], swings: Swing) -> None:
        self._close, self._low, self._high = bars["close"], bars["low"], bars["high"]
        self._count, self._slots = len(self._close), int(p["max_active"])
        self._tolerance = p.get("break_tolerance_pct", 0.1) / 100
        self._swings, self._paired = swings, p.get("use_paired_source", True)
        anchors = list((pair_anchors if self._paired else raw_anchors)(swings))
        mode, width = p.get("mode", "retracement"), p.get("width_pct", 0.2)
        places = list(enumerate(p["levels"]))[::-1]
        born = [(one, place, one.level(share, mode))
                for one in anchors if one.high - one.low > 0 for place, share in places]  # fmt: skip
        self._born = np.array([one.row for one, _, _ in born], dtype=np.int64)
        self._ids = [(one.packed, place) for one, place, _ in born]
        self._anchor = np.array([_later(one) for one, _, _ in born], dtype=np.float64)
        centre = np.array([level for _, _, level in born], dtype=np.float64)
        self._lower, self._upper = centre * (1 - width / 200), centre * (1 + width / 200)
        self._made = np.searchsorted(self._born, np.arange(self._count), side="right")

    @cached_property
    def _ends(self) -> Ints:
        """The row from which on each zone has no slot."""
        following = np.arange(len(self._born)) + self._slots
        inside = following < len(self._born)
        return np.where(inside, self._born[np.minimum(following, len(self._born) - 1)], self._count)

    @cached_property
    def _broken(self) -> Ints:
        """The row at which each zone is broken; the number of bars where it is not while it has a slot."""
        found = np.full(len(self._born), self._count, dtype=np.int64)
        for number, (born, end) in enumerate(zip(self._born.tolist(), self._ends.tolist(), strict=True)):
            after = self._close[born + 1 : end]
            low, high = self._lower[number] * (1 - self._tolerance), self._upper[number] * (1 + self._tolerance)
            beyond = np.flatnonzero((after < low) | (after > high))
            if len(beyond):
                found[number] = born + 1 + int(beyond[0])
        return found

    def _slot(self, slot: int) -> tuple[Ints, Bools, Bools]:
        """Return the zone that a slot shows at each bar, whether there is one, and whether it is active."""
        number = self._made - 1 - slot
        there = number >= 0
        number = np.maximum(number, 0)
        if not len(self._born):
            return number, there, there
        return number, there, there & (np.arange(self._count) < self._broken[number])

    def _of(self, slot: int, values: Floats, empty: float) -> Floats:
        number, there, _ = self._slot(slot)
        return np.where(there, values[number], empty) if len(values) else np.full(self._count, empty)

    def _state(self, slot: int) -> Floats:
        _, there, active = self._slot(slot)
        return np.where(there, np.where(active, ACTIVE, BROKEN), 0).astype(np.float64)

    def _inside(self, slot: int) -> Bools:
        _, _, active = self._slot(slot)
        lower, upper = self._of(slot, self._lower, NAN), self._of(slot, self._upper, NAN)
        return active & (self._close >= lower) & (self._close <= upper)

    def _wick(self, slot: int) -> Floats:
        _, _, active = self._slot(slot)
        lower, upper = self._of(slot, self._lower, NAN), self._of(slot, self._upper, NAN)
        return (active & (self._low <= upper) & (self._high >= lower)).astype(np.float64)

    def _age(self, slot: int) -> Floats:
        number, there, _ = self._slot(slot)
        born = self._born[number] if len(self._born) else number
        return np.where(there, np.arange(self._count) - born, -1).astype(np.float64)

    def _touches(self, slot: int) -> tuple[Floats, Floats]:
        """Return how often the zone of a slot was touched, and its age at the last touch."""
        number, there, _ = self._slot(slot)
        counts, ages = np.zeros(self._count), np.full(self._count, -1.0)
        edges = np.flatnonzero(np.diff(number, prepend=-1, append=-1) != 0)
        for start, stop in pairwise(edges.tolist()):
            one = int(number[start])
            first = int(np.argmax(there[start:stop])) + start
            if not there[first]:
                continue
            born, until = int(self._born[one]), int(min(self._broken[one], stop))
            closes = self._close[born:until]
            rows = born + np.flatnonzero((closes >= self._lower[one]) & (closes <= self._upper[one]))
            met = np.searchsorted(rows, np.arange(first, stop), side="right")
            counts[first:stop] = met
            if len(rows):
                ages[first:stop] = np.where(met > 0, rows[np.maximum(met - 1, 0)] - born, -1)
        return counts, ages

    def _ids_of(self, slot: int) -> Floats:
        ids = np.array([fnv48(words + struct.pack("<q", place)) % 2**32 for words, place in self._ids], dtype=float)
        return self._of(slot, ids, 0)

    def _first_active(self, value: Callable[[int], Floats], empty: float) -> Floats:
        found = np.full(self._count, empty)
        for slot in reversed(range(self._slots)):
            found = np.where(self._slot(slot)[2], value(slot), found)
        return found

    def _closest(self, values: Floats) -> Floats:
        found, nearest = np.full(self._count, NAN), np.full(self._count, np.inf)
        for slot in range(self._slots):
            lower, upper = self._of(slot, self._lower, NAN), self._of(slot, self._upper, NAN)
            away = np.maximum(np.maximum(lower - self._close, self._close - upper), 0.0)
            better = self._slot(slot)[2] & (away < nearest)
            found, nearest = np.where(better, self._of(slot, values, NAN), found), np.where(better, away, nearest)
        return found

    def _any(self, of_slot: Callable[[int], Bools]) -> Floats:
        found = np.zeros(self._count)
        for slot in range(self._slots):
            found[of_slot(slot)] = 1.0
        return found

    def outputs(self) -> Lazy:
        """Return the columns of 4.5."""
        number = lambda slot: np.full(self._count, float(slot))  # noqa: E731
        found: dict[str, Callable[[], Floats]] = {
            "active_count": lambda: np.sum([self._slot(s)[2] for s in range(self._slots)], axis=0, dtype=np.float64),
            "any_active": lambda: self._any(lambda slot: self._slot(slot)[2]),
            "any_touched": lambda: self._any(self._inside), "any_inside": lambda: self._any(self._inside),
            "first_active_lower": lambda: self._first_active(lambda slot: self._of(slot, self._lower, NAN), NAN),
            "first_active_upper": lambda: self._first_active(lambda slot: self._of(slot, self._upper, NAN), NAN),
            "first_active_idx": lambda: self._first_active(number, -1),
            "newest_active_idx": lambda: self._first_active(number, -1),
            "closest_active_lower": lambda: self._closest(self._lower),
            "closest_active_upper": lambda: self._closest(self._upper),
            "source_version": lambda: self._swings.outputs()["pair_version" if self._paired else "version"](),
        }  # fmt: skip
        for slot in range(self._slots):
            found |= self._of_slot(slot)
        return found

    def _of_slot(self, slot: int) -> dict[str, Callable[[], Floats]]:
        columns: dict[str, Callable[[], Floats]] = {
            "lower": lambda: self._of(slot, self._lower, NAN), "upper": lambda: self._of(slot, self._upper, NAN),
            "state": lambda: self._state(slot), "anchor_idx": lambda: self._of(slot, self._anchor, -1),
            "age_bars": lambda: self._age(slot), "instance_id": lambda: self._ids_of(slot),
            "touched_this_bar": lambda: self._inside(slot).astype(np.float64),
            "inside": lambda: self._inside(slot).astype(np.float64), "wick_touched": lambda: self._wick(slot),
            "touch_count": lambda: self._touches(slot)[0], "last_touch_age": lambda: self._touches(slot)[1],
        }  # fmt: skip
        return {f"zone{slot}_{name}": column for name, column in columns.items()}


def _later(anchors: Anchors) -> int:
    """Return the bar of the later pivot."""
    return anchors.high_idx if anchors.way == BULLISH else anchors.low_idx
