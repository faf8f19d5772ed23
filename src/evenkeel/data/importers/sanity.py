"""What no bar may be: without a price, with a high below its low, or out of order. The first such row is named."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from evenkeel.data.importers.table import Table
from evenkeel.model.bar import Ints
from evenkeel.model.errors import DataError
from evenkeel.model.time import format_time

PRICES = ("open", "high", "low", "close")

Flags = npt.NDArray[np.bool_]


def require_sane_values(table: Table) -> None:
    """Refuse a table with impossible prices or volumes.

    Raises:
        DataError: Naming the first bad row, its values, and how many there are.
    """
    problems: list[tuple[Flags, Callable[[int], str]]] = []
    for name in PRICES:
        price = getattr(table, name)
        problems.append((~np.isfinite(price), _saying(f"{name} is not a number", table, name)))
        problems.append((price <= 0, _saying(f"{name} is not above zero", table, name)))
    problems += [
        (table.high < table.low, lambda row: f"high {table.high[row]} is below low {table.low[row]}"),
        (table.high < table.open, lambda row: f"high {table.high[row]} is below open {table.open[row]}"),
        (table.high < table.close, lambda row: f"high {table.high[row]} is below close {table.close[row]}"),
        (table.low > table.open, lambda row: f"low {table.low[row]} is above open {table.open[row]}"),
        (table.low > table.close, lambda row: f"low {table.low[row]} is above close {table.close[row]}"),
        (~np.isfinite(table.volume), _saying("volume is not a number", table, "volume")),
        (table.volume < 0, _saying("volume is negative", table, "volume")),
    ]
    bad = np.any([flags for flags, _ in problems], axis=0)
    if not bad.any():
        return
    row = int(np.argmax(bad))
    said = next(sentence(row) for flags, sentence in problems if flags[row])
    others = int(bad.sum()) - 1
    more = f" ({others:,} other row{'s are' if others > 1 else ' is'} bad too)" if others else ""
    raise DataError(f"{table.place.of(row)}: {said}{more}. Nothing was stored; correct or remove the row")


def require_rising(table: Table, stamps: Ints) -> None:
    """Refuse times that repeat or go back.

    Args:
        table: For the place of a row.
        stamps: Its times, in the order of the file.

    Raises:
        DataError: Naming the first such row, and the remedy where the whole file runs backwards.
    """
    steps = np.diff(stamps)
    if not (steps <= 0).any():
        return
    if len(steps) > 1 and (steps < 0).all():
        raise DataError(
            f"{table.place.label} runs backwards in time, newest first; import it with --newest-first",
            reason="REVERSED",
        )
    row = int(np.argmax(steps <= 0)) + 1
    now, before = format_time(int(stamps[row])), format_time(int(stamps[row - 1]))
    said = f"{now} appears twice" if steps[row - 1] == 0 else f"{now} comes after {before}"
    raise DataError(
        f"{table.place.of(row)}: the times must rise from row to row, but {said}. Nothing was stored; sort the file "
        f"and remove repeated rows"
    )


def _saying(said: str, table: Table, name: str) -> Callable[[int], str]:
    return lambda row: f"{said} ({getattr(table, name)[row]})"
