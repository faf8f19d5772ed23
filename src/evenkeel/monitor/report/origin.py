"""Where a result comes from: what would have to be the same to get it again, and the command that gets it."""

from __future__ import annotations

import shlex
from typing import Any

import msgspec

from evenkeel.monitor.report.markup import Html, tag
from evenkeel.monitor.report.run_files import Run
from evenkeel.monitor.report.words import count, timeframe_words

_STAMPS = frozenset({"created"})
"""Left out, so that the same run gives the same page; `manifest.json` has them."""

_SHORT = 16


def origin_section(run: Run) -> Html:
    """Return the facts that pin the run, the command, and the whole manifest folded away."""
    stable = {key: value for key, value in run.manifest.items() if key not in _STAMPS}
    whole = msgspec.json.format(msgspec.json.encode(stable), indent=2).decode()
    return tag(
        "section",
        tag("h2", "Where this comes from"),
        tag(
            "dl", *(tag("div", tag("dt", name), tag("dd", text)) for name, text in _facts(run) if text), class_="facts"
        ),
        tag("h3", "Run it again"),
        tag("pre", tag("code", command_of(run)), class_="command", tabindex="0"),
        tag("p", _promise(run), class_="quiet"),
        tag("details", tag("summary", "The whole manifest"), tag("pre", tag("code", whole), tabindex="0")),
        id="manifest",
    )


def command_of(run: Run) -> str:
    """Return the command that repeats the run, an option a line."""
    result = run.result
    options = [("--symbol", symbol) for symbol in result.symbols]
    options += [("--start", result.data.start), ("--end", result.data.end)]
    options += [(name, value) for name, value in (("--lane", result.lane), ("--profile", result.profile)) if value]
    lines = [("keel", "backtest", result.strategy.name), *options]
    return " \\\n    ".join(shlex.join(line) for line in lines)


def _promise(run: Run) -> str:
    text = "The manifest holds the strategy as it ran, settings given with --set included."
    if run.result.result_hash:
        text += f" The same code and data give the result hash {run.result.result_hash[:_SHORT]}."
    return text


def _facts(run: Run) -> list[tuple[str, str]]:
    manifest, result = run.manifest, run.result
    bars = count(result.data.base_bars, f"{timeframe_words(result.data.base_tf)} bar")
    return [
        ("Code", _joined(_at(manifest, "code", "version"), _short(_at(manifest, "code", "source")))),
        ("Strategy", _joined(result.strategy.kind, _short(result.strategy.hash))),
        ("Data", _joined(_short(result.data.hash), bars)),
        ("Seed", _text(manifest.get("seed")) or "none drawn"),
        ("Platform", _flat(manifest.get("platform"))),
        ("Packages", _flat(manifest.get("packages"))),
    ]


def _at(document: dict[str, Any], *path: str) -> str:
    found: Any = document
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return _text(found)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:_SHORT]


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {part}" for key, part in value.items())
    return _text(value)
