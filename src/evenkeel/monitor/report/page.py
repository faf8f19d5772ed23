"""The page: all sections in their order, style and scripts inside, nothing fetched.

A content policy in the page forbids every request and every script but the three whose hashes it names.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

from evenkeel.data.atomic import write_atomically
from evenkeel.model.bar import Bars
from evenkeel.monitor.report.account import account_section, months_section
from evenkeel.monitor.report.audit import audit_strip, checks_section
from evenkeel.monitor.report.chart import chart_section
from evenkeel.monitor.report.costs import costs_section
from evenkeel.monitor.report.head import head_section
from evenkeel.monitor.report.ledger import ledger_section
from evenkeel.monitor.report.luck import luck_section
from evenkeel.monitor.report.markup import Html, join, tag
from evenkeel.monitor.report.origin import origin_section
from evenkeel.monitor.report.paths import paths_section, redraw
from evenkeel.monitor.report.results import results_section
from evenkeel.monitor.report.run_files import Run, read_run
from evenkeel.monitor.report.spread import spread_section
from evenkeel.monitor.report.uncertainty import judge
from evenkeel.readiness.draws import seed_of

REPORT_NAME = "report.html"

_SCRIPTS = ("lightweight-charts.standalone.production.js", "chart.js", "report.js")
_LINKS = (
    ("luck", "Luck"), ("figures", "Figures"), ("equity", "Equity"), ("chart", "Chart"), ("months", "Months"),
    ("trades", "Trades"), ("paths", "Otherwise"), ("spread", "Shape"),
    ("costs", "Costs"), ("checks", "Audit"), ("manifest", "Origin"),
)  # fmt: skip


def write_report(folder: Path, *, candles: Bars | None, paths: int | None = None) -> Path:
    """Write `report.html` into the folder of a finished run and return its path.

    The file appears whole or not at all. The same folder and bars give the same bytes.

    Args:
        folder: With `result.json`, `manifest.json`, `trades.csv` and `equity.parquet`.
        candles: Bars of the execution timeframe for the chart; None leaves the price out and says so.
        paths: Histories of each kind that are drawn from the trades; None takes a few.

    Raises:
        UsageError: If `paths` is out of bounds.
        DataError: If a file of the run is missing or damaged.
        StorageError: If the report cannot be written.
    """
    content = render_report(read_run(folder), candles=candles, paths=paths).encode()
    path = folder / REPORT_NAME
    write_atomically(path, content)
    return path


def render_report(run: Run, *, candles: Bars | None, paths: int | None = None) -> str:
    """Return the page of a run."""
    found = judge(run.trades, start_equity=run.result.account.start_equity, seed=seed_of(run.result.run))
    body = tag(
        "main",
        head_section(run),
        luck_section(run, found),
        audit_strip(run.result.checks),
        results_section(run, candles),
        account_section(run.result.account, run.equity),
        chart_section(run, candles),
        months_section(run.result.account, run.equity),
        ledger_section(run),
        paths_section(redraw(run, paths=paths)),
        spread_section(run),
        costs_section(run, found.costs),
        checks_section(run.result.checks),
        origin_section(run),
        _foot(),
    )
    scripts = [_asset(name).replace("</script", "<\\/script").replace("<!--", "<\\!--") for name in _SCRIPTS]
    return (
        "<!doctype html>\n"
        + tag(
            "html",
            _head(run, scripts),
            tag("body", _bar(), body, *(tag("script", Html(s)) for s in scripts)),
            lang="en",
        )
        + "\n"
    )


def _head(run: Run, scripts: list[str]) -> Html:
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    policy = f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"
    instrument = ", ".join(run.result.symbols)
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{run.result.strategy.name} · {instrument} · Evenkeel"),
        tag("style", Html(_asset("report.css"))),
    )


def _bar() -> Html:
    links = (tag("a", text, href=f"#{name}") for name, text in _LINKS)
    toggle = tag("button", "Dark", type="button", id="theme", hidden=True)
    brand = tag("a", "evenkeel", href="#top", class_="brand")
    return tag("nav", tag("div", brand, tag("span", *links, class_="links"), toggle), aria_label="Sections")


def _foot() -> Html:
    risk = "Past results of a simulation do not predict future results. No part of this page is advice to trade."
    return tag(
        "footer",
        tag("p", risk),
        tag("p", join(["Charts: ", _asset("NOTICE.lightweight-charts").replace("\n", " ").strip(), ", Apache-2.0."])),
        class_="quiet small",
    )


@cache
def _asset(name: str) -> str:
    return files("evenkeel.monitor").joinpath("assets", name).read_text(encoding="utf-8")
