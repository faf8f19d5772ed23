"""The equity points of a run, read in blocks of bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from evenkeel.readiness.audit.document import Unreadable
from evenkeel.readiness.audit.tally import Floats, Ints

COLUMNS = {
    "time": pl.Datetime("ns", "UTC"),
    "equity": pl.Decimal(38, 8),
    "cash": pl.Decimal(38, 8),
    "position": pl.Float64(),
    "drawdown": pl.Float64(),
}
BLOCK = 1 << 17
"""Points that are read at once."""


class Block(NamedTuple):
    """Points that follow each other; money in whole numbers of 1e-8.

    Attributes:
        begin: Place of the first.
    """

    begin: int
    time_ns: Ints
    equity: Ints
    cash: Ints
    position: Floats
    drawdown: Floats

    def ordered(self, order: Ints) -> Block:
        """Return the points in another order."""
        return Block(
            self.begin, self.time_ns[order], self.equity[order], self.cash[order], self.position[order],
            self.drawdown[order],
        )  # fmt: skip


class Points:
    """The points of a file, which is looked at as often as it is asked.

    Args:
        path: The file.

    Attributes:
        times: When each point is, nanoseconds, in the order of the file.

    Raises:
        Unreadable: If the file is missing, damaged, or has another column than it should.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        require_columns(path, COLUMNS)
        times = self._read(["time"])["time"]
        if times.null_count():
            raise Unreadable(f"{path.name}: the column time has missing or infinite values")
        self.times: Ints = times.to_physical().to_numpy()

    def __len__(self) -> int:
        return len(self.times)

    def frame(self) -> pl.DataFrame:
        """Return `time_ns` and `equity` of all points."""
        table = self._read(["time", "equity"])
        return table.select(pl.col("time").to_physical().alias("time_ns"), "equity")

    def blocks(self) -> Iterator[Block]:
        """Yield all points in the order of the file.

        Raises:
            Unreadable: If a value is missing, not finite, or too large for an account.
        """
        for begin in range(0, len(self), BLOCK):
            yield self._block(begin, min(BLOCK, len(self) - begin))

    def whole(self) -> Block:
        """Return all points as one block."""
        return self._block(0, len(self))

    def _block(self, begin: int, count: int) -> Block:
        table = self._read(list(COLUMNS)[1:], begin, count)
        for name, column in zip(table.columns, table, strict=True):
            if column.null_count() or (column.dtype == pl.Float64() and not column.is_finite().all()):
                raise Unreadable(f"{self._path.name}: the column {name} has missing or infinite values")
        money = [table[name].to_physical().cast(pl.Int64, strict=False) for name in ("equity", "cash")]
        if any(column.null_count() for column in money):
            raise Unreadable(f"{self._path.name}: an amount is too large for any account")
        return Block(
            begin, self.times[begin : begin + count], money[0].to_numpy(), money[1].to_numpy(),
            table["position"].to_numpy(), table["drawdown"].to_numpy(),
        )  # fmt: skip

    def _read(self, names: list[str], begin: int = 0, count: int | None = None) -> pl.DataFrame:
        try:
            return pl.scan_parquet(self._path).select(names).slice(begin, count).collect()
        except (OSError, pl.exceptions.PolarsError) as error:
            raise Unreadable(f"{self._path.name} cannot be read: {error}") from None


def require_columns(path: Path, columns: dict[str, pl.DataType]) -> None:
    """Refuse a file that is missing or has not these columns.

    Raises:
        Unreadable: If it is so.
    """
    try:
        schema = pl.read_parquet_schema(path)
    except FileNotFoundError:
        raise Unreadable(f"{path.name} is missing") from None
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Unreadable(f"{path.name} cannot be read: {error}") from None
    for name, kind in columns.items():
        if schema.get(name) != kind:
            raise Unreadable(f"{path.name}: the column {name} is {schema.get(name)}, {kind} was expected")


def sorted_in_time(points: Points) -> Iterator[Block]:
    """Yield all points in order of time; those of one time in the order of the file."""
    if (np.diff(points.times) >= 0).all():
        yield from points.blocks()
    else:
        yield points.whole().ordered(np.argsort(points.times, kind="stable"))
