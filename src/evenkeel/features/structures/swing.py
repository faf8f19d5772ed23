"""Swing highs and lows, and the pairs they form."""

from __future__ import annotations

import math

from evenkeel.features.node import MAX_LENGTH, Output, OutputType, Param, structure
from evenkeel.features.structures._held import anchor_hash, hold
from evenkeel.kernel import inlined

HIGH, LOW = 0, 1
"""Sides; outputs come in pairs, so the place of a low's output is that of the high's plus its side."""

# Places of the outputs in the state, in row order.
LEVEL, IDX = 0, 2
VERSION, SIDE_VERSION = 4, 5
LAST_IDX, LAST_TYPE = 7, 8
SIGNIFICANCE, IS_MAJOR, ACCEPTED, REPLACED = 9, 11, 13, 15
PAIR_LEVEL, PAIR_IDX, PAIR_VERSION, PAIR_DIRECTION, PAIR_HASH = 17, 19, 21, 22, 23
# Behind them: bars so far, and the zigzag's direction (0 before its first bar), extreme and the bar of it.
SEEN, LEG, EXTREME, EXTREME_IDX = 24, 25, 26, 27
STATE_SIZE = 28

# Places of the parameters.
MODE, LEFT, RIGHT, ATR_MULTIPLIER, MAJOR_THRESHOLD, MIN_ATR_MOVE, MIN_PCT_MOVE, STRICT_ALTERNATION = range(8)

FRACTAL = 0.0
UP, DOWN = 1.0, -1.0
BULLISH, BEARISH = 1.0, 2.0
INPUTS = 3

OUTPUTS = (
    Output("high_level", meaning="newest accepted swing high"),
    Output("low_level", meaning="newest accepted swing low"),
    Output("high_idx", OutputType.INT, meaning="bar of that high, counted from 0; -1 = none", low=-1),
    Output("low_idx", OutputType.INT, meaning="bar of that low, counted from 0; -1 = none", low=-1),
    Output("version", OutputType.INT, meaning="accepted pivots so far", low=0),
    Output("high_version", OutputType.INT, meaning="accepted highs so far", low=0),
    Output("low_version", OutputType.INT, meaning="accepted lows so far", low=0),
    Output("last_confirmed_pivot_idx", OutputType.INT, meaning="bar of the newest accepted pivot; -1 = none", low=-1),
    Output("last_confirmed_pivot_type", OutputType.ENUM, ("none", "high", "low"), "its type"),
    Output("high_significance", meaning="distance to the high before in ATR", low=0),
    Output("low_significance", meaning="distance to the low before in ATR", low=0),
    Output("high_is_major", OutputType.BOOL, meaning="significance of the high reaches major_threshold"),
    Output("low_is_major", OutputType.BOOL, meaning="significance of the low reaches major_threshold"),
    Output("high_accepted", OutputType.BOOL, meaning="a high was accepted on this bar"),
    Output("low_accepted", OutputType.BOOL, meaning="a low was accepted on this bar"),
    Output("high_replaced_pending", OutputType.BOOL, meaning="it took the place of a pending high"),
    Output("low_replaced_pending", OutputType.BOOL, meaning="it took the place of a pending low"),
    Output("pair_high_level", meaning="high of the newest pair of opposite pivots"),
    Output("pair_low_level", meaning="low of that pair"),
    Output("pair_high_idx", OutputType.INT, meaning="bar of the pair's high; -1 = none", low=-1),
    Output("pair_low_idx", OutputType.INT, meaning="bar of the pair's low; -1 = none", low=-1),
    Output("pair_version", OutputType.INT, meaning="pairs completed so far", low=0),
    Output("pair_direction", OutputType.ENUM, ("none", "bullish", "bearish"), "bullish: the high came last"),
    Output("pair_anchor_hash", OutputType.INT, meaning="48-bit name of the pair; 0 = none", low=0),
)

ALWAYS = tuple(output.name for output in OUTPUTS if output.type is not OutputType.FLOAT)
"""Outputs with a value from the first bar on; the levels come with the pivots."""


@inlined
def clear_outputs(s):
    """Set the outputs to what they are before any pivot."""
    for place in (LEVEL, LEVEL + 1, SIGNIFICANCE, SIGNIFICANCE + 1, PAIR_LEVEL, PAIR_LEVEL + 1):
        s[place] = math.nan
    for place in (IDX, IDX + 1, LAST_IDX, PAIR_IDX, PAIR_IDX + 1):
        s[place] = -1.0


@inlined
def is_fractal(values, sign, i, left, right):
    """Return whether `sign` times the value at `i` is strictly above those of `left` bars before and `right` after.

    Looks outwards in both directions at once: in a steady market, either way, the first comparison decides.
    """
    peak = sign * values[i]
    for k in range(1, max(left, right) + 1):
        if k <= right and not peak > sign * values[i + k]:
            return False
        if k <= left and not peak > sign * values[i - k]:
            return False
    return True


@inlined
def passes(p, s, side, level, atr):
    """Return whether a pivot passes the filters: far enough from the one before, and alternating if asked."""
    before = s[LEVEL + side]
    if math.isnan(before):
        return True
    move = abs(level - before)
    # A comparison with a missing ATR or an absent parameter is false, so that filter does not apply.
    if move < p[MIN_ATR_MOVE] * atr or move < abs(before) * p[MIN_PCT_MOVE] / 100.0:
        return False
    if p[STRICT_ALTERNATION] != 0.0 and s[LAST_TYPE] == side + 1:
        return level > before if side == HIGH else level < before
    return True


@inlined
def accept(p, s, side, level, idx, atr):
    """Take a pivot that passed into the outputs, and complete a pair if the pending one is of the other side."""
    significance = abs(level - s[LEVEL + side]) / atr
    s[SIGNIFICANCE + side] = significance
    s[IS_MAJOR + side] = 1.0 if significance >= p[MAJOR_THRESHOLD] else 0.0
    s[LEVEL + side], s[IDX + side] = level, idx
    s[VERSION] += 1.0
    s[SIDE_VERSION + side] += 1.0
    s[ACCEPTED + side] = 1.0
    pending = s[LAST_TYPE]
    if pending == side + 1:
        s[REPLACED + side] = 1.0
    elif pending != 0.0:
        high, high_idx, low, low_idx = s[LEVEL], s[IDX], s[LEVEL + 1], s[IDX + 1]
        s[PAIR_LEVEL], s[PAIR_LEVEL + 1], s[PAIR_IDX], s[PAIR_IDX + 1] = high, low, high_idx, low_idx
        s[PAIR_VERSION] += 1.0
        s[PAIR_DIRECTION] = BULLISH if side == HIGH else BEARISH
        s[PAIR_HASH] = anchor_hash(high, high_idx, low, low_idx, 1 if side == HIGH else -1)
    s[LAST_IDX], s[LAST_TYPE] = idx, side + 1.0


def _complaint(p):
    if p["mode"] == "fractal" and (p["left"] is None or p["right"] is None):
        return "mode fractal needs the parameters 'left' and 'right'"
    return None


def _reach(p):
    return (p["left"] or 0) + (p["right"] or 0) if p["mode"] == "fractal" else 0


@structure(
    "swing",
    summary="Swing highs and lows, confirmed some bars later, and the pairs they form",
    inputs=("high", "low", "atr?"),
    params=(
        Param("mode", str, "fractal", choices=("fractal", "atr_zigzag"), meaning="how pivots are found"),
        Param("left", int, optional=True, low=1, high=MAX_LENGTH, meaning="lower bars before a high (fractal)"),
        Param("right", int, optional=True, low=1, high=MAX_LENGTH, meaning="lower bars after it (fractal)"),
        Param("atr_multiplier", float, 2.0, low=0.0, above=True, meaning="turn in ATR that confirms (zigzag)"),
        Param("major_threshold", float, 1.5, low=0.0, meaning="significance from which a pivot is major"),
        Param("min_atr_move", float, optional=True, low=0.0, meaning="smallest distance to the one before in ATR"),
        Param("min_pct_move", float, optional=True, low=0.0, meaning="the same in percent of the one before"),
        Param("strict_alternation", bool, False, meaning="refuse a second high in a row unless it is higher"),
    ),
    outputs=OUTPUTS,
    state=lambda _: STATE_SIZE,
    lookback=_reach,
    first=lambda _: dict.fromkeys(ALWAYS, 1),
    warmup=lambda p: _reach(p) + 1,
    formula="fractal: bar t - right whose high is strictly above those of `left` bars before and `right` after; "
    "zigzag: an extreme that price leaves by atr_multiplier * ATR; an opposite pivot completes a pair",
    source="plays.md 4.1",
    check=_complaint,
)
def swing(p, s, x, r, start, stop):
    """State: the outputs, bars so far, and the zigzag's leg."""
    highs, lows, atrs = x[r[0]], x[r[1]], x[r[2]]
    rows = r[INPUTS:]
    fractal = p[MODE] == FRACTAL
    left, right = (int(p[LEFT]), int(p[RIGHT])) if fractal else (0, 0)
    if s[SEEN] == 0.0:
        clear_outputs(s)
    seen, leg, extreme, extreme_idx = s[SEEN], s[LEG], s[EXTREME], s[EXTREME_IDX]
    written = start
    for i in range(start, stop):
        idx = seen
        seen += 1.0
        high, low = math.nan, math.nan
        anchor = idx
        if fractal:
            anchor = idx - right
            if anchor < left:
                continue
            if is_fractal(highs, 1.0, i - right, left, right):
                high = highs[i - right]
            if is_fractal(lows, -1.0, i - right, left, right):
                low = lows[i - right]
        elif leg == 0.0:
            if atrs[i] > 0.0:
                leg, extreme, extreme_idx = UP, highs[i], idx
        elif leg == UP:
            if highs[i] > extreme:
                extreme, extreme_idx = highs[i], idx
            elif atrs[i] > 0.0 and lows[i] < extreme - p[ATR_MULTIPLIER] * atrs[i]:
                high, anchor = extreme, extreme_idx
                leg, extreme, extreme_idx = DOWN, lows[i], idx
        elif lows[i] < extreme:
            extreme, extreme_idx = lows[i], idx
        elif atrs[i] > 0.0 and highs[i] > extreme + p[ATR_MULTIPLIER] * atrs[i]:
            low, anchor = extreme, extreme_idx
            leg, extreme, extreme_idx = UP, highs[i], idx
        if math.isnan(high) and math.isnan(low):
            continue
        hold(s, x, rows, written, i)
        atr = atrs[i] if atrs[i] > 0.0 else math.nan
        if not math.isnan(high) and passes(p, s, HIGH, high, atr):
            accept(p, s, HIGH, high, anchor, atr)
        if not math.isnan(low) and passes(p, s, LOW, low, atr):
            accept(p, s, LOW, low, anchor, atr)
        hold(s, x, rows, i, i + 1)
        written = i + 1
        for place in range(ACCEPTED, REPLACED + 2):
            s[place] = 0.0
    hold(s, x, rows, written, stop)
    s[SEEN], s[LEG], s[EXTREME], s[EXTREME_IDX] = seen, leg, extreme, extreme_idx
