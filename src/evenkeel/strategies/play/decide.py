"""The decision of every play as one kernel: walk what was emitted, in order, and take the first that can be acted on.

An entry needs a flat account; an exit needs a position of its side. Long and short entries wished at the same instant
cancel out. Which blocks emit, and how far stop and target lie, are rows of the graph: they know the market only.
"""

from __future__ import annotations

import math
from enum import IntEnum

from evenkeel.features.node import condition
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.reason import Reason, reason_number
from evenkeel.strategies.decision import Action, EntryKind, Slot


class Wish(IntEnum):
    """What a case can emit."""

    ENTRY_LONG = 1
    ENTRY_SHORT = 2
    EXIT_LONG = 3
    EXIT_SHORT = 4
    EXIT_ALL = 5


class PlayParam(IntEnum):
    """Places in the parameters of the kernel; the wishes follow, each with the fraction that an exit closes.

    ONE_A_BAR is 1 where the row of ages tells how many decisions ago an execution bar began that takes one entry only.
    """

    KIND = 0
    LIMIT_OFFSET = 1
    HAS_STOP = 2
    HAS_TARGET = 3
    HAS_TRAIL = 4
    ONE_A_BAR = 5
    WISHES = 6


class PlayRow(IntEnum):
    """Places in the rows of the kernel; the rows of the wishes follow."""

    CLOSE = 0
    STOP_LONG = 1
    STOP_SHORT = 2
    TARGET_LONG = 3
    TARGET_SHORT = 4
    TRAIL = 5
    AGE = 6
    WISHES = 7


_KIND, _OFFSET, _HAS_STOP, _HAS_TARGET, _HAS_TRAIL, _ONE_A_BAR, _FIRST = (int(place) for place in PlayParam)
_CLOSE, _STOP_LONG, _STOP_SHORT, _TARGET_LONG, _TARGET_SHORT, _TRAIL, _AGE, _FIRST_ROW = (
    int(place) for place in PlayRow
)
_ENTRY_LONG, _ENTRY_SHORT, _EXIT_LONG, _EXIT_SHORT, _EXIT_ALL = (int(wish) for wish in Wish)
_POSITION, _ACTION, _DIRECTION, _KIND_SLOT = int(Slot.POSITION), int(Slot.ACTION), int(Slot.DIRECTION), int(Slot.KIND)
_PRICE, _STOP, _TARGET = int(Slot.PRICE), int(Slot.STOP_DISTANCE), int(Slot.TARGET_DISTANCE)
_SIGNAL, _REASON, _TRAIL_SLOT = int(Slot.SIGNAL), int(Slot.REASON), int(Slot.TRAIL_DISTANCE)
_FRACTION, _SINCE = int(Slot.FRACTION), int(Slot.SINCE_ENTRY)
_NONE, _ENTER, _EXIT = int(Action.NONE), int(Action.ENTER), int(Action.EXIT)
_LIMIT = int(EntryKind.LIMIT)
_OK = reason_number(Reason.OK)
_CONFLICT = reason_number(Reason.CONFLICT)
_MISSING = reason_number(Reason.RISK_INPUT_MISSING)


@condition("play_decide", inputs=(), formula="the first wish that can be acted on")
def play_decide(p: Floats, s: Floats, x: Floats, r: Ints, start: int, stop: int) -> None:
    """Decide at column `start`; see `evenkeel.strategies.decision.Slot` for what goes in and out of `s`."""
    s[_ACTION], s[_SIGNAL], s[_REASON] = _NONE, -1.0, _OK
    position = s[_POSITION]
    wishes = len(r) - _FIRST_ROW
    if position != 0.0:
        for k in range(wishes):
            wish = p[_FIRST + 2 * k]
            own_side = wish == _EXIT_ALL or wish == (_EXIT_LONG if position > 0.0 else _EXIT_SHORT)
            if own_side and x[r[_FIRST_ROW + k], start] == 1.0:
                s[_ACTION], s[_SIGNAL], s[_FRACTION] = _EXIT, k, p[_FIRST + 2 * k + 1]
                return
        return
    if p[_ONE_A_BAR] == 1.0 and s[_SINCE] <= x[r[_AGE], start]:
        return
    first_long, first_short = -1, -1
    for k in range(wishes):
        if x[r[_FIRST_ROW + k], start] == 1.0:
            if p[_FIRST + 2 * k] == _ENTRY_LONG and first_long < 0:
                first_long = k
            elif p[_FIRST + 2 * k] == _ENTRY_SHORT and first_short < 0:
                first_short = k
    if first_long >= 0 and first_short >= 0:
        s[_REASON] = _CONFLICT
        return
    if first_long < 0 and first_short < 0:
        return
    is_long = first_long >= 0
    close = x[r[_CLOSE], start]
    stop_distance = x[r[_STOP_LONG if is_long else _STOP_SHORT], start]
    target_distance = x[r[_TARGET_LONG if is_long else _TARGET_SHORT], start]
    trail = x[r[_TRAIL], start]
    lacks_target = p[_HAS_TARGET] == 1.0 and not target_distance > 0.0
    if (p[_HAS_STOP] == 1.0 and not stop_distance > 0.0) or lacks_target or (p[_HAS_TRAIL] == 1.0 and not trail > 0.0):
        s[_REASON] = _MISSING
        return
    s[_ACTION], s[_DIRECTION], s[_KIND_SLOT] = _ENTER, 1.0 if is_long else -1.0, p[_KIND]
    s[_PRICE] = close * (1.0 - s[_DIRECTION] * p[_OFFSET]) if p[_KIND] == _LIMIT else math.nan
    s[_STOP] = stop_distance if p[_HAS_STOP] == 1.0 else math.nan
    s[_TARGET] = target_distance if p[_HAS_TARGET] == 1.0 else math.nan
    s[_TRAIL_SLOT] = trail if p[_HAS_TRAIL] == 1.0 else math.nan
    s[_SIGNAL] = first_long if is_long else first_short
