"""The seven structure detectors by name: their outputs, and how they are made of bars and of each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evenkeel.readiness.audit.replay.breaks import MarketStructure, rolling_window
from evenkeel.readiness.audit.replay.grid import Unsupported
from evenkeel.readiness.audit.replay.indicators import BOOL, ENUM, INT, LINEAR, RATIO, Output
from evenkeel.readiness.audit.replay.stages import Floats, missing
from evenkeel.readiness.audit.replay.swings import Lazy, Params, Swing, Trend, swing
from evenkeel.readiness.audit.replay.zones import DerivedZones, fibonacci, zone

WAYS = ("none", "bullish", "bearish")
STATES = ("none", "active", "broken")

_SWING_FLAGS = [f"{side}_{what}" for side in ("high", "low") for what in ("is_major", "accepted", "replaced_pending")]
_SWING_COUNTS = [
    "high_idx",
    "low_idx",
    "version",
    "high_version",
    "low_version",
    "last_confirmed_pivot_idx",
    "pair_high_idx",
    "pair_low_idx",
    "pair_version",
    "pair_anchor_hash",
]

KINDS: dict[str, dict[str, Output]] = {
    "swing": {
        **dict.fromkeys(_SWING_FLAGS, Output(BOOL)), **dict.fromkeys(_SWING_COUNTS, Output(INT)),
        **dict.fromkeys(("high_significance", "low_significance"), Output(known=RATIO)),
        "last_confirmed_pivot_type": Output(ENUM, words=("none", "high", "low")),
        "pair_direction": Output(ENUM, words=WAYS),
    },
    "zone": {
        "state": Output(ENUM, words=STATES), "anchor_idx": Output(INT), "version": Output(INT),
        "upper": Output(known=LINEAR), "lower": Output(known=LINEAR),
    },
    "trend": {
        **dict.fromkeys(("direction", "strength", "bars_in_trend", "wave_count", "version"), Output(INT)),
        **dict.fromkeys(("last_hh", "last_hl", "last_lh", "last_ll"), Output(BOOL)),
        "last_wave_direction": Output(ENUM, words=WAYS),
    },
    "fibonacci": {
        "anchor_direction": Output(ENUM, words=WAYS), "anchor_hash": Output(INT),
        "anchor_trend_direction": Output(INT),
    },
    "derived_zone": {
        **dict.fromkeys(("active_count", "first_active_idx", "newest_active_idx", "source_version"), Output(INT)),
        **dict.fromkeys(("any_active", "any_touched", "any_inside"), Output(BOOL)),
        **dict.fromkeys(("anchor_idx", "age_bars", "touch_count", "last_touch_age", "instance_id"), Output(INT)),
        **dict.fromkeys(("touched_this_bar", "wick_touched", "inside"), Output(BOOL)),
        "state": Output(ENUM, words=STATES),
    },
    "rolling_window": {"value": Output()},
    "market_structure": {
        **dict.fromkeys(("bias", "last_bos_idx", "last_choch_idx", "version"), Output(INT)),
        **dict.fromkeys(("bos_this_bar", "choch_this_bar"), Output(BOOL)),
        **dict.fromkeys(("bos_direction", "choch_direction"), Output(ENUM, words=WAYS)),
    },
}  # fmt: skip
"""Outputs that are no exact price; those of a slot of `derived_zone` go by their name in the slot."""

EXACT_PRICES = ("swing", "rolling_window", "market_structure")
PRIMARY = {
    "swing": "high_level", "zone": "state", "trend": "direction", "fibonacci": "anchor_direction",
    "derived_zone": "any_active", "rolling_window": "value", "market_structure": "bias",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Structure:
    """A detector over all bars of its timeframe.

    Attributes:
        kind: Which.
        columns: Its outputs.
        made: What others are made of: the swing or the trend itself.
    """

    kind: str
    columns: Lazy
    made: Swing | Trend | None = None

    def output(self, field: str) -> Output:
        """Return what an output is."""
        name = field.partition("_")[2] if self.kind == "derived_zone" and field.startswith("zone") else field
        known = KINDS[self.kind].get(name)
        return known or (Output() if self.kind in EXACT_PRICES else Output(known=LINEAR))


def build(
    kind: str, p: Params, bars: Mapping[str, Floats], atr: Floats | None, used: Mapping[str, Structure]
) -> Structure:
    """Return a detector.

    Args:
        kind: Which.
        p: Its parameters.
        bars: Columns of its timeframe.
        atr: The average range that it measures in.
        used: The structures that it uses, by kind.
    """
    own: Any = used["swing"].made if "swing" in used else None
    count = len(bars["close"])
    if kind == "swing":
        made = swing(p, bars["high"], bars["low"], atr)
        return Structure(kind, made.outputs(), made)
    if kind == "rolling_window":
        return Structure(kind, rolling_window(p, bars))
    if kind == "trend":
        waves = Trend(own)
        return Structure(kind, waves.outputs(), waves)
    if kind == "zone":
        return Structure(kind, zone(p, bars["close"], missing(count) if atr is None else atr, own))
    if kind == "fibonacci":
        waves_of: Any = used["trend"].made if "trend" in used else None
        return Structure(kind, fibonacci(p, count, own, waves_of))
    if kind == "derived_zone":
        return Structure(kind, DerivedZones(p, bars, own).outputs())
    if kind == "market_structure":
        return Structure(kind, MarketStructure(p, bars, own).outputs())
    raise Unsupported(f"the audit has no structure {kind}; plug-ins are not read again")
