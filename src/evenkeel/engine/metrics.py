"""Figures of a run. A ratio that does not exist is None: never 0, never infinite.

Units: `_pct` is percent, every other ratio is a fraction, money is account currency. Definitions:

    win_rate          trades with net > 0 over all trades
    profit_factor     sum of positive net over sum of negative net; None without losses
    expectancy        mean net of a trade
    sharpe            mean over standard deviation (n - 1) of session returns, times the root of sessions per year
    sortino           mean over the root mean square of negative session returns, annualised alike
    max_drawdown_pct  deepest fall from the peak over the points of the equity curve; `_intrabar` at every base close
    cagr_pct          growth a year of 365.25 days; None under 30 days
    exposure_pct      share of execution bars at whose close a position is held
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from evenkeel.engine.fill_table import Legs
from evenkeel.engine.record import RunRecord
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.number import POSTINGS_PER_UNIT, money_from_postings, postings_from_money
from evenkeel.model.time import DAY
from evenkeel.venues.simulated.book import Curve

SESSIONS_MIN = 20
"""Under so many sessions a Sharpe ratio is noise and is not shown."""

POINTS_AT_ONCE = 65_536
"""So many points of a curve are looked at together: their peaks stay near the core that looks at them."""

CAGR_DAYS_MIN = 30
_YEAR_DAYS = 365.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """All that the figures of a run follow from, besides its sessions. Money is a count of 1e-8 of account currency.

    Attributes:
        trades: Closed legs.
        wins: Those that brought money.
        net: Of all of them, after all costs.
        gains: Of those that brought money.
        losses: Of those that cost money, positive.
        fees: Paid.
        funding: Received (+) or paid.
        slippage: Inside the prices already.
        bars_held: Execution bars, over all legs.
        points: Of the equity curve.
        held: Those with a position.
        end: Equity at the last.
        deepest: Deepest fall from the peak over the points, as a fraction.
        deepest_intrabar: The same over all base closes.
        duration_ns: From the first point to the last.
    """

    trades: int
    wins: int
    net: int
    gains: int
    losses: int
    fees: int
    funding: int
    slippage: int
    bars_held: int
    points: int
    held: int
    end: int
    deepest: float
    deepest_intrabar: float
    duration_ns: int


def metrics(
    record: RunRecord, legs: Legs, *, start_equity: Decimal, sessions: Sequence[int], per_year: float
) -> dict[str, float | int | None]:
    """Return the figures of a run.

    Args:
        record: The run.
        legs: Its closed legs.
        start_equity: Money at the start.
        sessions: Equity at the end of each session, in counts of 1e-8.
        per_year: Sessions a year.
    """
    return figures(sums_of(record, legs), start_equity=start_equity, sessions=sessions, per_year=per_year)


def sums_of(record: RunRecord, legs: Legs) -> Sums:
    """Return the sums of a run."""
    equity, net = record.curve[Curve.EQUITY], legs.net
    return Sums(
        trades=len(legs), wins=int(np.count_nonzero(net > 0)), net=_total(net), gains=_total(net[net > 0]),
        losses=-_total(net[net < 0]), fees=_total(legs.fees), funding=_total(legs.funding),
        slippage=_total(legs.fills.slippage), bars_held=int(legs.fills.bars_held[legs.exit].sum()), points=len(equity),
        held=int(np.count_nonzero(record.curve[Curve.LOTS])), end=int(equity[-1]), deepest=max_drawdown(equity),
        deepest_intrabar=record.drawdown_intrabar, duration_ns=int(record.times_ns[-1] - record.times_ns[0]),
    )  # fmt: skip


def figures(
    sums: Sums, *, start_equity: Decimal, sessions: Sequence[int], per_year: float
) -> dict[str, float | int | None]:
    """Return the figures that follow from the sums of a run; arguments as of `metrics`."""
    start = postings_from_money(start_equity)
    returns = session_returns(start, sessions)
    net, count = money_from_postings(sums.net), sums.trades
    return {
        "net_pnl": float(net),
        "return_pct": (sums.end / start - 1.0) * 100.0,
        "trades": count,
        "win_rate": sums.wins / count if count else None,
        "profit_factor": float(Decimal(sums.gains) / Decimal(sums.losses)) if sums.losses else None,
        "expectancy": float(net / count) if count else None,
        "sharpe": sharpe(returns, per_year),
        "sortino": sortino(returns, per_year),
        "max_drawdown_pct": sums.deepest * 100.0,
        "max_drawdown_intrabar_pct": sums.deepest_intrabar * 100.0,
        "cagr_pct": cagr(start, sums.end, sums.duration_ns),
        "exposure_pct": float(sums.held / sums.points * 100.0),
        "fees": float(money_from_postings(sums.fees)),
        "funding": float(money_from_postings(sums.funding)),
        "slippage": float(money_from_postings(sums.slippage)),
        "avg_bars_held": sums.bars_held / count if count else None,
    }


def _total(counts: Ints) -> int:
    """Return the sum of counts of 1e-8."""
    return int(counts.sum())


def extremes(legs: Legs, record: RunRecord) -> dict[str, float | int | None]:
    """Return counts, sums and extremes of legs, and the net over the deepest fall in money."""
    net, equity = legs.net, record.curve[Curve.EQUITY]
    won, lost = net > 0, net < 0
    fall = deepest_fall(equity)
    return {
        "wins": int(np.count_nonzero(won)), "losses": int(np.count_nonzero(lost)),
        "breakeven": int(np.count_nonzero(net == 0)), "longs": int(np.count_nonzero(legs.is_long)),
        "shorts": int(np.count_nonzero(~legs.is_long)), "gross_profit": _money(_total(net[won])),
        "gross_loss": _money(-_total(net[lost])), "largest_win": _money(int(net.max())) if won.any() else None,
        "largest_loss": _money(int(net.min())) if lost.any() else None,
        "longest_win_streak": longest_streak(won.tolist()), "longest_loss_streak": longest_streak(lost.tolist()),
        "recovery_factor": _total(net) / fall if fall else None,
    }  # fmt: skip


def _money(count: int) -> float:
    return float(money_from_postings(count))


def longest_streak(flags: Sequence[bool]) -> int:
    """Return the length of the longest run of true values."""
    longest = current = 0
    for flag in flags:
        current = current + 1 if flag else 0
        longest = max(longest, current)
    return longest


def profit_factor(nets: Sequence[Decimal]) -> float | None:
    """Return gains over losses, None without losses."""
    gains = sum((net for net in nets if net > 0), Decimal(0))
    losses = -sum((net for net in nets if net < 0), Decimal(0))
    return float(gains / losses) if losses else None


def profit_factor_mode(nets: Ints) -> str:
    """Return how to read the profit factor: `finite`, `no_losses` or `none`."""
    if not len(nets):
        return "none"
    return "finite" if (nets < 0).any() else "no_losses"


def with_peaks(equity: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Yield a curve with its running peak, part by part: no second curve lies in memory."""
    top = None
    for start in range(0, len(equity), POINTS_AT_ONCE):
        part = equity[start : start + POINTS_AT_ONCE]
        peak = np.maximum.accumulate(part)
        if top is not None:
            np.maximum(peak, top, out=peak)
        top = peak[-1]
        yield part, peak


def deepest_fall(equity: Ints) -> int:
    """Return the deepest fall from the running peak."""
    return max((int((peak - part).max()) for part, peak in with_peaks(equity)), default=0)


def max_drawdown(equity: Ints) -> float:
    """Return the deepest fall from the running peak as a fraction of that peak."""
    return max((float(_fractions(part, peak).max()) for part, peak in with_peaks(equity)), default=0.0)


def drawdowns(equity: Ints) -> Floats:
    """Return the fall from the running peak at each point, as a fraction of the peak."""
    falls, done = np.empty(len(equity)), 0
    for part, peak in with_peaks(equity):
        falls[done : done + len(part)] = _fractions(part, peak)
        done += len(part)
    return falls


def _fractions(equity: Ints, peaks: Ints) -> Floats:
    peak = peaks.astype(np.float64)
    fall: Floats = peak - equity
    np.divide(fall, peak, out=fall, where=peak > 0)
    fall[peak <= 0] = 0.0
    return fall


def session_returns(start: int, sessions: Sequence[int]) -> Floats:
    """Return the simple return of each session."""
    values = np.array([start, *sessions], dtype=np.float64) / POSTINGS_PER_UNIT
    return values[1:] / values[:-1] - 1.0 if len(values) > 1 and (values > 0).all() else np.zeros(0)


def sharpe(returns: Floats, per_year: float) -> float | None:
    """Return the annualised Sharpe ratio, risk-free rate 0."""
    if len(returns) < SESSIONS_MIN:
        return None
    deviation = float(np.std(returns, ddof=1))
    return float(np.mean(returns)) / deviation * math.sqrt(per_year) if deviation > 0.0 else None


def sortino(returns: Floats, per_year: float) -> float | None:
    """Return the annualised Sortino ratio, target 0."""
    if len(returns) < SESSIONS_MIN:
        return None
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2)))
    return float(np.mean(returns)) / downside * math.sqrt(per_year) if downside > 0.0 else None


def cagr(start: int, end: int, duration_ns: int) -> float | None:
    """Return the growth a year in percent."""
    days = duration_ns / DAY
    if days < CAGR_DAYS_MIN or end <= 0:
        return None
    return float(((end / start) ** (_YEAR_DAYS / days) - 1.0) * 100.0)
