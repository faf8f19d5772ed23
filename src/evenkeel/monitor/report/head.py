"""The head of a report: what ran, on what, and what a reader must know before believing a figure."""

from __future__ import annotations

from collections.abc import Sequence

from evenkeel.model.reason import MARK_TEXTS
from evenkeel.model.time import DAY, parse_time
from evenkeel.monitor.report.markup import Html, join, tag
from evenkeel.monitor.report.run_files import Run
from evenkeel.monitor.report.words import count, duration, humane, moment, timeframe_words


def head_section(run: Run) -> Html:
    """Return title, facts and notices."""
    result = run.result
    instrument = ", ".join(result.symbols) or str(run.instrument.get("id", ""))
    description = str(run.instrument.get("description") or "")
    return tag(
        "header",
        tag("p", "Backtest report", class_="eyebrow"),
        tag("h1", result.strategy.name or "Unnamed strategy"),
        tag("p", instrument, tag("span", f" {description}", class_="quiet") if description else None, class_="subject"),
        _facts(run),
        assumptions(run.manifest.get("models")),
        notices(run.result.marks),
        id="top",
    )


def _facts(run: Run) -> Html:
    result = run.result
    data = result.data
    start, stop = parse_time(data.start), parse_time(data.end)
    facts = {
        "Range": f"{_edge(start, start, stop)} to {_edge(stop, start, stop)} UTC, {duration(max(stop - start, 0))}",
        "Decides on": f"{timeframe_words(data.exec_tf)} bars, filled on {timeframe_words(data.base_tf)}",
        "Lane": humane(result.lane),
        "Profile": humane(result.profile),
        "Fill model": "" if run.manifest.get("models") else humane(str(run.manifest.get("fill_model", ""))),
        "Ended": humane(result.stop_reason),
        "Run": result.run,
    }
    return tag(
        "dl",
        *(tag("div", tag("dt", name), tag("dd", text)) for name, text in facts.items() if text),
        class_="facts",
    )


def assumptions(found: object, *, of: str = "the market and the venue") -> Html | None:
    """Return what the simulation assumes, an assumption a line, by name; nothing where a manifest names none.

    Args:
        found: `models` of a manifest.
        of: What is assumed of.
    """
    if not isinstance(found, dict) or not found:
        return None
    rows = (
        tag("div", tag("dt", humane(kind)), tag("dd", tag("code", str(one["name"])), f" {one['text']}"))
        for kind, one in found.items()
    )
    return tag("div", tag("h2", f"Assumed of {of}"), tag("dl", *rows), class_="models")


def _edge(instant_ns: int, start_ns: int, stop_ns: int) -> str:
    """Return one end of the range, without the time of day where both ends are midnights."""
    text = moment(instant_ns)
    return text.removesuffix(" 00:00") if start_ns % DAY == stop_ns % DAY == 0 else text


def notices(marks: Sequence[str]) -> Html | None:
    """Return one visible notice per mark; an unknown mark is shown by its code rather than hidden."""
    if not marks:
        return None
    known = {str(mark): text for mark, text in MARK_TEXTS.items()}
    rows = (
        tag("li", tag("strong", humane(mark)), " ", tag("span", known.get(mark, mark))) for mark in dict.fromkeys(marks)
    )
    title = tag("h2", f"Read this first: {count(len(set(marks)), 'notice')}")
    return tag("aside", title, tag("ul", join(rows)), class_="notices", aria_label="Notices")
