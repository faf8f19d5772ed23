"""Zones around shares of the range of swing pairs, the newest in front."""

from __future__ import annotations

import math

from evenkeel.features.node import Output, OutputType, Param, structure
from evenkeel.features.structures._anchors import BEARISH, BULLISH, origin_and_step
from evenkeel.features.structures._held import LOW_32_BITS, anchor_digest, hashed, hold, word_of
from evenkeel.kernel import inlined

# Places of the outputs over all zones in the state, in row order; those of the slots follow, field by field.
ACTIVE_COUNT, ANY_ACTIVE, ANY_TOUCHED, ANY_INSIDE, FIRST_LOWER, FIRST_UPPER, FIRST_IDX, NEWEST_IDX = range(8)
CLOSEST_LOWER, CLOSEST_UPPER, SOURCE_VERSION, SLOTS = 8, 9, 10, 11
# Fields of a slot.
LOWER, UPPER, STATE, ANCHOR_IDX, AGE, TOUCHED, WICK_TOUCHED, TOUCH_COUNT, LAST_TOUCH_AGE, INSIDE, ID, FIELDS = range(12)

MODE, MAX_ACTIVE, WIDTH_PCT, USE_PAIRED, BREAK_TOLERANCE_PCT, COUNT, FIRST_LEVEL = range(7)

# Places of the inputs: bars, those of raw anchors, those of the pair.
RAW, PAIRED = 3, 8
INPUTS = 13

NONE, ACTIVE, BROKEN = 0.0, 1.0, 2.0
MAX_SLOTS = 50

OUTPUTS = (
    Output("active_count", OutputType.INT, meaning="active zones", low=0),
    Output("any_active", OutputType.BOOL, meaning="there is an active zone"),
    Output("any_touched", OutputType.BOOL, meaning="the close lies in an active zone"),
    Output("any_inside", OutputType.BOOL, meaning="the close lies in an active zone"),
    Output("first_active_lower", meaning="lower bound of the first active zone"),
    Output("first_active_upper", meaning="upper bound of the first active zone"),
    Output("first_active_idx", OutputType.INT, meaning="lowest active slot; -1 = none", low=-1),
    Output("newest_active_idx", OutputType.INT, meaning="slot of the youngest active zone; -1 = none", low=-1),
    Output("closest_active_lower", meaning="lower bound of the active zone nearest to the close"),
    Output("closest_active_upper", meaning="upper bound of the active zone nearest to the close"),
    Output("source_version", OutputType.INT, meaning="version of the swing pairs, or of the swing", low=0),
    Output("zone{}_lower", meaning="lower bound of slot i, for each i below max_active", each="max_active"),
    Output("zone{}_upper", meaning="upper bound", each="max_active"),
    Output(
        "zone{}_state", OutputType.ENUM, ("none", "active", "broken"), "what became of the zone", each="max_active"
    ),
    Output("zone{}_anchor_idx", OutputType.INT, meaning="bar of the later pivot; -1 = none", each="max_active", low=-1),
    Output("zone{}_age_bars", OutputType.INT, meaning="bars since its creation; -1 = none", each="max_active", low=-1),
    Output("zone{}_touched_this_bar", OutputType.BOOL, meaning="the close lies in it", each="max_active"),
    Output("zone{}_wick_touched", OutputType.BOOL, meaning="the bar's range overlaps it", each="max_active"),
    Output("zone{}_touch_count", OutputType.INT, meaning="bars so far that closed in it", each="max_active", low=0),
    Output(
        "zone{}_last_touch_age", OutputType.INT, meaning="its age at the last touch; -1 = never", each="max_active",
        low=-1,
    ),
    Output("zone{}_inside", OutputType.BOOL, meaning="the close lies in it", each="max_active"),
    Output("zone{}_instance_id", OutputType.INT, meaning="32-bit name of the zone; 0 = none", each="max_active", low=0),
)  # fmt: skip


def _complaint(p):
    if p["mode"] == "extension" and not p["use_paired_source"]:
        return "mode extension needs a direction: use_paired_source must be true"
    return None


@inlined
def clear_slot(z, slot):
    """Set a slot to what it is without a zone."""
    z[:, slot] = 0.0
    z[LOWER, slot] = z[UPPER, slot] = math.nan
    z[ANCHOR_IDX, slot] = z[AGE, slot] = z[LAST_TOUCH_AGE, slot] = -1.0


@inlined
def make_room(z, count):
    """Move the zones `count` slots back; the last ones drop out, and the first `count` are as without a zone."""
    for slot in range(z.shape[1] - 1, -1, -1):
        if slot >= count:
            for place in range(FIELDS):
                z[place, slot] = z[place, slot - count]
        else:
            clear_slot(z, slot)


@inlined
def meet(z, slot, close, high, low, tolerance):
    """Let an active zone meet a bar: touched, and from the bar after its creation perhaps broken."""
    lower, upper = z[LOWER, slot], z[UPPER, slot]
    inside = 1.0 if lower <= close <= upper else 0.0
    z[INSIDE, slot] = z[TOUCHED, slot] = inside
    z[WICK_TOUCHED, slot] = 1.0 if low <= upper and high >= lower else 0.0
    if inside != 0.0:
        z[TOUCH_COUNT, slot] += 1.0
        z[LAST_TOUCH_AGE, slot] = z[AGE, slot]
    elif z[AGE, slot] > 0.0 and (close < lower * (1.0 - tolerance) or close > upper * (1.0 + tolerance)):
        z[STATE, slot] = BROKEN
        z[WICK_TOUCHED, slot] = 0.0


@inlined
def sum_up(s, z, close):
    """Set the outputs over all active zones."""
    for place in range(SOURCE_VERSION):
        s[place] = 0.0
    s[FIRST_LOWER] = s[FIRST_UPPER] = s[CLOSEST_LOWER] = s[CLOSEST_UPPER] = math.nan
    s[FIRST_IDX] = s[NEWEST_IDX] = -1.0
    nearest, youngest = math.inf, math.inf
    for slot in range(z.shape[1]):
        if z[STATE, slot] != ACTIVE:
            continue
        lower, upper = z[LOWER, slot], z[UPPER, slot]
        if s[ACTIVE_COUNT] == 0.0:
            s[FIRST_LOWER], s[FIRST_UPPER], s[FIRST_IDX], s[ANY_ACTIVE] = lower, upper, slot, 1.0
        s[ACTIVE_COUNT] += 1.0
        if z[INSIDE, slot] != 0.0:
            s[ANY_TOUCHED] = s[ANY_INSIDE] = 1.0
        if z[AGE, slot] < youngest:
            youngest, s[NEWEST_IDX] = z[AGE, slot], slot
        distance = 0.0
        if z[INSIDE, slot] == 0.0:
            distance = lower - close if close < lower else close - upper
        if distance < nearest:
            nearest, s[CLOSEST_LOWER], s[CLOSEST_UPPER] = distance, lower, upper


@structure(
    "derived_zone",
    summary="Zones around shares of the range of swing pairs: active until the close leaves them, newest first",
    inputs=(
        "high", "low", "close",
        "swing.version", "swing.high_level", "swing.low_level", "swing.high_idx", "swing.low_idx",
        "swing.pair_version", "swing.pair_high_level", "swing.pair_low_level", "swing.pair_high_idx",
        "swing.pair_low_idx",
    ),
    params=(
        Param("mode", str, "retracement", choices=("retracement", "extension"), meaning="into the move, or beyond it"),
        Param("max_active", int, low=1, high=MAX_SLOTS, meaning="slots; the oldest zones beyond them are dropped"),
        Param("width_pct", float, 0.2, low=0.0, above=True, meaning="width in percent of the centre"),
        Param("use_paired_source", bool, True, meaning="a new swing pair makes zones; false: each new swing"),
        Param("break_tolerance_pct", float, 0.1, low=0.0, meaning="how far beyond a bound breaks, percent of it"),
        Param("levels", list, meaning="shares of the range, a zone for each"),
    ),
    outputs=OUTPUTS,
    primary="any_active",
    state=lambda p: SLOTS + FIELDS * p["max_active"] + 1,
    lookback=lambda _: 0,
    first=lambda _: {output.name: 1 for output in OUTPUTS if output.type is not OutputType.FLOAT},
    # The bars of the swing it reads come under the names `swing.left` and `swing.right`; a zigzag has none.
    warmup=lambda p: (p.get("swing.left") or 0) + (p.get("swing.right") or 0) + 2,
    formula="centre as in fibonacci; bounds centre * (1 -/+ width_pct / 200); broken from the bar after its creation "
    "by a close below lower * (1 - tolerance) or above upper * (1 + tolerance)",
    source="plays.md 4.5",
    uses=("swing",),
    check=_complaint,
)  # fmt: skip
def derived_zone(p, s, x, r, start, stop):
    """State: the outputs, and whether a bar was seen."""
    highs, lows, closes = x[r[0]], x[r[1]], x[r[2]]
    at = RAW if p[USE_PAIRED] == 0.0 else PAIRED
    versions, high_levels, low_levels = x[r[at]], x[r[at + 1]], x[r[at + 2]]
    high_idxs, low_idxs = x[r[at + 3]], x[r[at + 4]]
    count, levels = int(p[MAX_ACTIVE]), int(p[COUNT])
    made = min(levels, count)
    half, tolerance = p[WIDTH_PCT] / 200.0, p[BREAK_TOLERANCE_PCT] / 100.0
    rows = r[INPUTS:]
    z = s[SLOTS : SLOTS + FIELDS * count].reshape((FIELDS, count))
    if s[-1] == 0.0:
        for slot in range(count):
            clear_slot(z, slot)
        s[-1] = 1.0
    for i in range(start, stop):
        for slot in range(count):
            if z[STATE, slot] != NONE:
                z[AGE, slot] += 1.0
        if versions[i] != s[SOURCE_VERSION]:
            s[SOURCE_VERSION] = versions[i]
            high, low = high_levels[i], low_levels[i]
            # A missing level is not above anything: no pair yet.
            if high > low:
                # A pair confirmed on one bar has its high first, so with equal bars the low is the later pivot.
                way = BULLISH if high_idxs[i] > low_idxs[i] else BEARISH
                origin, step = origin_and_step(p[MODE], False, way, high, low)
                digest = anchor_digest(high, high_idxs[i], low, low_idxs[i], 1 if way == BULLISH else -1)
                make_room(z, made)
                for k in range(made):
                    centre = origin + p[FIRST_LEVEL + k] * step
                    z[LOWER, k], z[UPPER, k] = centre * (1.0 - half), centre * (1.0 + half)
                    z[STATE, k], z[AGE, k] = ACTIVE, 0.0
                    z[ANCHOR_IDX, k] = max(high_idxs[i], low_idxs[i])
                    z[ID, k] = hashed(digest, word_of(k)) & LOW_32_BITS
        for slot in range(count):
            if z[STATE, slot] == ACTIVE:
                meet(z, slot, closes[i], highs[i], lows[i], tolerance)
        sum_up(s, z, closes[i])
        hold(s, x, rows, i, i + 1)
