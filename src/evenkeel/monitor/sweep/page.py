"""The page of a sweep: self-contained, opens offline, the same sweep gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from evenkeel.engine.sweep.ranking import Row
from evenkeel.engine.sweep.space import value_text
from evenkeel.engine.sweep.sweep import Best, SweepResult
from evenkeel.monitor.report.markup import Html, tag
from evenkeel.monitor.report.proof import proof_tiles
from evenkeel.monitor.report.words import NONE, count, figure
from evenkeel.monitor.sweep.pictures import heat_map, marginals
from evenkeel.readiness.evidence import Evidence

REFUSED_MAX = 50
"""So many refused sets are listed; the table on disk has all."""

_FIGURES = (
    ("net_pnl", "Net", 2), ("return_pct", "Return %", 2), ("trades", "Trades", 0), ("sharpe", "Sharpe", 2),
    ("max_drawdown_pct", "Drawdown %", 2), ("profit_factor", "Profit factor", 2),
)  # fmt: skip
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"
_OWN_STYLE = ".heat rect{stroke:none}.wide{overflow-x:auto}td.text{text-align:left}main table{margin-top:20px}"


def render_page(document: Mapping[str, Any], result: SweepResult, evidence: Evidence | None) -> str:
    """Return the page.

    Args:
        document: As `--json` prints it.
        result: The sets.
        evidence: What the best set proves, given all tries.
    """
    metric = document["metric"]
    body = tag(
        "main",
        _head(document),
        tag("section", tag("h2", "What the best set proves"), proof_tiles(evidence), id="proof"),
        _best_section(result.best, metric),
        _pictures_section(result.rows, metric),
        _refused_section(result.refused),
        tag("footer", tag("p", "Past results of a simulation do not predict future results.")),
    )
    style = files("evenkeel.monitor").joinpath("assets", "report.css").read_text(encoding="utf-8") + _OWN_STYLE
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{document['strategy']['name']} · sweep · Evenkeel"),
        tag("style", Html(style)),
    )
    return "<!doctype html>\n" + tag("html", head, tag("body", body), lang="en") + "\n"


def _head(document: Mapping[str, Any]) -> Html:
    data, sets = document["data"], document["sets"]
    facts = [
        ("Bars", f"{data['base_bars']:,} of {data['base_tf']}, decisions every {data['exec_tf']}"),
        ("Sets", f"{sets['count']:,} ({sets['drawn']}), {sets['refused']:,} refused"),
        ("Ranked by", document["metric"]),
    ]
    return tag(
        "header",
        tag("p", "Sweep", class_="eyebrow"),
        tag("h1", document["strategy"]["name"]),
        tag("p", f"{', '.join(document['symbols'])}, {data['start']} to {data['end']}", class_="subject"),
        tag("dl", *(tag("div", tag("dt", name), tag("dd", text)) for name, text in facts), class_="facts"),
        id="top",
    )


def _best_section(best: Sequence[Best], metric: str) -> Html:
    if not best:
        return tag("section", tag("h2", "Best sets"), tag("p", "No set could run.", class_="empty"))
    names = list(best[0].row.values)
    shown = [one for one in _FIGURES if one[0] != metric]
    titles = ["#", *names, metric, *(title for _, title, _ in shown), "Neighbours", ""]
    lines = [_best_line(place, one, metric, shown) for place, one in enumerate(best, 1)]
    words = "Neighbours: median of the sets one step away. A lonely peak keeps less than half of its lead there."
    head = tag("thead", tag("tr", *(tag("th", title) for title in titles)))
    return tag(
        "section",
        tag("h2", "Best sets"),
        tag("p", words, class_="quiet"),
        tag("div", tag("table", head, tag("tbody", *lines)), class_="wide"),
        id="best",
    )


def _best_line(place: int, one: Best, metric: str, shown: Sequence[tuple[str, str, int]]) -> Html:
    row, peak = one.row, one.peak
    cells = [str(place), *(value_text(value) for value in row.values.values()), figure(row.value(metric), digits=3)]
    cells += [figure(row.value(name), digits=digits) for name, _, digits in shown]
    cells += [NONE if peak.median is None else f"{figure(peak.median, digits=3)} ({peak.neighbours})"]
    return tag(
        "tr", *(tag("td", cell) for cell in cells), tag("td", "lonely peak" if peak.lonely else "", class_="text")
    )


def _pictures_section(rows: Sequence[Row], metric: str) -> Html | None:
    drawn = marginals(rows, metric)
    if not drawn:
        return None
    return tag(
        "section",
        tag("h2", "What the parameters do"),
        heat_map(rows, metric),
        tag("div", *drawn, class_="pair"),
        id="pictures",
    )


def _refused_section(refused: Sequence[Row]) -> Html | None:
    if not refused:
        return None
    lines = [
        tag(
            "tr", tag("td", str(row.number)),
            tag("td", ", ".join(f"{k} {value_text(v)}" for k, v in row.values.items()), class_="text"),
            tag("td", row.refusal, class_="text"),
        )
        for row in refused[:REFUSED_MAX]
    ]  # fmt: skip
    more = f" The first {REFUSED_MAX} are shown." if len(refused) > REFUSED_MAX else ""
    head = tag("thead", tag("tr", *(tag("th", title) for title in ("Set", "Values", "Why"))))
    return tag(
        "section",
        tag("h2", f"{count(len(refused), 'set')} refused"),
        tag("p", f"With these values the strategy cannot run.{more}", class_="quiet"),
        tag("div", tag("table", head, tag("tbody", *lines)), class_="wide"),
        id="refused",
    )
