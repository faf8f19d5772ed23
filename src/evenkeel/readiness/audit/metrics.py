"""The metrics of `result.json`, derived again from trades and equity points.

`SUMMARY` (13), `METRIC_COUNTS` (16), `METRIC_PNL` (17), `METRIC_RATES` (18), `METRIC_EXTREMES` (19),
`METRIC_DRAWDOWN` (20), `METRIC_RISK` (21), `METRIC_DURATION` (22), `METRIC_QUALITY` (23), `METRIC_GROWTH` and
`METRIC_EXPOSURE`. Ratios are fractions, names in `_pct` percent. A ratio that does not exist must be null.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise

import numpy as np
import polars as pl

from evenkeel.readiness.audit.artifacts import Run
from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.curve import Curve
from evenkeel.readiness.audit.equity import NO_POINTS
from evenkeel.readiness.audit.moment import DAY_NS
from evenkeel.readiness.audit.number import HUNDRED, ONE, ZERO, ratio, same_money, same_statistic

Figures = dict[str, Decimal | None]

SESSIONS_MIN = 20
"""Sharpe and Sortino ratios do not exist over fewer sessions."""

YEAR_NS = DAY_NS * 36525 // 100
CAGR_NS_MIN = 30 * DAY_NS
"""A growth rate per year does not exist over a shorter range."""


def _compare(run: Run, section: str, figures: Figures, *, money: bool = False) -> Iterable[str]:
    for key, derived in figures.items():
        recorded = run.result.optional_number(f"{section}.{key}")
        if money and recorded is not None and derived is not None:
            agrees = same_money(recorded, derived)
        else:
            agrees = same_statistic(recorded, derived)
        if not agrees:
            yield f"{key} is {recorded}, derived: {derived if derived is None else format(derived, '.10f')}"


def _check(run: Run, name: str, figures: Figures, *, money: bool = False) -> Check:
    return judged(name, _compare(run, "metrics", figures, money=money), f"{', '.join(figures)}")


def _extra(run: Run, name: str, figures: Figures) -> Check:
    """Compare those figures that `metrics_extra` has; none of them is a check that did not run."""
    present = {key: value for key, value in figures.items() if run.result.has(f"metrics_extra.{key}")}
    if not present:
        return skipped(name, f"the result has none of {', '.join(figures)} in metrics_extra")
    return judged(name, _compare(run, "metrics_extra", present), f"{', '.join(present)}")


def _money(counts: Iterable[int]) -> Decimal:
    """Return the sum of amounts in whole numbers of 1e-8."""
    return Decimal(sum(counts)).scaleb(-8)


def _sum(values: Iterable[Decimal]) -> Decimal:
    return sum(values, ZERO)


def _mean(values: list[Decimal]) -> Decimal | None:
    return ratio(_sum(values), Decimal(len(values)))


def summary(run: Run) -> Check:
    """Check that the figures of the summary agree among themselves, without looking at the trades."""
    number = run.result.optional_number
    count, net, start = number("metrics.trades"), number("metrics.net_pnl"), run.terms.start_equity
    end, win_rate, factor = number("account.end_equity"), number("metrics.win_rate"), number("metrics.profit_factor")
    problems = []
    if count is None or net is None or end is None:
        return judged("SUMMARY", ["trades, net_pnl and end_equity may not be null"], "")
    if not same_money(end - start, net):
        problems.append(f"the account moved by {end - start}, net_pnl is {net}")
    if (win_rate is None) != (count == 0) or not ZERO <= (win_rate or ZERO) <= ONE:
        problems.append(f"win_rate is {win_rate} over {count} trades; it is a fraction, null without trades")
    if win_rate is not None and not same_statistic(win_rate * count, (win_rate * count).to_integral_value()):
        problems.append(f"win_rate {win_rate} of {count} trades is no whole number of wins")
    if factor is not None and (factor < 0 or (factor > 1) != (net > 0)) and factor != 1:
        problems.append(f"profit_factor is {factor} with a net result of {net}")
    return judged("SUMMARY", problems, "end equity, net_pnl, trades, win_rate and profit_factor agree")


def counts(run: Run) -> Check:
    """Check numbers of trades: all, and where the result has them wins, losses, longs and shorts."""
    nets = np.array(run.nets, dtype=np.int64)
    longs = int(run.trades.values("side", "sign").is_in(("long", "1")).sum())
    extra: Figures = {
        "wins": Decimal(int((nets > 0).sum())),
        "losses": Decimal(int((nets < 0).sum())),
        "breakeven": Decimal(int((nets == 0).sum())),
        "longs": Decimal(longs),
        "shorts": Decimal(len(nets) - longs),
    }
    present = {key: value for key, value in extra.items() if run.result.has(f"metrics_extra.{key}")}
    problems = [
        *_compare(run, "metrics", {"trades": Decimal(len(nets))}),
        *_compare(run, "metrics_extra", present),
    ]
    return judged("METRIC_COUNTS", problems, ", ".join(["trades", *present]))


def profit(run: Run) -> Check:
    """Check the sums of money and the expectancy, the mean net result of a trade."""
    figures: Figures = {
        "net_pnl": _money(run.nets),
        "fees": run.trades.total("fees"),
        "funding": run.trades.total("funding"),
        "slippage": run.trades.total("slippage"),
        "expectancy": ratio(_money(run.nets), Decimal(len(run.nets))),
    }
    return _check(run, "METRIC_PNL", figures, money=True)


def rates(run: Run) -> Check:
    """Check win rate (wins over all trades) and profit factor (gains over losses, null without a loss)."""
    nets = run.nets
    gained, lost = [net for net in nets if net > 0], [net for net in nets if net < 0]
    gains, losses, wins = _money(gained), -_money(lost), Decimal(len(gained))
    figures = {"win_rate": ratio(wins, Decimal(len(nets))), "profit_factor": ratio(gains, losses)}
    return _check(run, "METRIC_RATES", figures)


def extremes(run: Run) -> Check:
    """Check the largest win and loss and the longest streaks, where the result has them."""
    nets = run.nets
    best, worst = max(nets, default=0), min(nets, default=0)
    won, lost = [net > 0 for net in nets], [net < 0 for net in nets]
    figures: Figures = {
        "gross_profit": _money([net for net in nets if net > 0]),
        "gross_loss": -_money([net for net in nets if net < 0]),
        "largest_win": _money([best]) if best > 0 else None,
        "largest_loss": _money([worst]) if worst < 0 else None,
        "longest_win_streak": Decimal(_longest(won)),
        "longest_loss_streak": Decimal(_longest(lost)),
    }
    return _extra(run, "METRIC_EXTREMES", figures)


def _longest(flags: Sequence[bool]) -> int:
    """Return the length of the longest run of what holds."""
    ends = np.flatnonzero(np.diff(np.array([False, *flags, False]).astype(np.int8)))
    return int(np.diff(ends)[::2].max(initial=0))


def drawdown(run: Run, curve: Curve) -> Check:
    """Check the largest drawdown over the equity points, in percent."""
    if not curve.count:
        return skipped("METRIC_DRAWDOWN", NO_POINTS)
    largest = (curve.peak - curve.low) / curve.peak * HUNDRED  # found in float64, computed in `Decimal`
    return _check(run, "METRIC_DRAWDOWN", {"max_drawdown_pct": largest})


def risk_ratios(run: Run) -> Check:
    """Check Sharpe and Sortino ratios over session returns, annualised by the sessions of a year."""
    name = "METRIC_RISK"
    if run.sessions is None:
        return skipped(name, "the run wrote no sessions.parquet")
    if run.terms.sessions_per_year is None:
        return skipped(name, "the manifest has no data.sessions_per_year")
    returns = _session_returns(run.terms.start_equity, run.sessions["equity"].to_list())
    figures = {"sharpe": _sharpe(returns), "sortino": _sortino(returns)}
    year = run.terms.sessions_per_year.sqrt()
    return _check(run, name, {key: None if value is None else value * year for key, value in figures.items()})


def _session_returns(start: Decimal, equities: list[Decimal]) -> list[Decimal]:
    """Return the simple return of each session; none where the account was empty at the end of one."""
    if any(equity <= 0 for equity in equities):
        return []
    return [after / before - ONE for before, after in pairwise([start, *equities])]


def _sharpe(returns: list[Decimal]) -> Decimal | None:
    mean = _mean(returns)
    if mean is None or len(returns) < SESSIONS_MIN:
        return None
    variance = _sum((value - mean) ** 2 for value in returns) / (len(returns) - 1)
    return ratio(mean, variance.sqrt())


def _sortino(returns: list[Decimal]) -> Decimal | None:
    mean = _mean(returns)
    if mean is None or len(returns) < SESSIONS_MIN:
        return None
    below = _sum(min(value, ZERO) ** 2 for value in returns) / len(returns)
    return ratio(mean, below.sqrt())


def growth(run: Run) -> Check:
    """Check the return and the growth rate per year of the time that the equity curve spans, both in percent."""
    start, end = run.terms.start_equity, run.final_equity
    times = run.equity.times
    length = int(times[-1] - times[0]) if len(times) else 0
    yearly: Decimal | None = None
    if length >= CAGR_NS_MIN and end > 0:
        yearly = ((end / start) ** (Decimal(YEAR_NS) / Decimal(length)) - ONE) * HUNDRED
    return _check(run, "METRIC_GROWTH", {"return_pct": (end / start - ONE) * HUNDRED, "cagr_pct": yearly})


def exposure(run: Run, curve: Curve) -> Check:
    """Check the share of equity points with an open position, in percent."""
    if not curve.count:
        return skipped("METRIC_EXPOSURE", NO_POINTS)
    return _check(run, "METRIC_EXPOSURE", {"exposure_pct": HUNDRED * curve.held / curve.count})


def duration(run: Run) -> Check:
    """Check the mean number of bars held, null without trades."""
    return _check(run, "METRIC_DURATION", {"avg_bars_held": _bars_held(run)})


def _bars_held(run: Run) -> Decimal | None:
    texts = run.trades.values("bars_held", "bars_held")
    held = Decimal(int(texts.cast(pl.Int64).sum())) if texts.str.contains(r"^\d{1,9}$").all() else None
    total = _sum(trade.bars_held for trade in run.trades) if held is None else held
    return ratio(total, Decimal(len(run.trades)))


def quality(run: Run, curve: Curve) -> Check:
    """Check the recovery factor, net result over largest drawdown in money, where the result has it."""
    return _extra(run, "METRIC_QUALITY", {"recovery_factor": ratio(_money(run.nets), curve.deepest)})
