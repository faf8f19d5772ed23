"""What a long run keeps in memory: one curve, one table at a time, and no page of a file that nobody reads."""

from __future__ import annotations

import errno
import sys
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from evenkeel.data.columns_file import encode_columns, let_go, map_columns
from evenkeel.engine import metrics, results
from evenkeel.engine.margin_history import joined
from evenkeel.model.errors import StorageError
from evenkeel.model.number import Grid

CURVE = [0, 5, 3, 9, 9, 2, -4, 10, 8, 8, 11]


@pytest.mark.parametrize("at_once", [1, 3, 4, 100])
def test_falls_are_the_same_however_many_points_are_looked_at_together(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "POINTS_AT_ONCE", at_once)
    equity = np.array(CURVE, dtype=np.int64)
    peaks = [max(CURVE[: place + 1]) for place in range(len(CURVE))]

    assert np.concatenate([peak for _, peak in metrics.with_peaks(equity)]).tolist() == peaks
    assert metrics.deepest_fall(equity) == 13
    assert metrics.max_drawdown(equity) == 13 / 9
    falls = [(peak - value) / peak if peak > 0 else 0.0 for value, peak in zip(CURVE, peaks, strict=True)]
    assert metrics.drawdowns(equity).tolist() == falls
    assert metrics.drawdowns(equity[:0]).tolist() == []
    assert metrics.max_drawdown(equity[:0]) == 0.0


def test_no_part_of_a_curve_is_longer_than_the_points_looked_at_together() -> None:
    equity = np.arange(2 * metrics.POINTS_AT_ONCE + 1)

    assert [len(peak) for _, peak in metrics.with_peaks(equity)] == [metrics.POINTS_AT_ONCE] * 2 + [1]
    assert all(np.shares_memory(part, equity) for part, _ in metrics.with_peaks(equity))


def test_one_stretch_of_bars_is_not_copied() -> None:
    column = np.arange(3)

    assert joined([column]) is column
    assert joined([column, column]).tolist() == [0, 1, 2, 0, 1, 2]


def test_a_table_is_never_whole_in_memory_as_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    sink = pl.LazyFrame.sink_parquet

    def watched(frame: pl.LazyFrame, target: Any, **options: Any) -> Any:
        seen.append(target)
        return sink(frame, target, **options)

    monkeypatch.setattr(pl.LazyFrame, "sink_parquet", watched)
    falls = np.array([0.0, 0.5])
    results.write_points(tmp_path / "equity.parquet", np.array([1, 2]), np.array([10**8, 2]), falls)

    assert [isinstance(target, Path) and target.parent == tmp_path for target in seen] == [True]
    assert pl.read_parquet(tmp_path / "equity.parquet")["equity"].to_list() == [Decimal(1), Decimal("0.00000002")]
    assert [path.name for path in tmp_path.iterdir()] == ["equity.parquet"]


def test_a_full_disk_leaves_the_table_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "equity.parquet"
    path.write_bytes(b"old")

    def full(frame: pl.LazyFrame, target: Path, **options: Any) -> None:
        target.write_bytes(b"half")
        raise pl.exceptions.ComputeError("underlying IO error: No space left on device (os error 28)")

    monkeypatch.setattr(pl.LazyFrame, "sink_parquet", full)
    with pytest.raises(StorageError, match=r"cannot write equity\.parquet .*No space left on device.*Free space"):
        results.write_points(path, np.array([1]), np.array([1]), np.zeros(1))

    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["equity.parquet"]


def test_pages_of_a_mapped_file_are_given_back_and_read_again(tmp_path: Path) -> None:
    path, rows = tmp_path / "bars.cols", 500_000
    path.write_bytes(encode_columns([("open_ns", np.arange(rows)), ("close", np.arange(rows) / 4)]))
    columns = map_columns(path, remedy="none")
    total = columns["open_ns"].sum() + columns["close"].sum()
    held = _resident(path)

    let_go(columns["close"][3:9])
    let_go(np.arange(3))

    if sys.platform == "linux":
        assert held >= rows * 16
        assert _resident(path) == 0
    assert columns["open_ns"].sum() + columns["close"].sum() == total


def _resident(path: Path) -> int:
    """Return how many bytes of a file lie in the memory of this process; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    lines = iter(Path("/proc/self/smaps").read_text().splitlines())
    found = 0
    for line in lines:
        if line.endswith(str(path)):
            found += next(int(one.split()[1]) * 1024 for one in lines if one.startswith("Rss:"))
    return found


def test_an_error_of_the_system_is_told_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(frame: pl.LazyFrame, target: Path, **options: Any) -> None:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(pl.LazyFrame, "sink_parquet", refused)
    with pytest.raises(StorageError, match="Permission denied"):
        results.write_points(tmp_path / "equity.parquet", np.array([1]), np.array([1]), np.zeros(1))


def test_the_position_in_the_equity_table_is_the_float_nearest_to_its_units() -> None:
    """175 lots of a thousandth are 0.175; multiplied with the reciprocal of a thousand they would not be."""
    lots = np.arange(-300, 300, dtype=np.int64)
    nothing = np.zeros_like(lots)
    record: Any = SimpleNamespace(times_ns=nothing, curve=np.array([nothing + 1, nothing, lots]))
    strategy: Any = SimpleNamespace(instrument=SimpleNamespace(lot_grid=Grid.of(Decimal("0.001"))))

    held = results.equity_frame(record, strategy).collect()["position"].to_list()
    assert held == [float(Decimal(int(count)) / 1000) for count in lots]
