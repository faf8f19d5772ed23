"""A folder with plays, and a playbook to change in one place."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

from evenkeel.data.definitions import Definitions
from evenkeel.strategies.library import Library
from evenkeel.strategies.play.problems import PlayErrors, Problem
from evenkeel.strategies.playbook.load import load_playbook
from evenkeel.strategies.playbook.playbook import Playbook, System
from evenkeel.strategies.playbook.system_load import load_system

FIND = Definitions.load().find


def play(name: str, symbol: str = "SPY.US", **changes: Any) -> dict[str, Any]:
    """Return a small play."""
    return {
        "version": "3.0.0", "name": name, "symbol": symbol,
        "timeframes": {"low_tf": "D", "med_tf": "D", "high_tf": "D", "exec": "low_tf"},
        "account": {"max_drawdown_pct": 90},
        "features": {"ema_5": {"indicator": "ema", "params": {"length": 5}}},
        "actions": {"entry_long": ["close", "cross_above", "ema_5"], "exit_long": ["close", "cross_below", "ema_5"]},
        "position_policy": {"mode": "long_only", "exit_mode": "signal"}, **changes,
    }  # fmt: skip


DETECTOR: dict[str, Any] = {
    "symbol": "SPY.US",
    "timeframes": {"low_tf": "D", "med_tf": "D", "high_tf": "W", "exec": "low_tf"},
    "features": {"ema_20": {"indicator": "ema", "params": {"length": 20}}},
    "setups": {"rising": ["close", ">", "ema_20"]},
    "regimes": [{"regime": "up", "when": {"setup": "rising"}}],
    "default": "down",
}

BOOK: dict[str, Any] = {
    "kind": "playbook", "version": "3.0.0", "name": "book", "mode": "regime_switch", "capital": 50000,
    "regime_detector": DETECTOR,
    "plays": {
        "up": [{"play": "one", "weight": 0.25}, {"play": "two", "weight": 0.75}],
        "down": [{"play": "one", "weight": 1.0}],
    },
}  # fmt: skip


def book(**changes: Any) -> dict[str, Any]:
    """Return the playbook with keys replaced; None removes one."""
    return {key: value for key, value in {**copy.deepcopy(BOOK), **changes}.items() if value is not None}


def in_a_row(mode: str, *plays: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a playbook without regimes."""
    return book(mode=mode, regime_detector=None, plays=list(plays), **changes)


class Desk:
    """A folder with two plays."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.put(play("one"))
        self.put(play("two", "EURUSD.FX"))

    def put(self, values: dict[str, Any], name: str | None = None) -> Path:
        path = self.folder / f"{name or values['name']}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(values, sort_keys=False))
        return path

    def load(self, values: dict[str, Any], **sets: str) -> Playbook:
        return load_playbook(self.put(values), instruments=FIND, sets=sets, library=Library(self.folder / "home"))

    def load_system(self, values: dict[str, Any]) -> System:
        return load_system(self.put(values), instruments=FIND, library=Library(self.folder / "home"))

    def problems(self, values: dict[str, Any], **sets: str) -> list[Problem]:
        try:
            if values.get("kind") == "system":
                self.load_system(values)
            else:
                self.load(values, **sets)
        except PlayErrors as error:
            return [problem for problem in error.problems if problem.kind != "warning"]
        return []

    def told(self, values: dict[str, Any], **sets: str) -> list[str]:
        return [
            f"{Path(one.file).name}: {one.path}: {one.message}; {one.remedy}".removesuffix("; ")
            for one in self.problems(values, **sets)
        ]
