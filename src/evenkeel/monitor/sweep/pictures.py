"""Pictures of a sweep: a heat map of two parameters, and what each parameter does by itself."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from evenkeel.engine.sweep.ranking import LOW_IS_GOOD, Row
from evenkeel.engine.sweep.space import value_text
from evenkeel.monitor.report.markup import Html, tag
from evenkeel.monitor.report.plot import SPAN, Scale, Tick, dots, plot, polyline, shape, ticks
from evenkeel.monitor.report.words import figure
from evenkeel.monitor.sweep.cells import Cells, cells_of

SIGNED = frozenset({"net_pnl", "return_pct", "expectancy", "sharpe", "sortino", "cagr_pct", "funding"})
"""Figures whose sign says whether money was made."""

_LABELS_MAX = 12
_SHADE_MIN, _SHADE_MAX = 8, 92
_GAP = 30
"""Between the cells of the heat map, in units of the square."""


def heat_map(rows: Sequence[Row], metric: str) -> Html | None:
    """Return the heat map of the two parameters that matter most; None where fewer than two differ.

    A cell is coloured by the best set in it: other parameters may differ inside.
    """
    judged = [row for row in rows if row.value(metric) is not None]
    axes = sorted((cells_of(rows, name) for name in rows[0].values), key=lambda axis: -_reach(judged, axis, metric))
    wide = [axis for axis in axes if len(axis) > 1][:2]
    if len(wide) < 2 or not judged:
        return None
    across, up = sorted(wide, key=len, reverse=True)
    best: dict[tuple[int, int], Row] = {}
    for row in judged:
        cell = across.of(row), up.of(row)
        if cell not in best or _better(_value(row, metric), _value(best[cell], metric), metric):
            best[cell] = row
    shade = _Shade([_value(row, metric) for row in best.values()], metric)
    boxes = [_cell(cell, row, across, up, metric, shade) for cell, row in sorted(best.items())]
    top = min(best.items(), key=lambda item: _sign(metric) * _value(item[1], metric))[0]
    others = [name for name in rows[0].values if name not in (across.name, up.name) and len(cells_of(rows, name)) > 1]
    chosen = f" Each cell shows the best over {', '.join(others)}." if others else ""
    caption = f"{metric}: across {across.name}, up {up.name}; {shade.words} The frame marks the best cell.{chosen}"
    return tag(
        "figure",
        tag("h3", f"{metric} by {across.name} and {up.name}"),
        plot(
            [*boxes, _frame(top, across, up)],
            label=f"Heat map. {caption}",
            x=_labels(across),
            y=[Tick(SPAN - tick.place, tick.text) for tick in _labels(up)],
            look="tall heat",
            grid=False,
        ),
        tag("figcaption", caption),
        class_="density",
    )


class _Shade:
    """Colours of a metric: blue and vermilion around zero where the sign tells, else one colour from weak to strong."""

    def __init__(self, values: Sequence[float], metric: str) -> None:
        self._signed = metric in SIGNED
        self._flipped = metric in LOW_IS_GOOD
        self._low, self._high = min(values), max(values)
        self._widest = max(abs(self._low), abs(self._high)) or 1.0
        self.words = (
            "blue is above zero, vermilion below, the stronger the further."
            if self._signed
            else f"the darker, the {'smaller' if self._flipped else 'larger'}."
        )

    def __call__(self, value: float) -> str:
        if self._signed:
            return self._colour("gain" if value >= 0 else "loss", abs(value) / self._widest)
        part = (value - self._low) / (self._high - self._low) if self._high > self._low else 1.0
        return self._colour("gain", 1.0 - part if self._flipped else part)

    @staticmethod
    def _colour(name: str, part: float) -> str:
        return f"fill:rgb(var(--{name}-rgb) / {_SHADE_MIN + part * (_SHADE_MAX - _SHADE_MIN):.0f}%)"


def _cell(cell: tuple[int, int], row: Row, across: Cells, up: Cells, metric: str, shade: _Shade) -> Html:
    left, top, width, height = _box(cell, across, up)
    value = _value(row, metric)
    hint = f"{', '.join(f'{k} {value_text(v)}' for k, v in row.values.items())}: {figure(value)}"
    style = shade(value)
    return tag("rect", tag("title", hint), x=left, y=top, width=width, height=height, style=style)


def _box(cell: tuple[int, int], across: Cells, up: Cells) -> tuple[int, int, int, int]:
    """Return left, top, width and height of a cell."""
    columns, lines = SPAN / len(across), SPAN / len(up)
    gap_x, gap_y = min(_GAP, columns / 10), min(_GAP, lines / 10)
    left, top = cell[0] * columns + gap_x, SPAN - (cell[1] + 1) * lines + gap_y
    return round(left), round(top), round(columns - 2 * gap_x), round(lines - 2 * gap_y)


def _frame(cell: tuple[int, int], across: Cells, up: Cells) -> Html:
    left, top, width, height = _box(cell, across, up)
    return shape(f"M{left} {top}h{width}v{height}h{-width}z", "observed")


def _labels(axis: Cells) -> list[Tick]:
    """Return the texts of cells, at most a dozen of them."""
    every = -(-len(axis) // _LABELS_MAX)
    return [Tick(round((place + 0.5) * SPAN / len(axis)), axis.labels[place]) for place in range(0, len(axis), every)]


def marginals(rows: Sequence[Row], metric: str) -> list[Html]:
    """Return a plot for each parameter that differs: median and range of the metric over all sets with each value."""
    judged = [row for row in rows if row.value(metric) is not None]
    axes = [cells_of(rows, name) for name in rows[0].values]
    return [_marginal(judged, axis, metric) for axis in axes if len(axis) > 1 and judged]


def _marginal(judged: Sequence[Row], axis: Cells, metric: str) -> Html:
    groups = _groups(judged, axis, metric)
    up = Scale.around([value for values in groups.values() for value in values], flip=True)
    places = {cell: round((cell + 0.5) * SPAN / len(axis)) for cell in groups}
    middle = [(places[cell], up(statistics.median(values))) for cell, values in groups.items()]
    upper = [(places[cell], up(max(values))) for cell, values in groups.items()]
    lower = [(places[cell], up(min(values))) for cell, values in groups.items()]
    shapes = [shape(polyline([*upper, *reversed(lower)]) + "z", "area"), shape(polyline(middle), "line")]
    caption = f"Line: median of {metric} over all sets with that value. Band: from the smallest to the largest."
    return tag(
        "figure",
        tag("h3", axis.name),
        plot(
            [*shapes, shape(dots(middle), "dots gain")],
            label=f"{axis.name}. {caption}", x=_labels(axis), y=ticks(up, about=4),
        ),
        tag("figcaption", caption),
    )  # fmt: skip


def _groups(judged: Sequence[Row], axis: Cells, metric: str) -> dict[int, list[float]]:
    groups: dict[int, list[float]] = {}
    for row in judged:
        groups.setdefault(axis.of(row), []).append(_value(row, metric))
    return dict(sorted(groups.items()))


def _reach(judged: Sequence[Row], axis: Cells, metric: str) -> float:
    """Return how far a parameter moves the median of the metric."""
    middles = [statistics.median(values) for values in _groups(judged, axis, metric).values()]
    return max(middles, default=0.0) - min(middles, default=0.0) if len(axis) > 1 else -1.0


def _value(row: Row, metric: str) -> float:
    return float(row.value(metric) or 0.0)


def _sign(metric: str) -> int:
    return 1 if metric in LOW_IS_GOOD else -1


def _better(value: float, than: float, metric: str) -> bool:
    return _sign(metric) * value < _sign(metric) * than
