"""The volume that fills took of their bars, where a run lets them take a part of it only (decision 0008, 1 to 9).

All fills of a base bar share its budget: volume times fraction, rounded down to the lot. An order that meets more than
it needs is filled whole; one that takes what is left may have been cut. Liquidations and the close at the end of the
data are never limited.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from evenkeel.readiness.audit.artifacts import Run
from evenkeel.readiness.audit.bars import BaseBars
from evenkeel.readiness.audit.moment import instant_text
from evenkeel.readiness.audit.tally import Floats, Ints

UNLIMITED = ("liquidation", "end_of_data", "data_gap")
SNAP = 1 + 1e-12
"""A product so little below a whole lot counts as that lot."""


class Budgets:
    """What fills took of their bars and what these had.

    Args:
        run: The run.
        bars: Its base bars.
        fraction: The part of a bar's volume that can fill.

    Attributes:
        rows: The base bars with limited fills.
        taken: Lots that filled in each.
        given: Lots that could.
    """

    def __init__(self, run: Run, bars: BaseBars, fraction: float) -> None:
        lot = float(run.terms.lot)
        self._bars = bars
        whole: Floats = np.floor(bars.column("volume") * fraction / lot * SNAP)
        limited = ~run.fills.values("reason", "reason").is_in(UNLIMITED)
        times = run.fills.times("time", "time_ns").filter(limited).to_numpy()
        at_close = (run.fills.values("point", "point").filter(limited) == "close").to_numpy()
        lots = run.fills.values("qty", "quantity").filter(limited).cast(pl.Float64).to_numpy() / lot
        rows = bars.exit_rows(times, at_close)
        there = rows >= 0
        self.rows: Ints
        self.rows, place = np.unique(rows[there], return_inverse=True)
        self.taken: Floats = np.rint(np.bincount(place, weights=lots[there], minlength=len(self.rows)))
        self.given: Floats = whole[self.rows]
        begun = int(self.rows[0]) if len(self.rows) else 0
        self._starved = bool(((whole[begun:] < 1) & (bars.column("volume")[begun:] > 0)).any())

    @property
    def cut(self) -> bool:
        """Whether an order may have been cut, or may have waited for a bar that can fill a lot."""
        return self._starved or bool((self.taken >= self.given).any())

    def problems(self) -> Iterator[str]:
        """Yield the bars in which more filled than could."""
        for place in np.flatnonzero(self.taken > self.given).tolist():
            when = instant_text(int(self._bars.opens[self.rows[place]]))
            yield f"the bar of {when} filled {self.taken[place]:g} lots, its volume allows {self.given[place]:g}"
