"""Static plots: SVG shapes that stretch with the page under labels that do not.

Shapes live in a square of `SPAN` units that the page stretches to any width; strokes keep their width and points stay
round because they are strokes too. Labels are ordinary text placed in percent, so they are as legible on a phone as
on a desk and can be selected, searched and read aloud.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from evenkeel.model.time import DAY, HOUR, MINUTE, SECOND
from evenkeel.monitor.report.markup import Html, join, tag
from evenkeel.monitor.report.words import MONTHS, figure

SPAN = 10_000

_STEPS_NS = (
    MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR,
    DAY, 2 * DAY, 3 * DAY, 7 * DAY, 14 * DAY,
)  # fmt: skip
_STEPS_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240)
_MONTH_NS = 30 * DAY


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight map from values to units of the square; `flip` puts large values on top."""

    low: float
    high: float
    flip: bool = False

    def __call__(self, value: float) -> int:
        """Return the place of a value, clipped to the square."""
        part = (value - self.low) / (self.high - self.low)
        return round(min(1.0, max(0.0, 1.0 - part if self.flip else part)) * SPAN)

    @classmethod
    def around(cls, values: Iterable[float], *, flip: bool = False, margin: float = 0.05) -> Scale:
        """Return a scale that holds all values and a margin, never of zero height."""
        found = [value for value in values if math.isfinite(value)] or [0.0]
        low, high = min(found), max(found)
        room = (high - low) * margin or abs(high) * margin or 1.0
        return cls(low - room, high + room, flip)


@dataclass(frozen=True, slots=True)
class Tick:
    """A label beside the square; `place` in its units."""

    place: int
    text: str


def ticks(scale: Scale, *, about: int = 4, suffix: str = "", factor: float = 1.0) -> list[Tick]:
    """Return labels at round values within a scale; they read the value times `factor`, then `suffix`."""
    low, high = scale.low * factor, scale.high * factor
    step = round_step((high - low) / about)
    digits = max(-math.floor(math.log10(step) + 1e-9), 0)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [Tick(scale(k * step / factor), figure(k * step, digits=digits) + suffix) for k in range(first, last + 1)]


def round_step(rough: float) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that is not below `rough`."""
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    return next((step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= rough * (1 - 1e-9)), 10.0 * power)


def time_ticks(start_ns: int, stop_ns: int, *, about: int = 6) -> list[Tick]:
    """Return labels at round instants between two: years, months, days or hours."""
    scale = Scale(start_ns, max(stop_ns, start_ns + 1))
    rough = (stop_ns - start_ns) / about
    step = next((step for step in _STEPS_NS if step >= rough), None)
    if step is None:
        months = next((months for months in _STEPS_MONTHS if months * _MONTH_NS >= rough), _STEPS_MONTHS[-1])
        return [Tick(scale(at), _month_text(at, months)) for at in _months(start_ns, stop_ns, months)]
    first = -(-start_ns // step) * step
    return [Tick(scale(at), _instant_text(at, step)) for at in range(first, stop_ns + 1, step)]


def _months(start_ns: int, stop_ns: int, step: int) -> list[int]:
    at = datetime.fromtimestamp(start_ns // SECOND, UTC)
    index = -(-(at.year * 12 + at.month - 1) // step) * step
    found = []
    while (instant := _month_start(index)) <= stop_ns:
        if instant >= start_ns:
            found.append(instant)
        index += step
    return found


def _month_start(index: int) -> int:
    return int(datetime(index // 12, index % 12 + 1, 1, tzinfo=UTC).timestamp()) * SECOND


def _month_text(instant_ns: int, step: int) -> str:
    at = datetime.fromtimestamp(instant_ns // SECOND, UTC)
    return str(at.year) if step >= 12 else f"{MONTHS[at.month - 1]} {at.year}"


def _instant_text(instant_ns: int, step: int) -> str:
    at = datetime.fromtimestamp(instant_ns // SECOND, UTC)
    if step >= DAY or at.hour == at.minute == 0:
        return f"{at.day} {MONTHS[at.month - 1]}"
    return f"{at.hour:02}:{at.minute:02}"


def polyline(points: Sequence[tuple[int, int]]) -> str:
    """Return the path of a line through points."""
    return "M" + "L".join(f"{x} {y}" for x, y in points) if points else ""


def dots(points: Iterable[tuple[int, int]]) -> str:
    """Return the path that draws a dot at each point when stroked with round caps."""
    return "".join(f"M{x} {y}h0" for x, y in points)


def shape(path: str, look: str) -> Html:
    """Return a path in one of the looks that the style sheet knows."""
    return tag("path", d=path, class_=look)


def bar(left: int, top: int, right: int, bottom: int, look: str, hint: str) -> Html:
    """Return a filled box with a hint."""
    width, height = max(right - left, 1), max(bottom - top, 1)
    return tag("rect", tag("title", hint), x=left, y=top, width=width, height=height, class_=look)


def plot(
    shapes: Iterable[Html],
    *,
    label: str,
    x: Sequence[Tick] = (),
    y: Sequence[Tick] = (),
    look: str = "",
    grid: bool = True,
) -> Html:
    """Return a plot.

    Args:
        shapes: In units of the square.
        label: What the plot shows, for those who cannot see it.
        x: Labels below.
        y: Labels to the right.
        look: Further classes, for the height.
        grid: Whether lines run from the labels of `y`.
    """
    lines = "".join(f"M0 {tick.place}H{SPAN}" for tick in y) if grid else ""
    square = Html(
        f'<svg viewBox="0 0 {SPAN} {SPAN}" preserveAspectRatio="none" role="img" aria-label="{join([label])}">'
        f"{shape(lines, 'grid') if lines else ''}{join(shapes)}</svg>"
    )
    return tag(
        "div",
        tag("div", square, class_="square"),
        tag("div", *(_label(tick, "top") for tick in y), class_="labels-y", aria_hidden="true"),
        tag("div", *(_label(tick, "left") for tick in x), class_="labels-x", aria_hidden="true"),
        class_=f"plot {look}".strip(),
    )


def _label(tick: Tick, side: str) -> Html:
    return tag("span", tick.text, style=f"{side}:{tick.place * 100 / SPAN:.2f}%")
