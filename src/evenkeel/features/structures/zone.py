"""A demand or supply zone at the newest swing, one width of ATR deep."""

from __future__ import annotations

import math

from evenkeel.features.node import Output, OutputType, Param, structure
from evenkeel.features.structures._held import hold

# Places of the outputs in the state, in row order.
STATE, UPPER, LOWER, ANCHOR_IDX, VERSION = range(5)
# Behind them: whether a bar was seen; level (missing: none) and bar of a swing that waits for an ATR.
SEEN, WAITING, WAITING_IDX = 5, 6, 7
STATE_SIZE = 8

ZONE_TYPE, WIDTH_ATR = 0, 1
DEMAND = 0.0
ACTIVE, BROKEN = 1.0, 2.0
INPUTS = 8

OUTPUTS = (
    Output("state", OutputType.ENUM, ("none", "active", "broken"), "what became of the zone"),
    Output("upper", meaning="upper bound"),
    Output("lower", meaning="lower bound"),
    Output("anchor_idx", OutputType.INT, meaning="bar of the swing, counted from 0; -1 = none", low=-1),
    Output("version", OutputType.INT, meaning="zones created and broken so far", low=0),
)


@structure(
    "zone",
    summary="Demand zone below the newest swing low, or supply zone above the newest swing high",
    inputs=(
        "close", "atr", "swing.low_accepted", "swing.high_accepted", "swing.low_level", "swing.high_level",
        "swing.low_idx", "swing.high_idx",
    ),
    params=(
        Param("zone_type", str, choices=("demand", "supply"), meaning="below swing lows or above swing highs"),
        Param("width_atr", float, low=0.0, above=True, meaning="depth in ATR of the bar that creates it"),
    ),
    outputs=OUTPUTS,
    state=lambda _: STATE_SIZE,
    lookback=lambda _: 0,
    first=lambda _: {"state": 1, "anchor_idx": 1, "version": 1},
    # The bars of the swing it reads come under the names `swing.left` and `swing.right`; a zigzag has none.
    warmup=lambda p: (p.get("swing.left") or 0) + (p.get("swing.right") or 0) + 1,
    formula="demand: from the swing low down by width_atr * ATR, broken by a close below; supply: from the swing high "
    "up, broken by a close above; tested from the bar after its creation; a newer swing replaces it",
    source="plays.md 4.2",
    uses=("swing",),
)  # fmt: skip
def zone(p, s, x, r, start, stop):
    """State: the outputs, and the swing that waits for an ATR."""
    is_demand = p[ZONE_TYPE] == DEMAND
    side = 0 if is_demand else 1
    closes, atrs = x[r[0]], x[r[1]]
    accepted, levels, idxs = x[r[2 + side]], x[r[4 + side]], x[r[6 + side]]
    rows = r[INPUTS:]
    if s[SEEN] == 0.0:
        s[UPPER] = s[LOWER] = s[WAITING] = math.nan
        s[ANCHOR_IDX] = -1.0
        s[SEEN] = 1.0
    written = start
    for i in range(start, stop):
        if accepted[i] > 0.0:
            s[WAITING], s[WAITING_IDX] = levels[i], idxs[i]
        if not math.isnan(s[WAITING]) and atrs[i] > 0.0:
            hold(s, x, rows, written, i)
            written = i
            depth = p[WIDTH_ATR] * atrs[i]
            s[LOWER] = s[WAITING] - depth if is_demand else s[WAITING]
            s[UPPER] = s[WAITING] if is_demand else s[WAITING] + depth
            s[STATE], s[ANCHOR_IDX], s[WAITING] = ACTIVE, s[WAITING_IDX], math.nan
            s[VERSION] += 1.0
        elif s[STATE] == ACTIVE and (closes[i] < s[LOWER] if is_demand else closes[i] > s[UPPER]):
            hold(s, x, rows, written, i)
            written = i
            s[STATE] = BROKEN
            s[VERSION] += 1.0
    hold(s, x, rows, written, stop)
