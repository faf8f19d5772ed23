"""What else the same trades could have made: the section of the report that draws them again in four ways."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from evenkeel.model.errors import UsageError
from evenkeel.monitor.report.markup import Html, tag
from evenkeel.monitor.report.plot import SPAN, Scale, plot, polyline, shape, ticks
from evenkeel.monitor.report.run_files import Run, Trade
from evenkeel.monitor.report.words import count, figure, share
from evenkeel.readiness.draws import seed_of
from evenkeel.readiness.monte_carlo import PATHS, PATHS_MIN, Band, Fan, Kind, MonteCarlo, monte_carlo

_WORK = 1_000_000
"""Draws of each kind that a report makes unless somebody asks for more."""

_NAMES = {
    "reshuffle": ("In another order", "every trade once; the end is the same, the way there is not"),
    "bootstrap": ("Drawn again", "trades drawn with replacement, in blocks that follow each other"),
    "skip": ("Some missed", "each trade missed with a chance of one in ten"),
    "slippage": ("Worse fills", "slippage twice as large on average, drawn for each trade"),
}


def redraw(run: Run, *, paths: int | None = None) -> tuple[MonteCarlo, dict[str, Fan]] | None:
    """Return what else the trades of a run could have made; None where they cannot be drawn again.

    Args:
        run: Finished.
        paths: Histories of each kind; None takes as many as a report is worth.

    Raises:
        UsageError: If `paths` is out of bounds.
    """
    nets, slippages = positions(run.trades)
    usual = max(PATHS_MIN, min(PATHS, _WORK // max(len(nets), 1)))
    try:
        return monte_carlo(
            nets, slippages, start_equity=run.result.account.start_equity, seed=seed_of(run.result.run),
            paths=usual if paths is None else paths,
        )  # fmt: skip
    except UsageError:
        if paths is None:
            return None
        raise


def positions(trades: Sequence[Trade]) -> tuple[list[Decimal], list[Decimal]]:
    """Return net and slippage of each position, its legs being one trade."""
    found: dict[str, tuple[Decimal, Decimal]] = {}
    for trade in trades:
        net, slippage = found.get(trade.number, (Decimal(0), Decimal(0)))
        found[trade.number] = net + trade.net, slippage + trade.slippage
    return [net for net, _ in found.values()], [slippage for _, slippage in found.values()]


def paths_section(found: tuple[MonteCarlo, dict[str, Fan]] | None) -> Html:
    """Return figures and fans of all four ways, or a sentence where there are none."""
    title = tag("h2", "The same trades, otherwise")
    if found is None:
        words = "There are too few trades to draw again, or too many, or the account fell to zero on the way."
        return tag("section", title, tag("p", words, class_="empty"), id="paths")
    figures, fans = found
    lead = (
        f"{figures.paths:,} histories of each kind from {count(figures.trades, 'trade')}, compounded; seed "
        f"{figures.seed}. Ruin is a loss of {share(figures.ruin_at, digits=0)} of the start at any time."
    )
    drawn = (_fan(kind, fans[kind.method]) for kind in figures.kinds)
    return tag(
        "section", title, tag("p", lead, class_="quiet"), _table(figures), tag("div", *drawn, class_="pair"), id="paths"
    )


def _table(figures: MonteCarlo) -> Html:
    columns = ("Kind", "Return, worst in 20", "median", "best in 20", "Drawdown, median", "worst in 20", "Ruin", "Loss")
    looks = (None, *("number" for _ in columns[1:]))
    head = tag("tr", *(tag("th", name, scope="col", class_=look) for name, look in zip(columns, looks, strict=True)))
    rows = (
        tag("tr", *(tag("td", text, class_=look) for text, look in zip(_cells(kind), looks, strict=True)))
        for kind in figures.kinds
    )
    inner = tag("table", tag("thead", head), tag("tbody", *rows))
    return tag("div", inner, class_="scroll", tabindex="0", role="region", aria_label="The same trades, otherwise")


def _cells(kind: Kind) -> tuple[str, ...]:
    name, _ = _NAMES[kind.method]
    return (name, *_signed(kind.end), share(kind.drawdown.p50), share(kind.drawdown.p95), *_chances(kind))


def _signed(band: Band) -> tuple[str, str, str]:
    low, middle, high = (share(value, signed=True) for value in (band.p5, band.p50, band.p95))
    return low, middle, high


def _chances(kind: Kind) -> tuple[str, str]:
    return share(kind.ruin), share(kind.loss)


def _fan(kind: Kind, fan: Fan) -> Html:
    name, note = _NAMES[kind.method]
    across = Scale(0.0, float(fan.trades[-1]))
    low, lower, middle, upper, high = (row * 100.0 for row in fan.levels)
    up = Scale.around([float(low.min()), float(high.max()), 100.0], flip=True)

    def line(values: Sequence[float]) -> list[tuple[int, int]]:
        return [(across(at), up(value)) for at, value in zip(fan.trades.tolist(), values, strict=True)]

    outer = polyline([*line(high.tolist()), *line(low.tolist())[::-1]]) + "Z"
    inner = polyline([*line(upper.tolist()), *line(lower.tolist())[::-1]]) + "Z"
    ends = f"{figure(float(low[-1]), digits=1)} to {figure(float(high[-1]), digits=1)}"
    caption = f"{note[0].upper()}{note[1:]}. Nine in ten end at {ends}, 100 being the start."
    drawing = plot(
        [
            shape(f"M0 {up(100.0)}H{SPAN}", "axis"), shape(outer, "area"), shape(inner, "area"),
            shape(polyline(line(middle.tolist())), "line"),
        ],
        label=f"{name}: {caption}", x=[tick for tick in ticks(across, about=4) if "." not in tick.text],
        y=ticks(up, about=4),
    )  # fmt: skip
    return tag("figure", tag("h3", name), drawing, tag("figcaption", caption))
