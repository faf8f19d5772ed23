"""Figures that a report derives from trades and equity: extremes, streaks, months, returns of single trades."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np

from evenkeel.model.time import SECOND
from evenkeel.monitor.report.run_files import EquityCurve, Trade


@dataclass(frozen=True, slots=True)
class Extremes:
    """What single trades were like; money in the account currency, None where there is no such trade."""

    best: Decimal | None
    worst: Decimal | None
    median: Decimal | None
    average_win: Decimal | None
    average_loss: Decimal | None
    losing_streak: int
    wins: int
    losses: int
    longs: int
    shorts: int
    net_long: Decimal
    net_short: Decimal
    median_held_ns: int | None

    @property
    def payoff(self) -> Decimal | None:
        """Average win over average loss."""
        if self.average_win is None or self.average_loss is None:
            return None
        return self.average_win / -self.average_loss


def extremes(trades: Sequence[Trade]) -> Extremes:
    """Return what the single trades were like."""
    nets = [trade.net for trade in trades]
    wins = [net for net in nets if net > 0]
    losses = [net for net in nets if net < 0]
    longs = [trade.net for trade in trades if trade.side == "long"]
    return Extremes(
        best=max(nets, default=None),
        worst=min(nets, default=None),
        median=statistics.median(nets) if nets else None,
        average_win=_mean(wins),
        average_loss=_mean(losses),
        losing_streak=longest_run(net < 0 for net in nets),
        wins=len(wins),
        losses=len(losses),
        longs=len(longs),
        shorts=len(nets) - len(longs),
        net_long=sum(longs, Decimal(0)),
        net_short=sum(nets, Decimal(0)) - sum(longs, Decimal(0)),
        median_held_ns=int(statistics.median(t.exit_ns - t.entry_ns for t in trades)) if trades else None,
    )


def _mean(amounts: list[Decimal]) -> Decimal | None:
    return sum(amounts, Decimal(0)) / len(amounts) if amounts else None


def longest_run(flags: Iterable[bool]) -> int:
    """Return the length of the longest unbroken run of true values."""
    longest = current = 0
    for flag in flags:
        current = current + 1 if flag else 0
        longest = max(longest, current)
    return longest


def trade_return(trade: Trade, multiplier: Decimal) -> float | None:
    """Return net profit over the value of the position at entry, a fraction; None for a position worth nothing."""
    notional = trade.entry_price * trade.quantity * multiplier
    return float(trade.net / notional) if notional > 0 else None


def monthly_returns(curve: EquityCurve, start_equity: float) -> dict[int, dict[int, float]]:
    """Return the account's change of each UTC month by year and month, fractions of the equity at its beginning.

    A month without a bar is absent; a month that began at or below zero ends the table.
    """
    if not len(curve.time_ns):
        return {}
    # A point stands for the bar that closes at it: midnight of the first belongs to the month before.
    seconds = (curve.time_ns - 1) // SECOND
    month = seconds.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    last = np.flatnonzero(np.append(np.diff(month) != 0, True))
    table: dict[int, dict[int, float]] = {}
    before = start_equity
    for index in last:
        if before <= 0:
            break
        at = datetime.fromtimestamp(int(seconds[index]), UTC)
        after = float(curve.equity[index])
        table.setdefault(at.year, {})[at.month] = after / before - 1.0
        before = after
    return table


def compounded(returns: Iterable[float]) -> float:
    """Return several returns one after the other as one."""
    level = 1.0
    for part in returns:
        level *= 1.0 + part
    return level - 1.0
