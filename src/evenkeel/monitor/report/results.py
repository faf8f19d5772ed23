"""The table of figures: everything that the run measured, grouped, with a reason where a figure does not exist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from evenkeel.model.bar import Bars
from evenkeel.monitor.report.figures import Extremes, extremes
from evenkeel.monitor.report.markup import Html, tag
from evenkeel.monitor.report.run_files import Run
from evenkeel.monitor.report.words import NONE, duration, figure, humane, money, percent, share


@dataclass(frozen=True, slots=True)
class _Metric:
    name: str
    text: Callable[[Decimal], str]
    absent: str = ""


def _signed_money(value: Decimal) -> str:
    return money(value, signed=True)


def _signed_percent(value: Decimal) -> str:
    return percent(value, signed=True)


def _whole(value: Decimal) -> str:
    return figure(value, digits=0)


def _fraction(value: Decimal) -> str:
    return percent(value * 100, digits=1)


_FEW_SESSIONS = "needs 20 sessions"
_NO_LOSSES = "no losing trade"
_NO_TRADES = "no trades"

_METRICS: dict[str, dict[str, _Metric]] = {
    "Result": {
        "net_pnl": _Metric("Net profit", _signed_money),
        "return_pct": _Metric("Return", _signed_percent),
        "cagr_pct": _Metric("Return a year", _signed_percent, "range too short"),
        "sharpe": _Metric("Sharpe ratio", figure, _FEW_SESSIONS),
        "sortino": _Metric("Sortino ratio", figure, _FEW_SESSIONS),
    },
    "Risk": {
        "max_drawdown_pct": _Metric("Deepest drawdown", percent),
        "max_drawdown_intrabar_pct": _Metric("Deepest drawdown within bars", percent),
        "exposure_pct": _Metric("Time in the market", percent),
    },
    "Trades": {
        "trades": _Metric("Trades", _whole),
        "win_rate": _Metric("Winners", _fraction, _NO_TRADES),
        "profit_factor": _Metric("Profit factor", figure, _NO_LOSSES),
        "expectancy": _Metric("Average trade", _signed_money, _NO_TRADES),
        "avg_bars_held": _Metric("Bars held on average", lambda value: figure(value, digits=1), _NO_TRADES),
    },
    "Costs": {
        "fees": _Metric("Fees paid", money),
        "slippage": _Metric("Slippage, inside the prices", money),
        "funding": _Metric("Funding received", _signed_money),
    },
}


def results_section(run: Run, candles: Bars | None) -> Html:
    """Return the figures in groups; metrics that this version does not know are shown under their own names."""
    groups = {title: _known(run, metrics) for title, metrics in _METRICS.items()}
    single = extremes(run.trades)
    groups["Result"] += _result_more(run, candles)
    groups["Risk"] += _risk_more(single)
    groups["Trades"] += _trades_more(single)
    further = _further(run)
    if further:
        groups["Further"] = further
    return tag(
        "section",
        tag("h2", "Figures"),
        tag(
            "p",
            f"Money in {run.result.account.currency}. A dash stands for a figure that does not exist.",
            class_="quiet",
        ),
        tag("div", *(_group(title, rows) for title, rows in groups.items()), class_="groups"),
        id="figures",
    )


def _group(title: str, rows: list[tuple[str, str, str]]) -> Html:
    lines = (
        tag("div", tag("dt", name), tag("dd", text, tag("small", note) if note else None)) for name, text, note in rows
    )
    return tag("div", tag("h3", title), tag("dl", *lines), class_="group")


def _known(run: Run, metrics: dict[str, _Metric]) -> list[tuple[str, str, str]]:
    return [_row(metric, run.result.metrics[key], run) for key, metric in metrics.items() if key in run.result.metrics]


def _row(metric: _Metric, value: Any, run: Run) -> tuple[str, str, str]:
    number = _number(value)
    if number is None:
        return metric.name, NONE, (metric.absent if run.trades else _NO_TRADES)
    return metric.name, metric.text(number), ""


def _number(value: Any) -> Decimal | None:
    """Return a metric as a number: money comes as text, statistics as numbers, what does not exist as null."""
    if value is None or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _result_more(run: Run, candles: Bars | None) -> list[tuple[str, str, str]]:
    account = run.result.account
    rows = [("Equity", f"{money(account.start_equity)} → {money(account.end_equity)}", "")]
    if candles is not None and len(candles) and candles.open[0] > 0:
        moved = float(candles.close[-1] / candles.open[0]) - 1.0
        rows.append(("The instrument itself", share(moved, digits=2, signed=True), "first open to last close"))
    return rows


def _risk_more(single: Extremes) -> list[tuple[str, str, str]]:
    return [
        ("Worst trade", money(single.worst, signed=True), ""),
        ("Losing trades in a row", figure(single.losing_streak, digits=0), ""),
    ]


def _trades_more(single: Extremes) -> list[tuple[str, str, str]]:
    held = NONE if single.median_held_ns is None else duration(single.median_held_ns)
    return [
        ("Median trade", money(single.median, signed=True), ""),
        ("Best trade", money(single.best, signed=True), ""),
        ("Average win over average loss", figure(single.payoff), ""),
        ("Long", f"{single.longs:,}", f"net {money(single.net_long, signed=True)}"),
        ("Short", f"{single.shorts:,}", f"net {money(single.net_short, signed=True)}"),
        ("Median time held", held, ""),
    ]


def _further(run: Run) -> list[tuple[str, str, str]]:
    named = {key for metrics in _METRICS.values() for key in metrics}
    unknown = {key: value for key, value in run.result.metrics.items() if key not in named} | run.result.metrics_extra
    return [row for key, value in unknown.items() for row in _rows_of(key, value)]


def _rows_of(key: str, value: Any) -> list[tuple[str, str, str]]:
    """Return one row, or one for each entry of a table such as the refusals by reason."""
    if isinstance(value, dict):
        return [(f"{humane(key)}: {humane(str(part)).lower()}", _any_text(count), "") for part, count in value.items()]
    return [(humane(key), _any_text(value), "")]


def _any_text(value: Any) -> str:
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    number = _number(value)
    if number is None:
        return str(value)
    return figure(number, digits=0) if number == number.to_integral_value() else figure(number, digits=3)
