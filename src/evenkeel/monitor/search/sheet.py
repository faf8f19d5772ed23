"""The shell of a page of a search: head, facts, sections, tables. It has no script and fetches nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from evenkeel.model.time import parse_time
from evenkeel.monitor.report.markup import Child, Html, tag
from evenkeel.monitor.report.words import moment

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"
_RISK = "Past results of a simulation do not predict future results. No part of this page is advice to trade."


def sheet(
    *,
    eyebrow: str,
    title: str,
    subject: str,
    facts: Mapping[str, str],
    sections: Sequence[Child],
    notes: Sequence[Child] = (),
) -> str:
    """Return a page.

    Args:
        eyebrow: What kind of page it is.
        title: Of the page.
        subject: What it is about.
        facts: Names and texts at its head; empty texts are left out.
        sections: The rest.
        notes: What a reader must know before them, under the facts.
    """
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{title} · {eyebrow} · Evenkeel"),
        tag("style", Html(_style())),
    )
    top = tag(
        "header",
        tag("p", eyebrow, class_="eyebrow"),
        tag("h1", title),
        tag("p", subject, class_="subject"),
        tag(
            "dl", *(tag("div", tag("dt", name), tag("dd", text)) for name, text in facts.items() if text),
            class_="facts",
        ),
        *notes,
        id="top",
    )  # fmt: skip
    foot = tag("footer", tag("p", _RISK), class_="quiet small")
    body = tag("body", tag("main", top, *sections, foot))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def section(title: str, lead: str, *children: Child, name: str) -> Html:
    """Return a section with a lead under its title."""
    return tag("section", tag("h2", title), tag("p", lead, class_="quiet") if lead else None, *children, id=name)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int]) -> Html:
    """Return a table.

    Args:
        columns: Heads.
        rows: Texts.
        numbers: Places of the columns that are set flush right.
    """
    looks = ["number" if place in numbers else None for place in range(len(columns))]
    head = tag("tr", *(tag("th", name, scope="col", class_=look) for name, look in zip(columns, looks, strict=True)))
    lines = (tag("tr", *(tag("td", text, class_=look) for text, look in zip(row, looks, strict=True))) for row in rows)
    inner = tag("table", tag("thead", head), tag("tbody", *lines))
    return tag("div", inner, class_="scroll", tabindex="0", role="region", aria_label=columns[0])


def span(window: Mapping[str, str] | None) -> str:
    """Return a range of time in words; nothing where there is none."""
    if window is None:
        return "nothing"
    first, last = (moment(parse_time(window[edge])).removesuffix(" 00:00") for edge in ("start", "end"))
    return f"{first} to {last}"


@cache
def _style() -> str:
    return files("evenkeel.monitor").joinpath("assets", "report.css").read_text(encoding="utf-8")
