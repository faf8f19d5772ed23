"""The picture as SVG: panels under each other on one axis of bars.

The axis counts bars, so nights and week-ends take no room. Colours are variables of the picture's own style sheet,
which follows the reader's preference for light or dark even inside an `<img>`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evenkeel.features.node import OutputType
from evenkeel.model.bar import Bars, Floats
from evenkeel.monitor.picture.plan import Line, Plan, Subject, plan
from evenkeel.monitor.report.markup import Html, join, tag
from evenkeel.monitor.report.plot import SPAN, Scale, ticks, time_ticks

WIDTH = 960
LEFT, RIGHT = 12, 892
TITLE_HEIGHT, LEGEND_HEIGHT = 34, 22
PRICE_HEIGHT, PANEL_HEIGHT, LANE_HEIGHT, STRIP_HEIGHT, AXIS_HEIGHT, GAP = 280, 110, 22, 10, 24, 14
MARKET_HEIGHT = 220
LETTER = 7.0
"""Width of a letter of a legend, near enough to place the next entry."""

COLOURS = 8
_GAIN, _LOSS = 2, 7
_COLOUR_OF = {"bullish": _GAIN, "bearish": _LOSS, "high": 0, "low": 1, "active": 0, "broken": 4}

HISTOGRAM = "histogram"
"""Outputs of this name are drawn as bars."""

STYLE = """
svg{--page:#fff;--text:#16191d;--soft:#5b6470;--grid:#eceff3;--up:#9aa5b4;--down:#4d5663;--c0:#3a4fc4;--c1:#c2571a;
--c2:#0f7b5a;--c3:#a02f73;--c4:#8a6a00;--c5:#0e7490;--c6:#7c3aed;--c7:#b42318;font:12px system-ui,sans-serif}
@media(prefers-color-scheme:dark){svg{--page:#0f1115;--text:#e8eaee;--soft:#9aa3b0;--grid:#20242c;--up:#626c7b;
--down:#8c96a5;--c0:#98a6ff;--c1:#f2935a;--c2:#4fc79b;--c3:#e58abf;--c4:#d8b441;--c5:#5cc3dd;--c6:#b79cff;--c7:#ff8f80}}
.page{fill:var(--page)}.title{fill:var(--text);font-size:15px;font-weight:600}.label{fill:var(--soft);font-size:11px}
path{fill:none;stroke-linejoin:round}.grid{stroke:var(--grid)}.up{stroke:var(--up)}.down{stroke:var(--down)}
.line{stroke-width:1.6}.area{stroke-width:.8;fill-opacity:.28}
""".replace("\n", "")


@dataclass(frozen=True, slots=True)
class _Axis:
    """Places of bars from left to right."""

    count: int

    def __call__(self, place: float) -> float:
        return LEFT + (place + 0.5) * self.step

    @property
    def step(self) -> float:
        """Width of a bar with the room beside it."""
        return (RIGHT - LEFT) / max(self.count, 1)


@dataclass(frozen=True, slots=True)
class _Panel:
    """A box with a vertical scale."""

    top: float
    height: float
    scale: Scale

    def __call__(self, value: float) -> float:
        return self.top + self.scale(value) * self.height / SPAN

    def grid(self, about: int) -> Html:
        """Return lines and labels at round values."""
        places = [(self.top + tick.place * self.height / SPAN, tick.text) for tick in ticks(self.scale, about=about)]
        lines = _path("".join(f"M{LEFT} {_n(y)}H{RIGHT}" for y, _ in places), "grid")
        return join([lines, *(_text(RIGHT + 6, y + 4, text) for y, text in places)])


def draw(subject: Subject, *, title: str) -> Html:
    """Return the picture of a node on bars as an SVG document.

    Args:
        subject: The node and its bars.
        title: What stands above it.
    """
    drawn = plan(subject)
    axis = _Axis(len(drawn.bars))
    parts = [_text(LEFT, 22, title, "title")]
    y = float(TITLE_HEIGHT)
    for shapes, height in _stacked(drawn, axis, y):
        parts.append(shapes)
        y += height
    parts += _time_axis(drawn.bars, axis, y)
    return _document(parts, round(y + AXIS_HEIGHT), title)


def draw_bars(bars: Bars, *, title: str) -> Html:
    """Return the picture of bars with their volume as an SVG document; slower bars make a smaller one.

    Args:
        bars: At least one.
        title: What stands above it.
    """
    axis = _Axis(len(bars))
    price = _Panel(TITLE_HEIGHT, MARKET_HEIGHT, _price_scale(bars, []))
    bottom = TITLE_HEIGHT + MARKET_HEIGHT + GAP
    volume = _Panel(bottom, STRIP_HEIGHT * 4, Scale.around([0.0, *bars.volume.tolist()], flip=True, margin=0.0))
    parts = [
        _text(LEFT, 22, title, "title"), price.grid(4), *_candles(bars, axis, price),
        _histogram(bars.volume, axis, volume, 0), *_time_axis(bars, axis, bottom + STRIP_HEIGHT * 4),
    ]  # fmt: skip
    return _document(parts, round(bottom + STRIP_HEIGHT * 4 + AXIS_HEIGHT), title)


def _document(parts: Iterable[Html], height: int, title: str) -> Html:
    return tag(
        "svg", tag("style", Html(STYLE)), tag("rect", width=WIDTH, height=height, class_="page"), *parts,
        xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {WIDTH} {height}", role="img", aria_label=title,
    )  # fmt: skip


def _stacked(drawn: Plan, axis: _Axis, top: float) -> Iterator[tuple[Html, float]]:
    """Yield the parts from top to bottom with their heights."""
    colours = itertools.cycle(range(COLOURS))
    for build in (_price_panel, _lanes, _number_panels):
        for shapes, height in build(drawn, axis, top, colours):
            yield shapes, height
            top += height


def _price_panel(drawn: Plan, axis: _Axis, top: float, colours: Iterator[int]) -> Iterator[tuple[Html, float]]:
    zones = [(next(colours), low, high) for low, high in drawn.zones]
    lines = [(next(colours), line) for line in drawn.overlays]
    names = [(colour, low.name.removesuffix("lower").rstrip("_") or "zone") for colour, low, _ in zones]
    legend = _legend([*names, *((colour, line.name) for colour, line in lines)], top)
    legend_height = LEGEND_HEIGHT if zones or lines else 0
    bars = drawn.bars
    scale = _price_scale(bars, [*drawn.overlays, *(line for pair in drawn.zones for line in pair)])
    panel = _Panel(top + legend_height, PRICE_HEIGHT, scale)
    areas = (_area(low.values, high.values, axis, panel, colour) for colour, low, high in zones)
    curves = (_curve(line.values, axis, panel, colour, stepped=drawn.stepped) for colour, line in lines)
    yield (
        join([legend, panel.grid(5), *areas, *_candles(bars, axis, panel), *curves]),
        legend_height + PRICE_HEIGHT + GAP,
    )


def _price_scale(bars: Bars, lines: Sequence[Line]) -> Scale:
    """Return a scale of all candles; levels far from them are cut off rather than flatten the candles."""
    low, high = float(np.min(bars.low)), float(np.max(bars.high))
    room = high - low
    near = [v for line in lines for v in line.values.tolist() if low - room / 2 <= v <= high + room / 2]
    return Scale.around([low, high, *near], flip=True, margin=0.03)


def _lanes(drawn: Plan, axis: _Axis, top: float, colours: Iterator[int]) -> Iterator[tuple[Html, float]]:
    del colours
    for line in drawn.lanes:
        words = _words(line)
        is_truth = line.output.type is OutputType.BOOL
        label = _legend([*([] if is_truth else [(None, line.name)]), *words.values()], top)
        y = top + LANE_HEIGHT
        strips = [_strip(line.values == value, axis, y, colour) for value, (colour, _) in words.items()]
        yield join([label, _path(f"M{LEFT} {_n(y)}H{RIGHT}", "grid"), *strips]), LANE_HEIGHT + STRIP_HEIGHT
        top += LANE_HEIGHT + STRIP_HEIGHT
    if drawn.lanes:
        yield Html(""), GAP


def _words(line: Line) -> dict[float, tuple[int, str]]:
    """Return what the numbers of a lane are called and how they are coloured; a number that means nothing is absent."""
    match line.output.type:
        case OutputType.ENUM:
            return {float(k): (_COLOUR_OF.get(word, k), word) for k, word in enumerate(line.output.values) if k}
        case OutputType.BOOL:
            return {1.0: (0, line.name)}
        case _:
            return {1.0: (_GAIN, "+1"), -1.0: (_LOSS, "-1")}


def _strip(present: npt.NDArray[np.bool_], axis: _Axis, y: float, colour: int) -> Html:
    path = "".join(
        f"M{_n(axis(start - 0.5))} {_n(y)}h{_n((stop - start) * axis.step)}" for start, stop in _runs(present)
    )
    return tag("path", d=path, stroke=f"var(--c{colour})", stroke_width=7) if path else Html("")


def _number_panels(drawn: Plan, axis: _Axis, top: float, colours: Iterator[int]) -> Iterator[tuple[Html, float]]:
    for members in drawn.panels:
        lines = [(next(colours), line) for line in members]
        values = [value for line in members for value in line.values.tolist()]
        has_bars = any(line.name == HISTOGRAM for line in members)
        panel = _Panel(
            top + LEGEND_HEIGHT, PANEL_HEIGHT, Scale.around([*values, *([0.0] if has_bars else [])], flip=True)
        )
        shapes = [
            _histogram(line.values, axis, panel, colour)
            if line.name == HISTOGRAM
            else _curve(line.values, axis, panel, colour, stepped=drawn.stepped)
            for colour, line in lines
        ]
        legend = _legend([(colour, line.name) for colour, line in lines], top)
        yield join([legend, panel.grid(3), *shapes]), LEGEND_HEIGHT + PANEL_HEIGHT + GAP
        top += LEGEND_HEIGHT + PANEL_HEIGHT + GAP


def _time_axis(bars: Bars, axis: _Axis, top: float) -> list[Html]:
    first, last = int(bars.open_ns[0]), int(bars.open_ns[-1])
    labels = []
    for tick in time_ticks(first, last):
        instant = first + tick.place * (last - first) // SPAN
        place = int(np.searchsorted(bars.open_ns, instant))
        x = axis(place)
        if x - LEFT >= len(tick.text) * LETTER / 2:
            labels.append(_text(x, top + 12, tick.text, "label", anchor="middle"))
    return labels


def _candles(bars: Bars, axis: _Axis, panel: _Panel) -> Iterator[Html]:
    rises = bars.close >= bars.open
    width = max(axis.step * 0.62, 1.0)
    for look, chosen in (("up", rises), ("down", ~rises)):
        places = np.flatnonzero(chosen).tolist()
        wicks = "".join(f"M{_n(axis(i))} {_n(panel(bars.high[i]))}V{_n(panel(bars.low[i]))}" for i in places)
        bodies = "".join(f"M{_n(axis(i))} {_body(bars, i, panel)}" for i in places)
        yield _path(wicks, look)
        yield tag("path", d=bodies, class_=look, stroke_width=_n(width))


def _body(bars: Bars, i: int, panel: _Panel) -> str:
    top, bottom = sorted((panel(bars.open[i]), panel(bars.close[i])))
    return f"{_n(top)}V{_n(max(bottom, top + 1))}"


def _curve(values: Floats, axis: _Axis, panel: _Panel, colour: int, *, stepped: bool) -> Html:
    path = ""
    for start, stop in _runs(~np.isnan(values)):
        points = [(axis(i), panel(values[i])) for i in range(start, stop)]
        path += _steps(points, axis.step) if stepped else "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
        if stop - start == 1 and not stepped:
            path += "h.1"
    return tag("path", d=path, class_="line", stroke=f"var(--c{colour})", stroke_linecap="round")


def _steps(points: Sequence[tuple[float, float]], step: float) -> str:
    """Return the path of levels that hold until they change; it runs from the left edge of the first bar."""
    path = f"M{_n(points[0][0] - step / 2)} {_n(points[0][1])}"
    for (_, before), (x, y) in itertools.pairwise(points):
        if y != before:
            path += f"H{_n(x - step / 2)}V{_n(y)}"
    return path + f"H{_n(points[-1][0] + step / 2)}"


def _area(low: Floats, high: Floats, axis: _Axis, panel: _Panel, colour: int) -> Html:
    """Return a box for each stretch of bars in which the bounds hold."""
    changed = np.flatnonzero((np.diff(low) != 0) | (np.diff(high) != 0)) + 1
    edges = [0, *changed.tolist(), len(low)]
    path = ""
    for start, stop in itertools.pairwise(edges):
        if not np.isnan(low[start] + high[start]):
            x, right = _n(axis(start - 0.5)), _n(axis(stop - 0.5))
            path += f"M{x} {_n(panel(high[start]))}H{right}V{_n(panel(low[start]))}H{x}z"
    return tag("path", d=path, class_="area", style=f"fill:var(--c{colour});stroke:var(--c{colour})")


def _histogram(values: Floats, axis: _Axis, panel: _Panel, colour: int) -> Html:
    zero = panel(0.0)
    present = np.flatnonzero(~np.isnan(values)).tolist()
    path = "".join(f"M{_n(axis(i))} {_n(zero)}V{_n(panel(values[i]))}" for i in present)
    return tag("path", d=path, stroke=f"var(--c{colour})", stroke_width=_n(axis.step * 0.55), opacity=0.6)


def _legend(entries: Iterable[tuple[int | None, str]], top: float) -> Html:
    x = float(LEFT)
    parts = []
    for colour, name in entries:
        if colour is not None:
            parts.append(tag("path", d=f"M{_n(x)} {_n(top + 9)}h10", stroke=f"var(--c{colour})", stroke_width=4))
            x += 15
        parts.append(_text(x, top + 13, name))
        x += len(name) * LETTER + 12
    return join(parts)


def _runs(present: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where unbroken stretches of truth start and stop."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], present, [False]]).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def _path(path: str, look: str) -> Html:
    return tag("path", d=path, class_=look) if path else Html("")


def _text(x: float, y: float, text: str, look: str = "label", anchor: str | None = None) -> Html:
    return tag("text", text, x=_n(x), y=_n(y), class_=look, text_anchor=anchor)


def _n(value: float) -> str:
    """Return a place in pixels, to a tenth."""
    return f"{value:.1f}".removesuffix(".0")
