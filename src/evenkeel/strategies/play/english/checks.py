"""What a play is checked on and what a venue is told, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evenkeel.strategies.play.english.phrases import listed, money, number

_EXPECTED = {
    "min_trades": "at least {} closed legs", "max_trades": "at most {} closed legs", "stop_reason": "an end by {}",
    "load_error": "a refusal that says '{}'",
}  # fmt: skip


def check_lines(resolved: Mapping[str, Any]) -> list[str]:
    """Return what `validation` and `deploy` of a resolved play say; nothing without them."""
    lines = []
    validation: Mapping[str, Any] = resolved.get("validation") or {}
    if validation.get("pattern"):
        lines.append(_market(validation))
    window = validation.get("window") or {}
    if window:
        phase = f", {validation['phase']} by its author's reading" if validation.get("phase") else ""
        lines.append(f"It is checked on recorded data from {window['start']} to {window['end']}{phase}.")
    expected = {key: value for key, value in (validation.get("expect") or {}).items() if value is not None}
    if expected:
        lines.append(f"The check expects {listed([_EXPECTED[key].format(value) for key, value in expected.items()])}.")
    return lines + _deploy(resolved.get("deploy") or {})


def _market(validation: Mapping[str, Any]) -> str:
    bars = f", {number(float(validation['bars']))} bars" if validation.get("bars") else ""
    return f"It is checked on the generated market {validation['pattern']}, seed {validation.get('seed', 42)}{bars}."


def _deploy(deploy: Mapping[str, Any]) -> list[str]:
    if not deploy:
        return []
    capital = money(float(deploy.get("capital", 0)), str(deploy.get("settle_coin", "")))
    return [
        f"At a venue it may use {capital}; entry orders are cancelled after {deploy.get('dcp_window', 30)} seconds "
        "without a connection."
    ]
