"""Breaks of structure and changes of character: closes, or wicks, beyond swing levels."""

from __future__ import annotations

import math

from evenkeel.features.node import Output, OutputType, Param, structure
from evenkeel.features.structures._held import hold

# Places of the outputs in the state, in row order.
BIAS, BOS_THIS_BAR, CHOCH_THIS_BAR, BOS_DIRECTION, CHOCH_DIRECTION, LAST_BOS_IDX, LAST_CHOCH_IDX, VERSION = range(8)
LAST_BOS_LEVEL, LAST_CHOCH_LEVEL, ARMED_HIGH, ARMED_LOW = 8, 9, 10, 11
# Behind them: bars so far, and the level beyond which the character changes (missing: none).
SEEN, ANCHOR = 12, 13
STATE_SIZE = 14

CONFIRMATION_CLOSE, REARM_AFTER_CHOCH = 0, 1
UP, DOWN = 1.0, -1.0
NOTHING, BOS, CHOCH = 0, 1, 2
BULLISH, BEARISH = 1.0, 2.0
WAYS = ("none", "bullish", "bearish")
INPUTS = 7

OUTPUTS = (
    Output(
        "bias", OutputType.INT, meaning="+1 after a bullish event, -1 after a bearish one, 0 before any", low=-1, high=1
    ),
    Output("bos_this_bar", OutputType.BOOL, meaning="a break of structure happened on this bar"),
    Output("choch_this_bar", OutputType.BOOL, meaning="a change of character happened on this bar"),
    Output("bos_direction", OutputType.ENUM, WAYS, "way of the last break of structure"),
    Output("choch_direction", OutputType.ENUM, WAYS, "way of the last change of character"),
    Output("last_bos_idx", OutputType.INT, meaning="bar of the last break, counted from 0; -1 = none", low=-1),
    Output("last_choch_idx", OutputType.INT, meaning="bar of the last change, counted from 0; -1 = none", low=-1),
    Output("version", OutputType.INT, meaning="bars so far with an event or a new armed level", low=0),
    Output("last_bos_level", meaning="level that the last break of structure broke"),
    Output("last_choch_level", meaning="level that the last change of character broke"),
    Output("break_level_high", meaning="armed high: the newest swing high that is not broken"),
    Output("break_level_low", meaning="armed low: the newest swing low that is not broken"),
)

FLOATS = ("last_bos_level", "last_choch_level", "break_level_high", "break_level_low")


@structure(
    "market_structure",
    summary="Breaks of swing levels with the bias (BOS) and against it (CHoCH)",
    inputs=(
        "high", "low", "close", "swing.high_accepted", "swing.low_accepted", "swing.high_level", "swing.low_level",
    ),
    params=(
        Param("confirmation_close", bool, True, meaning="a break needs a close beyond the level, else a wick"),
        Param("rearm_after_choch", bool, True, meaning="a reversal can be followed by one without a BOS between"),
    ),
    outputs=OUTPUTS,
    state=lambda _: STATE_SIZE,
    lookback=lambda _: 0,
    first=lambda _: {output.name: 1 for output in OUTPUTS if output.type is not OutputType.FLOAT},
    # The bars of the swing it reads come under the names `swing.left` and `swing.right`; a zigzag has none.
    warmup=lambda p: max(1, 3 * ((p.get("swing.left") or 0) + (p.get("swing.right") or 0))),
    formula="each swing arms its level; BOS: price beyond the armed level of the bias (or, without bias, of either "
    "side); CHoCH: price beyond the anchor, the swing behind the last event; CHoCH is tested first",
    source="plays.md 4.7",
    uses=("swing",),
)  # fmt: skip
def market_structure(p, s, x, r, start, stop):
    """State: the outputs, bars so far, and the anchor."""
    highs, lows, closes = x[r[0]], x[r[1]], x[r[2]]
    high_accepted, low_accepted, high_levels, low_levels = x[r[3]], x[r[4]], x[r[5]], x[r[6]]
    rows = r[INPUTS:]
    by_close, rearms = p[CONFIRMATION_CLOSE] != 0.0, p[REARM_AFTER_CHOCH] != 0.0
    if s[SEEN] == 0.0:
        s[LAST_BOS_IDX] = s[LAST_CHOCH_IDX] = -1.0
        s[LAST_BOS_LEVEL] = s[LAST_CHOCH_LEVEL] = s[ARMED_HIGH] = s[ARMED_LOW] = s[ANCHOR] = math.nan
    bias, anchor, armed_high, armed_low = s[BIAS], s[ANCHOR], s[ARMED_HIGH], s[ARMED_LOW]
    first_idx = s[SEEN] - start
    written = start
    for i in range(start, stop):
        armed = False
        if high_accepted[i] > 0.0 and high_levels[i] != armed_high:
            armed_high, armed = high_levels[i], True
        if low_accepted[i] > 0.0 and low_levels[i] != armed_low:
            armed_low, armed = low_levels[i], True
        up = closes[i] if by_close else highs[i]
        down = closes[i] if by_close else lows[i]
        # Comparisons with a level that does not exist are false.
        event, way = NOTHING, 0.0
        if bias == DOWN and up > anchor:
            event, way = CHOCH, UP
        elif bias == UP and down < anchor:
            event, way = CHOCH, DOWN
        elif bias != DOWN and up > armed_high:
            event, way = BOS, UP
        elif bias != UP and down < armed_low:
            event, way = BOS, DOWN
        if event == NOTHING and not armed:
            continue
        hold(s, x, rows, written, i)
        if event == BOS:
            s[BOS_THIS_BAR], s[LAST_BOS_IDX] = 1.0, first_idx + i
            s[BOS_DIRECTION] = BULLISH if way == UP else BEARISH
            s[LAST_BOS_LEVEL] = armed_high if way == UP else armed_low
        elif event == CHOCH:
            s[CHOCH_THIS_BAR], s[LAST_CHOCH_IDX] = 1.0, first_idx + i
            s[CHOCH_DIRECTION] = BULLISH if way == UP else BEARISH
            s[LAST_CHOCH_LEVEL] = anchor
        if event != NOTHING:
            bias = way
            anchor = low_levels[i] if way == UP else high_levels[i]
            if event == CHOCH and not rearms:
                anchor = math.nan
            if way == UP and up > armed_high:
                armed_high = math.nan
            elif way == DOWN and down < armed_low:
                armed_low = math.nan
        s[BIAS], s[ARMED_HIGH], s[ARMED_LOW] = bias, armed_high, armed_low
        s[VERSION] += 1.0
        hold(s, x, rows, i, i + 1)
        written = i + 1
        s[BOS_THIS_BAR] = s[CHOCH_THIS_BAR] = 0.0
    hold(s, x, rows, written, stop)
    s[ANCHOR], s[SEEN] = anchor, first_idx + stop
