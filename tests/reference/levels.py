"""Zones, levels and breaks as `plays.md` 4.2 and 4.4 to 4.7 word them, with whole series before their eyes."""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from reference.structures import NAN, Row, Series, fnv48

Params = Mapping[str, Any]
BULLISH, BEARISH = 1, 2


def zone(params: Params, bars: Mapping[str, Series], atr: Series, swings: Sequence[Row]) -> list[Row]:
    """Return the outputs of each bar."""
    is_demand = params["zone_type"] == "demand"
    side, count = "low" if is_demand else "high", len(swings)
    confirmed = [t for t in range(count) if swings[t][f"{side}_accepted"]]
    created: list[tuple[int, float, float, float]] = []
    for c, following in itertools.pairwise([*confirmed, count]):
        t = next((t for t in range(c, following) if atr[t] > 0), None)
        if t is not None:
            level, depth = swings[c][f"{side}_level"], params["width_atr"] * atr[t]
            lower, upper = (level - depth, level) if is_demand else (level, level + depth)
            created.append((t, lower, upper, swings[c][f"{side}_idx"]))
    rows: list[Row] = [{"state": 0, "upper": NAN, "lower": NAN, "anchor_idx": -1, "version": 0} for _ in range(count)]
    version = 0
    for place, (t, lower, upper, idx) in enumerate(created):
        until = created[place + 1][0] if place + 1 < len(created) else count
        closes = bars["close"]
        beyond = [b for b in range(t + 1, until) if (closes[b] < lower if is_demand else closes[b] > upper)]
        version += 1
        for b in range(t, until):
            broken = bool(beyond) and b >= beyond[0]
            rows[b] = {
                "state": 2 if broken else 1, "upper": upper, "lower": lower, "anchor_idx": idx,
                "version": version + broken,
            }  # fmt: skip
        version += bool(beyond)
    return rows


@dataclass(frozen=True)
class Anchors:
    high: float
    low: float
    high_idx: float
    low_idx: float
    way: int

    def packed(self) -> bytes:
        sign = 1 if self.way == BULLISH else -1
        return struct.pack("<dqdqq", self.high, int(self.high_idx), self.low, int(self.low_idx), sign)

    def level(self, mode: str, share: float, *, directional: bool) -> float:
        extent = self.high - self.low
        if mode == "retracement":
            if directional and self.way == BEARISH:
                return self.low + share * extent
            return self.high - share * extent
        if mode == "extension_up" or (mode == "extension" and self.way == BULLISH):
            return self.high + share * extent
        return self.low - share * extent


def raw_anchors(bar: Row) -> Anchors:
    """Return the newest high and low."""
    way = BULLISH if bar["high_idx"] > bar["low_idx"] else BEARISH
    return Anchors(bar["high_level"], bar["low_level"], bar["high_idx"], bar["low_idx"], way)


def pair_anchors(bar: Row) -> Anchors:
    """Return the newest pair."""
    levels = (bar["pair_high_level"], bar["pair_low_level"])
    return Anchors(*levels, bar["pair_high_idx"], bar["pair_low_idx"], int(bar["pair_direction"]))


def changed(rows: Sequence[Row], name: str, t: int) -> bool:
    """Return whether a version differs from that of the bar before."""
    return rows[t][name] != (rows[t - 1][name] if t else 0)


def fibonacci(params: Params, swings: Sequence[Row], trends: Sequence[Row]) -> list[Row]:
    """Return the outputs of each bar."""
    by_trend = params["use_trend_anchor"]
    is_raw = params["use_paired_anchor"] is False and not by_trend
    taken: Anchors | None = None
    direction, rows = 0.0, []
    for t, bar in enumerate(swings):
        anchors = raw_anchors(bar) if is_raw else pair_anchors(bar)
        is_new = changed(swings, "version" if is_raw else "pair_version", t)
        if by_trend:
            is_new = (is_new or changed(trends, "version", t)) and trends[t]["direction"] != 0
        if is_new and anchors.high - anchors.low > 0:
            taken = anchors
            if by_trend:
                direction = trends[t]["direction"]
                way = BULLISH if direction > 0 else BEARISH
                taken = Anchors(anchors.high, anchors.low, anchors.high_idx, anchors.low_idx, way)
        row: Row = {
            "anchor_high": taken.high if taken else NAN, "anchor_low": taken.low if taken else NAN,
            "range": taken.high - taken.low if taken else NAN, "anchor_direction": taken.way if taken else 0,
            "anchor_hash": fnv48(taken.packed()) if taken else 0, "anchor_trend_direction": direction,
        }  # fmt: skip
        for share in params["levels"]:
            level = taken.level(params["mode"], share, directional=params["directional"]) if taken else NAN
            row[f"level_{share:g}"] = level
        rows.append(row)
    return rows


@dataclass(frozen=True)
class Zone:
    """A zone and all that it will ever meet."""

    born: int
    centre: float
    anchors: Anchors
    place: int
    params: Params
    bars: Mapping[str, Series] = field(repr=False)

    @property
    def lower(self) -> float:
        return self.centre * (1 - self.params["width_pct"] / 200)

    @property
    def upper(self) -> float:
        return self.centre * (1 + self.params["width_pct"] / 200)

    @cached_property
    def broken_at(self) -> float:
        tolerance, closes = self.params["break_tolerance_pct"] / 100, self.bars["close"]
        for t in range(self.born + 1, len(closes)):
            if closes[t] < self.lower * (1 - tolerance) or closes[t] > self.upper * (1 + tolerance):
                return t
        return math.inf

    @cached_property
    def touches(self) -> list[int]:
        closes = self.bars["close"]
        return [t for t in range(self.born, len(closes)) if self.lower <= closes[t] <= self.upper]

    def is_active(self, t: int) -> bool:
        return t < self.broken_at

    def row(self, t: int) -> Row:
        met = [b for b in self.touches if b <= t and b < self.broken_at]
        inside = self.is_active(t) and t in met
        overlaps = self.bars["low"][t] <= self.upper and self.bars["high"][t] >= self.lower
        packed = self.anchors.packed() + struct.pack("<q", self.place)
        return {
            "lower": self.lower, "upper": self.upper, "state": 1 if self.is_active(t) else 2,
            "anchor_idx": self.anchors.high_idx if self.anchors.way == BULLISH else self.anchors.low_idx,
            "age_bars": t - self.born, "touched_this_bar": inside, "wick_touched": self.is_active(t) and overlaps,
            "touch_count": len(met), "last_touch_age": met[-1] - self.born if met else -1, "inside": inside,
            "instance_id": fnv48(packed) % 2**32,
        }  # fmt: skip

    def distance(self, close: float) -> float:
        return self.lower - close if close < self.lower else close - self.upper if close > self.upper else 0.0


NO_ZONE: Row = {
    "lower": NAN, "upper": NAN, "state": 0, "anchor_idx": -1, "age_bars": -1, "touched_this_bar": 0,
    "wick_touched": 0, "touch_count": 0, "last_touch_age": -1, "inside": 0, "instance_id": 0,
}  # fmt: skip


def derived_zone(params: Params, bars: Mapping[str, Series], swings: Sequence[Row]) -> list[Row]:
    """Return the outputs of each bar."""
    is_paired, rows = params["use_paired_source"], []
    version = "pair_version" if is_paired else "version"
    ever: list[Zone] = []
    for t, bar in enumerate(swings):
        anchors = pair_anchors(bar) if is_paired else raw_anchors(bar)
        if changed(swings, version, t) and anchors.high - anchors.low > 0:
            centres = [anchors.level(params["mode"], share, directional=False) for share in params["levels"]]
            ever = [*(Zone(t, c, anchors, k, params, bars) for k, c in enumerate(centres)), *ever]
        slots = ever[: params["max_active"]]
        row = aggregates(slots, t, bars["close"][t])
        row["source_version"] = bar[version]
        for k in range(params["max_active"]):
            shown = slots[k].row(t) if k < len(slots) else NO_ZONE
            row.update({f"zone{k}_{name}": value for name, value in shown.items()})
        rows.append(row)
    return rows


def aggregates(slots: Sequence[Zone], t: int, close: float) -> Row:
    """Return the outputs over all active zones."""
    active = [(k, one) for k, one in enumerate(slots) if one.is_active(t)]
    inside = any(one.row(t)["inside"] for _, one in active)
    first = active[0] if active else None
    youngest = min(active, key=lambda item: t - item[1].born) if active else None
    measured = active if not math.isnan(close) else []
    closest = min(measured, key=lambda item: item[1].distance(close))[1] if measured else None
    return {
        "active_count": len(active), "any_active": bool(active), "any_touched": inside, "any_inside": inside,
        "first_active_lower": first[1].lower if first else NAN, "first_active_upper": first[1].upper if first else NAN,
        "first_active_idx": first[0] if first else -1, "newest_active_idx": youngest[0] if youngest else -1,
        "closest_active_lower": closest.lower if closest else NAN,
        "closest_active_upper": closest.upper if closest else NAN,
    }  # fmt: skip


def rolling_window(params: Params, bars: Mapping[str, Series]) -> list[Row]:
    """Return the outputs of each bar."""
    values, size = bars[params["source"]], params["size"]
    best = max if params["mode"] == "max" else min
    rows: list[Row] = []
    since = 0
    for t, value in enumerate(values):
        if math.isnan(value):
            since = t + 1
        stop = t if params["exclude_current"] else t + 1
        complete = not math.isnan(value) and stop - size >= since
        rows.append({"value": best(values[stop - size : stop]) if complete else NAN})
    return rows


def market_structure(params: Params, bars: Mapping[str, Series], swings: Sequence[Row]) -> list[Row]:
    """Return the outputs of each bar."""
    row: Row = {
        "bias": 0, "bos_direction": 0, "choch_direction": 0, "last_bos_idx": -1, "last_choch_idx": -1, "version": 0,
        "last_bos_level": NAN, "last_choch_level": NAN, "break_level_high": NAN, "break_level_low": NAN,
    }  # fmt: skip
    anchor, rows = NAN, []
    by_close = params["confirmation_close"]
    for t, bar in enumerate(swings):
        row = {**row, "bos_this_bar": False, "choch_this_bar": False}
        armed = (row["break_level_high"], row["break_level_low"])
        for side in ("high", "low"):
            if bar[f"{side}_accepted"]:
                row[f"break_level_{side}"] = bar[f"{side}_level"]
        now = (row["break_level_high"], row["break_level_low"])
        is_armed = any(a != b and not math.isnan(b) for a, b in zip(armed, now, strict=True))
        u, d = (bars["close"][t],) * 2 if by_close else (bars["high"][t], bars["low"][t])
        event = judge(int(row["bias"]), u, d, *now, anchor)
        if event is not None:
            kind, way, level = event
            row[f"{kind}_this_bar"], row[f"{kind}_direction"] = True, BULLISH if way > 0 else BEARISH
            row[f"last_{kind}_idx"], row[f"last_{kind}_level"], row["bias"] = t, level, way
            anchor = bar["low_level"] if way > 0 else bar["high_level"]
            if kind == "choch" and not params["rearm_after_choch"]:
                anchor = NAN
            if way > 0 and u > row["break_level_high"]:
                row["break_level_high"] = NAN
            if way < 0 and d < row["break_level_low"]:
                row["break_level_low"] = NAN
        row["version"] += event is not None or is_armed
        rows.append(row)
    return rows


def judge(
    bias: int, u: float, d: float, armed_high: float, armed_low: float, anchor: float
) -> tuple[str, int, float] | None:
    """Return the event of a bar: its kind, its way and the level that broke."""
    if bias == 0:
        if u > armed_high:
            return "bos", 1, armed_high
        return ("bos", -1, armed_low) if d < armed_low else None
    if bias == 1:
        if d < anchor:
            return "choch", -1, anchor
        return ("bos", 1, armed_high) if u > armed_high else None
    if u > anchor:
        return "choch", 1, anchor
    return ("bos", -1, armed_low) if d < armed_low else None
