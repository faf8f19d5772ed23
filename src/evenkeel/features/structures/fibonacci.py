"""Fibonacci levels of the newest move between two swing pivots."""

from __future__ import annotations

import math

from evenkeel.features.node import Output, OutputType, Param, structure
from evenkeel.features.structures._anchors import BEARISH, BULLISH, WAYS, origin_and_step
from evenkeel.features.structures._held import anchor_hash, hold

# Places of the outputs in the state, in row order; the levels follow.
ANCHOR_HIGH, ANCHOR_LOW, RANGE, DIRECTION, HASH, TREND_DIRECTION, LEVELS = range(7)
# Behind them, counted from the end of the outputs: whether a bar was seen, and the versions at the last look.
SEEN, SOURCE_VERSION, TREND_VERSION = 0, 1, 2
BEHIND = 3

MODE, USE_PAIRED, USE_TREND, DIRECTIONAL, COUNT, FIRST_LEVEL = range(6)

# Places of the inputs: those of raw anchors, then those of the pair.
RAW, PAIRED, TREND = 0, 5, 11
PAIR_DIRECTION = 10
INPUTS = 13

OUTPUTS = (
    Output("anchor_high", meaning="high of the move"),
    Output("anchor_low", meaning="low of the move"),
    Output("range", meaning="high less low"),
    Output("anchor_direction", OutputType.ENUM, WAYS, "way of the move: bullish when the high came last, or the trend"),
    Output("anchor_hash", OutputType.INT, meaning="48-bit name of the anchors; 0 = none", low=0),
    Output(
        "anchor_trend_direction",
        OutputType.INT,
        meaning="trend when they were taken; 0 without trend anchors",
        low=-1,
        high=1,
    ),
    Output("level_{}", meaning="price at the share x of the range, for each x in levels", each="levels"),
)


def _complaint(p):
    if p["use_trend_anchor"] and p["use_paired_anchor"]:
        return "use_paired_anchor and use_trend_anchor exclude each other"
    if p["mode"] == "extension" and p["use_paired_anchor"] is False and not p["use_trend_anchor"]:
        return "mode extension needs a direction: use paired or trend anchors, or extension_up or extension_down"
    return None


@structure(
    "fibonacci",
    summary="Levels at shares of the range of a move: retracements or extensions",
    inputs=(
        "swing.version", "swing.high_level", "swing.low_level", "swing.high_idx", "swing.low_idx",
        "swing.pair_version", "swing.pair_high_level", "swing.pair_low_level", "swing.pair_high_idx",
        "swing.pair_low_idx", "swing.pair_direction", "trend.version?", "trend.direction?",
    ),
    params=(
        Param(
            "mode", str, "retracement", choices=("retracement", "extension", "extension_up", "extension_down"),
            meaning="into the move, or beyond it",
        ),
        Param(
            "use_paired_anchor", bool, optional=True,
            meaning="anchors are the newest swing pair; false: the newest high and low; absent: not use_trend_anchor",
        ),
        Param("use_trend_anchor", bool, False, meaning="take a pair only while a trend has a direction"),
        Param("directional", bool, False, meaning="retrace a bearish move from its low up"),
        Param("levels", list, meaning="shares of the range"),
    ),
    outputs=OUTPUTS,
    primary="anchor_direction",
    state=lambda p: LEVELS + len(p["levels"]) + BEHIND,
    lookback=lambda _: 0,
    first=lambda _: {"anchor_direction": 1, "anchor_hash": 1, "anchor_trend_direction": 1},
    # The bars of the swing it reads come under the names `swing.left` and `swing.right`; a zigzag has none.
    warmup=lambda p: (p.get("swing.left") or 0) + (p.get("swing.right") or 0) + 1,
    formula="r = high - low; retracement: high - x * r, directional and bearish low + x * r; "
    "extension: bullish high + x * r, bearish low - x * r",
    source="plays.md 4.4",
    uses=("swing", "trend?"),
    check=_complaint,
)  # fmt: skip
def fibonacci(p, s, x, r, start, stop):
    """State: the outputs, whether a bar was seen, and the versions at the last look."""
    by_trend = p[USE_TREND] != 0.0
    # An absent parameter is missing and equals nothing, so the pair is the default.
    is_raw = not by_trend and p[USE_PAIRED] == 0.0
    at = RAW if is_raw else PAIRED
    versions, high_levels, low_levels = x[r[at]], x[r[at + 1]], x[r[at + 2]]
    high_idxs, low_idxs = x[r[at + 3]], x[r[at + 4]]
    pair_directions, trend_versions, trend_directions = x[r[PAIR_DIRECTION]], x[r[TREND]], x[r[TREND + 1]]
    count = int(p[COUNT])
    shares = p[FIRST_LEVEL : FIRST_LEVEL + count]
    rows = r[INPUTS:]
    behind = s[len(rows) :]
    if behind[SEEN] == 0.0:
        s[ANCHOR_HIGH] = s[ANCHOR_LOW] = s[RANGE] = math.nan
        for k in range(count):
            s[LEVELS + k] = math.nan
        behind[SEEN] = 1.0
    source_version, trend_version = behind[SOURCE_VERSION], behind[TREND_VERSION]
    written = start
    for i in range(start, stop):
        if versions[i] == source_version and (not by_trend or trend_versions[i] == trend_version):
            continue
        source_version, trend_version = versions[i], trend_versions[i]
        high, low = high_levels[i], low_levels[i]
        # A missing level is not above anything: no pair yet.
        if not high > low:
            continue
        trend_direction = trend_directions[i] if by_trend else 0.0
        if by_trend:
            if trend_direction == 0.0:
                continue
            way = BULLISH if trend_direction > 0.0 else BEARISH
        elif is_raw:
            way = BULLISH if high_idxs[i] > low_idxs[i] else BEARISH
        else:
            way = pair_directions[i]
        hold(s, x, rows, written, i)
        written = i
        s[ANCHOR_HIGH], s[ANCHOR_LOW], s[RANGE], s[DIRECTION] = high, low, high - low, way
        s[HASH] = anchor_hash(high, high_idxs[i], low, low_idxs[i], 1 if way == BULLISH else -1)
        s[TREND_DIRECTION] = trend_direction
        origin, step = origin_and_step(p[MODE], p[DIRECTIONAL] != 0.0, way, high, low)
        for k in range(count):
            s[LEVELS + k] = origin + shares[k] * step
    hold(s, x, rows, written, stop)
    behind[SOURCE_VERSION], behind[TREND_VERSION] = source_version, trend_version
