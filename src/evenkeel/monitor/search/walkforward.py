"""The page of a walk forward: the tests one after the other, each fit against its test, and how parameters moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from evenkeel.data.atomic import write_atomically
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.time import parse_time
from evenkeel.monitor.report.account import thinned
from evenkeel.monitor.report.markup import Html, tag
from evenkeel.monitor.report.plot import SPAN, Scale, Tick, bar, dots, plot, polyline, shape, ticks, time_ticks
from evenkeel.monitor.report.proof import proof_tiles
from evenkeel.monitor.report.words import NONE, count, figure, share
from evenkeel.monitor.search.sheet import section, sheet, span, table
from evenkeel.monitor.search.words import name_of, text_of
from evenkeel.readiness.evidence import Evidence

_COMPARED = ("return_pct", "sharpe", "sortino", "max_drawdown_pct", "trades")


def write_walkforward_page(path: Path, document: Mapping[str, Any], *, times_ns: Ints, levels: Floats) -> None:
    """Write the page of a walk.

    Args:
        path: Of the page.
        document: Its `result.json`.
        times_ns: Points of equity of all tests.
        levels: Equity at each, 1 at the start.
    """
    write_atomically(path, walkforward_page(document, times_ns=times_ns, levels=levels).encode())


def walkforward_page(document: Mapping[str, Any], *, times_ns: Ints, levels: Floats) -> str:
    """Return the page; the same arguments give the same bytes."""
    scheme, outside, folds = document["scheme"], document["out_of_sample"], document["folds"]
    kind = "anchored: every fit begins at the start" if scheme["anchored"] else "rolling: every fit is as long"
    chosen = "the whole grid" if document["chosen_by"] == "grid" else f"{document['trials']:,} trials a fold"
    facts = {
        "Tested, UTC": span(outside),
        "Folds": f"{len(folds)}, {kind}",
        "Fit and test": f"{scheme['train']} and {scheme['test']}",
        "Between them": f"purge {scheme['purge']}, embargo {scheme['embargo']}",
        "Chosen by": f"{name_of(document['metric'])}, {chosen}",
        "In no test": "" if document["unused"] is None else span(document["unused"]),
        "Walk": document["walk"],
    }
    lead = "These are the tests only: every decision was made with parameters that were chosen before it."
    tiles = proof_tiles(msgspec.convert(document["evidence"], Evidence))
    sections = [
        tag(
            "section", tag("h2", "How much of this could be luck?"), tag("p", lead, class_="quiet"), tiles,
            _tiles(document), class_="card", id="proof",
        ),
        _equity(document, times_ns, levels),
        _fit_against_test(folds, document["metric"]),
        _paths(document),
        _table(document),
        _against_unfitted(document),
    ]  # fmt: skip
    return sheet(
        eyebrow="Walk forward", title=document["strategy"]["name"],
        subject=f"{', '.join(document['symbols'])}: parameters {', '.join(document['space'])}", facts=facts,
        sections=sections,
    )  # fmt: skip


def _tiles(document: Mapping[str, Any]) -> Html:
    outside = document["out_of_sample"]
    tiles = (
        _tile("Out of sample", f"{figure(outside['return_pct'], signed=True)} %", f"{outside['trades']:,} trades"),
        _tile("Sharpe ratio out of sample", figure(outside["sharpe"]), f"{outside['sessions']:,} sessions"),
        _tile(
            "Efficiency", _part(document["efficiency"]), "growth a year in the tests over that in the fits; 1 keeps all"
        ),
        _tile(
            "Sharpe ratio kept", _part(document["sharpe_efficiency"]), "that of the tests over that of the fits",
            "0.50 or more is wanted",
        ),
        _tile("Tests with a gain", share(document["folds_positive"], digits=0), "50 % or more is wanted"),
    )  # fmt: skip
    return tag("div", *tiles, class_="tiles")


def _part(value: float | None) -> str:
    return figure(value) if value is not None else "not available: the fits gained nothing"


def _tile(name: str, value: str, *notes: str) -> Html:
    look = "value missing" if value.startswith("not available") else "value"
    return tag(
        "div", tag("h3", name), tag("p", value, class_=look), *(tag("p", note, class_="note") for note in notes),
        class_="tile",
    )  # fmt: skip


def _equity(document: Mapping[str, Any], times_ns: Ints, levels: Floats) -> Html:
    title = "The tests, one after the other"
    if len(times_ns) < 2:
        return section(title, "No fold traded.", name="equity")
    first, last = (parse_time(document["out_of_sample"][edge]) for edge in ("start", "end"))
    across = Scale(float(first), float(last))
    up = Scale.around([float(levels.min()) * 100, float(levels.max()) * 100, 100.0], flip=True)
    path = polyline([(across(at), up(level * 100)) for at, level in thinned(times_ns, levels)])
    edges = "".join(f"M{across(float(parse_time(one['test']['start'])))} 0V{SPAN}" for one in document["folds"][1:])
    fall = share(document["out_of_sample"]["max_drawdown_pct"] / 100, digits=2)
    caption = f"Equity, 100 at the start; a line at each new fit. Deepest drawdown {fall}."
    drawing = plot(
        [
            shape(edges, "grid"), shape(f"M0 {up(100.0)}H{SPAN}", "axis"),
            shape(f"{path}V{up(100.0)}H{across(float(times_ns[0]))}Z", "area"), shape(path, "line"),
        ],
        label=caption, x=time_ticks(first, last), y=ticks(up, about=5), look="tall",
    )  # fmt: skip
    return section(title, "", tag("figure", drawing, tag("figcaption", caption)), name="equity")


def _fit_against_test(folds: Sequence[Mapping[str, Any]], metric: str) -> Html:
    pairs = [((one["fitted"] or {}).get(metric), (one["tested"] or {}).get(metric)) for one in folds]
    known = [value for pair in pairs for value in pair if value is not None]
    up = Scale.around([*known, 0.0], flip=True)
    across = Scale(0.0, float(len(folds)))
    boxes = []
    for place, pair in enumerate(pairs):
        for value, begin, look, what in zip(pair, (0.12, 0.52), ("plain", "gain"), ("fit", "test"), strict=True):
            if value is None:
                continue
            top, bottom = sorted((up(value), up(0.0)))
            hint = f"fold {place + 1}, {what}: {text_of(value)}"
            colour = "loss" if what == "test" and value < 0 else look
            boxes.append(bar(across(place + begin), top, across(place + begin + 0.36), bottom, colour, hint))
    every = -(-len(folds) // 20)
    labels = [Tick(across(place + 0.5), str(place + 1)) for place in range(0, len(folds), every)]
    caption = f"{name_of(metric)} of each fold: grey where it was chosen, coloured where it was tested."
    drawing = plot([*boxes, shape(f"M0 {up(0.0)}H{SPAN}", "axis")], label=caption, x=labels, y=ticks(up, about=5))
    lead = "What was promised, and what came of it."
    return section("Fit against test", lead, tag("figure", drawing, tag("figcaption", caption)), name="folds")


def _paths(document: Mapping[str, Any]) -> Html:
    figures = [_path(document, name) for name in document["space"]]
    lead = "The value chosen in each fold. One that jumps about was chosen by noise; 1 is a value that never moves."
    return section("How the parameters moved", lead, tag("div", *figures, class_="pair"), name="parameters")


def _path(document: Mapping[str, Any], name: str) -> Html:
    chosen = [(place, one["chosen"][name]) for place, one in enumerate(document["folds"]) if one["chosen"] is not None]
    held = document["stability"][name]
    title = tag("h3", name, tag("span", f" stability {NONE if held is None else figure(held)}", class_="quiet"))
    if not chosen:
        return tag("figure", title, tag("p", "No fold chose a value.", class_="empty"))
    words = any(isinstance(value, bool | str) for _, value in chosen)
    places = {value: float(place) for place, value in enumerate(sorted({value for _, value in chosen}, key=str))}
    points = [(place, places[value] if words else float(value)) for place, value in chosen]
    across, up = Scale(-0.5, len(document["folds"]) - 0.5), Scale.around([y for _, y in points], flip=True)
    line = [(across(x), up(y)) for x, y in points]
    every = -(-len(document["folds"]) // 12)
    labels = [Tick(across(place), str(place + 1)) for place in range(0, len(document["folds"]), every)]
    heights = [Tick(up(place), text_of(value)) for value, place in places.items()] if words else ticks(up)
    drawn = [shape(polyline(line), "line"), shape(dots(line), "dots gain")]
    return tag("figure", title, plot(drawn, label=f"{name} by fold", x=labels, y=heights))


def _table(document: Mapping[str, Any]) -> Html:
    metric = document["metric"]
    shown = list(dict.fromkeys((metric, "return_pct", "max_drawdown_pct", "trades")))
    columns = ["Fold", "Fitted on", "Tested on", *document["space"]]
    columns += [f"{name_of(one)}, {where}" for one in shown for where in ("fit", "test")]
    rows = []
    for one in document["folds"]:
        values = [NONE if one["chosen"] is None else text_of(one["chosen"][name]) for name in document["space"]]
        pairs = [text_of((one[part] or {}).get(name)) for name in shown for part in ("fitted", "tested")]
        rows.append([str(one["fold"]), span(one["train"]), span(one["test"]), *values, *pairs])
    empty = sum(one["chosen"] is None for one in document["folds"])
    lead = f"{count(empty, 'fold')} had no set that could run and was not traded." if empty else ""
    return section("Fold by fold", lead, table(columns, rows, numbers=range(3, len(columns))), name="table")


def _against_unfitted(document: Mapping[str, Any]) -> Html | None:
    plain = document["unfitted"]
    if plain is None:
        return None
    rows = [(name_of(one), text_of(document["out_of_sample"][one]), text_of(plain.get(one))) for one in _COMPARED]
    lead = (
        "Whether choosing anew was worth it: the strategy with the values in its file, over the same time in one run."
    )
    return section(
        "Against the strategy as it is", lead, table(("Figure", "Walked forward", "As it is"), rows, numbers=(1, 2)),
        name="plain",
    )  # fmt: skip
