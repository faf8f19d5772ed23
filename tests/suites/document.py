"""From a row to the whole play, as a person would write it.

document(find("rsi_long"))        # a dict
text(find("rsi_long"))            # YAML, ready for `keel backtest`
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml

from evenkeel.model.time import Timeframe
from suites import notation
from suites.rows import FOLDER, Row, read_document
from suites.windows import symbol_of, windows

_ROLES = ("low_tf", "med_tf", "high_tf")
_MODES = {"long": "long_only", "short": "short_only", "both": "long_short"}
_SECTIONS = (
    "version", "name", "description", "symbol", "timeframes", "variables", "account", "include", "features",
    "structures", "setups", "actions", "position_policy", "entry", "risk", "risk_model", "backtest", "validation",
)  # fmt: skip
"""The order in which a person expects them."""

_EXPECTED = ("load_error", "stop_reason", "min_trades", "max_trades")
"""What a play itself may say of the outcome; the tables know a little more."""

_STANDARD = {"atr_14": "atr 14"}
_STANDARD_LEVELS = {"exit_swing": "swing 4 4"}
"""What exit forms read; declared where a form reads it and the row does not."""


@cache
def forms() -> dict[str, dict[str, Any]]:
    """Return the forms that rows name: exits, sizes, entries, accounts."""
    found: dict[str, dict[str, Any]] = read_document(FOLDER / "forms.yaml")
    return found


def text(row: Row) -> str:
    """Return the play of a row as YAML."""
    return yaml.dump(document(row), Dumper=_Plain, sort_keys=False, default_flow_style=None, width=120)


def document(row: Row) -> dict[str, Any]:
    """Return the play of a row."""
    low, med, high, exec_ = row.tf.split()
    features = {name: notation.feature(short) for name, short in row.use.items()}
    structures: dict[str, list[dict[str, Any]]] = {}
    for key, short in row.levels.items():
        role, found = notation.structure(key, short)
        structures.setdefault(role, []).append(found)
    made: dict[str, Any] = {
        "version": "3.0.0",
        "name": row.id,
        "description": row.about or f"{row.suite} suite: {row.id}",
        "symbol": symbol_of(row),
        "timeframes": {**dict(zip(_ROLES, (low, med, high), strict=True)), "exec": f"{exec_}_tf"},
        "variables": dict(row.set),
        "account": _form("accounts", row.account),
        "features": features,
        "structures": structures,
        "setups": dict(row.setups),
        "actions": actions(row),
        "position_policy": {"mode": _MODES[row.side], "exit_mode": _form("exits", row.exit)["exit_mode"]},
        "entry": _form("entries", row.entry),
        **_protection(row),
        **_data(row),
    }
    _lay_over(made, row.with_)
    _declare_what_exits_read(made)
    return {key: made[key] for key in (*_SECTIONS, *made) if key in made and made[key] not in ({}, [], None)}


def expected(row: Row) -> dict[str, Any]:
    """Return what must come of a play: what its exit form must show, and what the row says."""
    return {**_form("exits", row.exit).get("shows", {}), **row.expect}


def actions(row: Row) -> Any:
    """Return the actions in the form that the row chose."""
    if row.blocks is not None:
        return row.blocks
    leaves = _form("exits", row.exit).get("leaves", False)
    first, other = ("short", "long") if row.side == "short" else ("long", "short")
    found = {f"entry_{first}": row.when}
    if row.side == "both":
        found[f"entry_{other}"] = row.when_short
    if leaves:
        found[f"exit_{first}"] = row.leave
        if row.side == "both":
            found[f"exit_{other}"] = row.leave_short
    if leaves == "part":
        return [_partly(name, found[name]) for name in found]
    return {name: condition for name, condition in found.items() if condition is not None}


def _partly(name: str, condition: Any) -> dict[str, Any]:
    """Return the block of an action; an exit closes half, and what is left goes by stop or target."""
    emit: Any = {"action": name, "percent": 50} if name.startswith("exit") else name
    return {"id": name, "cases": [{"when": condition, "emit": [emit]}]}


def _protection(row: Row) -> dict[str, Any]:
    """Return the section of stop, target and size."""
    exits = _form("exits", row.exit)
    if "risk" in exits:
        return {"risk": exits["risk"]}
    risk = {name: value for name, value in exits.items() if name not in ("exit_mode", "leaves", "shows")}
    sizing = _form("sizes", row.size)
    return {"risk_model": {**risk, **({"sizing": sizing} if sizing else {})}}


def _data(row: Row) -> dict[str, Any]:
    """Return what the play says of the market that it is tried on."""
    expect = {name: value for name, value in row.expect.items() if name in _EXPECTED}
    if row.is_recorded:
        window = windows()[row.window]
        span = {"start": window.start, "end": window.end}
        return {"backtest": span, "validation": {"window": span, "phase": window.phase}}
    regime, minutes, seed = row.market
    low, med, high, exec_ = row.tf.split()
    bars = minutes // Timeframe.parse({"low": low, "med": med, "high": high}[exec_]).minutes
    found: dict[str, Any] = {"pattern": regime, "bars": bars, "seed": seed}
    return {"validation": {**found, **({"expect": expect} if expect else {})}}


def _form(kind: str, name: str) -> dict[str, Any]:
    return copy.deepcopy(forms()[kind][name])


def _lay_over(made: dict[str, Any], over: Mapping[str, Any]) -> None:
    """Lay maps over maps, key by key; anything else replaces what was there."""
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(made.get(key), dict):
            _lay_over(made[key], value)
        else:
            made[key] = copy.deepcopy(value)


def _declare_what_exits_read(made: dict[str, Any]) -> None:
    risk = {**made.get("risk", {}), **made.get("risk_model", {})}
    rules = [rule for rule in risk.values() if isinstance(rule, dict)]
    for rule in rules:
        name = rule.get("atr_feature_id")
        if name in _STANDARD and name not in made["features"]:
            made["features"][name] = notation.feature(_STANDARD[name])
        key = rule.get("structure_key")
        known = {one["key"] for listed in made["structures"].values() for one in listed}
        if key in _STANDARD_LEVELS and key not in known:
            role, found = notation.structure(key, _STANDARD_LEVELS[key])
            made["structures"].setdefault(role, []).append(found)


class _Plain(yaml.SafeDumper):
    """Writes every value out: an anchor would be right, and nobody would read it."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
