"""Trend as told by the waves between swing pivots."""

from __future__ import annotations

import math

from evenkeel.features.node import Output, OutputType, Param, structure
from evenkeel.features.structures._held import hold
from evenkeel.kernel import inlined

UP, DOWN = 0, 1
"""Kinds of wave: a bullish one ends in a high, a bearish one in a low."""

# Places of the outputs in the state, in row order.
DIRECTION, STRENGTH, BARS_IN_TREND, WAVE_COUNT, VERSION, LAST_WAVE, LAST_HH, LAST_HL, LAST_LH, LAST_LL = range(10)
# Behind them: whether a bar was seen; pending pivot (0 none, else its wave kind + 1) and its level; end of the last
# wave of each kind and of the one before it.
SEEN, PENDING, LEVEL, END, END_BEFORE = 10, 11, 12, 13, 15
STATE_SIZE = 17

INPUTS = 4

OUTPUTS = (
    Output("direction", OutputType.INT, meaning="+1 rising, -1 falling, 0 neither", low=-1, high=1),
    Output(
        "strength",
        OutputType.INT,
        meaning="0 one wave or no verdict, 1 new, 2 confirmed by the wave before",
        low=0,
        high=2,
    ),
    Output("bars_in_trend", OutputType.INT, meaning="bars since the direction last changed", low=0),
    Output("wave_count", OutputType.INT, meaning="waves completed so far", low=0),
    Output("version", OutputType.INT, meaning="pivots so far that were not ignored", low=0),
    Output("last_wave_direction", OutputType.ENUM, ("none", "bullish", "bearish"), "newest wave"),
    Output("last_hh", OutputType.BOOL, meaning="the last bullish wave ended above the one before"),
    Output("last_hl", OutputType.BOOL, meaning="the last bearish wave ended above the one before"),
    Output("last_lh", OutputType.BOOL, meaning="the last bullish wave ended below the one before"),
    Output("last_ll", OutputType.BOOL, meaning="the last bearish wave ended below the one before"),
)


@inlined
def compare_ends(s, kind):
    """Set the flags of the last wave of a kind from its end and that of the one before; a missing end sets none."""
    higher = 1.0 if s[END + kind] > s[END_BEFORE + kind] else 0.0
    lower = 1.0 if s[END + kind] < s[END_BEFORE + kind] else 0.0
    if kind == UP:
        s[LAST_HH], s[LAST_LH] = higher, lower
    else:
        s[LAST_HL], s[LAST_LL] = higher, lower


@inlined
def verdict(hh, hl, lh, ll):
    """Return +1, -1 or 0 from the flags of the last bullish (HH, LH) and the last bearish (HL, LL) wave."""
    up, down = hh + hl, lh + ll
    if up == 2.0 or (up == 1.0 and down == 0.0):
        return 1.0
    if down == 2.0 or (down == 1.0 and up == 0.0):
        return -1.0
    return 0.0


@inlined
def classify(s, kind):
    """Judge the direction after a wave of this kind was completed."""
    if s[WAVE_COUNT] == 1.0:
        s[DIRECTION], s[STRENGTH] = 1.0 if kind == UP else -1.0, 0.0
        return
    now = verdict(s[LAST_HH], s[LAST_HL], s[LAST_LH], s[LAST_LL])
    if now == 0.0:
        s[STRENGTH] = 0.0
    else:
        # The direction is the verdict of the wave before; that of a lone wave is followed by a verdict of 0.
        s[STRENGTH] = 2.0 if now == s[DIRECTION] else 1.0
    s[DIRECTION] = now


@inlined
def take_pivot(s, kind, level):
    """Take a pivot at which a wave of this kind can end."""
    pending = s[PENDING]
    if pending == kind + 1.0:
        further = level > s[LEVEL] if kind == UP else level < s[LEVEL]
        if not further:
            return
        if s[WAVE_COUNT] > 0.0:
            s[END + kind] = level
            compare_ends(s, kind)
    elif pending != 0.0:
        s[END_BEFORE + kind], s[END + kind] = s[END + kind], level
        s[WAVE_COUNT] += 1.0
        s[LAST_WAVE] = kind + 1.0
        compare_ends(s, kind)
        classify(s, kind)
    s[PENDING], s[LEVEL] = kind + 1.0, level
    s[VERSION] += 1.0


@inlined
def grow_older(bars, age, start, stop):
    """Write the age of the trend over the columns `start <= i < stop`, one more a bar; return the last."""
    for i in range(start, stop):
        age += 1.0
        bars[i] = age
    return age


@structure(
    "trend",
    summary="Direction told by higher or lower ends of the waves between swing pivots",
    inputs=("swing.high_accepted", "swing.low_accepted", "swing.high_level", "swing.low_level"),
    params=(
        Param("wave_history_size", int, 4, low=3, high=1000, meaning="accepted for compatibility; no effect"),
    ),
    outputs=OUTPUTS,
    state=lambda _: STATE_SIZE,
    lookback=lambda _: 0,
    first=lambda _: dict.fromkeys((output.name for output in OUTPUTS), 1),
    # The bars of the swing it reads come under the names `swing.left` and `swing.right`; a zigzag has none.
    warmup=lambda p: max(1, 5 * ((p.get("swing.left") or 0) + (p.get("swing.right") or 0))),
    formula="opposite pivots form waves; ends compared with the last of their kind give HH, LH, HL, LL; "
    "HH and HL: +1, LH and LL: -1, a lone one decides where its opposite does not object, else 0",
    source="plays.md 4.3",
    uses=("swing",),
)  # fmt: skip
def trend(p, s, x, r, start, stop):
    """State: the outputs, the pending pivot and the ends of waves."""
    highs_accepted, lows_accepted, high_levels, low_levels = x[r[0]], x[r[1]], x[r[2]], x[r[3]]
    rows = r[INPUTS:]
    bars = x[r[INPUTS + BARS_IN_TREND]]
    if s[SEEN] == 0.0:
        s[END] = s[END + 1] = s[END_BEFORE] = s[END_BEFORE + 1] = math.nan
        s[BARS_IN_TREND] = -1.0
        s[SEEN] = 1.0
    age = s[BARS_IN_TREND]
    written = start
    for i in range(start, stop):
        if not (highs_accepted[i] > 0.0 or lows_accepted[i] > 0.0):
            continue
        hold(s, x, rows, written, i)
        age = grow_older(bars, age, written, i)
        written = i
        before = s[DIRECTION]
        if highs_accepted[i] > 0.0:
            take_pivot(s, UP, high_levels[i])
        if lows_accepted[i] > 0.0:
            take_pivot(s, DOWN, low_levels[i])
        if s[DIRECTION] != before:
            age = -1.0
    hold(s, x, rows, written, stop)
    s[BARS_IN_TREND] = grow_older(bars, age, written, stop)
