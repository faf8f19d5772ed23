"""Swings and trends (plays.md 4.1 and 4.3): pivots in order of their confirmation, then columns made of them.

A column is worked out when it is first asked for: most plays read two of the thirty.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from evenkeel.readiness.audit.replay.stages import Floats, window_max, window_min

Params = Mapping[str, Any]
Lazy = Mapping[str, Callable[[], Floats]]
"""Columns by name of output."""

NAN = float("nan")
HIGH, LOW = 1, 2
BULLISH, BEARISH = 1, 2
SIDES = {HIGH: "high", LOW: "low"}


class Pivot(NamedTuple):
    """A pivot: the bar that confirmed it, its side, its level and the bar that it is anchored at."""

    row: int
    side: int
    level: float
    idx: int


class Pair(NamedTuple):
    """Two opposite pivots in succession, with the row of the later one's confirmation."""

    row: int
    high: Pivot
    low: Pivot
    way: int

    @property
    def packed(self) -> bytes:
        """The words whose hash names the pair."""
        return packed_anchors(self.high.level, self.high.idx, self.low.level, self.low.idx, self.way)


def packed_anchors(high: float, high_idx: int, low: float, low_idx: int, way: int) -> bytes:
    """Return anchors and direction as the words that are hashed."""
    return struct.pack("<dqdqq", high, high_idx, low, low_idx, 1 if way == BULLISH else -1)


def fnv48(words: bytes) -> int:
    """Return FNV-1a 64 of the words, its low 48 bits."""
    digest = 14695981039346656037
    for byte in words:
        digest = (digest ^ byte) * 1099511628211 % 2**64
    return digest % 2**48


def steps(count: int, changes: Iterable[tuple[int, float]], before: float) -> Floats:
    """Return the value that counts at each bar: that of the last change by then."""
    known = list(changes)
    if not known:
        return np.full(count, before)
    rows, values = np.array([row for row, _ in known]), np.array([value for _, value in known], dtype=np.float64)
    place = np.searchsorted(rows, np.arange(count), side="right") - 1
    return np.where(place < 0, before, values[np.maximum(place, 0)])


def flags(count: int, rows: Iterable[int]) -> Floats:
    """Return 1 at the rows, else 0."""
    found = np.zeros(count)
    found[list(rows)] = 1.0
    return found


def fractals(high: Floats, low: Floats, left: int, right: int) -> Iterator[Pivot]:
    """Yield bars that are higher, or lower, than all of so many to either side, when the last of these has closed."""
    middle = slice(left, len(high) - right)
    if len(high) < left + right + 1:
        return
    tops = (high[middle] > window_max(high, left)[left - 1 : -right - 1]) & (
        high[middle] > window_max(high, right)[left + right :]
    )
    bottoms = (low[middle] < window_min(low, left)[left - 1 : -right - 1]) & (
        low[middle] < window_min(low, right)[left + right :]
    )
    for place in np.flatnonzero(tops | bottoms).tolist():
        row = place + left
        if tops[place]:
            yield Pivot(row + right, HIGH, float(high[row]), row)
        if bottoms[place]:
            yield Pivot(row + right, LOW, float(low[row]), row)


def zigzag(high: Floats, low: Floats, atr: Floats, multiplier: float) -> Iterator[Pivot]:
    """Yield the extremes of legs that were left behind by so many ATRs."""
    reaches = np.where(atr > 0, multiplier * atr, np.nan).tolist()
    side, extreme, where = 0, NAN, -1
    for row, (top, bottom, reach) in enumerate(zip(high.tolist(), low.tolist(), reaches, strict=True)):
        if not side:
            if reach == reach:
                side, extreme, where = 1, top, row
            continue
        far, near = (top, bottom) if side > 0 else (bottom, top)
        if side * (far - extreme) > 0:
            extreme, where = far, row
        elif side * (extreme - near) > reach:
            yield Pivot(row, HIGH if side > 0 else LOW, extreme, where)
            side, extreme, where = -side, near, row


@dataclass
class Swing:
    """The accepted pivots of a series, and what follows from them.

    Attributes:
        count: Bars.
        accepted: In order of confirmation.
        pairs: Likewise.
        replaced: Rows and sides at which a pivot took the place of a pending one.
        measured: Row, side and significance of each accepted pivot.
    """

    count: int
    major: float
    accepted: list[Pivot] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    replaced: list[tuple[int, int]] = field(default_factory=list)
    measured: list[tuple[int, int, float]] = field(default_factory=list)

    def of(self, side: int) -> list[Pivot]:
        """Return the accepted pivots of one side."""
        return [pivot for pivot in self.accepted if pivot.side == side]

    def column(self, value: Callable[[Pivot], float], before: float, side: int | None = None) -> Floats:
        """Return a figure of the newest pivot, of one side or of both."""
        pivots = self.accepted if side is None else self.of(side)
        return steps(self.count, ((pivot.row, value(pivot)) for pivot in pivots), before)

    def counts(self, rows: Sequence[int]) -> Floats:
        """Return how many of the rows have come."""
        return steps(self.count, ((row, number) for number, row in enumerate(rows, 1)), 0)

    def pair_column(self, value: Callable[[Pair], float], before: float) -> Floats:
        """Return a figure of the newest pair."""
        return steps(self.count, ((pair.row, value(pair)) for pair in self.pairs), before)

    def significance(self, side: int) -> Floats:
        """Return that of the newest pivot of a side."""
        return steps(self.count, ((row, size) for row, own, size in self.measured if own == side), NAN)

    def outputs(self) -> Lazy:
        """Return the columns of 4.1."""
        found: dict[str, Callable[[], Floats]] = {
            "version": lambda: self.counts([pivot.row for pivot in self.accepted]),
            "last_confirmed_pivot_idx": lambda: self.column(lambda pivot: pivot.idx, -1),
            "last_confirmed_pivot_type": lambda: self.column(lambda pivot: pivot.side, 0),
            "pair_version": lambda: self.counts([pair.row for pair in self.pairs]),
            "pair_direction": lambda: self.pair_column(lambda pair: pair.way, 0),
            "pair_anchor_hash": lambda: self.pair_column(lambda pair: fnv48(pair.packed), 0),
        }
        for side in (HIGH, LOW):
            found |= self._of_side(side)
        return found

    def _of_side(self, side: int) -> dict[str, Callable[[], Floats]]:
        word = SIDES[side]
        return {
            f"{word}_level": lambda: self.column(lambda pivot: pivot.level, NAN, side),
            f"{word}_idx": lambda: self.column(lambda pivot: pivot.idx, -1, side),
            f"{word}_version": lambda: self.counts([pivot.row for pivot in self.of(side)]),
            f"{word}_significance": lambda: self.significance(side),
            f"{word}_is_major": lambda: (self.significance(side) >= self.major).astype(np.float64),
            f"{word}_accepted": lambda: flags(self.count, (pivot.row for pivot in self.of(side))),
            f"{word}_replaced_pending": lambda: flags(self.count, (r for r, own in self.replaced if own == side)),
            f"pair_{word}_level": lambda: self.pair_column(lambda pair: getattr(pair, word).level, NAN),
            f"pair_{word}_idx": lambda: self.pair_column(lambda pair: getattr(pair, word).idx, -1),
        }


def swing(p: Params, high: Floats, low: Floats, atr: Floats | None) -> Swing:
    """Return the swings of a series: candidates, filtered in order."""
    known = np.full(len(high), np.nan) if atr is None else np.where(atr > 0, atr, np.nan)
    if p.get("mode", "fractal") == "fractal":
        candidates = fractals(high, low, p["left"], p["right"])
    else:
        candidates = zigzag(high, low, known, p.get("atr_multiplier", 2.0))
    found = Swing(len(high), p.get("major_threshold", 1.5))
    newest: dict[int, Pivot] = {}
    for pivot in candidates:
        pending = found.accepted[-1] if found.accepted else None
        same, average = newest.get(pivot.side), float(known[pivot.row])
        if _refused(p, pivot, same, average) or _repeats(p, pivot, pending):
            continue
        found.measured.append((pivot.row, pivot.side, NAN if same is None else abs(pivot.level - same.level) / average))
        if pending is not None and pending.side == pivot.side:
            found.replaced.append((pivot.row, pivot.side))
        elif pending is not None:
            top, bottom = (pivot, pending) if pivot.side == HIGH else (pending, pivot)
            found.pairs.append(Pair(pivot.row, top, bottom, BULLISH if pivot.side == HIGH else BEARISH))
        found.accepted.append(pivot)
        newest[pivot.side] = pivot
    return found


def _refused(p: Params, pivot: Pivot, same: Pivot | None, average: float) -> bool:
    """Whether a pivot lies too near the last accepted one of its side; an unknown ATR refuses nothing."""
    if same is None:
        return False
    moved, by_atr, by_pct = abs(pivot.level - same.level), p.get("min_atr_move"), p.get("min_pct_move")
    return (by_atr is not None and moved < by_atr * average) or (
        by_pct is not None and moved < abs(same.level) * by_pct / 100
    )


def _repeats(p: Params, pivot: Pivot, pending: Pivot | None) -> bool:
    """Whether alternation is asked for and this is a second pivot of its side that is no more extreme."""
    if not p.get("strict_alternation", False) or pending is None or pending.side != pivot.side:
        return False
    return not (pivot.level > pending.level if pivot.side == HIGH else pivot.level < pending.level)


class Verdict(NamedTuple):
    """What a trend says from a bar on."""

    row: int
    direction: int
    strength: int
    wave_count: int
    version: int
    last_wave_direction: int
    last_hh: bool
    last_lh: bool
    last_hl: bool
    last_ll: bool


class Trend:
    """The waves of a swing and their classification."""

    def __init__(self, swings: Swing) -> None:
        self.count = swings.count
        self.verdicts: list[Verdict] = []
        ends: dict[int, list[float]] = {HIGH: [], LOW: []}
        pending: tuple[int, float] | None = None
        direction = strength = waves = version = last = 0
        earlier = 0
        for pivot in swings.accepted:
            side, level = pivot.side, pivot.level
            if pending is not None and pending[0] == side:
                if not (level > pending[1] if side == HIGH else level < pending[1]):
                    continue
                if waves:
                    ends[side][-1] = level
            elif pending is not None:
                ends[side].append(level)
                waves, last = waves + 1, side
                if waves == 1:
                    direction, strength = (1 if side == HIGH else -1), 0
                else:
                    direction = _verdict(*_comparisons(ends))
                    strength = 0 if direction == 0 else 2 if direction == earlier else 1
                    earlier = direction
            pending, version = (side, level), version + 1
            told = Verdict(pivot.row, direction, strength, waves, version, last, *_comparisons(ends))
            self.verdicts.append(told)

    def outputs(self) -> Lazy:
        """Return the columns of 4.3."""
        names = (*Verdict._fields[1:], "last_hh", "last_lh", "last_hl", "last_ll")
        found: dict[str, Callable[[], Floats]] = {name: partial(self._column, name) for name in names}
        return found | {"bars_in_trend": self._bars_in_trend}

    def _column(self, name: str) -> Floats:
        return steps(self.count, ((verdict.row, getattr(verdict, name)) for verdict in self.verdicts), 0)

    def _bars_in_trend(self) -> Floats:
        direction = self._column("direction")
        rows = np.arange(self.count)
        changed = np.diff(direction, prepend=direction[:1]) != 0
        return (rows - np.maximum.accumulate(np.where(changed, rows, 0))).astype(np.float64)


def _comparisons(ends: Mapping[int, Sequence[float]]) -> tuple[bool, bool, bool, bool]:
    """Return HH, LH, HL and LL: the last end of each kind of wave against the one before."""
    (hh, lh), (hl, ll) = (
        (one[-1] > one[-2], one[-1] < one[-2]) if len(one) > 1 else (False, False) for one in (ends[HIGH], ends[LOW])
    )
    return hh, lh, hl, ll


def _verdict(hh: bool, lh: bool, hl: bool, ll: bool) -> int:
    if hh and hl:
        return 1
    if lh and ll:
        return -1
    for holds, unless, verdict in ((hh, ll, 1), (lh, hl, -1), (hl, lh, 1), (ll, hh, -1)):
        if holds and not unless:
            return verdict
    return 0
