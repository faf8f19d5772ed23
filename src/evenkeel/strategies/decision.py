"""How a strategy's kernel speaks: the slots of its state through which position comes in and a wish goes out.

A decide kernel has the signature of a node. Before the call the caller writes what the strategy may know of its own
position into the first slots; after it the caller reads the wish from the rest. Both lanes call the same kernel, the
research lane from inside its compiled loop, the engine from the core.
"""

from __future__ import annotations

from enum import IntEnum


class Slot(IntEnum):
    """Places in the state of a decide kernel.

    POSITION, ENTRY_PRICE, BARS_HELD and SINCE_ENTRY come in; the rest goes out. Distances and prices are NaN when there
    is none. FRACTION is how much of the position an exit closes; SINCE_ENTRY counts execution bars since the last entry
    order was placed, a number beyond all bars where there was none. TRIGGER sets off a stop-limit entry, whose limit is
    PRICE.
    """

    POSITION = 0
    ENTRY_PRICE = 1
    BARS_HELD = 2
    ACTION = 3
    DIRECTION = 4
    KIND = 5
    PRICE = 6
    STOP_DISTANCE = 7
    TARGET_DISTANCE = 8
    SIGNAL = 9
    REASON = 10
    TRAIL_DISTANCE = 11
    FRACTION = 12
    SINCE_ENTRY = 13
    TRIGGER = 14


SLOTS = len(Slot)


class Action(IntEnum):
    """What a strategy wishes at a decision."""

    NONE = 0
    ENTER = 1
    EXIT = 2


class EntryKind(IntEnum):
    """How an entry wants to be filled."""

    NONE = 0
    MARKET = 1
    LIMIT = 2
    STOP = 3
    STOP_LIMIT = 5
