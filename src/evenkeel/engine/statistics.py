"""The figures of a run beyond those that a sweep ranks by: what they mean is in `metric_table`.

A figure that does not exist is None. Session statistics follow the definitions of scipy and empyrical, so that theirs
are equal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from evenkeel.engine.fill_table import FillTable, Legs
from evenkeel.engine.margin_history import joined, margin_figures
from evenkeel.engine.market import Market
from evenkeel.engine.metric_table import FIGURES
from evenkeel.engine.metrics import (
    POINTS_AT_ONCE,
    SESSIONS_MIN,
    deepest_fall,
    drawdowns,
    extremes,
    profit_factor_mode,
    session_returns,
    with_peaks,
)
from evenkeel.engine.record import RunRecord
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.instrument import Instrument
from evenkeel.model.number import POSTINGS_PER_UNIT, money_from_postings, postings_from_money, to_float
from evenkeel.model.time import DAY
from evenkeel.strategies.strategy import Strategy
from evenkeel.venues.simulated.book import Curve

Figures = dict[str, float | int | None]

TAIL = 0.05
"""Share of the worst sessions that value at risk and expected shortfall look at."""


def extra_figures(
    record: RunRecord, legs: Legs, market: Market, strategy: Strategy, sessions: Sequence[int],
    found: Mapping[str, float | int | None],
) -> dict[str, Any]:  # fmt: skip
    """Return the figures beside the contract's, in the order of `metric_table`.

    Args:
        record: The run.
        legs: Its closed legs.
        market: What it ran on.
        strategy: What ran.
        sessions: Equity at the end of each session, in counts of 1e-8.
        found: The figures of the contract, see `metrics`.
    """
    growth, fall = found["cagr_pct"], found["max_drawdown_pct"]
    figures: dict[str, Any] = {
        "profit_factor_mode": profit_factor_mode(legs.net),
        "calmar": growth / fall if growth is not None and fall else None,
        **extremes(legs, record), **of_legs(legs), **of_fundings(record), **of_entries(record, legs.fills),
        **of_returns(session_returns(postings_from_money(strategy.terms.account.start_equity), sessions)),
        **of_curve(record), **of_exposure(record, market, strategy.instrument),
        **of_benchmark(market, found["return_pct"] or 0.0),
        **margin_figures(record.fundings, legs.fills, market, strategy.terms, strategy.instrument),
        "dead_entries": len(record.dead_entries), "refusals": dict(sorted(record.refusals.items())),
        "sessions": len(sessions),
    }  # fmt: skip
    return {figure.key: figures[figure.key] for figure in FIGURES if figure.extra}


def of_returns(returns: Floats) -> Figures:
    """Return the shape of session returns: omega, skewness, excess kurtosis, value at risk, expected shortfall."""
    names = ("omega", "skew", "kurtosis", "var95_pct", "cvar95_pct")
    if len(returns) < SESSIONS_MIN:
        return dict.fromkeys(names)
    losses = -float(returns[returns < 0].sum())
    apart = returns - returns.mean()
    spread = float(np.mean(apart**2))
    worst = int((len(returns) - 1) * TAIL)
    return {
        "omega": float(returns[returns > 0].sum()) / losses if losses > 0.0 else None,
        "skew": float(np.mean(apart**3)) / spread**1.5 if spread > 0.0 else None,
        "kurtosis": float(np.mean(apart**4)) / spread**2 - 3.0 if spread > 0.0 else None,
        "var95_pct": float(np.percentile(returns, 100 * TAIL)) * 100.0,
        "cvar95_pct": float(np.mean(np.partition(returns, worst)[: worst + 1])) * 100.0,
    }


def of_legs(legs: Legs) -> Figures:
    """Return sums, rates and durations of closed legs."""
    net, held = legs.net, legs.fills.bars_held[legs.exit]
    won, lost = net > 0, net < 0
    gained, given = float(net[won].sum()), -float(net[lost].sum())
    wins, losses = int(np.count_nonzero(won)), int(np.count_nonzero(lost))
    return {
        "gross_pnl": float(money_from_postings(int(legs.gross.sum()))),
        "win_rate_long": _mean(won[legs.is_long]),
        "win_rate_short": _mean(won[~legs.is_long]),
        "payoff": (gained / wins) / (given / losses) if wins and losses else None,
        "avg_bars_held_win": _mean(held[won]),
        "avg_bars_held_loss": _mean(held[lost]),
        "max_bars_held": int(held.max()) if len(held) else None,
        "avg_mae_pct": _in_percent(_mean(legs.fills.adverse[legs.exit])),
        "avg_mfe_pct": _in_percent(_mean(legs.fills.favourable[legs.exit])),
    }


def _mean(values: npt.NDArray[Any]) -> float | None:
    return float(values.mean()) if len(values) else None


def _in_percent(value: float | None) -> float | None:
    return None if value is None else value * 100.0


def of_fundings(record: RunRecord) -> Figures:
    """Return what funding cost and what it brought, each for itself."""
    amounts = [funding.amount for funding in record.fundings]
    return {
        "funding_paid": float(-sum((amount for amount in amounts if amount < 0), Decimal(0))),
        "funding_received": float(sum((amount for amount in amounts if amount > 0), Decimal(0))),
    }


def of_entries(record: RunRecord, fills: FillTable) -> Figures:
    """Return how many entries were wished and how many of them came to nothing.

    The rest of an entry that died beside fills of its own is no entry that came to nothing.
    """
    entered = fills.is_entry
    opened = len(np.unique(fills.trade[entered]))
    filled = set(fills.decided_ns[entered].tolist())
    dead = sum(one.decided_ns not in filled for one in record.dead_entries)
    rejected = sum(record.refusals.values()) + dead
    attempts = opened + rejected
    return {
        "entry_attempts": attempts, "entry_rejections": rejected,
        "entry_rejection_rate": rejected / attempts if attempts else None,
    }  # fmt: skip


def of_curve(record: RunRecord) -> Figures:
    """Return how deep, how long and how painful the falls of the equity curve were."""
    equity = record.curve[Curve.EQUITY]
    falls = drawdowns(equity)
    below = longest_below(equity, record.times_ns)
    np.square(falls, out=falls)
    return {
        "max_drawdown": float(money_from_postings(deepest_fall(equity))),
        "max_drawdown_days": below / DAY,
        "ulcer_index_pct": float(np.sqrt(np.mean(falls))) * 100.0 if len(falls) else 0.0,
    }


def longest_below(equity: Ints, times_ns: Ints) -> int:
    """Return the longest time from a peak until equity is there again, or until the end, in nanoseconds."""
    if not len(equity):
        return 0
    parts = enumerate(with_peaks(equity))
    at_peak = np.concatenate([k * POINTS_AT_ONCE + np.flatnonzero(part >= peak) for k, (part, peak) in parts])
    spans = np.diff(np.append(at_peak, len(equity)))
    long = spans > 1
    ends = np.minimum(at_peak + spans, len(equity) - 1)
    return int((times_ns[ends] - times_ns[at_peak])[long].max(initial=0))


def of_exposure(record: RunRecord, market: Market, instrument: Instrument) -> Figures:
    """Return the value of the position over equity at the points of the curve, at the base close of each."""
    lots, equity = record.curve[Curve.LOTS], record.curve[Curve.EQUITY] / POSTINGS_PER_UNIT
    held = np.flatnonzero((lots != 0) & (equity > 0))
    if not len(held):
        return {"mean_exposure_pct": 0.0, "average_leverage": None}
    bases = [stretch.series.base for stretch in market.stretches]
    closes_ns, closes = joined([base.close_ns for base in bases]), joined([base.close for base in bases])
    at = np.searchsorted(closes_ns, record.times_ns[held], side="right") - 1
    unit = instrument.lot_grid.numerator / instrument.lot_grid.denominator * to_float(instrument.multiplier)
    value = np.abs(lots[held]) * unit * closes[at] / equity[held]
    return {
        "mean_exposure_pct": float(value.sum()) / len(lots) * 100.0,
        "average_leverage": float(value.mean()),
    }


def of_benchmark(market: Market, return_pct: float) -> Figures:
    """Return what the instrument itself did over the bars that could be traded, and what the run did beyond that."""
    traded = [one for one in market.stretches if one.first_exec < len(one.series.on(one.exec).bars)]
    if not traded:
        return {"benchmark_pct": None, "alpha_pct": None}
    first, base = traded[0], traded[0].series.base
    row = min(int(first.series.on(first.exec).last[first.first_exec]) + 1, len(base) - 1)
    moved = (float(traded[-1].series.base.close[-1]) / float(base.open[row]) - 1.0) * 100.0
    return {"benchmark_pct": moved, "alpha_pct": return_pct - moved}
