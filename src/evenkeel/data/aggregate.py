"""Higher bars from base bars: the one place where bars are aggregated, in a backtest and live.

The kernel walks base bars in order and holds the bar in progress in two flat arrays, so any split of the base bars
gives the same higher bars: a block of thousands in a backtest, a block of one live. Which higher bar a base bar
belongs to is the calendar's answer, never a count of minutes.

A higher bar exists once it is complete: a later base bar lies behind its end, or the newest base bar reaches it. The
first is dropped unless a base bar opens it, because what came before was not seen. Base bars outside every session
belong to no higher bar.

    hours = aggregate(minutes, Timeframe.parse("1h"), load_calendar("NYSE"))
    hours.bars.close[-1] == minutes.close[hours.last[-1]]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types

from evenkeel.data.calendar import Calendar
from evenkeel.kernel import FLOATS, FLOATS_IN, INTS, INTS_IN, compiled, kernel
from evenkeel.model.bar import Bars, Floats, Ints
from evenkeel.model.errors import DataError, UsageError
from evenkeel.model.time import TICK, TIMEFRAMES, Timeframe, format_time

NOTHING, WHOLE, HEADLESS = 0, 1, 2
"""What is in progress: no bar, one that was seen from its open, or one that was not and will be dropped."""

STATE_INTS = 6
"""What is in progress, its open and close, its first and its last base row, base rows seen since the start."""

STATE_FLOATS = 5
"""Open, high, low, close and volume of the bar in progress."""

SLICE_ROWS = 1 << 17
"""Base bars taken at once: what is needed beside them stays in the cache of the processor."""

SIGNATURE = types.int64(
    INTS, FLOATS, INTS_IN, INTS_IN, INTS_IN, FLOATS_IN, FLOATS_IN, FLOATS_IN, FLOATS_IN, FLOATS_IN,
    INTS, INTS, INTS, INTS, FLOATS, FLOATS, FLOATS, FLOATS, FLOATS, types.int64, types.int64,
)  # fmt: skip
"""Types of `aggregate_block`, for `compiled`."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Higher bars and where they came from.

    Attributes:
        bars: The complete higher bars.
        first: Row of the first base bar of each.
        last: Row of the last base bar of each.
    """

    bars: Bars
    first: Ints
    last: Ints


@kernel
def aggregate_block(
    place: Ints, partial: Floats, bucket_open: Ints, bucket_close: Ints, base_open_ns: Ints,
    base_open: Floats, base_high: Floats, base_low: Floats, base_close: Floats, base_volume: Floats,
    out_open_ns: Ints, out_close_ns: Ints, out_first: Ints, out_last: Ints,
    out_open: Floats, out_high: Floats, out_low: Floats, out_close: Floats, out_volume: Floats,
    start: int, stop: int,
) -> int:  # fmt: skip
    """Take the base bars `start <= i < stop` into the bar in progress and write out each bar that they complete.

    Args:
        place: State of `STATE_INTS` integers, all zero at the start.
        partial: State of `STATE_FLOATS` numbers, all zero at the start.
        bucket_open: When the higher bar of each base bar opens, nanoseconds; -1 outside every session.
        bucket_close: When it closes.
        base_open_ns: When each base bar opens. The other `base_` columns are its values.
        out_open_ns: The `out_` columns receive the completed bars from row 0 on; their length is at least
            `stop - start`.

    Returns:
        How many bars were written.
    """
    written = 0
    for i in range(start, stop):
        bucket = bucket_open[i]
        left = bucket != place[1] if bucket >= 0 else base_open_ns[i] >= place[2]
        if place[0] != NOTHING and left:
            if place[0] == WHOLE:
                out_open_ns[written], out_close_ns[written] = place[1], place[2]
                out_first[written], out_last[written] = place[3], place[4]
                out_open[written], out_high[written], out_low[written] = partial[0], partial[1], partial[2]
                out_close[written], out_volume[written] = partial[3], partial[4]
                written += 1
            place[0] = NOTHING
        if bucket >= 0 and place[0] == NOTHING:
            place[0] = WHOLE if place[5] > 0 or base_open_ns[i] == bucket else HEADLESS
            place[1], place[2], place[3] = bucket, bucket_close[i], place[5]
            partial[0], partial[1], partial[2], partial[4] = base_open[i], base_high[i], base_low[i], 0.0
        if bucket >= 0:
            place[4] = place[5]
            partial[1] = max(partial[1], base_high[i])
            partial[2] = min(partial[2], base_low[i])
            partial[3] = base_close[i]
            partial[4] += base_volume[i]
        place[5] += 1
    return written


def aggregate(bars: Bars, timeframe: Timeframe, calendar: Calendar) -> Aggregate:
    """Return the complete bars of a timeframe that is a multiple of the base bars'.

    Args:
        bars: Base bars without a gap that is a fault; the bars behind such a gap are a series of their own.
        timeframe: Of the higher bars; that of `bars` returns them as they are.
        calendar: The instrument's.

    Raises:
        UsageError: If the timeframe is finer than the base bars or not a multiple of theirs.
        DataError: If a base bar reaches over the end of its higher bar, so that no true higher bar can be made.
    """
    if timeframe == bars.timeframe:
        rows = np.arange(len(bars), dtype=np.int64)
        return Aggregate(bars, rows, rows)
    require_multiple(bars.timeframe, timeframe)
    place, partial = new_state()
    parts = [
        _block(place, partial, bars.rows(start, start + SLICE_ROWS), timeframe, calendar)
        for start in range(0, max(len(bars), 1), SLICE_ROWS)
    ]
    if place[0] == WHOLE and len(bars) and bars.close_ns[-1] >= place[2]:
        parts.append([np.array([value]) for value in (*place[1:5], *partial)])
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    opens, closes, first, last = columns[:4]
    return Aggregate(Bars(timeframe, opens, closes, *columns[4:]), first, last)


def bucket_bounds(bars: Bars, timeframe: Timeframe, calendar: Calendar) -> tuple[Ints, Ints]:
    """Return open and close of the higher bar of each base bar; an open of -1 is outside every session."""
    if timeframe == bars.timeframe:
        return bars.open_ns, bars.close_ns
    bucket_open, bucket_close = calendar.bucket_of(bars.open_ns, timeframe)
    # A bar at the session's end is its closing auction and closes there; one that lasts longer is after hours.
    after_hours = (bars.open_ns == bucket_close) & (bars.close_ns > bucket_close)
    bucket_open[after_hours] = -1
    return bucket_open, bucket_close


def new_state() -> tuple[Ints, Floats]:
    """Return the two state arrays of `aggregate_block` before the first base bar."""
    return np.zeros(STATE_INTS, dtype=np.int64), np.zeros(STATE_FLOATS, dtype=np.float64)


def _block(
    place: Ints, partial: Floats, bars: Bars, timeframe: Timeframe, calendar: Calendar
) -> list[npt.NDArray[Any]]:
    """Run the kernel over some base bars; the columns returned hold the completed bars and nothing behind them."""
    bucket_open, bucket_close = bucket_bounds(bars, timeframe, calendar)
    require_nested(bars, bucket_open, bucket_close, timeframe)
    times: list[Ints] = [np.empty(len(bars), dtype=np.int64) for _ in range(4)]
    prices: list[Floats] = [np.empty(len(bars), dtype=np.float64) for _ in range(5)]
    run: Any = compiled(aggregate_block, SIGNATURE)
    written = run(
        place, partial, bucket_open, bucket_close, bars.open_ns,
        bars.open, bars.high, bars.low, bars.close, bars.volume,
        *times, *prices, 0, len(bars),
    )  # fmt: skip
    return [column[:written].copy() for column in (*times, *prices)]


def require_multiple(base: Timeframe, higher: Timeframe) -> None:
    """Refuse timeframes whose bars do not consist of whole base bars."""
    if higher not in multiples_of(base):
        usable = [str(known) for known in multiples_of(base)]
        raise UsageError(
            f"{higher} bars cannot be made of {base} bars; they give {', '.join(usable) or 'no other timeframe'}"
        )


def multiples_of(base: Timeframe) -> Sequence[Timeframe]:
    """Return the timeframes that can be aggregated from a base timeframe, fast to slow, without itself."""
    if base.name in ("W", "M"):
        return []
    return [
        known
        for known in TIMEFRAMES.values()
        if known.minutes > base.minutes and (known.is_calendar or base == TICK or known.minutes % base.minutes == 0)
    ]


def require_nested(bars: Bars, bucket_open: Ints, bucket_close: Ints, timeframe: Timeframe) -> None:
    """Refuse base bars that reach over a border: the higher bar would hold prices from after its close."""
    across = np.flatnonzero((bucket_open >= 0) & (bars.close_ns > bucket_close))
    if len(across):
        row = int(across[0])
        raise DataError(
            f"the {bars.timeframe} bar of {format_time(int(bars.open_ns[row]))} reaches over the end of its "
            f"{timeframe} bar at {format_time(int(bucket_close[row]))} ({len(across):,} bars do so): they are not "
            f"counted from the session's open, so {timeframe} bars cannot be made of them. Import finer bars"
        )
