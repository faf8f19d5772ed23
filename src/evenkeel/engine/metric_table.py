"""What each figure of a run is: the one table behind `result.json`, the report and docs/reference/metrics.md.

Units: `percent` figures end in `_pct` (2 is 2 %), `fraction` is a ratio (0.5 is a half), `money` is account currency,
`bars` are execution bars. A figure that does not exist is null, never 0 and never infinite. Money is the exact sum of
postings; statistics are float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["money", "percent", "fraction", "ratio", "count", "bars", "days", "word"]

FEW = "null under 20 sessions"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Attributes:
        key: Its name in `result.json`.
        group: Heading under which it is shown.
        title: Its name for people.
        unit: What it counts in.
        meaning: Its definition, and when it does not exist.
        source: Where the definition comes from.
        extra: Whether it stands in `metrics_extra` instead of `metrics`.
    """

    key: str
    group: str
    title: str
    unit: Unit
    meaning: str
    source: str
    extra: bool = True


_SPEC, _RULING = "plays.md 6.12", "ruling 62"
_RESULT, _RISK, _TRADES, _COSTS, _SHAPE, _ORDERS, _MARGIN = (
    "Result", "Risk", "Trades", "Costs", "Shape of returns", "Orders", "Margin",
)  # fmt: skip

FIGURES: tuple[Figure, ...] = (
    Figure("net_pnl", _RESULT, "Net profit", "money", "sum of net over closed legs: gross - fees + funding", _SPEC,
           extra=False),
    Figure("gross_pnl", _RESULT, "Gross profit and loss", "money",
           "sum of side * quantity * multiplier * (exit - entry) over closed legs, at prices after slippage", _SPEC),
    Figure("return_pct", _RESULT, "Return", "percent", "end equity / start equity - 1", _SPEC, extra=False),
    Figure("benchmark_pct", _RESULT, "The instrument itself", "percent",
           "last close / first open of the bars that could be traded, - 1: held without leverage and costs", _SPEC),
    Figure("alpha_pct", _RESULT, "Return above the instrument's", "percent", "return_pct - benchmark_pct", _SPEC),
    Figure("cagr_pct", _RESULT, "Return a year", "percent",
           "(end / start) ^ (365.25 / days) - 1; null under 30 days", _SPEC, extra=False),
    Figure("sharpe", _RESULT, "Sharpe ratio", "ratio",
           f"mean / standard deviation (n - 1) of session returns, times root of sessions a year, risk-free 0; {FEW}",
           f"{_RULING}; Sharpe 1994", extra=False),
    Figure("sortino", _RESULT, "Sortino ratio", "ratio",
           f"mean / root mean square of negative session returns (all sessions counted), annualised alike; {FEW}",
           f"{_RULING}; Sortino and Price 1994", extra=False),
    Figure("calmar", _RESULT, "Calmar ratio", "ratio",
           "cagr_pct / max_drawdown_pct; null without either", f"{_SPEC}; Young 1991"),
    Figure("omega", _RESULT, "Omega ratio", "ratio",
           f"sum of positive over sum of negative session returns, threshold 0; null without a loss; {FEW}",
           f"{_SPEC}; Keating and Shadwick 2002"),
    Figure("recovery_factor", _RESULT, "Recovery factor", "ratio",
           "net_pnl / max_drawdown; null without a fall", f"{_SPEC}, check 23"),
    Figure("max_drawdown", _RISK, "Deepest fall in money", "money",
           "largest (peak - equity) over the points of the curve; its own maximum, not that of the percentage",
           f"{_SPEC}, check 20"),
    Figure("max_drawdown_pct", _RISK, "Deepest drawdown", "percent",
           "largest (peak - equity) / peak over the points of the curve", f"{_RULING}", extra=False),
    Figure("max_drawdown_intrabar_pct", _RISK, "Deepest drawdown within bars", "percent",
           "the same over every base close and the last fill", f"{_RULING}", extra=False),
    Figure("max_drawdown_days", _RISK, "Longest time below a peak", "days",
           "longest span from a peak of the curve until equity is there again, or until the end", _SPEC),
    Figure("ulcer_index_pct", _RISK, "Ulcer index", "percent",
           "root mean square of the drawdown over the points of the curve", f"{_SPEC}; Martin and McCann 1989"),
    Figure("exposure_pct", _RISK, "Time in the market", "percent",
           "share of the points of the curve at which a position is held", _SPEC, extra=False),
    Figure("mean_exposure_pct", _RISK, "Mean exposure", "percent",
           "mean over all points of the curve of position value / equity, at the close", _SPEC),
    Figure("average_leverage", _RISK, "Average leverage", "ratio",
           "mean of position value / equity over the points at which a position is held; null without any", _SPEC),
    Figure("trades", _TRADES, "Trades", "count", "closed legs: rows of trades.csv", "ruling 61", extra=False),
    Figure("wins", _TRADES, "Winners", "count", "legs with net above 0", f"{_SPEC}, check 16"),
    Figure("losses", _TRADES, "Losers", "count", "legs with net below 0", f"{_SPEC}, check 16"),
    Figure("breakeven", _TRADES, "Neither", "count", "legs with net of exactly 0", f"{_SPEC}, check 13"),
    Figure("longs", _TRADES, "Long", "count", "legs of long positions", f"{_SPEC}, check 16"),
    Figure("shorts", _TRADES, "Short", "count", "legs of short positions", f"{_SPEC}, check 16"),
    Figure("win_rate", _TRADES, "Share of winners", "fraction", "wins / trades; null without trades", _SPEC,
           extra=False),
    Figure("win_rate_long", _TRADES, "Share of winners, long", "fraction", "wins / longs; null without any",
           f"{_SPEC}, check 18"),
    Figure("win_rate_short", _TRADES, "Share of winners, short", "fraction", "wins / shorts; null without any",
           f"{_SPEC}, check 18"),
    Figure("profit_factor", _TRADES, "Profit factor", "ratio", "gross_profit / gross_loss; null without losses",
           _RULING, extra=False),
    Figure("profit_factor_mode", _TRADES, "How to read it", "word",
           "`finite`, `no_losses` (the factor is null) or `none` (no trades)", _RULING),
    Figure("gross_profit", _TRADES, "Sum of gains", "money", "sum of net over winners", f"{_SPEC}, check 17"),
    Figure("gross_loss", _TRADES, "Sum of losses", "money", "- sum of net over losers", f"{_SPEC}, check 17"),
    Figure("expectancy", _TRADES, "Average trade", "money", "net_pnl / trades; null without trades", _SPEC,
           extra=False),
    Figure("payoff", _TRADES, "Average win over average loss", "ratio",
           "(gross_profit / wins) / (gross_loss / losses); null without either", f"{_SPEC}, check 18"),
    Figure("largest_win", _TRADES, "Best trade", "money", "largest net; null without a winner", f"{_SPEC}, check 19"),
    Figure("largest_loss", _TRADES, "Worst trade", "money", "smallest net; null without a loser",
           f"{_SPEC}, check 19"),
    Figure("longest_win_streak", _TRADES, "Winners in a row", "count", "longest run of winners",
           f"{_SPEC}, check 19"),
    Figure("longest_loss_streak", _TRADES, "Losers in a row", "count", "longest run of losers", f"{_SPEC}, check 19"),
    Figure("avg_bars_held", _TRADES, "Bars held on average", "bars",
           "mean of the bars held of a leg; null without trades", f"{_SPEC}, check 22", extra=False),
    Figure("avg_bars_held_win", _TRADES, "Bars held, winners", "bars", "the same over winners", _SPEC),
    Figure("avg_bars_held_loss", _TRADES, "Bars held, losers", "bars", "the same over losers", _SPEC),
    Figure("max_bars_held", _TRADES, "Bars held at most", "bars", "largest of them; null without trades", _SPEC),
    Figure("avg_mae_pct", _TRADES, "Furthest against us, on average", "percent",
           "mean over legs of the largest adverse move from the entry, as far as certainly held", _SPEC),
    Figure("avg_mfe_pct", _TRADES, "Furthest for us, on average", "percent",
           "mean over legs of the largest favourable move from the entry, as far as certainly held", _SPEC),
    Figure("fees", _COSTS, "Fees paid", "money", "sum of the fees of all fills", _SPEC, extra=False),
    Figure("slippage", _COSTS, "Slippage, inside the prices", "money",
           "sum over fills of what slippage and impact cost; never subtracted again", "ruling 8", extra=False),
    Figure("funding", _COSTS, "Funding, net", "money", "funding_received - funding_paid", _SPEC, extra=False),
    Figure("funding_paid", _COSTS, "Funding paid", "money", "- sum of the payments that cost money", _SPEC),
    Figure("funding_received", _COSTS, "Funding received", "money", "sum of the payments that brought money", _SPEC),
    Figure("skew", _SHAPE, "Skewness", "ratio",
           f"m3 / m2^1.5 of session returns, moments about the mean divided by n; {FEW}", f"{_SPEC}; scipy.stats.skew"),
    Figure("kurtosis", _SHAPE, "Excess kurtosis", "ratio", f"m4 / m2^2 - 3 of session returns; {FEW}",
           f"{_SPEC}; scipy.stats.kurtosis"),
    Figure("var95_pct", _SHAPE, "Value at risk, 95 %", "percent",
           f"5 % quantile of session returns, linear between ranks; a loss is negative; {FEW}",
           f"{_SPEC}; empyrical.value_at_risk"),
    Figure("cvar95_pct", _SHAPE, "Expected shortfall, 95 %", "percent",
           f"mean of the floor(0.05 (n - 1)) + 1 worst session returns; {FEW}",
           f"{_SPEC}; empyrical.conditional_value_at_risk"),
    Figure("sessions", _SHAPE, "Sessions", "count", "trading days with a point of the curve", _RULING),
    Figure("entry_attempts", _ORDERS, "Entries wished", "count",
           "positions opened + entry_rejections", _SPEC),
    Figure("entry_rejections", _ORDERS, "Entries that came to nothing", "count",
           "refused (refusals), or dead without a fill (dead_entries)", _SPEC),
    Figure("entry_rejection_rate", _ORDERS, "Share that came to nothing", "fraction",
           "entry_rejections / entry_attempts; null without attempts", _SPEC),
    Figure("dead_entries", _ORDERS, "Entry orders that died", "count",
           "entry orders that ended without filling, or whose rest did", _SPEC),
    Figure("refusals", _ORDERS, "Refusals", "count",
           "wishes refused, by reason code; one that lasts counts at each close", "ruling 4"),
    Figure("min_margin_ratio", _MARGIN, "Least margin ratio", "ratio",
           "smallest (margin + unrealised) / maintenance margin at the adverse extreme of the bars certainly held; "
           "liquidation is at 1; null where nothing is liquidated", f"{_SPEC}, 6.7"),
    Figure("margin_calls", _MARGIN, "Margin calls", "count",
           "times that equity fell below the margin in use at a base close; null where nothing is liquidated",
           f"{_SPEC}, 6.11"),
    Figure("closest_liquidation_pct", _MARGIN, "Closest to liquidation", "percent",
           "smallest distance from the adverse extreme of the bars certainly held to the liquidation price, of that "
           "price; 0 where it was reached, null where there is none", f"{_SPEC}, 6.7"),
)  # fmt: skip
"""In the order in which they are shown."""

BY_KEY = {figure.key: figure for figure in FIGURES}
