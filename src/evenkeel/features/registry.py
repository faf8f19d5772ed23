"""All indicators and structures by name, found by looking into their folders; plug-ins join while they are used.

Each lies in a module of its own name, which is imported when somebody first asks for it: a play pays for what it uses.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import ModuleType

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


class Nodes(Mapping[str, Node]):
    """Nodes by name: those of a folder, each imported when it is asked for, then those of plug-ins.

    Args:
        folder: The package that holds them.
        specified: Their names in the order of the specification; others follow in the order of their names.
        plugged_in: Those of plug-ins.
    """

    def __init__(self, folder: ModuleType, specified: Sequence[str], plugged_in: Mapping[str, Node]) -> None:
        self._folder, self._plugged_in = folder.__name__, plugged_in
        found = _names_in(folder)
        self._shipped = [*(name for name in specified if name in found), *sorted(found.difference(specified))]

    def __getitem__(self, name: str) -> Node:
        if name in self._plugged_in:
            return self._plugged_in[name]
        if name not in self._shipped:
            raise KeyError(name)
        found = vars(importlib.import_module(f"{self._folder}.{name}")).values()
        (node,) = (one for one in found if isinstance(one, Node) and one.name == name)
        return node

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self._shipped, *self._plugged_in]))

    def __len__(self) -> int:
        return len({*self._shipped, *self._plugged_in})


def all_indicators() -> Mapping[str, Node]:
    """Return every indicator by name: in the order of the specification, then those of plug-ins."""
    return Nodes(indicators, INDICATOR_NAMES, _plugged_in_as("indicator"))


def all_structures() -> Mapping[str, Node]:
    """Return every structure by name: in the order of the specification, then those of plug-ins."""
    return Nodes(structures, STRUCTURE_NAMES, _plugged_in_as("structure"))


def plug_in(nodes: Sequence[Node]) -> None:
    """Make these the nodes that are known beside the shipped ones; `evenkeel.features.plugin.using` calls it."""
    _plugged_in.clear()
    _plugged_in.update((node.name, node) for node in nodes)


def _plugged_in_as(kind: str) -> dict[str, Node]:
    return {name: node for name, node in _plugged_in.items() if node.kind == kind}


@cache
def _names_in(folder: ModuleType) -> frozenset[str]:
    return frozenset(one.name for one in pkgutil.iter_modules(folder.__path__) if not one.name.startswith("_"))


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
    return _find(name, "indicator or structure", all_indicators(), all_structures())


def _find(name: str, kind: str, *tables: Mapping[str, Node]) -> Node:
    for table in tables:
        if name in table:
            return table[name]
    known = [one for table in tables for one in table]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
    raise UsageError(f"there is no {kind} '{name}'; {hint}")
