"""How single trades spread: their returns, how far they went against and for us, and how long they lasted."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from evenkeel.monitor.report.figures import trade_return
from evenkeel.monitor.report.markup import Html, tag
from evenkeel.monitor.report.plot import SPAN, Scale, bar, dots, plot, round_step, shape, ticks
from evenkeel.monitor.report.run_files import Run, Trade
from evenkeel.monitor.report.words import count, figure

BINS_MAX = 41
POINTS_MAX = 2_000
"""Points of a scatter: beyond it every second, third, ... trade is drawn, and the caption says so."""


@dataclass(frozen=True, slots=True)
class Bins:
    """Counts in bins of equal width that have zero as an edge; the outermost hold everything beyond."""

    first: int
    width: float
    counts: tuple[int, ...]
    clipped: bool


def bins_of(values: Sequence[float], *, width_min: float = 0.0) -> Bins:
    """Sort values into at most `BINS_MAX` bins of a round width, at least `width_min`."""
    ordered = sorted(values)
    low, high = _quantile(ordered, 0.01), _quantile(ordered, 0.99)
    spread = max(high - low, abs(high), abs(low), 1e-9)
    bins = min(BINS_MAX - 4, max(8, 2 * round(math.sqrt(len(ordered)))))
    width = max(round_step(spread / bins), width_min)
    first, last = math.floor(low / width), max(math.ceil(high / width), math.floor(low / width) + 1)
    counts = [0] * (last - first)
    for value in ordered:
        counts[min(max(math.floor(value / width) - first, 0), last - first - 1)] += 1
    return Bins(first, width, tuple(counts), ordered[0] < first * width or ordered[-1] >= last * width)


def _quantile(ordered: Sequence[float], part: float) -> float:
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)]


def spread_section(run: Run) -> Html:
    """Return the plots, or a sentence where there are no trades."""
    found = [(trade, value) for trade in run.trades if (value := trade_return(trade, run.multiplier)) is not None]
    if not found:
        return tag(
            "section",
            tag("h2", "Trades in shape"),
            tag("p", "There are no trades to draw.", class_="empty"),
            id="spread",
        )
    return tag(
        "section",
        tag("h2", "Trades in shape"),
        tag("p", "Returns are net of all costs, as a share of the position's value at entry.", class_="quiet"),
        tag(
            "div",
            _returns(found),
            _held(run.trades),
            _scatter(found, "Against the position", "mae", "Furthest against the position, before the exit"),
            _scatter(found, "For the position", "mfe", "Furthest in favour of the position, before the exit"),
            class_="pair",
        ),
        id="spread",
    )


def _returns(found: Sequence[tuple[Trade, float]]) -> Html:
    values = [value * 100 for _, value in found]
    bins = bins_of(values)
    median = statistics.median(values)
    note = " The outermost bars hold everything beyond." if bins.clipped else ""
    caption = f"Median {figure(median, digits=2, signed=True)} %, {count(len(values), 'trade')}.{note}"
    return _histogram("Return of a trade", bins, caption, suffix=" %", coloured=True)


def _held(trades: Sequence[Trade]) -> Html:
    bins = bins_of([float(trade.bars_held) for trade in trades], width_min=1.0)
    winners = [trade.bars_held for trade in trades if trade.net > 0]
    losers = [trade.bars_held for trade in trades if trade.net < 0]
    halves = [
        f"{name} held {figure(statistics.median(held), digits=0)} bars"
        for name, held in (("winners", winners), ("losers", losers))
        if held
    ]
    caption = f"Median: {', '.join(halves)}." if halves else "No trade won or lost."
    return _histogram("Bars held", bins, caption, suffix="", coloured=False)


def _histogram(title: str, bins: Bins, caption: str, *, suffix: str, coloured: bool) -> Html:
    low, high = bins.first * bins.width, (bins.first + len(bins.counts)) * bins.width
    scale = Scale(low, high)
    top = Scale(0.0, max(bins.counts) * 1.08, flip=True)
    boxes = []
    for index, trades in enumerate(bins.counts):
        left = (bins.first + index) * bins.width
        look = "plain" if not coloured else "loss" if left < -bins.width / 2 else "gain"
        hint = f"{figure(left, digits=2)} to {figure(left + bins.width, digits=2)}{suffix}: {count(trades, 'trade')}"
        if trades:
            boxes.append(bar(scale(left) + 12, top(trades), scale(left + bins.width) - 12, SPAN, look, hint))
    counts = [tick for tick in ticks(top, about=4) if "." not in tick.text]
    return tag(
        "figure",
        tag("h3", title),
        plot(boxes, label=f"{title}: histogram. {caption}", x=ticks(scale, about=5, suffix=suffix), y=counts),
        tag("figcaption", caption),
    )


def _scatter(found: Sequence[tuple[Trade, float]], title: str, column: str, label: str) -> Html:
    """Return excursion across, net return up; a dot for each trade."""
    points = [
        (float(excursion) * 100, value * 100)
        for trade, value in found
        if (excursion := trade.mae if column == "mae" else trade.mfe) is not None
    ]
    if not points:
        return tag("figure", tag("h3", title), tag("p", "The run recorded no excursions.", class_="empty"))
    every = -(-len(points) // POINTS_MAX)
    drawn = points[::every]
    across = Scale(0.0, max((x for x, _ in points), default=0.0) * 1.05 or 1.0)
    up = Scale.around([*(y for _, y in points), 0.0], flip=True)
    gains = dots((across(x), up(y)) for x, y in drawn if y > 0)
    losses = dots((across(x), up(y)) for x, y in drawn if y <= 0)
    caption = f"Across: {label[0].lower()}{label[1:]}. Up: net return."
    if every > 1:
        caption += f" One trade in {every} is drawn."
    return tag(
        "figure",
        tag("h3", title, tag("span", f" {column.upper()}", class_="quiet")),
        plot(
            [shape(f"M0 {up(0.0)}H{SPAN}", "axis"), shape(losses, "dots loss"), shape(gains, "dots gain")],
            label=f"{title}: {caption}",
            x=ticks(across, about=4, suffix=" %"),
            y=ticks(up, about=4, suffix=" %"),
        ),
        tag("figcaption", caption),
    )
