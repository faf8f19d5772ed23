"""The page of an optimisation: what all tries together prove, the best on unseen data, history, front and slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from evenkeel.data.atomic import write_atomically
from evenkeel.monitor.report.markup import Html, tag
from evenkeel.monitor.report.plot import SPAN, Scale, Tick, dots, plot, polyline, shape, ticks
from evenkeel.monitor.report.proof import proof_tiles
from evenkeel.monitor.report.words import count, figure
from evenkeel.monitor.search.sheet import section, sheet, span, table
from evenkeel.monitor.search.words import name_of, set_words, text_of
from evenkeel.readiness.evidence import Evidence

_TOP = 20
_FIGURES = ("sharpe", "return_pct", "max_drawdown_pct", "profit_factor", "trades", "fees")


@dataclass(frozen=True, slots=True)
class Point:
    """A trial on a page.

    Attributes:
        number: Of the trial.
        values: Its parameters.
        goals: What it brought; None if it was refused.
        metrics: All its figures.
    """

    number: int
    values: Mapping[str, Any]
    goals: tuple[float, ...] | None
    metrics: Mapping[str, float | int | None]


def write_optimize_page(
    path: Path, document: Mapping[str, Any], points: Sequence[Point], *, most: Sequence[bool]
) -> None:
    """Write the page of an optimisation.

    Args:
        path: Of the page.
        document: Its `result.json`.
        points: All trials, in order.
        most: For each goal, whether more is better.
    """
    write_atomically(path, optimize_page(document, points, most=most).encode())


def optimize_page(document: Mapping[str, Any], points: Sequence[Point], *, most: Sequence[bool]) -> str:
    """Return the page; the same arguments give the same bytes."""
    metrics = document["metrics"]
    ran = [point for point in points if point.goals is not None]
    facts = {
        "Searched, UTC": span(document["searched"]),
        "Held back, UTC": span(document["held"]),
        "Goal": " and ".join(name_of(metric) for metric in metrics),
        "Sampler": f"{document['sampler']}, seed {document['seed']}",
        "Trials": f"{count(len(points), 'trial')}, {document['distinct']:,} different",
        "Refused": f"{len(points) - len(ran):,}" if len(ran) < len(points) else "",
        "Search": document["search"],
    }
    sections: list[Html | None] = [_proof(document), _unseen(document)]
    if ran:
        sections += [
            _front(ran, metrics, most) if len(metrics) > 1 else None,
            _history(ran, metrics[0], most=most[0]),
            _slices(ran, document["space"], metrics[0]),
            _top(ran, document["space"], metrics, most=most[0]),
        ]
    sections.append(_refusals(document["refused"]))
    subject = f"{', '.join(document['symbols'])}: parameters {', '.join(document['space'])}"
    return sheet(
        eyebrow="Search for parameters", title=document["strategy"]["name"], subject=subject, facts=facts,
        sections=sections,
    )  # fmt: skip


def _proof(document: Mapping[str, Any]) -> Html:
    found = document["evidence"]
    title = "How much of this could be luck?"
    if found is None:
        return section(title, "Every set was refused, so there is nothing to judge.", name="proof")
    tiles = proof_tiles(msgspec.convert(found, Evidence))
    lead = "The best of many tries looks good without any skill. These figures know how many there were."
    return tag("section", tag("h2", title), tag("p", lead, class_="quiet"), tiles, class_="card", id="proof")


def _unseen(document: Mapping[str, Any]) -> Html | None:
    best = document["best"]
    if not best:
        return None
    shown = list(dict.fromkeys((*document["metrics"], *_FIGURES)))
    if len(best) == 1:
        (one,) = best
        rows = [
            (name_of(key), text_of(one["searched"].get(key)), text_of((one["held"] or {}).get(key))) for key in shown
        ]
        lead = f"The best set, trial {one['trial']}: {set_words(one['values'])}."
        body = table(("Figure", "Where it was searched", "On data it has not seen"), rows, numbers=(1, 2))
    else:
        columns = [*document["space"]] + [
            f"{name_of(metric)}, {where}" for metric in document["metrics"] for where in ("searched", "unseen")
        ]
        body = table(columns, [_front_row(one, document) for one in best], numbers=range(len(columns)))
        lead = "No other set beats one of these in one figure without losing in the other."
    if document["held"] is None:
        lead += " Nothing was held back, so how they do on unseen data is not known."
    return section("The best, and on unseen data", lead, body, name="best")


def _front_row(one: Mapping[str, Any], document: Mapping[str, Any]) -> list[str]:
    values = [text_of(one["values"][name]) for name in document["space"]]
    pairs = [(one["searched"].get(m), (one["held"] or {}).get(m)) for m in document["metrics"]]
    return values + [text_of(value) for pair in pairs for value in pair]


def _history(ran: Sequence[Point], metric: str, *, most: bool) -> Html:
    values = [point.goals[0] for point in ran if point.goals is not None]
    numbers = [point.number for point in ran]
    across = Scale(0.0, max(max(numbers), 1))
    up = Scale.around(_bulk(values, most=most), flip=True)
    best, steps = values[0], []
    for number, value in zip(numbers, values, strict=True):
        before, best = best, max(best, value) if most else min(best, value)
        steps += [(across(number), up(before)), (across(number), up(best))]
    steps.append((SPAN, up(best)))
    every = dots((across(number), up(value)) for number, value in zip(numbers, values, strict=True))
    caption = f"Each trial in order, and the best until then. Best {figure(best, digits=3)}."
    drawing = plot(
        [shape(every, "dots plain"), shape(polyline(steps), "line")], label=f"{name_of(metric)} by trial. {caption}",
        x=_whole(ticks(across, about=6)), y=ticks(up, about=5),
    )  # fmt: skip
    figure_tag = tag("figure", drawing, tag("figcaption", caption))
    return section("How the search went", f"{name_of(metric)} of each trial.", figure_tag, name="history")


def _front(ran: Sequence[Point], metrics: Sequence[str], most: Sequence[bool]) -> Html:
    pairs = [(point.goals[0], point.goals[1]) for point in ran if point.goals is not None]
    firsts, seconds = (_bulk([pair[place] for pair in pairs], most=most[place]) for place in range(2))
    across, up = Scale.around(firsts), Scale.around(seconds, flip=True)
    signs = [1.0 if more else -1.0 for more in most]
    kept: list[tuple[float, float]] = []
    for one in sorted(set(pairs), key=lambda pair: (-signs[0] * pair[0], -signs[1] * pair[1])):
        if not kept or signs[1] * one[1] > signs[1] * kept[-1][1]:
            kept.append(one)
    line = [(across(a), up(b)) for a, b in kept]
    corners = [corner for (x, _), (u, v) in pairwise(line) for corner in ((x, v), (u, v))]
    caption = f"Across: {name_of(metrics[0])}. Up: {name_of(metrics[1])}. The line joins {count(len(kept), 'set')}."
    drawing = plot(
        [
            shape(dots((across(a), up(b)) for a, b in pairs), "dots plain"),
            shape(polyline([line[0], *corners]), "line"), shape(dots(line), "dots gain"),
        ],
        label=f"Front. {caption}", x=ticks(across, about=6), y=ticks(up, about=5), look="tall",
    )  # fmt: skip
    lead = "Every set, and the front: those that no other beats in one figure without losing in the other."
    return section("The front", lead, tag("figure", drawing, tag("figcaption", caption)), name="front")


def _slices(ran: Sequence[Point], space: Mapping[str, str], metric: str) -> Html:
    figures = [_slice(ran, name) for name in space]
    lead = (
        f"{name_of(metric)} against each parameter, the others as they came. A broad hill is worth more than a needle."
    )
    return section("Parameter by parameter", lead, tag("div", *figures, class_="pair"), name="slices")


def _slice(ran: Sequence[Point], name: str) -> Html:
    pairs = [(point.values[name], point.goals[0]) for point in ran if point.goals is not None]
    words = any(isinstance(value, bool | str) for value, _ in pairs)
    places = {value: float(place) for place, value in enumerate(sorted({value for value, _ in pairs}, key=str))}
    points = [(places[value] if words else float(value), goal) for value, goal in pairs]
    across = Scale.around([x for x, _ in points])
    up = Scale.around([y for _, y in points], flip=True)
    labels = [Tick(across(place), text_of(value)) for value, place in places.items()] if words else ticks(across)
    drawing = plot(
        [shape(dots((across(x), up(y)) for x, y in points), "dots gain")], label=f"Goal against {name}", x=labels,
        y=ticks(up),
    )  # fmt: skip
    return tag("figure", tag("h3", name), drawing)


def _top(ran: Sequence[Point], space: Mapping[str, str], metrics: Sequence[str], *, most: bool) -> Html:
    sign = -1.0 if most else 1.0
    best: dict[tuple[Any, ...], Point] = {}
    for point in sorted(ran, key=lambda point: sign * (point.goals or (0.0,))[0]):
        best.setdefault(tuple(point.values.values()), point)
    shown = list(dict.fromkeys((*metrics, *_FIGURES)))
    columns = ["Trial", *space, *(name_of(metric) for metric in shown)]
    rows = [_row(point, space, shown) for point in list(best.values())[:_TOP]]
    lead = f"The best {len(rows)} of {len(best):,} different sets, where they were searched."
    return section("Ranking", lead, table(columns, rows, numbers=range(len(columns))), name="ranking")


def _row(point: Point, space: Mapping[str, str], shown: Sequence[str]) -> list[str]:
    figures = [text_of(point.metrics.get(metric)) for metric in shown]
    return [str(point.number), *(text_of(point.values[name]) for name in space), *figures]


def _refusals(refused: Mapping[str, int]) -> Html | None:
    if not refused:
        return None
    rows = [(code, f"{number:,}") for code, number in sorted(refused.items())]
    lead = "Sets that could not be run or brought no figure; trials.csv says why for each."
    return section("Refused", lead, table(("Reason", "Trials"), rows, numbers=(1,)), name="refused")


def _bulk(values: Sequence[float], *, most: bool) -> list[float]:
    """Return the values that a plot must show: the worst twentieth may lie outside, so that one does not hide all."""
    ordered = sorted(values, reverse=most)
    return ordered[: max(2, len(ordered) - len(ordered) // 20)]


def _whole(labels: Sequence[Tick]) -> list[Tick]:
    return [label for label in labels if "." not in label.text]
