"""All indicators and structures by name, found by looking into their folders; plug-ins join while they are used."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Sequence
from functools import cache

from evenkeel.features import indicators, structures
from evenkeel.features.node import Node
from evenkeel.model.errors import UsageError

INDICATOR_NAMES = (
    "ema", "sma", "wma", "dema", "tema", "trima", "zlma", "kama", "alma", "linreg", "midprice", "ohlc4", "vwap",
    "rsi", "cci", "willr", "roc", "mom", "cmo", "mfi", "uo", "obv", "cmf", "atr", "natr",
    "macd", "ppo", "trix", "tsi", "kvo", "bbands", "kc", "donchian", "stoch", "stochrsi", "adx", "dm", "aroon",
    "vortex", "supertrend", "psar", "squeeze", "fisher",
)  # fmt: skip
"""The 43 of the specification, in its order."""

STRUCTURE_NAMES = ("swing", "zone", "trend", "fibonacci", "derived_zone", "rolling_window", "market_structure")
"""The 7 of the specification, in its order."""


_plugged_in: dict[str, Node] = {}


def all_indicators() -> dict[str, Node]:
    """Return every indicator by name: in the order of the specification, then those of plug-ins."""
    return _shipped_indicators() | {name: node for name, node in _plugged_in.items() if node.kind == "indicator"}


def all_structures() -> dict[str, Node]:
    """Return every structure by name: in the order of the specification, then those of plug-ins."""
    return _shipped_structures() | {name: node for name, node in _plugged_in.items() if node.kind == "structure"}


def plug_in(nodes: Sequence[Node]) -> None:
    """Make these the nodes that are known beside the shipped ones; `evenkeel.features.plugin.using` calls it."""
    _plugged_in.clear()
    _plugged_in.update((node.name, node) for node in nodes)


@cache
def _shipped_indicators() -> dict[str, Node]:
    return _in_order(_nodes_in(indicators), INDICATOR_NAMES)


@cache
def _shipped_structures() -> dict[str, Node]:
    return _in_order(_nodes_in(structures), STRUCTURE_NAMES)


def find_indicator(name: str) -> Node:
    """Return the indicator of that name.

    Raises:
        UsageError: If there is none; it names the nearest one.
    """
    return _find(name, "indicator", all_indicators())


def find_structure(name: str) -> Node:
    """Return the structure of that name.

    Raises:
        UsageError: If there is none; it names the nearest one.
    """
    return _find(name, "structure", all_structures())


def find_any(name: str) -> Node:
    """Return the indicator or structure of that name.

    Raises:
        UsageError: If there is neither; it names the nearest one.
    """
    return _find(name, "indicator or structure", {**all_indicators(), **all_structures()})


def _find(name: str, kind: str, known: dict[str, Node]) -> Node:
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
    raise UsageError(f"there is no {kind} '{name}'; {hint}")


def _in_order(found: dict[str, Node], specified: tuple[str, ...]) -> dict[str, Node]:
    others = sorted(set(found) - set(specified))
    return {name: found[name] for name in (*specified, *others) if name in found}


def _nodes_in(package: object) -> dict[str, Node]:
    nodes: dict[str, Node] = {}
    for module_info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):  # type: ignore[attr-defined]
        module = importlib.import_module(module_info.name)
        for value in vars(module).values():
            if isinstance(value, Node) and value.kind != "condition":
                nodes[value.name] = value
    return nodes
