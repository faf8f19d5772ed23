"""A picture with the words that belong to it, as one HTML page that fetches nothing."""

from __future__ import annotations

from collections.abc import Sequence

from evenkeel.features.node import Node
from evenkeel.monitor.report.markup import Html, tag

STYLE = """
:root{color-scheme:light dark;--page:#fff;--text:#16191d;--soft:#5b6470}
@media(prefers-color-scheme:dark){:root{--page:#0f1115;--text:#e8eaee;--soft:#9aa3b0}}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 system-ui,sans-serif}
main{max-width:1100px;margin:0 auto;padding:24px 16px}h1{font-size:20px;margin:0 0 12px}svg{width:100%;height:auto}
dt{color:var(--soft);font-size:13px;margin-top:12px}dd{margin:0}
""".replace("\n", "")


def page(node: Node, picture: Html, *, title: str, notes: Sequence[str]) -> Html:
    """Return the page of one picture.

    Args:
        node: Which is drawn.
        picture: As `draw` made it.
        title: Of the page.
        notes: Sentences about what it reads.
    """
    facts = [("Formula", node.formula), ("Source", node.source), *(("Note", line) for line in notes)]
    terms = [part for name, text in facts for part in (tag("dt", name), tag("dd", text))]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content="default-src 'none'; style-src 'unsafe-inline'"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("style", Html(STYLE)),
    )
    body = tag("body", tag("main", tag("h1", node.summary), picture, tag("dl", *terms)))
    return Html("<!doctype html>\n" + tag("html", head, body, lang="en") + "\n")
