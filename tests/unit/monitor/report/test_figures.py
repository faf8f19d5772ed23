from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from evenkeel.monitor.report import SUMMARY_COLUMNS, read_uncertainty, summary_table
from evenkeel.monitor.report.chart import candles_of
from evenkeel.monitor.report.figures import compounded, longest_run, monthly_returns
from evenkeel.monitor.report.plot import Scale, round_step, ticks, time_ticks
from evenkeel.monitor.report.run_files import EquityCurve
from evenkeel.monitor.report.spread import bins_of


def instant(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


def curve(points: dict[str, float]) -> EquityCurve:
    values = np.array(list(points.values()))
    return EquityCurve(np.array([instant(text) for text in points]), values, np.zeros(len(values)))


def test_a_bar_that_closes_at_midnight_of_the_first_belongs_to_the_month_before() -> None:
    table = monthly_returns(curve({"2024-01-15": 110.0, "2024-02-01": 121.0, "2024-02-20": 60.5}), 100.0)
    assert table == {2024: {1: pytest.approx(0.21), 2: pytest.approx(-0.5)}}


def test_months_compound_to_the_whole() -> None:
    points = {"2023-11-30": 105.0, "2023-12-31": 90.0, "2024-01-31": 120.0, "2024-03-31": 130.0}
    table = monthly_returns(curve(points), 100.0)
    parts = [value for months in table.values() for value in months.values()]
    assert 100 * (1 + compounded(parts)) == pytest.approx(130.0)
    assert 2 not in table[2024]


def test_an_account_at_zero_ends_the_months() -> None:
    table = monthly_returns(curve({"2024-01-31": 0.0, "2024-02-15": 5.0}), 100.0)
    assert table == {2024: {1: -1.0}}


def test_the_longest_run_of_losses_is_unbroken() -> None:
    assert longest_run([True, True, False, True, True, True, False]) == 3
    assert longest_run([]) == 0


def test_every_value_falls_into_a_bin_and_zero_is_an_edge() -> None:
    values = [-3.2, -0.1, 0.0, 0.4, 2.2, 950.0]
    bins = bins_of(values)
    losses = sum(bins.counts[: -bins.first]) if bins.first < 0 else 0
    assert sum(bins.counts) == len(values)
    assert losses == 2
    assert len(bins.counts) <= 41


def test_extremes_are_gathered_in_the_outermost_bins() -> None:
    bins = bins_of([float(k % 20) for k in range(1000)] + [1e6])
    assert bins.clipped
    assert (bins.first + len(bins.counts)) * bins.width < 100
    assert sum(bins.counts) == 1001


def test_steps_are_round() -> None:
    assert [round_step(value) for value in (0.03, 1.0, 1.2, 4.9, 60)] == [0.05, 1.0, 2.0, 5.0, 100.0]


def test_ticks_stand_at_round_values_within_the_scale() -> None:
    found = ticks(Scale(-3.0, 7.0))
    assert [tick.text for tick in found] == ["0", "5"]
    assert [tick.place for tick in found] == [3000, 8000]


@pytest.mark.parametrize(
    ("start", "stop", "texts"),
    [
        ("2024-01-10", "2024-06-20", ["Feb 2024", "Mar 2024", "Apr 2024", "May 2024", "Jun 2024"]),
        ("2015-03-01", "2025-03-01", ["2016", "2018", "2020", "2022", "2024"]),
        ("2024-05-01T10:00", "2024-05-01T16:00", ["10:00", "11:00", "12:00", "13:00", "14:00", "15:00", "16:00"]),
    ],
)
def test_time_labels_suit_the_length_of_the_range(start: str, stop: str, texts: list[str]) -> None:
    assert [tick.text for tick in time_ticks(instant(start), instant(stop))] == texts


def test_few_bars_are_drawn_as_they_are(samples: Any) -> None:
    bars = samples.walk(50)
    assert candles_of(bars).close is bars.close


def test_merged_candles_lose_no_extreme(samples: Any) -> None:
    bars = samples.walk(1000)
    candles = candles_of(bars, limit=100)
    assert candles.timeframe.name == "4h"
    assert (candles.open[0], candles.close[-1]) == (bars.open[0], bars.close[-1])
    assert (candles.high.max(), candles.low.min()) == (bars.high.max(), bars.low.min())


def test_the_summary_has_one_row_a_run_and_leads_with_doubt(tmp_path: Path, busy: Path, idle: Path) -> None:
    results = [msgspec.json.decode((folder / "result.json").read_bytes()) for folder in (busy, idle)]
    rows = summary_table(results, [read_uncertainty(busy), read_uncertainty(idle)])
    assert [len(row) for row in rows] == [len(SUMMARY_COLUMNS)] * 2
    assert SUMMARY_COLUMNS.index("Could it be luck?") < SUMMARY_COLUMNS.index("Net")
    assert rows[1][2:4] == ("0", "No trades, so nothing to judge.")
    assert rows[0][-1] == "14 passed"
