"""The points of a stretch: the loop keeps their equity, and its reports say what cash and lots were at each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evenkeel.model.bar import Ints
from evenkeel.venues.simulated.book import Curve, Report


@dataclass(frozen=True, slots=True)
class EquityPoints:
    """The account at the closes of execution bars of one stretch, which began with a flat book.

    Attributes:
        equity: At each, a count of 1e-8.
        last_rows: Last base row of each of the execution bars.
        cash: When the stretch began, a count of 1e-8.
        reports: What the venue told of the stretch up to the last of them, by `Report`.
    """

    equity: Ints
    last_rows: Ints
    cash: int
    reports: Sequence[Ints]

    def lines(self) -> Ints:
        """Return the points as lines by `Curve`.

        A report belongs to the first point at or after its base bar, if there is one. Whatever moves cash tells gross
        and fee, a payment its amount as gross, and whatever changes the position its lots.
        """
        lines = np.zeros((len(Curve), len(self.equity)), dtype=np.int64)
        lines[Curve.EQUITY] = self.equity
        for table in self.reports:
            points = np.searchsorted(self.last_rows, table[:, Report.ROW])
            seen = points < len(self.equity)
            point, told = points[seen], table[seen]
            np.add.at(lines[Curve.CASH], point, told[:, Report.GROSS] - told[:, Report.FEE])
            np.add.at(lines[Curve.LOTS], point, told[:, Report.LOTS])
        np.cumsum(lines[Curve.CASH], out=lines[Curve.CASH])
        np.cumsum(lines[Curve.LOTS], out=lines[Curve.LOTS])
        lines[Curve.CASH] += self.cash
        return lines
