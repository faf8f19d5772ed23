"""The figures of a run, worked out by hand or by the standard library."""

from __future__ import annotations

import math
import statistics
from decimal import Decimal

import numpy as np
import pytest

import desk
from desk import account, flat, long, piece, short
from evenkeel.engine.metrics import (
    cagr,
    drawdowns,
    extremes,
    longest_streak,
    max_drawdown,
    metrics,
    profit_factor,
    profit_factor_mode,
    session_returns,
    sharpe,
    sortino,
)
from evenkeel.engine.record import RunRecord
from evenkeel.model.time import DAY

RISE = [(100, 104, 100, 104), (104, 104, 104, 104)]
DROP = [(104, 104, 103, 103), (103, 103, 103, 103)]


def run_of_three() -> RunRecord:
    """Long +40, long -10, short +10 on ten units, without costs; then twenty quiet bars."""
    rows = [*flat(100, 2), *RISE, *flat(104, 1), *DROP, *flat(103, 1), (103, 103, 102, 102), *flat(102, 21)]
    wishes = {0: long(), 3: long(), 6: short()}
    return desk.run(piece(rows, wishes, [2, 5, 8]), sizing=desk.units(10))


def figures(record: RunRecord) -> dict[str, float | int | None]:
    return metrics(record, record.legs(), start_equity=Decimal(10_000), sessions=[], per_year=365)


def test_the_figures_of_three_trades() -> None:
    """T24: `_pct` is percent, every other ratio a fraction."""
    record = run_of_three()
    assert [trade.net for trade in record.trades()] == [40, -10, 10]

    found = figures(record)

    assert found["net_pnl"] == 40
    assert found["return_pct"] == pytest.approx(0.4)
    assert found["trades"] == 3
    assert found["win_rate"] == pytest.approx(2 / 3)
    assert found["profit_factor"] == 5
    assert found["expectancy"] == pytest.approx(40 / 3)
    assert found["avg_bars_held"] == pytest.approx(sum(t.exit.event.bars_held for t in record.trades()) / 3)
    assert found["fees"] == found["slippage"] == found["funding"] == 0
    held = np.count_nonzero(record.curve[2])
    assert found["exposure_pct"] == pytest.approx(100 * held / record.curve.shape[1])
    assert 0 < held < 10


def test_the_extremes_of_three_trades() -> None:
    record = run_of_three()

    found = extremes(record.legs(), record)

    assert (found["wins"], found["losses"], found["breakeven"]) == (2, 1, 0)
    assert (found["longs"], found["shorts"]) == (2, 1)
    assert (found["gross_profit"], found["gross_loss"]) == (50, 10)
    assert (found["largest_win"], found["largest_loss"]) == (40, -10)
    assert (found["longest_win_streak"], found["longest_loss_streak"]) == (1, 1)
    assert found["recovery_factor"] == pytest.approx(40 / 10)


def test_costs_are_counted_once() -> None:
    record = desk.run(
        piece(flat(100, 4), {0: long()}), costs=account(taker="0.001", slippage="0.01"), sizing=desk.units(10)
    )

    found = figures(record)

    assert found["fees"] == pytest.approx(1.01 + 0.99)
    assert found["slippage"] == pytest.approx(20)
    assert found["net_pnl"] == pytest.approx(-22)


def test_a_run_without_trades_has_no_ratios() -> None:
    found = figures(desk.run(piece(flat(100, 30))))

    assert (found["trades"], found["net_pnl"], found["return_pct"], found["exposure_pct"]) == (0, 0, 0, 0)
    for name in ("win_rate", "profit_factor", "expectancy", "sharpe", "sortino", "cagr_pct", "avg_bars_held"):
        assert found[name] is None, name


@pytest.mark.parametrize(
    ("nets", "factor", "mode"),
    [
        ([], None, "none"),
        ([3, 1], None, "no_losses"),
        ([3, -2, 1], 2.0, "finite"),
        ([-1], 0.0, "finite"),
        ([0], None, "no_losses"),
    ],
)
def test_a_profit_factor_without_losses_is_none_and_says_so(nets: list[int], factor: float | None, mode: str) -> None:
    exact = [Decimal(net) for net in nets]

    assert profit_factor(exact) == factor
    assert profit_factor_mode(np.array(nets, dtype=np.int64)) == mode


def test_drawdown_is_the_fall_from_the_running_peak() -> None:
    equity = np.array([100, 120, 90, 110, 130, 117], dtype=np.int64)

    assert drawdowns(equity).tolist() == pytest.approx([0, 0, 0.25, 1 / 12, 0, 0.1])
    assert max_drawdown(equity) == 0.25
    assert max_drawdown(np.array([5], dtype=np.int64)) == 0


def test_session_returns_start_from_the_start_equity() -> None:
    assert session_returns(100, [110, 99]).tolist() == pytest.approx([0.1, -0.1])
    assert session_returns(100, []).size == 0
    assert session_returns(100, [110, 0]).size == 0


def test_sharpe_is_mean_over_deviation_times_the_root_of_sessions_a_year() -> None:
    returns = [0.01, -0.005, 0.002, 0.004, -0.001] * 4

    expected = statistics.mean(returns) / statistics.stdev(returns) * math.sqrt(252)

    assert sharpe(np.array(returns), 252) == pytest.approx(expected)
    assert sharpe(np.array(returns[:19]), 252) is None
    assert sharpe(np.zeros(30), 252) is None


def test_sortino_divides_by_the_root_mean_square_of_losses_over_all_sessions() -> None:
    returns = [0.01, -0.005, 0.002, 0.004, -0.001] * 4

    downside = math.sqrt(sum(min(value, 0) ** 2 for value in returns) / len(returns))

    assert sortino(np.array(returns), 365) == pytest.approx(statistics.mean(returns) / downside * math.sqrt(365))
    assert sortino(np.array(returns[:19]), 365) is None
    assert sortino(np.full(30, 0.01), 365) is None


def test_growth_a_year_needs_a_month_and_a_living_account() -> None:
    assert cagr(100, 121, int(2 * 365.25 * DAY)) == pytest.approx(10)
    assert cagr(100, 121, 29 * DAY) is None
    assert cagr(100, 0, 400 * DAY) is None


@pytest.mark.parametrize(
    ("flags", "longest"), [([], 0), ([True, True, False, True], 2), ([False], 0), ([False, True, True, True], 3)]
)
def test_a_streak_is_the_longest_run_of_true_values(flags: list[bool], longest: int) -> None:
    assert longest_streak(flags) == longest
