"""Evenkeel: a trading engine that would rather stop than guess.

    from evenkeel import Catalog, Definitions, Request, backtest

    outcome = backtest(Request("ema_cross", catalogs=[Catalog(folder)], instruments=Definitions.load(), runs=runs))

Everything public can be imported from here; nothing is loaded before it is named, so that `keel --help` stays quick.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_PLACES = {
    "Bars": "evenkeel.model.bar",
    "Catalog": "evenkeel.data.catalog",
    "Definitions": "evenkeel.data.definitions",
    "Features": "evenkeel.strategies.python_strategy",
    "Instrument": "evenkeel.model.instrument",
    "Intent": "evenkeel.model.intent",
    "KeelError": "evenkeel.model.errors",
    "Outcome": "evenkeel.api",
    "PythonStrategy": "evenkeel.strategies.python_strategy",
    "Request": "evenkeel.api",
    "Sources": "evenkeel.data.sources",
    "View": "evenkeel.strategies.strategy",
    "backtest": "evenkeel.api",
    "load_strategy": "evenkeel.strategies.load",
    "lookahead": "evenkeel.api.search",
    "optimize": "evenkeel.api.search",
    "walkforward": "evenkeel.api.search",
}
"""Public name to the module that defines it."""


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'evenkeel' has no attribute '{name}'")
    return getattr(importlib.import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted([*_PLACES, "__version__"])
