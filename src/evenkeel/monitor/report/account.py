"""Equity, drawdown and monthly returns: static, legible without a script."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from evenkeel.model.bar import Floats, Ints
from evenkeel.monitor.report.figures import compounded, monthly_returns
from evenkeel.monitor.report.markup import Html, tag
from evenkeel.monitor.report.plot import SPAN, Scale, plot, polyline, shape, ticks, time_ticks
from evenkeel.monitor.report.run_files import AccountRange, EquityCurve
from evenkeel.monitor.report.words import MONTHS, moment, money, share

_BUCKETS = 400
"""Each draws its first, lowest, highest and last point, so no spike is lost."""


def account_section(account: AccountRange, curve: EquityCurve) -> Html:
    """Return equity over drawdown on one time axis."""
    body = (
        _curves(account, curve) if len(curve.time_ns) > 1 else tag("p", "The run has no equity curve.", class_="empty")
    )
    return tag("section", tag("h2", "Equity and drawdown"), body, id="equity")


def _curves(account: AccountRange, curve: EquityCurve) -> Html:
    start = float(account.start_equity)
    time = Scale(float(curve.time_ns[0]), float(curve.time_ns[-1]))
    level = Scale.around([*_ends(curve.equity), start], flip=True)
    fall = Scale(0.0, max(float(curve.drawdown.max()) * 1.1, 0.01))
    line = thinned(curve.time_ns, curve.equity)
    under = thinned(curve.time_ns, curve.drawdown)
    equity_path = polyline([(time(at), level(value)) for at, value in line])
    fall_path = polyline([(time(at), fall(value)) for at, value in under])
    axis = time_ticks(int(curve.time_ns[0]), int(curve.time_ns[-1]))
    deepest = int(np.argmax(curve.drawdown))
    caption = (
        f"From {money(account.start_equity)} to {money(account.end_equity)} {account.currency}. "
        f"Deepest drawdown {share(float(curve.drawdown[deepest]), digits=2)}"
        + (f" at {moment(int(curve.time_ns[deepest]))} UTC." if curve.drawdown[deepest] > 0 else ".")
    )
    return tag(
        "figure",
        plot(
            [
                shape(f"M0 {level(start)}H{SPAN}", "axis"),
                shape(f"{equity_path}V{level(start)}H0Z", "area"),
                shape(equity_path, "line"),
            ],
            label=f"Equity. {caption}",
            y=ticks(level, about=5),
            look="tall bare",
        ),
        plot(
            [shape(f"{fall_path}V0H0Z", "area loss"), shape(fall_path, "line loss")],
            label="Drawdown from the peak, percent",
            x=axis,
            y=ticks(fall, about=3, factor=100.0, suffix=" %"),
            look="low",
        ),
        tag("figcaption", caption),
    )


def _ends(values: Floats) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def thinned(time_ns: Ints, values: Floats) -> list[tuple[float, float]]:
    """Return the points that a line across a page can show: the ends and extremes of each bucket, in order."""
    if len(values) <= 4 * _BUCKETS:
        chosen = np.arange(len(values))
    else:
        edges = np.linspace(0, len(values), _BUCKETS + 1).astype(np.int64)
        picked: set[int] = set()
        for first, stop in pairwise(edges.tolist()):
            part = values[first:stop]
            picked |= {first, first + int(part.argmin()), first + int(part.argmax()), stop - 1}
        chosen = np.array(sorted(picked))
    return list(zip(time_ns[chosen].astype(float).tolist(), values[chosen].tolist(), strict=True))


def months_section(account: AccountRange, curve: EquityCurve) -> Html:
    """Return the table of monthly returns, shaded by size."""
    table = monthly_returns(curve, float(account.start_equity))
    body = _months(table) if table else tag("p", "The run is empty, so there are no months.", class_="empty")
    lead = "By UTC month, on equity with open positions marked. The first and the last month may be partial."
    return tag("section", tag("h2", "Monthly returns"), tag("p", lead, class_="quiet"), body, id="months")


def _months(table: Mapping[int, Mapping[int, float]]) -> Html:
    largest = max(abs(value) for months in table.values() for value in months.values()) or 1.0
    head = tag("tr", tag("th", "Year", scope="col"), *(tag("th", name, scope="col") for name in (*MONTHS, "Year")))
    rows = (
        tag(
            "tr",
            tag("th", str(year), scope="row"),
            *(_cell(months.get(month), largest) for month in range(1, 13)),
            tag("td", share(compounded(months.values()), digits=1, signed=True), class_="total"),
        )
        for year, months in sorted(table.items())
    )
    inner = tag("table", tag("thead", head), tag("tbody", *rows), class_="heat")
    return tag("div", inner, class_="scroll", tabindex="0", role="region", aria_label="Monthly returns")


def _cell(value: float | None, largest: float) -> Html:
    if value is None:
        return tag("td", "", class_="none")
    look = "gain" if value > 0 else "loss" if value < 0 else "flat"
    depth = 0.08 + 0.52 * abs(value) / largest if value else 0.0
    return tag("td", share(value, digits=1, signed=True), class_=look, style=f"--depth:{depth:.2f}")
