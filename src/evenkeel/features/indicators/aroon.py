"""Aroon."""

from __future__ import annotations

import math

from evenkeel.features.indicators._window import bars_since_highest, next_place
from evenkeel.features.node import MAX_LENGTH, Output, Param, indicator

FIXED = 6
"""Numbers of state before the arrays."""


@indicator(
    "aroon",
    summary="Aroon: how long ago the extremes were",
    inputs=("high", "low"),
    params=(Param("length", int, 25, low=1, high=MAX_LENGTH, meaning="how many bars back the window reaches"),),
    outputs=(
        Output("up", meaning="100 at a new high, 0 when the highest high is n bars old", low=0, high=100),
        Output("down", meaning="100 at a new low, 0 when the lowest low is n bars old", low=0, high=100),
        Output("osc", meaning="up less down", low=-100, high=100),
    ),
    primary="osc",
    state=lambda p: FIXED + 4 * (p["length"] + 1),
    lookback=lambda _: 0,
    first=lambda p: dict.fromkeys(("up", "down", "osc"), p["length"] + 1),
    warmup=lambda p: p["length"] + 1,
    formula="100 * (n - bars since the extreme) / n over n + 1 bars, of equal extremes the newest; osc = up - down",
    source="plays.md 3.3; equals TA-Lib AROON and AROONOSC",
)
def aroon(p, s, x, r, start, stop):
    """The lowest low is the highest of the negated lows.

    State: bars since the last missing input, place, extreme and its slot of each chunk, ends and their slots.
    """
    highs, lows, ups, downs, oscs = x[r[0]], x[r[1]], x[r[2]], x[r[3]], x[r[4]]
    n = int(p[0])
    m = n + 1
    high_ends, high_slots = s[FIXED : FIXED + m], s[FIXED + m : FIXED + 2 * m]
    low_ends, low_slots = s[FIXED + 2 * m : FIXED + 3 * m], s[FIXED + 3 * m : FIXED + 4 * m]
    seen, place, most, high_slot, least, low_slot = int(s[0]), int(s[1]), s[2], s[3], s[4], s[5]
    for i in range(start, stop):
        high, low = highs[i], lows[i]
        if math.isnan(high + low):
            seen, place = 0, 0
            ups[i] = downs[i] = oscs[i] = math.nan
            continue
        seen += 1
        most, high_slot, since_high = bars_since_highest(high_ends, high_slots, place, most, high_slot, high)
        least, low_slot, since_low = bars_since_highest(low_ends, low_slots, place, least, low_slot, -low)
        place = next_place(place, m)
        if seen < m:
            ups[i] = downs[i] = oscs[i] = math.nan
            continue
        up, down = 100.0 * (n - since_high) / n, 100.0 * (n - since_low) / n
        ups[i], downs[i], oscs[i] = up, down, up - down
    s[0], s[1], s[2], s[3], s[4], s[5] = seen, place, most, high_slot, least, low_slot
