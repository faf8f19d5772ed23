"""Bars of trades, by the one kernel that makes every other bar.

A trade goes into it as a bar that opens, peaks, bottoms and closes at its price. Where a file of trades begins and ends
cannot be seen in them: the first interval may have had trades before the first one stored, the last may have more to
come. Both are left out (ruling 17) unless a person says that the trades are whole.

    minutes = bars_of_trades(series, Timeframe.parse("1m"), calendar)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from evenkeel.data.aggregate import SIGNATURE, WHOLE, aggregate_block, new_state
from evenkeel.data.calendar import Calendar
from evenkeel.data.side import SideSeries
from evenkeel.kernel import compiled
from evenkeel.model.bar import Bars, Floats, Ints
from evenkeel.model.time import TICK, Timeframe

SLICE_ROWS = 1 << 20
"""Trades taken at once: a file larger than memory passes through in such parts."""


def bars_of_trades(trades: SideSeries, timeframe: Timeframe, calendar: Calendar, *, whole: bool = False) -> Bars:
    """Return the bars of a timeframe that trades make; intervals without a trade have none.

    A trade without a size moves prices and no volume. Trades outside every session belong to no bar.

    Args:
        trades: In the order in which they happened.
        timeframe: Of the bars.
        calendar: The instrument's.
        whole: Whether the first and the last interval are known to be complete.
    """
    place, partial = new_state()
    parts: list[list[Any]] = []
    for start in range(0, len(trades), SLICE_ROWS):
        part = slice(start, start + SLICE_ROWS)
        price, size = trades.columns["price"][part], trades.columns["size"][part]
        parts.append(_pass(place, partial, trades.stamps_ns[part], price, size, (timeframe, calendar, whole)))
    if whole and place[0] == WHOLE:
        parts.append([*(np.array([value]) for value in place[1:3]), *(np.array([value]) for value in partial)])
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Bars(timeframe, *columns)


def tick_bars(trades: SideSeries, calendar: Calendar) -> Bars:
    """Return trades as base bars that last a nanosecond each; what traded at one instant is one bar.

    Trades outside every session take no part, as bars there do not.
    """
    inside = calendar.session_of(trades.stamps_ns) >= 0
    stamps, price, size = trades.stamps_ns[inside], trades.columns["price"][inside], trades.columns["size"][inside]
    first = np.flatnonzero(np.diff(stamps, prepend=-1)) if len(stamps) else np.zeros(0, dtype=np.int64)
    last = np.append(first[1:], len(stamps)) - 1 if len(first) else first
    if not len(first):
        return Bars(TICK, stamps, stamps, *(price for _ in range(5)))
    return Bars(
        TICK, stamps[first], stamps[first] + 1, price[first], np.maximum.reduceat(price, first),
        np.minimum.reduceat(price, first), price[last], np.add.reduceat(np.nan_to_num(size), first),
    )  # fmt: skip


def _pass(
    place: Ints, partial: Floats, stamps: Ints, price: Floats, size: Floats, into: tuple[Timeframe, Calendar, bool]
) -> list[Any]:
    """Pass some trades through the kernel and return the columns of the bars that they complete."""
    timeframe, calendar, whole = into
    opens, closes = calendar.bucket_of(stamps, timeframe)
    begun = stamps
    if whole and place[5] == 0:
        begun = stamps.copy()
        first = int(np.argmax(opens >= 0))
        begun[first] = max(opens[first], 0)
    count = len(stamps)
    times: list[Ints] = [np.empty(count, dtype=np.int64) for _ in range(4)]
    values: list[Floats] = [np.empty(count, dtype=np.float64) for _ in range(5)]
    run: Any = compiled(aggregate_block, SIGNATURE)
    written = run(
        place, partial, opens, closes, begun, price, price, price, price, size, *times, *values, 0, count
    )  # fmt: skip
    return [column[:written].copy() for column in (*times[:2], *values)]
