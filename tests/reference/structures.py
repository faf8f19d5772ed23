"""Structure detectors as `plays.md` 4 words them: lists of pivots and waves, nothing forgotten."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

NAN = math.nan
Series = Sequence[float]
Row = dict[str, float]


def fnv48(*words: bytes) -> int:
    """Return FNV-1a 64 over the words, low 48 bits."""
    digest = 14695981039346656037
    for byte in b"".join(words):
        digest = (digest ^ byte) * 1099511628211 % 2**64
    return digest % 2**48


@dataclass(frozen=True)
class Pivot:
    side: str
    level: float
    idx: int


def fractal_pivots(high: Series, low: Series, left: int, right: int) -> Iterator[list[Pivot]]:
    """Yield the pivots that each bar confirms."""
    for t in range(len(high)):
        p = t - right
        found = []
        if p >= left:
            others = [*range(p - left, p), *range(p + 1, t + 1)]
            if all(high[p] > high[j] for j in others):
                found.append(Pivot("high", high[p], p))
            if all(low[p] < low[j] for j in others):
                found.append(Pivot("low", low[p], p))
        yield found


def zigzag_pivots(high: Series, low: Series, atr: Series, multiplier: float) -> Iterator[list[Pivot]]:
    """Yield the pivots that each bar confirms."""
    leg, extreme, where = "", NAN, -1
    for t in range(len(high)):
        found = []
        reach = multiplier * atr[t] if atr[t] > 0 else NAN
        if not leg:
            if not math.isnan(reach):
                leg, extreme, where = "up", high[t], t
        elif leg == "up":
            if high[t] > extreme:
                extreme, where = high[t], t
            elif low[t] < extreme - reach:
                found.append(Pivot("high", extreme, where))
                leg, extreme, where = "down", low[t], t
        elif low[t] < extreme:
            extreme, where = low[t], t
        elif high[t] > extreme + reach:
            found.append(Pivot("low", extreme, where))
            leg, extreme, where = "up", high[t], t
        yield found


@dataclass
class SwingReference:
    """All accepted pivots and pairs of a series."""

    params: Mapping[str, Any]
    accepted: list[Pivot] = field(default_factory=list)
    pairs: list[tuple[Pivot, Pivot]] = field(default_factory=list)
    significance: dict[str, float] = field(default_factory=lambda: {"high": NAN, "low": NAN})

    def of(self, side: str) -> list[Pivot]:
        return [pivot for pivot in self.accepted if pivot.side == side]

    def is_refused(self, pivot: Pivot, atr: float) -> bool:
        same = self.of(pivot.side)
        if not same:
            return False
        move, p = abs(pivot.level - same[-1].level), self.params
        if p["min_atr_move"] is not None and atr > 0 and move < p["min_atr_move"] * atr:
            return True
        if p["min_pct_move"] is not None and move < abs(same[-1].level) * p["min_pct_move"] / 100:
            return True
        pending = self.accepted[-1]
        if p["strict_alternation"] and pending.side == pivot.side:
            return not (pivot.level > pending.level if pivot.side == "high" else pivot.level < pending.level)
        return False

    def take(self, pivot: Pivot, atr: float) -> set[str]:
        """Take a pivot of this bar; return the flags that it sets."""
        if self.is_refused(pivot, atr):
            return set()
        flags = {f"{pivot.side}_accepted"}
        same = self.of(pivot.side)
        measured = abs(pivot.level - same[-1].level) / atr if same and atr > 0 else NAN
        self.significance[pivot.side] = measured
        if self.accepted:
            pending = self.accepted[-1]
            if pending.side == pivot.side:
                flags.add(f"{pivot.side}_replaced_pending")
            else:
                self.pairs.append((pending, pivot))
        self.accepted.append(pivot)
        return flags

    def row(self, flags: set[str]) -> Row:
        row: Row = {"version": len(self.accepted), "pair_version": len(self.pairs)}
        last = self.accepted[-1] if self.accepted else None
        row["last_confirmed_pivot_idx"] = last.idx if last else -1
        row["last_confirmed_pivot_type"] = {"high": 1, "low": 2}[last.side] if last else 0
        pair = {pivot.side: pivot for pivot in self.pairs[-1]} if self.pairs else {}
        for side in ("high", "low"):
            same = self.of(side)
            row[f"{side}_level"] = same[-1].level if same else NAN
            row[f"{side}_idx"] = same[-1].idx if same else -1
            row[f"{side}_version"] = len(same)
            row[f"{side}_significance"] = self.significance[side]
            row[f"{side}_is_major"] = self.significance[side] >= self.params["major_threshold"]
            row[f"{side}_accepted"] = f"{side}_accepted" in flags
            row[f"{side}_replaced_pending"] = f"{side}_replaced_pending" in flags
            row[f"pair_{side}_level"] = pair[side].level if pair else NAN
            row[f"pair_{side}_idx"] = pair[side].idx if pair else -1
        bullish = bool(self.pairs) and self.pairs[-1][1].side == "high"
        row["pair_direction"] = 0 if not self.pairs else 1 if bullish else 2
        row["pair_anchor_hash"] = 0
        if pair:
            high, low = pair["high"], pair["low"]
            packed = struct.pack("<dqdqq", high.level, high.idx, low.level, low.idx, 1 if bullish else -1)
            row["pair_anchor_hash"] = fnv48(packed)
        return row


def swing(params: Mapping[str, Any], high: Series, low: Series, atr: Series) -> list[Row]:
    """Return the outputs of each bar."""
    if params["mode"] == "fractal":
        pivots = fractal_pivots(high, low, params["left"], params["right"])
    else:
        pivots = zigzag_pivots(high, low, atr, params["atr_multiplier"])
    state = SwingReference(params)
    rows = []
    for t, found in enumerate(pivots):
        flags: set[str] = set()
        for pivot in found:
            flags |= state.take(pivot, atr[t])
        rows.append(state.row(flags))
    return rows


@dataclass
class Wave:
    kind: str
    end: float


class TrendReference:
    """All waves of a series of accepted pivots."""

    def __init__(self) -> None:
        self.waves: list[Wave] = []
        self.pending: tuple[str, float] | None = None
        self.version = 0
        self.verdicts: list[int | None] = []
        self.direction = 0
        self.strength = 0

    def flags(self, kind: str) -> tuple[bool, bool]:
        """Return whether the last wave of a kind ended above, and below, the one of that kind before it."""
        ends = [wave.end for wave in self.waves if wave.kind == kind]
        if len(ends) < 2:
            return False, False
        return ends[-1] > ends[-2], ends[-1] < ends[-2]

    def take(self, kind: str, level: float) -> None:
        """Take a pivot at which a wave of this kind can end."""
        if self.pending is None:
            self.pending = (kind, level)
        elif self.pending[0] == kind:
            if not (level > self.pending[1] if kind == "bullish" else level < self.pending[1]):
                return
            self.pending = (kind, level)
            if self.waves:
                self.waves[-1].end = level
        else:
            self.waves.append(Wave(kind, level))
            self.pending = (kind, level)
            self.classify(kind)
        self.version += 1

    def classify(self, kind: str) -> None:
        if len(self.waves) == 1:
            self.direction, self.strength = (1 if kind == "bullish" else -1), 0
            self.verdicts.append(None)
            return
        (hh, lh), (hl, ll) = self.flags("bullish"), self.flags("bearish")
        if hh and hl:
            verdict = 1
        elif lh and ll:
            verdict = -1
        elif hh and not ll:
            verdict = 1
        elif lh and not hl:
            verdict = -1
        elif hl and not lh:
            verdict = 1
        elif ll and not hh:
            verdict = -1
        else:
            verdict = 0
        self.strength = 0 if verdict == 0 else 2 if verdict == self.verdicts[-1] else 1
        self.verdicts.append(verdict)
        self.direction = verdict


def trend(swings: Sequence[Row]) -> list[Row]:
    """Return the outputs of each bar from the outputs of a swing."""
    state = TrendReference()
    rows: list[Row] = []
    changed = 0
    for t, bar in enumerate(swings):
        before = state.direction
        if bar["high_accepted"]:
            state.take("bullish", bar["high_level"])
        if bar["low_accepted"]:
            state.take("bearish", bar["low_level"])
        if state.direction != before:
            changed = t
        (hh, lh), (hl, ll) = state.flags("bullish"), state.flags("bearish")
        kind = state.waves[-1].kind if state.waves else "none"
        rows.append(
            {
                "direction": state.direction, "strength": state.strength, "bars_in_trend": t - changed,
                "wave_count": len(state.waves), "version": state.version,
                "last_wave_direction": ("none", "bullish", "bearish").index(kind),
                "last_hh": hh, "last_hl": hl, "last_lh": lh, "last_ll": ll,
            }
        )  # fmt: skip
    return rows
