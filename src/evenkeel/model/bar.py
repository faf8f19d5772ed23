"""Bars as columns: the one form in which market data travels between rooms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from evenkeel.model.errors import invariant
from evenkeel.model.time import Timeframe

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bars:
    """Closed bars of one instrument and timeframe, oldest first.

    An interval without a trade has no bar. `close_ns` is the open plus the timeframe, clipped to the session's end; a
    bar is visible from its `close_ns` on. The arrays are read-only.

    Attributes:
        timeframe: The interval.
        open_ns: When each interval began; strictly rising.
        close_ns: When each interval ended.
        open: First price, float64 as the source has it, never moved to the tick grid.
        high: Highest price.
        low: Lowest price.
        close: Last price.
        volume: Traded units; 0 where the source has none.
    """

    timeframe: Timeframe
    open_ns: Ints
    close_ns: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __post_init__(self) -> None:
        for name in ("close_ns", "open", "high", "low", "close", "volume"):
            column = getattr(self, name)
            invariant(len(column) == len(self.open_ns), f"the bar column {name} has another length than open_ns")
            column.flags.writeable = False
        self.open_ns.flags.writeable = False

    def __len__(self) -> int:
        return len(self.open_ns)

    def rows(self, start: int, stop: int) -> Bars:
        """Return the bars `start <= i < stop` without copying."""
        part = slice(start, stop)
        return Bars(
            self.timeframe, self.open_ns[part], self.close_ns[part], self.open[part], self.high[part],
            self.low[part], self.close[part], self.volume[part],
        )  # fmt: skip


class BarValues(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One closed bar by value, as a journal keeps it.

    Attributes:
        open_ns: When its interval began.
        close_ns: When it ended.
        open: First price, float64 as the source has it.
        high: Highest price.
        low: Lowest price.
        close: Last price.
        volume: Traded units.
        scale: By what features see its prices multiplied and its volume divided: the ratio of the splits of the run
            known by its close (ruling 19).
    """

    open_ns: int
    close_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Quoted:
    """What stands behind base bars that are quotes: their low is the bid, their high the ask, the rest the middle.

    Attributes:
        made_of: What bars of slower timeframes are made of: trades, or the middles of the quotes where there are none.
        last: Open, high and low of what traded in each base bar, NaN where nothing did; None without trades.
    """

    made_of: Bars
    last: tuple[Floats, Floats, Floats] | None
