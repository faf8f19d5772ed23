"""Figures of a run beyond those that a sweep ranks by: by hand, and as scipy and empyrical have them."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import desk
from desk import account, flat, long, piece, short
from evenkeel.engine import statistics
from evenkeel.engine.margin_history import margin_figures
from evenkeel.engine.metric_table import BY_KEY, FIGURES
from evenkeel.engine.metrics import metrics, sharpe, sortino
from evenkeel.engine.record import RunRecord
from evenkeel.engine.research import run_research
from evenkeel.model.reason import Reason
from evenkeel.model.time import DAY, Timeframe
from evenkeel.strategies.terms import AccountTerms, MarginTerms, SizingTerms
from evenkeel.venues.simulated.carry import MarkBars, fundings

RETURNS = np.array([((i * 7919) % 41 - 19) / 1000 for i in range(60)])
"""Sixty returns between -1.9 % and 2.1 %, without a random number."""

CONTRACT = (
    "net_pnl", "return_pct", "trades", "win_rate", "profit_factor", "expectancy", "sharpe", "sortino",
    "max_drawdown_pct", "max_drawdown_intrabar_pct", "cagr_pct", "exposure_pct", "fees", "funding", "slippage",
    "avg_bars_held",
)  # fmt: skip
"""What the command line promises of `metrics`."""

TO_PUBLISH = {
    "net": "net_pnl", "gross": "gross_pnl", "fees": "fees", "funding paid": "funding_paid",
    "funding received": "funding_received", "funding net": "funding", "return": "return_pct",
    "benchmark": "benchmark_pct", "alpha": "alpha_pct", "CAGR": "cagr_pct", "drawdown abs": "max_drawdown",
    "drawdown pct": "max_drawdown_pct", "drawdown duration": "max_drawdown_days", "Sharpe": "sharpe",
    "Sortino": "sortino", "Calmar": "calmar", "Omega": "omega", "Ulcer": "ulcer_index_pct",
    "recovery": "recovery_factor", "profit factor": "profit_factor", "and mode": "profit_factor_mode",
    "expectancy": "expectancy", "payoff": "payoff", "win rates": "win_rate_long", "streaks": "longest_win_streak",
    "durations": "avg_bars_held", "time in market": "exposure_pct", "exposure": "mean_exposure_pct",
    "average leverage": "average_leverage", "entry attempts": "entry_attempts", "rejections": "entry_rejections",
    "and rate": "entry_rejection_rate", "min margin ratio": "min_margin_ratio", "margin calls": "margin_calls",
    "closest liquidation": "closest_liquidation_pct", "skew": "skew", "kurtosis": "kurtosis", "VaR95": "var95_pct",
    "CVaR95": "cvar95_pct", "MAE averages": "avg_mae_pct", "MFE averages": "avg_mfe_pct",
}  # fmt: skip
"""The list "Metrics to publish" of plays.md 6.12, and our names."""


def test_every_figure_of_the_list_is_published_and_defined() -> None:
    assert set(TO_PUBLISH.values()) <= set(BY_KEY)
    assert tuple(sorted(one.key for one in FIGURES if not one.extra)) == tuple(sorted(CONTRACT))
    assert all(one.meaning and one.source and one.title for one in FIGURES)
    assert len(BY_KEY) == len(FIGURES)


def test_t24_percent_is_in_the_name_and_nowhere_else() -> None:
    """T24: one unit only in every output."""
    for one in FIGURES:
        assert (one.unit == "percent") == one.key.endswith("_pct"), one.key


def test_the_page_of_the_figures_tells_every_one() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "metrics.md").read_text("utf-8")

    assert re.findall(r"^\| `(\w+)`", page, re.MULTILINE) == [one.key for one in FIGURES]


def test_the_shape_of_returns_is_that_of_scipy_and_empyrical() -> None:
    """scipy 1.17.1 and empyrical-reloaded 0.7.1 on the same returns, 252 sessions a year, in an environment of their
    own: `skew`, `kurtosis`, `omega_ratio`, `value_at_risk`, `conditional_value_at_risk`, `sharpe_ratio`,
    `sortino_ratio`."""
    found = statistics.of_returns(RETURNS)

    assert found == pytest.approx(
        {
            "omega": 1.0301003344481605, "skew": 0.045946878614365756, "kurtosis": -1.1731552003201284,
            "var95_pct": -1.8, "cvar95_pct": -1.8666666666666665,
        },
        rel=1e-12,
    )  # fmt: skip
    assert sharpe(RETURNS, 252) == pytest.approx(0.20091012984332116, rel=1e-12)
    assert sortino(RETURNS, 252) == pytest.approx(0.2920351562128722, rel=1e-12)


def test_the_shape_of_few_or_equal_returns_does_not_exist() -> None:
    assert set(statistics.of_returns(RETURNS[:19]).values()) == {None}
    still = statistics.of_returns(np.zeros(30))
    assert (still["omega"], still["skew"], still["kurtosis"], still["var95_pct"]) == (None, None, None, 0.0)


def run(part: desk.Piece, costs: AccountTerms, sizing: SizingTerms) -> tuple[RunRecord, dict[str, Any]]:
    """Run a script and return its record and all figures."""
    asset, exec_tf = desk.instrument(), Timeframe.parse("1m")
    strategy = desk.ScriptedStrategy(asset, desk.terms(costs, sizing), exec_tf)
    market = desk.market_of([desk.stretch_of(part, 0, Reason.END_OF_DATA, exec_tf)], asset)
    record = run_research(strategy, market)
    legs = record.legs()
    first = metrics(record, legs, start_equity=costs.start_equity, sessions=[], per_year=365)
    return record, {**first, **statistics.extra_figures(record, legs, market, strategy, [], first)}


RISE = [(100, 104, 98, 104), (104, 104, 104, 104)]
DROP = [(104, 106, 103, 103), (103, 103, 103, 103)]


def test_sums_rates_and_durations_by_hand() -> None:
    """Long +40, long -10, short +10 on ten units, at no cost."""
    rows = [*flat(100, 2), *RISE, *flat(104, 1), *DROP, *flat(103, 1), (103, 103, 102, 102), *flat(102, 4)]
    _, found = run(piece(rows, {0: long(), 3: long(), 6: short()}, [2, 5, 8]), account(), desk.units(10))

    assert found["gross_pnl"] == found["net_pnl"] == 40
    assert (found["win_rate_long"], found["win_rate_short"]) == (0.5, 1.0)
    assert found["payoff"] == pytest.approx(25 / 10)
    assert (found["entry_attempts"], found["entry_rejections"], found["entry_rejection_rate"]) == (3, 0, 0.0)
    held = [2, 2, 2]
    assert found["avg_bars_held"] == sum(held) / 3
    assert (found["avg_bars_held_win"], found["avg_bars_held_loss"], found["max_bars_held"]) == (2, 2, 2)
    # Adverse and favourable extremes: 2 and 4 of 100; 1 and 2 of 104; 0 and 1 of 103.
    assert found["avg_mae_pct"] == pytest.approx(100 * (2 / 100 + 1 / 104 + 0) / 3)
    assert found["avg_mfe_pct"] == pytest.approx(100 * (4 / 100 + 2 / 104 + 1 / 103) / 3)


def test_falls_of_the_curve_by_hand() -> None:
    """10,000 rises by 100, falls by 300 and 100, is back for a moment, and ends lower."""
    record = RunRecord(lane="research")
    record.times_ns = np.arange(7, dtype=np.int64) * DAY
    equity = np.array([10_000, 10_100, 9_800, 9_700, 9_900, 10_100, 10_000], dtype=np.int64) * 10**8
    record.curve = np.stack([equity, equity, np.zeros(7, dtype=np.int64)])

    found = statistics.of_curve(record)

    assert found["max_drawdown"] == 400
    assert found["max_drawdown_days"] == 4
    falls = [0, 0, 300, 400, 200, 0, 100]
    assert found["ulcer_index_pct"] == pytest.approx(100 * (sum((fall / 10_100) ** 2 for fall in falls) / 7) ** 0.5)


def test_exposure_leverage_and_benchmark_by_hand() -> None:
    """50 units of 100 on 10,000 are half of it; at 110 it is 5,500 of 10,500."""
    rows = [*flat(100, 3), (100, 110, 100, 110), (110, 110, 110, 110)]
    record, found = run(piece(rows, {0: long()}), account(), desk.units(50))

    points = record.curve.shape[1]
    held = [0.5, 0.5, 5_500 / 10_500]  # the fourth close is the end of the data, where it is sold
    assert found["average_leverage"] == pytest.approx(sum(held) / 3)
    assert found["mean_exposure_pct"] == pytest.approx(100 * sum(held) / points)
    assert found["benchmark_pct"] == pytest.approx(10.0)
    assert found["alpha_pct"] == pytest.approx(5.0 - 10.0)


def test_funding_is_told_apart() -> None:
    due = fundings(np.array([3, 4]), np.array([0.01, -0.03]))
    _, found = run(piece(flat(100, 7), {0: long()}, carry=due), account(), desk.units(1))

    assert (found["funding_paid"], found["funding_received"], found["funding"]) == (1, 3, 2)


def test_entries_that_came_to_nothing_are_counted_once() -> None:
    """Two refused (too small), one died at the end, one traded."""
    wishes = {0: long(stop=0.001), 1: long(stop=0.001), 2: long(), 5: long(kind="limit", price=1)}
    _, found = run(piece(flat(100, 9), wishes, [3]), account(), desk.units(1))

    assert (found["entry_attempts"], found["entry_rejections"]) == (4, 3)
    assert found["entry_rejection_rate"] == 0.75
    assert found["dead_entries"] == 1


TEN = {"max_leverage": Decimal(10), "model": "fixed_quantity", "value": Decimal(1)}
PERPETUAL = MarginTerms(liquidates=True, maintenance=Decimal("0.005"), min_distance=Decimal(0))


def test_margin_ratio_distance_and_calls_by_hand() -> None:
    """One unit at 50,000, leverage 10, taker 5.5 bps: margin 5,000, liquidation at 45,251.14 (golden vector 1).

    The low of 46,000 leaves 5,000 - 4,000 of margin beside 46,000 * 0.00555 of maintenance.
    """
    rows = [*flat(50_000, 3), (50_000, 50_000, 46_000, 47_000), *flat(47_000, 2)]
    costs = account(taker="0.00055", start_equity=6_000, max_position="1", margin=PERPETUAL, include_close_fee=False)
    _, found = run(piece(rows, {0: long()}), costs, SizingTerms(**TEN))

    assert found["min_margin_ratio"] == pytest.approx(1_000 / (46_000 * 0.00555))
    assert found["closest_liquidation_pct"] == pytest.approx(100 * (46_000 / 45_251.1438483584 - 1), rel=1e-9)
    # 6,000 - 27.50 - 3,000 = 2,972.50 is below the margin of 5,000 from that close on: one call.
    assert found["margin_calls"] == 1


def test_the_mark_price_counts_where_there_is_one() -> None:
    rows = flat(50_000, 6)
    opened, high, low = (np.where(np.arange(6) == 3, price, np.nan) for price in (50_000.0, 50_000.0, 46_000.0))
    costs = account(taker="0.00055", start_equity=60_000, margin=PERPETUAL)
    _, found = run(piece(rows, {0: long()}, mark=MarkBars(opened, high, low)), costs, SizingTerms(**TEN))

    assert found["min_margin_ratio"] == pytest.approx(1_000 / (46_000 * 0.00555))


def test_a_liquidation_is_as_close_as_can_be() -> None:
    rows = [*flat(50_000, 3), (50_000, 50_000, 44_000, 47_000), *flat(47_000, 2)]
    costs = account(taker="0.00055", start_equity=60_000, margin=PERPETUAL)
    _, found = run(piece(rows, {0: long()}), costs, SizingTerms(**TEN))

    assert found["closest_liquidation_pct"] == 0.0
    assert found["min_margin_ratio"] < 1.0


def test_without_margin_there_is_nothing_to_watch() -> None:
    _, found = run(piece(flat(100, 6), {0: long()}), account(), desk.units(1))

    assert (found["min_margin_ratio"], found["margin_calls"], found["closest_liquidation_pct"]) == (None, None, None)
    assert margin_figures is not None
