"""Markets for drawn runs: walks, gaps, wicks, quiet and empty minutes; with a mark price and a history of funding.

    market = drawn_market(np.random.default_rng(7), 1300)

The rows are plain numbers, so that a slow exchange and the engine can each read them in their own way.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from evenkeel.model.bar import Floats
from evenkeel.venues.simulated.carry import Carry, MarkBars, fundings
from plain_plays import Row, volatile
from random_plays import Rng, chance, pick
from reference.terms import Bar

SHAPES = ("volatile", "volatile", "volatile", "gaps", "wicks", "thin", "flat")
TICK_DIGITS = 2


@dataclass(frozen=True)
class DrawnMarket:
    """Base bars of one minute, and what lies beside them.

    Attributes:
        shape: What is special about it.
        rows: The bars.
        marks: Open, high and low of the mark price by row, NaN where there is none; None without a mark price.
        rates: Row, rate and mark price (NaN for none) of each funding; None without a history.
    """

    shape: str
    rows: list[Row]
    marks: list[tuple[float, float, float]] | None
    rates: list[tuple[int, float, float]] | None

    def exact(self, start_minute: int, first: int) -> list[Bar]:
        """Return the bars from a row on as the slow exchange reads them."""
        due: dict[int, list[tuple[Decimal, Decimal | None]]] = {}
        for row, rate, price in self.rates or []:
            mark = None if np.isnan(price) else _decimal(price)
            due.setdefault(row, []).append((_decimal(rate), mark))
        found = []
        for row in range(first, len(self.rows)):
            mark = self.marks[row] if self.marks is not None else None
            found.append(
                Bar(
                    *(_decimal(value) for value in self.rows[row]), start_minute + row - first,
                    mark=None if mark is None or np.isnan(mark[0]) else tuple(_decimal(value) for value in mark),  # type: ignore[arg-type]
                    funding=None if self.rates is None else tuple(due.get(row, ())),
                )
            )  # fmt: skip
        return found

    def carry(self, first: int) -> Carry | None:
        """Return the funding from a row on as the engine reads it."""
        if self.rates is None:
            return None
        seen = [(row - first, rate, price) for row, rate, price in self.rates if row >= first]
        rows, rates, prices = (np.array(column) for column in zip(*seen, strict=True)) if seen else ([], [], [])
        return fundings(np.array(rows, dtype=np.int64), np.array(rates, np.float64), np.array(prices, np.float64))

    def mark_bars(self, first: int) -> MarkBars | None:
        """Return the mark price from a row on as the engine reads it."""
        if self.marks is None:
            return None
        table: Floats = np.array(self.marks[first:], dtype=np.float64).reshape(-1, 3)
        return MarkBars(*(np.ascontiguousarray(table[:, place]) for place in range(3)))


def _decimal(value: float) -> Decimal:
    return Decimal(repr(float(value)))


def drawn_market(rng: Rng, count: int, *, marks: bool = True) -> DrawnMarket:
    """Return a market of a shape of its own; now and then with a mark price and with rates of funding.

    Args:
        marks: Whether there may be a mark price.
    """
    shape = str(pick(rng, *SHAPES))
    rows = shaped(rng, shape, np.array(volatile(rng, count)))
    mark = drawn_marks(rng, rows) if marks and chance(rng, 0.4) else None
    rates = drawn_rates(rng, count, mark) if chance(rng, 0.4) else None
    return DrawnMarket(shape, rows, mark, rates)


def shaped(rng: Rng, shape: str, table: Floats) -> list[Row]:
    """Return bars with what their shape is named after."""
    count, level = len(table), float(table[0, 0])
    opened, high, low, close, volume = (table[:, place] for place in range(5))
    if shape == "gaps":
        jump = np.cumsum(np.where(rng.random(count) < 0.01, rng.normal(0, 0.04, count), 0.0))
        factor = np.exp(jump - jump.mean())
        opened, high, low, close = (column * factor for column in (opened, high, low, close))
    elif shape == "wicks":
        struck = rng.random((2, count)) < 0.01
        high = np.where(struck[0], high * (1 + rng.random(count) * 0.4), high)
        low = np.where(struck[1], low * (1 - rng.random(count) * 0.4), low)
    elif shape == "thin":
        volume = np.where(rng.random(count) < 0.3, 0.0, volume / float(pick(rng, 10, 100)))
    elif shape == "flat":
        still = (np.arange(count) // 50) % 3 == 0
        opened, high, low = (np.where(still, close, column) for column in (opened, high, low))
    floor = level / 10
    columns = [np.maximum(column, floor) for column in (opened, high, low, close)]
    values = np.round(np.column_stack([*columns, np.maximum(volume, 0.0)]), TICK_DIGITS)
    return [tuple(row) for row in values.tolist()]


def drawn_marks(rng: Rng, rows: list[Row]) -> list[tuple[float, float, float]]:
    """Return a mark price near the last one: a smoother one, now and then with a wick of its own, or missing."""
    table = np.array(rows)
    count, apart = len(table), float(pick(rng, 0.0005, 0.004, 0.02))
    basis = 1 + apart * np.cumsum(rng.normal(0, 0.1, count)) / np.sqrt(np.arange(1, count + 1))
    opened, close = table[:, 0] * basis, table[:, 3] * basis
    reach = np.abs(rng.normal(0, apart / 2, (2, count))) * table[:, 0]
    wick = np.where(rng.random((2, count)) < 0.01, table[:, 0] * rng.random((2, count)) * 0.2, 0.0)
    high = np.maximum(opened, close) + reach[0] + wick[0]
    low = np.minimum(opened, close) - reach[1] - wick[1]
    marks = np.round(np.maximum(np.column_stack([opened, high, low]), table[0, 0] / 20), 4)
    marks[rng.random(count) < float(pick(rng, 0, 0.05))] = np.nan
    return [tuple(row) for row in marks.tolist()]


def drawn_rates(rng: Rng, count: int, marks: list[tuple[float, float, float]] | None) -> list[tuple[int, float, float]]:
    """Return rates each eight hours, each hour or at any time, some of them large enough to eat a margin."""
    every, size = int(pick(rng, 480, 480, 60, 37)), float(pick(rng, 0.0001, 0.001, 0.02))
    found = []
    for row in range(int(rng.integers(0, every)) if every == 37 else 0, count, every):
        rate = float(f"{rng.normal(0, size):.3g}")
        price = float("nan") if marks is None else marks[row][0]
        found.append((row, rate, price))
        if chance(rng, 0.05):
            found.append((row, -rate, price))
    return found
