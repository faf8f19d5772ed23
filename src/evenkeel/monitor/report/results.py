"""The table of figures: everything that the run measured, grouped, with a reason where a figure does not exist."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from evenkeel.engine.metric_table import BY_KEY, FIGURES, Figure
from evenkeel.model.bar import Bars
from evenkeel.monitor.report.figures import Extremes, extremes
from evenkeel.monitor.report.markup import Html, tag
from evenkeel.monitor.report.run_files import Run
from evenkeel.monitor.report.words import NONE, duration, figure, humane, money, percent, share

Row: TypeAlias = "tuple[str, str, str]"
"""Name, value, and a remark or nothing."""


def _signed_money(value: Decimal) -> str:
    return money(value, signed=True)


def _signed_percent(value: Decimal) -> str:
    return percent(value, signed=True)


_TEXTS: dict[str, Callable[[Decimal], str]] = {
    "money": money, "percent": percent, "fraction": lambda value: percent(value * 100, digits=1), "ratio": figure,
    "count": lambda value: figure(value, digits=0), "bars": lambda value: figure(value, digits=1),
    "days": lambda value: figure(value, digits=1),
}  # fmt: skip
"""How a figure of each unit is written."""

_SIGNED = frozenset(
    {
        "net_pnl", "gross_pnl", "return_pct", "benchmark_pct", "alpha_pct", "cagr_pct", "expectancy", "largest_win",
        "largest_loss", "funding", "var95_pct", "cvar95_pct",
    }
)  # fmt: skip
"""Figures shown with their sign."""

_NO_TRADES = "no trades"
_ABSENT = {
    "cagr_pct": "range too short", "calmar": "range too short", "profit_factor": "no losing trade",
    "payoff": "needs a win and a loss", "win_rate_long": "no long trade", "win_rate_short": "no short trade",
    "min_margin_ratio": "never held on margin", "closest_liquidation_pct": "no liquidation price",
    "margin_calls": "no margin", "recovery_factor": "no fall", "entry_rejection_rate": "no entry wished",
    **dict.fromkeys(("sharpe", "sortino", "omega", "skew", "kurtosis", "var95_pct", "cvar95_pct"), "needs 20 sessions"),
}  # fmt: skip
"""Why a figure may not exist."""


def results_section(run: Run, candles: Bars | None) -> Html:
    """Return the figures in groups; metrics that this version does not know are shown under their own names."""
    groups: dict[str, list[Row]] = {}
    for one in FIGURES:
        groups.setdefault(one.group, []).extend(known(one, run.result.metrics, run.result.metrics_extra))
    single = extremes(run.trades)
    groups["Result"] += _result_more(run, candles)
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
        groups_of_figures(groups),
        id="figures",
    )


def groups_of_figures(groups: Mapping[str, Sequence[Row]]) -> Html:
    """Return the rows of each group under its title, in columns; a group without rows is left out."""
    return tag("div", *(_group(title, rows) for title, rows in groups.items() if rows), class_="groups")


def _group(title: str, rows: Sequence[Row]) -> Html:
    lines = (
        tag("div", tag("dt", name), tag("dd", text, tag("small", note) if note else None)) for name, text, note in rows
    )
    return tag("div", tag("h3", title), tag("dl", *lines), class_="group")


def known(one: Figure, metrics: Mapping[str, Any], extra: Mapping[str, Any]) -> list[Row]:
    """Return the rows of a figure: none where the run does not have it, one for each entry of a table."""
    values = extra if one.extra else metrics
    if one.key not in values:
        return []
    value = values[one.key]
    if isinstance(value, dict):
        return [(f"{one.title}: {humane(str(part)).lower()}", _any_text(count), "") for part, count in value.items()]
    number = _number(value)
    if number is None:
        word = humane(value).lower() if isinstance(value, str) else NONE
        return [
            (
                one.title,
                word,
                "" if word != NONE else (_ABSENT.get(one.key, "") if metrics.get("trades") else _NO_TRADES),
            )
        ]
    text = _TEXTS[one.unit]
    if one.key in _SIGNED:
        text = _signed_money if one.unit == "money" else _signed_percent
    return [(one.title, text(number), "")]


def _number(value: Any) -> Decimal | None:
    """Return a metric as a number: money comes as text, statistics as numbers, what does not exist as null."""
    if value is None or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _result_more(run: Run, candles: Bars | None) -> list[Row]:
    account = run.result.account
    rows = [("Equity", f"{money(account.start_equity)} → {money(account.end_equity)}", "")]
    known = "benchmark_pct" in run.result.metrics_extra
    if not known and candles is not None and len(candles) and candles.open[0] > 0:
        moved = float(candles.close[-1] / candles.open[0]) - 1.0
        rows.append((BY_KEY["benchmark_pct"].title, share(moved, digits=2, signed=True), "first open to last close"))
    return rows


def _trades_more(single: Extremes) -> list[Row]:
    held = NONE if single.median_held_ns is None else duration(single.median_held_ns)
    return [
        ("Median trade", money(single.median, signed=True), ""),
        ("Net of longs", money(single.net_long, signed=True), f"{single.longs:,} trades"),
        ("Net of shorts", money(single.net_short, signed=True), f"{single.shorts:,} trades"),
        ("Median time held", held, ""),
    ]


def _further(run: Run) -> list[Row]:
    every = run.result.metrics | run.result.metrics_extra
    unknown = {key: value for key, value in every.items() if key not in BY_KEY}
    return [row for key, value in unknown.items() for row in _rows_of(key, value)]


def _rows_of(key: str, value: Any) -> list[Row]:
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
