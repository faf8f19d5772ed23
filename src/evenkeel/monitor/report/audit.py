"""The independent audit: a strip near the top and every check with its detail further down."""

from __future__ import annotations

from collections.abc import Sequence

from evenkeel.monitor.report.markup import Html, join, tag
from evenkeel.monitor.report.run_files import Check
from evenkeel.monitor.report.words import count

_SIGNS = {"failed": "✕", "skipped": "–", "ok": "✓"}
_ORDER = tuple(_SIGNS)


def state_of(check: Check) -> str:
    """Return `ok`, `failed` or `skipped`; a check that did not run is never ok."""
    if check.skipped:
        return "skipped"
    return "ok" if check.ok else "failed"


def audit_strip(checks: Sequence[Check]) -> Html:
    """Return one line: how many checks passed, failed and were skipped."""
    if not checks:
        text = "No audit was stored with this run: its figures are unchecked."
        return tag("p", _sign("failed"), tag("strong", text), class_="strip failed")
    states = [state_of(check) for check in checks]
    failed, skipped = states.count("failed"), states.count("skipped")
    verdict = f"{count(failed, 'audit check')} failed: do not trust these figures." if failed else "The audit agrees."
    counts = f"{states.count('ok')} passed, {failed} failed, {skipped} skipped"
    dots = (
        tag("i", class_=f"dot {state}", title=f"{c.name}: {state}") for c, state in zip(checks, states, strict=True)
    )
    look = "failed" if failed else "ok"
    return tag(
        "div",
        _sign(look),
        tag(
            "p",
            tag("strong", verdict),
            " ",
            tag("span", counts, class_="quiet"),
            " ",
            tag("a", "Details", href="#checks"),
        ),
        tag("span", join(dots), class_="dots", aria_hidden="true"),
        class_=f"strip {look}",
        role="status",
    )


def checks_section(checks: Sequence[Check]) -> Html:
    """Return every check, the failed ones first, in the words of the audit."""
    ranked = sorted(checks, key=lambda check: _ORDER.index(state_of(check)))
    rows = (
        tag(
            "tr",
            tag("td", _sign(state), tag("span", state, class_="state")),
            tag("th", tag("code", check.name), scope="row"),
            tag("td", check.detail, class_="detail"),
            class_=state,
        )
        for check in ranked
        for state in (state_of(check),)
    )
    body: Html = tag(
        "table", tag("caption", "Checks of the audit", class_="hidden"), tag("tbody", join(rows)), class_="checks"
    )
    lead = "Recomputed from fills and bars in exact decimals, by code that shares nothing with the engine."
    return tag(
        "section",
        tag("h2", "Audit"),
        tag("p", lead, class_="quiet"),
        tag("div", body, class_="scroll", tabindex="0")
        if checks
        else tag("p", "No checks were stored.", class_="empty"),
        id="checks",
    )


def _sign(state: str) -> Html:
    return tag("span", _SIGNS[state], class_=f"sign {state}", aria_hidden="true")
