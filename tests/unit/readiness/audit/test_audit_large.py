"""What only shows in larger runs: texts read in chunks, bars derived in slices, the base timeframe among the higher."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from evenkeel.readiness.audit import Check, audit
from evenkeel.readiness.audit.aggregates import SLICE
from evenkeel.readiness.audit.columns import CHUNK, money, read_records
from evenkeel.readiness.audit.document import Unreadable

from .audited_run import Scenario, base_bars, execution_bars, flat, write
from .scenarios import FORTY_DAYS, QUIET


def test_a_bad_field_after_the_first_chunk_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "fees.csv"
    path.write_text("fee\n" + "0\n" * (2 * CHUNK) + "x\n")

    with pytest.raises(Unreadable, match=f"^fees.csv line {2 * CHUNK + 2}: fee is 'x'"):
        read_records(path, {"fee": money}, lambda fee: fee)


def test_every_row_is_read_once_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "fees.csv"
    path.write_text("fee\n" + "".join(f"{number}\n" for number in range(2 * CHUNK + 3)))

    assert list(read_records(path, {"fee": money}, int)) == list(range(2 * CHUNK + 3))


def with_base_among_higher(folder: Path, row: int, **shift: float) -> Check:
    """Audit forty days whose base bars are given as a higher timeframe too, with one of them changed."""
    run = write(folder, FORTY_DAYS)
    here = pl.int_range(pl.len()) == row
    numbered = run.base.with_columns(first=pl.int_range(pl.len()), last=pl.int_range(pl.len()))
    changed = numbered.with_columns(
        pl.when(here).then(pl.col(name) + by).otherwise(pl.col(name)).alias(name) for name, by in shift.items()
    )
    return aggregation(audit(folder, base_bars=run.base, higher_bars={"12h": changed}))


def test_the_base_timeframe_is_the_aggregate_of_itself(tmp_path: Path) -> None:
    assert with_base_among_higher(tmp_path, 0).ok


@pytest.mark.parametrize("column", ["high", "volume", "first", "last", "close_ns"])
def test_a_bar_of_the_base_timeframe_that_differs_is_found(column: str, tmp_path: Path) -> None:
    assert with_base_among_higher(tmp_path, 7, **{column: 1}).failed


def test_an_aggregate_in_a_later_slice_is_compared_too(tmp_path: Path) -> None:
    run = write(tmp_path, QUIET)
    long = Scenario(bars=flat(100.0, 3 * (SLICE + 10)), trades=[], step=3, exec_tf="3m")
    base, right = base_bars(long), execution_bars(long)
    assert right is not None
    wrong = right.with_columns(low=pl.when(pl.int_range(pl.len()) == SLICE + 3).then(99.0).otherwise("low"))

    answers = [aggregation(audit(run.folder, base_bars=base, higher_bars={"3m": bars})) for bars in (right, wrong)]

    assert [answer.ok for answer in answers] == [True, False]
    assert answers[1].detail.endswith("has another low than its base bars")


def aggregation(checks: list[Check]) -> Check:
    return next(check for check in checks if check.name == "MTF_AGGREGATION")
