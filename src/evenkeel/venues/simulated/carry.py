"""What a held position pays or receives without a fill, and the bars that its margin is judged by.

Both come with a stretch of base bars and are aligned to its rows. Data makes them; the loop settles them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from evenkeel.model.bar import Floats, Ints
from evenkeel.model.errors import invariant


class CarryKind(IntEnum):
    """What is due; the number is what the loop gets.

    SESSION: a session begins; the value is its day, the price the first day whose day trades still count.
    SETTLEMENT: the day on which sales of this session are settled cash. FLATTEN: what is held must be gone.
    HOURS: the value is 1 where extended hours begin, 0 where regular ones do.
    """

    FUNDING = 0
    DIVIDEND = 1
    SPLIT = 2
    BORROW = 3
    SESSION = 4
    SETTLEMENT = 5
    FLATTEN = 6
    HOURS = 7


@dataclass(frozen=True, slots=True)
class Carry:
    """What is due at the open of base bars, in order.

    Attributes:
        rows: Base row at whose open it is due, rising; several may share a row.
        kinds: Numbers of `CarryKind`.
        values: Funding and borrow: the rate for the period, as a fraction of the notional. Dividend: cash per unit.
            Split: new units per old one.
        prices: Mark price at that instant; NaN takes the open of the base bar.
    """

    rows: Ints
    kinds: Ints
    values: Floats
    prices: Floats

    def __post_init__(self) -> None:
        count = len(self.rows)
        sizes = {len(self.kinds), len(self.values), len(self.prices)}
        invariant(sizes == {count}, "each carry event has a kind, a value and a price", sizes=sizes, rows=count)
        invariant(bool(np.all(np.diff(self.rows) >= 0)), "carry events come in the order of their rows")

    def __len__(self) -> int:
        return len(self.rows)

    def without(self, kind: CarryKind) -> Carry:
        """Return all of it but what is of one kind."""
        return self._where(self.kinds != int(kind))

    def outside(self, rows: Ints) -> Carry:
        """Return all of it but what is due at some rows."""
        return self._where(~np.isin(self.rows, rows))

    def _where(self, kept: npt.NDArray[np.bool_]) -> Carry:
        return Carry(self.rows[kept], self.kinds[kept], self.values[kept], self.prices[kept])


def no_carry() -> Carry:
    """Return that nothing is ever due."""
    none = np.zeros(0, dtype=np.int64)
    return Carry(rows=none, kinds=none, values=np.zeros(0), prices=np.zeros(0))


def fundings(rows: Ints, rates: Floats, prices: Floats | None = None) -> Carry:
    """Return funding at the opens of base rows, with the mark price of each where it is known."""
    marks = np.full(len(rows), np.nan) if prices is None else prices
    return Carry(rows=rows, kinds=np.full(len(rows), int(CarryKind.FUNDING), np.int64), values=rates, prices=marks)


@dataclass(frozen=True, slots=True)
class MarkBars:
    """The mark price over each base bar of a stretch; NaN where there is none: the bar itself counts there.

    Attributes:
        open: At the open of the base bar.
        high: Highest within it.
        low: Lowest within it.
    """

    open: Floats
    high: Floats
    low: Floats

    def __post_init__(self) -> None:
        sizes = {len(self.open), len(self.high), len(self.low)}
        invariant(len(sizes) == 1, "mark bars have an open, a high and a low each", sizes=sizes)
